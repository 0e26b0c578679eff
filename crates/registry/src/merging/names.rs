//! Search keys of a person of several records (检索键): the surviving record is found by what any of them says.

use crate::search_keys;
use crate::tables::{person, search_key};
use anyhow::Context;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use std::collections::BTreeSet;
use store::{Keys, Tx};

fn keys_of(keys: &Keys, rows: &[person::Model]) -> anyhow::Result<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for row in rows {
        let unsealed =
            |sealed: Option<&Vec<u8>>| sealed.map(|sealed| keys.unseal(sealed)).transpose();
        let number = unsealed(row.document_sealed.as_ref())?;
        let phone = unsealed(row.phone_sealed.as_ref())?;
        all.extend(search_keys::keys_of(
            keys,
            &row.name,
            number.as_deref(),
            phone.as_deref(),
        ));
    }
    Ok(all)
}

/// Removes the keys by which `holder` is found, made of these records; there is no index by person, and none is needed.
pub(crate) async fn drop_names(
    tx: &Tx,
    holder: &person::Model,
    rows: &[person::Model],
) -> anyhow::Result<()> {
    search_key::Entity::delete_many()
        .filter(search_key::Column::Key.is_in(keys_of(tx.keys(), rows)?))
        .filter(search_key::Column::LivesIn.eq(holder.lives_in.clone()))
        .filter(search_key::Column::PersonId.eq(holder.id))
        .exec(tx.conn())
        .await
        .context("removing old search keys")?;
    Ok(())
}

/// Writes the keys by which `holder` is found, made of these records.
pub(crate) async fn put_names(
    tx: &Tx,
    holder: &person::Model,
    rows: &[person::Model],
) -> anyhow::Result<()> {
    let rows: Vec<_> = keys_of(tx.keys(), rows)?
        .into_iter()
        .map(|key| {
            search_key::Model {
                key,
                lives_in: holder.lives_in.clone(),
                person_id: holder.id,
            }
            .into_active_model()
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    search_key::Entity::insert_many(rows)
        .exec_without_returning(tx.conn())
        .await
        .context("writing search keys")?;
    Ok(())
}
