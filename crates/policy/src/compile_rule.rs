//! Compiling a variable or condition (编译规则): its versions, its article, what it reads.
//!
//! Deliberately absent: the order between rules; see `order`.

use crate::assemble::StepOf;
use crate::book::{ConditionDef, RuleVersion, VariableDef};
use crate::compiler::{Compiler, Findings, Zeroes};
use crate::determination::Unit;
use crate::fault::Faults;
use crate::formula::Expr;
use crate::kind::Kind;
use crate::law::Laws;
use crate::pack::{Chain, Folder};
use crate::program::{Level, Op, Reg, Version, Work};
use crate::ratio::Rounding;
use crate::rule::{AbsentIsZero, Cited, RawRule};
use std::collections::{BTreeMap, BTreeSet};
use vocab::Citation;

pub(crate) fn check_cited(cited: Option<&Cited>, laws: &Laws, faults: &Faults) {
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

/// Of whom a rule speaks: as it says, else as its programme, else as its level.
pub(crate) fn unit_of(folder: &Folder, rule: &RawRule, level: Level) -> Unit {
    let to = folder.benefit.as_ref().map(|benefit| benefit.to);
    let of = rule.of.or(if rule.is_condition { to } else { None });
    of.unwrap_or(if level == Level::Person {
        Unit::Person
    } else {
        Unit::Household
    })
}

/// A compiled rule (编译后的规则): either a variable or a condition.
pub(crate) struct Compiled {
    pub(crate) variable: Option<VariableDef>,
    pub(crate) condition: Option<ConditionDef>,
    pub(crate) step: u32,
}

/// Compiles one formula with its rounding (编译公式); `None` if it cannot be said.
pub(crate) fn formulate(
    compiler: &mut Compiler<'_>,
    folder: &str,
    tree: Option<&Expr>,
    rounding: Option<Rounding>,
    zeroes: &Zeroes,
    (of, kind): (Unit, Kind),
) -> (Option<Reg>, Findings) {
    let mut formulation = compiler.formula(folder, zeroes);
    // A quotient becomes a count by rounding; without rounding it stays a ratio and is refused.
    let wanted = if kind == Kind::Count && rounding.is_some() {
        Kind::Ratio
    } else {
        kind
    };
    let root = tree.and_then(|tree| formulation.whole(tree, of, wanted));
    let found = formulation.found;
    let root = root.map(|root| match rounding {
        Some(rounding) => {
            let level = compiler.program.nodes[root as usize].level;
            compiler.push(Op::Round(root, rounding), level, kind)
        }
        None => root,
    });
    (root, found)
}

pub(crate) fn compile_rule(
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
            (*result, unit_of(folder, first, node.level), node.kind)
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
        let tree = rule.formula.tree.as_ref();
        let rounding = rule.round.as_ref().map(|(rounding, _)| *rounding);
        let (root, found) = formulate(compiler, &folder.id, tree, rounding, &zeroes, (of, kind));
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
        let root = root.unwrap_or(result);
        if let Some((rounding, said)) = &rule.round
            && (rounding.is_for_money() != kind.is_money() || !kind.is_number())
        {
            faults.note(&said.spot, format!("{kind}不能用“{}”舍入", said.text));
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

pub(crate) fn zeroes(
    rule: &RawRule,
    chain: &Chain,
    faults: &Faults,
) -> (Zeroes, BTreeMap<String, Citation>) {
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
