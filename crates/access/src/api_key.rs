//! Keys of the interface for programs (程序接口密钥): a program's own account, what its key may do, where, and until when.
//!
//! Guarantees: a key belongs to a machine account, never to a person, so that no officer can be impersonated and the rule
//! of two people counts the program as itself; it may do what its account's roles carry *and* the key lists, and nothing
//! that asks for a person's password once more; the secret is 256 random bits told once and kept as a keyed fingerprint;
//! a revoked or overdue key, a role taken away or an account switched off is refused at the very next call.
//! Deliberately absent: HTTP, the number of calls a minute being counted ([`Key::a_minute`] only says how many), pages.

use crate::officer::{Refused, roles_of, row};
use crate::tables::{api_key, officer};
use crate::{Actor, Denied, Door, Permission, Role, Scope, grant_role, secret};
use anyhow::Context;
use chrono::{DateTime, Duration, NaiveDate, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
};
use serde_json::json;
use std::collections::BTreeSet;
use store::{Db, Event, Tx};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::OfficerId;

/// What every key begins with, so that one left in a file is found by whoever searches for it.
pub const BEGINS: &str = "hm_";
/// Days a key may live at most.
pub const DAYS_MOST: i64 = 366;
/// Calls a minute a key may be given at most.
pub const A_MINUTE_MOST: i64 = 6_000;

/// Why no key is made (密钥被拒).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefused {
    /// The account cannot be made.
    #[error("{0}")]
    Account(#[from] Refused),
    /// Nothing was ticked.
    #[error("请至少选择一项权限")]
    NothingAllowed,
    /// The role does not carry it.
    #[error("“{}”岗位没有“{}”权限", .role.name_zh(), .permission.name_zh())]
    NotOfTheRole {
        /// The role.
        role: Role,
        /// What it does not carry.
        permission: Permission,
    },
    /// Only a person may do it.
    #[error("“{}”只能由工作人员本人办理，不能交给程序", .0.name_zh())]
    OnlyAPerson(Permission),
    /// The day is gone by or too far off.
    #[error("有效期要从明天起，最长 366 天")]
    BadEnd,
    /// More calls than anybody gets.
    #[error("每分钟次数要在 1 到 6000 之间")]
    BadRate,
    /// There is none, or it was revoked.
    #[error("没有找到这个密钥，或者它已经吊销")]
    NoSuchKey,
}

impl From<Denied> for KeyRefused {
    fn from(denied: Denied) -> Self {
        Self::Account(Refused::Denied(denied))
    }
}

/// A program that is to be let in (新密钥).
#[derive(Debug, Clone)]
pub struct NewKey {
    /// The name of its account.
    pub login: String,
    /// What the program is called; stands beside what it did.
    pub name: String,
    /// The role it takes in procedures.
    pub role: Role,
    /// Where.
    pub region: Region,
    /// What it may do, of what the role carries.
    pub permissions: BTreeSet<Permission>,
    /// The last day it is good for.
    pub until: NaiveDate,
    /// How many calls a minute.
    pub a_minute: i64,
}

/// A key (密钥), without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The identifier; safe to show and to log.
    pub id: Uuid,
    /// The machine account.
    pub officer: OfficerId,
    /// The name of that account.
    pub login: String,
    /// What the program is called.
    pub name: String,
    /// How the secret begins, to tell keys apart.
    pub prefix: String,
    /// What it may do, of what the account's roles carry.
    pub permissions: BTreeSet<Permission>,
    /// The roles the account holds now.
    pub roles: Vec<(Role, Region)>,
    /// How many calls a minute.
    pub a_minute: u32,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// The last day it is good for.
    pub until: NaiveDate,
    /// When it was last used, to the minute.
    pub used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub ended_at: Option<DateTime<Utc>>,
}

/// A key just made (新发密钥): the only moment its secret exists outside the program.
#[derive(Debug, Clone)]
pub struct Made {
    /// The identifier.
    pub id: Uuid,
    /// What the program sends: `hm_…`.
    pub secret: String,
}

/// Who is behind a call (调用者).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyed {
    /// The key.
    pub id: Uuid,
    /// How many calls a minute.
    pub a_minute: u32,
    /// The machine account, narrowed to what the key may do.
    pub actor: Actor,
}

fn fingerprint(keys: &store::Keys, secret: &str) -> String {
    keys.blind("access.api_key", secret)
}

/// Whether a program may ever be given a permission (能否交给程序): not what asks for a person once more, and not the
/// accounts themselves.
pub fn may_be_given(permission: Permission) -> bool {
    !permission.asks_again() && permission != Permission::ManageOfficers
}

/// The pure part of [`make`]: whether such a key can be.
fn sound(new: &NewKey, today: NaiveDate) -> Result<(), KeyRefused> {
    if new.permissions.is_empty() {
        return Err(KeyRefused::NothingAllowed);
    }
    for permission in &new.permissions {
        if !may_be_given(*permission) {
            return Err(KeyRefused::OnlyAPerson(*permission));
        }
        if !permission.roles().contains(&new.role) {
            return Err(KeyRefused::NotOfTheRole {
                role: new.role,
                permission: *permission,
            });
        }
    }
    if !(1..=DAYS_MOST).contains(&(new.until - today).num_days()) {
        return Err(KeyRefused::BadEnd);
    }
    if !(1..=A_MINUTE_MOST).contains(&new.a_minute) {
        return Err(KeyRefused::BadRate);
    }
    Ok(())
}

/// Lets a program in (签发密钥): makes its account, grants the role and makes the key, or none of it.
///
/// # Errors
/// A fault of the database; refusals are values.
pub async fn make(
    tx: &mut Tx,
    scope: &Scope,
    door: &Door,
    new: NewKey,
) -> anyhow::Result<Result<Made, KeyRefused>> {
    if let Err(denied) = scope.may(Permission::ManageKeys, new.region) {
        return Ok(Err(denied.into()));
    }
    if let Err(refused) = sound(&new, tx.today()) {
        return Ok(Err(refused));
    }
    let account = crate::NewOfficer {
        login: new.login.clone(),
        name: new.name.clone(),
        person_number: None,
        must_change: false,
    };
    // Nobody is told this password, and a machine account is not let in by one.
    let nobodys = loop {
        let password = format!("A1-{}", secret::token());
        if door.policy.accepts(&new.login, &password).is_ok() || new.login.is_empty() {
            break password;
        }
    };
    let id = match crate::create_officer(tx, scope, door, account, &nobodys).await? {
        Ok(id) => id,
        Err(refused) => return Ok(Err(refused.into())),
    };
    officer::ActiveModel {
        id: Set(id.0),
        machine: Set(Some(true)),
        ..Default::default()
    }
    .update(tx.conn())
    .await
    .context("marking an account as a machine's")?;
    if let Err(refused) = grant_role(tx, scope, id, new.role, new.region).await? {
        return Ok(Err(refused.into()));
    }
    let made = written(tx, scope, id, &new.permissions, new.until, new.a_minute).await?;
    Ok(Ok(made))
}

async fn written(
    tx: &mut Tx,
    scope: &Scope,
    officer: OfficerId,
    permissions: &BTreeSet<Permission>,
    until: NaiveDate,
    a_minute: i64,
) -> anyhow::Result<Made> {
    let prefix = secret::spoken_code::<6>().to_lowercase();
    let secret = format!("{BEGINS}{prefix}_{}", secret::token());
    let id = tx.new_id();
    api_key::ActiveModel {
        id: Set(id),
        officer_id: Set(officer.0),
        prefix: Set(format!("{BEGINS}{prefix}")),
        secret_key: Set(fingerprint(tx.keys(), &secret)),
        permissions: Set(serde_json::to_string(permissions)?),
        a_minute: Set(a_minute),
        made_by: Set(scope.actor.officer.0),
        made_at: Set(tx.now()),
        until_day: Set(until),
        used_at: Set(None),
        ended_at: Set(None),
        ended_by: Set(None),
    }
    .insert(tx.conn())
    .await
    .context("writing a new key")?;
    let detail = json!({ "key": id, "permissions": permissions, "until": until });
    note(tx, scope, "access.make_key", officer, detail);
    Ok(Made { id, secret })
}

/// Makes another key for the same program with the same permissions (换发密钥); the old one goes on until it is revoked, so
/// that the program can be changed over without a gap.
///
/// # Errors
/// A fault of the database; refusals are values.
pub async fn renew(
    tx: &mut Tx,
    scope: &Scope,
    id: Uuid,
    until: NaiveDate,
) -> anyhow::Result<Result<Made, KeyRefused>> {
    let row = match managed(tx, scope, id).await? {
        Ok(row) => row,
        Err(refused) => return Ok(Err(refused)),
    };
    if !(1..=DAYS_MOST).contains(&(until - tx.today()).num_days()) {
        return Ok(Err(KeyRefused::BadEnd));
    }
    let permissions = permissions_of(&row)?;
    let officer = OfficerId(row.officer_id);
    let made = written(tx, scope, officer, &permissions, until, row.a_minute).await?;
    Ok(Ok(made))
}

/// Takes a key away (吊销密钥). The next call with it is already refused.
///
/// # Errors
/// A fault of the database; refusals are values.
pub async fn revoke(
    tx: &mut Tx,
    scope: &Scope,
    id: Uuid,
) -> anyhow::Result<Result<(), KeyRefused>> {
    let row = match managed(tx, scope, id).await? {
        Ok(row) => row,
        Err(refused) => return Ok(Err(refused)),
    };
    let officer = OfficerId(row.officer_id);
    let mut ended: api_key::ActiveModel = row.into();
    ended.ended_at = Set(Some(tx.now()));
    ended.ended_by = Set(Some(scope.actor.officer.0));
    ended.update(tx.conn()).await.context("revoking a key")?;
    note(
        tx,
        scope,
        "access.revoke_key",
        officer,
        json!({ "key": id }),
    );
    Ok(Ok(()))
}

/// A key not revoked whose account lies wholly in the scope.
async fn managed(
    tx: &Tx,
    scope: &Scope,
    id: Uuid,
) -> anyhow::Result<Result<api_key::Model, KeyRefused>> {
    if let Err(denied) = scope.may(Permission::ManageKeys, scope.region) {
        return Ok(Err(denied.into()));
    }
    let found = api_key::Entity::find_by_id(id)
        .one(tx.conn())
        .await
        .context("reading a key")?;
    let Some(row) = found.filter(|row| row.ended_at.is_none()) else {
        return Ok(Err(KeyRefused::NoSuchKey));
    };
    let roles = roles_of(tx.conn(), row.officer_id).await?;
    Ok(if roles.iter().all(|(_, region)| scope.holds(*region)) {
        Ok(row)
    } else {
        Err(KeyRefused::NoSuchKey)
    })
}

/// Every key whose account lies in the scope (全部密钥), those in use first, then the newest.
///
/// # Errors
/// A fault of the database.
pub async fn list(db: &Db, scope: &Scope) -> anyhow::Result<Vec<Key>> {
    let rows = api_key::Entity::find()
        .order_by_desc(api_key::Column::MadeAt)
        .order_by_desc(api_key::Column::Id)
        .all(db.conn())
        .await
        .context("listing keys")?;
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        let key = shown(db.conn(), row).await?;
        if key.roles.iter().all(|(_, region)| scope.holds(*region)) {
            keys.push(key);
        }
    }
    keys.sort_by_key(|key| key.ended_at.is_some());
    Ok(keys)
}

/// One key (一个密钥), if its account lies in the scope.
///
/// # Errors
/// A fault of the database.
pub async fn one(db: &Db, scope: &Scope, id: Uuid) -> anyhow::Result<Option<Key>> {
    let found = api_key::Entity::find_by_id(id)
        .one(db.conn())
        .await
        .context("reading a key")?;
    let Some(row) = found else { return Ok(None) };
    let key = shown(db.conn(), row).await?;
    let inside = key.roles.iter().all(|(_, region)| scope.holds(*region));
    Ok(inside.then_some(key))
}

async fn shown<C: ConnectionTrait>(conn: &C, key: api_key::Model) -> anyhow::Result<Key> {
    let officer = OfficerId(key.officer_id);
    let account = row(conn, officer)
        .await?
        .context("a key without its account")?;
    Ok(Key {
        id: key.id,
        officer,
        login: account.login,
        name: account.name,
        permissions: permissions_of(&key)?,
        roles: roles_of(conn, key.officer_id).await?,
        a_minute: u32::try_from(key.a_minute)?,
        prefix: key.prefix,
        made_at: key.made_at,
        until: key.until_day,
        used_at: key.used_at,
        ended_at: key.ended_at,
    })
}

/// A permission the program no longer knows is left out: what is not known is not allowed.
fn permissions_of(row: &api_key::Model) -> anyhow::Result<BTreeSet<Permission>> {
    let words: Vec<serde_json::Value> =
        serde_json::from_str(&row.permissions).context("reading what a key may do")?;
    Ok(words
        .into_iter()
        .filter_map(|word| serde_json::from_value(word).ok())
        .filter(|permission| may_be_given(*permission))
        .collect())
}

/// Who is behind a secret (验密钥); `None` when it was revoked, grew old or never was.
///
/// # Errors
/// A fault of the database.
pub async fn keyed(db: &Db, secret: &str) -> anyhow::Result<Option<Keyed>> {
    if !secret.starts_with(BEGINS) {
        return Ok(None);
    }
    let found = api_key::Entity::find()
        .filter(api_key::Column::SecretKey.eq(fingerprint(db.keys(), secret)))
        .one(db.conn())
        .await
        .context("looking for a key")?;
    let today = db.today();
    let Some(key) = found.filter(|key| key.ended_at.is_none() && today <= key.until_day) else {
        return Ok(None);
    };
    let Some(account) = row(db.conn(), OfficerId(key.officer_id))
        .await?
        .filter(|account| account.enabled && account.machine == Some(true))
    else {
        return Ok(None);
    };
    let roles = roles_of(db.conn(), account.id).await?;
    let permissions = permissions_of(&key)?;
    let now = db.now();
    if key
        .used_at
        .is_none_or(|at| now - at >= Duration::minutes(1))
    {
        let tx = db.begin().await?;
        api_key::ActiveModel {
            id: Set(key.id),
            used_at: Set(Some(now)),
            ..Default::default()
        }
        .update(tx.conn())
        .await
        .context("noting the use of a key")?;
        tx.commit().await?;
    }
    Ok(Some(Keyed {
        id: key.id,
        a_minute: u32::try_from(key.a_minute)?,
        actor: Actor::officer(OfficerId(account.id), account.name, roles).only(permissions),
    }))
}

fn note(tx: &mut Tx, scope: &Scope, act: &str, officer: OfficerId, detail: serde_json::Value) {
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: act.to_owned(),
        subject_kind: "officer".to_owned(),
        subject_id: officer.to_string(),
        region: Some(scope.region),
        detail,
    });
}

#[cfg(test)]
mod tests {
    use super::{KeyRefused, NewKey, Permission, Role, sound};
    use chrono::NaiveDate;
    use std::collections::BTreeSet;

    #[test]
    fn a_key_has_what_its_role_carries_an_end_and_nothing_only_a_person_may() {
        let today = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap();
        let after = |days| today + chrono::Duration::days(days);
        let new = |permissions: &[Permission], days, a_minute| NewKey {
            login: "kiosk".into(),
            name: "自助终端".into(),
            role: Role::Finance,
            region: "440306".parse().unwrap(),
            permissions: permissions.iter().copied().collect::<BTreeSet<_>>(),
            until: after(days),
            a_minute,
        };
        let see = [Permission::SeePayRuns];
        for (asked, answer) in [
            (new(&see, 90, 60), Ok(())),
            (new(&see, 366, 6_000), Ok(())),
            (new(&[], 90, 60), Err(KeyRefused::NothingAllowed)),
            (
                new(&[Permission::Apply], 90, 60),
                Err(KeyRefused::NotOfTheRole {
                    role: Role::Finance,
                    permission: Permission::Apply,
                }),
            ),
            (
                new(&[Permission::ReleasePayRun], 90, 60),
                Err(KeyRefused::OnlyAPerson(Permission::ReleasePayRun)),
            ),
            (new(&see, 0, 60), Err(KeyRefused::BadEnd)),
            (new(&see, 367, 60), Err(KeyRefused::BadEnd)),
            (new(&see, 90, 0), Err(KeyRefused::BadRate)),
            (new(&see, 90, 6_001), Err(KeyRefused::BadRate)),
        ] {
            assert_eq!(sound(&asked, today), answer, "{asked:?}");
        }
    }
}
