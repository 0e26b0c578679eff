//! Finding one person (查一个人): by identifier or document, within the scope.
//!
//! Opening a record is a read of personal data and stands in the journal; what lies outside the scope is answered like
//! what does not exist.

use super::register::{document_blind, phone_blind};
use super::{Person, PersonRow};
use crate::merging::same;
use crate::reading::Reading;
use crate::search_keys;
use crate::tables::{person, search_key};
use access::Scope;
use anyhow::Context;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use store::inside;
use store::{Db, Event, Tx};
use uuid::Uuid;
use vocab::Document;
use vocab::ids::PersonId;

/// One person's record (人员详情), masked; the read is journalled.
///
/// Opens its own transaction for the journal: do not call it while holding a [`Tx`].
///
/// # Errors
/// Faults of the database.
pub async fn person(db: &Db, scope: &Scope, id: PersonId) -> anyhow::Result<Option<Person>> {
    let Some(row) = one_row(db, scope, id).await? else {
        return Ok(None);
    };
    journalled(db, scope, Person::of(row, db.keys())?, "id")
        .await
        .map(Some)
}

/// The person holding a document (按证件查人), if they live in the scope; the read is journalled.
///
/// # Errors
/// Faults of the database.
pub async fn find_by_document(
    db: &Db,
    scope: &Scope,
    document: &Document,
) -> anyhow::Result<Option<Person>> {
    let Some(blind) = document_blind(db.keys(), document) else {
        return Ok(None);
    };
    let row = person::Entity::find()
        .filter(person::Column::DocumentBlind.eq(blind))
        .filter(person::Column::DocumentKind.eq(document.kind().code()))
        .one(db.conn())
        .await
        .context("finding a person by document")?;
    // A document of a record that was merged is one of the person it was merged into, who may live elsewhere since.
    let row = match row {
        Some(row) => {
            let survivor = same(db, [row.id], None).await?.survivor(row.id);
            one_row(db, scope, PersonId(survivor)).await?
        }
        None => None,
    };
    match row {
        None => Ok(None),
        Some(row) => journalled(db, scope, Person::of(row, db.keys())?, "document")
            .await
            .map(Some),
    }
}

async fn journalled(db: &Db, scope: &Scope, person: Person, by: &str) -> anyhow::Result<Person> {
    let mut tx = db.begin().await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "person.read".to_owned(),
        subject_kind: "person".to_owned(),
        subject_id: person.id.to_string(),
        region: Some(person.lives_in),
        detail: json!({ "found_by": by }),
    });
    tx.commit().await?;
    Ok(person)
}

/// The row of a person in the scope.
pub(crate) async fn one_row(
    source: &impl Reading,
    scope: &Scope,
    id: PersonId,
) -> anyhow::Result<Option<person::Model>> {
    person::Entity::find_by_id(id.0)
        .filter(inside(person::Column::LivesIn, scope.region))
        .one(source.connection())
        .await
        .context("reading a person")
}

/// As [`one_row`], locked for change; of a record that was merged, the one that survives.
pub(crate) async fn one_row_for_change(
    tx: &Tx,
    scope: &Scope,
    id: PersonId,
) -> anyhow::Result<Option<person::Model>> {
    let survivor = same(tx, [id.0], None).await?.survivor(id.0);
    person::Entity::find_by_id(survivor)
        .filter(inside(person::Column::LivesIn, scope.region))
        .lock_exclusive()
        .one(tx.conn())
        .await
        .context("reading a person for change")
}

/// Several people as list rows (批量取人员行), those outside the scope left out; in the order of their identifiers.
///
/// # Errors
/// Faults of the database.
pub async fn rows(
    source: &impl Reading,
    scope: &Scope,
    ids: &[PersonId],
) -> anyhow::Result<Vec<PersonRow>> {
    let mut all = Vec::with_capacity(ids.len());
    for some in ids.chunks(500) {
        let found = person::Entity::find()
            .filter(person::Column::Id.is_in(some.iter().map(|id| id.0)))
            .filter(inside(person::Column::LivesIn, scope.region))
            .order_by_asc(person::Column::Id)
            .all(source.connection())
            .await
            .context("reading people")?;
        for row in found {
            all.push(Person::of(row, source.sealing_keys())?.into());
        }
    }
    Ok(all)
}

/// Which of these documents are registered anywhere (按证件批量查编号), scope or not: for imports, which must know that a
/// document is taken. Says nothing about the holder but the identifier and whether the scope holds them.
///
/// # Errors
/// Faults of the database.
pub async fn ids_by_document(
    source: &impl Reading,
    scope: &Scope,
    documents: &[Document],
) -> anyhow::Result<BTreeMap<Document, (PersonId, bool)>> {
    let keys = source.sealing_keys();
    let blinds: BTreeMap<(String, &str), &Document> = documents
        .iter()
        .filter_map(|d| document_blind(keys, d).map(|blind| ((blind, d.kind().code()), d)))
        .collect();
    let wanted: Vec<String> = blinds.keys().map(|(blind, _)| blind.clone()).collect();
    let mut found = BTreeMap::new();
    for some in wanted.chunks(500) {
        let rows = person::Entity::find()
            .filter(person::Column::DocumentBlind.is_in(some.iter().cloned()))
            .all(source.connection())
            .await
            .context("looking for documents")?;
        for row in rows {
            let key = (
                row.document_blind.clone().unwrap_or_default(),
                row.document_kind.as_str(),
            );
            if let Some(document) = blinds.get(&key) {
                let (mut id, mut place) = (row.id, row.lives_in);
                if row.merged_into.is_some() {
                    id = same(source, [id], None).await?.survivor(id);
                    place = lives_in(source, id).await?;
                }
                let visible = scope.holds(crate::stored::region(&place)?);
                found.insert((*document).clone(), (PersonId(id), visible));
            }
        }
    }
    Ok(found)
}

async fn lives_in(source: &impl Reading, id: Uuid) -> anyhow::Result<String> {
    let row = person::Entity::find_by_id(id)
        .one(source.connection())
        .await
        .context("reading whom a record was merged into")?;
    Ok(row.context("a record was merged into nobody")?.lives_in)
}

/// Whether a person's phone ends in these four digits (手机尾号核对), for the public progress page; no scope, no clear text.
///
/// # Errors
/// Faults of the database.
pub async fn phone_tail_is(
    source: &impl Reading,
    id: PersonId,
    tail: &str,
) -> anyhow::Result<bool> {
    // Whoever was merged since is found under the record that survives.
    let id = same(source, [id.0], None).await?.survivor(id.0);
    let key = search_keys::phone_tail_key(source.sealing_keys(), tail.trim());
    let count = search_key::Entity::find()
        .filter(search_key::Column::Key.eq(key))
        .filter(search_key::Column::PersonId.eq(id))
        .count(source.connection())
        .await
        .context("comparing a phone tail")?;
    Ok(count > 0)
}

/// The identifiers of those who have this phone number or any document of this number (按完整号码查编号), in the scope.
pub(crate) async fn ids_by_whole_number(
    source: &impl Reading,
    place: vocab::Region,
    documents: &[Document],
    phone: Option<&str>,
) -> anyhow::Result<Vec<Uuid>> {
    let keys = source.sealing_keys();
    let blinds: Vec<String> = documents
        .iter()
        .filter_map(|d| document_blind(keys, d))
        .collect();
    let mut any = sea_orm::Condition::any();
    if !blinds.is_empty() {
        any = any.add(person::Column::DocumentBlind.is_in(blinds));
    }
    if let Some(phone) = phone {
        any = any.add(person::Column::PhoneBlind.eq(phone_blind(keys, phone)));
    }
    if any.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Uuid> = person::Entity::find()
        .select_only()
        .column(person::Column::Id)
        .filter(any)
        .into_tuple()
        .all(source.connection())
        .await
        .context("finding people by a whole number")?;
    // A merged record may lie elsewhere than the one it was merged into; who is found lives in the place.
    let same = same(source, rows.iter().copied(), None).await?;
    let ids: BTreeSet<Uuid> = rows.iter().map(|id| same.survivor(*id)).collect();
    person::Entity::find()
        .select_only()
        .column(person::Column::Id)
        .filter(person::Column::Id.is_in(ids))
        .filter(inside(person::Column::LivesIn, place))
        .order_by_asc(person::Column::Id)
        .into_tuple()
        .all(source.connection())
        .await
        .context("finding where those of a whole number live")
}

/// A person with clear numbers and account, for an export that journals itself.
pub(crate) async fn with_clear_numbers(
    db: &Db,
    id: PersonId,
) -> anyhow::Result<(
    Person,
    String,
    Option<String>,
    Option<crate::accounts::Account>,
)> {
    let row = person::Entity::find_by_id(id.0)
        .one(db.conn())
        .await
        .context("reading a person")?
        .context("a member without a person row")?;
    let unsealed =
        |sealed: Option<&Vec<u8>>| sealed.map(|sealed| db.keys().unseal(sealed)).transpose();
    let document = unsealed(row.document_sealed.as_ref())?.unwrap_or_default();
    let phone = unsealed(row.phone_sealed.as_ref())?;
    let account = crate::accounts::current_clear(db, id).await?;
    Ok((Person::of(row, db.keys())?, document, phone, account))
}
