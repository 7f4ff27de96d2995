//! An HTTP/1.1 client that sends exactly the bytes it is given: no library tidies the path or the headers.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(10);
const LONGEST_ANSWER: u64 = 1 << 20;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Status, or 0 where the server closed without a word.
    pub(crate) status: u16,
    /// Head, as text.
    pub(crate) head: String,
    /// Body, as text.
    pub(crate) body: String,
    /// From the first byte sent to the last received.
    pub(crate) elapsed: Duration,
}

/// Sends one request on a connection of its own and reads until the server closes it.
pub(crate) fn send(server: SocketAddr, request: &[u8]) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let start = Instant::now();
    // A server that has seen enough may answer and close before all is sent.
    let _ = stream.write_all(request);
    let mut bytes = Vec::new();
    let read = stream.take(LONGEST_ANSWER).read_to_end(&mut bytes);
    if bytes.is_empty() {
        read?;
    }
    let elapsed = start.elapsed();
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned(), elapsed })
}

impl Answer {
    /// The first value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    }

    /// The first reason code of a problem document; nothing where the refusal is not zt's.
    pub(crate) fn code(&self) -> Option<String> {
        self.problem()["reasons"][0].as_str().map(str::to_owned)
    }

    /// The outcome that a problem document's type names.
    pub(crate) fn outcome(&self) -> Option<String> {
        self.problem()["type"].as_str()?.rsplit(':').next().map(str::to_owned)
    }

    fn problem(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// A request, line by line.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Raw {
    /// Method and target as they stand on the request line.
    pub(crate) fn new(method: &str, target: impl AsRef<[u8]>) -> Self {
        let head = [method.as_bytes(), b" ", target.as_ref(), b" HTTP/1.1\r\nhost: api.shop.test\r\n"].concat();
        Self { head, body: Vec::new() }
    }

    /// Adds a header line.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.head.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        self
    }

    /// Adds a bearer token (RFC 6750).
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Adds a JSON body with its length.
    pub(crate) fn json(self, body: &str) -> Self {
        self.body("application/json", body.as_bytes())
    }

    /// Adds a body with its type and length.
    pub(crate) fn body(self, content_type: &str, body: &[u8]) -> Self {
        let length = body.len().to_string();
        let mut raw = self.header("content-type", content_type).header("content-length", &length);
        raw.body = body.to_vec();
        raw
    }

    /// Adds bytes after the head, whatever the head says of them.
    pub(crate) fn bytes_after(mut self, bytes: &[u8]) -> Self {
        self.body.extend_from_slice(bytes);
        self
    }

    /// The bytes on the wire.
    pub(crate) fn finish(&self) -> Vec<u8> {
        [&self.head[..], b"connection: close\r\n\r\n", &self.body].concat()
    }
}
