//! Settings of the clients, under Kafka's names and with Kafka's defaults.

use std::sync::Arc;

use topomotion_log::Compression;
use topomotion_wire::{Acks, Duration, Endpoint, Random};

use crate::GroupConfig;

/// What every client needs.
#[derive(Debug, Clone, PartialEq)]
pub struct CommonConfig {
    /// `client.id`.
    pub client_id: Arc<str>,
    /// `bootstrap.servers`: where to ask first. Must not be empty for a client to get
    /// anywhere.
    pub bootstrap: Vec<Endpoint>,
    /// `request.timeout.ms`: an answer that takes longer costs the connection.
    pub request_timeout: Duration,
    /// `retry.backoff.ms`: the pause before the first retry; doubles with each.
    pub retry_backoff: Duration,
    /// `retry.backoff.max.ms`: the longest pause.
    pub retry_backoff_max: Duration,
    /// `reconnect.backoff.ms`: the pause before dialling again; doubles with each failure.
    pub reconnect_backoff: Duration,
    /// `reconnect.backoff.max.ms`: the longest pause.
    pub reconnect_backoff_max: Duration,
    /// `socket.connection.setup.timeout.ms`: how long dialling may take; doubles with each
    /// failure.
    pub connection_setup_timeout: Duration,
    /// `socket.connection.setup.timeout.max.ms`: the longest that dialling may take.
    pub connection_setup_timeout_max: Duration,
    /// `connections.max.idle.ms`: a connection without traffic is closed after this time.
    pub connections_max_idle: Duration,
    /// `metadata.max.age.ms`: metadata is asked for again after this time, news or not.
    pub metadata_max_age: Duration,
    /// Unix time in ms at the start of the run; record timestamps count from here.
    pub clock_base_ms: i64,
    /// What the jitter of the pauses is drawn from, together with `client.id`.
    pub seed: u64,
}

impl CommonConfig {
    /// Kafka's defaults for a client with this name and these bootstrap servers.
    pub fn new(client_id: impl Into<Arc<str>>, bootstrap: Vec<Endpoint>) -> CommonConfig {
        CommonConfig {
            client_id: client_id.into(),
            bootstrap,
            request_timeout: Duration::from_millis(30_000),
            retry_backoff: Duration::from_millis(100),
            retry_backoff_max: Duration::from_millis(1_000),
            reconnect_backoff: Duration::from_millis(50),
            reconnect_backoff_max: Duration::from_millis(1_000),
            connection_setup_timeout: Duration::from_millis(10_000),
            connection_setup_timeout_max: Duration::from_millis(30_000),
            connections_max_idle: Duration::from_millis(540_000),
            metadata_max_age: Duration::from_millis(300_000),
            clock_base_ms: 0,
            seed: 0,
        }
    }

    /// The client's own stream of random pauses.
    pub(crate) fn random(&self) -> Random {
        Random::new(self.seed, u64::from(crate::murmur2(self.client_id.as_bytes())))
    }

    /// The pause before retry number `attempt` (from 1).
    pub(crate) fn backoff(&self, attempt: u32, random: &mut Random) -> Duration {
        exponential(self.retry_backoff, self.retry_backoff_max, attempt, random)
    }

    /// The pause before dialling for the `failures`-th time in a row (from 1).
    pub(crate) fn reconnect_pause(&self, failures: u32, random: &mut Random) -> Duration {
        exponential(self.reconnect_backoff, self.reconnect_backoff_max, failures, random)
    }

    /// How long dialling may take after so many failures in a row (from 0). The first try
    /// has the setting itself, without jitter.
    pub(crate) fn setup_timeout(&self, failures: u32, random: &mut Random) -> Duration {
        match failures {
            0 => self.connection_setup_timeout,
            _ => exponential(
                self.connection_setup_timeout,
                self.connection_setup_timeout_max,
                failures.saturating_add(1),
                random,
            ),
        }
    }
}

/// Doubles up to the limit, give or take a fifth, so that clients that failed together do
/// not come back together.
fn exponential(
    first: Duration,
    most: Duration,
    attempt: u32,
    random: &mut Random,
) -> Duration {
    let doublings = attempt.saturating_sub(1).min(20);
    let plain = u128::from(first.0) << doublings;
    let jittered = plain * (800 + u128::from(random.below(401))) / 1_000;
    Duration(u64::try_from(jittered).unwrap_or(u64::MAX).min(most.0))
}

/// Who chooses the partition of a record that names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum PartitionerClass {
    /// Kafka's own: the key's hash; without a key one partition for `batch.size` bytes
    /// (KIP-794).
    #[default]
    BuiltIn,
    /// `RoundRobinPartitioner`: one partition after the other, key or not.
    RoundRobin,
}

/// `partitioner.ignore.keys`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Keys {
    /// `false`: the key decides.
    #[default]
    Decide,
    /// `true`: records with a key are treated like those without.
    Ignored,
}

/// `partitioner.adaptive.partitioning.enable`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Spread {
    /// `true`: partitions with shorter queues are chosen more often.
    #[default]
    Adaptive,
    /// `false`: every partition is as likely.
    Uniform,
}

/// `enable.idempotence`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Idempotence {
    /// Not said: on, unless another setting stands against it.
    #[default]
    WherePossible,
    /// `true`: other settings must not stand against it.
    On,
    /// `false`.
    Off,
}

/// Which protocol a transactional producer speaks (KIP-890).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum TransactionProtocol {
    /// What the cluster has finalized as `transaction.version`: 2 means [`Self::V2`].
    #[default]
    AsFinalized,
    /// Partitions are added by the producer; the epoch stays until it must rise.
    V1,
    /// Partitions are added by the leaders; every end raises the epoch.
    V2,
}

/// A producer's settings.
#[derive(Debug, Clone, PartialEq)]
pub struct ProducerConfig {
    /// What every client needs.
    pub common: CommonConfig,
    /// `acks`.
    pub acks: Acks,
    /// `linger.ms`: how long a batch waits for company.
    pub linger: Duration,
    /// `batch.size`: a batch does not grow beyond this, unless a single record does.
    pub batch_size: usize,
    /// `buffer.memory`: what all batches without a verdict may take.
    pub buffer_memory: usize,
    /// `max.block.ms`: how long a record may wait for metadata and memory.
    pub max_block: Duration,
    /// `max.request.size`: the most that one request carries, and the largest record.
    pub max_request_size: usize,
    /// `max.in.flight.requests.per.connection`. With 1, a partition is muted while a batch
    /// of it is in flight.
    pub max_in_flight: usize,
    /// `retries`: how often a batch is sent again; `delivery.timeout.ms` ends it earlier.
    pub retries: u32,
    /// `delivery.timeout.ms`: from the send to the verdict, retries included.
    pub delivery_timeout: Duration,
    /// `metadata.max.idle.ms`: a topic that nothing is sent to is forgotten after this time.
    pub metadata_max_idle: Duration,
    /// `partitioner.class`.
    pub partitioner: PartitionerClass,
    /// `partitioner.ignore.keys`.
    pub keys: Keys,
    /// `partitioner.adaptive.partitioning.enable`.
    pub spread: Spread,
    /// `partitioner.availability.timeout.ms`: a leader that takes nothing for so long gets
    /// no records without a key; zero means that this is not looked at.
    pub availability_timeout: Duration,
    /// `compression.type`.
    pub compression: Compression,
    /// `enable.idempotence`.
    pub idempotence: Idempotence,
    /// `transactional.id`.
    pub transactional_id: Option<Arc<str>>,
    /// `transaction.timeout.ms`: the coordinator aborts what takes longer (TXN-11).
    pub transaction_timeout: Duration,
    /// Which protocol transactions use.
    pub transaction_protocol: TransactionProtocol,
}

/// The most requests in flight that keep order: a leader remembers so many batches (PRD-4).
const MOST_IN_FLIGHT: usize = 5;

impl ProducerConfig {
    /// Kafka's defaults.
    pub fn new(common: CommonConfig) -> ProducerConfig {
        ProducerConfig {
            common,
            acks: Acks::All,
            linger: Duration::from_millis(5),
            batch_size: 16_384,
            buffer_memory: 32 << 20,
            max_block: Duration::from_millis(60_000),
            max_request_size: 1 << 20,
            max_in_flight: 5,
            retries: i32::MAX as u32,
            delivery_timeout: Duration::from_millis(120_000),
            metadata_max_idle: Duration::from_millis(300_000),
            partitioner: PartitionerClass::default(),
            keys: Keys::default(),
            spread: Spread::default(),
            availability_timeout: Duration::ZERO,
            compression: Compression::None,
            idempotence: Idempotence::WherePossible,
            transactional_id: None,
            transaction_timeout: Duration::from_millis(60_000),
            transaction_protocol: TransactionProtocol::default(),
        }
    }

    /// Whether records are numbered (PRD-3). One who did not ask for it goes without where
    /// another setting stands against it; so does one whose settings
    /// [conflict](Self::conflict).
    pub fn is_idempotent(&self) -> bool {
        match self.idempotence {
            Idempotence::Off => false,
            Idempotence::On | Idempotence::WherePossible => self.obstacle().is_none(),
        }
    }

    /// Why these settings cannot be had together, as a sentence; Kafka's producer does not
    /// start with such.
    pub fn conflict(&self) -> Option<&'static str> {
        let is_wanted =
            self.transactional_id.is_some() || self.idempotence == Idempotence::On;
        match (self.idempotence, &self.transactional_id) {
            (Idempotence::Off, Some(_)) => {
                Some("`transactional.id` needs `enable.idempotence=true`")
            }
            _ => self.obstacle().filter(|_| is_wanted),
        }
    }

    /// What stands against idempotence.
    fn obstacle(&self) -> Option<&'static str> {
        match () {
            () if self.acks != Acks::All => {
                Some("`enable.idempotence=true` needs `acks=all`")
            }
            () if self.max_in_flight > MOST_IN_FLIGHT => Some(
                "`enable.idempotence=true` needs `max.in.flight.requests.per.connection` of at most 5",
            ),
            () if self.retries == 0 => {
                Some("`enable.idempotence=true` needs `retries` above 0")
            }
            () => None,
        }
    }
}

/// Where a consumer starts when it has no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetReset {
    /// `earliest`: at the first record that is still there.
    Earliest,
    /// `latest`: at what comes next.
    Latest,
    /// `none`: nowhere; the application is told and must say.
    None,
}

/// `isolation.level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum IsolationLevel {
    /// `read_uncommitted`: everything up to the high watermark.
    #[default]
    ReadUncommitted,
    /// `read_committed`: up to the last stable offset, without what was aborted.
    ReadCommitted,
}

/// A consumer's settings.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsumerConfig {
    /// What every client needs.
    pub common: CommonConfig,
    /// `auto.offset.reset`.
    pub offset_reset: OffsetReset,
    /// `fetch.min.bytes`.
    pub fetch_min_bytes: i32,
    /// `fetch.max.wait.ms`.
    pub fetch_max_wait: Duration,
    /// `fetch.max.bytes`.
    pub fetch_max_bytes: i32,
    /// `max.partition.fetch.bytes`.
    pub max_partition_fetch_bytes: i32,
    /// `max.poll.records`: the most that is handed on at once.
    pub max_poll_records: usize,
    /// `client.rack`: the leader may name a replica in the same rack (KIP-392).
    pub client_rack: Option<Arc<str>>,
    /// `isolation.level`.
    pub isolation_level: IsolationLevel,
    /// `group.id` and what goes with it; without, positions are nowhere but here.
    pub group: Option<GroupConfig>,
}

impl ConsumerConfig {
    /// Kafka's defaults.
    pub fn new(common: CommonConfig) -> ConsumerConfig {
        ConsumerConfig {
            common,
            offset_reset: OffsetReset::Latest,
            fetch_min_bytes: 1,
            fetch_max_wait: Duration::from_millis(500),
            fetch_max_bytes: 50 << 20,
            max_partition_fetch_bytes: 1 << 20,
            max_poll_records: 500,
            client_rack: None,
            isolation_level: IsolationLevel::default(),
            group: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_limit_give_or_take_a_fifth() {
        let config = CommonConfig::new("c", Vec::new());
        let mut random = config.random();
        for (attempt, plain) in (1..).zip([100_000, 200_000, 400_000, 800_000]) {
            for _ in 0..100 {
                let pause = config.backoff(attempt, &mut random).0;
                let most = (plain * 12 / 10).min(1_000_000);
                assert!((plain * 8 / 10..=most).contains(&pause), "{attempt}: {pause}");
            }
        }
        assert_eq!(config.backoff(u32::MAX, &mut random).as_millis(), 1_000);
    }

    #[test]
    fn idempotence_is_had_where_nothing_stands_against_it() {
        let with = |change: fn(&mut ProducerConfig)| {
            let mut config = ProducerConfig::new(CommonConfig::new("c", Vec::new()));
            config.idempotence = Idempotence::WherePossible;
            change(&mut config);
            (config.is_idempotent(), config.conflict().is_some())
        };
        assert_eq!(with(|_| {}), (true, false));
        assert_eq!(with(|it| it.acks = Acks::Leader), (false, false));
        assert_eq!(with(|it| it.max_in_flight = 6), (false, false));
        assert_eq!(with(|it| it.idempotence = Idempotence::Off), (false, false));
    }

    #[test]
    fn asking_for_idempotence_or_transactions_against_other_settings_is_a_conflict() {
        let with = |change: fn(&mut ProducerConfig)| {
            let mut config = ProducerConfig::new(CommonConfig::new("c", Vec::new()));
            config.idempotence = Idempotence::On;
            change(&mut config);
            config.conflict().is_some()
        };
        assert!(!with(|_| {}));
        assert!(with(|it| it.acks = Acks::Leader));
        assert!(with(|it| it.max_in_flight = 6));
        assert!(with(|it| it.retries = 0));
        assert!(with(|it| {
            it.idempotence = Idempotence::Off;
            it.transactional_id = Some("t".into());
        }));
        assert!(with(|it| {
            it.idempotence = Idempotence::WherePossible;
            it.transactional_id = Some("t".into());
            it.acks = Acks::None;
        }));
    }

    #[test]
    fn the_first_dial_has_the_set_time_and_later_ones_more() {
        let config = CommonConfig::new("c", Vec::new());
        let mut random = config.random();
        assert_eq!(config.setup_timeout(0, &mut random).as_millis(), 10_000);
        assert!(config.setup_timeout(1, &mut random).as_millis() >= 16_000);
        assert!(config.setup_timeout(9, &mut random).as_millis() <= 30_000);
    }

    #[test]
    fn clients_of_other_names_draw_other_pauses() {
        let drawn = |name: &str| {
            let config = CommonConfig::new(name, Vec::new());
            config.backoff(1, &mut config.random())
        };
        assert_ne!(drawn("a"), drawn("b"));
        assert_eq!(drawn("a"), drawn("a"));
    }
}
