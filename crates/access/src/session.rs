//! Sessions (会话): who is signed in, since when, on which machine; how a session ends.
//!
//! The token is 256 random bits, known only to the browser; the table keeps a keyed fingerprint of it. A session dies
//! after half an hour without use and after eight hours anyway. Roles are read afresh at every request, so a role taken
//! away is gone at once.

use crate::officer::{roles_of, row};
use crate::tables::{officer, session};
use crate::{Actor, secret};
use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use store::{Db, Tx};
use vocab::ids::{OfficerId, SessionId};

/// How long sessions live (会话时限).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Minutes without use.
    pub idle_minutes: i64,
    /// Hours in all.
    pub absolute_hours: i64,
    /// Sessions one officer may have at once.
    pub at_once: usize,
    /// Minutes for which showing the password or the code once more holds.
    pub again_minutes: i64,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            idle_minutes: 30,
            absolute_hours: 8,
            at_once: 3,
            again_minutes: 5,
        }
    }
}

/// Minutes in which a code must follow the password.
const CODE_MINUTES: i64 = 5;

/// A session (会话), without its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The identifier; safe to show and to log, useless for getting in.
    pub id: SessionId,
    /// Whose it is.
    pub officer: OfficerId,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub seen_at: DateTime<Utc>,
    /// When it ends in any case.
    pub closes_at: DateTime<Utc>,
    /// Whether every factor the officer enrolled was shown.
    pub proved: bool,
    /// When a second factor was last shown.
    pub proved_at: Option<DateTime<Utc>>,
    /// When the password or the code was last shown once more, for an act that asks for it.
    pub again_at: Option<DateTime<Utc>>,
    /// The browser, as it calls itself.
    pub device: String,
}

/// A session just opened (新会话): the only moment its token exists outside the browser.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The token for the cookie.
    pub token: String,
    /// The session.
    pub session: Session,
    /// Whether the password must be changed first.
    pub must_change: bool,
}

/// Who is behind a request (已登录者).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The session.
    pub session: Session,
    /// The officer, with the roles held at this moment.
    pub actor: Actor,
    /// Whether the password must be changed before anything else.
    pub must_change: bool,
    /// Whether the officer has enrolled a second factor.
    pub second_factor: bool,
    /// When the password was set.
    pub password_set_at: DateTime<Utc>,
}

fn token_key(keys: &store::Keys, token: &str) -> String {
    keys.blind("access.session", token)
}

fn shown(row: session::Model) -> Session {
    Session {
        id: SessionId(row.id),
        officer: OfficerId(row.officer_id),
        opened_at: row.opened_at,
        seen_at: row.seen_at,
        closes_at: row.closes_at,
        proved: row.proved,
        proved_at: row.proved_at,
        again_at: row.again_at,
        device: row.device,
    }
}

/// Opens a session after the password was right; ends the oldest ones beyond the number allowed at once.
pub(crate) async fn open(
    tx: &mut Tx,
    times: Times,
    officer: &officer::Model,
    device: &str,
) -> anyhow::Result<Opened> {
    let now = tx.now();
    let token = secret::token();
    let proved = !officer.code_confirmed;
    let life = if proved {
        Duration::hours(times.absolute_hours)
    } else {
        Duration::minutes(CODE_MINUTES)
    };
    let row = session::ActiveModel {
        id: Set(tx.new_id()),
        token_key: Set(token_key(tx.keys(), &token)),
        officer_id: Set(officer.id),
        opened_at: Set(now),
        seen_at: Set(now),
        closes_at: Set(now + life),
        proved: Set(proved),
        proved_at: Set(None),
        again_at: Set(None),
        device: Set(device.chars().take(120).collect()),
        ended_at: Set(None),
        ended_why: Set(None),
    }
    .insert(tx.conn())
    .await
    .context("writing a new session")?;
    let open = session::Entity::find()
        .filter(session::Column::OfficerId.eq(officer.id))
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::ClosesAt.gt(now))
        .order_by_desc(session::Column::OpenedAt)
        .order_by_desc(session::Column::Id)
        .all(tx.conn())
        .await
        .context("reading open sessions")?;
    for old in open.into_iter().skip(times.at_once) {
        end_row(tx, old, "同时登录过多").await?;
    }
    Ok(Opened {
        token,
        session: shown(row),
        must_change: officer.must_change,
    })
}

/// The open session behind a token (取会话), proved or not; `None` when it ended, grew old or never was.
///
/// # Errors
/// A fault of the database.
pub async fn signed(db: &Db, times: Times, token: &str) -> anyhow::Result<Option<Signed>> {
    let found = session::Entity::find()
        .filter(session::Column::TokenKey.eq(token_key(db.keys(), token)))
        .one(db.conn())
        .await
        .context("looking for a session")?;
    let now = db.now();
    let Some(found) = found.filter(|row| alive(row, times, now)) else {
        return Ok(None);
    };
    let Some(officer) = row(db.conn(), OfficerId(found.officer_id))
        .await?
        .filter(|row| row.enabled)
    else {
        return Ok(None);
    };
    let roles = if found.proved {
        roles_of(db.conn(), officer.id).await?
    } else {
        Vec::new()
    };
    let found = if now - found.seen_at >= Duration::minutes(1) {
        touch(db, found, now).await?
    } else {
        found
    };
    Ok(Some(Signed {
        session: shown(found),
        actor: Actor::officer(OfficerId(officer.id), officer.name, roles),
        must_change: officer.must_change,
        second_factor: officer.code_confirmed,
        password_set_at: officer.password_set_at,
    }))
}

/// The pure part of [`signed`]: whether a session still opens the door.
fn alive(row: &session::Model, times: Times, now: DateTime<Utc>) -> bool {
    row.ended_at.is_none()
        && now < row.closes_at
        && now - row.seen_at < Duration::minutes(times.idle_minutes)
}

/// Writes down that a session was used; once a minute is enough for a limit of thirty.
async fn touch(db: &Db, row: session::Model, now: DateTime<Utc>) -> anyhow::Result<session::Model> {
    let tx = db.begin().await?;
    let mut changed: session::ActiveModel = row.into();
    changed.seen_at = Set(now);
    let row = changed
        .update(tx.conn())
        .await
        .context("noting the use of a session")?;
    tx.commit().await?;
    Ok(row)
}

/// Marks a session as proved by a second factor and gives it a new token and its full life.
pub(crate) async fn prove(
    tx: &mut Tx,
    times: Times,
    id: SessionId,
) -> anyhow::Result<Option<Opened>> {
    let Some(row) = session::Entity::find_by_id(id.0)
        .one(tx.conn())
        .await
        .context("reading a session")?
    else {
        return Ok(None);
    };
    let token = secret::token();
    let now = tx.now();
    let mut changed: session::ActiveModel = row.into();
    changed.token_key = Set(token_key(tx.keys(), &token));
    changed.proved = Set(true);
    changed.proved_at = Set(Some(now));
    changed.seen_at = Set(now);
    changed.closes_at = Set(now + Duration::hours(times.absolute_hours));
    let row = changed
        .update(tx.conn())
        .await
        .context("marking a session as proved")?;
    Ok(Some(Opened {
        token,
        session: shown(row),
        must_change: false,
    }))
}

/// Notes that the password or the code was shown once more.
pub(crate) async fn note_again(tx: &Tx, id: SessionId) -> anyhow::Result<()> {
    session::ActiveModel {
        id: Set(id.0),
        again_at: Set(Some(tx.now())),
        ..Default::default()
    }
    .update(tx.conn())
    .await
    .context("noting that somebody showed once more who is there")?;
    Ok(())
}

/// Carries a session over a jump of the demonstration clock (演示时钟前进时保留会话). Of no use with a real clock:
/// an ended or overdue session is not revived.
///
/// # Errors
/// A fault of the database.
pub async fn carry_over(
    tx: &mut Tx,
    times: Times,
    id: SessionId,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let Some(row) = session::Entity::find_by_id(id.0)
        .one(tx.conn())
        .await
        .context("reading a session")?
    else {
        return Ok(());
    };
    if !alive(&row, times, tx.now()) {
        return Ok(());
    }
    let mut changed: session::ActiveModel = row.into();
    changed.seen_at = Set(now);
    changed.closes_at = Set(now + Duration::hours(times.absolute_hours));
    changed
        .update(tx.conn())
        .await
        .context("carrying a session over")?;
    Ok(())
}

/// The open sessions of an officer, newest first (在用会话).
///
/// # Errors
/// A fault of the database.
pub async fn open_of(db: &Db, times: Times, officer: OfficerId) -> anyhow::Result<Vec<Session>> {
    let rows = session::Entity::find()
        .filter(session::Column::OfficerId.eq(officer.0))
        .filter(session::Column::EndedAt.is_null())
        .order_by_desc(session::Column::OpenedAt)
        .all(db.conn())
        .await
        .context("reading open sessions")?;
    let now = db.now();
    Ok(rows
        .into_iter()
        .filter(|row| alive(row, times, now))
        .map(shown)
        .collect())
}

/// Ends one session of an officer (退出). A session of somebody else is left alone.
///
/// # Errors
/// A fault of the database.
pub async fn end(tx: &mut Tx, officer: OfficerId, id: SessionId, why: &str) -> anyhow::Result<()> {
    let found = session::Entity::find_by_id(id.0)
        .one(tx.conn())
        .await
        .context("reading a session")?;
    if let Some(row) = found.filter(|row| row.officer_id == officer.0 && row.ended_at.is_none()) {
        end_row(tx, row, why).await?;
        tx.note(crate::sign_in::event(
            officer,
            "access.session_ended",
            &officer.to_string(),
        ));
    }
    Ok(())
}

/// Ends all sessions of an officer (全部下线).
///
/// # Errors
/// A fault of the database.
pub async fn end_all(tx: &mut Tx, officer: OfficerId, why: &str) -> anyhow::Result<()> {
    end_where(tx, officer, None, why).await
}

/// Ends all sessions of an officer but one (其他设备下线).
///
/// # Errors
/// A fault of the database.
pub async fn end_others(
    tx: &mut Tx,
    officer: OfficerId,
    kept: SessionId,
    why: &str,
) -> anyhow::Result<()> {
    end_where(tx, officer, Some(kept), why).await
}

async fn end_where(
    tx: &mut Tx,
    officer: OfficerId,
    kept: Option<SessionId>,
    why: &str,
) -> anyhow::Result<()> {
    let open = session::Entity::find()
        .filter(session::Column::OfficerId.eq(officer.0))
        .filter(session::Column::EndedAt.is_null())
        .all(tx.conn())
        .await
        .context("reading open sessions")?;
    for row in open
        .into_iter()
        .filter(|row| kept.is_none_or(|kept| kept.0 != row.id))
    {
        end_row(tx, row, why).await?;
    }
    Ok(())
}

async fn end_row(tx: &mut Tx, row: session::Model, why: &str) -> anyhow::Result<()> {
    let mut changed: session::ActiveModel = row.into();
    changed.ended_at = Set(Some(tx.now()));
    changed.ended_why = Set(Some(why.to_owned()));
    changed
        .update(tx.conn())
        .await
        .context("ending a session")?;
    Ok(())
}
