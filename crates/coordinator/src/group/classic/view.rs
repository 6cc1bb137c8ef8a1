//! A classic group as others see it. What members say to each other is theirs; only that of
//! consumers is read.

use topomotion_wire::{GroupMember, GroupState, GroupView};

use super::{ClassicGroup, State, embedded};

/// The embedded protocol of consumers.
const CONSUMER: &str = "consumer";

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
                    .any(|(_, it)| embedded::topics(it).contains(topic))
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
                true => embedded::partitions(&member.assignment),
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
