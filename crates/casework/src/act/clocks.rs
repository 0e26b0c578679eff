//! The clocks of one case together (一个办件的全部时限): what an act starts, stops and lets stand still.
//!
//! Guarantees: the date a list shows is the earliest of the clocks that count; a clock that was written stays, with all
//! its dates, when it stops. Deliberately absent: the arithmetic of one clock; see [`crate::clock`].

use crate::clock::Run;
use crate::procedure::{LimitUnit, Procedure};
use crate::rows::{insert, save};
use crate::tables;
use anyhow::Context;
use chrono::NaiveDate;
use store::Tx;
use uuid::Uuid;
use vocab::working_days::{Calendar, Due};

/// The clocks of a case (时限).
#[derive(Debug, Clone)]
pub struct Clocks<'a> {
    calendar: &'a Calendar,
    today: NaiveDate,
    /// Row, clock's word, run, and whether it changed.
    all: Vec<(Option<Uuid>, String, Run, bool)>,
}

impl<'a> Clocks<'a> {
    /// No clock yet.
    pub(crate) fn none(calendar: &'a Calendar, today: NaiveDate) -> Self {
        Self {
            calendar,
            today,
            all: Vec::new(),
        }
    }

    /// The clocks as stored.
    pub(crate) fn read(
        calendar: &'a Calendar,
        today: NaiveDate,
        procedure: &Procedure,
        rows: &[tables::clock::Model],
    ) -> Self {
        let all = rows
            .iter()
            .map(|row| {
                let unit = procedure
                    .clock(&row.clock)
                    .map_or(LimitUnit::WorkingDays, |rule| rule.limit.unit);
                (Some(row.id), row.clock.clone(), run_of(row, unit), false)
            })
            .collect();
        Self {
            calendar,
            today,
            all,
        }
    }

    /// Each clock's word with its run.
    pub fn runs(&self) -> impl Iterator<Item = (&str, &Run)> {
        self.all
            .iter()
            .map(|(_, word, run, _)| (word.as_str(), run))
    }

    /// The run of a clock that has not stopped.
    pub(crate) fn open(&self, word: &str) -> Option<&Run> {
        self.runs()
            .find(|(found, run)| *found == word && run.stopped_on.is_none())
            .map(|(_, run)| run)
    }

    /// Extends a clock to its longest total.
    pub(crate) fn extend(&mut self, procedure: &Procedure, word: Option<&str>) {
        let Some((word, total)) =
            word.and_then(|word| Some((word, procedure.clock(word)?.extend_to?)))
        else {
            return;
        };
        for (_, found, run, changed) in &mut self.all {
            if found == word && run.stopped_on.is_none() {
                run.extend(self.calendar, i64::from(total));
                *changed = true;
            }
        }
    }

    /// What an act, and the state it leads to, do to the clocks. `notice_ends` is the last day of a notice now up.
    pub(crate) fn after(
        &mut self,
        procedure: &Procedure,
        act: &str,
        state: &str,
        notice_ends: Option<NaiveDate>,
    ) {
        for (_, word, run, changed) in &mut self.all {
            let Some(rule) = procedure.clock(word) else {
                continue;
            };
            if run.stopped_on.is_some() {
                continue;
            }
            let before = run.clone();
            if rule.stops_on.iter().any(|stop| stop == act) {
                run.stop(self.today);
            } else if rule.pauses_in.iter().any(|paused| paused == state) {
                run.pause(self.calendar, self.today, notice_ends);
            } else {
                run.resume(self.calendar, self.today);
            }
            *changed |= *run != before;
        }
        for rule in &procedure.clocks {
            if rule.starts_on.iter().any(|start| start == act) && self.open(&rule.id).is_none() {
                let mut run = Run::start(self.calendar, rule.limit, self.today);
                if rule.pauses_in.iter().any(|paused| paused == state) {
                    run.pause(self.calendar, self.today, notice_ends);
                }
                self.all.push((None, rule.id.clone(), run, true));
            }
        }
    }

    /// Writes what changed.
    pub(crate) async fn write(&self, tx: &Tx, case: Uuid) -> anyhow::Result<()> {
        for (id, word, run, changed) in &self.all {
            match id {
                Some(id) if *changed => {
                    save::<tables::clock::Entity>(tx, self.row(*id, case, word, run)?).await?;
                }
                Some(_) => {}
                None => {
                    insert::<tables::clock::Entity>(tx, self.row(tx.new_id(), case, word, run)?)
                        .await?
                }
            }
        }
        Ok(())
    }

    fn row(
        &self,
        id: Uuid,
        case: Uuid,
        word: &str,
        run: &Run,
    ) -> anyhow::Result<tables::clock::Model> {
        Ok(tables::clock::Model {
            id,
            case_id: case,
            clock: word.to_owned(),
            started_on: run.started_on,
            anchor_on: run.anchor_on,
            remaining: run.remaining,
            total: run.total,
            due_on: run.due.map(Due::date),
            warn_on: run.warn_on,
            missing_year: run.due.and_then(Due::missing_year).map(i64::from),
            paused_from: run.paused_from,
            paused_until: run.paused_until,
            extended: run.extended,
            stopped_on: run.stopped_on,
            calendar: self.calendar.version().to_owned(),
        })
    }
}

/// A stored clock as a run.
pub(crate) fn run_of(row: &tables::clock::Model, unit: LimitUnit) -> Run {
    let missing_year = row.missing_year.and_then(|year| i32::try_from(year).ok());
    Run {
        started_on: row.started_on,
        anchor_on: row.anchor_on,
        remaining: row.remaining,
        total: row.total,
        unit,
        due: row.due_on.map(|date| match missing_year {
            Some(missing_year) => Due::Provisional { date, missing_year },
            None => Due::Known { date },
        }),
        warn_on: row.warn_on,
        paused_from: row.paused_from,
        paused_until: row.paused_until,
        extended: row.extended,
        stopped_on: row.stopped_on,
    }
}

/// What the case's row shows of its clocks: the earliest that counts, or that all stand still.
pub(crate) fn show(clocks: &Clocks<'_>, case: &mut tables::case::Model) {
    let open: Vec<&Run> = clocks
        .runs()
        .map(|(_, run)| run)
        .filter(|run| run.stopped_on.is_none())
        .collect();
    let counting: Vec<&&Run> = open
        .iter()
        .filter(|run| run.paused_from.is_none())
        .collect();
    let earliest = |runs: &mut dyn Iterator<Item = &&Run>| {
        runs.filter_map(|run| {
            run.due
                .map(|due| (due.date(), run.warn_on, due.missing_year()))
        })
        .min()
    };
    let shown = if counting.is_empty() {
        earliest(&mut open.iter())
    } else {
        earliest(&mut counting.into_iter())
    };
    case.paused = !open.is_empty() && open.iter().all(|run| run.paused_from.is_some());
    case.due_on = shown.map(|(due, _, _)| due);
    case.warn_on = shown.and_then(|(_, warn, _)| warn);
    case.provisional = shown.is_some_and(|(_, _, missing)| missing.is_some());
}

/// The due date of a limit from today, with the day it turns near.
pub(crate) fn due_in(
    calendar: &Calendar,
    today: NaiveDate,
    limit: crate::procedure::Limit,
) -> anyhow::Result<crate::task::Due> {
    let run = Run::start(calendar, limit, today);
    let due = run.due.context("a started clock has a due date")?;
    Ok(crate::task::Due {
        on: Some(due.date()),
        warn_on: run.warn_on,
        shows_from: None,
    })
}
