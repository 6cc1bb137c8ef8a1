//! Graphs of the layout bench's family: nested groups, mostly local edges, some hubs and
//! some edges back. Every one is laid out and judged by the checker.

use topomotion_layout::check::faults;
use topomotion_layout::graph::{Edge, Effort, Graph, Group, Member, Node, Wishes, place};
use topomotion_layout::{PASSES, State};
use topomotion_scene::Size;

/// A small generator of numbers; good enough to vary graphs.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

/// Outer groups of inner groups of nodes, one and a half edges a node.
fn bench_graph(nodes: usize, seed: u64) -> Graph {
    let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9) + 1);
    let title = Size { width: 80.0, height: 18.0 };
    let mut graph = Graph::default();
    let group = |parent| Group { parent, title, ..Group::default() };
    while graph.nodes.len() < nodes {
        let outer = graph.groups.len();
        graph.groups.push(group(None));
        for _ in 0..2 + numbers.below(3) {
            let inner = graph.groups.len();
            graph.groups.push(group(Some(outer)));
            for _ in 0..3 + numbers.below(6) {
                let size = Size { width: 80.0 + numbers.below(40) as f64, height: 40.0 };
                graph.nodes.push(Node { group: Some(inner), size, ..Node::default() });
            }
        }
    }
    graph.nodes.truncate(nodes);
    for index in 0..nodes * 3 / 2 {
        let source = numbers.below(nodes);
        let reach = if index % 4 == 0 { 40 } else { 8 };
        let target = (source + 1 + numbers.below(reach)).min(nodes - 1);
        let label = (index % 2 == 0).then_some(Size { width: 70.0, height: 14.0 });
        let (source, target) = (Member::Node(source), Member::Node(target));
        graph.edges.push(Edge { id: format!("e{index}"), source, target, label });
    }
    graph
}

#[test]
fn graphs_of_the_bench_have_no_faults() {
    for (nodes, seeds) in [(11, 12), (50, 6), (120, 1)] {
        for seed in 0..seeds {
            let graph = bench_graph(nodes, seed);
            let placement = place(&graph, &Wishes::default());
            assert_eq!(faults(&graph, &placement), [], "{nodes} nodes, seed {seed}");
            assert_eq!(placement.effort, Effort::Whole);
        }
    }
}

#[test]
fn the_shape_is_near_the_wish() {
    for seed in 0..6 {
        let size = place(&bench_graph(50, seed), &Wishes::default()).size;
        let aspect = size.width / size.height;
        assert!((0.7..2.4).contains(&aspect), "seed {seed}: {aspect}");
    }
}

#[test]
fn passes_can_be_run_one_by_one_and_looked_at() {
    let (graph, wishes) = (bench_graph(11, 1), Wishes::default());
    let mut state = State::new(&graph, &wishes);
    let mut last = String::new();
    for pass in PASSES {
        pass.run(&mut state);
        last = state.dump();
    }
    assert_eq!(state.placement(), place(&graph, &wishes));
    assert!(last.contains("(all)"));
}

#[test]
fn nothing_at_all_is_fine() {
    let placement = place(&Graph::default(), &Wishes::default());
    assert_eq!(placement.nodes.len() + placement.edges.len(), 0);
}
