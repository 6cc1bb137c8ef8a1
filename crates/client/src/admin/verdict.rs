//! The errors in an answer, wherever its message keeps them.

use topomotion_wire::ErrorCode;
use topomotion_wire::messages::ResponseKind;

use crate::errors::error_of;

/// Whether a coordinator says that another is one now, or that it is not ready yet.
pub(super) fn has_moved(error: ErrorCode) -> bool {
    use ErrorCode::{CoordinatorLoadInProgress, CoordinatorNotAvailable, NotCoordinator};
    matches!(error, NotCoordinator | CoordinatorLoadInProgress | CoordinatorNotAvailable)
}

/// Every error in an answer to an administrator.
pub(super) fn errors_in(body: &ResponseKind) -> Vec<ErrorCode> {
    let codes: Vec<i16> = match body {
        ResponseKind::CreateTopics(it) => {
            it.topics.iter().map(|one| one.error_code).collect()
        }
        ResponseKind::DeleteTopics(it) => {
            it.responses.iter().map(|one| one.error_code).collect()
        }
        ResponseKind::CreatePartitions(it) => {
            it.results.iter().map(|one| one.error_code).collect()
        }
        ResponseKind::IncrementalAlterConfigs(it) => {
            it.responses.iter().map(|one| one.error_code).collect()
        }
        ResponseKind::DescribeConfigs(it) => {
            it.results.iter().map(|one| one.error_code).collect()
        }
        ResponseKind::AlterPartitionReassignments(it) => {
            let all = it.responses.iter().flat_map(|topic| &topic.partitions);
            all.map(|one| one.error_code).chain([it.error_code]).collect()
        }
        ResponseKind::ElectLeaders(it) => {
            let all = it.replica_election_results.iter();
            let all = all.flat_map(|topic| &topic.partition_result);
            all.map(|one| one.error_code).chain([it.error_code]).collect()
        }
        ResponseKind::DeleteRecords(it) => {
            let all = it.topics.iter().flat_map(|topic| &topic.partitions);
            all.map(|one| one.error_code).collect()
        }
        ResponseKind::ListOffsets(it) => {
            let all = it.topics.iter().flat_map(|topic| &topic.partitions);
            all.map(|one| one.error_code).collect()
        }
        ResponseKind::DescribeGroups(it) => {
            it.groups.iter().map(|one| one.error_code).collect()
        }
        ResponseKind::DeleteGroups(it) => {
            it.results.iter().map(|one| one.error_code).collect()
        }
        ResponseKind::OffsetDelete(it) => {
            let all = it.topics.iter().flat_map(|topic| &topic.partitions);
            all.map(|one| one.error_code).chain([it.error_code]).collect()
        }
        ResponseKind::ListGroups(it) => vec![it.error_code],
        ResponseKind::ListPartitionReassignments(it) => vec![it.error_code],
        ResponseKind::DescribeCluster(it) => vec![it.error_code],
        ResponseKind::DescribeQuorum(it) => vec![it.error_code],
        ResponseKind::AddRaftVoter(it) => vec![it.error_code],
        ResponseKind::RemoveRaftVoter(it) => vec![it.error_code],
        _ => Vec::new(),
    };
    codes.into_iter().filter_map(error_of).collect()
}
