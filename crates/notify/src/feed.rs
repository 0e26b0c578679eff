//! From the journal to messages (消息生成): follows the journal to its end and writes down who is to be told.
//!
//! Guarantees: messages and the mark are one transaction under the mark's lock, so each entry is told of once, also after kill -9
//! and with two processes at it; a run of a hundred thousand payments is told of in portions. Deliberately absent: an entry of
//! its own in the journal; following it must not make it longer.

use crate::carrier::Channel;
use crate::happening::Happening;
use crate::message::{self, State, reached, ways};
use crate::note;
use crate::rules::{Rule, Rules, To};
use crate::tables::{mark, message as message_table};
use crate::text::{Field, Fields, short_name};
use access::Scope;
use anyhow::Context;
use casework::Desk;
use casework::told::{About, Told, told};
use chrono::{Datelike, Duration, NaiveDate};
use ledger::{LineFilter, LineState};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QuerySelect,
};
use std::collections::{BTreeMap, BTreeSet};
use store::journal::{self, Entry};
use store::{Db, Tx};
use vocab::ids::{CaseId, EntitlementId, PayRunId, PersonId};
use vocab::{Month, Region};

const NAME: &str = "notify";
/// So many journal entries a step.
const ENTRIES: u64 = 200;
/// So many payments a step.
const LINES: u64 = 500;

/// By what messages are made (消息生成依据).
#[derive(Debug, Clone, Copy)]
pub struct Feeding<'a> {
    /// Names of places.
    pub desk: &'a Desk,
    /// Who is told what.
    pub rules: &'a Rules,
    /// Which ways are set up.
    pub on: &'a BTreeSet<Channel>,
    /// The help line.
    pub help_line: &'a str,
}

/// What following did (生成结果).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fed {
    /// Journal entries followed.
    pub entries: u64,
    /// Messages written.
    pub messages: u64,
    /// Notes written.
    pub notes: u64,
}

/// Follows the journal to its end (跟进日志).
///
/// # Errors
/// Faults of the database.
pub async fn follow(db: &Db, feeding: Feeding<'_>) -> anyhow::Result<Fed> {
    let mut fed = Fed::default();
    loop {
        let before = mark_of(db, feeding).await?;
        let mut entries = journal::after(db, before.seq, ENTRIES).await?;
        let is_run = |entry: &Entry| {
            Happening::of(entry) == Some(Happening::Paid) && feeding.rules.tells(Happening::Paid)
        };
        if let Some(first) = entries.first().filter(|entry| is_run(entry)).cloned() {
            run(db, feeding, &before, &first, &mut fed).await?;
            continue;
        }
        if let Some(at) = entries.iter().position(is_run) {
            entries.truncate(at);
        }
        let Some(last) = entries.last().map(|entry| entry.seq) else {
            return Ok(fed);
        };
        let mut tx = db.begin().await?;
        if locked(&tx).await? != before {
            // Another process was here; what it did need not be done again.
            tx.rollback().await?;
            continue;
        }
        for entry in &entries {
            one(&mut tx, feeding, entry, &mut fed).await?;
        }
        move_to(&tx, last, 0).await?;
        tx.commit().await?;
        fed.entries += u64::try_from(entries.len())?;
    }
}

/// The mark; a house that begins to tell does not tell of what is long past.
async fn mark_of(db: &Db, feeding: Feeding<'_>) -> anyhow::Result<mark::Model> {
    let find = || async {
        mark::Entity::find_by_id(NAME)
            .one(db.conn())
            .await
            .context("reading how far the journal was followed")
    };
    if let Some(found) = find().await? {
        return Ok(found);
    }
    let past = journal::Filter {
        until: Some(db.now() - Duration::days(i64::from(feeding.rules.late_days))),
        ..journal::Filter::default()
    };
    let last = journal::page(db, &past, 0, 1).await?;
    let row = mark::Model {
        name: NAME.to_owned(),
        seq: last.rows.first().map_or(0, |entry| entry.seq),
        within: 0,
    };
    let tx = db.begin().await?;
    mark::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx.conn())
        .await
        .context("marking where telling begins")?;
    tx.commit().await?;
    find().await?.context("the mark of telling is not there")
}

async fn locked(tx: &Tx) -> anyhow::Result<mark::Model> {
    mark::Entity::find_by_id(NAME)
        .lock_exclusive()
        .one(tx.conn())
        .await
        .context("locking how far the journal was followed")?
        .context("the mark of telling is not there")
}

async fn move_to(tx: &Tx, seq: i64, within: i64) -> anyhow::Result<()> {
    let row = mark::ActiveModel {
        seq: sea_orm::ActiveValue::Set(seq),
        within: sea_orm::ActiveValue::Set(within),
        ..Default::default()
    };
    mark::Entity::update_many()
        .set(row)
        .filter(mark::Column::Name.eq(NAME))
        .exec(tx.conn())
        .await
        .context("marking how far the journal was followed")?;
    Ok(())
}

/// What one entry tells of.
async fn one(
    tx: &mut Tx,
    feeding: Feeding<'_>,
    entry: &Entry,
    fed: &mut Fed,
) -> anyhow::Result<()> {
    let Some(happening) = Happening::of(entry).filter(|one| feeding.rules.tells(*one)) else {
        return Ok(());
    };
    let id = || {
        let id = entry.event.subject_id.parse();
        id.with_context(|| format!("the subject of journal entry {}", entry.seq))
    };
    let about = match (happening, entry.event.subject_kind.as_str()) {
        (Happening::ReviewDue, _) => About::ReviewsOpened(entry.at),
        (_, "application") => About::Application(vocab::ids::ApplicationId(id()?)),
        (_, "case") => About::Cases(vec![CaseId(id()?)]),
        _ => return Ok(()),
    };
    let scope = Scope::system(Region::NATION);
    let cases = told(tx, &scope, &about).await?;
    let of = |case: &Told| format!("{}:{}", entry.seq, case.case);
    tell(tx, feeding, entry, happening, &cases, (&of, None), fed).await
}

/// A portion of what a bank's answer settled.
async fn run(
    db: &Db,
    feeding: Feeding<'_>,
    before: &mark::Model,
    entry: &Entry,
    fed: &mut Fed,
) -> anyhow::Result<()> {
    let id = entry.event.subject_id.parse();
    let id = PayRunId(id.with_context(|| format!("the run of journal entry {}", entry.seq))?);
    let scope = Scope::system(Region::NATION);
    let settled = LineFilter {
        run: Some(id),
        state: Some(LineState::Settled),
        ..LineFilter::default()
    };
    // Lines that arrive meanwhile come with an answer of their own, which goes through the run again.
    let offset = u64::try_from(before.within)?;
    let lines = ledger::lines(db, &scope, &settled, offset, LINES)
        .await?
        .rows;
    let mut tx = db.begin().await?;
    if locked(&tx).await? != *before {
        return tx.rollback().await;
    }
    if let Some(month) = lines.first().map(|line| line.month) {
        let rights: BTreeSet<EntitlementId> = lines.iter().map(|line| line.entitlement).collect();
        let about = About::Entitlements(rights.into_iter().collect());
        let cases = told(&tx, &scope, &about).await?;
        // A second answer of the bank about the same run tells only of what arrived since.
        let of = |case: &Told| format!("{id}:{}", case.case);
        let how = (&of as &Key<'_>, Some(month));
        tell(&mut tx, feeding, entry, Happening::Paid, &cases, how, fed).await?;
        let within = before.within + i64::try_from(lines.len())?;
        move_to(&tx, before.seq, within).await?;
    } else {
        move_to(&tx, entry.seq, 0).await?;
        fed.entries += 1;
    }
    tx.commit().await
}

/// What makes a message about a case the only one of its kind.
type Key<'a> = dyn Fn(&Told) -> String + Send + Sync + 'a;

async fn tell(
    tx: &mut Tx,
    feeding: Feeding<'_>,
    entry: &Entry,
    happening: Happening,
    cases: &[Told],
    (key, month): (&Key<'_>, Option<Month>),
    fed: &mut Fed,
) -> anyhow::Result<()> {
    let mut concerned: Vec<PersonId> = cases
        .iter()
        .flat_map(|case| [Some(case.applicant), case.agent])
        .flatten()
        .collect();
    concerned.sort();
    concerned.dedup();
    let people = reached(tx, &concerned).await?;
    let late = tx.now() - entry.at > Duration::days(i64::from(feeding.rules.late_days));
    for case in cases {
        for rule in feeding.rules.on(happening) {
            let once = format!("{}:{}", happening.word(), key(case));
            match &rule.to {
                To::Desk(role) => {
                    let Some(role) = role.or(case.queue) else {
                        continue;
                    };
                    let of = |english| fields(feeding, case, &case.subject_masked, month, english);
                    let texts = (rule.zh.filled(&of(false)), rule.en.filled(&of(true)));
                    let new = note::New {
                        once_key: once,
                        event_seq: entry.seq,
                        happening,
                        told: case,
                        role,
                        by: entry.event.by,
                        texts,
                    };
                    note::write(tx, new).await?;
                    fed.notes += 1;
                }
                To::Applicant(channels) => {
                    let telling = Telling {
                        feeding,
                        entry,
                        rule,
                        case,
                        month,
                        late,
                    };
                    fed.messages += telling.tell(tx, &people, channels, &once).await?;
                }
            }
        }
    }
    Ok(())
}

/// One rule about one case.
struct Telling<'a> {
    feeding: Feeding<'a>,
    entry: &'a Entry,
    rule: &'a Rule,
    case: &'a Told,
    month: Option<Month>,
    late: bool,
}

impl Telling<'_> {
    /// Writes the messages for whoever applied; where they cannot be reached, for who applied for them.
    async fn tell(
        &self,
        tx: &mut Tx,
        people: &BTreeMap<PersonId, message::Reach>,
        channels: &[Channel],
        once: &str,
    ) -> anyhow::Result<u64> {
        let on = self.feeding.on;
        let known: Vec<&message::Reach> = [Some(self.case.applicant), self.case.agent]
            .into_iter()
            .flatten()
            .filter_map(|id| people.get(&id))
            .collect();
        let open = |reach: &&&message::Reach| {
            let ways = ways(reach, channels, on);
            ways.iter().any(|(_, hindrance)| hindrance.is_none())
        };
        let Some(reach) = known.iter().find(open).or(known.first()) else {
            return Ok(0);
        };
        let english = reach.contact.english;
        let fields = fields(
            self.feeding,
            self.case,
            &reach.name_masked,
            self.month,
            english,
        );
        let template = if english {
            &self.rule.en
        } else {
            &self.rule.zh
        };
        let text = template.filled(&fields);
        let mut written = 0;
        for (channel, hindrance) in ways(reach, channels, on) {
            let once_key = format!("{once}:{}", channel.word());
            let there = message_table::Entity::find()
                .filter(message_table::Column::OnceKey.eq(once_key.as_str()))
                .count(tx.conn())
                .await
                .context("looking for a message already written")?;
            if there > 0 {
                continue;
            }
            let new = message::New {
                once_key,
                event_seq: self.entry.seq,
                happening: self.rule.on,
                channel,
                urgent: self.rule.urgent,
                told: self.case,
                reach,
                text: text.clone(),
                hindrance: if self.late {
                    Some(State::Lapsed)
                } else {
                    hindrance
                },
                again: None,
            };
            message::write(tx, self.feeding.rules.quiet, new).await?;
            written += 1;
        }
        Ok(written)
    }
}

/// What the fields are for a case, in a language.
fn fields(
    feeding: Feeding<'_>,
    case: &Told,
    name: &str,
    month: Option<Month>,
    english: bool,
) -> Fields {
    let office = if english {
        feeding.desk.place_name_en(case.region)
    } else {
        feeding.desk.place_name(case.region)
    };
    let mut fields = Fields::from([
        (Field::Name, short_name(name)),
        (Field::Number, case.number.clone()),
        (Field::Office, office),
        (Field::Line, feeding.help_line.to_owned()),
    ]);
    let day = |day: NaiveDate| {
        if english {
            day.to_string()
        } else {
            format!("{}月{}日", day.month(), day.day())
        }
    };
    if let Some(due) = case.due_on {
        fields.insert(Field::Due, day(due));
    }
    if let Some(until) = case.notice_ends {
        fields.insert(Field::Until, day(until));
    }
    if let Some(month) = month {
        let written = month.to_string();
        let shown = match written.split_once('-') {
            Some((year, number)) if !english => {
                format!("{year}年{}月", number.trim_start_matches('0'))
            }
            _ => written,
        };
        fields.insert(Field::Month, shown);
    }
    fields
}
