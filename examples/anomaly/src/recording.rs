//! Where the traffic comes from.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use zt_core::model::{Event, Millis};

use crate::Result;

/// Beside the project.
const SHARED: &str = "../shared/data";
const RECORDED: &str = "traffic/shop_abuse.jsonl.gz";
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A file of events, one a line.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) path: PathBuf,
    pub(crate) events: u64,
    pub(crate) first: Millis,
    pub(crate) last: Millis,
}

impl Recording {
    /// # Errors
    /// Where it is not there, is empty, or begins or ends with what is no event.
    pub(crate) fn open(file: Option<&Path>) -> Result<Self> {
        let path = file.map_or_else(|| folder().join(RECORDED), Path::to_owned);
        if !path.is_file() {
            return Err(format!(
                "there is no recording at {}: name one with `--file FILE` (JSON Lines of events, .jsonl or .jsonl.gz), \
                 or the folder that has {RECORDED} in `ZT_DATA`",
                path.display()
            )
            .into());
        }
        let (mut events, mut first, mut last) = (0, None, None);
        for line in lines(&path)? {
            let line = line?;
            if first.is_none() {
                first = Some(time(&path, &line)?);
            }
            last = Some(line);
            events += 1;
        }
        let (Some(first), Some(last)) = (first, last) else {
            return Err(format!("{} is empty", path.display()).into());
        };
        let last = time(&path, &last)?.max(first);
        Ok(Self { path, events, first, last })
    }

    pub(crate) fn lines(&self) -> io::Result<impl Iterator<Item = io::Result<String>> + use<>> {
        lines(&self.path)
    }
}

fn folder() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("."));
    std::env::var_os("ZT_DATA").map_or_else(|| root.join(SHARED), PathBuf::from)
}

fn time(path: &Path, line: &str) -> Result<Millis> {
    let event: Event = serde_json::from_str(line).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(event.time_ms)
}

/// Those that are not empty, gzipped or not.
fn lines(path: &Path) -> io::Result<impl Iterator<Item = io::Result<String>> + use<>> {
    let mut file = File::open(path)?;
    let mut start = Vec::new();
    file.by_ref().take(GZIP.len() as u64).read_to_end(&mut start)?;
    file.rewind()?;
    let read: Box<dyn Read> = if start == GZIP { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let lines = BufReader::new(read).lines();
    Ok(lines.filter(|line| !line.as_ref().is_ok_and(|line| line.trim().is_empty())))
}
