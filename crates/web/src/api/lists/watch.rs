//! Leads, alerts, possible duplicates and enquiries as lists for programs (线索、预警、重复登记、核对记录).

use super::affairs::down;
use super::{rows, said, text, texts};
use crate::api::kind::{Kind, words};
use crate::api::list::{List, column, filter, perhaps};
use crate::{lists, pages};
use casework::lead::{self, Lead, LeadState};
use registry::duplicates::{Band, PairRow, PairState};
use serde_json::{Value, json};
use verify::alert::{Alert, Severity, State};
use verify::enquiry::EnquiryRow;

/// The words of a state, and the one for all of them.
fn with_all(mut words: Vec<String>) -> Vec<String> {
    words.push("all".to_owned());
    words
}

fn lead_kinds() -> Vec<String> {
    words(lead::Kind::ALL, lead::Kind::word)
}

fn lead_states() -> Vec<String> {
    words(LeadState::ALL, LeadState::word)
}

/// 政策找人线索
pub(crate) static LEADS: List<Lead> = List {
    name: "leads",
    what: "Who should be found and is not, or is paid otherwise than due; those still to be seen to unless asked otherwise",
    personal: true,
    filters: &[
        filter("programme", Kind::Text, "The programme's word"),
        filter("kind", Kind::Word(lead_kinds), "What was found"),
        filter(
            "state",
            Kind::Word(|| with_all(lead_states())),
            "Where it stands",
        ),
        filter("region", Kind::Place, "A place and all under it"),
        filter(
            "sort",
            Kind::Word(|| ["due", "paid", "place", "found"].map(str::to_owned).into()),
            "By what",
        ),
        filter("dir", Kind::Word(down), "The other way round"),
    ],
    columns: &[
        column("id", Kind::Id, "The lead", |_, row| text(row.id)),
        column(
            "kind",
            Kind::Word(lead_kinds),
            "What was found",
            |_, row| json!(row.kind.word()),
        ),
        column("programme", Kind::Text, "The programme's word", |_, row| {
            json!(row.programme)
        }),
        column("household", Kind::Id, "The household", |_, row| {
            text(row.household)
        }),
        perhaps(
            "person",
            Kind::Id,
            "The person, for a person's benefit",
            |_, row| texts(row.person),
        ),
        column(
            "subject",
            Kind::Text,
            "Who it is about, masked",
            |_, row| json!(row.subject),
        ),
        column("region", Kind::Place, "The community", |_, row| {
            text(row.region)
        }),
        perhaps("due", Kind::Fen, "What is due a month, in fen", |_, row| {
            row.due.map_or(Value::Null, |one| json!(one.fen()))
        }),
        column(
            "paid",
            Kind::Fen,
            "What is paid a month, in fen",
            |_, row| json!(row.paid.fen()),
        ),
        column(
            "missing",
            Kind::Texts,
            "The facts that would settle it",
            |_, row| json!(row.missing),
        ),
        column(
            "state",
            Kind::Word(lead_states),
            "Where it stands",
            |_, row| json!(row.state.word()),
        ),
        column("found_on", Kind::Day, "Since when it is found", |_, row| {
            text(row.found_on)
        }),
        column("seen_on", Kind::Day, "When it was found last", |_, row| {
            text(row.seen_on)
        }),
    ],
    rows: rows!(lists::rows::<pages::leads::Leads>),
};

fn severities() -> Vec<String> {
    words(Severity::ALL, Severity::word)
}

fn alert_states() -> Vec<String> {
    words(State::ALL, State::word)
}

/// 预警
pub(crate) static ALERTS: List<Alert> = List {
    name: "alerts",
    what: "What stands against those in payment; the open ones unless asked otherwise",
    personal: true,
    filters: &[
        filter("rule", Kind::Text, "The rule that found it"),
        filter("severity", Kind::Word(severities), "How grave"),
        filter(
            "state",
            Kind::Word(|| with_all(alert_states())),
            "Where it stands",
        ),
        filter("region", Kind::Place, "A place and all under it"),
    ],
    columns: &[
        column("id", Kind::Id, "The alert", |_, row| text(row.id)),
        column("rule", Kind::Text, "The rule that found it", |_, row| {
            json!(row.rule)
        }),
        column("severity", Kind::Word(severities), "How grave", |_, row| {
            json!(row.severity.word())
        }),
        column("person", Kind::Id, "Whom it is about first", |_, row| {
            text(row.person)
        }),
        column("subject", Kind::Text, "Their masked name", |_, row| {
            json!(row.subject)
        }),
        perhaps(
            "household",
            Kind::Id,
            "The household in payment",
            |_, row| texts(row.household),
        ),
        column("region", Kind::Place, "The community", |_, row| {
            text(row.region)
        }),
        column(
            "programmes",
            Kind::Texts,
            "The programmes in payment",
            |_, row| json!(row.sides.programmes),
        ),
        column(
            "paid",
            Kind::Fen,
            "What they come to a month, in fen",
            |_, row| json!(row.sides.paid.fen()),
        ),
        column("found_on", Kind::Day, "Since when it is found", |_, row| {
            text(row.found_on)
        }),
        column(
            "due_on",
            Kind::Day,
            "Until when it is to be answered",
            |_, row| text(row.due_on),
        ),
        column(
            "state",
            Kind::Word(alert_states),
            "Where it stands",
            |_, row| json!(row.state.word()),
        ),
        perhaps(
            "case",
            Kind::Id,
            "The case it was handed over to",
            |_, row| texts(row.case),
        ),
    ],
    rows: rows!(lists::rows::<pages::alerts::Alerts>),
};

fn bands() -> Vec<String> {
    words(Band::ALL, Band::word)
}

fn pair_states() -> Vec<String> {
    words(PairState::ALL, PairState::word)
}

/// 重复登记
pub(crate) static DUPLICATES: List<PairRow> = List {
    name: "duplicates",
    what: "Pairs of records that may be one person, the surest first; those to be judged unless asked otherwise",
    personal: true,
    filters: &[
        filter("band", Kind::Word(bands), "How sure"),
        filter(
            "state",
            Kind::Word(|| with_all(pair_states())),
            "Where it stands",
        ),
        filter("region", Kind::Place, "A place and all under it"),
    ],
    columns: &[
        column("id", Kind::Id, "The pair", |_, row| text(row.id)),
        column("a", Kind::Id, "One record, the older", |_, row| {
            text(row.a.id)
        }),
        column("a_name", Kind::Text, "Its masked name", |_, row| {
            json!(access::mask_name(&row.a.name))
        }),
        column("a_document", Kind::Text, "Its masked document", |_, row| {
            json!(row.a.document_masked)
        }),
        column("b", Kind::Id, "The other", |_, row| text(row.b.id)),
        column("b_name", Kind::Text, "Its masked name", |_, row| {
            json!(access::mask_name(&row.b.name))
        }),
        column("b_document", Kind::Text, "Its masked document", |_, row| {
            json!(row.b.document_masked)
        }),
        column("band", Kind::Word(bands), "How sure", |_, row| {
            json!(row.band.word())
        }),
        column(
            "millionths",
            Kind::Whole,
            "How sure, in millionths",
            |_, row| json!(row.millionths),
        ),
        column(
            "numbers_conflict",
            Kind::Flag,
            "Whether numbers stand against it",
            |_, row| json!(row.numbers_conflict),
        ),
        column(
            "two_households",
            Kind::Flag,
            "Whether both are in a household now",
            |_, row| json!(row.two_households),
        ),
        column(
            "state",
            Kind::Word(pair_states),
            "Where it stands",
            |_, row| json!(row.state.word()),
        ),
        column("found_at", Kind::Instant, "When it was found", |_, row| {
            json!(row.found_at)
        }),
    ],
    rows: rows!(lists::rows::<pages::duplicates::Pairs>),
};

/// 核对记录
pub(crate) static ENQUIRIES: List<EnquiryRow> = List {
    name: "enquiries",
    what: "Who asked departments about whom, and what of it is odd",
    personal: true,
    filters: &[
        filter("officer", Kind::Id, "By this officer"),
        filter("person", Kind::Id, "About this person"),
        filter("from", Kind::Day, "On this day or later"),
        filter("before", Kind::Day, "Before this day"),
        filter("purpose", Kind::Text, "For this purpose"),
        filter("source", Kind::Text, "Answered by this source"),
        filter("number", Kind::Text, "Its number, or its case's"),
        filter("odd", Kind::Word(super::affairs::one), "Only odd ones"),
    ],
    columns: &[
        column("id", Kind::Id, "The enquiry", |_, row| text(row.id)),
        column("number", Kind::Text, "Its number", |_, row| {
            json!(row.number)
        }),
        column("case", Kind::Id, "The case it was for", |_, row| {
            text(row.subject)
        }),
        column("case_number", Kind::Text, "Its number", |_, row| {
            json!(row.subject_number)
        }),
        column("household", Kind::Id, "The household", |_, row| {
            text(row.household)
        }),
        column("region", Kind::Place, "The community", |_, row| {
            text(row.region)
        }),
        column("officer", Kind::Id, "Who asked", |_, row| text(row.officer)),
        column("officer_name", Kind::Text, "Their name", |_, row| {
            json!(row.officer_name)
        }),
        column("purpose", Kind::Text, "For what", |_, row| {
            json!(row.purpose)
        }),
        column("as_of", Kind::Day, "The day asked about", |_, row| {
            text(row.as_of)
        }),
        column("at", Kind::Instant, "When", |_, row| json!(row.at)),
        column(
            "valid_until",
            Kind::Day,
            "The first day it is no longer valid",
            |_, row| text(row.valid_until),
        ),
        column(
            "people",
            Kind::Whole,
            "How many people were asked about",
            |_, row| json!(row.people),
        ),
        column(
            "unknowns",
            Kind::Whole,
            "How many sources said nothing, or not everything",
            |_, row| json!(row.unknowns),
        ),
        column(
            "odd",
            Kind::Flag,
            "Whether something about it is odd",
            |_, row| json!(!row.odd.is_empty()),
        ),
        perhaps(
            "check",
            Kind::Text,
            "By what its report is recognised on paper",
            |_, row| said(&row.check),
        ),
    ],
    rows: rows!(lists::rows::<pages::enquiries::Enquiries>),
};
