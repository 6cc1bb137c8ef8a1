//! B1 to B10: how replicas follow, leave, return, and take over.

use std::cmp::Reverse;

use topomotion_model::{Acks, PartitionName, ProcessId};

use super::cast::{Cast, list};
use super::script::{Script, Sent};
use super::{Billing, Entry};

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "follower-loop",
        title: "Replication: the follower asks",
        tell: "A follower fetches what comes after its own log end; the high watermark \
               reaches it one fetch later than the record.",
        billing: Billing::OnDemand,
        script: follower_loop,
    },
    Entry {
        id: "lagging-follower",
        title: "A slow follower leaves the ISR",
        tell: "The high watermark waits for the slowest replica in the ISR, until the \
               leader has it taken out after 30 s.",
        billing: Billing::OnDemand,
        script: lagging_follower,
    },
    Entry {
        id: "follower-catches-up",
        title: "A follower catches up and returns to the ISR",
        tell: "A follower that has fetched up to the high watermark is taken into the ISR \
               again; the leader epoch stays as it is.",
        billing: Billing::OnDemand,
        script: follower_catches_up,
    },
    Entry {
        id: "ineligible-replica",
        title: "The controller refuses a fenced replica",
        tell: "A leader that has not heard yet that a replica is fenced asks for it in the \
               ISR and is told INELIGIBLE_REPLICA.",
        billing: Billing::OnDemand,
        script: ineligible_replica,
    },
    Entry {
        id: "follower-crash",
        title: "Broker failure: a follower dies and returns",
        tell: "The controller fences a dead follower after 9 s and takes it out of the \
               ISR; it comes back, catches up and is in sync again.",
        billing: Billing::OnDemand,
        script: follower_crash,
    },
    Entry {
        id: "leader-election",
        title: "Broker failure: leader election",
        tell: "The leader of a partition dies; a follower in the ISR takes over and \
               nothing that was acknowledged is lost.",
        billing: Billing::Always,
        script: leader_election,
    },
    Entry {
        id: "broker-crash",
        title: "Broker failure: every partition of one broker",
        tell: "A broker dies: the partitions it led get new leaders, those it followed \
               lose a replica, all in one step of the controller.",
        billing: Billing::OnDemand,
        script: broker_crash,
    },
    Entry {
        id: "controlled-shutdown",
        title: "Controlled shutdown, and a kill for comparison",
        tell: "A broker that shuts down in good order hands its leaderships over before \
               it goes; one that is killed leaves its partitions without a leader for 9 s.",
        billing: Billing::OnDemand,
        script: controlled_shutdown,
    },
    Entry {
        id: "preferred-leader",
        title: "The preferred leader leads again",
        tell: "A broker that returns follows at first; the election of the preferred \
               leader gives its partitions back to it.",
        billing: Billing::OnDemand,
        script: preferred_leader,
    },
    Entry {
        id: "below-min-isr",
        title: "Below min ISR: acks=all is refused",
        tell: "With too few replicas in sync the leader refuses acks=all and appends \
               nothing; acks=1 is taken, but no reader sees the record.",
        billing: Billing::OnDemand,
        script: below_min_isr,
    },
    Entry {
        id: "shrink-while-waiting",
        title: "The ISR shrinks while a record waits",
        tell: "The record is in the leader's log when the ISR falls below the minimum: \
               NOT_ENOUGH_REPLICAS_AFTER_APPEND, and a plain retry writes it twice.",
        billing: Billing::OnDemand,
        script: shrink_while_waiting,
    },
    Entry {
        id: "shrink-while-waiting-strict",
        title: "The ISR shrinks while a record waits: strict min ISR",
        tell: "Since Kafka 4 the high watermark stands still below the minimum: the record \
               waits until enough replicas are in sync again, and is written once.",
        billing: Billing::OnDemand,
        script: shrink_while_waiting_strict,
    },
];

fn follower_loop(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, follower) = (cast.name(), cast.followers(1)?[0]);
    Ok(Script::new()
        .caption("A follower asks its leader for what comes after its own log end")
        .wait(600)
        .produce(cast, "order-123")
        .expect(format!("log-end({name}, {follower}) == 1"))
        .expect(format!("high-watermark({name}) == 1"))
        .expect(format!("high-watermark({name}, {follower}) == 0"))
        .caption("The next answer tells the follower that the record is safe")
        .wait_until(format!("high-watermark({name}, {follower}) == 1"))
        .expect_nothing_lost())
}

/// The link delays each answer so long that the follower is never caught up for 30 s, and
/// not so long that its fetches time out.
fn lagging_follower(cast: &Cast<'_>) -> Result<Script, String> {
    let (leader, followers) = (cast.leader()?, cast.followers(2)?);
    spare(cast)?;
    let (name, (slow, rest)) = (cast.name(), split(&followers));
    let prompt = [&[leader], rest].concat();
    Ok(Script::new()
        .caption("What the leader sends to one follower takes 25 s now")
        .fault(format!("slow {leader} > {slow} by 25000 ms"))
        .produce_as(cast, "order-123", Acks::Leader)
        .wait(1_000)
        .caption("Answered, but no reader sees it: the slow one is in the ISR")
        .expect(format!("high-watermark({name}) == 0"))
        .wait(19_000)
        .caption("acks=all waits for the slow one too")
        .produce_unawaited(cast, "order-124")
        .wait_until(format!("isr({name}) == {{{}}}", list(&prompt)))
        .wait(100)
        .caption("The high watermark no longer waits")
        .expect(format!("high-watermark({name}) == 2"))
        .produce(cast, "order-125")
        .expect(format!("high-watermark({name}) == 3"))
        .expect(format!("leader-epoch({name}) == 0"))
        .expect(format!("unfenced({slow})"))
        .expect_nothing_lost())
}

fn follower_catches_up(cast: &Cast<'_>) -> Result<Script, String> {
    let (leader, followers) = (cast.leader()?, cast.followers(1)?);
    spare(cast)?;
    let (name, (lost, _)) = (cast.name(), split(&followers));
    let all = cast.replicas();
    Ok(Script::new()
        .partition(&[lost], &[leader])
        .caption("The follower cannot fetch, but its heartbeats reach the controller")
        .produce_as(cast, "order-123", Acks::Leader)
        .wait_until(format!("isr-size({name}) == {}", all.len() - 1))
        .produce(cast, "order-124")
        .expect(format!("high-watermark({name}) == 2"))
        .expect(format!("log-end({name}, {lost}) == 0"))
        .heal()
        .wait_until(format!("isr({name}) == {{{}}}", list(&all)))
        .expect(format!("log-end({name}, {lost}) == 2"))
        .caption("The same leader all the while: its epoch did not change")
        .expect(format!("leader-epoch({name}) == 0"))
        .expect_nothing_lost())
}

/// The fence comes 9 s after the last heartbeat. What the controller tells the leader is held
/// up for less than the 2 s after which the leader would give the connection up.
fn ineligible_replica(cast: &Cast<'_>) -> Result<Script, String> {
    let (leader, followers) = (cast.leader()?, cast.followers(1)?);
    spare(cast)?;
    let (name, (lost, _)) = (cast.name(), split(&followers));
    let voters = cast.pure_voters(1)?;
    let controllers = list(&voters).replace(", ", ",");
    let size = cast.replicas().len();
    Ok(Script::new()
        .setting("broker.heartbeat.interval.ms", "500")
        .fault(format!("clog {lost} > {leader}"))
        .caption("What the follower asks for does not reach its leader")
        .produce_as(cast, "order-123", Acks::Leader)
        .wait_until(format!("isr-size({name}) == {}", size - 1))
        .caption("Now its heartbeats are lost too")
        .partition(&[lost], &voters)
        .wait(8_000)
        .caption("The leader hears nothing of the controller for a moment")
        .fault(format!("clog {controllers} > {leader}"))
        .wait_until(format!("fenced({lost})"))
        .caption("The follower catches up; the leader does not know that it is fenced")
        .fault(format!("unclog {lost} > {leader}"))
        .wait(100)
        .fault(format!("unclog {controllers} > {leader}"))
        .wait_until(format!("told({leader}, INELIGIBLE_REPLICA)"))
        .expect(format!("isr-size({name}) == {}", size - 1))
        .heal()
        .wait_until(format!("isr-size({name}) == {size}"))
        .expect(format!("unfenced({lost})"))
        .expect_nothing_lost())
}

fn follower_crash(cast: &Cast<'_>) -> Result<Script, String> {
    let followers = cast.followers(1)?;
    let (name, (dead, rest)) = (cast.name(), split(&followers));
    cast.survives(dead)?;
    let all = cast.replicas();
    let living = [&[cast.leader()?], rest].concat();
    Ok(Script::new()
        .produce(cast, "order-123")
        .crash(dead.as_str())
        .caption("No heartbeat for 9 s: the controller fences the broker")
        .wait_until(format!("fenced({dead})"))
        .expect(format!("isr({name}) == {{{}}}", list(&living)))
        .produce(cast, "order-124")
        .restart(dead.as_str())
        .wait_until(format!("isr({name}) == {{{}}}", list(&all)))
        .expect(format!("unfenced({dead})"))
        .expect(format!("log-end({name}, {dead}) == 2"))
        .expect(format!("leader-epoch({name}) == 0"))
        .expect_nothing_lost())
}

fn leader_election(cast: &Cast<'_>) -> Result<Script, String> {
    let (leader, followers) = (cast.leader()?, cast.followers(1)?);
    cast.survives(leader)?;
    let (name, successor) = (cast.name(), followers[0]);
    Ok(Script::new()
        .produce(cast, "order-123")
        .crash(leader.as_str())
        .wait_until(format!("leader({name}) == {successor}"))
        .produce(cast, "order-124")
        .expect_nothing_lost()
        .expect(format!("leader({name}) == {successor}"))
        .expect(format!("isr({name}) == {{{}}}", list(&followers)))
        .expect(format!("high-watermark({name}) >= 2")))
}

/// Whom a partition has, leader first.
struct Held<'a> {
    partition: usize,
    replicas: Vec<&'a ProcessId>,
}

impl Held<'_> {
    fn name(&self, cast: &Cast<'_>) -> PartitionName {
        let partition = u32::try_from(self.partition).unwrap_or(0);
        PartitionName { topic: cast.topic.name.clone(), partition }
    }
}

/// The partitions of the topic that a broker has a replica of and that can do without it.
fn held<'a>(cast: &Cast<'a>, broker: &ProcessId) -> Vec<Held<'a>> {
    let of = |ids: &Vec<i32>| -> Vec<&'a ProcessId> {
        ids.iter().filter_map(|&id| cast.plan.process_of(id)).collect()
    };
    let all = cast.topic.assignment.iter().map(of).enumerate();
    all.map(|(partition, replicas)| Held { partition, replicas })
        .filter(|held| held.replicas.len() > 1 && held.replicas.contains(&broker))
        .collect()
}

fn broker_crash(cast: &Cast<'_>) -> Result<Script, String> {
    /// As many as a viewer can follow.
    const SENT_TO: usize = 3;
    cast.survives(cast.leader()?)?;
    let survivable = cast.brokers(1)?.into_iter().filter(|it| cast.survives(it).is_ok());
    let leads = |dead: &ProcessId, held: &[Held<'_>]| {
        held.iter().filter(|one| one.replicas[0] == dead).count()
    };
    // Whose loss is felt most: of the brokers that lead anything the one that holds most.
    let candidates = survivable.map(|dead| (dead, held(cast, dead)));
    let candidates = candidates.filter(|(dead, held)| leads(dead, held) > 0);
    let felt =
        candidates.min_by_key(|(dead, held)| Reverse((held.len(), leads(dead, held))));
    let felt = felt.filter(|(_, held)| held.len() > 1);
    let (dead, held) = felt.ok_or_else(|| {
        let topic = &cast.topic.name;
        format!(
            "It needs two partitions of `{topic}` on one broker, each with a replica \
                 elsewhere."
        )
    })?;
    let mut script =
        Script::new().crash(dead.as_str()).wait_until(format!("fenced({dead})"));
    for one in &held {
        let living: Vec<&ProcessId> =
            one.replicas.iter().filter(|&&replica| replica != dead).copied().collect();
        let name = one.name(cast);
        script = script
            .expect(format!("leader({name}) == {}", living[0]))
            .expect(format!("isr({name}) == {{{}}}", list(&living)));
    }
    let orphans = held.iter().filter(|one| one.replicas[0] == dead).take(SENT_TO);
    for one in orphans {
        let name = one.name(cast);
        let partition = Some(name.partition);
        let sent = Sent { partition, ..Sent::one(cast, &format!("to {name}")) };
        script = script
            .send(cast, sent)
            .expect(format!("leader-epoch({name}) == 1"))
            .expect(format!("high-watermark({name}) == 1"));
    }
    Ok(script.expect_nothing_lost())
}

fn controlled_shutdown(cast: &Cast<'_>) -> Result<Script, String> {
    let (leader, followers) = (cast.leader()?, cast.followers(1)?);
    cast.survives(leader)?;
    let (name, successor) = (cast.name(), followers[0]);
    let script = Script::new()
        .produce_unawaited(cast, "order-123")
        .caption("SIGTERM: the broker asks the controller to let it go")
        .shutdown(leader.as_str())
        .expect(format!("leader({name}) == {successor}"))
        .caption("The next record finds the new leader at once")
        .produce(cast, "order-124")
        .expect(format!("log-end({name}) == 2"));
    let script = match followers.get(1) {
        // The same once more, but by a kill, if there is somebody left to take over.
        Some(&last) if quorum_without(cast, &[leader, successor]).is_ok() => script
            .caption("SIGKILL: nobody is told; the session of 9 s has to run out")
            .crash(successor.as_str())
            .wait_until(format!("leader({name}) == {last}"))
            .produce_as(cast, "order-125", Acks::Leader)
            .expect(format!("log-end({name}) == 3"))
            .expect(format!("leader-epoch({name}) == 2")),
        _ => script.expect(format!("leader-epoch({name}) == 1")),
    };
    Ok(script.expect_nothing_lost())
}

fn preferred_leader(cast: &Cast<'_>) -> Result<Script, String> {
    let (preferred, successor) = (cast.leader()?, cast.followers(1)?[0]);
    cast.survives(preferred)?;
    let (name, size) = (cast.name(), cast.replicas().len());
    Ok(Script::new()
        .shutdown(preferred.as_str())
        .produce(cast, "order-123")
        .restart(preferred.as_str())
        .wait_until(format!("isr-size({name}) == {size}"))
        .caption("Back in the ISR, it only follows")
        .expect(format!("leader({name}) == {successor}"))
        .caption("The balancer does this every 300 s; now an administrator asks for it")
        .admin(format!("elect preferred {name}"))
        .wait_until(format!("leader({name}) == {preferred}"))
        .produce(cast, "order-124")
        .expect(format!("leader-epoch({name}) == 2"))
        .expect(format!("log-end({name}, {preferred}) == 2"))
        .expect_nothing_lost())
}

fn below_min_isr(cast: &Cast<'_>) -> Result<Script, String> {
    let thin = Thin::find(cast)?;
    let (name, producer) = (cast.name(), &cast.producer.process);
    let mut script = thin.settings(Script::new()).produce(cast, "order-123");
    script = thin
        .crash(script)
        .wait_until(format!("isr-size({name}) == {}", thin.least - 1))
        .caption("acks=1: taken, but no reader sees it below the minimum")
        .produce_as(cast, "order-124", Acks::Leader)
        .expect(format!("log-end({name}) == 2"))
        .expect(format!("high-watermark({name}) == 1"))
        .caption(format!("acks=all with min.insync.replicas={}", thin.least))
        .produce_unawaited(cast, "order-125")
        .wait_until(format!("told({producer}, NOT_ENOUGH_REPLICAS)"))
        .caption("Refused: nothing was appended")
        .expect(format!("log-end({name}) == 2"))
        .caption("One replica more: the producer's next try succeeds");
    Ok(thin
        .restart(script)
        .wait_until(format!("high-watermark({name}) == 3"))
        .expect(format!("isr-size({name}) == {}", thin.least))
        .expect(format!("log-end({name}) == 3"))
        .expect_nothing_lost())
}

fn shrink_while_waiting(cast: &Cast<'_>) -> Result<Script, String> {
    let thin = Thin::find(cast)?;
    let (name, producer) = (cast.name(), &cast.producer.process);
    let mut script = thin
        .settings(Script::new())
        .setting("era.strict-min-isr", "false")
        .setting("era.elr", "false")
        .setting("producer.enable.idempotence", "false")
        .produce_unawaited(cast, "order-123");
    script = thin
        .crash(script)
        .wait_until(format!("told({producer}, NOT_ENOUGH_REPLICAS_AFTER_APPEND)"))
        .caption("An error, but the record is in the log, and readers see it")
        .expect(format!("log-end({name}) == 1"))
        .expect(format!("high-watermark({name}) == 1"))
        .caption(
            "The producer tries again: without idempotence the record stands there twice",
        );
    Ok(thin
        .restart(script)
        .wait_until(format!("high-watermark({name}) == 2"))
        .caption("Readers saw a record that fewer than the minimum had")
        .expect("violation(R11)")
        .expect_nothing_lost())
}

fn shrink_while_waiting_strict(cast: &Cast<'_>) -> Result<Script, String> {
    let thin = Thin::find(cast)?;
    let (name, producer) = (cast.name(), &cast.producer.process);
    let mut script = thin
        .settings(Script::new())
        .setting("era.strict-min-isr", "true")
        .produce_unawaited(cast, "order-123");
    script = thin
        .crash(script)
        .wait_until(format!("isr-size({name}) == {}", thin.least - 1))
        .wait(1_000)
        .caption("Below the minimum the high watermark stands still: the record waits")
        .expect(format!("log-end({name}) == 1"))
        .expect(format!("high-watermark({name}) == 0"))
        .expect(format!("!told({producer}, NOT_ENOUGH_REPLICAS_AFTER_APPEND)"));
    Ok(thin
        .restart(script)
        .wait_until(format!("high-watermark({name}) == 1"))
        .wait(100)
        .expect(format!("isr-size({name}) == {}", thin.least))
        .expect(format!("log-end({name}) == 1"))
        .expect_nothing_lost())
}

/// How to get below `min.insync.replicas` without the loss of the metadata quorum.
struct Thin<'a> {
    least: usize,
    /// Followers that go.
    gone: Vec<&'a ProcessId>,
}

impl<'a> Thin<'a> {
    fn find(cast: &Cast<'a>) -> Result<Thin<'a>, String> {
        let replicas = cast.replicas_at_least(2)?;
        // All but one below the usual minimum; else all are needed, and one goes.
        let usual = cast.least().clamp(2, replicas.len());
        let usual = Thin { least: usual, gone: replicas[usual - 1..].to_vec() };
        if quorum_without(cast, &usual.gone).is_ok() {
            return Ok(usual);
        }
        let last = replicas.len() - 1;
        let all = Thin { least: replicas.len(), gone: replicas[last..].to_vec() };
        quorum_without(cast, &all.gone).map(|()| all)
    }

    fn settings(&self, script: Script) -> Script {
        script.setting("min.insync.replicas", &self.least.to_string())
    }

    fn crash(&self, script: Script) -> Script {
        self.gone.iter().fold(script, |script, process| script.crash(process.as_str()))
    }

    /// One of them, which is enough.
    fn restart(&self, script: Script) -> Script {
        self.gone
            .iter()
            .take(1)
            .fold(script, |script, process| script.restart(process.as_str()))
    }
}

/// The last of some followers, and the others.
fn split<'a, 'f>(followers: &'f [&'a ProcessId]) -> (&'a ProcessId, &'f [&'a ProcessId]) {
    let last = followers.len().saturating_sub(1);
    (followers[last], &followers[..last])
}

/// Whether acks=all goes on with one replica fewer in the ISR.
fn spare(cast: &Cast<'_>) -> Result<(), String> {
    let (least, replicas) = (cast.least(), cast.replicas().len());
    if replicas > least {
        return Ok(());
    }
    Err(format!(
        "It needs a replica to spare: {} has {replicas}, and min.insync.replicas={least}.",
        cast.name()
    ))
}

/// Whether the metadata quorum goes on without these.
pub(super) fn quorum_without(cast: &Cast<'_>, gone: &[&ProcessId]) -> Result<(), String> {
    let voters: Vec<&ProcessId> = cast.plan.voters().map(|node| &node.process).collect();
    let left = voters.iter().filter(|voter| !gone.contains(voter)).count();
    if left * 2 > voters.len() {
        return Ok(());
    }
    Err(format!(
        "It needs controllers that outlive {}: {left} of {} would not be a majority.",
        list(gone),
        voters.len()
    ))
}
