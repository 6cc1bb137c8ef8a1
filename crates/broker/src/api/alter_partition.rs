//! AlterPartition (56), versions 2–3, on the active controller.
//!
//! - A leader proposes ISRs; each partition is checked by itself, in the order of CTL-1.
//! - A sender of an older incarnation is refused as a whole: STALE_BROKER_EPOCH.
//! - From version 3 on each member comes with the incarnation that the leader saw (KIP-903).
//! - Answered when the changes are committed, with the registration as it is then.

use topomotion_wire::messages::alter_partition_request::{PartitionData, TopicData};
use topomotion_wire::messages::{
    AlterPartitionRequest, AlterPartitionResponse, BrokerId, alter_partition_response,
};
use topomotion_wire::{
    BrokerEpoch, ErrorCode, LeaderEpoch, NodeId, PartitionEpoch, PartitionState, TopicId,
};

use super::broker_ids;
use crate::controller::{ActiveController, IsrChange};
use crate::net::{Effects, Ticket};

/// Changes what may be changed, and answers once that is committed.
pub(crate) fn handle(
    controller: &mut ActiveController,
    ticket: Ticket,
    request: &AlterPartitionRequest,
    effects: &mut Effects,
) {
    let sender = NodeId(request.broker_id.0);
    let epoch = BrokerEpoch(request.broker_epoch);
    let response = match controller.check_broker(sender, epoch) {
        Err(error) => AlterPartitionResponse::default().with_error_code(error.code()),
        Ok(()) => {
            let mut topics = Vec::new();
            for topic in &request.topics {
                topics.push(change_topic(controller, sender, topic, effects));
            }
            AlterPartitionResponse::default().with_topics(topics)
        }
    };
    controller.reply_when_committed(ticket, response.into(), effects);
}

/// What a node answers that is not the active controller.
pub(crate) fn not_controller() -> AlterPartitionResponse {
    AlterPartitionResponse::default().with_error_code(ErrorCode::NotController.code())
}

fn change_topic(
    controller: &mut ActiveController,
    sender: NodeId,
    topic: &TopicData,
    effects: &mut Effects,
) -> alter_partition_response::TopicData {
    let mut partitions = Vec::new();
    for data in &topic.partitions {
        let change = change(TopicId(topic.topic_id), data);
        let outcome = controller.change_isr(sender, change, effects);
        partitions.push(answer(data.partition_index, outcome));
    }
    alter_partition_response::TopicData::default()
        .with_topic_id(topic.topic_id)
        .with_partitions(partitions)
}

fn change(topic_id: TopicId, data: &PartitionData) -> IsrChange {
    // Up to version 2 the members come without their incarnations.
    let bare = data.new_isr.iter().map(|id| (NodeId(id.0), None));
    let with_epochs = data.new_isr_with_epochs.iter().map(|member| {
        let epoch = member.broker_epoch;
        (NodeId(member.broker_id.0), (epoch >= 0).then_some(BrokerEpoch(epoch)))
    });
    IsrChange {
        topic_id,
        partition: data.partition_index,
        leader_epoch: LeaderEpoch(data.leader_epoch),
        partition_epoch: PartitionEpoch(data.partition_epoch),
        isr: bare.chain(with_epochs).collect(),
        recovery_state: data.leader_recovery_state,
    }
}

fn answer(
    index: i32,
    outcome: Result<PartitionState, ErrorCode>,
) -> alter_partition_response::PartitionData {
    let data =
        alter_partition_response::PartitionData::default().with_partition_index(index);
    match outcome {
        Ok(state) => data
            .with_leader_id(BrokerId(state.leader.map_or(-1, |leader| leader.0)))
            .with_leader_epoch(state.leader_epoch.0)
            .with_partition_epoch(state.partition_epoch.0)
            .with_isr(broker_ids(&state.isr)),
        Err(error) => data.with_error_code(error.code()),
    }
}
