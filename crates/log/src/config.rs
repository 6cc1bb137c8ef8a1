//! Settings of a log, by Kafka's names.

/// Settings of a log, as the topic has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogConfig {
    /// `segment.bytes` (1 GiB): an append that would make the file longer opens a new one.
    /// Positions in a file are 31 bits wide, so no more than that is used.
    pub segment_bytes: u64,
    /// `segment.ms` (7 days): an append that much newer than its segment's first batch opens
    /// a new one. By the records' own timestamps, so a log without any rolls by size alone.
    pub segment_ms: Option<i64>,
    /// `segment.index.bytes` (10 MiB): a full index opens a new segment.
    pub segment_index_bytes: u64,
    /// `index.interval.bytes` (4096): how far apart the index's entries stand.
    pub index_interval_bytes: u64,
    /// `retention.ms` (7 days); `None` is Kafka's −1, for ever.
    pub retention_ms: Option<i64>,
    /// `retention.bytes` (−1, without limit).
    pub retention_bytes: Option<u64>,
    /// How it is compacted, if `cleanup.policy` says so.
    pub compaction: Option<Compaction>,
    /// `producer.id.expiration.ms` (24 hours): how long a silent producer is remembered.
    pub producer_expiration_ms: i64,
}

/// How a log is compacted (LOG-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compaction {
    /// `min.cleanable.dirty.ratio` (0.5).
    pub min_dirty_ratio: Ratio,
    /// `min.compaction.lag.ms` (0): what is younger stays.
    pub min_lag_ms: i64,
    /// `max.compaction.lag.ms`: what is older waits for no ratio.
    pub max_lag_ms: Option<i64>,
    /// `delete.retention.ms` (24 hours): how long tombstones and markers stay after compaction
    /// has first met them.
    pub delete_retention_ms: i64,
}

impl Default for Compaction {
    fn default() -> Compaction {
        Compaction {
            min_dirty_ratio: Ratio(500_000),
            min_lag_ms: 0,
            max_lag_ms: None,
            delete_retention_ms: DAY_MS,
        }
    }
}

/// A share of a whole, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ratio(pub u32);

impl Ratio {
    /// Whether `part` of `whole` is more.
    pub fn is_exceeded_by(self, part: u64, whole: u64) -> bool {
        u128::from(part) * 1_000_000 > u128::from(whole) * u128::from(self.0)
    }
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const WEEK_MS: i64 = 7 * DAY_MS;

impl Default for LogConfig {
    fn default() -> LogConfig {
        LogConfig {
            segment_bytes: 1 << 30,
            segment_ms: Some(WEEK_MS),
            segment_index_bytes: 10 << 20,
            index_interval_bytes: 4096,
            retention_ms: Some(WEEK_MS),
            retention_bytes: None,
            compaction: None,
            producer_expiration_ms: DAY_MS,
        }
    }
}

impl LogConfig {
    /// A log that never rolls by itself and never forgets: one flush covers all of it.
    pub const fn one_segment() -> LogConfig {
        LogConfig {
            segment_bytes: u64::MAX,
            segment_ms: None,
            segment_index_bytes: u64::MAX,
            index_interval_bytes: 4096,
            retention_ms: None,
            retention_bytes: None,
            compaction: None,
            producer_expiration_ms: DAY_MS,
        }
    }
}
