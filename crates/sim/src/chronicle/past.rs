//! What has happened before a story, as far as it matters to it.
//!
//! A message matters while somebody may still answer it, a state until the next one takes its
//! place, and of every log its last batches. Everything else is forgotten, so that the past of a
//! recording that lasts for days has the size of its cluster.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use topomotion_trace::{Event, PacketId, StateChange, Trace, Travel, What};

use crate::run::{drop_closed, referred, remains};

/// Questions that may still be answered: the last ones of those that have not been.
const OPEN_MAX: usize = 1_000;
/// Of what comes one after the other (batches in a log) so many are kept.
const LAST: usize = 32;

/// Forgets what of a past does not matter to what follows it.
pub(super) fn compact(past: &mut Trace, story: &VecDeque<Event>) {
    let mut needed = referred(story);
    needed.extend(open(past, story));
    past.events.retain(|event| remains(&event.what, &needed));
    drop_closed(&mut past.events);
    drop_replaced(&mut past.events);
}

/// Messages of the past that nobody has answered yet.
fn open(past: &Trace, story: &VecDeque<Event>) -> BTreeSet<PacketId> {
    let mut answered = BTreeSet::new();
    for event in past.events.iter().chain(story) {
        if let What::Sent(packet) = &event.what
            && let Travel::Response(request) = packet.travel
        {
            answered.insert(request);
        }
    }
    let asked = past.events.iter().rev().filter_map(|event| match &event.what {
        What::Sent(packet) if !matches!(packet.travel, Travel::Response(_)) => {
            Some(packet.id)
        }
        _ => None,
    });
    asked.filter(|id| !answered.contains(id)).take(OPEN_MAX).collect()
}

/// What a state is about: what kind, at whom, of what.
type Subject = (u8, Arc<str>, Option<Arc<str>>);

fn drop_replaced(events: &mut Vec<Event>) {
    let mut seen: BTreeMap<Subject, usize> = BTreeMap::new();
    let mut kept: Vec<bool> = Vec::with_capacity(events.len());
    for event in events.iter().rev() {
        let What::State(change) = &event.what else {
            kept.push(true);
            continue;
        };
        let (subject, most) = subject(change);
        let times = seen.entry(subject).or_default();
        *times += 1;
        kept.push(*times <= most);
    }
    let mut kept = kept.into_iter().rev();
    events.retain(|_| kept.next().unwrap_or(true));
}

/// What a state is about, and how many such states stand beside one another.
fn subject(change: &StateChange) -> (Subject, usize) {
    use StateChange as S;
    let one = |kind, who: &Arc<str>, what: &Arc<str>| {
        ((kind, who.clone(), Some(what.clone())), 1)
    };
    let some = |kind, who: &Arc<str>, what: &Arc<str>| {
        ((kind, who.clone(), Some(what.clone())), LAST)
    };
    match change {
        S::Process { process, .. } => ((0, process.clone(), None), 1),
        S::Quorum { process, .. } => ((1, process.clone(), None), 1),
        S::Broker { controller, broker, .. } => one(2, controller, broker),
        S::Registration { controller, partition, .. } => one(3, controller, partition),
        S::Replica { process, partition, .. } => one(4, process, partition),
        S::Appended { process, partition, .. }
        | S::Truncated { process, partition, .. }
        | S::Recovered { process, partition, .. } => some(5, process, partition),
        S::HighWatermark { process, partition, .. } => one(6, process, partition),
        S::LastStable { process, partition, .. } => one(8, process, partition),
        S::IsrProposed { process, partition, .. } => one(9, process, partition),
        S::ProduceWaits { process, partition, .. } => one(10, process, partition),
        S::LeaderLearned { process, partition, .. } => one(11, process, partition),
        S::BatchSent { process, partition, .. } => some(12, process, partition),
        S::BatchAcked { process, partition, .. } => some(13, process, partition),
        S::BatchFailed { process, partition, .. } => some(14, process, partition),
        S::Polled { process, partition, .. } => one(15, process, partition),
        S::Group { coordinator, group, .. } => one(16, coordinator, group),
        S::Member { process, group, .. } => one(17, process, group),
        S::OffsetCommitted { coordinator, group, partition, .. } => {
            one(18, coordinator, &Arc::from(format!("{group} {partition}")))
        }
        S::CommitAnswered { process, group, .. } => one(19, process, group),
        S::Transaction { coordinator, id, .. } => one(20, coordinator, id),
        S::TransactionStep { process, id, .. } => some(21, process, id),
        S::ProducerIdentified { process, .. } => ((22, process.clone(), None), 1),
        S::LogStart { process, partition, .. } => one(23, process, partition),
    }
}
