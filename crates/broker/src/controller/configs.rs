//! Topics' settings: which there are, what they may be, and changing them.

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_wire::{ErrorCode, TopicPartition};

use super::ActiveController;
use super::topics::{TopicError, error};
use crate::config::BrokerSettings;
use crate::metadata::{MetadataRecord, TopicConfig};
use crate::net::Effects;

/// The setting that decides whom an ISR that is too small leaves eligible.
const MIN_ISR: &str = "min.insync.replicas";

/// What a setting's value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Flag,
    /// A whole number, at least this.
    Number(i64),
    /// Some of these words, separated by commas.
    Words(&'static [&'static str]),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A share of a whole, such as `0.5`.
    Share,
}

/// Topic settings that may be given, with Kafka's defaults: those that act here, and those
/// that clients usually set and whose absence is not seen in short runs.
pub(crate) const TOPIC_CONFIGS: &[(&str, Kind, &str)] = &[
    ("cleanup.policy", Kind::Words(&["compact", "delete"]), "delete"),
    ("compression.type", Kind::OneOf(CODECS), "producer"),
    ("delete.retention.ms", Kind::Number(0), "86400000"),
    ("file.delete.delay.ms", Kind::Number(0), "60000"),
    ("flush.messages", Kind::Number(1), "9223372036854775807"),
    ("flush.ms", Kind::Number(0), "9223372036854775807"),
    ("index.interval.bytes", Kind::Number(0), "4096"),
    ("max.compaction.lag.ms", Kind::Number(1), "9223372036854775807"),
    ("max.message.bytes", Kind::Number(0), "1048588"),
    (
        "message.timestamp.type",
        Kind::OneOf(&["CreateTime", "LogAppendTime"]),
        "CreateTime",
    ),
    ("min.cleanable.dirty.ratio", Kind::Share, "0.5"),
    ("min.compaction.lag.ms", Kind::Number(0), "0"),
    (MIN_ISR, Kind::Number(1), "1"),
    ("preallocate", Kind::Flag, "false"),
    ("retention.bytes", Kind::Number(-1), "-1"),
    ("retention.ms", Kind::Number(-1), "604800000"),
    ("segment.bytes", Kind::Number(14), "1073741824"),
    ("segment.index.bytes", Kind::Number(4), "10485760"),
    ("segment.jitter.ms", Kind::Number(0), "0"),
    ("segment.ms", Kind::Number(1), "604800000"),
    ("unclean.leader.election.enable", Kind::Flag, "false"),
];

/// What `compression.type` may be.
const CODECS: &[&str] = &["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"];

fn kind_of(name: &str) -> Option<Kind> {
    TOPIC_CONFIGS.iter().find(|(known, ..)| *known == name).map(|(_, kind, _)| *kind)
}

fn default_of(name: &str) -> &'static str {
    let known = TOPIC_CONFIGS.iter().find(|(known, ..)| *known == name);
    known.map_or("", |(.., default)| default)
}

/// Whether a setting may have this value.
pub(super) fn check_config(name: &str, value: Option<&str>) -> Result<(), TopicError> {
    let wrong = |message: String| error(ErrorCode::InvalidConfig, message);
    let Some(kind) = kind_of(name) else {
        return Err(wrong(format!("Unknown topic config name: {name}")));
    };
    let Some(value) = value else {
        return Err(wrong(format!("Null value not supported for topic configs: {name}")));
    };
    let is_fine = match kind {
        Kind::Words(known) => value.split(',').all(|word| known.contains(&word.trim())),
        Kind::OneOf(known) => known.contains(&value),
        Kind::Share => {
            value.parse::<f64>().is_ok_and(|share| (0.0..=1.0).contains(&share))
        }
        Kind::Flag => matches!(value, "true" | "false"),
        Kind::Number(min) => value.parse::<i64>().is_ok_and(|number| number >= min),
    };
    if is_fine { Ok(()) } else { Err(wrong(format!("Invalid value {value} for {name}"))) }
}

/// What is done to one setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AlterOp {
    Set,
    /// Back to the default.
    Delete,
    /// Adds words to a list.
    Append,
    /// Takes words out of a list.
    Subtract,
}

/// A change of one setting of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigAlteration {
    pub(crate) name: Arc<str>,
    pub(crate) op: AlterOp,
    pub(crate) value: Option<Arc<str>>,
}

impl ActiveController {
    /// The names of a topic's own settings.
    pub(crate) fn configs_of(&self, topic: &str) -> Vec<Arc<str>> {
        let topic = self.image.topic(topic);
        topic.map(|it| it.configs.keys().cloned().collect()).unwrap_or_default()
    }

    /// What the nodes are set to.
    pub(crate) fn settings(&self) -> &BrokerSettings {
        &self.settings
    }

    /// Changes settings of one topic, all or none.
    ///
    /// # Errors
    /// When one of them cannot be; then nothing was written.
    pub(crate) fn alter_configs(
        &mut self,
        topic: &str,
        alterations: &[ConfigAlteration],
        effects: &mut Effects,
    ) -> Result<(), TopicError> {
        let records = self.check_alterations(topic, alterations)?;
        let is_min_isr = |record: &MetadataRecord| matches!(record, MetadataRecord::Config(it) if &*it.name == MIN_ISR);
        let min_isr_changes = records.iter().any(is_min_isr);
        self.append(records);
        if min_isr_changes {
            self.reconsider_eligible(topic, effects);
        }
        Ok(())
    }

    /// With a smaller `min.insync.replicas` an ISR that was too small may commit again, and
    /// whoever is outside of it lacks what it commits (CTL-6).
    fn reconsider_eligible(&mut self, topic: &str, effects: &mut Effects) {
        let partitions = self.image.partitions().map(|(id, _)| id);
        let of_topic: Vec<TopicPartition> =
            partitions.filter(|id| &*id.topic == topic).collect();
        let alive = self.alive();
        for id in of_topic {
            let Some(isr) = self.partition(&id).map(|state| state.isr.clone()) else {
                continue;
            };
            let target = self.target(&id, isr, &alive);
            let record = self.change_record(&id, &target, effects);
            self.append(record.into_iter().collect());
        }
    }

    /// Checks a change of settings, and tells the records that it takes.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn check_alterations(
        &self,
        topic: &str,
        alterations: &[ConfigAlteration],
    ) -> Result<Vec<MetadataRecord>, TopicError> {
        let Some((name, known)) = self.image.topics().get_key_value(topic) else {
            let message = format!("The topic '{topic}' does not exist.");
            return Err(error(ErrorCode::UnknownTopicOrPartition, message));
        };
        let mut changed: BTreeMap<Arc<str>, Option<Arc<str>>> = BTreeMap::new();
        for it in alterations {
            if changed.contains_key(&it.name) {
                let message = format!("Duplicate config key: {}", it.name);
                return Err(error(ErrorCode::InvalidRequest, message));
            }
            let current = known.configs.get(&it.name).map(|value| &**value);
            let value = altered(it, current.unwrap_or(default_of(&it.name)))?;
            changed.insert(it.name.clone(), value);
        }
        let differs = |(key, value): &(Arc<str>, Option<Arc<str>>)| {
            known.configs.get(key) != value.as_ref()
        };
        let record = |(key, value)| {
            let topic = name.clone();
            MetadataRecord::Config(TopicConfig { topic, name: key, value })
        };
        Ok(changed.into_iter().filter(differs).map(record).collect())
    }
}

/// The value that a setting gets; none is the default again.
fn altered(it: &ConfigAlteration, current: &str) -> Result<Option<Arc<str>>, TopicError> {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    let given = it.value.as_deref().unwrap_or_default();
    let value = match it.op {
        AlterOp::Delete => {
            let known = kind_of(&it.name).map(|_| None);
            let message = format!("Unknown topic config name: {}", it.name);
            return known.ok_or_else(|| error(ErrorCode::InvalidConfig, message));
        }
        AlterOp::Set => {
            check_config(&it.name, it.value.as_deref())?;
            return Ok(it.value.clone());
        }
        AlterOp::Append | AlterOp::Subtract
            if !matches!(kind_of(&it.name), Some(Kind::Words(_))) =>
        {
            let message = format!("Can't change {} as a list.", it.name);
            return Err(error(ErrorCode::InvalidConfig, message));
        }
        AlterOp::Append => {
            let mut all = words(current);
            all.extend(
                words(given).into_iter().filter(|it| !words(current).contains(it)),
            );
            let all = all.join(",");
            check_config(&it.name, Some(&all))?;
            all
        }
        AlterOp::Subtract => {
            let mut all = words(current);
            all.retain(|word| !words(given).contains(word));
            all.join(",")
        }
    };
    Ok(Some(value.into()))
}
