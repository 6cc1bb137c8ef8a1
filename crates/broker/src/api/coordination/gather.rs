//! Requests about several groups or transactions: one for each, and one answer for all.

use topomotion_wire::messages::{
    AddPartitionsToTxnRequest, ConsumerGroupDescribeRequest, DeleteGroupsRequest,
    DescribeGroupsRequest, DescribeTransactionsRequest, OffsetFetchRequest, RequestKind,
    ResponseKind,
};

use super::{BY_BROKERS, FETCHES_GROUPS};

/// The request for each of the groups or transactions that this one names; itself, if it can
/// name but one.
pub(crate) fn split(request: RequestKind, version: i16) -> Vec<RequestKind> {
    match request {
        RequestKind::DescribeGroups(mut it) => {
            let groups = std::mem::take(&mut it.groups).into_iter();
            let one =
                |group| -> DescribeGroupsRequest { it.clone().with_groups(vec![group]) };
            groups.map(|group| one(group).into()).collect()
        }
        RequestKind::ConsumerGroupDescribe(mut it) => {
            let groups = std::mem::take(&mut it.group_ids).into_iter();
            let one = |group| -> ConsumerGroupDescribeRequest {
                it.clone().with_group_ids(vec![group])
            };
            groups.map(|group| one(group).into()).collect()
        }
        RequestKind::DeleteGroups(mut it) => {
            let groups = std::mem::take(&mut it.groups_names).into_iter();
            let one = |group| -> DeleteGroupsRequest {
                it.clone().with_groups_names(vec![group])
            };
            groups.map(|group| one(group).into()).collect()
        }
        RequestKind::OffsetFetch(mut it) if version >= FETCHES_GROUPS => {
            let groups = std::mem::take(&mut it.groups).into_iter();
            let one =
                |group| -> OffsetFetchRequest { it.clone().with_groups(vec![group]) };
            groups.map(|group| one(group).into()).collect()
        }
        RequestKind::DescribeTransactions(mut it) => {
            let ids = std::mem::take(&mut it.transactional_ids).into_iter();
            let one = |id| -> DescribeTransactionsRequest {
                it.clone().with_transactional_ids(vec![id])
            };
            ids.map(|id| one(id).into()).collect()
        }
        RequestKind::AddPartitionsToTxn(mut it) if version >= BY_BROKERS => {
            let all = std::mem::take(&mut it.transactions).into_iter();
            let one = |transaction| -> AddPartitionsToTxnRequest {
                it.clone().with_transactions(vec![transaction])
            };
            all.map(|transaction| one(transaction).into()).collect()
        }
        request => vec![request],
    }
}

/// One answer of many, in their order; none if there are none.
pub(crate) fn merge(
    parts: impl IntoIterator<Item = ResponseKind>,
) -> Option<ResponseKind> {
    parts.into_iter().reduce(join)
}

fn join(whole: ResponseKind, part: ResponseKind) -> ResponseKind {
    /// The first error counts.
    fn note(error: &mut i16, other: i16) {
        if *error == 0 {
            *error = other;
        }
    }
    match (whole, part) {
        (ResponseKind::DescribeGroups(mut it), ResponseKind::DescribeGroups(part)) => {
            it.groups.extend(part.groups);
            it.into()
        }
        (
            ResponseKind::ConsumerGroupDescribe(mut it),
            ResponseKind::ConsumerGroupDescribe(part),
        ) => {
            it.groups.extend(part.groups);
            it.into()
        }
        (ResponseKind::DeleteGroups(mut it), ResponseKind::DeleteGroups(part)) => {
            it.results.extend(part.results);
            it.into()
        }
        (ResponseKind::OffsetFetch(mut it), ResponseKind::OffsetFetch(part)) => {
            it.groups.extend(part.groups);
            it.into()
        }
        (ResponseKind::ListGroups(mut it), ResponseKind::ListGroups(part)) => {
            note(&mut it.error_code, part.error_code);
            it.groups.extend(part.groups);
            it.into()
        }
        (
            ResponseKind::DescribeTransactions(mut it),
            ResponseKind::DescribeTransactions(part),
        ) => {
            it.transaction_states.extend(part.transaction_states);
            it.into()
        }
        (
            ResponseKind::ListTransactions(mut it),
            ResponseKind::ListTransactions(part),
        ) => {
            note(&mut it.error_code, part.error_code);
            it.transaction_states.extend(part.transaction_states);
            for filter in part.unknown_state_filters {
                if !it.unknown_state_filters.contains(&filter) {
                    it.unknown_state_filters.push(filter);
                }
            }
            it.into()
        }
        (
            ResponseKind::AddPartitionsToTxn(mut it),
            ResponseKind::AddPartitionsToTxn(part),
        ) => {
            note(&mut it.error_code, part.error_code);
            it.results_by_transaction.extend(part.results_by_transaction);
            it.into()
        }
        // Nothing else is split.
        (whole, _) => whole,
    }
}
