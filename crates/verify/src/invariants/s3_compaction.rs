//! S3: compaction takes a record only if a later one of the same key stays that nobody can cut
//! off, if its transaction was aborted, or if it has no key; what it leaves is what was there,
//! in the same order at the same offsets. S4: a tombstone, and a marker without records, goes
//! no earlier than `delete.retention.ms` after the first round that met it.
//!
//! Time is what the clock of the host says, as in the batches: clocks that jump excuse
//! nothing.

use std::collections::BTreeMap;

use topomotion_sim::{
    Asked, ClusterPlan, Filed, Sight, Stored, StoredBatch, StoredKind, StoredRecord,
};

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name, Replica};

const RETENTION: &str = "delete.retention.ms";
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

#[derive(Debug, Default)]
pub(crate) struct Compaction {
    /// The shortest time for which each topic ever kept tombstones; a day if nothing is said.
    retention_ms: BTreeMap<String, i64>,
}

impl Compaction {
    pub fn new(plan: Option<&ClusterPlan>) -> Compaction {
        let mut compaction = Compaction::default();
        for topic in plan.iter().flat_map(|plan| &plan.topics) {
            compaction.note(&topic.name, &topic.settings);
        }
        compaction
    }

    fn note(&mut self, topic: &str, settings: &BTreeMap<String, String>) {
        let Some(ms) = settings.get(RETENTION).and_then(|it| it.parse().ok()) else {
            return;
        };
        let known = self.retention_ms.entry(topic.to_owned()).or_insert(ms);
        *known = ms.min(*known);
    }

    fn retention_of(&self, partition: &Name) -> i64 {
        let topic = partition.rsplit_once('-').map(|(topic, _)| topic);
        let known = topic.and_then(|topic| self.retention_ms.get(topic));
        known.copied().unwrap_or(DAY_MS)
    }
}

/// One segment, written anew.
struct Round<'a> {
    stored: &'a Stored,
    /// The whole log as it was.
    before: &'a [StoredBatch],
    /// The segment as it was, and as it is.
    old: &'a [StoredBatch],
    after: &'a [StoredBatch],
    wall_ms: i64,
    /// Nothing from here on can stand in for anything.
    clean_to: i64,
    retention_ms: i64,
}

impl Checker for Compaction {
    fn witness(&mut self, model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        let stored = match sight {
            Sight::Asked(Asked::TopicSet { topic, settings }) => {
                return self.note(topic, settings);
            }
            Sight::Stored(stored) => stored,
            _ => return,
        };
        let Filed::Rewritten { wall_ms, until, active, before, after } = &stored.what
        else {
            return;
        };
        let replica = model.replica(&stored.process, &stored.partition);
        let watermark = replica.map_or(0, Replica::watermark_at_most);
        let from = before.partition_point(|batch| batch.base < stored.segment);
        let to = before.partition_point(|batch| batch.base < *until).max(from);
        let round = Round {
            stored,
            before,
            old: &before[from..to],
            after,
            wall_ms: *wall_ms,
            clean_to: watermark.min(*active),
            retention_ms: self.retention_of(&stored.partition),
        };
        round.nothing_is_new(bench);
        round.what_is_gone_may_go(bench);
        round.horizons_are_far(bench);
    }
}

impl Round<'_> {
    fn demand(
        &self,
        invariant: &'static str,
        holds: bool,
        text: impl FnOnce() -> String,
        bench: &mut Bench<'_>,
    ) {
        let Stored { process, partition, .. } = self.stored;
        let text = || format!("{process} compacted {partition}: {}", text());
        bench.demand(invariant, holds, text);
    }

    /// What is left was there, in this order.
    fn nothing_is_new(&self, bench: &mut Bench<'_>) {
        let mut end = self.stored.segment;
        for batch in self.after {
            let old = self.old.iter().find(|it| it.base == batch.base);
            let is_it = old.is_some_and(|old| {
                old.last == batch.last && old.producer == batch.producer
            });
            let text = || format!("a batch at {} that was not there", batch.base);
            self.demand("S3", is_it, text, bench);
            for record in &batch.records {
                let text =
                    || format!("offset {} lies behind offset {end}", record.offset);
                self.demand("S3", record.offset >= end, text, bench);
                end = record.offset + 1;
                let same = old.is_some_and(|old| old.records.contains(record));
                let text = || format!("offset {} is another record now", record.offset);
                self.demand("S3", same, text, bench);
            }
        }
    }

    fn what_is_gone_may_go(&self, bench: &mut Bench<'_>) {
        for batch in self.old {
            let stays = self.after.iter().find(|it| it.base == batch.base);
            let is_left = |record: &StoredRecord| {
                stays.is_some_and(|it| it.records.contains(record))
            };
            match batch.kind {
                StoredKind::Plain | StoredKind::InTransaction => {
                    for record in batch.records.iter().filter(|it| !is_left(it)) {
                        self.record_may_go(batch, record, bench);
                    }
                }
                StoredKind::Commit | StoredKind::Abort => {
                    let goes = stays.is_none_or(|it| it.records.is_empty());
                    if goes {
                        self.marker_may_go(batch, bench);
                    }
                }
                StoredKind::Control => {}
            }
        }
    }

    fn record_may_go(
        &self,
        batch: &StoredBatch,
        record: &StoredRecord,
        bench: &mut Bench<'_>,
    ) {
        if record.key.is_none() || self.end_of(batch) == Some(StoredKind::Abort) {
            return;
        }
        let stands_in = |other: &StoredBatch| {
            let counts = match other.kind {
                StoredKind::Plain => true,
                StoredKind::InTransaction => {
                    self.end_of(other) == Some(StoredKind::Commit)
                }
                _ => false,
            };
            let is_later = |it: &StoredRecord| {
                it.key == record.key
                    && it.offset > record.offset
                    && it.offset < self.clean_to
            };
            counts && other.records.iter().any(is_later)
        };
        if self.before.iter().any(stands_in) {
            return;
        }
        let offset = record.offset;
        if record.value.is_some() {
            let text = || format!("the last value of a key, at offset {offset}, is gone");
            return self.demand("S3", false, text, bench);
        }
        let text = || format!("the tombstone at offset {offset} is gone too early");
        self.demand("S4", self.is_over(batch), text, bench);
    }

    fn marker_may_go(&self, marker: &StoredBatch, bench: &mut Bench<'_>) {
        let base = marker.base;
        if marker.records.is_empty() {
            return;
        }
        let text = || format!("the marker at offset {base} is gone too early");
        self.demand("S4", self.is_over(marker), text, bench);
        let left = self.before.iter().take_while(|it| it.base < self.stored.segment);
        let mut left = left.chain(self.after);
        let has_records = left.any(|batch| {
            batch.kind == StoredKind::InTransaction
                && !batch.records.is_empty()
                && batch.producer == marker.producer
                && self.marker_of(batch).is_some_and(|it| it.base == base)
        });
        let text = || format!("records are left of the marker at offset {base}");
        self.demand("S4", !has_records, text, bench);
    }

    /// Whether the time is over for which what is to be deleted is kept.
    fn is_over(&self, batch: &StoredBatch) -> bool {
        batch.horizon.is_some_and(|horizon| self.wall_ms >= horizon)
    }

    /// A horizon is given once, and not for less than is wanted.
    fn horizons_are_far(&self, bench: &mut Bench<'_>) {
        for batch in self.after {
            let Some(horizon) = batch.horizon else { continue };
            let old = self.old.iter().find(|it| it.base == batch.base);
            let holds = match old.and_then(|old| old.horizon) {
                Some(known) => known == horizon,
                None => horizon >= self.wall_ms.saturating_add(self.retention_ms),
            };
            let (base, now) = (batch.base, self.wall_ms);
            let text =
                || format!("the batch at {base} is to be kept until {horizon} at {now}");
            self.demand("S4", holds, text, bench);
        }
    }

    fn marker_of(&self, batch: &StoredBatch) -> Option<&StoredBatch> {
        let mut behind = self.before.iter().filter(|it| it.base > batch.base);
        behind.find(|it| {
            it.producer == batch.producer
                && matches!(it.kind, StoredKind::Commit | StoredKind::Abort)
        })
    }

    /// How a batch's transaction has ended.
    fn end_of(&self, batch: &StoredBatch) -> Option<StoredKind> {
        match batch.kind {
            StoredKind::InTransaction => self.marker_of(batch).map(|it| it.kind),
            _ => None,
        }
    }
}
