//! Reading the numbers (读取统计数): for a place, some months and a division.
//!
//! A flow is read where it stands; a stock is added up from the beginning to the end of the month asked for.
//!
//! Guarantees: only the numbers' own table is read, within the scope. Deliberately absent: hiding small cells, which is
//! for the page to do once it knows what stands beside what.

use super::keep::mark_of;
use super::measure::{Grouping, Measure, Numbers};
use crate::tables::figure;
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Select,
};
use std::collections::BTreeMap;
use store::{Db, inside};
use vocab::{Month, Region};

/// What is asked (查询).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Which months.
    pub months: Vec<Month>,
    /// Which place; what lies outside the scope is not there.
    pub region: Region,
    /// One programme, or all.
    pub programme: Option<String>,
    /// Each measure divided by its own [`Grouping`], instead of whole.
    pub divided: bool,
}

/// A number of a community (统计数一行).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What is counted.
    pub measure: Measure,
    /// In which month.
    pub month: Month,
    /// In which community.
    pub region: Region,
    /// Of which programme.
    pub programme: String,
    /// Which group; empty for the whole.
    pub value: String,
    /// How many.
    pub numbers: Numbers,
}

/// The numbers asked for (统计数), by community and programme; of a stock, what stands in each month.
///
/// # Errors
/// Faults of the database.
pub async fn rows(db: &Db, scope: &Scope, asked: &Asked) -> anyhow::Result<Vec<Row>> {
    let found = figure::Entity::find()
        .filter(happened(scope, asked))
        .all(db.conn())
        .await
        .context("reading the numbers of a page")?;
    let flows = found.into_iter().map(read);
    let mut rows: Vec<Row> = flows.collect::<anyhow::Result<_>>()?;
    if !asked.divided {
        for month in &asked.months {
            rows.extend(standing(db, scope, asked, *month).await?);
        }
    }
    rows.retain(|row| !row.numbers.is_nothing());
    Ok(rows)
}

/// Stocks of a month (某月存量), by community and programme, added up in the database.
async fn standing(db: &Db, scope: &Scope, asked: &Asked, month: Month) -> anyhow::Result<Vec<Row>> {
    let sums = summed(figure::Entity::find())
        .column(figure::Column::Measure)
        .column(figure::Column::Region)
        .column(figure::Column::Programme)
        .filter(stood(scope, asked, month))
        .group_by(figure::Column::Measure)
        .group_by(figure::Column::Region)
        .group_by(figure::Column::Programme)
        .into_model::<Stock>()
        .all(db.conn())
        .await
        .context("adding up what stands in a month")?;
    sums.into_iter()
        .map(|sum| {
            Ok(Row {
                measure: measure(&sum.measure)?,
                month,
                region: sum.region.parse().context("reading a number's place")?,
                programme: sum.programme,
                value: String::new(),
                numbers: Numbers {
                    count: sum.counted,
                    persons: sum.persons,
                    fen: sum.amount,
                },
            })
        })
        .collect()
}

#[derive(FromQueryResult)]
struct Stock {
    measure: String,
    region: String,
    programme: String,
    counted: i64,
    persons: i64,
    amount: i64,
}

#[derive(FromQueryResult)]
struct Sum {
    measure: String,
    month: String,
    counted: i64,
    persons: i64,
    amount: i64,
}

/// The three numbers added up. PostgreSQL would answer a sum with a decimal.
fn summed(query: Select<figure::Entity>) -> Select<figure::Entity> {
    let sum = |column: figure::Column| -> SimpleExpr {
        Expr::col(column.as_column_ref()).sum().cast_as("BIGINT")
    };
    query
        .select_only()
        .column_as(sum(figure::Column::Counted), "counted")
        .column_as(sum(figure::Column::Persons), "persons")
        .column_as(sum(figure::Column::Amount), "amount")
}

/// A row of the numbers' own table.
pub(super) fn read(row: figure::Model) -> anyhow::Result<Row> {
    Ok(Row {
        measure: measure(&row.measure)?,
        month: row.month.parse().context("reading a number's month")?,
        region: row.region.parse().context("reading a number's place")?,
        programme: row.programme,
        value: row.value,
        numbers: Numbers {
            count: row.counted,
            persons: row.persons,
            fen: row.amount,
        },
    })
}

fn measure(word: &str) -> anyhow::Result<Measure> {
    Measure::from_word(word).with_context(|| format!("an unknown measure “{word}”"))
}

/// The numbers asked for, each measure and month added up (按月合计), in the database.
///
/// # Errors
/// Faults of the database.
pub async fn months(
    db: &Db,
    scope: &Scope,
    asked: &Asked,
) -> anyhow::Result<BTreeMap<(Measure, Month), Numbers>> {
    let mut found = by_month(db, happened(scope, asked)).await?;
    let (Some(first), Some(last)) = (asked.months.iter().min(), asked.months.iter().max()) else {
        return Ok(found);
    };
    // What came and went month by month, from the beginning, is what stands.
    let mut moves = by_month(db, stood(scope, asked, *last)).await?;
    for measure in Measure::ALL.into_iter().filter(|one| one.is_stock()) {
        let mut stock = Numbers::default();
        moves.retain(|(of, month), numbers| {
            let before = *of == measure && month < first;
            if before {
                stock = stock.plus(*numbers);
            }
            !before
        });
        let mut month = *first;
        while month <= *last {
            let moved = moves.get(&(measure, month)).copied().unwrap_or_default();
            stock = stock.plus(moved);
            if asked.months.contains(&month) && !stock.is_nothing() {
                found.insert((measure, month), stock);
            }
            month = month.next();
        }
    }
    Ok(found)
}

async fn by_month(
    db: &Db,
    condition: Condition,
) -> anyhow::Result<BTreeMap<(Measure, Month), Numbers>> {
    let sums = summed(figure::Entity::find())
        .column(figure::Column::Measure)
        .column(figure::Column::Month)
        .filter(condition)
        .group_by(figure::Column::Measure)
        .group_by(figure::Column::Month)
        .into_model::<Sum>()
        .all(db.conn())
        .await
        .context("adding up months")?;
    sums.into_iter()
        .map(|sum| {
            let measure = measure(&sum.measure)?;
            let month = sum.month.parse().context("reading a number's month")?;
            let numbers = Numbers {
                count: sum.counted,
                persons: sum.persons,
                fen: sum.amount,
            };
            Ok(((measure, month), numbers))
        })
        .collect()
}

/// When the numbers were last moved (统计截至).
///
/// # Errors
/// Faults of the database.
pub async fn up_to(db: &Db) -> anyhow::Result<Option<DateTime<Utc>>> {
    Ok(mark_of(db).await?.moved_at)
}

/// The measures of one kind, by their words.
fn measures(stock: bool) -> impl Iterator<Item = Measure> {
    Measure::ALL
        .into_iter()
        .filter(move |one| one.is_stock() == stock)
}

/// What happened in the months asked for.
fn happened(scope: &Scope, asked: &Asked) -> Condition {
    use figure::Column as C;
    // The key begins with measure and division: naming them all keeps the read to its range.
    let divisions: Vec<&str> = if asked.divided {
        let own = |measure: Measure| measure.grouping().word();
        measures(false).map(own).collect()
    } else {
        vec![Grouping::Whole.word()]
    };
    there(scope, asked)
        .add(C::Measure.is_in(measures(false).map(Measure::word)))
        .add(C::GroupingWord.is_in(divisions))
        .add(C::Month.is_in(asked.months.iter().map(ToString::to_string)))
}

/// What came and went up to a month.
fn stood(scope: &Scope, asked: &Asked, month: Month) -> Condition {
    use figure::Column as C;
    there(scope, asked)
        .add(C::Measure.is_in(measures(true).map(Measure::word)))
        .add(C::GroupingWord.eq(Grouping::Whole.word()))
        .add(C::Month.lte(month.to_string()))
}

fn there(scope: &Scope, asked: &Asked) -> Condition {
    use figure::Column as C;
    Condition::all()
        .add(inside(C::Region, scope.region))
        .add(inside(C::Region, asked.region))
        .add_option(asked.programme.as_ref().map(|id| C::Programme.eq(id)))
}
