//! Making, describing and taking away a stream: the calls that change one, and what an existing one is.
//!
//! Decides nothing about which stream may be changed, nor waits for what the endpoint does after its answer.

use std::collections::BTreeMap;

use aws_sdk_kinesis::config::http::HttpResponse;
use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kinesis::types::{StreamMode, StreamModeDetails};

use super::client::{facts, malformed};
use super::fault::Fault;
use super::{Client, StreamFacts, StreamName, StreamRef};

/// Tags by key, as AWS has them: keys of 1 to 128 characters, values of up to 256.
pub type Tags = BTreeMap<String, String>;

/// Most tags of one stream (CreateStream API reference).
pub const MOST_TAGS: usize = 50;

/// Most shards that CreateStream takes (UpdateShardCount API reference; accounts have lower quotas).
pub const MOST_SHARDS: u64 = 10_000;

/// A stream that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStream {
    /// Its shards; none: on-demand.
    pub shards: Option<u32>,
    /// How long it keeps records, 24 to 8,760 hours; none: the endpoint's default (24).
    pub retention_hours: Option<u32>,
    /// Its tags.
    pub tags: Tags,
}

/// What came of CreateStream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// It will be there.
    New,
    /// There is one of that name.
    Exists,
}

/// A stream as the endpoint describes it, beyond what a run needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamDetails {
    /// What a run needs.
    pub facts: StreamFacts,
    /// Its status, in AWS's word.
    pub status: String,
    /// How long it keeps records.
    pub retention_hours: u32,
    /// How many consumers with enhanced fan-out are registered, where the endpoint tells it.
    pub consumers: Option<u32>,
    /// How it is encrypted, in AWS's word, where the endpoint tells it.
    pub encryption: Option<String>,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_millis: Option<u64>,
}

/// The stream as the two members by which calls name it.
pub(super) fn names(stream: &StreamRef) -> (Option<String>, Option<String>) {
    match stream {
        StreamRef::Name(name) => (Some(name.to_string()), None),
        StreamRef::Arn(arn) => (None, Some(arn.as_str().to_owned())),
    }
}

/// Whether an error says that there is such a stream, or that it is busy.
fn in_use<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    error.code() == Some("ResourceInUseException")
}

impl Client {
    /// CreateStream, with the tags in the same call, so that a stream of ours is never without its mark.
    ///
    /// # Errors
    /// The call's fault. That there is such a stream is none.
    pub async fn create(&self, name: &StreamName, new: &NewStream) -> Result<Created, Fault> {
        let mode = if new.shards.is_some() { StreamMode::Provisioned } else { StreamMode::OnDemand };
        let mode = StreamModeDetails::builder()
            .stream_mode(mode)
            .build()
            .map_err(|_| malformed("a stream's mode can't be built"))?;
        let call = self
            .control
            .create_stream()
            .stream_name(name.as_str())
            .set_shard_count(new.shards.and_then(|shards| i32::try_from(shards).ok()))
            .stream_mode_details(mode)
            .set_tags((!new.tags.is_empty()).then(|| new.tags.clone().into_iter().collect()));
        match call.send().await {
            Ok(_) => Ok(Created::New),
            // The SDK tries again after a silence: then it may be ours as well. Who asks compares.
            Err(error) if in_use(&error) => Ok(Created::Exists),
            Err(error) => Err(error.into()),
        }
    }

    /// DeleteStream. The stream goes on being there for a while, DELETING.
    ///
    /// # Errors
    /// The call's fault, also when consumers are registered.
    pub async fn delete(&self, stream: &StreamRef) -> Result<(), Fault> {
        let (name, arn) = names(stream);
        self.control.delete_stream().set_stream_name(name).set_stream_arn(arn).send().await?;
        Ok(())
    }

    /// DescribeStreamSummary, with all that it tells.
    ///
    /// # Errors
    /// The call's fault.
    pub async fn details(&self, stream: &StreamRef) -> Result<StreamDetails, Fault> {
        let summary = self.summary(stream).await?;
        let created = summary.stream_creation_timestamp().to_millis().ok();
        Ok(StreamDetails {
            facts: facts(&summary),
            status: summary.stream_status().as_str().to_owned(),
            retention_hours: u32::try_from(summary.retention_period_hours()).unwrap_or(0),
            consumers: summary.consumer_count().and_then(|count| u32::try_from(count).ok()),
            encryption: summary.encryption_type().map(|one| one.as_str().to_owned()),
            created_millis: created
                .and_then(|millis| u64::try_from(millis).ok())
                .filter(|&millis| millis > 0),
        })
    }

    /// Its tags, by ListTagsForStream.
    ///
    /// # Errors
    /// The call's fault.
    pub async fn tags(&self, stream: &StreamRef) -> Result<Tags, Fault> {
        let (mut tags, mut after) = (Tags::new(), None);
        loop {
            let (name, arn) = names(stream);
            let call = self.control.list_tags_for_stream().set_stream_name(name).set_stream_arn(arn);
            let page = call.set_exclusive_start_tag_key(after).send().await?;
            let before = tags.len();
            tags.extend(
                page.tags()
                    .iter()
                    .map(|tag| (tag.key().to_owned(), tag.value().unwrap_or_default().to_owned())),
            );
            after = page.tags().last().map(|tag| tag.key().to_owned());
            // A page that brings nothing new would be asked for again for ever.
            if !page.has_more_tags() || tags.len() == before {
                return Ok(tags);
            }
        }
    }

    /// AddTagsToStream.
    ///
    /// # Errors
    /// The call's fault.
    pub async fn add_tags(&self, stream: &StreamRef, tags: &Tags) -> Result<(), Fault> {
        let (name, arn) = names(stream);
        let call = self.control.add_tags_to_stream().set_stream_name(name).set_stream_arn(arn);
        call.set_tags(Some(tags.clone().into_iter().collect())).send().await?;
        Ok(())
    }

    /// IncreaseStreamRetentionPeriod.
    ///
    /// # Errors
    /// The call's fault, also when the stream keeps records longer already.
    pub async fn raise_retention(&self, stream: &StreamRef, hours: u32) -> Result<(), Fault> {
        let (name, arn) = names(stream);
        let call = self.control.increase_stream_retention_period().set_stream_name(name).set_stream_arn(arn);
        call.retention_period_hours(i32::try_from(hours).unwrap_or(i32::MAX)).send().await?;
        Ok(())
    }
}
