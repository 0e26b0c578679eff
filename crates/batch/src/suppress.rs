//! Holding small cells back (小数隐去), for those who may not see persons.
//!
//! Which cells of one column of numbers are held back says [`crate::small_cells`]; a cell with several numbers is held back
//! if one of them is. Streets and their communities are two levels of one table: a hidden street hides its communities, and
//! within a street that is shown the same rule holds again. Money is held back where few get it or few are touched.
//!
//! Guarantees: no hidden number can be had from the shown ones of the same answer by adding and subtracting, as the test
//! shows for every column; hidden numbers are zeroed, so that no file can carry them. Deliberately absent: protection
//! against comparing answers to many slightly different questions.

use crate::effect::{Count, Effect, Group, STEPS, street_of};
use crate::small_cells::hidden_list;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What can be held back (可隐去的列).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// 户数人数。
    All,
    /// 多得。
    Gain,
    /// 少得。
    Lose,
    /// 新进。
    Enter,
    /// 退出。
    Leave,
    /// 变为待核实。
    Unsettled,
    /// 由待核实变为可判断。
    Settled,
    /// 金额。
    Money,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::All,
        Self::Gain,
        Self::Lose,
        Self::Enter,
        Self::Leave,
        Self::Unsettled,
        Self::Settled,
        Self::Money,
    ];

    const fn bit(self) -> u8 {
        match self {
            Self::All => 1,
            Self::Gain => 1 << 1,
            Self::Lose => 1 << 2,
            Self::Enter => 1 << 3,
            Self::Leave => 1 << 4,
            Self::Unsettled => 1 << 5,
            Self::Settled => 1 << 6,
            Self::Money => 1 << 7,
        }
    }

    /// How many stand in the cell; for money those who get it, and those who are touched.
    fn counts(self, group: &Group) -> [Count; 2] {
        let none = Count::default();
        match self {
            Self::All => [group.all, none],
            Self::Gain => [group.gain, none],
            Self::Lose => [group.lose, none],
            Self::Enter => [group.enter, none],
            Self::Leave => [group.leave, none],
            Self::Unsettled => [group.unsettled, none],
            Self::Settled => [group.settled, none],
            Self::Money => {
                let mut touched = group.gain;
                for more in [group.lose, group.unsettled, group.settled] {
                    touched.add(more);
                }
                [group.getting, touched]
            }
        }
    }

    fn wipe(self, group: &mut Group) {
        let none = Count::default();
        match self {
            Self::All => group.all = none,
            Self::Gain => group.gain = none,
            Self::Lose => group.lose = none,
            Self::Enter => group.enter = none,
            Self::Leave => group.leave = none,
            Self::Unsettled => group.unsettled = none,
            Self::Settled => group.settled = none,
            Self::Money => {
                group.getting = none;
                (group.before, group.after) = (0, 0);
                (group.year_before, group.year_after) = (0, 0);
                (group.in_doubt, group.decided) = (0, 0);
            }
        }
    }
}

/// Which columns of a group are held back (隐去的列).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Hidden(u8);

impl Hidden {
    /// Whether everything is shown.
    pub fn is_nothing(&self) -> bool {
        self.0 == 0
    }

    /// Whether this column is held back.
    pub fn holds(self, measure: Measure) -> bool {
        self.0 & measure.bit() != 0
    }

    fn put(&mut self, measure: Measure) {
        self.0 |= measure.bit();
    }
}

impl Effect {
    /// Holds back small cells (隐去小数), and as many more as it takes that they cannot be had by subtraction.
    pub fn hide_small(&mut self) {
        for measure in Measure::ALL {
            let (streets, mut all) = chosen(&self.streets, measure);
            let mut communities = BTreeSet::new();
            for street in self.streets.keys() {
                let within: BTreeMap<i64, Group> = self
                    .communities
                    .iter()
                    .filter(|(community, _)| street_of(**community) == *street)
                    .map(|(community, group)| (*community, *group))
                    .collect();
                if streets.contains(street) {
                    communities.extend(within.keys().copied());
                } else {
                    communities.extend(chosen(&within, measure).0);
                }
            }
            let (ages, of_ages) = chosen(&self.ages, measure);
            let (sizes, of_sizes) = chosen(&self.sizes, measure);
            all |= of_ages | of_sizes;
            if all {
                self.all.hidden.put(measure);
            }
            mark(&mut self.streets, &streets, measure);
            mark(&mut self.communities, &communities, measure);
            mark(&mut self.ages, &ages, measure);
            mark(&mut self.sizes, &sizes, measure);
        }
        let all = [&mut self.all].into_iter();
        let groups = all
            .chain(self.streets.values_mut())
            .chain(self.communities.values_mut())
            .chain(self.ages.values_mut())
            .chain(self.sizes.values_mut());
        for group in groups {
            let hidden = group.hidden;
            for measure in Measure::ALL {
                if hidden.holds(measure) {
                    measure.wipe(group);
                }
            }
        }
        self.hide_steps();
    }

    /// The distribution is two columns: the steps upwards add up to those who gain, those downwards to those who lose.
    fn hide_steps(&mut self) {
        let upwards = STEPS.iter().position(|from| *from > 0).unwrap_or(0);
        let (down, up): (Vec<_>, Vec<_>) = self
            .steps
            .iter()
            .map(|(step, count)| (*step, *count))
            .partition(|(step, _)| *step < upwards);
        for side in [down, up] {
            let counts: Vec<u64> = side.iter().map(|(_, count)| *count).collect();
            let (hidden, _) = hidden_list(&counts);
            let held = side.iter().zip(hidden).filter(|(_, hidden)| *hidden);
            self.steps_hidden.extend(held.map(|((step, _), _)| *step));
        }
        self.steps
            .retain(|step, _| !self.steps_hidden.contains(step));
    }
}

/// Which groups of a table are held back in one column, and whether its total is.
fn chosen<K: Ord + Copy>(groups: &BTreeMap<K, Group>, measure: Measure) -> (BTreeSet<K>, bool) {
    let (mut held, mut total) = (BTreeSet::new(), false);
    let numbers: [fn(&[Count; 2]) -> u64; 4] = [
        |counts| counts[0].households,
        |counts| counts[0].persons,
        |counts| counts[1].households,
        |counts| counts[1].persons,
    ];
    for number in numbers {
        let counts: Vec<u64> = groups
            .values()
            .map(|group| number(&measure.counts(group)))
            .collect();
        let (hidden, all) = hidden_list(&counts);
        let cells = groups.keys().zip(hidden).filter(|(_, hidden)| *hidden);
        held.extend(cells.map(|(key, _)| *key));
        total |= all;
    }
    (held, total)
}

fn mark<K: Ord>(groups: &mut BTreeMap<K, Group>, hidden: &BTreeSet<K>, measure: Measure) {
    for key in hidden {
        if let Some(group) = groups.get_mut(key) {
            group.hidden.put(measure);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::{Amounts, Counting, Households};
    use policy::Every;

    /// So many households of these ages in a region, each of which would get ten fen more a person.
    fn gains(counting: &mut Counting, region: i64, ages: &[u8], times: usize) {
        let size = ages.len();
        let offsets: Vec<u32> = (0..=times)
            .map(|row| u32::try_from(row * size).unwrap())
            .collect();
        let who = Households {
            regions: &vec![region; times],
            offsets: &offsets,
            bands: &ages.repeat(times),
        };
        let (mut was, mut is) = (Amounts::default(), Amounts::default());
        was.clear(times, times * size);
        is.clear(times, times * size);
        for row in 0..times {
            is.pay(Every::Month, 10, row, row * size..(row + 1) * size);
        }
        counting.note(&who, &was, &is, |_| true);
    }

    fn held(counting: Counting) -> Effect {
        let mut effect = counting.effect();
        effect.close();
        effect.hide_small();
        effect
    }

    #[test]
    fn small_groups_are_held_back_and_cannot_be_had_by_subtraction() {
        let mut counting = Counting::default();
        // Three alone, twenty couples, forty families of three: 3 + 20 + 40 = 63 gain.
        gains(&mut counting, 440_306_001_001, &[3], 3);
        gains(&mut counting, 440_306_001_001, &[5, 5], 20);
        gains(&mut counting, 440_306_001_001, &[5, 5, 2], 40);
        let effect = held(counting);
        // 3 is small; 63 - 40 - 20 would give it, so 20 goes too; 40 stays.
        let hidden = |size: usize| effect.sizes[&size].hidden.holds(Measure::Gain);
        assert_eq!((hidden(1), hidden(2), hidden(3)), (true, true, false));
        assert_eq!(effect.sizes[&1].gain, Count::default());
        assert_eq!(effect.sizes[&3].gain.households, 40);
        // Nobody loses anywhere: nothing to hold back there.
        assert!(!effect.sizes[&1].hidden.holds(Measure::Lose));
        assert_eq!(
            (effect.all.gain.households, effect.all.hidden.is_nothing()),
            (63, true)
        );
        // All change by the same step: one class of 63.
        assert!(effect.steps_hidden.is_empty());
    }

    #[test]
    fn a_small_community_is_not_had_from_its_street_nor_a_small_street_from_its_communities() {
        let mut counting = Counting::default();
        // Street 1: 4 + 30 + 50. Street 2: 6 alone. Street 3: 20 + 25. Street 4: 100.
        for (region, times) in [
            (440_306_001_001, 4),
            (440_306_001_002, 30),
            (440_306_001_003, 50),
            (440_306_002_001, 6),
            (440_306_003_001, 20),
            (440_306_003_002, 25),
            (440_306_004_001, 100),
        ] {
            gains(&mut counting, region, &[3], times);
        }
        let effect = held(counting);
        let street = |number: i64| effect.streets[&(440_306_000_000 + number * 1_000)];
        let community = |code: i64| effect.communities[&(440_306_000_000 + code)];
        let hidden = |group: Group| group.hidden.holds(Measure::Gain);
        // Street 2 (6) is small; 235 - 84 - 45 - 100 would give it, so street 3 (45, the smallest) goes too, with all of
        // its communities, which would add up to it.
        assert_eq!(
            [1, 2, 3, 4].map(|number| hidden(street(number))),
            [false, true, true, false]
        );
        assert!(hidden(community(3_001)) && hidden(community(3_002)) && hidden(community(2_001)));
        // Within street 1, which is shown with 84: 4 is small, 30 goes with it, 50 stays.
        assert_eq!(
            [1_001, 1_002, 1_003].map(|code| hidden(community(code))),
            [true, true, false]
        );
        assert!(!hidden(community(4_001)));
        // In no column is exactly one cell of what is not empty hidden beside a total that is shown.
        for measure in Measure::ALL {
            let held = |groups: &BTreeMap<i64, Group>| {
                groups
                    .values()
                    .filter(|group| group.hidden.holds(measure))
                    .count()
            };
            assert!(
                held(&effect.streets) != 1 && held(&effect.communities) != 1,
                "{measure:?}"
            );
        }
    }

    #[test]
    fn a_total_of_few_is_held_back_itself() {
        let mut counting = Counting::default();
        gains(&mut counting, 440_306_001_001, &[3], 4);
        let effect = held(counting);
        assert!(effect.all.hidden.holds(Measure::Gain) && effect.all.hidden.holds(Measure::Money));
        assert_eq!((effect.all.gain, effect.all.after), (Count::default(), 0));
        assert_eq!(effect.steps_hidden.len(), 1);
    }
}
