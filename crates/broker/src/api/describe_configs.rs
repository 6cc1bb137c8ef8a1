//! DescribeConfigs (32), versions 1–4, on every broker, from the metadata applied so far.
//!
//! - Topics' settings: the topic's own, or the default.
//! - A broker's settings, of that broker itself; all of them are from its start, and read-only.
//!   Those of all brokers (no name) are none: there are no dynamic ones.
//! - Synonyms, if asked for: everything that a value could be from, what goes before the rest
//!   first. The first is what holds, and where it is from is the source of the value.
//! - Another kind of resource is INVALID_REQUEST; an unknown topic UNKNOWN_TOPIC_OR_PARTITION.

use topomotion_wire::messages::create_topics_response::CreatableTopicConfigs;
use topomotion_wire::messages::describe_configs_request::DescribeConfigsResource;
use topomotion_wire::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use topomotion_wire::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
use topomotion_wire::{ErrorCode, NodeId};

use super::config_facts::{self, Fact, Synonym};
use super::text;
use crate::config::{AutoCreateTopics, BrokerSettings, TimestampType, UncleanElection};
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
            Ok(settings) => result.with_configs(wanted(settings, resource, request)),
            Err(error) => result.with_error_code(error.code()),
        }
    };
    let results = request.resources.iter().map(describe).collect();
    DescribeConfigsResponse::default().with_results(results)
}

/// A setting with its value.
struct Setting {
    name: &'static str,
    value: String,
    /// Everything that the value could be from, what goes before the rest first.
    layers: Vec<Layer>,
    fact: Option<&'static Fact>,
}

/// One of the places that a value could be from: what it is called there, and what it is.
struct Layer {
    name: &'static str,
    value: String,
    source: i8,
}

impl Setting {
    fn source(&self) -> i8 {
        self.layers.first().map_or(DEFAULT, |layer| layer.source)
    }
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
        let fact = config_facts::of_topic(name);
        let synonym = fact.map_or(Synonym::Known(name), |fact| fact.synonym);
        let own = own(name).map(|value| Layer { name, value, source: OF_THE_TOPIC });
        let inherited = inherited(name, settings).map(|value| {
            let name = synonym.name();
            Layer { name, value, source: OF_THE_BROKER }
        });
        let known = match synonym {
            Synonym::Known(name) => {
                Some(Layer { name, value: default.to_owned(), source: DEFAULT })
            }
            Synonym::Undefined(_) => None,
        };
        let layers: Vec<Layer> = [own, inherited, known].into_iter().flatten().collect();
        let first = layers.first().map(|layer| layer.value.clone());
        let value = first.unwrap_or_else(|| default.to_owned());
        Setting { name, value, layers, fact }
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
            .with_config_source(setting.source())
    });
    told.collect()
}

fn wanted(
    settings: Vec<Setting>,
    resource: &DescribeConfigsResource,
    request: &DescribeConfigsRequest,
) -> Vec<DescribeConfigsResourceResult> {
    let is_wanted = |setting: &Setting| {
        let keys = resource.configuration_keys.as_ref();
        keys.is_none_or(|keys| keys.iter().any(|key| key.as_str() == setting.name))
    };
    let told = settings.into_iter().filter(is_wanted).map(|setting| {
        let told = DescribeConfigsResourceResult::default()
            .with_name(text(setting.name))
            .with_value(Some(text(&setting.value)))
            .with_read_only(resource.resource_type == BROKER_RESOURCE)
            .with_config_source(setting.source())
            .with_config_type(setting.fact.map_or(0, |fact| fact.value_type as i8));
        let documentation = setting.fact.map(|fact| text(fact.documentation));
        let synonyms = setting.layers.iter().map(|layer| {
            DescribeConfigsSynonym::default()
                .with_name(text(layer.name))
                .with_value(Some(text(&layer.value)))
                .with_source(layer.source)
        });
        let synonyms = request.include_synonyms.then(|| synonyms.collect());
        told.with_documentation(documentation.filter(|_| request.include_documentation))
            .with_synonyms(synonyms.unwrap_or_default())
    });
    told.collect()
}

/// What the broker's own settings say where the topic says nothing, if that is not Kafka's
/// default.
fn inherited(name: &str, settings: &BrokerSettings) -> Option<String> {
    let own = default_of_topics(name, settings)?;
    let kafkas = default_of_topics(name, &BrokerSettings::default());
    Some(own).filter(|own| kafkas.as_ref() != Some(own))
}

/// What a broker with these settings has for topics that say nothing.
fn default_of_topics(name: &str, settings: &BrokerSettings) -> Option<String> {
    let (log, endless) = (&settings.log, || "-1".to_owned());
    Some(match name {
        "index.interval.bytes" => log.index_interval_bytes.to_string(),
        "max.message.bytes" => settings.message_max_bytes.to_string(),
        "message.timestamp.type" => match settings.log_message_timestamp_type {
            TimestampType::CreateTime => "CreateTime".to_owned(),
            TimestampType::LogAppendTime => "LogAppendTime".to_owned(),
        },
        "min.insync.replicas" => settings.min_insync_replicas.to_string(),
        "retention.bytes" => {
            log.retention_bytes.map_or_else(endless, |it| it.to_string())
        }
        "retention.ms" => log.retention_ms.map_or_else(endless, |it| it.to_string()),
        "segment.bytes" => log.segment_bytes.to_string(),
        "segment.index.bytes" => log.segment_index_bytes.to_string(),
        "segment.ms" => log.segment_ms?.to_string(),
        "unclean.leader.election.enable" => {
            (settings.unclean_leader_election == UncleanElection::Allowed).to_string()
        }
        _ => return None,
    })
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
        let fact = config_facts::of_broker(name);
        let is_own = value != default;
        let own = Layer { name, value: value.clone(), source: OF_THE_BROKER };
        let known = fact.is_none_or(|it| it.synonym == Synonym::Known(name));
        let default = Layer { name, value: default, source: DEFAULT };
        let layers = [is_own.then_some(own), known.then_some(default)];
        Setting { name, value, layers: layers.into_iter().flatten().collect(), fact }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers_of(setting: &Setting) -> Vec<(&str, &str, i8)> {
        let layers = setting.layers.iter();
        layers.map(|it| (it.name, it.value.as_str(), it.source)).collect()
    }

    fn of(
        settings: &BrokerSettings,
        name: &str,
        own: Option<&str>,
    ) -> (String, i8, Vec<(String, String, i8)>) {
        let own = |_: &str| own.map(ToOwned::to_owned);
        let found = of_topic(settings, own).find(|it| it.name == name).expect(name);
        let layers = layers_of(&found).into_iter();
        let layers = layers
            .map(|(name, value, source)| (name.to_owned(), value.to_owned(), source));
        (found.value.clone(), found.source(), layers.collect())
    }

    #[test]
    fn every_setting_has_its_kind_and_its_words() {
        let settings = BrokerSettings::default();
        let of_broker = of_broker(NodeId(1), &settings);
        for setting in of_topic(&settings, |_| None).chain(of_broker) {
            let fact = setting.fact.expect(setting.name);
            assert!(fact.documentation.ends_with('.'), "{}", setting.name);
        }
    }

    #[test]
    fn what_goes_before_the_rest_stands_first() {
        let layer =
            |name: &str, value: &str, source| (name.to_owned(), value.to_owned(), source);
        let kafkas = BrokerSettings::default();
        let mut own = BrokerSettings::default();
        own.log.segment_bytes = 4_096;
        own.log.retention_ms = None;
        let default = layer("log.segment.bytes", "1073741824", DEFAULT);
        let broker = layer("log.segment.bytes", "4096", OF_THE_BROKER);
        let topic = layer("segment.bytes", "99", OF_THE_TOPIC);
        assert_eq!(
            of(&kafkas, "segment.bytes", None),
            ("1073741824".to_owned(), DEFAULT, vec![default.clone()])
        );
        assert_eq!(
            of(&own, "segment.bytes", None),
            ("4096".to_owned(), OF_THE_BROKER, vec![broker.clone(), default.clone()])
        );
        assert_eq!(
            of(&own, "segment.bytes", Some("99")),
            ("99".to_owned(), OF_THE_TOPIC, vec![topic, broker, default])
        );
        // Kafka's default stands under another name, and is not told of.
        let week = "604800000".to_owned();
        assert_eq!(of(&kafkas, "retention.ms", None), (week, DEFAULT, vec![]));
        let endless = layer("log.retention.ms", "-1", OF_THE_BROKER);
        assert_eq!(
            of(&own, "retention.ms", None),
            ("-1".to_owned(), OF_THE_BROKER, vec![endless])
        );
    }

    #[test]
    fn a_brokers_settings_are_their_own_synonyms() {
        let settings = BrokerSettings { num_partitions: 3, ..BrokerSettings::default() };
        let all = of_broker(NodeId(7), &settings);
        let layers = |name| {
            let found = all.iter().find(|it| it.name == name).expect(name);
            layers_of(found)
        };
        assert_eq!(
            layers("num.partitions"),
            [("num.partitions", "3", OF_THE_BROKER), ("num.partitions", "1", DEFAULT)]
        );
        assert_eq!(layers("node.id"), [("node.id", "7", OF_THE_BROKER)]);
    }
}
