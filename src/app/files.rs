//! Whether this process may open as many files as its run needs. Every connection is one.
//!
//! Decides on numbers; the limit is asked for, and raised as far as it goes, in `main`.

use crate::config::{Config, Target};

/// What is open besides the connections of requests: standard streams, timers, the listener and whom it serves.
const OTHERS: u64 = 64;

/// What to say where `limit` files are fewer than the window of requests can need; nothing where they are enough.
#[must_use]
pub fn too_few(limit: u64, config: &Config) -> Option<String> {
    // The embedded stream's ends of the connections are this process's as well.
    let ends = if matches!(config.target, Target::Local { .. }) { 2 } else { 1 };
    let most = config.send.max_in_flight as u64;
    let needed = most * ends + OTHERS;
    (limit < needed).then(|| {
        let window = (limit.saturating_sub(OTHERS) / ends).max(1);
        format!(
            "this process may open {limit} files, and {most} requests under way need up to {needed}: more are refused \
             by the system; raise the limit (ulimit -n {needed}), or lower STREAMER_MAX_IN_FLIGHT to {window}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Invocation, read};

    fn told(limit: u64, flags: &[&str]) -> Option<String> {
        let arguments = ["x", "--max-in-flight=100"].into_iter().chain(flags.iter().copied());
        match read(Vec::<(String, String)>::new(), arguments, 0) {
            Ok(Invocation::Run(config)) => too_few(limit, &config),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_window_that_needs_more_files_than_there_are_is_told_with_one_that_does_not() {
        assert_eq!((told(164, &["--stream=s"]), told(264, &["--local"])), (None, None));
        let notice = told(163, &["--stream=s"]).expect("too few");
        assert!(notice.ends_with("(ulimit -n 164), or lower STREAMER_MAX_IN_FLIGHT to 99"), "{notice}");
        assert!(told(263, &["--local"]).expect("too few").ends_with("STREAMER_MAX_IN_FLIGHT to 99"));
        assert!(told(0, &["--local"]).expect("too few").ends_with("STREAMER_MAX_IN_FLIGHT to 1"));
    }
}
