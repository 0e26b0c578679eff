//! The template of a letter (文书模板): found in the packs, kept with the letter, filled with its data.
//!
//! Guarantees: what a letter was first set with is what it is always set with. Deliberately absent: who may change a template;
//! see [`crate::rulebook`].

use crate::desk::Desk;
use crate::tables::{self, rule_text};
use anyhow::Context;
use papers::Piece;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::keys::sm3_hex;
use store::{Db, Tx};

/// The file all templates of a place share.
pub(super) const SHARED: &str = "letter.typ";

/// A template with the file it shares with others (文书模板).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    /// Its own text.
    pub(super) main: String,
    /// The text of `letter.typ`.
    pub(super) shared: Option<String>,
}

/// Where a printed letter leads (文书上的二维码): how far the case is, and whether the paper is one of ours.
pub(super) struct Leads {
    /// The address of the progress.
    pub(super) progress: String,
    /// The letter's number.
    pub(super) number: String,
    /// The code that proves it.
    pub(super) check_code: String,
    /// The address at which it is checked.
    pub(super) check: String,
}

impl Template {
    /// The one in force for a programme and word.
    pub(super) fn of(desk: &Desk, programme: &str, word: &str) -> anyhow::Result<Self> {
        let programme = desk
            .programme(programme)
            .context("the programme of a letter is not in the packs")?;
        let (_, main) = desk
            .texts
            .letter(programme, word)
            .with_context(|| format!("没有文书模板 letters/{word}.typ"))?;
        let shared = desk.book.place().texts.get(SHARED);
        Ok(Self {
            main,
            shared: shared.map(|(_, text)| text.clone()),
        })
    }

    /// Keeps its texts, each once; gives their fingerprints.
    pub(super) async fn keep(&self, tx: &Tx) -> anyhow::Result<(String, Option<String>)> {
        let mut rows: BTreeMap<String, String> = BTreeMap::new();
        let main = sm3_hex(self.main.as_bytes());
        rows.insert(main.clone(), self.main.clone());
        let shared = self.shared.as_ref().map(|text| {
            let sm3 = sm3_hex(text.as_bytes());
            rows.insert(sm3.clone(), text.clone());
            sm3
        });
        let known = texts(tx.conn(), rows.keys()).await?;
        let new = rows
            .into_iter()
            .filter(|(sm3, _)| !known.contains_key(sm3))
            .map(|(sm3, text)| {
                rule_text::Model { sm3, text }
                    .into_active_model()
                    .reset_all()
            });
        for row in new {
            // Whoever issues the first letter with a new text at the same time keeps the same text.
            rule_text::Entity::insert(row)
                .on_conflict(OnConflict::new().do_nothing().to_owned())
                .exec_without_returning(tx.conn())
                .await
                .context("keeping the template of a letter")?;
        }
        Ok((main, shared))
    }

    /// The one a letter was issued with; that in force for letters from before templates were kept.
    pub(super) async fn kept(
        db: &Db,
        desk: &Desk,
        row: &tables::letter::Model,
        programme: &str,
    ) -> anyhow::Result<Self> {
        let Some(main) = &row.template_sm3 else {
            return Self::of(desk, programme, &row.kind);
        };
        let mut texts = texts(db.conn(), [main].into_iter().chain(&row.shared_sm3)).await?;
        let shared = match &row.shared_sm3 {
            Some(sm3) => Some(
                texts
                    .get(sm3)
                    .cloned()
                    .context("a letter without its shared template")?,
            ),
            None => None,
        };
        Ok(Self {
            main: texts
                .remove(main)
                .context("a letter without its template")?,
            shared,
        })
    }

    /// Filled with data, ready to be set.
    pub(super) fn piece(&self, mut data: Value, leads: &Leads) -> anyhow::Result<Piece> {
        // Not sealed with the letter: it follows from it, and letters of earlier days have it as well.
        data["check"] = json!({
            "number": leads.number,
            "code": leads.check_code,
            "url": leads.check,
        });
        let mut files = BTreeMap::from([
            (
                "qr.svg".to_owned(),
                papers::qr_svg(&leads.progress)?.into_bytes(),
            ),
            (
                "check.svg".to_owned(),
                papers::qr_svg(&leads.check)?.into_bytes(),
            ),
        ]);
        if let Some(shared) = &self.shared {
            files.insert(SHARED.to_owned(), shared.clone().into_bytes());
        }
        Ok(Piece {
            template: self.main.clone(),
            data,
            files,
        })
    }
}

async fn texts(
    conn: &impl sea_orm::ConnectionTrait,
    hashes: impl Iterator<Item = &String>,
) -> anyhow::Result<BTreeMap<String, String>> {
    let found = rule_text::Entity::find()
        .filter(rule_text::Column::Sm3.is_in(hashes.map(String::as_str)))
        .all(conn)
        .await
        .context("reading the templates of letters")?;
    Ok(found.into_iter().map(|row| (row.sm3, row.text)).collect())
}
