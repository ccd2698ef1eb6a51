//! Seeded randomness with random access: from (purpose, seed, producer) to a job to one of its events.
//!
//! Our own twenty lines rather than a crate, because the bytes of an event must not change with a
//! dependency's version. Good for made-up data, not for secrets.

use std::convert::Infallible;

use fake::rand::TryRng;
use md5::{Digest, Md5};

/// 2^64 divided by the golden ratio, odd: steps that spread over all of `u64`.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A second odd step, so that the two lanes of a stream never move in step.
const SECOND: u64 = 0xd1b5_4a32_d192_ed03;

/// A bijection of `u64` that changes half of the bits for any change of the input
/// (the finaliser of splitmix64: Steele, Lea, Flood 2014, with Stafford's constants).
#[inline]
pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The inverse of [`mix`].
fn unmix(mut z: u64) -> u64 {
    z ^= z >> 31 ^ z >> 62;
    z = z.wrapping_mul(inverse(0x94d0_49bb_1331_11eb));
    z ^= z >> 27 ^ z >> 54;
    z = z.wrapping_mul(inverse(0xbf58_476d_1ce4_e5b9));
    z ^ z >> 30 ^ z >> 60
}

/// The inverse of an odd number modulo 2^64, by Newton's iteration: each step doubles the right bits, from 3 on.
const fn inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    let mut step = 0;
    while step < 5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        step += 1;
    }
    inverse
}

/// All numbers that have the bits of `bits` where `known` has ones.
fn completions(bits: u64, known: u64) -> impl Iterator<Item = u64> {
    let free = !known;
    let mut next = Some(0_u64);
    std::iter::from_fn(move || {
        let some = next?;
        // The next number whose bits are all in `free`.
        next = Some((some | known).wrapping_add(1) & free).filter(|&next| next != 0);
        Some(bits & known | some)
    })
}

/// The value at `index` of the sequence of hashes that belongs to `key`.
#[inline]
pub(crate) fn hash(key: u64, index: u64) -> u64 {
    mix(key.wrapping_add(index.wrapping_mul(GOLDEN)))
}

/// Where all randomness of one purpose, seed and producer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stream(Lanes);

impl Stream {
    /// The stream of a purpose, a seed and a producer. Different purposes are independent of each other.
    pub(crate) fn new(purpose: &str, seed: u64, producer: &str) -> Self {
        // MD5 gives 128 well-mixed bits for texts of any length; each part's length is fixed or written.
        let mut digest = Md5::new();
        digest.update(seed.to_be_bytes());
        digest.update((purpose.len() as u64).to_be_bytes());
        digest.update(purpose);
        digest.update(producer);
        let number = u128::from_be_bytes(digest.finalize().into());
        Self(Lanes { high: (number >> 64) as u64, low: number as u64 })
    }

    /// The part of the stream that belongs to one job.
    #[inline]
    pub(crate) fn job(&self, job: u32) -> JobStream {
        let Lanes { high, low } = self.0;
        let job = u64::from(job);
        JobStream(Lanes { high: hash(high, job), low: mix(low.wrapping_add(job.wrapping_mul(SECOND))) })
    }

    /// A key for hashed structure that all jobs share.
    pub(crate) fn shared(&self) -> u64 {
        self.0.high
    }
}

/// The randomness of one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct JobStream(Lanes);

impl JobStream {
    /// The 128 bits that belong to one event, made in constant time for any sequence.
    ///
    /// Within a job no two sequences share even one lane. Between jobs, producers and seeds both lanes
    /// must meet by chance, so ids made of them are as unique as 122 random bits.
    #[inline]
    pub(crate) fn event(&self, sequence: u64) -> Lanes {
        let Lanes { high, low } = self.0;
        Lanes { high: hash(high, sequence), low: mix(low.wrapping_add(sequence.wrapping_mul(SECOND))) }
    }

    /// The sequence of the event whose bits are `bits`, but for those that `known` has as zeros, and for two
    /// hexadecimal digits that may be wrong in one lane. The inverse of [`Self::event`].
    ///
    /// `free`: bits of the lower lane that may be anything where the higher lane says which event it is.
    ///
    /// By chance other bits are taken for an event's in less than one of 10^9 cases.
    pub(crate) fn sequence_of(&self, bits: Lanes, known: Lanes, free: u64) -> Option<u64> {
        let Lanes { high, low } = self.0;
        let alike = |one: u64, other: u64, known: u64| {
            let wrong = (one ^ other) & known;
            let digits = wrong | wrong >> 1 | wrong >> 2 | wrong >> 3;
            (digits & 0x1111_1111_1111_1111).count_ones() <= 2
        };
        let from_high = completions(bits.high, known.high)
            .map(|bits| unmix(bits).wrapping_sub(high).wrapping_mul(inverse(GOLDEN)))
            .find(|&sequence| alike(self.event(sequence).low, bits.low, known.low & !free));
        from_high.or_else(|| {
            completions(bits.low, known.low)
                .map(|bits| unmix(bits).wrapping_sub(low).wrapping_mul(inverse(SECOND)))
                .find(|&sequence| alike(self.event(sequence).high, bits.high, known.high))
        })
    }

    /// A key for hashed structure that spans the job's events.
    #[inline]
    pub(crate) fn structure(&self) -> u64 {
        mix(self.0.high ^ self.0.low.rotate_left(32))
    }
}

/// 128 random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lanes {
    /// The upper half.
    pub(crate) high: u64,
    /// The lower half.
    pub(crate) low: u64,
}

impl Lanes {
    /// A generator for the event's content, unrelated to the bits themselves.
    #[inline]
    pub(crate) fn random(self) -> Random {
        Random { state: self.high ^ self.low.rotate_left(32) }
    }
}

/// splitmix64: one multiplication chain a number, no state but a counter.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// A generator that starts at `state`.
    #[inline]
    pub(crate) fn new(state: u64) -> Self {
        Self { state }
    }

    /// Where it stands: [`Self::new`] goes on from there.
    #[inline]
    pub(crate) fn state(&self) -> u64 {
        self.state
    }

    /// The next 64 random bits.
    #[inline]
    pub(crate) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }

    /// A number from 0 to `bound` − 1; 0 when `bound` is 0. The bias is below `bound` / 2^32.
    #[inline]
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(bound) * (self.bits() >> 32)) >> 32) as u32
    }

    /// A number from −1 to 1.
    #[inline]
    pub(crate) fn signed_unit(&mut self) -> f64 {
        signed_unit(self.bits())
    }
}

/// Random bits as a number from −1 to below 1, exact on every machine.
#[inline]
pub(crate) fn signed_unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

/// Lets `fake` draw from a [`Random`].
impl TryRng for Random {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.bits() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.bits())
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for chunk in out.chunks_mut(8) {
            chunk.copy_from_slice(&self.bits().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        // The test vector of the reference implementation for the seed 1234567.
        let mut random = Random::new(1_234_567);
        let drawn: Vec<u64> = (0..3).map(|_| random.bits()).collect();
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn every_part_of_an_identity_changes_the_bits() {
        let mut seen = HashSet::new();
        let mut streams = 0;
        for purpose in ["", "a", "ab"] {
            for seed in [0, 1, u64::MAX] {
                for producer in ["", "b", "bc", "c"] {
                    for job in [0, 1, u32::MAX] {
                        for sequence in [0, 1, 2, u64::MAX] {
                            let lanes = Stream::new(purpose, seed, producer).job(job).event(sequence);
                            seen.insert(lanes.high);
                            seen.insert(lanes.low);
                            seen.insert(lanes.random().bits());
                            streams += 3;
                        }
                    }
                }
            }
        }
        assert_eq!(seen.len(), streams);
    }

    #[test]
    fn neighbouring_events_do_not_draw_each_others_numbers() {
        let job = Stream::new("p", 1, "x").job(0);
        let mut seen = HashSet::new();
        for sequence in 0..1_000 {
            let mut random = job.event(sequence).random();
            for _ in 0..8 {
                assert!(seen.insert(random.bits()), "event {sequence} repeats a number");
            }
        }
    }

    #[test]
    fn numbers_below_a_bound_reach_each_value_and_no_more() {
        let mut random = Random::new(1);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[random.below(7) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
        assert_eq!((random.below(0), random.below(1)), (0, 0));
    }

    #[test]
    fn signed_units_stay_in_their_range() {
        assert_eq!((signed_unit(0), signed_unit(1 << 63)), (-1.0, 0.0));
        assert!(signed_unit(u64::MAX) < 1.0);
    }
}
