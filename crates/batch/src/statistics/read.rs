//! Reading the numbers (读取统计数): for a place, some months and a division.
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
use sea_orm::{ColumnTrait, Condition, EntityTrait, FromQueryResult, QueryFilter, QuerySelect};
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

/// The numbers asked for (统计数), by community and programme.
///
/// # Errors
/// Faults of the database.
pub async fn rows(db: &Db, scope: &Scope, asked: &Asked) -> anyhow::Result<Vec<Row>> {
    let found = figure::Entity::find()
        .filter(condition(scope, asked))
        .all(db.conn())
        .await
        .context("reading the numbers of a page")?;
    found
        .into_iter()
        .filter(|row| (row.counted, row.persons, row.amount) != (0, 0, 0))
        .map(read)
        .collect()
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
    #[derive(FromQueryResult)]
    struct Sum {
        measure: String,
        month: String,
        counted: i64,
        persons: i64,
        amount: i64,
    }
    // PostgreSQL would answer a sum with a decimal.
    let sum = |column: figure::Column| -> SimpleExpr {
        Expr::col(column.as_column_ref()).sum().cast_as("BIGINT")
    };
    let sums = figure::Entity::find()
        .select_only()
        .column(figure::Column::Measure)
        .column(figure::Column::Month)
        .column_as(sum(figure::Column::Counted), "counted")
        .column_as(sum(figure::Column::Persons), "persons")
        .column_as(sum(figure::Column::Amount), "amount")
        .filter(condition(scope, asked))
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

fn condition(scope: &Scope, asked: &Asked) -> Condition {
    use figure::Column as C;
    // The key begins with measure and division: naming them all keeps the read to its range.
    let measures = Measure::ALL.into_iter().map(Measure::word);
    let divisions: Vec<&str> = if asked.divided {
        let own = |measure: Measure| measure.grouping().word();
        Measure::ALL.into_iter().map(own).collect()
    } else {
        vec![Grouping::Whole.word()]
    };
    Condition::all()
        .add(C::Measure.is_in(measures))
        .add(C::GroupingWord.is_in(divisions))
        .add(C::Month.is_in(asked.months.iter().map(ToString::to_string)))
        .add(inside(C::Region, scope.region))
        .add(inside(C::Region, asked.region))
        .add_option(asked.programme.as_ref().map(|id| C::Programme.eq(id)))
}
