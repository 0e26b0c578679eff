//! Everybody in payment is compared (全部在发比对), a portion at a time: with the newest delivery of each source a rule names,
//! with the register, and with each other.
//!
//! Guarantees: a figure is asked as of the day of its delivery, so that a month that was not yet delivered is not taken for
//! nothing; a source that is missing, too old or landed otherwise is said by name and settles nothing; who gave no consent is
//! not asked; whoever has several records is one person. Of everybody in payment only the programmes are held in memory, besides
//! what is found. Stopped while comparing, no alert is written; stopped while filing, what was filed stays and the next run goes
//! on from there: done twice, nothing is added. Deliberately absent: a timer and the queue.

use super::file::{Finding, Held, file, settle};
use super::rules::{Among, Compares, Rule, Rules};
use super::table::compared;
use super::{Sides, among};
use crate::ask::Landed;
use crate::at_hand::AtHand;
use crate::report::Unknown;
use crate::source::{Source, Sources};
use access::Scope;
use anyhow::Context;
use chrono::NaiveDate;
use ledger::Entitlement;
use policy::{Book, Fault};
use registry::identities::{Ground, identities};
use sea_orm::sea_query::OnConflict;
use sea_orm::{EntityTrait, IntoActiveModel};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::Db;
use vocab::ids::PersonId;
use vocab::working_days::Calendar;
use vocab::{Money, Month};

/// What kind of job it is in the queue (任务种类).
pub const JOB: &str = "verify.alerts";
/// The key under which only one with everything is ever waiting (唯一键).
pub const KEY: &str = "alerts";
/// The key of one with what was newly delivered: it does not stand in the way of one with everything.
pub const KEY_OF_DELIVERIES: &str = "alerts.deliveries";
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
pub(super) struct Ready<'a> {
    pub(super) source: &'a Source,
    pub(super) landed: Arc<Landed>,
    pub(super) delivery: String,
    pub(super) delivered: NaiveDate,
}

/// Some rights by the records that stand for their people.
pub(super) struct Portion {
    pub(super) rights: Vec<Entitlement>,
    /// Further records on which some of them rest.
    pub(super) records: BTreeMap<PersonId, BTreeSet<PersonId>>,
}

/// The rules of a run with what they need.
pub(super) struct Work<'a> {
    pub(super) asking: &'a Asking<'a>,
    pub(super) rules: Vec<&'a Rule>,
    pub(super) ready: BTreeMap<&'a str, Ready<'a>>,
    /// The sources all of whose rules are worked on.
    whole: BTreeSet<&'a str>,
    pub(super) month: Month,
    pub(super) today: NaiveDate,
}

/// What was found so far; people by the record that stands for them.
#[derive(Default)]
pub(super) struct Found<'a> {
    pub(super) findings: BTreeMap<String, Finding>,
    /// Keys of which nobody can say whether they still hold.
    pub(super) kept: BTreeSet<String>,
    /// Who is in payment, and by which programmes covered.
    pub(super) paid: BTreeMap<PersonId, BTreeSet<&'a str>>,
    /// Further records of those who have several, as far as rights rest on them.
    pub(super) records: BTreeMap<PersonId, BTreeSet<PersonId>>,
    /// Whom those are paid for who are not covered themselves.
    pub(super) pays: BTreeMap<PersonId, BTreeSet<PersonId>>,
    without_consent: BTreeSet<PersonId>,
}

/// The rules of a place; all their mistakes become one message (读取预警规则).
///
/// # Errors
/// Every mistake, with its place.
pub fn rules_of(book: &Book, sources: &Sources) -> anyhow::Result<Rules> {
    let told = |faults: Vec<Fault>| policy::all_of(&faults, ("预警规则", "alert rules"));
    Rules::of(book, sources).map_err(|faults| anyhow::Error::msg(told(faults)))
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
    let (landed, rules) = (at_hand.now(book)?, at_hand.rules(book)?);
    let done: BTreeMap<String, String> = compared::Entity::find()
        .all(db.conn())
        .await
        .context("reading what was compared")?
        .into_iter()
        .map(|row| (row.source, row.delivery))
        .collect();
    let named: BTreeSet<&str> = rules.0.iter().flat_map(Rule::sources).collect();
    let today = db.today();
    let waits = |source: &Source| {
        // As a run chooses: one that is of tomorrow, too old or landed otherwise waits for the next.
        let newest = landed.newest(source, today).ok();
        newest.is_some_and(|newest| done.get(&source.id) != Some(&newest.delivery))
    };
    let sources = landed.sources().0.values();
    Ok(sources
        .filter(|source| named.contains(source.id.as_str()) && waits(source))
        .map(|source| source.id.clone())
        .collect())
}

/// Compares everybody in payment (比对); with `only`, just what these sources say. `None` when it was stopped.
///
/// # Errors
/// Faults of the database, the packs and the folders.
pub async fn run(
    asking: &Asking<'_>,
    only: Option<&BTreeSet<String>>,
    stop: &AtomicBool,
    progress: &(dyn Fn(u64, u64) + Send + Sync),
) -> anyhow::Result<Option<Ran>> {
    let landed = asking.at_hand.now(asking.book)?;
    let rules = asking.at_hand.rules(asking.book)?;
    let mut ran = Ran::default();
    let work = prepare(asking, &landed, &rules, only, &mut ran);
    let mut found = Found::default();
    let mut after = None;
    let mut done = 0;
    let conn = asking.db.conn();
    let all = ledger::running_count(conn, asking.scope, work.month).await?;
    loop {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let rights = ledger::running(conn, asking.scope, work.month, after, PORTION).await?;
        let Some(last) = rights.last() else { break };
        after = Some(last.id);
        done += u64::try_from(rights.len())?;
        let rights: Vec<Entitlement> = rights
            .into_iter()
            .filter(|right| right.due(work.month) > Money::ZERO)
            .collect();
        work.portion(rights, &mut found).await?;
        progress(done, all.max(done));
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
        for one in among::find(asking, &mutual, &found).await? {
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
    landed: &'a Landed,
    rules: &'a Rules,
    only: Option<&BTreeSet<String>>,
    ran: &mut Ran,
) -> Work<'a> {
    let today = asking.db.today();
    let wanted = |source: &str| only.is_none_or(|only| only.contains(source));
    let of_run = |rule: &&Rule| match only {
        None => true,
        Some(_) => rule.sources().into_iter().any(wanted),
    };
    let rules: Vec<&Rule> = rules.0.iter().filter(of_run).collect();
    let mut ready = BTreeMap::new();
    let needed: BTreeSet<&str> = rules.iter().flat_map(|rule| rule.sources()).collect();
    for id in needed {
        let Some(source) = landed.sources().get(id) else {
            continue;
        };
        let newest = match landed.newest(source, today) {
            Ok(newest) => newest,
            Err(why) => {
                ran.silent.push((id.to_owned(), why));
                continue;
            }
        };
        ran.compared.push((id.to_owned(), newest.delivery.clone()));
        let one = Ready {
            source,
            landed: Arc::new(landed.only(source)),
            delivery: newest.delivery.clone(),
            delivered: newest.delivered,
        };
        ready.insert(source.id.as_str(), one);
    }
    let answered = |rule: &&Rule| rule.sources().iter().all(|id| ready.contains_key(id));
    Work {
        rules: rules.into_iter().filter(answered).collect(),
        whole: ready.keys().copied().filter(|id| wanted(id)).collect(),
        asking,
        ready,
        month: Month::of(today),
        today,
    }
}

impl<'a> Work<'a> {
    async fn portion(&self, rights: Vec<Entitlement>, found: &mut Found<'a>) -> anyhow::Result<()> {
        let Asking {
            db, scope, book, ..
        } = *self.asking;
        let portion = self.portion_of(rights).await?;
        let rights = &portion.rights;
        let people: BTreeSet<PersonId> = rights.iter().flat_map(Entitlement::persons).collect();
        let people: Vec<PersonId> = people.into_iter().collect();
        for person in &people {
            found.paid.entry(*person).or_default();
        }
        for right in rights {
            let programme = book.programme(&right.programme);
            for person in &right.covered {
                let of = found.paid.entry(*person).or_default();
                of.extend(programme.map(|programme| programme.id.as_str()));
            }
            if !right.covered.contains(&right.payee) {
                let of = found.pays.entry(right.payee).or_default();
                of.extend(&right.covered);
            }
        }
        for (person, records) in &portion.records {
            found.records.entry(*person).or_default().extend(records);
        }
        let may = registry::consent::in_force(db, &people, self.today).await?;
        let asked: Vec<PersonId> = people
            .iter()
            .copied()
            .filter(|id| may.contains(id))
            .collect();
        let mut tx = db.begin().await?;
        // The names of those who may not be asked about are needed to say so; their numbers go nowhere.
        let known = identities(&mut tx, scope, &people, Ground::Paid, "在发对象持续核对").await?;
        tx.commit().await?;
        let lacking = people.iter().filter(|id| !may.contains(id));
        found.without_consent.extend(lacking.copied());
        let mut answers = BTreeMap::new();
        for (id, ready) in &self.ready {
            let said = self.ask(ready, &asked, &known).await?;
            self.figures(ready, &portion, &known, &said, found).await?;
            answers.insert(*id, said);
        }
        self.traces(rights, &known, &answers, found)?;
        for rule in &self.rules {
            if rule.compares == Compares::Consent {
                for right in rights {
                    for person in right.persons().iter().filter(|id| !may.contains(id)) {
                        self.add(found, rule, right, known.get(person), Sides::default())?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Rights by the records that stand for their people.
    async fn portion_of(&self, rights: Vec<Entitlement>) -> anyhow::Result<Portion> {
        let people: BTreeSet<PersonId> = rights.iter().flat_map(Entitlement::persons).collect();
        let people: Vec<PersonId> = people.into_iter().collect();
        let who = registry::merging::survivors(self.asking.db, &people).await?;
        let whom = |id: &PersonId| who.get(id).copied().unwrap_or(*id);
        let mut records: BTreeMap<PersonId, BTreeSet<PersonId>> = BTreeMap::new();
        for (record, person) in who.iter().filter(|(record, person)| record != person) {
            records.entry(*person).or_default().insert(*record);
        }
        let one = |mut right: Entitlement| {
            right.payee = whom(&right.payee);
            let mut once = BTreeSet::new();
            let covered = right.covered.iter().map(whom);
            right.covered = covered.filter(|person| once.insert(*person)).collect();
            right
        };
        Ok(Portion {
            rights: rights.into_iter().map(one).collect(),
            records,
        })
    }

    /// Files what was found and settles what was not.
    async fn write(&self, found: Found<'a>, ran: &mut Ran) -> anyhow::Result<()> {
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
        // Of a source that only lent a hand other rules were not looked at.
        let compared = self.ready.values();
        for ready in compared.filter(|ready| self.whole.contains(ready.source.id.as_str())) {
            let row = compared::Model {
                source: ready.source.id.clone(),
                delivery: ready.delivery.clone(),
                compared_at: tx.now(),
            };
            let over = OnConflict::column(compared::Column::Source)
                .update_columns([compared::Column::Delivery, compared::Column::ComparedAt])
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
