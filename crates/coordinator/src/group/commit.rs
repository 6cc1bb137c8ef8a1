//! OffsetCommit and TxnOffsetCommit (GRP-6, TXN-9).

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_wire::messages::{
    OffsetCommitRequest, OffsetCommitResponse, ResponseKind, TopicName,
    TxnOffsetCommitRequest, TxnOffsetCommitResponse, offset_commit_response,
    txn_offset_commit_response,
};
use topomotion_wire::{
    ErrorCode, Offset, ProducerEpoch, ProducerId, Rule, StrBytes, TopicPartition,
};

use super::answers::{self, code, kept};
use super::classic::{ClassicGroup, CommitKind};
use super::consumer::Anonymous;
use super::group::{Cx, Group, Kind};
use super::offsets::Committed;
use super::outbox::Change;
use super::records::{Key, OffsetValue};
use crate::shard::{Stamp, Ticket};

/// Groups by id, as the shard has them.
pub(super) type Groups = BTreeMap<Arc<str>, Group>;

/// What one partition of a request says, in either kind of commit.
struct Said<'a> {
    topic: &'a TopicName,
    partition: i32,
    offset: i64,
    leader_epoch: i32,
    metadata: Option<&'a StrBytes>,
}

/// What is to be written, and how each partition fares.
struct Judged {
    offsets: Vec<(TopicPartition, Committed)>,
    outcomes: Vec<(TopicName, i32, Result<(), ErrorCode>)>,
}

/// Commits offsets; answered when they are durable.
pub(super) fn commit(
    groups: &mut Groups,
    cx: &mut Cx<'_>,
    ticket: Ticket,
    version: i16,
    request: &OffsetCommitRequest,
) {
    if let Err(error) = admit(groups, cx, version, request) {
        cx.out.mark(Rule::Grp6);
        let body = answers::commit(request, Err(error));
        cx.out.answer_durably(cx.now, ticket, body);
        return;
    }
    let expires_ms = match request.retention_time_ms {
        unsaid if unsaid < 0 => None,
        said => Some(cx.wall_ms().saturating_add(said)),
    };
    let said = request.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|partition| Said {
            topic: &topic.name,
            partition: partition.partition_index,
            offset: partition.committed_offset,
            leader_epoch: partition.committed_leader_epoch,
            metadata: partition.committed_metadata.as_ref(),
        })
    });
    let judged = judge(cx, said, expires_ms);
    let body = plain_answer(&judged.outcomes);
    if judged.offsets.is_empty() {
        cx.out.answer_durably(cx.now, ticket, body);
        return;
    }
    let records = records(&cx.group, &judged.offsets);
    let offsets = judged.offsets.into_iter().map(|(at, offset)| (at, Some(offset)));
    let change = Change::Offsets(offsets.collect());
    let write = cx.out.append(cx.now, &cx.group, records, change);
    write.answers.push((ticket, body));
}

/// Whether this member may commit now; a group of nobody is made for a plain commit.
fn admit(
    groups: &mut Groups,
    cx: &mut Cx<'_>,
    version: i16,
    request: &OffsetCommitRequest,
) -> Result<(), ErrorCode> {
    if request.group_id.is_empty() {
        return Err(ErrorCode::InvalidGroupId);
    }
    let generation = request.generation_id_or_member_epoch;
    let instance = request.group_instance_id.as_deref();
    let Some(group) = groups.get_mut(&cx.group) else {
        return match generation {
            simple if simple < 0 => {
                found(groups, cx);
                Ok(())
            }
            _ if version >= 9 => Err(ErrorCode::GroupIdNotFound),
            _ => Err(ErrorCode::IllegalGeneration),
        };
    };
    let member = &request.member_id;
    match &mut group.kind {
        Kind::Classic(classic) => {
            classic.validate_commit(generation, member, instance, CommitKind::Plain)?;
            // Who commits is alive.
            classic.heard_from(member, cx.now);
        }
        Kind::Consumer(consumer) => {
            if version < 9 && consumer.members.contains_key(&**member) {
                return Err(ErrorCode::UnsupportedVersion);
            }
            consumer.validate_commit(generation, member, Anonymous::Refused)?;
        }
    }
    Ok(())
}

fn found(groups: &mut Groups, cx: &Cx<'_>) {
    let simple = Group::new(Kind::Classic(ClassicGroup::new(cx.wall_ms())));
    groups.insert(cx.group.clone(), simple);
}

/// Commits offsets within a transaction: they are pending until its marker comes.
pub(super) fn txn_commit(
    groups: &mut Groups,
    cx: &mut Cx<'_>,
    ticket: Ticket,
    request: &TxnOffsetCommitRequest,
) {
    if let Err(error) = txn_admit(groups, cx, request) {
        cx.out.mark(Rule::Grp6);
        let body = answers::txn_commit(request, Err(error));
        cx.out.answer_durably(cx.now, ticket, body);
        return;
    }
    let said = request.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|partition| Said {
            topic: &topic.name,
            partition: partition.partition_index,
            offset: partition.committed_offset,
            leader_epoch: partition.committed_leader_epoch,
            metadata: partition.committed_metadata.as_ref(),
        })
    });
    let judged = judge(cx, said, None);
    let body = txn_answer(&judged.outcomes);
    if judged.offsets.is_empty() {
        cx.out.answer_durably(cx.now, ticket, body);
        return;
    }
    let stamp = Stamp {
        producer: ProducerId(request.producer_id.0),
        epoch: ProducerEpoch(request.producer_epoch),
    };
    cx.out.mark(Rule::Txn9);
    let records = records(&cx.group, &judged.offsets);
    let change = Change::Pending { stamp, offsets: judged.offsets };
    let write = cx.out.append(cx.now, &cx.group, records, change);
    write.answers.push((ticket, body));
}

fn txn_admit(
    groups: &mut Groups,
    cx: &mut Cx<'_>,
    request: &TxnOffsetCommitRequest,
) -> Result<(), ErrorCode> {
    if request.group_id.is_empty() {
        return Err(ErrorCode::InvalidGroupId);
    }
    let generation = request.generation_id;
    let instance = request.group_instance_id.as_deref();
    let Some(group) = groups.get_mut(&cx.group) else {
        if generation >= 0 {
            return Err(ErrorCode::IllegalGeneration);
        }
        found(groups, cx);
        return Ok(());
    };
    let member = &request.member_id;
    match &mut group.kind {
        Kind::Classic(classic) => {
            let kind = CommitKind::Transactional;
            classic.validate_commit(generation, member, instance, kind)
        }
        Kind::Consumer(consumer) => {
            match consumer.validate_commit(generation, member, Anonymous::Allowed) {
                // Producers know generations only.
                Err(ErrorCode::StaleMemberEpoch) => Err(ErrorCode::IllegalGeneration),
                other => other,
            }
        }
    }
}

fn judge<'a>(
    cx: &Cx<'_>,
    said: impl Iterator<Item = Said<'a>>,
    expires_ms: Option<i64>,
) -> Judged {
    let mut judged = Judged { offsets: Vec::new(), outcomes: Vec::new() };
    for one in said {
        let metadata = one.metadata.map(kept).unwrap_or_default();
        let partition = TopicPartition::new(kept(one.topic), one.partition);
        let count = cx.directory.partition_count(&partition.topic).unwrap_or_default();
        let outcome = if !(0..count).contains(&one.partition) {
            Err(ErrorCode::UnknownTopicOrPartition)
        } else if metadata.len() > cx.config.offset_metadata_max_bytes {
            Err(ErrorCode::OffsetMetadataTooLarge)
        } else {
            Ok(())
        };
        if outcome.is_ok() {
            let value = OffsetValue {
                offset: one.offset,
                leader_epoch: one.leader_epoch,
                metadata,
                committed_ms: cx.wall_ms(),
                expires_ms,
            };
            // Where it stands is known when it is appended.
            judged.offsets.push((partition, Committed { value, at: Offset(-1) }));
        }
        judged.outcomes.push((one.topic.clone(), one.partition, outcome));
    }
    judged
}

fn records(
    group: &Arc<str>,
    offsets: &[(TopicPartition, Committed)],
) -> super::consumer::Records {
    let one = |(partition, offset): &(TopicPartition, Committed)| {
        (offset_key(group, partition), Some(offset.value.encode()))
    };
    offsets.iter().map(one).collect()
}

/// The key of a committed offset.
pub(super) fn offset_key(group: &Arc<str>, partition: &TopicPartition) -> Key {
    Key::Offset {
        group: group.clone(),
        topic: partition.topic.clone(),
        partition: partition.partition,
    }
}

fn plain_answer(outcomes: &[(TopicName, i32, Result<(), ErrorCode>)]) -> ResponseKind {
    use offset_commit_response::{
        OffsetCommitResponsePartition, OffsetCommitResponseTopic,
    };
    let topics = outcomes.chunk_by(|one, next| one.0 == next.0).map(|of_topic| {
        let partitions = of_topic.iter().map(|(_, partition, outcome)| {
            OffsetCommitResponsePartition::default()
                .with_partition_index(*partition)
                .with_error_code(code(*outcome))
        });
        OffsetCommitResponseTopic::default()
            .with_name(of_topic[0].0.clone())
            .with_partitions(partitions.collect())
    });
    let response = OffsetCommitResponse::default().with_topics(topics.collect());
    ResponseKind::OffsetCommit(response)
}

fn txn_answer(outcomes: &[(TopicName, i32, Result<(), ErrorCode>)]) -> ResponseKind {
    use txn_offset_commit_response::{
        TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
    };
    let topics = outcomes.chunk_by(|one, next| one.0 == next.0).map(|of_topic| {
        let partitions = of_topic.iter().map(|(_, partition, outcome)| {
            TxnOffsetCommitResponsePartition::default()
                .with_partition_index(*partition)
                .with_error_code(code(*outcome))
        });
        TxnOffsetCommitResponseTopic::default()
            .with_name(of_topic[0].0.clone())
            .with_partitions(partitions.collect())
    });
    let response = TxnOffsetCommitResponse::default().with_topics(topics.collect());
    ResponseKind::TxnOffsetCommit(response)
}
