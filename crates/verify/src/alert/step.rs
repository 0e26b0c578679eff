//! What an officer does about an alert (处理预警): found to be all right, with the grounds; or handed over to the case in payment.
//!
//! Guarantees: a closed alert stays closed; every step is in the journal and among the alert's events. Deliberately absent:
//! reducing or stopping money; the case it is handed over to hears the person first, and two people decide.

use super::State;
use super::file::{note, save};
use super::list::AlertFilter;
use super::list::within;
use super::table::alert;
use access::{Denied, Permission, Scope};
use anyhow::Context;
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect};
use serde_json::json;
use store::{Event, Tx};
use uuid::Uuid;
use vocab::Region;

/// Why an alert was left as it is (不予办理原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nothing of that number in the scope.
    #[error("在您的管辖范围内没有这条预警")]
    NotThere,
    /// The officer may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Closed already.
    #[error("这条预警已经办结，不能再改；请刷新列表")]
    Closed,
    /// Handed over already.
    #[error("这条预警已经转办，请到办件里接着办")]
    HandedOver,
    /// Closed without a word.
    #[error("请写明核实的情况和依据，例如“已电话核实，车辆为单位所有”")]
    GroundsMissing,
}

type Step<T> = anyhow::Result<Result<T, Refused>>;

/// The alert, if it lies in the scope, is open and the officer may act there.
async fn open(tx: &Tx, scope: &Scope, id: Uuid, grounds: &str) -> Step<alert::Model> {
    let row = within(scope, &AlertFilter::default())
        .filter(alert::Column::Id.eq(id))
        .lock_exclusive()
        .one(tx.conn())
        .await
        .context("reading an alert for change")?;
    let Some(row) = row else {
        return Ok(Err(Refused::NotThere));
    };
    let region: Region = row.region.parse().context("the region of an alert")?;
    if let Err(denied) = scope.may(Permission::ActOnCases, region) {
        return Ok(Err(denied.into()));
    }
    if !State::from_word(&row.state).is_some_and(State::is_open) {
        return Ok(Err(Refused::Closed));
    }
    if grounds.trim().is_empty() {
        return Ok(Err(Refused::GroundsMissing));
    }
    Ok(Ok(row))
}

async fn put(
    tx: &mut Tx,
    scope: &Scope,
    mut row: alert::Model,
    state: State,
    grounds: &str,
) -> anyhow::Result<()> {
    row.state = state.word().to_owned();
    row.state_at = tx.now();
    row.state_by.clone_from(&scope.actor.name);
    grounds.trim().clone_into(&mut row.note);
    let (id, person, region) = (row.id, row.person_id, row.region.parse()?);
    let case = row.case_id;
    save(tx, row).await?;
    note(tx, scope, id, state.word(), grounds.trim()).await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "verify.alert".to_owned(),
        subject_kind: "person".to_owned(),
        subject_id: person.to_string(),
        region: Some(region),
        detail: json!({ "alert": id, "state": state.word(), "case": case }),
    });
    Ok(())
}

/// Found to be all right (核实无误), for these grounds: the same is not raised again.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn dismiss(tx: &mut Tx, scope: &Scope, id: Uuid, grounds: &str) -> Step<()> {
    match open(tx, scope, id, grounds).await? {
        Ok(row) => put(tx, scope, row, State::Dismissed, grounds).await.map(Ok),
        Err(refused) => Ok(Err(refused)),
    }
}

/// Handed over (转办) to a case, if there is one; whoever calls this opens what is to be done there.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn hand_over(
    tx: &mut Tx,
    scope: &Scope,
    id: Uuid,
    grounds: &str,
    case: Option<Uuid>,
) -> Step<()> {
    match open(tx, scope, id, grounds).await? {
        Ok(row) if row.state == State::HandedOver.word() => Ok(Err(Refused::HandedOver)),
        Ok(mut row) => {
            row.case_id = case.or(row.case_id);
            put(tx, scope, row, State::HandedOver, grounds)
                .await
                .map(Ok)
        }
        Err(refused) => Ok(Err(refused)),
    }
}
