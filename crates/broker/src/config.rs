//! What a node is told at its start: who it is, where the voters are, and its settings.
//!
//! Everything is data. Nothing here changes while the node lives; a restart is a new
//! [`Node`](crate::Node) with a new [`Incarnation`].

use std::sync::Arc;

pub use crate::eras::{Elr, IsrAdmission, IsrFencing, StrictMinIsr, Truncation};
pub use topomotion_coordinator::{
    GroupConfig, GroupVersion, TransactionConfig, TransactionVersion,
};
use topomotion_log::LogConfig;
pub use topomotion_quorum::{CheckQuorum, KraftVersion, PreVote};
use topomotion_wire::{Duration, Endpoint, Incarnation, NodeId};

/// Kafka's `process.roles`: what a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Roles {
    /// Holds partitions; observes the metadata quorum.
    Broker,
    /// Votes in the metadata quorum; may become the active controller.
    Controller,
    /// Both in one process.
    Combined,
}

impl Roles {
    /// Whether partitions live here.
    pub const fn is_broker(self) -> bool {
        match self {
            Roles::Broker | Roles::Combined => true,
            Roles::Controller => false,
        }
    }

    /// Whether this node votes.
    pub const fn is_controller(self) -> bool {
        match self {
            Roles::Controller | Roles::Combined => true,
            Roles::Broker => false,
        }
    }
}

/// Who a node is and how it behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeConfig {
    /// `node.id`.
    pub id: NodeId,
    /// `process.roles`.
    pub roles: Roles,
    /// `advertised.listeners`: where others reach this node, for every kind of request.
    pub endpoint: Endpoint,
    /// `controller.quorum.voters`: the voters and where they listen.
    pub voters: Vec<(NodeId, Endpoint)>,
    /// One start of this process; the world gives a new one at every start.
    pub incarnation: Incarnation,
    /// `broker.rack`.
    pub rack: Option<Arc<str>>,
    /// Everything that has a default.
    pub settings: BrokerSettings,
    /// Wall clock, in milliseconds since 1970, at [`Instant::ZERO`](topomotion_wire::Instant).
    /// Only record timestamps may show it, and only those that a broker itself writes
    /// (`LogAppendTime`), and the age of segments is counted by it: producers stamp their
    /// own.
    pub wall_clock_base_ms: i64,
}

/// Settings by Kafka's names, with Kafka's defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerSettings {
    /// `replica.lag.time.max.ms`: how long a follower may lag before it leaves the ISR
    /// (REP-10).
    pub replica_lag_time_max: Duration,
    /// `replica.fetch.wait.max.ms`: how long a follower's fetch may wait at the leader.
    pub replica_fetch_wait_max: Duration,
    /// `replica.fetch.min.bytes`: what a follower's fetch waits for.
    pub replica_fetch_min_bytes: i32,
    /// `replica.fetch.max.bytes`: a follower's limit per partition.
    pub replica_fetch_max_bytes: i32,
    /// `replica.fetch.response.max.bytes`: a follower's limit per response.
    pub replica_fetch_response_max_bytes: i32,
    /// `replica.fetch.backoff.ms`: a follower's pause after an error.
    pub replica_fetch_backoff: Duration,
    /// `replica.high.watermark.checkpoint.interval.ms`: how long a moved high watermark may
    /// stay off the disk.
    pub high_watermark_checkpoint_interval: Duration,
    /// `broker.heartbeat.interval.ms`.
    pub broker_heartbeat_interval: Duration,
    /// `broker.session.timeout.ms`: how long a broker may be silent before it is fenced
    /// (CTL-9).
    pub broker_session_timeout: Duration,
    /// How long a broker waits before it registers, or beats, again after a failure; doubles
    /// with each. Kafka's is not to be set: 100 ms.
    pub broker_resend_backoff: Duration,
    /// Limit of that pause, where the session timeout, which is Kafka's, is not lower.
    pub broker_resend_backoff_max: Duration,
    /// `request.timeout.ms` of the requests that nodes send one another.
    pub request_timeout: Duration,
    /// `socket.connection.setup.timeout.ms`: how long a dial may take.
    pub connection_setup_timeout: Duration,
    /// `reconnect.backoff.ms`: pause before dialling a peer again; doubles with each failure.
    pub reconnect_backoff: Duration,
    /// `reconnect.backoff.max.ms`: limit of that pause.
    pub reconnect_backoff_max: Duration,
    /// `log.dirs`, of which there is one: what a broker calls the place of its files.
    pub log_dir: Arc<str>,
    /// `min.insync.replicas`, unless the topic says otherwise (REP-4, REP-5).
    pub min_insync_replicas: i32,
    /// `default.replication.factor`.
    pub default_replication_factor: i16,
    /// `num.partitions`.
    pub num_partitions: i32,
    /// `unclean.leader.election.enable`.
    pub unclean_leader_election: UncleanElection,
    /// `auto.create.topics.enable`: whether a topic is created when a client asks about it.
    /// Kafka's default is yes; a picture has the topics that its script names.
    pub auto_create_topics: AutoCreateTopics,
    /// `message.max.bytes`: largest batch a produce request may carry, unless the topic says
    /// otherwise.
    pub message_max_bytes: i32,
    /// What holds for the logs of topics that say nothing themselves: `log.segment.bytes`,
    /// `log.roll.ms`, `log.index.size.max.bytes`, `log.index.interval.bytes`,
    /// `log.retention.ms`, `log.retention.bytes`.
    pub log: LogConfig,
    /// `log.message.timestamp.type`: whose time the records bear, unless the topic says
    /// otherwise.
    pub log_message_timestamp_type: TimestampType,
    /// `log.retention.check.interval.ms`: how often old segments are looked for (LOG-4).
    pub log_retention_check_interval: Duration,
    /// `log.cleaner.backoff.ms`: how often logs are looked for that are to be compacted
    /// (LOG-5).
    pub log_cleaner_backoff: Duration,
    /// `fetch.max.bytes`: the most that one answer to a fetch carries, whatever was asked for.
    pub fetch_max_bytes: i32,
    /// `max.incremental.fetch.session.cache.slots`: how many fetch sessions are kept
    /// (KIP-227).
    pub fetch_session_slots: usize,
    /// Era switch: whether followers fetch in sessions.
    pub fetch_sessions: FetchSessions,
    /// `replica.selector.class`: where consumers are sent to read (KIP-392).
    pub replica_selector: ReplicaSelector,
    /// `socket.request.max.bytes`: a longer frame closes its connection.
    pub socket_request_max_bytes: i32,
    /// `controller.quorum.election.timeout.ms`.
    pub quorum_election_timeout: Duration,
    /// `controller.quorum.fetch.timeout.ms`.
    pub quorum_fetch_timeout: Duration,
    /// `controller.quorum.election.backoff.max.ms`.
    pub quorum_election_backoff_max: Duration,
    /// `controller.quorum.append.linger.ms`.
    pub quorum_append_linger: Duration,
    /// `controller.quorum.request.timeout.ms`.
    pub quorum_request_timeout: Duration,
    /// `controller.quorum.retry.backoff.ms`.
    pub quorum_retry_backoff: Duration,
    /// `auto.leader.rebalance.enable` with `leader.imbalance.check.interval.seconds` (300):
    /// how often leaderships go back to the preferred replicas by themselves (CTL-5).
    /// None: never.
    pub leader_imbalance_check_interval: Option<Duration>,
    /// `metadata.max.idle.interval.ms`: how long the metadata log may be still before a
    /// `NoOpRecord` is written. None, Kafka's 0: it may be for ever. Kafka's default is 500 ms;
    /// a picture is clearer without.
    pub metadata_max_idle_interval: Option<Duration>,
    /// `metadata.log.max.record.bytes.between.snapshots` (20 MiB).
    pub metadata_snapshot_bytes: u64,
    /// `metadata.max.retention.bytes` (100 MiB).
    pub metadata_max_retention_bytes: u64,
    /// `kraft.version`: whether voters can be added and removed (KIP-853).
    pub kraft_version: KraftVersion,
    /// Era switch: pre-votes (KIP-996).
    pub pre_vote: PreVote,
    /// Era switch: a quorum leader without a majority steps down.
    pub check_quorum: CheckQuorum,
    /// `authorizer.class.name` and `super.users`: who may do everything, while ACLs decide for
    /// everybody else who is known by name. None, the default: everybody may do everything.
    pub authorizer: Option<Vec<Arc<str>>>,
    /// Era switch, on as in a new cluster of 4.1: eligible leader replicas (KIP-966).
    pub elr: Elr,
    /// Era switch: whom the controller lets into an ISR.
    pub isr_admission: IsrAdmission,
    /// Era switch: whether the controller lets old leaders change an ISR.
    pub isr_fencing: IsrFencing,
    /// Era switch: whether the high watermark waits for `min.insync.replicas`.
    pub strict_min_isr: StrictMinIsr,
    /// Era switch: how a follower's log becomes a prefix of its leader's.
    pub truncation: Truncation,
    /// `offsets.topic.num.partitions`.
    pub offsets_topic_num_partitions: i32,
    /// `offsets.topic.replication.factor`.
    pub offsets_topic_replication_factor: i16,
    /// `offsets.topic.segment.bytes`.
    pub offsets_topic_segment_bytes: i32,
    /// `transaction.state.log.num.partitions`.
    pub transaction_state_log_num_partitions: i32,
    /// `transaction.state.log.replication.factor`.
    pub transaction_state_log_replication_factor: i16,
    /// `transaction.state.log.min.isr`.
    pub transaction_state_log_min_isr: i32,
    /// `transaction.state.log.segment.bytes`.
    pub transaction_state_log_segment_bytes: i32,
    /// What group coordinators go by, `group.version` among it. Its wall clock is the node's.
    pub groups: GroupConfig,
    /// What transaction coordinators go by, and with `transaction.version` the brokers'
    /// verification (TXN-4, TXN-5). Its wall clock is the node's.
    pub transactions: TransactionConfig,
}

/// Whether a topic is created when a client asks about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AutoCreateTopics {
    /// It is, unless the client says that it should not be.
    On,
    /// Only an administrator creates topics.
    Off,
}

/// Whose time the records of a topic bear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimestampType {
    /// Their producer's. Kafka's default.
    CreateTime,
    /// Their leader's, at the append.
    LogAppendTime,
}

/// Whether a follower tells its leader with every fetch what it wants. (Brokers offer sessions
/// to everybody in any case.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FetchSessions {
    /// It names its partitions once and then what changes: since 1.1 (KIP-227).
    On,
    /// It names all of them each time: the era before, and the default here, for a fetch that
    /// names nothing shows nothing.
    Off,
}

/// Which replica consumers are told to read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReplicaSelector {
    /// The leader. Kafka's default.
    Leader,
    /// One in the consumer's own rack, if it is in sync (`RackAwareReplicaSelector`).
    RackAware,
}

/// Whether a replica outside the ISR may lead when nobody else is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UncleanElection {
    /// Never: the partition stays without a leader. Kafka's default.
    Forbidden,
    /// Yes, at the price of acknowledged records.
    Allowed,
}

impl Default for BrokerSettings {
    fn default() -> BrokerSettings {
        BrokerSettings {
            replica_lag_time_max: Duration::from_millis(30_000),
            replica_fetch_wait_max: Duration::from_millis(500),
            replica_fetch_min_bytes: 1,
            replica_fetch_max_bytes: 1 << 20,
            replica_fetch_response_max_bytes: 10 << 20,
            replica_fetch_backoff: Duration::from_millis(1_000),
            high_watermark_checkpoint_interval: Duration::from_millis(5_000),
            broker_heartbeat_interval: Duration::from_millis(2_000),
            broker_session_timeout: Duration::from_millis(9_000),
            broker_resend_backoff: Duration::from_millis(100),
            broker_resend_backoff_max: Duration(u64::MAX),
            request_timeout: Duration::from_millis(30_000),
            connection_setup_timeout: Duration::from_millis(10_000),
            reconnect_backoff: Duration::from_millis(50),
            reconnect_backoff_max: Duration::from_millis(1_000),
            log_dir: "/tmp/kafka-logs".into(),
            min_insync_replicas: 1,
            default_replication_factor: 1,
            num_partitions: 1,
            unclean_leader_election: UncleanElection::Forbidden,
            auto_create_topics: AutoCreateTopics::Off,
            message_max_bytes: 1_048_588,
            log: LogConfig::default(),
            log_message_timestamp_type: TimestampType::CreateTime,
            log_retention_check_interval: Duration::from_millis(300_000),
            log_cleaner_backoff: Duration::from_millis(15_000),
            fetch_max_bytes: 55 << 20,
            fetch_session_slots: 1_000,
            fetch_sessions: FetchSessions::Off,
            replica_selector: ReplicaSelector::Leader,
            socket_request_max_bytes: 100 << 20,
            quorum_election_timeout: Duration::from_millis(1_000),
            quorum_fetch_timeout: Duration::from_millis(2_000),
            quorum_election_backoff_max: Duration::from_millis(1_000),
            quorum_append_linger: Duration::from_millis(25),
            quorum_request_timeout: Duration::from_millis(2_000),
            quorum_retry_backoff: Duration::from_millis(20),
            leader_imbalance_check_interval: Some(Duration::from_millis(300_000)),
            metadata_max_idle_interval: None,
            metadata_snapshot_bytes: 20 << 20,
            metadata_max_retention_bytes: 100 << 20,
            kraft_version: KraftVersion::Static,
            pre_vote: PreVote::On,
            check_quorum: CheckQuorum::On,
            elr: Elr::On,
            authorizer: None,
            isr_admission: IsrAdmission::SameIncarnation,
            isr_fencing: IsrFencing::On,
            strict_min_isr: StrictMinIsr::On,
            truncation: Truncation::Fetch,
            offsets_topic_num_partitions: 50,
            offsets_topic_replication_factor: 3,
            offsets_topic_segment_bytes: 100 << 20,
            transaction_state_log_num_partitions: 50,
            transaction_state_log_replication_factor: 3,
            transaction_state_log_min_isr: 2,
            transaction_state_log_segment_bytes: 100 << 20,
            groups: GroupConfig::default(),
            transactions: TransactionConfig::default(),
        }
    }
}
