//! How a person wants to be told (告知意愿): an e-mail address, the language, and what they do not want.
//!
//! Guarantees: only for people of the scope; the address is sealed and shown masked; who objects to a way is told nothing by it
//! from that moment on, also what waits already. Deliberately absent: the telephone number, which the register has.

use crate::carrier::Channel;
use crate::mail::is_address;
use crate::tables::contact::{ActiveModel, Column, Entity, Model};
use access::Scope;
use anyhow::Context;
use registry::Reading;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, Iterable, QueryFilter};
use serde_json::json;
use std::collections::BTreeMap;
use store::{Event, Tx};
use vocab::ids::PersonId;

/// How a person wants to be told (告知意愿).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contact {
    /// The masked e-mail address; empty without one.
    pub email_masked: String,
    /// English rather than Chinese.
    pub english: bool,
    /// No text messages.
    pub no_sms: bool,
    /// No e-mails.
    pub no_email: bool,
}

impl Contact {
    /// Whether they object to a way (是否拒收).
    pub const fn objects(&self, channel: Channel) -> bool {
        match channel {
            Channel::Sms => self.no_sms,
            Channel::Email => self.no_email,
        }
    }

    fn read(row: &Model) -> Self {
        Self {
            email_masked: row.email_masked.clone(),
            english: row.language == "en",
            no_sms: row.no_sms,
            no_email: row.no_email,
        }
    }
}

/// What an officer writes down (登记告知意愿).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewContact {
    /// The address; `None` leaves the one that is known, an empty one removes it.
    pub email: Option<String>,
    /// English rather than Chinese.
    pub english: bool,
    /// No text messages.
    pub no_sms: bool,
    /// No e-mails.
    pub no_email: bool,
}

/// Why it was not written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nobody with this identifier in the scope.
    #[error("在您的管辖范围内查不到此人")]
    NotFound,
    /// Not an e-mail address.
    #[error("电子邮件地址不对，应像 name@example.cn")]
    NotAnAddress,
}

/// What some people want (查询告知意愿); who said nothing is not among them.
///
/// # Errors
/// Faults of the database.
pub(crate) async fn contacts(
    source: &impl Reading,
    people: &[PersonId],
) -> anyhow::Result<BTreeMap<PersonId, Contact>> {
    let rows = Entity::find()
        .filter(Column::PersonId.is_in(people.iter().map(|id| id.0)))
        .all(source.connection())
        .await
        .context("reading how people want to be told")?;
    Ok(rows
        .iter()
        .map(|row| (PersonId(row.person_id), Contact::read(row)))
        .collect())
}

/// What one person of the scope wants (查看告知意愿); `None` for somebody elsewhere.
///
/// # Errors
/// Faults of the database.
pub async fn contact(
    source: &impl Reading,
    scope: &Scope,
    person: PersonId,
) -> anyhow::Result<Option<Contact>> {
    if registry::people::rows(source, scope, &[person])
        .await?
        .is_empty()
    {
        return Ok(None);
    }
    let found = contacts(source, &[person]).await?.remove(&person);
    Ok(Some(found.unwrap_or_default()))
}

/// The address in clear, for sending (发送用地址).
pub(crate) async fn email_to_send(tx: &Tx, person: PersonId) -> anyhow::Result<Option<String>> {
    let row = Entity::find_by_id(person.0)
        .one(tx.conn())
        .await
        .context("reading an e-mail address")?;
    row.and_then(|row| row.email_sealed)
        .map(|sealed| tx.keys().unseal(&sealed))
        .transpose()
}

/// Writes down how a person wants to be told (登记告知意愿).
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn set_contact(
    tx: &mut Tx,
    scope: &Scope,
    person: PersonId,
    new: &NewContact,
) -> anyhow::Result<Result<(), Refused>> {
    let people = registry::people::rows(tx, scope, &[person]).await?;
    let Some(known) = people.first() else {
        return Ok(Err(Refused::NotFound));
    };
    let before = Entity::find_by_id(person.0)
        .one(tx.conn())
        .await
        .context("reading how a person wants to be told")?;
    let (email_sealed, email_masked) = match new.email.as_deref().map(str::trim) {
        None => before.map_or((None, String::new()), |row| {
            (row.email_sealed, row.email_masked)
        }),
        Some("") => (None, String::new()),
        Some(address) if is_address(address) => (Some(tx.keys().seal(address)), masked(address)),
        Some(_) => return Ok(Err(Refused::NotAnAddress)),
    };
    let has_email = email_sealed.is_some();
    let row = Model {
        person_id: person.0,
        email_sealed,
        email_masked,
        language: if new.english { "en" } else { "zh" }.to_owned(),
        no_sms: new.no_sms,
        no_email: new.no_email,
        changed_at: tx.now(),
        changed_by: scope.actor.name.clone(),
    };
    let active: ActiveModel = row.into_active_model();
    let others = Column::iter().filter(|column| !matches!(column, Column::PersonId));
    Entity::insert(active)
        .on_conflict(
            OnConflict::column(Column::PersonId)
                .update_columns(others)
                .to_owned(),
        )
        .exec_without_returning(tx.conn())
        .await
        .context("writing how a person wants to be told")?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "notify.contact".to_owned(),
        subject_kind: "person".to_owned(),
        subject_id: person.to_string(),
        region: Some(known.lives_in),
        detail: json!({ "has_email": has_email, "no_sms": new.no_sms, "no_email": new.no_email }),
    });
    Ok(Ok(()))
}

/// A masked address (地址打码): `z***@example.cn`.
fn masked(address: &str) -> String {
    let (name, host) = address.split_once('@').unwrap_or((address, ""));
    let first: String = name.chars().take(1).collect();
    format!("{first}***@{host}")
}
