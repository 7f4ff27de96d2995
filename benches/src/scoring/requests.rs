//! Recorded requests, as they were and with the headers that browsers and apps send.

use zt_core::model::{Event, Request};

use crate::detection;

const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "okhttp/4.12.0",
];
const LANGUAGES: [&str; 3] = ["en-US,en;q=0.5", "de-DE,de;q=0.9,en;q=0.7", "es"];
/// Requests of one visit.
const VISIT: usize = 20;

/// Normal requests that are learned and that are tested.
///
/// # Errors
/// Where the recordings are not there.
pub(super) fn csic() -> Result<(Vec<Request<'static>>, Vec<Request<'static>>), String> {
    let requests = |events: Vec<Event>| events.into_iter().map(Event::into_request).collect();
    detection::normal().map(|(learned, tested)| (requests(learned), requests(tested)))
}

/// With eight more headers each: the recordings have none, or one.
pub(super) fn with_headers(mut requests: Vec<Request<'static>>) -> Vec<Request<'static>> {
    for (number, request) in requests.iter_mut().enumerate() {
        let visit = number / VISIT;
        let of = |all: &[&'static str]| all.get(visit % all.len()).copied().unwrap_or_default().to_owned();
        let session = (visit as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        let headers = [
            ("Host", "shop.example".to_owned()),
            ("User-Agent", of(&AGENTS)),
            ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8".to_owned()),
            ("Accept-Language", of(&LANGUAGES)),
            ("Accept-Encoding", "gzip, deflate, br".to_owned()),
            ("Connection", "keep-alive".to_owned()),
            ("Referer", "https://shop.example/tienda1/index.jsp".to_owned()),
            ("Cookie", format!("JSESSIONID={session:032X}")),
        ];
        request.headers.extend(headers.into_iter().map(|(name, value)| (name.into(), value.into())));
    }
    requests
}

/// Bytes that are looked at.
pub(super) fn bytes(request: &Request<'_>) -> usize {
    let headers: usize = request.headers.iter().map(|(name, value)| name.bytes().len() + value.bytes().len()).sum();
    let query = request.query.as_ref().map_or(0, |query| query.bytes().len());
    let body = request.body.as_ref().map_or(0, |body| body.bytes().len());
    request.path.bytes().len() + query + body + headers
}
