//! Steps, checked against the cluster and spelled out for the run file.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_model::{
    Acks, Alias, Diagnostic, Origin, PartitionName, ProcessId, Run, Span, Step, StepKind,
    nearest,
};

use super::judge_conflict;
use super::overlay::lay_over;
use super::zookeeper;
use super::{actors, connect};
use crate::line::client::{ClientLine, Doer};
use crate::{Action, ClusterPlan, PlannedStep, ProducerPlan, apps};

/// A run as this cluster plays it.
pub(crate) struct PlannedRun {
    /// The cluster with the run's own settings.
    pub cluster: ClusterPlan,
    pub steps: Vec<PlannedStep>,
    /// Doubts that keep nothing from running.
    pub warnings: Vec<Diagnostic>,
}

/// A run on this cluster, or what is wrong with it.
pub(crate) fn plan_run(
    plan: &ClusterPlan,
    run: &Run,
    origin: &Origin,
) -> Result<PlannedRun, Vec<Diagnostic>> {
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    let plan = with_writers(plan, run);
    let mut cluster = lay_over(&plan, run, origin, &mut errors, &mut warnings);
    apps::equip(&mut cluster);
    actors::keep_needed(&mut cluster, run, &mut errors);
    zookeeper::keep_needed(&mut cluster, run, &mut errors);
    connect::equip(&mut cluster);
    let mut planner = Planner { plan: &cluster, grown: BTreeSet::new(), errors };
    let steps = run.steps.iter().filter_map(|step| planner.step(step)).collect();
    let errors = planner.errors;
    if errors.is_empty() {
        Ok(PlannedRun { cluster, steps, warnings })
    } else {
        Err(errors)
    }
}

/// The cluster with a producer for each consumer that the run has write too: by a line
/// about transactions, or by `transform`.
fn with_writers(plan: &ClusterPlan, run: &Run) -> ClusterPlan {
    let mut plan = plan.clone();
    for step in &run.steps {
        let StepKind::Client(id, line) = &step.kind else { continue };
        let Ok(line) = line.parse::<ClientLine>() else { continue };
        if !matches!(line.doer(), Doer::Producer | Doer::Both)
            || plan.producers.iter().any(|one| one.process == *id)
        {
            continue;
        }
        let Some(reader) = plan.consumers.iter().find(|one| one.process == *id) else {
            continue;
        };
        let topic = match &line {
            ClientLine::Transform { to, .. } => to.clone(),
            _ => reader.topics().first().copied().unwrap_or_default().to_owned(),
        };
        plan.producers.push(ProducerPlan {
            process: id.clone(),
            bootstrap: reader.bootstrap.clone(),
            acks: Acks::All,
            topic,
            settings: BTreeMap::new(),
        });
    }
    plan
}

pub(super) struct Planner<'a> {
    pub plan: &'a ClusterPlan,
    /// Topics that an earlier step creates or grows: how many partitions they will have is
    /// not known yet.
    pub grown: BTreeSet<String>,
    pub errors: Vec<Diagnostic>,
}

impl Planner<'_> {
    fn step(&mut self, step: &Step) -> Option<PlannedStep> {
        let node = step.origin.part("node");
        let action = match &step.kind {
            StepKind::Produce { .. } => self.produce(step)?,
            StepKind::Fault(line) => {
                Action::Fault { what: self.fault(line, step.origin.part("fault"))? }
            }
            StepKind::Shutdown(id) => {
                Action::Shutdown { process: self.process(id, node)? }
            }
            StepKind::Admin(line) => {
                Action::Admin { what: self.admin(line, step.origin.part("line"))? }
            }
            StepKind::Client(id, line) => {
                let spans = (node, step.origin.part("line"));
                let what = self.client(id, line, spans)?;
                Action::Client { process: id.clone(), what }
            }
            StepKind::Start(id) => Action::Start { process: self.process(id, node)? },
            StepKind::Crash(id) => Action::Crash { process: self.process(id, node)? },
            StepKind::Restart(id) => Action::Restart { process: self.process(id, node)? },
            StepKind::Pause(id) => Action::Pause { process: self.process(id, node)? },
            StepKind::Resume(id) => Action::Resume { process: self.process(id, node)? },
            StepKind::Partition(left, right) => {
                let span = step.origin.whole;
                let left = self.side(left, span)?;
                Action::Partition { left, right: self.side(right, span)? }
            }
            StepKind::Heal => Action::Heal,
            StepKind::Wait(ms) => Action::Wait { ms: *ms },
            StepKind::WaitUntil { condition, timeout_ms } => {
                self.condition(condition, step.origin.part("condition"))?;
                let condition = condition.to_string();
                Action::WaitUntil { condition, timeout_ms: *timeout_ms }
            }
            StepKind::Expect(condition) => {
                self.condition(condition, step.origin.part("condition"))?;
                Action::Expect { condition: condition.to_string() }
            }
            StepKind::Say(text) => Action::Say { text: text.clone() },
        };
        Some(PlannedStep { action, caption: step.caption.clone() })
    }

    fn produce(&mut self, step: &Step) -> Option<Action> {
        let StepKind::Produce {
            producer,
            topic,
            key,
            value,
            partition,
            acks,
            count,
            awaits,
        } = &step.kind
        else {
            return None;
        };
        let known = self.plan.producers.iter().find(|known| known.process == *producer);
        let Some(known) = known else {
            let error = self.no_producer(producer, step.origin.part("producer"));
            self.errors.push(error);
            return None;
        };
        let topic = topic.clone().unwrap_or_else(|| known.topic.clone());
        let span = step.origin.part("topic");
        match partition {
            Some(partition) => {
                let name = PartitionName { topic: topic.clone(), partition: *partition };
                self.partition(&name, step.origin.part("partition"))?;
            }
            None => self.topic(&topic, span)?,
        }
        if let Some(acks) = acks {
            // What a step asks for counts before what its producer is set to.
            let mut settings = known.settings.clone();
            settings.remove("acks");
            let span = step.origin.part("acks");
            self.errors.extend(judge_conflict(producer, *acks, &settings, span));
        }
        Some(Action::Produce {
            producer: producer.clone(),
            topic,
            key: key.clone(),
            value: value.clone(),
            partition: partition.and_then(|partition| i32::try_from(partition).ok()),
            acks: *acks,
            count: *count,
            awaits: *awaits,
        })
    }

    fn no_producer(&self, id: &ProcessId, span: Option<Span>) -> Diagnostic {
        if !self.plan.runs(id) {
            let known =
                self.plan.producers.iter().map(|producer| producer.process.as_str());
            let message = format!("`{id}` is no producer");
            let error = Diagnostic::error("not-a-producer", message, span);
            return match nearest(id.as_str(), known) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(
                    "a producer dials a broker; or give the process `role: 'producer'`",
                ),
            };
        }
        let what =
            if self.plan.node(id).is_some() { "a Kafka node" } else { "a consumer" };
        let message = format!("`{id}` is {what} and sends no records of its own");
        Diagnostic::error("not-a-producer", message, span)
            .help("let a producer send, or give the process `role: 'producer'`")
    }

    pub(super) fn process(
        &mut self,
        id: &ProcessId,
        span: Option<Span>,
    ) -> Option<ProcessId> {
        if self.plan.runs(id) {
            return Some(id.clone());
        }
        if Alias::of(id).is_some() {
            return self.alias(id, span).map(|()| id.clone());
        }
        let nodes = self.plan.nodes.iter().map(|node| node.process.as_str());
        let producers = self.plan.producers.iter().map(|one| one.process.as_str());
        let consumers = self.plan.consumers.iter().map(|one| one.process.as_str());
        let near = nearest(id.as_str(), nodes.chain(producers).chain(consumers));
        let message = format!("no process `{id}` runs on the engine");
        let error = Diagnostic::error("unknown-process", message, span);
        self.errors.push(match near {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help("`topomotion check --explain` says what runs"),
        });
        None
    }

    fn side(&mut self, ids: &[ProcessId], span: Option<Span>) -> Option<Vec<ProcessId>> {
        ids.iter().map(|id| self.process(id, span)).collect()
    }
}
