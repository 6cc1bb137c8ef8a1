//! What a client makes of an error code.

use topomotion_wire::ErrorCode;

/// The error behind a code; `None` for success.
pub(crate) fn error_of(code: i16) -> Option<ErrorCode> {
    use kafka_protocol::error::ParseResponseErrorCode as _;
    code.err()
}

/// Whether trying again can help.
pub(crate) fn is_retriable(error: ErrorCode) -> bool {
    error.is_retriable()
}

/// Whether the error says that the client's beliefs about leaders are out of date.
pub(crate) fn means_stale_metadata(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::NotLeaderOrFollower
            | ErrorCode::LeaderNotAvailable
            | ErrorCode::ReplicaNotAvailable
            | ErrorCode::UnknownTopicOrPartition
            | ErrorCode::UnknownTopicId
            | ErrorCode::FencedLeaderEpoch
            | ErrorCode::UnknownLeaderEpoch
            | ErrorCode::KafkaStorageError
    )
}
