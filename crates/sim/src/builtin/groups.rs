//! E: consumer groups: who joins, who leaves, what is divided anew.

use topomotion_model::{Awaits, ProcessId};

use super::cast::Cast;
use super::script::{Script, Sent};
use super::{Billing, Entry};

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "group-join",
        title: "How a consumer group forms",
        tell: "Consumers find their coordinator, join, and wait for company. The first of \
               them divides the partitions, and the coordinator tells everybody.",
        billing: Billing::OnDemand,
        script: group_join,
    },
    Entry {
        id: "eager-rebalance",
        title: "A new member: the eager rebalance",
        tell: "A consumer joins the group. Everybody gives up all partitions, joins again, and \
               nobody reads until the new assignment is known.",
        billing: Billing::OnDemand,
        script: eager_rebalance,
    },
    Entry {
        id: "cooperative-rebalance",
        title: "A new member: the cooperative rebalance",
        tell: "A consumer joins the group. Everybody keeps what stays with them and reads on; \
               only the partitions that move pause, and a second rebalance hands them over.",
        billing: Billing::OnDemand,
        script: cooperative_rebalance,
    },
    Entry {
        id: "consumer-crash",
        title: "A consumer crashes: 45 seconds of silence",
        tell: "A dead consumer cannot say so. Its partitions wait until its session ends; \
               then the others go on where it had committed.",
        billing: Billing::OnDemand,
        script: consumer_crash,
    },
    Entry {
        id: "graceful-leave",
        title: "A consumer closes: its partitions move at once",
        tell: "Whoever closes commits and leaves the group. The others take over at their \
               next heartbeat, and give up again when it comes back.",
        billing: Billing::OnDemand,
        script: graceful_leave,
    },
    Entry {
        id: "rolling-restart",
        title: "Rolling restart: two rebalances for each member",
        tell: "All members are restarted one after the other. Each stop and each start \
               divides the partitions anew, for everybody.",
        billing: Billing::OnDemand,
        script: rolling_restart,
    },
    Entry {
        id: "static-membership",
        title: "Static membership: a rolling restart without a rebalance",
        tell: "With group.instance.id a member does not leave when it closes. Back within its \
               session it gets what it had, and nobody else notices.",
        billing: Billing::OnDemand,
        script: static_membership,
    },
];

/// How far the slowest member is from its coordinator, so that one sees the others wait.
const FAR_MS: u64 = 50;

/// A story about a group. Others read too, but their commits are not told.
pub(super) fn begin(assignor: &str, members: &[&ProcessId]) -> Script {
    let script = Script::new()
        .groups()
        .setting("consumer.partition.assignment.strategy", assignor)
        .setting("consumer.enable.auto.commit", "false");
    let auto = |script: Script, member: &&ProcessId| {
        script.setting_of(member, "enable.auto.commit", "true")
    };
    members.iter().fold(script, auto)
}

fn group_join(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, members) = cast.group(1)?;
    let (topic, count) = (&cast.topic.name, cast.partitions(1)?.len());
    let first = members[0];
    let mut script = begin("range", &members)
        .expect(format!("group({group}) == dead"))
        .caption("A record is there before anybody reads.")
        .produce(cast, "early")
        .caption(format!("Who coordinates {group}? Any broker knows."))
        .start(first.as_str());
    for member in &members[1..] {
        script = script.start(member.as_str());
    }
    let script = script
        .wait_until(format!("group({group}) == preparing-rebalance"))
        .wait_until(format!("members({group}) == {}", members.len()))
        .caption("A new group waits 3 seconds for company, and 3 more whenever somebody comes.")
        .wait_until(format!("group({group}) == completing-rebalance"))
        .caption(
            "Only the leader of the group hears who is in it: it divides the partitions.",
        )
        .wait_until(format!("group({group}) == stable"))
        .expect(format!("generation({group}) == 1"));
    let script = everything_is_owned(script, &members, count);
    Ok(script
        .caption("No offset is committed yet: earliest says where to begin.")
        .wait_until(format!("lag({group}, {topic}) == 0"))
        .caption("From now on each says every 3 seconds that it is alive.")
        .wait(3_500)
        .expect(format!("group({group}) == stable"))
        .expect(format!("read-twice({group}) == 0"))
        .expect_nothing_lost())
}

/// Until the members believe to own all partitions: those with the least cannot have fewer
/// than an equal share, rounded down.
fn everything_is_owned(script: Script, members: &[&ProcessId], count: usize) -> Script {
    let least = count / members.len();
    members.iter().fold(script, |script, member| match least {
        0 => script,
        _ => script.wait_until(format!("owned({member}) >= {least}")),
    })
}

/// A group of which the last member has not come yet, and how one sees it wait: the first is
/// far from the coordinator.
fn before_a_new_member<'a>(
    cast: &'a Cast<'_>,
    assignor: &str,
) -> Result<(Script, Newcomer<'a>), String> {
    let (group, members) = cast.group(2)?;
    let count = cast.partitions(members.len())?.len();
    let (old, new) = (members[0].as_str(), members[members.len() - 1].as_str());
    let others = members.len() - 1;
    let script = begin(assignor, &members)
        .expect(format!("members({group}) == {others}"))
        .fault(format!("slow {old} > @coordinator({group}) by {FAR_MS} ms"))
        .caption(match others {
            1 => {
                format!("One consumer reads all {count} partitions; a second one comes.")
            }
            _ => format!("{others} consumers read {count} partitions; one more comes."),
        })
        .start(new)
        .wait_until(format!("group({group}) == preparing-rebalance"));
    Ok((script, Newcomer { group, old, new, members: members.len(), count }))
}

/// Who is in the story of a new member.
struct Newcomer<'a> {
    group: &'a str,
    old: &'a str,
    new: &'a str,
    members: usize,
    count: usize,
}

fn eager_rebalance(cast: &Cast<'_>) -> Result<Script, String> {
    let (script, Newcomer { group, old, new, members, count }) =
        before_a_new_member(cast, "range")?;
    let topic = &cast.topic.name;
    let script = script
        .caption("The others hear of it at their next heartbeat.")
        .wait_until(format!("told({old}, REBALANCE_IN_PROGRESS)"))
        .caption("Eager: each gives up all that it has, and joins again.")
        .wait_until(format!("owned({old}) == {{}}"))
        .caption("The gap: records come, and nobody reads.");
    Ok(one_each(script, cast)
        .expect(format!("records-read({old}) == 0"))
        .expect(format!("lag({group}, {topic}) == {count}"))
        .caption("Everybody waits for the slowest member.")
        .wait_until(format!("group({group}) == stable"))
        .wait_until(format!("owned({new}) >= 1"))
        .wait_until(format!("owned({old}) >= 1"))
        .expect(format!("generation({group}) == 2"))
        .expect(format!("members({group}) == {members}"))
        .caption("The gap is over: all read what has piled up.")
        .wait_until(format!("lag({group}, {topic}) == 0"))
        .expect(format!("read-twice({group}) == 0"))
        .expect_nothing_lost())
}

fn cooperative_rebalance(cast: &Cast<'_>) -> Result<Script, String> {
    let (script, Newcomer { group, old, new, members, .. }) =
        before_a_new_member(cast, "cooperative-sticky")?;
    let topic = &cast.topic.name;
    let script = script
        .caption("The others hear of it at their next heartbeat.")
        .wait_until(format!("told({old}, REBALANCE_IN_PROGRESS)"))
        .caption("Cooperative: each joins again with all that it has, and reads on.");
    let script = script
        .wait_until(format!("generation({group}) == 2"))
        .caption("First rebalance: whoever has too much learns what to let go.")
        .wait_until(format!("group({group}) == stable"))
        // The assignment is told when it is replicated; whoever reads until then what it has to
        // let go commits that no more, and it is read twice.
        .wait(200)
        .caption("Only what moves is let go, and waits. All the rest is read.");
    Ok(one_each(script, cast)
        .wait_until(format!("records-read({old}) >= 1"))
        .expect(format!("owned({old}) >= 1"))
        .expect(format!("owned({new}) == 0"))
        .expect(format!("lag({group}, {topic}) >= 1"))
        .caption("Whoever let go joins once more: the second rebalance hands it over.")
        .wait_until(format!("generation({group}) == 3"))
        .expect(format!("owned({old}) >= 1"))
        .wait_until(format!("owned({new}) >= 1"))
        .wait_until(format!("group({group}) == stable"))
        .expect(format!("generation({group}) == 3"))
        .expect(format!("members({group}) == {members}"))
        .caption("The newcomer reads what has waited; the others never paused.")
        .wait_until(format!("lag({group}, {topic}) == 0"))
        .expect(format!("read-twice({group}) == 0"))
        .expect_nothing_lost())
}

fn consumer_crash(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, members) = cast.group(2)?;
    let count = cast.partitions(members.len())?.len();
    let topic = &cast.topic.name;
    let (gone, heir) = (members[0].as_str(), members[1].as_str());
    // The application commits, so that one sees when.
    let commits = |script: Script, members: &[&ProcessId]| {
        let commit =
            |script: Script, member: &&ProcessId| script.client(member, "commit");
        members.iter().fold(script.wait(1_000), commit)
    };
    let script = begin("range", &[])
        .expect(format!("owned({gone}) >= 1"))
        .caption("Each reads its own partitions, and commits how far it is.");
    let script = commits(one_each(script, cast), &members)
        .wait_until(format!("lag({group}, {topic}) == 0"))
        .caption("A consumer dies. Its partitions are still its own.")
        .crash(gone);
    let script = commits(one_each(script, cast), &members[1..])
        .caption("The coordinator waits session.timeout.ms, 45 seconds, for a heartbeat.")
        .wait(40_000)
        .expect(format!("members({group}) == {}", members.len()))
        .expect(format!("lag({group}, {topic}) >= 1"))
        .caption("No heartbeat in 45 seconds: it is removed, and the others join again.")
        .wait_until(format!("members({group}) == {}", members.len() - 1))
        .wait_until(format!("group({group}) == stable"));
    let script = match members.len() {
        2 => script.wait_until(format!("owned({heir}) == {count}")),
        _ => script.wait_until(format!("owned({heir}) >= 1")),
    };
    Ok(commits(
        script.caption("The heir goes on at the committed offset."),
        &members[1..],
    )
    .wait_until(format!("lag({group}, {topic}) == 0"))
    .expect(format!("read-twice({group}) == 0"))
    .expect_nothing_lost())
}

fn graceful_leave(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, members) = cast.group(2)?;
    let count = cast.partitions(members.len())?.len();
    let topic = &cast.topic.name;
    let (gone, heir) = (members[members.len() - 1].as_str(), members[0].as_str());
    let (all, rest) = (members.len(), members.len() - 1);
    let script = begin("range", &members)
        .expect(format!("owned({gone}) >= 1"))
        .caption("It commits, says LeaveGroup, and closes.")
        .shutdown(gone)
        .wait_until(format!("members({group}) == {rest}"))
        .caption(
            "No session has to run out: the others hear of it at their next heartbeat.",
        )
        .wait_until(format!("group({group}) == stable"));
    let script = match rest {
        1 => script.wait_until(format!("owned({heir}) == {count}")),
        _ => script.wait_until(format!("owned({heir}) >= 1")),
    };
    let script = one_each(script, cast)
        .wait_until(format!("lag({group}, {topic}) == 0"))
        .caption("It comes back as a new member, with a new id.")
        .start(gone)
        .wait_until(format!("members({group}) == {all}"))
        .wait_until(format!("owned({gone}) >= 1"))
        .wait_until(format!("group({group}) == stable"));
    Ok(script
        .caption("It reads on from what the others committed.")
        .expect(format!("generation({group}) >= 3"))
        .expect(format!("read-twice({group}) == 0"))
        .expect_nothing_lost())
}

fn rolling_restart(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, members) = cast.group(2)?;
    cast.partitions(members.len())?;
    let all = members.len();
    let mut script = begin("range", &members)
        .expect(format!("generation({group}) == 1"))
        .caption("Every consumer is restarted, one after the other.");
    for member in &members {
        script = script
            .shutdown(member.as_str())
            .wait_until(format!("members({group}) == {}", all - 1))
            .wait_until(format!("group({group}) == stable"))
            .start(member.as_str())
            .wait_until(format!("members({group}) == {all}"))
            .wait_until(format!("group({group}) == stable"))
            .wait_until(format!("owned({member}) >= 1"));
    }
    Ok(script
        .caption(format!(
            "{all} restarts, {} rebalances, and everybody paused each time.",
            all * 2
        ))
        .expect(format!("generation({group}) == {}", 1 + all * 2))
        .expect_nothing_lost())
}

fn static_membership(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, members) = cast.group(2)?;
    cast.partitions(members.len())?;
    let (topic, all) = (&cast.topic.name, members.len());
    let mut script =
        Script::new().groups().setting("consumer.partition.assignment.strategy", "range");
    for (number, member) in (1..).zip(&members) {
        let name: &str = &format!("instance-{number}");
        script = script.setting_of(member, "group.instance.id", name);
    }
    script = script.expect(format!("generation({group}) == 1"));
    for (number, member) in (1..).zip(&members) {
        script = script
            .caption(match number {
                1 => "It closes without LeaveGroup: its place is kept for session.timeout.ms.",
                _ => "The next one.",
            })
            .shutdown(member.as_str());
        if number == 1 {
            script = one_each(script.caption("What comes for it meanwhile waits."), cast);
        }
        script = script
            .expect(format!("members({group}) == {all}"))
            .caption("Known by its group.instance.id, it gets what it had.")
            .start(member.as_str())
            .wait_until(format!("owned({member}) >= 1"))
            .expect(format!("group({group}) == stable"));
    }
    Ok(script
        .caption("Everybody was restarted, and nothing was divided anew.")
        .expect(format!("generation({group}) == 1"))
        .wait_until(format!("lag({group}, {topic}) == 0"))
        .expect(format!("read-twice({group}) == 0"))
        .expect_nothing_lost())
}

/// A record to every partition of the topic, all at once.
pub(super) fn one_each(mut script: Script, cast: &Cast<'_>) -> Script {
    let count = u32::try_from(cast.topic.assignment.len()).unwrap_or(u32::MAX);
    for partition in 0..count {
        let awaits = match partition + 1 == count {
            true => Awaits::Answers,
            false => Awaits::Nothing,
        };
        let partition = Some(partition);
        let sent = Sent { partition, key: None, awaits, ..Sent::one(cast, "") };
        script = script.send(cast, sent);
    }
    script
}
