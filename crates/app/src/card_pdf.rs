//! A rule card as PDF (规则卡 PDF): the markdown of a card set in type.
//!
//! Guarantees: reads exactly the markdown that `policy::card` writes (headings, lists, tables, bold, code) and the graph as
//! an indented tree; nothing of the text is lost. Deliberately absent: markdown of others.

use anyhow::Context;
use chrono::NaiveDate;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const TEMPLATE: &str = include_str!("card_pdf.typ");

/// Sets a card in type, as of the day it is taken out.
pub(crate) fn pdf(markdown: &str, day: NaiveDate) -> anyhow::Result<Vec<u8>> {
    let title = markdown.lines().next().unwrap_or_default();
    let data = json!({
        "date": day.to_string(),
        "title": title.trim_start_matches(['#', ' ']),
        "blocks": blocks(markdown),
    });
    papers::pdf(TEMPLATE, &data).context("排规则卡 (setting a rule card)")
}

fn blocks(markdown: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut lines = markdown.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            let graph: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            found.extend(tree(&graph));
        } else if line.starts_with("| ") {
            let mut rows = vec![cells(line)];
            while let Some(row) = lines.next_if(|line| line.starts_with('|')) {
                if !row.starts_with("|---") {
                    rows.push(cells(row));
                }
            }
            found.push(json!({ "kind": "table", "rows": rows }));
        } else if let Some((level, text)) = heading(line) {
            found.push(json!({ "kind": "heading", "level": level, "spans": spans(text) }));
        } else if let Some(item) = line.strip_prefix("- ") {
            found.push(json!({ "kind": "item", "depth": 0, "spans": spans(item) }));
        } else if !line.trim().is_empty() {
            found.push(json!({ "kind": "text", "spans": spans(line) }));
        }
    }
    found
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.chars().take_while(|c| *c == '#').count();
    let text = line.get(level..)?.strip_prefix(' ')?;
    (1..=4).contains(&level).then_some((level, text))
}

/// The cells of a row; a pipe inside one is written `\|`.
fn cells(row: &str) -> Vec<Vec<Value>> {
    let hidden = row.replace("\\|", "\u{0}");
    let inner = hidden.trim().trim_matches('|');
    inner
        .split('|')
        .map(|cell| spans(cell.trim().replace('\u{0}', "|").as_str()))
        .collect()
}

/// Text, `code`, **bold** and line breaks.
fn spans(text: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for (number, line) in text.split("<br>").enumerate() {
        if number > 0 {
            found.push(json!({ "kind": "break", "text": "" }));
        }
        for (place, part) in line.split('`').enumerate() {
            if place % 2 == 1 {
                found.push(json!({ "kind": "code", "text": part }));
                continue;
            }
            for (place, part) in part.split("**").enumerate() {
                if !part.is_empty() {
                    let kind = if place % 2 == 1 { "bold" } else { "text" };
                    found.push(json!({ "kind": kind, "text": part }));
                }
            }
        }
    }
    found
}

/// The graph from its one beginning downwards; what was opened before is only named again.
fn tree(graph: &[&str]) -> Vec<Value> {
    let mut labels: BTreeMap<&str, String> = BTreeMap::new();
    let mut below: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    for line in graph {
        let line = line.trim();
        if let Some((from, to)) = line.split_once(" --> ") {
            below.entry(from).or_default().push(to);
            reached.insert(to);
        } else if let (Some(from), Some(to)) = (line.find('"'), line.rfind('"'))
            && from < to
        {
            let key = line.split(['[', '(', '{']).next().unwrap_or(line);
            labels.insert(key, line[from + 1..to].replace("<br>", " "));
        }
    }
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let roots = below.keys().filter(|from| !reached.contains(*from));
    let mut open: Vec<(usize, &str)> = roots.map(|root| (0, *root)).collect();
    open.reverse();
    while let Some((depth, key)) = open.pop() {
        let label = labels.get(key).map_or(key, String::as_str);
        let inside = below.get(key).map_or(&[][..], Vec::as_slice);
        let again = !seen.insert(key) && !inside.is_empty();
        let text = if again {
            format!("{label}（见上）")
        } else {
            label.to_owned()
        };
        found.push(
            json!({ "kind": "item", "depth": depth, "spans": [{ "kind": "text", "text": text }] }),
        );
        if !again {
            open.extend(inside.iter().rev().map(|other| (depth + 1, *other)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_card_is_lost() {
        let card = "# 低保（Dibao）\n\n- 金额：`a + b`，**不**舍入\n\n| 条文 | 规则 |\n|---|---|\n| 第一条<br>甲 | `x \\| y` |\n";
        let blocks = blocks(card);
        assert_eq!(blocks.len(), 3);
        assert_eq!(blocks[0]["level"], 1);
        assert_eq!(
            blocks[1]["spans"][1],
            json!({ "kind": "code", "text": "a + b" })
        );
        assert_eq!(
            blocks[1]["spans"][3],
            json!({ "kind": "bold", "text": "不" })
        );
        assert_eq!(blocks[2]["rows"][1][0][1]["kind"], "break");
        assert_eq!(blocks[2]["rows"][1][1][0]["text"], "x | y");
    }

    #[test]
    fn the_graph_is_a_tree_from_the_programme_down() {
        let graph = [
            "graph LR",
            "  n_aid[\"救助<br>aid\"]",
            "  n_wage([\"工资<br>wage\"])",
            "  n_aid --> n_low",
            "  n_aid --> n_wage",
            "  n_low --> n_wage",
        ];
        let lines: Vec<(u64, String)> = tree(&graph)
            .iter()
            .map(|item| {
                let text = item["spans"][0]["text"].as_str().unwrap().to_owned();
                (item["depth"].as_u64().unwrap(), text)
            })
            .collect();
        let expected = [
            (0, "救助 aid"),
            (1, "n_low"),
            (2, "工资 wage"),
            (1, "工资 wage"),
        ];
        assert_eq!(
            lines,
            expected.map(|(depth, text)| (depth, text.to_owned()))
        );
    }

    #[test]
    fn every_card_of_a_place_can_be_set() {
        let packs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
        let book = policy::Book::load(&packs, "sample").unwrap();
        let programme = book.programme("dibao").unwrap();
        let bytes = pdf(
            &policy::card::render(&book, programme),
            NaiveDate::default(),
        )
        .unwrap();
        assert!(bytes.starts_with(b"%PDF"));
    }
}
