//! Every shipped profile can be drawn and run, and the gallery shows what the program draws.
//!
//! `UPDATE_DOCS=1 cargo test gallery` draws docs/gallery anew.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use super::*;
use crate::config::{Invocation, read};
use crate::generate::EventKind;
use crate::schedule::{Pacer, Pacing, Plan, Step, Weighing};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn config(flags: &[&str]) -> Config {
    let arguments = ["x", "plan", "--seed=1"].into_iter().chain(flags.iter().copied());
    match read(Vec::<(String, String)>::new(), arguments, 0) {
        Ok(Invocation::Plan { config, .. }) => *config,
        other => panic!("{other:?}"),
    }
}

fn of(flags: &[&str]) -> Result<Drawn, LoadError> {
    drawn(&config(flags), &Event::Kind(EventKind::Mouse), 88, true)
}

/// Shipped profiles by name: the path as it stands in the documents.
fn shipped() -> BTreeMap<String, String> {
    let folder = root().join("config/profiles");
    let paths =
        std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("readable").path());
    let all: BTreeMap<String, String> = paths
        .map(|path| {
            (
                path.file_stem().expect("a name").to_string_lossy().into_owned(),
                path.to_string_lossy().into_owned(),
            )
        })
        .collect();
    assert!(all.len() >= 6, "{all:?}");
    all
}

#[test]
fn the_gallery_shows_what_the_program_draws_of_each_shipped_profile() {
    let readme = std::fs::read_to_string(root().join("docs/profiles.md")).expect("readable");
    for (name, path) in shipped() {
        let drawn = of(&["--profile", &path]).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(drawn.text.contains("peak"), "{}", drawn.text);
        let picture = root().join(format!("docs/gallery/{name}.svg"));
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&picture, &drawn.svg).expect("written");
        }
        let kept = std::fs::read_to_string(&picture).unwrap_or_default();
        assert!(kept == drawn.svg, "{name}: UPDATE_DOCS=1 cargo test gallery");
        assert!(readme.contains(&format!("gallery/{name}.svg")), "{name} is in no document");
    }
}

/// Runs a profile's first seconds through the pacer by hand: the records that were released in each.
fn released(profile: &str, pacing: Pacing, seconds: u64) -> (Vec<u64>, Vec<u64>) {
    let config = config(&["--profile", profile, "--rate=1000/s"]);
    let event = Event::Kind(EventKind::Mouse);
    let offered = Offered::read(&config, &event).expect("a load");
    let plan = Plan {
        cron: config.load.cron.clone(),
        jobs: config.load.jobs,
        offer: offered.offer.clone(),
        weighing: Weighing::new(1, 300),
        pacing,
        duration: Some(Duration::from_secs(seconds)),
        max_records: None,
        slice_records: 500,
        seed: config.seed.value,
    };
    let (begin, mono) = (1_795_305_600_u64, Instant::now());
    let mut now = Duration::from_secs(begin - 1);
    let start = now;
    let mut pacer = Pacer::new(plan, now, mono);
    let mut by_second = vec![0; seconds as usize];
    loop {
        pacer.announce(now);
        match pacer.step(now, mono + (now - start)) {
            Step::Release(release) => {
                by_second[(release.due_millis / 1_000 - begin) as usize] += u64::from(release.records)
            }
            Step::Wait(until) => now = start + (until - mono),
            Step::Unannounced => {}
            Step::Finished => break,
            other => panic!("{other:?}"),
        }
    }
    let Offer::Shaped(shaped) = &offered.offer else { panic!("no profile") };
    let from = Start { wall_millis: begin * 1_000, seed: config.seed.value };
    (by_second, (0..seconds).map(|second| shaped.second(&from, second * 1_000).amount).collect())
}

#[test]
fn every_shipped_profile_releases_exactly_what_it_says() {
    for (name, path) in shipped() {
        let pacings = [Pacing::Burst, Pacing::Smooth, Pacing::Poisson, Pacing::Stagger];
        for (pacing, seconds) in pacings.into_iter().zip([900, 20, 20, 20]) {
            let (released, meant) = released(&path, pacing, seconds);
            if Offered::read(&config(&["--profile", &path, "--rate=1000/s"]), &Event::Kind(EventKind::Mouse))
                .is_ok_and(
                    |offered| matches!(&offered.offer, Offer::Shaped(one) if one.measure() == Measure::Bytes),
                )
            {
                let bytes: u64 = released.iter().map(|records| records * 300).sum();
                let due: u64 = meant.iter().sum();
                assert!(bytes.abs_diff(due) <= 300, "{name}: {bytes} bytes, not {due}");
            } else {
                assert_eq!(released, meant, "{name}, {pacing}");
            }
            assert!(meant.iter().sum::<u64>() > 0, "{name}");
        }
    }
}

#[test]
fn totals_are_those_of_the_run() {
    let text = of(&["--profile=ramp:100..5000/5m"]).expect("legal").text;
    for part in ["records   765,000 in 5m", "mean      2,550/s", "peak      5,000/s", "bytes     about 2"] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    let text = of(&["--rate=1MB/s", "--duration=10s"]).expect("legal").text;
    assert!(text.contains("records   about 3") && text.contains("9.54 MiB"), "{text}");
    let text = of(&["--jobs=3", "--messages=5", "--duration=10s"]).expect("legal").text;
    assert!(text.contains("records   150 in 10s") && text.contains("3 jobs × 5 messages"), "{text}");
    let text = of(&["--profile=steps:1,2/1m", "--cron=0 * * * * *"]).expect("legal").text;
    assert!(text.contains("only the seconds that it matches") && !text.contains("records   "), "{text}");
}

#[test]
fn a_file_that_is_wrong_is_told_with_all_that_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = |name: &str, text: &str, prefix: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        of(&["--profile", &format!("{prefix}{}", path.display())]).expect_err("wrong").to_string()
    };
    let two = told("a.toml", "[[phase]]\nshape = \"ramp\"\nfrom = -1\nto = 2\nfor = \"0s\"\n", "");
    assert!(
        two.contains("line 3: from: -1 is negative") && two.contains("line 5: for: 0s has no length"),
        "{two}"
    );
    assert!(told("b.toml", "[[phase]]\nshape = \"constant\"\nrate = 2\n", "weekly:").contains("is no week"));
    assert!(told("c.json", "{\"#9-1-mu\":\"1\"}", "weekly:").contains("names no hour"));
    let none = of(&["--profile", "none/of.toml"]).expect_err("missing").to_string();
    assert!(none.contains("none/of.toml can't be read"), "{none}");
    assert!(matches!(of(&["--rate=10000MB/s"]), Err(LoadError::TooMuch { .. })));
    let notice = of(&["--rate=5/s", "--profile=steps:1,2/1m"]).expect("legal").text;
    assert!(notice.contains("STREAMER_RATE has no effect"), "{notice}");
}
