//! Revealing what is masked (查看明文): only for a stated purpose, and never without a line in the journal.

use super::find::one_row;
use access::Scope;
use chrono::NaiveDate;
use serde_json::json;
use store::{Event, Tx};
use vocab::ids::PersonId;

/// The clear numbers of a person (明文号码). Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Clear {
    /// The name (姓名).
    pub name: String,
    /// The document number (证件号码); empty without a document.
    pub document_number: String,
    /// The phone number (手机号), if any.
    pub phone: Option<String>,
    /// The birth date (出生日期), if known.
    pub birth_date: Option<NaiveDate>,
    /// The address (详细住址).
    pub address: String,
}

impl std::fmt::Debug for Clear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clear(…)")
    }
}

/// Why nothing was revealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RevealRefused {
    /// No purpose stated.
    #[error("请写明查看完整号码的事由，例如“核对银行卡户名”")]
    PurposeMissing,
    /// Nobody with this identifier in the scope.
    #[error("在您的管辖范围内查不到此人")]
    NotFound,
}

/// Reveals a person's masked numbers (查看明文) for a purpose in words.
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn reveal(
    tx: &mut Tx,
    scope: &Scope,
    id: PersonId,
    purpose: &str,
) -> anyhow::Result<Result<Clear, RevealRefused>> {
    let purpose = purpose.trim();
    if purpose.chars().count() < 2 {
        return Ok(Err(RevealRefused::PurposeMissing));
    }
    let Some(row) = one_row(tx, scope, id).await? else {
        return Ok(Err(RevealRefused::NotFound));
    };
    let unsealed =
        |sealed: Option<&Vec<u8>>| sealed.map(|sealed| tx.keys().unseal(sealed)).transpose();
    let clear = Clear {
        document_number: unsealed(row.document_sealed.as_ref())?.unwrap_or_default(),
        phone: unsealed(row.phone_sealed.as_ref())?,
        name: row.name,
        birth_date: row.birth_date,
        address: row.address,
    };
    tx.note(Event {
        by: scope.actor.officer,
        purpose: purpose.to_owned(),
        act: "person.reveal".to_owned(),
        subject_kind: "person".to_owned(),
        subject_id: id.to_string(),
        region: Some(crate::stored::region(&row.lives_in)?),
        detail: json!({ "fields": ["document_number", "phone"] }),
    });
    Ok(Ok(clear))
}

/// The phone number of whoever this record means now (发送用手机号), for sending one message; that it was taken out stands in
/// the journal with the purpose. `None`: no number, or the person has died.
///
/// # Errors
/// Faults of the database.
pub async fn phone_to_send(
    tx: &mut Tx,
    scope: &Scope,
    id: PersonId,
    purpose: &str,
) -> anyhow::Result<Option<String>> {
    let id = crate::merging::same(tx, [id.0], None).await?.survivor(id.0);
    let Some(row) = one_row(tx, scope, PersonId(id)).await? else {
        return Ok(None);
    };
    let Some(sealed) = row.phone_sealed.filter(|_| row.died_on.is_none()) else {
        return Ok(None);
    };
    let phone = tx.keys().unseal(&sealed)?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: purpose.to_owned(),
        act: "person.reveal".to_owned(),
        subject_kind: "person".to_owned(),
        subject_id: id.to_string(),
        region: Some(crate::stored::region(&row.lives_in)?),
        detail: json!({ "fields": ["phone"] }),
    });
    Ok(Some(phone))
}
