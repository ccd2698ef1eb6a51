//! Where reports are written: made sure of before the first record, put in place as a whole at the end.
//!
//! A report is written beside its place and moved there when it is complete, so that nobody meets half of one; a file
//! that is there is never overwritten.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::report::{Document, page};

/// A place that a report can be written to.
#[derive(Debug)]
pub(super) struct Blank {
    path: PathBuf,
    /// Beside it, until it is whole.
    part: PathBuf,
    file: Option<File>,
}

/// What came of a report.
#[derive(Debug)]
pub struct Written {
    /// The file.
    pub path: PathBuf,
    /// Whether it is there.
    pub result: io::Result<()>,
}

/// Sees that a report can be written to `path`.
///
/// # Errors
/// When a file is there, or none can be made.
pub(super) fn open(path: &Path) -> io::Result<Blank> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "a file is there already"));
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let part = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let file = OpenOptions::new().write(true).create_new(true).open(&part)?;
    Ok(Blank { path: path.to_owned(), part, file: Some(file) })
}

impl Blank {
    /// Writes `document` in the form that the path's end names.
    pub(super) fn write(mut self, document: &Document) -> Written {
        let text = match self.path.extension() {
            Some(end) if end == "html" => page(document),
            _ => document.json(),
        };
        let result = self.put(&text);
        Written { path: self.path.clone(), result }
    }

    fn put(&mut self, text: &str) -> io::Result<()> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        drop(file);
        // A link, unlike a move, does not take the place of a file that came there meanwhile.
        match fs::hard_link(&self.part, &self.path) {
            Ok(()) => fs::remove_file(&self.part),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            // Not every file system has links.
            Err(_) if fs::symlink_metadata(&self.path).is_err() => fs::rename(&self.part, &self.path),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Blank {
    fn drop(&mut self) {
        // There only where the report did not get to its place.
        let _ = fs::remove_file(&self.part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_never_overwritten_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run.json");
        let mut blank = open(&path).expect("free");
        fs::write(&path, "another's").expect("written");
        assert_eq!(blank.put("ours").expect_err("taken").kind(), io::ErrorKind::AlreadyExists);
        drop(blank);
        assert_eq!(open(&path).expect_err("taken").kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).expect("there"), "another's");
        let other = folder.path().join("other.json");
        drop(open(&other).expect("free"));
        open(&other).expect("free").put("ours").expect("written");
        assert_eq!(fs::read_to_string(&other).expect("there"), "ours");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2);
        assert!(open(&folder.path().join("no/such/run.json")).is_err());
    }
}
