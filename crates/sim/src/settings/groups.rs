//! Settings of groups and transactions: of members, and of their coordinators.

use topomotion_broker::{BrokerSettings, GroupVersion, TransactionVersion};
use topomotion_client::{
    Assignor, Commits, GroupConfig, GroupProtocol, Idempotence, ProducerConfig,
    TransactionProtocol,
};
use topomotion_wire::Duration;

use super::{Known, is_off, ms, number};

/// What a consumer that is in a group can be set to.
pub(super) const MEMBER: &[Known<GroupConfig>] = &[
    Known {
        name: "group.protocol",
        set: |s, v| {
            s.protocol = match v.to_ascii_lowercase().as_str() {
                "classic" => GroupProtocol::Classic,
                "consumer" => GroupProtocol::Consumer,
                _ => return Err("write `classic` or `consumer`"),
            };
            Ok(())
        },
    },
    Known {
        name: "group.instance.id",
        set: |s, v| {
            s.instance = (!v.is_empty()).then(|| v.into());
            Ok(())
        },
    },
    Known {
        name: "partition.assignment.strategy",
        set: |s, v| {
            let found: Option<Vec<Assignor>> = v.split(',').map(assignor).collect();
            s.assignors = found.ok_or(STRATEGIES)?;
            Ok(())
        },
    },
    Known {
        name: "group.remote.assignor",
        set: |s, v| {
            s.remote_assignor = match v {
                "uniform" => Some(Assignor::Uniform),
                "range" => Some(Assignor::Range),
                _ => return Err("write `uniform` or `range`"),
            };
            Ok(())
        },
    },
    Known { name: "session.timeout.ms", set: |s, v| ms(v, &mut s.session_timeout) },
    Known { name: "heartbeat.interval.ms", set: |s, v| ms(v, &mut s.heartbeat_interval) },
    Known { name: "max.poll.interval.ms", set: |s, v| ms(v, &mut s.max_poll_interval) },
    Known { name: "default.api.timeout.ms", set: |s, v| ms(v, &mut s.api_timeout) },
    Known {
        name: "enable.auto.commit",
        set: |s, v| {
            if is_off(v)? {
                s.commits = Commits::Manual;
            }
            Ok(())
        },
    },
    Known {
        name: "auto.commit.interval.ms",
        set: |s, v| {
            let mut given = Duration::default();
            ms(v, &mut given)?;
            if let Commits::Auto { interval } = &mut s.commits {
                *interval = given;
            }
            Ok(())
        },
    },
];

const STRATEGIES: &str =
    "write `range`, `roundrobin`, `sticky` or `cooperative-sticky`, with commas between";

/// Kafka's short name, or the name of its class.
fn assignor(name: &str) -> Option<Assignor> {
    match name.trim().rsplit('.').next()? {
        "range" | "RangeAssignor" => Some(Assignor::Range),
        "roundrobin" | "RoundRobinAssignor" => Some(Assignor::RoundRobin),
        "sticky" | "StickyAssignor" => Some(Assignor::Sticky),
        "cooperative-sticky" | "CooperativeStickyAssignor" => {
            Some(Assignor::CooperativeSticky)
        }
        _ => None,
    }
}

/// What a producer can be set to, beside the plain things.
pub(super) const TRANSACTIONAL: &[Known<ProducerConfig>] = &[
    Known {
        // Stands before `enable.idempotence`, which it implies unless that says otherwise.
        name: "transactional.id",
        set: |s, v| {
            s.transactional_id = (!v.is_empty()).then(|| v.into());
            if s.transactional_id.is_some() {
                s.idempotence = Idempotence::On;
            }
            Ok(())
        },
    },
    Known {
        name: "enable.idempotence",
        set: |s, v| {
            s.idempotence = if is_off(v)? { Idempotence::Off } else { Idempotence::On };
            Ok(())
        },
    },
    Known {
        name: "transaction.timeout.ms",
        set: |s, v| ms(v, &mut s.transaction_timeout),
    },
    Known {
        name: "era.txn",
        set: |s, v| {
            s.transaction_protocol = match era(v)? {
                TransactionVersion::V2 => TransactionProtocol::AsFinalized,
                TransactionVersion::V0
                | TransactionVersion::V1Unverified
                | TransactionVersion::V1 => TransactionProtocol::V1,
            };
            Ok(())
        },
    },
];

fn era(value: &str) -> Result<TransactionVersion, &'static str> {
    match value {
        "v0" => Ok(TransactionVersion::V0),
        "v1-unverified" => Ok(TransactionVersion::V1Unverified),
        "v1" => Ok(TransactionVersion::V1),
        "v2" => Ok(TransactionVersion::V2),
        _ => Err("write `v0`, `v1-unverified`, `v1` or `v2`"),
    }
}

/// What coordinators can be set to.
pub(super) const COORDINATOR: &[Known<BrokerSettings>] = &[
    Known { name: "era.txn", set: |s, v| era(v).map(|it| s.transactions.version = it) },
    Known {
        name: "transaction.version",
        set: |s, v| {
            s.transactions.version = match v {
                "0" => TransactionVersion::V0,
                "1" => TransactionVersion::V1,
                "2" => TransactionVersion::V2,
                _ => return Err("write `0`, `1` or `2`"),
            };
            Ok(())
        },
    },
    Known {
        name: "transaction.max.timeout.ms",
        set: |s, v| ms(v, &mut s.transactions.max_timeout),
    },
    Known {
        name: "transactional.id.expiration.ms",
        set: |s, v| ms(v, &mut s.transactions.id_expiration),
    },
    Known {
        name: "transaction.abort.timed.out.transaction.cleanup.interval.ms",
        set: |s, v| ms(v, &mut s.transactions.timeout_scan_interval),
    },
    Known {
        name: "transaction.remove.expired.transaction.cleanup.interval.ms",
        set: |s, v| ms(v, &mut s.transactions.expiration_scan_interval),
    },
    Known {
        name: "transaction.state.log.num.partitions",
        set: |s, v| number(v, &mut s.transaction_state_log_num_partitions),
    },
    Known {
        name: "transaction.state.log.replication.factor",
        set: |s, v| number(v, &mut s.transaction_state_log_replication_factor),
    },
    Known {
        name: "transaction.state.log.min.isr",
        set: |s, v| number(v, &mut s.transaction_state_log_min_isr),
    },
    Known {
        name: "transaction.state.log.segment.bytes",
        set: |s, v| number(v, &mut s.transaction_state_log_segment_bytes),
    },
    Known {
        name: "offsets.topic.num.partitions",
        set: |s, v| {
            number(v, &mut s.offsets_topic_num_partitions)?;
            s.transactions.offsets_topic_partitions = s.offsets_topic_num_partitions;
            Ok(())
        },
    },
    Known {
        name: "offsets.topic.replication.factor",
        set: |s, v| number(v, &mut s.offsets_topic_replication_factor),
    },
    Known {
        name: "offsets.topic.segment.bytes",
        set: |s, v| number(v, &mut s.offsets_topic_segment_bytes),
    },
    Known {
        name: "offsets.retention.minutes",
        set: |s, v| {
            let mut minutes = 0_u64;
            number(v, &mut minutes)?;
            s.groups.offsets_retention =
                Duration::from_millis(minutes.saturating_mul(60_000));
            Ok(())
        },
    },
    Known {
        name: "offsets.retention.check.interval.ms",
        set: |s, v| ms(v, &mut s.groups.offsets_retention_check_interval),
    },
    Known {
        name: "offsets.commit.timeout.ms",
        set: |s, v| ms(v, &mut s.groups.offsets_commit_timeout),
    },
    Known {
        name: "group.version",
        set: |s, v| {
            s.groups.version = match v {
                "0" => GroupVersion::V0,
                "1" => GroupVersion::V1,
                _ => return Err("write `0` or `1`"),
            };
            Ok(())
        },
    },
    Known {
        name: "group.initial.rebalance.delay.ms",
        set: |s, v| ms(v, &mut s.groups.initial_rebalance_delay),
    },
    Known {
        name: "group.min.session.timeout.ms",
        set: |s, v| ms(v, &mut s.groups.session_timeout_min),
    },
    Known {
        name: "group.max.session.timeout.ms",
        set: |s, v| ms(v, &mut s.groups.session_timeout_max),
    },
    Known { name: "group.max.size", set: |s, v| number(v, &mut s.groups.max_size) },
    Known {
        name: "group.consumer.session.timeout.ms",
        set: |s, v| ms(v, &mut s.groups.consumer_session_timeout),
    },
    Known {
        name: "group.consumer.heartbeat.interval.ms",
        set: |s, v| ms(v, &mut s.groups.consumer_heartbeat_interval),
    },
];
