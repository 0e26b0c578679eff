//! What departments know of people (经济与健康状况): wages, pensions, deposits, disability, schooling.
//!
//! Households with little have made a complete statement and been looked into, most of them; of the others only what
//! departments report by themselves is known. A share of the poor is left half known, as in life: the rule book must
//! answer "to verify" for them.

use crate::{Fact, Member};
use chrono::{Datelike, NaiveDate};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use vocab::Value;
use vocab::kinship::Group;

const SOCIAL_SECURITY: &str = "社保";
const STATEMENT: &str = "本人申报";
const BANKS: &str = "银行";

struct Giving<'a> {
    rng: &'a mut ChaCha8Rng,
    today: NaiveDate,
    is_local: bool,
    is_poor: bool,
    /// Whether the family signed its statements and everything asked has come back.
    is_whole: bool,
}

/// Gives every member their facts; returns those of the household.
pub(crate) fn give(
    rng: &mut ChaCha8Rng,
    members: &mut [Member],
    today: NaiveDate,
    is_local: bool,
    is_poor: bool,
) -> Vec<Fact> {
    let is_whole = is_poor && rng.random_range(0..100) < 82;
    let mut giving = Giving {
        rng,
        today,
        is_local,
        is_poor,
        is_whole,
    };
    for member in members {
        giving.person(member);
    }
    giving.household()
}

impl Giving<'_> {
    fn below(&mut self, of_ten_thousand: u32) -> bool {
        self.rng.random_range(0..10_000) < of_ten_thousand
    }

    /// An amount in whole hundreds of yuan, as fen.
    fn amount(&mut self, from_yuan: i64, to_yuan: i64) -> Value {
        let hundreds = self.rng.random_range(from_yuan / 100..=to_yuan / 100);
        Value::Int(hundreds * 10_000)
    }

    fn household(&mut self) -> Vec<Fact> {
        if !self.is_whole && self.below(4_000) {
            return Vec::new();
        }
        let houses = match (self.is_poor, self.is_local) {
            (true, _) => i64::from(self.below(5_500)),
            (false, true) => 1 + i64::from(self.below(3_000)),
            (false, false) => i64::from(self.below(1_500)),
        };
        vec![fact("houses", Value::Int(houses), "不动产登记")]
    }

    fn person(&mut self, member: &mut Member) {
        let age = vocab::id_number::age(member.birth_date, self.today);
        let facts = &mut member.facts;
        let group = member.kinship.group();
        self.family(facts, age, group);
        let severe = self.health(facts, age);
        self.income(facts, age, severe);
        self.property(facts, age);
    }

    fn family(&mut self, facts: &mut Vec<Fact>, age: u32, group: Group) {
        let studies = match age {
            0..=5 => "none",
            6..=14 => "school",
            15..=17 => "upper_secondary",
            18..=20 if self.below(4_500) => "junior_college",
            18..=22 if self.below(4_000) => "bachelor",
            23..=26 if self.below(500) => "postgraduate",
            _ => "none",
        };
        facts.push(fact("study", text(studies), "教育部门学籍"));
        facts.push(fact("in_tekun", Value::Bool(false), "特困人员名册"));
        let absence = if age >= 18 && self.below(25) {
            "prison"
        } else {
            "none"
        };
        facts.push(fact("absence", text(absence), "公安"));
        if !self.is_local {
            let permit = self.below(7_000);
            facts.push(fact("residence_permit", Value::Bool(permit), "公安"));
        }
        let is_core = matches!(group, Group::Head | Group::Spouse);
        if self.is_whole && !is_core {
            facts.push(fact("long_term_co_residence", Value::Bool(true), STATEMENT));
            let duty = matches!(group, Group::Child | Group::Parent) || self.below(5_000);
            facts.push(fact("legal_duty", Value::Bool(duty), "入户调查"));
        }
    }

    /// Disability and illness; whether somebody cannot work for it.
    fn health(&mut self, facts: &mut Vec<Fact>, age: u32) -> bool {
        let share = match (self.is_poor, age) {
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
            facts.push(fact("disability_level", text(level), "残联"));
            facts.push(fact("disability_kind", text(kind), "残联"));
        } else {
            facts.push(fact("disability_level", text("none"), "残联"));
        }
        let ill = self.below(if self.is_poor { 900 } else { 60 });
        facts.push(fact("major_illness", Value::Bool(ill), "医保"));
        if self.is_whole {
            facts.push(fact(
                "cannot_live_independently",
                Value::Bool(severe),
                "入户调查",
            ));
        }
        severe || ill
    }

    fn income(&mut self, facts: &mut Vec<Fact>, age: u32, cannot_work: bool) {
        let months = self.rng.random_range(2..40);
        let since = self.month_back(months);
        if self.is_whole {
            facts.push(fact(
                "income_statement_complete",
                Value::Bool(true),
                "本人承诺书",
            ));
        }
        match age {
            0..18 => {}
            60.. => {
                let has_pension = self.below(if self.is_poor { 3_500 } else { 8_200 });
                if has_pension {
                    let pension = if self.is_poor {
                        self.amount(200, 900)
                    } else {
                        self.amount(800, 5_600)
                    };
                    facts.push(since_then("basic_pension", pension, SOCIAL_SECURITY, since));
                }
            }
            _ if cannot_work && self.is_poor => {}
            _ if self.is_poor => {
                if self.below(6_200) {
                    let wage = self.amount(900, 3_200);
                    facts.push(since_then("wage", wage, SOCIAL_SECURITY, since));
                }
            }
            _ if self.below(8_800) => {
                let wage = self.amount(2_600, 19_000);
                facts.push(since_then("wage", wage, "社保；税务", since));
            }
            _ => {
                let business = self.amount(3_000, 12_000);
                facts.push(since_then("business_net", business, STATEMENT, since));
            }
        }
    }

    fn property(&mut self, facts: &mut Vec<Fact>, age: u32) {
        if age < 18 {
            if self.is_whole {
                facts.push(fact(
                    "property_statement_complete",
                    Value::Bool(true),
                    "本人承诺书",
                ));
                facts.push(fact("deposits", Value::Int(0), BANKS));
            }
            return;
        }
        if self.is_whole {
            facts.push(fact(
                "property_statement_complete",
                Value::Bool(true),
                "本人承诺书",
            ));
            let deposits = self.amount(0, 9_000);
            facts.push(fact("deposits", deposits, BANKS));
            facts.push(fact("securities", Value::Int(0), "证券机构"));
        }
        let car = self.below(if self.is_poor { 250 } else { 3_800 });
        facts.push(fact("vehicles", Value::Int(i64::from(car)), "车辆管理所"));
    }

    /// The first day of a month so many months ago.
    fn month_back(&self, months: i32) -> NaiveDate {
        vocab::Month::new(self.today.year(), self.today.month())
            .map_or(self.today, |month| month.plus(-months).first_day())
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn fact(id: &'static str, value: Value, source: &'static str) -> Fact {
    Fact {
        id,
        value,
        source,
        from: None,
    }
}

fn since_then(id: &'static str, value: Value, source: &'static str, from: NaiveDate) -> Fact {
    Fact {
        from: Some(from),
        ..fact(id, value, source)
    }
}
