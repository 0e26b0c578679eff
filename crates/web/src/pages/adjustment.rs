//! One standard adjustment (一次标准调整): who gains how much, who goes to a review, and carrying it out by a second officer.
//!
//! It goes on in the background when it takes long; the page shows how far it is. Killed in the middle, pressing 继续办理 goes
//! on: every case is changed once.

use super::adjustments::{found, state};
use super::pay_runs::{programme, programmes};
use crate::parts::export::{Export, few_enough};
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::piece::Figure;
use crate::parts::{format, pager, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose};
use anyhow::Context;
use axum::http::{HeaderValue, header};
use casework::adjustment::{
    self, Adjustment, Difference, Line, LineResult, Refused, State, Summed,
};
use maud::{Markup, html};
use sheets::{Column, Field, Kind};
use std::time::Duration;
use store::Page;
use vocab::Money;

/// Lines a page shows.
const ROWS: u64 = 50;
/// How long the visitor waits before he is shown the progress.
const PATIENCE: Duration = Duration::from_secs(6);

fn word(difference: Difference) -> &'static str {
    match difference {
        Difference::More => "more",
        Difference::Less => "less",
        Difference::People => "people",
        Difference::NotMet => "not_met",
        Difference::ToVerify => "to_verify",
    }
}

fn label(visit: &Visit, difference: Difference) -> &'static str {
    match difference {
        Difference::More => visit.t("增加"),
        Difference::Less => visit.t("减少"),
        Difference::People => visit.t("人员有变化"),
        Difference::NotMet => visit.t("不再符合"),
        Difference::ToVerify => visit.t("待核实"),
    }
}

/// What became of a line, or what will.
fn outcome(visit: &Visit, one: &Adjustment, line: &Line) -> &'static str {
    let carried_out = line.difference.is_carried_out() || one.reverses.is_some();
    match (line.result, carried_out) {
        (Some(LineResult::Changed), _) => visit.t("已调整"),
        (Some(LineResult::Review), _) => visit.t("已转街道复核"),
        (None, true) => visit.t("复核后直接调整"),
        (None, false) => visit.t("复核后转街道复核，不自动改变"),
    }
}

/// The sums of one kind.
struct Kinds(Vec<Summed>);

impl Kinds {
    fn of(&self, difference: Difference) -> impl Iterator<Item = &Summed> {
        self.0
            .iter()
            .filter(move |one| one.difference == difference)
    }

    fn cases(&self, difference: Difference) -> u64 {
        self.of(difference).map(|one| one.cases).sum()
    }

    fn all(&self) -> u64 {
        self.0.iter().map(|one| one.cases).sum()
    }

    fn done(&self) -> u64 {
        let done = self.0.iter().filter(|one| one.result.is_some());
        done.map(|one| one.cases).sum()
    }

    /// What a month costs more; less than nothing for a way back.
    fn monthly(&self, one: &Adjustment) -> anyhow::Result<Money> {
        let carried = self
            .0
            .iter()
            .filter(|sum| one.reverses.is_some() || sum.difference.is_carried_out());
        let mut more = Money::ZERO;
        for sum in carried {
            more = more.plus(sum.after.minus(sum.before)?)?;
        }
        Ok(more)
    }
}

/// `GET /adjustments/{id}` (标准调整详情).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, &[]).await
}

fn chosen(visit: &Visit) -> Option<Difference> {
    let wanted = visit.query.get("show");
    Difference::ALL.into_iter().find(|one| word(*one) == wanted)
}

async fn page(visit: &Visit, errors: &[FieldError]) -> Answer {
    let lang = visit.lang;
    let (scope, one) = found(visit).await?;
    let db = &visit.app.db;
    let kinds = Kinds(adjustment::summed(db, &scope, one.id).await?);
    let shown = chosen(visit);
    let (offset, limit) = visit.paging(ROWS);
    let lines = adjustment::lines(db, &scope, one.id, shown, offset, limit).await?;
    let path = format!("/adjustments/{}", one.id);
    let figure = |difference: Option<Difference>, label: &str, count: u64, tone| Figure {
        label: label.to_owned(),
        count,
        href: difference.map_or_else(|| path.clone(), |one| format!("{path}?show={}", word(one))),
        tone,
        chosen: shown == difference,
    };
    let mut figures = vec![figure(None, visit.t("全部变化"), kinds.all(), "")];
    figures.extend(Difference::ALL.into_iter().map(|difference| {
        let tone = if difference.is_carried_out() {
            "green"
        } else {
            "yellow"
        };
        figure(
            Some(difference),
            label(visit, difference),
            kinds.cases(difference),
            tone,
        )
    }));
    let body = html! {
        @if one.state == State::Running {
            div.note role="status" {
                p { (visit.t("正在逐件办理。可以离开本页，不影响办理。")) }
                (piece::progress(lang, kinds.done(), kinds.all()))
                p { a href=(format!("{path}?watch=1")) { (visit.t("刷新进度")) } }
            }
        }
        div.verdict {
            span.amount { (format::money(lang, kinds.monthly(&one)?)) }
            span { (visit.t("每月增加")) }
            span.quiet { (lang.f("看了 {looked} 件，{touched} 件有变化", &[
                ("looked", &one.looked_at), ("touched", &kinds.all()),
            ])) }
        }
        (what_next(visit, &one, errors))
        (piece::figures(&figures))
        @if lines.rows.is_empty() {
            (piece::empty(visit.t("这一类没有办件。"), &html! {}))
        } @else {
            (lines_table(visit, &one, &lines, &path))
        }
        (piece::section(visit.t("经办"), &piece::facts(&[
            (visit.t("事项").to_owned(), html! { (programmes(visit, Some(&one.programmes))) }),
            (visit.t("从哪个月起").to_owned(), html! { (one.from) }),
            (visit.t("依据").to_owned(), html! { (one.basis) }),
            (visit.t("地区").to_owned(), html! { (visit.place(one.region)) }),
            (visit.t("拟定").to_owned(), html! { (one.proposer) " " (format::instant(one.proposed_at)) }),
            (visit.t("复核").to_owned(), html! {
                (one.approver.as_deref().unwrap_or("—"))
                @if let Some(at) = one.approved_at { " " (format::instant(at)) }
            }),
            (visit.t("规则版本").to_owned(), html! { (one.pack_version) }),
        ])))
    };
    let note = match visit.query.get("done") {
        "proposed" => {
            Some(html! { (visit.t("已逐件测算，还没有改变任何一件。请核对后由另一位同事复核。")) })
        }
        "approved" => {
            Some(html! { (visit.t("已办完。增加的从起始月执行，已发月份的差额下一批补发。")) })
        }
        _ => None,
    };
    let mut answer = visit
        .page(lang.f("{month} 起标准调整", &[("month", &one.from)]))
        .nav("/adjustments")
        .back("/adjustments", visit.t("标准调整"))
        .wide()
        .acts(html! {
            a.button href=(format!("{path}/export")) { (visit.t("导出 Excel")) }
            (piece::tag(state(visit, one.state)))
            @if one.reverses.is_some() { (piece::tag(visit.t("回退"))) }
        })
        .note(note)
        .errors(errors)
        .show(&body);
    // Only while somebody watches: the page asks again by itself, without any script.
    if one.state == State::Running && visit.query.get("watch") == "1" {
        answer
            .headers_mut()
            .insert(header::REFRESH, HeaderValue::from_static("3"));
    }
    Ok(answer)
}

fn lines_table(visit: &Visit, one: &Adjustment, lines: &Page<Line>, path: &str) -> Markup {
    let lang = visit.lang;
    let columns = [
        table::text(visit.t("办件号")),
        table::text(visit.t("对象")),
        table::text(visit.t("事项")),
        table::text(visit.t("地区")),
        table::text(visit.t("变化")),
        table::number(visit.t("现在每月")),
        table::number(visit.t("新标准每月")),
        table::number(visit.t("差额")),
        table::text(visit.t("怎么办")),
    ];
    let rows = lines
        .rows
        .iter()
        .map(|line| {
            let more = line.after.and_then(|after| after.minus(line.before).ok());
            table::row(
                format!("/cases/{}", line.case),
                vec![
                    html! { (line.number) },
                    html! { (line.subject) },
                    html! { (programme(visit, &line.programme)) },
                    html! { (visit.place(line.region)) },
                    html! { (label(visit, line.difference)) },
                    html! { (line.before) },
                    html! { (line.after.map_or_else(|| "—".to_owned(), |after| after.to_string())) },
                    html! { (more.map_or_else(|| "—".to_owned(), |more| more.to_string())) },
                    html! {
                        (outcome(visit, one, line))
                        @if !line.said.is_empty() && line.result.is_some() { div.quiet { (words::sentence(lang, &line.said)) } }
                    },
                ],
            )
        })
        .collect();
    html! {
        (table::table(lang, visit.t("标准调整明细"), &columns, rows, path, &visit.query))
        p.quiet { (visit.t("金额单位：元")) }
        (pager::pager(lang, lines, path, &visit.query))
    }
}

/// What can be done with it as it stands.
fn what_next(visit: &Visit, one: &Adjustment, errors: &[FieldError]) -> Markup {
    let to = |act: &str| format!("/adjustments/{}/{act}", one.id);
    let approver = visit.can(Permission::ApproveAdjustment);
    let proposer = visit.can(Permission::ProposeAdjustment);
    html! {
        @match one.state {
            State::Proposed | State::Running => {
                p.quiet { (visit.t("只有金额增加的直接调整；减少的、人员有变化的、不再符合的、待核实的转街道复核，先听取意见再决定。")) }
                div.buttons {
                    @if approver {
                        form method="post" action=(to("approve")) {
                            (form::token(visit))
                            button.primary type="submit" {
                                @if one.state == State::Running { (visit.t("继续办理")) } @else { (visit.t("同意并办理")) }
                            }
                        }
                    }
                    @if proposer && one.state == State::Proposed {
                        form method="post" action=(to("withdraw")) {
                            (form::token(visit))
                            button.danger type="submit" { (visit.t("撤回")) }
                        }
                    }
                }
            }
            State::Done => @if proposer && one.reverses.is_none() {
                details open[!errors.is_empty()] {
                    summary { (visit.t("这次调整有误，要回退")) }
                    form method="post" action=(to("roll-back")) {
                        (form::token(visit))
                        (field(visit.lang, "basis", visit.t("回退的依据")).hint(html! {
                            (visit.t("回退是一次新的调整，也要另一位同事复核；多发的由台账列出，协商后再追回。"))
                        }).errors(errors).text())
                        (form::act(visit.t("拟定回退")))
                    }
                }
            },
            State::Withdrawn => {},
        }
    }
}

/// A refusal on the page of the adjustment.
async fn refused(visit: &Visit, refused: Refused) -> Answer {
    match refused {
        Refused::NotThere => Err(Problem::NotFound),
        Refused::Denied(denied) => Err(denied.into()),
        other => {
            let at = if other == Refused::BasisMissing {
                "basis"
            } else {
                ""
            };
            let sentence = words::sentence(visit.lang, &other.to_string());
            page(visit, &[fault(at, sentence)]).await
        }
    }
}

/// `POST /adjustments/{id}/approve` (复核并办理标准调整).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn approve(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Payment)?;
    let (_, one) = found(visit).await?;
    let (db, desk, id) = (visit.app.db.clone(), visit.app.desk.clone(), one.id);
    // In a task of its own: a visitor who closes his browser does not stop it.
    let running = tokio::spawn(async move {
        let ended = adjustment::approve(&db, &scope, &desk, id).await;
        if let Err(fault) = &ended {
            tracing::error!(adjustment = %id, fault = format!("{fault:#}"), "an adjustment stopped");
        }
        ended
    });
    let Ok(ended) = tokio::time::timeout(PATIENCE, running).await else {
        return visit.go(&format!("/adjustments/{id}?watch=1"));
    };
    match ended.context("the task of an adjustment ended badly")?? {
        Ok(_) => visit.go(&format!("/adjustments/{id}?done=approved")),
        Err(why) => refused(visit, why).await,
    }
}

/// `POST /adjustments/{id}/withdraw` (撤回标准调整).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn withdraw(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Payment)?;
    let mut tx = visit.app.db.begin().await?;
    match adjustment::withdraw(&mut tx, &scope, visit.id("id")?).await? {
        Ok(()) => {
            tx.commit().await?;
            visit.go("/adjustments?done=withdrawn")
        }
        Err(why) => {
            tx.rollback().await?;
            refused(visit, why).await
        }
    }
}

/// `POST /adjustments/{id}/roll-back` (拟定回退).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn roll_back(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Payment)?;
    let mut tx = visit.app.db.begin().await?;
    let basis = visit.form.get("basis");
    match adjustment::roll_back(&mut tx, &scope, &visit.app.desk, visit.id("id")?, basis).await? {
        Ok(back) => {
            tx.commit().await?;
            visit.go(&format!("/adjustments/{back}?done=proposed"))
        }
        Err(why) => {
            tx.rollback().await?;
            refused(visit, why).await
        }
    }
}

/// `GET /adjustments/{id}/export` (导出标准调整明细).
///
/// # Errors
/// [`Problem::Conflict`] when there are too many rows.
pub async fn export(visit: &Visit) -> Answer {
    let (scope, one) = found(visit).await?;
    let most = visit.app.config.export_rows;
    let lines = adjustment::lines(&visit.app.db, &scope, one.id, chosen(visit), 0, most).await?;
    few_enough(visit, lines.total, most)?;
    let columns = vec![
        Column::new(visit.t("办件号"), Kind::Text, 18),
        Column::new(visit.t("对象"), Kind::Text, 12),
        Column::new(visit.t("事项"), Kind::Text, 16),
        Column::new(visit.t("地区"), Kind::Text, 16),
        Column::new(visit.t("变化"), Kind::Text, 12),
        Column::new(visit.t("现在每月"), Kind::Money, 12),
        Column::new(visit.t("新标准每月"), Kind::Money, 12),
        Column::new(visit.t("怎么办"), Kind::Text, 24),
    ];
    let rows = lines
        .rows
        .iter()
        .map(|line| {
            vec![
                Field::text(&line.number),
                Field::text(&line.subject),
                Field::text(programme(visit, &line.programme)),
                Field::text(visit.place(line.region)),
                Field::text(label(visit, line.difference)),
                Field::Money(line.before),
                line.after.map_or(Field::Empty, Field::Money),
                Field::text(outcome(visit, &one, line)),
            ]
        })
        .collect();
    Export {
        name: visit.t("标准调整"),
        file: format!("{}-{}", visit.t("标准调整"), one.from),
        act: "web.export_adjustment",
        subject: ("adjustment", one.id.to_string()),
        columns,
        rows,
        total: lines.total,
    }
    .answer(visit, &scope)
    .await
}
