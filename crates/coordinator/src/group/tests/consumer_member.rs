//! A consumer of KIP-848, as far as the coordinator can tell: it believes what it is told.

use std::collections::BTreeSet;

use topomotion_wire::messages::consumer_group_heartbeat_request::TopicPartitions;
use topomotion_wire::messages::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, GroupId, RequestKind,
    ResponseKind, TopicName,
};
use topomotion_wire::{ErrorCode, TopicId};

use super::classic_member::{GROUP, outcome};
use super::rig::Rig;
use crate::group::Partitions;
use crate::group::answers::text;
use crate::group::codec::by_topic;
use crate::shard::{Directory, Ticket};

/// What a member knows of itself.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub id: String,
    pub instance: Option<&'static str>,
    pub epoch: i32,
    pub topics: Vec<&'static str>,
    pub rebalance_ms: i32,
    pub assignor: Option<&'static str>,
    /// What it reads.
    pub owned: Partitions,
}

impl Member {
    pub fn new(id: &str) -> Member {
        Member {
            id: id.into(),
            instance: None,
            epoch: 0,
            topics: vec!["orders"],
            rebalance_ms: 300_000,
            assignor: None,
            owned: Partitions::new(),
        }
    }

    pub fn is_static(id: &str, instance: &'static str) -> Member {
        Member { instance: Some(instance), ..Member::new(id) }
    }

    /// A heartbeat that tells everything.
    pub fn request(&self) -> ConsumerGroupHeartbeatRequest {
        let topics = self.topics.iter().map(|topic| TopicName(text(topic)));
        let owned = by_topic(&self.owned).into_iter().map(|(topic, indexes)| {
            TopicPartitions::default().with_topic_id(topic.0).with_partitions(indexes)
        });
        ConsumerGroupHeartbeatRequest::default()
            .with_group_id(GroupId(text(GROUP)))
            .with_member_id(text(&self.id))
            .with_member_epoch(self.epoch)
            .with_instance_id(self.instance.map(text))
            .with_rebalance_timeout_ms(self.rebalance_ms)
            .with_subscribed_topic_names(Some(topics.collect()))
            .with_server_assignor(self.assignor.map(text))
            .with_topic_partitions(Some(owned.collect()))
    }

    pub fn send(&self, rig: &mut Rig) -> Ticket {
        rig.ask(1, RequestKind::ConsumerGroupHeartbeat(self.request()))
    }

    /// A heartbeat that says only that it lives.
    pub fn send_briefly(&self, rig: &mut Rig) -> Ticket {
        let request = ConsumerGroupHeartbeatRequest::default()
            .with_group_id(GroupId(text(GROUP)))
            .with_member_id(text(&self.id))
            .with_member_epoch(self.epoch)
            .with_instance_id(self.instance.map(text));
        rig.ask(1, RequestKind::ConsumerGroupHeartbeat(request))
    }

    /// Takes an answer, and does what it says: lets go at once, reads at once.
    pub fn obey(
        &mut self,
        answer: &ConsumerGroupHeartbeatResponse,
    ) -> Result<(), ErrorCode> {
        outcome(answer.error_code)?;
        self.id = answer.member_id.as_ref().expect("always told").to_string();
        self.epoch = answer.member_epoch;
        if let Some(assignment) = &answer.assignment {
            let topics = assignment.topic_partitions.iter();
            let partitions = topics.flat_map(|topic| {
                topic.partitions.iter().map(|&index| (TopicId(topic.topic_id), index))
            });
            self.owned = partitions.collect();
        }
        Ok(())
    }

    /// A whole heartbeat, there and back.
    pub fn beat(&mut self, rig: &mut Rig) -> Result<(), ErrorCode> {
        let ticket = self.send(rig);
        let answer = beaten(rig, ticket).expect("nothing holds it up");
        self.obey(&answer)
    }

    /// What it reads, as `orders-0`.
    pub fn reads(&self, rig: &Rig) -> BTreeSet<String> {
        let owned = self.owned.iter();
        owned
            .map(|&(topic, index)| {
                let name = rig.topics.topic_name(topic).expect("it exists");
                format!("{name}-{index}")
            })
            .collect()
    }

    pub fn leave(&mut self, rig: &mut Rig, epoch: i32) -> Result<(), ErrorCode> {
        self.epoch = epoch;
        self.beat(rig)?;
        self.epoch = 0;
        self.owned.clear();
        Ok(())
    }
}

/// The answer to a heartbeat, if it came.
pub(super) fn beaten(
    rig: &mut Rig,
    ticket: Ticket,
) -> Option<ConsumerGroupHeartbeatResponse> {
    match rig.answer(ticket)? {
        ResponseKind::ConsumerGroupHeartbeat(answer) => Some(answer),
        other => panic!("no heartbeat's answer: {other:?}"),
    }
}
