//! Carries the leaders' ISR changes to the controller: all partitions in one request, one
//! request at a time (REP-11).

use std::collections::{BTreeMap, BTreeSet};

use topomotion_wire::messages::alter_partition_request::TopicData;
use topomotion_wire::messages::{
    AlterPartitionRequest, AlterPartitionResponse, BrokerId, RequestKind,
};
use topomotion_wire::{
    BrokerEpoch, Duration, ErrorCode, Instant, LeaderEpoch, NodeId, PartitionEpoch, Rule,
    TopicId, TopicPartition,
};

use super::Replicas;
use crate::net::{Ask, Asked, Effects, Purpose};
use crate::replica::{Decision, Registered};

const VERSION: i16 = 3;
/// Pause before a failed request is sent again.
const PAUSE: Duration = Duration::from_millis(50);

/// ISR changes on their way to the controller.
#[derive(Debug, Clone, Default)]
pub(crate) struct IsrChanges {
    queued: BTreeSet<TopicPartition>,
    state: State,
}

#[derive(Debug, Clone, Default)]
enum State {
    #[default]
    Idle,
    /// Sent, each partition with the partition epoch that it was asked with.
    Asked(BTreeMap<TopicPartition, PartitionEpoch>),
    Resting {
        until: Instant,
    },
}

/// One partition's part of an answer.
#[derive(Debug, Clone)]
pub(crate) struct Decided {
    pub(crate) partition: TopicPartition,
    pub(crate) asked_at: PartitionEpoch,
    pub(crate) decision: Decision,
}

/// Who sends, and to whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sender {
    pub(crate) now: Instant,
    pub(crate) me: NodeId,
    pub(crate) epoch: BrokerEpoch,
    pub(crate) controller: NodeId,
    pub(crate) timeout: Duration,
}

impl IsrChanges {
    pub(crate) fn queue(&mut self, partitions: BTreeSet<TopicPartition>) {
        self.queued.extend(partitions);
    }

    /// When to try again after a failure.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Resting { until } if !self.queued.is_empty() => Some(until),
            State::Resting { .. } | State::Idle | State::Asked(_) => None,
        }
    }

    /// Sends what is queued, unless something is under way.
    pub(crate) fn send(
        &mut self,
        sender: Sender,
        replicas: &mut Replicas,
        effects: &mut Effects,
    ) {
        match self.state {
            State::Asked(_) => return,
            State::Resting { until } if until > sender.now => return,
            State::Resting { .. } | State::Idle => self.state = State::Idle,
        }
        if self.queued.is_empty() {
            return;
        }
        let mut asked = BTreeMap::new();
        let mut topics: BTreeMap<TopicId, TopicData> = BTreeMap::new();
        for partition in std::mem::take(&mut self.queued) {
            let Some(replica) = replicas.get_mut(&partition) else { continue };
            let Some(data) = replica.send_proposal(sender.me, sender.epoch) else {
                continue;
            };
            let id = replica.topic_id();
            let topic = topics.entry(id);
            let topic = topic.or_insert_with(|| TopicData::default().with_topic_id(id.0));
            topic.partitions.push(data);
            asked.insert(partition, replica.partition_epoch());
        }
        if asked.is_empty() {
            return;
        }
        effects.mark(Rule::Rep11);
        let request = AlterPartitionRequest::default()
            .with_broker_id(BrokerId(sender.me.0))
            .with_broker_epoch(sender.epoch.0)
            .with_topics(topics.into_values().collect());
        effects.ask(Ask {
            to: sender.controller,
            purpose: Purpose::AlterPartition,
            asked: Asked::AlterPartition,
            version: VERSION,
            body: RequestKind::AlterPartition(request),
            timeout: sender.timeout,
        });
        self.state = State::Asked(asked);
    }

    /// Takes the controller's answer apart. A partition that it does not mention, and all of
    /// them after an error of the whole, are asked again.
    pub(crate) fn answered(
        &mut self,
        now: Instant,
        response: &AlterPartitionResponse,
        topic_name: impl Fn(TopicId) -> Option<std::sync::Arc<str>>,
    ) -> (Vec<Decided>, Vec<TopicPartition>) {
        if response.error_code != 0 {
            return (Vec::new(), self.failed(now));
        }
        let State::Asked(mut asked) = std::mem::take(&mut self.state) else {
            return (Vec::new(), Vec::new());
        };
        let mut decided = Vec::new();
        for topic in &response.topics {
            let Some(name) = topic_name(TopicId(topic.topic_id)) else { continue };
            for data in &topic.partitions {
                let partition = TopicPartition::new(name.clone(), data.partition_index);
                let Some(asked_at) = asked.remove(&partition) else { continue };
                let registered = || Registered {
                    isr: data.isr.iter().map(|id| NodeId(id.0)).collect(),
                    leader_epoch: LeaderEpoch(data.leader_epoch),
                    partition_epoch: PartitionEpoch(data.partition_epoch),
                };
                let decision = match data.error_code {
                    0 => Decision::Accepted(registered()),
                    code => Decision::Refused(
                        ErrorCode::try_from_code(code)
                            .unwrap_or(ErrorCode::UnknownServerError),
                    ),
                };
                decided.push(Decided { partition, asked_at, decision });
            }
        }
        if decided.iter().any(|it| matches!(it.decision, Decision::Refused(_))) {
            self.state = State::Resting { until: now + PAUSE };
        }
        (decided, asked.into_keys().collect())
    }

    /// No answer: everything asked is to be asked again after a pause.
    pub(crate) fn failed(&mut self, now: Instant) -> Vec<TopicPartition> {
        let resting = State::Resting { until: now + PAUSE };
        match std::mem::replace(&mut self.state, resting) {
            State::Asked(asked) => asked.into_keys().collect(),
            State::Idle | State::Resting { .. } => Vec::new(),
        }
    }
}
