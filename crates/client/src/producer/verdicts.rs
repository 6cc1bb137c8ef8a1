//! What a producer makes of a coordinator's error: the tables of Kafka's
//! `TransactionManager`, one for each request.

use topomotion_wire::ErrorCode;

use super::manager::Ask;
use crate::errors::is_retriable;

/// What an error of a coordinator means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The same question again, after a pause.
    Again,
    /// It is somebody else's: who coordinates is asked first.
    Elsewhere,
    /// Only an abort ends the transaction.
    Abortable(ErrorCode),
    /// The producer can do nothing any more.
    Fatal(ErrorCode),
}

pub(super) fn verdict(ask: &Ask, error: ErrorCode) -> Verdict {
    use ErrorCode as E;
    match (ask, error) {
        (Ask::FindCoordinator(_), E::GroupAuthorizationFailed)
        | (_, E::TransactionAbortable) => Verdict::Abortable(error),
        (Ask::FindCoordinator(_), error) if is_retriable(error) => Verdict::Again,
        (_, E::NotCoordinator | E::CoordinatorNotAvailable) => Verdict::Elsewhere,
        (Ask::CommitOffsets(_), E::RequestTimedOut) => Verdict::Elsewhere,
        (_, error) if is_retriable(error) => Verdict::Again,
        // A coordinator that knows a newer epoch has spoken the last word.
        (_, E::InvalidProducerEpoch | E::ProducerFenced) => {
            Verdict::Fatal(E::ProducerFenced)
        }
        (_, E::TransactionalIdAuthorizationFailed) => Verdict::Fatal(error),
        (
            Ask::AddPartitions(_) | Ask::AddOffsets(_) | Ask::End(_),
            E::UnknownProducerId | E::InvalidProducerIdMapping,
        ) => Verdict::Abortable(error),
        (Ask::AddPartitions(_), E::InvalidTxnState) => Verdict::Fatal(error),
        (Ask::AddPartitions(_), error) => Verdict::Abortable(error),
        (Ask::AddOffsets(_) | Ask::CommitOffsets(_), E::GroupAuthorizationFailed)
        | (
            Ask::CommitOffsets(_),
            E::UnknownMemberId
            | E::IllegalGeneration
            | E::StaleMemberEpoch
            | E::FencedInstanceId,
        ) => Verdict::Abortable(error),
        (_, error) => Verdict::Fatal(error),
    }
}

/// Whether an error of a produce request means that a transactional producer can do nothing
/// any more. `INVALID_PRODUCER_EPOCH` does not: the coordinator has the last word on that.
pub(super) fn ends_producer(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::ProducerFenced
            | ErrorCode::TransactionalIdAuthorizationFailed
            | ErrorCode::ClusterAuthorizationFailed
            | ErrorCode::InvalidProducerIdMapping
            | ErrorCode::UnsupportedVersion
    )
}

#[cfg(test)]
mod tests {
    use super::super::manager::{Commit, Coordinator, End};
    use super::*;
    use crate::GroupMetadata;
    use std::collections::{BTreeMap, BTreeSet};

    fn commit() -> Commit {
        Commit { group: GroupMetadata::outside("g"), offsets: BTreeMap::new() }
    }

    #[test]
    fn each_error_of_a_coordinator_has_kafkas_remedy() {
        use ErrorCode as E;
        let init = Ask::InitProducerId;
        let end = Ask::End(End::Commit);
        let add = Ask::AddPartitions(BTreeSet::new());
        let (offsets, commit) = (Ask::AddOffsets(commit()), Ask::CommitOffsets(commit()));
        let find = Ask::FindCoordinator(Coordinator::Transaction);
        let fenced = Verdict::Fatal(E::ProducerFenced);
        let abortable = Verdict::Abortable;
        let table = [
            (&find, E::CoordinatorNotAvailable, Verdict::Again),
            (&init, E::ConcurrentTransactions, Verdict::Again),
            (&init, E::CoordinatorLoadInProgress, Verdict::Again),
            (&init, E::NotCoordinator, Verdict::Elsewhere),
            (&init, E::InvalidProducerEpoch, fenced),
            (&init, E::ProducerFenced, fenced),
            (
                &init,
                E::InvalidTransactionTimeout,
                Verdict::Fatal(E::InvalidTransactionTimeout),
            ),
            (&add, E::ConcurrentTransactions, Verdict::Again),
            (&add, E::UnknownTopicOrPartition, Verdict::Again),
            (&add, E::TopicAuthorizationFailed, abortable(E::TopicAuthorizationFailed)),
            (&add, E::InvalidTxnState, Verdict::Fatal(E::InvalidTxnState)),
            (&add, E::InvalidProducerIdMapping, abortable(E::InvalidProducerIdMapping)),
            (
                &offsets,
                E::GroupAuthorizationFailed,
                abortable(E::GroupAuthorizationFailed),
            ),
            (&commit, E::RequestTimedOut, Verdict::Elsewhere),
            (&commit, E::CoordinatorLoadInProgress, Verdict::Again),
            (&commit, E::IllegalGeneration, abortable(E::IllegalGeneration)),
            (&commit, E::UnknownMemberId, abortable(E::UnknownMemberId)),
            (&commit, E::FencedInstanceId, abortable(E::FencedInstanceId)),
            (&commit, E::InvalidProducerEpoch, fenced),
            (&end, E::ConcurrentTransactions, Verdict::Again),
            (&end, E::CoordinatorNotAvailable, Verdict::Elsewhere),
            (&end, E::ProducerFenced, fenced),
            (&end, E::TransactionAbortable, abortable(E::TransactionAbortable)),
            (&end, E::InvalidTxnState, Verdict::Fatal(E::InvalidTxnState)),
        ];
        for (ask, error, wanted) in table {
            assert_eq!(verdict(ask, error), wanted, "{ask:?} {error:?}");
        }
    }

    #[test]
    fn an_old_epoch_at_a_leader_is_not_yet_the_end() {
        assert!(!ends_producer(ErrorCode::InvalidProducerEpoch));
        assert!(ends_producer(ErrorCode::ProducerFenced));
    }
}
