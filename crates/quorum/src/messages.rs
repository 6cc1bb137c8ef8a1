//! Building and reading the messages of the quorum.
//!
//! Each of them carries a list of topics with a list of partitions, of which the quorum uses
//! exactly one: partition 0 of the metadata topic.

use std::sync::Arc;

use topomotion_log::EpochEnd;
use topomotion_wire::messages::{
    BeginQuorumEpochRequest, BeginQuorumEpochResponse, BrokerId, EndQuorumEpochRequest,
    EndQuorumEpochResponse, FetchRequest, FetchResponse, RequestKind, ResponseKind,
    TopicName, VoteRequest, VoteResponse, begin_quorum_epoch_request,
    begin_quorum_epoch_response, end_quorum_epoch_request, end_quorum_epoch_response,
    fetch_request, fetch_response, vote_request, vote_response,
};
use topomotion_wire::{
    Bytes, Endpoint, ErrorCode, LeaderEpoch, NodeId, Offset, QuorumEpoch, StrBytes,
    TopicId, TopicPartition,
};
use uuid::Uuid;

use crate::SnapshotId;

mod reconfigure;
mod snapshot;

pub(crate) use reconfigure::{
    Described, DescribedReplica, UPDATE_VERSION, change_response, describe_response,
    read_add_voter, read_update_response, read_update_voter, update_request,
    update_response,
};
pub(crate) use snapshot::{
    Chunk, FETCH_SNAPSHOT_VERSION, WantedSnapshot, fetch_snapshot_request,
    fetch_snapshot_response, read_fetch_snapshot, read_fetch_snapshot_response,
};

/// The metadata topic.
pub const METADATA_TOPIC: &str = "__cluster_metadata";
/// The metadata topic's fixed id.
pub const METADATA_TOPIC_ID: TopicId = TopicId(Uuid::from_u128(1));

pub(crate) const VOTE_VERSION: i16 = 2;
pub(crate) const BEGIN_VERSION: i16 = 1;
pub(crate) const END_VERSION: i16 = 1;
/// The first version that tells the leader the follower's high watermark (KIP-1166).
pub(crate) const FETCH_VERSION: i16 = 18;

/// Partition 0 of the metadata topic.
pub fn metadata_partition() -> TopicPartition {
    TopicPartition::new(METADATA_TOPIC, 0)
}

/// Whether a request belongs to the quorum: its own APIs, and fetches of the metadata topic.
pub fn is_for_quorum(request: &RequestKind) -> bool {
    match request {
        RequestKind::Vote(_)
        | RequestKind::BeginQuorumEpoch(_)
        | RequestKind::EndQuorumEpoch(_)
        | RequestKind::FetchSnapshot(_)
        | RequestKind::UpdateRaftVoter(_) => true,
        request if is_quorum_admin(request) => true,
        RequestKind::Fetch(fetch) => fetch.topics.iter().any(is_metadata),
        _ => false,
    }
}

/// Whether a request is an administrator's to the quorum's leader, which a broker passes on.
pub fn is_quorum_admin(request: &RequestKind) -> bool {
    matches!(
        request,
        RequestKind::AddRaftVoter(_)
            | RequestKind::RemoveRaftVoter(_)
            | RequestKind::DescribeQuorum(_)
    )
}

fn is_metadata(topic: &fetch_request::FetchTopic) -> bool {
    topic.topic_id == METADATA_TOPIC_ID.0 || topic.topic.as_str() == METADATA_TOPIC
}

fn topic_name() -> TopicName {
    TopicName(StrBytes::from_static_str(METADATA_TOPIC))
}

pub(crate) fn node_id(node: Option<NodeId>) -> BrokerId {
    BrokerId(node.map_or(-1, |node| node.0))
}

/// A node id as it stands in a message; negative means none.
pub(crate) fn node(id: BrokerId) -> Option<NodeId> {
    (id.0 >= 0).then_some(NodeId(id.0))
}

/// What every answer of the quorum says about the leadership, as far as the sender knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leadership {
    pub(crate) epoch: QuorumEpoch,
    pub(crate) leader: Option<NodeId>,
}

/// A candidate's (or, asking beforehand, a prospective candidate's) case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidacy {
    pub(crate) candidate: NodeId,
    pub(crate) epoch: QuorumEpoch,
    pub(crate) last_epoch: LeaderEpoch,
    pub(crate) end: Offset,
    pub(crate) kind: VoteKind,
}

/// What a candidate asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VoteKind {
    /// Would you vote for me? (RAFT-3)
    Pre,
    /// Do you vote for me? (RAFT-2)
    Standard,
}

pub(crate) fn vote_request(to: NodeId, candidacy: Candidacy) -> RequestKind {
    let partition = vote_request::PartitionData::default()
        .with_replica_id(BrokerId(candidacy.candidate.0))
        .with_replica_epoch(candidacy.epoch.0)
        .with_last_offset_epoch(candidacy.last_epoch.0)
        .with_last_offset(candidacy.end.0)
        .with_pre_vote(candidacy.kind == VoteKind::Pre);
    let topic = vote_request::TopicData::default()
        .with_topic_name(topic_name())
        .with_partitions(vec![partition]);
    let request =
        VoteRequest::default().with_voter_id(BrokerId(to.0)).with_topics(vec![topic]);
    RequestKind::Vote(request)
}

pub(crate) fn read_vote(request: &VoteRequest) -> Option<Candidacy> {
    let partition = request.topics.first()?.partitions.first()?;
    Some(Candidacy {
        candidate: node(partition.replica_id)?,
        epoch: QuorumEpoch(partition.replica_epoch),
        last_epoch: LeaderEpoch(partition.last_offset_epoch),
        end: Offset(partition.last_offset),
        kind: if partition.pre_vote { VoteKind::Pre } else { VoteKind::Standard },
    })
}

/// A voter's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ballot {
    Granted,
    Refused,
}

pub(crate) fn vote_response(
    leadership: Leadership,
    leader_at: Option<Endpoint>,
    answer: Result<Ballot, ErrorCode>,
) -> ResponseKind {
    let partition = vote_response::PartitionData::default()
        .with_error_code(answer.err().map_or(0, |error| error.code()))
        .with_leader_id(node_id(leadership.leader))
        .with_leader_epoch(leadership.epoch.0)
        .with_vote_granted(answer == Ok(Ballot::Granted));
    let topic = vote_response::TopicData::default()
        .with_topic_name(topic_name())
        .with_partitions(vec![partition]);
    let endpoints = leadership.leader.zip(leader_at).map(|(leader, at)| {
        vote_response::NodeEndpoint::default()
            .with_node_id(BrokerId(leader.0))
            .with_host(StrBytes::from_string(at.host.to_string()))
            .with_port(at.port)
    });
    let response = VoteResponse::default()
        .with_topics(vec![topic])
        .with_node_endpoints(endpoints.into_iter().collect());
    ResponseKind::Vote(response)
}

/// Where the leader listens that a voter knows of, if it says so.
pub(crate) fn read_vote_endpoint(response: &VoteResponse) -> Option<Endpoint> {
    let listener = response.node_endpoints.first()?;
    Some(Endpoint { host: Arc::from(listener.host.as_str()), port: listener.port })
}

pub(crate) fn read_vote_response(
    response: &VoteResponse,
) -> Option<(Leadership, Ballot)> {
    let partition = response.topics.first()?.partitions.first()?;
    let leadership = Leadership {
        epoch: QuorumEpoch(partition.leader_epoch),
        leader: node(partition.leader_id),
    };
    let granted = partition.vote_granted && partition.error_code == 0;
    Some((leadership, if granted { Ballot::Granted } else { Ballot::Refused }))
}

pub(crate) fn begin_request(
    to: NodeId,
    leader: NodeId,
    epoch: QuorumEpoch,
    listens: Option<&Endpoint>,
) -> RequestKind {
    let endpoint = |at: &Endpoint| {
        begin_quorum_epoch_request::LeaderEndpoint::default()
            .with_name(StrBytes::from_static_str("CONTROLLER"))
            .with_host(StrBytes::from_string(at.host.to_string()))
            .with_port(at.port)
    };
    let partition = begin_quorum_epoch_request::PartitionData::default()
        .with_leader_id(BrokerId(leader.0))
        .with_leader_epoch(epoch.0);
    let topic = begin_quorum_epoch_request::TopicData::default()
        .with_topic_name(topic_name())
        .with_partitions(vec![partition]);
    let request = BeginQuorumEpochRequest::default()
        .with_voter_id(BrokerId(to.0))
        .with_leader_endpoints(listens.map(endpoint).into_iter().collect())
        .with_topics(vec![topic]);
    RequestKind::BeginQuorumEpoch(request)
}

pub(crate) fn read_begin(request: &BeginQuorumEpochRequest) -> Option<Leadership> {
    let partition = request.topics.first()?.partitions.first()?;
    let leader = node(partition.leader_id);
    leader?;
    Some(Leadership { epoch: QuorumEpoch(partition.leader_epoch), leader })
}

/// Where the new leader listens, if it says so.
pub(crate) fn read_begin_endpoint(request: &BeginQuorumEpochRequest) -> Option<Endpoint> {
    let listener = request.leader_endpoints.first()?;
    Some(Endpoint { host: Arc::from(listener.host.as_str()), port: listener.port })
}

pub(crate) fn begin_response(
    leadership: Leadership,
    error: Option<ErrorCode>,
) -> ResponseKind {
    let partition = begin_quorum_epoch_response::PartitionData::default()
        .with_error_code(error.map_or(0, |error| error.code()))
        .with_leader_id(node_id(leadership.leader))
        .with_leader_epoch(leadership.epoch.0);
    let topic = begin_quorum_epoch_response::TopicData::default()
        .with_topic_name(topic_name())
        .with_partitions(vec![partition]);
    let response = BeginQuorumEpochResponse::default().with_topics(vec![topic]);
    ResponseKind::BeginQuorumEpoch(response)
}

/// What a voter says to the beginning of an epoch, and whether it accepts it.
pub(crate) fn read_begin_response(
    response: &BeginQuorumEpochResponse,
) -> Option<(Leadership, Ballot)> {
    let partition = response.topics.first()?.partitions.first()?;
    let leadership = Leadership {
        epoch: QuorumEpoch(partition.leader_epoch),
        leader: node(partition.leader_id),
    };
    let accepted = partition.error_code == 0;
    Some((leadership, if accepted { Ballot::Granted } else { Ballot::Refused }))
}

pub(crate) fn end_request(
    leader: NodeId,
    epoch: QuorumEpoch,
    successors: &[NodeId],
) -> RequestKind {
    let candidate = |node: &NodeId| {
        end_quorum_epoch_request::ReplicaInfo::default()
            .with_candidate_id(BrokerId(node.0))
    };
    let partition = end_quorum_epoch_request::PartitionData::default()
        .with_leader_id(BrokerId(leader.0))
        .with_leader_epoch(epoch.0)
        .with_preferred_candidates(successors.iter().map(candidate).collect());
    let topic = end_quorum_epoch_request::TopicData::default()
        .with_topic_name(topic_name())
        .with_partitions(vec![partition]);
    RequestKind::EndQuorumEpoch(EndQuorumEpochRequest::default().with_topics(vec![topic]))
}

/// The epoch that ends, and the successors in order.
pub(crate) fn read_end(
    request: &EndQuorumEpochRequest,
) -> Option<(Leadership, Vec<NodeId>)> {
    let partition = request.topics.first()?.partitions.first()?;
    let leader = node(partition.leader_id);
    leader?;
    let named = &partition.preferred_candidates;
    let successors = named.iter().filter_map(|info| node(info.candidate_id)).collect();
    let epoch = QuorumEpoch(partition.leader_epoch);
    Some((Leadership { epoch, leader }, successors))
}

pub(crate) fn end_response(
    leadership: Leadership,
    error: Option<ErrorCode>,
) -> ResponseKind {
    let partition = end_quorum_epoch_response::PartitionData::default()
        .with_error_code(error.map_or(0, |error| error.code()))
        .with_leader_id(node_id(leadership.leader))
        .with_leader_epoch(leadership.epoch.0);
    let topic = end_quorum_epoch_response::TopicData::default()
        .with_topic_name(topic_name())
        .with_partitions(vec![partition]);
    ResponseKind::EndQuorumEpoch(
        EndQuorumEpochResponse::default().with_topics(vec![topic]),
    )
}

pub(crate) fn read_end_response(response: &EndQuorumEpochResponse) -> Option<Leadership> {
    let partition = response.topics.first()?.partitions.first()?;
    Some(Leadership {
        epoch: QuorumEpoch(partition.leader_epoch),
        leader: node(partition.leader_id),
    })
}

/// A replica's fetch of the metadata log: what it has, and where it goes on (RAFT-6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) replica: Option<NodeId>,
    pub(crate) epoch: QuorumEpoch,
    pub(crate) end: Offset,
    pub(crate) last_epoch: LeaderEpoch,
    /// −1 while unknown.
    pub(crate) high_watermark: Offset,
}

pub(crate) fn fetch_request(
    progress: Progress,
    max_wait_ms: i32,
    max_bytes: i32,
) -> RequestKind {
    let partition = fetch_request::FetchPartition::default()
        .with_current_leader_epoch(progress.epoch.0)
        .with_fetch_offset(progress.end.0)
        .with_last_fetched_epoch(progress.last_epoch.0)
        .with_high_watermark(progress.high_watermark.0)
        .with_partition_max_bytes(max_bytes);
    let topic = fetch_request::FetchTopic::default()
        .with_topic_id(METADATA_TOPIC_ID.0)
        .with_partitions(vec![partition]);
    let replica =
        fetch_request::ReplicaState::default().with_replica_id(node_id(progress.replica));
    let request = FetchRequest::default()
        .with_replica_state(replica)
        .with_max_wait_ms(max_wait_ms)
        .with_max_bytes(max_bytes)
        .with_topics(vec![topic]);
    RequestKind::Fetch(request)
}

pub(crate) fn read_fetch(request: &FetchRequest) -> Option<Progress> {
    let topic = request.topics.iter().find(|topic| is_metadata(topic))?;
    let partition = topic.partitions.first()?;
    // Up to version 14 the id stands in a field of its own.
    let replica = node(request.replica_state.replica_id).or(node(request.replica_id));
    Some(Progress {
        replica,
        epoch: QuorumEpoch(partition.current_leader_epoch),
        end: Offset(partition.fetch_offset),
        last_epoch: LeaderEpoch(partition.last_fetched_epoch),
        high_watermark: Offset(partition.high_watermark),
    })
}

/// What a fetch is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fetched {
    /// Whole batches, possibly none.
    Records(Bytes),
    /// The fetcher's log parted from the leader's here (REP-15).
    Diverges(EpochEnd),
    /// The log begins later: this snapshot says what was before (RAFT-6).
    Snapshot(SnapshotId),
    /// Not served.
    Refused(ErrorCode),
}

/// A fetch answer with what stands around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FetchAnswer {
    pub(crate) leadership: Leadership,
    pub(crate) high_watermark: Offset,
    pub(crate) log_start: Offset,
    pub(crate) fetched: Fetched,
    /// Where the leader listens, told to whoever asked somebody else: its log may not reach
    /// to the leader's entry among the voters (KIP-853).
    pub(crate) leader_at: Option<Endpoint>,
}

pub(crate) fn fetch_response(answer: FetchAnswer) -> ResponseKind {
    let leader = fetch_response::LeaderIdAndEpoch::default()
        .with_leader_id(node_id(answer.leadership.leader))
        .with_leader_epoch(answer.leadership.epoch.0);
    let mut partition = fetch_response::PartitionData::default()
        .with_high_watermark(answer.high_watermark.0)
        .with_log_start_offset(answer.log_start.0)
        .with_current_leader(leader)
        .with_records(Some(Bytes::new()));
    match answer.fetched {
        Fetched::Records(records) => partition.records = Some(records),
        Fetched::Refused(error) => partition.error_code = error.code(),
        Fetched::Diverges(at) => {
            partition.diverging_epoch = fetch_response::EpochEndOffset::default()
                .with_epoch(at.epoch.0)
                .with_end_offset(at.end.0);
        }
        Fetched::Snapshot(id) => {
            partition.snapshot_id = fetch_response::SnapshotId::default()
                .with_end_offset(id.end.0)
                .with_epoch(id.epoch.0);
        }
    }
    let topic = fetch_response::FetchableTopicResponse::default()
        .with_topic_id(METADATA_TOPIC_ID.0)
        .with_partitions(vec![partition]);
    let leader_at = answer.leadership.leader.zip(answer.leader_at);
    let endpoints = leader_at.map(|(leader, at)| {
        fetch_response::NodeEndpoint::default()
            .with_node_id(BrokerId(leader.0))
            .with_host(StrBytes::from_string(at.host.to_string()))
            .with_port(i32::from(at.port))
    });
    let response = FetchResponse::default()
        .with_responses(vec![topic])
        .with_node_endpoints(endpoints.into_iter().collect());
    ResponseKind::Fetch(response)
}

pub(crate) fn read_fetch_response(response: &FetchResponse) -> Option<FetchAnswer> {
    let partition = response.responses.first()?.partitions.first()?;
    let diverging = &partition.diverging_epoch;
    let fetched = if partition.error_code != 0 {
        let known = ErrorCode::try_from_code(partition.error_code);
        Fetched::Refused(known.unwrap_or(ErrorCode::UnknownServerError))
    } else if partition.snapshot_id.end_offset >= 0 {
        let id = &partition.snapshot_id;
        let (end, epoch) = (Offset(id.end_offset), LeaderEpoch(id.epoch));
        Fetched::Snapshot(SnapshotId { end, epoch })
    } else if diverging.epoch >= 0 {
        let end = Offset(diverging.end_offset.max(0));
        Fetched::Diverges(EpochEnd { epoch: LeaderEpoch(diverging.epoch), end })
    } else {
        Fetched::Records(partition.records.clone().unwrap_or_default())
    };
    let leader = node(partition.current_leader.leader_id);
    let listens = |it: &&fetch_response::NodeEndpoint| {
        Some(it.node_id) == leader.map(|it| BrokerId(it.0))
    };
    let leader_at = response.node_endpoints.iter().find(listens).and_then(|it| {
        let port = u16::try_from(it.port).ok()?;
        Some(Endpoint { host: Arc::from(it.host.as_str()), port })
    });
    Some(FetchAnswer {
        leader_at,
        leadership: Leadership {
            epoch: QuorumEpoch(partition.current_leader.leader_epoch),
            leader,
        },
        high_watermark: Offset(partition.high_watermark),
        log_start: Offset(partition.log_start_offset),
        fetched,
    })
}
