//! Transactions as an application drives them: the calls of Kafka's producer, none of which
//! blocks here. [`Producer::state`] tells when one is done.

use std::collections::BTreeMap;

use topomotion_wire::{
    Instant, Offset, ProducerEpoch, ProducerId, TopicPartition, TransactionStep,
};

use super::manager::{Ask, Commit, End, OutOfTurn, ProducerState, Protocol};
use super::{Life, Producer};
use crate::GroupMetadata;

/// `transaction.version`, by which transactions use KIP-890's protocol.
const FEATURE: &str = "transaction.version";

impl Producer {
    /// Where the producer stands.
    pub fn state(&self) -> ProducerState {
        self.manager.state
    }

    /// Its id and epoch, once it has them.
    pub fn identity(&self) -> Option<(ProducerId, ProducerEpoch)> {
        self.manager.identity.map(|known| (known.id, known.epoch))
    }

    /// Whether nothing is to be asked of a coordinator before the first record: without
    /// idempotence at once, without transactions as soon as it has an id.
    pub fn is_warm(&self) -> bool {
        let numbers = self.manager.is_idempotent && !self.manager.is_transactional();
        !numbers || self.manager.identity.is_some()
    }

    /// Gets the producer id of its `transactional.id`, and thereby fences whoever had it
    /// before (TXN-2). Done when the state is `Ready`.
    pub fn init_transactions(&mut self, now: Instant) -> Result<(), OutOfTurn> {
        self.expect("initTransactions", |state| state == ProducerState::Uninitialized)?;
        self.manager.state = ProducerState::Initializing;
        self.manager.ask(Ask::InitProducerId);
        self.drive(now);
        Ok(())
    }

    /// Opens a transaction. Nothing is sent.
    pub fn begin_transaction(&mut self, now: Instant) -> Result<(), OutOfTurn> {
        self.expect("beginTransaction", |state| state == ProducerState::Ready)?;
        self.manager.begin(self.cluster.feature(FEATURE));
        self.step(TransactionStep::Begun);
        self.drive(now);
        Ok(())
    }

    /// Commits these offsets (the next ones to read) of a group with the transaction
    /// (TXN-9). [`Producer::has_pending_offsets`] tells when it is done.
    pub fn send_offsets_to_transaction(
        &mut self,
        now: Instant,
        offsets: BTreeMap<TopicPartition, Offset>,
        group: GroupMetadata,
    ) -> Result<(), OutOfTurn> {
        let is_open = |state| state == ProducerState::InTransaction;
        self.expect("sendOffsetsToTransaction", is_open)?;
        if !offsets.is_empty() {
            let commit = Commit { group, offsets };
            match self.manager.protocol {
                Protocol::V1 => self.manager.ask(Ask::AddOffsets(commit)),
                Protocol::V2 => {
                    self.manager.is_started = true;
                    self.manager.ask(Ask::CommitOffsets(commit));
                }
            }
        }
        self.drive(now);
        Ok(())
    }

    /// Whether offsets of the transaction are not yet at their coordinator.
    pub fn has_pending_offsets(&self) -> bool {
        self.manager.has_offsets()
    }

    /// Delivers what was sent, then commits. Done when the state is `Ready`; an error makes
    /// it `AbortableError` or `FatalError`.
    pub fn commit_transaction(&mut self, now: Instant) -> Result<(), OutOfTurn> {
        let is_open = |state| state == ProducerState::InTransaction;
        self.expect("commitTransaction", is_open)?;
        self.manager.state = ProducerState::Committing;
        self.step(TransactionStep::Committing);
        self.manager.ask(Ask::End(End::Commit));
        self.drive(now);
        Ok(())
    }

    /// Drops what has not left, waits for what has, then aborts. Done when the state is
    /// `Ready`.
    pub fn abort_transaction(&mut self, now: Instant) -> Result<(), OutOfTurn> {
        self.expect("abortTransaction", |state| {
            matches!(
                state,
                ProducerState::InTransaction | ProducerState::AbortableError(_)
            )
        })?;
        self.begin_abort();
        self.drive(now);
        Ok(())
    }

    fn begin_abort(&mut self) {
        self.manager.state = ProducerState::Aborting;
        self.step(TransactionStep::Aborting);
        self.manager.new.clear();
        self.manager.ask_nothing();
        self.manager.ask(Ask::End(End::Abort));
    }

    /// Whether no transaction stands in the way of closing; aborts one that is open.
    pub(super) fn leaves_nothing_open(&mut self) -> bool {
        let is_open = matches!(
            self.manager.state,
            ProducerState::InTransaction | ProducerState::AbortableError(_)
        );
        if is_open && self.manager.is_transactional() {
            self.begin_abort();
        }
        !self.manager.is_transactional() || !self.manager.state.is_busy()
    }

    fn expect(
        &self,
        call: &'static str,
        allows: impl Fn(ProducerState) -> bool,
    ) -> Result<(), OutOfTurn> {
        let state = self.manager.state;
        let may =
            allows(state) && self.manager.is_transactional() && self.life == Life::Open;
        if may { Ok(()) } else { Err(OutOfTurn { call, state }) }
    }
}
