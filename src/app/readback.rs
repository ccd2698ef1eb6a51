//! Reading back beside a run, in the same process: begun before the first record, ended after the last.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::journals::Silent;
use super::start_error::StartError;
use super::verified::Verified;
use crate::config::{AFTER_A_RUN, Config};
use crate::kinesis::{Client, Place, Reader, StreamRef};
use crate::ledger::Witness;
use crate::schedule::wall;
use crate::verify::{
    Audit, Board, Expect, Listener, Made, Mailbox, Order, Others, Producer, ReadPlan, Readback,
};

/// The reading beside a run.
#[derive(Debug)]
pub(super) struct Beside {
    readback: Readback<Reader>,
    mailbox: Arc<Mailbox>,
    producer: String,
    timeout: Duration,
}

impl Beside {
    /// Begins to read `stream` from here on. When this returns, nothing that is written will be passed over.
    /// `recorded`: the records are others', and can't be made again.
    ///
    /// # Errors
    /// Why the stream can't be read.
    pub(super) async fn begin(
        client: &Client,
        stream: &StreamRef,
        config: &Config,
        recorded: bool,
        board: Arc<Board>,
    ) -> Result<Self, StartError> {
        let reading = config.reading;
        let producer = if recorded || config.event.has_template() {
            Producer::anonymous(&config.producer)
        } else {
            let made = Made {
                seed: config.seed.value,
                event: config.event.clone(),
                shaping: config.shaping.clone(),
                jobs: config.load.jobs,
                key: Some(config.key.clone()),
            };
            Producer::new(&config.producer, Some(made))
        };
        let begun_millis = wall().as_millis() as u64;
        let expect = Expect {
            begun: [(Arc::clone(&producer.name), begun_millis)].into(),
            producers: vec![producer],
            others: Others::Foreign,
            foreign_allowed: reading.foreign_allowed,
            ..Expect::default()
        };
        let plan = ReadPlan { place: Place::Newest, begun_millis, poll: reading.poll, idle: reading.idle };
        let (audit, mailbox) = (Audit::new(expect)?, Arc::new(Mailbox::default()));
        let mut readback = Readback::start(client.reader(stream), plan, audit, Arc::clone(&mailbox), board);
        readback.begun().await.map_err(StartError::of_reading)?;
        let timeout = reading.timeout.unwrap_or(AFTER_A_RUN);
        Ok(Self { readback, mailbox, producer: config.producer.clone(), timeout })
    }

    /// Hears what the run claims.
    pub(super) fn witness(&self) -> Arc<dyn Witness> {
        Arc::new(Listener::new(&self.producer, Arc::clone(&self.mailbox)))
    }

    /// Reads to the end: all that the run claims was told. When `abort` comes, nothing is waited for any more.
    pub(super) async fn finish(self, abort: impl Future<Output = ()>) -> Verified {
        tracing::info!("every record is settled: reading the stream to its end");
        let orders = self.readback.orders();
        orders.send_replace(Order::Finish { all_told: true });
        let outcome = self.readback.outcome();
        tokio::pin!(outcome);
        let stop = tokio::select! {
            outcome = &mut outcome => return Verified { outcome, silent: Silent::default() },
            () = tokio::time::sleep(self.timeout) => Order::Stop { timed_out: true },
            () = abort => Order::Stop { timed_out: false },
        };
        orders.send_replace(stop);
        Verified { outcome: outcome.await, silent: Silent::default() }
    }
}
