//! What messages show the judge of groups and transactions: commits, what is told of them, and
//! what readers of committed records are given.
//!
//! Each is shown when it is sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_log::Batches;
use topomotion_wire::messages::{
    FetchResponse, GroupId, OffsetCommitRequest, OffsetCommitResponse,
    OffsetFetchResponse, RequestKind, ResponseKind, TopicName, TxnOffsetCommitRequest,
};
use topomotion_wire::{CorrelationId, Message, Request, TopicPartition};
use uuid::Uuid;

use super::members;
use super::sight::Sight;
use crate::packet::Dictionary;
use crate::world::LinkId;

#[derive(Debug)]
enum Question {
    Commit(u64, Arc<str>, Vec<(Arc<str>, i64)>),
    Offsets(u64),
    Membership(u64, Arc<str>),
    CommittedRecords,
    Other,
}

/// Questions that have not been answered.
#[derive(Debug, Default)]
pub(super) struct Promises {
    open: BTreeMap<(LinkId, CorrelationId), Question>,
    /// Counts commits, and questions for what is committed.
    counted: u64,
}

impl Promises {
    /// Looks at a message that is sent, and tells what it shows.
    pub fn look(
        &mut self,
        link: LinkId,
        [from, to]: [&Arc<str>; 2],
        message: &Message,
        names: &mut Dictionary,
        tell: impl FnMut(Sight),
    ) {
        match message {
            Message::Request(request) => {
                let question = self.asked([from, to], &request.body, names, tell);
                if !matches!(question, Question::Other) {
                    self.open.insert((link, request.correlation), question);
                }
            }
            Message::Response(response) => {
                let asked = self.open.remove(&(link, response.correlation));
                answered([from, to], asked, &response.body, names, tell);
            }
            _ => {}
        }
    }

    fn asked(
        &mut self,
        [from, to]: [&Arc<str>; 2],
        body: &RequestKind,
        names: &mut Dictionary,
        mut tell: impl FnMut(Sight),
    ) -> Question {
        match body {
            RequestKind::OffsetCommit(body) => {
                self.counted += 1;
                let group: Arc<str> = body.group_id.0.as_str().into();
                let offsets = offsets(body, names);
                tell(Sight::CommitAsked {
                    number: self.counted,
                    process: from.clone(),
                    coordinator: to.clone(),
                    group: group.clone(),
                    member: body.member_id.as_str().into(),
                    generation: body.generation_id_or_member_epoch,
                    offsets: offsets.clone(),
                });
                Question::Commit(self.counted, group, offsets)
            }
            RequestKind::TxnOffsetCommit(body) => {
                tell(Sight::PendingAsked {
                    process: from.clone(),
                    group: body.group_id.0.as_str().into(),
                    producer: body.producer_id.0,
                    epoch: body.producer_epoch,
                    offsets: pending(body, names),
                });
                Question::Other
            }
            RequestKind::OffsetFetch(_) => {
                self.counted += 1;
                let (number, process) = (self.counted, from.clone());
                tell(Sight::OffsetsAsked { number, process });
                Question::Offsets(number)
            }
            RequestKind::ConsumerGroupHeartbeat(body) => self.membership(&body.group_id),
            RequestKind::JoinGroup(body) => self.membership(&body.group_id),
            RequestKind::SyncGroup(body) => self.membership(&body.group_id),
            RequestKind::Heartbeat(body) => self.membership(&body.group_id),
            RequestKind::Fetch(body) if body.isolation_level == 1 => {
                Question::CommittedRecords
            }
            _ => Question::Other,
        }
    }

    fn membership(&mut self, group: &GroupId) -> Question {
        self.counted += 1;
        Question::Membership(self.counted, group.0.as_str().into())
    }

    /// A member's question has arrived: what that shows.
    pub fn heard(
        &self,
        link: LinkId,
        process: &Arc<str>,
        request: &Request,
    ) -> Option<Sight> {
        match self.open.get(&(link, request.correlation))? {
            Question::Membership(number, _) => members::heard(process, *number, request),
            _ => None,
        }
    }
}

fn answered(
    [from, to]: [&Arc<str>; 2],
    asked: Option<Question>,
    body: &ResponseKind,
    names: &mut Dictionary,
    mut tell: impl FnMut(Sight),
) {
    match (asked, body) {
        (
            Some(Question::Commit(number, group, sent)),
            ResponseKind::OffsetCommit(body),
        ) => {
            let taken = taken(body, names);
            let offsets: Vec<(Arc<str>, i64)> =
                sent.into_iter().filter(|(at, _)| taken.contains(at)).collect();
            if !offsets.is_empty() {
                let coordinator = from.clone();
                tell(Sight::CommitTaken { number, coordinator, group, offsets });
            }
        }
        (Some(Question::Offsets(number)), ResponseKind::OffsetFetch(body)) => {
            told(number, [from, to], body, names, tell);
        }
        (Some(Question::Membership(number, group)), body) => {
            if let ResponseKind::ConsumerGroupHeartbeat(body) = body
                && body.error_code == 0
            {
                tell(Sight::EpochTold {
                    coordinator: from.clone(),
                    group: group.clone(),
                    process: to.clone(),
                    member: body.member_id.as_deref().unwrap_or_default().into(),
                    epoch: body.member_epoch,
                });
            }
            if members::keeps(body) {
                let (coordinator, process) = (from.clone(), to.clone());
                tell(Sight::Kept { number, coordinator, process, group });
            }
        }
        (Some(Question::CommittedRecords), ResponseKind::Fetch(body)) => {
            served(from, body, names, tell);
        }
        _ => {}
    }
}

fn named(names: &mut Dictionary, topic: &TopicName, id: Uuid, index: i32) -> Arc<str> {
    let topic = names.topic(topic, id);
    names.partition(&TopicPartition::new(&*topic, index))
}

fn offsets(body: &OffsetCommitRequest, names: &mut Dictionary) -> Vec<(Arc<str>, i64)> {
    let mut all = Vec::new();
    for topic in &body.topics {
        for it in &topic.partitions {
            let at = named(names, &topic.name, topic.topic_id, it.partition_index);
            all.push((at, it.committed_offset));
        }
    }
    all
}

fn pending(
    body: &TxnOffsetCommitRequest,
    names: &mut Dictionary,
) -> Vec<(Arc<str>, i64)> {
    let mut all = Vec::new();
    for topic in &body.topics {
        for it in &topic.partitions {
            let at = TopicPartition::new(topic.name.as_str(), it.partition_index);
            all.push((names.partition(&at), it.committed_offset));
        }
    }
    all
}

/// The partitions whose offsets were taken.
fn taken(body: &OffsetCommitResponse, names: &mut Dictionary) -> Vec<Arc<str>> {
    let mut all = Vec::new();
    for topic in &body.topics {
        for it in topic.partitions.iter().filter(|it| it.error_code == 0) {
            all.push(named(names, &topic.name, topic.topic_id, it.partition_index));
        }
    }
    all
}

fn told(
    number: u64,
    [coordinator, process]: [&Arc<str>; 2],
    body: &OffsetFetchResponse,
    names: &mut Dictionary,
    mut tell: impl FnMut(Sight),
) {
    for group in body.groups.iter().filter(|group| group.error_code == 0) {
        let mut offsets = Vec::new();
        for topic in &group.topics {
            for it in topic.partitions.iter().filter(|it| it.error_code == 0) {
                let at = named(names, &topic.name, topic.topic_id, it.partition_index);
                offsets.push((
                    at,
                    (it.committed_offset >= 0).then_some(it.committed_offset),
                ));
            }
        }
        tell(Sight::OffsetsTold {
            number,
            coordinator: coordinator.clone(),
            process: process.clone(),
            group: group.group_id.0.as_str().into(),
            offsets,
        });
    }
}

fn served(
    process: &Arc<str>,
    body: &FetchResponse,
    names: &mut Dictionary,
    mut tell: impl FnMut(Sight),
) {
    for topic in &body.responses {
        for data in topic.partitions.iter().filter(|data| data.error_code == 0) {
            let records = data.records.clone().unwrap_or_default();
            let mut batches = Batches::new(records).map_while(Result::ok);
            let Some(first) = batches.next() else { continue };
            let end = batches.last().map_or(first.next_offset(), |it| it.next_offset());
            let aborted = data.aborted_transactions.iter().flatten();
            tell(Sight::Served {
                process: process.clone(),
                partition: named(
                    names,
                    &topic.topic,
                    topic.topic_id,
                    data.partition_index,
                ),
                range: (first.base_offset().0, end.0),
                aborted: aborted.map(|it| (it.producer_id.0, it.first_offset)).collect(),
            });
        }
    }
}
