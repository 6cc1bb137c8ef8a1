//! Stories of ZooKeeper's days (C14, C15): how a controller was elected, and what it cost.

use topomotion_model::{Acks, Awaits, ProcessId};

use super::cast::Cast;
use super::script::{Script, Sent};
use super::{Billing, Entry};
use crate::NodeRole;

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "zookeeper-controller",
        title: "ZooKeeper: who creates /controller first",
        tell: "Brokers race to create a znode; its owner is the controller until its session \
               expires, and its successor reads every partition's state one by one.",
        billing: Billing::OnDemand,
        script: zookeeper_controller,
    },
    Entry {
        id: "zookeeper-fencing",
        title: "ZooKeeper: a stale controller is refused",
        tell: "What a controller asked before it lost its session may arrive late; brokers \
               know the newer controller epoch and refuse it.",
        billing: Billing::OnDemand,
        script: zookeeper_fencing,
    },
    Entry {
        id: "zookeeper-or-kraft",
        title: "The same crash with ZooKeeper and with KRaft",
        tell: "A new controller must read every partition from ZooKeeper; a new quorum \
               leader has the metadata already. Counted with 3, 30 and 300 partitions.",
        billing: Billing::OnDemand,
        script: zookeeper_or_kraft,
    },
];

/// A story in ZooKeeper's days, with all brokers of the picture.
fn in_its_days<'a>(cast: &Cast<'a>) -> Result<(Script, Vec<&'a ProcessId>), String> {
    let plan = cast.plan;
    if plan.zookeeper.is_empty() {
        return Err("It needs a ZooKeeper ensemble: `role: 'zookeeper'`.".to_owned());
    }
    if plan.nodes.iter().any(|node| node.role == NodeRole::Controller) {
        return Err("It needs a cluster without controllers of its own: in ZooKeeper's \
                    days one of the brokers was the controller."
            .to_owned());
    }
    let servers: Vec<&str> =
        plan.zookeeper.iter().map(|server| server.process.as_str()).collect();
    let script = Script::new().setting("zookeeper.connect", &servers.join(","));
    Ok((script, cast.brokers(2)?))
}

fn zookeeper_controller(cast: &Cast<'_>) -> Result<Script, String> {
    let (mut script, brokers) = in_its_days(cast)?;
    let name = cast.name();
    script = script.caption(
        "The brokers start, register, and race: one multi-op creates /controller and \
         raises /controller_epoch. The first one wins.",
    );
    for broker in &brokers {
        script = script.start(broker.as_str());
    }
    Ok(script
        .wait_until("quorum-epoch == 1")
        .expect("controller != none")
        .wait(100)
        .caption(
            "The controller dies. Nobody notices until its session expires: 18 s \
             (zookeeper.session.timeout.ms).",
        )
        .crash("@controller")
        .wait_until("quorum-epoch == 2")
        .caption(
            "ZooKeeper has deleted its ephemeral /controller, the watches fired, and the \
             others raced. The winner reads the state of every partition, one by one.",
        )
        .wait(100)
        .expect(format!("leader({name}) != none"))
        .expect("controller != @last")
        .caption("It comes back as a broker like any other: /controller is taken.")
        .restart("@last")
        .wait_until("unfenced(@last)")
        .wait(100)
        .expect("quorum-epoch == 2"))
}

fn zookeeper_fencing(cast: &Cast<'_>) -> Result<Script, String> {
    let (mut script, brokers) = in_its_days(cast)?;
    let Some((last, others @ [_, _, ..])) = brokers.split_last() else {
        let found = brokers.len();
        return Err(format!("It needs 3 brokers: there are {found}."));
    };
    script = script.caption(format!(
        "{last} starts, and the controller tells the others. What it says is held up in \
         the network."
    ));
    for from in others {
        for to in others.iter().filter(|to| *to != from) {
            script = script.fault(format!("detain {from} > {to}"));
        }
    }
    Ok(script
        .start(last.as_str())
        .wait_until(format!("unfenced({last})"))
        .wait(20)
        .caption(
            "Then the controller stands still for longer than its session lasts: a pause \
             for garbage collection. ZooKeeper lets another one be elected.",
        )
        .pause("@controller")
        .wait_until("quorum-epoch == 2")
        .wait(100)
        .caption(
            "Both go on. The old order arrives, from controller epoch 1: \
             STALE_CONTROLLER_EPOCH. It does not know yet that it was replaced.",
        )
        .heal()
        .wait_until("told(@last, STALE_CONTROLLER_EPOCH)")
        .caption("From ZooKeeper it learns that its session is over, and it resigns.")
        .wait(2_500)
        .expect("controller != @last")
        .expect("quorum-epoch == 2"))
}

fn zookeeper_or_kraft(cast: &Cast<'_>) -> Result<Script, String> {
    let (script, brokers) = in_its_days(cast)?;
    cast.survives(brokers[0])?;
    let mut script = script
        .setting("producer.enable.idempotence", "false")
        .caption(
            "The controller dies, with every partition that it leads. A record for each \
             broker's partition waits for the new leaders.",
        )
        .crash("@controller");
    let partitions = cast.topic.assignment.len();
    let records = partitions.min(brokers.len());
    for partition in 0..records {
        let is_last = partition + 1 == records;
        script = script.send(
            cast,
            Sent {
                partition: u32::try_from(partition).ok(),
                acks: Acks::Leader,
                awaits: if is_last { Awaits::Answers } else { Awaits::Nothing },
                ..Sent::one(cast, "order")
            },
        );
    }
    let said = |partitions: u32| {
        let of = |days: &str| {
            format!(
                "{{{days} {partitions} messages}} messages, {{{days} {partitions} seconds}} s"
            )
        };
        format!(
            "{partitions} partitions, until all take records again: ZooKeeper {}; KRaft {}.",
            of("zookeeper"),
            of("kraft")
        )
    };
    for partitions in [3, 30, 300] {
        script = script.say(said(partitions)).wait(1_500);
    }
    Ok(script)
}
