//! A [tower](https://docs.rs/tower-layer) Layer over `http` types: every request is decided before it reaches the
//! service, in axum, hyper, tonic and everything else that speaks tower.
//!
//! - A refused request is answered with a problem document (RFC 9457) and never reaches the service.
//! - A request that passes carries the [`Decision`] (as `Arc<Decision>`) and, where there is one, the
//!   [`Identity`] in its extensions.
//! - A body is read up to [`Engine::body_limit`] and replayed; of a longer one nothing more is held, and where it
//!   passes all the same (monitor mode) the rest streams on. A response is never held.
//! - A panic while deciding refuses (`internal.panic`).
//!
//! Put it outermost: what runs before it is not protected, and a layer that rewrites the path hides what was sent.
//! Header lines reach it as `http` keeps them: names in lower case, repeats grouped.
//!
//! Where a policy hides members (`@redact`), the response is redacted while it streams ([`Redacted`]): the service has to
//! answer with plain JSON, so a layer that compresses belongs outside of this one. A response that cannot be redacted is
//! answered with a problem document in its place (`respond.unredactable`).
//!
//! Limits that wait for the end of a request (`concurrent`, `cost = "response"`) learn of it from the response's head, or
//! when there will be none. A service says what a request cost by a [`Cost`] in the extensions of its response.
//!
//! ```
//! use std::sync::Arc;
//! use zt_core::tower::ZtLayer;
//! use zt_core::{Engine, State};
//!
//! # #[cfg(feature = "compile")] fn run() -> Result<(), zt_core::engine::Invalid> {
//! let engine = Arc::new(Engine::from_toml("version = 1", &[])?);
//! let state = Arc::new(State::new(&engine));
//! let layer = ZtLayer::new(engine, state);
//! // axum: Router::new().route(...).layer(layer)
//! # Ok(()) }
//! ```

mod body;
mod ending;
mod redacted;
mod refusal;
mod request;

pub use body::Replay;
pub use ending::Cost;
pub use redacted::Redacted;

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Extensions, Method, Request, Response, request::Parts};
use http_body::Body;
use http_body_util::{Either, Full};
use tower_layer::Layer;
use tower_service::Service;

use self::ending::Ending;
use crate::engine::{Current, Invalid};
use crate::model::{Decision, Identity, Millis};
use crate::{Engine, State, wire};

/// Decides every request before the service inside sees it.
#[derive(Clone)]
pub struct ZtLayer {
    engine: Arc<Current>,
    state: Arc<State>,
    clock: fn() -> Millis,
    peer: fn(&Extensions) -> Option<IpAddr>,
}

impl ZtLayer {
    /// Decides with this engine and this state, on the system clock, knowing no peer address.
    pub fn new(engine: Arc<Engine>, state: Arc<State>) -> Self {
        Self { engine: Arc::new(Current::new(engine)), state, clock: system_clock, peer: |_| None }
    }

    /// Replaces the key set of one issuer, here and in every clone and service of this layer, while requests are decided.
    ///
    /// # Errors
    /// As of [`Engine::with_jwks`]; the old set stays in force then.
    pub fn replace_keys(&self, issuer: &str, jwks: &str) -> Result<(), Invalid> {
        self.engine.replace_keys(&self.state, issuer, jwks)
    }

    /// Takes the time from this clock.
    pub fn with_clock(mut self, clock: fn() -> Millis) -> Self {
        self.clock = clock;
        self
    }

    /// Takes the peer's address from the request's extensions, where the server put it; in axum
    /// `|e| e.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())`. Limits by `peer` need it.
    pub fn with_peer(mut self, peer: fn(&Extensions) -> Option<IpAddr>) -> Self {
        self.peer = peer;
        self
    }

    /// A panic is a refusal: it must not become a request that passes, nor a connection that dies unexplained.
    fn decide(&self, parts: &Parts, body: &body::Read) -> Decision {
        let decide = || {
            let request = request::of(parts, (self.peer)(&parts.extensions), body);
            self.engine.load().decide(&self.state, &request, (self.clock)())
        };
        catch_unwind(AssertUnwindSafe(decide)).unwrap_or_else(|_| wire::panic_decision("", 0))
    }

    /// Adds what the decision wants said to the client, tells the engine how the request ended, and sees to it that what
    /// is to be hidden is; a response of which it cannot be is answered in its place.
    fn finish<R: Body>(&self, decision: &Decision, method: &Method, mut response: Response<R>) -> Answer<R> {
        refusal::add_headers(decision, response.headers_mut());
        let observe = || {
            let (engine, head) = (self.engine.load(), redacted::head(method, &response));
            (engine.observe(&self.state, decision, &head, (self.clock)()), engine.redactor(decision, &head))
        };
        // A panic here can let nothing pass but what is to be hidden: the request has been decided.
        match catch_unwind(AssertUnwindSafe(observe)) {
            Ok((observed, redaction)) => match redacted::redacted(redaction, method, response) {
                Some(response) => response.map(Either::Right),
                None => refusal::unredactable(&observed).map(Either::Left),
            },
            Err(_) => refusal::answer(&wire::panic_decision(&decision.id, 0)).map(Either::Left),
        }
    }
}

/// A refusal, or what the service answers.
type Answer<R> = Response<Either<Full<Bytes>, Redacted<R>>>;

impl fmt::Debug for ZtLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZtLayer").field("version", &self.engine.load().version()).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for ZtLayer {
    type Service = ZtService<S>;

    fn layer(&self, inner: S) -> ZtService<S> {
        ZtService { layer: self.clone(), inner }
    }
}

/// A service behind a [`ZtLayer`].
#[derive(Clone, Debug)]
pub struct ZtService<S> {
    layer: ZtLayer,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for ZtService<S>
where
    S: Service<Request<Replay<B>>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Send,
    R: Body,
{
    type Response = Answer<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let layer = self.layer.clone();
        // The service that was polled ready is the one to call; its clone need not be.
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let Ok((read, body)) = body::read(body, layer.engine.load().body_limit()).await else {
                return Ok(refusal::broken_body().map(Either::Left));
            };
            let decision = Arc::new(layer.decide(&parts, &read));
            if !decision.passes() {
                return Ok(refusal::answer(&decision).map(Either::Left));
            }
            parts.extensions.insert(Arc::clone(&decision));
            if let Some(identity) = &decision.identity {
                parts.extensions.insert(Identity::clone(identity));
            }
            let method = parts.method.clone();
            let ending = Ending::of(&layer, &decision);
            let response = inner.call(Request::from_parts(parts, read.replay(body))).await?;
            // From here on it is the response that tells.
            ending.told();
            Ok(layer.finish(&decision, &method, response))
        })
    }
}

/// Milliseconds since the Unix epoch. A clock before 1970 reads 0: every token is then "not valid yet".
#[expect(clippy::disallowed_types, reason = "the Layer is the host's side: somebody must read the clock")]
fn system_clock() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX))
}
