//! The end of a request: slots are given back, and what it turned out to cost is charged.

use super::window::Kind;
use super::written::Cost;
use super::{Limiter, State, in_flight};
use crate::base::bounded::Key;
use crate::model::{Millis, Ticket};

impl Limiter {
    /// Gives back what a request held that was not let pass after all, or whose response is not observed.
    pub fn release(&self, state: &State, tickets: &[Ticket], now: Millis) {
        self.close(state, tickets, None, now);
    }

    /// Ends a request: gives back its slots, and charges what its response says that it cost beyond the 1 that was taken
    /// up front, whether that is there or not. Once for each request: a second time would count twice.
    pub fn close(&self, state: &State, tickets: &[Ticket], cost: Option<u32>, now: Millis) {
        let beyond = cost.unwrap_or(1).saturating_sub(1);
        for ticket in tickets {
            let Some(rule) = self.rules.iter().find(|rule| *rule.name == *ticket.limit) else { continue };
            let Some((key, tables)) = Key::from_u128(ticket.key.0).zip(state.tables(self, rule)) else { continue };
            for (window, table) in rule.windows.iter().zip(tables) {
                match window.kind {
                    Kind::InFlight(_) => in_flight::give_back(&table.entries, key, ticket.span),
                    _ if rule.cost == Cost::Response && beyond > 0 => window.charge(table, key, beyond, now),
                    _ => {}
                }
            }
        }
    }
}
