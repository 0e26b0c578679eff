//! Units of parameters (参数单位): `fen/person/month`, `bp`, `years` … and the kind each has in formulas.
//!
//! Money is `fen`, then for what (`/person`, `/bed`, `/m2`), then by which period (`/month`, `/year`). The period makes the
//! kind; for what it is paid is told to the reader only: a rule multiplies by the number of beds itself.
//! Deliberately absent: conversion.

use crate::kind::Kind;

/// For what an amount may be: `fen/bed`.
const THINGS: [&str; 18] = [
    "household",
    "person",
    "child",
    "bed",
    "room",
    "meal",
    "visit",
    "time",
    "case",
    "hour",
    "day",
    "m2",
    "km",
    "kg",
    "grave",
    "point",
    "set",
    "home",
];
/// Numbers without money.
const COUNTS: [&str; 17] = [
    "count",
    "people",
    "households",
    "months",
    "years",
    "days",
    "hours",
    "minutes",
    "times",
    "points",
    "m2",
    "km",
    "kg",
    "beds",
    "rooms",
    "items",
    "grade",
];
/// Shares, and by what their whole number is divided.
const SHARES: [(&str, i64); 3] = [("bp", 10_000), ("permille", 1_000), ("percent", 100)];

/// The kind a unit has in formulas and by what its whole numbers are divided; `None` if there is no such unit.
pub(crate) fn kind_of(word: &str) -> Option<(Kind, i64)> {
    if let Some((_, divisor)) = SHARES.iter().find(|(share, _)| *share == word) {
        return Some((Kind::Ratio, *divisor));
    }
    if COUNTS.contains(&word) {
        return Some((Kind::Count, 1));
    }
    match word {
        "bool" => return Some((Kind::Bool, 1)),
        "date" => return Some((Kind::Date, 1)),
        _ => {}
    }
    let mut parts = word.split('/').peekable();
    if parts.next() != Some("fen") {
        return None;
    }
    // At most one thing: per person and bed would say nothing anybody can check.
    parts.next_if(|part| THINGS.contains(part));
    let kind = match parts.next() {
        None => Kind::Money,
        Some("month") => Kind::MoneyPerMonth,
        Some("year") => Kind::MoneyPerYear,
        Some(_) => return None,
    };
    parts.next().is_none().then_some((kind, 1))
}

/// The units there are, for whoever wrote another.
pub(crate) fn said() -> String {
    let shares: Vec<&str> = SHARES.iter().map(|(word, _)| *word).collect();
    format!(
        "可以写：fen、fen/month、fen/year，中间可以加一样东西（如 fen/person/month、fen/bed）：{}；{}；{}；bool；date",
        THINGS.join(" "),
        shares.join(" "),
        COUNTS.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_period_makes_the_kind() {
        assert_eq!(kind_of("fen"), Some((Kind::Money, 1)));
        assert_eq!(kind_of("fen/bed"), Some((Kind::Money, 1)));
        assert_eq!(kind_of("fen/person/month"), Some((Kind::MoneyPerMonth, 1)));
        assert_eq!(kind_of("fen/person/year"), Some((Kind::MoneyPerYear, 1)));
        assert_eq!(kind_of("bp"), Some((Kind::Ratio, 10_000)));
        assert_eq!(kind_of("beds"), Some((Kind::Count, 1)));
    }

    #[test]
    fn other_units_are_refused() {
        for word in [
            "yuan",
            "fen/",
            "fen/month/person",
            "fen/person/bed",
            "fen/month/year",
            "fen/week",
            "",
        ] {
            assert_eq!(kind_of(word), None, "{word}");
        }
    }
}
