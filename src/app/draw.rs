//! `kinesis-streamer plan`: a run's load over time as a chart, a picture and totals. Sends nothing.

use std::path::Path;
use std::time::Duration;

use super::offered::{self, LoadError, Offered};
use crate::config::Config;
use crate::exit::Exit;
use crate::expose::{Chart, grouped, human_bytes, human_span};
use crate::generate::{Event, Generator};
use crate::schedule::profile::Start;
use crate::schedule::{Measure, Offer, Shaped, wall};

/// Columns of a picture.
const PICTURE: usize = 429;

/// Looks at a column: short peaks are seen as well.
const LOOKS: u64 = 8;

/// What is drawn of a load that does not change and has no end.
const USUAL: Duration = Duration::from_secs(60);

/// What stands before a chart's columns: the axis and its numbers.
const MARGIN: usize = 16;

/// A load: as text, and as a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Drawn {
    text: String,
    svg: String,
}

/// The load of a run by `config` with `event`, which `config.event` names, in `width` columns, `plain` for a file. A
/// picture is written to `svg`.
///
/// # Errors
/// When its profile can't be used.
pub fn draw(
    config: &Config,
    event: &Event,
    svg: Option<&Path>,
    width: usize,
    plain: bool,
) -> Result<(String, Exit), LoadError> {
    let Drawn { mut text, svg: picture } = drawn(config, event, width, plain)?;
    if let Some(path) = svg
        && let Err(error) = std::fs::write(path, picture)
    {
        text.push_str(&format!("\n{}: can't be written: {error}\n", path.display()));
        return Ok((text, Exit::System));
    }
    Ok((text, Exit::Sent))
}

fn drawn(config: &Config, event: &Event, width: usize, plain: bool) -> Result<Drawn, LoadError> {
    if config.load.replay.is_some() {
        return Err(LoadError::Trace);
    }
    let offered = Offered::read(config, event)?;
    let event_bytes = Generator::of(event, config.seed.value, &config.producer).typical_event() as f64;
    let start = begin(config, &offered);
    let drawing = Drawing { config, offered: &offered, start, event_bytes };
    let columns = width.saturating_sub(MARGIN).clamp(20, 400);
    let mut text = drawing.chart(columns).text(plain);
    for notice in &offered.notices {
        text.push_str(&format!("\nnotice: {notice}\n"));
    }
    Ok(Drawn { text, svg: drawing.chart(PICTURE).svg() })
}

/// Where the drawing begins: with a run that begins now; a week that is drawn as a whole, with its Sunday.
fn begin(config: &Config, offered: &Offered) -> Start {
    const SUNDAY: u64 = 3 * 86_400_000;
    match &offered.offer {
        Offer::Shaped(shaped) if shaped.profile().is_weekly() && offered.duration.is_none() => {
            let sunday = Start { wall_millis: SUNDAY, seed: config.seed.value };
            let local = shaped.profile().local(&sunday, 0).wall_millis;
            Start { wall_millis: (2 * SUNDAY).saturating_sub(local), ..sunday }
        }
        _ => offered::start(config, wall()),
    }
}

struct Drawing<'a> {
    config: &'a Config,
    offered: &'a Offered,
    start: Start,
    event_bytes: f64,
}

impl Drawing<'_> {
    fn length(&self) -> Duration {
        let telling = match &self.offered.offer {
            Offer::Shaped(shaped) if self.config.load.profile.is_some() => {
                Duration::from_millis(shaped.profile().telling())
            }
            _ => USUAL,
        };
        self.offered.duration.unwrap_or(telling)
    }

    fn chart(&self, columns: usize) -> Chart {
        let (rates, unit) = self.rates(columns);
        let load = &self.config.load;
        let title = match (&self.offered.offer, &load.profile) {
            (Offer::Shaped(shaped), Some(choice)) if shaped.profile().name.is_empty() => choice.text.clone(),
            (Offer::Shaped(shaped), _) => shaped.profile().name.clone(),
            (Offer::Tick { messages }, _) => format!("{} jobs × {messages} messages", load.jobs),
        };
        let phases = match &self.offered.offer {
            Offer::Shaped(shaped) => shaped.profile().phases().iter(),
            Offer::Tick { .. } => [].iter(),
        };
        let phases = phases
            .filter(|phase| !phase.name.is_empty())
            .map(|phase| (Duration::from_millis(phase.start()), phase.name.clone()))
            .filter(|(begin, _)| *begin < self.length())
            .collect();
        Chart { title, unit: unit.to_owned(), length: self.length(), rates, phases, totals: self.totals() }
    }

    /// The highest rate of each column, and its unit.
    fn rates(&self, columns: usize) -> (Vec<f64>, &'static str) {
        let shaped = match &self.offered.offer {
            Offer::Tick { .. } => return (vec![self.offered.peak as f64; columns], "records/s"),
            Offer::Shaped(shaped) => shaped,
        };
        let looks = columns as u64 * LOOKS;
        let length = self.length().as_millis() as u64;
        let moment = |look: u64| length * look / looks;
        let rates: Vec<f64> = (0..looks)
            .map(|look| {
                shaped.rate_between(&self.start, moment(look), moment(look + 1).max(moment(look) + 1))
            })
            .collect();
        let rates = rates.chunks(LOOKS as usize).map(|looks| looks.iter().copied().fold(0.0, f64::max));
        let (scale, unit) = match shaped.measure() {
            Measure::Records => (1.0, "records/s"),
            Measure::Bytes if shaped.peak() >= 1_000_000 => (1e6, "MB/s"),
            Measure::Bytes => (1e3, "KB/s"),
        };
        (rates.map(|rate| rate / scale).collect(), unit)
    }

    fn totals(&self) -> Vec<(String, String)> {
        let mut totals = Vec::new();
        let mut row = |name: &str, value: String| totals.push((name.to_owned(), value));
        let (length, seconds) = (self.length(), self.length().as_secs_f64().max(1e-3));
        let every_second = self.config.load.cron.as_str() == "* * * * * *";
        let (records, bytes, about) = match &self.offered.offer {
            Offer::Tick { .. } => {
                let records = self.offered.peak as f64 * seconds.ceil();
                (records, records * self.event_bytes, "")
            }
            Offer::Shaped(shaped) => self.amounts(shaped, length),
        };
        let most = self.config.load.max_records.map_or(f64::INFINITY, |most| most as f64);
        let records_told = grouped(records.min(most).round() as u64);
        if every_second {
            row("records", format!("{about}{records_told} in {}", human_span(length)));
            row("mean", format!("{about}{}/s", grouped((records.min(most) / seconds).round() as u64)));
        }
        row("peak", format!("{about}{}/s", grouped(self.offered.peak)));
        if every_second {
            row(
                "bytes",
                format!("about {}, {}/s on average", human_bytes(bytes), human_bytes(bytes / seconds)),
            );
        } else {
            let cron = self.config.load.cron.as_str();
            row("schedule", format!("cron \"{cron}\": only the seconds that it matches have this load"));
        }
        totals
    }

    /// Records and bytes of the whole length, and whether the records are an estimate.
    fn amounts(&self, shaped: &Shaped, length: Duration) -> (f64, f64, &'static str) {
        let amount = shaped.total(&self.start, length.as_millis() as u64) as f64;
        match shaped.measure() {
            Measure::Records => (amount, amount * self.event_bytes, ""),
            Measure::Bytes => (amount / self.event_bytes.max(1.0), amount, "about "),
        }
    }
}

#[cfg(test)]
#[path = "draw_tests.rs"]
mod tests;
