//! Where the replicas of a new topic go: over the brokers and racks in turn (CTL-12).
//!
//! Brokers are put in a ring, racks alternating. Each partition takes its replicas from the
//! ring one after the other, and starts one broker further than the partition before, so that
//! leaders come in turn. Kafka's placer draws the first broker by lot; here the first topic
//! starts at the first broker and the next one where it left off, because a picture should be
//! predictable.

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_wire::NodeId;

/// A broker that may be given replicas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Usable {
    pub(super) id: NodeId,
    pub(super) rack: Option<Arc<str>>,
}

/// The replicas of `partitions` partitions, `factor` each, from position `start` on. Needs at
/// least `factor` brokers.
pub(super) fn place(
    brokers: &[Usable],
    partitions: usize,
    factor: usize,
    start: usize,
) -> Vec<Vec<NodeId>> {
    assert!(factor <= brokers.len(), "no broker holds two replicas of one partition");
    let ring = ring(brokers);
    let replica = |partition: usize, nth: usize| {
        let at = start.wrapping_add(partition).wrapping_add(nth);
        ring[at % ring.len()]
    };
    (0..partitions).map(|p| (0..factor).map(|nth| replica(p, nth)).collect()).collect()
}

/// The first broker of each rack, then the second of each, and so on.
fn ring(brokers: &[Usable]) -> Vec<NodeId> {
    let mut seen: BTreeMap<Option<Arc<str>>, usize> = BTreeMap::new();
    let mut ranked: Vec<(usize, Option<Arc<str>>, NodeId)> = Vec::new();
    for broker in brokers {
        let rank = seen.entry(broker.rack.clone()).or_default();
        ranked.push((*rank, broker.rack.clone(), broker.id));
        *rank += 1;
    }
    ranked.sort();
    ranked.into_iter().map(|(_, _, id)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brokers(racks: &[Option<&str>]) -> Vec<Usable> {
        let usable = |(at, rack): (usize, &Option<&str>)| Usable {
            id: NodeId(at as i32 + 1),
            rack: rack.map(Arc::from),
        };
        racks.iter().enumerate().map(usable).collect()
    }

    fn ids(placed: &[Vec<NodeId>]) -> Vec<Vec<i32>> {
        placed.iter().map(|replicas| replicas.iter().map(|id| id.0).collect()).collect()
    }

    #[test]
    fn leaders_come_in_turn() {
        let placed = place(&brokers(&[None; 3]), 3, 3, 0);
        assert_eq!(ids(&placed), [[1, 2, 3], [2, 3, 1], [3, 1, 2]]);
        let placed = place(&brokers(&[None; 3]), 2, 2, 2);
        assert_eq!(ids(&placed), [[3, 1], [1, 2]]);
    }

    #[test]
    fn racks_alternate() {
        let racks = [Some("a"), Some("a"), Some("b"), Some("b")];
        let placed = place(&brokers(&racks), 2, 2, 0);
        assert_eq!(ids(&placed), [[1, 3], [3, 2]]);
    }
}
