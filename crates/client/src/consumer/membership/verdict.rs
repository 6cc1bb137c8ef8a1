//! What an error of the coordinator means for a member: the tables of Kafka's Java client.

use topomotion_wire::ErrorCode;

/// What to do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The same again, after a pause.
    Again,
    /// Find the coordinator, then the same again.
    FindCoordinator,
    /// The group rebalances: join again, as who it is.
    Rebalance,
    /// Join again in another generation, as who it is.
    NewGeneration,
    /// Join again as somebody new.
    NewMember,
    /// Only the application can help.
    Bar,
}

/// What an error in answer to JoinGroup, SyncGroup or Heartbeat means.
pub(super) fn verdict(error: ErrorCode) -> Verdict {
    match error {
        ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator => {
            Verdict::FindCoordinator
        }
        ErrorCode::CoordinatorLoadInProgress
        | ErrorCode::RequestTimedOut
        | ErrorCode::UnknownServerError => Verdict::Again,
        ErrorCode::RebalanceInProgress => Verdict::Rebalance,
        ErrorCode::IllegalGeneration => Verdict::NewGeneration,
        ErrorCode::UnknownMemberId => Verdict::NewMember,
        _ => Verdict::Bar,
    }
}

/// What an error in answer to ConsumerGroupHeartbeat means (KIP-848).
pub(super) fn verdict_848(error: ErrorCode) -> Verdict {
    match error {
        ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator => {
            Verdict::FindCoordinator
        }
        ErrorCode::CoordinatorLoadInProgress
        | ErrorCode::RequestTimedOut
        | ErrorCode::UnknownServerError => Verdict::Again,
        ErrorCode::FencedMemberEpoch | ErrorCode::UnknownMemberId => {
            Verdict::NewGeneration
        }
        _ => Verdict::Bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_kafkas_meaning_for_a_member() {
        let table = [
            (ErrorCode::NotCoordinator, Verdict::FindCoordinator),
            (ErrorCode::CoordinatorNotAvailable, Verdict::FindCoordinator),
            (ErrorCode::CoordinatorLoadInProgress, Verdict::Again),
            (ErrorCode::RebalanceInProgress, Verdict::Rebalance),
            (ErrorCode::IllegalGeneration, Verdict::NewGeneration),
            (ErrorCode::UnknownMemberId, Verdict::NewMember),
            (ErrorCode::FencedInstanceId, Verdict::Bar),
            (ErrorCode::InconsistentGroupProtocol, Verdict::Bar),
            (ErrorCode::GroupMaxSizeReached, Verdict::Bar),
        ];
        for (error, meaning) in table {
            assert_eq!(verdict(error), meaning, "{error:?}");
        }
        let fenced = verdict_848(ErrorCode::FencedMemberEpoch);
        assert_eq!(fenced, Verdict::NewGeneration);
        assert_eq!(verdict_848(ErrorCode::UnreleasedInstanceId), Verdict::Bar);
    }
}
