//! Acts as forms (办理表单): each act of the procedure says what it needs; the form asks exactly that.
//!
//! An act that cannot be done yet is shown with what is in its way, so that the officer knows what to do first.

use crate::parts::form::{self, FieldError, fault, field};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::Purpose;
use casework::act::Refused;
use casework::case::Participant;
use casework::form::read_answer;
use casework::procedure::{Act, Effect, FieldType};
use casework::{ActInput, Case};
use maud::{Markup, html};
use policy::Kind;
use std::collections::BTreeMap;
use vocab::ids::CaseId;
use vocab::{Month, Value};

/// One act that could be done here, and what is in its way.
pub(crate) struct Offered<'a> {
    pub act: &'a Act,
    pub hindrances: &'a [Refused],
}

/// The name of a field of an act's form.
fn name(act: &Act, field: &str) -> String {
    format!("{}.{field}", act.id)
}

/// All acts (可办理的动作): those that can be done, then those that cannot yet. `asked`: the month a life event asks for.
pub(crate) fn all(
    visit: &Visit,
    case: &Case,
    offers: &[Offered<'_>],
    asked: Option<Month>,
    errors: &[FieldError],
) -> Markup {
    let lang = visit.lang;
    let tried = visit.part("act");
    let (ready, hindered): (Vec<&Offered<'_>>, Vec<&Offered<'_>>) =
        offers.iter().partition(|offer| offer.hindrances.is_empty());
    html! {
        @if offers.is_empty() { p.quiet { (visit.t("现在没有您可以办理的动作。")) } }
        @for (at, offer) in ready.iter().enumerate() {
            @let open = if errors.is_empty() { at == 0 } else { offer.act.id == tried };
            details.act-form open[open] {
                summary { (lang.pick(&offer.act.zh, &offer.act.en)) }
                (one(visit, case, offer.act, at == 0, asked, errors))
            }
        }
        @if !hindered.is_empty() {
            ul.hindered {
                @for offer in hindered {
                    li {
                        span { (lang.pick(&offer.act.zh, &offer.act.en)) }
                        " "
                        span.quiet {
                            @for (at, refused) in offer.hindrances.iter().enumerate() {
                                @if at > 0 { (visit.t("；")) }
                                (lang.pick(&refused.to_string(), &refused.en()))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn one(
    visit: &Visit,
    case: &Case,
    act: &Act,
    first: bool,
    asked: Option<Month>,
    errors: &[FieldError],
) -> Markup {
    let lang = visit.lang;
    let asked = asked.map(|month| month.to_string()).unwrap_or_default();
    let typed = |what: &str| visit.form.get(&name(act, what)).to_owned();
    let confirm = match lang {
        crate::locale::Lang::Zh => &act.confirm_zh,
        crate::locale::Lang::En => &act.confirm_en,
    };
    let grounds: Vec<(String, String)> = act
        .grounds
        .iter()
        .map(|ground| {
            let article = visit.app.desk.book.article_title(&ground.article);
            let label = lang.pick(&ground.zh, &ground.en);
            (
                ground.id.clone(),
                article.map_or_else(
                    || label.to_owned(),
                    |article| format!("{label}（{article}）"),
                ),
            )
        })
        .collect();
    html! {
        form method="post" action=(format!("/cases/{}/acts/{}", case.id, act.id)) {
            (form::token(visit))
            input type="hidden" name="version" value=(case.version);
            @for asked in &act.fields { (one_field(visit, act, asked, errors)) }
            @if !grounds.is_empty() {
                @let chosen: Vec<&str> = visit.form.iter().filter(|(n, _)| *n == name(act, "grounds")).map(|(_, v)| v).collect();
                (field(lang, &name(act, "grounds"), visit.t("法定事由")).errors(errors).ticks(&grounds, &chosen))
            }
            @if act.effect == Effect::RequestSupplement {
                (field(lang, &name(act, "items"), visit.t("需要补正的全部材料"))
                    .hint(html! { (visit.t("每行写一样，一次说全；以后不能再以看得见的缺项要求补正")) })
                    .value(&typed("items")).errors(errors).area(4))
            }
            @if matches!(act.effect, Effect::Object | Effect::Appeal) {
                (field(lang, &name(act, "said"), visit.t("说了什么")).value(&typed("said")).errors(errors).area(3))
                (field(lang, &name(act, "contact"), visit.t("联系方式")).optional().value(&typed("contact")).width("middle").text())
            }
            @if matches!(act.effect, Effect::Suspend | Effect::Resume | Effect::Change | Effect::Stop) {
                (field(lang, &name(act, "from"), visit.t("从哪个月起")).hint(html! { (visit.t("不填就是下个月")) })
                    .optional().value(visit.form.some(&name(act, "from")).unwrap_or(&asked)).errors(errors).month())
            }
            @if act.needs.participants > 0 { (participants(visit, act, errors)) }
            @let opinion = name(act, "opinion");
            @let value = typed("opinion");
            @let asking = field(lang, &opinion, visit.t("意见")).value(&value).errors(errors);
            @if act.needs.opinion { (asking.area(2)) } @else { (asking.optional().area(2)) }
            @if let Some(confirm) = confirm { p { strong { (confirm) } } }
            div.buttons {
                @if act.effect == Effect::Refuse || act.effect == Effect::Stop || act.effect == Effect::Terminate {
                    button.danger type="submit" { (lang.pick(&act.zh, &act.en)) }
                } @else if first {
                    (form::act(lang.pick(&act.zh, &act.en)))
                } @else {
                    (form::lesser(lang.pick(&act.zh, &act.en)))
                }
                @if let Some(article) = act.article.as_ref().and_then(|article| visit.app.desk.book.article_title(article)) {
                    span.quiet { (article) }
                }
            }
        }
    }
}

/// The people who took part, the acting officer first.
fn participants(visit: &Visit, act: &Act, errors: &[FieldError]) -> Markup {
    let lang = visit.lang;
    let own = visit.actor().name;
    let field_name = name(act, "participants");
    let typed: Vec<&str> = visit
        .form
        .iter()
        .filter(|(n, _)| *n == field_name)
        .map(|(_, value)| value)
        .collect();
    let wrong = errors.iter().find(|error| error.field == field_name);
    html! {
        fieldset.field.bad[wrong.is_some()] id=(field_name) tabindex="-1" {
            legend { (lang.f("参加的人（至少 {count} 人）", &[("count", &act.needs.participants)])) }
            @if let Some(wrong) = wrong { div.wrong { (wrong.sentence) } }
            div.row-fields {
                @for at in 0..act.needs.participants.max(2) {
                    @let value = typed.get(at).copied().unwrap_or(if at == 0 { &own } else { "" });
                    input type="text" name=(field_name) value=(value)
                        aria-label=(lang.f("第 {n} 人", &[("n", &(at + 1))]));
                }
            }
        }
    }
}

fn one_field(
    visit: &Visit,
    act: &Act,
    asked: &casework::procedure::Field,
    errors: &[FieldError],
) -> Markup {
    let lang = visit.lang;
    let name = name(act, &asked.id);
    let value = visit.form.get(&name);
    let asking = field(lang, &name, lang.pick(&asked.zh, &asked.en))
        .value(value)
        .errors(errors);
    let asking = if asked.required {
        asking
    } else {
        asking.optional()
    };
    match asked.kind {
        FieldType::Text => asking.text(),
        FieldType::Bool => asking.radios(&[
            ("true".to_owned(), lang.t("是").to_owned()),
            ("false".to_owned(), lang.t("否").to_owned()),
        ]),
        FieldType::Count => asking.count(),
        FieldType::Money => asking.money(lang.t("元")),
        FieldType::Date => asking.date(),
        FieldType::Code => {
            let codes: Vec<(String, String)> = asked
                .codes
                .iter()
                .map(|code| (code.id.clone(), lang.pick(&code.zh, &code.en).to_owned()))
                .collect();
            asking.radios(&codes)
        }
    }
}

/// What was typed into an act's form, or what is wrong with it.
fn typed(visit: &Visit, act: &Act) -> Result<ActInput, Vec<FieldError>> {
    let mut wrong = Vec::new();
    let mut fields: BTreeMap<String, Value> = BTreeMap::new();
    for asked in &act.fields {
        let kind = match asked.kind {
            FieldType::Text => Kind::Text,
            FieldType::Bool => Kind::Bool,
            FieldType::Count => Kind::Count,
            FieldType::Money => Kind::Money,
            FieldType::Date => Kind::Date,
            FieldType::Code => Kind::Code,
        };
        let options: Vec<String> = asked.codes.iter().map(|code| code.id.clone()).collect();
        let field = name(act, &asked.id);
        match read_answer(kind, &options, visit.form.get(&field)) {
            Ok(Some(value)) => {
                fields.insert(asked.id.clone(), value);
            }
            Ok(None) => {}
            Err(not) => wrong.push(fault(field, words::sentence(visit.lang, &not.to_string()))),
        }
    }
    let from_field = name(act, "from");
    let from = match visit.form.some(&from_field).map(str::parse::<Month>) {
        None => None,
        Some(Ok(month)) => Some(month),
        Some(Err(not)) => {
            wrong.push(fault(
                from_field,
                words::sentence(visit.lang, &not.to_string()),
            ));
            None
        }
    };
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let own = visit.actor();
    let participants = visit
        .form
        .all(&name(act, "participants"))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(|name| Participant {
            name: name.to_owned(),
            officer: (name == own.name).then_some(own.officer),
        })
        .collect();
    Ok(ActInput {
        expected_version: visit.form.get("version").parse().unwrap_or(-1),
        opinion: visit.form.get(&name(act, "opinion")).to_owned(),
        participants,
        fields,
        grounds: visit
            .form
            .all(&name(act, "grounds"))
            .map(str::to_owned)
            .collect(),
        items: visit
            .form
            .get(&name(act, "items"))
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect(),
        said: visit.form.get(&name(act, "said")).to_owned(),
        contact: visit.form.some(&name(act, "contact")).map(str::to_owned),
        from,
    })
}

/// Which field of the act's form a refusal is about.
fn field_of(act: &Act, refused: &Refused) -> String {
    let labelled = |label: &str| {
        act.fields
            .iter()
            .find(|field| field.zh == label || field.id == label)
            .map_or_else(String::new, |field| name(act, &field.id))
    };
    match refused {
        Refused::OpinionMissing => name(act, "opinion"),
        Refused::ParticipantTwice(_)
        | Refused::ParticipantUnnamed
        | Refused::TooFewParticipants { .. } => name(act, "participants"),
        Refused::FieldMissing(field) | Refused::FieldWrong(field) => labelled(field),
        Refused::NotRecorded { field, .. } => labelled(field),
        Refused::NothingSaid => name(act, "said"),
        Refused::GroundMissing | Refused::GroundUnknown(_) => name(act, "grounds"),
        Refused::NothingAsked => name(act, "items"),
        _ => String::new(),
    }
}

/// `POST /cases/{id}/acts/{act}` (办理).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn post(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let id: CaseId = visit.id("id")?;
    let scope = visit.scope(Purpose::Review)?;
    let desk = &visit.app.desk;
    let seen = super::case::view(visit, id).await?;
    let act = desk
        .procedure(&seen.case.programme)
        .and_then(|procedure| procedure.act(visit.part("act")))
        .ok_or(Problem::NotFound)?;
    let input = match typed(visit, act) {
        Ok(input) => input,
        Err(wrong) => return super::case::page(visit, &seen, &wrong).await,
    };
    let mut tx = visit.app.db.begin().await?;
    match casework::act(&mut tx, &scope, desk, id, &act.id, input).await? {
        Ok(_) => {
            tx.commit().await?;
            visit.go(&format!("/cases/{id}?done={}", act.id))
        }
        Err(Refused::NotThere) => Err(Problem::NotFound),
        Err(refused) => {
            tx.rollback().await?;
            let wrong = [fault(
                field_of(act, &refused),
                lang.pick(&refused.to_string(), &refused.en()),
            )];
            super::case::page(visit, &seen, &wrong).await
        }
    }
}
