//! What the stories share: the picture, a way to write scenarios, and golden files.

pub mod pictures;
pub mod production;

use topomotion_model::builder::{ProduceConfig, ScenarioBuilder, ScenarioConfig};
use topomotion_model::{Acks, Cluster, Condition, Topic, Topology};
use topomotion_sim::{Binding, RunOptions, bind};
use topomotion_trace::{StateChange, Trace, What};
use topomotion_verify::Judged;

/// An empty scenario.
pub fn scenario(id: &str) -> ScenarioBuilder {
    ScenarioBuilder::new(ScenarioConfig::new(id, id))
}

pub fn condition(text: &str) -> Condition {
    Condition::parse(text).expect("a condition")
}

/// Waits in scenarios that should not take longer than a minute of engine time.
pub const MINUTE_MS: u64 = 60_000;

/// One record to partition 0.
pub fn record(acks: Acks) -> ProduceConfig {
    ProduceConfig { partition: Some(0), acks: Some(acks), ..ProduceConfig::default() }
}

/// Three partitions, three replicas each, and this `min.insync.replicas`.
pub fn orders(least: u32) -> Cluster {
    let topic = Topic {
        name: "orders".to_owned(),
        partitions: Some(3),
        min_insync_replicas: Some(least),
        ..Topic::default()
    };
    Cluster { topics: vec![topic], ..Cluster::default() }
}

/// Plays a scenario on the production picture.
pub fn play(cluster: Option<Cluster>, scenario: ScenarioBuilder) -> Judged {
    let topology = production::with(cluster, scenario).expect("no mistakes");
    let binding = bind(&topology).expect("binds");
    let judged =
        topomotion_verify::run(&binding, &topology.scenarios[0], &RunOptions::default());
    judged.expect("can be run")
}

/// Plays a built-in scenario on a bound topology.
pub fn built_in(binding: &Binding, id: &str, options: &RunOptions) -> Judged {
    let builtin = topomotion_sim::builtin(binding, id).expect("a built-in scenario");
    let scenario = builtin.fit.unwrap_or_else(|lack| panic!("{id} does not fit: {lack}"));
    topomotion_verify::run(binding, &scenario, options).expect("can be run")
}

/// Plays a built-in scenario: it passes, and is as its golden file tells it. The file's name
/// begins with the story's letter: `b5-leader-election`.
pub fn assert_story(topology: &Topology, letter: &str, id: &str) {
    let binding = bind(topology).expect("binds");
    let judged = built_in(&binding, id, &RunOptions::default());
    assert_passed(&judged);
    assert_golden(&format!("{letter}-{id}"), &story(&judged.outcome.trace));
}

/// Everything held, or else all of it is shown.
pub fn assert_passed(judged: &Judged) {
    assert!(
        judged.passed(),
        "{:?}\n{:#?}\n{:#?}\n{}",
        judged.outcome.ending,
        judged.outcome.verdicts,
        judged.violations,
        story(&judged.outcome.trace)
    );
}

/// The story without its routine: what a reader of the golden file should see.
pub fn story(trace: &Trace) -> String {
    let begun = trace.events.iter().position(|event| event.what == What::Curtain);
    let told = trace.events[begun.map_or(0, |curtain| curtain + 1)..].iter();
    let lines = told.filter(|event| match &event.what {
        What::Sent(packet) => packet.news,
        What::Arrived(_) => false,
        What::Mark { rule, partition: Some(partition), .. } => {
            let is_replication = rule.starts_with("REP") || rule.starts_with("TRN");
            !(is_replication && partition.starts_with("__"))
        }
        What::State(change) => !is_internal(change),
        _ => true,
    });
    lines.map(|event| format!("{event}\n")).collect()
}

/// The replication of internal topics: what they hold is told by their coordinators.
fn is_internal(change: &StateChange) -> bool {
    match change {
        StateChange::Replica { partition, .. }
        | StateChange::Appended { partition, .. }
        | StateChange::Truncated { partition, .. }
        | StateChange::HighWatermark { partition, .. }
        | StateChange::LastStable { partition, .. }
        | StateChange::IsrProposed { partition, .. }
        | StateChange::ProduceWaits { partition, .. } => {
            partition.starts_with("__consumer_offsets")
                || partition.starts_with("__transaction_state")
        }
        _ => false,
    }
}

/// Compares with the golden file; with `BLESS=1` writes it instead.
#[allow(clippy::disallowed_methods)] // Golden files are read and written by tests alone.
pub fn assert_golden(name: &str, text: &str) {
    let path = format!("{}/tests/stories/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var("BLESS").is_ok() {
        std::fs::write(&path, text).expect("the golden file can be written");
        return;
    }
    let golden = std::fs::read(&path).unwrap_or_default();
    let golden = String::from_utf8_lossy(&golden);
    let differs = golden.lines().zip(text.lines()).position(|(was, is)| was != is);
    assert!(
        golden == text,
        "{name} differs from line {} on; run with BLESS=1 to accept it:\n{text}",
        differs.unwrap_or(golden.lines().count().min(text.lines().count())) + 1
    );
}
