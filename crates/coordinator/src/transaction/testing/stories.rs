//! Rule by rule, as little stories.

use topomotion_wire::messages::{
    DescribeTransactionsRequest, ListTransactionsRequest, RequestKind, ResponseKind,
    TransactionalId,
};
use topomotion_wire::{
    Duration, ErrorCode, NodeId, ProducerEpoch, ProducerId, Rule, StrBytes,
    TransactionState as S,
};

use super::super::records::{encode_key, encode_value};
use super::super::state::Transaction;
use super::rig::{
    Flow, Rig, Verify, add_by_client, add_for_broker, add_offsets, end, init,
};
use crate::{Control, Shard, Stamp, TransactionConfig, TransactionVersion};

fn rig() -> Rig {
    Rig::new(TransactionConfig::default())
}

fn rig_of(version: TransactionVersion) -> Rig {
    Rig::new(TransactionConfig { version, ..TransactionConfig::default() })
}

fn stamp(producer: i64, epoch: i16) -> Stamp {
    Stamp { producer: ProducerId(producer), epoch: ProducerEpoch(epoch) }
}

/// A rig in which `pay` is this, durably.
fn rig_with(transaction: Transaction) -> Rig {
    let mut rig = rig();
    let value = encode_value(&transaction, TransactionVersion::V2);
    rig.log.push((encode_key("pay"), Some(value)));
    rig.high_watermark = 1;
    rig.fail_over();
    rig
}

#[test]
fn a_new_producer_gets_an_id_in_epoch_0() {
    let mut rig = rig();
    assert_eq!(rig.init("pay"), Ok(stamp(1, 0)));
    assert_eq!(rig.init("ship"), Ok(stamp(2, 0)));
    assert_eq!(rig.state("pay"), Some(S::Empty));
    assert_eq!(rig.marks, [Rule::Prd3, Rule::Prd3]);
}

#[test]
fn whoever_begins_again_gets_the_next_epoch() {
    let mut rig = rig();
    rig.init("pay").unwrap();
    assert_eq!(rig.init("pay"), Ok(stamp(1, 1)));
    assert_eq!(
        rig.end("pay", stamp(1, 0), Control::Abort),
        Err(ErrorCode::ProducerFenced)
    );
    assert!(rig.marks.contains(&Rule::Txn2));
}

#[test]
fn an_old_version_hears_of_an_invalid_epoch() {
    let mut rig = rig_of(TransactionVersion::V0);
    rig.init("pay").unwrap();
    rig.init("pay").unwrap();
    let ticket = rig.ask(1, end("pay", stamp(1, 0), Control::Commit));
    assert_eq!(rig.told(ticket), Some(Err(ErrorCode::InvalidProducerEpoch)));
}

#[test]
fn an_answer_waits_for_the_high_watermark() {
    let mut rig = rig();
    rig.log_flow = Flow::Held;
    let ticket = rig.ask(4, init("pay", None));
    assert_eq!(rig.told(ticket), None);
    let second = rig.ask(4, init("pay", None));
    assert_eq!(rig.told(second), Some(Err(ErrorCode::ConcurrentTransactions)));
    assert_eq!(rig.state("pay"), None, "nothing is durable");
    rig.commit_next();
    assert_eq!(rig.told(ticket), Some(Ok(stamp(1, 0))));
}

#[test]
fn a_refused_append_changes_nothing() {
    let mut rig = rig();
    rig.append_error = Some(ErrorCode::NotEnoughReplicas);
    assert_eq!(rig.init("pay"), Err(ErrorCode::CoordinatorNotAvailable));
    rig.append_error = Some(ErrorCode::NotLeaderOrFollower);
    assert_eq!(rig.init("pay"), Err(ErrorCode::NotCoordinator));
    rig.append_error = None;
    assert!(rig.init("pay").is_ok());
    assert_eq!(rig.log.len(), 1);
}

#[test]
fn a_used_up_block_of_ids_makes_the_client_come_again() {
    let mut rig = rig();
    rig.map.is_dry.set(true);
    assert_eq!(rig.init("pay"), Err(ErrorCode::CoordinatorLoadInProgress));
    rig.map.is_dry.set(false);
    assert_eq!(rig.init("pay"), Ok(stamp(1, 0)));
}

#[test]
fn a_timeout_is_no_longer_than_the_brokers() {
    let config = TransactionConfig {
        max_timeout: Duration::from_millis(59_999),
        ..TransactionConfig::default()
    };
    let mut rig = Rig::new(config);
    assert_eq!(rig.init("pay"), Err(ErrorCode::InvalidTransactionTimeout));
    assert_eq!(rig.init(""), Err(ErrorCode::InvalidRequest));
}

#[test]
fn a_commit_reaches_every_leader_and_completes() {
    let mut rig = rig();
    let one = rig.init("pay").unwrap();
    rig.add("pay", one, &[("a", 0), ("a", 1), ("b", 0)]).unwrap();
    rig.marker_flow = Flow::Held;
    let two = rig.end("pay", one, Control::Commit).unwrap();
    assert_eq!(two, stamp(1, 1), "the end raises the epoch, and is answered at once");
    assert_eq!(rig.state("pay"), Some(S::PrepareCommit));
    let to: Vec<NodeId> = rig.markers.iter().map(|(to, _)| *to).collect();
    assert_eq!(to, [NodeId(1), NodeId(2)], "one request per broker");
    rig.deliver_next();
    assert_eq!(rig.state("pay"), Some(S::PrepareCommit), "b-0 has none yet");
    rig.deliver_next();
    rig.settle();
    assert_eq!(rig.state("pay"), Some(S::CompleteCommit));
    for (topic, index) in [("a", 0), ("a", 1), ("b", 0)] {
        assert_eq!(rig.markers_of(topic, index), [(two, Control::Commit)]);
    }
    let told = [S::Empty, S::Ongoing, S::PrepareCommit, S::CompleteCommit];
    assert_eq!(rig.told_states("pay"), told);
    let marks = [Rule::Txn1, Rule::Txn3, Rule::Txn4, Rule::Txn5];
    assert!(marks.iter().all(|rule| rig.marks.contains(rule)));
}

#[test]
fn an_end_is_answered_once_the_decision_is_durable() {
    let mut rig = rig();
    let one = rig.init("pay").unwrap();
    rig.add("pay", one, &[("a", 0)]).unwrap();
    rig.log_flow = Flow::Held;
    let ticket = rig.ask(5, end("pay", one, Control::Commit));
    assert_eq!(rig.told(ticket), None);
    assert!(rig.markers.is_empty(), "no marker before the decision is durable");
    rig.commit_next();
    assert_eq!(rig.told(ticket), Some(Ok(stamp(1, 1))));
    assert_eq!(rig.markers.len(), 1);
}

#[test]
fn an_end_asked_for_again_is_known_by_the_epoch_before() {
    let mut rig = rig();
    let one = rig.init("pay").unwrap();
    rig.add("pay", one, &[("a", 0)]).unwrap();
    rig.marker_flow = Flow::Held;
    let two = rig.end("pay", one, Control::Commit).unwrap();
    let early = rig.end("pay", one, Control::Commit);
    assert_eq!(early, Err(ErrorCode::ConcurrentTransactions));
    rig.deliver_next();
    rig.settle();
    assert_eq!(rig.end("pay", one, Control::Commit), Ok(two));
    assert_eq!(rig.end("pay", one, Control::Abort), Err(ErrorCode::InvalidTxnState));
    rig.fail_over();
    assert_eq!(rig.end("pay", one, Control::Commit), Ok(two), "another coordinator too");
    rig.add("pay", two, &[("a", 0)]).unwrap();
    let late = rig.end("pay", one, Control::Commit);
    assert_eq!(late, Err(ErrorCode::ProducerFenced), "it never ends the next one");
}

#[test]
fn a_delayed_end_of_the_first_protocol_ends_the_next_transaction() {
    let mut rig = rig_of(TransactionVersion::V1);
    let one = rig.init("pay").unwrap();
    for control in [Control::Abort, Control::Commit] {
        let ticket = rig.ask(3, add_by_client("pay", one, &[("a", 0)]));
        assert!(matches!(rig.told(ticket), Some(Ok(_))));
        // The commit was meant for the first transaction, which the client gave up.
        let ticket = rig.ask(4, end("pay", one, control));
        assert!(matches!(rig.told(ticket), Some(Ok(_))));
    }
    let taken = [(one, Control::Abort), (one, Control::Commit)];
    assert_eq!(rig.markers_of("a", 0), taken);
}

#[test]
fn an_older_era_raises_no_epoch_whatever_the_client_speaks() {
    let mut rig = rig_of(TransactionVersion::V1);
    let one = rig.init("pay").unwrap();
    rig.add("pay", one, &[("a", 0)]).unwrap();
    assert_eq!(rig.end("pay", one, Control::Commit), Ok(one));
    assert_eq!(rig.end("pay", one, Control::Commit), Ok(one), "a retry");
    assert_eq!(rig.end("pay", one, Control::Abort), Err(ErrorCode::InvalidTxnState));
}

#[test]
fn an_end_without_a_transaction_is_no_commit() {
    let mut rig = rig();
    let one = rig.init("pay").unwrap();
    assert_eq!(rig.end("pay", one, Control::Commit), Err(ErrorCode::InvalidTxnState));
    let ticket = rig.ask(4, end("pay", one, Control::Abort));
    assert_eq!(rig.told(ticket), Some(Err(ErrorCode::InvalidTxnState)));
    assert_eq!(
        rig.end("pay", one, Control::Abort),
        Ok(stamp(1, 1)),
        "only the epoch rises"
    );
    assert_eq!(rig.state("pay"), Some(S::CompleteAbort));
    assert_eq!(rig.end("pay", stamp(1, 1), Control::Abort), Ok(stamp(1, 2)));
}

#[test]
fn nobody_ends_what_is_not_theirs() {
    let mut rig = rig();
    let wrong = Err(ErrorCode::InvalidProducerIdMapping);
    assert_eq!(rig.end("pay", stamp(1, 0), Control::Commit), wrong);
    rig.init("pay").unwrap();
    assert_eq!(rig.end("pay", stamp(9, 0), Control::Commit), wrong);
    assert_eq!(
        rig.end("pay", stamp(1, 1), Control::Abort),
        Err(ErrorCode::ProducerFenced)
    );
    assert_eq!(rig.add("pay", stamp(9, 0), &[("a", 0)]), wrong);
    let old = rig.add("pay", stamp(1, 7), &[("a", 0)]);
    assert_eq!(old, Err(ErrorCode::ProducerFenced));
}

#[test]
fn partitions_that_are_in_need_no_record() {
    let mut rig = rig();
    let one = rig.init("pay").unwrap();
    rig.add("pay", one, &[("a", 0)]).unwrap();
    let records = rig.log.len();
    rig.add("pay", one, &[("a", 0)]).unwrap();
    assert_eq!(rig.log.len(), records);
    rig.add("pay", one, &[("b", 0)]).unwrap();
    assert_eq!(rig.durable("pay").unwrap().partitions.len(), 2);
}

#[test]
fn a_partition_that_does_not_exist_keeps_all_out() {
    let mut rig = rig();
    let one = rig.init("pay").unwrap();
    let ask = add_by_client("pay", one, &[("a", 0), ("a", 7)]);
    let ticket = rig.ask(3, ask);
    let Some(ResponseKind::AddPartitionsToTxn(told)) = rig.answers.get(&ticket) else {
        panic!("an answer");
    };
    let topic = &told.results_by_topic_v3_and_below[0];
    let codes: Vec<i16> =
        topic.results_by_partition.iter().map(|it| it.partition_error_code).collect();
    let expected = [ErrorCode::OperationNotAttempted, ErrorCode::UnknownTopicOrPartition];
    assert_eq!(codes, expected.map(|error| error.code()));
    assert_eq!(rig.state("pay"), Some(S::Empty));
}

#[test]
fn a_broker_sees_whether_a_partition_is_in() {
    let mut rig = rig_of(TransactionVersion::V1);
    let one = rig.init("pay").unwrap();
    let ticket = rig.ask(3, add_by_client("pay", one, &[("a", 0)]));
    assert!(matches!(rig.told(ticket), Some(Ok(_))));
    let mut verify = |stamp, to| {
        let ticket = rig.ask(4, add_for_broker("pay", stamp, &[to], Verify::Only));
        rig.told(ticket).unwrap().map(|_| ())
    };
    assert_eq!(verify(one, ("a", 0)), Ok(()));
    assert_eq!(verify(one, ("b", 0)), Err(ErrorCode::TransactionAbortable));
    assert_eq!(verify(stamp(1, 4), ("a", 0)), Err(ErrorCode::ProducerFenced));
    let other = verify(stamp(8, 0), ("a", 0));
    assert_eq!(other, Err(ErrorCode::InvalidProducerIdMapping));
    rig.log_flow = Flow::Held;
    rig.ask(4, end("pay", one, Control::Commit));
    let ticket = rig.ask(4, add_for_broker("pay", one, &[("a", 0)], Verify::Only));
    assert_eq!(rig.told(ticket), Some(Err(ErrorCode::ConcurrentTransactions)));
}

#[test]
fn offsets_of_a_group_take_part_through_their_partition() {
    let mut rig = rig_of(TransactionVersion::V1);
    let one = rig.init("pay").unwrap();
    let ticket = rig.ask(3, add_offsets("pay", one, "billing"));
    assert!(matches!(rig.told(ticket), Some(Ok(_))));
    let ticket = rig.ask(4, end("pay", one, Control::Commit));
    assert!(matches!(rig.told(ticket), Some(Ok(_))));
    assert_eq!(rig.markers_of("__consumer_offsets", 0), [(one, Control::Commit)]);
}

#[test]
fn a_successor_aborts_what_its_predecessor_left_open() {
    let mut rig = rig();
    let one = rig.init("pay").unwrap();
    rig.add("pay", one, &[("a", 0)]).unwrap();
    rig.marker_flow = Flow::Held;
    assert_eq!(rig.init("pay"), Err(ErrorCode::ConcurrentTransactions));
    assert_eq!(rig.init("pay"), Err(ErrorCode::ConcurrentTransactions), "not done yet");
    rig.deliver_next();
    rig.settle();
    assert_eq!(rig.markers_of("a", 0), [(stamp(1, 1), Control::Abort)]);
    assert_eq!(rig.init("pay"), Ok(stamp(1, 2)));
    let zombie = rig.end("pay", one, Control::Commit);
    assert_eq!(zombie, Err(ErrorCode::ProducerFenced));
    let states = [S::Empty, S::Ongoing, S::PrepareAbort, S::CompleteAbort, S::Empty];
    assert_eq!(rig.told_states("pay"), states);
}

#[test]
fn a_producer_that_names_its_epoch_goes_on_unless_it_is_fenced() {
    let mut rig = rig();
    let one = rig.init("pay").unwrap();
    let mut bump = |has| {
        let ticket = rig.ask(4, init("pay", Some(has)));
        rig.told(ticket).unwrap()
    };
    assert_eq!(bump(one), Ok(stamp(1, 1)));
    assert_eq!(bump(one), Ok(stamp(1, 1)), "the same request again");
    assert_eq!(bump(stamp(1, 1)), Ok(stamp(1, 2)));
    assert_eq!(bump(one), Err(ErrorCode::ProducerFenced));
    assert_eq!(bump(stamp(5, 0)), Err(ErrorCode::ProducerFenced));
    rig.init("pay").unwrap();
    let ticket = rig.ask(4, init("pay", Some(stamp(1, 2))));
    let told = rig.told(ticket);
    assert_eq!(told, Some(Err(ErrorCode::ProducerFenced)), "somebody began since");
    assert!(rig.marks.contains(&Rule::Prd8));
}

#[test]
fn a_delayed_request_of_an_older_life_aborts_nothing() {
    let mut rig = rig();
    rig.init("pay").unwrap();
    let two = rig.init("pay").unwrap();
    rig.add("pay", two, &[("a", 0)]).unwrap();
    let ticket = rig.ask(4, init("pay", Some(stamp(1, 0))));
    assert_eq!(rig.told(ticket), Some(Err(ErrorCode::ProducerFenced)));
    assert_eq!(rig.state("pay"), Some(S::Ongoing));
}

#[test]
fn after_the_last_epoch_a_new_producer_id_begins() {
    let spent = Transaction {
        epoch: ProducerEpoch(i16::MAX - 1),
        ..Transaction::new(ProducerId(77), 60_000, 0)
    };
    let mut rig = rig_with(spent.clone());
    assert_eq!(rig.init("pay"), Ok(stamp(1, 0)));
    assert_eq!(rig.durable("pay").unwrap().previous_producer, Some(ProducerId(77)));

    let mut rig = rig_with(spent);
    let has = stamp(77, i16::MAX - 1);
    for _ in 0..2 {
        let ticket = rig.ask(4, init("pay", Some(has)));
        assert_eq!(rig.told(ticket), Some(Ok(stamp(1, 0))), "a retry gets the same id");
    }
}

#[test]
fn the_end_in_the_last_epoch_goes_on_with_a_new_id() {
    let mut rig = rig_with(Transaction {
        epoch: ProducerEpoch(i16::MAX - 1),
        ..Transaction::new(ProducerId(77), 60_000, 0)
    });
    let last = stamp(77, i16::MAX - 1);
    rig.add("pay", last, &[("a", 0)]).unwrap();
    rig.marker_flow = Flow::Held;
    assert_eq!(rig.end("pay", last, Control::Commit), Ok(stamp(1, 0)));
    let early = rig.add("pay", stamp(1, 0), &[("a", 0)]);
    assert_eq!(early, Err(ErrorCode::ConcurrentTransactions));
    rig.fail_over();
    rig.marker_flow = Flow::Free;
    rig.settle();
    let marker = (stamp(77, i16::MAX), Control::Commit);
    assert!(rig.markers_of("a", 0).contains(&marker), "the old id's last epoch ends it");
    assert_eq!(rig.end("pay", last, Control::Commit), Ok(stamp(1, 0)), "asked again");
    rig.add("pay", stamp(1, 0), &[("a", 0)]).unwrap();
}

#[test]
fn a_transaction_that_takes_too_long_is_aborted() {
    let mut rig = rig();
    rig.pass(3_000);
    let one = rig.init("pay").unwrap();
    rig.add("pay", one, &[("a", 0)]).unwrap();
    rig.pass(60_000);
    assert_eq!(rig.state("pay"), Some(S::Ongoing), "60 s are not over");
    rig.pass(10_000);
    assert_eq!(rig.state("pay"), Some(S::CompleteAbort));
    assert_eq!(rig.markers_of("a", 0), [(stamp(1, 1), Control::Abort)]);
    assert!(rig.marks.contains(&Rule::Txn11));
    let late = rig.end("pay", one, Control::Commit);
    assert_eq!(late, Err(ErrorCode::InvalidTxnState), "a commit of what was aborted");
    let late = rig.add("pay", one, &[("a", 0)]);
    assert_eq!(late, Err(ErrorCode::ProducerFenced));
}

#[test]
fn a_timeout_counts_on_at_the_next_coordinator() {
    let mut rig = rig();
    let one = rig.init("pay").unwrap();
    rig.add("pay", one, &[("a", 0)]).unwrap();
    rig.pass(55_000);
    rig.fail_over();
    rig.pass(10_000);
    assert_eq!(rig.state("pay"), Some(S::CompleteAbort));
}

#[test]
fn an_id_that_nobody_uses_is_forgotten() {
    let mut rig = rig();
    rig.init("pay").unwrap();
    let days = 24 * 3_600_000;
    rig.pass(7 * days - 1);
    assert_eq!(rig.state("pay"), Some(S::Empty));
    rig.pass(3_600_000);
    assert_eq!(rig.history().last().unwrap().1, None, "a tombstone");
    assert_eq!(rig.told_states("pay"), [S::Empty, S::Dead]);
    assert_eq!(rig.shard.deadline(), None, "nothing is left to do");
    rig.fail_over();
    assert_eq!(rig.init("pay"), Ok(stamp(2, 0)));
}

#[test]
fn a_new_coordinator_sends_the_markers_that_are_due() {
    let mut rig = rig();
    let one = rig.init("pay").unwrap();
    rig.add("pay", one, &[("a", 0), ("b", 0)]).unwrap();
    rig.marker_flow = Flow::Held;
    let two = rig.end("pay", one, Control::Commit).unwrap();
    rig.deliver_next();
    rig.fail_over();
    rig.marker_flow = Flow::Free;
    rig.markers.pop_front();
    rig.settle();
    assert_eq!(rig.state("pay"), Some(S::CompleteCommit));
    assert!(rig.markers_of("a", 0).iter().all(|it| *it == (two, Control::Commit)));
    assert_eq!(rig.markers_of("b", 0), [(two, Control::Commit)]);
    assert!(rig.marks.contains(&Rule::Txn10));
}

#[test]
fn a_new_coordinator_knows_only_what_is_durable() {
    let mut rig = rig();
    let one = rig.init("pay").unwrap();
    rig.add("pay", one, &[("a", 0)]).unwrap();
    rig.log_flow = Flow::Held;
    let ticket = rig.ask(5, end("pay", one, Control::Commit));
    rig.fail_over();
    rig.log_flow = Flow::Free;
    assert_eq!(rig.told(ticket), None);
    assert_eq!(rig.state("pay"), Some(S::Ongoing));
    assert_eq!(rig.end("pay", one, Control::Abort), Ok(stamp(1, 1)));
}

#[test]
fn a_marker_is_sent_until_it_is_written() {
    let mut rig = rig();
    let one = rig.init("pay").unwrap();
    rig.add("pay", one, &[("a", 0), ("b", 0)]).unwrap();
    rig.lead(("a", 0), None);
    rig.marker_flow = Flow::Held;
    rig.end("pay", one, Control::Commit).unwrap();
    let (to, request) = rig.markers.pop_front().unwrap();
    assert_eq!(to, NodeId(2), "nobody leads a-0");
    rig.answer_markers(to, &request, None);
    assert!(rig.markers.is_empty(), "the connection broke; it is tried again later");
    rig.lead(("b", 0), Some(3));
    let (to, _) = rig.markers[0];
    assert_eq!(to, NodeId(3), "b-0 moved");
    rig.marker_flow = Flow::Free;
    rig.settle();
    rig.pass(1_000);
    assert_eq!(rig.state("pay"), Some(S::PrepareCommit), "a-0 has no leader");
    rig.lead(("a", 0), Some(1));
    assert_eq!(rig.state("pay"), Some(S::CompleteCommit));
}

#[test]
fn a_refused_marker_is_sent_again() {
    let mut rig = rig();
    let one = rig.init("pay").unwrap();
    rig.add("pay", one, &[("a", 0)]).unwrap();
    rig.marker_flow = Flow::Held;
    rig.end("pay", one, Control::Commit).unwrap();
    let (_, request) = rig.markers.pop_front().unwrap();
    let refused = rig.take_markers(NodeId(9), &request);
    rig.answer_markers(NodeId(1), &request, Some(refused));
    rig.marker_flow = Flow::Free;
    rig.pass(100);
    assert_eq!(rig.state("pay"), Some(S::CompleteCommit));
}

#[test]
fn a_partition_that_was_deleted_needs_no_marker() {
    let mut rig = rig();
    let one = rig.init("pay").unwrap();
    rig.add("pay", one, &[("a", 0), ("b", 0)]).unwrap();
    rig.map.leaders.retain(|partition, _| &*partition.topic != "b");
    rig.end("pay", one, Control::Commit).unwrap();
    assert_eq!(rig.state("pay"), Some(S::CompleteCommit));
    assert!(rig.markers_of("b", 0).is_empty());
}

#[test]
fn a_coordinator_that_is_replaced_stops_sending() {
    let mut rig = rig();
    let one = rig.init("pay").unwrap();
    rig.add("pay", one, &[("a", 0)]).unwrap();
    let partition = topomotion_wire::TopicPartition::new("a", 0);
    rig.partitions.entry(partition).or_default().refuses =
        Some(ErrorCode::TransactionCoordinatorFenced);
    rig.end("pay", one, Control::Commit).unwrap();
    rig.pass(10_000);
    assert!(rig.markers.is_empty());
    assert_eq!(rig.state("pay"), Some(S::PrepareCommit));
}

#[test]
fn a_refused_completion_is_appended_again() {
    let mut rig = rig();
    let one = rig.init("pay").unwrap();
    rig.add("pay", one, &[("a", 0)]).unwrap();
    rig.marker_flow = Flow::Held;
    rig.end("pay", one, Control::Commit).unwrap();
    rig.append_error = Some(ErrorCode::NotEnoughReplicas);
    rig.deliver_next();
    rig.pass(1_000);
    assert_eq!(rig.state("pay"), Some(S::PrepareCommit));
    rig.append_error = None;
    rig.pass(1_000);
    assert_eq!(rig.state("pay"), Some(S::CompleteCommit));
}

#[test]
fn who_hung_up_is_not_answered() {
    let mut rig = rig();
    rig.log_flow = Flow::Held;
    let ticket = rig.ask(4, init("pay", None));
    rig.shard.hung_up(rig.now, ticket);
    rig.commit_next();
    assert_eq!(rig.told(ticket), None);
    assert_eq!(rig.state("pay"), Some(S::Empty), "what was begun goes on");
}

#[test]
fn an_operator_sees_transactions() {
    let mut rig = rig();
    let one = rig.init("pay").unwrap();
    rig.init("ship").unwrap();
    rig.pass(500);
    rig.add("pay", one, &[("a", 1), ("a", 0)]).unwrap();
    rig.pass(250);
    let ids = ["pay", "none"].map(|id| TransactionalId(StrBytes::from_static_str(id)));
    let request =
        DescribeTransactionsRequest::default().with_transactional_ids(ids.into());
    let ticket = rig.ask(0, RequestKind::DescribeTransactions(request));
    let Some(ResponseKind::DescribeTransactions(told)) = rig.answers.get(&ticket) else {
        panic!("an answer");
    };
    let [pay, none] = &told.transaction_states[..] else { panic!("two answers") };
    assert_eq!(&*pay.transaction_state, "Ongoing");
    assert_eq!((pay.producer_id.0, pay.producer_epoch), (1, 0));
    assert_eq!(
        (pay.transaction_timeout_ms, pay.transaction_start_time_ms),
        (60_000, 500)
    );
    assert_eq!(pay.topics[0].partitions, [0, 1]);
    assert_eq!(none.error_code, ErrorCode::TransactionalIdNotFound.code());

    let mut listed = |request: ListTransactionsRequest| {
        let ticket = rig.ask(1, RequestKind::ListTransactions(request));
        let Some(ResponseKind::ListTransactions(told)) = rig.answers.get(&ticket) else {
            panic!("an answer");
        };
        let ids = told.transaction_states.iter();
        ids.map(|it| it.transactional_id.to_string()).collect::<Vec<_>>()
    };
    let all = ListTransactionsRequest::default().with_duration_filter(-1);
    assert_eq!(listed(all.clone()), ["pay", "ship"]);
    let state = |name| vec![StrBytes::from_static_str(name)];
    assert_eq!(listed(all.clone().with_state_filters(state("Empty"))), ["ship"]);
    assert_eq!(listed(all.clone().with_state_filters(state("Lost"))), [""; 0]);
    assert_eq!(listed(all.clone().with_duration_filter(249)), ["pay"]);
    assert_eq!(listed(all.with_duration_filter(250)), [""; 0]);
}
