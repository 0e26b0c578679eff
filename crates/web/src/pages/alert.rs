//! One alert (预警详情): both sides beside each other, the article, what to do next; the department's own rows for whoever may see
//! them and says why; found to be all right, or handed over to the case.
//!
//! Guarantees: an alert outside the officer's area does not exist; looking at rows is journalled like revealing a number; what
//! was typed is kept beside a refusal. Deliberately absent: stopping money.

use super::alerts::{left, programmes, rules, severity, state, title};
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, piece};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose, Scope};
use casework::review::{self, Call};
use maud::{Markup, html};
use std::sync::Arc;
use uuid::Uuid;
use verify::alert::list::Happened;
use verify::alert::rules::{Compares, When};
use verify::alert::{self, Alert, Refused, Rule};
use verify::part::Evidence;
use verify::{Landed, Person, Unknown};
use vocab::ids::CaseId;

/// `GET /alerts/{id}` (预警详情); the look is journalled.
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, None, &[]).await
}

/// The rows shown, or why there are none to show.
type Shown<'a> = Option<Result<&'a [Evidence], &'a Unknown>>;

async fn page(visit: &Visit, rows: Shown<'_>, errors: &[FieldError]) -> Answer {
    let scope = visit.scope_for(Permission::SeeCases, Purpose::Review)?;
    let db = &visit.app.db;
    let (one, events) = alert::view(db, &scope, visit.id("id")?)
        .await?
        .ok_or(Problem::NotFound)?;
    let rules = rules(visit)?;
    let case = case_of(visit, &scope, &one).await?;
    let people = registry::people::rows(db, &scope, &one.sides.people).await?;
    let body = html! {
        (piece::section(visit.t("两边怎么说"), &sides(visit, &one, rules.get(&one.rule))?))
        @if people.len() > 1 {
            (piece::section(visit.t("涉及的人"), &html! {
                ul.plain-list { @for person in &people {
                    li { a href=(format!("/people/{}", person.id)) { (access::mask_name(&person.name)) } " " span.masked { (person.document_masked) } " " span.quiet { (visit.place(person.lives_in)) } }
                } }
            }))
        }
        @if let Some(rule) = rules.get(&one.rule) {
            (piece::section(visit.t("下一步"), &html! {
                p { (visit.lang.pick(&rule.next.0, &rule.next.1)) }
                p.quiet { (visit.t("依据：")) (rule.basis) }
            }))
        }
        @if one.state.is_open() && visit.can(Permission::ActOnCases) { (next(visit, &one, case.is_some() && one.state == alert::State::Open, errors)) }
        (evidence(visit, &one, rows, errors)?)
        (piece::section(visit.t("经过"), &happened(visit, &events)))
    };
    let note = match visit.query.get("done") {
        "dismissed" => Some(html! { (visit.t("已记为核实无误。同样的情况不会再次预警。")) }),
        "handed_over" => Some(
            html! { (visit.t("已转办件复核，核查待办已发给经办岗位，核实到的情况记在办件时间线上。")) },
        ),
        _ => None,
    };
    let acts = html! {
        @if let Some(household) = one.household {
            a.button href=(format!("/households/{household}")) { (visit.t("打开家庭")) }
        } @else {
            a.button href=(format!("/people/{}", one.person)) { (visit.t("打开人员")) }
        }
        @if let Some(case) = case { a.button href=(format!("/cases/{case}")) { (visit.t("在发的办件")) } }
    };
    Ok(visit
        .page(format!(
            "{} · {}",
            one.subject,
            title(visit, &rules, &one.rule)
        ))
        .nav("/alerts")
        .back("/alerts", visit.t("预警"))
        .acts(acts)
        .note(note)
        .errors(errors)
        .show(&body))
}

/// The case the payment rests on.
async fn case_of(visit: &Visit, scope: &Scope, one: &Alert) -> anyhow::Result<Option<CaseId>> {
    let db = &visit.app.db;
    match ledger::entitlement(db.conn(), scope, one.entitlement).await? {
        Some(right) => casework::view::by_decision(db, scope, right.decision).await,
        None => Ok(None),
    }
}

/// Whether a rule sets a figure against the register.
fn compares_fact(rule: Option<&Rule>) -> bool {
    let compares = rule.map(|rule| &rule.compares);
    matches!(
        compares,
        Some(Compares::Figure {
            when: When::MoreThanKnown { .. } | When::DiffersFromKnown { .. },
            ..
        })
    )
}

/// What is paid, what the register says, what the other side says.
fn sides(visit: &Visit, one: &Alert, rule: Option<&Rule>) -> anyhow::Result<Markup> {
    let lang = visit.lang;
    let said = &one.sides;
    let mut pairs = vec![(
        visit.t("在发事项").to_owned(),
        html! { (programmes(visit, one)) " " (format::money(lang, said.paid)) " " span.quiet { (lang.f("每月，自 {month} 起", &[("month", &said.from)])) } },
    )];
    if let Some((id, figure, day)) = &said.source {
        let is_about_all = figure.is_empty();
        let landed = landed(visit)?;
        let source = landed.as_ref().and_then(|landed| landed.sources().get(id));
        let named = source.map_or_else(String::new, |source| {
            lang.pick(&source.zh, &source.en).to_owned()
        });
        let figure = source.and_then(|source| {
            let def = source.figures.iter().find(|def| def.id == *figure)?;
            Some(lang.pick(&def.zh, &def.en).to_owned())
        });
        let by = source.map_or("—", |source| source.department.as_str());
        // A name that is gone from the rules since changes nothing of what was said then.
        let named = if named.is_empty() { id.clone() } else { named };
        pairs.push((
            lang.f(
                "{source}（{by}，{day}）",
                &[
                    ("source", &named),
                    ("by", &by),
                    ("day", &format::date(*day)),
                ],
            ),
            html! {
                @match &said.said {
                    Some(value) => { @if let Some(figure) = figure { (figure) " " } strong { (value) } },
                    None if is_about_all => strong { (visit.t("查不到这一户的任何人")) },
                    None => span.quiet { (visit.t("当时没有记下内容")) },
                }
            },
        ));
        if said.known.is_some() || compares_fact(rule) {
            pairs.push((
                visit.t("登记的事实").to_owned(),
                html! { @match &said.known { Some(known) => (known), None => span.quiet { (visit.t("没有登记")) } } },
            ));
        }
    }
    if let Some(settled) = said.settled {
        pairs.push((
            visit.t("账上当月已到账").to_owned(),
            html! { (format::money(lang, settled)) },
        ));
    }
    pairs.extend([
        (
            visit.t("严重程度").to_owned(),
            html! { (severity(visit, one.severity)) },
        ),
        (visit.t("社区").to_owned(), html! { (visit.place(one.region)) }),
        (
            visit.t("发现日期").to_owned(),
            html! { (format::date(one.found_on)) " " span.quiet { (lang.f("最近 {day} 仍在", &[("day", &format::date(one.seen_on))])) } },
        ),
        (
            visit.t("答复期限").to_owned(),
            html! { (format::date(one.due_on)) " " @if one.state.is_open() { span.quiet { (left(visit, one)) } } },
        ),
        (
            visit.t("状态").to_owned(),
            html! { strong { (state(visit, one.state)) } " " span.quiet { (one.state_by) " " (format::instant(one.state_at)) } },
        ),
    ]);
    if !one.note.is_empty() {
        pairs.push((visit.t("核实情况").to_owned(), html! { (one.note) }));
    }
    Ok(piece::facts(&pairs))
}

fn landed(visit: &Visit) -> anyhow::Result<Option<Arc<Landed>>> {
    let at_hand = visit.app.landed.as_ref();
    at_hand.map(|one| one.now(&visit.app.desk.book)).transpose()
}

fn happened(visit: &Visit, events: &[Happened]) -> Markup {
    html! {
        ul.plain-list { @for one in events {
            li {
                (format::instant(one.at)) " "
                (match alert::State::from_word(&one.act) { Some(word) => state(visit, word), None => visit.t("发现") })
                " " span.quiet { (one.by) } " " (one.note)
            }
        } }
    }
}

fn next(visit: &Visit, one: &Alert, has_case: bool, errors: &[FieldError]) -> Markup {
    let lang = visit.lang;
    let wrong = |name: &str| errors.iter().any(|error| error.field == name);
    let typed = |name: &str| visit.form.get(name).to_owned();
    html! {
        @if has_case {
            details.act-form open[wrong("grounds")] {
                summary { (visit.t("转办件复核")) }
                form method="post" action=(format!("/alerts/{}/hand-over", one.id)) {
                    (form::token(visit))
                    (field(lang, "grounds", visit.t("核实到的情况")).value(&typed("grounds")).errors(errors).area(3))
                    (form::act(visit.t("转办件复核")))
                }
            }
        }
        details.act-form open[wrong("why")] {
            summary { (visit.t("核实无误，不再预警")) }
            form method="post" action=(format!("/alerts/{}/dismiss", one.id)) {
                (form::token(visit))
                (field(lang, "why", visit.t("核实的情况和依据")).value(&typed("why")).errors(errors).area(3))
                (form::act(visit.t("记为核实无误")))
            }
        }
    }
}

/// The rows the department sent: asked for with a reason, or shown.
fn evidence(
    visit: &Visit,
    one: &Alert,
    rows: Shown<'_>,
    errors: &[FieldError],
) -> anyhow::Result<Markup> {
    let lang = visit.lang;
    let Some((source, ..)) = one
        .sides
        .source
        .as_ref()
        .filter(|(_, figure, _)| !figure.is_empty())
    else {
        return Ok(html! {});
    };
    if let Some(rows) = rows {
        let landed = landed(visit)?;
        let source = landed
            .as_ref()
            .and_then(|landed| landed.sources().get(source));
        let heading = |id: &str| {
            let at = source.and_then(|source| source.column(id).map(|at| &source.columns[at]));
            at.and_then(|column| column.headings.first().cloned())
                .unwrap_or_else(|| id.to_owned())
        };
        return Ok(piece::section(
            visit.t("部门送来的记录"),
            &html! {
                @match rows {
                    Err(why) => p { (lang.pick(&why.zh(), &why.en())) },
                    Ok([]) => p { (visit.t("这份数据里没有此人的记录。")) },
                    Ok(_) => {},
                }
                @for row in rows.unwrap_or_default() {
                    (piece::facts(&row.texts.iter().filter(|(_, text)| !text.is_empty()).map(|(id, text)| (heading(id), html! { (text) })).collect::<Vec<_>>()))
                }
            },
        ));
    }
    if !visit.can(Permission::RevealPeople) {
        return Ok(html! {});
    }
    Ok(html! {
        details.act-form open[errors.iter().any(|error| error.field == "purpose")] {
            summary { (visit.t("调阅部门送来的记录")) }
            form.narrow method="post" action=(format!("/alerts/{}/evidence", one.id)) {
                (form::token(visit))
                p.quiet { (visit.t("请写明事由。调阅会记入日志。")) }
                (field(lang, "purpose", visit.t("事由")).value(visit.form.get("purpose")).errors(errors).text())
                (form::lesser(visit.t("调阅")))
            }
        }
    })
}

/// `POST /alerts/{id}/evidence` (调阅部门记录): the rows of the delivery that raised it, journalled like a revealed number.
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn reveal(visit: &Visit) -> Answer {
    let purpose = visit.form.get("purpose");
    let scope = visit.scope(Purpose::Enquiry(purpose.to_owned()))?;
    let db = &visit.app.db;
    let (one, _) = alert::view(db, &scope, visit.id("id")?)
        .await?
        .ok_or(Problem::NotFound)?;
    // Whether there is anything to show is looked at before a number is opened for it.
    let cannot = |why: &Unknown| {
        let sentence = visit.lang.pick(&why.zh(), &why.en()).to_owned();
        [fault("purpose", sentence)]
    };
    let (Some((source, _, day)), Some(landed)) = (one.sides.source, landed(visit)?) else {
        return page(visit, None, &cannot(&Unknown::NotLanded)).await;
    };
    if let Err(why) = landed.records(&source, day) {
        return page(visit, None, &cannot(&why)).await;
    }
    let mut tx = db.begin().await?;
    let clear = match registry::people::reveal(&mut tx, &scope, one.person, purpose).await? {
        Ok(clear) => clear,
        Err(registry::people::RevealRefused::NotFound) => return Err(Problem::NotFound),
        Err(refused) => {
            tx.rollback().await?;
            let sentence = words::sentence(visit.lang, &refused.to_string());
            return page(visit, None, &[fault("purpose", sentence)]).await;
        }
    };
    tx.commit().await?;
    let person = Person {
        id_no: clear.document_number,
        name: clear.name,
    };
    let looking = move || match landed.records(&source, day) {
        Ok(records) => records.of(&person),
        Err(why) => Ok(Err(why)),
    };
    let rows = tokio::task::spawn_blocking(looking)
        .await
        .map_err(anyhow::Error::from)??;
    page(visit, Some(rows.as_deref()), &[]).await
}

/// `POST /alerts/{id}/dismiss` (核实无误).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn dismiss(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let id: Uuid = visit.id("id")?;
    let mut tx = visit.app.db.begin().await?;
    match alert::dismiss(&mut tx, &scope, id, visit.form.get("why")).await? {
        Ok(()) => {
            tx.commit().await?;
            visit.go(&format!("/alerts/{id}?done=dismissed"))
        }
        Err(refused) => {
            tx.rollback().await?;
            again(visit, refused, "why").await
        }
    }
}

/// `POST /alerts/{id}/hand-over` (转办): the alert is handed over and the case in payment is reviewed before its day, in one.
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn hand_over(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let id: Uuid = visit.id("id")?;
    let (one, _) = alert::view(&visit.app.db, &scope, id)
        .await?
        .ok_or(Problem::NotFound)?;
    let rules = rules(visit)?;
    let nothing_paid = visit.t("没有在发的办件可以复核；请打开家庭或人员核对。");
    let Some(case) = case_of(visit, &scope, &one).await? else {
        return page(visit, None, &[fault("grounds", nothing_paid)]).await;
    };
    let grounds = visit.form.get("grounds");
    let mut tx = visit.app.db.begin().await?;
    let step = alert::hand_over(&mut tx, &scope, id, grounds, Some(case.0)).await?;
    if let Err(refused) = step {
        tx.rollback().await?;
        return again(visit, refused, "grounds").await;
    }
    // Tasks speak Chinese, as the procedures do.
    let what = rules
        .get(&one.rule)
        .map_or(one.rule.as_str(), |rule| rule.wording.0.as_str());
    let call = Call {
        occasion: format!("预警（{what}）"),
        grounds: grounds.to_owned(),
        due_on: one.due_on,
    };
    if review::call(&mut tx, &scope, &visit.app.desk, case, &call)
        .await?
        .is_none()
    {
        tx.rollback().await?;
        return page(visit, None, &[fault("grounds", nothing_paid)]).await;
    }
    tx.commit().await?;
    visit.go(&format!("/alerts/{id}?done=handed_over"))
}

/// The same page with what is wrong beside its field.
async fn again(visit: &Visit, refused: Refused, at: &str) -> Answer {
    match refused {
        Refused::NotThere => Err(Problem::NotFound),
        Refused::Denied(denied) => Err(denied.into()),
        Refused::Closed | Refused::HandedOver | Refused::GroundsMissing => {
            let sentence = words::sentence(visit.lang, &refused.to_string());
            page(visit, None, &[fault(at, sentence)]).await
        }
    }
}
