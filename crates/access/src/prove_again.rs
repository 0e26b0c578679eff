//! Showing once more who is there (再次验证身份), for acts the permission table marks: the code where one is enrolled, the
//! password otherwise.
//!
//! Guarantees: signing in does not count, only having been asked for such an act does, and only for a few minutes and in
//! this session; wrong tries are counted apart from signing in, so that somebody at an unattended desk cannot lock the
//! account; after too many of them the session ends. Deliberately absent: which acts ask ([`crate::TABLE`]) and pages.

use crate::session::{self, Times};
use crate::sign_in::{event, record, succeeded, too_many};
use crate::{Door, Session, Signed, officer, second_factor};
use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use store::Db;

/// Why it was not believed (再次验证未通过).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Another password than the officer's.
    #[error("密码不对，请重新输入")]
    WrongPassword,
    /// The code is wrong, too old, or was used before.
    #[error("动态口令不对或已用过，请等下一个口令再试")]
    WrongCode,
    /// Too many wrong tries; the session was ended.
    #[error("身份验证错误次数太多，已为您退出，请重新登录")]
    TooManyTries,
}

/// Whether it was shown recently enough (是否刚验证过).
pub fn is_fresh(session: &Session, times: Times, now: DateTime<Utc>) -> bool {
    session
        .again_at
        .is_some_and(|at| at <= now && now - at < Duration::minutes(times.again_minutes))
}

/// Shows once more who is there (再次验证身份): `shown` is the code where the officer has enrolled one, else the password.
///
/// # Errors
/// A fault of the database; refusals are values.
pub async fn prove_again(
    db: &Db,
    door: &Door,
    signed: &Signed,
    shown: &str,
) -> anyhow::Result<Result<(), Refused>> {
    let id = signed.actor.officer;
    let key = db.keys().blind("access.again", &id.to_string());
    let attempt = record(db, key, String::new()).await?;
    if too_many(db, door.limits, &attempt).await?.is_some() {
        let mut tx = db.begin().await?;
        session::end(&mut tx, id, signed.session.id, "再次验证多次错误").await?;
        tx.commit().await?;
        return Ok(Err(Refused::TooManyTries));
    }
    let row = officer::row(db.conn(), id)
        .await?
        .context("the signed-in officer has no account row")?;
    let code = row.code_secret.as_deref().filter(|_| row.code_confirmed);
    // The password is looked at before the transaction: it takes a while, and a transaction is for writing.
    let right = match code {
        Some(_) => true,
        None => door.belongs(shown, &row.password_hash).await?,
    };
    let mut tx = db.begin().await?;
    let right = match code {
        Some(sealed) => {
            let totp = second_factor::generator(&tx.keys().unseal(sealed)?)?;
            match second_factor::accepted(&totp, shown, tx.now(), row.code_last_step) {
                Some(step) => second_factor::move_step(&tx, row.id, step).await?,
                None => false,
            }
        }
        None => right,
    };
    let act = if right {
        succeeded(tx.conn(), attempt.id).await?;
        session::note_again(&tx, signed.session.id).await?;
        "access.proved_again"
    } else {
        "access.not_proved_again"
    };
    tx.note(event(id, act, &id.to_string()));
    tx.commit().await?;
    Ok(match (right, code) {
        (true, _) => Ok(()),
        (false, Some(_)) => Err(Refused::WrongCode),
        (false, None) => Err(Refused::WrongPassword),
    })
}
