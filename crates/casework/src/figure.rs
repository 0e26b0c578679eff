//! Cases as figures (办件统计数): what a case adds to the statistics, without saying whose it is.
//!
//! Guarantees: nothing of a person is read. Deliberately absent: adding up; whoever keeps totals does.

use crate::tables::case::{Column, Entity};
use access::Scope;
use anyhow::Context;
use chrono::NaiveDate;
use policy::Outcome;
use registry::Reading;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use store::inside;
use uuid::Uuid;
use vocab::Region;
use vocab::ids::CaseId;

/// A case as a figure (办件统计数).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseFigure {
    /// The community.
    pub region: Region,
    /// The programme.
    pub programme: String,
    /// Handed in on.
    pub applied_on: NaiveDate,
    /// Decided last on.
    pub decided_on: Option<NaiveDate>,
    /// The outcome of its determination.
    pub outcome: Option<Outcome>,
    /// How many people it is about.
    pub members: i64,
}

/// Which cases (哪些办件).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// All of the scope.
    All,
    /// These.
    Cases(Vec<Uuid>),
    /// Those of these applications.
    Applications(Vec<Uuid>),
    /// Those of these households.
    Households(Vec<Uuid>),
}

/// The cases of a scope as figures (办件统计数) after a given one, in the order of identifiers.
///
/// # Errors
/// Faults of the database.
pub async fn case_figures(
    source: &impl Reading,
    scope: &Scope,
    which: &Which,
    after: Option<CaseId>,
    limit: u64,
) -> anyhow::Result<Vec<(CaseId, CaseFigure)>> {
    let mut all = Condition::all()
        .add(inside(Column::Region, scope.region))
        .add_option(after.map(|after| Column::Id.gt(after.0)));
    all = match which {
        Which::All => all,
        Which::Cases(ids) => all.add(Column::Id.is_in(ids.iter().copied())),
        Which::Applications(ids) => all.add(Column::ApplicationId.is_in(ids.iter().copied())),
        Which::Households(ids) => all.add(Column::HouseholdId.is_in(ids.iter().copied())),
    };
    Entity::find()
        .filter(all)
        .order_by_asc(Column::Id)
        .limit(limit)
        .all(source.connection())
        .await
        .context("reading cases as figures")?
        .into_iter()
        .map(|row| {
            let region = row
                .region
                .parse()
                .with_context(|| format!("the place of case {}", row.number))?;
            let figure = CaseFigure {
                region,
                programme: row.programme,
                applied_on: row.applied_on,
                decided_on: row.decided_on,
                outcome: row.outcome.as_deref().and_then(Outcome::from_word),
                members: row.member_count,
            };
            Ok((CaseId(row.id), figure))
        })
        .collect()
}
