//! Names as AWS means them: stream name, stream ARN, partition key.
//!
//! A value of these types is legal by construction; nothing here talks to AWS.

use std::fmt;
use std::str::FromStr;

use super::limits::MAX_PARTITION_KEY_CHARS;

/// Why a text is not a stream name, a stream ARN or a partition key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is no stream name.
    #[error("a stream name has 1 to 128 of the characters a-z, A-Z, 0-9, '_', '.', '-'")]
    StreamName,
    /// The text is no stream ARN.
    #[error("a stream ARN reads arn:PARTITION:kinesis:REGION:ACCOUNT:stream/NAME")]
    StreamArn,
    /// The text is no partition key.
    #[error("a partition key has 1 to {MAX_PARTITION_KEY_CHARS} Unicode characters")]
    PartitionKey,
}

/// The name of a stream: `[a-zA-Z0-9_.-]{1,128}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamName(String);

impl StreamName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StreamName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        if (1..=128).contains(&text.len()) && text.bytes().all(legal) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::StreamName)
        }
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The ARN of a stream, kept as it was written, with the parts that we need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamArn {
    text: String,
    region: String,
    name: StreamName,
}

impl StreamArn {
    /// The whole ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The region that the stream is in.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The stream's name, the ARN's last part.
    #[must_use]
    pub fn name(&self) -> &StreamName {
        &self.name
    }
}

impl FromStr for StreamArn {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, "kinesis", region, account, resource] = parts[..] else {
            return Err(NameError::StreamArn);
        };
        let name = resource.strip_prefix("stream/").ok_or(NameError::StreamArn)?;
        let plain = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let number = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        if !plain(partition) || !plain(region) || !number {
            return Err(NameError::StreamArn);
        }
        Ok(Self {
            text: text.to_owned(),
            region: region.to_owned(),
            name: name.parse().map_err(|_| NameError::StreamArn)?,
        })
    }
}

/// How the user named the stream. The ARN is preferred where it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamRef {
    /// By name, in the region in force.
    Name(StreamName),
    /// By ARN, which names its own region.
    Arn(StreamArn),
}

impl StreamRef {
    /// The stream's name.
    #[must_use]
    pub fn name(&self) -> &StreamName {
        match self {
            Self::Name(name) => name,
            Self::Arn(arn) => arn.name(),
        }
    }

    /// The ARN, where the user gave one.
    #[must_use]
    pub fn arn(&self) -> Option<&StreamArn> {
        match self {
            Self::Name(_) => None,
            Self::Arn(arn) => Some(arn),
        }
    }
}

impl FromStr for StreamRef {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.starts_with("arn:") { text.parse().map(Self::Arn) } else { text.parse().map(Self::Name) }
    }
}

impl fmt::Display for StreamRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name.as_str()),
            Self::Arn(arn) => f.write_str(arn.as_str()),
        }
    }
}

/// A partition key: 1 to 256 Unicode characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PartitionKey(String);

impl PartitionKey {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PartitionKey {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if (1..=MAX_PARTITION_KEY_CHARS).contains(&text.chars().count()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::PartitionKey)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_name_is_one_to_128_legal_characters() {
        assert!("my-stream_1.x".parse::<StreamName>().is_ok());
        assert!("a".repeat(128).parse::<StreamName>().is_ok());
        for wrong in ["", "a b", "ä", "a/b", &"a".repeat(129)] {
            assert_eq!(wrong.parse::<StreamName>(), Err(NameError::StreamName), "{wrong}");
        }
    }

    #[test]
    fn an_arn_gives_region_and_name() {
        let arn: StreamArn = "arn:aws-cn:kinesis:cn-north-1:123456789012:stream/s.1".parse().expect("legal");
        assert_eq!((arn.region(), arn.name().as_str()), ("cn-north-1", "s.1"));
        for wrong in [
            "arn:aws:kinesis:us-east-1:123456789012:stream/",
            "arn:aws:s3:us-east-1:123456789012:stream/x",
            "arn:aws:kinesis:us-east-1:12345:stream/x",
            "arn:aws:kinesis::123456789012:stream/x",
            "arn:aws:kinesis:us-east-1:123456789012:x",
            "x",
        ] {
            assert_eq!(wrong.parse::<StreamArn>(), Err(NameError::StreamArn), "{wrong}");
        }
    }

    #[test]
    fn a_partition_key_is_counted_in_characters_not_bytes() {
        assert!("é".repeat(256).parse::<PartitionKey>().is_ok());
        assert!("é".repeat(257).parse::<PartitionKey>().is_err());
        assert!("".parse::<PartitionKey>().is_err());
    }
}
