//! E: coordinators of groups, and what they refuse.

use topomotion_coordinator::{java_hash, partition_for};
use topomotion_model::{PartitionName, ProcessId};

use super::cast::Cast;
use super::script::{Script, Sent};
use super::{Billing, Entry};

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "server-side-rebalance",
        title: "KIP-848: a new member, and nobody stops",
        tell: "The coordinator divides the partitions itself and moves them one by one: \
               each member gives up only what another is to get, and reads on meanwhile. \
               Play eager-rebalance beside it.",
        billing: Billing::OnDemand,
        script: server_side_rebalance,
    },
    Entry {
        id: "coordinator-failover",
        title: "The group's coordinator dies",
        tell: "Whoever leads the group's partition of __consumer_offsets next reads the \
               group and its offsets from there. The members go on in the same generation.",
        billing: Billing::OnDemand,
        script: coordinator_failover,
    },
    Entry {
        id: "coordinator-moves",
        title: "The group's coordinator shuts down in good order",
        tell: "Before it stops it gives its leaderships away, and the office of coordinator \
               with them: NOT_COORDINATOR, and the members ask who is it now.",
        billing: Billing::OnDemand,
        script: coordinator_moves,
    },
    Entry {
        id: "zombie-commit",
        title: "A consumer wakes and commits too late",
        tell: "Whoever sent no heartbeat for a session is no member any more; what it \
               commits afterwards is refused, and cannot undo what its heirs have done.",
        billing: Billing::OnDemand,
        script: zombie_commit,
    },
    Entry {
        id: "late-commit",
        title: "A commit of the last generation arrives late",
        tell: "A commit carries the generation it belongs to. In the next one it is refused, \
               though its sender is still a member.",
        billing: Billing::OnDemand,
        script: late_commit,
    },
    Entry {
        id: "find-coordinator",
        title: "Who is my coordinator?",
        tell: "The group's name is hashed to a partition of __consumer_offsets; whoever leads \
               that partition coordinates the group.",
        billing: Billing::OnDemand,
        script: find_coordinator,
    },
    Entry {
        id: "partitions-added",
        title: "Partitions are added under a group",
        tell: "The group's leader sees in its metadata that there are more partitions, and \
               everybody joins again to share them.",
        billing: Billing::OnDemand,
        script: group_learns_of_partitions,
    },
];

fn server_side_rebalance(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, members) = cast.group(2)?;
    let count = cast.partitions(members.len())?.len();
    let (old, new) = (members[0], members[members.len() - 1]);
    let (topic, others) = (&cast.topic.name, members.len() - 1);
    let (share, most) = (count / members.len(), count.div_ceil(members.len()));
    Ok(Script::new()
        .groups()
        .setting("consumer.group.protocol", "consumer")
        .expect(format!("members({group}) == {others}"))
        .expect(format!("owned({old}) >= {}", count / others))
        .caption(format!("{new} joins with epoch 0. The coordinator divides at once."))
        .start(new.as_str())
        .wait_until(format!("group({group}) == reconciling"))
        .expect(format!("owned({new}) == 0"))
        .caption("What it is to get is still another's. Meanwhile everything is read.")
        .one_to_each(cast)
        .expect(format!("owned({old}) >= {share}"))
        .caption("At its next heartbeat an owner learns what to give up, and only that.")
        .wait_until(format!("owned({old}) <= {most}"))
        .expect(format!("owned({old}) >= {share}"))
        .caption("The owner has said that it is free: now the new member is given it.")
        .wait_until(format!("owned({new}) >= {share}"))
        .wait_until(format!("group({group}) == stable"))
        .expect(format!("members({group}) == {}", members.len()))
        .caption("At no time did everybody stand still.")
        .wait_until(format!("lag({group}, {topic}) == 0"))
        .expect(format!("read-twice({group}) == 0"))
        .expect_nothing_lost())
}

fn coordinator_failover(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, script) = coordinated(cast)?;
    let home = home(group, 3);
    let script = script
        .crash(format!("@coordinator({group})"))
        .caption("The members ask who coordinates now. After 9 s the controller knows.")
        .wait_until(format!("leader({home}) != @last"))
        .caption("A replica of that log leads it now, and reads the group from it.")
        .wait(3_500);
    goes_on(script, cast)
}

fn coordinator_moves(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, script) = coordinated(cast)?;
    let home = home(group, 3);
    let script = script
        .shutdown(format!("@coordinator({group})"))
        .caption("The next leader of that log reads the group from it.")
        .wait_until(format!("leader({home}) != @last"))
        .caption("At their next heartbeat the members learn that it has moved.")
        .wait(3_500);
    goes_on(script, cast)
}

/// Everybody reads, and one record is committed.
fn coordinated<'a>(cast: &Cast<'a>) -> Result<(&'a str, Script), String> {
    let (group, members) = cast.group(1)?;
    let name = cast.name();
    // Any broker may be the coordinator, that of the partition's leader as well.
    cast.brokers(2)?;
    cast.survives(cast.leader()?)?;
    let script = Script::new()
        .groups()
        .setting("offsets.topic.num.partitions", "3")
        .setting("consumer.enable.auto.commit", "false")
        .expect(format!("generation({group}) == 1"))
        .caption("The coordinator keeps the group in a log like any other: replicated.")
        .produce(cast, "order-1")
        .wait(600);
    let script = everybody(script, &members, "commit");
    Ok((group, script.wait_until(format!("committed({group}, {name}) == 1"))))
}

/// Nothing of the group is lost with its coordinator.
fn goes_on(script: Script, cast: &Cast<'_>) -> Result<Script, String> {
    let (group, members) = cast.group(1)?;
    let (name, topic) = (cast.name(), &cast.topic.name);
    let script = script
        .expect(format!("generation({group}) == 1"))
        .expect(format!("group({group}) == stable"))
        .expect(format!("members({group}) == {}", members.len()))
        .expect(format!("committed({group}, {name}) == 1"))
        .caption("Same members, same generation, same offsets: they go on.")
        .produce(cast, "order-2")
        .wait(600);
    Ok(everybody(script, &members, "commit")
        .wait_until(format!("lag({group}, {topic}) == 0"))
        .expect(format!("generation({group}) == 1"))
        .expect(format!("read-twice({group}) == 0"))
        .expect_nothing_lost())
}

fn zombie_commit(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, members) = cast.group(2)?;
    let partitions = cast.partitions(members.len())?;
    let (topic, zombie, all) = (&cast.topic.name, members[0], members.len());
    let script = Script::new()
        .groups()
        .setting("consumer.enable.auto.commit", "false")
        .caption(format!("{zombie} has read a record, but not committed yet."))
        .one_to_each(cast)
        .wait_until(format!("records-read({zombie}) >= 1"))
        .caption("It stands still, heartbeats and all: a long garbage collection.")
        .pause(zombie.as_str())
        .wait_until(format!("members({group}) == {}", all - 1))
        .wait_until(format!("group({group}) == stable"))
        .caption("After session.timeout.ms the others have its partitions.")
        .one_to_each(cast)
        .wait(1_000);
    let script = everybody(script, &members[1..], "commit")
        .wait_until(format!("lag({group}, {topic}) == 0"))
        .caption("It wakes, and commits as if nothing had been.")
        .resume(zombie.as_str())
        .client(zombie, "commit")
        .wait_until(format!("told({zombie}, UNKNOWN_MEMBER_ID)"))
        .caption("It fails: the group has no such member. It joins again.")
        .wait_until(format!("members({group}) == {all}"))
        .wait_until(format!("owned({zombie}) >= 1"));
    Ok(offsets_are(script, group, &partitions, 2).expect_nothing_lost())
}

fn late_commit(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, members) = cast.group(2)?;
    let partitions = cast.partitions(members.len())?;
    let (topic, old, new) = (&cast.topic.name, members[0], members[members.len() - 1]);
    let script = Script::new()
        .groups()
        .setting("consumer.enable.auto.commit", "false")
        .expect(format!("generation({group}) == 1"))
        .one_to_each(cast)
        .wait_until(format!("records-read({old}) >= 1"))
        .caption("Its commit of generation 1 gets stuck on the way.")
        .fault(format!("detain {old} > @coordinator({group})"))
        .client(old, "commit-async")
        .caption(format!(
            "{new} joins; {old} gives that connection up and takes another."
        ))
        .start(new.as_str())
        .wait_until(format!("generation({group}) == 2"))
        .wait_until(format!("owned({new}) >= 1"))
        .wait_until(format!("owned({old}) >= 1"))
        .one_to_each(cast)
        .wait(1_000);
    let script = everybody(script, &members, "commit")
        .wait_until(format!("lag({group}, {topic}) == 0"))
        .caption("Now the old commit arrives: ILLEGAL_GENERATION, and nothing changes.")
        .fault(format!("release {old} > @coordinator({group})"))
        .wait(500);
    Ok(offsets_are(script, group, &partitions, 2)
        .expect(format!("generation({group}) == 2"))
        .expect_nothing_lost())
}

fn find_coordinator(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, members) = cast.group(1)?;
    let (new, home, hash) =
        (members[members.len() - 1], home(group, 50), java_hash(group));
    Ok(Script::new()
        .groups()
        .setting("offsets.topic.num.partitions", "50")
        .setting("consumer.enable.auto.commit", "false")
        .say(format!("{group}: hashCode is {hash}. |{hash}| % 50: {home}."))
        .caption("FindCoordinator: any broker can count that, and knows who leads it.")
        .start(new.as_str())
        .wait_until(format!("members({group}) == {}", members.len()))
        .wait_until(format!("group({group}) == stable"))
        .caption("Whoever leads that partition coordinates the group.")
        .wait_until(format!("leader({home}) == @coordinator({group})"))
        .expect(format!("members({group}) == {}", members.len()))
        .wait(300))
}

fn group_learns_of_partitions(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, members) = cast.group(1)?;
    let (topic, before) = (&cast.topic.name, cast.partitions(1)?.len());
    let after = before + members.len();
    let added = u32::try_from(before).unwrap_or(u32::MAX);
    let (last, share) = (members[members.len() - 1], after / members.len());
    let script = Script::new()
        .groups()
        .setting("consumer.enable.auto.commit", "false")
        .caption("Partitions can be added, and never taken away.")
        .admin(format!("grow {topic} to {after}"))
        .wait_until(format!("partitions({topic}) == {after}"))
        .caption("A producer that knows of it writes there; the group does not know yet.")
        .send(cast, Sent { partition: Some(added), ..Sent::one(cast, "order-1") })
        .expect(format!("generation({group}) == 1"))
        .caption("metadata.max.age.ms: within 5 minutes they see it, and join again.")
        .wait(290_000)
        .wait_until(format!("generation({group}) >= 2"))
        .wait_until(format!("group({group}) == stable"))
        .wait_until(format!("owned({last}) >= {share}"))
        .caption("What was written meanwhile is read: auto.offset.reset is earliest.")
        .wait(1_000);
    Ok(everybody(script, &members, "commit")
        .wait_until(format!("lag({group}, {topic}) == 0"))
        .expect(format!("members({group}) == {}", members.len()))
        .expect(format!("read-twice({group}) == 0"))
        .expect_nothing_lost())
}

/// All of them are made to do this.
fn everybody(mut script: Script, members: &[&ProcessId], line: &str) -> Script {
    for member in members {
        script = script.client(member, line);
    }
    script
}

/// The group has committed so much of every partition.
fn offsets_are(
    mut script: Script,
    group: &str,
    partitions: &[PartitionName],
    offset: i64,
) -> Script {
    for partition in partitions {
        script = script.expect(format!("committed({group}, {partition}) == {offset}"));
    }
    script
}

/// The partition that a group belongs to, of so many (GRP-1).
fn home(group: &str, count: i32) -> String {
    format!("__consumer_offsets-{}", partition_for(group, count))
}
