//! Keeping the numbers up with the journal (统计累计): following it, counting anew, and comparing the two.
//!
//! Guarantees: differences and the mark are one transaction under the mark's lock, so a step is done once or not at all,
//! also after kill -9 and with two processes at it; what is read of a thing is at least as new as the entry that named
//! it. Deliberately absent: an entry of its own in the journal; following the journal must not make it longer.

use super::measure::{Cell, EDITION, Grouping, Numbers, Thing, add, shares};
use super::read::read;
use crate::tables::{figure, mark, share};
use access::Scope;
use anyhow::Context;
use casework::figure::{Which, case_figures};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use store::{Db, Tx, journal};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::{CaseId, EntitlementId, PayLineId, PayRunId};

const NAME: &str = "statistics";
/// So many journal entries a step.
const ENTRIES: u64 = 500;
/// So many things a page.
const THINGS: u64 = 2_000;
/// Rows of one statement: nine columns each, below what SQLite can bind.
const ROWS: usize = 900;

/// What keeping up did (统计进度).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Kept {
    /// The last entry followed.
    pub seq: i64,
    /// How many entries were followed.
    pub entries: u64,
    /// Whether everything was counted anew, because the measures are of another edition.
    pub anew: bool,
}

/// A number that differs from the recount (不一致的统计数).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd {
    /// Where.
    pub cell: Cell,
    /// What is kept.
    pub kept: Numbers,
    /// What the recount came to.
    pub counted: Numbers,
}

/// Follows the journal to its end (累计到最新).
///
/// # Errors
/// Faults of the database.
pub async fn keep_up(db: &Db) -> anyhow::Result<Kept> {
    let mut kept = Kept::default();
    loop {
        let before = mark_of(db).await?;
        if before.edition != EDITION {
            rebuild(db).await?;
            kept.anew = true;
            continue;
        }
        kept.seq = before.seq;
        let entries = journal::after(db, before.seq, ENTRIES).await?;
        let Some(last) = entries.last() else {
            return Ok(kept);
        };
        let touched = Touched::by(&entries);
        let tx = db.begin().await?;
        if locked(&tx).await? != before {
            // Another process was here; what it did need not be done again.
            tx.rollback().await?;
            continue;
        }
        touched.follow(&tx).await?;
        move_to(&tx, last.seq).await?;
        kept.entries += u64::try_from(entries.len())?;
        tx.commit().await?;
    }
}

/// Counts everything anew (全部重算), in one transaction: whoever reads meanwhile sees the numbers of before.
///
/// # Errors
/// Faults of the database.
pub async fn rebuild(db: &Db) -> anyhow::Result<()> {
    let tx = db.begin().await?;
    locked(&tx).await?;
    // What is noted from here on is followed again later, and adds nothing where it was counted already.
    let seq = journal::head(db).await?.map_or(0, |head| head.seq);
    figure::Entity::delete_many()
        .exec(tx.conn())
        .await
        .context("forgetting the numbers")?;
    share::Entity::delete_many()
        .exec(tx.conn())
        .await
        .context("forgetting the shares")?;
    let mut sums = BTreeMap::new();
    let mut pages = Pages::default();
    while let Some(things) = pages.next(&tx).await? {
        for (_, thing) in &things {
            add(&mut sums, shares(thing));
        }
        insert_shares(&tx, &things).await?;
    }
    write(&tx, sums).await?;
    move_to(&tx, seq).await?;
    tx.commit().await
}

/// Where the numbers differ from a full recount (核对统计数); empty when they agree. Acts done meanwhile may show.
///
/// # Errors
/// Faults of the database.
pub async fn check(db: &Db) -> anyhow::Result<Vec<Odd>> {
    keep_up(db).await?;
    // One transaction, so that on SQLite nobody writes between the two counts.
    let tx = db.begin().await?;
    let mut counted = BTreeMap::new();
    let mut pages = Pages::default();
    while let Some(things) = pages.next(&tx).await? {
        for (_, thing) in &things {
            add(&mut counted, shares(thing));
        }
    }
    let mut kept = BTreeMap::new();
    for row in figure::Entity::find()
        .all(tx.conn())
        .await
        .context("reading the numbers")?
    {
        let (cell, numbers) = placed(row)?;
        kept.insert(cell, numbers);
    }
    tx.rollback().await?;
    let cells: BTreeSet<Cell> = kept.keys().chain(counted.keys()).cloned().collect();
    Ok(cells
        .into_iter()
        .filter_map(|cell| {
            let kept = kept.get(&cell).copied().unwrap_or_default();
            let counted = counted.get(&cell).copied().unwrap_or_default();
            (kept != counted).then_some(Odd {
                cell,
                kept,
                counted,
            })
        })
        .collect())
}

/// Through all things, a page at a time: first the cases, then the lines, then the rights.
#[derive(Default)]
struct Pages {
    case: Option<CaseId>,
    line: Option<PayLineId>,
    right: Option<EntitlementId>,
    cases_done: bool,
    lines_done: bool,
}

impl Pages {
    async fn next(&mut self, tx: &Tx) -> anyhow::Result<Option<Vec<(Uuid, Thing)>>> {
        let scope = Scope::system(Region::NATION);
        if !self.cases_done {
            let some = case_figures(tx, &scope, &Which::All, self.case, THINGS).await?;
            if let Some((last, _)) = some.last() {
                self.case = Some(*last);
                return Ok(Some(cases(some)));
            }
            self.cases_done = true;
        }
        if !self.lines_done {
            let some = ledger::line_figures(tx.conn(), &scope, None, self.line, THINGS).await?;
            if let Some((last, _)) = some.last() {
                self.line = Some(*last);
                return Ok(Some(lines(some)));
            }
            self.lines_done = true;
        }
        let some = ledger::right_figures(tx.conn(), &scope, None, self.right, THINGS).await?;
        let Some((last, _)) = some.last() else {
            return Ok(None);
        };
        self.right = Some(*last);
        Ok(Some(rights(some)))
    }
}

fn cases(found: Vec<(CaseId, casework::figure::CaseFigure)>) -> Vec<(Uuid, Thing)> {
    found
        .into_iter()
        .map(|(id, one)| (id.0, Thing::Case(one)))
        .collect()
}

fn lines(found: Vec<(PayLineId, ledger::LineFigure)>) -> Vec<(Uuid, Thing)> {
    found
        .into_iter()
        .map(|(id, one)| (id.0, Thing::Line(one)))
        .collect()
}

fn rights(found: Vec<(EntitlementId, ledger::RightFigure)>) -> Vec<(Uuid, Thing)> {
    found
        .into_iter()
        .map(|(id, one)| (id.0, Thing::Right(one)))
        .collect()
}

/// What some journal entries were about (涉及的事项).
#[derive(Debug, Default, PartialEq, Eq)]
struct Touched {
    cases: BTreeSet<Uuid>,
    applications: BTreeSet<Uuid>,
    households: BTreeSet<Uuid>,
    regions: BTreeSet<Region>,
    runs: BTreeSet<Uuid>,
    rights: BTreeSet<Uuid>,
}

impl Touched {
    fn by(entries: &[journal::Entry]) -> Self {
        let mut touched = Self::default();
        for entry in entries {
            let event = &entry.event;
            // Reading changes nothing, and there is more of it than of all else.
            if event.act == "casework.read" || event.act.starts_with("casework.read_") {
                continue;
            }
            let Ok(id) = event.subject_id.parse::<Uuid>() else {
                if event.act == "casework.take_over"
                    && let Ok(region) = event.subject_id.parse()
                {
                    touched.regions.insert(region);
                }
                continue;
            };
            match (event.subject_kind.as_str(), event.act.as_str()) {
                ("case", _) => touched.cases.insert(id),
                ("application", _) => touched.applications.insert(id),
                ("household", "household.relocate" | "casework.life_event") => {
                    touched.households.insert(id)
                }
                ("pay_run", _) => touched.runs.insert(id),
                ("entitlement", _) => touched.rights.insert(id),
                _ => false,
            };
        }
        touched
    }

    async fn follow(self, tx: &Tx) -> anyhow::Result<()> {
        let scope = Scope::system(Region::NATION);
        let mut named = Vec::new();
        for ids in portions(self.cases) {
            named.push((scope.clone(), Which::Cases(ids)));
        }
        for ids in portions(self.applications) {
            named.push((scope.clone(), Which::Applications(ids)));
        }
        for ids in portions(self.households) {
            named.push((scope.clone(), Which::Households(ids)));
        }
        for region in self.regions {
            named.push((Scope::system(region), Which::All));
        }
        for (scope, which) in named {
            let mut after = None;
            loop {
                let some = case_figures(tx, &scope, &which, after, THINGS).await?;
                let Some((last, _)) = some.last() else { break };
                after = Some(*last);
                replace(tx, Thing::CASE, cases(some)).await?;
            }
        }
        for run in self.runs {
            let mut after = None;
            loop {
                let run = Some(PayRunId(run));
                let some = ledger::line_figures(tx.conn(), &scope, run, after, THINGS).await?;
                let Some((last, _)) = some.last() else { break };
                after = Some(*last);
                replace(tx, Thing::LINE, lines(some)).await?;
            }
        }
        for ids in portions(self.rights) {
            let these: Vec<EntitlementId> = ids.into_iter().map(EntitlementId).collect();
            let some = ledger::right_figures(tx.conn(), &scope, Some(&these), None, THINGS).await?;
            replace(tx, Thing::RIGHT, rights(some)).await?;
        }
        Ok(())
    }
}

/// As many identifiers a query as SQLite can bind with ease.
fn portions(ids: BTreeSet<Uuid>) -> Vec<Vec<Uuid>> {
    let ids: Vec<Uuid> = ids.into_iter().collect();
    ids.chunks(ROWS).map(<[Uuid]>::to_vec).collect()
}

/// Puts the shares of now in place of those of before.
async fn replace(tx: &Tx, kind: &str, things: Vec<(Uuid, Thing)>) -> anyhow::Result<()> {
    let mut before: BTreeMap<Uuid, Thing> = BTreeMap::new();
    for some in things.chunks(ROWS) {
        for row in share::Entity::find()
            .filter(share::Column::Kind.eq(kind))
            .filter(share::Column::Id.is_in(some.iter().map(|(id, _)| *id)))
            .all(tx.conn())
            .await
            .context("reading shares")?
        {
            let thing = serde_json::from_str(&row.share)
                .with_context(|| format!("reading the share of {kind} {}", row.id))?;
            before.insert(row.id, thing);
        }
    }
    let mut sums = BTreeMap::new();
    let mut changed = Vec::new();
    for (id, thing) in things {
        let old = before.remove(&id);
        if old.as_ref() == Some(&thing) {
            continue;
        }
        if let Some(old) = &old {
            let taken = shares(old)
                .into_iter()
                .map(|(cell, numbers)| (cell, numbers.taken_away()));
            add(&mut sums, taken);
        }
        add(&mut sums, shares(&thing));
        changed.push((id, thing));
    }
    insert_shares(tx, &changed).await?;
    write(tx, sums).await
}

async fn insert_shares(tx: &Tx, things: &[(Uuid, Thing)]) -> anyhow::Result<()> {
    for some in things.chunks(ROWS) {
        let mut rows = Vec::with_capacity(some.len());
        for (id, thing) in some {
            rows.push(share::ActiveModel {
                kind: Set(thing.kind().to_owned()),
                id: Set(*id),
                share: Set(serde_json::to_string(thing)?),
            });
        }
        share::Entity::insert_many(rows)
            .on_conflict(
                OnConflict::columns([share::Column::Kind, share::Column::Id])
                    .update_column(share::Column::Share)
                    .to_owned(),
            )
            .exec_without_returning(tx.conn())
            .await
            .context("writing shares")?;
    }
    Ok(())
}

/// Adds differences to the numbers.
async fn write(tx: &Tx, sums: BTreeMap<Cell, Numbers>) -> anyhow::Result<()> {
    let rows: Vec<figure::ActiveModel> = sums
        .into_iter()
        .filter(|(_, numbers)| !numbers.is_nothing())
        .map(|(cell, numbers)| {
            figure::Model {
                measure: cell.measure.word().to_owned(),
                month: cell.month.to_string(),
                region: cell.region.to_string(),
                programme: cell.programme,
                grouping_word: cell.grouping.word().to_owned(),
                value: cell.value,
                counted: numbers.count,
                persons: numbers.persons,
                amount: numbers.fen,
            }
            .into_active_model()
        })
        .collect();
    for some in rows.chunks(ROWS) {
        use figure::Column as C;
        figure::Entity::insert_many(some.to_vec())
            .on_conflict(
                OnConflict::columns([
                    C::Measure,
                    C::GroupingWord,
                    C::Month,
                    C::Region,
                    C::Programme,
                    C::Value,
                ])
                .value(
                    C::Counted,
                    Expr::cust("batch_figure.counted + excluded.counted"),
                )
                .value(
                    C::Persons,
                    Expr::cust("batch_figure.persons + excluded.persons"),
                )
                .value(
                    C::Amount,
                    Expr::cust("batch_figure.amount + excluded.amount"),
                )
                .to_owned(),
            )
            .exec_without_returning(tx.conn())
            .await
            .context("adding to the numbers")?;
    }
    Ok(())
}

fn placed(row: figure::Model) -> anyhow::Result<(Cell, Numbers)> {
    let is_whole = row.grouping_word.is_empty();
    let row = read(row)?;
    let cell = Cell {
        measure: row.measure,
        month: row.month,
        region: row.region,
        programme: row.programme,
        grouping: if is_whole {
            Grouping::Whole
        } else {
            row.measure.grouping()
        },
        value: row.value,
    };
    Ok((cell, row.numbers))
}

pub(super) async fn mark_of(db: &Db) -> anyhow::Result<mark::Model> {
    mark::Entity::find_by_id(NAME.to_owned())
        .one(db.conn())
        .await
        .context("reading how far the statistics go")?
        .context("the statistics have no mark")
}

async fn locked(tx: &Tx) -> anyhow::Result<mark::Model> {
    mark::Entity::find_by_id(NAME.to_owned())
        .lock_exclusive()
        .one(tx.conn())
        .await
        .context("locking how far the statistics go")?
        .context("the statistics have no mark")
}

async fn move_to(tx: &Tx, seq: i64) -> anyhow::Result<()> {
    mark::Entity::update_many()
        .set(mark::ActiveModel {
            seq: Set(seq),
            edition: Set(EDITION),
            moved_at: Set(Some(tx.now())),
            ..Default::default()
        })
        .filter(mark::Column::Name.eq(NAME))
        .exec(tx.conn())
        .await
        .context("noting how far the statistics go")?;
    Ok(())
}
