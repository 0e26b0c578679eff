//! A portion of those in payment against what sources say (分批比对): figures of persons, and households nobody knows.
//!
//! Guarantees: everybody of a portion is asked about at once, and only the source in hand is read; where a figure or a fact is
//! unknown, what was found before is kept. Deliberately absent: which rules and which deliveries; see [`super::run`].

use super::Sides;
use super::compare::{Payment, Verdict, compare, in_words, known_in_words};
use super::file::Finding;
use super::rules::{Compares, Rule, When};
use super::run::{Asking, Found, Ready, Work};
use crate::ask::{Asked, Person};
use crate::report::{Answer, Unknown};
use anyhow::Context;
use ledger::Entitlement;
use registry::identities::Identity;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use vocab::ids::PersonId;
use vocab::{Money, Month, Value};

impl Work<'_> {
    /// What a source says of each person, by person.
    pub(super) async fn ask(
        &self,
        ready: &Ready<'_>,
        people: &[PersonId],
        known: &BTreeMap<PersonId, Identity>,
    ) -> anyhow::Result<BTreeMap<PersonId, Answer>> {
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
        rights: &[Entitlement],
        known: &BTreeMap<PersonId, Identity>,
        answers: &BTreeMap<PersonId, Answer>,
        found: &mut Found,
    ) -> anyhow::Result<()> {
        let rules: Vec<(&Rule, usize, &When)> = self
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
        let money = |when: &When| matches!(when, When::LessThanSettled | When::NotSettled);
        let mut settled = BTreeMap::new();
        if rules.iter().any(|(.., when)| money(when)) {
            let month = Month::of(ready.delivered).previous();
            let payees: Vec<PersonId> = rights.iter().map(|right| right.payee).collect();
            let conn = self.asking.db.conn();
            settled = ledger::settled_in(conn, self.asking.scope, month, &payees).await?;
        }
        let facts = self.facts(&rules, answers).await?;
        for (rule, at, when) in rules {
            let def = &ready.source.figures[at];
            for right in rights {
                if !rule.applies(self.asking.book, &right.programme) {
                    continue;
                }
                for person in right.persons() {
                    let own = if money(when) {
                        person == right.payee
                    } else {
                        right.covered.contains(&person)
                    };
                    if !own {
                        continue;
                    }
                    let key = format!("{} {person}", rule.id);
                    let Some(figure) = answers.get(&person).and_then(|one| one.members.first())
                    else {
                        found.kept.insert(key);
                        continue;
                    };
                    let fact = match when {
                        When::MoreThanKnown { fact, .. } | When::DiffersFromKnown { fact } => {
                            facts.get(&(person, fact.as_str())).cloned()
                        }
                        _ => None,
                    };
                    if let Some(Said::Contradictory) = fact {
                        found.kept.insert(key);
                        continue;
                    }
                    let fact = match fact {
                        Some(Said::Is(value)) => Some(value),
                        _ => None,
                    };
                    let payment = Payment {
                        month: self.month,
                        from: right.from,
                        known: fact.as_ref(),
                        settled: settled.get(&person).copied().unwrap_or(Money::ZERO),
                    };
                    match compare(ready.source, def, when, &figure[at], payment) {
                        Verdict::IsNot => {}
                        Verdict::Unknown => drop(found.kept.insert(key)),
                        Verdict::Is => {
                            let said = figure[at].value.map(|one| in_words(ready.source, def, one));
                            let sides = Sides {
                                known: fact
                                    .as_ref()
                                    .map(|value| known_in_words(ready.source, def, value)),
                                settled: money(when).then(|| payment.settled.fen()),
                                said,
                                source: Some((
                                    ready.source.id.clone(),
                                    def.id.clone(),
                                    ready.delivered,
                                )),
                                delivery: Some(ready.delivery.clone()),
                                ..Sides::default()
                            };
                            self.add(found, rule, right, known.get(&person), sides);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// What the register says of those of whom the source says something, for the facts these rules compare with.
    async fn facts<'f>(
        &self,
        rules: &[(&'f Rule, usize, &'f When)],
        answers: &BTreeMap<PersonId, Answer>,
    ) -> anyhow::Result<BTreeMap<(PersonId, &'f str), Said>> {
        let mut wanted: BTreeSet<&'f str> = BTreeSet::new();
        let mut people: BTreeSet<PersonId> = BTreeSet::new();
        for (_, at, when) in rules {
            let (When::MoreThanKnown { fact, .. } | When::DiffersFromKnown { fact }) = when else {
                continue;
            };
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
    pub(super) async fn traces(
        &self,
        rights: &[Entitlement],
        known: &BTreeMap<PersonId, Identity>,
        may: &BTreeSet<PersonId>,
        found: &mut Found,
    ) -> anyhow::Result<()> {
        let place = self.asking.book.place().division;
        for rule in &self.rules {
            let Compares::Trace(sources) = &rule.compares else {
                continue;
            };
            let households: Vec<&Entitlement> = rights
                .iter()
                .filter(|right| right.household.is_some())
                .filter(|right| rule.applies(self.asking.book, &right.programme))
                .collect();
            let people: BTreeSet<PersonId> = households
                .iter()
                .flat_map(|right| right.covered.iter().copied())
                .filter(|person| may.contains(person))
                .collect();
            let people: Vec<PersonId> = people.into_iter().collect();
            let mut seen: BTreeSet<PersonId> = BTreeSet::new();
            for ready in sources.iter().filter_map(|id| self.ready.get(id.as_str())) {
                for (person, answer) in self.ask(ready, &people, known).await? {
                    let rows =
                        |figures: &Vec<crate::Figure>| figures.iter().any(|one| one.rows > 0);
                    // Nobody can look for a person without a number.
                    let lost = |figures: &Vec<crate::Figure>| {
                        figures
                            .iter()
                            .any(|one| one.unknown.contains(&Unknown::NoValidId))
                    };
                    if answer
                        .members
                        .iter()
                        .any(|figures| rows(figures) || lost(figures))
                    {
                        seen.insert(person);
                    }
                }
            }
            for right in households {
                let local = |person: &PersonId| {
                    let hukou = known.get(person).and_then(|one| one.hukou);
                    hukou.is_some_and(|hukou| place.holds(hukou))
                };
                let asked = right.covered.iter().all(|id| may.contains(id) && local(id));
                if asked && !right.covered.iter().any(|id| seen.contains(id)) {
                    let delivery = sources.first().and_then(|id| self.ready.get(id.as_str()));
                    let sides = Sides {
                        source: delivery
                            .map(|one| (one.source.id.clone(), String::new(), one.delivered)),
                        delivery: delivery.map(|one| one.delivery.clone()),
                        people: right.covered.clone(),
                        ..Sides::default()
                    };
                    self.add(found, rule, right, known.get(&right.payee), sides);
                }
            }
        }
        Ok(())
    }

    /// Adds a finding; one person's rights come together in one.
    pub(super) fn add(
        &self,
        found: &mut Found,
        rule: &Rule,
        right: &Entitlement,
        person: Option<&Identity>,
        sides: Sides,
    ) {
        let Some(person) = person else { return };
        let key = format!("{} {}", rule.id, person.id);
        let due = right.due(self.month).fen();
        if let Some(there) = found.findings.get_mut(&key) {
            if !there.sides.programmes.contains(&right.programme) {
                there.sides.programmes.push(right.programme.clone());
                there.sides.programmes.sort();
                there.sides.paid = there.sides.paid.saturating_add(due);
            }
            return;
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
    }
}

/// What the register says of a fact today.
#[derive(Debug, Clone, PartialEq)]
enum Said {
    Is(Value),
    /// Two sources say two things; nobody compares with that.
    Contradictory,
}
