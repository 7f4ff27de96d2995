//! A response body that is redacted while it streams.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::header::HeaderName;
use http::{HeaderMap, Method, Response};
use http_body::{Body, Frame, SizeHint};

use crate::model;
use crate::respond::{Redaction, Redactor, STALE_HEADERS, SWITCHING_PROTOCOLS};

type BoxError = Box<dyn Error + Send + Sync>;

/// A response's body behind the Layer: the service's own, through a [`Redactor`] where the decision asks for one.
///
/// A body that cannot be read as JSON breaks off with an error, so that the client sees that it is not whole.
#[derive(Debug)]
pub struct Redacted<R> {
    body: R,
    redactor: Option<Box<Redactor>>,
    /// Nothing more is sent after an error.
    broken: bool,
}

/// The response with its body to be redacted where that is due, or none where that cannot be done.
pub(super) fn redacted<R: Body>(
    redaction: Redaction,
    method: &Method,
    response: Response<R>,
) -> Option<Response<Redacted<R>>> {
    let upgrades = status(method, &response) == SWITCHING_PROTOCOLS;
    let redactor = match redaction {
        Redaction::None => None,
        Redaction::Stream(redactor) => Some(redactor),
        // What upgrades has an empty body, and then a connection of its own.
        Redaction::Refuse(_) if !upgrades && response.body().is_end_stream() => None,
        Redaction::Refuse(_) => return None,
    };
    let mut response = response.map(|body| Redacted { body, redactor, broken: false });
    if response.body().redactor.is_some() {
        remove_stale(response.headers_mut());
    }
    Some(response)
}

fn remove_stale(headers: &mut HeaderMap) {
    STALE_HEADERS.iter().for_each(|name| drop(headers.remove(HeaderName::from_static(name))));
}

impl<R> Redacted<R> {
    /// Whether its end is the end of the body inside, whole or not.
    fn is_left_alone(&self) -> bool {
        self.redactor.as_ref().is_none_or(|redactor| redactor.drops())
    }
}

impl<R> Redacted<R>
where
    R: Body + Unpin,
    R::Error: Into<BoxError>,
{
    fn data(&mut self, mut data: R::Data) -> Result<Bytes, BoxError> {
        // `Bytes` themselves are not copied.
        let piece = data.copy_to_bytes(data.remaining());
        let Some(redactor) = &mut self.redactor else { return Ok(piece) };
        let mut out = Vec::with_capacity(piece.len());
        redactor.push(&piece, &mut out)?;
        Ok(out.into())
    }

    fn finish(&mut self) -> Result<(), BoxError> {
        self.redactor.as_ref().map_or(Ok(()), |redactor| Ok(redactor.finish()?))
    }

    fn checked<T>(&mut self, result: Result<T, BoxError>) -> Result<T, BoxError> {
        self.broken |= result.is_err();
        result
    }

    fn frame(&mut self, frame: Frame<R::Data>) -> Result<Frame<Bytes>, BoxError> {
        match frame.into_data() {
            Ok(data) => self.data(data).map(Frame::data),
            Err(frame) => {
                self.finish()?;
                let mut trailers = frame.into_trailers().unwrap_or_default();
                if self.redactor.is_some() {
                    remove_stale(&mut trailers);
                }
                Ok(Frame::trailers(trailers))
            }
        }
    }
}

impl<R> Body for Redacted<R>
where
    R: Body + Unpin,
    R::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        while !self.broken {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => {
                    let error = self.checked(Err(error.into()));
                    return Poll::Ready(Some(error));
                }
                None => {
                    let end = self.finish();
                    return Poll::Ready(self.checked(end).err().map(Err));
                }
            };
            let frame = self.frame(frame);
            let frame = self.checked(frame);
            // All of it was hidden: an empty frame could be taken for the end.
            if frame.as_ref().is_ok_and(|frame| frame.data_ref().is_some_and(Bytes::is_empty)) {
                continue;
            }
            return Poll::Ready(Some(frame));
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        // Its end is seen only when it is asked for: whether it is whole is not known before.
        self.broken || (self.is_left_alone() && self.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.redactor {
            None => self.body.size_hint(),
            Some(redactor) if redactor.drops() => SizeHint::with_exact(0),
            Some(_) => SizeHint::default(),
        }
    }
}

/// A response's head as the engine sees it. What answers a HEAD request has no body, whatever its head says.
pub(super) fn head<'r, R: Body>(method: &Method, response: &'r Response<R>) -> model::Response<'r> {
    let headers = response.headers().iter();
    let headers = headers.map(|(name, value)| (name.as_str().into(), value.as_bytes().into())).collect();
    let empty = method == Method::HEAD || response.body().size_hint().exact() == Some(0);
    let cost = response.extensions().get::<super::Cost>().map(|cost| cost.0);
    model::Response {
        status: status(method, response),
        headers,
        body_len: empty.then_some(0),
        cost,
        ..model::Response::default()
    }
}

/// A response's status as the engine sees it: a CONNECT that succeeds goes over to another protocol, as 101 does.
fn status<R>(method: &Method, response: &Response<R>) -> u16 {
    let tunnel = method == Method::CONNECT && response.status().is_success();
    if tunnel { SWITCHING_PROTOCOLS } else { response.status().as_u16() }
}
