//! Classic groups: members join, one of them divides, the coordinator hands out (GRP-2).

mod embedded;
mod join;
mod leave;
mod rebalance;
mod session;
mod sync;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_wire::{Bytes, Duration, ErrorCode, Instant};

pub(super) use join::Join;
pub(super) use leave::left;

use super::records::{ClassicMemberValue, ClassicValue};
use crate::shard::Ticket;

/// A classic group.
#[derive(Debug, Clone)]
pub(super) struct ClassicGroup {
    pub state: State,
    pub generation: i32,
    /// Such as `consumer`; none while only offsets were committed.
    pub protocol_type: Option<Arc<str>>,
    /// The assignor of this generation.
    pub protocol: Option<Arc<str>>,
    pub leader: Option<Arc<str>>,
    pub members: BTreeMap<Arc<str>, Member>,
    /// Static members by `group.instance.id` (GRP-7).
    pub instances: BTreeMap<Arc<str>, Arc<str>>,
    /// Ids that were given away with MEMBER_ID_REQUIRED, and until when they can be used.
    pub pending: BTreeMap<Arc<str>, Instant>,
    /// Since when it is in its state, Unix ms.
    pub since_ms: i64,
}

/// Where a classic group stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// No members.
    Empty,
    /// Members join.
    Preparing(Wait),
    /// The leader divides.
    Completing {
        /// Who has not asked for its assignment yet, and when it is removed for that.
        missing: BTreeSet<Arc<str>>,
        until: Instant,
    },
    /// Everybody was told, or can be.
    Stable {
        /// As before.
        missing: BTreeSet<Arc<str>>,
        until: Instant,
    },
}

/// What the join phase waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wait {
    /// The first rebalance of an empty group waits for company (GRP-3).
    Company {
        until: Instant,
        /// How long it may still be extended.
        remaining: Duration,
        /// Somebody came during the last delay.
        newcomer: bool,
    },
    /// All known members must join again (GRP-4).
    Members { until: Instant },
}

/// A request that waits, and the version of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waiting {
    pub ticket: Ticket,
    pub version: i16,
}

/// A member of a classic group.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub instance: Option<Arc<str>>,
    pub client: Arc<str>,
    pub host: Arc<str>,
    pub rebalance_timeout: Duration,
    pub session_timeout: Duration,
    /// What it can do, best first, each with its subscription.
    pub protocols: Vec<(Arc<str>, Bytes)>,
    pub assignment: Bytes,
    /// Its JoinGroup that waits.
    pub joining: Option<Waiting>,
    /// Its SyncGroup that waits.
    pub syncing: Option<Waiting>,
    /// It has not been through a join phase yet, and knows no id to send heartbeats with.
    pub is_new: bool,
    /// When it is removed unless it is heard from.
    pub session: Option<Instant>,
}

impl Member {
    /// Its subscription under a protocol.
    pub fn metadata(&self, protocol: &str) -> Option<&Bytes> {
        self.protocols.iter().find(|(name, _)| **name == *protocol).map(|(_, it)| it)
    }

    fn heard(&mut self, now: Instant) {
        self.session = Some(now + self.session_timeout);
    }
}

impl ClassicGroup {
    /// A group that nobody has joined.
    pub fn new(since_ms: i64) -> ClassicGroup {
        ClassicGroup {
            state: State::Empty,
            generation: 0,
            protocol_type: None,
            protocol: None,
            leader: None,
            members: BTreeMap::new(),
            instances: BTreeMap::new(),
            pending: BTreeMap::new(),
            since_ms,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.state == State::Empty
    }

    pub fn is_stable(&self) -> bool {
        matches!(self.state, State::Stable { .. })
    }

    /// The group as its record has it while it has no members.
    pub fn empty_value(&self) -> ClassicValue {
        self.value(|_, member| member.assignment.clone(), self.since_ms)
    }

    fn is_leader(&self, member: &str) -> bool {
        self.leader.as_deref() == Some(member)
    }

    /// Who speaks: a member, and with its own instance id (GRP-7).
    fn validate(
        &self,
        member: &str,
        instance: Option<&str>,
    ) -> Result<Arc<str>, ErrorCode> {
        if let Some(instance) = instance {
            let current =
                self.instances.get(instance).ok_or(ErrorCode::UnknownMemberId)?;
            if **current != *member {
                return Err(ErrorCode::FencedInstanceId);
            }
        }
        let known = self.members.get_key_value(member);
        known.map(|(id, _)| id.clone()).ok_or(ErrorCode::UnknownMemberId)
    }

    /// The order in which a commit is checked (GRP-6).
    pub fn validate_commit(
        &self,
        generation: i32,
        member: &str,
        instance: Option<&str>,
        commit: CommitKind,
    ) -> Result<(), ErrorCode> {
        if generation < 0 && self.is_empty() {
            return Ok(());
        }
        if generation >= 0 || !member.is_empty() || instance.is_some() {
            self.validate(member, instance)?;
            if generation != self.generation
                && !topomotion_wire::Defect::AcceptStaleCommit.is_sown()
            {
                return Err(ErrorCode::IllegalGeneration);
            }
        } else if commit == CommitKind::Plain {
            // Without a generation, only a group of nobody can be committed for.
            return Err(ErrorCode::UnknownMemberId);
        }
        let completing = matches!(self.state, State::Completing { .. });
        match completing && commit == CommitKind::Plain {
            true => Err(ErrorCode::RebalanceInProgress),
            false => Ok(()),
        }
    }

    /// A member is alive.
    pub fn heard_from(&mut self, member: &str, now: Instant) {
        if let Some(member) = self.members.get_mut(member) {
            member.heard(now);
        }
    }

    fn add(&mut self, id: Arc<str>, member: Member) {
        if let Some(instance) = &member.instance {
            self.instances.insert(instance.clone(), id.clone());
        }
        self.leader.get_or_insert_with(|| id.clone());
        self.members.insert(id, member);
    }

    fn remove(&mut self, id: &str) -> Option<Member> {
        let member = self.members.remove(id)?;
        if let Some(instance) = &member.instance {
            self.instances.remove(instance);
        }
        if let State::Completing { missing, .. } | State::Stable { missing, .. } =
            &mut self.state
        {
            missing.remove(id);
        }
        if self.is_leader(id) {
            self.leader = self.members.keys().next().cloned();
        }
        Some(member)
    }

    /// The group as its record has it, with these assignments.
    fn value(
        &self,
        assignment: impl Fn(&Arc<str>, &Member) -> Bytes,
        since_ms: i64,
    ) -> ClassicValue {
        let protocol = self.protocol.clone();
        let members = self.members.iter().map(|(id, member)| ClassicMemberValue {
            id: id.clone(),
            instance: member.instance.clone(),
            client: member.client.clone(),
            host: member.host.clone(),
            rebalance_timeout_ms: millis(member.rebalance_timeout),
            session_timeout_ms: millis(member.session_timeout),
            subscription: protocol
                .as_deref()
                .and_then(|it| member.metadata(it))
                .cloned()
                .unwrap_or_default(),
            assignment: assignment(id, member),
        });
        ClassicValue {
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            generation: self.generation,
            protocol: protocol.clone(),
            leader: self.leader.clone(),
            since_ms,
            members: members.collect(),
        }
    }

    /// The group that a record tells of; sessions begin at `now`.
    pub fn from_value(value: ClassicValue, now: Instant) -> ClassicGroup {
        let mut group = ClassicGroup::new(value.since_ms);
        group.protocol_type = Some(value.protocol_type).filter(|it| !it.is_empty());
        group.generation = value.generation;
        group.protocol = value.protocol.clone();
        for member in value.members {
            let session_timeout = span(member.session_timeout_ms);
            let protocols = value.protocol.iter();
            let kept = Member {
                instance: member.instance,
                client: member.client,
                host: member.host,
                rebalance_timeout: span(member.rebalance_timeout_ms),
                session_timeout,
                protocols: protocols
                    .map(|name| (name.clone(), member.subscription.clone()))
                    .collect(),
                assignment: member.assignment,
                joining: None,
                syncing: None,
                is_new: false,
                session: Some(now + session_timeout),
            };
            group.add(member.id, kept);
        }
        group.leader = value.leader;
        if !group.members.is_empty() {
            group.state = State::Stable { missing: BTreeSet::new(), until: now };
        }
        group
    }

    /// Sessions start anew.
    pub fn loaded(&mut self, now: Instant) {
        self.members.values_mut().for_each(|member| member.heard(now));
    }
}

/// How an offset is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommitKind {
    /// OffsetCommit.
    Plain,
    /// TxnOffsetCommit.
    Transactional,
}

fn span(ms: i32) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or_default())
}

fn millis(span: Duration) -> i32 {
    i32::try_from(span.as_millis()).unwrap_or(i32::MAX)
}
