//! B11 to B19: holes, zombies, elections without proof, and what guards against them.

mod eras;

use topomotion_model::{Acks, ProcessId};

use super::cast::{Cast, list};
use super::replication::quorum_without;
use super::script::{Script, Sent};
use super::{Billing, Entry};
use crate::ConsumerPlan;

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "isr-empties",
        title: "The ISR empties, and the ELR saves it",
        tell: "Replicas that leave an ISR below min.insync.replicas stay eligible to lead: \
               the first of them that returns is elected, and nothing is lost.",
        billing: Billing::OnDemand,
        script: isr_empties,
    },
    Entry {
        id: "last-replica-standing",
        title: "The last replica standing loses its power",
        tell: "Without eligible leader replicas the last member of the ISR leads again \
               whatever it has lost, and the others cut their logs to match.",
        billing: Billing::OnDemand,
        script: last_replica_standing,
    },
    Entry {
        id: "last-replica-standing-elr",
        title: "The last replica standing loses its power: with ELR",
        tell: "A broker that comes back from an unclean shutdown is no longer eligible: \
               the partition waits for a replica that stopped in good order.",
        billing: Billing::OnDemand,
        script: last_replica_standing_elr,
    },
    Entry {
        id: "unclean-election",
        title: "Unclean election: available, but records are gone",
        tell: "With unclean.leader.election.enable a replica from outside the ISR may \
               lead; what it had not fetched is lost, though readers have seen it.",
        billing: Billing::OnDemand,
        script: unclean_election,
    },
    Entry {
        id: "acks-leader-loss",
        title: "acks=1: answered, then lost",
        tell: "The leader answers acks=1 before any follower has the record; if it dies \
               then, the record dies with it.",
        billing: Billing::OnDemand,
        script: acks_leader_loss,
    },
    Entry {
        id: "kip-101-loss",
        title: "KIP-101: a committed record is cut away",
        tell: "Up to Kafka 0.10 a follower cut its log at its own high watermark, which \
               lags behind; if it leads next, a committed record is gone.",
        billing: Billing::OnDemand,
        script: eras::kip_101_loss,
    },
    Entry {
        id: "kip-101-loss-fixed",
        title: "KIP-101: the committed record stays",
        tell: "Leader epochs tell a follower where its log parts from its leader's: it \
               cuts nothing that the two have in common.",
        billing: Billing::OnDemand,
        script: eras::kip_101_loss_fixed,
    },
    Entry {
        id: "kip-101-divergence",
        title: "KIP-101: two records at one offset",
        tell: "Two logs that were cut at high watermarks grow apart: a replica comes into \
               the ISR with another record at the same offset.",
        billing: Billing::OnDemand,
        script: eras::kip_101_divergence,
    },
    Entry {
        id: "kip-101-divergence-fixed",
        title: "KIP-101: one record at each offset",
        tell: "The same crashes, with leader epochs: nothing committed was cut, so every \
               replica has the same records.",
        billing: Billing::OnDemand,
        script: eras::kip_101_divergence_fixed,
    },
    Entry {
        id: "kip-279-divergence",
        title: "KIP-279: an epoch that the leader never saw",
        tell: "A follower asks where an epoch ends that its leader has never heard of; the \
               answer is an offset alone, too little is cut, and the logs grow apart.",
        billing: Billing::OnDemand,
        script: eras::kip_279_divergence,
    },
    Entry {
        id: "kip-279-divergence-fixed",
        title: "KIP-279: the answer names its epoch",
        tell: "Told which epoch the answer is about, the follower knows where that one \
               ended in its own log, and cuts what only it has.",
        billing: Billing::OnDemand,
        script: eras::kip_279_divergence_fixed,
    },
    Entry {
        id: "zombie-leader",
        title: "A zombie leader, cut off with its producer",
        tell: "A leader that nobody but a producer reaches goes on taking acks=1, commits \
               nothing, and cuts its log when it hears of its successor.",
        billing: Billing::OnDemand,
        script: zombie_leader,
    },
    Entry {
        id: "zombie-isr-request",
        title: "An old leader wakes up and asks for another ISR",
        tell: "The controller refuses an ISR change under an older leader epoch: the \
               partition of the new leader stays as it is.",
        billing: Billing::OnDemand,
        script: eras::zombie_isr_request,
    },
    Entry {
        id: "zombie-isr-request-unfenced",
        title: "An old leader wakes up and takes the ISR over",
        tell: "Where nobody asks for the leader epoch, an old leader that wakes up \
               overwrites the ISR of its successor.",
        billing: Billing::OnDemand,
        script: eras::zombie_isr_request_unfenced,
    },
    Entry {
        id: "kip-903-wiped-replica",
        title: "KIP-903: a wiped replica comes into the ISR",
        tell: "Up to Kafka 3.4 a replica that had lost its disk could come into the ISR by \
               a request that was meant for its predecessor.",
        billing: Billing::OnDemand,
        script: eras::kip_903_wiped_replica,
    },
    Entry {
        id: "kip-903-wiped-replica-fixed",
        title: "KIP-903: the request for a predecessor is refused",
        tell: "A leader names the broker epoch of each replica that it wants in the ISR; \
               the controller refuses one that has registered anew.",
        billing: Billing::OnDemand,
        script: eras::kip_903_wiped_replica_fixed,
    },
];

fn isr_empties(cast: &Cast<'_>) -> Result<Script, String> {
    let (leader, followers) = (cast.leader()?, cast.followers(2)?);
    let (name, successor) = (cast.name(), followers[0]);
    quorum_without(cast, &cast.replicas())?;
    let pair = list(&[leader, successor]);
    let mut script = Script::new()
        .setting("min.insync.replicas", "2")
        .setting("era.elr", "true")
        .caption("One replica more than the minimum: the first one to go does no harm");
    for dead in &followers[1..] {
        script = script.crash(dead.as_str());
    }
    Ok(script
        .wait_until(format!("isr({name}) == {{{pair}}}"))
        .produce(cast, "order-123")
        .caption("Below min.insync.replicas whoever leaves the ISR stays eligible")
        .shutdown(successor.as_str())
        .wait_until(format!("elr({name}) == {{{successor}}}"))
        .expect(format!("isr({name}) == {{{leader}}}"))
        .crash(leader.as_str())
        .wait_until(format!("leader({name}) == none"))
        .expect(format!("isr-size({name}) == 0"))
        .caption("Nobody is in sync, but two may lead: each has all that is committed")
        .expect(format!("elr({name}) == {{{pair}}}"))
        .restart(successor.as_str())
        .wait_until(format!("leader({name}) == {successor}"))
        .expect(format!("log-end({name}) == 1"))
        .expect(format!("leader-epoch({name}) == 2"))
        .restart(leader.as_str())
        .wait_until(format!("isr({name}) == {{{pair}}}"))
        .wait_until(format!("high-watermark({name}) == 1"))
        .expect_nothing_lost())
}

/// To the moment at which the last replica has lost its power and is up again: all others
/// stopped in good order before.
fn last_standing(cast: &Cast<'_>) -> Result<Script, String> {
    let (leader, followers) = (cast.leader()?, cast.followers(2)?);
    let (name, keeper) = (cast.name(), followers[0]);
    quorum_without(cast, &cast.replicas())?;
    let mut script = Script::new()
        .setting("min.insync.replicas", "2")
        .caption("One replica after the other stops in good order");
    for gone in &followers[1..] {
        script = script.shutdown(gone.as_str());
    }
    Ok(script
        .wait_until(format!("isr-size({name}) == 2"))
        .caption("Three records, acknowledged by both replicas that are left")
        .send(cast, Sent { count: 3, ..Sent::one(cast, "order-123") })
        .shutdown(keeper.as_str())
        .wait_until(format!("isr({name}) == {{{leader}}}"))
        .fault(format!("power-loss {leader}"))
        .wait_until(format!("leader({name}) == none"))
        .restart(leader.as_str()))
}

fn last_replica_standing(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, leader, keeper) = (cast.name(), cast.leader()?, cast.followers(2)?[0]);
    Ok(last_standing(cast)?
        .setting("era.elr", "false")
        .caption("It is the last of the ISR, so it leads, whatever it has lost")
        .wait_until(format!("leader({name}) == {leader}"))
        .expect(format!("log-end({name}) < 3"))
        .restart(keeper.as_str())
        .wait_until(format!("isr-size({name}) == 2"))
        .caption("The replica that had all of it has cut its log to match")
        .expect(format!("log-end({name}, {keeper}) < 3"))
        .expect("violation(J3)"))
}

fn last_replica_standing_elr(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, leader, keeper) = (cast.name(), cast.leader()?, cast.followers(2)?[0]);
    Ok(last_standing(cast)?
        .setting("era.elr", "true")
        .caption("An unclean shutdown: it may not lead, and the partition waits")
        .wait_until(format!("unfenced({leader})"))
        .wait(1_000)
        .expect(format!("leader({name}) == none"))
        .expect(format!("elr({name}) == {{{keeper}}}"))
        .restart(keeper.as_str())
        .wait_until(format!("leader({name}) == {keeper}"))
        .wait_until(format!("isr({name}) == {{{}}}", list(&[leader, keeper])))
        .expect(format!("log-end({name}) == 3"))
        .expect(format!("log-end({name}, {leader}) == 3"))
        .expect_nothing_lost())
}

fn unclean_election(cast: &Cast<'_>) -> Result<Script, String> {
    let (leader, followers) = (cast.leader()?, cast.followers(1)?);
    let (name, behind) = (cast.name(), followers[0]);
    quorum_without(cast, &cast.replicas())?;
    let ConsumerPlan { process: reader, bootstrap, .. } = cast.consumer()?;
    if followers[1..].contains(&bootstrap) {
        return Err(format!("It needs a reader that dials {leader} or {behind}."));
    }
    let mut script = Script::new()
        .setting("min.insync.replicas", "1")
        .setting("unclean.leader.election.enable", "true")
        .produce(cast, "order-123")
        .caption("The followers stop, and the leader goes on alone");
    for gone in &followers {
        script = script.shutdown(gone.as_str());
    }
    Ok(script
        .wait_until(format!("isr({name}) == {{{leader}}}"))
        .send(cast, Sent { count: 3, ..Sent::one(cast, "order-124") })
        .wait_until(format!("position({reader}, {name}) == 4"))
        .caption("The only replica that has all four records dies")
        .crash(leader.as_str())
        .wait_until(format!("leader({name}) == none"))
        .restart(behind.as_str())
        .caption("Not in the ISR, and elected all the same")
        .wait_until(format!("leader({name}) == {behind}"))
        .wait_until(format!("high-watermark({name}) == 1"))
        .expect(format!("log-end({name}) == 1"))
        .caption("The old leader returns and cuts what nobody else had")
        .restart(leader.as_str())
        .wait_until(format!("isr({name}) == {{{}}}", list(&[leader, behind])))
        .expect(format!("log-end({name}, {leader}) == 1"))
        .expect("violation(J3)")
        .caption("The reader was at offset 4 and is sent back to where the logs part")
        .produce(cast, "order-127")
        .wait_until(format!("position({reader}, {name}) == 2")))
}

fn acks_leader_loss(cast: &Cast<'_>) -> Result<Script, String> {
    let (leader, followers) = (cast.leader()?, cast.followers(1)?);
    cast.survives(leader)?;
    let (name, successor) = (cast.name(), followers[0]);
    Ok(Script::new()
        .produce(cast, "order-123")
        .caption("For a moment the followers do not reach their leader")
        .partition(&[leader], &followers)
        .caption("acks=1: the leader alone answers")
        .produce_as(cast, "order-124", Acks::Leader)
        .expect(format!("high-watermark({name}) == 1"))
        .crash(leader.as_str())
        .heal()
        .wait_until(format!("leader({name}) == {successor}"))
        .caption("Acknowledged, and nowhere but in a dead broker's log")
        .expect(format!("log-end({name}) == 1"))
        .expect("violation(J3)")
        .produce(cast, "order-125")
        .expect(format!("log-end({name}) == 2"))
        .restart(leader.as_str())
        .wait_until(format!("isr-size({name}) == {}", followers.len() + 1))
        .caption("The old leader cut its record and took over what stands there now")
        .expect(format!("log-end({name}, {leader}) == 2")))
}

/// Everybody but the producer loses the leader out of sight.
fn zombie_leader(cast: &Cast<'_>) -> Result<Script, String> {
    let (leader, followers) = (cast.leader()?, cast.followers(1)?);
    cast.survives(leader)?;
    quorum_without(cast, &[leader])?;
    let (name, successor) = (cast.name(), followers[0]);
    let producer = &cast.producer.process;
    let nodes = cast.plan.nodes.iter().map(|node| &node.process);
    let others: Vec<&ProcessId> = nodes.filter(|node| *node != leader).collect();
    Ok(Script::new()
        .produce(cast, "order-123")
        .caption("The leader loses sight of every broker and controller")
        .partition(&[leader], &others)
        .produce_as(cast, "order-124", Acks::Leader)
        .wait_until(format!("leader({name}) == {successor}"))
        .caption("It does not know of its successor, and goes on taking acks=1")
        .produce_as(cast, "order-125", Acks::Leader)
        .caption("acks=all waits: nobody fetches")
        .produce_unawaited(cast, "order-126")
        .wait(500)
        .expect(format!("log-end({name}, {leader}) == 4"))
        .expect(format!("high-watermark({name}, {leader}) == 1"))
        .heal()
        .wait_until(format!("told({producer}, NOT_LEADER_OR_FOLLOWER)"))
        .wait_until(format!("isr-size({name}) == {}", followers.len() + 1))
        .wait_until(format!("high-watermark({name}) == 2"))
        .caption("What only the old leader had is cut; acks=all was sent again")
        .expect(format!("log-end({name}, {leader}) == 2"))
        .expect(format!("leader-epoch({name}) == 1"))
        .expect("!violation(R12)")
        .expect("violation(J3)"))
}
