//! DeleteRecords (21), versions 0–2, on the leaders of the partitions.
//!
//! - The log start moves to the offset asked for, or with −1 to the high watermark; above it,
//!   OFFSET_OUT_OF_RANGE. A topic that is only compacted keeps its records: POLICY_VIOLATION.
//! - Answered when every live replica starts there: the low watermark has reached it. Time up
//!   means that it will, once the missing replica is back.

use std::collections::BTreeMap;

use topomotion_wire::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use topomotion_wire::messages::{DeleteRecordsRequest, DeleteRecordsResponse};
use topomotion_wire::{Duration, ErrorCode, Offset, TopicPartition};

use super::shared;
use crate::broker::{Broker, DelayedDelete, PendingDelete};
use crate::net::{Effects, Ticket};
use crate::replica::Site;

/// Stands for the high watermark in a request, and for "unknown" in a response.
const NONE: i64 = -1;

/// Deletes, and answers or waits.
pub(crate) fn handle(
    broker: &mut Broker,
    site: Site<'_>,
    ticket: Ticket,
    request: &DeleteRecordsRequest,
    effects: &mut Effects,
) {
    let mut pending = BTreeMap::new();
    let mut response = DeleteRecordsResponse::default();
    for (at, topic) in request.topics.iter().enumerate() {
        let name = shared(&topic.name);
        let mut answers = Vec::new();
        for (index, wanted) in topic.partitions.iter().enumerate() {
            let id = TopicPartition::new(name.clone(), wanted.partition_index);
            let answer = DeleteRecordsPartitionResult::default()
                .with_partition_index(wanted.partition_index)
                .with_low_watermark(NONE);
            let before = (wanted.offset != NONE).then_some(Offset(wanted.offset));
            let deleted = if pending.contains_key(&id) {
                Err(ErrorCode::InvalidRequest)
            } else {
                delete(broker, site, &id, before, effects)
            };
            answers.push(match deleted {
                Ok(until) => {
                    pending.insert(id, PendingDelete { until, place: (at, index) });
                    answer
                }
                Err(error) => answer.with_error_code(error.code()),
            });
        }
        let answer = DeleteRecordsTopicResult::default().with_name(topic.name.clone());
        response.topics.push(answer.with_partitions(answers));
    }
    let timeout = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    let until = site.now + timeout;
    broker.wait_for_low_watermark(
        DelayedDelete { ticket, until, response, pending },
        effects,
    );
}

fn delete(
    broker: &mut Broker,
    site: Site<'_>,
    id: &TopicPartition,
    before: Option<Offset>,
    effects: &mut Effects,
) -> Result<Offset, ErrorCode> {
    let replica = broker.replica_mut(id).ok_or_else(|| site.absent(id))?;
    replica.delete_records(site, before, effects)
}
