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
}

const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1000;

impl Default for LogConfig {
    fn default() -> LogConfig {
        LogConfig {
            segment_bytes: 1 << 30,
            segment_ms: Some(WEEK_MS),
            segment_index_bytes: 10 << 20,
            index_interval_bytes: 4096,
            retention_ms: Some(WEEK_MS),
            retention_bytes: None,
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
        }
    }
}
