//! One person against the register (单人比对): candidates from the blocks, compared in memory.
//!
//! How rare a shared name, phone, birth date or address is comes from the whole register by counting; a count stops at a few
//! hundred, from where on it makes no difference. Deliberately absent: scopes; whoever calls decides what of it may be told.

use super::blocks::{Blocks, Clear};
use crate::merging::same;
use crate::reading::Reading;
use crate::tables::duplicates::{match_key, match_model};
use crate::tables::person;
use anyhow::Context;
use chrono::NaiveDate;
use linkage::{Levels, Model, Outcome, Register, Sharing};
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Below this probability nobody needs to look.
const LOOK: f64 = 0.3;
/// From this one on it is one person, unless the numbers speak against it.
const SURE: f64 = 0.95;
/// A count goes no further.
const COUNTED: u64 = 400;

/// Somebody like the one compared (相似记录).
pub(crate) struct Scored {
    pub(crate) row: person::Model,
    pub(crate) millionths: i64,
    pub(crate) levels: Levels,
    pub(crate) outcome: Outcome,
}

/// The model in force and how many people there are (现用模型).
pub(crate) struct InForce {
    pub(crate) model: Model,
    pub(crate) people: u32,
}

/// The model learned last; the shipped one where nothing was learned yet.
pub(crate) async fn model(source: &impl Reading) -> anyhow::Result<InForce> {
    let learned = match_model::Entity::find()
        .order_by_desc(match_model::Column::LearnedAt)
        .order_by_desc(match_model::Column::Id)
        .one(source.connection())
        .await
        .context("reading the model of the register")?;
    if let Some(learned) = learned {
        let numbers: Vec<f64> =
            serde_json::from_value(learned.numbers).context("the stored model is damaged")?;
        let model = Model::of_numbers(&numbers).context("the stored model is damaged")?;
        let people = u32::try_from(learned.people)?.max(2);
        return Ok(InForce { model, people });
    }
    // Nothing was learned yet, so the register is small or new: counting it is cheap enough.
    let people = person::Entity::find()
        .count(source.connection())
        .await
        .context("counting the register")?;
    let people = u32::try_from(people).unwrap_or(u32::MAX).max(1_000);
    Ok(InForce {
        model: Model::shipped(usize::try_from(people)?),
        people,
    })
}

/// Who of the register is like a person (比对一人), the most probable first. `but` are the person's own records.
pub(crate) async fn like(
    source: &impl Reading,
    in_force: &InForce,
    one: &Clear,
    blocks: &Blocks,
    but: &BTreeSet<Uuid>,
) -> anyhow::Result<Vec<Scored>> {
    let ids = candidates(source, blocks, but).await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut others = Vec::with_capacity(ids.len());
    for some in ids.chunks(900) {
        let rows = person::Entity::find()
            .filter(person::Column::Id.is_in(some.iter().copied()))
            .all(source.connection())
            .await
            .context("reading candidates")?;
        for row in rows {
            others.push((Clear::of(&row, source.sealing_keys())?, row));
        }
    }
    let sharing = sharing(source, one, blocks, &others).await?;
    let mut register = Register::new();
    register.push(&one.person(&one.kind));
    for (other, _) in &others {
        register.push(&other.person(&one.kind));
    }
    register.finish_beside(in_force.people, sharing);
    let mut scored: Vec<Scored> = (1..)
        .zip(others)
        .filter_map(|(number, (_, row))| {
            let compared = linkage::compare(&register, 0, number);
            let probability = in_force.model.probability(&compared);
            (probability >= LOOK).then(|| Scored {
                row,
                millionths: i64::from(linkage::millionths(probability)),
                levels: compared.levels,
                outcome: match (
                    probability >= SURE,
                    linkage::needs_a_person(compared.levels),
                ) {
                    (true, false) => Outcome::Same,
                    (_, true) => Outcome::Numbers,
                    (false, false) => Outcome::Doubtful,
                },
            })
        })
        .collect();
    scored.sort_by_key(|one| (std::cmp::Reverse(one.millionths), one.row.id));
    led(source, scored, but).await
}

/// Who is like a merged record is like the person it is of: each person once, by the record that speaks loudest.
async fn led(
    source: &impl Reading,
    scored: Vec<Scored>,
    but: &BTreeSet<Uuid>,
) -> anyhow::Result<Vec<Scored>> {
    if scored.iter().all(|one| one.row.merged_into.is_none()) {
        return Ok(scored);
    }
    let same = same(source, scored.iter().map(|one| one.row.id), None).await?;
    let wanted: BTreeSet<Uuid> = scored.iter().map(|one| same.survivor(one.row.id)).collect();
    let rows = person::Entity::find()
        .filter(person::Column::Id.is_in(wanted))
        .all(source.connection())
        .await
        .context("reading whom candidates were merged into")?;
    let rows: BTreeMap<Uuid, person::Model> = rows.into_iter().map(|row| (row.id, row)).collect();
    let mut seen = but.clone();
    let mut led = Vec::with_capacity(scored.len());
    for one in scored {
        let who = same.survivor(one.row.id);
        if seen.insert(who)
            && let Some(row) = rows.get(&who)
        {
            led.push(Scored {
                row: row.clone(),
                ..one
            });
        }
    }
    Ok(led)
}

/// Whoever shares a block that is not too large.
async fn candidates(
    source: &impl Reading,
    blocks: &Blocks,
    but: &BTreeSet<Uuid>,
) -> anyhow::Result<Vec<Uuid>> {
    let mut all = BTreeSet::new();
    for (key, cap) in &blocks.compared {
        let limit = u64::try_from(*cap)? + 1;
        let block: Vec<Uuid> = match_key::Entity::find()
            .select_only()
            .column(match_key::Column::PersonId)
            .filter(match_key::Column::Key.eq(*key))
            .limit(limit)
            .into_tuple()
            .all(source.connection())
            .await
            .context("reading a block")?;
        if block.len() <= *cap {
            all.extend(block);
        }
    }
    Ok(all.difference(but).copied().collect())
}

async fn sharing(
    source: &impl Reading,
    one: &Clear,
    blocks: &Blocks,
    others: &[(Clear, person::Model)],
) -> anyhow::Result<Sharing> {
    let [name, sound, address] = blocks.counted;
    let birth: Option<NaiveDate> = one.birth.parse().ok();
    let born = match birth {
        None => 0,
        Some(day) => person::Entity::find()
            .filter(person::Column::BirthDate.eq(day))
            .filter(person::Column::Id.ne(one.id))
            .count(source.connection())
            .await
            .context("counting a birth date")?,
    };
    // A phone is a key to compare by, too, so whoever has it is among the candidates.
    let with_phone: BTreeSet<&str> = others
        .iter()
        .filter(|(other, _)| !one.phone.is_empty() && other.phone == one.phone)
        .map(|(other, _)| other.birth.as_str())
        .chain([one.birth.as_str()])
        .collect();
    Ok(Sharing {
        name: people_of(source, name, birth).await?,
        sound: people_of(source, sound, birth).await?,
        birth: u32::try_from(born)?.saturating_add(1),
        phone: u32::try_from(with_phone.len())?,
        address: people_of(source, address, birth).await?,
    })
}

/// How many different people are in a block, told apart by their birth dates, this one among them.
async fn people_of(
    source: &impl Reading,
    block: Option<i64>,
    own: Option<NaiveDate>,
) -> anyhow::Result<u32> {
    let Some(block) = block else { return Ok(1) };
    let inside = Query::select()
        .column(match_key::Column::PersonId)
        .from(match_key::Entity)
        .and_where(match_key::Column::Key.eq(block))
        .limit(COUNTED)
        .to_owned();
    let births: Vec<Option<NaiveDate>> = person::Entity::find()
        .select_only()
        .column(person::Column::BirthDate)
        .filter(person::Column::Id.in_subquery(inside))
        .into_tuple()
        .all(source.connection())
        .await
        .context("counting who shares a value")?;
    let mut different: BTreeMap<Option<NaiveDate>, ()> =
        births.into_iter().map(|birth| (birth, ())).collect();
    different.insert(own, ());
    Ok(u32::try_from(different.len())?)
}
