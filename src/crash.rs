//! What a panic means: the end of the process, at once, on whatever thread or task it happens.
//!
//! A task's panic would otherwise be caught by its runtime, and the run would go on without the records that the task
//! held: due and not counted, or in flight for ever. A wrong count is worse than a crash. Does not decide how the
//! process ends; that is for `main`.

use std::panic::{self, PanicHookInfo};
use std::thread;

/// From now on, the first panic calls `end` with what happened, in one line. `end` should not return.
pub fn on_panic(end: impl Fn(&str) + Send + Sync + 'static) {
    panic::set_hook(Box::new(move |info| end(&words(info))));
}

fn words(info: &PanicHookInfo<'_>) -> String {
    let current = thread::current();
    let thread = current.name().unwrap_or("without a name");
    let place = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let what = info.payload_as_str().unwrap_or("for an unknown reason");
    format!("the thread {thread} panicked at {place}: {what}")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    #[ignore = "the other half of the test below, which runs it in a process of its own"]
    fn a_process_whose_task_panics() {
        on_panic(|words| {
            eprintln!("last words: {words}");
            std::process::exit(70);
        });
        let runtime = tokio::runtime::Builder::new_multi_thread().build().expect("a runtime");
        let caught = runtime.block_on(runtime.spawn(async { panic!("on purpose") }));
        unreachable!("the run went on: {caught:?}");
    }

    #[test]
    fn a_panic_in_a_task_ends_the_process_with_a_word() {
        let mut child = Command::new(std::env::current_exe().expect("this binary"));
        child.args(["--exact", "crash::tests::a_process_whose_task_panics", "--ignored", "--nocapture"]);
        let output = child.output().expect("a process");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(70), "{told}");
        assert!(told.contains("last words: the thread tokio-rt-worker panicked at src/crash.rs:"), "{told}");
        assert!(told.contains(": on purpose"), "{told}");
    }
}
