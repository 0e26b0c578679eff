//! Officers' accounts and the roles granted to them (人员账号与授岗).
//!
//! One person has one account; nobody grants himself a role; who manages accounts and who audits holds nothing else.
//! Every change is journalled, and ends open sessions where it must.

use crate::password::Weak;
use crate::tables::{grant, officer};
use crate::{Actor, Denied, Door, Permission, Role, Scope, session};
use anyhow::Context;
use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, PaginatorTrait,
    QueryFilter, QueryOrder,
};
use serde_json::json;
use store::{Db, Event, Page, Tx};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::OfficerId;

/// Why an account was not changed (未能办理的原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The acting officer may not do this here.
    #[error("{0}")]
    Denied(#[from] Denied),
    /// The account name is taken.
    #[error("账号名“{0}”已有人使用，请换一个")]
    LoginTaken(String),
    /// The account name is not usable.
    #[error("账号名要用 3 到 40 个小写字母、数字、点或短横")]
    LoginShape,
    /// No name given.
    #[error("请填写姓名")]
    NameMissing,
    /// This person already has an account; two accounts of one person would defeat the rule of two people.
    #[error("此人已有账号，请在原账号上授岗")]
    SamePersonHasAccount,
    /// The password is not accepted.
    #[error("{0}")]
    Weak(#[from] Weak),
    /// The password typed as the present one is wrong.
    #[error("原密码不对，请重新输入")]
    WrongPassword,
    /// There is no such officer in the acting officer's region.
    #[error("没有找到这个账号")]
    NoSuchOfficer,
    /// Roles that one person may not hold together.
    #[error("“{}”不能与“{}”由同一人担任", .held.name_zh(), .wanted.name_zh())]
    RolesApart {
        /// The role already held.
        held: Role,
        /// The role asked for.
        wanted: Role,
    },
    /// The role is already held there.
    #[error("已有这个岗位")]
    AlreadyHeld,
    /// The role is not held there.
    #[error("没有这个岗位，无需撤销")]
    NotHeld,
    /// A program has a key and no password.
    #[error("这是程序账号，用密钥不用密码")]
    Machine,
    /// Nobody changes his own roles or switches himself off.
    #[error("不能更改自己的岗位，请由另一位管理员办理")]
    Oneself,
}

/// A new account (新账号).
#[derive(Debug, Clone)]
pub struct NewOfficer {
    /// The account name typed at sign-in.
    pub login: String,
    /// The officer's name.
    pub name: String,
    /// The officer's own identity number, kept only as a keyed fingerprint, so that one person has one account.
    pub person_number: Option<String>,
    /// Whether the password must be changed at the first sign-in.
    pub must_change: bool,
}

/// An officer's account as shown to administrators and colleagues (人员账号).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Officer {
    /// The identifier.
    pub id: OfficerId,
    /// The account name.
    pub login: String,
    /// The name.
    pub name: String,
    /// Whether the account can be used.
    pub enabled: bool,
    /// Whether a second factor is in use.
    pub second_factor: bool,
    /// Whether the password must be changed at the next sign-in.
    pub must_change: bool,
    /// When the password was set.
    pub password_set_at: DateTime<Utc>,
    /// The roles held now.
    pub roles: Vec<(Role, Region)>,
    /// Rises with every change; guards against overwriting a colleague's change.
    pub version: i64,
    /// Whether it is a program's and not a person's (程序账号).
    pub machine: bool,
}

/// Makes an account (新建账号), without any role.
///
/// # Errors
/// A fault of the database; refusals are values.
pub async fn create_officer(
    tx: &mut Tx,
    scope: &Scope,
    door: &Door,
    new: NewOfficer,
    password: &str,
) -> anyhow::Result<Result<OfficerId, Refused>> {
    if let Err(denied) = scope.may(Permission::ManageOfficers, scope.region) {
        return Ok(Err(denied.into()));
    }
    let login = new.login.trim().to_lowercase();
    if let Err(refused) = usable(&login, &new.name) {
        return Ok(Err(refused));
    }
    if let Err(weak) = door.policy.accepts(&login, password) {
        return Ok(Err(weak.into()));
    }
    let taken = officer::Entity::find()
        .filter(officer::Column::Login.eq(&login))
        .count(tx.conn())
        .await
        .context("looking for an account name")?;
    if taken > 0 {
        return Ok(Err(Refused::LoginTaken(login)));
    }
    let person_key = new
        .person_number
        .as_deref()
        .map(|number| tx.keys().blind("access.person", number));
    if let Some(key) = &person_key {
        let same = officer::Entity::find()
            .filter(officer::Column::PersonKey.eq(key))
            .count(tx.conn())
            .await
            .context("looking for another account of the same person")?;
        if same > 0 {
            return Ok(Err(Refused::SamePersonHasAccount));
        }
    }
    let id = tx.new_id();
    let now = tx.now();
    officer::ActiveModel {
        id: Set(id),
        login: Set(login),
        name: Set(new.name.trim().to_owned()),
        person_key: Set(person_key),
        password_hash: Set(door.cost.hash(password)?),
        password_set_at: Set(now),
        must_change: Set(new.must_change),
        enabled: Set(true),
        code_secret: Set(None),
        code_confirmed: Set(false),
        code_last_step: Set(0),
        created_at: Set(now),
        version: Set(1),
        machine: Set(None),
    }
    .insert(tx.conn())
    .await
    .context("writing a new account")?;
    note(tx, scope, "access.create_officer", id, json!({}));
    Ok(Ok(OfficerId(id)))
}

/// The pure part of [`create_officer`]: whether the account name and the name can be used.
fn usable(login: &str, name: &str) -> Result<(), Refused> {
    let shaped = (3..=40).contains(&login.len())
        && login
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b));
    if !shaped {
        return Err(Refused::LoginShape);
    }
    if name.trim().is_empty() {
        return Err(Refused::NameMissing);
    }
    Ok(())
}

/// Grants a role in a region (授岗). Takes effect at the officer's next request.
///
/// # Errors
/// A fault of the database; refusals are values.
pub async fn grant_role(
    tx: &mut Tx,
    scope: &Scope,
    officer: OfficerId,
    role: Role,
    region: Region,
) -> anyhow::Result<Result<(), Refused>> {
    if let Err(denied) = scope.may(Permission::ManageOfficers, region) {
        return Ok(Err(denied.into()));
    }
    let Some(row) = row(tx.conn(), officer).await? else {
        return Ok(Err(Refused::NoSuchOfficer));
    };
    let held = roles_of(tx.conn(), officer.0).await?;
    if let Err(refused) = grantable(&scope.actor, officer, &held, role, region) {
        return Ok(Err(refused));
    }
    grant::ActiveModel {
        id: Set(tx.new_id()),
        officer_id: Set(officer.0),
        role: Set(role.code().to_owned()),
        region: Set(region.to_string()),
        granted_by: Set(scope.actor.officer.0),
        granted_at: Set(tx.now()),
        ended_at: Set(None),
    }
    .insert(tx.conn())
    .await
    .context("writing a granted role")?;
    bump(tx, row).await?;
    note(
        tx,
        scope,
        "access.grant_role",
        officer.0,
        json!({ "role": role.code(), "region": region }),
    );
    Ok(Ok(()))
}

/// The pure part of [`grant_role`].
fn grantable(
    by: &Actor,
    officer: OfficerId,
    held: &[(Role, Region)],
    wanted: Role,
    region: Region,
) -> Result<(), Refused> {
    if !by.is_nobody() && by.officer == officer {
        return Err(Refused::Oneself);
    }
    if held.contains(&(wanted, region)) {
        return Err(Refused::AlreadyHeld);
    }
    match held.iter().find(|(role, _)| !role.may_stand_beside(wanted)) {
        Some((role, _)) => Err(Refused::RolesApart {
            held: *role,
            wanted,
        }),
        None => Ok(()),
    }
}

/// Takes a role away (撤岗). The next request of the officer is already refused.
///
/// # Errors
/// A fault of the database; refusals are values.
pub async fn revoke_role(
    tx: &mut Tx,
    scope: &Scope,
    officer: OfficerId,
    role: Role,
    region: Region,
) -> anyhow::Result<Result<(), Refused>> {
    if let Err(denied) = scope.may(Permission::ManageOfficers, region) {
        return Ok(Err(denied.into()));
    }
    if !scope.actor.is_nobody() && scope.actor.officer == officer {
        return Ok(Err(Refused::Oneself));
    }
    let open = grant::Entity::find()
        .filter(grant::Column::OfficerId.eq(officer.0))
        .filter(grant::Column::Role.eq(role.code()))
        .filter(grant::Column::Region.eq(region.to_string()))
        .filter(grant::Column::EndedAt.is_null())
        .one(tx.conn())
        .await
        .context("looking for a granted role")?;
    let (Some(open), Some(row)) = (open, row(tx.conn(), officer).await?) else {
        return Ok(Err(Refused::NotHeld));
    };
    let mut ended: grant::ActiveModel = open.into();
    ended.ended_at = Set(Some(tx.now()));
    ended
        .update(tx.conn())
        .await
        .context("ending a granted role")?;
    bump(tx, row).await?;
    note(
        tx,
        scope,
        "access.revoke_role",
        officer.0,
        json!({ "role": role.code(), "region": region }),
    );
    Ok(Ok(()))
}

/// Switches an account off and ends its sessions (停用账号).
///
/// # Errors
/// A fault of the database; refusals are values.
pub async fn disable_officer(
    tx: &mut Tx,
    scope: &Scope,
    officer: OfficerId,
) -> anyhow::Result<Result<(), Refused>> {
    switch(tx, scope, officer, false).await
}

/// Switches an account on again (启用账号).
///
/// # Errors
/// A fault of the database; refusals are values.
pub async fn enable_officer(
    tx: &mut Tx,
    scope: &Scope,
    officer: OfficerId,
) -> anyhow::Result<Result<(), Refused>> {
    switch(tx, scope, officer, true).await
}

async fn switch(
    tx: &mut Tx,
    scope: &Scope,
    officer: OfficerId,
    on: bool,
) -> anyhow::Result<Result<(), Refused>> {
    let row = match manageable(tx, scope, officer).await? {
        Ok(row) => row,
        Err(refused) => return Ok(Err(refused)),
    };
    let version = row.version;
    let mut changed: officer::ActiveModel = row.into();
    changed.enabled = Set(on);
    changed.version = Set(version + 1);
    changed
        .update(tx.conn())
        .await
        .context("switching an account")?;
    if !on {
        session::end_all(tx, officer, "账号已停用").await?;
    }
    let act = if on {
        "access.enable_officer"
    } else {
        "access.disable_officer"
    };
    note(tx, scope, act, officer.0, json!({}));
    Ok(Ok(()))
}

/// The account, if the acting officer may manage it: not his own, and with no role outside his region.
async fn manageable(
    tx: &Tx,
    scope: &Scope,
    officer: OfficerId,
) -> anyhow::Result<Result<officer::Model, Refused>> {
    if let Err(denied) = scope.may(Permission::ManageOfficers, scope.region) {
        return Ok(Err(denied.into()));
    }
    if !scope.actor.is_nobody() && scope.actor.officer == officer {
        return Ok(Err(Refused::Oneself));
    }
    let Some(row) = row(tx.conn(), officer).await? else {
        return Ok(Err(Refused::NoSuchOfficer));
    };
    let held = roles_of(tx.conn(), officer.0).await?;
    Ok(if held.iter().all(|(_, region)| scope.holds(*region)) {
        Ok(row)
    } else {
        Err(Refused::NoSuchOfficer)
    })
}

/// Sets a password for a colleague, who must change it at the next sign-in (重置密码). Ends his sessions.
///
/// # Errors
/// A fault of the database; refusals are values.
pub async fn set_password(
    tx: &mut Tx,
    scope: &Scope,
    door: &Door,
    officer: OfficerId,
    password: &str,
) -> anyhow::Result<Result<(), Refused>> {
    let row = match manageable(tx, scope, officer).await? {
        Ok(row) => row,
        Err(refused) => return Ok(Err(refused)),
    };
    if row.machine == Some(true) {
        return Ok(Err(Refused::Machine));
    }
    if let Err(weak) = door.policy.accepts(&row.login, password) {
        return Ok(Err(weak.into()));
    }
    store_password(tx, row, door.cost.hash(password)?, true).await?;
    session::end_all(tx, officer, "密码已重置").await?;
    note(tx, scope, "access.set_password", officer.0, json!({}));
    Ok(Ok(()))
}

/// An officer changes his own password (修改密码). Ends his other sessions.
///
/// Takes the database and not a transaction, because checking and hashing take long and nobody else should wait to write.
///
/// # Errors
/// A fault of the database; refusals are values.
pub async fn change_own_password(
    db: &Db,
    door: &Door,
    signed: &crate::Signed,
    present: &str,
    wanted: &str,
) -> anyhow::Result<Result<(), Refused>> {
    let officer = signed.actor.officer;
    let Some(seen) = row(db.conn(), officer).await? else {
        return Ok(Err(Refused::NoSuchOfficer));
    };
    if !door.belongs(present, &seen.password_hash).await? {
        return Ok(Err(Refused::WrongPassword));
    }
    if let Err(weak) = door.policy.accepts(&seen.login, wanted) {
        return Ok(Err(weak.into()));
    }
    let hash = door.cost.hash(wanted)?;
    let mut tx = db.begin().await?;
    let Some(row) = row(tx.conn(), officer).await? else {
        return Ok(Err(Refused::NoSuchOfficer));
    };
    store_password(&tx, row, hash, false).await?;
    session::end_others(&mut tx, officer, signed.session.id, "密码已修改").await?;
    let scope = Scope {
        actor: signed.actor.clone(),
        region: signed.actor.region,
        purpose: crate::Purpose::System,
    };
    note(
        &mut tx,
        &scope,
        "access.change_own_password",
        officer.0,
        json!({}),
    );
    tx.commit().await?;
    Ok(Ok(()))
}

async fn store_password(
    tx: &Tx,
    row: officer::Model,
    hash: String,
    must_change: bool,
) -> anyhow::Result<()> {
    let version = row.version;
    let mut changed: officer::ActiveModel = row.into();
    changed.password_hash = Set(hash);
    changed.password_set_at = Set(tx.now());
    changed.must_change = Set(must_change);
    changed.version = Set(version + 1);
    changed
        .update(tx.conn())
        .await
        .context("storing a password")?;
    Ok(())
}

/// The officers with a role inside the scope, or with none at all yet (人员列表), by account name.
///
/// # Errors
/// A fault of the database.
pub async fn list(
    db: &Db,
    scope: &Scope,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<Officer>> {
    let inside: Vec<Uuid> = grant::Entity::find()
        .filter(grant::Column::EndedAt.is_null())
        .filter(store::inside(grant::Column::Region, scope.region))
        .all(db.conn())
        .await
        .context("listing granted roles")?
        .into_iter()
        .map(|row| row.officer_id)
        .collect();
    let placed: Vec<Uuid> = grant::Entity::find()
        .filter(grant::Column::EndedAt.is_null())
        .all(db.conn())
        .await
        .context("listing all granted roles")?
        .into_iter()
        .map(|row| row.officer_id)
        .collect();
    let found = officer::Entity::find()
        .filter(
            officer::Column::Id
                .is_in(inside)
                .or(officer::Column::Id.is_not_in(placed)),
        )
        .order_by_asc(officer::Column::Login)
        .all(db.conn())
        .await
        .context("listing officers")?;
    let total = found.len() as u64;
    let mut rows = Vec::new();
    let skip = usize::try_from(offset).unwrap_or(usize::MAX);
    for row in found
        .into_iter()
        .skip(skip)
        .take(usize::try_from(limit).unwrap_or(usize::MAX))
    {
        let roles = roles_of(db.conn(), row.id).await?;
        rows.push(shown(row, roles));
    }
    Ok(Page {
        rows,
        total,
        offset,
        limit,
    })
}

/// One officer's account (一个账号), if it lies inside the scope.
///
/// # Errors
/// A fault of the database.
pub async fn officer(db: &Db, scope: &Scope, id: OfficerId) -> anyhow::Result<Option<Officer>> {
    let Some(row) = row(db.conn(), id).await? else {
        return Ok(None);
    };
    let roles = roles_of(db.conn(), id.0).await?;
    let inside = roles.is_empty() || roles.iter().any(|(_, region)| scope.holds(*region));
    Ok(inside.then(|| shown(row, roles)))
}

/// The names of officers, for timelines (人员姓名). An officer who is not found is left out.
///
/// # Errors
/// A fault of the database.
pub async fn names(
    db: &Db,
    ids: &[OfficerId],
) -> anyhow::Result<std::collections::BTreeMap<OfficerId, String>> {
    let wanted: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = officer::Entity::find()
        .filter(officer::Column::Id.is_in(wanted))
        .all(db.conn())
        .await
        .context("reading officers' names")?;
    Ok(rows
        .into_iter()
        .map(|row| (OfficerId(row.id), row.name))
        .collect())
}

/// The account with this account name (按账号名取账号), whoever asks: for the console and the demo builder.
///
/// # Errors
/// A fault of the database.
pub async fn by_login(db: &Db, login: &str) -> anyhow::Result<Option<Officer>> {
    let found = officer::Entity::find()
        .filter(officer::Column::Login.eq(login.trim().to_lowercase()))
        .one(db.conn())
        .await
        .context("looking for an account by name")?;
    let Some(row) = found else { return Ok(None) };
    let roles = roles_of(db.conn(), row.id).await?;
    Ok(Some(shown(row, roles)))
}

/// Who an officer is at this moment (现任岗位), for work done later in their name; `None` once the account is disabled or gone.
///
/// # Errors
/// A fault of the database.
pub async fn still(db: &Db, id: OfficerId) -> anyhow::Result<Option<Actor>> {
    let found = officer::Entity::find_by_id(id.0)
        .one(db.conn())
        .await
        .context("looking for an account")?;
    let Some(row) = found.filter(|row| row.enabled) else {
        return Ok(None);
    };
    let roles = roles_of(db.conn(), row.id).await?;
    Ok(Some(Actor::officer(id, row.name, roles)))
}

pub(crate) async fn row<C: ConnectionTrait>(
    conn: &C,
    id: OfficerId,
) -> anyhow::Result<Option<officer::Model>> {
    officer::Entity::find_by_id(id.0)
        .one(conn)
        .await
        .context("reading an officer's account")
}

/// The roles held now, in the order of the role list and the codes.
pub(crate) async fn roles_of<C: ConnectionTrait>(
    conn: &C,
    officer: Uuid,
) -> anyhow::Result<Vec<(Role, Region)>> {
    let rows = grant::Entity::find()
        .filter(grant::Column::OfficerId.eq(officer))
        .filter(grant::Column::EndedAt.is_null())
        .all(conn)
        .await
        .context("reading granted roles")?;
    let mut roles = Vec::with_capacity(rows.len());
    for row in rows {
        let role = row
            .role
            .parse()
            .with_context(|| format!("reading the role of grant {}", row.id))?;
        let region = row
            .region
            .parse()
            .with_context(|| format!("reading the region of grant {}", row.id))?;
        roles.push((role, region));
    }
    roles.sort_unstable();
    Ok(roles)
}

fn shown(row: officer::Model, roles: Vec<(Role, Region)>) -> Officer {
    Officer {
        id: OfficerId(row.id),
        login: row.login,
        name: row.name,
        enabled: row.enabled,
        second_factor: row.code_confirmed,
        must_change: row.must_change,
        password_set_at: row.password_set_at,
        roles,
        version: row.version,
        machine: row.machine == Some(true),
    }
}

async fn bump(tx: &Tx, row: officer::Model) -> anyhow::Result<()> {
    let version = row.version;
    let mut changed: officer::ActiveModel = row.into();
    changed.version = Set(version + 1);
    changed
        .update(tx.conn())
        .await
        .context("raising an account's version")?;
    Ok(())
}

fn note(tx: &mut Tx, scope: &Scope, act: &str, officer: Uuid, detail: serde_json::Value) {
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

/// Whether one of these identity numbers is an officer's own (是否为工作人员本人的证件号), so far as officers gave theirs.
///
/// # Errors
/// Faults of the database.
pub async fn is_one_of<'a>(
    tx: &Tx,
    numbers: impl Iterator<Item = &'a str>,
) -> anyhow::Result<bool> {
    let keys: Vec<String> = numbers
        .filter(|number| !number.is_empty())
        .map(|number| tx.keys().blind("access.person", number))
        .collect();
    let found = officer::Entity::find()
        .filter(officer::Column::PersonKey.is_in(keys))
        .count(tx.conn())
        .await
        .context("looking for officers among these people")?;
    Ok(found > 0)
}

#[cfg(test)]
mod tests {
    use super::{Actor, OfficerId, Refused, Region, Role, Uuid, grantable, usable};

    #[test]
    fn who_audits_or_manages_accounts_holds_nothing_else() {
        let home: Region = "440306001".parse().unwrap();
        let manager = Actor::officer(
            OfficerId(Uuid::from_u128(1)),
            "管",
            vec![(Role::Administrator, home)],
        );
        let officer = OfficerId(Uuid::from_u128(2));
        let window = [(Role::WindowOfficer, home)];
        let cases = [
            (officer, &window[..], Role::StreetReviewer, Ok(())),
            (
                officer,
                &window[..],
                Role::WindowOfficer,
                Err(Refused::AlreadyHeld),
            ),
            (
                officer,
                &window[..],
                Role::Auditor,
                Err(Refused::RolesApart {
                    held: Role::WindowOfficer,
                    wanted: Role::Auditor,
                }),
            ),
            (
                manager.officer,
                &[][..],
                Role::Finance,
                Err(Refused::Oneself),
            ),
        ];
        for (officer, held, wanted, answer) in cases {
            assert_eq!(grantable(&manager, officer, held, wanted, home), answer);
        }
    }

    #[test]
    fn account_names_are_plain() {
        assert_eq!(usable("wang.chuangkou-1", "王窗口"), Ok(()));
        assert_eq!(usable("王", "王窗口"), Err(Refused::LoginShape));
        assert_eq!(usable("Wang", "王窗口"), Err(Refused::LoginShape));
        assert_eq!(usable("wang", " "), Err(Refused::NameMissing));
    }
}
