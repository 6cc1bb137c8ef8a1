//! A KIP-848 group as others see it.

use std::sync::Arc;

use topomotion_wire::messages::TopicName;
use topomotion_wire::messages::consumer_group_describe_response::{
    Assignment, DescribedGroup, Member as DescribedMember, TopicPartitions,
};
use topomotion_wire::{GroupMember, GroupState, GroupView, TopicPartition};

use super::{ConsumerGroup, MemberState};
use crate::group::Partitions;
use crate::group::answers::text;
use crate::group::codec::by_topic;
use crate::group::config::GroupConfig;
use crate::shard::Directory;

impl ConsumerGroup {
    /// Its state, which follows from its epochs.
    pub fn state(&self) -> GroupState {
        let reconciled = |it: &super::Member| {
            it.state == MemberState::Stable && it.epoch == self.target_epoch
        };
        if self.members.is_empty() {
            GroupState::Empty
        } else if self.epoch > self.target_epoch {
            GroupState::Assigning
        } else if self.members.values().all(reconciled) {
            GroupState::Stable
        } else {
            GroupState::Reconciling
        }
    }

    /// Kafka's name of its state.
    pub fn state_name(&self) -> &'static str {
        match self.state() {
            GroupState::Empty => "Empty",
            GroupState::Assigning => "Assigning",
            GroupState::Stable => "Stable",
            GroupState::Reconciling
            | GroupState::PreparingRebalance
            | GroupState::CompletingRebalance => "Reconciling",
            GroupState::Dead => "Dead",
        }
    }

    /// All of it, as a fact. Partitions of topics that are gone have no name any more.
    pub fn view(&self, directory: &dyn Directory) -> GroupView {
        let members = self.members.iter().map(|(id, member)| {
            let assigned = member.assigned.iter().filter_map(|&(topic, index)| {
                directory.topic_name(topic).map(|it| TopicPartition::new(it, index))
            });
            let mut assigned: Vec<TopicPartition> = assigned.collect();
            assigned.sort();
            let view = GroupMember {
                id: id.clone(),
                client: member.value.client.clone(),
                instance: member.value.instance.clone(),
                epoch: member.epoch,
                assigned,
            };
            (id.clone(), view)
        });
        GroupView {
            state: self.state(),
            generation: self.epoch,
            leader: None,
            protocol: None,
            members: members.collect(),
        }
    }

    /// All of it, as ConsumerGroupDescribe tells it.
    pub fn describe(
        &self,
        group: &Arc<str>,
        config: &GroupConfig,
        directory: &dyn Directory,
    ) -> DescribedGroup {
        let nothing = Partitions::new();
        let members = self.members.iter().map(|(id, member)| {
            let value = &member.value;
            let topics = value.topics.iter().map(|topic| TopicName(text(topic)));
            let target = self.targets.get(id).unwrap_or(&nothing);
            DescribedMember::default()
                .with_member_id(text(id))
                .with_instance_id(value.instance.as_deref().map(text))
                .with_rack_id(value.rack.as_deref().map(text))
                .with_member_epoch(member.epoch)
                .with_client_id(text(&value.client))
                .with_client_host(text(&value.host))
                .with_subscribed_topic_names(topics.collect())
                .with_assignment(described(&member.assigned, directory))
                .with_target_assignment(described(target, directory))
        });
        DescribedGroup::default()
            .with_group_id(super::super::admin::group_id(group))
            .with_group_state(text(self.state_name()))
            .with_group_epoch(self.epoch)
            .with_assignment_epoch(self.target_epoch)
            .with_assignor_name(text(self.assignor(&config.consumer_assignors).name()))
            .with_members(members.collect())
    }
}

fn described(partitions: &Partitions, directory: &dyn Directory) -> Assignment {
    let topics = by_topic(partitions).into_iter().filter_map(|(topic, indexes)| {
        let name = directory.topic_name(topic)?;
        Some(
            TopicPartitions::default()
                .with_topic_id(topic.0)
                .with_topic_name(TopicName(text(&name)))
                .with_partitions(indexes),
        )
    });
    Assignment::default().with_topic_partitions(topics.collect())
}
