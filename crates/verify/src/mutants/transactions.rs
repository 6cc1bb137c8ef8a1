//! Defects of transactions. The storm has none of its own: they are planted whole.

use topomotion_sim::Sight;
use topomotion_trace::{StateChange, TransactionState};

use super::{Evidence, Mutant, Name, PARTITION};

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
];

impl Evidence {
    /// The transactions' topic appears, and this broker leads it.
    fn coordinator(&mut self) -> Name {
        let (leader, ..) = self.roles();
        let partition: Name = "__transaction_state-0".into();
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
}
