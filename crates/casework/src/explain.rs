//! Explaining a decision (复核认定): the stored determination is computed again and must give the same bytes.
//!
//! Two questions. Does the rule book, given the facts kept beside the determination, say the same to the last byte? And
//! does the register, asked as of the moment of the decision, still give those facts? Guarantees: what differs is named
//! place by place; nothing is changed. Deliberately absent: judging which of two answers is right.

use crate::case::Case;
use crate::desk::Desk;
use crate::rulebook::Shelf;
use crate::{rows, sheet, tables};
use access::Scope;
use anyhow::Context;
use policy::Determination;
use sea_orm::EntityTrait;
use serde::Serialize;
use serde_json::Value;
use store::Db;
use store::keys::sm3_hex;
use uuid::Uuid;
use vocab::FactSheet;
use vocab::ids::CaseId;

/// What computing again brought (复核结果).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The case's number.
    pub number: String,
    /// Which determination.
    pub determination: Uuid,
    /// `computed`, or `taken_over` with an existing recipient.
    pub origin: String,
    /// Whether the answer computed again is the stored one, byte for byte.
    pub identical: bool,
    /// What differs: where, stored, now.
    pub differences: Vec<Difference>,
    /// Whether the stored bytes still have the hash written beside them.
    pub intact: bool,
    /// Whether the register, as of then, still gives the facts the answer rested on.
    pub facts_same: bool,
    /// Where they differ.
    pub fact_differences: Vec<Difference>,
    /// The rules then.
    pub pack_then: String,
    /// The rules now; another hash explains a difference.
    pub pack_now: String,
    /// Whether the rules are the very same.
    pub same_pack: bool,
    /// The stored answer.
    pub stored: Determination,
}

/// One difference (差异).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where, as a JSON pointer.
    pub at: String,
    /// What was stored; empty if nothing.
    pub stored: String,
    /// What comes out now; empty if nothing.
    pub now: String,
}

/// Computes the determination of a case's last decision again (复核认定); `None` outside the scope or without one.
///
/// # Errors
/// Faults of the database.
pub async fn explain(
    db: &Db,
    scope: &Scope,
    desk: &Desk,
    id: CaseId,
) -> anyhow::Result<Option<Explanation>> {
    let Some(row) = rows::case_row(db, scope, id.0).await? else {
        return Ok(None);
    };
    let case = Case::read(&row)?;
    let Some(determination) = quoted(db, &case).await? else {
        return Ok(None);
    };
    let found = tables::determination::Entity::find_by_id(determination)
        .one(db.conn())
        .await
        .context("reading a determination")?
        .context("a case without its determination")?;
    let stored: Determination =
        serde_json::from_str(&found.canonical).context("reading a stored determination")?;
    let excerpt: FactSheet =
        serde_json::from_str(&found.excerpt).context("reading the facts behind a determination")?;

    let again = desk
        .book
        .evaluate(&excerpt, &stored.ask())
        .into_iter()
        .find(|one| one.programme == stored.programme && one.member_key == stored.member_key);
    let again_text = again
        .as_ref()
        .map(Determination::to_canonical_json)
        .unwrap_or_default();
    let identical = again_text == found.canonical;
    let differences = if identical {
        Vec::new()
    } else {
        let now = again
            .map(serde_json::to_value)
            .transpose()?
            .unwrap_or(Value::Null);
        compare(&serde_json::to_value(&stored)?, &now)
    };

    let then = sheet::sheet(db, scope, desk, case.household, found.known_at, found.as_of).await?;
    let fact_differences = match then {
        Some(then) => {
            let mut then = desk.book.excerpt(&stored.programme, &then);
            let mut kept = excerpt.clone();
            // What is in payment is the ledger's present; the register has no memory of it.
            forget_payments(&mut then);
            forget_payments(&mut kept);
            compare(&serde_json::to_value(&kept)?, &serde_json::to_value(&then)?)
        }
        None => vec![Difference {
            at: String::new(),
            stored: "household".to_owned(),
            now: String::new(),
        }],
    };
    Ok(Some(Explanation {
        number: case.number,
        determination,
        origin: found.origin,
        identical,
        differences,
        intact: sm3_hex(found.canonical.as_bytes()) == found.sm3,
        facts_same: fact_differences.is_empty(),
        fact_differences,
        same_pack: found.pack_hash == desk.book.hash(),
        pack_then: found.pack_version,
        pack_now: desk.book.version().to_owned(),
        stored,
    }))
}

/// As [`explain`], by the rules the determination was made with where the shelf still has them (按当时的规则复核).
///
/// # Errors
/// Faults of the database and of the disk.
pub async fn explain_by(
    db: &Db,
    scope: &Scope,
    shelf: &Shelf,
    id: CaseId,
) -> anyhow::Result<Option<Explanation>> {
    let now = shelf.now();
    let found = explain(db, scope, &now.desk, id).await?;
    let hash = match &found {
        Some(explained) if !explained.same_pack => &explained.stored.pack_hash,
        _ => return Ok(found),
    };
    match shelf.desk_of(db, hash).await? {
        Some(then) => explain(db, scope, &then, id).await,
        None => Ok(found),
    }
}

/// The determination the last decision quotes; before any decision, the last one computed.
async fn quoted(db: &Db, case: &Case) -> anyhow::Result<Option<Uuid>> {
    let Some(decision) = case.decision else {
        return Ok(case.determination);
    };
    let decision = tables::decision::Entity::find_by_id(decision.0)
        .one(db.conn())
        .await
        .context("reading a decision")?
        .context("a case without its decision")?;
    Ok(decision.determination_id.or(case.determination))
}

fn forget_payments(sheet: &mut FactSheet) {
    sheet
        .household
        .retain(|fact, _| !fact.starts_with("in_payment."));
    for member in &mut sheet.members {
        member.retain(|fact, _| !fact.starts_with("in_payment."));
    }
}

/// Every place where two values differ.
pub(crate) fn compare(stored: &Value, now: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    walk("", stored, now, &mut found);
    found
}

fn walk(at: &str, stored: &Value, now: &Value, found: &mut Vec<Difference>) {
    match (stored, now) {
        (Value::Object(one), Value::Object(other)) => {
            for (key, value) in one {
                walk(
                    &format!("{at}/{key}"),
                    value,
                    other.get(key).unwrap_or(&Value::Null),
                    found,
                );
            }
            for (key, value) in other.iter().filter(|(key, _)| !one.contains_key(*key)) {
                walk(&format!("{at}/{key}"), &Value::Null, value, found);
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            for place in 0..one.len().max(other.len()) {
                let nothing = Value::Null;
                let (value, beside) = (
                    one.get(place).unwrap_or(&nothing),
                    other.get(place).unwrap_or(&nothing),
                );
                walk(&format!("{at}/{place}"), value, beside, found);
            }
        }
        _ if stored != now => found.push(Difference {
            at: at.to_owned(),
            stored: said(stored),
            now: said(now),
        }),
        _ => {}
    }
}

fn said(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_are_named_place_by_place() {
        let found = compare(
            &json!({ "amount": 1, "conditions": [{ "id": "a" }], "same": true }),
            &json!({ "amount": 2, "conditions": [{ "id": "a" }, { "id": "b" }], "same": true }),
        );
        let at: Vec<&str> = found.iter().map(|one| one.at.as_str()).collect();
        assert_eq!(at, ["/amount", "/conditions/1"]);
        assert_eq!(
            (found[0].stored.as_str(), found[0].now.as_str()),
            ("1", "2")
        );
    }
}
