//! KIP-848 groups: the coordinator computes the assignment, and each member comes to it at
//! its own pace (GRP-11 to GRP-13).
//!
//! ```text
//!   group epoch ──► target assignment, of that epoch ──► member epochs, one by one
//!   (what is wanted changed)   (who shall have what)      (who has it)
//! ```

mod heartbeat;
mod leave;
mod reconcile;
mod target;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_wire::{Bytes, Defect, Duration, ErrorCode, Instant, Rule};

use super::Partitions;
use super::group::Cx;
use super::records::{
    CurrentValue, EpochValue, Key, MemberValue, encode_target, encode_target_epoch,
};

pub(super) use heartbeat::{Beat, Refusal};

/// What a change writes: keys with values, or with none.
pub(super) type Records = Vec<(Key, Option<Bytes>)>;

/// The member epoch of a static member that will be back (GRP-7).
pub(super) const AWAY: i32 = -2;

/// A KIP-848 group.
#[derive(Debug, Clone, Default)]
pub(super) struct ConsumerGroup {
    /// Rises whenever another assignment is wanted.
    pub epoch: i32,
    /// Stands for what was known of the topics in that epoch.
    pub metadata_hash: i64,
    /// The epoch for which the target was computed.
    pub target_epoch: i32,
    /// Who shall have what.
    pub targets: BTreeMap<Arc<str>, Partitions>,
    pub members: BTreeMap<Arc<str>, Member>,
    /// Topics changed; whether it matters is found out with the next heartbeat.
    pub refresh: bool,
}

/// A member of a KIP-848 group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub value: MemberValue,
    pub epoch: i32,
    pub previous_epoch: i32,
    pub state: MemberState,
    /// What it may read.
    pub assigned: Partitions,
    /// What it must let go of before its epoch moves.
    pub revoking: Partitions,
    /// When it is removed unless it is heard from.
    pub session: Instant,
    /// When it is removed unless it has let go.
    pub revoke_until: Option<Instant>,
}

/// Where a member stands on its way to the target (GRP-13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MemberState {
    /// It has its target.
    Stable,
    /// It has to let go of partitions first.
    UnrevokedPartitions,
    /// It waits for partitions that others have to let go of.
    UnreleasedPartitions,
}

/// Whether whoever gives no `member.id` may speak for a group with members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anonymous {
    Allowed,
    Refused,
}

impl Member {
    fn new(value: MemberValue, session: Instant) -> Member {
        Member {
            value,
            epoch: 0,
            previous_epoch: -1,
            state: MemberState::Stable,
            assigned: Partitions::new(),
            revoking: Partitions::new(),
            session,
            revoke_until: None,
        }
    }

    fn move_to(&mut self, epoch: i32) {
        self.previous_epoch = self.epoch;
        self.epoch = epoch;
    }

    fn current(&self) -> CurrentValue {
        CurrentValue {
            epoch: self.epoch,
            previous_epoch: self.previous_epoch,
            state: match self.state {
                MemberState::Stable => 0,
                MemberState::UnrevokedPartitions => 1,
                MemberState::UnreleasedPartitions => 2,
            },
            assigned: self.assigned.clone(),
            revoking: self.revoking.clone(),
        }
    }

    fn rebalance_timeout(&self) -> Duration {
        let ms = u64::try_from(self.value.rebalance_timeout_ms);
        Duration::from_millis(ms.unwrap_or_default())
    }
}

impl ConsumerGroup {
    /// A group of nobody, whose epochs go on from here.
    pub fn new(epoch: i32) -> ConsumerGroup {
        ConsumerGroup { epoch, target_epoch: epoch, ..ConsumerGroup::default() }
    }

    /// Whether a member reads this topic.
    pub fn subscribes_to(&self, topic: &str) -> bool {
        self.members.values().any(|member| member.value.topics.contains(topic))
    }

    /// Everything that somebody subscribes to.
    fn topics(&self) -> BTreeSet<Arc<str>> {
        self.members.values().flat_map(|member| member.value.topics.clone()).collect()
    }

    /// Who has the name of this instance.
    fn of_instance(&self, instance: &str) -> Option<Arc<str>> {
        let mut members = self.members.iter();
        members
            .find(|(_, member)| member.value.instance.as_deref() == Some(instance))
            .map(|(id, _)| id.clone())
    }

    /// Whether a commit is a current member's (GRP-12).
    pub fn validate_commit(
        &self,
        epoch: i32,
        member: &str,
        anonymous: Anonymous,
    ) -> Result<(), ErrorCode> {
        let nobody = member.is_empty() && anonymous == Anonymous::Allowed;
        if epoch < 0 && (self.members.is_empty() || nobody) {
            return Ok(());
        }
        let known = self.members.get(member).ok_or(ErrorCode::UnknownMemberId)?;
        match epoch == known.epoch || Defect::AcceptStaleCommit.is_sown() {
            true => Ok(()),
            false => Err(ErrorCode::StaleMemberEpoch),
        }
    }

    /// Whether a fetch of offsets is a current member's.
    pub fn validate_fetch(&self, epoch: i32, member: &str) -> Result<(), ErrorCode> {
        self.validate_commit(epoch, member, Anonymous::Allowed)
    }

    /// When it next has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        let members = self.members.values();
        members.flat_map(|it| [Some(it.session), it.revoke_until]).flatten().min()
    }

    /// Members that were not heard from, or that did not let go, are out.
    pub fn tick(&mut self, cx: &mut Cx<'_>) -> Records {
        let due = |member: &Member| {
            member.session <= cx.now || member.revoke_until.is_some_and(|at| at <= cx.now)
        };
        let members = self.members.iter();
        let gone: Vec<Arc<str>> =
            members.filter(|(_, it)| due(it)).map(|(id, _)| id.clone()).collect();
        let mut records = Records::new();
        if gone.is_empty() {
            return records;
        }
        for id in gone {
            cx.out.mark(Rule::Grp14);
            self.remove(&cx.group, &id, &mut records);
        }
        self.raise_epoch(cx, &mut records);
        records
    }

    /// Whoever is due could not be removed: that is tried again later.
    pub fn postpone(&mut self, now: Instant, later: Instant) {
        for member in self.members.values_mut() {
            if member.session <= now {
                member.session = later;
            }
            if member.revoke_until.is_some_and(|until| until <= now) {
                member.revoke_until = Some(later);
            }
        }
    }

    /// Takes a member out, with all that is written of it.
    fn remove(&mut self, group: &Arc<str>, id: &Arc<str>, records: &mut Records) {
        let (group, member) = (group.clone(), id.clone());
        self.members.remove(id);
        self.targets.remove(id);
        records.extend([
            (Key::Current { group: group.clone(), member: member.clone() }, None),
            (Key::Target { group: group.clone(), member: member.clone() }, None),
            (Key::Member { group, member }, None),
        ]);
    }

    fn raise_epoch(&mut self, cx: &mut Cx<'_>, records: &mut Records) {
        self.epoch += 1;
        self.metadata_hash = self.hash_metadata(cx.directory);
        cx.out.mark(Rule::Grp11);
        let value = EpochValue { epoch: self.epoch, metadata_hash: self.metadata_hash };
        let key = Key::Epoch { group: cx.group.clone() };
        records.push((key, Some(value.encode())));
    }

    /// What has to be written so that nothing of the group is left.
    pub fn tombstones(&self, group: &Arc<str>) -> Records {
        let mut records = Records::new();
        let mut emptied = self.clone();
        let ids: Vec<Arc<str>> = self.members.keys().cloned().collect();
        ids.iter().for_each(|id| emptied.remove(group, id, &mut records));
        records.push((Key::TargetEpoch { group: group.clone() }, None));
        records.push((Key::Epoch { group: group.clone() }, None));
        records
    }

    /// Sessions start anew, and so do the times to let go. Topics may have changed while nobody
    /// coordinated: whoever loads a group looks at them with its first heartbeat.
    pub fn loaded(&mut self, now: Instant, session: Duration) {
        self.refresh = true;
        for member in self.members.values_mut() {
            member.session = now + session;
            if member.state == MemberState::UnrevokedPartitions {
                member.revoke_until = Some(now + member.rebalance_timeout());
            }
        }
    }

    /// Takes in a record of the log.
    pub fn replay(&mut self, key: &Key, value: Option<&[u8]>) {
        match (key, value) {
            (Key::Epoch { .. }, Some(value)) => {
                if let Some(value) = EpochValue::decode(value) {
                    self.epoch = value.epoch;
                    self.metadata_hash = value.metadata_hash;
                }
            }
            (Key::Member { member, .. }, Some(value)) => {
                if let Some(value) = MemberValue::decode(value) {
                    match self.members.get_mut(member) {
                        Some(known) => known.value = value,
                        None => {
                            let new = Member::new(value, Instant::ZERO);
                            self.members.insert(member.clone(), new);
                        }
                    }
                }
            }
            (Key::Member { member, .. }, None) => {
                self.members.remove(member);
            }
            (Key::TargetEpoch { .. }, Some(value)) => {
                let epoch = super::records::decode_target_epoch(value);
                self.target_epoch = epoch.unwrap_or(self.target_epoch);
            }
            (Key::Target { member, .. }, Some(value)) => {
                let target = super::records::decode_target(value).unwrap_or_default();
                self.targets.insert(member.clone(), target);
            }
            (Key::Target { member, .. }, None) => {
                self.targets.remove(member);
            }
            (Key::Current { member, .. }, value) => {
                let value = value.and_then(CurrentValue::decode);
                // Compaction may have left this record before the one that makes the member.
                if value.is_some() && !self.members.contains_key(member) {
                    let new = Member::new(MemberValue::default(), Instant::ZERO);
                    self.members.insert(member.clone(), new);
                }
                if let Some(member) = self.members.get_mut(member) {
                    member.replay(value);
                }
            }
            (Key::Epoch { .. } | Key::TargetEpoch { .. }, None)
            | (Key::Offset { .. } | Key::Classic { .. }, _) => {}
        }
    }
}

impl Member {
    fn replay(&mut self, value: Option<CurrentValue>) {
        let value = value.unwrap_or(CurrentValue {
            epoch: -1,
            previous_epoch: -1,
            state: 0,
            assigned: Partitions::new(),
            revoking: Partitions::new(),
        });
        self.epoch = value.epoch;
        self.previous_epoch = value.previous_epoch;
        self.state = match value.state {
            1 => MemberState::UnrevokedPartitions,
            2 => MemberState::UnreleasedPartitions,
            _ => MemberState::Stable,
        };
        self.assigned = value.assigned;
        self.revoking = value.revoking;
    }
}

/// The records of a target assignment that changed.
fn target_records(
    group: &Arc<str>,
    before: &BTreeMap<Arc<str>, Partitions>,
    after: &BTreeMap<Arc<str>, Partitions>,
    epoch: i32,
) -> Records {
    let changed = after.iter().filter(|(id, target)| before.get(*id) != Some(*target));
    let mut records: Records = changed
        .map(|(member, target)| {
            let key = Key::Target { group: group.clone(), member: member.clone() };
            (key, Some(encode_target(target)))
        })
        .collect();
    let key = Key::TargetEpoch { group: group.clone() };
    records.push((key, Some(encode_target_epoch(epoch))));
    records
}
