//! What holds for one topic: its own settings where it has them, the broker's elsewhere.
//!
//! Read from the metadata applied so far each time they are needed, so that a change by
//! IncrementalAlterConfigs acts from the moment at which the broker has applied it. Only the
//! log keeps a copy, and is told ([`Log::configure`](topomotion_log::Log::configure)).

use topomotion_log::{Compaction, Compression, LogConfig, Ratio};

use crate::config::{BrokerSettings, TimestampType};
use crate::metadata::MetadataImage;

/// The settings of one topic.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TopicSettings<'a> {
    pub(crate) image: &'a MetadataImage,
    pub(crate) broker: &'a BrokerSettings,
    pub(crate) topic: &'a str,
}

impl<'a> TopicSettings<'a> {
    fn text(&self, name: &str) -> Option<&'a str> {
        self.image.topic(self.topic)?.configs.get(name).map(|value| &**value)
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    fn size(&self, name: &str) -> Option<u64> {
        self.number(name).and_then(|it| u64::try_from(it).ok())
    }

    /// How the topic's logs are cut into segments, and what they forget.
    pub(crate) fn log(&self) -> LogConfig {
        let own = self.broker.log;
        let forgets = |it: i64| u64::try_from(it).ok();
        let retention_ms = self.number("retention.ms");
        let retention_bytes = self.number("retention.bytes");
        let deletes = self.is_deleting();
        LogConfig {
            segment_bytes: self.size("segment.bytes").unwrap_or(own.segment_bytes),
            segment_ms: self.number("segment.ms").or(own.segment_ms),
            segment_index_bytes: self
                .size("segment.index.bytes")
                .unwrap_or(own.segment_index_bytes),
            index_interval_bytes: self
                .size("index.interval.bytes")
                .unwrap_or(own.index_interval_bytes),
            retention_ms: retention_ms
                .map_or(own.retention_ms, |it| (it >= 0).then_some(it))
                .filter(|_| deletes),
            retention_bytes: retention_bytes
                .map_or(own.retention_bytes, forgets)
                .filter(|_| deletes),
            compaction: self.is_compacting().then(|| self.compaction()),
            producer_expiration_ms: own.producer_expiration_ms,
        }
    }

    fn compaction(&self) -> Compaction {
        let own = self.broker.log.compaction.unwrap_or_default();
        let ratio = self.text("min.cleanable.dirty.ratio").and_then(millionths);
        let max_lag = self.number("max.compaction.lag.ms");
        Compaction {
            min_dirty_ratio: ratio.unwrap_or(own.min_dirty_ratio),
            min_lag_ms: self.number("min.compaction.lag.ms").unwrap_or(own.min_lag_ms),
            max_lag_ms: max_lag.filter(|lag| *lag != i64::MAX).or(own.max_lag_ms),
            delete_retention_ms: self
                .number("delete.retention.ms")
                .unwrap_or(own.delete_retention_ms),
        }
    }

    /// Whether of every key the last value is kept (`cleanup.policy`).
    pub(crate) fn is_compacting(&self) -> bool {
        self.text("cleanup.policy").is_some_and(|policy| has_word(policy, "compact"))
    }

    /// `compression.type`: how the leader stores what producers send; none: as they sent it.
    pub(crate) fn compression(&self) -> Option<Compression> {
        match self.text("compression.type")? {
            "producer" => None,
            "uncompressed" => Some(Compression::None),
            name => Compression::from_name(name),
        }
    }

    /// Whether records are deleted at all, and not only compacted (`cleanup.policy`).
    pub(crate) fn is_deleting(&self) -> bool {
        self.text("cleanup.policy").is_none_or(is_deleting)
    }

    /// `max.message.bytes`: the largest batch that a producer may send.
    pub(crate) fn max_message_bytes(&self) -> usize {
        let own = i64::from(self.broker.message_max_bytes);
        usize::try_from(self.number("max.message.bytes").unwrap_or(own)).unwrap_or(0)
    }

    /// `message.timestamp.type`: whose time the records bear.
    pub(crate) fn timestamp_type(&self) -> TimestampType {
        match self.text("message.timestamp.type") {
            Some("LogAppendTime") => TimestampType::LogAppendTime,
            Some(_) => TimestampType::CreateTime,
            None => self.broker.log_message_timestamp_type,
        }
    }
}

/// Whether a `cleanup.policy` forgets by age and size.
fn is_deleting(policy: &str) -> bool {
    has_word(policy, "delete")
}

fn has_word(list: &str, word: &str) -> bool {
    list.split(',').any(|it| it.trim() == word)
}

/// A share such as `0.5`.
fn millionths(text: &str) -> Option<Ratio> {
    let share: f64 = text.parse().ok()?;
    // What is no share says nothing; the cast is exact for what is.
    (0.0..=1.0).contains(&share).then(|| Ratio((share * 1e6).round() as u32))
}

#[cfg(test)]
mod tests {
    use topomotion_wire::TopicId;

    use super::*;
    use crate::metadata::{MetadataRecord, NewTopic, TopicConfig};

    fn with(configs: &[(&str, &str)]) -> MetadataImage {
        let mut image = MetadataImage::default();
        let (name, id) = ("orders".into(), TopicId::default());
        image.apply(&MetadataRecord::Topic(NewTopic { name, id }));
        for (name, value) in configs {
            let (topic, value) = ("orders".into(), Some((*value).into()));
            let config = TopicConfig { topic, name: (*name).into(), value };
            image.apply(&MetadataRecord::Config(config));
        }
        image
    }

    fn of<T>(configs: &[(&str, &str)], look: impl FnOnce(TopicSettings<'_>) -> T) -> T {
        let (image, broker) = (with(configs), BrokerSettings::default());
        look(TopicSettings { image: &image, broker: &broker, topic: "orders" })
    }

    #[test]
    fn the_topics_own_setting_goes_before_the_brokers() {
        let own =
            [("segment.bytes", "100"), ("retention.ms", "-1"), ("retention.bytes", "7")];
        let log = of(&own, |it| it.log());
        assert_eq!((log.segment_bytes, log.retention_ms), (100, None));
        assert_eq!(log.retention_bytes, Some(7));
        assert_eq!(log.index_interval_bytes, LogConfig::default().index_interval_bytes);
        assert_eq!(of(&[("max.message.bytes", "9")], |it| it.max_message_bytes()), 9);
        assert_eq!(of(&[], |it| it.max_message_bytes()), 1_048_588);
        let appended = [("message.timestamp.type", "LogAppendTime")];
        assert_eq!(of(&appended, |it| it.timestamp_type()), TimestampType::LogAppendTime);
    }

    #[test]
    fn a_compacted_topic_forgets_nothing_by_age_or_size() {
        let compacted = [("cleanup.policy", "compact"), ("retention.bytes", "7")];
        let log = of(&compacted, |it| it.log());
        assert_eq!((log.retention_ms, log.retention_bytes), (None, None));
        assert!(of(&compacted, |it| it.log()).compaction.is_some());
        let eager =
            [("cleanup.policy", "compact"), ("min.cleanable.dirty.ratio", "0.01")];
        let ratio = of(&eager, |it| it.log()).compaction.map(|it| it.min_dirty_ratio);
        assert_eq!(ratio, Some(Ratio(10_000)));
        assert_eq!(of(&[], |it| it.log()).compaction, None);
        let both = [("cleanup.policy", "compact, delete"), ("retention.bytes", "7")];
        assert_eq!(of(&both, |it| it.log()).retention_bytes, Some(7));
    }
}
