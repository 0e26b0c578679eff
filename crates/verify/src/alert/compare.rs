//! One figure against one payment (单项比对), without a database.
//!
//! Guarantees: an unknown figure is no finding, and no reason to settle one either; nothing is counted for zero. Deliberately
//! absent: who is asked, and what follows.

use super::rules::{When, told};
use crate::raw::day_of;
use crate::report::Figure;
use crate::source::{ColumnKind, FigureDef, Source};
use vocab::{Money, Month, Value};

/// What there is on the side of the payment (付款一侧).
#[derive(Debug, Clone, Copy)]
pub struct Payment<'a> {
    /// The month being paid.
    pub month: Month,
    /// The first month of the payment.
    pub from: Month,
    /// What the register says of the person; none where it says nothing.
    pub known: Option<&'a Value>,
    /// What the ledger holds for settled in the month compared; zero where nothing was paid then.
    pub settled: Money,
}

/// What comparing comes to (比对结论).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A finding.
    Is,
    /// None.
    IsNot,
    /// Nobody can say.
    Unknown,
}

/// Compares (比对).
pub fn compare(
    source: &Source,
    def: &FigureDef,
    when: &When,
    figure: &Figure,
    payment: Payment<'_>,
) -> Verdict {
    let Some(number) = figure.value else {
        return Verdict::Unknown;
    };
    let day = || {
        let there = figure.rows > 0;
        there.then(|| day_of(number)).flatten().map(Month::of)
    };
    let is = match when {
        When::Found => figure.rows > 0 && number != 0,
        When::MoreThanKnown { by, .. } => match payment.known {
            Some(Value::Int(known)) => number.saturating_sub(*known) > *by,
            Some(Value::Bool(known)) => number > i64::from(*known),
            // Nothing was ever said: what a department says is news.
            None => number > *by,
            Some(_) => return Verdict::Unknown,
        },
        When::DiffersFromKnown { .. } => {
            match figure.as_value(source, def) {
                Some(said) => payment.known != Some(&said),
                None if figure.rows == 0 => false,
                // A code that has no counterpart says something, and nobody knows what.
                None => return Verdict::Unknown,
            }
        }
        When::BeforePaid => day().is_some_and(|month| month < payment.month),
        When::AfterGranted => {
            let begun = payment.from.first_day();
            figure.rows > 0 && day_of(number).is_some_and(|day| day > begun)
        }
        When::LessThanSettled => number > 0 && number < payment.settled.fen(),
        When::NotSettled => number == 0 && payment.settled > Money::ZERO,
    };
    if is { Verdict::Is } else { Verdict::IsNot }
}

/// A figure in words (指标文字): money in yuan, days, the meaning of a code, counts.
pub fn in_words(source: &Source, def: &FigureDef, number: i64) -> String {
    let Some(at) = told(def) else {
        return number.to_string();
    };
    match &source.columns[at].kind {
        ColumnKind::Money(_) => Money::from_fen(number).to_string(),
        ColumnKind::Area(_) => format!("{}.{:02}", number / 10_000, number % 10_000 / 100),
        ColumnKind::Date | ColumnKind::Month => {
            day_of(number).map_or_else(String::new, |day| day.to_string())
        }
        ColumnKind::Code(codes) => usize::try_from(number)
            .ok()
            .and_then(|at| codes.get(at))
            .map_or_else(String::new, |(_, meaning)| meaning.clone()),
        _ => number.to_string(),
    }
}

/// A fact in the same words.
pub(crate) fn known_in_words(source: &Source, def: &FigureDef, known: &Value) -> String {
    match known {
        Value::Int(number) => in_words(source, def, *number),
        Value::Bool(flag) => if *flag { "是" } else { "否" }.to_owned(),
        Value::Text(word) => def
            .codes
            .iter()
            .find(|(_, fact)| *fact == word)
            .and_then(|(code, _)| {
                let ColumnKind::Code(codes) = &source.columns[told(def)?].kind else {
                    return None;
                };
                let found = codes.iter().find(|(one, _)| one == code)?;
                Some(found.1.clone())
            })
            .unwrap_or_else(|| {
                if word == "none" {
                    "无".to_owned()
                } else {
                    word.clone()
                }
            }),
        Value::Date(day) => day.to_string(),
    }
}
