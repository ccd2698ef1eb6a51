//! A distribution of durations in a report: HdrHistogram's own V2 form (compressed, in base64), as its tools read it.
//!
//! Beside it stand figures for people and for `jq`; a reader takes the histogram alone.

use std::collections::BTreeMap;
use std::time::Duration;

use base64_simd::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};
use serde::{Deserialize, Serialize};

use super::document::MOST;
use crate::ledger::Durations;
use crate::ledger::timeline::Sparse;

/// Longest duration that is told apart, in microseconds: an hour, as in the ledger.
const LONGEST: u64 = 3_600_000_000;

/// Most bytes of an encoded histogram that are read: the largest possible has some 30 kB before compression.
const MOST_ENCODED: usize = 1 << 18;

/// Durations in microseconds, to two significant digits, and how often each occurred.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(into = "Written", try_from = "Read")]
pub struct Distribution(Sparse);

/// As it is written; times in seconds.
#[derive(Debug, Serialize)]
struct Written {
    count: u64,
    p50: Option<f64>,
    p90: Option<f64>,
    p99: Option<f64>,
    p999: Option<f64>,
    max: Option<f64>,
    hdr: String,
}

/// As it is read.
#[derive(Debug, Deserialize)]
struct Read {
    hdr: String,
}

impl Distribution {
    /// The distribution itself.
    #[must_use]
    pub fn sparse(&self) -> &Sparse {
        &self.0
    }

    /// Adds the events of `other`: the result is what one over both would be.
    pub fn add(&mut self, other: &Self) {
        self.0.add(&other.0);
    }

    /// One over the events of all of these.
    pub fn of_all<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all: BTreeMap<u32, u64> = BTreeMap::new();
        for &(micros, count) in parts.into_iter().flat_map(|part| part.0.as_slice()) {
            *all.entry(micros).or_default() += count;
        }
        Self(all.into_iter().collect())
    }

    /// The duration that a share of the events did not exceed; none without events.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        self.0.quantile(quantile)
    }

    fn encoded(&self) -> String {
        let mut histogram = Histogram::<u64>::new_with_bounds(1, LONGEST, 2)
            .expect("1 < an hour, and two digits are in range");
        for &(micros, count) in self.0.as_slice() {
            histogram.saturating_record_n(u64::from(micros), count);
        }
        let mut bytes = Vec::new();
        let written = V2DeflateSerializer::new().serialize(&histogram, &mut bytes);
        written.expect("counts are below 2^63, and memory does not refuse to be written to");
        STANDARD.encode_to_string(bytes)
    }
}

impl From<Sparse> for Distribution {
    fn from(sparse: Sparse) -> Self {
        Self(sparse)
    }
}

impl From<&Durations> for Distribution {
    fn from(durations: &Durations) -> Self {
        Self(Sparse::between(&Durations::default(), durations))
    }
}

impl From<Distribution> for Written {
    fn from(distribution: Distribution) -> Self {
        let seconds = |quantile| distribution.quantile(quantile).map(|duration| duration.as_secs_f64());
        Self {
            count: distribution.0.count(),
            p50: seconds(0.5),
            p90: seconds(0.9),
            p99: seconds(0.99),
            p999: seconds(0.999),
            max: seconds(1.0),
            hdr: distribution.encoded(),
        }
    }
}

impl TryFrom<Read> for Distribution {
    type Error = String;

    fn try_from(read: Read) -> Result<Self, String> {
        if read.hdr.len() > MOST_ENCODED {
            return Err("a histogram is larger than one can be".to_owned());
        }
        let bytes = STANDARD
            .decode_to_vec(read.hdr)
            .map_err(|error| format!("a histogram is not base64: {error}"))?;
        let histogram: Histogram<u64> = Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .map_err(|error| format!("a histogram is not HdrHistogram's: {error:?}"))?;
        if histogram.len() > MOST {
            return Err("a histogram has more events than were ever counted".to_owned());
        }
        Ok(Self(Sparse::of(&histogram)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn durations(micros: &[u64]) -> Durations {
        let mut durations = Durations::default();
        micros.iter().for_each(|&micros| durations.record(Duration::from_micros(micros), 1));
        durations
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        // A distribution is read as it was written, and added to another it has the percentiles of all data.
        #[test]
        fn what_is_written_is_read_and_adds_up(
            one in vec(1_u64..4_000_000_000, 0..100),
            other in vec(1_u64..4_000_000, 0..100),
            quantile in 0.0_f64..=1.0,
        ) {
            let read = |micros: &[u64]| -> Distribution {
                let text = serde_json::to_string(&Distribution::from(&durations(micros))).expect("JSON");
                serde_json::from_str(&text).expect("a distribution")
            };
            prop_assert_eq!(&read(&one), &Distribution::from(&durations(&one)));
            let mut both = read(&one);
            both.add(&read(&other));
            let all: Vec<u64> = one.iter().chain(&other).copied().collect();
            for quantile in [quantile, 0.5, 0.99, 1.0] {
                prop_assert_eq!(both.quantile(quantile), durations(&all).quantile(quantile));
            }
        }

        // No text makes the reader panic.
        #[test]
        fn any_text_is_read_or_refused(text in "[A-Za-z0-9+/]{0,80}") {
            let _ = serde_json::from_value::<Distribution>(serde_json::json!({ "hdr": text }));
        }
    }

    #[test]
    fn the_form_is_that_of_the_tools_of_hdrhistogram() {
        let text = serde_json::to_value(Distribution::from(&durations(&[1_000, 2_000]))).expect("JSON");
        // The cookie of V2 with compression in base64: what HdrHistogram's log files hold.
        assert!(text["hdr"].as_str().is_some_and(|hdr| hdr.starts_with("HISTFAAAA")), "{text}");
        let seconds = text["max"].as_f64().expect("a number");
        assert!(text["count"] == 2 && (seconds / 0.002 - 1.0).abs() < 0.01, "{text}");
        for wrong in ["", "!", "AAAA", "HISTFAAAAA"] {
            assert!(
                serde_json::from_value::<Distribution>(serde_json::json!({ "hdr": wrong })).is_err(),
                "{wrong}"
            );
        }
    }
}
