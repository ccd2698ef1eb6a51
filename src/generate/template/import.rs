//! KDG's saved templates become template files: the words and names of `kinesis-streamer import kdg`.
//!
//! KDG keeps five templates in its page's local storage, under `templates`, as
//! `[{"name":"…","template":"…"}, …]`. Decides what each becomes, and writes nothing itself.

use serde::Deserialize;

use super::error::shown;
use super::lint::lint;

/// The longest name of a file that is made, without its ending, in characters.
const MOST_NAME: usize = 60;

/// One entry of the saved list.
#[derive(Debug, Deserialize)]
struct Saved {
    name: String,
    template: String,
}

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Its name, without a folder; none for a slot that was never filled.
    pub file: Option<String>,
    /// The template, as it was saved.
    pub text: String,
    /// What is to be told of it, one line each, ended by line feeds.
    pub report: String,
    /// Whether it can be used.
    pub usable: bool,
}

/// A file that does not hold what KDG saves.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Another form.
    #[error(
        "not KDG's saved templates, a list such as [{{\"name\":\"…\",\"template\":\"…\"}}]: {0}; in the browser that runs KDG, \
         copy(localStorage.getItem(\"templates\")) in the console copies them"
    )]
    Form(#[from] serde_json::Error),
    /// The file of the other tab.
    #[error("these are KDG's periods, not its templates")]
    Periods,
}

/// The template files of a saved list.
///
/// # Errors
/// When `json` is not such a list.
pub fn import(json: &str) -> Result<Vec<Imported>, ImportError> {
    // The console shows the list as a text; whoever copies that has it quoted once more.
    let unquoted: Result<String, _> = serde_json::from_str(json);
    let json = unquoted.as_deref().unwrap_or(json);
    let periods = |value: serde_json::Value| {
        value.as_object().is_some_and(|map| map.keys().any(|key| key.ends_with("-mu")))
    };
    let saved: Vec<Saved> = match serde_json::from_str(json) {
        Ok(saved) => saved,
        Err(error) => {
            let is_periods = serde_json::from_str(json).is_ok_and(periods);
            return Err(if is_periods { ImportError::Periods } else { error.into() });
        }
    };
    let mut taken: Vec<String> = Vec::new();
    Ok(saved
        .into_iter()
        .map(|Saved { name, template }| {
            let told = shown(&name);
            if template.trim().is_empty() {
                let report = format!("{told}: empty, not imported\n");
                return Imported { file: None, text: template, report, usable: true };
            }
            let file = file_name(&name, &taken);
            let verdict = lint(&file, &template);
            let report = format!("{told}: becomes {file}\n{}", verdict.report);
            taken.push(file.clone());
            Imported { file: Some(file), text: template, report, usable: verdict.usable }
        })
        .collect())
}

/// A name for a template's file that none of the others has.
fn file_name(name: &str, taken: &[String]) -> String {
    let mut stem = String::new();
    for letter in name.trim().chars().take(MOST_NAME) {
        match letter.to_ascii_lowercase() {
            letter if letter.is_alphanumeric() => stem.push(letter),
            _ if !stem.is_empty() && !stem.ends_with('-') => stem.push('-'),
            _ => {}
        }
    }
    let stem = match stem.trim_end_matches('-') {
        "" => "template",
        stem => stem,
    };
    let numbered = (2..).map(|number| format!("{stem}-{number}.template"));
    let mut names = std::iter::once(format!("{stem}.template")).chain(numbered);
    names.find(|name| !taken.contains(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_templates_become_files_with_names_of_their_own() {
        let saved = serde_json::json!([
            {"name": "Template 1", "template": "{{random.uuid}}"},
            {"name": "../Ätna: orders?", "template": "{{random.uuid()}}"},
            {"name": "template-1", "template": "{{foo.bar}}"},
            {"name": "Template 4", "template": " \n"},
            {"name": "///", "template": "x"}
        ])
        .to_string();
        let once_more = serde_json::Value::from(saved.as_str()).to_string();
        for json in [saved, once_more] {
            let imported = import(&json).expect("a list");
            let files: Vec<Option<&str>> = imported.iter().map(|one| one.file.as_deref()).collect();
            let expected = [
                "template-1.template",
                "Ätna-orders.template",
                "template-1-2.template",
                "",
                "template.template",
            ];
            assert_eq!(files, expected.map(|name| (!name.is_empty()).then_some(name)));
            assert_eq!(
                imported.iter().map(|one| one.usable).collect::<Vec<_>>(),
                [true, true, false, true, true]
            );
            assert_eq!(imported[1].text, "{{random.uuid()}}");
            assert!(imported[2].report.contains("Invalid module: foo"), "{}", imported[2].report);
            assert_eq!(imported[3].report, "Template 4: empty, not imported\n");
        }
    }

    #[test]
    fn what_kdg_does_not_save_is_refused_with_a_hint() {
        assert!(matches!(import(r##"{"#0-13-mu":"100"}"##), Err(ImportError::Periods)));
        for text in ["", "[1]", "{}", r#"[{"name":"a"}]"#] {
            let error = import(text).expect_err("another form").to_string();
            assert!(error.contains("localStorage.getItem"), "{error}");
        }
    }
}
