//! The journal for the auditor (操作日志): who did what to which record, when and for what purpose; and whether the
//! chain is whole.
//!
//! Reads only. An export is itself an act and stands in the journal before it leaves. An auditor of a part of the
//! country sees the entries about records of that part.

use crate::locale::{Lang, key};
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

/// Rooms of the house whose acts can be picked together: the beginning of the act's word, and what people call it.
const ROOMS: [(&str, &str); 13] = [
    ("access.", key("登录与账号")),
    ("person.", key("人员")),
    ("household.", key("家庭")),
    ("consent.", key("核对授权")),
    ("verify.", key("核对")),
    ("fact.", key("事实")),
    ("account.", key("银行账户")),
    ("roster.", key("花名册")),
    ("casework.", key("办件")),
    ("ledger.", key("发放")),
    ("exchange.", key("银行文件")),
    ("journal.", key("操作日志")),
    ("store.", key("数据库维护")),
];

/// What acts are called; an act that is not here shows its own word.
const ACTS: [(&str, &str); 64] = [
    ("access.signed_in", key("登录")),
    ("access.sign_in_failed", key("登录失败")),
    ("access.sign_in_slowed", key("登录被限制")),
    ("access.wrong_code", key("动态口令错误")),
    ("access.code_accepted", key("动态口令通过")),
    ("access.session_ended", key("退出登录")),
    ("access.create_officer", key("新建账号")),
    ("access.grant_role", key("授岗")),
    ("access.revoke_role", key("撤岗")),
    ("access.enable_officer", key("启用账号")),
    ("access.disable_officer", key("停用账号")),
    ("access.set_password", key("重置密码")),
    ("access.change_own_password", key("修改密码")),
    ("access.second_factor_on", key("启用动态口令")),
    ("access.second_factor_off", key("停用动态口令")),
    ("person.register", key("登记人员")),
    ("person.read", key("查看人员")),
    ("person.reveal", key("显示完整号码")),
    ("person.move_home", key("变更居住地")),
    ("person.move_hukou", key("变更户籍地")),
    ("person.set_phone", key("变更手机")),
    ("person.record_death", key("登记死亡")),
    ("person.withdraw_death", key("撤回死亡登记")),
    ("household.form", key("建立家庭")),
    ("household.read", key("查看家庭")),
    ("household.join", key("加入家庭")),
    ("household.leave", key("退出家庭")),
    ("household.change_head", key("变更户主")),
    ("fact.record", key("录入事实")),
    ("fact.withdraw", key("撤回事实")),
    ("account.set", key("登记银行账户")),
    ("account.export", key("取用账号")),
    ("roster.import", key("导入花名册")),
    ("roster.export", key("导出花名册")),
    ("ledger.entitle", key("确立待遇")),
    ("ledger.propose", key("拟定发放")),
    ("ledger.release_part", key("放款一部分")),
    ("ledger.release", key("复核放款")),
    ("ledger.cancel", key("作废批次")),
    ("ledger.send", key("送银行")),
    ("ledger.bank_return", key("导入回盘")),
    ("ledger.reissue", key("重发退回款")),
    ("ledger.post", key("记账")),
    ("ledger.correct", key("更正记账")),
    ("exchange.bank_file", key("取用银行文件")),
    ("casework.start_draft", key("开始申请")),
    ("casework.submit", key("提交申请")),
    ("casework.read", key("查看办件")),
    ("casework.attach", key("上传材料")),
    ("casework.read_evidence", key("查看材料")),
    ("casework.read_letter", key("查看文书")),
    ("consent.give", key("登记核对授权")),
    ("consent.refuse", key("登记不同意核对")),
    ("consent.withdraw", key("撤回核对授权")),
    ("consent.open", key("按授权取出证件号")),
    ("consent.print", key("打印核对授权书")),
    ("verify.permit", key("核准核对")),
    ("verify.enquire", key("核对")),
    ("verify.read_report", key("查看核对报告")),
    ("verify.reproduce", key("重做核对报告")),
    ("casework.object", key("提出异议")),
    ("casework.open_task", key("登记待办")),
    ("casework.take_over", key("存量接收")),
    ("journal.export", key("导出操作日志")),
];

/// What an act is called: here, or in the packs' procedures.
fn act_name<'a>(visit: &'a Visit, act: &'a str) -> &'a str {
    if let Some((_, name)) = ACTS.iter().find(|(word, _)| *word == act) {
        return visit.lang.look(name);
    }
    let id = act.strip_prefix("casework.").unwrap_or("");
    visit
        .app
        .desk
        .procedures()
        .find_map(|procedure| procedure.act(id))
        .map_or(act, |known| visit.lang.pick(&known.zh, &known.en))
}

/// What the visitor asked for, narrowed to what he may see.
struct Asked {
    filter: Filter,
    /// An account name that nobody has: the answer is no rows, not all rows.
    nobody: bool,
}

async fn asked(visit: &Visit, scope: &Scope) -> anyhow::Result<Asked> {
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
