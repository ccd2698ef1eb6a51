//! How a record gets its partition key, as the user says it.

use std::fmt;
use std::str::FromStr;

use crate::kinesis::PartitionKey;

/// A partition-key strategy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyStrategy {
    /// A new key for every record: spreads evenly over the shards.
    Random,
    /// One key for all records: one hot shard.
    Constant(PartitionKey),
    /// The job's number.
    Job,
    /// The event's entity: the user of a click, the ticker of a trade.
    User,
    /// The value at a JSON pointer (RFC 6901) in the event.
    Field(JsonPointer),
    /// Every open shard in turn, by explicit hash key.
    RoundRobin,
}

impl fmt::Display for KeyStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random => f.write_str("random"),
            Self::Constant(key) => write!(f, "constant:{}", key.as_str()),
            Self::Job => f.write_str("job"),
            Self::User => f.write_str("user"),
            Self::Field(pointer) => write!(f, "field:{pointer}"),
            Self::RoundRobin => f.write_str("round-robin"),
        }
    }
}

/// A text that is no key strategy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyStrategyError {
    /// No strategy of that name.
    #[error("a partition key is one of random, constant:TEXT, job, user, field:/json/pointer, round-robin")]
    Name,
    /// The text after `constant:` is no partition key.
    #[error("the text after constant: must have 1 to 256 Unicode characters")]
    Constant,
    /// The text after `field:` is no JSON pointer.
    #[error("the text after field: must be a JSON pointer such as /user/id (RFC 6901)")]
    Pointer,
}

impl FromStr for KeyStrategy {
    type Err = KeyStrategyError;

    fn from_str(text: &str) -> Result<Self, KeyStrategyError> {
        match text.split_once(':') {
            None => match text {
                "random" => Ok(Self::Random),
                "job" => Ok(Self::Job),
                "user" => Ok(Self::User),
                "round-robin" => Ok(Self::RoundRobin),
                _ => Err(KeyStrategyError::Name),
            },
            Some(("constant", key)) => {
                key.parse().map(Self::Constant).map_err(|_| KeyStrategyError::Constant)
            }
            Some(("field", pointer)) => pointer.parse().map(Self::Field),
            Some(_) => Err(KeyStrategyError::Name),
        }
    }
}

/// A JSON pointer (RFC 6901) below the root, its tokens unescaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPointer {
    tokens: Vec<String>,
}

impl JsonPointer {
    /// The reference tokens, unescaped, outermost first; never empty.
    #[must_use]
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }
}

impl FromStr for JsonPointer {
    type Err = KeyStrategyError;

    fn from_str(text: &str) -> Result<Self, KeyStrategyError> {
        let path = text.strip_prefix('/').ok_or(KeyStrategyError::Pointer)?;
        let tokens =
            path.split('/').map(unescaped).collect::<Option<_>>().ok_or(KeyStrategyError::Pointer)?;
        Ok(Self { tokens })
    }
}

/// `~1` is `/` and `~0` is `~`; any other `~` is an error.
fn unescaped(token: &str) -> Option<String> {
    let mut parts = token.split('~');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (escape, rest) = part.split_at_checked(1)?;
        plain.push(match escape {
            "0" => '~',
            "1" => '/',
            _ => return None,
        });
        plain.push_str(rest);
    }
    Some(plain)
}

impl fmt::Display for JsonPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in &self.tokens {
            write!(f, "/{}", token.replace('~', "~0").replace('/', "~1"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strategy_is_read_as_it_is_written() {
        for text in [
            "random",
            "constant:shardId-000000000000",
            "constant:a:b",
            "job",
            "user",
            "round-robin",
            "field:/a~1b/~0/0",
        ] {
            assert_eq!(text.parse::<KeyStrategy>().map(|s| s.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_is_wrong_with_a_strategy_is_named() {
        for (text, error) in [
            ("", KeyStrategyError::Name),
            ("rnd", KeyStrategyError::Name),
            ("zipf:1", KeyStrategyError::Name),
            ("constant:", KeyStrategyError::Constant),
            ("field:user", KeyStrategyError::Pointer),
            ("field:", KeyStrategyError::Pointer),
            ("field:/a~2", KeyStrategyError::Pointer),
            ("field:/a~", KeyStrategyError::Pointer),
        ] {
            assert_eq!(text.parse::<KeyStrategy>(), Err(error), "{text}");
        }
    }
}
