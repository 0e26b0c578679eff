//! A population of any size (任意规模的虚构人口), written as columns without names.
//!
//! Communities get their share of the people; a community is cut into blocks, and each home of a block has a random
//! stream of its own, from the seed and its number. Guarantees: exactly so many people as asked; the same seed, size,
//! places and day give the same homes, however many threads draw them; memory does not grow with the size.
//! Deliberately absent: names, identity numbers, addresses, and who is entitled to what.

use crate::columns::{Columns, Registered};
use crate::means::{self, Home, Person};
use crate::profile::{CITY, CITY_LOCAL_HOUSEHOLDS};
use crate::shape::{self, Plan};
use crate::{ELSEWHERE, born};
use chrono::NaiveDate;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use vocab::Region;

/// The most people of a block.
const BLOCK: u64 = 1 << 14;

/// A population of any size (虚构人口).
#[derive(Debug, Clone)]
pub struct Population {
    people: u64,
    today: NaiveDate,
    /// Communities with their codes as rules read them, in order.
    places: Vec<(i64, String)>,
    elsewhere: Vec<String>,
    blocks: Vec<Block>,
    source: ChaCha8Rng,
}

/// People of one community whose homes are drawn together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    place: usize,
    /// Counted over the whole population; numbers of homes and people come from it.
    number: u64,
    pub(crate) people: u64,
}

impl Population {
    /// So many people in these communities (人数、社区), the oldest alive on this day.
    pub fn new(seed: u64, people: u64, places: &[Region], today: NaiveDate) -> Self {
        let mut places = places.to_vec();
        places.sort_unstable();
        places.dedup();
        let blocks = blocks(people, &places);
        let elsewhere = ELSEWHERE
            .iter()
            .map(|code| format!("{code}000000"))
            .collect();
        let place = |region: &Region| {
            let code = region.to_string();
            (code.parse().unwrap_or(0), code)
        };
        Self {
            people: if places.is_empty() { 0 } else { people },
            today,
            places: places.iter().map(place).collect(),
            elsewhere,
            blocks,
            source: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// How many people (人数).
    pub fn people(&self) -> u64 {
        self.people
    }

    pub(crate) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The homes of a block.
    pub(crate) fn draw(&self, block: Block) -> Columns<'_> {
        let mut columns = Columns::new(usize::try_from(block.people).unwrap_or(0));
        let (region, code) = &self.places[block.place];
        let mut plans = Vec::with_capacity(8);
        let mut people = Vec::with_capacity(8);
        let (mut homes, mut made) = (0, 0);
        while made < block.people {
            let number = block.number * BLOCK + homes;
            let mut rng = self.source.clone();
            rng.set_stream(number);
            let is_local = self.plan(&mut rng, block.people - made, &mut plans);
            let hukou = if is_local {
                code
            } else {
                &self.elsewhere[rng.random_range(0..self.elsewhere.len())]
            };
            people.clear();
            people.extend(plans.iter().map(|plan| person(&mut rng, self.today, plan)));
            let first = block.number * BLOCK + made;
            columns.next_home((first..).zip(plans.iter().zip(&people)).map(
                |(number, (plan, person))| Registered {
                    person: i64::try_from(number).unwrap_or(i64::MAX),
                    born: person.born,
                    sex: plan.sex.code(),
                    hukou,
                    relation: plan.kinship.code(),
                },
            ));
            let poor = if is_local { CITY.poor.0 } else { CITY.poor.1 };
            let home = Home {
                profile: &CITY,
                today: self.today,
                is_local,
                is_poor: rng.random_range(0..10_000) < poor,
            };
            means::give(&mut rng, people.iter().copied(), home, &mut columns);
            columns.end_home(i64::try_from(number).unwrap_or(i64::MAX), *region);
            homes += 1;
            made += plans.len() as u64;
        }
        columns
    }

    /// Who lives in a home, at most so many; whether they are registered locally.
    fn plan(&self, rng: &mut ChaCha8Rng, room: u64, plans: &mut Vec<Plan>) -> bool {
        loop {
            let is_local = rng.random_range(0..10_000) < CITY_LOCAL_HOUSEHOLDS;
            shape::plans(rng, &CITY, is_local, plans);
            // Only the last home of a block is ever drawn again.
            if plans.len() as u64 <= room {
                return is_local;
            }
        }
    }
}

fn person(rng: &mut ChaCha8Rng, today: NaiveDate, plan: &Plan) -> Person {
    let born = born(rng, today, plan.age);
    Person {
        born,
        age: vocab::id_number::age(born, today),
        sex: plan.sex,
        group: plan.kinship.group(),
    }
}

/// Each community's people by its weight, in blocks.
fn blocks(people: u64, places: &[Region]) -> Vec<Block> {
    let weights: Vec<u64> = places.iter().map(|place| weight(*place)).collect();
    let whole: u64 = weights.iter().sum();
    let mut blocks = Vec::new();
    let (mut weighed, mut given) = (0, 0);
    for (place, weight) in weights.into_iter().enumerate() {
        weighed += weight;
        let until = u128::from(people) * u128::from(weighed) / u128::from(whole.max(1));
        let until = u64::try_from(until).unwrap_or(people);
        while given < until {
            let people = (until - given).min(BLOCK);
            blocks.push(Block {
                place,
                number: blocks.len() as u64,
                people,
            });
            given += people;
        }
    }
    blocks
}

/// How much larger one community is than another: invented, and the same for every seed.
fn weight(place: Region) -> u64 {
    let code: u64 = place.to_string().parse().unwrap_or(0);
    let mut rng = ChaCha8Rng::seed_from_u64(code);
    200 + rng.random_range(0..1_000_u64) * rng.random_range(0..1_000_u64) / 300
}
