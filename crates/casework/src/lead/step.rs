//! What is done about a lead (办理线索): a visit is noted, it is dismissed with a reason, a case in payment is sent to be looked at
//! again; a decision on the case closes it by itself.
//!
//! Guarantees: a lead that is closed stays closed; nothing is reduced or stopped here, it becomes a task of whoever hears or
//! decides. Deliberately absent: applying; that is an application like any other.

use super::list::{cases, held_row};
use super::{Kind, Lead, LeadState};
use crate::case::Case;
use crate::desk::Desk;
use crate::review::compare::{self, Differs, compare};
use crate::review::follow::{put_task, said_of};
use crate::rows::{NewEvent, insert_event, save};
use crate::sheet;
use crate::tables::case;
use crate::tables::lead::{Column, Entity, Model};
use access::{Denied, Permission, Scope};
use anyhow::Context;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use store::{Event, Tx};
use uuid::Uuid;
use vocab::ids::EntitlementId;
use vocab::{Month, Region};

/// The act's word on a case's timeline.
pub(crate) const ACT: &str = "lead";

/// Why a lead was dismissed (排除原因).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DismissReason {
    /// 已告知，本人不申请。
    NotWanted,
    /// 经核实不符合。
    NotEntitled,
    /// 经核实，发放无误。
    PaidRightly,
    /// 登记资料有误，已更正。
    WrongData,
    /// 已搬离或联系不上。
    Gone,
}

impl DismissReason {
    /// All reasons.
    pub const ALL: [Self; 5] = [
        Self::NotWanted,
        Self::NotEntitled,
        Self::PaidRightly,
        Self::WrongData,
        Self::Gone,
    ];

    /// Those that fit what was found (可选原因), in the order a form shows them.
    pub fn of(kind: Kind) -> Vec<Self> {
        Self::ALL
            .into_iter()
            .filter(|reason| match reason {
                Self::NotWanted | Self::NotEntitled => !kind.is_paid(),
                Self::PaidRightly => kind.is_paid(),
                Self::WrongData | Self::Gone => true,
            })
            .collect()
    }

    /// Its word in forms.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotWanted => "not_wanted",
            Self::NotEntitled => "not_entitled",
            Self::PaidRightly => "paid_rightly",
            Self::WrongData => "wrong_data",
            Self::Gone => "gone",
        }
    }

    /// What a word means.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// Its wording (zh, en).
    pub const fn wording(self) -> (&'static str, &'static str) {
        match self {
            Self::NotWanted => ("已告知，本人不申请", "told, and does not want it"),
            Self::NotEntitled => ("经核实不符合", "checked: not entitled"),
            Self::PaidRightly => ("经核实，发放无误", "checked: paid rightly"),
            Self::WrongData => (
                "登记资料有误，已更正",
                "the register was wrong and is corrected",
            ),
            Self::Gone => ("已搬离或联系不上", "moved away or out of reach"),
        }
    }
}

/// Why a lead was left as it is (不予办理原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nothing of that number in the scope.
    #[error("在您的管辖范围内没有这条线索")]
    NotThere,
    /// The officer may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Closed already.
    #[error("这条线索已经办结，不能再改；请刷新列表")]
    Closed,
    /// A visit without a word.
    #[error("请写明走访情况，例如“已上门，本人愿意申请，缺残疾证”")]
    NoteMissing,
    /// Dismissed without a reason.
    #[error("请选择排除的原因")]
    ReasonMissing,
    /// A reason for those in payment, of somebody who is not, or the other way round.
    #[error("这个原因不适用于这种线索，请换一个")]
    ReasonDoesNotFit,
    /// Dismissed without a word.
    #[error("请写明排除的依据，例如“已上门告知，本人不申请”")]
    GroundsMissing,
    /// No case in payment to look at.
    #[error("没有在发的办件可以复核；请打开家庭核对")]
    NothingInPayment,
    /// Asked anew, nothing differs.
    #[error("按现在登记的事实重新测算，与在发的没有差别；如确认无误请排除这条线索")]
    NothingDiffers,
}

type Step<T> = anyhow::Result<Result<T, Refused>>;

/// The lead, if it lies in the scope, is open and the officer may act there.
async fn open(tx: &Tx, scope: &Scope, id: Uuid) -> Step<(Model, Region)> {
    let Some(row) = held_row(tx, scope, id).await? else {
        return Ok(Err(Refused::NotThere));
    };
    let region: Region = row.region.parse().context("the region of a lead")?;
    if let Err(denied) = scope.may(Permission::ActOnCases, region) {
        return Ok(Err(denied.into()));
    }
    if !LeadState::read(&row.state)?.is_open() {
        return Ok(Err(Refused::Closed));
    }
    Ok(Ok((row, region)))
}

/// Writes where a lead stands now, and journals it.
async fn put(
    tx: &mut Tx,
    scope: &Scope,
    mut row: Model,
    state: LeadState,
    detail: serde_json::Value,
) -> anyhow::Result<()> {
    row.state = state.word().to_owned();
    row.state_at = tx.now();
    row.state_by = scope.actor.name.clone();
    let (id, household) = (row.id, row.household_id);
    let region = row.region.parse().context("the region of a lead")?;
    save::<Entity>(tx, row).await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "casework.lead".to_owned(),
        subject_kind: "household".to_owned(),
        subject_id: household.to_string(),
        region: Some(region),
        detail: json!({ "lead": id, "state": state.word(), "with": detail }),
    });
    Ok(())
}

fn visited(tx: &Tx, scope: &Scope, row: &mut Model, note: &str) {
    let today = tx.today();
    row.visited_on = Some(today);
    if !row.visits.is_empty() {
        row.visits.push('\n');
    }
    let said: String = note.split_whitespace().collect::<Vec<_>>().join(" ");
    row.visits
        .push_str(&format!("{today} {}：{said}", scope.actor.name));
}

/// Notes a visit (登记走访); more than one may be noted.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn visit(tx: &mut Tx, scope: &Scope, id: Uuid, note: &str) -> Step<()> {
    let (mut row, _) = match open(tx, scope, id).await? {
        Ok(found) => found,
        Err(refused) => return Ok(Err(refused)),
    };
    if note.trim().is_empty() {
        return Ok(Err(Refused::NoteMissing));
    }
    visited(tx, scope, &mut row, note);
    put(tx, scope, row, LeadState::Visited, json!({})).await?;
    Ok(Ok(()))
}

/// Dismisses a lead (排除线索) for a reason, in the officer's words.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn dismiss(
    tx: &mut Tx,
    scope: &Scope,
    id: Uuid,
    reason: Option<DismissReason>,
    note: &str,
) -> Step<()> {
    let (mut row, _) = match open(tx, scope, id).await? {
        Ok(found) => found,
        Err(refused) => return Ok(Err(refused)),
    };
    let Some(reason) = reason else {
        return Ok(Err(Refused::ReasonMissing));
    };
    if !DismissReason::of(Lead::read(row.clone())?.kind).contains(&reason) {
        return Ok(Err(Refused::ReasonDoesNotFit));
    }
    if note.trim().is_empty() {
        return Ok(Err(Refused::GroundsMissing));
    }
    reason.word().clone_into(&mut row.reason);
    note.trim().clone_into(&mut row.note);
    let detail = json!({ "reason": reason.word() });
    put(tx, scope, row, LeadState::Dismissed, detail).await?;
    Ok(Ok(()))
}

/// Sends the case in payment to be looked at again (转办件复核): compared anew, its difference becomes the task of whoever hears
/// or decides.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn send_to_review(tx: &mut Tx, scope: &Scope, desk: &Desk, id: Uuid) -> Step<()> {
    let (mut row, _) = match open(tx, scope, id).await? {
        Ok(found) => found,
        Err(refused) => return Ok(Err(refused)),
    };
    let lead = Lead::read(row.clone())?;
    let Some(case) = cases(tx, scope, &lead)
        .await?
        .into_iter()
        .find(case::Model::is_in_payment)
    else {
        return Ok(Err(Refused::NothingInPayment));
    };
    let Some(procedure) = desk.procedure(&case.programme) else {
        return Ok(Err(Refused::NothingInPayment));
    };
    let read = Case::read(&case)?;
    let answer = sheet::answer(tx, scope, desk, &read, tx.now(), tx.today()).await?;
    let standing = match case.entitlement_id {
        Some(right) => ledger::entitlement(tx.conn(), scope, EntitlementId(right)).await?,
        None => None,
    };
    let month = Month::of(tx.today()).next();
    let found = compare(desk, answer.as_ref(), standing.as_ref(), month);
    let Some(turn) = compare::turn(procedure, &found, false) else {
        return Ok(Err(Refused::NothingDiffers));
    };
    if found.differs == Differs::Not {
        return Ok(Err(Refused::NothingDiffers));
    }
    let text = format!("政策找人（{}）：{}", lead.kind.zh(), said_of(&found));
    let said = NewEvent {
        act: ACT.to_owned(),
        opinion: text.clone(),
        ..NewEvent::default()
    };
    insert_event(tx, scope, &case, said).await?;
    put_task(tx, &case, turn, &format!("{text}；{}", turn.say)).await?;
    visited(
        tx,
        scope,
        &mut row,
        &format!("已转办件 {} 复核", case.number),
    );
    row.case_id = Some(case.id);
    let detail = json!({ "case": case.id, "differs": found.differs.word() });
    put(tx, scope, row, LeadState::Visited, detail).await?;
    Ok(Ok(()))
}

/// The open leads a decision on a case answers, of those kinds.
async fn answered(
    tx: &Tx,
    case: &case::Model,
    fits: fn(Kind) -> bool,
) -> anyhow::Result<Vec<Model>> {
    let person = match case.member_id {
        Some(member) => Column::PersonId.eq(member),
        None => Column::PersonId.is_null(),
    };
    let kinds = Kind::ALL.into_iter().filter(|kind| fits(*kind));
    Entity::find()
        .filter(Column::HouseholdId.eq(case.household_id))
        .filter(Column::Programme.eq(case.programme.as_str()))
        .filter(person)
        .filter(Column::Kind.is_in(kinds.map(Kind::word)))
        .filter(Column::State.is_in([LeadState::Found.word(), LeadState::Visited.word()]))
        .all(tx.conn())
        .await
        .context("reading the leads a case answers")
}

/// A case was granted: whoever was found is enrolled. The lead keeps its place, because money begins later than the grant.
pub(crate) async fn enrolled(tx: &mut Tx, scope: &Scope, case: &case::Model) -> anyhow::Result<()> {
    for mut row in answered(tx, case, |kind| !kind.is_paid()).await? {
        row.case_id = Some(case.id);
        let detail = json!({ "case": case.id });
        put(tx, scope, row, LeadState::Enrolled, detail).await?;
    }
    Ok(())
}

/// A case in payment was decided anew, or ended: what differed is settled.
pub(crate) async fn handled(tx: &mut Tx, scope: &Scope, case: &case::Model) -> anyhow::Result<()> {
    for mut row in answered(tx, case, Kind::is_paid).await? {
        row.case_id = Some(case.id);
        row.held_key = None;
        let detail = json!({ "case": case.id });
        put(tx, scope, row, LeadState::Settled, detail).await?;
    }
    Ok(())
}
