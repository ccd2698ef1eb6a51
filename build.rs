//! What the linker is told of a release program, beyond what Cargo says: nothing that no run reads.
//!
//! - Tables for unwinding are left out (1.1 MB): a panic ends the process at once (`src/crash.rs`), so nothing unwinds,
//!   and no backtrace is made.
//! - Relative relocations are packed (0.9 MB), where this machine's C library takes that. The program then starts with
//!   glibc 2.36 and later alone; linked against one of these, it asks for GLIBC_2.34 anyway. The image's program is
//!   static, and asks for none.
//!
//! On x86-64 Linux alone, whose linker (lld) comes with Rust; whoever names another links as Cargo says. Programs that
//! are not for release keep all, for debuggers and profilers.

use std::env::var;
use std::path::Path;
use std::process::Command;
use std::{error, fs};

/// The first glibc that takes packed relocations (its release notes, "DT_RELR").
const PACKS: (u32, u32) = (2, 36);

const NO_UNWINDING: &str = "\
SECTIONS { /DISCARD/ : { *(.eh_frame) *(.eh_frame_hdr) *(.gcc_except_table .gcc_except_table.*) } }
INSERT AFTER .text;
";

fn main() -> Result<(), Box<dyn error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    if var("PROFILE")? != "release" || !links_by_rusts_own()? {
        return Ok(());
    }
    let script = Path::new(&var("OUT_DIR")?).join("no-unwinding.ld");
    fs::write(&script, NO_UNWINDING)?;
    println!("cargo::rustc-link-arg-bins=-Wl,--no-eh-frame-hdr");
    println!("cargo::rustc-link-arg-bins=-T{}", script.display());
    if glibc().is_some_and(|version| version >= PACKS) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    Ok(())
}

/// Whether the linker is known: that which comes with Rust, for the machine that this runs on.
fn links_by_rusts_own() -> Result<bool, Box<dyn error::Error>> {
    let target = var("TARGET")?;
    let told = var("RUSTC_LINKER").is_ok()
        || var("CARGO_ENCODED_RUSTFLAGS").is_ok_and(|flags| flags.contains("link"));
    Ok(target == "x86_64-unknown-linux-gnu" && target == var("HOST")? && !told)
}

/// The version of this machine's glibc: `glibc 2.36`.
fn glibc() -> Option<(u32, u32)> {
    let said = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?.stdout;
    let (major, minor) = std::str::from_utf8(&said).ok()?.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}
