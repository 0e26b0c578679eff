//! Checking before handing in (核对提交): every answer with a way back to it, what to apply for, who applies, who acts.
//!
//! Nothing is decided here: what seems met is ticked, what seems not met can still be ticked, because everybody may apply
//! and be answered in writing. Handing in twice by a nervous finger is one application.

use super::application::{Form, asked, field_name, steps, title};
use super::household::document_kinds;
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{answer, mark, piece};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Purpose, Scope};
use casework::procedure::{Applies, Channel, MayApply};
use casework::submit::{Agent, Choice, Refused, SubmitApplication};
use maud::{Markup, html};
use policy::{Determination, Outcome};
use vocab::ids::PersonId;
use vocab::{Document, DocumentKind};

/// `GET /drafts/{id}/check` (核对提交).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn show(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Application)?;
    let form = Form::read(visit, &scope).await?;
    page(visit, &scope, &form, &[]).await
}

/// A thing that can be ticked: a programme, for the household or for one member.
struct Offer {
    value: String,
    title: String,
    outcome: Option<Outcome>,
}

/// Everything this household can apply for.
fn offers(visit: &Visit, form: &Form, said: &[Determination]) -> Vec<Offer> {
    let lang = visit.lang;
    let desk = &visit.app.desk;
    let mut offers = Vec::new();
    for id in &form.draft.programmes {
        let Some(procedure) = desk.procedure(id) else {
            continue;
        };
        let (zh, en) = desk.title(id);
        let name = lang.pick(&zh, &en).to_owned();
        match procedure.applies {
            Applies::Household => {
                let outcome = said
                    .iter()
                    .find(|said| said.programme == *id)
                    .map(|said| said.outcome);
                offers.push(Offer {
                    value: id.clone(),
                    title: name,
                    outcome,
                });
            }
            Applies::Person => {
                for member in &form.home.members {
                    let key = member.person.id.to_string();
                    let outcome = said
                        .iter()
                        .find(|said| {
                            said.programme == *id && said.member_key.as_deref() == Some(&key)
                        })
                        .map(|said| said.outcome);
                    offers.push(Offer {
                        value: format!("{id}|{key}"),
                        title: format!("{name} · {}", member.person.name),
                        outcome,
                    });
                }
            }
        }
    }
    offers
}

fn may_apply_name(visit: &Visit, who: MayApply) -> &'static str {
    match who {
        MayApply::Member => visit.t("家庭成员本人"),
        MayApply::Guardian => visit.t("监护人"),
        MayApply::Agent => visit.t("代办人（受委托）"),
        MayApply::Committee => visit.t("村（居）委会代为申请"),
        MayApply::Organisation => visit.t("单位、机构代为申请"),
    }
}

/// The word of an applicant's capacity in the form.
const fn may_apply_word(who: MayApply) -> &'static str {
    match who {
        MayApply::Member => "member",
        MayApply::Guardian => "guardian",
        MayApply::Agent => "agent",
        MayApply::Committee => "committee",
        MayApply::Organisation => "organisation",
    }
}

/// The word of a channel in the form.
const fn channel_word(channel: Channel) -> &'static str {
    match channel {
        Channel::Window => "window",
        Channel::HomeVisit => "home_visit",
        Channel::Online => "online",
        Channel::Post => "post",
        Channel::Referral => "referral",
    }
}

const APPLIED_BY: [MayApply; 5] = [
    MayApply::Member,
    MayApply::Guardian,
    MayApply::Agent,
    MayApply::Committee,
    MayApply::Organisation,
];

const CHANNELS: [Channel; 3] = [Channel::Window, Channel::HomeVisit, Channel::Referral];

fn channel_name(visit: &Visit, channel: Channel) -> &'static str {
    match channel {
        Channel::Window => visit.t("窗口"),
        Channel::HomeVisit => visit.t("上门"),
        Channel::Online => visit.t("网上"),
        Channel::Post => visit.t("邮寄"),
        Channel::Referral => visit.t("转介"),
    }
}

async fn page(visit: &Visit, scope: &Scope, form: &Form, errors: &[FieldError]) -> Answer {
    let lang = visit.lang;
    let id = form.draft.id;
    let said = casework::draft::preview(&visit.app.db, scope, &visit.app.desk, id)
        .await?
        .unwrap_or_default();
    let offers = offers(visit, form, &said);
    let again = visit.form.has("key");
    let ticked = |offer: &Offer| {
        if again {
            visit.form.all("apply").any(|value| value == offer.value)
        } else {
            matches!(offer.outcome, Some(Outcome::Met | Outcome::ToVerify))
        }
    };
    let people: Vec<(String, String)> = form
        .home
        .members
        .iter()
        .map(|member| (member.person.id.to_string(), member.person.name.clone()))
        .collect();
    let head = form
        .home
        .head
        .map_or_else(String::new, |head| head.to_string());
    let applied_by: Vec<(String, String)> = APPLIED_BY
        .iter()
        .map(|who| {
            (
                may_apply_word(*who).to_owned(),
                may_apply_name(visit, *who).to_owned(),
            )
        })
        .collect();
    let channels: Vec<(String, String)> = CHANNELS
        .iter()
        .map(|channel| {
            (
                channel_word(*channel).to_owned(),
                channel_name(visit, *channel).to_owned(),
            )
        })
        .collect();
    // The same key comes back with every try to hand this page in, so that two clicks are one application.
    let key = visit
        .form
        .some("key")
        .map_or_else(access::secret::token, str::to_owned);
    let steps = steps(visit, form);
    let body = html! {
        (piece::steps(lang, &steps, steps.len() - 1))
        div.note.warn { (visit.t("还没有提交。核对无误后按最下面的“提交申请”。")) }
        @for page in &form.pages { (answers(visit, form, page)) }
        form method="post" action=(format!("/drafts/{id}/submit")) {
            (form::token(visit))
            input type="hidden" name="key" value=(key);
            fieldset.card #apply tabindex="-1" {
                legend.unseen { (visit.t("申请哪些事项")) }
                h2 { (visit.t("申请哪些事项")) }
                p.quiet { (visit.t("看来符合和待核实的已勾选。不符合的也可以申请，会书面答复理由。")) }
                @for (at, offer) in offers.iter().enumerate() {
                    div.choice {
                        input type="checkbox" id=(format!("apply-{at}")) name="apply" value=(offer.value) checked[ticked(offer)];
                        label for=(format!("apply-{at}")) { (offer.title) }
                        @if let Some(outcome) = offer.outcome { (mark::outcome(lang, outcome)) }
                    }
                }
            }
            div.card {
                h2 { (visit.t("谁来申请")) }
                (field(lang, "applicant", visit.t("申请人")).value(visit.form.some("applicant").unwrap_or(&head)).errors(errors)
                    .width("middle").select(&people))
                (field(lang, "applied_by", visit.t("申请人身份")).value(visit.form.some("applied_by").unwrap_or("member"))
                    .errors(errors).radios(&applied_by))
                (field(lang, "channel", visit.t("从哪里来")).value(visit.form.some("channel").unwrap_or("window"))
                    .errors(errors).radios(&channels))
                (agent(visit, errors))
            }
            div.buttons {
                (form::act(visit.t("提交申请")))
                a.button.plain href=(format!("/drafts/{id}")) { (visit.t("返回修改")) }
            }
        }
    };
    Ok(visit
        .page(title(visit, form))
        .nav("/drafts")
        .errors(errors)
        .show(&body))
}

/// Somebody who acts for the applicant: both people are recorded.
fn agent(visit: &Visit, errors: &[FieldError]) -> Markup {
    let lang = visit.lang;
    let open = visit.form.some("agent_number").is_some()
        || errors.iter().any(|error| error.field.starts_with("agent"));
    let kind = visit
        .form
        .some("agent_kind")
        .unwrap_or(DocumentKind::ResidentId.code());
    html! {
        details.act-form open[open] {
            summary { (visit.t("有人代办")) }
            p.quiet { (visit.t("代办人也要登记；系统同时记下申请人和代办人。")) }
            div.row-fields {
                (field(lang, "agent_kind", visit.t("代办人证件类型")).value(kind).errors(errors).select(&document_kinds(visit)))
                (field(lang, "agent_number", visit.t("代办人证件号码")).value(visit.form.get("agent_number")).errors(errors).text())
                (field(lang, "agent_relation", visit.t("与申请人的关系")).value(visit.form.get("agent_relation")).errors(errors).text())
            }
        }
    }
}

/// The answers of one page of the form, each with a way back to it.
fn answers(visit: &Visit, form: &Form, page: &casework::form::Page) -> Markup {
    let lang = visit.lang;
    let heading = lang.pick(&page.title_zh, &page.title_en).to_owned();
    let step = format!("/drafts/{}?step={}", form.draft.id, page.id);
    let row = |question: &casework::form::Question, whose: Option<PersonId>| {
        let asked = asked(visit, question);
        html! {
            div {
                dt { (asked.label) }
                dd {
                    @match (form.answered(&question.fact, whose), form.known(&question.fact, whose)) {
                        (Some(given), _) => {
                            (answer::shown_at(visit, &asked, &given.value)) " "
                            span.quiet { (if given.source.is_empty() { visit.t("本人申报") } else { given.source.as_str() }) }
                        }
                        (None, Some(known)) => {
                            (answer::shown_at(visit, &asked, &known.value)) " " span.quiet { (known.source) }
                        }
                        (None, None) => span.quiet { (visit.t("未填写")) },
                    }
                    " "
                    a href=(format!("{step}#{}", field_name(&question.fact, whose))) {
                        (visit.t("修改"))
                        span.unseen { " " (asked.label) }
                    }
                }
            }
        }
    };
    let asked_of = |whose: Option<PersonId>| -> Vec<&casework::form::Question> {
        page.questions
            .iter()
            .filter(|question| {
                form.asked_of(visit, question).contains(&whose) && form.applies(question, whose)
            })
            .collect()
    };
    html! {
        section.part {
            h2 { (heading) }
            @let whole = asked_of(None);
            @if !whole.is_empty() { dl.facts { @for question in whole { (row(question, None)) } } }
            @for member in &form.home.members {
                @let mine = asked_of(Some(member.person.id));
                @if !mine.is_empty() {
                    div.member {
                        h3 { (member.person.name) }
                        dl.facts { @for question in mine { (row(question, Some(member.person.id))) } }
                    }
                }
            }
        }
    }
}

/// `POST /drafts/{id}/submit` (提交申请).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn submit(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope(Purpose::Application)?;
    let draft = visit.id("id")?;
    let form = match Form::read(visit, &scope).await {
        Ok(form) => Some(form),
        // Handed in already: the same key gives the same answer below, another key is refused there.
        Err(Problem::Conflict(_)) => None,
        Err(problem) => return Err(problem),
    };
    let mut wrong = Vec::new();
    let choices: Vec<Choice> = visit
        .form
        .all("apply")
        .filter_map(|value| {
            let (programme, member) = value
                .split_once('|')
                .map_or((value, None), |(p, m)| (p, Some(m)));
            let member = match member {
                Some(member) => Some(member.parse::<PersonId>().ok()?),
                None => None,
            };
            Some(Choice {
                programme: programme.to_owned(),
                member,
            })
        })
        .collect();
    let applicant = visit.form.get("applicant").parse::<PersonId>().ok();
    if applicant.is_none() {
        wrong.push(fault("applicant", visit.t("请选择申请人")));
    }
    let applied_by = APPLIED_BY
        .into_iter()
        .find(|who| may_apply_word(*who) == visit.form.get("applied_by"));
    let channel = CHANNELS
        .into_iter()
        .find(|channel| channel_word(*channel) == visit.form.get("channel"));
    let agent = match visit.form.some("agent_number") {
        None => None,
        Some(number) => {
            let kind = DocumentKind::read(visit.form.get("agent_kind"))
                .unwrap_or(DocumentKind::ResidentId);
            match Document::read(kind, number, visit.today()) {
                Err(not) => {
                    wrong.push(fault(
                        "agent_number",
                        words::sentence(lang, &not.to_string()),
                    ));
                    None
                }
                Ok(document) => {
                    match registry::people::find_by_document(&visit.app.db, &scope, &document)
                        .await?
                    {
                        Some(person) => Some(Agent {
                            person: person.id,
                            relation: visit.form.get("agent_relation").to_owned(),
                        }),
                        None => {
                            wrong.push(fault(
                                "agent_number",
                                visit.t("代办人还没有登记，请先登记人员"),
                            ));
                            None
                        }
                    }
                }
            }
        }
    };
    let (Some(applicant), true) = (applicant, wrong.is_empty()) else {
        let form = form.ok_or(Problem::NotFound)?;
        return page(visit, &scope, &form, &wrong).await;
    };
    let mut tx = visit.app.db.begin().await?;
    let new = SubmitApplication {
        key: visit.form.get("key").to_owned(),
        draft,
        choices,
        applicant,
        applied_by: applied_by.unwrap_or(MayApply::Member),
        agent,
        channel: channel.unwrap_or(Channel::Window),
    };
    match casework::submit(&mut tx, &scope, &visit.app.desk, new).await? {
        Ok(submitted) => {
            tx.commit().await?;
            match submitted.cases.first() {
                Some((first, _)) => visit.go(&format!("/cases/{first}/receipt?done=submitted")),
                None => visit.go("/cases"),
            }
        }
        Err(Refused::NotThere) => Err(Problem::NotFound),
        Err(refused) => {
            tx.rollback().await?;
            let sentence = lang.pick(&refused.to_string(), &refused.en()).to_owned();
            match form {
                Some(form) => {
                    page(visit, &scope, &form, &[fault(field_of(&refused), sentence)]).await
                }
                None => Err(Problem::Conflict(sentence)),
            }
        }
    }
}

/// Which field a refusal is about.
fn field_of(refused: &Refused) -> &'static str {
    match refused {
        Refused::NothingChosen
        | Refused::ChosenTwice(_)
        | Refused::UnknownProgramme(_)
        | Refused::MemberMissing(_)
        | Refused::MemberNotWanted(_)
        | Refused::NotAMember
        | Refused::AlreadyOpen { .. } => "apply",
        Refused::ApplicantNotAMember | Refused::PersonUnknown => "applicant",
        Refused::MayNotApply(_) => "applied_by",
        Refused::ChannelClosed(_) => "channel",
        Refused::AgentMissing => "agent_number",
        Refused::AgentIsApplicant => "agent_number",
        _ => "",
    }
}
