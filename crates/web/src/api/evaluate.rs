//! Asking the rule book (试算): a household in, what every programme says out. Nothing is stored, nobody is named.
//!
//! Open to everybody within an allowance, because the law is open. It uses the place the application was started for; the
//! household is written as in worked cases.

use crate::api::openapi::Own;
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use chrono::{DateTime, NaiveDate, Utc};
use policy::Ask;
use serde::Deserialize;
use serde_json::{Value, json};
use vocab::{FactSheet, Region};

/// Members a household may have in one question.
const MEMBERS_MAX: usize = 50;

/// How much is answered (详略).
#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answered {
    /// Every condition, article, figure and sentence.
    #[default]
    Reasons,
    /// Outcomes and amounts only, for programs that show no reasons; several times faster.
    Outcomes,
}

/// How it is described to programs.
pub(crate) static OWN: Own = Own {
    name: "evaluate",
    what: "Ask the rule book about a household; nothing is kept and nobody is named",
    body: Some(question),
    said: answer,
};

fn question() -> Value {
    let facts = json!({ "type": "object", "description": "Facts by their word in the rule book; what is absent is unknown" });
    json!({
        "type": "object",
        "properties": {
            "place": { "type": ["string", "null"], "description": "The place of the rules; this house knows one" },
            "as_of": { "type": ["string", "null"], "format": "date", "description": "The day asked about; today if absent" },
            "known_at": { "type": ["string", "null"], "format": "date-time", "description": "Only what was known then" },
            "region": { "type": ["string", "null"], "description": "The community, twelve digits" },
            "programmes": { "type": ["array", "null"], "items": { "type": "string" }, "description": "Only these" },
            "answer": { "enum": ["reasons", "outcomes", null], "description": "With every reason, or outcomes and amounts only; reasons if absent" },
            "household": facts,
            "members": { "type": "array", "maxItems": MEMBERS_MAX, "items": facts },
        },
    })
}

fn answer() -> Value {
    json!({
        "type": "object",
        "properties": { "determinations": { "type": "array", "items": { "type": "object" } } },
        "required": ["determinations"],
    })
}

/// One named part of the question, read; absent and null are the same.
fn part<T: serde::de::DeserializeOwned>(
    visit: &Visit,
    json: &mut serde_json::Map<String, Value>,
    name: &str,
) -> Result<Option<T>, Problem> {
    match json.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => serde_json::from_value(value).map(Some).map_err(|fault| {
            Problem::about(
                name,
                visit
                    .lang
                    .f("请求内容不合格式：{fault}", &[("fault", &fault)]),
            )
        }),
    }
}

/// The household asked about.
fn sheet(visit: &Visit, rest: serde_json::Map<String, Value>) -> Result<FactSheet, Problem> {
    let lang = visit.lang;
    let sheet = policy::sheet::from_json(&Value::Object(rest)).map_err(|wrong| {
        Problem::about(
            "household",
            lang.f("请求内容不合格式：{fault}", &[("fault", &wrong.join("；"))]),
        )
    })?;
    if sheet.members.len() > MEMBERS_MAX {
        let sentence = lang.f("一户最多 {most} 人", &[("most", &MEMBERS_MAX)]);
        return Err(Problem::about("members", sentence));
    }
    let book = &visit.app.desk.book;
    let mut facts = sheet
        .household
        .keys()
        .chain(sheet.members.iter().flat_map(|member| member.keys()));
    match facts.find(|fact| book.fact(fact).is_none()) {
        Some(unknown) => Err(Problem::about(
            unknown,
            lang.f("规则库里没有“{fact}”这个事实", &[("fact", unknown)]),
        )),
        None => Ok(sheet),
    }
}

/// `POST /api/v1/evaluate` (试算).
///
/// # Errors
/// [`Problem::Invalid`] naming the field.
pub async fn post(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let Some(Value::Object(mut json)) = visit.json.clone() else {
        let fault = lang.f("请求内容不合格式：{fault}", &[("fault", &"{…}")]);
        return Err(Problem::invalid(fault));
    };
    let book = &visit.app.desk.book;
    let here = &book.place().id;
    if let Some(place) = part::<String>(visit, &mut json, "place")?.filter(|place| place != here) {
        return Err(Problem::about(
            "place",
            lang.f(
                "这里只有 {here} 的规则，没有 {asked} 的",
                &[("here", here), ("asked", &place)],
            ),
        ));
    }
    let as_of: NaiveDate = part(visit, &mut json, "as_of")?.unwrap_or_else(|| visit.today());
    let known_at: Option<DateTime<Utc>> = part(visit, &mut json, "known_at")?;
    let region: Option<Region> = part(visit, &mut json, "region")?;
    let programmes: Option<Vec<String>> = part(visit, &mut json, "programmes")?;
    let answer: Answered = part(visit, &mut json, "answer")?.unwrap_or_default();
    let sheet = sheet(visit, json)?;
    let ask = Ask {
        as_of,
        known_at,
        region: region.or(Some(book.place().division)),
        programmes,
    };
    let said = match answer {
        Answered::Reasons => policy::determination::to_json(&book.evaluate(&sheet, &ask)),
        Answered::Outcomes => {
            let briefs = book.outcomes(std::slice::from_ref(&sheet), &ask);
            policy::determination::outcomes_to_json(book, &briefs.concat())
        }
    };
    Ok(([(CONTENT_TYPE, "application/json")], said).into_response())
}
