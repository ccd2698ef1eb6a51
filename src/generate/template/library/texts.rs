//! `lorem`, `hacker`, `helpers`: words, sentences, and texts made from the template's own.

use std::sync::LazyLock;

use fake::locales::{Data, EN};

use super::super::error::Fault;
use super::super::op::{MOST_SHUFFLED, Op};
use super::super::value::Value;
use super::super::words;
use super::data::{any, phrase, slug};
use super::numbers::array_element;
use super::{Ask, Function, Made, constant, function, one_of, pattern};

/// What KDG puts between paragraphs.
const BETWEEN_PARAGRAPHS: &str = "\n \r";

static WORD: LazyLock<Vec<Op>> = LazyLock::new(|| vec![Op::Pick(EN::LOREM_WORD)]);
static SENTENCE: LazyLock<Vec<Op>> = LazyLock::new(|| sentence(3, 10));
static PARAGRAPH: LazyLock<Vec<Op>> = LazyLock::new(|| vec![times(3, 6, " ", &SENTENCE)]);

pub(super) const LOREM: &[Function] = &[
    function("lorem", "word", "", "a Latin word", |_| Ok(WORD.clone())),
    function("lorem", "words", "count", "so many words, three without a count", |ask| {
        repeated(ask, 3, 3, " ", &WORD)
    }),
    function(
        "lorem",
        "sentence",
        "words",
        "a sentence of so many words, three to ten without a count",
        |ask| {
            let words = counted(ask, 3, 10)?;
            Ok(sentence(words.0, words.1))
        },
    ),
    function("lorem", "sentences", "count", "so many sentences, two to six without a count", |ask| {
        repeated(ask, 2, 6, " ", &SENTENCE)
    }),
    function(
        "lorem",
        "paragraph",
        "sentences",
        "so many sentences and up to three more, three without a count",
        |ask| {
            let (least, most) = counted(ask, 3, 3)?;
            Ok(vec![times(least, most + 3, " ", &SENTENCE)])
        },
    ),
    function(
        "lorem",
        "paragraphs",
        "count",
        "so many paragraphs with line breaks between, three without a count",
        |ask| {
            breaks(ask);
            repeated(ask, 3, 3, BETWEEN_PARAGRAPHS, &PARAGRAPH)
        },
    ),
    function("lorem", "text", "", "any of the others", |ask| {
        breaks(ask);
        let all = [
            WORD.clone(),
            vec![times(3, 3, " ", &WORD)],
            SENTENCE.clone(),
            vec![times(2, 6, " ", &SENTENCE)],
            PARAGRAPH.clone(),
            vec![times(3, 3, BETWEEN_PARAGRAPHS, &PARAGRAPH)],
            vec![times(1, 5, "\n", &SENTENCE)],
        ];
        Ok(vec![any(all)])
    }),
    function(
        "lorem",
        "lines",
        "count",
        "so many sentences with line breaks between, one to five without a count",
        |ask| {
            breaks(ask);
            repeated(ask, 1, 5, "\n", &SENTENCE)
        },
    ),
];

pub(super) const HACKER: &[Function] = &[
    function("hacker", "abbreviation", "", "such as `HTTP`", |_| one_of(words::ABBREVIATIONS)),
    function("hacker", "adjective", "", "such as `redundant`", |_| one_of(words::TECH_ADJECTIVES)),
    function("hacker", "noun", "", "such as `firewall`", |_| one_of(words::TECH_NOUNS)),
    function("hacker", "verb", "", "such as `compress`", |_| one_of(words::TECH_VERBS)),
    function("hacker", "ingverb", "", "such as `compressing`", |_| one_of(words::TECH_ING_VERBS)),
    function("hacker", "phrase", "", "a sentence of them", |_| {
        let word = |letter| match letter {
            'v' => Op::Pick(words::TECH_VERBS),
            'n' => Op::Pick(words::TECH_NOUNS),
            'a' => Op::Pick(words::ABBREVIATIONS),
            'j' => Op::Pick(words::TECH_ADJECTIVES),
            _ => Op::Pick(words::TECH_ING_VERBS),
        };
        Ok(vec![any(words::TECH_PHRASES.map(|text| phrase(text, word)))])
    }),
];

pub(super) const HELPERS: &[Function] = &[
    function("helpers", "randomize", "`[\"a\",\"b\",\"c\"]`", "as `random.arrayElement`", array_element),
    function("helpers", "slugify", "text", "the text with hyphens for spaces, without other signs", |ask| {
        let text = given_text(ask, "string.replace is not a function")?;
        constant(slug(&text))
    }),
    function("helpers", "replaceSymbolWithNumber", "text", "the text with a digit for each `#`", |ask| {
        symbols(ask, false)
    }),
    function(
        "helpers",
        "replaceSymbols",
        "text",
        "the text with a digit for each `#` and a capital letter for each `?`",
        |ask| symbols(ask, true),
    ),
    function(
        "helpers",
        "shuffle",
        "`[\"a\",\"b\",\"c\"]`",
        "the list in random order, joined by commas",
        shuffle,
    ),
    function("helpers", "mustache", "text", "the text", |ask| match ask.value.clone() {
        None => constant(""),
        Some(value) => constant(ask.inserted(&value.text())?),
    }),
    function("helpers", "createCard", "", "`[object Object]`, as KDG", object),
    function("helpers", "contextualCard", "", "`[object Object]`, as KDG", object),
    function("helpers", "userCard", "", "`[object Object]`, as KDG", object),
    function("helpers", "createTransaction", "", "`[object Object]`, as KDG", object),
];

fn object(ask: &mut Ask) -> Made {
    ask.note("KDG writes [object Object] for this function, and so does this program");
    constant("[object Object]")
}

fn breaks(ask: &mut Ask) {
    ask.note("this writes line breaks, which a text in JSON must not hold");
}

fn times(least: u32, most: u32, between: &'static str, of: &'static [Op]) -> Op {
    Op::Times { least, most, between, of }
}

fn sentence(least: u32, most: u32) -> Vec<Op> {
    vec![Op::Capital([times(least, most, " ", &WORD)].into()), Op::text(".")]
}

/// How many, when a parameter may say so.
fn counted(ask: &mut Ask, least: u32, most: u32) -> Result<(u32, u32), Fault> {
    match &ask.value {
        None => Ok((least, most)),
        Some(value) => {
            let count = ask.times(value.number())?;
            Ok((count, count))
        }
    }
}

fn repeated(ask: &mut Ask, least: u32, most: u32, between: &'static str, of: &'static [Op]) -> Made {
    let (least, most) = counted(ask, least, most)?;
    Ok(vec![times(least, most, between, of)])
}

/// The text that was given, or an empty one, as `||` does.
fn given_text(ask: &mut Ask, otherwise: &str) -> Result<String, Fault> {
    match ask.truthy().cloned() {
        None => Ok(String::new()),
        Some(Value::Text(text)) => ask.inserted(&text),
        Some(_) => Err(Fault::new(otherwise, "it needs a text in quotes")),
    }
}

fn symbols(ask: &mut Ask, letters: bool) -> Made {
    match ask.truthy() {
        Some(Value::Number(_) | Value::Bool(_) | Value::Map(_)) => {
            ask.note("a format must be a text in quotes: nothing is written");
            constant("")
        }
        Some(Value::List(list)) if list.is_empty() => constant(""),
        _ => Ok(vec![pattern(&given_text(ask, "string.charAt is not a function")?, letters)]),
    }
}

fn shuffle(ask: &mut Ask) -> Made {
    let values = match ask.truthy().cloned() {
        None => words::ABC.iter().map(|word| Value::Text((*word).to_owned())).collect(),
        Some(Value::List(values)) => values,
        // KDG can't change a text or a number.
        Some(Value::Text(text)) => return constant(ask.inserted(&text)?),
        Some(_) => return Err(Fault::new("Maximum call stack size exceeded", "it needs a list to shuffle")),
    };
    if values.is_empty() && ask.strict {
        return Err(Fault::new("Maximum call stack size exceeded", "KDG never ends with an empty list"));
    }
    if values.len() > MOST_SHUFFLED {
        return Err(Fault::new(
            "out of memory",
            format!("more than {MOST_SHUFFLED} elements are not shuffled"),
        ));
    }
    // Within a list, JavaScript writes nothing for null.
    let values: Vec<Value> =
        values.into_iter().map(|value| Value::Text(Value::List(vec![value]).text())).collect();
    Ok(vec![Op::Shuffled(ask.texts(&values)?)])
}
