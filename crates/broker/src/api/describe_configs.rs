//! DescribeConfigs (32), versions 1–4, on every broker, from the metadata applied so far.
//!
//! - Topics' settings: the topic's own, or the default.
//! - A broker's settings, of that broker itself; all of them are from its start, and read-only.
//!   Those of all brokers (no name) are none: there are no dynamic ones.
//! - Another kind of resource is INVALID_REQUEST; an unknown topic UNKNOWN_TOPIC_OR_PARTITION.

use topomotion_wire::messages::create_topics_response::CreatableTopicConfigs;
use topomotion_wire::messages::describe_configs_request::DescribeConfigsResource;
use topomotion_wire::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult,
};
use topomotion_wire::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
use topomotion_wire::{ErrorCode, NodeId};

use super::text;
use crate::config::{AutoCreateTopics, BrokerSettings, UncleanElection};
use crate::controller::TOPIC_CONFIGS;
use crate::replica::Site;

/// The numbers of topics and of brokers among the kinds of config resources.
pub(crate) const TOPIC_RESOURCE: i8 = 2;
const BROKER_RESOURCE: i8 = 4;
/// Where a value comes from.
const OF_THE_TOPIC: i8 = 1;
const OF_THE_BROKER: i8 = 4;
const DEFAULT: i8 = 5;

/// Answers from the metadata applied so far.
pub(crate) fn handle(
    site: Site<'_>,
    request: &DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let describe = |resource: &DescribeConfigsResource| {
        let result = DescribeConfigsResult::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone());
        match described(site, resource) {
            Ok(settings) => result.with_configs(wanted(settings, resource)),
            Err(error) => result.with_error_code(error.code()),
        }
    };
    let results = request.resources.iter().map(describe).collect();
    DescribeConfigsResponse::default().with_results(results)
}

/// A setting, and where its value is from.
struct Setting {
    name: &'static str,
    value: String,
    source: i8,
}

fn described(
    site: Site<'_>,
    resource: &DescribeConfigsResource,
) -> Result<Vec<Setting>, ErrorCode> {
    let name = resource.resource_name.as_str();
    match resource.resource_type {
        TOPIC_RESOURCE => {
            let topic = site.image.topic(name);
            let topic = topic.ok_or(ErrorCode::UnknownTopicOrPartition)?;
            let own = |name: &str| topic.configs.get(name).map(ToString::to_string);
            Ok(of_topic(site.settings, own).collect())
        }
        BROKER_RESOURCE if name.is_empty() => Ok(Vec::new()),
        BROKER_RESOURCE if name.parse() == Ok(site.me.0) => {
            Ok(of_broker(site.me, site.settings))
        }
        _ => Err(ErrorCode::InvalidRequest),
    }
}

/// All settings of a topic, with those that are its own.
fn of_topic(
    settings: &BrokerSettings,
    own: impl Fn(&str) -> Option<String>,
) -> impl Iterator<Item = Setting> {
    TOPIC_CONFIGS.iter().map(move |&(name, _, default)| {
        let own = own(name).map(|value| (value, OF_THE_TOPIC));
        let inherited = || inherited(name, settings).map(|value| (value, OF_THE_BROKER));
        let (value, source) =
            own.or_else(inherited).unwrap_or_else(|| (default.to_owned(), DEFAULT));
        Setting { name, value, source }
    })
}

/// All settings of a topic that has just been created, as its creation tells them.
pub(crate) fn of_new_topic(
    settings: &BrokerSettings,
    own: impl Fn(&str) -> Option<String>,
) -> Vec<CreatableTopicConfigs> {
    let told = of_topic(settings, own).map(|setting| {
        CreatableTopicConfigs::default()
            .with_name(text(setting.name))
            .with_value(Some(text(&setting.value)))
            .with_config_source(setting.source)
    });
    told.collect()
}

fn wanted(
    settings: Vec<Setting>,
    resource: &DescribeConfigsResource,
) -> Vec<DescribeConfigsResourceResult> {
    let is_wanted = |setting: &Setting| {
        let keys = resource.configuration_keys.as_ref();
        keys.is_none_or(|keys| keys.iter().any(|key| key.as_str() == setting.name))
    };
    let told = settings.into_iter().filter(is_wanted).map(|setting| {
        DescribeConfigsResourceResult::default()
            .with_name(text(setting.name))
            .with_value(Some(text(&setting.value)))
            .with_read_only(resource.resource_type == BROKER_RESOURCE)
            .with_config_source(setting.source)
    });
    told.collect()
}

/// What the broker's own settings say where the topic says nothing.
fn inherited(name: &str, settings: &BrokerSettings) -> Option<String> {
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

/// Those of a broker's settings that clients ask about.
fn of_broker(me: NodeId, settings: &BrokerSettings) -> Vec<Setting> {
    let flag = |is_on: bool| if is_on { "true" } else { "false" }.to_owned();
    let ms = |span: topomotion_wire::Duration| span.as_millis().to_string();
    let values = |me: NodeId, it: &BrokerSettings| {
        let groups = &it.groups;
        [
            ("auto.create.topics.enable", {
                flag(it.auto_create_topics == AutoCreateTopics::On)
            }),
            ("broker.heartbeat.interval.ms", ms(it.broker_heartbeat_interval)),
            ("broker.session.timeout.ms", ms(it.broker_session_timeout)),
            ("default.replication.factor", it.default_replication_factor.to_string()),
            ("fetch.max.bytes", it.fetch_max_bytes.to_string()),
            ("group.initial.rebalance.delay.ms", ms(groups.initial_rebalance_delay)),
            ("group.max.session.timeout.ms", ms(groups.session_timeout_max)),
            ("group.min.session.timeout.ms", ms(groups.session_timeout_min)),
            ("log.dirs", it.log_dir.to_string()),
            ("log.retention.ms", it.log.retention_ms.unwrap_or(-1).to_string()),
            ("log.segment.bytes", it.log.segment_bytes.to_string()),
            ("message.max.bytes", it.message_max_bytes.to_string()),
            ("min.insync.replicas", it.min_insync_replicas.to_string()),
            ("node.id", me.to_string()),
            ("num.partitions", it.num_partitions.to_string()),
            ("offsets.topic.num.partitions", it.offsets_topic_num_partitions.to_string()),
            ("offsets.topic.replication.factor", {
                it.offsets_topic_replication_factor.to_string()
            }),
            ("replica.lag.time.max.ms", ms(it.replica_lag_time_max)),
            ("socket.request.max.bytes", it.socket_request_max_bytes.to_string()),
            ("transaction.state.log.min.isr", {
                it.transaction_state_log_min_isr.to_string()
            }),
            ("transaction.state.log.replication.factor", {
                it.transaction_state_log_replication_factor.to_string()
            }),
            ("unclean.leader.election.enable", {
                flag(it.unclean_leader_election == UncleanElection::Allowed)
            }),
        ]
    };
    let kafkas = BrokerSettings {
        auto_create_topics: AutoCreateTopics::On,
        ..BrokerSettings::default()
    };
    let defaults = values(NodeId(-1), &kafkas);
    let own = values(me, settings).into_iter().zip(defaults);
    own.map(|((name, value), (_, default))| {
        let source = if value == default { DEFAULT } else { OF_THE_BROKER };
        Setting { name, value, source }
    })
    .collect()
}
