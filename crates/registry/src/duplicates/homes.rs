//! Households that may be one (可能是同一户): two entries of the register whose members are probably the same people.
//!
//! They follow from the pairs of people that wait: two households are listed when two members of the one are probably two of the
//! other, or when their heads are and both stand at one address. Nothing is found apart, so nothing grows old: judge the people, and
//! the households go. Guarantees: cut and counted by the database, within the scope, which holds both; whoever judged two
//! households to be two is not asked again. Deliberately absent: making them one; that is done person by person, since each person's
//! rights and cases hang on the person.

use super::is_reason;
use crate::reading::Reading;
use access::Scope;
use anyhow::Context;
use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};
use serde_json::json;
use store::{Event, Page, Tx};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::{HouseholdId, OfficerId};

/// One of the two (其中一户).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// Its identifier.
    pub id: HouseholdId,
    /// The number shown to people (户编号).
    pub number: String,
    /// Where (社区).
    pub region: Region,
    /// The address (住址).
    pub address: String,
    /// How many members it has now.
    pub members: i64,
}

/// Two households that may be one (可能是同一户).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomePair {
    /// One of them.
    pub one: Home,
    /// The other.
    pub other: Home,
    /// How many members of each are probably members of the other.
    pub members: i64,
    /// Whether the two heads are probably one person.
    pub heads: bool,
    /// Whether both stand at one address.
    pub at_one_address: bool,
}

/// Why two households were not judged (不予认定原因).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HomesRefused {
    /// Not among those that may be one, in the scope.
    #[error("在您的管辖范围内没有这两户，或者已经认定过，请刷新页面")]
    NotFound,
    /// No reason.
    #[error("请写明理由，至少四个字，例如“兄弟两家，同住一址”")]
    ReasonMissing,
}

/// Pairs of households, by the pairs of people that wait. `$1` to `$2` is the scope.
const PAIRS: &str = "
SELECT s.one, s.other,
       COUNT(DISTINCT s.of_one) AS of_one, COUNT(DISTINCT s.of_other) AS of_other,
       MAX(s.heads) AS heads,
       MAX(CASE WHEN h.region = o.region AND h.address = o.address AND h.address <> '' THEN 1 ELSE 0 END) AS at_one
FROM (
  SELECT CASE WHEN ma.household_id < mb.household_id THEN ma.household_id ELSE mb.household_id END AS one,
         CASE WHEN ma.household_id < mb.household_id THEN mb.household_id ELSE ma.household_id END AS other,
         CASE WHEN ma.household_id < mb.household_id THEN ma.person_id ELSE mb.person_id END AS of_one,
         CASE WHEN ma.household_id < mb.household_id THEN mb.person_id ELSE ma.person_id END AS of_other,
         CASE WHEN ma.kinship IN ('01', '02') AND mb.kinship IN ('01', '02') THEN 1 ELSE 0 END AS heads
  FROM registry_match_pair p
  JOIN registry_membership ma ON ma.person_id = p.a AND ma.until IS NULL
  JOIN registry_membership mb ON mb.person_id = p.b AND mb.until IS NULL
  WHERE p.state IN ('open', 'later', 'prepared') AND p.probability >= 700000 AND ma.household_id <> mb.household_id
) AS s
JOIN registry_household h ON h.id = s.one
JOIN registry_household o ON o.id = s.other
WHERE h.region >= $1 AND h.region < $2 AND o.region >= $1 AND o.region < $2
  AND NOT EXISTS (SELECT 1 FROM registry_home_different d WHERE d.one = s.one AND d.other = s.other)
GROUP BY s.one, s.other
HAVING (COUNT(DISTINCT s.of_one) >= 2 AND COUNT(DISTINCT s.of_other) >= 2)
    OR MAX(CASE WHEN s.heads = 1 AND h.region = o.region AND h.address = o.address AND h.address <> '' THEN 1 ELSE 0 END) = 1";

fn statement(source: &impl Reading, sql: &str, values: Vec<Value>) -> Statement {
    Statement::from_sql_and_values(source.connection().get_database_backend(), sql, values)
}

fn bounds(scope: &Scope) -> Vec<Value> {
    let (first, beyond) = scope.region.code_range();
    vec![first.into(), beyond.into()]
}

/// Households that may be one (可能是同一户), those with most people in common first; the caller journals the look.
///
/// # Errors
/// Faults of the database.
pub async fn homes(
    source: &impl Reading,
    scope: &Scope,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<HomePair>> {
    let total = homes_count(source, scope).await?;
    let sql = format!(
        "SELECT p.*, h.number AS number_one, h.region AS region_one, h.address AS address_one, \
                o.number AS number_other, o.region AS region_other, o.address AS address_other, \
                (SELECT COUNT(*) FROM registry_membership m WHERE m.household_id = p.one AND m.until IS NULL) AS size_one, \
                (SELECT COUNT(*) FROM registry_membership m WHERE m.household_id = p.other AND m.until IS NULL) AS size_other \
         FROM ({PAIRS}) AS p \
         JOIN registry_household h ON h.id = p.one JOIN registry_household o ON o.id = p.other \
         ORDER BY p.of_one + p.of_other DESC, p.one, p.other LIMIT $3 OFFSET $4"
    );
    let mut values = bounds(scope);
    values.extend([i64::try_from(limit)?.into(), i64::try_from(offset)?.into()]);
    let rows = source
        .connection()
        .query_all_raw(statement(source, &sql, values))
        .await
        .context("listing households that may be one")?;
    Ok(Page {
        rows: rows.iter().map(read).collect::<anyhow::Result<_>>()?,
        total,
        offset,
        limit,
    })
}

fn read(row: &QueryResult) -> anyhow::Result<HomePair> {
    let home = |which: &str| -> anyhow::Result<Home> {
        let region: String = row.try_get("", &format!("region_{which}"))?;
        Ok(Home {
            id: HouseholdId(row.try_get("", which)?),
            number: row.try_get("", &format!("number_{which}"))?,
            region: crate::stored::region(&region)?,
            address: row.try_get("", &format!("address_{which}"))?,
            members: row.try_get("", &format!("size_{which}"))?,
        })
    };
    let (of_one, of_other): (i64, i64) = (row.try_get("", "of_one")?, row.try_get("", "of_other")?);
    let (heads, at_one): (i32, i32) = (row.try_get("", "heads")?, row.try_get("", "at_one")?);
    Ok(HomePair {
        one: home("one")?,
        other: home("other")?,
        members: of_one.min(of_other),
        heads: heads == 1,
        at_one_address: at_one == 1,
    })
}

/// How many (可能是同一户的对数).
///
/// # Errors
/// Faults of the database.
pub async fn homes_count(source: &impl Reading, scope: &Scope) -> anyhow::Result<u64> {
    let sql = format!("SELECT COUNT(*) AS pairs FROM ({PAIRS}) AS p");
    let row = source
        .connection()
        .query_one_raw(statement(source, &sql, bounds(scope)))
        .await
        .context("counting households that may be one")?
        .context("a count without a row")?;
    Ok(u64::try_from(row.try_get::<i64>("", "pairs")?)?)
}

/// The pairs of people that wait between two households (两户之间待核对的人), the surest first.
///
/// # Errors
/// Faults of the database.
pub async fn pairs_between(
    source: &impl Reading,
    scope: &Scope,
    one: HouseholdId,
    other: HouseholdId,
) -> anyhow::Result<Vec<Uuid>> {
    let sql = "SELECT p.id AS id FROM registry_match_pair p \
         JOIN registry_membership ma ON ma.person_id = p.a AND ma.until IS NULL \
         JOIN registry_membership mb ON mb.person_id = p.b AND mb.until IS NULL \
         WHERE p.state IN ('open', 'later', 'prepared') AND p.probability >= 700000 \
           AND p.region_a >= $1 AND p.region_a < $2 AND p.region_b >= $1 AND p.region_b < $2 \
           AND ((ma.household_id = $3 AND mb.household_id = $4) OR (ma.household_id = $4 AND mb.household_id = $3)) \
         ORDER BY p.probability DESC, p.id";
    let mut values = bounds(scope);
    values.extend([one.0.into(), other.0.into()]);
    let rows = source
        .connection()
        .query_all_raw(statement(source, sql, values))
        .await
        .context("reading the pairs between two households")?;
    rows.iter()
        .map(|row| Ok(row.try_get::<Uuid>("", "id")?))
        .collect()
}

/// Judges two households to be two (认定不是同一户), with a reason; they are not asked about again. The people are judged apart.
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn homes_different(
    tx: &mut Tx,
    scope: &Scope,
    (one, other): (HouseholdId, HouseholdId),
    reason: &str,
) -> anyhow::Result<Result<(), HomesRefused>> {
    if !is_reason(reason) {
        return Ok(Err(HomesRefused::ReasonMissing));
    }
    let (one, other) = (one.0.min(other.0), one.0.max(other.0));
    let sql = format!(
        "SELECT h.region AS region FROM ({PAIRS}) AS p JOIN registry_household h ON h.id = p.one \
         WHERE p.one = $3 AND p.other = $4"
    );
    let mut values = bounds(scope);
    values.extend([one.into(), other.into()]);
    let found = tx
        .conn()
        .query_one_raw(statement(tx, &sql, values))
        .await
        .context("looking for two households that may be one")?;
    let Some(found) = found else {
        return Ok(Err(HomesRefused::NotFound));
    };
    let region: String = found.try_get("", "region")?;
    let by = scope.actor.officer;
    let sql = "INSERT INTO registry_home_different (one, other, reason, at, officer_id) VALUES ($1, $2, $3, $4, $5)";
    let values = vec![
        one.into(),
        other.into(),
        reason.trim().into(),
        tx.now().into(),
        by.0.into(),
    ];
    tx.conn()
        .execute_raw(statement(tx, sql, values))
        .await
        .context("judging two households to be two")?;
    note(tx, scope, by, &region, one, other)?;
    Ok(Ok(()))
}

fn note(
    tx: &mut Tx,
    scope: &Scope,
    by: OfficerId,
    region: &str,
    one: Uuid,
    other: Uuid,
) -> anyhow::Result<()> {
    tx.note(Event {
        by,
        purpose: scope.purpose.text(),
        act: "duplicate.homes_different".to_owned(),
        subject_kind: "household".to_owned(),
        subject_id: one.to_string(),
        region: Some(crate::stored::region(region)?),
        detail: json!({ "other": other }),
    });
    Ok(())
}
