//! Defects of logs, as the files on a disk show them.

use std::sync::Arc;

use topomotion_sim::{Filed, Sight, Stored, StoredBatch, StoredKind, StoredRecord};

use super::{Evidence, Mutant, PARTITION};

/// What the leader's disk shows in the end.
fn shown(evidence: &mut Evidence, segment: i64, what: Filed) {
    let (process, ..) = evidence.roles();
    let partition = Arc::from(PARTITION);
    evidence.then_seen(Sight::Stored(Stored { process, partition, segment, what }));
}

fn batch(base: i64, records: &[(i64, u64, Option<u64>)]) -> StoredBatch {
    let record = |(offset, key, value): &(i64, u64, Option<u64>)| StoredRecord {
        offset: *offset,
        key: Some(*key),
        value: *value,
    };
    StoredBatch {
        base,
        last: base + 1,
        batch: 7,
        producer: None,
        kind: StoredKind::Plain,
        horizon: None,
        records: records.iter().map(record).collect(),
    }
}

/// The first segment is compacted, at 1,000 ms.
fn compacted(evidence: &mut Evidence, before: &[StoredBatch], after: &[StoredBatch]) {
    let (before, after) = (before.to_vec(), after.to_vec());
    let (wall_ms, until, active) = (1_000, 100, 100);
    let what = Filed::Rewritten { wall_ms, until, active, before, after };
    shown(evidence, 0, what);
}

/// A marker, and a record of the transaction that it ends.
fn transaction(marker: StoredKind) -> [StoredBatch; 2] {
    let mut record = batch(0, &[(0, 1, Some(1))]);
    (record.kind, record.producer) = (StoredKind::InTransaction, Some(77));
    let mut end = batch(2, &[(2, 0, None)]);
    (end.kind, end.producer) = (marker, Some(77));
    [record, end]
}

pub(super) const MUTANTS: &[Mutant] = &[
    ("S1", "index_skew", |it| {
        let (entries, batches) = (vec![(4, 0), (8, 90)], vec![(0, 4, 4), (90, 9, 9)]);
        shown(it, 0, Filed::Indexed { entries, batches });
    }),
    ("S1", "index_points_into_a_batch", |it| {
        let (entries, batches) = (vec![(4, 10)], vec![(0, 4, 4), (90, 9, 9)]);
        shown(it, 0, Filed::Indexed { entries, batches });
    }),
    ("S1", "index_falls", |it| {
        let (entries, batches) = (vec![(9, 90), (4, 0)], vec![(0, 4, 4), (90, 9, 9)]);
        shown(it, 0, Filed::Indexed { entries, batches });
    }),
    ("S1", "time_index_falls", |it| {
        shown(it, 0, Filed::TimeIndexed { entries: vec![(2_000, 4), (1_000, 9)] });
    }),
    ("S2", "retention_hw", |it| {
        let (segment, end) = (0, it.log_end() + 5);
        shown(it, segment, Filed::Gone { end, left: vec![end] });
    }),
    ("S2", "retention_takes_the_newest", |it| {
        shown(it, 1, Filed::Gone { end: 2, left: vec![0] });
    }),
    ("S2", "retention_takes_the_active_one", |it| {
        shown(it, 0, Filed::Gone { end: 1, left: Vec::new() });
    }),
    ("S3", "compact_reorder", |it| {
        let before = batch(0, &[(0, 1, Some(1)), (1, 2, Some(2))]);
        let after = batch(0, &[(1, 2, Some(2)), (0, 1, Some(1))]);
        compacted(it, &[before], &[after]);
    }),
    ("S3", "compaction_keeps_the_first_value", |it| {
        let before = batch(0, &[(0, 1, Some(1)), (1, 1, Some(2))]);
        compacted(it, &[before], &[batch(0, &[(0, 1, Some(1))])]);
    }),
    ("S3", "compaction_counts_with_what_may_be_cut", |it| {
        let end = it.log_end();
        let before = batch(0, &[(0, 1, Some(1))]);
        let later = batch(end, &[(end, 1, Some(2))]);
        compacted(it, &[before, later], &[]);
    }),
    ("S3", "compaction_counts_with_what_was_aborted", |it| {
        let before = batch(0, &[(0, 1, Some(1))]);
        let [mut later, end] = transaction(StoredKind::Abort);
        later.base = 1;
        later.records[0].offset = 1;
        let after = [later.clone(), end.clone()];
        compacted(it, &[before, later, end], &after);
    }),
    ("S3", "compaction_moves_a_record", |it| {
        let before = batch(0, &[(0, 1, Some(1))]);
        compacted(it, &[before], &[batch(0, &[(1, 1, Some(1))])]);
    }),
    ("S4", "tombstone_now", |it| {
        compacted(it, &[batch(0, &[(0, 1, None)])], &[batch(0, &[])]);
    }),
    ("S4", "horizon_too_near", |it| {
        let before = batch(0, &[(0, 1, None)]);
        let after = StoredBatch { horizon: Some(1_001), ..before.clone() };
        compacted(it, &[before], &[after]);
    }),
    ("S4", "marker_now", |it| {
        let [record, end] = transaction(StoredKind::Commit);
        compacted(it, &[record.clone(), end], &[record]);
    }),
    ("S4", "marker_before_its_records", |it| {
        let [record, mut end] = transaction(StoredKind::Commit);
        end.horizon = Some(500);
        compacted(it, &[record.clone(), end], &[record]);
    }),
];
