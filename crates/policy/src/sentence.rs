//! Sentences with blanks (带空的句子): how values are shown to people, in Chinese and in English.
//!
//! Amounts are printed `1,250.00`; what is not known says so. Deliberately absent: deciding which sentence to say.

use crate::fact_def::FactDef;
use crate::kind::Kind;
use crate::program::Reg;
use crate::ratio::Ratio;
use crate::shown::Shown;

/// What a blank stands for (空的内容).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Blank {
    Value(Reg),
    AsOf,
    Amount,
    Members,
}

/// A piece of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filled {
    Words(String),
    Blank(Blank),
}

/// A sentence in both languages (句子).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sentence {
    pub(crate) zh: Vec<Filled>,
    pub(crate) en: Vec<Filled>,
}

/// Which language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Zh,
    En,
}

/// What stands where a value is not known.
pub(crate) fn not_known(language: Language) -> &'static str {
    match language {
        Language::Zh => "（待核实）",
        Language::En => "(to verify)",
    }
}

/// A number as people read it; `word` gives the text of codes and texts.
pub(crate) fn show(
    kind: Kind,
    value: Ratio,
    fact: Option<&FactDef>,
    word: Option<&str>,
    language: Language,
) -> Shown {
    match kind {
        Kind::Bool => match (value.is_zero(), language) {
            (true, Language::Zh) => "否",
            (false, Language::Zh) => "是",
            (true, Language::En) => "no",
            (false, Language::En) => "yes",
        }
        .into(),
        Kind::Count | Kind::Ratio => match value.as_whole() {
            Some(whole) => whole_number(whole),
            None => decimals(value, 6).into(),
        },
        Kind::Money | Kind::MoneyPerMonth | Kind::MoneyPerYear => money(value),
        Kind::Date => value
            .as_whole()
            .and_then(|days| i32::try_from(days).ok())
            .and_then(chrono::NaiveDate::from_num_days_from_ce_opt)
            .map_or_else(Shown::default, |day| day.to_string().into()),
        Kind::Code | Kind::Text => {
            let text = word.unwrap_or_default();
            let code = fact.and_then(|fact| fact.codes.iter().find(|code| code.code == text));
            match (code, language) {
                (Some(code), Language::Zh) => code.zh.as_str(),
                (Some(code), Language::En) => code.en.as_str(),
                (None, _) => text,
            }
            .into()
        }
    }
}

/// Yuan with separators; an amount that is not whole fen shows where it goes on.
pub(crate) fn money(fen: Ratio) -> Shown {
    if let Some(whole) = fen.as_whole() {
        return whole_money(whole);
    }
    match fen.over(Ratio::whole(100)) {
        Some(yuan) => decimals(yuan, 4).into(),
        None => fen.to_string().into(),
    }
}

/// As [`vocab::Money`] prints itself: answers hold hundreds of amounts.
fn whole_money(fen: i64) -> Shown {
    written(fen, 2)
}

/// A whole number with separators.
fn whole_number(number: i64) -> Shown {
    written(number, 0)
}

/// A number with so many places behind the point, written from the right in one go.
fn written(number: i64, places: usize) -> Shown {
    let mut digits = [0_u8; 32];
    let mut at = digits.len();
    let mut rest = number.unsigned_abs();
    let mut place = 0;
    while place < places + 1 || rest > 0 {
        if place == places && places > 0 {
            at -= 1;
            digits[at] = b'.';
        } else if place > places && (place - places).is_multiple_of(3) {
            at -= 1;
            digits[at] = b',';
        }
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        place += 1;
    }
    if number < 0 {
        at -= 1;
        digits[at] = b'-';
    }
    Shown::of_ascii(&digits[at..])
}

/// A fraction in decimals, `…` where they go on.
pub(crate) fn decimals(value: Ratio, places: u32) -> String {
    let negative = value.num() < 0;
    let size = value.num().unsigned_abs();
    let den = value.den().unsigned_abs();
    let whole = size / den;
    let mut rest = size % den;
    let mut digits = String::new();
    for _ in 0..places {
        if rest == 0 {
            break;
        }
        let Some(ten) = rest.checked_mul(10) else {
            return value.to_string();
        };
        digits.push(char::from_digit(u32::try_from(ten / den).unwrap_or(0), 10).unwrap_or('0'));
        rest = ten % den;
    }
    let grouped = group(&whole.to_string());
    let sign = if negative { "-" } else { "" };
    let more = if rest == 0 { "" } else { "…" };
    if digits.is_empty() {
        format!("{sign}{grouped}{more}")
    } else {
        format!("{sign}{grouped}.{digits}{more}")
    }
}

fn group(digits: &str) -> String {
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_amounts_are_written_as_money_writes_itself() {
        for fen in [
            0,
            5,
            -5,
            99,
            100,
            12_345,
            99_999,
            100_000,
            123_456_789,
            -10_000_000,
            i64::MAX,
            i64::MIN,
        ] {
            assert_eq!(*whole_money(fen), *vocab::Money::from_fen(fen).to_string());
            assert_eq!(*whole_number(fen), *decimals(Ratio::whole(fen), 6));
        }
    }

    #[test]
    fn amounts_and_fractions_are_shown_as_people_write_them() {
        let ratio = |text: &str| text.parse::<Ratio>().unwrap();
        assert_eq!(money(ratio("125000")), "1,250.00");
        assert_eq!(money(ratio("1234567/12")), "1,028.8058…");
        assert_eq!(decimals(ratio("1/2"), 6), "0.5");
        assert_eq!(decimals(ratio("-2/3"), 3), "-0.666…");
        assert_eq!(decimals(ratio("1200"), 6), "1,200");
    }
}
