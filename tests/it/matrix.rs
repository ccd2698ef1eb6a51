//! Every fault of the matrix, for a short time each: no account may differ from the others.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::faulty::scenarios::{self, Action};
use crate::faulty::stage::{self, Scale};
use crate::faulty::subject;
use crate::faulty::verdict::Row;

/// The binary under test.
pub fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_kinesis-streamer"))
}

/// Runs at once; they mostly wait.
const AT_ONCE: usize = 8;

#[test]
fn no_fault_makes_ledger_witness_and_stream_disagree() {
    let mut scenarios = scenarios::all();
    if let Err(why) = subject::private_names() {
        eprintln!(
            "skipped: a name without an address, because a process here can have no names of its own: {why}"
        );
        scenarios.retain(|scenario| scenario.action != Action::NoName);
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut rows: Vec<Result<Row, String>> = Vec::new();
        while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
            let row = stage::play(binary(), scenario, Scale::Short);
            rows.push(row.map_err(|error| format!("{}: {error}", scenario.name)));
        }
        rows
    };
    let rows: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect()
    });
    assert_eq!(rows.len(), scenarios.len());
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|row| match row {
            Err(error) => Some(error.clone()),
            Ok(row) if !row.agrees() => Some(format!("{}: {:?} in {row:?}", row.name, row.problems)),
            Ok(_) => None,
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
