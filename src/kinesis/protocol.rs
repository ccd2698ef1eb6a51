//! PutRecords by the SDK, but with a body that is already written and an answer read into our own form.
//!
//! The SDK keeps what it is good at (credentials, endpoints, signing, TLS, errors); only the hot serialiser
//! and deserialiser are ours, because a Blob, a String and a parsed answer per record cost more than the rest. Everything that is not under way in an
//! [`Exchange`] goes through the SDK's own protocol, error answers included.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_kinesis::config::ConfigBag;
use aws_smithy_json::codec::{JsonCodec, JsonCodecSettings};
use aws_smithy_json::protocol::aws_json_rpc::AwsJsonRpcProtocol;
use aws_smithy_runtime_api::http::{Request, Response};
use aws_smithy_schema::codec::Codec;
use aws_smithy_schema::protocol::{ClientProtocolInner, apply_http_endpoint};
use aws_smithy_schema::serde::{SerdeError, SerializableStruct, ShapeDeserializer};
use aws_smithy_schema::{Schema, ShapeId};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::endpoint::Endpoint;
use bytes::Bytes;

use super::Answer;

tokio::task_local! {
    /// The PutRecords call that the current task makes.
    pub(super) static EXCHANGE: Arc<Exchange>;
}

/// The body of one PutRecords call, and where its answer goes.
pub(super) struct Exchange {
    body: Bytes,
    answer: Mutex<Answer>,
}

impl Exchange {
    pub(super) fn new(body: Bytes, answer: Answer) -> Self {
        Self { body, answer: Mutex::new(answer) }
    }

    /// The answer (and its buffer), after the call.
    pub(super) fn take_answer(&self) -> Answer {
        std::mem::take(&mut self.answer.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The SDK's awsJson1_1 protocol with our own way for PutRecords.
#[derive(Debug)]
pub(super) struct Prepared {
    sdk: AwsJsonRpcProtocol,
    codec: JsonCodec,
}

impl Prepared {
    pub(super) fn new() -> Self {
        Self {
            sdk: AwsJsonRpcProtocol::aws_json_1_1().with_default_namespace("com.amazonaws.kinesis"),
            codec: JsonCodec::new(JsonCodecSettings::default()),
        }
    }
}

impl ClientProtocolInner for Prepared {
    type Request = Request;
    type Response = Response;

    fn protocol_id(&self) -> &ShapeId<'static> {
        self.sdk.protocol_id()
    }

    fn serialize_request(
        &self,
        input: &dyn SerializableStruct,
        input_schema: &Schema<'_>,
        endpoint: &str,
        cfg: &ConfigBag,
    ) -> Result<Request, SerdeError> {
        let Ok(body) = EXCHANGE.try_with(|exchange| exchange.body.clone()) else {
            return self.sdk.serialize_request(input, input_schema, endpoint, cfg);
        };
        let length = body.len();
        let mut request = Request::new(SdkBody::from(body));
        let wrong = |error| SerdeError::custom(format!("can't build a request: {error}"));
        request.set_method("POST").map_err(|error| wrong(error.to_string()))?;
        request.set_uri("/").map_err(|error| wrong(error.to_string()))?;
        let headers = request.headers_mut();
        headers.insert("content-type", "application/x-amz-json-1.1");
        headers.insert("content-length", length.to_string());
        headers.insert("x-amz-target", "Kinesis_20131202.PutRecords");
        Ok(request)
    }

    fn deserialize_response<'a>(
        &self,
        response: &'a Response,
        output_schema: &Schema<'_>,
        cfg: &'a ConfigBag,
    ) -> Result<Box<dyn ShapeDeserializer + 'a>, SerdeError> {
        let read = EXCHANGE.try_with(|exchange| {
            let body = response.body().bytes().unwrap_or_default();
            exchange.answer.lock().unwrap_or_else(PoisonError::into_inner).read(body)
        });
        match read {
            Err(_) => self.sdk.deserialize_response(response, output_schema, cfg),
            Ok(Err(error)) => Err(SerdeError::custom(error.to_string())),
            // The SDK's own output is not looked at: give it the smallest one that it takes.
            Ok(Ok(())) => Ok(Box::new(self.codec.create_deserializer(br#"{"Records":[]}"#))),
        }
    }

    fn parse_error_metadata(
        &self,
        response: &Response,
        cfg: &ConfigBag,
    ) -> Result<aws_smithy_types::error::metadata::Builder, SerdeError> {
        self.sdk.parse_error_metadata(response, cfg)
    }

    fn deserialize_error_response<'a>(
        &self,
        response: &'a Response,
        cfg: &'a ConfigBag,
    ) -> Result<Box<dyn ShapeDeserializer + 'a>, SerdeError> {
        // Not the default, which would take an error's body for an answer to PutRecords.
        self.sdk.deserialize_response(response, &aws_smithy_schema::prelude::DOCUMENT, cfg)
    }

    fn update_endpoint(
        &self,
        request: &mut Request,
        endpoint: &Endpoint,
        cfg: &ConfigBag,
    ) -> Result<(), SerdeError> {
        apply_http_endpoint(request, endpoint, cfg)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_kinesis::operation::put_records::{PutRecords, PutRecordsInput, PutRecordsOutput};
    use aws_sdk_kinesis::primitives::Blob;
    use aws_sdk_kinesis::types::PutRecordsRequestEntry;
    use aws_smithy_runtime_api::http::StatusCode;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::batch::{BatchBuilder, Envelope, Pushed, Spent};
    use crate::kinesis::{EntryResult, HashKey, Limits, ShardId};

    fn record() -> impl Strategy<Value = (Vec<u8>, String, Option<u128>)> {
        (vec(any::<u8>(), 0..300), "\\PC{1,20}|[\\x00-\\x22\\\\\\x7f/]{1,9}", any::<Option<u128>>())
    }

    /// The body that the SDK writes for these records.
    fn by_the_sdk(
        records: &[(Vec<u8>, String, Option<u128>)],
        name: Option<&str>,
        arn: Option<&str>,
    ) -> Vec<u8> {
        let entries = records.iter().map(|(data, key, explicit)| {
            PutRecordsRequestEntry::builder()
                .data(Blob::new(data.clone()))
                .partition_key(key)
                .set_explicit_hash_key(explicit.map(|number| number.to_string()))
                .build()
                .expect("complete")
        });
        let input = PutRecordsInput::builder()
            .set_records(Some(entries.collect()))
            .set_stream_name(name.map(str::to_owned))
            .set_stream_arn(arn.map(str::to_owned))
            .build()
            .expect("complete");
        let request = Prepared::new()
            .serialize_request(&input, PutRecords::INPUT_SCHEMA, "/", &ConfigBag::base())
            .expect("serialised");
        request.body().bytes().expect("in memory").to_vec()
    }

    proptest! {
        // Whatever the records, our body is the SDK's, byte by byte.
        #[test]
        fn our_body_is_the_sdks(records in vec(record(), 1..20), by_arn: bool) {
            let (name, arn) = ("a-stream", "arn:aws:kinesis:us-east-1:123456789012:stream/a-stream");
            let mut builder = BatchBuilder::new(Limits::AWS, Spent::default());
            for (data, key, explicit) in &records {
                prop_assert_eq!(builder.push(data, key, explicit.map(HashKey)), Pushed::Added);
            }
            let batch = builder.seal(&Envelope::new(name, by_arn.then_some(arn))).expect("not empty");
            let sdk = by_the_sdk(&records, (!by_arn).then_some(name), by_arn.then_some(arn));
            prop_assert_eq!(String::from_utf8_lossy(batch.body()), String::from_utf8_lossy(&sdk));
        }

        // Whatever the answer, we read of each entry what the SDK reads.
        #[test]
        fn our_reading_of_answers_is_the_sdks(
            entries in vec((any::<bool>(), 0_u64..1_000, "\\PC{0,30}", any::<bool>()), 0..20),
            spaces in " {0,3}",
        ) {
            let mut members = Vec::new();
            for (stored, shard, text, spare) in &entries {
                let text = serde_json::Value::from(text.as_str());
                let (null, shard) = (if *spare { ",\"ErrorCode\":null" } else { "" }, ShardId(*shard));
                members.push(if *stored {
                    format!("{{{spaces}\"SequenceNumber\":\"49{}\",\"ShardId\":{spaces}\"{shard}\"{null}}}", members.len())
                } else {
                    format!(
                        "{{\"ErrorMessage\":{text},{spaces}\"ErrorCode\":\"ProvisionedThroughputExceededException\"}}"
                    )
                });
            }
            let failed = entries.iter().filter(|entry| !entry.0).count();
            let body = format!("{{\"FailedRecordCount\":{failed},{spaces}\"Records\":[{}]}}", members.join(","));
            let mut ours = Answer::default();
            ours.read(body.as_bytes()).expect("an answer");
            let response = Response::new(StatusCode::try_from(200).expect("a status"), SdkBody::from(body));
            let (protocol, cfg) = (Prepared::new(), ConfigBag::base());
            let mut reader = protocol.deserialize_response(&response, PutRecords::OUTPUT_SCHEMA, &cfg).expect("a reader");
            let sdks = PutRecordsOutput::deserialize(&mut *reader).expect("an answer");
            prop_assert_eq!(ours.failed_record_count, sdks.failed_record_count().map(|count| count as u64));
            prop_assert_eq!(ours.entries.len(), sdks.records().len());
            for (mine, theirs) in ours.entries.iter().zip(sdks.records()) {
                match mine {
                    EntryResult::Stored(shard) => {
                        prop_assert!(theirs.sequence_number().is_some() && theirs.error_code().is_none());
                        let shard = shard.map(|shard| shard.to_string());
                        prop_assert_eq!(shard.as_deref(), theirs.shard_id());
                    }
                    _ => prop_assert!(theirs.error_code().is_some()),
                }
            }
        }
    }
}
