//! From pairs to people (归并): records that hang together are one person, unless the bridge between two groups does not bear.
//!
//! Pairs are taken from the surest down. Two groups are joined by a pair only if all their records together speak for one person
//! (the odds of up to 64 pairs across, on average), and only if they do not hold two different valid identity numbers. Guarantees:
//! a chain of look-alikes does not make one person of many; what is refused is told, for somebody to look at. Deliberately
//! absent: taking a group apart again; a pair that is taken is stronger than those that come after.

use crate::compare::compare;
use crate::identity::Kind;
use crate::model::Model;
use crate::register::{Register, place_of};

/// Records across two groups that are compared at most, on each side.
const ACROSS: usize = 8;

/// Groups while they grow (分组).
#[derive(Debug)]
pub(crate) struct Groups {
    /// The parent of a record; a root is its own.
    parent: Vec<u32>,
    /// The next record of the group, in a ring.
    next: Vec<u32>,
    size: Vec<u32>,
    /// A record of the group whose number is valid.
    holder: Vec<u32>,
}

/// Why two groups were not joined (未归并的原因).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Each has a valid identity number, and they differ.
    Numbers,
    /// Most of their records do not look like one person.
    Chain,
}

const NOBODY: u32 = u32::MAX;

impl Groups {
    /// Every record for itself.
    pub(crate) fn new(register: &Register) -> Self {
        let records = u32::try_from(register.len()).unwrap_or(u32::MAX);
        let holder = (0..records).map(|record| {
            let entry = register.entry(record);
            let holds = entry.code().kind == Kind::Valid;
            if holds { record } else { NOBODY }
        });
        Self {
            parent: (0..records).collect(),
            next: (0..records).collect(),
            size: vec![1; register.len()],
            holder: holder.collect(),
        }
    }

    /// The root of a record's group.
    pub(crate) fn root(&mut self, record: u32) -> u32 {
        let mut record = record;
        loop {
            let parent = self.parent[place_of(record)];
            if parent == record {
                return record;
            }
            let above = self.parent[place_of(parent)];
            self.parent[place_of(record)] = above;
            record = above;
        }
    }

    fn members(&self, record: u32) -> impl Iterator<Item = u32> {
        let mut at = Some(record);
        std::iter::from_fn(move || {
            let now = at?;
            let next = self.next[place_of(now)];
            at = (next != record).then_some(next);
            Some(now)
        })
    }

    /// Joins the groups of two records if that bears.
    pub(crate) fn join(
        &mut self,
        register: &Register,
        model: &Model,
        a: u32,
        b: u32,
    ) -> Result<(), Refused> {
        let (x, y) = (self.root(a), self.root(b));
        if x == y {
            return Ok(());
        }
        let (holder_x, holder_y) = (self.holder[place_of(x)], self.holder[place_of(y)]);
        if holder_x != NOBODY && holder_y != NOBODY {
            let (one, other) = (register.entry(holder_x), register.entry(holder_y));
            if one.code() != other.code() {
                return Err(Refused::Numbers);
            }
        }
        let sizes = (self.size[place_of(x)], self.size[place_of(y)]);
        if sizes != (1, 1) && self.odds_across(register, model, x, y) < 0.0 {
            return Err(Refused::Chain);
        }
        let (root, leaf) = if x < y { (x, y) } else { (y, x) };
        self.parent[place_of(leaf)] = root;
        self.size[place_of(root)] = sizes.0 + sizes.1;
        self.next.swap(place_of(root), place_of(leaf));
        self.holder[place_of(root)] = if holder_x == NOBODY {
            holder_y
        } else {
            holder_x
        };
        Ok(())
    }

    /// The mean of the odds across; a single pair counts for no more than e to the twelfth either way.
    fn odds_across(&self, register: &Register, model: &Model, x: u32, y: u32) -> f64 {
        let (mut sum, mut pairs) = (0.0, 0.0);
        for a in self.members(x).take(ACROSS) {
            for b in self.members(y).take(ACROSS) {
                sum += model.odds(&compare(register, a, b)).clamp(-12.0, 12.0);
                pairs += 1.0;
            }
        }
        if pairs > 0.0 { sum / pairs } else { 0.0 }
    }
}
