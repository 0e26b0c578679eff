//! Reading the acts of a procedure (读取办理行为), each with the places its words stand at, so that faults found later
//! can point there.

use super::act::EFFECTS;
use super::read::{read_article, read_letter, read_named, read_role, word, words};
use super::{Act, Doer, Effect, Field, FieldType, Ground, HearingNeed, Needs, TaskKind};
use crate::pack_texts::PackTexts;
use crate::source_text::{At, Node};
use policy::{Book, Outcome, Programme};

pub(super) struct ActAt {
    pub(super) act: Act,
    pub(super) span: std::ops::Range<usize>,
    pub(super) from: Vec<At<String>>,
    pub(super) to: Option<At<String>>,
    pub(super) others: Vec<At<String>>,
    pub(super) clock: Option<At<String>>,
    pub(super) evidence: Vec<At<String>>,
    pub(super) needed_acts: Vec<At<String>>,
}

pub(super) fn read_acts(
    book: &Book,
    programme: &Programme,
    texts: &PackTexts,
    top: &Node<'_>,
) -> Vec<ActAt> {
    let mut acts: Vec<ActAt> = Vec::new();
    for node in top.tables("act") {
        let id = node.text("id");
        let wording = node.wording();
        let mut roles = Vec::new();
        for at in node.texts("roles") {
            if at.value == "public" {
                roles.push(Doer::Public);
            } else if let Some(role) = read_role(&node, &at) {
                roles.push(Doer::Officer(role));
            }
        }
        if !node.has("roles") {
            node.fault("行为要写 roles：哪些岗位可以办理");
        }
        let from = node.texts("from");
        if from.is_empty() {
            node.fault("行为要写 from：在哪些状态下可以办理");
        }
        let to = node.maybe_text("to");
        let effects: Vec<(&str, Effect)> = EFFECTS
            .iter()
            .map(|effect| (effect.word(), *effect))
            .collect();
        let effect = if node.has("effect") {
            word(&node, "effect", &effects).unwrap_or(Effect::None)
        } else {
            Effect::None
        };
        let others = node.texts("other_than");
        let kinds: Vec<(&str, TaskKind)> = TaskKind::ALL
            .iter()
            .map(|kind| (kind.word(), *kind))
            .collect();
        let closes = words(&node, "closes", &kinds);
        let letter = read_letter(texts, programme, &node, "letter");
        let clock = node.maybe_text("clock");
        let article = read_article(book, &node, "article", false);
        let confirm_zh = node.maybe_text("confirm_zh").map(|at| at.value);
        let confirm_en = node.maybe_text("confirm_en").map(|at| at.value);
        if confirm_zh.is_some() != confirm_en.is_some() {
            node.fault("confirm_zh 和 confirm_en 要么都写，要么都不写");
        }
        let (needs, evidence, needed_acts) = match node.maybe_table("needs") {
            Some(needs) => read_needs(needs),
            None => (Needs::default(), Vec::new(), Vec::new()),
        };
        let fields = node
            .tables("field")
            .into_iter()
            .filter_map(|field| read_field(book, programme, field))
            .collect();
        let grounds = node
            .tables("ground")
            .into_iter()
            .filter_map(|ground| read_ground(book, ground))
            .collect();
        let span = node.span.clone();
        if let (Some(id), Some((zh, en))) = (id, wording) {
            if id.value == "submit" || acts.iter().any(|other| other.act.id == id.value) {
                node.source().fault(
                    &id.span,
                    format!("行为 {} 写了两次（submit 专指提交申请）", id.value),
                );
            }
            let plain = |list: &[At<String>]| list.iter().map(|at| at.value.clone()).collect();
            acts.push(ActAt {
                act: Act {
                    id: id.value,
                    zh,
                    en,
                    roles,
                    from: plain(&from),
                    to: to.as_ref().map(|at| at.value.clone()),
                    effect,
                    other_than: plain(&others),
                    closes,
                    letter,
                    clock: clock.as_ref().map(|at| at.value.clone()),
                    article,
                    confirm_zh,
                    confirm_en,
                    needs,
                    fields,
                    grounds,
                },
                span,
                from,
                to,
                others,
                clock,
                evidence,
                needed_acts,
            });
        }
        node.finish();
    }
    acts
}

fn read_needs(node: Node<'_>) -> (Needs, Vec<At<String>>, Vec<At<String>>) {
    let evidence = node.texts("evidence");
    let acts = node.texts("acts");
    let hearing = node
        .has("hearing")
        .then(|| {
            word(
                &node,
                "hearing",
                &[
                    ("always", HearingNeed::Always),
                    ("if_less", HearingNeed::IfLess),
                ],
            )
        })
        .flatten();
    let kinds: Vec<(&str, TaskKind)> = TaskKind::ALL
        .iter()
        .map(|kind| (kind.word(), *kind))
        .collect();
    let task = node
        .has("task")
        .then(|| word(&node, "task", &kinds))
        .flatten();
    let needs = Needs {
        opinion: node.bool("opinion", false),
        participants: node
            .maybe_number("participants", 0..20)
            .and_then(|at| usize::try_from(at.value).ok())
            .unwrap_or(0),
        evidence: evidence.iter().map(|at| at.value.clone()).collect(),
        determination: words(
            &node,
            "determination",
            &Outcome::ALL.map(|outcome| (outcome.word(), outcome)),
        ),
        authorised: node.bool("authorised", false),
        publicity_over: node.bool("publicity_over", false),
        hearing,
        ground: node.bool("ground", false),
        task,
        acts: acts.iter().map(|at| at.value.clone()).collect(),
    };
    node.finish();
    (needs, evidence, acts)
}

fn read_field(book: &Book, programme: &Programme, node: Node<'_>) -> Option<Field> {
    let id = node.text("id");
    let wording = node.wording();
    let kind = word(
        &node,
        "type",
        &[
            ("text", FieldType::Text),
            ("bool", FieldType::Bool),
            ("count", FieldType::Count),
            ("money", FieldType::Money),
            ("date", FieldType::Date),
            ("code", FieldType::Code),
        ],
    );
    let codes = read_named(&node, "codes", "code");
    if (kind == Some(FieldType::Code)) == codes.is_empty() {
        node.fault("type = \"code\" 的栏目要写 codes，其他类型不写");
    }
    let required = node.bool("required", true);
    let fact = node.maybe_text("fact");
    if let (Some(fact), Some(kind)) = (&fact, kind) {
        match book.fact(&fact.value) {
            None => node
                .source()
                .fault(&fact.span, format!("facts.toml 中没有事实 {}", fact.value)),
            Some(definition) => {
                if !kind.agrees_with(definition) {
                    node.source().fault(
                        &fact.span,
                        format!("栏目的类型与事实 {} 的类型不一致", fact.value),
                    );
                }
                if definition.of != programme.to {
                    node.source().fault(
                        &fact.span,
                        format!("事实 {} 不属于办件对象：家庭的办件只能记家庭的事实，个人的办件只能记个人的事实", fact.value),
                    );
                }
            }
        }
    }
    node.finish();
    let (zh, en) = wording?;
    Some(Field {
        id: id?.value,
        zh,
        en,
        kind: kind?,
        codes,
        required,
        fact: fact.map(|at| at.value),
    })
}

fn read_ground(book: &Book, node: Node<'_>) -> Option<Ground> {
    let id = node.text("id");
    let wording = node.wording();
    let article = read_article(book, &node, "article", true);
    node.finish();
    let (zh, en) = wording?;
    Some(Ground {
        id: id?.value,
        zh,
        en,
        article: article?,
    })
}
