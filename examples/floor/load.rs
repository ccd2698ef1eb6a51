//! The events that all clients send: `click`, with random keys, from the program's own generator.

use kinesis_streamer::batch::{BatchBuilder, Envelope, Pushed, Spent};
use kinesis_streamer::generate::{EventKind, Generator, Timestamp};
use kinesis_streamer::key::{KeyStrategy, Keyer};
use kinesis_streamer::kinesis::{Limits, ShardMap};

/// The stream's name.
pub const STREAM: &str = "null";

/// Makes one record after the other.
pub struct Records {
    generator: Generator,
    keyer: Keyer,
    time: Timestamp,
    sequence: u64,
}

impl Records {
    /// The records of one producer.
    pub fn new() -> Result<Self, String> {
        let (seed, producer) = (1, "p-00000001");
        let keyer = Keyer::new(&KeyStrategy::Random, EventKind::Click, seed, producer, &ShardMap::default());
        Ok(Self {
            generator: Generator::new(EventKind::Click, seed, producer),
            keyer: keyer.map_err(|error| error.to_string())?,
            time: Timestamp::from_unix_millis(super::sink::now().as_millis() as u64),
            sequence: 0,
        })
    }

    /// Writes the next record's event and key into buffers, which are cleared first.
    pub fn next(&mut self, event: &mut Vec<u8>, key: &mut String) -> Result<(), String> {
        event.clear();
        let written = self.generator.write(0, self.sequence, &self.time, event);
        let explicit = self.keyer.write(0, self.sequence, event, &written, key);
        self.sequence += 1;
        explicit.map(drop).map_err(|error| error.to_string())
    }
}

/// The body of a request of this many records, as the program writes it.
pub fn body(records: usize) -> Result<Vec<u8>, String> {
    let mut made = Records::new()?;
    let mut builder = BatchBuilder::new(Limits::AWS, Spent::default());
    let (mut event, mut key) = (Vec::new(), String::new());
    for _ in 0..records {
        made.next(&mut event, &mut key)?;
        if builder.push(&event, &key, None) != Pushed::Added {
            return Err(format!("{records} records are more than a request holds"));
        }
    }
    let batch = builder.seal(&Envelope::new(STREAM, None)).map_err(|_| "no records")?;
    Ok(batch.body().to_vec())
}
