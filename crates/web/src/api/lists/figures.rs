//! The numbers of the page of statistics as a list for programs (统计): the same aggregates, with the same small numbers hidden.
//!
//! Guarantees: what the page hides is `null` here. Deliberately absent: groups; and a number nobody asked for, for the list
//! is of one month.

use super::{rows, text, texts};
use crate::api::kind::Kind;
use crate::api::list::{List, Window, column, filter, perhaps};
use crate::pages::statistics::Look;
use crate::pages::statistics::figures::{Figures, Of, Shown};
use crate::problem::Problem;
use crate::visit::Visit;
use batch::statistics::{Measure, Numbers};
use serde_json::{Value, json};
use store::Page;
use vocab::{Month, Region};

/// A number as it is told.
pub(crate) struct Figure {
    measure: Measure,
    month: Month,
    region: Region,
    programme: Option<String>,
    numbers: Option<Numbers>,
}

fn measures() -> Vec<String> {
    Measure::ALL.map(|one| one.word().to_owned()).into()
}

fn of(row: &Figure, number: fn(Numbers) -> i64) -> Value {
    row.numbers
        .map_or(Value::Null, |numbers| json!(number(numbers)))
}

/// 统计
pub(crate) static STATISTICS: List<Figure> = List {
    name: "statistics",
    what: "The statistics of a month: a place with those directly below it, each programme and all together",
    personal: false,
    filters: &[
        filter("month", Kind::Month, "The month; this one if absent"),
        filter(
            "region",
            Kind::Place,
            "A place within the key's area; the widest if absent",
        ),
        filter("programme", Kind::Text, "Only this programme, by its word"),
        filter("measure", Kind::Word(measures), "Only this measure"),
    ],
    columns: &[
        column(
            "measure",
            Kind::Word(measures),
            "What is counted: applied, decided, paid in the month, or in_payment in it",
            |_, row| json!(row.measure.word()),
        ),
        column("month", Kind::Month, "The month", |_, row| text(row.month)),
        column("region", Kind::Place, "The place", |_, row| {
            text(row.region)
        }),
        perhaps(
            "programme",
            Kind::Text,
            "The programme's word; null for all together",
            |_, row| texts(row.programme.as_deref()),
        ),
        perhaps(
            "count",
            Kind::Whole,
            "How many; null where it is hidden because it is small",
            |_, row| of(row, |numbers| numbers.count),
        ),
        perhaps(
            "persons",
            Kind::Whole,
            "How many persons these are about; who is in several counts several times",
            |_, row| of(row, |numbers| numbers.persons),
        ),
        perhaps(
            "amount",
            Kind::Fen,
            "Their money in fen; nought for what has none",
            |_, row| of(row, |numbers| numbers.fen),
        ),
    ],
    rows: rows!(figures),
};

async fn figures(visit: &Visit, window: Window) -> Result<Page<Figure>, Problem> {
    let look = Look::of(visit)?;
    let figures = Figures::read(visit, &look).await?;
    let only = Measure::from_word(visit.query.get("measure"));
    let mut places: Vec<Option<Region>> = vec![None];
    places.extend(
        figures
            .places()
            .iter()
            .filter(|place| **place != look.at)
            .copied()
            .map(Some),
    );
    let asked = look.programme.as_deref();
    let mut programmes: Vec<Option<&str>> = figures
        .programmes()
        .iter()
        .map(|id| Some(id.as_str()))
        .filter(|id| asked.is_none() || *id == asked)
        .collect();
    if asked.is_none() {
        programmes.push(None);
    }
    let mut all = Vec::new();
    for measure in Measure::ALL
        .into_iter()
        .filter(|one| only.is_none_or(|only| only == *one))
    {
        for place in &places {
            for programme in &programmes {
                let of = Of {
                    place: *place,
                    programme: *programme,
                };
                let numbers = match figures.shown(measure, look.month, of) {
                    Shown::Known(numbers) => Some(numbers),
                    Shown::Hidden => None,
                };
                all.push(Figure {
                    measure,
                    month: look.month,
                    region: place.unwrap_or(look.at),
                    programme: programme.map(str::to_owned),
                    numbers,
                });
            }
        }
    }
    Ok(super::part(all, window))
}
