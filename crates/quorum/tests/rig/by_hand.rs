//! The quorum's messages as a peer would send them, written by hand.

use topomotion_quorum::METADATA_TOPIC_ID;
use topomotion_wire::messages::{
    AddRaftVoterRequest, BeginQuorumEpochRequest, BrokerId, DescribeQuorumRequest,
    FetchRequest, FetchResponse, RemoveRaftVoterRequest, RequestKind, ResponseKind,
    TopicName, VoteRequest, add_raft_voter_request, begin_quorum_epoch_request,
    describe_quorum_request, fetch_request, fetch_response, vote_request,
};
use topomotion_wire::{Bytes, StrBytes};

fn topic() -> TopicName {
    TopicName(StrBytes::from_static_str("__cluster_metadata"))
}

/// A standard vote request for an empty log.
pub fn vote(candidate: i32, epoch: i32) -> RequestKind {
    let partition = vote_request::PartitionData::default()
        .with_replica_id(BrokerId(candidate))
        .with_replica_epoch(epoch);
    let topic = vote_request::TopicData::default()
        .with_topic_name(topic())
        .with_partitions(vec![partition]);
    RequestKind::Vote(VoteRequest::default().with_topics(vec![topic]))
}

pub fn granted(response: &ResponseKind) -> bool {
    let ResponseKind::Vote(response) = response else { panic!("not a vote") };
    response.topics[0].partitions[0].vote_granted
}

pub fn begin(leader: i32, epoch: i32) -> RequestKind {
    let partition = begin_quorum_epoch_request::PartitionData::default()
        .with_leader_id(BrokerId(leader))
        .with_leader_epoch(epoch);
    let topic = begin_quorum_epoch_request::TopicData::default()
        .with_topic_name(topic())
        .with_partitions(vec![partition]);
    RequestKind::BeginQuorumEpoch(
        BeginQuorumEpochRequest::default().with_topics(vec![topic]),
    )
}

pub fn fetch(replica: i32, epoch: i32, end: i64, last_epoch: i32) -> RequestKind {
    let partition = fetch_request::FetchPartition::default()
        .with_current_leader_epoch(epoch)
        .with_fetch_offset(end)
        .with_last_fetched_epoch(last_epoch);
    let topic = fetch_request::FetchTopic::default()
        .with_topic_id(METADATA_TOPIC_ID.0)
        .with_partitions(vec![partition]);
    let replica =
        fetch_request::ReplicaState::default().with_replica_id(BrokerId(replica));
    let request =
        FetchRequest::default().with_replica_state(replica).with_topics(vec![topic]);
    RequestKind::Fetch(request)
}

pub fn fetched(leader: i32, epoch: i32, mark: i64, records: Bytes) -> ResponseKind {
    answer(leader, epoch, |partition| {
        partition.high_watermark = mark;
        partition.records = Some(records);
    })
}

pub fn diverging(leader: i32, epoch: i32, end: i64) -> ResponseKind {
    answer(leader, epoch, |partition| {
        partition.diverging_epoch.epoch = epoch;
        partition.diverging_epoch.end_offset = end;
    })
}

fn answer(
    leader: i32,
    epoch: i32,
    change: impl FnOnce(&mut fetch_response::PartitionData),
) -> ResponseKind {
    let leader = fetch_response::LeaderIdAndEpoch::default()
        .with_leader_id(BrokerId(leader))
        .with_leader_epoch(epoch);
    let mut partition =
        fetch_response::PartitionData::default().with_current_leader(leader);
    change(&mut partition);
    let topic = fetch_response::FetchableTopicResponse::default()
        .with_topic_id(METADATA_TOPIC_ID.0)
        .with_partitions(vec![partition]);
    ResponseKind::Fetch(FetchResponse::default().with_responses(vec![topic]))
}

pub fn add_voter(id: i32) -> RequestKind {
    let listener = add_raft_voter_request::Listener::default()
        .with_host(StrBytes::from_string(format!("node-{id}")))
        .with_port(9093);
    let request = AddRaftVoterRequest::default()
        .with_voter_id(id)
        .with_timeout_ms(5_000)
        .with_listeners(vec![listener]);
    RequestKind::AddRaftVoter(request)
}

pub fn remove_voter(id: i32) -> RequestKind {
    RequestKind::RemoveRaftVoter(RemoveRaftVoterRequest::default().with_voter_id(id))
}

pub fn describe() -> RequestKind {
    let partition = describe_quorum_request::PartitionData::default();
    let topic = describe_quorum_request::TopicData::default()
        .with_topic_name(topic())
        .with_partitions(vec![partition]);
    RequestKind::DescribeQuorum(DescribeQuorumRequest::default().with_topics(vec![topic]))
}
