//! The commands about packs (规则包命令): check, test, facts, card, lock. Text in, text and success out.
//!
//! The executable only prints what comes back. Deliberately absent: printing and exit codes.

use crate::book::Book;
use crate::card::{self, Approval};
use crate::cases::{self, Report};
use crate::fault::Fault;
use crate::gate;
use crate::listing;
use crate::lock;
use crate::mutate;
use crate::mutate_report::report;
use crate::space;
use std::fmt::Write as _;
use std::path::Path;

/// What a command says (命令结果).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// For the terminal.
    pub text: String,
    /// Whether all is well.
    pub ok: bool,
}

impl Said {
    fn well(text: String) -> Self {
        Self { text, ok: true }
    }

    fn refused(faults: &[Fault]) -> Self {
        let mut text = String::new();
        for fault in faults {
            let _written = writeln!(text, "{fault}");
        }
        let _written = writeln!(text, "共 {} 处需要改正。", faults.len());
        Self { text, ok: false }
    }

    fn failed(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ok: false,
        }
    }
}

/// Reads a pack and says what is wrong (检查规则包), including conditions without cases.
pub fn check(packs: &Path, place: &str) -> Said {
    let book = match Book::load(packs, place) {
        Ok(book) => book,
        Err(faults) => return Said::refused(&faults),
    };
    let reports = cases::run_all(&book);
    let mut faults = gate::uncovered(packs, &book, &reports);
    faults.extend(space::gaps(&book));
    if !faults.is_empty() {
        return Said::refused(&faults);
    }
    let variables: usize = book
        .programmes()
        .iter()
        .map(|programme| programme.variables.len())
        .sum::<usize>()
        + book
            .libraries()
            .iter()
            .map(|(_, variables)| variables.len())
            .sum::<usize>();
    let conditions: usize = book
        .programmes()
        .iter()
        .map(|programme| programme.conditions.len())
        .sum();
    let cases: usize = reports.iter().map(|report| report.cases.len()).sum();
    Said::well(format!(
        "{}（{}）没有错误：{} 个事项，{} 个事实，{variables} 个变量，{conditions} 个条件，{cases} 个办例。\n指纹 {}\n",
        book.place().name_zh,
        book.version(),
        book.programmes().len(),
        book.facts().count(),
        book.hash(),
    ))
}

/// Whether `test` and `card` write approved cards (是否更新规则卡).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cards {
    /// Write what is generated.
    Renew,
    /// Fail where they differ.
    Frozen,
}

/// Runs the cases (运行办例) and compares or renews the cards.
pub fn test(packs: &Path, place: &str, cards: Cards) -> Said {
    let book = match Book::load(packs, place) {
        Ok(book) => book,
        Err(faults) => return Said::refused(&faults),
    };
    let mut text = String::new();
    let mut ok = true;
    let reports = cases::run_all(&book);
    for report in &reports {
        let _written = writeln!(
            text,
            "{}：{} 个办例，{} 个相符",
            report.programme,
            report.cases.len(),
            report.passed()
        );
        for failure in report.failures() {
            ok = false;
            for difference in &failure.differences {
                let _written = writeln!(
                    text,
                    "  {}:{}:{}: “{}”：{difference}",
                    failure.spot.file, failure.spot.line, failure.spot.column, failure.name
                );
            }
        }
    }
    let renewed = renew_cards(&book, &reports, cards, None);
    text.push_str(&renewed.text);
    Said {
        text,
        ok: ok && renewed.ok,
    }
}

/// Shows, compares or renews the card of one programme or of all (规则卡).
pub fn card(packs: &Path, place: &str, programme: Option<&str>, cards: Option<Cards>) -> Said {
    let book = match Book::load(packs, place) {
        Ok(book) => book,
        Err(faults) => return Said::refused(&faults),
    };
    if let Some(id) = programme
        && book.programme(id).is_none()
    {
        return Said::failed(format!("没有叫“{id}”的事项\n"));
    }
    match cards {
        Some(cards) => renew_cards(&book, &cases::run_all(&book), cards, programme),
        None => {
            let wanted = book
                .programmes()
                .iter()
                .filter(|one| programme.is_none_or(|id| one.id == id));
            Said::well(wanted.map(|one| card::render(&book, one)).collect())
        }
    }
}

/// `reports` are those of all programmes, in their order.
fn renew_cards(book: &Book, reports: &[Report], cards: Cards, only: Option<&str>) -> Said {
    let mut text = String::new();
    let mut ok = true;
    for (programme, report) in book
        .programmes()
        .iter()
        .zip(reports)
        .filter(|(one, _)| only.is_none_or(|id| one.id == id))
    {
        match (card::approval_with(book, programme, report), cards) {
            (Approval::Same | Approval::OfParent, _) => {}
            (Approval::Missing | Approval::Different, Cards::Renew) => {
                let file = programme.folder.join(card::FILE);
                match std::fs::write(&file, card::render_with(book, programme, report)) {
                    Ok(()) => {
                        let _written =
                            writeln!(text, "已更新规则卡 {}；请审阅差异后提交", file.display());
                    }
                    Err(error) => {
                        ok = false;
                        let _written = writeln!(text, "写不了规则卡 {}：{error}", file.display());
                    }
                }
            }
            (Approval::Missing, Cards::Frozen) => {
                ok = false;
                let _written = writeln!(text, "事项“{}”没有审签过的规则卡", programme.id);
            }
            (Approval::Different, Cards::Frozen) => {
                ok = false;
                let _written = writeln!(
                    text,
                    "事项“{}”的规则变了，规则卡还是旧的；请更新并审阅差异",
                    programme.id
                );
            }
        }
    }
    Said { text, ok }
}

/// Lists all facts (事实清单) as a table.
pub fn facts(packs: &Path, place: &str) -> Said {
    let book = match Book::load(packs, place) {
        Ok(book) => book,
        Err(faults) => return Said::refused(&faults),
    };
    let mut text = String::from(
        "| 事实 | 名称 | 属于 | 类型 | 来源 | 用到的事项 |\n|---|---|---|---|---|---|\n",
    );
    for fact in book.facts() {
        let of = fact.of.zh();
        let readers: Vec<&str> = book
            .programmes()
            .iter()
            .filter(|programme| programme.facts.contains(&fact.id))
            .map(|programme| programme.id.as_str())
            .collect();
        let _written = writeln!(
            text,
            "| {} | {} | {of} | {} | {} | {} |",
            fact.id,
            fact.label_zh,
            fact.kind.word(),
            fact.source,
            readers.join(" ")
        );
    }
    Said::well(text)
}

/// All programmes of some places as one table (事项总表), for the README.
pub fn list(packs: &Path, places: &[String]) -> Said {
    let mut books = Vec::new();
    for place in places {
        match Book::load(packs, place) {
            Ok(book) => books.push(book),
            Err(faults) => return Said::refused(&faults),
        }
    }
    Said::well(listing::table(&books))
}

/// Renews the record of released facts (更新事实登记簿) over all packs of the folder.
pub fn lock(packs: &Path) -> Said {
    let mut books = Vec::new();
    let mut entries: Vec<_> = std::fs::read_dir(packs)
        .map(|entries| {
            entries
                .filter_map(Result::ok)
                .map(|entry| entry.path())
                .collect()
        })
        .unwrap_or_default();
    entries.sort();
    for entry in entries
        .iter()
        .filter(|entry| entry.join("pack.toml").is_file())
    {
        let Some(id) = entry
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
        else {
            continue;
        };
        match Book::load(packs, &id) {
            Ok(book) => books.push(book),
            Err(faults) => return Said::refused(&faults),
        }
    }
    match lock::renewed(packs, &books) {
        Err(wrong) => Said::failed(wrong.join("\n") + "\n"),
        Ok(text) => match std::fs::write(lock::file(packs), &text) {
            Ok(()) => Said::well(format!(
                "{} 个事实已登记在 {}\n",
                text.lines().count() - 1,
                lock::spot().file
            )),
            Err(error) => Said::failed(format!("写不了 {}：{error}\n", lock::spot().file)),
        },
    }
}

/// Mutates every rule in force and asks whether a case notices (变异测试).
pub fn mutate(packs: &Path, place: &str, programme: Option<&str>) -> Said {
    let outcome = match mutate::run(packs, place, programme) {
        Ok(outcome) => outcome,
        Err(faults) => return Said::refused(&faults),
    };
    if let Some(id) = programme
        && outcome.book.programme(id).is_none()
    {
        return Said::failed(format!("没有叫“{id}”的事项\n"));
    }
    Said {
        ok: outcome.is_well(),
        text: report(&outcome, place),
    }
}

/// Asks whether a pack may be published (发布前检查).
pub fn gate(packs: &Path, place: &str) -> Said {
    match gate::examine(packs, place) {
        Err(faults) => Said::refused(&faults),
        Ok(verdict) if verdict.may_publish() => Said::well("可以发布。\n".to_owned()),
        Ok(verdict) => Said::refused(&verdict.faults),
    }
}
