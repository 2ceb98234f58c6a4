//! The service: what is at which path. It reads; nothing that it answers changes anything.

use std::convert::Infallible;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, EXPECT, HeaderValue, VARY};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use shockwave::prometheus::Format;
use tower_service::Service;
use tracing::debug;

use super::assets::{asset, guard, is_asset};
use super::body::{Body, BoxError};
use super::bytes::Dots;
use super::counters::Timer;
use super::events::{Events, Latest};
use super::exposition;
use super::files::Files;
use super::hosts::{self, Hosts};
use super::state::State;
use crate::parse::parse_amount;

const TEXT: &str = "text/plain; charset=utf-8";

/// What is where, for who asks for something else.
const PATHS: &str = "not found; there are / /metrics /metrics.json /events /healthz /readyz \
                     /echo /bytes/N and /static/\n";

/// The same, where it is only told how the server is.
const PATHS_OF_ADMIN: &str =
    "not found; there are / /metrics /metrics.json /events /healthz /readyz here\n";

/// The service. Clones share what they know.
#[derive(Clone)]
pub(crate) struct App {
    state: Arc<State>,
    latest: Latest,
    files: Option<Files>,
    /// Who is answered for, if that is not anybody.
    hosts: Option<Arc<Hosts>>,
    /// Whether it only tells how the server is.
    only_tells: bool,
}

impl App {
    /// With the files of `root` below `/static/`, if there is one.
    pub(crate) fn new(state: Arc<State>, latest: Latest, root: Option<&Path>) -> Self {
        Self { state, latest, files: root.map(Files::new), hosts: None, only_tells: false }
    }

    /// Answers for these hosts only.
    pub(crate) fn only_for(self, hosts: Option<Arc<Hosts>>) -> Self {
        Self { hosts, ..self }
    }

    /// Tells how the server is, and does nothing else.
    pub(crate) fn only_telling(self) -> Self {
        Self { only_tells: true, ..self }
    }

    async fn answer<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        if self.hosts.as_ref().is_some_and(|hosts| !hosts.answer_for(request.headers())) {
            return refuse(StatusCode::MISDIRECTED_REQUEST, hosts::REFUSED);
        }
        let path = request.uri().path();
        let paths = if self.only_tells { PATHS_OF_ADMIN } else { PATHS };
        let route = Route::of(path).filter(|route| route.tells() || !self.only_tells);
        let Some(route) = route else { return refuse(StatusCode::NOT_FOUND, paths) };
        if let Some(allowed) = route.refuses(request.method()) {
            let mut response =
                refuse(StatusCode::METHOD_NOT_ALLOWED, "another method is expected\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
            return response;
        }
        match route {
            Route::Asset => asset(path, request.headers())
                .unwrap_or_else(|| refuse(StatusCode::NOT_FOUND, paths)),
            Route::Metrics => self.metrics(request.headers()),
            Route::Json => fresh("application/json", Body::whole(self.state.json())),
            Route::Events => {
                let wants_past = request.uri().query() == Some("past");
                let begin = if wants_past { Events::with_past } else { Events::new };
                fresh("text/event-stream", Body::stream(begin(self.latest.clone())))
            }
            Route::Healthy => fresh(TEXT, Body::whole("ok\n")),
            Route::Ready if self.state.is_ready() => fresh(TEXT, Body::whole("ready\n")),
            Route::Ready => refuse(StatusCode::SERVICE_UNAVAILABLE, "ending\n"),
            Route::Echo => {
                // A client that waits for 100 would take the answer for a refusal.
                let is_awaited = request.headers().contains_key(EXPECT);
                let mut body = Body::stream(request.into_body());
                if is_awaited {
                    body = body.begun().await;
                }
                fresh("application/octet-stream", body)
            }
            Route::Bytes(length) => match parse_amount(length) {
                Ok(length) => {
                    fresh(TEXT, Body::stream(Dots::new(self.state.pool().clone(), length)))
                }
                Err(error) => refuse(StatusCode::BAD_REQUEST, &format!("{error}\n")),
            },
            Route::File => match &self.files {
                Some(files) => files.answer(request.map(|_| ())).await,
                None => refuse(StatusCode::NOT_FOUND, "no files here; start it with --root DIR\n"),
            },
        }
    }

    fn metrics(&self, headers: &HeaderMap) -> Response<Body> {
        let accept: Vec<_> =
            headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
        let accept = accept.join(",");
        let format = Format::negotiate((!accept.is_empty()).then_some(accept.as_str()));
        let durations = self.state.counters.durations.counts();
        let page = exposition::page(format, &self.state.snapshot(), &durations);
        let mut response = fresh(format.content_type(), Body::whole(page));
        response.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
        response
    }
}

impl<B> Service<Request<B>> for App
where
    B: http_body::Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let app = self.clone();
        Box::pin(async move {
            let (method, path) = (request.method().clone(), request.uri().path().to_owned());
            // A stream of events ends when its reader has seen enough, which is no latency.
            let is_timed = path != "/events";
            let timer = is_timed.then(|| Timer::start(Arc::clone(&app.state.counters)));
            let mut response = app.answer(request).await;
            guard(response.headers_mut());
            app.state.counters.answered(response.status());
            debug!(%method, path, status = response.status().as_u16(), "answered");
            Ok(response.map(|body| body.timed(timer)))
        })
    }
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route<'a> {
    Asset,
    Metrics,
    Json,
    Events,
    Healthy,
    Ready,
    Echo,
    /// With the length, as it was asked for.
    Bytes(&'a str),
    File,
}

/// Whether a request is served even where the pool has no buffer for it: what tells how the server
/// is takes none to answer, and is needed most just then.
pub(crate) fn is_essential(method: &Method, uri: &Uri) -> bool {
    Route::of(uri.path()).is_some_and(|route| route.tells() && route.refuses(method).is_none())
}

impl<'a> Route<'a> {
    fn of(path: &'a str) -> Option<Self> {
        Some(match path {
            "/metrics" => Self::Metrics,
            "/metrics.json" => Self::Json,
            "/events" => Self::Events,
            "/healthz" => Self::Healthy,
            "/readyz" => Self::Ready,
            "/echo" => Self::Echo,
            _ if is_asset(path) => Self::Asset,
            _ if path.starts_with("/static/") => Self::File,
            _ => Self::Bytes(path.strip_prefix("/bytes/")?),
        })
    }

    /// Whether it tells how the server is.
    fn tells(self) -> bool {
        !matches!(self, Self::Echo | Self::Bytes(_) | Self::File)
    }

    /// The methods to allow, if this is none of them.
    fn refuses(self, method: &Method) -> Option<&'static str> {
        match self {
            Self::Echo if method == Method::POST || method == Method::PUT => None,
            Self::Echo => Some("POST, PUT"),
            _ if method == Method::GET || method == Method::HEAD => None,
            _ => Some("GET, HEAD"),
        }
    }
}

/// An answer that is right only now.
fn fresh(kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn refuse(status: StatusCode, why: &str) -> Response<Body> {
    let mut response = fresh(TEXT, Body::whole(why.to_owned()));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::header::{CONTENT_LENGTH, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
    use http_body::Body as _;
    use http_body_util::{BodyExt, Empty, Full};
    use serde_json::Value;
    use shockwave::BufferPool;
    use shockwave_http::Server;
    use tokio::sync::watch;

    use super::super::events::Figures;
    use super::*;

    fn app(root: Option<&Path>) -> App {
        let server = Server::builder().pool(BufferPool::new()).build();
        let state = Arc::new(State::new(server));
        let (sender, latest) = watch::channel(Figures::new(b"{}".to_vec()));
        drop(sender);
        App::new(state, latest, root)
    }

    async fn ask(app: &App, method: Method, path: &str) -> Response<Body> {
        let request = Request::builder().method(method).uri(path).body(Empty::<Bytes>::new());
        app.clone().call(request.unwrap()).await.unwrap()
    }

    async fn get(app: &App, path: &str) -> (StatusCode, String) {
        let response = ask(app, Method::GET, path).await;
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.into()).unwrap())
    }

    #[tokio::test]
    async fn every_path_answers_and_says_how_it_is_to_be_taken() {
        let app = app(None);
        for (path, kind) in [
            ("/", "text/html; charset=utf-8"),
            ("/assets/main.js", "text/javascript; charset=utf-8"),
            ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
            ("/metrics.json", "application/json"),
            ("/events", "text/event-stream"),
            ("/healthz", TEXT),
            ("/readyz", TEXT),
            ("/bytes/3", TEXT),
        ] {
            for method in [Method::GET, Method::HEAD] {
                let response = ask(&app, method, path).await;
                assert_eq!(response.status(), StatusCode::OK, "{path}");
                let headers = response.headers();
                assert_eq!(headers[CONTENT_TYPE], kind, "{path}");
                assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
                let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
                assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
                assert!(!policy.contains("unsafe"), "{path}: {policy}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_not_there_or_not_allowed_is_refused_with_what_is() {
        let app = app(None);
        for path in ["/x", "/bytes", "/metrics/", "/assets/", "/static", "//", "/echo/"] {
            let (status, body) = get(&app, path).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
            assert!(body.contains("/metrics.json"), "{body}");
        }
        assert!(get(&app, "/static/x").await.1.contains("--root"));
        for (method, path, allowed) in [
            (Method::POST, "/", "GET, HEAD"),
            (Method::DELETE, "/metrics", "GET, HEAD"),
            (Method::PUT, "/bytes/1", "GET, HEAD"),
            (Method::GET, "/echo", "POST, PUT"),
        ] {
            let response = ask(&app, method, path).await;
            assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
            assert_eq!(response.headers()[ALLOW], allowed, "{path}");
        }
    }

    #[tokio::test]
    async fn bytes_are_as_many_as_were_asked_for_and_come_from_the_pool() {
        let app = app(None);
        for (path, length) in
            [("0", 0), ("1", 1), ("16384", 16_384), ("64k", 65_536), ("1m", 1 << 20)]
        {
            let response = ask(&app, Method::GET, &format!("/bytes/{path}")).await;
            assert_eq!(response.body().size_hint().exact(), Some(length));
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body.len() as u64, length);
            assert!(body.iter().all(|byte| *byte == b'.'));
        }
        let metrics = app.state.pool().metrics();
        assert_eq!((metrics.total_gets, metrics.in_use_bytes), (1 + 1 + 4 + 64, 0));
        for path in ["", "-1", "x", "1.5k", "99999999g"] {
            let (status, body) = get(&app, &format!("/bytes/{path}")).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
            assert!(body.contains("expected 0 to"), "{body}");
        }
    }

    #[tokio::test]
    async fn an_echo_is_what_was_sent_and_no_page() {
        let request =
            Request::post("/echo").header(CONTENT_TYPE, "text/html").header(CONTENT_LENGTH, 5);
        let request = request.body(Full::new(Bytes::from("<b>x</b>"))).unwrap();
        let response = app(None).call(request).await.unwrap();
        assert_eq!(response.headers()[CONTENT_TYPE], "application/octet-stream");
        assert_eq!(response.body().size_hint().exact(), Some(8));
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "<b>x</b>");
    }

    #[tokio::test]
    async fn the_figures_are_of_what_was_asked_and_the_same_in_every_format() {
        let app = app(None);
        get(&app, "/bytes/100k").await;
        get(&app, "/nothing").await;
        let json: Value = serde_json::from_str(&get(&app, "/metrics.json").await.1).unwrap();
        assert_eq!(json["server"]["requests_total"], 2);
        assert_eq!(json["server"]["by_status"], serde_json::json!({"200": 1, "404": 1}));
        assert_eq!(json["server"]["connections"]["open"], 0, "no socket is asked here");
        assert_eq!(json["server"]["latency_seconds"]["count"], 2);
        assert_eq!(json["pool"]["total_gets"], 7);
        let text = get(&app, "/metrics").await.1;
        for line in [
            "shockwave_pool_gets_total{pool=\"main\",class=\"16384\",path=\"fresh\"} 6",
            "shockwave_http_connections{state=\"idle\"} 0",
            "shockwave_http_requests_total{status=\"200\"} 2",
            "shockwave_http_requests_total{status=\"404\"} 1",
            "shockwave_http_request_duration_seconds_bucket{le=\"+Inf\"} 3",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} in {text}");
        }
        let request = Request::get("/metrics").header(ACCEPT, "application/openmetrics-text");
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        let response = app.clone().call(request).await.unwrap();
        assert!(
            response.headers()[CONTENT_TYPE]
                .to_str()
                .unwrap()
                .starts_with("application/openmetrics")
        );
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(body.ends_with(b"# EOF\n"));
    }

    #[tokio::test]
    async fn requests_are_unwelcome_once_it_ends() {
        let app = app(None);
        assert_eq!(get(&app, "/readyz").await, (StatusCode::OK, "ready\n".into()));
        app.state.end();
        assert_eq!(
            get(&app, "/readyz").await,
            (StatusCode::SERVICE_UNAVAILABLE, "ending\n".into())
        );
        assert_eq!(get(&app, "/healthz").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn events_begin_with_the_latest_and_end_with_the_server() {
        let (status, body) = get(&app(None), "/events").await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(body, "retry: 1000\nevent: metrics\ndata: {}\n\n");
    }
}
