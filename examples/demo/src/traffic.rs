//! Where the replayed traffic comes from.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde_json::json;

const NEIGHBOUR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
const RECORDED: &str = "traffic/blazehttp.jsonl.gz";
const SAMPLES: u64 = 4_000;

/// Lines of events, and where they are from.
pub(crate) struct Traffic {
    pub(crate) from: String,
    pub(crate) length: u64,
    pub(crate) lines: Box<dyn Iterator<Item = io::Result<String>>>,
}

/// Recorded requests where they are, else some made here.
pub(crate) fn open() -> io::Result<Traffic> {
    let folder = std::env::var_os("ZT_DATA").map_or_else(|| PathBuf::from(NEIGHBOUR), PathBuf::from);
    let path = folder.join(RECORDED);
    if !path.is_file() {
        let lines = (0..SAMPLES).map(|number| Ok(made(number)));
        let from =
            format!("no recorded traffic at {} (`ZT_DATA` names another folder): made here instead", path.display());
        return Ok(Traffic { from, length: SAMPLES, lines: Box::new(lines) });
    }
    let length = read(&path)?.count() as u64;
    Ok(Traffic { from: format!("recorded traffic: {RECORDED}"), length, lines: Box::new(read(&path)?) })
}

fn read(path: &Path) -> io::Result<impl Iterator<Item = io::Result<String>> + use<>> {
    Ok(BufReader::new(MultiGzDecoder::new(File::open(path)?)).lines())
}

/// A request that is as it should be, or one with a structural fault, in a fixed order.
fn made(number: u64) -> String {
    let long = "a".repeat(9_000);
    let deep = "[".repeat(200);
    let get = |path: &str, query: &str| json!({"method": "GET", "path": path, "query": query, "headers": [["Host", "shop.test"]]});
    let post = |kind: &str, body: &str| {
        json!({"method": "POST", "path": "/v1/orders", "headers": [["Host", "shop.test"], ["Content-Type", kind]],
               "body": body, "body_len": body.len()})
    };
    let (label, request) = match number % 20 {
        13 => ("attack", get("/static/../../etc/passwd", "")),
        14 => ("attack", get("/files/%2e%2e%2fsecret", "")),
        15 => ("attack", get("/v1/products", "q=%00")),
        16 => ("attack", post("application/json", &deep)),
        17 => ("attack", post("application/json", r#"{"role":"user","role":"admin"}"#)),
        18 => ("attack", post("application/json", r#"{"qty":1"#)),
        19 => ("attack", get(&format!("/{long}"), "")),
        n if n % 2 == 0 => ("normal", get(&format!("/v1/products/{number}"), "expand=items&limit=10")),
        _ => (
            "normal",
            post("application/json", &format!(r#"{{"product":{number},"qty":2,"note":"leave at the door"}}"#)),
        ),
    };
    let time_ms = crate::clock::START + i64::try_from(number).unwrap_or(0) * 10;
    json!({"id": format!("made-{number}"), "time_ms": time_ms, "request": request, "label": label}).to_string()
}
