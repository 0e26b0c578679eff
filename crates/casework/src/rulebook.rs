//! Writing rules (规则编写): draft, check, propose, publish by a second officer, and the history of what was in force.
//!
//! Reading order: [`Texts`] (files) · [`Shelf`] (the rules in force and all editions before) · [`save`] (draft) ·
//! `check` (loader, cases, gate) · [`propose`], [`publish`](fn@publish) · [`list`] · [`what_if`](fn@what_if).
//!
//! Guarantees: what is in force is always a whole edition kept in the database and laid out as a folder, so it loads, can be
//! exported and replayed; an edition is published exactly as it was proposed, by an officer who wrote none of it; nothing
//! in force changes what holds on a day before the edition's own day, unless a correction is given with its reason.
//! Deliberately absent: a new programme (its folder comes with a delivery), and changing facts by themselves.

mod add_value;
mod check;
mod diff;
mod draft;
pub mod list;
mod publish;
mod shelf;
mod texts;
mod what_if;

pub use add_value::{NewValue, parameters_in, with_value};
pub use check::{CaseFailure, CasesOf, Checked};
pub use diff::{Change, Line, Piece, diff};
pub use draft::{SHARED_LETTERS, Saved, discard, editable, propose, save, send_back};
pub use publish::{Proposal, publish};
pub use shelf::{InForce, Shelf};
pub use texts::Texts;
pub use what_if::{Candidate, Moved, WhatIf, candidate, what_if};

use crate::case::to_word;
use access::{Denied, Permission, SamePerson, Scope, may};
use serde::{Deserialize, Serialize};
use std::path::Path;
use store::{Event, Tx};
use vocab::Region;

/// How far a draft has come (草稿进度).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// 起草中。
    Draft,
    /// 已提请发布，待同事复核。
    Proposed,
    /// 已发布。
    Published,
    /// 已作废。
    Discarded,
}

/// How an edition came into force (版次来历).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EditionKind {
    /// 随系统交付。
    Delivered,
    /// 在线发布。
    Published,
}

/// Why something was not done to the rules (不予办理原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not in the scope, or no such draft.
    #[error("没有找到这份规则草稿，请核对后重试")]
    NotThere,
    /// The officer may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The officer wrote or proposed it.
    #[error(transparent)]
    SamePerson(#[from] SamePerson),
    /// No such programme or folder in the rule book.
    #[error("规则库里没有“{0}”")]
    NoFolder(String),
    /// This file is not for editing here.
    #[error("文件 {0} 不能在这里修改")]
    NotEditable(String),
    /// Somebody saved meanwhile.
    #[error("这份草稿在您打开之后又被保存过；您写的还在下面，请对照新的内容后再保存")]
    Changed,
    /// It is not in the state this needs.
    #[error("这份草稿现在是“{}”，不能这样办理；请刷新后再看", state_zh(*.0))]
    WrongState(State),
    /// Nothing differs from what is in force.
    #[error("草稿和现行文本没有差别，不需要发布")]
    NothingChanged,
    /// The check found mistakes, or cases come out otherwise.
    #[error("检查没有通过：{faults} 处错误，{failures} 个办例不相符；改好后才能提请发布")]
    NotSound {
        /// Mistakes.
        faults: usize,
        /// Cases that come out otherwise.
        failures: usize,
    },
    /// No document is named.
    #[error("请填写发布依据的文件名称和文号")]
    BasisMissing,
    /// The day lies behind.
    #[error("施行日不能早于今天；确需更正以前的内容，请写明更正原因")]
    DayBehind,
    /// Days gone by would change.
    #[error("有 {0} 处改动会改变施行日以前的结果；请改成带日期的新值，确属更正的写明更正原因")]
    Rewrites(usize),
    /// Another edition came into force since.
    #[error("提请以后现行规则又有变化；请退回修改，重新检查后再提请")]
    RuleBookChanged,
    /// The value cannot be added.
    #[error("{0}")]
    Value(String),
    /// The rules are read from a folder only.
    #[error("这台服务没有规则编写的文件夹，不能在线修改规则")]
    ReadOnly,
}

/// A state in words.
pub fn state_zh(state: State) -> &'static str {
    match state {
        State::Draft => "起草中",
        State::Proposed => "待同事复核",
        State::Published => "已发布",
        State::Discarded => "已作废",
    }
}

/// Rules hold for the whole place: who changes them must hold the permission for all of it.
fn permitted(scope: &Scope, permission: Permission, place: Region) -> Result<(), Refused> {
    Ok(may(&scope.actor, permission, place)?)
}

/// The folder rules are written in, if the officer may and the rules can be changed here.
fn workroom<'s>(
    shelf: &'s Shelf,
    now: &InForce,
    scope: &Scope,
    permission: Permission,
) -> Result<&'s Path, Refused> {
    permitted(scope, permission, now.desk.book.place().division)?;
    shelf
        .root()
        .filter(|_| now.number > 0)
        .ok_or(Refused::ReadOnly)
}

fn note(tx: &mut Tx, scope: &Scope, act: &str, subject: (&str, &str), detail: serde_json::Value) {
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: act.to_owned(),
        subject_kind: subject.0.to_owned(),
        subject_id: subject.1.to_owned(),
        region: Some(scope.region),
        detail,
    });
}

fn word(state: State) -> String {
    to_word(state)
}
