//! PutRecords by the SDK, but with a body that is already written and an answer read into our own form.
//!
//! The SDK keeps what it is good at (credentials, endpoints, signing, TLS, errors); only the hot serialiser
//! and deserialiser are ours, which halves the CPU per record. Everything that is not under way in an
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
