//! The targets that are not a ratio of clients: memory, time, small requests, start-up, a second core.
//!
//! Each function runs the real program once or several times and returns rows of target and measured value.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use super::child::{self, Seen};
use super::numbers::{grouped, median, megabytes, quantile};
use super::process::Cores;
use super::rounds::{BATCH, CLIENT, Contender, Row, of};
use super::sink::{Arrival, Sink};

/// One target and what was measured.
#[derive(Debug)]
pub struct Figure {
    /// What it is about.
    pub what: String,
    /// The target.
    pub wanted: String,
    /// The measured value.
    pub measured: String,
    /// Whether the target was met; none where there is no target.
    pub met: Option<bool>,
}

fn figure(what: &str, wanted: &str, measured: String, met: bool) -> Figure {
    Figure { what: what.to_owned(), wanted: wanted.to_owned(), measured, met: Some(met) }
}

fn note(what: &str, measured: String) -> Figure {
    Figure { what: what.to_owned(), wanted: "–".to_owned(), measured, met: None }
}

/// What the rounds mean for the targets.
pub fn of_rounds(rows: &[Row]) -> io::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let paced = (of(rows, Contender::PacedFloor)?, of(rows, Contender::PacedSdk)?);
    let flat_out = (of(rows, Contender::Floor)?, of(rows, Contender::Sdk)?);
    let all = [
        (Contender::Steady, "at 200,000 records/s", paced, "at the same rate"),
        (Contender::FlatOut, "flat out", flat_out, "flat out"),
    ];
    for (contender, load, (floor, sdk), rate) in all {
        let row = of(rows, contender)?;
        let ratio: Vec<f64> =
            row.outside.iter().zip(&floor.outside).map(|(own, floor)| own / floor).collect();
        let ratio = median(&ratio);
        let times: Vec<f64> = sdk.outside.iter().zip(&row.outside).map(|(sdk, own)| sdk / own).collect();
        let rest: Vec<f64> = row.outside.iter().zip(&floor.outside).map(|(own, floor)| own - floor).collect();
        let (times, rest) = (median(&times), median(&rest));
        figures.extend([
            figure(
                &format!("CPU per record {load}, × the floor {rate}"),
                "≤ 1.5 (aim 1.2)",
                format!("{ratio:.2}"),
                ratio <= 1.5,
            ),
            figure(
                &format!("records per CPU second {load}, × SDK {rate}"),
                "≥ 2",
                format!("{times:.2}"),
                times >= 2.0,
            ),
            figure(
                &format!("CPU per record {load}, less the floor {rate}"),
                "≤ 400 ns",
                format!("{rest:.0} ns"),
                rest <= 400.0,
            ),
        ]);
    }
    Ok(figures)
}

/// Measures one thing and tells its figures.
type Measure = fn(&Bench<'_>) -> io::Result<Vec<Figure>>;

/// The program under other loads than those of the rounds.
pub fn of_the_program(sink: &Sink, binary: &Path) -> io::Result<Vec<Figure>> {
    let bench = Bench { sink, binary };
    let mut figures = Vec::new();
    let measures: [(&str, Measure); 8] = [
        ("small requests", small_requests),
        ("memory", memory),
        ("ten thousand jobs", many_jobs),
        ("bursts", bursts),
        ("smooth", smooth),
        ("idle", idle),
        ("start-up", start_up),
        ("two cores", two_cores),
    ];
    for (name, measure) in measures {
        eprintln!("{name}");
        figures.extend(measure(&bench)?);
    }
    let size = std::fs::metadata(binary)?.len() as f64;
    figures.push(figure("size of the binary, stripped", "≤ 15 MB", megabytes(size), size <= 15e6));
    Ok(figures)
}

struct Bench<'a> {
    sink: &'a Sink,
    binary: &'a Path,
}

impl Bench<'_> {
    fn run(&self, cores: Cores, jobs: u32, messages: u32, pacing: &str, seconds: u64) -> io::Result<Seen> {
        let (jobs, messages, length) = (jobs.to_string(), messages.to_string(), format!("{seconds}s"));
        let load = ["--jobs", &jobs, "--messages", &messages, "--pacing", pacing, "--duration", &length];
        let command = child::program(self.binary, self.sink, &load);
        child::run(command, cores, self.sink, Duration::from_secs(seconds))
    }
}

fn small_requests(bench: &Bench<'_>) -> io::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for pacing in ["smooth", "burst"] {
        let runs = (0..3).map(|_| bench.run(CLIENT, 1_000, 10, pacing, 5)).collect::<io::Result<Vec<_>>>()?;
        let each = |seen: &Seen| seen.steady().as_nanos() as f64 / seen.arrivals.len() as f64 / 1e3;
        let cost = median(&runs.iter().map(each).collect::<Vec<_>>());
        let what = format!("CPU per request of 10 records, 1,000 jobs, {pacing}");
        figures.push(figure(&what, "≤ 60 µs", format!("{cost:.1} µs"), cost <= 60.0));
    }
    for (role, load) in [("floor", "flat out"), ("floor-1000-a-second", "one each millisecond")] {
        let command = child::own(role, bench.sink, 4.0, 10)?;
        let seen = child::run(command, CLIENT, bench.sink, Duration::from_secs(4))?;
        let cost = seen.steady().as_nanos() as f64 / seen.arrivals.len() as f64 / 1e3;
        figures.push(note(&format!("the same of the floor, {load}"), format!("{cost:.1} µs")));
    }
    Ok(figures)
}

fn memory(bench: &Bench<'_>) -> io::Result<Vec<Figure>> {
    let seen = bench.run(CLIENT, 600, 500, "smooth", 15)?;
    let [early, late, peak] =
        [seen.early_memory, seen.late_memory, seen.peak_memory].map(|bytes| bytes as f64);
    let flat = late <= early * 1.1;
    let dropped = seen.counts["dropped"].as_u64().unwrap_or(0);
    Ok(vec![
        figure("resident at 300,000 records/s, peak", "≤ 60 MB", megabytes(peak), peak <= 60e6),
        figure(
            "the same after 3 s and after 15 s",
            "flat",
            format!("{} and {}", megabytes(early), megabytes(late)),
            flat,
        ),
        note("records dropped then", grouped(dropped as f64)),
    ])
}

fn many_jobs(bench: &Bench<'_>) -> io::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for pacing in ["burst", "smooth"] {
        let seen = bench.run(CLIENT, 10_000, 1, pacing, 8)?;
        let count = |name: &str| seen.counts[name].as_u64().unwrap_or(u64::MAX);
        let (missed, dropped, peak) = (count("ticks_missed"), count("dropped"), seen.peak_memory as f64);
        figures.extend([
            figure(
                &format!("10,000 jobs × 1, {pacing}: ticks missed, records dropped"),
                "0",
                format!("{missed}, {dropped} of {}", grouped(count("due") as f64)),
                missed == 0 && dropped == 0,
            ),
            figure(
                &format!("10,000 jobs × 1, {pacing}: resident, peak"),
                "≤ 150 MB",
                megabytes(peak),
                peak <= 150e6,
            ),
        ]);
    }
    Ok(figures)
}

/// Milliseconds from the full second to each request, as the sink sees them.
fn offsets(arrivals: &[Arrival]) -> Vec<f64> {
    arrivals.iter().map(|arrival| f64::from(arrival.at.subsec_micros()) / 1e3).collect()
}

fn bursts(bench: &Bench<'_>) -> io::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for messages in [1, 10] {
        let arrivals = bench.run(CLIENT, 1_000, messages, "burst", 30)?.arrivals;
        let shown = |late: &[f64]| {
            let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|share| quantile(late, share));
            (format!("{p50:.1} / {p99:.1} / {p999:.1} ms"), p99 <= 5.0 && p999 <= 20.0)
        };
        let mut seconds = std::collections::BTreeMap::new();
        for arrival in &arrivals {
            seconds.entry(arrival.at.as_secs()).or_insert(arrival.at);
        }
        let first: Vec<f64> = seconds.values().map(|at| f64::from(at.subsec_micros()) / 1e3).collect();
        let (text, met) = shown(&first);
        let what = format!("burst, 1,000 jobs × {messages}: second to its first record, p50 / p99 / p99.9");
        figures.push(figure(&what, "p99 ≤ 5 ms, p99.9 ≤ 20 ms", text, met));
        let what = format!("the same of all {} records", grouped(f64::from(1_000 * messages)));
        figures.push(note(&what, shown(&offsets(&arrivals)).0));
    }
    Ok(figures)
}

fn smooth(bench: &Bench<'_>) -> io::Result<Vec<Figure>> {
    let steady = ["--jobs", "200", "--messages", "500", "--pacing", "smooth", "--duration", "10s"];
    let ramp = ["--jobs", "200", "--profile", "ramp:50000..150000/10s", "--pacing", "smooth"];
    Ok(vec![
        in_bins(bench, "100,000 records/s", &steady, |_| 100_000.0)?,
        in_bins(bench, "profile ramp:50000..150000/10s", &ramp, |seconds| 50_000.0 + 10_000.0 * seconds)?,
    ])
}

/// Whether what arrives in bins of 10 ms is what `wanted` says, in records a second, so many seconds after the first.
fn in_bins(bench: &Bench<'_>, what: &str, load: &[&str], wanted: fn(f64) -> f64) -> io::Result<Figure> {
    const BIN: u128 = 10; // milliseconds
    let command = child::program(bench.binary, bench.sink, load);
    let arrivals = child::run(command, CLIENT, bench.sink, Duration::from_secs(10))?.arrivals;
    let bin = |arrival: &Arrival| arrival.at.as_millis() / BIN;
    let begin = arrivals.first().map_or(0.0, |arrival| arrival.at.as_secs_f64());
    // The first and the last second are begun and ended in the middle of a bin.
    let first = arrivals.first().map_or(0, bin) + 100;
    let last = arrivals.last().map_or(0, bin).saturating_sub(100);
    let mut bins = vec![0_u32; last.saturating_sub(first) as usize];
    for arrival in &arrivals {
        if (first..last).contains(&bin(arrival)) {
            bins[(bin(arrival) - first) as usize] += arrival.records;
        }
    }
    let off = |(index, &records): (usize, &u32)| {
        let middle = (first as f64 + index as f64 + 0.5) / 100.0 - begin;
        (f64::from(records) / (wanted(middle) / 100.0) - 1.0).abs()
    };
    let off: Vec<f64> = bins.iter().enumerate().map(off).collect();
    let good = off.iter().filter(|&&off| off <= 0.1).count();
    Ok(figure(
        &format!("smooth, {what}: bins of 10 ms within 10 %, at the sink"),
        "all",
        format!("{good} of {} (worst off by {:.0} %)", bins.len(), quantile(&off, 1.0) * 100.0),
        good == bins.len(),
    ))
}

fn idle(bench: &Bench<'_>) -> io::Result<Vec<Figure>> {
    let seen = bench.run(CLIENT, 10, 10, "burst", 20)?;
    let share = seen.steady().as_secs_f64() / 20.0 * 100.0;
    Ok(vec![
        figure("CPU at 10 × 10, of a core", "< 1 %", format!("{share:.2} %"), share < 1.0),
        note("resident at 10 × 10, peak", megabytes(seen.peak_memory as f64)),
    ])
}

/// From the start of the process with an embedded stream until it says that records are released.
fn start_up(bench: &Bench<'_>) -> io::Result<Vec<Figure>> {
    let times = (0..10).map(|_| until_ready(bench.binary)).collect::<io::Result<Vec<_>>>()?;
    let (time, most) = (median(&times), quantile(&times, 1.0));
    Ok(vec![figure(
        "start to ready with the embedded stream, median of 10 (most)",
        "≤ 150 ms",
        format!("{time:.0} ({most:.0}) ms"),
        time <= 150.0,
    )])
}

fn until_ready(binary: &Path) -> io::Result<f64> {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let command = child::bare(binary, &["--local", "--log", "error", "--listen", &address.to_string()]);
    let begun = Instant::now();
    let mut child = child::spawn(command, Cores::Both)?;
    let asked = loop {
        if is_ready(address).unwrap_or(false) {
            break Ok(begun.elapsed().as_secs_f64() * 1e3);
        }
        if begun.elapsed() > Duration::from_secs(10) {
            break Err(io::Error::other("the program was not ready within ten seconds"));
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    child.kill()?;
    child.wait()?;
    asked
}

fn is_ready(address: std::net::SocketAddr) -> io::Result<bool> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 200"))
}

/// The same load flat out on one core and on two. With two, the sink has to run on them as well: the CPU time
/// that it took is taken off what the program had.
fn two_cores(bench: &Bench<'_>) -> io::Result<Vec<Figure>> {
    const SECONDS: u64 = 4;
    let program = |cores| bench.run(cores, 10_000, 500, "smooth", SECONDS);
    // What the machine makes of two busy cores, whoever keeps them busy: its four threads share nothing.
    let floor = |cores| {
        let command = child::own("floor", bench.sink, SECONDS as f64, BATCH)?;
        child::run(command, cores, bench.sink, Duration::from_secs(SECONDS))
    };
    let (times, cost) = on_two_cores(bench.sink, &program)?;
    let (floor_times, floor_cost) = on_two_cores(bench.sink, &floor)?;
    let what = "records/s on two cores, × one core, the sink's CPU time excluded";
    Ok(vec![
        figure(what, "≥ 1.8", format!("{times:.2}"), times >= 1.8),
        note("the same of the floor", format!("{floor_times:.2}")),
        // Less touched by whatever else runs on the cores: 1.00 would be a perfect second core.
        note("CPU per record on two cores, × one core", format!("{cost:.2}")),
        note("the same of the floor", format!("{floor_cost:.2}")),
    ])
}

/// Records/s, and CPU per record, on two cores as multiples of those on one.
fn on_two_cores(sink: &Sink, run: &dyn Fn(Cores) -> io::Result<Seen>) -> io::Result<(f64, f64)> {
    let (mut times, mut costs) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let one = run(CLIENT)?;
        sink.pin(Cores::Both)?;
        let two = run(Cores::Both);
        sink.pin(Cores::One(0))?;
        let two = two?;
        let rate = |seen: &Seen, sink: Duration| {
            seen.records() as f64 / (seen.span().as_secs_f64() - sink.as_secs_f64() / 2.0)
        };
        times.push(rate(&two, two.sink_cpu) / rate(&one, Duration::ZERO));
        costs.push(two.nanos_per_record() / one.nanos_per_record());
    }
    Ok((median(&times), median(&costs)))
}
