//! Changing a person (变更人员信息): moving house, moving the household registration, a new phone, a death.
//!
//! The row shows how things are; what the rule book reads of it (household registration, death) is kept as facts as
//! well, the old value beside the new, so that an earlier decision can still be replayed as it was.

use super::find::one_row_for_change;
use super::register::{digest_phone, phone_blind};
use crate::facts::{Subject, identifiers, insert_row, withdraw_rows};
use crate::merging::{drop_names, put_names, same};
use crate::stored;
use crate::tables::{fact, person};
use access::Scope;
use anyhow::Context;
use chrono::NaiveDate;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value as Json, json};
use store::{Event, Tx};
use vocab::ids::PersonId;
use vocab::{DatedFact, Period, Region, Value};

/// The source named beside what the person row says (户籍登记).
pub(crate) const CIVIL_REGISTER: &str = "户籍登记";

/// Why a person was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefused {
    /// Nobody with this identifier in the scope.
    #[error("在您的管辖范围内查不到此人")]
    NotFound,
    /// The new community lies outside the scope.
    #[error("迁入的社区不在您的管辖范围内，请由迁入地或上级办理")]
    OutsideScope,
    /// The phone number is none.
    #[error("手机号应为 11 位数字，固定电话请带区号；请核对")]
    NotAPhone,
    /// A death after today or before birth.
    #[error("死亡日期应在出生日期与今天之间，请核对死亡证明")]
    DeathDateImpossible,
    /// No source of the death was named.
    #[error("请写明死亡信息的来源，例如 公安、殡仪馆、医院")]
    SourceMissing,
}

type Outcome = anyhow::Result<Result<(), ChangeRefused>>;

/// Moves a person to another community (变更居住地).
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn move_home(
    tx: &mut Tx,
    scope: &Scope,
    id: PersonId,
    lives_in: Region,
    address: &str,
) -> Outcome {
    let Some(row) = one_row_for_change(tx, scope, id).await? else {
        return Ok(Err(ChangeRefused::NotFound));
    };
    if !scope.holds(lives_in) {
        return Ok(Err(ChangeRefused::OutsideScope));
    }
    rewrite_keys(tx, &row, lives_in, phone_of(tx, &row)?.as_deref()).await?;
    crate::duplicates::moved_home(tx, row.id, &lives_in.to_string()).await?;
    let mut changed = bumped(&row);
    changed.lives_in = Set(lives_in.to_string());
    changed.address = Set(address.trim().to_owned());
    save(
        tx,
        scope,
        &row,
        changed,
        "person.move_home",
        json!({ "to": lives_in.to_string() }),
    )
    .await
}

/// Records a new place of household registration (变更户籍地) as it holds from a day on, by a source.
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn move_hukou(
    tx: &mut Tx,
    scope: &Scope,
    id: PersonId,
    hukou: Region,
    from: NaiveDate,
    source: &str,
) -> Outcome {
    let Some(row) = one_row_for_change(tx, scope, id).await? else {
        return Ok(Err(ChangeRefused::NotFound));
    };
    if source.trim().is_empty() {
        return Ok(Err(ChangeRefused::SourceMissing));
    }
    let old = row.hukou.clone().map(Value::Text);
    let new = DatedFact {
        period: Period::since(from),
        source: source.trim().to_owned(),
        ..DatedFact::plain(Value::Text(hukou.to_string()))
    };
    remember(tx, scope, &row, "hukou", old, new).await?;
    let mut changed = bumped(&row);
    changed.hukou = Set(Some(hukou.to_string()));
    save(
        tx,
        scope,
        &row,
        changed,
        "person.move_hukou",
        json!({ "to": hukou.to_string() }),
    )
    .await
}

/// Records a death (登记死亡), by a source such as 公安 or 殡仪馆.
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn record_death(
    tx: &mut Tx,
    scope: &Scope,
    id: PersonId,
    died_on: NaiveDate,
    source: &str,
) -> Outcome {
    let Some(row) = one_row_for_change(tx, scope, id).await? else {
        return Ok(Err(ChangeRefused::NotFound));
    };
    if source.trim().is_empty() {
        return Ok(Err(ChangeRefused::SourceMissing));
    }
    if died_on > tx.today() || row.birth_date.is_some_and(|born| died_on < born) {
        return Ok(Err(ChangeRefused::DeathDateImpossible));
    }
    let new = DatedFact {
        source: source.trim().to_owned(),
        ..DatedFact::plain(Value::Date(died_on))
    };
    remember(
        tx,
        scope,
        &row,
        "died_on",
        row.died_on.map(Value::Date),
        new,
    )
    .await?;
    let mut changed = bumped(&row);
    changed.died_on = Set(Some(died_on));
    save(
        tx,
        scope,
        &row,
        changed,
        "person.record_death",
        json!({ "source": source.trim() }),
    )
    .await
}

/// Takes back a death recorded by mistake (撤销死亡登记): every source's statement is withdrawn from now on.
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn withdraw_death(tx: &mut Tx, scope: &Scope, id: PersonId) -> Outcome {
    let Some(row) = one_row_for_change(tx, scope, id).await? else {
        return Ok(Err(ChangeRefused::NotFound));
    };
    withdraw_rows(tx, scope, Subject::Person(id), "died_on", Period::ALWAYS).await?;
    let mut changed = bumped(&row);
    changed.died_on = Set(None);
    save(tx, scope, &row, changed, "person.withdraw_death", json!({})).await
}

/// Sets or removes a phone number (变更手机号).
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn set_phone(tx: &mut Tx, scope: &Scope, id: PersonId, phone: Option<&str>) -> Outcome {
    let Some(row) = one_row_for_change(tx, scope, id).await? else {
        return Ok(Err(ChangeRefused::NotFound));
    };
    let phone = match phone.map(str::trim) {
        None | Some("") => None,
        Some(written) => match digest_phone(written) {
            Some(digits) => Some(digits),
            None => return Ok(Err(ChangeRefused::NotAPhone)),
        },
    };
    rewrite_keys(tx, &row, stored::region(&row.lives_in)?, phone.as_deref()).await?;
    let mut changed = bumped(&row);
    changed.phone_sealed = Set(phone.as_deref().map(|phone| tx.keys().seal(phone)));
    changed.phone_blind = Set(phone.as_deref().map(|phone| phone_blind(tx.keys(), phone)));
    save(
        tx,
        scope,
        &row,
        changed,
        "person.set_phone",
        json!({ "has_phone": phone.is_some() }),
    )
    .await
}

fn bumped(row: &person::Model) -> person::ActiveModel {
    person::ActiveModel {
        id: sea_orm::ActiveValue::Unchanged(row.id),
        version: Set(row.version + 1),
        ..Default::default()
    }
}

async fn save(
    tx: &mut Tx,
    scope: &Scope,
    row: &person::Model,
    changed: person::ActiveModel,
    act: &str,
    detail: Json,
) -> Outcome {
    changed
        .update(tx.conn())
        .await
        .with_context(|| format!("saving {act}"))?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: act.to_owned(),
        subject_kind: "person".to_owned(),
        subject_id: row.id.to_string(),
        region: Some(stored::region(&row.lives_in)?),
        detail,
    });
    Ok(Ok(()))
}

fn phone_of(tx: &Tx, row: &person::Model) -> anyhow::Result<Option<String>> {
    row.phone_sealed
        .as_deref()
        .map(|sealed| tx.keys().unseal(sealed))
        .transpose()
}

/// Replaces the search keys of a person by those of another place or phone.
async fn rewrite_keys(
    tx: &Tx,
    row: &person::Model,
    lives_in: Region,
    phone: Option<&str>,
) -> anyhow::Result<()> {
    // Whoever has several records is found by what any of them says.
    let others = same(tx, [row.id], None).await?.all(row.id);
    let mut rows = person::Entity::find()
        .filter(person::Column::Id.is_in(others.into_iter().filter(|id| *id != row.id)))
        .all(tx.conn())
        .await
        .context("reading the other records of a person")?;
    rows.push(row.clone());
    drop_names(tx, row, &rows).await?;
    let changed = person::Model {
        lives_in: lives_in.to_string(),
        phone_sealed: phone.map(|phone| tx.keys().seal(phone)),
        ..row.clone()
    };
    rows.pop();
    rows.push(changed.clone());
    put_names(tx, &changed, &rows).await
}

/// Keeps the old value of the person row beside the new one, and ends what every source said for the new days: an entry
/// in the register settles the matter.
async fn remember(
    tx: &mut Tx,
    scope: &Scope,
    row: &person::Model,
    fact_id: &str,
    old: Option<Value>,
    new: DatedFact,
) -> anyhow::Result<()> {
    let subject = Subject::Person(PersonId(row.id));
    let known = fact::Entity::find()
        .filter(fact::Column::SubjectId.is_in(identifiers(tx, subject).await?))
        .filter(fact::Column::Fact.eq(fact_id))
        .count(tx.conn())
        .await
        .context("looking for earlier values")?;
    if known == 0
        && let Some(old) = old
    {
        let first = DatedFact {
            source: CIVIL_REGISTER.to_owned(),
            ..DatedFact::plain(old)
        };
        insert_row(tx, scope, subject, fact_id, &first, row.registered_at).await?;
    }
    withdraw_rows(tx, scope, subject, fact_id, new.period).await?;
    let now = tx.now();
    insert_row(tx, scope, subject, fact_id, &new, now).await?;
    Ok(())
}
