//! The situation of a case (办件现状): everything the rule about an act looks at, read once.
//!
//! Deliberately absent: deciding; see [`super::permitted`].

use super::clocks::Clocks;
use crate::case::{Case, Recorded};
use crate::desk::Desk;
use crate::procedure::{Effect, Procedure, StateKind, TaskKind};
use crate::rows;
use crate::sheet::Answer;
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use registry::Reading;
use std::collections::BTreeSet;
use uuid::Uuid;
use vocab::ids::{OfficerId, PersonId};

/// One act that was done (已办行为).
#[derive(Debug, Clone)]
pub struct Past {
    /// The act's word.
    pub act: String,
    /// Its effect; none for acts the procedure no longer has.
    pub effect: Effect,
    /// By whom.
    pub officer: OfficerId,
    /// What was filled in.
    pub recorded: Recorded,
}

/// The situation of a case (办件现状).
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    /// The case.
    pub case: Case,
    /// Its procedure.
    pub procedure: &'a Procedure,
    /// Today.
    pub today: NaiveDate,
    /// What was done, oldest first.
    pub past: Vec<Past>,
    /// Evidence kinds present.
    pub evidence: BTreeSet<String>,
    /// Kinds of open tasks.
    pub tasks: BTreeSet<TaskKind>,
    /// The last notice: posted, last full day, taken down, the amount it showed.
    pub notice: Option<NoticeSeen>,
    /// Open objections to the notice.
    pub open_objections: usize,
    /// The first of the person's objections to a finding that nobody has answered, if there is one.
    pub objected: Option<Objected>,
    /// Adults who have not authorised.
    pub unauthorised: Vec<PersonId>,
    /// The clocks.
    pub clocks: Clocks<'a>,
    /// The rule book's answer, once asked.
    pub(crate) answer: Option<Answer>,
}

/// What the rule about an act sees of a notice (公示情况).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeSeen {
    /// Its last full day.
    pub ends_on: NaiveDate,
    /// Taken down.
    pub taken_down_on: Option<NaiveDate>,
    /// The amount it showed.
    pub amount: Option<vocab::Money>,
}

/// What the rule about an act sees of an objection to a finding (对核对结果的异议).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objected {
    /// Who objects, by name.
    pub by: String,
    /// What the finding is about: the fact's label, Chinese and English.
    pub fact: (String, String),
    /// Until when it is answered.
    pub due_on: NaiveDate,
}

impl<'a> Situation<'a> {
    /// Reads the situation of a case as of today.
    pub(crate) async fn load(
        source: &(impl Reading + Now),
        scope: &Scope,
        desk: &'a Desk,
        procedure: &'a Procedure,
        case: Case,
    ) -> anyhow::Result<Self> {
        let today = source.day();
        let id = case.id.0;
        let past = rows::events(source, id)
            .await?
            .iter()
            .map(|row| {
                Ok(Past {
                    act: row.act.clone(),
                    effect: procedure
                        .act(&row.act)
                        .map_or(Effect::None, |act| act.effect),
                    officer: OfficerId(row.officer_id),
                    recorded: serde_json::from_str(&row.input)
                        .context("reading what an act recorded")?,
                })
            })
            .collect::<anyhow::Result<_>>()?;
        let evidence = rows::evidence(source, id)
            .await?
            .into_iter()
            .map(|row| row.kind)
            .collect();
        let tasks = rows::open_tasks(source, id)
            .await?
            .iter()
            .filter_map(|row| TaskKind::from_word(&row.kind))
            .collect();
        let notice = rows::notices(source, id)
            .await?
            .pop()
            .map(|row| NoticeSeen {
                ends_on: row.ends_on,
                taken_down_on: row.taken_down_on,
                amount: row.amount.map(vocab::Money::from_fen),
            });
        let open_objections = rows::objections(source, id)
            .await?
            .iter()
            .filter(|row| row.settled_on.is_none())
            .count();
        let objected = objected(source, scope, desk, id).await?;
        let needs_authorisation = procedure
            .acts_from(&case.state)
            .any(|act| act.needs.authorised);
        let unauthorised = if needs_authorisation {
            registry::consent::missing(source, scope, case.household, today).await?
        } else {
            Vec::new()
        };
        let clocks = Clocks::read(
            &desk.calendar,
            today,
            procedure,
            &rows::clocks(source, id).await?,
        );
        Ok(Self {
            case,
            procedure,
            today,
            past,
            evidence,
            tasks,
            notice,
            open_objections,
            objected,
            unauthorised,
            clocks,
            answer: None,
        })
    }

    pub(crate) fn kind(&self) -> StateKind {
        self.case.kind
    }

    pub(crate) fn next_seq(&self) -> i64 {
        i64::try_from(self.past.len()).unwrap_or(i64::MAX - 1) + 1
    }

    /// The last day of the notice that is up.
    pub(crate) fn notice_ends(&self) -> Option<NaiveDate> {
        self.notice
            .as_ref()
            .filter(|notice| notice.taken_down_on.is_none())
            .map(|notice| notice.ends_on)
    }
}

/// The oldest objection to a finding of the case that waits for its answer.
async fn objected(
    source: &impl Reading,
    scope: &Scope,
    desk: &Desk,
    case: Uuid,
) -> anyhow::Result<Option<Objected>> {
    let Some(row) = rows::open_finding_objection(source, case).await? else {
        return Ok(None);
    };
    // Who objects is of the case's household, and may be registered elsewhere.
    let wide = Scope {
        region: desk.book.place().division,
        ..scope.clone()
    };
    let by = registry::people::rows(source, &wide, &[PersonId(row.by_id)])
        .await?
        .pop();
    let fact = desk.book.fact(&row.fact).map_or_else(
        || (row.fact.clone(), row.fact.clone()),
        |fact| (fact.label_zh.clone(), fact.label_en.clone()),
    );
    Ok(Some(Objected {
        by: by.map(|person| person.name).unwrap_or_default(),
        fact,
        due_on: row.due_on,
    }))
}

/// What knows the time: the handle and a transaction.
pub trait Now {
    /// Today in China.
    fn day(&self) -> NaiveDate;
    /// This instant.
    fn instant(&self) -> DateTime<Utc>;
}

impl Now for store::Db {
    fn day(&self) -> NaiveDate {
        self.today()
    }
    fn instant(&self) -> DateTime<Utc> {
        self.now()
    }
}

impl Now for store::Tx {
    fn day(&self) -> NaiveDate {
        self.today()
    }
    fn instant(&self) -> DateTime<Utc> {
        self.now()
    }
}
