//! Settings of a consumer that belongs to a group, under Kafka's names and with Kafka's
//! defaults (GRP-14).

use std::sync::Arc;

use topomotion_assignor::Assignor;
use topomotion_wire::Duration;

/// `group.protocol`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum GroupProtocol {
    /// `classic`: all members join, and one of them divides.
    #[default]
    Classic,
    /// `consumer`: the coordinator divides, and each member follows by heartbeats (KIP-848).
    Consumer,
}

/// `enable.auto.commit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Commits {
    /// `true`: inside the poll, of what earlier polls handed on.
    Auto {
        /// `auto.commit.interval.ms`.
        interval: Duration,
    },
    /// `false`: the application commits.
    Manual,
}

/// A member's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupConfig {
    /// `group.id`.
    pub id: Arc<str>,
    /// `group.protocol`.
    pub protocol: GroupProtocol,
    /// `group.instance.id`: makes it a static member (KIP-345).
    pub instance: Option<Arc<str>>,
    /// `partition.assignment.strategy`, in order of preference. The members are cooperative
    /// if all of these are.
    pub assignors: Vec<Assignor>,
    /// `group.remote.assignor`: what the coordinator shall divide by; its own choice if none.
    pub remote_assignor: Option<Assignor>,
    /// `session.timeout.ms`.
    pub session_timeout: Duration,
    /// `heartbeat.interval.ms`; with `group.protocol=consumer` the coordinator says.
    pub heartbeat_interval: Duration,
    /// `max.poll.interval.ms`, which is the rebalance timeout too.
    pub max_poll_interval: Duration,
    /// `enable.auto.commit`.
    pub commits: Commits,
    /// `default.api.timeout.ms`: how long a commit is tried again.
    pub api_timeout: Duration,
}

impl GroupConfig {
    /// Kafka's defaults for a member of this group.
    pub fn new(id: impl Into<Arc<str>>) -> GroupConfig {
        GroupConfig {
            id: id.into(),
            protocol: GroupProtocol::default(),
            instance: None,
            assignors: vec![Assignor::Range, Assignor::CooperativeSticky],
            remote_assignor: None,
            session_timeout: Duration::from_millis(45_000),
            heartbeat_interval: Duration::from_millis(3_000),
            max_poll_interval: Duration::from_millis(300_000),
            commits: Commits::Auto { interval: Duration::from_millis(5_000) },
            api_timeout: Duration::from_millis(60_000),
        }
    }

    /// Whether members keep what they own while they join (GRP-8).
    pub(crate) fn is_cooperative(&self) -> bool {
        self.assignors.iter().all(|it| *it == Assignor::CooperativeSticky)
    }
}
