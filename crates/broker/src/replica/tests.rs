//! One replica by itself: the rules of the ISR and the high watermark.

mod compaction;
mod transactions;

use topomotion_log::{BatchBuilder, LogConfig, RecordRef};
use topomotion_wire::{
    Acks, Bytes, Endpoint, ErrorCode, Incarnation, Output, TopicPartition,
};

use super::*;
use crate::metadata::{BrokerChange, FencingChange, MetadataRecord, RegisterBroker};

const ME: NodeId = NodeId(1);

struct Bench {
    image: MetadataImage,
    settings: BrokerSettings,
    replica: Replica,
    effects: Effects,
    ms: u64,
}

fn state(isr: &[i32], leader_epoch: i32, partition_epoch: i32) -> PartitionState {
    PartitionState {
        replicas: (1..=3).map(NodeId).collect(),
        isr: isr.iter().copied().map(NodeId).collect(),
        leader: Some(ME),
        leader_epoch: LeaderEpoch(leader_epoch),
        partition_epoch: PartitionEpoch(partition_epoch),
        ..PartitionState::default()
    }
}

impl Bench {
    /// The leader of three replicas, of which `isr` are in sync.
    fn new(isr: &[i32]) -> Bench {
        let id = TopicPartition::new("orders", 0);
        let log = Log::new(id.clone(), LogConfig::default());
        let mut bench = Bench {
            image: MetadataImage::default(),
            settings: BrokerSettings::default(),
            replica: Replica::new(id, TopicId::default(), log, Offset(0)),
            effects: Effects::default(),
            ms: 0,
        };
        (1..=3).for_each(|id| bench.unfence(id));
        bench.apply(&state(isr, 0, 0));
        bench
    }

    fn unfence(&mut self, id: i32) {
        let (broker, epoch) = (NodeId(id), BrokerEpoch(i64::from(id)));
        self.image.apply(&MetadataRecord::RegisterBroker(RegisterBroker {
            broker,
            incarnation: Incarnation::default(),
            epoch,
            endpoint: Endpoint { host: "b".into(), port: 1 },
            rack: None,
            liveness: topomotion_wire::BrokerLiveness::Fenced,
        }));
        self.fencing(id, FencingChange::Unfence);
    }

    fn fencing(&mut self, id: i32, fencing: FencingChange) {
        let (broker, epoch) = (NodeId(id), BrokerEpoch(i64::from(id)));
        let change = BrokerChange { broker, epoch, fencing };
        self.image.apply(&MetadataRecord::BrokerChange(change));
    }

    fn with<T>(
        &mut self,
        act: impl FnOnce(&mut Replica, Site<'_>, &mut Effects) -> T,
    ) -> T {
        let now = Instant::ZERO + topomotion_wire::Duration::from_millis(self.ms);
        let site = Site {
            me: ME,
            now,
            settings: &self.settings,
            image: &self.image,
            wall_clock_base_ms: 0,
        };
        act(&mut self.replica, site, &mut self.effects)
    }

    fn apply(&mut self, state: &PartitionState) {
        self.with(|replica, site, effects| replica.apply(site, state, effects));
    }

    fn append(&mut self, acks: Acks) -> Result<i64, ErrorCode> {
        let mut batch = BatchBuilder::new();
        batch.push(&RecordRef::default());
        let records: Bytes = batch.build().into_bytes();
        let appended = self
            .with(|replica, site, effects| replica.append(site, acks, records, effects));
        appended.map(|info| info.base.0)
    }

    fn fetch(&mut self, id: i32, offset: i64) {
        let epoch = Some(BrokerEpoch(i64::from(id)));
        self.with(|replica, site, effects| {
            replica.note_fetch(site, NodeId(id), epoch, Offset(offset), effects);
        });
    }

    fn shrink(&mut self) {
        self.with(Replica::shrink_isr);
    }

    fn send(&mut self) -> Option<Vec<(i32, i64)>> {
        let data = self.replica.send_proposal(ME, BrokerEpoch(1))?;
        let members = data.new_isr_with_epochs.iter();
        Some(members.map(|it| (it.broker_id.0, it.broker_epoch)).collect())
    }

    fn decide(&mut self, decision: Decision) {
        let asked_at = self.replica.partition_epoch();
        self.with(|replica, site, effects| {
            replica.decide(site, asked_at, decision, effects);
        });
    }

    fn accept(&mut self, isr: &[i32]) {
        let next = PartitionEpoch(self.replica.partition_epoch().0 + 1);
        self.decide(Decision::Accepted(Registered {
            isr: isr.iter().copied().map(NodeId).collect(),
            leader_epoch: self.replica.leader_epoch(),
            partition_epoch: next,
        }));
    }

    fn watermark(&self) -> i64 {
        self.replica.high_watermark().0
    }

    fn maximal(&self) -> Vec<i32> {
        self.replica.view().maximal_isr.iter().map(|id| id.0).collect()
    }

    fn marked(&mut self, rule: Rule) -> bool {
        let outputs: Vec<_> = std::iter::from_fn(|| self.effects.next_output()).collect();
        let is_it = |output: &Output| matches!(output, Output::Mark { rule: it, .. } if *it == rule);
        outputs.iter().any(is_it)
    }
}

#[test]
fn the_watermark_follows_the_slowest_member() {
    let mut bench = Bench::new(&[1, 2, 3]);
    assert_eq!(bench.append(Acks::All), Ok(0));
    assert_eq!(bench.append(Acks::All), Ok(1));
    bench.fetch(2, 2);
    assert_eq!(bench.watermark(), 0, "3 has not been heard of");
    bench.fetch(3, 1);
    assert_eq!(bench.watermark(), 1);
    bench.fetch(3, 2);
    assert_eq!(bench.watermark(), 2);
}

#[test]
fn a_joining_follower_counts_before_the_controller_has_agreed() {
    let mut bench = Bench::new(&[1, 2]);
    bench.fetch(2, 0);
    bench.fetch(3, 0);
    assert_eq!(bench.maximal(), [1, 2, 3]);
    assert_eq!(bench.send(), Some(vec![(1, 1), (2, 2), (3, 3)]));
    assert_eq!(bench.append(Acks::All), Ok(0));
    bench.fetch(2, 1);
    assert_eq!(bench.watermark(), 0, "3 counts already");
    bench.decide(Decision::Refused(ErrorCode::IneligibleReplica));
    assert_eq!(bench.maximal(), [1, 2]);
    bench.fencing(3, FencingChange::Fence);
    bench.fetch(2, 1);
    assert_eq!(bench.watermark(), 1, "and no more");
}

#[test]
fn a_leaving_follower_counts_until_the_controller_has_agreed() {
    let mut bench = Bench::new(&[1, 2, 3]);
    bench.fetch(2, 0);
    bench.fetch(3, 0);
    assert_eq!(bench.append(Acks::All), Ok(0));
    bench.ms = 29_000;
    bench.fetch(2, 1);
    bench.shrink();
    assert_eq!(bench.send(), None, "30 s have not passed");
    bench.ms = 31_000;
    bench.shrink();
    assert_eq!(bench.send(), Some(vec![(1, 1), (2, 2)]));
    assert_eq!((bench.maximal(), bench.watermark()), (vec![1, 2, 3], 0));
    bench.accept(&[1, 2]);
    assert_eq!((bench.maximal(), bench.watermark()), (vec![1, 2], 1));
}

#[test]
fn one_change_is_under_way_at_a_time() {
    let mut bench = Bench::new(&[1]);
    bench.fetch(2, 0);
    bench.fetch(3, 0);
    assert_eq!(bench.send(), Some(vec![(1, 1), (2, 2)]));
    assert_eq!(bench.send(), None, "asked already");
    bench.accept(&[1, 2]);
    bench.fetch(3, 0);
    assert_eq!(bench.send(), Some(vec![(1, 1), (2, 2), (3, 3)]));
}

#[test]
fn the_answer_says_whether_to_drop_to_wait_or_to_ask_again() {
    let mut bench = Bench::new(&[1, 2]);
    bench.fetch(3, 0);
    assert!(bench.send().is_some());
    bench.decide(Decision::Refused(ErrorCode::UnknownServerError));
    assert!(bench.send().is_some(), "asked again");
    bench.decide(Decision::Refused(ErrorCode::InvalidUpdateVersion));
    assert_eq!((bench.send(), bench.maximal()), (None, vec![1, 2, 3]), "waits");
    bench.apply(&state(&[1], 0, 1));
    assert_eq!(bench.maximal(), [1], "the metadata log has told");
    assert!(bench.marked(Rule::Rep12));
}

#[test]
fn an_older_registration_is_ignored() {
    let mut bench = Bench::new(&[1, 2]);
    bench.fetch(3, 0);
    bench.send();
    bench.accept(&[1, 2, 3]);
    bench.apply(&state(&[1, 2], 0, 0));
    assert_eq!(bench.maximal(), [1, 2, 3]);
    assert!(bench.marked(Rule::Rep17));
}

#[test]
fn a_member_outside_the_isr_that_keeps_up_holds_the_watermark() {
    let mut bench = Bench::new(&[1, 2]);
    bench.fencing(3, FencingChange::Fence);
    bench.fetch(3, 0);
    bench.fetch(2, 0);
    assert_eq!(bench.append(Acks::All), Ok(0));
    bench.fencing(3, FencingChange::Unfence);
    bench.fetch(2, 1);
    assert_eq!(bench.watermark(), 0, "it is about to join: REP-2's third part");
    bench.ms = 30_001;
    bench.fetch(2, 1);
    assert_eq!(bench.watermark(), 1, "it has fallen behind");
}

#[test]
fn a_new_leadership_starts_with_its_own_watermark_and_no_memory() {
    let mut bench = Bench::new(&[1, 2, 3]);
    assert_eq!(bench.append(Acks::Leader), Ok(0));
    bench.fetch(2, 1);
    bench.fetch(3, 1);
    assert_eq!(bench.append(Acks::Leader), Ok(1));
    bench.apply(&state(&[1, 2, 3], 1, 1));
    assert_eq!(bench.watermark(), 1);
    assert_eq!(
        bench.replica.latest_for_consumers(Isolation::Uncommitted),
        Err(ErrorCode::OffsetNotAvailable)
    );
    bench.fetch(2, 2);
    assert_eq!(bench.watermark(), 1, "3 has to show itself again");
    bench.fetch(3, 2);
    assert_eq!(bench.replica.latest_for_consumers(Isolation::Uncommitted), Ok(Offset(2)));
    let epochs = bench.replica.log().epochs().entries();
    assert_eq!(epochs.iter().map(|it| it.start.0).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn a_fetch_in_another_leadership_is_refused() {
    let mut bench = Bench::new(&[1, 2, 3]);
    bench.apply(&state(&[1, 2, 3], 5, 1));
    let mut read = |epoch| {
        let at = FetchAt {
            offset: Offset(0),
            current_leader_epoch: Some(LeaderEpoch(epoch)),
            last_fetched_epoch: None,
            max_bytes: 100,
            at_least: AtLeast::OneBatch,
        };
        bench.with(|replica, site, _| {
            replica.read(site, Reader::Consumer(Isolation::Uncommitted), at).err()
        })
    };
    assert_eq!(read(4), Some(ErrorCode::FencedLeaderEpoch));
    assert_eq!(read(6), Some(ErrorCode::UnknownLeaderEpoch));
    assert_eq!(read(5), None);
}

#[test]
fn a_fetch_of_an_older_incarnation_is_refused() {
    let mut bench = Bench::new(&[1, 2, 3]);
    let at = FetchAt {
        offset: Offset(0),
        current_leader_epoch: None,
        last_fetched_epoch: None,
        max_bytes: 100,
        at_least: AtLeast::OneBatch,
    };
    let mut read = |id, epoch| {
        let reader = Reader::Follower { id: NodeId(id), epoch: Some(BrokerEpoch(epoch)) };
        bench.with(|replica, site, _| replica.read(site, reader, at).err())
    };
    assert_eq!(read(2, 2), None);
    assert_eq!(read(2, 1), Some(ErrorCode::NotLeaderOrFollower), "KIP-903");
    assert_eq!(read(9, 1), Some(ErrorCode::UnknownLeaderEpoch), "not assigned");
}
