//! What an officer likes (个人偏好): which columns of a list are shown; kept for the account, for convenience alone.
//!
//! Deliberately absent: anything that decides. A preference lost harms nobody, so it is written without an entry in the
//! journal, and replaced without a trace.

use crate::tables::list_choice::{ActiveModel, Column, Entity};
use anyhow::Context;
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;
use sea_orm::sea_query::OnConflict;
use store::{Db, Tx};
use vocab::ids::OfficerId;

/// The words of the columns an officer chose for a list (所选列); none for who chose nothing.
///
/// # Errors
/// Faults of the database.
pub async fn columns(db: &Db, officer: OfficerId, list: &str) -> anyhow::Result<Vec<String>> {
    let found = Entity::find_by_id((officer.0, list.to_owned()))
        .one(db.conn())
        .await
        .context("reading the columns somebody chose")?;
    Ok(found.map_or_else(Vec::new, |row| {
        row.columns
            .split(',')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    }))
}

/// Keeps the columns an officer chose (保存所选列); none means the usual ones.
///
/// # Errors
/// Faults of the database.
pub async fn keep_columns(
    tx: &Tx,
    officer: OfficerId,
    list: &str,
    words: &[String],
) -> anyhow::Result<()> {
    let row = ActiveModel {
        officer_id: Set(officer.0),
        list: Set(list.to_owned()),
        columns: Set(words.join(",")),
    };
    let again = OnConflict::columns([Column::OfficerId, Column::List])
        .update_column(Column::Columns)
        .to_owned();
    Entity::insert(row)
        .on_conflict(again)
        .exec_without_returning(tx.conn())
        .await
        .context("keeping the columns somebody chose")?;
    Ok(())
}
