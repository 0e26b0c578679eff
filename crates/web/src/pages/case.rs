//! One case (办件): one screen to decide from: verdict, conditions with article and source, what can be done now, the
//! clocks, papers, and what happened. Opening it stands in the journal.

use super::acts::{self, Offered};
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::timeline::{Moment, timeline};
use crate::parts::{answer, format, mark, piece, reasons};
use crate::problem::{Answer, Problem};
use crate::visit::{Visit, inline};
use access::{Permission, Purpose};
use casework::case::ClockShown;
use casework::evidence::NewEvidence;
use casework::letter;
use casework::view::CaseView;
use maud::{Markup, PreEscaped, html};
use uuid::Uuid;
use vocab::Value;
use vocab::ids::{CaseId, PersonId};

/// A case with the names its page needs.
pub(crate) struct Seen {
    pub case: casework::Case,
    pub view: CaseView,
    pub members: Vec<(PersonId, String)>,
}

/// Reads a case for its page.
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub(crate) async fn view(visit: &Visit, id: CaseId) -> Result<Seen, Problem> {
    let scope = visit.scope_for(Permission::SeeCases, Purpose::Review)?;
    let db = &visit.app.db;
    let view = casework::view::case(db, &scope, &visit.app.desk, id)
        .await?
        .ok_or(Problem::NotFound)?;
    let rows = registry::people::rows(db, &scope, &view.members).await?;
    let members = view
        .members
        .iter()
        .map(|id| {
            let name = rows
                .iter()
                .find(|row| row.id == *id)
                .map_or_else(String::new, |row| access::mask_name(&row.name));
            (*id, name)
        })
        .collect();
    Ok(Seen {
        case: view.row.case.clone(),
        view,
        members,
    })
}

/// `GET /cases/{id}` (办件).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn show(visit: &Visit) -> Answer {
    let seen = view(visit, visit.id("id")?).await?;
    page(visit, &seen, &[]).await
}

/// The page of a case, with the faults of whichever form was sent.
pub(crate) async fn page(visit: &Visit, seen: &Seen, errors: &[FieldError]) -> Answer {
    let lang = visit.lang;
    let (case, view) = (&seen.case, &seen.view);
    let names: Vec<String> = seen.members.iter().map(|(_, name)| name.clone()).collect();
    let offers: Vec<Offered<'_>> = view
        .acts
        .iter()
        .map(|offer| Offered {
            act: &offer.act,
            hindrances: &offer.hindrances,
        })
        .collect();
    let determination = view.stored.as_ref().or(view.now.as_ref());
    let findings = super::findings::brief(visit, seen).await?;
    let people = super::consents::everybody(visit, seen).await?;
    let scope = visit.scope(Purpose::Review)?;
    let asked = casework::life_event::list::month_asked(&visit.app.db, &scope, case.id).await?;
    let body = html! {
        (head(visit, seen))
        @if let Some(determination) = determination { (reasons::verdict(lang, determination)) }
        (drifted(visit, view))
        div.columns {
            div {
                @if let Some(determination) = determination {
                    (piece::section(visit.t("条件"), &html! {
                        (reasons::conditions(visit, determination, &names))
                        p { a href=(format!("/cases/{}/why", case.id)) { (visit.t("为什么：看计算过程和采用的事实")) } }
                    }))
                }
                @if visit.can(Permission::ActOnCases) {
                    div #do { (piece::section(visit.t("办理"), &acts::all(visit, case, &offers, asked, errors))) }
                }
                (objections(visit, view))
                (piece::section(visit.t("时间线"), &moments(visit, view)))
            }
            div.aside {
                (piece::section(visit.t("时限"), &clocks(visit, view)))
                (findings)
                (papers(visit, seen, errors))
                (super::consents::section(visit, seen, &people, errors))
                (letters(visit, view))
                (piece::section(visit.t("申请"), &application(visit, view)))
            }
        }
    };
    let next = view
        .acts
        .iter()
        .find(|offer| offer.hindrances.is_empty())
        .filter(|_| visit.can(Permission::ActOnCases));
    let acts = html! {
        @if let Some(next) = next {
            a.button.primary href="#do" {
                (lang.f("下一步：{act}", &[("act", &lang.pick(&next.act.zh, &next.act.en))]))
            }
        }
        a.button href=(format!("/households/{}", case.household)) { (visit.t("打开家庭")) }
        a.button href=(format!("/cases/{}/receipt", case.id)) { (visit.t("回执")) }
        a.button href=(format!("/cases/{}/messages", case.id)) { (visit.t("告知消息")) }
    };
    let title = format!(
        "{} {}",
        case.number,
        lang.pick(&view.row.programme_zh, &view.row.programme_en)
    );
    Ok(visit
        .page(title)
        .nav("/cases")
        .wide()
        .acts(acts)
        .note(done(visit, seen))
        .errors(errors)
        .show(&body))
}

/// What was just done, in words.
fn done(visit: &Visit, seen: &Seen) -> Option<Markup> {
    let lang = visit.lang;
    match visit.query.get("done") {
        "" => None,
        "submitted" => Some(html! { (visit.t("申请已提交。请把回执交给申请人。")) }),
        "evidence" => Some(html! { (visit.t("材料已上传。")) }),
        "authorised" => Some(html! { (visit.t("授权已登记。")) }),
        "withdrawn" => Some(html! { (visit.t("授权已撤回，从今天起不再凭它核对。")) }),
        act => {
            let step = seen
                .view
                .timeline
                .iter()
                .rev()
                .find(|step| step.act == act)?;
            Some(html! { (lang.f("已办：{act}。", &[("act", &lang.pick(&step.zh, &step.en))])) })
        }
    }
}

/// In one glance: whose, where, in which state, until when.
fn head(visit: &Visit, seen: &Seen) -> Markup {
    let lang = visit.lang;
    let row = &seen.view.row;
    let case = &seen.case;
    piece::facts(&[
        (
            visit.t("申请人").to_owned(),
            html! { (case.subject_masked) " " (lang.f("{count} 人", &[("count", &case.member_count)])) },
        ),
        (
            visit.t("社区").to_owned(),
            html! { (visit.place(case.region)) },
        ),
        (
            visit.t("状态").to_owned(),
            html! { strong { (lang.pick(&row.state_zh, &row.state_en)) } @if case.sampled { " " (piece::tag(visit.t("抽查"))) } },
        ),
        (
            visit.t("时限").to_owned(),
            html! {
                (mark::light(lang, row.light, row.days_left))
                @if let Some(due) = case.due_on { " " (format::date_long(lang, due)) }
                @if case.provisional { " " (super::todo::provisional(visit)) }
            },
        ),
    ])
}

/// Today's answer of the rule book where it differs from the stored one.
fn drifted(visit: &Visit, view: &CaseView) -> Markup {
    let (Some(stored), Some(now)) = (&view.stored, &view.now) else {
        return html! {};
    };
    if stored.outcome == now.outcome && stored.amount == now.amount {
        return html! {};
    }
    html! {
        div.note.warn {
            (visit.t("按今天的事实和规则复算，结果不同：")) " " (mark::outcome(visit.lang, now.outcome))
            @if let Some(amount) = now.amount { " " (mark::amount(visit.lang, amount, now.every)) }
        }
    }
}

fn clocks(visit: &Visit, view: &CaseView) -> Markup {
    let lang = visit.lang;
    let one = |clock: &ClockShown| {
        let used = clock
            .left
            .map(|left| (clock.total - left).clamp(0, clock.total));
        html! {
            li {
                div.head {
                    strong { (lang.pick(&clock.zh, &clock.en)) }
                    @if let Some(stopped) = clock.stopped_on {
                        span.quiet { (lang.f("{date} 办结", &[("date", &format::date(stopped))])) }
                    } @else {
                        (mark::light(lang, clock.light, clock.left))
                    }
                }
                @if clock.stopped_on.is_none() {
                    @if let (Some(used), Ok(total)) = (used, u64::try_from(clock.total)) {
                        (piece::progress(lang, u64::try_from(used).unwrap_or(0), total))
                    }
                    p.quiet {
                        @if let Some(due) = clock.due_on { (lang.f("到期日 {date}", &[("date", &format::date_long(lang, due))])) }
                        @if let Some(from) = clock.paused_from { " " (lang.f("{date} 起不计时", &[("date", &format::date(from))])) }
                        @if clock.extended { " " (piece::tag(visit.t("已延长"))) }
                        @if let Some(year) = clock.missing_year {
                            " " (lang.f("{year} 年放假安排未公布，暂定", &[("year", &year)]))
                        }
                        " " (clock.article)
                    }
                }
            }
        }
    };
    if view.clocks.is_empty() {
        return html! { p.quiet { (visit.t("没有在计的时限。")) } };
    }
    html! { ul.answers { @for clock in &view.clocks { (one(clock)) } } }
}

fn papers(visit: &Visit, seen: &Seen, errors: &[FieldError]) -> Markup {
    let lang = visit.lang;
    let kinds: Vec<(String, String)> = visit
        .app
        .desk
        .procedure(&seen.case.programme)
        .map(|procedure| {
            procedure
                .evidence
                .iter()
                .map(|kind| (kind.id.clone(), lang.pick(&kind.zh, &kind.en).to_owned()))
                .collect()
        })
        .unwrap_or_default();
    let mine = errors.iter().any(|error| error.field.starts_with("paper"));
    piece::section(
        visit.t("材料"),
        &html! {
            @if seen.view.evidence.is_empty() { p.quiet { (visit.t("还没有材料。")) } }
            ul.answers {
                @for paper in &seen.view.evidence {
                    li {
                        div.head {
                            @if visit.can(Permission::SeePapers) {
                                a href=(format!("/evidence/{}", paper.id)) { (lang.pick(&paper.zh, &paper.en)) }
                            } @else { (lang.pick(&paper.zh, &paper.en)) }
                            span.quiet { (format::size(paper.size)) }
                        }
                        p.quiet { (paper.name) " " (paper.note) " " (paper.officer) " " (format::instant(paper.at)) }
                    }
                }
            }
            @if visit.can(Permission::AddPapers) && !kinds.is_empty() {
                details.act-form open[mine] {
                    summary { (visit.t("上传材料")) }
                    form method="post" action=(format!("/cases/{}/evidence", seen.case.id)) enctype="multipart/form-data" {
                        (form::token(visit))
                        (field(lang, "paper_kind", visit.t("哪种材料")).value(visit.form.get("paper_kind")).errors(errors).select(&kinds))
                        (field(lang, "paper_file", visit.t("照片或扫描件")).errors(errors).file("image/*,application/pdf"))
                        (field(lang, "paper_note", visit.t("说明")).optional().value(visit.form.get("paper_note")).text())
                        (form::lesser(visit.t("上传材料")))
                    }
                }
            }
        },
    )
}

fn letters(visit: &Visit, view: &CaseView) -> Markup {
    if view.letters.is_empty() {
        return html! {};
    }
    piece::section(
        visit.t("文书"),
        &html! {
            ul.answers {
                @for one in &view.letters {
                    li {
                        div.head {
                            a href=(format!("/letters/{}", one.id)) target="_blank" rel="noopener" {
                                (letter_name(visit.lang, &one.kind)) " PDF"
                            }
                            span.quiet { (format::date(one.issued_on)) }
                        }
                    }
                }
            }
        },
    )
}

/// The name of a kind of letter; a pack may bring kinds of its own, which are shown by their word.
pub(super) fn letter_name(lang: crate::locale::Lang, kind: &str) -> String {
    match kind {
        "granted" | "grant" => lang.t("批准通知书").to_owned(),
        "refused" | "refusal" => lang.t("不予批准通知书").to_owned(),
        "receipt" => lang.t("回执").to_owned(),
        "supplement" | "request" | "correction" => lang.t("一次性告知书").to_owned(),
        "changed" | "change" => lang.t("变更通知书").to_owned(),
        "stopped" | "stop" => lang.t("停发通知书").to_owned(),
        "suspended" | "suspend" => lang.t("暂停通知书").to_owned(),
        "appeal_upheld" => lang.t("申诉答复书（维持原决定）").to_owned(),
        "appeal_changed" => lang.t("申诉答复书（改变原决定）").to_owned(),
        other => other.to_owned(),
    }
}

fn application(visit: &Visit, view: &CaseView) -> Markup {
    let application = &view.application;
    piece::facts(&[
        (
            visit.t("提交日期").to_owned(),
            html! { (format::date(application.submitted_on)) },
        ),
        (
            visit.t("回执码").to_owned(),
            html! { code { (application.receipt_code) } },
        ),
        (
            visit.t("代办").to_owned(),
            html! {
                @if application.agent.is_some() {
                    (visit.t("有")) " " (application.agent_relation.as_deref().unwrap_or(""))
                } @else { (visit.t("没有")) }
            },
        ),
    ])
}

fn objections(visit: &Visit, view: &CaseView) -> Markup {
    if view.notices.is_empty() && view.objections.is_empty() {
        return html! {};
    }
    let lang = visit.lang;
    piece::section(
        visit.t("公示与异议"),
        &html! {
            ul.answers {
                @for notice in &view.notices {
                    li {
                        (lang.f("公示 {from} 至 {until}，{place}", &[
                            ("from", &format::date(notice.posted_on)), ("until", &format::date(notice.ends_on)),
                            ("place", &notice.place_zh),
                        ]))
                    }
                }
                @for objection in &view.objections {
                    li {
                        div.head {
                            strong { (visit.t("异议")) } span.quiet { (format::instant(objection.at)) }
                        }
                        p { (objection.said) }
                        @if let Some(contact) = &objection.contact { p.quiet { (visit.t("联系方式")) " " (contact) } }
                        @if let Some(settlement) = &objection.settlement { p { (visit.t("处理结果：")) (settlement) } }
                        @else { (piece::tag(visit.t("待处理"))) }
                    }
                }
            }
        },
    )
}

fn moments(visit: &Visit, view: &CaseView) -> Markup {
    let lang = visit.lang;
    let procedure = visit.app.desk.procedure(&view.row.case.programme);
    let moments: Vec<Moment> = view
        .timeline
        .iter()
        .rev()
        .map(|step| {
            let act = procedure.and_then(|procedure| procedure.act(&step.act));
            let field = |id: &str, value: &Value| {
                let known = act.and_then(|act| act.fields.iter().find(|field| field.id == id));
                // A finding of another department is told by the name of its fact.
                if let Some(def) = visit.app.desk.book.fact(id).filter(|_| known.is_none()) {
                    let asked = answer::Asked::of(lang, def);
                    return format!("{}：{}", asked.label, answer::shown_at(visit, &asked, value));
                }
                let label = known.map_or(id, |field| lang.pick(&field.zh, &field.en)).to_owned();
                let code = match value {
                    Value::Text(code) => known
                        .and_then(|field| field.codes.iter().find(|known| known.id == *code))
                        .map(|code| lang.pick(&code.zh, &code.en).to_owned()),
                    _ => None,
                };
                let asked = answer::Asked {
                    label: label.clone(),
                    hint: None,
                    kind: known.map_or(policy::Kind::Text, |field| match field.kind {
                        casework::procedure::FieldType::Money => policy::Kind::Money,
                        _ => policy::Kind::Text,
                    }),
                    options: Vec::new(),
                };
                format!("{label}：{}", code.unwrap_or_else(|| answer::shown(lang, &asked, value)))
            };
            let input = &step.input;
            let people: Vec<&str> = input.participants.iter().map(|one| one.name.as_str()).collect();
            Moment {
                at: step.at,
                what: lang.pick(&step.zh, &step.en).to_owned(),
                who: step.officer.clone(),
                more: html! {
                    @if !step.opinion.is_empty() { blockquote { (step.opinion) } }
                    @if !people.is_empty() { div.quiet { (visit.t("参加：")) (people.join(visit.t("、"))) } }
                    @for (id, value) in &input.fields { div.quiet { (field(id, value)) } }
                    @for item in &input.items { div.quiet { "· " (item) } }
                },
            }
        })
        .collect();
    timeline(lang, &moments)
}

/// `GET /cases/{id}/why` (为什么): the whole working, and whether the stored decision replays to the same bytes.
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn why(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let id: CaseId = visit.id("id")?;
    let seen = view(visit, id).await?;
    let names: Vec<String> = seen.members.iter().map(|(_, name)| name.clone()).collect();
    let scope = visit.scope(Purpose::Review)?;
    let body = match seen.view.stored.as_ref().or(seen.view.now.as_ref()) {
        None => piece::empty(visit.t("这个办件还没有测算。"), &html! {}),
        Some(determination) => {
            let replay = if seen.view.stored.is_some() {
                casework::explain_by(&visit.app.db, &scope, &visit.app.shelf, id).await?
            } else {
                None
            };
            html! {
                (reasons::verdict(lang, determination))
                @match &replay {
                    Some(replay) if replay.identical => div.note { (visit.t("已复算：用当时的事实和规则重新计算，结果逐字节一致。")) },
                    Some(replay) => div.note.warn {
                        (visit.t("复算结果与存档不同："))
                        ul { @for difference in &replay.differences { li { code { (difference.at) } ": " (difference.stored) " → " (difference.now) } } }
                    },
                    None => div.note.warn { (visit.t("这是按今天的事实测算的，还没有存档。")) },
                }
                (piece::section(visit.t("条件"), &reasons::conditions(visit, determination, &names)))
                (reasons::working(visit, determination, &names))
            }
        }
    };
    let title = lang.f("为什么：{number}", &[("number", &seen.case.number)]);
    Ok(visit
        .page(title)
        .nav("/cases")
        .wide()
        .back(format!("/cases/{id}"), seen.case.number.clone())
        .show(&body))
}

/// `POST /cases/{id}/evidence` (上传材料).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn attach(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let id: CaseId = visit.id("id")?;
    let scope = visit.scope(Purpose::Review)?;
    let seen = view(visit, id).await?;
    let Some(upload) = visit.files.iter().find(|file| file.field == "paper_file") else {
        return page(
            visit,
            &seen,
            &[fault("paper_file", visit.t("请选择要上传的文件"))],
        )
        .await;
    };
    let Some(media) = super::facts::media_type(&upload.bytes) else {
        let wrong = fault(
            "paper_file",
            visit.t("只收照片（JPG、PNG）和 PDF；请重新选择文件"),
        );
        return page(visit, &seen, &[wrong]).await;
    };
    let new = NewEvidence {
        kind: visit.form.get("paper_kind").to_owned(),
        name: upload.name.clone(),
        media: media.to_owned(),
        bytes: upload.bytes.to_vec(),
        note: visit.form.get("paper_note").to_owned(),
    };
    let mut tx = visit.app.db.begin().await?;
    match casework::evidence::attach(&mut tx, &scope, &visit.app.desk, id, new).await? {
        Ok(_) => {
            tx.commit().await?;
            visit.go(&format!("/cases/{id}?done=evidence"))
        }
        Err(casework::evidence::Refused::NotThere) => Err(Problem::NotFound),
        Err(refused) => {
            tx.rollback().await?;
            let field = match refused {
                casework::evidence::Refused::UnknownKind(_) => "paper_kind",
                _ => "paper_file",
            };
            let wrong = [fault(field, lang.pick(&refused.to_string(), &refused.en()))];
            page(visit, &seen, &wrong).await
        }
    }
}

/// `GET /evidence/{id}` (查看材料).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn evidence(visit: &Visit) -> Answer {
    let id: Uuid = visit.id("id")?;
    let scope = visit.scope(Purpose::Review)?;
    let (paper, bytes) = casework::evidence::read(&visit.app.db, &scope, &visit.app.desk, id)
        .await?
        .ok_or(Problem::NotFound)?;
    let kind = match paper.media.as_str() {
        "image/jpeg" => "image/jpeg",
        "image/png" => "image/png",
        "application/pdf" => "application/pdf",
        _ => "application/octet-stream",
    };
    Ok(inline(&paper.name, kind, bytes))
}

/// `GET /letters/{id}` (文书 PDF).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn letter(visit: &Visit) -> Answer {
    let id: Uuid = visit.id("id")?;
    let scope = visit.scope(Purpose::Review)?;
    let lang = super::letters::language(visit.lang);
    let base = visit.app.config.base_url.clone();
    let bytes = letter::pdf(&visit.app.db, &scope, &visit.app.desk, id, lang, &base)
        .await?
        .ok_or(Problem::NotFound)?;
    Ok(inline("letter.pdf", "application/pdf", bytes))
}

/// `GET /cases/{id}/receipt` (申请回执): all cases of one application, with the code to ask for its progress.
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn receipt(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let seen = view(visit, visit.id("id")?).await?;
    let application = &seen.view.application;
    let cases: Vec<casework::CaseRow> = super::cases::of_household(visit, seen.case.household)
        .await?
        .into_iter()
        .filter(|row| row.case.application == seen.case.application)
        .collect();
    let base = visit.app.config.base_url.trim_end_matches('/');
    let link = format!("{base}/progress/{}", application.receipt_code);
    let body = html! {
        div.card {
            h2 { (visit.t("回执码")) }
            p.lead { code { (application.receipt_code) } }
            div.qr { (PreEscaped(papers::qr_svg(&link)?)) }
            p { (visit.t("凭回执码和手机后四位，在网上或窗口查进度。")) }
            p.quiet { (lang.f("提交日期 {date}", &[("date", &format::date_long(lang, application.submitted_on))])) }
        }
        (piece::section(visit.t("这次申请的办件"), &super::cases::short_list(visit, &cases)))
    };
    let note = (visit.query.get("done") == "submitted")
        .then(|| html! { (visit.t("申请已提交。请把回执交给申请人。")) });
    Ok(visit
        .page(visit.t("申请回执"))
        .nav("/cases")
        .note(note)
        .show(&body))
}
