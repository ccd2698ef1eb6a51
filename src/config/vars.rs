//! What the environment says: `Vars`, flat and unjudged, filled by `envy`.
//!
//! Decides which variables are ours and refuses unknown ones that look like ours. Reads no environment
//! itself, and keeps no variable that is not in the table: credentials never get this far.

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde::Deserialize;

use super::problem::{Problem, Shown};
use super::service_links::ServiceLinks;
use super::settings::SETTINGS;
use super::suggest::nearest;

/// What every variable of ours that is not AWS's or the original's begins with.
const PREFIX: &str = "STREAMER_";

macro_rules! vars {
    ($($field:ident)+) => {
        /// The variables as they were set: a field for each name in the table, in lower case.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
        pub struct Vars {
            $(
                #[doc = concat!("The variable `", stringify!($field), "`, in upper case.")]
                pub $field: Option<String>,
            )+
        }

        impl Vars {
            /// The fields' names.
            pub const FIELDS: &[&str] = &[$(stringify!($field)),+];

            /// The value of a variable, by its name in the table; none when it is not set.
            pub fn get(&self, name: &str) -> Option<&str> {
                $(
                    if name.eq_ignore_ascii_case(stringify!($field)) {
                        return self.$field.as_deref();
                    }
                )+
                None
            }
        }
    };
}

vars! {
    aws_kinesis_stream_name stream_arn stream_name streamer_local streamer_active_timeout streamer_dry_run
    cron_jobs_to_generate messages_per_cron_job streamer_cron streamer_pacing streamer_rate streamer_profile streamer_duration
    streamer_replay streamer_speed streamer_loop
    streamer_max_records streamer_allowed_streams streamer_confirm_rate
    streamer_event streamer_template_mode streamer_partition_key streamer_seed streamer_instance
    streamer_client streamer_wire streamer_retry streamer_max_attempts streamer_max_in_flight streamer_request_timeout
    streamer_drain_timeout
    streamer_max_request_records streamer_max_request_bytes streamer_max_record_bytes
    streamer_verify streamer_verify_poll streamer_verify_idle streamer_verify_timeout streamer_verify_foreign
    streamer_instance_count streamer_instance_index job_completion_index streamer_instance_slot streamer_start_at
    streamer_event_size streamer_inject streamer_compression streamer_framing streamer_answer_sheet
    streamer_max_in_flight_bytes
    streamer_control_token streamer_template_language streamer_aggregation streamer_report streamer_fail_if
    streamer_listen streamer_journal streamer_log streamer_log_format
    streamer_price_shard_hour streamer_price_put_units streamer_price_stream_hour streamer_price_gb_in streamer_max_cost
    streamer_tui
}

impl Vars {
    /// Takes our variables from an environment; adds what is wrong to `problems`.
    ///
    /// Names count in upper case only, as everywhere on Unix; `streamer_…` is a mistake, whatever its
    /// case. Where a name stands twice, the first
    /// counts, as with `getenv`.
    /// What a Kubernetes Service of such a name puts there is no mistake, but a notice.
    pub(super) fn read<K, V>(
        environment: impl Iterator<Item = (K, V)>,
        problems: &mut Vec<Problem>,
        notices: &mut Vec<String>,
    ) -> Self
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        // A name of ours is ASCII; one that is not Unicode still shows whether it looks like ours.
        let named =
            environment.map(|(name, value)| (name.into().to_string_lossy().into_owned(), value.into()));
        let ours = |name: &str| name.get(..PREFIX.len()).is_some_and(|it| it.eq_ignore_ascii_case(PREFIX));
        let is_setting = |name: &str| SETTINGS.iter().any(|setting| setting.names().any(|one| one == name));
        // Of all others, the secrets among them, not even the name is kept.
        let kept: Vec<(String, OsString)> =
            named.filter(|(name, _)| ours(name) || is_setting(name)).collect();
        let links = ServiceLinks::find(
            kept.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str()?))),
        );
        let (mut known, mut linked) = (BTreeMap::new(), BTreeMap::<String, usize>::new());
        for (name, value) in kept {
            let setting = SETTINGS.iter().find(|setting| setting.names().any(|ours| ours == name));
            let Some(setting) = setting else {
                match links.service_of(&name) {
                    Some(service) => *linked.entry(service.to_owned()).or_default() += 1,
                    None => problems.push(Problem::UnknownVariable {
                        nearest: nearest(&name),
                        name: Shown::plain(&name),
                    }),
                }
                continue;
            };
            match value.into_string() {
                Ok(value) => {
                    known.entry(name).or_insert(value);
                }
                Err(value) => problems.push(Problem::NotUnicode {
                    setting: Some(setting.name),
                    origin: name,
                    value: Shown::value(&value.to_string_lossy(), setting.secret),
                }),
            }
        }
        notices.extend(linked.into_iter().map(|(service, count)| {
            format!(
                "{service}_SERVICE_HOST, {service}_PORT and so on ({count} variables) are those of a Kubernetes Service, and \
                 are ignored; `enableServiceLinks: false` in the pod's specification keeps them out"
            )
        }));
        envy::from_iter(known).unwrap_or_else(|error| {
            problems.push(Problem::Environment(error.to_string()));
            Self::default()
        })
    }
}
