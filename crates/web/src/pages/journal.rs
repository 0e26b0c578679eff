//! The journal for the auditor (操作日志): who did what to which record, when and for what purpose; and whether the
//! chain is whole.
//!
//! Reads only. An export is itself an act and stands in the journal before it leaves. An auditor of a part of the
//! country sees the entries about records of that part.

use super::journal_acts::{ACTS, ROOMS, act_name};
use crate::lists::{self, About, Column, Found, List, column};
use crate::locale::{Lang, key};
use crate::parts::form::{self, field, lesser};
use crate::parts::{format, listing, piece};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose, Scope};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use maud::{Markup, html};
use sheets::{Field, Kind};
use std::collections::{BTreeMap, BTreeSet};
use store::journal::{self, ChainFault, Entry, Filter, Verdict};
use store::{Event, Page};
use vocab::ids::OfficerId;

/// China is eight hours ahead of the clock the entries are kept in.
const CHINA_HOURS: i64 = 8;

/// Entries as somebody asked for them (操作日志), narrowed to what they may see.
pub(crate) struct Entries {
    scope: Scope,
    filter: Filter,
    /// An account name that nobody has: the answer is no rows, not all rows.
    nobody: bool,
}

async fn asked(visit: &Visit, scope: Scope) -> anyhow::Result<Entries> {
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
    Ok(Entries {
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
        scope,
    })
}

impl List for Entries {
    type Row = Entry;
    /// The names of who did it.
    type Beside = BTreeMap<OfficerId, String>;
    const ABOUT: About = About {
        word: "journal",
        title: key("操作日志"),
        path: "/journal",
        rows: 50,
        sees: Permission::ReadJournal,
        exports: Permission::ReadJournal,
        act: ("journal.export", "journal"),
    };

    fn columns() -> Vec<Column<Self>> {
        vec![
            column::<Self>("seq", key("序号"), Kind::Integer, 10, |at| {
                Field::Integer(at.row.seq)
            }),
            column::<Self>("at", key("时间"), Kind::Text, 18, |at| {
                Field::text(format::instant(at.row.at))
            }),
            column::<Self>("who", key("谁"), Kind::Text, 14, |at| {
                Field::text(who(at.lang(), at.beside, at.row.event.by))
            }),
            column::<Self>("act", key("做了什么"), Kind::Text, 18, |at| {
                Field::text(act_name(at.visit, &at.row.event.act))
            })
            .cell(|at| {
                let event = &at.row.event;
                html! {
                    (act_name(at.visit, &event.act))
                    @if has_detail(&event.detail) {
                        details { summary.quiet { (at.visit.t("详情")) } code { (event.detail) } }
                    }
                }
            }),
            column::<Self>("act_word", key("动作代码"), Kind::Text, 24, |at| {
                Field::text(&at.row.event.act)
            })
            .aside(),
            column::<Self>("kind", key("对象种类"), Kind::Text, 12, |at| {
                Field::text(&at.row.event.subject_kind)
            })
            .aside(),
            column::<Self>("subject", key("对象"), Kind::Text, 38, |at| {
                Field::text(&at.row.event.subject_id)
            })
            .cell(|at| subject(at.visit, &at.row.event)),
            column::<Self>("region", key("区划代码"), Kind::Text, 14, |at| {
                Field::text(
                    at.row
                        .event
                        .region
                        .map_or_else(String::new, |region| region.to_string()),
                )
            })
            .aside(),
            column::<Self>("place", key("地区"), Kind::Text, 14, |at| {
                Field::text(
                    at.row
                        .event
                        .region
                        .map_or_else(String::new, |region| at.visit.place(region)),
                )
            }),
            column::<Self>("purpose", key("事由"), Kind::Text, 20, |at| {
                Field::text(words::sentence(at.lang(), &at.row.event.purpose))
            }),
            column::<Self>("detail", key("详情"), Kind::Text, 40, |at| {
                let detail = &at.row.event.detail;
                Field::text(if has_detail(detail) {
                    detail.to_string()
                } else {
                    String::new()
                })
            })
            .aside(),
            column::<Self>("hash", key("哈希"), Kind::Text, 66, |at| {
                Field::text(&at.row.hash)
            })
            .aside(),
        ]
    }

    fn purpose() -> Purpose {
        Purpose::Audit
    }

    async fn open(visit: &Visit, scope: Scope) -> Result<Self, Problem> {
        Ok(asked(visit, scope).await?)
    }

    fn scope(&self) -> &Scope {
        &self.scope
    }

    async fn page(&self, visit: &Visit, offset: u64, limit: u64) -> anyhow::Result<Page<Entry>> {
        if self.nobody {
            return Ok(Page::empty(limit));
        }
        journal::page(&visit.app.db, &self.filter, offset, limit).await
    }

    async fn after(
        &self,
        visit: &Visit,
        last: Option<&Entry>,
        limit: u64,
    ) -> anyhow::Result<Vec<Entry>> {
        if self.nobody {
            return Ok(Vec::new());
        }
        let last = last.map(|entry| entry.seq);
        journal::matching_after(&visit.app.db, &self.filter, last, limit).await
    }

    async fn beside(&self, visit: &Visit, rows: &[Entry]) -> Result<Self::Beside, Problem> {
        let ids: BTreeSet<OfficerId> = rows.iter().map(|entry| entry.event.by).collect();
        let ids: Vec<OfficerId> = ids.into_iter().collect();
        Ok(access::officer::names(&visit.app.db, &ids).await?)
    }

    fn href(&self, _: &Entry) -> Option<String> {
        None
    }

    async fn shown(visit: &Visit, found: Found<Self>) -> Answer {
        page(visit, &found, None)
    }
}

fn page(visit: &Visit, found: &Found<Entries>, verdict: Option<&Verdict>) -> Answer {
    let nothing = piece::empty(visit.t("没有符合条件的日志。请放宽筛选条件。"), &html! {});
    let body = html! {
        @if let Some(verdict) = verdict { (verdict_box(visit, verdict)) }
        (filters(visit, &found.list.scope))
        (found.table(visit, &nothing))
    };
    let acts = html! {
        form method="post" action="/journal/verify" {
            (form::token(visit))
            button.primary type="submit" { (visit.t("校验日志链")) }
        }
        (found.export(visit))
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
    page(visit, &lists::found(visit).await?, Some(&verdict))
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
