//! Cedar's own interpreter. Actions are methods, compared with `==`: less work than zt's groups.

use std::collections::{HashMap, HashSet};
use std::hint::black_box;
use std::str::FromStr as _;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request, Response,
    RestrictedExpression,
};
use zt_benches::workload::{Asked, Workload};

/// Entities of the request and its context made for each request, from its fields.
pub(crate) const NAME: &str = "cedar-policy 4.14.1";
/// Every entity and every request made before.
pub(crate) const PREBUILT: &str = "cedar-policy 4.14.1, all prebuilt";

pub(crate) struct Subject {
    policies: PolicySet,
    types: HashMap<&'static str, EntityTypeName>,
    entities: Entities,
    requests: Vec<Request>,
}

impl Subject {
    pub(crate) fn new(workload: &Workload) -> Result<Self, String> {
        let policies = PolicySet::from_str(&workload.cedar("==")).map_err(|error| error.to_string())?;
        let mut types = HashMap::new();
        for ty in ["User", "Role", "Action", "Endpoint", "Segment"] {
            types.insert(ty, EntityTypeName::from_str(ty).map_err(|error| error.to_string())?);
        }
        let mut subject = Self { policies, types, entities: Entities::empty(), requests: Vec::new() };
        let users = (0..workload.users.len()).map(|at| subject.user(at, workload));
        let endpoints = (0..workload.endpoints.len()).map(|at| subject.endpoint(at, workload));
        let all: Vec<Entity> = users.chain(endpoints).collect();
        let requests = workload.requests.iter().map(|asked| subject.request(asked, workload)).collect::<Result<_, _>>();
        subject.requests = requests?;
        subject.entities = Entities::from_entities(all, None).map_err(|error| error.to_string())?;
        Ok(subject)
    }

    /// The first `sample` answers must be the right ones, with the policies that determine them.
    pub(crate) fn check(&self, workload: &Workload, sample: usize) -> Result<(), String> {
        for (at, asked) in workload.requests.iter().enumerate().take(sample) {
            let (allowed, determining) = workload.answer(asked);
            let wanted: HashSet<String> = determining.iter().map(|policy| format!("policy{policy}")).collect();
            let entities = self.entities_of(asked, workload)?;
            for response in [self.ask(&self.requests[at], &entities), self.ask(&self.requests[at], &self.entities)] {
                let reason: HashSet<String> = response.diagnostics().reason().map(ToString::to_string).collect();
                let errors = response.diagnostics().errors().count();
                if (response.decision() == Decision::Allow) != allowed || reason != wanted || errors > 0 {
                    return Err(format!("{NAME} answers request {at} with {response:?}, not {allowed} by {wanted:?}"));
                }
            }
        }
        Ok(())
    }

    pub(crate) fn decides(&self, asked: &Asked, workload: &Workload) {
        let asked = black_box(asked);
        if let (Ok(request), Ok(entities)) = (self.request(asked, workload), self.entities_of(asked, workload)) {
            black_box(self.ask(&request, &entities));
        }
    }

    pub(crate) fn decides_prebuilt(&self, at: usize) {
        black_box(self.ask(&self.requests[black_box(at)], &self.entities));
    }

    fn ask(&self, request: &Request, entities: &Entities) -> Response {
        Authorizer::new().is_authorized(request, &self.policies, entities)
    }

    fn entities_of(&self, asked: &Asked, workload: &Workload) -> Result<Entities, String> {
        let both = [self.user(asked.user, workload), self.endpoint(asked.endpoint, workload)];
        Entities::from_entities(both, None).map_err(|error| error.to_string())
    }

    fn request(&self, asked: &Asked, workload: &Workload) -> Result<Request, String> {
        let place = &workload.endpoints[asked.endpoint];
        let long = RestrictedExpression::new_long;
        let mut pairs = vec![
            ("risk".to_owned(), long(asked.risk)),
            ("hour".to_owned(), long(asked.hour())),
            ("token_age_s".to_owned(), long(asked.token_age_s)),
        ];
        pairs.extend(asked.acr().map(|acr| ("acr".to_owned(), RestrictedExpression::new_string(acr.to_owned()))));
        let context = Context::from_pairs(pairs).map_err(|error| error.to_string())?;
        let principal = self.uid("User", &workload.users[asked.user].id);
        let (action, resource) = (self.uid("Action", place.method), self.uid("Endpoint", &place.id));
        Request::new(principal, action, resource, context, None).map_err(|error| error.to_string())
    }

    fn user(&self, at: usize, workload: &Workload) -> Entity {
        let user = &workload.users[at];
        let roles = user.roles.iter().map(|role| self.uid("Role", role));
        Entity::new_no_attrs(self.uid("User", &user.id), roles.collect())
    }

    fn endpoint(&self, at: usize, workload: &Workload) -> Entity {
        let place = &workload.endpoints[at];
        Entity::new_no_attrs(self.uid("Endpoint", &place.id), HashSet::from([self.uid("Segment", &place.segment)]))
    }

    fn uid(&self, ty: &str, id: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(self.types[ty].clone(), EntityId::new(id))
    }
}
