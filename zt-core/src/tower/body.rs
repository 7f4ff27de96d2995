//! Reads a body up to a limit and replays it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

/// What was read of a body.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// The first bytes: all of a body within the limit, else more than the limit by at most one frame.
    pub(super) bytes: Bytes,
    /// True length, or of a body that is longer than the limit as much of it as is known.
    pub(super) length: u64,
    trailers: Option<HeaderMap>,
    ended: bool,
}

/// Reads until the end or past the limit. A body that announces more than the limit is not read at all.
pub(super) async fn read<B>(mut body: B, limit: usize) -> Result<(Read, B), B::Error>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut read = Read { length: body.size_hint().lower(), ..Read::default() };
    if read.length > limit as u64 {
        return Ok((read, body));
    }
    let mut joined = BytesMut::new();
    let mut first = Bytes::new();
    while first.len().saturating_add(joined.len()) <= limit {
        let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await else {
            read.ended = true;
            break;
        };
        match frame?.into_data() {
            // Most bodies come in one frame and are not copied; many small ones are joined, so that a byte a
            // frame costs a byte.
            Ok(data) if first.is_empty() && joined.is_empty() => first = data,
            Ok(data) => {
                joined.extend_from_slice(&std::mem::take(&mut first));
                joined.extend_from_slice(&data);
            }
            Err(frame) => {
                read.trailers = frame.into_trailers().ok();
                read.ended = true;
                break;
            }
        }
    }
    read.bytes = if joined.is_empty() { first } else { joined.freeze() };
    read.length = read.length.max(read.bytes.len() as u64);
    Ok((read, body))
}

impl Read {
    /// The same body again: what was read, then the rest.
    pub(super) fn replay<B>(self, rest: B) -> Replay<B> {
        let rest = if self.ended { None } else { Some(rest) };
        Replay { bytes: Some(self.bytes).filter(|bytes| !bytes.is_empty()), trailers: self.trailers, rest }
    }
}

/// A request's body behind the Layer: what was read to decide, then what was not.
#[derive(Debug)]
pub struct Replay<B> {
    bytes: Option<Bytes>,
    trailers: Option<HeaderMap>,
    rest: Option<B>,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Replay<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if let Some(bytes) = self.bytes.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        if let Some(trailers) = self.trailers.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        Poll::Ready(ready!(Pin::new(rest).poll_frame(context)))
    }

    fn is_end_stream(&self) -> bool {
        let read = self.bytes.is_none() && self.trailers.is_none();
        read && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let here = self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
        let rest = self.rest.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint);
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(here));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(here));
        }
        hint
    }
}
