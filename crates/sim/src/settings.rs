//! Kafka's settings by name: what a script may set, and where it goes.
//!
//! Settings that the engine does not know are doubts, not mistakes: a script may say more
//! than a small Kafka understands.

use std::collections::BTreeMap;

use topomotion_broker::BrokerSettings;
use topomotion_client::{CommonConfig, ConsumerConfig, GroupConfig, ProducerConfig};
use topomotion_model::nearest;
use topomotion_wire::{Acks, Duration};

mod clients;
mod groups;
mod nodes;

use crate::{apps, serdes};
use clients::{CLIENT, CONSUMER, PRODUCER};
use groups::{COORDINATOR, MEMBER, TRANSACTIONAL};
use nodes::NODE;

/// Whose setting it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A broker's or controller's.
    Node,
    /// A producer's.
    Producer,
    /// A consumer's.
    Consumer,
}

/// What is to be said of one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// It can be used.
    Good,
    /// Nobody knows it; what to do.
    Unknown(String),
    /// Its value makes no sense; what would.
    Bad(String),
}

/// One known setting of a `T`.
struct Known<T> {
    name: &'static str,
    set: fn(&mut T, &str) -> Result<(), &'static str>,
}

/// Says whether a setting can be used.
pub(crate) fn check(owner: Owner, name: &str, value: &str) -> Judgement {
    let special = serdes::check(owner, name, value);
    if let Some(judgement) = special.or_else(|| apps::check(owner, name, value)) {
        return judgement;
    }
    let common = || CommonConfig::new("", Vec::new());
    let is_in = |table: &[&str]| table.contains(&name);
    match owner {
        Owner::Node if is_in(&names(COORDINATOR)) => {
            check_in(COORDINATOR, &mut BrokerSettings::default(), name, value, &[])
        }
        Owner::Node => {
            let others = names(COORDINATOR);
            check_in(NODE, &mut BrokerSettings::default(), name, value, &others)
        }
        Owner::Producer | Owner::Consumer if is_in(&names(CLIENT)) => {
            check_in(CLIENT, &mut common(), name, value, &[])
        }
        Owner::Producer if is_in(&names(TRANSACTIONAL)) => {
            let mut config = ProducerConfig::new(common());
            check_in(TRANSACTIONAL, &mut config, name, value, &[])
        }
        Owner::Producer => {
            let mut config = ProducerConfig::new(common());
            let others = [names(TRANSACTIONAL), names(CLIENT)].concat();
            check_in(PRODUCER, &mut config, name, value, &others)
        }
        Owner::Consumer if is_in(&names(MEMBER)) => {
            check_in(MEMBER, &mut GroupConfig::new(""), name, value, &[])
        }
        Owner::Consumer => {
            let mut config = ConsumerConfig::new(common());
            let others = [names(MEMBER), names(CLIENT)].concat();
            check_in(CONSUMER, &mut config, name, value, &others)
        }
    }
}

fn names<T>(table: &[Known<T>]) -> Vec<&'static str> {
    table.iter().map(|known| known.name).collect()
}

/// `others` are names that might have been meant too.
fn check_in<T>(
    table: &[Known<T>],
    into: &mut T,
    name: &str,
    value: &str,
    others: &[&'static str],
) -> Judgement {
    let Some(known) = table.iter().find(|known| known.name == name) else {
        let names = table.iter().map(|known| known.name);
        let help = match nearest(name, names.chain(others.iter().copied())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "the engine is a small Kafka and has few settings".to_owned(),
        };
        return Judgement::Unknown(help);
    };
    match (known.set)(into, value) {
        Ok(()) => Judgement::Good,
        Err(help) => Judgement::Bad(help.to_owned()),
    }
}

/// Whether a topic has a setting of this name.
pub(crate) fn is_of_topic(name: &str) -> bool {
    TOPIC.contains(&name)
}

/// What topics know of.
const TOPIC: [&str; 16] = [
    "min.insync.replicas",
    "unclean.leader.election.enable",
    "retention.ms",
    "retention.bytes",
    "segment.bytes",
    "segment.ms",
    "cleanup.policy",
    "max.message.bytes",
    "index.interval.bytes",
    "segment.index.bytes",
    "message.timestamp.type",
    "compression.type",
    "delete.retention.ms",
    "min.cleanable.dirty.ratio",
    "min.compaction.lag.ms",
    "max.compaction.lag.ms",
];

/// Puts a node's settings in place; what makes no sense is left as it was.
pub(crate) fn set_node(into: &mut BrokerSettings, settings: &BTreeMap<String, String>) {
    set_all(NODE, into, settings);
    set_all(COORDINATOR, into, settings);
}

/// Puts a producer's settings in place.
pub(crate) fn set_producer(
    into: &mut ProducerConfig,
    settings: &BTreeMap<String, String>,
) {
    set_all(PRODUCER, into, settings);
    set_all(TRANSACTIONAL, into, settings);
    set_all(CLIENT, &mut into.common, settings);
}

/// Why a producer cannot have these settings together, as a sentence.
pub(crate) fn conflict(
    acks: Acks,
    settings: &BTreeMap<String, String>,
) -> Option<&'static str> {
    let common = CommonConfig::new("", Vec::new());
    let mut config = ProducerConfig { acks, ..ProducerConfig::new(common) };
    set_producer(&mut config, settings);
    config.conflict()
}

/// Puts a consumer's settings in place.
pub(crate) fn set_consumer(
    into: &mut ConsumerConfig,
    settings: &BTreeMap<String, String>,
) {
    set_all(CONSUMER, into, settings);
    set_all(CLIENT, &mut into.common, settings);
    if let Some(group) = &mut into.group {
        set_all(MEMBER, group, settings);
    }
}

fn set_all<T>(table: &[Known<T>], into: &mut T, settings: &BTreeMap<String, String>) {
    for known in table {
        if let Some(value) = settings.get(known.name) {
            // The binding has refused values that make no sense; a run file written by
            // hand may hold one all the same, and then the default stays.
            let _ = (known.set)(into, value);
        }
    }
}

fn ms(value: &str, into: &mut Duration) -> Result<(), &'static str> {
    let millis: u64 =
        value.parse().map_err(|_| "write a whole number of milliseconds")?;
    let micros = millis.checked_mul(1_000).ok_or("that is longer than any run")?;
    *into = Duration::from_micros(micros);
    Ok(())
}

fn number<N: std::str::FromStr>(value: &str, into: &mut N) -> Result<(), &'static str> {
    *into = value.parse().map_err(|_| "write a whole number")?;
    Ok(())
}

/// Whether a switch is off.
fn is_off(value: &str) -> Result<bool, &'static str> {
    match value {
        "true" => Ok(false),
        "false" => Ok(true),
        _ => Err("write `true` or `false`"),
    }
}

#[cfg(test)]
mod tests {
    use topomotion_broker::{ReplicaSelector, TimestampType};
    use topomotion_client::Keys;
    use topomotion_log::Compression;

    use super::*;

    #[test]
    fn a_setting_is_known_unknown_or_badly_valued() {
        let session = "broker.session.timeout.ms";
        assert_eq!(check(Owner::Node, session, "6000"), Judgement::Good);
        assert!(matches!(check(Owner::Node, session, "soon"), Judgement::Bad(_)));
        assert_eq!(
            check(Owner::Node, "broker.sesion.timeout.ms", "1"),
            Judgement::Unknown("did you mean `broker.session.timeout.ms`?".to_owned())
        );
        assert!(matches!(check(Owner::Producer, session, "1"), Judgement::Unknown(_)));
        for owner in [Owner::Producer, Owner::Consumer] {
            assert_eq!(check(owner, "retry.backoff.max.ms", "5"), Judgement::Good);
            let near = check(owner, "retry.backof.max.ms", "5");
            let help = "did you mean `retry.backoff.max.ms`?".to_owned();
            assert_eq!(near, Judgement::Unknown(help));
        }
        assert!(matches!(
            check(Owner::Consumer, "isolation.level", "strict"),
            Judgement::Bad(_)
        ));
    }

    #[test]
    fn what_is_set_arrives() {
        let mut settings = BrokerSettings::default();
        let given = [("min.insync.replicas", "2"), ("replica.lag.time.max.ms", "500")];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        set_node(&mut settings, &BTreeMap::from(given));
        let given = [
            ("metadata.max.age.ms", "7"),
            ("partitioner.ignore.keys", "true"),
            ("compression.type", "zstd"),
        ];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut producer = ProducerConfig::new(CommonConfig::new("", Vec::new()));
        set_producer(&mut producer, &BTreeMap::from(given));
        assert_eq!(producer.common.metadata_max_age, Duration::from_millis(7));
        assert_eq!(producer.keys, Keys::Ignored);
        assert_eq!(producer.compression, Compression::Zstd);
        assert_eq!(settings.min_insync_replicas, 2);
        assert_eq!(settings.replica_lag_time_max, Duration::from_millis(500));
        let given = [
            ("log.segment.bytes", "300"),
            ("log.retention.ms", "-1"),
            ("log.message.timestamp.type", "LogAppendTime"),
            (
                "replica.selector.class",
                "org.apache.kafka.common.replica.RackAwareReplicaSelector",
            ),
        ];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        set_node(&mut settings, &BTreeMap::from(given));
        assert_eq!((settings.log.segment_bytes, settings.log.retention_ms), (300, None));
        assert_eq!(settings.replica_selector, ReplicaSelector::RackAware);
        assert_eq!(settings.log_message_timestamp_type, TimestampType::LogAppendTime);
    }
}
