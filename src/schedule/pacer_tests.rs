//! The pacer's claims: laws over what happens to clocks and threads, and what is told of each second.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::schedule::profile::{Line, Profile};
use crate::schedule::{MICRO, Shaped, Unit, WHOLE};

/// The most time between reading one clock and the other.
const JITTER: Duration = Duration::from_micros(300);

/// A world whose two clocks are moved by hand.
struct World {
    pacer: Pacer,
    wall: Duration,
    mono: Instant,
    /// Between reading the one clock and the other some time passes, each time another.
    jitter: fastrand::Rng,
}

impl World {
    fn new(plan: Plan) -> Self {
        let (wall, mono) = (Duration::from_millis(1_000_400), Instant::now());
        Self { pacer: Pacer::new(plan, wall, mono), wall, mono, jitter: fastrand::Rng::with_seed(0) }
    }

    fn jitter(&mut self) -> Duration {
        Duration::from_micros(self.jitter.u64(0..=JITTER.as_micros() as u64))
    }

    fn pass(&mut self, time: Duration) {
        self.wall += time;
        self.mono += time;
    }

    /// Everything that happens until `Wait` or `Finished`, which comes last.
    fn steps(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        loop {
            self.pacer.announce(self.wall);
            let wall = self.wall - self.jitter();
            let step = self.pacer.step(wall, self.mono);
            steps.push(step);
            if matches!(step, Step::Wait(_) | Step::Finished) {
                return steps;
            }
        }
    }

    /// Runs to the end, waking exactly when asked to; the releases with their offset from the start.
    fn run(&mut self) -> Vec<(Duration, Release)> {
        let start = self.mono;
        let mut releases = Vec::new();
        loop {
            for step in self.steps() {
                match step {
                    Step::Release(release) => {
                        assert!(release.due <= self.mono, "released when due");
                        assert!(self.mono - release.due <= 2 * JITTER, "and not later");
                        releases.push((release.due - start, release));
                    }
                    Step::Wait(until) => {
                        assert!(until > self.mono, "a wait leads on");
                        self.pass(until - self.mono);
                    }
                    Step::Finished => return releases,
                    other => panic!("{other:?}"),
                }
            }
        }
    }
}

fn plan(jobs: u32, messages: u32, pacing: Pacing) -> Plan {
    Plan {
        cron: "* * * * * *".parse().expect("legal"),
        jobs,
        offer: Offer::Tick { messages },
        share: Share::WHOLE,
        weighing: Weighing::new(1, 100),
        pacing,
        start_at: None,
        duration: None,
        max_records: None,
        slice_records: 500,
        seed: 7,
    }
}

proptest! {
    // A run of d seconds has exactly d × jobs × messages records due, whatever the pacing; the first are due
    // with the next full second and none after the end.
    #[test]
    fn a_run_releases_exactly_its_seconds(
        jobs in 1_u32..20, messages in 1_u32..50, seconds in 1_u64..5,
        pacing in prop_oneof![Just(Pacing::Burst), Just(Pacing::Smooth), Just(Pacing::Poisson), Just(Pacing::Stagger)],
    ) {
        let duration = Some(Duration::from_secs(seconds));
        let mut world = World::new(Plan { duration, ..plan(jobs, messages, pacing) });
        let (wall, mono) = (world.wall, world.mono);
        let releases = world.run();
        let records: u64 = releases.iter().map(|(_, release)| u64::from(release.records)).sum();
        prop_assert_eq!(records, seconds * u64::from(jobs) * u64::from(messages));
        let ticks = releases.iter().filter(|(_, release)| release.first).count() as u64;
        prop_assert_eq!(ticks, seconds * u64::from(jobs));
        let (first, last) = (releases[0].1, releases[releases.len() - 1].1);
        prop_assert!(first.due_millis >= 1_001_000 && last.due_millis < 1_001_000 + seconds * 1_000);
        let apart = (wall + (last.due - mono)).abs_diff(Duration::from_millis(last.due_millis));
        prop_assert!(apart <= Duration::from_millis(1) + JITTER, "both clocks agree: {:?}", apart);
        let took = world.mono - mono - Duration::from_millis(600);
        prop_assert!(took.abs_diff(Duration::from_secs(seconds)) <= 2 * JITTER, "{:?}", took);
    }

    // However long the thread sleeps, every second's records are released or counted as missed, once.
    #[test]
    fn a_late_thread_loses_no_second_in_silence(naps in proptest::collection::vec(0_u64..5_000, 1..40)) {
        let mut world = World::new(plan(3, 10, Pacing::Smooth));
        let mut accounted = 0;
        for nap in naps {
            world.pass(Duration::from_millis(nap));
            for step in world.steps() {
                match step {
                    Step::Release(release) => accounted += u64::from(release.records),
                    Step::Missed { records, .. } => accounted += records,
                    _ => {}
                }
            }
        }
        let over = (world.wall.as_millis() as u64 - 1_001_000.min(world.wall.as_millis() as u64)) / 1_000;
        prop_assert!(accounted >= over * 30 && accounted <= (over + 1) * 30, "{accounted} in {over} seconds");
    }
}

proptest! {
    // However the thread is woken, what is due before the end of the run is released or missed, to the record.
    #[test]
    fn the_end_of_a_run_loses_no_record(
        naps in proptest::collection::vec(0_u64..3_000, 1..200), jobs in 1_u32..5, messages in 1_u32..40,
        millis in 1_u64..4_000, stops: bool,
        pacing in prop_oneof![Just(Pacing::Burst), Just(Pacing::Smooth), Just(Pacing::Poisson), Just(Pacing::Stagger)],
    ) {
        let quota = Quota::each(jobs, messages);
        let duration = (!stops).then(|| Duration::from_millis(millis));
        let mut world = World::new(Plan { duration, ..plan(jobs, messages, pacing) });
        let (start, mut accounted) = (world.mono + Duration::from_millis(600), 0);
        let end = start + Duration::from_millis(millis);
        let mut naps = naps.into_iter().cycle();
        'run: loop {
            if stops && world.mono >= end {
                world.pacer.stop(end);
            }
            for step in world.steps() {
                match step {
                    Step::Release(release) => accounted += u64::from(release.records),
                    Step::Missed { records, .. } => accounted += records,
                    Step::Finished => break 'run,
                    _ => {}
                }
            }
            // Never past the stop, so that nothing later is released before it is told.
            let nap = Duration::from_millis(naps.next().expect("endless") + 1);
            let nap = if stops && world.mono < end { nap.min(end - world.mono) } else { nap };
            world.pass(nap);
        }
        let mut due = 0;
        for second in 0..=millis / 1_000 {
            let seed = 7 ^ (1_001 + second).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let begin = start + Duration::from_secs(second);
            due += Arrivals::new(quota, Curve::Even, pacing, 500, seed)
                .filter(|slice| begin + slice.offset < end)
                .map(|slice| u64::from(slice.records))
                .sum::<u64>();
        }
        // A stop by hand may come just before or after a slice that is due at that very moment.
        let most = if stops { quota.records() } else { 0 };
        prop_assert!(accounted.abs_diff(due) <= most, "{accounted} of {due}");
    }
}

/// Something that happens to a machine's clocks.
#[derive(Debug, Clone, Copy)]
enum Happening {
    /// Both go on, and the thread is asleep meanwhile.
    Nap(u64),
    /// The wall clock is set, forward or back.
    Set(i64),
    /// The machine is suspended: the wall clock goes on, the monotonic one stands still.
    Suspended(u64),
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let hour = 3_600_000_i64;
    let one = prop_oneof![
        6 => (1_u64..1_500).prop_map(Happening::Nap),
        1 => (1_500_u64..8_000).prop_map(Happening::Nap),
        1 => (-900_i64..900).prop_map(Happening::Set),
        1 => (-hour..hour).prop_map(Happening::Set),
        1 => prop_oneof![Just(-hour), Just(hour), Just(-1_001), Just(1_001)].prop_map(Happening::Set),
        1 => (0_u64..7_200_000).prop_map(Happening::Suspended),
    ];
    proptest::collection::vec(one, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    // Whatever is done to the clocks: between two steps each second of the wall clock that came is released or
    // missed exactly once, in order, so that nothing is sent twice and no wait is made up for by a flood. A
    // second is released while it is the current one, and after a step the schedule goes on with the next one.
    #[test]
    fn no_step_and_no_sleep_makes_a_flood_a_stall_or_a_second_twice(happenings in happenings()) {
        const START: Duration = Duration::from_secs(1_000_000);
        let (jobs, messages) = (2, 3);
        let mono = Instant::now();
        let mut pacer = Pacer::new(plan(jobs, messages, Pacing::Burst), START, mono);
        let (mut wall, mut mono) = (START, mono);
        // Since the last step: the second in which it was, the latest one seen, and the seconds accounted for.
        let (mut from, mut latest, mut accounted, mut before) = (START.as_secs(), START.as_secs(), 0_u64, 0);
        for happening in happenings {
            match happening {
                Happening::Nap(millis) => {
                    wall += Duration::from_millis(millis);
                    mono += Duration::from_millis(millis);
                }
                Happening::Set(by) => {
                    wall = Duration::from_millis((wall.as_millis() as i64 + by) as u64);
                }
                Happening::Suspended(millis) => wall += Duration::from_millis(millis),
            }
            let (now, seen) = (wall.as_secs(), latest.max(wall.as_secs()));
            let mut released = 0;
            loop {
                pacer.announce(wall);
                match pacer.step(wall, mono) {
                    Step::ClockStepped => (from, latest, accounted, before) = (now, now, 0, 0),
                    Step::Release(release) => {
                        let second = release.due_millis / 1_000;
                        prop_assert!(second >= before && second > from, "second {} again", second);
                        prop_assert!(second == now || second == seen, "second {} at {}", second, now);
                        if second > before {
                            accounted += 1;
                        }
                        (before, released) = (second, released + u64::from(release.records));
                    }
                    Step::Missed { jobs: lost, records } => {
                        prop_assert_eq!((lost, records), (jobs, u64::from(jobs * messages)));
                        accounted += 1;
                    }
                    Step::Wait(until) => {
                        prop_assert!(until > mono && until <= mono + SECOND, "a stall");
                        break;
                    }
                    Step::Unannounced => {}
                    Step::Finished | Step::Paused => prop_assert!(false, "a run without an end"),
                }
            }
            prop_assert!(released <= u64::from(jobs * messages), "{} at once", released);
            latest = latest.max(now);
            prop_assert_eq!(accounted, latest - from);
        }
    }
}

proptest! {
    // Whenever an instance begins, before the moment that was agreed upon or after it, its first second is the
    // first due one from then on that it can still begin, and its last is the one that all have.
    #[test]
    fn instances_that_agreed_on_a_start_have_the_same_seconds_and_the_same_end(
        at_millis in 990_000_u64..1_020_000, seconds in 1_u64..12, offset in 0_u64..3,
    ) {
        let at = Duration::from_millis(at_millis);
        let cron = format!("{offset}/3 * * * * *");
        let plan = Plan {
            cron: cron.parse().expect("legal"),
            start_at: Some(at),
            duration: Some(Duration::from_secs(seconds)),
            ..plan(1, 1, Pacing::Burst)
        };
        // The world begins at 1,000.4 s.
        let due: Vec<u64> = World::new(plan.clone()).run().iter().map(|(_, release)| release.due_millis).collect();
        let first = plan.cron.next_after(at_millis.div_ceil(1_000) - 1);
        let all = (first..first + seconds).filter(|second| (second % 60) % 3 == offset);
        let expected: Vec<u64> = all.filter(|&second| second > 1_000).map(|second| second * 1_000).collect();
        prop_assert_eq!(due, expected);
    }
}

#[test]
fn a_clock_that_is_set_while_a_start_is_waited_for_moves_neither_start_nor_end() {
    let at = Duration::from_secs(1_010);
    let duration = Some(Duration::from_secs(2));
    for step in [-600_i64, 5, 3_600] {
        let mut world = World::new(Plan { start_at: Some(at), duration, ..plan(1, 1, Pacing::Burst) });
        assert!(matches!(world.steps()[..], [Step::Wait(_)]));
        world.wall = Duration::from_secs_f64(world.wall.as_secs_f64() + step as f64);
        assert_eq!(world.steps()[0], Step::ClockStepped);
        let due: Vec<u64> = world.run().iter().map(|(_, release)| release.due_millis).collect();
        let expected: &[u64] = if step > 60 { &[] } else { &[1_010_000, 1_011_000] };
        assert_eq!(due, expected, "{step}");
    }
}

#[test]
fn a_stop_while_a_start_is_waited_for_ends_the_run_at_once_with_nothing_due() {
    let mut world =
        World::new(Plan { start_at: Some(Duration::from_secs(5_000)), ..plan(1, 1, Pacing::Burst) });
    assert!(matches!(world.steps()[..], [Step::Wait(_)]));
    world.pacer.stop(world.mono);
    assert_eq!(world.steps(), [Step::Finished]);
}

#[test]
fn the_last_slice_is_cut_so_that_max_records_is_exact() {
    let mut world = World::new(Plan { max_records: Some(25), ..plan(2, 10, Pacing::Burst) });
    let records: Vec<u32> = world.run().iter().map(|(_, release)| release.records).collect();
    assert_eq!(records, [10, 10, 5]);
}

#[test]
fn a_duration_may_end_inside_a_second() {
    let duration = Some(Duration::from_millis(500));
    let mut world = World::new(Plan { duration, ..plan(1, 100, Pacing::Smooth) });
    let records: u32 = world.run().iter().map(|(_, release)| release.records).sum();
    assert_eq!(records, 50);
}

/// From 0 to 100 records/s within 100 s: the second after t has t or t + 1.
fn ramp(pacing: Pacing) -> Plan {
    let line = Line::default().then(100_000, 0, 100 * MICRO);
    let profile = Arc::new(Profile::of("ramp", Unit::Records, line));
    let shaped = Shaped::new(profile, "1/s".parse().expect("a rate"));
    Plan { offer: Offer::Shaped(shaped), ..plan(7, 1, pacing) }
}

proptest! {
    // However long the thread sleeps, what a profile has due by the second that is going on is released or missed.
    #[test]
    fn a_profile_loses_no_record_in_silence(naps in proptest::collection::vec(1_u64..4_000, 1..40)) {
        let mut world = World::new(ramp(Pacing::Smooth));
        let mut accounted = 0;
        for nap in naps {
            world.pass(Duration::from_millis(nap));
            for step in world.steps() {
                match step {
                    Step::Release(release) => accounted += u64::from(release.records),
                    Step::Missed { records, jobs } => {
                        prop_assert_eq!(u64::from(jobs), records.min(7));
                        accounted += records;
                    }
                    _ => {}
                }
            }
        }
        let over = (world.wall.as_millis() as u64).saturating_sub(1_001_000) / 1_000;
        let due = |seconds: u64| match seconds.min(100) {
            all if seconds > 100 => all * all / 2 + 100 * (seconds - 100),
            rising => rising * rising / 2,
        };
        prop_assert!((due(over)..=due(over + 1)).contains(&accounted), "{} in {} seconds", accounted, over);
    }
}

#[test]
fn after_a_step_of_the_clock_a_profile_goes_on_where_it_was() {
    for step in [-600_i64, 3_600] {
        let mut world = World::new(ramp(Pacing::Burst));
        for _ in 0..20 {
            world.steps();
            world.pass(SECOND);
        }
        world.steps();
        let before = world.pacer.intended();
        world.wall = Duration::from_secs_f64(world.wall.as_secs_f64() + step as f64);
        world.steps();
        for _ in 0..2 {
            world.pass(SECOND);
            world.steps();
        }
        let after = world.pacer.intended();
        assert!((18..=21).contains(&before) && (1..=3).contains(&(after - before)), "{before}, then {after}");
    }
}

#[test]
fn a_second_that_passed_unseen_is_missed_not_sent_late() {
    let mut world = World::new(plan(2, 5, Pacing::Burst));
    world.steps();
    world.pass(Duration::from_millis(2_700)); // 1,003.1 s: the seconds 1,001 and 1,002 are over
    let steps = world.steps();
    let missed = Step::Missed { jobs: 2, records: 10 };
    assert_eq!(steps[..2], [missed, missed]);
    assert_eq!(steps.iter().filter(|step| matches!(step, Step::Release(_))).count(), 2, "{steps:?}");
}

#[test]
fn a_step_of_the_wall_clock_neither_floods_nor_stalls() {
    for step in [-600_i64, 3_600] {
        let mut world = World::new(plan(1, 1, Pacing::Burst));
        world.steps();
        world.pass(Duration::from_secs(1));
        world.steps();
        world.wall = Duration::from_secs_f64(world.wall.as_secs_f64() + step as f64);
        world.pass(Duration::from_millis(100));
        let steps = world.steps();
        assert_eq!(steps[0], Step::ClockStepped);
        assert!(matches!(steps[1..], [Step::Wait(_)]), "no flood: {steps:?}");
        world.pass(Duration::from_secs(1));
        let released = world.steps().iter().filter(|step| matches!(step, Step::Release(_))).count();
        assert_eq!(released, 1, "no stall");
    }
}

#[test]
fn seconds_go_on_without_any_firing_and_it_is_told() {
    let mut world = World::new(plan(1, 1, Pacing::Burst));
    let (mut unannounced, mut released) = (0, 0);
    for _ in 0..600 {
        match world.pacer.step(world.wall, world.mono) {
            Step::Unannounced => unannounced += 1,
            Step::Release(_) => released += 1,
            Step::Wait(until) => world.pass(until - world.mono),
            other => panic!("{other:?}"),
        }
    }
    assert!(released > 50 && unannounced >= released - 3, "{unannounced} of {released}");
}

/// A load as it was planned, or as a profile file of two rounds of three phases has it.
fn planned(shaped: bool, pacing: Pacing) -> Plan {
    let duration = Some(Duration::from_secs(12));
    if !shaped {
        return Plan { duration, ..plan(3, 7, pacing) };
    }
    let phase = |rate: u64| (String::new(), Line::steady(rate * MICRO), Some(2_000));
    let profile = Profile::phased("steps", Unit::Records, vec![phase(10), phase(25), phase(40)], Some(2));
    let shaped = Shaped::new(Arc::new(profile), "1/s".parse().expect("a rate"));
    Plan { offer: Offer::Shaped(shaped), duration, ..plan(3, 1, pacing) }
}

proptest! {
    // Paused and resumed whenever, however often, however the thread is woken: what is offered in all is what would have
    // been without, to the record; nothing is due while it is paused, and the end moves on by as long as it stood.
    #[test]
    fn pauses_move_a_run_and_change_nothing_of_it(
        shaped: bool, naps in proptest::collection::vec(1_u64..900, 1..60),
        pauses in proptest::collection::vec((1_u64..3_000, 1_u64..4_000), 0..5),
        pacing in prop_oneof![Just(Pacing::Burst), Just(Pacing::Smooth)],
    ) {
        let whole: u64 =
            World::new(planned(shaped, pacing)).run().iter().map(|(_, release)| u64::from(release.records)).sum();
        let mut world = World::new(planned(shaped, pacing));
        let begin = world.mono;
        // Moments at which it is paused and resumed, and the seconds that this holds for.
        let mut moments = Vec::new();
        let mut at = 0;
        for (goes, stands) in pauses {
            moments.push((at + goes, Change::Pause));
            moments.push((at + goes + stands, Change::Resume));
            at += goes + stands;
        }
        let (mut naps, mut moments) = (naps.into_iter().cycle(), moments.into_iter().peekable());
        let (mut accounted, mut paused_from, mut stood) = (0, None, 0);
        'run: loop {
            for step in world.steps() {
                match step {
                    Step::Release(release) => {
                        let due = release.due_millis / 1_000;
                        prop_assert!(paused_from.is_none_or(|from| due < from), "due while paused");
                        accounted += u64::from(release.records);
                    }
                    Step::Missed { records, .. } => accounted += records,
                    Step::Finished => break 'run,
                    _ => {}
                }
            }
            let nap = naps.next().expect("endless");
            let now = (world.mono - begin).as_millis() as u64;
            match moments.peek().copied() {
                Some((moment, change)) if moment <= now + nap => {
                    moments.next();
                    world.pass(Duration::from_millis(moment.saturating_sub(now)));
                    let second = world.pacer.change(change, world.wall);
                    match (change, second, paused_from) {
                        (Change::Pause, Ok(second), _) => paused_from = Some(second),
                        (Change::Resume, Ok(second), Some(from)) => {
                            stood += second - from;
                            paused_from = None;
                        }
                        // Over before it could be paused.
                        (_, Err(NoChange::Over | NoChange::IsNotPaused), None) => {}
                        other => prop_assert!(false, "{other:?}"),
                    }
                }
                _ => world.pass(Duration::from_millis(nap)),
            }
        }
        prop_assert_eq!(accounted, whole);
        let took = (world.mono - begin).as_secs_f64();
        prop_assert!(took >= 12.6 + stood as f64 - 0.01, "{} s, of which it stood {}", took, stood);
        prop_assert!(took <= 14.6 + stood as f64, "{} s, of which it stood {}", took, stood);
    }

    // A load multiplied by hand is a function of the seconds and the changes alone: what is due in all is the plan of
    // each second times the factor that holds for it, rounded down once.
    #[test]
    fn a_load_multiplied_by_hand_is_exact(
        changes in proptest::collection::vec((1_u64..3_000, 1_u64..5_000), 0..8),
        pacing in prop_oneof![Just(Pacing::Burst), Just(Pacing::Smooth), Just(Pacing::Stagger)],
    ) {
        let mut world = World::new(planned(false, pacing));
        let begin = world.mono;
        let (mut due, mut factors, mut at) = (0_u64, vec![(0_u64, WHOLE)], 0);
        let mut moments: Vec<(u64, u64)> = Vec::new();
        for (later, factor) in changes {
            at += later;
            moments.push((at, factor));
        }
        let mut moments = moments.into_iter().peekable();
        'run: loop {
            let mut until = world.mono;
            for step in world.steps() {
                match step {
                    Step::Release(release) => due += u64::from(release.records),
                    Step::Wait(moment) => until = moment,
                    Step::Finished => break 'run,
                    other => prop_assert!(false, "{other:?}"),
                }
            }
            let now = (world.mono - begin).as_millis() as u64;
            match moments.peek().copied() {
                Some((moment, factor)) if begin + Duration::from_millis(moment) <= until => {
                    moments.next();
                    world.pass(Duration::from_millis(moment.saturating_sub(now)));
                    if let Ok(second) = world.pacer.change(Change::Rate(factor), world.wall) {
                        factors.push((second, factor));
                    }
                }
                _ => world.pass(until - world.mono),
            }
        }
        let exact: u64 = (1_001..1_013)
            .map(|second| {
                let holds = factors.iter().rev().find(|(from, _)| *from <= second).expect("one from the start");
                21 * holds.1
            })
            .sum();
        prop_assert_eq!(due, exact / WHOLE);
    }
}

/// Releases of each second, when `change` is told in the middle of one.
fn by_second(plan: Plan, told_at: u64, change: Change) -> Vec<u64> {
    let mut world = World::new(plan);
    let mut seconds = vec![0; 40];
    loop {
        for step in world.steps() {
            match step {
                Step::Release(release) => {
                    seconds[(release.due_millis / 1_000 - 1_001) as usize] += u64::from(release.records);
                }
                Step::Wait(_) => {}
                Step::Finished => {
                    while seconds.last() == Some(&0) {
                        seconds.pop();
                    }
                    return seconds;
                }
                other => panic!("{other:?}"),
            }
        }
        world.pass(Duration::from_millis(100));
        if world.wall == Duration::from_millis(told_at) {
            world.pacer.change(change, world.wall).expect("a change");
        }
    }
}

#[test]
fn the_next_phase_begins_with_the_next_second_and_the_run_ends_earlier() {
    let whole = [10, 10, 25, 25, 40, 40, 10, 10, 25, 25, 40, 40];
    let told = |second: u64| by_second(planned(true, Pacing::Burst), second * 1_000 + 500, Change::NextPhase);
    // Told in the first second of a phase, the second one is left out; told in its last, a whole phase.
    assert_eq!(told(1_001), [&whole[..1], &whole[2..]].concat());
    assert_eq!(told(1_002), [&whole[..2], &whole[4..]].concat());
    assert_eq!(told(1_006), [&whole[..6], &whole[8..]].concat(), "a round follows");
}

#[test]
fn a_duration_that_is_another_than_the_profiles_stays_when_a_phase_is_left_out() {
    let duration = Some(Duration::from_secs(15));
    let seconds = by_second(Plan { duration, ..planned(true, Pacing::Burst) }, 1_002_500, Change::NextPhase);
    assert_eq!(seconds.len(), 15);
    assert_eq!(seconds[8..], [40; 7], "behind its end the last rate goes on");
}

#[test]
fn behind_the_last_phase_there_is_none() {
    let mut world = World::new(planned(true, Pacing::Burst));
    for _ in 0..110 {
        world.steps();
        world.pass(Duration::from_millis(100));
    }
    world.steps();
    assert_eq!(world.pacer.change(Change::NextPhase, world.wall), Err(NoChange::NoPhase));
    let mut steady = World::new(plan(1, 1, Pacing::Burst));
    assert_eq!(steady.pacer.change(Change::NextPhase, steady.wall), Err(NoChange::NoPhase));
}

#[test]
fn a_paused_run_can_be_stopped_and_ends_at_once() {
    let mut world = World::new(planned(false, Pacing::Burst));
    world.pacer.change(Change::Pause, world.wall).expect("paused");
    for _ in 0..30 {
        assert!(world.steps().iter().all(|step| matches!(step, Step::Wait(_) | Step::Paused)));
        world.pass(SECOND);
    }
    world.steps();
    world.pacer.stop(world.mono);
    assert_eq!(world.steps(), [Step::Finished]);
    assert_eq!(world.pacer.change(Change::Resume, world.wall), Err(NoChange::Over));
}

#[test]
fn a_clock_that_is_set_while_a_run_is_paused_neither_shortens_nor_stretches_it() {
    for step in [-600_i64, 3_600] {
        let mut world = World::new(planned(true, Pacing::Burst));
        let mut records = 0;
        let mut count = |steps: Vec<Step>| {
            for step in steps {
                if let Step::Release(release) = step {
                    records += u64::from(release.records);
                }
            }
        };
        for _ in 0..3 {
            count(world.steps());
            world.pass(SECOND);
        }
        count(world.steps());
        world.pacer.change(Change::Pause, world.wall).expect("paused");
        for _ in 0..4 {
            world.pass(SECOND);
            count(world.steps());
        }
        world.wall = Duration::from_secs_f64(world.wall.as_secs_f64() + step as f64);
        count(world.steps());
        world.pacer.change(Change::Resume, world.wall).expect("resumed");
        let rest: u64 = world.run().iter().map(|(_, release)| u64::from(release.records)).sum();
        // The second in which the clock was set is lost at most, or had twice.
        assert!((records + rest).abs_diff(300) <= 40, "{records} and {rest}");
    }
}
