//! What the shard holds of each id, and the one way in which that changes: a record that is
//! appended, becomes durable, and only then counts (TXN-1).

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_wire::{
    Defect, ErrorCode, Fact, Instant, Rule, TransactionState, TransactionView,
};

use super::answer::Waiting;
use super::decision::{Decision, Step};
use super::machine::TransactionShard;
use super::markers::Ending;
use super::records::{encode_key, encode_value};
use super::state::{Transaction, may_follow};
use crate::{Directory, Effect, Stamp, WriteBatch, WriteToken};

/// One id.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    /// What is durable; none until the first record is.
    pub durable: Option<Transaction>,
    /// What is being appended.
    pub pending: Option<Change>,
    /// The markers that a decided end still needs.
    pub ending: Option<Ending>,
}

impl Entry {
    /// Whether a change is under way that others wait for.
    pub fn is_busy(&self) -> bool {
        self.pending.is_some()
            || self.durable.as_ref().is_some_and(Transaction::is_ending)
    }

    /// Whether an end is decided, durably or nearly.
    pub fn is_ending(&self) -> bool {
        let pending = self.pending.as_ref().and_then(|change| change.next.as_ref());
        pending.or(self.durable.as_ref()).is_some_and(Transaction::is_ending)
    }
}

/// A record on its way.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// What the id then is; none when it is forgotten.
    pub next: Option<Transaction>,
    rules: Vec<Rule>,
    waiting: Option<Waiting>,
    answer: Result<Stamp, ErrorCode>,
}

impl Change {
    /// A change that a client asked for.
    pub fn asked(step: Step, waiting: Waiting) -> Change {
        Change {
            next: Some(step.next),
            rules: step.rules,
            waiting: Some(waiting),
            answer: step.answer,
        }
    }

    /// A change of the coordinator's own.
    pub fn own(next: Option<Transaction>, rules: Vec<Rule>) -> Change {
        Change { next, rules, waiting: None, answer: Err(ErrorCode::UnknownServerError) }
    }

    /// Whoever waited at this ticket does not any more.
    pub fn forget_caller(&mut self, ticket: crate::Ticket) {
        self.waiting.take_if(|waiting| waiting.ticket == ticket);
    }
}

impl TransactionShard {
    /// Decides about a request and does what was decided.
    pub(super) fn transit(
        &mut self,
        id: &Arc<str>,
        waiting: Waiting,
        decide: impl FnOnce(Option<&Transaction>) -> Decision,
    ) {
        let entry = self.entries.get(id);
        let busy = entry.is_some_and(|entry| match Defect::AnyTransition.is_sown() {
            true => entry.pending.is_some(),
            false => entry.is_busy(),
        });
        // A client of a new epoch may come before the end that gave it is complete; so this
        // comes before every look at ids and epochs.
        if busy {
            return self
                .effects
                .push_back(waiting.answer(Err(ErrorCode::ConcurrentTransactions)));
        }
        match decide(entry.and_then(|entry| entry.durable.as_ref())) {
            Decision::Answer(outcome) => {
                self.effects.push_back(waiting.answer(outcome));
            }
            Decision::Write(step) => self.write(id, Change::asked(step, waiting)),
        }
    }

    /// Appends a change; only one of an id is under way.
    pub(super) fn write(&mut self, id: &Arc<str>, change: Change) {
        let token = WriteToken(self.next_token);
        self.next_token += 1;
        let value =
            change.next.as_ref().map(|next| encode_value(next, self.config.version));
        let records = vec![(encode_key(id), value)];
        let entry = self.entries.entry(id.clone()).or_default();
        assert!(entry.pending.is_none(), "one change of an id is under way at a time");
        entry.pending = Some(change);
        self.writes.insert(token, id.clone());
        let batch = WriteBatch { transaction: None, records };
        self.effects.push_back(Effect::Append { token, batch });
    }

    /// A change was not appended: nothing happened, and whoever waits is told so.
    pub(super) fn refused(&mut self, now: Instant, token: WriteToken, error: ErrorCode) {
        let Some((id, change)) = self.take_write(token) else { return };
        if let Some(waiting) = change.waiting {
            self.effects.push_back(waiting.answer(Err(told(error))));
        }
        let Some(entry) = self.entries.get_mut(&id) else { return };
        if let Some(ending) = &mut entry.ending {
            ending.complete_again_at(now + self.config.retry_backoff);
        }
        if entry.durable.is_none() {
            self.entries.remove(&id);
        }
    }

    /// A change is durable: now it counts.
    pub(super) fn durable(
        &mut self,
        now: Instant,
        directory: &dyn Directory,
        token: WriteToken,
    ) {
        let Some((id, change)) = self.take_write(token) else { return };
        self.effects.extend(change.rules.into_iter().map(Effect::Mark));
        match change.next {
            Some(next) => self.advance(&id, next),
            None => self.forget(&id),
        }
        if let Some(waiting) = change.waiting {
            self.effects.push_back(waiting.answer(change.answer));
        }
        self.begin_ending(now, directory, &id);
    }

    fn advance(&mut self, id: &Arc<str>, next: Transaction) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        let before = entry.durable.as_ref().map(|before| before.state);
        assert!(
            Defect::AnyTransition.is_sown()
                || before.is_none_or(|before| may_follow(before, next.state)),
            "TXN-1: {before:?} is not followed by {:?}",
            next.state
        );
        if before.is_some_and(|before| before != next.state) {
            self.effects.push_back(Effect::Mark(Rule::Txn1));
        }
        self.effects.push_back(changed(id, next.view()));
        entry.ending = None;
        entry.durable = Some(next);
    }

    fn forget(&mut self, id: &Arc<str>) {
        let entry = self.entries.remove(id);
        let Some(last) = entry.and_then(|entry| entry.durable) else { return };
        let view = TransactionView { state: TransactionState::Dead, ..last.view() };
        self.effects.extend([Effect::Mark(Rule::Txn1), changed(id, view)]);
    }

    fn take_write(&mut self, token: WriteToken) -> Option<(Arc<str>, Change)> {
        let id = self.writes.remove(&token)?;
        let change = self.entries.get_mut(&id)?.pending.take()?;
        Some((id, change))
    }
}

/// Told outward: this is what the id is now.
pub(super) fn changed(id: &Arc<str>, view: TransactionView) -> Effect {
    Effect::Fact(Fact::TransactionChanged { transactional_id: id.clone(), view })
}

/// Everything the shard holds.
pub(super) type Entries = BTreeMap<Arc<str>, Entry>;

/// What a client hears of an append that failed: either to ask again here, or elsewhere.
fn told(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => {
            ErrorCode::NotCoordinator
        }
        ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge => {
            ErrorCode::UnknownServerError
        }
        ErrorCode::UnknownTopicOrPartition
        | ErrorCode::NotEnoughReplicas
        | ErrorCode::NotEnoughReplicasAfterAppend
        | ErrorCode::RequestTimedOut => ErrorCode::CoordinatorNotAvailable,
        other => other,
    }
}
