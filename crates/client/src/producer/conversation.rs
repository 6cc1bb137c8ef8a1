//! The producer's talk with coordinators: which question leaves now, and what its answer
//! changes.

use topomotion_wire::messages::ResponseKind;
use topomotion_wire::{
    ClientDeed, Duration, Endpoint, ErrorCode, Fact, Instant, Rule, TransactionStep,
};

use super::accumulator::Given;
use super::manager::{Ask, Coordinator, End, ProducerState, Protocol};
use super::requests::{coordinator_in, error_in, identity_in, request};
use super::sequences::{Identity, Resolution};
use super::verdicts::{Verdict, verdict};
use super::{Errand, Producer};

/// Kafka's pause where the last transaction is still being completed: it takes a moment.
const SHORT_PAUSE: Duration = Duration::from_millis(20);

/// Whether the next question can leave.
enum Way {
    To(Endpoint),
    /// Another question comes first.
    Detour,
    /// Nobody can be asked now.
    None,
}

impl Producer {
    /// Asks what is to be asked next, if that can be asked now.
    pub(super) fn converse(&mut self, now: Instant) {
        if !self.manager.is_idempotent {
            return;
        }
        self.resolve();
        self.refuse_what_waits();
        let needs_id = !self.manager.is_transactional()
            && self.manager.state == ProducerState::Uninitialized;
        if needs_id {
            self.manager.state = ProducerState::Initializing;
            self.manager.ask(Ask::InitProducerId);
        }
        while !self.manager.is_asking && self.manager.pause <= now {
            let has_incomplete =
                self.accumulator.holds_before(u64::MAX) || !self.waiting.is_empty();
            let Some(ask) = self.manager.next(has_incomplete).cloned() else { return };
            if let Ask::End(end) = ask
                && !self.manager.is_started
            {
                // The coordinator has never heard of it.
                self.manager.take();
                self.ended(end, None);
                continue;
            }
            match self.way(now, &ask) {
                Way::Detour => {}
                Way::None => return,
                Way::To(to) if !self.cluster.ready(now, &to) => return,
                Way::To(to) => {
                    self.manager.take();
                    let timeout = self.config.transaction_timeout;
                    let (body, newest) = request(&self.manager, timeout, &ask);
                    self.manager.is_asking = true;
                    let errand = Errand::Ask(ask);
                    self.cluster.send_as(now, &to, body, newest, errand);
                }
            }
        }
    }

    /// Who is to be asked.
    fn way(&mut self, now: Instant, ask: &Ask) -> Way {
        let Some(whose) = self.coordinator_of(ask) else {
            let candidates = self.cluster.metadata.candidates();
            let to = self.cluster.least_loaded(now, &candidates);
            return to.map_or(Way::None, Way::To);
        };
        let known = match &whose {
            Coordinator::Transaction => self.manager.coordinator.clone(),
            Coordinator::Group(group) => self.manager.groups.get(group).cloned(),
        };
        match known {
            None => {
                self.manager.ask_again(Ask::FindCoordinator(whose));
                Way::Detour
            }
            Some(to) if !self.cluster.usable(now, &to) => {
                self.forget(&whose);
                self.hold_on(now);
                Way::None
            }
            Some(to) => Way::To(to),
        }
    }

    /// The coordinator that a question is for; none where any broker can answer.
    fn coordinator_of(&self, ask: &Ask) -> Option<Coordinator> {
        match ask {
            Ask::FindCoordinator(_) => None,
            Ask::CommitOffsets(commit) => {
                Some(Coordinator::Group(commit.group.group.clone()))
            }
            Ask::InitProducerId if !self.manager.is_transactional() => None,
            Ask::InitProducerId
            | Ask::AddPartitions(_)
            | Ask::AddOffsets(_)
            | Ask::End(_) => Some(Coordinator::Transaction),
        }
    }

    fn forget(&mut self, whose: &Coordinator) {
        match whose {
            Coordinator::Transaction => self.manager.coordinator = None,
            Coordinator::Group(group) => {
                self.manager.groups.remove(group);
            }
        }
    }

    fn hold_on(&mut self, now: Instant) {
        self.manager.attempts += 1;
        self.manager.pause = now + self.cluster.backoff(self.manager.attempts);
    }

    /// A question will never be answered.
    pub(super) fn unheard(&mut self, now: Instant, ask: Ask) {
        self.manager.is_asking = false;
        if self.manager.fatal().is_none() {
            self.once_more(now, ask, Verdict::Elsewhere);
        }
    }

    /// A question could not be asked: the broker does not know it.
    pub(super) fn unspeakable(&mut self) {
        self.manager.is_asking = false;
        self.ruined(ErrorCode::UnsupportedVersion);
    }

    fn once_more(&mut self, now: Instant, ask: Ask, verdict: Verdict) {
        self.hold_on(now);
        if verdict == Verdict::Elsewhere
            && let Some(whose) = self.coordinator_of(&ask)
        {
            self.forget(&whose);
        }
        // In a transaction that can only be aborted, nothing but the abort is of use.
        let is_useless = matches!(self.manager.state, ProducerState::AbortableError(_))
            || self.manager.state == ProducerState::Aborting
                && !matches!(ask, Ask::End(End::Abort) | Ask::FindCoordinator(_));
        if !is_useless {
            self.manager.ask_again(ask);
        }
    }

    /// A question was answered.
    pub(super) fn heard(&mut self, now: Instant, ask: Ask, body: &ResponseKind) {
        self.manager.is_asking = false;
        if self.manager.fatal().is_some() {
            return;
        }
        let Some(error) = error_in(&ask, body) else {
            (self.manager.attempts, self.manager.pause) = (0, now);
            return self.granted(ask, body);
        };
        match verdict(&ask, error) {
            again @ (Verdict::Again | Verdict::Elsewhere) => {
                let is_first = matches!(ask, Ask::AddPartitions(_))
                    && self.manager.partitions.is_empty()
                    && error == ErrorCode::ConcurrentTransactions;
                self.once_more(now, ask, again);
                if is_first {
                    self.manager.pause = now + SHORT_PAUSE;
                }
            }
            Verdict::Abortable(error)
                if self.manager.state == ProducerState::Aborting =>
            {
                self.ruined(error);
            }
            Verdict::Abortable(error) => self.spoiled(error),
            Verdict::Fatal(error) => self.ruined(error),
        }
    }

    fn granted(&mut self, ask: Ask, body: &ResponseKind) {
        match ask {
            Ask::FindCoordinator(whose) => {
                let Some(found) = coordinator_in(body) else {
                    return self.ruined(ErrorCode::UnknownServerError);
                };
                match whose {
                    Coordinator::Transaction => self.manager.coordinator = Some(found),
                    Coordinator::Group(group) => {
                        self.manager.groups.insert(group, found);
                    }
                }
            }
            Ask::InitProducerId => match identity_in(body) {
                Some(identity) => self.identified(identity),
                None => self.ruined(ErrorCode::UnknownServerError),
            },
            Ask::AddPartitions(partitions) => {
                for partition in &partitions {
                    self.cluster.mark(Rule::Txn4, partition);
                }
                self.manager.partitions.extend(partitions);
                self.manager.is_started = true;
            }
            Ask::AddOffsets(commit) => {
                self.manager.is_started = true;
                if self.manager.refuses().is_none() {
                    self.manager.ask(Ask::CommitOffsets(commit));
                }
            }
            Ask::CommitOffsets(_) => {}
            Ask::End(end) => self.ended(end, identity_in(body)),
        }
    }

    /// The producer has an id and an epoch, or new ones.
    fn identified(&mut self, identity: Identity) {
        self.manager.state = ProducerState::Ready;
        if self.manager.is_transactional() {
            self.manager.sequences.clear();
        }
        self.cluster.mark_overall(Rule::Prd3);
        self.become_known_as(identity);
        self.number_anew(identity);
    }

    fn become_known_as(&mut self, identity: Identity) {
        self.manager.identity = Some(identity);
        self.cluster.fact(Fact::ProducerIdentified {
            transactional_id: self.manager.transactional_id.clone(),
            producer: identity.id,
            epoch: identity.epoch,
        });
    }

    /// Partitions with a gap begin at 0 (PRD-8).
    fn number_anew(&mut self, identity: Identity) {
        for partition in std::mem::take(&mut self.manager.gaps) {
            self.manager.sequences.begin_anew(&partition, identity);
            self.cluster.mark(Rule::Prd8, &partition);
            let epoch = identity.epoch;
            self.cluster.deed(Some(&partition), ClientDeed::NumberedAnew { epoch });
        }
    }

    /// The transaction is decided.
    fn ended(&mut self, end: End, identity: Option<Identity>) {
        if let Some(identity) = identity
            && self.manager.protocol == Protocol::V2
            && self.manager.identity != Some(identity)
        {
            self.manager.sequences.clear();
            self.cluster.mark_overall(Rule::Txn5);
            self.become_known_as(identity);
        }
        self.manager.close();
        self.step(match end {
            End::Commit => TransactionStep::Committed,
            End::Abort => TransactionStep::Aborted,
        });
    }

    /// Tells what the application sees of its transaction.
    pub(super) fn step(&mut self, step: TransactionStep) {
        let Some(transactional_id) = self.manager.transactional_id.clone() else {
            return;
        };
        let number = self.manager.number();
        self.cluster.fact(Fact::Transaction { transactional_id, number, step });
    }

    /// The transaction can only be aborted.
    pub(super) fn spoiled(&mut self, error: ErrorCode) {
        let is_spoilt = matches!(
            self.manager.state,
            ProducerState::Aborting
                | ProducerState::AbortableError(_)
                | ProducerState::FatalError(_)
        );
        if is_spoilt || !self.manager.is_transactional() {
            return;
        }
        self.manager.state = ProducerState::AbortableError(error);
        // In V2 every end brings a new epoch; in V1 it is asked for.
        self.manager.wants_bump |= self.manager.protocol == Protocol::V1;
        self.manager.ask_nothing();
        self.manager.new.clear();
        self.step(TransactionStep::Abortable);
    }

    /// The producer can do nothing any more.
    pub(super) fn ruined(&mut self, error: ErrorCode) {
        if self.manager.fatal().is_some() {
            return;
        }
        self.manager.state = ProducerState::FatalError(error);
        self.manager.ask_nothing();
        self.step(match error {
            ErrorCode::ProducerFenced => TransactionStep::Fenced,
            _ => TransactionStep::Unknown,
        });
    }

    /// Finds out what is missing where a numbered batch was given up, and raises the epoch
    /// where something is.
    fn resolve(&mut self) {
        for (partition, resolution) in self.manager.sequences.resolve() {
            match resolution {
                Resolution::Resolved => {}
                Resolution::Gap if self.manager.is_transactional() => {
                    self.spoiled(ErrorCode::RequestTimedOut);
                }
                Resolution::Gap => {
                    self.manager.gaps.insert(partition);
                }
            }
        }
        let is_known = self.manager.identity.is_some();
        if self.manager.gaps.is_empty() || !is_known || self.manager.fatal().is_some() {
            return;
        }
        match self.manager.next_epoch() {
            Some(identity) => {
                self.become_known_as(identity);
                self.number_anew(identity);
            }
            // The last epoch is used up: the next producer id begins at 0.
            None => {
                self.manager.identity = None;
                self.manager.state = ProducerState::Uninitialized;
            }
        }
    }

    /// Where nothing new may leave, what has not left has failed.
    fn refuse_what_waits(&mut self) {
        let Some(error) = self.manager.refuses() else { return };
        while let Some(waiting) = self.waiting.pop_front() {
            self.refuse(&waiting.record, error);
        }
        let which = match self.manager.fatal() {
            Some(_) => Given::Everything,
            None => Given::Unnumbered,
        };
        let sequences = &self.manager.sequences;
        let numbered = |partition: &_, number| sequences.has(partition, number);
        for given_up in self.accumulator.give_up(which, numbered) {
            self.pending -= given_up.records;
            let (partition, batch) = (given_up.partition, given_up.batch);
            self.cluster.fact(Fact::BatchFailed { partition, batch, error });
        }
    }
}
