//! One part of a sweep (分块比对): its rows decided and compared with what is paid to them.
//!
//! Deliberately absent: files; the sweep reads and writes them.

use crate::chunk::{self, Chunk, Rows};
use crate::decide::{Deciders, monthly};
use crate::finding::{self, Finding, FindingKind};
use crate::later::Later;
use crate::night_rows::{Night, Nights};
use crate::nights::{self, Nexts, Round};
use crate::payments::{self, Paid};
use crate::shares::Shares;
use crate::sweep::{Doubts, Record, Sweep};
use crate::tally::{Counted, Tally};
use anyhow::Context;
use bytes::Bytes;
use chrono::Datelike;
use policy::machine::{MET, NOT_MET, Outcomes};
use policy::{Ask, ColumnDef, Unit};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;
use vocab::Month;

/// What deciding a part needs.
pub(crate) struct PartWork {
    pub(crate) sweep: Sweep,
    /// The part; not read where a night has its rows ready.
    pub(crate) households: Option<Bytes>,
    pub(crate) payments: Option<Bytes>,
    pub(crate) later: Arc<Later>,
    pub(crate) at: usize,
    pub(crate) round: Arc<Round>,
}

/// The bytes of a part's files in the order of [`nights::files`]; `None` for one that stays as it is.
pub(crate) type PartFiles = [Option<Vec<u8>>; nights::FILES];

/// A part's record, its files, and how many of its households were taken over.
pub(crate) type PartAnswer = (Record, PartFiles, u64);

/// A part decided.
pub(crate) struct PartDone {
    pub(crate) findings: Vec<Finding>,
    pub(crate) nights: Nights,
    pub(crate) shares: Shares,
    /// The rows whose day comes soon, if they were gathered anew.
    pub(crate) soon: Option<Vec<u8>>,
    pub(crate) record: Record,
    pub(crate) kept: u64,
}

impl PartDone {
    /// Its record, its files, and how many households were taken over.
    pub(crate) fn into_files(self) -> anyhow::Result<PartAnswer> {
        let findings = Some(finding::to_file(&self.findings)?);
        let files = match self.nights.are_written_whole() {
            true => [
                findings,
                Some(self.nights.into_file()),
                Some(self.shares.into_file()?),
                self.soon,
                Some(Nights::new().changes()),
            ],
            false => {
                let mut changes = self.nights.changes();
                changes.extend(self.shares.more()?);
                [findings, None, None, self.soon, Some(changes)]
            }
        };
        Ok((self.record, files, self.kept))
    }
}

impl PartWork {
    /// Decides every row that counts.
    pub(crate) fn anew(&self, blank: Record) -> anyhow::Result<PartDone> {
        let mut part = PartSweep::new(&self.sweep, self.payments.clone(), Shares::default())?;
        let Round { bindings, nexts } = &*self.round;
        let mut deciders = Deciders::new(bindings);
        let until = blank.soon_until.num_days_from_ce();
        let mut nights = Nights::new();
        let (mut soon, mut days) = (Vec::new(), Vec::new());
        for chunk in self.chunks(bindings.reads())? {
            let chunk = chunk?;
            let current = self.later.current(chunk.clone(), self.at)?;
            if let Some(current) = &current {
                part.decide(current, &mut deciders, nexts)?;
            }
            let mut decided = part.nexts.drain(..).zip(part.kinds.drain(..));
            let mut keep = Vec::new();
            for household in chunk.households()?.iter().copied() {
                let (next, kind) = match self.later.counts(self.at, household) {
                    true => decided.next().context("少了一户的结果")?,
                    false => (nights::GONE, 0),
                };
                nights.push(Night {
                    household,
                    next,
                    kind,
                });
                if next != nights::GONE {
                    keep.push(next <= until);
                    days.extend((next <= until).then_some(next));
                }
            }
            if let Some(current) = current {
                soon.extend(current.some(&keep)?);
            }
        }
        part.findings.sort();
        Ok(PartDone {
            soon: Some(nights::soon_file(&soon, &days)?),
            nights,
            shares: part.shares,
            record: Record {
                households: part.households,
                people: part.people,
                tally: part.tally,
                ..blank
            },
            findings: part.findings,
            kept: 0,
        })
    }

    /// The rows of the part, whether they still count or not.
    pub(crate) fn chunks(
        &self,
        reads: &[ColumnDef],
    ) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Chunk>>> {
        let households = self.households.clone().context("没有读这个分块")?;
        let read = chunk::open(households, reads)?;
        Ok(read.map(|batch| Ok(Chunk::new(batch?))))
    }
}

/// One part being decided.
pub(crate) struct PartSweep<'s> {
    sweep: &'s Sweep,
    ask: Ask,
    names: Vec<String>,
    paid: Paid,
    pub(crate) findings: Vec<Finding>,
    pub(crate) tally: Tally,
    pub(crate) households: u64,
    pub(crate) people: u64,
    /// What each household counted for.
    pub(crate) shares: Shares,
    /// For each row decided, in order, the next day on which time may change it.
    pub(crate) nexts: Vec<i32>,
    /// The kind of its share.
    pub(crate) kinds: Vec<u32>,
}

/// A row whose outcome is to be verified.
struct Doubtful {
    row: usize,
    member: Option<usize>,
    programme: usize,
    paid: Option<i64>,
}

/// A programme as it is compared.
struct At {
    programme: usize,
    by_person: bool,
    compared: bool,
}

/// Everything that is paid to a household.
fn of_household(household: i64) -> RangeInclusive<(i64, Option<i64>, usize)> {
    (household, None, 0)..=(household, Some(i64::MAX), usize::MAX)
}

impl<'s> PartSweep<'s> {
    pub(crate) fn new(
        sweep: &'s Sweep,
        payments: Option<Bytes>,
        shares: Shares,
    ) -> anyhow::Result<Self> {
        let programmes = sweep.book.programmes();
        let names: Vec<String> = programmes.iter().map(|one| one.id.clone()).collect();
        let paid = match payments {
            Some(bytes) => payments::read(bytes, Month::of(sweep.as_of), &names)?,
            None => Paid::new(),
        };
        Ok(Self {
            sweep,
            ask: sweep.ask(),
            names,
            paid,
            findings: Vec::new(),
            tally: Tally::default(),
            households: 0,
            people: 0,
            shares,
            nexts: Vec::new(),
            kinds: Vec::new(),
        })
    }

    /// Decides rows, all of which count.
    pub(crate) fn decide(
        &mut self,
        chunk: &Chunk,
        deciders: &mut Deciders<'_>,
        nexts: &Nexts,
    ) -> anyhow::Result<()> {
        deciders.decide(chunk, |_, ask, rows, outcomes| {
            self.compare(ask, rows, outcomes)?;
            nights::times(nexts, rows, self.sweep, &mut self.nexts);
            self.shares.close(rows, &mut self.kinds)
        })
    }

    /// Compares what is due with what is paid.
    fn compare(
        &mut self,
        ask: &Ask,
        rows: &Rows<'_>,
        outcomes: Outcomes<'_>,
    ) -> anyhow::Result<()> {
        self.households += u64::try_from(rows.households.len())?;
        self.people += u64::try_from(rows.persons.len())?;
        let book = Arc::clone(&self.sweep.book);
        let mut doubtful = Vec::new();
        // Most households are paid nothing, and most programmes meet nobody among so many.
        let paid: Vec<bool> = rows
            .households
            .iter()
            .map(|household| self.paid.range(of_household(*household)).next().is_some())
            .collect();
        let paid_rows: Vec<usize> = (0..paid.len()).filter(|row| paid[*row]).collect();
        let only_paid = self.sweep.doubts == Doubts::Paid;
        for (at, programme) in outcomes.programmes().iter().copied().enumerate() {
            let benefit = &book.programmes()[programme];
            let to = At {
                programme,
                by_person: benefit.to == Unit::Person,
                compared: monthly(benefit.benefit.every),
            };
            let (states, amounts) = (outcomes.outcome(at), outcomes.amount(at));
            let counted = Counted::of(states, amounts);
            self.tally.outcomes(&benefit.id, counted);
            if counted.met + counted.to_verify > 0 {
                self.shares
                    .note(at, to.by_person, rows, (states, amounts))?;
            }
            let said_by_all =
                (counted.met > 0 && to.compared) || (counted.to_verify > 0 && !only_paid);
            if said_by_all {
                for (row, paid) in paid.iter().enumerate() {
                    self.row(rows, row, *paid, &to, (states, amounts), &mut doubtful);
                }
            } else {
                for row in &paid_rows {
                    self.row(rows, *row, true, &to, (states, amounts), &mut doubtful);
                }
            }
        }
        self.strangers(rows, &paid_rows);
        self.follow(ask, rows, &doubtful);
        Ok(())
    }

    /// Compares what is due from one programme to a household or its members with what is paid, if anything is.
    fn row(
        &mut self,
        rows: &Rows<'_>,
        row: usize,
        is_paid: bool,
        to: &At,
        (states, amounts): (&[u8], &[i64]),
        doubtful: &mut Vec<Doubtful>,
    ) {
        let range = match to.by_person {
            true => rows.table.members_of(row),
            false => row..row + 1,
        };
        let first = range.start;
        for cell in range {
            let (state, due) = (states[cell], amounts[cell]);
            if state == NOT_MET && !is_paid {
                continue;
            }
            let person = to.by_person.then(|| rows.persons[cell]);
            let key = (rows.households[row], person, to.programme);
            let paid = if is_paid {
                self.paid.remove(&key)
            } else {
                None
            };
            let kind = match (state, paid) {
                (MET, None) if to.compared => FindingKind::Due,
                (MET, Some(paid)) if to.compared && paid != due => FindingKind::Differs,
                (NOT_MET, Some(_)) if to.compared => FindingKind::NotDue,
                (MET | NOT_MET, _) => continue,
                // A doubt nobody wants followed is only counted.
                (_, None) if self.sweep.doubts == Doubts::Paid => continue,
                _ => {
                    doubtful.push(Doubtful {
                        row,
                        member: to.by_person.then_some(cell - first),
                        programme: to.programme,
                        paid,
                    });
                    continue;
                }
            };
            let paid = paid.unwrap_or(0);
            self.note(rows, row, to.programme, person, kind, due, paid, Vec::new());
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of one finding")]
    fn note(
        &mut self,
        rows: &Rows<'_>,
        row: usize,
        programme: usize,
        person: Option<i64>,
        kind: FindingKind,
        due: i64,
        paid: i64,
        missing: Vec<String>,
    ) {
        let found = Finding {
            region: rows.regions[row],
            household: rows.households[row],
            programme: self.names[programme].clone(),
            person,
            kind,
            due,
            paid,
            missing,
        };
        self.tally.finding(&found);
        self.findings.push(found);
    }

    /// What is paid to a household here for somebody who is no member of it, or for a programme not decided.
    fn strangers(&mut self, rows: &Rows<'_>, paid_rows: &[usize]) {
        let asked: BTreeSet<&String> = self.ask.programmes.iter().flatten().collect();
        let mut strange = Vec::new();
        for row in paid_rows.iter().copied() {
            let household = &rows.households[row];
            for ((_, person, programme), fen) in self.paid.range(of_household(*household)) {
                if asked.contains(&self.names[*programme])
                    && monthly(self.sweep.book.programmes()[*programme].benefit.every)
                {
                    strange.push((row, *programme, *person, *fen));
                }
            }
        }
        for (row, programme, person, fen) in strange {
            self.paid.remove(&(rows.households[row], person, programme));
            self.note(
                rows,
                row,
                programme,
                person,
                FindingKind::NotDue,
                0,
                fen,
                Vec::new(),
            );
        }
    }

    /// Follows doubts to the facts that would settle them.
    fn follow(&mut self, ask: &Ask, rows: &Rows<'_>, doubtful: &[Doubtful]) {
        let every = self.sweep.doubts != Doubts::Paid;
        let wanted: BTreeSet<usize> = doubtful
            .iter()
            .filter(|one| every || one.paid.is_some())
            .map(|one| one.row)
            .collect();
        let wanted: Vec<usize> = wanted.into_iter().collect();
        let book = Arc::clone(&self.sweep.book);
        let answers = book.missing(&rows.table, ask, &wanted);
        for one in doubtful {
            let facts = wanted
                .binary_search(&one.row)
                .ok()
                .and_then(|at| answers.get(at))
                .and_then(|doubts| {
                    doubts.iter().find(|(programme, member, _)| {
                        (*programme, *member) == (one.programme, one.member)
                    })
                })
                .map(|(_, _, facts)| facts.clone())
                .unwrap_or_default();
            let listed = match self.sweep.doubts {
                Doubts::Paid => false,
                Doubts::One => facts.len() == 1,
                Doubts::All => true,
            };
            let kind = match one.paid {
                Some(_) => FindingKind::PaidToVerify,
                None if listed && monthly(book.programmes()[one.programme].benefit.every) => {
                    FindingKind::ToVerify
                }
                None => continue,
            };
            let person = one.member.map(|member| {
                let first = rows.table.members_of(one.row).start;
                rows.persons[first + member]
            });
            self.note(
                rows,
                one.row,
                one.programme,
                person,
                kind,
                0,
                one.paid.unwrap_or(0),
                facts,
            );
        }
    }
}
