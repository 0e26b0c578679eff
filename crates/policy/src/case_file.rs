//! Reading worked cases (读取办例): `cases.toml`, with every name and value checked against the book.
//!
//! Deliberately absent: running them; see `cases`.

use crate::assemble::Assembled;
use crate::book::Programme;
use crate::cases::{Case, Expect, Wanted};
use crate::determination::{Outcome, Unit};
use crate::fact_def::FactDef;
use crate::fault::Faults;
use crate::names::{FolderNames, Names};
use crate::pack::{Chain, with_table};
use crate::ratio::Ratio;
use crate::sheet;
use crate::toml_file::{Cell, Said, Table};
use std::collections::{BTreeMap, BTreeSet};
use toml::de::DeValue;
use vocab::{FactSheet, Money, Value};

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
            .filter_map(|variable| Some((variable.said.first()?.id.clone(), variable.of)))
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
    let facts: BTreeMap<String, FactDef> = inside.names.facts.clone();
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
        let of = match self.programme.to {
            Unit::Organisation => Unit::Organisation,
            Unit::Household | Unit::Person => Unit::Household,
        };
        let household = table.get(of.word()).and_then(|cell| cell.table());
        let members = table
            .get("members")
            .and_then(|cell| cell.list())
            .unwrap_or_default();
        let sheet = FactSheet {
            household: household.map_or_else(Default::default, |table| {
                sheet::from_table(&table, of, day, self.names)
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
        table.no_other_keys(&format!(
            "name as_of known_at region {} members expect because",
            of.word()
        ));
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
                    let to = self.programme.to.zh();
                    faults.note(&cell.spot(), format!("给{to}的事项，expect 里不写 member"));
                } else if number.is_none_or(|number| number >= members) {
                    faults.note(&cell.spot(), "没有这位成员；成员从 0 数起");
                }
                number
            }
            None => for_person.then_some(0),
        };
        let outcome = table.need_text("outcome").and_then(|said| {
            let outcome = Outcome::from_word(&said.text);
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
            let member = if has(Unit::Household) || has(Unit::Organisation) {
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
