//! `name`, `phone`, `internet`: people, and what they are called where.

use fake::locales::{Data, EN};

use super::super::error::Fault;
use super::super::op::Op;
use super::super::value::Value;
use super::super::words;
use super::data::{
    FIRST_NAMES, LAST_NAMES, any, lower_names, plain, plain_first_names, plain_last_names, slug,
};
use super::goods::{joint, small_number};
use super::{Ask, Function, Made, constant, function, one_of, pattern, whole};

pub(super) const NAME: &[Function] = &[
    function("name", "firstName", "", "a first name", |_| one_of(FIRST_NAMES)),
    function("name", "lastName", "", "a last name, such as `O'Connell`", |_| one_of(LAST_NAMES)),
    function(
        "name",
        "findName",
        "first name",
        "a whole name, one in nine with a title, one in nine with a suffix",
        find_name,
    ),
    function("name", "jobTitle", "", "such as `Senior Data Engineer`", |_| Ok(job_title())),
    function("name", "prefix", "", "such as `Dr.`", |_| one_of(EN::NAME_TITLE)),
    function("name", "suffix", "", "such as `PhD`", |_| one_of(EN::NAME_SUFFIX)),
    function("name", "title", "", "as `name.jobTitle`", |_| Ok(job_title())),
    function("name", "jobDescriptor", "", "such as `Senior`", |_| one_of(words::JOB_DESCRIPTORS)),
    function("name", "jobArea", "", "such as `Data`", |_| one_of(words::JOB_AREAS)),
    function("name", "jobType", "", "such as `Engineer`", |_| one_of(words::JOB_TYPES)),
];

pub(super) const PHONE: &[Function] = &[
    function(
        "phone",
        "phoneNumber",
        "format",
        "a number, in a format in which `#` is a digit or in one of KDG's twenty",
        |ask| match ask.truthy().cloned() {
            None => Ok(vec![any(words::PHONES.iter().map(|format| vec![pattern(format, false)]))]),
            Some(Value::Text(format)) => Ok(vec![pattern(&ask.inserted(&format)?, false)]),
            Some(_) => {
                ask.note("a format must be a text: nothing is written");
                constant("")
            }
        },
    ),
    function(
        "phone",
        "phoneNumberFormat",
        "0 to 19",
        "a number in the first to twentieth of the formats",
        |ask| {
            let number = ask.truthy().map_or(0.0, Value::number);
            match words::PHONES.iter().enumerate().find(|(at, _)| *at as f64 == number) {
                Some((_, format)) => Ok(vec![pattern(format, false)]),
                None => {
                    ask.note("there are the formats 0 to 19: nothing is written");
                    constant("")
                }
            }
        },
    ),
    function("phone", "phoneFormats", "", "one of the formats itself", |_| one_of(words::PHONES)),
];

pub(super) const INTERNET: &[Function] = &[
    function("internet", "avatar", "", "the address of a picture", |_| Ok(avatar())),
    function("internet", "email", "first name", "an address at gmail.com, yahoo.com or hotmail.com", |ask| {
        email(ask, EN::INTERNET_FREE_EMAIL_PROVIDER)
    }),
    function("internet", "exampleEmail", "first name", "an address at example.org, .com or .net", |ask| {
        email(ask, words::EXAMPLE_HOSTS)
    }),
    function(
        "internet",
        "session",
        "",
        "a number from 1007199254740991 to 9007199254740991, some with a fraction",
        |_| Ok(vec![Op::Session]),
    ),
    function("internet", "userName", "first name", "such as `Anna.Smith7`", |ask| {
        let first = first_name(ask)?.map(|name| Op::text(&plain(&name)));
        Ok(user_name(first.unwrap_or_else(plain_first_names)))
    }),
    function("internet", "protocol", "", "`http` or `https`", |_| one_of(&["http", "https"])),
    function("internet", "url", "", "such as `https://anna.org`", |_| {
        Ok([vec![Op::Pick(&["http", "https"]), Op::text("://")], domain()].concat())
    }),
    function("internet", "domainName", "", "such as `anna.org`", |_| Ok(domain())),
    function("internet", "domainSuffix", "", "`com`, `biz`, `info`, `name`, `net` or `org`", |_| {
        one_of(words::DOMAIN_SUFFIXES)
    }),
    function("internet", "domainWord", "", "a first name in lower case", |_| Ok(vec![lower_names()])),
    function("internet", "ip", "", "four numbers from 0 to 255", |_| {
        let part = || whole(0, 255);
        Ok(vec![part(), Op::text("."), part(), Op::text("."), part(), Op::text("."), part()])
    }),
    function("internet", "userAgent", "", "a browser", |_| one_of(EN::INTERNET_USER_AGENT)),
    function(
        "internet",
        "color",
        "red",
        "such as `#0a1b2c`, each part at most 128; a base makes it redder",
        |ask| {
            let base = ask.number_or(0.0);
            if !(0.0..=255.0).contains(&base) {
                return Err(Fault::new("NaN", "a base of a colour is from 0 to 255"));
            }
            Ok(vec![Op::Colour(base)])
        },
    ),
    function("internet", "mac", "", "six pairs of hexadecimal digits with colons", |_| {
        let pair = || Op::Letters { of: b"0123456789abcdef", least: 2, most: 2 };
        let rest = (1..6).flat_map(|_| [Op::text(":"), pair()]);
        Ok(std::iter::once(pair()).chain(rest).collect())
    }),
    function(
        "internet",
        "password",
        "length",
        "so many letters, digits and underscores; 15 without a length",
        password,
    ),
];

fn find_name(ask: &mut Ask) -> Made {
    let given = first_name(ask)?;
    let name = || {
        let first = given.as_ref().map_or(Op::Pick(FIRST_NAMES), |name| Op::text(name));
        vec![first, Op::text(" "), Op::Pick(LAST_NAMES)]
    };
    let mut forms = vec![
        [vec![Op::Pick(EN::NAME_TITLE), Op::text(" ")], name()].concat(),
        [name(), vec![Op::text(" "), Op::Pick(EN::NAME_SUFFIX)]].concat(),
    ];
    forms.extend((2..9).map(|_| name()));
    Ok(vec![any(forms)])
}

fn job_title() -> Vec<Op> {
    let (descriptor, area) = (Op::Pick(words::JOB_DESCRIPTORS), Op::Pick(words::JOB_AREAS));
    vec![descriptor, Op::text(" "), area, Op::text(" "), Op::Pick(words::JOB_TYPES)]
}

/// The first name that was given.
fn first_name(ask: &mut Ask) -> Result<Option<String>, Fault> {
    match ask.truthy().cloned() {
        None => Ok(None),
        Some(given) => ask.inserted(&given.text()).map(Some),
    }
}

fn user_name(first: Op) -> Vec<Op> {
    vec![any([
        vec![first.clone(), small_number()],
        vec![first.clone(), joint(), plain_last_names()],
        vec![first, joint(), plain_last_names(), small_number()],
    ])]
}

fn email(ask: &mut Ask, hosts: &'static [&'static str]) -> Made {
    let first = first_name(ask)?.map(|name| Op::text(&slug(&plain(&name))));
    Ok([user_name(first.unwrap_or_else(plain_first_names)), vec![Op::text("@"), Op::Pick(hosts)]].concat())
}

fn domain() -> Vec<Op> {
    vec![lower_names(), Op::text("."), Op::Pick(words::DOMAIN_SUFFIXES)]
}

/// `internet.avatar` and `image.avatar`.
pub(super) fn avatar() -> Vec<Op> {
    vec![Op::text("https://s3.amazonaws.com/uifaces/faces/twitter/"), lower_names(), Op::text("/128.jpg")]
}

fn password(ask: &mut Ask) -> Made {
    /// KDG calls itself for each character, and has no room for more than some thousands.
    const MOST: f64 = 2_000.0;
    let length = ask.number_or(15.0);
    if length.is_nan() || ask.strict && length > MOST {
        let why = "the length of a password is a number, at most 2000 in KDG";
        return Err(Fault::new("Maximum call stack size exceeded", why));
    }
    let count = ask.times(length)?;
    const WORD: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    Ok(vec![Op::Letters { of: WORD, least: count, most: count }])
}
