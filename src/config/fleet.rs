//! Which of several instances this one is, what it is called, and when all of them begin.
//!
//! Decides from the settings and from what the machine is called; asks neither the machine nor the other instances.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use super::asked::{Asked, Origin};
use super::model::{Load, Seed};
use super::problem::Shown;
use super::resolve::{is_instance, name_of};
use super::settings as table;
use crate::schedule::Share;

/// The longest way to a start that is told from now on.
const LONGEST: Duration = Duration::from_secs(86_400);

/// What an invocation takes from the process that it runs in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Here {
    /// The seed of a run that is not given one.
    pub fresh_seed: u64,
    /// The host's name; none where it is not known.
    pub host: Option<String>,
}

/// When the schedule begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAt {
    /// At this moment: milliseconds since the Unix epoch.
    Moment(u64),
    /// At the next multiple of so many seconds that is as many or more away: the same for all that are told so within
    /// one such stretch of time.
    After(Duration),
}

impl StartAt {
    /// The moment by the wall clock, which says `now` (both since the Unix epoch).
    #[must_use]
    pub fn moment(self, now: Duration) -> Duration {
        match self {
            Self::Moment(millis) => Duration::from_millis(millis),
            Self::After(stretch) => {
                let every = stretch.as_secs().max(1);
                let soonest = now + stretch;
                let whole = soonest.as_secs() + u64::from(soonest.subsec_nanos() > 0);
                Duration::from_secs(whole.div_ceil(every) * every)
            }
        }
    }
}

impl std::str::FromStr for StartAt {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if let Some(text) = text.strip_prefix('+') {
            let stretch = humantime::parse_duration(text).map_err(drop)?;
            let legal = stretch.subsec_nanos() == 0 && (Duration::from_secs(1)..=LONGEST).contains(&stretch);
            return if legal { Ok(Self::After(stretch)) } else { Err(()) };
        }
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let millis = text.parse::<u64>().ok().and_then(|seconds| seconds.checked_mul(1_000));
            // Ends where RFC 3339 does, with the year 9999: more digits are milliseconds by mistake.
            return millis.filter(|&millis| millis < 253_402_300_800_000).map(Self::Moment).ok_or(());
        }
        let time = humantime::parse_rfc3339(text).map_err(drop)?;
        let since = time.duration_since(UNIX_EPOCH).map_err(drop)?;
        Ok(Self::Moment(since.as_millis() as u64)) // ends with the year 9999
    }
}

impl fmt::Display for StartAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Moment(millis) => {
                humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(*millis)).fmt(f)
            }
            Self::After(stretch) => write!(f, "+{}s", stretch.as_secs()),
        }
    }
}

/// What was said of which instance this one is, each as far as it was.
#[derive(Debug, Clone, Copy)]
struct Told {
    count: Option<u32>,
    /// By hand.
    index: Option<u32>,
    /// By hand, counted from 1.
    slot: Option<u32>,
    /// By the controller of a Job, which says so whether it is asked to or not.
    by_job: bool,
}

/// The instance's share of the load; the inner option is none where it is not one of several.
pub(super) fn share(asked: &mut Asked) -> Option<Option<Share>> {
    let count = asked.optional(&table::INSTANCE_COUNT, Asked::number);
    let slot = asked.optional(&table::INSTANCE_SLOT, Asked::number);
    let origin = asked.value(&table::INSTANCE_INDEX).map(|(origin, _)| origin);
    let by_job = matches!(origin, Some(Origin::Variable(name)) if name != table::INSTANCE_INDEX.name);
    let index = if by_job { Some(None) } else { asked.optional(&table::INSTANCE_INDEX, Asked::number) };
    let told = Told { count: count?, index: index?, slot: slot?, by_job };
    match told.count {
        Some(count) => one_of(asked, count, told).map(Some),
        None => without_count(asked, told),
    }
}

/// Which one of `count` it is: by hand, else by a Job's controller, else by the host's name.
fn one_of(asked: &mut Asked, count: u32, told: Told) -> Option<Share> {
    let ordinal = asked.here.host.as_deref().and_then(ordinal);
    let (index, origin, sure) = match told {
        Told { index: Some(index), slot: Some(slot), .. } if slot != index.saturating_add(1) => {
            let own = slot - 1;
            let why =
                format!("slot {slot} is the instance with the index {own}, not {index}: set one of them");
            asked.together(&[table::INSTANCE_INDEX, table::INSTANCE_SLOT], why);
            return None;
        }
        Told { index: Some(index), .. } => (index, asked.origin(&table::INSTANCE_INDEX), true),
        Told { slot: Some(slot), .. } => (slot - 1, asked.origin(&table::INSTANCE_SLOT), true),
        Told { by_job: true, .. } => {
            (asked.number(&table::INSTANCE_INDEX)?, asked.origin(&table::INSTANCE_INDEX), false)
        }
        _ => match ordinal {
            Some(ordinal) => (ordinal, "the host's name".to_owned(), false),
            None => {
                nobody_says(asked, count);
                return None;
            }
        },
    };
    let share = Share::new(index, count);
    if share.is_none() {
        let last = count - 1;
        let why = format!(
            "the index {index}, from {origin}, is not one of {count} instances, counted from 0 to {last}"
        );
        asked.together(&[table::INSTANCE_COUNT], why);
    } else if !sure {
        asked.notices.push(format!("this is instance {index} of {count} (counted from 0), by {origin}"));
    }
    share
}

fn nobody_says(asked: &mut Asked, count: u32) {
    if asked.puzzled {
        return;
    }
    let host = asked.here.host.as_deref().map_or(String::new(), |host| {
        format!(" (the host's name, {}, does not end in one)", Shown::value(host, false))
    });
    let last = count - 1;
    let why = format!(
        "{count} instances share the load, and nothing says which of them this one is{host}: set \
         STREAMER_INSTANCE_INDEX, from 0 to {last}"
    );
    asked.together(&[table::INSTANCE_COUNT], why);
}

/// An index says nothing without a count.
fn without_count(asked: &mut Asked, told: Told) -> Option<Option<Share>> {
    let which = match told {
        Told { index: Some(_), .. } => table::INSTANCE_INDEX,
        Told { slot: Some(_), .. } => table::INSTANCE_SLOT,
        Told { by_job, .. } => {
            if by_job {
                let origin = asked.origin(&table::INSTANCE_INDEX);
                asked.notices.push(format!(
                    "{origin} is set, but STREAMER_INSTANCE_COUNT is not: this instance gives the whole load"
                ));
            }
            return Some(None);
        }
    };
    if !asked.puzzled {
        let why = "it says which of several instances this one is, so STREAMER_INSTANCE_COUNT must say how many \
                   there are";
        asked.together(&[which], why.to_owned());
    }
    None
}

/// The number at the end of the name of a StatefulSet's pod, such as 3 of `producer-3`.
fn ordinal(host: &str) -> Option<u32> {
    let name = host.split('.').next()?;
    let (set, digits) = name.rsplit_once('-')?;
    let plain = digits == "0" || !digits.starts_with('0');
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
    (plain && !set.is_empty()).then_some(number)
}

/// Whether every instance has something to do.
pub(super) fn check_load(asked: &mut Asked, share: Share, load: &Load) {
    let count = u64::from(share.count());
    let least = load.records_per_tick();
    // Of a load over time each instance has its part whenever there is one.
    let is_even = load.rate.is_none() && load.profile.is_none() && load.replay.is_none();
    if is_even && least < count {
        let why = format!("{count} instances can't share {least} records in a second: some would have none");
        asked.together(&[table::INSTANCE_COUNT, table::JOBS, table::MESSAGES], why);
    }
    if let Some(most) = load.max_records.filter(|&most| most < count) {
        let why = format!("{count} instances can't share {most} records: some would have none");
        asked.together(&[table::INSTANCE_COUNT, table::MAX_RECORDS], why);
    }
}

/// The name of the producer: as given, else from the seed if that was given, so that the same seed gives the same
/// bytes, else the host's name and a random part. It ends in the instance's index, so that no two instances have one.
pub(super) fn producer(
    asked: &mut Asked,
    seed: Option<Seed>,
    share: Option<Option<Share>>,
) -> Option<String> {
    let given = asked.optional(&table::INSTANCE, |asked, setting| {
        asked.read(setting, |text| if is_instance(text) { Ok(text.to_owned()) } else { Err(None) })
    })?;
    let base = match given {
        Some(name) => name,
        None => unnamed(seed?, asked.here.host.as_deref()),
    };
    let Some(share) = share? else { return Some(base) };
    let name = name_in_fleet(&base, share.index());
    if is_instance(&name) {
        return Some(name);
    }
    let why = format!(
        "the name of each instance ends in its index, and {} would have more than {} characters",
        Shown::value(&name, false),
        table::MOST_INSTANCE_CHARS
    );
    asked.together(&[table::INSTANCE, table::INSTANCE_COUNT], why);
    None
}

fn unnamed(seed: Seed, host: Option<&str>) -> String {
    let random = name_of(seed.value);
    let Some(host) = host.filter(|_| !seed.given) else { return random };
    // Room for the random part, and for an index behind it.
    let room = table::MOST_INSTANCE_CHARS - random.len() - "-9999".len();
    let legal = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let host: String = host.chars().filter(legal).take(room).collect();
    match random.strip_prefix('p') {
        Some(random) if !host.is_empty() => host + random,
        _ => random,
    }
}

/// The path with the producer's name in the place that is kept for it, so that all instances may be told one path.
pub(super) fn own_file(path: &Path, producer: &str) -> PathBuf {
    // It was made of a `String`.
    path.to_string_lossy().replace("{instance}", producer).into()
}

/// What an instance is called whose name alone may be the others' as well. Names of two instances differ behind their
/// last dash, whatever stands before.
pub(super) fn name_in_fleet(base: &str, index: u32) -> String {
    let end = format!("-{index}");
    if base.ends_with(&end) { base.to_owned() } else { base.to_owned() + &end }
}

#[cfg(test)]
#[path = "fleet_tests.rs"]
mod tests;
