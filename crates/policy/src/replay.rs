//! Replaying a decision (重放认定): the stored answer, asked again of the stored facts, must come out the same.
//!
//! What is stored with a case: the determination's canonical JSON and [`Book::excerpt`] of the sheet, that is every dated row
//! of every fact the programme reads, used or not, so that contradictions and later knowledge replay too.
//! With the same pack the bytes are the same; with a newer pack the differences are listed, and if only version and
//! fingerprint moved there are none. Deliberately absent: repairing anything.

use crate::book::Book;
use crate::determination::Determination;
use serde_json::Value;
use vocab::FactSheet;

/// One place where the answer is no longer the same (差异).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where in the determination: `conditions[2].result`.
    pub path: String,
    /// What was stored.
    pub stored: String,
    /// What comes out now.
    pub now: String,
}

/// How a replay came out (重放结果).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Whether every byte is the same.
    pub same_bytes: bool,
    /// The stored and the present version, if the pack has changed since.
    pub pack_changed: Option<(String, String)>,
    /// What differs, apart from the pack's version and fingerprint.
    pub differences: Vec<Difference>,
    /// What comes out now.
    pub now: Determination,
}

/// Why a replay is not possible (无法重放).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotReplay {
    /// The stored text is not a determination.
    #[error("存储的认定结果读不懂：{0}")]
    NotADetermination(String),
    /// The programme no longer exists.
    #[error("规则包里已经没有事项“{0}”")]
    NoSuchProgramme(String),
    /// The sheet has no such member.
    #[error("事实表里没有这位成员")]
    NoSuchMember,
}

/// Asks the stored question again (重放).
///
/// # Errors
/// [`CannotReplay`] if there is nothing to compare.
pub fn replay(book: &Book, stored: &str, sheet: &FactSheet) -> Result<Replay, CannotReplay> {
    let before: Determination = serde_json::from_str(stored)
        .map_err(|error| CannotReplay::NotADetermination(error.to_string()))?;
    if book.programme(&before.programme).is_none() {
        return Err(CannotReplay::NoSuchProgramme(before.programme));
    }
    let now = book
        .evaluate(sheet, &before.ask())
        .into_iter()
        .find(|one| one.programme == before.programme && one.member == before.member)
        .ok_or(CannotReplay::NoSuchMember)?;
    let same_bytes = now.to_canonical_json() == stored;
    let pack_changed = (before.pack_hash != now.pack_hash
        || before.pack_version != now.pack_version)
        .then(|| (before.pack_version.clone(), now.pack_version.clone()));
    let comparable = Determination {
        pack_version: before.pack_version.clone(),
        pack_hash: before.pack_hash.clone(),
        ..now.clone()
    };
    let mut differences = Vec::new();
    let as_json = |one: &Determination| {
        serde_json::from_str::<Value>(&one.to_canonical_json()).unwrap_or(Value::Null)
    };
    compare(
        "",
        &as_json(&before),
        &as_json(&comparable),
        &mut differences,
    );
    Ok(Replay {
        same_bytes,
        pack_changed,
        differences,
        now,
    })
}

fn compare(path: &str, stored: &Value, now: &Value, into: &mut Vec<Difference>) {
    match (stored, now) {
        (Value::Object(a), Value::Object(b)) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let below = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                compare(
                    &below,
                    a.get(key).unwrap_or(&Value::Null),
                    b.get(key).unwrap_or(&Value::Null),
                    into,
                );
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{index}]"), a, b, into);
            }
        }
        _ if stored == now => {}
        _ => into.push(Difference {
            path: path.to_owned(),
            stored: stored.to_string(),
            now: now.to_string(),
        }),
    }
}
