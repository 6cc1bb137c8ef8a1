//! One coordinator of this broker's: a shard, and the log that it stands on.
//!
//! A new leader reads its log from end to end, and answers nobody before the high watermark
//! has proven where it took over: until then its predecessor may have shown more (REP-16).

use std::collections::VecDeque;

use topomotion_coordinator::{
    Control, GroupShard, Loaded, Shard, Stamp, TransactionShard, WriteBatch, WriteToken,
};
use topomotion_log::{
    Attributes, Batch, BatchBuilder, Marker, MarkerKind, ProducerStamp, RecordRef,
};
use topomotion_wire::{
    Bytes, Instant, LeaderEpoch, Offset, ProducerEpoch, ProducerId, Random, TopicId,
    TopicPartition,
};

use super::InternalTopic;
use crate::replica::{Replica, Site};

/// A partition of an internal topic that this broker leads.
#[derive(Debug, Clone)]
pub(super) struct Hosted {
    /// Which topic, and in which epoch it is led.
    pub(super) leadership: (TopicId, LeaderEpoch),
    /// None while the log has yet to be read.
    pub(super) shard: Option<AnyShard>,
    /// What the high watermark has yet to pass: the end of each append, oldest first.
    pub(super) appends: VecDeque<(Offset, WriteToken)>,
}

/// A coordinator of either kind.
#[derive(Debug, Clone)]
pub(super) enum AnyShard {
    Group(Box<GroupShard>),
    Transaction(Box<TransactionShard>),
}

impl AnyShard {
    /// A coordinator that knows nothing yet.
    fn new(
        site: Site<'_>,
        topic: InternalTopic,
        id: &TopicPartition,
        epoch: LeaderEpoch,
    ) -> AnyShard {
        let settings = site.settings;
        match topic {
            InternalTopic::Offsets => {
                let mut config = settings.groups.clone();
                config.wall_clock_base_ms = site.wall_clock_base_ms;
                // Another stream for each process, partition and leadership.
                let process = site.image.broker(site.me).map(|it| it.incarnation.0);
                let (high, low) = process.unwrap_or_default().as_u64_pair();
                let place = (u64::from(epoch.0.unsigned_abs()) << 32)
                    | u64::from(id.partition.unsigned_abs());
                let random = Random::new(high ^ low, place);
                AnyShard::Group(Box::new(GroupShard::new(config, random)))
            }
            InternalTopic::Transactions => {
                let mut config = settings.transactions.clone();
                config.offsets_topic_partitions = settings.offsets_topic_num_partitions;
                config.wall_clock_base_ms = site.wall_clock_base_ms;
                AnyShard::Transaction(Box::new(TransactionShard::new(epoch, config)))
            }
        }
    }

    /// A coordinator that has read its partition's log, and does not serve yet.
    pub(super) fn read(
        site: Site<'_>,
        topic: InternalTopic,
        id: &TopicPartition,
        replica: &Replica,
    ) -> AnyShard {
        let mut shard = AnyShard::new(site, topic, id, replica.leader_epoch());
        let log = replica.log();
        for batch in log.batches(log.start_offset(), log.end_offset()) {
            feed(shard.as_mut(), site.now, &batch);
        }
        shard
    }

    pub(super) fn as_mut(&mut self) -> &mut dyn Shard {
        match self {
            AnyShard::Group(shard) => &mut **shard,
            AnyShard::Transaction(shard) => &mut **shard,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            AnyShard::Group(shard) => shard.deadline(),
            AnyShard::Transaction(shard) => shard.deadline(),
        }
    }
}

/// Gives a shard what one batch holds. What does not parse is nothing that a coordinator wrote.
fn feed(shard: &mut dyn Shard, now: Instant, batch: &Batch) {
    if let Some(marker) = Marker::of_batch(batch) {
        let stamp = Stamp { producer: marker.producer, epoch: marker.epoch };
        let control = match marker.kind {
            MarkerKind::Commit => Control::Commit,
            MarkerKind::Abort => Control::Abort,
        };
        return shard.load(now, Loaded::Marker { stamp, control });
    }
    if batch.is_control() {
        return;
    }
    let is_transactional = batch.attributes().contains(Attributes::TRANSACTIONAL);
    let transaction = batch.producer().filter(|_| is_transactional).map(|stamp| Stamp {
        producer: ProducerId(stamp.id),
        epoch: ProducerEpoch(stamp.epoch),
    });
    let Ok(records) = batch.records() else { return };
    for record in records.flatten() {
        let Some(key) = record.key else { continue };
        let (offset, timestamp) = (record.offset, record.timestamp);
        let value = record.value;
        shard.load(now, Loaded::Record { offset, timestamp, transaction, key, value });
    }
}

/// The bytes of what a shard wants appended, or none if that is nothing.
pub(super) fn encode(batch: &WriteBatch, timestamp: i64) -> Option<Bytes> {
    if batch.records.is_empty() {
        return None;
    }
    let mut builder = BatchBuilder::new();
    if let Some(stamp) = batch.transaction {
        let (id, epoch) = (stamp.producer.0, stamp.epoch.0);
        builder = builder
            .with_attributes(Attributes::TRANSACTIONAL)
            .with_producer(ProducerStamp { id, epoch, base_sequence: -1 });
    }
    for (key, value) in &batch.records {
        let (key, value) = (Some(&key[..]), value.as_deref());
        builder.push(&RecordRef { timestamp, key, value, headers: &[] });
    }
    Some(builder.build().into_bytes())
}
