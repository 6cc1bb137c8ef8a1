//! What compaction has made of batches: which offsets are gone, and which batch was another
//! before. Whether it may do so S3 and S4 judge; here it is what others must count with.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_sim::{Filed, Stored, StoredBatch};

use crate::model::Name;

/// What is known of it, by partition.
#[derive(Debug, Clone, Default)]
pub(crate) struct Compacted {
    partitions: BTreeMap<Name, Thinned>,
}

#[derive(Debug, Clone, Default)]
struct Thinned {
    /// Offsets that some replica no longer holds.
    gone: BTreeSet<i64>,
    /// First offsets of batches that some replica no longer holds.
    whole: BTreeSet<i64>,
    /// Batches by what they have become, and where: batches of which nothing is left may look
    /// the same.
    origins: BTreeMap<(u32, i64), u32>,
}

impl Compacted {
    /// Takes a segment in that was written anew.
    pub fn note(&mut self, stored: &Stored) {
        let Filed::Rewritten { before, after, until, .. } = &stored.what else { return };
        let thinned = self.partitions.entry(stored.partition.clone()).or_default();
        let old = before.iter().filter(|it| (stored.segment..*until).contains(&it.base));
        for batch in old {
            match after.iter().find(|it| it.base == batch.base) {
                None => {
                    thinned.whole.insert(batch.base);
                    thinned.gone.extend(batch.base..=batch.last);
                }
                Some(now) => thinned.change(batch, now),
            }
        }
    }

    /// What this batch was before anybody compacted it.
    pub fn origin(&self, partition: &Name, (base, batch): (i64, u32)) -> u32 {
        let origins = self.partitions.get(partition).map(|it| &it.origins);
        origins.and_then(|origins| origins.get(&(batch, base))).copied().unwrap_or(batch)
    }

    /// The same, of one that is read from here on: its first records may have been read before.
    pub fn origin_within(&self, partition: &Name, (from, batch): (i64, u32)) -> u32 {
        let origins = self.partitions.get(partition).map(|it| &it.origins);
        let below = origins
            .and_then(|it| it.range((batch, i64::MIN)..=(batch, from)).next_back());
        below.map_or(batch, |(_, origin)| *origin)
    }

    /// The same, of one that is somewhere: it has records, and looks like no other.
    pub fn origin_of(&self, partition: &Name, batch: u32) -> u32 {
        let origins = self.partitions.get(partition).map(|it| &it.origins);
        let mut places = origins
            .into_iter()
            .flat_map(|it| it.range((batch, i64::MIN)..=(batch, i64::MAX)));
        places.next().map_or(batch, |(_, origin)| *origin)
    }

    /// Whether nothing is gone between these offsets but what compaction has taken.
    pub fn is_gone(&self, partition: &Name, mut offsets: std::ops::Range<i64>) -> bool {
        let gone = self.partitions.get(partition).map(|it| &it.gone);
        offsets.all(|offset| gone.is_some_and(|gone| gone.contains(&offset)))
    }

    /// Whether compaction has taken anything between these offsets.
    pub fn is_thin(&self, partition: &Name, offsets: std::ops::Range<i64>) -> bool {
        let gone = self.partitions.get(partition).map(|it| &it.gone);
        gone.is_some_and(|gone| {
            !offsets.is_empty() && gone.range(offsets).next().is_some()
        })
    }

    /// Whether the batch that began here is gone; without an offset, whether any is.
    pub fn has_taken(&self, partition: &Name, base: Option<i64>) -> bool {
        let whole = self.partitions.get(partition).map(|it| &it.whole);
        whole.is_some_and(|whole| match base {
            Some(base) => whole.contains(&base),
            None => !whole.is_empty(),
        })
    }

    /// Forgets partitions.
    pub fn retain(&mut self, is_kept: impl Fn(&Name) -> bool) {
        self.partitions.retain(|partition, _| is_kept(partition));
    }
}

impl Thinned {
    fn change(&mut self, batch: &StoredBatch, now: &StoredBatch) {
        let gone = batch.records.iter().filter(|it| !now.records.contains(it));
        self.gone.extend(gone.map(|record| record.offset));
        if now.batch != batch.batch {
            let known = self.origins.get(&(batch.batch, batch.base));
            let origin = known.copied().unwrap_or(batch.batch);
            self.origins.insert((now.batch, now.base), origin);
        }
    }
}
