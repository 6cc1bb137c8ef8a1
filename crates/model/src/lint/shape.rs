//! Rules that hold for any topology.

use std::collections::BTreeSet;

use super::{Facts, Findings};
use crate::{Edge, End, FlowStepKind, GroupId, Label, Play, Process, ProcessState};
use crate::{ProcessRole, Scenario, StepKind, Topology};

/// A label from this many characters on is long.
const LONG_LABEL: usize = 25;

pub(super) fn lonely_process(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let topology = facts.topology;
    // A diagram without any connection is an inventory, and may be one.
    if topology.edges.is_empty() && topology.processes.len() > 1 {
        return;
    }
    let ends: BTreeSet<&End> =
        topology.edges.iter().flat_map(|edge| [&edge.source, &edge.target]).collect();
    for process in &topology.processes {
        let is_connected = ends.contains(&End::Process(process.id.clone()))
            || groups_around(topology, process).any(|id| ends.contains(&End::Group(id)));
        if !is_connected {
            let place = process.origin.part("id");
            findings.add(format!("`{}` has no connection", process.id), place);
        }
    }
}

fn groups_around(
    topology: &Topology,
    process: &Process,
) -> impl Iterator<Item = GroupId> + use<> {
    let mut around = Vec::new();
    let mut next = process.group.clone();
    while let Some(id) = next.filter(|id| !around.contains(id)) {
        next = topology.group(&id).and_then(|group| group.parent.clone());
        around.push(id);
    }
    around.into_iter()
}

pub(super) fn reverse_edge(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let topology = facts.topology;
    let mut seen: BTreeSet<(&End, &End)> = BTreeSet::new();
    for edge in &topology.edges {
        let is_reverse = edge.source != edge.target
            && seen.contains(&(&edge.target, &edge.source))
            && !are_brokers(facts, edge);
        if is_reverse {
            let is_first = |first: &&Edge| {
                first.source == edge.target
                    && first.target == edge.source
                    && first.layer == edge.layer
                    && first.protocol == edge.protocol
            };
            // Two protocols, or two layers, are two connections.
            if let Some(first) = topology.edges[..edge.id.0].iter().find(is_first) {
                let (source, target) = (name(&edge.source), name(&edge.target));
                let message = format!(
                    "`{source}` dials `{target}`, which already dials `{source}`"
                );
                let place = first.origin.whole;
                let finding = findings.add(message, edge.origin.whole);
                finding.labels.extend(place.map(|span| Label {
                    span,
                    text: "the connection that is there already".to_owned(),
                }));
            }
        }
        seen.insert((&edge.source, &edge.target));
    }
}

/// Two brokers dial one another: each follows the other in some partition.
fn are_brokers(facts: &Facts<'_>, edge: &Edge) -> bool {
    let is_broker =
        |end: &End| end.process().is_some_and(|id| facts.is(id, ProcessRole::Broker));
    is_broker(&edge.source) && is_broker(&edge.target)
}

pub(super) fn self_edge(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let topology = facts.topology;
    for edge in topology.edges.iter().filter(|edge| edge.source == edge.target) {
        let message = format!("`{}` dials itself", name(&edge.source));
        findings.add(message, edge.origin.whole);
    }
}

pub(super) fn long_label(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let topology = facts.topology;
    let processes =
        topology.processes.iter().map(|process| (&process.label, &process.origin));
    let edges = topology.edges.iter();
    let edges = edges.filter_map(|edge| Some((edge.label.as_ref()?, &edge.origin)));
    let mut told = BTreeSet::new();
    for (label, origin) in processes.chain(edges) {
        let length = label.chars().count();
        let place = origin.part("label");
        // A loop, or replicas, make many of one place: one word about it is enough.
        if length >= LONG_LABEL && (place.is_none() || told.insert(place)) {
            findings.add(format!("the label `{label}` has {length} characters"), place);
        }
    }
}

pub(super) fn only_happy_path(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let topology = facts.topology;
    let [only] = topology.scenarios.as_slice() else { return };
    if !shows_failure(only) {
        let message =
            format!("`{}` is the only scenario, and nothing fails in it", only.id);
        findings.add(message, only.origin.whole);
    }
}

fn shows_failure(scenario: &Scenario) -> bool {
    match &scenario.play {
        Play::Flow(flow) => flow.steps.iter().any(|step| match &step.kind {
            FlowStepKind::Error { .. } | FlowStepKind::Flash(_) => true,
            FlowStepKind::SetState(_, state) => *state != ProcessState::Running,
            FlowStepKind::Start(_)
            | FlowStepKind::Hops(_)
            | FlowStepKind::Message { .. }
            | FlowStepKind::Wait(_) => false,
        }),
        Play::Run(run) => run.steps.iter().any(|step| match &step.kind {
            StepKind::Crash(_)
            | StepKind::Pause(_)
            | StepKind::Partition(..)
            | StepKind::Fault(_)
            | StepKind::Shutdown(_) => true,
            StepKind::Produce { .. }
            | StepKind::Admin(_)
            | StepKind::Client(..)
            | StepKind::Start(_)
            | StepKind::Restart(_)
            | StepKind::Resume(_)
            | StepKind::Heal
            | StepKind::Wait(_)
            | StepKind::WaitUntil { .. }
            | StepKind::Expect(_)
            | StepKind::Say(_) => false,
        }),
    }
}

pub(super) fn empty_scenario(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let topology = facts.topology;
    for scenario in &topology.scenarios {
        let is_empty = match &scenario.play {
            Play::Flow(flow) => flow.steps.is_empty(),
            Play::Run(run) => run.steps.is_empty(),
        };
        if is_empty {
            let message = format!("scenario `{}` has no steps", scenario.id);
            findings.add(message, scenario.origin.whole);
        }
    }
}

fn name(end: &End) -> &str {
    match end {
        End::Process(id) => id.as_str(),
        End::Group(id) => id.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use crate::Topology;
    use crate::builder::{
        EdgeConfig, FlowBuilder, GroupConfig, ProcessConfig, ScenarioConfig,
        TopologyBuilder,
    };
    use crate::lint::lint;

    fn codes(builder: TopologyBuilder) -> Vec<&'static str> {
        let (topology, _): (Topology, _) = builder.build().expect("a sound topology");
        lint(&topology).iter().map(|one| one.code).collect()
    }

    fn pair() -> TopologyBuilder {
        let mut builder = TopologyBuilder::default();
        builder.create_process(ProcessConfig::new("a"));
        builder.create_process(ProcessConfig::new("b"));
        builder.connect(EdgeConfig::new("a", "b"));
        builder
    }

    #[test]
    fn a_plain_pair_is_fine() {
        assert!(codes(pair()).is_empty());
    }

    #[test]
    fn an_edge_to_a_group_reaches_the_processes_in_it() {
        let mut builder = pair();
        let group = builder.create_group(GroupConfig::new("g"));
        let inner = builder.group(group).add_group(GroupConfig::new("inner"));
        builder.group(inner).add_process(ProcessConfig::new("c"));
        builder.connect(EdgeConfig::new("a", "g"));
        assert!(codes(builder).is_empty());
    }

    #[test]
    fn an_edge_that_only_reverses_another_is_found_once() {
        let mut builder = pair();
        builder.connect(EdgeConfig::new("b", "a"));
        assert_eq!(codes(builder), ["reverse-edge"]);
    }

    #[test]
    fn another_protocol_the_other_way_is_a_connection_of_its_own() {
        let mut builder = pair();
        let protocol = Some("http".to_owned());
        builder.connect(EdgeConfig { protocol, ..EdgeConfig::new("b", "a") });
        assert!(codes(builder).is_empty());
    }

    #[test]
    fn two_brokers_may_dial_one_another() {
        let mut builder = TopologyBuilder::default();
        for id in ["broker-1", "broker-2"] {
            builder.create_process(ProcessConfig::new(id));
        }
        builder.connect(EdgeConfig::new("broker-1", "broker-2"));
        builder.connect(EdgeConfig::new("broker-2", "broker-1"));
        assert!(codes(builder).is_empty());
    }

    #[test]
    fn a_label_is_long_from_twenty_five_characters_on() {
        for (length, expected) in [(24, vec![]), (25, vec!["long-label"])] {
            let mut builder = pair();
            let label = Some("ö".repeat(length));
            builder.connect(EdgeConfig { label, ..EdgeConfig::new("a", "b") });
            assert_eq!(codes(builder), expected);
        }
    }

    #[test]
    fn one_scenario_without_a_failure_is_only_the_happy_path() {
        let mut builder = pair();
        let mut flow = FlowBuilder::new();
        flow.scenario(ScenarioConfig::new("one", "One")).from("a").to("b");
        builder.flow(flow.clone());
        assert_eq!(codes(builder), ["only-happy-path"]);
        let mut builder = pair();
        flow.show_error("gone");
        builder.flow(flow);
        assert!(codes(builder).is_empty());
    }

    #[test]
    fn lonely_processes_self_edges_and_empty_scenarios_are_found() {
        let mut builder = pair();
        builder.create_process(ProcessConfig::new("c"));
        builder.connect(EdgeConfig::new("a", "a"));
        let mut flow = FlowBuilder::new();
        for id in ["one", "two"] {
            flow.scenario(ScenarioConfig::new(id, id));
        }
        builder.flow(flow);
        let expected =
            ["lonely-process", "self-edge", "empty-scenario", "empty-scenario"];
        assert_eq!(codes(builder), expected);
    }
}
