//! Random and damaged frames by the hundred thousand: each ends one connection at most.
//!
//! `NOISE_EVENTS` says how many; a million in release, fewer in a debug build.

mod noise;

use noise::{TOPIC, Target, feed, framed, name, produce};
use topomotion_wire::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use topomotion_wire::messages::fetch_request::{FetchPartition, FetchTopic};
use topomotion_wire::messages::list_offsets_request::{
    ListOffsetsPartition, ListOffsetsTopic,
};
use topomotion_wire::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use topomotion_wire::messages::*;
use topomotion_wire::{Bytes, ConnectionId, Random};

fn fetch(session: (i32, i32), max_wait_ms: i32) -> RequestKind {
    let partition = FetchPartition::default().with_partition_max_bytes(1 << 20);
    let topic =
        FetchTopic::default().with_topic(name(TOPIC)).with_partitions(vec![partition]);
    FetchRequest::default()
        .with_session_id(session.0)
        .with_session_epoch(session.1)
        .with_max_wait_ms(max_wait_ms)
        .with_min_bytes(1)
        .with_max_bytes(1 << 20)
        .with_topics(vec![topic])
        .into()
}

fn list_offsets(timestamp: i64) -> RequestKind {
    let partition = ListOffsetsPartition::default()
        .with_current_leader_epoch(-1)
        .with_timestamp(timestamp);
    let topic = ListOffsetsTopic::default()
        .with_name(name(TOPIC))
        .with_partitions(vec![partition]);
    let request = ListOffsetsRequest::default().with_replica_id(BrokerId(-1));
    request.with_topics(vec![topic]).into()
}

fn delete_records(offset: i64) -> RequestKind {
    let partition = DeleteRecordsPartition::default().with_offset(offset);
    let topic = DeleteRecordsTopic::default()
        .with_name(name(TOPIC))
        .with_partitions(vec![partition]);
    DeleteRecordsRequest::default().with_topics(vec![topic]).with_timeout_ms(9).into()
}

fn epoch_end() -> RequestKind {
    let partition = OffsetForLeaderPartition::default().with_current_leader_epoch(-1);
    let topic = OffsetForLeaderTopic::default()
        .with_topic(name(TOPIC))
        .with_partitions(vec![partition]);
    OffsetForLeaderEpochRequest::default().with_topics(vec![topic]).into()
}

/// What clients say, in old and new forms.
fn well_formed() -> Vec<(i16, RequestKind)> {
    let metadata = || MetadataRequest::default().with_topics(None);
    let pages =
        DescribeTopicPartitionsRequest::default().with_response_partition_limit(5);
    vec![
        (3, produce(TOPIC, "a")),
        (9, produce(TOPIC, "b")),
        (12, produce(TOPIC, "c")),
        (4, fetch((0, -1), 0)),
        (11, fetch((0, 0), 3)),
        (12, fetch((7, 1), 0)),
        (12, fetch((0, 0), 0)),
        (1, list_offsets(-1)),
        (9, list_offsets(-3)),
        (6, list_offsets(0)),
        (1, metadata().into()),
        (12, metadata().into()),
        (0, ApiVersionsRequest::default().into()),
        (3, ApiVersionsRequest::default().into()),
        (2, delete_records(-1)),
        (1, delete_records(1)),
        (4, epoch_end()),
        (0, DescribeClusterRequest::default().into()),
        (4, DescribeConfigsRequest::default().into()),
        (0, pages.into()),
    ]
    .into_iter()
    .chain(noise::coordinators::well_formed())
    .collect()
}

fn frames() -> Vec<Bytes> {
    well_formed().into_iter().map(|(version, body)| framed(version, body)).collect()
}

fn below(random: &mut Random, limit: usize) -> usize {
    let limit = u64::try_from(limit.max(1)).expect("a small number");
    usize::try_from(random.next_u64() % limit).expect("smaller than the limit")
}

/// Numbers that lengths and counts break on.
const EDGES: [u32; 8] = [0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX, 0xffff, 1 << 20, 500];

/// One of the frames, as it is or damaged in one of many ways.
fn damaged(random: &mut Random, corpus: &[Bytes]) -> Vec<u8> {
    let mut frame = corpus[below(random, corpus.len())].to_vec();
    for _ in 0..below(random, 4) {
        let at = below(random, frame.len());
        match below(random, 8) {
            0 => frame[at] ^= 1 << below(random, 8),
            1 => frame[at] = random.next_u64().to_be_bytes()[0],
            2 => frame.truncate(at.max(1)),
            3 => {
                let edge = EDGES[below(random, EDGES.len())].to_be_bytes();
                let room = frame.len() - at;
                frame[at..].iter_mut().zip(edge).take(room).for_each(|(to, it)| *to = it);
            }
            4 => {
                let varint = [0xff, 0xff, 0xff, 0xff, 0x0f];
                frame.splice(at..at, varint);
            }
            5 => {
                let other = &corpus[below(random, corpus.len())];
                frame.truncate(at.max(1));
                frame.extend_from_slice(&other[below(random, other.len())..]);
            }
            6 => _ = frame.drain(at..(at + below(random, 9)).min(frame.len())),
            _ => frame.extend_from_slice(&random.next_u64().to_be_bytes()),
        }
        if frame.is_empty() {
            return frame;
        }
    }
    // Most of the damage should get past the length.
    if below(random, 4) > 0 && frame.len() >= 4 {
        let length = u32::try_from(frame.len() - 4).expect("a small frame");
        frame[..4].copy_from_slice(&length.to_be_bytes());
    }
    frame
}

fn noise(random: &mut Random, corpus: &[Bytes]) -> Vec<u8> {
    match below(random, 10) {
        0 => {
            let length = below(random, 60);
            (0..length).map(|_| random.next_u64().to_be_bytes()[0]).collect()
        }
        _ => damaged(random, corpus),
    }
}

#[expect(clippy::disallowed_methods, reason = "a test may be told how long to run")]
fn events() -> u64 {
    let told = std::env::var("NOISE_EVENTS").ok();
    let usual = if cfg!(debug_assertions) { 20_000 } else { 1_000_000 };
    told.and_then(|told| told.parse().ok()).unwrap_or(usual)
}

#[test]
fn noise_costs_nobody_but_its_own_connection() {
    let (mut random, corpus) = (Random::new(3, 9), frames());
    let mut target = Target::new();
    let mut noisy: Vec<ConnectionId> = (0..8).map(|_| target.connect()).collect();
    for event in 0..events() {
        let connection = &mut noisy[below(&mut random, 8)];
        if !target.is_open(*connection) {
            *connection = target.connect();
        }
        let bytes = noise(&mut random, &corpus);
        match below(&mut random, 50) {
            0 => target.hang_up(*connection),
            1..10 => {
                let (first, second) = bytes.split_at(bytes.len() / 2);
                target.receive(*connection, first);
                target.pass(1);
                target.receive(*connection, second);
            }
            _ => target.receive(*connection, &bytes),
        }
        if event % 5 == 0 {
            target.pass(1);
        }
        if event % 100 == 0 {
            target.produce(&format!("record {event}"));
        }
    }
    target.check();
    let (closed, understood) = (target.closed, target.understood);
    assert!(closed > events() / 10, "much of it was noise: {closed} closed");
    assert!(understood > events() / 10, "and much was understood: {understood}");
}

#[test]
fn a_fuzzers_bytes_may_be_anything() {
    let (mut random, corpus) = (Random::new(5, 1), frames());
    feed(&[]);
    for _ in 0..20 {
        let mut data = Vec::new();
        for _ in 0..9 {
            let frame = noise(&mut random, &corpus);
            for piece in frame.chunks(63) {
                let length = u8::try_from(piece.len()).expect("63 at most");
                data.push(
                    length << 2 | u8::try_from(below(&mut random, 4)).expect("two bits"),
                );
                data.extend_from_slice(piece);
            }
        }
        feed(&data);
    }
}

/// Every API that a node serves, asked for nothing in particular.
fn unspecific() -> Vec<RequestKind> {
    vec![
        AddOffsetsToTxnRequest::default().into(),
        AddPartitionsToTxnRequest::default().into(),
        AddRaftVoterRequest::default().into(),
        AllocateProducerIdsRequest::default().into(),
        AlterConfigsRequest::default().into(),
        AlterPartitionReassignmentsRequest::default().into(),
        AlterPartitionRequest::default().into(),
        AlterUserScramCredentialsRequest::default().into(),
        ApiVersionsRequest::default().into(),
        BeginQuorumEpochRequest::default().into(),
        BrokerHeartbeatRequest::default().into(),
        BrokerRegistrationRequest::default().into(),
        ConsumerGroupDescribeRequest::default().into(),
        ConsumerGroupHeartbeatRequest::default().into(),
        CreateAclsRequest::default().into(),
        CreatePartitionsRequest::default().into(),
        CreateTopicsRequest::default().into(),
        DeleteAclsRequest::default().into(),
        DeleteGroupsRequest::default().into(),
        DeleteRecordsRequest::default().into(),
        DeleteTopicsRequest::default().into(),
        DescribeAclsRequest::default().into(),
        DescribeClusterRequest::default().into(),
        DescribeConfigsRequest::default().into(),
        DescribeGroupsRequest::default().into(),
        DescribeLogDirsRequest::default().into(),
        DescribeProducersRequest::default().into(),
        DescribeQuorumRequest::default().into(),
        DescribeTopicPartitionsRequest::default().into(),
        DescribeTransactionsRequest::default().into(),
        DescribeUserScramCredentialsRequest::default().into(),
        ElectLeadersRequest::default().into(),
        EndQuorumEpochRequest::default().into(),
        EndTxnRequest::default().into(),
        FetchRequest::default().into(),
        FetchSnapshotRequest::default().into(),
        FindCoordinatorRequest::default().into(),
        HeartbeatRequest::default().into(),
        IncrementalAlterConfigsRequest::default().into(),
        InitProducerIdRequest::default().into(),
        JoinGroupRequest::default().into(),
        LeaveGroupRequest::default().into(),
        ListConfigResourcesRequest::default().into(),
        ListGroupsRequest::default().into(),
        ListOffsetsRequest::default().into(),
        ListPartitionReassignmentsRequest::default().into(),
        ListTransactionsRequest::default().into(),
        MetadataRequest::default().into(),
        OffsetCommitRequest::default().into(),
        OffsetDeleteRequest::default().into(),
        OffsetFetchRequest::default().into(),
        OffsetForLeaderEpochRequest::default().into(),
        ProduceRequest::default().into(),
        RemoveRaftVoterRequest::default().into(),
        SaslAuthenticateRequest::default().into(),
        SaslHandshakeRequest::default().into(),
        SyncGroupRequest::default().into(),
        TxnOffsetCommitRequest::default().into(),
        UpdateRaftVoterRequest::default().into(),
        VoteRequest::default().into(),
        WriteTxnMarkersRequest::default().into(),
    ]
}

/// The answers' frames are made, and looked at, where the node sends them.
#[test]
fn every_answer_fits_into_the_version_that_it_is_asked_in() {
    let mut target = Target::new();
    let specific = well_formed().into_iter().map(|(_, body)| body);
    let bodies: Vec<RequestKind> = specific.chain(unspecific()).collect();
    let before = target.understood;
    for (version, body) in (0..=18).flat_map(|it| bodies.iter().map(move |of| (it, of))) {
        let Some(frame) = noise::framed_in(version, body.clone()) else { continue };
        let connection = target.connect();
        target.receive(connection, &frame);
        target.pass(20);
    }
    target.pass(60_000);
    target.produce("after");
    target.check();
    let understood = target.understood - before;
    assert!(understood > 500, "most versions are served: {understood}");
}
