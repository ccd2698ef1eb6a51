//! How a record gets its partition key, as the user says it.

use std::fmt;
use std::str::FromStr;

use super::hot::{self, Hot};
use super::popularity::{self, Popularity};
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
    /// One of a bounded number of keys, all met alike or by Zipf's law.
    Popular(Popularity),
    /// Shares of the load for chosen shards, by keys that lead there.
    Hot(Hot),
    /// Explicit hash keys, evenly over the whole space.
    Explicit,
    /// Every open shard in turn, by explicit hash key.
    RoundRobin,
}

impl KeyStrategy {
    /// Whether the partition key follows from the event and its identity alone, so that it can be written again
    /// without knowing which shards the stream had at the time.
    #[must_use]
    pub fn is_told_by_the_event(&self) -> bool {
        !matches!(self, Self::Hot(_))
    }

    /// Whether every record of a job has a key of its own.
    #[must_use]
    pub fn never_repeats(&self) -> bool {
        matches!(self, Self::Random | Self::Explicit | Self::RoundRobin)
    }

    /// Whether it gives each shard its share by the size of its range (or the same to all) without more ado.
    #[must_use]
    pub fn is_even(&self) -> bool {
        self.never_repeats()
    }
}

impl fmt::Display for KeyStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random => f.write_str("random"),
            Self::Constant(key) => write!(f, "constant:{}", key.as_str()),
            Self::Job => f.write_str("job"),
            Self::User => f.write_str("user"),
            Self::Field(pointer) => write!(f, "field:{pointer}"),
            Self::Popular(popularity) => popularity.fmt(f),
            Self::Hot(hot) => hot.fmt(f),
            Self::Explicit => f.write_str("explicit"),
            Self::RoundRobin => f.write_str("round-robin"),
        }
    }
}

/// A text that is no key strategy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyStrategyError {
    /// No strategy of that name.
    #[error(
        "a partition key is one of random, constant:TEXT, job, user, field:/json/pointer, uniform:keys=N, \
         zipf:EXPONENT,keys=N, hot:SHARE%@SHARD[,rotate=TIME], explicit, round-robin"
    )]
    Name,
    /// The text after `constant:` is no partition key.
    #[error("the text after constant: must have 1 to 256 Unicode characters")]
    Constant,
    /// The text after `field:` is no JSON pointer.
    #[error("the text after field: must be a JSON pointer such as /user/id (RFC 6901)")]
    Pointer,
    /// The number after `keys=` is none, or the text before it is something else.
    #[error(
        "keys are bounded as in uniform:keys=10000 or zipf:1.2,keys=10000: from 1 to {} of them",
        popularity::MOST_KEYS
    )]
    Keys,
    /// Zipf's exponent is none.
    #[error(
        "the exponent after zipf: must be a number above 0, to {}, with at most 4 decimals, as in zipf:1.2,keys=10000",
        popularity::MOST_EXPONENT
    )]
    Exponent,
    /// The text after `hot:` is of another form.
    #[error(
        "hot shards are written SHARE%@SHARD, several joined by +, as in hot:60%@shardId-000000000003 or \
         hot:40%@3+20%@5,rotate=30s"
    )]
    Hot,
    /// The shares of hot shards.
    #[error(
        "hot shards have shares above 0% with at most 4 decimals, 100% at most together, and each of at most {} shards \
         stands there once",
        hot::MOST_SPOTS
    )]
    HotShare,
    /// How long a hot spot stays.
    #[error("rotate= takes a time of at least 1s, such as rotate=30s")]
    HotRotate,
}

impl From<popularity::Wrong> for KeyStrategyError {
    fn from(wrong: popularity::Wrong) -> Self {
        match wrong {
            popularity::Wrong::Exponent => Self::Exponent,
            popularity::Wrong::Keys => Self::Keys,
        }
    }
}

impl From<hot::Wrong> for KeyStrategyError {
    fn from(wrong: hot::Wrong) -> Self {
        match wrong {
            hot::Wrong::Form => Self::Hot,
            hot::Wrong::Share => Self::HotShare,
            hot::Wrong::Rotate => Self::HotRotate,
        }
    }
}

impl FromStr for KeyStrategy {
    type Err = KeyStrategyError;

    fn from_str(text: &str) -> Result<Self, KeyStrategyError> {
        match text.split_once(':') {
            None => match text {
                "random" => Ok(Self::Random),
                "job" => Ok(Self::Job),
                "user" => Ok(Self::User),
                "explicit" => Ok(Self::Explicit),
                "round-robin" => Ok(Self::RoundRobin),
                "uniform" => Ok(Self::Popular(Popularity::uniform(None)?)),
                "zipf" => Err(KeyStrategyError::Exponent),
                "hot" => Err(KeyStrategyError::Hot),
                _ => Err(KeyStrategyError::Name),
            },
            Some(("constant", key)) => {
                key.parse().map(Self::Constant).map_err(|_| KeyStrategyError::Constant)
            }
            Some(("field", pointer)) => pointer.parse().map(Self::Field),
            Some(("uniform", keys)) => Ok(Self::Popular(Popularity::uniform(Some(keys))?)),
            Some(("zipf", law)) => Ok(Self::Popular(Popularity::zipf(law)?)),
            Some(("hot", spots)) => Ok(Self::Hot(Hot::read(spots)?)),
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
            "explicit",
            "round-robin",
            "uniform:keys=3",
            "zipf:1.2,keys=10000",
            "hot:60%@shardId-000000000003,rotate=30s",
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
            ("zip:1", KeyStrategyError::Name),
            ("zipf", KeyStrategyError::Exponent),
            ("zipf:0", KeyStrategyError::Exponent),
            ("zipf:1,keys=0", KeyStrategyError::Keys),
            ("uniform:10", KeyStrategyError::Keys),
            ("hot:60", KeyStrategyError::Hot),
            ("hot:0%@1", KeyStrategyError::HotShare),
            ("hot:1%@1,rotate=1", KeyStrategyError::HotRotate),
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
