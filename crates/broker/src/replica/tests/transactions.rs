//! One replica and producers that number what they write.

use topomotion_log::{Attributes, Marker, MarkerKind, ProducerStamp};
use topomotion_wire::{ProducerEpoch, ProducerId};

use super::*;

impl Bench {
    fn send_numbered(
        &mut self,
        (id, epoch, sequence): (i64, i16, i32),
        attributes: Attributes,
    ) -> Result<i64, ErrorCode> {
        let stamp = ProducerStamp { id, epoch, base_sequence: sequence };
        let mut batch =
            BatchBuilder::new().with_producer(stamp).with_attributes(attributes);
        batch.push(&RecordRef::default());
        let records = batch.build().into_bytes();
        let appended = self.with(|replica, site, effects| {
            replica.append(site, Acks::All, records, effects)
        });
        appended.map(|info| info.base.0)
    }

    fn mark(&mut self, epoch: i16, coordinator_epoch: i32) -> Result<i64, ErrorCode> {
        let (producer, epoch) = (ProducerId(7), ProducerEpoch(epoch));
        let kind = MarkerKind::Abort;
        let marker = Marker { producer, epoch, coordinator_epoch, kind };
        let appended = self
            .with(|replica, site, effects| replica.append_marker(site, marker, effects));
        appended.map(|info| info.base.0)
    }

    fn all_fetch(&mut self, offset: i64) {
        self.fetch(2, offset);
        self.fetch(3, offset);
    }

    fn stable(&self) -> i64 {
        self.replica.last_stable_offset().0
    }

    fn facts(&mut self) -> Vec<i64> {
        let outputs = std::iter::from_fn(|| self.effects.next_output());
        let stable = outputs.filter_map(|output| match output {
            Output::Fact(Fact::LastStable { offset, .. }) => Some(offset.0),
            _ => None,
        });
        stable.collect()
    }

    fn read_committed(&mut self, from: i64) -> Slice {
        let at = FetchAt {
            offset: Offset(from),
            current_leader_epoch: None,
            last_fetched_epoch: None,
            max_bytes: 10_000,
            at_least: AtLeast::OneBatch,
        };
        let reader = Reader::Consumer(Isolation::Committed);
        self.with(|replica, site, _| replica.read(site, reader, at)).expect("it leads")
    }
}

const PART: Attributes = Attributes::TRANSACTIONAL;
const ALONE: Attributes = Attributes(0);

#[test]
fn a_batch_sent_twice_is_answered_with_its_first_offset() {
    let mut bench = Bench::new(&[1, 2, 3]);
    assert_eq!(bench.append(Acks::All), Ok(0));
    assert_eq!(bench.send_numbered((7, 0, 0), ALONE), Ok(1));
    assert_eq!(bench.send_numbered((7, 0, 1), ALONE), Ok(2));
    assert_eq!(bench.send_numbered((7, 0, 0), ALONE), Ok(1));
    assert!(bench.marked(Rule::Prd4));
    assert_eq!(bench.replica.log().end_offset(), Offset(3));
    let gap = bench.send_numbered((7, 0, 3), ALONE);
    assert_eq!(gap, Err(ErrorCode::OutOfOrderSequenceNumber));
    assert_eq!(bench.send_numbered((7, 1, 0), ALONE), Ok(3));
    let zombie = bench.send_numbered((7, 0, 2), ALONE);
    assert_eq!(zombie, Err(ErrorCode::InvalidProducerEpoch));
    assert!(bench.marked(Rule::Prd5));
}

#[test]
fn the_last_stable_offset_waits_for_the_marker_to_be_replicated() {
    let mut bench = Bench::new(&[1, 2, 3]);
    assert_eq!(bench.append(Acks::All), Ok(0));
    assert_eq!(bench.send_numbered((7, 0, 0), PART), Ok(1));
    assert_eq!(bench.append(Acks::All), Ok(2));
    bench.all_fetch(3);
    assert_eq!((bench.watermark(), bench.stable()), (3, 1));
    assert_eq!(bench.facts(), [1]);
    assert_eq!(bench.mark(0, 4), Ok(3));
    assert!(bench.marked(Rule::Txn6));
    assert_eq!(bench.stable(), 1, "nobody else has the marker");
    bench.all_fetch(4);
    assert_eq!((bench.watermark(), bench.stable()), (4, 4));
    assert_eq!(bench.facts(), [4]);
    assert_eq!(bench.append(Acks::All), Ok(4));
    bench.all_fetch(5);
    assert_eq!(bench.facts(), [0; 0], "it is the high watermark again");
}

#[test]
fn a_reader_of_committed_records_stops_there_and_is_told_what_was_aborted() {
    let mut bench = Bench::new(&[1, 2, 3]);
    assert_eq!(bench.append(Acks::All), Ok(0));
    assert_eq!(bench.send_numbered((7, 0, 0), PART), Ok(1));
    bench.all_fetch(2);
    let read = |slice: &Slice| match &slice.content {
        Content::Records(records) => {
            topomotion_log::Batches::new(records.clone()).flatten().count()
        }
        other => panic!("{other:?}"),
    };
    let slice = bench.read_committed(0);
    assert_eq!((read(&slice), slice.last_stable), (1, Offset(1)));
    assert_eq!(slice.aborted, Some(Vec::new()));
    let waits = bench.read_committed(1);
    assert_eq!(read(&waits), 0, "a long poll waits for the last stable offset");
    assert_eq!(bench.mark(0, 4), Ok(2));
    bench.all_fetch(3);
    let slice = bench.read_committed(0);
    assert_eq!(read(&slice), 3);
    let aborted: Vec<_> = slice.aborted.iter().flatten().map(|it| it.first.0).collect();
    assert_eq!(aborted, [1]);
    let latest = bench.replica.latest_for_consumers(Isolation::Committed);
    assert_eq!(latest, Ok(Offset(3)));
}

#[test]
fn a_marker_of_an_older_coordinator_or_epoch_is_refused() {
    let mut bench = Bench::new(&[1, 2, 3]);
    assert_eq!(bench.send_numbered((7, 2, 0), PART), Ok(0));
    assert_eq!(bench.mark(1, 4), Err(ErrorCode::InvalidProducerEpoch));
    assert_eq!(bench.mark(2, 4), Ok(1));
    assert_eq!(bench.mark(2, 3), Err(ErrorCode::TransactionCoordinatorFenced));
    assert_eq!(bench.mark(2, 4), Ok(2), "a second one changes nothing");
}

#[test]
fn a_verification_does_not_outlive_a_marker() {
    let mut bench = Bench::new(&[1, 2, 3]);
    let guard = bench.replica.verification_guard(ProducerId(7));
    let other = bench.replica.verification_guard(ProducerId(8));
    assert!(bench.replica.holds(guard));
    assert_eq!(bench.mark(0, 4), Ok(0));
    assert!(!bench.replica.holds(guard));
    assert!(bench.replica.holds(other));
    bench.apply(&state(&[1, 2, 3], 1, 1));
    assert!(!bench.replica.holds(other), "another leadership");
}

#[test]
fn only_the_epoch_counts_of_what_a_coordinator_writes() {
    let mut bench = Bench::new(&[1, 2, 3]);
    let mut write = |epoch| {
        let stamp = ProducerStamp { id: 7, epoch, base_sequence: -1 };
        let mut batch = BatchBuilder::new().with_producer(stamp).with_attributes(PART);
        batch.push(&RecordRef::default());
        let records = batch.build().into_bytes();
        let appended = bench.with(|replica, site, effects| {
            replica.append_as_coordinator(site, records, effects)
        });
        appended.map(|info| info.base.0)
    };
    assert_eq!(write(3), Ok(0));
    assert_eq!(write(3), Ok(1));
    assert_eq!(write(2), Err(ErrorCode::InvalidProducerEpoch));
    assert!(bench.replica.is_in_transaction(ProducerId(7), ProducerEpoch(3)));
}
