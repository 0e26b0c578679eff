//! Letters (文书): what a letter is told, and its setting in type from the packs' templates.
//!
//! The data of a letter is written down, sealed, when the act happens; the PDF is made from it whenever it is asked for,
//! so a reprint years later says the same. Deliberately absent: the wording, which is in `letters/<word>.typ`.
//!
//! # What a template gets
//!
//! `letters/<word>.typ` of the programme (most specific pack first), else `letters/<word>.typ` at the top of a pack, which
//! all programmes share; shared code is `letter.typ` at the top of a pack folder, `#import "letter.typ": *`. A4, no packages, no other files, no `datetime.today()`. One template serves both
//! languages: `d.lang` is `"zh"` or `"en"`. `#image("qr.svg", width: 24mm)` is the receipt's QR code.
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
//! | `check.code` `.url` | `"BA2026-000318-7-9M2Q-XW4T"` `"https://…/verify/BA2026-…"`; its QR code is `#image("check.svg")` |
//! | `receipt.code` `.url` | `"7K3F-9M2Q-XW4T-C"` `"https://…/progress/7K3F-9M2Q-XW4T-C"` |
//! | `publicity` | `none` or `(from_text: "…", until_text: "…", place: "海裕社区")` |
//! | `next` | `("…", …)`: what happens next, in sentences |

pub mod amount_words;
mod contents;
mod sample;

pub(crate) use contents::{Contents, Filled};

use crate::desk::Desk;
use crate::{document, tables};
use access::Scope;
use anyhow::Context;
use policy::{Fault, Programme};
use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::{Db, Event, Tx};
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

impl Written {
    /// In a language.
    pub(crate) fn data(&self, lang: Lang) -> &Value {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

/// Where a printed letter leads (文书上的二维码): how far the case is, and whether the paper is one of ours.
struct Leads {
    progress: String,
    check_code: String,
    check: String,
}

/// Writes a letter down with the act (出具文书).
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
    let written: Written =
        serde_json::from_str(&db.keys().unseal(&row.sealed)?).context("reading a letter's data")?;
    let programme = desk
        .programme(&case.programme)
        .context("the programme of a letter is not in the packs")?;
    let mut tx = db.begin().await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "casework.read_letter".to_owned(),
        subject_kind: "case".to_owned(),
        subject_id: row.case_id.to_string(),
        region: case.region.parse().ok(),
        detail: json!({ "letter": row.kind }),
    });
    tx.commit().await?;
    let mut data = written.data(lang).clone();
    let base = base_url.trim_end_matches('/');
    let progress = data
        .pointer("/receipt/url")
        .and_then(Value::as_str)
        .unwrap_or("/progress");
    let number = document::number(&case.number, row.event_seq);
    let check_code = document::code(db.keys(), &number, &row.id.to_string());
    let leads = Leads {
        progress: format!("{base}{progress}"),
        check: format!("{base}/verify/{check_code}"),
        check_code,
    };
    if let Some(place) = data.pointer_mut("/receipt/url") {
        *place = Value::String(leads.progress.clone());
    }
    set(desk, programme, &row.kind, data, &leads).map(Some)
}

fn set(
    desk: &Desk,
    programme: &Programme,
    word: &str,
    mut data: Value,
    leads: &Leads,
) -> anyhow::Result<Vec<u8>> {
    // Not sealed with the letter: it follows from it, and letters of earlier days have it as well.
    data["check"] = json!({ "code": leads.check_code, "url": leads.check });
    let (_, text) = desk
        .texts
        .letter(programme, word)
        .with_context(|| format!("没有文书模板 letters/{word}.typ"))?;
    let mut beside = BTreeMap::from([
        (
            "qr.svg".to_owned(),
            papers::qr_svg(&leads.progress)?.into_bytes(),
        ),
        (
            "check.svg".to_owned(),
            papers::qr_svg(&leads.check)?.into_bytes(),
        ),
    ]);
    if let Some((_, shared)) = desk.book.place().texts.get("letter.typ") {
        beside.insert("letter.typ".to_owned(), shared.clone().into_bytes());
    }
    papers::pdf_with(&text, &data, &beside)
}

/// Compiles a template with sample data in both languages (检查文书模板).
pub(crate) fn check(desk: &Desk, programme: &Programme, word: &str) -> Vec<Fault> {
    let Some((file, _)) = desk.texts.letter(programme, word) else {
        return Vec::new();
    };
    let shared = desk
        .book
        .place()
        .texts
        .get("letter.typ")
        .map(|(file, _)| file.clone());
    let name = |path: &std::path::Path| crate::desk::fault_file(&desk.book, path);
    let leads = Leads {
        progress: "https://example.test/progress/SAMPLE".to_owned(),
        check_code: "SAMPLE-1-0000-0000".to_owned(),
        check: "https://example.test/verify/SAMPLE-1-0000-0000".to_owned(),
    };
    let mut faults = Vec::new();
    for lang in [Lang::Zh, Lang::En] {
        let data = sample::contents(desk, programme, word).data(desk, lang);
        let Err(fault) = set(desk, programme, word, data, &leads) else {
            continue;
        };
        match fault.downcast::<papers::PaperFault>() {
            Ok(papers::PaperFault(found)) => faults.extend(found.into_iter().map(|found| Fault {
                file: match &shared {
                    Some(shared) if found.file == "letter.typ" => name(shared),
                    _ => name(&file),
                },
                line: u32::try_from(found.line.max(1)).unwrap_or(1),
                column: u32::try_from(found.column.max(1)).unwrap_or(1),
                sentence_zh: format!("文书模板不能排版：{}", found.sentence),
            })),
            Err(fault) => {
                faults.push(Fault {
                    file: name(&file),
                    line: 1,
                    column: 1,
                    sentence_zh: fault.to_string(),
                });
            }
        }
    }
    faults
}
