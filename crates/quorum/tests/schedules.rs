//! Random schedules of crashes, cuts, appends, resignations, snapshots and changes of the
//! voter set, judged after every step (K1 to K9), and healed in the end: then a leader must be
//! found, and all must agree (L1, L9).

mod rig;

use proptest::prelude::*;
use rig::{Link, Rig, add_voter, remove_voter};
use topomotion_quorum::{CheckQuorum, KraftVersion, PreVote};
use topomotion_wire::NodeId;
use topomotion_wire::messages::RequestKind;

#[derive(Debug, Clone, Copy)]
enum Step {
    Crash(usize),
    Start(usize),
    Cut(usize, usize),
    Silence(usize, usize),
    Heal,
    Append,
    AppendAt(usize),
    Resign,
    Snapshot(usize),
    AddVoter(usize),
    RemoveVoter(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0usize..8).prop_map(Step::Crash),
        4 => (0usize..8).prop_map(Step::Start),
        2 => (0usize..8, 0usize..8).prop_map(|(a, b)| Step::Cut(a, b)),
        1 => (0usize..8, 0usize..8).prop_map(|(a, b)| Step::Silence(a, b)),
        2 => Just(Step::Heal),
        6 => Just(Step::Append),
        2 => (0usize..8).prop_map(Step::AppendAt),
        1 => Just(Step::Resign),
        3 => (0usize..8).prop_map(Step::Snapshot),
        2 => (0usize..8).prop_map(Step::AddVoter),
        2 => (0usize..8).prop_map(Step::RemoveVoter),
        4 => (1u64..30).prop_map(Step::Wait),
        6 => (100u64..4_000).prop_map(Step::Wait),
    ]
}

fn take(rig: &mut Rig, step: Step) {
    let ids = rig.ids();
    let pick = |at: usize| ids[at % ids.len()];
    match step {
        Step::Crash(at) if rig.is_up(pick(at)) => rig.crash(pick(at)),
        Step::Start(at) if !rig.is_up(pick(at)) => rig.start(pick(at)),
        Step::Crash(_) | Step::Start(_) => {}
        Step::Cut(a, b) => join(rig, pick(a), pick(b), Link::Broken),
        Step::Silence(a, b) => join(rig, pick(a), pick(b), Link::Silent),
        Step::Heal => rig.heal(),
        Step::Append => {
            if let Some(leader) = rig.leader() {
                rig.append(leader, "x");
            }
        }
        Step::AppendAt(at) => drop(rig.append(pick(at), "y")),
        Step::Resign => {
            if let Some(leader) = rig.leader() {
                rig.resign(leader);
            }
        }
        Step::Snapshot(at) if rig.is_up(pick(at)) => drop(rig.snapshot(pick(at))),
        Step::Snapshot(_) => {}
        Step::AddVoter(at) => ask_leader(rig, &add_voter(pick(at).0)),
        Step::RemoveVoter(at) => ask_leader(rig, &remove_voter(pick(at).0)),
        Step::Wait(span_ms) => rig.run_for(span_ms),
    }
}

fn ask_leader(rig: &mut Rig, request: &RequestKind) {
    if let Some(leader) = rig.leader() {
        rig.ask(leader, request);
    }
}

fn join(rig: &mut Rig, one: NodeId, other: NodeId, link: Link) {
    if one != other {
        rig.cut(one, other, link);
    }
}

fn agreed(rig: &Rig) -> bool {
    let Some(leader) = rig.leader() else { return false };
    let leader = rig.quorum(leader);
    let end = leader.log().end_offset();
    leader.high_watermark() == end
        && rig.ids().into_iter().all(|id| {
            let quorum = rig.quorum(id);
            quorum.high_watermark() == end && quorum.voters() == leader.voters()
        })
}

fn play(rig: &mut Rig, steps: &[Step]) {
    for step in steps {
        take(rig, *step);
        rig.check_log_matching();
    }
    rig.heal();
    for id in rig.ids() {
        if !rig.is_up(id) {
            rig.start(id);
        }
    }
    rig.run_until(60_000, agreed);
    rig.check_log_matching();
    let leader = rig.leader().expect("agreed");
    for id in rig.ids() {
        assert_eq!(rig.machine(id), rig.machine(leader), "one machine everywhere");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn three_voters_and_two_observers_keep_their_promises(
        seed: u64, steps in prop::collection::vec(step(), 1..60),
    ) {
        play(&mut Rig::new(3, 2, seed), &steps);
    }

    #[test]
    fn five_voters_keep_their_promises(
        seed: u64, steps in prop::collection::vec(step(), 1..60),
    ) {
        play(&mut Rig::new(5, 0, seed), &steps);
    }

    #[test]
    fn the_older_eras_are_less_calm_but_as_safe(
        seed: u64, steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut rig = Rig::with(3, 1, seed, |config| {
            config.pre_vote = PreVote::Off;
            config.check_quorum = CheckQuorum::Off;
        });
        play(&mut rig, &steps);
    }

    #[test]
    fn a_quorum_whose_voters_come_and_go_keeps_its_promises(
        seed: u64, steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut rig = Rig::with(3, 3, seed, |config| {
            config.kraft_version = KraftVersion::Reconfigurable;
            config.max_retention_bytes = 300;
            config.fetch_max_bytes = 200;
        });
        play(&mut rig, &steps);
    }

    #[test]
    fn a_quorum_that_grew_from_one_voter_keeps_its_promises(
        seed: u64, steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut rig = Rig::with(1, 4, seed, |config| {
            config.kraft_version = KraftVersion::Reconfigurable;
            config.max_retention_bytes = 0;
        });
        play(&mut rig, &steps);
    }
}
