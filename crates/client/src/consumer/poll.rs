//! Handing records on: what is in an answer, at most `max.poll.records` at once. An
//! application that is slow gets the rest with its next polls.
//!
//! Under `read_committed` the answer lists aborted transactions; their batches are dropped
//! here until the abort marker is seen (TXN-8). Markers are never handed on.

use std::collections::BTreeSet;

use topomotion_log::{Attributes, Batch, Batches};
use topomotion_wire::messages::fetch_response::PartitionData;
use topomotion_wire::{
    BatchId, Defect, ErrorCode, Fact, Instant, LeaderEpoch, Offset, Rule, TopicPartition,
};

use super::Consumer;
use super::position::Position;
use crate::IsolationLevel;

/// What is handed on in one go.
struct Portion {
    /// Of the first record.
    base: Offset,
    next: Offset,
    batches: Vec<BatchId>,
    /// Of the last record.
    epoch: LeaderEpoch,
    /// How many offsets it may still take.
    room: usize,
    /// How many records it has.
    records: usize,
}

impl Portion {
    fn new(base: Offset, limit: usize) -> Portion {
        let (batches, epoch) = (Vec::new(), LeaderEpoch(-1));
        Portion { base, next: base, batches, epoch, room: limit, records: 0 }
    }

    /// Takes from a batch what fits; tells where it goes on.
    fn take(&mut self, batch: &Batch, start: Offset) -> Offset {
        let left = usize::try_from(batch.next_offset().0 - start.0).unwrap_or(0);
        let taken = left.min(self.room);
        self.room -= taken;
        if self.batches.is_empty() {
            // What was dropped before it is not part of it.
            self.base = start;
        }
        self.batches.push(batch.id());
        self.epoch = batch.leader_epoch();
        self.next = Offset(start.0 + taken as i64);
        self.records += match batch.count() == batch.last_offset_delta() + 1 {
            true => taken,
            false => records_in(batch, start, self.next),
        };
        self.next
    }
}

/// Records between two offsets of a batch that compaction has thinned out.
fn records_in(batch: &Batch, start: Offset, next: Offset) -> usize {
    let all = batch.records().into_iter().flatten().map_while(Result::ok);
    all.filter(|record| (start..next).contains(&record.offset)).count()
}

/// All of one answer.
struct Catch {
    portions: Vec<Portion>,
    next: Offset,
    epoch: LeaderEpoch,
    damage: Option<ErrorCode>,
    /// Whether records of aborted transactions were left out.
    has_dropped: bool,
}

impl Catch {
    /// Ends after the first portion; tells whether there is more.
    fn keep_one_portion(&mut self) -> bool {
        let Some(first) = self.portions.first().filter(|_| self.portions.len() > 1)
        else {
            return false;
        };
        (self.next, self.epoch, self.damage) = (first.next, first.epoch, None);
        self.portions.truncate(1);
        true
    }
}

impl Consumer {
    /// Hands records on and moves the position past them.
    pub(super) fn took(
        &mut self,
        now: Instant,
        partition: &TopicPartition,
        from: Offset,
        told: &PartitionData,
    ) {
        let limit = self.config.max_poll_records.max(1);
        let level = match self.config.isolation_level {
            _ if Defect::ReadUncommitted.is_sown() => IsolationLevel::ReadUncommitted,
            level => level,
        };
        let Some(assigned) = self.assigned.get_mut(partition) else { return };
        let Position::At { next, epoch, .. } = &mut assigned.position else { return };
        if *next != from {
            return;
        }
        let mut catch = read(told, from, *epoch, limit, level);
        // One poll's worth for who works on it; the rest waits for the next poll.
        let waits = self.application.is_slow() && catch.keep_one_portion();
        (*next, *epoch) = (catch.next, catch.epoch);
        match catch.damage {
            // What came before the damage is good; only without any is there a failure.
            Some(error) if catch.next == from => {
                return self.failed(now, partition, error);
            }
            Some(_) | None => assigned.failures = 0,
        }
        if waits {
            assigned.held = Some((catch.next, told.clone()));
            self.application.wait(partition);
        }
        if catch.has_dropped {
            self.cluster.mark(Rule::Txn8, partition);
        }
        let records = catch.portions.iter().map(|portion| limit - portion.room).sum();
        self.works_on(now, records);
        for Portion { base, next, mut batches, records, .. } in catch.portions {
            let partition = partition.clone();
            if Defect::PollSkips.is_sown() && base.0 % 2 == 1 {
                continue;
            }
            if Defect::PollRepeats.is_sown() {
                let (partition, batches) = (partition.clone(), batches.clone());
                self.cluster.fact(Fact::Polled {
                    partition,
                    base,
                    next,
                    records,
                    batches,
                });
            }
            if Defect::PollMixes.is_sown() {
                batches.reverse();
            }
            self.cluster.fact(Fact::Polled { partition, base, next, records, batches });
        }
    }
}

fn read(
    told: &PartitionData,
    from: Offset,
    epoch: LeaderEpoch,
    limit: usize,
    level: IsolationLevel,
) -> Catch {
    let mut catch = Catch {
        portions: Vec::new(),
        next: from,
        epoch,
        damage: None,
        has_dropped: false,
    };
    let mut aborted = Aborted::new(told, level);
    let mut portion = Portion::new(from, limit);
    for batch in Batches::new(told.records.clone().unwrap_or_default()) {
        let batch = match batch {
            Ok(batch) => batch,
            Err(malformed) => {
                catch.damage = Some(malformed.error_code());
                break;
            }
        };
        let is_dropped = aborted.drops(&batch);
        if batch.next_offset() <= catch.next {
            continue;
        }
        let mut start = catch.next.max(batch.base_offset());
        (catch.next, catch.epoch) = (batch.next_offset(), batch.leader_epoch());
        catch.has_dropped |= is_dropped && !batch.is_control();
        // Compaction may have left nothing but the header.
        let is_given = !is_dropped && !batch.is_control() && batch.count() > 0;
        // A batch that is too large for one portion goes on in the next.
        while is_given && start < batch.next_offset() {
            if portion.room == 0 {
                let next = Portion::new(start, limit);
                catch.portions.push(std::mem::replace(&mut portion, next));
            }
            start = portion.take(&batch, start);
        }
        portion.next = catch.next;
    }
    if !portion.batches.is_empty() {
        catch.portions.push(portion);
    }
    catch
}

/// Transactions that were aborted somewhere in the answer.
struct Aborted {
    /// (first offset, producer), the last one first.
    ahead: Vec<(i64, i64)>,
    open: BTreeSet<i64>,
}

impl Aborted {
    fn new(told: &PartitionData, level: IsolationLevel) -> Aborted {
        let listed = match level {
            IsolationLevel::ReadUncommitted => None,
            IsolationLevel::ReadCommitted => told.aborted_transactions.as_ref(),
        };
        let listed = listed.into_iter().flatten();
        let mut ahead: Vec<(i64, i64)> =
            listed.map(|one| (one.first_offset, one.producer_id.0)).collect();
        ahead.sort_unstable_by(|a, b| b.cmp(a));
        Aborted { ahead, open: BTreeSet::new() }
    }

    /// Whether the application shall not see this batch.
    fn drops(&mut self, batch: &Batch) -> bool {
        while let Some(&(first, producer)) = self.ahead.last()
            && first <= batch.last_offset().0
        {
            self.ahead.pop();
            self.open.insert(producer);
        }
        let Some(producer) = batch.producer().map(|stamp| stamp.id) else { return false };
        if batch.is_control() {
            // Whatever the marker says, the transaction ends with it.
            self.open.remove(&producer);
            return true;
        }
        let is_transactional = batch.attributes().contains(Attributes::TRANSACTIONAL);
        is_transactional && self.open.contains(&producer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use topomotion_log::{BatchBuilder, ProducerStamp, RecordRef};
    use topomotion_wire::Bytes;
    use topomotion_wire::messages::ProducerId;
    use topomotion_wire::messages::fetch_response::AbortedTransaction;

    /// One record of this producer's transaction.
    fn batch(offset: i64, producer: i64, flags: Attributes) -> Batch {
        let flags = Attributes(flags.0 | Attributes::TRANSACTIONAL.0);
        let stamp = ProducerStamp { id: producer, epoch: 0, base_sequence: 0 };
        let mut builder = BatchBuilder::new().with_attributes(flags).with_producer(stamp);
        let value = offset.to_string();
        let value = Some(value.as_bytes());
        builder.push(&RecordRef { value, ..RecordRef::default() });
        builder.build().placed(Offset(offset), LeaderEpoch(0))
    }

    fn answer(batches: &[Batch]) -> PartitionData {
        let bytes: Vec<u8> =
            batches.iter().flat_map(|batch| batch.bytes().to_vec()).collect();
        let mut told = PartitionData::default();
        told.records = Some(Bytes::from(bytes));
        let mut aborted = AbortedTransaction::default();
        (aborted.producer_id, aborted.first_offset) = (ProducerId(1), 0);
        told.aborted_transactions = Some(vec![aborted]);
        told
    }

    fn seen(level: IsolationLevel) -> (Vec<i64>, Offset) {
        let plain = Attributes::default();
        let batches = [
            batch(0, 1, plain),
            batch(1, 2, plain),
            batch(2, 1, Attributes::CONTROL),
            batch(3, 1, plain),
            batch(4, 2, Attributes::CONTROL),
        ];
        let told = answer(&batches);
        let catch = read(&told, Offset(0), LeaderEpoch(-1), 500, level);
        assert_eq!(catch.has_dropped, level == IsolationLevel::ReadCommitted);
        let handed: Vec<BatchId> =
            catch.portions.into_iter().flat_map(|portion| portion.batches).collect();
        let offsets = batches.iter().filter(|batch| handed.contains(&batch.id()));
        (offsets.map(|batch| batch.base_offset().0).collect(), catch.next)
    }

    #[test]
    fn read_committed_drops_what_was_aborted_up_to_its_marker() {
        let (offsets, next) = seen(IsolationLevel::ReadCommitted);
        assert_eq!(offsets, [1, 3], "the next transaction of producer 1 is another");
        assert_eq!(next, Offset(5), "markers are passed, not handed on");
    }

    #[test]
    fn read_uncommitted_hands_aborted_records_on_but_no_markers() {
        let (offsets, next) = seen(IsolationLevel::ReadUncommitted);
        assert_eq!((offsets, next), (vec![0, 1, 3], Offset(5)));
    }
}
