//! The Layer in front of a service, request by request.
#![cfg(feature = "compile")]

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt as _, Empty, Full};
use tower::{Layer as _, ServiceExt as _, service_fn};
use zt_core::model::{Decision, Outcome};
use zt_core::tower::{Replay, ZtLayer};
use zt_core::{Engine, State};

const CONFIG: &str = r#"
version = 1
[inspect]
max_body = "16B"
[[endpoint]]
method = "GET"
path = "/open"
anonymous = true
[[endpoint]]
method = "POST"
path = "/echo"
anonymous = true
[[endpoint]]
method = "GET"
path = "/closed"
[[limit]]
name = "per-peer"
key = ["peer"]
rate = "2/1m"
burst = 2
"#;

fn layer(config: &str) -> ZtLayer {
    let engine = Arc::new(Engine::from_toml(config, &[]).unwrap());
    let state = Arc::new(State::new(&engine));
    ZtLayer::new(engine, state)
}

/// A body of frames that come one by one, of unknown length, counting what is taken.
struct Frames {
    left: usize,
    taken: Arc<AtomicUsize>,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;
    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        self.taken.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"abcd")))))
    }
}

/// Frames, then trailers.
struct Trailed(Option<HeaderMap>);

impl Body for Trailed {
    type Data = Bytes;
    type Error = Infallible;
    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|trailers| Ok(Frame::trailers(trailers))))
    }
}

/// A body that breaks off.
struct Broken;

impl Body for Broken {
    type Data = Bytes;
    type Error = &'static str;
    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        Poll::Ready(Some(Err("connection reset")))
    }
}

/// Answers with the request's own body, and says what the Layer told it.
async fn echo<B>(request: Request<Replay<B>>) -> Result<Response<Replay<B>>, Infallible> {
    let decision = request.extensions().get::<Arc<Decision>>().cloned().unwrap();
    let mut response = Response::new(request.into_body());
    response.headers_mut().insert("decided", decision.outcome.as_str().parse().unwrap());
    Ok(response)
}

async fn ask<B>(layer: &ZtLayer, request: Request<B>) -> (StatusCode, HeaderMap, Bytes)
where
    B: Body<Data = Bytes, Error = Infallible> + Unpin + Send + 'static,
{
    let response = layer.layer(service_fn(echo::<B>)).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    (parts.status, parts.headers, body.collect().await.unwrap().to_bytes())
}

fn get(path: &str) -> Request<Empty<Bytes>> {
    Request::get(path).header("host", "shop.test").body(Empty::new()).unwrap()
}

fn post<B>(body: B) -> Request<B> {
    Request::post("/echo").header("host", "shop.test").header("content-type", "text/plain").body(body).unwrap()
}

#[tokio::test]
async fn a_request_that_passes_carries_its_decision_and_its_body() {
    let layer = layer(CONFIG);
    let (status, headers, _) = ask(&layer, get("/open")).await;
    assert_eq!((status, headers["decided"].as_bytes()), (StatusCode::OK, &b"allow"[..]));
    let (status, _, body) = ask(&layer, post(Full::from("sixteen bytes ok"))).await;
    assert_eq!((status, &body[..]), (StatusCode::OK, &b"sixteen bytes ok"[..]));
}

#[tokio::test]
async fn trailers_are_replayed_and_a_broken_body_reaches_nobody() {
    let layer = layer(CONFIG);
    let trailers = HeaderMap::from_iter([("checksum".parse().unwrap(), "1".parse().unwrap())]);
    let request = post(Trailed(Some(trailers.clone())));
    let response = layer.layer(service_fn(echo::<Trailed>)).oneshot(request).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().trailers(), Some(&trailers));

    let response = layer.layer(service_fn(echo::<Broken>)).oneshot(post(Broken)).await.unwrap();
    assert_eq!((response.status(), response.headers().contains_key("decided")), (StatusCode::BAD_REQUEST, false));
}

#[tokio::test]
async fn a_refusal_is_a_problem_document_and_never_reaches_the_service() {
    let layer = layer(CONFIG);
    let reached = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reached);
    let service = service_fn(move |_: Request<Replay<Empty<Bytes>>>| {
        counted.fetch_add(1, Ordering::Relaxed);
        async { Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())) }
    });
    let response = layer.layer(service).oneshot(get("/closed")).await.unwrap();
    assert_eq!((response.status(), reached.load(Ordering::Relaxed)), (StatusCode::UNAUTHORIZED, 0));
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert!(response.headers().contains_key("www-authenticate"));
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(problem["reasons"][0], "verify.no_credential");
}

#[tokio::test]
async fn the_path_is_decided_as_it_was_sent() {
    let layer = layer(CONFIG);
    for path in ["/open/../closed", "//open", "/open%2fx", "/%2e%2e/open"] {
        let (status, ..) = ask(&layer, get(path)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_without_reading_it_all() {
    let layer = layer(CONFIG);
    let (status, ..) = ask(&layer, post(Full::from("this is seventeen"))).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);

    let taken = Arc::new(AtomicUsize::new(0));
    let body = Frames { left: 1_000_000, taken: Arc::clone(&taken) };
    assert_eq!(ask(&layer, post(body)).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(taken.load(Ordering::Relaxed), 5, "16 bytes and one frame more");
}

#[tokio::test]
async fn monitor_mode_streams_what_it_would_refuse() {
    let layer = layer(&CONFIG.replacen("version = 1", "version = 1\nmode = \"monitor\"", 1));
    let taken = Arc::new(AtomicUsize::new(0));
    let body = Frames { left: 100, taken: Arc::clone(&taken) };
    let response = layer.layer(service_fn(echo::<Frames>)).oneshot(post(body)).await.unwrap();
    assert_eq!((response.status(), response.headers()["decided"].as_bytes()), (StatusCode::OK, &b"deny"[..]));
    assert_eq!(taken.load(Ordering::Relaxed), 5, "the rest is still with the client");
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes().len(), 400);
}

#[tokio::test]
async fn a_response_is_not_held() {
    let layer = layer(CONFIG);
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&taken);
    let service = service_fn(move |_: Request<Replay<Empty<Bytes>>>| {
        let body = Frames { left: 1_000_000, taken: Arc::clone(&counted) };
        async { Ok::<_, Infallible>(Response::new(body)) }
    });
    let mut response = layer.layer(service).oneshot(get("/open")).await.unwrap();
    assert_eq!(taken.load(Ordering::Relaxed), 0);
    let first = response.body_mut().frame().await.unwrap().unwrap();
    assert_eq!((&first.into_data().unwrap()[..], taken.load(Ordering::Relaxed)), (&b"abcd"[..], 1));
}

#[tokio::test]
async fn limits_by_peer_use_the_address_the_host_gives() {
    let layer = layer(CONFIG).with_peer(|extensions| extensions.get::<IpAddr>().copied());
    let from = |last: u8| {
        let mut request = get("/open");
        request.extensions_mut().insert(IpAddr::from([192, 0, 2, last]));
        request
    };
    for _ in 0..2 {
        assert_eq!(ask(&layer, from(1)).await.0, StatusCode::OK);
    }
    let (status, headers, _) = ask(&layer, from(1)).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert!(headers.contains_key("retry-after"));
    assert_eq!(ask(&layer, from(2)).await.0, StatusCode::OK);
}

#[tokio::test]
async fn the_clock_is_the_hosts() {
    let layer = layer(CONFIG).with_clock(|| 86_400_000);
    let service = service_fn(|request: Request<Replay<Empty<Bytes>>>| async move {
        let decision = request.extensions().get::<Arc<Decision>>().unwrap();
        assert_eq!((decision.time_ms, decision.outcome), (86_400_000, Outcome::Allow));
        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
    });
    let response = layer.layer(service).oneshot(get("/open")).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

/// A nonce that ages is renewed on the response of the request that it lets pass.
#[tokio::test]
async fn headers_of_a_decision_that_passes_are_on_the_response() {
    let vector: serde_json::Value = serde_json::from_str(include_str!("vectors/verify/dpop_nonce.json")).unwrap();
    let step = &vector["steps"][3];
    assert_eq!(step["event"]["time_ms"], 1_800_000_060_000_i64);
    let layer = layer(vector["config"].as_str().unwrap()).with_clock(|| 1_800_000_060_000);
    let mut request = Request::get("https://api.example.com/v1/orders");
    for line in step["event"]["request"]["headers"].as_array().unwrap() {
        request = request.header(line[0].as_str().unwrap(), line[1].as_str().unwrap());
    }
    let (status, headers, _) = ask(&layer, request.body(Empty::new()).unwrap()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["dpop-nonce"], step["expect"]["response_headers"][0][1].as_str().unwrap());
}

#[tokio::test]
async fn a_panic_while_deciding_refuses_even_in_monitor_mode() {
    let monitor = CONFIG.replacen("version = 1", "version = 1\nmode = \"monitor\"", 1);
    let layer = layer(&monitor).with_clock(|| panic!("the clock is broken"));
    let (status, _, body) = ask(&layer, get("/open")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(problem["reasons"][0], "internal.panic");
}

const REDACTING: &str = r#"
version = 1
[[endpoint]]
method = "*"
path = "/customer"
anonymous = true
[policy]
text = '''@redact("customer.ssn") permit(principal, action, resource);'''
"#;

/// A service that answers with these frames under this head.
async fn answer(
    config: &str,
    method: &str,
    headers: &[(&'static str, &'static str)],
    frames: &[&'static str],
) -> (Response<impl Body<Data = Bytes, Error = Box<dyn std::error::Error + Send + Sync>>>, Arc<AtomicUsize>) {
    answer_with(200, config, method, headers, frames).await
}

async fn answer_with(
    status: u16,
    config: &str,
    method: &str,
    headers: &[(&'static str, &'static str)],
    frames: &[&'static str],
) -> (Response<impl Body<Data = Bytes, Error = Box<dyn std::error::Error + Send + Sync>>>, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let (counted, frames) = (Arc::clone(&taken), frames.to_vec());
    let headers = headers.to_vec();
    let service = service_fn(move |_: Request<Replay<Empty<Bytes>>>| {
        let mut response = Response::new(Pieces { frames: frames.clone().into(), taken: Arc::clone(&counted) });
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in &headers {
            response.headers_mut().append(*name, value.parse().unwrap());
        }
        async { Ok::<_, Infallible>(response) }
    });
    let request = Request::builder().method(method).uri("/customer").header("host", "shop.test");
    (layer(config).layer(service).oneshot(request.body(Empty::new()).unwrap()).await.unwrap(), taken)
}

/// A body of these frames, counting what is taken.
struct Pieces {
    frames: std::collections::VecDeque<&'static str>,
    taken: Arc<AtomicUsize>,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;
    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(frame) = self.frames.pop_front() else { return Poll::Ready(None) };
        self.taken.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(frame.as_bytes())))))
    }
    fn is_end_stream(&self) -> bool {
        self.frames.is_empty()
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn a_response_is_redacted_frame_by_frame() {
    let stale = [JSON, ("content-length", "61"), ("etag", "\"1\""), ("content-digest", "x"), ("x-kept", "1")];
    let frames = ["{\"customer\":{\"name\":\"Anna\",\"s", "sn\":\"078-", "05-1120", "\"},\"total\":", "1", "}"];
    let (mut response, taken) = answer(REDACTING, "GET", &stale, &frames).await;
    assert_eq!((response.status(), taken.load(Ordering::Relaxed)), (StatusCode::OK, 0), "nothing is held");
    let names: Vec<&str> = response.headers().keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["content-type", "x-kept"]);
    let first = response.body_mut().frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!((&first[..], taken.load(Ordering::Relaxed)), (frames[0].as_bytes(), 1));
    let rest = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(&rest[..], &b"sn\":\"[redacted]\"},\"total\":1}"[..]);
}

#[tokio::test]
async fn a_response_that_cannot_be_redacted_is_not_sent() {
    for headers in [&[("content-type", "text/html")][..], &[], &[JSON, ("content-encoding", "gzip")]] {
        let (response, taken) = answer(REDACTING, "GET", headers, &["secret"]).await;
        assert_eq!((response.status(), taken.load(Ordering::Relaxed)), (StatusCode::FORBIDDEN, 0));
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["reasons"][0], "respond.unredactable");
    }
    let monitor = REDACTING.replacen("version = 1", "version = 1\nmode = \"monitor\"", 1);
    for (config, method, frames) in
        [(REDACTING, "GET", &[][..]), (REDACTING, "HEAD", &[]), (&monitor, "GET", &["plain"])]
    {
        let (response, _) = answer(config, method, &[("content-type", "text/html")], frames).await;
        assert_eq!(response.status(), StatusCode::OK, "{method}");
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), frames.concat());
    }
}

/// 205 is sent with its body by servers and read by clients; a tag or digest of the whole is enough to guess what is hidden.
#[tokio::test]
async fn a_response_without_a_body_has_none_and_tells_of_none() {
    let stale = [JSON, ("etag", "\"1\""), ("content-digest", "x"), ("x-kept", "1")];
    let frames = ["{\"customer\":{\"ssn\":\"078-05-1120\"}}"];
    for (status, method) in [(205, "GET"), (204, "GET"), (304, "GET"), (200, "HEAD")] {
        let (response, _) = answer_with(status, REDACTING, method, &stale, &frames).await;
        assert_eq!(response.status(), status);
        let names: Vec<&str> = response.headers().keys().map(|name| name.as_str()).collect();
        assert_eq!(names, ["content-type", "x-kept"], "{status} {method}");
        assert_eq!(response.body().size_hint().exact(), Some(0));
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "", "{status} {method}");
        let (response, _) = answer_with(status, REDACTING, method, &stale, &[]).await;
        assert!(response.body().is_end_stream());
    }
}

/// What upgrades has an empty body, and then a connection in which nothing would be hidden.
#[tokio::test]
async fn an_upgrade_is_refused_although_its_body_is_empty() {
    for (status, method) in [(101, "GET"), (200, "CONNECT")] {
        let (response, _) = answer_with(status, REDACTING, method, &[("upgrade", "websocket")], &[]).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{status} {method}");
        assert!(response.headers().get("upgrade").is_none());
    }
}

#[tokio::test]
async fn a_response_that_is_not_json_breaks_off() {
    for frames in
        [&["{\"customer\":{\"ssn\":\"078", "\x01-secret\"}}"][..], &["{\"customer\":{\"ssn\":\"078"], &["{}", "x"]]
    {
        let (response, _) = answer(REDACTING, "GET", &[JSON], frames).await;
        assert_eq!(response.status(), StatusCode::OK);
        let mut body = std::pin::pin!(response.into_body());
        let (mut sent, mut broken) = (Vec::new(), 0);
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => sent.extend_from_slice(&frame.into_data().unwrap()),
                Err(_) => broken += 1,
            }
        }
        assert_eq!(broken, 1);
        assert!(!String::from_utf8(sent).unwrap().contains("078"));
    }
}

const AT_ONCE: &str = include_str!("at_once.toml");

#[tokio::test]
async fn a_slot_is_free_when_the_request_ends_however_it_ends() {
    let layer = layer(AT_ONCE);
    let answering = layer.layer(service_fn(|_: Request<Replay<Empty<Bytes>>>| async {
        Ok::<_, &str>(Response::new(Full::<Bytes>::default()))
    }));
    let failing = layer
        .layer(service_fn(|_: Request<Replay<Empty<Bytes>>>| async { Err::<Response<Full<Bytes>>, _>("no service") }));
    let hanging = layer.layer(service_fn(|_: Request<Replay<Empty<Bytes>>>| async {
        std::future::pending::<()>().await;
        Ok::<_, &str>(Response::new(Full::<Bytes>::default()))
    }));
    for _ in 0..3 {
        assert_eq!(answering.clone().oneshot(get("/open")).await.unwrap().status(), StatusCode::OK);
        assert!(failing.clone().oneshot(get("/open")).await.is_err());
    }
    let mut waiting = Box::pin(hanging.oneshot(get("/open")));
    assert!(std::future::poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context).is_pending())).await);
    assert_eq!(answering.clone().oneshot(get("/open")).await.unwrap().status(), StatusCode::TOO_MANY_REQUESTS);
    drop(waiting);
    assert_eq!(answering.clone().oneshot(get("/open")).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_service_says_what_a_request_cost() {
    let costly = layer(AT_ONCE).layer(service_fn(|_: Request<Replay<Empty<Bytes>>>| async {
        let mut response = Response::new(Full::<Bytes>::default());
        response.extensions_mut().insert(zt_core::tower::Cost(200));
        Ok::<_, Infallible>(response)
    }));
    assert_eq!(costly.clone().oneshot(get("/open")).await.unwrap().status(), StatusCode::OK);
    assert_eq!(costly.oneshot(get("/open")).await.unwrap().status(), StatusCode::TOO_MANY_REQUESTS);
}
