//! Everybody in payment is compared (全部在发比对), a portion at a time: with the newest delivery of each source a rule names,
//! with the register, and with each other.
//!
//! Guarantees: a figure is asked as of the day of its delivery, so that a month that was not yet delivered is not taken for
//! nothing; a source that is missing or too old is said by name and settles nothing; who gave no consent is not asked. Memory
//! grows with what is found, not with who is paid. Stopped, nothing is written; done twice, nothing is added. Deliberately
//! absent: a timer and the queue.

use super::compare::{Payment, Verdict, compare, in_words, known_in_words};
use super::file::{Finding, Held, file, settle};
use super::rules::{Among, Compares, Rule, Rules, When};
use super::table::compared;
use super::{Sides, among};
use crate::ask::{Asked, Landed, Person};
use crate::at_hand::{AtHand, sources_of};
use crate::report::{Answer, Unknown};
use crate::source::{Source, Sources};
use access::Scope;
use anyhow::Context;
use chrono::NaiveDate;
use ledger::Entitlement;
use policy::Book;
use registry::identities::Identity;
use sea_orm::sea_query::OnConflict;
use sea_orm::{EntityTrait, IntoActiveModel};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::Db;
use vocab::ids::PersonId;
use vocab::working_days::Calendar;
use vocab::{Money, Month, Value};

/// What kind of job it is in the queue (任务种类).
pub const JOB: &str = "verify.alerts";
/// The key under which only one is ever waiting (唯一键).
pub const KEY: &str = "alerts";
/// Rights read at a time.
const PORTION: u64 = 1_000;

/// What a run asks and writes with (比对条件).
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The database.
    pub db: &'a Db,
    /// For whom, and who asks.
    pub scope: &'a Scope,
    /// The rule book.
    pub book: &'a Book,
    /// The working days.
    pub calendar: &'a Calendar,
    /// What is landed.
    pub at_hand: &'a AtHand,
    /// How many workers.
    pub workers: usize,
}

/// Who may be asked about while in payment (可核对的人): the law's authorisation, wherever it is kept.
pub trait Consents: Sync {
    /// Those of the people whose consent is in force today.
    fn in_force(
        &self,
        asking: &Asking<'_>,
        people: &[PersonId],
    ) -> impl Future<Output = anyhow::Result<BTreeSet<PersonId>>> + Send;
}

/// Everybody, for people who are invented or whose consent is kept elsewhere (不另查授权).
#[derive(Debug, Clone, Copy)]
pub struct Everybody;

impl Consents for Everybody {
    async fn in_force(
        &self,
        _: &Asking<'_>,
        people: &[PersonId],
    ) -> anyhow::Result<BTreeSet<PersonId>> {
        Ok(people.iter().copied().collect())
    }
}

/// What a run came to (比对结果).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ran {
    /// How many people are in payment.
    pub people: u64,
    /// How many of them could not be asked about.
    pub without_consent: u64,
    /// What was compared: source and delivery.
    pub compared: Vec<(String, String)>,
    /// Sources that said nothing, and why.
    pub silent: Vec<(String, Unknown)>,
    /// Alerts found.
    pub held: Held,
    /// Alerts no longer so.
    pub settled: u64,
}

/// One source ready to be compared.
struct Ready<'a> {
    source: &'a Source,
    landed: Arc<Landed>,
    delivery: String,
    delivered: NaiveDate,
}

/// The rules of a run with what they need.
struct Work<'a> {
    asking: &'a Asking<'a>,
    rules: Vec<&'a Rule>,
    ready: BTreeMap<&'a str, Ready<'a>>,
    month: Month,
    today: NaiveDate,
}

/// What was found so far.
#[derive(Default)]
struct Found {
    findings: BTreeMap<String, Finding>,
    /// Keys of which nobody can say whether they still hold.
    kept: BTreeSet<String>,
    paid: BTreeSet<PersonId>,
    without_consent: BTreeSet<PersonId>,
}

/// The rules of a place; all their mistakes become one message (读取预警规则).
///
/// # Errors
/// Every mistake, with its place.
pub fn rules_of(book: &Book, sources: &Sources) -> anyhow::Result<Rules> {
    Rules::of(book, sources).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        anyhow::anyhow!(
            "预警规则有 {} 处错误 (mistakes in the alert rules):\n{}",
            faults.len(),
            lines.join("\n")
        )
    })
}

/// The sources whose newest delivery was not compared yet (待比对的数据源). Blocking in part: it looks at the folders.
///
/// # Errors
/// Faults of the database and the folders.
pub async fn outstanding(
    db: &Db,
    book: &Book,
    at_hand: &AtHand,
) -> anyhow::Result<BTreeSet<String>> {
    let landed = at_hand.now(book)?;
    let done: BTreeMap<String, String> = compared::Entity::find()
        .all(db.conn())
        .await
        .context("reading what was compared")?
        .into_iter()
        .map(|row| (row.source, row.delivery))
        .collect();
    let rules = rules_of(book, landed.sources())?;
    let named: BTreeSet<&str> = rules.0.iter().flat_map(Rule::sources).collect();
    let today = db.today();
    Ok(landed
        .sources()
        .0
        .values()
        .filter(|source| named.contains(source.id.as_str()))
        .filter(|source| {
            // As a run chooses: one that is of tomorrow or too old waits for the next.
            let newest = landed.deliveries(&source.id);
            let newest = newest.filter(|one| one.delivered <= today).last();
            newest.is_some_and(|newest| {
                (today - newest.delivered).num_days() <= i64::from(source.max_age_days)
                    && done.get(&source.id) != Some(&newest.delivery)
            })
        })
        .map(|source| source.id.clone())
        .collect())
}

/// Compares everybody in payment (比对); with `only`, just what these sources say. `None` when it was stopped.
///
/// # Errors
/// Faults of the database, the packs and the folders.
pub async fn run(
    asking: &Asking<'_>,
    consents: &impl Consents,
    only: Option<&BTreeSet<String>>,
    stop: &AtomicBool,
    progress: &(dyn Fn(u64, u64) + Send + Sync),
) -> anyhow::Result<Option<Ran>> {
    let sources = sources_of(asking.book)?;
    let rules = rules_of(asking.book, &sources)?;
    let mut ran = Ran::default();
    let work = prepare(asking, &sources, &rules, only, &mut ran)?;
    let mut found = Found::default();
    let mut after = None;
    let mut done = 0;
    loop {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let db = asking.db;
        let rights = ledger::running(db.conn(), asking.scope, work.month, after, PORTION).await?;
        let Some(last) = rights.last() else { break };
        after = Some(last.id);
        done += u64::try_from(rights.len())?;
        let rights: Vec<Entitlement> = rights
            .into_iter()
            .filter(|right| right.due(work.month) > Money::ZERO)
            .collect();
        work.portion(consents, &rights, &mut found).await?;
        progress(done, done);
    }
    let mutual: Vec<(&Rule, Among)> = work
        .rules
        .iter()
        .filter_map(|rule| match rule.compares {
            Compares::Payments(among) => Some((*rule, among)),
            _ => None,
        })
        .collect();
    if !mutual.is_empty() {
        for one in among::find(asking, &mutual, &found.paid).await? {
            found.findings.insert(one.key.clone(), one);
        }
    }
    if stop.load(Ordering::Relaxed) {
        return Ok(None);
    }
    ran.people = u64::try_from(found.paid.len())?;
    ran.without_consent = u64::try_from(found.without_consent.len())?;
    work.write(found, &mut ran).await?;
    Ok(Some(ran))
}

/// Which rules can be worked on now, and with which deliveries.
fn prepare<'a>(
    asking: &'a Asking<'a>,
    sources: &'a Sources,
    rules: &'a Rules,
    only: Option<&BTreeSet<String>>,
    ran: &mut Ran,
) -> anyhow::Result<Work<'a>> {
    let today = asking.db.today();
    let wanted = |rule: &Rule| match only {
        None => true,
        Some(only) => rule.sources().iter().any(|source| only.contains(*source)),
    };
    let rules: Vec<&Rule> = rules.0.iter().filter(|rule| wanted(rule)).collect();
    let mut ready = BTreeMap::new();
    let needed: BTreeSet<&str> = rules.iter().flat_map(|rule| rule.sources()).collect();
    for id in needed {
        let Some(source) = sources.get(id) else {
            continue;
        };
        let landed = asking.at_hand.only(source)?;
        let newest = landed
            .deliveries(id)
            .filter(|one| one.delivered <= today)
            .last();
        let Some((delivery, delivered)) = newest.map(|one| (one.delivery.clone(), one.delivered))
        else {
            ran.silent.push((id.to_owned(), Unknown::NotLanded));
            continue;
        };
        if (today - delivered).num_days() > i64::from(source.max_age_days) {
            ran.silent.push((id.to_owned(), Unknown::Stale(delivered)));
            continue;
        }
        ran.compared.push((id.to_owned(), delivery.clone()));
        let one = Ready {
            source,
            landed: Arc::new(landed),
            delivery,
            delivered,
        };
        ready.insert(source.id.as_str(), one);
    }
    let answered = |rule: &&Rule| rule.sources().iter().all(|id| ready.contains_key(id));
    Ok(Work {
        rules: rules.into_iter().filter(answered).collect(),
        asking,
        ready,
        month: Month::of(today),
        today,
    })
}

impl Work<'_> {
    async fn portion(
        &self,
        consents: &impl Consents,
        rights: &[Entitlement],
        found: &mut Found,
    ) -> anyhow::Result<()> {
        let Asking { db, scope, .. } = *self.asking;
        let people: BTreeSet<PersonId> = rights.iter().flat_map(Entitlement::persons).collect();
        let people: Vec<PersonId> = people.into_iter().collect();
        found.paid.extend(people.iter().copied());
        let may = consents.in_force(self.asking, &people).await?;
        let asked: Vec<PersonId> = people
            .iter()
            .copied()
            .filter(|id| may.contains(id))
            .collect();
        let mut tx = db.begin().await?;
        // The names of those who may not be asked about are needed to say so; their numbers go nowhere.
        let known =
            registry::identities::identities(&mut tx, scope, &people, "在发对象持续核对").await?;
        tx.commit().await?;
        let lacking = people.iter().filter(|id| !may.contains(id));
        found.without_consent.extend(lacking.copied());
        for ready in self.ready.values() {
            let answers = self.ask(ready, &asked, &known).await?;
            self.figures(ready, rights, &known, &answers, found).await?;
        }
        self.traces(rights, &known, &may, found).await?;
        for rule in &self.rules {
            if rule.compares == Compares::Consent {
                for right in rights {
                    for person in right.persons().iter().filter(|id| !may.contains(id)) {
                        self.add(found, rule, right, known.get(person), Sides::default());
                    }
                }
            }
        }
        Ok(())
    }

    /// What a source says of each person, by person.
    async fn ask(
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
    async fn figures(
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
    async fn traces(
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
    fn add(
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

    /// Files what was found and settles what was not.
    async fn write(&self, found: Found, ran: &mut Ran) -> anyhow::Result<()> {
        let Asking {
            db,
            scope,
            calendar,
            ..
        } = *self.asking;
        let due: BTreeMap<&str, (&Rule, NaiveDate)> = self
            .rules
            .iter()
            .map(|rule| {
                let day = calendar.add_working_days(self.today, rule.days).date();
                (rule.id.as_str(), (*rule, day))
            })
            .collect();
        let mut by_source: BTreeMap<&str, i64> = BTreeMap::new();
        for one in found.findings.values() {
            if let Some((source, ..)) = &one.sides.source {
                *by_source.entry(source).or_default() += 1;
            }
        }
        let mut seen = found.kept;
        seen.extend(found.findings.keys().cloned());
        let findings: Vec<Finding> = found.findings.values().cloned().collect();
        for some in findings.chunks(500) {
            let mut tx = db.begin().await?;
            let held = file(&mut tx, scope, some, &due, self.today).await?;
            tx.commit().await?;
            ran.held.new += held.new;
            ran.held.again += held.again;
        }
        let rules: Vec<String> = self.rules.iter().map(|rule| rule.id.clone()).collect();
        ran.settled = settle(db, scope, &rules, &seen).await?;
        let tx = db.begin().await?;
        for ready in self.ready.values() {
            let row = compared::Model {
                source: ready.source.id.clone(),
                delivery: ready.delivery.clone(),
                compared_at: tx.now(),
                people: i64::try_from(ran.people)?,
                found: by_source
                    .get(ready.source.id.as_str())
                    .copied()
                    .unwrap_or(0),
            };
            let over = OnConflict::column(compared::Column::Source)
                .update_columns([
                    compared::Column::Delivery,
                    compared::Column::ComparedAt,
                    compared::Column::People,
                    compared::Column::Found,
                ])
                .to_owned();
            compared::Entity::insert(row.into_active_model())
                .on_conflict(over)
                .exec_without_returning(tx.conn())
                .await
                .context("noting what was compared")?;
        }
        tx.commit().await
    }
}

/// What the register says of a fact today.
#[derive(Debug, Clone, PartialEq)]
enum Said {
    Is(Value),
    /// Two sources say two things; nobody compares with that.
    Contradictory,
}
