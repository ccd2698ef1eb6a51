//! Whether KDG would take a template, and what is to say about it: the words of `kinesis-streamer lint`.

use std::fmt::Write as _;

use super::{Template, TemplateMode};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether this program takes the template, in lenient mode.
    pub usable: bool,
    /// Whether KDG takes it.
    pub kdg: bool,
    /// What to tell, one line each, ended by line feeds.
    pub report: String,
}

/// Looks at a template that is called `name`.
#[must_use]
pub fn lint(name: &str, text: &str) -> Verdict {
    let strict = Template::compile(text, TemplateMode::Strict);
    let lenient = Template::compile(text, TemplateMode::Lenient);
    let mut report = String::new();
    // Writing to a string can't fail.
    match &strict {
        Ok(_) => drop(writeln!(report, "{name}: KDG takes it")),
        Err(error) => drop(writeln!(report, "{name}: KDG would stop with an error: {error}")),
    }
    match &lenient {
        Ok(template) => {
            if strict.is_err() {
                let _ = writeln!(report, "{name}: lenient mode takes it");
            }
            let notes = template.notes().iter().chain(strict.iter().flat_map(|template| template.notes()));
            let mut told = Vec::new();
            for note in notes {
                if !told.contains(&note) {
                    let _ = writeln!(report, "{name}: note: {note}");
                    told.push(note);
                }
            }
        }
        Err(error) => {
            for remark in error.remarks() {
                let _ = writeln!(report, "{name}: error: {remark}");
            }
        }
    }
    Verdict { usable: lenient.is_ok(), kdg: strict.is_ok(), report }
}

/// Looks at a template in Jinja that is called `name`: the generator does not know that language.
#[must_use]
pub fn lint_jinja(name: &str, text: &str) -> Verdict {
    let (usable, report) = match Template::compile_jinja(text) {
        Ok(_) => (true, format!("{name}: a template in Jinja, and its first events can be made\n")),
        Err(error) => {
            (false, error.remarks().iter().map(|remark| format!("{name}: error: {remark}\n")).collect())
        }
    };
    Verdict { usable, kdg: false, report }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_says_what_kdg_does_where_and_what_to_write() {
        let verdict = lint("t", "{{random.uuid}}");
        assert_eq!((verdict.usable, verdict.kdg, verdict.report.as_str()), (true, true, "t: KDG takes it\n"));

        let verdict = lint("t", "{\n  \"id\": {{random.uuid()}}\n}");
        assert_eq!((verdict.usable, verdict.kdg), (true, false));
        assert_eq!(
            verdict.report,
            "t: KDG would stop with an error: line 2, column 9: Invalid method: random.uuid()\n\
             t: lenient mode takes it\n\
             t: note: line 2, column 9: KDG would stop here: Invalid method: random.uuid()\n"
        );

        let verdict = lint("t", "{{random.numbr(5)}}\n{{adress.city}}\n{{random.number({min:1})}}");
        assert_eq!((verdict.usable, verdict.kdg), (false, false));
        assert_eq!(
            verdict.report,
            "t: KDG would stop with an error: line 1, column 1: Invalid method: random.numbr\n\
             t: error: line 1, column 1: there is no function \"random.numbr\"; did you mean random.number? (KDG: Invalid method: random.numbr)\n\
             t: error: line 2, column 1: there is no module \"adress\"; did you mean address? (KDG: Invalid module: adress)\n"
        );

        let verdict = lint("t", "{{random.number({min:1})}}");
        assert_eq!((verdict.usable, verdict.kdg), (true, true));
        assert!(verdict.report.ends_with("it makes NaN; did you mean {\"min\":1}?\n"), "{}", verdict.report);
    }
}
