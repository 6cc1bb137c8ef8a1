//! The messages behind an administrator's lines.

// Message types are non-exhaustive, so a struct literal with `..Default::default()` is not
// to be had; fields are set one by one.
#![allow(clippy::field_reassign_with_default)]

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_model::{PartitionName, ProcessId};
use topomotion_wire::messages::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use topomotion_wire::messages::create_partitions_request::CreatePartitionsTopic;
use topomotion_wire::messages::create_topics_request::{
    CreatableTopic, CreatableTopicConfig,
};
use topomotion_wire::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use topomotion_wire::messages::describe_quorum_request::{PartitionData, TopicData};
use topomotion_wire::messages::elect_leaders_request::TopicPartitions;
use topomotion_wire::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use topomotion_wire::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use topomotion_wire::messages::{
    AddRaftVoterRequest, AlterPartitionReassignmentsRequest, BrokerId,
    CreatePartitionsRequest, CreateTopicsRequest, DeleteGroupsRequest,
    DeleteRecordsRequest, DeleteTopicsRequest, DescribeGroupsRequest,
    DescribeQuorumRequest, ElectLeadersRequest, GroupId, IncrementalAlterConfigsRequest,
    ListGroupsRequest, OffsetDeleteRequest, RemoveRaftVoterRequest, RequestKind,
    TopicName,
};
use topomotion_wire::{StrBytes, TopicPartition};

use super::cluster::PORT;
use crate::ClusterPlan;
use crate::line::admin::{AdminLine, Election};

/// What is asked, and whose leader must answer, if not anybody.
pub(super) struct Question {
    pub body: RequestKind,
    pub leader_of: Option<TopicPartition>,
}

const TIMEOUT_MS: i32 = 30_000;
/// Kafka's number for topics among the resources that have settings.
const TOPIC_RESOURCE: i8 = 2;
/// Kafka's setting for the size of the offsets topic; 50 without it.
const OFFSETS_PARTITIONS: &str = "offsets.topic.num.partitions";
/// Kafka's number for setting a value.
const SET: i8 = 0;

/// What a line asks; none if it asks nobody.
pub(super) fn question(line: &AdminLine, plan: &ClusterPlan) -> Option<Question> {
    let leader_of = match line {
        AdminLine::DeleteRecords { partition, .. } => {
            let index = number(partition);
            Some(TopicPartition::new(Arc::from(&*partition.topic), index))
        }
        AdminLine::DescribeGroup(group)
        | AdminLine::DeleteGroup(group)
        | AdminLine::DeleteOffsets { group, .. } => Some(coordinated_at(group, plan)),
        _ => None,
    };
    Some(Question { body: body(line, plan)?, leader_of })
}

fn body(line: &AdminLine, plan: &ClusterPlan) -> Option<RequestKind> {
    Some(match line {
        AdminLine::CreateTopic { topic, partitions, replicas, settings } => {
            create(topic, *partitions, *replicas, settings)
        }
        AdminLine::DeleteTopic(topic) => {
            let mut request = DeleteTopicsRequest::default();
            request.topic_names = vec![name(topic)];
            request.timeout_ms = TIMEOUT_MS;
            RequestKind::DeleteTopics(request)
        }
        AdminLine::Grow { topic, to } => {
            let mut grown = CreatePartitionsTopic::default();
            (grown.name, grown.count, grown.assignments) = (name(topic), *to, None);
            let mut request = CreatePartitionsRequest::default();
            (request.topics, request.timeout_ms) = (vec![grown], TIMEOUT_MS);
            RequestKind::CreatePartitions(request)
        }
        AdminLine::Set { topic, settings } => set(topic, settings),
        AdminLine::Reassign { partition, to } => reassign(partition, to, plan),
        AdminLine::Elect { election, partition } => {
            let mut wanted = TopicPartitions::default();
            wanted.topic = name(&partition.topic);
            wanted.partitions = vec![number(partition)];
            let mut request = ElectLeadersRequest::default();
            request.election_type = match election {
                Election::Preferred => 0,
                Election::Unclean => 1,
            };
            request.topic_partitions = Some(vec![wanted]);
            request.timeout_ms = TIMEOUT_MS;
            RequestKind::ElectLeaders(request)
        }
        AdminLine::DeleteRecords { partition, before } => {
            let mut wanted = DeleteRecordsPartition::default();
            (wanted.partition_index, wanted.offset) = (number(partition), *before);
            let mut topic = DeleteRecordsTopic::default();
            (topic.name, topic.partitions) = (name(&partition.topic), vec![wanted]);
            let mut request = DeleteRecordsRequest::default();
            (request.topics, request.timeout_ms) = (vec![topic], TIMEOUT_MS);
            RequestKind::DeleteRecords(request)
        }
        AdminLine::AddVoter(process) => add_voter(process, plan),
        AdminLine::RemoveVoter(process) => {
            let mut request = RemoveRaftVoterRequest::default();
            request.voter_id = node(process, plan);
            RequestKind::RemoveRaftVoter(request)
        }
        AdminLine::DescribeQuorum => {
            let mut topic = TopicData::default();
            topic.topic_name = name("__cluster_metadata");
            topic.partitions = vec![PartitionData::default()];
            let mut request = DescribeQuorumRequest::default();
            request.topics = vec![topic];
            RequestKind::DescribeQuorum(request)
        }
        AdminLine::DescribeGroup(_)
        | AdminLine::ListGroups
        | AdminLine::DeleteGroup(_)
        | AdminLine::DeleteOffsets { .. } => return of_groups(line),
        AdminLine::DumpLog { .. } => return None,
    })
}

/// What is asked about groups.
fn of_groups(line: &AdminLine) -> Option<RequestKind> {
    Some(match line {
        AdminLine::DescribeGroup(group) => {
            let mut request = DescribeGroupsRequest::default();
            request.groups = vec![group_id(group)];
            RequestKind::DescribeGroups(request)
        }
        AdminLine::ListGroups => RequestKind::ListGroups(ListGroupsRequest::default()),
        AdminLine::DeleteGroup(group) => {
            let mut request = DeleteGroupsRequest::default();
            request.groups_names = vec![group_id(group)];
            RequestKind::DeleteGroups(request)
        }
        AdminLine::DeleteOffsets { group, partition } => {
            let mut wanted = OffsetDeleteRequestPartition::default();
            wanted.partition_index = number(partition);
            let mut topic = OffsetDeleteRequestTopic::default();
            (topic.name, topic.partitions) = (name(&partition.topic), vec![wanted]);
            let mut request = OffsetDeleteRequest::default();
            (request.group_id, request.topics) = (group_id(group), vec![topic]);
            RequestKind::OffsetDelete(request)
        }
        _ => return None,
    })
}

fn group_id(group: &str) -> GroupId {
    GroupId(StrBytes::from_string(group.to_owned()))
}

/// The partition whose leader coordinates a group.
fn coordinated_at(group: &str, plan: &ClusterPlan) -> TopicPartition {
    let size = plan.settings.get(OFFSETS_PARTITIONS).and_then(|it| it.parse().ok());
    let index = topomotion_coordinator::partition_for(group, size.unwrap_or(50));
    TopicPartition::new("__consumer_offsets", index)
}

fn create(
    topic: &str,
    partitions: Option<i32>,
    replicas: Option<i16>,
    settings: &BTreeMap<String, String>,
) -> RequestKind {
    let mut wanted = CreatableTopic::default();
    wanted.name = name(topic);
    wanted.num_partitions = partitions.unwrap_or(-1);
    wanted.replication_factor = replicas.unwrap_or(-1);
    let configs = settings.iter().map(|(name, value)| {
        let mut config = CreatableTopicConfig::default();
        config.name = StrBytes::from_string(name.clone());
        config.value = Some(StrBytes::from_string(value.clone()));
        config
    });
    wanted.configs = configs.collect();
    let mut request = CreateTopicsRequest::default();
    (request.topics, request.timeout_ms) = (vec![wanted], TIMEOUT_MS);
    RequestKind::CreateTopics(request)
}

fn set(topic: &str, settings: &BTreeMap<String, String>) -> RequestKind {
    let mut resource = AlterConfigsResource::default();
    resource.resource_type = TOPIC_RESOURCE;
    resource.resource_name = StrBytes::from_string(topic.to_owned());
    let configs = settings.iter().map(|(name, value)| {
        let mut config = AlterableConfig::default();
        config.name = StrBytes::from_string(name.clone());
        config.value = Some(StrBytes::from_string(value.clone()));
        config.config_operation = SET;
        config
    });
    resource.configs = configs.collect();
    let mut request = IncrementalAlterConfigsRequest::default();
    request.resources = vec![resource];
    RequestKind::IncrementalAlterConfigs(request)
}

fn reassign(
    partition: &PartitionName,
    to: &[ProcessId],
    plan: &ClusterPlan,
) -> RequestKind {
    let mut wanted = ReassignablePartition::default();
    wanted.partition_index = number(partition);
    let ids = to.iter().map(|process| BrokerId(node(process, plan)));
    wanted.replicas = Some(ids.collect());
    let mut topic = ReassignableTopic::default();
    (topic.name, topic.partitions) = (name(&partition.topic), vec![wanted]);
    let mut request = AlterPartitionReassignmentsRequest::default();
    (request.topics, request.timeout_ms) = (vec![topic], TIMEOUT_MS);
    RequestKind::AlterPartitionReassignments(request)
}

fn add_voter(process: &ProcessId, plan: &ClusterPlan) -> RequestKind {
    use topomotion_wire::messages::add_raft_voter_request::Listener;
    let mut listener = Listener::default();
    listener.name = StrBytes::from_static_str("CONTROLLER");
    listener.host = StrBytes::from_string(process.to_string());
    listener.port = PORT;
    let mut request = AddRaftVoterRequest::default();
    request.voter_id = node(process, plan);
    (request.listeners, request.timeout_ms) = (vec![listener], TIMEOUT_MS);
    RequestKind::AddRaftVoter(request)
}

fn name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}

fn number(partition: &PartitionName) -> i32 {
    i32::try_from(partition.partition).unwrap_or(i32::MAX)
}

/// The binding has refused names that nobody has; one that a hand-written run file holds
/// stands for no node.
fn node(process: &ProcessId, plan: &ClusterPlan) -> i32 {
    plan.node(process).map_or(-1, |node| node.id)
}
