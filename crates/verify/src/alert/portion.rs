//! A portion of those in payment against what sources say (分批比对): figures of persons, and households nobody knows.
//!
//! Guarantees: everybody of a portion is asked about at once, each source once; where a figure or a fact is unknown, or somebody
//! was not asked about, what was found before is kept and nothing is found anew. Deliberately absent: which rules and which
//! deliveries; see [`super::run`].

use super::Sides;
use super::compare::{Payment, Verdict, compare, in_words, known_in_words};
use super::file::Finding;
use super::rules::{Compares, Rule, When, of_everybody};
use super::run::{Asking, Found, Portion, Ready, Work};
use crate::ask::{Asked, Person};
use crate::report::{Answer, Unknown};
use crate::source::Source;
use anyhow::Context;
use ledger::Entitlement;
use registry::identities::Identity;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use vocab::ids::PersonId;
use vocab::{Money, Month, Value};

/// A rule on a figure, the figure's place and the condition.
type OnFigure<'r> = (&'r Rule, usize, &'r When);

/// What a source says, by person.
type Answers = BTreeMap<PersonId, Answer>;

/// What of a portion figures are compared with.
struct Beside<'p> {
    known: &'p BTreeMap<PersonId, Identity>,
    facts: BTreeMap<(PersonId, &'p str), Said>,
    settled: BTreeMap<PersonId, Money>,
}

impl<'a> Work<'a> {
    /// What a source says of each person, by person.
    pub(super) async fn ask(
        &self,
        ready: &Ready<'_>,
        people: &[PersonId],
        known: &BTreeMap<PersonId, Identity>,
    ) -> anyhow::Result<Answers> {
        let there: Vec<&Identity> = people.iter().filter_map(|id| known.get(id)).collect();
        let asked: Vec<Asked> = there
            .iter()
            .map(|one| Asked {
                household: one.id.to_string(),
                members: vec![Person {
                    id_no: one.number.clone(),
                    name: one.name.clone(),
                }],
            })
            .collect();
        let (landed, workers) = (Arc::clone(&ready.landed), self.asking.workers);
        // As of its own day: what happened after it cannot be in it.
        let as_of = ready.delivered;
        let never = AtomicBool::new(false);
        let asking = move || landed.ask_consenting(&asked, as_of, workers, &never);
        let reports = tokio::task::spawn_blocking(asking)
            .await
            .context("asking broke off")??;
        let ids = there.iter().map(|one| one.id);
        Ok(ids
            .zip(reports)
            .filter_map(|(id, report)| Some((id, report.answers.into_iter().next()?)))
            .collect())
    }

    /// Compares one source's figures.
    pub(super) async fn figures(
        &self,
        ready: &Ready<'_>,
        portion: &Portion,
        known: &BTreeMap<PersonId, Identity>,
        answers: &Answers,
        found: &mut Found<'a>,
    ) -> anyhow::Result<()> {
        let rules: Vec<OnFigure<'_>> = self
            .rules
            .iter()
            .filter_map(|rule| match &rule.compares {
                Compares::Figure {
                    source,
                    figure,
                    when,
                } if *source == ready.source.id => Some((*rule, *figure, when)),
                _ => None,
            })
            .collect();
        if rules.is_empty() {
            return Ok(());
        }
        let mut beside = Beside {
            known,
            facts: self.facts(&rules, answers).await?,
            settled: BTreeMap::new(),
        };
        if rules.iter().any(|(.., when)| is_of_money(when)) {
            beside.settled = self.settled(ready, portion).await?;
        }
        for of in rules {
            let (rule, _, when) = of;
            let applies = |right: &&Entitlement| rule.applies(self.asking.book, &right.programme);
            for right in portion.rights.iter().filter(applies) {
                for person in right.persons() {
                    let own = if is_of_money(when) {
                        person == right.payee
                    } else {
                        right.covered.contains(&person)
                    };
                    if own {
                        let answer = answers.get(&person);
                        self.figure((ready, of), right, (person, answer), &beside, found)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Compares one figure of one person with one payment.
    fn figure(
        &self,
        (ready, (rule, at, when)): (&Ready<'_>, OnFigure<'_>),
        right: &Entitlement,
        (person, answer): (PersonId, Option<&Answer>),
        beside: &Beside<'_>,
        found: &mut Found<'a>,
    ) -> anyhow::Result<()> {
        let (source, def) = (ready.source, &ready.source.figures[at]);
        let unsure = |found: &mut Found<'a>| {
            found.kept.insert(key(rule, person));
        };
        let Some(figure) = answer.and_then(|one| one.members.first()?.get(at)) else {
            unsure(found);
            return Ok(());
        };
        let known = match when
            .fact()
            .and_then(|fact| beside.facts.get(&(person, fact)))
        {
            Some(Said::Contradictory) => {
                unsure(found);
                return Ok(());
            }
            Some(Said::Is(value)) => Some(value),
            None => None,
        };
        let settled = beside.settled.get(&person).copied();
        let payment = Payment {
            month: self.month,
            from: right.from,
            known,
            settled: settled.unwrap_or(Money::ZERO),
        };
        match compare(source, def, when, figure, payment) {
            Verdict::IsNot => {}
            Verdict::Unknown => unsure(found),
            Verdict::Is => {
                let sides = Sides {
                    known: known.map(|value| known_in_words(source, def, value)),
                    settled: is_of_money(when).then_some(payment.settled),
                    said: figure.value.map(|one| in_words(source, def, one)),
                    source: Some((source.id.clone(), def.id.clone(), ready.delivered)),
                    delivery: Some(ready.delivery.clone()),
                    ..Sides::default()
                };
                self.add(found, rule, right, beside.known.get(&person), sides)?;
            }
        }
        Ok(())
    }

    /// What the ledger holds for settled in the month the source tells of, whichever record of a person it was paid to.
    async fn settled(
        &self,
        ready: &Ready<'_>,
        portion: &Portion,
    ) -> anyhow::Result<BTreeMap<PersonId, Money>> {
        let Asking { db, scope, .. } = *self.asking;
        let month = Month::of(ready.delivered).previous();
        let payees = portion.rights.iter().map(|right| right.payee);
        let several: Vec<PersonId> = payees
            .clone()
            .filter(|payee| portion.records.contains_key(payee))
            .collect();
        let others = registry::merging::others(db, &several).await?;
        let mut whose: BTreeMap<PersonId, PersonId> = payees.map(|payee| (payee, payee)).collect();
        for payee in several {
            let records = others.get(&payee).into_iter().flatten();
            whose.extend(records.map(|record| (*record, payee)));
        }
        let payees: Vec<PersonId> = whose.keys().copied().collect();
        let mut settled: BTreeMap<PersonId, Money> = BTreeMap::new();
        for (record, money) in ledger::settled_in(db.conn(), scope, month, &payees).await? {
            let person = whose.get(&record).copied().unwrap_or(record);
            let sum = settled.entry(person).or_default();
            *sum = sum.plus(money).context("a sum of payments")?;
        }
        Ok(settled)
    }

    /// What the register says of those of whom the source says something, for the facts these rules compare with.
    async fn facts<'f>(
        &self,
        rules: &[OnFigure<'f>],
        answers: &Answers,
    ) -> anyhow::Result<BTreeMap<(PersonId, &'f str), Said>> {
        let mut wanted: BTreeSet<&'f str> = BTreeSet::new();
        let mut people: BTreeSet<PersonId> = BTreeSet::new();
        for (_, at, when) in rules {
            let Some(fact) = when.fact() else { continue };
            wanted.insert(fact);
            for (person, answer) in answers {
                let figure = answer.members.first().and_then(|figures| figures.get(*at));
                if figure.is_some_and(|figure| figure.rows > 0) {
                    people.insert(*person);
                }
            }
        }
        let Asking { db, scope, .. } = *self.asking;
        let people: Vec<PersonId> = people.into_iter().collect();
        let homes = registry::changes::households_of_all(db, scope, &people).await?;
        let homes: Vec<_> = homes.into_iter().collect();
        let mut facts = BTreeMap::new();
        for (_, sheet) in
            registry::facts::fact_sheets(db, scope, &homes, Some(db.now()), self.today).await?
        {
            for (key, record) in sheet.member_keys.iter().zip(&sheet.members) {
                let Ok(person) = key.parse::<PersonId>() else {
                    continue;
                };
                for fact in &wanted {
                    let dated = record.get(*fact).into_iter().flatten();
                    let mut values: Vec<&Value> = dated
                        .filter(|one| one.period.holds(self.today))
                        .map(|one| &one.value)
                        .collect();
                    values.dedup();
                    let said = match values[..] {
                        [] => continue,
                        [one] => Said::Is(one.clone()),
                        _ => Said::Contradictory,
                    };
                    facts.insert((person, *fact), said);
                }
            }
        }
        Ok(facts)
    }

    /// Households of people registered here of whom no source knows anybody.
    pub(super) fn traces(
        &self,
        rights: &[Entitlement],
        known: &BTreeMap<PersonId, Identity>,
        answers: &BTreeMap<&str, Answers>,
        found: &mut Found<'a>,
    ) -> anyhow::Result<()> {
        let place = self.asking.book.place().division;
        for rule in &self.rules {
            let Compares::Trace(sources) = &rule.compares else {
                continue;
            };
            let ready = |id: &String| self.ready.get(id.as_str());
            let first = sources.first().and_then(ready);
            for right in rights.iter().filter(|right| right.household.is_some()) {
                if !rule.applies(self.asking.book, &right.programme) {
                    continue;
                }
                let of = |person: &PersonId| {
                    let said = sources.iter().filter_map(ready).map(|ready| {
                        let answer = answers.get(ready.source.id.as_str())?.get(person);
                        Some((ready.source, answer?))
                    });
                    let here = known.get(person).and_then(|one| one.hukou);
                    trace(here.map(|hukou| place.holds(hukou)), said)
                };
                match right.covered.iter().map(of).min() {
                    None | Some(Trace::There | Trace::Elsewhere) => {}
                    Some(Trace::Unsure) => {
                        found.kept.insert(key(rule, right.payee));
                    }
                    Some(Trace::Nowhere) => {
                        let sides = Sides {
                            source: first
                                .map(|one| (one.source.id.clone(), String::new(), one.delivered)),
                            delivery: first.map(|one| one.delivery.clone()),
                            people: right.covered.clone(),
                            ..Sides::default()
                        };
                        self.add(found, rule, right, known.get(&right.payee), sides)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds a finding; one person's rights come together in one.
    pub(super) fn add(
        &self,
        found: &mut Found<'a>,
        rule: &Rule,
        right: &Entitlement,
        person: Option<&Identity>,
        sides: Sides,
    ) -> anyhow::Result<()> {
        let Some(person) = person else { return Ok(()) };
        let key = key(rule, person.id);
        let due = right.due(self.month);
        if let Some(there) = found.findings.get_mut(&key) {
            // Two parts of one programme are two rights: each is walked through once.
            let sides = &mut there.sides;
            sides.paid = sides.paid.plus(due).context("a sum of rights")?;
            if !sides.programmes.contains(&right.programme) {
                sides.programmes.push(right.programme.clone());
                sides.programmes.sort();
            }
            return Ok(());
        }
        let people = if sides.people.is_empty() {
            vec![person.id]
        } else {
            sides.people.clone()
        };
        let one = Finding {
            key: key.clone(),
            rule: rule.id.clone(),
            region: right.region,
            person: person.id,
            name: person.name.clone(),
            household: right.household,
            entitlement: right.id,
            sides: Sides {
                programmes: vec![right.programme.clone()],
                paid: due,
                from: right.from.to_string(),
                people,
                ..sides
            },
        };
        found.findings.insert(key, one);
        Ok(())
    }
}

/// What makes a rule's finding about a person the same as another day's.
fn key(rule: &Rule, person: PersonId) -> String {
    format!("{} {person}", rule.id)
}

/// Whether a condition is one on money: it concerns the payee.
fn is_of_money(when: &When) -> bool {
    matches!(when, When::LessThanSettled | When::NotSettled)
}

/// What the register says of a fact today.
#[derive(Debug, Clone, PartialEq)]
enum Said {
    Is(Value),
    /// Two sources say two things; nobody compares with that.
    Contradictory,
}

/// Whether somebody of a household left a trace. Of several people the first of these counts: one who is there is enough, one
/// registered elsewhere takes the household out, one of whom nobody can say leaves it open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trace {
    There,
    Elsewhere,
    Unsure,
    Nowhere,
}

/// What the sources say of one person; `here` says whether the register has them for registered here, a source that was not asked
/// is none.
fn trace<'s>(
    here: Option<bool>,
    said: impl Iterator<Item = Option<(&'s Source, &'s Answer)>>,
) -> Trace {
    let mut unsure = here.is_none();
    for said in said {
        let of = said.and_then(|(source, answer)| {
            let at = of_everybody(source)?;
            answer.members.first()?.get(at)
        });
        match of {
            Some(figure) if figure.rows > 0 => return Trace::There,
            // That a source does not hold everybody is the very question.
            Some(figure) => unsure |= figure.unknown.iter().any(|why| *why != Unknown::NotWhole),
            None => unsure = true,
        }
    }
    match (here, unsure) {
        (Some(false), _) => Trace::Elsewhere,
        (_, true) => Trace::Unsure,
        _ => Trace::Nowhere,
    }
}
