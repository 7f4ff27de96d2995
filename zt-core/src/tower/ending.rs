//! The end of a request whose response never came.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::ZtLayer;
use crate::model::{self, Decision};

/// What a request turned out to cost, for limits whose `cost` is `"response"`: a service puts it into the extensions of
/// its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost(pub u32);

/// Tells the engine when it is dropped: the service failed, or nobody waits for it any more.
pub(super) struct Ending(Option<(ZtLayer, Arc<Decision>)>);

impl Ending {
    /// Of a request that holds something; for others there is nothing to tell.
    pub(super) fn of(layer: &ZtLayer, decision: &Arc<Decision>) -> Self {
        Self((!decision.tickets.is_empty()).then(|| (layer.clone(), Arc::clone(decision))))
    }

    /// There is a response, which tells.
    pub(super) fn told(mut self) {
        self.0 = None;
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let Some((layer, decision)) = self.0.take() else { return };
        let tell =
            || layer.engine.load().observe(&layer.state, &decision, &model::Response::default(), (layer.clock)());
        // A panic in a drop would end the process; what is held is free again after a time in any case.
        drop(catch_unwind(AssertUnwindSafe(tell)));
    }
}
