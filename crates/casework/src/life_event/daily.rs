//! What the calendar brings (每日生活事件): birthdays at the ages the rules name, facts whose last day has passed, reviews
//! that have come near.
//!
//! Guarantees: every day since the last call is made up for, in order; a day done twice, or by two machines at once, adds
//! nothing, because an event has a unique key; people are found by an index on the birth date, never walked.
//! Deliberately absent: a timer; the executable has one.

use super::Kind;
use super::record::reading;
use super::touch::{Noted, note_event};
use crate::desk::Desk;
use crate::form::full_years;
use crate::review::schedule;
use crate::tables::daily;
use access::Scope;
use anyhow::Context;
use chrono::{Datelike, NaiveDate};
use policy::touches;
use registry::Subject;
use sea_orm::sea_query::OnConflict;
use sea_orm::{EntityTrait, IntoActiveModel};
use std::collections::{BTreeMap, BTreeSet};
use store::{Db, Tx};
use vocab::ids::{FactRowId, HouseholdId, PersonId};

/// The name of this work in the table of daily work.
const NAME: &str = "life_events";
/// The fact an age is made of.
const BIRTH: &str = "birth_date";
/// Who says so.
const CALENDAR: &str = "系统按日核对";
/// People of one transaction.
const PORTION: u64 = 50;
/// How far back a first or very late call looks.
const MOST_DAYS: i64 = 366;

/// What a call did (本次核对).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Day {
    /// Days looked at.
    pub days: u64,
    /// Birthdays at an age the rules name.
    pub birthdays: u64,
    /// Facts that ended and are read by some rule.
    pub ended: u64,
    /// Events kept, because they changed something.
    pub events: u64,
    /// Reviews scheduled and opened.
    pub reviews: schedule::Ticked,
}

/// The day's work (每日任务): everything since the last call. The first call ever looks at today only.
///
/// # Errors
/// Faults of the database; calling again goes on where it stopped.
pub async fn tick(db: &Db, desk: &Desk) -> anyhow::Result<Day> {
    let scope = Scope::system(desk.book.place().division);
    let today = db.today();
    let mut done = Day::default();
    let mut day = match done_until(db).await? {
        Some(last) => last + chrono::Days::new(1),
        None => today,
    };
    day = day.max(today - chrono::Duration::days(MOST_DAYS));
    while day <= today {
        birthdays(db, desk, &scope, day, &mut done).await?;
        ended(db, desk, &scope, day, &mut done).await?;
        until(db, day).await?;
        done.days += 1;
        day = day.succ_opt().context("the end of the calendar")?;
    }
    done.reviews = schedule::tick(db, desk, &scope).await?;
    Ok(done)
}

/// Until which day the daily work is done (每日任务做到哪天).
///
/// # Errors
/// Faults of the database.
pub async fn done_until(db: &Db) -> anyhow::Result<Option<NaiveDate>> {
    Ok(daily::Entity::find_by_id(NAME.to_owned())
        .one(db.conn())
        .await
        .context("reading until when daily work is done")?
        .map(|row| row.done_until))
}

async fn until(db: &Db, day: NaiveDate) -> anyhow::Result<()> {
    let tx = db.begin().await?;
    let row = daily::Model {
        name: NAME.to_owned(),
        done_until: day,
        at: tx.now(),
    };
    daily::Entity::insert(row.into_active_model())
        .on_conflict(
            OnConflict::column(daily::Column::Name)
                .update_columns([daily::Column::DoneUntil, daily::Column::At])
                .to_owned(),
        )
        .exec_without_returning(tx.conn())
        .await
        .context("noting until when daily work is done")?;
    tx.commit().await
}

/// The birth dates of those who turn one of these ages on a day. Whoever was born on 29 February turns it on 1 March of a
/// year without that day, as the rules count (民法典: full years on the birthday).
fn births(ages: &BTreeSet<u16>, day: NaiveDate) -> Vec<NaiveDate> {
    let leapless = NaiveDate::from_ymd_opt(day.year(), 2, 29).is_none();
    ages.iter()
        .flat_map(|age| {
            let year = day.year() - i32::from(*age);
            let same = NaiveDate::from_ymd_opt(year, day.month(), day.day());
            let late = ((day.month(), day.day()) == (3, 1) && leapless)
                .then(|| NaiveDate::from_ymd_opt(year, 2, 29))
                .flatten();
            same.into_iter().chain(late)
        })
        .collect()
}

async fn birthdays(
    db: &Db,
    desk: &Desk,
    scope: &Scope,
    day: NaiveDate,
    done: &mut Day,
) -> anyhow::Result<()> {
    let by_programme = touches::ages(&desk.book, BIRTH, day, scope.region);
    let mut by_age: BTreeMap<u16, BTreeSet<String>> = BTreeMap::new();
    for (programme, ages) in by_programme {
        for age in ages {
            by_age.entry(age).or_default().insert(programme.clone());
        }
    }
    let days = births(&by_age.keys().copied().collect(), day);
    if days.is_empty() {
        return Ok(());
    }
    let mut after: Option<PersonId> = None;
    loop {
        let mut tx = db.begin().await?;
        let some = registry::people::born_on(&tx, scope, &days, after, PORTION).await?;
        let Some((last, _)) = some.last() else {
            return tx.rollback().await;
        };
        after = Some(*last);
        for (person, born) in some {
            let age = u16::try_from(full_years(born, day)).ok();
            let Some((age, programmes)) = age.and_then(|age| by_age.get_key_value(&age)) else {
                continue;
            };
            done.birthdays += 1;
            let event = Found {
                kind: Kind::Age,
                person: Some(person),
                household: None,
                on: day,
                detail: age.to_string(),
                programmes: programmes.clone(),
            };
            done.events += u64::from(keep(&mut tx, scope, desk, event).await?);
        }
        tx.commit().await?;
    }
}

async fn ended(
    db: &Db,
    desk: &Desk,
    scope: &Scope,
    day: NaiveDate,
    done: &mut Day,
) -> anyhow::Result<()> {
    let mut after: Option<FactRowId> = None;
    loop {
        let mut tx = db.begin().await?;
        let some = registry::facts::ended_on(&tx, scope, day, after, PORTION).await?;
        let Some(last) = some.last() else {
            return tx.rollback().await;
        };
        after = Some(last.row);
        for fact in some {
            let programmes = reading(desk, &fact.fact);
            if programmes.is_empty() {
                continue;
            }
            done.ended += 1;
            let (person, household) = match fact.subject {
                Subject::Person(person) => (Some(person), None),
                Subject::Household(household) => (None, Some(household)),
            };
            let event = Found {
                kind: Kind::FactEnded,
                person,
                household,
                on: day,
                detail: fact.fact,
                programmes,
            };
            done.events += u64::from(keep(&mut tx, scope, desk, event).await?);
        }
        tx.commit().await?;
    }
}

/// What the calendar found.
struct Found {
    kind: Kind,
    person: Option<PersonId>,
    household: Option<HouseholdId>,
    on: NaiveDate,
    detail: String,
    programmes: BTreeSet<String>,
}

/// Keeps what was found, if it lies in a household of the scope and changes something.
async fn keep(tx: &mut Tx, scope: &Scope, desk: &Desk, found: Found) -> anyhow::Result<bool> {
    let today = tx.today();
    let household = match (found.household, found.person) {
        (Some(household), _) => Some(household),
        (None, Some(person)) => {
            registry::households::household_of(tx, scope, person, today).await?
        }
        (None, None) => None,
    };
    let Some(household) = household else {
        return Ok(false);
    };
    let Some(home) = registry::households::household_view(tx, scope, household, today).await?
    else {
        return Ok(false);
    };
    let noted = Noted {
        kind: found.kind,
        household,
        person: found.person,
        region: home.region,
        region_before: home.region,
        on: found.on,
        detail: found.detail,
        source: CALENDAR.to_owned(),
        programmes: found.programmes,
        always: false,
    };
    Ok(note_event(tx, scope, desk, noted).await?.is_some())
}

#[cfg(test)]
mod tests {
    use super::births;
    use chrono::NaiveDate;
    use std::collections::BTreeSet;

    #[test]
    fn whoever_was_born_on_29_february_turns_an_age_on_1_march_of_a_common_year() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let of = |ages: &[u16], on: &str| {
            births(&ages.iter().copied().collect::<BTreeSet<_>>(), day(on))
        };
        // 2026 has no 29 February; 1946 had none either, 1936 had.
        assert_eq!(
            of(&[80, 90], "2026-03-01"),
            [day("1946-03-01"), day("1936-03-01"), day("1936-02-29")]
        );
        assert!(of(&[90], "2026-02-28") == [day("1936-02-28")]);
        // 2028 has one: the birthday is the day itself, and 1 March is somebody else's.
        assert_eq!(of(&[80], "2028-02-29"), [day("1948-02-29")]);
        assert_eq!(of(&[80], "2028-03-01"), [day("1948-03-01")]);
    }
}
