//! Where a result that a command makes stands in its document: between marks with the result's name.

use std::fs;
use std::io;
use std::path::Path;

/// Puts `result` between `<!-- NAME -->` and `<!-- /NAME -->` of the document at `path`.
pub fn fill(path: &Path, name: &str, result: &str) -> io::Result<()> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let text = fs::read_to_string(path)?;
    let marks = text.find(&begin).map(|at| at + begin.len()).zip(text.find(&end));
    let (start, end) =
        marks.filter(|(start, end)| start <= end).ok_or_else(|| io::Error::other("no marks"))?;
    fs::write(path, format!("{}\n{result}\n{}", &text[..start], &text[end..]))
}
