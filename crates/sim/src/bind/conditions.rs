//! Conditions, checked against the cluster.

use topomotion_model::{
    Alias, Condition, Count, Diagnostic, PartitionName, ProcessId, Span, Stateful, Term,
    nearest,
};

use super::METADATA;
use super::clients::unknown_topic;
use super::steps::Planner;
use crate::packet::{error_names, is_http_failure};

/// Brokers create them themselves, with as many partitions as their settings say.
const INTERNAL_TOPICS: [&str; 2] = ["__consumer_offsets", "__transaction_state"];

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
                Count::QuorumEpoch | Count::UnderReplicated | Count::Offline => Some(()),
                Count::Partitions(topic) => self.topic(topic, span),
                Count::Position(reader, _)
                | Count::RecordsRead(reader)
                | Count::Owned(reader) => self.consumer(reader, span),
                Count::Generation(group)
                | Count::Members(group)
                | Count::Committed(group, _) => self.group(group, span),
                Count::Lag(group, topic) => {
                    self.group(group, span)?;
                    match PartitionName::parse(topic) {
                        Some(partition) if self.plan.topic(topic).is_none() => {
                            self.partition(&partition, span)
                        }
                        Some(_) | None => self.topic(topic, span),
                    }
                }
                Count::ProducerEpoch(producer) => self.producer(producer, span),
                Count::Holds(process, _) => self.process(process, span).map(|_| ()),
                Count::ReadTwice(who) => {
                    let readers = self.plan.consumers.iter();
                    match readers.clone().any(|one| one.process.as_str() == who) {
                        true => Some(()),
                        false => self.group(who, span),
                    }
                }
            },
            Condition::Owns { process, .. } => self.consumer(process, span),
            Condition::Owned { process, partitions, .. } => {
                self.consumer(process, span)?;
                partitions.iter().try_for_each(|it| self.partition(it, span))
            }
            Condition::State { of, .. } => self.stateful(of, span),
        }
    }

    pub(super) fn stateful(&mut self, of: &Stateful, span: Option<Span>) -> Option<()> {
        match of {
            Stateful::Group(group) => self.group(group, span),
            Stateful::Transaction(id) => self.transactional_id(id, span),
        }
    }

    /// A group that some consumer is in.
    pub(super) fn group(&mut self, name: &str, span: Option<Span>) -> Option<()> {
        let known = self.plan.consumers.iter().map(|one| one.group.as_str());
        if known.clone().any(|known| known == name) {
            return Some(());
        }
        let message = format!("no consumer is in a group `{name}`");
        let error = Diagnostic::error("unknown-group", message, span);
        self.errors.push(match nearest(name, known) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help("give a consumer `kafka: { groupId: '…' }`"),
        });
        None
    }

    /// The `transactional.id` of some producer.
    fn transactional_id(&mut self, id: &str, span: Option<Span>) -> Option<()> {
        let producers = self.plan.producers.iter();
        let known = producers.filter_map(|one| one.settings.get("transactional.id"));
        if known.clone().any(|known| known == id) {
            return Some(());
        }
        let message = format!("no producer has the transactional.id `{id}`");
        let error = Diagnostic::error("unknown-transaction", message, span);
        self.errors.push(match nearest(id, known.map(String::as_str)) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help("set `producer.transactional.id`, or that of one process"),
        });
        None
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
        let is_known = self.plan.topic(name).is_some() || self.grown.contains(name);
        if is_known || INTERNAL_TOPICS.contains(&name) {
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
        let is_internal = INTERNAL_TOPICS.contains(&&*name.topic);
        if is_internal || self.grown.contains(&name.topic) {
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

    pub(super) fn producer(&mut self, id: &ProcessId, span: Option<Span>) -> Option<()> {
        let known: Vec<&ProcessId> =
            self.plan.producers.iter().map(|one| &one.process).collect();
        let why = ("not-a-producer", "producer", "only producers send records");
        self.one_of(id, &known, why, span)
    }

    /// A producer or a consumer.
    pub(super) fn client_process(
        &mut self,
        id: &ProcessId,
        span: Option<Span>,
    ) -> Option<()> {
        let consumers = self.plan.consumers.iter().map(|one| &one.process);
        let producers = self.plan.producers.iter().map(|one| &one.process);
        let known: Vec<&ProcessId> = consumers.chain(producers).collect();
        let why = ("not-a-client", "client", "only clients do as a line says");
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
            Ok(Alias::Coordinator(of)) => self.stateful(&of, span),
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
