//! What proves a programme (规则卡的证明部分): its worked cases, by condition and by article, and what no case can tell.
//!
//! Deliberately absent: running cases; the card is handed their report.

use crate::card::{Card, cell};
use crate::cases::Case;
use crate::determination::Tri;
use std::collections::BTreeSet;

/// How many cases are named where many would do.
const NAMED: usize = 3;

impl Card<'_> {
    pub(crate) fn cases(&mut self) {
        let book = self.book;
        let report = self.report;
        let cases = book.cases(&self.programme.id);
        self.line("## 办例");
        self.line("");
        for case in cases {
            self.case(case);
        }
        self.line("");
        self.line("### 每个条件由哪些办例检验");
        self.line("");
        self.line("| 条件 | 符合 | 不符合 | 待核实 |");
        self.line("|---|---|---|---|");
        for condition in &self.programme.conditions {
            let names = |tri: Tri| {
                report
                    .touched
                    .get(&(condition.id.clone(), tri))
                    .map_or_else(|| "**没有办例**".to_owned(), |places| self.named(places))
            };
            let row = format!(
                "| {} | {} | {} | {} |",
                condition.id,
                names(Tri::Yes),
                names(Tri::No),
                names(Tri::Unknown)
            );
            self.line(row);
        }
        self.line("");
    }

    /// The first few names and how many there are.
    fn named(&self, places: &BTreeSet<usize>) -> String {
        let names: Vec<&str> = places
            .iter()
            .take(NAMED)
            .filter_map(|place| self.report.cases.get(*place))
            .map(|case| case.name.as_str())
            .collect();
        let more = if places.len() > NAMED { " 等" } else { "" };
        format!("{} 个：{}{more}", places.len(), cell(&names.join("；")))
    }

    fn case(&mut self, case: &Case) {
        let expected: Vec<String> = case
            .expects
            .iter()
            .map(|expect| {
                let who = expect
                    .member
                    .map_or_else(String::new, |member| format!("第{}位成员", member + 1));
                let amount = expect
                    .amount
                    .map_or_else(String::new, |amount| format!(" {amount}"));
                format!("{who}{}{amount}", expect.outcome.zh())
            })
            .collect();
        self.line(format!(
            "- **{}**（{}）→ {}。{}",
            case.name,
            case.as_of,
            expected.join("；"),
            case.because
        ));
    }

    pub(crate) fn articles(&mut self) {
        self.line("### 条文与办例");
        self.line("");
        let cited = self.cited.clone();
        let mut without = Vec::new();
        for citation in &cited {
            let title = self.book.laws().title(citation);
            match self.report.articles.get(citation) {
                Some(places) => {
                    let named = self.named(places);
                    self.line(format!("- {title}：{named}"));
                }
                None => without.push(title),
            }
        }
        self.line("");
        self.line("### 没有办例用到的条文");
        self.line("");
        if without.is_empty() {
            self.line("没有。");
        }
        for title in without {
            self.line(format!("- {title}"));
        }
        self.line("");
    }

    pub(crate) fn argued(&mut self) {
        let book = self.book;
        let argued = book.argued(&self.programme.id);
        if argued.is_empty() {
            return;
        }
        self.line("## 没有办例能分辨的改动");
        self.line("");
        self.line("规则这样改一处，结果对任何人都一样，所以没有办例能发现；理由请核对。");
        self.line("");
        self.line("| 规则 | 改动 | 理由 |");
        self.line("|---|---|---|");
        for one in argued {
            let from = one
                .from
                .map_or_else(String::new, |from| format!("（自 {from}）"));
            self.line(format!(
                "| {}{from} | {} | {} |",
                one.rule,
                cell(&one.mutation),
                cell(&one.because)
            ));
        }
        self.line("");
    }

    pub(crate) fn laws(&mut self) {
        self.line("## 引用的法律文件");
        self.line("");
        let ids: BTreeSet<&str> = self
            .cited
            .iter()
            .map(|citation| citation.law.as_str())
            .collect();
        let lines: Vec<String> = ids
            .iter()
            .filter_map(|id| self.book.laws().law(id))
            .map(|law| {
                let date = law
                    .date
                    .map_or_else(String::new, |date| format!("，{date} 起施行"));
                format!("- {}{}{date}；出处：{}", law.title, law.number, law.source)
            })
            .collect();
        for line in lines {
            self.line(line);
        }
    }
}
