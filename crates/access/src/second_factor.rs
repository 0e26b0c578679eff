//! The second factor (动态口令): enrolling an authenticator, showing a code, and never accepting the same code twice.
//!
//! The secret is stored encrypted; the step of the last accepted code is stored beside it, and only a later step is
//! accepted, so that a code read over a shoulder is worthless.

use crate::session::{self, Opened};
use crate::tables::officer;
use crate::{Door, Signed, secret};
use anyhow::{Context, anyhow};
use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter};
use store::{Db, Tx};
use totp_rs::{Builder, Secret, Totp};

/// Seconds a code is valid.
const STEP_SECONDS: u64 = 30;

/// Why a code was not accepted (动态口令被拒).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The code is wrong, too old, or was used before.
    #[error("动态口令不对或已用过，请等下一个口令再试")]
    WrongCode,
    /// Enrolling was not begun.
    #[error("请先扫码绑定动态口令")]
    NotBegun,
    /// Too many wrong codes; the session was ended.
    #[error("动态口令错误次数太多，请重新登录")]
    TooManyTries,
}

/// A secret to be put into an authenticator (待绑定的动态口令).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// The secret in base 32, for typing.
    pub secret: String,
    /// The link behind the QR code.
    pub link: String,
}

pub(crate) fn generator(secret: &str) -> anyhow::Result<Totp> {
    let secret = Secret::try_from_base32(secret)
        .map_err(|_| anyhow!("a stored second-factor secret is not base 32"))?;
    Builder::new()
        .with_secret(secret)
        .with_step_duration(STEP_SECONDS)
        .build()
        .map_err(|fault| anyhow!("making a code generator: {fault:?}"))
}

/// The step of a right code, if it is later than the last one accepted.
pub(crate) fn accepted(totp: &Totp, code: &str, now: DateTime<Utc>, last_step: i64) -> Option<i64> {
    let seconds = u64::try_from(now.timestamp()).ok()?;
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    let step = i64::try_from(totp.check(&digits, seconds)?).ok()?;
    (step > last_step).then_some(step)
}

/// Begins enrolling (开始绑定): makes a secret, not in force until a code of it was shown.
///
/// # Errors
/// A fault of the database.
pub async fn begin(tx: &mut Tx, signed: &Signed) -> anyhow::Result<Enrolment> {
    let secret = Secret::from(secret::bytes::<20>().to_vec()).to_base32();
    let row = own_row(tx, signed).await?;
    let login = row.login.clone();
    let mut changed: officer::ActiveModel = row.into();
    changed.code_secret = Set(Some(tx.keys().seal(&secret)));
    changed.code_confirmed = Set(false);
    changed.code_last_step = Set(0);
    changed
        .update(tx.conn())
        .await
        .context("storing a second-factor secret")?;
    Ok(put_into(&login, secret))
}

fn put_into(login: &str, secret: String) -> Enrolment {
    let link = format!(
        "otpauth://totp/Huimin:{login}?secret={secret}&issuer=Huimin&digits=6&period={STEP_SECONDS}"
    );
    Enrolment { secret, link }
}

/// The enrolment that was begun and not confirmed yet (未完成的绑定), to be shown again after a wrong code.
///
/// # Errors
/// A fault of the database.
pub async fn enrolment(tx: &Tx, signed: &Signed) -> anyhow::Result<Option<Enrolment>> {
    let row = own_row(tx, signed).await?;
    match row.code_secret.as_deref().filter(|_| !row.code_confirmed) {
        Some(sealed) => Ok(Some(put_into(&row.login, tx.keys().unseal(sealed)?))),
        None => Ok(None),
    }
}

/// Puts the second factor in force after a first right code (确认绑定). Ends the officer's other sessions.
///
/// # Errors
/// A fault of the database; refusals are values.
pub async fn confirm(
    tx: &mut Tx,
    signed: &Signed,
    code: &str,
) -> anyhow::Result<Result<(), Refused>> {
    let row = own_row(tx, signed).await?;
    let Some(sealed) = row.code_secret.as_deref() else {
        return Ok(Err(Refused::NotBegun));
    };
    let totp = generator(&tx.keys().unseal(sealed)?)?;
    let Some(step) = accepted(&totp, code, tx.now(), row.code_last_step) else {
        return Ok(Err(Refused::WrongCode));
    };
    let mut changed: officer::ActiveModel = row.into();
    changed.code_confirmed = Set(true);
    changed.code_last_step = Set(step);
    changed
        .update(tx.conn())
        .await
        .context("putting a second factor in force")?;
    session::end_others(
        tx,
        signed.actor.officer,
        signed.session.id,
        "已启用动态口令",
    )
    .await?;
    tx.note(crate::sign_in::event(
        signed.actor.officer,
        "access.second_factor_on",
        &signed.actor.officer.to_string(),
    ));
    Ok(Ok(()))
}

/// Takes the second factor off, against a right code (停用动态口令).
///
/// # Errors
/// A fault of the database; refusals are values.
pub async fn remove(
    tx: &mut Tx,
    signed: &Signed,
    code: &str,
) -> anyhow::Result<Result<(), Refused>> {
    let row = own_row(tx, signed).await?;
    let Some(sealed) = row.code_secret.as_deref() else {
        return Ok(Err(Refused::NotBegun));
    };
    let totp = generator(&tx.keys().unseal(sealed)?)?;
    if accepted(&totp, code, tx.now(), row.code_last_step).is_none() {
        return Ok(Err(Refused::WrongCode));
    }
    let mut changed: officer::ActiveModel = row.into();
    changed.code_secret = Set(None);
    changed.code_confirmed = Set(false);
    changed.code_last_step = Set(0);
    changed
        .update(tx.conn())
        .await
        .context("taking a second factor off")?;
    tx.note(crate::sign_in::event(
        signed.actor.officer,
        "access.second_factor_off",
        &signed.actor.officer.to_string(),
    ));
    Ok(Ok(()))
}

/// Shows a code after the password (验证动态口令): the session becomes a proved one, under a new token.
///
/// Wrong codes are counted like wrong passwords: after five the session is ended, further codes are refused unread for a
/// quarter of an hour, also in new sessions.
///
/// # Errors
/// A fault of the database; refusals are values.
pub async fn show(
    db: &Db,
    door: &Door,
    signed: &Signed,
    code: &str,
) -> anyhow::Result<Result<Opened, Refused>> {
    let officer = signed.actor.officer;
    let key = db.keys().blind("access.code", &officer.to_string());
    let attempt = crate::sign_in::record(db, key, String::new()).await?;
    let too_many = crate::sign_in::too_many(db, door.limits, &attempt)
        .await?
        .is_some();
    let mut tx = db.begin().await?;
    let row = own_row(&tx, signed).await?;
    let Some(sealed) = row.code_secret.as_deref() else {
        return Ok(Err(Refused::NotBegun));
    };
    let totp = generator(&tx.keys().unseal(sealed)?)?;
    let right = if too_many {
        None
    } else {
        accepted(&totp, code, tx.now(), row.code_last_step)
    };
    let moved = match right {
        Some(step) => move_step(&tx, row.id, step).await?,
        None => false,
    };
    if !moved {
        tx.note(crate::sign_in::event(
            officer,
            "access.wrong_code",
            &officer.to_string(),
        ));
        if too_many {
            session::end(&mut tx, officer, signed.session.id, "动态口令多次错误").await?;
        }
        tx.commit().await?;
        return Ok(Err(if too_many {
            Refused::TooManyTries
        } else {
            Refused::WrongCode
        }));
    }
    crate::sign_in::succeeded(tx.conn(), attempt.id).await?;
    let opened = session::prove(&mut tx, door.times, signed.session.id).await?;
    tx.note(crate::sign_in::event(
        officer,
        "access.code_accepted",
        &officer.to_string(),
    ));
    tx.commit().await?;
    opened
        .map(Ok)
        .context("the session ended while its code was checked")
}

/// Moves the last accepted step on; only one of two requests with the same code changes the row and wins.
pub(crate) async fn move_step(tx: &Tx, officer: uuid::Uuid, step: i64) -> anyhow::Result<bool> {
    let changed = officer::Entity::update_many()
        .col_expr(
            officer::Column::CodeLastStep,
            sea_orm::sea_query::Expr::value(step),
        )
        .filter(officer::Column::Id.eq(officer))
        .filter(officer::Column::CodeLastStep.lt(step))
        .exec(tx.conn())
        .await
        .context("noting the step of a code")?;
    Ok(changed.rows_affected == 1)
}

async fn own_row(tx: &Tx, signed: &Signed) -> anyhow::Result<officer::Model> {
    crate::officer::row(tx.conn(), signed.actor.officer)
        .await?
        .context("the signed-in officer has no account row")
}

#[cfg(test)]
mod tests {
    use super::{accepted, generator};
    use chrono::DateTime;

    #[test]
    fn a_code_is_right_once_within_a_minute_and_a_half() {
        let totp = generator("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP").unwrap();
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let code = totp.generate(1_800_000_000).to_string();
        let step = accepted(&totp, &code, at(1_800_000_000), 0).unwrap();
        assert_eq!(step, 60_000_000);
        assert_eq!(accepted(&totp, &code, at(1_800_000_029), 0), Some(step));
        assert_eq!(
            accepted(&totp, &code, at(1_800_000_000), step),
            None,
            "the same code again"
        );
        assert_eq!(
            accepted(&totp, &code, at(1_800_000_090), 0),
            None,
            "too old"
        );
        assert_eq!(accepted(&totp, "000000", at(1_800_000_000), 0), None);
        assert_eq!(accepted(&totp, "", at(1_800_000_000), 0), None);
    }
}
