//! Places (区划): the division tree with the names each place had on a day. Streets merge and are renamed; a case keeps
//! its code and date, and the name of that day can be asked.

use crate::reading::Reading;
use crate::tables::place;
use anyhow::Context;
use chrono::NaiveDate;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, Select,
};
use serde::{Deserialize, Serialize};
use store::Tx;
use vocab::Region;

/// One place under one name (区划及其名称的一段时间).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceRow {
    /// The code (区划代码).
    pub code: Region,
    /// The Chinese name.
    pub name_zh: String,
    /// The English name, if there is one.
    pub name_en: Option<String>,
    /// The place above; `None` takes it from the code.
    pub parent: Option<Region>,
    /// First day of this name; `None` means since ever.
    pub from: Option<NaiveDate>,
    /// First day it no longer holds; `None` means still.
    pub until: Option<NaiveDate>,
}

/// The first day of names that were always so.
fn ever() -> NaiveDate {
    NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or_default()
}

impl PlaceRow {
    fn of(row: place::Model) -> anyhow::Result<Self> {
        Ok(Self {
            code: crate::stored::region(&row.code)?,
            name_zh: row.name_zh,
            name_en: row.name_en,
            parent: row
                .parent
                .as_deref()
                .map(crate::stored::region)
                .transpose()?,
            from: (row.since != ever()).then_some(row.since),
            until: row.until,
        })
    }

    /// The name in a language (名称): English if asked for and known, Chinese otherwise.
    pub fn name(&self, english: bool) -> &str {
        match &self.name_en {
            Some(name) if english => name,
            _ => &self.name_zh,
        }
    }
}

/// Loads places (装载区划): rows of the same code and first day are replaced, others stay. Loading twice changes nothing.
///
/// # Errors
/// Faults of the database.
pub async fn load_places(tx: &mut Tx, rows: &[PlaceRow]) -> anyhow::Result<()> {
    for some in rows.chunks(500) {
        let models = some.iter().map(|row| {
            place::Model {
                code: row.code.to_string(),
                since: row.from.unwrap_or(ever()),
                until: row.until,
                parent: row
                    .parent
                    .or(row.code.parent())
                    .map(|parent| parent.to_string()),
                name_zh: row.name_zh.clone(),
                name_en: row.name_en.clone(),
            }
            .into_active_model()
        });
        let replace =
            sea_orm::sea_query::OnConflict::columns([place::Column::Code, place::Column::Since])
                .update_columns([
                    place::Column::Until,
                    place::Column::Parent,
                    place::Column::NameZh,
                    place::Column::NameEn,
                ])
                .to_owned();
        place::Entity::insert_many(models)
            .on_conflict(replace)
            .exec_without_returning(tx.conn())
            .await
            .context("loading places")?;
    }
    Ok(())
}

fn on_day(on: NaiveDate) -> Select<place::Entity> {
    place::Entity::find()
        .filter(place::Column::Since.lte(on))
        .filter(
            Condition::any()
                .add(place::Column::Until.is_null())
                .add(place::Column::Until.gt(on)),
        )
}

/// A place as it was on a day (某日的区划).
///
/// # Errors
/// Faults of the database.
pub async fn place_on(
    source: &impl Reading,
    code: Region,
    on: NaiveDate,
) -> anyhow::Result<Option<PlaceRow>> {
    on_day(on)
        .filter(place::Column::Code.eq(code.to_string()))
        .order_by_desc(place::Column::Since)
        .one(source.connection())
        .await
        .context("reading a place")?
        .map(PlaceRow::of)
        .transpose()
}

/// The places directly under one on a day (下级区划), by code.
///
/// # Errors
/// Faults of the database.
pub async fn children(
    source: &impl Reading,
    parent: Region,
    on: NaiveDate,
) -> anyhow::Result<Vec<PlaceRow>> {
    on_day(on)
        .filter(place::Column::Parent.eq(parent.to_string()))
        .order_by_asc(place::Column::Code)
        .all(source.connection())
        .await
        .context("reading the places under one")?
        .into_iter()
        .map(PlaceRow::of)
        .collect()
}

/// All places inside one on a day (辖区内全部区划), by code, the place itself first.
///
/// # Errors
/// Faults of the database.
pub async fn all_inside(
    source: &impl Reading,
    place: Region,
    on: NaiveDate,
) -> anyhow::Result<Vec<PlaceRow>> {
    on_day(on)
        .filter(store::inside(place::Column::Code, place))
        .order_by_asc(place::Column::Code)
        .all(source.connection())
        .await
        .context("reading places")?
        .into_iter()
        .map(PlaceRow::of)
        .collect()
}

/// The name of a place with those above it, as known here (全称): 宝安区新安街道海旺社区.
///
/// # Errors
/// Faults of the database.
pub async fn full_name(
    source: &impl Reading,
    code: Region,
    on: NaiveDate,
    english: bool,
) -> anyhow::Result<String> {
    let mut names = Vec::new();
    for place in code.with_ancestors() {
        if let Some(row) = place_on(source, place, on).await? {
            names.push(row.name(english).to_owned());
        }
    }
    if english {
        return Ok(names.join(", "));
    }
    names.reverse();
    Ok(names.concat())
}
