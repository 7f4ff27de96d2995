//! One request as policies see it.

use std::net::IpAddr;

use smallvec::SmallVec;

use crate::model::{Identity, IdentityKind, Millis};

use super::declared::Attribute;
use super::evaluate::World;
use super::explain::Kinship;
use super::facts::Fact;
use super::index::{Index, Row};
use super::ip::Ip;
use super::program::Var;
use super::value::{Record, Set, Stored, Uid, Value};
use super::vocabulary::{ANONYMOUS, ANONYMOUS_ID, API_KEY, ROLE, SCOPE, USER, WORKLOAD};

const DAY_S: i64 = 86_400;

/// What a decision is asked about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// Who asks; nobody in particular when absent.
    pub identity: Option<&'a Identity>,
    /// The workload that carries the request for it.
    pub workload: Option<&'a Identity>,
    /// Index into the vocabulary's endpoints.
    pub endpoint: usize,
    /// Segment of this request, where it is not the endpoint's own.
    pub segment: Option<&'a str>,
    /// Method as received.
    pub method: &'a str,
    /// Path, decoded once.
    pub path: Option<&'a str>,
    /// Authority, in lower case.
    pub host: Option<&'a str>,
    /// Address of the peer.
    pub ip: Option<IpAddr>,
    /// Autonomous system of the peer.
    pub asn: Option<u32>,
    /// Country of the peer.
    pub country: Option<&'a str>,
    /// Tenant of the verified token; read where [`Reads`](super::Reads) says so.
    pub tenant: Option<&'a str>,
    /// Client of the verified token; read where [`Reads`](super::Reads) says so.
    pub client_id: Option<&'a str>,
    /// Declared attributes, in the order of their declaration; those that are not there are absent.
    pub declared: &'a [Option<Attribute<'a>>],
    /// Calibrated risk, 0..=1; what is not a number counts as 1.
    pub risk: f64,
    /// The clock.
    pub now: Millis,
}

/// Symbols of the principal and of its roles and scopes, those that policies name; sorted.
pub(crate) type Symbols = SmallVec<[u32; 16]>;

/// A request in the world of the configuration.
pub(crate) struct Facts<'a> {
    pub(crate) request: &'a Request<'a>,
    pub(crate) index: &'a Index,
    pub(crate) row: &'a Row,
    pub(crate) symbols: &'a Symbols,
}

impl<'a> Request<'a> {
    pub(crate) fn principal(&self) -> Uid<'a> {
        match self.identity {
            None => Uid { ty: ANONYMOUS, id: ANONYMOUS_ID },
            Some(identity) => {
                let ty = match identity.kind {
                    IdentityKind::ApiKey => API_KEY,
                    kind if kind.is_workload() => WORKLOAD,
                    _ => USER,
                };
                Uid { ty, id: &identity.principal }
            }
        }
    }

    pub(crate) fn roles(&self) -> &'a [Box<str>] {
        self.identity.map_or(&[], |identity| &identity.roles)
    }

    pub(crate) fn scopes(&self) -> &'a [Box<str>] {
        self.identity.map_or(&[], |identity| &identity.scopes)
    }

    /// Seconds since a moment; one that is still to come counts as now.
    fn age_s(&self, since: Option<Millis>) -> Option<Value<'a>> {
        since.map(|since| Value::Long(self.now.saturating_sub(since).max(0) / 1_000))
    }
}

impl<'a> World<'a> for Facts<'a> {
    fn entity(&self, var: Var) -> Option<Uid<'a>> {
        match var {
            Var::Principal => Some(self.request.principal()),
            Var::Action => Some(Uid { ty: "Action", id: &self.row.id }),
            Var::Resource => Some(Uid { ty: "Endpoint", id: &self.row.id }),
            Var::Context => None,
        }
    }

    fn context(&self) -> Option<Record<'a>> {
        None
    }

    fn fact(&self, fact: Fact) -> Option<Value<'a>> {
        let request = self.request;
        let identity = request.identity;
        let assurance = identity.map(|identity| &identity.assurance);
        let seconds = request.now.div_euclid(1_000);
        match fact {
            Fact::Method => Some(Value::Str(request.method)),
            Fact::Path => request.path.map(Value::Str),
            Fact::Host => request.host.map(Value::Str),
            Fact::Ip => request.ip.map(|ip| Value::Ip(Ip::single(ip))),
            Fact::Asn => request.asn.map(|asn| Value::Long(asn.into())),
            Fact::Country => request.country.map(Value::Str),
            Fact::Credential => Some(Value::Str(identity.map_or("none", |identity| identity.kind.as_str()))),
            Fact::Subject => identity.map(|identity| Value::Str(&identity.principal)),
            Fact::Tenant => request.tenant.map(Value::Str),
            Fact::ClientId => request.client_id.map(Value::Str),
            Fact::Roles => Some(Value::Set(Set::Strings(request.roles()))),
            Fact::Scopes => Some(Value::Set(Set::Strings(request.scopes()))),
            Fact::Issuer => identity?.issuer.as_deref().map(Value::Str),
            Fact::Acr => assurance?.acr.as_deref().map(Value::Str),
            Fact::AuthAge => request.age_s(assurance?.auth_time_ms),
            Fact::TokenAge => request.age_s(assurance?.issued_at_ms),
            Fact::Actor => identity?.actors.first().map(|actor| Value::Str(actor)),
            Fact::Actors => Some(Value::Set(Set::Strings(identity.map_or(&[], |identity| &identity.actors)))),
            Fact::Workload => request.workload.map(|workload| Value::Str(&workload.principal)),
            Fact::WorkloadRoles => {
                Some(Value::Set(Set::Strings(request.workload.map_or(&[], |workload| &workload.roles))))
            }
            Fact::Bound => assurance?.bound.as_deref().map(Value::Str),
            Fact::Risk => Some(Value::Long(per_mille(request.risk))),
            Fact::Hour => Some(Value::Long(seconds.rem_euclid(DAY_S) / 3_600)),
            // The epoch was a Thursday.
            Fact::Weekday => Some(Value::Long((seconds.div_euclid(DAY_S) + 3).rem_euclid(7) + 1)),
            Fact::NowSeconds => Some(Value::Long(seconds)),
            Fact::Now => Some(Value::Datetime(request.now)),
        }
    }

    fn declared(&self, at: u32) -> Option<Value<'a>> {
        self.request.declared.get(at as usize)?.as_ref().map(Attribute::borrow)
    }

    fn within(&self, entity: Uid<'_>, ancestor: Uid<'_>) -> bool {
        let among = |names: &[Box<str>]| names.iter().any(|name| **name == *ancestor.id);
        let row = |id: &str| if *id == *self.row.id { Some(self.row) } else { self.index.row_of(id) };
        entity == ancestor
            || match (entity.ty, ancestor.ty) {
                ("Action", "Action") => row(entity.id).is_some_and(|row| among(&row.groups)),
                ("Endpoint", "Segment") => {
                    row(entity.id).is_some_and(|row| row.segment.as_deref() == Some(ancestor.id))
                }
                (_, ROLE) => entity == self.request.principal() && among(self.request.roles()),
                (_, SCOPE) => entity == self.request.principal() && among(self.request.scopes()),
                _ => false,
            }
    }

    fn var_within(&self, var: Var, symbol: u32) -> bool {
        match var {
            Var::Principal => self.symbols.contains(&symbol),
            Var::Action => self.row.action.contains(&symbol),
            Var::Resource => self.row.resource.contains(&symbol),
            Var::Context => false,
        }
    }

    fn attribute(&self, _: Uid<'_>, _: &str) -> Option<&'a Stored> {
        None
    }

    fn tag(&self, _: Uid<'_>, _: &str) -> Option<&'a Stored> {
        None
    }
}

impl<'a> Kinship<'a> for Facts<'a> {
    fn above(&self, entity: Uid<'_>) -> Vec<Uid<'a>> {
        let row: Option<&'a Row> =
            if *entity.id == *self.row.id { Some(self.row) } else { self.index.row_of(entity.id) };
        let all = |ty, ids: &'a [Box<str>]| ids.iter().map(move |id| Uid { ty, id });
        match entity.ty {
            "Action" => row.map_or_else(Vec::new, |row| all("Action", &row.groups).collect()),
            "Endpoint" => {
                row.and_then(|row| row.segment.as_deref()).map(|id| Uid { ty: "Segment", id }).into_iter().collect()
            }
            _ if entity == self.request.principal() => {
                all(ROLE, self.request.roles()).chain(all(SCOPE, self.request.scopes())).collect()
            }
            _ => Vec::new(),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to 0..=1000 first")]
fn per_mille(risk: f64) -> i64 {
    if risk.is_nan() { 1_000 } else { (risk.clamp(0.0, 1.0) * 1_000.0).round() as i64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn risk_is_per_mille_and_nonsense_is_the_worst() {
        assert_eq!([0.0, 0.9996, 0.25, -1.0, 7.0, f64::NAN].map(per_mille), [0, 1_000, 250, 0, 1_000, 1_000]);
    }
}
