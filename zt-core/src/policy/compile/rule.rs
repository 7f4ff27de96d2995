//! Compiles one policy: scope, conditions, annotations.

use cedar_policy::pst::{
    self, ActionConstraint, BinaryOp, Clause, EntityOrSlot, PrincipalConstraint, ResourceConstraint, SlotId, Template,
};

use crate::policy::program::{ActionScope, Effect, Node, Origin, Rule, Scope};

use super::builder::{Builder, Slots};
use super::expression::{Lane, Refused};

impl Builder {
    /// Compiles a policy under this name and keeps it.
    pub(crate) fn rule(&mut self, id: &str, origin: Origin, policy: &Template, lane: Lane) -> Result<(), Refused> {
        let principal = match &policy.principal {
            PrincipalConstraint::Any => Scope::Any,
            PrincipalConstraint::Eq(uid) => Scope::Eq(self.entity(uid)?),
            PrincipalConstraint::In(uid) => Scope::In(self.entity(uid)?),
            PrincipalConstraint::Is(ty) => Scope::Is(self.ty(ty)),
            PrincipalConstraint::IsIn(ty, uid) => Scope::IsIn(self.ty(ty), self.entity(uid)?),
        };
        let resource = match &policy.resource {
            ResourceConstraint::Any => Scope::Any,
            ResourceConstraint::Eq(uid) => Scope::Eq(self.entity(uid)?),
            ResourceConstraint::In(uid) => Scope::In(self.entity(uid)?),
            ResourceConstraint::Is(ty) => Scope::Is(self.ty(ty)),
            ResourceConstraint::IsIn(ty, uid) => Scope::IsIn(self.ty(ty), self.entity(uid)?),
        };
        let action = match &policy.action {
            ActionConstraint::Any => ActionScope::Any,
            ActionConstraint::Eq(uid) => ActionScope::Eq(self.symbol(uid)),
            ActionConstraint::In(uids) => ActionScope::In(uids.iter().map(|uid| self.symbol(uid)).collect()),
        };
        let mut conditions = Vec::with_capacity(policy.clauses().len());
        for clause in policy.clauses() {
            match clause {
                // One list of all that must hold, however it is spread over clauses.
                Clause::When(expr) => self.chain(expr, BinaryOp::And, lane, &mut conditions)?,
                Clause::Unless(expr) => {
                    let inner = self.expression(expr, lane)?;
                    conditions.push(self.push(Node::Not(inner)));
                }
            }
        }
        let body = match conditions.as_slice() {
            [] => None,
            [one] => Some(*one),
            many => {
                let run = self.run(many);
                Some(self.push(Node::And(run)))
            }
        };
        let annotations = policy.annotations.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into()));
        let rule = Rule {
            id: id.into(),
            effect: match policy.effect {
                pst::Effect::Permit => Effect::Permit,
                pst::Effect::Forbid => Effect::Forbid,
            },
            annotations: annotations.collect(),
            principal,
            action,
            resource,
            body,
            origin,
        };
        self.program.rules.push(rule);
        Ok(())
    }

    /// Compiles what a template becomes when its slots are filled.
    pub(crate) fn linked(
        &mut self,
        id: &str,
        origin: Origin,
        template: &Template,
        slots: Slots,
        lane: Lane,
    ) -> Result<(), Refused> {
        self.slots = slots;
        let compiled = self.rule(id, origin, template, lane);
        self.slots = Slots::default();
        compiled
    }

    fn entity(&mut self, uid: &EntityOrSlot) -> Result<u32, Refused> {
        let slot = match uid {
            EntityOrSlot::Entity(uid) => return Ok(self.symbol(uid)),
            EntityOrSlot::Slot(slot) => slot,
        };
        let filled = match slot {
            SlotId::Principal => self.slots.principal.clone(),
            SlotId::Resource => self.slots.resource.clone(),
            // A slot of a newer Cedar.
            _ => None,
        };
        match filled {
            Some((ty, id)) => Ok(self.symbol_of(&ty, &id)),
            None => Err(Refused { construct: format!("the template slot `{slot}`"), token: slot.to_string() }),
        }
    }
}
