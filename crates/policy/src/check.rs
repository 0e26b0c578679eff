//! Checking and compiling a formula (公式检查与编译): names, kinds and levels, then nodes.
//!
//! Guarantees: a formula that compiles can only fail at run time by dividing by zero, by overflow or by a value that
//! is not there. Money is never compared with a count, nor money a month with money a year. Deliberately absent: the
//! order between rules, see `order`.

use crate::compiler::Formulation;
use crate::determination::Unit;
use crate::formula::{At, Binary, Expr, What};
use crate::kind::Kind;
use crate::names::Meaning;
use crate::program::{Comparison, Level, Op, Reg, Words};
use chrono::Datelike;

/// Where a formula stands (公式所在).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Household,
    Person,
    /// Inside an aggregate of a household formula.
    Member,
}

/// A checked part of a formula (已检查的部分).
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) reg: Reg,
    /// `None`: the bare number zero, which fits every kind of number.
    pub(crate) kind: Option<Kind>,
    pub(crate) level: Level,
    /// Codes it may be compared with; empty means any.
    pub(crate) words: Vec<i64>,
    /// A text written in the formula.
    pub(crate) literal: Option<String>,
}

impl Formulation<'_, '_> {
    pub(crate) fn refuse(&mut self, at: At, sentence: impl Into<String>) -> Option<Part> {
        self.found.wrong.push((at, sentence.into()));
        None
    }

    pub(crate) fn node(&mut self, op: Op, level: Level, kind: Kind) -> Part {
        Part {
            reg: self.compiler.push(op, level, kind),
            kind: Some(kind),
            level,
            words: Vec::new(),
            literal: None,
        }
    }

    pub(crate) fn constant(&mut self, value: i64, kind: Kind) -> Part {
        let part = self.node(Op::Constant(value), Level::Single, kind);
        self.compiler.program.constants.push(part.reg);
        part
    }

    /// Compiles a whole formula that must be of a kind (`Bool` for conditions).
    pub(crate) fn whole(&mut self, expr: &Expr, unit: Unit, wanted: Kind) -> Option<Reg> {
        self.unit = unit;
        let scope = match unit {
            Unit::Household | Unit::Organisation => Scope::Household,
            Unit::Person => Scope::Person,
        };
        let part = self.part(expr, scope)?;
        let fits = match part.kind {
            None => wanted.is_number(),
            Some(kind) => {
                kind == wanted
                    || (wanted == Kind::Ratio && kind == Kind::Count)
                    || (wanted.is_word() && kind.is_word())
            }
        };
        if !fits {
            let got = part
                .kind
                .map_or_else(|| "数字 0".to_owned(), |kind| kind.to_string());
            self.refuse(
                expr.at,
                format!(
                    "公式得到的是{got}，这里要的是{wanted}；{}",
                    conversion_hint(part.kind, wanted)
                ),
            )?;
        }
        // A single value still has to become a column of the rule's own level.
        Some(part.reg)
    }

    pub(crate) fn part(&mut self, expr: &Expr, scope: Scope) -> Option<Part> {
        let at = expr.at;
        match &expr.what {
            What::Name(parts) => self.name(at, parts, scope),
            What::Whole(number) => {
                let mut part = self.constant(*number, Kind::Count);
                if *number == 0 {
                    part.kind = None;
                }
                Some(part)
            }
            What::Text(text) => {
                let number = self.compiler.program.words.number(text);
                let mut part = self.constant(number, Kind::Text);
                part.literal = Some(text.clone());
                Some(part)
            }
            What::Day(day) => Some(self.constant(i64::from(day.num_days_from_ce()), Kind::Date)),
            What::Flag(flag) => Some(self.constant(i64::from(*flag), Kind::Bool)),
            What::Not(of) => {
                let of = self.boolean(of, scope)?;
                Some(self.node(Op::Not(of.reg), of.level, Kind::Bool))
            }
            What::Negative(of) => {
                let part = self.number(of, scope)?;
                let mut negative = self.node(
                    Op::Negative(part.reg),
                    part.level,
                    part.kind.unwrap_or(Kind::Count),
                );
                negative.kind = part.kind;
                Some(negative)
            }
            What::Binary(sign, left, right) => self.binary(at, *sign, left, right, scope),
            What::In { of, list, negated } => self.one_of(of, list, *negated, scope),
            What::Between {
                of,
                low,
                high,
                negated,
            } => {
                let of_part = self.part(of, scope);
                let low_part = self.part(low, scope);
                let high_part = self.part(high, scope);
                let (of_part, low_part, high_part) = (of_part?, low_part?, high_part?);
                let from = self.compare(low.at, Comparison::Ge, &of_part, &low_part)?;
                let to = self.compare(high.at, Comparison::Le, &of_part, &high_part)?;
                let level = from.level.max(to.level);
                let both = self.node(Op::And(from.reg, to.reg), level, Kind::Bool);
                Some(if *negated {
                    self.node(Op::Not(both.reg), level, Kind::Bool)
                } else {
                    both
                })
            }
            What::Case { whens, otherwise } => self.case(whens, otherwise, scope),
            What::Call {
                name,
                star,
                args,
                filter,
            } => self.call(at, name, *star, args, filter.as_deref(), scope),
        }
    }

    pub(crate) fn note_use(&mut self, parts: &[String]) {
        let name = match parts.first().map(String::as_str) {
            Some("members" | "household") => parts[1..].join("."),
            _ => parts.join("."),
        };
        if !self.found.uses.contains(&name) {
            self.found.uses.push(name);
        }
    }

    /// Cuts `members.` and `household.` off and checks that they stand where they may.
    pub(crate) fn name(&mut self, at: At, parts: &[String], scope: Scope) -> Option<Part> {
        let words: Vec<&str> = parts.iter().map(String::as_str).collect();
        let clock = match words.as_slice() {
            ["as_of"] => Some(Op::AsOf),
            ["month_start"] => Some(Op::MonthStart),
            ["month_end"] => Some(Op::MonthEnd),
            _ => None,
        };
        if let Some(op) = clock {
            let part = self.node(op, Level::Single, Kind::Date);
            self.compiler.program.constants.push(part.reg);
            return Some(part);
        }
        let (prefix, rest) = match words.as_slice() {
            [prefix @ ("members" | "household"), rest @ ..] if !rest.is_empty() => {
                (Some(*prefix), rest)
            }
            all => (None, all),
        };
        let shown = rest.join(".");
        let Some(meaning) = self.compiler.names.meaning(self.folder, rest) else {
            let hint = match rest {
                [name] => self.compiler.names.nearest(self.folder, name),
                _ => None,
            };
            let hint = hint.map_or_else(String::new, |known| format!("；是不是想写 {known}？"));
            return self.refuse(at, format!("没有叫“{shown}”的事实、变量或参数{hint}"));
        };
        let level = meaning.level();
        let other = match (meaning.unit(), self.unit) {
            (Some(Unit::Organisation), Unit::Household | Unit::Person) => Some("机构"),
            (Some(Unit::Household), Unit::Organisation) => Some("家庭"),
            _ => None,
        };
        if let Some(whose) = other {
            return self.refuse(
                at,
                format!("“{shown}”是{whose}的，{}的公式里不能用", self.unit.zh()),
            );
        }
        let own = rest.len() == 1;
        match (scope, prefix, level) {
            (Scope::Household, Some("members"), _) => {
                return self.refuse(
                    at,
                    format!("members.{shown} 要放在 sum、count、min、max、any、all 里面"),
                );
            }
            (Scope::Household, None, Level::Person) => {
                return self.refuse(
                    at,
                    format!("“{shown}”是每个成员各有一个的；家庭公式里请写 sum（members.{shown}）、any（members.{shown}）之类"),
                );
            }
            (Scope::Household, Some(_), _) => {
                return self.refuse(at, format!("家庭公式里直接写 {shown}，不写 household."));
            }
            (Scope::Person, Some("members"), _) => {
                return self.refuse(
                    at,
                    format!("个人公式只看本人，直接写 {shown}；看全家请用 household. 的变量"),
                );
            }
            (Scope::Person, None, Level::Household) if own => {
                return self.refuse(
                    at,
                    format!("“{shown}”是家庭的；个人公式里请写 household.{shown}"),
                );
            }
            (Scope::Member, Some("members"), Level::Household | Level::Single) => {
                return self.refuse(at, format!("“{shown}”不是成员的；直接写 {shown}"));
            }
            (Scope::Member, None, Level::Person) => {
                return self.refuse(at, format!("“{shown}”是成员的；请写 members.{shown}"));
            }
            (Scope::Person | Scope::Member, Some("household"), Level::Person | Level::Single) => {
                return self.refuse(at, format!("“{shown}”不是家庭的；直接写 {shown}"));
            }
            _ => {}
        }
        self.note_use(parts);
        self.meant(at, rest, meaning)
    }

    pub(crate) fn meant(&mut self, at: At, parts: &[&str], meaning: Meaning<'_>) -> Option<Part> {
        let level = meaning.level();
        Some(match meaning {
            Meaning::Fact(fact) => {
                let input = self.compiler.fact_input(fact);
                let now = self.compiler.now(input);
                self.found.facts.insert(fact.id.clone());
                self.found.inputs.insert(input);
                let mut part = Part {
                    reg: now,
                    kind: Some(fact.kind),
                    level,
                    words: self.compiler.program.inputs[input as usize].words.clone(),
                    literal: None,
                };
                if self.zeroes.holds(&fact.id) && (fact.kind.is_number() || fact.kind == Kind::Bool)
                {
                    part.reg = self.compiler.push(Op::AbsentIsZero(now), level, fact.kind);
                    self.found.zeroed.push((part.reg, fact.id.clone()));
                }
                part
            }
            Meaning::Rule(named) => {
                self.found.needs.insert(named.step);
                Part {
                    reg: named.result,
                    kind: Some(named.kind),
                    level,
                    words: Vec::new(),
                    literal: None,
                }
            }
            Meaning::Param(param) => {
                let parameter = &self.compiler.program.params[param as usize];
                if parameter.banded {
                    let id = parameter.id.clone();
                    return self
                        .refuse(at, format!("“{id}”是分档的参数；请写 band({id}, 档位依据)"));
                }
                let kind = parameter.kind;
                Part {
                    reg: self.compiler.param(param, kind),
                    kind: Some(kind),
                    level,
                    words: Vec::new(),
                    literal: None,
                }
            }
            Meaning::Outcome(_, outcome, step) => {
                self.found.needs.insert(step);
                let words = &mut self.compiler.program.words;
                Part {
                    reg: outcome,
                    kind: Some(Kind::Code),
                    level,
                    words: vec![words.number(Words::MET), words.number(Words::NOT_MET)],
                    literal: None,
                }
            }
            Meaning::Amount(_, amount, step, kind) => {
                self.found.needs.insert(step);
                Part {
                    reg: amount,
                    kind: Some(kind),
                    level,
                    words: Vec::new(),
                    literal: None,
                }
            }
            Meaning::InPayment(unit) => {
                let input = self.compiler.input(&parts.join("."), unit, Kind::Bool, &[]);
                self.found.inputs.insert(input);
                Part {
                    reg: self.compiler.now(input),
                    kind: Some(Kind::Bool),
                    level,
                    words: Vec::new(),
                    literal: None,
                }
            }
        })
    }

    pub(crate) fn boolean(&mut self, expr: &Expr, scope: Scope) -> Option<Part> {
        let part = self.part(expr, scope)?;
        if part.kind != Some(Kind::Bool) {
            return self.refuse(
                expr.at,
                format!("这里要的是{}，得到的是{}", Kind::Bool, said(part.kind)),
            );
        }
        Some(part)
    }

    pub(crate) fn number(&mut self, expr: &Expr, scope: Scope) -> Option<Part> {
        let part = self.part(expr, scope)?;
        if part.kind.is_some_and(|kind| !kind.is_number()) {
            return self.refuse(expr.at, format!("{}不能计算", said(part.kind)));
        }
        Some(part)
    }

    pub(crate) fn plain(&mut self, expr: &Expr, scope: Scope) -> Option<Part> {
        let part = self.part(expr, scope)?;
        if part.kind.is_some_and(|kind| !kind.is_plain()) {
            return self.refuse(
                expr.at,
                format!("这里要的是{}，得到的是{}", Kind::Count, said(part.kind)),
            );
        }
        Some(part)
    }

    pub(crate) fn day(&mut self, expr: &Expr, scope: Scope) -> Option<Part> {
        let part = self.part(expr, scope)?;
        if part.kind != Some(Kind::Date) {
            return self.refuse(
                expr.at,
                format!("这里要的是{}，得到的是{}", Kind::Date, said(part.kind)),
            );
        }
        Some(part)
    }

    pub(crate) fn of_kind(&mut self, expr: &Expr, scope: Scope, wanted: Kind) -> Option<Part> {
        let part = self.part(expr, scope)?;
        if part.kind.is_some_and(|kind| kind != wanted) {
            return self.refuse(
                expr.at,
                format!("这里要的是{wanted}，得到的是{}", said(part.kind)),
            );
        }
        Some(part)
    }

    pub(crate) fn binary(
        &mut self,
        at: At,
        sign: Binary,
        left: &Expr,
        right: &Expr,
        scope: Scope,
    ) -> Option<Part> {
        if matches!(sign, Binary::And | Binary::Or) {
            let a = self.boolean(left, scope);
            let b = self.boolean(right, scope);
            let (a, b) = (a?, b?);
            let op = if sign == Binary::And {
                Op::And(a.reg, b.reg)
            } else {
                Op::Or(a.reg, b.reg)
            };
            return Some(self.node(op, a.level.max(b.level), Kind::Bool));
        }
        let a = self.part(left, scope);
        let b = self.part(right, scope);
        let (a, b) = (a?, b?);
        let level = a.level.max(b.level);
        let comparison = match sign {
            Binary::Eq => Some(Comparison::Eq),
            Binary::Ne => Some(Comparison::Ne),
            Binary::Lt => Some(Comparison::Lt),
            Binary::Le => Some(Comparison::Le),
            Binary::Gt => Some(Comparison::Gt),
            Binary::Ge => Some(Comparison::Ge),
            _ => None,
        };
        if let Some(comparison) = comparison {
            return self.compare(at, comparison, &a, &b);
        }
        let number = |kind: Option<Kind>| kind.is_none_or(Kind::is_number);
        if sign == Binary::Minus && a.kind == Some(Kind::Date) && b.kind == Some(Kind::Date) {
            return Some(self.node(Op::Minus(a.reg, b.reg), level, Kind::Count));
        }
        if !number(a.kind) || !number(b.kind) {
            let culprit = if number(a.kind) {
                (right.at, b.kind)
            } else {
                (left.at, a.kind)
            };
            return self.refuse(
                culprit.0,
                format!("{}不能参加 + - * / 计算", said(culprit.1)),
            );
        }
        match sign {
            Binary::Plus | Binary::Minus => {
                let Some(kind) = common(a.kind, b.kind) else {
                    return self.refuse(
                        at,
                        format!(
                            "{}和{}不能相{}；{}",
                            said(a.kind),
                            said(b.kind),
                            if sign == Binary::Plus { "加" } else { "减" },
                            conversion_hint(a.kind, b.kind.unwrap_or(Kind::Count)),
                        ),
                    );
                };
                let op = if sign == Binary::Plus {
                    Op::Plus(a.reg, b.reg)
                } else {
                    Op::Minus(a.reg, b.reg)
                };
                let mut part = self.node(op, level, kind.unwrap_or(Kind::Count));
                part.kind = kind;
                Some(part)
            }
            _ => {
                let (x, y) = (a.kind.unwrap_or(Kind::Count), b.kind.unwrap_or(Kind::Count));
                let kind = if sign == Binary::Times {
                    match (x.is_money(), y.is_money()) {
                        (true, true) => return self.refuse(at, "金额不能乘金额"),
                        (true, false) => x,
                        (false, true) => y,
                        (false, false) if x == Kind::Count && y == Kind::Count => Kind::Count,
                        (false, false) => Kind::Ratio,
                    }
                } else {
                    match (x.is_money(), y.is_money()) {
                        (true, true) if x == y => Kind::Ratio,
                        (true, true) => {
                            return self.refuse(
                                at,
                                format!("{x}不能除以{y}；{}", conversion_hint(Some(x), y)),
                            );
                        }
                        (true, false) => x,
                        (false, true) => return self.refuse(at, format!("{x}不能除以金额")),
                        (false, false) => Kind::Ratio,
                    }
                };
                let op = if sign == Binary::Times {
                    Op::Times(a.reg, b.reg)
                } else {
                    Op::Over(a.reg, b.reg)
                };
                Some(self.node(op, level, kind))
            }
        }
    }
}

pub(crate) fn said(kind: Option<Kind>) -> String {
    kind.map_or_else(|| "数字".to_owned(), |kind| kind.to_string())
}

/// The kind two numbers share: equal kinds, count within ratio, bare zero within anything.
#[expect(
    clippy::option_option,
    reason = "outer: do they fit; inner: the bare zero has no kind yet"
)]
pub(crate) fn common(a: Option<Kind>, b: Option<Kind>) -> Option<Option<Kind>> {
    match (a, b) {
        (None, other) | (other, None) => Some(other),
        (Some(x), Some(y)) if x == y => Some(Some(x)),
        (Some(x), Some(y)) if x.is_plain() && y.is_plain() => Some(Some(Kind::Ratio)),
        _ => None,
    }
}

/// What turns one kind into the other.
pub(crate) fn conversion_hint(from: Option<Kind>, to: Kind) -> &'static str {
    match (from, to) {
        (Some(Kind::MoneyPerMonth), Kind::MoneyPerYear)
        | (Some(Kind::MoneyPerYear), Kind::MoneyPerMonth) => {
            "按年的金额先用 per_month(…) 折成每月，或按月的先用 per_year(…) 折成每年"
        }
        (Some(Kind::Money), Kind::MoneyPerMonth) => "金额用 over_months(…, 月数) 摊成每月",
        (Some(Kind::MoneyPerMonth), Kind::Money) => "每月金额用 for_months(…, 月数) 合成总额",
        (Some(Kind::Money), Kind::MoneyPerYear) => "金额用 over_years(…, 年数) 摊成每年",
        (Some(Kind::MoneyPerYear), Kind::Money) => "每年金额用 for_years(…, 年数) 合成总额",
        (Some(Kind::Count | Kind::Ratio), money) | (Some(money), Kind::Count | Kind::Ratio)
            if money.is_money() =>
        {
            "金额的标准请放进 parameters.toml，公式里写它的名字"
        }
        _ => "请检查类型",
    }
}
