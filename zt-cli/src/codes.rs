//! `zt codes`: every reason code with what it calls for.

use zt_core::model::Code;
use zt_core::wire;

use crate::args::Codes;
use crate::output::Output;
use crate::{Ending, Failure};

pub(crate) fn run(arguments: &Codes) -> Result<Ending, Failure> {
    let mut output = Output::new();
    if arguments.common.json {
        output.line(&wire::op("codes", "null").map_err(Failure)?)?;
    } else {
        for code in Code::ALL {
            let (outcome, status) = (code.outcome().as_str(), code.status());
            output.line(&format!("{:<28} {outcome:<9} {status}  {}", code.as_str(), code.sentence()))?;
        }
    }
    output.finish()?;
    Ok(Ending::Clean)
}
