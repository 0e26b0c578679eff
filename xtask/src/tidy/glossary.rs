//! The glossary (词汇表): the law's word, the officer's word and the identifier are the same word.
//!
//! Guarantees: every public struct and enum of a domain crate says its Chinese term in the first line of its doc comment
//! and stands in docs/GLOSSARY.md; that part of the page is written from the code by `cargo xtask approve`.
//! Deliberately absent: the first part of the page, the words of the law and what they mean. People write that.

use super::Finding;
use super::sources::{Source, Sources};
use anyhow::{Context, Result};
use std::fmt::Write;

/// The page with both parts.
pub(crate) const PAGE: &str = "docs/GLOSSARY.md";
const BEGINS: &str = "<!-- from here on written by `cargo xtask approve` -->";
/// Where the domain's words are coined. `store`, `sheets`, `papers` and `web` hold techniques.
const DOMAIN: &[&str] = &[
    "vocab", "policy", "access", "registry", "ledger", "casework", "batch", "exchange",
];
/// One of each in many files; the file's name is the word. Rows of the database are in the list of tables.
const EVERYWHERE: &[&str] = &[
    "Refused",
    "Fault",
    "Model",
    "Column",
    "Entity",
    "Relation",
    "ActiveModel",
    "PrimaryKey",
];

/// A word coined in the code (用语).
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Word {
    room: String,
    name: String,
    /// The Chinese term; empty if the doc comment does not say it.
    chinese: String,
    place: String,
}

pub(crate) fn check(sources: &Sources) -> Result<Vec<Finding>> {
    let page = sources.text(PAGE).context("docs/GLOSSARY.md is missing")?;
    let words = words(sources);
    let mut findings: Vec<Finding> = words
        .iter()
        .filter(|word| word.chinese.is_empty())
        .map(|word| {
            let sentence = format!(
                "say the Chinese term of `{}` in the first line of its doc comment",
                word.name
            );
            Finding::new(&word.place, sentence)
        })
        .collect();
    if page != whole(page, &words) {
        findings.push(Finding::new(
            PAGE,
            "is not what the code says: run `cargo xtask approve`",
        ));
    }
    Ok(findings)
}

/// The page as it should be.
pub(crate) fn page(sources: &Sources) -> Result<String> {
    let page = sources.text(PAGE).context("docs/GLOSSARY.md is missing")?;
    Ok(whole(page, &words(sources)))
}

fn whole(page: &str, words: &[Word]) -> String {
    let written = page.split(BEGINS).next().unwrap_or(page).trim_end();
    let mut text = format!("{written}\n\n{BEGINS}\n\n## Names in the code\n");
    let mut room = "";
    for word in words {
        if word.room != room {
            room = &word.room;
            // Writing to a String cannot fail.
            let _written = write!(text, "\n### {room}\n\n| 中文 | identifier |\n|---|---|\n");
        }
        let _written = writeln!(text, "| {} | `{}` |", word.chinese, word.name);
    }
    text
}

fn words(sources: &Sources) -> Vec<Word> {
    let domain = |source: &&Source| {
        source.room().is_some_and(|room| DOMAIN.contains(&room)) && source.path.contains("/src/")
    };
    let mut words: Vec<Word> = sources.rust().filter(domain).flat_map(coined).collect();
    words.sort();
    words.dedup_by(|a, b| (&a.room, &a.name, &a.chinese) == (&b.room, &b.name, &b.chinese));
    words
}

/// Public types at the start of a line, with what the doc comment above them says.
fn coined(source: &Source) -> Vec<Word> {
    let mut words = Vec::new();
    let mut first_line = "";
    let mut in_comment = false;
    for (index, line) in source.text.lines().enumerate() {
        if line.starts_with("#[cfg(test)]") {
            break;
        }
        if let Some(comment) = line.strip_prefix("///") {
            if !in_comment {
                first_line = comment.trim();
            }
            in_comment = true;
            continue;
        }
        if line.starts_with("#[") || line.starts_with(' ') || line.starts_with(')') {
            continue;
        }
        if let Some(name) = name(line).filter(|name| !is_plain(name)) {
            words.push(Word {
                room: source.room().unwrap_or_default().to_owned(),
                name: name.to_owned(),
                chinese: chinese(first_line),
                place: format!("{}:{}", source.path, index + 1),
            });
        }
        (first_line, in_comment) = ("", false);
    }
    words
}

/// The name in `pub struct Name` or `pub enum Name`.
fn name(line: &str) -> Option<&str> {
    let rest = line
        .strip_prefix("pub struct ")
        .or_else(|| line.strip_prefix("pub enum "))?;
    rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .next()
        .filter(|name| !name.is_empty())
}

/// A reason against something, or one of the names every room has.
fn is_plain(name: &str) -> bool {
    EVERYWHERE.contains(&name)
        || name.starts_with("NotA")
        || name.ends_with("Refused")
        || name.ends_with("Fault")
}

/// `A household (家庭): people …` → `家庭`.
fn chinese(line: &str) -> String {
    let is_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    let bracketed = line
        .split(['(', '（'])
        .skip(1)
        .filter_map(|rest| rest.split([')', '）']).next());
    bracketed
        .map(str::trim)
        .find(|term| is_chinese(term))
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source {
            path: "crates/ledger/src/a.rs".to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_public_type_is_read_with_its_chinese_term() {
        let text = "/// A pay run (发放批次): one month.\n///\n/// More.\n#[derive(Debug)]\npub struct PayRun {\n    pub a: u8,\n}\n\npub enum Bare {}\nstruct Hidden;\n";
        let words = coined(&source(text));
        let found: Vec<(&str, &str)> = words
            .iter()
            .map(|word| (word.name.as_str(), word.chinese.as_str()))
            .collect();
        assert_eq!(found, [("PayRun", "发放批次"), ("Bare", "")]);
    }

    #[test]
    fn a_comment_belongs_to_what_follows_it_directly() {
        let text = "/// A function (函数).\npub fn f() {}\n\npub struct Late;\n";
        assert_eq!(coined(&source(text))[0].chinese, "");
    }

    #[test]
    fn the_written_part_of_the_page_stays() {
        let page = format!("# Glossary\n\nours\n\n{BEGINS}\n\nold\n");
        let word = Word {
            room: "a".to_owned(),
            name: "B".to_owned(),
            chinese: "乙".to_owned(),
            place: String::new(),
        };
        let whole = whole(&page, &[word]);
        assert!(whole.starts_with("# Glossary\n\nours\n\n<!--"));
        assert!(
            whole.contains("### a") && whole.contains("| 乙 | `B` |") && !whole.contains("old")
        );
    }
}
