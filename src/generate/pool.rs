//! Names, pages, agents and goods, drawn from `fake` once; the hot path only picks.
//!
//! The pools are the same for every seed and every producer: all producers of a stream then share one
//! population of users, pages and tickers, as the clients of one site would, so hot keys and joins mean
//! the same in every run. The seed decides who does what, not who exists.

use std::ops::Range;

use fake::Fake;
use fake::faker::address::en::CityName;
use fake::faker::company::en::Industry;
use fake::faker::internet::en::UserAgent;
use fake::faker::lorem::en::Word;
use fake::faker::name::en::{FirstName, LastName};

use super::pen::{Block, Pen};
use super::random::{Random, Stream};

/// Texts that need no JSON escape; never empty.
#[derive(Debug)]
pub(super) struct Pool(Vec<Box<str>>);

/// A pool's texts as JSON fields, ready to be copied.
#[derive(Debug)]
pub(super) struct Fields(Vec<Block>);

impl Fields {
    /// One of the fields.
    #[inline]
    pub(super) fn pick(&self, random: &mut Random) -> &Block {
        &self.0[random.below(self.0.len() as u32) as usize]
    }

    /// All fields.
    pub(super) fn all(&self) -> &[Block] {
        &self.0
    }

    /// The longest field.
    pub(super) fn longest(&self) -> &Block {
        self.0.iter().max_by_key(|field| field.len()).unwrap_or(&self.0[0])
    }
}

impl Pool {
    /// A pool of `count` texts, all different: a text that was drawn before gets its number appended.
    fn numbered(count: usize, mut draw: impl FnMut() -> String) -> Self {
        let mut texts: Vec<Box<str>> = Vec::with_capacity(count);
        for number in 0..count.max(1) {
            let mut text = draw();
            if text.is_empty() || texts.iter().any(|other| **other == *text) {
                text.push_str(&number.to_string());
            }
            texts.push(text.into());
        }
        Self(texts)
    }

    /// A pool of what is different among `draws` drawn texts.
    fn distinct(draws: usize, mut draw: impl FnMut() -> String) -> Self {
        let mut texts: Vec<Box<str>> = (0..draws.max(1)).map(|_| draw().into()).collect();
        texts.sort_unstable();
        texts.dedup();
        Self(texts)
    }

    /// Users, as `first.last`.
    pub(super) fn users() -> Self {
        let mut random = random("users");
        Self::numbered(512, || {
            let first: &str = FirstName().fake_with_rng(&mut random);
            let last: &str = LastName().fake_with_rng(&mut random);
            format!("{}.{}", word(first), word(last))
        })
    }

    /// Pages of a site, as `/page`.
    pub(super) fn pages() -> Self {
        let mut random = random("pages");
        Self::distinct(256, || {
            let page: &str = Word().fake_with_rng(&mut random);
            format!("/{}", word(page))
        })
    }

    /// Browsers, as the product token of their User-Agent: the whole header would outweigh the event.
    pub(super) fn agents() -> Self {
        let mut random = random("agents");
        Self::distinct(64, || product(UserAgent().fake_with_rng(&mut random)))
    }

    /// Ads and products, each a JSON object with its kind, id and category.
    pub(super) fn items() -> Self {
        let mut random = random("items");
        let mut number = 0;
        Self::numbered(256, || {
            number += 1;
            let kind = if random.below(4) == 0 { "ad" } else { "product" };
            let industry: &str = Industry().fake_with_rng(&mut random);
            let category = industry.split([',', '/', '&']).next().unwrap_or_default();
            format!(r#"{{"kind":"{kind}","id":{number},"category":"{}"}}"#, phrase(category))
        })
    }

    /// Tickers, four capital letters of a company's name.
    pub(super) fn tickers() -> Self {
        let mut random = random("tickers");
        Self::numbered(64, || {
            let name: &str = LastName().fake_with_rng(&mut random);
            word(name).chars().take(4).collect::<String>().to_ascii_uppercase()
        })
    }

    /// Devices, as `probe-0042`.
    pub(super) fn devices() -> Self {
        const KINDS: [&str; 6] = ["sensor", "probe", "meter", "gateway", "beacon", "tracker"];
        let mut random = random("devices");
        let mut number = 0;
        Self::numbered(1_024, || {
            number += 1;
            format!("{}-{number:04}", KINDS[random.below(KINDS.len() as u32) as usize])
        })
    }

    /// Cities.
    pub(super) fn sites() -> Self {
        let mut random = random("sites");
        Self::distinct(64, || {
            let city: String = CityName().fake_with_rng(&mut random);
            phrase(&city)
        })
    }

    /// The texts, each between these two.
    pub(super) fn between(self, before: &str, after: &str) -> Fields {
        Fields(self.0.iter().map(|text| Block::new(&format!("{before}{text}{after}"))).collect())
    }

    /// The texts as JSON fields of strings called `name`, each with the comma that follows it.
    pub(super) fn fields(self, name: &str) -> Fields {
        Fields(self.0.iter().map(|text| Block::new(&format!(r#""{name}":"{text}","#))).collect())
    }

    /// The texts as JSON fields of objects called `name`, each with the comma that follows it.
    pub(super) fn objects(self, name: &str) -> Fields {
        Fields(self.0.iter().map(|text| Block::new(&format!(r#""{name}":{text},"#))).collect())
    }

    /// All texts.
    #[cfg(test)]
    pub(super) fn texts(&self) -> &[Box<str>] {
        &self.0
    }
}

/// Writes a field of [`Pool::fields`] with that name; returns where its text stands.
#[inline]
pub(super) fn push_field(name: &str, field: &Block, pen: &mut Pen<'_>) -> Range<usize> {
    let start = pen.at() + name.len() + 4; // "name":"
    pen.block(field);
    start..pen.at() - 2 // ",
}

/// The generator that a pool is drawn with.
fn random(pool: &str) -> Random {
    Stream::new(pool, 0, "").job(0).event(0).random()
}

/// The letters and digits of `text`, in lower case.
fn word(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// `text` without what JSON would escape, and no longer than 24 characters.
fn phrase(text: &str) -> String {
    let legal = |letter: &char| matches!(letter, ' '..='~') && !matches!(letter, '"' | '\\');
    text.chars().filter(legal).take(24).collect::<String>().trim_end().to_owned()
}

/// The product token (RFC 9110, section 10.1.5) that names the browser itself.
fn product(agent: &str) -> String {
    let start = ["Edge/", "Chrome/", "Firefox/", "Opera/", "Version/"]
        .into_iter()
        .find_map(|name| agent.find(name))
        .unwrap_or_default();
    let token = agent[start..].split([' ', ';', ')']).next().unwrap_or_default();
    // Safari calls its own version "Version".
    phrase(&token.replace("Version/", "Safari/"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_pool_is_empty_or_holds_a_text_twice() {
        for (pool, least) in [
            (Pool::users(), 512),
            (Pool::pages(), 64),
            (Pool::agents(), 5),
            (Pool::items(), 256),
            (Pool::tickers(), 64),
            (Pool::devices(), 1_024),
            (Pool::sites(), 32),
        ] {
            let distinct: HashSet<_> = pool.texts().iter().collect();
            assert_eq!(distinct.len(), pool.texts().len());
            assert!(pool.texts().len() >= least && pool.texts().iter().all(|text| !text.is_empty()));
        }
    }

    #[test]
    fn names_need_no_escape_and_stay_short() {
        let pools =
            [Pool::users(), Pool::pages(), Pool::agents(), Pool::tickers(), Pool::devices(), Pool::sites()];
        for pool in pools {
            for text in pool.texts() {
                assert_eq!(serde_json::Value::from(&**text).to_string(), format!("\"{text}\""));
                assert!(text.len() <= 32, "{text}");
            }
        }
        for item in Pool::items().texts() {
            let value: serde_json::Value = serde_json::from_str(item).expect("an item is valid JSON");
            assert!(value["id"].is_u64() && value["category"].is_string(), "{item}");
        }
    }

    #[test]
    fn a_pool_outlives_a_source_that_repeats_itself_or_is_empty() {
        let pool = Pool::numbered(3, String::new);
        assert_eq!(pool.texts().iter().map(|text| &**text).collect::<Vec<_>>(), ["0", "1", "2"]);
        assert_eq!(Pool::distinct(3, || "a".to_owned()).texts().len(), 1);
    }

    #[test]
    fn an_agent_is_named_by_its_browser() {
        for (header, token) in [
            (
                "Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/41.0 Safari/537.36",
                "Chrome/41.0",
            ),
            ("Mozilla/5.0 (Macintosh) AppleWebKit/1 (KHTML) Version/7.0.3 Safari/7046A194A", "Safari/7.0.3"),
            ("Opera/9.80 (X11; Linux i686) Presto/2.8 Version/11.11", "Opera/9.80"),
            ("Mozilla/5.0 (compatible; MSIE 8.0)", "Mozilla/5.0"),
            ("", ""),
        ] {
            assert_eq!(product(header), token);
        }
    }
}
