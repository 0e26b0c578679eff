//! Whether the machine is well (运行状况), for load balancers and for the operator's monitor.
//!
//! `/health` says only yes or no and is open; the numbers of `/metrics` are given to the machine itself only.

use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use anyhow::Context;
use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use sea_orm::ConnectionTrait;
use serde_json::json;
use std::net::IpAddr;

/// `GET /health` (运行状况): the database answers.
///
/// # Errors
/// A fault when it does not.
pub async fn show(visit: &Visit) -> Answer {
    visit
        .app
        .db
        .conn()
        .execute_unprepared("SELECT 1")
        .await
        .context("asking the database whether it is there")?;
    Ok(
        Json(json!({ "health": { "database": "ok", "rules": visit.app.desk.book.version() } }))
            .into_response(),
    )
}

/// `GET /metrics` (运行指标), in the format Prometheus reads.
///
/// # Errors
/// [`Problem::NotFound`] for anybody but the machine itself.
pub async fn numbers(visit: &Visit) -> Answer {
    let own = visit
        .address
        .parse::<IpAddr>()
        .is_ok_and(|address| address.is_loopback());
    if !own || visit.app.config.behind_proxy {
        return Err(Problem::NotFound);
    }
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], visit.app.numbers.render()).into_response())
}
