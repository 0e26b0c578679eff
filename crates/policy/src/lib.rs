//! The rule book (规则库): reads packs, checks them, compiles their formulas, decides, explains and tests.
//!
//! Law is data: this crate knows no benefit, no place and no form by name. A [`Book`] exists only if its pack has no
//! mistake at all. Unknown is never zero, no or false; money is exact; the same input gives the same bytes.
//! Deliberately absent: databases, clocks, officers, pages. Whole populations are driven by a crate above; the
//! columns here (values, states, offsets) are laid out so that this is cheap.

mod answer;
pub mod argued;
mod assemble;
pub mod book;
pub mod card;
mod card_graph;
mod card_proof;
mod case_file;
pub mod cases;
mod cell;
mod check;
pub mod clocks;
mod closure;
pub mod commands;
mod compare;
mod compile_programme;
mod compile_rule;
mod compiler;
pub mod dated;
pub mod determination;
pub mod differing;
mod evaluate;
mod explain;
pub mod fact_def;
pub mod fault;
mod formula;
mod function;
pub mod gate;
mod granting;
mod inputs;
mod instead;
pub mod kind;
mod known_facts;
pub mod law;
mod lean;
mod listing;
pub mod lock;
pub mod machine;
mod many;
mod merge;
mod mutant;
pub mod mutate;
mod mutate_report;
mod mutation;
mod names;
mod operation;
mod order;
mod pack;
pub mod parameter;
pub mod phrasing;
mod picking;
mod program;
pub mod ratio;
pub mod readers;
mod reduce;
mod reform;
pub mod replay;
mod rule;
pub mod sensitivity;
mod sentence;
pub mod sheet;
mod shown;
mod space;
pub mod table;
pub mod toml_file;
pub mod touches;
mod trial;
mod unit;
mod wording;

pub use book::{
    ArticleText, Benefit, Book, Brief, ConditionDef, Place, PlaceRegion, Programme, RuleVersion,
    Tile, VariableDef,
};
pub use determination::{
    AbsentAsZero, Ask, ConditionResult, Determination, Every, FactRef, FactUsed, Outcome,
    RefusalSaid, StartRule, Tri, Unit, VariableResult, VariableSaid,
};
pub use fact_def::{FactDef, Sensitivity};
pub use fault::{Fault, Faults, Spot, all_of};
pub use kind::Kind;
pub use law::{Article, Law};
pub use machine::{Machine, Outcomes};
pub use parameter::{Parameter, ParameterValue, Setting};
pub use reform::Change;
pub use shown::Shown;
pub use table::{Column, ColumnDef, LookBack, States, Table};
