//! From settings to where reports are written and what a run is judged by.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::asked::Asked;
use super::fleet;
use super::problem::Shown;
use super::settings as table;
use crate::judge::Threshold;

/// Where the reports of `producer` are written; whether the files can be made is for the run to find out.
pub(super) fn reports(asked: &mut Asked, producer: Option<&str>) -> Option<Vec<PathBuf>> {
    let read = |asked: &mut Asked, setting: &_| {
        asked.read(setting, |text| {
            let paths: Vec<PathBuf> = text.split(',').map(|path| path.trim().into()).collect();
            let known = |path: &PathBuf| path.extension().is_some_and(|end| end == "json" || end == "html");
            match paths.iter().find(|path| !known(path)) {
                Some(path) if path.as_os_str().is_empty() => Err(Some("a path is empty".to_owned())),
                Some(path) => {
                    let path = path.display().to_string();
                    Err(Some(format!("{} ends in neither", Shown::message(&path))))
                }
                None if paths.iter().collect::<BTreeSet<_>>().len() < paths.len() => {
                    Err(Some("a path stands there twice".to_owned()))
                }
                None => Ok(paths),
            }
        })
    };
    let paths: Option<Vec<PathBuf>> = asked.optional(&table::REPORT, read)?;
    let own = |path: PathBuf| match producer {
        Some(name) => fleet::own_file(&path, name),
        None => path,
    };
    Some(paths.unwrap_or_default().into_iter().map(own).collect())
}

/// When a run has failed.
pub(super) fn fail_if(asked: &mut Asked) -> Option<Vec<Threshold>> {
    let read = |asked: &mut Asked, setting: &_| {
        asked.read(setting, |text| {
            let (mut right, mut wrong) = (Vec::new(), Vec::new());
            for condition in text.trim().trim_end_matches(';').split(';') {
                match condition.parse::<Threshold>() {
                    Ok(threshold) => right.push(threshold),
                    Err(error) => wrong.push(Shown::message(&error.to_string()).to_string()),
                }
            }
            if wrong.is_empty() { Ok(right) } else { Err(Some(wrong.join("; "))) }
        })
    };
    asked.optional(&table::FAIL_IF, read).map(Option::unwrap_or_default)
}

/// What has no effect in a dry run.
pub(super) fn notice_dry_run(asked: &mut Asked) {
    for setting in [&table::REPORT, &table::FAIL_IF] {
        if asked.is_given(setting) {
            let (given, dry) = (asked.origin(setting), asked.origin(&table::DRY_RUN));
            asked.notices.push(format!("{given} has no effect, because {dry} is true"));
        }
    }
}
