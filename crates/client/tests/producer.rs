//! The producer inside: partitions, batches, memory, flush, close, and what errors mean.

#![allow(clippy::field_reassign_with_default)]

mod rig;

use rig::*;
use topomotion_client::{PartitionerClass, Producer, partition_for_key};
use topomotion_wire::messages::{
    ApiKey, BrokerId, ProduceRequest, RequestKind, ResponseKind,
};
use topomotion_wire::{BatchCause, ClientDeed, Duration, ErrorCode, Fact, Instant, Rule};

/// A topic with three partitions on two brokers, that takes everything.
fn agreeable(_: u16, request: &RequestKind) -> Reply {
    match request {
        RequestKind::Metadata(_) => topic(1, &[(1, 0), (1, 0), (2, 0)]),
        RequestKind::Produce(produce) => all_produced(produce, 0),
        _ => Reply::Silence,
    }
}

fn produces(requests: &[(u16, RequestKind)]) -> Vec<(u16, &ProduceRequest)> {
    let produces = requests.iter().filter_map(|(port, body)| match body {
        RequestKind::Produce(produce) => Some((*port, produce)),
        _ => None,
    });
    produces.collect()
}

/// The value of each record by partition, in the order of the requests.
fn written(requests: &[(u16, RequestKind)]) -> Vec<(i32, Vec<String>)> {
    produces(requests).into_iter().flat_map(|(_, produce)| values_in(produce)).collect()
}

fn causes(facts: &[Fact]) -> Vec<BatchCause> {
    let causes = deeds(facts).into_iter().filter_map(|deed| match deed {
        ClientDeed::BatchReady { cause, .. } => Some(cause),
        _ => None,
    });
    causes.collect()
}

fn failures(facts: &[Fact]) -> Vec<ErrorCode> {
    let failures = facts.iter().filter_map(|fact| match fact {
        Fact::BatchFailed { error, .. } => Some(*error),
        _ => None,
    });
    failures.collect()
}

#[test]
fn records_with_the_same_key_go_to_the_partition_of_its_hash() {
    let mut rig = Rig::new(producer_with(|_| {}), agreeable);
    for key in ["21", "foobar", "21"] {
        rig.client.send(rig.now, record(key));
    }
    rig.run_until(1_000);
    let mut counts = [0; 3];
    for (partition, values) in written(&rig.requests) {
        counts[partition as usize] += values.len();
    }
    let mut wanted = [0; 3];
    for key in ["21", "foobar", "21"] {
        wanted[partition_for_key(key.as_bytes(), 3) as usize] += 1;
    }
    assert_eq!(counts, wanted);
    assert!(rig.marks.contains(&Rule::Prd1) && rig.marks.contains(&Rule::Prd2));
}

#[test]
fn records_without_a_key_share_a_partition_until_a_batch_is_full() {
    let client = producer_with(|config| config.batch_size = 1_000);
    let mut rig = Rig::new(client, agreeable);
    for _ in 0..60 {
        rig.client.send(rig.now, plain(None, vec![b'x'; 90]));
    }
    rig.run_until(1_000);
    let written = written(&rig.requests);
    let sizes: Vec<usize> = written.iter().map(|(_, values)| values.len()).collect();
    let unfilled = sizes.iter().filter(|&&size| size < 9).count();
    assert!(unfilled <= 1, "only the last batch is not full: {sizes:?}");
    let sticks = deeds(&rig.facts);
    let sticks = sticks.iter().filter(|deed| matches!(deed, ClientDeed::Sticks)).count();
    assert!((2..=5).contains(&sticks), "it changes with the batches: {sticks}");
    assert_eq!(rig.client.pending(), 0);
}

#[test]
fn the_round_robin_partitioner_spreads_record_by_record() {
    let client = producer_with(|config| {
        config.partitioner = PartitionerClass::RoundRobin;
    });
    let mut rig = Rig::new(client, agreeable);
    for _ in 0..6 {
        rig.client.send(rig.now, record("the same key"));
    }
    rig.run_until(1_000);
    let mut written = written(&rig.requests);
    written.sort();
    let sizes: Vec<(i32, usize)> =
        written.iter().map(|(partition, values)| (*partition, values.len())).collect();
    assert_eq!(sizes, [(0, 2), (1, 2), (2, 2)]);
}

#[test]
fn a_batch_never_outgrows_its_size_unless_one_record_does() {
    let client = producer_with(|config| config.batch_size = 500);
    let mut rig = Rig::new(client, agreeable);
    for length in [100, 100, 100, 100, 100, 900, 100] {
        rig.client.send(rig.now, plain(Some(0), vec![b'x'; length]));
    }
    rig.run_until(1_000);
    for (_, values) in written(&rig.requests) {
        let length: usize = values.iter().map(String::len).sum();
        assert!(length <= 500 || values.len() == 1, "{length} in {}", values.len());
    }
    assert_eq!(causes(&rig.facts)[0], BatchCause::Full);
    assert_eq!(rig.client.pending(), 0);
}

#[test]
fn a_full_batch_leaves_alone_and_the_one_behind_it_goes_on_filling() {
    let client = producer_with(|config| {
        (config.batch_size, config.linger) = (500, Duration::from_millis(20));
    });
    let mut rig = Rig::new(client, agreeable);
    rig.client.warm_up(rig.now, &"orders".into());
    rig.run_until(100);
    for _ in 0..7 {
        rig.client.send(rig.now, plain(Some(0), vec![b'x'; 100]));
    }
    rig.run_until(1_000);
    let written = written(&rig.requests);
    let sizes: Vec<usize> = written.iter().map(|(_, values)| values.len()).collect();
    assert_eq!(sizes, [4, 3]);
    assert_eq!(causes(&rig.facts), [BatchCause::Full, BatchCause::Linger]);
}

#[test]
fn one_request_carries_the_batches_of_all_partitions_of_its_broker() {
    let client = producer_with(|config| config.linger = Duration::from_millis(20));
    let mut rig = Rig::new(client, agreeable);
    rig.client.warm_up(rig.now, &"orders".into());
    rig.run_until(100);
    rig.client.send(rig.now, plain(Some(0), "first"));
    rig.run_until(110);
    rig.client.send(rig.now, plain(Some(1), "company"));
    rig.run_until(1_000);
    let produces = produces(&rig.requests);
    assert_eq!(produces.len(), 1, "partition 1 goes along before its own linger.ms");
    let both = [(0, vec!["first".to_owned()]), (1, vec!["company".to_owned()])];
    assert_eq!(values_in(produces[0].1), both);
    assert_eq!(causes(&rig.facts), [BatchCause::Linger, BatchCause::Company]);
}

#[test]
fn a_request_is_no_larger_than_max_request_size_and_nobody_starves() {
    let client = producer_with(|config| config.max_request_size = 1_000);
    let mut rig = Rig::new(client, agreeable);
    for partition in [0, 1, 0, 1] {
        rig.client.send(rig.now, plain(Some(partition), vec![b'x'; 400]));
    }
    rig.run_until(1_000);
    let produces = produces(&rig.requests);
    assert_eq!(produces.len(), 2);
    for (_, produce) in &produces {
        let records = values_in(produce);
        let length: usize = records.iter().flat_map(|(_, it)| it).map(String::len).sum();
        assert!(length <= 1_000);
    }
    assert_eq!(rig.client.pending(), 0);
}

#[test]
fn a_record_larger_than_max_request_size_fails_at_once() {
    let mut rig = Rig::new(producer_with(|_| {}), agreeable);
    rig.client.send(rig.now, plain(Some(0), vec![b'x'; 2 << 20]));
    rig.run_until(100);
    assert_eq!(failures(&rig.facts), [ErrorCode::MessageTooLarge]);
    assert_eq!(rig.client.pending(), 0);
}

#[test]
fn a_batch_that_the_broker_finds_too_large_is_split_and_sent_again() {
    let too_large = ErrorCode::MessageTooLarge.code();
    let mut rig = Rig::new(producer_with(|_| {}), move |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        RequestKind::Produce(produce) => {
            let records: usize = values_in(produce).iter().map(|(_, it)| it.len()).sum();
            all_produced(produce, if records > 2 { too_large } else { 0 })
        }
        _ => Reply::Silence,
    });
    for value in ["1", "2", "3", "4", "5"] {
        rig.client.send(rig.now, plain(Some(0), value));
    }
    rig.run_until(5_000);
    assert_eq!(rig.client.pending(), 0);
    assert!(failures(&rig.facts).is_empty());
    assert!(
        deeds(&rig.facts).iter().any(|it| matches!(it, ClientDeed::BatchSplit { .. }))
    );
    let kept = written(&rig.requests).into_iter().filter(|(_, values)| values.len() <= 2);
    let order: Vec<String> = kept.flat_map(|(_, values)| values).collect();
    assert_eq!(order, ["1", "2", "3", "4", "5"]);
    assert_eq!(rig.client.memory(), 0, "all of it is given back");
}

#[test]
fn records_wait_for_memory_in_their_order_and_batches_leave_early_for_it() {
    let client = producer_with(|config| {
        config.batch_size = 1_000;
        config.buffer_memory = 2_000;
        config.linger = Duration::from_millis(60_000);
    });
    let mut rig = Rig::new(client, agreeable);
    rig.watch = |client: &Producer| assert!(client.memory() <= 2_000);
    rig.client.warm_up(rig.now, &"orders".into());
    rig.run_until(100);
    for (number, partition) in (0..).zip([0, 1, 2, 0, 1, 2]) {
        rig.client.send(rig.now, plain(Some(partition), format!("{number}")));
    }
    rig.run_until(1_000);
    assert!(deeds(&rig.facts).contains(&ClientDeed::Blocked));
    assert!(causes(&rig.facts).contains(&BatchCause::Memory));
    let mut waiting: Vec<String> =
        written(&rig.requests).into_iter().flat_map(|(_, values)| values).collect();
    waiting.sort();
    assert_eq!(waiting[..2], ["0", "1"], "they made room for the others");
    rig.client.flush(rig.now);
    rig.run_until(2_000);
    assert_eq!(rig.client.pending(), 0);
}

#[test]
fn who_waits_longer_than_max_block_ms_for_memory_or_metadata_fails() {
    let client = producer_with(|config| {
        (config.batch_size, config.buffer_memory) = (1_000, 1_000);
    });
    let mut rig = Rig::new(client, |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        _ => Reply::Silence,
    });
    rig.client.send(rig.now, plain(Some(0), vec![b'x'; 900]));
    rig.client.send(rig.now, plain(Some(0), vec![b'x'; 900]));
    rig.client.send(rig.now, plain(Some(7), "no such partition"));
    rig.run_until(61_000);
    let errors = [ErrorCode::RequestTimedOut, ErrorCode::UnknownTopicOrPartition];
    assert_eq!(failures(&rig.facts), errors);
    assert_eq!(rig.client.pending(), 1, "the first is still being tried");
}

#[test]
fn flush_does_not_wait_for_linger_and_ends_with_the_last_verdict() {
    let client = producer_with(|config| config.linger = Duration::from_millis(10_000));
    let mut rig = Rig::new(client, agreeable);
    rig.client.warm_up(rig.now, &"orders".into());
    rig.client.send(rig.now, plain(Some(0), "a"));
    rig.run_until(100);
    assert!(produces(&rig.requests).is_empty());
    rig.client.flush(rig.now);
    assert!(rig.client.is_flushing());
    rig.run_until(200);
    assert!(!rig.client.is_flushing());
    assert_eq!((rig.client.pending(), causes(&rig.facts)), (0, vec![BatchCause::Flush]));
    rig.client.send(rig.now, plain(Some(0), "b"));
    rig.run_until(1_000);
    assert_eq!(produces(&rig.requests).len(), 1, "the flush is over");
}

#[test]
fn close_delivers_what_there_is_closes_connections_and_takes_nothing_more() {
    let mut rig = Rig::new(producer_with(|_| {}), agreeable);
    rig.client.send(rig.now, plain(Some(0), "a"));
    rig.client.close(rig.now);
    rig.run_until(1_000);
    assert!(rig.client.is_closed() && rig.closed > 0);
    assert_eq!(acked(&rig.facts).len(), 1);
    rig.client.send(rig.now, plain(Some(0), "b"));
    rig.run_until(2_000);
    assert_eq!(failures(&rig.facts).len(), 1);
    assert_eq!(rig.client.pending(), 0);
}

#[test]
fn with_one_request_in_flight_a_partition_is_muted_until_the_answer() {
    let client = producer_with(|config| {
        (config.max_in_flight, config.batch_size) = (1, 1);
        config.linger = Duration::ZERO;
    });
    let mut rig = Rig::new(client, |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        _ => Reply::Silence,
    });
    for value in ["1", "2", "3"] {
        rig.client.send(rig.now, plain(Some(0), value));
    }
    rig.run_until(1_000);
    assert_eq!(attempts(&rig.facts), [0]);
}

#[test]
fn an_in_flight_batch_is_given_up_at_the_delivery_timeout() {
    let client = producer_with(|config| {
        config.delivery_timeout = Duration::from_millis(35_000);
    });
    let mut rig = Rig::new(client, |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        _ => Reply::Silence,
    });
    rig.client.send(rig.now, plain(Some(0), "a"));
    rig.run_until(34_990);
    assert_eq!((rig.client.pending(), attempts(&rig.facts).len()), (1, 2));
    rig.run_until(35_100);
    assert_eq!(failures(&rig.facts), [ErrorCode::RequestTimedOut]);
    assert_eq!((rig.client.pending(), rig.client.memory()), (0, 0));
}

#[test]
fn retries_end_the_tries_where_they_are_set() {
    let error = ErrorCode::NotEnoughReplicas.code();
    let client = producer_with(|config| config.retries = 2);
    let mut rig = Rig::new(client, move |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        _ => produced(error, -1),
    });
    rig.client.send(rig.now, plain(Some(0), "a"));
    rig.run_until(10_000);
    assert_eq!(attempts(&rig.facts), [0, 1, 2]);
    assert_eq!(failures(&rig.facts), [ErrorCode::NotEnoughReplicas]);
}

#[test]
fn pauses_between_retries_double_up_to_a_second_give_or_take_a_fifth() {
    let error = ErrorCode::NotEnoughReplicas.code();
    let mut rig = Rig::new(producer_with(|_| {}), move |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        _ => produced(error, -1),
    });
    rig.client.send(rig.now, plain(Some(0), "a"));
    rig.run_until(10_000);
    let sent = rig.requests.iter().zip(&rig.times);
    let sent: Vec<Instant> = sent
        .filter(|((_, body), _)| matches!(body, RequestKind::Produce(_)))
        .map(|(_, time)| *time)
        .collect();
    for (pair, plain) in sent.windows(2).zip([100_000, 200_000, 400_000, 800_000]) {
        let pause = (pair[1] - pair[0]).0 - 2 * LATENCY.0;
        let most = (plain * 12 / 10).min(1_000_000);
        assert!((plain * 8 / 10..=most).contains(&pause), "{pause} for {plain}");
    }
}

#[test]
fn a_leader_named_in_the_error_is_tried_without_a_pause() {
    let mut rig = Rig::new(producer_with(|_| {}), |port, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        RequestKind::Produce(_) if port == 1 => {
            let Reply::Answer(mut body) =
                produced(ErrorCode::NotLeaderOrFollower.code(), -1)
            else {
                unreachable!()
            };
            if let ResponseKind::Produce(response) = &mut *body {
                let told = &mut response.responses[0].partition_responses[0];
                told.current_leader.leader_id = BrokerId(2);
                told.current_leader.leader_epoch = 1;
            }
            Reply::Answer(body)
        }
        RequestKind::Produce(_) => produced(0, 5),
        _ => Reply::Silence,
    });
    rig.client.send(rig.now, plain(Some(0), "a"));
    rig.run_until(60);
    assert_eq!(acked(&rig.facts).len(), 1, "KIP-951: well before retry.backoff.ms");
}

#[test]
fn a_broker_without_the_api_fails_the_record_instead_of_being_asked_for_ever() {
    let mut rig = Rig::new(producer_with(|_| {}), agreeable);
    rig.offers = |api| api != ApiKey::Produce;
    rig.client.send(rig.now, plain(Some(0), "a"));
    rig.run_until(1_000);
    assert_eq!(failures(&rig.facts), [ErrorCode::UnsupportedVersion]);
}
