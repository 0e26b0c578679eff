//! The functions formulas may call (公式函数): each with the kinds it takes and gives.
//!
//! Deliberately absent: anything that fills in a value nobody stated.

use crate::check::{Part, Scope, said};
use crate::compiler::Formulation;
use crate::formula::{At, Expr, What};
use crate::kind::Kind;
use crate::names::Meaning;
use crate::parameter::{Parameter, Setting};
use crate::program::{Aggregate, Level, Op};
use crate::ratio::Rounding;

impl Formulation<'_, '_> {
    pub(crate) fn arity(
        &mut self,
        at: At,
        name: &str,
        args: &[Expr],
        wanted: std::ops::RangeInclusive<usize>,
    ) -> Option<()> {
        if wanted.contains(&args.len()) {
            return Some(());
        }
        self.refuse(at, format!("{name} 的参数个数不对"))
            .map(|_| ())
    }

    pub(crate) fn call(
        &mut self,
        at: At,
        name: &str,
        star: bool,
        args: &[Expr],
        filter: Option<&Expr>,
        scope: Scope,
    ) -> Option<Part> {
        let aggregate = match name {
            "sum" => Some(Aggregate::Sum),
            "count" => Some(Aggregate::Count),
            "min" => Some(Aggregate::Min),
            "max" => Some(Aggregate::Max),
            "any" => Some(Aggregate::Any),
            "all" => Some(Aggregate::All),
            _ => None,
        };
        if let Some(aggregate) = aggregate {
            return self.aggregate(at, aggregate, name, star, args, filter, scope);
        }
        if star || filter.is_some() {
            return self.refuse(
                at,
                format!("{name} 后面不能写 * 或 filter；只有 sum、count、min、max、any、all 可以"),
            );
        }
        match name {
            "greatest" | "least" => {
                self.arity(at, name, args, 2..=20)?;
                let parts: Vec<_> = args.iter().map(|arg| self.part(arg, scope)).collect();
                let parts: Vec<Part> = parts.into_iter().collect::<Option<_>>()?;
                let exprs: Vec<&Expr> = args.iter().collect();
                let (kind, level) = self.same_kind(&exprs, &parts)?;
                if kind.is_some_and(|kind| !kind.is_number() && kind != Kind::Date) {
                    return self.refuse(at, format!("{name} 只能比数字、金额和日期"));
                }
                let regs = parts.iter().map(|part| part.reg).collect();
                let op = if name == "greatest" { Op::Greatest(regs) } else { Op::Least(regs) };
                let mut part = self.node(op, level, kind.unwrap_or(Kind::Count));
                part.kind = kind;
                Some(part)
            }
            "abs" => {
                self.arity(at, name, args, 1..=1)?;
                let part = self.number(&args[0], scope)?;
                Some(self.node(Op::Abs(part.reg), part.level, part.kind.unwrap_or(Kind::Count)))
            }
            "floor" | "ceil" => {
                self.arity(at, name, args, 1..=1)?;
                let part = self.plain(&args[0], scope)?;
                let rounding = Rounding::from_word(name)?;
                Some(self.node(Op::Round(part.reg, rounding), part.level, Kind::Count))
            }
            "known" => {
                self.arity(at, name, args, 1..=1)?;
                if !matches!(args[0].what, What::Name(_)) {
                    return self.refuse(at, "known 里面只写一个名字，例如 known(died_on)");
                }
                let part = self.part(&args[0], scope)?;
                Some(self.node(Op::Known(part.reg), part.level, Kind::Bool))
            }
            "age" => {
                self.arity(at, name, args, 1..=2)?;
                let birth = self.day(&args[0], scope);
                let on = match args.get(1) {
                    Some(on) => self.day(on, scope),
                    None => self.name(at, &["as_of".to_owned()], scope),
                };
                let (birth, on) = (birth?, on?);
                Some(self.node(Op::YearsBetween(birth.reg, on.reg), birth.level.max(on.level), Kind::Count))
            }
            "years_between" | "months_between" | "days_between" => {
                self.arity(at, name, args, 2..=2)?;
                let a = self.day(&args[0], scope);
                let b = self.day(&args[1], scope);
                let (a, b) = (a?, b?);
                let op = match name {
                    "years_between" => Op::YearsBetween(a.reg, b.reg),
                    "months_between" => Op::MonthsBetween(a.reg, b.reg),
                    _ => Op::Minus(b.reg, a.reg),
                };
                Some(self.node(op, a.level.max(b.level), Kind::Count))
            }
            "add_months" | "add_years" => {
                self.arity(at, name, args, 2..=2)?;
                let day = self.day(&args[0], scope);
                let count = self.of_kind(&args[1], scope, Kind::Count);
                let (day, count) = (day?, count?);
                let factor = if name == "add_years" { 12 } else { 1 };
                Some(self.node(Op::AddMonths(day.reg, count.reg, factor), day.level.max(count.level), Kind::Date))
            }
            "month_start" | "month_end" => {
                self.arity(at, name, args, 1..=1)?;
                let day = self.day(&args[0], scope)?;
                let op = if name == "month_start" { Op::StartOfMonth(day.reg) } else { Op::EndOfMonth(day.reg) };
                Some(self.node(op, day.level, Kind::Date))
            }
            "in_region" | "in_place" => self.in_region(at, name, args, scope),
            "band" => self.band(at, args, scope),
            "avg_months" | "sum_months" => self.history(at, name, args, scope),
            "per_month" | "per_year" => {
                self.arity(at, name, args, 1..=1)?;
                let (from, to) = if name == "per_month" {
                    (Kind::MoneyPerYear, Kind::MoneyPerMonth)
                } else {
                    (Kind::MoneyPerMonth, Kind::MoneyPerYear)
                };
                let part = self.of_kind(&args[0], scope, from)?;
                let twelve = self.constant(12, Kind::Count);
                let op = if name == "per_month" {
                    Op::Over(part.reg, twelve.reg)
                } else {
                    Op::Times(part.reg, twelve.reg)
                };
                Some(self.node(op, part.level, to))
            }
            "over_months" | "over_years" | "for_months" | "for_years" => {
                self.arity(at, name, args, 2..=2)?;
                let (from, to) = match name {
                    "over_months" => (Kind::Money, Kind::MoneyPerMonth),
                    "over_years" => (Kind::Money, Kind::MoneyPerYear),
                    "for_months" => (Kind::MoneyPerMonth, Kind::Money),
                    _ => (Kind::MoneyPerYear, Kind::Money),
                };
                let money = self.of_kind(&args[0], scope, from);
                let count = self.plain(&args[1], scope);
                let (money, count) = (money?, count?);
                let op = if name.starts_with("over") {
                    Op::Over(money.reg, count.reg)
                } else {
                    Op::Times(money.reg, count.reg)
                };
                Some(self.node(op, money.level.max(count.level), to))
            }
            "coalesce" | "nullif" | "ifnull" | "nvl" => self.refuse(
                at,
                format!("不写 {name}：默认值不能代替事实；法条说没有就算零的，请用 absent_is_zero 并注明条文"),
            ),
            _ => self.refuse(
                at,
                format!("没有函数“{name}”；可用的有 sum count min max any all greatest least abs floor ceil known age years_between months_between days_between add_months add_years month_start month_end in_region in_place band avg_months sum_months per_month per_year over_months over_years for_months for_years"),
            ),
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one call of SQL has exactly these parts; a struct would only rename them"
    )]
    pub(crate) fn aggregate(
        &mut self,
        at: At,
        what: Aggregate,
        name: &str,
        star: bool,
        args: &[Expr],
        filter: Option<&Expr>,
        scope: Scope,
    ) -> Option<Part> {
        match scope {
            Scope::Person => {
                return self.refuse(
                    at,
                    format!("个人公式里不能用 {name}；请在家庭变量里汇总，再写 household.变量"),
                );
            }
            Scope::Member => return self.refuse(at, format!("{name} 不能套在另一个汇总里面")),
            Scope::Household => {}
        }
        if (what == Aggregate::Count) != star {
            return self.refuse(
                at,
                if star {
                    format!("{name} 里面要写 members.某个名字")
                } else {
                    "count 只写 count(*)，要挑人就加 filter (where …)".to_owned()
                },
            );
        }
        if !star {
            self.arity(at, name, args, 1..=1)?;
        }
        let filter_part = filter.map(|filter| self.boolean(filter, Scope::Member));
        let of = if star {
            None
        } else {
            Some(match what {
                Aggregate::Any | Aggregate::All => self.boolean(&args[0], Scope::Member)?,
                Aggregate::Sum => self.number(&args[0], Scope::Member)?,
                _ => {
                    let part = self.part(&args[0], Scope::Member)?;
                    if part
                        .kind
                        .is_some_and(|kind| !kind.is_number() && kind != Kind::Date)
                    {
                        return self.refuse(at, format!("{name} 只能用于数字、金额和日期"));
                    }
                    part
                }
            })
        };
        let filter = match filter_part {
            Some(part) => Some(part?),
            None => None,
        };
        if let Some(of) = &of
            && of.level != Level::Person
        {
            return self.refuse(
                at,
                format!("{name} 里面没有用到成员；请写 members.某个名字"),
            );
        }
        let kind = match what {
            Aggregate::Count => Some(Kind::Count),
            Aggregate::Any | Aggregate::All => Some(Kind::Bool),
            _ => of.as_ref().and_then(|of| of.kind),
        };
        let op = Op::Aggregate {
            what,
            of: of.map(|of| of.reg),
            filter: filter.map(|filter| filter.reg),
        };
        let mut part = self.node(op, Level::Household, kind.unwrap_or(Kind::Count));
        part.kind = kind;
        Some(part)
    }

    pub(crate) fn in_region(
        &mut self,
        at: At,
        name: &str,
        args: &[Expr],
        scope: Scope,
    ) -> Option<Part> {
        let by_place = name == "in_place";
        self.arity(at, name, args, if by_place { 1..=1 } else { 2..=2 })?;
        let of = self.part(&args[0], scope)?;
        if of.kind != Some(Kind::Text) && of.kind != Some(Kind::Code) {
            return self.refuse(
                args[0].at,
                format!("{name} 要的是区划代码（文字），得到的是{}", said(of.kind)),
            );
        }
        let region = if by_place {
            self.compiler.names.division
        } else {
            match &args[1].what {
                What::Text(text) => text.parse().ok(),
                _ => None,
            }
        };
        let Some(region) = region else {
            return self.refuse(at, "in_region 的第二个参数写区划代码，例如 '440306'");
        };
        Some(self.node(Op::InRegion(of.reg, region), of.level, Kind::Bool))
    }

    pub(crate) fn band(&mut self, at: At, args: &[Expr], scope: Scope) -> Option<Part> {
        self.arity(at, "band", args, 2..=2)?;
        let What::Name(parts) = &args[0].what else {
            return self.refuse(args[0].at, "band 的第一个参数是分档参数的名字");
        };
        let words: Vec<&str> = parts.iter().map(String::as_str).collect();
        let Some(Meaning::Param(param)) = self.compiler.names.meaning(self.folder, &words) else {
            return self.refuse(args[0].at, format!("没有叫“{}”的分档参数", parts.join(".")));
        };
        let parameter: &Parameter = &self.compiler.program.params[param as usize];
        let (kind, banded) = (parameter.kind, parameter.banded);
        let by_code = parameter
            .values
            .iter()
            .any(|value| matches!(value.value, Setting::Codes(_)));
        if !banded {
            return self.refuse(
                args[0].at,
                format!("“{}”没有分档（bands），直接写它的名字", parts.join(".")),
            );
        }
        self.note_use(parts);
        let key = self.part(&args[1], scope)?;
        let fits = key.kind.is_none_or(|kind| {
            if by_code {
                kind.is_word()
            } else {
                // Codes may be digits: `{ 1 = …, 2 = … }` by disability level.
                kind.is_plain() || kind.is_word()
            }
        });
        if !fits {
            let wanted = if by_code { Kind::Code } else { Kind::Count };
            return self.refuse(
                args[1].at,
                format!("档位依据要的是{wanted}，得到的是{}", said(key.kind)),
            );
        }
        Some(self.node(Op::Band(param, key.reg), key.level, kind))
    }

    pub(crate) fn history(
        &mut self,
        at: At,
        name: &str,
        args: &[Expr],
        scope: Scope,
    ) -> Option<Part> {
        self.arity(at, name, args, 2..=2)?;
        let months = match args[0].what {
            What::Whole(months @ 1..=120) => u32::try_from(months).unwrap_or(1),
            _ => {
                return self.refuse(
                    args[0].at,
                    format!("{name} 的第一个参数是月数（1 到 120 的整数）"),
                );
            }
        };
        let What::Name(parts) = &args[1].what else {
            return self.refuse(args[1].at, format!("{name} 的第二个参数是一个事实的名字"));
        };
        // The usual rules about members. and household. apply; the value of today is not used.
        let before = self.found.zeroed.len();
        self.name(args[1].at, parts, scope)?;
        self.found.zeroed.truncate(before);
        let rest: Vec<&str> = parts
            .iter()
            .map(String::as_str)
            .filter(|part| !matches!(*part, "members" | "household"))
            .collect();
        let Some(Meaning::Fact(fact)) = self.compiler.names.meaning(self.folder, &rest) else {
            return self.refuse(
                args[1].at,
                format!("{name} 只能回看事实，不能回看变量或参数"),
            );
        };
        let average = name == "avg_months";
        let kind = match (fact.kind, average) {
            (Kind::MoneyPerMonth, false) | (Kind::Money, false) => Kind::Money,
            (Kind::MoneyPerMonth | Kind::Money, true) => Kind::MoneyPerMonth,
            (Kind::Count, false) => Kind::Count,
            (Kind::Count, true) => Kind::Ratio,
            (kind, _) => return self.refuse(args[1].at, format!("{kind}不能按月汇总")),
        };
        let absent_is_zero = self.zeroes.holds(&fact.id);
        let (id, of) = (fact.id.clone(), fact.of);
        let input = self.compiler.fact_input(fact);
        let key = (input, months, average, absent_is_zero);
        let node = match self.compiler.histories.get(&key) {
            Some(node) => *node,
            None => {
                let op = Op::History {
                    fact: input,
                    months,
                    average,
                    absent_is_zero,
                };
                let node = self.compiler.push(op, of.into(), kind);
                self.compiler.program.inputs[input as usize]
                    .histories
                    .push(node);
                self.compiler.histories.insert(key, node);
                node
            }
        };
        if absent_is_zero {
            self.found.zeroed.push((node, id));
        }
        Some(Part {
            reg: node,
            kind: Some(kind),
            level: of.into(),
            words: Vec::new(),
            literal: None,
        })
    }
}
