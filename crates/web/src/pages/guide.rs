//! The one sheet about a programme (一次性告知单): everything an applicant has to know, as a page and on paper.
//!
//! Guarantees: page and paper say the same, from what holds today; the paper's QR code leads to the page, which says what holds
//! on the day it is read. Deliberately absent: the wording of the paper's frame, which is in `one_time_sheet.typ` of the packs.

mod content;
mod way;

use super::rules::title;
use crate::parts::{law, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::{Visit, inline};
use anyhow::Context;
use casework::procedure::Procedure;
use content::{Block, Part, Point, Standard};
use maud::{Markup, PreEscaped, html};
use policy::Programme;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The template of the paper, at the top of a pack.
const TEMPLATE: &str = "one_time_sheet.typ";

/// A programme one can apply for here, its procedure, and the address of its page.
fn found(visit: &Visit) -> Result<(&Programme, &Procedure, String), Problem> {
    let desk = &visit.app.desk;
    let id = visit.part("id");
    let programme = desk.book.programme(id).ok_or(Problem::NotFound)?;
    let procedure = desk.procedure(id).ok_or(Problem::NotFound)?;
    // On paper the sheet leads back to itself, to what holds on the day it is read.
    let base = visit.app.config.base_url.trim_end_matches('/');
    Ok((programme, procedure, format!("{base}/programmes/{id}")))
}

/// `GET /programmes/{id}` (一次性告知单).
///
/// # Errors
/// [`Problem::NotFound`] for a programme nobody can apply for here.
pub async fn show(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let (programme, procedure, link) = found(visit)?;
    let parts = content::parts(visit, programme, procedure);
    // Where it is done stands before what may be done against it.
    let last = parts.len()
        - usize::from(procedure.review_remedy.is_some() || procedure.suit_remedy.is_some())
        - 1;
    let (before, after) = parts.split_at(last);
    let shown = |part: &Part| piece::section(part.heading, &blocks(visit, part));
    let body = html! {
        p.lead { (lang.pick(&programme.summary_zh, &programme.summary_en)) }
        @for part in before { (shown(part)) }
        (piece::section(visit.t("在哪里办"), &where_to(visit, &link)?))
        @for part in after { (shown(part)) }
        p.quiet { (visit.t("规则版本")) " " (visit.app.desk.book.version()) }
    };
    let acts = html! {
        a.button href=(format!("/programmes/{}/sheet.pdf", programme.id)) target="_blank" rel="noopener" { (visit.t("打印版（PDF）")) }
    };
    Ok(visit
        .page(heading(visit, programme))
        .back("/programmes", visit.t("办事事项"))
        .acts(acts)
        .show(&body))
}

fn heading(visit: &Visit, programme: &Programme) -> String {
    visit.lang.f(
        "{title}：一次性告知单",
        &[("title", &title(visit.lang, programme))],
    )
}

fn anywhere(visit: &Visit) -> String {
    let place = visit.app.desk.book.place();
    visit.lang.f(
        "{place}任何一个街道、社区的服务窗口；走不开的可以申请上门办理。",
        &[("place", &visit.lang.pick(&place.name_zh, &place.name_en))],
    )
}

fn where_to(visit: &Visit, link: &str) -> Result<Markup, Problem> {
    let line = &visit.app.config.help_line;
    Ok(html! {
        p { (anywhere(visit)) }
        p { (visit.t("服务热线")) " " a href=(format!("tel:{line}")) { (line) } }
        p { a href="/progress" { (visit.t("查询办理进度")) } }
        div.qr { (PreEscaped(papers::qr_svg(link)?)) }
        p.quiet { (visit.t("扫码在手机上看本页。")) " " code { (link) } }
    })
}

fn blocks(visit: &Visit, part: &Part) -> Markup {
    let book = &visit.app.desk.book;
    html! {
        @for block in &part.blocks {
            @match block {
                Block::Text(text) => p { (text) },
                Block::Quiet(text) => p.quiet { (text) },
                Block::Under(text) => h3 { (text) },
                Block::Points(points) => ul.bullets { @for one in points { li { (said(one)) } } },
                Block::Steps(points) => ol.steps-list { @for one in points { li { (said(one)) } } },
                Block::Standards(all) => (standards(visit, all)),
                Block::Besides(all) => details.act-form { summary { (visit.t("计算时还用到的标准")) } (standards(visit, all)) },
                Block::Law(all) => { @for citation in all { (law::quote(book, citation)) } },
            }
        }
    }
}

fn said(point: &Point) -> Markup {
    html! {
        (point.text)
        @if !point.strong.is_empty() { " " strong { (point.strong) } " " }
        @if !point.note.is_empty() { span.quiet { " · " (point.note) } }
    }
}

fn standards(visit: &Visit, all: &[Standard]) -> Markup {
    let columns = [
        table::text(visit.t("标准")),
        table::text(visit.t("现在是")),
        table::text(visit.t("来源")),
    ];
    let rows = all.iter().map(|one| {
        table::still(vec![
            html! {
                span lang="zh-CN" { (one.what) }
                @if !one.place.is_empty() { " · " (one.place) }
            },
            html! {
                @if let [single] = one.now.as_slice() { (single) }
                @else { ul.plain-list { @for line in &one.now { li { (line) } } } }
                @if one.demo { " " (piece::tag(visit.t("演示"))) }
            },
            html! { span lang="zh-CN" { (one.source) } },
        ])
    });
    table::table(
        visit.lang,
        visit.t("标准"),
        &columns,
        rows.collect(),
        "",
        &visit.query,
    )
}

/// `GET /programmes/{id}/sheet.pdf` (一次性告知单 PDF).
///
/// # Errors
/// [`Problem::NotFound`] for a programme nobody can apply for here.
pub async fn pdf(visit: &Visit) -> Answer {
    let (programme, procedure, link) = found(visit)?;
    let parts = content::parts(visit, programme, procedure);
    let desk = &visit.app.desk;
    let place = desk.book.place();
    let (_, template) = place
        .texts
        .get(TEMPLATE)
        .cloned()
        .with_context(|| format!("规则包里没有 {TEMPLATE} (no template)"))?;
    let lang = visit.lang;
    let data = json!({
        "lang": lang.code(),
        "demo": place.demo,
        "date": visit.today().to_string(),
        "date_text": crate::parts::format::date_long(lang, visit.today()),
        "issuer": lang.pick(&place.name_zh, &place.name_en),
        "title": title(lang, programme),
        "summary": lang.pick(&programme.summary_zh, &programme.summary_en),
        "parts": parts.iter().map(|part| on_paper(visit, part)).collect::<Vec<_>>(),
        "where": anywhere(visit),
        "phone": visit.app.config.help_line,
        "link": link,
        "version": desk.book.version(),
    });
    let set = tokio::task::spawn_blocking(move || {
        papers::pdf_of(&papers::Piece {
            template,
            data,
            files: BTreeMap::from([("qr.svg".to_owned(), papers::qr_svg(&link)?.into_bytes())]),
        })
    });
    let bytes = set.await.context("setting the one sheet in type")??;
    let name = format!("{}.pdf", heading(visit, programme));
    Ok(inline(&name, "application/pdf", bytes))
}

/// A part for the template: kind and what is in it.
fn on_paper(visit: &Visit, part: &Part) -> Value {
    let desk = &visit.app.desk;
    let points = |all: &[Point]| -> Vec<Value> {
        all.iter()
            .map(|one| json!({ "strong": one.strong, "text": one.text, "note": one.note }))
            .collect()
    };
    let standards = |all: &[Standard]| -> Vec<Value> {
        all.iter()
            .map(|one| {
                let demo = if one.demo { visit.t("演示") } else { "" };
                json!({ "what": one.what, "place": one.place, "now": one.now, "demo": demo, "source": one.source })
            })
            .collect()
    };
    let blocks: Vec<Value> = part
        .blocks
        .iter()
        .map(|block| match block {
            Block::Text(text) => json!({ "kind": "text", "text": text }),
            Block::Quiet(text) => json!({ "kind": "quiet", "text": text }),
            Block::Under(text) => json!({ "kind": "under", "text": text }),
            Block::Points(all) => json!({ "kind": "points", "points": points(all) }),
            Block::Steps(all) => json!({ "kind": "steps", "points": points(all) }),
            Block::Standards(all) => json!({ "kind": "standards", "rows": standards(all) }),
            Block::Besides(all) => json!({ "kind": "besides", "rows": standards(all) }),
            Block::Law(all) => json!({
                "kind": "law",
                "titles": all.iter().map(|citation| desk.article_title(citation)).collect::<Vec<_>>(),
            }),
        })
        .collect();
    json!({ "heading": part.heading, "blocks": blocks })
}
