//! An invented district (虚构人口): households with ages, kin, means and ailments, the same for the same seed.
//!
//! In reading order: [`District`] (the iterator), `shape` (who lives together), `name` (what they are called), `means`
//! (what departments know of them).
//!
//! Guarantees: the same seed, size, places and day give the same bytes on every machine; identity numbers pass their
//! check, but their county digits are 99, 98 … which were never issued, so that none can be a living person's; phone
//! numbers begin 170000 and card numbers 629999. Fact ids are those of the national pack. Deliberately absent: who is
//! entitled to what. That is for the rule book to say.
//!
//! ```
//! let today = chrono::NaiveDate::from_ymd_opt(2026, 6, 1).unwrap();
//! let places = ["990101001001".parse().unwrap()];
//! let people: usize = synth::District::new(7, 1_000, &places, today).map(|h| h.members.len()).sum();
//! assert!((1_000..1_010).contains(&people));
//! ```

mod columns;
pub mod departments;
mod given;
mod means;
mod name;
pub mod parts;
mod population;
mod profile;
mod registers;
mod shape;

pub use population::Population;

use chrono::{Datelike, Days, NaiveDate};
use given::{Given, Sink, What};
use profile::COUNTY;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use vocab::{Document, IdNumber, Kinship, Region, Sex, Value};

/// A fact of somebody invented (虚构事实).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Which fact, by its id in the packs.
    pub id: &'static str,
    /// Its value; money in fen.
    pub value: Value,
    /// Who says so.
    pub source: &'static str,
    /// Since when; `None` means always.
    pub from: Option<NaiveDate>,
}

/// An invented member of a household (虚构成员).
#[derive(Debug, Clone)]
pub struct Member {
    /// The name (姓名).
    pub name: String,
    /// The identity card (证件).
    pub document: Document,
    /// The sex (性别).
    pub sex: Sex,
    /// The birth date (出生日期).
    pub birth_date: NaiveDate,
    /// The phone number (手机号), of those old enough.
    pub phone: Option<String>,
    /// Where the household registration lies (户籍地).
    pub hukou: Region,
    /// The relation to the head (与户主关系).
    pub kinship: Kinship,
    /// Bank and card number, of some adults.
    pub account: Option<(String, String)>,
    /// What is known of the person.
    pub facts: Vec<Fact>,
}

/// An invented household (虚构家庭), the head first.
#[derive(Debug, Clone)]
pub struct Household {
    /// A number unique in the district.
    pub number: String,
    /// The community (所属社区).
    pub region: Region,
    /// The address (详细住址).
    pub address: String,
    /// Since when they live together.
    pub since: NaiveDate,
    /// The members.
    pub members: Vec<Member>,
    /// What is known of the household.
    pub facts: Vec<Fact>,
}

/// An invented district (虚构辖区): an iterator of households until so many people are made.
#[derive(Debug, Clone)]
pub struct District {
    rng: ChaCha8Rng,
    places: Vec<Region>,
    today: NaiveDate,
    left: usize,
    households: u64,
    people: u64,
    hukou_share: u32,
    poor_share: u32,
    sequences: BTreeMap<(u32, NaiveDate, bool), u32>,
    /// Kept from household to household, so that it is allocated once.
    plans: Vec<shape::Plan>,
}

/// Takes down what is said of a household that has names.
struct Notes<'a> {
    members: &'a mut [Member],
    at: Option<usize>,
    household: Vec<Fact>,
}

impl Sink for Notes<'_> {
    fn member(&mut self, at: usize) {
        self.at = Some(at);
    }

    fn household(&mut self) {
        self.at = None;
    }

    fn give(&mut self, what: What, value: Given, source: &'static str, from: Option<NaiveDate>) {
        let facts = match self.at.and_then(|at| self.members.get_mut(at)) {
            Some(member) => &mut member.facts,
            None => &mut self.household,
        };
        facts.push(Fact {
            id: what.id(),
            value: value.into(),
            source,
            from,
        });
    }
}

/// Prefectures that people come from, where they are not local.
const ELSEWHERE: &[&str] = &[
    "430400", "430500", "421100", "450900", "360700", "440800", "511500", "520300", "411600",
    "340800", "440900", "441400", "420900", "431100", "500100", "532100",
];

impl District {
    /// A district of about so many people (the last household may go beyond), living in these communities.
    ///
    /// Three of ten households are registered locally; see [`District::hukou_share`].
    pub fn new(seed: u64, people: usize, places: &[Region], today: NaiveDate) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            places: places.to_vec(),
            today,
            left: if places.is_empty() { 0 } else { people },
            households: 0,
            people: 0,
            hukou_share: 3_000,
            poor_share: COUNTY.poor.0,
            sequences: BTreeMap::new(),
            plans: Vec::new(),
        }
    }

    /// How many of ten thousand households are registered locally (户籍占比). Bao'an had 1 386 in 2020.
    #[must_use]
    pub fn hukou_share(mut self, of_ten_thousand: u32) -> Self {
        self.hukou_share = of_ten_thousand;
        self
    }

    /// How many of ten thousand local households have little (低收入占比).
    #[must_use]
    pub fn poor_share(mut self, of_ten_thousand: u32) -> Self {
        self.poor_share = of_ten_thousand;
        self
    }

    fn chance(&mut self, of_ten_thousand: u32) -> bool {
        self.rng.random_range(0..10_000) < of_ten_thousand
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.rng.random_range(0..from.len())])
    }

    /// An identity number that was never issued to anybody.
    fn document(&mut self, hukou: Region, born: NaiveDate, sex: Sex) -> Option<Document> {
        let prefecture: u32 = hukou.to_string().get(..4)?.parse().ok()?;
        let count = self
            .sequences
            .entry((prefecture, born, sex == Sex::Male))
            .or_insert(0);
        let number = *count;
        *count += 1;
        // Five hundred a day and sex under each invented county.
        let county = 99_u32.checked_sub(number / 500)?;
        let sequence = number % 500 * 2 + u32::from(sex == Sex::Male);
        let day = born.format("%Y%m%d");
        let body = format!("{prefecture:04}{county:02}{day}{sequence:03}");
        let check = vocab::id_number::check_digit(&body)?;
        let number = IdNumber::read(&format!("{body}{check}"), self.today).ok()?;
        Some(Document::resident(&number))
    }

    fn member(
        &mut self,
        plan: shape::Plan,
        hukou: Region,
        surname: &'static str,
    ) -> Option<Member> {
        let born = born(&mut self.rng, self.today, plan.age);
        let document = self.document(hukou, born, plan.sex)?;
        self.people += 1;
        let serial = self.people;
        let phone = (plan.age >= 14 && self.chance(9_300))
            .then(|| format!("170000{:05}", serial % 100_000));
        let account = (plan.age >= 18 && self.chance(5_500)).then(|| {
            let body = format!("629999{serial:012}");
            let check = vocab::luhn::check_digit(&body).unwrap_or('0');
            ("样例银行".to_owned(), format!("{body}{check}"))
        });
        Some(Member {
            name: name::full(&mut self.rng, surname, plan.sex),
            document,
            sex: plan.sex,
            birth_date: born,
            phone,
            hukou,
            kinship: plan.kinship,
            account,
            facts: Vec::new(),
        })
    }

    /// Gives every member their facts; returns those of the household.
    fn means(&mut self, members: &mut [Member], is_local: bool, is_poor: bool) -> Vec<Fact> {
        let today = self.today;
        let known: Vec<means::Person> = members
            .iter()
            .map(|member| means::Person {
                born: member.birth_date,
                age: vocab::id_number::age(member.birth_date, today),
                sex: member.sex,
                group: member.kinship.group(),
            })
            .collect();
        let home = means::Home {
            profile: &COUNTY,
            today,
            is_local,
            is_poor,
        };
        let mut notes = Notes {
            members,
            at: None,
            household: Vec::new(),
        };
        means::give(&mut self.rng, known, home, &mut notes);
        notes.household
    }

    fn household(&mut self) -> Option<Household> {
        let at = self.rng.random_range(0..self.places.len().max(1));
        let region = *self.places.get(at)?;
        let is_local = self.chance(self.hukou_share);
        let hukou = if is_local {
            region
        } else {
            self.pick(ELSEWHERE)?.parse().ok()?
        };
        let mut plans = std::mem::take(&mut self.plans);
        shape::plans(&mut self.rng, &COUNTY, is_local, &mut plans);
        let surname = name::surname(&mut self.rng);
        let mut members = Vec::with_capacity(plans.len());
        for plan in plans.drain(..) {
            let surname = if plan.same_surname {
                surname
            } else {
                name::surname(&mut self.rng)
            };
            members.push(self.member(plan, hukou, surname)?);
        }
        self.plans = plans;
        let is_poor = self.chance(if is_local {
            self.poor_share
        } else {
            COUNTY.poor.1
        });
        let facts = self.means(&mut members, is_local, is_poor);
        self.households += 1;
        let (building, flat) = (
            self.rng.random_range(1..60),
            self.rng.random_range(101..2906),
        );
        let years = self.rng.random_range(0..15_u64);
        Some(Household {
            number: format!("S{:07}", self.households),
            region,
            address: format!("{building}栋{flat}室"),
            since: self.today.checked_sub_days(Days::new(30 + years * 365))?,
            members,
            facts,
        })
    }
}

/// A birth date that makes somebody so old today.
pub(crate) fn born(rng: &mut ChaCha8Rng, today: NaiveDate, age: u32) -> NaiveDate {
    let year = today.year() - i32::try_from(age).unwrap_or(0);
    let back = rng.random_range(0..365_u64);
    // 29 February has no anniversary in most years; the day before has.
    let birthday = today
        .with_year(year)
        .or_else(|| today.pred_opt().and_then(|day| day.with_year(year)));
    birthday
        .and_then(|day| day.checked_sub_days(Days::new(back)))
        .unwrap_or(today)
}

impl Iterator for District {
    type Item = Household;

    fn next(&mut self) -> Option<Household> {
        if self.left == 0 {
            return None;
        }
        let household = self.household()?;
        self.left = self.left.saturating_sub(household.members.len());
        Some(household)
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod population_tests;
