//! Blocks (分块): the marks of a person, blinded, in the database.
//!
//! Beside the house's fifteen keys, name, sound and address are kept alone: to count how many people share them, never to compare.

use crate::tables::duplicates::{match_key, match_state};
use crate::tables::person;
use anyhow::{Context, anyhow};
use linkage::{Marker, Person};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use std::sync::{Mutex, OnceLock};
use store::{Keys, Tx};
use uuid::Uuid;

/// Counted, not compared: how many share a name, a sound, an address.
const COUNTED: &str = "\n0 name\n0 sound\n0 address\n";

/// What a person row says, in clear, for comparing (比对用明文). Never shown, never logged.
pub(crate) struct Clear {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) number: String,
    pub(crate) birth: String,
    pub(crate) sex: String,
    pub(crate) phone: String,
    pub(crate) region: String,
    pub(crate) address: String,
}

impl Clear {
    pub(crate) fn of(row: &person::Model, keys: &Keys) -> anyhow::Result<Self> {
        let unsealed = |sealed: Option<&Vec<u8>>| -> anyhow::Result<String> {
            let clear = sealed.map(|sealed| keys.unseal(sealed)).transpose()?;
            Ok(clear.unwrap_or_default())
        };
        Ok(Self {
            id: row.id,
            name: row.name.clone(),
            kind: row.document_kind.clone(),
            number: unsealed(row.document_sealed.as_ref())?,
            birth: row
                .birth_date
                .map(|day| day.to_string())
                .unwrap_or_default(),
            // Nought is "unknown" in the register, and "female" in some files that know no two.
            sex: Some(row.sex.clone())
                .filter(|sex| matches!(sex.as_str(), "1" | "2"))
                .unwrap_or_default(),
            phone: unsealed(row.phone_sealed.as_ref())?,
            region: row.lives_in.clone(),
            address: row.address.clone(),
        })
    }

    /// As it is compared; numbers of another kind of document than `beside` say nothing against one another.
    pub(crate) fn person(&self, beside: &str) -> Person<'_> {
        let is_comparable = is_resident(&self.kind) == is_resident(beside)
            && (is_resident(beside) || self.kind == beside);
        Person {
            name: &self.name,
            id_number: if is_comparable { &self.number } else { "" },
            birth: &self.birth,
            sex: &self.sex,
            phone: &self.phone,
            region: &self.region,
            address: &self.address,
        }
    }
}

/// Documents whose numbers have the shape of GB 11643.
pub(crate) fn is_resident(kind: &str) -> bool {
    matches!(kind, "resident_id" | "residence_permit")
}

/// The blinded blocks of one person (分块盲索引).
pub(crate) struct Blocks {
    /// Of a key to compare by, with its cap.
    pub(crate) compared: Vec<(i64, usize)>,
    /// Of name, sound and address.
    pub(crate) counted: [Option<i64>; 3],
}

impl Blocks {
    pub(crate) fn all(&self) -> Vec<i64> {
        let mut all: Vec<i64> = self.compared.iter().map(|(key, _)| *key).collect();
        all.extend(self.counted.iter().flatten());
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// A marker for keys to compare by and to count by.
pub(crate) fn new_marker() -> anyhow::Result<Marker> {
    let text = format!("{}{COUNTED}", linkage::keys::KEYS);
    Ok(Marker::new(linkage::keys::keys(&text)?))
}

/// The blocks of a person by a given marker: one job makes its own, so that it does not hold up the desk.
pub(crate) fn blocks_by(marker: &mut Marker, keys: &Keys, clear: &Clear) -> Blocks {
    let blinder = keys.blinder("registry.match");
    let marks = marker.marks(&clear.person(&clear.kind));
    let counted_from = marker.keys().len().saturating_sub(3);
    let mut blocks = Blocks {
        compared: Vec::new(),
        counted: [None; 3],
    };
    for mark in marks {
        let place = usize::try_from(mark.key).unwrap_or(usize::MAX);
        let blind = blinder.number(u64::from(mark.key) << 32 | u64::from(mark.block));
        let blind = i64::from_be_bytes(blind.to_be_bytes());
        match place.checked_sub(counted_from) {
            None => {
                let cap = marker.keys().get(place).map_or(0, linkage::keys::Key::cap);
                blocks.compared.push((blind, cap));
            }
            Some(which) => {
                if let Some(counted) = blocks.counted.get_mut(which) {
                    *counted = Some(blind);
                }
            }
        }
    }
    blocks
}

/// The blocks of a person; the tables of characters are made once for the whole program.
pub(crate) fn blocks_of(keys: &Keys, clear: &Clear) -> anyhow::Result<Blocks> {
    static MARKER: OnceLock<Mutex<Marker>> = OnceLock::new();
    let marker = match MARKER.get() {
        Some(marker) => marker,
        None => {
            let fresh = new_marker()?;
            MARKER.get_or_init(|| Mutex::new(fresh))
        }
    };
    let mut marker = marker
        .lock()
        .map_err(|_| anyhow!("the marker was left by a fault"))?;
    Ok(blocks_by(&mut marker, keys, clear))
}

/// Writes the blocks of a new or changed person (写分块), who was not compared with anybody yet.
pub(crate) async fn write_blocks(tx: &Tx, row: &person::Model) -> anyhow::Result<()> {
    let clear = Clear::of(row, tx.keys())?;
    let blocks = blocks_of(tx.keys(), &clear)?;
    replace(tx, vec![(row.id, row.version, blocks.all())]).await
}

/// Replaces the blocks of some people by others.
pub(crate) async fn replace(tx: &Tx, people: Vec<(Uuid, i64, Vec<i64>)>) -> anyhow::Result<()> {
    for some in people.chunks(500) {
        let before = match_state::Entity::find()
            .filter(match_state::Column::PersonId.is_in(some.iter().map(|(id, ..)| *id)))
            .all(tx.conn())
            .await
            .context("reading the blocks written before")?;
        let mut compared = std::collections::BTreeMap::new();
        for state in before {
            compared.insert(state.person_id, state.compared_version);
            match_key::Entity::delete_many()
                .filter(match_key::Column::Key.is_in(unpacked(&state.keys)))
                .filter(match_key::Column::PersonId.eq(state.person_id))
                .exec(tx.conn())
                .await
                .context("removing old blocks")?;
        }
        let mut keys: Vec<match_key::Model> = Vec::new();
        let mut states = Vec::with_capacity(some.len());
        for (id, version, blocks) in some {
            keys.extend(blocks.iter().map(|key| match_key::Model {
                key: *key,
                person_id: *id,
            }));
            states.push(
                match_state::Model {
                    person_id: *id,
                    version: *version,
                    keys: packed(blocks),
                    compared_version: compared.get(id).copied().unwrap_or(0),
                }
                .into_active_model(),
            );
        }
        // In the order of the index it is filled from left to right.
        keys.sort_unstable_by_key(|row| (row.key, row.person_id));
        for part in keys.chunks(5_000) {
            let rows = part.iter().cloned().map(IntoActiveModel::into_active_model);
            match_key::Entity::insert_many(rows)
                .exec_without_returning(tx.conn())
                .await
                .context("writing blocks")?;
        }
        match_state::Entity::insert_many(states)
            .on_conflict(
                OnConflict::column(match_state::Column::PersonId)
                    .update_columns([match_state::Column::Version, match_state::Column::Keys])
                    .to_owned(),
            )
            .exec_without_returning(tx.conn())
            .await
            .context("noting the blocks written")?;
    }
    Ok(())
}

fn packed(blocks: &[i64]) -> Vec<u8> {
    blocks.iter().flat_map(|key| key.to_be_bytes()).collect()
}

fn unpacked(bytes: &[u8]) -> Vec<i64> {
    bytes
        .chunks_exact(8)
        .map(|eight| {
            let mut whole = [0; 8];
            whole.copy_from_slice(eight);
            i64::from_be_bytes(whole)
        })
        .collect()
}
