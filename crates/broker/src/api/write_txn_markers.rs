//! WriteTxnMarkers (27), version 1, on partition leaders.
//!
//! - Appends the markers with acks=all, and answers when the high watermark has passed the last
//!   one (TXN-6); each partition of each marker has its own outcome.
//! - An older coordinator is TRANSACTION_COORDINATOR_FENCED, an older producer
//!   INVALID_PRODUCER_EPOCH.
//! - A marker in the offsets topic decides about the offsets that were committed in the
//!   transaction (TXN-9).

use topomotion_coordinator::{Control, Stamp};
use topomotion_log::{Marker, MarkerKind};
use topomotion_wire::messages::write_txn_markers_request::WritableTxnMarker;
use topomotion_wire::messages::write_txn_markers_response::{
    WritableTxnMarkerPartitionResult, WritableTxnMarkerResult,
    WritableTxnMarkerTopicResult,
};
use topomotion_wire::messages::{WriteTxnMarkersRequest, WriteTxnMarkersResponse};
use topomotion_wire::{ErrorCode, Offset, ProducerEpoch, ProducerId, TopicPartition};

use super::shared;
use crate::broker::{Broker, DelayedMarkers, PendingMarker};
use crate::net::{Effects, Ticket};
use crate::replica::Site;

/// Appends what can be appended, and answers once that is replicated.
pub(crate) fn handle(
    broker: &mut Broker,
    site: Site<'_>,
    ticket: Ticket,
    request: &WriteTxnMarkersRequest,
    effects: &mut Effects,
) {
    let mut pending = Vec::new();
    let mut markers = Vec::new();
    for (at, wanted) in request.markers.iter().enumerate() {
        let marker = marker(wanted);
        let mut topics = Vec::new();
        for (topic_at, topic) in wanted.topics.iter().enumerate() {
            let name = shared(&topic.name);
            let mut partitions = Vec::new();
            for (index_at, &index) in topic.partition_indexes.iter().enumerate() {
                let partition = TopicPartition::new(name.clone(), index);
                let result = WritableTxnMarkerPartitionResult::default();
                let result = result.with_partition_index(index);
                partitions.push(match write(broker, site, &partition, marker, effects) {
                    Ok(until) => {
                        let place = (at, topic_at, index_at);
                        pending.push(PendingMarker { partition, until, place });
                        result
                    }
                    Err(error) => result.with_error_code(error.code()),
                });
            }
            let result = WritableTxnMarkerTopicResult::default();
            topics.push(result.with_name(topic.name.clone()).with_partitions(partitions));
        }
        let result = WritableTxnMarkerResult::default();
        markers.push(result.with_producer_id(wanted.producer_id).with_topics(topics));
    }
    let response = WriteTxnMarkersResponse::default().with_markers(markers);
    let until = site.now + site.settings.request_timeout;
    let delayed = DelayedMarkers { ticket, until, response, pending };
    broker.wait_for_markers(delayed, effects);
}

fn marker(wanted: &WritableTxnMarker) -> Marker {
    let kind = match wanted.transaction_result {
        true => MarkerKind::Commit,
        false => MarkerKind::Abort,
    };
    Marker {
        producer: ProducerId(wanted.producer_id.0),
        epoch: ProducerEpoch(wanted.producer_epoch),
        coordinator_epoch: wanted.coordinator_epoch,
        kind,
    }
}

/// Appends one marker. Returns what the high watermark has to reach.
fn write(
    broker: &mut Broker,
    site: Site<'_>,
    id: &TopicPartition,
    marker: Marker,
    effects: &mut Effects,
) -> Result<Offset, ErrorCode> {
    let replica = broker.replica_mut(id).ok_or_else(|| site.absent(id))?;
    let appended = replica.append_marker(site, marker, effects)?;
    let stamp = Stamp { producer: marker.producer, epoch: marker.epoch };
    let control = match marker.kind {
        MarkerKind::Commit => Control::Commit,
        MarkerKind::Abort => Control::Abort,
    };
    broker.marker_appended(site, id, stamp, control, effects);
    Ok(appended.end)
}
