//! Worked cases (办例): the tests of a programme, each with the reason for its answer.
//!
//! `cases.toml`: `[[case]] name as_of known_at? region? household={…} members=[{…}] expect={…} because`.
//! `expect`: `outcome`, and where given `amount` (fen), `refusals`, `missing`, `faults` (each a part of a sentence), `variables`,
//! `member_variables=[{ member, … }]`, `covered`; a list of those, with `member`, for a programme for persons.
//! Each case is decided alone and stacked with all others in one batch; both must be the same to the byte.
//! Deliberately absent: tolerance; an amount is right or wrong by the fen.

use crate::assemble::Assembled;
use crate::book::{Book, Programme};
use crate::check::{FolderNames, Names};
use crate::determination::{Ask, Determination, Outcome, Tri, Unit};
use crate::fact_def::FactDef;
use crate::fault::{Faults, Spot};
use crate::pack::{Chain, with_table};
use crate::ratio::Ratio;
use crate::sheet;
use crate::toml_file::{Cell, Said, Table};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::{BTreeMap, BTreeSet};
use toml::de::DeValue;
use vocab::{FactSheet, Money, Region, Value};

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
}

/// Reads the worked cases of the place's own pack.
pub(crate) fn read(
    chain: &Chain,
    inside: &Assembled,
    faults: &Faults,
) -> BTreeMap<String, Vec<Case>> {
    let own = chain.place.folders.len().saturating_sub(1);
    let names = case_names(inside);
    let mut all = BTreeMap::new();
    for (index, programme) in inside.programmes.iter().enumerate() {
        let Some(folder) = chain.folders.get(&programme.id) else {
            continue;
        };
        let known: BTreeSet<(String, Unit)> = inside.spoken[index]
            .variables
            .iter()
            .map(|variable| (variable.id.clone(), variable.of))
            .collect();
        let reading = CaseReading {
            names: &names,
            programme,
            variables: &known,
        };
        let mut cases: Vec<Case> = Vec::new();
        for file in folder.files.get("cases.toml").into_iter().flatten() {
            with_table(&file.source, faults, |top| {
                for table in top.tables("case") {
                    let Some(case) = reading.case(&table) else {
                        continue;
                    };
                    if let Some(twin) = cases
                        .iter()
                        .find(|other| other.name == case.name && other.spot.file == case.spot.file)
                    {
                        faults.note(
                            &case.spot,
                            format!(
                                "办例名“{}”写了两次，第一次在第 {} 行",
                                case.name, twin.spot.line
                            ),
                        );
                    }
                    // The parents' cases are read, so that mistakes show, but run with the parents' own values.
                    cases.push(case);
                }
                top.no_other_keys("[[case]]");
            });
            if file.pack != own {
                cases.clear();
            }
        }
        all.insert(programme.id.clone(), cases);
    }
    all
}

/// The names a case may use: all facts, and programmes for `in_payment`.
fn case_names(inside: &Assembled) -> Names {
    let folders =
        inside
            .programmes
            .iter()
            .zip(&inside.program.benefits)
            .map(|(programme, plan)| {
                let names = FolderNames {
                    id: programme.id.clone(),
                    benefit: Some((plan.to, plan.outcome, plan.paid, plan.step)),
                    ..FolderNames::default()
                };
                (programme.id.clone(), names)
            });
    let facts: BTreeMap<String, FactDef> = inside.facts.clone();
    Names {
        facts,
        folders: folders.collect(),
        ..Names::default()
    }
}

struct CaseReading<'a> {
    names: &'a Names,
    programme: &'a Programme,
    variables: &'a BTreeSet<(String, Unit)>,
}

impl CaseReading<'_> {
    fn case(&self, table: &Table<'_>) -> Option<Case> {
        let faults = table.reading.faults;
        let name = table.need_text("name");
        let as_of = table.need("as_of").and_then(|cell| cell.date());
        let known_at = table.get("known_at").and_then(|cell| cell.instant());
        let region = table
            .text("region")
            .and_then(|said| match said.text.parse() {
                Ok(region) => Some(region),
                Err(wrong) => {
                    faults.note(&said.spot, format!("{wrong}"));
                    None
                }
            });
        let because = match table.get("because") {
            Some(cell) => cell.text().filter(|said| !said.trim().is_empty()),
            None => {
                faults.note(
                    &table.spot(),
                    format!(
                        "办例“{}”没有写 because；请写明为什么是这个结果，金额写出算式",
                        name.as_ref().map_or("", |name| name.text.as_str())
                    ),
                );
                None
            }
        };
        let day = as_of.unwrap_or_default();
        let household = table.get("household").and_then(|cell| cell.table());
        let members = table
            .get("members")
            .and_then(|cell| cell.list())
            .unwrap_or_default();
        let sheet = FactSheet {
            household: household.map_or_else(Default::default, |table| {
                sheet::from_table(&table, Unit::Household, day, self.names)
            }),
            members: members
                .iter()
                .filter_map(Cell::table)
                .map(|table| sheet::from_table(&table, Unit::Person, day, self.names))
                .collect(),
            member_keys: Vec::new(),
        };
        let expects = table.need("expect").map(|cell| match cell.value.get_ref() {
            DeValue::Array(_) => cell.list().unwrap_or_default(),
            _ => vec![cell],
        });
        let expects: Vec<Expect> = expects
            .unwrap_or_default()
            .iter()
            .filter_map(Cell::table)
            .filter_map(|table| self.expect(&table, sheet.members.len()))
            .collect();
        table.no_other_keys("name as_of known_at region household members expect because");
        let spot = name
            .as_ref()
            .map_or_else(|| table.spot(), |name| name.spot.clone());
        Some(Case {
            name: name?.text,
            as_of: as_of?,
            known_at,
            region,
            sheet,
            expects,
            because: because?.text,
            spot,
        })
    }

    fn expect(&self, table: &Table<'_>, members: usize) -> Option<Expect> {
        let faults = table.reading.faults;
        let for_person = self.programme.to == Unit::Person;
        let member = match table.get("member") {
            Some(cell) => {
                let number = cell.whole().and_then(|number| usize::try_from(number).ok());
                if !for_person {
                    faults.note(&cell.spot(), "给家庭的事项，expect 里不写 member");
                } else if number.is_none_or(|number| number >= members) {
                    faults.note(&cell.spot(), "没有这位成员；成员从 0 数起");
                }
                number
            }
            None => for_person.then_some(0),
        };
        let outcome = table.need_text("outcome").and_then(|said| {
            let outcome = match said.text.as_str() {
                "met" => Some(Outcome::Met),
                "not_met" => Some(Outcome::NotMet),
                "to_verify" => Some(Outcome::ToVerify),
                _ => None,
            };
            if outcome.is_none() {
                faults.note(&said.spot, "outcome 只能写 met、not_met、to_verify");
            }
            outcome
        });
        let amount = table
            .get("amount")
            .and_then(|cell| cell.whole())
            .map(Money::from_fen);
        let refusals = table.get("refusals").map(|cell| {
            let said = cell.texts();
            for one in &said {
                if !self
                    .programme
                    .conditions
                    .iter()
                    .any(|condition| condition.refuses == one.text)
                {
                    faults.note(&one.spot, format!("没有条件会给出理由“{}”", one.text));
                }
            }
            said.into_iter().map(|said| said.text).collect()
        });
        let missing = table.get("missing").map(|cell| {
            let said = cell.texts();
            for one in &said {
                if !self.names.facts.contains_key(&one.text) && !one.text.starts_with("in_payment.")
                {
                    faults.note(&one.spot, format!("没有叫“{}”的事实", one.text));
                }
            }
            said.into_iter().map(|said| said.text).collect()
        });
        let said_faults = table
            .get("faults")
            .map(|cell| cell.texts())
            .unwrap_or_default();
        let covered = table
            .get("covered")
            .and_then(|cell| cell.list())
            .map(|cells| {
                cells
                    .iter()
                    .filter_map(|cell| usize::try_from(cell.whole()?).ok())
                    .collect()
            });
        let mut variables = BTreeMap::new();
        if let Some(wanted) = table.get("variables").and_then(|cell| cell.table()) {
            self.variables(&wanted, member, &mut variables);
        }
        for cell in table
            .get("member_variables")
            .and_then(|cell| cell.list())
            .unwrap_or_default()
        {
            let Some(wanted) = cell.table() else { continue };
            let number = wanted
                .need("member")
                .and_then(|cell| cell.whole())
                .and_then(|number| usize::try_from(number).ok());
            match number {
                Some(number) if number < members => {
                    self.variables(&wanted, Some(number), &mut variables)
                }
                Some(_) => faults.note(&wanted.spot(), "没有这位成员；成员从 0 数起"),
                None => {}
            }
        }
        table.no_other_keys(
            "member outcome amount refusals missing faults covered variables member_variables",
        );
        Some(Expect {
            member,
            outcome: outcome?,
            amount,
            refusals,
            missing,
            faults: said_faults.into_iter().map(|said| said.text).collect(),
            covered,
            variables,
        })
    }

    fn variables(
        &self,
        table: &Table<'_>,
        member: Option<usize>,
        into: &mut BTreeMap<(String, Option<usize>), Wanted>,
    ) {
        for (key, cell) in table.cells() {
            if key.text == "member" {
                continue;
            }
            let has = |unit: Unit| self.variables.contains(&(key.text.clone(), unit));
            let member = if has(Unit::Household) {
                None
            } else if has(Unit::Person) && member.is_some() {
                member
            } else {
                let sentence = if has(Unit::Person) {
                    format!(
                        "变量“{}”每个成员各有一个；请写在 member_variables 里并注明 member",
                        key.text
                    )
                } else {
                    format!("本事项没有用到变量“{}”", key.text)
                };
                cell.reading.faults.note(&key.spot, sentence);
                continue;
            };
            if let Some(wanted) = wanted(&key, &cell) {
                into.insert((key.text, member), wanted);
            }
        }
    }
}

fn wanted(key: &Said, cell: &Cell<'_>) -> Option<Wanted> {
    Some(match cell.value.get_ref() {
        DeValue::Boolean(flag) => Wanted::Value(Value::Bool(*flag)),
        DeValue::Integer(_) => Wanted::Value(Value::Int(cell.whole()?)),
        DeValue::Datetime(_) => Wanted::Value(Value::Date(cell.date()?)),
        DeValue::String(text) if text == "unknown" => Wanted::Unknown,
        DeValue::String(text) if text.contains('/') && text.parse::<Ratio>().is_ok() => {
            let ratio = text.parse::<Ratio>().unwrap_or(Ratio::whole(0));
            match ratio.as_whole() {
                Some(whole) => Wanted::Value(Value::Int(whole)),
                None => Wanted::Exact(ratio.to_string()),
            }
        }
        DeValue::String(text) => Wanted::Value(Value::Text(text.to_string())),
        _ => {
            cell.reading.faults.note(
                &key.spot,
                format!(
                    "“{}”的预期值写整数、true/false、日期、代码、\"1/3\" 或 \"unknown\"",
                    key.text
                ),
            );
            return None;
        }
    })
}

/// Runs the cases of a programme, each alone and all stacked (运行办例).
pub fn run(book: &Book, programme: &Programme) -> Report {
    let cases = book.cases(&programme.id);
    // The crowd: every case of the programme, so that a neighbour's data would show if it leaked.
    let crowd: Vec<FactSheet> = cases.iter().map(|case| case.sheet.clone()).collect();
    let mut stacked: Vec<(Ask, Vec<Vec<Determination>>)> = Vec::new();
    let mut report = Report {
        programme: programme.id.clone(),
        cases: Vec::new(),
        coverage: programme
            .conditions
            .iter()
            .map(|condition| (condition.id.clone(), BTreeSet::new()))
            .collect(),
    };
    for (place, case) in cases.iter().enumerate() {
        let ask = Ask {
            programmes: Some(vec![programme.id.clone()]),
            ..case.ask()
        };
        let alone = book.evaluate(&case.sheet, &ask);
        for condition in alone
            .iter()
            .flat_map(|determination| &determination.conditions)
        {
            report
                .coverage
                .entry(condition.id.clone())
                .or_default()
                .insert(condition.result);
        }
        let mut differences = compare(case, &alone);
        if !stacked.iter().any(|(known, _)| *known == ask) {
            stacked.push((ask.clone(), book.evaluate_many(&crowd, &ask)));
        }
        let same = stacked
            .iter()
            .any(|(known, all)| *known == ask && all[place] == alone);
        if !same {
            differences.push("单独计算和成批计算的结果不同；这是程序错误，请报告".to_owned());
        }
        report.cases.push(CaseReport {
            name: case.name.clone(),
            differences,
            spot: case.spot.clone(),
        });
    }
    report
}

fn joined<'a>(items: impl IntoIterator<Item = &'a String>) -> String {
    let items: Vec<&str> = items.into_iter().map(String::as_str).collect();
    if items.is_empty() {
        "（无）".to_owned()
    } else {
        items.join("、")
    }
}

fn compare(case: &Case, got: &[Determination]) -> Vec<String> {
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
