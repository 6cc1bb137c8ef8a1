//! Settings of brokers and controllers.

use topomotion_broker::{
    BrokerSettings, CheckQuorum, Elr, FetchSessions, IsrAdmission, IsrFencing,
    KraftVersion, PreVote, ReplicaSelector, StrictMinIsr, TimestampType, Truncation,
    UncleanElection,
};
use topomotion_wire::Duration;

use super::{Known, is_off, ms, number};
use crate::plan::FIRST_VOTERS;

/// What a node can be set to.
pub(super) const NODE: &[Known<BrokerSettings>] = &[
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
