//! What is odd about an enquiry only beside others (异常提示的计数): counted when it is kept, in the database, and kept with it.
//!
//! * The same person: one officer asked about one person again and again.
//! * Neighbours (邻居): one officer asked about several households of one building. Where an officer lives is not registered, so what
//!   is seen is that those asked about live together.
//! * Celebrities (名人): several officers asked about one person, or one person was asked about for several cases.
//!
//! Guarantees: this enquiry is counted with the earlier ones; a person of several records is one; what is not often enough is kept as
//! none; an address without a number is no building and nobody's neighbour. Deliberately absent: earlier enquiries of other thresholds:
//! a row says what its day's terms called odd.

use super::Terms;
use crate::tables::{enquiry as table, enquiry_person};
use access::Scope;
use anyhow::Context;
use chrono::{Days, NaiveDate};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect};
use std::collections::{BTreeMap, BTreeSet};
use store::{Keys, Tx};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::{HouseholdId, PersonId};

/// How often, this time included; nought where that is not often (次数).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) same_person: i64,
    pub(super) neighbours: i64,
    pub(super) officers: i64,
    pub(super) cases: i64,
}

/// An enquiry that is about to be kept.
pub(super) struct About<'a> {
    pub(super) people: &'a [PersonId],
    pub(super) household: HouseholdId,
    pub(super) case: Uuid,
    pub(super) building: &'a str,
}

/// The building of an address, blinded (楼栋盲索引); empty without one.
pub(super) fn building(keys: &Keys, region: Region, address: &str) -> String {
    let found = linkage::place::building(address);
    found.map_or_else(String::new, |building| {
        keys.blind("verify.building", &format!("{region} {building}"))
    })
}

/// Counts what makes an enquiry odd (统计).
pub(super) async fn counts(
    tx: &Tx,
    scope: &Scope,
    terms: &Terms,
    about: &About<'_>,
    today: NaiveDate,
) -> anyhow::Result<Counts> {
    let odd = &terms.odd;
    let people = People::of(tx, about.people).await?;
    let officer = scope.actor.officer.0;
    let mine = since(today, odd.same_person_days)
        .and_where(table::Column::OfficerId.eq(officer))
        .to_owned();
    let all = since(today, odd.person_days);
    let earlier = people.most(tx, mine, table::Column::Id, None).await?;
    let officers = people
        .most(tx, all.clone(), table::Column::OfficerId, Some(officer))
        .await?;
    let cases = people
        .most(tx, all, table::Column::SubjectId, Some(about.case))
        .await?;
    let neighbours = neighbours(tx, scope, terms, about, today).await?;
    let often = |count: i64, least: u32| if count >= i64::from(least) { count } else { 0 };
    Ok(Counts {
        same_person: often(earlier + 1, odd.same_person_times),
        neighbours: often(neighbours, odd.neighbours),
        officers: often(officers, odd.person_officers),
        cases: often(cases, odd.person_cases),
    })
}

/// The enquiries since so many days.
fn since(today: NaiveDate, days: u32) -> SelectStatement {
    Query::select()
        .column(table::Column::Id)
        .from(table::Entity)
        .and_where(table::Column::OnDay.gt(today - Days::new(u64::from(days))))
        .to_owned()
}

/// How many households of this building this officer asked about, this one included.
async fn neighbours(
    tx: &Tx,
    scope: &Scope,
    terms: &Terms,
    about: &About<'_>,
    today: NaiveDate,
) -> anyhow::Result<i64> {
    if about.building.is_empty() {
        return Ok(0);
    }
    let since = today - Days::new(u64::from(terms.odd.neighbours_days));
    let others: Option<i64> = table::Entity::find()
        .select_only()
        .expr_as(
            Expr::col(table::Column::HouseholdId).count_distinct(),
            "households",
        )
        .filter(table::Column::OfficerId.eq(scope.actor.officer.0))
        .filter(table::Column::Building.eq(about.building))
        .filter(table::Column::OnDay.gt(since))
        .filter(table::Column::HouseholdId.ne(about.household.0))
        .into_tuple()
        .one(tx.conn())
        .await
        .context("counting enquiries about one building")?;
    Ok(others.unwrap_or(0) + 1)
}

/// Those asked about, each with all identifiers.
struct People {
    whose: BTreeMap<Uuid, Uuid>,
}

impl People {
    async fn of(tx: &Tx, people: &[PersonId]) -> anyhow::Result<Self> {
        let several = registry::merging::others(tx, people).await?;
        let mut whose: BTreeMap<Uuid, Uuid> = BTreeMap::new();
        for person in people {
            whose.insert(person.0, person.0);
            let others = several.get(person).into_iter().flatten();
            whose.extend(others.map(|other| (other.0, person.0)));
        }
        Ok(Self { whose })
    }

    /// Of how many different values of a column of these enquiries one of the people has most, one value counted among them.
    async fn most(
        &self,
        tx: &Tx,
        enquiries: SelectStatement,
        column: table::Column,
        now: Option<Uuid>,
    ) -> anyhow::Result<i64> {
        let rows: Vec<(Uuid, Uuid)> = enquiry_person::Entity::find()
            .select_only()
            .distinct()
            .column(enquiry_person::Column::PersonId)
            .expr_as(Expr::col((table::Entity, column)), "value")
            .join(
                sea_orm::JoinType::InnerJoin,
                enquiry_person::Entity::belongs_to(table::Entity)
                    .from(enquiry_person::Column::EnquiryId)
                    .to(table::Column::Id)
                    .into(),
            )
            .filter(enquiry_person::Column::PersonId.is_in(self.whose.keys().copied()))
            .filter(enquiry_person::Column::EnquiryId.in_subquery(enquiries))
            .into_tuple()
            .all(tx.conn())
            .await
            .context("counting earlier enquiries about the same people")?;
        let mut values: BTreeMap<Uuid, BTreeSet<Uuid>> = BTreeMap::new();
        for person in self.whose.values() {
            values.insert(*person, now.into_iter().collect());
        }
        for (record, value) in rows {
            if let Some(person) = self.whose.get(&record) {
                values.entry(*person).or_default().insert(value);
            }
        }
        let most = values.values().map(BTreeSet::len).max().unwrap_or(0);
        i64::try_from(most).context("counting enquiries")
    }
}

/// Beside which enquiries one looked odd: the same officer's about the same building, and everybody's about the same people (同类核对).
pub(super) fn beside(one: Uuid) -> Condition {
    let of_one = |column: table::Column| {
        Query::select()
            .column(column)
            .from(table::Entity)
            .and_where(table::Column::Id.eq(one))
            .to_owned()
    };
    let people = Query::select()
        .column(enquiry_person::Column::PersonId)
        .from(enquiry_person::Entity)
        .and_where(enquiry_person::Column::EnquiryId.eq(one))
        .to_owned();
    let about = Query::select()
        .column(enquiry_person::Column::EnquiryId)
        .from(enquiry_person::Entity)
        .and_where(enquiry_person::Column::PersonId.in_subquery(people))
        .to_owned();
    Condition::any()
        .add(table::Column::Id.in_subquery(about))
        .add(
            Condition::all()
                .add(table::Column::Building.ne(""))
                .add(table::Column::Building.in_subquery(of_one(table::Column::Building)))
                .add(table::Column::OfficerId.in_subquery(of_one(table::Column::OfficerId))),
        )
}
