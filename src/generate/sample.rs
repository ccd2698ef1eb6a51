//! A sample of events for people and pipes: the first events of one job, in order.
//!
//! One job, because only its own events continue one another: a mouse path shows, a session ends.

use std::io::{self, Write};

use super::maker::{Due, Maker};

/// What to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Samples {
    /// The job whose events are written, from its sequence 0 on.
    pub job: u32,
    /// How many events.
    pub count: u64,
    /// The time of the first event, in milliseconds since the Unix epoch.
    pub first_unix_millis: u64,
    /// The time from one event to the next, in milliseconds.
    pub step_millis: u64,
    /// The byte after each event: a line feed, or NUL.
    pub separator: u8,
}

impl Samples {
    /// Writes the events to `out` and flushes it. One that can't be made is left out: [`Maker::failure`] tells. A reader that has gone away ends the sample early and
    /// is no error: `sample 1000000 | head` is a proper use. Give `out` a buffer of its own.
    ///
    /// # Errors
    /// Any other error of `out`.
    pub fn write(&self, maker: &Maker, out: &mut impl Write) -> io::Result<()> {
        match self.write_all(maker, out) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }

    fn write_all(&self, maker: &Maker, out: &mut impl Write) -> io::Result<()> {
        let mut event = Vec::with_capacity(maker.room() + 1);
        let mut opened_millis = 0;
        for place in 0..self.count {
            let millis = self.first_unix_millis.saturating_add(place.saturating_mul(self.step_millis));
            let mut due = Due::new(millis, opened_millis);
            event.clear();
            let composed = maker.compose(self.job, place, &mut due, &mut event);
            maker.finish(self.job, &composed, 0, &mut event);
            opened_millis = due.opened_millis;
            if !composed.made {
                continue;
            }
            event.push(self.separator);
            out.write_all(&event)?;
        }
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::{EventKind, Generator};
    use super::*;

    const SAMPLES: Samples =
        Samples { job: 2, count: 5, first_unix_millis: 1_000, step_millis: 100, separator: b'\n' };

    /// Takes some bytes, then fails.
    struct Closing(usize, io::ErrorKind);

    impl Write for Closing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            if taken == 0 { Err(self.1.into()) } else { Ok(taken) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn each_event_stands_on_its_own_line_in_the_order_of_its_job() {
        for (separator, samples) in [(b'\n', SAMPLES), (0, Samples { separator: 0, ..SAMPLES })] {
            let mut out = Vec::new();
            samples
                .write(&Generator::new(EventKind::Click, 1, "p").into(), &mut out)
                .expect("memory takes all");
            assert_eq!(out.pop(), Some(separator));
            let events: Vec<Value> = out
                .split(|&byte| byte == separator)
                .map(|event| serde_json::from_slice(event).expect("one event"))
                .collect();
            assert_eq!(events.len(), 5);
            for (sequence, event) in events.iter().enumerate() {
                assert_eq!((&event["job"], &event["sequence"]), (&Value::from(2), &Value::from(sequence)));
                assert_eq!(event["time"], format!("1970-01-01T00:00:01.{sequence}00Z"));
            }
        }
    }

    #[test]
    fn a_reader_that_goes_away_is_no_error_and_any_other_is() {
        let maker = Generator::new(EventKind::Message, 1, "p").into();
        let write = |kind| SAMPLES.write(&maker, &mut Closing(100, kind));
        assert!(write(io::ErrorKind::BrokenPipe).is_ok());
        assert_eq!(
            write(io::ErrorKind::StorageFull).map_err(|error| error.kind()),
            Err(io::ErrorKind::StorageFull)
        );
    }
}
