//! Authorising an enquiry (核对授权): an adult's consent that other departments' data are looked at.
//!
//! Guarantees: consent is a person's own, for a purpose and a time; a finding of another department is only taken with
//! one in force; withdrawing it is possible at any time and is kept. Deliberately absent: the enquiry itself.

use crate::case::{Authorisation, AuthorisationWay};
use crate::rows::{insert, save};
use crate::{form, tables};
use access::Scope;
use anyhow::Context;
use chrono::NaiveDate;
use registry::Reading;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;
use store::{Event, Tx};
use uuid::Uuid;
use vocab::ids::{HouseholdId, PersonId};

/// An authorisation to be recorded (新授权).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAuthorisation {
    /// Whose data.
    pub person: PersonId,
    /// For which household's application.
    pub household: HouseholdId,
    /// For what, in words: `申请社会救助的家庭经济状况核对`.
    pub purpose: String,
    /// How it was given.
    pub way: AuthorisationWay,
    /// Signed on.
    pub signed_on: NaiveDate,
    /// First day it no longer holds.
    pub until: Option<NaiveDate>,
    /// The scan; obligatory on paper.
    pub file: Option<String>,
    /// The guardian who signed for the person.
    pub signed_by: Option<PersonId>,
}

/// Why an authorisation was not recorded (授权未登记原因).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not in the scope.
    #[error("在您的管辖范围内查不到这一户")]
    NotThere,
    /// Not of the household.
    #[error("此人不是这一户的成员，请核对")]
    NotAMember,
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
    /// Withdrawn before.
    #[error("这份授权已经撤回")]
    Withdrawn,
}

impl Refused {
    /// The sentence in English.
    pub const fn en(self) -> &'static str {
        match self {
            Self::NotThere => "This household is not found in your area",
            Self::NotAMember => "This person is not a member of the household",
            Self::PurposeMissing => "Say what the authorisation is for",
            Self::SignedLater => "It cannot be signed after today",
            Self::PeriodReversed => "It must end after it is signed",
            Self::ScanMissing => "Upload the scan of the paper",
            Self::GuardianMissing => "A guardian signs for a child; name the guardian",
            Self::Withdrawn => "This authorisation was withdrawn before",
        }
    }
}

/// Records an authorisation (登记授权).
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn authorise(
    tx: &mut Tx,
    scope: &Scope,
    new: NewAuthorisation,
) -> anyhow::Result<Result<Uuid, Refused>> {
    let today = tx.today();
    let Some(home) = registry::households::household_view(tx, scope, new.household, today).await?
    else {
        return Ok(Err(Refused::NotThere));
    };
    let Some(member) = home
        .members
        .iter()
        .find(|member| member.person.id == new.person)
    else {
        return Ok(Err(Refused::NotAMember));
    };
    if let Err(refused) = permitted(&new, member.person.birth_date, today) {
        return Ok(Err(refused));
    }
    let row = tables::authorisation::Model {
        id: tx.new_id(),
        person_id: new.person.0,
        household_id: new.household.0,
        region: home.region.to_string(),
        purpose: new.purpose.trim().to_owned(),
        way: new.way.word().to_owned(),
        signed_on: new.signed_on,
        until: new.until,
        file_id: new.file,
        signed_by_id: new.signed_by.map(|person| person.0),
        officer_id: scope.actor.officer.0,
        at: tx.now(),
        withdrawn_on: None,
    };
    let id = row.id;
    insert::<tables::authorisation::Entity>(tx, row).await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "casework.authorise".to_owned(),
        subject_kind: "person".to_owned(),
        subject_id: new.person.to_string(),
        region: Some(home.region),
        detail: json!({ "authorisation": id, "way": new.way.word() }),
    });
    Ok(Ok(id))
}

/// The whole rule, without a database.
fn permitted(
    new: &NewAuthorisation,
    born: Option<NaiveDate>,
    today: NaiveDate,
) -> Result<(), Refused> {
    if new.purpose.trim().is_empty() {
        return Err(Refused::PurposeMissing);
    }
    if new.signed_on > today {
        return Err(Refused::SignedLater);
    }
    if new.until.is_some_and(|until| until <= new.signed_on) {
        return Err(Refused::PeriodReversed);
    }
    if new.way == AuthorisationWay::Paper && new.file.as_deref().is_none_or(str::is_empty) {
        return Err(Refused::ScanMissing);
    }
    if born.is_some_and(|born| form::full_years(born, today) < 18) && new.signed_by.is_none() {
        return Err(Refused::GuardianMissing);
    }
    Ok(())
}

/// Withdraws an authorisation (撤回授权): nothing new is taken under it from today on.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn withdraw(tx: &mut Tx, scope: &Scope, id: Uuid) -> anyhow::Result<Result<(), Refused>> {
    let (first, beyond) = scope.code_range();
    let row = tables::authorisation::Entity::find_by_id(id)
        .filter(tables::authorisation::Column::Region.gte(first))
        .filter(tables::authorisation::Column::Region.lt(beyond))
        .one(tx.conn())
        .await
        .context("reading an authorisation")?;
    let Some(mut row) = row else {
        return Ok(Err(Refused::NotThere));
    };
    if row.withdrawn_on.is_some() {
        return Ok(Err(Refused::Withdrawn));
    }
    row.withdrawn_on = Some(tx.today());
    let (person, region) = (row.person_id, row.region.parse().ok());
    save::<tables::authorisation::Entity>(tx, row).await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "casework.withdraw_authorisation".to_owned(),
        subject_kind: "person".to_owned(),
        subject_id: person.to_string(),
        region,
        detail: json!({ "authorisation": id }),
    });
    Ok(Ok(()))
}

/// The authorisations of a household (授权列表), newest first, the withdrawn ones left out.
pub(crate) async fn of_household(
    source: &impl Reading,
    scope: &Scope,
    household: HouseholdId,
) -> anyhow::Result<Vec<Authorisation>> {
    let (first, beyond) = scope.code_range();
    tables::authorisation::Entity::find()
        .filter(tables::authorisation::Column::HouseholdId.eq(household.0))
        .filter(tables::authorisation::Column::Region.gte(first))
        .filter(tables::authorisation::Column::Region.lt(beyond))
        .filter(tables::authorisation::Column::WithdrawnOn.is_null())
        .order_by_desc(tables::authorisation::Column::Id)
        .all(source.connection())
        .await
        .context("reading authorisations")?
        .into_iter()
        .map(|row| {
            Ok(Authorisation {
                id: row.id,
                person: PersonId(row.person_id),
                way: AuthorisationWay::from_word(&row.way)
                    .context("a stored way of authorising is not known")?,
                purpose: row.purpose,
                signed_on: row.signed_on,
                until: row.until,
                file: row.file_id,
            })
        })
        .collect()
}

/// Whether a person's authorisation holds on a day (授权是否有效).
pub(crate) async fn holds(
    source: &impl Reading,
    person: PersonId,
    on: NaiveDate,
) -> anyhow::Result<bool> {
    let rows = tables::authorisation::Entity::find()
        .filter(tables::authorisation::Column::PersonId.eq(person.0))
        .filter(tables::authorisation::Column::WithdrawnOn.is_null())
        .all(source.connection())
        .await
        .context("reading a person's authorisations")?;
    Ok(rows
        .iter()
        .any(|row| row.signed_on <= on && row.until.is_none_or(|until| on < until)))
}

/// The adult members whose authorisation is missing on a day (尚未授权的成年人); nobody knows the birth date means adult.
///
/// # Errors
/// Faults of the database.
pub async fn missing(
    source: &impl Reading,
    scope: &Scope,
    household: HouseholdId,
    on: NaiveDate,
) -> anyhow::Result<Vec<PersonId>> {
    let Some(home) = registry::households::household_view(source, scope, household, on).await?
    else {
        return Ok(Vec::new());
    };
    let given = of_household(source, scope, household).await?;
    Ok(home
        .members
        .iter()
        .filter(|member| member.person.died_on.is_none())
        .filter(|member| {
            member
                .person
                .birth_date
                .is_none_or(|born| form::full_years(born, on) >= 18)
        })
        .map(|member| member.person.id)
        .filter(|person| {
            !given.iter().any(|one| {
                one.person == *person
                    && one.signed_on <= on
                    && one.until.is_none_or(|until| on < until)
            })
        })
        .collect())
}
