//! The requests that a node answers: one file per API, each with its versions and behaviour.
//!
//! A handler translates between messages and the state machines that decide; it holds no
//! state. [`served`] is the truth that ApiVersions tells: what is listed is implemented, and
//! what is not listed closes the connection.

pub(crate) mod acls;
pub(crate) mod admin;
pub(crate) mod allocate_producer_ids;
pub(crate) mod alter_configs;
pub(crate) mod alter_partition;
pub(crate) mod api_versions;
pub(crate) mod broker_heartbeat;
pub(crate) mod broker_registration;
mod config_facts;
pub(crate) mod coordination;
pub(crate) mod create_partitions;
pub(crate) mod create_topics;
pub(crate) mod delete_records;
pub(crate) mod delete_topics;
pub(crate) mod describe_cluster;
pub(crate) mod describe_configs;
pub(crate) mod describe_log_dirs;
pub(crate) mod describe_producers;
pub(crate) mod describe_topic_partitions;
pub(crate) mod elect_leaders;
pub(crate) mod fetch;
pub(crate) mod find_coordinator;
pub(crate) mod incremental_alter_configs;
pub(crate) mod init_producer_id;
pub(crate) mod list_config_resources;
pub(crate) mod list_offsets;
pub(crate) mod metadata;
pub(crate) mod offset_for_leader_epoch;
pub(crate) mod produce;
pub(crate) mod reassignments;
pub(crate) mod sasl;
pub(crate) mod scram;
pub(crate) mod verification;
pub(crate) mod write_txn_markers;

use std::sync::Arc;

use topomotion_wire::messages::{ApiKey, BrokerId, RequestKind, TopicName};
use topomotion_wire::{LeaderEpoch, NodeId, StrBytes};

use crate::config::Roles;

/// The id of the cluster that every node belongs to: there is no other.
pub const CLUSTER_ID: &str = "topomotion";

/// An API with the versions served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) key: ApiKey,
    pub(crate) min: i16,
    pub(crate) max: i16,
}

const fn versions(key: ApiKey, min: i16, max: i16) -> Served {
    Served { key, min, max }
}

/// What a broker answers to its clients.
const BY_BROKERS: &[Served] = &[
    versions(ApiKey::Produce, 3, 13),
    versions(ApiKey::Fetch, 4, 18),
    versions(ApiKey::ListOffsets, 1, 10),
    versions(ApiKey::Metadata, 0, 13),
    versions(ApiKey::ApiVersions, 0, 4),
    versions(ApiKey::OffsetForLeaderEpoch, 2, 4),
    versions(ApiKey::DescribeCluster, 0, 2),
    versions(ApiKey::DescribeAcls, 1, 3),
    versions(ApiKey::DescribeConfigs, 1, 4),
    versions(ApiKey::DescribeLogDirs, 1, 4),
    versions(ApiKey::DeleteRecords, 0, 2),
    versions(ApiKey::DescribeTopicPartitions, 0, 0),
    versions(ApiKey::FindCoordinator, 0, 6),
    versions(ApiKey::JoinGroup, 2, 9),
    versions(ApiKey::SyncGroup, 0, 5),
    versions(ApiKey::Heartbeat, 0, 4),
    versions(ApiKey::LeaveGroup, 0, 5),
    versions(ApiKey::ConsumerGroupHeartbeat, 0, 1),
    versions(ApiKey::ConsumerGroupDescribe, 0, 1),
    versions(ApiKey::OffsetCommit, 2, 10),
    versions(ApiKey::OffsetFetch, 1, 10),
    versions(ApiKey::OffsetDelete, 0, 0),
    versions(ApiKey::DescribeGroups, 0, 6),
    versions(ApiKey::ListGroups, 0, 5),
    versions(ApiKey::DeleteGroups, 0, 2),
    versions(ApiKey::InitProducerId, 0, 5),
    versions(ApiKey::AddPartitionsToTxn, 0, 5),
    versions(ApiKey::AddOffsetsToTxn, 0, 4),
    versions(ApiKey::EndTxn, 0, 5),
    versions(ApiKey::WriteTxnMarkers, 1, 1),
    versions(ApiKey::TxnOffsetCommit, 0, 5),
    versions(ApiKey::DescribeProducers, 0, 0),
    versions(ApiKey::DescribeTransactions, 0, 0),
    versions(ApiKey::ListTransactions, 0, 2),
    versions(ApiKey::DescribeUserScramCredentials, 0, 0),
    versions(ApiKey::ListConfigResources, 0, 1),
    versions(ApiKey::SaslHandshake, 0, 1),
    versions(ApiKey::SaslAuthenticate, 0, 2),
];

/// What both answer: a broker passes it on to the active controller.
const BY_BOTH: &[Served] = &[
    versions(ApiKey::CreateTopics, 2, 7),
    versions(ApiKey::DeleteTopics, 1, 6),
    versions(ApiKey::CreatePartitions, 0, 3),
    versions(ApiKey::ElectLeaders, 0, 2),
    versions(ApiKey::AlterConfigs, 0, 2),
    versions(ApiKey::IncrementalAlterConfigs, 0, 1),
    versions(ApiKey::CreateAcls, 1, 3),
    versions(ApiKey::DeleteAcls, 1, 3),
    versions(ApiKey::AlterUserScramCredentials, 0, 0),
    versions(ApiKey::AlterPartitionReassignments, 0, 1),
    versions(ApiKey::ListPartitionReassignments, 0, 0),
    versions(ApiKey::DescribeQuorum, 0, 2),
    versions(ApiKey::AddRaftVoter, 0, 0),
    versions(ApiKey::RemoveRaftVoter, 0, 0),
];

/// What a controller answers to brokers, and to the other voters.
const BY_CONTROLLERS: &[Served] = &[
    versions(ApiKey::Fetch, 4, 18),
    versions(ApiKey::ApiVersions, 0, 4),
    versions(ApiKey::FetchSnapshot, 0, 1),
    versions(ApiKey::UpdateRaftVoter, 0, 0),
    versions(ApiKey::Vote, 0, 2),
    versions(ApiKey::BeginQuorumEpoch, 0, 1),
    versions(ApiKey::EndQuorumEpoch, 0, 1),
    versions(ApiKey::AlterPartition, 2, 3),
    versions(ApiKey::DescribeCluster, 0, 2),
    versions(ApiKey::BrokerRegistration, 0, 4),
    versions(ApiKey::BrokerHeartbeat, 0, 1),
    versions(ApiKey::AllocateProducerIds, 0, 0),
];

/// What a node with these roles serves, by API key.
pub(crate) fn served_by(roles: Roles) -> Vec<Served> {
    let mut all: Vec<Served> = lists(roles).copied().collect();
    all.sort_by_key(|it| it.key as i16);
    all.dedup();
    all
}

/// The lists that concern a node with these roles. An API that stands in two of them has the
/// same versions in both.
fn lists(roles: Roles) -> impl Iterator<Item = &'static Served> {
    let brokers = if roles.is_broker() { BY_BROKERS } else { &[] };
    let controllers = if roles.is_controller() { BY_CONTROLLERS } else { &[] };
    brokers.iter().chain(controllers).chain(BY_BOTH)
}

/// The versions of an API that a node with these roles serves, if any.
pub(crate) fn served(roles: Roles, key: ApiKey) -> Option<Served> {
    lists(roles).find(|it| it.key == key).copied()
}

/// Whether a node with these roles serves this request in this version.
pub(crate) fn serves(roles: Roles, body: &RequestKind, version: i16) -> Option<Served> {
    let served = served(roles, key_of(body)?);
    served.filter(|it| (it.min..=it.max).contains(&version))
}

/// The key of every API that any node here serves.
pub(crate) fn key_of(body: &RequestKind) -> Option<ApiKey> {
    Some(match body {
        RequestKind::Produce(_) => ApiKey::Produce,
        RequestKind::Fetch(_) => ApiKey::Fetch,
        RequestKind::ListOffsets(_) => ApiKey::ListOffsets,
        RequestKind::Metadata(_) => ApiKey::Metadata,
        RequestKind::ApiVersions(_) => ApiKey::ApiVersions,
        RequestKind::CreateTopics(_) => ApiKey::CreateTopics,
        RequestKind::DeleteTopics(_) => ApiKey::DeleteTopics,
        RequestKind::DeleteRecords(_) => ApiKey::DeleteRecords,
        RequestKind::DescribeTopicPartitions(_) => ApiKey::DescribeTopicPartitions,
        RequestKind::CreatePartitions(_) => ApiKey::CreatePartitions,
        RequestKind::DescribeConfigs(_) => ApiKey::DescribeConfigs,
        RequestKind::AlterConfigs(_) => ApiKey::AlterConfigs,
        RequestKind::IncrementalAlterConfigs(_) => ApiKey::IncrementalAlterConfigs,
        RequestKind::ElectLeaders(_) => ApiKey::ElectLeaders,
        RequestKind::DescribeAcls(_) => ApiKey::DescribeAcls,
        RequestKind::CreateAcls(_) => ApiKey::CreateAcls,
        RequestKind::DeleteAcls(_) => ApiKey::DeleteAcls,
        RequestKind::AlterPartitionReassignments(_) => {
            ApiKey::AlterPartitionReassignments
        }
        RequestKind::ListPartitionReassignments(_) => ApiKey::ListPartitionReassignments,
        RequestKind::DescribeQuorum(_) => ApiKey::DescribeQuorum,
        RequestKind::AddRaftVoter(_) => ApiKey::AddRaftVoter,
        RequestKind::RemoveRaftVoter(_) => ApiKey::RemoveRaftVoter,
        RequestKind::UpdateRaftVoter(_) => ApiKey::UpdateRaftVoter,
        RequestKind::FetchSnapshot(_) => ApiKey::FetchSnapshot,
        RequestKind::OffsetForLeaderEpoch(_) => ApiKey::OffsetForLeaderEpoch,
        RequestKind::Vote(_) => ApiKey::Vote,
        RequestKind::BeginQuorumEpoch(_) => ApiKey::BeginQuorumEpoch,
        RequestKind::EndQuorumEpoch(_) => ApiKey::EndQuorumEpoch,
        RequestKind::AlterPartition(_) => ApiKey::AlterPartition,
        RequestKind::DescribeCluster(_) => ApiKey::DescribeCluster,
        RequestKind::BrokerRegistration(_) => ApiKey::BrokerRegistration,
        RequestKind::BrokerHeartbeat(_) => ApiKey::BrokerHeartbeat,
        RequestKind::FindCoordinator(_) => ApiKey::FindCoordinator,
        RequestKind::JoinGroup(_) => ApiKey::JoinGroup,
        RequestKind::SyncGroup(_) => ApiKey::SyncGroup,
        RequestKind::Heartbeat(_) => ApiKey::Heartbeat,
        RequestKind::LeaveGroup(_) => ApiKey::LeaveGroup,
        RequestKind::ConsumerGroupHeartbeat(_) => ApiKey::ConsumerGroupHeartbeat,
        RequestKind::ConsumerGroupDescribe(_) => ApiKey::ConsumerGroupDescribe,
        RequestKind::OffsetCommit(_) => ApiKey::OffsetCommit,
        RequestKind::OffsetFetch(_) => ApiKey::OffsetFetch,
        RequestKind::OffsetDelete(_) => ApiKey::OffsetDelete,
        RequestKind::DescribeGroups(_) => ApiKey::DescribeGroups,
        RequestKind::ListGroups(_) => ApiKey::ListGroups,
        RequestKind::DeleteGroups(_) => ApiKey::DeleteGroups,
        RequestKind::InitProducerId(_) => ApiKey::InitProducerId,
        RequestKind::AddPartitionsToTxn(_) => ApiKey::AddPartitionsToTxn,
        RequestKind::AddOffsetsToTxn(_) => ApiKey::AddOffsetsToTxn,
        RequestKind::EndTxn(_) => ApiKey::EndTxn,
        RequestKind::WriteTxnMarkers(_) => ApiKey::WriteTxnMarkers,
        RequestKind::TxnOffsetCommit(_) => ApiKey::TxnOffsetCommit,
        RequestKind::DescribeUserScramCredentials(_) => {
            ApiKey::DescribeUserScramCredentials
        }
        RequestKind::AlterUserScramCredentials(_) => ApiKey::AlterUserScramCredentials,
        RequestKind::DescribeLogDirs(_) => ApiKey::DescribeLogDirs,
        RequestKind::DescribeProducers(_) => ApiKey::DescribeProducers,
        RequestKind::ListConfigResources(_) => ApiKey::ListConfigResources,
        RequestKind::DescribeTransactions(_) => ApiKey::DescribeTransactions,
        RequestKind::ListTransactions(_) => ApiKey::ListTransactions,
        RequestKind::AllocateProducerIds(_) => ApiKey::AllocateProducerIds,
        RequestKind::SaslHandshake(_) => ApiKey::SaslHandshake,
        RequestKind::SaslAuthenticate(_) => ApiKey::SaslAuthenticate,
        _ => return None,
    })
}

/// Text as messages carry it.
pub(crate) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// A topic's name as messages carry it.
fn topic_name(name: &str) -> TopicName {
    TopicName(text(name))
}

/// Text as the engine carries it.
pub(crate) fn shared(text: &StrBytes) -> Arc<str> {
    Arc::from(text.as_str())
}

/// Node ids as messages carry them.
fn broker_ids(nodes: &[NodeId]) -> Vec<BrokerId> {
    nodes.iter().map(|node| BrokerId(node.0)).collect()
}

/// A leader epoch that a client may leave open.
pub(crate) fn known_epoch(epoch: i32) -> Option<LeaderEpoch> {
    (epoch >= 0).then_some(LeaderEpoch(epoch))
}

/// A node id that may be absent.
fn known_node(id: BrokerId) -> Option<NodeId> {
    (id.0 >= 0).then_some(NodeId(id.0))
}
