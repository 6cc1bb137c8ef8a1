//! What messages show the judge of groups: that a member was heard, what it wants to read, and
//! what a coordinator is to forget.

use std::collections::BTreeSet;
use std::sync::Arc;

use kafka_protocol::protocol::Decodable;
use topomotion_wire::messages::{
    ConsumerProtocolSubscription, JoinGroupRequest, RequestKind, ResponseKind,
};
use topomotion_wire::{ErrorCode, Request};

use super::sight::{Asked, Sight};

/// A message from this process has arrived.
pub(super) fn heard(process: &Arc<str>, number: u64, request: &Request) -> Option<Sight> {
    let (group, topics) = match &request.body {
        RequestKind::JoinGroup(body) => (&body.group_id, subscription(body)),
        RequestKind::SyncGroup(body) => (&body.group_id, None),
        RequestKind::Heartbeat(body) => (&body.group_id, None),
        RequestKind::ConsumerGroupHeartbeat(body) => {
            let topics = body.subscribed_topic_names.as_ref();
            let topics = topics.map(|all| all.iter().map(|it| it.as_str().into()));
            (&body.group_id, topics.map(Iterator::collect))
        }
        _ => return None,
    };
    let group = group.0.as_str().into();
    Some(Sight::Heard { number, process: process.clone(), group, topics })
}

/// A member's farewell has reached its coordinator: whether it hears so or not, it may be one no
/// more.
pub(super) fn leaves(process: &Arc<str>, request: &RequestKind) -> Option<Sight> {
    let RequestKind::ConsumerGroupHeartbeat(body) = request else { return None };
    let group = body.group_id.0.as_str().into();
    (body.member_epoch < 0).then(|| Sight::Leaves { process: process.clone(), group })
}

/// An operator's wish has reached a coordinator: it may come true from now on, however long ago
/// it was sent.
pub(super) fn to_forget(request: &RequestKind) -> Vec<Sight> {
    let wishes: Vec<Asked> = match request {
        RequestKind::DeleteGroups(body) => {
            let groups = body.groups_names.iter();
            groups.map(|group| Asked::GroupDeleted(group.0.as_str().into())).collect()
        }
        RequestKind::OffsetDelete(body) => {
            let group: Arc<str> = body.group_id.0.as_str().into();
            let places = body.topics.iter().flat_map(|topic| {
                topic.partitions.iter().map(move |at| (topic, at.partition_index))
            });
            let wish = |partition: String| Asked::OffsetDeleted {
                group: group.clone(),
                partition: partition.into(),
            };
            places
                .map(|(topic, index)| wish(format!("{}-{index}", *topic.name)))
                .collect()
        }
        _ => Vec::new(),
    };
    wishes.into_iter().map(Sight::Asked).collect()
}

/// Whether a coordinator that answers so counts with the member from when it was asked.
pub(super) fn keeps(answer: &ResponseKind) -> bool {
    match answer {
        ResponseKind::JoinGroup(body) => body.error_code == 0,
        ResponseKind::SyncGroup(body) => body.error_code == 0,
        ResponseKind::Heartbeat(body) => {
            let rebalances = ErrorCode::RebalanceInProgress.code();
            body.error_code == 0 || body.error_code == rebalances
        }
        ResponseKind::ConsumerGroupHeartbeat(body) => {
            body.error_code == 0 && body.member_epoch >= 0
        }
        _ => false,
    }
}

/// The topics of a member's first protocol; all of its protocols name the same.
fn subscription(body: &JoinGroupRequest) -> Option<BTreeSet<Arc<str>>> {
    let metadata = &body.protocols.first()?.metadata;
    let (version, rest) = metadata.split_first_chunk()?;
    let version = i16::from_be_bytes(*version);
    let mut rest = bytes::Bytes::copy_from_slice(rest);
    let known = ConsumerProtocolSubscription::decode(&mut rest, version.min(3)).ok()?;
    Some(known.topics.iter().map(|topic| topic.as_str().into()).collect())
}
