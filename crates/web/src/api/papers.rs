//! Checking a paper by program (文书核验): what `/verify` says, as JSON; open to everybody, within the page's own allowance.
//!
//! Guarantees: nothing is said that the page does not say; a wrong number and a wrong code are answered alike, not found.

use super::openapi::Own;
use crate::pages::document_check::{Found, look_for};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use axum::Json;
use axum::response::IntoResponse;
use casework::document::Standing;
use serde_json::{Value, json};

/// How it is described to programs.
pub(crate) static OWN: Own = Own {
    name: "check_paper",
    what: "Whether a letter, receipt or report is one of ours and still holds; ten tries in a quarter of an hour",
    body: None,
    said,
};

fn said() -> Value {
    let day = json!({ "anyOf": [{ "type": "string", "format": "date" }, { "type": "null" }] });
    let words = json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] });
    json!({
        "type": "object",
        "properties": {
            "kind": { "type": "string", "enum": ["letter", "receipt", "report"] },
            "number": words,
            "programme": words,
            "act": words,
            "applicant": { "anyOf": [{ "type": "string" }, { "type": "null" }], "description": "Masked" },
            "issued_on": { "type": "string", "format": "date" },
            "decision": { "type": "boolean", "description": "Whether it tells of a decision" },
            "replaced_on": day,
            "valid_until": day,
        },
        "required": ["kind", "number", "programme", "act", "applicant", "issued_on", "decision", "replaced_on", "valid_until"],
        "additionalProperties": false,
    })
}

/// `GET /api/v1/papers/{code}` (文书核验).
///
/// # Errors
/// [`Problem::NotFound`] when it is none of ours; [`Problem::TooMany`] after ten tries.
pub(crate) async fn get(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let found = look_for(visit, visit.part("code")).await?;
    let said = match found.ok_or(Problem::NotFound)? {
        Found::Letter(letter) => json!({
            "kind": "letter",
            "number": letter.number,
            "programme": lang.pick(&letter.programme.0, &letter.programme.1),
            "act": lang.pick(&letter.act.0, &letter.act.1),
            "applicant": letter.applicant_masked,
            "issued_on": letter.issued_on,
            "decision": letter.standing != Standing::NoDecision,
            "replaced_on": match letter.standing {
                Standing::Replaced(on) => Some(on),
                Standing::NoDecision | Standing::Latest => None,
            },
            "valid_until": null,
        }),
        Found::Receipt(receipt) => json!({
            "kind": "receipt", "number": null, "programme": null, "act": null, "applicant": null,
            "issued_on": receipt.submitted_on, "decision": false, "replaced_on": null, "valid_until": null,
        }),
        Found::Report(number, report) => json!({
            "kind": "report", "number": number, "programme": null, "act": null, "applicant": null,
            "issued_on": report.on_day, "decision": false, "replaced_on": report.newer, "valid_until": report.valid_until,
        }),
    };
    Ok(Json(said).into_response())
}
