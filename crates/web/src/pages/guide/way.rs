//! The way from an application to the benefit (办理步骤), as the procedure has it.
//!
//! Deliberately absent: what becomes of an application that is refused.

use casework::procedure::{Act, Procedure, StateKind};
use std::collections::{BTreeMap, VecDeque};

/// The way from the application to the benefit, act by act: over the public notice where there is one, else the shortest;
/// before each act that moves the case, the acts it needs.
pub(super) fn way(procedure: &Procedure) -> Vec<&Act> {
    let notice = procedure
        .states
        .iter()
        .find(|state| state.kind == StateKind::Publicity);
    let Some(goal) = procedure.in_force() else {
        return Vec::new();
    };
    let moves = match notice {
        None => shortest(procedure, &procedure.start, &goal.id),
        Some(notice) => {
            let mut moves = shortest(procedure, &procedure.start, &notice.id);
            moves.extend(shortest(procedure, &notice.id, &goal.id));
            moves
        }
    };
    let mut way: Vec<&Act> = Vec::new();
    for act in moves {
        let needed = act.needs.acts.iter().filter_map(|id| procedure.act(id));
        for act in needed.chain([act]) {
            if way.iter().all(|before| before.id != act.id) {
                way.push(act);
            }
        }
    }
    way
}

/// The fewest acts from one state to another, without sending the applicant for more papers.
fn shortest<'a>(procedure: &'a Procedure, from: &'a str, to: &str) -> Vec<&'a Act> {
    let mut came_by: BTreeMap<&str, (&str, &Act)> = BTreeMap::new();
    let mut open = VecDeque::from([from]);
    while let Some(state) = open.pop_front() {
        for act in procedure.acts_from(state) {
            let Some(next) = act.to.as_deref() else {
                continue;
            };
            let waits = procedure
                .state(next)
                .is_some_and(|state| state.kind == StateKind::Waiting);
            if next != from && !waits && !came_by.contains_key(next) {
                came_by.insert(next, (state, act));
                open.push_back(next);
            }
        }
    }
    let mut acts = Vec::new();
    let mut at = to;
    while let Some((before, act)) = came_by.get(at) {
        acts.push(*act);
        at = before;
        if at == from {
            break;
        }
    }
    acts.reverse();
    acts
}

#[cfg(test)]
mod tests {
    use super::way;
    use casework::Desk;
    use std::path::Path;

    #[test]
    fn the_way_to_every_benefit_begins_at_the_start_and_ends_in_force() {
        let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
        let desk = Desk::load(&packs, "national").unwrap();
        let mut seen = 0;
        for procedure in desk.procedures() {
            let way = way(procedure);
            let first = way
                .first()
                .unwrap_or_else(|| panic!("{}", procedure.programme));
            assert!(
                first.from.contains(&procedure.start),
                "{}",
                procedure.programme
            );
            let goal = procedure.in_force().map(|state| state.id.clone());
            assert_eq!(way.last().unwrap().to, goal, "{}", procedure.programme);
            seen += 1;
        }
        assert!(seen > 0);
    }
}
