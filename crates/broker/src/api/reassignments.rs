//! AlterPartitionReassignments (45), versions 0–1, and ListPartitionReassignments (46), version
//! 0. A broker forwards them; the active controller decides (CTL-13).
//!
//! - A target is a list of replicas; none takes the reassignment back, or
//!   NO_REASSIGNMENT_IN_PROGRESS.
//! - Unknown brokers, repeats, no replica at all: INVALID_REPLICA_ASSIGNMENT.
//! - From version 1 on the number of replicas may be made to stay: then
//!   INVALID_REPLICATION_FACTOR.
//! - Answered when the start is committed, not when the replicas have moved.

use topomotion_wire::messages::alter_partition_reassignments_request::ReassignablePartition;
use topomotion_wire::messages::alter_partition_reassignments_response::{
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use topomotion_wire::messages::list_partition_reassignments_response::{
    OngoingPartitionReassignment, OngoingTopicReassignment,
};
use topomotion_wire::messages::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse,
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
};
use topomotion_wire::{ErrorCode, NodeId, PartitionState, TopicPartition};

use super::{broker_ids, shared, text, topic_name};
use crate::controller::{ActiveController, TopicError};
use crate::net::{Effects, Ticket};

/// Starts, replaces or takes back reassignments, and answers once that is committed.
pub(crate) fn alter(
    controller: &mut ActiveController,
    ticket: Ticket,
    request: &AlterPartitionReassignmentsRequest,
    effects: &mut Effects,
) {
    let mut topics = Vec::new();
    for topic in &request.topics {
        let mut partitions = Vec::new();
        for wanted in &topic.partitions {
            let id = TopicPartition::new(shared(&topic.name), wanted.partition_index);
            let may_grow = request.allow_replication_factor_change;
            let outcome = check_factor(controller, &id, wanted)
                .or_else(|error| if may_grow { Ok(()) } else { Err(error) })
                .and_then(|()| change(controller, &id, wanted, effects));
            let result = ReassignablePartitionResponse::default()
                .with_partition_index(wanted.partition_index);
            partitions.push(match outcome {
                Ok(()) => result,
                Err(error) => result
                    .with_error_code(error.code.code())
                    .with_error_message(Some(text(&error.message))),
            });
        }
        let result = ReassignableTopicResponse::default().with_name(topic.name.clone());
        topics.push(result.with_partitions(partitions));
    }
    let response = AlterPartitionReassignmentsResponse::default()
        .with_allow_replication_factor_change(request.allow_replication_factor_change)
        .with_responses(topics);
    controller.reply_when_committed(ticket, response.into(), effects);
}

fn check_factor(
    controller: &ActiveController,
    id: &TopicPartition,
    wanted: &ReassignablePartition,
) -> Result<(), TopicError> {
    let Some(target) = &wanted.replicas else { return Ok(()) };
    let Some(state) = controller.image().partition(id) else { return Ok(()) };
    let is_old = |replica: &&NodeId| !state.adding.contains(replica);
    let factor = state.replicas.iter().filter(is_old).count();
    if factor == target.len() {
        return Ok(());
    }
    let message =
        format!("The partition has {factor} replicas, and that may not change.");
    Err(TopicError { code: ErrorCode::InvalidReplicationFactor, message })
}

fn change(
    controller: &mut ActiveController,
    id: &TopicPartition,
    wanted: &ReassignablePartition,
    effects: &mut Effects,
) -> Result<(), TopicError> {
    match &wanted.replicas {
        Some(replicas) => {
            let target: Vec<NodeId> = replicas.iter().map(|it| NodeId(it.0)).collect();
            controller.reassign(id, &target, effects)
        }
        None => controller.cancel_reassignment(id, effects),
    }
}

/// Tells the reassignments under way.
pub(crate) fn list(
    controller: &mut ActiveController,
    ticket: Ticket,
    request: &ListPartitionReassignmentsRequest,
    effects: &mut Effects,
) {
    let is_wanted = |id: &TopicPartition| {
        request.topics.as_ref().is_none_or(|topics| {
            topics.iter().any(|topic| {
                topic.name.as_str() == &*id.topic
                    && topic.partition_indexes.contains(&id.partition)
            })
        })
    };
    let is_moving =
        |state: &PartitionState| !state.adding.is_empty() || !state.removing.is_empty();
    let mut topics: Vec<OngoingTopicReassignment> = Vec::new();
    for (id, state) in controller.image().partitions() {
        if !is_wanted(&id) || !is_moving(state) {
            continue;
        }
        let moving = OngoingPartitionReassignment::default()
            .with_partition_index(id.partition)
            .with_replicas(broker_ids(&state.replicas))
            .with_adding_replicas(broker_ids(&state.adding))
            .with_removing_replicas(broker_ids(&state.removing));
        match topics.last_mut().filter(|topic| topic.name.as_str() == &*id.topic) {
            Some(topic) => topic.partitions.push(moving),
            None => topics.push(
                OngoingTopicReassignment::default()
                    .with_name(topic_name(&id.topic))
                    .with_partitions(vec![moving]),
            ),
        }
    }
    let response = ListPartitionReassignmentsResponse::default().with_topics(topics);
    controller.reply_when_committed(ticket, response.into(), effects);
}
