//! What may be said of somebody invented (虚构事实的种类), and whoever takes it down.
//!
//! Guarantees: every kind of fact here is declared in the national pack, with this type. Deliberately absent: what is
//! true of whom, see `means`; files and columns, see `columns`.

use chrono::NaiveDate;
use vocab::Value;

/// A value given (取值), without an allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    Flag(bool),
    Number(i64),
    Day(NaiveDate),
    Word(&'static str),
}

impl From<Given> for Value {
    fn from(given: Given) -> Self {
        match given {
            Given::Flag(flag) => Self::Bool(flag),
            Given::Number(number) => Self::Int(number),
            Given::Day(day) => Self::Date(day),
            Given::Word(word) => Self::Text(word.to_owned()),
        }
    }
}

/// How a fact is written in a column (列的类型).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Flag,
    Number,
    Day,
    Word,
}

macro_rules! facts {
    ($($name:ident $id:literal $form:ident,)*) => {
        /// A fact by its meaning (事实).
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum What {
            $(#[doc = concat!("`", $id, "`")] $name,)*
        }

        impl What {
            /// All of them, those of persons first.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its id in the packs.
            pub(crate) fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// How a column of it is written.
            pub(crate) fn form(self) -> Form {
                match self { $(Self::$name => Form::$form,)* }
            }
        }
    };
}

facts! {
    BirthDate "birth_date" Day,
    Sex "sex" Word,
    Hukou "hukou" Word,
    Relation "relation" Word,
    Study "study" Word,
    InTekun "in_tekun" Flag,
    Absence "absence" Word,
    ResidencePermit "residence_permit" Flag,
    LongTermCoResidence "long_term_co_residence" Flag,
    LegalDuty "legal_duty" Flag,
    DisabilityLevel "disability_level" Word,
    DisabilityKind "disability_kind" Word,
    DisabilityCard "disability_card_state" Word,
    WorkInjuryCare "work_injury_care_pay" Flag,
    SameKindLiving "same_kind_living_pay" Number,
    SameKindCare "same_kind_care_pay" Number,
    UnattendedInFull "unattended_paid_in_full" Flag,
    MajorIllness "major_illness" Flag,
    CannotLiveIndependently "cannot_live_independently" Flag,
    CareReport "ability_report_level" Word,
    CareAssessedOn "ability_assessed_on" Day,
    InInstitution "in_care_institution" Flag,
    IncomeStatement "income_statement_complete" Flag,
    Wage "wage" Number,
    Business "business_net" Number,
    PropertyIncome "property_net" Number,
    Pension "basic_pension" Number,
    TransferIn "transfer_in" Number,
    CareExpense "care_expense" Number,
    MedicalBills "medical_bills_12m" Number,
    MedicalInsured "medical_insured_12m" Number,
    EducationStage "education_stage" Word,
    PropertyStatement "property_statement_complete" Flag,
    Deposits "deposits" Number,
    Securities "securities" Number,
    Vehicles "vehicles" Number,
    AbleToWork "able_to_work" Flag,
    Unemployed "unemployed" Flag,
    LowIncomeClass "low_income_class" Word,
    FatherGone "father_gone" Word,
    MotherGone "mother_gone" Word,
    OrphanPlacement "orphan_placement" Word,
    OrphanListed "orphan_listed" Flag,
    LoneParent "lone_parent" Flag,
    OnlyChildCertificate "only_child_certificate" Flag,
    ChildrenEver "children_ever" Number,
    Soldier "soldier_category" Word,
    EnlistedOn "enlisted_on" Day,
    DischargedOn "discharged_on" Day,
    SoldierGrade "soldier_disability_grade" Word,
    SoldierCause "soldier_disability_cause" Word,
    WarService "war_service" Word,
    VeteranResidence "veteran_residence" Word,
    VeteranWorkUnit "veteran_work_unit" Flag,
    VeteranHardship "veteran_hardship" Flag,
    PensionBar "pension_bar" Word,
    AccidentInsured "accident_insured" Flag,
    Houses "houses" Number,
    RigidListed "rigid_hardship_listed" Flag,
    RuralDwelling "rural_dwelling" Flag,
    FloorArea "floor_area" Number,
}

impl What {
    /// Whether the household has it, not one of its people.
    pub(crate) fn of_household(self) -> bool {
        self as u8 >= Self::Houses as u8
    }
}

/// Whoever takes down what is said (记录者).
pub(crate) trait Sink {
    /// From here on, of this member; of the household after [`Sink::household`].
    fn member(&mut self, at: usize);
    /// From here on, of the household.
    fn household(&mut self);
    /// A fact, who says so, and since when.
    fn give(&mut self, what: What, value: Given, source: &'static str, from: Option<NaiveDate>);
}
