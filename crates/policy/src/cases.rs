//! Worked cases (办例): the tests of a programme, each with the reason for its answer.
//!
//! `cases.toml`: `[[case]] name as_of known_at? region? household={…} members=[{…}] expect={…} because`; a programme for
//! organisations writes `organisation={…}` in the place of `household`.
//! `expect`: `outcome`, and where given `amount` (fen), `refusals`, `missing`, `faults` (each a part of a sentence), `variables`,
//! `member_variables=[{ member, … }]`, `covered`; a list of those, with `member`, for a programme for persons.
//! Each case is decided alone and in one batch with others; both must be the same to the byte.
//! Deliberately absent: tolerance; an amount is right or wrong by the fen.

use crate::book::{Book, Programme};
use crate::determination::{Ask, Determination, Outcome, Tri};
use crate::fault::Spot;
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::{BTreeMap, BTreeSet};
use vocab::{Citation, FactSheet, Money, Region, Value};

/// A worked case (办例).
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// The day decided about.
    pub as_of: NaiveDate,
    /// What was known by then.
    pub known_at: Option<DateTime<Utc>>,
    /// Where.
    pub region: Option<Region>,
    /// The facts.
    pub sheet: FactSheet,
    /// What must come out.
    pub expects: Vec<Expect>,
    /// Why, in words with the arithmetic.
    pub because: String,
    /// Where it is written.
    pub spot: Spot,
}

/// What must come out for a household or member (预期).
#[derive(Debug, Clone)]
pub struct Expect {
    /// Which member, for programmes for persons.
    pub member: Option<usize>,
    /// The outcome.
    pub outcome: Outcome,
    /// The amount.
    pub amount: Option<Money>,
    /// The reasons given, all of them.
    pub refusals: Option<BTreeSet<String>>,
    /// The facts missing, all of them.
    pub missing: Option<BTreeSet<String>>,
    /// Parts of sentences among the faults.
    pub faults: Vec<String>,
    /// Members it is paid for.
    pub covered: Option<Vec<usize>>,
    /// Variables by name and member.
    pub variables: BTreeMap<(String, Option<usize>), Wanted>,
}

/// The value a variable must have (预期值).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// This value.
    Value(Value),
    /// This fraction.
    Exact(String),
    /// Not known.
    Unknown,
}

impl Case {
    /// The question this case asks.
    pub fn ask(&self) -> Ask {
        Ask {
            as_of: self.as_of,
            known_at: self.known_at,
            region: self.region,
            programmes: None,
        }
    }
}

/// How one case came out (办例结果).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseReport {
    /// The case's name.
    pub name: String,
    /// What differs, in words; empty if nothing.
    pub differences: Vec<String>,
    /// Where the case is written.
    pub spot: Spot,
}

/// How the cases of a programme came out (办例报告).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The programme.
    pub programme: String,
    /// Each case.
    pub cases: Vec<CaseReport>,
    /// Of each condition: whether some case makes it yes, no, unknown.
    pub coverage: BTreeMap<String, BTreeSet<Tri>>,
    /// Which cases, counted in `cases`, make a condition yes, no, unknown.
    pub touched: BTreeMap<(String, Tri), BTreeSet<usize>>,
    /// Which cases, counted in `cases`, use an article.
    pub articles: BTreeMap<Citation, BTreeSet<usize>>,
}

impl Report {
    /// The cases that came out otherwise.
    pub fn failures(&self) -> impl Iterator<Item = &CaseReport> {
        self.cases
            .iter()
            .filter(|case| !case.differences.is_empty())
    }

    /// How many came out as expected.
    pub fn passed(&self) -> usize {
        self.cases.len() - self.failures().count()
    }

    fn take(&mut self, place: usize, answers: &[Determination]) {
        for answer in answers {
            for condition in &answer.conditions {
                self.coverage
                    .entry(condition.id.clone())
                    .or_default()
                    .insert(condition.result);
                self.touched
                    .entry((condition.id.clone(), condition.result))
                    .or_default()
                    .insert(place);
                self.uses(&condition.article, place);
            }
            for variable in &answer.variables {
                self.uses(&variable.article, place);
            }
        }
    }

    fn uses(&mut self, article: &Citation, place: usize) {
        match self.articles.get_mut(article) {
            Some(cases) => {
                cases.insert(place);
            }
            None => {
                self.articles
                    .insert(article.clone(), BTreeSet::from([place]));
            }
        }
    }
}

/// How many strangers stand in a batch beside the cases that ask the same, so that leaking data would show.
const STRANGERS: usize = 4;

/// Runs the cases of a programme, each alone and in a batch with others (运行办例).
pub fn run(book: &Book, programme: &Programme) -> Report {
    let cases = book.cases(&programme.id);
    let mut report = Report {
        programme: programme.id.clone(),
        cases: Vec::new(),
        coverage: programme
            .conditions
            .iter()
            .map(|condition| (condition.id.clone(), BTreeSet::new()))
            .collect(),
        touched: BTreeMap::new(),
        articles: BTreeMap::new(),
    };
    let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (place, case) in cases.iter().enumerate() {
        let question = (case.as_of, case.known_at, case.region);
        groups.entry(question).or_default().push(place);
    }
    let mut found: Vec<Vec<String>> = vec![Vec::new(); cases.len()];
    for group in groups.values() {
        let Some(first) = group.first() else { continue };
        let ask = Ask {
            programmes: Some(vec![programme.id.clone()]),
            ..cases[*first].ask()
        };
        let strangers = (first + 1..cases.len())
            .chain(0..*first)
            .filter(|place| !group.contains(place))
            .take(STRANGERS);
        let crowd: Vec<FactSheet> = strangers
            .chain(group.iter().copied())
            .map(|place| cases[place].sheet.clone())
            .collect();
        let strangers = crowd.len() - group.len();
        let stacked = book.evaluate_many(&crowd, &ask);
        for (place, together) in group.iter().zip(&stacked[strangers..]) {
            let alone = book.evaluate(&cases[*place].sheet, &ask);
            let mut differences = compare(&cases[*place], &alone);
            if *together != alone {
                differences.push("单独计算和成批计算的结果不同；这是程序错误，请报告".to_owned());
            }
            found[*place] = differences;
            report.take(*place, &alone);
        }
    }
    for (case, differences) in cases.iter().zip(found) {
        report.cases.push(CaseReport {
            name: case.name.clone(),
            differences,
            spot: case.spot.clone(),
        });
    }
    report
}

/// Runs the cases of all programmes of a place on all processors (运行全部办例), in the order of the programmes.
pub fn run_all(book: &Book) -> Vec<Report> {
    crate::many::each(book.programmes(), |programme| run(book, programme))
}

fn joined<'a>(items: impl IntoIterator<Item = &'a String>) -> String {
    let items: Vec<&str> = items.into_iter().map(String::as_str).collect();
    if items.is_empty() {
        "（无）".to_owned()
    } else {
        items.join("、")
    }
}

/// What differs between a case and the answer, in words.
pub(crate) fn compare(case: &Case, got: &[Determination]) -> Vec<String> {
    let mut differences = Vec::new();
    for expect in &case.expects {
        let Some(one) = got.iter().find(|one| one.member == expect.member) else {
            differences.push("没有得到这位成员的结果".to_owned());
            continue;
        };
        let who = expect
            .member
            .map_or_else(String::new, |member| format!("第{}位成员：", member + 1));
        let mut differs = |text: String| differences.push(format!("{who}{text}"));
        let missing: BTreeSet<String> = one
            .missing
            .iter()
            .map(|missing| missing.fact.clone())
            .collect();
        let refusals: BTreeSet<String> = one
            .conditions
            .iter()
            .filter_map(|condition| condition.refusal.as_ref())
            .map(|refusal| refusal.id.clone())
            .collect();
        if one.outcome != expect.outcome {
            let mut text = format!("结论应为{}，得到{}", expect.outcome.zh(), one.outcome.zh());
            if !missing.is_empty() {
                text.push_str(&format!("；缺：{}", joined(&missing)));
            }
            if !refusals.is_empty() {
                text.push_str(&format!("；理由：{}", joined(&refusals)));
            }
            if !one.faults.is_empty() {
                text.push_str(&format!("；{}", one.faults.join("；")));
            }
            differs(text);
        }
        if let Some(amount) = expect.amount
            && one.amount != Some(amount)
        {
            let got = one
                .amount
                .map_or_else(|| "（没有金额）".to_owned(), |amount| amount.to_string());
            differs(format!(
                "金额应为 {amount}，得到 {got}（{}）",
                one.amount_formula
            ));
        }
        if let Some(wanted) = &expect.refusals
            && *wanted != refusals
        {
            differs(format!(
                "理由应为 {}，得到 {}",
                joined(wanted),
                joined(&refusals)
            ));
        }
        if let Some(wanted) = &expect.missing
            && *wanted != missing
        {
            differs(format!(
                "缺的事实应为 {}，得到 {}",
                joined(wanted),
                joined(&missing)
            ));
        }
        for wanted in &expect.faults {
            if !one.faults.iter().any(|fault| fault.contains(wanted)) {
                differs(format!(
                    "应有“{wanted}”的提示，得到 {}",
                    joined(&one.faults)
                ));
            }
        }
        if let Some(covered) = &expect.covered
            && *covered != one.covered
        {
            differs(format!(
                "保障的成员应为 {covered:?}，得到 {:?}",
                one.covered
            ));
        }
        for ((id, member), wanted) in &expect.variables {
            let Some(found) = one
                .variables
                .iter()
                .find(|found| found.id == *id && found.member == *member)
            else {
                differs(format!("没有变量 {id}"));
                continue;
            };
            let same = match wanted {
                Wanted::Unknown => found.value.is_none() && found.exact.is_none(),
                Wanted::Exact(exact) => found.exact.as_ref() == Some(exact),
                Wanted::Value(value) => found.value.as_ref() == Some(value),
            };
            if !same {
                let say = |value: &Option<Value>, exact: &Option<String>| match (value, exact) {
                    (Some(value), _) => serde_json::to_string(value).unwrap_or_default(),
                    (None, Some(exact)) => exact.clone(),
                    (None, None) => "未知".to_owned(),
                };
                let wanted = match wanted {
                    Wanted::Unknown => "未知".to_owned(),
                    Wanted::Exact(exact) => exact.clone(),
                    Wanted::Value(value) => say(&Some(value.clone()), &None),
                };
                let of =
                    member.map_or_else(String::new, |member| format!("（第{}位成员）", member + 1));
                differs(format!(
                    "变量 {id}{of} 应为 {wanted}，得到 {}",
                    say(&found.value, &found.exact)
                ));
            }
        }
    }
    differences
}
