//! Defects of groups and of what is read and written in transactions. The storm needs none of
//! its own: they are planted whole.

use std::collections::BTreeSet;

use topomotion_sim::Sight;
use topomotion_trace::{
    Event, Fault, GroupMember, GroupState, Ownership, StateChange, Time, TransactionStep,
    What,
};

use super::{CAREFUL, Evidence, GROUP, Line, Mutant, Name, PARTITION};

pub(super) const MUTANTS: &[Mutant] = &[
    ("M1", "generation_reset", |it| {
        it.group(2, "range", &[("a", &["sold-0"])]);
        it.group(1, "range", &[("a", &["sold-0"])]);
    }),
    ("M2", "assign_twice", |it| {
        it.group(2, "range", &[("a", &["sold-0"]), ("b", &["sold-0"])]);
    }),
    ("M2", "leave_one_over", |it| {
        it.reads_sold(&["a"]);
        it.group(2, "range", &[("a", &["sold-0"])]);
    }),
    ("M3", "accept_stale_commit", |it| {
        it.group(2, "range", &[("a", &["sold-0"])]);
        it.commit(1, 5);
    }),
    ("M4", "release_early", |it| {
        it.member("a", Ownership::Assigned, &["sold-0"]);
        it.member("b", Ownership::Assigned, &["sold-0"]);
    }),
    ("M5", "eager_revoke", |it| {
        it.group(2, "cooperative-sticky", &[("a", &["sold-0"])]);
        it.member("a", Ownership::Revoked, &["sold-0"]);
        it.member("a", Ownership::Assigned, &["sold-0"]);
    }),
    ("M6", "assignor", |it| {
        it.reads_sold(&["a", "b"]);
        it.group(2, "roundrobin", &[("a", &["sold-0", "sold-1"]), ("b", &[])]);
    }),
    ("M7", "assignor_fresh", |it| {
        it.reads_sold(&["a", "b"]);
        it.group(2, "sticky", &[("a", &["sold-0"]), ("b", &["sold-1"])]);
        it.member("a", Ownership::Assigned, &["sold-0"]);
        it.member("b", Ownership::Assigned, &["sold-1"]);
        it.reads_sold(&["a", "b"]);
        it.group(3, "sticky", &[("a", &["sold-1"]), ("b", &["sold-0"])]);
    }),
    ("M8", "static_as_dynamic", |it| {
        let (process, group) = (Name::from(CAREFUL), Name::from(GROUP));
        it.then_seen(Sight::Heard {
            number: 1,
            process: process.clone(),
            group: group.clone(),
            topics: None,
        });
        let coordinator = it.offsets_coordinator();
        let member = process.clone();
        it.then_seen(Sight::Kept { number: 1, coordinator, process: member, group });
        it.group(2, "range", &[(CAREFUL, &["sold-0"]), ("a", &["sold-1"])]);
        let at = Time(it.end() + 1);
        let what = What::Fault(Fault::Crash { process });
        it.lines.push(Line::Event(Event { at, what }));
        it.group(3, "range", &[("a", &["sold-0", "sold-1"])]);
    }),
    ("M9", "ack_commit_early", |it| {
        it.group(2, "range", &[("a", &["sold-0"])]);
        it.commit(2, 5);
    }),
    ("M9", "forget_commit", |it| {
        it.group(2, "range", &[("a", &["sold-0"])]);
        it.committed("sold-0", 5);
        it.told(None);
    }),
    ("M10", "pending_visible", |it| {
        it.group(2, "range", &[("a", &["sold-0"])]);
        it.pending("a", "sold-0", 5);
        it.told(Some(5));
    }),
    ("M10", "commit_beyond", |it| {
        let offsets = vec![(PARTITION.into(), 1_000_000)];
        let (process, group, error) = ("a".into(), GROUP.into(), None);
        it.then(StateChange::CommitAnswered { process, group, offsets, error });
    }),
    ("J16", "told_what_nobody_wrote", |it| {
        it.group(2, "range", &[("a", &["sold-0"])]);
        it.told(Some(9));
    }),
    ("J16", "told_what_was_deleted", |it| {
        it.group(2, "range", &[("a", &["sold-0"])]);
        it.commit(2, 5);
        it.deleted("sold-0");
        it.told(Some(5));
    }),
    ("J16", "forgotten_after_a_deletion", |it| {
        it.group(2, "range", &[("a", &["sold-0"])]);
        it.deleted("sold-0");
        it.commit(2, 5);
        it.told(None);
    }),
    ("T9", "offsets_outside_txn", |it| {
        it.read_for_transaction();
        it.committed(PARTITION, 2);
    }),
    ("J14", "consumed_twice", |it| {
        for _ in 0..2 {
            it.read_for_transaction();
            it.pending(CAREFUL, PARTITION, 2);
            it.step(CAREFUL, TransactionStep::Committed);
        }
    }),
];

impl Evidence {
    /// One broker leads all of the offsets' topic.
    fn offsets_coordinator(&mut self) -> Name {
        const TOPIC: &str = "__consumer_offsets-";
        let known = self.states().filter_map(|change| match change {
            StateChange::Registration { partition, .. } => Some(partition.clone()),
            _ => None,
        });
        let known = known.filter(|partition| partition.starts_with(TOPIC));
        let mut all: BTreeSet<Name> = known.collect();
        all.insert(format!("{TOPIC}0").into());
        let led = all.iter().map(|partition| self.coordinator_of(partition));
        led.last().expect("there is one")
    }

    /// A topic has two partitions, and these members want to read it.
    fn reads_sold(&mut self, members: &[&str]) {
        let broker = self.offsets_coordinator();
        // In one batch of metadata.
        let at = Time(self.end() + 1);
        for partition in ["sold-0", "sold-1"] {
            let what = What::State(StateChange::Registration {
                controller: "controller-101".into(),
                partition: partition.into(),
                replicas: vec![broker.clone()],
                isr: vec![broker.clone()],
                leader: Some(broker.clone()),
                leader_epoch: 0,
                partition_epoch: 0,
            });
            self.lines.push(Line::Event(Event { at, what }));
        }
        for &process in members {
            let topics = Some(BTreeSet::from(["sold".into()]));
            let (process, group) = (process.into(), GROUP.into());
            self.then_seen(Sight::Heard { number: 0, process, group, topics });
        }
    }

    /// The group is stable.
    fn group(&mut self, generation: i32, protocol: &str, members: &[(&str, &[&str])]) {
        let coordinator = self.offsets_coordinator();
        let members = members.iter().map(|(process, assigned)| GroupMember {
            id: (*process).into(),
            process: (*process).into(),
            instance: (*process == CAREFUL).then(|| "static".into()),
            epoch: generation,
            assigned: assigned.iter().map(|&it| it.into()).collect(),
        });
        self.then(StateChange::Group {
            coordinator,
            group: GROUP.into(),
            state: GroupState::Stable,
            generation,
            leader: None,
            protocol: Some(protocol.into()),
            members: members.collect(),
        });
    }

    /// A member says what it owns.
    fn member(&mut self, process: &str, change: Ownership, partitions: &[&str]) {
        let partitions: Vec<Name> = partitions.iter().map(|&it| it.into()).collect();
        let owned = match change {
            Ownership::Assigned => partitions.clone(),
            Ownership::Revoked | Ownership::Lost => Vec::new(),
        };
        let (process, group) = (process.into(), GROUP.into());
        let generation = 2;
        self.then(StateChange::Member {
            process,
            group,
            generation,
            change,
            partitions,
            owned,
        });
    }

    /// The coordinator says that it has taken an offset of `sold-0`.
    fn commit(&mut self, generation: i32, offset: i64) {
        let coordinator = self.offsets_coordinator();
        let (number, group): (u64, Name) = (1_000_000, GROUP.into());
        let offsets = vec![("sold-0".into(), offset)];
        self.then_seen(Sight::CommitAsked {
            number,
            process: "a".into(),
            coordinator: coordinator.clone(),
            group: group.clone(),
            member: "a".into(),
            generation,
            offsets: offsets.clone(),
        });
        self.then_seen(Sight::CommitTaken { number, coordinator, group, offsets });
    }

    fn committed(&mut self, partition: &str, offset: i64) {
        let coordinator = self.offsets_coordinator();
        let (group, partition) = (GROUP.into(), partition.into());
        let offset = Some(offset);
        self.then(StateChange::OffsetCommitted { coordinator, group, partition, offset });
    }

    fn deleted(&mut self, partition: &str) {
        let coordinator = self.offsets_coordinator();
        let (group, partition, offset) = (GROUP.into(), partition.into(), None);
        self.then(StateChange::OffsetCommitted { coordinator, group, partition, offset });
    }

    /// Somebody asks for what is committed of `sold-0`.
    fn told(&mut self, offset: Option<i64>) {
        let coordinator = self.offsets_coordinator();
        let (number, process): (u64, Name) = (1_000_000, "a".into());
        self.then_seen(Sight::OffsetsAsked { number, process: process.clone() });
        let (group, offsets) = (GROUP.into(), vec![("sold-0".into(), offset)]);
        self.then_seen(Sight::OffsetsTold {
            number,
            coordinator,
            process,
            group,
            offsets,
        });
    }

    /// A transaction is to commit an offset.
    fn pending(&mut self, process: &str, partition: &str, offset: i64) {
        let (process, group) = (process.into(), GROUP.into());
        let offsets = vec![(partition.into(), offset)];
        let (producer, epoch) = (77, 0);
        self.then_seen(Sight::PendingAsked { process, group, producer, epoch, offsets });
    }

    pub(super) fn step(&mut self, process: &str, step: TransactionStep) {
        let (process, id) = (process.into(), "copy".into());
        self.then(StateChange::TransactionStep { process, id, number: 1_000_000, step });
    }

    fn read_for_transaction(&mut self) {
        let id = Some("copy".into());
        self.then(StateChange::ProducerIdentified {
            process: CAREFUL.into(),
            id,
            producer: 78,
            epoch: 0,
        });
        let (process, partition) = (CAREFUL.into(), PARTITION.into());
        self.then(StateChange::Polled {
            process,
            partition,
            base: 0,
            next: 2,
            records: 2,
        });
        self.step(CAREFUL, TransactionStep::Begun);
    }
}
