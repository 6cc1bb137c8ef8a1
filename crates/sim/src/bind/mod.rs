//! Binding: from what a topology shows to a cluster that can run.
//!
//! What the script says outright counts; what it does not say is inferred from ids, labels,
//! groups, protocols and who dials whom, and every inference is told as a sentence.

mod actors;
mod clients;
mod clusters;
mod conditions;
mod connect;
mod lines;
mod nodes;
mod overlay;
mod roles;
mod steps;
mod topics;
mod zookeeper;

use std::collections::{BTreeMap, BTreeSet};

use topomotion_model::{
    Acks, Diagnostic, Edge, Origin, Play, Process, ProcessId, ProcessRole, Span,
    StepKind, Topology,
};

use crate::ClusterPlan;
use crate::settings::{self, Owner};

pub(crate) use steps::plan_run;

/// The topic of the metadata log. Conditions may ask where it starts and ends on a node.
pub(crate) const METADATA: &str = "__cluster_metadata";

/// A topology's cluster, or why it has none, and how that was found out.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    bound: Bound,
    explain: Vec<String>,
    warnings: Vec<Diagnostic>,
}

/// Whether there is anything to run.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// This cluster.
    Cluster(ClusterPlan),
    /// Nothing, for this reason; scripted flows play all the same.
    Nothing(String),
}

impl Binding {
    /// A binding of a cluster that was not read from a topology.
    pub fn of(plan: ClusterPlan) -> Binding {
        let bound = Bound::Cluster(plan);
        Binding { bound, explain: Vec::new(), warnings: Vec::new() }
    }

    /// What was bound.
    pub fn bound(&self) -> &Bound {
        &self.bound
    }

    /// The cluster, if there is one.
    pub fn cluster(&self) -> Option<&ClusterPlan> {
        match &self.bound {
            Bound::Cluster(plan) => Some(plan),
            Bound::Nothing(_) => None,
        }
    }

    /// Every inference as a sentence, in the order in which they were made.
    pub fn explain(&self) -> &[String] {
        &self.explain
    }

    /// Doubts that keep nothing from running.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }
}

/// Binds a topology and checks every run among its scenarios against the cluster. The
/// errors are the script's mistakes; a topology without a cluster is not a mistake unless
/// it names a cluster or has a run to play.
pub fn bind(topology: &Topology) -> Result<Binding, Vec<Diagnostic>> {
    let mut draft = Draft::new(topology);
    roles::find(&mut draft);
    clusters::choose(&mut draft);
    roles::guess(&mut draft);
    if draft.of_role(ProcessRole::Broker).next().is_none() {
        return draft.nothing("no process looks like a Kafka broker");
    }
    let mut plan = ClusterPlan::default();
    if let Some(cluster) = &topology.cluster {
        plan.settings.clone_from(&cluster.settings);
        plan.seed = cluster.seed;
        draft.check_settings(&cluster.settings, Owner::Node, &cluster.origin);
    }
    plan.nodes = nodes::find(&mut draft);
    nodes::first_voters(&mut draft, &plan);
    plan.topics = topics::find(&mut draft, &plan.nodes);
    clients::find(&mut draft, &mut plan);
    actors::find(&mut draft, &mut plan);
    zookeeper::find(&mut draft, &mut plan);
    connect::find(&mut draft, &mut plan);
    for scenario in &topology.scenarios {
        if let Play::Run(run) = &scenario.play {
            match plan_run(&plan, run, &scenario.origin) {
                Ok(planned) => draft.warnings.extend(planned.warnings),
                Err(errors) => draft.errors.extend(errors),
            }
        }
    }
    if !draft.errors.is_empty() {
        return Err(draft.errors);
    }
    let Draft { explain, warnings, .. } = draft;
    Ok(Binding { bound: Bound::Cluster(plan), explain, warnings })
}

/// What is being found out about a topology.
struct Draft<'a> {
    topology: &'a Topology,
    roles: BTreeMap<ProcessId, ProcessRole>,
    /// Who belongs to a cluster that does not run.
    elsewhere: BTreeSet<ProcessId>,
    explain: Vec<String>,
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

impl<'a> Draft<'a> {
    fn new(topology: &'a Topology) -> Draft<'a> {
        Draft {
            topology,
            roles: BTreeMap::new(),
            elsewhere: BTreeSet::new(),
            explain: Vec::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn say(&mut self, sentence: impl Into<String>) {
        self.explain.push(sentence.into());
    }

    fn role(&self, id: &ProcessId) -> Option<ProcessRole> {
        self.roles.get(id).copied()
    }

    /// The processes of a role, in the script's order.
    fn of_role(&self, role: ProcessRole) -> impl Iterator<Item = &'a Process> {
        let has = move |process: &&Process| self.roles.get(&process.id) == Some(&role);
        let found: Vec<&'a Process> =
            self.topology.processes.iter().filter(has).collect();
        found.into_iter()
    }

    /// The edges on which a process dials a broker.
    fn dials(&self, id: &ProcessId) -> Vec<&'a Edge> {
        let to_broker = |edge: &&Edge| {
            edge.source.process() == Some(id)
                && edge.target.process().and_then(|target| self.role(target))
                    == Some(ProcessRole::Broker)
        };
        self.topology.edges.iter().filter(to_broker).collect()
    }

    /// Whether some run makes this process send records.
    fn is_made_to_produce(&self, id: &ProcessId) -> bool {
        self.topology.scenarios.iter().any(|scenario| match &scenario.play {
            Play::Flow(_) => false,
            Play::Run(run) => run.steps.iter().any(
                |step| matches!(&step.kind, StepKind::Produce { producer, .. } if producer == id),
            ),
        })
    }

    fn check_settings(
        &mut self,
        given: &BTreeMap<String, String>,
        owner: Owner,
        origin: &Origin,
    ) {
        for (name, value) in given {
            let span = origin.part(name);
            let found = judge_setting(owner, name, value, span);
            match found {
                Ok(doubt) => self.warnings.extend(doubt),
                Err(error) => self.errors.push(*error),
            }
        }
    }

    fn nothing(self, reason: &str) -> Result<Binding, Vec<Diagnostic>> {
        let run =
            self.topology.scenarios.iter().find_map(|scenario| match &scenario.play {
                Play::Run(_) => Some(&scenario.origin),
                Play::Flow(_) => None,
            });
        let cluster = self.topology.cluster.as_ref().map(|cluster| &cluster.origin);
        if let Some(origin) = cluster.or(run) {
            let error = Diagnostic::error("no-cluster", reason, origin.whole)
                .help("call a process `broker-1`, or give it `role: 'broker'`");
            return Err(vec![error]);
        }
        let bound = Bound::Nothing(reason.to_owned());
        Ok(Binding { bound, explain: self.explain, warnings: self.warnings })
    }
}

/// A doubt about a setting, or why it cannot be.
fn judge_setting(
    owner: Owner,
    name: &str,
    value: &str,
    span: Option<Span>,
) -> Result<Option<Diagnostic>, Box<Diagnostic>> {
    match settings::check(owner, name, value) {
        settings::Judgement::Good => Ok(None),
        settings::Judgement::Unknown(help) => {
            let message = format!("the engine does not know the setting `{name}`");
            let warning = Diagnostic::warning("unknown-setting", message, span);
            Ok(Some(warning.at("has no effect").help(help)))
        }
        settings::Judgement::Bad(help) => {
            let message = format!("`{value}` is no value for `{name}`");
            Err(Box::new(Diagnostic::error("setting-value", message, span).help(help)))
        }
    }
}

/// What a producer cannot have with just any other setting.
const CONFLICTING: [&str; 2] = ["transactional.id", "enable.idempotence"];

/// Settings of a producer that Kafka's own refuses to start with.
fn judge_conflict(
    process: &ProcessId,
    acks: Acks,
    settings: &BTreeMap<String, String>,
    span: Option<Span>,
) -> Option<Diagnostic> {
    let why = settings::conflict(crate::run::acks(acks), settings)?;
    let message = format!("the settings of `{process}` contradict each other");
    Some(Diagnostic::error("setting-conflict", message, span).help(why))
}

/// The number at the end of an id: 2 of `broker-2`.
fn trailing_number(id: &str) -> Option<i32> {
    let digits = id.len() - id.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    id[id.len() - digits..].parse().ok()
}

/// `a`, `b` and `c`.
fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests;
