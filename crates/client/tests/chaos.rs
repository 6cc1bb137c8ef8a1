//! Producers against a broker that loses, refuses and breaks off at random.

mod rig;

use std::cell::RefCell;
use std::rc::Rc;

use proptest::prelude::*;
use rig::*;
use topomotion_client::{Idempotence, Producer, ProducerConfig};
use topomotion_wire::messages::RequestKind;
use topomotion_wire::{Duration, ErrorCode, Fact, Random};

/// What the broker does with one produce request.
#[derive(Debug, Clone, Copy)]
enum Mood {
    Takes,
    /// Refuses for now.
    Refuses,
    /// Breaks off before it has written anything.
    BreaksOff,
    /// Breaks off after it has written everything.
    WritesAndBreaksOff,
    /// Finds every batch of more than one record too large.
    FindsTooLarge,
}

fn mood() -> impl Strategy<Value = Mood> {
    prop_oneof![
        4 => Just(Mood::Takes),
        1 => Just(Mood::Refuses),
        1 => Just(Mood::BreaksOff),
        1 => Just(Mood::WritesAndBreaksOff),
        1 => Just(Mood::FindsTooLarge),
    ]
}

/// What was written, by partition.
type Log = Rc<RefCell<[Vec<u32>; 2]>>;

const MEMORY: usize = 1_500;

fn broker(moods: Vec<Mood>, log: Log) -> impl FnMut(u16, &RequestKind) -> Reply {
    let mut moods = moods.into_iter();
    move |_, request| match request {
        RequestKind::Metadata(_) => topic(1, &[(1, 0), (1, 0)]),
        RequestKind::Produce(produce) => {
            let batches = values_in(produce);
            let mut mood = moods.next().unwrap_or(Mood::Takes);
            if batches.iter().all(|(_, values)| values.len() < 2)
                && let Mood::FindsTooLarge = mood
            {
                mood = Mood::Takes;
            }
            if let Mood::Takes | Mood::WritesAndBreaksOff = mood {
                for (partition, values) in batches {
                    let values = values.iter().map(|value| number_in(value));
                    log.borrow_mut()[partition as usize].extend(values);
                }
            }
            match mood {
                Mood::Takes => all_produced(produce, 0),
                Mood::Refuses => {
                    all_produced(produce, ErrorCode::NotEnoughReplicas.code())
                }
                Mood::FindsTooLarge => {
                    all_produced(produce, ErrorCode::MessageTooLarge.code())
                }
                Mood::BreaksOff | Mood::WritesAndBreaksOff => Reply::Reset,
            }
        }
        _ => Reply::Silence,
    }
}

/// A value is its number and padding.
fn number_in(value: &str) -> u32 {
    value.trim_end_matches('x').parse().expect("a number")
}

fn producer_for(max_in_flight: usize, seed: u64) -> Producer {
    let mut config = ProducerConfig::new(common());
    config.idempotence = Idempotence::Off;
    (config.batch_size, config.buffer_memory) = (300, MEMORY);
    config.max_in_flight = max_in_flight;
    config.linger = Duration::from_millis(3);
    Producer::new(config, Random::new(seed, 1))
}

/// Sends `sizes.len()` records with these lengths, a few at a time, and lets all end.
fn play(max_in_flight: usize, moods: Vec<Mood>, sizes: &[usize]) -> (Vec<Fact>, Log) {
    let log = Log::default();
    let client = producer_for(max_in_flight, sizes.len() as u64);
    let mut rig = Rig::new(client, broker(moods, log.clone()));
    rig.watch = |client: &Producer| assert!(client.memory() <= MEMORY);
    for (number, size) in (0_u32..).zip(sizes) {
        let value = format!("{number}{}", "x".repeat(*size));
        rig.client.send(rig.now, plain(Some(number as i32 % 2), value));
        if number % 7 == 0 {
            let next = rig.now.as_millis() + 2;
            rig.run_until(next);
        }
    }
    rig.run_until(200_000);
    assert_eq!((rig.client.pending(), rig.client.memory()), (0, 0));
    (rig.facts, log)
}

/// Records that were acknowledged.
fn answered(facts: &[Fact]) -> i64 {
    let counts = facts.iter().map(|fact| match fact {
        Fact::BatchAcked { count, .. } => *count,
        Fact::BatchFailed { error, .. } if *error == ErrorCode::MessageTooLarge => 1,
        Fact::BatchFailed { .. } => panic!("time never runs out here"),
        _ => 0,
    });
    counts.sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn with_one_request_in_flight_nothing_overtakes(
        moods in prop::collection::vec(mood(), 0..30),
        sizes in prop::collection::vec(1_usize..200, 1..60),
    ) {
        let (_, log) = play(1, moods, &sizes);
        for written in log.borrow().iter() {
            // What was written twice counts where it stands first.
            let mut firsts: Vec<u32> = Vec::new();
            for &number in written {
                if !firsts.contains(&number) {
                    firsts.push(number);
                }
            }
            prop_assert!(firsts.is_sorted(), "{written:?}");
        }
    }

    #[test]
    fn every_record_is_answered_exactly_once_and_is_then_written(
        max_in_flight in 1_usize..6,
        moods in prop::collection::vec(mood(), 0..30),
        sizes in prop::collection::vec(1_usize..200, 1..60),
    ) {
        let (facts, log) = play(max_in_flight, moods, &sizes);
        prop_assert_eq!(answered(&facts), sizes.len() as i64);
        let mut written: Vec<u32> = log.borrow().iter().flatten().copied().collect();
        written.sort_unstable();
        written.dedup();
        let refused = facts.iter().filter(|fact| matches!(fact, Fact::BatchFailed { .. }));
        prop_assert!(written.len() + refused.count() >= sizes.len());
    }
}
