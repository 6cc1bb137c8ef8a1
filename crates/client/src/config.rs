//! Settings of the clients, under Kafka's names and with Kafka's defaults.

use std::sync::Arc;

use topomotion_wire::{Acks, Duration, Endpoint};

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
    /// `metadata.max.age.ms`: metadata is asked for again after this time, news or not.
    pub metadata_max_age: Duration,
    /// Unix time in ms at the start of the run; record timestamps count from here.
    pub clock_base_ms: i64,
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
            metadata_max_age: Duration::from_millis(300_000),
            clock_base_ms: 0,
        }
    }

    /// The pause before retry number `attempt` (from 1).
    pub(crate) fn backoff(&self, attempt: u32) -> Duration {
        exponential(self.retry_backoff, self.retry_backoff_max, attempt)
    }

    /// The pause before dialling for the `failures`-th time in a row (from 1).
    pub(crate) fn reconnect_pause(&self, failures: u32) -> Duration {
        exponential(self.reconnect_backoff, self.reconnect_backoff_max, failures)
    }
}

fn exponential(first: Duration, most: Duration, attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(20);
    Duration((first.0 << doublings).min(most.0))
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
    /// `batch.size`: a batch of this many bytes leaves at once.
    pub batch_size: usize,
    /// `max.in.flight.requests.per.connection`.
    pub max_in_flight: usize,
    /// `delivery.timeout.ms`: from the send to the verdict, retries included.
    pub delivery_timeout: Duration,
}

impl ProducerConfig {
    /// Kafka's defaults.
    pub fn new(common: CommonConfig) -> ProducerConfig {
        ProducerConfig {
            common,
            acks: Acks::All,
            linger: Duration::from_millis(5),
            batch_size: 16_384,
            max_in_flight: 5,
            delivery_timeout: Duration::from_millis(120_000),
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_limit() {
        let config = CommonConfig::new("c", Vec::new());
        let pauses: Vec<u64> = (1..=6).map(|n| config.backoff(n).as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1_000, 1_000]);
        assert_eq!(config.backoff(u32::MAX).as_millis(), 1_000);
    }
}
