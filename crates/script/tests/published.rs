//! What we publish for editors is what the compiler takes.

mod common;

use std::collections::BTreeSet;

use common::{compile_text, render};

const TYPES: &str = include_str!("../types/topomotion.d.ts");

/// Calls every method once with the arguments' names, and sees what the sandbox has.
fn methods_of_the_sandbox() -> BTreeSet<String> {
    let script = "const t = new TopologyBuilder();
        const made = [t, t.createGroup('g'), t.kafka({}), new FlowBuilder(), new ScenarioBuilder(t.kafka())];
        for (const one of made) {
          const prototype = Object.getPrototypeOf(one);
          for (const name of Object.getOwnPropertyNames(prototype)) {
            console.log(prototype.constructor.name + '.' + name);
          }
        }";
    let compiled = compile_text("a.ts", script);
    compiled.console.into_iter().map(|line| line.text).collect()
}

/// The methods that the declarations give to each class or interface.
fn methods_of_the_declarations() -> BTreeSet<String> {
    let mut methods = BTreeSet::new();
    let mut owner = None;
    for line in TYPES.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["export", "class" | "interface", name, ..] = words.as_slice() {
            owner = name.ends_with("Builder").then(|| (*name).to_owned());
        }
        let Some(owner) = &owner else { continue };
        let name = line.trim().split_once('(').map(|(name, _)| name);
        let is_method = line.starts_with("    ") && !line.trim().starts_with(['*', '/']);
        if let Some(name) = name.filter(|_| is_method) {
            methods.insert(format!("{owner}.{name}"));
        }
    }
    methods
}

#[test]
fn the_type_declarations_have_exactly_the_methods_of_the_sandbox() {
    let methods = methods_of_the_sandbox();
    assert!(methods.len() > 40, "{methods:?}");
    let declared = methods_of_the_declarations();
    let without_interfaces = |name: &&String| {
        !matches!(name.as_str(), "GroupBuilder.constructor" | "KafkaBuilder.constructor")
    };
    let methods: BTreeSet<&String> = methods.iter().filter(without_interfaces).collect();
    assert_eq!(methods, declared.iter().collect());
}

#[test]
fn an_import_of_everything_published_compiles() {
    let script =
        "import { TopologyBuilder, FlowBuilder, ScenarioBuilder } from 'topomotion';
        import { ProcessConfig, GroupBuilder, Acks } from 'topomotion';
        const a: ProcessConfig = { id: 'a' };
        const topology = new TopologyBuilder();
        topology.createProcess(a).createProcess({ id: 'b' }).connect('a', 'b');
        await topology.apply();
        return new FlowBuilder().scenario('x').from('a').to('b').showError('gone');";
    let compiled = compile_text("a.ts", script);
    assert_eq!(render(&compiled), "");
    assert_eq!(compiled.topology.expect("a topology").scenarios.len(), 1);
}

#[test]
fn ids_may_stand_before_the_options_and_groups_be_named() {
    let script = "
        const topology = new TopologyBuilder();
        const region = topology.createGroup('eu', { label: 'Europe' });
        const kafka = region.addGroup('kafka', { label: 'Kafka' });
        kafka.addProcess('broker-1', { label: 'Broker' });
        topology.createProcess({ id: 'broker-2', group: 'kafka' });
        await topology.apply();";
    let compiled = compile_text("a.ts", script);
    assert_eq!(render(&compiled), "");
    let topology = compiled.topology.expect("a topology");
    assert_eq!(topology.groups[1].parent, Some("eu".into()));
    assert_eq!(topology.groups[1].label, "Kafka");
    let homes: Vec<_> = topology.processes.iter().map(|it| it.group.clone()).collect();
    assert_eq!(homes, [Some("kafka".into()), Some("kafka".into())]);
}

#[test]
fn a_document_may_list_processes_beside_their_groups() {
    let document = "
groups: [{ id: data, label: Data }]
processes:
  - { id: db, group: data }
  - { id: cache, group: data }
connections: [{ from: db, target: cache }]
";
    let topology = compile_text("a.yaml", document).topology.expect("a topology");
    assert!(topology.processes.iter().all(|it| it.group == Some("data".into())));
    let edge = &topology.edges[0];
    let ends = [&edge.source, &edge.target].map(|end| end.process().unwrap().as_str());
    assert_eq!(ends, ["db", "cache"]);
}

#[test]
fn a_line_may_be_dashed_by_its_type() {
    let document = "
processes: [{ id: a }, { id: b }]
connections:
  - { source: a, target: b, type: dashed }
  - { source: b, target: a, type: pulse }
";
    let topology = compile_text("a.yaml", document).topology.expect("a topology");
    let styles: Vec<_> = topology.edges.iter().map(|it| it.style.as_deref()).collect();
    assert_eq!(styles, [Some("dashed"), None]);
}
