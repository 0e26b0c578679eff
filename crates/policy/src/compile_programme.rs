//! Compiling a programme (编译事项): its benefit, its conditions and the sentences about them.
//!
//! Guarantees: whatever a person may read has its words in both languages and no blank that names nothing.
//! Deliberately absent: formulas; see `check`.

use crate::assemble::{Spoken, SpokenCondition};
use crate::book::{Benefit, Programme};
use crate::compile_rule::{Compiled, check_cited};
use crate::compiler::{Compiler, Zeroes};
use crate::determination::Unit;
use crate::fault::{Faults, Spot};
use crate::kind::Kind;
use crate::names::{Meaning, Names};
use crate::pack::{Chain, Folder};
use crate::program::{BenefitPlan, Level, Op, Reg, Work};
use crate::rule::{RawBenefit, RawRule};
use crate::sentence::{Blank, Filled, Sentence};
use crate::wording::{Piece, Wording, pieces};
use std::collections::BTreeSet;

/// Sentences may name household things everywhere and person things in programmes for persons.
pub(crate) fn sentence(
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
                if to != Unit::Person && meaning.level() == Level::Person {
                    faults.note(
                        &spot,
                        format!(
                            "句子里的 {{{name}}} 每个成员各有一个，{}的句子里不能用",
                            to.zh()
                        ),
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

pub(crate) fn compile_programme(
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
    let kind = raw.every.kind();
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
    if let (Unit::Person, Some(said)) = (raw.to, &raw.covers) {
        faults.note(&said.spot, "给个人的事项只保障本人，不写 covers");
    }
    if let (Unit::Organisation, Some(said)) = (raw.to, &raw.covers) {
        faults.note(&said.spot, "给机构的事项发给机构，不写 covers");
    }
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
            articles: condition
                .versions
                .iter()
                .map(|version| (version.article.clone(), chain.laws.title(&version.article)))
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
        constants: Vec::new(),
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

pub(crate) fn check_wording_keys(folder: &Folder, names: &Names, faults: &Faults) {
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
