//! The result as Markdown, with the machine that it is from.

use std::fs;
use std::io;
use std::process::Command;

use super::figures::Figure;
use super::numbers::{grouped, median, micros};
use super::peers::Peer;
use super::rounds::{Contender, Row, of};

/// The whole result.
pub fn markdown(
    command: &str,
    machine: &str,
    rows: &[Row],
    peers: &[Peer],
    figures: &[Figure],
) -> io::Result<String> {
    let mut text = format!("{machine}\n    {command}\n\n");
    let rounds = rows.first().map_or(0, |row| row.outside.len());
    text.push_str(&format!(
        "CPU microseconds per record, user and system, of the client's process; {rounds} rounds in turn.\n\n\
         | what runs | least | median | most | from inside, median | × floor, median of rounds | records/s and core |\n\
         |---|---:|---:|---:|---:|---:|---:|\n"
    ));
    for row in rows {
        let spread = row.spread();
        let inside = if row.inside.is_empty() { "–".to_owned() } else { micros(median(&row.inside)) };
        text.push_str(&format!(
            "| {} | {} | {} | {} | {inside} | {:.2} | {} |\n",
            row.contender.name(),
            micros(spread.least),
            micros(spread.median),
            micros(spread.most),
            median(&row.ratio),
            grouped(row.per_core()),
        ));
    }
    let floor = median(&of(rows, Contender::Floor)?.outside);
    for peer in peers {
        let cost = micros(peer.nanos);
        let (ratio, rate) = (peer.nanos / floor, grouped(1e9 / peer.nanos));
        text.push_str(&format!(
            "| {} | {cost} | {cost} | {cost} | {cost} | {ratio:.1} | {rate} |\n",
            peer.name
        ));
    }
    let flat_out = of(rows, Contender::FlatOut)?;
    text.push_str(&format!(
        "\nFlat out, the program sent {} records/s on its core (median). At 200,000 records/s it dropped {} records in all rounds.\n",
        grouped(median(&flat_out.rate)),
        grouped(of(rows, Contender::Steady)?.dropped as f64),
    ));
    text.push_str("\n| target | wanted | measured | met |\n|---|---|---|---|\n");
    for Figure { what, wanted, measured, met } in figures {
        let met = met.map_or("", |met| if met { "yes" } else { "**no**" });
        text.push_str(&format!("| {what} | {wanted} | {measured} | {met} |\n"));
    }
    Ok(text)
}

/// What the result depends on besides the program: processor, system, compiler, and what else ran.
pub fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processor = read("/proc/cpuinfo");
    let field = |name: &str| {
        let line = processor.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(": ")).map_or("unknown", |(_, value)| value)
    };
    let has = |flag: &str| field("flags").split(' ').any(|known| known == flag);
    let cores = processor.lines().filter(|line| line.starts_with("processor")).count();
    let rustc = Command::new("rustc").arg("-V").output();
    let rustc = rustc.map_or_else(
        |_| "unknown".into(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    );
    let load = read("/proc/loadavg");
    format!(
        "- processor: {}, {cores} cores{}; SHA instructions: {}; AVX2: {}\n- Linux {}; {rustc}\n\
         - load average at the start: {}\n",
        field("model name"),
        if has("hypervisor") { " of a virtual machine" } else { "" },
        if has("sha_ni") { "yes" } else { "**no**" },
        if has("avx2") { "yes" } else { "no" },
        read("/proc/sys/kernel/osrelease").trim(),
        load.split(' ').next().unwrap_or("unknown"),
    )
}
