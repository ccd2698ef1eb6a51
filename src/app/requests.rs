//! Puts events into requests as a run does, and sends none: for what is told of a load beforehand.

use crate::batch::{Batch, BatchBuilder, Bundler, Envelope, Packer, Pushed, Spent};
use crate::config::Config;
use crate::generate::{Due, Maker};
use crate::key::Keyer;
use crate::kinesis::{Limits, ShardMap};

/// What requests are made with.
#[derive(Clone, Copy)]
pub(super) struct Means<'a> {
    pub(super) config: &'a Config,
    pub(super) limits: Limits,
    pub(super) map: &'a ShardMap,
    pub(super) maker: &'a Maker,
    pub(super) keyer: &'a Keyer,
    pub(super) envelope: &'a Envelope,
}

/// Makes requests, in buffers that are used again.
pub(super) struct Requests<'a> {
    means: Means<'a>,
    event: Vec<u8>,
    key: String,
    packer: Packer,
    bundler: Bundler,
    spent: Spent,
}

impl<'a> Requests<'a> {
    pub(super) fn by(means: Means<'a>) -> Self {
        let (packer, bundler) = (Packer::default(), Bundler::default());
        Self { means, event: Vec::new(), key: String::new(), packer, bundler, spent: Spent::default() }
    }

    /// Gives each request of the records of `job` from `next` on: of all `left` of them, or until `most` were looked at
    /// at the end of a request. How many that were; not all of them need be in one.
    pub(super) fn of(
        &mut self,
        job: u32,
        next: &mut u64,
        (mut left, most): (u32, u64),
        due: &mut Due,
        mut give: impl FnMut(&Batch),
    ) -> u64 {
        let Means { config, limits, map, maker, keyer, envelope } = self.means;
        let (event, key, bundler) = (&mut self.event, &mut self.key, &mut self.bundler);
        let mut looked_at = 0;
        while left > 0 && looked_at < most {
            let mut builder = BatchBuilder::of(config.wire, limits, std::mem::take(&mut self.spent));
            bundler.begin(map);
            while left > 0 {
                let made = maker.compose(job, *next, due, event);
                if made.made {
                    let explicit = keyer.write(job, made.event, event, &made.written, key);
                    maker.finish(job, &made, 0, event);
                    let data = self.packer.pack(config.packing, event);
                    let pushed = explicit.map(|explicit| match config.aggregation {
                        None => builder.push(data, key, explicit),
                        Some(aggregation) => {
                            bundler.push(aggregation, &mut builder, map, data, key, explicit)
                        }
                    });
                    if pushed == Ok(Pushed::Full) {
                        break;
                    }
                }
                (*next, left, looked_at) = (*next + 1, left - 1, looked_at + 1);
            }
            bundler.finish(&mut builder, map);
            self.spent = match builder.seal(envelope) {
                Err(unused) => unused,
                Ok(batch) => {
                    give(&batch);
                    batch.spent()
                }
            };
        }
        looked_at
    }
}
