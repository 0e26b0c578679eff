//! The list of enquiries (核对记录), for the case and for the auditor, with what is odd about each (异常提示).
//!
//! Guarantees: filtered, counted and cut into pages by the database, within the scope; each flag says by which rule it
//! stands. What can be known is flagged and nothing else ([`super::odd`]). Deliberately absent: calling a flag an offence.

use super::{Odd, Terms};
use crate::tables::{enquiry as table, enquiry_person};
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, Days, NaiveDate, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
};
use serde::Serialize;
use store::{Db, Page, inside};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::{HouseholdId, OfficerId, PersonId};

/// An enquiry as a line (核对记录).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnquiryRow {
    /// Its id.
    pub id: Uuid,
    /// Its number.
    pub number: String,
    /// The case it was for.
    pub subject: Uuid,
    /// Its number.
    pub subject_number: String,
    /// The household.
    pub household: HouseholdId,
    /// Where.
    pub region: Region,
    /// Who asked.
    pub officer: OfficerId,
    /// Their name.
    pub officer_name: String,
    /// For what.
    pub purpose: String,
    /// The day asked about.
    pub as_of: NaiveDate,
    /// When.
    pub at: DateTime<Utc>,
    /// The first day it is no longer valid.
    pub valid_until: NaiveDate,
    /// How many people were asked about.
    pub people: i64,
    /// How many sources said nothing, or not everything.
    pub unknowns: i64,
    /// By what its report is recognised on paper.
    pub check: String,
    /// What is odd about it, but for what only all enquiries together tell.
    pub odd: Vec<Oddity>,
}

/// What is odd about an enquiry (异常提示).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Oddity {
    /// Outside the hours and days of office.
    OutOfHours,
    /// An officer's own number was among those asked about.
    Own,
    /// The same officer asked about the same person so many times.
    SamePerson(i64),
    /// The same officer asked about so many households of one building (邻居).
    Neighbours(i64),
    /// So many officers asked about one of these people (名人).
    ManyOfficers(i64),
    /// One of these people was asked about for so many cases (名人).
    ManyCases(i64),
}

impl Oddity {
    /// Whether other enquiries make it odd (与其他核对有关).
    pub const fn is_beside_others(self) -> bool {
        !matches!(self, Self::OutOfHours | Self::Own)
    }
}

/// What to look for (核对记录筛选); everything left out means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnquiryFilter {
    /// By this officer.
    pub officer: Option<OfficerId>,
    /// From this day on.
    pub from: Option<NaiveDate>,
    /// Before this day.
    pub before: Option<NaiveDate>,
    /// For this purpose.
    pub purpose: Option<String>,
    /// Answered by this source.
    pub source: Option<String>,
    /// An enquiry's number, or its case's.
    pub number: String,
    /// About this person.
    pub person: Option<PersonId>,
    /// Those beside which an enquiry looked odd: itself, of the same officer about the same building, and about the same people.
    pub beside: Option<Uuid>,
    /// Only odd ones.
    pub odd_only: bool,
}

pub(super) fn row_of(row: table::Model) -> anyhow::Result<EnquiryRow> {
    let flags = [
        row.out_of_hours.then_some(Oddity::OutOfHours),
        row.own.then_some(Oddity::Own),
        // What was not often enough was kept as none.
        (row.same_person > 0).then_some(Oddity::SamePerson(row.same_person)),
        (row.neighbours > 0).then_some(Oddity::Neighbours(row.neighbours)),
        (row.officers > 0).then_some(Oddity::ManyOfficers(row.officers)),
        (row.cases > 0).then_some(Oddity::ManyCases(row.cases)),
    ];
    Ok(EnquiryRow {
        id: row.id,
        number: row.number,
        subject: row.subject_id,
        subject_number: row.subject_number,
        household: HouseholdId(row.household_id),
        region: row
            .region
            .parse()
            .context("a stored division code is damaged")?,
        officer: OfficerId(row.officer_id),
        officer_name: row.officer,
        purpose: row.purpose,
        as_of: row.as_of,
        at: row.at,
        valid_until: row.valid_until,
        people: row.people,
        unknowns: row.unknowns,
        check: row.report_blind.chars().take(16).collect(),
        odd: flags.into_iter().flatten().collect(),
    })
}

fn within(scope: &Scope) -> Condition {
    Condition::all().add(inside(table::Column::Region, scope.region))
}

fn condition(scope: &Scope, filter: &EnquiryFilter, busy: &[OfficerId]) -> Condition {
    use table::Column as C;
    let mut all = within(scope)
        .add_option(filter.officer.map(|officer| C::OfficerId.eq(officer.0)))
        .add_option(filter.from.map(|day| C::OnDay.gte(day)))
        .add_option(filter.before.map(|day| C::OnDay.lt(day)))
        .add_option(
            filter
                .purpose
                .as_ref()
                .map(|purpose| C::Purpose.eq(purpose)),
        );
    if let Some(source) = &filter.source {
        // A source that answered has a delivery; the names of sources are words of the packs, without quotes.
        let clean: String = source
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        all = all.add(C::Deliveries.contains(format!("\"{clean}\":{{\"delivery\":\"")));
    }
    let number = filter.number.trim().to_ascii_uppercase();
    if !number.is_empty() {
        all = all.add(
            Condition::any()
                .add(C::Number.eq(&number))
                .add(C::SubjectNumber.eq(&number)),
        );
    }
    if let Some(person) = filter.person {
        let about = Query::select()
            .column(enquiry_person::Column::EnquiryId)
            .from(enquiry_person::Entity)
            .and_where(enquiry_person::Column::PersonId.eq(person.0))
            .to_owned();
        all = all.add(C::Id.in_subquery(about));
    }
    if let Some(one) = filter.beside {
        all = all.add(super::odd::beside(one));
    }
    if filter.odd_only {
        all = all.add(
            Condition::any()
                .add(C::OutOfHours.eq(true))
                .add(C::Own.eq(true))
                .add(C::SamePerson.gt(0))
                .add(C::Neighbours.gt(0))
                .add(C::Officers.gt(0))
                .add(C::Cases.gt(0))
                .add(C::OfficerId.is_in(busy.iter().map(|officer| officer.0))),
        );
    }
    all
}

/// The list of enquiries (核对记录), newest first; `busy` are the officers who asked far more than others.
///
/// # Errors
/// Faults of the database.
pub async fn list(
    db: &Db,
    scope: &Scope,
    filter: &EnquiryFilter,
    busy: &[OfficerId],
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<EnquiryRow>> {
    let query = table::Entity::find()
        .filter(condition(scope, filter, busy))
        .order_by_desc(table::Column::At)
        .order_by_desc(table::Column::Number);
    store::page::cut(db.conn(), query, offset, limit)
        .await
        .context("listing enquiries")?
        .try_map(row_of)
}

/// The enquiries of a filter after one (此后的核对记录), in the order of identifiers: for a file of all of them.
///
/// # Errors
/// Faults of the database.
pub async fn after(
    db: &Db,
    scope: &Scope,
    filter: &EnquiryFilter,
    busy: &[OfficerId],
    last: Option<Uuid>,
    limit: u64,
) -> anyhow::Result<Vec<EnquiryRow>> {
    let query = table::Entity::find().filter(condition(scope, filter, busy));
    store::page::after(db.conn(), query, table::Column::Id, last, limit)
        .await
        .context("going through enquiries")?
        .into_iter()
        .map(row_of)
        .collect()
}

/// The enquiries of a case (办件的核对记录), newest first.
///
/// # Errors
/// Faults of the database.
pub async fn of_subject(db: &Db, scope: &Scope, subject: Uuid) -> anyhow::Result<Vec<EnquiryRow>> {
    table::Entity::find()
        .filter(within(scope).add(table::Column::SubjectId.eq(subject)))
        .order_by_desc(table::Column::At)
        .order_by_desc(table::Column::Number)
        .all(db.conn())
        .await
        .context("reading a case's enquiries")?
        .into_iter()
        .map(row_of)
        .collect()
}

/// A report as the public check shows it (核对报告核验): nothing of what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// By what it is recognised on paper.
    pub check: String,
    /// The day it was made.
    pub on_day: NaiveDate,
    /// The first day it is no longer valid.
    pub valid_until: NaiveDate,
    /// The day of the last report for the same case, if a later one was made.
    pub newer: Option<NaiveDate>,
}

/// The report of a number (按编号查报告), for whoever compares the code printed on it before showing anything.
///
/// # Errors
/// Faults of the database.
pub async fn printed(db: &Db, number: &str) -> anyhow::Result<Option<Printed>> {
    let row = table::Entity::find()
        .filter(table::Column::Number.eq(number))
        .one(db.conn())
        .await
        .context("looking for a report")?;
    let Some(row) = row.map(row_of).transpose()? else {
        return Ok(None);
    };
    let newer = table::Entity::find()
        .filter(table::Column::SubjectId.eq(row.subject))
        .filter(table::Column::At.gt(row.at))
        .order_by_desc(table::Column::At)
        .one(db.conn())
        .await
        .context("looking for a later report")?;
    Ok(Some(Printed {
        on_day: store::clock::shanghai_day(row.at),
        newer: newer.map(|newer| newer.on_day),
        check: row.check,
        valid_until: row.valid_until,
    }))
}

/// How often an officer asked (各人核对次数).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByOfficer {
    /// Who.
    pub officer: OfficerId,
    /// Their name.
    pub name: String,
    /// How often in the last days.
    pub times: i64,
    /// Whether that is far above the others.
    pub far_above: bool,
}

#[derive(FromQueryResult)]
struct Counted {
    officer_id: Uuid,
    name: String,
    times: i64,
}

/// How often each officer asked in the last days, most first (各人核对次数), and who far above the median.
///
/// # Errors
/// Faults of the database.
pub async fn by_officer(db: &Db, scope: &Scope, terms: &Terms) -> anyhow::Result<Vec<ByOfficer>> {
    let since = db.today() - Days::new(u64::from(terms.odd.median_days));
    let counted: Vec<Counted> = table::Entity::find()
        .select_only()
        .column(table::Column::OfficerId)
        .expr_as(Expr::col(table::Column::Officer).max(), "name")
        .expr_as(Expr::col(table::Column::Id).count(), "times")
        .filter(within(scope).add(table::Column::OnDay.gt(since)))
        .group_by(table::Column::OfficerId)
        .into_model()
        .all(db.conn())
        .await
        .context("counting enquiries by officer")?;
    let mut times: Vec<i64> = counted.iter().map(|one| one.times).collect();
    times.sort_unstable();
    let mut found: Vec<ByOfficer> = counted
        .into_iter()
        .map(|one| ByOfficer {
            officer: OfficerId(one.officer_id),
            name: one.name,
            times: one.times,
            far_above: far_above(one.times, &times, terms.odd),
        })
        .collect();
    found.sort_by(|one, other| (other.times, &one.name).cmp(&(one.times, &other.name)));
    Ok(found)
}

/// Whether somebody asked far more often than the others: at least so often, and so many times the median. Of two in the
/// middle the smaller is the median, so that two officers can be told apart.
fn far_above(times: i64, sorted: &[i64], odd: Odd) -> bool {
    let Some(median) = sorted.get(sorted.len().saturating_sub(1) / 2) else {
        return false;
    };
    times >= i64::from(odd.at_least)
        && times > median.saturating_mul(i64::from(odd.times_the_median))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_above_is_often_and_many_times_the_middle_one() {
        let odd = Odd {
            at_least: 12,
            times_the_median: 4,
            ..Odd::default()
        };
        // Of 1, 2, 3 and 40 the smaller of the two in the middle is 2: more than 8, and at least 12.
        assert!(far_above(40, &[1, 2, 3, 40], odd));
        assert!(!far_above(3, &[1, 2, 3, 40], odd));
        // Of 3 and 12 the smaller is 3: 12 is not more than 12. Of 1 and 11: often enough it is not.
        assert!(!far_above(12, &[3, 12], odd));
        assert!(!far_above(11, &[1, 11], odd));
        // Alone, an officer is the median.
        assert!(!far_above(500, &[500], odd));
    }
}
