//! Plays a minute of load, or a large group's rebalances, again and again, for profilers:
//! `minute bare|judged|story|rebalance TIMES`.
#![allow(clippy::print_stdout)]

#[allow(dead_code)]
#[path = "../tests/common/load.rs"]
mod load;

use topomotion_sim::{Observer, play, probe};
use topomotion_verify::Court;

fn main() {
    let mut words = std::env::args().skip(1);
    let how = words.next().unwrap_or_default();
    let times = words.next().and_then(|word| word.parse().ok()).unwrap_or(1);
    let file = load::minute(load::BUSY);
    for _ in 0..times {
        let outcome = match &*how {
            "judged" => probe(&file, &mut Court::of(&file.cluster)),
            "story" => play(&file, &mut Observer::new()),
            "rebalance" => play(&load::rebalance(load::HUNDRED), &mut Observer::new()),
            _ => probe(&file, &mut Observer::new()),
        };
        println!(
            "{} inputs, {} timers, course {:016x}",
            outcome.events, outcome.timers, outcome.course
        );
    }
}
