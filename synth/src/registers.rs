//! What the other registers know (各部门名册): schooling fees, care, service in the army, work, orphans, dwellings.
//!
//! Given only where a profile asks for all registers. Guarantees: drawn after what `means` says of the same person.
//! Deliberately absent: anything that follows from a rule.

use crate::given::{Sink, What};
use crate::means::{Giving, Person};
use chrono::{Days, NaiveDate};
use rand::Rng;
use vocab::Sex;
use vocab::kinship::Group;

const DISABLED: &str = "残联";
const VETERANS: &str = "退役军人事务部门";
const LABOUR: &str = "人力资源社会保障部门";

impl<S: Sink> Giving<'_, S> {
    /// What goes with a disability card.
    pub(crate) fn disabled(&mut self, severe: bool) {
        let state = if self.below(9_600) {
            "valid"
        } else {
            "expired"
        };
        self.word(What::DisabilityCard, state, DISABLED);
        let injured = severe && self.below(300);
        self.flag(What::WorkInjuryCare, injured, "社保");
        self.number(What::SameKindLiving, 0, DISABLED);
        self.number(What::SameKindCare, 0, DISABLED);
        self.flag(What::UnattendedInFull, false, "民政");
    }

    /// What the other registers know of a member.
    pub(crate) fn registers(&mut self, person: &Person, cannot_work: bool) {
        self.pupil(person.age);
        self.bills(cannot_work);
        match person.age {
            0..18 => self.child(person),
            18..60 => {
                self.worker(cannot_work);
                self.soldier(person);
            }
            _ => {
                self.elder(person);
                self.soldier(person);
            }
        }
        let class = match self.rng.random_range(0..100) {
            0..45 if self.home.is_poor => "dibao",
            45..70 if self.home.is_poor => "edge",
            70..74 if self.home.is_poor => "rigid",
            _ => "none",
        };
        self.word(What::LowIncomeClass, class, "低收入人口名册");
    }

    fn pupil(&mut self, age: u32) {
        let stage = match age {
            3..=5 => "kindergarten",
            6..=14 => "compulsory",
            15..=17 => "upper_secondary",
            _ => return,
        };
        self.word(What::EducationStage, stage, "教育部门学籍");
    }

    fn bills(&mut self, cannot_work: bool) {
        let share = if cannot_work { 7_000 } else { 300 };
        if self.below(share) {
            let bills = self.amount(500, 90_000);
            self.number(What::MedicalBills, bills, "医保");
            self.number(What::MedicalInsured, bills / 10 * 7, "医保");
            if cannot_work {
                let care = self.amount(0, 1_200);
                self.number(What::CareExpense, care, "入户调查");
            }
        }
        if self.below(400) {
            let rent = self.amount(300, 9_000);
            self.number(What::PropertyIncome, rent, "税务");
        }
        if self.home.is_poor && self.below(1_500) {
            let support = self.amount(100, 900);
            self.number(What::TransferIn, support, "入户调查");
        }
    }

    /// Orphans live with kin or, some, in an institution.
    fn child(&mut self, person: &Person) {
        let with_parents = matches!(person.group, Group::Child);
        let (father, mother) = if with_parents {
            (self.below(60), self.below(40))
        } else {
            (self.below(2_500), self.below(1_500))
        };
        let gone = |gone: bool| if gone { "dead" } else { "none" };
        self.word(What::FatherGone, gone(father), "公安");
        self.word(What::MotherGone, gone(mother), "公安");
        let orphan = father && mother;
        self.flag(What::OrphanListed, orphan, "民政");
        if orphan {
            let institution = self.below(800);
            let placement = if institution { "institution" } else { "kin" };
            self.word(What::OrphanPlacement, placement, "民政");
        }
    }

    fn worker(&mut self, cannot_work: bool) {
        self.flag(What::AbleToWork, !cannot_work, LABOUR);
        let jobless = self.below(if self.home.is_poor { 3_000 } else { 320 });
        self.flag(What::Unemployed, jobless, LABOUR);
    }

    fn elder(&mut self, person: &Person) {
        let level = match (person.age, self.rng.random_range(0..100)) {
            (60..=69, 0..94) | (70..=79, 0..82) | (80.., 0..55) => "intact",
            (60..=69, 94..97) | (70..=79, 82..90) | (80.., 55..75) => "mild",
            (60..=69, 97..99) | (70..=79, 90..95) | (80.., 75..87) => "moderate",
            (_, 87..97) => "severe",
            _ => "total",
        };
        if level != "intact" || self.below(2_000) {
            self.word(What::CareReport, level, "老年人能力评估机构");
            let months = self.rng.random_range(1..30);
            let on = self.month_back(months);
            self.day(What::CareAssessedOn, on, "老年人能力评估机构");
        }
        let in_home = level != "intact" && self.below(1_400);
        self.flag(What::InInstitution, in_home, "民政");
        self.flag(What::AccidentInsured, self.home.is_local, "民政");
        if self.home.is_local {
            let one = self.below(3_500);
            self.flag(What::OnlyChildCertificate, one, "卫生健康部门");
            let children = if one { 1 } else { self.rng.random_range(0..5) };
            self.number(What::ChildrenEver, children, "卫生健康部门");
        }
    }

    fn soldier(&mut self, person: &Person) {
        let share = if person.sex == Sex::Male { 520 } else { 20 };
        if !self.below(share) {
            self.word(What::Soldier, "none", VETERANS);
            return;
        }
        let category = match self.rng.random_range(0..100) {
            0..78 => "conscript",
            78..94 => "sergeant",
            _ => "officer",
        };
        self.word(What::Soldier, category, VETERANS);
        let joined = years_after(person.born, 18 + self.rng.random_range(0..4));
        let service = if category == "conscript" {
            2
        } else {
            self.rng.random_range(5..13)
        };
        self.day(What::EnlistedOn, joined, VETERANS);
        let left = years_after(joined, service).min(self.home.today);
        self.day(What::DischargedOn, left, VETERANS);
        let hurt = self.below(300);
        let grade = if hurt {
            ["5", "6", "7", "8", "9", "10"][self.rng.random_range(0..6)]
        } else {
            "none"
        };
        self.word(What::SoldierGrade, grade, VETERANS);
        if hurt {
            self.word(What::SoldierCause, "duty", VETERANS);
        }
        let war = person.age >= 58 && self.below(600);
        self.word(What::WarService, if war { "war" } else { "none" }, VETERANS);
        self.word(What::VeteranResidence, "urban", VETERANS);
        let employed = self.below(3_000);
        self.flag(What::VeteranWorkUnit, employed, VETERANS);
        self.flag(What::VeteranHardship, self.home.is_poor, VETERANS);
        self.word(What::PensionBar, "none", VETERANS);
    }

    /// What is known of where the household lives.
    pub(crate) fn dwelling(&mut self) {
        self.flag(What::RigidListed, false, "民政");
        self.flag(What::RuralDwelling, false, "住房城乡建设部门");
        let area = self.rng.random_range(9..120);
        self.number(What::FloorArea, area, "不动产登记");
    }
}

/// So many years after a day, to the nearest day and a half.
fn years_after(day: NaiveDate, years: u64) -> NaiveDate {
    day.checked_add_days(Days::new(years * 1461 / 4))
        .unwrap_or(day)
}
