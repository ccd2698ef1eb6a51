//! Makes an event larger, to the byte: a field of filler at its end, so that JSON stays JSON and a line of a log one.
//!
//! The filler is of letters, digits, `-` and `_` from the seed, six random bits each: no compressor makes it smaller
//! than three quarters.

use super::random::{Stream, hash};

/// Letters of the filler (RFC 4648, section 5): none that JSON or a URL would escape.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Bytes of filler that are kept: longer ones repeat, further back than gzip looks.
const KEPT: usize = 1024 * 1024;

/// What stands before the filler of a JSON object and of a log line.
const FIELD: &[u8] = br#""padding":""#;
const TOKEN: &[u8] = b" padding/";

/// The most bytes that the least padding of an event takes: `,"padding":""`.
pub(super) const LEAST: usize = 1 + FIELD.len() + 1;

/// Pads events.
#[derive(Debug)]
pub(super) struct Padding {
    filler: Box<[u8]>,
    key: u64,
}

impl Padding {
    /// The padding of a producer's events that are at most so large.
    pub(super) fn new(largest: u64, seed: u64, producer: &str) -> Self {
        let key = Stream::new("padding", seed, producer).shared();
        let length = usize::try_from(largest).unwrap_or(KEPT).clamp(1, KEPT);
        let mut filler = Vec::with_capacity(length + 10);
        for index in 0.. {
            if filler.len() >= length {
                break;
            }
            let bits = hash(key, index);
            filler.extend((0..10).map(|at| LETTERS[(bits >> (4 + 6 * at) & 63) as usize]));
        }
        filler.truncate(length);
        Self { filler: filler.into(), key }
    }

    /// Makes the event that begins at `start` exactly `size` bytes long, if it is shorter. An event that is neither a
    /// JSON object nor a log line, or that leaves no room for a field, gets blanks at its end, which JSON allows.
    pub(super) fn pad(&self, job: u32, sequence: u64, size: usize, start: usize, out: &mut Vec<u8>) {
        let length = out.len() - start;
        let Some(mut missing) = size.checked_sub(length).filter(|&missing| missing > 0) else { return };
        out.reserve(missing);
        let event = &out[start..];
        let (comma, before): (&[u8], _) = match event {
            [b'{', b'}'] => (b"", FIELD),
            [b'{', .., b'}'] => (b",", FIELD),
            [b'0'..=b'9', .., b'"'] => (b"", TOKEN),
            _ => (b"", &[][..]),
        };
        // The field's closing quote; a token has the line's own.
        let quote = usize::from(before == FIELD);
        let around = comma.len() + before.len() + quote;
        if before.is_empty() || missing < around {
            out.resize(start + size, b' ');
            return;
        }
        missing -= around;
        let last = out.pop().unwrap_or(b'}');
        out.extend_from_slice(comma);
        out.extend_from_slice(before);
        self.fill(job, sequence, missing, out);
        if quote > 0 {
            out.push(b'"');
        }
        out.push(last);
    }

    /// Appends filler, from another place for each event.
    fn fill(&self, job: u32, sequence: u64, mut missing: usize, out: &mut Vec<u8>) {
        let mut at = (hash(self.key ^ u64::from(job), sequence) % self.filler.len() as u64) as usize;
        while missing > 0 {
            let piece = &self.filler[at..self.filler.len().min(at + missing)];
            out.extend_from_slice(piece);
            missing -= piece.len();
            at = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::super::{EventKind, Generator, Timestamp};
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        // Whatever the kind and the size: a padded event has exactly that size, is what it was but for one more field,
        // and is the same each time.
        #[test]
        fn a_padded_event_has_its_size_and_stays_valid(seed: u64, job: u32, sequence: u64, more in 0_usize..5_000) {
            for kind in EventKind::ALL {
                let (mut event, generator) = (b"before".to_vec(), Generator::new(kind, seed, "p"));
                generator.write(job, sequence, &Timestamp::from_unix_millis(0), &mut event);
                let plain = event[6..].to_vec();
                let (size, padding) = (plain.len() + more, Padding::new(10_000, seed, "p"));
                let mut again = event.clone();
                padding.pad(job, sequence, size, 6, &mut event);
                Padding::new(10_000, seed, "p").pad(job, sequence, size, 6, &mut again);
                prop_assert_eq!(&event, &again);
                prop_assert_eq!(event.len() - 6, size);
                if kind == EventKind::AccessLog {
                    prop_assert!(event[6..].starts_with(&plain[..plain.len() - 1]));
                    continue;
                }
                let mut read: Value = serde_json::from_slice(&event[6..]).expect("valid JSON");
                if more >= LEAST {
                    let field = read.as_object_mut().and_then(|fields| fields.remove("padding"));
                    prop_assert_eq!(field.and_then(|text| Some(text.as_str()?.len())), Some(more - LEAST));
                }
                prop_assert_eq!(read, serde_json::from_slice::<Value>(&plain).expect("valid JSON"));
            }
        }

        // Any JSON stays what it is.
        #[test]
        fn what_is_no_object_gets_blanks(text in r#"\{\}|\[1,2\]|"a"|true|12|\{"a":\{\}\}"#, more in 0_usize..40) {
            let mut event = text.clone().into_bytes();
            Padding::new(100, 1, "p").pad(0, 0, text.len() + more, 0, &mut event);
            prop_assert_eq!(event.len(), text.len() + more);
            prop_assert!(serde_json::from_slice::<Value>(&event).is_ok());
        }
    }

    #[test]
    fn filler_can_hardly_be_compressed() {
        let mut filler = Vec::new();
        Padding::new(2_000_000, 1, "p").fill(0, 0, 1_500_000, &mut filler);
        assert_eq!(filler.len(), 1_500_000);
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut encoder, &filler).expect("memory");
        let packed = encoder.finish().expect("memory").len();
        assert!(packed > filler.len() * 74 / 100, "{packed}");
    }
}
