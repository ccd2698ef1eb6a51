//! `commerce`, `company`, `finance`: what is sold, by whom, for how much.

use fake::locales::{Data, EN};

use super::super::op::Op;
use super::super::value::Value;
use super::super::words;
use super::data::{LAST_NAMES, any};
use super::numbers::{between, digits};
use super::places::numbered;
use super::{Ask, Function, Made, constant, function, one_of, whole};

/// The most of a price or an amount, included. KDG's templates can't give another.
const MOST: f64 = 1_000.0;

pub(super) const COMMERCE: &[Function] = &[
    function("commerce", "color", "", "a colour's name", |_| one_of(words::COLOURS)),
    function("commerce", "department", "", "a department of a shop", |_| one_of(words::DEPARTMENTS)),
    function("commerce", "productName", "", "such as `Rustic Steel Chair`", |_| Ok(product_name())),
    function("commerce", "price", "min", "whole, with `.00`: from `min` or 0 to 1000", |ask| {
        let low = ask.number_or(0.0);
        if low < 0.0 {
            ask.note("KDG writes 0 for a negative least price");
            return constant("0");
        }
        amount(ask, low)
    }),
    function("commerce", "productAdjective", "", "such as `Rustic`", |_| one_of(words::PRODUCT_ADJECTIVES)),
    function("commerce", "productMaterial", "", "such as `Steel`", |_| one_of(words::PRODUCT_MATERIALS)),
    function("commerce", "product", "", "such as `Chair`", |_| one_of(words::PRODUCTS)),
];

pub(super) const COMPANY: &[Function] = &[
    function("company", "suffixes", "", "`Inc,and Sons,LLC,Group`: all of them", |_| {
        constant("Inc,and Sons,LLC,Group")
    }),
    function("company", "companyName", "0 to 2", "a company, of the first to third of KDG's forms", |ask| {
        let name = || Op::Pick(LAST_NAMES);
        let forms = [
            vec![name(), Op::text(" "), Op::Pick(EN::COMPANY_SUFFIX)],
            vec![name(), Op::text(" - "), name()],
            vec![name(), Op::text(", "), name(), Op::text(" and "), name()],
        ];
        numbered(ask, forms)
    }),
    function("company", "companySuffix", "", "such as `Inc`", |_| one_of(EN::COMPANY_SUFFIX)),
    function("company", "catchPhrase", "", "such as `Adaptive local matrix`", |_| {
        Ok(three(EN::COMPANY_BUZZWORD_HEAD, EN::COMPANY_BUZZWORD_MIDDLE, EN::COMPANY_BUZZWORD_TAIL))
    }),
    function(
        "company",
        "bs",
        "",
        "such as `web-enabled utilize markets`: KDG has the verb in the middle",
        |_| Ok(three(EN::COMPANY_BS_ADJ, EN::COMPANY_BS_VERBS, EN::COMPANY_BS_NOUNS)),
    ),
    function("company", "catchPhraseAdjective", "", "its first word", |_| one_of(EN::COMPANY_BUZZWORD_HEAD)),
    function("company", "catchPhraseDescriptor", "", "its second word", |_| {
        one_of(EN::COMPANY_BUZZWORD_MIDDLE)
    }),
    function("company", "catchPhraseNoun", "", "its third word", |_| one_of(EN::COMPANY_BUZZWORD_TAIL)),
    function("company", "bsAdjective", "", "the first word of `bs`", |_| one_of(EN::COMPANY_BS_ADJ)),
    function("company", "bsBuzz", "", "its verb", |_| one_of(EN::COMPANY_BS_VERBS)),
    function("company", "bsNoun", "", "its noun", |_| one_of(EN::COMPANY_BS_NOUNS)),
];

pub(super) const FINANCE: &[Function] = &[
    function(
        "finance",
        "account",
        "digits",
        "an account's number, of eight digits without a parameter",
        |ask| {
            let count = ask.number_or(8.0);
            Ok(vec![digits(ask.times(count)?)])
        },
    ),
    function("finance", "accountName", "", "such as `Savings Account`", |_| one_of(words::ACCOUNTS)),
    function("finance", "mask", "digits", "the last digits of an account, four without a parameter", |ask| {
        let count = ask.number_or(4.0);
        let count = if ask.value.as_ref().is_some_and(|value| value.number() == 0.0) { 4.0 } else { count };
        Ok(vec![digits(ask.times(count)?)])
    }),
    function("finance", "amount", "min", "whole, with `.00`: from `min` or 0 to 1000", |ask| {
        let low = ask.number_or(0.0);
        amount(ask, low)
    }),
    function("finance", "transactionType", "", "`deposit`, `withdrawal`, `payment` or `invoice`", |_| {
        one_of(words::TRANSACTIONS)
    }),
    function("finance", "currencyCode", "", "such as `EUR`", |_| one_of(EN::CURRENCY_CODE)),
    function("finance", "currencyName", "", "such as `Euro`", |_| one_of(EN::CURRENCY_NAME)),
    function("finance", "currencySymbol", "", "such as `€`", |_| one_of(EN::CURRENCY_SYMBOL)),
    function("finance", "bitcoinAddress", "", "1 or 3, then 26 to 33 capital letters and digits", |_| {
        let rest = Op::Letters { of: b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", least: 26, most: 33 };
        Ok(vec![Op::Pick(&["1", "3"]), rest])
    }),
];

fn product_name() -> Vec<Op> {
    three(words::PRODUCT_ADJECTIVES, words::PRODUCT_MATERIALS, words::PRODUCTS)
}

fn three(a: &'static [&'static str], b: &'static [&'static str], c: &'static [&'static str]) -> Vec<Op> {
    vec![Op::Pick(a), Op::text(" "), Op::Pick(b), Op::text(" "), Op::Pick(c)]
}

fn amount(ask: &mut Ask, low: f64) -> Made {
    if matches!(ask.value, Some(Value::Map(_))) {
        ask.note("a price or amount takes the least alone, as a number; an object makes NaN of it");
    } else if low > MOST {
        ask.note("the least is above 1000, the most that KDG draws");
    }
    match between(1.0, low, MOST + 1.0) {
        Op::Text(_) => constant("NaN"),
        number => Ok(vec![number, Op::text(".00")]),
    }
}

/// A user's number, 0 to 99, after some names.
pub(super) fn small_number() -> Op {
    whole(0, 99)
}

/// A point or an underscore.
pub(super) fn joint() -> Op {
    any([vec![Op::text(".")], vec![Op::text("_")]])
}
