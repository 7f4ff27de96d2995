//! `xtask-wasm IN.wasm OUT_DIR`: what the command `wasm-bindgen` does, as a library of the pinned version.

use std::env;
use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [input, out] = arguments.as_slice() else {
        eprintln!("usage: xtask-wasm IN.wasm OUT_DIR");
        return ExitCode::from(2);
    };
    match generate(input, out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn generate(input: &str, out: &str) -> Result<(), String> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(input).typescript(false).omit_default_module_path(true).remove_producers_section(true);
    // A trap leaves the instance unusable; worker.js puts a new one in its place.
    bindgen.reset_state_function(true);
    bindgen.web(true).and_then(|bindgen| bindgen.generate(out)).map_err(|e| format!("wasm-bindgen: {e:#}"))
}
