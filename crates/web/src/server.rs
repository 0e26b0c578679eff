//! Serving (服务器): connections with a limit, slow clients cut off, requests in flight finished before the end.
//!
//! The bare accept loop of the web library has no limit on headers that never end and none on connections; this one
//! has both. Also here: the layers every answer passes through, and the headers that tell browsers what not to do.

use crate::app::App;
use crate::routes::router;
use anyhow::Context;
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Response as HttpResponse, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

/// Connections served at once; further ones wait to be accepted.
const CONNECTIONS: usize = 1024;
/// How long a client may take over the head of a request, and stay idle between two requests.
const HEAD: Duration = Duration::from_secs(15);
/// How long requests in flight may take once the end was announced.
const FAREWELL: Duration = Duration::from_secs(20);

/// The network address of the other end, put beside each request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub SocketAddr);

/// Serves until `shutdown` comes (提供服务), then finishes what is in flight.
///
/// # Errors
/// A listener that can no longer accept.
pub async fn serve(
    app: App,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let router = router(app);
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    tokio::pin!(shutdown);
    loop {
        let place = Arc::clone(&room)
            .acquire_owned()
            .await
            .context("waiting for room for a connection")?;
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // A client that went away, or no file handles left for a moment: neither is a reason to stop.
                Err(fault) => {
                    tracing::warn!(%fault, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut shutdown => break,
        };
        if let Err(fault) = stream.set_nodelay(true) {
            tracing::debug!(%fault, "a connection keeps its delay");
        }
        let service = router.clone().map_request(
            move |mut request: hyper::Request<hyper::body::Incoming>| {
                request.extensions_mut().insert(Peer(peer));
                request.map(axum::body::Body::new)
            },
        );
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(HEAD))
            .max_concurrent_streams(64);
        let connection = builder
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
            .into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(fault) = connection.await {
                tracing::debug!(%fault, "a connection ended badly");
            }
            drop(place);
        });
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => tracing::info!("all requests finished"),
        () = tokio::time::sleep(FAREWELL) => tracing::warn!("some requests did not finish in time"),
    }
    Ok(())
}

/// The layers around the table, the outermost last.
pub(crate) fn layers(router: Router, app: &App) -> Router {
    let secure = app.config.secure;
    router
        .layer(CatchPanicLayer::custom(broken))
        .layer(from_fn(move |request: Request, next: Next| async move {
            dressed(next.run(request).await, secure)
        }))
        .layer(CompressionLayer::new())
}

/// The answer when a page panicked: plain, because nothing else can be relied on.
fn broken(panic: Box<dyn Any + Send>) -> HttpResponse<axum::body::Body> {
    let what = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!(what, "a page panicked");
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        "系统出错了，数据没有改变。请返回上一页再试。\n",
    )
        .into_response()
}

/// What the browser may load: our own files and nothing else; no inline script, no inline style.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";

/// Adds the headers every answer carries.
fn dressed(mut answer: Response, secure: bool) -> Response {
    let headers = answer.headers_mut();
    let mut put = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    put(header::CONTENT_SECURITY_POLICY, CONTENT_POLICY);
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(header::X_FRAME_OPTIONS, "DENY");
    put(header::REFERRER_POLICY, "same-origin");
    put(
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    put(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    put(
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=()",
    );
    // Pages hold personal data: nothing is kept unless it says otherwise itself, as the assets do.
    put(header::CACHE_CONTROL, "no-store");
    put(header::VARY, "Cookie");
    if secure {
        put(
            header::STRICT_TRANSPORT_SECURITY,
            "max-age=31536000; includeSubDomains",
        );
    }
    answer
}
