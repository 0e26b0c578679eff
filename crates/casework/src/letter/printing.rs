//! Printing many letters at once (文书合印): chosen letters marked as printed, and one PDF of them all.
//!
//! Guarantees: a printing is all its letters or none; each begins on the front of a sheet, so two-sided printing keeps them apart;
//! the file can be had again, and each time every letter in it is written into the journal. Deliberately absent: the printer;
//! that it came out on paper is for whoever stands beside it.

use super::list::{LetterFilter, condition};
use super::template::Template;
use super::{Lang, piece, read_event};
use crate::desk::Desk;
use crate::tables::{case, letter, letter_print};
use access::Scope;
use anyhow::Context;
use papers::Piece;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use std::collections::BTreeMap;
use store::{Db, Event, Tx, inside};
use uuid::Uuid;

/// Letters of one printing, at most.
pub const MOST: u64 = 500;

/// Why letters were not printed (不予合印原因).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// None was chosen, or none is left.
    #[error("没有要打印的文书；请先勾选")]
    Nothing,
    /// More than one file may hold.
    #[error("一次最多合印 {MOST} 份；请按日期、事项或者街道分几次")]
    TooMany,
    /// One of them is not in the scope.
    #[error("有一份文书不在您的辖区或者已经没有了；请刷新后重新勾选")]
    NotThere,
}

/// The letters of a filter (按条件选取), as many as one printing holds.
///
/// # Errors
/// Faults of the database.
pub async fn of_filter(db: &Db, scope: &Scope, filter: &LetterFilter) -> anyhow::Result<Vec<Uuid>> {
    letter::Entity::find()
        .select_only()
        .column(letter::Column::Id)
        .filter(condition(scope, filter))
        .order_by_desc(letter::Column::IssuedOn)
        .order_by_asc(letter::Column::CaseId)
        .order_by_asc(letter::Column::Id)
        .limit(MOST)
        .into_tuple()
        .all(db.conn())
        .await
        .context("choosing letters to print")
}

/// Letters with their cases, in the order of their identifiers given; those outside the scope are left out.
async fn found(
    conn: &impl sea_orm::ConnectionTrait,
    scope: &Scope,
    ids: &[Uuid],
) -> anyhow::Result<Vec<(letter::Model, case::Model)>> {
    let mut letters: BTreeMap<Uuid, letter::Model> = letter::Entity::find()
        .filter(letter::Column::Id.is_in(ids.iter().copied()))
        .all(conn)
        .await
        .context("reading letters")?
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    let cases: BTreeMap<Uuid, case::Model> = case::Entity::find()
        .filter(case::Column::Id.is_in(letters.values().map(|row| row.case_id)))
        .filter(inside(case::Column::Region, scope.region))
        .all(conn)
        .await
        .context("reading the cases of letters")?
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    Ok(ids
        .iter()
        .filter_map(|id| {
            let row = letters.remove(id)?;
            let case = cases.get(&row.case_id)?.clone();
            Some((row, case))
        })
        .collect())
}

/// Marks letters as printed together (合印文书); gives the printing.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn print(
    tx: &mut Tx,
    scope: &Scope,
    letters: &[Uuid],
    lang: Lang,
) -> anyhow::Result<Result<Uuid, Refused>> {
    if letters.is_empty() {
        return Ok(Err(Refused::Nothing));
    }
    if u64::try_from(letters.len()).unwrap_or(u64::MAX) > MOST {
        return Ok(Err(Refused::TooMany));
    }
    let found = found(tx.conn(), scope, letters).await?;
    if found.len() != letters.len() {
        return Ok(Err(Refused::NotThere));
    }
    let printing = tx.new_id();
    let rows = (0_i64..)
        .zip(&found)
        .map(|(place, (row, _))| letter_print::Model {
            id: tx.new_id(),
            printing_id: printing,
            place,
            letter_id: row.id,
            lang: lang.word().to_owned(),
            officer_id: scope.actor.officer.0,
            officer: scope.actor.name.clone(),
            at: tx.now(),
        })
        .collect();
    crate::rows::insert_all::<letter_print::Entity>(tx, rows).await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "casework.print_letters".to_owned(),
        subject_kind: "printing".to_owned(),
        subject_id: printing.to_string(),
        region: Some(scope.region),
        detail: json!({ "letters": found.len() }),
    });
    Ok(Ok(printing))
}

/// The file of a printing (合印文件); `None` where none of its letters is in the scope.
///
/// Opens its own transaction for the journal: do not call it while holding a [`Tx`].
///
/// # Errors
/// Faults of the database, or of a template.
pub async fn file(
    db: &Db,
    scope: &Scope,
    desk: &Desk,
    printing: Uuid,
    base_url: &str,
) -> anyhow::Result<Option<Vec<u8>>> {
    let rows = letter_print::Entity::find()
        .filter(letter_print::Column::PrintingId.eq(printing))
        .order_by_asc(letter_print::Column::Place)
        .all(db.conn())
        .await
        .context("reading a printing")?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let lang = match first.lang.as_str() {
        "en" => Lang::En,
        _ => Lang::Zh,
    };
    let ids: Vec<Uuid> = rows.iter().map(|row| row.letter_id).collect();
    let letters = found(db.conn(), scope, &ids).await?;
    // Whoever does not see all of it sees nothing of it.
    if letters.len() != ids.len() {
        return Ok(None);
    }
    let mut pieces: Vec<Piece> = Vec::with_capacity(letters.len());
    let mut templates: BTreeMap<(String, String, Option<String>), Template> = BTreeMap::new();
    for (row, case) in &letters {
        let key = (
            row.template_sm3
                .clone()
                .unwrap_or_else(|| format!("{}/{}", case.programme, row.kind)),
            row.kind.clone(),
            row.shared_sm3.clone(),
        );
        if !templates.contains_key(&key) {
            let template = Template::kept(db, desk, row, &case.programme).await?;
            templates.insert(key.clone(), template);
        }
        let template = templates.get(&key).context("the template of a letter")?;
        pieces.push(piece(db, template, row, &case.number, lang, base_url)?);
    }
    let mut tx = db.begin().await?;
    for (row, case) in &letters {
        let detail = json!({ "letter": row.kind, "printing": printing.to_string() });
        tx.note(read_event(scope, row, case, detail));
    }
    tx.commit().await?;
    let title = match lang {
        Lang::Zh => format!("文书合印（{} 份）", pieces.len()),
        Lang::En => format!("{} letters", pieces.len()),
    };
    let set = tokio::task::spawn_blocking(move || papers::pdf_of_many(&pieces, &title)).await;
    set.context("setting letters in type")?.map(Some)
}
