//! Registering a person (登记人员): the document decides who it is, so one document is one person.
//!
//! What the document's number says of birth and sex must agree with what is written; a proof for a different birth date
//! is a correction of the register and not made here.

use crate::tables::{person, search_key};
use crate::{search_keys, stored};
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::json;
use store::{Event, Keys, Tx};
use uuid::Uuid;
use vocab::ids::PersonId;
use vocab::{Document, DocumentKind, Region, Sex};

/// A person to be registered (待登记人员).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPerson {
    /// The name (姓名), kept exactly as given except for blanks around it.
    pub name: String,
    /// The document (证件), already checked by its own rule.
    pub document: Document,
    /// The sex (性别); taken from the document if not stated.
    pub sex: Sex,
    /// The birth date (出生日期); taken from the document if not given.
    pub birth_date: Option<NaiveDate>,
    /// The phone number (手机号), if any.
    pub phone: Option<String>,
    /// Where the household registration lies (户籍地), if known.
    pub hukou: Option<Region>,
    /// The community lived in (居住社区).
    pub lives_in: Region,
    /// The address (详细住址).
    pub address: String,
}

/// Why a person was not registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No name.
    #[error("请填写姓名")]
    NameMissing,
    /// Longer than any name.
    #[error("姓名不能超过 100 个字")]
    NameTooLong,
    /// The place lies outside the officer's scope.
    #[error("居住社区不在您的管辖范围内，请由该社区或上级登记")]
    OutsideScope,
    /// The written birth date contradicts the document.
    #[error("出生日期与证件号码中的不一致，请对照证件核对")]
    BirthDateDiffers,
    /// The birth date lies in the future.
    #[error("出生日期晚于今天，请核对")]
    BornInTheFuture,
    /// The written sex contradicts the document.
    #[error("性别与证件号码中的不一致，请对照证件核对")]
    SexDiffers,
    /// The phone number is none.
    #[error("手机号应为 11 位数字，固定电话请带区号；请核对")]
    NotAPhone,
    /// The document is registered already; who it is, if the officer may know.
    #[error(
        "该证件号码已经登记，请直接查找此人；如查不到，说明此人登记在其他社区，请联系上级办理迁移"
    )]
    AlreadyRegistered(Option<PersonId>),
}

/// Registers a person (登记人员).
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn register_person(
    tx: &mut Tx,
    scope: &Scope,
    new: NewPerson,
) -> anyhow::Result<Result<PersonId, Refused>> {
    let new = match checked(new, scope, tx.today()) {
        Ok(new) => new,
        Err(refused) => return Ok(Err(refused)),
    };
    if let Some(blind) = document_blind(tx.keys(), &new.document) {
        store::dialect::lock_name(tx, &blind).await?;
        let kind = new.document.kind().code();
        let known = person::Entity::find()
            .filter(person::Column::DocumentBlind.eq(blind))
            .filter(person::Column::DocumentKind.eq(kind))
            .one(tx.conn())
            .await
            .context("looking for the document before registering")?;
        if let Some(mut known) = known {
            if known.merged_into.is_some() {
                let survivor = crate::merging::same(tx, [known.id], None)
                    .await?
                    .survivor(known.id);
                known = person::Entity::find_by_id(survivor)
                    .one(tx.conn())
                    .await
                    .context("reading whom a record was merged into")?
                    .context("a record was merged into nobody")?;
            }
            let visible = scope.holds(stored::region(&known.lives_in)?);
            return Ok(Err(Refused::AlreadyRegistered(
                visible.then_some(PersonId(known.id)),
            )));
        }
    }
    let id = tx.new_id();
    let (row, keys) = person_row(tx.keys(), id, &new, tx.now(), scope.actor.officer.0);
    person::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx.conn())
        .await
        .context("inserting a person")?;
    write_keys(tx, keys).await?;
    crate::duplicates::write_blocks(tx, &row).await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "person.register".to_owned(),
        subject_kind: "person".to_owned(),
        subject_id: id.to_string(),
        region: Some(new.lives_in),
        detail: json!({ "document_kind": new.document.kind().code() }),
    });
    Ok(Ok(PersonId(id)))
}

/// The checks of a new person, without a database; gives it back completed from its document.
pub(crate) fn checked(
    mut new: NewPerson,
    scope: &Scope,
    today: NaiveDate,
) -> Result<NewPerson, Refused> {
    new.name = new.name.trim().to_owned();
    if new.name.is_empty() {
        return Err(Refused::NameMissing);
    }
    if new.name.chars().count() > 100 {
        return Err(Refused::NameTooLong);
    }
    if !scope.holds(new.lives_in) {
        return Err(Refused::OutsideScope);
    }
    match (new.birth_date, new.document.birth_date()) {
        (Some(written), Some(read)) if written != read => return Err(Refused::BirthDateDiffers),
        (None, read) => new.birth_date = read,
        _ => {}
    }
    if new.birth_date.is_some_and(|born| born > today) {
        return Err(Refused::BornInTheFuture);
    }
    match (new.sex, new.document.sex()) {
        (Sex::Unknown | Sex::NotStated, Some(read)) => new.sex = read,
        (written, Some(read)) if written != read => return Err(Refused::SexDiffers),
        _ => {}
    }
    new.phone = match new.phone.as_deref().map(str::trim) {
        None | Some("") => None,
        Some(phone) => Some(digest_phone(phone).ok_or(Refused::NotAPhone)?),
    };
    Ok(new)
}

/// The digits of a phone number as people write it; `None` if it is none.
pub(crate) fn digest_phone(written: &str) -> Option<String> {
    let digits: String = written
        .trim()
        .trim_start_matches("+86")
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '－' | '(' | ')' | '（' | '）'))
        .collect();
    let is_mobile = digits.len() == 11 && digits.starts_with('1');
    let is_landline = (7..=12).contains(&digits.len()) && !digits.starts_with('1');
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    (all_digits && (is_mobile || is_landline)).then_some(digits)
}

/// The blind index of a document; none for "no document", of which there may be many.
pub(crate) fn document_blind(keys: &Keys, document: &Document) -> Option<String> {
    (document.kind() != DocumentKind::None).then(|| {
        keys.blind(
            &format!("document.{}", document.kind().code()),
            document.number(),
        )
    })
}

/// The blind index of a phone number.
pub(crate) fn phone_blind(keys: &Keys, digits: &str) -> String {
    keys.blind("phone", digits)
}

/// The rows of a checked new person.
pub(crate) fn person_row(
    keys: &Keys,
    id: Uuid,
    new: &NewPerson,
    now: DateTime<Utc>,
    by: Uuid,
) -> (person::Model, Vec<search_key::Model>) {
    let number = (new.document.kind() != DocumentKind::None).then(|| new.document.number());
    let row = person::Model {
        id,
        name: new.name.clone(),
        document_kind: new.document.kind().code().to_owned(),
        document_sealed: number.map(|number| keys.seal(number)),
        document_blind: document_blind(keys, &new.document),
        sex: new.sex.code().to_owned(),
        birth_date: new.birth_date,
        phone_sealed: new.phone.as_deref().map(|phone| keys.seal(phone)),
        phone_blind: new.phone.as_deref().map(|phone| phone_blind(keys, phone)),
        hukou: new.hukou.map(|hukou| hukou.to_string()),
        lives_in: new.lives_in.to_string(),
        address: new.address.clone(),
        died_on: None,
        registered_at: now,
        registered_by: by,
        version: 1,
        merged_into: None,
    };
    let search = key_rows(
        keys,
        id,
        new.lives_in,
        &new.name,
        number,
        new.phone.as_deref(),
    );
    (row, search)
}

/// The search keys of a person as rows.
pub(crate) fn key_rows(
    keys: &Keys,
    id: Uuid,
    lives_in: Region,
    name: &str,
    number: Option<&str>,
    phone: Option<&str>,
) -> Vec<search_key::Model> {
    search_keys::keys_of(keys, name, number, phone)
        .into_iter()
        .map(|key| search_key::Model {
            key,
            lives_in: lives_in.to_string(),
            person_id: id,
        })
        .collect()
}

pub(crate) async fn write_keys(tx: &Tx, rows: Vec<search_key::Model>) -> anyhow::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    search_key::Entity::insert_many(rows.into_iter().map(IntoActiveModel::into_active_model))
        .exec_without_returning(tx.conn())
        .await
        .context("writing search keys")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> NewPerson {
        let today = NaiveDate::from_ymd_opt(2026, 7, 1).unwrap();
        NewPerson {
            name: " 张芳 ".to_owned(),
            document: Document::read(DocumentKind::ResidentId, "231025195607150042", today)
                .unwrap(),
            sex: Sex::Unknown,
            birth_date: None,
            phone: Some("170-0000-1234".to_owned()),
            hukou: None,
            lives_in: "440306001001".parse().unwrap(),
            address: String::new(),
        }
    }

    fn check(new: NewPerson) -> Result<NewPerson, Refused> {
        let scope = Scope::system("440306001".parse().unwrap());
        checked(new, &scope, NaiveDate::from_ymd_opt(2026, 7, 1).unwrap())
    }

    #[test]
    fn what_the_document_says_is_filled_in() {
        let person = check(new()).unwrap();
        assert_eq!(person.name, "张芳");
        assert_eq!(person.sex, Sex::Female);
        assert_eq!(person.birth_date, NaiveDate::from_ymd_opt(1956, 7, 15));
        assert_eq!(person.phone.as_deref(), Some("17000001234"));
    }

    #[test]
    fn each_contradiction_has_its_own_refusal() {
        type Spoil = fn(&mut NewPerson);
        let table: [(Spoil, Refused); 6] = [
            (|p| p.name = "　".to_owned(), Refused::NameMissing),
            (|p| p.name = "长".repeat(101), Refused::NameTooLong),
            (
                |p| p.lives_in = "440306002001".parse().unwrap(),
                Refused::OutsideScope,
            ),
            (
                |p| p.birth_date = NaiveDate::from_ymd_opt(1956, 7, 16),
                Refused::BirthDateDiffers,
            ),
            (|p| p.sex = Sex::Male, Refused::SexDiffers),
            (|p| p.phone = Some("12".to_owned()), Refused::NotAPhone),
        ];
        for (spoil, refused) in table {
            let mut person = new();
            spoil(&mut person);
            assert_eq!(check(person), Err(refused));
        }
    }

    #[test]
    fn phones_are_read_as_people_write_them() {
        assert_eq!(
            digest_phone("+86 170 0000 1234").as_deref(),
            Some("17000001234")
        );
        assert_eq!(
            digest_phone("(0755)2777-0000").as_deref(),
            Some("075527770000")
        );
        assert_eq!(digest_phone("1234"), None);
        assert_eq!(digest_phone("1.7E+10"), None);
    }
}
