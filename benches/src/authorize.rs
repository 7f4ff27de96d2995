//! zt's policies of a workload, and its requests as routing and verification hand them over.

use std::sync::Arc;

use zt_core::model::{Assurance, Identity, IdentityKind, Problem, Source};
use zt_core::policy::{Answer, Config, Effect, Endpoint, Policy, Request, Vocabulary};

use crate::workload::Workload;

/// Compiled policies and requests to them.
#[derive(Debug)]
pub struct Authorization {
    policy: Policy,
    asked: Vec<Asked>,
}

#[derive(Debug)]
struct Asked {
    identity: Identity,
    endpoint: usize,
    segment: String,
    method: &'static str,
    risk: f64,
    now: i64,
}

impl Authorization {
    /// Compiles the policies.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn new(workload: &Workload) -> Result<Self, String> {
        let policy = compile(workload)?;
        let asked = |asked: &crate::workload::Asked| {
            let (user, place) = (&workload.users[asked.user], &workload.endpoints[asked.endpoint]);
            let roles: Arc<[Box<str>]> = user.roles.iter().map(|role| Box::from(role.as_str())).collect();
            let assurance = Assurance {
                acr: asked.acr().map(Arc::from),
                issued_at_ms: Some(asked.issued_at_ms()),
                ..Assurance::default()
            };
            Asked {
                identity: Identity { roles, assurance, ..Identity::new(IdentityKind::Jwt, user.id.as_str()) },
                endpoint: asked.endpoint,
                segment: place.segment.clone(),
                method: place.method,
                risk: asked.risk as f64 / 1_000.0,
                now: asked.now_ms,
            }
        };
        Ok(Self { policy, asked: workload.requests.iter().map(asked).collect() })
    }

    /// What is decided of a request.
    pub fn answer(&self, at: usize) -> Answer {
        self.policy.evaluate(&self.request(at))
    }

    /// And what that means.
    pub fn effect(&self, at: usize) -> Effect {
        self.policy.effect(&self.answer(at))
    }

    fn request(&self, at: usize) -> Request<'_> {
        let asked = &self.asked[at];
        Request {
            identity: Some(&asked.identity),
            endpoint: asked.endpoint,
            segment: Some(&asked.segment),
            method: asked.method,
            risk: asked.risk,
            now: asked.now,
            ..Request::default()
        }
    }
}

/// Text to compiled: parsed, strictly validated, compiled, indexed.
///
/// # Errors
/// Every mistake.
pub fn compile(workload: &Workload) -> Result<Policy, String> {
    let endpoint = |place: &'_ crate::workload::Place| (place.id.clone(), place.method, place.segment.clone());
    let places: Vec<_> = workload.endpoints.iter().map(endpoint).collect();
    let endpoints: Vec<Endpoint<'_>> =
        places.iter().map(|(id, method, segment)| Endpoint { id, method, segment: Some(segment) }).collect();
    let segments = workload.segments();
    let vocabulary = Vocabulary { endpoints: &endpoints, segments: &segments, elsewhere: &[] };
    let text = workload.cedar("in");
    let source = Source { key: "policy.text".to_owned(), name: None, text: &text };
    let told = |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    Policy::compile(&Config::default(), &[source], &vocabulary).map_err(told)
}
