//! Templates and the world outside: reads the event that the settings name, and does `lint` and `import`.
//!
//! What a template means is decided in `generate`. Files are read here; standard input is handed in by `main`.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use crate::config::Config;
use crate::exit::Exit;
use crate::generate::{
    Event, EventChoice, Template, TemplateError, TemplateLanguage, TemplateMode, TemplateOrigin, Verdict,
    import, lint, lint_jinja,
};
use crate::schedule::profile::{is_periods, periods, periods_file, periods_report};

/// The most that is read of one file, in bytes: beyond it no template is taken, and no list of five.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// Why there is no event.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// The template can't be read.
    #[error("STREAMER_EVENT: the template can't be read from {origin}: {source}")]
    Unreadable {
        /// Where it should be.
        origin: TemplateOrigin,
        /// The system's word.
        source: io::Error,
    },
    /// The template is wrong.
    #[error("STREAMER_EVENT: the template from {origin} can't be used ({read}):{}", indented(.source))]
    Wrong {
        /// Where it is.
        origin: TemplateOrigin,
        /// How it was read.
        read: ReadAs,
        /// What is wrong.
        source: TemplateError,
    },
}

/// How a template is read: in Jinja, or in the Kinesis Data Generator's language by a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadAs {
    /// The Kinesis Data Generator's language.
    Kdg(TemplateMode),
    /// Jinja.
    Jinja,
}

impl ReadAs {
    fn new(origin: &TemplateOrigin, language: TemplateLanguage, mode: TemplateMode) -> Self {
        if language.is_jinja(file_name(origin)) { Self::Jinja } else { Self::Kdg(mode) }
    }

    fn compile(self, text: &str) -> Result<Template, TemplateError> {
        match self {
            Self::Kdg(mode) => Template::compile(text, mode),
            Self::Jinja => Template::compile_jinja(text),
        }
    }
}

impl fmt::Display for ReadAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kdg(mode) => write!(f, "{mode} mode"),
            Self::Jinja => f.write_str("in Jinja"),
        }
    }
}

/// What the file is called, if it is one.
fn file_name(origin: &TemplateOrigin) -> Option<&str> {
    match origin {
        TemplateOrigin::File(path) => Some(path),
        TemplateOrigin::StandardInput => None,
    }
}

fn indented(error: &TemplateError) -> String {
    error.remarks().iter().map(|remark| format!("\n  {remark}")).collect()
}

/// The event that `config` names, and what its author should know. `input` is standard input.
///
/// # Errors
/// When its template can't be read or is wrong.
pub fn read_event(config: &Config, mut input: impl Read) -> Result<(Event, Vec<String>), EventError> {
    let (mut parts, mut notes) = (Vec::new(), Vec::new());
    for (choice, weight) in config.event.parts() {
        let event = match choice {
            EventChoice::Template(origin) => {
                let read = ReadAs::new(origin, config.template_language, config.template_mode);
                template(origin, read, &mut input, &mut notes)?
            }
            EventChoice::Kind(kind) => Event::Kind(*kind),
            EventChoice::Mixture(_) => continue, // a part is none
        };
        parts.push((event, weight));
    }
    let event = match (&config.event, parts.pop()) {
        (EventChoice::Kind(_) | EventChoice::Template(_), Some((event, _))) => event,
        (_, last) => Event::Mixture(parts.into_iter().chain(last).collect()),
    };
    Ok((event, notes))
}

/// Reads and compiles one template.
fn template(
    origin: &TemplateOrigin,
    as_what: ReadAs,
    input: &mut impl Read,
    notes: &mut Vec<String>,
) -> Result<Event, EventError> {
    let text = match read(origin, input) {
        Ok(text) => text,
        Err(source) => return Err(EventError::Unreadable { origin: origin.clone(), source }),
    };
    match as_what.compile(&text) {
        Ok(template) => {
            notes.extend(template.notes().iter().map(|note| format!("the template from {origin}, {note}")));
            Ok(Event::Template(Arc::new(template)))
        }
        Err(source) => Err(EventError::Wrong { origin: origin.clone(), read: as_what, source }),
    }
}

fn read(origin: &TemplateOrigin, input: impl Read) -> io::Result<String> {
    let mut text = String::new();
    let read = match origin {
        TemplateOrigin::StandardInput => input.take(MOST_BYTES + 1).read_to_string(&mut text),
        TemplateOrigin::File(path) => File::open(path)?.take(MOST_BYTES + 1).read_to_string(&mut text),
    };
    match read {
        Ok(bytes) if bytes as u64 > MOST_BYTES => {
            Err(io::Error::other(format!("it has more than {MOST_BYTES} bytes")))
        }
        Ok(_) => Ok(text),
        Err(error) => Err(error),
    }
}

/// `kinesis-streamer lint`: what is to be said of a template, and how the process ends.
pub fn lint_template(
    origin: &TemplateOrigin,
    language: TemplateLanguage,
    input: impl Read,
) -> (String, Exit) {
    match read(origin, input) {
        Ok(text) if language.is_jinja(file_name(origin)) => {
            let Verdict { usable, report, .. } = lint_jinja(&origin.to_string(), &text);
            (report, if usable { Exit::Sent } else { Exit::BadData })
        }
        Ok(text) => {
            let Verdict { kdg, report, .. } = lint(&origin.to_string(), &text);
            (report, if kdg { Exit::Sent } else { Exit::BadData })
        }
        Err(error) => (format!("{origin}: can't be read: {error}\n"), Exit::BadData),
    }
}

/// `kinesis-streamer import kdg`: writes a file for each saved template, and one for saved periods, into `folder`, and
/// tells what became of each. Overwrites nothing. Either file may hold either.
pub fn import_saved(
    saved: &TemplateOrigin,
    periods: Option<&TemplateOrigin>,
    folder: &Path,
    mut input: impl Read,
) -> (String, Exit) {
    let (mut report, mut exit) = (String::new(), Exit::Sent);
    for origin in std::iter::once(saved).chain(periods) {
        let files = match read(origin, &mut input) {
            Ok(text) => files_of(&text, &mut report),
            Err(error) => Err(format!("can't be read: {error}")),
        };
        let files = match files {
            Ok((files, true)) => files,
            Ok((files, false)) => {
                exit = Exit::BadData;
                files
            }
            Err(error) => {
                report.push_str(&format!("{origin}: {error}\n"));
                exit = Exit::BadData;
                continue;
            }
        };
        for (name, text) in files {
            let path = folder.join(name);
            let file = OpenOptions::new().write(true).create_new(true).open(&path);
            if let Err(error) = file.and_then(|mut file| file.write_all(text.as_bytes())) {
                report.push_str(&format!("{}: can't be written: {error}\n", path.display()));
                exit = Exit::BadData;
            }
        }
    }
    (report, exit)
}

/// The files that a saved text becomes, by name, and whether all of them can be used; what each means goes into
/// `report`.
fn files_of(text: &str, report: &mut String) -> Result<(Vec<(String, String)>, bool), String> {
    if is_periods(text) {
        let (mean, deviation) = periods(text).map_err(|wrong| wrong.join("\n  "))?;
        report.push_str(
            "periods: become periods.toml, records in a second, mean ± deviation, from hour to hour:\n",
        );
        report.push_str(&periods_report(&mean, &deviation));
        report.push_str(
            "  Its clock is UTC and it goes straight from hour to hour: zone and smooth in the file say so\n",
        );
        return Ok((vec![("periods.toml".to_owned(), periods_file(&mean, &deviation, true))], true));
    }
    let imported = import(text).map_err(|error| error.to_string())?;
    let usable = imported.iter().all(|one| one.usable);
    imported.iter().for_each(|one| report.push_str(&one.report));
    Ok((imported.into_iter().filter_map(|one| Some((one.file?, one.text))).collect(), usable))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(folder: &Path, name: &str) -> TemplateOrigin {
        TemplateOrigin::File(folder.join(name).to_string_lossy().into_owned())
    }

    #[test]
    fn a_verdict_is_an_exit_code() {
        let lint = |text: &'static str, language| {
            lint_template(&TemplateOrigin::StandardInput, language, text.as_bytes())
        };
        for (text, kdg, jinja) in
            [("{{random.uuid}}", Exit::Sent, Exit::BadData), ("{{random.uuid()}}", Exit::BadData, Exit::Sent)]
        {
            assert_eq!(lint(text, TemplateLanguage::Auto).1, kdg, "{text}");
            assert_eq!(lint(text, TemplateLanguage::Jinja).1, jinja, "{text}");
        }
        let auto = TemplateLanguage::Auto;
        let (report, exit) = lint_template(&TemplateOrigin::StandardInput, auto, &[0xff_u8][..]);
        assert_eq!((report.contains("UTF-8"), exit), (true, Exit::BadData));
        let endless = lint_template(&TemplateOrigin::StandardInput, auto, io::repeat(b' '));
        assert!(endless.0.contains("more than"), "{}", endless.0);
    }

    #[test]
    fn an_import_writes_what_was_saved_and_overwrites_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let saved = r#"[{"name":"A","template":"{{random.uuid}}\n"},{"name":"B","template":""}]"#;
        let run = || import_saved(&TemplateOrigin::StandardInput, None, folder.path(), saved.as_bytes());
        assert_eq!(
            run(),
            (
                "A: becomes a.template\na.template: KDG takes it\nB: empty, not imported\n".to_owned(),
                Exit::Sent
            )
        );
        let path = folder.path().join("a.template");
        assert_eq!(std::fs::read_to_string(&path).expect("written"), "{{random.uuid}}\n");
        std::fs::write(&path, "mine").expect("written");
        let (report, exit) = run();
        assert!(exit == Exit::BadData && report.contains("can't be written"), "{report}");
        assert_eq!(std::fs::read_to_string(&path).expect("still there"), "mine");
        let (report, exit) = import_saved(&origin(folder.path(), "none"), None, folder.path(), io::empty());
        assert!(exit == Exit::BadData && report.contains("can't be read"), "{report}");
    }

    #[test]
    fn templates_and_periods_come_over_in_one_step_in_either_order() {
        for (one, two) in [("templates", "periods"), ("periods", "templates")] {
            let folder = tempfile::tempdir().expect("a folder");
            let write = |name, text| std::fs::write(folder.path().join(name), text).expect("written");
            write("templates", r#"[{"name":"A","template":"{{random.uuid}}"}]"#);
            write("periods", r##"{"#1-13-mu":"250","#1-13-sig":"5"}"##);
            let (one, two) = (origin(folder.path(), one), origin(folder.path(), two));
            let (report, exit) = import_saved(&one, Some(&two), folder.path(), io::empty());
            assert_eq!(exit, Exit::Sent, "{report}");
            let monday = "Monday    00-13 h 100 ± 10, 13-14 h 250 ± 5, 14-24 h 100 ± 10\n";
            assert!(report.contains("A: becomes a.template") && report.contains(monday), "{report}");
            let text = std::fs::read_to_string(folder.path().join("periods.toml")).expect("written");
            assert!(crate::schedule::profile::profile_file(&text).is_ok(), "{text}");
        }
    }
}
