//! The journal for the auditor (操作日志): who did what to which record, when and for what purpose; and whether the
//! chain is whole.
//!
//! Reads only. An export is itself an act and stands in the journal before it leaves. An auditor of a part of the
//! country sees the entries about records of that part.

use super::journal_acts::{ACTS, ROOMS, act_name};
use crate::locale::Lang;
use crate::parts::form::{self, field, lesser};
use crate::parts::{format, listing, piece, table};
use crate::problem::Answer;
use crate::visit::{Visit, download};
use crate::words;
use access::{Purpose, Scope};
use anyhow::Context;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use maud::{Markup, html};
use serde_json::json;
use sheets::{Column, Field, Kind, Table};
use std::collections::{BTreeMap, BTreeSet};
use store::Event;
use store::journal::{self, ChainFault, Entry, Filter, Verdict};
use vocab::ids::OfficerId;

/// Rows a page shows.
const ROWS: u64 = 50;
/// China is eight hours ahead of the clock the entries are kept in.
const CHINA_HOURS: i64 = 8;

/// What the visitor asked for, narrowed to what he may see.
pub(crate) struct Asked {
    pub(crate) filter: Filter,
    /// An account name that nobody has: the answer is no rows, not all rows.
    pub(crate) nobody: bool,
}

/// What the address asks for, for the page and for programs.
pub(crate) async fn asked(visit: &Visit, scope: &Scope) -> anyhow::Result<Asked> {
    let query = &visit.query;
    let day = |name: &str, plus: u64| -> Option<DateTime<Utc>> {
        let day: NaiveDate = query.some(name)?.parse().ok()?;
        let start = day
            .checked_add_days(Days::new(plus))?
            .and_time(NaiveTime::MIN);
        Some(start.and_utc() - chrono::Duration::hours(CHINA_HOURS))
    };
    let whole = scope.region.holds(visit.app.desk.book.place().division);
    let place = listing::chosen_place(visit);
    let mut nobody = false;
    let by = match query.some("officer") {
        None => None,
        Some(login) => {
            let found = access::officer::by_login(&visit.app.db, login).await?;
            nobody = found.is_none();
            found.map(|officer| officer.id)
        }
    };
    Ok(Asked {
        nobody,
        filter: Filter {
            by,
            purpose: None,
            act: query.some("act").map(str::to_owned),
            subject_kind: query.some("kind").map(str::to_owned),
            subject_id: query.some("subject").map(str::to_owned),
            region: match place {
                Some(place) if scope.holds(place) => Some(place),
                _ if whole => None,
                _ => Some(scope.region),
            },
            from: day("from", 0),
            until: day("until", 1),
        },
    })
}

/// `GET /journal` (操作日志).
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, None).await
}

async fn page(visit: &Visit, verdict: Option<&Verdict>) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope(Purpose::Audit)?;
    let asked = asked(visit, &scope).await?;
    let (offset, limit) = visit.paging(ROWS);
    let found = if asked.nobody {
        store::Page::empty(limit)
    } else {
        journal::page(&visit.app.db, &asked.filter, offset, limit).await?
    };
    let names = names(visit, &found.rows).await?;
    let columns = [
        table::number(visit.t("序号")),
        table::text(visit.t("时间")),
        table::text(visit.t("谁")),
        table::text(visit.t("做了什么")),
        table::text(visit.t("对象")),
        table::text(visit.t("地区")),
        table::text(visit.t("事由")),
    ];
    let rows = found
        .rows
        .iter()
        .map(|entry| {
            let event = &entry.event;
            table::still(vec![
                html! { (entry.seq) },
                html! { (format::instant(entry.at)) },
                html! { (who(lang, &names, event.by)) },
                html! {
                    (act_name(visit, &event.act))
                    @if has_detail(&event.detail) {
                        details { summary.quiet { (visit.t("详情")) } code { (event.detail) } }
                    }
                },
                html! { (subject(visit, event)) },
                html! { (event.region.map_or_else(|| "—".to_owned(), |region| visit.place(region))) },
                html! { (words::sentence(lang, &event.purpose)) },
            ])
        })
        .collect();
    let body = html! {
        @if let Some(verdict) = verdict { (verdict_box(visit, verdict)) }
        (filters(visit, &scope))
        (listing::listed(visit, (visit.t("操作日志"), "/journal"), &columns, rows, &found, &piece::empty(visit.t("没有符合条件的日志。请放宽筛选条件。"), &html! {})))
    };
    let acts = html! {
        form method="post" action="/journal/verify" {
            (form::token(visit))
            button.primary type="submit" { (visit.t("校验日志链")) }
        }
        a.button href=(visit.query.with("page", "").href("/journal/export")) { (visit.t("导出")) }
        a.button href="/audit" { (visit.t("年度审计")) }
    };
    Ok(visit
        .page(visit.t("操作日志"))
        .nav("/journal")
        .wide()
        .acts(acts)
        .show(&body))
}

fn filters(visit: &Visit, scope: &Scope) -> Markup {
    let lang = visit.lang;
    let query = &visit.query;
    let mut acts: Vec<(String, String)> = Vec::new();
    for (room, name) in ROOMS {
        acts.push((
            room.to_owned(),
            lang.f("{room}：全部", &[("room", &lang.look(name))]),
        ));
        acts.extend(
            ACTS.iter()
                .filter(|(word, _)| word.starts_with(room))
                .map(|(word, name)| ((*word).to_owned(), lang.look(name).to_owned())),
        );
    }
    html! {
        form.filters method="get" action="/journal" {
            (field(lang, "officer", visit.t("账号")).value(query.get("officer")).text())
            (field(lang, "act", visit.t("做了什么")).value(query.get("act")).filter(visit.t("全部"), &acts))
            (field(lang, "subject", visit.t("对象编号")).value(query.get("subject")).text())
            (field(lang, "from", visit.t("从哪天起")).value(query.get("from")).date())
            (field(lang, "until", visit.t("到哪天为止（含这一天）")).value(query.get("until")).date())
            (listing::place(visit, scope.region))
            (lesser(visit.t("筛选")))
            @if query.iter().any(|(_, value)| !value.is_empty()) {
                a.button.plain href="/journal" { (visit.t("清除")) }
            }
        }
    }
}

/// Whether there is anything in a detail.
fn has_detail(detail: &serde_json::Value) -> bool {
    !detail.is_null() && detail.as_object().is_none_or(|object| !object.is_empty())
}

async fn names(visit: &Visit, entries: &[Entry]) -> anyhow::Result<BTreeMap<OfficerId, String>> {
    let ids: BTreeSet<OfficerId> = entries.iter().map(|entry| entry.event.by).collect();
    access::officer::names(&visit.app.db, &ids.into_iter().collect::<Vec<_>>()).await
}

fn who(lang: Lang, names: &BTreeMap<OfficerId, String>, id: OfficerId) -> String {
    match names.get(&id) {
        Some(name) => name.clone(),
        None if id.0.is_nil() => lang.t("系统或公众").to_owned(),
        None => id.to_string(),
    }
}

/// The record an entry is about, with a link where the auditor can open it.
fn subject(visit: &Visit, event: &Event) -> Markup {
    let id = &event.subject_id;
    let (name, to) = match event.subject_kind.as_str() {
        "person" => (visit.t("人员"), Some(format!("/people/{id}"))),
        "household" => (visit.t("家庭"), Some(format!("/households/{id}"))),
        "case" => (visit.t("办件"), Some(format!("/cases/{id}"))),
        "pay_run" => (visit.t("发放批次"), Some(format!("/pay-runs/{id}"))),
        "adjustment" => (visit.t("标准调整"), Some(format!("/adjustments/{id}"))),
        "rule_draft" => (visit.t("规则草稿"), Some(format!("/rules/drafts/{id}"))),
        "rule_edition" => (visit.t("规则历史"), Some(format!("/rules/editions/{id}"))),
        "pay_line" => (visit.t("发放明细"), Some(format!("/pay-lines/{id}"))),
        "officer" => (visit.t("账号"), None),
        "entitlement" => (visit.t("待遇"), None),
        "ledger_batch" => (visit.t("记账批"), None),
        "application" => (visit.t("申请"), None),
        "import" => (visit.t("花名册"), None),
        "region" => (visit.t("地区"), None),
        "journal" => (visit.t("操作日志"), None),
        other => (other, None),
    };
    let short: String = id
        .chars()
        .rev()
        .take(8)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    html! {
        @match to {
            Some(to) => a href=(to) title=(id) { (name) " …" (short) },
            None if id.is_empty() => (name),
            None => span title=(id) { (name) " …" (short) },
        }
    }
}

/// `POST /journal/verify` (校验日志链).
///
/// # Errors
/// A fault of the database.
pub async fn verify(visit: &Visit) -> Answer {
    let verdict = journal::verify(&visit.app.db).await?;
    page(visit, Some(&verdict)).await
}

fn verdict_box(visit: &Visit, verdict: &Verdict) -> Markup {
    let lang = visit.lang;
    html! {
        @if verdict.is_intact() {
            div.note role="status" {
                p { strong { (visit.t("日志链完整")) } " "
                    (lang.f("逐条核对了 {count} 条，没有改动、缺失或多出的。", &[("count", &format::number(verdict.entries))])) }
                @if let Some(head) = &verdict.head {
                    p.quiet { (lang.f("链头：第 {seq} 条", &[("seq", &head.seq)])) " " code { (head.hash) } }
                }
            }
        } @else {
            div.errors role="alert" tabindex="-1" data-focus="" {
                h2 { (visit.t("日志链不完整：日志被改动过。请保留现场，立即报告")) }
                ul { @for fault in &verdict.faults { li { (fault_words(lang, fault)) } } }
            }
        }
    }
}

fn fault_words(lang: Lang, fault: &ChainFault) -> String {
    match fault {
        ChainFault::Altered { seq } => lang.f("第 {seq} 条日志内容被改动", &[("seq", seq)]),
        ChainFault::Missing { from, to } => lang.f(
            "缺少第 {from} 至 {to} 条日志",
            &[("from", from), ("to", to)],
        ),
        ChainFault::Broken { seq } => lang.f("第 {seq} 条日志与前一条不衔接", &[("seq", seq)]),
        ChainFault::Inserted { seq } => lang.f("多出第 {seq} 条日志", &[("seq", seq)]),
        ChainFault::End { last, head } => lang.f(
            "日志末尾（第 {last} 条）与链头（第 {head} 条）不一致",
            &[("last", last), ("head", head)],
        ),
        ChainFault::Cut { exported, last } => lang.f(
            "链头存证中有第 {exported} 条，而日志只到第 {last} 条：末尾被截断",
            &[("exported", exported), ("last", last)],
        ),
        ChainFault::Rewritten { seq } => lang.f(
            "第 {seq} 条日志与链头存证不一致：日志被重写",
            &[("seq", seq)],
        ),
        ChainFault::HeadsFile { line } => {
            lang.f("链头存证文件第 {line} 行被改动", &[("line", line)])
        }
    }
}

/// `GET /journal/export` (导出操作日志): the same filters, newest first, up to the export limit.
///
/// # Errors
/// A fault of the database.
pub async fn export(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope(Purpose::Audit)?;
    let asked = asked(visit, &scope).await?;
    let limit = visit.app.config.export_rows;
    let found = if asked.nobody {
        store::Page::empty(limit)
    } else {
        journal::page(&visit.app.db, &asked.filter, 0, limit).await?
    };
    let mut tx = visit.app.db.begin().await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "journal.export".to_owned(),
        subject_kind: "journal".to_owned(),
        subject_id: String::new(),
        region: asked.filter.region,
        detail: json!({ "rows": found.rows.len(), "of": found.total }),
    });
    let at = tx.now();
    tx.commit().await?;
    let names = names(visit, &found.rows).await?;
    let column = |title: &str, kind, width| Column::new(title, kind, width);
    let rows = found
        .rows
        .iter()
        .map(|entry| {
            let event = &entry.event;
            let detail = if has_detail(&event.detail) {
                event.detail.to_string()
            } else {
                String::new()
            };
            vec![
                Field::Integer(entry.seq),
                Field::text(format::instant(entry.at)),
                Field::text(who(lang, &names, event.by)),
                Field::text(act_name(visit, &event.act)),
                Field::text(event.act.clone()),
                Field::text(event.subject_kind.clone()),
                Field::text(event.subject_id.clone()),
                Field::text(
                    event
                        .region
                        .map_or_else(String::new, |region| region.to_string()),
                ),
                Field::text(words::sentence(lang, &event.purpose)),
                Field::text(detail),
                Field::text(entry.hash.clone()),
            ]
        })
        .collect();
    let book = Table {
        name: lang.t("操作日志").to_owned(),
        notes: vec![lang.f(
            "{name} 于 {at} 导出，{rows} 条，共 {total} 条符合条件",
            &[
                ("name", &scope.actor.name),
                ("at", &format::instant(at)),
                ("rows", &found.rows.len()),
                ("total", &found.total),
            ],
        )],
        columns: vec![
            column(lang.t("序号"), Kind::Integer, 10),
            column(lang.t("时间"), Kind::Text, 18),
            column(lang.t("谁"), Kind::Text, 14),
            column(lang.t("做了什么"), Kind::Text, 18),
            column(lang.t("动作代码"), Kind::Text, 24),
            column(lang.t("对象"), Kind::Text, 12),
            column(lang.t("对象编号"), Kind::Text, 38),
            column(lang.t("地区"), Kind::Text, 14),
            column(lang.t("事由"), Kind::Text, 20),
            column(lang.t("详情"), Kind::Text, 40),
            column(lang.t("哈希"), Kind::Text, 66),
        ],
        rows,
        open_rows: 0,
    };
    let bytes = sheets::xlsx(&[book]).context("writing the exported journal")?;
    Ok(download(
        &format!(
            "{}-{}.xlsx",
            lang.t("操作日志"),
            format::date(visit.today())
        ),
        super::pay_file::XLSX,
        bytes,
    ))
}

#[cfg(test)]
mod tests {
    use super::{ACTS, ROOMS};
    use std::collections::BTreeSet;

    #[test]
    fn every_act_stands_once_and_belongs_to_a_room() {
        let once: BTreeSet<&str> = ACTS.iter().map(|(word, _)| *word).collect();
        assert_eq!(once.len(), ACTS.len());
        for (word, _) in ACTS {
            assert!(
                ROOMS.iter().any(|(room, _)| word.starts_with(room)),
                "{word}"
            );
        }
    }
}
