//! Heartbeats, and what becomes of members without (GRP-14).

use std::sync::Arc;

use topomotion_wire::messages::HeartbeatRequest;
use topomotion_wire::{Defect, ErrorCode, Instant, Rule};

use super::{ClassicGroup, Member, State, Wait};
use crate::group::answers;
use crate::group::group::Cx;

impl ClassicGroup {
    /// Takes a heartbeat.
    pub fn heartbeat(
        &mut self,
        cx: &mut Cx<'_>,
        request: &HeartbeatRequest,
    ) -> Result<(), ErrorCode> {
        let instance = request.group_instance_id.as_deref();
        let id = self.validate(&request.member_id, instance)?;
        if request.generation_id != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        match &self.state {
            State::Empty => Err(ErrorCode::UnknownMemberId),
            State::Preparing(_) => {
                self.heard_from(&id, cx.now);
                cx.out.mark(Rule::Grp5);
                Err(ErrorCode::RebalanceInProgress)
            }
            State::Completing { .. } | State::Stable { .. } => {
                self.heard_from(&id, cx.now);
                Ok(())
            }
        }
    }

    /// When it next has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        let phase = match &self.state {
            State::Preparing(Wait::Company { until, .. } | Wait::Members { until }) => {
                Some(*until)
            }
            State::Completing { missing, until } | State::Stable { missing, until }
                if !missing.is_empty() && !Defect::SyncWaitForever.is_sown() =>
            {
                Some(*until)
            }
            State::Completing { .. } | State::Stable { .. } | State::Empty => None,
        };
        let sessions = self.members.values().filter_map(|member| member.session);
        phase.into_iter().chain(sessions).chain(self.pending.values().copied()).min()
    }

    /// Lets time pass.
    pub fn tick(&mut self, cx: &mut Cx<'_>) {
        self.expire_sessions(cx);
        let before = self.pending.len();
        self.pending.retain(|_, until| *until > cx.now);
        if before != self.pending.len() {
            self.after_pending(cx);
        }
        self.join_due(cx);
        self.sync_due(cx);
    }

    /// An id that nobody came back with is given up; it may have been the last to wait for.
    pub(super) fn after_pending(&mut self, cx: &mut Cx<'_>) {
        if matches!(self.state, State::Preparing(_)) {
            self.rebalance_or_complete(cx);
        }
    }

    fn expire_sessions(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now;
        let stuck = Defect::SyncWaitForever.is_sown()
            && matches!(self.state, State::Completing { .. });
        let mut gone: Vec<Arc<str>> = Vec::new();
        for (id, member) in &mut self.members {
            if member.session.is_some_and(|at| at <= now) {
                member.session = None;
                if !is_waiting(member) && !stuck {
                    gone.push(id.clone());
                }
            }
        }
        if gone.is_empty() {
            return;
        }
        for id in &gone {
            let Some(member) = self.remove(id) else { continue };
            cx.out.mark(Rule::Grp14);
            if let Some(waiting) = member.joining {
                let body = answers::join_refused(id, ErrorCode::UnknownMemberId);
                cx.out.answer(waiting.ticket, body);
            }
        }
        self.after_removal(cx);
    }
}

/// Whoever waits for the coordinator cannot send heartbeats. A new member is given up all the
/// same: nobody else would notice that it is gone.
fn is_waiting(member: &Member) -> bool {
    !member.is_new && (member.joining.is_some() || member.syncing.is_some())
}
