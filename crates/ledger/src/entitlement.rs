//! An entitlement (待遇): a monthly right that a decision created, and what later decisions made of it.
//!
//! What is due in a month is never stored: it is what the changes add up to, each valid from its month on, a later
//! change over an earlier one. For example 800.00 from 2026-01, changed to 900.00 from 2026-04 and, later, suspended
//! from 2026-03: January and February 800.00, then nothing until a resumption.
//!
//! Guarantees: [`Entitlement::due`] is pure; every reader filters by the scope's region in SQL; what lies outside is
//! answered exactly like what does not exist. Deliberately absent: the reason of the decision, which casework keeps.

use crate::tables::{change, covered, entitlement as table};
use crate::transfer::{month, region};
use access::Scope;
use anyhow::Context;
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryOrder, QuerySelect, QueryTrait};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use store::inside;
use vocab::ids::{DecisionId, EntitlementId, HouseholdId, OfficerId, PersonId};
use vocab::{Money, Month, Region};

/// What a change does (变更种类).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text")]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// 定额、调整：the amount from a month on.
    #[sea_orm(string_value = "amount")]
    Amount,
    /// 停发。
    #[sea_orm(string_value = "stop")]
    Stop,
    /// 暂停。
    #[sea_orm(string_value = "suspend")]
    Suspend,
    /// 恢复发放。
    #[sea_orm(string_value = "resume")]
    Resume,
    /// 撤销停发：e.g. after an appeal.
    #[sea_orm(string_value = "reinstate")]
    Reinstate,
}

impl ChangeKind {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Amount => "amount",
            Self::Stop => "stop",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Reinstate => "reinstate",
        }
    }
}

/// One change of an entitlement (待遇变更).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What it does.
    pub kind: ChangeKind,
    /// From which month on.
    pub from: Month,
    /// The new amount a month, for [`ChangeKind::Amount`].
    pub amount: Option<Money>,
    /// The decision from which it follows.
    pub decision: DecisionId,
    /// When it was made.
    pub made_at: DateTimeUtc,
    /// By whom.
    pub made_by: OfficerId,
}

/// How an entitlement stands in a month (待遇状态).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// 未开始。
    NotYet,
    /// 在发，月额。
    Running(Money),
    /// 暂停。
    Suspended,
    /// 已停。
    Ended,
}

/// An entitlement (待遇) with its changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entitlement {
    /// Its id.
    pub id: EntitlementId,
    /// The programme.
    pub programme: String,
    /// Which part of the programme, where one pays several amounts beside each other.
    pub part: String,
    /// Who is paid.
    pub payee: PersonId,
    /// The household, for a household's benefit.
    pub household: Option<HouseholdId>,
    /// The place it belongs to.
    pub region: Region,
    /// The decision that created it.
    pub decision: DecisionId,
    /// Programmes nobody covered may receive in the same month.
    pub excludes: Vec<String>,
    /// Whom it covers; never empty.
    pub covered: Vec<PersonId>,
    /// First month.
    pub from: Month,
    /// First month no longer paid, once known.
    pub until: Option<Month>,
    /// Every due month before this one is claimed.
    pub paid_to: Month,
    /// The changes in the order they were made; the first one is the amount of the first decision.
    pub changes: Vec<Change>,
}

impl Entitlement {
    /// How it stands in a month (某月状态).
    pub fn standing(&self, at: Month) -> Standing {
        if at < self.from {
            return Standing::NotYet;
        }
        let last = |kinds: &[ChangeKind]| {
            self.changes
                .iter()
                .rev()
                .find(|change| change.from <= at && kinds.contains(&change.kind))
        };
        let is =
            |pair: &[ChangeKind], wanted| last(pair).is_some_and(|change| change.kind == wanted);
        // Two questions apart: a resumption does not undo a stop, nor a reinstatement a suspension.
        if self.until.is_some_and(|until| until <= at)
            || is(&[ChangeKind::Stop, ChangeKind::Reinstate], ChangeKind::Stop)
        {
            return Standing::Ended;
        }
        if is(
            &[ChangeKind::Suspend, ChangeKind::Resume],
            ChangeKind::Suspend,
        ) {
            return Standing::Suspended;
        }
        match last(&[ChangeKind::Amount]).and_then(|change| change.amount) {
            Some(amount) => Standing::Running(amount),
            None => Standing::NotYet,
        }
    }

    /// What is due for a month (某月应发): nothing before the start, while suspended and after the end.
    pub fn due(&self, at: Month) -> Money {
        match self.standing(at) {
            Standing::Running(amount) => amount,
            Standing::NotYet | Standing::Suspended | Standing::Ended => Money::ZERO,
        }
    }

    /// Everybody concerned (相关人员): the payee and whom it covers.
    pub fn persons(&self) -> BTreeSet<PersonId> {
        self.covered.iter().copied().chain([self.payee]).collect()
    }

    /// The decision that set the amount of a month (某月金额依据的决定).
    pub fn decision_of(&self, at: Month) -> DecisionId {
        self.changes
            .iter()
            .rev()
            .find(|change| change.kind == ChangeKind::Amount && change.from <= at)
            .map_or(self.decision, |change| change.decision)
    }
}

/// The entitlement of an id (按标识取待遇), if it lies in the scope.
///
/// # Errors
/// When the database fails.
pub async fn entitlement(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    id: EntitlementId,
) -> anyhow::Result<Option<Entitlement>> {
    let found = load(
        conn,
        table::Entity::find()
            .filter(in_scope(scope))
            .filter(table::Column::Id.eq(id.0)),
    )
    .await?;
    Ok(found.into_values().next())
}

/// The entitlements of many ids (按多个标识取待遇), those that lie in the scope.
///
/// # Errors
/// When the database fails.
pub async fn entitlements(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[EntitlementId],
) -> anyhow::Result<BTreeMap<EntitlementId, Entitlement>> {
    let mut found = BTreeMap::new();
    for some in ids.chunks(1_000) {
        let query = table::Entity::find()
            .filter(in_scope(scope))
            .filter(table::Column::Id.is_in(some.iter().map(|id| id.0)));
        found.extend(load(conn, query).await?);
    }
    Ok(found)
}

/// The entitlements a person is paid for or covered by (某人的全部待遇), in the scope, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn entitlements_of(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    person: PersonId,
) -> anyhow::Result<Vec<Entitlement>> {
    let query = table::Entity::find().filter(in_scope(scope)).filter(
        Condition::any()
            .add(table::Column::PayeeId.eq(person.0))
            .add(
                table::Column::Id.in_subquery(
                    covered::Entity::find()
                        .select_only()
                        .column(covered::Column::EntitlementId)
                        .filter(covered::Column::PersonId.eq(person.0))
                        .into_query(),
                ),
            ),
    );
    let mut found: Vec<_> = load(conn, query).await?.into_values().collect();
    found.sort_by_key(|one| (one.from, one.id));
    Ok(found)
}

/// A person covered by a running entitlement in a month (在发情况).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InPayment {
    /// Who is covered.
    pub person: PersonId,
    /// By which programme.
    pub programme: String,
    /// By which part of it.
    pub part: String,
    /// By which entitlement.
    pub entitlement: EntitlementId,
    /// Who is paid.
    pub payee: PersonId,
    /// The household, for a household's benefit.
    pub household: Option<HouseholdId>,
    /// How much the whole entitlement is due in the month.
    pub amount: Money,
}

/// What is in payment for these persons in a month (在发情况), one row a person and entitlement, in order.
///
/// # Errors
/// When the database fails.
pub async fn in_payment(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    persons: &[PersonId],
    at: Month,
) -> anyhow::Result<Vec<InPayment>> {
    let wanted: BTreeSet<PersonId> = persons.iter().copied().collect();
    let mut rows = BTreeSet::new();
    for some in persons.chunks(5_000) {
        let query = table::Entity::find().filter(in_scope(scope)).filter(
            table::Column::Id.in_subquery(
                covered::Entity::find()
                    .select_only()
                    .column(covered::Column::EntitlementId)
                    .filter(covered::Column::PersonId.is_in(some.iter().map(|person| person.0)))
                    .into_query(),
            ),
        );
        for found in load(conn, query).await?.into_values() {
            let amount = found.due(at);
            if amount == Money::ZERO {
                continue;
            }
            rows.extend(
                found
                    .covered
                    .iter()
                    .filter(|person| wanted.contains(person))
                    .map(|person| InPayment {
                        person: *person,
                        programme: found.programme.clone(),
                        part: found.part.clone(),
                        entitlement: found.id,
                        payee: found.payee,
                        household: found.household,
                        amount,
                    }),
            );
        }
    }
    Ok(rows.into_iter().collect())
}

/// Whose payment changed since a moment (在发有变动的人): decided, changed or stopped from then on; everybody ever paid,
/// if the month has turned since.
///
/// # Errors
/// When the database fails.
pub async fn persons_touched(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    since: DateTimeUtc,
    month_turned: bool,
) -> anyhow::Result<BTreeSet<PersonId>> {
    let mut query = table::Entity::find().filter(in_scope(scope));
    if !month_turned {
        let changed = change::Entity::find()
            .select_only()
            .column(change::Column::EntitlementId)
            .filter(change::Column::MadeAt.gte(since))
            .into_query();
        query = query.filter(
            Condition::any()
                .add(table::Column::CreatedAt.gte(since))
                .add(table::Column::Id.in_subquery(changed)),
        );
    }
    let found = load(conn, query).await?;
    Ok(found.into_values().flat_map(|one| one.persons()).collect())
}

/// The condition every query of entitlements carries.
pub(crate) fn in_scope(scope: &Scope) -> Condition {
    Condition::all().add(inside(table::Column::Region, scope.region))
}

/// Entitlements with covered persons and changes, in three queries however many there are.
pub(crate) async fn load(
    conn: &impl ConnectionTrait,
    query: Select<table::Entity>,
) -> anyhow::Result<BTreeMap<EntitlementId, Entitlement>> {
    let rows = query.all(conn).await.context("reading entitlements")?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut found = BTreeMap::new();
    for row in rows {
        found.insert(EntitlementId(row.id), bare(row)?);
    }
    // SQLite takes 32 766 values a statement; a thousand a turn stays far below and costs nothing.
    for some in ids.chunks(1_000) {
        let persons = covered::Entity::find()
            .filter(covered::Column::EntitlementId.is_in(some.iter().copied()))
            .order_by_asc(covered::Column::PersonId)
            .all(conn)
            .await
            .context("reading covered persons")?;
        for row in persons {
            if let Some(entitlement) = found.get_mut(&EntitlementId(row.entitlement_id)) {
                entitlement.covered.push(PersonId(row.person_id));
            }
        }
        let changes = change::Entity::find()
            .filter(change::Column::EntitlementId.is_in(some.iter().copied()))
            .order_by_asc(change::Column::Seq)
            .all(conn)
            .await
            .context("reading changes of entitlements")?;
        for row in changes {
            if let Some(entitlement) = found.get_mut(&EntitlementId(row.entitlement_id)) {
                entitlement.changes.push(Change {
                    kind: row.kind,
                    from: month(&row.from_month)?,
                    amount: row.amount.map(Money::from_fen),
                    decision: DecisionId(row.decision_id),
                    made_at: row.made_at,
                    made_by: OfficerId(row.made_by),
                });
            }
        }
    }
    Ok(found)
}

fn bare(row: table::Model) -> anyhow::Result<Entitlement> {
    Ok(Entitlement {
        id: EntitlementId(row.id),
        programme: row.programme,
        part: row.part,
        payee: PersonId(row.payee_id),
        household: row.household_id.map(HouseholdId),
        region: region(&row.region)?,
        decision: DecisionId(row.decision_id),
        excludes: serde_json::from_value(row.excludes).context("reading excluded programmes")?,
        covered: Vec::new(),
        from: month(&row.from_month)?,
        until: row.until_month.as_deref().map(month).transpose()?,
        paid_to: month(&row.paid_to)?,
        changes: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Change, ChangeKind, Entitlement, Standing};
    use uuid::Uuid;
    use vocab::ids::{DecisionId, EntitlementId, OfficerId, PersonId};
    use vocab::{Money, Month, Region};

    fn month(text: &str) -> Month {
        text.parse().unwrap()
    }

    fn with(until: Option<&str>, changes: &[(ChangeKind, &str, Option<i64>)]) -> Entitlement {
        Entitlement {
            id: EntitlementId(Uuid::nil()),
            programme: "p".to_owned(),
            part: String::new(),
            payee: PersonId(Uuid::nil()),
            household: None,
            region: Region::NATION,
            decision: DecisionId(Uuid::nil()),
            excludes: Vec::new(),
            covered: vec![PersonId(Uuid::nil())],
            from: month("2026-01"),
            until: until.map(month),
            paid_to: month("2026-01"),
            changes: changes
                .iter()
                .map(|(kind, from, amount)| Change {
                    kind: *kind,
                    from: month(from),
                    amount: amount.map(Money::from_fen),
                    decision: DecisionId(Uuid::nil()),
                    made_at: chrono::DateTime::UNIX_EPOCH,
                    made_by: OfficerId(Uuid::nil()),
                })
                .collect(),
        }
    }

    #[test]
    fn a_later_change_holds_over_an_earlier_one_from_its_month_on() {
        use ChangeKind::{Amount, Reinstate, Resume, Stop, Suspend};
        let base = (Amount, "2026-01", Some(800));
        let table: &[(&str, Option<&str>, &[_], [i64; 6])] = &[
            ("one amount", None, &[base], [800; 6]),
            (
                "planned end",
                Some("2026-04"),
                &[base],
                [800, 800, 800, 0, 0, 0],
            ),
            (
                "raised",
                None,
                &[base, (Amount, "2026-03", Some(900))],
                [800, 800, 900, 900, 900, 900],
            ),
            (
                "a late, earlier decision replaces what was decided before",
                None,
                &[
                    base,
                    (Amount, "2026-04", Some(900)),
                    (Amount, "2026-02", Some(700)),
                ],
                [800, 700, 700, 700, 700, 700],
            ),
            (
                "suspended and resumed",
                None,
                &[base, (Suspend, "2026-02", None), (Resume, "2026-04", None)],
                [800, 0, 0, 800, 800, 800],
            ),
            (
                "resumed for the suspended months too",
                None,
                &[base, (Suspend, "2026-02", None), (Resume, "2026-02", None)],
                [800; 6],
            ),
            (
                "stopped",
                None,
                &[base, (Stop, "2026-03", None)],
                [800, 800, 0, 0, 0, 0],
            ),
            (
                "a resumption does not undo a stop",
                None,
                &[
                    base,
                    (Suspend, "2026-02", None),
                    (Stop, "2026-04", None),
                    (Resume, "2026-03", None),
                ],
                [800, 0, 800, 0, 0, 0],
            ),
            (
                "the stop undone on appeal",
                None,
                &[base, (Stop, "2026-03", None), (Reinstate, "2026-03", None)],
                [800; 6],
            ),
        ];
        for (name, until, changes, expected) in table {
            let entitlement = with(*until, changes);
            let due: Vec<i64> = (0..6)
                .map(|step| entitlement.due(month("2026-01").plus(step)).fen())
                .collect();
            assert_eq!(&due[..], expected, "{name}");
            assert_eq!(
                entitlement.standing(month("2025-12")),
                Standing::NotYet,
                "{name}"
            );
        }
    }
}
