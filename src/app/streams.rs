//! The subcommand `stream`: makes a stream and waits until it takes records, takes one away, or describes it.
//!
//! Decides what may be taken away, and when a stream that exists is the one that was asked for. Calls that are under
//! way when a signal comes are left to the endpoint.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::config::{StreamAction, StreamOptions};
use crate::exit::Exit;
use crate::expose::{StreamTable, stream_json, stream_text};
use crate::kinesis::{
    Access, Cause, Client, Created, Fault, Mode, NewStream, NotReady, Permit, Refusal, Status, StreamDetails,
    StreamRef, Tags,
};

/// The tag of what this program made.
const MARK: (&str, &str) = ("created-by", "kinesis-streamer");

/// How often a stream that changes is asked again. DescribeStreamSummary is allowed 20 times a second in an account.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// How long a stream may be unknown after it was made: not every part of the endpoint knows it at once.
const UNKNOWN_AT_FIRST: Duration = Duration::from_secs(10);

/// Why a stream could not be made, taken away or described.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The endpoint, or the stream.
    #[error(transparent)]
    NotReady(NotReady),
    /// A permission is lacking.
    #[error("permission denied for {stream}: the identity needs {actions} on the stream ({fault})")]
    Denied {
        /// The stream.
        stream: String,
        /// What `stream` calls for this.
        actions: &'static str,
        /// What the endpoint said.
        fault: Fault,
    },
    /// A guard refuses it.
    #[error(
        "STREAMER_ALLOWED_STREAMS: {stream} is not allowed by {allowed:?}: nothing was changed; name another stream, or \
         add a pattern for this one{hint}"
    )]
    Guarded {
        /// Its name or ARN.
        stream: String,
        /// The patterns.
        allowed: String,
        /// What else would help.
        hint: &'static str,
    },
    /// It was made by somebody else.
    #[error(
        "stream {stream} has no tag {}={}, so this program did not make it: it is left as it is; --force deletes it all the \
         same", MARK.0, MARK.1
    )]
    NotOurs {
        /// The stream.
        stream: String,
    },
    /// There is another one of that name.
    #[error("stream {stream} exists already and is not as asked: {differences}; it is left as it is")]
    Another {
        /// The stream.
        stream: String,
        /// What is different.
        differences: String,
    },
    /// It is still there.
    #[error(
        "stream {stream} is still {status} after {waited:?}: it will be gone by itself, or raise STREAMER_ACTIVE_TIMEOUT"
    )]
    StillThere {
        /// The stream.
        stream: String,
        /// Its status.
        status: String,
        /// How long we waited.
        waited: Duration,
    },
}

impl StreamError {
    /// How the process ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::NotReady(error) => error.exit(),
            Self::Denied { .. } => Exit::Denied,
            Self::Guarded { .. } | Self::NotOurs { .. } => Exit::Guarded,
            Self::Another { .. } => Exit::Exists,
            Self::StillThere { .. } => Exit::NotActive,
        }
    }
}

/// One invocation of `stream`.
struct Work<'a> {
    options: &'a StreamOptions,
    client: Client,
    actions: &'static str,
}

/// Does what `options` say, and tells it as text for standard output.
///
/// # Errors
/// Why it was not done.
pub async fn stream(options: &StreamOptions) -> Result<String, StreamError> {
    let access = Access::Default { region: options.stream.arn().map(|arn| arn.region().to_owned()) };
    let actions = match &options.action {
        StreamAction::Create(_) => {
            "kinesis:CreateStream, kinesis:AddTagsToStream, kinesis:DescribeStreamSummary, kinesis:ListShards, \
             kinesis:ListTagsForStream and, with --retention, kinesis:IncreaseStreamRetentionPeriod"
        }
        StreamAction::Delete { .. } => {
            "kinesis:DeleteStream, kinesis:DescribeStreamSummary and kinesis:ListTagsForStream"
        }
        StreamAction::Describe => "kinesis:DescribeStreamSummary and kinesis:ListShards",
    };
    if let StreamAction::Create(_) = &options.action {
        // Before anything is asked: a stream that is not there has no ARN yet.
        guard(options, None)?;
    }
    let client = Client::connect(&access, options.request_timeout).await;
    if client.region_is_fallback() {
        tracing::warn!("no region is set: using {} (set AWS_REGION to choose another)", client.region());
    }
    let work = Work { options, client, actions };
    match &options.action {
        StreamAction::Create(new) => work.create(new).await,
        StreamAction::Delete { force } => work.delete(*force).await,
        StreamAction::Describe => work.described().await,
    }
}

/// Whether the stream may be changed; `arn` is what its endpoint says.
fn guard(options: &StreamOptions, arn: Option<&str>) -> Result<(), StreamError> {
    let Some(allowed) = &options.allowed else { return Ok(()) };
    let named = options.stream.arn().map(|arn| arn.as_str());
    let permit = allowed.permit(options.stream.name().as_str(), arn.or(named));
    let hint = match permit {
        Permit::Allowed => return Ok(()),
        Permit::NeedsArn => " (a pattern with a colon is compared with the ARN: name the stream by it)",
        Permit::Refused => "",
    };
    let stream = arn.map_or_else(|| options.stream.to_string(), str::to_owned);
    Err(StreamError::Guarded { stream, allowed: allowed.to_string(), hint })
}

impl Work<'_> {
    fn stream(&self) -> &StreamRef {
        &self.options.stream
    }

    fn failed(&self, fault: Fault) -> StreamError {
        match fault.cause {
            Cause::Refused(Refusal::Denied) => {
                StreamError::Denied { stream: self.stream().to_string(), actions: self.actions, fault }
            }
            _ => StreamError::NotReady(NotReady::of(fault, self.stream(), self.client.region())),
        }
    }

    async fn details(&self) -> Result<StreamDetails, StreamError> {
        self.client.details(self.stream()).await.map_err(|fault| self.failed(fault))
    }

    async fn create(&self, new: &NewStream) -> Result<String, StreamError> {
        let mut new = new.clone();
        new.tags.insert(MARK.0.to_owned(), MARK.1.to_owned());
        let stream = self.stream();
        let made = self.client.create(stream.name(), &new).await.map_err(|fault| self.failed(fault))?;
        let begun = Instant::now();
        match made {
            Created::New => tracing::info!("stream {stream} is being made: {}", shape(new.shards)),
            Created::Exists => {
                tracing::info!("stream {stream} exists already: comparing it with what is asked")
            }
        }
        let unknown = loop {
            match self.client.ready(stream, self.options.active_timeout).await {
                Err(NotReady::NoStream { .. })
                    if made == Created::New && begun.elapsed() < UNKNOWN_AT_FIRST =>
                {
                    sleep(ASK_AGAIN).await;
                }
                ready => break ready.err(),
            }
        };
        if let Some(error) = unknown {
            return Err(match error {
                NotReady::Denied { fault, .. } => self.failed(fault),
                other => StreamError::NotReady(other),
            });
        }
        let details = self.details().await?;
        let tags = self.client.tags(stream).await.map_err(|fault| self.failed(fault))?;
        let ours = made == Created::New || tags.get(MARK.0).is_some_and(|value| value == MARK.1);
        let lacking: Tags =
            new.tags.iter().filter(|(key, value)| tags.get(*key) != Some(*value)).map(owned).collect();
        let differences = differences(&new, &details, ours, &lacking);
        if !differences.is_empty() {
            let differences = differences.join(", ");
            return Err(StreamError::Another { stream: stream.to_string(), differences });
        }
        // An endpoint may ignore tags when it makes a stream, and nothing but these calls sets the retention.
        if !lacking.is_empty() && ours {
            self.client.add_tags(stream, &lacking).await.map_err(|fault| self.failed(fault))?;
        }
        if let Some(hours) = new.retention_hours.filter(|&hours| hours > details.retention_hours) {
            self.client.raise_retention(stream, hours).await.map_err(|fault| self.failed(fault))?;
            self.client.ready(stream, self.options.active_timeout).await.map_err(StreamError::NotReady)?;
        }
        if made == Created::Exists {
            tracing::info!("stream {stream} is as asked");
        }
        self.described().await
    }

    async fn delete(&self, force: bool) -> Result<String, StreamError> {
        let details = self.details().await?;
        guard(self.options, Some(&details.facts.arn))?;
        let stream = self.stream();
        if details.status != "DELETING" {
            let tags = match self.client.tags(stream).await {
                Ok(tags) => tags,
                // With --force nothing depends on them.
                Err(_) if force => Tags::new(),
                Err(fault) => return Err(self.failed(fault)),
            };
            if !force && tags.get(MARK.0).is_none_or(|value| value != MARK.1) {
                return Err(StreamError::NotOurs { stream: stream.to_string() });
            }
            self.client.delete(stream).await.map_err(|fault| self.failed(fault))?;
        }
        let begun = Instant::now();
        tracing::info!("stream {stream} is being deleted");
        loop {
            let status = match self.client.details(stream).await {
                Ok(details) => details.status,
                Err(Fault { cause: Cause::Refused(Refusal::NotFound), .. }) => {
                    tracing::info!("stream {stream} is gone");
                    return Ok(String::new());
                }
                Err(fault) => return Err(self.failed(fault)),
            };
            let (waited, limit) = (begun.elapsed(), self.options.active_timeout);
            if waited >= limit {
                return Err(StreamError::StillThere { stream: stream.to_string(), status, waited: limit });
            }
            sleep(ASK_AGAIN.min(limit - waited)).await;
        }
    }

    async fn described(&self) -> Result<String, StreamError> {
        let details = self.details().await?;
        let shards = match details.facts.status {
            // What is not there yet has no shards to tell of.
            Status::Creating => Vec::new(),
            _ => {
                let map = self.client.open_shards(self.stream()).await.map_err(|fault| self.failed(fault))?;
                map.shards().to_vec()
            }
        };
        // A producer's identity may not ask for them: then the rest is told.
        let tags = self.client.tags(self.stream()).await.ok();
        let table = StreamTable {
            name: self.stream().name().to_string(),
            region: self.client.region().to_owned(),
            details,
            shards,
            tags,
        };
        Ok(if self.options.json { stream_json(&table) + "\n" } else { stream_text(&table) })
    }
}

fn owned((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

fn shape(shards: Option<u32>) -> String {
    match shards {
        None => "on-demand".to_owned(),
        Some(1) => "1 shard".to_owned(),
        Some(shards) => format!("{shards} shards"),
    }
}

/// What an existing stream has otherwise than asked, and is not ours to change: mode and shards in any case; tags and a
/// longer retention only where the stream was not made by us.
fn differences(new: &NewStream, found: &StreamDetails, ours: bool, lacking: &Tags) -> Vec<String> {
    let mut all = Vec::new();
    let mode = if new.shards.is_some() { Mode::Provisioned } else { Mode::OnDemand };
    // An endpoint that tells no mode has provisioned streams alone.
    let found_mode = if found.facts.mode == Mode::Untold { Mode::Provisioned } else { found.facts.mode };
    if found_mode != mode {
        all.push(format!("it is {found_mode}, not {mode}"));
    } else if new.shards.is_some_and(|shards| shards != found.facts.open_shards) {
        all.push(format!("it has {}, not {}", shape(Some(found.facts.open_shards)), shape(new.shards)));
    }
    if let Some(hours) = new.retention_hours
        && (hours < found.retention_hours || !ours && hours != found.retention_hours)
    {
        all.push(format!("it keeps records for {} hours, not {hours}", found.retention_hours));
    }
    // Our own mark is not something that was asked for.
    all.extend(
        lacking
            .iter()
            .filter(|(key, _)| !ours && key.as_str() != MARK.0)
            .map(|(key, value)| format!("it has no tag {key}={value}")),
    );
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinesis::StreamFacts;

    fn found(mode: Mode, open_shards: u32, retention_hours: u32) -> StreamDetails {
        let facts = StreamFacts {
            arn: "arn".to_owned(),
            status: Status::Ready,
            mode,
            open_shards,
            record_bytes: None,
        };
        let status = "ACTIVE".to_owned();
        StreamDetails {
            facts,
            status,
            retention_hours,
            consumers: None,
            encryption: None,
            created_millis: None,
        }
    }

    #[test]
    fn a_stream_is_as_asked_or_every_difference_is_named() {
        let tags =
            |texts: &[&str]| texts.iter().map(|text| ((*text).to_owned(), "x".to_owned())).collect::<Tags>();
        let new = |shards, retention_hours| NewStream { shards, retention_hours, tags: Tags::new() };
        for (asked, stream, ours, lacking, told) in [
            (new(Some(2), None), found(Mode::Provisioned, 2, 48), false, tags(&["created-by"]), &[][..]),
            (new(Some(2), None), found(Mode::Untold, 2, 24), false, tags(&[]), &[]),
            (new(None, None), found(Mode::OnDemand, 4, 24), false, tags(&[]), &[]),
            (
                new(None, None),
                found(Mode::Provisioned, 4, 24),
                true,
                tags(&[]),
                &["it is provisioned, not on-demand"],
            ),
            (
                new(Some(1), Some(48)),
                found(Mode::Provisioned, 2, 24),
                true,
                tags(&["a"]),
                &["it has 2 shards, not 1 shard"],
            ),
            (
                new(Some(2), Some(48)),
                found(Mode::Provisioned, 2, 24),
                false,
                tags(&["a"]),
                &["it keeps records for 24 hours, not 48", "it has no tag a=x"],
            ),
            (
                new(Some(2), Some(24)),
                found(Mode::Provisioned, 2, 48),
                true,
                tags(&[]),
                &["it keeps records for 48 hours, not 24"],
            ),
        ] {
            assert_eq!(differences(&asked, &stream, ours, &lacking), told, "{asked:?} {stream:?}");
        }
    }
}
