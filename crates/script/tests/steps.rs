//! Every step of a run, in either form of a script, is the same step.

mod common;

use common::{compile_text, render};
use topomotion_model::{Awaits, Play, Run, StepKind};

const TYPESCRIPT: &str = r#"
const topology = new TopologyBuilder(true);
topology.createProcess({ id: 'b1', role: 'broker' });
topology.createProcess({ id: 'b2', role: 'broker' });
topology.createProcess({ id: 'shop', role: 'producer' });
topology.createProcess({ id: 'reader', role: 'consumer' });
topology.connect('b2', 'b1', { protocol: 'kafka' });
topology.connect('shop', 'b1', { protocol: 'kafka' });
topology.connect('reader', 'b1', { protocol: 'kafka' });
await topology.apply();
topology.kafka({ topics: ['orders'] })
  .scenario('all', 'All steps', 'One of each.', {
    settings: { 'min.insync.replicas': 2, 'era.elr': false, 'producer.linger.ms': 0 },
  })
  .produce('shop', 'orders', { key: 'a', await: false, caption: 'It does not wait.' })
  .produce('shop', 'orders', { key: 'b', await: true })
  .fault('slow b1 > b2 by 250 ms', { caption: 'The link is slow.' })
  .shutdown('b2')
  .restart('@last')
  .admin('grow orders to 3')
  .client('reader', 'seek orders-0 to earliest', { caption: 'Again, from the start.' })
  .waitUntil('told(shop, NOT_ENOUGH_REPLICAS)')
  .expect('violation(J3)');
"#;

const YAML: &str = r#"
processes:
  - { id: b1, role: broker }
  - { id: b2, role: broker }
  - { id: shop, role: producer }
  - { id: reader, role: consumer }
connections:
  - { source: b2, target: b1, protocol: kafka }
  - { source: shop, target: b1, protocol: kafka }
  - { source: reader, target: b1, protocol: kafka }
kafka:
  topics: [orders]
scenarios:
  - id: all
    title: All steps
    description: One of each.
    settings: { min.insync.replicas: 2, era.elr: false, producer.linger.ms: 0 }
    run:
      - produce: { producer: shop, topic: orders, key: a, await: false }
        caption: It does not wait.
      - produce: { producer: shop, topic: orders, key: b, await: true }
      - fault: slow b1 > b2 by 250 ms
        caption: The link is slow.
      - shutdown: b2
      - restart: '@last'
      - admin: grow orders to 3
      - client: { node: reader, line: seek orders-0 to earliest }
        caption: Again, from the start.
      - waitUntil: told(shop, NOT_ENOUGH_REPLICAS)
      - expect: violation(J3)
"#;

fn run(name: &str, text: &str) -> Run {
    let compiled = compile_text(name, text);
    assert_eq!(render(&compiled), "", "{name}");
    let topology = compiled.topology.expect("a topology");
    let Play::Run(run) = &topology.scenarios[0].play else { panic!("a run") };
    run.clone()
}

#[test]
fn typescript_and_yaml_write_the_same_run() {
    let (one, other) = (run("run.ts", TYPESCRIPT), run("run.yaml", YAML));
    assert_eq!(one.settings, other.settings);
    let steps = |run: &Run| {
        let steps = run.steps.iter();
        steps.map(|step| (step.kind.clone(), step.caption.clone())).collect::<Vec<_>>()
    };
    assert_eq!(steps(&one), steps(&other));
    assert_eq!(one.settings["producer.linger.ms"], "0");
    assert_eq!(one.settings["era.elr"], "false");
    let awaited: Vec<Awaits> = one.steps.iter().filter_map(awaits).collect();
    assert_eq!(awaited, [Awaits::Nothing, Awaits::Answers]);
}

fn awaits(step: &topomotion_model::Step) -> Option<Awaits> {
    match &step.kind {
        StepKind::Produce { awaits, .. } => Some(*awaits),
        _ => None,
    }
}
