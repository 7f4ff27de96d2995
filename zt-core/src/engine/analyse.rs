//! What is odd about the policies of a configuration, and what changes from one configuration to another.

use std::sync::Arc;

use super::compile::authorization;
use super::{Config, Engine, Invalid};
use crate::model::Source;
use crate::policy::{self, Difference, Policy, analysis};

impl Engine {
    /// What is odd about its policies: what can never match, is shadowed, open to everybody or to nobody, or not used.
    /// The configuration that it was compiled from says which roles callers have.
    pub fn policy_findings(&self, config: &Config) -> Vec<analysis::Finding> {
        let Some(policy) = &self.policy else { return Vec::new() };
        let verify = &config.verify;
        let spiffe = verify.spiffe.iter().flat_map(|domain| &domain.workload).flat_map(|workload| &workload.roles);
        let workloads = verify.workload.iter().flat_map(|workload| &workload.roles);
        let keys = verify.api_key.iter().flat_map(|key| &key.roles);
        let roles: Vec<&str> = keys.chain(workloads).chain(spiffe).map(String::as_str).collect();
        let scopes: Vec<&str> = verify.api_key.iter().flat_map(|key| &key.scopes).map(String::as_str).collect();
        let endpoints = self.router.endpoints().iter();
        let anonymous: Vec<&str> = endpoints.filter(|endpoint| endpoint.anonymous).map(|e| &*e.id).collect();
        policy::analyse(policy, &analysis::Surroundings { roles: &roles, scopes: &scopes, anonymous: &anonymous })
    }

    /// What policies newly allow and newly deny in another configuration. Without `[policy]` everything is allowed to
    /// whoever passes what comes before policies.
    ///
    /// # Errors
    /// When a configuration without `[policy]` has endpoints that no policy could name.
    pub fn policy_difference(&self, new: &Self) -> Result<Difference, Invalid> {
        Ok(policy::difference(&*self.policies()?, &*new.policies()?))
    }

    /// Its policies, or what their absence means.
    fn policies(&self) -> Result<Arc<Policy>, Invalid> {
        if let Some(policy) = &self.policy {
            return Ok(Arc::clone(policy));
        }
        let open = Source { key: "policy".to_owned(), name: None, text: "permit(principal, action, resource);" };
        authorization(&policy::Config::default(), &[open], &self.router).map(Arc::new).map_err(Invalid)
    }
}
