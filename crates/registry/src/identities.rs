//! Who people are, for comparing them with what others delivered (身份比对): numbers in clear, in bulk; and what two of them
//! should not have in common.
//!
//! Guarantees: only people who live in the scope or are paid by it; every time numbers are taken in clear one journal entry says
//! how many and why. Deliberately absent: who may ask, who is paid (the ledger knows), and what follows from a likeness.

use crate::reading::Reading;
use crate::tables::{account, person};
use access::Scope;
use anyhow::Context;
use chrono::NaiveDate;
use sea_orm::sea_query::{ExprTrait, Query};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use store::inside;
use store::{Event, Tx};
use uuid::Uuid;
use vocab::ids::PersonId;
use vocab::{Region, Sex};

/// A person as comparing needs them (比对身份).
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The identifier.
    pub id: PersonId,
    /// The name (姓名).
    pub name: String,
    /// The document's number in clear (证件号码); empty without one.
    pub number: String,
    /// The sex (性别).
    pub sex: Sex,
    /// The birth date (出生日期).
    pub born: Option<NaiveDate>,
    /// Where the household registration lies (户籍地).
    pub hukou: Option<Region>,
    /// The community lived in (居住社区).
    pub lives_in: Region,
    /// The day of death (死亡日期), if registered.
    pub died_on: Option<NaiveDate>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", self.id)
    }
}

/// By what people are the scope's (取用依据).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// They live there (居住在辖区).
    Resident,
    /// The caller found each of them in a right of the scope (由辖区发放待遇): whoever moved away is still paid from here, and
    /// nobody else would compare them.
    Paid,
}

impl Ground {
    fn condition(self, scope: &Scope) -> Condition {
        let all = Condition::all();
        match self {
            Self::Resident => all.add(inside(person::Column::LivesIn, scope.region)),
            Self::Paid => all,
        }
    }
}

/// People with their numbers in clear (批量取身份), those of the scope; journalled with the purpose.
///
/// # Errors
/// Faults of the database.
pub async fn identities(
    tx: &mut Tx,
    scope: &Scope,
    people: &[PersonId],
    ground: Ground,
    purpose: &str,
) -> anyhow::Result<BTreeMap<PersonId, Identity>> {
    let mut found = BTreeMap::new();
    for some in people.chunks(900) {
        let rows = person::Entity::find()
            .filter(person::Column::Id.is_in(some.iter().map(|id| id.0)))
            .filter(ground.condition(scope))
            .all(tx.connection())
            .await
            .context("reading identities")?;
        for row in rows {
            let number = match row.document_sealed.as_deref() {
                Some(sealed) => tx.sealing_keys().unseal(sealed)?,
                None => String::new(),
            };
            let hukou = row.hukou.as_deref().map(crate::stored::region);
            found.insert(
                PersonId(row.id),
                Identity {
                    id: PersonId(row.id),
                    name: row.name,
                    number,
                    sex: crate::stored::sex(&row.sex)?,
                    born: row.birth_date,
                    hukou: hukou.transpose()?,
                    lives_in: crate::stored::region(&row.lives_in)?,
                    died_on: row.died_on,
                },
            );
        }
    }
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "registry.identities".to_owned(),
        subject_kind: "region".to_owned(),
        subject_id: scope.region.to_string(),
        region: Some(scope.region),
        detail: json!({ "people": found.len(), "for": purpose }),
    });
    Ok(found)
}

/// People with one account number (共用账号), group by group; the number is not told. On the ground that they are paid, the caller
/// keeps those it pays.
///
/// # Errors
/// Faults of the database.
pub async fn shared_accounts(
    source: &impl Reading,
    scope: &Scope,
    ground: Ground,
) -> anyhow::Result<Vec<Vec<PersonId>>> {
    let twice = Query::select()
        .column(account::Column::NumberBlind)
        .from(account::Entity)
        .and_where(account::Column::EndedAt.is_null())
        .group_by_col(account::Column::NumberBlind)
        .and_having(account::Column::Id.count().gt(1))
        .to_owned();
    let rows: Vec<(String, Uuid)> = account::Entity::find()
        .select_only()
        .column(account::Column::NumberBlind)
        .column(account::Column::PersonId)
        .filter(account::Column::EndedAt.is_null())
        .filter(account::Column::NumberBlind.in_subquery(twice))
        .filter(account::Column::PersonId.in_subquery(of_ground(scope, ground)))
        .order_by_asc(account::Column::NumberBlind)
        .order_by_asc(account::Column::PersonId)
        .into_tuple()
        .all(source.connection())
        .await
        .context("looking for shared accounts")?;
    // Two records of one person with one account are nobody's secret.
    let same = crate::merging::same(source, rows.iter().map(|(_, id)| *id), None).await?;
    let groups = rows.chunk_by(|one, next| one.0 == next.0).map(|group| {
        let people: BTreeSet<Uuid> = group.iter().map(|(_, id)| same.survivor(*id)).collect();
        people.into_iter().map(PersonId).collect::<Vec<_>>()
    });
    Ok(groups.filter(|group| group.len() > 1).collect())
}

fn of_ground(scope: &Scope, ground: Ground) -> sea_orm::sea_query::SelectStatement {
    person::Entity::find()
        .select_only()
        .column(person::Column::Id)
        .filter(ground.condition(scope))
        .into_query()
}
