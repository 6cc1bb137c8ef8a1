//! The examples compile, and the two forms of the same document are equal.

mod common;

use std::fs;
use std::path::Path;

use common::{compile_text, render};
use proptest::prelude::*;
use topomotion_model::{FlowStepKind, Origin, Play, StepKind, Topology};
use topomotion_script::{MemoryFiles, Options, Source, compile};

const EXAMPLES: &[&str] = &[
    "kafka-deep-dive.ts",
    "kafka-deep-dive.yaml",
    "kafka-zones.ts",
    "layers-v1-v2.ts",
    "nested-vpc.ts",
    "single-edge.ts",
    "web-shop.ts",
];

fn text(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    fs::read_to_string(folder.join(name)).expect("an example")
}

fn topology(name: &str) -> Topology {
    let compiled = compile_text(name, &text(name));
    assert_eq!(render(&compiled), "", "{name}");
    compiled.topology.expect("a topology")
}

/// The topology without its places in the text.
fn bare(mut topology: Topology) -> Topology {
    let clear = |origin: &mut Origin| *origin = Origin::default();
    topology.groups.iter_mut().for_each(|one| clear(&mut one.origin));
    topology.processes.iter_mut().for_each(|one| clear(&mut one.origin));
    topology.edges.iter_mut().for_each(|one| clear(&mut one.origin));
    if let Some(cluster) = &mut topology.cluster {
        clear(&mut cluster.origin);
        cluster.topics.iter_mut().for_each(|one| clear(&mut one.origin));
    }
    for scenario in &mut topology.scenarios {
        clear(&mut scenario.origin);
        match &mut scenario.play {
            Play::Flow(flow) => {
                flow.steps.iter_mut().for_each(|one| clear(&mut one.origin));
            }
            Play::Run(run) => run.steps.iter_mut().for_each(|one| clear(&mut one.origin)),
        }
    }
    topology
}

#[test]
fn every_example_compiles_without_a_word() {
    for name in EXAMPLES {
        assert!(!topology(name).processes.is_empty(), "{name}");
    }
}

#[test]
fn the_kafka_example_is_the_same_as_script_and_as_data() {
    let script = bare(topology("kafka-deep-dive.ts"));
    let data = bare(topology("kafka-deep-dive.yaml"));
    assert_eq!(script, data);
    assert_eq!((script.groups.len(), script.processes.len()), (7, 11));
    assert_eq!((script.edges.len(), script.scenarios.len()), (16, 3));
}

#[test]
fn every_scenario_of_the_kafka_example_demands_that_nothing_is_lost() {
    for scenario in topology("kafka-deep-dive.ts").scenarios {
        let Play::Run(run) = scenario.play else { panic!("a run") };
        let demands = run.steps.iter().filter(|s| matches!(s.kind, StepKind::Expect(_)));
        assert!(demands.count() > 0, "{}", scenario.id);
    }
}

#[test]
fn replicas_groups_and_parallel_packets_are_resolved() {
    let shop = topology("web-shop.ts");
    assert!(shop.process(&"api-2".into()).is_some());
    let Play::Flow(flow) = &shop.scenarios[1].play else { panic!("a flow") };
    let most = flow.steps.iter().map(|step| match &step.kind {
        FlowStepKind::Hops(hops) => hops.len(),
        _ => 0,
    });
    assert_eq!(most.max(), Some(2));
}

#[test]
fn the_vpc_is_four_groups_deep() {
    let vpc = topology("nested-vpc.ts");
    let mut depth = 0;
    let mut next = vpc.process(&"db-b".into()).and_then(|process| process.group.clone());
    while let Some(id) = next {
        depth += 1;
        next = vpc.group(&id).and_then(|group| group.parent.clone());
    }
    assert_eq!(depth, 4);
}

#[test]
fn the_layered_example_has_one_scenario_in_each_layer() {
    let topology = topology("layers-v1-v2.ts");
    assert_eq!(topology.layers(), ["v1", "v2"]);
    for (layer, scenario, processes) in [("v1", "order-v1", 4), ("v2", "order-v2", 8)] {
        let shown = topology.with_layers(&[layer]);
        assert_eq!(shown.scenarios.len(), 1);
        assert_eq!(shown.scenarios[0].id.as_str(), scenario);
        assert_eq!(shown.processes.len(), processes);
    }
}

#[test]
fn compiling_twice_gives_the_same() {
    let noisy = "console.log(Math.random(), Date.now(), new Date().toISOString());";
    let once = compile_text("a.ts", noisy).console;
    assert_eq!(once, compile_text("a.ts", noisy).console);
    assert!(once[0].text.contains("2025-01-01T00:00:00.000Z"), "{}", once[0].text);
}

/// Whatever comes in, something comes out: a topology, or at least one diagnostic.
fn check(name: &str, bytes: Vec<u8>) {
    let options = Options::default();
    let compiled = compile(&Source::new(name, bytes), &MemoryFiles::default(), &options);
    assert!(compiled.topology.is_some() || compiled.has_errors());
    // Rendering looks every span up, which fails if one lies outside its file.
    render(&compiled);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_truncated_example_gives_a_topology_or_an_error(
        which in 0..EXAMPLES.len(),
        share in 0.0..1.0_f64,
    ) {
        let name = EXAMPLES[which];
        let text = text(name);
        let length = (text.len() as f64 * share) as usize;
        check(name, text.as_bytes()[..length].to_vec());
    }

    #[test]
    fn an_example_with_a_changed_stretch_gives_a_topology_or_an_error(
        which in 0..EXAMPLES.len(),
        share in 0.0..1.0_f64,
        insert in "[(){}\\[\\]'\"`;:,.<>!?=a-z\n\t&*@-]{0,6}",
        removed in 0..12_usize,
    ) {
        let name = EXAMPLES[which];
        let mut bytes = text(name).into_bytes();
        let start = (bytes.len() as f64 * share) as usize;
        let end = (start + removed).min(bytes.len());
        bytes.splice(start..end, insert.into_bytes());
        check(name, bytes);
    }

    #[test]
    fn random_bytes_give_an_error(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        name in prop::sample::select(vec!["a.ts", "a.js", "a.yaml", "-"]),
    ) {
        check(name, bytes);
    }

    #[test]
    fn random_characters_of_code_give_a_topology_or_an_error(
        text in "[(){}\\[\\]'\"`;:,.<>!?=a-c0-2\n \t&*@$/\\\\-]{0,60}",
        name in prop::sample::select(vec!["a.ts", "a.js", "a.yaml", "-"]),
    ) {
        check(name, text.into_bytes());
    }
}
