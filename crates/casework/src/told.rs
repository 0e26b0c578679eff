//! What may be told of a case outside the office (告知要素): its number, whose it is, where, and the next day that matters.
//!
//! Guarantees: only of the scope; names masked; nothing of what the case is decided by. Deliberately absent: sending, and a look
//! in the journal; whoever sends says so there.

use crate::procedure::TaskKind;
use crate::tables;
use access::{Role, Scope};
use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use registry::Reading;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};
use std::collections::BTreeMap;
use store::inside;
use uuid::Uuid;
use vocab::Region;
use vocab::ids::{ApplicationId, CaseId, EntitlementId, PersonId};

/// What may be told of a case (告知要素).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The case.
    pub case: CaseId,
    /// Its number.
    pub number: String,
    /// The community.
    pub region: Region,
    /// The programme.
    pub programme: String,
    /// Who applied.
    pub applicant: PersonId,
    /// Who applied for them, if somebody did.
    pub agent: Option<PersonId>,
    /// The applicant's masked name.
    pub applicant_masked: String,
    /// The masked name of the person it is about.
    pub subject_masked: String,
    /// Whose turn it is.
    pub queue: Option<Role>,
    /// The earliest due date of its clocks.
    pub due_on: Option<NaiveDate>,
    /// The last day of the notice that is up.
    pub notice_ends: Option<NaiveDate>,
    /// The right it created.
    pub entitlement: Option<EntitlementId>,
}

/// Which cases (哪些办件).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// These.
    Cases(Vec<CaseId>),
    /// Those of an application.
    Application(ApplicationId),
    /// Those that created these rights.
    Entitlements(Vec<EntitlementId>),
    /// Those whose review became a task at this instant.
    ReviewsOpened(DateTime<Utc>),
}

/// What may be told of some cases (告知要素), in the order of their numbers.
///
/// # Errors
/// Faults of the database.
pub async fn told(
    source: &impl Reading,
    scope: &Scope,
    about: &About,
) -> anyhow::Result<Vec<Told>> {
    use tables::case::Column as C;
    let which = match about {
        About::Cases(ids) => C::Id.is_in(ids.iter().map(|id| id.0)),
        About::Application(id) => C::ApplicationId.eq(id.0),
        About::Entitlements(ids) => C::EntitlementId.is_in(ids.iter().map(|id| id.0)),
        About::ReviewsOpened(at) => {
            use tables::task::Column as T;
            let opened = tables::task::Entity::find()
                .filter(T::Kind.eq(TaskKind::Review.word()))
                .filter(T::OpenedAt.eq(*at))
                .all(source.connection())
                .await
                .context("reading reviews just opened")?;
            C::Id.is_in(opened.into_iter().map(|task| task.case_id))
        }
    };
    let cases = tables::case::Entity::find()
        .filter(
            Condition::all()
                .add(inside(C::Region, scope.region))
                .add(which),
        )
        .order_by_asc(C::Number)
        .all(source.connection())
        .await
        .context("reading cases to tell of")?;
    let applications: BTreeMap<Uuid, Option<Uuid>> = tables::application::Entity::find()
        .filter(tables::application::Column::Id.is_in(cases.iter().map(|case| case.application_id)))
        .all(source.connection())
        .await
        .context("reading who applied")?
        .into_iter()
        .map(|row| (row.id, row.agent_id))
        .collect();
    let notices: BTreeMap<Uuid, NaiveDate> = tables::notice::Entity::find()
        .filter(tables::notice::Column::CaseId.is_in(cases.iter().map(|case| case.id)))
        .filter(tables::notice::Column::TakenDownOn.is_null())
        .order_by_asc(tables::notice::Column::EndsOn)
        .all(source.connection())
        .await
        .context("reading the notices that are up")?
        .into_iter()
        .map(|row| (row.case_id, row.ends_on))
        .collect();
    cases
        .into_iter()
        .map(|case| {
            Ok(Told {
                region: case
                    .region
                    .parse()
                    .with_context(|| format!("the place of case {}", case.number))?,
                agent: applications
                    .get(&case.application_id)
                    .copied()
                    .flatten()
                    .map(PersonId),
                notice_ends: notices.get(&case.id).copied(),
                case: CaseId(case.id),
                number: case.number,
                programme: case.programme,
                applicant: PersonId(case.applicant_id),
                applicant_masked: case.applicant_masked,
                subject_masked: case.subject_masked,
                queue: case.queue.parse().ok(),
                due_on: case.due_on.filter(|_| !case.paused),
                entitlement: case.entitlement_id.map(EntitlementId),
            })
        })
        .collect()
}
