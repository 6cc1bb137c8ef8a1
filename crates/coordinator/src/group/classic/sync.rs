//! SyncGroup: the leader's assignment is written, then everybody is told (GRP-5).

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_wire::messages::{ResponseKind, SyncGroupRequest, SyncGroupResponse};
use topomotion_wire::{Bytes, ErrorCode, Rule};

use super::{ClassicGroup, State, Waiting};
use crate::group::answers::{self, kept, text};
use crate::group::group::Cx;
use crate::group::outbox::Change;
use crate::group::records::Key;

impl ClassicGroup {
    /// Takes a SyncGroup; answered now, or when the assignment is durable.
    pub fn sync(
        &mut self,
        cx: &mut Cx<'_>,
        waiting: Waiting,
        request: &SyncGroupRequest,
    ) {
        if let Err(error) = self.try_sync(cx, waiting, request) {
            cx.out.answer(waiting.ticket, answers::sync_refused(error));
        }
    }

    fn try_sync(
        &mut self,
        cx: &mut Cx<'_>,
        waiting: Waiting,
        request: &SyncGroupRequest,
    ) -> Result<(), ErrorCode> {
        let instance = request.group_instance_id.as_deref();
        let id = self.validate(&request.member_id, instance)?;
        if request.generation_id != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        let differs = |said: Option<&str>, known: &Option<Arc<str>>| {
            said.is_some_and(|said| known.as_deref() != Some(said))
        };
        if differs(request.protocol_type.as_deref(), &self.protocol_type)
            || differs(request.protocol_name.as_deref(), &self.protocol)
        {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        match &mut self.state {
            State::Empty => return Err(ErrorCode::UnknownMemberId),
            State::Preparing(_) => return Err(ErrorCode::RebalanceInProgress),
            State::Stable { missing, .. } => {
                missing.remove(&id);
                self.heard_from(&id, cx.now);
                let assignment = self.members[&id].assignment.clone();
                self.answer_sync(cx, waiting, assignment);
            }
            State::Completing { missing, .. } => {
                missing.remove(&id);
                self.await_assignment(cx, &id, waiting);
                if self.is_leader(&id) {
                    self.write_assignment(cx, request);
                }
            }
        }
        Ok(())
    }

    fn await_assignment(&mut self, cx: &mut Cx<'_>, id: &Arc<str>, waiting: Waiting) {
        let Some(member) = self.members.get_mut(id) else { return };
        if let Some(before) = member.syncing.replace(waiting) {
            let body = answers::sync_refused(ErrorCode::RebalanceInProgress);
            cx.out.answer(before.ticket, body);
        }
    }

    fn write_assignment(&mut self, cx: &mut Cx<'_>, request: &SyncGroupRequest) {
        let said: BTreeMap<Arc<str>, Bytes> = request
            .assignments
            .iter()
            .map(|one| (kept(&one.member_id), one.assignment.clone()))
            .collect();
        // Whom the leader forgot gets nothing, and who is no member is not written.
        let assignment: BTreeMap<Arc<str>, Bytes> = self
            .members
            .keys()
            .map(|id| (id.clone(), said.get(id).cloned().unwrap_or_default()))
            .collect();
        let value = self.value(|id, _| assignment[id].clone(), cx.wall_ms());
        let key = Key::Classic { group: cx.group.clone() };
        let change = Change::Assignment { generation: self.generation, assignment };
        cx.out.mark(Rule::Grp5);
        cx.out.append(cx.now, &cx.group, vec![(key, Some(value.encode()))], change);
    }

    /// The assignment of a generation is durable.
    pub fn assigned(
        &mut self,
        cx: &mut Cx<'_>,
        generation: i32,
        mut assignment: BTreeMap<Arc<str>, Bytes>,
    ) {
        // Meanwhile somebody may have come or gone: then it is of no use any more.
        let State::Completing { missing, until } = &self.state else { return };
        if generation != self.generation {
            return;
        }
        self.state = State::Stable { missing: missing.clone(), until: *until };
        self.since_ms = cx.wall_ms();
        cx.out.mark(Rule::Grp2);
        let mut waiting = Vec::new();
        for (id, member) in &mut self.members {
            member.assignment = assignment.remove(id).unwrap_or_default();
            if let Some(one) = member.syncing.take() {
                member.heard(cx.now);
                waiting.push((one, member.assignment.clone()));
            }
        }
        for (one, assignment) in waiting {
            self.answer_sync(cx, one, assignment);
        }
    }

    /// The assignment of a generation could not be written: all join again.
    pub fn assignment_failed(
        &mut self,
        cx: &mut Cx<'_>,
        generation: i32,
        error: ErrorCode,
    ) {
        if !matches!(self.state, State::Completing { .. })
            || generation != self.generation
        {
            return;
        }
        self.fail_syncing(cx, error);
        self.rebalance_or_complete(cx);
    }

    fn answer_sync(&self, cx: &mut Cx<'_>, waiting: Waiting, assignment: Bytes) {
        let answer = SyncGroupResponse::default()
            .with_protocol_type(self.protocol_type.as_deref().map(text))
            .with_protocol_name(self.protocol.as_deref().map(text))
            .with_assignment(assignment);
        cx.out.answer(waiting.ticket, ResponseKind::SyncGroup(answer));
    }
}
