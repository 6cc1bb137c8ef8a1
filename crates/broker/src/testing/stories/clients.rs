//! What clients of every age ask, and what they must not notice.

use topomotion_wire::messages::alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use topomotion_wire::messages::describe_configs_request::DescribeConfigsResource;
use topomotion_wire::messages::metadata_request::MetadataRequestTopic;
use topomotion_wire::messages::{
    AlterConfigsRequest, ApiVersionsRequest, DescribeConfigsRequest,
    ListConfigResourcesRequest, MetadataRequest,
};
use topomotion_wire::{ErrorCode, StrBytes};

use super::*;
use crate::config::{AutoCreateTopics, BrokerSettings};

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// What metadata says of a topic: error, and how many partitions.
fn asked(rig: &mut Rig, topic: &str, may_create: bool) -> (i16, usize) {
    let topic = MetadataRequestTopic::default().with_name(Some(name(topic)));
    let request = MetadataRequest::default()
        .with_topics(Some(vec![topic]))
        .with_allow_auto_topic_creation(may_create);
    let ResponseKind::Metadata(response) = rig.call(2, 12, request) else { panic!() };
    (response.topics[0].error_code, response.topics[0].partitions.len())
}

#[test]
fn a_topic_that_is_asked_for_is_created_where_that_is_wanted() {
    let unknown = (ErrorCode::UnknownTopicOrPartition.code(), 0);
    for (setting, may_create, is_there) in [
        (AutoCreateTopics::On, true, true),
        (AutoCreateTopics::On, false, false),
        (AutoCreateTopics::Off, true, false),
    ] {
        let settings = BrokerSettings {
            auto_create_topics: setting,
            num_partitions: 2,
            ..BrokerSettings::default()
        };
        let mut rig = Rig::with_settings(3, 1, settings);
        settle(&mut rig);
        assert_eq!(asked(&mut rig, "wish", may_create), unknown);
        assert_eq!(asked(&mut rig, "wish", may_create), unknown, "under way");
        rig.run_for(600);
        let wanted = if is_there { (0, 2) } else { unknown };
        assert_eq!(asked(&mut rig, "wish", may_create), wanted, "{setting:?}");
        let bad = (ErrorCode::InvalidTopicException.code(), 0);
        assert_eq!(asked(&mut rig, "no/name", may_create), bad);
    }
}

/// Whether a topic's own setting is so.
fn own(rig: &mut Rig, key: &str) -> Option<String> {
    let topic = rig.node(1).image().topic("orders")?;
    topic.configs.get(key).map(ToString::to_string)
}

#[test]
fn the_older_way_to_alter_settings_replaces_all_of_them() {
    let mut rig = three_brokers(1, &[("retention.ms", "60000")]);
    let alter = |rig: &mut Rig, kind, key: &str, value: &str| {
        let config = AlterableConfig::default();
        let config = config.with_name(text(key)).with_value(Some(text(value)));
        let resource = AlterConfigsResource::default()
            .with_resource_type(kind)
            .with_resource_name(text("orders"))
            .with_configs(vec![config]);
        let request = AlterConfigsRequest::default().with_resources(vec![resource]);
        let ResponseKind::AlterConfigs(response) = rig.call(2, 1, request) else {
            panic!()
        };
        rig.run_for(600);
        response.responses[0].error_code
    };
    assert_eq!(alter(&mut rig, 2, "cleanup.policy", "compact"), 0);
    assert_eq!(own(&mut rig, "cleanup.policy").as_deref(), Some("compact"));
    assert_eq!(own(&mut rig, "retention.ms"), None, "what is left out is the default");
    let bad = alter(&mut rig, 2, "cleanup.policy", "shred");
    assert_eq!(bad, ErrorCode::InvalidConfig.code());
    let bad = alter(&mut rig, 4, "cleanup.policy", "compact");
    assert_eq!(bad, ErrorCode::InvalidRequest.code());
    assert_eq!(own(&mut rig, "cleanup.policy").as_deref(), Some("compact"));
}

#[test]
fn a_broker_tells_its_own_settings_and_nobody_elses() {
    let mut rig = three_brokers(1, &[]);
    let mut ask = |id: &str| {
        let resource = DescribeConfigsResource::default();
        let resource = resource.with_resource_type(4).with_resource_name(text(id));
        let request = DescribeConfigsRequest::default()
            .with_resources(vec![resource.with_configuration_keys(None)]);
        let ResponseKind::DescribeConfigs(response) = rig.call(2, 4, request) else {
            panic!()
        };
        let result = &response.results[0];
        let all: Vec<(String, String, bool)> = result
            .configs
            .iter()
            .map(|it| {
                let value = it.value.clone().unwrap_or_default().to_string();
                (it.name.to_string(), value, it.read_only)
            })
            .collect();
        (result.error_code, all)
    };
    let (code, own) = ask("2");
    assert_eq!(code, 0);
    assert!(own.contains(&("node.id".into(), "2".into(), true)), "{own:?}");
    assert!(own.contains(&("auto.create.topics.enable".into(), "false".into(), true)));
    assert_eq!(ask("1"), (ErrorCode::InvalidRequest.code(), Vec::new()));
    assert_eq!(ask(""), (0, Vec::new()), "nothing is dynamic");
}

#[test]
fn synonyms_and_words_are_for_those_who_ask() {
    let mut rig = three_brokers(1, &[("segment.bytes", "4096")]);
    let mut ask = |synonyms, words| {
        let resource = DescribeConfigsResource::default()
            .with_resource_type(2)
            .with_resource_name(text("orders"))
            .with_configuration_keys(Some(vec![text("segment.bytes")]));
        let request = DescribeConfigsRequest::default()
            .with_resources(vec![resource])
            .with_include_synonyms(synonyms)
            .with_include_documentation(words);
        let ResponseKind::DescribeConfigs(mut told) = rig.call(2, 4, request) else {
            panic!("an answer of its kind")
        };
        told.results.remove(0).configs.remove(0)
    };
    let (plain, all) = (ask(false, false), ask(true, true));
    assert_eq!((plain.synonyms.len(), plain.documentation), (0, None));
    assert_eq!((plain.config_type, plain.config_source), (3, 1), "a number of a topic");
    let synonyms = all.synonyms.iter().map(|it| (it.name.as_str(), it.source));
    let synonyms: Vec<_> = synonyms.collect();
    assert_eq!(synonyms, [("segment.bytes", 1), ("log.segment.bytes", 5)]);
    let words = all.documentation.expect("it was asked for");
    assert_eq!(&*words, "How large the file of a segment may grow.");
}

#[test]
fn produce_is_offered_from_version_0() {
    let mut rig = Rig::new(1, 1);
    settle(&mut rig);
    let response = rig.call(1, 3, ApiVersionsRequest::default());
    let ResponseKind::ApiVersions(response) = response else { panic!() };
    let range = |key| {
        let found = response.api_keys.iter().find(|it| it.api_key == key);
        found.map(|it| (it.min_version, it.max_version))
    };
    assert_eq!((range(0), range(1)), (Some((0, 13)), Some((4, 18))));
}

#[test]
fn what_has_settings_is_listed_by_its_kind() {
    let mut rig = three_brokers(1, &[]);
    let mut listed = |version: i16, kinds: &[i8]| {
        let request = ListConfigResourcesRequest::default();
        let request = request.with_resource_types(kinds.to_vec());
        let ResponseKind::ListConfigResources(told) = rig.call(2, version, request)
        else {
            panic!("an answer of its kind")
        };
        let all = told.config_resources.iter();
        let all = all.map(|it| (it.resource_type, it.resource_name.to_string()));
        (told.error_code, all.collect::<Vec<_>>())
    };
    let topic = (2, "orders".to_owned());
    let brokers = ["1", "2", "3"].map(|id| (4, id.to_owned()));
    assert_eq!(listed(0, &[]), (0, vec![]), "no subscription to metrics");
    assert_eq!(listed(1, &[2]), (0, vec![topic.clone()]));
    assert_eq!(listed(1, &[4, 32]), (0, brokers.to_vec()));
    assert_eq!(listed(1, &[]), (0, [&[topic][..], &brokers].concat()));
    assert_eq!(listed(1, &[2, 3]), (ErrorCode::UnsupportedVersion.code(), vec![]));
}
