//! Kafka's settings by name: what a script may set, and where it goes.
//!
//! Settings that the engine does not know are doubts, not mistakes: a script may say more
//! than a small Kafka understands.

use std::collections::BTreeMap;

use topomotion_broker::{
    BrokerSettings, CheckQuorum, Elr, FetchSessions, IsrAdmission, IsrFencing,
    KraftVersion, PreVote, ReplicaSelector, StrictMinIsr, TimestampType, Truncation,
    UncleanElection,
};
use topomotion_client::{
    CommonConfig, ConsumerConfig, GroupConfig, IsolationLevel, Keys, OffsetReset,
    PartitionerClass, ProducerConfig, Spread,
};
use topomotion_log::Compression;
use topomotion_model::nearest;
use topomotion_wire::{Acks, Duration};

use crate::plan::{FIRST_VOTERS, MEMBERSHIP};

mod groups;

use crate::{apps, serdes};
use groups::{COORDINATOR, MEMBER, TRANSACTIONAL};

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

const NODE: &[Known<BrokerSettings>] = &[
    Known {
        name: "replica.lag.time.max.ms",
        set: |s, v| ms(v, &mut s.replica_lag_time_max),
    },
    Known {
        name: "replica.fetch.wait.max.ms",
        set: |s, v| ms(v, &mut s.replica_fetch_wait_max),
    },
    Known {
        name: "replica.fetch.backoff.ms",
        set: |s, v| ms(v, &mut s.replica_fetch_backoff),
    },
    Known {
        name: "replica.high.watermark.checkpoint.interval.ms",
        set: |s, v| ms(v, &mut s.high_watermark_checkpoint_interval),
    },
    Known {
        name: "broker.heartbeat.interval.ms",
        set: |s, v| ms(v, &mut s.broker_heartbeat_interval),
    },
    Known {
        name: "broker.session.timeout.ms",
        set: |s, v| ms(v, &mut s.broker_session_timeout),
    },
    Known { name: "request.timeout.ms", set: |s, v| ms(v, &mut s.request_timeout) },
    Known {
        name: "min.insync.replicas",
        set: |s, v| number(v, &mut s.min_insync_replicas),
    },
    Known {
        name: "default.replication.factor",
        set: |s, v| number(v, &mut s.default_replication_factor),
    },
    Known { name: "num.partitions", set: |s, v| number(v, &mut s.num_partitions) },
    Known { name: "message.max.bytes", set: |s, v| number(v, &mut s.message_max_bytes) },
    Known { name: "log.segment.bytes", set: |s, v| number(v, &mut s.log.segment_bytes) },
    Known {
        name: "log.index.size.max.bytes",
        set: |s, v| number(v, &mut s.log.segment_index_bytes),
    },
    Known {
        name: "log.index.interval.bytes",
        set: |s, v| number(v, &mut s.log.index_interval_bytes),
    },
    Known {
        name: "log.roll.ms",
        set: |s, v| {
            let mut age = 0_i64;
            number(v, &mut age)?;
            s.log.segment_ms = Some(age.max(1));
            Ok(())
        },
    },
    Known {
        name: "log.retention.ms",
        set: |s, v| {
            let mut age = 0_i64;
            number(v, &mut age)?;
            s.log.retention_ms = Some(age).filter(|age| *age >= 0);
            Ok(())
        },
    },
    Known {
        name: "log.retention.bytes",
        set: |s, v| {
            let mut size = 0_i64;
            number(v, &mut size)?;
            s.log.retention_bytes = u64::try_from(size).ok();
            Ok(())
        },
    },
    Known {
        name: "log.retention.check.interval.ms",
        set: |s, v| {
            let mut interval = Duration::default();
            ms(v, &mut interval)?;
            if interval.0 == 0 {
                return Err("write a number of milliseconds of at least 1");
            }
            s.log_retention_check_interval = interval;
            Ok(())
        },
    },
    Known {
        name: "log.cleaner.backoff.ms",
        set: |s, v| {
            let mut interval = Duration::default();
            ms(v, &mut interval)?;
            if interval.0 == 0 {
                return Err("write a number of milliseconds of at least 1");
            }
            s.log_cleaner_backoff = interval;
            Ok(())
        },
    },
    Known {
        name: "producer.id.expiration.ms",
        set: |s, v| {
            let mut age = 0_i64;
            number(v, &mut age)?;
            s.log.producer_expiration_ms = age.max(1);
            Ok(())
        },
    },
    Known {
        name: "log.message.timestamp.type",
        set: |s, v| {
            s.log_message_timestamp_type = match v {
                "CreateTime" => TimestampType::CreateTime,
                "LogAppendTime" => TimestampType::LogAppendTime,
                _ => return Err("write `CreateTime` or `LogAppendTime`"),
            };
            Ok(())
        },
    },
    Known { name: "fetch.max.bytes", set: |s, v| number(v, &mut s.fetch_max_bytes) },
    Known {
        name: "max.incremental.fetch.session.cache.slots",
        set: |s, v| number(v, &mut s.fetch_session_slots),
    },
    Known {
        name: "socket.request.max.bytes",
        set: |s, v| number(v, &mut s.socket_request_max_bytes),
    },
    Known {
        name: "replica.selector.class",
        set: |s, v| {
            // Kafka's name in full, or without its package.
            s.replica_selector = match v.rsplit('.').next() {
                Some("RackAwareReplicaSelector") => ReplicaSelector::RackAware,
                Some("LeaderSelector") => ReplicaSelector::Leader,
                _ => return Err("write `RackAwareReplicaSelector` or `LeaderSelector`"),
            };
            Ok(())
        },
    },
    Known {
        name: "unclean.leader.election.enable",
        set: |s, v| {
            s.unclean_leader_election = match v {
                "true" => UncleanElection::Allowed,
                "false" => UncleanElection::Forbidden,
                _ => return Err("write `true` or `false`"),
            };
            Ok(())
        },
    },
    Known {
        name: "controller.quorum.election.timeout.ms",
        set: |s, v| ms(v, &mut s.quorum_election_timeout),
    },
    Known {
        name: "controller.quorum.fetch.timeout.ms",
        set: |s, v| ms(v, &mut s.quorum_fetch_timeout),
    },
    Known {
        name: "controller.quorum.append.linger.ms",
        set: |s, v| ms(v, &mut s.quorum_append_linger),
    },
    Known {
        name: "leader.imbalance.check.interval.seconds",
        set: |s, v| {
            let mut seconds = 0_u64;
            number(v, &mut seconds)?;
            let interval = Duration::from_millis(seconds.saturating_mul(1_000));
            s.leader_imbalance_check_interval = Some(interval).filter(|it| it.0 > 0);
            Ok(())
        },
    },
    Known {
        name: "auto.leader.rebalance.enable",
        set: |s, v| {
            if is_off(v)? {
                s.leader_imbalance_check_interval = None;
            }
            Ok(())
        },
    },
    Known {
        name: "metadata.max.idle.interval.ms",
        set: |s, v| {
            let mut interval = Duration::default();
            ms(v, &mut interval)?;
            s.metadata_max_idle_interval = Some(interval).filter(|it| it.0 > 0);
            Ok(())
        },
    },
    Known {
        name: "metadata.log.max.record.bytes.between.snapshots",
        set: |s, v| number(v, &mut s.metadata_snapshot_bytes),
    },
    Known {
        name: "metadata.max.retention.bytes",
        set: |s, v| number(v, &mut s.metadata_max_retention_bytes),
    },
    Known {
        name: "kraft.version",
        set: |s, v| {
            s.kraft_version = match v {
                "0" => KraftVersion::Static,
                "1" => KraftVersion::Reconfigurable,
                _ => return Err("write `0` or `1`"),
            };
            Ok(())
        },
    },
    Known {
        // Who votes is the plan's to say: `ClusterPlan::voters`.
        name: FIRST_VOTERS,
        set: |_, v| {
            let has_gap = v.split(',').any(|entry| entry.trim().is_empty());
            if has_gap {
                Err("write controllers with commas between them")
            } else {
                Ok(())
            }
        },
    },
    Known {
        name: "era.pre-vote",
        set: |s, v| {
            s.pre_vote = if is_off(v)? { PreVote::Off } else { PreVote::On };
            Ok(())
        },
    },
    Known {
        name: "era.check-quorum",
        set: |s, v| {
            s.check_quorum = if is_off(v)? { CheckQuorum::Off } else { CheckQuorum::On };
            Ok(())
        },
    },
    Known {
        name: "era.elr",
        set: |s, v| {
            s.elr = if is_off(v)? { Elr::Off } else { Elr::On };
            Ok(())
        },
    },
    Known {
        name: "era.fetch-sessions",
        set: |s, v| {
            s.fetch_sessions =
                if is_off(v)? { FetchSessions::Off } else { FetchSessions::On };
            Ok(())
        },
    },
    Known {
        name: "era.isr-admission",
        set: |s, v| {
            s.isr_admission = match v {
                "same-incarnation" => IsrAdmission::SameIncarnation,
                "active" => IsrAdmission::Active,
                "anyone" => IsrAdmission::Anyone,
                _ => return Err("write `same-incarnation`, `active` or `anyone`"),
            };
            Ok(())
        },
    },
    Known {
        name: "era.isr-fencing",
        set: |s, v| {
            s.isr_fencing = if is_off(v)? { IsrFencing::Off } else { IsrFencing::On };
            Ok(())
        },
    },
    Known {
        name: "era.strict-min-isr",
        set: |s, v| {
            s.strict_min_isr =
                if is_off(v)? { StrictMinIsr::Off } else { StrictMinIsr::On };
            Ok(())
        },
    },
    Known {
        name: "era.truncation",
        set: |s, v| {
            s.truncation = match v {
                "hw" => Truncation::HighWatermark,
                "kip101" => Truncation::Kip101,
                "kip279" => Truncation::Kip279,
                "fetch" => Truncation::Fetch,
                _ => return Err("write `hw`, `kip101`, `kip279` or `fetch`"),
            };
            Ok(())
        },
    },
];

/// Whether a switch is off.
fn is_off(value: &str) -> Result<bool, &'static str> {
    match value {
        "true" => Ok(false),
        "false" => Ok(true),
        _ => Err("write `true` or `false`"),
    }
}

const PRODUCER: &[Known<ProducerConfig>] = &[
    Known {
        name: "acks",
        set: |s, v| {
            s.acks = match v {
                "all" | "-1" => Acks::All,
                "1" => Acks::Leader,
                "0" => Acks::None,
                _ => return Err("write `all`, `1` or `0`"),
            };
            Ok(())
        },
    },
    Known { name: "linger.ms", set: |s, v| ms(v, &mut s.linger) },
    Known { name: "batch.size", set: |s, v| number(v, &mut s.batch_size) },
    Known {
        name: "compression.type",
        set: |s, v| {
            let codec = Compression::from_name(v);
            s.compression =
                codec.ok_or("write `none`, `gzip`, `snappy`, `lz4` or `zstd`")?;
            Ok(())
        },
    },
    Known { name: "buffer.memory", set: |s, v| number(v, &mut s.buffer_memory) },
    Known { name: "max.block.ms", set: |s, v| ms(v, &mut s.max_block) },
    Known { name: "max.request.size", set: |s, v| number(v, &mut s.max_request_size) },
    Known {
        name: "max.in.flight.requests.per.connection",
        set: |s, v| number(v, &mut s.max_in_flight),
    },
    Known { name: "retries", set: |s, v| number(v, &mut s.retries) },
    Known { name: "delivery.timeout.ms", set: |s, v| ms(v, &mut s.delivery_timeout) },
    Known { name: "metadata.max.idle.ms", set: |s, v| ms(v, &mut s.metadata_max_idle) },
    Known {
        name: "partitioner.class",
        set: |s, v| {
            s.partitioner = match v.rsplit('.').next() {
                Some("RoundRobinPartitioner") => PartitionerClass::RoundRobin,
                Some("DefaultPartitioner") => PartitionerClass::BuiltIn,
                _ => return Err("write `RoundRobinPartitioner`, or leave it out"),
            };
            Ok(())
        },
    },
    Known {
        name: "partitioner.ignore.keys",
        set: |s, v| {
            s.keys = if is_off(v)? { Keys::Decide } else { Keys::Ignored };
            Ok(())
        },
    },
    Known {
        name: "partitioner.adaptive.partitioning.enable",
        set: |s, v| {
            s.spread = if is_off(v)? { Spread::Uniform } else { Spread::Adaptive };
            Ok(())
        },
    },
    Known {
        name: "partitioner.availability.timeout.ms",
        set: |s, v| ms(v, &mut s.availability_timeout),
    },
];

const CONSUMER: &[Known<ConsumerConfig>] = &[
    Known {
        // How it comes by its partitions is the plan's to say: `ConsumerPlan::membership`.
        name: MEMBERSHIP,
        set: |_, v| match v {
            "assign" | "subscribe" => Ok(()),
            _ => Err("write `assign` or `subscribe`"),
        },
    },
    Known { name: "fetch.min.bytes", set: |s, v| number(v, &mut s.fetch_min_bytes) },
    Known { name: "fetch.max.wait.ms", set: |s, v| ms(v, &mut s.fetch_max_wait) },
    Known { name: "fetch.max.bytes", set: |s, v| number(v, &mut s.fetch_max_bytes) },
    Known {
        name: "max.partition.fetch.bytes",
        set: |s, v| number(v, &mut s.max_partition_fetch_bytes),
    },
    Known { name: "max.poll.records", set: |s, v| number(v, &mut s.max_poll_records) },
    Known {
        name: "client.rack",
        set: |s, v| {
            s.client_rack = (!v.is_empty()).then(|| v.into());
            Ok(())
        },
    },
    Known {
        name: "isolation.level",
        set: |s, v| {
            s.isolation_level = match v {
                "read_uncommitted" => IsolationLevel::ReadUncommitted,
                "read_committed" => IsolationLevel::ReadCommitted,
                _ => return Err("write `read_uncommitted` or `read_committed`"),
            };
            Ok(())
        },
    },
    Known {
        name: "auto.offset.reset",
        set: |s, v| {
            s.offset_reset = match v {
                "earliest" => OffsetReset::Earliest,
                "latest" => OffsetReset::Latest,
                "none" => OffsetReset::None,
                _ => return Err("write `earliest`, `latest` or `none`"),
            };
            Ok(())
        },
    },
];

/// What every client has.
const CLIENT: &[Known<CommonConfig>] = &[
    Known { name: "request.timeout.ms", set: |s, v| ms(v, &mut s.request_timeout) },
    Known { name: "retry.backoff.ms", set: |s, v| ms(v, &mut s.retry_backoff) },
    Known { name: "retry.backoff.max.ms", set: |s, v| ms(v, &mut s.retry_backoff_max) },
    Known { name: "reconnect.backoff.ms", set: |s, v| ms(v, &mut s.reconnect_backoff) },
    Known {
        name: "reconnect.backoff.max.ms",
        set: |s, v| ms(v, &mut s.reconnect_backoff_max),
    },
    Known {
        name: "socket.connection.setup.timeout.ms",
        set: |s, v| ms(v, &mut s.connection_setup_timeout),
    },
    Known {
        name: "socket.connection.setup.timeout.max.ms",
        set: |s, v| ms(v, &mut s.connection_setup_timeout_max),
    },
    Known {
        name: "connections.max.idle.ms",
        set: |s, v| ms(v, &mut s.connections_max_idle),
    },
    Known { name: "metadata.max.age.ms", set: |s, v| ms(v, &mut s.metadata_max_age) },
];

#[cfg(test)]
mod tests {
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
