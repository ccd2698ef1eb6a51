//! Subcommands that read what earlier runs have left: journals and reports.

use std::io;
use std::path::Path;

use kinesis_streamer::app;
use kinesis_streamer::config::ReportTask;
use kinesis_streamer::exit::Exit;
use kinesis_streamer::expose::{journal_json, journal_text};
use kinesis_streamer::journal::{self, Account, ReadError, Reader};

use super::{print, say, tell};

/// Prints what a journal says, as far as it is written.
pub(super) fn show_journal(path: &Path, json: bool) -> Exit {
    let read = || -> Result<_, ReadError> {
        let file = std::fs::File::open(path)?;
        let going_on = journal::is_being_written(&file);
        let accounts = journal::accounts(&mut Reader::new(io::BufReader::new(file)))?;
        Ok((accounts, going_on))
    };
    let (accounts, going_on) = match read() {
        Ok(read) => read,
        Err(error) => {
            say(&format!("kinesis-streamer: {} can't be read: {error}", path.display()));
            return Exit::Journal;
        }
    };
    let show = if json { journal_json } else { journal_text };
    match print(&show(path, &accounts, going_on)) {
        Exit::Sent if !accounts.iter().all(Account::is_sound) => Exit::Journal,
        exit => exit,
    }
}

/// Makes something of reports.
pub(super) fn reports(task: &ReportTask) -> Exit {
    match app::reports(task) {
        Ok(done) => tell(done),
        Err(error) => {
            say(&format!("kinesis-streamer: {error}"));
            error.exit()
        }
    }
}
