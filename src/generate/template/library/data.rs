//! Words that several modules share, prepared once: `fake`'s, and what is made of them.

use std::sync::LazyLock;

use fake::locales::{Data, EN};

use super::super::op::Op;

pub(super) const FIRST_NAMES: &[&str] = EN::NAME_FIRST_NAME;
pub(super) const LAST_NAMES: &[&str] = EN::NAME_LAST_NAME;

static LOWER: LazyLock<Vec<String>> =
    LazyLock::new(|| FIRST_NAMES.iter().map(|name| plain(name).to_lowercase()).collect());
static LOWER_NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| LOWER.iter().map(String::as_str).collect());
static PLAIN_FIRST: LazyLock<Vec<String>> =
    LazyLock::new(|| FIRST_NAMES.iter().map(|name| plain(name)).collect());
static PLAIN_FIRST_NAMES: LazyLock<Vec<&str>> =
    LazyLock::new(|| PLAIN_FIRST.iter().map(String::as_str).collect());
static PLAIN_LAST: LazyLock<Vec<String>> =
    LazyLock::new(|| LAST_NAMES.iter().map(|name| plain(name)).collect());
static PLAIN_LAST_NAMES: LazyLock<Vec<&str>> =
    LazyLock::new(|| PLAIN_LAST.iter().map(String::as_str).collect());

/// First names as words of a domain: letters in lower case.
pub(super) fn lower_names() -> Op {
    Op::Pick(&LOWER_NAMES)
}

/// First names without apostrophes and spaces.
pub(super) fn plain_first_names() -> Op {
    Op::Pick(&PLAIN_FIRST_NAMES)
}

/// Last names without apostrophes and spaces.
pub(super) fn plain_last_names() -> Op {
    Op::Pick(&PLAIN_LAST_NAMES)
}

/// `name` without apostrophes and spaces, as KDG's user names have it.
pub(super) fn plain(name: &str) -> String {
    name.replace(['\'', ' '], "")
}

/// `helpers.slugify`: spaces become hyphens; word characters, points and hyphens stay.
pub(super) fn slug(text: &str) -> String {
    let legal = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-');
    text.replace(' ', "-").chars().filter(legal).collect()
}

/// Sequences, any one of which is drawn.
pub(super) fn any(of: impl IntoIterator<Item = Vec<Op>>) -> Op {
    Op::OneOf(of.into_iter().map(Vec::into_boxed_slice).collect())
}

/// What is made of words and of the texts between them: `"a %b"` has a text and the word called `b`.
pub(super) fn phrase(text: &str, word: impl Fn(char) -> Op) -> Vec<Op> {
    let mut parts = text.split('%');
    let mut ops = vec![Op::text(parts.next().unwrap_or_default())];
    for part in parts {
        let mut letters = part.chars();
        ops.extend(letters.next().map(&word));
        ops.push(Op::text(letters.as_str()));
    }
    ops
}
