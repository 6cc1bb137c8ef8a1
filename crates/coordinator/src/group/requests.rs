//! Requests, each handed to the group that it is about.

use std::sync::Arc;

use topomotion_wire::messages::{
    ConsumerGroupHeartbeatRequest, HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest,
    RequestKind, SyncGroupRequest,
};
use topomotion_wire::{Duration, ErrorCode, Instant};

use super::answers::{self, kept};
use super::classic::{ClassicGroup, Join, Waiting, left};
use super::config::GroupVersion;
use super::consumer::{Beat, ConsumerGroup, Records, Refusal};
use super::group::{Cx, Group, Kind};
use super::machine::GroupShard;
use super::outbox::Change;
use super::records::Key;
use super::{admin, commit, expire, fetch};
use crate::shard::{Caller, Directory, Ticket};

impl GroupShard {
    /// Serves a request; others than those of groups get no answer.
    pub(super) fn serve(
        &mut self,
        now: Instant,
        directory: &dyn Directory,
        ticket: Ticket,
        caller: &Caller,
        request: &RequestKind,
    ) {
        let version = caller.version;
        let waiting = Waiting { ticket, version };
        let id = group_of(request);
        let (groups, mut cx) = self.on(now, directory, &id);
        let cx = &mut cx;
        match request {
            RequestKind::JoinGroup(request) => {
                let join = Join::new(ticket, caller, request);
                match join_group(groups, cx, request) {
                    Ok(classic) => classic.join(cx, &join),
                    Err(error) => {
                        let body = answers::join_refused(&request.member_id, error);
                        cx.out.answer(ticket, body);
                    }
                }
            }
            RequestKind::SyncGroup(request) => sync(groups, cx, waiting, request),
            RequestKind::Heartbeat(request) => heartbeat(groups, cx, ticket, request),
            RequestKind::LeaveGroup(request) => leave(groups, cx, waiting, request),
            RequestKind::ConsumerGroupHeartbeat(request) => {
                consumer_heartbeat(groups, cx, ticket, caller, request);
            }
            RequestKind::OffsetCommit(request) => {
                commit::commit(groups, cx, ticket, version, request);
            }
            RequestKind::TxnOffsetCommit(request) => {
                commit::txn_commit(groups, cx, ticket, request);
            }
            RequestKind::OffsetFetch(request) => {
                let body = fetch::fetch(groups, cx, version, request);
                cx.out.answer(ticket, body);
            }
            RequestKind::OffsetDelete(request) => {
                expire::delete_offsets(groups, cx, ticket, request);
            }
            RequestKind::DeleteGroups(request) => {
                expire::delete_groups(groups, cx, ticket, request);
            }
            RequestKind::ListGroups(request) => {
                let body = admin::list(groups, request);
                cx.out.answer(ticket, body);
            }
            RequestKind::DescribeGroups(request) => {
                let body = admin::describe(groups, version, request);
                cx.out.answer(ticket, body);
            }
            RequestKind::ConsumerGroupDescribe(request) => {
                let body = admin::describe_consumers(groups, cx, request);
                cx.out.answer(ticket, body);
            }
            _ => cx.out.hung_up(ticket),
        }
    }
}

/// The group that a request is about; no name where it is about several.
fn group_of(request: &RequestKind) -> Arc<str> {
    match request {
        RequestKind::JoinGroup(request) => kept(&request.group_id),
        RequestKind::SyncGroup(request) => kept(&request.group_id),
        RequestKind::Heartbeat(request) => kept(&request.group_id),
        RequestKind::LeaveGroup(request) => kept(&request.group_id),
        RequestKind::ConsumerGroupHeartbeat(request) => kept(&request.group_id),
        RequestKind::OffsetCommit(request) => kept(&request.group_id),
        RequestKind::TxnOffsetCommit(request) => kept(&request.group_id),
        RequestKind::OffsetDelete(request) => kept(&request.group_id),
        _ => Arc::default(),
    }
}

/// The classic group to join: known, new, or one of KIP-848 that has no members any more.
fn join_group<'a>(
    groups: &'a mut commit::Groups,
    cx: &mut Cx<'_>,
    request: &JoinGroupRequest,
) -> Result<&'a mut ClassicGroup, ErrorCode> {
    if request.group_id.is_empty() {
        return Err(ErrorCode::InvalidGroupId);
    }
    let session = u64::try_from(request.session_timeout_ms).map(Duration::from_millis);
    let allowed = cx.config.session_timeout_min..=cx.config.session_timeout_max;
    if !session.is_ok_and(|session| allowed.contains(&session)) {
        return Err(ErrorCode::InvalidSessionTimeout);
    }
    let is_new = request.member_id.is_empty();
    if !groups.contains_key(&cx.group) {
        if !is_new {
            return Err(ErrorCode::UnknownMemberId);
        }
        let classic = ClassicGroup::new(cx.wall_ms());
        groups.insert(cx.group.clone(), Group::new(Kind::Classic(classic)));
    }
    let group = groups.get_mut(&cx.group).ok_or(ErrorCode::UnknownMemberId)?;
    if let Kind::Consumer(consumer) = &group.kind {
        if !is_new {
            return Err(ErrorCode::UnknownMemberId);
        }
        if !consumer.members.is_empty() {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        let mut classic = ClassicGroup::new(cx.wall_ms());
        // Generations go on from the epochs, so that none is given twice.
        classic.generation = consumer.epoch;
        let mut records = consumer.tombstones(&cx.group);
        let value = Some(classic.empty_value().encode());
        records.push((Key::Classic { group: cx.group.clone() }, value));
        let before = std::mem::replace(&mut group.kind, Kind::Classic(classic));
        let write = cx.out.append(cx.now, &cx.group, records, Change::Nothing);
        write.before = Some(Box::new(before));
    }
    group.classic().ok_or(ErrorCode::UnknownMemberId)
}

fn classic<'a>(
    groups: &'a mut commit::Groups,
    cx: &Cx<'_>,
) -> Result<&'a mut ClassicGroup, ErrorCode> {
    let group = groups.get_mut(&cx.group).and_then(Group::classic);
    group.ok_or(ErrorCode::UnknownMemberId)
}

fn sync(
    groups: &mut commit::Groups,
    cx: &mut Cx<'_>,
    waiting: Waiting,
    request: &SyncGroupRequest,
) {
    match classic(groups, cx) {
        Ok(classic) => classic.sync(cx, waiting, request),
        Err(error) => cx.out.answer(waiting.ticket, answers::sync_refused(error)),
    }
}

fn heartbeat(
    groups: &mut commit::Groups,
    cx: &mut Cx<'_>,
    ticket: Ticket,
    request: &HeartbeatRequest,
) {
    let outcome = classic(groups, cx).and_then(|classic| classic.heartbeat(cx, request));
    cx.out.answer_durably(cx.now, ticket, answers::heartbeat(outcome));
}

fn leave(
    groups: &mut commit::Groups,
    cx: &mut Cx<'_>,
    waiting: Waiting,
    request: &LeaveGroupRequest,
) {
    let body = match classic(groups, cx) {
        Ok(classic) => classic.leave(cx, request, waiting.version),
        Err(error) => left(request, waiting.version, |_| Err(error)),
    };
    cx.out.answer_durably(cx.now, waiting.ticket, body);
}

fn consumer_heartbeat(
    groups: &mut commit::Groups,
    cx: &mut Cx<'_>,
    ticket: Ticket,
    caller: &Caller,
    request: &ConsumerGroupHeartbeatRequest,
) {
    if let Err(Refusal(error, why)) =
        try_consumer_heartbeat(groups, cx, ticket, caller, request)
    {
        let body = answers::consumer_refused(error, why);
        cx.out.answer_durably(cx.now, ticket, body);
    }
}

fn try_consumer_heartbeat(
    groups: &mut commit::Groups,
    cx: &mut Cx<'_>,
    ticket: Ticket,
    caller: &Caller,
    request: &ConsumerGroupHeartbeatRequest,
) -> Result<(), Refusal> {
    if cx.config.version < GroupVersion::V1 {
        let why = "The cluster does not support the new consumer group protocol.";
        return Err(Refusal(ErrorCode::UnsupportedVersion, why));
    }
    let beat = Beat::new(caller, request, &cx.config.consumer_assignors)?;
    let missing = Refusal(ErrorCode::GroupIdNotFound, "There is no such consumer group.");
    let joins = request.member_epoch == 0;
    let mut records = Records::new();
    let (before, mut consumer) = match groups.get(&cx.group).map(|it| &it.kind) {
        Some(Kind::Consumer(consumer)) => {
            (Kind::Consumer(consumer.clone()), consumer.clone())
        }
        // A group without members changes its protocol with the first that comes.
        Some(Kind::Classic(classic)) if joins && classic.is_empty() => {
            if classic.generation > 0 {
                records.push((Key::Classic { group: cx.group.clone() }, None));
            }
            (Kind::Classic(classic.clone()), ConsumerGroup::new(classic.generation))
        }
        Some(Kind::Classic(_)) => return Err(missing),
        None if joins => {
            (Kind::Consumer(ConsumerGroup::default()), ConsumerGroup::default())
        }
        None => return Err(missing),
    };
    let body = match request.member_epoch < 0 {
        true => consumer.leave(cx, &beat, &mut records)?,
        false => consumer.heartbeat(cx, &beat, &mut records)?,
    };
    let kind = Kind::Consumer(consumer);
    match groups.get_mut(&cx.group) {
        Some(group) => group.kind = kind,
        None => {
            groups.insert(cx.group.clone(), Group::new(kind));
        }
    }
    if records.is_empty() {
        cx.out.answer_durably(cx.now, ticket, body);
        return Ok(());
    }
    let write = cx.out.append(cx.now, &cx.group, records, Change::Nothing);
    write.answers.push((ticket, body));
    write.before = Some(Box::new(before));
    Ok(())
}
