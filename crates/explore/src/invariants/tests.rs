//! A state in which all is well, and the one defect that each invariant must find in it.

use std::collections::BTreeSet;

use topomotion_wire::{BrokerEpoch, LeaderEpoch, PartitionEpoch};

use super::*;
use crate::evidence::Member;
use crate::history::{History, Promise};

const ONE: NodeId = NodeId(1);
const TWO: NodeId = NodeId(2);

fn entry(base: i64, epoch: i32, batch: u32) -> Entry {
    Entry { base, end: base + 1, epoch, batch, content: u64::from(batch) }
}

fn registration(isr: &[NodeId]) -> PartitionState {
    PartitionState {
        replicas: vec![ONE, TWO],
        isr: isr.to_vec(),
        leader: Some(ONE),
        leader_epoch: LeaderEpoch(0),
        partition_epoch: PartitionEpoch(0),
        ..PartitionState::default()
    }
}

/// Two brokers with one acknowledged record, and a metadata log of two.
struct Case {
    logs: [Vec<Entry>; 2],
    metadata: [Vec<Entry>; 2],
    maximal_isr: Vec<NodeId>,
    history: History,
}

impl Case {
    fn sound() -> Case {
        let mut history = History::default();
        history.leaders.insert(1, BTreeSet::from([1]));
        history.registrations.insert(0, registration(&[ONE, TWO]));
        history.committed = vec![entry(0, 1, 70), entry(1, 1, 71)];
        history.promises.push(Promise { batch: 7, base: 0, acks: Acks::All });
        Case {
            logs: [vec![entry(0, 0, 7)], vec![entry(0, 0, 7)]],
            metadata: [history.committed.clone(), history.committed.clone()],
            maximal_isr: vec![ONE, TWO],
            history,
        }
    }

    fn found(&self) -> Vec<&'static str> {
        let nodes = [ONE, TWO].into_iter().zip(&self.logs).zip(&self.metadata);
        let nodes = nodes.map(|((id, log), metadata)| Seen {
            id,
            metadata,
            log,
            registration: self.history.registration().cloned(),
            member: Some(Member { high_watermark: 2 }),
            copy: Some(Copy {
                leads: id == ONE,
                leader_epoch: LeaderEpoch(0),
                partition_epoch: PartitionEpoch(0),
                high_watermark: 1,
                maximal_isr: self.maximal_isr.clone(),
            }),
            brokers: vec![(TWO, BrokerEpoch(5))],
        });
        let evidence = Evidence { nodes: nodes.collect(), history: &self.history };
        let found: BTreeSet<&str> = judge(&evidence).into_iter().map(|it| it.0).collect();
        found.into_iter().collect()
    }
}

#[test]
fn a_sound_state_breaks_nothing() {
    assert!(Case::sound().found().is_empty());
}

#[test]
fn r2_finds_a_member_that_lacks_what_is_replicated_or_has_something_else() {
    let mut case = Case::sound();
    case.logs[1].clear();
    assert_eq!(case.found(), ["R2"]);
    case.logs[1] = vec![entry(0, 0, 8)];
    assert_eq!(case.found(), ["R2"]);
}

#[test]
fn r2_excuses_whoever_lost_data_until_the_controller_knows() {
    let mut case = Case::sound();
    case.logs[1].clear();
    case.history.unsound.insert(TWO, BrokerEpoch(5));
    assert!(case.found().is_empty());
    case.history.unsound.insert(TWO, BrokerEpoch(4));
    assert_eq!(case.found(), ["R2"]);
}

#[test]
fn r3_finds_a_leader_outside_the_isr() {
    let mut case = Case::sound();
    case.history.registrations.insert(0, registration(&[TWO]));
    assert_eq!(case.found(), ["R3"]);
}

#[test]
fn r8_finds_a_leader_that_counts_on_too_few() {
    let mut case = Case::sound();
    case.maximal_isr = vec![ONE];
    assert_eq!(case.found(), ["R8"]);
}

#[test]
fn r12_finds_a_broken_promise() {
    let mut case = Case::sound();
    case.logs = [vec![entry(0, 0, 8)], vec![entry(0, 0, 8)]];
    assert_eq!(case.found(), ["R12"]);
    case.history.promises[0].acks = Acks::Leader;
    assert!(case.found().is_empty(), "acks=1 promises less");
}

#[test]
fn k1_finds_two_leaders_of_one_epoch() {
    let mut case = Case::sound();
    case.history.leaders.insert(2, BTreeSet::from([2]));
    assert!(case.found().is_empty());
    case.history.leaders.insert(2, BTreeSet::from([1, 2]));
    assert_eq!(case.found(), ["K1"]);
}

#[test]
fn k6_finds_another_record_called_committed_and_lets_the_rest_differ() {
    let mut case = Case::sound();
    case.metadata[1].push(entry(2, 1, 72));
    assert!(case.found().is_empty(), "nobody calls it committed");
    case.metadata[1][1] = entry(1, 1, 99);
    assert_eq!(case.found(), ["K6"]);
}
