//! What reads what (规则图): from the programme through conditions and variables down to facts and parameters.
//!
//! Variables of another programme are its border: they are named, not opened. Deliberately absent: drawing; the text is
//! mermaid, which readers of markdown draw.

use crate::book::{Book, Programme, RuleVersion, VariableDef};
use crate::card::{Card, plain};
use std::collections::{BTreeMap, BTreeSet};

/// The edges of a programme's graph, from who reads to what is read, each once.
pub(crate) fn edges(book: &Book, programme: &Programme) -> Vec<(String, String)> {
    let shared: BTreeMap<&str, &VariableDef> = book
        .libraries()
        .iter()
        .flat_map(|(_, variables)| variables)
        .map(|variable| (variable.id.as_str(), variable))
        .collect();
    let own: BTreeMap<&str, &VariableDef> = programme
        .variables
        .iter()
        .map(|variable| (variable.id.as_str(), variable))
        .collect();
    let mut found: Vec<(String, String)> = Vec::new();
    let mut once: BTreeSet<(String, String)> = BTreeSet::new();
    let mut open: Vec<String> = Vec::new();
    let mut link = |from: &str, to: &str, open: &mut Vec<String>| {
        if once.insert((from.to_owned(), to.to_owned())) {
            found.push((from.to_owned(), to.to_owned()));
            open.push(to.to_owned());
        }
    };
    let uses = |versions: &[RuleVersion]| -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in versions.iter().flat_map(|version| &version.uses) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    };
    for condition in &programme.conditions {
        link(&programme.id, &condition.id, &mut Vec::new());
        for name in uses(&condition.versions) {
            link(&condition.id, &name, &mut open);
        }
    }
    let benefit = &programme.benefit;
    let words = benefit.amount.iter().flat_map(|formula| {
        formula.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))
    });
    let named = words
        .chain(benefit.covers.as_deref())
        .chain(benefit.starts_on.as_deref());
    for word in named {
        let name = word
            .strip_prefix("members.")
            .or_else(|| word.strip_prefix("household."))
            .unwrap_or(word);
        let known = own.contains_key(name)
            || shared.contains_key(name)
            || book.fact(name).is_some()
            || book.program().params.iter().any(|param| param.id == name)
            || name.contains('.');
        if known {
            link(&programme.id, name, &mut open);
        }
    }
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        if let Some(variable) = own.get(name.as_str()).or_else(|| shared.get(name.as_str())) {
            for used in uses(&variable.versions) {
                link(&name, &used, &mut open);
            }
        }
    }
    found.sort();
    found
}

impl Card<'_> {
    pub(crate) fn graph(&mut self) {
        self.line("## 谁用到谁");
        self.line("");
        self.line("从事项到条件、变量，再到事实和参数；图里圆角的是事实，六角的是参数。");
        self.line("");
        self.line("```mermaid");
        self.line("graph LR");
        let edges = edges(self.book, self.programme);
        let mut nodes: BTreeSet<&str> = BTreeSet::new();
        for (from, to) in &edges {
            nodes.insert(from);
            nodes.insert(to);
        }
        // A name such as `end` or `style` means something to mermaid; a prefix keeps it a name.
        let key = |name: &str| format!("n_{}", name.replace('.', "_"));
        for name in nodes {
            let text = match self.called(name) {
                Some(label) => format!("{label}<br>{name}"),
                None => name.to_owned(),
            };
            let shape = if self.book.fact(name).is_some() || name.starts_with("in_payment.") {
                format!("([\"{text}\"])")
            } else if self.is_param(name) {
                format!("{{{{\"{text}\"}}}}")
            } else {
                format!("[\"{text}\"]")
            };
            self.line(format!("  {}{shape}", key(name)));
        }
        for (from, to) in &edges {
            self.line(format!("  {} --> {}", key(from), key(to)));
        }
        self.line("```");
        self.line("");
    }

    fn is_param(&self, name: &str) -> bool {
        let variable = self
            .programme
            .variables
            .iter()
            .any(|variable| variable.id == name);
        let params = &self.book.program().params;
        !variable && params.iter().any(|param| param.id == name)
    }

    /// What a name is called in Chinese.
    fn called(&self, name: &str) -> Option<String> {
        if name == self.programme.id {
            return Some(self.programme.title_zh.clone());
        }
        if let Some(fact) = self.book.fact(name) {
            return Some(fact.label_zh.clone());
        }
        let shared = self.book.libraries().iter().flat_map(|(_, all)| all);
        let mut variables = self.programme.variables.iter().chain(shared);
        if let Some(variable) = variables.find(|variable| variable.id == name) {
            return Some(variable.label_zh.clone());
        }
        let mut conditions = self.book.spoken()[self.place()].conditions.iter();
        if let Some(condition) = conditions.find(|condition| condition.id == name) {
            // A quote would end the node's text.
            return Some(plain(self.book, &condition.asks.zh).replace('"', "”"));
        }
        let params = &self.book.program().params;
        params
            .iter()
            .find(|param| param.id == name)
            .map(|param| param.what.clone())
    }
}
