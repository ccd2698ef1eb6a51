//! Loads over time in whole runs: what was asked for is what the stream holds.

use crate::support::Program;

#[test]
fn a_rate_is_offered_to_the_record_whoever_makes_it() {
    let finished = Program::run(&["--local", "--rate=100/min", "--jobs=7", "--duration=3s"]).finish();
    let counts = finished.counts();
    assert_eq!((counts["due"], counts["held"], finished.code), (5, 5, 0), "{}", finished.stderr);
}

#[test]
fn a_profile_ends_the_run_and_its_area_was_due() {
    for pacing in ["smooth", "stagger"] {
        let finished =
            Program::run(&["--local", "--profile=ramp:0..400/3s", "--jobs=3", "--pacing", pacing]).finish();
        let counts = finished.counts();
        assert_eq!((counts["due"], counts["held"], finished.code), (600, 600, 0), "{}", finished.stderr);
        assert!(finished.stderr.contains("the end of its profile"), "{}", finished.stderr);
    }
}

#[test]
fn a_load_in_bytes_is_met_within_one_percent() {
    let finished = Program::run(&["--local", "--rate=200KB/s", "--event=click", "--duration=4s"]).finish();
    let bytes = finished.counts()["sent_bytes"];
    let share = bytes as f64 / 800_000.0;
    assert!((0.99..=1.01).contains(&share), "{bytes} bytes: {share}\n{}", finished.stderr);
}

#[test]
fn a_plan_is_drawn_for_a_file_without_anything_but_ascii_and_its_picture_written() {
    let program = Program::new(&["plan", "--profile=ramp:100..5000/5m", "--svg=ramp.svg"]);
    let finished = program.finish();
    assert!(finished.code == 0 && finished.stdout.is_ascii(), "{}", finished.stdout);
    assert!(finished.stdout.contains("records   765,000 in 5m"), "{}", finished.stdout);
}

#[test]
fn a_profile_that_can_t_be_is_refused_before_anything_is_done() {
    for (profile, told) in [
        ("sine:100±500/10m", "--profile: must be a shape"),
        ("none.toml", "STREAMER_PROFILE: none.toml can't be read"),
    ] {
        let finished = Program::run(&["--local", "--profile", profile]).finish();
        assert!(finished.code == 64 && finished.stderr.contains(told), "{}", finished.stderr);
    }
}
