//! Steps, checked against the cluster and spelled out for the run file.

use topomotion_model::{
    Condition, Diagnostic, PartitionName, ProcessId, Run, Span, Step, StepKind, nearest,
};

use super::clients::unknown_topic;
use crate::{Action, ClusterPlan, PlannedStep};

/// The steps of a run on this cluster, or what is wrong with them.
pub(crate) fn plan_steps(
    plan: &ClusterPlan,
    run: &Run,
) -> Result<Vec<PlannedStep>, Vec<Diagnostic>> {
    let mut planner = Planner { plan, errors: Vec::new() };
    let steps = run.steps.iter().filter_map(|step| planner.step(step)).collect();
    if planner.errors.is_empty() { Ok(steps) } else { Err(planner.errors) }
}

struct Planner<'a> {
    plan: &'a ClusterPlan,
    errors: Vec<Diagnostic>,
}

impl Planner<'_> {
    fn step(&mut self, step: &Step) -> Option<PlannedStep> {
        let node = step.origin.part("node");
        let action = match &step.kind {
            StepKind::Produce { .. } => self.produce(step)?,
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
        let StepKind::Produce { producer, topic, key, value, partition, acks, count } =
            &step.kind
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
            None if self.plan.topic(&topic).is_none() => {
                self.errors.push(unknown_topic(self.plan, &topic, span));
                return None;
            }
            None => {}
        }
        Some(Action::Produce {
            producer: producer.clone(),
            topic,
            key: key.clone(),
            value: value.clone(),
            partition: partition.and_then(|partition| i32::try_from(partition).ok()),
            acks: *acks,
            count: *count,
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

    fn process(&mut self, id: &ProcessId, span: Option<Span>) -> Option<ProcessId> {
        if self.plan.runs(id) {
            return Some(id.clone());
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

    fn condition(&mut self, condition: &Condition, span: Option<Span>) -> Option<()> {
        match condition {
            Condition::NoAcknowledgedRecordLost => Some(()),
            Condition::Leader { partition, process, .. } => {
                self.partition(partition, span)?;
                process.iter().try_for_each(|process| self.broker(process, span))
            }
            Condition::Isr { partition, processes, .. } => {
                self.partition(partition, span)?;
                processes.iter().try_for_each(|process| self.broker(process, span))
            }
            Condition::Number { partition, .. } => self.partition(partition, span),
        }
    }

    fn partition(&mut self, name: &PartitionName, span: Option<Span>) -> Option<()> {
        let Some(topic) = self.plan.topic(&name.topic) else {
            self.errors.push(unknown_topic(self.plan, &name.topic, span));
            return None;
        };
        let count = topic.assignment.len();
        if (name.partition as usize) < count {
            return Some(());
        }
        let message =
            format!("topic `{}` has no partition {}", name.topic, name.partition);
        let range = match count {
            1 => "its only partition is 0".to_owned(),
            count => format!("its partitions are 0 to {}", count - 1),
        };
        self.errors.push(Diagnostic::error("unknown-partition", message, span).at(range));
        None
    }

    fn broker(&mut self, id: &ProcessId, span: Option<Span>) -> Option<()> {
        let mut brokers = self.plan.brokers().map(|node| node.process.as_str());
        if brokers.any(|broker| broker == id.as_str()) {
            return Some(());
        }
        let brokers = self.plan.brokers().map(|node| node.process.as_str());
        let message = format!("`{id}` is no broker");
        let error = Diagnostic::error("not-a-broker", message, span);
        self.errors.push(match nearest(id.as_str(), brokers) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help("only brokers lead partitions and stand in an ISR"),
        });
        None
    }
}
