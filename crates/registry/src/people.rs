//! People (自然人): what the register keeps of one, and how it is shown.
//!
//! A person is seen where they live. Names stand in clear, because they are searched and printed; document and phone
//! numbers are sealed and shown masked. Reading one record, and revealing what is masked, stands in the journal; a page
//! of rows is a search and stands there as a search by whoever calls it.

mod born;
mod change;
mod find;
mod register;
mod reveal;
mod search;

pub use born::born_on;
pub(crate) use change::CIVIL_REGISTER;
pub use change::{ChangeRefused, move_home, move_hukou, record_death, set_phone, withdraw_death};
pub(crate) use find::with_clear_numbers;
pub use find::{find_by_document, ids_by_document, person, phone_tail_is, rows};
pub use register::{NewPerson, Refused, register_person};
pub(crate) use register::{checked, digest_phone, person_row, phone_blind};
pub use reveal::{Clear, RevealRefused, phone_to_send, reveal};
pub use search::{MOST_FOUND, Query, search};

use crate::tables;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use vocab::ids::PersonId;
use vocab::{DocumentKind, Region, Sex};

/// A person (自然人) as one record shows it, with document and phone numbers masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The identifier.
    pub id: PersonId,
    /// The name (姓名), exactly as registered.
    pub name: String,
    /// The kind of document (证件类型).
    pub document_kind: DocumentKind,
    /// The masked document number (证件号码); empty without a document.
    pub document_masked: String,
    /// The sex (性别).
    pub sex: Sex,
    /// The birth date (出生日期), if known.
    pub birth_date: Option<NaiveDate>,
    /// The masked phone number (手机号), if known.
    pub phone_masked: Option<String>,
    /// Where the household registration lies (户籍地), if known.
    pub hukou: Option<Region>,
    /// The community lived in (居住社区).
    pub lives_in: Region,
    /// The address (详细住址).
    pub address: String,
    /// The day of death (死亡日期), if registered.
    pub died_on: Option<NaiveDate>,
    /// When the person was registered.
    pub registered_at: DateTime<Utc>,
    /// Grows with each change of the row.
    pub version: i64,
    /// The record it was merged into (并入的记录), if it was.
    pub merged_into: Option<PersonId>,
}

/// One line of a list of people (人员列表的一行), masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRow {
    /// The identifier.
    pub id: PersonId,
    /// The name (姓名).
    pub name: String,
    /// The kind of document (证件类型).
    pub document_kind: DocumentKind,
    /// The masked document number (证件号码).
    pub document_masked: String,
    /// The sex (性别).
    pub sex: Sex,
    /// The birth date (出生日期), if known.
    pub birth_date: Option<NaiveDate>,
    /// The masked phone number (手机号), if known.
    pub phone_masked: Option<String>,
    /// The community lived in (居住社区).
    pub lives_in: Region,
    /// The day of death (死亡日期), if registered.
    pub died_on: Option<NaiveDate>,
}

impl From<Person> for PersonRow {
    fn from(person: Person) -> Self {
        Self {
            id: person.id,
            name: person.name,
            document_kind: person.document_kind,
            document_masked: person.document_masked,
            sex: person.sex,
            birth_date: person.birth_date,
            phone_masked: person.phone_masked,
            lives_in: person.lives_in,
            died_on: person.died_on,
        }
    }
}

impl Person {
    pub(crate) fn of(row: tables::person::Model, keys: &store::Keys) -> anyhow::Result<Self> {
        let number = row
            .document_sealed
            .as_deref()
            .map(|sealed| keys.unseal(sealed))
            .transpose()?;
        let phone = row
            .phone_sealed
            .as_deref()
            .map(|sealed| keys.unseal(sealed))
            .transpose()?;
        Ok(Self {
            id: PersonId(row.id),
            name: row.name,
            document_kind: crate::stored::document_kind(&row.document_kind)?,
            document_masked: number
                .map(|number| access::mask_id(&number))
                .unwrap_or_default(),
            sex: crate::stored::sex(&row.sex)?,
            birth_date: row.birth_date,
            phone_masked: phone.map(|phone| access::mask_phone(&phone)),
            hukou: row
                .hukou
                .as_deref()
                .map(crate::stored::region)
                .transpose()?,
            lives_in: crate::stored::region(&row.lives_in)?,
            address: row.address,
            died_on: row.died_on,
            registered_at: row.registered_at,
            version: row.version,
            merged_into: row.merged_into.map(PersonId),
        })
    }
}
