//! No secret is ever shown: every level of the log, every way to fail, the metrics, the report, the arguments.

use crate::support::{Describe, Endpoint, Finished, Program, Reply};

const KEY: &str = "AKIDKNOWNKNOWNKNOWN";
const SECRET: &str = "SecretSecretSecretSecretSecretSecret0123";
const TOKEN: &str = "TokenTokenTokenTokenTokenTokenTokenToken";
const CONTROL: &str = "ControlControlControlControlControl0";

/// Whatever the program put out holds neither key nor token, nor a signature that was made with them.
fn clean(what: &str, output: &str) {
    // Of the token of control even the beginning that is too short to be one.
    for secret in [SECRET, TOKEN, &CONTROL[..15]] {
        assert!(!output.contains(secret), "{what} shows a secret:\n{}", around(output, secret));
        // Not in the base64 of a body or a header either.
        let coded = base64_simd::STANDARD.encode_to_string(secret);
        assert!(!output.contains(&coded[..coded.len().min(24)]), "{what} shows a secret in base64");
    }
    let signature = output.find("Signature=").map(|at| &output[at + "Signature=".len()..]);
    let shown =
        signature.is_some_and(|text| text.len() > 8 && text.bytes().take(8).all(|b| b.is_ascii_hexdigit()));
    assert!(!shown, "{what} shows a signature:\n{}", around(output, "Signature="));
}

fn around(output: &str, word: &str) -> String {
    let at = output.find(word).unwrap_or(0);
    output.lines().find(|line| line.contains(word)).unwrap_or(&output[at..]).chars().take(600).collect()
}

fn clean_end(what: &str, finished: &Finished) {
    clean(what, &finished.stdout);
    clean(what, &finished.stderr);
}

/// Every level of every library, by name: `trace` alone leaves those out that this program has an own level for.
const EVERYTHING: &str = "trace,aws_config=trace,aws_smithy_runtime=trace,aws_sigv4=trace,aws_runtime=trace,\
                          aws_credential_types=trace,aws_sdk_kinesis=trace,hyper_util=trace";

const SHORT: [&str; 3] = ["--jobs=1", "--messages=2", "--max-records=2"];

/// A run against `endpoint` with the level of the log, without credentials.
fn bare(endpoint: &Endpoint, level: &str) -> Program {
    Program::against(endpoint, &SHORT)
        .without("AWS_ACCESS_KEY_ID")
        .without("AWS_SECRET_ACCESS_KEY")
        .env("STREAMER_LOG", level)
        .env("PATH", "/usr/bin:/bin")
}

/// The same with credentials in the environment.
fn with_variables(endpoint: &Endpoint, level: &str) -> Program {
    bare(endpoint, level)
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_SESSION_TOKEN", TOKEN)
}

fn profile() -> String {
    format!(
        "[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\naws_session_token = {TOKEN}\n"
    )
}

/// With a profile file, or with a process that prints them.
fn with_files(endpoint: &Endpoint, level: &str, process: bool) -> Program {
    let printed = format!(
        "{{\"Version\": 1, \"AccessKeyId\": \"{KEY}\", \"SecretAccessKey\": \"{SECRET}\", \"SessionToken\": \"{TOKEN}\"}}"
    );
    let profile =
        if process { "[default]\ncredential_process = cat printed\n".to_owned() } else { profile() };
    bare(endpoint, level)
        .file("profile", &profile)
        .file("printed", &printed)
        .env("AWS_CONFIG_FILE", "profile")
        .env("AWS_SHARED_CREDENTIALS_FILE", "profile")
}

#[test]
fn no_level_of_the_log_shows_a_secret_wherever_it_comes_from() {
    for level in ["error", "info", "debug", "trace", EVERYTHING] {
        let endpoint = Endpoint::open(vec![], vec![]);
        for (name, program) in [
            ("variables", with_variables(&endpoint, level)),
            ("a profile", with_files(&endpoint, level, false)),
            ("a process", with_files(&endpoint, level, true)),
        ] {
            let finished = program.finish();
            assert_eq!(finished.code, 0, "{name} at {level}: {}", finished.stderr);
            clean_end(&format!("{name} at {level}"), &finished);
        }
    }
}

#[test]
fn no_way_to_fail_shows_a_secret() {
    let refused = |code| Endpoint::open(vec![Describe::Error(400, code)], vec![]);
    for code in [
        "ExpiredTokenException",
        "AccessDeniedException",
        "UnrecognizedClientException",
        "ResourceNotFoundException",
    ] {
        let finished = with_variables(&refused(code), EVERYTHING).finish();
        assert_ne!(finished.code, 0);
        clean_end(code, &finished);
        let replies = vec![Reply::Error(400, code), Reply::Garbage, Reply::HangUp { stored: true }];
        let finished = with_files(&Endpoint::open(vec![], replies), EVERYTHING, true).finish();
        clean_end(&format!("{code} in mid-run"), &finished);
    }
    let endpoint = Endpoint::open(vec![], vec![]);
    let nobody = "http://127.0.0.1:9";
    for (name, program) in [
        ("unreachable", with_variables(&endpoint, EVERYTHING).env("AWS_ENDPOINT_URL", nobody)),
        ("a bad region", with_variables(&endpoint, EVERYTHING).env("AWS_REGION", "no region/at all")),
        ("a bad endpoint", with_variables(&endpoint, EVERYTHING).env("AWS_ENDPOINT_URL", "not an address")),
        // A secret that was put into the wrong variable is a wrong value, and told by its name alone.
        ("half of the credentials", bare(&endpoint, EVERYTHING).env("AWS_SECRET_ACCESS_KEY", SECRET)),
        (
            "a broken profile",
            with_files(&endpoint, EVERYTHING, false).file("profile", &profile().replace(" = ", " ")),
        ),
        (
            "a profile with a broken head",
            with_files(&endpoint, EVERYTHING, false)
                .file("profile", &profile().replace("[default]", "[default")),
        ),
        (
            "a process that prints something else",
            with_files(&endpoint, EVERYTHING, true)
                .file("printed", &format!("{{\"SecretAccessKey\": \"{SECRET}\"")),
        ),
        (
            "a process that fails",
            with_files(&endpoint, EVERYTHING, true).file(
                "profile",
                &format!("[default]\ncredential_process = sh -c 'echo {SECRET} >&2; exit 1'\n"),
            ),
        ),
        (
            "a token of control that is too short",
            bare(&endpoint, EVERYTHING).env("STREAMER_CONTROL_TOKEN", &CONTROL[..15]),
        ),
        ("a token of control", bare(&endpoint, EVERYTHING).env("STREAMER_CONTROL_TOKEN", CONTROL)),
        (
            "a broken .env",
            bare(&endpoint, EVERYTHING).file(".env", &format!("AWS_SECRET_ACCESS_KEY={SECRET}\"x y\n")),
        ),
    ] {
        clean_end(name, &program.finish());
    }
}

#[test]
fn metrics_arguments_and_report_show_no_secret() {
    let endpoint = Endpoint::open(vec![], vec![Reply::Error(400, "AccessDeniedException"); 9]);
    let run = Program::against(&endpoint, &["--jobs=1", "--messages=1"])
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_SESSION_TOKEN", TOKEN)
        .env("STREAMER_LISTEN", "127.0.0.1:0")
        .env("STREAMER_CONTROL_TOKEN", CONTROL)
        .start();
    while endpoint.requests() == 0 {}
    for path in ["/", "/metrics", "/healthz", "/readyz", "/nothing", "/control/stop"] {
        clean(path, &run.get(path).1);
    }
    // The first message has the settings in force.
    clean("/events", &run.first_message("/events"));
    let arguments = std::fs::read(format!("/proc/{}/cmdline", run.id())).expect("a process");
    clean("argv", &String::from_utf8_lossy(&arguments));
    run.signal("TERM");
    clean("the end of the log", &run.finish().1);
    // The report for people.
    let finished = with_variables(&endpoint, "info").env("STREAMER_LOG_FORMAT", "text").finish();
    clean_end("the report", &finished);
}
