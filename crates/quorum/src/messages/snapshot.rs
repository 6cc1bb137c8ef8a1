//! FetchSnapshot (59): a snapshot in parts, from the leader (RAFT-6).

use topomotion_wire::messages::fetch_snapshot_request::{
    PartitionSnapshot as WantedPart, SnapshotId as WantedId, TopicSnapshot as WantedTopic,
};
use topomotion_wire::messages::fetch_snapshot_response::{
    LeaderIdAndEpoch, PartitionSnapshot, SnapshotId as GivenId, TopicSnapshot,
};
use topomotion_wire::messages::{
    FetchSnapshotRequest, FetchSnapshotResponse, RequestKind, ResponseKind,
};
use topomotion_wire::{Bytes, ErrorCode, LeaderEpoch, NodeId, Offset, QuorumEpoch};

use super::{Leadership, node, node_id, topic_name};
use crate::SnapshotId;

pub(crate) const FETCH_SNAPSHOT_VERSION: i16 = 1;

/// Which part of which snapshot somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WantedSnapshot {
    pub(crate) replica: Option<NodeId>,
    pub(crate) epoch: QuorumEpoch,
    pub(crate) id: SnapshotId,
    pub(crate) position: i64,
    pub(crate) max_bytes: i32,
}

/// A part of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// The size of the whole.
    pub(crate) size: i64,
    pub(crate) position: i64,
    pub(crate) bytes: Bytes,
}

pub(crate) fn fetch_snapshot_request(wanted: WantedSnapshot) -> RequestKind {
    let id = WantedId::default()
        .with_end_offset(wanted.id.end.0)
        .with_epoch(wanted.id.epoch.0);
    let partition = WantedPart::default()
        .with_current_leader_epoch(wanted.epoch.0)
        .with_snapshot_id(id)
        .with_position(wanted.position);
    let topic =
        WantedTopic::default().with_name(topic_name()).with_partitions(vec![partition]);
    let request = FetchSnapshotRequest::default()
        .with_replica_id(node_id(wanted.replica))
        .with_max_bytes(wanted.max_bytes)
        .with_topics(vec![topic]);
    RequestKind::FetchSnapshot(request)
}

pub(crate) fn read_fetch_snapshot(
    request: &FetchSnapshotRequest,
) -> Option<WantedSnapshot> {
    let partition = request.topics.first()?.partitions.first()?;
    let id = &partition.snapshot_id;
    Some(WantedSnapshot {
        replica: node(request.replica_id),
        epoch: QuorumEpoch(partition.current_leader_epoch),
        id: SnapshotId { end: Offset(id.end_offset), epoch: LeaderEpoch(id.epoch) },
        position: partition.position,
        max_bytes: request.max_bytes,
    })
}

pub(crate) fn fetch_snapshot_response(
    leadership: Leadership,
    id: Option<SnapshotId>,
    answer: Result<Chunk, ErrorCode>,
) -> ResponseKind {
    let leader = LeaderIdAndEpoch::default()
        .with_leader_id(node_id(leadership.leader))
        .with_leader_epoch(leadership.epoch.0);
    let id = id.map_or_else(GivenId::default, |id| {
        GivenId::default().with_end_offset(id.end.0).with_epoch(id.epoch.0)
    });
    let part =
        PartitionSnapshot::default().with_snapshot_id(id).with_current_leader(leader);
    let part = match answer {
        Ok(chunk) => part
            .with_size(chunk.size)
            .with_position(chunk.position)
            .with_unaligned_records(chunk.bytes),
        Err(error) => part.with_error_code(error.code()),
    };
    let topic =
        TopicSnapshot::default().with_name(topic_name()).with_partitions(vec![part]);
    let response = FetchSnapshotResponse::default().with_topics(vec![topic]);
    ResponseKind::FetchSnapshot(response)
}

/// A part of a snapshot as it was answered, or why it was not.
type Part = Result<(SnapshotId, Chunk), ErrorCode>;

/// What the sender says of the leadership, and the part that it sent.
pub(crate) fn read_fetch_snapshot_response(
    response: &FetchSnapshotResponse,
) -> Option<(Leadership, Part)> {
    let part = response.topics.first()?.partitions.first()?;
    let leadership = Leadership {
        epoch: QuorumEpoch(part.current_leader.leader_epoch),
        leader: node(part.current_leader.leader_id),
    };
    if part.error_code != 0 {
        let known = ErrorCode::try_from_code(part.error_code);
        return Some((leadership, Err(known.unwrap_or(ErrorCode::UnknownServerError))));
    }
    let (end, epoch) =
        (Offset(part.snapshot_id.end_offset), LeaderEpoch(part.snapshot_id.epoch));
    let bytes = part.unaligned_records.clone();
    let chunk = Chunk { size: part.size, position: part.position, bytes };
    Some((leadership, Ok((SnapshotId { end, epoch }, chunk))))
}
