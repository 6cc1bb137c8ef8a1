//! ElectLeaders (43), versions 0–2. A broker forwards it; the active controller decides.
//!
//! - Preferred (0) or unclean (1) election; without a list, of every partition that needs it.
//! - ELECTION_NOT_NEEDED where the right one leads already; in a request for all partitions
//!   those are left out of the answer.
//! - Nobody to elect: PREFERRED_LEADER_NOT_AVAILABLE, ELIGIBLE_LEADERS_NOT_AVAILABLE.

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_wire::messages::elect_leaders_response::{
    PartitionResult, ReplicaElectionResult,
};
use topomotion_wire::messages::{ElectLeadersRequest, ElectLeadersResponse};
use topomotion_wire::{ErrorCode, TopicPartition};

use super::{shared, topic_name};
use crate::controller::{ActiveController, ElectionType};
use crate::net::{Effects, Ticket};

/// Elects, and answers once that is committed.
pub(crate) fn handle(
    controller: &mut ActiveController,
    ticket: Ticket,
    request: &ElectLeadersRequest,
    effects: &mut Effects,
) {
    let kind = match request.election_type {
        0 => ElectionType::Preferred,
        1 => ElectionType::Unclean,
        _ => {
            let code = ErrorCode::InvalidRequest.code();
            let response = ElectLeadersResponse::default().with_error_code(code);
            return effects.reply(ticket, response);
        }
    };
    let wanted: Vec<TopicPartition> = match &request.topic_partitions {
        Some(topics) => topics
            .iter()
            .flat_map(|topic| {
                let name = shared(&topic.topic);
                let id = move |&index: &i32| TopicPartition::new(name.clone(), index);
                topic.partitions.iter().map(id)
            })
            .collect(),
        None => controller.image().partitions().map(|(id, _)| id).collect(),
    };
    let mut topics: BTreeMap<Arc<str>, Vec<PartitionResult>> = BTreeMap::new();
    for id in wanted {
        let outcome = controller.elect_leader(&id, kind, effects);
        let is_needless = outcome == Err(ErrorCode::ElectionNotNeeded);
        if request.topic_partitions.is_none() && is_needless {
            continue;
        }
        let code = outcome.err().map_or(0, |error| error.code());
        let result = PartitionResult::default()
            .with_partition_id(id.partition)
            .with_error_code(code);
        topics.entry(id.topic).or_default().push(result);
    }
    let results = topics.into_iter().map(|(name, partitions)| {
        ReplicaElectionResult::default()
            .with_topic(topic_name(&name))
            .with_partition_result(partitions)
    });
    let response =
        ElectLeadersResponse::default().with_replica_election_results(results.collect());
    controller.reply_when_committed(ticket, response.into(), effects);
}
