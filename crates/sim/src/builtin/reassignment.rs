//! B20 to B23: partitions that move, what a new leader does not know yet, and how far one
//! failure reaches.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use topomotion_model::ProcessId;

use super::cast::{Cast, list};
use super::replication::quorum_without;
use super::script::{Script, Sent};
use super::{Billing, Entry};
use crate::TopicPlan;

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "reassignment",
        title: "Reassignment: a partition moves to other brokers",
        tell: "The new replicas are added and catch up; once all of them are in the ISR \
               the old ones go, and the leader moves.",
        billing: Billing::OnDemand,
        script: reassignment,
    },
    Entry {
        id: "high-watermark-goes-back",
        title: "After a failover the high watermark may go back",
        tell: "A new leader begins with the high watermark that it last heard of; readers \
               wait until it has caught up, and nothing is lost.",
        billing: Billing::OnDemand,
        script: high_watermark_goes_back,
    },
    Entry {
        id: "one-partition-offline",
        title: "Partitions fail one by one, a topic never does",
        tell: "A partition without a living replica is offline; the others of the same \
               topic go on.",
        billing: Billing::OnDemand,
        script: one_partition_offline,
    },
    Entry {
        id: "rack-failure",
        title: "A whole rack fails",
        tell: "The controller puts the replicas of each partition on different racks, so \
               that every partition keeps a leader when one rack is gone.",
        billing: Billing::OnDemand,
        script: rack_failure,
    },
];

fn reassignment(cast: &Cast<'_>) -> Result<Script, String> {
    let (old, spare, name) =
        (cast.replicas_at_least(1)?, cast.spare_brokers(0)?, cast.name());
    if spare.is_empty() {
        return Err(format!("It needs a broker without a replica of {name}."));
    }
    // As many as before: first those that had none, then followers that stay.
    let kept = old.iter().skip(1).copied();
    let target: Vec<&ProcessId> = spare.into_iter().chain(kept).take(old.len()).collect();
    let all: BTreeSet<&ProcessId> = old.iter().chain(&target).copied().collect();
    let all: Vec<&ProcessId> = all.into_iter().collect();
    let first = target[0];
    let sent = Sent { count: 3, ..Sent::one(cast, "order-123") };
    Ok(Script::new()
        .send(cast, sent)
        .admin(format!("reassign {name} to {}", list(&target).replace(", ", ",")))
        .caption("Old and new together, until all the new ones are in the ISR")
        .expect(format!("replicas({name}) == {{{}}}", list(&all)))
        .wait_until(format!("replicas({name}) == {{{}}}", list(&target)))
        .expect(format!("isr({name}) == {{{}}}", list(&target)))
        .expect(format!("leader({name}) == {first}"))
        .produce(cast, "order-124")
        .expect(format!("log-end({name}, {first}) == 4"))
        .expect(format!("high-watermark({name}) == 4"))
        .expect_nothing_lost())
}

/// The successor must not hear of the high watermark, nor the other follower fetch from it:
/// its requests to the successor are lost.
fn high_watermark_goes_back(cast: &Cast<'_>) -> Result<Script, String> {
    let (leader, followers) = (cast.leader()?, cast.followers(2)?);
    cast.survives(leader)?;
    // Where brokers vote, the same cut would keep them from electing a controller.
    cast.pure_voters(1)?;
    let (name, successor) = (cast.name(), followers[0]);
    let others = list(&followers[1..]).replace(", ", ",");
    let reader = &cast.consumer()?.process;
    let sent = Sent { count: 5, ..Sent::one(cast, "order-123") };
    Ok(Script::new()
        .fault(format!("cut {others} > {successor}"))
        .send(cast, sent)
        .wait_until(format!("position({reader}, {name}) == 5"))
        .caption("The follower has the records, but has not heard that they are safe")
        .expect(format!("high-watermark({name}, {successor}) == 0"))
        .crash(leader.as_str())
        .wait_until(format!("leader({name}) == {successor}"))
        .wait(2_000)
        .caption("The new leader has all five, and vouches for none of them yet")
        .expect(format!("log-end({name}) == 5"))
        .expect(format!("high-watermark({name}) == 0"))
        .expect(format!("position({reader}, {name}) == 5"))
        .caption("Where does the partition end? The leader cannot say")
        .client(reader, format!("seek {name} to latest"))
        .wait_until(format!("told({reader}, OFFSET_NOT_AVAILABLE)"))
        .heal()
        .wait_until(format!("high-watermark({name}) == 5"))
        .wait_until(format!("position({reader}, {name}) == 5"))
        .produce(cast, "order-124")
        .wait_until(format!("position({reader}, {name}) == 6"))
        .expect_nothing_lost())
}

/// A name that no topic has.
fn fresh(cast: &Cast<'_>) -> String {
    let mut name = "audit".to_owned();
    while cast.plan.topic(&name).is_some() {
        name.push_str("-log");
    }
    name
}

/// A topic that is created while the story plays: nobody knows yet who holds what.
fn unplaced(name: &str, partitions: usize) -> TopicPlan {
    TopicPlan {
        name: name.to_owned(),
        assignment: vec![Vec::new(); partitions],
        settings: BTreeMap::new(),
    }
}

fn one_partition_offline(cast: &Cast<'_>) -> Result<Script, String> {
    let brokers = cast.brokers(2)?;
    for broker in &brokers {
        quorum_without(cast, &[broker])?;
    }
    let topic = fresh(cast);
    let plan = unplaced(&topic, 2);
    let (offline, online) = (
        Cast { topic: &plan, partition: 0, ..*cast },
        Cast { topic: &plan, partition: 1, ..*cast },
    );
    let (zero, one) = (offline.name(), online.name());
    Ok(Script::new()
        .caption("Two partitions, one replica each, on two brokers")
        .admin(format!("create-topic {topic} partitions=2 replicas=1"))
        .produce(&offline, "a")
        .produce(&online, "b")
        .crash(format!("@leader({zero})"))
        .wait_until(format!("leader({zero}) == none"))
        .expect(format!("leader({one}) != none"))
        .caption("This one waits for its leader")
        .produce_unawaited(&offline, "c")
        .wait(500)
        .caption("The other partition knows nothing of that")
        .produce_unawaited(&online, "d")
        .wait_until(format!("high-watermark({one}) == 2"))
        .restart("@last")
        .wait_until(format!("leader({zero}) == @last"))
        .wait_until(format!("high-watermark({zero}) == 2"))
        .expect_nothing_lost())
}

fn rack_failure(cast: &Cast<'_>) -> Result<Script, String> {
    let mut racks = BTreeMap::<&str, Vec<&ProcessId>>::new();
    for node in cast.plan.brokers() {
        if let Some(rack) = &node.rack {
            racks.entry(rack).or_default().push(&node.process);
        }
    }
    let spread = racks.values().map(Vec::len).sum::<usize>() == cast.brokers(1)?.len();
    if racks.len() < 2 || !spread {
        return Err(format!(
            "It needs brokers on two racks, each with its `rack`: there are {}.",
            racks.len()
        ));
    }
    let survives = |gone: &&Vec<&ProcessId>| quorum_without(cast, gone).is_ok();
    let gone = racks.values().filter(survives).min_by_key(|rack| Reverse(rack.len()));
    let gone =
        gone.ok_or("It needs a rack without which the controllers are a majority.")?;
    let copies = racks.len().min(3);
    let (topic, partitions) = (fresh(cast), copies);
    let plan = unplaced(&topic, partitions);
    let members: Vec<Cast<'_>> = (0..partitions)
        .map(|partition| Cast { topic: &plan, partition, ..*cast })
        .collect();
    let mut script = Script::new()
        .caption("The controller goes from rack to rack when it places replicas")
        .admin(format!(
            "create-topic {topic} partitions={partitions} replicas={copies} \
                        min.insync.replicas=1"
        ));
    for one in &members {
        script = script.wait_until(format!("isr-size({}) == {copies}", one.name()));
    }
    script = script.wait(1_000).caption("Every broker of one rack is gone at once");
    for dead in gone {
        script = script.crash(dead.as_str());
    }
    for dead in gone {
        script = script.wait_until(format!("fenced({dead})"));
    }
    for one in &members {
        let name = one.name();
        script = script.expect(format!("leader({name}) != none"));
        script = script.expect(format!("isr-size({name}) >= {}", copies - 1));
    }
    for one in &members {
        script = script.produce(one, "still here");
    }
    Ok(script.expect_nothing_lost())
}
