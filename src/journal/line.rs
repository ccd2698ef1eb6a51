//! One line of a session: how it is written and read. Reading is total: any bytes give a line or nothing.

use std::io::Write as _;

use super::Totals;
use crate::kinesis::ShardId;
use crate::ledger::{Claim, Digest, Failed, Fate, Label, StoredIn, Unknown};

/// What a line says, but for headers and check marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// The fate of some records.
    Claim(Claim),
    /// What was stored in a shard since the last such line of it.
    Stored(StoredIn),
    /// The counts so far.
    Checkpoint(Totals),
    /// The final counts, and what ended the run.
    End(Totals, String),
}

/// Most bytes of a claim's line: two letters, four numbers of at most 20 digits, the longest cause, spaces.
pub(super) const MOST_CLAIM_BYTES: usize = 128;

/// Appends a claim: `s 3 1200 500 17`: sent, of job 3, from sequence number 1200 on, 500 records, known 17 ms after
/// the start.
pub(super) fn write_claim(claim: &Claim, started_millis: u64, out: &mut Vec<u8>) {
    let (letter, why) = match claim.fate {
        Fate::Sent { perhaps_twice: false } => ('s', None),
        Fate::Sent { perhaps_twice: true } => ('t', None),
        Fate::Failed(why) => ('f', Some(why.label())),
        Fate::Unknown(why) => ('u', Some(why.label())),
    };
    let after = i128::from(claim.at_millis) - i128::from(started_millis);
    let (job, first, records) = (claim.job, claim.sequences.start, claim.records());
    // Writing into a Vec can't fail.
    let _ = write!(out, "{letter} {job} {first} {records} {after}");
    if let Some(why) = why {
        let _ = write!(out, " {why}");
    }
    out.push(b'\n');
}

/// Appends what was stored in a shard: `d 3 500 00…ff`: in shardId-000000000003 500 more records, whose digest has
/// this sum.
pub(super) fn write_stored(stored: &StoredIn, out: &mut Vec<u8>) {
    let StoredIn { shard: ShardId(shard), digest: Digest { records, sum } } = stored;
    let _ = writeln!(out, "d {shard} {records} {sum:032x}");
}

/// Appends the counts so far.
pub(super) fn write_checkpoint(totals: &Totals, out: &mut Vec<u8>) {
    let mut text = String::from("c");
    totals.write(&mut text);
    text.push('\n');
    out.extend_from_slice(text.as_bytes());
}

/// Appends the end mark; `ended` is what ended the run, and stands on the line as it is.
pub(super) fn write_end(totals: &Totals, ended: &str, out: &mut Vec<u8>) {
    let mut text = String::from("e");
    totals.write(&mut text);
    text.push_str(" ended=");
    text.extend(ended.chars().map(|c| if c.is_control() { ' ' } else { c }));
    text.push('\n');
    out.extend_from_slice(text.as_bytes());
}

/// Reads a line without its line feed; none when it is none of ours.
pub(super) fn parse(line: &[u8], started_millis: u64) -> Option<Line> {
    let text = std::str::from_utf8(line).ok()?;
    let (letter, rest) = text.split_at_checked(1)?;
    match letter {
        "c" => Totals::parse(rest).map(Line::Checkpoint),
        "e" => {
            let (counts, ended) = rest.split_once(" ended=")?;
            Some(Line::End(Totals::parse(counts)?, ended.to_owned()))
        }
        "d" => stored(rest.strip_prefix(' ')?).map(Line::Stored),
        _ => claim(letter, rest.strip_prefix(' ')?, started_millis).map(Line::Claim),
    }
}

fn claim(letter: &str, rest: &str, started_millis: u64) -> Option<Claim> {
    let mut words = rest.split(' ');
    let job = number(words.next()?)?.try_into().ok()?;
    let first = number(words.next()?)?;
    let records = number(words.next()?).filter(|&records| records > 0)?;
    let after = words.next()?;
    let after = match after.strip_prefix('-') {
        Some(digits) => -i128::from(number(digits)?),
        None => i128::from(number(after)?),
    };
    let fate = match letter {
        "s" => Fate::Sent { perhaps_twice: false },
        "t" => Fate::Sent { perhaps_twice: true },
        "f" => Fate::Failed(label(Failed::ALL, words.next()?)?),
        "u" => Fate::Unknown(label(Unknown::ALL, words.next()?)?),
        _ => return None,
    };
    if words.next().is_some() {
        return None;
    }
    let at_millis = u64::try_from(i128::from(started_millis) + after).ok()?;
    Some(Claim { job, sequences: first..first.checked_add(records)?, fate, at_millis })
}

fn stored(rest: &str) -> Option<StoredIn> {
    let mut words = rest.split(' ');
    let shard = ShardId(number(words.next()?)?);
    let records = number(words.next()?)?;
    let digits = words.next().filter(|digits| digits.len() == 32)?;
    let hexadecimal = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !hexadecimal || words.next().is_some() {
        return None;
    }
    let sum = u128::from_str_radix(digits, 16).ok()?;
    Some(StoredIn { shard, digest: Digest { records, sum } })
}

/// A number in decimal digits; `parse` alone would take a plus sign.
pub(super) fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// The value of a closed set that is called `text`.
pub(super) fn label<L: Label>(all: &[L], text: &str) -> Option<L> {
    all.iter().copied().find(|value| value.label() == text)
}
