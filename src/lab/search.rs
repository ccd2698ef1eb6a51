//! How the highest sustained rate is looked for: which rate is tried next, and when that is enough.
//!
//! Decides from what was counted; runs nothing. First a *ramp* of short stretches, doubled until records are throttled.
//! It proves nothing, for a rested shard takes two seconds' worth in one. Then *trials* on shards without reserves: each
//! rate is tried until the confidence interval of its throttled share lies on one side of what is allowed. A trial that is
//! throttled tells by what the shards took which rate would just pass, so most searches need three or four of them.

use super::interval::{Block, Confidence, Interval, records_needed};

/// How many times as far apart as asked for the ends of an answer may be where the client gets no further.
const NEAR: f64 = 5.0;

/// How many times in a row a client falls short until it is the limit.
const SHORTFALLS: u32 = 3;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Highest share of throttled records that counts as sustained.
    pub most_throttled: f64,
    /// How sure each end of the answer is to be.
    pub confidence: Confidence,
    /// The answer's ends are at most this far apart: 0.01 is a percent.
    pub resolution: f64,
    /// Never more than this is offered, in records a second.
    pub most_rate: f64,
    /// Trials at one rate before its share alone decides.
    pub repeats: u32,
}

impl Rules {
    /// Seconds of one trial at `rate`: enough that nothing throttled is an answer, as far as that is bearable.
    fn seconds(&self, rate: f64) -> f64 {
        (1.05 * records_needed(self.most_throttled, self.confidence) as f64 / rate).clamp(2.0, 20.0)
    }
}

/// What kind of stretch comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Short, on shards that may be rested.
    Ramp,
    /// On shards whose reserves are used up.
    Trial,
}

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// Offer this, and tell what came of it.
    Offer {
        /// Records a second.
        rate: f64,
        /// For so long.
        seconds: f64,
        /// How.
        kind: Kind,
    },
    /// Nothing: the search is over.
    Done(End),
}

/// Why a search is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The answer is as narrow as was asked for.
    Converged,
    /// The stream took the most that may be offered.
    MostRate,
    /// The client could not offer more.
    Client,
    /// Time was over.
    Time,
}

/// On which side of the answer a rate lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The stream sustains it.
    Sustained,
    /// Too much is throttled.
    Throttled,
    /// The client does not get there.
    Unoffered,
}

/// What came of a stretch.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// What was counted, in blocks of equal time.
    pub blocks: Vec<Block>,
    /// The rate at which nothing would have been throttled, by what the throttling shards took.
    pub hint: Option<f64>,
    /// Whether the client fell short of the rate by itself.
    pub fell_short: bool,
}

/// A rate, and what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Records a second.
    pub rate: f64,
    /// Its throttled share.
    pub share: Interval,
    /// Where it lies.
    pub side: Side,
    /// Whether the interval says so, not the share alone.
    pub is_firm: bool,
    /// Trials behind it.
    pub trials: u32,
}

/// The search.
#[derive(Debug, Clone)]
pub struct Search {
    rules: Rules,
    ramping: bool,
    rate: f64,
    blocks: Vec<Block>,
    trials: u32,
    low: Option<Point>,
    high: Option<Point>,
    /// Rates that the ramp found throttled; bounds the first trials.
    ramp_high: Option<f64>,
    hint: Option<f64>,
    /// How many times the rate was moved a little because it stayed in doubt.
    shifts: u32,
    /// How many times in a row the client fell short of the present rate.
    shortfalls: u32,
    /// How many times in a row the search went the same way; each doubles the step.
    strides: i32,
    end: Option<End>,
}

impl Search {
    /// A search that begins at `start` records a second.
    #[must_use]
    pub fn new(rules: Rules, start: f64) -> Self {
        Self {
            rules,
            ramping: true,
            rate: start.clamp(1.0, rules.most_rate.max(1.0)),
            blocks: Vec::new(),
            trials: 0,
            low: None,
            high: None,
            ramp_high: None,
            hint: None,
            shifts: 0,
            shortfalls: 0,
            strides: 0,
            end: None,
        }
    }

    /// The highest rate that is known to be sustained.
    #[must_use]
    pub fn low(&self) -> Option<&Point> {
        self.low.as_ref()
    }

    /// The lowest rate that is known not to be.
    #[must_use]
    pub fn high(&self) -> Option<&Point> {
        self.high.as_ref()
    }

    /// Time is over: what is known so far is the answer.
    pub fn stop(&mut self) {
        self.end.get_or_insert(End::Time);
    }

    /// What to do next.
    #[must_use]
    pub fn next(&self) -> Step {
        if let Some(end) = self.end {
            return Step::Done(end);
        }
        let (kind, seconds) =
            if self.ramping { (Kind::Ramp, 2.0) } else { (Kind::Trial, self.rules.seconds(self.rate)) };
        Step::Offer { rate: self.rate, seconds, kind }
    }

    /// Whether a trial at the present rate with these blocks more need not go on: too much is throttled for certain.
    #[must_use]
    pub fn is_over(&self, more: &[Block]) -> bool {
        let all: Vec<Block> = self.blocks.iter().chain(more).copied().collect();
        all.len() >= 6 && Interval::of(&all, self.rules.confidence).low > self.rules.most_throttled
    }

    /// What came of the stretch that [`Self::next`] asked for.
    pub fn learn(&mut self, observed: Observed) {
        if self.end.is_some() {
            return;
        }
        // What is allowed to be throttled comes on top of what is taken.
        let hint = observed.hint.map(|taken| taken / (1.0 - self.rules.most_throttled));
        self.hint = hint.or(self.hint);
        // A machine may stand still for a moment: that is no limit yet, and what was counted then is no trial.
        self.shortfalls = if observed.fell_short { self.shortfalls + 1 } else { 0 };
        if observed.fell_short && self.shortfalls < SHORTFALLS {
            return;
        }
        if self.ramping {
            return self.climb(&observed);
        }
        self.blocks.extend(observed.blocks);
        self.trials += 1;
        let share = Interval::of(&self.blocks, self.rules.confidence);
        let most = self.rules.most_throttled;
        let (side, is_firm) = if share.low > most {
            (Side::Throttled, true)
        } else if observed.fell_short {
            (Side::Unoffered, true)
        } else if share.high <= most {
            (Side::Sustained, true)
        } else if self.trials < self.rules.repeats {
            if self.trials == 2 {
                self.shift(share.share);
            }
            return;
        } else if share.share <= most {
            (Side::Sustained, false)
        } else {
            (Side::Throttled, false)
        };
        let point = Point { rate: self.rate, share, side, is_firm, trials: self.trials };
        // A client that gets no further between two rates that are decided has not undone what is known of them.
        if let (Side::Unoffered, Some(low), Some(Side::Throttled)) =
            (side, &self.low, self.high.as_ref().map(|high| high.side))
        {
            let is_near = self
                .high
                .as_ref()
                .is_some_and(|high| high.rate <= low.rate * (1.0 + NEAR * self.rules.resolution));
            self.end = Some(if is_near { End::Converged } else { End::Client });
            return;
        }
        match side {
            Side::Sustained => {
                self.strides = self.strides.max(0) + 1;
                self.low = Some(point);
            }
            Side::Throttled | Side::Unoffered => {
                self.strides = self.strides.min(0) - 1;
                self.high = Some(point);
            }
        }
        self.choose();
    }

    /// Moves on a little from a rate that stays in doubt, because its share is near what is allowed: half the
    /// resolution further, a trial or two say clearly what ten say vaguely here.
    fn shift(&mut self, share: f64) {
        const MOST: u32 = 4;
        let half = 0.5 * self.rules.resolution;
        let next = self.rate * if share <= self.rules.most_throttled { 1.0 - half } else { 1.0 + half };
        let is_between = self.low.as_ref().is_none_or(|low| next > low.rate * (1.0 + 0.2 * half))
            && self.high.as_ref().is_none_or(|high| next < high.rate * (1.0 - 0.2 * half))
            && next <= self.rules.most_rate;
        if self.shifts < MOST && is_between {
            self.shifts += 1;
            self.begin(next);
        }
    }

    fn begin(&mut self, rate: f64) {
        (self.rate, self.trials, self.shortfalls) = (rate, 0, 0);
        self.blocks.clear();
    }

    fn climb(&mut self, observed: &Observed) {
        let share = Interval::of(&observed.blocks, self.rules.confidence).share;
        if share > self.rules.most_throttled || observed.fell_short {
            self.ramp_high = Some(self.rate);
            self.ramping = false;
            // Far above what is taken, or what can be offered, a trial would be lost.
            self.choose();
        } else if self.rate >= self.rules.most_rate {
            self.ramping = false;
        } else {
            self.begin((2.0 * self.rate).min(self.rules.most_rate));
        }
    }

    /// The next rate, or the end.
    fn choose(&mut self) {
        let (rules, rate) = (self.rules, self.rate);
        // The first is so long that one trial above a sustained rate can be the last.
        let stride = rules.resolution * 0.98 * 2_f64.powi(self.strides.abs().clamp(1, 8) - 1);
        let next = match (self.low.as_ref().map(|low| low.rate), self.high.as_ref().map(|high| high.rate)) {
            (Some(low), Some(high)) if high <= low * (1.0 + rules.resolution) => {
                let by_client = self.high.as_ref().is_some_and(|high| high.side == Side::Unoffered);
                self.end = Some(if by_client { End::Client } else { End::Converged });
                return;
            }
            // What was sustained once and is above what is throttled now: the stream is another than it was.
            (Some(low), Some(high)) if high <= low => {
                self.low = None;
                self.hint.filter(|&hint| hint < high).unwrap_or(high * (1.0 - stride))
            }
            (Some(low), Some(high)) => {
                let near = if self.strides > 0 { low * (1.0 + stride) } else { high * (1.0 - stride) };
                // A step within the bracket is smaller than half of it, or else it is halved.
                if near > low * (1.0 + 0.2 * rules.resolution)
                    && near < high / (1.0 + 0.2 * rules.resolution)
                    && (near - low).min(high - near) < 0.5 * (high - low)
                    && (high > low * (1.0 + 6.0 * rules.resolution))
                {
                    near
                } else {
                    (low * high).sqrt()
                }
            }
            (None, Some(high)) => {
                let below = high * (1.0 - stride.min(0.5));
                self.hint
                    .map(|hint| hint * (1.0 - 0.6 * rules.resolution))
                    .filter(|&hint| hint < below)
                    .unwrap_or(below)
            }
            (Some(low), None) if low >= rules.most_rate => {
                self.end = Some(End::MostRate);
                return;
            }
            (Some(low), None) => {
                let above = low * (1.0 + stride);
                self.ramp_high.map_or(above, |high| above.min(high))
            }
            // The ramp has just ended.
            (None, None) => {
                let hint =
                    self.hint.filter(|&hint| hint < rate).map(|hint| hint * (1.0 - 0.6 * rules.resolution));
                hint.unwrap_or(0.7 * rate)
            }
        };
        let next = next.clamp(1.0, rules.most_rate);
        if next <= 1.0 && rate <= 1.0 {
            // Not even one record a second: there is nothing lower to be tried.
            self.end = Some(if self.high.as_ref().is_some_and(|high| high.side == Side::Unoffered) {
                End::Client
            } else {
                End::Converged
            });
            return;
        }
        self.begin(next);
    }
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
