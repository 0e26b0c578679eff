//! Letters as officers see them (文书列表): by day, programme and place, printed or not.
//!
//! Guarantees: counted and cut by the database; only letters of cases of the scope. Deliberately absent: what they say.

use crate::case::{Case, CaseRow};
use crate::desk::Desk;
use crate::list::shown;
use crate::tables::{case, letter, letter_print};
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::sea_query::{Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};
use std::collections::BTreeMap;
use store::{Db, Page, inside};
use uuid::Uuid;
use vocab::Region;

/// What is looked for (文书筛选); everything left out means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LetterFilter {
    /// Only issued on this day.
    pub day: Option<NaiveDate>,
    /// Only of this programme.
    pub programme: Option<String>,
    /// Only of this place.
    pub region: Option<Region>,
    /// Only printed, or only not yet printed.
    pub printed: Option<bool>,
}

/// A letter in the list (文书列表的一行).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The letter.
    pub id: Uuid,
    /// Its number.
    pub number: String,
    /// Its kind.
    pub kind: String,
    /// The day it was issued.
    pub issued_on: NaiveDate,
    /// When it was printed last and by whom.
    pub printed: Option<(DateTime<Utc>, String)>,
    /// Its case.
    pub row: CaseRow,
}

/// The letters of the scope (文书列表), newest first.
///
/// # Errors
/// Faults of the database.
pub async fn list(
    db: &Db,
    scope: &Scope,
    desk: &Desk,
    filter: &LetterFilter,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<Listed>> {
    let query = letter::Entity::find()
        .filter(condition(scope, filter))
        .order_by_desc(letter::Column::IssuedOn)
        .order_by_asc(letter::Column::CaseId)
        .order_by_asc(letter::Column::Id);
    let page = store::page::cut(db.conn(), query, offset, limit)
        .await
        .context("listing letters")?;
    let mut with = Beside::read(db, &page.rows).await?;
    page.try_map(|row| with.listed(desk, row, db.today()))
}

/// The letters of a filter after one (此后的文书), in the order of identifiers: for a file of all of them.
///
/// # Errors
/// Faults of the database.
pub async fn after(
    db: &Db,
    scope: &Scope,
    desk: &Desk,
    filter: &LetterFilter,
    last: Option<Uuid>,
    limit: u64,
) -> anyhow::Result<Vec<Listed>> {
    let query = letter::Entity::find().filter(condition(scope, filter));
    let rows = store::page::after(db.conn(), query, letter::Column::Id, last, limit)
        .await
        .context("going through letters")?;
    let mut with = Beside::read(db, &rows).await?;
    rows.into_iter()
        .map(|row| with.listed(desk, row, db.today()))
        .collect()
}

/// What stands beside letters.
struct Beside {
    cases: BTreeMap<Uuid, case::Model>,
    printed: BTreeMap<Uuid, (DateTime<Utc>, String)>,
}

impl Beside {
    async fn read(db: &Db, letters: &[letter::Model]) -> anyhow::Result<Self> {
        let cases = case::Entity::find()
            .filter(case::Column::Id.is_in(letters.iter().map(|row| row.case_id)))
            .all(db.conn())
            .await
            .context("reading the cases of letters")?;
        let printed = letter_print::Entity::find()
            .filter(letter_print::Column::LetterId.is_in(letters.iter().map(|row| row.id)))
            .order_by_asc(letter_print::Column::At)
            .all(db.conn())
            .await
            .context("reading what was printed")?;
        Ok(Self {
            cases: cases.into_iter().map(|case| (case.id, case)).collect(),
            printed: printed
                .into_iter()
                .map(|row| (row.letter_id, (row.at, row.officer)))
                .collect(),
        })
    }

    fn listed(
        &mut self,
        desk: &Desk,
        row: letter::Model,
        today: NaiveDate,
    ) -> anyhow::Result<Listed> {
        let of = self
            .cases
            .get(&row.case_id)
            .context("a letter without its case")?;
        Ok(Listed {
            id: row.id,
            number: crate::document::number(&of.number, row.event_seq),
            kind: row.kind,
            issued_on: row.issued_on,
            printed: self.printed.remove(&row.id),
            row: shown(desk, Case::read(of)?, today)?,
        })
    }
}

/// The condition of a filter.
pub(super) fn condition(scope: &Scope, filter: &LetterFilter) -> Condition {
    use case::Column as C;
    let mut cases: SelectStatement = Query::select()
        .column(C::Id)
        .from(case::Entity)
        .and_where(inside(C::Region, scope.region))
        .to_owned();
    if let Some(place) = filter.region {
        cases.and_where(inside(C::Region, place));
    }
    if let Some(programme) = &filter.programme {
        cases.and_where(C::Programme.eq(programme));
    }
    let mut all = Condition::all().add(letter::Column::CaseId.in_subquery(cases));
    if let Some(day) = filter.day {
        all = all.add(letter::Column::IssuedOn.eq(day));
    }
    if let Some(printed) = filter.printed {
        let marked = Query::select()
            .column(letter_print::Column::LetterId)
            .from(letter_print::Entity)
            .to_owned();
        all = all.add(if printed {
            letter::Column::Id.in_subquery(marked)
        } else {
            letter::Column::Id.not_in_subquery(marked)
        });
    }
    all
}
