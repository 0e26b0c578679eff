//! Two people in one draft (同时修改草稿): who changed which answer since a page was opened, and putting both together.
//!
//! Guarantees: what only one of them changed is kept, whoever it was; what both changed differently is a [`Conflict`] and
//! is decided by a person; nothing typed is thrown away. Deliberately absent: a history of drafts; the changes are
//! deleted when the application is handed in.

use super::{Answer, Answers, Draft};
use crate::rows::insert_all;
use crate::tables;
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use registry::Reading;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use std::collections::{BTreeMap, BTreeSet};
use store::{Db, Tx};
use uuid::Uuid;
use vocab::ids::{OfficerId, PersonId};
use vocab::{FactId, Value};

/// For so long somebody who saved counts as still being at it.
const AT_IT_MINUTES: i64 = 10;

/// Where an answer stands (回答的位置): whose, and which fact.
pub type Place = (Option<PersonId>, FactId);

/// What others made of one answer since a version (他人的改动).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub place: Place,
    /// As it was at that version.
    pub base: Option<Answer>,
    /// As it is now.
    pub now: Option<Answer>,
    /// Who changed it last.
    pub by: OfficerId,
    /// The name.
    pub officer: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Everything others did to a draft since a version (此后的改动).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Since {
    /// The answers changed.
    pub changes: Vec<Change>,
    /// All answers as they were.
    pub base: Answers,
    /// The programmes as they were.
    pub base_programmes: Vec<String>,
}

/// An answer both changed, each to something else (冲突).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Mine.
    pub mine: Option<Answer>,
    /// Theirs, with by whom and when.
    pub theirs: Change,
}

/// Both together (合并结果).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The answers; where both differ, theirs for the time being.
    pub answers: Answers,
    /// Where both differ.
    pub conflicts: Vec<Conflict>,
}

impl Answers {
    /// The answer at a place.
    pub fn at(&self, (whose, fact): &Place) -> Option<&Answer> {
        match whose {
            None => self.household.get(fact),
            Some(person) => self.members.get(person)?.get(fact),
        }
    }

    /// Puts an answer at a place, or takes it away.
    pub fn put(&mut self, (whose, fact): &Place, answer: Option<Answer>) {
        let record = match whose {
            None => &mut self.household,
            Some(person) => self.members.entry(*person).or_default(),
        };
        match answer {
            Some(answer) => {
                record.insert(fact.clone(), answer);
            }
            None => {
                record.remove(fact);
            }
        }
    }

    fn places(&self) -> impl Iterator<Item = Place> {
        let household = self.household.keys().map(|fact| (None, fact.clone()));
        let members = self.members.iter().flat_map(|(person, record)| {
            record
                .keys()
                .map(|fact| (Some(*person), fact.clone()))
                .collect::<Vec<_>>()
        });
        household.chain(members)
    }
}

/// Writes down what a saving changed.
pub(super) async fn note(
    tx: &Tx,
    scope: &Scope,
    draft: Uuid,
    version: i64,
    before: (&Answers, &[String]),
    after: (&Answers, &[String]),
) -> anyhow::Result<()> {
    let row =
        |place: Place, before: Option<String>, after: Option<String>| tables::draft_change::Model {
            id: tx.new_id(),
            draft_id: draft,
            version,
            person_id: place.0.map(|person| person.0),
            fact: place.1,
            before,
            after,
            officer_id: scope.actor.officer.0,
            officer: scope.actor.name.clone(),
            at: tx.now(),
        };
    let json = |answer: Option<&Answer>| answer.map(serde_json::to_string).transpose();
    let places: BTreeSet<Place> = before.0.places().chain(after.0.places()).collect();
    let mut rows = Vec::new();
    for place in places {
        let (was, is) = (before.0.at(&place), after.0.at(&place));
        if was != is {
            let (was, is) = (json(was)?, json(is)?);
            rows.push(row(place, was, is));
        }
    }
    if before.1 != after.1 {
        let said = |list: &[String]| serde_json::to_string(list).map(Some);
        rows.push(row((None, String::new()), said(before.1)?, said(after.1)?));
    }
    insert_all::<tables::draft_change::Entity>(tx, rows).await
}

/// Forgets the changes of a draft that is handed in.
pub(crate) async fn forget(tx: &Tx, draft: Uuid) -> anyhow::Result<()> {
    tables::draft_change::Entity::delete_many()
        .filter(tables::draft_change::Column::DraftId.eq(draft))
        .exec(tx.conn())
        .await
        .context("forgetting the changes of a draft")?;
    Ok(())
}

async fn rows(
    source: &impl Reading,
    draft: Uuid,
    after: i64,
) -> anyhow::Result<Vec<tables::draft_change::Model>> {
    use tables::draft_change::{Column, Entity};
    Entity::find()
        .filter(Column::DraftId.eq(draft))
        .filter(Column::Version.gt(after))
        .order_by_asc(Column::Version)
        .all(source.connection())
        .await
        .context("reading the changes of a draft")
}

/// What was done to a draft since a version of it (此后的改动). The draft was read through a scope.
///
/// # Errors
/// Faults of the database.
pub async fn since(db: &Db, draft: &Draft, version: i64) -> anyhow::Result<Since> {
    let mut changes: BTreeMap<Place, Change> = BTreeMap::new();
    let mut base_programmes = None;
    for row in rows(db, draft.id, version).await? {
        if row.fact.is_empty() {
            if base_programmes.is_none() {
                base_programmes = row
                    .before
                    .as_deref()
                    .map(serde_json::from_str)
                    .transpose()?;
            }
            continue;
        }
        let place = (row.person_id.map(PersonId), row.fact.clone());
        let answer = |text: Option<&str>| {
            text.map(serde_json::from_str)
                .transpose()
                .context("reading a change of a draft")
        };
        let now = answer(row.after.as_deref())?;
        let base = match changes.remove(&place) {
            Some(earlier) => earlier.base,
            None => answer(row.before.as_deref())?,
        };
        let change = Change {
            place: place.clone(),
            base,
            now,
            by: OfficerId(row.officer_id),
            officer: row.officer,
            at: row.at,
        };
        changes.insert(place, change);
    }
    let mut base = draft.answers.clone();
    for change in changes.values() {
        base.put(&change.place, change.base.clone());
    }
    Ok(Since {
        changes: changes
            .into_values()
            .filter(|change| value(change.base.as_ref()) != value(change.now.as_ref()))
            .collect(),
        base,
        base_programmes: base_programmes.unwrap_or_else(|| draft.programmes.clone()),
    })
}

fn value(answer: Option<&Answer>) -> Option<&Value> {
    answer.map(|answer| &answer.value)
}

/// Puts my answers and theirs together (合并): `mine` are all answers as I have them on a page opened at the base.
pub fn merge(mine: &Answers, theirs: &Answers, since: &Since) -> Merged {
    let mut answers = mine.clone();
    let mut conflicts = Vec::new();
    for change in &since.changes {
        let (own, other) = (mine.at(&change.place), theirs.at(&change.place));
        answers.put(&change.place, other.cloned());
        let untouched = value(own) == value(change.base.as_ref());
        if !untouched && value(own) != value(other) {
            conflicts.push(Conflict {
                mine: own.cloned(),
                theirs: change.clone(),
            });
        }
    }
    Merged { answers, conflicts }
}

/// Puts two lists of programmes together: theirs, with what I added and without what I took away.
pub fn merge_programmes(mine: &[String], theirs: &[String], base: &[String]) -> Vec<String> {
    let kept = theirs
        .iter()
        .filter(|one| mine.contains(one) || !base.contains(one));
    let added = mine
        .iter()
        .filter(|one| !base.contains(one) && !theirs.contains(one));
    kept.chain(added).cloned().collect()
}

/// Who else saved this draft within the last minutes (正在同时填写的人): name and when.
///
/// # Errors
/// Faults of the database.
pub async fn beside(
    db: &Db,
    scope: &Scope,
    draft: Uuid,
) -> anyhow::Result<Option<(String, DateTime<Utc>)>> {
    use tables::draft_change::{Column, Entity};
    Ok(Entity::find()
        .filter(Column::DraftId.eq(draft))
        .filter(Column::OfficerId.ne(scope.actor.officer.0))
        .filter(Column::At.gt(db.now() - Duration::minutes(AT_IT_MINUTES)))
        .order_by_desc(Column::Version)
        .one(db.conn())
        .await
        .context("looking who else is at a draft")?
        .map(|row| (row.officer, row.at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(said: &[(&str, i64)]) -> Answers {
        Answers {
            household: said
                .iter()
                .map(|(fact, value)| ((*fact).to_owned(), Answer::declared(Value::Int(*value))))
                .collect(),
            ..Answers::default()
        }
    }

    fn said(value: i64) -> Option<Answer> {
        (value != 0).then(|| Answer::declared(Value::Int(value)))
    }

    #[test]
    fn what_one_changed_is_kept_and_what_both_changed_is_asked() {
        // base, mine, theirs → together, conflict? (0: unanswered)
        let table = [
            ("nobody", 1, 1, 1, 1, false),
            ("only I", 1, 2, 1, 2, false),
            ("only they", 1, 1, 3, 3, false),
            ("both alike", 1, 2, 2, 2, false),
            ("both", 1, 2, 3, 3, true),
            ("I took it away, they changed it", 1, 0, 3, 3, true),
            ("they took it away, I left it", 1, 1, 0, 0, false),
            ("both for the first time", 0, 2, 3, 3, true),
        ];
        for (name, base, mine, theirs, together, asked) in table {
            let of = |value: i64| {
                let kept: Vec<(&str, i64)> = (value != 0)
                    .then_some(("wage", value))
                    .into_iter()
                    .collect();
                answers(&kept)
            };
            let changes = if base == theirs {
                Vec::new()
            } else {
                vec![Change {
                    place: (None, "wage".to_owned()),
                    base: said(base),
                    now: said(theirs),
                    by: OfficerId(Uuid::nil()),
                    officer: "同事".to_owned(),
                    at: DateTime::UNIX_EPOCH,
                }]
            };
            let since = Since {
                changes,
                base: of(base),
                base_programmes: Vec::new(),
            };
            let merged = merge(&of(mine), &of(theirs), &since);
            assert_eq!(merged.answers.household, of(together).household, "{name}");
            assert_eq!(merged.conflicts.len(), usize::from(asked), "{name}");
        }
    }

    #[test]
    fn programmes_added_and_taken_away_on_both_sides_come_together() {
        let list = |all: &str| {
            all.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let (base, mine, theirs) = (list("a b c"), list("a c d"), list("b c e"));
        // I took b away and added d; they took a away and added e.
        assert_eq!(merge_programmes(&mine, &theirs, &base), list("c e d"));
    }
}
