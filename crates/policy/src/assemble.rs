//! From read files to a book (装配规则库): names resolved, formulas compiled, citations and wording checked.
//!
//! Guarantees: what is assembled without a fault can decide; every rule has its article in the law texts and its
//! words in both languages. Deliberately absent: reading files and running cases.

use crate::book::{Benefit, ConditionDef, Programme, RuleVersion, VariableDef};
use crate::check::{Compiler, FolderNames, Meaning, Named, Names, Zeroes, push};
use crate::determination::{Every, Unit};
use crate::fact_def::{CodeDef, FactDef};
use crate::fault::{Faults, Spot};
use crate::kind::Kind;
use crate::law::Laws;
use crate::order::order;
use crate::pack::{Chain, Folder};
use crate::program::{BenefitPlan, Level, Op, Program, Reg, Step, Version, Words, Work};
use crate::rule::{AbsentIsZero, Cited, RawBenefit, RawRule};
use crate::sentence::{Blank, Filled, Sentence};
use crate::wording::{Piece, Wording, pieces};
use std::collections::{BTreeMap, BTreeSet};

/// A condition as it is spoken (条件的说法).
#[derive(Debug)]
pub(crate) struct SpokenCondition {
    pub(crate) id: String,
    pub(crate) step: u32,
    pub(crate) result: Reg,
    pub(crate) refusal: String,
    pub(crate) asks: Sentence,
    pub(crate) refuses: Sentence,
    /// Names each version uses.
    pub(crate) uses: Vec<Vec<String>>,
}

/// A variable as it is spoken (变量的说法).
#[derive(Debug, Clone)]
pub(crate) struct SpokenVariable {
    /// Qualified if it belongs to another programme.
    pub(crate) id: String,
    pub(crate) step: u32,
    pub(crate) result: Reg,
    pub(crate) of: Unit,
    pub(crate) kind: Kind,
    pub(crate) label_zh: String,
    pub(crate) label_en: String,
}

/// What the answer of a programme is built from (事项的说法); same order as the program's benefits.
#[derive(Debug)]
pub(crate) struct Spoken {
    pub(crate) conditions: Vec<SpokenCondition>,
    /// All variables it rests on, up to the borders of other programmes.
    pub(crate) variables: Vec<SpokenVariable>,
}

/// A book's insides (规则库内部).
#[derive(Debug)]
pub(crate) struct Assembled {
    pub(crate) program: Program,
    pub(crate) facts: BTreeMap<String, FactDef>,
    pub(crate) programmes: Vec<Programme>,
    pub(crate) spoken: Vec<Spoken>,
    /// Variables of libraries, for cards.
    pub(crate) libraries: Vec<(String, Vec<VariableDef>)>,
}

struct StepOf<'c> {
    folder: &'c str,
    versions: Vec<&'c RawRule>,
    spot: Spot,
}

/// Assembles a chain; the result is to be used only if no fault was noted.
pub(crate) fn assemble(chain: &Chain, faults: &Faults) -> Option<Assembled> {
    let facts = facts(chain, faults);
    let mut program = Program::default();
    program.words.number(Words::MET);
    program.words.number(Words::NOT_MET);
    let mut names = Names {
        facts,
        division: Some(chain.place.division),
        ..Names::default()
    };
    let mut steps: Vec<StepOf<'_>> = Vec::new();
    for folder in chain.folders.values() {
        name_folder(folder, &mut names, &mut program, &mut steps, faults);
    }
    clashes(chain, &names, faults);
    program.benefits = Vec::new();
    let mut compiler = Compiler::new(&names, program);
    let mut spoken = Vec::new();
    let mut programmes = Vec::new();
    let mut libraries = Vec::new();
    for folder in chain.folders.values() {
        let of_folder: Vec<u32> = (0..number(steps.len()))
            .filter(|step| {
                steps[*step as usize].folder == folder.id
                    && !steps[*step as usize].versions.is_empty()
            })
            .collect();
        let mut defs = Vec::new();
        for step in of_folder {
            defs.push(compile_rule(
                &mut compiler,
                chain,
                folder,
                step,
                &steps,
                faults,
            ));
        }
        check_wording_keys(folder, &names, faults);
        match &folder.benefit {
            Some(benefit) => {
                let (programme, words) =
                    compile_programme(&mut compiler, chain, folder, benefit, defs, faults)?;
                programmes.push(programme);
                spoken.push(words);
            }
            None => libraries.push((
                folder.id.clone(),
                defs.into_iter().filter_map(|def| def.variable).collect(),
            )),
        }
    }
    check_excludes(chain, faults);
    let mut program = compiler.program;
    match order(&program.steps) {
        Ok(found) => program.order = found,
        Err(circle) => {
            let mut way: Vec<&str> = circle
                .iter()
                .map(|step| program.steps[*step as usize].name.as_str())
                .collect();
            way.push(way[0]);
            faults.note(
                &steps[circle[0] as usize].spot,
                format!("规则互相引用成了圈：{}", way.join(" → ")),
            );
            return None;
        }
    }
    close(&mut program);
    for (place, unit) in [Unit::Household, Unit::Person].into_iter().enumerate() {
        let mut inputs: Vec<u32> = (0..number(program.inputs.len()))
            .filter(|input| program.inputs[*input as usize].of == unit)
            .collect();
        inputs.sort_by(|a, b| {
            program.inputs[*a as usize]
                .fact
                .cmp(&program.inputs[*b as usize].fact)
        });
        program.sorted[place] = inputs;
    }
    for (index, programme) in programmes.iter_mut().enumerate() {
        let mut read: Vec<String> = program.benefits[index]
            .inputs
            .iter()
            .map(|input| program.inputs[*input as usize].fact.clone())
            .collect();
        read.sort();
        programme.facts = read;
        spoken[index].variables = rests_on(&program, index, &steps, &names, chain, &programme.id);
    }
    Some(Assembled {
        program,
        facts: names.facts,
        programmes,
        spoken,
        libraries,
    })
}

fn number(size: usize) -> u32 {
    u32::try_from(size).expect("a rule book has far fewer than four thousand million parts")
}

/// Joins declarations and wording of facts; one id, one meaning.
fn facts(chain: &Chain, faults: &Faults) -> BTreeMap<String, FactDef> {
    let mut facts: BTreeMap<String, FactDef> = BTreeMap::new();
    for folder in chain.folders.values() {
        for declared in &folder.facts {
            let id = &declared.id.text;
            if let Some(known) = facts.get(id) {
                let codes: Vec<&str> = known.codes.iter().map(|code| code.code.as_str()).collect();
                if known.of != declared.of || known.kind != declared.kind || codes != declared.codes
                {
                    faults.note(
                        &declared.id.spot,
                        format!(
                            "事实“{id}”在 {}:{} 已经登记过，意思不同；一个标识只能有一个意思，请换一个名字",
                            known.spot.file, known.spot.line
                        ),
                    );
                }
                continue;
            }
            let label = folder.wordings.facts.get(id);
            if label.is_none() {
                faults.note(
                    &declared.id.spot,
                    format!("事实“{id}”没有用语；请在 wording.toml 写 [fact.{id}] zh 和 en"),
                );
            }
            let codes = declared
                .codes
                .iter()
                .map(|code| {
                    let wording = folder.wordings.codes.get(&(id.clone(), code.clone()));
                    if wording.is_none() {
                        faults.note(
                            &declared.id.spot,
                            format!("事实“{id}”的代码“{code}”没有用语；请在 wording.toml 写 [code.{id}.{code}] zh 和 en"),
                        );
                    }
                    CodeDef {
                        code: code.clone(),
                        zh: wording.map_or_else(String::new, |wording| wording.zh.clone()),
                        en: wording.map_or_else(String::new, |wording| wording.en.clone()),
                    }
                })
                .collect();
            facts.insert(
                id.clone(),
                FactDef {
                    id: id.clone(),
                    of: declared.of,
                    kind: declared.kind,
                    codes,
                    source: declared.source.clone(),
                    sensitivity: declared.sensitivity,
                    label_zh: label.map_or_else(String::new, |wording| wording.zh.clone()),
                    label_en: label.map_or_else(String::new, |wording| wording.en.clone()),
                    hint_zh: label.and_then(|wording| wording.hint_zh.clone()),
                    hint_en: label.and_then(|wording| wording.hint_en.clone()),
                    folder: folder.id.clone(),
                    spot: declared.id.spot.clone(),
                },
            );
        }
    }
    facts
}

/// Reserves a node for the result of every rule, so that formulas may name each other in any order.
fn name_folder<'c>(
    folder: &'c Folder,
    names: &mut Names,
    program: &mut Program,
    steps: &mut Vec<StepOf<'c>>,
    faults: &Faults,
) {
    let mut offered = FolderNames {
        id: folder.id.clone(),
        ..FolderNames::default()
    };
    for (id, parameter) in &folder.parameters {
        offered
            .parameters
            .insert(id.clone(), number(program.params.len()));
        program.params.push(parameter.clone());
    }
    let default_unit = folder.benefit.as_ref().map(|benefit| benefit.to);
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for rule in &folder.rules {
        if let Some(step) = seen.get(rule.id.text.as_str()) {
            steps[*step as usize].versions.push(rule);
            continue;
        }
        if rule.is_condition && folder.benefit.is_none() {
            faults.note(&rule.spot, "没有 [benefit] 的目录只能放变量，不能放条件");
            continue;
        }
        let of = rule.of.or(if rule.is_condition {
            default_unit
        } else {
            None
        });
        let (Some(of), Some(kind)) = (of, rule.gives) else {
            continue;
        };
        if rule.is_condition && of == Unit::Person && default_unit == Some(Unit::Household) {
            faults.note(
                &rule.of_spot,
                "给家庭的事项，条件也要是家庭的；看每个成员请写 all（members.…）",
            );
        }
        let step = number(program.steps.len());
        let result = push(program, Op::Result(step), of.into(), kind);
        program.steps.push(Step {
            name: format!("{}.{}", folder.id, rule.id.text),
            work: Work::Rule {
                result,
                versions: Vec::new(),
            },
            needs: Vec::new(),
            inputs: Vec::new(),
        });
        steps.push(StepOf {
            folder: &folder.id,
            versions: vec![rule],
            spot: rule.id.spot.clone(),
        });
        seen.insert(&rule.id.text, step);
        if !rule.is_condition {
            offered.variables.insert(
                rule.id.text.clone(),
                Named {
                    of,
                    kind,
                    result,
                    step,
                },
            );
        }
    }
    if let Some(benefit) = &folder.benefit {
        let step = number(program.steps.len());
        let place = number(
            names
                .folders
                .values()
                .filter(|folder| folder.benefit.is_some())
                .count(),
        );
        let level = Level::from(benefit.to);
        let kind = if benefit.every == Every::Month {
            Kind::MoneyPerMonth
        } else {
            Kind::Money
        };
        let outcome = push(program, Op::Outcome(place), level, Kind::Code);
        let amount = push(program, Op::Amount(place), level, kind);
        program.steps.push(Step {
            name: folder.id.clone(),
            work: Work::Benefit(place),
            needs: Vec::new(),
            inputs: Vec::new(),
        });
        steps.push(StepOf {
            folder: &folder.id,
            versions: Vec::new(),
            spot: benefit.spot.clone(),
        });
        offered.benefit = Some((benefit.to, outcome, amount, step));
        offered.amount_kind = benefit.amount.as_ref().map(|_| kind);
    } else {
        names.libraries.push(folder.id.clone());
    }
    names.folders.insert(folder.id.clone(), offered);
}

/// Within what one programme sees, a name means one thing.
fn clashes(chain: &Chain, names: &Names, faults: &Faults) {
    let mut libraries: BTreeMap<&str, (&str, &str)> = names
        .facts
        .keys()
        .map(|id| (id.as_str(), ("事实", names.facts[id].folder.as_str())))
        .collect();
    let list = |folder: &Folder| -> Vec<(String, &'static str, Spot)> {
        let mut seen = BTreeSet::new();
        let rules = folder
            .rules
            .iter()
            .filter(|rule| !rule.is_condition && seen.insert(rule.id.text.clone()))
            .map(|rule| (rule.id.text.clone(), "变量", rule.id.spot.clone()));
        let parameters = folder
            .parameters
            .values()
            .map(|parameter| (parameter.id.clone(), "参数", parameter.spot.clone()));
        rules.chain(parameters).collect()
    };
    let is_library = |folder: &&Folder| folder.benefit.is_none();
    for folder in chain.folders.values().filter(is_library) {
        for (id, what, spot) in list(folder) {
            if let Some((other, place)) = libraries.get(id.as_str()) {
                faults.note(
                    &spot,
                    format!("名字“{id}”已经是 {place} 里的{other}；请换一个名字"),
                );
            } else if let Some((key, folder)) = names.folders.get(&folder.id).and_then(|known| {
                known
                    .variables
                    .get_key_value(&id)
                    .map(|(key, _)| (key, known))
                    .or_else(|| {
                        known
                            .parameters
                            .get_key_value(&id)
                            .map(|(key, _)| (key, known))
                    })
            }) {
                libraries.insert(key, (what, &folder.id));
            }
        }
    }
    for folder in chain
        .folders
        .values()
        .filter(|folder| folder.benefit.is_some())
    {
        let mut own: BTreeMap<String, &'static str> = BTreeMap::new();
        for (id, what, spot) in list(folder) {
            if let Some((other, place)) = libraries.get(id.as_str()) {
                faults.note(
                    &spot,
                    format!("名字“{id}”已经是 {place} 里的{other}；请换一个名字"),
                );
            } else if let Some(other) = own.get(&id) {
                faults.note(
                    &spot,
                    format!("名字“{id}”已经是本事项的{other}；请换一个名字"),
                );
            }
            own.insert(id, what);
        }
    }
}

fn check_cited(cited: Option<&Cited>, laws: &Laws, faults: &Faults) {
    let Some(cited) = cited else { return };
    if laws.find(&cited.citation).is_some() {
        return;
    }
    let sentence = match laws.law(&cited.citation.law) {
        None => format!(
            "没有代号为“{}”的法律；请在 law.md 写“# {} 《名称》”",
            cited.citation.law, cited.citation.law
        ),
        Some(law) => format!(
            "{}里没有“{}”这一条；请在 law.md 加上“## art-{}”和条文",
            law.title, cited.citation.article, cited.citation.article
        ),
    };
    faults.note(&cited.spot, sentence);
}

struct Compiled {
    variable: Option<VariableDef>,
    condition: Option<ConditionDef>,
    step: u32,
}

fn compile_rule(
    compiler: &mut Compiler<'_>,
    chain: &Chain,
    folder: &Folder,
    step: u32,
    steps: &[StepOf<'_>],
    faults: &Faults,
) -> Compiled {
    let raw = &steps[step as usize].versions;
    let first = raw[0];
    let (result, of, kind) = match &compiler.program.steps[step as usize].work {
        Work::Rule { result, .. } => {
            let node = &compiler.program.nodes[*result as usize];
            let of = if node.level == Level::Person {
                Unit::Person
            } else {
                Unit::Household
            };
            (*result, of, node.kind)
        }
        Work::Benefit(_) => {
            unreachable!("benefits have no versions and are filtered out by the caller")
        }
    };
    let mut versions = Vec::new();
    let mut told = Vec::new();
    let (mut needs, mut inputs) = (BTreeSet::new(), BTreeSet::new());
    for rule in raw {
        check_cited(rule.article.as_ref(), &chain.laws, faults);
        check_cited(rule.replaces.as_ref(), &chain.laws, faults);
        let (zeroes, articles) = zeroes(rule, chain, faults);
        let begin = compiler.here();
        let mut formulation = compiler.formula(&folder.id, &zeroes);
        let root = rule
            .formula
            .tree
            .as_ref()
            .and_then(|tree| formulation.whole(tree, of, kind));
        let found = formulation.found;
        for (at, sentence) in &found.wrong {
            faults.note(&rule.formula.spot(*at), sentence);
        }
        if let (AbsentIsZero::These(these), Some(_)) = (&rule.absent_is_zero, root) {
            for (fact, _) in these {
                if !found.facts.contains(&fact.text) {
                    faults.note(&fact.spot, format!("公式里没有用到事实“{}”", fact.text));
                }
            }
        }
        let mut root = root.unwrap_or(result);
        if let Some((rounding, said)) = &rule.round {
            if rounding.is_for_money() != kind.is_money() || !kind.is_number() {
                faults.note(&said.spot, format!("{kind}不能用“{}”舍入", said.text));
            }
            let level = compiler.program.nodes[root as usize].level;
            root = compiler.push(Op::Round(root, *rounding), level, kind);
        } else if kind == Kind::Count
            && let Some(Op::Over(..)) = compiler
                .program
                .nodes
                .get(root as usize)
                .map(|node| &node.op)
        {
            // Days minus days is a count; a quotient is one only after rounding, and `whole` has refused it.
        }
        needs.extend(found.needs);
        inputs.extend(found.inputs);
        let article = rule.article.as_ref().map(|cited| cited.citation.clone());
        let absent: Vec<_> = found
            .zeroed
            .into_iter()
            .filter_map(|(reg, fact)| {
                let own = articles.get(&fact).cloned().or_else(|| article.clone())?;
                Some((reg, fact, own))
            })
            .collect();
        let Some(article) = article else { continue };
        told.push(RuleVersion {
            from: rule.from,
            article: article.clone(),
            formula: rule.formula.text.clone(),
            round: rule.round.as_ref().map(|(_, said)| said.text.clone()),
            replaces: rule.replaces.as_ref().map(|cited| cited.citation.clone()),
            absent_is_zero: absent
                .iter()
                .map(|(_, fact, article)| (fact.clone(), article.clone()))
                .collect(),
            uses: found.uses,
            spot: rule.spot.clone(),
        });
        versions.push(Version {
            from: rule.from,
            nodes: begin..compiler.here(),
            root,
            article,
            absent_is_zero: absent,
        });
    }
    let target = &mut compiler.program.steps[step as usize];
    target.needs = needs.into_iter().collect();
    target.inputs = inputs.into_iter().collect();
    target.work = Work::Rule { result, versions };
    if first.is_condition {
        let refuses = first
            .refuses
            .as_ref()
            .map(|said| said.text.clone())
            .unwrap_or_default();
        return Compiled {
            variable: None,
            condition: Some(ConditionDef {
                id: first.id.text.clone(),
                of,
                refuses,
                versions: told,
            }),
            step,
        };
    }
    let label = folder.wordings.variables.get(&first.id.text);
    if label.is_none() {
        faults.note(
            &first.id.spot,
            format!(
                "变量“{}”没有用语；请在 wording.toml 写 [variable.{}] zh 和 en",
                first.id.text, first.id.text
            ),
        );
    }
    Compiled {
        variable: Some(VariableDef {
            id: first.id.text.clone(),
            of,
            gives: kind,
            label_zh: label.map_or_else(String::new, |wording| wording.zh.clone()),
            label_en: label.map_or_else(String::new, |wording| wording.en.clone()),
            versions: told,
        }),
        condition: None,
        step,
    }
}

fn zeroes(
    rule: &RawRule,
    chain: &Chain,
    faults: &Faults,
) -> (Zeroes, BTreeMap<String, vocab::Citation>) {
    match &rule.absent_is_zero {
        AbsentIsZero::All => (Zeroes::All, BTreeMap::new()),
        AbsentIsZero::These(these) => {
            let mut articles = BTreeMap::new();
            for (fact, cited) in these {
                check_cited(cited.as_ref(), &chain.laws, faults);
                if let Some(cited) = cited {
                    articles.insert(fact.text.clone(), cited.citation.clone());
                }
            }
            (
                Zeroes::These(these.iter().map(|(fact, _)| fact.text.clone()).collect()),
                articles,
            )
        }
    }
}

/// Sentences may name household things everywhere and person things in programmes for persons.
fn sentence(
    compiler: &mut Compiler<'_>,
    folder: &str,
    to: Unit,
    wording: &Wording,
    uses: &mut (BTreeSet<u32>, BTreeSet<u32>),
    faults: &Faults,
) -> Sentence {
    let mut cut = |text: &str, spot: &Spot| -> Vec<Filled> {
        pieces(text)
            .into_iter()
            .filter_map(|piece| {
                let (name, at) = match piece {
                    Piece::Words(words) => return Some(Filled::Words(words)),
                    Piece::Name(name, at) => (name, at),
                };
                let blank = match name.as_str() {
                    "as_of" => Some(Blank::AsOf),
                    "amount" => Some(Blank::Amount),
                    "members" => Some(Blank::Members),
                    _ => None,
                };
                if let Some(blank) = blank {
                    return Some(Filled::Blank(blank));
                }
                let parts: Vec<&str> = name.split('.').collect();
                let spot = Spot {
                    // The quote, then so many characters.
                    column: spot.column + 1 + at,
                    ..spot.clone()
                };
                let Some(meaning) = compiler.names.meaning(folder, &parts) else {
                    faults.note(&spot, format!("句子里的 {{{name}}} 不是事实、变量或参数"));
                    return None;
                };
                if to == Unit::Household && meaning.level() == Level::Person {
                    faults.note(
                        &spot,
                        format!("句子里的 {{{name}}} 每个成员各有一个，家庭的句子里不能用"),
                    );
                    return None;
                }
                if let Meaning::Param(param) = meaning
                    && compiler.program.params[param as usize].banded
                {
                    faults.note(
                        &spot,
                        format!("句子里的 {{{name}}} 是分档参数；请写一个变量"),
                    );
                    return None;
                }
                let reg = compiler.read(&parts, meaning, &mut uses.0, &mut uses.1);
                Some(Filled::Blank(Blank::Value(reg)))
            })
            .collect()
    };
    Sentence {
        zh: cut(&wording.zh, &wording.zh_spot),
        en: cut(&wording.en, &wording.en_spot),
    }
}

fn compile_programme(
    compiler: &mut Compiler<'_>,
    chain: &Chain,
    folder: &Folder,
    raw: &RawBenefit,
    defs: Vec<Compiled>,
    faults: &Faults,
) -> Option<(Programme, Spoken)> {
    let (_, outcome, paid, step) = compiler.names.folders.get(&folder.id)?.benefit?;
    check_cited(raw.article.as_ref(), &chain.laws, faults);
    check_cited(raw.replaces.as_ref(), &chain.laws, faults);
    let kind = if raw.every == Every::Month {
        Kind::MoneyPerMonth
    } else {
        Kind::Money
    };
    let mut uses: (BTreeSet<u32>, BTreeSet<u32>) = Default::default();
    let begin = compiler.here();
    let mut amount = None;
    let mut arithmetic = None;
    if let Some(formula) = &raw.amount {
        let zeroes = Zeroes::These(BTreeSet::new());
        let mut formulation = compiler.formula(&folder.id, &zeroes);
        amount = formula
            .tree
            .as_ref()
            .and_then(|tree| formulation.whole(tree, raw.to, kind));
        let found = formulation.found;
        for (at, sentence) in &found.wrong {
            faults.note(&formula.spot(*at), sentence);
        }
        uses.0.extend(found.needs);
        uses.1.extend(found.inputs);
        arithmetic = amount;
        if let (Some(root), Some((rounding, said))) = (amount, &raw.round) {
            if !rounding.is_for_money() {
                faults.note(&said.spot, format!("{kind}不能用“{}”舍入", said.text));
            }
            let level = compiler.program.nodes[root as usize].level;
            amount = Some(compiler.push(Op::Round(root, *rounding), level, kind));
        }
    }
    let end = compiler.here();
    let mut named =
        |said: &Option<crate::toml_file::Said>, of: Unit, kind: Kind, what: &str| -> Option<Reg> {
            let said = said.as_ref()?;
            let parts: Vec<&str> = said.text.split('.').collect();
            let meaning = compiler.names.meaning(&folder.id, &parts);
            let fits = meaning.is_some_and(|meaning| {
                let right_kind = match meaning {
                    Meaning::Rule(named) => named.kind == kind,
                    Meaning::Fact(fact) => fact.kind == kind,
                    _ => false,
                };
                right_kind && meaning.level() == Level::from(of)
            });
            if !fits {
                faults.note(&said.spot, format!("“{}”不是{what}", said.text));
                return None;
            }
            meaning.map(|meaning| compiler.read(&parts, meaning, &mut uses.0, &mut uses.1))
        };
    let covers = named(&raw.covers, Unit::Person, Kind::Bool, "成员的是否变量");
    let starts_on = named(
        &raw.starts_on,
        raw.to,
        Kind::Date,
        "与事项对象相同的日期变量",
    );
    use crate::determination::StartRule::{MonthAfterCondition, MonthOfCondition};
    if matches!(raw.starts, MonthOfCondition | MonthAfterCondition) && raw.starts_on.is_none() {
        faults.note(
            &raw.spot,
            "从条件成就起发的事项，要写 starts_on = \"日期变量\"",
        );
    }
    let mut conditions = Vec::new();
    let mut variables = Vec::new();
    let mut spoken = Vec::new();
    let mut refusals = BTreeSet::new();
    for def in defs {
        if let Some(variable) = def.variable {
            variables.push(variable);
        }
        let Some(condition) = def.condition else {
            continue;
        };
        let raws: Vec<&RawRule> = folder
            .rules
            .iter()
            .filter(|rule| rule.id.text == condition.id)
            .collect();
        let spot = raws
            .first()
            .map_or_else(|| raw.spot.clone(), |rule| rule.id.spot.clone());
        let asks = folder.wordings.conditions.get(&condition.id);
        if asks.is_none() {
            faults.note(
                &spot,
                format!(
                    "条件“{}”没有用语；请在 wording.toml 写 [condition.{}] zh 和 en",
                    condition.id, condition.id
                ),
            );
        }
        for refuses in raws.iter().filter_map(|rule| rule.refuses.as_ref()) {
            refusals.insert(refuses.text.clone());
            if !folder.wordings.refusals.contains_key(&refuses.text) {
                faults.note(
                    &refuses.spot,
                    format!("不符合的理由“{}”没有用语；请在 wording.toml 写 [refusal.{}] zh 和 en，告诉当事人为什么、怎么办", refuses.text, refuses.text),
                );
            }
            if refuses.text != condition.refuses {
                faults.note(
                    &refuses.spot,
                    format!("条件“{}”的各个版本要用同一个 refuses", condition.id),
                );
            }
        }
        let refuses = folder.wordings.refusals.get(&condition.refuses);
        let result = match &compiler.program.steps[def.step as usize].work {
            Work::Rule { result, .. } => *result,
            Work::Benefit(_) => continue,
        };
        uses.0.insert(def.step);
        let mut speak = |wording: Option<&Wording>| {
            wording.map_or_else(Sentence::default, |wording| {
                sentence(compiler, &folder.id, raw.to, wording, &mut uses, faults)
            })
        };
        spoken.push(SpokenCondition {
            asks: speak(asks),
            refuses: speak(refuses),
            id: condition.id.clone(),
            step: def.step,
            result,
            refusal: condition.refuses.clone(),
            uses: condition
                .versions
                .iter()
                .map(|version| version.uses.clone())
                .collect(),
        });
        conditions.push(condition);
    }
    for (section, key) in &folder.wordings.keys {
        if *section == "refusal" && !refusals.contains(&key.text) {
            faults.note(&key.spot, format!("没有条件会给出理由“{}”", key.text));
        }
    }
    let target = &mut compiler.program.steps[step as usize];
    target.needs = uses.0.into_iter().collect();
    target.inputs = uses.1.into_iter().collect();
    compiler.program.benefits.push(BenefitPlan {
        to: raw.to,
        conditions: spoken.iter().map(|condition| condition.result).collect(),
        nodes: begin..end,
        amount,
        arithmetic,
        covers,
        starts_on,
        outcome,
        paid,
        step,
        closure: Vec::new(),
        inputs: Vec::new(),
        sees_all: true,
    });
    let title = folder.wordings.programme.as_ref();
    if title.is_none() && folder.files.contains_key("wording.toml") {
        faults.note(
            &folder.spot_of("wording.toml"),
            format!(
                "事项“{}”没有名称；请在 wording.toml 写 [programme] zh 和 en",
                folder.id
            ),
        );
    }
    let summary = folder.wordings.summary.as_ref();
    let article = raw.article.as_ref().map(|cited| cited.citation.clone());
    let texts = folder
        .files
        .iter()
        .filter_map(|(name, files)| {
            let file = files.last()?;
            Some((
                name.clone(),
                (file.path.clone(), file.source.text.to_string()),
            ))
        })
        .collect();
    let root = |path: &std::path::PathBuf| {
        chain
            .place
            .folders
            .first()
            .and_then(|folder| folder.parent().map(|packs| packs.join(path)))
            .unwrap_or_else(|| path.clone())
    };
    let folders: Vec<_> = folder.paths.iter().map(|(_, path)| root(path)).collect();
    let programme = Programme {
        id: folder.id.clone(),
        title_zh: title.map_or_else(String::new, |wording| wording.zh.clone()),
        title_en: title.map_or_else(String::new, |wording| wording.en.clone()),
        summary_zh: summary.map_or_else(String::new, |wording| wording.zh.clone()),
        summary_en: summary.map_or_else(String::new, |wording| wording.en.clone()),
        to: raw.to,
        benefit: Benefit {
            to: raw.to,
            amount: raw.amount.as_ref().map(|formula| formula.text.clone()),
            round: raw.round.as_ref().map(|(_, said)| said.text.clone()),
            every: raw.every,
            starts: raw.starts,
            starts_on: raw.starts_on.as_ref().map(|said| said.text.clone()),
            covers: raw.covers.as_ref().map(|said| said.text.clone()),
            excludes: raw.excludes.iter().map(|said| said.text.clone()).collect(),
            review: raw.review.clone(),
            article: article.or_else(|| "none:none".parse().ok())?,
            spot: raw.spot.clone(),
        },
        facts: Vec::new(),
        parameters: folder.parameters.values().cloned().collect(),
        variables,
        conditions,
        folder: folders.last().cloned().unwrap_or_default(),
        folders,
        texts,
    };
    Some((
        programme,
        Spoken {
            conditions: spoken,
            variables: Vec::new(),
        },
    ))
}

fn check_wording_keys(folder: &Folder, names: &Names, faults: &Faults) {
    let offered = names.folders.get(&folder.id);
    for (section, key) in &folder.wordings.keys {
        let known = match *section {
            "fact" | "code" => names.facts.contains_key(&key.text),
            "variable" => offered.is_some_and(|offered| offered.variables.contains_key(&key.text)),
            "condition" => folder
                .rules
                .iter()
                .any(|rule| rule.is_condition && rule.id.text == key.text),
            _ => true,
        };
        if !known {
            faults.note(
                &key.spot,
                format!("[{section}.{}] 说的东西不存在", key.text),
            );
        }
    }
}

fn check_excludes(chain: &Chain, faults: &Faults) {
    let known: BTreeSet<&str> = chain
        .folders
        .values()
        .filter(|folder| folder.benefit.is_some())
        .map(|folder| folder.id.as_str())
        .collect();
    for folder in chain.folders.values() {
        for excluded in folder.benefit.iter().flat_map(|benefit| &benefit.excludes) {
            if !known.contains(excluded.text.as_str()) {
                faults.note(
                    &excluded.spot,
                    format!("没有叫“{}”的事项，不能写在 excludes 里", excluded.text),
                );
            } else if excluded.text == folder.id {
                faults.note(&excluded.spot, "事项不能和自己互斥");
            }
        }
    }
}

/// Works out, for each benefit, all steps and inputs it rests on.
fn close(program: &mut Program) {
    let mut closures: BTreeMap<u32, (BTreeSet<u32>, BTreeSet<u32>)> = BTreeMap::new();
    for step in &program.order {
        let at = &program.steps[*step as usize];
        let mut all = (
            BTreeSet::from([*step]),
            at.inputs.iter().copied().collect::<BTreeSet<u32>>(),
        );
        for needed in &at.needs {
            if let Some((steps, inputs)) = closures.get(needed) {
                all.0.extend(steps);
                all.1.extend(inputs);
            }
        }
        closures.insert(*step, all);
    }
    let place: BTreeMap<u32, usize> = program
        .order
        .iter()
        .enumerate()
        .map(|(place, step)| (*step, place))
        .collect();
    for benefit in &mut program.benefits {
        if let Some((steps, inputs)) = closures.get(&benefit.step) {
            benefit.closure = steps.iter().copied().collect();
            benefit.closure.sort_by_key(|step| place.get(step).copied());
            benefit.inputs = inputs.iter().copied().collect();
            // Household values are made of members, so whoever reads one has looked at all.
            benefit.sees_all = benefit.to == Unit::Household
                || steps
                    .iter()
                    .any(|step| match &program.steps[*step as usize].work {
                        Work::Rule { result, .. } => {
                            program.nodes[*result as usize].level == Level::Household
                        }
                        Work::Benefit(_) => {
                            program.steps[*step as usize].name.is_empty() || *step != benefit.step
                        }
                    });
        }
    }
}

/// The variables a programme rests on, up to the borders of other programmes, in the order they are worked out.
fn rests_on(
    program: &Program,
    benefit: usize,
    steps: &[StepOf<'_>],
    names: &Names,
    chain: &Chain,
    own: &str,
) -> Vec<SpokenVariable> {
    let mut reached: BTreeSet<u32> = BTreeSet::new();
    let mut open: Vec<u32> = program.steps[program.benefits[benefit].step as usize]
        .needs
        .clone();
    while let Some(step) = open.pop() {
        if matches!(program.steps[step as usize].work, Work::Benefit(_)) || !reached.insert(step) {
            continue;
        }
        open.extend(&program.steps[step as usize].needs);
    }
    program
        .order
        .iter()
        .filter(|step| reached.contains(step))
        .filter_map(|step| {
            let of = &steps[*step as usize];
            let rule = of.versions.first().filter(|rule| !rule.is_condition)?;
            let named = names.folders.get(of.folder)?.variables.get(&rule.id.text)?;
            let folder = chain.folders.get(of.folder)?;
            let label = folder.wordings.variables.get(&rule.id.text)?;
            let visible = of.folder == own || folder.benefit.is_none();
            Some(SpokenVariable {
                id: if visible {
                    rule.id.text.clone()
                } else {
                    format!("{}.{}", of.folder, rule.id.text)
                },
                step: *step,
                result: named.result,
                of: named.of,
                kind: named.kind,
                label_zh: label.zh.clone(),
                label_en: label.en.clone(),
            })
        })
        .collect()
}
