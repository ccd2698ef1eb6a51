//! Shares of the load for chosen shards, as the user says it: `hot:60%@shardId-000000000003,rotate=30s`.
//!
//! Decides what the text means; which keys lead there is for `spread`.

use std::fmt;
use std::time::Duration;

use super::decimal::Decimal;
use crate::kinesis::ShardId;

/// Most hot shards.
pub const MOST_SPOTS: usize = 64;

/// Shortest stay of the hot spots on a shard: a shard's limiter looks at seconds.
pub const SHORTEST_STAY: Duration = Duration::from_secs(1);

/// A share of the load, and the shard that it goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// In percent, above 0 to 100.
    pub(super) percent: Decimal,
    /// The shard.
    pub(super) shard: ShardId,
}

/// The hot spots, whose shares make 100 % at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hot {
    spots: Vec<Spot>,
    rotate: Option<Duration>,
}

/// What is wrong with hot spots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    Form,
    Share,
    Rotate,
}

impl Hot {
    /// `SHARE%@SHARD`, more of them behind `+`, and perhaps `,rotate=TIME`.
    pub(super) fn read(text: &str) -> Result<Self, Wrong> {
        let (spots, rest) = text.split_once(',').map_or((text, None), |(spots, rest)| (spots, Some(rest)));
        let spots = spots.split('+').map(spot).collect::<Result<Vec<_>, _>>()?;
        let total: u64 = spots.iter().map(|spot| u64::from(spot.percent.ten_thousandths())).sum();
        let twice = (1..spots.len()).any(|at| spots[..at].iter().any(|one| one.shard == spots[at].shard));
        if total > 1_000_000 || twice || spots.len() > MOST_SPOTS {
            return Err(Wrong::Share);
        }
        let rotate = match rest {
            None => None,
            Some(rest) => {
                let time = rest.strip_prefix("rotate=").ok_or(Wrong::Form)?;
                let time = humantime::parse_duration(time).map_err(|_| Wrong::Rotate)?;
                Some(Some(time).filter(|&time| time >= SHORTEST_STAY).ok_or(Wrong::Rotate)?)
            }
        };
        Ok(Self { spots, rotate })
    }

    /// The hot spots; never empty, no shard twice.
    #[must_use]
    pub fn spots(&self) -> &[Spot] {
        &self.spots
    }

    /// How long the spots stay before they move on to the next shards; none: for good.
    #[must_use]
    pub fn rotate(&self) -> Option<Duration> {
        self.rotate
    }
}

impl Spot {
    /// The shard that is named.
    #[must_use]
    pub fn shard(&self) -> ShardId {
        self.shard
    }

    /// The share of the load, above 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.percent.value() / 100.0
    }
}

fn spot(text: &str) -> Result<Spot, Wrong> {
    let (share, shard) = text.split_once("%@").ok_or(Wrong::Form)?;
    let percent: Decimal = share.parse().map_err(|()| Wrong::Share)?;
    if percent.ten_thousandths() == 0 || percent.ten_thousandths() > 1_000_000 {
        return Err(Wrong::Share);
    }
    // As the console shows it, or its number alone.
    let is_number = (1..=12).contains(&shard.len()) && shard.bytes().all(|byte| byte.is_ascii_digit());
    let shard = if is_number { shard.parse().ok().map(ShardId) } else { shard.parse().ok() };
    Ok(Spot { percent, shard: shard.ok_or(Wrong::Form)? })
}

impl fmt::Display for Hot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hot:")?;
        for (index, spot) in self.spots.iter().enumerate() {
            let plus = if index > 0 { "+" } else { "" };
            write!(f, "{plus}{}%@{}", spot.percent, spot.shard)?;
        }
        match self.rotate {
            // Without blanks, which a shell would take apart.
            Some(time) => {
                write!(f, ",rotate={}", humantime::format_duration(time).to_string().replace(' ', ""))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hot_spots_are_read_as_they_are_written() {
        for (text, written) in [
            ("60%@shardId-000000000003", "hot:60%@shardId-000000000003"),
            ("60%@3", "hot:60%@shardId-000000000003"),
            (
                "12.50%@1+87.5%@0,rotate=90s",
                "hot:12.5%@shardId-000000000001+87.5%@shardId-000000000000,rotate=1m30s",
            ),
            ("0.0001%@7,rotate=1500ms", "hot:0.0001%@shardId-000000000007,rotate=1s500ms"),
        ] {
            let hot = Hot::read(text).expect(text);
            assert_eq!(hot.to_string(), written);
            assert_eq!(Hot::read(&written["hot:".len()..]), Ok(hot));
        }
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        for text in ["", "60%", "60@3", "60%@", "60%@shard-3", "60%@3,", "60%@3,turn=3s", "60%@3+", "60%@-3"]
        {
            assert_eq!(Hot::read(text), Err(Wrong::Form), "{text}");
        }
        for text in ["0%@3", "101%@3", "60%@3+41%@4", "x%@3", "10%@3+10%@3", "-1%@3"] {
            assert_eq!(Hot::read(text), Err(Wrong::Share), "{text}");
        }
        for text in ["60%@3,rotate=", "60%@3,rotate=999ms", "60%@3,rotate=5"] {
            assert_eq!(Hot::read(text), Err(Wrong::Rotate), "{text}");
        }
    }
}
