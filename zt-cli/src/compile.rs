//! `zt compile`: a configuration and all that it names as one file.

use serde_json::json;

use crate::args::Compile;
use crate::configuration::Configuration;
use crate::output::Output;
use crate::signing::PrivateKey;
use crate::{Ending, Failure, whole};

pub(crate) fn run(arguments: &Compile) -> Result<Ending, Failure> {
    // A key that cannot be used is told before the work.
    let key = arguments.sign.as_deref().map(PrivateKey::read).transpose()?;
    let mut bundle = Configuration::read(Some(&arguments.config))?.bundle()?;
    if let Some(key) = &key {
        let signed = bundle.signed(&key.public(), |message| key.sign(message));
        bundle = signed.map_err(|error| Failure(format!("cannot sign: {error}")))?;
    }
    whole::write(&arguments.out, bundle.bytes())?;
    let (bytes, version, path) = (bundle.bytes().len(), bundle.version(), arguments.out.display().to_string());
    let mut output = Output::new();
    if arguments.json {
        output.json(&json!({"bundle": path, "bytes": bytes, "version": version, "signed": key.is_some()}))?;
    } else {
        let signed = if key.is_some() { "signed" } else { "not signed" };
        output.line(&format!("{path}: {bytes} bytes, version {version}, {signed}"))?;
    }
    output.finish()?;
    Ok(Ending::Clean)
}
