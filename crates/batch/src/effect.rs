//! Effects (影响): who would gain and lose by a reform, and what it would cost, in groups.
//!
//! A household whose outcome in some programme becomes *to verify* does not lose: nobody knows what it would get. It is a
//! class of its own, with what it gets today; its money stands on neither side of the comparison. The same holds the other
//! way, for one that could not be judged and now can. Guarantees: the effects of two halves of the population add up to that
//! of the whole. Deliberately absent: anything about one household; holding small groups back is in [`crate::suppress`].

use crate::suppress::Hidden;
use policy::Every;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
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
    /// In which programmes nobody knows, a bit each, counted as they are decided; more than 128 share the last bit.
    doubt: Vec<u128>,
    /// The same for each member.
    doubts: Vec<u128>,
}

/// How one side's outcome stands to the other's (判断变化).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Known on both sides, or unknown on both.
    Known,
    /// 变为待核实。
    Unsettled,
    /// 由待核实变为可判断。
    Settled,
}

impl Turn {
    fn of(was: u128, is: u128) -> Self {
        if is & !was != 0 {
            Self::Unsettled
        } else if was & !is != 0 {
            Self::Settled
        } else {
            Self::Known
        }
    }

    /// Of a household: doubt about anybody in it comes first.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unsettled, _) | (_, Self::Unsettled) => Self::Unsettled,
            (Self::Settled, _) | (_, Self::Settled) => Self::Settled,
            _ => Self::Known,
        }
    }
}

impl Amounts {
    /// Nothing for anybody of so many, and no doubt.
    pub(crate) fn clear(&mut self, households: usize, members: usize) {
        for (amounts, size) in [
            (&mut self.month, households),
            (&mut self.year, households),
            (&mut self.members, members),
        ] {
            amounts.clear();
            amounts.resize(size, 0);
        }
        for (doubts, size) in [(&mut self.doubt, households), (&mut self.doubts, members)] {
            doubts.clear();
            doubts.resize(size, 0);
        }
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

    /// Notes that a programme's outcome for some members is not known; `home`: for the household as one.
    pub(crate) fn doubt(&mut self, programme: usize, row: usize, whom: Range<usize>, home: bool) {
        let bit = 1_u128 << programme.min(127);
        if home {
            self.doubt[row] |= bit;
        }
        for member in &mut self.doubts[whom] {
            *member |= bit;
        }
    }

    /// Nothing for the household or any of its members, and no doubt.
    fn is_nothing(&self, row: usize, members: Range<usize>) -> bool {
        (self.month[row], self.year[row], self.doubt[row]) == (0, 0, 0)
            && self.members[members.clone()].iter().all(|fen| *fen == 0)
            && self.doubts[members].iter().all(|doubt| *doubt == 0)
    }

    fn is_in_doubt(&self, row: usize, members: Range<usize>) -> bool {
        self.doubt[row] != 0 || self.doubts[members].iter().any(|doubt| *doubt != 0)
    }

    fn turn(was: &Self, is: &Self, row: usize, members: Range<usize>) -> Turn {
        was.doubts[members.clone()]
            .iter()
            .zip(&is.doubts[members])
            .map(|(was, is)| Turn::of(*was, *is))
            .fold(Turn::of(was.doubt[row], is.doubt[row]), Turn::and)
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

/// One household, counted as such.
const HOUSEHOLD: Count = Count {
    households: 1,
    persons: 0,
};
/// One person.
const PERSON: Count = Count {
    households: 0,
    persons: 1,
};

impl Count {
    /// Both together are added (相加).
    pub(crate) fn add(&mut self, other: Self) {
        self.households += other.households;
        self.persons += other.persons;
    }
}

/// What a reform does to a group (一组的影响).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Group {
    /// Households and persons in the group.
    pub all: Count,
    /// Those who get something on one side or the other.
    pub getting: Count,
    /// Those who would get more.
    pub gain: Count,
    /// Those who would get less.
    pub lose: Count,
    /// Those who got nothing and would get something.
    pub enter: Count,
    /// Those who got something and would get nothing.
    pub leave: Count,
    /// Those whose outcome would have to be verified, and had not; neither gaining nor losing.
    pub unsettled: Count,
    /// Those whose outcome had to be verified, and would be known.
    pub settled: Count,
    /// What is paid a month, in fen, to those whose outcome is known on both sides.
    pub before: i64,
    /// What would be paid to them a month.
    pub after: i64,
    /// What is paid to them a year.
    pub year_before: i64,
    /// What would be paid to them a year.
    pub year_after: i64,
    /// What those who would have to be verified get a month today; what they would get is unknown.
    pub in_doubt: i64,
    /// What those who could not be judged would get a month; what they get today is unknown.
    pub decided: i64,
    /// What is held back because the group is small.
    #[serde(default, skip_serializing_if = "Hidden::is_nothing")]
    pub hidden: Hidden,
}

/// What a reform does (影响).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Effect {
    /// All together.
    pub all: Group,
    /// Households that have to be verified before, and after.
    pub to_verify: (u64, u64),
    /// By street; made of the communities by [`Effect::close`].
    pub streets: BTreeMap<i64, Group>,
    /// By community.
    pub communities: BTreeMap<i64, Group>,
    /// By age band, counted in [`AGES`]; persons only. The last is of unknown age.
    pub ages: BTreeMap<usize, Group>,
    /// By how many live together; six and more are one group.
    pub sizes: BTreeMap<usize, Group>,
    /// How many households change by how much a month, counted in [`STEPS`]; those that do not change are not counted.
    pub steps: BTreeMap<usize, u64>,
    /// Which of these are held back because they are small.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub steps_hidden: BTreeSet<usize>,
}

impl Group {
    fn add(&mut self, other: &Self) {
        for (count, more) in [
            (&mut self.all, other.all),
            (&mut self.getting, other.getting),
            (&mut self.gain, other.gain),
            (&mut self.lose, other.lose),
            (&mut self.enter, other.enter),
            (&mut self.leave, other.leave),
            (&mut self.unsettled, other.unsettled),
            (&mut self.settled, other.settled),
        ] {
            count.add(more);
        }
        for (sum, more) in [
            (&mut self.before, other.before),
            (&mut self.after, other.after),
            (&mut self.year_before, other.year_before),
            (&mut self.year_after, other.year_after),
            (&mut self.in_doubt, other.in_doubt),
            (&mut self.decided, other.decided),
        ] {
            *sum = sum.saturating_add(more);
        }
    }

    /// How much more a month (月增支), as far as it is known.
    pub fn more(&self) -> i64 {
        self.after.saturating_sub(self.before)
    }

    /// How much more a year (年增支), as far as it is known.
    pub fn more_a_year(&self) -> i64 {
        self.year_after.saturating_sub(self.year_before)
    }
}

/// Counts one household or person into a group.
fn count(group: &mut Group, turn: Turn, (was, is): (i64, i64), one: Count) {
    if was != 0 || is != 0 {
        group.getting.add(one);
    }
    match turn {
        Turn::Unsettled => return group.unsettled.add(one),
        Turn::Settled => return group.settled.add(one),
        Turn::Known => {}
    }
    if is > was {
        group.gain.add(one);
        if was == 0 {
            group.enter.add(one);
        }
    }
    if is < was {
        group.lose.add(one);
        if is == 0 {
            group.leave.add(one);
        }
    }
}

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
    /// Counts the households of a batch in, those of the communities asked for.
    pub(crate) fn note(
        &mut self,
        who: &Households<'_>,
        was: &Amounts,
        is: &Amounts,
        mut within: impl FnMut(i64) -> bool,
    ) {
        let mut row = 0;
        while row < who.regions.len() {
            // Neighbours stand together, so a community is looked up once.
            let region = who.regions[row];
            let counted = within(region);
            let mut here = Group::default();
            while who.regions.get(row) == Some(&region) {
                if counted {
                    self.household(who, row, was, is, &mut here);
                }
                row += 1;
            }
            if counted {
                self.communities.entry(region).or_default().add(&here);
            }
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
        let members = who.members_of(row);
        let size = members.len();
        if was.is_nothing(row, members.clone()) && is.is_nothing(row, members.clone()) {
            // Most households get nothing either way; they are only there.
            let there = Count {
                households: 1,
                persons: u64::try_from(size).unwrap_or(0),
            };
            here.all.add(there);
            self.sizes[size.min(MANY)].all.add(there);
            for band in &who.bands[members] {
                self.ages[usize::from(*band)].all.persons += 1;
            }
            return;
        }
        self.to_verify.0 += u64::from(was.is_in_doubt(row, members.clone()));
        self.to_verify.1 += u64::from(is.is_in_doubt(row, members.clone()));
        let turn = Amounts::turn(was, is, row, members.clone());
        let mut group = Group {
            all: Count {
                households: 1,
                persons: u64::try_from(size).unwrap_or(0),
            },
            ..Group::default()
        };
        match turn {
            Turn::Known => {
                (group.before, group.after) = (was.month[row], is.month[row]);
                (group.year_before, group.year_after) = (was.year[row], is.year[row]);
            }
            Turn::Unsettled => group.in_doubt = was.month[row],
            Turn::Settled => group.decided = is.month[row],
        }
        count(&mut group, turn, (was.year[row], is.year[row]), HOUSEHOLD);
        for member in members {
            let turn = Turn::of(was.doubts[member], is.doubts[member]);
            let paid = (was.members[member], is.members[member]);
            let band = &mut self.ages[usize::from(who.bands[member])];
            band.all.persons += 1;
            if paid != (0, 0) || turn != Turn::Known {
                count(&mut group, turn, paid, PERSON);
                count(band, turn, paid, PERSON);
            }
        }
        here.add(&group);
        self.sizes[size.min(MANY)].add(&group);
        if turn == Turn::Known && group.before != group.after {
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
            ..Effect::default()
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

    /// Adds the communities of each street together (按街道合计), once everybody is counted.
    pub fn close(&mut self) {
        self.streets.clear();
        for (community, group) in &self.communities {
            self.streets
                .entry(street_of(*community))
                .or_default()
                .add(group);
        }
    }
}

/// The street of a community, by its code (所属街道).
pub(crate) fn street_of(community: i64) -> i64 {
    community / 1_000 * 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: i64 = 440_306_001_001;

    /// One household on one side: paid so much a month, for all of its members.
    fn one(month: i64, size: usize) -> Amounts {
        let mut made = Amounts::default();
        made.clear(1, size);
        made.pay(Every::Month, month, 0, 0..size);
        made
    }

    /// Counts one household in, its members in these age bands.
    fn note(counting: &mut Counting, region: i64, bands: &[u8], was: &Amounts, is: &Amounts) {
        let who = Households {
            regions: &[region],
            offsets: &[0, u32::try_from(bands.len()).unwrap()],
            bands,
        };
        counting.note(&who, was, is, |_| true);
    }

    fn effect_of(bands: &[u8], was: &Amounts, is: &Amounts) -> Effect {
        let mut counting = Counting::default();
        note(&mut counting, HERE, bands, was, is);
        counting.effect()
    }

    #[test]
    fn gaining_losing_entering_and_leaving_are_counted() {
        let mut counting = Counting::default();
        for (bands, was, is) in [
            (&[3, 3][..], 0, 30_000),
            (&[5], 100_000, 130_000),
            (&[1], 20_000, 0),
            (&[2], 0, 0),
        ] {
            let (was, is) = (one(was, bands.len()), one(is, bands.len()));
            note(&mut counting, HERE, bands, &was, &is);
        }
        let effect = counting.effect();
        let all = effect.all;
        // Two gain (one of them enters), one loses and leaves, one is not touched.
        assert_eq!((all.gain.households, all.enter.households), (2, 1));
        assert_eq!((all.lose.households, all.leave.households), (1, 1));
        assert_eq!((all.gain.persons, all.all.persons), (3, 5));
        assert_eq!((all.getting.households, all.getting.persons), (3, 4));
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
    fn who_becomes_to_verify_neither_loses_nor_saves_money() {
        // 1,000.00 yuan for two people; under the reform one fact more is needed.
        let was = one(100_000, 2);
        let mut is = one(0, 2);
        is.doubt(0, 0, 0..2, true);
        let effect = effect_of(&[3, 3], &was, &is);
        let all = effect.all;
        assert_eq!((all.unsettled.households, all.unsettled.persons), (1, 2));
        assert_eq!((all.lose, all.leave), (Count::default(), Count::default()));
        // Nothing is saved: what they get is unknown, and stands beside the comparison.
        assert_eq!((all.before, all.after, all.in_doubt), (0, 0, 100_000));
        assert_eq!((effect.to_verify, effect.steps.len()), ((0, 1), 0));
        // The other way: judged now, at 1,000.00; nobody says it gains, for nobody knows what it has.
        let all = effect_of(&[3, 3], &is, &was).all;
        assert_eq!((all.settled.households, all.gain), (1, Count::default()));
        assert_eq!((all.more(), all.decided), (0, 100_000));
    }

    #[test]
    fn a_doubt_that_stays_does_not_hide_what_else_changes() {
        // Unknown in the first programme before and after; in another one the first member gets 50.00 yuan more.
        let (mut was, mut is) = (one(0, 2), one(0, 2));
        was.doubt(0, 0, 0..2, true);
        is.doubt(0, 0, 0..2, true);
        is.pay(Every::Month, 5_000, 0, 0..1);
        let all = effect_of(&[3, 5], &was, &is).all;
        assert_eq!((all.gain.households, all.gain.persons), (1, 1));
        assert_eq!((all.unsettled, all.more()), (Count::default(), 5_000));
        // One member's own doubt is that member's: the other one is counted as usual.
        let was = one(10_000, 2);
        let mut is = one(0, 2);
        is.doubt(1, 0, 1..2, false);
        let all = effect_of(&[3, 5], &was, &is).all;
        assert_eq!(
            (
                all.unsettled.households,
                all.unsettled.persons,
                all.lose.persons
            ),
            (1, 1, 1)
        );
    }

    #[test]
    fn streets_are_their_communities_together() {
        let mut counting = Counting::default();
        let unknown = u8::try_from(AGES.len()).unwrap();
        for region in [440_306_001_001, 440_306_001_002, 440_306_002_001] {
            note(&mut counting, region, &[unknown], &one(0, 1), &one(100, 1));
        }
        let mut effect = counting.effect();
        effect.close();
        let of = |code: i64| effect.streets[&code].gain.households;
        assert_eq!((of(440_306_001_000), of(440_306_002_000)), (2, 1));
    }
}
