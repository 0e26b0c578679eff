//! Effects (影响): who would gain and lose by a reform, and what it would cost, in groups.
//!
//! Guarantees: the effects of two halves of the population add up to that of the whole. Deliberately absent: anything
//! about one household; groups smaller than a threshold can be hidden.

use policy::Every;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// Where age bands begin (年龄段起点).
pub const AGES: [i32; 7] = [0, 6, 18, 35, 60, 70, 80];

/// Where classes of monthly change of a household begin, in fen (月变化分档起点): the first holds all below the second.
pub const STEPS: [i64; 9] = [
    i64::MIN,
    -50_000,
    -20_000,
    -5_000,
    1,
    5_000,
    20_000,
    50_000,
    100_000,
];

/// The households of a batch (一批户), whoever decides about them.
pub(crate) struct Households<'a> {
    pub(crate) regions: &'a [i64],
    /// Where the members of each begin; one more than households.
    pub(crate) offsets: &'a [u32],
    /// The age band of each member, `AGES.len()` if it is not known.
    pub(crate) bands: &'a [u8],
}

impl Households<'_> {
    fn members_of(&self, row: usize) -> Range<usize> {
        self.offsets[row] as usize..self.offsets[row + 1] as usize
    }
}

/// What the households of a batch get (一批户所得), on one side of the comparison.
#[derive(Debug, Default)]
pub(crate) struct Amounts {
    month: Vec<i64>,
    year: Vec<i64>,
    members: Vec<i64>,
    pub(crate) to_verify: Vec<bool>,
}

impl Amounts {
    /// Nothing for anybody of so many.
    pub(crate) fn clear(&mut self, households: usize, members: usize) {
        for (amounts, size) in [
            (&mut self.month, households),
            (&mut self.year, households),
            (&mut self.members, members),
        ] {
            amounts.clear();
            amounts.resize(size, 0);
        }
        self.to_verify.clear();
        self.to_verify.resize(households, false);
    }

    /// Adds an amount for some members of a household.
    pub(crate) fn pay(&mut self, every: Every, fen: i64, row: usize, whom: Range<usize>) {
        let (month, year) = (&mut self.month[row], &mut self.year[row]);
        match every {
            Every::Month => {
                *month = month.saturating_add(fen);
                *year = year.saturating_add(fen.saturating_mul(12));
            }
            Every::Year => *year = year.saturating_add(fen),
            Every::Once | Every::Order | Every::Status => return,
        }
        for member in &mut self.members[whom] {
            *member = member.saturating_add(fen);
        }
    }
}

/// How many (数量): households and persons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Count {
    /// Households.
    pub households: u64,
    /// Persons.
    pub persons: u64,
}

/// What a reform does to a group (一组的影响).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Group {
    /// Households and persons in the group.
    pub all: Count,
    /// Those who would get more.
    pub gain: Count,
    /// Those who would get less.
    pub lose: Count,
    /// Those who got nothing and would get something.
    pub enter: Count,
    /// Those who got something and would get nothing.
    pub leave: Count,
    /// What is paid a month, in fen.
    pub before: i64,
    /// What would be paid a month.
    pub after: i64,
    /// What is paid a year.
    pub year_before: i64,
    /// What would be paid a year.
    pub year_after: i64,
    /// Whether the numbers are held back because the group is small.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// What a reform does (影响).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Effect {
    /// All together.
    pub all: Group,
    /// Households that would have to be verified before, and after.
    pub to_verify: (u64, u64),
    /// By community.
    pub communities: BTreeMap<i64, Group>,
    /// By age band, counted in [`AGES`]; persons only. The last is of unknown age.
    pub ages: BTreeMap<usize, Group>,
    /// By how many live together; six and more are one group.
    pub sizes: BTreeMap<usize, Group>,
    /// How many households change by how much a month, counted in [`STEPS`]; those that do not change are not counted.
    pub steps: BTreeMap<usize, u64>,
}

impl Group {
    fn add(&mut self, other: &Self) {
        let counts = [
            (&mut self.all, other.all),
            (&mut self.gain, other.gain),
            (&mut self.lose, other.lose),
            (&mut self.enter, other.enter),
            (&mut self.leave, other.leave),
        ];
        for (count, more) in counts {
            count.households += more.households;
            count.persons += more.persons;
        }
        for (sum, more) in [
            (&mut self.before, other.before),
            (&mut self.after, other.after),
            (&mut self.year_before, other.year_before),
            (&mut self.year_after, other.year_after),
        ] {
            *sum = sum.saturating_add(more);
        }
        self.hidden |= other.hidden;
    }

    /// How much more a month (月增支).
    pub fn more(&self) -> i64 {
        self.after.saturating_sub(self.before)
    }

    /// How much more a year (年增支).
    pub fn more_a_year(&self) -> i64 {
        self.year_after.saturating_sub(self.year_before)
    }

    /// Whether anybody in it is touched (有无影响).
    pub fn is_touched(&self) -> bool {
        self.gain != Count::default() || self.lose != Count::default() || self.hidden
    }

    fn is_small(&self, below: u64) -> bool {
        let few = |count: u64| count > 0 && count < below;
        [self.gain, self.lose, self.enter, self.leave]
            .iter()
            .any(|count| few(count.households.max(count.persons)))
    }
}

/// Counts one household or person into a group.
fn count(group: &mut Group, was: i64, is: i64, one: Count) {
    let more = |count: &mut Count| {
        count.households += one.households;
        count.persons += one.persons;
    };
    if is > was {
        more(&mut group.gain);
        if was == 0 {
            more(&mut group.enter);
        }
    }
    if is < was {
        more(&mut group.lose);
        if is == 0 {
            more(&mut group.leave);
        }
    }
}

const HOUSEHOLD: Count = Count {
    households: 1,
    persons: 0,
};
const PERSON: Count = Count {
    households: 0,
    persons: 1,
};
/// Six and more live together.
const MANY: usize = 6;

/// An effect while households are counted into it (计数中的影响).
#[derive(Debug, Default)]
pub(crate) struct Counting {
    to_verify: (u64, u64),
    communities: BTreeMap<i64, Group>,
    ages: [Group; AGES.len() + 1],
    sizes: [Group; MANY + 1],
    steps: [u64; STEPS.len()],
}

impl Counting {
    /// Counts a batch of households in.
    pub(crate) fn note(&mut self, who: &Households<'_>, was: &Amounts, is: &Amounts) {
        let mut row = 0;
        while row < who.regions.len() {
            // Neighbours stand together, so a community is looked up once.
            let region = who.regions[row];
            let mut here = Group::default();
            while who.regions.get(row) == Some(&region) {
                self.household(who, row, was, is, &mut here);
                row += 1;
            }
            self.communities.entry(region).or_default().add(&here);
        }
    }

    fn household(
        &mut self,
        who: &Households<'_>,
        row: usize,
        was: &Amounts,
        is: &Amounts,
        here: &mut Group,
    ) {
        self.to_verify.0 += u64::from(was.to_verify[row]);
        self.to_verify.1 += u64::from(is.to_verify[row]);
        let members = who.members_of(row);
        let size = members.len();
        let mut group = Group {
            all: Count {
                households: 1,
                persons: u64::try_from(size).unwrap_or(0),
            },
            before: was.month[row],
            after: is.month[row],
            year_before: was.year[row],
            year_after: is.year[row],
            ..Group::default()
        };
        count(&mut group, was.year[row], is.year[row], HOUSEHOLD);
        for member in members {
            let (was, is) = (was.members[member], is.members[member]);
            let band = &mut self.ages[usize::from(who.bands[member])];
            band.all.persons += 1;
            if was != is {
                count(&mut group, was, is, PERSON);
                count(band, was, is, PERSON);
            }
        }
        here.add(&group);
        self.sizes[size.min(MANY)].add(&group);
        if group.before != group.after {
            let change = group.after.saturating_sub(group.before);
            let step = STEPS.iter().rposition(|from| *from <= change).unwrap_or(0);
            self.steps[step] += 1;
        }
    }

    /// What was counted; groups nobody is in are left out.
    pub(crate) fn effect(self) -> Effect {
        let mut all = Group::default();
        for group in self.communities.values() {
            all.add(group);
        }
        let groups = |groups: &[Group]| -> BTreeMap<usize, Group> {
            let anybody = |group: &Group| group.all != Count::default();
            let numbered = groups.iter().copied().enumerate();
            numbered.filter(|(_, group)| anybody(group)).collect()
        };
        let steps = self.steps.into_iter().enumerate();
        Effect {
            all,
            to_verify: self.to_verify,
            ages: groups(&self.ages),
            sizes: groups(&self.sizes),
            steps: steps.filter(|(_, count)| *count > 0).collect(),
            communities: self.communities,
        }
    }
}

impl Effect {
    /// Adds the effect on other households (相加).
    pub fn add(&mut self, other: &Self) {
        self.all.add(&other.all);
        self.to_verify.0 += other.to_verify.0;
        self.to_verify.1 += other.to_verify.1;
        for (mine, theirs) in [
            (&mut self.ages, &other.ages),
            (&mut self.sizes, &other.sizes),
        ] {
            for (key, group) in theirs {
                mine.entry(*key).or_default().add(group);
            }
        }
        for (region, group) in &other.communities {
            self.communities.entry(*region).or_default().add(group);
        }
        for (step, count) in &other.steps {
            *self.steps.entry(*step).or_default() += count;
        }
    }

    /// The communities of each street together (按街道合计).
    pub fn streets(&self) -> BTreeMap<i64, Group> {
        let mut streets: BTreeMap<i64, Group> = BTreeMap::new();
        for (community, group) in &self.communities {
            streets
                .entry(community / 1_000 * 1_000)
                .or_default()
                .add(group);
        }
        streets
    }

    /// Holds back groups in which fewer than so many are touched (隐去小数), for those who may not see persons. Where one
    /// group is held back, the next smallest is too: it could be had by subtraction.
    pub fn hide_small(&mut self, below: u64) {
        hide(&mut self.communities, below);
        hide(&mut self.ages, below);
        hide(&mut self.sizes, below);
        self.steps.retain(|_, count| *count >= below);
    }
}

fn hide<K: Ord + Copy>(groups: &mut BTreeMap<K, Group>, below: u64) {
    let touched = |group: &Group| {
        group.gain.households + group.lose.households + group.gain.persons + group.lose.persons
    };
    let mut small: Vec<K> = groups
        .iter()
        .filter(|(_, group)| group.is_small(below))
        .map(|(key, _)| *key)
        .collect();
    if small.len() == 1 {
        let next = groups
            .iter()
            .filter(|(key, group)| !small.contains(key) && group.is_touched())
            .min_by_key(|(_, group)| touched(group))
            .map(|(key, _)| *key);
        small.extend(next);
    }
    for key in small {
        if let Some(group) = groups.get_mut(&key) {
            *group = Group {
                hidden: true,
                ..Group::default()
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Households of one community: what they get before and after, and the age bands of their members.
    fn effect(households: &[(i64, i64, &[u8])]) -> Effect {
        let mut offsets = vec![0];
        let mut bands = Vec::new();
        let (mut was, mut is) = (Amounts::default(), Amounts::default());
        for (_, _, ages) in households {
            bands.extend_from_slice(ages);
            offsets.push(u32::try_from(bands.len()).unwrap());
        }
        let regions = vec![440_306_001_001; households.len()];
        let who = Households {
            regions: &regions,
            offsets: &offsets,
            bands: &bands,
        };
        for amounts in [&mut was, &mut is] {
            amounts.clear(households.len(), bands.len());
        }
        for (row, (before, after, _)) in households.iter().enumerate() {
            was.pay(Every::Month, *before, row, who.members_of(row));
            is.pay(Every::Month, *after, row, who.members_of(row));
        }
        let mut counting = Counting::default();
        counting.note(&who, &was, &is);
        counting.effect()
    }

    #[test]
    fn gaining_losing_entering_and_leaving_are_counted() {
        let effect = effect(&[
            (0, 30_000, &[3, 3]),
            (100_000, 130_000, &[5]),
            (20_000, 0, &[1]),
            (0, 0, &[2]),
        ]);
        let all = effect.all;
        // Two gain (one of them enters), one loses and leaves, one is not touched.
        assert_eq!((all.gain.households, all.enter.households), (2, 1));
        assert_eq!((all.lose.households, all.leave.households), (1, 1));
        assert_eq!((all.gain.persons, all.all.persons), (3, 5));
        // 30,000 + 130,000 - 100,000 - 20,000 = 40,000 fen a month.
        assert_eq!((all.more(), all.more_a_year()), (40_000, 480_000));
        // +300.00 yuan twice falls from 200 to 500; -200.00 from -200 to -50.
        assert_eq!(effect.steps, BTreeMap::from([(2, 1), (6, 2)]));
        let mut halves = Effect::default();
        halves.add(&effect);
        halves.add(&effect);
        assert_eq!(halves.all.more(), 80_000);
    }

    #[test]
    fn small_groups_are_held_back_and_cannot_be_had_by_subtraction() {
        let alone: (i64, i64, &[u8]) = (0, 10, &[3]);
        let couple: (i64, i64, &[u8]) = (0, 10, &[5, 5]);
        let mut effect = effect(&[vec![alone; 3], vec![couple; 20]].concat());
        effect.hide_small(10);
        assert!(effect.sizes[&1].hidden && effect.sizes[&2].hidden);
        assert_eq!(effect.sizes[&1].gain, Count::default());
    }
}
