//! Saying yes, saying no, and taking back (登记授权、登记不同意、撤回授权).
//!
//! The rule is a pure function over what is known of the person and the household. Guarantees: nothing is recorded that
//! the rule refuses; each is journalled. Deliberately absent: changing what was said; a later word is a new one.

use super::{Tie, Way, is_child};
use crate::households::{Household, household_view};
use crate::people::rows;
use crate::tables::consent as table;
use access::Scope;
use anyhow::Context;
use chrono::NaiveDate;
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::json;
use store::inside;
use store::{Event, Tx};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::{HouseholdId, PersonId};

/// Rows written in one statement.
const AT_ONCE: usize = 200;

/// What a person says, to be recorded (新授权).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConsent {
    /// Whose data.
    pub person: PersonId,
    /// For which household's application.
    pub household: HouseholdId,
    /// What the person is to the household.
    pub tie: Tie,
    /// For what, in words: `申请社会救助的家庭经济状况核对`.
    pub purpose: String,
    /// How it was said.
    pub way: Way,
    /// Signed, or refused, on.
    pub signed_on: NaiveDate,
    /// First day it no longer holds.
    pub until: Option<NaiveDate>,
    /// The scan; obligatory on paper.
    pub file: Option<String>,
    /// The guardian of a child, or the near relative of somebody who died.
    pub signed_by: Option<PersonId>,
    /// Why it is refused; obligatory then.
    pub reason: String,
}

/// Why a word was not recorded (授权未登记原因).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not in the scope.
    #[error("在您的管辖范围内查不到这一户")]
    NotThere,
    /// Not of the household.
    #[error("此人不是这一户的成员，请核对")]
    NotAMember,
    /// Of the household, and said to be outside.
    #[error("此人是这一户的成员，请按家庭成员登记")]
    IsAMember,
    /// Nobody of that kind in the scope.
    #[error("在您的管辖范围内查不到此人；请先登记此人，住在别处的请上级登记")]
    PersonNotThere,
    /// Died.
    #[error("此人已经去世，由这一户的近亲属按已故家人签署")]
    Died,
    /// Lives.
    #[error("此人没有去世的记录，请核对")]
    Lives,
    /// A near relative signs.
    #[error("已故家人由这一户的成年近亲属签署，请填写签署人")]
    RelativeMissing,
    /// A supporter signs alone.
    #[error("家庭以外的义务人只能由本人同意，不能由别人代签")]
    OwnConsentOnly,
    /// No purpose.
    #[error("请写明授权用途")]
    PurposeMissing,
    /// Signed in the future.
    #[error("签署日期不能晚于今天")]
    SignedLater,
    /// Ends before it begins.
    #[error("授权截止日期应晚于签署日期")]
    PeriodReversed,
    /// On paper without a scan.
    #[error("纸质授权请上传扫描件")]
    ScanMissing,
    /// A child signs through a guardian.
    #[error("未成年人由监护人签署，请填写监护人")]
    GuardianMissing,
    /// Who signs for another is a child, or the person.
    #[error("签署人应是另一位成年人，请核对")]
    SignerIsNoAdult,
    /// A refusal without a reason.
    #[error("请写明本人不同意的理由；本人不愿说明的写“本人不愿说明”")]
    ReasonMissing,
    /// Withdrawn before.
    #[error("这份授权已经撤回")]
    Withdrawn,
}

/// Records what a person says (登记授权或者不同意).
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn give(
    tx: &mut Tx,
    scope: &Scope,
    new: NewConsent,
) -> anyhow::Result<Result<Uuid, Refused>> {
    let today = tx.today();
    let Some(home) = household_view(tx, scope, new.household, today).await? else {
        return Ok(Err(Refused::NotThere));
    };
    let member = home
        .members
        .iter()
        .find(|member| member.person.id == new.person);
    let known = match (member, new.tie) {
        (None, Tie::Member) => return Ok(Err(Refused::NotAMember)),
        (Some(member), _) => Known::of(&member.person, true),
        (None, _) => match rows(tx, scope, &[new.person]).await?.first() {
            Some(person) => Known::of(person, false),
            None => return Ok(Err(Refused::PersonNotThere)),
        },
    };
    let permitted = form_fits(&new, today)
        .and_then(|()| person_fits(&new, &known, today))
        .and_then(|()| signer_fits(&new, &home, today));
    if let Err(refused) = permitted {
        return Ok(Err(refused));
    }
    let row = table::Model {
        id: tx.new_id(),
        person_id: new.person.0,
        household_id: new.household.0,
        region: home.region.to_string(),
        tie: new.tie.word().to_owned(),
        purpose: new.purpose.trim().to_owned(),
        way: new.way.word().to_owned(),
        signed_on: new.signed_on,
        until: new.until,
        file_id: new.file,
        signed_by_id: new.signed_by.map(|person| person.0),
        reason: new.reason.trim().to_owned(),
        officer_id: scope.actor.officer.0,
        at: tx.now(),
        withdrawn_on: None,
    };
    let id = row.id;
    table::Entity::insert(row.into_active_model())
        .exec_without_returning(tx.conn())
        .await
        .context("recording a consent")?;
    let act = match new.way {
        Way::Refused => "consent.refuse",
        _ => "consent.give",
    };
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: act.to_owned(),
        subject_kind: "person".to_owned(),
        subject_id: new.person.to_string(),
        region: Some(home.region),
        detail: json!({ "consent": id, "way": new.way.word(), "tie": new.tie.word() }),
    });
    Ok(Ok(id))
}

/// A consent an earlier system kept (存量授权): on paper, in its archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// Whose data.
    pub person: PersonId,
    /// For which household's application.
    pub household: HouseholdId,
    /// Where the household lives.
    pub region: Region,
    /// For what, in words.
    pub purpose: String,
    /// Signed on.
    pub signed_on: NaiveDate,
    /// First day it no longer holds.
    pub until: Option<NaiveDate>,
    /// Where the paper lies: the number of the old file.
    pub archive: String,
}

/// Takes over the consents of an earlier system (接收存量授权), those of households inside the scope; gives how many. Who signed
/// for a child stands on the paper.
///
/// # Errors
/// Faults of the database.
pub async fn carry_over(tx: &mut Tx, scope: &Scope, many: &[Carried]) -> anyhow::Result<u64> {
    let mut rows = Vec::new();
    for one in many.iter().filter(|one| scope.region.holds(one.region)) {
        rows.push(table::Model {
            id: tx.new_id(),
            person_id: one.person.0,
            household_id: one.household.0,
            region: one.region.to_string(),
            tie: Tie::Member.word().to_owned(),
            purpose: one.purpose.trim().to_owned(),
            way: Way::Paper.word().to_owned(),
            signed_on: one.signed_on,
            until: one.until,
            file_id: None,
            signed_by_id: None,
            reason: one.archive.trim().to_owned(),
            officer_id: scope.actor.officer.0,
            at: tx.now(),
            withdrawn_on: None,
        });
    }
    let taken = u64::try_from(rows.len())?;
    for some in rows.chunks(AT_ONCE) {
        let some = some.iter().cloned().map(IntoActiveModel::into_active_model);
        table::Entity::insert_many(some)
            .exec_without_returning(tx.conn())
            .await
            .context("taking over consents")?;
    }
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "consent.carry_over".to_owned(),
        subject_kind: "region".to_owned(),
        subject_id: scope.region.to_string(),
        region: Some(scope.region),
        detail: json!({ "taken": taken }),
    });
    Ok(taken)
}

/// What the rule needs to know of the person.
struct Known {
    born: Option<NaiveDate>,
    died: bool,
    member: bool,
}

impl Known {
    fn of(person: &crate::people::PersonRow, member: bool) -> Self {
        Self {
            born: person.birth_date,
            died: person.died_on.is_some(),
            member,
        }
    }
}

fn form_fits(new: &NewConsent, today: NaiveDate) -> Result<(), Refused> {
    if new.purpose.trim().is_empty() {
        return Err(Refused::PurposeMissing);
    }
    if new.signed_on > today {
        return Err(Refused::SignedLater);
    }
    if new.until.is_some_and(|until| until <= new.signed_on) {
        return Err(Refused::PeriodReversed);
    }
    if new.way == Way::Paper && new.file.as_deref().is_none_or(str::is_empty) {
        return Err(Refused::ScanMissing);
    }
    if new.way == Way::Refused && new.reason.trim().is_empty() {
        return Err(Refused::ReasonMissing);
    }
    Ok(())
}

fn person_fits(new: &NewConsent, known: &Known, today: NaiveDate) -> Result<(), Refused> {
    match new.tie {
        Tie::Late => {
            if !known.died {
                return Err(Refused::Lives);
            }
            new.signed_by.map(|_| ()).ok_or(Refused::RelativeMissing)
        }
        _ if known.died => Err(Refused::Died),
        Tie::Member if is_child(known.born, today) && new.signed_by.is_none() => {
            Err(Refused::GuardianMissing)
        }
        Tie::Member => Ok(()),
        _ if known.member => Err(Refused::IsAMember),
        _ if new.signed_by.is_some() => Err(Refused::OwnConsentOnly),
        _ => Ok(()),
    }
}

/// A guardian may live elsewhere; the near relative of somebody who died is of the household.
fn signer_fits(new: &NewConsent, home: &Household, today: NaiveDate) -> Result<(), Refused> {
    let Some(signer) = new.signed_by else {
        return Ok(());
    };
    let member = home.members.iter().find(|one| one.person.id == signer);
    if new.tie == Tie::Late && member.is_none() {
        return Err(Refused::RelativeMissing);
    }
    let child = member.is_some_and(|one| is_child(one.person.birth_date, today));
    let dead = member.is_some_and(|one| one.person.died_on.is_some());
    if signer == new.person || child || dead {
        return Err(Refused::SignerIsNoAdult);
    }
    Ok(())
}

/// Takes a consent back (撤回授权): nothing new is taken under it from today on.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn withdraw(
    tx: &mut Tx,
    scope: &Scope,
    id: Uuid,
    reason: &str,
) -> anyhow::Result<Result<(), Refused>> {
    let row = table::Entity::find_by_id(id)
        .filter(inside(table::Column::Region, scope.region))
        .one(tx.conn())
        .await
        .context("reading a consent")?;
    let Some(row) = row else {
        return Ok(Err(Refused::NotThere));
    };
    if row.withdrawn_on.is_some() {
        return Ok(Err(Refused::Withdrawn));
    }
    let kept = if reason.trim().is_empty() {
        row.reason.clone()
    } else {
        reason.trim().to_owned()
    };
    table::ActiveModel {
        id: Unchanged(id),
        withdrawn_on: Set(Some(tx.today())),
        reason: Set(kept),
        ..Default::default()
    }
    .update(tx.conn())
    .await
    .context("withdrawing a consent")?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "consent.withdraw".to_owned(),
        subject_kind: "person".to_owned(),
        subject_id: PersonId(row.person_id).to_string(),
        region: row.region.parse().ok(),
        detail: json!({ "consent": id }),
    });
    Ok(Ok(()))
}
