//! DescribeConfigs (32), versions 1–4, on every broker, from the metadata applied so far.
//!
//! - Topics' settings: the topic's own, or the default.
//! - Another kind of resource is INVALID_REQUEST; an unknown topic UNKNOWN_TOPIC_OR_PARTITION.

use topomotion_wire::ErrorCode;
use topomotion_wire::messages::describe_configs_request::DescribeConfigsResource;
use topomotion_wire::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult,
};
use topomotion_wire::messages::{DescribeConfigsRequest, DescribeConfigsResponse};

use super::text;
use crate::config::{BrokerSettings, UncleanElection};
use crate::controller::TOPIC_CONFIGS;
use crate::metadata::{MetadataImage, TopicImage};

/// The number of topics among the kinds of config resources.
pub(crate) const TOPIC_RESOURCE: i8 = 2;
/// Where a value comes from.
const OF_THE_TOPIC: i8 = 1;
const OF_THE_BROKER: i8 = 4;
const DEFAULT: i8 = 5;

/// Answers from the metadata applied so far.
pub(crate) fn handle(
    image: &MetadataImage,
    settings: &BrokerSettings,
    request: &DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let describe = |resource: &DescribeConfigsResource| {
        let result = DescribeConfigsResult::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone());
        if resource.resource_type != TOPIC_RESOURCE {
            return result.with_error_code(ErrorCode::InvalidRequest.code());
        }
        match image.topic(resource.resource_name.as_str()) {
            None => result.with_error_code(ErrorCode::UnknownTopicOrPartition.code()),
            Some(topic) => result.with_configs(settings_of(topic, settings, resource)),
        }
    };
    let results = request.resources.iter().map(describe).collect();
    DescribeConfigsResponse::default().with_results(results)
}

fn settings_of(
    topic: &TopicImage,
    settings: &BrokerSettings,
    resource: &DescribeConfigsResource,
) -> Vec<DescribeConfigsResourceResult> {
    let is_wanted = |name: &str| {
        let keys = resource.configuration_keys.as_ref();
        keys.is_none_or(|keys| keys.iter().any(|key| key.as_str() == name))
    };
    let wanted = TOPIC_CONFIGS.iter().filter(|(name, ..)| is_wanted(name));
    wanted
        .map(|(name, _, default)| {
            let own =
                topic.configs.get(*name).map(|value| (value.to_string(), OF_THE_TOPIC));
            let of_broker =
                || of_broker(name, settings).map(|value| (value, OF_THE_BROKER));
            let (value, source) =
                own.or_else(of_broker).unwrap_or((String::from(*default), DEFAULT));
            DescribeConfigsResourceResult::default()
                .with_name(text(name))
                .with_value(Some(text(&value)))
                .with_config_source(source)
        })
        .collect()
}

/// What the broker's own settings say where the topic says nothing.
fn of_broker(name: &str, settings: &BrokerSettings) -> Option<String> {
    let defaults = BrokerSettings::default();
    match name {
        "min.insync.replicas" => {
            let own = settings.min_insync_replicas;
            (own != defaults.min_insync_replicas).then(|| own.to_string())
        }
        "unclean.leader.election.enable" => {
            let is_allowed = settings.unclean_leader_election == UncleanElection::Allowed;
            is_allowed.then(|| "true".to_owned())
        }
        _ => None,
    }
}
