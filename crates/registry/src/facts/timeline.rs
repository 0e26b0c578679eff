//! What was known when (已知的时间线): later words of a source replace its earlier ones for the same days.

use super::{Subject, region_of};
use crate::reading::Reading;
use crate::tables::fact;
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use vocab::ids::{FactRowId, OfficerId};
use vocab::{DatedFact, Period, Record, Value};

/// One stored row of a fact (事实沿革的一行), as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryRow {
    /// The row.
    pub id: FactRowId,
    /// Which fact.
    pub fact: String,
    /// The value; `None` where the source withdrew what it had said.
    pub value: Option<Value>,
    /// The days it speaks of.
    pub period: Period,
    /// Since when it was known here.
    pub known_since: DateTime<Utc>,
    /// Who says so.
    pub source: String,
    /// The evidence, if any.
    pub evidence: Option<String>,
    /// Who recorded it.
    pub recorded_by: OfficerId,
}

/// All rows of a subject (事实沿革), the latest first; `None` outside the scope.
///
/// # Errors
/// Faults of the database.
pub async fn history(
    source: &impl Reading,
    scope: &Scope,
    subject: Subject,
) -> anyhow::Result<Option<Vec<HistoryRow>>> {
    if region_of(source, scope, subject).await?.is_none() {
        return Ok(None);
    }
    let rows = fact::Entity::find()
        .filter(fact::Column::SubjectId.is_in(super::identifiers(source, subject).await?))
        .order_by_desc(fact::Column::KnownSince)
        .order_by_desc(fact::Column::Id)
        .all(source.connection())
        .await
        .context("reading the history of facts")?;
    rows.into_iter()
        .map(|row| {
            Ok(HistoryRow {
                id: FactRowId(row.id),
                value: value_of(&row)?,
                fact: row.fact,
                period: Period {
                    from: row.valid_from,
                    until: row.valid_until,
                },
                known_since: row.known_since,
                source: row.source,
                evidence: row.evidence,
                recorded_by: OfficerId(row.recorded_by),
            })
        })
        .collect::<anyhow::Result<_>>()
        .map(Some)
}

/// Whether a stored evidence belongs to a fact about somebody in the scope (证据是否在范围内).
///
/// # Errors
/// Faults of the database.
pub async fn evidence_visible(
    source: &impl Reading,
    scope: &Scope,
    evidence: &str,
) -> anyhow::Result<bool> {
    let rows = fact::Entity::find()
        .filter(fact::Column::Evidence.eq(evidence))
        .all(source.connection())
        .await
        .context("looking for the facts of an evidence")?;
    for row in rows {
        let subject = Subject::stored(&row.subject_kind, row.subject_id);
        if region_of(source, scope, subject).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn value_of(row: &fact::Model) -> anyhow::Result<Option<Value>> {
    if row.value.is_null() {
        return Ok(None);
    }
    serde_json::from_value(row.value.clone())
        .map(Some)
        .context("a stored fact value is damaged")
}

/// What the rows of one subject add up to, as far as known at a moment (汇总).
///
/// Within one source, days spoken of again later are cut out of what was said earlier; the pieces keep their value,
/// evidence and moment. Rows later than `known_at` do not exist.
pub(crate) fn settled(
    rows: &[fact::Model],
    known_at: Option<DateTime<Utc>>,
) -> anyhow::Result<Record> {
    let mut by_source: BTreeMap<(&str, &str), Vec<&fact::Model>> = BTreeMap::new();
    for row in rows {
        if known_at.is_none_or(|moment| row.known_since <= moment) {
            by_source
                .entry((&row.fact, &row.source))
                .or_default()
                .push(row);
        }
    }
    let mut record = Record::new();
    for ((fact_id, _), mut rows) in by_source {
        // Rows of one moment are told apart by their identifiers, which grow.
        rows.sort_by_key(|row| (row.known_since, row.id));
        let mut pieces: Vec<(Period, &fact::Model)> = Vec::new();
        for row in rows {
            let said = Period {
                from: row.valid_from,
                until: row.valid_until,
            };
            pieces = pieces
                .into_iter()
                .flat_map(|(period, earlier)| {
                    without(period, said)
                        .into_iter()
                        .map(move |rest| (rest, earlier))
                })
                .collect();
            pieces.push((said, row));
        }
        for (period, row) in pieces {
            if let Some(value) = value_of(row)? {
                record
                    .entry(fact_id.to_owned())
                    .or_default()
                    .push(DatedFact {
                        value,
                        period,
                        known_since: Some(row.known_since),
                        source: row.source.clone(),
                        evidence: row.evidence.clone(),
                    });
            }
        }
    }
    for values in record.values_mut() {
        values.sort_by(|a, b| {
            (a.period, a.known_since, &a.source).cmp(&(b.period, b.known_since, &b.source))
        });
    }
    Ok(record)
}

/// The days of `whole` that are not in `cut`: none, one or two pieces.
fn without(whole: Period, cut: Period) -> Vec<Period> {
    if !whole.overlaps(&cut) {
        return vec![whole];
    }
    let starts_before = |from: NaiveDate| whole.from.is_none_or(|first| first < from);
    let ends_after = |until: NaiveDate| whole.until.is_none_or(|last| until < last);
    let before = cut
        .from
        .filter(|from| starts_before(*from))
        .map(|from| Period {
            from: whole.from,
            until: Some(from),
        });
    let after = cut
        .until
        .filter(|until| ends_after(*until))
        .map(|until| Period {
            from: Some(until),
            until: whole.until,
        });
    before.into_iter().chain(after).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 6, d).unwrap()
    }

    fn period(from: Option<u32>, until: Option<u32>) -> Period {
        Period {
            from: from.map(day),
            until: until.map(day),
        }
    }

    fn row(
        number: u128,
        value: serde_json::Value,
        said: Period,
        known_day: u32,
        source: &str,
    ) -> fact::Model {
        fact::Model {
            id: uuid::Uuid::from_u128(number),
            subject_kind: "person".to_owned(),
            subject_id: uuid::Uuid::nil(),
            fact: "wage".to_owned(),
            value,
            valid_from: said.from,
            valid_until: said.until,
            known_since: day(known_day).and_hms_opt(0, 0, 0).unwrap().and_utc(),
            source: source.to_owned(),
            evidence: None,
            recorded_by: uuid::Uuid::nil(),
        }
    }

    #[test]
    fn a_later_word_of_the_same_source_cuts_the_earlier_one() {
        let rows = [
            row(1, 100.into(), period(None, None), 1, "社保"),
            row(2, 200.into(), period(Some(10), Some(20)), 5, "社保"),
        ];
        let wage = &settled(&rows, None).unwrap()["wage"];
        let seen: Vec<_> = wage.iter().map(|f| (f.value.clone(), f.period)).collect();
        assert_eq!(
            seen,
            [
                (Value::Int(100), period(None, Some(10))),
                (Value::Int(200), period(Some(10), Some(20))),
                (Value::Int(100), period(Some(20), None)),
            ]
        );
        let moment = day(4).and_hms_opt(0, 0, 0).unwrap().and_utc();
        let earlier = &settled(&rows, Some(moment)).unwrap()["wage"];
        assert_eq!((earlier.len(), earlier[0].period), (1, Period::ALWAYS));
    }

    #[test]
    fn two_sources_stay_beside_each_other() {
        let rows = [
            row(1, 100.into(), Period::ALWAYS, 1, "本人申报"),
            row(2, 200.into(), Period::ALWAYS, 2, "社保"),
        ];
        assert_eq!(settled(&rows, None).unwrap()["wage"].len(), 2);
    }

    #[test]
    fn a_withdrawal_leaves_nothing_for_its_days() {
        let rows = [
            row(1, 100.into(), Period::ALWAYS, 1, "社保"),
            row(
                2,
                serde_json::Value::Null,
                period(Some(10), None),
                5,
                "社保",
            ),
        ];
        let wage = &settled(&rows, None).unwrap()["wage"];
        assert_eq!((wage.len(), wage[0].period), (1, period(None, Some(10))));
        let all = [
            rows[0].clone(),
            row(3, serde_json::Value::Null, Period::ALWAYS, 6, "社保"),
        ];
        assert!(settled(&all, None).unwrap().is_empty());
    }

    #[test]
    fn cutting_leaves_exactly_the_other_days() {
        let whole = period(Some(5), Some(15));
        assert_eq!(without(whole, period(Some(1), Some(5))), [whole]);
        assert_eq!(
            without(whole, period(Some(1), Some(8))),
            [period(Some(8), Some(15))]
        );
        assert_eq!(
            without(whole, period(Some(8), None)),
            [period(Some(5), Some(8))]
        );
        assert!(without(whole, Period::ALWAYS).is_empty());
    }
}
