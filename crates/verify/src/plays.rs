//! Mistakes of the engine that only groups, idempotent and transactional producers meet: each is
//! sown into a play of steps that breaks nothing without it.

use std::collections::BTreeMap;

use topomotion_model::builder::{
    EdgeConfig, GroupConfig, ProcessConfig, TopologyBuilder,
};
use topomotion_model::{Acks, Awaits, Cluster, ProcessId, Topic};
use topomotion_sim::{
    Action, Bound, ClusterPlan, Limits, Operation, PlannedStep, ProducerPlan, RunFile,
    Storm, Strike, Weather, bind,
};
use topomotion_wire::Defect;

use crate::defects::Course;

/// Three brokers, one controller; `shop` and `till` write, `c-1` to `c-3` are the group
/// `readers` and read `orders`, of three partitions. `payments` has one.
#[derive(Debug)]
pub(crate) struct Play {
    /// Settings of nodes; those of one process, of all producers or of all consumers have its
    /// name before a dot.
    pub settings: &'static [(&'static str, &'static str)],
    /// A consumer that writes too, with this `transactional.id`.
    pub pipeline: Option<(&'static str, &'static str)>,
    /// What happens, a step a line; in a storm, an operation a line.
    pub steps: &'static [&'static str],
    /// What is done to the cluster, if it must come back in time.
    pub storm: Option<Harm>,
}

/// The harm of a storm.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Harm {
    until_ms: u64,
    nemesis: &'static [&'static str],
    left_dead: &'static [&'static str],
}

const PLAY: Play = Play { settings: &[], pipeline: None, steps: &[], storm: None };

/// Answers are lost, and what they answered is sent again.
const RETRIES: Play = Play {
    steps: &[
        "shop sends 1 to orders-0",
        "wait 500",
        "fault cut broker-1 > shop",
        "shop sends 1 to orders-0",
        "wait 20",
        "shop sends 1 to orders-0",
        "wait 500",
        "fault heal",
        "fault reset shop > broker-1",
        "wait 5000",
        "shop sends 1 to orders-0",
        "wait 3000",
    ],
    ..PLAY
};

const COMMITTED: (&str, &str) = ("consumer.isolation.level", "read_committed");
const PAY: (&str, &str) = ("shop.transactional.id", "pay");
const ALONE: (&str, &str) = ("offsets.topic.num.partitions", "1");
const FEW: (&str, &str) = ("transaction.state.log.num.partitions", "1");

/// One transaction is committed, another is aborted.
const TRANSACTIONS: Play = Play {
    settings: &[COMMITTED, PAY, ALONE, FEW],
    steps: &[
        "shop: begin",
        "shop sends 1 to orders-0",
        "shop sends 1 to orders-1",
        "wait 1000",
        "shop: commit-transaction",
        "wait 1000",
        "shop: begin",
        "shop sends 1 to orders-0",
        "shop sends 1 to orders-1",
        "wait 1000",
        "shop: abort-transaction",
        "wait 1000",
        "shop: begin",
        "shop sends 1 to orders-0",
        "shop: commit-transaction",
        "wait 3000",
    ],
    ..PLAY
};

/// A producer stands still, another takes its place, and it goes on; nobody but the log asks
/// which epoch it is of.
const ZOMBIE: Play = Play {
    settings: &[
        COMMITTED,
        PAY,
        ("till.transactional.id", "pay"),
        ALONE,
        FEW,
        ("era.txn", "v1-unverified"),
        ("producer.era.txn", "v1-unverified"),
    ],
    steps: &[
        "shop: begin",
        "shop sends 1 to orders-0",
        "wait 1000",
        "pause shop",
        "start till",
        "wait 3000",
        "till: begin",
        "till sends 1 to orders-0",
        "wait 1000",
        "shop sends 1 to orders-0",
        "resume shop",
        "wait 1000",
        "till: commit-transaction",
        "wait 3000",
    ],
    ..PLAY
};

/// The coordinator dies when it has decided to commit.
const DECIDED: Play = Play {
    settings: &[COMMITTED, PAY, ALONE, FEW],
    steps: &[
        "shop: begin",
        "shop sends 1 to orders-0",
        "shop sends 1 to orders-1",
        "shop sends 1 to orders-2",
        "wait 1000",
        "shop: commit-transaction",
        "until transaction(pay) == prepare-commit",
        "crash @transaction-coordinator(pay)",
        "wait 30000",
    ],
    ..PLAY
};

/// A third member joins, and the first leaves.
const JOINING: Play = Play {
    settings: &[ALONE],
    steps: &[
        "shop sends 3 to orders-0",
        "start c-3",
        "wait 15000",
        "shop sends 3 to orders-1",
        "c-1: commit",
        "wait 1000",
        "shutdown c-1",
        "wait 15000",
    ],
    ..PLAY
};

const STICKY: Play = Play {
    settings: &[ALONE, ("consumer.partition.assignment.strategy", "sticky")],
    ..JOINING
};

const COOPERATIVE: Play = Play {
    settings: &[ALONE, ("consumer.partition.assignment.strategy", "cooperative-sticky")],
    ..JOINING
};

/// A slow member of the new protocol has not let go when another joins.
const SLOW: Play = Play {
    settings: &[ALONE, ("consumer.group.protocol", "consumer")],
    steps: &[
        "shop sends 3 to orders-0",
        "wait 8000",
        "c-1: work 20 s",
        "c-2: work 20 s",
        "start c-3",
        "wait 40000",
    ],
    ..PLAY
};

const STATIC: Play = Play {
    settings: &[
        ALONE,
        ("c-1.group.instance.id", "one"),
        ("c-2.group.instance.id", "two"),
        ("c-3.group.instance.id", "three"),
    ],
    steps: &["wait 5000", "shutdown c-2", "wait 5000", "start c-2", "wait 15000"],
    ..PLAY
};

/// The group's coordinator fails.
const COORDINATOR_FAILS: Play = Play {
    settings: &[ALONE],
    steps: &[
        "shop sends 3 to orders-0",
        "start c-3",
        "wait 15000",
        "c-1: commit",
        "c-2: commit",
        "c-3: commit",
        "wait 1000",
        "crash @coordinator(readers)",
        "wait 30000",
    ],
    ..PLAY
};

/// A member stands still until the group goes on without it, and commits.
const STALE: Play = Play {
    settings: &[ALONE, ("consumer.session.timeout.ms", "6000")],
    steps: &[
        "shop sends 1 to orders-0",
        "shop sends 1 to orders-1",
        "shop sends 1 to orders-2",
        "wait 3000",
        "pause c-1",
        "wait 20000",
        "c-1: commit",
        "c-1: commit-async",
        "resume c-1",
        "wait 10000",
    ],
    ..PLAY
};

/// One of the group reads and writes in transactions.
const PIPELINE: Play = Play {
    settings: &[ALONE, FEW, COMMITTED, ("consumer.enable.auto.commit", "false")],
    pipeline: Some(("c-1", "copy")),
    steps: &[
        "c-1: transform orders to payments",
        "shop sends 2 to orders-0",
        "shop sends 2 to orders-1",
        "shop sends 2 to orders-2",
        "wait 5000",
        "shop sends 2 to orders-0",
        "shop sends 2 to orders-1",
        "shop sends 2 to orders-2",
        "wait 5000",
    ],
    ..PLAY
};

/// Whoever comes asks for offsets that a transaction is to commit.
const PENDING: Play = Play {
    settings: &[ALONE, FEW, ("consumer.enable.auto.commit", "false")],
    pipeline: Some(("c-1", "copy")),
    steps: &[
        "shop sends 2 to orders-0",
        "shop sends 2 to orders-1",
        "shop sends 2 to orders-2",
        "wait 3000",
        "c-1: begin",
        "c-1: send-offsets",
        "wait 1000",
        "start c-3",
        "wait 10000",
        "c-1: commit-transaction",
        "wait 5000",
    ],
    ..PLAY
};

/// A producer goes on while the markers of its last transaction are on their way.
const HASTY: Play = Play {
    settings: &[
        COMMITTED,
        PAY,
        ALONE,
        FEW,
        ("era.txn", "v1"),
        ("producer.era.txn", "v1"),
    ],
    steps: &[
        "shop: begin",
        "shop sends 1 to orders-0",
        "shop sends 1 to orders-1",
        "shop sends 1 to orders-2",
        "wait 1000",
        "fault slow broker-1,broker-2,broker-3 > broker-1,broker-2,broker-3 by 400 ms",
        "shop: commit-transaction",
        "wait 3000",
        "shop: begin",
        "shop sends 1 to orders-0",
        "wait 5000",
        "shop: commit-transaction",
        "wait 10000",
    ],
    ..PLAY
};

/// Members hear late which epoch is theirs, and commit meanwhile.
const LATE_NEWS: Play = Play {
    settings: &[ALONE, ("consumer.group.protocol", "consumer")],
    steps: &[
        "shop sends 3 to orders-0",
        "shop sends 3 to orders-1",
        "shop sends 3 to orders-2",
        "wait 8000",
        "fault slow broker-1,broker-2,broker-3 > c-1,c-2 by 900 ms",
        "start c-3",
        "40 times c-1: commit-async, c-2: commit-async, wait 300",
        "wait 5000",
    ],
    ..PLAY
};

/// Who leads the group dies when it was told so, and before it has said who is to have what.
const STUCK: Play = Play {
    settings: &[
        ALONE,
        ("consumer.session.timeout.ms", "6000"),
        ("consumer.enable.auto.commit", "false"),
    ],
    storm: Some(Harm {
        until_ms: 20_000,
        nemesis: &[
            "4.000 slow broker-1,broker-2,broker-3 > c-1,c-2 by 1500 ms",
            "11.200 crash c-1",
            "11.200 crash c-2",
        ],
        left_dead: &["c-1", "c-2"],
    }),
    steps: &["6.000 start c-3"],
    ..PLAY
};

/// The invariant that must notice, the defect, and the play.
pub(crate) const SEEDED: &[(&str, Defect, &Play)] = &[
    ("P1", Defect::NoDupCheck, &RETRIES),
    ("J2", Defect::NoDupCheck, &RETRIES),
    ("P2", Defect::DupOffset, &RETRIES),
    ("T2", Defect::MarkerLost, &TRANSACTIONS),
    ("T3", Defect::FailoverAborts, &DECIDED),
    ("T4", Defect::NoFence, &ZOMBIE),
    ("T5", Defect::MarkerLost, &TRANSACTIONS),
    ("T6", Defect::LsoIgnoresUnreplicated, &TRANSACTIONS),
    ("T7", Defect::AbortedIndexGap, &TRANSACTIONS),
    ("T8", Defect::ReadUncommitted, &TRANSACTIONS),
    ("J4", Defect::AbortedIndexGap, &TRANSACTIONS),
    ("J5", Defect::ReadUncommitted, &TRANSACTIONS),
    ("J6", Defect::MarkerLost, &TRANSACTIONS),
    ("M1", Defect::GenerationReset, &COORDINATOR_FAILS),
    ("M2", Defect::AssignTwice, &JOINING),
    ("M5", Defect::EagerRevoke, &COOPERATIVE),
    ("M6", Defect::AssignorUneven, &JOINING),
    ("M7", Defect::AssignorFresh, &STICKY),
    ("M8", Defect::StaticAsDynamic, &STATIC),
    ("M9", Defect::AckCommitEarly, &JOINING),
    ("M10", Defect::PendingVisible, &PENDING),
    ("T9", Defect::OffsetsOutsideTxn, &PENDING),
    ("M3", Defect::AcceptStaleCommit, &LATE_NEWS),
    ("M4", Defect::ReleaseEarly, &SLOW),
    ("L6", Defect::SyncWaitForever, &STUCK),
];

/// Defects that an invariant notices which has another defect of its own.
pub(crate) const ALSO: &[(&str, Defect, &Play)] =
    &[("J1", Defect::RetryReorder, &RETRIES)];

/// Plays in which nothing must be noticed, though no defect shows in them.
const SOUND: &[&Play] = &[&STALE, &PIPELINE, &HASTY];

fn topology() -> ClusterPlan {
    let mut builder = TopologyBuilder::default();
    for (group, members) in [
        ("control", &["controller"][..]),
        ("kafka", &["broker-1", "broker-2", "broker-3"]),
        ("readers", &["c-1", "c-2", "c-3"]),
    ] {
        let group = builder.create_group(GroupConfig::new(group));
        for id in members {
            builder.group(group).add_process(ProcessConfig::new(*id));
        }
    }
    for id in ["shop-producer", "till-producer"] {
        builder.create_process(ProcessConfig::new(id));
    }
    let clients = [
        ("shop-producer", "produce acks=all"),
        ("till-producer", "produce acks=all"),
        ("c-1", "fetch"),
        ("c-2", "fetch"),
        ("c-3", "fetch"),
    ];
    for (client, label) in clients {
        builder.connect(EdgeConfig {
            protocol: Some("kafka".to_owned()),
            label: Some(label.to_owned()),
            ..EdgeConfig::new(client, "broker-1")
        });
    }
    let topic = |name: &str, partitions: u32| Topic {
        name: name.to_owned(),
        partitions: Some(partitions),
        replication_factor: Some(3),
        min_insync_replicas: Some(2),
        ..Topic::default()
    };
    let topics = vec![topic("orders", 3), topic("payments", 1)];
    builder.kafka(Cluster { topics, ..Cluster::default() });
    let (topology, _) = builder.build().expect("no mistakes");
    let binding = bind(&topology).expect("binds");
    match binding.bound() {
        Bound::Cluster(plan) => plan.clone(),
        Bound::Nothing(reason) => panic!("{reason}"),
    }
}

impl Play {
    pub fn file(&self) -> RunFile {
        let mut cluster = topology();
        if let Some((process, id)) = self.pipeline {
            let settings = [("transactional.id".to_owned(), id.to_owned())];
            cluster.producers.push(ProducerPlan {
                process: ProcessId::from(process),
                bootstrap: ProcessId::from("broker-1"),
                acks: Acks::All,
                topic: "payments".to_owned(),
                settings: settings.into(),
            });
        }
        let common = [
            ("consumer.membership", "subscribe"),
            ("consumer.auto.offset.reset", "earliest"),
        ];
        for (name, value) in common.iter().chain(self.settings) {
            set(&mut cluster, name, value);
        }
        let steps = match self.storm {
            None => self.steps.iter().flat_map(|line| steps(line)).collect(),
            Some(_) => Vec::new(),
        };
        RunFile {
            scenario: "play".to_owned(),
            cluster,
            steps,
            seed: 1,
            limits: Limits { events: 10_000_000, ..Limits::default() },
            storm: self.storm.map(|harm| harm.storm(self.steps)),
        }
    }
}

impl Harm {
    fn storm(&self, operations: &[&str]) -> Storm {
        let strike = |line: &&str| line.parse::<Strike>().expect("a strike");
        let operation = |line: &&str| line.parse::<Operation>().expect("an operation");
        Storm {
            world: Weather::default(),
            until_ms: self.until_ms,
            left_dead: self.left_dead.iter().map(|name| ProcessId::from(*name)).collect(),
            nemesis: self.nemesis.iter().map(strike).collect(),
            operations: operations.iter().map(operation).collect(),
        }
    }
}

fn set(cluster: &mut ClusterPlan, name: &str, value: &str) {
    let put = |settings: &mut BTreeMap<String, String>, name: &str| {
        settings.insert(name.to_owned(), value.to_owned());
    };
    let Some((whose, rest)) = name.split_once('.') else {
        return put(&mut cluster.settings, name);
    };
    let mut is_meant = false;
    for producer in &mut cluster.producers {
        if matches_client(whose, "producer", &producer.process) {
            is_meant = true;
            put(&mut producer.settings, rest);
        }
    }
    for consumer in &mut cluster.consumers {
        if matches_client(whose, "consumer", &consumer.process) {
            is_meant = true;
            put(&mut consumer.settings, rest);
        }
    }
    if !is_meant {
        put(&mut cluster.settings, name);
    }
}

fn matches_client(whose: &str, kind: &str, process: &ProcessId) -> bool {
    whose == kind || full(whose) == *process
}

/// The producers' names are short in plays.
fn full(name: &str) -> ProcessId {
    match name {
        "shop" | "till" => ProcessId::from(format!("{name}-producer").as_str()),
        _ => ProcessId::from(name),
    }
}

/// One step, or several so many times.
fn steps(line: &str) -> Vec<PlannedStep> {
    let Some((count, of)) = line.split_once(" times ") else { return vec![step(line)] };
    let count = count.parse().expect("a number");
    let round = of.split(", ").map(step);
    std::iter::repeat_n(round.collect::<Vec<_>>(), count).flatten().collect()
}

fn step(line: &str) -> PlannedStep {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let process = full(rest);
    let action = match word {
        "wait" => Action::Wait { ms: rest.parse().expect("ms") },
        "until" => Action::WaitUntil { condition: rest.to_owned(), timeout_ms: 60_000 },
        "start" => Action::Start { process },
        "crash" => Action::Crash { process },
        "restart" => Action::Restart { process },
        "pause" => Action::Pause { process },
        "resume" => Action::Resume { process },
        "shutdown" => Action::Shutdown { process },
        "fault" => {
            let what = rest.replace("shop", "shop-producer");
            Action::Fault { what }
        }
        who => match who.strip_suffix(':') {
            Some(who) => Action::Client { process: full(who), what: rest.to_owned() },
            None => sends(who, rest),
        },
    };
    PlannedStep { action, caption: None }
}

/// `shop sends 3 to orders-0`
fn sends(who: &str, rest: &str) -> Action {
    let words: Vec<&str> = rest.split(' ').collect();
    let ["sends", count, "to", place] = words[..] else { panic!("{who} {rest}") };
    let (topic, partition) = place.rsplit_once('-').expect("a partition");
    Action::Produce {
        producer: full(who),
        topic: topic.to_owned(),
        key: None,
        value: None,
        partition: Some(partition.parse().expect("a number")),
        acks: None,
        count: count.parse().expect("a number"),
        awaits: Awaits::Nothing,
    }
}

#[test]
fn the_plays_break_nothing_by_themselves() {
    let mut told: Vec<*const Play> = Vec::new();
    let mut wrong = Vec::new();
    let sound = SOUND.iter().map(|play| ("sound", play));
    let seeded = SEEDED.iter().map(|(name, _, play)| (*name, play));
    for (name, play) in seeded.chain(sound) {
        if !told.contains(&std::ptr::from_ref(*play)) {
            told.push(*play);
            let judged = crate::replay(&play.file());
            let failed: Vec<_> = judged
                .outcome
                .verdicts
                .iter()
                .filter(|it| it.failure.is_some())
                .collect();
            if !judged.passed() {
                wrong.push(format!(
                    "{name} {:?}: {:#?} {failed:#?} {:?}",
                    play.settings, judged.violations, judged.outcome.ending
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_seeded_defect_is_noticed_in_its_play() {
    let mut wrong = Vec::new();
    for (invariant, defect, play) in SEEDED.iter().chain(ALSO) {
        let sown = defect.sow();
        let (broken, course) = crate::defects::examine(&play.file());
        drop(sown);
        if !broken.contains(invariant) || !matches!(course, Course::Ended) {
            wrong.push(format!("{invariant} {}: {broken:?} {course:?}", defect.name()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
