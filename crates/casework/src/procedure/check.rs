//! What must hold between the parts of a procedure (办理程序的整体检查): names that exist, two people for every decision,
//! no state that nobody reaches or leaves.

use super::read_act::ActAt;
use super::{Effect, State, StateKind};
use crate::source_text::{At, SourceText};
use policy::{Outcome, Programme};
use std::collections::BTreeSet;

pub(super) fn check_act(
    source: &SourceText,
    programme: &Programme,
    at: &ActAt,
    states: &BTreeSet<&str>,
    acts: &BTreeSet<String>,
    clocks: &BTreeSet<String>,
    evidence: &BTreeSet<String>,
) {
    let act = &at.act;
    for state in at.from.iter().chain(&at.to) {
        if !states.contains(state.value.as_str()) {
            source.fault(&state.span, format!("没有名为 {} 的状态", state.value));
        }
    }
    for other in at.others.iter().chain(&at.needed_acts) {
        if !acts.contains(&other.value) {
            source.fault(&other.span, format!("没有名为 {} 的行为", other.value));
        }
    }
    for kind in &at.evidence {
        if !evidence.contains(&kind.value) {
            source.fault(
                &kind.span,
                format!("没有名为 {} 的材料种类；请写 [[evidence]]", kind.value),
            );
        }
    }
    match (&at.clock, act.effect) {
        (Some(clock), Effect::Extend) if !clocks.contains(&clock.value) => {
            source.fault(&clock.span, format!("没有名为 {} 的时限", clock.value));
        }
        (None, Effect::Extend) => source.fault(&at.span, "延长时限的行为要写 clock"),
        (Some(clock), effect) if effect != Effect::Extend => {
            source.fault(&clock.span, "只有 effect = \"extend\" 的行为可以写 clock");
        }
        _ => {}
    }
    if act.effect.is_decision() && act.other_than.is_empty() {
        source.fault(
            &at.span,
            format!(
                "行为 {} 作出决定，要写 other_than：决定人不能是前面办理的人（两人办理）",
                act.id
            ),
        );
    }
    if act.effect == Effect::Grant
        && programme.benefit.every.pays()
        && act.needs.determination != [Outcome::Met]
    {
        source.fault(
            &at.span,
            format!(
                "行为 {} 给予待遇，要写 needs.determination = [\"met\"]",
                act.id
            ),
        );
    }
    if act.needs.ground && !act.effect.is_decision() && act.grounds.is_empty() {
        source.fault(
            &at.span,
            format!("行为 {} 需要事由，却没有列出 [[act.ground]]", act.id),
        );
    }
    let mut fields = BTreeSet::new();
    for field in &act.fields {
        if !fields.insert(field.id.as_str()) {
            source.fault(
                &at.span,
                format!("行为 {} 的栏目 {} 写了两次", act.id, field.id),
            );
        }
    }
}

/// Every state must be reached from the start, and from every state that is not an end there must be a way on.
pub(super) fn check_ways(source: &SourceText, states: &[At<State>], acts: &[ActAt], start: &str) {
    let mut reached: BTreeSet<&str> = BTreeSet::from([start]);
    loop {
        let before = reached.len();
        for act in acts {
            if let Some(to) = &act.act.to
                && act
                    .act
                    .from
                    .iter()
                    .any(|from| reached.contains(from.as_str()))
            {
                reached.insert(to.as_str());
            }
        }
        if reached.len() == before {
            break;
        }
    }
    for state in states {
        let id = state.value.id.as_str();
        if !reached.contains(id) {
            source.fault(&state.span, format!("从起始状态 {start} 到不了状态 {id}"));
        }
        let has_way_out = acts.iter().any(|act| {
            act.act.from.iter().any(|from| from == id)
                && act.act.to.as_ref().is_some_and(|to| to != id)
        });
        if !has_way_out && !matches!(state.value.kind, StateKind::Final | StateKind::InForce) {
            source.fault(&state.span, format!("状态 {id} 没有出路，又不是办结状态"));
        }
    }
}
