//! Asked once (幂等键): the answer to a call of a program, kept for a day, so that the same call sent again does nothing new.
//!
//! Guarantees: the call is put down *before* it is carried out, so that of many at once one is carried out; another body
//! under the same word is refused; answers are sealed. What was put down and never answered (the machine stopped in
//! between) is told as unknown and never carried out again under that word. Deliberately absent: HTTP.

use crate::tables::asked;
use anyhow::Context;
use chrono::Duration;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter};
use store::Db;
use uuid::Uuid;

/// Hours an answer is kept.
pub const HOURS: i64 = 24;

/// An answer as it was given (已给的回应).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The status.
    pub status: u16,
    /// The content type.
    pub media: String,
    /// The body.
    pub body: String,
}

/// What is known of a call (此次调用).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Nobody asked so before: it is to be carried out and then [`settle`]d.
    New(Uuid),
    /// It was answered so.
    Same(Said),
    /// Another body came under the same word.
    Other,
    /// It was put down and not answered yet, or never will be.
    Open,
}

/// A call (调用): whose, which, under which word, with what.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The key.
    pub key: Uuid,
    /// The verb and the path.
    pub route: &'a str,
    /// The word the program gave.
    pub word: &'a str,
    /// The body.
    pub body: &'a str,
}

/// Puts a call down, or says what is known of it (登记调用).
///
/// # Errors
/// A fault of the database.
pub async fn ask(db: &Db, call: Call<'_>) -> anyhow::Result<Asked> {
    let keys = db.keys();
    let word = keys.blind(
        "access.asked",
        &format!("{}\n{}\n{}", call.key, call.route, call.word),
    );
    let body = keys.blind("access.asked_body", call.body);
    let tx = db.begin().await?;
    let now = tx.now();
    asked::Entity::delete_many()
        .filter(asked::Column::At.lt(now - Duration::hours(HOURS)))
        .exec(tx.conn())
        .await
        .context("forgetting old answers")?;
    let id = tx.new_id();
    let put = asked::Entity::insert(asked::ActiveModel {
        id: Set(id),
        word: Set(word.clone()),
        body: Set(body.clone()),
        at: Set(now),
        status: Set(None),
        said: Set(None),
    })
    .on_conflict(
        sea_orm::sea_query::OnConflict::column(asked::Column::Word)
            .do_nothing()
            .to_owned(),
    )
    .exec_without_returning(tx.conn())
    .await
    .context("putting a call down")?;
    tx.commit().await?;
    if put > 0 {
        return Ok(Asked::New(id));
    }
    let found = asked::Entity::find()
        .filter(asked::Column::Word.eq(word))
        .one(db.conn())
        .await
        .context("reading an earlier call")?;
    let Some(found) = found else {
        return Ok(Asked::Open);
    };
    if found.body != body {
        return Ok(Asked::Other);
    }
    let (Some(status), Some(sealed)) = (found.status, found.said) else {
        return Ok(Asked::Open);
    };
    let text = keys.unseal(&sealed)?;
    let (media, body) = text.split_once('\n').context("an answer in two parts")?;
    Ok(Asked::Same(Said {
        status: u16::try_from(status)?,
        media: media.to_owned(),
        body: body.to_owned(),
    }))
}

/// Keeps the answer to a call (留存回应).
///
/// # Errors
/// A fault of the database.
pub async fn settle(db: &Db, id: Uuid, said: &Said) -> anyhow::Result<()> {
    let tx = db.begin().await?;
    let sealed = tx.keys().seal(&format!("{}\n{}", said.media, said.body));
    asked::ActiveModel {
        id: Set(id),
        status: Set(Some(i64::from(said.status))),
        said: Set(Some(sealed)),
        ..Default::default()
    }
    .update(tx.conn())
    .await
    .context("keeping an answer")?;
    tx.commit().await
}
