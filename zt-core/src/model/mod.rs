//! Plain data that crosses every boundary; no behaviour beyond reading and writing itself.
//!
//! The forms are those of the contract: one JSON shape for a request, a response, a decision and a recorded event,
//! the same in Rust, Python, Node, WASM, on the command line and in the conformance vectors.

mod action;
mod code;
mod decision;
mod event;
mod identity;
mod learned;
mod mode;
mod problem;
mod request;
mod response;
mod schema;
mod source;
mod text;
mod ticket;

pub use action::{Action, ActionKind, Rung, SubjectKind};
pub use code::{Code, Stage};
pub use decision::{Client, Decision, EndpointRef, Finding, Obligation, Outcome, Reason};
pub use event::{Event, Login};
pub use identity::{Assurance, Identity, IdentityKind};
pub use learned::{ClientKind, LearnedLimit, LearnedLimits, RecommendedLimit};
pub use mode::Mode;
pub use problem::Problem;
pub use request::{Header, Peer, Request};
pub use response::{Response, ResponseDecision, Verdict};
pub use schema::schemas;
pub use source::Source;
pub use text::{Body, Text};
pub use ticket::{Ticket, TicketKey};

/// Milliseconds since the Unix epoch, UTC.
pub type Millis = i64;
