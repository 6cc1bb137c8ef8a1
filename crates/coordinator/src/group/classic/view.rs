//! A classic group as others see it. What members say to each other is theirs; only that of
//! consumers is read.

use std::collections::BTreeSet;
use std::sync::Arc;

use kafka_protocol::protocol::Decodable;
use topomotion_wire::messages::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription,
};
use topomotion_wire::{Bytes, GroupMember, GroupState, GroupView, TopicPartition};

use super::{ClassicGroup, State};
use crate::group::answers::kept;

/// The embedded protocol of consumers.
const CONSUMER: &str = "consumer";

/// What begins with its version, of which ours is 3 at most.
fn embedded<T: Decodable>(bytes: &Bytes) -> Option<T> {
    let version = i16::from_be_bytes(bytes.get(..2)?.try_into().ok()?);
    T::decode(&mut bytes.slice(2..), version.clamp(0, 3)).ok()
}

/// The topics in a consumer's subscription.
pub(super) fn subscribed_topics(metadata: &Bytes) -> BTreeSet<Arc<str>> {
    let subscription = embedded::<ConsumerProtocolSubscription>(metadata);
    let topics = subscription.map(|it| it.topics).unwrap_or_default();
    topics.iter().map(kept).collect()
}

fn assigned_partitions(assignment: &Bytes) -> Vec<TopicPartition> {
    let assignment = embedded::<ConsumerProtocolAssignment>(assignment);
    let topics = assignment.map(|it| it.assigned_partitions).unwrap_or_default();
    let mut partitions: Vec<TopicPartition> = topics
        .iter()
        .flat_map(|topic| {
            let name = kept(&topic.topic);
            topic.partitions.iter().map(move |&it| TopicPartition::new(name.clone(), it))
        })
        .collect();
    partitions.sort();
    partitions
}

impl ClassicGroup {
    fn is_of_consumers(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER)
    }

    /// Whether a member reads this topic.
    pub fn subscribes_to(&self, topic: &str) -> bool {
        self.is_of_consumers()
            && self.members.values().any(|member| {
                let subscriptions = member.protocols.iter();
                subscriptions
                    .into_iter()
                    .any(|(_, it)| subscribed_topics(it).contains(topic))
            })
    }

    /// Kafka's name of its state.
    pub fn state_name(&self) -> &'static str {
        match self.state {
            State::Empty => "Empty",
            State::Preparing(_) => "PreparingRebalance",
            State::Completing { .. } => "CompletingRebalance",
            State::Stable { .. } => "Stable",
        }
    }

    /// All of it, as a fact.
    pub fn view(&self) -> GroupView {
        let members = self.members.iter().map(|(id, member)| {
            let assigned = match self.is_of_consumers() {
                true => assigned_partitions(&member.assignment),
                false => Vec::new(),
            };
            let view = GroupMember {
                id: id.clone(),
                client: member.client.clone(),
                instance: member.instance.clone(),
                epoch: self.generation,
                assigned,
            };
            (id.clone(), view)
        });
        GroupView {
            state: match self.state {
                State::Empty => GroupState::Empty,
                State::Preparing(_) => GroupState::PreparingRebalance,
                State::Completing { .. } => GroupState::CompletingRebalance,
                State::Stable { .. } => GroupState::Stable,
            },
            generation: self.generation,
            leader: self.leader.clone(),
            protocol: self.protocol.clone(),
            members: members.collect(),
        }
    }
}
