//! B15 to B19: mistakes of older versions of Kafka, each with the switch that brings it back,
//! and what happens without. Producers number their records in none of the eras that
//! truncation is about: idempotence became the default with Kafka 3.0.

use topomotion_model::{Acks, ProcessId};

use super::super::cast::{Cast, list};
use super::super::replication::quorum_without;
use super::super::script::Script;

/// A leader and those two followers that lead after it.
struct Trio<'a> {
    first: &'a ProcessId,
    second: &'a ProcessId,
    third: &'a ProcessId,
}

impl<'a> Trio<'a> {
    fn find(cast: &Cast<'a>) -> Result<Trio<'a>, String> {
        let replicas = cast.replicas_at_least(3)?;
        let (first, second, third) = (replicas[0], replicas[1], replicas[2]);
        quorum_without(cast, &[first, second])?;
        Ok(Trio { first, second, third })
    }
}

/// A record is committed, and nobody but its leader knows; the leader dies. Who leads next has
/// the record, who follows has it too, and leads as the last one that does.
fn two_leaders_die(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, Trio { first, second, third }) = (cast.name(), Trio::find(cast)?);
    Ok(Script::new()
        .setting("min.insync.replicas", "1")
        .setting("producer.enable.idempotence", "false")
        .produce(cast, "order-123")
        .wait(1_000)
        .caption("All three have it, and only the leader knows")
        .produce(cast, "order-124")
        .partition(&[first], &[second, third])
        .expect(format!("log-end({name}, {third}) == 2"))
        .expect(format!("high-watermark({name}, {third}) == 1"))
        .partition(&[second], &[third]))
}

fn second_leader_dies(script: Script, cast: &Cast<'_>) -> Result<Script, String> {
    let (name, Trio { first, second, third }) = (cast.name(), Trio::find(cast)?);
    Ok(script
        .crash(first.as_str())
        .caption("The third one follows the second now, and cannot fetch yet")
        .wait_until(format!("leader({name}) == {second}"))
        .wait(100)
        .crash(second.as_str())
        .wait_until(format!("leader({name}) == {third}"))
        .heal())
}

pub(super) fn kip_101_loss(cast: &Cast<'_>) -> Result<Script, String> {
    let name = cast.name();
    let script = two_leaders_die(cast)?.setting("era.truncation", "hw");
    Ok(second_leader_dies(script, cast)?
        .wait(100)
        .caption("It cut its log at its own high watermark: the second record is gone")
        .expect(format!("log-end({name}) == 1"))
        .expect("violation(R12)")
        .expect("violation(J3)"))
}

pub(super) fn kip_101_loss_fixed(cast: &Cast<'_>) -> Result<Script, String> {
    let name = cast.name();
    let script = two_leaders_die(cast)?.setting("era.truncation", "fetch");
    Ok(second_leader_dies(script, cast)?
        .caption("Nothing was cut: only its leader can say where the logs part")
        .wait_until(format!("high-watermark({name}) == 2"))
        .expect(format!("log-end({name}) == 2"))
        .expect_nothing_lost())
}

/// The old leader has written down how far it knows the second record to be committed: so it
/// keeps it when it comes back.
fn divergence(cast: &Cast<'_>, truncation: &str) -> Result<Script, String> {
    let (name, Trio { first, third, .. }) = (cast.name(), Trio::find(cast)?);
    let reader = &cast.consumer()?.process;
    let script = two_leaders_die(cast)?
        .setting("era.truncation", truncation)
        .caption("The leader writes its high watermark down every 5 s")
        .wait(6_000)
        .expect(format!("position({reader}, {name}) == 2"));
    Ok(second_leader_dies(script, cast)?
        .produce_as(cast, "order-125", Acks::Leader)
        .restart(first.as_str())
        .wait_until(format!("isr({name}) == {{{}}}", list(&[first, third])))
        .produce(cast, "order-126"))
}

pub(super) fn kip_101_divergence(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, Trio { first, third, .. }) = (cast.name(), Trio::find(cast)?);
    let reader = &cast.consumer()?.process;
    Ok(divergence(cast, "hw")?
        .caption("Offset 1 is order-124 on one of them, and order-125 on the other")
        .expect(format!("log-end({name}, {first}) == 3"))
        .expect(format!("log-end({name}, {third}) == 3"))
        .expect("violation(R14)")
        .expect("violation(R2)")
        .expect("violation(R12)")
        .caption("The reader was given offset 1 twice, with two different records")
        .wait_until(format!("position({reader}, {name}) == 3"))
        .expect("violation(J1)")
        .expect("violation(J8)")
        .expect("violation(J3)"))
}

pub(super) fn kip_101_divergence_fixed(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, Trio { first, third, .. }) = (cast.name(), Trio::find(cast)?);
    Ok(divergence(cast, "kip101")?
        .caption("order-124 was kept, and order-125 came after it, on both")
        .expect(format!("log-end({name}, {first}) == 4"))
        .expect(format!("log-end({name}, {third}) == 4"))
        .expect_nothing_lost())
}

/// Two leaders in turn write one record each that nobody else gets; the first leads again and
/// has never heard of the second one's epoch.
fn fast_leader_changes(cast: &Cast<'_>, truncation: &str) -> Result<Script, String> {
    let (first, followers) = (cast.leader()?, cast.followers(1)?);
    let (name, second) = (cast.name(), followers[0]);
    quorum_without(cast, &cast.replicas())?;
    let mut script = Script::new()
        .setting("min.insync.replicas", "1")
        .setting("unclean.leader.election.enable", "true")
        .setting("producer.enable.idempotence", "false")
        .setting("era.truncation", truncation)
        .produce(cast, "order-123");
    for gone in &followers[1..] {
        script = script.shutdown(gone.as_str());
    }
    Ok(script
        .wait_until(format!("isr({name}) == {{{}}}", list(&[first, second])))
        .partition(&[first], &[second])
        .caption("Epoch 0: only the first leader has this one")
        .produce_as(cast, "order-124", Acks::Leader)
        .crash(first.as_str())
        .heal()
        .wait_until(format!("leader({name}) == {second}"))
        .caption("Epoch 1: only the second leader has this one, at the same offset")
        .produce_as(cast, "order-125", Acks::Leader)
        .crash(second.as_str())
        .wait_until(format!("leader({name}) == none"))
        .restart(first.as_str())
        .wait_until(format!("leader({name}) == {first}"))
        .caption("The first leader again, who has never heard of the epoch between")
        .produce_as(cast, "order-126", Acks::Leader)
        .caption("Where does its epoch end? The second one must find out")
        .restart(second.as_str())
        .wait_until(format!("isr({name}) == {{{}}}", list(&[first, second])))
        .expect(format!("log-end({name}, {second}) == 3")))
}

pub(super) fn kip_279_divergence(cast: &Cast<'_>) -> Result<Script, String> {
    Ok(fast_leader_changes(cast, "kip101")?
        .caption("An offset alone, and too little cut: offset 1 differs")
        .expect("violation(R14)"))
}

pub(super) fn kip_279_divergence_fixed(cast: &Cast<'_>) -> Result<Script, String> {
    Ok(fast_leader_changes(cast, "kip279")?
        .caption("The answer named epoch 0, and the follower cut what only it had")
        .expect("!violation(R14)")
        .expect("!violation(R2)"))
}

/// A pause longer than the session's 9 s: a garbage collection, or a virtual machine that is
/// moved.
fn old_leader_wakes_up(cast: &Cast<'_>) -> Result<Script, String> {
    let (leader, followers) = (cast.leader()?, cast.followers(1)?);
    cast.survives(leader)?;
    quorum_without(cast, &[leader])?;
    let (name, successor) = (cast.name(), followers[0]);
    Ok(Script::new()
        .setting("min.insync.replicas", "1")
        .setting("replica.lag.time.max.ms", "4000")
        .produce(cast, "order-123")
        .caption("The leader's process stands still, longer than its session lasts")
        .pause(leader.as_str())
        .wait_until(format!("leader({name}) == {successor}"))
        .produce(cast, "order-124")
        .produce(cast, "order-125")
        .caption("It wakes up, still thinks that it leads, and misses its followers")
        .resume(leader.as_str()))
}

pub(super) fn zombie_isr_request(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, leader, followers) = (cast.name(), cast.leader()?, cast.followers(1)?);
    Ok(old_leader_wakes_up(cast)?
        .setting("era.isr-fencing", "true")
        .wait_until(format!("told({leader}, FENCED_LEADER_EPOCH)"))
        .expect(format!("leader({name}) == {}", followers[0]))
        .expect("!violation(R17)")
        .wait_until(format!("isr-size({name}) == {}", cast.replicas().len()))
        .wait_until(format!("log-end({name}, {leader}) == 3"))
        .expect_nothing_lost())
}

pub(super) fn zombie_isr_request_unfenced(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, leader, followers) = (cast.name(), cast.leader()?, cast.followers(1)?);
    let committed = followers[0];
    Ok(old_leader_wakes_up(cast)?
        .setting("era.isr-fencing", "false")
        .setting("era.isr-admission", "anyone")
        .wait_until(format!("leader({name}) == {leader}"))
        .caption("It leads again, without what was committed while it slept")
        .expect("violation(R17)")
        .expect("violation(R22)")
        .wait_until(format!("isr-size({name}) == {}", cast.replicas().len()))
        .wait_until(format!("log-end({name}, {committed}) <= 2"))
        .expect("violation(J3)"))
}

/// The heartbeats come often, so that the moments that matter follow each other closely.
fn wiped_replica(cast: &Cast<'_>) -> Result<Script, String> {
    let (leader, (wiped, others)) = (cast.leader()?, kip_903_cast(cast)?);
    quorum_without(cast, &cast.replicas())?;
    let voters = cast.pure_voters(1)?;
    let (name, controllers) = (cast.name(), list(&voters).replace(", ", ","));
    Ok(Script::new()
        .setting("min.insync.replicas", "1")
        .setting("broker.heartbeat.interval.ms", "500")
        .produce(cast, "order-123")
        .crash(wiped.as_str())
        .wait_until(format!("isr-size({name}) == {}", others.len()))
        .wait(1_000)
        .fault(format!("clog {wiped} > {leader}"))
        .restart(wiped.as_str())
        .wait(4_000)
        .caption("Its heartbeats are held up, its fetches come through")
        .fault(format!("detain {wiped} > {controllers}"))
        .wait(3_300)
        .caption("The leader asks for it in the ISR; the request is long under way")
        .fault(format!("clog {leader} > {controllers}"))
        .fault(format!("unclog {wiped} > {leader}"))
        .wait(300)
        .fault(format!("clog {wiped} > {leader}"))
        .wait(300)
        .caption("Meanwhile the replica loses its disk")
        .fault(format!("lose-disk {wiped}"))
        .wait(5_300)
        .restart(wiped.as_str())
        .wait(1_200)
        .caption("Now the request arrives")
        .fault(format!("unclog {leader} > {controllers}"))
        .wait(1_000))
}

/// Everybody but the last replica, which is the one that is wiped.
fn kip_903_cast<'a>(
    cast: &Cast<'a>,
) -> Result<(&'a ProcessId, Vec<&'a ProcessId>), String> {
    let mut others = cast.replicas_at_least(2)?;
    let wiped = others.remove(others.len() - 1);
    Ok((wiped, others))
}

pub(super) fn kip_903_wiped_replica(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, (wiped, others)) = (cast.name(), kip_903_cast(cast)?);
    let mut script = wiped_replica(cast)?
        .setting("era.isr-admission", "active")
        .expect(format!("isr-size({name}) == {}", others.len() + 1))
        .expect(format!("log-end({name}, {wiped}) == 0"))
        .expect("violation(R16)")
        .caption("The others die before it has fetched anything");
    for dead in others {
        script = script.crash(dead.as_str());
    }
    Ok(script
        .wait_until(format!("leader({name}) == {wiped}"))
        .wait(100)
        .caption("An empty log leads: every record is gone")
        .expect(format!("log-end({name}) == 0"))
        .expect("violation(R12)")
        .expect("violation(J3)"))
}

pub(super) fn kip_903_wiped_replica_fixed(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, (wiped, others)) = (cast.name(), kip_903_cast(cast)?);
    Ok(wiped_replica(cast)?
        .setting("era.isr-admission", "same-incarnation")
        .caption("Refused: the replica that was asked for is not there any more")
        .expect(format!("told({}, INELIGIBLE_REPLICA)", others[0]))
        .expect(format!("isr-size({name}) == {}", others.len()))
        .heal()
        .wait_until(format!("isr-size({name}) == {}", others.len() + 1))
        .caption("It came in on its own account, with all records")
        .expect(format!("log-end({name}, {wiped}) == 1"))
        .expect_nothing_lost())
}
