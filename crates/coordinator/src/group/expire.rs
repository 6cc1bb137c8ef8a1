//! Offsets that are no longer wanted: expired, deleted, or of a group that is deleted.

use std::collections::BTreeSet;
use std::sync::Arc;

use topomotion_wire::messages::delete_groups_response::DeletableGroupResult;
use topomotion_wire::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use topomotion_wire::messages::{
    DeleteGroupsRequest, DeleteGroupsResponse, OffsetDeleteRequest, OffsetDeleteResponse,
    ResponseKind,
};
use topomotion_wire::{ErrorCode, Rule, TopicPartition};

use super::answers::{code, kept};
use super::commit::{Groups, offset_key};
use super::consumer::Records;
use super::group::{Cx, Group, Kind};
use super::outbox::Change;
use super::records::Key;
use crate::shard::Ticket;

/// Forgets what has expired in a group, and the group with its last offset.
pub(super) fn expire(group: &Group, cx: &mut Cx<'_>) {
    // What is just being committed has not expired.
    let fresh = cx.out.offsets_of(&cx.group);
    let expired: Vec<TopicPartition> = group
        .offsets
        .committed
        .keys()
        .filter(|it| !fresh.contains(it) && has_expired(group, cx, it))
        .cloned()
        .collect();
    let all = fresh.is_empty() && expired.len() == group.offsets.committed.len();
    // A group without members and without offsets is of use to nobody.
    if all && group.is_empty() && group.offsets.pending.is_empty() {
        let mut records = tombstones(&cx.group, group);
        if records.is_empty() {
            return;
        }
        cx.out.mark(Rule::Grp14);
        records.extend(expired.iter().map(|it| (offset_key(&cx.group, it), None)));
        let change = Change::Deletion(vec![cx.group.clone()]);
        cx.out.append(cx.now, &cx.group, records, change);
    } else if !expired.is_empty() {
        cx.out.mark(Rule::Grp14);
        forget(cx, expired);
    }
}

fn has_expired(group: &Group, cx: &Cx<'_>, partition: &TopicPartition) -> bool {
    let value = &group.offsets.committed[partition].value;
    if group.offsets.is_unstable(partition) || group.subscribes_to(&partition.topic) {
        return false;
    }
    let now = cx.wall_ms();
    if let Some(expires) = value.expires_ms {
        return expires <= now;
    }
    let since = match &group.kind {
        // Members may come back for as long as it takes; the time counts from the last one.
        Kind::Classic(classic) if classic.protocol_type.is_some() => {
            match classic.is_empty() {
                true => value.committed_ms.max(classic.since_ms),
                false if classic.is_stable() => value.committed_ms,
                false => return false,
            }
        }
        Kind::Classic(_) | Kind::Consumer(_) => value.committed_ms,
    };
    let retention = i64::try_from(cx.config.offsets_retention.as_millis());
    now.saturating_sub(since) >= retention.unwrap_or(i64::MAX)
}

fn forget(cx: &mut Cx<'_>, partitions: Vec<TopicPartition>) {
    let keys = partitions.iter().map(|it| (offset_key(&cx.group, it), None));
    let records = keys.collect();
    let ends = partitions.into_iter().map(|it| (it, None));
    let change = Change::Offsets(ends.collect());
    cx.out.append(cx.now, &cx.group, records, change);
}

/// What ends the group itself; nothing for one of which the log knows nothing.
pub(super) fn tombstones(id: &Arc<str>, group: &Group) -> Records {
    match &group.kind {
        Kind::Classic(classic) if classic.generation == 0 && classic.is_empty() => {
            match group.offsets.committed.is_empty() {
                true => Records::new(),
                false => vec![(Key::Classic { group: id.clone() }, None)],
            }
        }
        Kind::Classic(_) => vec![(Key::Classic { group: id.clone() }, None)],
        Kind::Consumer(consumer) => consumer.tombstones(id),
    }
}

/// Deletes groups that have no members.
pub(super) fn delete_groups(
    groups: &Groups,
    cx: &mut Cx<'_>,
    ticket: Ticket,
    request: &DeleteGroupsRequest,
) {
    let mut records = Records::new();
    let mut gone: Vec<Arc<str>> = Vec::new();
    let results = request.groups_names.iter().map(|name| {
        let id = kept(name);
        let outcome = match groups.get(&id) {
            None => Err(ErrorCode::GroupIdNotFound),
            Some(group) if !group.is_empty() => Err(ErrorCode::NonEmptyGroup),
            Some(group) => {
                let mut offsets = cx.out.offsets_of(&id);
                offsets.extend(group.offsets.committed.keys().cloned());
                records.extend(offsets.iter().map(|it| (offset_key(&id, it), None)));
                records.extend(tombstones(&id, group));
                gone.push(id);
                Ok(())
            }
        };
        DeletableGroupResult::default()
            .with_group_id(name.clone())
            .with_error_code(code(outcome))
    });
    let response = DeleteGroupsResponse::default().with_results(results.collect());
    let body = ResponseKind::DeleteGroups(response);
    if records.is_empty() {
        cx.out.answer_durably(cx.now, ticket, body);
        return;
    }
    let write = cx.out.append(cx.now, &cx.group, records, Change::Deletion(gone));
    write.answers.push((ticket, body));
}

/// Deletes single offsets, of topics that nobody of the group reads.
pub(super) fn delete_offsets(
    groups: &Groups,
    cx: &mut Cx<'_>,
    ticket: Ticket,
    request: &OffsetDeleteRequest,
) {
    let Some(group) = groups.get(&cx.group) else {
        let response = OffsetDeleteResponse::default()
            .with_error_code(ErrorCode::GroupIdNotFound.code());
        cx.out.answer_durably(cx.now, ticket, ResponseKind::OffsetDelete(response));
        return;
    };
    let fresh = cx.out.offsets_of(&cx.group);
    let mut gone: BTreeSet<TopicPartition> = BTreeSet::new();
    let topics = request.topics.iter().map(|topic| {
        let name = kept(&topic.name);
        let outcome = match group.subscribes_to(&name) {
            true => Err(ErrorCode::GroupSubscribedToTopic),
            false => Ok(()),
        };
        let partitions = topic.partitions.iter().map(|partition| {
            let at = TopicPartition::new(name.clone(), partition.partition_index);
            let is_there = group.offsets.committed.contains_key(&at);
            if outcome.is_ok() && (is_there || fresh.contains(&at)) {
                gone.insert(at);
            }
            OffsetDeleteResponsePartition::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(code(outcome))
        });
        OffsetDeleteResponseTopic::default()
            .with_name(topic.name.clone())
            .with_partitions(partitions.collect())
    });
    let response = OffsetDeleteResponse::default().with_topics(topics.collect());
    if !gone.is_empty() {
        forget(cx, gone.into_iter().collect());
    }
    cx.out.answer_durably(cx.now, ticket, ResponseKind::OffsetDelete(response));
}
