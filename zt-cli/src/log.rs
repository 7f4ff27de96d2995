//! `zt log`: proves a decision log; and the log that `zt decide` writes.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use zt_core::engine::Laps;
use zt_core::engine::log::{Anchor, Broken, Chain, Key, Proof, Why};
use zt_core::model::{Decision, Request};
use zt_core::wire::LogReport;

use crate::args::{DecisionLog, LogVerify};
use crate::input::{LONGEST_LINE, Line, Lines};
use crate::output::Output;
use crate::{Ending, Failure, configuration, events, progress};

/// `zt log verify`.
pub(crate) fn verify(arguments: &LogVerify) -> Result<Ending, Failure> {
    let mut proof = Proof::new(key(arguments.key_file.as_deref())?);
    let anchor = |text: &String| text.parse::<Anchor>().map_err(|error| Failure(format!("`{text}`: {error}")));
    if let Some(record) = arguments.after.as_ref().map(anchor).transpose()? {
        proof = proof.after(record);
    }
    if let Some(record) = arguments.holding.as_ref().map(anchor).transpose()? {
        proof = proof.holding(record);
    }
    let standard_input = [PathBuf::from("-")];
    let files = if arguments.files.is_empty() { &standard_input[..] } else { &arguments.files };
    let bar = progress::bar(files);
    // Lines are numbered in their own file, and the files are one log.
    let (mut place, mut taken) = (None, Ok(()));
    for path in files {
        // A cut line at the end of one file is seen here, and named with it.
        if taken.is_err() || proof.unreadable() {
            break;
        }
        place = Some(path);
        taken = read(path, &bar, &mut proof)?;
    }
    bar.finish_and_clear();
    let report = LogReport::new(proof, taken);
    tell(&report, place, arguments)?;
    Ok(if report.ok { Ending::Clean } else { Ending::Findings })
}

fn read(path: &Path, bar: &indicatif::ProgressBar, proof: &mut Proof) -> Result<Result<(), Broken>, Failure> {
    let unreadable = |error| Failure(format!("cannot read `{}`: {error}", events::name(path)));
    let mut lines = Lines::open(path, bar).map_err(unreadable)?;
    while let Some((number, line)) = lines.next().map_err(unreadable)? {
        let taken = match line {
            Line::Whole(bytes) => proof.line(number, bytes),
            Line::TooLong => Err(Broken { line: number, why: Why::NotARecord }),
        };
        if taken.is_err() {
            return Ok(taken);
        }
    }
    Ok(Ok(()))
}

fn tell(report: &LogReport, place: Option<&PathBuf>, arguments: &LogVerify) -> Result<(), Failure> {
    let mut output = Output::new();
    if arguments.common.json {
        output.json(report)?;
        return output.finish();
    }
    if let Some(broken) = &report.broken {
        let name = place.map(|path| events::name(path)).unwrap_or_default();
        output.line(&format!("{name}:{}: {}", broken.line, broken.message))?;
    }
    let holds = if report.ok { "the log holds" } else { "hold before it" };
    output.line(&format!("{} records, {holds}", report.records))?;
    if let Some(last) = &report.last {
        output.line(&format!("last: {last}"))?;
    }
    output.finish()
}

/// The log that `zt decide` writes: new, or after the last line of the one that is there.
pub(crate) struct Writer {
    chain: Chain,
    file: BufWriter<File>,
    path: PathBuf,
}

impl Writer {
    pub(crate) fn open(arguments: &DecisionLog) -> Result<Option<Self>, Failure> {
        let Some(path) = &arguments.log else { return Ok(None) };
        let mut chain = Chain::new();
        if let Some(key) = key(arguments.log_key_file.as_deref())? {
            chain = chain.with_key(key);
        }
        if let Some(key) = key(arguments.log_inputs_key_file.as_deref())? {
            chain = chain.with_inputs_key(key);
        }
        if let Some(last) = last_line(path)? {
            let cannot = |why| Failure(format!("cannot go on with the log `{}`: its last line: {why}", path.display()));
            chain = chain.after(&last).map_err(cannot)?;
        }
        let file = File::options().append(true).create(true).open(path).map_err(|error| unwritable(path, &error))?;
        Ok(Some(Self { chain, file: BufWriter::new(file), path: path.clone() }))
    }

    pub(crate) fn write(
        &mut self,
        decision: &Decision,
        request: &Request<'_>,
        laps: Option<&Laps>,
    ) -> Result<(), Failure> {
        let line = self.chain.record(decision, request, laps);
        writeln!(self.file, "{line}").map_err(|error| unwritable(&self.path, &error))
    }

    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        let written = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        written.map_err(|error| unwritable(&self.path, &error))
    }
}

/// The last line of a file, as it stands; none of one that is empty or not there.
fn last_line(path: &Path) -> Result<Option<String>, Failure> {
    use io::{Read as _, Seek as _, SeekFrom};
    let failed = |error: &io::Error| Failure(format!("cannot read `{}`: {error}", path.display()));
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&error)),
    };
    let length = fs::metadata(path).map_err(|error| failed(&error))?.len();
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST_LINE))).map_err(|error| failed(&error))?;
    file.read_to_end(&mut tail).map_err(|error| failed(&error))?;
    if tail.is_empty() {
        return Ok(None);
    }
    // Without its line break, the next line would be written into it.
    let Some(lines) = tail.strip_suffix(b"\n") else {
        return Err(Failure(format!("cannot go on with the log `{}`: its last line is not whole", path.display())));
    };
    let last = lines.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(Some(String::from_utf8_lossy(last).into_owned()))
}

fn key(path: Option<&Path>) -> Result<Option<Key>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let key = Key::from_file(&configuration::text(path)?);
    key.map(Some).map_err(|error| Failure(format!("`{}`: {error}", path.display())))
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure(format!("cannot write `{}`: {error}", path.display()))
}
