//! Plays drawn storms, judged, and says what was found: `storms FIRST COUNT [trace]`.
#![allow(clippy::print_stdout)]

use topomotion_sim::{Climate, Coverage, draw};
use topomotion_verify::{examine, replay};

fn main() {
    let numbers: Vec<u64> =
        std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let first = numbers.first().copied().unwrap_or(0);
    let count = numbers.get(1).copied().unwrap_or(20);
    let (mut events, mut coverage) = (0, Coverage::default());
    for seed in first..first + count {
        let file = draw(seed, &Climate::default());
        if std::env::args().any(|word| word == "trace") {
            print!("{}{}", file.to_json(), replay(&file).outcome.trace);
        }
        let judged = examine(&file);
        events += judged.outcome.events;
        coverage.add(&judged.outcome.coverage);
        if !judged.passed() {
            println!("seed {seed}: {:?}", judged.outcome.ending);
        }
        for violation in judged.violations {
            println!("  {} {}: {}", violation.at, violation.invariant, violation.text);
        }
    }
    println!("{events} events");
    for (id, _, count) in coverage.rules() {
        print!("{id} {count}  ");
    }
    println!();
}
