//! From rows to a plan (校验花名册): households put together, compared with the register, and every objection noted.

use super::columns::Title;
use super::community::Communities;
use super::known::{Known, KnownPerson};
use super::parse::{Read, Row};
use super::{Report, RowError};
use crate::reading::Reading;
use access::Scope;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use vocab::ids::HouseholdId;
use vocab::{Document, DocumentKind, Region};

/// What an import would do.
pub(super) struct Plan {
    pub(super) report: Report,
    pub(super) households: Vec<PlannedHousehold>,
}

/// A household that may be taken over; the head is its first member.
pub(super) struct PlannedHousehold {
    pub(super) number: String,
    pub(super) region: Region,
    pub(super) address: String,
    pub(super) known: Option<HouseholdId>,
    pub(super) members: Vec<PlannedMember>,
}

pub(super) struct PlannedMember {
    pub(super) row: Row,
    /// Where they live: with the others, or where they are known to live.
    pub(super) region: Region,
    pub(super) known: Option<KnownPerson>,
}

pub(super) async fn plan(
    source: &impl Reading,
    scope: &Scope,
    read: Read,
    on: NaiveDate,
) -> anyhow::Result<Plan> {
    let communities = Communities::of(source, scope, on).await?;
    let known = Known::of(source, scope, &read.rows).await?;
    let mut report = Report {
        rows_read: read.places.len(),
        unknown_columns: read.unknown_columns,
        errors: read.errors,
        ..Report::default()
    };
    let numbers: BTreeSet<&str> = read
        .places
        .iter()
        .map(|(_, _, number)| number.as_str())
        .filter(|n| !n.is_empty())
        .collect();
    report.households_read = numbers.len();
    let twice = documents_twice(&read.rows, &mut report.errors);
    let mut by_number: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in read.rows {
        by_number.entry(row.number.clone()).or_default().push(row);
    }
    let wrong = wrong_rows(&report.errors);
    let spoiled: BTreeSet<&str> = read
        .places
        .iter()
        .filter(|(sheet, row, _)| wrong.contains(&(sheet.clone(), *row)))
        .map(|(_, _, number)| number.as_str())
        .collect();
    let mut households = Vec::new();
    for (number, rows) in by_number {
        let mut errors = Vec::new();
        let made = put_together(
            &number,
            rows,
            scope,
            &communities,
            &known,
            source,
            &mut errors,
        )?;
        let whole = errors.is_empty() && !spoiled.contains(number.as_str());
        report.errors.extend(errors);
        let Some(household) = made.filter(|_| whole) else {
            continue;
        };
        let is_double = |member: &PlannedMember| twice.contains(&member.row.document);
        if !household.members.iter().any(is_double) {
            households.push(household);
        }
    }
    finish(&mut report, &households, &read.places);
    Ok(Plan { report, households })
}

fn finish(
    report: &mut Report,
    households: &[PlannedHousehold],
    places: &[(String, usize, String)],
) {
    let wrong = wrong_rows(&report.errors);
    let accepted: BTreeSet<&str> = households.iter().map(|h| h.number.as_str()).collect();
    for (sheet, row, number) in places {
        if accepted.contains(number.as_str()) {
            report.rows_accepted += 1;
            continue;
        }
        report.rejected_rows.push((sheet.clone(), *row));
        if !wrong.contains(&(sheet.clone(), *row)) {
            report.errors.push(RowError {
                sheet: sheet.clone(),
                row: *row,
                column: Title::Number.text().to_owned(),
                value_masked: number.clone(),
                reason: "同一户的其他行有错，整户未导入；请改正后一并重新导入".to_owned(),
            });
        }
    }
    for household in households {
        report.households_new += usize::from(household.known.is_none());
        for member in &household.members {
            match &member.known {
                None => report.people_new += 1,
                Some(known) if known.changes() => report.people_changed += 1,
                Some(_) => report.people_unchanged += 1,
            }
        }
    }
    report.errors.sort();
}

/// Where the errors stand.
fn wrong_rows(errors: &[RowError]) -> BTreeSet<(String, usize)> {
    errors
        .iter()
        .map(|error| (error.sheet.clone(), error.row))
        .collect()
}

/// Documents that stand in the file more than once; each later row is an error.
fn documents_twice(rows: &[Row], errors: &mut Vec<RowError>) -> BTreeSet<Document> {
    let mut first: BTreeMap<&Document, &Row> = BTreeMap::new();
    let mut twice = BTreeSet::new();
    for row in rows
        .iter()
        .filter(|row| row.document.kind() != DocumentKind::None)
    {
        if let Some(earlier) = first.insert(&row.document, row) {
            let reason = format!("与第 {} 行的证件号码相同；同一人只能出现一次", earlier.row);
            errors.push(error(
                row,
                Title::DocumentNumber,
                row.document.number(),
                reason,
            ));
            twice.insert(row.document.clone());
        }
    }
    twice
}

pub(super) fn error(row: &Row, title: Title, value: &str, reason: impl Into<String>) -> RowError {
    RowError {
        sheet: row.sheet.clone(),
        row: row.row,
        column: title.text().to_owned(),
        value_masked: title.masked(value),
        reason: reason.into(),
    }
}

fn put_together(
    number: &str,
    mut rows: Vec<Row>,
    scope: &Scope,
    communities: &Communities,
    known: &Known,
    source: &impl Reading,
    errors: &mut Vec<RowError>,
) -> anyhow::Result<Option<PlannedHousehold>> {
    // A stable sort: the head first, the others as the file has them.
    rows.sort_by_key(|row| !row.kinship.is_head());
    let heads = rows.iter().filter(|row| row.kinship.is_head()).count();
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    if heads == 0 {
        errors.push(error(
            first,
            Title::Kinship,
            first.kinship.name_zh(),
            "这一户没有户主；请有且只有一行填“户主”",
        ));
    }
    for row in rows.iter().skip(1).filter(|row| row.kinship.is_head()) {
        errors.push(error(
            row,
            Title::Kinship,
            row.kinship.name_zh(),
            "这一户有多名户主；请有且只有一行填“户主”",
        ));
    }
    let region = match communities.read(&first.community, scope) {
        Ok(region) => region,
        Err(reason) => {
            errors.push(error(first, Title::Community, &first.community, reason));
            return Ok(None);
        }
    };
    let address = first.address.clone();
    let here = known.households.get(&(number.to_owned(), region)).copied();
    let known_household = here.or_else(|| known.home_of(first));
    let mut members = Vec::with_capacity(rows.len());
    for row in rows {
        // A blank means "as the head".
        let own = if row.community.is_empty() {
            Ok(region)
        } else {
            communities.read(&row.community, scope)
        };
        let own = match own {
            Err(reason) => {
                errors.push(error(&row, Title::Community, &row.community, reason));
                region
            }
            Ok(own) if own != region && !known.lives_apart(&row, known_household, own) => {
                let reason = "同一户的居住社区应当相同；分开居住的请分为两户";
                errors.push(error(&row, Title::Community, &row.community, reason));
                region
            }
            Ok(own) => own,
        };
        let person = known.compare(&row, own, &address, known_household, source, errors)?;
        members.push(PlannedMember {
            row,
            region: own,
            known: person,
        });
    }
    Ok(Some(PlannedHousehold {
        number: number.to_owned(),
        region,
        address,
        known: known_household,
        members,
    }))
}
