//! OffsetFetch: what is committed, durably (TXN-9).

use std::sync::Arc;

use topomotion_wire::messages::offset_fetch_request::OffsetFetchRequestGroup;
use topomotion_wire::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition,
    OffsetFetchResponsePartitions, OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use topomotion_wire::messages::{
    GroupId, OffsetFetchRequest, OffsetFetchResponse, ResponseKind, TopicName,
};
use topomotion_wire::{Defect, ErrorCode, Rule, TopicPartition};

use super::answers::{code, kept, text};
use super::commit::Groups;
use super::group::{Cx, Group, Kind};
use super::offsets::Offsets;

/// Which partitions are asked for; none: all that there are.
type Asked = Option<Vec<(TopicName, Vec<i32>)>>;

/// Answers a fetch of one group or, from version 8 on, of several.
pub(super) fn fetch(
    groups: &Groups,
    cx: &mut Cx<'_>,
    version: i16,
    request: &OffsetFetchRequest,
) -> ResponseKind {
    if version <= 7 {
        let asked = request.topics.as_ref().map(|topics| {
            let topics = topics.iter();
            topics.map(|it| (it.name.clone(), it.partition_indexes.clone())).collect()
        });
        let group = groups.get(&*request.group_id.0);
        let found = fetch_group(group, cx, &asked, request.require_stable, None);
        return ResponseKind::OffsetFetch(flat(found));
    }
    let answers = request.groups.iter().map(|asked_group| {
        let asked = asked_group.topics.as_ref().map(|topics| {
            let topics = topics.iter();
            topics.map(|it| (it.name.clone(), it.partition_indexes.clone())).collect()
        });
        let group = groups.get(&*asked_group.group_id.0);
        let stable = request.require_stable;
        let found = fetch_group(group, cx, &asked, stable, Some(asked_group));
        grouped(&asked_group.group_id, found)
    });
    let answers = answers.collect();
    ResponseKind::OffsetFetch(OffsetFetchResponse::default().with_groups(answers))
}

fn fetch_group(
    group: Option<&Group>,
    cx: &mut Cx<'_>,
    asked: &Asked,
    stable: bool,
    member: Option<&OffsetFetchRequestGroup>,
) -> Result<Vec<Found>, ErrorCode> {
    let nothing = Offsets::default();
    if let (Some(group), Some(asked)) = (group, member) {
        admit(group, asked)?;
    }
    let offsets = group.map_or(&nothing, |group| &group.offsets);
    let partitions = match asked {
        Some(topics) => named(topics),
        None => offsets.committed.keys().cloned().collect(),
    };
    let found: Vec<Found> =
        partitions.into_iter().map(|it| find(offsets, it, stable)).collect();
    if found.iter().any(|it| it.outcome.is_err()) {
        cx.out.mark(Rule::Txn9);
    }
    Ok(found)
}

/// A KIP-848 member must be in its current epoch to ask.
fn admit(group: &Group, asked: &OffsetFetchRequestGroup) -> Result<(), ErrorCode> {
    match (&group.kind, &asked.member_id) {
        (Kind::Consumer(consumer), Some(member)) => {
            consumer.validate_fetch(asked.member_epoch, member)
        }
        (Kind::Consumer(_), None) | (Kind::Classic(_), _) => Ok(()),
    }
}

fn named(topics: &[(TopicName, Vec<i32>)]) -> Vec<TopicPartition> {
    let partitions = topics.iter().flat_map(|(topic, indexes)| {
        let topic: Arc<str> = kept(topic);
        indexes.iter().map(move |&index| TopicPartition::new(topic.clone(), index))
    });
    partitions.collect()
}

/// What is said of one partition.
struct Found {
    partition: TopicPartition,
    offset: i64,
    leader_epoch: i32,
    metadata: Arc<str>,
    outcome: Result<(), ErrorCode>,
}

fn find(offsets: &Offsets, partition: TopicPartition, stable: bool) -> Found {
    let nothing = Found {
        partition: partition.clone(),
        offset: -1,
        leader_epoch: -1,
        metadata: Arc::default(),
        outcome: Ok(()),
    };
    let visible = Defect::PendingVisible.is_sown();
    if stable && !visible && offsets.is_unstable(&partition) {
        return Found { outcome: Err(ErrorCode::UnstableOffsetCommit), ..nothing };
    }
    let pending = offsets.pending_of(&partition).filter(|_| visible);
    let Some(committed) = pending.or_else(|| offsets.committed.get(&partition)) else {
        return nothing;
    };
    Found {
        offset: committed.value.offset,
        leader_epoch: committed.value.leader_epoch,
        metadata: committed.value.metadata.clone(),
        ..nothing
    }
}

fn flat(found: Result<Vec<Found>, ErrorCode>) -> OffsetFetchResponse {
    let response = OffsetFetchResponse::default();
    let found = match found {
        Ok(found) => found,
        Err(error) => return response.with_error_code(error.code()),
    };
    let topics = by_topic(&found).map(|of_topic| {
        let partitions = of_topic.iter().map(|it| {
            OffsetFetchResponsePartition::default()
                .with_partition_index(it.partition.partition)
                .with_committed_offset(it.offset)
                .with_committed_leader_epoch(it.leader_epoch)
                .with_metadata(Some(text(&it.metadata)))
                .with_error_code(code(it.outcome))
        });
        OffsetFetchResponseTopic::default()
            .with_name(TopicName(text(&of_topic[0].partition.topic)))
            .with_partitions(partitions.collect())
    });
    response.with_topics(topics.collect())
}

fn grouped(
    group: &GroupId,
    found: Result<Vec<Found>, ErrorCode>,
) -> OffsetFetchResponseGroup {
    let response = OffsetFetchResponseGroup::default().with_group_id(group.clone());
    let found = match found {
        Ok(found) => found,
        Err(error) => return response.with_error_code(error.code()),
    };
    let topics = by_topic(&found).map(|of_topic| {
        let partitions = of_topic.iter().map(|it| {
            OffsetFetchResponsePartitions::default()
                .with_partition_index(it.partition.partition)
                .with_committed_offset(it.offset)
                .with_committed_leader_epoch(it.leader_epoch)
                .with_metadata(Some(text(&it.metadata)))
                .with_error_code(code(it.outcome))
        });
        OffsetFetchResponseTopics::default()
            .with_name(TopicName(text(&of_topic[0].partition.topic)))
            .with_partitions(partitions.collect())
    });
    response.with_topics(topics.collect())
}

fn by_topic(found: &[Found]) -> impl Iterator<Item = &[Found]> {
    found.chunk_by(|one, next| one.partition.topic == next.partition.topic)
}

/// The answer to a fetch that was not looked at.
pub(super) fn refused(request: &OffsetFetchRequest, error: ErrorCode) -> ResponseKind {
    let response = OffsetFetchResponse::default();
    let response = match request.groups.is_empty() {
        true => response.with_error_code(error.code()),
        false => {
            let groups = request.groups.iter();
            let groups = groups.map(|it| grouped(&it.group_id, Err(error)));
            response.with_groups(groups.collect())
        }
    };
    ResponseKind::OffsetFetch(response)
}
