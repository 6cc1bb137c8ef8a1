//! The requests that a group or transaction coordinator serves: whose they are, how they are
//! split among coordinators and put together again, and how they are refused.
//!
//! | API | key | versions |
//! |---|---|---|
//! | JoinGroup, SyncGroup, Heartbeat, LeaveGroup | group | 2–9, 0–5, 0–4, 0–5 |
//! | ConsumerGroupHeartbeat, ConsumerGroupDescribe | group, each group | 0–1, 0–1 |
//! | OffsetCommit, OffsetFetch, OffsetDelete | group; fetch from 8 on each group | 2–10, 1–10, 0 |
//! | DescribeGroups, DeleteGroups | each group | 0–6, 0–2 |
//! | ListGroups, ListTransactions | every shard here | 0–5, 0–2 |
//! | TxnOffsetCommit | group | 0–5 |
//! | InitProducerId, AddOffsetsToTxn, EndTxn | transactional id | 0–5, 0–4, 0–5 |
//! | AddPartitionsToTxn | transactional id; from 4 on each one | 0–5 |
//! | DescribeTransactions | each transactional id | 0 |
//!
//! What a coordinator does with them is the shards' own business.

mod gather;
mod refuse;

use topomotion_wire::messages::RequestKind;

pub(crate) use gather::{merge, split};
pub(crate) use refuse::{empty, refuse};

use crate::coordinators::InternalTopic;

/// The first version of OffsetFetch that asks for several groups.
pub(crate) const FETCHES_GROUPS: i16 = 8;
/// The first version of AddPartitionsToTxn that is for brokers and for several transactions.
pub(crate) const BY_BROKERS: i16 = 4;

/// Which coordinators a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Concern<'a> {
    /// The one of this group or transactional id.
    Key(InternalTopic, &'a str),
    /// All that this broker has of a kind.
    Every(InternalTopic),
}

/// Whom a request concerns that names one group or one transaction; none if it is not for
/// coordinators.
pub(crate) fn concern(request: &RequestKind, version: i16) -> Option<Concern<'_>> {
    let group = |id| Some(Concern::Key(InternalTopic::Offsets, id));
    let transaction = |id| Some(Concern::Key(InternalTopic::Transactions, id));
    match request {
        RequestKind::JoinGroup(it) => group(it.group_id.0.as_str()),
        RequestKind::SyncGroup(it) => group(it.group_id.0.as_str()),
        RequestKind::Heartbeat(it) => group(it.group_id.0.as_str()),
        RequestKind::LeaveGroup(it) => group(it.group_id.0.as_str()),
        RequestKind::ConsumerGroupHeartbeat(it) => group(it.group_id.0.as_str()),
        RequestKind::OffsetCommit(it) => group(it.group_id.0.as_str()),
        RequestKind::OffsetDelete(it) => group(it.group_id.0.as_str()),
        RequestKind::TxnOffsetCommit(it) => group(it.group_id.0.as_str()),
        RequestKind::OffsetFetch(it) if version < FETCHES_GROUPS => {
            group(it.group_id.0.as_str())
        }
        RequestKind::OffsetFetch(it) => group(it.groups.first()?.group_id.0.as_str()),
        RequestKind::DescribeGroups(it) => group(it.groups.first()?.0.as_str()),
        RequestKind::ConsumerGroupDescribe(it) => group(it.group_ids.first()?.0.as_str()),
        RequestKind::DeleteGroups(it) => group(it.groups_names.first()?.0.as_str()),
        RequestKind::ListGroups(_) => Some(Concern::Every(InternalTopic::Offsets)),
        RequestKind::InitProducerId(it) => {
            transaction(it.transactional_id.as_ref()?.0.as_str())
        }
        RequestKind::AddPartitionsToTxn(it) if version < BY_BROKERS => {
            transaction(it.v3_and_below_transactional_id.0.as_str())
        }
        RequestKind::AddPartitionsToTxn(it) => {
            transaction(it.transactions.first()?.transactional_id.0.as_str())
        }
        RequestKind::AddOffsetsToTxn(it) => transaction(it.transactional_id.0.as_str()),
        RequestKind::EndTxn(it) => transaction(it.transactional_id.0.as_str()),
        RequestKind::DescribeTransactions(it) => {
            transaction(it.transactional_ids.first()?.0.as_str())
        }
        RequestKind::ListTransactions(_) => {
            Some(Concern::Every(InternalTopic::Transactions))
        }
        _ => None,
    }
}

/// Whether coordinators serve this kind of request at all.
pub(crate) fn is_for_coordinators(request: &RequestKind) -> bool {
    matches!(
        request,
        RequestKind::JoinGroup(_)
            | RequestKind::SyncGroup(_)
            | RequestKind::Heartbeat(_)
            | RequestKind::LeaveGroup(_)
            | RequestKind::ConsumerGroupHeartbeat(_)
            | RequestKind::ConsumerGroupDescribe(_)
            | RequestKind::OffsetCommit(_)
            | RequestKind::OffsetFetch(_)
            | RequestKind::OffsetDelete(_)
            | RequestKind::TxnOffsetCommit(_)
            | RequestKind::DescribeGroups(_)
            | RequestKind::ListGroups(_)
            | RequestKind::DeleteGroups(_)
            | RequestKind::AddPartitionsToTxn(_)
            | RequestKind::AddOffsetsToTxn(_)
            | RequestKind::EndTxn(_)
            | RequestKind::DescribeTransactions(_)
            | RequestKind::ListTransactions(_)
    ) || matches!(request, RequestKind::InitProducerId(it) if it.transactional_id.is_some())
}
