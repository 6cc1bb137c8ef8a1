//! What the shard wants done, and the writes that are under way.
//!
//! A change goes out as one batch. Who asked for it is answered when the batch is committed,
//! or with an error when it is refused or takes too long.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use topomotion_wire::messages::ResponseKind;
use topomotion_wire::{
    Bytes, Defect, Duration, ErrorCode, Fact, GroupView, Instant, Offset, Rule,
    TopicPartition,
};

use super::answers;
use super::group::Kind;
use super::offsets::Committed;
use super::records::Key;
use crate::shard::{Effect, Stamp, Ticket, WriteBatch, WriteToken};

/// A batch that is not committed yet.
#[derive(Debug, Clone)]
pub(super) struct Write {
    /// Whose records they are.
    pub group: Arc<str>,
    /// Where its first record stands, once appended.
    pub base: Option<Offset>,
    /// When whoever waits is told that it failed; none once they were.
    pub deadline: Option<Instant>,
    /// What to answer once it is committed.
    pub answers: Vec<(Ticket, ResponseKind)>,
    /// What it changes beyond what was changed when it was written.
    pub change: Change,
    /// The group as it was before, to go back to if the log refuses.
    pub before: Option<Box<Kind>>,
    /// What a KIP-848 group is once it is committed; none where nothing has asked for it.
    pub view: Option<GroupView>,
}

/// What becomes true with a write.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// The group's own state, which was changed when it was written.
    Nothing,
    /// The assignment of a classic group's generation (GRP-5), when committed.
    Assignment { generation: i32, assignment: BTreeMap<Arc<str>, Bytes> },
    /// Committed offsets, or their end, when committed.
    Offsets(Vec<(TopicPartition, Option<Committed>)>),
    /// Offsets of a transaction: pending as soon as they are appended (TXN-9).
    Pending { stamp: Stamp, offsets: Vec<(TopicPartition, Committed)> },
    /// These groups are gone as soon as it is appended; told when committed.
    Deletion(Vec<Arc<str>>),
    /// It has taken effect; this is to be told when committed.
    Told(Vec<Fact>),
}

/// Effects, writes, and who waits for an answer.
#[derive(Debug, Clone)]
pub(super) struct Outbox {
    effects: VecDeque<Effect>,
    open: BTreeSet<Ticket>,
    next_token: u64,
    writes: BTreeMap<WriteToken, Write>,
    patience: Duration,
}

impl Outbox {
    /// Writes fail for whoever waits after `patience`.
    pub fn new(patience: Duration) -> Outbox {
        Outbox {
            effects: VecDeque::new(),
            open: BTreeSet::new(),
            next_token: 0,
            writes: BTreeMap::new(),
            patience,
        }
    }

    pub fn pop(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    pub fn mark(&mut self, rule: Rule) {
        self.effects.push_back(Effect::Mark(rule));
    }

    pub fn fact(&mut self, fact: Fact) {
        self.effects.push_back(Effect::Fact(fact));
    }

    /// Somebody waits for an answer.
    pub fn opened(&mut self, ticket: Ticket) {
        self.open.insert(ticket);
    }

    /// Nobody waits any more.
    pub fn hung_up(&mut self, ticket: Ticket) {
        self.open.remove(&ticket);
    }

    /// Answers at once.
    pub fn answer(&mut self, ticket: Ticket, body: ResponseKind) {
        if self.open.remove(&ticket) {
            self.effects.push_back(Effect::Answer { ticket, body });
        }
    }

    /// Answers once everything is committed that the answer may rest on.
    pub fn answer_durably(&mut self, now: Instant, ticket: Ticket, body: ResponseKind) {
        let patience = self.patience;
        match self.writes.values_mut().next_back() {
            Some(write) => {
                write.deadline.get_or_insert(now + patience);
                write.answers.push((ticket, body));
            }
            None => self.answer(ticket, body),
        }
    }

    /// Asks for an append.
    pub fn append(
        &mut self,
        now: Instant,
        group: &Arc<str>,
        records: Vec<(Key, Option<Bytes>)>,
        change: Change,
    ) -> &mut Write {
        let token = WriteToken(self.next_token);
        self.next_token += 1;
        let transaction = match &change {
            Change::Pending { stamp, .. } => Some(*stamp),
            Change::Nothing
            | Change::Assignment { .. }
            | Change::Offsets(_)
            | Change::Deletion(_)
            | Change::Told(_) => None,
        };
        let records =
            records.into_iter().map(|(key, value)| (key.encode(), value)).collect();
        let batch = WriteBatch { transaction, records };
        self.effects.push_back(Effect::Append { token, batch });
        self.writes.entry(token).or_insert(Write {
            group: group.clone(),
            base: None,
            deadline: Some(now + self.patience),
            answers: Vec::new(),
            change,
            before: None,
            view: None,
        })
    }

    /// The log took it. Its change is returned where it takes effect now.
    pub fn appended(&mut self, token: WriteToken, base: Offset) -> Option<&mut Write> {
        let early = match self.writes.get_mut(&token) {
            Some(write) if Defect::AckCommitEarly.is_sown() => {
                std::mem::take(&mut write.answers)
            }
            Some(_) | None => Vec::new(),
        };
        for (ticket, body) in early {
            self.answer(ticket, body);
        }
        let write = self.writes.get_mut(&token)?;
        write.base = Some(base);
        write.before = None;
        Some(write)
    }

    /// A write that has taken effect is told when it is committed.
    pub fn tell_when_committed(&mut self, token: WriteToken, facts: Vec<Fact>) {
        if let Some(write) = self.writes.get_mut(&token) {
            write.change = Change::Told(facts);
        }
    }

    /// The log refused it.
    pub fn refused(&mut self, token: WriteToken, error: ErrorCode) -> Option<Write> {
        let mut write = self.writes.remove(&token)?;
        self.fail(std::mem::take(&mut write.answers), error);
        Some(write)
    }

    /// It is committed: who waits is answered.
    pub fn committed(&mut self, token: WriteToken) -> Option<Write> {
        let mut write = self.writes.remove(&token)?;
        for (ticket, body) in std::mem::take(&mut write.answers) {
            self.answer(ticket, body);
        }
        Some(write)
    }

    /// Tells whoever waited too long. Classic assignments that did not make it are returned:
    /// with their groups and generations.
    pub fn give_up(&mut self, now: Instant) -> Vec<(Arc<str>, i32)> {
        let due = |write: &&mut Write| write.deadline.is_some_and(|at| at <= now);
        let mut failed = Vec::new();
        let mut assignments = Vec::new();
        for write in self.writes.values_mut().filter(due) {
            write.deadline = None;
            failed.append(&mut write.answers);
            if let Change::Assignment { generation, .. } = &write.change {
                assignments.push((write.group.clone(), *generation));
                write.change = Change::Nothing;
            }
        }
        self.fail(failed, ErrorCode::RequestTimedOut);
        assignments
    }

    fn fail(&mut self, answers: Vec<(Ticket, ResponseKind)>, error: ErrorCode) {
        for (ticket, body) in answers {
            self.answer(ticket, answers::refused(body, translated(error)));
        }
    }

    /// A group goes with a write that the log took. Offsets that were written before and are
    /// not committed yet are still told when they are, but are no group's any more. Returns
    /// their partitions.
    pub fn bury(&mut self, group: &Arc<str>) -> BTreeSet<TopicPartition> {
        let doomed = self.offsets_of(group);
        for write in self.writes.values_mut().filter(|write| write.group == *group) {
            if let Change::Offsets(offsets) = &mut write.change {
                let offsets = std::mem::take(offsets).into_iter();
                let facts =
                    offsets.map(|(partition, it)| offset_fact(group, partition, it));
                write.change = Change::Told(facts.collect());
            }
        }
        doomed
    }

    /// Whether something of this group is not committed yet.
    pub fn writes_of(&self, group: &str) -> bool {
        self.writes.values().any(|write| *write.group == *group)
    }

    /// Partitions of which an offset is written for this group and not committed yet.
    pub fn offsets_of(&self, group: &str) -> BTreeSet<TopicPartition> {
        let writes = self.writes.values().filter(|write| *write.group == *group);
        let offsets = writes.filter_map(|write| match &write.change {
            Change::Offsets(offsets) => Some(offsets),
            _ => None,
        });
        let set = offsets.flatten().filter(|(_, offset)| offset.is_some());
        set.map(|(partition, _)| partition.clone()).collect()
    }

    /// What of this group was written last and is not committed yet.
    pub fn last_of(&mut self, group: &str) -> Option<&mut Write> {
        self.writes.values_mut().rev().find(|write| *write.group == *group)
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.writes.values().filter_map(|write| write.deadline).min()
    }
}

/// What is told of an offset that is committed, or has ended.
pub(super) fn offset_fact(
    group: &Arc<str>,
    partition: TopicPartition,
    committed: Option<Committed>,
) -> Fact {
    let offset = committed.map(|it| Offset(it.value.offset));
    Fact::OffsetCommitted { group: group.clone(), partition, offset }
}

/// What a client is told when the log refuses: it must ask again, here or elsewhere.
pub(super) fn translated(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::UnknownTopicOrPartition
        | ErrorCode::NotEnoughReplicas
        | ErrorCode::NotEnoughReplicasAfterAppend
        | ErrorCode::RequestTimedOut => ErrorCode::CoordinatorNotAvailable,
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => {
            ErrorCode::NotCoordinator
        }
        ErrorCode::MessageTooLarge
        | ErrorCode::RecordListTooLarge
        | ErrorCode::InvalidFetchSize => ErrorCode::UnknownServerError,
        other => other,
    }
}
