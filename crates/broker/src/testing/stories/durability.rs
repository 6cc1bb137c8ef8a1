//! Whatever crashes and whatever is cut: what was acknowledged with acks=all is there when
//! the dust has settled, at the same offset on every replica (R12, R14, L3, L4).

use std::collections::BTreeMap;

use proptest::prelude::*;
use topomotion_wire::{Offset, ReplicaRole};

use super::*;

#[derive(Debug, Clone)]
enum Happening {
    Wait(u64),
    Crash(i32),
    Start(i32),
    Cut(i32, i32),
    Heal,
    Produce,
}

fn happening() -> impl Strategy<Value = Happening> {
    let node = || prop_oneof![3 => 1..4_i32, 1 => 101..104_i32];
    prop_oneof![
        6 => Just(Happening::Produce),
        3 => (1..20_000_u64).prop_map(Happening::Wait),
        2 => node().prop_map(Happening::Crash),
        3 => node().prop_map(Happening::Start),
        2 => (node(), node()).prop_map(|(a, b)| Happening::Cut(a, b)),
        1 => Just(Happening::Heal),
    ]
}

fn lives(rig: &Rig, id: i32) -> bool {
    rig.nodes().any(|(it, _)| it == id)
}

/// Whoever believes that it leads.
fn leaders(rig: &Rig) -> Vec<i32> {
    let leads = |id: i32| {
        let view = rig.node(id).replica(&orders());
        view.is_some_and(|view| view.role == ReplicaRole::Leader)
    };
    (1..4).filter(|&id| lives(rig, id) && leads(id)).collect()
}

/// Every record of `orders` on a node, by offset.
fn records(rig: &Rig, node: i32) -> BTreeMap<i64, String> {
    let log = rig.node(node).log(&orders()).expect("it holds the partition");
    let batches = log.batches(Offset(0), log.end_offset());
    let records = batches.flat_map(|batch| batch.records().unwrap());
    records
        .map(|record| record.unwrap())
        .map(|it| (it.offset.0, String::from_utf8(it.value.unwrap().to_vec()).unwrap()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn what_was_acknowledged_survives(
        story in prop::collection::vec(happening(), 1..40),
    ) {
        let mut rig = three_brokers(3, &[("min.insync.replicas", "2")]);
        let mut sent = Vec::new();
        for (at, what) in story.iter().enumerate() {
            match *what {
                Happening::Wait(ms) => rig.run_for(ms),
                Happening::Crash(id) if lives(&rig, id) => rig.crash(id),
                Happening::Start(id) if !lives(&rig, id) => rig.start(id),
                Happening::Cut(a, b) if a != b => rig.cut(a, b),
                Happening::Heal => rig.heal(),
                Happening::Produce => {
                    for leader in leaders(&rig) {
                        let value = format!("{at} to {leader}");
                        let connection = rig.connect(leader);
                        rig.ask(connection, 9, produce(-1, 5_000, &[&value]));
                        sent.push((value, connection));
                    }
                    rig.run_for(700);
                }
                Happening::Crash(_) | Happening::Start(_) | Happening::Cut(..) => {}
            }
        }
        rig.heal();
        (1..4).chain(101..104).for_each(|id| if !lives(&rig, id) { rig.start(id) });
        settle(&mut rig);
        rig.run_until("one leader with everyone in sync", |rig| match leaders(rig)[..] {
            [leader] => isr(rig, leader).len() == 3,
            _ => false,
        });
        rig.run_for(6_000);
        let all = records(&rig, 1);
        for node in [2, 3] {
            prop_assert_eq!(&records(&rig, node), &all, "R14: broker {} and 1", node);
        }
        for (value, connection) in sent {
            let Some(response) = rig.inbox(connection).responses.first() else { continue };
            let (error, base) = produced(response);
            if error == 0 {
                prop_assert_eq!(all.get(&base), Some(&value), "R12");
            }
        }
    }
}

#[test]
fn records_outlive_a_label_that_nobody_can_read() {
    let mut rig = Rig::new(1, 1);
    settle(&mut rig);
    create_orders(&mut rig, &[1], &[]);
    assert_eq!(produce_to(&mut rig, 1, -1, &["a", "b"]), (0, 0));
    for _ in 0..2 {
        rig.crash(1);
        rig.garble(1, "orders-0/partition.metadata");
        rig.start(1);
        settle(&mut rig);
        assert_eq!(offsets(&rig, 1), (2, 2), "and the label is written anew");
    }
}
