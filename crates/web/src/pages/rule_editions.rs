//! The history of the rules (规则历史): every edition that was in force, what it changed, and its files to take away.
//!
//! Guarantees: an edition is shown and exported as it was in force, to the byte.

use crate::parts::{diff, format, listing, piece, proof, table};
use crate::problem::{Answer, Problem};
use crate::visit::{Visit, download};
use access::Purpose;
use casework::rulebook::EditionKind;
use casework::rulebook::Texts;
use casework::rulebook::list::{self, Edition};
use maud::{Markup, html};
use serde_json::json;
use store::Event;

/// Rows a page shows.
const ROWS: u64 = 30;

fn kind(visit: &Visit, edition: &Edition) -> String {
    match edition.kind {
        EditionKind::Delivered => visit.t("随系统交付").to_owned(),
        EditionKind::Published => proof::title(visit, &edition.programme),
    }
}

/// `GET /rules/editions` (规则历史).
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    let (offset, limit) = visit.paging(ROWS);
    let found = list::editions(&visit.app.db, offset, limit).await?;
    let present = visit.app.shelf.now().number;
    let columns = [
        table::number(visit.t("版次")),
        table::text(visit.t("改动")),
        table::text(visit.t("依据")),
        table::text(visit.t("施行日")),
        table::text(visit.t("提请人")),
        table::text(visit.t("发布人")),
        table::text(visit.t("发布时间")),
    ];
    let rows = found
        .rows
        .iter()
        .map(|one| {
            table::row(
                format!("/rules/editions/{}", one.number),
                vec![
                    html! { (one.number) @if one.number == present { " " (piece::tag(visit.t("现行"))) } },
                    html! { (kind(visit, one)) },
                    html! { (one.basis) },
                    html! { (format::date(one.from)) },
                    html! { (one.proposer) },
                    html! { (one.publisher) },
                    html! { (format::instant(one.published_at)) },
                ],
            )
        })
        .collect();
    let body = html! {
        (listing::listed(visit, (visit.t("规则历史"), "/rules/editions"), &columns, rows, &found, &piece::empty(visit.t("这台服务没有保存规则的历史。"), &html! {})))
    };
    Ok(visit
        .page(visit.t("规则历史"))
        .nav("/rules")
        .back("/rules", visit.t("规则"))
        .acts(html! {
            @if present > 0 {
                a.button href=(format!("/rules/editions/{present}/export")) { (visit.t("导出现行规则")) }
            }
        })
        .wide()
        .show(&body))
}

async fn found(visit: &Visit) -> Result<(Edition, Texts), Problem> {
    let number: i64 = visit.id("id")?;
    let edition = list::edition(&visit.app.db, number)
        .await?
        .ok_or(Problem::NotFound)?;
    let texts = visit
        .app
        .shelf
        .texts(&visit.app.db, number)
        .await?
        .ok_or(Problem::NotFound)?;
    Ok((edition, texts))
}

/// `GET /rules/editions/{id}` (某一版规则).
///
/// # Errors
/// [`Problem::NotFound`] for a number that was never in force.
pub async fn one(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let (edition, texts) = found(visit).await?;
    let before = visit
        .app
        .shelf
        .texts(&visit.app.db, edition.number - 1)
        .await?
        .unwrap_or_default();
    let body = html! {
        (piece::section(visit.t("版次"), &about(visit, &edition)))
        @if edition.number == 1 { p.quiet { (visit.t("第一版：规则包随系统交付时的全部文件。")) } }
        @for path in &edition.changed {
            (piece::section(path, &diff::lines(
                lang, path, before.get(path).unwrap_or_default(), texts.get(path).unwrap_or_default(),
            )))
        }
    };
    let note = match visit.query.get("done") {
        "published" => Some(html! {
            (visit.t("已发布，现在办件按这一版规则。金额有变的，请用“标准调整”落实到已有待遇。"))
        }),
        _ => None,
    };
    Ok(visit
        .page(lang.f("规则第 {number} 版", &[("number", &edition.number)]))
        .nav("/rules")
        .back("/rules", visit.t("规则"))
        .back("/rules/editions", visit.t("规则历史"))
        .acts(html! {
            a.button href=(format!("/rules/editions/{}/export", edition.number)) { (visit.t("导出全部文件")) }
        })
        .note(note)
        .wide()
        .show(&body))
}

fn about(visit: &Visit, edition: &Edition) -> Markup {
    let mut pairs = vec![
        (visit.t("改动").to_owned(), html! { (kind(visit, edition)) }),
        (
            visit.t("施行日").to_owned(),
            html! { (format::date(edition.from)) },
        ),
        (
            visit.t("发布时间").to_owned(),
            html! { (format::instant(edition.published_at)) },
        ),
        (
            visit.t("规则版本").to_owned(),
            html! { (edition.book_version) },
        ),
        (
            visit.t("规则指纹").to_owned(),
            html! { code { (edition.book_hash.get(..16).unwrap_or_default()) } },
        ),
        (
            visit.t("文件指纹").to_owned(),
            html! { code { (edition.sm3.get(..16).unwrap_or_default()) } },
        ),
    ];
    if edition.kind == EditionKind::Published {
        pairs.push((visit.t("依据").to_owned(), html! { (edition.basis) }));
        pairs.push((visit.t("提请人").to_owned(), html! { (edition.proposer) }));
        pairs.push((visit.t("发布人").to_owned(), html! { (edition.publisher) }));
    }
    if !edition.correction.is_empty() {
        pairs.push((
            visit.t("更正原因").to_owned(),
            html! { (edition.correction) },
        ));
    }
    if !edition.changed.is_empty() {
        pairs.push((
            visit.t("改动的文件").to_owned(),
            proof::files(edition.changed.iter().map(String::as_str)),
        ));
    }
    piece::facts(&pairs)
}

/// `GET /rules/editions/{id}/export` (导出某一版规则).
///
/// # Errors
/// [`Problem::NotFound`] for a number that was never in force.
pub async fn export(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let (edition, texts) = found(visit).await?;
    let bytes = tokio::task::spawn_blocking(move || texts.zip("packs"))
        .await
        .map_err(anyhow::Error::from)??;
    let mut tx = visit.app.db.begin().await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "web.export_rules".to_owned(),
        subject_kind: "rule_edition".to_owned(),
        subject_id: edition.number.to_string(),
        region: Some(scope.region),
        detail: json!({ "sm3": edition.sm3 }),
    });
    tx.commit().await?;
    Ok(download(
        &format!("{}-{}.zip", visit.app.shelf.place(), edition.number),
        "application/zip",
        bytes,
    ))
}
