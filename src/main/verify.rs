//! The life of reading a stream back: signals, the audit, the verdict, the exit code.

use std::sync::Arc;

use kinesis_streamer::app;
use kinesis_streamer::config::VerifyOptions;
use kinesis_streamer::exit::Exit;
use kinesis_streamer::expose::Console;

use super::{caught, complain, print};

/// Reads a stream back; the verdict is data, for standard output.
pub async fn run(options: VerifyOptions, console: Console) -> Exit {
    let signals = match caught(&console) {
        Ok(signals) => Arc::new(tokio::sync::Mutex::new(signals)),
        Err(exit) => return exit,
    };
    let json = options.json;
    let stop = || {
        let signals = Arc::clone(&signals);
        async move { signals.lock().await.next().await }
    };
    // Boxed: with the futures of all that it waits for it is 16 kB.
    match Box::pin(app::verify(options, console.clone(), stop)).await {
        Ok(verified) => {
            let told = if json { verified.json() + "\n" } else { verified.text().trim_start().to_owned() };
            match print(&told) {
                Exit::Sent => verified.exit(),
                exit => exit,
            }
        }
        Err(error) => complain(&console, error.exit(), &error),
    }
}
