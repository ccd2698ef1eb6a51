//! A template's text as KDG would see it, and the way back from there to the text as it was given.
//!
//! KDG takes the text of a browser's text area, trims it, deletes the line feeds, and knows one old name.

use super::error::Place;

/// The old name of `date.now`; KDG renames its first use only.
pub(super) const OLD: &str = "{{current.timestamp}}";
const NEW: &str = "{{date.now}}";

/// A cleaned text.
#[derive(Debug)]
pub(super) struct Source<'a> {
    given: &'a str,
    /// What is cut into parts.
    pub(super) text: String,
    /// For each byte of `text`, and for its end, the byte of `given` that it came from.
    origins: Vec<u32>,
}

impl<'a> Source<'a> {
    /// Cleans `given`, which is no longer than 4 GiB.
    pub(super) fn new(given: &'a str) -> Self {
        let white = |letter: char| letter.is_whitespace() || letter == '\u{feff}';
        let trimmed = given.trim_matches(white);
        // Of nothing, the place is the beginning.
        let start = if trimmed.is_empty() { 0 } else { given.len() - given.trim_start_matches(white).len() };
        let (mut text, mut origins) =
            (String::with_capacity(trimmed.len()), Vec::with_capacity(trimmed.len() + 1));
        for (at, letter) in trimmed.char_indices() {
            // A text area ends its lines with line feeds alone, whatever was pasted.
            if !matches!(letter, '\n' | '\r') {
                text.push(letter);
                origins.extend((0..letter.len_utf8()).map(|byte| (start + at + byte) as u32));
            }
        }
        origins.push((start + trimmed.len()) as u32);
        if let Some(at) = text.find(OLD) {
            text.replace_range(at..at + OLD.len(), NEW);
            let origin = origins[at];
            origins.splice(at..at + OLD.len(), std::iter::repeat_n(origin, NEW.len()));
        }
        Self { given, text, origins }
    }

    /// Where the byte `at` of the text stands in the text as it was given.
    pub(super) fn place(&self, at: usize) -> Place {
        let at = self.origins.get(at).or(self.origins.last()).map_or(0, |&origin| origin as usize);
        let before = &self.given[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Place { line, column }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cleaned_as_kdg_does_and_its_places_stay_known() {
        let source =
            Source::new("\u{feff}\n  {\r\n  \"é\": {{current.timestamp}},\n {{current.timestamp}}}\n\n");
        assert_eq!(source.text, "{  \"é\": {{date.now}}, {{current.timestamp}}}");
        for (text, line, column) in
            [("{", 2, 3), ("é", 3, 4), ("{{date", 3, 8), (", ", 3, 29), ("{{current", 4, 2)]
        {
            let at = source.text.find(text).expect("it is there");
            assert_eq!(source.place(at), Place { line, column }, "{text}");
        }
        assert_eq!(source.place(source.text.len()), Place { line: 4, column: 24 });
        assert_eq!(Source::new(" \n").text, "");
        assert_eq!(Source::new(" \n").place(0), Place { line: 1, column: 1 });
        assert_eq!(Source::new("").place(0), Place { line: 1, column: 1 });
    }
}
