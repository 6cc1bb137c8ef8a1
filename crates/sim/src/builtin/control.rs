//! C: the metadata quorum and the active controller.

use topomotion_model::ProcessId;

use super::cast::{Cast, list};
use super::script::Script;
use super::{Billing, Entry};

pub(super) const ALL: &[Entry] = &[
    told(
        "quorum-election",
        "The quorum elects its leader",
        "A voter asks for pre-votes, then for votes, and leads once a majority has \
         granted them.",
        quorum_election,
    ),
    told(
        "metadata-commit",
        "How a metadata change is committed",
        "The active controller answers when a majority of the voters has fetched what \
         it appended.",
        metadata_commit,
    ),
    told(
        "controller-crash",
        "The active controller crashes",
        "The other voters miss their leader after two seconds; producers and consumers \
         do not.",
        controller_crash,
    ),
    told(
        "controller-resigns",
        "The active controller resigns",
        "A controller that is shut down names its successors, so that nobody waits for \
         a timeout.",
        controller_resigns,
    ),
    told(
        "controller-isolated",
        "An isolated controller steps down",
        "A leader that no majority fetches from resigns by itself.",
        controller_isolated,
    ),
    told(
        "controller-isolated-old-era",
        "An isolated controller stays",
        "Before Kafka 3.7 a leader without a majority stayed, and could commit nothing.",
        controller_isolated_old_era,
    ),
    told(
        "disruptive-voter",
        "A voter comes back and disturbs nobody",
        "Who was cut off asks for pre-votes before it raises the epoch: a healthy \
         leader stays.",
        disruptive_voter,
    ),
    told(
        "disruptive-voter-old-era",
        "A voter comes back and deposes the leader",
        "Before Kafka 4.0 a voter that was cut off raised the epoch alone, and a \
         healthy leader fell.",
        disruptive_voter_old_era,
    ),
    told(
        "controllers-fall",
        "Two active controllers fall one after the other",
        "Five voters lose their leader, and the next one too: three are a majority \
         still.",
        controllers_fall,
    ),
    told(
        "split-vote",
        "A split vote",
        "Two candidates each vote for themselves: nobody leads, and random waits decide \
         the next epoch.",
        split_vote,
    ),
    told(
        "metadata-divergence",
        "What an old controller appended is truncated",
        "What no majority has fetched is not committed, and is cut off when another \
         leads.",
        metadata_divergence,
    ),
    told(
        "metadata-snapshot",
        "A snapshot of the metadata log is fetched",
        "Who asks for records that the leader has trimmed is sent a snapshot instead.",
        metadata_snapshot,
    ),
    told(
        "quorum-grows",
        "The quorum grows",
        "Controllers catch up without a vote and are added one at a time; then the \
         leader is removed.",
        quorum_grows,
    ),
    told(
        "broker-joins",
        "A broker joins",
        "A broker registers and stays fenced until it has caught up with the metadata.",
        broker_joins,
    ),
    told(
        "duplicate-broker",
        "A broker id is taken",
        "A broker that starts anew is refused until the session of its former self has \
         run out.",
        duplicate_broker,
    ),
    told(
        "voter-disk-lost",
        "A voter loses its disk",
        "A voter that comes back empty may vote, but cannot be elected.",
        voter_disk_lost,
    ),
    told(
        "quorum-table",
        "How many controllers may fail",
        "The quorum lives as long as more than half of the voters; the data goes on \
         without it.",
        quorum_table,
    ),
];

const fn told(
    id: &'static str,
    title: &'static str,
    tell: &'static str,
    script: fn(&Cast<'_>) -> Result<Script, String>,
) -> Entry {
    Entry { id, title, tell, billing: Billing::OnDemand, script }
}

/// Long enough for a voter without a leader to stand for election, and more than once.
const SEVERAL_ELECTIONS_MS: u64 = 12_000;

/// How long a voter's fetch waits at the leader where nothing happens, and a little more.
const FETCH_WAIT_MS: u64 = 600;

/// Voters that start at the same instant might split the vote.
const ONE_AFTER_THE_OTHER_MS: u64 = 200;

/// The active controller, whoever that is.
fn active() -> ProcessId {
    "@controller".into()
}

/// A voter that waits for the active controller to fail.
fn standby() -> ProcessId {
    "@standby".into()
}

/// Every node of the cluster.
fn nodes<'a>(cast: &Cast<'a>) -> Vec<&'a ProcessId> {
    cast.plan.nodes.iter().map(|node| &node.process).collect()
}

/// A name that no topic has.
fn new_topic(cast: &Cast<'_>) -> &'static str {
    let names = ["audit", "invoices", "payments"];
    let free = names.into_iter().find(|name| cast.plan.topic(name).is_none());
    free.unwrap_or("audit-of-another-kind")
}

/// A change of metadata: a topic of one partition on as many brokers as may be.
fn create(cast: &Cast<'_>) -> String {
    let replicas = cast.plan.brokers().count().min(3);
    format!("create-topic {} partitions=1 replicas={replicas}", new_topic(cast))
}

fn created(cast: &Cast<'_>) -> String {
    format!("partitions({}) == 1", new_topic(cast))
}

/// Whoever leads the quorum now, it is not whom the story last hit.
fn succeeds(script: Script) -> Script {
    script.wait_until("controller != @last").wait_until("controller != none")
}

fn quorum_election(cast: &Cast<'_>) -> Result<Script, String> {
    let voters = cast.pure_voters(3)?;
    let mut script = Script::new();
    for voter in &voters {
        script = script.crash(voter.as_str());
    }
    script = script.expect("controller == none");
    for voter in &voters {
        script = script.restart(voter.as_str()).wait(ONE_AFTER_THE_OTHER_MS);
    }
    script = script.wait_until("controller != none").expect("quorum-epoch >= 2");
    Ok(script.expect(format!("voters == {{{}}}", list(&voters))))
}

fn metadata_commit(cast: &Cast<'_>) -> Result<Script, String> {
    cast.voters(3)?;
    let topic = new_topic(cast);
    let script = Script::new()
        .admin(create(cast))
        .wait_until(created(cast))
        .expect(format!("leader({topic}-0) != none"));
    Ok(script)
}

fn controller_crash(cast: &Cast<'_>) -> Result<Script, String> {
    cast.pure_voters(3)?;
    let (partition, leader) = (cast.name(), cast.leader()?);
    // Voters that lose their leader at the same instant split the vote: that is another
    // story.
    let script = Script::new()
        .caption("One voter is a little farther from the leader than the others")
        .fault("slow @standby > @controller by 20 ms")
        .wait(FETCH_WAIT_MS)
        .produce(cast, "order-123")
        .crash("@controller")
        .caption("No controller is active: records are replicated all the same")
        .produce(cast, "order-124");
    let script = succeeds(script)
        .expect("quorum-epoch >= 2")
        .expect(format!("leader({partition}) == {leader}"))
        .expect(format!("high-watermark({partition}) == 2"))
        .expect_nothing_lost();
    Ok(script)
}

fn controller_resigns(cast: &Cast<'_>) -> Result<Script, String> {
    cast.pure_voters(3)?;
    let script = Script::new()
        .shutdown("@controller")
        .expect("controller != none")
        .expect("controller != @last")
        .expect("quorum-epoch >= 2");
    Ok(script)
}

fn controller_isolated(cast: &Cast<'_>) -> Result<Script, String> {
    cast.pure_voters(3)?;
    let script = Script::new().partition(&[&active()], &nodes(cast));
    let script = succeeds(script)
        .produce(cast, "order-123")
        .caption("The old leader has resigned; it learns who leads now")
        .heal()
        .wait(SEVERAL_ELECTIONS_MS)
        .expect("controller != @last")
        .expect(format!("leader({}) == {}", cast.name(), cast.leader()?))
        .expect_nothing_lost();
    Ok(script)
}

fn controller_isolated_old_era(cast: &Cast<'_>) -> Result<Script, String> {
    let voters = cast.pure_voters(3)?;
    let script = Script::new()
        .setting("era.check-quorum", "false")
        .caption("The brokers still hear the old leader, which can commit nothing")
        .partition(&[&active()], &voters);
    let script = succeeds(script)
        .wait_until("violation(K12)")
        .caption("Two believe that they lead")
        .wait(FETCH_WAIT_MS)
        .heal()
        .wait(SEVERAL_ELECTIONS_MS)
        .expect("controller != @last")
        .expect_nothing_lost();
    Ok(script)
}

/// A voter that does not lead is cut off for a while. `@last` is the leader.
fn cut_off_for_a_while(cast: &Cast<'_>) -> Script {
    let (active, everybody) = (active(), nodes(cast));
    let others: Vec<&ProcessId> = everybody.into_iter().chain([&active]).collect();
    Script::new()
        .partition(&others, &[&standby()])
        .wait(SEVERAL_ELECTIONS_MS)
        .expect("controller == @last")
        .heal()
}

fn disruptive_voter(cast: &Cast<'_>) -> Result<Script, String> {
    cast.pure_voters(3)?;
    Ok(cut_off_for_a_while(cast).wait(SEVERAL_ELECTIONS_MS).expect("controller == @last"))
}

fn disruptive_voter_old_era(cast: &Cast<'_>) -> Result<Script, String> {
    cast.pure_voters(3)?;
    Ok(cut_off_for_a_while(cast)
        .setting("era.pre-vote", "false")
        .wait_until("controller != @last")
        .wait_until("controller != none")
        .expect("quorum-epoch >= 3")
        .expect("violation(K14)"))
}

fn controllers_fall(cast: &Cast<'_>) -> Result<Script, String> {
    cast.pure_voters(5)?;
    let script = succeeds(Script::new().crash("@controller"));
    let script = succeeds(script.crash("@controller"));
    Ok(script.expect("quorum-epoch >= 3"))
}

fn split_vote(cast: &Cast<'_>) -> Result<Script, String> {
    let voters = cast.pure_voters(3)?;
    let mut script = Script::new();
    for voter in &voters {
        script = script.pause(voter.as_str());
    }
    script = script.wait(SEVERAL_ELECTIONS_MS).crash("@controller");
    for voter in &voters {
        script = script.resume(voter.as_str());
    }
    Ok(script.wait_until("controller != none").expect("quorum-epoch >= 3"))
}

fn metadata_divergence(cast: &Cast<'_>) -> Result<Script, String> {
    let voters = cast.pure_voters(3)?;
    let script = Script::new()
        .partition(&[&active()], &voters)
        .caption("The broker asks the old leader: it appends, and nobody fetches")
        .admin(create(cast));
    let script = succeeds(script)
        .wait_until(created(cast))
        .heal()
        .wait(SEVERAL_ELECTIONS_MS)
        .expect("controller != @last")
        .expect(created(cast));
    Ok(script)
}

fn metadata_snapshot(cast: &Cast<'_>) -> Result<Script, String> {
    cast.pure_voters(3)?;
    let (topic, start) = (new_topic(cast), "log-start(__cluster_metadata-0, @last)");
    let script = Script::new()
        .setting("metadata.log.max.record.bytes.between.snapshots", "100")
        .setting("metadata.max.retention.bytes", "100")
        .fault(format!("lose-disk {}", standby()))
        .caption("Meanwhile the metadata log grows, and is trimmed behind a snapshot")
        .admin(format!("create-topic {topic} partitions=4 replicas=1"))
        .admin(format!("grow {topic} to 8"))
        .restart("@last")
        .wait_until(format!("{start} > 0"))
        .wait_until(format!("partitions({topic}) == 8"));
    Ok(script)
}

fn quorum_grows(cast: &Cast<'_>) -> Result<Script, String> {
    let controllers: Vec<&ProcessId> =
        cast.plan.controllers().map(|node| &node.process).collect();
    let found = controllers.len();
    let Some((first, more @ [_, ..])) = controllers.split_at_checked(3) else {
        return Err(format!("It needs 4 controllers: there are {found}."));
    };
    let named = first.iter().map(|voter| voter.as_str()).collect::<Vec<_>>().join(",");
    let mut script = Script::new()
        .setting("kraft.version", "1")
        .setting("controller.quorum.voters", &named)
        .expect(format!("voters == {{{}}}", list(first)));
    let mut voters = first.to_vec();
    for newcomer in more {
        voters.push(newcomer);
        script = script
            .admin(format!("add-voter {newcomer}"))
            .expect(format!("voters == {{{}}}", list(&voters)));
    }
    let asks = &cast.producer.process;
    script = script
        .admin(format!("add-voter {}", more[0]))
        .expect(format!("told({asks}, DUPLICATE_VOTER)"))
        .admin("remove-voter @controller")
        .wait_until(format!("voters != {{{}}}", list(&voters)))
        .wait_until("controller != none");
    Ok(script)
}

/// A broker that does not vote, and does not lead the partition of the story.
fn plain_broker<'a>(cast: &Cast<'a>) -> Result<&'a ProcessId, String> {
    let leader = cast.leader()?;
    let voters = cast.voters(0)?;
    let may = |broker: &&ProcessId| *broker != leader && !voters.contains(broker);
    let brokers = cast.brokers(2)?;
    let found = brokers.into_iter().rfind(may);
    found.ok_or_else(|| "It needs a broker that does not vote, next to a leader.".into())
}

fn broker_joins(cast: &Cast<'_>) -> Result<Script, String> {
    let (broker, partition) = (plain_broker(cast)?, cast.name());
    let replicas = cast.replicas().len();
    let script = Script::new()
        .fault(format!("lose-disk {broker}"))
        .wait_until(format!("fenced({broker})"))
        .caption(format!("{broker} starts with an empty disk"))
        .restart(broker.as_str())
        .expect(format!("fenced({broker})"))
        .wait_until(format!("unfenced({broker})"))
        .wait_until(format!("isr-size({partition}) == {replicas}"));
    Ok(script)
}

fn duplicate_broker(cast: &Cast<'_>) -> Result<Script, String> {
    let (broker, partition) = (plain_broker(cast)?, cast.name());
    let replicas = cast.replicas().len();
    let script = Script::new()
        .caption(format!("{broker} is killed and started again within its session"))
        .restart(broker.as_str())
        .wait_until(format!("told({broker}, DUPLICATE_BROKER_REGISTRATION)"))
        .wait_until(format!("fenced({broker})"))
        .wait_until(format!("unfenced({broker})"))
        .wait_until(format!("isr-size({partition}) == {replicas}"));
    Ok(script)
}

fn voter_disk_lost(cast: &Cast<'_>) -> Result<Script, String> {
    cast.pure_voters(3)?;
    let script = Script::new()
        .fault(format!("lose-disk {}", standby()))
        .restart("@last")
        .crash("@controller");
    let script = succeeds(script)
        .admin(create(cast))
        .wait_until(created(cast))
        .produce(cast, "order-123")
        .expect_nothing_lost();
    Ok(script)
}

fn quorum_table(cast: &Cast<'_>) -> Result<Script, String> {
    let voters = cast.pure_voters(3)?;
    let (all, majority) = (voters.len(), voters.len() / 2 + 1);
    let mut script = Script::new();
    for (dead, voter) in (1..).zip(&voters[..all - majority]) {
        let left = all - dead;
        script = script
            .caption(format!("{left} of {all} voters are left: a majority is {majority}"))
            .crash(voter.as_str())
            .wait_until("controller != none");
    }
    script = script.admin(create(cast)).wait_until(created(cast));
    let (last, left) = (voters[all - majority], majority - 1);
    let script = script
        .caption(format!("{left} of {all} voters are left: no majority"))
        .crash(last.as_str())
        .wait_until("controller == none")
        .wait(SEVERAL_ELECTIONS_MS)
        .expect("controller == none")
        .caption("No metadata can change; records are replicated all the same")
        .produce(cast, "order-123")
        .restart(last.as_str())
        .wait_until("controller != none")
        .expect_nothing_lost();
    Ok(script)
}
