//! What deliveries say of people (核对结果): figures with their source, delivery and day, or why there is none.
//!
//! Guarantees: [`Unknown`] is never a number; a household's figure is strict: one member unknown makes it unknown, and what
//! the others add up to stands beside it. The same rows in any order come to the same result. Deliberately absent:
//! comparing with what was declared.

use crate::checked::ABSENT;
use crate::raw::day_of;
use crate::source::{ColumnKind, FigureDef, Source, Take};
use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use vocab::Value;

/// Why there is no figure (未知原因).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// Nothing of the source was landed by that day.
    NotLanded,
    /// What was landed is too old.
    Stale(NaiveDate),
    /// It was landed by another definition of the source, or with other keys; land it anew.
    LandedOtherwise,
    /// The person has no valid identity number: a person must look.
    NoValidId,
    /// The same number stands twice in the household: a person must look.
    WrittenTwice,
    /// The person's name is needed and was not given.
    NameMissing,
    /// A row of the person leaves blank what is needed.
    Blank,
    /// Rows of the same day contradict each other.
    Contradictory,
    /// Larger than anything.
    TooLarge,
    /// Nothing was found, and the source does not hold everybody.
    NotWhole,
    /// A day or a code is one person's: see the members.
    PerPerson,
    /// The department was asked and did not answer.
    NoAnswer,
    /// It answered, and nobody can rely on what it said.
    AnswerUnreadable,
}

impl Unknown {
    /// In words (说明).
    pub fn zh(&self) -> String {
        match self {
            Self::NotLanded => "没有收到这个部门的数据".to_owned(),
            Self::Stale(day) => format!("最近的数据是 {day} 的，已超过可用期限；请部门重新送数"),
            Self::LandedOtherwise => "数据是按另一种约定或另一套密钥落地的；请重新落地".to_owned(),
            Self::NoValidId => "没有有效的身份证号，请人工核对".to_owned(),
            Self::WrittenTwice => "同一身份证号在家庭中出现两次，请人工核对".to_owned(),
            Self::NameMissing => "没有填写姓名，无法比对户名".to_owned(),
            Self::Blank => "部门记录缺少这一项，请向部门查询".to_owned(),
            Self::Contradictory => "部门同一天的记录互相矛盾，请向部门查询".to_owned(),
            Self::TooLarge => "合计超出范围，请向部门查询".to_owned(),
            Self::NotWhole => "没有查到记录，但这个数据源不是全量，不能推定没有".to_owned(),
            Self::PerPerson => "这一项按人回答，家庭没有合计".to_owned(),
            Self::NoAnswer => "部门接口没有答复，请稍后重新查询".to_owned(),
            Self::AnswerUnreadable => "部门接口的答复不能采信，请与部门联系".to_owned(),
        }
    }

    /// In words, English.
    pub fn en(&self) -> String {
        match self {
            Self::NotLanded => "nothing was received from this department".to_owned(),
            Self::Stale(day) => {
                format!("the newest is of {day} and too old; have the department deliver again")
            }
            Self::LandedOtherwise => {
                "landed by another definition or with other keys; land it anew".to_owned()
            }
            Self::NoValidId => "no valid identity number; check by hand".to_owned(),
            Self::WrittenTwice => {
                "the same identity number stands twice in the household; check by hand".to_owned()
            }
            Self::NameMissing => "without a name the holder cannot be compared".to_owned(),
            Self::Blank => "the department's record leaves this blank; ask the department".to_owned(),
            Self::Contradictory => {
                "the department's records of one day contradict each other; ask the department"
                    .to_owned()
            }
            Self::TooLarge => "the sum is out of range; ask the department".to_owned(),
            Self::NotWhole => {
                "no record was found, and the source does not hold everybody: nothing follows from it"
                    .to_owned()
            }
            Self::PerPerson => "answered for each person; the household has no sum".to_owned(),
            Self::NoAnswer => "the department did not answer; ask again later".to_owned(),
            Self::AnswerUnreadable => {
                "the department's answer cannot be relied on; speak with the department".to_owned()
            }
        }
    }
}

/// One figure (一项指标).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// Its value: fen, counts, square centimetres, days and places of codes are numbers here; see [`Figure::as_value`].
    pub value: Option<i64>,
    /// Why it has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<Unknown>,
    /// What is known at least, where members are unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<i64>,
    /// How many rows it rests on.
    pub rows: u32,
}

impl Figure {
    pub(crate) fn unknown(why: Unknown) -> Self {
        Self {
            value: None,
            unknown: vec![why],
            at_least: None,
            rows: 0,
        }
    }

    /// The value as a fact has it (事实值): days as days, codes as the fact's codes. `None` where unknown, or where the
    /// department's code has no counterpart.
    pub fn as_value(&self, source: &Source, def: &FigureDef) -> Option<Value> {
        let number = self.value?;
        let column = match def.take {
            Take::Count => return Some(Value::Int(number)),
            Take::Any => return Some(Value::Bool(number != 0)),
            Take::Sum(column) | Take::Average(column, ..) => column,
            // Nothing found and everybody in it: there is no day and no code to tell.
            Take::Latest(..) | Take::Earliest(..) if self.rows == 0 => return None,
            Take::Latest(column, _) | Take::Earliest(column, _) => column,
        };
        match &source.columns[column].kind {
            ColumnKind::Date | ColumnKind::Month => day_of(number).map(Value::Date),
            ColumnKind::Code(codes) => {
                let (code, _) = codes.get(usize::try_from(number).ok()?)?;
                def.codes.get(code).cloned().map(Value::Text)
            }
            _ => Some(Value::Int(number)),
        }
    }
}

/// What one source says (一个来源的结果).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The source.
    pub source: String,
    /// The delivery that answered.
    pub delivery: Option<String>,
    /// The day it is of.
    pub delivered: Option<NaiveDate>,
    /// For each member, each figure of the source.
    pub members: Vec<Vec<Figure>>,
    /// Each figure of the household.
    pub household: Vec<Figure>,
}

impl Answer {
    /// Whether something it was asked stays unknown (是否有未知项); what is answered by person only has no sum to know.
    pub fn is_unsure(&self) -> bool {
        let mut all = self.members.iter().flatten().chain(&self.household);
        all.any(|figure| figure.unknown.iter().any(|why| *why != Unknown::PerPerson))
    }
}

/// One figure of many households (批量指标).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureColumn {
    /// The source.
    pub source: String,
    /// The figure.
    pub figure: String,
    /// By household.
    pub values: Vec<Option<i64>>,
    /// Why some are unknown: household and the first reason.
    pub unknown: Vec<(usize, Unknown)>,
}

/// What all sources say of a household (核对报告的数据).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The household asked about.
    pub household: String,
    /// The day asked about.
    pub as_of: NaiveDate,
    /// By source, in the order of their names.
    pub answers: Vec<Answer>,
}

/// Rows of one person, added up for one figure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    rows: u32,
    value: i64,
    day: i64,
    dated: bool,
    blank: bool,
    contradictory: bool,
    too_large: bool,
    no_name: bool,
}

/// A [`Sum`] for the way between machines: rows, value, day, and what else is so, a bit each.
pub(crate) type Packed = (u32, i64, i64, u8);

/// What a row says.
pub(crate) struct Row<'a> {
    /// A number by the place of its column.
    pub(crate) number: &'a dyn Fn(usize) -> i64,
    /// Whether the row's name is the person's; `None` where either is unknown.
    pub(crate) same_name: Option<bool>,
    /// Whether the person's name is known.
    pub(crate) named: bool,
    /// Whether the other person is known and none of the household's.
    pub(crate) other_outside: bool,
}

impl Sum {
    /// Adds a row; the thing it is about, if things count once and this one was taken in.
    pub(crate) fn row(
        &mut self,
        def: &FigureDef,
        as_of: NaiveDate,
        row: &Row<'_>,
    ) -> Option<(i64, i64)> {
        for (column, allowed) in &def.filters {
            let code = (row.number)(*column);
            if code == ABSENT {
                self.blank = true;
                return None;
            }
            if !allowed.contains(&code) {
                return None;
            }
        }
        if def.other_outside && !row.other_outside {
            return None;
        }
        if let Some(differs) = def.name_differs {
            match row.same_name {
                Some(same) if same == differs => return None,
                Some(_) => {}
                None if row.named => {
                    self.blank = true;
                    return None;
                }
                None => {
                    self.no_name = true;
                    return None;
                }
            }
        }
        let taken = match def.take {
            Take::Count | Take::Any => Some(1),
            Take::Sum(column) | Take::Latest(column, _) | Take::Earliest(column, _) => {
                Some((row.number)(column))
            }
            Take::Average(column, by, months) => {
                let day = (row.number)(by);
                match within(day, as_of, months) {
                    Some(false) => None,
                    Some(true) => Some((row.number)(column)),
                    None => Some(ABSENT),
                }
            }
        }?;
        self.rows = self.rows.saturating_add(1);
        if taken == ABSENT {
            self.blank = true;
            return None;
        }
        if let Some(thing) = def.distinct {
            let thing = (row.number)(thing);
            if thing == ABSENT {
                self.blank = true;
                return None;
            }
            return Some((thing, taken));
        }
        match def.take {
            Take::Latest(_, by) => self.newer((row.number)(by), taken, i64::gt),
            Take::Earliest(_, by) => self.newer((row.number)(by), taken, i64::lt),
            _ => self.plus(taken),
        }
        None
    }

    fn plus(&mut self, taken: i64) {
        match self.value.checked_add(taken) {
            Some(sum) => self.value = sum,
            None => self.too_large = true,
        }
    }

    fn newer(&mut self, day: i64, taken: i64, better: impl Fn(&i64, &i64) -> bool) {
        if day == ABSENT {
            self.blank = true;
        } else if !self.dated || better(&day, &self.day) {
            (self.day, self.value, self.contradictory) = (day, taken, false);
            self.dated = true;
        } else if day == self.day && taken != self.value {
            self.contradictory = true;
        }
    }

    /// As it travels; `None` where no row said anything.
    pub(crate) fn packed(&self) -> Option<Packed> {
        // No field is left out: what does not travel would be forgotten without a word.
        let Self {
            rows,
            value,
            day,
            dated,
            blank,
            contradictory,
            too_large,
            no_name,
        } = *self;
        let bits = [dated, blank, contradictory, too_large, no_name];
        let bits = bits.iter().rev();
        let bits = bits.fold(0, |bits, one| bits << 1 | u8::from(*one));
        (*self != Self::default()).then_some((rows, value, day, bits))
    }

    /// What [`Sum::packed`] made.
    pub(crate) fn unpacked((rows, value, day, bits): Packed) -> Self {
        let is = |bit: u8| bits >> bit & 1 == 1;
        Self {
            rows,
            value,
            day,
            dated: is(0),
            blank: is(1),
            contradictory: is(2),
            too_large: is(3),
            no_name: is(4),
        }
    }

    /// Adds what another worker found of the same person.
    pub(crate) fn merge(&mut self, def: &FigureDef, other: &Self) {
        self.rows = self.rows.saturating_add(other.rows);
        self.blank |= other.blank;
        self.too_large |= other.too_large;
        self.no_name |= other.no_name;
        let better: fn(&i64, &i64) -> bool = match def.take {
            Take::Latest(..) => i64::gt,
            Take::Earliest(..) => i64::lt,
            _ => {
                self.plus(other.value);
                return;
            }
        };
        if !other.dated {
            return;
        }
        if !self.dated || better(&other.day, &self.day) {
            self.dated = true;
            (self.day, self.value, self.contradictory) =
                (other.day, other.value, other.contradictory);
        } else if other.day == self.day {
            self.contradictory |= other.contradictory || other.value != self.value;
        }
    }

    /// The figure of one person, with what the things that count once come to.
    pub(crate) fn figure(&self, source: &Source, def: &FigureDef, things: &[(i64, i64)]) -> Figure {
        let mut sum = *self;
        let mut seen: Vec<(i64, i64)> = things.to_vec();
        seen.sort_unstable();
        seen.dedup();
        for pair in seen.chunk_by(|one, next| one.0 == next.0) {
            // The same thing with two values is not known.
            sum.contradictory |= pair.len() > 1;
            sum.plus(pair[0].1);
        }
        let mut unknown = Vec::new();
        for (is, why) in [
            (sum.blank, Unknown::Blank),
            (sum.no_name, Unknown::NameMissing),
            (sum.contradictory, Unknown::Contradictory),
            (sum.too_large, Unknown::TooLarge),
            (sum.rows == 0 && !source.whole, Unknown::NotWhole),
        ] {
            if is {
                unknown.push(why);
            }
        }
        let value = match def.take {
            Take::Any => i64::from(sum.rows > 0),
            Take::Average(_, _, months) => divided(sum.value, i64::from(months)),
            _ => sum.value,
        };
        // One row is enough for "there is one", whatever else is unknown.
        let certain = unknown.is_empty() || (def.take == Take::Any && sum.rows > 0 && !sum.blank);
        if certain {
            unknown.clear();
        }
        Figure {
            value: certain.then_some(value),
            at_least: None,
            unknown,
            rows: sum.rows,
        }
    }
}

/// Rounded half away from zero to the whole fen.
fn divided(sum: i64, by: i64) -> i64 {
    let (whole, rest) = (sum / by, sum % by);
    if rest.abs() * 2 >= by {
        whole + rest.signum()
    } else {
        whole
    }
}

/// Whether a day falls in so many whole months before the month of the day asked about.
fn within(day: i64, as_of: NaiveDate, months: u32) -> Option<bool> {
    if day == ABSENT {
        return None;
    }
    let day = day_of(day)?;
    let month = |day: NaiveDate| i64::from(day.year()) * 12 + i64::from(day.month0());
    let before = month(as_of) - month(day);
    Some((1..=i64::from(months)).contains(&before))
}

/// The figure of a household out of its members' (家庭合计).
pub(crate) fn of_household(
    def: &FigureDef,
    source: &Source,
    members: &[Figure],
    things: &[(i64, i64)],
) -> Figure {
    let mut unknown: Vec<Unknown> = members
        .iter()
        .flat_map(|figure| figure.unknown.clone())
        .collect();
    unknown.sort();
    unknown.dedup();
    let rows = members
        .iter()
        .fold(0_u32, |sum, one| sum.saturating_add(one.rows));
    let sum = if def.distinct.is_some() {
        // What two members own together counts once.
        let shared = Sum {
            rows,
            ..Sum::default()
        };
        let figure = shared.figure(source, def, things);
        unknown.extend(
            figure
                .unknown
                .into_iter()
                .filter(|why| *why != Unknown::NotWhole),
        );
        figure.value
    } else {
        match def.take {
            Take::Latest(..) | Take::Earliest(..) => {
                unknown = vec![Unknown::PerPerson];
                None
            }
            Take::Any => {
                let any = members.iter().any(|figure| figure.value == Some(1));
                if any {
                    unknown.clear();
                }
                Some(i64::from(any))
            }
            _ => {
                let sum = members
                    .iter()
                    .filter_map(|figure| figure.value)
                    .try_fold(0_i64, i64::checked_add);
                if sum.is_none() {
                    unknown.push(Unknown::TooLarge);
                }
                sum
            }
        }
    };
    Figure {
        value: sum.filter(|_| unknown.is_empty()),
        at_least: sum.filter(|_| !unknown.is_empty()),
        unknown,
        rows,
    }
}
