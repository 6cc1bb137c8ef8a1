//! Conditions, checked against the cluster.

use topomotion_model::{
    Alias, Condition, Count, Diagnostic, PartitionName, ProcessId, Span, Term, nearest,
};

use super::METADATA;
use super::clients::unknown_topic;
use super::steps::Planner;
use crate::packet::{error_names, is_http_failure};

impl Planner<'_> {
    pub(super) fn condition(
        &mut self,
        condition: &Condition,
        span: Option<Span>,
    ) -> Option<()> {
        if let Condition::Number { term, partition, replica, .. } = condition
            && matches!(term, Term::HighWatermark | Term::LogStart | Term::LogEnd)
            && (&*partition.topic, partition.partition) == (METADATA, 0)
            && let Some(node) = replica
        {
            return self.process(node, span).map(|_| ());
        }
        if let Some(partition) = condition.partition() {
            self.partition(partition, span)?;
        }
        match condition {
            Condition::NoAcknowledgedRecordLost | Condition::Violation(_) => Some(()),
            Condition::Not(inner) => self.condition(inner, span),
            Condition::Told { process, error } => {
                self.process(process, span)?;
                self.error_name(error, span)
            }
            Condition::Fenced(broker) => self.broker(broker, span),
            Condition::Leader { process, .. }
            | Condition::Number { replica: process, .. } => {
                process.iter().try_for_each(|process| self.broker(process, span))
            }
            Condition::Replicas { processes, .. } => {
                processes.iter().try_for_each(|process| self.broker(process, span))
            }
            Condition::Controller { process, .. } => {
                process.iter().try_for_each(|process| self.voter(process, span))
            }
            Condition::Voters { processes, .. } => {
                processes.iter().try_for_each(|process| self.voter(process, span))
            }
            Condition::Count { of, .. } => match of {
                Count::QuorumEpoch => Some(()),
                Count::Partitions(topic) => self.topic(topic, span),
                Count::Position(reader, _) | Count::RecordsRead(reader) => {
                    self.consumer(reader, span)
                }
            },
        }
    }

    fn error_name(&mut self, name: &str, span: Option<Span>) -> Option<()> {
        let known = error_names();
        if known.iter().any(|known| known == name) || is_http_failure(name) {
            return Some(());
        }
        let message = format!("Kafka has no error called `{name}`");
        let error = Diagnostic::error("unknown-error", message, span);
        self.errors.push(match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help("errors are written as Kafka does: `NOT_ENOUGH_REPLICAS`"),
        });
        None
    }

    pub(super) fn topic(&mut self, name: &str, span: Option<Span>) -> Option<()> {
        if self.plan.topic(name).is_some() || self.grown.contains(name) {
            return Some(());
        }
        self.errors.push(unknown_topic(self.plan, name, span));
        None
    }

    pub(super) fn partition(
        &mut self,
        name: &PartitionName,
        span: Option<Span>,
    ) -> Option<()> {
        self.topic(&name.topic, span)?;
        if self.grown.contains(&name.topic) {
            return Some(());
        }
        let count = self.plan.topic(&name.topic).map_or(0, |it| it.assignment.len());
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

    pub(super) fn broker(&mut self, id: &ProcessId, span: Option<Span>) -> Option<()> {
        let known: Vec<&ProcessId> =
            self.plan.brokers().map(|node| &node.process).collect();
        let why = ("not-a-broker", "broker", "only brokers hold partitions");
        self.one_of(id, &known, why, span)
    }

    pub(super) fn voter(&mut self, id: &ProcessId, span: Option<Span>) -> Option<()> {
        let known: Vec<&ProcessId> =
            self.plan.controllers().map(|node| &node.process).collect();
        let why = ("not-a-controller", "controller", "only controllers vote");
        self.one_of(id, &known, why, span)
    }

    pub(super) fn consumer(&mut self, id: &ProcessId, span: Option<Span>) -> Option<()> {
        let known: Vec<&ProcessId> =
            self.plan.consumers.iter().map(|one| &one.process).collect();
        let why =
            ("not-a-consumer", "consumer", "only consumers read and have positions");
        self.one_of(id, &known, why, span)
    }

    fn one_of(
        &mut self,
        id: &ProcessId,
        known: &[&ProcessId],
        (code, noun, help): (&'static str, &str, &str),
        span: Option<Span>,
    ) -> Option<()> {
        if known.contains(&id) {
            return Some(());
        }
        if Alias::of(id).is_some() {
            return self.alias(id, span);
        }
        let message = format!("`{id}` is no {noun}");
        let error = Diagnostic::error(code, message, span);
        let names = known.iter().map(|known| known.as_str());
        self.errors.push(match nearest(id.as_str(), names) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(help),
        });
        None
    }

    /// Checks what an alias stands for.
    pub(super) fn alias(&mut self, id: &ProcessId, span: Option<Span>) -> Option<()> {
        match Alias::of(id)? {
            Ok(Alias::Leader(partition)) => self.partition(&partition, span),
            Ok(Alias::Controller | Alias::Standby | Alias::Last) => Some(()),
            Err(help) => {
                let message = format!("nobody is meant by `{id}`");
                let error = Diagnostic::error("unknown-alias", message, span);
                self.errors.push(error.help(help));
                None
            }
        }
    }
}
