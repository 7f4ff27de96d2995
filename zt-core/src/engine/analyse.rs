//! What is odd about the policies of a configuration, and what changes from one configuration to another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::compile::authorization;
use super::zt_toml::ZtToml;
use super::{Config, Engine, Invalid};
use crate::model::{Problem, Source};
use crate::policy::{self, Anonymous, Difference, METHODS, Moved, Policy, Turn, analysis};
use crate::route::{Endpoint, Router};

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
        let surroundings = analysis::Surroundings { roles: &roles, scopes: &scopes, anonymous: &anonymous };
        let mut found = policy::analyse(policy, &surroundings);
        place(config, &mut found);
        found
    }

    /// What policies newly allow and newly deny in another configuration. Without `[policy]` everything is allowed to
    /// whoever passes what comes before policies.
    ///
    /// # Errors
    /// When a configuration without `[policy]` has endpoints that no policy could name.
    pub fn policy_difference(&self, new: &Self) -> Result<Difference, Invalid> {
        let difference =
            policy::difference_of(&*self.policies()?, &*new.policies()?, &moved(&self.router, &new.router));
        Ok(Difference { anonymous: anonymous(&self.router, &new.router), ..difference })
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

/// Places that were counted in `policy.text` are counted in the text of the configuration, where it has one.
fn place(config: &Config, found: &mut [analysis::Finding]) {
    let Some(Ok(source)) = config.text.as_ref().map(|text| ZtToml::parse(text.expose())) else { return };
    for finding in found.iter_mut().filter(|finding| finding.file.is_none() && finding.line.is_some()) {
        let mut problem = [Problem::new("policy.text", "").at(None, finding.line, finding.column)];
        source.lift(&mut problem);
        source.locate(&mut problem);
        let [problem] = problem;
        (finding.line, finding.column) = (problem.line, problem.column);
    }
}

/// Endpoints that newly ask for a credential, or for none; one that comes or goes counts where it asks for none.
fn anonymous(old: &Router, new: &Router) -> Vec<Anonymous> {
    fn open(router: &Router) -> BTreeSet<&str> {
        router.endpoints().iter().filter(|endpoint| endpoint.anonymous).map(|endpoint| &*endpoint.id).collect()
    }
    let (old, new) = (open(old), open(new));
    let turned = |turn| move |id: &&str| Anonymous { endpoint: (*id).to_owned(), turn };
    let allowed = new.difference(&old).map(turned(Turn::Allowed));
    allowed.chain(old.difference(&new).map(turned(Turn::Denied))).collect()
}

/// Requests that are of another endpoint in the new configuration: an endpoint may keep its id and be for others, and one
/// that comes or goes takes requests of those whose templates overlap its own.
fn moved(old: &Router, new: &Router) -> Moved {
    let by_id = |router: &'_ Router| -> BTreeMap<Arc<str>, Endpoint> {
        router.endpoints().iter().map(|endpoint| (Arc::clone(&endpoint.id), endpoint.clone())).collect()
    };
    let (of_old, of_new) = (by_id(old), by_id(new));
    let same = |a: &Endpoint, b: &Endpoint| a.template == b.template && a.method == b.method;
    let stays = |of: &Endpoint| match (of_old.get(&of.id), of_new.get(&of.id)) {
        (Some(old), Some(new)) => same(old, new),
        _ => false,
    };
    let mut moved = Moved::default();
    for (id, old) in &of_old {
        let Some(new) = of_new.get(id).filter(|new| !same(old, new) && !widened(old, new)) else { continue };
        let names = [old, new].map(|endpoint| format!("{id} ({} {})", endpoint.method, endpoint.template));
        moved.apart.insert((**id).to_owned(), names);
    }
    for from in old.endpoints() {
        let stays_here = stays(from);
        for to in new.endpoints().iter().filter(|to| !(stays_here && stays(to))) {
            let paired = from.id == to.id && !moved.apart.contains_key(&*from.id);
            if paired || !old.overlaps(from, new, to) {
                continue;
            }
            let (at, methods) =
                ([from, to].map(|endpoint| Some(endpoint.index as usize)), [&*from.method, &*to.method]);
            if methods[0] == methods[1] || methods.contains(&"*") || methods.iter().all(|m| ["GET", "HEAD"].contains(m))
            {
                moved.handed_on.push((at, format!("{} (before: {})", to.id, from.id)));
            }
            // What is more specific keeps from an endpoint for any method the requests that it does not answer itself.
            match methods {
                ["*", "*"] => {}
                ["*", _] => moved.handed_on.push(([at[0], None], format!("none (before: {})", from.id))),
                [_, "*"] => moved.handed_on.push(([None, at[1]], format!("{} (before: none)", to.id))),
                _ => {}
            }
        }
    }
    moved
}

/// Whether only methods that policies tell apart come or go at the same paths.
fn widened(old: &Endpoint, new: &Endpoint) -> bool {
    let grouped = |method: &str| METHODS.iter().any(|(known, _)| *known == method);
    old.template == new.template && matches!([&*old.method, &*new.method], ["*", one] | [one, "*"] if grouped(one))
}

#[cfg(test)]
mod tests {
    use crate::Engine;
    use crate::policy::{Anonymous, Redacted, Turn};

    fn engine(endpoints: &[(&str, &str, &str)]) -> Engine {
        let endpoint = |(id, method, path): &(&str, &str, &str)| {
            format!("[[endpoint]]\nid = \"{id}\"\nmethod = \"{method}\"\npath = \"{path}\"\n")
        };
        let endpoints: String = endpoints.iter().map(endpoint).collect();
        let closed =
            endpoints.contains("\"admin\"").then_some("forbid(principal, action == Action::\"admin\", resource);");
        let permit = "permit(principal in Role::\"a\", action, resource in Segment::\"all\");";
        let policy = format!("{permit} {}", closed.unwrap_or_default());
        let segment = "[[segment]]\nname = \"all\"\npaths = [\"/**\"]\n";
        Engine::from_toml(&format!("version = 1\n{segment}{endpoints}[policy]\ntext = '{policy}'\n"), &[]).unwrap()
    }

    #[test]
    fn a_finding_about_a_policy_in_the_configuration_has_its_line_there() {
        let endpoint = "[[endpoint]]\nid = \"a\"\nmethod = \"GET\"\npath = \"/a\"";
        let places = |text: &str| {
            let text = format!("version = 1\n{endpoint}\n[policy]\ntext = {text}\n");
            let config = crate::Config::from_toml(&text).unwrap();
            let found = Engine::new(&config).unwrap().policy_findings(&config);
            found.iter().map(|finding| (finding.line, finding.column)).collect::<Vec<_>>()
        };
        let permit = "permit(principal, action, resource);";
        assert_eq!(places(&format!("\"\"\"\n\n  {permit}\"\"\"")), [(Some(9), Some(3)); 2]);
        assert_eq!(places(&format!("'{permit}'")), [(Some(7), Some(9)); 2]);
        // Escapes move what follows them.
        assert_eq!(places(&format!("\"\\t{permit}\"")), [(Some(7), None); 2]);
    }

    /// Turns and endpoints.
    fn changes(old: &[(&str, &str, &str)], new: &[(&str, &str, &str)]) -> Vec<String> {
        let found = engine(old).policy_difference(&engine(new)).unwrap();
        let line = |change: &crate::policy::Change| {
            let at: Vec<String> = change
                .endpoints
                .iter()
                .map(|place| {
                    format!("{}{}", place.id, place.method.as_deref().map(|m| format!(" {m}")).unwrap_or_default())
                })
                .collect();
            format!("{:?} {} {}", change.turn, change.segments.join(","), at.join(", "))
        };
        found.changes.iter().map(line).collect()
    }

    #[test]
    fn what_is_hidden_and_who_needs_no_credential_are_compared() {
        let config = |anonymous: bool, permit: &str| {
            let text = format!(
                "version = 1\n[[endpoint]]\nid = \"a\"\nmethod = \"GET\"\npath = \"/a\"\nanonymous = {anonymous}\n[policy]\n\
                 text = '''{permit} permit(principal, action, resource);'''\n"
            );
            Engine::from_toml(&text, &[]).unwrap()
        };
        let (old, new) =
            (config(false, "@id(\"p\") @redact(\"ssn, name\")"), config(true, "@id(\"p\") @redact(\"name, iban\")"));
        assert!(old.policy_difference(&old).unwrap().is_empty());
        let found = old.policy_difference(&new).unwrap();
        assert!(!found.is_empty() && found.changes.is_empty(), "{found:?}");
        let strings = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let redacted = Redacted { policy: "p".to_owned(), shown: strings(&["ssn"]), hidden: strings(&["iban"]) };
        assert_eq!(found.redactions, [redacted]);
        assert_eq!(found.anonymous, [Anonymous { endpoint: "a".to_owned(), turn: Turn::Allowed }]);
        let gone = new.policy_difference(&config(false, "")).unwrap();
        assert_eq!(gone.redactions[0].shown, ["iban", "name"]);
        assert_eq!(gone.anonymous[0].turn, Turn::Denied);
    }

    #[test]
    fn an_endpoint_that_is_for_other_requests_is_another_one() {
        let none: [&str; 0] = [];
        let item = ("item", "GET", "/a/{id}");
        assert_eq!(changes(&[item], &[item]), none);
        assert_eq!(
            changes(&[item], &[("item", "GET", "/b/{id}")]),
            ["Allowed  item (GET /b/{id})", "Denied  item (GET /a/{id})"]
        );
        assert_eq!(
            changes(&[item], &[("item", "POST", "/a/{id}")]),
            ["Allowed  item (POST /a/{id})", "Denied  item (GET /a/{id})"]
        );
        let widened = changes(&[item], &[("item", "*", "/a/{id}")]);
        let [one] = widened.as_slice() else { panic!("{widened:?}") };
        assert!(one.starts_with("Allowed") && one.contains("item POST") && !one.contains("GET"), "{one}");
        let narrowed = changes(&[("item", "*", "/a/{id}")], &[item]);
        assert!(
            narrowed.len() == 1 && narrowed[0].starts_with("Denied") && !narrowed[0].contains("GET"),
            "{narrowed:?}"
        );
    }

    #[test]
    fn what_comes_or_goes_takes_requests_of_others() {
        let (all, admin) = (("all", "GET", "/**"), ("admin", "GET", "/admin"));
        assert_eq!(changes(&[all, admin], &[all]), ["Allowed  all (before: admin)"]);
        assert_eq!(changes(&[all], &[all, admin]), ["Denied  admin (before: all)"]);
        let (any, other) = (("all", "*", "/**"), ("other", "GET", "/other"));
        assert!(
            changes(&[any], &[any, other])
                .iter()
                .any(|line| line.starts_with("Denied") && line.contains("none (before: all)"))
        );
        assert!(
            changes(&[any, other], &[any])
                .iter()
                .any(|line| line.starts_with("Allowed") && line.contains("all (before: none)"))
        );
    }
}
