//! Listing households (家庭列表): by place, by the head's name or the household's number, a page at a time.

use crate::reading::{Reading, narrowed};
use crate::tables::{household, membership, person};
use access::Scope;
use anyhow::Context;
use chrono::NaiveDate;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::inside;
use store::{Db, Page};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::{HouseholdId, PersonId};

/// What is listed (筛选条件).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// A place inside the scope.
    pub region: Option<Region>,
    /// The beginning of a member's name, of the household's number or of its roster number.
    pub text: String,
    /// Whether dissolved households are listed too.
    pub with_dissolved: bool,
}

/// One line of the list (家庭列表的一行).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HouseholdRow {
    /// The identifier.
    pub id: HouseholdId,
    /// The number shown to people (户编号).
    pub number: String,
    /// The number in the roster it was imported from, if any.
    pub roster_number: Option<String>,
    /// The community (所属社区).
    pub region: Region,
    /// The address (详细住址).
    pub address: String,
    /// The head (户主), if somebody is.
    pub head: Option<PersonId>,
    /// The head's name.
    pub head_name: String,
    /// How many members today.
    pub size: usize,
    /// Since when it exists.
    pub formed_on: NaiveDate,
    /// The day everyone had left, if so.
    pub dissolved_on: Option<NaiveDate>,
}

/// The households of a scope (家庭列表), ordered by place and age of the entry.
///
/// # Errors
/// Faults of the database.
pub async fn list(
    db: &Db,
    scope: &Scope,
    filter: &Filter,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<HouseholdRow>> {
    let Some(select) = selected(scope, filter) else {
        return Ok(Page::empty(limit));
    };
    let total = select
        .clone()
        .count(db.conn())
        .await
        .context("counting households")?;
    let found = ordered(select)
        .offset(offset)
        .limit(limit)
        .all(db.conn())
        .await
        .context("listing households")?;
    Ok(Page {
        rows: read(db, found).await?,
        total,
        offset,
        limit,
    })
}

/// The households of a filter after one (此后的家庭), in the order of identifiers: for a file of all of them.
///
/// # Errors
/// Faults of the database.
pub async fn after(
    db: &Db,
    scope: &Scope,
    filter: &Filter,
    last: Option<HouseholdId>,
    limit: u64,
) -> anyhow::Result<Vec<HouseholdRow>> {
    let Some(select) = selected(scope, filter) else {
        return Ok(Vec::new());
    };
    let last = last.map(|last| last.0);
    let found = store::page::after(db.conn(), select, household::Column::Id, last, limit)
        .await
        .context("going through households")?;
    read(db, found).await
}

/// Households with their heads and sizes.
async fn read(db: &Db, found: Vec<household::Model>) -> anyhow::Result<Vec<HouseholdRow>> {
    let mut members: BTreeMap<Uuid, Vec<membership::Model>> = BTreeMap::new();
    for member in membership::Entity::find()
        .filter(membership::Column::HouseholdId.is_in(found.iter().map(|row| row.id)))
        .filter(membership::Column::Until.is_null())
        .order_by_asc(membership::Column::PlaceInOrder)
        .all(db.conn())
        .await
        .context("reading the members of a page")?
    {
        members.entry(member.household_id).or_default().push(member);
    }
    let heads: Vec<Uuid> = members
        .values()
        .filter_map(|members| members.iter().find(|m| is_head(m)))
        .map(|head| head.person_id)
        .collect();
    let names: BTreeMap<Uuid, String> = person::Entity::find()
        .filter(person::Column::Id.is_in(heads))
        .all(db.conn())
        .await
        .context("reading the heads of a page")?
        .into_iter()
        .map(|row| (row.id, row.name))
        .collect();
    let mut rows = Vec::with_capacity(found.len());
    for row in found {
        let of = members.remove(&row.id).unwrap_or_default();
        let head = of.iter().find(|m| is_head(m)).map(|head| head.person_id);
        rows.push(HouseholdRow {
            id: HouseholdId(row.id),
            number: row.number,
            roster_number: row.roster_number,
            region: crate::stored::region(&row.region)?,
            address: row.address,
            head: head.map(PersonId),
            head_name: head
                .and_then(|id| names.get(&id).cloned())
                .unwrap_or_default(),
            size: of.len(),
            formed_on: row.formed_on,
            dissolved_on: row.dissolved_on,
        });
    }
    Ok(rows)
}

/// The identifiers of the households of a scope (家庭编号清单) after a given one, in the order of identifiers: for work
/// that goes through all of them in portions.
///
/// # Errors
/// Faults of the database.
pub async fn list_ids(
    source: &impl Reading,
    scope: &Scope,
    after: Option<HouseholdId>,
    limit: u64,
) -> anyhow::Result<Vec<(HouseholdId, Region)>> {
    let mut select = household::Entity::find()
        .filter(inside(household::Column::Region, scope.region))
        .filter(household::Column::DissolvedOn.is_null());
    if let Some(after) = after {
        select = select.filter(household::Column::Id.gt(after.0));
    }
    let found: Vec<(Uuid, String)> = select
        .select_only()
        .column(household::Column::Id)
        .column(household::Column::Region)
        .order_by_asc(household::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(source.connection())
        .await
        .context("listing household identifiers")?;
    found
        .into_iter()
        .map(|(id, region)| Ok((HouseholdId(id), crate::stored::region(&region)?)))
        .collect()
}

/// The households there were in a scope on a day (某日在册家庭) after a given one, in the order of place and identifier.
///
/// # Errors
/// Faults of the database.
pub async fn ids_on(
    source: &impl Reading,
    scope: &Scope,
    on: NaiveDate,
    after: Option<(Region, HouseholdId)>,
    limit: u64,
) -> anyhow::Result<Vec<(HouseholdId, Region)>> {
    let mut select = there_on(scope, on);
    if let Some((region, after)) = after {
        let code = region.to_string();
        let further = sea_orm::Condition::all()
            .add(household::Column::Region.eq(code.clone()))
            .add(household::Column::Id.gt(after.0));
        select = select.filter(
            sea_orm::Condition::any()
                .add(household::Column::Region.gt(code))
                .add(further),
        );
    }
    identified(ordered(select).limit(limit), source).await
}

/// Those of some households that there were in a scope on a day (其中某日在册的).
///
/// # Errors
/// Faults of the database.
pub async fn those_on(
    source: &impl Reading,
    scope: &Scope,
    on: NaiveDate,
    some: &[HouseholdId],
) -> anyhow::Result<Vec<(HouseholdId, Region)>> {
    let mut found = Vec::new();
    for part in some.chunks(900) {
        let ids = part.iter().map(|id| id.0);
        let select = there_on(scope, on).filter(household::Column::Id.is_in(ids));
        found.extend(identified(ordered(select), source).await?);
    }
    Ok(found)
}

/// The names of the heads of some households of a scope (户主姓名); of the first member where nobody is the head.
///
/// # Errors
/// Faults of the database.
pub async fn heads_of(
    source: &impl Reading,
    scope: &Scope,
    some: &[HouseholdId],
) -> anyhow::Result<BTreeMap<HouseholdId, String>> {
    let mut heads: BTreeMap<HouseholdId, Uuid> = BTreeMap::new();
    for part in some.chunks(900) {
        let seen = household::Entity::find()
            .select_only()
            .column(household::Column::Id)
            .filter(inside(household::Column::Region, scope.region))
            .filter(household::Column::Id.is_in(part.iter().map(|id| id.0)))
            .into_query();
        let members = membership::Entity::find()
            .filter(membership::Column::HouseholdId.in_subquery(seen))
            .filter(membership::Column::Until.is_null())
            .order_by_asc(membership::Column::PlaceInOrder)
            .order_by_asc(membership::Column::Id)
            .all(source.connection())
            .await
            .context("reading the heads of households")?;
        let (first, others): (Vec<_>, Vec<_>) = members.into_iter().partition(is_head);
        for member in first.into_iter().chain(others) {
            heads
                .entry(HouseholdId(member.household_id))
                .or_insert(member.person_id);
        }
    }
    let people: Vec<Uuid> = heads.values().copied().collect();
    let mut names: BTreeMap<Uuid, String> = BTreeMap::new();
    for part in people.chunks(900) {
        let found: Vec<(Uuid, String)> = person::Entity::find()
            .select_only()
            .column(person::Column::Id)
            .column(person::Column::Name)
            .filter(person::Column::Id.is_in(part.iter().copied()))
            .into_tuple()
            .all(source.connection())
            .await
            .context("reading the names of heads")?;
        names.extend(found);
    }
    Ok(heads
        .into_iter()
        .filter_map(|(home, head)| Some((home, names.get(&head)?.clone())))
        .collect())
}

fn there_on(scope: &Scope, on: NaiveDate) -> Select<household::Entity> {
    household::Entity::find()
        .filter(inside(household::Column::Region, scope.region))
        .filter(household::Column::FormedOn.lte(on))
        .filter(
            sea_orm::Condition::any()
                .add(household::Column::DissolvedOn.is_null())
                .add(household::Column::DissolvedOn.gt(on)),
        )
}

async fn identified(
    select: Select<household::Entity>,
    source: &impl Reading,
) -> anyhow::Result<Vec<(HouseholdId, Region)>> {
    let found: Vec<(Uuid, String)> = select
        .select_only()
        .column(household::Column::Id)
        .column(household::Column::Region)
        .into_tuple()
        .all(source.connection())
        .await
        .context("listing the households of a day")?;
    found
        .into_iter()
        .map(|(id, region)| Ok((HouseholdId(id), crate::stored::region(&region)?)))
        .collect()
}

fn is_head(member: &membership::Model) -> bool {
    matches!(member.kinship.as_str(), "01" | "02")
}

fn ordered(select: Select<household::Entity>) -> Select<household::Entity> {
    select
        .order_by_asc(household::Column::Region)
        .order_by_asc(household::Column::Id)
}

fn selected(scope: &Scope, filter: &Filter) -> Option<Select<household::Entity>> {
    let place = narrowed(scope, filter.region)?;
    let mut select = household::Entity::find().filter(inside(household::Column::Region, place));
    if !filter.with_dissolved {
        select = select.filter(household::Column::DissolvedOn.is_null());
    }
    let text = crate::search_keys::spelled(&filter.text);
    if !text.is_empty() {
        select = select.filter(with_text(&text));
    }
    Some(select)
}

/// Households whose number, roster number or some member's name begins with the text.
fn with_text(text: &str) -> sea_orm::Condition {
    use crate::tables::search_key;
    let beyond = format!("{text}\u{10FFFF}");
    let starts = |column: household::Column| column.gte(text).and(column.lt(beyond.clone()));
    let named = Query::select()
        .column(search_key::Column::PersonId)
        .from(search_key::Entity)
        .and_where(
            Expr::col(search_key::Column::Key)
                .gte(format!("n:{text}"))
                .and(Expr::col(search_key::Column::Key).lt(format!("n:{beyond}"))),
        )
        .to_owned();
    let inhabited = Query::select()
        .column(membership::Column::HouseholdId)
        .from(membership::Entity)
        .and_where(Expr::col(membership::Column::Until).is_null())
        .and_where(Expr::col(membership::Column::PersonId).in_subquery(named))
        .to_owned();
    sea_orm::Condition::any()
        .add(starts(household::Column::Number))
        .add(starts(household::Column::RosterNumber))
        .add(Expr::col(household::Column::Id).in_subquery(inhabited))
}
