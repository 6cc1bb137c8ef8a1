//! Where the replicas of a new topic go: over the brokers and racks in turn (CTL-12).
//!
//! Each partition takes its replicas from one rack after the other, and starts one rack
//! further than the partition before; once around, it is the next broker of each rack. So
//! leaders come in turn, and no two replicas share a rack while there are enough of them. Kafka's placer draws the first broker by lot; here the first topic
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
    let mut by_rack: BTreeMap<Option<Arc<str>>, Vec<NodeId>> = BTreeMap::new();
    for broker in brokers {
        by_rack.entry(broker.rack.clone()).or_default().push(broker.id);
    }
    let racks: Vec<Vec<NodeId>> = by_rack.into_values().collect();
    (0..partitions).map(|p| replicas(&racks, factor, start.wrapping_add(p))).collect()
}

/// One partition's: in each turn another rack gives the first of its brokers that has none.
fn replicas(racks: &[Vec<NodeId>], factor: usize, start: usize) -> Vec<NodeId> {
    let mut chosen: Vec<NodeId> = Vec::with_capacity(factor);
    let mut turn = start;
    while chosen.len() < factor {
        let (rack, round) = (&racks[turn % racks.len()], turn / racks.len());
        let mut brokers = (0..rack.len()).map(|at| rack[(round + at) % rack.len()]);
        let free = brokers.find(|id| !chosen.contains(id));
        chosen.extend(free);
        turn = turn.wrapping_add(1);
    }
    chosen
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

    #[test]
    fn racks_of_unequal_size_are_used_alike() {
        let racks = [Some("a"), Some("a"), Some("b"), Some("c"), Some("c")];
        let placed = place(&brokers(&racks), 4, 3, 0);
        let expected = [[1, 3, 4], [3, 4, 2], [4, 2, 3], [2, 3, 5]];
        assert_eq!(ids(&placed), expected);
        // More replicas than racks: every broker once.
        assert_eq!(ids(&place(&brokers(&racks), 1, 5, 0)), [[1, 3, 4, 2, 5]]);
    }
}
