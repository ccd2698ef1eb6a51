//! Several producers on one stream, in simulated time: what each model tells against what happened.

use std::time::Duration;

use proptest::prelude::*;

use super::{Model, Rates, Seen, ShardLimiter, ShardThrottles};
use crate::kinesis::ShardId;

/// How long a simulation is. An estimate is the better the longer it is: over twenty seconds, one of some hundred
/// producers of large records is off by more than a tenth.
const SECONDS: u64 = 80;

/// A producer that puts requests of `records` at random moments, `rate` records a second to each shard.
#[derive(Debug, Clone, Copy)]
struct Producer {
    rate: f64,
    records: u64,
    bytes: u64,
}

/// One request to one shard on its way.
struct Request {
    producer: usize,
    shard: usize,
    called: Duration,
    arrives: Duration,
    answered: Duration,
    seen: Seen,
}

/// What a producer's model told of a shard, and what was true.
struct Judged {
    told: ShardThrottles,
    throttled: u64,
    /// Records a second, and bytes, that others had stored between this producer's first and last throttle.
    others: (f64, f64),
}

/// Runs them for [`SECONDS`]; flights take up to `flight` each way.
fn simulate(producers: &[Producer], shards: usize, flight: Duration, seed: u64) -> Vec<Vec<Judged>> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut requests = Vec::new();
    for (which, producer) in producers.iter().enumerate() {
        for shard in 0..shards {
            let mut now = 0.0;
            loop {
                now -= (1.0 - random.f64()).ln() * producer.records as f64 / producer.rate;
                if now > SECONDS as f64 {
                    break;
                }
                let called = Duration::from_secs_f64(now);
                let arrives = called + flight.mul_f64(random.f64());
                let answered = arrives + flight.mul_f64(random.f64());
                let seen = Seen::default();
                requests.push(Request { producer: which, shard, called, arrives, answered, seen });
            }
        }
    }
    requests.sort_by_key(|request| request.arrives);
    let mut limiters = vec![ShardLimiter::new(Duration::ZERO); shards];
    for request in &mut requests {
        let Producer { records, bytes, .. } = producers[request.producer];
        for _ in 0..records {
            match limiters[request.shard].take(request.arrives, bytes) {
                Ok(()) => {
                    request.seen.sent += 1;
                    request.seen.sent_bytes += bytes;
                }
                Err(_) => {
                    request.seen.throttled += 1;
                    request.seen.throttled_bytes += bytes;
                }
            }
        }
    }
    let mut judged: Vec<Vec<Judged>> = Vec::new();
    for which in 0..producers.len() {
        let mut model = Model::new(Rates::AWS);
        let mut own: Vec<&Request> = requests.iter().filter(|request| request.producer == which).collect();
        own.sort_by_key(|request| request.answered);
        let mut told = vec![ShardThrottles::default(); shards];
        let mut take = |news: Vec<(ShardId, ShardThrottles)>| {
            news.into_iter().for_each(|(shard, throttles)| told[shard.0 as usize] = throttles);
        };
        for request in &own {
            model.feed(request.called, request.answered, ShardId(request.shard as u64), request.seen);
            take(model.judge(request.answered));
        }
        take(model.conclude());
        let of_shard = |shard: usize| {
            let throttles = || own.iter().filter(move |one| one.shard == shard && one.seen.throttled > 0);
            let ends = throttles().map(|one| one.arrives).min().zip(throttles().map(|one| one.arrives).max());
            let (first, last) = ends.unwrap_or_default();
            let others = requests.iter().filter(|one| {
                one.producer != which && one.shard == shard && first < one.arrives && one.arrives <= last
            });
            let (records, bytes) =
                others.fold((0, 0), |sum, one| (sum.0 + one.seen.sent, sum.1 + one.seen.sent_bytes));
            let seconds = (last - first).as_secs_f64().max(1e-9);
            Judged {
                told: told[shard],
                throttled: throttles().map(|one| one.seen.throttled).sum(),
                others: (records as f64 / seconds, bytes as f64 / seconds),
            }
        };
        judged.push((0..shards).map(of_shard).collect());
    }
    judged
}

fn assert_all_charged(judged: &Judged) {
    let told = &judged.told;
    assert_eq!(told.by_records + told.by_bytes + told.by_others, judged.throttled);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    // Law: three producers of one record size that together offer a shard 20 % more than it takes, or much more, each
    // estimate what the other two had stored to within a tenth, in records and in bytes, on each of some shards; and
    // charge to others what their own records do not explain.
    #[test]
    fn three_producers_estimate_one_another_within_a_tenth(
        rates in [0.8_f64..3.0, 0.8_f64..3.0, 0.8_f64..3.0], large: bool, records in 1_u64..40,
        shards in 1_usize..4, flight_ms in 0_u64..60, seed: u64,
    ) {
        let (bytes, limit) = if large { (10_240, 102.4) } else { (200, 1_000.0) };
        let scale = limit * 1.2 / rates.iter().sum::<f64>().min(rates.iter().fold(f64::MAX, |a, &b| a.min(b)) * 3.0);
        let producers = rates.map(|rate| Producer { rate: rate * scale, records: records.min(if large { 4 } else { 40 }), bytes });
        for (which, shards) in simulate(&producers, shards, Duration::from_millis(flight_ms), seed).iter().enumerate() {
            for judged in shards {
                assert_all_charged(judged);
                let (records, in_bytes) = judged.others;
                let told = judged.told.others.records_per_second().expect("it was throttled");
                prop_assert!((told / records - 1.0).abs() < 0.1, "{which}: {told} records/s, in truth {records}");
                let told = judged.told.others.bytes_per_second().expect("it was throttled");
                prop_assert!((told / in_bytes - 1.0).abs() < 0.1, "{which}: {told} B/s, in truth {in_bytes}");
                let share = judged.told.by_others as f64 / judged.throttled as f64;
                prop_assert!(share > 0.8, "{which}: {share} of {} charged to others", judged.throttled);
                prop_assert!(judged.told.others.is_certain());
            }
        }
    }

    // Law: who is alone on a stream and offers more than it takes charges nothing to others, whatever the flights, and
    // sees others of less than a hundredth of the limit, or says that it is not certain.
    #[test]
    fn who_is_alone_charges_itself(
        over in 1.05_f64..5.0, large: bool, records in 1_u64..100, flight_ms in 0_u64..80, seed: u64,
    ) {
        let (bytes, limit) = if large { (10_240, 102.4) } else { (200, 1_000.0) };
        let alone = Producer { rate: limit * over, records: records.min(if large { 10 } else { 100 }), bytes };
        for judged in simulate(&[alone], 2, Duration::from_millis(flight_ms), seed).iter().flatten() {
            assert_all_charged(judged);
            let told = &judged.told;
            prop_assert_eq!(told.by_others, 0);
            prop_assert_eq!(if large { told.by_records } else { told.by_bytes }, 0);
            prop_assert!(!told.others.is_certain(), "{:?}", told.others);
        }
    }
}
