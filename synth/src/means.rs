//! What departments know of people (经济与健康状况): wages, pensions, deposits, disability, schooling.
//!
//! Households with little have made a complete statement and been looked into, most of them; of the others only what
//! departments report by themselves is known, unless the profile says more. A share of the poor is left half known, as in
//! life: the rule book must answer "to verify" for them.

use crate::given::{Given, Sink, What};
use crate::profile::Profile;
use chrono::{Datelike, NaiveDate};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use vocab::Sex;
use vocab::kinship::Group;

const SOCIAL_SECURITY: &str = "社保";
const STATEMENT: &str = "本人申报";
const BANKS: &str = "银行";

/// A person that something is known of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    pub(crate) born: NaiveDate,
    pub(crate) age: u32,
    pub(crate) sex: Sex,
    pub(crate) group: Group,
}

/// A home that something is known of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Home<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) today: NaiveDate,
    pub(crate) is_local: bool,
    pub(crate) is_poor: bool,
}

/// Saying it, one member after the other.
pub(crate) struct Giving<'a, S> {
    pub(crate) rng: &'a mut ChaCha8Rng,
    pub(crate) sink: &'a mut S,
    pub(crate) home: Home<'a>,
    /// Whether the family signed its statements and everything asked has come back.
    pub(crate) is_whole: bool,
}

/// Says of every member, in order, and then of the household what departments know.
pub(crate) fn give<S: Sink>(
    rng: &mut ChaCha8Rng,
    people: impl IntoIterator<Item = Person>,
    home: Home<'_>,
    sink: &mut S,
) {
    let (local, other) = home.profile.stated;
    let stated = if home.is_local { local } else { other };
    let is_whole = if home.is_poor {
        rng.random_range(0..100) < 82
    } else {
        stated > 0 && rng.random_range(0..10_000) < stated
    };
    let mut giving = Giving {
        rng,
        sink,
        home,
        is_whole,
    };
    for (at, person) in people.into_iter().enumerate() {
        giving.sink.member(at);
        let cannot_work = giving.person(&person);
        if home.profile.is_full {
            giving.registers(&person, cannot_work);
        }
    }
    giving.sink.household();
    giving.household();
    if home.profile.is_full {
        giving.dwelling();
    }
}

impl<S: Sink> Giving<'_, S> {
    pub(crate) fn below(&mut self, of_ten_thousand: u32) -> bool {
        self.rng.random_range(0..10_000) < of_ten_thousand
    }

    pub(crate) fn amount(&mut self, from_yuan: i64, to_yuan: i64) -> i64 {
        self.home.profile.amount(self.rng, from_yuan, to_yuan)
    }

    pub(crate) fn flag(&mut self, what: What, flag: bool, source: &'static str) {
        self.sink.give(what, Given::Flag(flag), source, None);
    }

    pub(crate) fn word(&mut self, what: What, word: &'static str, source: &'static str) {
        self.sink.give(what, Given::Word(word), source, None);
    }

    pub(crate) fn number(&mut self, what: What, number: i64, source: &'static str) {
        self.sink.give(what, Given::Number(number), source, None);
    }

    pub(crate) fn day(&mut self, what: What, day: NaiveDate, source: &'static str) {
        self.sink.give(what, Given::Day(day), source, None);
    }

    fn household(&mut self) {
        if !self.is_whole && self.below(4_000) {
            return;
        }
        let houses = match (self.home.is_poor, self.home.is_local) {
            (true, _) => i64::from(self.below(5_500)),
            (false, true) => 1 + i64::from(self.below(3_000)),
            (false, false) => i64::from(self.below(1_500)),
        };
        self.number(What::Houses, houses, "不动产登记");
    }

    /// Whether the person cannot work.
    fn person(&mut self, person: &Person) -> bool {
        self.family(person.age, person.group);
        let cannot_work = self.health(person.age);
        self.income(person.age, cannot_work);
        self.property(person.age);
        cannot_work
    }

    fn family(&mut self, age: u32, group: Group) {
        let studies = match age {
            0..=5 => "none",
            6..=14 => "school",
            15..=17 => "upper_secondary",
            18..=20 if self.below(4_500) => "junior_college",
            18..=22 if self.below(4_000) => "bachelor",
            23..=26 if self.below(500) => "postgraduate",
            _ => "none",
        };
        self.word(What::Study, studies, "教育部门学籍");
        self.flag(What::InTekun, false, "特困人员名册");
        let absence = if age >= 18 && self.below(25) {
            "prison"
        } else {
            "none"
        };
        self.word(What::Absence, absence, "公安");
        if !self.home.is_local {
            let permit = self.below(7_000);
            self.flag(What::ResidencePermit, permit, "公安");
        }
        let is_core = matches!(group, Group::Head | Group::Spouse);
        if self.is_whole && !is_core {
            self.flag(What::LongTermCoResidence, true, STATEMENT);
            let duty = matches!(group, Group::Child | Group::Parent) || self.below(5_000);
            self.flag(What::LegalDuty, duty, "入户调查");
        }
    }

    /// Disability and illness; whether somebody cannot work for it.
    fn health(&mut self, age: u32) -> bool {
        let share = match (self.home.is_poor, age) {
            (true, _) => 2_600,
            (false, 70..) => 800,
            (false, _) => 130,
        };
        let mut severe = false;
        if self.below(share) {
            let kinds = [
                "sight",
                "hearing",
                "speech",
                "physical",
                "physical",
                "intellectual",
                "mental",
            ];
            let kind = kinds[self.rng.random_range(0..kinds.len())];
            let level = ["1", "2", "2", "3", "4"][self.rng.random_range(0..5)];
            severe = matches!(level, "1" | "2");
            self.word(What::DisabilityLevel, level, "残联");
            self.word(What::DisabilityKind, kind, "残联");
            if self.home.profile.is_full {
                self.disabled(severe);
            }
        } else {
            self.word(What::DisabilityLevel, "none", "残联");
        }
        let ill = self.below(if self.home.is_poor { 900 } else { 60 });
        self.flag(What::MajorIllness, ill, "医保");
        if self.is_whole {
            self.flag(What::CannotLiveIndependently, severe, "入户调查");
        }
        severe || ill
    }

    fn income(&mut self, age: u32, cannot_work: bool) {
        let months = self.rng.random_range(2..40);
        let since = Some(self.month_back(months));
        if self.is_whole {
            self.flag(What::IncomeStatement, true, "本人承诺书");
        }
        let is_poor = self.home.is_poor;
        match age {
            0..18 => {}
            60.. => {
                if self.below(if is_poor { 3_500 } else { 8_200 }) {
                    let (least, most) = if is_poor { (200, 900) } else { (800, 5_600) };
                    let pension = Given::Number(self.amount(least, most));
                    self.sink
                        .give(What::Pension, pension, SOCIAL_SECURITY, since);
                }
            }
            _ if cannot_work && is_poor => {}
            _ if is_poor => {
                if self.below(6_200) {
                    let wage = Given::Number(self.amount(900, 3_200));
                    self.sink.give(What::Wage, wage, SOCIAL_SECURITY, since);
                }
            }
            _ if self.below(8_800) => {
                let wage = Given::Number(self.amount(2_600, 19_000));
                self.sink.give(What::Wage, wage, "社保；税务", since);
            }
            _ => {
                let business = Given::Number(self.amount(3_000, 12_000));
                self.sink.give(What::Business, business, STATEMENT, since);
            }
        }
    }

    fn property(&mut self, age: u32) {
        if self.is_whole {
            self.flag(What::PropertyStatement, true, "本人承诺书");
        }
        if age < 18 {
            if self.is_whole {
                self.number(What::Deposits, 0, BANKS);
            }
            return;
        }
        let is_poor = self.home.is_poor;
        if self.is_whole {
            let most = if is_poor { 9_000 } else { 600_000 };
            let deposits = self.amount(0, most);
            self.number(What::Deposits, deposits, BANKS);
            let securities = if !is_poor && self.below(900) {
                self.amount(0, 400_000)
            } else {
                0
            };
            self.number(What::Securities, securities, "证券机构");
        }
        let car = self.below(if is_poor { 250 } else { 3_800 });
        self.number(What::Vehicles, i64::from(car), "车辆管理所");
    }

    /// The first day of a month so many months ago.
    pub(crate) fn month_back(&self, months: i32) -> NaiveDate {
        let today = self.home.today;
        vocab::Month::new(today.year(), today.month())
            .map_or(today, |month| month.plus(-months).first_day())
    }
}
