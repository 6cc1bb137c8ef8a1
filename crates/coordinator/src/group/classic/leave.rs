//! LeaveGroup: one member, or several by their ids or instances (GRP-7).

use std::sync::Arc;

use topomotion_wire::ErrorCode;
use topomotion_wire::messages::leave_group_request::MemberIdentity;
use topomotion_wire::messages::leave_group_response::MemberResponse;
use topomotion_wire::messages::{LeaveGroupRequest, LeaveGroupResponse, ResponseKind};

use super::ClassicGroup;
use crate::group::answers::{self, code, kept};
use crate::group::group::Cx;

/// Whom a request of this version names.
fn named(request: &LeaveGroupRequest, version: i16) -> Vec<MemberIdentity> {
    match version {
        0..=2 => {
            vec![MemberIdentity::default().with_member_id(request.member_id.clone())]
        }
        _ => request.members.clone(),
    }
}

/// The answer with one outcome for each.
pub(in crate::group) fn left(
    request: &LeaveGroupRequest,
    version: i16,
    mut leave: impl FnMut(&MemberIdentity) -> Result<(), ErrorCode>,
) -> ResponseKind {
    let mut response = LeaveGroupResponse::default();
    for member in named(request, version) {
        let outcome = leave(&member);
        if version <= 2 {
            response.error_code = code(outcome);
            continue;
        }
        response.members.push(
            MemberResponse::default()
                .with_member_id(member.member_id)
                .with_group_instance_id(member.group_instance_id)
                .with_error_code(code(outcome)),
        );
    }
    ResponseKind::LeaveGroup(response)
}

impl ClassicGroup {
    /// Takes members out.
    pub fn leave(
        &mut self,
        cx: &mut Cx<'_>,
        request: &LeaveGroupRequest,
        version: i16,
    ) -> ResponseKind {
        let mut gone = false;
        let mut given_up = false;
        let body = left(request, version, |member| {
            let id = kept(&member.member_id);
            if member.group_instance_id.is_none() && self.pending.remove(&id).is_some() {
                given_up = true;
                return Ok(());
            }
            let instance = member.group_instance_id.as_ref().map(kept);
            self.leave_one(cx, id, instance)?;
            gone = true;
            Ok(())
        });
        match (gone, given_up) {
            (true, _) => self.after_removal(cx),
            (false, true) => self.after_pending(cx),
            (false, false) => {}
        }
        body
    }

    fn leave_one(
        &mut self,
        cx: &mut Cx<'_>,
        id: Arc<str>,
        instance: Option<Arc<str>>,
    ) -> Result<(), ErrorCode> {
        let id = match (&instance, id.is_empty()) {
            // An operator names the instance only.
            (Some(instance), true) => {
                self.instances.get(instance).cloned().ok_or(ErrorCode::UnknownMemberId)?
            }
            (Some(_), false) | (None, _) => self.validate(&id, instance.as_deref())?,
        };
        let member = self.remove(&id).ok_or(ErrorCode::UnknownMemberId)?;
        if let Some(waiting) = member.joining {
            let body = answers::join_refused(&id, ErrorCode::UnknownMemberId);
            cx.out.answer(waiting.ticket, body);
        }
        if let Some(waiting) = member.syncing {
            let body = answers::sync_refused(ErrorCode::UnknownMemberId);
            cx.out.answer(waiting.ticket, body);
        }
        Ok(())
    }
}
