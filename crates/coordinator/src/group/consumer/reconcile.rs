//! How a member comes to its target: first it lets go, then it is given what is free
//! (GRP-13).

use std::sync::Arc;

use topomotion_wire::{Defect, Rule};

use super::{ConsumerGroup, Member, MemberState, Records};
use crate::group::Partitions;
use crate::group::group::Cx;
use crate::group::records::Key;

impl ConsumerGroup {
    /// Brings a member nearer to its target. `owned` is what it says it has, if it says so.
    pub(super) fn reconcile(
        &mut self,
        cx: &mut Cx<'_>,
        id: &Arc<str>,
        owned: Option<&Partitions>,
        records: &mut Records,
    ) {
        let Some(member) = self.members.get(id) else { return };
        if member.state == MemberState::Stable && member.epoch == self.target_epoch {
            return;
        }
        let mut next = member.clone();
        self.step(&mut next, id, owned);
        if next == *member {
            return;
        }
        cx.out.mark(Rule::Grp13);
        next.revoke_until = match next.state {
            MemberState::UnrevokedPartitions => Some(cx.now + next.rebalance_timeout()),
            MemberState::Stable | MemberState::UnreleasedPartitions => None,
        };
        let key = Key::Current { group: cx.group.clone(), member: id.clone() };
        records.push((key, Some(next.current().encode())));
        self.members.insert(id.clone(), next);
    }

    fn step(&self, member: &mut Member, id: &Arc<str>, owned: Option<&Partitions>) {
        match member.state {
            MemberState::Stable => self.towards_target(member, id, owned, member.epoch),
            MemberState::UnrevokedPartitions => {
                // Only a member that tells what it owns can be seen to have let go.
                if keeps(owned, &member.revoking) {
                    return;
                }
                self.towards_target(member, id, owned, member.epoch + 1);
            }
            MemberState::UnreleasedPartitions => {
                self.towards_target(member, id, owned, member.epoch);
            }
        }
    }

    fn towards_target(
        &self,
        member: &mut Member,
        id: &Arc<str>,
        owned: Option<&Partitions>,
        epoch: i32,
    ) {
        let nothing = Partitions::new();
        let target = self.targets.get(id).unwrap_or(&nothing);
        let kept: Partitions = member.assigned.intersection(target).copied().collect();
        let revoked: Partitions = member.assigned.difference(&kept).copied().collect();
        let wanted: Partitions = target.difference(&kept).copied().collect();
        let free: Partitions =
            wanted.iter().filter(|it| !self.is_owned(it)).copied().collect();
        if !revoked.is_empty() && keeps(owned, &revoked) {
            member.state = MemberState::UnrevokedPartitions;
            member.move_to(epoch);
            member.assigned = kept;
            member.revoking = revoked;
            return;
        }
        member.state = match free.len() < wanted.len() {
            true => MemberState::UnreleasedPartitions,
            false => MemberState::Stable,
        };
        member.move_to(self.target_epoch);
        member.assigned = kept;
        member.assigned.extend(free);
        member.revoking.clear();
    }

    /// Whether anybody has a partition, or has not let go of it yet.
    fn is_owned(&self, partition: &(topomotion_wire::TopicId, i32)) -> bool {
        self.members.values().any(|member| {
            let revoking =
                member.revoking.contains(partition) && !Defect::ReleaseEarly.is_sown();
            member.assigned.contains(partition) || revoking
        })
    }
}

/// Whether a member still has some of these; who does not say, may.
fn keeps(owned: Option<&Partitions>, these: &Partitions) -> bool {
    owned.is_none_or(|owned| !owned.is_disjoint(these))
}
