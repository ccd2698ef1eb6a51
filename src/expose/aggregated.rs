//! What is told of aggregation before a run, in words. Plain values in, text out; the numbers are estimates.

use super::human;

/// What aggregation will make of the load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AggregationPlan {
    /// Most bytes of an aggregate.
    pub bytes: u64,
    /// User records of the usual size that one holds.
    pub holds: u64,
    /// User records in each, on average: as many as come together for a shard in one release, if it holds them.
    pub each: f64,
    /// Kinesis records of a due second.
    pub entries: f64,
}

impl AggregationPlan {
    /// In words; `per`: a second, or each due one.
    pub(super) fn words(&self, every_second: bool) -> String {
        let unit = if every_second { "Kinesis records/s" } else { "Kinesis records in each due second" };
        format!(
            "up to {} each, which hold about {} of the load's; about {} in each, so {} {unit}",
            human::bytes(self.bytes as f64),
            human::counted(self.holds, "record"),
            human::short(self.each),
            human::short(self.entries),
        )
    }

    /// What to know beforehand; `by_key`: whether a record's shard follows from its key, where that is known.
    pub(super) fn warnings(&self, by_key: Option<bool>) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.each < 2.0 {
            warnings.push(
                "aggregation packs next to nothing: events of one job that are due together go together, and of this \
                 load hardly two of them are for one shard. Fewer jobs with more messages, or the pacing burst, help"
                    .to_owned(),
            );
        }
        if by_key == Some(false) {
            warnings.push(
                "the stream's record distribution is AUTO: Kinesis puts aggregated records into any shard, and KCL \
                 drops those whose keys belong elsewhere"
                    .to_owned(),
            );
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_told_in_both_units_and_what_packs_nothing_is_warned_of() {
        let plan = AggregationPlan { bytes: 51_200, holds: 180, each: 125.0, entries: 160.0 };
        assert_eq!(
            plan.words(true),
            "up to 50.0 KiB each, which hold about 180 records of the load's; about 125 in each, so 160 Kinesis records/s"
        );
        assert_eq!(plan.warnings(Some(true)), [""; 0]);
        assert_eq!(AggregationPlan { each: 1.2, ..plan }.warnings(None).len(), 1);
        assert!(plan.warnings(Some(false))[0].contains("AUTO"));
    }
}
