//! Replicas that could change places stand in their order.
//!
//! Two replicas of one process that are connected to the same others, in the same way, look
//! alike: whichever of them stands where, the picture has the same lines. Then their numbers
//! rise in reading order.

use std::collections::BTreeMap;

use crate::engine::tree::{BoxId, Rows, Tree};

/// What a box is connected to: the other ends, and whether the edge leaves it.
type Ties = Vec<(BoxId, bool)>;

/// Puts interchangeable replicas into their order, in the places that they have.
pub fn order(tree: &Tree, rows: &mut [Rows]) {
    for set in &tree.replicas {
        let mut alike: BTreeMap<(BoxId, Ties), Vec<BoxId>> = BTreeMap::new();
        for &replica in set {
            let key = (tree.parent[replica], ties(tree, replica));
            alike.entry(key).or_default().push(replica);
        }
        for ((parent, _), twins) in alike {
            let mut in_order = twins.iter().copied();
            let places = rows[parent].iter_mut().flatten();
            for place in places.filter(|place| twins.contains(place)) {
                *place = in_order.next().unwrap_or(*place);
            }
        }
    }
}

fn ties(tree: &Tree, id: BoxId) -> Ties {
    let ends = tree.ends.iter().flatten();
    let mut ties: Ties = ends
        .flat_map(|&(source, target)| [(source, target, true), (target, source, false)])
        .filter(|&(own, ..)| own == id)
        .map(|(_, other, leaves)| (other, leaves))
        .collect();
    ties.sort_unstable();
    ties
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Spacing;
    use crate::engine::tree::nest;
    use crate::graph::{Edge, Graph, Member, Node};

    /// Three replicas and two others; edges by index.
    fn tree(edges: &[(usize, usize)]) -> Tree {
        let replica = |at| (at < 3).then(|| "api".to_owned());
        let node = |at| Node { replica_of: replica(at), ..Node::default() };
        let edge = |&(a, b): &(usize, usize)| Edge {
            id: format!("{a}-{b}"),
            source: Member::Node(a),
            target: Member::Node(b),
            label: None,
        };
        let graph = Graph {
            nodes: (0..5).map(node).collect(),
            edges: edges.iter().map(edge).collect(),
            ..Graph::default()
        };
        nest(&graph, &Spacing::default())
    }

    fn ordered(tree: &Tree, of_root: &[&[BoxId]]) -> Rows {
        let mut rows = tree.rows.clone();
        rows[tree.root] = of_root.iter().map(|row| row.to_vec()).collect();
        order(tree, &mut rows);
        rows[tree.root].clone()
    }

    #[test]
    fn replicas_with_the_same_connections_read_in_their_order() {
        let tree = tree(&[(3, 0), (3, 1), (3, 2), (0, 4), (1, 4), (2, 4)]);
        assert_eq!(
            ordered(&tree, &[&[3], &[2, 4, 1], &[0]]),
            [vec![3], vec![0, 4, 1], vec![2]]
        );
    }

    #[test]
    fn a_replica_with_a_connection_of_its_own_stays() {
        let tree = tree(&[(3, 0), (3, 1), (3, 2), (1, 4)]);
        assert_eq!(ordered(&tree, &[&[2, 1, 0, 3, 4]]), [[0, 1, 2, 3, 4]]);
        assert_eq!(ordered(&tree, &[&[1, 2, 0, 3, 4]]), [[1, 0, 2, 3, 4]]);
    }
}
