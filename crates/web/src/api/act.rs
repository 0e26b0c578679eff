//! Acts for programs (程序办理): the body's fields go to the very function the page's form goes to, and its answer becomes
//! JSON.
//!
//! Guarantees: an act over the interface can do nothing a form cannot, because it is the form's function; a field nobody asked
//! for is refused; where the page would send the browser on, the program is told where to and of which thing; where the page
//! would show the form again with its faults, the program gets the faults by field. Deliberately absent: acts of their own.

use super::kind::{Kind, TEXT_MOST};
use crate::fields::Fields;
use crate::parts::form::FieldError;
use crate::problem::Problem;
use crate::visit::Visit;
use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// How a field of an act is sent (字段形态).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sent {
    /// One value.
    One(Kind),
    /// Several values of one name.
    Several(Kind),
    /// Several lines of one text.
    Lines,
}

/// A field an act takes (字段).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Takes {
    pub(crate) name: &'static str,
    pub(crate) sent: Sent,
    pub(crate) needed: bool,
    pub(crate) what: &'static str,
}

/// A field that must be there (必填).
pub(crate) const fn needs(name: &'static str, kind: Kind, what: &'static str) -> Takes {
    takes(name, Sent::One(kind), true, what)
}

/// A field that may be left out (选填).
pub(crate) const fn may(name: &'static str, kind: Kind, what: &'static str) -> Takes {
    takes(name, Sent::One(kind), false, what)
}

/// A field sent in its own way.
pub(crate) const fn takes(
    name: &'static str,
    sent: Sent,
    needed: bool,
    what: &'static str,
) -> Takes {
    Takes {
        name,
        sent,
        needed,
        what,
    }
}

/// An act (办理动作) as programs send it.
#[derive(Debug)]
pub(crate) struct Act {
    /// What it is called.
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) takes: &'static [Takes],
    /// The part of the path the form's other fields are named after: of `act`, `opinion` is the form's `approve.opinion`.
    pub(crate) under: Option<&'static str>,
    /// What further fields there are, if a pack or the rule book names them.
    pub(crate) more: Option<&'static str>,
}

impl Act {
    /// The body as the description writes it (请求体模式).
    pub(crate) fn schema(&self) -> Value {
        let properties: Map<String, Value> = self
            .takes
            .iter()
            .map(|field| {
                let mut schema = match field.sent {
                    Sent::One(kind) => kind.asked(),
                    Sent::Several(kind) => {
                        json!({ "type": "array", "maxItems": 200, "items": kind.asked() })
                    }
                    Sent::Lines => {
                        json!({ "type": "array", "maxItems": 200, "items": Kind::Text.asked() })
                    }
                };
                schema["description"] = json!(field.what);
                (field.name.to_owned(), schema)
            })
            .collect();
        let needed: Vec<&str> = self
            .takes
            .iter()
            .filter(|field| field.needed)
            .map(|field| field.name)
            .collect();
        let mut schema = json!({ "type": "object", "properties": properties, "required": needed });
        schema["additionalProperties"] = match self.more {
            None => json!(false),
            Some(what) => json!({
                "description": what,
                "anyOf": [Kind::Text.asked(), { "type": "integer" }, { "type": "boolean" }],
            }),
        };
        schema
    }

    fn takes(&self, name: &str) -> Option<&Takes> {
        self.takes.iter().find(|field| field.name == name)
    }

    /// The body as the page's form would have sent it (按表单读取).
    ///
    /// # Errors
    /// [`Problem::Invalid`] naming the field.
    pub(crate) fn read(&self, visit: &Visit) -> Result<Fields, Problem> {
        let lang = visit.lang;
        let Some(Value::Object(body)) = &visit.json else {
            let sentence = lang.t("请求内容要是一个 JSON 对象");
            return Err(Problem::invalid(sentence));
        };
        let mut form = Fields::new();
        for (name, value) in body {
            let unknown = || {
                let sentence = lang.f("不认识的字段“{name}”", &[("name", name)]);
                Problem::about(name, sentence)
            };
            let unlike = || {
                let sentence = lang.f("字段“{name}”的值读不懂", &[("name", name)]);
                Problem::about(name, sentence)
            };
            let field = self.takes(name);
            if field.is_none() && self.more.is_none() || name == "csrf" {
                return Err(unknown());
            }
            let sent = field.map_or(Sent::One(Kind::Text), |field| field.sent);
            let typed = typed(sent, value, field.is_some()).ok_or_else(unlike)?;
            let as_named = self.named(visit, name);
            for one in typed {
                form.push(as_named.clone(), one);
            }
        }
        for field in self.takes.iter().filter(|field| field.needed) {
            if !body.contains_key(field.name) {
                let sentence = lang.f("缺少字段“{name}”", &[("name", &field.name)]);
                return Err(Problem::about(field.name, sentence));
            }
        }
        Ok(form)
    }

    /// What the form calls a field.
    fn named(&self, visit: &Visit, name: &str) -> String {
        match self.under {
            Some(part) if name != "version" => format!("{}.{name}", visit.part(part)),
            _ => name.to_owned(),
        }
    }

    /// What the program calls a field of the form.
    pub(crate) fn called<'f>(&self, visit: &Visit, field: &'f str) -> &'f str {
        let Some(part) = self.under else { return field };
        field
            .strip_prefix(visit.part(part))
            .and_then(|rest| rest.strip_prefix('.'))
            .unwrap_or(field)
    }
}

/// The values a form would send, or `None` if it is none of them.
fn typed(sent: Sent, value: &Value, declared: bool) -> Option<Vec<String>> {
    let one = |kind: Kind, value: &Value| -> Option<String> {
        let text = match (kind, value) {
            (Kind::Whole | Kind::Signed | Kind::Fen, Value::Number(number)) => number.to_string(),
            (Kind::Flag, Value::Bool(flag)) => flag.to_string(),
            (Kind::Whole | Kind::Signed | Kind::Fen | Kind::Flag, _) => return None,
            (_, Value::String(text)) => text.clone(),
            // A field a pack names is of the kind the pack says; its function reads it.
            (_, Value::Number(number)) if !declared => number.to_string(),
            (_, Value::Bool(flag)) if !declared => flag.to_string(),
            _ => return None,
        };
        kind.reads(&text).then_some(text)
    };
    match (sent, value) {
        (Sent::One(kind), value) => Some(vec![one(kind, value)?]),
        (Sent::Several(kind), Value::Array(values)) if values.len() <= 200 => {
            values.iter().map(|value| one(kind, value)).collect()
        }
        (Sent::Lines, Value::Array(values)) if values.len() <= 200 => {
            let lines: Option<Vec<String>> = values
                .iter()
                .map(|value| one(Kind::Text, value).filter(|line| !line.contains('\n')))
                .collect();
            let text = lines?.join("\n");
            (text.len() <= TEXT_MOST * 200).then(|| vec![text])
        }
        _ => None,
    }
}

/// The answer to a program in the place of the page's (改写回应): where the browser would be sent becomes JSON.
pub(crate) fn said(answer: Response) -> Response {
    let Some(to) = answer
        .headers()
        .get(header::LOCATION)
        .and_then(|to| to.to_str().ok())
    else {
        return answer;
    };
    let (path, query) = to.split_once('?').unwrap_or((to, ""));
    let id = path.split('/').find(|part| part.parse::<Uuid>().is_ok());
    let query = Fields::read(query);
    let done = query.some("done");
    Json(json!({ "location": path, "id": id, "done": done })).into_response()
}

/// The schema of what [`said`] says.
pub(crate) fn said_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "location": { "type": "string", "description": "The page that shows what came of it" },
            "id": { "anyOf": [{ "type": "string", "format": "uuid" }, { "type": "null" }],
                "description": "What it was done to, or what came of it" },
            "done": { "anyOf": [{ "type": "string" }, { "type": "null" }],
                "description": "What was done, in one word" },
        },
        "required": ["location", "id", "done"],
        "additionalProperties": false,
    })
}

/// What a program is told where a browser would be shown a page (代替页面): the faults of the form, or that it needs a page.
pub(crate) fn instead_of_page(visit: &Visit, title: &str, errors: &[FieldError]) -> Response {
    if errors.is_empty() {
        let sentence = visit
            .lang
            .f("这一步要在网页上办理：{title}", &[("title", &title)]);
        return Problem::Conflict(sentence).answer(visit);
    }
    let called = |error: &FieldError| {
        let field = match visit.route.act() {
            Some(act) => act.called(visit, &error.field),
            None => &error.field,
        };
        FieldError {
            field: field.to_owned(),
            sentence: error.sentence.clone(),
        }
    };
    Problem::Faults(errors.iter().map(called).collect()).answer(visit)
}
