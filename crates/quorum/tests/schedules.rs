//! Random schedules of crashes, cuts, appends and resignations, judged after every step
//! (K1 to K6), and healed in the end: then a leader must be found, and all must agree (L1, L9).

mod rig;

use proptest::prelude::*;
use rig::{Link, Rig};
use topomotion_quorum::{CheckQuorum, PreVote};
use topomotion_wire::NodeId;

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
        Step::Wait(span_ms) => rig.run_for(span_ms),
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
        && rig.ids().into_iter().all(|id| rig.quorum(id).high_watermark() == end)
}

fn play(rig: &mut Rig, steps: &[Step]) {
    for step in steps {
        take(rig, *step);
    }
    rig.heal();
    for id in rig.ids() {
        if !rig.is_up(id) {
            rig.start(id);
        }
    }
    rig.run_until(60_000, agreed);
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
}
