//! Which setting a mistyped variable may have meant.

use super::aws::AWS_VARIABLES;
use super::settings::SETTINGS;

/// The nearest known variable to an unknown `STREAMER_…` one; none when nothing is near.
///
/// Compared without the prefix, which all of them share, with names, aliases and flags: who writes
/// `STREAMER_JOBS` means `CRON_JOBS_TO_GENERATE`.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let typed = bare(&name.to_ascii_uppercase()).to_owned();
    let ours = SETTINGS.iter().flat_map(|setting| {
        let flag = setting.flag.replace('-', "_").to_ascii_uppercase();
        let names = setting.names().map(|name| (bare(name).to_owned(), name));
        names.chain([(flag, setting.name)])
    });
    let theirs = AWS_VARIABLES.iter().map(|variable| (variable.name.to_owned(), variable.name));
    ours.chain(theirs)
        .map(|(candidate, name)| (strsim::osa_distance(&typed, &candidate), candidate.len(), name))
        .filter(|(distance, length, _)| *distance <= near(*length))
        .min_by_key(|(distance, ..)| *distance)
        .map(|(.., name)| name)
}

/// Most edits between a word of this length and one that still means it.
fn near(length: usize) -> usize {
    1 + length / 4
}

fn bare(name: &str) -> &str {
    name.strip_prefix("STREAMER_").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_variable_is_named_and_a_far_one_is_not() {
        for (typed, meant) in [
            ("STREAMER_EVNT", Some("STREAMER_EVENT")),
            ("streamer_seed", Some("STREAMER_SEED")),
            ("STREAMER_MAX_INFLIGHT", Some("STREAMER_MAX_IN_FLIGHT")),
            ("STREAMER_LOG_LEVEL", None),
            ("STREAMER_JOBS", Some("CRON_JOBS_TO_GENERATE")),
            ("STREAMER_MESSAGE", Some("MESSAGES_PER_CRON_JOB")),
            ("STREAMER_STREAM_NAME", Some("STREAM_NAME")),
            ("STREAMER_AWS_REGION", Some("AWS_REGION")),
            ("STREAMER_X", None),
            ("STREAMER_", None),
            ("STREAMER_SERVICE_HOST", None),
        ] {
            assert_eq!(nearest(typed), meant, "{typed}");
        }
    }
}
