//! The description of the interface (程序接口说明): OpenAPI 3.1, made from the route table and from what lists and acts say of
//! themselves.
//!
//! Guarantees: a route of the interface that is not described does not exist, because the description walks the table;
//! schemas are closed, so an answer with something else in it breaks the contract and is found. Deliberately absent: a
//! browser for it; there are enough of them.

use super::act::said_schema;
use super::list::{Filter, ITEMS, ITEMS_MOST, Readable};
use crate::locale::key;
use crate::problem::Answer;
use crate::routes::{Need, Route, Told, Verb, routes};
use crate::visit::Visit;
use axum::Json;
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};

/// Where it is served.
pub(crate) const PATH: &str = "/api/v1/openapi.json";

/// Something that describes itself (自述接口).
pub(crate) struct Own {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) body: Option<fn() -> Value>,
    pub(crate) said: fn() -> Value,
}

/// How the description describes itself.
pub(crate) static OWN: Own = Own {
    name: "openapi",
    what: "This description",
    body: None,
    said: || json!({ "type": "object" }),
};

/// `GET /api/v1/openapi.json` (程序接口说明).
///
/// # Errors
/// None.
pub(crate) async fn show(_: &Visit) -> Answer {
    Ok(Json(document()).into_response())
}

/// The whole description (接口说明全文).
pub(crate) fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    let mut schemas: Map<String, Value> = Map::new();
    schemas.insert("problem".to_owned(), problem_schema());
    schemas.insert("done".to_owned(), said_schema());
    for route in routes().filter(|route| route.is_api()) {
        let operation = operation(route, &mut schemas);
        let verb = route.verb.text().to_ascii_lowercase();
        let entry = paths
            .entry(route.path.to_owned())
            .or_insert_with(|| json!({}));
        entry[verb] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Huimin 惠民",
            "version": "1",
            "summary": "The lists and acts of the desk, for programs",
            "license": { "name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE") },
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer",
                "description": "A key made by the administrator on the page 程序接口密钥 (/keys)" } },
        },
    })
}

fn named(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn operation(route: &Route, schemas: &mut Map<String, Value>) -> Value {
    let mut parameters = path_parameters(route);
    let mut body = None;
    let (name, what, said, headers) = match route.told() {
        Told::Read(one) => {
            schemas.insert(one.name().to_owned(), one.item());
            parameters.extend(reading(one));
            let listed = one.filters().is_some();
            let said = if listed {
                page_schema(one.name())
            } else {
                named(one.name())
            };
            (one.name(), one.what(), said, listed)
        }
        Told::Act(act) => {
            schemas.insert(act.name.to_owned(), act.schema());
            parameters.push(word_parameter());
            body = Some(named(act.name));
            (act.name, act.what, named("done"), false)
        }
        Told::Own(own) => {
            body = own.body.map(|schema| schema());
            (own.name, own.what, (own.said)(), false)
        }
        Told::Page => return json!({}),
    };
    let mut ok =
        json!({ "description": what, "content": { "application/json": { "schema": said } } });
    if headers {
        ok["headers"] = json!({ "Link": { "description": "The next page, if there is one", "schema": { "type": "string" } } });
    }
    let mut operation = json!({
        "operationId": name,
        "summary": what,
        "description": needed(route),
        "tags": [tag(route.path)],
        "parameters": parameters,
        "responses": responses(route, ok),
        "security": if route.need == Need::Public { json!([{}, { "key": [] }]) } else { json!([{ "key": [] }]) },
    });
    if let Some(schema) = body {
        operation["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": schema } },
        });
    }
    operation
}

/// The first word of the path after the version.
fn tag(path: &str) -> &str {
    path.split('/').nth(3).unwrap_or_default()
}

fn needed(route: &Route) -> String {
    match route.need {
        Need::Public => format!("{}. Open to everybody.", route.what),
        Need::SignedIn => format!("{}. Needs any key.", route.what),
        Need::Holds(permission) => {
            format!(
                "{}. Needs the permission `{}`.",
                route.what,
                permission.code()
            )
        }
    }
}

fn path_parameters(route: &Route) -> Vec<Value> {
    let parts = route.path.split('/').filter_map(|part| {
        let name = part.strip_prefix('{')?.strip_suffix('}')?;
        let schema = match name {
            "id" => json!({ "type": "string", "format": "uuid" }),
            "code" => json!({ "type": "string", "pattern": "^[A-Za-z0-9-]{1,60}$" }),
            _ => json!({ "type": "string", "pattern": "^[a-z0-9_]+$" }),
        };
        Some(json!({ "name": name, "in": "path", "required": true, "schema": schema }))
    });
    parts.collect()
}

fn reading(one: &'static dyn Readable) -> Vec<Value> {
    let query = |filter: &Filter| {
        json!({ "name": filter.name, "in": "query", "required": false,
            "description": filter.what, "schema": filter.kind.asked() })
    };
    let mut all: Vec<Value> = one
        .filters()
        .unwrap_or_default()
        .iter()
        .map(query)
        .collect();
    if one.filters().is_some() {
        all.push(json!({ "name": "limit", "in": "query", "required": false,
            "description": "Items of a page",
            "schema": { "type": "integer", "minimum": 1, "maximum": ITEMS_MOST, "default": ITEMS } }));
        all.push(json!({ "name": "cursor", "in": "query", "required": false,
            "description": "What the page before gave as `next`; good for the same filters only",
            "schema": { "type": "string" } }));
    }
    if one.personal() {
        all.push(json!({ "name": "Huimin-Purpose", "in": "header", "required": true,
            "description": "What for; stands in the journal. `enquiry:` is followed by a reason, percent-encoded UTF-8",
            "schema": { "type": "string", "pattern": "^(application|review|payment|audit|enquiry:[A-Za-z]{1,50})$" } }));
    }
    all
}

fn word_parameter() -> Value {
    json!({ "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "A word of your own: the same call under the same word is done once and answered the same for a day",
        "schema": { "type": "string", "pattern": "^[!-~]{1,200}$" } })
}

fn page_schema(name: &str) -> Value {
    json!({
        "type": "object",
        "properties": {
            "items": { "type": "array", "items": named(name) },
            "total": { "type": "integer", "minimum": 0, "description": "How many the whole list has" },
            "next": { "anyOf": [{ "type": "string" }, { "type": "null" }], "description": "The cursor of the next page" },
        },
        "required": ["items", "total", "next"],
        "additionalProperties": false,
    })
}

/// What may go wrong (可能的问题): status and when.
const PROBLEMS: [(u16, &str); 10] = [
    (401, "There is no key, or it does not hold"),
    (403, "The key may not do this"),
    (
        404,
        "There is no such thing, or it is not in the key's area",
    ),
    (
        409,
        "The state of the thing does not allow it, or somebody else changed it meanwhile",
    ),
    (413, "The body is too large"),
    (415, "The body is not JSON"),
    (
        422,
        "A field or a parameter is wrong; which, is in `errors`",
    ),
    (429, "Too many calls; when to come back is in Retry-After"),
    (500, "Our fault; nothing was changed"),
    (504, "It took too long; nothing was changed"),
];

fn responses(route: &Route, ok: Value) -> Value {
    let mut all = Map::new();
    all.insert("200".to_owned(), ok);
    for (status, what) in PROBLEMS {
        let posted = route.verb == Verb::Post;
        if !posted && matches!(status, 409 | 413 | 415) {
            continue;
        }
        let mut answer = json!({ "description": what,
            "content": { "application/problem+json": { "schema": named("problem") } } });
        if status == 429 {
            answer["headers"] = json!({ "Retry-After": { "description": "Seconds", "schema": { "type": "integer" } } });
        }
        all.insert(status.to_string(), answer);
    }
    all.into()
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "A problem as RFC 9457 writes it",
        "properties": {
            "type": { "type": "string", "description": "Where the problem is explained" },
            "title": { "type": "string" },
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": { "type": "string", "description": "What is wrong and what to do, for people" },
            "code": { "type": "string", "enum": CODES.map(|(code, ..)| code) },
            "field": { "anyOf": [{ "type": "string" }, { "type": "null" }] },
            "errors": { "type": "array", "items": {
                "type": "object",
                "properties": { "field": { "type": "string" }, "sentence": { "type": "string" } },
                "required": ["field", "sentence"],
                "additionalProperties": false,
            } },
            "request": { "type": "string", "description": "The number of the request, for whoever is asked for help" },
        },
        "required": ["type", "title", "status", "detail", "code", "field", "errors", "request"],
        "additionalProperties": false,
    })
}

/// The codes of problems (问题代码), with the status and what to do, for the page for developers.
pub(crate) const CODES: [(&str, u16, &str); 12] = [
    ("sign_in", 401, key("没有密钥，或密钥已吊销、过期；请换发")),
    ("denied", 403, key("密钥没有这项权限；请找管理员")),
    ("forged", 403, key("请求来自别的网站的网页")),
    ("not_found", 404, key("没有，或不在密钥的地区内")),
    ("wrong_verb", 405, key("这个地址不支持这种请求方法")),
    ("conflict", 409, key("情况已变或现在不能办；先读最新情况")),
    ("too_large", 413, key("请求内容超过 1 MB")),
    ("not_json", 415, key("请求内容不是 JSON")),
    ("invalid", 422, key("参数或字段有误；哪一项见 errors")),
    (
        "too_many",
        429,
        key("次数超过上限；Retry-After 写明再等几秒"),
    ),
    (
        "fault",
        500,
        key("我们的错，数据没有改变；请把 request 告诉管理员"),
    ),
    ("too_slow", 504, key("没有办完，数据没有改变；请稍后再试")),
];

#[cfg(test)]
mod tests {
    use super::{CODES, PROBLEMS, document};
    use crate::routes::{Told, routes};
    use serde_json::Value;
    use std::collections::BTreeSet;

    /// Every `$ref` of a document.
    fn refs<'a>(at: &'a Value, found: &mut Vec<&'a str>) {
        match at {
            Value::Object(map) => {
                for (name, value) in map {
                    match (name.as_str(), value) {
                        ("$ref", Value::String(to)) => found.push(to),
                        _ => refs(value, found),
                    }
                }
            }
            Value::Array(list) => list.iter().for_each(|one| refs(one, found)),
            _ => {}
        }
    }

    #[test]
    fn the_description_names_every_route_and_every_reference_leads_somewhere() {
        let document = document();
        let mut ids = BTreeSet::new();
        for route in routes().filter(|route| route.is_api()) {
            let verb = route.verb.text().to_ascii_lowercase();
            let said = &document["paths"][route.path][&verb];
            let id = said["operationId"].as_str().unwrap_or_default();
            assert!(
                !id.is_empty() && ids.insert(id.to_owned()),
                "{} {id}",
                route.path
            );
            let named: Vec<&str> = route
                .path
                .split('/')
                .filter(|part| part.starts_with('{'))
                .collect();
            let parts = said["parameters"].as_array().unwrap().iter();
            let told = parts.filter(|one| one["in"] == "path").count();
            assert_eq!(told, named.len(), "{}", route.path);
            let is_act = matches!(route.told(), Told::Act(_));
            assert!(
                !is_act || said["requestBody"]["required"] == true,
                "{}",
                route.path
            );
            assert_eq!(
                said["security"][0]["key"].is_array(),
                route.need != crate::routes::Need::Public
            );
        }
        let verbs: usize = document["paths"]
            .as_object()
            .unwrap()
            .values()
            .map(|path| path.as_object().unwrap().len())
            .sum();
        assert_eq!(verbs, ids.len(), "nothing but the table");
        let mut found = Vec::new();
        refs(&document, &mut found);
        assert!(!found.is_empty());
        for to in found {
            let at = document.pointer(to.strip_prefix('#').unwrap());
            assert!(at.is_some_and(Value::is_object), "{to}");
        }
    }

    #[test]
    fn every_status_of_a_problem_has_a_code_that_is_explained() {
        let told: BTreeSet<u16> = CODES.iter().map(|(_, status, _)| *status).collect();
        assert!(PROBLEMS.iter().all(|(status, _)| told.contains(status)));
    }
}
