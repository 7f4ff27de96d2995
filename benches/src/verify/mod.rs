//! Verification of tokens: zt beside the bare signature check and beside what is used for it in Rust, Python and Node,
//! on the same tokens.

mod attacks;
mod cold;
mod payload;
mod peers;
mod repeated;

use zt_benches::figure::Figure;
use zt_core::engine::Config;
use zt_core::verify::{State, Verified, Verifier};

pub(crate) use attacks::{figures as attacks, record};
use payload::Payload;
pub(crate) use peers::{data, root};

/// The table of `verify`.
pub(crate) fn figures() -> Vec<Figure> {
    all().unwrap_or_else(|error| vec![Figure::missing("verify", "ns", error)])
}

fn all() -> Result<Vec<Figure>, String> {
    let payload = Payload::new()?;
    let mut rows = Rows::default();
    let mut figures = cold::figures(&payload, &mut rows)?;
    let (beside, fast_jwt) = peers::figures(&payload, &rows)?;
    figures.extend(repeated::figures(&payload, fast_jwt)?);
    figures.extend(beside);
    Ok(figures)
}

/// One measured verifier.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) verifier: String,
    pub(crate) alg: String,
    /// `cold`, `repeated`, or `each` where nothing is remembered.
    pub(crate) way: String,
    pub(crate) ns: f64,
}

#[derive(Debug, Default)]
pub(crate) struct Rows(Vec<Row>);

impl Rows {
    fn add(&mut self, verifier: &str, alg: &str, way: &str, ns: f64) {
        self.0.push(Row { verifier: verifier.to_owned(), alg: alg.to_owned(), way: way.to_owned(), ns });
    }

    /// The row of this verifier, by the start of its name.
    fn of(&self, verifier: &str, alg: &str, way: &str) -> Option<f64> {
        self.0
            .iter()
            .find(|row| row.verifier.starts_with(verifier) && row.alg == alg && row.way == way)
            .map(|row| row.ns)
    }
}

/// zt's verifier and what it remembers.
pub(crate) struct Subject(Verifier, State);

impl Subject {
    fn verify(&self, token: &str, now: i64) -> Verified {
        self.0.verify_token(&self.1, token.as_bytes(), now)
    }

    fn proves(&self, token: &str, now: i64) -> bool {
        let verified = self.verify(token, now);
        verified.identity.is_some() && verified.findings.is_empty()
    }
}

fn verifier(config: &str) -> Result<Subject, String> {
    let config = Config::from_toml(config).map_err(|invalid| invalid.to_string())?;
    let told = |problems: Vec<_>| zt_core::engine::Invalid(problems).to_string();
    let verifier = Verifier::compile(&config.verify).map_err(told)?;
    let state = State::new(&verifier, 7);
    Ok(Subject(verifier, state))
}
