//! A consumer of the classic protocol, as far as the coordinator can tell.

use std::collections::BTreeMap;

use kafka_protocol::protocol::Encodable;
use topomotion_wire::messages::join_group_request::JoinGroupRequestProtocol;
use topomotion_wire::messages::leave_group_request::MemberIdentity;
use topomotion_wire::messages::sync_group_request::SyncGroupRequestAssignment;
use topomotion_wire::messages::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription, GroupId, HeartbeatRequest,
    JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, RequestKind, ResponseKind,
    SyncGroupRequest, SyncGroupResponse, TopicName, consumer_protocol_assignment,
};
use topomotion_wire::{Bytes, ErrorCode};

use super::rig::Rig;
use crate::group::answers::text;
use crate::shard::Ticket;

pub(super) const GROUP: &str = "readers";

/// What a member knows of itself.
#[derive(Debug, Clone)]
pub(super) struct Consumer {
    pub id: String,
    pub instance: Option<&'static str>,
    pub generation: i32,
    pub protocols: Vec<&'static str>,
    pub topics: Vec<&'static str>,
    pub session_ms: i32,
    pub rebalance_ms: i32,
    pub version: i16,
    /// The members, of a leader.
    pub members: Vec<String>,
}

/// The error in an answer's code.
pub(super) fn outcome(code: i16) -> Result<(), ErrorCode> {
    ErrorCode::try_from_code(code).map_or(Ok(()), Err)
}

/// What is given to a member, in bytes that only members read.
pub(super) fn share(topic: &str, partitions: &[i32]) -> Bytes {
    let topic = consumer_protocol_assignment::TopicPartition::default()
        .with_topic(TopicName(text(topic)))
        .with_partitions(partitions.to_vec());
    let assignment =
        ConsumerProtocolAssignment::default().with_assigned_partitions(vec![topic]);
    embed(&assignment)
}

fn embed(message: &impl Encodable) -> Bytes {
    let mut bytes = 1_i16.to_be_bytes().to_vec();
    message.encode(&mut bytes, 1).unwrap();
    Bytes::from(bytes)
}

impl Consumer {
    pub fn new() -> Consumer {
        Consumer {
            id: String::new(),
            instance: None,
            generation: -1,
            protocols: vec!["range"],
            topics: vec!["orders"],
            session_ms: 45_000,
            rebalance_ms: 300_000,
            version: 9,
            members: Vec::new(),
        }
    }

    pub fn is_static(instance: &'static str) -> Consumer {
        Consumer { instance: Some(instance), ..Consumer::new() }
    }

    pub fn join_request(&self) -> JoinGroupRequest {
        let topics = self.topics.iter().map(|topic| text(topic)).collect();
        let subscription = ConsumerProtocolSubscription::default().with_topics(topics);
        let protocols = self.protocols.iter().map(|name| {
            JoinGroupRequestProtocol::default()
                .with_name(text(name))
                .with_metadata(embed(&subscription))
        });
        JoinGroupRequest::default()
            .with_group_id(GroupId(text(GROUP)))
            .with_session_timeout_ms(self.session_ms)
            .with_rebalance_timeout_ms(self.rebalance_ms)
            .with_member_id(text(&self.id))
            .with_group_instance_id(self.instance.map(text))
            .with_protocol_type(text("consumer"))
            .with_protocols(protocols.collect())
    }

    /// Joins; a new one first learns its id.
    pub fn join(&mut self, rig: &mut Rig) -> Ticket {
        let ticket = rig.ask(self.version, RequestKind::JoinGroup(self.join_request()));
        if !self.id.is_empty() || self.instance.is_some() || self.version < 4 {
            return ticket;
        }
        let refused = joined(rig, ticket).expect("answered at once");
        assert_eq!(outcome(refused.error_code), Err(ErrorCode::MemberIdRequired));
        self.id = refused.member_id.to_string();
        rig.ask(self.version, RequestKind::JoinGroup(self.join_request()))
    }

    /// Takes the answer to a join.
    pub fn has_joined(
        &mut self,
        rig: &mut Rig,
        ticket: Ticket,
    ) -> Result<i32, ErrorCode> {
        let answer = joined(rig, ticket).expect("the join phase has ended");
        outcome(answer.error_code)?;
        self.id = answer.member_id.to_string();
        self.generation = answer.generation_id;
        self.members = answer.members.iter().map(|it| it.member_id.to_string()).collect();
        Ok(self.generation)
    }

    /// Asks for its assignment; gives everybody's if it leads.
    pub fn sync(&self, rig: &mut Rig, shares: &BTreeMap<String, Bytes>) -> Ticket {
        let assignments = shares.iter().map(|(member, share)| {
            SyncGroupRequestAssignment::default()
                .with_member_id(text(member))
                .with_assignment(share.clone())
        });
        let request = SyncGroupRequest::default()
            .with_group_id(GroupId(text(GROUP)))
            .with_generation_id(self.generation)
            .with_member_id(text(&self.id))
            .with_group_instance_id(self.instance.map(text))
            .with_assignments(assignments.collect());
        rig.ask(5, RequestKind::SyncGroup(request))
    }

    pub fn heartbeat(&self, rig: &mut Rig) -> Result<(), ErrorCode> {
        let request = HeartbeatRequest::default()
            .with_group_id(GroupId(text(GROUP)))
            .with_generation_id(self.generation)
            .with_member_id(text(&self.id))
            .with_group_instance_id(self.instance.map(text));
        let ticket = rig.ask(4, RequestKind::Heartbeat(request));
        match rig.answer(ticket) {
            Some(ResponseKind::Heartbeat(answer)) => outcome(answer.error_code),
            other => panic!("no heartbeat's answer: {other:?}"),
        }
    }

    pub fn leave(&self, rig: &mut Rig) -> Result<(), ErrorCode> {
        let member = MemberIdentity::default()
            .with_member_id(text(&self.id))
            .with_group_instance_id(self.instance.map(text));
        let request = LeaveGroupRequest::default()
            .with_group_id(GroupId(text(GROUP)))
            .with_members(vec![member]);
        let ticket = rig.ask(5, RequestKind::LeaveGroup(request));
        match rig.answer(ticket) {
            Some(ResponseKind::LeaveGroup(answer)) => {
                outcome(answer.members[0].error_code)
            }
            other => panic!("no leave's answer: {other:?}"),
        }
    }
}

/// The answer to a join, if it came.
pub(super) fn joined(rig: &mut Rig, ticket: Ticket) -> Option<JoinGroupResponse> {
    match rig.answer(ticket)? {
        ResponseKind::JoinGroup(answer) => Some(answer),
        other => panic!("no join's answer: {other:?}"),
    }
}

/// The answer to a sync, if it came.
pub(super) fn synced(
    rig: &mut Rig,
    ticket: Ticket,
) -> Option<Result<SyncGroupResponse, ErrorCode>> {
    match rig.answer(ticket)? {
        ResponseKind::SyncGroup(answer) => {
            Some(outcome(answer.error_code).map(|()| answer))
        }
        other => panic!("no sync's answer: {other:?}"),
    }
}

/// Members that join an empty group together, and are given `orders` in turn.
pub(super) fn stable_group(rig: &mut Rig, members: &mut [Consumer]) {
    let tickets: Vec<Ticket> = members.iter_mut().map(|it| it.join(rig)).collect();
    rig.pass(6_000);
    for (member, ticket) in members.iter_mut().zip(tickets) {
        member.has_joined(rig, ticket).unwrap();
    }
    sync_all(rig, members);
}

/// Everybody syncs, the leader with an assignment.
pub(super) fn sync_all(rig: &mut Rig, members: &[Consumer]) {
    let leader = members.iter().find(|it| !it.members.is_empty()).expect("one leads");
    let count = i32::try_from(leader.members.len()).unwrap();
    let shares = leader.members.iter().zip(0..).map(|(id, place)| {
        let partitions: Vec<i32> = (0..4).filter(|it| it % count == place).collect();
        (id.clone(), share("orders", &partitions))
    });
    let shares: BTreeMap<String, Bytes> = shares.collect();
    let followers = members.iter().filter(|it| it.members.is_empty());
    let mut tickets: Vec<Ticket> =
        followers.map(|it| it.sync(rig, &BTreeMap::new())).collect();
    tickets.push(leader.sync(rig, &shares));
    for ticket in tickets {
        synced(rig, ticket).expect("the assignment is known").unwrap();
    }
}
