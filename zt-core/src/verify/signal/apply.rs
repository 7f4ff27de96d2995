//! Events -> what is done, and what is told of it.

use serde_json::{Map, Value};

use super::event::{Effect, effect, is_of_account, is_of_session};
use super::set::Claims;
use super::subject::{Subject, Target};
use super::{Applied, ReceivedEvent, Transmitter};
use crate::model::{Code, Millis};
use crate::verify::revocation::{Mark, key};
use crate::verify::{Refusal, Revoked, State, Verifier};

/// Longest text of an event that is told.
const MAX_TOLD: usize = 1 << 10;
/// When what is enabled is forgotten, in times of `expires`: after everything that it lifts, also what comes late.
const ENABLED_FOR: Millis = 3;

/// One thing to be done.
#[derive(Debug)]
pub(super) struct Order {
    what: What,
    target: Target,
    mark: Mark,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Revoke,
    Reauthenticate,
    Disable,
    Enable,
}

impl Order {
    pub(super) fn apply(&self, state: &State, now: Millis) {
        let Target { kind, issuer, id, .. } = &self.target;
        let key = key(&state.hasher, *kind, Some(issuer), id);
        match self.what {
            What::Revoke => state.revocations.put(&key, self.mark, now),
            What::Reauthenticate => state.signalled.reauthenticate(&key, self.mark, now),
            What::Disable => state.signalled.disable(&key, self.mark, now),
            What::Enable => state.signalled.enable(&key, self.mark, now),
        }
    }
}

type Plan = (Vec<ReceivedEvent>, Vec<Order>);

impl Verifier {
    /// What the events of a token call for. Refused as a whole where one is about somebody of whom the transmitter may not
    /// speak.
    pub(super) fn orders(&self, transmitter: &Transmitter, claims: &Claims, now: Millis) -> Result<Plan, Refusal> {
        let (mut events, mut orders) = (Vec::new(), Vec::new());
        for (name, event) in &claims.events {
            let effect = effect(name, event);
            let at = claims.happened_at(event, now);
            let (applied, detail) = match effect {
                Effect::None => (Applied::Noted, None),
                Effect::Stream => (Applied::Noted, None),
                Effect::Unknown => (Applied::Unknown, None),
                _ if transmitter.events.as_ref().is_some_and(|events| !events.contains(name)) => {
                    (Applied::Nothing, Some("not one of `events`"))
                }
                _ => {
                    let subject = claims.subject.as_ref();
                    let subject = subject.map(|sub_id| Subject::read(transmitter, sub_id, is_of_session(name)));
                    let subject = subject.unwrap_or_default();
                    let targets = match effect {
                        Effect::Disable | Effect::Enable => subject.users(),
                        _ if is_of_account(name) && !subject.users().is_empty() => subject.users(),
                        _ => subject.targets(),
                    };
                    // To enable more than was said would be milder than that.
                    let of_part = effect == Effect::Enable && subject.of_part;
                    let plan = || plan(effect, &targets, at, transmitter.expires, now, &mut orders);
                    match (!of_part && !subject.of_stranger).then(plan).flatten() {
                        None if of_part && !subject.foreign => {
                            (Applied::Nothing, Some("its subject is a part of an account"))
                        }
                        Some((applied, Revoked::Subject)) => (applied, subject.narrower.then_some(WIDER)),
                        Some((applied, _)) => (applied, None),
                        None if subject.foreign => {
                            let detail = "the subject is of an issuer that is not among `subjects_of`";
                            return Err((Code::VerifyWrongIssuer, detail));
                        }
                        None => (Applied::Nothing, Some("its subject is nothing that tokens are known by")),
                    }
                }
            };
            let told = |member: &str| (effect == Effect::Stream).then(|| text(event, member)).flatten();
            events.push(ReceivedEvent {
                name: name.clone(),
                applied,
                detail: detail.map(str::to_owned),
                state: told("state"),
                status: told("status"),
            });
        }
        Ok((events, orders))
    }
}

const WIDER: &str = "its subject names more than tokens tell, such as a device: it is done for all of the user's";

/// Adds what an effect needs, and says what that is and to what; nothing where there is no subject that is of use for it.
fn plan(
    effect: Effect,
    targets: &[&Target],
    at: Millis,
    expires: Millis,
    now: Millis,
    orders: &mut Vec<Order>,
) -> Option<(Applied, Revoked)> {
    let first = targets.first()?;
    let (kind, workload) = (first.kind, first.workload);
    let until = now.saturating_add(expires);
    for target in targets {
        let mut add = |what: What, issued_before: Millis, expires: Millis| {
            orders.push(Order { what, target: Target::clone(target), mark: Mark { expires, issued_before } });
        };
        // A session that ended is over with all of its tokens; of a user, and of claims that changed, those before.
        let before = match (target.kind, effect) {
            (Revoked::Subject, _) | (Revoked::Session, Effect::Renew) => at,
            _ => Millis::MAX,
        };
        match effect {
            Effect::End | Effect::Renew => add(What::Revoke, before, until),
            // Nobody authenticates again into the same token, and a workload never does: it is given another.
            Effect::Reauthenticate if target.kind == Revoked::Token || target.workload => {
                add(What::Revoke, before, until);
            }
            Effect::EndAndReauthenticate if target.workload => add(What::Revoke, before, until),
            Effect::Reauthenticate => add(What::Reauthenticate, at, until),
            Effect::EndAndReauthenticate => {
                add(What::Revoke, before, until);
                add(What::Reauthenticate, at, until);
            }
            Effect::Disable => {
                add(What::Revoke, before, until);
                add(What::Disable, at, until);
            }
            Effect::Enable => add(What::Enable, at, now.saturating_add(expires.saturating_mul(ENABLED_FOR))),
            Effect::None | Effect::Stream | Effect::Unknown => return None,
        }
    }
    let applied = match (effect, kind) {
        (Effect::Disable, _) => Applied::Disabled,
        (Effect::Enable, _) => Applied::Enabled,
        (_, Revoked::Token) => Applied::RevokedToken,
        (Effect::Reauthenticate, _) if !workload => Applied::Reauthenticate,
        (Effect::EndAndReauthenticate, Revoked::Subject) if !workload => Applied::RevokedAndReauthenticate,
        (_, Revoked::Session) => Applied::RevokedSession,
        _ => Applied::RevokedSubject,
    };
    Some((applied, kind))
}

/// A text of an event, cut.
fn text(event: &Map<String, Value>, member: &str) -> Option<String> {
    let text = event.get(member)?.as_str()?;
    Some(text.chars().filter(|c| !c.is_control()).take(MAX_TOLD).collect())
}
