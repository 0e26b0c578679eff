//! Entitling (批准待遇): a decision becomes a monthly right.
//!
//! Guarantees: nobody is entitled twice to the same part of the same programme in overlapping months, nor to two
//! programmes that exclude each other, wherever in the country the other entitlement stands; the refusal says which. The
//! same decision asked again gives the same entitlement. A missing bank account is no reason to refuse a right; it stops
//! the line of the pay run instead. Deliberately absent: whether the amount is right – the determination says so.

use crate::entitlement::{ChangeKind, Entitlement, load};
use crate::gate::hold;
use crate::payrun::ItemKind;
use crate::post::note;
use crate::rights::year_of;
use crate::tables::{change, claim, covered, entitlement as table};
use crate::transfer::{derived, month};
use access::Scope;
use anyhow::Context;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder, QuerySelect, QueryTrait};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use store::Tx;
use vocab::ids::{DecisionId, EntitlementId, HouseholdId, PersonId};
use vocab::{Money, Month, Region};

/// A right to be created (新待遇).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewEntitlement {
    /// The decision from which it follows.
    pub decision: DecisionId,
    /// The programme.
    pub programme: String,
    /// Who is paid.
    pub payee: PersonId,
    /// The household, for a household's benefit.
    pub household: Option<HouseholdId>,
    /// The place it belongs to.
    pub region: Region,
    /// How much a month.
    pub amount: Money,
    /// Whom it covers; empty means the payee.
    pub covered: Vec<PersonId>,
    /// First month.
    pub from: Month,
    /// First month no longer paid, if the decision sets an end; a one-off benefit ends with the month after `from`.
    pub until: Option<Month>,
    /// Programmes nobody covered may receive in the same month.
    pub excludes: Vec<String>,
    /// Which part of the programme, where one pays several amounts beside each other; usually empty.
    pub part: String,
}

/// Why a right was not created (不予登记原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The place lies outside the officer's scope.
    #[error("该地区不在您的工作区域内，请由所属地区办理")]
    OutOfScope,
    /// The amount is nothing or less.
    #[error("月发放额应大于零，请核对决定的金额")]
    NotPositive,
    /// The end is not after the beginning.
    #[error("停发月份应晚于起发月份，请核对决定的起止月份")]
    EmptyPeriod,
    /// Somebody covered has this already.
    #[error("其中一人在此期间已享受“{programme}”，请改用变更，或先停发原待遇")]
    AlreadyEntitled {
        /// The programme.
        programme: String,
        /// Who.
        person: PersonId,
        /// By which entitlement.
        entitlement: EntitlementId,
    },
    /// Somebody covered has a programme that excludes this one.
    #[error("其中一人在此期间享受“{programme}”，两项不能同时享受，请先停发其中一项")]
    Excluded {
        /// The other programme.
        programme: String,
        /// Who.
        person: PersonId,
        /// By which entitlement.
        entitlement: EntitlementId,
    },
    /// A month of the new right was paid to somebody covered under an earlier one.
    #[error("其中一人{month}的同一待遇已发放过，请对原待遇办理变更，或从未发放的月份起批")]
    AlreadyPaid {
        /// Who.
        person: PersonId,
        /// The first such month.
        month: Month,
    },
    /// The same decision created a right with another content.
    #[error("同一决定已登记过内容不同的待遇，请核对决定；金额有变请办理变更")]
    DecisionUsed,
}

/// Creates a right (批准待遇).
///
/// # Errors
/// When the database fails; refusals are values.
pub async fn entitle(
    tx: &mut Tx,
    scope: &Scope,
    new: &NewEntitlement,
) -> anyhow::Result<Result<EntitlementId, Refused>> {
    within(tx, scope, new, (new.from, new.until)).await
}

/// Creates a right that is paid once a calendar year (批准按年发放的待遇): nobody covered may have had it in another month of
/// the year in which it begins. `until` is the month after `from`.
///
/// # Errors
/// When the database fails; refusals are values.
pub async fn entitle_for_year(
    tx: &mut Tx,
    scope: &Scope,
    new: &NewEntitlement,
) -> anyhow::Result<Result<EntitlementId, Refused>> {
    within(tx, scope, new, year_of(new.from)).await
}

/// Creates a right which nobody covered may have a second time within a span of months.
async fn within(
    tx: &mut Tx,
    scope: &Scope,
    new: &NewEntitlement,
    span: (Month, Option<Month>),
) -> anyhow::Result<Result<EntitlementId, Refused>> {
    if !scope.holds(new.region) {
        return Ok(Err(Refused::OutOfScope));
    }
    if new.amount <= Money::ZERO {
        return Ok(Err(Refused::NotPositive));
    }
    if new.until.is_some_and(|until| until <= new.from) {
        return Ok(Err(Refused::EmptyPeriod));
    }
    let persons: BTreeSet<PersonId> = if new.covered.is_empty() {
        [new.payee].into()
    } else {
        new.covered.iter().copied().collect()
    };
    let id = id_of(new, &persons);

    hold(tx, &persons.iter().copied().chain([new.payee]).collect()).await?;
    let mut earlier = load(
        tx.conn(),
        table::Entity::find().filter(table::Column::Id.eq(id.0)),
    )
    .await?;
    if let Some(earlier) = earlier.remove(&id) {
        return Ok(if is_same(new, &earlier) {
            Ok(id)
        } else {
            Err(Refused::DecisionUsed)
        });
    }
    let others = covering(tx.conn(), &persons).await?;
    if let Err(refused) = permitted(new, span, &persons, &others) {
        return Ok(Err(refused));
    }
    if let Some((person, month)) = first_paid(tx.conn(), new, span, &persons).await? {
        return Ok(Err(Refused::AlreadyPaid { person, month }));
    }
    write(tx, scope, new, &persons, id).await?;
    Ok(Ok(id))
}

/// Many at once (批量登记), for taking over existing recipients; each stands or falls by itself.
///
/// # Errors
/// When the database fails.
pub async fn entitle_many(
    tx: &mut Tx,
    scope: &Scope,
    many: &[NewEntitlement],
) -> anyhow::Result<Vec<Result<EntitlementId, Refused>>> {
    // All persons are held at once and in order: one by one, two take-overs could wait for each other.
    hold(
        tx,
        &many
            .iter()
            .flat_map(|new| new.covered.iter().copied().chain([new.payee]))
            .collect(),
    )
    .await?;
    let mut answers = Vec::with_capacity(many.len());
    for new in many {
        answers.push(entitle(tx, scope, new).await?);
    }
    Ok(answers)
}

/// The whole rule, without a database.
fn permitted(
    new: &NewEntitlement,
    span: (Month, Option<Month>),
    persons: &BTreeSet<PersonId>,
    others: &[Entitlement],
) -> Result<(), Refused> {
    for other in others {
        let same = other.programme == new.programme && other.part == new.part;
        let months = if same { span } else { (new.from, new.until) };
        if !overlaps(months, (other.from, other.until)) {
            continue;
        }
        let Some(person) = other
            .covered
            .iter()
            .copied()
            .find(|person| persons.contains(person))
        else {
            continue;
        };
        let (programme, entitlement) = (other.programme.clone(), other.id);
        if same {
            return Err(Refused::AlreadyEntitled {
                programme,
                person,
                entitlement,
            });
        }
        if new.excludes.contains(&other.programme) || other.excludes.contains(&new.programme) {
            return Err(Refused::Excluded {
                programme,
                person,
                entitlement,
            });
        }
    }
    Ok(())
}

/// Whether two half-open spans of months share one (有无重叠月份); a span closed at its own beginning holds none.
pub fn overlaps(a: (Month, Option<Month>), b: (Month, Option<Month>)) -> bool {
    let ends = |until: Option<Month>, by: Month| until.is_some_and(|until| until <= by);
    !ends(a.1, a.0) && !ends(b.1, b.0) && !ends(a.1, b.0) && !ends(b.1, a.0)
}

/// Every entitlement that covers one of these persons, in whatever region: exclusion does not stop at a district's border.
pub(crate) async fn covering(
    conn: &impl ConnectionTrait,
    persons: &BTreeSet<PersonId>,
) -> anyhow::Result<Vec<Entitlement>> {
    let query = table::Entity::find().filter(
        table::Column::Id.in_subquery(
            covered::Entity::find()
                .select_only()
                .column(covered::Column::EntitlementId)
                .filter(covered::Column::PersonId.is_in(persons.iter().map(|person| person.0)))
                .into_query(),
        ),
    );
    Ok(load(conn, query).await?.into_values().collect())
}

async fn first_paid(
    conn: &impl ConnectionTrait,
    new: &NewEntitlement,
    (from, until): (Month, Option<Month>),
    persons: &BTreeSet<PersonId>,
) -> anyhow::Result<Option<(PersonId, Month)>> {
    let mut query = claim::Entity::find()
        .filter(claim::Column::PersonId.is_in(persons.iter().map(|person| person.0)))
        .filter(claim::Column::Programme.eq(&new.programme))
        .filter(claim::Column::Part.eq(&new.part))
        .filter(claim::Column::Month.gte(from.to_string()))
        .filter(claim::Column::Kind.is_in([ItemKind::Regular, ItemKind::Arrears]));
    if let Some(until) = until {
        query = query.filter(claim::Column::Month.lt(until.to_string()));
    }
    query
        .order_by_asc(claim::Column::Month)
        .one(conn)
        .await
        .context("looking for months paid before")?
        .map(|row| Ok((PersonId(row.person_id), month(&row.month)?)))
        .transpose()
}

async fn write(
    tx: &mut Tx,
    scope: &Scope,
    new: &NewEntitlement,
    persons: &BTreeSet<PersonId>,
    id: EntitlementId,
) -> anyhow::Result<()> {
    let until = new.until.map(|until| until.to_string());
    table::Entity::insert(table::ActiveModel {
        id: Set(id.0),
        programme: Set(new.programme.clone()),
        part: Set(new.part.clone()),
        payee_id: Set(new.payee.0),
        household_id: Set(new.household.map(Uuid::from)),
        region: Set(new.region.to_string()),
        decision_id: Set(new.decision.0),
        excludes: Set(json!(new.excludes)),
        from_month: Set(new.from.to_string()),
        planned_until: Set(until.clone()),
        until_month: Set(until),
        paid_to: Set(new.from.to_string()),
        created_at: Set(tx.now()),
        created_by: Set(scope.actor.officer.0),
    })
    .exec_without_returning(tx.conn())
    .await
    .context("writing an entitlement")?;
    covered::Entity::insert_many(persons.iter().map(|person| covered::ActiveModel {
        entitlement_id: Set(id.0),
        person_id: Set(person.0),
    }))
    .exec_without_returning(tx.conn())
    .await
    .context("writing covered persons")?;
    change::Entity::insert(change::ActiveModel {
        id: Set(derived(&["change", &id.to_string(), "first"])),
        entitlement_id: Set(id.0),
        seq: Set(0),
        kind: Set(ChangeKind::Amount),
        from_month: Set(new.from.to_string()),
        amount: Set(Some(new.amount.fen())),
        decision_id: Set(new.decision.0),
        made_at: Set(tx.now()),
        made_by: Set(scope.actor.officer.0),
    })
    .exec_without_returning(tx.conn())
    .await
    .context("writing the first amount of an entitlement")?;
    note(
        tx,
        scope,
        "ledger.entitle",
        "entitlement",
        id.0,
        json!({
            "decision": new.decision,
            "programme": new.programme,
            "part": new.part,
            "from": new.from,
            "until": new.until,
            "fen": new.amount,
            "covered": persons.len(),
        }),
    );
    Ok(())
}

fn id_of(new: &NewEntitlement, persons: &BTreeSet<PersonId>) -> EntitlementId {
    let decision = new.decision.to_string();
    let payee = new.payee.to_string();
    let persons: Vec<String> = persons.iter().map(ToString::to_string).collect();
    EntitlementId(derived(&[
        "entitlement",
        &decision,
        &new.programme,
        &new.part,
        &payee,
        &persons.join(","),
    ]))
}

fn is_same(new: &NewEntitlement, earlier: &Entitlement) -> bool {
    let first = earlier.changes.first().and_then(|change| change.amount);
    earlier.from == new.from && first == Some(new.amount) && earlier.region == new.region
}

#[cfg(test)]
mod tests {
    use super::overlaps;
    use crate::rights::year_of;
    use vocab::Month;

    #[test]
    fn a_year_runs_from_january_to_january() {
        let month = |text: &str| -> Month { text.parse().unwrap() };
        let year = (month("2026-01"), Some(month("2027-01")));
        for inside in ["2026-01", "2026-02", "2026-12"] {
            assert_eq!(year_of(month(inside)), year);
        }
    }

    #[test]
    fn spans_of_months_overlap_when_they_share_one() {
        let month = |text: &str| -> Month { text.parse().unwrap() };
        let span = |from: &str, until: Option<&str>| (month(from), until.map(month));
        let table = [
            (("2026-01", None), ("2026-05", None), true),
            (("2026-01", Some("2026-05")), ("2026-05", None), false),
            (("2026-01", Some("2026-06")), ("2026-05", None), true),
            (("2026-01", Some("2026-01")), ("2025-05", None), false),
            (
                ("2026-03", Some("2026-03")),
                ("2026-03", Some("2026-04")),
                false,
            ),
        ];
        for ((a_from, a_until), (b_from, b_until), expected) in table {
            let (a, b) = (span(a_from, a_until), span(b_from, b_until));
            assert_eq!(overlaps(a, b), expected, "{a:?} {b:?}");
            assert_eq!(overlaps(b, a), expected, "{b:?} {a:?}");
        }
    }
}
