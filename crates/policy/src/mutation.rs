//! Small changes to a formula (公式变异): each one a mistake somebody could have made.
//!
//! A comparison made strict or loose or turned round, a number moved by one, a day by one, a condition or a filter
//! dropped, `and` for `or`, `sum` for `max`, a branch left out, `+` for `-`. Guarantees: no change says the same as the
//! original or as another; the words name the place exactly. Deliberately absent: whether a change compiles.

use crate::formula::{At, Binary, Expr, What};
use chrono::Days;
use std::collections::BTreeSet;

/// A formula with one change (变异).
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) expr: Expr,
    /// Where in the formula.
    pub(crate) at: At,
    pub(crate) words: String,
}

/// All formulas one change away.
pub(crate) fn changes(expr: &Expr) -> Vec<Change> {
    let mut seen = BTreeSet::from([expr.to_string()]);
    let mut said = BTreeSet::new();
    let mut found = anywhere(expr);
    found.retain(|change| seen.insert(change.expr.to_string()));
    for change in &mut found {
        let words = change.words.clone();
        let mut place = 1;
        while !said.insert(change.words.clone()) {
            place += 1;
            change.words = format!("{words}（第 {place} 处）");
        }
    }
    found
}

fn anywhere(expr: &Expr) -> Vec<Change> {
    let mut found: Vec<Change> = here(expr)
        .into_iter()
        .map(|(changed, words)| Change {
            expr: changed,
            at: expr.at,
            words,
        })
        .collect();
    for (place, child) in children(expr).into_iter().enumerate() {
        found.extend(anywhere(child).into_iter().map(|change| Change {
            expr: with_child(expr, place, change.expr),
            ..change
        }));
    }
    found
}

fn children(expr: &Expr) -> Vec<&Expr> {
    match &expr.what {
        What::Name(_) | What::Whole(_) | What::Text(_) | What::Day(_) | What::Flag(_) => Vec::new(),
        What::Not(of) | What::Negative(of) => vec![of],
        What::Binary(_, left, right) => vec![left, right],
        What::In { of, .. } => vec![of],
        What::Between { of, low, high, .. } => vec![of, low, high],
        What::Case { whens, otherwise } => whens
            .iter()
            .flat_map(|(test, value)| [test, value])
            .chain([&**otherwise])
            .collect(),
        What::Call { args, filter, .. } => args.iter().chain(filter.as_deref()).collect(),
    }
}

fn with_child(expr: &Expr, place: usize, new: Expr) -> Expr {
    let mut copy = expr.clone();
    let child = match &mut copy.what {
        What::Name(_) | What::Whole(_) | What::Text(_) | What::Day(_) | What::Flag(_) => None,
        What::Not(of) | What::Negative(of) | What::In { of, .. } => Some(&mut **of),
        What::Binary(_, left, right) => {
            [left, right].into_iter().map(|side| &mut **side).nth(place)
        }
        What::Between { of, low, high, .. } => [of, low, high]
            .into_iter()
            .map(|part| &mut **part)
            .nth(place),
        What::Case { whens, otherwise } => whens
            .iter_mut()
            .flat_map(|(test, value)| [test, value])
            .chain([&mut **otherwise])
            .nth(place),
        What::Call { args, filter, .. } => args.iter_mut().chain(filter.as_deref_mut()).nth(place),
    };
    if let Some(child) = child {
        *child = new;
    }
    copy
}

/// The changes at the top of an expression, with their words.
fn here(expr: &Expr) -> Vec<(Expr, String)> {
    let with = |what: What| Expr { at: expr.at, what };
    let turned = |what: What| {
        let new = with(what);
        let words = format!("`{expr}` 改为 `{new}`");
        (new, words)
    };
    match &expr.what {
        What::Name(parts) => match parts.as_slice() {
            [word] if word == "month_start" => vec![turned(What::Name(vec!["month_end".into()]))],
            [word] if word == "month_end" => vec![turned(What::Name(vec!["month_start".into()]))],
            _ => Vec::new(),
        },
        What::Text(_) => Vec::new(),
        What::Whole(number) => {
            // Below zero there is nothing to count.
            let below = (*number != 0).then(|| number - 1);
            [Some(number.saturating_add(1)), below]
                .into_iter()
                .flatten()
                .map(|other| turned(What::Whole(other)))
                .collect()
        }
        What::Day(day) => [
            day.checked_add_days(Days::new(1)),
            day.checked_sub_days(Days::new(1)),
        ]
        .into_iter()
        .flatten()
        .map(|other| turned(What::Day(other)))
        .collect(),
        What::Flag(flag) => vec![turned(What::Flag(!flag))],
        What::Not(of) => vec![((**of).clone(), format!("去掉 not：`{expr}`"))],
        What::Negative(of) => vec![((**of).clone(), format!("去掉负号：`{expr}`"))],
        What::Binary(sign, left, right) => binary(expr, *sign, left, right),
        What::In { of, list, negated } => vec![turned(What::In {
            of: of.clone(),
            list: list.clone(),
            negated: !negated,
        })],
        What::Between {
            of,
            low,
            high,
            negated,
        } => between(expr, of, low, high, *negated),
        What::Case { whens, otherwise } => case(expr, whens, otherwise),
        What::Call {
            name,
            star,
            args,
            filter,
        } => call(expr, name, *star, args, filter.as_deref()),
    }
}

fn binary(expr: &Expr, sign: Binary, left: &Expr, right: &Expr) -> Vec<(Expr, String)> {
    let others: &[Binary] = match sign {
        Binary::Or => &[Binary::And],
        Binary::And => &[Binary::Or],
        Binary::Eq => &[Binary::Ne],
        Binary::Ne => &[Binary::Eq],
        Binary::Lt => &[Binary::Le, Binary::Ge],
        Binary::Le => &[Binary::Lt, Binary::Gt],
        Binary::Gt => &[Binary::Ge, Binary::Le],
        Binary::Ge => &[Binary::Gt, Binary::Lt],
        Binary::Plus => &[Binary::Minus],
        Binary::Minus => &[Binary::Plus],
        Binary::Times => &[Binary::Over],
        Binary::Over => &[Binary::Times],
    };
    let both = |sign| {
        let new = Expr {
            at: expr.at,
            what: What::Binary(sign, Box::new(left.clone()), Box::new(right.clone())),
        };
        let words = format!("`{expr}` 改为 `{new}`");
        (new, words)
    };
    let mut found: Vec<_> = others.iter().copied().map(both).collect();
    if matches!(sign, Binary::And | Binary::Or) {
        let word = sign.sign();
        found.push((
            right.clone(),
            format!("去掉 `{left}`（{word} 的左边，右边是 `{right}`）"),
        ));
        found.push((
            left.clone(),
            format!("去掉 `{right}`（{word} 的右边，左边是 `{left}`）"),
        ));
    }
    found
}

/// `between` is two comparisons; each bound is made strict, and the whole is turned round.
fn between(expr: &Expr, of: &Expr, low: &Expr, high: &Expr, negated: bool) -> Vec<(Expr, String)> {
    let with = |what: What| Expr { at: expr.at, what };
    let boxed = |part: &Expr| Box::new(part.clone());
    let mut found = Vec::new();
    for (from, to, end) in [
        (Binary::Gt, Binary::Le, "下限"),
        (Binary::Ge, Binary::Lt, "上限"),
    ] {
        let both = with(What::Binary(
            Binary::And,
            Box::new(with(What::Binary(from, boxed(of), boxed(low)))),
            Box::new(with(What::Binary(to, boxed(of), boxed(high)))),
        ));
        let new = if negated {
            with(What::Not(Box::new(both)))
        } else {
            both
        };
        found.push((new, format!("`{expr}` 不含{end}")));
    }
    let new = with(What::Between {
        of: boxed(of),
        low: boxed(low),
        high: boxed(high),
        negated: !negated,
    });
    let words = format!("`{expr}` 改为 `{new}`");
    found.push((new, words));
    found
}

fn case(expr: &Expr, whens: &[(Expr, Expr)], otherwise: &Expr) -> Vec<(Expr, String)> {
    let mut found = Vec::new();
    for (place, (test, value)) in whens.iter().enumerate() {
        let mut rest = whens.to_vec();
        rest.remove(place);
        let dropped = if rest.is_empty() {
            otherwise.clone()
        } else {
            Expr {
                at: expr.at,
                what: What::Case {
                    whens: rest,
                    otherwise: Box::new(otherwise.clone()),
                },
            }
        };
        found.push((dropped, format!("去掉分支 `when {test} then {value}`")));
        let mut swapped = whens.to_vec();
        swapped[place].1 = otherwise.clone();
        found.push((
            Expr {
                at: expr.at,
                what: What::Case {
                    whens: swapped,
                    otherwise: Box::new(value.clone()),
                },
            },
            format!("分支 `when {test} then {value}` 与 `else {otherwise}` 对调"),
        ));
    }
    found
}

fn call(
    expr: &Expr,
    name: &str,
    star: bool,
    args: &[Expr],
    filter: Option<&Expr>,
) -> Vec<(Expr, String)> {
    let mut found = Vec::new();
    let mut other = |to: &str, args: &[Expr], filter: Option<&Expr>| {
        let new = Expr {
            at: expr.at,
            what: What::Call {
                name: to.to_owned(),
                star,
                args: args.to_vec(),
                filter: filter.cloned().map(Box::new),
            },
        };
        let words = format!("`{expr}` 改为 `{new}`");
        found.push((new, words));
    };
    let partner = match name {
        "sum" | "min" => Some("max"),
        "max" => Some("min"),
        "any" => Some("all"),
        "all" => Some("any"),
        "greatest" => Some("least"),
        "least" => Some("greatest"),
        "floor" => Some("ceil"),
        "ceil" => Some("floor"),
        "month_start" => Some("month_end"),
        "month_end" => Some("month_start"),
        "avg_months" => Some("sum_months"),
        "sum_months" => Some("avg_months"),
        _ => None,
    };
    if let Some(partner) = partner {
        other(partner, args, filter);
    }
    if filter.is_some() {
        other(name, args, None);
    }
    match name {
        "age" if args.len() == 2 => other(name, &args[..1], None),
        "greatest" | "least" if args.len() > 2 => {
            for (place, arg) in args.iter().enumerate() {
                let mut rest = args.to_vec();
                rest.remove(place);
                let new = Expr {
                    at: expr.at,
                    what: What::Call {
                        name: name.to_owned(),
                        star,
                        args: rest,
                        filter: None,
                    },
                };
                found.push((new, format!("{name} 去掉 `{arg}`")));
            }
        }
        "greatest" | "least" => {
            for arg in args {
                found.push((arg.clone(), format!("`{expr}` 改为 `{arg}`")));
            }
        }
        "abs" => {
            for arg in args {
                found.push((arg.clone(), format!("去掉 abs：`{expr}`")));
            }
        }
        _ => {}
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formula::read;

    fn of(text: &str) -> Vec<String> {
        changes(&read(text).unwrap())
            .into_iter()
            .map(|change| change.expr.to_string())
            .collect()
    }

    #[test]
    fn comparisons_are_made_strict_or_loose_and_turned_round() {
        assert_eq!(of("a < b"), ["a <= b", "a >= b"]);
        assert_eq!(of("a = 1"), ["a <> 1", "a = 2", "a = 0"]);
        assert_eq!(
            of("a between b and c"),
            [
                "(a > b) and (a <= c)",
                "(a >= b) and (a < c)",
                "a not between b and c"
            ]
        );
    }

    #[test]
    fn conditions_are_dropped_and_joined_otherwise() {
        assert_eq!(of("a and not b"), ["a or (not b)", "not b", "a", "a and b"]);
        assert_eq!(
            of("d <= date '2026-07-01'"),
            [
                "d < date '2026-07-01'",
                "d > date '2026-07-01'",
                "d <= date '2026-07-02'",
                "d <= date '2026-06-30'"
            ]
        );
    }

    #[test]
    fn aggregates_lose_their_filter_and_change_their_kind() {
        assert_eq!(
            of("sum(members.x) filter (where members.y)"),
            ["max(members.x) filter (where members.y)", "sum(members.x)"]
        );
        assert_eq!(of("count(*) filter (where members.y)"), ["count(*)"]);
        assert_eq!(
            of("greatest(a, 0)"),
            ["least(a, 0)", "a", "0", "greatest(a, 1)"]
        );
    }

    #[test]
    fn branches_are_dropped_and_swapped_with_else() {
        assert_eq!(
            of("case when a then b else c end"),
            ["c", "case when a then c else b end"]
        );
    }

    #[test]
    fn words_are_never_said_twice() {
        let twice = read("(a or b) and (a or b)").unwrap();
        let words: Vec<String> = changes(&twice).into_iter().map(|one| one.words).collect();
        let once: BTreeSet<&String> = words.iter().collect();
        assert_eq!(once.len(), words.len(), "{words:?}");
    }
}
