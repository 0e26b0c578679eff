//! An enquiry (发起核对): permitted, asked, recorded, in this order, because no step can be had without the one before.
//!
//! ```text
//! permit ─▶ Permitted ─▶ ask ─▶ Answered ─▶ record ─▶ a row that never changes
//! ```
//!
//! Guarantees: nobody is asked about without their own consent in force for the purpose, checked where the identity
//! numbers come from and once more when the answer is kept; each enquiry stands in the journal with case, officer and purpose;
//! a report is kept as it was answered, sealed, with the deliveries that answered and their hashes, and can be made again
//! to the byte from them ([`reproduce`]). Deliberately absent: pages, what the findings mean, and taking them.

mod kept;
mod list;
mod odd;
mod terms;

pub use kept::{Enquiry, Kept, Named, Reproduced, enquiry, reproduce};
pub use list::{
    ByOfficer, EnquiryFilter, EnquiryRow, Oddity, Printed, after, by_officer, list, of_subject,
    printed,
};
pub use terms::{Odd, PurposeDef, Terms, terms_of};

use crate::remote::{Departments, Unkept};
use crate::tables::{enquiry as table, enquiry_person};
use crate::{Asked, Landed, Person, Report};
use access::Scope;
use anyhow::Context;
use chrono::{Datelike, Days, NaiveDate};
use registry::consent::{self, Lacking, Opened};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use store::dialect::draw;
use store::{Event, Tx};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::{HouseholdId, PersonId};

/// What is to be enquired (新核对).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEnquiry {
    /// The case it is for.
    pub subject: Uuid,
    /// Its number.
    pub subject_number: String,
    /// The household.
    pub household: HouseholdId,
    /// Who is asked about.
    pub people: Vec<PersonId>,
    /// For what, word for word as it was signed.
    pub purpose: String,
    /// The day asked about.
    pub as_of: NaiveDate,
}

/// Why there is no enquiry (不能核对的原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not in the scope.
    #[error("在您的管辖范围内查不到这一户")]
    NotThere,
    /// Nobody named.
    #[error("请勾选要核对的人")]
    Nobody,
    /// No such purpose.
    #[error("没有这种核对用途，请从列表中选择")]
    UnknownPurpose,
    /// Of a day to come.
    #[error("基准日不能晚于今天")]
    Later,
    /// Somebody did not consent.
    #[error("有 {} 人没有有效的核对授权，不能核对；请先登记本人的授权，或者不核对此人", .0.len())]
    NotConsented(Vec<Lacking>),
    /// A consent ended while departments were asked.
    #[error("核对期间有 {} 人撤回了授权，结果没有保存", .0.len())]
    TakenBack(Vec<PersonId>),
    /// Enough for a day.
    #[error("您今天已经核对 {0} 次，到了每日上限；请明天再办，或者请同事办理")]
    Enough(u32),
}

impl Refused {
    /// The sentence in English.
    pub fn en(&self) -> String {
        match self {
            Self::NotThere => "This household is not found in your area".into(),
            Self::Nobody => "Tick who is asked about".into(),
            Self::UnknownPurpose => "There is no such purpose; choose one of the list".into(),
            Self::Later => "The day asked about cannot be later than today".into(),
            Self::NotConsented(lacking) => format!(
                "{} people have no consent in force; record their consent first, or do not ask about them",
                lacking.len()
            ),
            Self::TakenBack(people) => format!(
                "{} people took their consent back meanwhile; nothing was kept",
                people.len()
            ),
            Self::Enough(count) => format!(
                "You have made {count} enquiries today, as many as a day allows; go on tomorrow or ask a colleague"
            ),
        }
    }
}

/// An enquiry that may be made (获准的核对). There is no other way to one than [`permit`]. Its `Debug` shows no number.
pub struct Permitted {
    id: Uuid,
    new: NewEnquiry,
    region: Region,
    /// The building the household lives in, blinded.
    building: String,
    people: Vec<Opened>,
    asked: Asked,
}

/// An enquiry that was answered (已答复的核对). There is no other way to one than [`Permitted::ask`].
#[derive(Debug)]
pub struct Answered {
    permitted: Permitted,
    report: Report,
    deliveries: BTreeMap<String, Named>,
    figures: BTreeMap<String, Vec<String>>,
    /// What departments answered to it; gone unless it is kept.
    answers: Option<Unkept>,
}

/// What was kept (已保存的核对).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its id.
    pub id: Uuid,
    /// Its number: `HD2026-000001`.
    pub number: String,
}

/// Whether an enquiry may be made (核准核对), and the numbers it is made with. Commit before asking.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn permit(
    tx: &mut Tx,
    scope: &Scope,
    terms: &Terms,
    new: NewEnquiry,
) -> anyhow::Result<Result<Permitted, Refused>> {
    let today = tx.today();
    let home = registry::households::household_view(tx, scope, new.household, today).await?;
    let Some(home) = home else {
        return Ok(Err(Refused::NotThere));
    };
    if new.people.is_empty() {
        return Ok(Err(Refused::Nobody));
    }
    if !terms.knows(&new.purpose) {
        return Ok(Err(Refused::UnknownPurpose));
    }
    if new.as_of > today {
        return Ok(Err(Refused::Later));
    }
    let done = made_today(tx, scope, today).await?;
    if done >= u64::from(terms.a_day) {
        return Ok(Err(Refused::Enough(terms.a_day)));
    }
    let opened = consent::opened(tx, scope, new.household, &new.people, &new.purpose).await?;
    let people = match opened {
        Ok(people) => people,
        Err(lacking) => return Ok(Err(Refused::NotConsented(lacking))),
    };
    let members = people.iter().map(|one| Person {
        id_no: one.document_number.clone(),
        name: one.name.clone(),
    });
    let asked = Asked {
        household: home.number.clone(),
        members: members.collect(),
    };
    tx.note(Event {
        by: scope.actor.officer,
        purpose: new.purpose.clone(),
        act: "verify.permit".to_owned(),
        subject_kind: "case".to_owned(),
        subject_id: new.subject.to_string(),
        region: Some(home.region),
        detail: json!({ "number": new.subject_number, "people": people.len(), "as_of": new.as_of }),
    });
    Ok(Ok(Permitted {
        id: tx.new_id(),
        region: home.region,
        building: odd::building(tx.keys(), home.region, &home.address),
        new,
        people,
        asked,
    }))
}

async fn made_today(tx: &Tx, scope: &Scope, today: NaiveDate) -> anyhow::Result<u64> {
    table::Entity::find()
        .filter(table::Column::OfficerId.eq(scope.actor.officer.0))
        .filter(table::Column::OnDay.eq(today))
        .count(tx.conn())
        .await
        .context("counting today's enquiries")
}

impl std::fmt::Debug for Permitted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Permitted({})", self.new.subject_number)
    }
}

impl Permitted {
    /// Asks every source (查询): what was landed, and departments that answer when asked. Reads files and waits for them: call it
    /// where blocking is allowed.
    ///
    /// # Errors
    /// When what was landed cannot be read, or an answer cannot be kept.
    pub fn ask(
        self,
        landed: &Landed,
        departments: Option<&Departments>,
        stop: &AtomicBool,
    ) -> anyhow::Result<Answered> {
        let request = self.id.to_string();
        let answers = departments.map(|departments| departments.until_kept(&request));
        let asked = departments
            .map(|departments| departments.about(landed, &self.asked.members, &request))
            .transpose()?;
        let landed = asked.as_ref().unwrap_or(landed);
        let report = landed.ask(&self.asked, self.new.as_of, None, stop)?;
        let mut deliveries = BTreeMap::new();
        let mut figures = BTreeMap::new();
        for answer in &report.answers {
            let manifest = answer.delivery.as_ref().and_then(|name| {
                landed
                    .deliveries(&answer.source)
                    .find(|one| one.delivery == *name)
            });
            deliveries.insert(
                answer.source.clone(),
                Named {
                    delivery: answer.delivery.clone(),
                    delivered: answer.delivered,
                    sm3: manifest.map(|manifest| manifest.sm3.clone()),
                },
            );
            if let Some(source) = landed.sources().get(&answer.source) {
                let ids = source.figures.iter().map(|def| def.id.clone()).collect();
                figures.insert(answer.source.clone(), ids);
            }
        }
        Ok(Answered {
            permitted: self,
            report,
            deliveries,
            figures,
            answers,
        })
    }
}

impl Answered {
    /// What was answered.
    pub fn report(&self) -> &Report {
        &self.report
    }
}

/// Keeps an answered enquiry (保存核对), if every consent still stands; else what departments answered to it is gone too.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn record(
    tx: &mut Tx,
    scope: &Scope,
    terms: &Terms,
    answered: Answered,
) -> anyhow::Result<Result<Recorded, Refused>> {
    let Answered {
        permitted,
        report,
        deliveries,
        figures,
        answers,
    } = answered;
    let Permitted {
        id,
        new,
        region,
        building,
        people,
        asked,
    } = permitted;
    let (now, today) = (tx.now(), tx.today());
    let consents: Vec<(PersonId, Uuid)> =
        people.iter().map(|one| (one.person, one.consent)).collect();
    // Drawing the number takes its lock first: two enquiries of one officer are counted one after the other.
    let number = next_number(tx).await?;
    let gone = consent::still_holds(tx, new.household, &consents).await?;
    if !gone.is_empty() {
        return Ok(Err(Refused::TakenBack(gone)));
    }
    if made_today(tx, scope, today).await? >= u64::from(terms.a_day) {
        return Ok(Err(Refused::Enough(terms.a_day)));
    }
    let own = access::officer::is_one_of(tx, people.iter().map(|one| one.document_number.as_str()))
        .await?;
    let about = odd::About {
        people: &new.people,
        household: new.household,
        case: new.subject,
        building: &building,
    };
    let counts = odd::counts(tx, scope, terms, &about, today).await?;
    let unknowns = report.answers.iter().filter(|one| one.is_unsure()).count();
    let kept = Kept {
        report,
        asked,
        figures,
    };
    let bytes = serde_json::to_vec(&kept).context("writing a report down")?;
    let row = table::Model {
        id,
        number: number.clone(),
        subject_id: new.subject,
        subject_number: new.subject_number.clone(),
        household_id: new.household.0,
        region: region.to_string(),
        officer_id: scope.actor.officer.0,
        officer: scope.actor.name.clone(),
        purpose: new.purpose.trim().to_owned(),
        as_of: new.as_of,
        at: now,
        on_day: today,
        valid_until: today + Days::new(u64::from(terms.valid_days)),
        people: i64::try_from(people.len()).context("counting people")?,
        deliveries: serde_json::to_string(&deliveries).context("writing deliveries down")?,
        unknowns: i64::try_from(unknowns).context("counting unknowns")?,
        report_sealed: tx.keys().seal_bytes(&bytes, &kept::sealed_for(id)),
        report_blind: kept::blind(tx.keys(), &bytes),
        out_of_hours: terms.out_of_hours(now)?,
        own,
        same_person: counts.same_person,
        building,
        neighbours: counts.neighbours,
        officers: counts.officers,
        cases: counts.cases,
    };
    table::Entity::insert(row.into_active_model())
        .exec_without_returning(tx.conn())
        .await
        .context("keeping an enquiry")?;
    keep_people(tx, id, &people).await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: new.purpose,
        act: "verify.enquire".to_owned(),
        subject_kind: "case".to_owned(),
        subject_id: new.subject.to_string(),
        region: Some(region),
        detail: json!({ "number": new.subject_number, "enquiry": number, "people": people.len() }),
    });
    if let Some(answers) = answers {
        answers.keep();
    }
    Ok(Ok(Recorded { id, number }))
}

/// Writes down who was asked about, by which consent.
async fn keep_people(tx: &Tx, id: Uuid, people: &[Opened]) -> anyhow::Result<()> {
    let rows = people.iter().zip(0..).map(|(one, place)| {
        let row = enquiry_person::Model {
            enquiry_id: id,
            place_in_order: place,
            person_id: one.person.0,
            consent_id: one.consent,
            tie: one.tie.word().to_owned(),
        };
        row.into_active_model()
    });
    enquiry_person::Entity::insert_many(rows)
        .exec_without_returning(tx.conn())
        .await
        .context("keeping who was asked about")?;
    Ok(())
}

/// Draws the next number of this year (取号).
async fn next_number(tx: &Tx) -> anyhow::Result<String> {
    let year = tx.today().year();
    let sql = "INSERT INTO verify_serial (year, last) VALUES ($1, 1) \
               ON CONFLICT (year) DO UPDATE SET last = verify_serial.last + 1 RETURNING last";
    let last = draw(tx, sql, [i64::from(year).into()])
        .await
        .context("the number of an enquiry")?;
    Ok(format!("HD{year}-{last:06}"))
}
