//! A long run at a high rate with random faults: memory stays flat, and the sums are right at the end.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use super::faulty::action;
use super::faulty::fault::Weather;
use super::faulty::scenarios;
use super::faulty::stage::{PATIENCE, Stage};
use super::faulty::verdict::Row;

/// How long one kind of weather lasts at most.
const LONGEST: Duration = Duration::from_secs(8);

/// When memory is taken for settled: every buffer of the window has been used by then.
const SETTLED: Duration = Duration::from_secs(60);

/// What resident memory may grow by after that, until every place of the window has been full: a share, and the
/// noise of an allocator in bytes.
const GROWTH: (f64, f64) = (1.2, 8e6);

/// Runs for `length` with `rate` records a second; whether everything was right.
pub fn run(binary: &Path, length: Duration, rate: u32) -> Result<bool, Box<dyn Error>> {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    eprintln!("soak of {length:?} at {rate} records/s, seed of the weather {seed}");
    let scenario = scenarios::soak(rate);
    let mut stage = Stage::open(binary, &scenario)?;
    stage.wait_for_records(scenario.records_before)?;
    let (begun, kinds) = (Instant::now(), action::all_kinds());
    let mut memory: Vec<(Duration, u64)> = Vec::new();
    while begun.elapsed() < length {
        // Three kinds at once, in every how-many-th request; or the endpoint is away for a moment.
        let lasts = LONGEST.mul_f64(random.f64());
        if random.u8(0..20) == 0 {
            stage.proxy.close();
            stage.wait(lasts.min(Duration::from_secs(3)))?;
            stage.proxy.listen()?;
        } else {
            let faults = (0..3).map(|_| kinds[random.usize(0..kinds.len())]).collect();
            stage.proxy.set(Weather { faults, every: random.u64(2..20), ..Weather::calm() });
            stage.wait(lasts)?;
        }
        stage.proxy.set(Weather::calm());
        stage.wait(Duration::from_secs(1))?;
        if !stage.subject.glance()? {
            return Err(format!("it ended in mid-run: {}", stage.subject.log()).into());
        }
        memory.extend(stage.subject.resident().map(|bytes| (begun.elapsed(), bytes)));
    }
    let asked = Instant::now();
    stage.subject.signal("TERM")?;
    let (ended, peak, proxy) = stage.end()?;
    let mut row = Row::new(&scenario, length, &ended, peak, &proxy.witness(), asked.elapsed().min(PATIENCE));
    let settled = SETTLED.min(length / 2);
    let most = |when: &dyn Fn(Duration) -> bool| {
        let seen = memory.iter().filter(|(at, _)| when(*at)).map(|(_, bytes)| *bytes as f64);
        seen.fold(0.0, f64::max)
    };
    let (early, late) = (most(&|at| at <= settled), most(&|at| at > settled));
    println!(
        "{} records due, {} dropped, {} sent, {} failed, {} unknown ({} of them held), {} perhaps twice, {} held twice; {}",
        row.due,
        row.dropped,
        row.sent,
        row.failed,
        row.unknown,
        row.sums.unknown_held,
        row.perhaps_twice,
        row.sums.twice,
        row.reasons
    );
    println!(
        "resident at most {:.1} MB in the first {} s, {:.1} MB after; {} requests",
        early / 1e6,
        settled.as_secs(),
        late / 1e6,
        row.requests.0
    );
    if late > early * GROWTH.0 + GROWTH.1 {
        row.problems.push("memory is not flat".to_owned());
    }
    row.problems.iter().for_each(|problem| eprintln!("WRONG: {problem}"));
    Ok(row.agrees())
}
