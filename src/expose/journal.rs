//! What a journal says of its runs, as a table and as JSON. Renders accounts, and judges nothing.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::{human, summary};
use crate::journal::{Account, FLUSH_EVERY};
use crate::ledger::{Label, Tally};

/// Every run of a journal, for people; `going_on`: somebody is writing the last one just now.
#[must_use]
pub fn journal_text(path: &Path, accounts: &[Account], going_on: bool) -> String {
    let runs = human::counted(accounts.len() as u64, "run");
    let mut text = format!("{} holds {runs}.\n", path.display());
    for (index, account) in accounts.iter().enumerate() {
        let counts = account.counts();
        let elapsed = Duration::from_millis(account.last_millis - account.header.started_millis);
        let state = match &account.ended {
            Some(ended) => format!("ended by {}", plain(ended)),
            None if going_on && index + 1 == accounts.len() => "going on".to_owned(),
            None => "no end mark: the process was killed, or its disk took no more".to_owned(),
        };
        let header = &account.header;
        text.push_str(&format!(
            "\nRun on {}, from {}, {} to its last claim; {state}.\nSeed {}, instance {}, event {}, key {}.\n",
            plain(&header.stream),
            moment(header.started_millis),
            human::duration(elapsed),
            header.seed,
            plain(&header.producer),
            plain(&header.event),
            plain(&header.partition_key),
        ));
        // No mean rates: a journal does not know for how long the load was offered.
        summary::records(&mut text, &counts, Duration::ZERO);
        text.push_str(&format!("\n{}\n", summary::verdict(&counts)));
        for remark in remarks(account, counts.in_flight) {
            text.push_str(&format!("{remark}\n"));
        }
    }
    text
}

/// What the counts alone do not say.
fn remarks(account: &Account, not_claimed: u64) -> Vec<String> {
    let mut remarks = Vec::new();
    if not_claimed > 0 {
        let records = human::counted(not_claimed, "record");
        remarks
            .push(format!("Of {records} the journal does not say what became of them: they may be stored."));
    }
    if account.ended.is_none() {
        let millis = FLUSH_EVERY.as_millis();
        remarks.push(format!(
            "What was made or settled after its last checkpoint, {millis} ms or so, is not counted."
        ));
    }
    if account.totals.lost > 0 {
        let lost = human::grouped(account.totals.lost);
        remarks.push(format!("{lost} records were settled while the disk could not follow."));
    }
    if account.cut_off_bytes > 0 {
        remarks.push(format!("Its last {} bytes are not whole, and say nothing.", account.cut_off_bytes));
    }
    if account.damaged_bytes > 0 {
        remarks.push(format!("It is damaged: {} bytes can't be believed.", account.damaged_bytes));
    }
    if !account.adds_up {
        remarks.push("Claims are missing: they don't add up to what its checkpoints say.".to_owned());
    }
    remarks
}

/// The same for machines, as one line.
#[must_use]
pub fn journal_json(path: &Path, accounts: &[Account], going_on: bool) -> String {
    let runs: Vec<Value> = accounts
        .iter()
        .enumerate()
        .map(|(index, account)| {
            let counts = account.counts();
            json!({
                "run": account.header,
                "ended": account.ended,
                "going_on": going_on && account.ended.is_none() && index + 1 == accounts.len(),
                "last_claim_millis": account.last_millis,
                "due": counts.due,
                "dropped": tally(&counts.dropped),
                "generated": counts.generated,
                "sent": counts.sent,
                "perhaps_twice": counts.perhaps_twice,
                "failed": tally(&counts.failed),
                "unknown": tally(&counts.unknown),
                "not_claimed": counts.in_flight,
                "lost": account.totals.lost,
                "cut_off_bytes": account.cut_off_bytes,
                "damaged_bytes": account.damaged_bytes,
                "adds_up": account.adds_up,
                "sound": account.is_sound(),
            })
        })
        .collect();
    let whole = json!({ "journal": path.to_string_lossy(), "runs": runs });
    format!("{whole}\n")
}

/// The counts that are not 0, by name.
fn tally<L: Label>(tally: &Tally<L>) -> Value {
    let counts = tally.iter().filter(|(_, count)| *count > 0);
    counts
        .map(|(why, count)| (why.label().to_owned(), Value::from(count)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// A moment in UTC, as the log writes it.
fn moment(millis: u64) -> String {
    let told = i64::try_from(millis).ok().and_then(chrono::DateTime::from_timestamp_millis);
    told.map_or_else(|| format!("millisecond {millis}"), |moment| moment.to_string())
}

/// A text of the file without what a terminal would act on: a journal may come from anywhere.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Header, Totals};
    use crate::ledger::{Dropped, Failed};

    fn account() -> Account {
        let mut totals =
            Totals { due: 1_000, generated: 990, sent: 900, perhaps_twice: 5, ..Totals::default() };
        totals.dropped.add(Dropped::Late, 10);
        totals.failed.add(Failed::Throttled, 40);
        Account {
            header: Header {
                version: "0.1.0".to_owned(),
                producer: "p-1a2b3c4d".to_owned(),
                seed: 42,
                event: "mouse".to_owned(),
                shaping: None,
                partition_key: "constant:\u{1b}[31m".to_owned(),
                stream: "s".to_owned(),
                arn: None,
                jobs: 10,
                started_millis: 1_700_000_000_000,
            },
            totals,
            ended: None,
            last_millis: 1_700_000_012_300,
            cut_off_bytes: 17,
            damaged_bytes: 0,
            adds_up: true,
        }
    }

    #[test]
    fn a_killed_run_reads_like_this() {
        let text = journal_text(Path::new("j"), &[account()], false);
        assert_eq!(
            text,
            "\
j holds 1 run.

Run on s, from 2023-11-14 22:13:20 UTC, 12.3 s to its last claim; no end mark: the process was killed, or its disk took no more.
Seed 42, instance p-1a2b3c4d, event mouse, key constant:\u{fffd}[31m.

Records                           count      share  mean rate
  due                             1,000      100 %          –
    dropped                          10     1.00 %
      late                           10  this machine is the limit: fewer jobs or larger requests, or a faster machine
    generated                       990    99.00 %          –
      sent                          900    90.00 %          –
        perhaps twice                 5  an earlier attempt had no answer, and may have stored them too
      failed                         40     4.00 %
        throttled                    40  over the shards' limits in every attempt: more shards, or less load
      unknown                         0        0 %
      in flight                      50     5.00 %

100 of 1,000 records were not sent, or may not have been: 10 dropped, 40 failed, 50 still in flight.
Of 50 records the journal does not say what became of them: they may be stored.
What was made or settled after its last checkpoint, 100 ms or so, is not counted.
Its last 17 bytes are not whole, and say nothing.
"
        );
    }

    #[test]
    fn only_the_last_run_can_be_going_on_and_what_is_not_sound_is_told() {
        let damaged = Account { damaged_bytes: 3, adds_up: false, ..account() };
        let text = journal_text(Path::new("j"), &[damaged.clone(), account()], true);
        assert_eq!((text.matches("no end mark").count(), text.matches("going on").count()), (1, 1));
        assert!(text.contains("3 bytes can't be believed") && text.contains("Claims are missing"));
        let json: Value =
            serde_json::from_str(&journal_json(Path::new("j"), &[damaged, account()], true)).expect("JSON");
        let runs = json["runs"].as_array().expect("runs");
        let told: Vec<_> =
            runs.iter().map(|run| (run["going_on"].as_bool(), run["sound"].as_bool())).collect();
        assert_eq!(told, [(Some(false), Some(false)), (Some(true), Some(true))]);
        assert_eq!((&runs[0]["failed"]["throttled"], &runs[0]["not_claimed"]), (&json!(40), &json!(50)));
    }
}
