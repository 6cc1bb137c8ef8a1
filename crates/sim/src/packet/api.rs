//! Which API a message belongs to.

use kafka_protocol::messages::{ApiKey, RequestKind, ResponseKind};

macro_rules! apis {
    ($($name:ident)*) => {
        /// The API of a request, if the engine may send it.
        pub(super) fn of_request(request: &RequestKind) -> Option<ApiKey> {
            match request {
                $(RequestKind::$name(_) => Some(ApiKey::$name),)*
                _ => None,
            }
        }

        /// The API of a response, if the engine may send it.
        pub(super) fn of_response(response: &ResponseKind) -> Option<ApiKey> {
            match response {
                $(ResponseKind::$name(_) => Some(ApiKey::$name),)*
                _ => None,
            }
        }

        /// Kafka's name of an API.
        pub(super) fn name(key: ApiKey) -> &'static str {
            match key {
                $(ApiKey::$name => stringify!($name),)*
                _ => "Other",
            }
        }
    };
}

apis! {
    Produce Fetch ListOffsets Metadata OffsetCommit OffsetFetch FindCoordinator JoinGroup
    Heartbeat LeaveGroup SyncGroup DescribeGroups ListGroups ApiVersions CreateTopics
    DeleteTopics DeleteRecords InitProducerId OffsetForLeaderEpoch AddPartitionsToTxn
    AddOffsetsToTxn EndTxn WriteTxnMarkers TxnOffsetCommit DescribeConfigs CreatePartitions
    ElectLeaders IncrementalAlterConfigs AlterPartitionReassignments
    ListPartitionReassignments Vote BeginQuorumEpoch EndQuorumEpoch DescribeQuorum AlterPartition Envelope FetchSnapshot DescribeCluster
    BrokerRegistration BrokerHeartbeat UnregisterBroker AllocateProducerIds
    ConsumerGroupHeartbeat DescribeTopicPartitions ControllerRegistration
    AssignReplicasToDirs AddRaftVoter RemoveRaftVoter UpdateRaftVoter DeleteGroups
    OffsetDelete ConsumerGroupDescribe
}
