//! G14, G16, G17: what operators look at, and what they do to a process.

use topomotion_model::{Acks, Awaits, ProcessId};

use super::cast::Cast;
use super::script::{Script, Sent};
use super::{Billing, Entry};
use crate::plan::ActorKind;

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "metrics",
        title: "What the dashboards show while a broker dies",
        tell: "OfflinePartitionsCount, UnderReplicatedPartitions, consumer lag and request \
               latency, read at the same moments of a failover.",
        billing: Billing::OnDemand,
        script: metrics,
    },
    Entry {
        id: "sigterm-or-kill",
        title: "SIGTERM and SIGKILL: what a process still does",
        tell: "On SIGTERM a producer sends what it has, and a consumer commits and leaves its \
               group. Whoever is killed does neither.",
        billing: Billing::OnDemand,
        script: sigterm_or_kill,
    },
    Entry {
        id: "health-and-ready",
        title: "/health and /ready during a rebalance",
        tell: "A member that waits for its partitions is alive and not ready. A kubelet that \
               mistook one for the other would kill it, and begin another rebalance.",
        billing: Billing::OnDemand,
        script: health_and_ready,
    },
];

fn metrics(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, leader) = (cast.name(), cast.leader()?);
    cast.survives(leader)?;
    cast.followers(2)?;
    let (group, _) = cast.group(1)?;
    let topic = &cast.topic.name;
    let read = |when: &str| {
        format!(
            "{when}: offline {{offline}} · under-replicated {{under-replicated}} · lag \
             {{lag({group}, {topic})}} · produce {{latency}} ms"
        )
    };
    Ok(Script::new()
        .groups()
        .setting("offsets.topic.num.partitions", "3")
        .produce(cast, "order-1")
        .wait_until(format!("lag({group}, {topic}) == 0"))
        .say(read("All is well"))
        .expect("offline == 0")
        .expect("under-replicated == 0")
        .crash(leader.as_str())
        .wait(1_000)
        .say(read("One second after the crash"))
        .caption("Nothing yet: its session lasts 9 s, and until then it leads on paper.")
        .expect("offline == 0")
        .produce(cast, "order-2")
        .say(read("New leaders"))
        .caption("That record waited for all of it. Now every partition lacks a replica.")
        .expect("offline == 0")
        .expect("under-replicated >= 1")
        .wait_until(format!("lag({group}, {topic}) == 0"))
        .restart(leader.as_str())
        .wait_until("under-replicated == 0")
        .say(read("It has caught up"))
        .expect(format!("leader({name}) != {leader}"))
        .expect_nothing_lost())
}

fn sigterm_or_kill(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, members) = cast.group(2)?;
    let reader = &cast.consumer()?.process;
    let other = members.iter().find(|one| **one != reader);
    let (name, writer) = (cast.name(), &cast.producer.process);
    if !members.contains(&reader) || other.is_none() {
        return Err(format!("It needs a group of two that reads {name}."));
    }
    let all = members.len();
    let three = || Sent {
        count: 3,
        awaits: Awaits::Nothing,
        acks: Acks::All,
        ..Sent::one(cast, "order-1")
    };
    Ok(Script::new()
        .groups()
        .setting("offsets.topic.num.partitions", "3")
        .setting("producer.linger.ms", "5000")
        .caption("Three records wait in the producer for linger.ms.")
        .send(cast, three())
        .wait(500)
        .expect(format!("log-end({name}) == 0"))
        .caption("SIGTERM: close() sends them first.")
        .shutdown(writer.as_str())
        .expect(format!("log-end({name}) == 3"))
        .start(writer.as_str())
        .wait(1_000)
        .send(cast, three())
        .wait(500)
        .caption("SIGKILL: three more were in its memory, and nowhere else.")
        .crash(writer.as_str())
        .wait(500)
        .expect(format!("log-end({name}) == 3"))
        .caption(format!("{reader} has read three, and not committed yet. SIGTERM:"))
        .expect(format!("records-read({reader}) == 3"))
        .shutdown(reader.as_str())
        .caption(
            "It commits and leaves: its partitions move at once, nothing is read twice.",
        )
        .wait_until(format!("members({group}) == {}", all - 1))
        .wait_until(format!("group({group}) == stable"))
        .expect(format!("committed({group}, {name}) == 3"))
        .expect(format!("read-twice({group}) == 0"))
        .start(reader.as_str())
        .wait_until(format!("members({group}) == {all}"))
        .wait_until(format!("group({group}) == stable"))
        .caption("SIGKILL: the group learns of it when the session is over, after 45 s.")
        .crash(reader.as_str())
        .wait(40_000)
        .expect(format!("members({group}) == {all}"))
        .wait_until(format!("members({group}) == {}", all - 1))
        .expect_nothing_lost())
}

fn health_and_ready(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, members) = cast.group(2)?;
    // Everybody is to get one.
    cast.partitions(members.len())?;
    let lack = "It needs somebody who asks: `role: 'service'`, and an edge with `protocol: \
                'http'` to a consumer.";
    let asks = |kind: &ActorKind| matches!(kind, ActorKind::Service { calls } if calls.is_empty());
    let kubelet = cast.plan.actors.iter().find(|one| asks(&one.kind)).ok_or(lack)?;
    let kubelet = &kubelet.process;
    let (old, new) = (members[0], members[members.len() - 1]);
    let mut script = Script::new().groups().setting("offsets.topic.num.partitions", "3");
    for member in &members {
        script = script.setting_of(member, "health.endpoints", "true");
    }
    let ask = |script: Script, of: &ProcessId, path: &str| {
        script.client(kubelet, format!("call {of} GET {path}"))
    };
    let script = script.caption(format!("{old} reads everything, and says so."));
    let script = ask(script, old, "/ready")
        .caption(format!(
            "{new} starts. The others learn of it with their next heartbeat."
        ))
        .start(new.as_str())
        .wait(100)
        .caption("Is it alive? Yes.");
    let script = ask(script, new, "/health").caption(
        "Is it ready? No: it waits for the rebalance. So a rolling update waits too.",
    );
    let script = ask(script, new, "/ready")
        .expect(format!("told({kubelet}, HTTP_503)"))
        .caption(format!("With its next heartbeat {old} learns of it, and joins again."))
        .wait_until(format!("group({group}) == stable"))
        .wait_until(format!("members({group}) == {}", members.len()))
        .wait_until(format!("owned({new}) >= 1"))
        .caption("Both know what is theirs: now it is ready.");
    Ok(ask(script, new, "/ready").wait(100).expect(format!("owned({old}) >= 1")))
}
