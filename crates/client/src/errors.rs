//! What a client makes of an error code: the tables of Kafka's Java clients.
//!
//! Three questions: is it worth trying again (`RetriableException`), does it say that the
//! beliefs about leaders are out of date (`InvalidMetadataException`), and what is a fetch
//! to do about it.

use topomotion_wire::ErrorCode;

/// The error behind a code; `None` for success.
pub(crate) fn error_of(code: i16) -> Option<ErrorCode> {
    use kafka_protocol::error::ParseResponseErrorCode as _;
    code.err()
}

/// What a producer does about the answer to a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProduceRemedy {
    /// Sends it again after a pause.
    Retry,
    /// Asks who leads, and sends it again.
    RefreshAndRetry,
    /// Cuts it in two, if there is more than one record in it.
    Split,
    /// It is as good as written: somebody has it already.
    Accept,
    /// Tells the application.
    Fail,
}

pub(crate) fn produce_remedy(error: ErrorCode) -> ProduceRemedy {
    match error {
        ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge => {
            ProduceRemedy::Split
        }
        ErrorCode::DuplicateSequenceNumber => ProduceRemedy::Accept,
        error if means_stale_metadata(error) => ProduceRemedy::RefreshAndRetry,
        error if is_retriable(error) => ProduceRemedy::Retry,
        _ => ProduceRemedy::Fail,
    }
}

/// What a consumer does about the answer to a fetch of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FetchRemedy {
    /// Fetches again after a pause.
    Again,
    /// Asks who leads, and fetches again.
    Refresh,
    /// Finds a new position, as `auto.offset.reset` says.
    Reset,
    /// Tells the application, and waits for it to say where to go on.
    Stop,
}

pub(crate) fn fetch_remedy(error: ErrorCode) -> FetchRemedy {
    match error {
        ErrorCode::OffsetOutOfRange => FetchRemedy::Reset,
        ErrorCode::OffsetNotAvailable => FetchRemedy::Refresh,
        ErrorCode::TopicAuthorizationFailed
        | ErrorCode::UnsupportedVersion
        | ErrorCode::UnsupportedForMessageFormat => FetchRemedy::Stop,
        error if means_stale_metadata(error) => FetchRemedy::Refresh,
        _ => FetchRemedy::Again,
    }
}

/// Kafka's `InvalidMetadataException`s: the client's beliefs about leaders are out of date.
const STALE_METADATA: [ErrorCode; 12] = [
    ErrorCode::NotLeaderOrFollower,
    ErrorCode::LeaderNotAvailable,
    ErrorCode::ReplicaNotAvailable,
    ErrorCode::UnknownTopicOrPartition,
    ErrorCode::UnknownTopicId,
    ErrorCode::InconsistentTopicId,
    ErrorCode::FencedLeaderEpoch,
    ErrorCode::KafkaStorageError,
    ErrorCode::NetworkException,
    ErrorCode::ListenerNotFound,
    ErrorCode::PreferredLeaderNotAvailable,
    ErrorCode::EligibleLeadersNotAvailable,
];

/// Kafka's other `RetriableException`s: the same request may succeed later.
const RETRIABLE: [ErrorCode; 15] = [
    ErrorCode::CorruptMessage,
    ErrorCode::RequestTimedOut,
    ErrorCode::CoordinatorLoadInProgress,
    ErrorCode::CoordinatorNotAvailable,
    ErrorCode::NotCoordinator,
    ErrorCode::NotEnoughReplicas,
    ErrorCode::NotEnoughReplicasAfterAppend,
    ErrorCode::NotController,
    ErrorCode::FetchSessionIdNotFound,
    ErrorCode::InvalidFetchSessionEpoch,
    ErrorCode::UnknownLeaderEpoch,
    ErrorCode::OffsetNotAvailable,
    ErrorCode::ConcurrentTransactions,
    ErrorCode::UnstableOffsetCommit,
    ErrorCode::ThrottlingQuotaExceeded,
];

/// Whether the error says that the client's beliefs about leaders are out of date.
pub(crate) fn means_stale_metadata(error: ErrorCode) -> bool {
    STALE_METADATA.contains(&error)
}

/// Whether trying again can help.
pub(crate) fn is_retriable(error: ErrorCode) -> bool {
    RETRIABLE.contains(&error) || means_stale_metadata(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_of_a_produce_has_kafkas_remedy() {
        let table = [
            (ErrorCode::NotLeaderOrFollower, ProduceRemedy::RefreshAndRetry),
            (ErrorCode::UnknownTopicOrPartition, ProduceRemedy::RefreshAndRetry),
            (ErrorCode::KafkaStorageError, ProduceRemedy::RefreshAndRetry),
            (ErrorCode::NetworkException, ProduceRemedy::RefreshAndRetry),
            (ErrorCode::NotEnoughReplicas, ProduceRemedy::Retry),
            (ErrorCode::NotEnoughReplicasAfterAppend, ProduceRemedy::Retry),
            (ErrorCode::RequestTimedOut, ProduceRemedy::Retry),
            (ErrorCode::CorruptMessage, ProduceRemedy::Retry),
            (ErrorCode::MessageTooLarge, ProduceRemedy::Split),
            (ErrorCode::DuplicateSequenceNumber, ProduceRemedy::Accept),
            (ErrorCode::InvalidRecord, ProduceRemedy::Fail),
            (ErrorCode::InvalidRequiredAcks, ProduceRemedy::Fail),
            (ErrorCode::TopicAuthorizationFailed, ProduceRemedy::Fail),
            (ErrorCode::UnsupportedForMessageFormat, ProduceRemedy::Fail),
            (ErrorCode::UnknownServerError, ProduceRemedy::Fail),
        ];
        for (error, remedy) in table {
            assert_eq!(produce_remedy(error), remedy, "{error:?}");
        }
    }

    #[test]
    fn each_error_of_a_fetch_has_kafkas_remedy() {
        let table = [
            (ErrorCode::NotLeaderOrFollower, FetchRemedy::Refresh),
            (ErrorCode::FencedLeaderEpoch, FetchRemedy::Refresh),
            (ErrorCode::OffsetNotAvailable, FetchRemedy::Refresh),
            (ErrorCode::UnknownTopicOrPartition, FetchRemedy::Refresh),
            (ErrorCode::UnknownLeaderEpoch, FetchRemedy::Again),
            (ErrorCode::UnknownServerError, FetchRemedy::Again),
            (ErrorCode::OffsetOutOfRange, FetchRemedy::Reset),
            (ErrorCode::TopicAuthorizationFailed, FetchRemedy::Stop),
        ];
        for (error, remedy) in table {
            assert_eq!(fetch_remedy(error), remedy, "{error:?}");
        }
    }

    #[test]
    fn nothing_is_in_both_tables() {
        assert!(RETRIABLE.iter().all(|error| !STALE_METADATA.contains(error)));
    }
}
