//! Ratings as officers see them (评价列表): cut, sorted and counted by the database, and the figures by office and programme.
//!
//! Guarantees: only of the scope; whose a rating is stands with it only once a bad one was taken up, in lists, files and alone; what
//! was written is opened one by one, journalled, never by who is rated before it is taken up. Deliberately absent: figures of
//! one officer.

use super::{Grade, State};
use crate::tables::case;
use crate::tables::rating::{Column, Entity, Model};
use access::Scope;
use anyhow::Context;
use chrono::NaiveDate;
use sea_orm::sea_query::NullOrdering;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
};
use serde_json::json;
use std::collections::BTreeMap;
use store::{Db, Event, Page, inside};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::CaseId;

/// Which ratings (评价筛选); an empty filter means all of the scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RatingFilter {
    /// Only this place and those under it.
    pub region: Option<Region>,
    /// Only this programme.
    pub programme: Option<String>,
    /// Only this grade.
    pub grade: Option<Grade>,
    /// Only these states; empty means all.
    pub states: Vec<State>,
    /// Given on this day or later.
    pub from: Option<NaiveDate>,
    /// Given before this day.
    pub before: Option<NaiveDate>,
}

/// By what a list is sorted (排序).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RatingSort {
    /// What is due first, then the newest.
    #[default]
    Due,
    /// By the day it was given.
    Given,
    /// By grade.
    Grade,
    /// By community.
    Place,
}

impl RatingSort {
    /// From its word in an address (读代码).
    pub fn from_word(word: &str) -> Self {
        match word {
            "given" => Self::Given,
            "grade" => Self::Grade,
            "place" => Self::Place,
            _ => Self::Due,
        }
    }
}

/// A rating in a list (评价列表行).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RatingRow {
    /// Its id.
    pub id: Uuid,
    /// The community.
    pub region: Region,
    /// The programme.
    pub programme: String,
    /// How it was.
    pub grade: Grade,
    /// What it is about: ids of indicators.
    pub indicators: Vec<String>,
    /// The first, or once more after mending.
    pub round: i64,
    /// When it was given.
    pub on_day: NaiveDate,
    /// Where it stands.
    pub state: State,
    /// Mended by.
    pub due_on: Option<NaiveDate>,
    /// Who took it up.
    pub taker: String,
    /// Mended on.
    pub mended_on: Option<NaiveDate>,
    /// Whose it is; only once a bad one was taken up.
    pub case: Option<CaseId>,
}

impl RatingRow {
    fn read(row: Model) -> anyhow::Result<Self> {
        let state = State::from_word(&row.state).context("a rating's state")?;
        Ok(Self {
            id: row.id,
            region: row.region.parse().context("a rating's place")?,
            grade: Grade::from_number(row.grade).context("a rating's grade")?,
            indicators: serde_json::from_str(&row.indicators).context("a rating's indicators")?,
            case: matches!(state, State::Taken | State::Mended).then_some(CaseId(row.case_id)),
            programme: row.programme,
            round: row.round,
            on_day: row.on_day,
            state,
            due_on: row.due_on,
            taker: row.taker,
            mended_on: row.mended_on,
        })
    }
}

/// One rating with what was written (评价详情).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RatingView {
    /// As in the list.
    pub row: RatingRow,
    /// The case's number; only once it was taken up.
    pub number: Option<String>,
    /// What was written, if this officer may read it now.
    pub said: Option<String>,
    /// Whether something was written that may not be read yet.
    pub kept_back: bool,
    /// Whether this officer is who was rated.
    pub own: bool,
    /// What was done about it.
    pub result: Option<String>,
    /// Who wrote that.
    pub mender: String,
}

fn within(scope: &Scope, filter: &RatingFilter) -> Select<Entity> {
    let mut all = Condition::all().add(inside(Column::Region, scope.region));
    if let Some(region) = filter.region {
        all = all.add(inside(Column::Region, region));
    }
    if let Some(programme) = &filter.programme {
        all = all.add(Column::Programme.eq(programme.as_str()));
    }
    if let Some(grade) = filter.grade {
        all = all.add(Column::Grade.eq(grade.number()));
    }
    if !filter.states.is_empty() {
        all = all.add(Column::State.is_in(filter.states.iter().map(|state| state.word())));
    }
    if let Some(from) = filter.from {
        all = all.add(Column::OnDay.gte(from));
    }
    if let Some(before) = filter.before {
        all = all.add(Column::OnDay.lt(before));
    }
    Entity::find().filter(all)
}

/// Ratings (评价列表).
///
/// # Errors
/// Faults of the database.
pub async fn list(
    db: &Db,
    scope: &Scope,
    filter: &RatingFilter,
    (sort, falls): (RatingSort, bool),
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<RatingRow>> {
    let order = if falls { Order::Desc } else { Order::Asc };
    let wanted = within(scope, filter);
    let wanted = match sort {
        RatingSort::Due => wanted
            .order_by_with_nulls(Column::DueOn, Order::Asc, NullOrdering::Last)
            .order_by_desc(Column::At),
        RatingSort::Given => wanted.order_by(Column::At, order),
        RatingSort::Grade => wanted.order_by(Column::Grade, order),
        RatingSort::Place => wanted.order_by(Column::Region, order),
    };
    store::page::cut(db.conn(), wanted.order_by_asc(Column::Id), offset, limit)
        .await
        .context("listing ratings")?
        .try_map(RatingRow::read)
}

/// The ratings of a filter after one (此后的评价), in the order of identifiers: for a file of all of them.
///
/// # Errors
/// Faults of the database.
pub async fn after(
    db: &Db,
    scope: &Scope,
    filter: &RatingFilter,
    last: Option<Uuid>,
    limit: u64,
) -> anyhow::Result<Vec<RatingRow>> {
    store::page::after(db.conn(), within(scope, filter), Column::Id, last, limit)
        .await
        .context("going through ratings")?
        .into_iter()
        .map(RatingRow::read)
        .collect()
}

/// How many ratings stand where (评价计数), whatever states the filter names; each is the count of the list of that state.
///
/// # Errors
/// Faults of the database.
pub async fn counts(
    db: &Db,
    scope: &Scope,
    filter: &RatingFilter,
) -> anyhow::Result<BTreeMap<State, u64>> {
    let filter = RatingFilter {
        states: Vec::new(),
        ..filter.clone()
    };
    let counted = store::page::by_word(db.conn(), within(scope, &filter), Column::State)
        .await
        .context("counting ratings")?;
    counted
        .into_iter()
        .map(|(word, count)| Ok((State::from_word(&word).context("a rating's state")?, count)))
        .collect()
}

/// How many bad ratings are not mended (待整改差评数).
///
/// # Errors
/// Faults of the database.
pub async fn open_count(db: &Db, scope: &Scope) -> anyhow::Result<u64> {
    let open = RatingFilter {
        states: vec![State::Open, State::Taken],
        ..RatingFilter::default()
    };
    within(scope, &open)
        .count(db.conn())
        .await
        .context("counting bad ratings")
}

/// How many of a place, a programme and a grade there are (评价数).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The community.
    pub region: Region,
    /// The programme.
    pub programme: String,
    /// The grade.
    pub grade: Grade,
    /// How many.
    pub count: u64,
}

/// Ratings counted by community, programme and grade (评价统计); each sum is the length of a list.
///
/// # Errors
/// Faults of the database.
pub async fn figures(db: &Db, scope: &Scope, filter: &RatingFilter) -> anyhow::Result<Vec<Cell>> {
    let counted: Vec<(String, String, i64, i64)> = within(scope, filter)
        .select_only()
        .column(Column::Region)
        .column(Column::Programme)
        .column(Column::Grade)
        .column_as(Column::Id.count(), "how_many")
        .group_by(Column::Region)
        .group_by(Column::Programme)
        .group_by(Column::Grade)
        .order_by_asc(Column::Region)
        .order_by_asc(Column::Programme)
        .into_tuple()
        .all(db.conn())
        .await
        .context("counting ratings by office")?;
    counted
        .into_iter()
        .map(|(region, programme, grade, count)| {
            Ok(Cell {
                region: region.parse().context("a rating's place")?,
                programme,
                grade: Grade::from_number(grade).context("a rating's grade")?,
                count: u64::try_from(count)?,
            })
        })
        .collect()
}

/// One rating (评价详情), if it lies in the scope; the look is journalled.
///
/// Opens its own transaction for the journal: do not call it while holding a [`store::Tx`].
///
/// # Errors
/// Faults of the database.
pub async fn view(db: &Db, scope: &Scope, id: Uuid) -> anyhow::Result<Option<RatingView>> {
    let row = within(scope, &RatingFilter::default())
        .filter(Column::Id.eq(id))
        .one(db.conn())
        .await
        .context("reading a rating")?;
    let Some(row) = row else { return Ok(None) };
    let own = row.rated_officer == scope.actor.officer.0;
    let unseal = |sealed: &Option<Vec<u8>>| {
        sealed
            .as_deref()
            .map(|sealed| db.keys().unseal(sealed))
            .transpose()
    };
    let (said, result) = (unseal(&row.said)?, unseal(&row.result)?);
    let (mender, case_id) = (row.mender.clone(), row.case_id);
    let row = RatingRow::read(row)?;
    let number = match row.case {
        None => None,
        Some(_) => case::Entity::find_by_id(case_id)
            .one(db.conn())
            .await
            .context("reading whose rating it is")?
            .map(|case| case.number),
    };
    // What somebody writes may say who they are.
    let kept_back = said.is_some() && row.case.is_none() && (own || row.grade.is_poor());
    let mut tx = db.begin().await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "casework.rating.read".to_owned(),
        subject_kind: "rating".to_owned(),
        subject_id: id.to_string(),
        region: Some(row.region),
        detail: json!({}),
    });
    tx.commit().await?;
    Ok(Some(RatingView {
        row,
        number,
        said: said.filter(|_| !kept_back),
        kept_back,
        own,
        result,
        mender,
    }))
}
