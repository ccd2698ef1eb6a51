//! What happens in the middle of a run, and what has to be laid out for it before.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::fault::{Fault, Weather};
use super::proxy::Proxy;
use super::scenarios::{Action, Scenario};
use super::stage::{PATIENCE, Stage};
use super::subject::{KEY, Launch};

/// A name that nothing but the run's own file of hosts knows.
const HOST: &str = "kinesis.streamer.test";

/// The key that is good after the first has expired.
const SECOND_KEY: &str = "AKIDSECONDSECOND";

const HOSTS: &str = "hosts";
const CREDENTIALS: &str = "credentials.json";

/// Lays out what a scenario needs before the program starts.
pub fn prepare(scenario: &Scenario, proxy: &Proxy, folder: &Path, launch: &mut Launch<'_>) -> io::Result<()> {
    match scenario.action {
        Action::NoName => {
            let hosts = folder.join(HOSTS);
            fs::write(&hosts, with_name())?;
            launch.hosts = Some(hosts);
            launch.endpoint = format!("http://{HOST}:{}", proxy.address.port());
        }
        Action::Expired => {
            let (credentials, config) = (folder.join(CREDENTIALS), folder.join("config"));
            fs::write(&credentials, credentials_of(KEY))?;
            let process = format!("[default]\ncredential_process = /bin/cat {}\n", credentials.display());
            fs::write(&config, process)?;
            launch.own_credentials = false;
            launch.variables.push(("AWS_CONFIG_FILE".to_owned(), config.display().to_string()));
        }
        _ => {}
    }
    Ok(())
}

/// Credentials as a credential process prints them, good for an hour by their own account.
fn credentials_of(key: &str) -> String {
    let expires =
        chrono::DateTime::from_timestamp(kinesis_streamer::schedule::wall().as_secs() as i64 + 3_600, 0);
    let expires = expires.map(|time| time.format("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default();
    serde_json::json!({"Version": 1, "AccessKeyId": key, "SecretAccessKey": "not-a-secret",
                       "SessionToken": "not-a-token", "Expiration": expires})
    .to_string()
}

fn with_name() -> String {
    format!("127.0.0.1 {HOST}\n")
}

/// Requests that must have met a fault before it may end.
const HITS: u64 = 5;

/// Waits for so long, and longer on a slow machine: until some requests have met the fault.
fn until_hit(stage: &mut Stage, hold: Duration) -> io::Result<()> {
    let before = stage.proxy.hits();
    stage.wait(hold)?;
    stage.wait_until("request that meets the fault", |stage| stage.proxy.hits() >= before + HITS)
}

/// Waits for so long, and longer on a slow machine: until the program has told of such an outcome.
fn until_told(stage: &mut Stage, hold: Duration, outcome: &str) -> io::Result<()> {
    stage.wait(hold)?;
    stage.wait_until(outcome, |stage| told(stage, outcome))
}

/// Whether the log tells of a request with this outcome.
fn told(stage: &Stage, outcome: &str) -> bool {
    stage.subject.log().contains(&format!("\"outcome\":\"{outcome}\""))
}

/// Does what the scenario says, for `hold`; afterwards the world is well again (but for those that end the run).
pub fn act(stage: &mut Stage, scenario: &Scenario, hold: Duration) -> io::Result<()> {
    let calm = Weather::calm();
    match &scenario.action {
        Action::Nothing | Action::Refused => return stage.wait(hold),
        Action::Faults(fault, every) => {
            stage.proxy.set(Weather::of(*fault, *every));
            until_hit(stage, hold)?;
            stage.proxy.set(calm);
        }
        Action::EndedUnder(fault, every) => {
            stage.proxy.set(Weather::of(*fault, *every));
            return until_hit(stage, hold);
        }
        Action::FewConnections(most) => {
            // Slow answers, so that more are wanted.
            let slow = Fault::Delay(Duration::from_millis(200));
            stage.proxy.set(Weather { connections: Some(*most), ..Weather::of(slow, 1) });
            stage.proxy.cut();
            until_told(stage, hold, "connection")?;
            stage.proxy.set(calm);
        }
        Action::Down => {
            stage.proxy.close();
            until_told(stage, hold, "unreachable")?;
            stage.proxy.listen()?;
        }
        Action::NoName => {
            fs::write(stage.file(HOSTS), "")?;
            // What is connected needs no name.
            stage.proxy.cut();
            until_told(stage, hold, "unreachable")?;
            fs::write(stage.file(HOSTS), with_name())?;
        }
        Action::Deleted => {
            let Stage { stream, proxy, .. } = stage;
            proxy.between_requests(|| -> io::Result<()> {
                stream.read(super::stage::PRODUCER, |found| {
                    let mut witness = proxy.witness();
                    found.into_iter().for_each(|identity| witness.holds(identity));
                })?;
                stream.delete()
            })?;
            let begun = Instant::now();
            // Nothing is read meanwhile: there is no stream.
            while begun.elapsed() < hold || !told(stage, "refused") && begun.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(20));
            }
            stage.stream.create(scenario.shards)?;
        }
        Action::Resharded => {
            stage.stream.reshard(scenario.shards * 2)?;
            stage.wait(hold)?;
            stage.stream.reshard(scenario.shards)?;
            return stage.wait(hold);
        }
        Action::Expired => {
            stage.proxy.set(Weather { expired_key: Some(KEY), ..calm });
            until_hit(stage, hold)?;
            // The old key stays expired: only the new one is good.
            let fresh = stage.file("fresh");
            fs::write(&fresh, credentials_of(SECOND_KEY))?;
            fs::rename(fresh, stage.file(CREDENTIALS))?;
        }
        Action::StandStill => {
            stage.subject.signal("STOP")?;
            std::thread::sleep(hold);
            stage.subject.signal("CONT")?;
        }
    }
    stage.proxy.witness().fault_is_over();
    Ok(())
}

/// The faults of a soak.
pub fn all_kinds() -> Vec<Fault> {
    vec![
        Fault::HangUp { stored: true },
        Fault::HangUp { stored: false },
        Fault::Reset { stored: true },
        Fault::Reset { stored: false },
        Fault::HalfAnAnswer,
        Fault::Silence { stored: true },
        Fault::Delay(Duration::from_millis(200)),
        Fault::Dribble(Duration::from_millis(100)),
        Fault::WrongCount(-1),
        Fault::WrongCount(1),
        Fault::Error { status: 500, code: "InternalFailure", stored: true },
        Fault::Error { status: 503, code: "ServiceUnavailable", stored: false },
        Fault::Error { status: 400, code: "ProvisionedThroughputExceededException", stored: false },
        Fault::Garbage,
        Fault::ThrottleHalf,
        Fault::ThrottleAll,
    ]
}
