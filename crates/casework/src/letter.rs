//! Letters (文书): what a letter is told, and its setting in type from the packs' templates.
//!
//! The data of a letter is written down, sealed, when the act happens, and the template of that day is kept with it; the PDF is made
//! from both whenever it is asked for, so a reprint years later says the same in the same words, whatever the templates say by
//! then. Deliberately absent: the wording, which is in `letters/<word>.typ`.
//!
//! # What a template gets
//!
//! `letters/<word>.typ` of the programme (most specific pack first), else `letters/<word>.typ` at the top of a pack, which
//! all programmes share; shared code is `letter.typ` at the top of a pack folder, `#import "letter.typ": *`. A4, no packages, no other files, no `datetime.today()`. One template serves both
//! languages: `d.lang` is `"zh"` or `"en"`. `#image("qr.svg", width: 24mm, alt: "…")` is the receipt's QR code; a picture without words for
//! it is refused, because the PDF is for the archive and for reading aloud.
//! `#let d = json("data.json")` has every key below, always; what does not apply is `""`, `()` or `none`:
//!
//! | key | example |
//! |---|---|
//! | `lang` `kind` `demo` | `"zh"` `"granted"` `true` (演示: print a mark) |
//! | `place.name` `issuer` | `"宝安区"` `"新安街道"`: the place, and who signs by `decided_by` |
//! | `case_no` `date` `date_text` | `"BA2026-000318"` `"2026-06-20"` `"2026年6月20日"` |
//! | `programme.id` `programme.title` | `"dibao"` `"最低生活保障"` |
//! | `applicant.name` `applicant.id_masked` | `"张芳"` `"440***********1234"` |
//! | `agent` | `none` or `(name: "李四", relation: "邻居")` |
//! | `subject` | the name of the person it is about; for a household the applicant's |
//! | `household.members` `.community` `.street` `.address` | `3` `"海裕社区"` `"新安街道"` `"…"` |
//! | `outcome` | `"met"` `"not_met"` `"to_verify"` or `""` |
//! | `amount` `amount_words` `formula` `every` `unit_text` | `"1,950.00"` `"壹仟玖佰伍拾元整"` `"1,250.00 × 3 − 1,800.00"` `"month"` `"元/月"` |
//! | `previous_amount` | `"2,100.00"` for a change |
//! | `starts` `starts_text` | `"2026-07"` `"2026年7月"`: the first month paid, or no longer paid, or suspended |
//! | `conditions` | `((mark: "●", outcome: "met", sentence: "…", article: "《…》第十三条"), …)`; marks ● ○ ◐ |
//! | `reasons` | `((sentence: "…", article: "…"), …)`: conditions not met and the grounds chosen |
//! | `missing` | `((what: "存款", who: "张小明"), …)`: facts the rule book misses |
//! | `items` | `("身份证明", …)`: everything the applicant is asked for (一次性告知) |
//! | `supply_by_text` | `"2026年6月15日"`: until when to supply |
//! | `opinion` | the officer's opinion |
//! | `act.id` `act.title` | `"confirm"` `"确认发放"` |
//! | `fields` `participants` | `((label: "调查日期", value: "2026-06-02"), …)` `("王五", …)` |
//! | `decision` | `none` or `(no: "BA2026-000318-7", date_text: "…", kind: "grant")` |
//! | `law` | `((article: "《…》第十三条", text: "…"), …)`: the articles relied on, quoted once each |
//! | `remedies.review` `.suit` | `none` or a whole sentence with days and authority |
//! | `check.number` `.code` `.url` | `"BA2026-000318-7"` `"BA2026-000318-7-9M2Q-XW4T"` `"https://…/verify/BA2026-…"`; its QR code is `check.svg` |
//! | `receipt.code` `.url` | `"7K3F-9M2Q-XW4T-C"` `"https://…/progress/7K3F-9M2Q-XW4T-C"` |
//! | `publicity` | `none` or `(from_text: "…", until_text: "…", place: "海裕社区")` |
//! | `next` | `("…", …)`: what happens next, in sentences |

pub mod amount_words;
mod check;
mod contents;
pub mod list;
pub mod printing;
mod sample;
mod template;

pub use check::{PreviewOf, Used, preview, used};
pub(crate) use check::{check, faults_of};
pub(crate) use contents::{Contents, Filled};

use crate::desk::Desk;
use crate::{document, tables};
use access::Scope;
use anyhow::Context;
use papers::Piece;
use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Db, Event, Tx};
use template::Template;
use uuid::Uuid;

/// The language of a letter (文书语言).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lang {
    /// Chinese.
    Zh,
    /// English.
    En,
}

/// What is written down of a letter: its data in both languages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Written {
    zh: Value,
    en: Value,
}

impl Lang {
    /// As tables write it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }
}

impl Written {
    /// In a language.
    pub(crate) fn data(&self, lang: Lang) -> &Value {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

/// Writes a letter down with the act (出具文书), and keeps the template it is set with.
pub(crate) async fn write(
    tx: &Tx,
    desk: &Desk,
    case: Uuid,
    seq: i64,
    contents: &Contents,
) -> anyhow::Result<Uuid> {
    let written = Written {
        zh: contents.data(desk, Lang::Zh),
        en: contents.data(desk, Lang::En),
    };
    let template = Template::of(desk, &contents.programme, &contents.kind)?;
    let (template_sm3, shared_sm3) = template.keep(tx).await?;
    let row = tables::letter::Model {
        id: tx.new_id(),
        case_id: case,
        kind: contents.kind.clone(),
        event_seq: seq,
        issued_on: contents.date,
        sealed: tx
            .keys()
            .seal(&serde_json::to_string(&written).context("writing a letter's data")?),
        at: tx.now(),
        template_sm3: Some(template_sm3),
        shared_sm3,
    };
    let id = row.id;
    crate::rows::insert::<tables::letter::Entity>(tx, row).await?;
    Ok(id)
}

/// A letter as PDF (文书 PDF), `base_url` standing before `/progress/…` in its QR code; `None` outside the scope.
///
/// Opens its own transaction for the journal: do not call it while holding a [`Tx`].
///
/// # Errors
/// Faults of the database, or of the template.
pub async fn pdf(
    db: &Db,
    scope: &Scope,
    desk: &Desk,
    letter: Uuid,
    lang: Lang,
    base_url: &str,
) -> anyhow::Result<Option<Vec<u8>>> {
    let Some(row) = tables::letter::Entity::find_by_id(letter)
        .one(db.conn())
        .await
        .context("reading a letter")?
    else {
        return Ok(None);
    };
    let Some(case) = crate::rows::case_row(db, scope, row.case_id).await? else {
        return Ok(None);
    };
    let template = Template::kept(db, desk, &row, &case.programme).await?;
    let piece = piece(db, &template, &row, &case.number, lang, base_url)?;
    let mut tx = db.begin().await?;
    tx.note(read_event(
        scope,
        &row,
        &case,
        json!({ "letter": row.kind }),
    ));
    tx.commit().await?;
    let set = tokio::task::spawn_blocking(move || papers::pdf_of(&piece)).await;
    set.context("setting a letter in type")?.map(Some)
}

/// What the journal says of a letter that was looked at.
fn read_event(
    scope: &Scope,
    row: &tables::letter::Model,
    case: &tables::case::Model,
    detail: Value,
) -> Event {
    Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "casework.read_letter".to_owned(),
        subject_kind: "case".to_owned(),
        subject_id: row.case_id.to_string(),
        region: case.region.parse().ok(),
        detail,
    }
}

/// A letter ready to be set: its sealed data, its template, its QR codes.
fn piece(
    db: &Db,
    template: &Template,
    row: &tables::letter::Model,
    case_number: &str,
    lang: Lang,
    base_url: &str,
) -> anyhow::Result<Piece> {
    let written: Written =
        serde_json::from_str(&db.keys().unseal(&row.sealed)?).context("reading a letter's data")?;
    let mut data = written.data(lang).clone();
    let base = base_url.trim_end_matches('/');
    let progress = data
        .pointer("/receipt/url")
        .and_then(Value::as_str)
        .unwrap_or("/progress");
    let progress = format!("{base}{progress}");
    if let Some(place) = data.pointer_mut("/receipt/url") {
        *place = Value::String(progress.clone());
    }
    let number = document::number(case_number, row.event_seq);
    let check_code = document::code(db.keys(), &number, &row.id.to_string());
    let leads = template::Leads {
        progress,
        check: format!("{base}/verify/{check_code}"),
        check_code,
        number,
    };
    template.piece(data, &leads)
}
