//! What administrators ask, and what they are answered.

use kafka_protocol::messages::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, BrokerId,
    DeleteRecordsResponse, DeleteTopicsRequest, DeleteTopicsResponse,
    DescribeQuorumResponse, ElectLeadersRequest, ElectLeadersResponse,
    IncrementalAlterConfigsRequest, ListPartitionReassignmentsResponse, RequestKind,
    ResponseKind, TopicName,
};
use uuid::Uuid;

use super::{Dictionary, Part, Told, error_name};

/// What such a request says; none if it is another.
pub(super) fn asked(body: &RequestKind, names: &Dictionary) -> Option<Told> {
    Some(match body {
        RequestKind::DeleteTopics(body) => delete_topics(body, names),
        RequestKind::CreatePartitions(body) => {
            let topics = body.topics.iter();
            all(topics.map(|topic| format!("{} to {}", &*topic.name.0, topic.count)))
        }
        RequestKind::ElectLeaders(body) => elect(body),
        RequestKind::AlterPartitionReassignments(body) => reassign(body, names),
        RequestKind::IncrementalAlterConfigs(body) => alter_configs(body),
        RequestKind::DeleteRecords(body) => {
            let places = body.topics.iter().flat_map(|topic| {
                let places = topic.partitions.iter();
                places.map(|it| (place(&topic.name, it.partition_index), it.offset))
            });
            all(places.map(|(place, offset)| format!("{place} before {offset}")))
        }
        RequestKind::AddRaftVoter(body) => all([names.nodes([body.voter_id])]),
        RequestKind::RemoveRaftVoter(body) => all([names.nodes([body.voter_id])]),
        RequestKind::UpdateRaftVoter(body) => all([names.nodes([body.voter_id])]),
        _ => return None,
    })
}

/// What the answer to such a request says; none if it is another.
pub(super) fn answered(body: &ResponseKind, names: &Dictionary) -> Option<Told> {
    Some(match body {
        ResponseKind::DeleteTopics(body) => deleted_topics(body, names),
        ResponseKind::CreatePartitions(body) => {
            let topics = body.results.iter();
            each(0, topics.map(|topic| (topic.name.0.to_string(), topic.error_code)))
        }
        ResponseKind::ElectLeaders(body) => elected(body),
        ResponseKind::AlterPartitionReassignments(body) => reassigned(body),
        ResponseKind::ListPartitionReassignments(body) => under_way(body, names),
        ResponseKind::IncrementalAlterConfigs(body) => {
            let given = body.responses.iter();
            each(0, given.map(|one| (one.resource_name.to_string(), one.error_code)))
        }
        ResponseKind::DeleteRecords(body) => deleted_records(body),
        ResponseKind::AddRaftVoter(body) => each(body.error_code, []),
        ResponseKind::RemoveRaftVoter(body) => each(body.error_code, []),
        ResponseKind::UpdateRaftVoter(body) => each(body.error_code, []),
        ResponseKind::DescribeQuorum(body) => quorum(body, names),
        ResponseKind::DescribeConfigs(body) => {
            let given = body.results.iter();
            each(0, given.map(|one| (one.resource_name.to_string(), one.error_code)))
        }
        _ => return None,
    })
}

/// Whatever an administrator asks is news.
fn all(texts: impl IntoIterator<Item = String>) -> Told {
    let parts = texts.into_iter().map(|text| Part::always("", text));
    Told { parts: parts.collect(), ..Told::default() }
}

/// So is every answer. The one error that stands for all goes before those of each.
fn each(code: i16, subjects: impl IntoIterator<Item = (String, i16)>) -> Told {
    let mut told = Told::default();
    told.error(code);
    for (subject, code) in subjects {
        told.error(code);
        told.push(Part::always(subject.clone(), subject));
    }
    if told.parts.is_empty() {
        told.push(Part::always("", ""));
    }
    told
}

fn place(topic: &TopicName, partition: i32) -> String {
    format!("{}-{partition}", &*topic.0)
}

fn topic(name: Option<&TopicName>, id: Uuid, names: &Dictionary) -> String {
    names.topic(name.unwrap_or(&TopicName::default()), id)
}

fn ids(brokers: &[BrokerId]) -> impl Iterator<Item = i32> + '_ {
    brokers.iter().map(|broker| broker.0)
}

fn delete_topics(body: &DeleteTopicsRequest, names: &Dictionary) -> Told {
    let named = body.topic_names.iter().map(|name| name.0.to_string());
    let stated = body.topics.iter();
    let stated = stated.map(|one| topic(one.name.as_ref(), one.topic_id, names));
    all(named.chain(stated))
}

fn deleted_topics(body: &DeleteTopicsResponse, names: &Dictionary) -> Told {
    let topics = body.responses.iter();
    let name = |id, name| topic(name, id, names);
    each(0, topics.map(|one| (name(one.topic_id, one.name.as_ref()), one.error_code)))
}

fn elect(body: &ElectLeadersRequest) -> Told {
    let how = if body.election_type == 0 { "preferred" } else { "unclean" };
    let Some(topics) = &body.topic_partitions else {
        return all([format!("{how} everywhere")]);
    };
    let places = topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|partition| place(&topic.topic, *partition))
    });
    all(places.map(|place| format!("{how} {place}")))
}

fn elected(body: &ElectLeadersResponse) -> Told {
    let results = body.replica_election_results.iter();
    let places = results.flat_map(|result| {
        let partitions = result.partition_result.iter();
        partitions.map(|it| (place(&result.topic, it.partition_id), it.error_code))
    });
    each(body.error_code, places)
}

fn reassign(body: &AlterPartitionReassignmentsRequest, names: &Dictionary) -> Told {
    let places = body.topics.iter().flat_map(|topic| {
        let partitions = topic.partitions.iter();
        partitions.map(|it| (place(&topic.name, it.partition_index), &it.replicas))
    });
    all(places.map(|(place, replicas)| match replicas {
        Some(replicas) => format!("{place} to {{{}}}", names.nodes(ids(replicas))),
        None => format!("{place} stays"),
    }))
}

fn reassigned(body: &AlterPartitionReassignmentsResponse) -> Told {
    let places = body.responses.iter().flat_map(|topic| {
        let partitions = topic.partitions.iter();
        partitions.map(|it| (place(&topic.name, it.partition_index), it.error_code))
    });
    each(body.error_code, places)
}

fn under_way(body: &ListPartitionReassignmentsResponse, names: &Dictionary) -> Told {
    let mut told = each(body.error_code, []);
    for topic in &body.topics {
        for it in &topic.partitions {
            let subject = place(&topic.name, it.partition_index);
            let adding = names.nodes(ids(&it.adding_replicas));
            let removing = names.nodes(ids(&it.removing_replicas));
            let text = format!("{subject} adding {{{adding}}} removing {{{removing}}}");
            told.push(Part::always(subject, text));
        }
    }
    told
}

fn alter_configs(body: &IncrementalAlterConfigsRequest) -> Told {
    let configs = body.resources.iter().flat_map(|resource| {
        resource.configs.iter().map(|config| (&resource.resource_name, config))
    });
    all(configs.map(|(resource, config)| match &config.value {
        Some(value) => format!("{resource} {}={value}", config.name),
        None => format!("{resource} {}", config.name),
    }))
}

fn deleted_records(body: &DeleteRecordsResponse) -> Told {
    let mut told = Told::default();
    for topic in &body.topics {
        for it in &topic.partitions {
            told.error(it.error_code);
            let subject = place(&topic.name, it.partition_index);
            let text = match error_name(it.error_code) {
                None => format!("{subject} log start {}", it.low_watermark),
                Some(_) => subject.clone(),
            };
            told.push(Part::always(subject, text));
        }
    }
    told
}

fn quorum(body: &DescribeQuorumResponse, names: &Dictionary) -> Told {
    let mut told = each(body.error_code, []);
    for it in body.topics.iter().flat_map(|topic| &topic.partitions) {
        told.error(it.error_code);
        let leader = names.leader(it.leader_id.0);
        let leader = leader.as_deref().unwrap_or("none");
        let voters = it.current_voters.iter().map(|voter| voter.replica_id.0);
        let voters = names.nodes(voters);
        let epoch = it.leader_epoch;
        let text = format!("leader={leader} epoch {epoch} voters={{{voters}}}");
        told.push(Part::always("", text));
    }
    told
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kafka_protocol::messages::alter_partition_reassignments_response::{
        ReassignablePartitionResponse, ReassignableTopicResponse,
    };
    use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
    use kafka_protocol::messages::delete_records_response::{
        DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
    };
    use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
    use kafka_protocol::messages::elect_leaders_response::{
        PartitionResult, ReplicaElectionResult,
    };
    use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
    use kafka_protocol::messages::{
        AddRaftVoterResponse, CreatePartitionsResponse, IncrementalAlterConfigsResponse,
        RemoveRaftVoterResponse,
    };
    use topomotion_wire::StrBytes;

    use super::*;

    fn orders() -> TopicName {
        TopicName(StrBytes::from_static_str("orders"))
    }

    /// Answers of every kind in which one thing has failed with this code.
    fn refusals(code: i16) -> Vec<ResponseKind> {
        let elected = ReplicaElectionResult::default().with_topic(orders());
        let elected = elected.with_partition_result(vec![
            PartitionResult::default(),
            PartitionResult::default().with_partition_id(1).with_error_code(code),
        ]);
        let moved = ReassignableTopicResponse::default().with_name(orders());
        let moved = moved.with_partitions(vec![
            ReassignablePartitionResponse::default().with_error_code(code),
        ]);
        let trimmed = DeleteRecordsTopicResult::default().with_name(orders());
        let trimmed = trimmed.with_partitions(vec![
            DeleteRecordsPartitionResult::default().with_error_code(code),
        ]);
        let grown = CreatePartitionsTopicResult::default().with_name(orders());
        let deleted = DeletableTopicResult::default().with_name(Some(orders()));
        let set = AlterConfigsResourceResponse::default()
            .with_resource_name(orders().0)
            .with_error_code(code);
        vec![
            ElectLeadersResponse::default()
                .with_replica_election_results(vec![elected])
                .into(),
            AlterPartitionReassignmentsResponse::default()
                .with_responses(vec![moved])
                .into(),
            DeleteRecordsResponse::default().with_topics(vec![trimmed]).into(),
            CreatePartitionsResponse::default()
                .with_results(vec![grown.with_error_code(code)])
                .into(),
            DeleteTopicsResponse::default()
                .with_responses(vec![deleted.with_error_code(code)])
                .into(),
            IncrementalAlterConfigsResponse::default().with_responses(vec![set]).into(),
            AddRaftVoterResponse::default().with_error_code(code).into(),
            RemoveRaftVoterResponse::default().with_error_code(code).into(),
            ElectLeadersResponse::default().with_error_code(code).into(),
        ]
    }

    #[test]
    fn every_refusal_is_an_error_and_every_success_is_none() {
        let names = Dictionary::new(BTreeMap::new());
        for (code, error) in [(0, None), (3, Some("UNKNOWN_TOPIC_OR_PARTITION"))] {
            for body in refusals(code) {
                let told = answered(&body, &names).expect("an administrator's answer");
                assert_eq!(told.error.as_deref(), error, "{body:?}");
                assert!(!told.parts.is_empty(), "{body:?}");
            }
        }
    }

    #[test]
    fn an_answer_names_what_it_is_about() {
        let names = Dictionary::new(BTreeMap::new());
        let said = |body: &ResponseKind| -> Vec<String> {
            let told = answered(body, &names).expect("an administrator's answer");
            told.parts.into_iter().map(|part| part.text).collect()
        };
        let refused = refusals(3);
        assert_eq!(said(&refused[0]), ["orders-0", "orders-1"]);
        assert_eq!(said(&refused[2]), ["orders-0"]);
        assert_eq!(said(&refusals(0)[2]), ["orders-0 log start 0"]);
    }
}
