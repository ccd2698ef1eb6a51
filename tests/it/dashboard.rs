//! The web page, tested as a person would: in a browser, by its keys and buttons, against what the metrics say.
//!
//! `UPDATE_DOCS=1 cargo test dashboard` takes README's picture of it anew. Where no browser is, the test is skipped, and
//! says so; with `BROWSER=required` that is a failure.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use crate::support::{Browser, Program, Running};

const TOKEN: &str = "a-token-for-the-page-0123";

/// What the page's numbers are called in the metrics.
const SAME: [(&str, &str); 8] = [
    ("due", "records_due_total"),
    ("generated", "records_generated_total"),
    ("dropped", "records_dropped_total"),
    ("sent", "records_sent_total"),
    ("failed", "records_failed_total"),
    ("unknown", "records_unknown_total"),
    ("in_flight", "records_in_flight"),
    ("throttled", "records_throttled_total"),
];

/// The metrics, each summed over its labels.
fn metrics(run: &Running) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    for line in run.get("/metrics").1.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').expect("a value");
        let name = name.split('{').next().expect("a name").trim_start_matches("kinesis_streamer_");
        *all.entry(name.to_owned()).or_default() += value.parse::<f64>().expect("a number") as u64;
    }
    all
}

/// The numbers that the page shows.
fn shown(browser: &mut Browser) -> BTreeMap<String, u64> {
    let pairs = browser.says(
        "[...document.querySelectorAll('[data-count]')].map(one => [one.dataset.count, Number(one.textContent.replaceAll(',', ''))])",
    );
    let pairs = pairs.as_array().expect("pairs").iter();
    pairs
        .map(|pair| (pair[0].as_str().expect("a name").to_owned(), pair[1].as_u64().expect("a number")))
        .collect()
}

/// Asks for a change without a browser; the status.
fn post(run: &Running, path: &str, header: &str) -> String {
    use std::io::Read;
    let address = run.begins["listen"].as_str().expect("it listens");
    let mut connection = std::net::TcpStream::connect(address).expect("connected");
    write!(connection, "POST {path} HTTP/1.1\r\nhost: {address}\r\n{header}connection: close\r\n\r\n")
        .expect("written");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    answer.split(' ').nth(1).expect("a status").to_owned()
}

#[test]
fn a_person_sees_the_run_and_steers_it_with_the_token_alone() {
    let Some(name) = Browser::find() else {
        assert!(std::env::var("BROWSER").as_deref() != Ok("required"), "there is no browser");
        // Past the harness, which would keep it to itself.
        let _ = writeln!(
            io::stderr(),
            "SKIPPED: the page was looked at by nobody, because there is no Chromium here"
        );
        return;
    };
    let load =
        ["--local=4", "--profile=sine:2400±2000/24s", "--pacing=smooth", "--partition-key=zipf:0.5,keys=200"];
    let run = Program::run(&load)
        .env("STREAMER_LISTEN", "127.0.0.1:0")
        .env("STREAMER_CONTROL_TOKEN", TOKEN)
        .start();
    let origin = format!("http://{}/", run.begins["listen"].as_str().expect("it listens"));
    let mut browser = Browser::start(name, 1_400, 1_232);
    browser.open(&origin);
    browser.wait("document.querySelector('[data-count=sent]') && Number(document.querySelector('[data-count=sent]').textContent.replaceAll(',', '')) > 500");
    assert_eq!(browser.text("#phase"), "running");
    assert_eq!(browser.text("#stream"), "local, 4 shards");
    assert!(browser.text("#settings").contains("STREAMER_PROFILE"), "the settings in force");
    assert!(!browser.text("body").contains(TOKEN), "a secret");
    browser.wait("document.querySelector('#limit').textContent.length > 10");

    // Another token opens nothing, and nothing is changed.
    for header in ["", "authorization: Bearer another-token-0123456\r\n"] {
        assert_eq!(post(&run, "/control/pause", header), "401");
    }
    let right = format!("authorization: Bearer {TOKEN}\r\n");
    assert_eq!(post(&run, "/control/pause", &format!("{right}origin: http://evil.example\r\n")), "403");
    browser.says("document.querySelector('#token').focus()");
    browser.type_text("another-token-0123456");
    browser.press("Enter", 13);
    browser.wait("document.querySelector('#told').textContent.includes('not the one')");
    assert_eq!(browser.says("document.querySelector('#buttons').hidden"), true);
    assert_eq!(metrics(&run)["seconds_paused_total"], 0);

    // The right one does, by keys alone.
    browser.says("document.querySelector('#token').select()");
    browser.type_text(TOKEN);
    browser.press("Enter", 13);
    browser.wait("document.activeElement.id === 'pause'");
    if picture_wanted() {
        browser.wait("/^0:3[4-9]|^0:[45]|^[1-9]/.test(document.querySelector('#clock').textContent)");
    }
    browser.press("Enter", 13);
    browser.wait("document.querySelector('#phase').textContent === 'paused'");
    browser.wait("document.querySelector('[data-count=in_flight]').textContent === '0' && document.querySelector('#rate-due').textContent === '0'");
    let (page, metric) = (shown(&mut browser), metrics(&run));
    for (shown, counted) in SAME {
        assert_eq!(page[shown], metric[counted], "{shown}: {page:?}\n{metric:?}");
    }
    assert!(metric["seconds_paused_total"] >= 1 && page["due"] > 500, "{metric:?}");
    assert!(browser.text("#adds").starts_with("It adds up"), "{}", browser.text("#adds"));
    assert!(browser.text("#limit").starts_with("Paused"), "{}", browser.text("#limit"));
    browser.wait("document.querySelector('#marks').textContent.includes('paused by hand')");
    browser.wait("document.querySelector('#pause').textContent === 'Resume'");
    browser.press("Enter", 13);
    browser.wait("document.querySelector('#phase').textContent === 'running'");
    let due = page["due"];
    browser.wait(&format!(
        "Number(document.querySelector('[data-count=due]').textContent.replaceAll(',', '')) > {due}"
    ));
    browser.click("[data-rate='0.5']");
    browser.wait("document.querySelector('#phase').textContent === 'running, × 0.5'");
    browser.click("[data-rate='1']");
    browser.wait("document.querySelector('#phase').textContent === 'running'");

    // Everything can be reached by Tab, and a chart be read by arrows.
    browser.says("document.activeElement.blur(); scrollTo(0, 0)");
    let mut reached = Vec::new();
    for _ in 0..40 {
        browser.press("Tab", 9);
        let one = browser.says("document.activeElement.id || document.activeElement.name || document.activeElement.href || document.activeElement.tagName");
        reached.push(one.as_str().unwrap_or_default().to_owned());
    }
    for wanted in ["pause", "rate", "stop", "lock", "view", "rates", "latency", "times", "shards", "SUMMARY"]
    {
        assert!(reached.iter().any(|one| one == wanted), "{wanted} is not among {reached:?}");
    }
    browser.says("document.querySelector('#rates').focus()");
    browser.press("ArrowLeft", 37);
    browser.wait("document.querySelector('#rates-said').textContent.includes('offered')");
    browser.press("Escape", 27);
    browser.click("#rates ~ details summary");
    browser.wait("document.querySelectorAll('#rates-table tbody tr').length > 2");
    browser.click("#rates ~ details summary");
    browser.click("input[value=seconds] + span");
    browser.wait("document.querySelector('input[value=seconds]').checked");
    take_picture(&mut browser);

    // Two clicks end the run, as a first signal does.
    browser.click("#stop");
    browser.wait("document.querySelector('#stop').textContent === 'Really stop?'");
    let complaints = browser.complaints();
    // The one that was provoked.
    let (refused, others): (Vec<_>, Vec<_>) =
        complaints.iter().partition(|told| told.contains("401 (Unauthorized)"));
    assert!(refused.len() == 1 && others.is_empty(), "{complaints:#?}");
    let asked = browser.asked();
    assert!(asked.len() > 8 && asked.iter().all(|address| address.starts_with(&origin)), "{asked:#?}");
    assert!(asked.iter().all(|address| !address.contains(TOKEN)), "a secret in an address");
    browser.click("#stop");
    let (code, log) = run.finish();
    let last = log.lines().last().expect("a log");
    assert!(code == 0 || code == 1, "{code}: {last}");
    assert!(last.contains("a command over HTTP") && last.contains("paused by hand"), "{last}");
    assert!(!log.contains(TOKEN), "a secret");
    crate::support::counts(&log);
}

fn picture_wanted() -> bool {
    std::env::var_os("UPDATE_DOCS").is_some()
}

/// README's picture.
fn take_picture(browser: &mut Browser) {
    if !picture_wanted() {
        return;
    }
    browser.says("scrollTo(0, 0)");
    browser.says("document.querySelector('#told').textContent = ''");
    browser.wait("/^1:[3-9]|^[2-9]/.test(document.querySelector('#clock').textContent)");
    let png = browser.picture();
    assert!(png.len() < 200_000, "{} bytes", png.len());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/gallery/dashboard.png");
    std::fs::write(path, png).expect("written");
}
