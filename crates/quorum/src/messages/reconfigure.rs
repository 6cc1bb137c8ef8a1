//! The messages about the voter set: AddRaftVoter (80), RemoveRaftVoter (81),
//! UpdateRaftVoter (82), DescribeQuorum (55).

use topomotion_wire::messages::describe_quorum_request::TopicData as AskedTopic;
use topomotion_wire::messages::describe_quorum_response::{
    Listener as NodeListener, Node, PartitionData, ReplicaState, TopicData,
};
use topomotion_wire::messages::update_raft_voter_request::{
    KRaftVersionFeature, Listener as UpdateListener,
};
use topomotion_wire::messages::update_raft_voter_response::CurrentLeader;
use topomotion_wire::messages::{
    AddRaftVoterRequest, AddRaftVoterResponse, BrokerId, DescribeQuorumRequest,
    DescribeQuorumResponse, RemoveRaftVoterResponse, RequestKind, ResponseKind,
    UpdateRaftVoterRequest, UpdateRaftVoterResponse,
};
use topomotion_wire::{
    Endpoint, ErrorCode, Instant, NodeId, Offset, QuorumEpoch, StrBytes,
};

use super::{Leadership, METADATA_TOPIC, node, node_id};
use crate::role::ChangeKind;
use crate::voters::VoterSet;

pub(crate) const UPDATE_VERSION: i16 = 0;
const LISTENER: &str = "CONTROLLER";

/// The newcomer, and where it listens.
pub(crate) fn read_add_voter(
    request: &AddRaftVoterRequest,
) -> (NodeId, Option<Endpoint>) {
    let endpoint = request.listeners.first().map(|listener| Endpoint {
        host: listener.host.as_str().into(),
        port: listener.port,
    });
    (NodeId(request.voter_id), endpoint)
}

/// The answer to an addition or a removal.
pub(crate) fn change_response(
    kind: ChangeKind,
    error: Option<ErrorCode>,
) -> ResponseKind {
    let code = error.map_or(0, |error| error.code());
    match kind {
        ChangeKind::Add => AddRaftVoterResponse::default().with_error_code(code).into(),
        ChangeKind::Remove => {
            RemoveRaftVoterResponse::default().with_error_code(code).into()
        }
    }
}

pub(crate) fn update_request(
    epoch: QuorumEpoch,
    voter: NodeId,
    endpoint: &Endpoint,
) -> RequestKind {
    let listener = UpdateListener::default()
        .with_name(StrBytes::from_static_str(LISTENER))
        .with_host(StrBytes::from_string(endpoint.host.to_string()))
        .with_port(endpoint.port);
    let request = UpdateRaftVoterRequest::default()
        .with_current_leader_epoch(epoch.0)
        .with_voter_id(voter.0)
        .with_listeners(vec![listener])
        .with_k_raft_version_feature(
            KRaftVersionFeature::default().with_max_supported_version(1),
        );
    RequestKind::UpdateRaftVoter(request)
}

pub(crate) fn read_update_voter(
    request: &UpdateRaftVoterRequest,
) -> (NodeId, Option<Endpoint>) {
    let endpoint = request.listeners.first().map(|listener| Endpoint {
        host: listener.host.as_str().into(),
        port: listener.port,
    });
    (NodeId(request.voter_id), endpoint)
}

pub(crate) fn update_response(
    leadership: Leadership,
    error: Option<ErrorCode>,
) -> ResponseKind {
    let leader = CurrentLeader::default()
        .with_leader_id(node_id(leadership.leader))
        .with_leader_epoch(leadership.epoch.0);
    UpdateRaftVoterResponse::default()
        .with_error_code(error.map_or(0, |error| error.code()))
        .with_current_leader(leader)
        .into()
}

pub(crate) fn read_update_response(response: &UpdateRaftVoterResponse) -> Leadership {
    Leadership {
        epoch: QuorumEpoch(response.current_leader.leader_epoch),
        leader: node(response.current_leader.leader_id),
    }
}

/// The quorum as its leader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Described {
    pub(crate) leadership: Leadership,
    pub(crate) high_watermark: Option<Offset>,
    pub(crate) voters: Vec<DescribedReplica>,
    pub(crate) observers: Vec<DescribedReplica>,
    pub(crate) endpoints: VoterSet,
}

/// One member as the leader sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DescribedReplica {
    pub(crate) id: NodeId,
    pub(crate) end: Option<Offset>,
    pub(crate) fetched_at: Option<Instant>,
    pub(crate) caught_up_at: Option<Instant>,
}

/// Answers for every partition asked for. `None` is anybody but the leader.
pub(crate) fn describe_response(
    request: &DescribeQuorumRequest,
    described: Option<&Described>,
) -> ResponseKind {
    let topic = |asked: &AskedTopic| {
        let is_metadata = asked.topic_name.as_str() == METADATA_TOPIC;
        let partition = |index: i32| {
            let data = PartitionData::default().with_partition_index(index);
            match described {
                _ if !is_metadata || index != 0 => {
                    data.with_error_code(ErrorCode::UnknownTopicOrPartition.code())
                }
                None => data.with_error_code(ErrorCode::NotLeaderOrFollower.code()),
                Some(described) => described.fill(data),
            }
        };
        let partitions = asked.partitions.iter().map(|it| partition(it.partition_index));
        TopicData::default()
            .with_topic_name(asked.topic_name.clone())
            .with_partitions(partitions.collect())
    };
    let nodes = described.map(Described::nodes).unwrap_or_default();
    DescribeQuorumResponse::default()
        .with_topics(request.topics.iter().map(topic).collect())
        .with_nodes(nodes)
        .into()
}

impl Described {
    fn fill(&self, data: PartitionData) -> PartitionData {
        let state = |replica: &DescribedReplica| {
            let ms = |at: Option<Instant>| at.map_or(-1, |at| at.as_millis() as i64);
            ReplicaState::default()
                .with_replica_id(BrokerId(replica.id.0))
                .with_log_end_offset(replica.end.map_or(-1, |end| end.0))
                .with_last_fetch_timestamp(ms(replica.fetched_at))
                .with_last_caught_up_timestamp(ms(replica.caught_up_at))
        };
        data.with_leader_id(node_id(self.leadership.leader))
            .with_leader_epoch(self.leadership.epoch.0)
            .with_high_watermark(self.high_watermark.map_or(-1, |offset| offset.0))
            .with_current_voters(self.voters.iter().map(state).collect())
            .with_observers(self.observers.iter().map(state).collect())
    }

    fn nodes(&self) -> Vec<Node> {
        let listener = |endpoint: &Endpoint| {
            NodeListener::default()
                .with_name(StrBytes::from_static_str(LISTENER))
                .with_host(StrBytes::from_string(endpoint.host.to_string()))
                .with_port(endpoint.port)
        };
        let node = |(id, endpoint): (NodeId, Option<&Endpoint>)| {
            Node::default()
                .with_node_id(BrokerId(id.0))
                .with_listeners(endpoint.map(listener).into_iter().collect())
        };
        self.endpoints.iter().map(node).collect()
    }
}
