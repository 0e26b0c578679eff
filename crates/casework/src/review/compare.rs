//! What the rules say now against what is paid (重新测算与在发对比), and whose turn it then is.
//!
//! Pure. Guarantees: unknown is its own answer and names what is missing; whatever takes money away goes through a
//! hearing first, if the procedure has one. Deliberately absent: writing.

use crate::desk::Desk;
use crate::procedure::{Act, Doer, Effect, Procedure, TaskKind};
use crate::sheet::Answer;
use access::Role;
use ledger::Entitlement;
use policy::{Determination, Outcome};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use vocab::ids::PersonId;
use vocab::{Money, Month};

/// What differs (差异).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Differs {
    /// 不变。
    Not,
    /// 增加。
    More,
    /// 减少：须先听取意见。
    Less,
    /// 保障人员有变化。
    People,
    /// 不再符合。
    NotMet,
    /// 待核实。
    ToVerify,
    /// 办件已办结，不再核查。
    Ended,
    /// 可能新符合，尚未申请。
    Lead,
}

impl Differs {
    /// All of them, in the order lists show them.
    pub const ALL: [Self; 8] = [
        Self::More,
        Self::Less,
        Self::People,
        Self::NotMet,
        Self::ToVerify,
        Self::Lead,
        Self::Not,
        Self::Ended,
    ];

    /// Its word in data and addresses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Not => "not",
            Self::More => "more",
            Self::Less => "less",
            Self::People => "people",
            Self::NotMet => "not_met",
            Self::ToVerify => "to_verify",
            Self::Ended => "ended",
            Self::Lead => "lead",
        }
    }

    /// What a word means.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// Its wording (zh, en).
    pub const fn wording(self) -> (&'static str, &'static str) {
        match self {
            Self::Not => ("不变", "unchanged"),
            Self::More => ("增加", "more"),
            Self::Less => ("减少", "less"),
            Self::People => ("人员变化", "other people"),
            Self::NotMet => ("不再符合", "no longer met"),
            Self::ToVerify => ("待核实", "to verify"),
            Self::Ended => ("办件已办结", "case ended"),
            Self::Lead => ("可能新符合", "may now be entitled"),
        }
    }
}

/// What a fresh look found (重新测算结果).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// What differs.
    pub(crate) differs: Differs,
    /// A month so far.
    pub(crate) before: Option<Money>,
    /// A month from then on.
    pub(crate) after: Option<Money>,
    /// Why, or what is missing.
    pub(crate) said: String,
}

impl Found {
    /// Whether it takes something away.
    pub(crate) fn takes(&self) -> bool {
        match self.differs {
            Differs::Less | Differs::NotMet => true,
            Differs::People => self.after < self.before,
            _ => false,
        }
    }
}

/// Compares an answer with what is due in a month.
pub(crate) fn compare(
    desk: &Desk,
    answer: Option<&Answer>,
    standing: Option<&Entitlement>,
    month: Month,
) -> Found {
    let before = standing
        .map(|right| right.due(month))
        .filter(|due| *due != Money::ZERO);
    let Some(answer) = answer else {
        return Found {
            differs: Differs::ToVerify,
            before,
            after: None,
            said: "查不到这一户或这个人，请核对户籍和管辖".to_owned(),
        };
    };
    let found = &answer.determination;
    let after = found.amount.filter(|_| found.outcome == Outcome::Met);
    let differs = match found.outcome {
        Outcome::NotMet => Differs::NotMet,
        Outcome::ToVerify => Differs::ToVerify,
        Outcome::Met => match (standing, before, after) {
            (Some(right), Some(before), Some(after)) => amounts(answer, right, before, after),
            _ => Differs::Not,
        },
    };
    Found {
        differs,
        before,
        after,
        said: said(desk, found),
    }
}

fn amounts(answer: &Answer, right: &Entitlement, before: Money, after: Money) -> Differs {
    let now: BTreeSet<PersonId> = answer.covered().into_iter().collect();
    let then: BTreeSet<PersonId> = right.covered.iter().copied().collect();
    if now != then {
        Differs::People
    } else if after > before {
        Differs::More
    } else if after < before {
        Differs::Less
    } else {
        Differs::Not
    }
}

/// Why not, or which facts are missing, in a word.
pub(crate) fn said(desk: &Desk, found: &Determination) -> String {
    match found.outcome {
        Outcome::Met => String::new(),
        Outcome::NotMet => found
            .conditions
            .iter()
            .find_map(|condition| condition.refusal.as_ref())
            .map(|refusal| refusal.zh.clone())
            .unwrap_or_default(),
        Outcome::ToVerify => {
            let names: BTreeSet<&str> = found
                .missing
                .iter()
                .map(|missing| {
                    desk.book
                        .fact(&missing.fact)
                        .map_or(missing.fact.as_str(), |fact| fact.label_zh.as_str())
                })
                .collect();
            let names: Vec<&str> = names.into_iter().collect();
            if names.is_empty() {
                "有事实待核实".to_owned()
            } else {
                format!("缺少：{}", names.join("、"))
            }
        }
    }
}

/// Whose turn it is, and for what (下一步由谁办).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    /// The kind of task.
    pub(crate) kind: TaskKind,
    /// Whose.
    pub(crate) role: Option<Role>,
    /// What to do, in a word.
    pub(crate) say: &'static str,
}

/// The way a difference goes; `None` when nothing is to be done. `nobody_left`: the one it is paid for has died.
pub(crate) fn turn(procedure: &Procedure, found: &Found, nobody_left: bool) -> Option<Turn> {
    let of = |kind, role, say| Some(Turn { kind, role, say });
    match found.differs {
        Differs::Not | Differs::Ended | Differs::Lead => None,
        Differs::ToVerify => of(TaskKind::Review, reviewer(procedure), "请核实"),
        Differs::NotMet if nobody_left => of(
            TaskKind::Redecide,
            role_of(procedure, |act| {
                act.effect == Effect::Stop && act.needs.hearing.is_none()
            })
            .or_else(|| decider(procedure, found.differs)),
            "因死亡停发，无须听取意见",
        ),
        Differs::NotMet | Differs::Less | Differs::People if found.takes() => {
            match role_of(procedure, |act| act.effect == Effect::Hear) {
                Some(role) => of(TaskKind::Redecide, Some(role), "请先听取意见，再作决定"),
                None => of(
                    TaskKind::Redecide,
                    decider(procedure, found.differs),
                    "请作决定",
                ),
            }
        }
        _ => of(
            TaskKind::Redecide,
            decider(procedure, found.differs),
            "请作决定",
        ),
    }
}

/// Who decides after the hearing (听取意见以后由谁决定).
pub(crate) fn decider(procedure: &Procedure, differs: Differs) -> Option<Role> {
    let stops = || role_of(procedure, |act| act.effect == Effect::Stop);
    let changes = || role_of(procedure, |act| act.effect == Effect::Change);
    match differs {
        Differs::NotMet => stops().or_else(changes),
        _ => changes().or_else(stops),
    }
    .or_else(|| reviewer(procedure))
}

/// Who looks again: the review's own desk, else whoever can settle a review.
pub(crate) fn reviewer(procedure: &Procedure) -> Option<Role> {
    procedure
        .review
        .as_ref()
        .map(|rule| rule.desk)
        .or_else(|| role_of(procedure, |act| act.closes.contains(&TaskKind::Review)))
        .or(Some(Role::StreetReviewer))
}

fn role_of(procedure: &Procedure, fits: impl Fn(&Act) -> bool) -> Option<Role> {
    procedure
        .acts
        .iter()
        .filter(|act| fits(act))
        .flat_map(|act| &act.roles)
        .find_map(|doer| match doer {
            Doer::Officer(role) => Some(*role),
            Doer::Public => None,
        })
}
