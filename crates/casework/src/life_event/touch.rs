//! What an event touches (生活事件触及的事项): the programmes that read the touched facts, decided before and after.
//!
//! A case in payment is decided for the first whole month after the event; an increase begins as the programme's own start
//! rule says, counted from the day of the event; less, or nothing, begins with that first whole month. For example a death
//! on 31 May ends a right from June on; whoever turns an age on 22 November, in a programme that starts in the month of
//! application, gets the higher amount from November on.
//!
//! Guarantees: nothing is changed, only asked and noted. A benefit that became due and was not applied for becomes a lead;
//! one that could be settled by a single missing fact, too. Deliberately absent: changing any amount.

use super::{ACT, Kind};
use crate::desk::Desk;
use crate::lead;
use crate::review::Differs;
use crate::review::compare::{self, Found, compare};
use crate::review::follow::{put_task, said_of};
use crate::rows::{NewEvent, insert_all, insert_event, save};
use crate::sheet::{self, Answer};
use crate::tables::{case, life_event, life_event_line as line};
use access::{Scope, mask_name};
use anyhow::Context;
use chrono::NaiveDate;
use ledger::Entitlement;
use policy::{Ask, Determination, Outcome, Unit};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use std::collections::{BTreeMap, BTreeSet};
use store::{Event, Tx};
use uuid::Uuid;
use vocab::ids::{EntitlementId, HouseholdId, PersonId};
use vocab::{FactSheet, Money, Month, Region};

/// An event about to be noted (待登记的生活事件).
pub(crate) struct Noted {
    pub(crate) kind: Kind,
    pub(crate) household: HouseholdId,
    pub(crate) person: Option<PersonId>,
    /// Where the household is now, and where it was the day before.
    pub(crate) region: Region,
    pub(crate) region_before: Region,
    pub(crate) on: NaiveDate,
    pub(crate) detail: String,
    pub(crate) source: String,
    /// The programmes to be asked.
    pub(crate) programmes: BTreeSet<String>,
    /// Whether it is kept though it changes nothing: what officers report is, what the calendar finds is not.
    pub(crate) always: bool,
}

/// What was kept of an event.
pub(crate) struct Kept {
    pub(crate) event: life_event::Model,
    /// Cases nobody is left to be heard for.
    pub(crate) ended_by_death: Vec<(Uuid, String)>,
}

/// One line with what it asks for.
struct Touched {
    line: line::Model,
    found: Found,
    case: Option<case::Model>,
    nobody_left: bool,
    /// What is filed as a lead.
    lead: Option<lead::Finding>,
}

/// The first whole month after a day.
pub(crate) fn first_whole_month(on: NaiveDate) -> Month {
    let month = Month::of(on);
    if month.first_day() == on {
        month
    } else {
        month.next()
    }
}

/// Asks, and keeps the event with its lines, tasks and leads; `None` when it is known already or changes nothing.
pub(crate) async fn note_event(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    noted: Noted,
) -> anyhow::Result<Option<Kept>> {
    let names = names(tx, desk, &noted).await?;
    let id = tx.new_id();
    let touched = touched(tx, desk, &noted, id, &names).await?;
    if !noted.always && touched.iter().all(|one| one.found.differs == Differs::Not) {
        return Ok(None);
    }
    let subject = noted.person.map_or(noted.household.0, |person| person.0);
    let row = life_event::Model {
        id,
        kind: noted.kind.word(),
        subject_id: subject,
        household_id: noted.household.0,
        person_id: noted.person.map(|person| person.0),
        subject_masked: names.of(noted.person),
        region: noted.region.to_string(),
        on_day: noted.on,
        detail: noted.detail.clone(),
        source: noted.source.clone(),
        evidence_file: None,
        evidence_name: String::new(),
        looked_at: i64::try_from(noted.programmes.len())?,
        recorded_by: scope.actor.officer.0,
        recorder: scope.actor.name.clone(),
        recorded_at: tx.now(),
    };
    let inserted = life_event::Entity::insert(row.clone().into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx.conn())
        .await
        .context("keeping a life event")?;
    if inserted == 0 {
        return Ok(None);
    }
    let mut touched = touched;
    file_leads(tx, scope, id, &mut touched).await?;
    let mut ended_by_death = Vec::new();
    let mut lines = Vec::with_capacity(touched.len());
    for mut one in touched {
        if let Some(case) = &one.case {
            one.line.task_id = on_case(tx, scope, desk, &noted, case, &one).await?;
            if one.nobody_left {
                ended_by_death.push((case.id, case.programme.clone()));
            }
        }
        if matches!(one.found.differs, Differs::Not | Differs::Lead) {
            one.line.closed_on = Some(tx.today());
        }
        lines.push(one.line);
    }
    let count = lines.len();
    insert_all::<line::Entity>(tx, lines).await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "casework.life_event".to_owned(),
        subject_kind: "household".to_owned(),
        subject_id: noted.household.to_string(),
        region: Some(noted.region),
        detail: serde_json::json!({ "event": id, "kind": noted.kind.word(), "lines": count }),
    });
    Ok(Some(Kept {
        event: row,
        ended_by_death,
    }))
}

/// What became due is filed where all leads are; the line says which.
async fn file_leads(
    tx: &mut Tx,
    scope: &Scope,
    event: Uuid,
    touched: &mut [Touched],
) -> anyhow::Result<()> {
    let found: Vec<lead::Finding> = touched.iter().filter_map(|one| one.lead.clone()).collect();
    if found.is_empty() {
        return Ok(());
    }
    let today = tx.today();
    let filed = lead::find(tx, scope, &found, lead::Source::Event(event), today).await?;
    let lines = touched.iter_mut().filter(|one| one.lead.is_some());
    for (one, id) in lines.zip(filed.leads) {
        one.line.lead_id = Some(id);
    }
    Ok(())
}

/// The task a case gets, and the line on its timeline.
async fn on_case(
    tx: &Tx,
    scope: &Scope,
    desk: &Desk,
    noted: &Noted,
    case: &case::Model,
    one: &Touched,
) -> anyhow::Result<Option<Uuid>> {
    let (what, _) = noted.kind.wording();
    let mut text = format!(
        "{what} {}（{}）：{}",
        noted.on,
        noted.source,
        said_of(&one.found)
    );
    if let Some(from) = one
        .line
        .from_month
        .as_ref()
        .filter(|_| one.found.differs != Differs::Not)
    {
        text.push_str(&format!("，从 {from} 起"));
    }
    let back = Money::from_fen(one.line.back.abs());
    match one.line.back {
        0 => {}
        more if more > 0 => text.push_str(&format!("，应补发 {back} 元")),
        _ => text.push_str(&format!("，已多发 {back} 元")),
    }
    let said = NewEvent {
        act: ACT.to_owned(),
        opinion: text.clone(),
        ..NewEvent::default()
    };
    insert_event(tx, scope, case, said).await?;
    let turn = desk
        .procedure(&case.programme)
        .and_then(|procedure| compare::turn(procedure, &one.found, one.nobody_left));
    match turn {
        Some(turn) => Ok(Some(
            put_task(tx, case, turn, &format!("{text}；{}", turn.say)).await?,
        )),
        None => Ok(None),
    }
}

/// Masked names of the household's people.
struct Names {
    people: BTreeMap<PersonId, String>,
    head: String,
}

impl Names {
    fn of(&self, person: Option<PersonId>) -> String {
        person
            .and_then(|person| self.people.get(&person))
            .unwrap_or(&self.head)
            .clone()
    }
}

async fn names(tx: &Tx, desk: &Desk, noted: &Noted) -> anyhow::Result<Names> {
    let wide = Scope::system(desk.book.place().division);
    let home = registry::households::household_view(tx, &wide, noted.household, tx.today()).await?;
    let mut people: BTreeMap<PersonId, String> = BTreeMap::new();
    let mut head = String::new();
    for member in home.iter().flat_map(|home| &home.members) {
        let masked = mask_name(&member.person.name);
        if head.is_empty() || member.kinship.is_head() {
            head.clone_from(&masked);
        }
        people.insert(member.person.id, masked);
    }
    if let Some(person) = noted.person
        && !people.contains_key(&person)
    {
        for row in registry::people::rows(tx, &wide, &[person]).await? {
            people.insert(row.id, mask_name(&row.name));
        }
    }
    Ok(Names { people, head })
}

/// The two looks at a household: the day before, and the first day of the first whole month after.
struct Looks {
    sheet: FactSheet,
    now: Vec<Determination>,
    before: BTreeMap<(String, Option<String>), Outcome>,
}

async fn looks(tx: &Tx, desk: &Desk, noted: &Noted) -> anyhow::Result<Option<Looks>> {
    let wide = Scope::system(desk.book.place().division);
    let on = first_whole_month(noted.on).first_day();
    let eve = noted.on.pred_opt().unwrap_or(noted.on);
    let ask = |as_of, region| Ask {
        as_of,
        known_at: Some(tx.now()),
        region: Some(region),
        programmes: Some(noted.programmes.iter().cloned().collect()),
    };
    let Some(sheet) = sheet::sheet(tx, &wide, desk, noted.household, tx.now(), on).await? else {
        return Ok(None);
    };
    let now = desk.book.evaluate(&sheet, &ask(on, noted.region));
    let before = match sheet::sheet(tx, &wide, desk, noted.household, tx.now(), eve).await? {
        Some(sheet) => desk.book.evaluate(&sheet, &ask(eve, noted.region_before)),
        None => Vec::new(),
    };
    Ok(Some(Looks {
        sheet,
        now,
        before: before
            .into_iter()
            .map(|found| ((found.programme, found.member_key), found.outcome))
            .collect(),
    }))
}

async fn touched(
    tx: &Tx,
    desk: &Desk,
    noted: &Noted,
    event: Uuid,
    names: &Names,
) -> anyhow::Result<Vec<Touched>> {
    if noted.programmes.is_empty() {
        return Ok(Vec::new());
    }
    let Some(looks) = looks(tx, desk, noted).await? else {
        return Ok(Vec::new());
    };
    let cases = case::Entity::find()
        .filter(case::Column::HouseholdId.eq(noted.household.0))
        .filter(case::Column::Kind.ne("final"))
        .order_by_asc(case::Column::Id)
        .lock_exclusive()
        .all(tx.conn())
        .await
        .context("reading the cases an event may touch")?;
    let wide = Scope::system(desk.book.place().division);
    let rights: Vec<EntitlementId> = cases
        .iter()
        .filter_map(|row| row.entitlement_id.map(EntitlementId))
        .collect();
    let standing = ledger::entitlements(tx.conn(), &wide, &rights).await?;
    let mut all = Vec::new();
    for row in &cases {
        if row.is_in_payment() && noted.programmes.contains(&row.programme) {
            let right = row
                .entitlement_id
                .and_then(|id| standing.get(&EntitlementId(id)));
            all.extend(case_touched(tx, desk, noted, event, &looks, row, right));
        }
    }
    all.extend(leads(tx, desk, noted, event, &looks, &cases, names));
    Ok(all)
}

fn case_touched(
    tx: &Tx,
    desk: &Desk,
    noted: &Noted,
    event: Uuid,
    looks: &Looks,
    row: &case::Model,
    right: Option<&Entitlement>,
) -> Option<Touched> {
    let member = row.member_id.map(PersonId);
    let answer = Answer::pick(
        desk,
        &looks.sheet,
        looks.now.clone(),
        &row.programme,
        member,
    );
    let whole = first_whole_month(noted.on);
    let month = right.map_or(whole, |right| whole.max(right.from));
    let found = compare(desk, answer.as_ref(), right, month);
    // Somebody else's own benefit, and it stays as it was: not touched at all.
    if found.differs == Differs::Not && member.is_some() && member != noted.person {
        return None;
    }
    let first = match (found.differs, found.takes()) {
        (Differs::More | Differs::People, false) => {
            let starts = desk
                .programme(&row.programme)
                .map(|programme| programme.benefit.starts);
            let month = starts.map_or(month, |rule| {
                rule.first_month(tx.today(), noted.on, Some(noted.on))
            });
            right.map_or(month, |right| month.max(right.from))
        }
        _ => month,
    };
    let nobody_left = noted.kind == Kind::Death
        && found.differs == Differs::NotMet
        && noted.person.is_some_and(|dead| {
            member == Some(dead) || right.is_some_and(|right| right.covered == [dead])
        });
    Some(Touched {
        line: line::Model {
            id: tx.new_id(),
            event_id: event,
            programme: row.programme.clone(),
            subject_id: row.member_id.unwrap_or(row.household_id),
            household_id: row.household_id,
            member_id: row.member_id,
            case_id: Some(row.id),
            number: row.number.clone(),
            region: row.region.clone(),
            subject_masked: row.subject_masked.clone(),
            effect: found.differs.word().to_owned(),
            amount_before: found.before.map(|before| before.fen()),
            amount_after: found.after.map(|after| after.fen()),
            from_month: Some(first.to_string()),
            back: right.map_or(0, |right| back(&found, right, first)),
            said: found.said.clone(),
            task_id: None,
            closed_on: None,
            closed_by: String::new(),
            result: String::new(),
            lead_id: None,
        },
        found,
        case: Some(row.clone()),
        nobody_left,
        lead: None,
    })
}

/// What the months already paid come to: positive to be paid, negative paid too much. Only a forecast; the ledger works it
/// out again when the decision is taken.
fn back(found: &Found, right: &Entitlement, first: Month) -> i64 {
    let after = match found.differs {
        Differs::Not | Differs::ToVerify | Differs::Ended | Differs::Lead => return 0,
        Differs::NotMet => Money::ZERO,
        Differs::More | Differs::Less | Differs::People => match found.after {
            Some(after) => after,
            None => return 0,
        },
    };
    let mut sum = 0_i64;
    let mut month = first;
    while month < right.paid_to {
        let due = right.due(month);
        if due != Money::ZERO {
            sum = sum.saturating_add(after.fen().saturating_sub(due.fen()));
        }
        month = month.next();
    }
    sum
}

/// What became due, or nearly, and nobody has applied for.
fn leads(
    tx: &Tx,
    desk: &Desk,
    noted: &Noted,
    event: Uuid,
    looks: &Looks,
    cases: &[case::Model],
    names: &Names,
) -> Vec<Touched> {
    let mut all = Vec::new();
    for asked in &looks.now {
        let Some(programme) = desk.programme(&asked.programme) else {
            continue;
        };
        let key = (asked.programme.clone(), asked.member_key.clone());
        let before = looks.before.get(&key).copied().unwrap_or(Outcome::NotMet);
        if desk.procedure(&programme.id).is_none() || !is_news(before, asked) {
            continue;
        }
        let member: Option<PersonId> = asked.member_key.as_deref().and_then(|key| key.parse().ok());
        let member = member.filter(|_| asked.unit == Unit::Person);
        let known = cases.iter().any(|row| {
            row.programme == programme.id && row.member_id == member.map(|member| member.0)
                || row.kind == "in_force" && asked.excludes.contains(&row.programme)
        });
        if known {
            continue;
        }
        let differs = Differs::Lead;
        let missing: BTreeSet<&str> = asked.missing.iter().map(|one| one.fact.as_str()).collect();
        let missing = missing.into_iter().map(str::to_owned).collect();
        let said = compare::said(desk, asked);
        let first = programme
            .benefit
            .starts
            .first_month(tx.today(), tx.today(), Some(noted.on));
        all.push(Touched {
            line: line::Model {
                id: tx.new_id(),
                event_id: event,
                programme: programme.id.clone(),
                subject_id: member.map_or(noted.household.0, |member| member.0),
                household_id: noted.household.0,
                member_id: member.map(|member| member.0),
                case_id: None,
                number: String::new(),
                region: noted.region.to_string(),
                subject_masked: names.of(member),
                effect: differs.word().to_owned(),
                amount_before: None,
                amount_after: asked.amount.map(|amount| amount.fen()),
                from_month: Some(first.to_string()),
                back: 0,
                said: said.clone(),
                task_id: None,
                closed_on: None,
                closed_by: String::new(),
                result: String::new(),
                lead_id: None,
            },
            found: Found {
                differs,
                before: None,
                after: asked.amount,
                said,
            },
            case: None,
            nobody_left: false,
            lead: Some(lead::Finding {
                household: noted.household,
                region: noted.region,
                person: member,
                programme: programme.id.clone(),
                kind: match asked.outcome {
                    Outcome::Met => lead::Kind::Due,
                    _ => lead::Kind::ToVerify,
                },
                due: asked.amount,
                paid: Money::ZERO,
                missing,
            }),
        });
    }
    all
}

/// Met and was not; or only one fact away from being met, and was out of reach.
fn is_news(before: Outcome, found: &Determination) -> bool {
    let missing: BTreeSet<&str> = found
        .missing
        .iter()
        .map(|missing| missing.fact.as_str())
        .collect();
    match found.outcome {
        Outcome::Met => before != Outcome::Met,
        Outcome::ToVerify => before == Outcome::NotMet && missing.len() == 1,
        Outcome::NotMet => false,
    }
}

/// What events asked of a case has been done.
pub(crate) async fn settle(tx: &Tx, scope: &Scope, case: Uuid, result: &str) -> anyhow::Result<()> {
    let open = line::Entity::find()
        .filter(line::Column::CaseId.eq(case))
        .filter(line::Column::ClosedOn.is_null())
        .all(tx.conn())
        .await
        .context("reading what events asked of a case")?;
    for mut row in open {
        row.closed_on = Some(tx.today());
        row.closed_by = scope.actor.name.clone();
        row.result = result.to_owned();
        save::<line::Entity>(tx, row).await?;
    }
    Ok(())
}
