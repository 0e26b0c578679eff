//! The acts programs may do (可办动作), each with the fields its page's form has.
//!
//! To add one: a `static` here and its line in the route table, beside the function of the page. What asks a person for the
//! password once more is not here and cannot be.

use super::act::{Act, Sent, Takes, may, needs, takes};
use super::kind::{Kind, words};
use casework::lead::DismissReason;

const NOTHING: &[Takes] = &[];

/// 办理
pub(crate) static ON_CASE: Act = Act {
    name: "act_on_case",
    what: "Do an act of the procedure; which ones there are is in the case",
    takes: &[
        needs(
            "version",
            Kind::Whole,
            "The version of the case this act was decided on",
        ),
        may("opinion", Kind::Text, "The opinion"),
        takes(
            "participants",
            Sent::Several(Kind::Text),
            false,
            "Names of those who took part",
        ),
        takes(
            "grounds",
            Sent::Several(Kind::Text),
            false,
            "The grounds, by their word in the procedure",
        ),
        takes("items", Sent::Lines, false, "What is still to be brought"),
        may("said", Kind::Text, "What was said"),
        may("contact", Kind::Text, "How to reach whoever said it"),
        may("from", Kind::Month, "From which month"),
    ],
    under: Some("act"),
    more: Some("A field of the act, by its word in the procedure"),
};

/// 为一家开始申请
pub(crate) static START: Act = Act {
    name: "start_draft",
    what: "Start an application for a household; what the register knows is filled in",
    takes: &[
        needs("household", Kind::Id, "The household"),
        may(
            "programme",
            Kind::Text,
            "A programme that is asked about too",
        ),
    ],
    under: None,
    more: None,
};

/// 保存申请
pub(crate) static SAVE: Act = Act {
    name: "save_draft",
    what: "Save a page of an application; what others saved meanwhile is put together, and refused where both changed one answer",
    takes: &[
        needs("step", Kind::Text, "The page, by its word in the draft"),
        needs(
            "version",
            Kind::Whole,
            "The version of the draft these answers were given to",
        ),
        may(
            "asked",
            Kind::Word(yes),
            "Says that `programme` names everything the application is for",
        ),
        takes(
            "programme",
            Sent::Several(Kind::Text),
            false,
            "What it is for, by the programmes' words",
        ),
    ],
    under: None,
    more: Some("An answer, by its field in the draft; a yes or no left out is taken back"),
};

fn yes() -> Vec<String> {
    vec!["1".to_owned()]
}

/// 提交申请
pub(crate) static SUBMIT: Act = Act {
    name: "submit_draft",
    what: "Submit an application: one case for each programme chosen",
    takes: &[
        needs(
            "key",
            Kind::Text,
            "A word of your own for this submission; the same word submits once",
        ),
        takes(
            "apply",
            Sent::Several(Kind::Text),
            true,
            "Programmes; for a person's benefit `programme|person`",
        ),
        needs("applicant", Kind::Id, "Who applies"),
        may(
            "applied_by",
            Kind::Text,
            "As what: member, guardian and so on, as on the page",
        ),
        may("channel", Kind::Text, "Where it came from, as on the page"),
        may("agent_kind", Kind::Text, "The kind of the agent's document"),
        may(
            "agent_number",
            Kind::Text,
            "The number of the agent's document",
        ),
        may(
            "agent_relation",
            Kind::Text,
            "What the agent is to the applicant",
        ),
    ],
    under: None,
    more: None,
};

/// 录入事实
pub(crate) static FACT: Act = Act {
    name: "record_fact",
    what: "Record a fact about a person or a household, with its source and its days",
    takes: &[
        may("person", Kind::Id, "About this person"),
        may("household", Kind::Id, "Or about this household"),
        needs("fact", Kind::Text, "The fact's word in the rule book"),
        needs(
            "value",
            Kind::Text,
            "The value as the page's field takes it; money in yuan",
        ),
        may("from", Kind::Day, "Since when"),
        may("until", Kind::Day, "Until when"),
        may("month", Kind::Month, "Or of this month"),
        needs("source", Kind::Text, "Who says so"),
        may(
            "number",
            Kind::Text,
            "The number of the paper that proves it",
        ),
    ],
    under: None,
    more: None,
};

/// 登记人员
pub(crate) static REGISTER: Act = Act {
    name: "register_person",
    what: "Register a person; who may be registered already is named in `errors`, to be answered in a second call",
    takes: &[
        may(
            "kind",
            Kind::Text,
            "The kind of document, by its code; a resident's card if absent",
        ),
        needs("number", Kind::Text, "The document's number"),
        needs("name", Kind::Text, "The name"),
        may(
            "birth_date",
            Kind::Day,
            "The day of birth, unless the number says it",
        ),
        may(
            "sex",
            Kind::Text,
            "By the national code, unless the number says it",
        ),
        may("phone", Kind::Text, "The phone number"),
        may("hukou", Kind::Text, "Where registered, six digits or more"),
        needs("lives_in", Kind::Place, "The community lived in"),
        may("address", Kind::Text, "The address"),
        may("household", Kind::Id, "The household joined at once"),
        may(
            "kinship",
            Kind::Text,
            "What the person is to its head, by the national code",
        ),
        may(
            "elsewhere",
            Kind::Word(yes),
            "Says it was read that there may be a record in another area",
        ),
    ],
    under: None,
    more: Some(
        "To each candidate of `errors`: `asked_ID` 1, `said_ID` same, different or unsure, and `why_ID` the reason",
    ),
};

/// 建立家庭
pub(crate) static FORM_HOUSEHOLD: Act = Act {
    name: "form_household",
    what: "Form a household around its head; others join afterwards",
    takes: &[
        needs("head", Kind::Id, "The head, a registered person"),
        needs("region", Kind::Place, "The community"),
        may("address", Kind::Text, "The address"),
    ],
    under: None,
    more: None,
};

/// 添加成员
pub(crate) static JOIN: Act = Act {
    name: "join_household",
    what: "Take a registered person into a household",
    takes: &[
        may("kind", Kind::Text, "The kind of document"),
        needs("number", Kind::Text, "The document's number"),
        needs(
            "kinship",
            Kind::Text,
            "What the person is to the head, by the national code",
        ),
        may("since", Kind::Day, "Since when"),
    ],
    under: None,
    more: None,
};

/// 登记走访
pub(crate) static VISIT: Act = Act {
    name: "visit_lead",
    what: "Note a visit",
    takes: &[needs("visit", Kind::Text, "What was found and said")],
    under: None,
    more: None,
};

fn reasons() -> Vec<String> {
    words(DismissReason::ALL, DismissReason::word)
}

/// 排除线索
pub(crate) static DISMISS_LEAD: Act = Act {
    name: "dismiss_lead",
    what: "Dismiss a lead with a reason",
    takes: &[
        needs("reason", Kind::Word(reasons), "Why"),
        may("grounds", Kind::Text, "What that rests on"),
    ],
    under: None,
    more: None,
};

/// 线索转办件复核
pub(crate) static REVIEW_LEAD: Act = Act {
    name: "review_lead",
    what: "Hand a lead about somebody in payment over to the case",
    takes: NOTHING,
    under: None,
    more: None,
};

/// 排除预警
pub(crate) static DISMISS_ALERT: Act = Act {
    name: "dismiss_alert",
    what: "Dismiss an alert with a reason",
    takes: &[needs("why", Kind::Text, "Why it is nothing")],
    under: None,
    more: None,
};

/// 预警转办件
pub(crate) static HAND_OVER: Act = Act {
    name: "hand_over_alert",
    what: "Hand an alert over to the case",
    takes: &[needs("grounds", Kind::Text, "What was looked into")],
    under: None,
    more: None,
};

/// 认定不是同一人
pub(crate) static DIFFERENT: Act = Act {
    name: "judge_different",
    what: "Judge that two records are of two people",
    takes: &[needs("different_reason", Kind::Text, "Why")],
    under: None,
    more: None,
};

/// 以后再核对
pub(crate) static LATER: Act = Act {
    name: "judge_later",
    what: "Put a pair off to a day",
    takes: &[
        needs("until", Kind::Day, "To which day"),
        needs("later_reason", Kind::Text, "What is waited for"),
    ],
    under: None,
    more: None,
};

/// 拟定发放批次
pub(crate) static PROPOSE: Act = Act {
    name: "propose_pay_run",
    what: "Propose a pay run; it moves no money until a person releases it on the page",
    takes: &[
        needs("month", Kind::Month, "The month"),
        needs("region", Kind::Place, "Where"),
        takes(
            "programme",
            Sent::Several(Kind::Text),
            false,
            "Only these programmes",
        ),
    ],
    under: None,
    more: None,
};

/// 作废发放批次
pub(crate) static CANCEL: Act = Act {
    name: "cancel_pay_run",
    what: "Cancel a run that was not released",
    takes: NOTHING,
    under: None,
    more: None,
};

fn sides() -> Vec<String> {
    vec!["a".to_owned(), "b".to_owned()]
}

/// 拟定合并
pub(crate) static MERGE: Act = Act {
    name: "prepare_merge",
    what: "Prepare a merge of the two records; another officer or program decides it",
    takes: &[
        needs("survivor", Kind::Word(sides), "Which record stays"),
        may("name", Kind::Word(sides), "Whose name, where they differ"),
        may(
            "phone",
            Kind::Word(sides),
            "Whose phone number, where they differ",
        ),
        may(
            "home",
            Kind::Word(sides),
            "Whose address, where they differ",
        ),
        needs("merge_reason", Kind::Text, "Why they are one person"),
    ],
    under: None,
    more: None,
};

/// 复核合并
pub(crate) static DECIDE_MERGE: Act = Act {
    name: "decide_merge",
    what: "Carry out a merge somebody else prepared",
    takes: NOTHING,
    under: None,
    more: None,
};

/// 退回合并
pub(crate) static REJECT_MERGE: Act = Act {
    name: "reject_merge",
    what: "Turn a prepared merge down",
    takes: &[needs("reject_reason", Kind::Text, "Why")],
    under: None,
    more: None,
};

fn since() -> Vec<String> {
    vec!["survivor".to_owned(), "merged".to_owned()]
}

/// 撤销合并
pub(crate) static UNDO_MERGE: Act = Act {
    name: "undo_merge",
    what: "Undo a merge: both records are again what they were",
    takes: &[
        needs("undo_reason", Kind::Text, "Why"),
        needs(
            "since",
            Kind::Word(since),
            "To which record belongs what was recorded since",
        ),
    ],
    under: None,
    more: None,
};
