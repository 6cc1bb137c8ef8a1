//! Conditions against a cluster that is told event by event.

use super::*;

fn observer() -> Observer {
    let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
    let partition: Arc<str> = "orders-0".into();
    let registration = StateChange::Registration {
        controller: "c".into(),
        partition: partition.clone(),
        replicas: vec![a.clone(), b.clone()],
        isr: vec![b.clone(), a.clone()],
        leader: Some(a.clone()),
        leader_epoch: 4,
        partition_epoch: 9,
    };
    let appended = StateChange::Appended {
        process: a.clone(),
        partition: partition.clone(),
        base: 0,
        count: 5,
        epoch: 4,
        batch: 1,
    };
    let watermark = StateChange::HighWatermark { process: a, partition, offset: 3 };
    let mut observer = Observer::new();
    let broker = |broker: &str, liveness| StateChange::Broker {
        controller: "c".into(),
        broker: broker.into(),
        liveness,
    };
    let leads = |process: &str, epoch| StateChange::Quorum {
        process: process.into(),
        role: QuorumRole::Leader,
        epoch,
    };
    let error = "NOT_ENOUGH_REPLICAS".to_owned();
    let failed = StateChange::BatchFailed {
        process: "shop".into(),
        partition: "orders-0".into(),
        batch: 1,
        error,
    };
    let polled = StateChange::Polled {
        process: "reader".into(),
        partition: "orders-0".into(),
        base: 1,
        next: 4,
        records: 3,
    };
    let changes = [
        registration,
        appended,
        watermark,
        broker("a", BrokerLiveness::Unfenced),
        broker("b", BrokerLiveness::Fenced),
        leads("d", 2),
        leads("c", 1),
        failed,
        polled,
    ];
    for change in changes {
        observer.see(&Event { at: Time(0), what: What::State(change) });
    }
    for sight in &sights() {
        observer.witness(Time(0), sight);
    }
    observer
}

fn sights() -> [Sight; 5] {
    let partition: Arc<str> = "orders-0".into();
    [
        Sight::Voters(vec!["d".into(), "c".into()]),
        Sight::Position {
            process: "reader".into(),
            partition: partition.clone(),
            next: Some(4),
        },
        Sight::Found { process: "b".into(), partition: partition.clone(), end: 2 },
        Sight::LogStart { process: "a".into(), partition, offset: 1 },
        Sight::TopicSize { topic: "orders".into(), partitions: 3 },
    ]
}

fn ask(text: &str) -> Result<(), String> {
    observer().judge(&Condition::parse(text).expect("a condition"))
}

#[test]
fn what_is_so_holds() {
    for text in [
        "leader(orders-0) == a",
        "leader(orders-0) != none",
        "isr(orders-0) == {a, b}",
        "isr-size(orders-0) == 2",
        "high-watermark(orders-0) >= 3",
        "log-end(orders-0) == 5",
        "leader-epoch(orders-0) > 3",
        "log-end(orders-0, b) == 2",
        "log-start(orders-0) == 1",
        "replicas(orders-0) == {a, b}",
        "elr(orders-0) == {}",
        "fenced(b)",
        "!fenced(a)",
        "controller == d",
        "quorum-epoch == 2",
        "voters == {c, d}",
        "told(shop, NOT_ENOUGH_REPLICAS)",
        "!told(a, NOT_ENOUGH_REPLICAS)",
        "partitions(orders) == 3",
        "position(reader, orders-0) == 4",
        "records-read(reader) == 3",
    ] {
        assert_eq!(ask(text), Ok(()), "{text}");
    }
}

#[test]
fn what_is_not_so_is_told_with_what_is() {
    for (text, failure) in [
        ("leader(orders-0) == b", "a leads orders-0"),
        ("isr(orders-0) == {a}", "the ISR of orders-0 is {a, b}"),
        ("high-watermark(orders-0) >= 4", "high-watermark(orders-0) is 3"),
        ("log-end(orders-7) == 5", "orders-7 does not exist"),
        ("log-end(orders-0, b) == 3", "log-end(orders-0, b) is 2"),
        ("controller == c", "d is the active controller"),
        ("fenced(a)", "a is unfenced"),
        ("!fenced(b)", "fenced(b) holds"),
        ("fenced(z)", "z is not registered"),
        ("voters == {c}", "the voters are {c, d}"),
        ("told(shop, OFFSET_OUT_OF_RANGE)", "shop was told NOT_ENOUGH_REPLICAS"),
        ("told(a, OFFSET_OUT_OF_RANGE)", "a was told of no error"),
        ("position(a, orders-0) == 1", "a has no position in orders-0"),
        ("records-read(reader) > 3", "records-read(reader) is 3"),
    ] {
        assert_eq!(ask(text), Err(failure.to_owned()), "{text}");
    }
}

#[test]
fn a_controller_that_is_down_is_not_the_active_one() {
    let mut observer = observer();
    let crash = What::Fault(Fault::Crash { process: "d".into() });
    observer.see(&Event { at: Time(0), what: crash });
    assert_eq!(observer.controller().map(|it| &**it), Some("c"));
    let state = ProcessState::Stopped;
    let stopped = StateChange::Process { process: "c".into(), state };
    observer.see(&Event { at: Time(0), what: What::State(stopped) });
    assert_eq!(observer.controller(), None);
}

#[test]
fn what_was_told_and_read_before_the_curtain_does_not_count() {
    let mut observer = observer();
    observer.see(&Event { at: Time(0), what: What::Curtain });
    for text in ["!told(shop, NOT_ENOUGH_REPLICAS)", "records-read(reader) == 0"] {
        let condition = Condition::parse(text).expect("a condition");
        assert_eq!(observer.judge(&condition), Ok(()), "{text}");
    }
}
