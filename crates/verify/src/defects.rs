//! Mistakes of the engine itself: each is sown into a run that breaks nothing without it, and
//! the invariant that is about it must notice.
//!
//! Where evidence is only altered ([`mutants`](crate::mutants)) the checker is shown to work;
//! here, that a run shows it enough.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use topomotion_sim::{Operation, RunFile, Weather, probe};
use topomotion_wire::Defect;

use crate::{Court, conclude, mutants, plays};

/// A storm of three brokers and three controllers; somebody writes all the time, with
/// acks=all and `min.insync.replicas=2`. `controller-101` leads the quorum at first and
/// `broker-1` the partition.
#[derive(Clone, Copy)]
struct Story {
    seed: u64,
    until_ms: u64,
    /// How many records are sent at once, and how.
    records: u32,
    acks: &'static str,
    settings: &'static [(&'static str, &'static str)],
    /// The producer's.
    producer: &'static [(&'static str, &'static str)],
    admin: &'static [&'static str],
    nemesis: &'static [&'static str],
}

const STORY: Story = Story {
    seed: 0,
    until_ms: 8_000,
    records: 1,
    acks: "all",
    settings: &[],
    producer: &[],
    admin: &[],
    nemesis: &[],
};

/// The reader is kept from reading for a while.
const BACKLOG: Story = Story {
    until_ms: 10_000,
    nemesis: &["4.000 partition reader > broker-1,broker-2,broker-3", "6.000 heal"],
    ..STORY
};

const QUIET: Story = Story { nemesis: &["6.000 heal"], ..STORY };

/// The leader fails, and comes back for its leadership.
const FAILOVER: Story = Story {
    until_ms: 22_000,
    admin: &["18.000 admin elect preferred orders-0"],
    nemesis: &[
        "3.000 crash broker-1",
        "14.000 restart broker-1",
        "18.300 reset shop > broker-2",
    ],
    ..STORY
};

/// A follower fails and comes back.
const FOLLOWER_FAILS: Story = Story {
    until_ms: 18_000,
    nemesis: &["3.000 crash broker-3", "14.000 restart broker-3"],
    ..STORY
};

/// One replica after the other fails, the last of the ISR at the end.
const DECIMATED: Story = Story {
    until_ms: 26_000,
    nemesis: &[
        "3.000 crash broker-2",
        "3.200 crash broker-3",
        "16.000 crash broker-1",
        "17.000 restart broker-2",
    ],
    ..STORY
};

/// The last of the ISR fails, for a producer that would wait for ever.
const PATIENCE: Story = Story {
    until_ms: 20_000,
    producer: &[("delivery.timeout.ms", "100000000")],
    nemesis: &["3.000 crash broker-2", "3.200 crash broker-3", "15.000 crash broker-1"],
    ..STORY
};

/// One replica after the other fails where unclean elections are allowed.
const UNCLEAN: Story = Story {
    until_ms: 34_000,
    settings: &[("unclean.leader.election.enable", "true")],
    nemesis: &[
        "3.000 crash broker-2",
        "3.200 crash broker-3",
        "15.000 crash broker-1",
        "17.000 restart broker-2",
        "30.000 restart broker-3",
    ],
    ..STORY
};

/// Two replicas lead in turn without having heard of each other: one led a later epoch, whose
/// records are cut off for those of an earlier one.
const HISTORIES: Story = Story {
    until_ms: 42_000,
    settings: &[
        ("unclean.leader.election.enable", "true"),
        ("topic min.insync.replicas", "1"),
    ],
    nemesis: &[
        "2.900 crash broker-3",
        "3.000 crash broker-2",
        "14.000 crash broker-1",
        "14.500 restart broker-2",
        "26.000 crash broker-2",
        "26.500 restart broker-1",
        "37.000 restart broker-2",
    ],
    ..STORY
};

/// Replicas stay eligible while the ISR is too small.
const ELIGIBLE: Story = Story {
    until_ms: 24_000,
    settings: &[("era.elr", "true")],
    nemesis: &[
        "4.000 crash broker-3",
        "4.200 crash broker-2",
        "15.000 restart broker-2",
        "16.000 restart broker-3",
    ],
    ..STORY
};

/// A follower lags behind a leader that the controllers do not hear.
const LAGGARD: Story = Story {
    until_ms: 13_000,
    settings: &[("replica.lag.time.max.ms", "2000")],
    nemesis: &[
        "4.000 partition broker-1 > controller-101,controller-102,controller-103",
        "4.100 partition broker-3 > broker-1",
        "12.000 heal",
    ],
    ..STORY
};

/// A broker loses touch with every controller for a while.
const OUT_OF_TOUCH: Story = Story {
    until_ms: 22_000,
    nemesis: &[
        "5.000 partition broker-3 > controller-101,controller-102,controller-103",
        "20.000 heal",
    ],
    ..STORY
};

/// The leader of the quorum hears no other voter when it has something to write.
const LONELY_CONTROLLER: Story = Story {
    until_ms: 20_000,
    admin: &["12.500 admin create-topic x", "13.000 admin create-topic y"],
    nemesis: &[
        "4.000 crash broker-3",
        "12.000 partition controller-101 > controller-102,controller-103",
        "18.000 heal",
    ],
    ..STORY
};

/// The leader of the quorum is cut off from everybody.
const CUT_OFF: Story = Story {
    until_ms: 18_000,
    nemesis: &[
        "8.000 partition controller-101 > controller-102,controller-103,broker-1,broker-2,broker-3",
        "15.000 heal",
    ],
    ..STORY
};

/// A voter that has missed something runs for leader in the moment in which the one that has
/// it begins to.
const LATECOMER: Story = Story {
    until_ms: 28_000,
    nemesis: &[
        "8.000 partition controller-103 > controller-101,controller-102,broker-1,broker-2,broker-3",
        "10.000 crash broker-3",
        "22.000 crash controller-101",
        "24.000 heal",
    ],
    ..STORY
};

/// No voter hears another, but the brokers hear them all.
const DEAF: Story = Story {
    until_ms: 20_000,
    nemesis: &[
        "5.000 partition controller-101 > controller-102,controller-103",
        "5.000 partition controller-103 > controller-102",
        "15.000 heal",
    ],
    ..STORY
};

/// One voter hears another, but not the leader.
const ONE_EAR: Story = Story {
    until_ms: 16_000,
    nemesis: &["8.000 partition controller-103 > controller-101", "15.000 heal"],
    ..STORY
};

/// No voter hears another; in the era without pre-votes their epochs rise for nothing.
const THREE_MINORITIES: Story = Story {
    until_ms: 24_000,
    settings: &[("era.pre-vote", "false")],
    nemesis: &[
        "5.000 partition controller-101 > controller-102,controller-103,broker-1,broker-2,broker-3",
        "5.000 partition controller-103 > controller-102,broker-1,broker-2,broker-3",
        "14.000 crash controller-102",
        "14.100 restart controller-102",
        "15.000 crash controller-103",
        "15.100 restart controller-103",
        "15.200 heal",
    ],
    ..STORY
};

/// As before; whoever votes again in the epoch in which it has voted is started again before it
/// hears of a later one.
const FORGETFUL: Story = Story { seed: 24, ..THREE_MINORITIES };

const VOTER_LEAVES: Story = Story {
    until_ms: 12_000,
    settings: &[("kraft.version", "1")],
    admin: &["8.000 admin remove-voter controller-103"],
    ..QUIET
};

/// Snapshots of a few records each.
const SNAPSHOTS: Story = Story {
    until_ms: 30_000,
    settings: &[
        ("metadata.log.max.record.bytes.between.snapshots", "300"),
        ("metadata.max.retention.bytes", "600"),
    ],
    nemesis: &[
        "4.000 crash broker-3",
        "15.000 restart broker-3",
        "18.000 crash broker-2",
        "29.000 restart broker-2",
    ],
    ..STORY
};

/// The same, of a producer that numbers its batches.
const NUMBERED_HISTORIES: Story =
    Story { producer: &[("enable.idempotence", "true")], ..HISTORIES };

/// Every batch but the first has an entry in its segment's index.
const INDEXED: Story =
    Story { settings: &[("topic index.interval.bytes", "1")], ..QUIET };

/// Retention has more to delete than is committed: a follower in the ISR lags behind.
const RETAINED: Story = Story {
    until_ms: 13_000,
    settings: &[
        ("topic segment.bytes", "100"),
        ("topic retention.bytes", "100"),
        ("log.retention.check.interval.ms", "500"),
    ],
    acks: "1",
    nemesis: &["4.000 partition broker-3 > broker-1", "12.000 heal"],
    ..STORY
};

/// A few keys, each written again and again, and deleted now and then.
const COMPACTED: Story = Story {
    settings: &[
        ("topic cleanup.policy", "compact"),
        ("topic segment.bytes", "700"),
        ("topic min.cleanable.dirty.ratio", "0.01"),
        ("topic delete.retention.ms", "2000"),
        ("log.cleaner.backoff.ms", "1000"),
    ],
    records: 4,
    ..FOLLOWER_FAILS
};

/// The invariant that must notice, the defect, and the run.
const SEEDED: &[(&str, Defect, &Story)] = &[
    ("R1", Defect::HwPastLeo, &FAILOVER),
    ("R2", Defect::RecoverHole, &FAILOVER),
    ("R3", Defect::ElectAnyReplica, &DECIMATED),
    ("R4", Defect::ElrNotCleared, &ELIGIBLE),
    ("R5", Defect::FenceKeepsIsr, &FAILOVER),
    ("R6", Defect::EpochNoBump, &FAILOVER),
    ("R7", Defect::TwoLeaders, &FAILOVER),
    ("R8", Defect::ShrinkBeforeCommit, &LAGGARD),
    ("R9", Defect::HwFromStaleFetch, &FOLLOWER_FAILS),
    ("R10", Defect::HwIgnoresSlowest, &LAGGARD),
    ("R12", Defect::ReuseOffset, &FAILOVER),
    ("R14", Defect::RecoverHole, &FAILOVER),
    ("R15", Defect::CacheNotTruncated, &HISTORIES),
    ("R18", Defect::AppendThenCheck, &DECIMATED),
    ("R19", Defect::AckOnAppend, &QUIET),
    ("R20", Defect::SkipRecovering, &UNCLEAN),
    ("R21", Defect::ServeLeo, &QUIET),
    ("R22", Defect::UncleanAlways, &DECIMATED),
    ("R23", Defect::ReuseOffset, &FAILOVER),
    ("K1", Defect::DoubleVote, &CUT_OFF),
    ("K2", Defect::VoteNotPersisted, &FORGETFUL),
    ("K3", Defect::QuorumStateLost, &THREE_MINORITIES),
    ("K4", Defect::HwReset, &LONELY_CONTROLLER),
    ("K5", Defect::CountObserver, &LONELY_CONTROLLER),
    ("K6", Defect::DoubleVote, &CUT_OFF),
    ("K7", Defect::VoteIgnoresLog, &LATECOMER),
    ("K8", Defect::TruncateCommitted, &LONELY_CONTROLLER),
    ("K9", Defect::TrimWithoutSnapshot, &SNAPSHOTS),
    ("K10", Defect::ApplySkips, &FOLLOWER_FAILS),
    ("K11", Defect::ReplyOnAppend, &FAILOVER),
    ("K13", Defect::PrevoteGranted, &ONE_EAR),
    ("K15", Defect::TwoVoterChanges, &VOTER_LEAVES),
    ("K16", Defect::BrokerEpochReused, &QUIET),
    ("K17", Defect::UnfenceEarly, &QUIET),
    ("K18", Defect::FenceOrder, &FAILOVER),
    ("S1", Defect::IndexSkew, &INDEXED),
    ("S2", Defect::RetentionHw, &RETAINED),
    ("S3", Defect::CompactReorder, &COMPACTED),
    ("S4", Defect::TombstoneNow, &COMPACTED),
    ("S5", Defect::RecoverHole, &FAILOVER),
    ("L1", Defect::LosersRest, &DEAF),
    ("L2", Defect::HeartbeatStops, &OUT_OF_TOUCH),
    ("L3", Defect::NoElectOnUnfence, &DECIMATED),
    ("L4", Defect::NeverExpand, &FOLLOWER_FAILS),
    ("L5", Defect::NoElectOnUnfence, &PATIENCE),
    ("L9", Defect::ObserverStuck, &OUT_OF_TOUCH),
    ("J1", Defect::ReuseOffset, &FAILOVER),
    ("J7", Defect::PollSkips, &QUIET),
    ("J8", Defect::PollRepeats, &QUIET),
    ("J9", Defect::PollMixes, &BACKLOG),
    ("J10", Defect::ReuseOffset, &FAILOVER),
    ("P3", Defect::StateNotTruncated, &NUMBERED_HISTORIES),
];

/// Invariants that an era of Kafka's own breaks; of R16 and R17 the simulator's tests tell.
const BY_ERA: &[&str] = &["R11", "R13", "R16", "R17", "K12", "K14"];

/// Invariants that nothing in the engine is made to break here, and why not.
const WITHOUT: &[(&str, &str)] = &[
    (
        "T1",
        "no client of ours ends a transaction in two ways; the coordinator's own storms do, \
         and altered evidence shows that it notices",
    ),
    (
        "P5",
        "batches that change places are numbered anew, so that J1 notices; altered evidence \
         shows that P5 notices too",
    ),
    ("J3", "what R12 finds comes first; altered evidence shows that it notices"),
    (
        "P4",
        "the controller gives each block once; altered evidence shows that it notices",
    ),
    ("T10", "what T5 finds comes first; altered evidence shows that it notices"),
    ("J14", "what T9 finds comes first; altered evidence shows that it notices"),
    (
        "J15",
        "transactions read in one direction here; altered evidence shows that it notices",
    ),
    ("J16", "what M9 finds comes first; altered evidence shows that it notices"),
    ("J12", "the consumer would have to stop: a cluster left dead shows that it notices"),
];

/// What assertions of the engine notice too: the run ends there.
const ASSERTED: &[Defect] = &[Defect::HwPastLeo, Defect::ReuseOffset];

/// What no client of ours would bring about: tests of the coordinator sow it.
const ELSEWHERE: &[Defect] = &[Defect::AnyTransition];

impl Story {
    fn file(&self) -> RunFile {
        let mut file = mutants::storm(self.nemesis);
        (file.seed, file.cluster.seed) = (self.seed, self.seed);
        file.cluster.topics.truncate(1);
        // Most defects show where the last replica in sync is all there is.
        let settings = [("era.elr".to_owned(), "false".to_owned())];
        file.cluster.settings = settings.into();
        for (name, value) in self.settings {
            let (settings, name) = match name.strip_prefix("topic ") {
                Some(name) => (&mut file.cluster.topics[0].settings, name),
                None => (&mut file.cluster.settings, *name),
            };
            settings.insert(name.to_owned(), (*value).to_owned());
        }
        for (name, value) in self.producer {
            let settings = &mut file.cluster.producers[0].settings;
            settings.insert((*name).to_owned(), (*value).to_owned());
        }
        let storm = file.storm.as_mut().expect("it is one");
        storm.until_ms = self.until_ms;
        storm.world = Weather::default();
        let sends = (1..self.until_ms / 160).map(|n| {
            let (at, count, acks) = (n * 160, self.records, self.acks);
            let (s, ms) = (at / 1_000, at % 1_000);
            format!("{s}.{ms:03} shop sends {count} to orders-0 acks={acks}")
        });
        let admin = self.admin.iter().map(|&line| line.to_owned());
        let lines = sends.chain(admin);
        let read = |line: String| line.parse::<Operation>().expect("an operation");
        storm.operations = lines.map(read).collect();
        storm.operations.sort_by_key(|operation| operation.at_ms);
        file
    }
}

/// How a run went.
#[derive(Debug)]
pub(crate) enum Course {
    Ended,
    /// An assertion of the engine stopped it.
    Stopped,
}

/// The invariants that are broken.
pub(crate) fn examine(file: &RunFile) -> (BTreeSet<&'static str>, Course) {
    let mut court = Court::of(&file.cluster);
    let played = catch_unwind(AssertUnwindSafe(|| probe(file, &mut court)));
    let (violations, course) = match played {
        Ok(outcome) => (conclude(outcome, court, &[]).violations, Course::Ended),
        Err(_) => (court.into_violations(), Course::Stopped),
    };
    (violations.into_iter().map(|it| it.invariant).collect(), course)
}

#[test]
fn the_stories_break_nothing_by_themselves() {
    let mut told: Vec<*const Story> = Vec::new();
    for (.., story) in SEEDED {
        if !told.contains(&std::ptr::from_ref(*story)) {
            told.push(*story);
            let (broken, _) = examine(&story.file());
            assert_eq!(broken, BTreeSet::new(), "{:?} {:?}", story.nemesis, story.admin);
        }
    }
}

/// How many more times a story is tried for a defect that does not show.
const MORE_SEEDS: u64 = 40;

#[test]
fn every_seeded_defect_is_noticed_by_its_invariant() {
    let mut wrong = Vec::new();
    for (invariant, defect, story) in SEEDED {
        // Whether a defect shows depends on who is first; the story's own weather comes first.
        let seeds = std::iter::once(story.seed).chain(1_000..1_000 + MORE_SEEDS);
        let is_noticed = |seed: u64| {
            let sown = defect.sow();
            let (broken, course) = examine(&Story { seed, ..**story }.file());
            drop(sown);
            let is_stopped = matches!(course, Course::Stopped);
            broken.contains(invariant) && is_stopped == ASSERTED.contains(defect)
        };
        if !seeds.into_iter().any(is_noticed) {
            wrong.push(format!("{invariant} {}", defect.name()));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn every_defect_has_a_story() {
    let told = SEEDED.iter().map(|(_, defect, _)| *defect);
    let plays = plays::SEEDED.iter().chain(plays::ALSO);
    let told = told.chain(plays.map(|(_, defect, _)| *defect));
    let told: BTreeSet<Defect> = told.chain(ELSEWHERE.iter().copied()).collect();
    assert_eq!(told, Defect::ALL.iter().copied().collect());
}

#[test]
fn every_invariant_has_a_defect_or_an_era_or_a_reason() {
    let seeded = SEEDED.iter().map(|(invariant, ..)| *invariant);
    let seeded = seeded.chain(plays::SEEDED.iter().map(|(invariant, ..)| *invariant));
    let without = WITHOUT.iter().map(|(invariant, _)| *invariant);
    let known: Vec<&str> = seeded.chain(BY_ERA.iter().copied()).chain(without).collect();
    let unique: BTreeSet<String> = known.iter().map(|&it| it.to_owned()).collect();
    assert_eq!(known.len(), unique.len(), "each once");
    assert_eq!(unique, mutants::invariants());
}
