//! What an operator can set about transactions, with Kafka's names and defaults.

use topomotion_wire::Duration;

/// Which protocol producers and coordinators speak: `transaction.version`, with the ways of
/// older releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum TransactionVersion {
    /// Before KIP-890: nobody checks that a produced partition is part of a transaction, and
    /// the coordinator's records have no tagged fields.
    V0,
    /// The first protocol with the brokers' verification switched off
    /// (`transaction.partition.verification.enable=false`).
    V1Unverified,
    /// KIP-890 part 1: producers add partitions, brokers verify them (TXN-4).
    V1,
    /// KIP-890 part 2: brokers add partitions, and every end raises the epoch (TXN-5).
    #[default]
    V2,
}

impl TransactionVersion {
    /// Whether the end of a transaction raises the epoch for clients that know of it (TXN-5).
    pub fn bumps_epochs(self) -> bool {
        self >= TransactionVersion::V2
    }
}

/// Settings of the transaction coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionConfig {
    /// `transaction.version`.
    pub version: TransactionVersion,
    /// `transaction.max.timeout.ms`: no producer may ask for more.
    pub max_timeout: Duration,
    /// `transactional.id.expiration.ms`: an id without a transaction is forgotten after this.
    pub id_expiration: Duration,
    /// `transaction.abort.timed.out.transaction.cleanup.interval.ms`: how often open
    /// transactions are looked at (TXN-11).
    pub timeout_scan_interval: Duration,
    /// `transaction.remove.expired.transaction.cleanup.interval.ms`: how often forgotten ids
    /// are looked for.
    pub expiration_scan_interval: Duration,
    /// How long a coordinator waits before it sends a failed marker, or appends a refused
    /// record, again. Kafka uses `reconnect.backoff.ms` of its connection to the broker.
    pub retry_backoff: Duration,
    /// `offsets.topic.num.partitions`: where a group's offsets will stand while their topic
    /// does not exist yet.
    pub offsets_topic_partitions: i32,
    /// The wall clock at [`Instant::ZERO`](topomotion_wire::Instant::ZERO), Unix ms: records
    /// carry times that the next coordinator must understand.
    pub wall_clock_base_ms: i64,
}

impl Default for TransactionConfig {
    fn default() -> TransactionConfig {
        TransactionConfig {
            version: TransactionVersion::V2,
            max_timeout: Duration::from_millis(900_000),
            id_expiration: Duration::from_millis(604_800_000),
            timeout_scan_interval: Duration::from_millis(10_000),
            expiration_scan_interval: Duration::from_millis(3_600_000),
            retry_backoff: Duration::from_millis(50),
            offsets_topic_partitions: 50,
            wall_clock_base_ms: 0,
        }
    }
}
