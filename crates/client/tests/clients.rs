//! The clients against scripted brokers.
#![allow(clippy::field_reassign_with_default)]

mod rig;

use rig::*;
use topomotion_wire::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use topomotion_wire::messages::{FetchResponse, RequestKind, ResponseKind};
use topomotion_wire::{Acks, ErrorCode, Fact, Offset};

#[test]
fn a_record_reaches_its_leader_and_is_acknowledged() {
    let mut rig = Rig::new(producer(Acks::All), |_, request| match request {
        RequestKind::Metadata(_) => metadata(2, 0),
        RequestKind::Produce(_) => produced(0, 7),
        _ => Reply::Silence,
    });
    rig.client.send(rig.now, record("k"));
    rig.run_until(1_000);
    assert_eq!(acked(&rig.facts), [Some(Offset(7))]);
    assert_eq!(rig.client.pending(), 0);
    let (port, request) = rig.requests.last().expect("something was sent");
    assert!(
        *port == 2 && matches!(request, RequestKind::Produce(body) if body.acks == -1)
    );
}

#[test]
fn records_sent_within_the_linger_share_a_batch() {
    let mut rig = Rig::new(producer(Acks::All), |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        RequestKind::Produce(_) => produced(0, 0),
        _ => Reply::Silence,
    });
    for key in ["a", "b", "c"] {
        rig.client.send(rig.now, record(key));
    }
    rig.run_until(1_000);
    let counts: Vec<i64> = rig
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::BatchAcked { count, .. } => Some(*count),
            _ => None,
        })
        .collect();
    assert_eq!(counts, [3]);
}

#[test]
fn a_wrong_leader_costs_a_refresh_and_a_retry() {
    let mut refreshed = 0;
    let mut rig = Rig::new(producer(Acks::All), move |port, request| match request {
        RequestKind::Metadata(_) => {
            refreshed += 1;
            if refreshed == 1 { metadata(1, 0) } else { metadata(2, 1) }
        }
        RequestKind::Produce(_) if port == 1 => {
            produced(ErrorCode::NotLeaderOrFollower.code(), -1)
        }
        RequestKind::Produce(_) => produced(0, 3),
        _ => Reply::Silence,
    });
    rig.client.send(rig.now, record("k"));
    rig.run_until(5_000);
    assert_eq!(acked(&rig.facts), [Some(Offset(3))]);
    assert_eq!(attempts(&rig.facts), [0, 1]);
}

#[test]
fn a_lost_connection_is_tried_again_and_the_batch_keeps_its_identity() {
    let mut resets = 0;
    let mut rig = Rig::new(producer(Acks::All), move |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        RequestKind::Produce(_) if resets < 2 => {
            resets += 1;
            Reply::Reset
        }
        RequestKind::Produce(_) => produced(0, 0),
        _ => Reply::Silence,
    });
    rig.client.send(rig.now, record("k"));
    rig.run_until(10_000);
    assert_eq!(attempts(&rig.facts), [0, 1, 2]);
    let sent: Vec<_> = rig
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::BatchSent { batch, .. } | Fact::BatchAcked { batch, .. } => Some(batch),
            _ => None,
        })
        .collect();
    assert!(sent.windows(2).all(|pair| pair[0] == pair[1]) && sent.len() == 4);
}

#[test]
fn a_silent_broker_costs_the_connection_and_in_the_end_the_record() {
    let mut rig = Rig::new(producer(Acks::All), |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        _ => Reply::Silence,
    });
    rig.client.send(rig.now, record("k"));
    rig.run_until(130_000);
    let failed = rig.facts.iter().any(|fact| matches!(fact, Fact::BatchFailed { .. }));
    assert!(failed && rig.client.pending() == 0, "{:?}", rig.facts);
    assert!(attempts(&rig.facts).len() >= 3);
}

#[test]
fn an_error_that_no_retry_mends_fails_at_once() {
    let mut rig = Rig::new(producer(Acks::All), |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        _ => produced(ErrorCode::MessageTooLarge.code(), -1),
    });
    rig.client.send(rig.now, record("k"));
    rig.run_until(1_000);
    assert!(matches!(
        rig.facts.last(),
        Some(Fact::BatchFailed { error: ErrorCode::MessageTooLarge, .. })
    ));
}

#[test]
fn acks_0_waits_for_nobody() {
    let mut rig = Rig::new(producer(Acks::None), |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        _ => Reply::Silence,
    });
    rig.client.send(rig.now, record("k"));
    rig.run_until(60_000);
    assert_eq!(acked(&rig.facts), [None]);
    assert_eq!(attempts(&rig.facts), [0]);
}

#[test]
fn a_dead_bootstrap_server_is_dialled_again_with_growing_pauses() {
    let mut rig = Rig::new(producer(Acks::All), |_, _| Reply::Silence);
    rig.dead = vec![1];
    rig.client.send(rig.now, record("k"));
    rig.run_until(10_000);
    assert_eq!(rig.client.pending(), 1, "the record still waits for its topic");
    rig.run_until(121_000);
    assert_eq!(rig.client.pending(), 0, "and is given up after delivery.timeout.ms");
}

#[test]
fn a_consumer_finds_its_start_and_reads_on() {
    let mut rig = Rig::new(consumer(), |_, request| match request {
        RequestKind::Metadata(_) => metadata(2, 0),
        RequestKind::ListOffsets(_) => listed(4),
        RequestKind::Fetch(fetch) => match fetch.topics[0].partitions[0].fetch_offset {
            at @ 4..6 => fetched(0, Some(at)),
            _ => Reply::Silence,
        },
        _ => Reply::Silence,
    });
    rig.client.assign(rig.now, [partition()]);
    rig.run_until(1_000);
    assert_eq!(rig.client.position(&partition()), Some(Offset(6)));
    let polled: Vec<_> = rig
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Polled { base, next, .. } => Some((base.0, next.0)),
            _ => None,
        })
        .collect();
    assert_eq!(polled, [(4, 5), (5, 6)]);
}

#[test]
fn a_consumer_follows_the_leader() {
    let mut refreshed = 0;
    let mut rig = Rig::new(consumer(), move |port, request| match request {
        RequestKind::Metadata(_) => {
            refreshed += 1;
            if refreshed == 1 { metadata(1, 0) } else { metadata(2, 1) }
        }
        RequestKind::ListOffsets(_) => listed(0),
        RequestKind::Fetch(_) if port == 1 => {
            fetched(ErrorCode::NotLeaderOrFollower.code(), None)
        }
        RequestKind::Fetch(fetch) => match fetch.topics[0].partitions[0].fetch_offset {
            0 => fetched(0, Some(0)),
            _ => Reply::Silence,
        },
        _ => Reply::Silence,
    });
    rig.client.assign(rig.now, [partition()]);
    rig.run_until(5_000);
    assert_eq!(rig.client.position(&partition()), Some(Offset(1)));
}

#[test]
fn an_offset_out_of_range_starts_the_search_again() {
    let mut asked = 0;
    let mut rig = Rig::new(consumer(), move |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        RequestKind::ListOffsets(_) => {
            asked += 1;
            listed(if asked == 1 { 0 } else { 500 })
        }
        RequestKind::Fetch(fetch) => match fetch.topics[0].partitions[0].fetch_offset {
            0 => fetched(ErrorCode::OffsetOutOfRange.code(), None),
            _ => Reply::Silence,
        },
        _ => Reply::Silence,
    });
    rig.client.assign(rig.now, [partition()]);
    rig.run_until(5_000);
    assert_eq!(rig.client.position(&partition()), Some(Offset(500)));
}

#[test]
fn garbage_in_a_fetch_is_not_handed_on() {
    let mut rig = Rig::new(consumer(), |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        RequestKind::ListOffsets(_) => listed(0),
        RequestKind::Fetch(_) => {
            let mut partition = PartitionData::default();
            partition.records = Some(vec![0xff; 100].into());
            let mut topic = FetchableTopicResponse::default();
            topic.topic = orders();
            topic.partitions = vec![partition];
            let mut response = FetchResponse::default();
            response.responses = vec![topic];
            Reply::Answer(Box::new(ResponseKind::Fetch(response)))
        }
        _ => Reply::Silence,
    });
    rig.client.assign(rig.now, [partition()]);
    rig.run_until(100);
    assert_eq!(rig.client.position(&partition()), Some(Offset(0)));
    assert!(!rig.facts.iter().any(|fact| matches!(fact, Fact::Polled { .. })));
}
