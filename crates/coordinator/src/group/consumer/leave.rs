//! A heartbeat that says goodbye: for good (−1), or for a while (−2, static members).

use std::sync::Arc;

use topomotion_wire::messages::{ConsumerGroupHeartbeatResponse, ResponseKind};
use topomotion_wire::{ErrorCode, Rule};

use super::{AWAY, Beat, ConsumerGroup, MemberState, Records, Refusal};
use crate::group::answers::{kept, text};
use crate::group::group::Cx;
use crate::group::records::Key;

impl ConsumerGroup {
    /// Takes a goodbye.
    pub fn leave(
        &mut self,
        cx: &mut Cx<'_>,
        beat: &Beat<'_>,
        records: &mut Records,
    ) -> Result<ResponseKind, Refusal> {
        let id = self.leaver(beat)?;
        match beat.request.member_epoch == AWAY {
            true => self.be_away(cx, &id, records),
            false => {
                self.remove(&cx.group, &id, records);
                self.raise_epoch(cx, records);
            }
        }
        Ok(ResponseKind::ConsumerGroupHeartbeat(
            ConsumerGroupHeartbeatResponse::default()
                .with_member_id(Some(text(&id)))
                .with_member_epoch(beat.request.member_epoch),
        ))
    }

    fn leaver(&self, beat: &Beat<'_>) -> Result<Arc<str>, Refusal> {
        let unknown =
            Refusal(ErrorCode::UnknownMemberId, "Member is not a member of the group.");
        let said = kept(&beat.request.member_id);
        let Some(instance) = &beat.instance else {
            return self.members.contains_key(&said).then_some(said).ok_or(unknown);
        };
        match self.of_instance(instance) {
            Some(id) if id == said => Ok(id),
            Some(_) => Err(Refusal(
                ErrorCode::FencedInstanceId,
                "The instance id belongs to another member by now.",
            )),
            None => Err(unknown),
        }
    }

    /// What it has stays its own until its session ends.
    fn be_away(&mut self, cx: &mut Cx<'_>, id: &Arc<str>, records: &mut Records) {
        let Some(member) = self.members.get_mut(id) else { return };
        cx.out.mark(Rule::Grp7);
        member.epoch = AWAY;
        member.revoking.clear();
        member.revoke_until = None;
        if member.state == MemberState::UnrevokedPartitions {
            member.state = MemberState::Stable;
        }
        let key = Key::Current { group: cx.group.clone(), member: id.clone() };
        records.push((key, Some(member.current().encode())));
    }
}
