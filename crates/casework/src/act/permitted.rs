//! The whole rule about an act (能否办理), without a database: every branch is here.
//!
//! Three questions in this order: what stands against it whoever fills in what ([`hindrances`], which also greys out
//! buttons), what is not filled in ([`incomplete`]), and what the rule book and the case say once the findings of the
//! act itself are known ([`unfounded`]).

use super::situation::{Past, Situation};
use super::{ActInput, Refused};
use crate::procedure::{Act, Doer, Effect, FieldType, HearingNeed};
use access::{Actor, Role};
use policy::{Outcome, Tri};
use std::collections::BTreeSet;
use vocab::{Money, Value};

/// What stands against an act now (现在不能办理的原因), all at once; empty: it can be done.
pub fn hindrances(situation: &Situation<'_>, act: &Act, actor: &Actor) -> Vec<Refused> {
    let mut found = Vec::new();
    let procedure = situation.procedure;
    let title = |id: &str| {
        procedure
            .act(id)
            .map_or_else(|| id.to_owned(), |act| act.zh.clone())
    };
    if !act.from.contains(&situation.case.state) {
        let state = procedure
            .state(&situation.case.state)
            .map_or_else(String::new, |state| state.zh.clone());
        found.push(Refused::NotNow {
            act: act.zh.clone(),
            state,
        });
    }
    if !may_do(act, actor, situation) {
        let roles: Vec<Role> = act
            .roles
            .iter()
            .filter_map(|doer| match doer {
                Doer::Officer(role) => Some(*role),
                Doer::Public => None,
            })
            .collect();
        found.push(Refused::NotYourRole {
            act: act.zh.clone(),
            roles,
        });
    }
    if let Some(before) = same_person(situation, act, actor) {
        found.push(Refused::SamePerson {
            before: title(before),
            act: act.zh.clone(),
        });
    }
    if act.effect.answers_appeal()
        && let Some(before) = decided_by(situation, actor)
    {
        found.push(Refused::SamePerson {
            before: title(before),
            act: act.zh.clone(),
        });
    }
    let since_accepted = since(&situation.past, |effect| effect == Effect::Accept);
    for needed in &act.needs.acts {
        if !since_accepted.iter().any(|past| past.act == *needed) {
            found.push(Refused::ActMissing(title(needed)));
        }
    }
    for kind in &act.needs.evidence {
        if !situation.evidence.contains(kind) {
            let named = procedure.evidence.iter().find(|named| named.id == *kind);
            found.push(Refused::EvidenceMissing(
                named.map_or_else(|| kind.clone(), |named| named.zh.clone()),
            ));
        }
    }
    if act.needs.authorised && !situation.unauthorised.is_empty() {
        found.push(Refused::NotAuthorised(situation.unauthorised.len()));
    }
    if act.needs.publicity_over {
        found.extend(publicity(situation));
    }
    if let Some(task) = act.needs.task
        && !situation.tasks.contains(&task)
    {
        found.push(Refused::TaskMissing(task));
    }
    if act.needs.hearing == Some(HearingNeed::Always) && !heard(&situation.past) {
        found.push(Refused::HearFirst);
    }
    found.extend(unanswered(situation, act));
    found.extend(effect_hindrance(situation, act));
    found
}

/// While the person says that a finding is wrong and nobody has answered, what the finding leads to is not decided
/// (核对结果的异议答复前不作决定). Returning, handing on, hearing, visiting and suspending go on; so does the end by death, which no answer
/// would change, and setting a decision aside on appeal, which gives back.
fn unanswered(situation: &Situation<'_>, act: &Act) -> Option<Refused> {
    let decides = match act.effect {
        Effect::Grant | Effect::Change | Effect::Refuse | Effect::Terminate => true,
        Effect::Stop => act.needs.hearing.is_some(),
        _ => false,
    };
    let objected = situation.objected.clone().filter(|_| decides)?;
    Some(Refused::Unanswered(objected))
}

fn effect_hindrance(situation: &Situation<'_>, act: &Act) -> Option<Refused> {
    match act.effect {
        Effect::RequestSupplement
            if situation
                .past
                .iter()
                .any(|past| past.effect == Effect::RequestSupplement) =>
        {
            Some(Refused::AskedBefore)
        }
        Effect::StartPublicity if situation.notice_ends().is_some() => Some(Refused::NoticeUp),
        Effect::Object if situation.notice_ends().is_none() => Some(Refused::NoNotice),
        Effect::SettleObjection if situation.open_objections == 0 => Some(Refused::NoObjection),
        Effect::Extend => {
            let run = act
                .clock
                .as_deref()
                .and_then(|word| situation.clocks.open(word));
            match run {
                None => Some(Refused::ClockNotRunning),
                Some(run) if run.extended => Some(Refused::ExtendedBefore),
                Some(_) => None,
            }
        }
        _ => None,
    }
}

fn may_do(act: &Act, actor: &Actor, situation: &Situation<'_>) -> bool {
    act.roles.iter().any(|doer| match doer {
        Doer::Officer(role) => actor.has_role(*role, situation.case.region),
        Doer::Public => actor.is_nobody() && actor.roles.is_empty(),
    })
}

/// The first act in `other_than` that this actor did or took part in (回避).
///
/// Nobody in particular (the system, the public) cannot be told from nobody else, and so is refused as the same.
fn same_person<'a>(situation: &'a Situation<'_>, act: &Act, actor: &Actor) -> Option<&'a str> {
    situation
        .past
        .iter()
        .filter(|past| act.other_than.contains(&past.act))
        .find(|past| took_part(past, actor))
        .map(|past| past.act.as_str())
}

/// The decision an appeal is about, if this actor took it or took part (作出原决定的人不答复申诉).
fn decided_by<'a>(situation: &'a Situation<'_>, actor: &Actor) -> Option<&'a str> {
    situation
        .past
        .iter()
        .rfind(|past| past.effect.is_decision() || past.effect == Effect::Suspend)
        .filter(|past| took_part(past, actor))
        .map(|past| past.act.as_str())
}

fn took_part(past: &Past, actor: &Actor) -> bool {
    past.officer == actor.officer
        || past.recorded.participants.iter().any(|one| {
            one.officer
                .map_or(one.name.trim() == actor.name.trim(), |officer| {
                    officer == actor.officer
                })
        })
}

fn publicity(situation: &Situation<'_>) -> Option<Refused> {
    let Some(notice) = &situation.notice else {
        return Some(Refused::NoNotice);
    };
    match notice.taken_down_on {
        // Taken down before it had stood its days: it does not count (公示期未满即撤下的不算).
        Some(down) if down <= notice.ends_on => Some(Refused::NoNotice),
        // The last day still belongs to the notice.
        _ if situation.today <= notice.ends_on => Some(Refused::PublicityNotOver(notice.ends_on)),
        _ if situation.open_objections > 0 => {
            Some(Refused::ObjectionsOpen(situation.open_objections))
        }
        _ => None,
    }
}

/// What happened since the last act with such an effect, that act included; everything if there was none.
fn since(past: &[Past], mark: impl Fn(Effect) -> bool) -> &[Past] {
    let from = past.iter().rposition(|past| mark(past.effect)).unwrap_or(0);
    past.get(from..).unwrap_or(past)
}

/// Whether the person was heard since the last decision.
fn heard(past: &[Past]) -> bool {
    since(past, |effect| {
        effect.is_decision() || matches!(effect, Effect::Resume)
    })
    .iter()
    .any(|past| past.effect == Effect::Hear)
}

/// What is not filled in, or filled in wrongly (填写不完整), all at once.
pub fn incomplete(act: &Act, input: &ActInput) -> Vec<Refused> {
    let mut found = Vec::new();
    let opinion_needed = act.needs.opinion || act.effect == Effect::Extend;
    if opinion_needed && input.opinion.trim().is_empty() {
        found.push(Refused::OpinionMissing);
    }
    let mut names = BTreeSet::new();
    for participant in &input.participants {
        if participant.name.trim().is_empty() {
            found.push(Refused::ParticipantUnnamed);
        } else if !names.insert(participant.name.trim()) {
            found.push(Refused::ParticipantTwice(
                participant.name.trim().to_owned(),
            ));
        }
    }
    let officers: Vec<_> = input
        .participants
        .iter()
        .filter_map(|one| one.officer)
        .collect();
    let distinct: BTreeSet<_> = officers.iter().collect();
    let repeated = officers.len() - distinct.len();
    let have = names.len().saturating_sub(repeated);
    if have < act.needs.participants {
        found.push(Refused::TooFewParticipants {
            need: act.needs.participants,
            have,
        });
    }
    for (id, value) in &input.fields {
        let Some(field) = act.fields.iter().find(|field| field.id == *id) else {
            found.push(Refused::FieldUnknown(id.clone()));
            continue;
        };
        let fits = match (field.kind, value) {
            (FieldType::Text, Value::Text(text)) => text.chars().count() <= 2_000,
            (FieldType::Bool, Value::Bool(_)) | (FieldType::Date, Value::Date(_)) => true,
            (FieldType::Count | FieldType::Money, Value::Int(number)) => *number >= 0,
            (FieldType::Code, Value::Text(code)) => field.codes.iter().any(|one| one.id == *code),
            _ => false,
        };
        if !fits {
            found.push(Refused::FieldWrong(field.zh.clone()));
        }
    }
    for field in &act.fields {
        let empty = match input.fields.get(&field.id) {
            None => true,
            Some(Value::Text(text)) => text.trim().is_empty(),
            Some(_) => false,
        };
        if field.required && empty {
            found.push(Refused::FieldMissing(field.zh.clone()));
        }
    }
    for ground in &input.grounds {
        if !act.grounds.iter().any(|one| one.id == *ground) {
            found.push(Refused::GroundUnknown(ground.clone()));
        }
    }
    match act.effect {
        Effect::RequestSupplement if input.items.iter().all(|item| item.trim().is_empty()) => {
            found.push(Refused::NothingAsked);
        }
        Effect::Object | Effect::Appeal
            if input.said.trim().is_empty() && input.opinion.trim().is_empty() =>
        {
            found.push(Refused::NothingSaid);
        }
        _ => {}
    }
    found
}

/// Whether the rule book is asked with this act (是否测算).
pub fn asks_rule_book(act: &Act) -> bool {
    !act.needs.determination.is_empty()
        || act.needs.ground
        || act.needs.hearing == Some(HearingNeed::IfLess)
        || matches!(
            act.effect,
            Effect::Determine
                | Effect::StartPublicity
                | Effect::Grant
                | Effect::Change
                | Effect::Refuse
                | Effect::Stop
                | Effect::RequestSupplement
        )
}

/// Whether the answer is stored with the case (是否存入认定书).
pub(crate) fn keeps_answer(act: &Act) -> bool {
    !act.needs.determination.is_empty()
        || matches!(
            act.effect,
            Effect::Determine
                | Effect::StartPublicity
                | Effect::Grant
                | Effect::Change
                | Effect::Refuse
                | Effect::Stop
        )
}

/// What the rule book and the case say against it (缺少依据), all at once.
pub fn unfounded(situation: &Situation<'_>, act: &Act, input: &ActInput) -> Vec<Refused> {
    let mut found = Vec::new();
    let determination = situation
        .answer
        .as_ref()
        .map(|answer| &answer.determination);
    let outcome = determination.map(|found| found.outcome);
    if !act.needs.determination.is_empty()
        && !outcome.is_some_and(|outcome| act.needs.determination.contains(&outcome))
    {
        found.push(Refused::Determination {
            found: outcome,
            needed: act.needs.determination.clone(),
            missing: determination.map_or(0, |found| found.missing.len()),
        });
    }
    let not_met = determination.is_some_and(|found| {
        found.outcome == Outcome::NotMet
            && found
                .conditions
                .iter()
                .any(|condition| condition.result == Tri::No)
    });
    let needs_ground = act.needs.ground || matches!(act.effect, Effect::Refuse | Effect::Stop);
    if needs_ground && !not_met && input.grounds.is_empty() {
        found.push(Refused::GroundMissing);
    }
    let amount = determination.and_then(|found| found.amount);
    let money = determination.is_some_and(|found| found.every.pays());
    match act.effect {
        Effect::Grant | Effect::Change if outcome == Some(Outcome::Met) && money => {
            match amount {
                Some(amount) if amount > Money::ZERO => {}
                _ => found.push(Refused::NoAmount),
            }
            if situation
                .answer
                .as_ref()
                .is_some_and(|answer| answer.covered().is_empty())
            {
                found.push(Refused::NobodyCovered);
            }
        }
        _ => {}
    }
    if act.effect == Effect::Grant
        && let (Some(shown), Some(now)) = (
            situation.notice.as_ref().and_then(|notice| notice.amount),
            amount,
        )
        && shown != now
    {
        found.push(Refused::NotAsPublished { shown, now });
    }
    if matches!(
        act.effect,
        Effect::Change | Effect::Suspend | Effect::Resume
    ) && situation.case.entitlement.is_none()
    {
        found.push(Refused::NothingInPayment);
    }
    if act.effect == Effect::Change && amount.is_some() && amount == situation.case.amount {
        found.push(Refused::NothingChanges);
    }
    if act.needs.hearing == Some(HearingNeed::IfLess)
        && let (Some(before), Some(now)) = (situation.case.amount, amount)
        && now < before
        && !heard(&situation.past)
    {
        found.push(Refused::HearFirst);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::act::clocks::Clocks;
    use crate::act::situation::NoticeSeen;
    use crate::case::{Case, Participant, Recorded};
    use crate::desk::Desk;
    use crate::procedure::{Procedure, TaskKind};
    use chrono::{DateTime, NaiveDate};
    use std::path::Path;
    use uuid::Uuid;
    use vocab::ids::{ApplicationId, CaseId, HouseholdId, OfficerId, PersonId};

    fn desk() -> Desk {
        let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
        Desk::load(&packs, "baoan").unwrap()
    }

    fn actor(number: u128, name: &str) -> Actor {
        let place = "440306".parse().unwrap();
        let roles = [
            Role::WindowOfficer,
            Role::StreetReviewer,
            Role::DistrictApprover,
        ];
        Actor::officer(
            OfficerId(Uuid::from_u128(number)),
            name,
            roles.map(|role| (role, place)).to_vec(),
        )
    }

    fn situation<'a>(
        desk: &'a Desk,
        procedure: &'a Procedure,
        state: &str,
        past: Vec<Past>,
    ) -> Situation<'a> {
        let today = NaiveDate::from_ymd_opt(2026, 9, 10).unwrap();
        Situation {
            case: Case {
                id: CaseId(Uuid::nil()),
                number: "BA2026-000001".to_owned(),
                application: ApplicationId(Uuid::nil()),
                programme: procedure.programme.clone(),
                household: HouseholdId(Uuid::nil()),
                member: None,
                applicant: PersonId(Uuid::nil()),
                applicant_masked: String::new(),
                subject_masked: String::new(),
                member_count: 1,
                region: "440306017001".parse().unwrap(),
                state: state.to_owned(),
                kind: procedure.state(state).unwrap().kind,
                version: 1,
                applied_on: today,
                accepted_on: None,
                decided_on: None,
                outcome: None,
                amount: None,
                determination: None,
                decision: None,
                entitlement: None,
                sampled: false,
                taken_over: false,
                due_on: None,
                warn_on: None,
                provisional: false,
                paused: false,
                last_officer: String::new(),
                updated_at: DateTime::UNIX_EPOCH,
            },
            procedure,
            today,
            past,
            evidence: BTreeSet::new(),
            tasks: BTreeSet::new(),
            notice: None,
            open_objections: 0,
            objected: None,
            unauthorised: Vec::new(),
            clocks: Clocks::none(&desk.calendar, today),
            answer: None,
        }
    }

    fn done(procedure: &Procedure, act: &str, by: &Actor, with: Option<&Actor>) -> Past {
        Past {
            act: act.to_owned(),
            effect: procedure.act(act).map_or(Effect::None, |act| act.effect),
            officer: by.officer,
            recorded: Recorded {
                participants: with
                    .map(|one| Participant {
                        name: one.name.clone(),
                        officer: Some(one.officer),
                    })
                    .into_iter()
                    .collect(),
                ..Recorded::default()
            },
        }
    }

    #[test]
    fn every_forbidden_pair_of_every_procedure_is_refused_to_the_same_person_and_only_to_them() {
        let desk = desk();
        let (same, visitor, other) = (actor(1, "甲"), actor(2, "乙"), actor(3, "丙"));
        let mut pairs = 0;
        for procedure in desk.procedures() {
            for act in &procedure.acts {
                for before in &act.other_than {
                    pairs += 1;
                    let past = vec![done(procedure, before, &same, Some(&visitor))];
                    let seen = situation(&desk, procedure, &act.from[0], past);
                    let refused = |who: &Actor| {
                        hindrances(&seen, act, who)
                            .iter()
                            .any(|one| matches!(one, Refused::SamePerson { .. }))
                    };
                    let pair = format!("{}: {before} → {}", procedure.programme, act.id);
                    assert!(refused(&same), "{pair}: who did it");
                    assert!(refused(&visitor), "{pair}: who took part");
                    assert!(!refused(&other), "{pair}: somebody else");
                }
            }
            for act in procedure.acts.iter().filter(|act| act.effect.is_decision()) {
                assert!(
                    !act.other_than.is_empty(),
                    "{}: {} is decided by one",
                    procedure.programme,
                    act.id
                );
            }
        }
        assert!(pairs >= 20, "{pairs}");
    }

    #[test]
    fn a_notice_counts_only_after_its_full_days_unobjected() {
        let desk = desk();
        let procedure = desk.procedure("dibao").unwrap();
        let act = procedure.act("report_to_district").unwrap();
        let day = |day| NaiveDate::from_ymd_opt(2026, 9, day).unwrap();
        let up = |ends, down| {
            Some(NoticeSeen {
                ends_on: ends,
                taken_down_on: down,
                amount: None,
            })
        };
        let table = [
            ("no notice", None, 0, Some(Refused::NoNotice)),
            (
                "its last day",
                up(day(10), None),
                0,
                Some(Refused::PublicityNotOver(day(10))),
            ),
            ("the day after", up(day(9), None), 0, None),
            (
                "taken down on its last day",
                up(day(9), Some(day(9))),
                0,
                Some(Refused::NoNotice),
            ),
            ("taken down afterwards", up(day(8), Some(day(9))), 0, None),
            (
                "an objection open",
                up(day(9), None),
                1,
                Some(Refused::ObjectionsOpen(1)),
            ),
        ];
        for (name, notice, open_objections, expected) in table {
            let mut seen = situation(&desk, procedure, "publicity", Vec::new());
            seen.notice = notice;
            seen.open_objections = open_objections;
            assert_eq!(
                hindrances(&seen, act, &actor(1, "甲")).into_iter().next(),
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn one_hearing_serves_one_decision() {
        let desk = desk();
        let procedure = desk.procedure("dibao").unwrap();
        let act = procedure.act("stop").unwrap();
        let (one, other) = (actor(1, "甲"), actor(2, "乙"));
        let past = |acts: &[&str]| {
            acts.iter()
                .map(|act| done(procedure, act, &one, None))
                .collect::<Vec<_>>()
        };
        for (acts, is_heard) in [
            (vec!["confirm"], false),
            (vec!["hear", "confirm"], false),
            (vec!["confirm", "hear"], true),
            (vec!["confirm", "hear", "change"], false),
            (vec!["confirm", "hear", "change", "hear"], true),
        ] {
            let seen = situation(&desk, procedure, "in_force", past(&acts));
            let refused = hindrances(&seen, act, &other).contains(&Refused::HearFirst);
            assert_eq!(!refused, is_heard, "{acts:?}");
        }
    }

    #[test]
    fn a_role_elsewhere_or_another_role_does_not_help() {
        let desk = desk();
        let procedure = desk.procedure("dibao").unwrap();
        let act = procedure.act("accept").unwrap();
        let seen = situation(&desk, procedure, "submitted", Vec::new());
        let who = |role, place: &str| {
            Actor::officer(
                OfficerId(Uuid::from_u128(9)),
                "某人",
                vec![(role, place.parse().unwrap())],
            )
        };
        for (actor, may) in [
            (who(Role::WindowOfficer, "440306017001"), true),
            (who(Role::WindowOfficer, "440306017"), true),
            (who(Role::WindowOfficer, "440306017002"), false),
            (who(Role::Auditor, "440306"), false),
            (who(Role::Finance, "440306"), false),
            (Actor::public(), false),
        ] {
            let refused = hindrances(&seen, act, &actor)
                .iter()
                .any(|one| matches!(one, Refused::NotYourRole { .. }));
            assert_eq!(!refused, may, "{actor:?}");
        }
    }

    #[test]
    fn a_task_that_is_not_open_cannot_be_settled() {
        let desk = desk();
        let procedure = desk.procedure("dibao").unwrap();
        let act = procedure.act("answer_appeal").unwrap();
        let mut seen = situation(&desk, procedure, "refused", Vec::new());
        assert_eq!(
            hindrances(&seen, act, &actor(1, "甲")),
            [Refused::TaskMissing(TaskKind::Appeal)]
        );
        seen.tasks.insert(TaskKind::Appeal);
        assert_eq!(hindrances(&seen, act, &actor(1, "甲")), []);
    }

    #[test]
    fn every_refusal_has_a_code_and_both_languages() {
        let some = [
            Refused::NotThere,
            Refused::PublicityNotOver(NaiveDate::MIN),
            Refused::SamePerson {
                before: "受理".to_owned(),
                act: "确认".to_owned(),
            },
            Refused::Determination {
                found: None,
                needed: vec![Outcome::Met],
                missing: 2,
            },
        ];
        let codes: Vec<String> = some.iter().map(Refused::code).collect();
        assert_eq!(
            codes,
            [
                "not_there",
                "publicity_not_over",
                "same_person",
                "determination"
            ]
        );
        for refused in some {
            assert!(
                !refused.to_string().is_empty() && refused.en().is_ascii_or_quoted(),
                "{refused:?}"
            );
        }
    }

    trait English {
        fn is_ascii_or_quoted(&self) -> bool;
    }

    impl English for String {
        /// Outside quotation marks, where pack wording stands, an English sentence has no Chinese.
        fn is_ascii_or_quoted(&self) -> bool {
            let mut quoted = false;
            self.chars().all(|letter| {
                quoted = match letter {
                    '“' => true,
                    '”' => false,
                    _ => quoted,
                };
                quoted || letter.is_ascii() || letter == '”'
            })
        }
    }
}
