//! Layers: parts of a topology that are shown or hidden together.
//!
//! What names no layer is always there, unless what it stands in is hidden. An edge goes with
//! either of its ends, a scenario with anything that it needs.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Alias, Diagnostic, Edge, EdgeId, End, FlowStepKind, GroupId, Member};
use crate::{Play, ProcessId, Scenario, StepKind, Topology, nearest};

impl Topology {
    /// The names of all layers, in the order in which the script first names them.
    pub fn layers(&self) -> Vec<&str> {
        let groups = self.groups.iter().map(|group| &group.layer);
        let processes = self.processes.iter().map(|process| &process.layer);
        let edges = self.edges.iter().map(|edge| &edge.layer);
        let scenarios = self.scenarios.iter().map(|scenario| &scenario.layer);
        let mut names: Vec<&str> = Vec::new();
        for layer in groups.chain(processes).chain(edges).chain(scenarios).flatten() {
            if !names.contains(&layer.as_str()) {
                names.push(layer);
            }
        }
        names
    }

    /// What is gone when this layer alone is hidden: groups, processes, and edges by their place.
    /// With several layers hidden, all is gone that is gone with any of them.
    pub fn gone_without(
        &self,
        layer: &str,
    ) -> (Vec<&GroupId>, Vec<&ProcessId>, Vec<usize>) {
        let shown: Vec<&str> =
            self.layers().into_iter().filter(|name| *name != layer).collect();
        let visible = Visible::new(self, &shown);
        let groups = self.groups.iter().map(|group| &group.id);
        let processes = self.processes.iter().map(|process| &process.id);
        let edges = self.edges.iter().enumerate();
        (
            groups.filter(|id| !visible.groups.contains(id)).collect(),
            processes.filter(|id| !visible.processes.contains(id)).collect(),
            edges.filter(|(_, edge)| !visible.edge(edge)).map(|(at, _)| at).collect(),
        )
    }

    /// An error for each name that is no layer of this topology.
    pub fn check_layers(&self, shown: &[&str]) -> Vec<Diagnostic> {
        let known = self.layers();
        let unknown = shown.iter().filter(|name| !known.contains(name));
        unknown
            .map(|name| {
                let message = format!("no layer has the name `{name}`");
                let error = Diagnostic::error("unknown-layer", message, None);
                match nearest(name, known.iter().copied()) {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None if known.is_empty() => error.help("the topology has no layers"),
                    None => error.help(format!("known layers: {}", known.join(", "))),
                }
            })
            .collect()
    }

    /// The topology with these layers, and with everything that names none. Edges are
    /// numbered anew. A scenario stays if all that it names is still there.
    pub fn with_layers(&self, shown: &[&str]) -> Topology {
        let visible = Visible::new(self, shown);
        let mut renumbered = BTreeMap::new();
        let mut edges = Vec::new();
        for edge in self.edges.iter().filter(|edge| visible.edge(edge)) {
            let id = EdgeId(edges.len());
            renumbered.insert(edge.id, id);
            edges.push(Edge { id, ..edge.clone() });
        }
        let scenarios = self.scenarios.iter().filter_map(|scenario| {
            visible.scenario(scenario).then_some(())?;
            renumber(scenario, &renumbered)
        });
        Topology {
            rows: visible.rows(&self.rows),
            groups: (self.groups.iter())
                .filter(|group| visible.groups.contains(&group.id))
                .map(|group| {
                    let rows = visible.rows(&group.rows);
                    crate::Group { rows, ..group.clone() }
                })
                .collect(),
            processes: (self.processes.iter())
                .filter(|process| visible.processes.contains(&process.id))
                .cloned()
                .collect(),
            scenarios: scenarios.collect(),
            edges,
            ..self.clone()
        }
    }
}

/// What is left with some layers.
struct Visible<'a> {
    shown: &'a [&'a str],
    groups: BTreeSet<&'a GroupId>,
    processes: BTreeSet<&'a ProcessId>,
    /// With the hidden ones.
    all: BTreeSet<&'a ProcessId>,
}

impl<'a> Visible<'a> {
    fn new(topology: &'a Topology, shown: &'a [&'a str]) -> Visible<'a> {
        let is_on = |layer: &Option<String>| {
            layer.as_ref().is_none_or(|l| shown.contains(&l.as_str()))
        };
        let mut groups = BTreeSet::new();
        // A parent comes before its children.
        for group in &topology.groups {
            let parent_is_on = group.parent.as_ref().is_none_or(|id| groups.contains(id));
            if is_on(&group.layer) && parent_is_on {
                groups.insert(&group.id);
            }
        }
        let processes = topology.processes.iter().filter(|process| {
            let group_is_on = process.group.as_ref().is_none_or(|id| groups.contains(id));
            is_on(&process.layer) && group_is_on
        });
        let processes = processes.map(|process| &process.id).collect();
        let all = topology.processes.iter().map(|process| &process.id).collect();
        Visible { shown, groups, processes, all }
    }

    fn layer(&self, layer: Option<&String>) -> bool {
        layer.is_none_or(|layer| self.shown.contains(&layer.as_str()))
    }

    fn edge(&self, edge: &Edge) -> bool {
        let end = |end: &End| match end {
            End::Process(id) => self.processes.contains(id),
            End::Group(id) => self.groups.contains(id),
        };
        self.layer(edge.layer.as_ref()) && end(&edge.source) && end(&edge.target)
    }

    fn rows(&self, rows: &[Vec<Member>]) -> Vec<Vec<Member>> {
        let is_on = |member: &&Member| match member {
            Member::Group(id) => self.groups.contains(id),
            Member::Process(id) => self.processes.contains(id),
        };
        let rows = rows.iter().map(|row| row.iter().filter(is_on).cloned().collect());
        rows.filter(|row: &Vec<Member>| !row.is_empty()).collect()
    }

    fn scenario(&self, scenario: &Scenario) -> bool {
        let named = processes_named(scenario);
        let is_hidden = |word: &str| {
            let id = ProcessId::from(word);
            self.all.contains(&id) && !self.processes.contains(&id)
        };
        let mut words = lines(scenario).flat_map(|line| line.split([' ', ',']));
        self.layer(scenario.layer.as_ref())
            && (named.iter())
                .all(|id| Alias::of(id).is_some() || self.processes.contains(id))
            && !words.any(is_hidden)
    }
}

/// Every process that a scenario names.
pub(crate) fn processes_named(scenario: &Scenario) -> Vec<&ProcessId> {
    let mut named = Vec::new();
    match &scenario.play {
        Play::Flow(flow) => {
            for step in &flow.steps {
                match &step.kind {
                    FlowStepKind::Start(id)
                    | FlowStepKind::Flash(id)
                    | FlowStepKind::SetState(id, _)
                    | FlowStepKind::Message { at: id, .. }
                    | FlowStepKind::Error { at: id, .. } => named.push(id),
                    FlowStepKind::Hops(hops) => {
                        named.extend(hops.iter().flat_map(|hop| [&hop.from, &hop.to]));
                    }
                    FlowStepKind::Wait(_) => {}
                }
            }
        }
        Play::Run(run) => {
            for step in &run.steps {
                match &step.kind {
                    StepKind::Produce { producer: id, .. }
                    | StepKind::Crash(id)
                    | StepKind::Start(id)
                    | StepKind::Restart(id)
                    | StepKind::Pause(id)
                    | StepKind::Resume(id)
                    | StepKind::Shutdown(id)
                    | StepKind::Client(id, _) => named.push(id),
                    StepKind::Partition(one, other) => {
                        named.extend(one.iter().chain(other));
                    }
                    StepKind::WaitUntil { condition, .. }
                    | StepKind::Expect(condition) => {
                        named.extend(condition.processes());
                    }
                    StepKind::Fault(_)
                    | StepKind::Admin(_)
                    | StepKind::Heal
                    | StepKind::Wait(_)
                    | StepKind::Say(_) => {}
                }
            }
        }
    }
    named
}

/// Lines of text that name processes in a way of their own.
pub(crate) fn lines(scenario: &Scenario) -> impl Iterator<Item = &str> {
    let steps = match &scenario.play {
        Play::Flow(_) => &[],
        Play::Run(run) => &run.steps[..],
    };
    steps.iter().filter_map(|step| match &step.kind {
        StepKind::Fault(line) | StepKind::Admin(line) => Some(line.as_str()),
        _ => None,
    })
}

/// The scenario with its hops along the renumbered edges; `None` if one of them is hidden.
fn renumber(
    scenario: &Scenario,
    renumbered: &BTreeMap<EdgeId, EdgeId>,
) -> Option<Scenario> {
    let mut scenario = scenario.clone();
    if let Play::Flow(flow) = &mut scenario.play {
        for step in &mut flow.steps {
            let FlowStepKind::Hops(hops) = &mut step.kind else { continue };
            for hop in hops {
                hop.edge = *renumbered.get(&hop.edge)?;
            }
        }
    }
    Some(scenario)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::{
        EdgeConfig, FlowBuilder, GroupConfig, ProcessConfig, ScenarioConfig,
        TopologyBuilder,
    };

    fn topology() -> Topology {
        let mut builder = TopologyBuilder::default();
        let layer = |name: &str| Some(name.to_owned());
        let old = builder
            .create_group(GroupConfig { layer: layer("v1"), ..GroupConfig::new("old") });
        builder.group(old).add_process(ProcessConfig::new("monolith"));
        builder.create_process(ProcessConfig::new("client"));
        builder.create_process(ProcessConfig {
            layer: layer("v2"),
            ..ProcessConfig::new("api")
        });
        builder.connect(EdgeConfig::new("client", "monolith"));
        builder.connect(EdgeConfig::new("client", "api"));
        let mut flow = FlowBuilder::new();
        flow.scenario(ScenarioConfig::new("one", "One")).from("client").to("monolith");
        flow.scenario(ScenarioConfig::new("two", "Two")).from("client").to("api");
        builder.flow(flow);
        builder.build().unwrap().0
    }

    #[test]
    fn what_goes_with_a_layer_is_what_is_not_there_without_it() {
        let topology = topology();
        for (layer, other) in [("v1", "v2"), ("v2", "v1")] {
            let (groups, processes, edges) = topology.gone_without(layer);
            let left = topology.with_layers(&[other]);
            assert!(processes.iter().all(|id| left.process(id).is_none()), "{layer}");
            let sum = |gone: usize, left: usize| gone + left;
            assert_eq!(
                sum(processes.len(), left.processes.len()),
                topology.processes.len()
            );
            assert_eq!(sum(groups.len(), left.groups.len()), topology.groups.len());
            assert_eq!(sum(edges.len(), left.edges.len()), topology.edges.len());
        }
    }

    #[test]
    fn layers_are_listed_in_the_order_of_the_script() {
        assert_eq!(topology().layers(), ["v1", "v2"]);
    }

    #[test]
    fn what_has_no_layer_always_stays_and_edges_go_with_their_ends() {
        let none = topology().with_layers(&[]);
        let ids: Vec<&str> = none.processes.iter().map(|p| p.id.as_str()).collect();
        assert_eq!(ids, ["client"]);
        assert!(none.groups.is_empty() && none.edges.is_empty());
        assert!(none.scenarios.is_empty());
        assert_eq!(none.rows, [vec![Member::Process("client".into())]]);
    }

    #[test]
    fn edges_and_hops_are_numbered_anew() {
        let second = topology().with_layers(&["v2"]);
        assert_eq!(second.edges[0].id, EdgeId(0));
        assert_eq!(second.scenarios.len(), 1);
        let Play::Flow(flow) = &second.scenarios[0].play else { panic!("a flow") };
        let FlowStepKind::Hops(hops) = &flow.steps[1].kind else { panic!("a hop") };
        assert_eq!(hops[0].edge, EdgeId(0));
    }

    #[test]
    fn all_layers_together_are_the_whole_topology() {
        assert_eq!(topology().with_layers(&["v1", "v2"]), topology());
    }

    #[test]
    fn an_unknown_layer_is_reported_with_the_nearest() {
        let errors = topology().check_layers(&["v1", "v3"]);
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].message, "no layer has the name `v3`");
        assert_eq!(errors[0].help.as_deref(), Some("did you mean `v1`?"));
    }
}
