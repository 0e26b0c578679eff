//! How rules are put to people outside an evaluation (规则的说法): for the rule book browser and the public guide.
//!
//! An evaluation fills the blanks of a sentence with values; here they are named instead: 〔家庭人均月收入〕. Also here: which
//! shared rules and parameters a programme rests on. Deliberately absent: the card, which a jurist signs and which names
//! blanks by id.

use crate::book::{Book, Programme, VariableDef};
use crate::parameter::Parameter;
use crate::program::{Op, Reg};
use crate::sentence::{Blank, Filled, Language};
use std::collections::BTreeSet;

/// A condition as it is put to people (条件的说法).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionWords {
    /// The condition.
    pub id: String,
    /// What it asks, in Chinese.
    pub asks_zh: String,
    /// What it asks, in English.
    pub asks_en: String,
    /// What is said when it is not met, in Chinese.
    pub refuses_zh: String,
    /// What is said when it is not met, in English.
    pub refuses_en: String,
}

/// The conditions of a programme as they are put to people (条件的说法), in their order.
pub fn condition_words(book: &Book, programme: &Programme) -> Vec<ConditionWords> {
    let Some(at) = book
        .programmes()
        .iter()
        .position(|other| other.id == programme.id)
    else {
        return Vec::new();
    };
    let say = |pieces: &[Filled], language| -> String {
        pieces
            .iter()
            .map(|piece| said(book, at, piece, language))
            .collect()
    };
    book.spoken()[at]
        .conditions
        .iter()
        .map(|spoken| ConditionWords {
            id: spoken.id.clone(),
            asks_zh: say(&spoken.asks.zh, Language::Zh),
            asks_en: say(&spoken.asks.en, Language::En),
            refuses_zh: say(&spoken.refuses.zh, Language::Zh),
            refuses_en: say(&spoken.refuses.en, Language::En),
        })
        .collect()
}

fn said(book: &Book, at: usize, piece: &Filled, language: Language) -> String {
    let pick = |zh: &str, en: &str| match language {
        Language::Zh => format!("〔{zh}〕"),
        Language::En if en.is_empty() => format!("[{zh}]"),
        Language::En => format!("[{en}]"),
    };
    match piece {
        Filled::Words(words) => words.clone(),
        Filled::Blank(Blank::AsOf) => pick("认定日", "day of decision"),
        Filled::Blank(Blank::Amount) => pick("金额", "amount"),
        Filled::Blank(Blank::Members) => pick("人数", "number of people"),
        Filled::Blank(Blank::Value(reg)) => {
            let (zh, en) = name(book, at, *reg);
            pick(&zh, &en)
        }
    }
}

/// What a value is called; its English is empty where only Chinese is written.
fn name(book: &Book, at: usize, reg: Reg) -> (String, String) {
    let program = book.program();
    match program.nodes[reg as usize].op {
        Op::Fact(input) => {
            let id = &program.inputs[input as usize].fact;
            book.fact(id).map_or_else(
                || (id.clone(), String::new()),
                |fact| (fact.label_zh.clone(), fact.label_en.clone()),
            )
        }
        Op::Param(param) => (program.params[param as usize].what.clone(), String::new()),
        Op::Result(step) => book.spoken()[at]
            .variables
            .iter()
            .find(|variable| variable.step == step)
            .and_then(|variable| variable.said.first())
            .map_or_else(
                || (program.steps[step as usize].name.clone(), String::new()),
                |said| (said.label_zh.clone(), said.label_en.clone()),
            ),
        _ => (String::new(), String::new()),
    }
}

/// The names a programme's rules use, through the shared variables they rest on.
fn names(book: &Book, programme: &Programme) -> BTreeSet<String> {
    let mut open: Vec<String> = Vec::new();
    let own = programme
        .variables
        .iter()
        .flat_map(|variable| &variable.versions);
    for version in own.chain(
        programme
            .conditions
            .iter()
            .flat_map(|condition| &condition.versions),
    ) {
        open.extend(version.uses.iter().cloned());
    }
    for formula in programme
        .benefit
        .amount
        .iter()
        .chain(&programme.benefit.covers)
    {
        open.extend(
            formula
                .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .map(str::to_owned),
        );
    }
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        let name = name.rsplit('.').next().unwrap_or(&name).to_owned();
        if !seen.insert(name.clone()) {
            continue;
        }
        for (_, variables) in book.libraries() {
            for variable in variables.iter().filter(|variable| variable.id == name) {
                open.extend(
                    variable
                        .versions
                        .iter()
                        .flat_map(|version| version.uses.iter().cloned()),
                );
            }
        }
    }
    seen
}

/// The shared variables a programme rests on (共用的变量), by library.
pub fn shared_variables<'a>(book: &'a Book, programme: &Programme) -> Vec<&'a VariableDef> {
    let names = names(book, programme);
    let shared = book.libraries().iter().flat_map(|(_, variables)| variables);
    shared
        .filter(|variable| names.contains(&variable.id))
        .collect()
}

/// The parameters a programme rests on (参数): its own, then the shared ones its rules use.
pub fn parameters<'a>(book: &'a Book, programme: &Programme) -> Vec<&'a Parameter> {
    let names = names(book, programme);
    let libraries: BTreeSet<&str> = book.libraries().iter().map(|(id, _)| id.as_str()).collect();
    let all = &book.program().params;
    let own = all
        .iter()
        .filter(|parameter| parameter.folder == programme.id);
    let shared = all.iter().filter(|parameter| {
        libraries.contains(parameter.folder.as_str()) && names.contains(parameter.id.as_str())
    });
    own.chain(shared).collect()
}
