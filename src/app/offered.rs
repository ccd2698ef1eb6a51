//! What a run offers: reads the profile that the settings name and puts it together with rate, jobs and messages.
//!
//! What a profile means is decided in `schedule`; here its file is read, and the run's figures follow from it.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Config, Load};
use crate::exit::Exit;
use crate::generate::{Event, Generator};
use crate::schedule::profile::{
    Inline, Profile, ProfileError, Start, Week, Zone, is_periods, periods, profile_file,
};
use crate::schedule::{MICRO, MOST_RECORDS, Measure, Offer, Quantity, Rate, Shaped, Unit};

/// The most that is read of a profile's file, in bytes.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Why there is no load.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file can't be read.
    #[error("STREAMER_PROFILE: {path} can't be read: {source}")]
    Unreadable {
        /// Where it should be.
        path: String,
        /// The system's word.
        source: io::Error,
    },
    /// The file is wrong.
    #[error("STREAMER_PROFILE: the profile in {path} can't be used:\n  {source}")]
    Wrong {
        /// Where it is.
        path: String,
        /// What is wrong.
        source: ProfileError,
    },
    /// `weekly:FILE` with another profile in the file.
    #[error("STREAMER_PROFILE: {0} is no week: name it without weekly: before it")]
    NoWeek(String),
    /// `plan` with a trace.
    #[error("STREAMER_REPLAY: plan draws no trace; --dry-run tells what its first lines hold")]
    Trace,
    /// More than a run may offer.
    #[error(
        "{origin}: up to {records} records in a second (of about {event_bytes:.0} bytes each) are more than {MOST_RECORDS}: \
         lower the load"
    )]
    TooMuch {
        /// The setting.
        origin: &'static str,
        /// Records of the highest second.
        records: u64,
        /// The typical size of an event.
        event_bytes: f64,
    },
}

impl LoadError {
    /// How the process ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// What a run offers, and its figures.
#[derive(Debug, Clone)]
pub(super) struct Offered {
    /// The load over time.
    pub offer: Offer,
    /// The most records of any second, as the run has an end.
    pub peak: u64,
    /// How long the run goes on: as it was told, else as long as its profile.
    pub duration: Option<Duration>,
    /// What the user should know although nothing is wrong.
    pub notices: Vec<String>,
}

impl Offered {
    /// Reads what `config` names; `event` is what its records are made of.
    pub(super) fn read(config: &Config, event: &Event) -> Result<Self, LoadError> {
        let load = &config.load;
        let base = load.rate.unwrap_or(Rate {
            quantity: Quantity { micro: load.records_per_tick() * MICRO, unit: Unit::Records },
            per_seconds: 1,
        });
        let mut notices = Vec::new();
        let offer = match profile(load)? {
            Some(profile) => {
                if profile.unit() != Unit::Factor && load.rate.is_some() {
                    notices.push(
                        "STREAMER_RATE has no effect, because the numbers of STREAMER_PROFILE are no factors"
                            .to_owned(),
                    );
                }
                Offer::Shaped(Shaped::new(Arc::new(profile), base))
            }
            None => match load.rate {
                Some(rate) => Offer::Shaped(Shaped::steady(rate)),
                None => Offer::Tick { messages: load.messages },
            },
        };
        let event_bytes = match &offer {
            Offer::Shaped(shaped) if shaped.measure() == Measure::Bytes => {
                Generator::of(event, config.seed.value, &config.producer).typical_event() as f64
            }
            _ => 1.0,
        };
        let records = offer.peak_records(load.jobs, event_bytes);
        if records > MOST_RECORDS {
            let origin = if load.profile.is_some() { "STREAMER_PROFILE" } else { "STREAMER_RATE" };
            return Err(LoadError::TooMuch { origin, records, event_bytes });
        }
        let peak = records.min(load.max_records.unwrap_or(u64::MAX));
        let duration = load.duration.or(offer.end().map(Duration::from_millis));
        Ok(Self { offer, peak, duration, notices })
    }
}

fn profile(load: &Load) -> Result<Option<Profile>, LoadError> {
    let Some(choice) = &load.profile else { return Ok(None) };
    let path = match &choice.what {
        Inline::Profile(profile) => return Ok(Some(profile.clone())),
        Inline::File(path) | Inline::Weekly(path) => path.clone(),
    };
    let text = match read(&path) {
        Ok(text) => text,
        Err(source) => return Err(LoadError::Unreadable { path, source }),
    };
    let read = if is_periods(&text) {
        let week = periods(&text).map(|(mean, deviation)| Week::new(&mean, &deviation, Zone::UTC, true));
        week.map(|week| Profile::weekly(&choice.text, Unit::Records, week)).map_err(ProfileError)
    } else {
        profile_file(&text)
    };
    match read {
        Ok(profile) if matches!(choice.what, Inline::Weekly(_)) && !profile.is_weekly() => {
            Err(LoadError::NoWeek(path))
        }
        Ok(profile) => Ok(Some(profile)),
        Err(source) => Err(LoadError::Wrong { path, source }),
    }
}

fn read(path: &str) -> io::Result<String> {
    let mut text = String::new();
    let bytes = File::open(path)?.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if bytes as u64 > MOST_BYTES {
        return Err(io::Error::other(format!("it has more than {MOST_BYTES} bytes")));
    }
    Ok(text)
}

/// A moment from which a load is looked at: the run's first second, were it to begin at `wall`.
pub(super) fn start(config: &Config, wall: Duration) -> Start {
    let first = config.load.cron.next_after(wall.as_secs());
    Start { wall_millis: first.saturating_mul(1_000), seed: config.seed.value }
}
