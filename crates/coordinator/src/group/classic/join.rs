//! JoinGroup: who comes, comes back, or comes again (GRP-3, GRP-7).

use std::collections::BTreeSet;
use std::sync::Arc;

use topomotion_wire::messages::JoinGroupRequest;
use topomotion_wire::messages::ResponseKind;
use topomotion_wire::messages::join_group_response::{
    JoinGroupResponse, JoinGroupResponseMember,
};
use topomotion_wire::{Bytes, Duration, ErrorCode, Rule};

use super::embedded;
use super::{ClassicGroup, Member, State, Wait, Waiting, span};
use crate::group::answers::{self, kept, text};
use crate::group::group::{Cx, Kind};
use crate::group::ids::member_id;
use crate::group::outbox::Change;
use crate::group::records::Key;
use crate::shard::{Caller, Ticket};

/// How long a member that knows no id yet may wait in a join phase.
const NEW_MEMBER_PATIENCE: Duration = Duration::from_millis(300_000);

/// A JoinGroup as it came, taken apart.
pub(in crate::group) struct Join<'a> {
    pub waiting: Waiting,
    pub caller: &'a Caller,
    pub request: &'a JoinGroupRequest,
    member: Arc<str>,
    instance: Option<Arc<str>>,
    protocols: Vec<(Arc<str>, Bytes)>,
}

impl<'a> Join<'a> {
    pub fn new(
        ticket: Ticket,
        caller: &'a Caller,
        request: &'a JoinGroupRequest,
    ) -> Self {
        let protocols = request.protocols.iter();
        Join {
            waiting: Waiting { ticket, version: caller.version },
            caller,
            request,
            member: kept(&request.member_id),
            instance: request.group_instance_id.as_ref().map(kept),
            protocols: protocols
                .map(|protocol| (kept(&protocol.name), protocol.metadata.clone()))
                .collect(),
        }
    }

    fn rebalance_timeout(&self) -> Duration {
        // Version 0 knows one timeout only.
        match self.request.rebalance_timeout_ms {
            unsaid if unsaid < 0 => span(self.request.session_timeout_ms),
            said => span(said),
        }
    }
}

impl ClassicGroup {
    /// Takes a JoinGroup; answered now or when the join phase ends.
    pub fn join(&mut self, cx: &mut Cx<'_>, join: &Join<'_>) {
        if let Err(error) = self.try_join(cx, join) {
            let body = answers::join_refused(&join.member, error);
            cx.out.answer(join.waiting.ticket, body);
        }
    }

    fn try_join(&mut self, cx: &mut Cx<'_>, join: &Join<'_>) -> Result<(), ErrorCode> {
        if !self.has_room(cx, &join.member) {
            if self.remove(&join.member).is_some() {
                self.after_removal(cx);
            }
            self.pending.remove(&join.member);
            return Err(ErrorCode::GroupMaxSizeReached);
        }
        if !self.supports(join) {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        match join.member.is_empty() {
            true => self.join_new(cx, join),
            false => self.join_again(cx, join),
        }
    }

    fn has_room(&self, cx: &Cx<'_>, member: &str) -> bool {
        let size = match &self.state {
            State::Empty => return true,
            State::Preparing(_) => {
                let known = self.members.get(member);
                if known.is_some_and(|member| member.joining.is_some()) {
                    return true;
                }
                self.members.values().filter(|member| member.joining.is_some()).count()
            }
            State::Completing { .. } | State::Stable { .. } => {
                if self.members.contains_key(member) {
                    return true;
                }
                self.members.len()
            }
        };
        size < cx.config.max_size
    }

    /// Whether there is a protocol that everybody has, the newcomer too.
    fn supports(&self, join: &Join<'_>) -> bool {
        if join.protocols.is_empty() || join.request.protocol_type.is_empty() {
            return false;
        }
        if self.members.is_empty() {
            return true;
        }
        let same = self.protocol_type.as_deref() == Some(&*join.request.protocol_type);
        same && join.protocols.iter().any(|(name, _)| {
            // A member that joins again is judged by what it says now.
            let others = self.members.iter().filter(|(id, _)| **id != join.member);
            others.into_iter().all(|(_, member)| member.metadata(name).is_some())
        })
    }

    fn join_new(&mut self, cx: &mut Cx<'_>, join: &Join<'_>) -> Result<(), ErrorCode> {
        let name = join.instance.as_deref().unwrap_or(&join.caller.client_id);
        let id = member_id(Some(name), cx.random);
        match &join.instance {
            Some(instance) => match self.instances.get(instance).cloned() {
                Some(old) => self.replace_static(cx, join, instance, &old, id),
                None => self.add_and_rebalance(cx, join, id),
            },
            None if join.waiting.version >= 4 => {
                cx.out.mark(Rule::Grp3);
                let until = cx.now + span(join.request.session_timeout_ms);
                self.pending.insert(id.clone(), until);
                let body = answers::join_refused(&id, ErrorCode::MemberIdRequired);
                cx.out.answer(join.waiting.ticket, body);
            }
            None => self.add_and_rebalance(cx, join, id),
        }
        Ok(())
    }

    fn join_again(&mut self, cx: &mut Cx<'_>, join: &Join<'_>) -> Result<(), ErrorCode> {
        if self.pending.contains_key(&join.member) && join.instance.is_none() {
            self.pending.remove(&join.member);
            self.add_and_rebalance(cx, join, join.member.clone());
            return Ok(());
        }
        let id = self.validate(&join.member, join.instance.as_deref())?;
        let same = self.members[&id].protocols == join.protocols;
        match &self.state {
            State::Empty => return Err(ErrorCode::UnknownMemberId),
            State::Preparing(_) => self.update_and_rebalance(cx, join, &id),
            // The answer was lost: it gets the same one again.
            State::Completing { .. } if same => self.answer_join(cx, &id, join.waiting),
            // The leader may ask for a new division; from others only a change is one.
            State::Stable { .. } if same && !self.is_leader(&id) => {
                self.answer_join(cx, &id, join.waiting);
            }
            State::Completing { .. } | State::Stable { .. } => {
                self.update_and_rebalance(cx, join, &id);
            }
        }
        Ok(())
    }

    fn add_and_rebalance(&mut self, cx: &mut Cx<'_>, join: &Join<'_>, id: Arc<str>) {
        if self.members.is_empty() {
            self.protocol_type = Some(kept(&join.request.protocol_type));
        }
        if let State::Preparing(Wait::Company { newcomer, .. }) = &mut self.state {
            *newcomer = true;
        }
        let member = Member {
            instance: join.instance.clone(),
            client: join.caller.client_id.clone(),
            host: join.caller.host.clone(),
            rebalance_timeout: join.rebalance_timeout(),
            session_timeout: span(join.request.session_timeout_ms),
            protocols: join.protocols.clone(),
            assignment: Bytes::new(),
            joining: Some(join.waiting),
            syncing: None,
            is_new: true,
            session: Some(cx.now + NEW_MEMBER_PATIENCE),
        };
        self.add(id, member);
        self.rebalance_or_complete(cx);
    }

    fn update_and_rebalance(&mut self, cx: &mut Cx<'_>, join: &Join<'_>, id: &Arc<str>) {
        self.update(join, id);
        let before =
            self.members.get_mut(id).and_then(|it| it.joining.replace(join.waiting));
        if let Some(before) = before.filter(|before| before.ticket != join.waiting.ticket)
        {
            // It asked twice; whoever waits for the first answer knows by now.
            let body = answers::join_refused(id, ErrorCode::UnknownMemberId);
            cx.out.answer(before.ticket, body);
        }
        self.rebalance_or_complete(cx);
    }

    fn update(&mut self, join: &Join<'_>, id: &str) {
        if let Some(member) = self.members.get_mut(id) {
            member.protocols = join.protocols.clone();
            member.rebalance_timeout = join.rebalance_timeout();
            member.session_timeout = span(join.request.session_timeout_ms);
        }
    }

    /// A static member came back under a new id: it takes its own place again (GRP-7).
    fn replace_static(
        &mut self,
        cx: &mut Cx<'_>,
        join: &Join<'_>,
        instance: &Arc<str>,
        old: &Arc<str>,
        id: Arc<str>,
    ) {
        let before = Box::new(Kind::Classic(self.clone()));
        let was_leader = self.is_leader(old);
        let topics = self.topics_of(old);
        let Some(mut member) = self.members.remove(old) else { return };
        if let Some(waiting) = member.joining.take() {
            let body = answers::join_refused(old, ErrorCode::FencedInstanceId);
            cx.out.answer(waiting.ticket, body);
        }
        if let Some(waiting) = member.syncing.take() {
            let body = answers::sync_refused(ErrorCode::FencedInstanceId);
            cx.out.answer(waiting.ticket, body);
        }
        member.heard(cx.now);
        self.members.insert(id.clone(), member);
        self.instances.insert(instance.clone(), id.clone());
        if was_leader {
            self.leader = Some(id.clone());
        }
        self.update(join, &id);
        cx.out.mark(Rule::Grp7);
        let unchanged =
            self.select_protocol() == self.protocol && self.topics_of(&id) == topics;
        match &mut self.state {
            State::Stable { missing, .. } if unchanged => {
                missing.remove(old);
                self.write_replaced(cx, join.waiting, &id, old, before);
            }
            State::Stable { .. }
            | State::Completing { .. }
            | State::Preparing(_)
            | State::Empty => {
                if let Some(member) = self.members.get_mut(&id) {
                    member.joining = Some(join.waiting);
                }
                self.rebalance_or_complete(cx);
            }
        }
    }

    /// The new id is written, then the member is told that nothing has changed.
    fn write_replaced(
        &mut self,
        cx: &mut Cx<'_>,
        waiting: Waiting,
        id: &Arc<str>,
        old: &Arc<str>,
        before: Box<Kind>,
    ) {
        let value = self.value(|_, member| member.assignment.clone(), self.since_ms);
        let key = Key::Classic { group: cx.group.clone() };
        let mut answer = self.joined(id, waiting.version);
        if self.is_leader(id) {
            // A leader that learned of it would divide anew. Only clients that can be told
            // to leave that out may know who they are.
            match waiting.version >= 9 {
                true => answer.skip_assignment = true,
                false => {
                    answer.members.clear();
                    answer.leader = text(old);
                }
            }
        }
        let records = vec![(key, Some(value.encode()))];
        let write = cx.out.append(cx.now, &cx.group, records, Change::Nothing);
        write.answers.push((waiting.ticket, ResponseKind::JoinGroup(answer)));
        write.before = Some(before);
    }

    fn topics_of(&self, id: &str) -> BTreeSet<Arc<str>> {
        let member = self.members.get(id);
        let protocol = self.protocol.as_deref();
        let metadata = member.zip(protocol).and_then(|(it, name)| it.metadata(name));
        metadata.map(|it| embedded::topics(it)).unwrap_or_default()
    }

    /// Answers with what the generation is.
    pub(super) fn answer_join(&self, cx: &mut Cx<'_>, id: &str, waiting: Waiting) {
        let answer = self.joined(id, waiting.version);
        cx.out.answer(waiting.ticket, ResponseKind::JoinGroup(answer));
    }

    fn joined(&self, id: &str, version: i16) -> JoinGroupResponse {
        let protocol = self.protocol.as_deref().unwrap_or_default();
        let members = match self.is_leader(id) {
            true => self.members.iter(),
            false => Default::default(),
        };
        let members = members.map(|(id, member)| {
            JoinGroupResponseMember::default()
                .with_member_id(text(id))
                .with_group_instance_id(
                    member.instance.as_deref().filter(|_| version >= 5).map(text),
                )
                .with_metadata(member.metadata(protocol).cloned().unwrap_or_default())
        });
        JoinGroupResponse::default()
            .with_generation_id(self.generation)
            .with_protocol_type(self.protocol_type.as_deref().map(text))
            .with_protocol_name(Some(text(protocol)))
            .with_leader(text(self.leader.as_deref().unwrap_or_default()))
            .with_member_id(text(id))
            .with_members(members.collect())
    }
}
