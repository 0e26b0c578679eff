//! What may be told of (告知事由): a closed list, each read from one kind of journal entry.
//!
//! Guarantees: every effect an act of a procedure can have is in the list, so that packs must say of each whether it is told.
//! Deliberately absent: who is told and what; packs say that.

use casework::procedure::{Effect, TaskKind};
use store::journal::Entry;

/// What happened (告知事由).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Happening {
    /// An application was handed in.
    Submitted,
    /// An act was done on a case.
    Act(Effect),
    /// The bank confirmed a payment.
    Paid,
    /// The bank sent a payment back.
    Returned,
    /// A review became a task.
    ReviewDue,
    /// Somebody was not satisfied.
    BadlyRated,
    /// A message could not be brought to anybody.
    Undelivered,
}

/// Those that are no acts of a procedure.
const OTHERS: [Happening; 6] = [
    Happening::Submitted,
    Happening::Paid,
    Happening::Returned,
    Happening::ReviewDue,
    Happening::BadlyRated,
    Happening::Undelivered,
];

impl Happening {
    /// All of them (全部).
    pub fn all() -> impl Iterator<Item = Self> {
        let acts = Effect::ALL.iter().map(|effect| Self::Act(*effect));
        OTHERS.into_iter().chain(acts)
    }

    /// Its word in packs and tables (代码).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Submitted => "submit",
            Self::Act(effect) => effect.word(),
            Self::Paid => "paid",
            Self::Returned => "returned",
            Self::ReviewDue => "review_due",
            Self::BadlyRated => "badly_rated",
            Self::Undelivered => "undelivered",
        }
    }

    /// From its word (读代码).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::all().find(|one| one.word() == word)
    }

    /// Its wording (zh, en).
    pub const fn wording(self) -> (&'static str, &'static str) {
        match self {
            Self::Submitted => ("收到申请", "application received"),
            Self::Paid => ("已发放", "paid"),
            Self::Returned => ("发放被退回", "payment returned"),
            Self::ReviewDue => ("定期核查", "review due"),
            Self::BadlyRated => ("差评", "bad rating"),
            Self::Undelivered => ("消息未送达", "message not delivered"),
            Self::Act(effect) => match effect {
                Effect::None => ("内部步骤", "internal step"),
                Effect::Accept => ("受理", "accepted"),
                Effect::RequestSupplement => ("请补正材料", "papers to supply"),
                Effect::Supply => ("材料已补正", "papers supplied"),
                Effect::Determine => ("测算", "worked out"),
                Effect::StartPublicity => ("公示", "public notice"),
                Effect::EndPublicity => ("公示期满", "notice over"),
                Effect::Object => ("收到异议", "objection received"),
                Effect::SettleObjection => ("异议已处理", "objection settled"),
                Effect::Grant => ("确认给予", "granted"),
                Effect::Change => ("调整", "changed"),
                Effect::Refuse => ("不予确认", "refused"),
                Effect::Suspend => ("暂停", "suspended"),
                Effect::Resume => ("恢复", "resumed"),
                Effect::Hear => ("听取意见", "hearing"),
                Effect::Stop => ("停止", "stopped"),
                Effect::Withdraw => ("撤回申请", "withdrawn"),
                Effect::Terminate => ("终止程序", "closed without decision"),
                Effect::Appeal => ("收到申诉", "appeal received"),
                Effect::AnswerAppeal => ("申诉已答复", "appeal answered"),
                Effect::Overturn => ("申诉改变决定", "decision set aside"),
                Effect::Extend => ("延长时限", "time limit extended"),
            },
        }
    }

    /// What a journal entry tells of (日志条目对应的事由), if anything.
    pub fn of(entry: &Entry) -> Option<Self> {
        let event = &entry.event;
        let found = match event.act.as_str() {
            "casework.submit" => Self::Submitted,
            "casework.open_task" => {
                let returned = TaskKind::ReturnedPayment.word();
                (event.detail["kind"] == returned).then_some(Self::Returned)?
            }
            "casework.review.open" => Self::ReviewDue,
            "casework.rate" => (event.detail["poor"] == true).then_some(Self::BadlyRated)?,
            "ledger.bank_return" => Self::Paid,
            "notify.undelivered" => Self::Undelivered,
            act => {
                let word = act.strip_prefix("casework.")?;
                // What the public objects has the case in its detail; an act on a case says which act it was.
                let is_act = event.subject_kind == "case"
                    && (event.detail.get("act").is_some() || word == Effect::Object.word());
                let effect = Effect::ALL.iter().find(|effect| effect.word() == word)?;
                is_act.then_some(Self::Act(*effect))?
            }
        };
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::Happening;
    use casework::procedure::Effect;
    use serde_json::json;
    use store::Event;
    use store::journal::Entry;

    fn entry(act: &str, kind: &str, detail: serde_json::Value) -> Entry {
        Entry {
            seq: 1,
            at: chrono::DateTime::UNIX_EPOCH,
            event: Event {
                detail,
                ..Event::by_system(act, kind, "1")
            },
            hash: String::new(),
        }
    }

    #[test]
    fn a_look_is_not_told_of_and_a_returned_payment_is_no_other_task() {
        let of = |act: &str, kind: &str, detail| Happening::of(&entry(act, kind, detail));
        assert_eq!(
            of("casework.grant", "case", json!({ "act": "confirm" })),
            Some(Happening::Act(Effect::Grant))
        );
        assert_eq!(
            of("casework.object", "case", json!({})),
            Some(Happening::Act(Effect::Object))
        );
        assert_eq!(of("casework.read", "case", json!({})), None);
        assert_eq!(
            of("casework.grant", "adjustment", json!({ "act": "x" })),
            None
        );
        let task = |kind: &str| of("casework.open_task", "case", json!({ "kind": kind }));
        assert_eq!(task("returned_payment"), Some(Happening::Returned));
        assert_eq!(task("review"), None);
        assert_eq!(of("casework.rate", "case", json!({ "poor": false })), None);
    }

    #[test]
    fn every_word_is_read_back() {
        for one in Happening::all() {
            assert_eq!(Happening::from_word(one.word()), Some(one));
        }
    }
}
