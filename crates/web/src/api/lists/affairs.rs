//! Cases, reviews and life events as lists for programs (办件、核查、生活事件).

use super::{rows, said, text, texts};
use crate::api::kind::{Kind, words};
use crate::api::list::{Column, Filter, List, One, column, filter, perhaps};
use crate::problem::Problem;
use crate::visit::Visit;
use crate::{lists, pages};
use casework::CaseRow;
use casework::clock::Light;
use casework::life_event::{self, LifeEvent};
use casework::procedure::StateKind;
use casework::review::{Differs, ReviewRow};
use policy::Outcome;
use serde_json::{Value, json};

const LIGHTS: [Light; 4] = [Light::Red, Light::Yellow, Light::Green, Light::Paused];

fn burning() -> Vec<String> {
    words(LIGHTS, light)
}

fn lights() -> Vec<String> {
    let mut all = burning();
    all.push(light(Light::None));
    all
}

fn light(light: Light) -> String {
    match light {
        Light::Red => "red",
        Light::Yellow => "yellow",
        Light::Green => "green",
        Light::Paused => "still",
        Light::None => "none",
    }
    .to_owned()
}

fn kinds() -> Vec<String> {
    pages::cases::KINDS
        .iter()
        .map(|(_, word)| (*word).to_owned())
        .collect()
}

fn kind(kind: StateKind) -> Value {
    let word = pages::cases::KINDS.iter().find(|(one, _)| *one == kind);
    word.map_or(Value::Null, |(_, word)| json!(word))
}

fn outcomes() -> Vec<String> {
    words(Outcome::ALL, Outcome::word)
}

/// Whatever stands for a case.
trait OfCase {
    fn of(&self) -> &CaseRow;
}

impl OfCase for CaseRow {
    fn of(&self) -> &CaseRow {
        self
    }
}

impl OfCase for ReviewRow {
    fn of(&self) -> &CaseRow {
        &self.row
    }
}

impl OfCase for pages::case::Seen {
    fn of(&self) -> &CaseRow {
        &self.view.row
    }
}

/// The columns of a case, whichever list it stands in.
macro_rules! case_columns {
    ($row:ty, $($more:expr),* $(,)?) => {
        &[
            column("id", Kind::Id, "The case", |_, row: &$row| text(row.of().case.id)),
            column("number", Kind::Text, "Its number", |_, row| json!(row.of().case.number)),
            column("programme", Kind::Text, "The programme's word", |_, row| json!(row.of().case.programme)),
            column("title", Kind::Text, "The programme's name", |visit, row| {
                json!(visit.lang.pick(&row.of().programme_zh, &row.of().programme_en))
            }),
            column("household", Kind::Id, "The household", |_, row| text(row.of().case.household)),
            perhaps("member", Kind::Id, "The person meant, for a person's benefit", |_, row| {
                texts(row.of().case.member)
            }),
            column("subject", Kind::Text, "Who it is about, masked", |_, row| json!(row.of().case.subject_masked)),
            column("region", Kind::Place, "The community", |_, row| text(row.of().case.region)),
            column("kind", Kind::Word(kinds), "What its state means", |_, row| kind(row.of().case.kind)),
            column("state", Kind::Text, "The procedure's word for its state", |_, row| json!(row.of().case.state)),
            column("version", Kind::Whole, "Rises with every act; sent back with the next one", |_, row| {
                json!(row.of().case.version)
            }),
            column("applied_on", Kind::Day, "When it was applied for", |_, row| text(row.of().case.applied_on)),
            perhaps("decided_on", Kind::Day, "When it was last decided", |_, row| texts(row.of().case.decided_on)),
            perhaps("outcome", Kind::Word(outcomes), "What the rules say", |_, row| {
                row.of().case.outcome.map_or(Value::Null, |one| json!(one.word()))
            }),
            perhaps("amount", Kind::Fen, "The monthly amount in fen", |_, row| {
                row.of().case.amount.map_or(Value::Null, |one| json!(one.fen()))
            }),
            perhaps("due_on", Kind::Day, "Until when the next step is due", |_, row| texts(row.of().case.due_on)),
            column("light", Kind::Word(lights), "How urgent it is", |_, row| json!(light(row.of().light))),
            column("updated_at", Kind::Instant, "When something last happened", |_, row| {
                json!(row.of().case.updated_at)
            }),
            $($more),*
        ]
    };
}

/// 办件
pub(crate) static CASES: List<CaseRow> = List {
    name: "cases",
    what: "Cases of the area, the most urgent first",
    personal: true,
    filters: &[
        filter(
            "text",
            Kind::Text,
            "A case number or part of it, a name, pinyin, or the end of a number",
        ),
        filter("programme", Kind::Text, "The programme's word"),
        filter("kind", Kind::Word(kinds), "What the state means"),
        filter("light", Kind::Word(burning), "How urgent"),
        filter("outcome", Kind::Word(outcomes), "What the rules say"),
        filter("region", Kind::Place, "A place and all under it"),
        filter("from", Kind::Day, "Applied for on this day or later"),
        filter("before", Kind::Day, "Applied for before this day"),
        filter("decided_from", Kind::Day, "Decided on this day or later"),
        filter("decided_before", Kind::Day, "Decided before this day"),
        filter("members_from", Kind::Whole, "About at least so many people"),
        filter("members_to", Kind::Whole, "About at most so many people"),
        filter("open", Kind::Word(one), "Only those not ended"),
        filter("sampled", Kind::Word(one), "Only those drawn for checking"),
        filter("sort", Kind::Word(case_sorts), "By what"),
        filter("dir", Kind::Word(down), "The other way round"),
    ],
    columns: case_columns!(CaseRow,),
    rows: rows!(lists::rows::<pages::cases::Cases>),
};

/// The one word of a filter that is there or not.
pub(super) fn one() -> Vec<String> {
    vec!["1".to_owned()]
}

/// The one word of sorting the other way round.
pub(super) fn down() -> Vec<String> {
    vec!["desc".to_owned()]
}

fn case_sorts() -> Vec<String> {
    ["due", "number", "applied", "updated", "amount"]
        .map(str::to_owned)
        .into()
}

/// 一个办件
pub(crate) static CASE: One<pages::case::Seen> = One {
    name: "case",
    what: "One case with what can be done in it",
    columns: case_columns!(
        pages::case::Seen,
        column("members", Kind::Texts, "Everybody it is about", |_, row| {
            row.view.members.iter().map(text).collect()
        }),
        column(
            "acts",
            Kind::Texts,
            "The acts of its state nothing is in the way of",
            |_, row| {
                let ready = row
                    .view
                    .acts
                    .iter()
                    .filter(|offer| offer.hindrances.is_empty());
                ready.map(|offer| json!(offer.act.id)).collect()
            }
        ),
    ),
    row: |visit| Box::pin(case(visit)),
};

async fn case(visit: &Visit) -> Result<pages::case::Seen, Problem> {
    pages::case::view(visit, visit.id("id")?).await
}

/// 申请草稿
pub(crate) static DRAFT: One<pages::application::Form> = One {
    name: "draft",
    what: "An application being filled in: its version, its pages and the fields they ask; what was answered is not said",
    columns: &[
        column("id", Kind::Id, "The draft", |_, row| text(row.draft.id)),
        column("household", Kind::Id, "The household", |_, row| {
            text(row.draft.household)
        }),
        column(
            "version",
            Kind::Whole,
            "Counts the savings; goes back with the next",
            |_, row| json!(row.draft.version),
        ),
        column(
            "programmes",
            Kind::Texts,
            "What it applies for",
            |_, row| json!(row.draft.programmes),
        ),
        column(
            "pages",
            Kind::Texts,
            "The words of its pages, in order",
            |_, row| row.pages.iter().map(|page| json!(page.id)).collect(),
        ),
        column(
            "fields",
            Kind::Texts,
            "Its fields, `page:field`; a field of a member names the member",
            |visit, row| {
                row.fields(visit)
                    .into_iter()
                    .map(|(page, field, _)| json!(format!("{page}:{field}")))
                    .collect()
            },
        ),
        column(
            "answered",
            Kind::Texts,
            "The fields that have an answer",
            |visit, row| {
                let given = row
                    .fields(visit)
                    .into_iter()
                    .filter(|(_, _, is_given)| *is_given);
                given.map(|(_, field, _)| json!(field)).collect()
            },
        ),
        column(
            "saved_at",
            Kind::Instant,
            "When it was last saved",
            |_, row| json!(row.draft.saved_at),
        ),
    ],
    row: |visit| Box::pin(draft(visit)),
};

async fn draft(visit: &Visit) -> Result<pages::application::Form, Problem> {
    let scope = visit.scope(visit.stated()?)?;
    pages::application::Form::read(visit, &scope).await
}

fn shows() -> Vec<String> {
    ["overdue", "soon", "done"].map(str::to_owned).into()
}

fn differs() -> Vec<String> {
    words(Differs::ALL, Differs::word)
}

/// 定期核查
pub(crate) static REVIEWS: List<ReviewRow> = List {
    name: "reviews",
    what: "Periodic reviews ahead, or done",
    personal: true,
    filters: &[
        filter("programme", Kind::Text, "The programme's word"),
        filter("month", Kind::Month, "Due in this month"),
        filter(
            "show",
            Kind::Word(shows),
            "Only those overdue or near, or those done",
        ),
        filter("region", Kind::Place, "A place and all under it"),
    ],
    columns: case_columns!(
        ReviewRow,
        column(
            "review_due_on",
            Kind::Day,
            "When the review is due",
            |_, row| text(row.due_on)
        ),
        column(
            "provisional",
            Kind::Flag,
            "Whether that rests on a calendar not published yet",
            |_, row| { json!(row.provisional) }
        ),
        column(
            "days_left",
            Kind::Signed,
            "Working days left; below nought once overdue",
            |_, row| json!(row.days_left)
        ),
        perhaps("done_on", Kind::Day, "When it was done", |_, row| texts(
            row.done_on
        )),
        perhaps("found", Kind::Word(differs), "What it found", |_, row| {
            row.found.map_or(Value::Null, |one| json!(one.word()))
        }),
    ),
    rows: rows!(lists::rows::<pages::reviews::Reviews>),
};

fn events() -> Vec<String> {
    words(life_event::Kind::ALL, life_event::Kind::word)
}

const EVENT_FILTERS: &[Filter] = &[
    filter("kind", Kind::Word(events), "What happened"),
    filter("region", Kind::Place, "A place and all under it"),
];

const EVENT: &[Column<LifeEvent>] = &[
    column("id", Kind::Id, "The event", |_, row| text(row.id)),
    column("kind", Kind::Word(events), "What happened", |_, row| {
        json!(row.kind.word())
    }),
    column("household", Kind::Id, "In which household", |_, row| {
        text(row.household)
    }),
    perhaps("person", Kind::Id, "About whom", |_, row| texts(row.person)),
    column("subject", Kind::Text, "About whom, masked", |_, row| {
        json!(row.subject)
    }),
    column("region", Kind::Place, "The community", |_, row| {
        text(row.region)
    }),
    column("on", Kind::Day, "On which day", |_, row| text(row.on)),
    perhaps(
        "detail",
        Kind::Text,
        "The age, the fact or the place",
        |_, row| said(&row.detail),
    ),
    column("source", Kind::Text, "Who says so", |_, row| {
        json!(row.source)
    }),
    column(
        "recorded_at",
        Kind::Instant,
        "When it was recorded",
        |_, row| json!(row.recorded_at),
    ),
];

/// 生活事件
pub(crate) static LIFE_EVENTS: List<LifeEvent> = List {
    name: "life_events",
    what: "What happened in the households of the area",
    personal: true,
    filters: EVENT_FILTERS,
    columns: EVENT,
    rows: rows!(lists::rows::<pages::life_events::Events>),
};
