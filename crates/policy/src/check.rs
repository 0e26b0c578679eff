//! Checking and compiling a formula (公式检查与编译): names, kinds and levels, then nodes.
//!
//! Guarantees: a formula that compiles can only fail at run time by dividing by zero, by overflow or by a value that
//! is not there. Money is never compared with a count, nor money a month with money a year. Deliberately absent: the
//! order between rules, see `order`.

use crate::determination::Unit;
use crate::fact_def::FactDef;
use crate::formula::{At, Binary, Expr, What};
use crate::kind::Kind;
use crate::parameter::Parameter;
use crate::program::{Aggregate, Comparison, Input, Level, Node, Op, Program, Reg, Words};
use chrono::Datelike;
use std::collections::{BTreeMap, BTreeSet};
use vocab::Region;

/// Where a formula stands (公式所在).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Household,
    Person,
    /// Inside an aggregate of a household formula.
    Member,
}

/// A variable or condition that formulas may name (可引用的规则).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named {
    pub(crate) of: Unit,
    pub(crate) kind: Kind,
    pub(crate) result: Reg,
    pub(crate) step: u32,
}

/// What a folder offers to formulas (一个目录里的名字).
#[derive(Debug, Default)]
pub(crate) struct FolderNames {
    pub(crate) id: String,
    /// Of programmes: to whom, the nodes of outcome and amount, and their step.
    pub(crate) benefit: Option<(Unit, Reg, Reg, u32)>,
    /// Whether the benefit is money, and of which kind.
    pub(crate) amount_kind: Option<Kind>,
    pub(crate) variables: BTreeMap<String, Named>,
    pub(crate) parameters: BTreeMap<String, u32>,
}

/// All names of a chain of packs (全部名字).
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) facts: BTreeMap<String, FactDef>,
    pub(crate) folders: BTreeMap<String, FolderNames>,
    /// Which folders are libraries, visible everywhere.
    pub(crate) libraries: Vec<String>,
    pub(crate) division: Option<Region>,
}

/// What a name means (名字所指).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Meaning<'n> {
    Fact(&'n FactDef),
    Rule(Named),
    Param(u32),
    Outcome(Unit, Reg, u32),
    Amount(Unit, Reg, u32, Kind),
    InPayment(Unit),
}

impl Meaning<'_> {
    pub(crate) fn level(&self) -> Level {
        match self {
            Self::Fact(fact) => fact.of.into(),
            Self::Rule(rule) => rule.of.into(),
            Self::Param(_) => Level::Single,
            Self::Outcome(unit, ..) | Self::Amount(unit, ..) | Self::InPayment(unit) => {
                (*unit).into()
            }
        }
    }
}

impl Names {
    /// What a name means inside a folder; `None` if nothing.
    pub(crate) fn meaning(&self, folder: &str, parts: &[&str]) -> Option<Meaning<'_>> {
        match parts {
            [name] => {
                let own = self.folders.get(folder);
                let libraries = self.libraries.iter().filter_map(|id| self.folders.get(id));
                for folder in own.into_iter().chain(libraries) {
                    if let Some(named) = folder.variables.get(*name) {
                        return Some(Meaning::Rule(*named));
                    }
                    if let Some(param) = folder.parameters.get(*name) {
                        return Some(Meaning::Param(*param));
                    }
                }
                self.facts.get(*name).map(Meaning::Fact)
            }
            ["in_payment", programme] => {
                let (to, ..) = self.folders.get(*programme)?.benefit?;
                Some(Meaning::InPayment(to))
            }
            [folder, name] => {
                let folder = self.folders.get(*folder)?;
                match (*name, folder.benefit) {
                    ("outcome", Some((to, outcome, _, step))) => {
                        return Some(Meaning::Outcome(to, outcome, step));
                    }
                    ("amount", Some((to, _, amount, step))) => {
                        return folder
                            .amount_kind
                            .map(|kind| Meaning::Amount(to, amount, step, kind));
                    }
                    _ => {}
                }
                if let Some(named) = folder.variables.get(*name) {
                    return Some(Meaning::Rule(*named));
                }
                folder
                    .parameters
                    .get(*name)
                    .map(|param| Meaning::Param(*param))
            }
            _ => None,
        }
    }

    /// The nearest known name, for "did you mean".
    pub(crate) fn nearest(&self, folder: &str, name: &str) -> Option<&str> {
        let own = self.folders.get(folder);
        let libraries = self.libraries.iter().filter_map(|id| self.folders.get(id));
        own.into_iter()
            .chain(libraries)
            .flat_map(|folder| folder.variables.keys().chain(folder.parameters.keys()))
            .chain(self.facts.keys())
            .map(|known| (distance(known, name), known.as_str()))
            .filter(|(steps, _)| *steps <= 2 || *steps * 3 <= name.len())
            .min()
            .map(|(_, known)| known)
    }
}

/// How many letters differ (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<u8> = b.bytes().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

/// A checked part of a formula (已检查的部分).
#[derive(Debug, Clone)]
struct Part {
    reg: Reg,
    /// `None`: the bare number zero, which fits every kind of number.
    kind: Option<Kind>,
    level: Level,
    /// Codes it may be compared with; empty means any.
    words: Vec<i64>,
    /// A text written in the formula.
    literal: Option<String>,
}

/// What compiling one formula found out besides its nodes (编译结果).
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) wrong: Vec<(At, String)>,
    /// Steps read.
    pub(crate) needs: BTreeSet<u32>,
    /// Facts read, for `absent_is_zero`.
    pub(crate) facts: BTreeSet<String>,
    /// Inputs read.
    pub(crate) inputs: BTreeSet<u32>,
    /// Names in order of first use.
    pub(crate) uses: Vec<String>,
    /// Where an absent fact counts as zero: node and fact.
    pub(crate) zeroed: Vec<(Reg, String)>,
}

/// Which facts count as zero when absent, in one rule.
#[derive(Debug, Clone)]
pub(crate) enum Zeroes {
    All,
    These(BTreeSet<String>),
}

impl Zeroes {
    fn holds(&self, fact: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(these) => these.contains(fact),
        }
    }
}

/// Compiles one formula after another into a program (编译器).
pub(crate) struct Compiler<'n> {
    pub(crate) names: &'n Names,
    pub(crate) program: Program,
    inputs: BTreeMap<String, u32>,
    params: BTreeMap<u32, Reg>,
    histories: BTreeMap<(u32, u32, bool, bool), Reg>,
}

/// One formula being compiled.
pub(crate) struct Formulation<'c, 'n> {
    compiler: &'c mut Compiler<'n>,
    folder: &'c str,
    zeroes: &'c Zeroes,
    pub(crate) found: Findings,
}

impl<'n> Compiler<'n> {
    pub(crate) fn new(names: &'n Names, program: Program) -> Self {
        Self {
            names,
            program,
            inputs: BTreeMap::new(),
            params: BTreeMap::new(),
            histories: BTreeMap::new(),
        }
    }

    pub(crate) fn push(&mut self, op: Op, level: Level, kind: Kind) -> Reg {
        push(&mut self.program, op, level, kind)
    }

    /// The node after the last one.
    pub(crate) fn here(&self) -> Reg {
        reg(self.program.nodes.len())
    }

    pub(crate) fn formula<'c>(
        &'c mut self,
        folder: &'c str,
        zeroes: &'c Zeroes,
    ) -> Formulation<'c, 'n> {
        Formulation {
            compiler: self,
            folder,
            zeroes,
            found: Findings::default(),
        }
    }

    /// The input column of a fact, made if need be.
    pub(crate) fn input(&mut self, fact: &str, of: Unit, kind: Kind, codes: &[&str]) -> u32 {
        if let Some(input) = self.inputs.get(fact) {
            return *input;
        }
        let words = codes
            .iter()
            .map(|code| self.program.words.number(code))
            .collect();
        let input = reg(self.program.inputs.len());
        self.program.inputs.push(Input {
            fact: fact.to_owned(),
            of,
            kind,
            words,
            now: None,
            histories: Vec::new(),
        });
        self.inputs.insert(fact.to_owned(), input);
        input
    }

    fn fact_input(&mut self, fact: &FactDef) -> u32 {
        let codes: Vec<&str> = fact.codes.iter().map(|code| code.code.as_str()).collect();
        self.input(&fact.id, fact.of, fact.kind, &codes)
    }

    fn now(&mut self, input: u32) -> Reg {
        let known = &self.program.inputs[input as usize];
        if let Some(now) = known.now {
            return now;
        }
        let (of, kind) = (known.of, known.kind);
        let now = self.push(Op::Fact(input), of.into(), kind);
        self.program.inputs[input as usize].now = Some(now);
        now
    }

    /// The node of a name that stands outside a formula, in a sentence or a key; notes what it reads.
    pub(crate) fn read(
        &mut self,
        parts: &[&str],
        meaning: Meaning<'_>,
        needs: &mut BTreeSet<u32>,
        inputs: &mut BTreeSet<u32>,
    ) -> Reg {
        match meaning {
            Meaning::Fact(fact) => {
                let input = self.fact_input(fact);
                inputs.insert(input);
                self.now(input)
            }
            Meaning::InPayment(unit) => {
                let input = self.input(&parts.join("."), unit, Kind::Bool, &[]);
                inputs.insert(input);
                self.now(input)
            }
            Meaning::Rule(named) => {
                needs.insert(named.step);
                named.result
            }
            Meaning::Outcome(_, reg, step) | Meaning::Amount(_, reg, step, _) => {
                needs.insert(step);
                reg
            }
            Meaning::Param(param) => {
                let kind = self.program.params[param as usize].kind;
                self.param(param, kind)
            }
        }
    }

    fn param(&mut self, param: u32, kind: Kind) -> Reg {
        if let Some(known) = self.params.get(&param) {
            return *known;
        }
        let node = self.push(Op::Param(param), Level::Single, kind);
        self.program.constants.push(node);
        self.params.insert(param, node);
        node
    }
}

/// Adds a node to a program.
pub(crate) fn push(program: &mut Program, op: Op, level: Level, kind: Kind) -> Reg {
    let columns = &mut program.columns[level as usize];
    let column = *columns;
    *columns += 1;
    let node = reg(program.nodes.len());
    program.nodes.push(Node {
        op,
        level,
        kind,
        column,
    });
    node
}

fn reg(number: usize) -> Reg {
    Reg::try_from(number).expect("a rule book has far fewer than four thousand million nodes")
}

impl Formulation<'_, '_> {
    fn refuse(&mut self, at: At, sentence: impl Into<String>) -> Option<Part> {
        self.found.wrong.push((at, sentence.into()));
        None
    }

    fn node(&mut self, op: Op, level: Level, kind: Kind) -> Part {
        Part {
            reg: self.compiler.push(op, level, kind),
            kind: Some(kind),
            level,
            words: Vec::new(),
            literal: None,
        }
    }

    fn constant(&mut self, value: i64, kind: Kind) -> Part {
        let part = self.node(Op::Constant(value), Level::Single, kind);
        self.compiler.program.constants.push(part.reg);
        part
    }

    /// Compiles a whole formula that must be of a kind (`Bool` for conditions).
    pub(crate) fn whole(&mut self, expr: &Expr, unit: Unit, wanted: Kind) -> Option<Reg> {
        let scope = match unit {
            Unit::Household => Scope::Household,
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

    fn part(&mut self, expr: &Expr, scope: Scope) -> Option<Part> {
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

    fn note_use(&mut self, parts: &[String]) {
        let name = match parts.first().map(String::as_str) {
            Some("members" | "household") => parts[1..].join("."),
            _ => parts.join("."),
        };
        if !self.found.uses.contains(&name) {
            self.found.uses.push(name);
        }
    }

    /// Cuts `members.` and `household.` off and checks that they stand where they may.
    fn name(&mut self, at: At, parts: &[String], scope: Scope) -> Option<Part> {
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

    fn meant(&mut self, at: At, parts: &[&str], meaning: Meaning<'_>) -> Option<Part> {
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

    fn boolean(&mut self, expr: &Expr, scope: Scope) -> Option<Part> {
        let part = self.part(expr, scope)?;
        if part.kind != Some(Kind::Bool) {
            return self.refuse(
                expr.at,
                format!("这里要的是{}，得到的是{}", Kind::Bool, said(part.kind)),
            );
        }
        Some(part)
    }

    fn number(&mut self, expr: &Expr, scope: Scope) -> Option<Part> {
        let part = self.part(expr, scope)?;
        if part.kind.is_some_and(|kind| !kind.is_number()) {
            return self.refuse(expr.at, format!("{}不能计算", said(part.kind)));
        }
        Some(part)
    }

    fn plain(&mut self, expr: &Expr, scope: Scope) -> Option<Part> {
        let part = self.part(expr, scope)?;
        if part.kind.is_some_and(|kind| !kind.is_plain()) {
            return self.refuse(
                expr.at,
                format!("这里要的是{}，得到的是{}", Kind::Count, said(part.kind)),
            );
        }
        Some(part)
    }

    fn day(&mut self, expr: &Expr, scope: Scope) -> Option<Part> {
        let part = self.part(expr, scope)?;
        if part.kind != Some(Kind::Date) {
            return self.refuse(
                expr.at,
                format!("这里要的是{}，得到的是{}", Kind::Date, said(part.kind)),
            );
        }
        Some(part)
    }

    fn of_kind(&mut self, expr: &Expr, scope: Scope, wanted: Kind) -> Option<Part> {
        let part = self.part(expr, scope)?;
        if part.kind.is_some_and(|kind| kind != wanted) {
            return self.refuse(
                expr.at,
                format!("这里要的是{wanted}，得到的是{}", said(part.kind)),
            );
        }
        Some(part)
    }

    fn binary(
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

    fn compare(&mut self, at: At, comparison: Comparison, a: &Part, b: &Part) -> Option<Part> {
        let ordered = !matches!(comparison, Comparison::Eq | Comparison::Ne);
        let comparable = match (a.kind, b.kind) {
            (Some(x), Some(y)) if x.is_word() && y.is_word() => {
                if ordered {
                    return self.refuse(at, "代码和文字只能用 = 和 <> 比较");
                }
                for (literal, other) in [(&a.literal, b), (&b.literal, a)] {
                    if let Some(text) = literal {
                        self.known_word(at, text, &other.words)?;
                    }
                }
                true
            }
            (Some(Kind::Bool), Some(Kind::Bool)) if ordered => {
                return self.refuse(at, "是否只能用 = 和 <> 比较");
            }
            (Some(x), Some(y)) => x == y || (x.is_plain() && y.is_plain()),
            (None, Some(kind)) | (Some(kind), None) => kind.is_number(),
            (None, None) => true,
        };
        if !comparable {
            return self.refuse(
                at,
                format!(
                    "{}和{}不能比较；{}",
                    said(a.kind),
                    said(b.kind),
                    conversion_hint(a.kind, b.kind.unwrap_or(Kind::Count))
                ),
            );
        }
        let level = a.level.max(b.level);
        Some(self.node(Op::Compare(comparison, a.reg, b.reg), level, Kind::Bool))
    }

    fn known_word(&mut self, at: At, text: &str, words: &[i64]) -> Option<()> {
        let number = self.compiler.program.words.number(text);
        if words.is_empty() || words.contains(&number) {
            return Some(());
        }
        let known: Vec<&str> = words
            .iter()
            .filter_map(|word| self.compiler.program.words.text(*word))
            .collect();
        let sentence = if text == "to_verify" && known.contains(&Words::MET) {
            "待核实就是不知道，不能拿来比较；请写 not known(….outcome)".to_owned()
        } else {
            format!("代码“{text}”不在可用的代码里：{}", known.join("、"))
        };
        self.refuse(at, sentence).map(|_| ())
    }

    fn one_of(&mut self, of: &Expr, list: &[Expr], negated: bool, scope: Scope) -> Option<Part> {
        let of_part = self.part(of, scope);
        let parts: Vec<Option<Part>> = list.iter().map(|item| self.part(item, scope)).collect();
        let of_part = of_part?;
        let mut found: Option<Part> = None;
        let mut broken = false;
        for (item, part) in list.iter().zip(parts) {
            let same = part.and_then(|part| self.compare(item.at, Comparison::Eq, &of_part, &part));
            let Some(same) = same else {
                broken = true;
                continue;
            };
            found = Some(match found {
                None => same,
                Some(before) => {
                    let level = before.level.max(same.level);
                    self.node(Op::Or(before.reg, same.reg), level, Kind::Bool)
                }
            });
        }
        let found = found.filter(|_| !broken)?;
        Some(if negated {
            self.node(Op::Not(found.reg), found.level, Kind::Bool)
        } else {
            found
        })
    }

    /// All of the same kind, the bare zero fitting in; gives the kind and the highest level.
    fn same_kind(&mut self, exprs: &[&Expr], parts: &[Part]) -> Option<(Option<Kind>, Level)> {
        let mut kind = None;
        let mut level = Level::Single;
        for (index, (expr, part)) in exprs.iter().zip(parts).enumerate() {
            level = level.max(part.level);
            let both = if index == 0 {
                Some(part.kind)
            } else {
                common_any(kind, part.kind)
            };
            match both {
                Some(both) => kind = both,
                None => {
                    self.refuse(
                        expr.at,
                        format!(
                            "{}和{}不能放在一起；{}",
                            said(kind),
                            said(part.kind),
                            conversion_hint(kind, part.kind.unwrap_or(Kind::Count))
                        ),
                    )?;
                }
            }
        }
        Some((kind, level))
    }

    fn case(&mut self, whens: &[(Expr, Expr)], otherwise: &Expr, scope: Scope) -> Option<Part> {
        let tests: Vec<_> = whens
            .iter()
            .map(|(test, _)| self.boolean(test, scope))
            .collect();
        let exprs: Vec<&Expr> = whens
            .iter()
            .map(|(_, result)| result)
            .chain([otherwise])
            .collect();
        let results: Vec<_> = exprs.iter().map(|expr| self.part(expr, scope)).collect();
        let tests: Vec<Part> = tests.into_iter().collect::<Option<_>>()?;
        let results: Vec<Part> = results.into_iter().collect::<Option<_>>()?;
        let (kind, level) = self.same_kind(&exprs, &results)?;
        let level = tests
            .iter()
            .fold(level, |level, test| level.max(test.level));
        let last = results.last()?.reg;
        let pairs = tests
            .iter()
            .zip(&results)
            .map(|(test, result)| (test.reg, result.reg))
            .collect();
        let mut part = self.node(Op::Case(pairs, last), level, kind.unwrap_or(Kind::Count));
        part.kind = kind;
        Some(part)
    }

    fn arity(
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

    fn call(
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
                let rounding = crate::ratio::Rounding::from_word(name)?;
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
    fn aggregate(
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

    fn in_region(&mut self, at: At, name: &str, args: &[Expr], scope: Scope) -> Option<Part> {
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

    fn band(&mut self, at: At, args: &[Expr], scope: Scope) -> Option<Part> {
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
            .any(|value| matches!(value.value, crate::parameter::Setting::Codes(_)));
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
                kind.is_plain()
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

    fn history(&mut self, at: At, name: &str, args: &[Expr], scope: Scope) -> Option<Part> {
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

fn said(kind: Option<Kind>) -> String {
    kind.map_or_else(|| "数字".to_owned(), |kind| kind.to_string())
}

/// The kind two numbers share: equal kinds, count within ratio, bare zero within anything.
#[expect(
    clippy::option_option,
    reason = "outer: do they fit; inner: the bare zero has no kind yet"
)]
fn common(a: Option<Kind>, b: Option<Kind>) -> Option<Option<Kind>> {
    match (a, b) {
        (None, other) | (other, None) => Some(other),
        (Some(x), Some(y)) if x == y => Some(Some(x)),
        (Some(x), Some(y)) if x.is_plain() && y.is_plain() => Some(Some(Kind::Ratio)),
        _ => None,
    }
}

/// Like [`common`], for values that need not be numbers.
#[expect(
    clippy::option_option,
    reason = "outer: do they fit; inner: the bare zero has no kind yet"
)]
fn common_any(a: Option<Kind>, b: Option<Kind>) -> Option<Option<Kind>> {
    match (a, b) {
        (Some(x), Some(y)) if x.is_word() && y.is_word() => {
            Some(Some(if x == y { x } else { Kind::Text }))
        }
        (Some(x), Some(y)) if x == y => Some(Some(x)),
        (None, Some(kind)) | (Some(kind), None) if !kind.is_number() => None,
        _ => common(a, b),
    }
}

fn conversion_hint(from: Option<Kind>, to: Kind) -> &'static str {
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
