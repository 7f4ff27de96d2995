//! A part of the Numenta Anomaly Benchmark's corpus: series, and the windows in which something is known to have happened.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use lzma_rust2::XzReader;
use serde_json::Value;
use zt_core::base::calendar;
use zt_core::model::Millis;

use crate::verify::data;

/// One series.
pub(super) struct Recorded {
    pub(super) times: Vec<Millis>,
    pub(super) values: Vec<f64>,
    /// First and last time of each.
    pub(super) windows: Vec<(Millis, Millis)>,
}

/// All of the part, in the order of their names.
///
/// # Errors
/// Where they are not there or are none.
pub(super) fn load() -> Result<Vec<Recorded>, String> {
    let windows = json("combined_windows.json")?;
    let windows = windows.as_object().ok_or("no windows")?;
    let path = data().join("series/data.tar.xz");
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    let file = BufReader::new(File::open(&path).map_err(told)?);
    let mut archive = tar::Archive::new(XzReader::new(file, true));
    let mut series = BTreeMap::new();
    for entry in archive.entries().map_err(told)? {
        let mut entry = entry.map_err(told)?;
        let name = name(&entry.path().map_err(told)?);
        let Some(windows) = windows.get(&name).and_then(Value::as_array) else { continue };
        let mut text = String::new();
        entry.read_to_string(&mut text).map_err(told)?;
        let recorded = recorded(&text, windows).ok_or_else(|| format!("{name} is no series"))?;
        series.insert(name, recorded);
    }
    if series.len() < windows.len() {
        return Err(format!("{}: {} of {} series", path.display(), series.len(), windows.len()));
    }
    Ok(series.into_values().collect())
}

/// A document beside the series.
///
/// # Errors
/// Where it is not there or is none.
pub(super) fn json(name: &str) -> Result<Value, String> {
    let path = data().join("series").join(name);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Without the archive's own folder.
fn name(path: &Path) -> String {
    path.iter().skip(1).map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn recorded(text: &str, windows: &[Value]) -> Option<Recorded> {
    let window = |window: &Value| Some((time(window[0].as_str()?)?, time(window[1].as_str()?)?));
    let row = |row: &str| {
        let (at, value) = row.split_once(',')?;
        Some((time(at)?, value.parse::<f64>().ok()?))
    };
    let rows: Option<Vec<(Millis, f64)>> = text.lines().skip(1).map(row).collect();
    let (times, values) = rows?.into_iter().unzip();
    Some(Recorded { times, values, windows: windows.iter().map(window).collect::<Option<_>>()? })
}

/// `2014-04-10 07:15:00`, and a fraction that is not looked at.
fn time(text: &str) -> Option<Millis> {
    let text = text.split('.').next()?;
    let numbers: Result<Vec<i64>, _> = text.split(['-', ' ', ':']).map(str::parse).collect();
    let [year, month, day, hour, minute, second] = numbers.ok()?.try_into().ok()?;
    Some((((calendar::days(year, month, day)? * 24 + hour) * 60 + minute) * 60 + second) * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_windows() {
        let windows = serde_json::json!([["1970-01-02 00:00:00.000000", "1970-01-02 00:05:00.000000"]]);
        let text = "timestamp,value\n1970-01-02 00:00:00,1.5\n1970-01-02 00:05:00,-2\n";
        let read = recorded(text, windows.as_array().unwrap()).unwrap();
        assert_eq!((read.times, read.values), (vec![86_400_000, 86_700_000], vec![1.5, -2.0]));
        assert_eq!(read.windows, [(86_400_000, 86_700_000)]);
        for wrong in ["", "1970-01-02", "1970-13-02 00:00:00", "1970-01-02 00:00", "x"] {
            assert_eq!(time(wrong), None, "{wrong}");
        }
        assert_eq!(name(Path::new("data/realAdExchange/x.csv")), "realAdExchange/x.csv");
    }
}
