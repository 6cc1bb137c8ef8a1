//! The shard itself: time, writes and their outcomes.

use std::collections::BTreeSet;
use std::sync::Arc;

use topomotion_wire::messages::{RequestKind, ResponseKind, WriteTxnMarkersRequest};
use topomotion_wire::{
    Duration, ErrorCode, Fact, GroupState, Instant, NodeId, Offset, Random, Rule,
    TopicPartition,
};

use super::answers;
use super::commit::{Groups, offset_key};
use super::config::GroupConfig;
use super::expire;
use super::group::{Cx, Group, Kind};
use super::load;
use super::outbox::{Change, Outbox, offset_fact, translated};
use crate::shard::{
    Caller, Control, Directory, Effect, Loaded, Shard, Stamp, Ticket, WriteToken,
};

/// How long after a refused write whoever is due is removed again.
const RETRY_BACKOFF: Duration = Duration::from_millis(500);

/// One partition of `__consumer_offsets`, for as long as this broker leads it.
///
/// A shard that is dropped answers nobody: whoever waits is told `NOT_COORDINATOR` by the
/// broker, which holds the tickets.
#[derive(Debug, Clone)]
pub struct GroupShard {
    config: GroupConfig,
    random: Random,
    pub(super) groups: Groups,
    out: Outbox,
    /// Groups of which something may have to be told.
    dirty: BTreeSet<Arc<str>>,
    /// The topics that there were last.
    topics: BTreeSet<Arc<str>>,
    /// When offsets are looked at next; none until the log is read.
    next_expiry: Option<Instant>,
}

impl GroupShard {
    /// A shard that knows nothing yet; member ids are drawn from `random`, which must differ
    /// from leadership to leadership.
    pub fn new(config: GroupConfig, random: Random) -> GroupShard {
        let out = Outbox::new(config.offsets_commit_timeout);
        GroupShard {
            config,
            random,
            groups: Groups::new(),
            out,
            dirty: BTreeSet::new(),
            topics: BTreeSet::new(),
            next_expiry: None,
        }
    }

    /// The groups, and what they need to work on one of them, which is told of afterwards.
    pub(super) fn on<'a>(
        &'a mut self,
        now: Instant,
        directory: &'a dyn Directory,
        group: &Arc<str>,
    ) -> (&'a mut Groups, Cx<'a>) {
        self.dirty.insert(group.clone());
        let cx = Cx {
            now,
            group: group.clone(),
            config: &self.config,
            random: &mut self.random,
            out: &mut self.out,
            directory,
        };
        (&mut self.groups, cx)
    }

    /// Tells of all groups that changed. Generations of classic groups count before they are
    /// written; everything else is told when it is durable, write by write.
    fn tell(&mut self, now: Instant, directory: &dyn Directory) {
        for id in std::mem::take(&mut self.dirty) {
            let Some(group) = self.groups.get_mut(&id) else { continue };
            let waits = matches!(group.kind, Kind::Consumer(_)) || group.is_empty();
            if waits && self.out.writes_of(&id) {
                if let (Kind::Consumer(consumer), Some(write)) =
                    (&group.kind, self.out.last_of(&id))
                {
                    write.view.get_or_insert_with(|| consumer.view(directory));
                }
                self.dirty.insert(id);
                continue;
            }
            let mut cx = Cx {
                now,
                group: id.clone(),
                config: &self.config,
                random: &mut self.random,
                out: &mut self.out,
                directory,
            };
            if group.told.is_some() || !group.is_void() {
                group.tell(&mut cx);
            }
        }
    }

    /// The log took a batch: what counts from now on.
    fn take_effect(&mut self, token: WriteToken, base: Offset) {
        let Some(write) = self.out.appended(token, base) else { return };
        match &mut write.change {
            Change::Nothing | Change::Assignment { .. } | Change::Told(_) => {}
            Change::Offsets(offsets) => {
                let places = offsets.iter_mut().zip(base.0..);
                for ((_, offset), at) in places {
                    if let Some(offset) = offset {
                        offset.at = Offset(at);
                    }
                }
            }
            Change::Pending { stamp, offsets } => {
                let Some(group) = self.groups.get_mut(&write.group) else { return };
                for ((partition, mut offset), at) in
                    std::mem::take(offsets).into_iter().zip(base.0..)
                {
                    offset.at = Offset(at);
                    group.offsets.pend(*stamp, partition, offset);
                }
            }
            Change::Deletion(ids) => {
                let mut facts = Vec::new();
                for id in std::mem::take(ids) {
                    if let Some(group) = self.groups.remove(&id) {
                        facts.extend(obituary(&id, group, self.out.bury(&id)));
                    }
                }
                self.out.tell_when_committed(token, facts);
            }
        }
    }

    /// What counts as the log has it.
    fn found(&self) -> Vec<(Arc<str>, TopicPartition, Offset)> {
        let of_groups = self.groups.iter().flat_map(|(id, group)| {
            let committed = group.offsets.committed.iter();
            committed.map(move |(at, offset)| (id, at, Offset(offset.value.offset)))
        });
        of_groups.map(|(id, at, offset)| (id.clone(), at.clone(), offset)).collect()
    }

    /// The log refused a batch: everything is as it was before.
    fn revert(
        &mut self,
        now: Instant,
        directory: &dyn Directory,
        token: WriteToken,
        error: ErrorCode,
    ) {
        let Some(write) = self.out.refused(token, error) else { return };
        let (groups, mut cx) = self.on(now, directory, &write.group);
        let Some(group) = groups.get_mut(&write.group) else { return };
        if let Some(before) = write.before {
            group.kind = *before;
            if let Some(consumer) = group.consumer() {
                consumer.postpone(now, now + RETRY_BACKOFF);
            }
        }
        if let (Change::Assignment { generation, .. }, Some(classic)) =
            (write.change, group.classic())
        {
            classic.assignment_failed(&mut cx, generation, translated(error));
        }
        if group.is_void() && !cx.out.writes_of(&write.group) {
            groups.remove(&write.group);
        }
    }

    fn expire_offsets(&mut self, now: Instant, directory: &dyn Directory) {
        if self.next_expiry.is_none_or(|at| at > now) {
            return;
        }
        self.next_expiry = Some(now + self.config.offsets_retention_check_interval);
        let ids: Vec<Arc<str>> = self.groups.keys().cloned().collect();
        for id in ids {
            // What is written already is looked at again the next time.
            if self.out.writes_of(&id) {
                continue;
            }
            let (groups, mut cx) = self.on(now, directory, &id);
            let group = &groups[&id];
            expire::expire(group, &mut cx);
            if group.is_void() && !cx.out.writes_of(&id) {
                groups.remove(&id);
            }
        }
    }

    /// Members and join phases whose time is up.
    fn tick_groups(&mut self, now: Instant, directory: &dyn Directory) {
        let is_due = |group: &Group| group.deadline().is_some_and(|at| at <= now);
        let groups = self.groups.iter();
        let due: Vec<Arc<str>> =
            groups.filter(|(_, it)| is_due(it)).map(|(id, _)| id.clone()).collect();
        for id in due {
            let (groups, mut cx) = self.on(now, directory, &id);
            let Some(group) = groups.get_mut(&id) else { continue };
            match &mut group.kind {
                Kind::Classic(classic) => classic.tick(&mut cx),
                Kind::Consumer(consumer) => {
                    let before = consumer.clone();
                    let records = consumer.tick(&mut cx);
                    if !records.is_empty() {
                        let write = cx.out.append(now, &id, records, Change::Nothing);
                        write.before = Some(Box::new(Kind::Consumer(before)));
                    }
                }
            }
        }
    }

    /// The offsets of topics that were deleted go with them.
    fn forget_topics(&mut self, now: Instant, directory: &dyn Directory) {
        let topics: BTreeSet<Arc<str>> = directory.topics().into_iter().collect();
        let gone: BTreeSet<Arc<str>> = self.topics.difference(&topics).cloned().collect();
        self.topics = topics;
        if gone.is_empty() {
            return;
        }
        let ids: Vec<Arc<str>> = self.groups.keys().cloned().collect();
        for id in ids {
            let (groups, cx) = self.on(now, directory, &id);
            let committed = groups[&id].offsets.committed.keys();
            let ends: Vec<TopicPartition> =
                committed.filter(|it| gone.contains(&it.topic)).cloned().collect();
            if ends.is_empty() {
                continue;
            }
            let records = ends.iter().map(|it| (offset_key(&id, it), None)).collect();
            let ends = ends.into_iter().map(|it| (it, None)).collect();
            cx.out.append(now, &id, records, Change::Offsets(ends));
        }
    }
}

/// What is to be told of a group that was deleted.
fn obituary(
    id: &Arc<str>,
    group: Group,
    mut offsets: BTreeSet<TopicPartition>,
) -> Vec<Fact> {
    offsets.extend(group.offsets.committed.into_keys());
    let mut facts: Vec<Fact> = offsets
        .into_iter()
        .map(|partition| Fact::OffsetCommitted {
            group: id.clone(),
            partition,
            offset: None,
        })
        .collect();
    if let Some(mut view) = group.told {
        view.state = GroupState::Dead;
        view.members.clear();
        facts.push(Fact::GroupChanged { group: id.clone(), view });
    }
    facts
}

impl Shard for GroupShard {
    fn load(&mut self, now: Instant, loaded: Loaded) {
        let Loaded::Marker { stamp, control } = loaded else {
            return load::replay(&mut self.groups, now, loaded);
        };
        load::end(&mut self.groups, stamp, control);
    }

    fn loaded(&mut self, now: Instant, directory: &dyn Directory) {
        self.groups.retain(|_, group| !group.is_void());
        for group in self.groups.values_mut() {
            group.loaded(now, &self.config);
        }
        let offsets = self.found();
        if !offsets.is_empty() {
            self.out.fact(Fact::OffsetsFound { offsets });
        }
        self.dirty = self.groups.keys().cloned().collect();
        self.topics = directory.topics().into_iter().collect();
        self.next_expiry = Some(now + self.config.offsets_retention_check_interval);
        self.tell(now, directory);
    }

    fn handle(
        &mut self,
        now: Instant,
        directory: &dyn Directory,
        ticket: Ticket,
        caller: &Caller,
        request: RequestKind,
    ) {
        self.out.opened(ticket);
        if self.next_expiry.is_none() {
            let error = ErrorCode::CoordinatorLoadInProgress;
            if let Some(body) = answers::unserved(&request, error) {
                self.out.answer(ticket, body);
            }
            return;
        }
        self.serve(now, directory, ticket, caller, &request);
        self.tell(now, directory);
    }

    fn hung_up(&mut self, _now: Instant, ticket: Ticket) {
        self.out.hung_up(ticket);
    }

    fn appended(
        &mut self,
        now: Instant,
        directory: &dyn Directory,
        token: WriteToken,
        outcome: Result<Offset, ErrorCode>,
    ) {
        match outcome {
            Ok(base) => self.take_effect(token, base),
            Err(error) => self.revert(now, directory, token, error),
        }
        self.tell(now, directory);
    }

    fn committed(&mut self, now: Instant, directory: &dyn Directory, token: WriteToken) {
        let Some(write) = self.out.committed(token) else { return };
        let (groups, mut cx) = self.on(now, directory, &write.group);
        let mut group = groups.get_mut(&write.group);
        if let (Some(view), Some(group)) = (write.view, &mut group)
            && matches!(group.kind, Kind::Consumer(_))
        {
            group.tell_view(&mut cx, view);
        }
        match write.change {
            Change::Nothing | Change::Pending { .. } | Change::Deletion(_) => {}
            Change::Told(facts) => facts.into_iter().for_each(|fact| cx.out.fact(fact)),
            Change::Assignment { generation, assignment } => {
                if let Some(classic) = group.and_then(Group::classic) {
                    classic.assigned(&mut cx, generation, assignment);
                }
            }
            Change::Offsets(offsets) => {
                let Some(group) = group else { return };
                for (partition, committed) in offsets {
                    group.offsets.put(partition.clone(), committed.clone());
                    cx.out.fact(offset_fact(&write.group, partition, committed));
                }
            }
        }
        self.tell(now, directory);
    }

    fn marker_appended(&mut self, _now: Instant, stamp: Stamp, control: Control) {
        let pends = |group: &&Group| group.offsets.pending.contains_key(&stamp.producer);
        for _ in self.groups.values().filter(pends) {
            self.out.mark(Rule::Txn9);
        }
        for (group, partition, offset) in load::end(&mut self.groups, stamp, control) {
            let offset = Some(offset);
            self.out.fact(Fact::OffsetCommitted { group, partition, offset });
        }
    }

    fn markers_answered(
        &mut self,
        _now: Instant,
        _directory: &dyn Directory,
        _from: NodeId,
        _request: &WriteTxnMarkersRequest,
        _response: Option<&ResponseKind>,
    ) {
        // Only transaction coordinators send markers.
    }

    fn metadata_changed(&mut self, now: Instant, directory: &dyn Directory) {
        if self.next_expiry.is_none() {
            return;
        }
        for group in self.groups.values_mut() {
            if let Some(consumer) = group.consumer() {
                consumer.refresh = true;
            }
        }
        self.forget_topics(now, directory);
        self.tell(now, directory);
    }

    fn tick(&mut self, now: Instant, directory: &dyn Directory) {
        if self.next_expiry.is_none() {
            return;
        }
        for (id, generation) in self.out.give_up(now) {
            let (groups, mut cx) = self.on(now, directory, &id);
            if let Some(classic) = groups.get_mut(&id).and_then(Group::classic) {
                let error = translated(ErrorCode::RequestTimedOut);
                classic.assignment_failed(&mut cx, generation, error);
            }
        }
        self.tick_groups(now, directory);
        self.expire_offsets(now, directory);
        self.tell(now, directory);
    }

    fn deadline(&self) -> Option<Instant> {
        self.next_expiry?;
        let expiry = self.next_expiry.filter(|_| !self.groups.is_empty());
        let groups = self.groups.values().filter_map(Group::deadline);
        groups.chain(expiry).chain(self.out.deadline()).min()
    }

    fn poll(&mut self) -> Option<Effect> {
        self.out.pop()
    }
}
