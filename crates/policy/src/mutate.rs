//! Mutation testing of a pack (变异测试): is every rule held fast by a worked case?
//!
//! Every rule, benefit and parameter in force is changed in one place at a time; a case that then comes out otherwise
//! kills the mutant. A programme's own rules are to be killed by its own cases, shared ones by any case of any programme
//! that reads them. A rule inherited from a parent is the same rule wherever it is inherited, so the cases of the parents
//! and of the other places that build on them count too, each with its own pack's values; what a place writes itself is
//! killed by its own cases. Guarantees: the order of the work changes no result. Deliberately absent: reading files again; a mutant is compiled beside the program and only
//! what rests on it is worked out anew.

use crate::answer::{answers, brief};
use crate::argued::Argued;
use crate::book::Book;
use crate::cases::{self, Case};
use crate::determination::Ask;
use crate::evaluate::Run;
use crate::fault::{Fault, Spot};
use crate::instead::Instead;
use crate::mutant::{self, Mutant};
use crate::program::{Program, Work};
use crate::trial::Trial;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use vocab::{Citation, FactSheet, Region};

/// How many of a hundred mutants must be killed or argued for.
pub const NEEDED: usize = 98;
/// Cases whose runs are kept together by one thread.
const CHUNK: usize = 48;

/// A mutant no case killed (存活的变异).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survivor {
    /// The folder of the rule.
    pub folder: String,
    /// The rule's or parameter's id, or `benefit`.
    pub rule: String,
    /// The first day of the version or value.
    pub from: Option<NaiveDate>,
    /// The article the rule stands on; `None` for a parameter.
    pub article: Option<Citation>,
    /// Where the change would be.
    pub spot: Spot,
    /// The change in words, as `mutants.toml` repeats it.
    pub mutation: String,
    /// Why it may survive, if somebody argued for it.
    pub because: Option<String>,
}

/// Mutants of one kind, counted (变异计数).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// All.
    pub all: usize,
    /// Killed by a case.
    pub killed: usize,
    /// Not killed, but argued for.
    pub argued: usize,
}

impl Count {
    fn take(&mut self, killed: bool, argued: bool) {
        self.all += 1;
        self.killed += usize::from(killed);
        self.argued += usize::from(!killed && argued);
    }

    /// Killed of ten thousand.
    pub fn score(&self) -> usize {
        (self.killed * 10_000)
            .checked_div(self.all)
            .unwrap_or(10_000)
    }

    /// Whether enough are killed or argued for.
    pub fn enough(&self) -> bool {
        (self.killed + self.argued) * 100 >= self.all * NEEDED
    }
}

/// How a programme came out (事项的变异得分).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// The programme.
    pub programme: String,
    /// Mutants of its own rules and parameters.
    pub own: Count,
    /// Mutants of shared rules and parameters it reads.
    pub shared: Count,
}

impl Score {
    /// Both together.
    pub fn total(&self) -> Count {
        Count {
            all: self.own.all + self.shared.all,
            killed: self.own.killed + self.shared.killed,
            argued: self.own.argued + self.shared.argued,
        }
    }
}

/// What mutation testing found (变异测试结果).
#[derive(Debug)]
pub struct Outcome {
    /// The programmes, by id.
    pub scores: Vec<Score>,
    /// What no case killed, argued or not, in the order of the files.
    pub survivors: Vec<Survivor>,
    /// Cases that come out otherwise without any mutant; they could not be used.
    pub broken: Vec<Spot>,
    /// Arguments for mutants that do not exist.
    pub stray: Vec<Argued>,
    /// The place's book.
    pub book: Book,
}

impl Outcome {
    /// Whether every programme has enough.
    pub fn is_well(&self) -> bool {
        self.broken.is_empty()
            && self.stray.is_empty()
            && self.scores.iter().all(|score| score.total().enough())
    }
}

/// A pack with its mutants compiled in.
struct Bench {
    book: Book,
    program: Program,
    trials: Vec<Option<Trial>>,
}

/// Which programmes count a mutant, and whose cases may kill it.
#[derive(Default)]
struct Standing {
    counts: BTreeSet<String>,
    killers: BTreeSet<String>,
}

/// Mutates the rules of a place, or only what one programme rests on (变异测试).
///
/// # Errors
/// The mistakes of the pack, if it does not load.
pub fn run(packs: &Path, place: &str, only: Option<&str>) -> Result<Outcome, Vec<Fault>> {
    let (book, folders) = Book::open(packs, place)?;
    let mut mutants = mutant::list(&folders);
    let (program, mut trials) = mutant::compile(book.program(), book.names(), &folders, &mutants);
    let mut standings: Vec<Standing> = mutants
        .iter()
        .zip(&trials)
        .map(|(mutant, trial)| standing(&book, mutant, trial.as_ref()))
        .collect();
    let mut keep: Vec<bool> = standings
        .iter()
        .map(|standing| {
            !standing.counts.is_empty() && only.is_none_or(|id| standing.counts.contains(id))
        })
        .collect();
    // What nobody asks about on any day is not in force.
    let mut benches = vec![Bench {
        book,
        program,
        trials: Vec::new(),
    }];
    for id in others(packs, place) {
        // A place that does not load proves nothing; its own check says why.
        let Ok((book, folders)) = Book::open(packs, &id) else {
            continue;
        };
        let (program, trials) = mutant::compile(book.program(), book.names(), &folders, &mutants);
        benches.push(Bench {
            book,
            program,
            trials,
        });
    }
    for (at, keep) in keep.iter_mut().enumerate() {
        *keep = *keep
            && trials[at].as_ref().is_some_and(|trial| {
                is_last(&benches[0].program, trial)
                    || is_asked(&benches[0], trial, &standings[at])
                    || benches[1..].iter().any(|bench| {
                        bench.trials[at]
                            .as_ref()
                            .is_some_and(|trial| is_asked(bench, trial, &standings[at]))
                    })
            });
    }
    retain(&mut mutants, &keep);
    retain(&mut trials, &keep);
    retain(&mut standings, &keep);
    for bench in &mut benches[1..] {
        retain(&mut bench.trials, &keep);
    }
    benches[0].trials = trials;
    let (killed, broken) = try_all(&benches, &standings);
    let book = benches.swap_remove(0).book;
    Ok(summary(book, &mutants, &standings, &killed, broken, only))
}

fn retain<T>(list: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    list.retain(|_| keep.next().copied().unwrap_or(false));
}

/// The other packs of the folder, in the order of their names.
fn others(packs: &Path, place: &str) -> Vec<String> {
    let mut found: Vec<String> = std::fs::read_dir(packs)
        .map(|entries| {
            entries
                .filter_map(Result::ok)
                .filter(|entry| entry.path().join("pack.toml").is_file())
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .filter(|id| id != place)
                .collect()
        })
        .unwrap_or_default();
    found.sort();
    found
}

fn standing(book: &Book, mutant: &Mutant, trial: Option<&Trial>) -> Standing {
    let Some(trial) = trial else {
        return Standing::default();
    };
    let program = book.program();
    let readers: BTreeSet<String> = book
        .programmes()
        .iter()
        .zip(&program.benefits)
        .filter(|(_, plan)| plan.closure.iter().any(|step| trial.starts.contains(step)))
        .map(|(programme, _)| programme.id.clone())
        .collect();
    let own = book.programme(&mutant.folder).map(|own| own.id.clone());
    match own {
        Some(own) => Standing {
            killers: if readers.contains(&own) {
                BTreeSet::from([own.clone()])
            } else {
                readers
            },
            counts: BTreeSet::from([own]),
        },
        None => Standing {
            counts: readers.clone(),
            killers: readers,
        },
    }
}

/// The newest version or value is in force, whether a case asks on such a day or not.
fn is_last(program: &Program, trial: &Trial) -> bool {
    match &trial.instead {
        Instead::Rule { step, version, .. } => match &program.steps[*step as usize].work {
            Work::Rule { versions, .. } => *version + 1 == versions.len(),
            Work::Benefit(_) => false,
        },
        Instead::Benefit(..) => true,
        Instead::Setting { param, entry, .. } => {
            let values = &program.params[*param as usize].values;
            let region = values[*entry].region;
            !values[*entry + 1..]
                .iter()
                .any(|later| later.region == region)
        }
    }
}

/// Whether some case that may kill it asks on a day on which it is in force.
fn is_asked(bench: &Bench, trial: &Trial, standing: &Standing) -> bool {
    standing.killers.iter().any(|programme| {
        bench.book.cases(programme).iter().any(|case| {
            let region = region_of(&bench.book, case);
            match &trial.instead {
                Instead::Rule { step, version, .. } => {
                    match &bench.program.steps[*step as usize].work {
                        Work::Rule { versions, .. } => {
                            let begun = |from: Option<NaiveDate>| {
                                from.is_none_or(|from| from <= case.as_of)
                            };
                            versions.iter().rposition(|version| begun(version.from))
                                == Some(*version)
                        }
                        Work::Benefit(_) => false,
                    }
                }
                Instead::Benefit(..) => true,
                Instead::Setting { param, entry, .. } => {
                    bench.program.params[*param as usize].entry_on(case.as_of, region)
                        == Some(*entry)
                }
            }
        })
    })
}

fn region_of(book: &Book, case: &Case) -> Region {
    case.region.unwrap_or(book.place().division)
}

/// Some cases of one programme of one pack, by question.
struct Job<'a> {
    bench: &'a Bench,
    programme: usize,
    groups: Vec<(Ask, Vec<&'a Case>)>,
}

fn jobs(benches: &[Bench]) -> Vec<Job<'_>> {
    let mut jobs = Vec::new();
    for bench in benches {
        for (programme, of) in bench.book.programmes().iter().enumerate() {
            let mut groups: Vec<(Ask, Vec<&Case>)> = Vec::new();
            for case in bench.book.cases(&of.id) {
                let ask = case.ask();
                match groups.iter_mut().find(|(known, _)| *known == ask) {
                    Some((_, cases)) => cases.push(case),
                    None => groups.push((ask, vec![case])),
                }
            }
            let mut chunk: Vec<(Ask, Vec<&Case>)> = Vec::new();
            let mut size = 0;
            for (ask, cases) in groups {
                for part in cases.chunks(CHUNK) {
                    if size + part.len() > CHUNK && size > 0 {
                        jobs.push(Job {
                            bench,
                            programme,
                            groups: std::mem::take(&mut chunk),
                        });
                        size = 0;
                    }
                    size += part.len();
                    chunk.push((ask.clone(), part.to_vec()));
                }
            }
            if !chunk.is_empty() {
                jobs.push(Job {
                    bench,
                    programme,
                    groups: chunk,
                });
            }
        }
    }
    jobs
}

/// Runs all jobs on all processors; gives which mutants were killed and which cases could not be used.
fn try_all(benches: &[Bench], standings: &[Standing]) -> (Vec<bool>, Vec<Spot>) {
    let jobs = jobs(benches);
    let killed: Vec<AtomicBool> = standings.iter().map(|_| AtomicBool::new(false)).collect();
    let broken: BTreeSet<Spot> = crate::many::each(&jobs, |job| job.work(standings, &killed))
        .into_iter()
        .flatten()
        .collect();
    let killed = killed.into_iter().map(AtomicBool::into_inner).collect();
    (killed, broken.into_iter().collect())
}

impl Job<'_> {
    /// Tries every mutant on the cases of this job; gives the cases that fail already without one.
    fn work(&self, standings: &[Standing], killed: &[AtomicBool]) -> Vec<Spot> {
        let bench = self.bench;
        let programme = &bench.book.programmes()[self.programme].id;
        let closure = &bench.program.benefits[self.programme].closure;
        let sheets: Vec<Vec<FactSheet>> = self
            .groups
            .iter()
            .map(|(_, cases)| cases.iter().map(|case| case.sheet.clone()).collect())
            .collect();
        let mut broken = Vec::new();
        let mut runs: Vec<(Run<'_>, Vec<bool>, Vec<bool>)> = Vec::new();
        for ((ask, cases), sheets) in self.groups.iter().zip(&sheets) {
            let region = ask.region.unwrap_or(bench.book.place().division);
            let run = Run::whole(&bench.program, sheets, ask, region, &[self.programme]);
            let mut usable = Vec::new();
            for (row, case) in cases.iter().enumerate() {
                let fails = self.otherwise(&run, row, case);
                if fails {
                    broken.push(case.spot.clone());
                }
                usable.push(!fails);
            }
            let sensitive = cases
                .iter()
                .map(|case| {
                    case.expects
                        .iter()
                        .any(|expect| expect.missing.is_some() || !expect.faults.is_empty())
                })
                .collect();
            runs.push((run, usable, sensitive));
        }
        for (at, standing) in standings.iter().enumerate() {
            if killed[at].load(Ordering::Relaxed) || !standing.killers.contains(programme) {
                continue;
            }
            let Some(trial) = &bench.trials[at] else {
                continue;
            };
            for ((run, usable, sensitive), (_, cases)) in runs.iter_mut().zip(&self.groups) {
                if !run.concerns(trial) {
                    continue;
                }
                let touched = run.try_out(trial, closure, sensitive);
                let dies = (0..cases.len()).any(|row| {
                    touched.rows[row] && usable[row] && self.otherwise(run, row, cases[row])
                });
                run.undo(touched);
                if dies {
                    killed[at].store(true, Ordering::Relaxed);
                    break;
                }
            }
        }
        broken
    }

    /// Whether a case comes out otherwise than it says.
    fn otherwise(&self, run: &Run<'_>, row: usize, case: &Case) -> bool {
        let mut briefs = Vec::new();
        brief(run, self.programme, row, &mut briefs);
        for expect in &case.expects {
            let same = briefs.iter().any(|one| {
                one.member == expect.member
                    && one.outcome == expect.outcome
                    && expect
                        .amount
                        .is_none_or(|amount| one.amount == Some(amount))
            });
            if !same {
                return true;
            }
        }
        let mut got = Vec::new();
        answers(&self.bench.book, run, self.programme, row, &mut got);
        !cases::compare(case, &got).is_empty()
    }
}

fn summary(
    book: Book,
    mutants: &[Mutant],
    standings: &[Standing],
    killed: &[bool],
    broken: Vec<Spot>,
    only: Option<&str>,
) -> Outcome {
    let mut scores: BTreeMap<&str, Score> = BTreeMap::new();
    for programme in book.programmes() {
        if only.is_none_or(|id| id == programme.id) {
            let score = Score {
                programme: programme.id.clone(),
                own: Count::default(),
                shared: Count::default(),
            };
            scores.insert(&programme.id, score);
        }
    }
    let mut survivors = Vec::new();
    let mut used: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    for ((mutant, standing), killed) in mutants.iter().zip(standings).zip(killed) {
        let argued = book.argued(&mutant.folder).iter().find(|argued| {
            argued.rule == mutant.rule
                && argued.mutation == mutant.words
                && (argued.from.is_none() || argued.from == mutant.from)
        });
        used.insert((&mutant.folder, &mutant.rule, &mutant.words));
        for programme in &standing.counts {
            if let Some(score) = scores.get_mut(programme.as_str()) {
                let count = if mutant.folder == *programme {
                    &mut score.own
                } else {
                    &mut score.shared
                };
                count.take(*killed, argued.is_some());
            }
        }
        if !killed {
            survivors.push(Survivor {
                folder: mutant.folder.clone(),
                rule: mutant.rule.clone(),
                from: mutant.from,
                article: mutant.article.clone(),
                spot: mutant.spot.clone(),
                mutation: mutant.words.clone(),
                because: argued.map(|argued| argued.because.clone()),
            });
        }
    }
    let folders: BTreeSet<&str> = mutants.iter().map(|mutant| &*mutant.folder).collect();
    let stray = folders
        .iter()
        .filter(|_| only.is_none())
        .flat_map(|folder| book.argued(folder).iter().map(move |one| (*folder, one)))
        .filter(|(folder, one)| !used.contains(&(*folder, &*one.rule, &*one.mutation)))
        .map(|(_, one)| one.clone())
        .collect();
    let scores = scores.into_values().collect();
    Outcome {
        scores,
        survivors,
        broken,
        stray,
        book,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Faults;
    use crate::pack;
    use std::path::PathBuf;

    /// Makes a whole book of every mutant and runs the cases on it: the slow way must come to the same.
    #[test]
    fn a_mutant_dies_exactly_if_a_book_made_of_it_fails_a_case() {
        let packs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../packs");
        let read = || pack::read(&packs, "sample", &Faults::default()).unwrap();
        let chain = read();
        let book = Book::load(&packs, "sample").unwrap();
        let mutants = mutant::list(&chain.folders);
        let (program, trials) =
            mutant::compile(book.program(), book.names(), &chain.folders, &mutants);
        let standings: Vec<Standing> = mutants
            .iter()
            .zip(&trials)
            .map(|(mutant, trial)| standing(&book, mutant, trial.as_ref()))
            .collect();
        let bench = Bench {
            book,
            program,
            trials,
        };
        let (killed, broken) = try_all(std::slice::from_ref(&bench), &standings);
        assert_eq!(broken, []);
        let mut compared = 0;
        // A sample, spread over all rules: the slow way is slow.
        let stride = mutants.len() / 60 + 1;
        for (at, mutant) in mutants.iter().enumerate().step_by(stride) {
            let mut changed = chain.clone();
            mutant.write_into(&mut changed.folders);
            let Ok((slow, _)) = Book::made(&packs, changed, Faults::default()) else {
                continue;
            };
            if bench.trials[at].is_none() {
                // A parameter nothing reads is not tried.
                continue;
            }
            let dies = standings[at].killers.iter().any(|id| {
                let programme = slow.programme(id).unwrap();
                cases::run(&slow, programme).failures().next().is_some()
            });
            assert_eq!(
                dies, killed[at],
                "{} {} {}",
                mutant.folder, mutant.rule, mutant.words
            );
            compared += 1;
        }
        assert!(compared > 30, "{compared}");
    }
}
