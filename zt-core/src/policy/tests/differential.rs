//! The evaluator against Cedar's own, on random policy sets and requests: decision, determining and failing policies.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::str::FromStr as _;

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Entities, Entity, EntityUid, PolicySet, Request as CedarRequest,
    RestrictedExpression,
};

use super::*;
use crate::policy::facts::Fact;
use crate::policy::vocabulary::METHODS;

/// A small deterministic generator (splitmix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    pub(super) fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[usize::try_from(self.roll(choices.len() as u64)).unwrap()]
    }
}

const PRINCIPALS: &[&str] =
    &["User::\"u0\"", "User::\"u1\"", "ApiKey::\"u0\"", "Workload::\"u0\"", "Anonymous::\"anonymous\"", "Role::\"r0\""];
const GROUPS: &[&str] =
    &["Role::\"r0\"", "Role::\"r1\"", "Role::\"r2\"", "Scope::\"s0\"", "Scope::\"r0\"", "User::\"u0\""];
const ACTIONS: &[&str] = &["\"listOrders\"", "\"createOrder\"", "\"pay\"", "\"health\"", "\"* /files/{name}\""];
const ACTION_GROUPS: &[&str] =
    &["\"read\"", "\"write\"", "\"GET\"", "\"POST\"", "\"PUT\"", "\"pay\"", "\"* /files/{name}\""];
const RESOURCES: &[&str] = &[
    "Endpoint::\"pay\"",
    "Endpoint::\"listOrders\"",
    "Segment::\"orders\"",
    "Segment::\"payments\"",
    "Segment::\"files\"",
];
const STRINGS: &[&str] =
    &["\"r0\"", "\"r1\"", "\"GET\"", "\"a.b\"", "\"\"", "\"api.example.com\"", "\"DE\"", "\"\u{e9}*\""];
const LONGS: &[&str] =
    &["0", "1", "-1", "250", "500", "9223372036854775807", "context.risk", "context.hour", "context.weekday"];
const IPS: &[&str] =
    &["ip(\"10.0.0.0/8\")", "ip(\"10.1.2.3\")", "ip(\"::1\")", "ip(\"::/0\")", "ip(\"bad\")", "context.ip"];
const TIMES: &[&str] =
    &["context.now", "datetime(\"2026-03-02\")", "datetime(\"1969-12-31T23:59:59.999Z\")", "datetime(\"x\")"];
const DURATIONS: &[&str] = &["duration(\"1h\")", "duration(\"-1d2ms\")", "context.now.toTime()", "duration(\"\")"];
const DECIMALS: &[&str] = &["decimal(\"1.5\")", "decimal(\"-0.25\")", "decimal(\"1\")"];

fn entity(dice: &mut Dice) -> String {
    match dice.roll(6) {
        0 => "principal".to_owned(),
        1 => "resource".to_owned(),
        2 => "action".to_owned(),
        3 => dice.pick(GROUPS).to_owned(),
        4 => dice.pick(RESOURCES).to_owned(),
        _ => format!("Action::{}", dice.pick(ACTION_GROUPS)),
    }
}

fn string(dice: &mut Dice) -> String {
    match dice.roll(5) {
        0 => format!(
            "context.{}",
            dice.pick(&[
                "method",
                "path",
                "host",
                "acr",
                "country",
                "credential",
                "issuer",
                "bound",
                "risk",
                "subject",
                "tenant",
                "client_id",
                "owner",
                "level",
            ])
        ),
        _ => dice.pick(STRINGS).to_owned(),
    }
}

fn long(dice: &mut Dice, depth: u64) -> String {
    if depth == 0 || dice.roll(3) == 0 {
        return match dice.roll(6) {
            0 => format!(
                "context.{}",
                dice.pick(&["asn", "auth_age_s", "token_age_s", "now_s", "acr", "level", "owner"])
            ),
            _ => dice.pick(LONGS).to_owned(),
        };
    }
    match dice.roll(4) {
        0 => format!("(if {} then {} else {})", boolean(dice, depth - 1), long(dice, depth - 1), long(dice, depth - 1)),
        1 => format!("(-{})", long(dice, depth - 1)),
        2 => format!(
            "{}.{}()",
            dice.pick(DURATIONS),
            dice.pick(&["toMilliseconds", "toSeconds", "toMinutes", "toHours", "toDays"])
        ),
        _ => format!("({} {} {})", long(dice, depth - 1), dice.pick(&["+", "-", "*"]), long(dice, depth - 1)),
    }
}

fn set(dice: &mut Dice, depth: u64) -> String {
    match dice.roll(6) {
        0 => "context.roles".to_owned(),
        1 => dice.pick(&["context.scopes", "context.regions"]).to_owned(),
        2 => "[]".to_owned(),
        _ => {
            let members: Vec<String> = (0..dice.roll(4)).map(|_| any(dice, depth.saturating_sub(1))).collect();
            format!("[{}]", members.join(", "))
        }
    }
}

fn any(dice: &mut Dice, depth: u64) -> String {
    match dice.roll(9) {
        0 => long(dice, depth),
        1 | 2 => string(dice),
        3 => entity(dice),
        4 if depth > 0 => set(dice, depth),
        5 => dice.pick(IPS).to_owned(),
        6 => dice.pick(DECIMALS).to_owned(),
        7 if depth > 0 => format!("{{a: {}, \"b c\": {}}}", any(dice, depth - 1), any(dice, depth - 1)),
        8 => dice.pick(TIMES).to_owned(),
        _ => dice.pick(&["true", "false"]).to_owned(),
    }
}

fn boolean(dice: &mut Dice, depth: u64) -> String {
    let shallow = depth.saturating_sub(1);
    if depth == 0 {
        return dice
            .pick(&[
                "true",
                "false",
                "context.risk > 250",
                "context has acr",
                "1",
                "context.staff",
                "context has owner",
            ])
            .to_owned();
    }
    match dice.roll(20) {
        0 | 1 => format!("({} && {})", boolean(dice, shallow), boolean(dice, shallow)),
        2 | 3 => format!("({} || {})", boolean(dice, shallow), boolean(dice, shallow)),
        4 => format!("!({})", boolean(dice, shallow)),
        5 => format!("(if {} then {} else {})", boolean(dice, shallow), boolean(dice, shallow), boolean(dice, shallow)),
        6 => format!("{} {} {}", any(dice, shallow), dice.pick(&["==", "!="]), any(dice, shallow)),
        7 | 8 => format!("{} {} {}", long(dice, shallow), dice.pick(&["<", "<=", ">", ">="]), long(dice, shallow)),
        9 => format!(
            "context has {}",
            dice.pick(&[
                "acr",
                "ip",
                "path",
                "auth_age_s",
                "country",
                "method",
                "asn",
                "subject",
                "owner",
                "level",
                "regions"
            ])
        ),
        10 => format!("{} in {}", entity(dice), entity(dice)),
        11 => format!(
            "{} in [{}, {}]",
            entity(dice),
            entity(dice),
            if dice.roll(8) == 0 { any(dice, 0) } else { entity(dice) }
        ),
        12 => format!(
            "{} is {}",
            entity(dice),
            dice.pick(&[
                "User",
                "ApiKey",
                "Action",
                "Endpoint",
                "Endpoint in Segment::\"orders\"",
                "User in Role::\"r0\""
            ])
        ),
        13 => format!("{}.contains({})", set(dice, shallow), any(dice, shallow)),
        14 => format!("{}.{}({})", set(dice, shallow), dice.pick(&["containsAll", "containsAny"]), set(dice, shallow)),
        15 => format!(
            "{} like {}",
            string(dice),
            dice.pick(&["\"*\"", "\"a*\"", "\"*.*\"", "\"\"", "\"\\*\"", "\"*r*0*\""])
        ),
        16 => format!("{}.isInRange({})", dice.pick(IPS), dice.pick(IPS)),
        17 => format!("{}.{}()", dice.pick(IPS), dice.pick(&["isIpv4", "isIpv6", "isLoopback", "isMulticast"])),
        18 => match dice.roll(4) {
            0 => format!("{}.offset({}) < {}", dice.pick(TIMES), dice.pick(DURATIONS), dice.pick(TIMES)),
            1 => format!(
                "{}.durationSince({}) {} {}",
                dice.pick(TIMES),
                dice.pick(TIMES),
                dice.pick(&["<", ">=", "=="]),
                dice.pick(DURATIONS)
            ),
            2 => format!("{}.toDate() == {}", dice.pick(TIMES), dice.pick(TIMES)),
            _ => format!(
                "{}.{}({})",
                dice.pick(DECIMALS),
                dice.pick(&["lessThan", "greaterThanOrEqual"]),
                dice.pick(DECIMALS)
            ),
        },
        _ => match dice.roll(4) {
            0 => format!("{}.isEmpty()", set(dice, shallow)),
            1 => format!(
                "{{a: {}, b: {}}} has {}",
                any(dice, shallow),
                any(dice, shallow),
                dice.pick(&["a", "c", "a.x"])
            ),
            2 => format!("{{a: {}, b: {}}}.a == {}", any(dice, shallow), any(dice, shallow), any(dice, shallow)),
            _ => format!("principal.{} || {}", dice.pick(&["name", "hasTag(\"t\")", "getTag(\"t\")"]), entity(dice)),
        },
    }
}

pub(super) fn policies(dice: &mut Dice) -> String {
    let mut text = String::new();
    for _ in 0..3 + dice.roll(7) {
        let effect = dice.pick(&["permit", "permit", "permit", "forbid"]);
        let principal = match dice.roll(9) {
            0 => format!(" == {}", dice.pick(PRINCIPALS)),
            1 | 2 => format!(" in {}", dice.pick(GROUPS)),
            3 => format!(" is {}", dice.pick(&["User", "ApiKey", "Workload", "Anonymous"])),
            4 => format!(" is {} in {}", dice.pick(&["User", "ApiKey"]), dice.pick(GROUPS)),
            _ => String::new(),
        };
        let action = match dice.roll(9) {
            0 => format!(" == Action::{}", dice.pick(ACTIONS)),
            1 => format!(" in Action::{}", dice.pick(ACTION_GROUPS)),
            2 => format!(" in [Action::{}, Action::{}]", dice.pick(ACTION_GROUPS), dice.pick(ACTIONS)),
            3 => " in []".to_owned().replace("[]", if dice.roll(4) == 0 { "[]" } else { "[Action::\"read\"]" }),
            _ => String::new(),
        };
        let resource = match dice.roll(10) {
            0 => format!(" == {}", dice.pick(RESOURCES)),
            1 | 2 => format!(" in {}", dice.pick(RESOURCES)),
            3 => format!(" is {}", dice.pick(&["Endpoint", "Segment"])),
            4 => format!(" is Endpoint in {}", dice.pick(RESOURCES)),
            _ => String::new(),
        };
        let _ = write!(text, "{effect}(principal{principal}, action{action}, resource{resource})");
        for _ in 0..dice.roll(3) {
            let _ = write!(text, " {} {{ {} }}", dice.pick(&["when", "when", "unless"]), boolean(dice, 3));
        }
        text.push_str(";\n");
    }
    text
}

fn named(ty: &str, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(ty.parse().unwrap(), cedar_policy::EntityId::new(id))
}

/// The entities as the module's documentation describes them, for one request.
fn entities(request: &Request<'_>) -> (EntityUid, EntityUid, EntityUid, Entities) {
    let principal = request.principal();
    let roles = request.roles().iter().map(|role| named("Role", role));
    let scopes = request.scopes().iter().map(|scope| named("Scope", scope));
    let principal = named(principal.ty, principal.id);
    let mut all = vec![Entity::new_no_attrs(principal.clone(), roles.chain(scopes).collect())];
    for (at, endpoint) in ENDPOINTS.iter().enumerate() {
        let method = match endpoint.method {
            "*" if at == request.endpoint => request.method,
            method => method,
        };
        let reads = ["GET", "HEAD", "OPTIONS"].contains(&method);
        let mut groups = vec![named("Action", if reads { "read" } else { "write" })];
        if METHODS.iter().any(|(known, _)| *known == method) {
            groups.push(named("Action", method));
        }
        all.push(Entity::new_no_attrs(named("Action", endpoint.id), groups.into_iter().collect()));
        let segment = request.segment.filter(|_| at == request.endpoint).or(endpoint.segment);
        let segment = segment.map(|segment| named("Segment", segment));
        all.push(Entity::new_no_attrs(named("Endpoint", endpoint.id), segment.into_iter().collect()));
    }
    let id = ENDPOINTS[request.endpoint].id;
    (principal, named("Action", id), named("Endpoint", id), Entities::from_entities(all, None).unwrap())
}

fn context(request: &Request<'_>, identity: Option<&Identity>) -> Context {
    let text = |s: &str| RestrictedExpression::new_string(s.to_owned());
    let strings = |names: &[Box<str>]| RestrictedExpression::new_set(names.iter().map(|name| text(name)));
    let age =
        |since: Option<i64>| since.map(|since| RestrictedExpression::new_long((request.now - since).max(0) / 1_000));
    let assurance = identity.map(|i| i.assurance.clone()).unwrap_or_default();
    let pairs = Fact::ALL.iter().filter_map(|fact| {
        let value = match fact {
            Fact::Method => Some(text(request.method)),
            Fact::Path => request.path.map(text),
            Fact::Host => request.host.map(text),
            Fact::Ip => request.ip.map(|ip| RestrictedExpression::new_ip(ip.to_string())),
            Fact::Asn => request.asn.map(|asn| RestrictedExpression::new_long(asn.into())),
            Fact::Country => request.country.map(text),
            Fact::Credential => Some(text(identity.map_or("none", |i| i.kind.as_str()))),
            Fact::Subject => identity.map(|i| text(&i.principal)),
            Fact::Tenant => request.tenant.map(text),
            Fact::ClientId => request.client_id.map(text),
            Fact::Roles => Some(strings(request.roles())),
            Fact::Scopes => Some(strings(request.scopes())),
            Fact::Issuer => identity.and_then(|i| i.issuer.as_deref()).map(text),
            Fact::Acr => assurance.acr.as_deref().map(text),
            Fact::AuthAge => age(assurance.auth_time_ms),
            Fact::TokenAge => age(assurance.issued_at_ms),
            Fact::Actor => identity.and_then(|i| i.actors.first()).map(|actor| text(actor)),
            Fact::Actors => Some(strings(identity.map_or(&[], |i| &i.actors))),
            Fact::Workload => request.workload.map(|workload| text(&workload.principal)),
            Fact::WorkloadRoles => Some(strings(request.workload.map_or(&[], |workload| &workload.roles))),
            Fact::Bound => assurance.bound.as_deref().map(text),
            Fact::Risk => Some(RestrictedExpression::new_long((request.risk * 1_000.0).round() as i64)),
            Fact::Hour => Some(RestrictedExpression::new_long((request.now / 3_600_000) % 24)),
            Fact::Weekday => Some(RestrictedExpression::new_long((request.now / 86_400_000 + 3) % 7 + 1)),
            Fact::NowSeconds => Some(RestrictedExpression::new_long(request.now / 1_000)),
            Fact::Now => Some(
                RestrictedExpression::from_str(&format!(
                    "datetime(\"1970-01-01\").offset(duration(\"{}ms\"))",
                    request.now
                ))
                .unwrap(),
            ),
        };
        value.map(|value| (fact.name().to_owned(), value))
    });
    let declared = declarations().into_iter().zip(request.declared).filter_map(|(attribute, value)| {
        let value = match value.as_ref()? {
            Attribute::String(value) => text(value),
            Attribute::Long(n) => RestrictedExpression::new_long(*n),
            Attribute::Bool(b) => RestrictedExpression::new_bool(*b),
            Attribute::Strings(members) => strings(members),
        };
        Some((attribute.name, value))
    });
    Context::from_pairs(pairs.chain(declared)).unwrap()
}

pub(super) fn random_identity(dice: &mut Dice) -> Option<Identity> {
    let kind = match dice.roll(5) {
        0 => return None,
        1 => IdentityKind::ApiKey,
        2 => IdentityKind::Jwt,
        3 => IdentityKind::Certificate,
        _ => IdentityKind::Asserted,
    };
    let some =
        |dice: &mut Dice, of: &[&'static str]| of.iter().copied().filter(|_| dice.roll(2) == 0).collect::<Vec<_>>();
    let (roles, scopes) = (some(dice, &["r0", "r1", "r9", "r0"]), some(dice, &["s0", "r0", "s7"]));
    let mut identity = identity(kind, dice.pick(&["u0", "u1", "u2"]), &roles, &scopes);
    let now = 1_772_446_530_123;
    identity.assurance = crate::model::Assurance {
        acr: (dice.roll(2) == 0).then(|| "a.b".into()),
        auth_time_ms: (dice.roll(2) == 0).then(|| now - 250_000),
        issued_at_ms: (dice.roll(2) == 0).then_some(now + 5),
        bound: (dice.roll(2) == 0).then(|| "dpop".into()),
    };
    identity.issuer = (dice.roll(2) == 0).then(|| "api.example.com".into());
    identity.actors = some(dice, &["a0", "a1"]).into_iter().map(Box::from).collect();
    Some(identity)
}

/// One declared attribute of each type.
pub(super) fn declarations() -> Vec<AttributeConfig> {
    use AttributeType::*;
    let one = |(name, ty): (&str, AttributeType)| AttributeConfig {
        name: name.to_owned(),
        claim: Some(name.to_owned()),
        ty,
        ..AttributeConfig::default()
    };
    [("owner", String), ("level", Long), ("staff", Bool), ("regions", Strings)].map(one).into()
}

/// Values of them, each of which may be absent.
pub(super) fn declared(dice: &mut Dice) -> Vec<Option<Attribute<'static>>> {
    let regions = ["r0", "a.b", "r0"].iter().filter(|_| dice.roll(2) == 0).map(|region| Box::from(*region)).collect();
    let values = [
        Attribute::String(dice.pick(&["u0", "a.b", ""]).to_owned().into()),
        Attribute::Long([0, 250, i64::MAX][usize::try_from(dice.roll(3)).unwrap()]),
        Attribute::Bool(dice.roll(2) == 0),
        Attribute::Strings(regions),
    ];
    values.into_iter().map(|value| (dice.roll(3) > 0).then_some(value)).collect()
}

/// How often Cedar was asked, and what it said.
#[derive(Default, Debug)]
struct Seen {
    requests: u64,
    allowed: u64,
    forbidden: u64,
    failed: u64,
}

fn compare(sets: u64, seed: u64) -> Seen {
    let mut dice = Dice(seed);
    let mut seen = Seen::default();
    for _ in 0..sets {
        let text = policies(&mut dice);
        let oracle = PolicySet::from_str(&text).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
        let config = Config { errors: ErrorMode::Cedar, context: declarations(), ..Config::default() };
        let ours = compile::unvalidated(&config, &text, &vocabulary()).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
        for _ in 0..4 {
            let identity = random_identity(&mut dice);
            let endpoint = usize::try_from(dice.roll(ENDPOINTS.len() as u64)).unwrap();
            let mut asked = request(identity.as_ref(), endpoint);
            if ENDPOINTS[endpoint].method == "*" {
                asked.method = dice.pick(&["GET", "PUT", "POST", "PROPFIND"]);
            }
            asked.segment = match (endpoint, dice.roll(3)) {
                (0, 0) => Some("payments"),
                (5, 0) => Some("orders"),
                (_, 1) => ENDPOINTS[endpoint].segment,
                _ => None,
            };
            let world = entities(&asked);
            for _ in 0..10 {
                let declared = declared(&mut dice);
                let asked = Request { declared: &declared, ..facts(&mut dice, asked) };
                compare_one(&asked, identity.as_ref(), &world, (&ours, &oracle, &text), &mut seen);
            }
        }
    }
    seen
}

pub(super) fn facts<'a>(dice: &mut Dice, request: Request<'a>) -> Request<'a> {
    Request {
        path: (dice.roll(2) == 0).then_some("a.b"),
        host: (dice.roll(2) == 0).then_some("api.example.com"),
        ip: match dice.roll(4) {
            0 => None,
            1 => Some("::1".parse().unwrap()),
            2 => Some("127.0.0.1".parse().unwrap()),
            _ => Some("10.1.2.3".parse().unwrap()),
        },
        asn: (dice.roll(2) == 0).then_some(250),
        country: (dice.roll(2) == 0).then_some("DE"),
        tenant: (dice.roll(2) == 0).then_some("a.b"),
        client_id: (dice.roll(2) == 0).then_some("u0"),
        risk: f64::from(u32::try_from(dice.roll(1_001)).unwrap()) / 1_000.0,
        now: 1_772_446_530_123,
        ..request
    }
}

fn compare_one(
    request: &Request<'_>,
    identity: Option<&Identity>,
    (principal, action, resource, entities): &(EntityUid, EntityUid, EntityUid, Entities),
    (ours, oracle, text): (&Policy, &PolicySet, &str),
    seen: &mut Seen,
) {
    let (principal, action, resource) = (principal.clone(), action.clone(), resource.clone());
    let asked = CedarRequest::new(principal, action, resource, context(request, identity), None).unwrap();
    let expected = Authorizer::new().is_authorized(&asked, oracle, entities);
    let answer = ours.evaluate(request);
    let ids = |of: &[u32]| of.iter().map(|p| ours.id(*p).unwrap().to_owned()).collect::<BTreeSet<_>>();
    let reasons: BTreeSet<String> = expected.diagnostics().reason().map(ToString::to_string).collect();
    let failing = expected.diagnostics().errors();
    let errors: BTreeSet<String> =
        failing.map(|AuthorizationError::PolicyEvaluationError(e)| e.policy_id().to_string()).collect();
    let allow = expected.decision() == cedar_policy::Decision::Allow;
    seen.requests += 1;
    seen.allowed += u64::from(allow);
    seen.forbidden += u64::from(!allow && !reasons.is_empty());
    seen.failed += u64::from(!errors.is_empty());
    let got = (answer.verdict == Verdict::Allow, ids(&answer.determining), ids(&answer.errors));
    assert_eq!(got, (allow, reasons, errors), "{request:?}\n{text}");
}

/// On a thread with stack enough for Cedar's evaluator, which skips policies when it has little left.
#[allow(clippy::disallowed_methods)]
fn with_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(64 << 20).spawn(work).unwrap().join().unwrap();
}

#[test]
fn agrees_with_cedar() {
    with_stack(|| {
        // Cedar is ten times slower without optimisation.
        let seen = compare(if cfg!(debug_assertions) { 60 } else { 600 }, 1);
        // The comparison means nothing when everything is denied.
        assert!(seen.allowed * 5 > seen.requests && seen.forbidden * 10 > seen.requests && seen.failed > 0, "{seen:?}");
        eprintln!("agree: {seen:?}");
    });
}
