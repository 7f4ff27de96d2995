//! What is unusual in a request, as keys: to be learned, or taken back, once it is known what it was.

use std::cmp::Reverse;

use super::baseline::Baseline;
use super::evidence::Evidence;
use super::item::Element;
use super::request::Target;
use crate::model::Request;

/// Keys of one request: the most unusual ones.
const MOST: usize = 128;

/// The keys of a request that are more surprising than their likes usually are.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown(Box<[Showed]>);

/// A key in its context.
#[derive(Clone, Copy, Debug)]
pub(super) struct Showed {
    pub(super) context: u64,
    pub(super) key: u64,
    /// The endpoint whose room it takes.
    pub(super) owner: u32,
    /// How often the request has it.
    pub(super) times: u32,
    deviations: u32,
}

impl Shown {
    pub(super) fn events(&self) -> &[Showed] {
        &self.0
    }

    /// Bytes on the heap.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.0)
    }
}

impl Baseline {
    /// What makes a request unusual, in the channels that are among some kinds of evidence.
    pub(super) fn shown(&self, request: &Request<'_>, target: &Target<'_>, unusual: &[Evidence]) -> Shown {
        let (mut shown, reader) = (Vec::new(), self.reader());
        reader.read(request, target, &mut |found| {
            reader.events(found, &mut |sight| {
                let event = sight.event(self.service);
                if !unusual.contains(&event.kind.channel().into()) {
                    return;
                }
                let element = Element { kind: event.kind, surprise: self.model.counts.surprise(&event) };
                let deviations = self.deviations(found.context, element);
                if deviations > 0 {
                    let owner = found.owner(event.kind);
                    shown.push(Showed { context: event.context, key: event.key, owner, times: 1, deviations });
                }
            });
        });
        shown.sort_unstable_by_key(|showed| (showed.key, Reverse(showed.deviations)));
        shown.dedup_by(|again, first| {
            let same = again.key == first.key;
            first.times = first.times.saturating_add(if same { again.times } else { 0 });
            same
        });
        shown.sort_unstable_by_key(|showed| (Reverse(showed.deviations), showed.key));
        shown.truncate(MOST);
        Shown(shown.into())
    }
}
