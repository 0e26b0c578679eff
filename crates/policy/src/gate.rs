//! The publication gate (发布关口): a pack goes live only if it loads, its cases come out, every condition has been
//! seen yes, no and unknown, and every card is signed as it stands.
//!
//! Coverage counts the cases of this pack and of its parents, each run with its own pack's values. Where a pack leaves a
//! standard to the places (`values = []`), a condition resting on it can only be unknown here; the places' packs must
//! show it yes and no. Deliberately absent: a way round it.

use crate::book::Book;
use crate::card::{self, Approval};
use crate::cases::{self, Report};
use crate::determination::Tri;
use crate::explain::all_operands;
use crate::fault::{Fault, Spot};
use crate::program::{Op, Reg, Work};
use crate::space;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use vocab::Region;

/// What the gate found (关口结论).
#[derive(Debug)]
pub struct Verdict {
    /// How the cases of each programme came out, the place's own.
    pub reports: Vec<Report>,
    /// All that stands in the way.
    pub faults: Vec<Fault>,
}

impl Verdict {
    /// Whether the pack may be published.
    pub fn may_publish(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Asks whether a pack may be published (发布前检查).
///
/// # Errors
/// The mistakes of the pack, if it does not even load.
pub fn examine(packs: &Path, place: &str) -> Result<Verdict, Vec<Fault>> {
    let book = Book::load(packs, place)?;
    let reports = cases::run_all(&book);
    let mut faults = uncovered(packs, &book, &reports);
    faults.extend(space::gaps(&book));
    for report in &reports {
        for failure in report.failures() {
            for difference in &failure.differences {
                faults.push(at(
                    &failure.spot,
                    format!("办例“{}”：{difference}", failure.name),
                ));
            }
        }
    }
    for (programme, report) in book.programmes().iter().zip(&reports) {
        let sentence = match card::approval_with(&book, programme, report) {
            Approval::Same | Approval::OfParent => continue,
            Approval::Missing => format!(
                "事项“{}”的规则卡没有审签；请运行 pack card --renew，审阅后提交 {}",
                programme.id,
                card::FILE
            ),
            Approval::Different => format!(
                "事项“{}”的规则变了，规则卡还是旧的；请运行 pack card --renew，审阅差异后提交",
                programme.id
            ),
        };
        let file = programme
            .folder
            .strip_prefix(packs)
            .unwrap_or(&programme.folder)
            .join(card::FILE);
        faults.push(at(
            &Spot::start_of(&file.to_string_lossy().replace('\\', "/")),
            sentence,
        ));
    }
    faults.sort();
    Ok(Verdict { reports, faults })
}

fn at(spot: &Spot, sentence: String) -> Fault {
    Fault {
        file: spot.file.to_string(),
        line: spot.line,
        column: spot.column,
        sentence_zh: sentence,
    }
}

/// Conditions of the place's own folders that no case makes yes, no or unknown (未覆盖的条件).
pub fn uncovered(packs: &Path, book: &Book, reports: &[Report]) -> Vec<Fault> {
    let mut seen: BTreeMap<(&str, &str), BTreeSet<Tri>> = BTreeMap::new();
    let mut parents: Vec<Vec<Report>> = Vec::new();
    for folder in book.place().folders.iter().rev().skip(1) {
        let Some(id) = folder
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
        else {
            continue;
        };
        // A parent loads whenever its child does; if not, its own check says why.
        if let Ok(parent) = Book::load(packs, &id) {
            parents.push(cases::run_all(&parent));
        }
    }
    for report in reports.iter().chain(parents.iter().flatten()) {
        for (condition, results) in &report.coverage {
            seen.entry((&report.programme, condition))
                .or_default()
                .extend(results);
        }
    }
    let mut faults = Vec::new();
    for programme in book.programmes() {
        if !card::is_own(book, programme) {
            continue;
        }
        for condition in &programme.conditions {
            let results = seen.get(&(programme.id.as_str(), condition.id.as_str()));
            let open = left_to_places(book, &programme.id, &condition.id);
            for (tri, word) in [
                (Tri::Yes, "符合"),
                (Tri::No, "不符合"),
                (Tri::Unknown, "待核实"),
            ] {
                if open && tri != Tri::Unknown {
                    continue;
                }
                if !results.is_some_and(|results| results.contains(&tri))
                    && let Some(version) = condition.versions.first()
                {
                    faults.push(at(
                        &version.spot,
                        format!(
                            "没有办例使条件“{}”得到“{word}”；请在 cases.toml 补一个",
                            condition.id
                        ),
                    ));
                }
            }
        }
    }
    faults
}

/// Whether a condition rests on a standard this pack does not set, or asks whether something lies in the whole nation.
fn left_to_places(book: &Book, programme: &str, condition: &str) -> bool {
    let program = book.program();
    let start = book
        .programmes()
        .iter()
        .position(|other| other.id == programme)
        .and_then(|at| {
            book.spoken()[at]
                .conditions
                .iter()
                .find(|spoken| spoken.id == condition)
        });
    let mut open: Vec<Reg> = start.map(|spoken| spoken.result).into_iter().collect();
    let mut seen: BTreeSet<Reg> = BTreeSet::new();
    while let Some(reg) = open.pop() {
        if !seen.insert(reg) {
            continue;
        }
        match &program.nodes[reg as usize].op {
            Op::Param(param) if program.params[*param as usize].values.is_empty() => return true,
            Op::InRegion(_, region) if *region == Region::NATION => return true,
            Op::Band(param, key) => {
                if program.params[*param as usize].values.is_empty() {
                    return true;
                }
                open.push(*key);
            }
            Op::Result(step) => {
                if let Work::Rule { versions, .. } = &program.steps[*step as usize].work {
                    open.extend(versions.iter().map(|version| version.root));
                }
            }
            Op::Outcome(benefit) | Op::Amount(benefit) => {
                let plan = &program.benefits[*benefit as usize];
                open.extend(&plan.conditions);
                open.extend(plan.amount);
            }
            other => open.extend(all_operands(other)),
        }
    }
    false
}
