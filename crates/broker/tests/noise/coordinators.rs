//! What members of groups and transactional producers say.

use topomotion_wire::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use topomotion_wire::messages::join_group_request::JoinGroupRequestProtocol;
use topomotion_wire::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use topomotion_wire::messages::offset_fetch_request::OffsetFetchRequestGroup;
use topomotion_wire::messages::sync_group_request::SyncGroupRequestAssignment;
use topomotion_wire::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use topomotion_wire::messages::write_txn_markers_request::{
    WritableTxnMarker, WritableTxnMarkerTopic,
};
use topomotion_wire::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, AllocateProducerIdsRequest,
    ConsumerGroupDescribeRequest, ConsumerGroupHeartbeatRequest, DeleteGroupsRequest,
    DescribeGroupsRequest, DescribeTransactionsRequest, EndTxnRequest,
    FindCoordinatorRequest, GroupId, HeartbeatRequest, InitProducerIdRequest,
    JoinGroupRequest, LeaveGroupRequest, ListGroupsRequest, ListTransactionsRequest,
    OffsetCommitRequest, OffsetDeleteRequest, OffsetFetchRequest, RequestKind,
    SyncGroupRequest, TransactionalId, TxnOffsetCommitRequest, WriteTxnMarkersRequest,
};
use topomotion_wire::{Bytes, StrBytes};

use super::{TOPIC, name};

fn text(text: &str) -> StrBytes {
    name(text).0
}

fn group() -> GroupId {
    GroupId(text("g"))
}

fn shop() -> TransactionalId {
    TransactionalId(text("shop"))
}

/// Asks for the coordinator of a group (0) or a transactional id (1).
pub fn find(key_type: i8) -> RequestKind {
    FindCoordinatorRequest::default().with_key(text("g")).with_key_type(key_type).into()
}

fn join(protocol: &'static [u8]) -> RequestKind {
    let protocol = JoinGroupRequestProtocol::default()
        .with_name(text("range"))
        .with_metadata(Bytes::from_static(protocol));
    JoinGroupRequest::default()
        .with_group_id(group())
        .with_session_timeout_ms(10_000)
        .with_rebalance_timeout_ms(100)
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol])
        .into()
}

fn sync() -> RequestKind {
    let assignment = SyncGroupRequestAssignment::default().with_assignment(
        Bytes::from_static(b"\0\x01\0\0\0\x01\0\x06orders\0\0\0\x01\0\0\0\0"),
    );
    SyncGroupRequest::default()
        .with_group_id(group())
        .with_assignments(vec![assignment])
        .into()
}

fn commit() -> RequestKind {
    let partition = OffsetCommitRequestPartition::default().with_committed_offset(5);
    let topic = OffsetCommitRequestTopic::default()
        .with_name(name(TOPIC))
        .with_partitions(vec![partition]);
    OffsetCommitRequest::default()
        .with_group_id(group())
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic])
        .into()
}

fn commit_in_transaction() -> RequestKind {
    let topic = TxnOffsetCommitRequestTopic::default()
        .with_name(name(TOPIC))
        .with_partitions(vec![TxnOffsetCommitRequestPartition::default()]);
    TxnOffsetCommitRequest::default()
        .with_transactional_id(shop())
        .with_group_id(group())
        .with_topics(vec![topic])
        .into()
}

fn add(version: i16) -> (i16, RequestKind) {
    let topic = AddPartitionsToTxnTopic::default()
        .with_name(name(TOPIC))
        .with_partitions(vec![0]);
    let request = AddPartitionsToTxnRequest::default();
    let request = if version < 4 {
        request
            .with_v3_and_below_transactional_id(shop())
            .with_v3_and_below_topics(vec![topic])
    } else {
        let transaction = AddPartitionsToTxnTransaction::default()
            .with_transactional_id(shop())
            .with_topics(vec![topic]);
        request.with_transactions(vec![transaction.clone(), transaction])
    };
    (version, request.into())
}

fn markers() -> RequestKind {
    let topic = WritableTxnMarkerTopic::default()
        .with_name(name(TOPIC))
        .with_partition_indexes(vec![0, 1]);
    let marker = WritableTxnMarker::default().with_topics(vec![topic]);
    WriteTxnMarkersRequest::default().with_markers(vec![marker]).into()
}

fn init(transactional: bool) -> RequestKind {
    InitProducerIdRequest::default()
        .with_transactional_id(transactional.then(shop))
        .with_transaction_timeout_ms(1_000)
        .with_producer_id((-1).into())
        .with_producer_epoch(-1)
        .into()
}

fn fetch_of_groups() -> RequestKind {
    let of_group = || OffsetFetchRequestGroup::default().with_group_id(group());
    let groups = vec![of_group().with_topics(None), of_group()];
    OffsetFetchRequest::default().with_groups(groups).into()
}

/// Requests for coordinators, in old and new forms.
pub fn well_formed() -> Vec<(i16, RequestKind)> {
    let subscription = b"\0\x01\0\0\0\x01\0\x06orders\xff\xff\xff\xff\0\0\0\0";
    let heartbeat = ConsumerGroupHeartbeatRequest::default()
        .with_group_id(GroupId(text("modern")))
        .with_member_id(text("m"))
        .with_rebalance_timeout_ms(100)
        .with_subscribed_topic_names(Some(vec![name(TOPIC)]))
        .with_topic_partitions(Some(Vec::new()));
    let end = EndTxnRequest::default().with_transactional_id(shop()).with_committed(true);
    let describe = DescribeGroupsRequest::default().with_groups(vec![group(), group()]);
    let delete = DeleteGroupsRequest::default().with_groups_names(vec![group()]);
    let offsets = AddOffsetsToTxnRequest::default()
        .with_transactional_id(shop())
        .with_group_id(group());
    let described =
        DescribeTransactionsRequest::default().with_transactional_ids(vec![shop()]);
    let modern = ConsumerGroupDescribeRequest::default()
        .with_group_ids(vec![GroupId(text("modern"))]);
    vec![
        (1, find(0)),
        (3, find(1)),
        (3, join(subscription)),
        (9, join(b"everything")),
        (5, sync()),
        (4, HeartbeatRequest::default().with_group_id(group()).into()),
        (5, LeaveGroupRequest::default().with_group_id(group()).into()),
        (1, heartbeat.into()),
        (1, modern.into()),
        (2, commit()),
        (9, commit()),
        (5, OffsetFetchRequest::default().with_group_id(group()).into()),
        (9, fetch_of_groups()),
        (0, OffsetDeleteRequest::default().with_group_id(group()).into()),
        (5, describe.into()),
        (5, ListGroupsRequest::default().into()),
        (2, delete.into()),
        (5, init(false)),
        (5, init(true)),
        add(3),
        add(5),
        (4, offsets.into()),
        (5, end.into()),
        (1, markers()),
        (5, commit_in_transaction()),
        (0, described.into()),
        (1, ListTransactionsRequest::default().into()),
        (0, AllocateProducerIdsRequest::default().into()),
    ]
}
