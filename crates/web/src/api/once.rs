//! Once and not twice (幂等): a program may send an act again when it did not hear the answer.
//!
//! Guarantees: those of [`access::asked_once`]; of many at once the others wait a few seconds for the answer of the first. A
//! fault of ours is not kept as an answer: the call stays open under its word, and nobody claims to know what became of it.

use super::act;
use crate::problem::Problem;
use crate::routes::Verb;
use crate::visit::Visit;
use access::asked_once::{Asked, Call, Said, ask, settle};
use axum::body::to_bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// The header with the word.
pub(crate) const WORD: &str = "idempotency-key";
/// How long the others wait for the first, in steps.
const STEP: Duration = Duration::from_millis(100);
const STEPS: u32 = 50;

/// A word as a program may give it (幂等键): 1 to 200 visible ASCII characters.
pub(crate) fn is_word(text: &str) -> bool {
    (1..=200).contains(&text.len()) && text.bytes().all(|one| one.is_ascii_graphic())
}

/// The answer to an act, carried out once (只办一次).
pub(crate) async fn answered(
    visit: &Visit,
    carried_out: impl Future<Output = Response>,
) -> Response {
    let (Some(word), Some(keyed), Some(_)) = (&visit.word, &visit.keyed, visit.route.act()) else {
        return act_said(visit, carried_out.await);
    };
    let path = visit.here.split('?').next().unwrap_or_default();
    let route = format!("{} {path}", Verb::Post.text());
    let body = visit.json.as_ref().map(ToString::to_string);
    let call = Call {
        key: keyed.id,
        route: &route,
        word,
        body: body.as_deref().unwrap_or_default(),
    };
    for _ in 0..STEPS {
        let known = match ask(&visit.app.db, call).await {
            Ok(known) => known,
            Err(fault) => return Problem::Fault(fault).answer(visit),
        };
        match known {
            Asked::New(id) => {
                let answer = act_said(visit, carried_out.await);
                return kept(visit, id, answer).await;
            }
            Asked::Same(said) => return again(&said),
            Asked::Other => {
                let sentence = visit.t("这个 Idempotency-Key 已用于另一个内容，请换一个");
                return Problem::about("Idempotency-Key", sentence).answer(visit);
            }
            Asked::Open => tokio::time::sleep(STEP).await,
        }
    }
    let sentence = visit
        .t("同一个 Idempotency-Key 的请求还没有结果，或者没有办完。请先查看情况，再换一个键办理。");
    Problem::Conflict(sentence.to_owned()).answer(visit)
}

fn act_said(visit: &Visit, answer: Response) -> Response {
    match visit.route.act() {
        Some(_) => act::said(answer),
        None => answer,
    }
}

async fn kept(visit: &Visit, id: uuid::Uuid, answer: Response) -> Response {
    if answer.status().is_server_error() {
        return answer;
    }
    let (parts, body) = answer.into_parts();
    let bytes = match to_bytes(body, 1 << 20).await {
        Ok(bytes) => bytes,
        Err(fault) => return Problem::Fault(fault.into()).answer(visit),
    };
    let said = Said {
        status: parts.status.as_u16(),
        media: parts
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|media| media.to_str().ok())
            .unwrap_or_default()
            .to_owned(),
        body: String::from_utf8_lossy(&bytes).into_owned(),
    };
    if let Err(fault) = settle(&visit.app.db, id, &said).await {
        // It was done; only the memory of it is lost. The program is told the truth.
        tracing::error!(
            request = visit.request_id,
            fault = format!("{fault:#}"),
            "an answer was not kept"
        );
    }
    Response::from_parts(parts, bytes.into())
}

fn again(said: &Said) -> Response {
    let status = StatusCode::from_u16(said.status).unwrap_or(StatusCode::OK);
    let media = HeaderValue::from_str(&said.media)
        .unwrap_or_else(|_| HeaderValue::from_static("application/json"));
    let mut answer = (status, said.body.clone()).into_response();
    answer.headers_mut().insert(header::CONTENT_TYPE, media);
    answer
        .headers_mut()
        .insert("idempotency-replayed", HeaderValue::from_static("true"));
    answer
}
