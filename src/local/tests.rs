//! Whole requests against the server, in-process.
