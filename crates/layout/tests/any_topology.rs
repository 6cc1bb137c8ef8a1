//! Any graph at all gives a picture without faults. The numbers are the same in every run; other
//! graphs come with another seed, and more of them with `PROPTEST_CASES`.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use topomotion_layout::check::faults;
use topomotion_layout::graph::{Edge, Graph, Group, Member, Node, Wishes, place};
use topomotion_model::Direction;
use topomotion_scene::{Point, Size};

/// Who is placed by hand.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Placed {
    Nobody,
    Some,
}

fn size(
    width: std::ops::Range<f64>,
    height: std::ops::Range<f64>,
) -> impl Strategy<Value = Size> {
    (width, height).prop_map(|(width, height)| Size { width, height })
}

fn member(nodes: usize, groups: usize) -> impl Strategy<Value = Member> {
    // Mostly nodes, few of them again and again: hubs, parallel edges, loops.
    prop_oneof![
        6 => (0..nodes).prop_map(Member::Node),
        2 => (0..nodes.min(3)).prop_map(Member::Node),
        1 => (0..groups + 1).prop_map(Member::Group),
    ]
}

fn graph(placed: Placed) -> impl Strategy<Value = Graph> {
    // Seldom as large as a wall poster.
    let nodes = prop_oneof![12 => 1usize..60, 1 => 60usize..200];
    let groups = prop_oneof![6 => 0usize..14, 1 => 14usize..40];
    (nodes, groups).prop_flat_map(move |(nodes, groups)| {
        let parent = prop::option::weighted(0.7, 0..groups + 1);
        let position = match placed {
            Placed::Nobody => Just(None).boxed(),
            Placed::Some => {
                prop::option::weighted(0.5, (-50.0..900.0, 0.0..700.0)).boxed()
            }
        };
        let group = (parent.clone(), size(1.0..260.0, 10.0..34.0), position.clone());
        let node = (parent, size(20.0..240.0, 20.0..160.0), position);
        let end = || member(nodes, groups);
        // From a word to two hundred letters in lines.
        let label = prop_oneof![
            9 => size(10.0..148.0, 14.0..50.0),
            1 => size(100.0..400.0, 40.0..160.0),
        ];
        let edge = (end(), end(), prop::option::of(label));
        // A hub has up to a hundred edges more.
        let hub = prop::option::weighted(
            0.1,
            (0..nodes, prop::collection::vec((0..nodes, any::<bool>()), 10..100)),
        );
        let way = prop_oneof![
            3 => Just(Direction::Down),
            1 => Just(Direction::Right),
            1 => Just(Direction::Up),
            1 => Just(Direction::Left),
        ];
        (
            way,
            prop::collection::vec(group, groups),
            prop::collection::vec(node, nodes),
            prop::collection::vec(edge, 0..nodes * 2),
            hub,
            prop::collection::vec(any::<u8>(), nodes),
        )
            .prop_map(build)
    })
}

type Placement = Option<(f64, f64)>;
type Parts = (
    Direction,
    Vec<(Option<usize>, Size, Placement)>,
    Vec<(Option<usize>, Size, Placement)>,
    Vec<(Member, Member, Option<Size>)>,
    Option<(usize, Vec<(usize, bool)>)>,
    Vec<u8>,
);

fn build((direction, groups, nodes, mut edges, hub, rows): Parts) -> Graph {
    let at = |place: Placement| place.map(|(x, y)| Point::new(x, y));
    if let Some((hub, others)) = hub {
        let end = Member::Node;
        edges.extend(others.into_iter().map(|(other, is_source)| match is_source {
            true => (end(hub), end(other), None),
            false => (end(other), end(hub), None),
        }));
    }
    let mut graph = Graph {
        direction,
        groups: groups
            .into_iter()
            .enumerate()
            .map(|(index, (parent, title, place))| Group {
                id: format!("g{index}"),
                parent,
                title,
                position: at(place),
                ..Group::default()
            })
            .collect(),
        nodes: nodes
            .into_iter()
            .enumerate()
            .map(|(index, (group, size, place))| Node {
                id: format!("n{index}"),
                group,
                size,
                position: at(place),
                replica_of: None,
            })
            .collect(),
        edges: edges
            .into_iter()
            .enumerate()
            .map(|(index, (source, target, label))| Edge {
                id: format!("e{index}"),
                source,
                target,
                label,
            })
            .collect(),
        rows: Vec::new(),
    };
    // Some groups have rows of their own.
    for group in 0..graph.groups.len().min(3) {
        let mut own: Vec<Vec<Member>> = vec![Vec::new()];
        for (node, &row) in rows.iter().enumerate() {
            if graph.nodes[node].group == Some(group) {
                if row % 3 == 0 {
                    own.push(Vec::new());
                }
                if let Some(last) = own.last_mut() {
                    last.push(Member::Node(node));
                }
            }
        }
        graph.groups[group].rows = own;
    }
    graph
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 300, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn any_graph_gives_a_picture_without_faults(graph in graph(Placed::Nobody)) {
        let placement = place(&graph, &Wishes::default());
        prop_assert_eq!(faults(&graph, &placement), vec![]);
        prop_assert_eq!(place(&graph, &Wishes::default()), placement);
    }

    #[test]
    fn any_graph_placed_by_hand_gives_a_picture_without_faults(graph in graph(Placed::Some)) {
        let placement = place(&graph, &Wishes::default());
        prop_assert_eq!(faults(&graph, &placement), vec![]);
    }
}
