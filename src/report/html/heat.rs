//! What each shard took and refused over time, as two maps of cells.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::Document;
use super::clock;
use super::plot::moments;
use crate::expose::escaped;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = 950.0;

/// Most rows of a map; of more shards, neighbours share one.
const MOST_ROWS: usize = 48;

/// Steps of the colour.
const LEVELS: u32 = 12;

/// The maps; nothing where no shard is known, or no time.
pub(super) fn maps(document: &Document) -> String {
    let length = document.heat.last().map_or(0.0, |column| column.to);
    if document.shards.is_empty() || length <= 0.0 {
        return String::new();
    }
    let each = document.shards.len().div_ceil(MOST_ROWS);
    let rows = document.shards.len().div_ceil(each);
    let mut sent: Vec<Vec<(u64, u64)>> = Vec::new();
    for column in &document.heat {
        let mut cells = vec![(0, 0); rows];
        for &(shard, stored, throttled) in &column.cells {
            cells[shard / each].0 += stored;
            cells[shard / each].1 += throttled;
        }
        sent.push(cells);
    }
    let map = Map { document, each, rows, length };
    // Against an even share: with four shards, a cell that has half of a column is at twice its share.
    let shares: Vec<Vec<f64>> = sent
        .iter()
        .map(|cells| {
            let all: u64 = cells.iter().map(|cell| cell.0).sum();
            cells.iter().map(|cell| if all > 0 { cell.0 as f64 / all as f64 } else { 0.0 }).collect()
        })
        .collect();
    let most = shares.iter().flatten().copied().fold(0.0, f64::max);
    let throttled: Vec<Vec<f64>> = sent
        .iter()
        .map(|cells| cells.iter().map(|&(stored, refused)| part(refused, stored + refused)).collect())
        .collect();
    let worst = throttled.iter().flatten().copied().fold(0.0, f64::max);
    let mut html = map.html(
        "Who got the records: each shard's share of what was sent",
        "sent",
        &shares,
        most,
        &format!(
            "the strongest colour is {:.0} % of the records of that time; even would be {:.0} %",
            most * 100.0,
            100.0 / rows as f64
        ),
    );
    if worst > 0.0 {
        html.push_str(&map.html(
            "Who refused: the throttled share of each shard's attempts",
            "throttled",
            &throttled,
            worst,
            &format!("the strongest colour is {:.0} % refused", worst * 100.0),
        ));
    }
    html
}

fn part(part: u64, whole: u64) -> f64 {
    if whole > 0 { part as f64 / whole as f64 } else { 0.0 }
}

struct Map<'a> {
    document: &'a Document,
    /// Shards of a row.
    each: usize,
    rows: usize,
    length: f64,
}

impl Map<'_> {
    fn html(&self, title: &str, class: &str, values: &[Vec<f64>], most: f64, key: &str) -> String {
        let height = (264.0 / self.rows as f64).clamp(7.0, 26.0);
        let bottom = 4.0 + height * self.rows as f64;
        let x = |seconds: f64| LEFT + (seconds / self.length).clamp(0.0, 1.0) * (RIGHT - LEFT);
        let mut html = format!(
            "<figure>\n<h3>{title}</h3>\n<svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"{title}; {key}; the table below has the sums\">\n\
             <rect class=\"ground\" x=\"{LEFT}\" y=\"4\" width=\"{}\" height=\"{:.1}\"/>\n",
            bottom + 26.0,
            RIGHT - LEFT,
            bottom - 4.0
        );
        // One path for each step of the colour: a cell costs some twenty bytes.
        let mut paths: BTreeMap<u32, String> = BTreeMap::new();
        for (column, values) in self.document.heat.iter().zip(values) {
            let (from, to) = (x(column.from), x(column.to));
            for (row, value) in values.iter().enumerate() {
                let level = if most > 0.0 { (value / most * f64::from(LEVELS)).ceil() as u32 } else { 0 };
                if level > 0 {
                    let path = paths.entry(level.min(LEVELS)).or_default();
                    let y = 4.0 + height * row as f64;
                    let _ = write!(path, "M{from:.1} {y:.1}H{to:.1}v{height:.1}H{from:.1}z");
                }
            }
        }
        for (level, path) in paths {
            let opacity = f64::from(level) / f64::from(LEVELS);
            let _ =
                writeln!(html, "<path class=\"cell {class}\" fill-opacity=\"{opacity:.2}\" d=\"{path}\"/>");
        }
        // Every label has room for itself.
        let every = (14.0 / height).ceil() as usize;
        for row in (0..self.rows).step_by(every) {
            let y = 4.0 + height * (row as f64 + 0.5) + 4.5;
            let name = escaped(&self.name(row));
            let _ =
                writeln!(html, "<text x=\"{}\" y=\"{y:.1}\" text-anchor=\"end\">{name}</text>", LEFT - 8.0);
        }
        for moment in moments(self.length) {
            let _ = writeln!(
                html,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                x(moment),
                bottom + 20.0,
                clock(moment)
            );
        }
        let _ =
            writeln!(html, "</svg>\n<figcaption class=\"soft\">{key}; shard by time</figcaption>\n</figure>");
        html
    }

    /// A row in few characters: the number of its first shard.
    fn name(&self, row: usize) -> String {
        match self.document.shards.get(row * self.each).map(|shard| &shard.shard) {
            Some(Some(id)) => {
                let digits = id.rsplit('-').next().unwrap_or(id).trim_start_matches('0');
                let number = if digits.is_empty() { "0" } else { digits };
                let more = if self.each > 1 { "…" } else { "" };
                format!("{number}{more}")
            }
            _ => "not told".to_owned(),
        }
    }
}
