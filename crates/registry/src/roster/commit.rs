//! Taking a roster over (导入花名册): the same checks again inside the transaction, then the register's own acts.

use super::check::{PlannedHousehold, PlannedMember, plan};
use super::{FileRefused, Report, parse};
use crate::accounts::set_account;
use crate::households::{NewHousehold, form_household, join};
use crate::people::{NewPerson, move_home, move_hukou, register_person, set_phone};
use crate::reading::Reading;
use crate::tables::import;
use access::Scope;
use anyhow::{Context, anyhow};
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Event, Tx};
use vocab::ids::{HouseholdId, ImportId, PersonId};

/// What to do with errors (导入方式).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// 全部无误才导入
    AllOrNothing,
    /// 只导入无误的户
    ValidRowsOnly,
}

/// What was taken over (导入结果).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Committed {
    /// The import; nil if the file had been imported before and nothing was done.
    pub import: ImportId,
    /// What was done, in the words of the dry run.
    pub report: Report,
    /// Whether exactly this file had been imported before.
    pub nothing_to_do: bool,
}

/// Why nothing was taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitRefused {
    /// The file cannot be looked through.
    #[error(transparent)]
    File(#[from] FileRefused),
    /// Errors, and everything or nothing was asked for.
    #[error("有 {} 处错误，未导入任何数据；请下载错误行改正后重新导入，或选择“只导入无误的户”", .0.errors.len())]
    HasErrors(Box<Report>),
    /// No household is free of errors.
    #[error("没有一户可以导入；请下载错误行改正后重新导入")]
    NothingValid(Box<Report>),
}

/// The source named beside what a roster says.
const ROSTER: &str = "花名册";

/// Takes a roster over (导入花名册).
///
/// # Errors
/// Faults of the database; refusals are the inner value. After a fault the transaction must be rolled back.
pub async fn commit(
    tx: &mut Tx,
    scope: &Scope,
    bytes: &[u8],
    mode: Mode,
) -> anyhow::Result<Result<Committed, CommitRefused>> {
    let hash = store::keys::sm3_hex(bytes);
    store::dialect::lock_name(tx, &format!("roster {}", scope.region)).await?;
    let read = match parse::file(bytes, sheets::Limits::default(), tx.today()) {
        Ok(read) => read,
        Err(refused) => return Ok(Err(refused.into())),
    };
    let before = imported_before(tx, scope, bytes).await?;
    if before.is_some() {
        let report = Report {
            rows_read: read.places.len(),
            imported_before: before,
            ..Report::default()
        };
        return Ok(Ok(Committed {
            import: ImportId(uuid::Uuid::nil()),
            report,
            nothing_to_do: true,
        }));
    }
    let plan = plan(tx, scope, read, tx.today()).await?;
    let report = plan.report;
    if !report.errors.is_empty() && mode == Mode::AllOrNothing {
        return Ok(Err(CommitRefused::HasErrors(Box::new(report))));
    }
    if plan.households.is_empty() {
        return Ok(Err(CommitRefused::NothingValid(Box::new(report))));
    }
    for household in plan.households {
        take_over(tx, scope, household).await?;
    }
    let id = ImportId(tx.new_id());
    record(tx, scope, id, hash, &report).await?;
    Ok(Ok(Committed {
        import: id,
        report,
        nothing_to_do: false,
    }))
}

async fn record(
    tx: &mut Tx,
    scope: &Scope,
    id: ImportId,
    content_hash: String,
    report: &Report,
) -> anyhow::Result<()> {
    let row = import::Model {
        id: id.0,
        content_hash,
        region: scope.region.to_string(),
        rows_read: i64::try_from(report.rows_read)?,
        rows_rejected: i64::try_from(report.rejected_rows.len())?,
        committed_at: tx.now(),
        committed_by: scope.actor.officer.0,
    };
    import::Entity::insert(row.into_active_model())
        .exec_without_returning(tx.conn())
        .await
        .context("recording an import")?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "roster.import".to_owned(),
        subject_kind: "import".to_owned(),
        subject_id: id.to_string(),
        region: Some(scope.region),
        detail: json!({
            "rows_read": report.rows_read,
            "rows_rejected": report.rejected_rows.len(),
            "people_new": report.people_new,
            "people_changed": report.people_changed,
            "households_new": report.households_new,
        }),
    });
    Ok(())
}

/// When exactly this file was taken over without a rejected row, in this scope.
pub(super) async fn imported_before(
    source: &impl Reading,
    scope: &Scope,
    bytes: &[u8],
) -> anyhow::Result<Option<DateTime<Utc>>> {
    let found = import::Entity::find()
        .filter(import::Column::ContentHash.eq(store::keys::sm3_hex(bytes)))
        .filter(import::Column::Region.eq(scope.region.to_string()))
        .filter(import::Column::RowsRejected.eq(0))
        .order_by_desc(import::Column::CommittedAt)
        .one(source.connection())
        .await
        .context("looking for an earlier import")?;
    Ok(found.map(|row| row.committed_at))
}

/// A refusal here contradicts the checks just made in the same transaction, so it is a fault.
fn agreed<T, R: std::error::Error>(outcome: Result<T, R>) -> anyhow::Result<T> {
    outcome.map_err(|refused| anyhow!("a checked roster row was refused: {refused}"))
}

async fn take_over(tx: &mut Tx, scope: &Scope, household: PlannedHousehold) -> anyhow::Result<()> {
    let mut members = Vec::with_capacity(household.members.len());
    let mut joining = Vec::new();
    for member in &household.members {
        let id = person(tx, scope, &household, member).await?;
        members.push((id, member.row.kinship));
        if !member.known.as_ref().is_some_and(|known| known.is_member) {
            joining.push((id, member.row.kinship));
        }
        let is_new_account = member.known.as_ref().is_none_or(|known| known.new_account);
        if let Some(account) = member.row.account.clone().filter(|_| is_new_account) {
            agreed(set_account(tx, scope, id, account).await?)?;
        }
    }
    match household.known {
        None => {
            let new = NewHousehold {
                region: household.region,
                address: household.address,
                head: members.first().context("a household without rows")?.0,
                members: members.into_iter().skip(1).collect(),
                since: None,
                roster_number: Some(household.number),
            };
            agreed(form_household(tx, scope, new).await?)?;
        }
        Some(id) => join_all(tx, scope, id, joining).await?,
    }
    Ok(())
}

async fn join_all(
    tx: &mut Tx,
    scope: &Scope,
    id: HouseholdId,
    joining: Vec<(PersonId, vocab::Kinship)>,
) -> anyhow::Result<()> {
    let today = tx.today();
    for (person, kinship) in joining {
        agreed(join(tx, scope, id, person, kinship, today).await?)?;
    }
    Ok(())
}

/// Registers the person of a row, or brings what is known of them up to date.
async fn person(
    tx: &mut Tx,
    scope: &Scope,
    household: &PlannedHousehold,
    member: &PlannedMember,
) -> anyhow::Result<PersonId> {
    let row = &member.row;
    let address = if row.address.is_empty() {
        &household.address
    } else {
        &row.address
    };
    let Some(known) = &member.known else {
        let new = NewPerson {
            name: row.name.clone(),
            document: row.document.clone(),
            sex: row.sex,
            birth_date: row.birth_date,
            phone: row.phone.clone(),
            hukou: row.hukou,
            lives_in: member.region,
            address: address.clone(),
        };
        return agreed(register_person(tx, scope, new).await?);
    };
    let id = known.id;
    if known.moves {
        agreed(move_home(tx, scope, id, member.region, address).await?)?;
    }
    if let Some(hukou) = row.hukou.filter(|_| known.new_hukou) {
        let today = tx.today();
        agreed(move_hukou(tx, scope, id, hukou, today, ROSTER).await?)?;
    }
    if known.new_phone {
        agreed(set_phone(tx, scope, id, row.phone.as_deref()).await?)?;
    }
    Ok(id)
}
