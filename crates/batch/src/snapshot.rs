//! Snapshots (快照): the register on a day, as the rule book's columns, without anybody's name.
//!
//! The fact sheets are those of casework, so what a snapshot says of a household is what its case would read. The whole
//! register streams by, a part at a time; later only what changed is written, as one more part. Guarantees: as of a past
//! day and moment the then-valid and then-known facts; whole and piecemeal give the same rows; no name, number, address
//! or typed text. Deliberately absent: a place's community of a past day; a household stands where it is now.

use crate::decide::region_number;
use crate::encode::Gathering;
use crate::folder::Folder;
use crate::layout::{Manifest, Part, households_file, payments_file};
use crate::payments::{self, Payment};
use access::Scope;
use anyhow::{Context, ensure};
use casework::Desk;
use chrono::{DateTime, NaiveDate, Utc};
use policy::table::{ABSENT, Column, States, Table};
use policy::{Ask, Kind, Unit};
use registry::changes::Between;
use registry::leaving;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use store::Db;
use store::keys::sm3_hex;
use vocab::ids::{HouseholdId, PersonId};
use vocab::{FactSheet, Month, Region};

/// Sheets read together.
const SHEETS: usize = 300;
/// Households in a part.
const PART: usize = 32_768;
/// Journal entries read together.
const ENTRIES: u64 = 5_000;

/// What to take a snapshot of (快照范围).
#[derive(Clone)]
pub struct Snapshot<'a> {
    /// The rules: which columns are read.
    pub desk: &'a Desk,
    /// The day.
    pub as_of: NaiveDate,
    /// As known at this moment; `None` means now.
    pub known_at: Option<DateTime<Utc>>,
    /// Households in a part; the usual number if `None`.
    pub part: Option<usize>,
}

/// How far it is (进度): households written, and all, once counted.
pub type Progress<'p> = dyn FnMut(u64) + Send + 'p;

struct Writing<'a> {
    db: &'a Db,
    folder: &'a Folder,
    snapshot: &'a Snapshot<'a>,
    scope: Scope,
    known_at: DateTime<Utc>,
    ask: Ask,
    texts: Vec<bool>,
}

impl<'a> Snapshot<'a> {
    /// Writes the whole register into a folder (全量快照).
    ///
    /// # Errors
    /// Faults of the database and of the folder.
    pub async fn whole(
        &self,
        db: &Db,
        folder: &Folder,
        progress: &mut Progress<'_>,
    ) -> anyhow::Result<Manifest> {
        let writing = Writing::begin(db, folder, self);
        let mut manifest = self.manifest(db, &writing).await?;
        let mut after: Option<(Region, HouseholdId)> = None;
        let mut ids: BTreeSet<i64> = BTreeSet::new();
        let mut written = 0;
        loop {
            let limit = u64::try_from(self.part.unwrap_or(PART))?;
            let some =
                registry::households::ids_on(db, &writing.scope, self.as_of, after, limit).await?;
            let Some((last, region)) = some.last().copied() else {
                break;
            };
            after = Some((region, last));
            let number = manifest.parts.len();
            let part = writing.part(number, some).await?;
            for id in &part.1 {
                ensure!(
                    ids.insert(*id),
                    "两户的快照编号相同 (two households have one pseudonym)"
                );
            }
            manifest.households += part.0.rows;
            manifest.people += part.0.people;
            manifest.parts.push(part.0);
            written += u64::try_from(part.1.len())?;
            progress(written);
        }
        manifest.write(folder).await?;
        Ok(manifest)
    }

    /// Adds what changed since the snapshot in the folder (增量快照), as one more part; nothing else is written again.
    ///
    /// # Errors
    /// Faults of the database and of the folder; a snapshot of another place or a later day.
    pub async fn later(
        &self,
        db: &Db,
        folder: &Folder,
        progress: &mut Progress<'_>,
    ) -> anyhow::Result<Manifest> {
        let before = Manifest::read(folder).await?;
        let writing = Writing::begin(db, folder, self);
        let mut manifest = self.manifest(db, &writing).await?;
        ensure!(
            before.place == manifest.place,
            "{} 里是 {} 的快照，不是 {} 的 (a snapshot of another place)",
            folder.shown(),
            before.place,
            manifest.place
        );
        ensure!(
            before.as_of <= self.as_of,
            "{} 里的快照是 {} 的，比 {} 晚；请另写文件夹做全量快照 (an earlier day)",
            folder.shown(),
            before.as_of,
            self.as_of
        );
        ensure!(
            before.pack_hash == manifest.pack_hash,
            "快照之后规则变了，读取的事实可能不同；请重新做全量快照 (the rules have changed since)"
        );
        let touched = self.touched(db, &writing.scope, &before).await?;
        let touched: Vec<HouseholdId> = touched.into_iter().collect();
        let there =
            registry::households::those_on(db, &writing.scope, self.as_of, &touched).await?;
        let (part, ids) = writing.part(before.parts.len(), there).await?;
        progress(u64::try_from(ids.len())?);
        let ids: BTreeSet<i64> = ids.into_iter().collect();
        let gone: Vec<i64> = touched
            .iter()
            .map(|id| leaving::pseudonym(db.keys(), id.0))
            .filter(|id| !ids.contains(id))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        manifest.parts.clone_from(&before.parts);
        if part.rows > 0 || !gone.is_empty() {
            manifest.parts.push(Part {
                delta: true,
                gone,
                ..part
            });
        }
        let current = crate::later::Later::of(folder, &manifest).await?;
        (manifest.households, manifest.people) = current.count(folder, &manifest).await?;
        manifest.write(folder).await?;
        Ok(manifest)
    }

    async fn manifest(&self, db: &Db, writing: &Writing<'_>) -> anyhow::Result<Manifest> {
        let book = &self.desk.book;
        // Read before any row: whatever commits while the rows are read counts as later, and is read again next time.
        let head = store::journal::head(db).await?;
        Ok(Manifest {
            known_at: Some(writing.known_at),
            journal: head.map_or(0, |head| head.seq),
            ..Manifest::empty(book, self.as_of)
        })
    }

    /// Every household whose row may differ from the one in the snapshot.
    async fn touched(
        &self,
        db: &Db,
        scope: &Scope,
        before: &Manifest,
    ) -> anyhow::Result<BTreeSet<HouseholdId>> {
        let mut learned = before.known_at.context("这个快照没有写明截至何时所知")?;
        let mut people: Vec<PersonId> = Vec::new();
        let mut touched = BTreeSet::new();
        let mut seq = before.journal;
        loop {
            let entries = store::journal::after(db, seq, ENTRIES).await?;
            let Some(last) = entries.last() else { break };
            seq = last.seq;
            for entry in entries {
                // An act begun before the snapshot and committed after it carries the moment it began.
                learned = learned.min(entry.at);
                let id = entry.event.subject_id.parse();
                match (entry.event.subject_kind.as_str(), id) {
                    ("household", Ok(id)) => {
                        touched.insert(HouseholdId(id));
                    }
                    ("person", Ok(id)) => people.push(PersonId(id)),
                    _ => {}
                }
            }
        }
        let turned = Month::of(before.as_of) != Month::of(self.as_of);
        let looked_back = match turned {
            false => Vec::new(),
            true => self
                .desk
                .book
                .columns()
                .iter()
                .filter(|column| column.look_back.is_some())
                .map(|column| column.fact.clone())
                .collect(),
        };
        let between = Between {
            learned,
            after: before.as_of,
            until: self.as_of,
            looked_back,
        };
        touched.extend(registry::changes::households_touched(db, scope, &between).await?);
        people.extend(ledger::persons_touched(db.conn(), scope, learned, turned).await?);
        touched.extend(registry::changes::households_of_all(db, scope, &people).await?);
        Ok(touched)
    }
}

impl<'a> Writing<'a> {
    fn begin(db: &'a Db, folder: &'a Folder, snapshot: &'a Snapshot<'a>) -> Self {
        let book = &snapshot.desk.book;
        let known_at = snapshot.known_at.unwrap_or_else(|| db.now());
        Self {
            db,
            folder,
            snapshot,
            scope: Scope::system(book.place().division),
            known_at,
            ask: Ask {
                known_at: Some(known_at),
                programmes: Some(crate::decide::for_people(book)),
                ..Ask::on(snapshot.as_of)
            },
            texts: book
                .columns()
                .iter()
                .map(|column| column.kind == Kind::Text)
                .collect(),
        }
    }

    /// Writes some households as a part, sorted by place and pseudonym; returns it with their pseudonyms.
    async fn part(
        &self,
        number: usize,
        some: Vec<(HouseholdId, Region)>,
    ) -> anyhow::Result<(Part, Vec<i64>)> {
        let keys = self.db.keys();
        let mut order: Vec<(i64, i64, HouseholdId)> = some
            .into_iter()
            .map(|(id, region)| (region_number(region), leaving::pseudonym(keys, id.0), id))
            .collect();
        order.sort_unstable();
        let book = &self.snapshot.desk.book;
        let mut gathering = Gathering::new(book.columns());
        let mut paid = Vec::new();
        for page in order.chunks(SHEETS) {
            let ids: Vec<HouseholdId> = page.iter().map(|(_, _, id)| *id).collect();
            let sheets = casework::fact_sheets(
                self.db,
                &self.scope,
                self.snapshot.desk,
                &ids,
                self.known_at,
                self.snapshot.as_of,
            )
            .await?;
            self.gather(page, sheets, &mut gathering, &mut paid).await?;
        }
        let ids = gathering.ids().to_vec();
        let mut part = Part {
            file: households_file(number),
            rows: u64::try_from(gathering.households())?,
            people: u64::try_from(gathering.people())?,
            sm3: String::new(),
            payments: Some(payments_file(number)),
            delta: false,
            gone: Vec::new(),
        };
        if part.rows == 0 {
            part.payments = None;
            part.file = String::new();
            return Ok((part, ids));
        }
        let bytes = gathering.finish()?;
        paid.sort();
        let payments = payments::to_file(&paid)?;
        part.sm3 = sm3_hex(format!("{}{}", sm3_hex(&bytes), sm3_hex(&payments)).as_bytes());
        self.folder.write(&part.file, bytes).await?;
        self.folder.write(&payments_file(number), payments).await?;
        Ok((part, ids))
    }

    /// Takes in the sheets of a page, and what is paid to their members.
    async fn gather(
        &self,
        page: &[(i64, i64, HouseholdId)],
        sheets: Vec<(HouseholdId, FactSheet)>,
        gathering: &mut Gathering,
        paid: &mut Vec<Payment>,
    ) -> anyhow::Result<()> {
        let book = &self.snapshot.desk.book;
        let keys = self.db.keys();
        let at: BTreeMap<HouseholdId, (i64, i64)> = page
            .iter()
            .map(|(region, number, id)| (*id, (*region, *number)))
            .collect();
        let (mut households, mut regions) = (Vec::new(), Vec::new());
        let mut persons: Vec<PersonId> = Vec::new();
        let mut home: BTreeMap<PersonId, i64> = BTreeMap::new();
        let mut facts = Vec::with_capacity(sheets.len());
        for (id, sheet) in sheets {
            let (region, number) = at.get(&id).copied().context("a sheet nobody asked for")?;
            households.push(number);
            regions.push(region);
            for key in &sheet.member_keys {
                let person: PersonId = key.parse().context("a member's key is no identifier")?;
                persons.push(person);
                home.insert(person, number);
            }
            facts.push(sheet);
        }
        let mut table = book.tabulate(&facts, &self.ask);
        self.hold_back(&mut table)?;
        let numbers: Vec<i64> = persons
            .iter()
            .map(|person| leaving::pseudonym(keys, person.0))
            .collect();
        gathering.add(&table, &households, &regions, &numbers)?;
        let month = Month::of(self.snapshot.as_of);
        let everywhere = Scope::system(Region::NATION);
        let mut seen = BTreeSet::new();
        for row in ledger::in_payment(self.db.conn(), &everywhere, &persons, month).await? {
            let by_person = book
                .programme(&row.programme)
                .is_some_and(|programme| programme.to == Unit::Person);
            let Some(household) = home.get(&row.person).copied() else {
                continue;
            };
            let person = by_person.then(|| leaving::pseudonym(keys, row.person.0));
            // A household's benefit covers several members and is paid once.
            if !by_person && !seen.insert((household, row.entitlement)) {
                continue;
            }
            paid.push(Payment {
                household,
                person,
                programme: row.programme,
                month,
                fen: row.amount.fen(),
            });
        }
        Ok(())
    }

    /// Holds back what may not leave the register: free texts that are no code of a place.
    fn hold_back(&self, table: &mut Table<'static>) -> anyhow::Result<()> {
        let words = table.words.clone();
        for ((column, def), text) in table
            .columns
            .iter_mut()
            .zip(self.snapshot.desk.book.columns())
            .zip(&self.texts)
        {
            ensure!(
                leaving::fact_may_leave(&def.fact),
                "事实 {} 不得离开登记库；请改规则 (this fact may not leave the register)",
                def.fact
            );
            if !*text || matches!(column.states, States::AllAbsent) {
                continue;
            }
            let states: Vec<u8> = (0..column.values.len())
                .map(|cell| {
                    let said = usize::try_from(column.values[cell])
                        .ok()
                        .and_then(|place| words.get(place));
                    match said {
                        Some(text) if leaving::text_may_leave(text) => column.state(cell),
                        _ => column.state(cell).min(ABSENT),
                    }
                })
                .collect();
            *column = Column {
                values: Cow::Owned(column.values.to_vec()),
                states: States::Each(states.into()),
                denominators: None,
            };
        }
        Ok(())
    }
}
