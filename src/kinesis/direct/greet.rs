//! Whether an endpoint speaks CBOR, asked before the first record: DescribeStreamSummary in CBOR, which stores nothing
//! and needs no permission that a run does not need anyway.
//!
//! Decides what counts as "yes": the stream's summary, in CBOR. What is not one may be an endpoint that takes the body
//! for something else (moto looks for a stream without a name), and must not be given records.

use std::time::Duration;

use serde::de::IgnoredAny;
use tokio::time::timeout;

use super::Direct;
use super::response::Whole;
use crate::cbor;
use crate::kinesis::fault::{Cause, Fault, Refusal, Silence, presentable};
use crate::kinesis::{NotReady, StreamRef};

/// How often it is asked, and how long apart: as often as the SDK asks in its calls of the control plane.
const ATTEMPTS: u32 = 3;
const APART: Duration = Duration::from_secs(1);

/// The answer, as far as it is looked at.
#[derive(serde::Deserialize)]
struct Summary {
    #[serde(rename = "StreamDescriptionSummary")]
    _summary: IgnoredAny,
}

impl Direct {
    /// As [`crate::kinesis::Lane::greet`].
    pub(in crate::kinesis) async fn greet(
        &self,
        stream: &StreamRef,
        region: &str,
        limit: Duration,
    ) -> Result<(), NotReady> {
        let mut attempt = 1;
        loop {
            let fault = match timeout(limit, self.summary(stream)).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(fault)) => fault,
                Err(_) => Fault::new(Cause::Silent(Silence::Timeout), format!("no answer within {limit:?}")),
            };
            let passing = matches!(
                fault.cause,
                Cause::Refused(Refusal::Throttled | Refusal::KmsThrottled) | Cause::Silent(_)
            );
            if !passing || attempt == ATTEMPTS {
                return Err(why(fault, stream, region));
            }
            attempt += 1;
            tokio::time::sleep(APART).await;
        }
    }

    async fn summary(&self, stream: &StreamRef) -> Result<(), Fault> {
        let now = self.now();
        let identity = self.identity.signer(now).await?;
        let signer = identity.for_operation("DescribeStreamSummary", now);
        let (member, value) = match stream {
            StreamRef::Name(name) => ("StreamName", name.as_str()),
            StreamRef::Arn(arn) => ("StreamARN", arn.as_str()),
        };
        let mut body = Vec::new();
        cbor::push_head(&mut body, cbor::Major::Map, 1);
        cbor::push_text(&mut body, member);
        cbor::push_text(&mut body, value);
        let (connection, Whole { head, body }) = self.exchange(&signer, now, &body).await?;
        let said = connection.said(body);
        let result = if head.status == 200 {
            cbor::from_slice::<Summary>(said).map(drop).map_err(|error| {
                let text = format!("what it answered is no summary in CBOR: {error}");
                Fault::new(Cause::Refused(Refusal::Invalid), presentable(&text))
            })
        } else {
            Err(self.refused(&head, said, &identity))
        };
        if head.keep_alive {
            self.pool.give(connection);
        }
        result
    }
}

/// What it means that there was no summary. The stream was described in JSON just before: that it is not there now,
/// or the request is wrong, says that the request was not understood.
fn why(fault: Fault, stream: &StreamRef, region: &str) -> NotReady {
    match fault.cause {
        Cause::Refused(Refusal::NotFound | Refusal::Invalid | Refusal::Other)
        | Cause::Silent(Silence::ServerError | Silence::BadAnswer) => NotReady::NoCbor(fault),
        _ => NotReady::of(fault, stream, region),
    }
}
