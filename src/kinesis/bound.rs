//! Bounds the body of every answer: an endpoint that never ends one must not fill the memory.
//!
//! Decides how many bytes of an answer are read; what they mean is decided elsewhere.

use aws_sdk_kinesis::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_kinesis::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_kinesis::error::BoxError;
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited;

/// Most bytes of an answer. The largest that is legal here is a page of ListShards, 10,000 shards of some 300 bytes;
/// PutRecords answers for 500 entries, with 1,024 characters each (API reference).
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Breaks off answers that are longer than any legal one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounded;

impl Intercept for Bounded {
    fn name(&self) -> &'static str {
        "most bytes of an answer"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response_mut().body_mut();
        // Nearly every answer tells its length, and hyper reads no further.
        if body.content_length().is_none_or(|length| length > MOST_BYTES as u64) {
            let whole = std::mem::replace(body, SdkBody::taken());
            *body = SdkBody::from_body_1_x(Limited::new(whole, MOST_BYTES));
        }
        Ok(())
    }
}
