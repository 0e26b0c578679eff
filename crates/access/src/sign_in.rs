//! Signing in (登录): account name and password, slowed down against guessing, then a code where one is enrolled.
//!
//! Guarantees: the answer and the time are the same for a wrong password and an unknown account; after five failures of
//! an account or twenty from one address within a quarter of an hour further tries are refused unread, and nobody is
//! locked out for ever. An attempt is committed *before* the password is looked at, so that a thousand tries at once
//! count each other. Deliberately absent: cookies and pages.

use crate::password::{PasswordCost, PasswordPolicy, belongs};
use crate::session::{self, Opened};
use crate::tables::{attempt, officer};
use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder,
};
use serde_json::json;
use std::sync::Arc;
use store::{Db, Event};
use tokio::sync::Semaphore;
use uuid::Uuid;
use vocab::ids::OfficerId;

/// How many failures are borne, over how long (登录限制).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Failures of one account.
    pub per_account: u64,
    /// Failures from one address.
    pub per_address: u64,
    /// Minutes over which they are counted.
    pub minutes: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_account: 5,
            per_address: 20,
            minutes: 15,
        }
    }
}

/// The settings of the door (登录设置): made once, shared by all requests.
#[derive(Clone)]
pub struct Door {
    /// The cost of new passwords.
    pub cost: PasswordCost,
    /// The rule passwords follow.
    pub policy: PasswordPolicy,
    /// How many failures are borne.
    pub limits: Limits,
    /// How long sessions live.
    pub times: session::Times,
    decoy: Arc<str>,
    turns: Arc<Semaphore>,
}

impl Door {
    /// Settings with this cost and rule (登录设置).
    ///
    /// # Errors
    /// A cost that argon2 refuses.
    pub fn new(cost: PasswordCost, policy: PasswordPolicy) -> anyhow::Result<Self> {
        let decoy = cost
            .hash(&crate::secret::token())
            .context("making the decoy for unknown accounts")?;
        Ok(Self {
            cost,
            policy,
            limits: Limits::default(),
            times: session::Times::default(),
            decoy: decoy.into(),
            // Two checks at once: each takes the whole of a core and much memory, so a flood of sign-ins queues here
            // and the other pages go on being served.
            turns: Arc::new(Semaphore::new(2)),
        })
    }

    /// For tests (测试): cheap hashing, everything else as in production.
    ///
    /// # Errors
    /// None in practice; the cost for tests is a possible one.
    pub fn for_tests() -> anyhow::Result<Self> {
        Self::new(PasswordCost::FOR_TESTS, PasswordPolicy::Djbh3)
    }

    /// Checks a password off the request threads, two at a time.
    pub(crate) async fn belongs(&self, password: &str, stored: &str) -> anyhow::Result<bool> {
        let _turn = self
            .turns
            .acquire()
            .await
            .context("waiting for a turn to check a password")?;
        let (password, stored) = (password.to_owned(), stored.to_owned());
        tokio::task::spawn_blocking(move || belongs(&password, &stored))
            .await
            .context("checking a password")?
    }
}

/// What somebody typed at the door (登录输入).
#[derive(Debug, Clone)]
pub struct Knock<'a> {
    /// The account name.
    pub login: &'a str,
    /// The password.
    pub password: &'a str,
    /// The network address it came from.
    pub address: &'a str,
    /// The browser, as it calls itself; shown in the officer's own list of sessions.
    pub device: &'a str,
}

/// Why nobody was let in (登录被拒).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Wrong account name or wrong password: which of the two is not told.
    #[error("账号或密码不对，请重新输入")]
    WrongNameOrPassword,
    /// Too many failures; when it may be tried again.
    #[error("登录失败次数太多，请稍后再试")]
    TooManyTries {
        /// When the next try is read again.
        again_at: DateTime<Utc>,
    },
}

/// Signs in (登录). The session it opens is not proved yet if the officer has enrolled a second factor.
///
/// # Errors
/// A fault of the database; refusals are values.
pub async fn sign_in(
    db: &Db,
    door: &Door,
    knock: &Knock<'_>,
) -> anyhow::Result<Result<Opened, Refused>> {
    let login = knock.login.trim().to_lowercase();
    let address_key = db.keys().blind("access.address", knock.address);
    let attempt = record(db, db.keys().blind("access.login", &login), address_key).await?;
    if let Some(again_at) = too_many(db, door.limits, &attempt).await? {
        let mut tx = db.begin().await?;
        tx.note(event(
            OfficerId(Uuid::nil()),
            "access.sign_in_slowed",
            &attempt.login_key,
        ));
        tx.commit().await?;
        return Ok(Err(Refused::TooManyTries { again_at }));
    }
    let found = officer::Entity::find()
        .filter(officer::Column::Login.eq(&login))
        .one(db.conn())
        .await
        .context("looking for the account")?;
    // The decoy costs the same time as a real hash.
    let stored = found
        .as_ref()
        .map_or(&*door.decoy, |row| row.password_hash.as_str());
    let right = door.belongs(knock.password, stored).await?;
    let Some(officer) = found.filter(|row| right && row.enabled && row.machine != Some(true))
    else {
        let mut tx = db.begin().await?;
        tx.note(event(
            OfficerId(Uuid::nil()),
            "access.sign_in_failed",
            &attempt.login_key,
        ));
        tx.commit().await?;
        return Ok(Err(Refused::WrongNameOrPassword));
    };
    let mut tx = db.begin().await?;
    succeeded(tx.conn(), attempt.id).await?;
    let opened = session::open(&mut tx, door.times, &officer, knock.device).await?;
    tx.note(event(
        OfficerId(officer.id),
        "access.signed_in",
        &officer.id.to_string(),
    ));
    tx.commit().await?;
    Ok(Ok(opened))
}

/// Writes the attempt down as failed, before anything is known about it. An empty address is not counted.
pub(crate) async fn record(
    db: &Db,
    login_key: String,
    address_key: String,
) -> anyhow::Result<attempt::Model> {
    let tx = db.begin().await?;
    let row = attempt::ActiveModel {
        id: Set(tx.new_id()),
        at: Set(tx.now()),
        login_key: Set(login_key),
        address_key: Set(address_key),
        failed: Set(true),
    }
    .insert(tx.conn())
    .await
    .context("writing an attempt to sign in")?;
    tx.commit().await?;
    Ok(row)
}

/// Takes an attempt out of the failures.
pub(crate) async fn succeeded<C: ConnectionTrait>(conn: &C, id: Uuid) -> anyhow::Result<()> {
    attempt::ActiveModel {
        id: Set(id),
        failed: Set(false),
        ..Default::default()
    }
    .update(conn)
    .await
    .context("marking an attempt as successful")?;
    Ok(())
}

/// Whether this attempt is one too many, and when the next one will be read.
pub(crate) async fn too_many(
    db: &Db,
    limits: Limits,
    this: &attempt::Model,
) -> anyhow::Result<Option<DateTime<Utc>>> {
    let window = Duration::minutes(limits.minutes);
    let mut since = this.at - window;
    // A success wipes the slate of the account: who has just proved himself is not kept out by earlier slips.
    let last_success = attempt::Entity::find()
        .filter(attempt::Column::LoginKey.eq(&this.login_key))
        .filter(attempt::Column::Failed.eq(false))
        .filter(attempt::Column::At.gte(since))
        .order_by_desc(attempt::Column::At)
        .one(db.conn())
        .await
        .context("looking for the last success")?;
    let from_address = if this.address_key.is_empty() {
        0
    } else {
        failures(
            db.conn(),
            attempt::Column::AddressKey.eq(&this.address_key),
            since,
        )
        .await?
    };
    if let Some(success) = last_success {
        since = success.at;
    }
    let of_account = failures(
        db.conn(),
        attempt::Column::LoginKey.eq(&this.login_key),
        since,
    )
    .await?;
    Ok(
        (of_account > limits.per_account || from_address > limits.per_address)
            .then(|| this.at + window),
    )
}

async fn failures<C: ConnectionTrait>(
    conn: &C,
    whose: sea_orm::sea_query::SimpleExpr,
    since: DateTime<Utc>,
) -> anyhow::Result<u64> {
    attempt::Entity::find()
        .filter(whose)
        .filter(attempt::Column::Failed.eq(true))
        .filter(attempt::Column::At.gte(since))
        .count(conn)
        .await
        .context("counting failed attempts")
}

pub(crate) fn event(by: OfficerId, act: &str, subject: &str) -> Event {
    Event {
        by,
        purpose: "登录".to_owned(),
        act: act.to_owned(),
        subject_kind: "officer".to_owned(),
        subject_id: subject.to_owned(),
        region: None,
        detail: json!({}),
    }
}
