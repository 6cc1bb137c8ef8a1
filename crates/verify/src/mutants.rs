//! Every checker can fail in a real run: for each invariant a named defect, planted into the
//! evidence of a storm that breaks nothing, or into the storm itself. An invariant that has
//! none is judged on the storm itself: [`OF_STORMS`].

use std::collections::BTreeSet;
use std::sync::Arc;

use topomotion_model::Condition;
use topomotion_sim::{
    Ballot, Climate, ConsumerPlan, Judge, NodeRole, RunFile, Sight, Strike, draw, probe,
};
use topomotion_trace::{BrokerLiveness, Event, QuorumRole, StateChange, Time, What};

use crate::{Court, examine};

mod groups;
mod storage;
mod transactions;

type Name = Arc<str>;

/// What a court was shown.
#[derive(Debug, Clone)]
enum Line {
    Event(Event),
    Sight(Time, Sight),
}

#[derive(Debug, Default)]
struct Clerk {
    lines: Vec<Line>,
}

impl Judge for Clerk {
    fn see(&mut self, event: &Event) {
        self.lines.push(Line::Event(event.clone()));
    }

    fn witness(&mut self, at: Time, sight: &Sight) {
        self.lines.push(Line::Sight(at, sight.clone()));
    }

    fn judge(&self, _: &Condition) -> Result<(), String> {
        Ok(())
    }
}

/// Evidence with a place where something can be planted.
struct Evidence {
    lines: Vec<Line>,
}

const PARTITION: &str = "orders-0";
/// A static member of a group that reads committed records only; it takes no part in the storm.
const CAREFUL: &str = "careful";
/// Another.
const CAREFUL_TOO: &str = "careful-2";
const GROUP: &str = "careful-readers";

impl Evidence {
    fn states(&mut self) -> impl Iterator<Item = &mut StateChange> {
        self.lines.iter_mut().filter_map(|line| match line {
            Line::Event(Event { what: What::State(change), .. }) => Some(change),
            _ => None,
        })
    }

    fn sights(&mut self) -> impl Iterator<Item = &mut Sight> {
        self.lines.iter_mut().filter_map(|line| match line {
            Line::Sight(_, sight) => Some(sight),
            Line::Event(_) => None,
        })
    }

    /// Something more happens in the end.
    fn then(&mut self, change: StateChange) {
        let at = Time(self.end() + 1);
        self.lines.push(Line::Event(Event { at, what: What::State(change) }));
    }

    fn then_seen(&mut self, sight: Sight) {
        self.lines.push(Line::Sight(Time(self.end() + 1), sight));
    }

    fn end(&self) -> u64 {
        let last = self.lines.last();
        last.map_or(0, |line| match line {
            Line::Event(event) => event.at.0,
            Line::Sight(at, _) => at.0,
        })
    }

    /// The last registration of the partition.
    fn registration(&mut self) -> StateChange {
        let is_it = |change: &&mut StateChange| matches!(change, StateChange::Registration { partition, .. } if &**partition == PARTITION);
        self.states().filter(is_it).last().expect("the partition exists").clone()
    }

    /// Leader, another member of the ISR, and the leader's epoch, in the end.
    fn roles(&mut self) -> (Name, Name, i32) {
        let StateChange::Registration { leader: Some(leader), isr, leader_epoch, .. } =
            self.registration()
        else {
            panic!("somebody leads in the end");
        };
        let other = isr.iter().find(|member| **member != leader);
        (leader.clone(), other.expect("the ISR is whole").clone(), leader_epoch)
    }

    /// The leader's log end.
    fn log_end(&mut self) -> i64 {
        let (leader, ..) = self.roles();
        let appended = self.states().filter_map(|change| match change {
            StateChange::Appended { process, partition, base, count, .. }
                if *process == leader && &**partition == PARTITION =>
            {
                Some(*base + *count)
            }
            _ => None,
        });
        appended.last().expect("something was written")
    }

    /// Who led the quorum last, and in which epoch.
    fn quorum_leader(&mut self) -> (Name, i32) {
        let leads = self.states().filter_map(|change| match change {
            StateChange::Quorum { process, role: QuorumRole::Leader, epoch } => {
                Some((process.clone(), *epoch))
            }
            _ => None,
        });
        leads.last().expect("somebody led the quorum")
    }

    fn metadata_log(
        process: &str,
        leads: Option<i32>,
        (start, end): (i64, i64),
        voters: &[&str],
    ) -> Sight {
        Sight::MetadataLog {
            process: process.into(),
            leads,
            start,
            end,
            high_watermark: end,
            snapshots: Vec::new(),
            voters: voters.iter().map(|&name| name.into()).collect(),
        }
    }

    fn watermark(process: Name, offset: i64) -> StateChange {
        StateChange::HighWatermark { process, partition: PARTITION.into(), offset }
    }

    fn append(process: Name, base: i64, epoch: i32) -> StateChange {
        let partition = PARTITION.into();
        StateChange::Appended { process, partition, base, count: 1, epoch, batch: 7 }
    }

    fn ack(base: i64) -> StateChange {
        StateChange::BatchAcked {
            process: "shop".into(),
            partition: PARTITION.into(),
            batch: 7,
            count: 1,
            acks: "all".into(),
            base: Some(base),
        }
    }
}

/// A defect: the invariant that must notice it, its name, and what it does to the evidence.
type Mutant = (&'static str, &'static str, fn(&mut Evidence));

const MUTANTS: &[Mutant] = &[
    ("R1", "hw_past_leo", |it| {
        let ((leader, ..), end) = (it.roles(), it.log_end());
        it.then(Evidence::watermark(leader, end + 5));
    }),
    ("R2", "follower_writes_something_else", |it| {
        let (_, follower, _) = it.roles();
        let changed = it.states().filter_map(|change| match change {
            StateChange::Appended { process, partition, batch, .. }
                if *process == follower && &**partition == PARTITION =>
            {
                Some(batch)
            }
            _ => None,
        });
        changed.for_each(|batch| *batch ^= 1);
    }),
    ("R3", "elect_any_replica", |it| {
        let mut registration = it.registration();
        if let StateChange::Registration { isr, leader, partition_epoch, .. } =
            &mut registration
        {
            isr.retain(|member| Some(member) != leader.as_ref());
            *partition_epoch += 1;
        }
        it.then(registration);
    }),
    ("R4", "isr_beyond_replicas", |it| {
        let mut registration = it.registration();
        if let StateChange::Registration { isr, partition_epoch, .. } = &mut registration
        {
            isr.push("stranger".into());
            *partition_epoch += 1;
        }
        it.then(registration);
    }),
    ("R4", "elr_in_isr", |it| {
        let ((leader, ..), registration) = (it.roles(), it.registration());
        it.then_seen(Sight::Eligible {
            partition: PARTITION.into(),
            elr: vec![leader],
            last_known: Vec::new(),
            recovering: false,
        });
        it.then(registration);
    }),
    ("R5", "fence_keeps_isr", |it| {
        let (_, broker, _) = it.roles();
        let (controller, liveness) = ("c".into(), BrokerLiveness::Fenced);
        it.then(StateChange::Broker { controller, broker, liveness });
    }),
    ("R6", "epoch_no_bump", |it| {
        let mut registration = it.registration();
        if let StateChange::Registration { isr, .. } = &mut registration {
            isr.pop();
        }
        it.then(registration);
    }),
    ("R7", "two_leaders", |it| {
        let ((_, other, epoch), end) = (it.roles(), it.log_end());
        let (leader, partition) = (Some(other.clone()), PARTITION.into());
        it.then(StateChange::Replica {
            process: other.clone(),
            partition,
            leader,
            epoch,
        });
        it.then(Evidence::append(other, end, epoch));
    }),
    ("R8", "shrink_before_commit", |it| {
        it.sights().for_each(|sight| {
            if let Sight::Leads { maximal_isr, .. } = sight {
                maximal_isr.clear();
            }
        });
    }),
    ("R9", "hw_from_stale_fetch", |it| {
        let (_, follower, _) = it.roles();
        it.then(Evidence::watermark(follower, 0));
    }),
    ("R9", "hw_falls_with_a_new_leader", |it| {
        let (leader, follower, epoch) = it.roles();
        let (process, partition) = (follower.clone(), PARTITION.into());
        it.then(StateChange::Replica {
            process,
            partition,
            leader: Some(leader),
            epoch: epoch + 1,
        });
        it.then(Evidence::watermark(follower, 0));
    }),
    ("R10", "hw_ignores_slowest", |it| {
        let ((leader, _, epoch), end) = (it.roles(), it.log_end());
        it.then(Evidence::append(leader.clone(), end, epoch));
        it.then(Evidence::watermark(leader, end + 1));
    }),
    ("R11", "strict_min_isr_off", |it| {
        it.sights().for_each(|sight| {
            if let Sight::Leads { isr, .. } = sight {
                isr.truncate(1);
            }
        });
    }),
    ("R12", "elect_without_the_record", |it| {
        let (_, process, epoch) = it.roles();
        let partition: Name = PARTITION.into();
        let (leader, cut) = (Some(process.clone()), partition.clone());
        it.then(StateChange::Truncated {
            process: process.clone(),
            partition: cut,
            end: 0,
        });
        it.then(StateChange::Replica { process, partition, leader, epoch: epoch + 1 });
    }),
    ("R13", "truncate_to_nothing", |it| {
        let (_, process, _) = it.roles();
        it.then(StateChange::Truncated { process, partition: PARTITION.into(), end: 0 });
    }),
    ("R14", "diverge", |it| {
        let ((leader, other, epoch), end) = (it.roles(), it.log_end());
        it.then(Evidence::append(leader, end, epoch));
        let mut different = Evidence::append(other, end, epoch);
        if let StateChange::Appended { batch, .. } = &mut different {
            *batch = 8;
        }
        it.then(different);
    }),
    ("R15", "cache_not_truncated", |it| {
        it.sights().for_each(|sight| {
            if let Sight::Epochs { epochs, .. } = sight {
                epochs.clear();
            }
        });
    }),
    ("R16", "propose_anybody", |it| {
        let (process, ..) = it.roles();
        let (at, newcomers) = (Time(it.end()), vec!["stranger".into()]);
        let sight = Sight::Proposes { process, partition: PARTITION.into(), newcomers };
        it.lines.push(Line::Sight(at, sight));
    }),
    ("R17", "isr_fencing_off", |it| {
        let is_proposal = |line: &Line| {
            matches!(
                line,
                Line::Event(Event {
                    what: What::State(StateChange::IsrProposed { .. }),
                    ..
                })
            )
        };
        it.lines.retain(|line| !is_proposal(line));
    }),
    ("R18", "append_then_check", |it| {
        let ((leader, _, epoch), end) = (it.roles(), it.log_end());
        it.then(Evidence::append(leader.clone(), end, epoch));
        let (at, partition) = (Time(it.end()), PARTITION.into());
        let refused = Sight::Refused { leader, partition, batches: vec![7] };
        it.lines.push(Line::Sight(at, refused));
    }),
    ("R19", "ack_on_append", |it| {
        let end = it.log_end();
        it.then(Evidence::ack(end));
    }),
    ("R20", "skip_recovering", |it| {
        it.sights().for_each(|sight| {
            if let Sight::Eligible { recovering, .. } = sight {
                *recovering = true;
            }
        });
    }),
    ("R21", "serve_leo", |it| {
        let end = it.log_end();
        let (process, partition) = ("reader".into(), PARTITION.into());
        it.then(StateChange::Polled {
            process,
            partition,
            base: end,
            next: end + 1,
            records: 1,
        });
    }),
    ("R22", "unclean_always", |it| {
        let mut registration = it.registration();
        for outsider in [false, true] {
            if let StateChange::Registration {
                isr,
                leader,
                replicas,
                leader_epoch,
                partition_epoch,
                ..
            } = &mut registration
            {
                let inside = leader.clone().expect("somebody leads");
                let outside = replicas.iter().find(|it| **it != inside).cloned();
                *leader = if outsider { outside } else { Some(inside) };
                *isr = leader.iter().cloned().collect();
                *leader_epoch += i32::from(outsider);
                *partition_epoch += 1;
            }
            it.then(registration.clone());
        }
    }),
    ("R23", "reuse_offset", |it| {
        let ((leader, _, epoch), end) = (it.roles(), it.log_end());
        it.then(Evidence::append(leader, end - 1, epoch));
    }),
    ("K1", "double_leader", |it| {
        let leads = it.states().filter_map(|change| match change {
            StateChange::Quorum { role: QuorumRole::Leader, epoch, .. } => Some(*epoch),
            _ => None,
        });
        let epoch = leads.last().expect("somebody led the quorum");
        let (process, role) = ("stranger".into(), QuorumRole::Leader);
        it.then(StateChange::Quorum { process, role, epoch });
    }),
    ("K2", "vote_not_persisted", |it| {
        for candidate in ["x", "y"] {
            let (voter, candidate) = ("controller-101".into(), candidate.into());
            it.then_seen(Sight::Voted {
                voter,
                candidate,
                epoch: 99,
                kind: Ballot::Vote,
            });
        }
    }),
    ("K3", "quorum_state_lost", |it| {
        let (process, role) = ("controller-101".into(), QuorumRole::Follower);
        it.then(StateChange::Quorum { process, role, epoch: 0 });
    }),
    ("K4", "hw_reset", |it| {
        it.then_seen(Sight::Applied { process: "controller-101".into(), offset: 1 });
    }),
    ("K4", "hw_of_the_log_reset", |it| {
        let voters = ["controller-101", "controller-102", "controller-103"];
        let mut log = Evidence::metadata_log(voters[0], None, (0, 1_000_000), &voters);
        if let Sight::MetadataLog { high_watermark, .. } = &mut log {
            *high_watermark = 1;
        }
        it.then_seen(log);
    }),
    ("K5", "count_observer", |it| {
        it.sights().for_each(|sight| {
            if let Sight::Committed { holders, .. } = sight {
                *holders = 1;
            }
        });
    }),
    ("K6", "commit_old_epoch", |it| {
        let taken = it.sights().find_map(|sight| match sight {
            Sight::MetadataTaken { batches, .. } => batches.first_mut(),
            _ => None,
        });
        taken.expect("metadata was applied").2 ^= 1;
    }),
    ("K7", "vote_ignores_log", |it| {
        it.then_seen(Sight::Elected { process: "controller-101".into(), end: 1 });
    }),
    ("K8", "truncate_committed", |it| {
        it.then_seen(Evidence::metadata_log("controller-101", None, (0, 0), &[]));
    }),
    ("K8", "cut_and_grown_again", |it| {
        let (process, partition) =
            ("controller-101".into(), "__cluster_metadata-0".into());
        it.then(StateChange::Truncated { process, partition, end: 0 });
    }),
    ("K9", "trim_without_snapshot", |it| {
        it.then_seen(Evidence::metadata_log("stranger", None, (5, 9), &[]));
    }),
    ("K10", "apply_order", |it| {
        let last = it.sights().filter_map(|sight| match sight {
            Sight::Image { digest, .. } => Some(digest),
            _ => None,
        });
        *last.last().expect("metadata was applied") ^= 1;
    }),
    ("K11", "reply_on_append", |it| {
        let (controller, partition) = ("controller-101".into(), PARTITION.into());
        let partition_epoch = 99;
        it.then_seen(Sight::IsrAnswered { controller, partition, partition_epoch });
    }),
    ("K12", "check_quorum_off", |it| {
        let is_contact = |sight: &Sight| {
            matches!(sight, Sight::QuorumAnswered { .. } | Sight::QuorumHeard { .. })
        };
        it.lines
            .retain(|line| !matches!(line, Line::Sight(_, sight) if is_contact(sight)));
    }),
    ("K13", "promise_all_the_same", |it| {
        let (_, epoch) = it.quorum_leader();
        let asked = it.sights().filter_map(|sight| match sight {
            Sight::QuorumAsked { follower, .. } if follower.starts_with("controller") => {
                Some(follower.clone())
            }
            _ => None,
        });
        let voter = asked.last().expect("voters fetch");
        let (candidate, kind) = ("stranger".into(), Ballot::PreVote);
        it.then_seen(Sight::Voted { voter, candidate, epoch, kind });
    }),
    ("K14", "pre_vote_off", |it| {
        let (_, epoch) = it.quorum_leader();
        let (process, role) = ("stranger".into(), QuorumRole::Candidate);
        it.then(StateChange::Quorum { process, role, epoch: epoch + 1 });
    }),
    ("K15", "two_voter_changes", |it| {
        let (leader, epoch) = it.quorum_leader();
        let end = (0, 1_000_000);
        let voters = ["x", "y"];
        it.then_seen(Evidence::metadata_log(&leader, Some(epoch), end, &voters));
    }),
    ("K16", "broker_epoch_reused", |it| {
        it.then_seen(Sight::Registered { broker: "x".into(), epoch: 77_777 });
        it.then_seen(Sight::Registered { broker: "y".into(), epoch: 77_777 });
    }),
    ("K17", "unfence_early", |it| {
        let (_, broker, _) = it.roles();
        it.then_seen(Sight::Registered { broker: broker.clone(), epoch: 77_777 });
        let (controller, liveness) = ("c".into(), BrokerLiveness::Unfenced);
        it.then(StateChange::Broker { controller, broker, liveness });
    }),
    ("K18", "fence_order", |it| {
        let (broker, ..) = it.roles();
        let (controller, liveness) = ("c".into(), BrokerLiveness::Fenced);
        it.then(StateChange::Broker { controller, broker, liveness });
    }),
    ("S5", "recover_hole", |it| {
        let ((leader, ..), end) = (it.roles(), it.log_end());
        let partition = PARTITION.into();
        it.then_seen(Sight::Found { process: leader, partition, end: end - 1 });
    }),
    ("J1", "two_values_at_one_offset", |it| {
        let (process, partition) = ("reader".into(), PARTITION.into());
        it.then_seen(Sight::Read { process, partition, base: 0, batches: vec![7] });
    }),
    ("J3", "acknowledged_and_gone", |it| {
        it.then(Evidence::ack(0));
    }),
    ("J7", "poll_skips", |it| {
        let end = it.log_end();
        let (process, partition) = ("reader".into(), PARTITION.into());
        it.then(StateChange::Polled {
            process,
            partition,
            base: end + 3,
            next: end + 4,
            records: 1,
        });
    }),
    ("J8", "poll_goes_back", |it| {
        let (process, partition) = ("reader".into(), PARTITION.into());
        it.then(StateChange::Polled { process, partition, base: 0, next: 1, records: 1 });
    }),
    ("J10", "told_falling_offsets", |it| {
        it.then(Evidence::ack(0));
    }),
    ("J9", "poll_out_of_order", |it| {
        let acked =
            it.states().filter_map(|change| match change {
                StateChange::BatchAcked {
                    partition, batch, base: Some(base), ..
                } if &**partition == PARTITION => Some((*batch, *base)),
                _ => None,
            });
        let acked: Vec<(u32, i64)> = acked.take(2).collect();
        let ((process, partition), base) =
            (("reader".into(), PARTITION.into()), acked[1].1);
        let batches = vec![acked[1].0, acked[0].0];
        it.then_seen(Sight::Read { process, partition, base, batches });
    }),
];

/// All of them.
fn mutants() -> impl Iterator<Item = &'static Mutant> {
    let more = transactions::MUTANTS.iter().chain(groups::MUTANTS);
    MUTANTS.iter().chain(more).chain(storage::MUTANTS)
}

/// Each controller is cut off for a while, one after the other: one of them leads, and at
/// least one does not.
const CUT_OFF: &[&str] = &[
    "8.000 partition controller-101 > controller-102,controller-103,broker-1,broker-2,broker-3",
    "15.000 heal",
    "19.000 partition controller-102 > controller-101,controller-103,broker-1,broker-2,broker-3",
    "26.000 heal",
    "30.000 partition controller-103 > controller-101,controller-102,broker-1,broker-2,broker-3",
    "37.000 heal",
];

/// The engine itself, in an older era: the invariant that must notice, the switch, and the
/// storm in which it shows. Of R2, R12, R14, R16 and R17 the stories of the eras tell, which
/// the simulator tests.
const ERAS: &[(&str, [&str; 2], &[&str])] = &[
    ("K12", ["era.check-quorum", "false"], CUT_OFF),
    ("K14", ["era.pre-vote", "false"], CUT_OFF),
    (
        "R11",
        ["era.strict-min-isr", "false"],
        &["3.000 crash broker-2", "3.000 crash broker-3"],
    ),
    (
        "R13",
        ["era.truncation", "hw"],
        &["4.000 crash broker-2", "4.000 crash broker-3", "4.500 restart broker-2"],
    ),
];

#[test]
fn every_era_is_caught_by_its_invariant() {
    for (invariant, [switch, value], nemesis) in ERAS {
        let mut file = storm(nemesis);
        let today = examine(&file).violations;
        assert!(today.is_empty(), "without {switch}: {today:#?}");
        file.cluster.settings.insert((*switch).to_owned(), (*value).to_owned());
        let violations = examine(&file).violations;
        let caught = violations.iter().any(|it| it.invariant == *invariant);
        assert!(caught, "{invariant} misses {switch}={value}: {violations:#?}");
    }
}

/// Invariants judged on the storm itself: left without a quorum, nothing comes back.
const OF_STORMS: &[&str] = &["L1", "L2", "L3", "L4", "L5", "L6", "L9", "J12"];

/// A cluster of brokers and three controllers of their own, in a storm that has everything a
/// checker needs: elections of both kinds, an ISR that shrinks and grows, a restart.
pub(crate) fn storm(nemesis: &[&str]) -> RunFile {
    let suits = |file: &RunFile| {
        let cluster = &file.cluster;
        let consumers = cluster.consumers.iter().map(|it| &it.settings);
        let producers = cluster.producers.iter().map(|it| &it.settings);
        let is_plain = consumers.chain(producers).all(|settings| {
            !settings.contains_key("membership")
                && !settings.contains_key("transactional.id")
        });
        let least = cluster.topics[0].settings.get("min.insync.replicas");
        is_plain
            && cluster.voters().filter(|node| node.role == NodeRole::Controller).count()
                == 3
            && least.is_some_and(|least| least == "2")
            && !cluster.settings.contains_key("unclean.leader.election.enable")
    };
    let mut drawn = (0..).map(|seed| {
        draw(seed, &Climate { brokers: 3..=3, until_ms: 40_000, ..Climate::default() })
    });
    let mut file = drawn.find(suits).expect("one in a few does");
    // Every log keeps everything.
    let forgets = ["retention.ms", "retention.bytes", "cleanup.policy"];
    let settings = &mut file.cluster.topics[0].settings;
    if forgets.iter().any(|name| settings.contains_key(*name)) {
        settings.retain(|name, _| name == "min.insync.replicas");
    }
    for producer in &mut file.cluster.producers {
        let (name, value) = ("max.in.flight.requests.per.connection", "1");
        producer.settings.insert(name.to_owned(), value.to_owned());
        // What a leader refuses of numbered batches would hide some defects.
        let (name, value) = ("enable.idempotence", "false");
        producer.settings.insert(name.to_owned(), value.to_owned());
    }
    let storm = file.storm.as_mut().expect("it was drawn");
    storm.left_dead.clear();
    let strike = |line: &&str| line.parse::<Strike>().expect("a strike");
    storm.nemesis = nemesis.iter().map(strike).collect();
    file
}

fn sound() -> RunFile {
    storm(&[
        "3.000 crash broker-1",
        "16.000 restart broker-1",
        "25.000 crash controller-101",
        "30.000 restart controller-101",
        "31.000 crash controller-102",
        "36.000 restart controller-102",
    ])
}

/// The invariants broken by this evidence.
fn broken(file: &RunFile, lines: &[Line]) -> BTreeSet<&'static str> {
    let mut cluster = file.cluster.clone();
    let settings =
        [("isolation.level", "read_committed"), ("group.instance.id", "static")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let careful = |process: &str| ConsumerPlan {
        process: process.into(),
        bootstrap: cluster.consumers[0].bootstrap.clone(),
        group: GROUP.to_owned(),
        subscription: vec!["sold".to_owned()],
        assignment: Vec::new(),
        settings: settings.clone().into(),
    };
    let both = [careful(CAREFUL), careful(CAREFUL_TOO)];
    cluster.consumers.extend(both);
    let mut court = Court::of(&cluster);
    for line in lines {
        match line {
            Line::Event(event) => court.see(event),
            Line::Sight(at, sight) => court.witness(*at, sight),
        }
    }
    court.demand_promises();
    court.into_violations().into_iter().map(|violation| violation.invariant).collect()
}

#[test]
fn every_mutant_is_caught_by_its_invariant() {
    let file = sound();
    let mut clerk = Clerk::default();
    probe(&file, &mut clerk);
    assert_eq!(broken(&file, &clerk.lines), BTreeSet::new(), "without a defect");
    let missed: Vec<&str> = mutants()
        .filter(|(invariant, _, plant)| {
            let mut evidence = Evidence { lines: clerk.lines.clone() };
            plant(&mut evidence);
            !broken(&file, &evidence.lines).contains(invariant)
        })
        .map(|(_, defect, _)| *defect)
        .collect();
    assert_eq!(missed, [""; 0]);
}

#[test]
fn a_cluster_without_a_quorum_breaks_every_promise_of_coming_back() {
    let dead = ["controller-101", "controller-102", "controller-103"];
    let mut leaderless = storm(&[
        "1.000 clog broker-1,broker-2,broker-3 > reader",
        "2.000 partition broker-1,broker-2,broker-3 > shop",
    ]);
    let storm_of = |file: &mut RunFile, until_ms: u64, dead: &[&str]| {
        let storm = file.storm.as_mut().expect("it is one");
        storm.until_ms = until_ms;
        storm.left_dead = dead.iter().map(|&name| name.into()).collect();
    };
    let leader = leaderless.cluster.topics[0].assignment[0][0];
    let leader = leaderless.cluster.process_of(leader).expect("a node").to_string();
    storm_of(&mut leaderless, 5_000, &[&dead[..], &[&leader]].concat());
    for producer in &mut leaderless.cluster.producers {
        let (name, value) = ("delivery.timeout.ms", "100000000");
        producer.settings.insert(name.to_owned(), value.to_owned());
    }
    let mut lagging = storm(&[
        "1.000 partition broker-3 > controller-101,controller-102,controller-103",
        "2.000 crash broker-2",
    ]);
    storm_of(&mut lagging, 25_000, &dead);
    let violations = [leaderless, lagging]
        .iter()
        .flat_map(|it| examine(it).violations)
        .collect::<Vec<_>>();
    let broken: BTreeSet<&str> = violations.iter().map(|it| it.invariant).collect();
    assert_eq!(broken, OF_STORMS.iter().copied().collect(), "{violations:#?}");
}

/// Every invariant that the judge knows.
pub(crate) fn invariants() -> BTreeSet<String> {
    let all = (1..=23).map(|n| format!("R{n}"));
    let all = all.chain((1..=18).map(|n| format!("K{n}")));
    let others = [
        "S1", "S2", "S3", "S4", "S5", "L1", "L2", "L3", "L4", "L5", "L6", "L9", "J1",
        "J3", "J7", "J8", "J9", "J10", "J12", "J2", "J4", "J5", "J6", "J14", "J15",
        "J16", "P1", "P2", "P3", "P4", "P5",
    ];
    let all = all.chain((1..=10).map(|n| format!("T{n}")));
    let all = all.chain((1..=10).map(|n| format!("M{n}")));
    all.chain(others.map(str::to_owned)).collect()
}

#[test]
fn every_invariant_has_a_mutant() {
    let all = invariants();
    let mutants = mutants().map(|(invariant, ..)| *invariant);
    let known = mutants.chain(OF_STORMS.iter().copied());
    assert_eq!(known.map(str::to_owned).collect::<BTreeSet<_>>(), all);
}
