//! ConsumerGroupHeartbeat: the one request of KIP-848 members (GRP-11, GRP-12).

use std::collections::BTreeSet;
use std::sync::Arc;

use topomotion_assignor::Assignor;
use topomotion_wire::messages::consumer_group_heartbeat_response::{
    Assignment, TopicPartitions,
};
use topomotion_wire::messages::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, ResponseKind,
};
use topomotion_wire::{ErrorCode, Rule, TopicId};

use super::{AWAY, ConsumerGroup, Member, Records};
use crate::group::Partitions;
use crate::group::answers::{kept, text};
use crate::group::codec::by_topic;
use crate::group::group::Cx;
use crate::group::ids::member_id;
use crate::group::records::{Key, MemberValue};
use crate::shard::Caller;

/// Why a heartbeat is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::group) struct Refusal(pub ErrorCode, pub &'static str);

/// A heartbeat as it came, taken apart.
#[derive(Debug)]
pub(in crate::group) struct Beat<'a> {
    pub caller: &'a Caller,
    pub request: &'a ConsumerGroupHeartbeatRequest,
    pub instance: Option<Arc<str>>,
    /// What the member says it owns, if it says so.
    pub owned: Option<Partitions>,
}

impl<'a> Beat<'a> {
    /// Checks what can be checked without a group.
    pub fn new(
        caller: &'a Caller,
        request: &'a ConsumerGroupHeartbeatRequest,
        assignors: &[Assignor],
    ) -> Result<Beat<'a>, Refusal> {
        let invalid = |why| Err(Refusal(ErrorCode::InvalidRequest, why));
        let joins = request.member_epoch == 0;
        if request.group_id.is_empty() {
            return invalid("GroupId can't be empty.");
        }
        if request.member_id.is_empty() && (caller.version >= 1 || !joins) {
            return invalid("MemberId can't be empty.");
        }
        if request.instance_id.as_ref().is_some_and(|it| it.is_empty()) {
            return invalid("InstanceId can't be empty.");
        }
        if request.member_epoch < AWAY {
            return invalid("MemberEpoch is invalid.");
        }
        if request.member_epoch == AWAY && request.instance_id.is_none() {
            return invalid("InstanceId can't be null.");
        }
        let owned = request.topic_partitions.as_ref().map(|topics| {
            let partitions = topics.iter().flat_map(|topic| {
                let indexes = topic.partitions.iter();
                indexes.map(|&index| (TopicId(topic.topic_id), index))
            });
            partitions.collect::<Partitions>()
        });
        if joins {
            if request.rebalance_timeout_ms < 0 {
                return invalid("RebalanceTimeoutMs must be provided in first request.");
            }
            if owned.as_ref().is_none_or(|owned| !owned.is_empty()) {
                return invalid("TopicPartitions must be empty when (re-)joining.");
            }
            if request.subscribed_topic_names.is_none() {
                return invalid("SubscribedTopicNames must be set in first request.");
            }
        }
        if request.subscribed_topic_regex.as_ref().is_some_and(|it| !it.is_empty()) {
            let why = "subscriptions by pattern are not served";
            return Err(Refusal(ErrorCode::InvalidRegularExpression, why));
        }
        let wish = request.server_assignor.as_deref();
        if wish.is_some_and(|wish| assignors.iter().all(|it| it.name() != wish)) {
            let why = "ServerAssignor is not supported.";
            return Err(Refusal(ErrorCode::UnsupportedAssignor, why));
        }
        let instance = request.instance_id.as_ref().map(kept);
        Ok(Beat { caller, request, instance, owned })
    }

    /// Whether the member told everything, and so wants to be told everything.
    fn is_full(&self) -> bool {
        self.request.subscribed_topic_names.is_some()
            && self.request.rebalance_timeout_ms >= 0
            && self.owned.is_some()
    }

    /// What is known of the member now: what it said, and what it said before.
    fn value(&self, before: Option<&MemberValue>) -> MemberValue {
        let request = self.request;
        let topics = request.subscribed_topic_names.as_ref().map(|names| {
            names.iter().map(|name| kept(name)).collect::<BTreeSet<Arc<str>>>()
        });
        let or_before = |said: Option<Arc<str>>, before: Option<&Option<Arc<str>>>| {
            said.or_else(|| before.cloned().flatten())
        };
        MemberValue {
            instance: or_before(self.instance.clone(), before.map(|it| &it.instance)),
            rack: or_before(
                request.rack_id.as_ref().map(kept),
                before.map(|it| &it.rack),
            ),
            client: self.caller.client_id.clone(),
            host: self.caller.host.clone(),
            topics: topics
                .or_else(|| before.map(|it| it.topics.clone()))
                .unwrap_or_default(),
            pattern: None,
            rebalance_timeout_ms: match request.rebalance_timeout_ms {
                unsaid if unsaid < 0 => before.map_or(-1, |it| it.rebalance_timeout_ms),
                said => said,
            },
            assignor: or_before(
                request.server_assignor.as_ref().map(kept),
                before.map(|it| &it.assignor),
            ),
        }
    }
}

impl ConsumerGroup {
    /// Takes a heartbeat that does not say goodbye. What it changes is in `records`; the
    /// answer may be given once those are durable.
    pub fn heartbeat(
        &mut self,
        cx: &mut Cx<'_>,
        beat: &Beat<'_>,
        records: &mut Records,
    ) -> Result<ResponseKind, Refusal> {
        let said = kept(&beat.request.member_id);
        if self.members.len() >= cx.config.consumer_max_size
            && !self.members.contains_key(&said)
        {
            let why = "The consumer group has reached its maximum capacity.";
            return Err(Refusal(ErrorCode::GroupMaxSizeReached, why));
        }
        let id = match said.is_empty() {
            true => member_id(None, cx.random),
            false => said,
        };
        self.admit(cx, beat, &id, records)?;
        let before = self.members[&id].clone();
        let subscribed = self.update(cx, beat, &id, records);
        let metadata_hash = match subscribed || self.refresh {
            true => self.hash_metadata(cx.directory),
            false => self.metadata_hash,
        };
        self.refresh = false;
        if subscribed || metadata_hash != self.metadata_hash {
            self.raise_epoch(cx, records);
        }
        if self.epoch > self.target_epoch {
            self.assign(cx, records);
        }
        self.reconcile(cx, &id, beat.owned.as_ref(), records);
        let session = cx.now + cx.config.consumer_session_timeout;
        let member = self.members.get_mut(&id).expect("it was admitted above");
        member.session = session;
        let told = beat.request.member_epoch == 0
            || beat.is_full()
            || member.assigned != before.assigned;
        let assignment = told.then(|| assignment(&member.assigned));
        let interval = cx.config.consumer_heartbeat_interval.as_millis();
        Ok(ResponseKind::ConsumerGroupHeartbeat(
            ConsumerGroupHeartbeatResponse::default()
                .with_member_id(Some(text(&id)))
                .with_member_epoch(member.epoch)
                .with_heartbeat_interval_ms(i32::try_from(interval).unwrap_or(i32::MAX))
                .with_assignment(assignment),
        ))
    }

    /// Finds the member, or takes it in if it joins.
    fn admit(
        &mut self,
        cx: &mut Cx<'_>,
        beat: &Beat<'_>,
        id: &Arc<str>,
        records: &mut Records,
    ) -> Result<(), Refusal> {
        let joins = beat.request.member_epoch == 0;
        let unknown = Err(Refusal(
            ErrorCode::UnknownMemberId,
            "Member is not a member of the group.",
        ));
        let Some(instance) = &beat.instance else {
            return match (self.members.get(id), joins) {
                (Some(member), _) => self.check_epoch(cx, beat, member),
                (None, true) => {
                    self.take_in(cx, beat, id);
                    Ok(())
                }
                (None, false) => unknown,
            };
        };
        match (self.of_instance(instance), joins) {
            (None, true) => {
                self.take_in(cx, beat, id);
                Ok(())
            }
            (None, false) => unknown,
            (Some(old), true) if self.members[&old].epoch == AWAY => {
                self.replace(cx, &old, id, records);
                Ok(())
            }
            // Its own first heartbeat again, whose answer was lost.
            (Some(old), true) if old == *id => {
                self.check_epoch(cx, beat, &self.members[&old])
            }
            (Some(_), true) => Err(Refusal(
                ErrorCode::UnreleasedInstanceId,
                "The instance id is still used by another member.",
            )),
            (Some(old), false) if old != *id => Err(Refusal(
                ErrorCode::FencedInstanceId,
                "The instance id belongs to another member by now.",
            )),
            (Some(old), false) => self.check_epoch(cx, beat, &self.members[&old]),
        }
    }

    fn take_in(&mut self, cx: &mut Cx<'_>, beat: &Beat<'_>, id: &Arc<str>) {
        let mut value = beat.value(None);
        // What it subscribes to is compared with nothing, so that it counts as a change.
        value.topics.clear();
        let session = cx.now + cx.config.consumer_session_timeout;
        self.members.insert(id.clone(), Member::new(value, session));
    }

    /// A static member is back under another id: what was the old one's is its own (GRP-7).
    fn replace(
        &mut self,
        cx: &mut Cx<'_>,
        old: &Arc<str>,
        id: &Arc<str>,
        records: &mut Records,
    ) {
        let mut member = self.members[old].clone();
        let target = self.targets.get(old).cloned();
        cx.out.mark(Rule::Grp7);
        if old != id {
            self.remove(&cx.group, old, records);
        }
        member.epoch = 0;
        member.previous_epoch = 0;
        let key = |key: fn(Arc<str>, Arc<str>) -> Key| key(cx.group.clone(), id.clone());
        let value = Some(member.value.encode());
        records.push((key(|group, member| Key::Member { group, member }), value));
        if let Some(target) = target {
            let value = Some(crate::group::records::encode_target(&target));
            records.push((key(|group, member| Key::Target { group, member }), value));
            self.targets.insert(id.clone(), target);
        }
        let value = Some(member.current().encode());
        records.push((key(|group, member| Key::Current { group, member }), value));
        self.members.insert(id.clone(), member);
    }

    /// A member must be in the epoch that it was told last, or in the one before if the
    /// answer was lost (GRP-12). One that begins anew with epoch 0, since it was fenced or
    /// its farewell was lost, owns nothing and is welcome.
    fn check_epoch(
        &self,
        cx: &mut Cx<'_>,
        beat: &Beat<'_>,
        member: &Member,
    ) -> Result<(), Refusal> {
        let said = beat.request.member_epoch;
        let owns_no_more =
            beat.owned.as_ref().is_some_and(|owned| owned.is_subset(&member.assigned));
        let before = said < member.epoch && said == member.previous_epoch;
        let begins_anew =
            said == 0 && beat.owned.as_ref().is_some_and(Partitions::is_empty);
        if said == member.epoch || before && owns_no_more || begins_anew {
            return Ok(());
        }
        cx.out.mark(Rule::Grp12);
        let why = "The member must abandon all its partitions and rejoin.";
        Err(Refusal(ErrorCode::FencedMemberEpoch, why))
    }

    /// Takes in what the member says of itself; true if it subscribes to something else.
    fn update(
        &mut self,
        cx: &mut Cx<'_>,
        beat: &Beat<'_>,
        id: &Arc<str>,
        records: &mut Records,
    ) -> bool {
        let Some(member) = self.members.get_mut(id) else { return false };
        let value = beat.value(Some(&member.value));
        let is_new = member.epoch == 0 && member.previous_epoch == -1;
        if value == member.value && !is_new {
            return false;
        }
        let subscribed = value.topics != member.value.topics || is_new;
        let key = Key::Member { group: cx.group.clone(), member: id.clone() };
        records.push((key, Some(value.encode())));
        member.value = value;
        subscribed
    }
}

fn assignment(partitions: &Partitions) -> Assignment {
    let topics = by_topic(partitions).into_iter().map(|(topic, indexes)| {
        TopicPartitions::default().with_topic_id(topic.0).with_partitions(indexes)
    });
    Assignment::default().with_topic_partitions(topics.collect())
}
