//! Handing in an application (提交申请): one form becomes facts and a case for each programme chosen.
//!
//! Guarantees: the same key and content twice is one application with one answer, however often and from however many
//! windows at once; the same key with another content is refused; what was declared is recorded with its source before
//! anything rests on it; an agent's application names both people. Deliberately absent: judging the answers.

use crate::act::clocks::{self, Clocks};
use crate::case::to_word;
use crate::desk::Desk;
use crate::draft::{self, Answers};
use crate::letter::{self, Contents};
use crate::procedure::{Applies, Channel, MayApply, Procedure, StateKind};
use crate::rows::insert;
use crate::{form, number, receipt, sheet, tables, task};
use access::{Scope, mask_name};
use anyhow::Context;
use registry::households::Household;
use registry::people::PersonRow;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use store::keys::sm3_hex;
use store::{Event, Tx};
use uuid::Uuid;
use vocab::FactSheet;
use vocab::ids::{ApplicationId, CaseId, PersonId};

/// One programme asked for (申请事项).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Choice {
    /// The programme.
    pub programme: String,
    /// For whom, where the programme is about one person.
    pub member: Option<PersonId>,
}

/// Who hands it in for the applicant (代办人).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Who.
    pub person: PersonId,
    /// How they stand to the applicant.
    pub relation: String,
}

/// An application to be handed in (提交内容).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmitApplication {
    /// The key that makes it one, drawn when the page was shown.
    pub key: String,
    /// The draft.
    pub draft: Uuid,
    /// What is asked for.
    pub choices: Vec<Choice>,
    /// Who applies.
    pub applicant: PersonId,
    /// In which capacity.
    pub applied_by: MayApply,
    /// Who hands it in for the applicant.
    pub agent: Option<Agent>,
    /// How it arrived.
    pub channel: Channel,
}

/// What was handed in (提交结果).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// The application.
    pub application: ApplicationId,
    /// Its cases with their numbers.
    pub cases: Vec<(CaseId, String)>,
    /// The receipt code.
    pub receipt_code: String,
}

/// Why an application was not taken (不能提交原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such draft in the scope.
    #[error("在您的管辖范围内查不到这份申请，请从家庭页面重新开始")]
    NotThere,
    /// No key.
    #[error("页面缺少提交标识，请刷新后再提交")]
    KeyMissing,
    /// The same key with another content.
    #[error("同一次提交的内容前后不一致，请刷新页面核对后再提交")]
    KeyReused,
    /// Handed in before.
    #[error("这份申请已经提交过，请到办件中查看")]
    AlreadySubmitted,
    /// Nothing chosen.
    #[error("请至少选择一个申请事项")]
    NothingChosen,
    /// Chosen twice.
    #[error("事项“{0}”选了两次，请取消一个")]
    ChosenTwice(String),
    /// Not open.
    #[error("事项“{0}”不能申请，请取消勾选")]
    UnknownProgramme(String),
    /// For whom?
    #[error("“{0}”是个人事项，请选择给哪位家庭成员申请")]
    MemberMissing(String),
    /// Not for one person.
    #[error("“{0}”以家庭为单位申请，不选个人")]
    MemberNotWanted(String),
    /// Not of this household.
    #[error("所选的人不是这一户的成员，请核对家庭成员")]
    NotAMember,
    /// The applicant is not in the household although applying as a member.
    #[error("以家庭成员身份申请的，申请人应是这一户的成员")]
    ApplicantNotAMember,
    /// The register does not know the applicant or agent.
    #[error("申请人或代办人尚未登记，请先登记")]
    PersonUnknown,
    /// This programme takes no such applicant.
    #[error("“{0}”不接受这种身份的申请人，请改选")]
    MayNotApply(String),
    /// This programme takes no such channel.
    #[error("“{0}”不接受这种申请渠道，请改选")]
    ChannelClosed(String),
    /// Applying by an agent without naming one.
    #[error("代理申请请填写代办人及与申请人的关系")]
    AgentMissing,
    /// The agent is the applicant.
    #[error("代办人不能是申请人本人")]
    AgentIsApplicant,
    /// There is one already.
    #[error("“{programme}”已有在办或享受中的办件 {number}，不必重复申请")]
    AlreadyOpen {
        /// The programme's title.
        programme: String,
        /// The case's number.
        number: String,
    },
    /// A question that must be answered is not.
    #[error("还有必答的问题没有回答：{0}")]
    Unanswered(String),
    /// The register refused an answer.
    #[error("“{fact}”没有记入：{sentence}")]
    NotRecorded {
        /// The question.
        fact: String,
        /// Why.
        sentence: String,
    },
}

impl Refused {
    /// The sentence in English.
    pub fn en(&self) -> String {
        match self {
            Self::NotThere => {
                "This application is not found in your area; start again from the household".into()
            }
            Self::KeyMissing => "The page lacks its key; reload before submitting".into(),
            Self::KeyReused => {
                "The same submission came with another content; reload and check".into()
            }
            Self::AlreadySubmitted => {
                "This application was handed in already; see the cases".into()
            }
            Self::NothingChosen => "Choose at least one programme".into(),
            Self::ChosenTwice(title) => format!("“{title}” is chosen twice; untick one"),
            Self::UnknownProgramme(title) => format!("“{title}” cannot be applied for; untick it"),
            Self::MemberMissing(title) => format!("“{title}” is for one person; choose the member"),
            Self::MemberNotWanted(title) => {
                format!("“{title}” is for the household; choose no person")
            }
            Self::NotAMember => "The person chosen is not a member of this household".into(),
            Self::ApplicantNotAMember => {
                "Who applies as a member must be a member of this household".into()
            }
            Self::PersonUnknown => "Register the applicant or agent first".into(),
            Self::MayNotApply(title) => {
                format!("“{title}” does not take applicants in this capacity")
            }
            Self::ChannelClosed(title) => format!("“{title}” does not take applications this way"),
            Self::AgentMissing => "Name the agent and the relation to the applicant".into(),
            Self::AgentIsApplicant => "The agent cannot be the applicant".into(),
            Self::AlreadyOpen { programme, number } => {
                format!("“{programme}” has the case {number} already")
            }
            Self::Unanswered(question) => {
                format!("A question that must be answered is not: {question}")
            }
            Self::NotRecorded { fact, sentence } => {
                format!("“{fact}” was not recorded: {sentence}")
            }
        }
    }
}

/// Hands in an application (提交申请). On a refusal drop the transaction.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn submit(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    new: SubmitApplication,
) -> anyhow::Result<Result<Submitted, Refused>> {
    if new.key.trim().is_empty() {
        return Ok(Err(Refused::KeyMissing));
    }
    let key = format!("{}:{}", scope.actor.officer, new.key.trim());
    if let Some(answer) = claim_key(tx, &key, &new).await? {
        return Ok(answer);
    }
    let answer = take(tx, scope, desk, &new).await?;
    match &answer {
        Ok(submitted) => {
            tables::submission::Entity::update_many()
                .col_expr(
                    tables::submission::Column::Answer,
                    Expr::value(serde_json::to_string(submitted)?),
                )
                .filter(tables::submission::Column::Key.eq(key))
                .exec(tx.conn())
                .await
                .context("keeping the answer of a submission")?;
        }
        Err(_) => {
            // Whoever mends what was wrong may submit again under the same key.
            tables::submission::Entity::delete_by_id(key)
                .exec(tx.conn())
                .await
                .context("giving a key back")?;
        }
    }
    Ok(answer)
}

/// Takes the key, waiting for anybody who holds it; the earlier answer if it was used.
async fn claim_key(
    tx: &Tx,
    key: &str,
    new: &SubmitApplication,
) -> anyhow::Result<Option<Result<Submitted, Refused>>> {
    let body_sm3 = sm3_hex(serde_json::to_string(new)?.as_bytes());
    let row = tables::submission::Model {
        key: key.to_owned(),
        body_sm3: body_sm3.clone(),
        answer: None,
        at: tx.now(),
    };
    let claimed = tables::submission::Entity::insert(row.into_active_model())
        .on_conflict(
            OnConflict::column(tables::submission::Column::Key)
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(tx.conn())
        .await;
    match claimed {
        Ok(1) => return Ok(None),
        Ok(_) | Err(sea_orm::DbErr::RecordNotInserted) => {}
        Err(fault) => return Err(fault).context("taking the key of a submission"),
    }
    let earlier = tables::submission::Entity::find_by_id(key)
        .one(tx.conn())
        .await
        .context("reading an earlier submission")?
        .context("a submission's key was taken and given back at the same moment; try again")?;
    if earlier.body_sm3 != body_sm3 {
        return Ok(Some(Err(Refused::KeyReused)));
    }
    let answer = earlier
        .answer
        .context("an earlier submission has no answer")?;
    Ok(Some(Ok(
        serde_json::from_str(&answer).context("reading the answer of an earlier submission")?
    )))
}

async fn take(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    new: &SubmitApplication,
) -> anyhow::Result<Result<Submitted, Refused>> {
    let today = tx.today();
    let Some(row) = draft::row(tx, scope, new.draft).await? else {
        return Ok(Err(Refused::NotThere));
    };
    if row.submitted_at.is_some() {
        return Ok(Err(Refused::AlreadySubmitted));
    }
    let draft = draft::read(row)?;
    let Some(home) =
        registry::households::household_view(tx, scope, draft.household, today).await?
    else {
        return Ok(Err(Refused::NotThere));
    };
    let mut wanted = vec![new.applicant];
    wanted.extend(new.agent.as_ref().map(|agent| agent.person));
    let mut people: BTreeMap<PersonId, PersonRow> = home
        .members
        .iter()
        .map(|member| (member.person.id, member.person.clone()))
        .collect();
    // A guardian, an agent or an organisation's clerk may live anywhere in the place.
    let wide = Scope {
        region: desk.book.place().division,
        ..scope.clone()
    };
    people.extend(
        registry::people::rows(tx, &wide, &wanted)
            .await?
            .into_iter()
            .map(|row| (row.id, row)),
    );
    let Some(known) = sheet::sheet(tx, scope, desk, home.id, tx.now(), today).await? else {
        return Ok(Err(Refused::NotThere));
    };
    let mut declared = known.clone();
    draft::lay_over(&mut declared, &draft.answers);
    if let Err(refused) = permitted(desk, new, &home, &people, &declared, today) {
        return Ok(Err(refused));
    }
    for choice in &new.choices {
        if let Some(number) = open_case(tx, choice, home.id.0).await? {
            return Ok(Err(Refused::AlreadyOpen {
                programme: desk.title(&choice.programme).0,
                number,
            }));
        }
    }
    // Two windows handing in one draft: one of them finds it handed in.
    let closed = tables::draft::Entity::update_many()
        .col_expr(tables::draft::Column::SubmittedAt, Expr::value(tx.now()))
        .filter(tables::draft::Column::Id.eq(new.draft))
        .filter(tables::draft::Column::SubmittedAt.is_null())
        .exec(tx.conn())
        .await
        .context("closing a draft")?;
    if closed.rows_affected == 0 {
        return Ok(Err(Refused::AlreadySubmitted));
    }
    if let Err(refused) = record_answers(tx, scope, desk, &home, &known, &draft.answers).await? {
        return Ok(Err(refused));
    }
    let application = ApplicationId(tx.new_id());
    let receipt_code = receipt::code(tx.keys(), application);
    insert::<tables::application::Entity>(
        tx,
        tables::application::Model {
            id: application.0,
            household_id: home.id.0,
            region: home.region.to_string(),
            applicant_id: new.applicant.0,
            applied_by: to_word(new.applied_by),
            agent_id: new.agent.as_ref().map(|agent| agent.person.0),
            agent_relation: new
                .agent
                .as_ref()
                .map(|agent| agent.relation.trim().to_owned()),
            channel: to_word(new.channel),
            receipt_key: receipt::key(tx.keys(), &receipt_code),
            answers: serde_json::to_string(&draft.answers)?,
            submitted_at: tx.now(),
            submitted_on: today,
            officer_id: scope.actor.officer.0,
        },
    )
    .await?;
    let numbers = number::next_numbers(tx, &desk.case_prefix, new.choices.len()).await?;
    let mut cases = Vec::with_capacity(new.choices.len());
    for (choice, number) in new.choices.iter().zip(numbers) {
        let procedure = desk
            .procedure(&choice.programme)
            .context("a programme without a procedure was let through")?;
        let opening = Opening {
            application,
            choice,
            number: &number,
            home: &home,
            people: &people,
            new,
        };
        let case = open(tx, scope, desk, procedure, &opening, &receipt_code).await?;
        cases.push((case, number));
    }
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "casework.submit".to_owned(),
        subject_kind: "application".to_owned(),
        subject_id: application.to_string(),
        region: Some(home.region),
        detail: json!({
            "cases": cases.iter().map(|(id, number)| json!({ "id": id, "number": number })).collect::<Vec<_>>(),
            "programmes": new.choices.iter().map(|choice| &choice.programme).collect::<Vec<_>>(),
            "by_agent": new.agent.is_some(),
        }),
    });
    Ok(Ok(Submitted {
        application,
        cases,
        receipt_code,
    }))
}

/// The whole rule, without a database.
fn permitted(
    desk: &Desk,
    new: &SubmitApplication,
    home: &Household,
    people: &BTreeMap<PersonId, PersonRow>,
    declared: &FactSheet,
    today: chrono::NaiveDate,
) -> Result<(), Refused> {
    if new.choices.is_empty() {
        return Err(Refused::NothingChosen);
    }
    let is_member = |person: PersonId| home.members.iter().any(|member| member.person.id == person);
    let mut once = BTreeSet::new();
    for choice in &new.choices {
        let title = desk.title(&choice.programme).0;
        let Some(procedure) = desk.procedure(&choice.programme) else {
            return Err(Refused::UnknownProgramme(title));
        };
        if !once.insert(choice) {
            return Err(Refused::ChosenTwice(title));
        }
        match (procedure.applies, choice.member) {
            (Applies::Person, None) => return Err(Refused::MemberMissing(title)),
            (Applies::Household, Some(_)) => return Err(Refused::MemberNotWanted(title)),
            (Applies::Person, Some(member)) if !is_member(member) => {
                return Err(Refused::NotAMember);
            }
            _ => {}
        }
        if !procedure.may_apply.contains(&new.applied_by) {
            return Err(Refused::MayNotApply(title));
        }
        if !procedure.channels.contains(&new.channel) {
            return Err(Refused::ChannelClosed(title));
        }
    }
    if !people.contains_key(&new.applicant)
        || new
            .agent
            .as_ref()
            .is_some_and(|agent| !people.contains_key(&agent.person))
    {
        return Err(Refused::PersonUnknown);
    }
    // The agent acts for the applicant, who still must be one who may apply: a member of the household.
    if matches!(new.applied_by, MayApply::Member | MayApply::Agent) && !is_member(new.applicant) {
        return Err(Refused::ApplicantNotAMember);
    }
    match &new.agent {
        Some(agent) if agent.person == new.applicant => return Err(Refused::AgentIsApplicant),
        Some(agent) if agent.relation.trim().is_empty() => return Err(Refused::AgentMissing),
        None if new.applied_by == MayApply::Agent => return Err(Refused::AgentMissing),
        _ => {}
    }
    unanswered(desk, new, declared, today)
}

fn unanswered(
    desk: &Desk,
    new: &SubmitApplication,
    declared: &FactSheet,
    today: chrono::NaiveDate,
) -> Result<(), Refused> {
    let programmes: Vec<String> = new
        .choices
        .iter()
        .map(|choice| choice.programme.clone())
        .collect();
    let has = |record: &vocab::Record, fact: &str, is: Option<&[vocab::Value]>| {
        record.get(fact).is_some_and(|said| {
            said.iter().any(|fact| {
                fact.period.holds(today) && is.is_none_or(|is| is.contains(&fact.value))
            })
        })
    };
    for question in form::union(desk, &programmes)
        .iter()
        .flat_map(|page| &page.questions)
    {
        if !question.required {
            continue;
        }
        let asked = |record: &vocab::Record| {
            question.when.as_ref().is_none_or(|when| {
                has(record, &when.fact, Some(&when.is))
                    || has(&declared.household, &when.fact, Some(&when.is))
            })
        };
        let open = match question.of {
            policy::Unit::Household => {
                asked(&declared.household) && !has(&declared.household, &question.fact, None)
            }
            policy::Unit::Person => declared.members.iter().any(|record| {
                let born = record
                    .get("birth_date")
                    .and_then(|said| said.first())
                    .and_then(|fact| match fact.value {
                        vocab::Value::Date(day) => Some(day),
                        _ => None,
                    });
                question.asks_member(born, today)
                    && asked(record)
                    && !has(record, &question.fact, None)
            }),
        };
        if open {
            return Err(Refused::Unanswered(question.label_zh.clone()));
        }
    }
    Ok(())
}

/// The number of a case of the same programme and subject that has not ended.
async fn open_case(tx: &Tx, choice: &Choice, household: Uuid) -> anyhow::Result<Option<String>> {
    let mut query = tables::case::Entity::find()
        .filter(tables::case::Column::Programme.eq(&choice.programme))
        .filter(tables::case::Column::Kind.ne(StateKind::Final.word()));
    query = match choice.member {
        Some(member) => query.filter(tables::case::Column::MemberId.eq(member.0)),
        None => query
            .filter(tables::case::Column::HouseholdId.eq(household))
            .filter(tables::case::Column::MemberId.is_null()),
    };
    Ok(query
        .one(tx.conn())
        .await
        .context("looking for an open case")?
        .map(|row| row.number))
}

/// Records what was declared and not known so before.
async fn record_answers(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    home: &Household,
    known: &FactSheet,
    answers: &Answers,
) -> anyhow::Result<Result<(), Refused>> {
    let nothing = vocab::Record::new();
    let mut new = Vec::new();
    let is_new = |record: &vocab::Record, fact: &str, answer: &draft::Answer| {
        // What the register keeps itself is asked to be looked at, not to be said again.
        let kept = registry::facts::FROM_THE_REGISTER.contains(&fact);
        !record.get(fact).is_some_and(|said| {
            said.iter().any(|fact| {
                let same_source =
                    fact.source == answer.source() && fact.period == answer.fact().period;
                fact.value == answer.value && (kept || same_source)
            })
        })
    };
    for (fact, answer) in &answers.household {
        if is_new(&known.household, fact, answer) {
            new.push((registry::Subject::Household(home.id), fact, answer));
        }
    }
    for (person, answered) in &answers.members {
        let record = known
            .member_keys
            .iter()
            .position(|key| *key == person.to_string())
            .and_then(|place| known.members.get(place))
            .unwrap_or(&nothing);
        if !home
            .members
            .iter()
            .any(|member| member.person.id == *person)
        {
            return Ok(Err(Refused::NotAMember));
        }
        for (fact, answer) in answered {
            if is_new(record, fact, answer) {
                new.push((registry::Subject::Person(*person), fact, answer));
            }
        }
    }
    for (subject, fact, answer) in new {
        if let Err(refused) = registry::record_fact(tx, scope, subject, fact, answer.fact()).await?
        {
            let fact = desk
                .book
                .fact(fact)
                .map_or_else(|| fact.clone(), |found| found.label_zh.clone());
            return Ok(Err(Refused::NotRecorded {
                fact,
                sentence: refused.to_string(),
            }));
        }
    }
    Ok(Ok(()))
}

/// What a new case is made of.
struct Opening<'a> {
    application: ApplicationId,
    choice: &'a Choice,
    number: &'a str,
    home: &'a Household,
    people: &'a BTreeMap<PersonId, PersonRow>,
    new: &'a SubmitApplication,
}

async fn open(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    procedure: &Procedure,
    opening: &Opening<'_>,
    receipt_code: &str,
) -> anyhow::Result<CaseId> {
    let today = tx.today();
    let name = |person: PersonId| {
        opening
            .people
            .get(&person)
            .map(|row| row.name.clone())
            .unwrap_or_default()
    };
    let applicant = name(opening.new.applicant);
    let subject = opening
        .choice
        .member
        .map_or_else(|| applicant.clone(), name);
    let state = procedure
        .state(&procedure.start)
        .context("the start of a procedure is not one of its states")?;
    let mut case = tables::case::Model {
        id: tx.new_id(),
        number: opening.number.to_owned(),
        application_id: opening.application.0,
        programme: opening.choice.programme.clone(),
        household_id: opening.home.id.0,
        member_id: opening.choice.member.map(|member| member.0),
        applicant_id: opening.new.applicant.0,
        applicant_masked: mask_name(&applicant),
        subject_masked: mask_name(&subject),
        member_count: i64::try_from(opening.home.members.len()).context("counting members")?,
        region: opening.home.region.to_string(),
        state: state.id.clone(),
        kind: state.kind.word().to_owned(),
        queue: state
            .desk
            .map(access::Role::code)
            .unwrap_or_default()
            .to_owned(),
        version: 1,
        applied_on: today,
        accepted_on: None,
        decided_on: None,
        outcome: None,
        amount: None,
        determination_id: None,
        decision_id: None,
        entitlement_id: None,
        sampled: false,
        taken_over: false,
        due_on: None,
        warn_on: None,
        provisional: false,
        paused: false,
        last_officer_id: Some(scope.actor.officer.0),
        last_officer: scope.actor.name.clone(),
        updated_at: tx.now(),
    };
    let mut running = Clocks::none(&desk.calendar, today);
    running.after(procedure, "submit", &state.id, None);
    clocks::show(&running, &mut case);
    insert::<tables::case::Entity>(tx, case.clone()).await?;
    running.write(tx, case.id).await?;
    insert::<tables::event::Entity>(
        tx,
        tables::event::Model {
            id: tx.new_id(),
            case_id: case.id,
            seq: 1,
            act: "submit".to_owned(),
            at: tx.now(),
            on_day: today,
            officer_id: scope.actor.officer.0,
            officer: scope.actor.name.clone(),
            from_state: String::new(),
            to_state: state.id.clone(),
            opinion: String::new(),
            input: "{}".to_owned(),
            determination_id: None,
            decision_id: None,
        },
    )
    .await?;
    task::follow(tx, procedure, &case, scope.actor.officer, None).await?;
    if let Some(word) = &procedure.receipt {
        let contents = Contents {
            kind: word.clone(),
            programme: case.programme.clone(),
            case_no: case.number.clone(),
            date: today,
            applicant_id_masked: opening
                .people
                .get(&opening.new.applicant)
                .map(|row| row.document_masked.clone())
                .unwrap_or_default(),
            agent: opening
                .new
                .agent
                .as_ref()
                .map(|agent| (name(agent.person), agent.relation.clone())),
            applicant,
            subject,
            member_names: opening
                .home
                .members
                .iter()
                .map(|member| member.person.name.clone())
                .collect(),
            region: opening.home.region,
            address: opening.home.address.clone(),
            determination: None,
            amount: None,
            previous_amount: None,
            starts: None,
            grounds: Vec::new(),
            items: Vec::new(),
            supply_by: None,
            opinion: String::new(),
            act: (
                "submit".to_owned(),
                "提交申请".to_owned(),
                "Application received".to_owned(),
                Some(procedure.article.clone()),
            ),
            fields: Vec::new(),
            participants: Vec::new(),
            decision: None,
            receipt_code: receipt_code.to_owned(),
            publicity: None,
        };
        letter::write(tx, desk, case.id, 1, &contents).await?;
    }
    Ok(CaseId(case.id))
}
