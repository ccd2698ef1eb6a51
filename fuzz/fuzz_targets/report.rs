//! Any bytes against the law `report` of `laws.rs`.
#![no_main]

#[path = "../laws.rs"]
#[allow(dead_code)] // the other targets' laws
mod laws;

libfuzzer_sys::fuzz_target!(|data: &[u8]| laws::report_file(data));
