//! Rules of the house that a compiler does not check: documents equal the code, imports go one way.
//!
//! `UPDATE_DOCS=1 cargo test tidy` writes the tables of README.md anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use kinesis_streamer::{config, exit, expose, generate};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every Rust file below `folder`, with its path from there.
fn sources(folder: &str) -> BTreeMap<String, String> {
    fn walk(folder: &Path, top: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, top, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(top).expect("below").to_string_lossy().into_owned();
                found.insert(name, read(&path));
            }
        }
    }
    let (top, mut found) = (root().join(folder), BTreeMap::new());
    walk(&top, &top, &mut found);
    assert!(!found.is_empty());
    found
}

/// The code of a file, without its tests and comments.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_readme_tables_are_those_of_the_code() {
    for (file, mark, table) in [
        ("README.md", "settings", config::markdown_table()),
        ("README.md", "metrics", expose::markdown_table()),
        ("README.md", "exit codes", exit::markdown_table()),
        ("docs/templates.md", "functions", generate::functions_table()),
        ("docs/templates.md", "jinja", generate::jinja_table()),
    ] {
        let path = root().join(file);
        let mut readme = read(&path);
        let (begin, end) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
        let start = readme.find(&begin).unwrap_or_else(|| panic!("no {begin}")) + begin.len();
        let stop = readme[start..].find(&end).unwrap_or_else(|| panic!("no {end}")) + start;
        if std::env::var_os("UPDATE_DOCS").is_some() {
            readme.replace_range(start..stop, &table);
            fs::write(&path, &readme).expect("written");
        } else {
            assert!(
                readme[start..stop] == table,
                "{file}'s {mark} are not the code's: UPDATE_DOCS=1 cargo test tidy"
            );
        }
    }
}

#[test]
fn every_file_begins_by_saying_what_it_decides() {
    for (folder, sources) in [("src", sources("src")), ("tests", sources("tests"))] {
        for (name, text) in sources {
            assert!(text.starts_with("//! "), "{folder}/{name}");
        }
    }
}

#[test]
fn the_environment_and_the_end_of_the_process_live_in_main_alone() {
    for (name, text) in sources("src") {
        if name == "main.rs" || name.contains("test") || name.ends_with("fingerprint.rs") {
            continue;
        }
        for word in ["env::var", "env::args", "process::exit", "set_var", "eprintln!", " println!"] {
            assert!(!code(&text).contains(word), "{name} has {word}");
        }
    }
}

#[test]
fn the_sdk_is_named_in_kinesis_alone() {
    for (name, text) in sources("src") {
        if !name.starts_with("kinesis/") {
            for word in ["aws_sdk_kinesis", "aws_config", "aws_smithy", "aws_credential_types"] {
                assert!(!code(&text).contains(word), "{name} has {word}");
            }
        }
    }
}

/// Who may import whom. What is not listed imports nothing of ours; `exit` is a list of numbers, open to all.
const ALLOWED: [(&str, &[&str]); 21] = [
    ("main.rs", &["kinesis_streamer"]),
    ("main", &[]),
    ("lib.rs", &[]),
    (
        "app",
        &[
            "batch", "config", "expose", "generate", "journal", "key", "kinesis", "ledger", "local",
            "pipeline", "replay", "schedule", "send", "verify",
        ],
    ),
    ("pipeline.rs", &["batch", "generate", "key", "kinesis", "ledger", "replay", "schedule", "send"]),
    ("config", &["batch", "generate", "key", "kinesis", "schedule", "send"]),
    ("schedule", &["ledger"]),
    ("replay", &["kinesis", "schedule"]),
    ("generate", &[]),
    ("key", &["generate", "kinesis"]),
    ("batch", &["aggregate", "cbor", "kinesis"]),
    ("aggregate", &["kinesis"]),
    ("send", &["batch", "kinesis", "ledger"]),
    ("crash.rs", &[]),
    ("ledger", &["generate", "kinesis"]),
    ("journal", &["kinesis", "ledger"]),
    ("expose", &["journal", "kinesis", "ledger", "verify"]),
    ("kinesis", &["cbor"]),
    ("local", &["cbor", "kinesis"]),
    ("verify", &["aggregate", "generate", "key", "kinesis", "ledger"]),
    ("cbor", &[]),
];

#[test]
fn imports_go_one_way() {
    for (name, text) in sources("src") {
        let room = name.split('/').next().expect("a name");
        if ["exit.rs", "named.rs"].contains(&room) {
            continue;
        }
        let (_, allowed) = ALLOWED.iter().find(|(known, _)| *known == room).unwrap_or_else(|| {
            panic!("{name} is in a room that the rules do not know: add it to ALLOWED, with its directions")
        });
        for part in code(&text).split("crate::").skip(1) {
            let target: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let legal = target == room.trim_end_matches(".rs")
                || target == "exit"
                || allowed.contains(&target.as_str());
            assert!(legal, "{name} imports {target}");
        }
    }
}

#[test]
fn files_are_of_a_length_that_can_be_read() {
    for (name, text) in sources("src") {
        let lines = code(&text).lines().count();
        assert!(name.contains("test") || lines <= 380, "{name} has {lines} lines of code");
    }
}
