//! Groups and transactions as scripts say them.

#[allow(dead_code)]
mod common;

use common::{MINUTE_MS, assert_passed, condition, orders, play, record, scenario};
use topomotion_model::builder::{ProduceConfig, ScenarioBuilder};
use topomotion_model::{Acks, Cluster, Topic};

fn grouped(id: &str) -> ScenarioBuilder {
    let mut scenario = scenario(id);
    scenario.setting("consumer.membership", "subscribe");
    scenario.setting("consumer.auto.offset.reset", "earliest");
    scenario.setting("offsets.topic.num.partitions", "3");
    scenario.setting("transaction.state.log.num.partitions", "3");
    scenario
}

fn with_payments() -> Cluster {
    let mut cluster = orders(2);
    cluster.topics.push(Topic {
        name: "payments".to_owned(),
        partitions: Some(1),
        ..Topic::default()
    });
    cluster
}

#[test]
fn what_is_read_written_and_committed_in_one_transaction_counts_together() {
    let mut story = grouped("transform");
    story
        .setting("flink-1.transactional.id", "orders-tx")
        .client("flink-1", "transform orders to payments")
        .produce(
            "order-producer",
            Some("orders"),
            ProduceConfig { count: 3, ..record(Acks::All) },
        )
        .wait_until(condition("committed(flink-stream, orders-0) == 3"), MINUTE_MS)
        .wait_until(condition("transaction(orders-tx) == complete-commit"), MINUTE_MS)
        .wait_until(condition("high-watermark(payments-0) >= 4"), MINUTE_MS)
        .expect(condition("last-stable(payments-0) >= 4"))
        .expect(condition("read-twice(flink-stream) == 0"));
    assert_passed(&play(Some(with_payments()), story));
}

#[test]
fn an_open_transaction_holds_readers_of_committed_records_back() {
    let mut story = grouped("held-back");
    story
        .setting("consumer.isolation.level", "read_committed")
        .setting("order-producer.transactional.id", "shop-tx")
        .client("order-producer", "begin")
        .produce("order-producer", Some("orders"), record(Acks::All))
        .wait(1_000)
        .expect(condition("high-watermark(orders-0) == 1"))
        .expect(condition("last-stable(orders-0) == 0"))
        .expect(condition("transaction(shop-tx) == ongoing"))
        .expect(condition("records-read(flink-1) == 0"))
        .client("order-producer", "commit-transaction")
        .wait_until(condition("last-stable(orders-0) == 2"), MINUTE_MS)
        .wait_until(condition("records-read(flink-1) >= 1"), MINUTE_MS);
    assert_passed(&play(Some(orders(2)), story));
}

#[test]
fn whoever_closes_leaves_at_once_and_whoever_is_stuck_leaves_late() {
    let mut story = grouped("leaving");
    story
        .setting("consumer.max.poll.interval.ms", "10000")
        .expect(condition("members(flink-stream) == 2"))
        .client("flink-1", "work 20 s")
        .wait_until(condition("members(flink-stream) == 1"), MINUTE_MS)
        .wait_until(condition("owned(flink-2) == 3"), MINUTE_MS)
        .wait_until(condition("members(flink-stream) == 2"), MINUTE_MS)
        .wait_until(condition("group(flink-stream) == stable"), MINUTE_MS)
        .shutdown("flink-2")
        .wait_until(
            condition("owned(flink-1) == {orders-0, orders-1, orders-2}"),
            MINUTE_MS,
        )
        .start("flink-2")
        .wait_until(condition("owned(flink-2) == 1"), MINUTE_MS)
        .crash("@coordinator(flink-stream)")
        .wait_until(condition("leader(orders-0) != @last"), MINUTE_MS)
        .expect(condition("generation(flink-stream) >= 4"));
    assert_passed(&play(Some(orders(1)), story));
}
