//! The file `.env`: its variables, unjudged. The environment itself is read in `main` alone.

use std::ffi::OsString;
use std::io;
use std::path::Path;

/// The variables of a file of settings; none where there is no file.
///
/// # Errors
/// Why it can't be read, in a line without any of its values.
pub fn env_file(path: &Path) -> Result<Vec<(OsString, OsString)>, String> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("{} can't be read: {error}", path.display())),
    };
    let pairs: Result<Vec<_>, _> = dotenvy::from_read_iter(text.as_bytes()).collect();
    match pairs {
        Ok(pairs) => Ok(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect()),
        Err(_) => {
            // The line is not shown: it may hold a secret. Its number is enough.
            let broken = |line: &&str| dotenvy::from_read_iter(line.as_bytes()).any(|pair| pair.is_err());
            let number = text.lines().position(|line| broken(&line)).map_or(0, |index| index + 1);
            Err(format!(
                "{} line {number} is malformed: write NAME=VALUE, with quotes around a value that holds spaces, # or \
                 quotes",
                path.display()
            ))
        }
    }
}
