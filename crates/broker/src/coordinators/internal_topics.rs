//! The topics that coordinators keep their records in, created when first needed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_wire::messages::create_topics_request::{
    CreatableTopic, CreatableTopicConfig,
};
use topomotion_wire::messages::{CreateTopicsRequest, TopicName};

use crate::api::text;
use crate::config::BrokerSettings;

/// A coordinators' topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum InternalTopic {
    /// `__consumer_offsets`: what group coordinators know.
    Offsets,
    /// `__transaction_state`: what transaction coordinators know.
    Transactions,
}

impl InternalTopic {
    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            InternalTopic::Offsets => "__consumer_offsets",
            InternalTopic::Transactions => "__transaction_state",
        }
    }

    /// The topic of this name, if coordinators keep one of that.
    pub(crate) fn named(name: &str) -> Option<InternalTopic> {
        [InternalTopic::Offsets, InternalTopic::Transactions]
            .into_iter()
            .find(|topic| topic.name() == name)
    }

    /// What creates it, with Kafka's settings. Fewer brokers than replicas, and the controller
    /// refuses: no coordinator is available until enough of them are there.
    pub(crate) fn creation(self, settings: &BrokerSettings) -> CreateTopicsRequest {
        let (partitions, factor, configs) = match self {
            InternalTopic::Offsets => (
                settings.offsets_topic_num_partitions,
                settings.offsets_topic_replication_factor,
                vec![
                    ("cleanup.policy", "compact".to_owned()),
                    ("compression.type", "producer".to_owned()),
                    ("segment.bytes", settings.offsets_topic_segment_bytes.to_string()),
                ],
            ),
            InternalTopic::Transactions => (
                settings.transaction_state_log_num_partitions,
                settings.transaction_state_log_replication_factor,
                vec![
                    ("cleanup.policy", "compact".to_owned()),
                    ("compression.type", "uncompressed".to_owned()),
                    (
                        "min.insync.replicas",
                        settings.transaction_state_log_min_isr.to_string(),
                    ),
                    (
                        "segment.bytes",
                        settings.transaction_state_log_segment_bytes.to_string(),
                    ),
                    ("unclean.leader.election.enable", "false".to_owned()),
                ],
            ),
        };
        let config = |(name, value): (&str, String)| {
            let config = CreatableTopicConfig::default().with_name(text(name));
            config.with_value(Some(text(&value)))
        };
        let topic = CreatableTopic::default()
            .with_name(TopicName(text(self.name())))
            .with_num_partitions(partitions)
            .with_replication_factor(factor)
            .with_configs(configs.into_iter().map(config).collect());
        let timeout = i32::try_from(settings.request_timeout.as_millis());
        CreateTopicsRequest::default()
            .with_topics(vec![topic])
            .with_timeout_ms(timeout.unwrap_or(i32::MAX))
    }
}

/// What creates a topic that a client asked about (`auto.create.topics.enable`), with the
/// controller's defaults.
pub(crate) fn creation_of(name: &str, settings: &BrokerSettings) -> CreateTopicsRequest {
    let topic = CreatableTopic::default()
        .with_name(TopicName(text(name)))
        .with_num_partitions(-1)
        .with_replication_factor(-1);
    let timeout = i32::try_from(settings.request_timeout.as_millis());
    CreateTopicsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(timeout.unwrap_or(i32::MAX))
}

/// Which topics are being created by this broker.
#[derive(Debug, Clone, Default)]
pub(crate) struct Creations {
    under_way: BTreeSet<InternalTopic>,
    /// Those that clients asked about, by a number of our own.
    wished: BTreeMap<u64, Arc<str>>,
    next: u64,
}

impl Creations {
    /// Notes that a topic is to be created. Returns false if that is under way.
    pub(crate) fn begin(&mut self, topic: InternalTopic) -> bool {
        self.under_way.insert(topic)
    }

    /// It was, or could not be: whoever asks next begins anew.
    pub(crate) fn end(&mut self, topic: InternalTopic) {
        self.under_way.remove(&topic);
    }

    /// Notes that a client's topic is to be created, and tells the number of that. None if it
    /// is under way.
    pub(crate) fn begin_wished(&mut self, name: &str) -> Option<u64> {
        if self.wished.values().any(|it| **it == *name) {
            return None;
        }
        self.next += 1;
        self.wished.insert(self.next, Arc::from(name));
        Some(self.next)
    }

    /// It was, or could not be.
    pub(crate) fn end_wished(&mut self, id: u64) {
        self.wished.remove(&id);
    }
}
