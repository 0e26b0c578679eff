//! Checking a paper (文书核验): whether a letter somebody holds is one of ours, and whether it still holds.
//!
//! A paper carries its number and eight symbols that follow from the number, its row and the house's keys: `BA2026-000318-7-9M2Q-XW4T`.
//! Guarantees: nothing is stored for it, so papers printed before can be checked, too; forty bits of an HMAC cannot be guessed within
//! the tries the public door allows; a wrong number and a wrong code are answered alike; the answer names nobody but by a masked name.
//! Deliberately absent: what the paper says; whoever checks it holds it in hand.

use crate::desk::Desk;
use crate::letter::{Lang, Written};
use crate::receipt::{SYMBOLS, symbol};
use crate::{receipt, tables};
use anyhow::Context;
use chrono::NaiveDate;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde::Serialize;
use serde_json::Value;
use store::{Db, Keys};
use uuid::Uuid;

/// Symbols of a code.
const LENGTH: usize = 8;
/// Numbers are shorter than this.
const NUMBER_MAX: usize = 40;

/// What is typed or scanned (核验码): a number, and the code printed after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    /// The paper's number: `BA2026-000318-7`.
    pub number: String,
    /// The code, in capitals and without a dash.
    code: String,
}

impl Typed {
    /// Reads what people type (读核验码): any case, blanks or dashes, O for 0 in the code; `None` if it cannot be one.
    pub fn read(text: &str) -> Option<Self> {
        let groups: Vec<String> = text
            .split(|sign: char| sign.is_whitespace() || matches!(sign, '-' | '－' | '—'))
            .filter(|group| !group.is_empty())
            .map(str::to_ascii_uppercase)
            .collect();
        let (code, rest) = match groups.as_slice() {
            [rest @ .., one, other] if one.len() + other.len() == LENGTH && one.len() == 4 => {
                (format!("{one}{other}"), rest)
            }
            [rest @ .., one] if one.len() == LENGTH => (one.clone(), rest),
            _ => return None,
        };
        let code: String = code
            .chars()
            .map(|letter| match letter {
                'O' => Some('0'),
                'I' | 'L' => Some('1'),
                letter => SYMBOLS
                    .iter()
                    .any(|symbol| char::from(*symbol) == letter)
                    .then_some(letter),
            })
            .collect::<Option<_>>()?;
        let number = rest.join("-");
        let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        (!number.is_empty() && number.len() < NUMBER_MAX && number.chars().all(plain))
            .then_some(Self { number, code })
    }

    /// Whether the code is that of a paper of this number (核对).
    pub fn fits(&self, keys: &Keys, paper: &str) -> bool {
        plain_code(keys, &self.number, paper) == self.code
    }
}

/// The code of a paper (文书核验码): its number, and the eight symbols. `paper` is what only this paper is: its row, its content's
/// hash.
pub fn code(keys: &Keys, number: &str, paper: &str) -> String {
    let code = plain_code(keys, number, paper);
    format!("{number}-{}-{}", &code[..LENGTH / 2], &code[LENGTH / 2..])
}

fn plain_code(keys: &Keys, number: &str, paper: &str) -> String {
    let mac = keys.blind("casework.document", &format!("{number}\n{paper}"));
    let bits = mac
        .get(..16)
        .and_then(|hex| u64::from_str_radix(hex, 16).ok())
        .unwrap_or(0);
    (0..LENGTH)
        .map(|place| symbol(u32::try_from(bits >> (place * 5) & 31).unwrap_or(0)))
        .collect()
}

/// The number of a letter (文书编号): that of its case and of the act it was issued with.
pub(crate) fn number(case: &str, seq: i64) -> String {
    format!("{case}-{seq}")
}

/// Whether a letter still holds (效力).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It tells of no decision (告知类文书).
    NoDecision,
    /// Nothing was decided since (此后没有新的决定).
    Latest,
    /// Another decision was taken on this day (已有新的决定).
    Replaced(NaiveDate),
}

/// A letter as the public check shows it (核验结果).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedLetter {
    /// Its number.
    pub number: String,
    /// The programme, Chinese and English.
    pub programme: (String, String),
    /// What was done, Chinese and English.
    pub act: (String, String),
    /// The day it was issued.
    pub issued_on: NaiveDate,
    /// The place whose office issued it, Chinese and English.
    pub issuer: (String, String),
    /// The applicant, masked.
    pub applicant_masked: String,
    /// Whether it still holds.
    pub standing: Standing,
}

/// The letter of a number, if the code is its own (核验文书).
///
/// # Errors
/// Faults of the database.
pub async fn letter(db: &Db, desk: &Desk, typed: &Typed) -> anyhow::Result<Option<CheckedLetter>> {
    let Some((case, seq)) = typed.number.rsplit_once('-') else {
        return Ok(None);
    };
    let Ok(seq) = seq.parse::<i64>() else {
        return Ok(None);
    };
    let case = tables::case::Entity::find()
        .filter(tables::case::Column::Number.eq(case))
        .one(db.conn())
        .await
        .context("looking for the case of a paper")?;
    let Some(case) = case else {
        return Ok(None);
    };
    let row = tables::letter::Entity::find()
        .filter(tables::letter::Column::CaseId.eq(case.id))
        .filter(tables::letter::Column::EventSeq.eq(seq))
        .one(db.conn())
        .await
        .context("looking for a paper")?;
    let Some(row) = row.filter(|row| typed.fits(db.keys(), &row.id.to_string())) else {
        return Ok(None);
    };
    let event = tables::event::Entity::find()
        .filter(tables::event::Column::CaseId.eq(case.id))
        .filter(tables::event::Column::Seq.eq(seq))
        .one(db.conn())
        .await
        .context("reading the act of a paper")?
        .context("a letter without its act")?;
    let written: Written =
        serde_json::from_str(&db.keys().unseal(&row.sealed)?).context("reading a letter's data")?;
    let issuer = |data: &Value| data["issuer"].as_str().unwrap_or_default().to_owned();
    Ok(Some(CheckedLetter {
        number: typed.number.clone(),
        programme: desk.title(&case.programme),
        act: crate::view::act_wording(desk, &case.programme, &event.act),
        issued_on: row.issued_on,
        issuer: (
            issuer(written.data(Lang::Zh)),
            issuer(written.data(Lang::En)),
        ),
        standing: standing(db, &case, event.decision_id).await?,
        applicant_masked: case.applicant_masked,
    }))
}

async fn standing(
    db: &Db,
    case: &tables::case::Model,
    decision: Option<Uuid>,
) -> anyhow::Result<Standing> {
    let Some(decision) = decision else {
        return Ok(Standing::NoDecision);
    };
    let Some(latest) = case.decision_id.filter(|latest| *latest != decision) else {
        return Ok(Standing::Latest);
    };
    let latest = tables::decision::Entity::find_by_id(latest)
        .one(db.conn())
        .await
        .context("reading the latest decision")?
        .context("a case names a decision that is not there")?;
    Ok(Standing::Replaced(latest.decided_on))
}

/// A receipt as the public check shows it (回执核验).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CheckedReceipt {
    /// Handed in on.
    pub submitted_on: NaiveDate,
    /// How many programmes were applied for.
    pub cases: u64,
}

/// The application of a receipt's code (核验回执), without any name: the code with the phone's last digits shows how far it is.
///
/// # Errors
/// Faults of the database.
pub async fn of_receipt(db: &Db, typed: &str) -> anyhow::Result<Option<CheckedReceipt>> {
    let Some(code) = receipt::normalise(typed) else {
        return Ok(None);
    };
    let application = tables::application::Entity::find()
        .filter(tables::application::Column::ReceiptKey.eq(receipt::key(db.keys(), &code)))
        .one(db.conn())
        .await
        .context("looking for the application of a receipt")?;
    let Some(application) = application else {
        return Ok(None);
    };
    let cases = tables::case::Entity::find()
        .filter(tables::case::Column::ApplicationId.eq(application.id))
        .count(db.conn())
        .await
        .context("counting the cases of a receipt")?;
    Ok(Some(CheckedReceipt {
        submitted_on: application.submitted_on,
        cases,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_back_however_it_is_typed_and_fits_its_own_paper_alone() {
        let keys = Keys::for_tests();
        for seq in 1..200 {
            let number = number("BA2026-000318", seq);
            let paper = Uuid::from_u128(u128::try_from(seq).unwrap()).to_string();
            let code = code(&keys, &number, &paper);
            for typed in [
                code.clone(),
                code.to_lowercase(),
                code.replace('-', " "),
                format!(" {code} "),
            ] {
                let read = Typed::read(&typed).unwrap();
                assert_eq!(read.number, number, "{typed}");
                assert!(read.fits(&keys, &paper), "{typed}");
                assert!(!read.fits(&keys, &Uuid::nil().to_string()), "{typed}");
            }
            // Every single symbol counts, of the number as of the code.
            for place in 0..code.len() {
                let mut letters: Vec<char> = code.chars().collect();
                if letters[place] == '-' {
                    continue;
                }
                letters[place] = if letters[place] == '7' { '8' } else { '7' };
                let wrong: String = letters.into_iter().collect();
                let read = Typed::read(&wrong);
                assert!(read.is_none_or(|read| !read.fits(&keys, &paper)), "{wrong}");
            }
        }
        for nothing in [
            "",
            "9M2Q-XW4T",
            "BA2026-000318-7",
            "BA2026-张-9M2Q-XW4T",
            &"A-".repeat(60),
        ] {
            assert_eq!(
                Typed::read(nothing).filter(|read| read.fits(&keys, "")),
                None,
                "{nothing}"
            );
        }
    }
}
