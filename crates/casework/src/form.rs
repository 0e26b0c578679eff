//! The form (申请表): questions of all chosen programmes, each fact asked once, known facts shown with their source.
//!
//! Guarantees: a fact that two programmes need is one question; an unanswered question stays unknown, it is never zero
//! or no; what the register knows is prefilled with source and date. Deliberately absent: pages and fields of HTML.
//!
//! # Grammar of `form.toml`
//!
//! ```toml
//! [[page]]
//! id    = "income"          # pages of one id, of several programmes, become one page
//! zh    = "收入"
//! en    = "Income"
//! order = 20                # smaller first; by custom members 10, income 20, property 30, hardship 40, other 50
//!
//! [[page.question]]
//! fact     = "wage"         # type, codes, wording and hint come from facts.toml and wording.toml
//! required = false          # default false; a required question must be answered before submitting
//! prefill  = true           # default true: show what the register knows
//!
//! [[page.question]]
//! fact = "disability_level"
//! when = { fact = "disabled", is = true }          # only if this fact, asked before, has this value;
//!                                                  # or: when = { fact = "x", in = ["1", "2"] }
//! [[page.question]]
//! fact = "school"
//! only = { age_from = 6, age_to = 24 }             # only members of this age in full years (both ends included)
//! ```
//!
//! # What need not be written
//!
//! ```toml
//! like    = "common"        # take another form and change it by page id and fact, see `crate::like`
//! without = ["page.property", "page.income.question.wage"]
//! rest    = true            # ask everything else the rules read: on the page of forms/common.toml that asks it, else on a
//!                           # page named after the programme, in the order the facts are declared; required, prefilled
//! never   = ["adl_bathing"] # but not these: somebody else establishes them
//! ```
//!
//! A programme with a procedure and without `form.toml` has a form with `rest = true`. What an act of the procedure
//! records as a fact is never asked, nor what `forms/common.toml` names in its `never`; what counts as zero when nobody
//! says anything (`absent_is_zero`) is asked, but need not be answered.
//!
//! The loader refuses an unknown fact, a fact asked twice in one form, a `when` on a fact not asked before, a page
//! without wording or without questions.

mod read;
mod rest;

pub(crate) use read::read;

use crate::desk::Desk;
use chrono::{Datelike, NaiveDate};
use policy::{Book, Kind, Unit};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use vocab::{Money, Value};

/// A programme's form (事项申请表), checked.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// Its pages.
    pub pages: Vec<FormPage>,
}

/// A page as one programme writes it (申请表的一页).
#[derive(Debug, Clone)]
pub struct FormPage {
    /// Its word in the data.
    pub id: String,
    /// Its title.
    pub zh: String,
    /// Its title, English.
    pub en: String,
    /// Where it stands among the pages.
    pub order: u32,
    /// What it asks.
    pub asks: Vec<Asked>,
}

/// One question as one programme asks it (一项提问).
#[derive(Debug, Clone)]
pub struct Asked {
    /// The fact asked for.
    pub fact: String,
    /// Whether it must be answered.
    pub required: bool,
    /// Whether what the register knows is shown.
    pub prefill: bool,
    /// Only then.
    pub when: Option<When>,
    /// Only of members of this age.
    pub only: Option<AgeSpan>,
}

/// A question that depends on another (提问条件).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct When {
    /// The other fact.
    pub fact: String,
    /// Its values that make this question asked.
    pub is: Vec<Value>,
}

/// An age span in full years, both ends included (年龄段).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgeSpan {
    /// From.
    pub from: u16,
    /// To.
    pub to: u16,
}

/// A page of the one form (申请表页面).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its word in the data.
    pub id: String,
    /// Its title.
    pub title_zh: String,
    /// Its title, English.
    pub title_en: String,
    /// Its questions.
    pub questions: Vec<Question>,
}

/// One question of the one form (申请表问题).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The fact asked for.
    pub fact: String,
    /// Of the household or of each member.
    pub of: Unit,
    /// What kind of answer.
    pub kind: Kind,
    /// Its label.
    pub label_zh: String,
    /// Its label, English.
    pub label_en: String,
    /// A hint.
    pub hint_zh: Option<String>,
    /// A hint, English.
    pub hint_en: Option<String>,
    /// The choices of a code: code, zh, en.
    pub options: Vec<(String, String, String)>,
    /// Whether it must be answered.
    pub required: bool,
    /// Whether what the register knows is shown.
    pub prefill: bool,
    /// Only then.
    pub when: Option<When>,
    /// Only of members of this age; `None` once any programme asks everybody.
    pub only: Option<AgeSpan>,
    /// Which programmes ask it.
    pub programmes: Vec<String>,
}

impl Question {
    /// Whether a member born that day is asked (是否问到此人); without a birth date, yes.
    pub fn asks_member(&self, born: Option<NaiveDate>, on: NaiveDate) -> bool {
        match (self.only, born) {
            (Some(span), Some(born)) => {
                let age = full_years(born, on);
                age >= i32::from(span.from) && age <= i32::from(span.to)
            }
            _ => true,
        }
    }
}

/// Full years of age on a day (周岁).
pub fn full_years(born: NaiveDate, on: NaiveDate) -> i32 {
    let had_birthday = (on.month(), on.day()) >= (born.month(), born.day());
    on.year() - born.year() - i32::from(!had_birthday)
}

/// The union of the forms of these programmes (合并申请表): each fact once, on the first page that asks it.
pub fn union(desk: &Desk, programmes: &[String]) -> Vec<Page> {
    let mut pages: BTreeMap<(u32, String), Page> = BTreeMap::new();
    let mut asked_on: BTreeMap<String, (u32, String)> = BTreeMap::new();
    for programme in programmes {
        let Some(form) = desk.form(programme) else {
            continue;
        };
        for page in &form.pages {
            // A page keeps the place of the first programme that brings it, so that one id is one page.
            let key = pages
                .keys()
                .find(|(_, id)| *id == page.id)
                .cloned()
                .unwrap_or_else(|| (page.order, page.id.clone()));
            for ask in &page.asks {
                let home = asked_on
                    .entry(ask.fact.clone())
                    .or_insert_with(|| key.clone())
                    .clone();
                let target = pages.entry(home.clone()).or_insert_with(|| Page {
                    id: page.id.clone(),
                    title_zh: page.zh.clone(),
                    title_en: page.en.clone(),
                    questions: Vec::new(),
                });
                match target
                    .questions
                    .iter_mut()
                    .find(|question| question.fact == ask.fact)
                {
                    Some(question) => join(question, ask, programme),
                    None => target
                        .questions
                        .extend(question(&desk.book, ask, programme)),
                }
            }
        }
    }
    pages
        .into_values()
        .filter(|page| !page.questions.is_empty())
        .collect()
}

/// A second programme asks the same: the wider question wins, so that nobody's answer is missing.
fn join(question: &mut Question, ask: &Asked, programme: &str) {
    question.required |= ask.required;
    question.prefill |= ask.prefill;
    if question.when != ask.when {
        question.when = None;
    }
    question.only = match (question.only, ask.only) {
        (Some(one), Some(other)) => Some(AgeSpan {
            from: one.from.min(other.from),
            to: one.to.max(other.to),
        }),
        _ => None,
    };
    question.programmes.push(programme.to_owned());
}

fn question(book: &Book, ask: &Asked, programme: &str) -> Option<Question> {
    let fact = book.fact(&ask.fact)?;
    Some(Question {
        fact: fact.id.clone(),
        of: fact.of,
        kind: fact.kind,
        label_zh: fact.label_zh.clone(),
        label_en: fact.label_en.clone(),
        hint_zh: fact.hint_zh.clone(),
        hint_en: fact.hint_en.clone(),
        options: fact
            .codes
            .iter()
            .map(|code| (code.code.clone(), code.zh.clone(), code.en.clone()))
            .collect(),
        required: ask.required,
        prefill: ask.prefill,
        when: ask.when.clone(),
        only: ask.only,
        programmes: vec![programme.to_owned()],
    })
}

/// Why what somebody typed is not an answer (填写有误).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAnswer {
    /// Not an amount in yuan.
    #[error("请填写金额，单位为元，最多两位小数，例如 1250.00")]
    Money,
    /// Not a whole number from zero up.
    #[error("请填写整数，例如 2")]
    Count,
    /// Not a day.
    #[error("请填写日期，例如 2026-06-01")]
    Date,
    /// Neither yes nor no.
    #[error("请选择“是”或“否”")]
    Bool,
    /// Not one of the choices.
    #[error("请从给出的选项中选择")]
    Code,
    /// Too long.
    #[error("文字太长，最多 500 字")]
    TooLong,
}

/// Reads what somebody typed (读取填写内容); empty text is no answer, which is not the same as zero.
///
/// # Errors
/// Why the text is not an answer of this kind.
pub fn read_answer(
    kind: Kind,
    options: &[String],
    typed: &str,
) -> Result<Option<Value>, NotAnAnswer> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let value = match kind {
        Kind::Bool => Value::Bool(match typed {
            "true" | "yes" | "是" | "1" => true,
            "false" | "no" | "否" | "0" => false,
            _ => return Err(NotAnAnswer::Bool),
        }),
        Kind::Count | Kind::Ratio => {
            let count: i64 = typed.parse().map_err(|_| NotAnAnswer::Count)?;
            if !(0..=1_000_000_000).contains(&count) {
                return Err(NotAnAnswer::Count);
            }
            Value::Int(count)
        }
        Kind::Money | Kind::MoneyPerMonth | Kind::MoneyPerYear => {
            Value::money(Money::from_yuan_text(typed).map_err(|_| NotAnAnswer::Money)?)
        }
        Kind::Date => Value::Date(typed.parse().map_err(|_| NotAnAnswer::Date)?),
        Kind::Code => {
            if !options.is_empty() && !options.iter().any(|option| option == typed) {
                return Err(NotAnAnswer::Code);
            }
            Value::Text(typed.to_owned())
        }
        Kind::Text => {
            if typed.chars().count() > 500 {
                return Err(NotAnAnswer::TooLong);
            }
            Value::Text(typed.to_owned())
        }
    };
    Ok(Some(value))
}
