//! What an operator can set about groups, with Kafka's names and defaults (GRP-14).

use topomotion_assignor::Assignor;
use topomotion_wire::{Duration, Instant};

/// Which group protocols the cluster speaks: `group.version`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum GroupVersion {
    /// Classic groups only.
    V0,
    /// Those of KIP-848 too.
    #[default]
    V1,
}

/// Settings of the group coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupConfig {
    /// `group.version`.
    pub version: GroupVersion,
    /// `group.min.session.timeout.ms`: no classic member may ask for less.
    pub session_timeout_min: Duration,
    /// `group.max.session.timeout.ms`: or for more.
    pub session_timeout_max: Duration,
    /// `group.initial.rebalance.delay.ms`: how long the first rebalance of an empty group
    /// waits for company (GRP-3).
    pub initial_rebalance_delay: Duration,
    /// `group.max.size`: members of a classic group.
    pub max_size: usize,
    /// `group.consumer.session.timeout.ms`.
    pub consumer_session_timeout: Duration,
    /// `group.consumer.heartbeat.interval.ms`: what members are told.
    pub consumer_heartbeat_interval: Duration,
    /// `group.consumer.max.size`: members of a KIP-848 group.
    pub consumer_max_size: usize,
    /// `group.consumer.assignors`: the first is the default.
    pub consumer_assignors: Vec<Assignor>,
    /// `offset.metadata.max.bytes`: how long the text beside a committed offset may be.
    pub offset_metadata_max_bytes: usize,
    /// `offsets.retention.minutes`: offsets are forgotten so long after their group became
    /// empty.
    pub offsets_retention: Duration,
    /// `offsets.retention.check.interval.ms`: how often they are looked at.
    pub offsets_retention_check_interval: Duration,
    /// `offsets.commit.timeout.ms`: how long a write may take to be replicated before
    /// whoever waits is told that it failed.
    pub offsets_commit_timeout: Duration,
    /// Unix ms at [`Instant::ZERO`](topomotion_wire::Instant::ZERO): records carry times that
    /// the next coordinator must understand.
    pub wall_clock_base_ms: i64,
}

impl Default for GroupConfig {
    fn default() -> GroupConfig {
        GroupConfig {
            version: GroupVersion::V1,
            session_timeout_min: Duration::from_millis(6_000),
            session_timeout_max: Duration::from_millis(1_800_000),
            initial_rebalance_delay: Duration::from_millis(3_000),
            max_size: usize::MAX,
            consumer_session_timeout: Duration::from_millis(45_000),
            consumer_heartbeat_interval: Duration::from_millis(5_000),
            consumer_max_size: usize::MAX,
            consumer_assignors: vec![Assignor::Uniform, Assignor::Range],
            offset_metadata_max_bytes: 4_096,
            offsets_retention: Duration::from_millis(10_080 * 60_000),
            offsets_retention_check_interval: Duration::from_millis(600_000),
            offsets_commit_timeout: Duration::from_millis(5_000),
            wall_clock_base_ms: 0,
        }
    }
}

impl GroupConfig {
    /// A moment as records have it: Unix ms.
    pub(super) fn wall_ms(&self, now: Instant) -> i64 {
        let since = i64::try_from(now.as_millis()).expect("2^63 ms are never reached");
        self.wall_clock_base_ms.saturating_add(since)
    }
}
