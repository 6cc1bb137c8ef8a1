//! Defects of transactions. The storm has none of its own: they are planted whole.

use std::collections::BTreeMap;

use topomotion_sim::{KnownProducer, Sight};
use topomotion_trace::{StateChange, TransactionState, TransactionStep};

use super::{CAREFUL, CAREFUL_TOO, Evidence, Mutant, Name, PARTITION};

pub(super) const MUTANTS: &[Mutant] = &[
    ("P4", "block_reuse", |it| {
        for process in ["shop", "till"] {
            let (process, id) = (process.into(), None);
            it.then(StateChange::ProducerIdentified {
                process,
                id,
                producer: 77,
                epoch: 0,
            });
        }
    }),
    ("T1", "any_transition", |it| {
        let coordinator = it.coordinator();
        it.transaction(&coordinator, TransactionState::PrepareCommit, 1);
        it.transaction(&coordinator, TransactionState::PrepareAbort, 1);
    }),
    ("T1", "epoch_falls", |it| {
        let coordinator = it.coordinator();
        it.transaction(&coordinator, TransactionState::Empty, 2);
        it.transaction(&coordinator, TransactionState::Empty, 1);
    }),
    ("T2", "marker_lost", |it| {
        let coordinator = it.coordinator();
        it.transaction(&coordinator, TransactionState::PrepareCommit, 1);
        it.transaction(&coordinator, TransactionState::CompleteCommit, 1);
    }),
    ("T3", "failover_aborts", |it| {
        let coordinator = it.coordinator();
        it.transaction(&coordinator, TransactionState::PrepareCommit, 1);
        let (process, ..) = it.roles();
        it.then_seen(Evidence::marker(process, 1, false));
    }),
    ("T3", "decided_twice", |it| {
        let coordinator = it.coordinator();
        it.transaction(&coordinator, TransactionState::PrepareCommit, 1);
        it.transaction(&coordinator, TransactionState::PrepareAbort, 1);
    }),
    ("T4", "no_fence", |it| {
        let (process, ..) = it.roles();
        it.then_seen(Evidence::marker(process.clone(), 2, true));
        let partition = PARTITION.into();
        it.then_seen(Sight::Numbered {
            process,
            partition,
            base: 1_000_001,
            count: 1,
            producer: 77,
            epoch: 1,
            sequence: 0,
            in_transaction: false,
        });
    }),
    ("P1", "no_dup_check", |it| {
        let end = it.log_end();
        it.numbered(end, 7, 0);
        it.numbered(end + 1, 8, 5);
    }),
    ("P2", "dup_offset", |it| {
        let end = it.log_end();
        it.sent(7);
        it.numbered(end, 7, 0);
        it.then(Evidence::ack(end + 5));
    }),
    ("P3", "state_not_truncated", |it| {
        let (process, ..) = it.roles();
        let partition = PARTITION.into();
        let state = KnownProducer { epoch: 0, last_sequence: Some(9), transaction: None };
        let known = BTreeMap::from([(77, state)]);
        it.then_seen(Sight::Producers { process, partition, known });
    }),
    ("P5", "retry_reorder", |it| {
        let end = it.log_end();
        it.sent(7);
        it.sent(8);
        it.numbered(end, 8, 0);
        it.numbered(end + 1, 7, 1);
    }),
    ("J2", "no_dup_check", |it| {
        let end = it.log_end();
        it.sent(7);
        it.numbered(end, 7, 0);
        it.numbered(end + 1, 7, 1);
    }),
    ("T5", "marker_lost", |it| {
        let (coordinator, end) = (it.coordinator(), it.log_end());
        it.transaction(&coordinator, TransactionState::Ongoing, 0);
        it.in_transaction(end, 7);
        it.transaction(&coordinator, TransactionState::PrepareCommit, 1);
        it.transaction(&coordinator, TransactionState::CompleteCommit, 1);
    }),
    ("T6", "lso_ahead", |it| {
        let ((process, ..), end) = (it.roles(), it.log_end());
        let (partition, offset) = (PARTITION.into(), end + 5);
        it.then(StateChange::LastStable { process, partition, offset });
    }),
    ("T7", "aborted_index_gap", |it| {
        let ((process, ..), end) = (it.roles(), it.log_end());
        it.in_transaction(end, 7);
        it.ended(end + 1, false);
        let (partition, range) = (PARTITION.into(), (end, end + 2));
        it.then_seen(Sight::Served { process, partition, range, aborted: Vec::new() });
    }),
    ("T8", "read_uncommitted", |it| {
        let end = it.log_end();
        it.in_transaction(end, 7);
        it.ended(end + 1, false);
        it.read(end);
    }),
    ("T10", "unverified", |it| {
        let (coordinator, end) = (it.coordinator(), it.log_end());
        it.transaction(&coordinator, TransactionState::CompleteAbort, 0);
        it.in_transaction(end, 7);
    }),
    ("T10", "epoch_again", |it| {
        let coordinator = it.coordinator();
        for state in [
            TransactionState::Ongoing,
            TransactionState::PrepareCommit,
            TransactionState::CompleteCommit,
            TransactionState::Ongoing,
        ] {
            it.transaction(&coordinator, state, 1);
        }
    }),
    ("J4", "aborted_read", |it| {
        let end = it.log_end();
        it.step("shop", TransactionStep::Begun);
        it.sent(7);
        it.step("shop", TransactionStep::Aborted);
        it.read(end);
    }),
    ("J5", "read_too_early", |it| {
        let end = it.log_end();
        it.step("shop", TransactionStep::Begun);
        it.sent(7);
        it.read(end);
    }),
    ("J6", "torn", |it| {
        let end = it.log_end();
        it.step("shop", TransactionStep::Begun);
        it.sent(7);
        it.in_transaction(end, 7);
        it.step("shop", TransactionStep::Aborted);
        it.ended(end + 1, true);
    }),
    ("J15", "both_read_what_the_other_wrote", |it| {
        let end = it.log_end();
        for (process, batch) in [(CAREFUL, 7), (CAREFUL_TOO, 8)] {
            it.step(process, TransactionStep::Begun);
            it.sent_by(process, batch);
        }
        it.read_by(CAREFUL, end + 1, 8);
        it.read_by(CAREFUL_TOO, end, 7);
    }),
    ("J15", "read_for_the_next_transaction", |it| {
        let end = it.log_end();
        it.step(CAREFUL, TransactionStep::Begun);
        it.sent_by(CAREFUL, 7);
        it.read_by(CAREFUL_TOO, end, 7);
        it.step(CAREFUL_TOO, TransactionStep::Begun);
        it.sent_by(CAREFUL_TOO, 8);
        it.read_by(CAREFUL, end + 1, 8);
    }),
];

impl Evidence {
    /// The transactions' topic appears, and this broker leads it.
    fn coordinator(&mut self) -> Name {
        self.coordinator_of("__transaction_state-0")
    }

    /// A coordinators' topic appears, and this broker leads it.
    pub(super) fn coordinator_of(&mut self, partition: &str) -> Name {
        let (leader, ..) = self.roles();
        let partition: Name = partition.into();
        let mut registration = self.registration();
        if let StateChange::Registration { partition: name, leader_epoch, .. } =
            &mut registration
        {
            *name = partition.clone();
            *leader_epoch = 0;
        }
        self.then(registration);
        let (process, is) = (leader.clone(), Some(leader.clone()));
        self.then(StateChange::Replica { process, partition, leader: is, epoch: 0 });
        leader
    }

    /// A coordinator says where `pay` stands.
    fn transaction(&mut self, coordinator: &Name, state: TransactionState, epoch: i16) {
        let (coordinator, id) = (coordinator.clone(), "pay".into());
        let partitions = vec![PARTITION.into()];
        self.then(StateChange::Transaction {
            coordinator,
            id,
            state,
            producer: 77,
            epoch,
            partitions,
        });
    }

    /// A marker of producer 77.
    fn marker(process: Name, epoch: i16, commits: bool) -> Sight {
        let (partition, base) = (PARTITION.into(), 1_000_000);
        Sight::Marked { process, partition, base, producer: 77, epoch, commits }
    }

    /// `shop` sends a batch.
    fn sent(&mut self, batch: u32) {
        self.sent_by("shop", batch);
    }

    fn sent_by(&mut self, process: &str, batch: u32) {
        let (process, partition) = (process.into(), PARTITION.into());
        let (count, acks, attempt) = (1, "all".into(), 0);
        self.then(StateChange::BatchSent {
            process,
            partition,
            batch,
            count,
            acks,
            attempt,
        });
    }

    /// The leader writes one record.
    fn written(&mut self, at: i64, identity: u32) -> Name {
        let (leader, _, epoch) = self.roles();
        let mut appended = Evidence::append(leader.clone(), at, epoch);
        if let StateChange::Appended { batch, .. } = &mut appended {
            *batch = identity;
        }
        self.then(appended);
        leader
    }

    fn stamped(&mut self, base: i64, batch: u32, sequence: i32) -> Sight {
        let (process, partition) = (self.written(base, batch), PARTITION.into());
        Sight::Numbered {
            process,
            partition,
            base,
            count: 1,
            producer: 77,
            epoch: 0,
            sequence,
            in_transaction: false,
        }
    }

    /// A record of producer 77.
    fn numbered(&mut self, base: i64, batch: u32, sequence: i32) {
        let seen = self.stamped(base, batch, sequence);
        self.then_seen(seen);
    }

    /// The first record of a transaction of producer 77.
    fn in_transaction(&mut self, base: i64, batch: u32) {
        let mut seen = self.stamped(base, batch, 0);
        if let Sight::Numbered { in_transaction, .. } = &mut seen {
            *in_transaction = true;
        }
        self.then_seen(seen);
    }

    /// Its marker.
    fn ended(&mut self, base: i64, commits: bool) {
        let (process, partition) = (self.written(base, 9), PARTITION.into());
        let (producer, epoch) = (77, 0);
        self.then_seen(Sight::Marked {
            process,
            partition,
            base,
            producer,
            epoch,
            commits,
        });
    }

    /// A reader of committed records is handed batch 7.
    fn read(&mut self, base: i64) {
        self.read_by(CAREFUL, base, 7);
    }

    fn read_by(&mut self, process: &str, base: i64, batch: u32) {
        let (process, partition) = (process.into(), PARTITION.into());
        self.then_seen(Sight::Read { process, partition, base, batches: vec![batch] });
    }
}
