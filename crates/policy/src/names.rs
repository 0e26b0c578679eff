//! What names mean in formulas and sentences (名字): facts, variables, parameters, other programmes.
//!
//! A programme sees its own names, those of the libraries and all facts, bare; other programmes only with their prefix.
//! Deliberately absent: kinds that fit or not; see `check`.

use crate::determination::Unit;
use crate::fact_def::FactDef;
use crate::kind::Kind;
use crate::program::{Level, Reg};
use std::collections::BTreeMap;
use vocab::Region;

/// A variable or condition that formulas may name (可引用的规则).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named {
    pub(crate) of: Unit,
    pub(crate) kind: Kind,
    pub(crate) result: Reg,
    pub(crate) step: u32,
}

/// What a folder offers to formulas (一个目录里的名字).
#[derive(Debug, Clone, Default)]
pub(crate) struct FolderNames {
    pub(crate) id: String,
    /// Of programmes: to whom, the nodes of outcome and amount, and their step.
    pub(crate) benefit: Option<(Unit, Reg, Reg, u32)>,
    /// Whether the benefit is money, and of which kind.
    pub(crate) amount_kind: Option<Kind>,
    pub(crate) variables: BTreeMap<String, Named>,
    pub(crate) parameters: BTreeMap<String, u32>,
}

/// All names of a chain of packs (全部名字).
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    pub(crate) facts: BTreeMap<String, FactDef>,
    pub(crate) folders: BTreeMap<String, FolderNames>,
    /// Which folders are libraries, visible everywhere.
    pub(crate) libraries: Vec<String>,
    pub(crate) division: Option<Region>,
}

/// What a name means (名字所指).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Meaning<'n> {
    Fact(&'n FactDef),
    Rule(Named),
    Param(u32),
    Outcome(Unit, Reg, u32),
    Amount(Unit, Reg, u32, Kind),
    InPayment(Unit),
}

impl Meaning<'_> {
    pub(crate) fn level(&self) -> Level {
        match self {
            Self::Fact(fact) => fact.of.into(),
            Self::Rule(rule) => rule.of.into(),
            Self::Param(_) => Level::Single,
            Self::Outcome(unit, ..) | Self::Amount(unit, ..) | Self::InPayment(unit) => {
                (*unit).into()
            }
        }
    }
}

impl Meaning<'_> {
    /// Of whom it speaks; `None` for parameters.
    pub(crate) fn unit(&self) -> Option<Unit> {
        match self {
            Self::Fact(fact) => Some(fact.of),
            Self::Rule(rule) => Some(rule.of),
            Self::Param(_) => None,
            Self::Outcome(unit, ..) | Self::Amount(unit, ..) | Self::InPayment(unit) => Some(*unit),
        }
    }
}

impl Names {
    /// What a name means inside a folder; `None` if nothing.
    pub(crate) fn meaning(&self, folder: &str, parts: &[&str]) -> Option<Meaning<'_>> {
        match parts {
            [name] => {
                let own = self.folders.get(folder);
                let libraries = self.libraries.iter().filter_map(|id| self.folders.get(id));
                for folder in own.into_iter().chain(libraries) {
                    if let Some(named) = folder.variables.get(*name) {
                        return Some(Meaning::Rule(*named));
                    }
                    if let Some(param) = folder.parameters.get(*name) {
                        return Some(Meaning::Param(*param));
                    }
                }
                self.facts.get(*name).map(Meaning::Fact)
            }
            ["in_payment", programme] => {
                let (to, ..) = self.folders.get(*programme)?.benefit?;
                Some(Meaning::InPayment(to))
            }
            [folder, name] => {
                let folder = self.folders.get(*folder)?;
                match (*name, folder.benefit) {
                    ("outcome", Some((to, outcome, _, step))) => {
                        return Some(Meaning::Outcome(to, outcome, step));
                    }
                    ("amount", Some((to, _, amount, step))) => {
                        return folder
                            .amount_kind
                            .map(|kind| Meaning::Amount(to, amount, step, kind));
                    }
                    _ => {}
                }
                if let Some(named) = folder.variables.get(*name) {
                    return Some(Meaning::Rule(*named));
                }
                folder
                    .parameters
                    .get(*name)
                    .map(|param| Meaning::Param(*param))
            }
            _ => None,
        }
    }

    /// The nearest known name, for "did you mean".
    pub(crate) fn nearest(&self, folder: &str, name: &str) -> Option<&str> {
        let own = self.folders.get(folder);
        let libraries = self.libraries.iter().filter_map(|id| self.folders.get(id));
        own.into_iter()
            .chain(libraries)
            .flat_map(|folder| folder.variables.keys().chain(folder.parameters.keys()))
            .chain(self.facts.keys())
            .map(|known| (distance(known, name), known.as_str()))
            .filter(|(steps, _)| *steps <= 2 || *steps * 3 <= name.len())
            .min()
            .map(|(_, known)| known)
    }
}

/// How many letters differ (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<u8> = b.bytes().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}
