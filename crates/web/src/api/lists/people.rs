//! People and households as lists for programs (人员、家庭): masked, in the area, for a purpose.

use super::{rows, said, text, texts};
use crate::api::kind::Kind;
use crate::api::list::{List, Window, column, filter, perhaps};
use crate::parts::listing;
use crate::problem::Problem;
use crate::visit::Visit;
use crate::{lists, pages};
use registry::households::HouseholdRow;
use registry::people::{PersonRow, Query};
use serde_json::json;
use store::Page;
use vocab::Sex;

fn sexes() -> Vec<String> {
    Sex::ALL.map(sex).into()
}

fn sex(sex: Sex) -> String {
    match sex {
        Sex::Male => "male",
        Sex::Female => "female",
        Sex::Unknown => "unknown",
        Sex::NotStated => "not_stated",
    }
    .to_owned()
}

/// 人员
pub(crate) static PEOPLE: List<PersonRow> = List {
    name: "people",
    what: "People of the area, searched as in the box on top of every page",
    personal: true,
    filters: &[
        filter(
            "q",
            Kind::Text,
            "A name, pinyin, initials, a whole number, or the end of one",
        ),
        filter("region", Kind::Place, "A place and all under it"),
    ],
    columns: &[
        column("id", Kind::Id, "The person", |_, row| text(row.id)),
        column("name", Kind::Text, "The masked name", |_, row| {
            json!(access::mask_name(&row.name))
        }),
        column(
            "document",
            Kind::Text,
            "The masked document number",
            |_, row| json!(row.document_masked),
        ),
        perhaps("phone", Kind::Text, "The masked phone number", |_, row| {
            json!(row.phone_masked)
        }),
        column("sex", Kind::Word(sexes), "The sex", |_, row| {
            json!(sex(row.sex))
        }),
        perhaps("birth_date", Kind::Day, "The day of birth", |_, row| {
            texts(row.birth_date)
        }),
        perhaps("died_on", Kind::Day, "The day of death", |_, row| {
            texts(row.died_on)
        }),
        column("region", Kind::Place, "The community lived in", |_, row| {
            text(row.lives_in)
        }),
    ],
    rows: rows!(people),
};

async fn people(visit: &Visit, window: Window) -> Result<Page<PersonRow>, Problem> {
    let scope = visit.scope(visit.stated()?)?;
    let query = Query {
        text: visit.query.get("q").to_owned(),
        region: listing::chosen_place(visit),
    };
    Ok(registry::search(&visit.app.db, &scope, &query, window.offset, window.limit).await?)
}

/// 家庭
pub(crate) static HOUSEHOLDS: List<HouseholdRow> = List {
    name: "households",
    what: "The households of the area",
    personal: true,
    filters: &[
        filter(
            "text",
            Kind::Text,
            "The beginning of a member's name or of the household's number",
        ),
        filter("region", Kind::Place, "A place and all under it"),
    ],
    columns: &[
        column("id", Kind::Id, "The household", |_, row| text(row.id)),
        column("number", Kind::Text, "Its number", |_, row| {
            json!(row.number)
        }),
        perhaps(
            "roster_number",
            Kind::Text,
            "Its number in the roster it came from",
            |_, row| json!(row.roster_number),
        ),
        perhaps("head", Kind::Id, "The head", |_, row| texts(row.head)),
        perhaps(
            "head_name",
            Kind::Text,
            "The head's masked name",
            |_, row| said(&access::mask_name(&row.head_name)),
        ),
        column("size", Kind::Whole, "How many members today", |_, row| {
            json!(row.size)
        }),
        column("region", Kind::Place, "The community", |_, row| {
            text(row.region)
        }),
        column("formed_on", Kind::Day, "Since when it exists", |_, row| {
            text(row.formed_on)
        }),
        perhaps(
            "dissolved_on",
            Kind::Day,
            "The day everyone had left",
            |_, row| texts(row.dissolved_on),
        ),
    ],
    rows: rows!(lists::rows::<pages::households::Households>),
};
