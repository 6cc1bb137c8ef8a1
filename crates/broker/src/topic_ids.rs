//! Topics by id instead of by name (KIP-516): OffsetCommit and OffsetFetch from version 10 on.
//!
//! Groups keep names. An id becomes a name on the way in; one that no topic has is taken out of
//! the request, and refused with UNKNOWN_TOPIC_ID in the answer. On the way out names become
//! ids again, those of the request first: a topic of the same name may have come meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_wire::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use topomotion_wire::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartitions, OffsetFetchResponseTopics,
};
use topomotion_wire::messages::{
    GroupId, OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest,
    OffsetFetchResponse, RequestKind, ResponseKind, TopicName,
};
use topomotion_wire::{ConnectionId, ErrorCode, TopicId};
use uuid::Uuid;

use crate::api::text;
use crate::metadata::MetadataImage;
use crate::net::{Answer, Ticket};

/// The first version of either API without names.
const WITHOUT_NAMES: i16 = 10;

/// What is to be done to the answers that are under way.
#[derive(Debug, Clone, Default)]
pub(crate) struct TopicIds {
    notes: BTreeMap<Ticket, Note>,
}

/// What one answer needs.
#[derive(Debug, Clone, Default)]
struct Note {
    ids: BTreeMap<Arc<str>, Uuid>,
    refused_commits: Vec<OffsetCommitResponseTopic>,
    refused_fetches: Vec<(GroupId, Vec<OffsetFetchResponseTopics>)>,
}

impl Note {
    /// The name for an id. None: no topic has it.
    fn name(&mut self, image: &MetadataImage, id: Uuid) -> Option<TopicName> {
        let name = image.topic_name(TopicId(id))?;
        self.ids.insert(name.clone(), id);
        Some(TopicName(text(name)))
    }

    /// The id for a name. None: there is no such topic any more.
    fn id(&self, image: &MetadataImage, name: &TopicName) -> Option<Uuid> {
        let known = self.ids.get(name.as_str()).copied();
        known.or_else(|| image.topic(name.as_str()).map(|topic| topic.id.0))
    }
}

impl TopicIds {
    /// Gives a request names, where it has none.
    pub(crate) fn name(
        &mut self,
        image: &MetadataImage,
        (ticket, version): (Ticket, i16),
        body: &mut RequestKind,
    ) {
        let mut note = Note::default();
        match body {
            _ if version < WITHOUT_NAMES => return,
            RequestKind::OffsetCommit(it) => name_commit(image, it, &mut note),
            RequestKind::OffsetFetch(it) => name_fetch(image, it, &mut note),
            _ => return,
        }
        self.notes.insert(ticket, note);
    }

    /// Gives an answer the ids that it needs, and the refusals that belong into it. Its names
    /// stay: nobody is sent them.
    pub(crate) fn restore(
        &mut self,
        image: &MetadataImage,
        ticket: Ticket,
        answer: &mut Answer,
    ) {
        if self.notes.is_empty() {
            return;
        }
        let (Some(note), Answer::Reply(body)) = (self.notes.remove(&ticket), answer)
        else {
            return;
        };
        match &mut **body {
            ResponseKind::OffsetCommit(it) => restore_commit(image, it, note),
            ResponseKind::OffsetFetch(it) => restore_fetch(image, it, note),
            _ => {}
        }
    }

    /// A connection is gone, and with it whoever waits there.
    pub(crate) fn closed(&mut self, connection: ConnectionId) {
        self.notes.retain(|ticket, _| {
            !matches!(ticket, Ticket::Remote { connection: it, .. } if *it == connection)
        });
    }
}

fn name_commit(image: &MetadataImage, it: &mut OffsetCommitRequest, note: &mut Note) {
    it.topics.retain_mut(|topic| {
        if let Some(name) = note.name(image, topic.topic_id) {
            topic.name = name;
            return true;
        }
        let refused = topic.partitions.iter().map(|partition| {
            OffsetCommitResponsePartition::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(ErrorCode::UnknownTopicId.code())
        });
        let topic = OffsetCommitResponseTopic::default()
            .with_topic_id(topic.topic_id)
            .with_partitions(refused.collect());
        note.refused_commits.push(topic);
        false
    });
}

fn name_fetch(image: &MetadataImage, it: &mut OffsetFetchRequest, note: &mut Note) {
    for group in &mut it.groups {
        let mut refused = Vec::new();
        group.topics.iter_mut().for_each(|topics| {
            topics.retain_mut(|topic| {
                if let Some(name) = note.name(image, topic.topic_id) {
                    topic.name = name;
                    return true;
                }
                let partitions = topic.partition_indexes.iter().map(|&index| {
                    OffsetFetchResponsePartitions::default()
                        .with_partition_index(index)
                        .with_committed_offset(-1)
                        .with_committed_leader_epoch(-1)
                        .with_metadata(Some(text("")))
                        .with_error_code(ErrorCode::UnknownTopicId.code())
                });
                refused.push(
                    OffsetFetchResponseTopics::default()
                        .with_topic_id(topic.topic_id)
                        .with_partitions(partitions.collect()),
                );
                false
            });
        });
        if !refused.is_empty() {
            note.refused_fetches.push((group.group_id.clone(), refused));
        }
    }
}

fn restore_commit(image: &MetadataImage, it: &mut OffsetCommitResponse, note: Note) {
    for topic in &mut it.topics {
        topic.topic_id = note.id(image, &topic.name).unwrap_or_default();
    }
    it.topics.extend(note.refused_commits);
}

/// Whoever asks for everything hears of no topic that is gone: there is no id for it.
fn restore_fetch(image: &MetadataImage, it: &mut OffsetFetchResponse, note: Note) {
    for group in &mut it.groups {
        let named = |topic: &mut OffsetFetchResponseTopics| {
            let id = note.id(image, &topic.name);
            topic.topic_id = id.unwrap_or_default();
            id.is_some()
        };
        group.topics.retain_mut(named);
    }
    for (id, refused) in note.refused_fetches {
        let is_it =
            |it: &&mut OffsetFetchResponseGroup| it.group_id == id && it.error_code == 0;
        if let Some(group) = it.groups.iter_mut().find(is_it) {
            group.topics.extend(refused);
        }
    }
}
