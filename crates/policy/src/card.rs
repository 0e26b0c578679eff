//! The card of a programme (规则卡): law beside rule, parameters with sources, what reads what, which case tests what, and
//! which mutants nobody can kill.
//!
//! It is generated, and a jurist signs it: `card.approved.md` in the programme's folder must be equal to what is
//! generated now, so no rule changes without a reader. Deliberately absent: versions and fingerprints of the pack, which
//! would ask for a signature when nothing he reads has changed.

use crate::book::{Book, Programme, RuleVersion};
use crate::cases::{self, Report};
use crate::determination::{StartRule, Unit};
use crate::kind::Kind;
use crate::parameter::{Parameter, Setting};
use crate::phrasing;
use crate::ratio::Ratio;
use crate::sentence::{decimals, money};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use vocab::Citation;

/// The approved card's file name.
pub const FILE: &str = "card.approved.md";

/// The card as markdown (生成规则卡); runs the worked cases.
pub fn render(book: &Book, programme: &Programme) -> String {
    render_with(book, programme, &cases::run(book, programme))
}

/// The card as markdown, from cases that have been run (生成规则卡).
pub fn render_with(book: &Book, programme: &Programme, report: &Report) -> String {
    let mut text = String::new();
    Card {
        book,
        programme,
        report,
        text: &mut text,
        cited: BTreeSet::new(),
    }
    .write();
    text
}

/// How the approved card compares with the present rules (规则卡状态).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// Approved as it is.
    Same,
    /// Approved, but the rules have changed since.
    Different,
    /// Never approved.
    Missing,
    /// The programme is entirely a parent pack's; its card lies there.
    OfParent,
}

/// Compares the approved card with the present rules (核对规则卡); runs the worked cases.
pub fn approval(book: &Book, programme: &Programme) -> Approval {
    if !is_own(book, programme) {
        return Approval::OfParent;
    }
    approval_with(book, programme, &cases::run(book, programme))
}

/// Compares the approved card with the present rules, from cases that have been run (核对规则卡).
pub fn approval_with(book: &Book, programme: &Programme, report: &Report) -> Approval {
    if !is_own(book, programme) {
        return Approval::OfParent;
    }
    match std::fs::read_to_string(programme.folder.join(FILE)) {
        Err(_) => Approval::Missing,
        Ok(approved) if approved.replace("\r\n", "\n") == render_with(book, programme, report) => {
            Approval::Same
        }
        Ok(_) => Approval::Different,
    }
}

/// Whether the place's own pack has a folder for the programme.
pub(crate) fn is_own(book: &Book, programme: &Programme) -> bool {
    book.place()
        .folders
        .last()
        .is_some_and(|own| programme.folder.starts_with(own))
}

/// A card being written.
pub(crate) struct Card<'a> {
    pub(crate) book: &'a Book,
    pub(crate) programme: &'a Programme,
    pub(crate) report: &'a Report,
    pub(crate) text: &'a mut String,
    /// Articles the rules cite.
    pub(crate) cited: BTreeSet<Citation>,
}

/// Pipes would end a table cell.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', "<br>")
}

impl Card<'_> {
    pub(crate) fn line(&mut self, text: impl AsRef<str>) {
        self.text.push_str(text.as_ref());
        self.text.push('\n');
    }

    fn write(&mut self) {
        let programme = self.programme;
        self.line(format!(
            "# {}（{}）",
            programme.title_zh, programme.title_en
        ));
        self.line("");
        self.line("本卡由规则生成，供法制审核人员对照条文审签；不要手改。");
        self.line("");
        if !programme.summary_zh.is_empty() {
            self.line(&programme.summary_zh);
            self.line("");
        }
        self.benefit();
        self.conditions();
        self.variables();
        self.parameters();
        self.graph();
        self.cases();
        self.articles();
        self.argued();
        self.laws();
    }

    fn benefit(&mut self) {
        let benefit = &self.programme.benefit;
        let (to, every) = (benefit.to.zh(), benefit.every.zh());
        let starts = match benefit.starts {
            StartRule::MonthAfterDecision => "决定的次月",
            StartRule::MonthOfApplication => "申请的当月",
            StartRule::MonthAfterApplication => "申请的次月",
            StartRule::MonthOfCondition => "条件成就的当月",
            StartRule::MonthAfterCondition => "条件成就的次月",
        };
        self.line("## 给什么");
        self.line("");
        self.line(format!("- 对象：{to}；{every}；起于{starts}"));
        if let Some(amount) = &benefit.amount {
            let round = benefit.round.as_ref().map_or_else(
                || "不舍入（不是整分就待核实）".to_owned(),
                |round| format!("舍入 `{round}`"),
            );
            self.line(format!("- 金额：`{amount}`，{round}"));
        }
        if let Some(covers) = &benefit.covers {
            self.line(format!("- 保障的成员：`{covers}`"));
        }
        if !benefit.excludes.is_empty() {
            let names: Vec<String> = benefit
                .excludes
                .iter()
                .map(|id| {
                    self.book
                        .programme(id)
                        .map_or_else(|| id.clone(), |other| format!("{}（{id}）", other.title_zh))
                })
                .collect();
            self.line(format!("- 不能同时享受：{}", names.join("、")));
        }
        for (class, every) in &benefit.review {
            self.line(format!("- 复核：{class} 类每 {every}"));
        }
        self.line(format!(
            "- 依据：{}",
            self.book.laws().title(&benefit.article)
        ));
        self.cited.insert(benefit.article.clone());
        self.line("");
    }

    fn rule(&mut self, versions: &[RuleVersion], kind: Option<Kind>) {
        self.line("| 条文 | 规则 |");
        self.line("|---|---|");
        for version in versions {
            self.cited.insert(version.article.clone());
            let law =
                self.book
                    .laws()
                    .find(&version.article)
                    .map_or_else(String::new, |(_, article)| {
                        format!(
                            "**{}** {}",
                            self.book.laws().title(&version.article),
                            article.text
                        )
                    });
            let mut rule = version
                .from
                .map_or_else(String::new, |from| format!("自 {from} 起："));
            let _written = write!(rule, "`{}`", version.formula);
            if let Some(kind) = kind {
                let _written = write!(rule, "，得{}", kind.zh());
            }
            if let Some(round) = &version.round {
                let _written = write!(rule, "，舍入 `{round}`");
            }
            for (fact, article) in &version.absent_is_zero {
                self.cited.insert(article.clone());
                let _written = write!(
                    rule,
                    "；`{fact}` 没有记录时视为零（{}）",
                    self.book.laws().title(article)
                );
            }
            if let Some(replaces) = &version.replaces {
                self.cited.insert(replaces.clone());
                let _written = write!(
                    rule,
                    "；替换上级规则，本地依据 {}",
                    self.book.laws().title(replaces)
                );
            }
            self.line(format!("| {} | {} |", cell(&law), cell(&rule)));
        }
        self.line("");
    }

    fn conditions(&mut self) {
        self.line("## 条件");
        self.line("");
        self.line("全部符合才给；有一条不符合就不给；没有不符合而有不知道的，待核实。");
        self.line("");
        let spoken = &self.book.spoken()[self.place()];
        for (condition, spoken) in self.programme.conditions.iter().zip(&spoken.conditions) {
            let plain = |pieces: &[crate::sentence::Filled]| plain(self.book, pieces);
            let (asks, refuses) = (plain(&spoken.asks.zh), plain(&spoken.refuses.zh));
            self.line(format!("### {}", condition.id));
            self.line("");
            self.line(asks);
            self.line("");
            self.rule(&condition.versions, None);
            self.line(format!("不符合时告知（{}）：{refuses}", condition.refuses));
            self.line("");
        }
    }

    pub(crate) fn place(&self) -> usize {
        self.book
            .programmes()
            .iter()
            .position(|other| other.id == self.programme.id)
            .unwrap_or(0)
    }

    fn variables(&mut self) {
        if !self.programme.variables.is_empty() {
            self.line("## 变量");
            self.line("");
        }
        for variable in &self.programme.variables {
            let of = match variable.of {
                Unit::Person => "每个成员",
                of => of.zh(),
            };
            self.line(format!(
                "### {}：{}（{of}）",
                variable.id, variable.label_zh
            ));
            self.line("");
            self.rule(&variable.versions, Some(variable.gives));
        }
        let book = self.book;
        let spoken = &book.spoken()[self.place()];
        let own: BTreeSet<&str> = self
            .programme
            .variables
            .iter()
            .map(|variable| variable.id.as_str())
            .collect();
        let shared: BTreeSet<&str> = spoken
            .variables
            .iter()
            .filter_map(|variable| variable.said.first().map(|said| said.id.as_str()))
            .filter(|id| !own.contains(id))
            .collect();
        if shared.is_empty() {
            return;
        }
        self.line("## 共用的变量");
        self.line("");
        self.line("| 变量 | 公式 | 依据 |");
        self.line("|---|---|---|");
        for (_, variables) in book.libraries() {
            for variable in variables
                .iter()
                .filter(|variable| shared.contains(variable.id.as_str()))
            {
                for version in &variable.versions {
                    let from = version
                        .from
                        .map_or_else(String::new, |from| format!("自 {from} 起："));
                    let round = version
                        .round
                        .as_ref()
                        .map_or_else(String::new, |round| format!("，舍入 `{round}`"));
                    self.line(format!(
                        "| {}：{} | {from}`{}`{round} | {} |",
                        variable.id,
                        cell(&variable.label_zh),
                        cell(&version.formula),
                        cell(&book.laws().title(&version.article)),
                    ));
                }
            }
        }
        self.line("");
    }

    fn parameters(&mut self) {
        let read = phrasing::parameters(self.book, self.programme);
        if read.is_empty() {
            return;
        }
        self.line("## 参数");
        self.line("");
        self.line("| 参数 | 自 | 值 | 出处 |");
        self.line("|---|---|---|---|");
        for parameter in read {
            if parameter.values.is_empty() {
                let note = parameter.note.clone().unwrap_or_default();
                self.line(format!(
                    "| {}：{} | | 未公布，用到时待核实 | {} |",
                    parameter.id,
                    cell(&parameter.what),
                    cell(&note)
                ));
            }
            for value in &parameter.values {
                let until = value
                    .until
                    .map_or_else(String::new, |until| format!("，至 {until} 前"));
                let region = value
                    .region
                    .map_or_else(String::new, |region| format!("（{region}）"));
                let demo = if value.demo { "（演示值）" } else { "" };
                let note = value
                    .note
                    .as_ref()
                    .map_or_else(String::new, |note| format!("；{note}"));
                self.line(format!(
                    "| {}：{} | {}{until}{region} | {}{demo} | {}{} |",
                    parameter.id,
                    cell(&parameter.what),
                    value.from,
                    setting(parameter, &value.value),
                    cell(&value.source),
                    cell(&note),
                ));
            }
        }
        self.line("");
    }
}

/// A sentence with its blanks named by id.
pub(crate) fn plain(book: &Book, pieces: &[crate::sentence::Filled]) -> String {
    use crate::program::Op;
    use crate::sentence::{Blank, Filled};
    let program = book.program();
    pieces
        .iter()
        .map(|piece| match piece {
            Filled::Words(words) => words.clone(),
            Filled::Blank(Blank::AsOf) => "〔认定日〕".to_owned(),
            Filled::Blank(Blank::Amount) => "〔金额〕".to_owned(),
            Filled::Blank(Blank::Members) => "〔人数〕".to_owned(),
            Filled::Blank(Blank::Value(reg)) => {
                let name = match program.nodes[*reg as usize].op {
                    Op::Fact(input) => program.inputs[input as usize].fact.clone(),
                    Op::Param(param) => program.params[param as usize].id.clone(),
                    Op::Result(step) => program.steps[step as usize].name.clone(),
                    _ => String::new(),
                };
                format!("〔{}〕", name.rsplit('.').next().unwrap_or(&name))
            }
        })
        .collect()
}

fn setting(parameter: &Parameter, setting: &Setting) -> String {
    let one = |number: i64| match parameter.kind {
        Kind::Bool => if number == 0 { "否" } else { "是" }.to_owned(),
        Kind::Date => i32::try_from(number)
            .ok()
            .and_then(chrono::NaiveDate::from_num_days_from_ce_opt)
            .map_or_else(String::new, |day| day.to_string()),
        kind if kind.is_money() => money(Ratio::whole(number)).to_string(),
        _ => decimals(parameter.scaled(number), 6),
    };
    match setting {
        Setting::Single(number) => one(*number),
        Setting::Steps(steps) => steps
            .iter()
            .map(|(bound, number)| format!("≥{bound}：{}", one(*number)))
            .collect::<Vec<_>>()
            .join("；"),
        Setting::Codes(codes) => codes
            .iter()
            .map(|(code, number)| format!("{code}：{}", one(*number)))
            .collect::<Vec<_>>()
            .join("；"),
    }
}
