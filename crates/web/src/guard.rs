//! The one way in (入口守卫): every request of the route table passes here, and nowhere else are these things decided.
//!
//! In this order: how often, who, may he, whence, what was sent, and for marked acts who is there once more. Only then the page function runs. So a page that
//! forgets to check something cannot exist, and a route without a stated need does not compile. Under `/api` a key says who,
//! and never a cookie.

use crate::app::App;
use crate::fields::Fields;
use crate::locale::Lang;
use crate::nav::{self, Counts};
use crate::problem::Problem;
use crate::rate::Allowance;
use crate::routes::{Body, Need, Route, Verb};
use crate::server::Peer;
use crate::visit::{Look, Theme, Upload, Visit, redirect};
use access::session;
use axum::RequestPartsExt;
use axum::body::to_bytes;
use axum::extract::{FromRequest, Multipart, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::time::Instant;
use subtle::ConstantTimeEq;

/// The name of the session cookie.
pub(crate) const fn session_cookie(secure: bool) -> &'static str {
    if secure { "__Host-huimin" } else { "huimin" }
}

/// A cookie of a request.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(n, _)| *n == name)
        .map(|(_, value)| value)
}

pub(crate) fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
}

/// Answers one request (应答).
pub(crate) async fn answer(app: App, route: &'static Route, request: Request) -> Response {
    let started = Instant::now();
    let mut visit = empty_visit(app.at_this_moment(), route, &request);
    let answer = match admit(&mut visit, request).await {
        Ok(()) => crate::api::once::answered(&visit, carried_out(&visit)).await,
        Err(Refusal::Page(problem)) => problem.answer(&visit),
        Err(Refusal::Elsewhere(response)) => *response,
    };
    let status = answer.status().as_u16();
    let class = match status {
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    };
    metrics::counter!("huimin_requests_total", "route" => route.path, "verb" => route.verb.text(), "class" => class)
        .increment(1);
    let taken = started.elapsed();
    metrics::histogram!("huimin_request_seconds", "route" => route.path).record(taken);
    // The route and not the path: a path may hold what a person typed.
    tracing::info!(
        request = visit.request_id,
        verb = route.verb.text(),
        route = route.path,
        status,
        ms = u64::try_from(taken.as_millis()).unwrap_or(u64::MAX),
        "answered"
    );
    with_request_id(answer, &visit.request_id)
}

/// The page function, given its time.
async fn carried_out(visit: &Visit) -> Response {
    match tokio::time::timeout(visit.route.patience(), (visit.route.page)(visit)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(problem)) => problem.answer(visit),
        Err(_) => Problem::TooSlow.answer(visit),
    }
}

/// The answer where the path is known and the verb is not (方法不对).
pub(crate) async fn wrong_verb(app: App, request: Request) -> Response {
    if !request.uri().path().starts_with("/api/") {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let visit = empty_visit(app.at_this_moment(), &crate::routes::NOWHERE_API, &request);
    let answer = Problem::WrongVerb.answer(&visit);
    with_request_id(answer, &visit.request_id)
}

/// The page for a path nobody knows (无此页面).
pub(crate) async fn nowhere(app: App, request: Request) -> Response {
    if request.uri().path().starts_with("/api/") {
        let visit = empty_visit(app.at_this_moment(), &crate::routes::NOWHERE_API, &request);
        let answer = Problem::NotFound.answer(&visit);
        return with_request_id(answer, &visit.request_id);
    }
    let mut visit = empty_visit(app.at_this_moment(), &crate::routes::NOWHERE, &request);
    // Only to greet a signed-in visitor with his own frame; whether it works does not matter here.
    let (parts, _) = request.into_parts();
    if who(&mut visit, &parts).await.is_err() {
        visit.signed = None;
    }
    let answer = Problem::NotFound.answer(&visit);
    with_request_id(answer, &visit.request_id)
}

fn with_request_id(mut answer: Response, id: &str) -> Response {
    if let Ok(value) = id.parse() {
        answer.headers_mut().insert("x-request-id", value);
    }
    answer
}

/// Why a request does not reach its page.
enum Refusal {
    /// An error page.
    Page(Problem),
    /// The visitor is sent somewhere else first.
    Elsewhere(Box<Response>),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Page(problem)
    }
}

impl From<anyhow::Error> for Refusal {
    fn from(fault: anyhow::Error) -> Self {
        Self::Page(Problem::Fault(fault))
    }
}

/// A visit about which nothing is known yet but what the headers say.
fn empty_visit(app: App, route: &'static Route, request: &Request) -> Visit {
    let headers = request.headers();
    let peer = request
        .extensions()
        .get::<Peer>()
        .map_or_else(|| "unknown".to_owned(), |peer| peer.0.ip().to_string());
    let forwarded = header_text(headers, "x-forwarded-for")
        .rsplit(',')
        .next()
        .unwrap_or("")
        .trim();
    let address = if app.config.behind_proxy && !forwarded.is_empty() {
        forwarded.to_owned()
    } else {
        peer
    };
    Visit {
        route,
        signed: None,
        half_signed: None,
        keyed: None,
        purpose: None,
        word: None,
        lang: cookie(headers, "lang").map_or_else(
            || {
                if header_text(headers, "accept-language").starts_with("en") {
                    Lang::En
                } else {
                    Lang::Zh
                }
            },
            Lang::of,
        ),
        look: Look {
            elder: cookie(headers, "size") == Some("elder"),
            theme: match cookie(headers, "theme") {
                Some("light") => Some(Theme::Light),
                Some("dark") => Some(Theme::Dark),
                _ => None,
            },
        },
        request_id: access::secret::spoken_code::<10>(),
        address,
        device: header_text(headers, "user-agent").to_owned(),
        here: request
            .uri()
            .path_and_query()
            .map_or_else(|| "/".to_owned(), ToString::to_string),
        parts: Vec::new(),
        query: Fields::read(request.uri().query().unwrap_or("")),
        form: Fields::new(),
        files: Vec::new(),
        json: None,
        counts: Counts::default(),
        partial: headers.contains_key("hx-request"),
        wants_json: header_text(headers, "accept").contains("application/json"),
        app,
    }
}

/// Everything that is decided before a page runs.
async fn admit(visit: &mut Visit, request: Request) -> Result<(), Refusal> {
    let limit = visit.route.body.limit();
    let (mut parts, body) = request.into_parts();
    let believed = if visit.route.is_api() {
        crate::api::caller::read(visit, &parts.headers).await?
    } else {
        who(visit, &parts).await?;
        Ok(())
    };
    how_often(visit)?;
    believed?;
    let welcome = may_he(visit);
    let resumable = matches!(welcome, Err(Refusal::Page(Problem::SignIn)))
        && visit.route.verb == Verb::Post
        && visit.route.body == Body::Form
        && !visit.partial
        && !visit.wants_json
        // Passwords are not carried around.
        && !visit.route.path.starts_with("/account");
    if !resumable {
        welcome?;
    }
    whence(visit, &parts)?;
    if resumable {
        // The session ran out over a form: what was typed is carried through the sign-in, not thrown away.
        what(visit, Request::from_parts(parts, body), limit).await?;
        let page = crate::pages::sign_in::interrupted(visit);
        return Err(Refusal::Elsewhere(Box::new(page)));
    }
    let path: RawPathParams = parts.extract().await.map_err(|_| Problem::NotFound)?;
    visit.parts = path
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if visit.route.verb == Verb::Post {
        what(visit, Request::from_parts(parts, body), limit).await?;
        genuine(visit)?;
        if let Some(page) = crate::pages::prove_again::ask(visit).await? {
            return Err(Refusal::Elsewhere(Box::new(page)));
        }
    }
    if visit.signed.is_some() && !visit.partial && !visit.route.is_api() {
        visit.counts = nav::counts(visit).await?;
    }
    Ok(())
}

/// How often: one bucket per session or, without one, per address.
fn how_often(visit: &Visit) -> Result<(), Problem> {
    let visitor = match (&visit.keyed, &visit.signed) {
        (Some(keyed), _) => keyed.id.to_string(),
        (None, Some(signed)) => signed.session.id.to_string(),
        (None, None) => visit.address.clone(),
    };
    let a_minute = if visit.route.path == crate::routes::EVALUATE {
        visit.app.config.evaluations_a_minute
    } else if let Some(keyed) = &visit.keyed {
        keyed.a_minute
    } else {
        visit.app.config.requests_a_minute
    };
    let kind = if visit.route.path == crate::routes::EVALUATE {
        "evaluate"
    } else if visit.keyed.is_some() {
        "key"
    } else {
        "page"
    };
    let allowance = Allowance {
        kind,
        a_span: a_minute,
        minutes: 1,
        at_once: a_minute.div_ceil(2),
    };
    visit
        .app
        .rates
        .take(allowance, &visitor, visit.app.db.now())
        .map_err(Problem::TooMany)
}

/// Who: the session behind the cookie.
async fn who(visit: &mut Visit, parts: &Parts) -> anyhow::Result<()> {
    let app = &visit.app;
    let Some(token) = cookie(&parts.headers, session_cookie(app.config.secure)) else {
        return Ok(());
    };
    if let Some(signed) = session::signed(&app.db, app.door.times, token).await? {
        if signed.session.proved {
            visit.signed = Some(signed);
        } else {
            visit.half_signed = Some(signed);
        }
    }
    Ok(())
}

/// May he: what the route table asks for.
fn may_he(visit: &Visit) -> Result<(), Refusal> {
    let route = visit.route;
    let Some(actor) = visit.known() else {
        return match route.need {
            Need::Public => Ok(()),
            _ if route.verb == Verb::Get && !route.is_api() && !visit.partial => {
                let to = Fields::new().with("next", &visit.here).href("/sign-in");
                Err(Refusal::Elsewhere(Box::new(redirect(&to))))
            }
            _ => Err(Problem::SignIn.into()),
        };
    };
    if visit
        .signed
        .as_ref()
        .is_some_and(|signed| signed.must_change)
        && route.need != Need::Public
        && !route.path.starts_with("/account")
    {
        return Err(Refusal::Elsewhere(Box::new(redirect("/account?must=1"))));
    }
    if let Need::Holds(permission) = route.need
        && actor.region_of(permission).is_none()
    {
        return Err(Problem::Denied(access::Denied::NoRole(permission)).into());
    }
    Ok(())
}

/// Whence: a changing request must come from our own pages.
fn whence(visit: &Visit, parts: &Parts) -> Result<(), Problem> {
    // A key is in no browser's pocket: nobody else's page can send it along.
    if parts.method == Method::GET || parts.method == Method::HEAD || visit.keyed.is_some() {
        return Ok(());
    }
    let site = header_text(&parts.headers, "sec-fetch-site");
    if !matches!(site, "" | "same-origin" | "none") {
        return Err(Problem::Forged);
    }
    let origin = header_text(&parts.headers, "origin");
    if origin.is_empty() {
        return Ok(());
    }
    let host = parts.uri.authority().map_or_else(
        || header_text(&parts.headers, "host").to_owned(),
        ToString::to_string,
    );
    let asked_from = origin.split_once("://").map_or("", |(_, host)| host);
    if asked_from == host && !host.is_empty() {
        Ok(())
    } else {
        tracing::warn!(
            request = visit.request_id,
            route = visit.route.path,
            "a request from another site was refused"
        );
        Err(Problem::Forged)
    }
}

/// What: the body, read up to the limit of its kind.
async fn what(visit: &mut Visit, request: Request, limit: usize) -> Result<(), Problem> {
    let kind = header_text(request.headers(), "content-type").to_ascii_lowercase();
    let patience = visit.route.body.patience();
    let header_token = header_text(request.headers(), "x-csrf").to_owned();
    let read = async {
        match visit.route.body {
            Body::Form | Body::Upload if kind.starts_with("multipart/form-data") => {
                if visit.route.body != Body::Upload {
                    return Err(Problem::invalid("这个表单不收文件"));
                }
                multipart(visit, request, limit).await
            }
            Body::Form | Body::Upload => {
                let bytes = to_bytes(request.into_body(), limit)
                    .await
                    .map_err(|_| Problem::TooLarge)?;
                visit.form = Fields::read(&String::from_utf8_lossy(&bytes));
                Ok(())
            }
            Body::Json => {
                if !is_json(&kind) {
                    return Err(Problem::NotJson);
                }
                let bytes = to_bytes(request.into_body(), limit)
                    .await
                    .map_err(|_| Problem::TooLarge)?;
                let value = serde_json::from_slice(&bytes).map_err(|fault| {
                    Problem::invalid(format!("请求内容不是有效的 JSON：{fault}"))
                })?;
                visit.json = Some(value);
                if let Some(act) = visit.route.act() {
                    visit.form = act.read(visit)?;
                }
                Ok(())
            }
        }
    };
    // A body that trickles in holds a connection; thirty seconds are enough for an office line.
    match tokio::time::timeout(patience, read).await {
        Ok(outcome) => outcome?,
        Err(_) => return Err(Problem::TooSlow),
    }
    if !header_token.is_empty() && !visit.form.has("csrf") {
        visit.form.push("csrf", header_token);
    }
    Ok(())
}

/// Whether a content type is JSON.
fn is_json(kind: &str) -> bool {
    let media = kind.split(';').next().unwrap_or_default().trim();
    media == "application/json"
}

async fn multipart(visit: &mut Visit, request: Request, limit: usize) -> Result<(), Problem> {
    let unreadable = |_| Problem::invalid("上传的内容读不出来，请重新选择文件再提交");
    let mut parts = Multipart::from_request(request, &())
        .await
        .map_err(|_| Problem::invalid("上传的内容读不出来，请重新选择文件再提交"))?;
    let mut taken = 0_usize;
    while let Some(part) = parts.next_field().await.map_err(unreadable)? {
        let field = part.name().unwrap_or("").to_owned();
        let name = part.file_name().map(str::to_owned);
        let claimed_type = part.content_type().unwrap_or("").to_owned();
        let mut content = Vec::new();
        let mut part = part;
        while let Some(piece) = part.chunk().await.map_err(unreadable)? {
            taken += piece.len();
            if taken > limit {
                return Err(Problem::TooLarge);
            }
            content.extend_from_slice(&piece);
        }
        match name {
            // A file field left empty comes as a nameless, empty file.
            Some(name) if name.is_empty() && content.is_empty() => {}
            Some(name) => visit.files.push(Upload {
                field,
                name,
                claimed_type,
                bytes: content.into(),
            }),
            None => visit
                .form
                .push(field, String::from_utf8_lossy(&content).into_owned()),
        }
    }
    Ok(())
}

/// Genuine: within a session the form carries the session's own token.
fn genuine(visit: &Visit) -> Result<(), Problem> {
    let expected = visit.token();
    if expected.is_empty() || visit.route.is_api() {
        return Ok(());
    }
    let given = visit.form.get("csrf");
    if bool::from(given.as_bytes().ct_eq(expected.as_bytes())) {
        Ok(())
    } else {
        Err(Problem::Forged)
    }
}
