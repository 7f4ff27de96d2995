//! `cargo xtask demo`: the shop behind zt on loopback, honest and hostile requests against it over real HTTP, then
//! recorded traffic through an engine. It fails when any answer is not the one that is due.
//!
//! ```text
//! zt-demo            everything
//! zt-demo replay     only the recorded traffic; [--sample N] requests of it
//!   --out FILE            writes the decisions, one a line
//!   --write-events FILE   writes the events they are for
//!   --write-config FILE   writes the configuration they were made under
//! ```
//! Another runtime that decides those events under that configuration must write the same decisions, byte for byte.
#![expect(clippy::print_stdout, reason = "a demo is what it prints")]

mod attack;
mod client;
mod clock;
mod replay;
mod scenario;
mod table;
mod traffic;

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Instant;

use axum_shop::issuer;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.first().map(String::as_str) {
        None => demo(),
        Some("replay") => {
            replay::Options::read(&arguments[1..]).and_then(|options| replay::run(&options).map(|()| true))
        }
        Some(other) => Err(format!("`{other}` is not a command; there is `replay`").into()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("zt-demo: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether everything came out as it must.
fn demo() -> Result<bool> {
    let forge = attack::Forge::new(clock::now()).map_err(|_| "cannot make keys")?;
    let (partner_key, digest) = issuer::api_key().map_err(|_| "cannot make a key")?;
    let engine = axum_shop::engine(&forge.issuer.jwks().to_string(), &digest)?;
    println!("the shop's zt.toml, OpenAPI document and policies are compiled: policy version {}", engine.version());
    let cases = scenario::cases(&forge, &partner_key).map_err(|_| "cannot sign")?;

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_io().build()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0)))?;
    let server = listener.local_addr()?;
    let app =
        axum_shop::app(axum_shop::layer(engine, issuer::seed().map_err(|_| "no randomness")?).with_clock(clock::now));
    runtime.spawn(async { axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await });
    println!("it listens on http://{server}; every request below is bytes on a connection of its own");

    let start = Instant::now();
    let score = table::run(server, &cases)?;
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "\n{} honest and {} hostile requests in {seconds:.2} s, {} answered otherwise than is due",
        score.honest, score.hostile, score.wrong
    );
    runtime.shutdown_background();

    println!();
    replay::run(&replay::Options::default())?;
    Ok(score.wrong == 0)
}
