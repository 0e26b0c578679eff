//! The answer of the rule book (认定结果): outcome, amount, every condition with its article, and what it rests on.
//!
//! A determination is stored with the case as the decision certificate. Its canonical JSON is byte-stable: the same
//! book, sheet and question always give the same text. Deliberately absent: any opinion of an officer.

use crate::book::{Book, Brief};
use crate::kind::Kind;
use crate::shown::Shown;
use chrono::{DateTime, NaiveDate, Utc};
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;
use vocab::{Citation, Money, Month, Period, Region, Value};

/// What is asked (认定请求): for which day, with which knowledge, where, and which programmes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The day decided about; parameters, rules and facts are those of this day.
    pub as_of: NaiveDate,
    /// What was known by then; `None` means everything on the sheet.
    #[serde(default)]
    pub known_at: Option<DateTime<Utc>>,
    /// Where the household is served, for values that differ by street; `None` means the pack's own division.
    #[serde(default)]
    pub region: Option<Region>,
    /// Which programmes; `None` means all of the pack.
    #[serde(default)]
    pub programmes: Option<Vec<String>>,
}

impl Ask {
    /// All programmes on a day, with everything known.
    pub fn on(as_of: NaiveDate) -> Self {
        Self {
            as_of,
            known_at: None,
            region: None,
            programmes: None,
        }
    }
}

/// Yes, no or not known (是、否、不知道). Unknown is never no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tri {
    /// 符合
    Yes,
    /// 不符合
    No,
    /// 待核实
    Unknown,
}

impl Tri {
    /// Kleene's "and": no wins, then unknown.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Unknown,
        }
    }

    /// Kleene's "or": yes wins, then unknown.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.negate().and(other.negate()).negate()
    }

    /// Kleene's "not": unknown stays unknown.
    #[must_use]
    pub fn negate(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// The outcome (结论) of one programme for one household or person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// 符合
    Met,
    /// 不符合
    NotMet,
    /// 待核实
    ToVerify,
}

impl Outcome {
    /// All outcomes (全部结论).
    pub const ALL: [Self; 3] = [Self::Met, Self::NotMet, Self::ToVerify];

    /// Its word in files, tables and addresses (代码).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not_met",
            Self::ToVerify => "to_verify",
        }
    }

    /// The outcome of a word (代码对应的结论).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// The word in Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Met => "符合",
            Self::NotMet => "不符合",
            Self::ToVerify => "待核实",
        }
    }

    /// The word in English.
    pub fn en(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::ToVerify => "to verify",
        }
    }
}

/// Whom a rule speaks about (认定单位).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// 家庭
    Household,
    /// 个人
    Person,
    /// 机构：养老机构、社会组织等；它的人是成员
    Organisation,
}

impl Unit {
    /// How it is called in Chinese (称呼).
    pub fn zh(self) -> &'static str {
        match self {
            Self::Household => "家庭",
            Self::Person => "个人",
            Self::Organisation => "机构",
        }
    }

    /// As packs write it: `household`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Household => "household",
            Self::Person => "person",
            Self::Organisation => "organisation",
        }
    }
}

/// What the programme gives (给付方式).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Every {
    /// 按月发放
    Month,
    /// 按年发放，一个公历年一次
    Year,
    /// 一次性
    Once,
    /// 服务，以派单代替发钱
    Order,
    /// 身份认定，不发钱
    Status,
}

impl Every {
    /// Whether it pays money (是否发钱).
    pub fn pays(self) -> bool {
        matches!(self, Self::Month | Self::Year | Self::Once)
    }

    /// The kind its amount has (金额的类型).
    pub fn kind(self) -> Kind {
        match self {
            Self::Month => Kind::MoneyPerMonth,
            Self::Year => Kind::MoneyPerYear,
            Self::Once | Self::Order | Self::Status => Kind::Money,
        }
    }

    /// How it is called in Chinese (称呼).
    pub fn zh(self) -> &'static str {
        match self {
            Self::Month => "按月发放",
            Self::Year => "按年发放",
            Self::Once => "一次性发放",
            Self::Order => "提供服务",
            Self::Status => "认定身份",
        }
    }

    /// As packs write it: `month`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Year => "year",
            Self::Once => "once",
            Self::Order => "order",
            Self::Status => "status",
        }
    }
}

/// When the benefit begins (起发规则).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartRule {
    /// 决定的次月
    MonthAfterDecision,
    /// 申请的当月
    MonthOfApplication,
    /// 申请的次月
    MonthAfterApplication,
    /// 条件成就的当月
    MonthOfCondition,
    /// 条件成就的次月
    MonthAfterCondition,
}

impl StartRule {
    /// The first month (起发月), given the days of decision and application and, where known, the day the condition came true.
    ///
    /// Without that day the two rules about the condition fall back to the application: earlier than it nobody asked.
    pub fn first_month(
        self,
        decided: NaiveDate,
        applied: NaiveDate,
        condition: Option<NaiveDate>,
    ) -> Month {
        match self {
            Self::MonthAfterDecision => Month::of(decided).next(),
            Self::MonthOfApplication => Month::of(applied),
            Self::MonthAfterApplication => Month::of(applied).next(),
            Self::MonthOfCondition => Month::of(condition.unwrap_or(applied)),
            Self::MonthAfterCondition => {
                condition.map_or(Month::of(applied), |day| Month::of(day).next())
            }
        }
    }
}

/// A fact of the household or of one member (事实所指).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FactRef {
    /// The fact.
    pub fact: String,
    /// Which member, counted from 0; `None` means the household.
    pub member: Option<usize>,
}

/// Why not, in words (不符合的理由).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalSaid {
    /// The reason's id.
    pub id: String,
    /// The sentence in Chinese, filled in.
    pub zh: String,
    /// The sentence in English, filled in.
    pub en: String,
}

/// One condition and how it came out (条件结果).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionResult {
    /// The condition's id.
    pub id: String,
    /// How it came out.
    pub result: Tri,
    /// The article it stands on.
    pub article: Citation,
    /// The article as people say it: `《…办法》第十三条`.
    pub article_title: String,
    /// What the condition asks, filled in, in Chinese.
    pub sentence_zh: String,
    /// What the condition asks, filled in, in English.
    pub sentence_en: String,
    /// Why not, if it came out no.
    pub refusal: Option<RefusalSaid>,
    /// Variables, parameters and facts the test names.
    pub uses: Vec<String>,
    /// If unknown: the facts that would settle it.
    pub missing: Vec<FactRef>,
}

/// What is the same about a variable in every answer (变量的说法): shared, not copied, for answers hold hundreds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableSaid {
    /// The variable's id; another programme's is qualified.
    pub id: String,
    /// The article it stands on.
    pub article: Citation,
    /// Its name in Chinese.
    pub label_zh: String,
    /// Its name in English.
    pub label_en: String,
    /// Its type: `money/month`, `count`, `bool` …
    pub unit: Kind,
}

/// One variable and its value (中间结果); what is said of it is read as if it were its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Written")]
pub struct VariableResult {
    /// Its name, article and type.
    pub said: Arc<VariableSaid>,
    /// Which member, counted from 0; `None` means the household.
    pub member: Option<usize>,
    /// Its value; money in whole fen. `None` if unknown or not whole.
    pub value: Option<Value>,
    /// The exact fraction `numerator/denominator` where the value is not whole.
    pub exact: Option<String>,
    /// Its value as people read it; empty if unknown.
    pub shown: Shown,
}

impl Deref for VariableResult {
    type Target = VariableSaid;

    fn deref(&self) -> &VariableSaid {
        &self.said
    }
}

/// A variable as it is written down: one flat record, in this order.
#[derive(Deserialize)]
struct Written {
    id: String,
    member: Option<usize>,
    value: Option<Value>,
    #[serde(default)]
    exact: Option<String>,
    shown: Shown,
    article: Citation,
    label_zh: String,
    label_en: String,
    unit: Kind,
}

impl From<Written> for VariableResult {
    fn from(written: Written) -> Self {
        Self {
            said: Arc::new(VariableSaid {
                id: written.id,
                article: written.article,
                label_zh: written.label_zh,
                label_en: written.label_en,
                unit: written.unit,
            }),
            member: written.member,
            value: written.value,
            exact: written.exact,
            shown: written.shown,
        }
    }
}

impl Serialize for VariableResult {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut record = to.serialize_struct("VariableResult", 9)?;
        record.serialize_field("id", &self.said.id)?;
        record.serialize_field("member", &self.member)?;
        record.serialize_field("value", &self.value)?;
        match &self.exact {
            Some(exact) => record.serialize_field("exact", exact)?,
            None => record.skip_field("exact")?,
        }
        record.serialize_field("shown", &self.shown)?;
        record.serialize_field("article", &self.said.article)?;
        record.serialize_field("label_zh", &self.said.label_zh)?;
        record.serialize_field("label_en", &self.said.label_en)?;
        record.serialize_field("unit", &self.said.unit)?;
        record.end()
    }
}

/// One input that was read (采用的事实).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactUsed {
    /// The fact.
    pub fact: String,
    /// Which member, counted from 0; `None` means the household.
    pub member: Option<usize>,
    /// Its value.
    pub value: Value,
    /// Who says so.
    pub source: String,
    /// The stored evidence.
    pub evidence: Option<String>,
    /// When it is the case.
    pub period: Period,
    /// When we learned it.
    pub known_since: Option<DateTime<Utc>>,
}

/// A fact that was absent and counts as nothing because an article says so (依法视为零).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AbsentAsZero {
    /// The fact.
    pub fact: String,
    /// Which member, counted from 0; `None` means the household.
    pub member: Option<usize>,
    /// The article that says so.
    pub article: Citation,
}

/// The answer for one programme and one household or person (认定结果).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Determination {
    /// The programme.
    pub programme: String,
    /// Whether it speaks about a household or a person.
    pub unit: Unit,
    /// Which member, counted from 0; `None` for a household.
    pub member: Option<usize>,
    /// That member's key on the sheet, if the sheet has keys.
    pub member_key: Option<String>,
    /// The outcome.
    pub outcome: Outcome,
    /// The amount, if met and the programme gives money.
    pub amount: Option<Money>,
    /// The amount's arithmetic filled in: `1,250.00 × 3 − 1,800.00`. Empty without an amount.
    pub amount_formula: String,
    /// How often.
    pub every: Every,
    /// Every condition, in the order of the rules.
    pub conditions: Vec<ConditionResult>,
    /// Every variable the programme rests on.
    pub variables: Vec<VariableResult>,
    /// Every input read.
    pub facts: Vec<FactUsed>,
    /// Absent facts that count as zero, with the article.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent_as_zero: Vec<AbsentAsZero>,
    /// Members it is paid for.
    pub covered: Vec<usize>,
    /// If to verify: the facts that would settle it.
    pub missing: Vec<FactRef>,
    /// When it begins.
    pub starts: StartRule,
    /// The day the condition came true, for the rules that begin with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_on: Option<NaiveDate>,
    /// Programmes that cannot be had at the same time.
    pub excludes: Vec<String>,
    /// How often it is checked again, by class: `A` → `12 months`.
    pub review: BTreeMap<String, String>,
    /// If to verify: what went wrong in reading or computing, in Chinese.
    pub faults: Vec<String>,
    /// The pack's version.
    pub pack_version: String,
    /// The pack's fingerprint (SM3).
    pub pack_hash: String,
    /// The day decided about.
    pub as_of: NaiveDate,
    /// What was known by then.
    pub known_at: Option<DateTime<Utc>>,
    /// Where the household is served.
    #[serde(default)]
    pub region: Option<Region>,
}

/// Many answers as one JSON document `{"determinations": […]}` (试算结果), written out here so that it is compiled for speed.
pub fn to_json(all: &[Determination]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Said<'a> {
        determinations: &'a [Determination],
    }
    serde_json::to_vec(&Said {
        determinations: all,
    })
    .expect("a determination holds only strings, numbers, lists and maps with string keys")
}

/// Outcomes and amounts alone as one JSON document (只要结论和金额的试算结果): `{"determinations": [{programme, member, outcome,
/// amount}, …]}`, the same words as in [`to_json`], amounts in fen.
pub fn outcomes_to_json(book: &Book, all: &[Brief]) -> Vec<u8> {
    #[derive(Serialize)]
    struct One<'a> {
        programme: &'a str,
        member: Option<usize>,
        outcome: Outcome,
        amount: Option<Money>,
    }
    #[derive(Serialize)]
    struct Said<'a> {
        determinations: Vec<One<'a>>,
    }
    let determinations = all
        .iter()
        .map(|brief| One {
            programme: &book.programmes()[brief.programme].id,
            member: brief.member,
            outcome: brief.outcome,
            amount: brief.amount,
        })
        .collect();
    serde_json::to_vec(&Said { determinations })
        .expect("an outcome holds only strings, numbers and lists")
}

impl Determination {
    /// The first month (起发月), given the days of decision and application.
    pub fn start_month(&self, decided: NaiveDate, applied: NaiveDate) -> Month {
        self.starts.first_month(decided, applied, self.starts_on)
    }

    /// Its canonical JSON (规范化 JSON): no spaces, fields in declared order, maps sorted, the same bytes every time.
    pub fn to_canonical_json(&self) -> String {
        serde_json::to_string(self)
            .expect("a determination holds only strings, numbers, lists and maps with string keys")
    }

    /// The question this answers, so that it can be asked again.
    pub fn ask(&self) -> Ask {
        Ask {
            as_of: self.as_of,
            known_at: self.known_at,
            region: self.region,
            programmes: Some(vec![self.programme.clone()]),
        }
    }
}
