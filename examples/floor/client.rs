//! A client process: does one kind of work against the sink, and says at its end what it cost from inside.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{process, raw, sdk};

/// Requests under way at once, each on a connection of its own.
pub const CONNECTIONS: usize = 4;

/// What is not measured from inside: connecting, and the first requests.
const WARM_UP: Duration = Duration::from_millis(300);

/// What a client is asked to do.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// Where the sink listens.
    pub port: u16,
    /// Records in each request.
    pub records: usize,
    /// When to stop.
    pub end: Instant,
}

/// What a client has done so far.
#[derive(Debug, Default)]
pub struct Work {
    /// Records answered.
    pub records: AtomicU64,
}

/// Plays `role` and prints the CPU time per record in nanoseconds, from inside and without the warm-up.
pub fn play(role: &str, port: u16, seconds: f64, records: usize) -> Result<(), Box<dyn Error>> {
    let order = Order { port, records, end: Instant::now() + WARM_UP + Duration::from_secs_f64(seconds) };
    let work = Arc::new(Work::default());
    let (before, warm) = std::thread::scope(|scope| {
        let client = scope.spawn(|| match role {
            "ceiling" => raw::run(&order, raw::Kind::Ceiling, &work),
            "floor" => raw::run(&order, raw::Kind::Floor, &work),
            "floor-sdk-hash" => raw::run(&order, raw::Kind::SdkHash, &work),
            "floor-1000-a-second" => raw::run(&order, raw::Kind::Paced(Duration::from_millis(1)), &work),
            "floor-400-a-second" => raw::run(&order, raw::Kind::Paced(Duration::from_micros(2_500)), &work),
            "sdk" => sdk::run(&order, None, &work),
            "sdk-400-a-second" => sdk::run(&order, Some(Duration::from_micros(2_500)), &work),
            _ => Err(std::io::Error::other(format!("there is no client {role}"))),
        });
        std::thread::sleep(WARM_UP);
        let mark = (process::own_cpu(), work.records.load(Ordering::Relaxed));
        client.join().map_err(|_| std::io::Error::other("the client panicked"))??;
        Ok::<_, std::io::Error>(mark)
    })?;
    let cpu = process::own_cpu()?.saturating_sub(before?);
    let done = work.records.load(Ordering::Relaxed) - warm;
    println!("{}", cpu.as_nanos() as f64 / done as f64);
    Ok(())
}
