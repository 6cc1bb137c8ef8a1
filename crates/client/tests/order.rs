//! Order, and answers that come too late: the clients against brokers that break off.

mod rig;

use rig::*;
use topomotion_client::{Idempotence, Producer, ProducerConfig, ProducerRecord};
use topomotion_wire::messages::RequestKind;
use topomotion_wire::{Acks, BatchId, Duration, Fact, Offset, Random};

/// Batches in the order in which they were sent: identity and attempt.
fn sent(facts: &[Fact]) -> Vec<(BatchId, u32)> {
    let sent = facts.iter().filter_map(|fact| match fact {
        Fact::BatchSent { batch, attempt, .. } => Some((*batch, *attempt)),
        _ => None,
    });
    sent.collect()
}

fn one_by_one() -> Producer {
    let config = ProducerConfig {
        linger: Duration::ZERO,
        batch_size: 1,
        idempotence: Idempotence::Off,
        ..ProducerConfig::new(common())
    };
    Producer::new(config, Random::new(1, 1))
}

fn numbered(value: &'static str) -> ProducerRecord {
    ProducerRecord { partition: Some(0), value: Some(value.into()), ..record("k") }
}

#[test]
fn batches_of_one_partition_leave_without_waiting_for_one_another() {
    let mut rig = Rig::new(one_by_one(), |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        _ => Reply::Silence,
    });
    for value in ["1", "2", "3", "4", "5", "6", "7"] {
        rig.client.send(rig.now, numbered(value));
    }
    rig.run_until(1_000);
    assert_eq!(sent(&rig.facts).len(), 5, "max.in.flight.requests.per.connection");
}

#[test]
fn what_comes_back_from_a_broken_connection_is_sent_again_in_order() {
    let mut produced_so_far = 0;
    let mut rig = Rig::new(one_by_one(), move |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        RequestKind::Produce(_) => {
            produced_so_far += 1;
            match produced_so_far {
                // These answers are still being made when the connection breaks.
                1..=2 => match produced(0, -1) {
                    Reply::Answer(body) => {
                        Reply::After(Duration::from_millis(60_000), body)
                    }
                    reply => reply,
                },
                3 => Reply::Reset,
                at => produced(0, at - 4),
            }
        }
        _ => Reply::Silence,
    });
    for value in ["1", "2", "3"] {
        rig.client.send(rig.now, numbered(value));
    }
    rig.run_until(10_000);
    let sent = sent(&rig.facts);
    let (first, again): (Vec<_>, Vec<_>) =
        sent.iter().partition(|(_, attempt)| *attempt == 0);
    let ids =
        |tries: &[(BatchId, u32)]| tries.iter().map(|(id, _)| *id).collect::<Vec<_>>();
    assert_eq!(first.len(), 3);
    assert_eq!(ids(&first), ids(&again), "the same order as before");
    assert_eq!(acked(&rig.facts), [0, 1, 2].map(|base| Some(Offset(base))));
}

#[test]
fn a_batch_that_waits_for_its_retry_holds_back_those_behind_it() {
    let mut refused = 0;
    let mut rig = Rig::new(one_by_one(), move |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        RequestKind::Produce(_) if refused == 0 => {
            refused = 1;
            produced(topomotion_wire::ErrorCode::NotEnoughReplicas.code(), -1)
        }
        RequestKind::Produce(_) => produced(0, 0),
        _ => Reply::Silence,
    });
    rig.client.send(rig.now, numbered("1"));
    rig.run_until(20);
    let first = sent(&rig.facts)[0].0;
    rig.client.send(rig.now, numbered("2"));
    rig.run_until(5_000);
    let sent = sent(&rig.facts);
    assert_eq!(sent.len(), 3);
    assert_eq!((sent[1], sent[2].1), ((first, 1), 0));
}

#[test]
fn an_answer_for_a_place_that_was_left_is_not_taken() {
    let mut rig = Rig::new(consumer(), |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        RequestKind::ListOffsets(_) => listed(10),
        RequestKind::Fetch(fetch) => match fetch.topics[0].partitions[0].fetch_offset {
            at @ (10 | 3) => fetched(0, Some(at)),
            _ => Reply::Silence,
        },
        _ => Reply::Silence,
    });
    rig.client.assign(rig.now, [partition()]);
    while !rig.requests.iter().any(|(_, body)| matches!(body, RequestKind::Fetch(_))) {
        let next = rig.now.as_millis() + 1;
        rig.run_until(next);
    }
    rig.client.seek(rig.now, &partition(), Offset(3));
    rig.run_until(1_000);
    let polled = rig.facts.iter().filter_map(|fact| match fact {
        Fact::Polled { base, .. } => Some(base.0),
        _ => None,
    });
    assert_eq!(polled.collect::<Vec<_>>(), [3]);
    assert_eq!(rig.client.position(&partition()), Some(Offset(4)));
}

#[test]
fn a_topic_that_was_created_anew_begins_its_epochs_anew() {
    let mut asked = 0;
    let mut rig = Rig::new(producer(Acks::All), move |port, request| match request {
        RequestKind::Metadata(_) => {
            asked += 1;
            if asked == 1 { metadata_of(1, 1, 9) } else { metadata_of(2, 2, 0) }
        }
        RequestKind::Produce(_) if port == 1 => {
            produced(topomotion_wire::ErrorCode::NotLeaderOrFollower.code(), -1)
        }
        RequestKind::Produce(_) => produced(0, 0),
        _ => Reply::Silence,
    });
    rig.client.send(rig.now, record("k"));
    rig.run_until(5_000);
    assert_eq!(acked(&rig.facts), [Some(Offset(0))]);
}
