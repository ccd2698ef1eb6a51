//! The life of a comparison of retry policies: signals, the comparison, the exit code.

use std::sync::Arc;

use kinesis_streamer::app;
use kinesis_streamer::config::CompareOptions;
use kinesis_streamer::exit::Exit;
use kinesis_streamer::expose::Console;
use kinesis_streamer::generate::Event;

use super::{caught, complain, open_files, tell};

/// Runs one load through each retry policy; the comparison is data, for standard output.
pub async fn retry(mut options: CompareOptions, event: Event, console: Console) -> Exit {
    let notice = open_files().and_then(|limit| app::too_few(limit, &options.config));
    options.config.notices.extend(notice);
    let signals = match caught(&console) {
        Ok(signals) => Arc::new(tokio::sync::Mutex::new(signals)),
        Err(exit) => return exit,
    };
    let stop = || {
        let signals = Arc::clone(&signals);
        async move { signals.lock().await.next().await }
    };
    match Box::pin(app::compare_retry(&options, &event, stop)).await {
        Ok(told) => tell(told),
        Err(error) => complain(&console, error.exit(), &error),
    }
}
