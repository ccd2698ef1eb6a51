//! What a journal says of its runs, as a table and as JSON. Renders accounts, and judges nothing.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::{human, summary};
use crate::journal::Account;
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
            Some(ended) => format!("ended by {ended}"),
            None if going_on && index + 1 == accounts.len() => "going on".to_owned(),
            None => "no end mark: the process was killed, or its disk took no more".to_owned(),
        };
        let header = &account.header;
        text.push_str(&format!(
            "\nRun on {}, from {}, {} to its last claim; {state}.\nSeed {}, instance {}, event {}, key {}.\n",
            header.stream,
            moment(header.started_millis),
            human::duration(elapsed),
            header.seed,
            header.producer,
            header.event,
            header.partition_key,
        ));
        summary::records(&mut text, &counts, elapsed);
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
    if account.totals.lost > 0 {
        let lost = human::grouped(account.totals.lost);
        remarks.push(format!("{lost} of them were settled while the disk could not follow."));
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
