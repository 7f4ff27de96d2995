//! The policies and requests that authorization is measured on, the same for zt and for every peer.
//!
//! Nine permits in ten, `permit(principal in Role, action, resource in Segment)`, three in ten of them with a condition;
//! one forbid in ten, with one. Roles grow with the policies, nine permits and a forbid for each, and are three at least.
//! 200 endpoints in 12 segments under 5 methods; a caller has three roles. However many policies there are, one or more have the caller, method
//! and segment of two requests in five in their scope, so that a larger set means more to look through and not more to do.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// Requests.
pub const REQUESTS: usize = 1_024;
const ENDPOINTS: usize = 200;
const SEGMENTS: usize = 12;
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const USERS: usize = 256;
/// Draws of a caller and an endpoint for one request, at most.
const DRAWS: usize = 1_000;
/// 2026-03-02, midnight UTC.
const MIDNIGHT: i64 = 1_772_409_600_000;
/// What a token says of strong authentication.
pub const MFA: &str = "mfa";

/// What a policy asks of the request beside its scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    None,
    /// Strong authentication, and a risk below this.
    MfaAndRisk(i64),
    /// A token younger than this, in seconds.
    TokenAge(i64),
    /// An hour from the first to before the second.
    Hours(i64, i64),
    /// A risk above this.
    Risk(i64),
    /// No strong authentication.
    NoMfa,
}

/// One policy.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Or it forbids.
    pub permits: bool,
    /// Principals in this role.
    pub role: String,
    /// Actions under this method.
    pub method: &'static str,
    /// Resources in this segment.
    pub segment: String,
    /// Its condition.
    pub condition: Condition,
}

impl Rule {
    fn scope(&self) -> (&str, &'static str, &str) {
        (&self.role, self.method, &self.segment)
    }
}

/// One request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Index of the user.
    pub user: usize,
    /// Index of the endpoint.
    pub endpoint: usize,
    /// Per mille.
    pub risk: i64,
    /// Whether the caller authenticated strongly.
    pub mfa: bool,
    /// Seconds since its token was issued.
    pub token_age_s: i64,
    /// The clock.
    pub now_ms: i64,
}

/// An endpoint.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its `operationId`.
    pub id: String,
    /// Its method.
    pub method: &'static str,
    /// Its segment.
    pub segment: String,
}

/// A user.
#[derive(Clone, Debug)]
pub struct User {
    /// Its name.
    pub id: String,
    /// Its three roles.
    pub roles: [String; 3],
}

/// Policies and requests.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Policies.
    pub rules: Vec<Rule>,
    /// Endpoints.
    pub endpoints: Vec<Place>,
    /// Users.
    pub users: Vec<User>,
    /// Requests.
    pub requests: Vec<Asked>,
}

/// A small deterministic generator (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }

    fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.roll((high - low) as usize) as i64
    }
}

impl Workload {
    /// So many policies; the same ones every time.
    pub fn new(policies: usize) -> Self {
        let mut dice = Dice(0x2026_1122 ^ policies as u64);
        let segment = |at: usize| format!("segment-{at}");
        let place = |at: usize| Place {
            id: format!("operation{at}"),
            method: METHODS[at % METHODS.len()],
            segment: segment(at % SEGMENTS),
        };
        // As many as a caller has at least, so that none of a caller's roles is in no policy.
        let roles = (policies / 10).max(3);
        let rule = |at: usize, dice: &mut Dice| {
            let permits = at % 10 != 9;
            let condition = match (permits, dice.roll(10), dice.roll(3)) {
                (true, 3.., _) => Condition::None,
                (true, _, 0) => Condition::MfaAndRisk(dice.between(200, 900)),
                (true, _, 1) => Condition::TokenAge(dice.between(300, 3_600)),
                (true, ..) => Condition::Hours(dice.between(6, 10), dice.between(16, 22)),
                (false, 5.., _) => Condition::Risk(dice.between(600, 950)),
                (false, ..) => Condition::NoMfa,
            };
            Rule {
                permits,
                role: format!("role-{}", at * roles / policies),
                method: METHODS[dice.roll(METHODS.len())],
                segment: segment(dice.roll(SEGMENTS)),
                condition,
            }
        };
        let rules: Vec<Rule> = (0..policies).map(|at| rule(at, &mut dice)).collect();
        let user = |at: usize, dice: &mut Dice| {
            let first = dice.roll(roles);
            let second = (first + 1 + dice.roll(roles - 2)) % roles;
            let third = (0..roles).find(|role| *role != first && *role != second).unwrap_or_default();
            let third = (0..8).map(|_| dice.roll(roles)).find(|r| *r != first && *r != second).unwrap_or(third);
            User { id: format!("user-{at}"), roles: [first, second, third].map(|role| format!("role-{role}")) }
        };
        let users: Vec<User> = (0..USERS).map(|at| user(at, &mut dice)).collect();
        let endpoints: Vec<Place> = (0..ENDPOINTS).map(place).collect();
        let scopes: BTreeSet<_> = rules.iter().map(Rule::scope).collect();
        let in_scope = |user: usize, endpoint: usize| {
            let (roles, Place { method, segment, .. }): (&[String; 3], _) = (&users[user].roles, &endpoints[endpoint]);
            roles.iter().any(|role| scopes.contains(&(role.as_str(), *method, segment.as_str())))
        };
        let who_and_where = |dice: &mut Dice| {
            let wanted = dice.roll(5) < 2;
            let mut draws = (0..DRAWS).map(|_| (dice.roll(USERS), dice.roll(ENDPOINTS)));
            draws.find(|(user, endpoint)| in_scope(*user, *endpoint) == wanted).unwrap_or_default()
        };
        let asked = |(user, endpoint): (usize, usize), dice: &mut Dice| Asked {
            user,
            endpoint,
            risk: dice.between(0, 1_000),
            mfa: dice.roll(10) < 7,
            token_age_s: dice.between(0, 4_000),
            now_ms: MIDNIGHT + dice.between(0, 86_400) * 1_000,
        };
        let requests = (0..REQUESTS).map(|_| asked(who_and_where(&mut dice), &mut dice)).collect();
        Self { rules, endpoints, users, requests }
    }

    /// Names of the segments.
    pub fn segments(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.endpoints.iter().map(|endpoint| endpoint.segment.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The numbers of the policies that determine the answer, and whether it is to allow: by looking at every policy.
    pub fn answer(&self, asked: &Asked) -> (bool, Vec<usize>) {
        let fitting: Vec<usize> = (0..self.rules.len()).filter(|at| self.fits(&self.rules[*at], asked)).collect();
        let (permits, forbids): (Vec<usize>, Vec<usize>) = fitting.into_iter().partition(|at| self.rules[*at].permits);
        let allowed = forbids.is_empty() && !permits.is_empty();
        (allowed, if allowed { permits } else { forbids })
    }

    fn fits(&self, rule: &Rule, asked: &Asked) -> bool {
        let endpoint = &self.endpoints[asked.endpoint];
        let holds = match rule.condition {
            Condition::None => true,
            Condition::MfaAndRisk(below) => asked.mfa && asked.risk < below,
            Condition::TokenAge(below) => asked.token_age_s < below,
            Condition::Hours(from, until) => (from..until).contains(&asked.hour()),
            Condition::Risk(above) => asked.risk > above,
            Condition::NoMfa => !asked.mfa,
        };
        rule.method == endpoint.method
            && rule.segment == endpoint.segment
            && self.users[asked.user].roles.contains(&rule.role)
            && holds
    }

    /// The policies in Cedar. Actions are endpoints in groups by method for zt, and the methods themselves (`==`), which
    /// is less work, for the peers.
    pub fn cedar(&self, action: &str) -> String {
        let mfa = format!("context has acr && context.acr == \"{MFA}\"");
        let rule = |rule: &Rule| {
            let Rule { permits, role, method, segment, condition } = rule;
            let effect = if *permits { "permit" } else { "forbid" };
            let when = match condition {
                Condition::None => String::new(),
                Condition::MfaAndRisk(below) => format!(" when {{ {mfa} && context.risk < {below} }}"),
                Condition::TokenAge(below) => {
                    format!(" when {{ context has token_age_s && context.token_age_s < {below} }}")
                }
                Condition::Hours(from, until) => {
                    format!(" when {{ context.hour >= {from} && context.hour < {until} }}")
                }
                Condition::Risk(above) => format!(" when {{ context.risk > {above} }}"),
                Condition::NoMfa => format!(" unless {{ {mfa} }}"),
            };
            format!(
                "{effect}(principal in Role::\"{role}\", action {action} Action::\"{method}\", resource in Segment::\"{segment}\"){when};\n"
            )
        };
        self.rules.iter().map(rule).collect()
    }

    /// A configuration of zt with these policies and endpoints, for its bindings.
    pub fn config(&self) -> String {
        let mut text = "version = 1\n".to_owned();
        for segment in self.segments() {
            text += &format!("[[segment]]\nname = \"{segment}\"\npaths = [\"/{segment}/**\"]\n");
        }
        for Place { id, method, segment } in &self.endpoints {
            text +=
                &format!("[[endpoint]]\nid = \"{id}\"\nmethod = \"{method}\"\npath = \"/{segment}/{id}/{{item}}\"\n");
        }
        text + "[policy]\ntext = '''\n" + &self.cedar("in") + "'''\n"
    }

    /// All of it, with the right answers, for the programs of the peers.
    pub fn document(&self) -> Value {
        let rule = |rule: &Rule| {
            let (kind, a, b) = match rule.condition {
                Condition::None => ("none", 0, 0),
                Condition::MfaAndRisk(below) => ("mfa_and_risk", below, 0),
                Condition::TokenAge(below) => ("token_age", below, 0),
                Condition::Hours(from, until) => ("hours", from, until),
                Condition::Risk(above) => ("risk", above, 0),
                Condition::NoMfa => ("no_mfa", 0, 0),
            };
            json!({"permits": rule.permits, "role": rule.role, "method": rule.method, "segment": rule.segment,
                   "kind": kind, "a": a, "b": b})
        };
        let asked = |asked: &Asked| {
            let (user, endpoint) = (&self.users[asked.user], &self.endpoints[asked.endpoint]);
            let (allowed, determining) = self.answer(asked);
            json!({"user": user.id, "roles": user.roles, "endpoint": endpoint.id, "method": endpoint.method,
                   "segment": endpoint.segment, "risk": asked.risk, "mfa": asked.mfa,
                   "token_age_s": asked.token_age_s, "hour": asked.hour(), "now_ms": asked.now_ms,
                   "allowed": allowed, "determining": determining})
        };
        json!({
            "policies": self.rules.len(), "cedar": self.cedar("=="), "config": self.config(),
            "rules": self.rules.iter().map(rule).collect::<Vec<_>>(),
            "users": self.users.iter().map(|user| json!({"id": user.id, "roles": user.roles})).collect::<Vec<_>>(),
            "endpoints": self.endpoints.iter().map(|e| json!({"id": e.id, "segment": e.segment})).collect::<Vec<_>>(),
            "requests": self.requests.iter().map(asked).collect::<Vec<_>>(),
        })
    }
}

impl Asked {
    /// Hour of the day, UTC.
    pub fn hour(&self) -> i64 {
        (self.now_ms - MIDNIGHT) / 3_600_000
    }

    /// What the context of a token is.
    pub fn acr(&self) -> Option<&'static str> {
        self.mfa.then_some(MFA)
    }

    /// When its token was issued.
    pub fn issued_at_ms(&self) -> i64 {
        self.now_ms - self.token_age_s * 1_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_allowed_as_often_as_is_usual() {
        for policies in [10, 100, 1_000, 10_000] {
            let workload = Workload::new(policies);
            let allowed = workload.requests.iter().filter(|asked| workload.answer(asked).0).count();
            let share = allowed as f64 / REQUESTS as f64;
            assert!((0.20..=0.40).contains(&share), "{policies} policies: {share}");
            assert!(workload.users.iter().all(|user| user.roles[0] != user.roles[2] && user.roles[1] != user.roles[2]));
        }
    }
}
