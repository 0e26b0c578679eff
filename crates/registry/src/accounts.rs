//! Bank accounts (银行账户): where a person's money is sent. One at a time; earlier ones stay on record.
//!
//! The number is sealed. A card must pass its check digit; a passbook that does not is only worth a second look, because
//! passbook numbers follow each bank's own habit. Money goes to the person or, with a written agreement, to who keeps
//! the account for them.

use crate::merging::same;
use crate::reading::Reading;
use crate::tables::{account, person};
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use store::inside;
use store::{Event, Keys, Tx};
use uuid::Uuid;
use vocab::ids::PersonId;

/// The kind of an account (账户种类).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// 银行卡（含社会保障卡金融账户）
    Card,
    /// 存折
    Passbook,
}

impl AccountKind {
    fn code(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Passbook => "passbook",
        }
    }

    /// The kind a number most likely has (推断种类): bank cards have 16 to 19 digits and begin with 3 to 6 or 9.
    pub fn guess(number: &str) -> Self {
        let is_card =
            (16..=19).contains(&number.len()) && number.starts_with(['3', '4', '5', '6', '9']);
        if is_card { Self::Card } else { Self::Passbook }
    }
}

/// An account to be kept (账户).
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The bank (开户银行).
    pub bank: String,
    /// The number (账号), digits; blanks and hyphens are left out.
    pub number: String,
    /// Whose account it is (户名).
    pub holder: String,
    /// Card or passbook.
    pub kind: AccountKind,
    /// The agreement by which somebody else keeps the account (存折代管协议), if so.
    pub agreement: Option<String>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Account(…)")
    }
}

/// An account as pages show it (账户，打码).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// The bank (开户银行).
    pub bank: String,
    /// The masked number (账号).
    pub number_masked: String,
    /// Whose account it is (户名).
    pub holder: String,
    /// Card or passbook.
    pub kind: AccountKind,
    /// The agreement, if somebody else keeps it.
    pub agreement: Option<String>,
    /// Since when it is on record.
    pub recorded_at: DateTime<Utc>,
    /// Whether the number fails the check digit of cards (worth a second look for a passbook).
    pub doubtful: bool,
}

/// Why an account was not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nobody with this identifier in the scope.
    #[error("在您的管辖范围内查不到此人")]
    NotFound,
    /// No bank.
    #[error("请填写开户银行")]
    BankMissing,
    /// Not a number.
    #[error("账号应为 6 到 32 位数字；请对照银行卡或存折核对")]
    NotANumber,
    /// A card number with a wrong check digit.
    #[error("银行卡号校验位不对，多半抄错了一位；请对照卡面逐位核对")]
    CheckDigit,
    /// Somebody else's account without an agreement.
    #[error("户名与领取人不一致；请核对，或填写代管协议编号")]
    HolderDiffers,
}

/// What was kept (保存结果).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// A passbook number that fails the check of cards: show “请再核对一遍账号”.
    pub doubtful: bool,
    /// The same account was on record already; nothing changed.
    pub unchanged: bool,
}

/// Sets a person's account (登记账户); an earlier one ends.
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn set_account(
    tx: &mut Tx,
    scope: &Scope,
    id: PersonId,
    given: Account,
) -> anyhow::Result<Result<Kept, Refused>> {
    let row = person::Entity::find_by_id(id.0)
        .filter(inside(person::Column::LivesIn, scope.region))
        .one(tx.conn())
        .await
        .context("finding the holder of an account")?;
    let Some(row) = row else {
        return Ok(Err(Refused::NotFound));
    };
    let (given, doubtful) = match checked(given, &row.name) {
        Ok(checked) => checked,
        Err(refused) => return Ok(Err(refused)),
    };
    let current = account::Entity::find()
        .filter(account::Column::PersonId.eq(id.0))
        .filter(account::Column::EndedAt.is_null())
        .one(tx.conn())
        .await
        .context("reading the current account")?;
    if let Some(current) = current {
        let same = current.number_blind == blind(tx.keys(), &given.number)
            && current.bank == given.bank
            && current.holder == given.holder
            && current.agreement == given.agreement;
        if same {
            return Ok(Ok(Kept {
                doubtful,
                unchanged: true,
            }));
        }
        let ended = account::ActiveModel {
            id: Unchanged(current.id),
            ended_at: Set(Some(tx.now())),
            ..Default::default()
        };
        ended
            .update(tx.conn())
            .await
            .context("ending the earlier account")?;
    }
    let new = account_row(
        tx.keys(),
        tx.new_id(),
        id.0,
        &given,
        tx.now(),
        scope.actor.officer.0,
    );
    account::Entity::insert(new.into_active_model())
        .exec_without_returning(tx.conn())
        .await
        .context("inserting an account")?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "account.set".to_owned(),
        subject_kind: "person".to_owned(),
        subject_id: id.to_string(),
        region: Some(crate::stored::region(&row.lives_in)?),
        detail: json!({ "kind": given.kind.code(), "doubtful": doubtful }),
    });
    Ok(Ok(Kept {
        doubtful,
        unchanged: false,
    }))
}

/// The checks of an account; gives it back cleaned, and whether its number is doubtful.
pub(crate) fn checked(mut given: Account, name: &str) -> Result<(Account, bool), Refused> {
    given.bank = given.bank.trim().to_owned();
    given.holder = given.holder.trim().to_owned();
    given.agreement = given
        .agreement
        .map(|a| a.trim().to_owned())
        .filter(|a| !a.is_empty());
    given.number = given
        .number
        .chars()
        .filter(|c| !matches!(c, ' ' | '-'))
        .collect();
    if given.bank.is_empty() {
        return Err(Refused::BankMissing);
    }
    let is_number = (6..=32).contains(&given.number.len())
        && given.number.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return Err(Refused::NotANumber);
    }
    let doubtful = !vocab::luhn::holds(&given.number);
    if doubtful && given.kind == AccountKind::Card {
        return Err(Refused::CheckDigit);
    }
    if given.holder != name && given.agreement.is_none() {
        return Err(Refused::HolderDiffers);
    }
    Ok((given, doubtful))
}

pub(crate) fn blind(keys: &Keys, number: &str) -> String {
    keys.blind("account", number)
}

pub(crate) fn account_row(
    keys: &Keys,
    id: Uuid,
    person: Uuid,
    given: &Account,
    now: DateTime<Utc>,
    by: Uuid,
) -> account::Model {
    account::Model {
        id,
        person_id: person,
        bank: given.bank.clone(),
        number_sealed: keys.seal(&given.number),
        number_blind: blind(keys, &given.number),
        holder: given.holder.clone(),
        kind: given.kind.code().to_owned(),
        agreement: given.agreement.clone(),
        recorded_at: now,
        recorded_by: by,
        ended_at: None,
    }
}

fn clear(row: &account::Model, keys: &Keys) -> anyhow::Result<Account> {
    Ok(Account {
        bank: row.bank.clone(),
        number: keys.unseal(&row.number_sealed)?,
        holder: row.holder.clone(),
        kind: if row.kind == "card" {
            AccountKind::Card
        } else {
            AccountKind::Passbook
        },
        agreement: row.agreement.clone(),
    })
}

/// The current account in clear, for an export that journals itself.
pub(crate) async fn current_clear(
    source: &impl Reading,
    id: PersonId,
) -> anyhow::Result<Option<Account>> {
    let row = current(source, &[id.0]).await?.remove(&id.0);
    row.map(|row| clear(&row, source.sealing_keys()))
        .transpose()
}

/// A person's current account (当前账户), masked, if the person lives in the scope.
///
/// # Errors
/// Faults of the database.
pub async fn account_of(
    source: &impl Reading,
    scope: &Scope,
    id: PersonId,
) -> anyhow::Result<Option<AccountView>> {
    let visible = crate::people::rows(source, scope, &[id]).await?;
    if visible.is_empty() {
        return Ok(None);
    }
    let row = current(source, &[id.0]).await?.remove(&id.0);
    row.map(|row| {
        let clear = clear(&row, source.sealing_keys())?;
        Ok(AccountView {
            doubtful: !vocab::luhn::holds(&clear.number),
            bank: clear.bank,
            number_masked: access::mask_account(&clear.number),
            holder: clear.holder,
            kind: clear.kind,
            agreement: clear.agreement,
            recorded_at: row.recorded_at,
        })
    })
    .transpose()
}

/// The clear accounts of many people (批量取账号), for a bank file: one journal entry with the count and the purpose.
///
/// People without an account, or outside the scope, are left out.
///
/// # Errors
/// Faults of the database.
pub async fn accounts_for_payment(
    tx: &mut Tx,
    scope: &Scope,
    people: &[PersonId],
    purpose: &str,
) -> anyhow::Result<BTreeMap<PersonId, Account>> {
    let mut found = BTreeMap::new();
    for some in people.chunks(500) {
        let visible = crate::people::rows(tx, scope, some).await?;
        let visible: Vec<Uuid> = visible.iter().map(|row| row.id.0).collect();
        for (id, row) in current(tx, &visible).await? {
            found.insert(PersonId(id), clear(&row, tx.keys())?);
        }
    }
    tx.note(Event {
        by: scope.actor.officer,
        purpose: purpose.to_owned(),
        act: "account.export".to_owned(),
        subject_kind: "region".to_owned(),
        subject_id: scope.region.to_string(),
        region: Some(scope.region),
        detail: json!({ "count": found.len() }),
    });
    Ok(found)
}

/// Which of these people have an account (是否有账户), for checks before a payment.
///
/// # Errors
/// Faults of the database.
pub async fn with_account(
    source: &impl Reading,
    people: &[PersonId],
) -> anyhow::Result<std::collections::BTreeSet<PersonId>> {
    let mut found = std::collections::BTreeSet::new();
    for some in people.chunks(900) {
        let ids: Vec<Uuid> = some.iter().map(|id| id.0).collect();
        found.extend(current(source, &ids).await?.into_keys().map(PersonId));
    }
    Ok(found)
}

/// The account each of some people has now: of all that stand under their identifiers the one entered last, so that money
/// decided under a merged record goes where the person says today.
async fn current(
    source: &impl Reading,
    people: &[Uuid],
) -> anyhow::Result<BTreeMap<Uuid, account::Model>> {
    let same = same(source, people.iter().copied(), None).await?;
    let every: Vec<Uuid> = same.every(people.iter().copied()).into_iter().collect();
    let mut by_record = BTreeMap::new();
    for some in every.chunks(900) {
        let rows = account::Entity::find()
            .filter(account::Column::PersonId.is_in(some.iter().copied()))
            .filter(account::Column::EndedAt.is_null())
            .all(source.connection())
            .await
            .context("reading current accounts")?;
        by_record.extend(rows.into_iter().map(|row| (row.person_id, row)));
    }
    let of = |id: &Uuid| {
        let all = same.all(*id);
        let all = all.iter().filter_map(|record| by_record.get(record));
        // Two of one moment: the surviving record's, which stands first.
        all.rev()
            .max_by_key(|row: &&account::Model| row.recorded_at)
            .cloned()
    };
    Ok(people
        .iter()
        .filter_map(|id| Some((*id, of(id)?)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: &str, kind: AccountKind) -> Account {
        Account {
            bank: "中国农业银行".to_owned(),
            number: number.to_owned(),
            holder: "张芳".to_owned(),
            kind,
            agreement: None,
        }
    }

    #[test]
    fn a_card_must_pass_its_check_digit_and_a_passbook_is_only_doubted() {
        let good = "6222020000000000000";
        assert!(
            !checked(account(&format!("{} ", &good), AccountKind::Card), "张芳")
                .is_ok_and(|(_, d)| d)
        );
        let wrong = "6222020000000000001";
        assert_eq!(
            checked(account(wrong, AccountKind::Card), "张芳"),
            Err(Refused::CheckDigit)
        );
        assert!(
            checked(account(wrong, AccountKind::Passbook), "张芳")
                .unwrap()
                .1
        );
        assert_eq!(
            checked(account("4.4E+17", AccountKind::Card), "张芳"),
            Err(Refused::NotANumber)
        );
    }

    #[test]
    fn somebody_elses_account_needs_an_agreement() {
        let given = account("6222020000000000000", AccountKind::Card);
        assert_eq!(
            checked(given.clone(), "张小芳"),
            Err(Refused::HolderDiffers)
        );
        let kept = Account {
            agreement: Some("代管〔2026〕1号".to_owned()),
            ..given
        };
        assert!(checked(kept, "张小芳").is_ok());
    }

    #[test]
    fn cards_are_told_from_passbooks_by_length_and_first_digit() {
        assert_eq!(AccountKind::guess("6222020000000000000"), AccountKind::Card);
        assert_eq!(
            AccountKind::guess("10201001040000001"),
            AccountKind::Passbook
        );
        assert_eq!(AccountKind::guess("123456789012"), AccountKind::Passbook);
    }
}
