//! One pay run (发放批次): what differs from last month, person by person; releasing it by a second officer; what is next.
//!
//! A release goes on in the background when it takes long; the page shows how far it is. Killed in the middle, pressing
//! 继续放款 goes on where it stopped: the ledger pays every line once, whatever happens here.

use super::pay_lines::Lines;
use super::pay_runs::{names, obstacles, programme, programmes};
use crate::lists::Found;
use crate::locale::Lang;
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::piece::Figure;
use crate::parts::{format, piece};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose, Scope};
use anyhow::Context;
use axum::http::{HeaderValue, header};
use ledger::SummaryRow;
use ledger::payrun::{cancel, release};
use ledger::{Blocked, Difference, LineFilter, LineState, NewPayRun, PayLine, PayRun, RunState};
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use vocab::ids::{PayRunId, PersonId};
use vocab::{Money, Month};

/// Lines a page shows.
const ROWS: u64 = 50;
/// How long the visitor waits for a release before he is shown its progress.
const PATIENCE: Duration = Duration::from_secs(6);

/// How far a run has come, in words (批次状态).
pub(crate) fn run_state(lang: Lang, state: RunState) -> &'static str {
    match state {
        RunState::Proposed => lang.t("待复核"),
        RunState::Releasing => lang.t("放款中"),
        RunState::Released => lang.t("已放款，待送银行"),
        RunState::Sent => lang.t("已送银行"),
        RunState::Cancelled => lang.t("已作废"),
    }
}

/// How far a line has come, in words (明细状态).
pub(crate) fn line_state(lang: Lang, state: LineState) -> &'static str {
    match state {
        LineState::Proposed => lang.t("待放款"),
        LineState::Blocked => lang.t("被拦下"),
        LineState::NotPaid => lang.t("本月不再发放"),
        LineState::Posted => lang.t("已记账，待送银行"),
        LineState::Sent => lang.t("已送银行"),
        LineState::Settled => lang.t("已到账"),
        LineState::Returned => lang.t("银行退回"),
        LineState::Reissuing => lang.t("退回，下一批重发"),
        LineState::Reissued => lang.t("已重发"),
        LineState::Cancelled => lang.t("已作废"),
    }
}

/// A line against last month, in words (与上月比较).
pub(crate) fn difference(lang: Lang, difference: Difference) -> &'static str {
    match difference {
        Difference::New => lang.t("新增"),
        Difference::Stopped => lang.t("停发"),
        Difference::Changed => lang.t("变动"),
        Difference::Same => lang.t("不变"),
        Difference::Extra => lang.t("仅补发"),
        Difference::Reissue => lang.t("重发"),
    }
}

/// Why a line is not paid and what to do (拦下原因), with programmes by name.
pub(crate) fn reason(visit: &Visit, blocked: &Blocked) -> String {
    let named = match blocked {
        Blocked::Excluded { programme: id } => Blocked::Excluded {
            programme: programme(visit, id),
        },
        other => other.clone(),
    };
    words::sentence(visit.lang, &named.sentence_zh())
}

/// The run a path names.
pub(crate) async fn found(visit: &Visit) -> Result<(Scope, PayRun), Problem> {
    let id: PayRunId = visit.id("id")?;
    let scope = visit.scope_for(Permission::SeePayRuns, Purpose::Payment)?;
    let run = ledger::run(visit.app.db.conn(), &scope, id)
        .await?
        .ok_or(Problem::NotFound)?;
    Ok((scope, run))
}

/// `GET /pay-runs/{id}` (发放批次).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, &[], None).await
}

/// The sums of a run, from its summary.
struct Sums {
    lines: u64,
    waiting: u64,
    blocked: u64,
    returned: u64,
    settled: u64,
    regular: Money,
    net: Money,
    by: BTreeMap<Difference, u64>,
}

impl Sums {
    fn of(rows: &[SummaryRow]) -> anyhow::Result<Self> {
        let mut sums = Self {
            lines: 0,
            waiting: 0,
            blocked: 0,
            returned: 0,
            settled: 0,
            regular: Money::ZERO,
            net: Money::ZERO,
            by: BTreeMap::new(),
        };
        for row in rows {
            *sums.by.entry(row.difference).or_default() += row.lines;
            match row.state {
                LineState::NotPaid => continue,
                LineState::Blocked => sums.blocked += row.lines,
                LineState::Proposed => sums.waiting += row.lines,
                LineState::Returned | LineState::Reissuing => sums.returned += row.lines,
                LineState::Settled => sums.settled += row.lines,
                LineState::Posted
                | LineState::Sent
                | LineState::Reissued
                | LineState::Cancelled => {}
            }
            sums.lines += row.lines;
            if row.state != LineState::Blocked {
                sums.regular = sums.regular.plus(row.regular)?;
                sums.net = sums.net.plus(row.net)?;
            }
        }
        Ok(sums)
    }

    fn count(&self, difference: Difference) -> u64 {
        self.by.get(&difference).copied().unwrap_or_default()
    }
}

/// What the visitor wants to see of the lines.
fn wanted(show: &str, run: PayRunId) -> LineFilter {
    let mut filter = LineFilter {
        run: Some(run),
        ..LineFilter::default()
    };
    match show {
        "new" => filter.difference = Some(Difference::New),
        "stopped" => filter.difference = Some(Difference::Stopped),
        "changed" => filter.difference = Some(Difference::Changed),
        "arrears" => filter.with_arrears = true,
        "recovery" => filter.with_recovery = true,
        "blocked" => filter.state = Some(LineState::Blocked),
        "returned" => filter.state = Some(LineState::Returned),
        "settled" => filter.state = Some(LineState::Settled),
        _ => {}
    }
    filter
}

/// The page of a run; `above` is what was just done with it.
pub(crate) async fn page(visit: &Visit, errors: &[FieldError], above: Option<&Markup>) -> Answer {
    let lang = visit.lang;
    let (scope, run) = found(visit).await?;
    let db = &visit.app.db;
    let sums = Sums::of(&ledger::summary(db, &scope, run.id).await?)?;
    let shown = match visit.query.get("show") {
        "" if sums.returned > 0 => "returned",
        "" if sums.blocked > 0 => "blocked",
        "" => "all",
        other => other,
    };
    let (offset, limit) = visit.paging(ROWS);
    let lines = ledger::lines(db, &scope, &wanted(shown, run.id), offset, limit).await?;
    let figures = figures(visit, &scope, &run, &sums, shown).await?;
    let before = last_month(visit, &scope, &run).await?;
    let list = Lines::of(scope.clone(), wanted(shown, run.id));
    let people = people(visit, &scope, &lines.rows).await?;
    let lines = Found::by(list, lines, people);
    let officers = names(visit, std::slice::from_ref(&run)).await?;
    let who = |id| officers.get(&id).cloned().unwrap_or_default();
    let path = format!("/pay-runs/{}", run.id);
    let body = html! {
        (piece::steps(lang, &stages(visit), stage(run.state)))
        @if let Some(above) = above { (above) }
        @if run.state == RunState::Releasing { (in_progress(visit, &run, &sums)) }
        div.verdict {
            span.amount { (format::money(lang, sums.net)) }
            span { (lang.f("{count} 笔", &[("count", &format::number(sums.lines - sums.blocked))])) }
            span.quiet { (compared(lang, sums.regular, before)) }
        }
        (what_next(visit, &run, &sums, errors))
        (figures)
        @if lines.page.rows.is_empty() {
            (piece::empty(visit.t("这一类没有明细。"), &html! {}))
        } @else {
            (lines.table_at(visit, &path))
            p.quiet { (visit.t("金额单位：元")) }
        }
        (piece::section(visit.t("经办"), &piece::facts(&[
            (visit.t("地区").to_owned(), html! { (visit.place(run.region)) }),
            (visit.t("事项").to_owned(), html! { (programmes(visit, run.programmes.as_deref())) }),
            (visit.t("拟定").to_owned(), html! { (who(run.proposed_by)) " " (format::instant(run.proposed_at)) }),
            (visit.t("复核放款").to_owned(), html! {
                (run.released_by.map(&who).unwrap_or_else(|| "—".to_owned()))
                @if let Some(at) = run.released_at { " " (format::instant(at)) }
            }),
            (visit.t("送银行").to_owned(), html! { (run.sent_at.map_or_else(|| "—".to_owned(), format::instant)) }),
            (visit.t("文件指纹").to_owned(), html! { (run.sent_file.as_deref().map_or("—", |sm3| sm3.get(..16).unwrap_or(sm3))) }),
        ])))
    };
    let note = match visit.query.get("done") {
        "proposed" => {
            Some(html! { (visit.t("已拟定。请核对变动和被拦下的，再由另一位同事复核放款。")) })
        }
        "open" => {
            Some(html! { (visit.t("该地区该月已有一批待复核，就是这一批。请先复核或作废。")) })
        }
        "released" => Some(html! { (visit.t("已放款记账。下一步：下载银行文件送银行。")) }),
        "sent" => Some(html! { (visit.t("已标记送银行。收到银行回盘后在本页导入。")) }),
        _ => None,
    };
    let mut answer = visit
        .page(lang.f("{month} 发放", &[("month", &run.month)]))
        .nav("/pay-runs")
        .back("/pay-runs", visit.t("发放"))
        .wide()
        .acts(html! { (piece::tag(run_state(lang, run.state))) })
        .note(note)
        .errors(errors)
        .show(&body);
    // Only while somebody watches a release of his own: the page asks again by itself, without any script.
    if run.state == RunState::Releasing && visit.query.get("watch") == "1" {
        answer
            .headers_mut()
            .insert(header::REFRESH, HeaderValue::from_static("3"));
    }
    Ok(answer)
}

fn stages(visit: &Visit) -> Vec<(String, String)> {
    [
        visit.t("拟定"),
        visit.t("复核放款"),
        visit.t("送银行"),
        visit.t("银行回盘"),
    ]
    .into_iter()
    .map(|label| (label.to_owned(), String::new()))
    .collect()
}

/// The stage that is next.
fn stage(state: RunState) -> usize {
    match state {
        RunState::Cancelled => 0,
        RunState::Proposed | RunState::Releasing => 1,
        RunState::Released => 2,
        RunState::Sent => 3,
    }
}

/// What was released for the month before in the same place and programmes.
async fn last_month(visit: &Visit, scope: &Scope, run: &PayRun) -> Result<Money, Problem> {
    let narrow = scope.within(run.region)?;
    let before: Month = run.month.previous();
    let rows = ledger::totals(&visit.app.db, &narrow, before, run.month, false).await?;
    let ours = rows.iter().filter(|row| {
        run.programmes
            .as_ref()
            .is_none_or(|ids| ids.contains(&row.programme))
    });
    Ok(Money::total(ours.map(|row| row.regular)).context("adding up last month")?)
}

/// This month's regular amount against last month's, with the difference in percent.
fn compared(lang: Lang, now: Money, before: Money) -> String {
    if before == Money::ZERO {
        return lang.f(
            "当月 {now}；上月没有发放",
            &[("now", &format::money(lang, now))],
        );
    }
    let tenths =
        (i128::from(now.fen()) - i128::from(before.fen())) * 1_000 / i128::from(before.fen());
    let sign = if tenths < 0 { "−" } else { "+" };
    let tenths = tenths.abs();
    lang.f(
        "当月 {now}；上月 {before}，{percent} %",
        &[
            ("now", &format::money(lang, now)),
            ("before", &format::money(lang, before)),
            ("percent", &format!("{sign}{}.{}", tenths / 10, tenths % 10)),
        ],
    )
}

async fn figures(
    visit: &Visit,
    scope: &Scope,
    run: &PayRun,
    sums: &Sums,
    shown: &str,
) -> anyhow::Result<Markup> {
    let path = format!("/pay-runs/{}", run.id);
    let figure = |word: &str, label: &str, count: u64, tone: &'static str| Figure {
        label: label.to_owned(),
        count,
        href: format!("{path}?show={word}"),
        tone,
        chosen: word == shown,
    };
    let count = async |word: &str| -> anyhow::Result<u64> {
        let page = ledger::lines(&visit.app.db, scope, &wanted(word, run.id), 0, 1).await?;
        Ok(page.total)
    };
    let (arrears, recovery) = (count("arrears").await?, count("recovery").await?);
    let mut all = vec![
        figure("all", visit.t("全部"), sums.lines, ""),
        figure("new", visit.t("新增"), sums.count(Difference::New), "green"),
        figure(
            "stopped",
            visit.t("停发"),
            sums.count(Difference::Stopped),
            "",
        ),
        figure(
            "changed",
            visit.t("变动"),
            sums.count(Difference::Changed),
            "yellow",
        ),
        figure("arrears", visit.t("补发"), arrears, ""),
        figure("recovery", visit.t("追回"), recovery, ""),
        figure("blocked", visit.t("被拦下"), sums.blocked, "red"),
    ];
    if run.state == RunState::Sent {
        all.push(figure("settled", visit.t("已到账"), sums.settled, "green"));
        all.push(figure(
            "returned",
            visit.t("银行退回"),
            sums.returned,
            "red",
        ));
    }
    Ok(piece::figures(&all))
}

/// The names of payees; whoever lives outside the scope by now is not named.
pub(crate) async fn people(
    visit: &Visit,
    scope: &Scope,
    lines: &[PayLine],
) -> anyhow::Result<BTreeMap<PersonId, String>> {
    let ids: BTreeSet<PersonId> = lines.iter().map(|line| line.payee).collect();
    let ids: Vec<PersonId> = ids.into_iter().collect();
    let rows = registry::people::rows(&visit.app.db, scope, &ids).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

fn in_progress(visit: &Visit, run: &PayRun, sums: &Sums) -> Markup {
    html! {
        div.note role="status" {
            p { (visit.t("正在放款，逐笔记账。可以离开本页，不影响放款。")) }
            (piece::progress(visit.lang, sums.lines - sums.waiting, sums.lines))
            p { a href=(format!("/pay-runs/{}?watch=1", run.id)) { (visit.t("刷新进度")) } }
        }
    }
}

/// What can be done with the run as it stands.
fn what_next(visit: &Visit, run: &PayRun, sums: &Sums, errors: &[FieldError]) -> Markup {
    let lang = visit.lang;
    let to = |act: &str| format!("/pay-runs/{}/{act}", run.id);
    let mine = visit.actor().officer == run.proposed_by;
    let may_release = visit.can(Permission::ReleasePayRun);
    html! {
        @match run.state {
            RunState::Proposed | RunState::Releasing => {
                @if may_release && mine {
                    p.note.warn { (visit.t("这一批由您拟定，请由另一位同事复核放款。")) }
                }
                div.buttons {
                    @if may_release && !mine {
                        form method="post" action=(to("release")) {
                            (form::token(visit))
                            button.primary type="submit" {
                                @if run.state == RunState::Releasing { (visit.t("继续放款")) }
                                @else {
                                    (lang.f("确认放款 {count} 笔 {net}", &[
                                        ("count", &format::number(sums.waiting)), ("net", &format::money(lang, sums.net)),
                                    ]))
                                }
                            }
                        }
                    }
                    @if visit.can(Permission::ProposePayRun) && run.state == RunState::Proposed {
                        form method="post" action=(to("cancel")) {
                            (form::token(visit))
                            button.danger type="submit" { (visit.t("作废这一批")) }
                        }
                    }
                }
            }
            RunState::Released | RunState::Sent => @if visit.can(Permission::BankFiles) {
                (bank_part(visit, run, errors, &to("file"), &to("sent"), &to("return")))
            },
            RunState::Cancelled => p.quiet { (visit.t("这一批已作废，没有放款。")) },
        }
    }
}

fn bank_part(
    visit: &Visit,
    run: &PayRun,
    errors: &[FieldError],
    file: &str,
    sent: &str,
    answer: &str,
) -> Markup {
    let lang = visit.lang;
    html! {
        (piece::section(visit.t("银行文件"), &html! {
            p { (visit.t("同一批的文件只生成一次，再次下载一字不差。文件里有完整账号，下载后请按规定保管。")) }
            form.buttons method="post" action=(file) {
                (form::token(visit))
                button type="submit" name="format" value="csv" { (visit.t("下载 CSV（GB18030）")) }
                button type="submit" name="format" value="xlsx" { (visit.t("下载 Excel（xlsx）")) }
            }
            @if run.state == RunState::Released {
                form.buttons method="post" action=(sent) {
                    (form::token(visit))
                    button.primary type="submit" { (visit.t("标记已送银行")) }
                }
            }
        }))
        @if run.state == RunState::Sent {
            (piece::section(visit.t("银行回盘"), &html! {
                form method="post" action=(answer) enctype="multipart/form-data" {
                    (form::token(visit))
                    (field(lang, "file", visit.t("银行的回盘文件")).hint(html! {
                        (visit.t("csv 或 xlsx，要有“指令号”和“状态”两列。同一份文件导入两次，结果不变。"))
                    }).errors(errors).file(".csv,.xlsx,.xls"))
                    (form::act(visit.t("导入回盘")))
                }
            }))
        }
    }
}

/// `POST /pay-runs/{id}/release` (复核放款).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn release(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Payment)?;
    let (_, run) = found(visit).await?;
    let new = NewPayRun {
        month: run.month,
        region: run.region,
        programmes: run.programmes.clone(),
    };
    let blocked = obstacles(visit, &scope, &new).await?;
    let db = visit.app.db.clone();
    let (id, key) = (run.id, format!("desk {}", run.id));
    // In a task of its own: a visitor who closes his browser, or a request that runs out of time, does not stop it.
    let releasing = tokio::spawn(async move {
        let outcome = ledger::release(&db, &scope, id, &key, &blocked).await;
        if let Err(fault) = &outcome {
            tracing::error!(run = %id, fault = format!("{fault:#}"), "a release stopped");
        }
        outcome
    });
    let Ok(ended) = tokio::time::timeout(PATIENCE, releasing).await else {
        return visit.go(&format!("/pay-runs/{id}?watch=1"));
    };
    match ended.context("the task of a release ended badly")?? {
        Ok(_) => visit.go(&format!("/pay-runs/{id}?done=released")),
        Err(release::Refused::NotFound) => Err(Problem::NotFound),
        Err(release::Refused::Denied(denied)) => Err(denied.into()),
        Err(refused) => {
            let sentence = words::sentence(visit.lang, &refused.to_string());
            page(visit, &[fault("", sentence)], None).await
        }
    }
}

/// `POST /pay-runs/{id}/cancel` (作废批次).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn cancel(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Payment)?;
    let id: PayRunId = visit.id("id")?;
    let mut tx = visit.app.db.begin().await?;
    match ledger::cancel(&mut tx, &scope, id).await? {
        Ok(()) => {
            tx.commit().await?;
            visit.go("/pay-runs?done=cancelled")
        }
        Err(cancel::Refused::NotFound) => Err(Problem::NotFound),
        Err(cancel::Refused::Denied(denied)) => Err(denied.into()),
        Err(refused @ cancel::Refused::Released) => {
            tx.rollback().await?;
            let sentence = words::sentence(visit.lang, &refused.to_string());
            page(visit, &[fault("", sentence)], None).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Lang, Money, compared};

    #[test]
    fn the_difference_in_percent_is_exact_to_a_tenth_and_signed() {
        let now = Money::from_fen(291_345_000);
        let before = Money::from_fen(287_120_000);
        assert!(compared(Lang::Zh, now, before).ends_with("+1.4 %"));
        assert!(compared(Lang::Zh, before, now).ends_with("−1.4 %"));
        assert!(compared(Lang::Zh, now, Money::ZERO).contains("上月没有发放"));
    }
}
