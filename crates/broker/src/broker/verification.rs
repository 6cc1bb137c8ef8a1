//! Writes of a transaction that this partition has not heard of yet: before the first record is
//! taken, the transaction's coordinator is asked whether the partition takes part (TXN-4), or,
//! by clients of the second protocol, to let it take part (TXN-5).
//!
//! The write waits for the answer. A marker that comes in between ends the transaction that was
//! asked about, and the write is refused: no record opens a transaction that is over. KIP-890.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_coordinator::Stamp;
use topomotion_wire::messages::{ProduceRequest, RequestKind, ResponseKind};
use topomotion_wire::{Duration, ErrorCode, Instant, Rule, TopicPartition};

use super::Broker;
use crate::api::{coordination, produce, verification};
use crate::config::TransactionVersion;
use crate::coordinators::{InternalTopic, Query, home};
use crate::net::{Ask, Asked, Effects, Purpose, Ticket};
use crate::replica::{Site, VerificationGuard};

/// The version in which coordinators are asked.
const ASKED_IN: i16 = 5;
/// Kafka's `add.partitions.to.txn.retry.backoff.ms`: the end of the last transaction is often
/// still under way when the next one begins.
const RETRY_BACKOFF: Duration = Duration::from_millis(20);
/// Kafka's `add.partitions.to.txn.retry.backoff.max.ms`: from then on the client tries again.
const RETRY_MAX: Duration = Duration::from_millis(100);

/// The partitions whose records are not taken, and why.
pub(crate) type Refused = BTreeMap<TopicPartition, ErrorCode>;

/// What is asked of the coordinator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    /// Does it take part?
    Verify,
    /// Let it take part.
    Add,
}

/// A write that waits.
#[derive(Debug, Clone)]
struct Unverified {
    held: Held,
    transactional_id: Arc<str>,
    stamp: Stamp,
    question: Question,
    guards: Vec<(TopicPartition, VerificationGuard)>,
    /// Those whose transaction was under way: nobody is asked about them.
    ongoing: Vec<TopicPartition>,
    since: Instant,
    state: State,
}

#[derive(Debug, Clone)]
enum Held {
    Produce { ticket: Ticket, version: i16, request: ProduceRequest },
    Offsets(Box<Query>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Asked,
    Due(Instant),
}

/// Every write that waits for a coordinator's word.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verifications {
    waiting: BTreeMap<u64, Unverified>,
    next: u64,
}

impl Verifications {
    pub(super) fn deadline(&self) -> Option<Instant> {
        let due = |it: &Unverified| match it.state {
            State::Due(at) => Some(at),
            State::Asked => None,
        };
        self.waiting.values().filter_map(due).min()
    }
}

impl Broker {
    /// Takes a produce request: at once, or when its transaction is verified.
    pub(crate) fn produce(
        &mut self,
        site: Site<'_>,
        ticket: Ticket,
        version: i16,
        request: ProduceRequest,
        effects: &mut Effects,
    ) {
        let Some(id) = request.transactional_id.as_ref().filter(|_| verifies(site))
        else {
            let none = Refused::new();
            return produce::handle(self, site, ticket, version, request, &none, effects);
        };
        let transactional_id: Arc<str> = id.0.as_str().into();
        let question = question(site, version >= verification::ADDING_PRODUCE);
        let mut refused = Refused::new();
        let (mut guards, mut ongoing) = (Vec::new(), Vec::new());
        let mut of = None;
        for (id, stamp) in verification::transactional(site, version, &request) {
            let Some(replica) = self.replicas.get(&id) else { continue };
            if !replica.is_leader() {
                continue;
            }
            if replica.is_in_transaction(stamp.producer, stamp.epoch) {
                ongoing.push(id);
                continue;
            }
            if *of.get_or_insert(stamp) == stamp {
                guards.push((id, replica.verification_guard(stamp.producer)));
            } else {
                refused.insert(id, ErrorCode::InvalidProducerIdMapping);
            }
        }
        match of {
            Some(stamp) if refused.is_empty() => {
                let held = Held::Produce { ticket, version, request };
                let (since, state) = (site.now, State::Due(site.now));
                let it = Unverified {
                    held,
                    transactional_id,
                    stamp,
                    question,
                    guards,
                    ongoing,
                    since,
                    state,
                };
                self.verify(site, it, effects);
            }
            _ => {
                produce::handle(self, site, ticket, version, request, &refused, effects);
            }
        }
    }

    /// Takes a request for coordinators; offsets of a transaction wait until that is verified.
    pub(crate) fn coordinate_verified(
        &mut self,
        site: Site<'_>,
        query: Query,
        effects: &mut Effects,
    ) {
        let RequestKind::TxnOffsetCommit(request) = &query.body else {
            return self.coordinate(site, query, effects);
        };
        let id = home(site, InternalTopic::Offsets, &request.group_id.0);
        let stamp = verification::stamp(request.producer_id, request.producer_epoch);
        let replica = self.replicas.get(&id).filter(|it| it.is_leader());
        let replica = replica.filter(|it| {
            verifies(site) && !it.is_in_transaction(stamp.producer, stamp.epoch)
        });
        let Some(replica) = replica else { return self.coordinate(site, query, effects) };
        let guards = vec![(id, replica.verification_guard(stamp.producer))];
        let ongoing = Vec::new();
        let transactional_id = request.transactional_id.0.as_str().into();
        let question = question(site, query.version >= verification::ADDING_OFFSETS);
        let (since, state) = (site.now, State::Due(site.now));
        let held = Held::Offsets(Box::new(query));
        let it = Unverified {
            held,
            transactional_id,
            stamp,
            question,
            guards,
            ongoing,
            since,
            state,
        };
        self.verify(site, it, effects);
    }

    fn verify(&mut self, site: Site<'_>, it: Unverified, effects: &mut Effects) {
        let id = self.verifications.next;
        self.verifications.next += 1;
        for (partition, _) in &it.guards {
            effects.mark_at(Rule::Txn4, partition);
        }
        self.verifications.waiting.insert(id, it);
        self.ask_coordinator(site, id, effects);
    }

    fn ask_coordinator(&mut self, site: Site<'_>, id: u64, effects: &mut Effects) {
        let Some(it) = self.verifications.waiting.get_mut(&id) else { return };
        let home = home(site, InternalTopic::Transactions, &it.transactional_id);
        let leader = site.image.partition(&home).and_then(|state| state.leader);
        let Some(to) = leader else {
            return self.resume(
                site,
                id,
                Err(ErrorCode::CoordinatorNotAvailable),
                effects,
            );
        };
        it.state = State::Asked;
        let partitions = it.guards.iter().map(|(partition, _)| partition);
        let body = verification::request(
            &it.transactional_id,
            it.stamp,
            it.question,
            partitions,
        );
        effects.ask(Ask {
            to,
            purpose: Purpose::Verification,
            asked: Asked::Verification { id },
            version: ASKED_IN,
            body: body.into(),
            timeout: site.settings.request_timeout,
        });
    }

    /// The coordinator's answer; none if it never comes.
    pub(super) fn verified(
        &mut self,
        site: Site<'_>,
        id: u64,
        response: Option<&ResponseKind>,
        effects: &mut Effects,
    ) {
        let answer = match response {
            Some(ResponseKind::AddPartitionsToTxn(answer)) => Ok(answer.clone()),
            Some(_) | None => Err(ErrorCode::NetworkException),
        };
        let Some(it) = self.verifications.waiting.get_mut(&id) else { return };
        let outcome = answer.map(|answer| verification::outcomes(&answer));
        let is_ending = |outcome: &Refused| {
            outcome.values().any(|error| *error == ErrorCode::ConcurrentTransactions)
        };
        let may_retry = it.question == Question::Add
            && site.now.since(it.since) + RETRY_BACKOFF <= RETRY_MAX;
        if may_retry && outcome.as_ref().is_ok_and(is_ending) {
            it.state = State::Due(site.now + RETRY_BACKOFF);
            return;
        }
        self.resume(site, id, outcome, effects);
    }

    /// The write goes on, without what was refused.
    fn resume(
        &mut self,
        site: Site<'_>,
        id: u64,
        outcome: Result<Refused, ErrorCode>,
        effects: &mut Effects,
    ) {
        let Some(it) = self.verifications.waiting.remove(&id) else { return };
        let (mut refused, mut asked) = (Refused::new(), BTreeSet::new());
        for (partition, guard) in it.guards {
            let error = match &outcome {
                Err(error) => Some(*error),
                Ok(outcome) => outcome.get(&partition).copied(),
            };
            let replica = self.replicas.get(&partition).filter(|it| it.is_leader());
            let is_over = replica.is_some_and(|replica| !replica.holds(guard));
            let error = error.or(is_over.then_some(ErrorCode::InvalidTxnState));
            refused.extend(error.map(|error| (partition.clone(), error)));
            asked.insert(partition);
        }
        match it.held {
            Held::Produce { ticket, version, request } => {
                let unasked = verification::transactional(site, version, &request);
                for (partition, stamp) in unasked {
                    let error = self.unasked(&partition, stamp, &it.ongoing);
                    let error = error.filter(|_| !asked.contains(&partition));
                    refused.extend(error.map(|error| (partition, error)));
                }
                let tell = |error: &mut ErrorCode| {
                    *error = verification::for_producer(*error, version);
                };
                refused.values_mut().for_each(tell);
                produce::handle(self, site, ticket, version, request, &refused, effects);
            }
            Held::Offsets(query) => match refused.values().next() {
                Some(&error) => {
                    let error = verification::for_committer(error);
                    let body = coordination::refuse(&query.body, query.version, error);
                    effects.reply(query.ticket, body);
                }
                None => self.coordinate(site, *query, effects),
            },
        }
    }

    /// Why a partition that nobody was asked about takes no records after the wait: its
    /// transaction has ended since, or it has come to be led here since. Whatever else is
    /// wrong with it shows when it is written to.
    fn unasked(
        &self,
        partition: &TopicPartition,
        stamp: Stamp,
        ongoing: &[TopicPartition],
    ) -> Option<ErrorCode> {
        let replica = self.replicas.get(partition).filter(|it| it.is_leader())?;
        match ongoing.contains(partition) {
            true if replica.is_in_transaction(stamp.producer, stamp.epoch) => None,
            true => Some(ErrorCode::InvalidTxnState),
            false => Some(ErrorCode::NotLeaderOrFollower),
        }
    }

    /// Asks again where that is due.
    pub(super) fn tick_verifications(&mut self, site: Site<'_>, effects: &mut Effects) {
        let is_due =
            |it: &Unverified| matches!(it.state, State::Due(at) if at <= site.now);
        let due = self.verifications.waiting.iter().filter(|(_, it)| is_due(it));
        for id in due.map(|(&id, _)| id).collect::<Vec<_>>() {
            self.ask_coordinator(site, id, effects);
        }
    }
}

/// Whether brokers look after transactions at all.
fn verifies(site: Site<'_>) -> bool {
    match site.settings.transactions.version {
        TransactionVersion::V0 | TransactionVersion::V1Unverified => false,
        TransactionVersion::V1 | TransactionVersion::V2 => true,
    }
}

fn question(site: Site<'_>, client_counts_on_it: bool) -> Question {
    match site.settings.transactions.version {
        TransactionVersion::V2 if client_counts_on_it => Question::Add,
        _ => Question::Verify,
    }
}
