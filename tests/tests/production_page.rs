//! A page without topics, settings and scenarios plays the four stories that such a page
//! tells of, with its messages in the order in which Kafka sends them.

mod support;

use support::{folder, said, text, topomotion, wrote};

const PAGE: &str = "tests/tests/support/production-page.ts";

/// Plays the built-in scenario; these lines, or parts of lines, come in this order.
fn assert_told(scenario: &str, parts: &[&str]) {
    let output = topomotion(&["sim", PAGE, "--scenario", scenario, "--trace"]);
    let trace = wrote(&output);
    assert!(output.status.success(), "{scenario}:\n{}{trace}", said(&output));
    let mut lines = trace.lines();
    for part in parts {
        assert!(
            lines.any(|line| line.contains(part)),
            "{scenario}: `{part}` is not told, or too early:\n{trace}"
        );
    }
}

#[test]
fn acks_all_is_answered_after_the_followers_second_fetch() {
    for follower in ["broker-2", "broker-3"] {
        assert_told(
            "acks-all",
            &[
                "order-producer→broker-1 Produce orders-0 1 record acks=all",
                "broker-1 orders-0 log end 1",
                &format!("broker-1⇒{follower} Fetch orders-0 1 record hw 0"),
                &format!("{follower} orders-0 log end 1"),
                &format!("{follower}→broker-1 Fetch orders-0 offset 1"),
                "broker-1 orders-0 high watermark 1",
                "broker-1⇒order-producer Produce orders-0 offset 0",
                "order-producer acknowledged orders-0 at 0",
            ],
        );
    }
}

#[test]
fn a_new_task_manager_makes_its_group_divide_again() {
    assert_told(
        "eager-rebalance",
        &[
            "flink-2 starts",
            "flink-2→broker-2 FindCoordinator flink-stream",
            "flink-2→broker-2 JoinGroup flink-stream, a new member",
            "broker-2⇒flink-2 JoinGroup error=MEMBER_ID_REQUIRED",
            "group flink-stream preparing-rebalance generation=1",
            "broker-2⇒flink-1 Heartbeat error=REBALANCE_IN_PROGRESS",
            "flink-1 flink-stream generation=1 lets go of {orders-0, orders-1, orders-2}",
            "flink-1→broker-2 JoinGroup flink-stream",
            "JoinGroup gen 2, leads 2 members",
            "SyncGroup gen 2, assigns 2 members",
            "stable generation=2 members [flink-1={orders-0, orders-1}, flink-2={orders-2}]",
            "flink-2→broker-2 OffsetFetch orders-2",
            "flink-2 read orders-2",
        ],
    );
    assert_told(
        "cooperative-rebalance",
        &[
            "broker-2⇒flink-1 Heartbeat error=REBALANCE_IN_PROGRESS",
            "JoinGroup gen 2, leads 2 members",
            "flink-1 flink-stream generation=2",
            "JoinGroup gen 3, leads 2 members",
            "stable generation=3 members [flink-1={orders-0, orders-1}, flink-2={orders-2}]",
        ],
    );
}

#[test]
fn a_schema_is_checked_before_a_record_bears_its_id() {
    let registered = [
        "order-producer→schema-registry POST /subjects/orders-value/versions",
        "schema-registry→broker-1 Produce _schemas-0 1 record acks=all",
        "schema-registry⇒order-producer 200 {\"id\":1}",
        "order-producer→broker-1 Produce orders-0 1 record acks=all",
        "broker-1⇒order-producer Produce orders-0 offset 0",
    ];
    assert_told("schema-registry", &registered);
    let refused = [
        "order-producer→schema-registry POST /subjects/orders-value/versions",
        "schema-registry⇒order-producer 409",
    ];
    assert_told("breaking-change", &[&registered[..], &refused].concat());
}

#[test]
fn another_broker_leads_after_the_first_one_failed() {
    assert_told(
        "leader-election",
        &[
            "broker-1⇒order-producer Produce orders-0 offset 0",
            "broker-1 crashes",
            "controller: orders-0 leader=broker-2 isr={broker-2, broker-3} epoch=1.1",
            "broker-2 orders-0 leader=broker-2 epoch=1",
            "order-producer knows orders-0 leader=broker-2 epoch=1",
            "order-producer→broker-2 Produce orders-0 1 record acks=all",
            "broker-2⇒order-producer Produce orders-0 offset 1",
        ],
    );
}

#[test]
fn all_four_are_listed_and_drawn() {
    let listed = wrote(&topomotion(&["scenarios", PAGE]));
    let (fitting, _) = listed.split_once("it lacks something").expect("both lists");
    let folder = folder("production-page");
    for scenario in ["acks-all", "eager-rebalance", "schema-registry", "leader-election"]
    {
        assert!(fitting.contains(scenario), "{scenario} does not fit:\n{listed}");
        let file = folder.join(format!("{scenario}.svg"));
        let arguments = ["render", PAGE, "--scenario", scenario, "-o", text(&file)];
        let output = topomotion(&arguments);
        assert!(output.status.success(), "{scenario}:\n{}", said(&output));
        let film = std::fs::read_to_string(&file).expect("it was written");
        assert!(film.contains("offset-path"), "{scenario} has no packets");
    }
}
