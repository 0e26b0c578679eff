//! One draft of rules (规则草稿): what it changes, what the check found, and what may be done with it.
//!
//! Guarantees: what the second officer sees here, file by file, is what will be in force. Deliberately absent: writing.

use super::rule_drafts::state;
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{diff, format, piece, proof, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose};
use casework::rulebook::list::{self, Draft, DraftFile};
use casework::rulebook::{self, Proposal, Refused, State, WhatIf};
use maud::{Markup, html};
use store::Tx;
use vocab::Money;
use vocab::ids::RuleDraftId;

async fn found(visit: &Visit) -> Result<(Draft, Vec<DraftFile>), Problem> {
    let scope = visit.scope(Purpose::Review)?;
    list::draft(&visit.app.db, &scope, visit.id("id")?)
        .await?
        .ok_or(Problem::NotFound)
}

/// `GET /rules/drafts/{id}` (规则草稿).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, None, &[]).await
}

async fn page(visit: &Visit, effect: Option<&WhatIf>, errors: &[FieldError]) -> Answer {
    let lang = visit.lang;
    let (draft, files) = found(visit).await?;
    let now = visit.app.shelf.now();
    let title = proof::title(visit, &draft.programme);
    let path = format!("/rules/drafts/{}", draft.id);
    let open = matches!(draft.state, State::Draft | State::Proposed);
    // What people wrote comes first, what was made of it after.
    let written = files.iter().filter(|file| !file.made);
    let made = files.iter().filter(|file| file.made);
    // A closed draft is compared with nothing: what is in force has moved on; the edition shows what it changed.
    let body = html! {
        (piece::section(visit.t("草稿"), &about(visit, &draft)))
        (piece::section(visit.t("检查结果"), &proof::whole(visit, &draft.checked, &|path: &str| {
            files.iter().find(|one| one.path == path).map(|one| one.text.as_str()).or_else(|| now.texts.get(path))
        })))
        @if open { (what_next(visit, &draft, errors)) }
        @if let Some(effect) = effect { (piece::section(visit.t("影响测算"), &effect_table(visit, effect))) }
        @if open {
            @if visit.can(Permission::SeeFigures) { (effect_form(visit, &draft)) }
            @for file in written.chain(made) {
                (piece::section(&file.path, &html! {
                    @if file.made { p.quiet { (visit.t("由检查生成的规则卡；发布即视为审签。")) } }
                    (diff::lines(lang, &file.path, now.texts.get(&file.path).unwrap_or_default(), &file.text))
                }))
            }
        } @else if let Some(number) = draft.edition {
            p { a.button href=(format!("/rules/editions/{number}")) { (visit.t("看发布的版次和差别")) } }
        } @else {
            @for file in files.iter().filter(|file| !file.made) {
                details { summary { code { (file.path) } } pre lang="zh-CN" { (file.text) } }
            }
        }
    };
    let note = match visit.query.get("done") {
        "proposed" => Some(html! { (visit.t("已提请发布。请另一位同事核对差别和办例后发布。")) }),
        "sent-back" => Some(html! { (visit.t("已退回修改。")) }),
        _ => None,
    };
    Ok(visit
        .page(lang.f("规则草稿：{title}", &[("title", &title)]))
        .nav("/rules")
        .back("/rules", visit.t("规则"))
        .back("/rules/drafts", visit.t("规则草稿"))
        .acts(html! {
            @if draft.state == State::Draft && visit.can(Permission::WriteRules) {
                a.button href=(format!("/rules/{}/edit", draft.programme)) { (visit.t("继续修改")) }
            }
            a.button.plain href=(path) { (visit.t("刷新")) }
            (piece::tag(state(visit, draft.state)))
        })
        .note(note)
        .errors(errors)
        .wide()
        .show(&body))
}

fn about(visit: &Visit, draft: &Draft) -> Markup {
    let mut pairs = vec![
        (
            visit.t("事项").to_owned(),
            html! { (proof::title(visit, &draft.programme)) " " code.quiet { (draft.programme) } },
        ),
        (visit.t("起草人").to_owned(), html! { (draft.starter) }),
        (
            visit.t("最近保存").to_owned(),
            html! { (format::instant(draft.saved_at)) },
        ),
    ];
    if let Some(from) = draft.from {
        pairs.push((visit.t("施行日").to_owned(), html! { (format::date(from)) }));
        pairs.push((visit.t("依据").to_owned(), html! { (draft.basis) }));
    }
    if !draft.correction.is_empty() {
        pairs.push((visit.t("更正原因").to_owned(), html! { (draft.correction) }));
    }
    if let Some(at) = draft.proposed_at {
        pairs.push((
            visit.t("提请人").to_owned(),
            html! { (draft.proposer) " " (format::instant(at)) },
        ));
    }
    if !draft.closer.is_empty() {
        pairs.push((visit.t("办结人").to_owned(), html! { (draft.closer) }));
    }
    piece::facts(&pairs)
}

fn what_next(visit: &Visit, draft: &Draft, errors: &[FieldError]) -> Markup {
    let to = |act: &str| format!("/rules/drafts/{}/{act}", draft.id);
    let lang = visit.lang;
    let value = |name: &str, known: &str| {
        let typed = visit.form.get(name);
        if visit.form.has(name) {
            typed.to_owned()
        } else {
            known.to_owned()
        }
    };
    let from = draft.from.unwrap_or_else(|| visit.today());
    let discard = html! {
        form method="post" action=(to("discard")) {
            (form::token(visit))
            button.danger type="submit" { (visit.t("作废草稿")) }
        }
    };
    html! {
        @if draft.state == State::Draft && visit.can(Permission::WriteRules) {
            (piece::section(visit.t("提请发布"), &html! {
                p.quiet { (visit.t("提请时重新检查整个规则库：全部办例、条件覆盖和规则卡。写过草稿的人不能自己发布。")) }
                form method="post" action=(to("propose")) {
                    (form::token(visit))
                    input type="hidden" name="version" value=(draft.version);
                    (field(lang, "from", visit.t("施行日")).value(&value("from", &from.to_string())).errors(errors)
                        .hint(html! { (visit.t("从这一天起才有变化；以前的日子照旧")) }).date())
                    (field(lang, "basis", visit.t("依据")).value(&value("basis", &draft.basis)).errors(errors)
                        .hint(html! { (visit.t("公布文件的名称和文号")) }).text())
                    (field(lang, "correction", visit.t("更正原因")).optional().value(&value("correction", &draft.correction)).errors(errors)
                        .hint(html! { (visit.t("只在更正以前写错的内容时填写；以前的决定按新文本重算会不同")) }).text())
                    (form::act(visit.t("提请发布")))
                }
                div.buttons { (discard) }
            }))
        }
        @if draft.state == State::Proposed && visit.can(Permission::PublishRules) {
            (piece::section(visit.t("复核"), &html! {
                p.quiet { (visit.t("发布后立即成为现行规则；带日期的值到日子才起作用。已有待遇要用“标准调整”落实。")) }
                div.buttons {
                    form method="post" action=(to("publish")) {
                        (form::token(visit))
                        button.primary type="submit" { (visit.t("同意并发布")) }
                    }
                    form method="post" action=(to("send-back")) {
                        (form::token(visit))
                        (form::lesser(visit.t("退回修改")))
                    }
                }
            }))
        }
    }
}

fn effect_form(visit: &Visit, draft: &Draft) -> Markup {
    let on = match visit.query.get("on") {
        "" => draft.from.unwrap_or_else(|| visit.today()).to_string(),
        typed => typed.to_owned(),
    };
    html! {
        section.part {
            h2 { (visit.t("有多少户会变")) }
            form.filters method="get" action=(format!("/rules/drafts/{}/what-if", draft.id)) {
                (field(visit.lang, "on", visit.t("按哪一天")).value(&on).date())
                (form::lesser(visit.t("按登记的家庭测算")))
            }
            p.quiet { (visit.t("把您辖区内登记的家庭按现行规则和草稿各算一遍，只报数，不列名单，不保存。")) }
            @if visit.can(Permission::SeeFigures) {
                p { a href=(format!("/simulate?draft={}&programme={}&day={on}", draft.id, draft.programme)) {
                    (visit.t("按街道、年龄、户规模看影响：试算"))
                } }
            }
        }
    }
}

fn effect_table(visit: &Visit, effect: &WhatIf) -> Markup {
    let lang = visit.lang;
    let columns = [
        table::text(visit.t("事项")),
        table::number(visit.t("新符合")),
        table::number(visit.t("不再符合")),
        table::number(visit.t("是否待核实有变")),
        table::number(visit.t("金额增加")),
        table::number(visit.t("金额减少")),
        table::number(visit.t("金额合计变化（元）")),
    ];
    let rows = effect
        .moved
        .iter()
        .map(|(programme, moved)| {
            table::still(vec![
                html! { (proof::title(visit, programme)) },
                html! { (moved.met) },
                html! { (moved.not_met) },
                html! { (moved.to_verify) },
                html! { (moved.more) },
                html! { (moved.less) },
                html! { (Money::from_fen(moved.fen)) },
            ])
        })
        .collect();
    html! {
        p { (lang.f("{day}：测算 {count} 户", &[("day", &format::date(effect.on)), ("count", &effect.looked_at)])) }
        @if effect.moved.is_empty() { p { (visit.t("没有一户的结论或金额会变。")) } }
        @else { (table::table(lang, visit.t("影响测算"), &columns, rows, "", &visit.query)) }
    }
}

/// `GET /rules/drafts/{id}/what-if` (影响测算).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn effect(visit: &Visit) -> Answer {
    found(visit).await?;
    let scope = visit.scope(Purpose::Review)?;
    let id: RuleDraftId = visit.id("id")?;
    let Ok(on) = visit.query.get("on").parse() else {
        return page(visit, None, &[fault("on", visit.t("请填写日期"))]).await;
    };
    match rulebook::what_if(&visit.app.db, &visit.app.shelf, &scope, id, on).await? {
        Ok(effect) => page(visit, Some(&effect), &[]).await,
        Err(refused) => refusal(visit, refused).await,
    }
}

async fn refusal(visit: &Visit, refused: Refused) -> Answer {
    match refused {
        Refused::NotThere => Err(Problem::NotFound),
        Refused::Denied(denied) => Err(denied.into()),
        other => {
            let at = match other {
                Refused::BasisMissing => "basis",
                Refused::DayBehind => "from",
                Refused::Rewrites(_) => "correction",
                _ => "",
            };
            let sentence = words::sentence(visit.lang, &other.to_string());
            page(visit, None, &[fault(at, sentence)]).await
        }
    }
}

/// `POST /rules/drafts/{id}/propose` (提请发布规则).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn propose(visit: &Visit) -> Answer {
    found(visit).await?;
    let scope = visit.scope(Purpose::Review)?;
    let id: RuleDraftId = visit.id("id")?;
    let Ok(from) = visit.form.get("from").parse() else {
        return page(visit, None, &[fault("from", visit.t("请填写日期"))]).await;
    };
    let proposal = Proposal {
        // What is not a number was not this page's; the proposal is refused as one over a changed draft.
        version: visit.form.get("version").parse().unwrap_or(-1),
        from,
        basis: visit.form.get("basis").to_owned(),
        correction: visit.form.get("correction").to_owned(),
    };
    match rulebook::propose(&visit.app.db, &visit.app.shelf, &scope, id, &proposal).await? {
        Ok(()) => visit.go(&format!("/rules/drafts/{id}?done=proposed")),
        Err(refused) => refusal(visit, refused).await,
    }
}

/// `POST /rules/drafts/{id}/publish` (复核并发布规则).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn publish(visit: &Visit) -> Answer {
    found(visit).await?;
    let scope = visit.scope(Purpose::Review)?;
    let id: RuleDraftId = visit.id("id")?;
    let (db, shelf) = (visit.app.db.clone(), visit.app.shelf.clone());
    // In a task of its own: a visitor who closes his browser does not leave the desk on the edition before.
    let publishing = tokio::spawn(async move { rulebook::publish(&db, &shelf, &scope, id).await });
    match publishing.await.map_err(anyhow::Error::from)?? {
        Ok(number) => visit.go(&format!("/rules/editions/{number}?done=published")),
        Err(refused) => refusal(visit, refused).await,
    }
}

/// `POST /rules/drafts/{id}/send-back` (退回修改).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn send_back(visit: &Visit) -> Answer {
    found(visit).await?;
    let scope = visit.scope(Purpose::Review)?;
    let id: RuleDraftId = visit.id("id")?;
    let mut tx = visit.app.db.begin().await?;
    let done = rulebook::send_back(&mut tx, &visit.app.shelf, &scope, id).await?;
    end(
        visit,
        tx,
        done,
        &format!("/rules/drafts/{id}?done=sent-back"),
    )
    .await
}

/// `POST /rules/drafts/{id}/discard` (作废规则草稿).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn discard(visit: &Visit) -> Answer {
    found(visit).await?;
    let scope = visit.scope(Purpose::Review)?;
    let id: RuleDraftId = visit.id("id")?;
    let mut tx = visit.app.db.begin().await?;
    let done = rulebook::discard(&mut tx, &visit.app.shelf, &scope, id).await?;
    end(visit, tx, done, "/rules/drafts?done=discarded").await
}

async fn end(visit: &Visit, tx: Tx, done: Result<(), Refused>, to: &str) -> Answer {
    match done {
        Ok(()) => {
            tx.commit().await?;
            visit.go(to)
        }
        Err(refused) => {
            tx.rollback().await?;
            refusal(visit, refused).await
        }
    }
}
