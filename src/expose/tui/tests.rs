//! What the screen looks like, letter by letter, and that it is drawn at any size.

use std::time::Duration;

use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use super::*;
use crate::expose::{Course, Progress};
use crate::kinesis::ShardId;
use crate::ledger::timeline::{Bin, Flow};
use crate::ledger::{Dropped, Failed, Ledger, ShardCounts, Snapshot, Timeline, Unknown};

const SECOND: Duration = Duration::from_secs(1);

/// A run of a minute at 1,000 records/s to four shards, one of which throttles; it lost some.
fn scene() -> Scene {
    let shard = |sent, throttled| ShardCounts { sent, throttled, ..ShardCounts::default() };
    let shards = |by: u64| {
        let counts = [shard(10 * by, 0), shard(20 * by, 0), shard(40 * by, 7 * by), shard(5 * by, 0)];
        (0..).map(|id| Some(ShardId(id))).zip(counts).collect()
    };
    let mut earlier =
        Snapshot { due: 59_000, generated: 59_000, sent: 59_000, shards: shards(10), ..Snapshot::default() };
    earlier.delivery_delay.record(3 * SECOND, 59_000);
    let mut counts =
        Snapshot { due: 60_000, generated: 59_600, sent: 59_480, shards: shards(20), ..earlier.clone() };
    counts.dropped.add(Dropped::WindowFull, 400);
    counts.failed.add(Failed::Throttled, 60);
    counts.unknown.add(Unknown::Timeout, 5);
    counts.in_flight = 55;
    counts.throttled = 1_234;
    counts.delivery_delay.record(Duration::from_millis(12), 470);
    counts.delivery_delay.record(Duration::from_millis(250), 10);
    let progress = Progress::between(&earlier, &counts, SECOND, 60 * SECOND);
    let columns = (0..60).map(|at| {
        let throttled = if at > 50 { 600 } else { 0 };
        let (due, dropped) = (1_000, u64::from(at == 59) * 465);
        let flow = Flow { due, generated: due, sent: 1_000, throttled, dropped, ..Flow::default() };
        Bin { from: SECOND * at, to: SECOND * (at + 1), flow, ..Bin::default() }
    });
    let millis = |all: [u64; 3]| Some(all.map(Duration::from_millis));
    let delays = (0..60).map(|at| match at {
        30 => Delay { length: SECOND, percentiles: None },
        _ => Delay { length: SECOND, percentiles: millis([12, 20 + at, 40 + 4 * at]) },
    });
    Scene {
        stream: "load, 4 shards".to_owned(),
        phase: Phase::Running,
        course: Some(Course { done: 0.2, left: Some(240 * SECOND) }),
        progress,
        columns: columns.collect(),
        delays: delays.collect(),
        shards: ShardNow::between(&earlier, &counts),
        lately: SECOND,
        counts,
        limit: "The stream: 1,234/s records are throttled. One shard of 4 is at the limit.".to_owned(),
        log: vec![
            "INFO the first line".to_owned(),
            "WARN the last line of the log, which is rather long".to_owned(),
        ],
        steering: None,
        keys: true,
        tenths: false,
        help: false,
    }
}

fn buffer(scene: &Scene, theme: Theme, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal in memory");
    terminal.draw(|frame| draw(scene, theme, frame.area(), frame.buffer_mut())).expect("drawn");
    terminal.backend().buffer().clone()
}

fn lines(scene: &Scene, width: u16, height: u16) -> Vec<String> {
    let buffer = buffer(scene, Theme::new(false), width, height);
    let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..height).map(line).collect()
}

/// Compares with what is in `tests/screens`; `UPDATE_DOCS=1` writes it anew.
fn assert_looks(name: &str, lines: &[String]) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/screens/{name}.txt"));
    let drawn = lines.join("\n") + "\n";
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &drawn).expect("written");
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(drawn == known, "{name} looks otherwise than {}:\n{drawn}", path.display());
}

#[test]
fn a_wide_terminal_shows_everything() {
    assert_looks("wide", &lines(&scene(), 120, 40));
}

#[test]
fn the_usual_terminal_shows_what_matters_most() {
    assert_looks("usual", &lines(&scene(), 80, 24));
}

#[test]
fn a_tall_and_narrow_terminal_has_one_column() {
    assert_looks("narrow", &lines(&scene(), 60, 50));
}

#[test]
fn a_small_terminal_has_lines_alone() {
    assert_looks("small", &lines(&scene(), 30, 6));
}

#[test]
fn the_help_tells_keys_and_words() {
    let steering = Some(Steering { paused: true, factor: 1_500, phases: true });
    assert_looks("help", &lines(&Scene { help: true, steering, ..scene() }, 100, 30));
}

#[test]
fn a_thousand_shards_find_room() {
    let shard = |id: u64| ShardNow {
        shard: Some(ShardId(id)),
        sent: if id == 500 { 1_000 } else { id % 4 * 250 },
        throttled: u64::from(id % 100 == 99) * 40,
    };
    let scene = Scene { shards: (0..1_000).map(shard).collect(), ..scene() };
    assert_looks("shards", &lines(&scene, 120, 40));
}

#[test]
fn counts_that_do_not_add_up_are_told() {
    let mut broken = scene();
    broken.counts.in_flight += 1;
    assert!(lines(&broken, 120, 40).iter().any(|line| line.contains("THE COUNTS DO NOT ADD UP")));
    assert!(lines(&scene(), 120, 40).iter().any(|line| line.contains("every record adds up")));
}

#[test]
fn without_colours_there_are_none_and_with_them_what_is_lost_is_red() {
    let colours = |theme| {
        let buffer = buffer(&scene(), theme, 120, 40);
        let cells = buffer.content().iter();
        cells.filter(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset).cloned().collect::<Vec<_>>()
    };
    assert!(colours(Theme::new(false)).is_empty());
    let red = colours(Theme::new(true)).into_iter().filter(|cell| cell.fg == Color::Red);
    let red: Vec<_> = red.collect();
    assert!(!red.is_empty() && red.iter().all(|cell| cell.modifier.contains(Modifier::BOLD)));
}

#[test]
fn columns_are_the_newest_spans_or_tenths_and_a_span_stays_as_it_is() {
    let (ledger, mut timeline) = (Ledger::new(), Timeline::default());
    let tenth = SECOND / 10;
    for at in 1..=40 {
        ledger.generated(at);
        let counts = ledger.snapshot();
        timeline.sample(tenth * at as u32, Duration::ZERO, &counts);
        if at % 10 == 0 {
            timeline.span(tenth * at as u32, Duration::ZERO, &counts);
        }
    }
    let due = |tenths, most| {
        let columns = columns(&timeline, tenths, most);
        columns.iter().map(|bin| (bin.flow.due, bin.to - bin.from)).collect::<Vec<_>>()
    };
    assert_eq!(due(false, 300), [(55, SECOND), (155, SECOND), (255, SECOND), (355, SECOND)]);
    assert_eq!(due(false, 2), [(255, SECOND), (355, SECOND)]);
    assert_eq!(due(true, 3), [(38, tenth), (39, tenth), (40, tenth)]);
}

#[test]
fn only_what_changed_is_written_unless_the_size_did() {
    let mut painter = Painter::new(Theme::new(false));
    let mut scene = scene();
    let whole = painter.paint(&scene, (100, 30)).expect("a Vec takes all");
    assert!(String::from_utf8_lossy(&whole).starts_with("\x1b[0m\x1b[2J"));
    scene.counts.sent += 1;
    let change = painter.paint(&scene, (100, 30)).expect("a Vec takes all");
    assert!(change.len() < 400, "{}", String::from_utf8_lossy(&change));
    let resized = painter.paint(&scene, (90, 30)).expect("a Vec takes all");
    assert!(resized.len() > 1_000 && resized.starts_with(b"\x1b[0m\x1b[2J"));
    painter.forget();
    assert!(painter.paint(&scene, (90, 30)).expect("a Vec takes all").starts_with(b"\x1b[0m\x1b[2J"));
}

proptest! {
    // Whatever is counted, and whatever size the terminal has: a moment is drawn, inside of its area alone.
    #[test]
    fn every_scene_fits_every_terminal(
        width in 0_u16..200, height in 0_u16..80, shards in 0_usize..1_200, many in 0_u64..=u64::MAX, tenths: bool,
        help: bool, keys: bool, steered: bool, done in 0.0_f64..=1.0, bins in 0_usize..3_000, limit in "[a-z ]{0,400}",
        log in proptest::collection::vec("\\PC{0,200}", 0..120), phase in 0_usize..4,
    ) {
        let mut scene = scene();
        let shard = |id| ShardNow { shard: (id > 0).then_some(ShardId(id)), sent: many % (id + 1), throttled: many % (id + 7) };
        scene.shards = (0..shards as u64).map(shard).collect();
        scene.counts.due = many;
        scene.columns = scene.columns.into_iter().cycle().take(bins).collect();
        scene.course = keys.then_some(Course { done, left: Some(SECOND * (many % 1_000_000) as u32) });
        scene.steering = steered.then_some(Steering { paused: tenths, factor: many % 100_000, phases: keys });
        scene.phase = [Phase::Starting, Phase::Waiting, Phase::Running, Phase::Draining][phase];
        (scene.tenths, scene.help, scene.keys, scene.limit, scene.log) = (tenths, help, keys, limit, log);
        let area = Rect::new(2, 3, width, height);
        let mut buffer = Buffer::empty(Rect::new(0, 0, width + 4, height + 6));
        draw(&scene, Theme::new(true), area, &mut buffer);
        for (at, cell) in buffer.content().iter().enumerate() {
            let (x, y) = buffer.pos_of(at);
            prop_assert!(area.contains((x, y).into()) || cell.symbol() == " ", "{} at {}, {}", cell.symbol(), x, y);
        }
    }
}
