//! CreateTopics (19), versions 2–7. A broker forwards it; the active controller decides.
//!
//! - Replicas are placed in turn (CTL-12) or assigned by hand; more replicas than unfenced
//!   brokers is INVALID_REPLICATION_FACTOR.
//! - Each topic has its own outcome; a name that comes twice is INVALID_REQUEST.
//! - Answered when the records are committed (RAFT-11). `validate_only` writes nothing.
//! - From version 5 on the answer tells partitions, replication factor and settings, from 7 on
//!   the id.

use std::collections::BTreeMap;

use topomotion_wire::messages::create_topics_request::CreatableTopic;
use topomotion_wire::messages::create_topics_response::CreatableTopicResult;
use topomotion_wire::messages::{CreateTopicsRequest, CreateTopicsResponse, TopicName};
use topomotion_wire::{ErrorCode, NodeId, Random, TopicId};

use super::describe_configs::of_new_topic;
use super::{shared, text};
use crate::config::BrokerSettings;
use crate::controller::{ActiveController, Created, TopicError, TopicPlan};
use crate::net::{Effects, Ticket};

/// Creates what can be created, and answers once that is committed.
pub(crate) fn handle(
    controller: &mut ActiveController,
    random: &mut Random,
    ticket: Ticket,
    request: &CreateTopicsRequest,
    effects: &mut Effects,
) {
    let mut names: BTreeMap<&TopicName, usize> = BTreeMap::new();
    for topic in &request.topics {
        *names.entry(&topic.name).or_default() += 1;
    }
    let mut topics = Vec::new();
    for topic in &request.topics {
        let is_repeated = names.get(&topic.name).is_some_and(|&count| count > 1);
        let outcome = match plan(topic) {
            _ if is_repeated => Err(repeated()),
            plan if request.validate_only => {
                controller.check_topic(&plan).map(|replicas| planned(&replicas))
            }
            plan => controller.create_topic(&plan, random, effects),
        };
        topics.push(result(controller.settings(), topic, outcome));
    }
    let response = CreateTopicsResponse::default().with_topics(topics);
    controller.reply_when_committed(ticket, response.into(), effects);
}

fn plan(topic: &CreatableTopic) -> TopicPlan {
    let assignments = topic.assignments.iter().map(|assignment| {
        let replicas = assignment.broker_ids.iter().map(|id| NodeId(id.0)).collect();
        (assignment.partition_index, replicas)
    });
    let configs = topic
        .configs
        .iter()
        .map(|config| (shared(&config.name), config.value.as_ref().map(shared)));
    let factor = topic.replication_factor;
    TopicPlan {
        name: shared(&topic.name),
        partitions: (topic.num_partitions != -1).then_some(topic.num_partitions),
        replication_factor: (factor != -1).then_some(factor),
        assignments: assignments.collect(),
        configs: configs.collect(),
    }
}

fn planned(replicas: &[Vec<NodeId>]) -> Created {
    Created {
        id: TopicId::default(),
        partitions: replicas.len() as i32,
        replication_factor: replicas.first().map_or(0, Vec::len) as i16,
    }
}

fn repeated() -> TopicError {
    let message = "The topic is listed more than once.".to_owned();
    TopicError { code: ErrorCode::InvalidRequest, message }
}

fn result(
    settings: &BrokerSettings,
    topic: &CreatableTopic,
    outcome: Result<Created, TopicError>,
) -> CreatableTopicResult {
    let result = CreatableTopicResult::default().with_name(topic.name.clone());
    let own = |name: &str| {
        let given = topic.configs.iter().find(|config| config.name.as_str() == name);
        given.and_then(|config| config.value.as_ref()).map(ToString::to_string)
    };
    match outcome {
        Ok(created) => result
            .with_configs(Some(of_new_topic(settings, own)))
            .with_topic_id(created.id.0)
            .with_num_partitions(created.partitions)
            .with_replication_factor(created.replication_factor),
        Err(error) => result
            .with_error_code(error.code.code())
            .with_error_message(Some(text(&error.message))),
    }
}
