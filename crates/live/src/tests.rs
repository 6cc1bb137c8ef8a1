//! Runs of the examples, taken over.

use std::fs;

use serde_json::json;
use topomotion_animate::Theme;
use topomotion_model::{ProcessId, Scenario, Topology};
use topomotion_script::{NoFiles, Source, compile};
use topomotion_sim::{Action, RunFile, RunOptions, bind};
use topomotion_trace::{Event, Fault, What};

use crate::branch::{Branched, starts};
use crate::{Branch, Deed, Live};

/// A Kafka cluster with three brokers, two groups and three scenarios.
#[allow(clippy::disallowed_methods)]
fn example() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/kafka-deep-dive.ts");
    fs::read_to_string(path).expect("an example")
}

fn topology(text: &str) -> Topology {
    let options = topomotion_script::Options::default();
    let compiled = compile(&Source::new("example.ts", text), &NoFiles, &options);
    assert!(compiled.topology.is_some(), "{:?}", compiled.diagnostics);
    compiled.topology.unwrap()
}

fn file(topology: &Topology, id: &str) -> (Scenario, RunFile) {
    let scenario = topology.scenarios.iter().find(|one| one.id.as_str() == id).unwrap();
    let binding = bind(topology).unwrap();
    let file = RunFile::new(&binding, scenario, &RunOptions::default()).unwrap();
    (scenario.clone(), file)
}

fn live(topology: &Topology, ids: &[&str]) -> Live {
    let scene =
        topomotion_layout::layout(topology, &topomotion_layout::Options::default());
    let mut live = Live::new(scene, &Theme::default());
    for id in ids {
        let (scenario, file) = file(topology, id);
        let outcome = topomotion_verify::replay(&file).outcome;
        live.add(&scenario, file, &outcome);
    }
    Live::read(&live.json()).expect("what was just written")
}

fn process(id: &str) -> ProcessId {
    ProcessId::from(id)
}

fn crash(at: u64, id: &str) -> Deed {
    Deed { at, action: Action::Crash { process: process(id) } }
}

/// What happened in the story before an instant, but for how the steps are put. Packets go by
/// what they are: their numbers depend on which of the set-up's are told, too.
fn before(events: &[Event], at: u64) -> Vec<String> {
    let curtain = events.iter().position(|event| event.what == What::Curtain);
    let own =
        events.iter().skip(curtain.unwrap_or(0)).take_while(|event| event.at.0 < at);
    let told = own.filter_map(|event| {
        let words = match &event.what {
            What::Step { .. } | What::Verdict { .. } | What::Arrived(_) => return None,
            What::Sent(packet) => format!(
                "{} to {}: {} {} {:?}, {} bytes",
                packet.from,
                packet.to,
                packet.api,
                packet.detail,
                packet.error,
                packet.bytes
            ),
            other => format!("{other:?}"),
        };
        Some(format!("{} {words}", event.at.0))
    });
    told.collect()
}

#[test]
fn whenever_a_run_is_taken_over_its_past_is_the_films_own() {
    let topology = topology(&example());
    let mut compared = 0;
    for id in ["acks-all", "leader-election", "slow-follower"] {
        let (_, file) = file(&topology, id);
        let (own, _) = Branched::untouched(&file).play();
        let end = own.trace.events.last().unwrap().at.0;
        for part in 0..8 {
            let from = end * part / 8;
            let branch = Branch { from, deeds: vec![crash(from, "broker-2")] };
            let run = Branched::new(&file, &own.trace, &branch);
            let (outcome, _) = run.play();
            let begun: Vec<_> = starts(&outcome.trace).collect();
            let done = begun[run.deeds[0]].0;
            // Whole ms after the step that was cut short.
            assert!(done.abs_diff(from) <= 1_000, "{id} at {from}: {done}");
            let until = done.min(from);
            let (again, film) =
                (before(&outcome.trace.events, until), before(&own.trace.events, until));
            let first = again.iter().zip(&film).find(|(a, b)| a != b);
            assert_eq!(
                (first, again.len()),
                (None, film.len()),
                "{id}, taken over at {from}"
            );
            compared += film.len();
            let fell = outcome.trace.events.iter().any(|event| {
                event.at.0 == done
                    && matches!(&event.what, What::Fault(Fault::Crash { process }) if **process == *"broker-2")
            });
            assert!(fell, "{id}, taken over at {from}");
        }
    }
    assert!(compared > 1_000, "{compared}");
}

#[test]
fn what_was_done_is_a_scenario_that_a_script_can_hold() {
    let script = example();
    let topology = topology(&script);
    let mut live = live(&topology, &["leader-election", "slow-follower"]);
    let produce = json!({ "at": 2_400_000, "do": "produce", "producer": "order-producer", "topic": "orders",
        "key": "by hand", "value": null, "partition": null, "acks": null, "count": 3, "awaits": "nothing" });
    let ask = json!({ "at": 2_900_000, "do": "admin", "what": "set topic orders min.insync.replicas=1" });
    let leave = json!({ "at": 3_000_000, "do": "shutdown", "process": "flink-1" });
    let cut = json!({ "at": 3_500_000, "do": "partition", "left": ["broker-3"], "right": ["broker-1", "controller"] });
    let heal = json!({ "at": 9_100_000, "do": "heal" });
    let join = json!({ "at": 9_200_000, "do": "start", "process": "flink-1" });
    let branch =
        json!({ "from": 1_234_567, "deeds": [produce, ask, leave, cut, heal, join] });
    let branch: Branch = serde_json::from_value(branch).unwrap();
    for id in ["leader-election", "slow-follower"] {
        let take = live.play(id, Some(&branch)).unwrap();
        assert!(take.notes.is_empty(), "{:?}", take.notes);
        assert_eq!(take.deeds.len(), branch.deeds.len());
        assert!(take.deeds.windows(2).all(|pair| pair[0] <= pair[1]), "{:?}", take.deeds);
        let longer = self::topology(&format!("{script}\n{}", take.script));
        let (_, again) = file(&longer, &format!("{id}-by-hand"));
        let outcome = topomotion_verify::replay(&again).outcome;
        assert_eq!(format!("{:016x}", outcome.digest), take.digest, "{}", take.script);
    }
}

#[test]
fn time_can_be_wound_back_and_another_branch_taken() {
    let topology = topology(&example());
    let mut live = live(&topology, &["acks-all"]);
    let own = live.play("acks-all", None).unwrap();
    let at = |deeds| Branch { from: 1_000, deeds };
    let mut take = |branch: &Branch| live.play("acks-all", Some(branch)).unwrap();
    let first = take(&at(vec![crash(5_000, "broker-1")]));
    let other = take(&at(vec![crash(5_000, "broker-2")]));
    let again = take(&at(vec![crash(5_000, "broker-1")]));
    assert_eq!(first.digest, again.digest);
    assert!(first.digest != other.digest && first.digest != own.digest);
    let stopped = first.states.iter().find(|(_, id, _)| id == "broker-1").unwrap();
    assert_eq!((stopped.0, stopped.2), (first.deeds[0], "stopped"));
    // The clock goes forward only.
    for pair in first.clock.windows(2) {
        assert!(pair[0][0] < pair[1][0] && pair[0][2] <= pair[1][1], "{pair:?}");
    }
}

#[test]
fn what_cannot_be_done_is_told_and_the_run_goes_on() {
    let topology = topology(&example());
    let mut live = live(&topology, &["acks-all"]);
    let nonsense = json!({ "from": 0, "deeds": [
        { "at": 1_000_000, "do": "admin", "what": "make coffee" },
        { "at": 1_100_000, "do": "crash", "process": "nobody" },
        { "at": 1_200_000, "do": "start", "process": "broker-1" },
    ] });
    let branch: Branch = serde_json::from_value(nonsense).unwrap();
    let take = live.play("acks-all", Some(&branch)).unwrap();
    assert!(
        take.notes.iter().any(|note| note.contains("make coffee")),
        "{:?}",
        take.notes
    );
    assert!(
        take.notes.iter().any(|note| note.contains("runs already")),
        "{:?}",
        take.notes
    );
    assert!(live.play("no-such", None).is_none());
}

#[test]
fn a_run_that_this_engine_plays_otherwise_is_told() {
    let topology = topology(&example());
    let mut live = live(&topology, &["acks-all"]);
    live.stories[0].digest = "0000000000000000".into();
    let take = live.play("acks-all", None).unwrap();
    assert!(
        take.notes[0].contains("another than the one that made the film"),
        "{:?}",
        take.notes
    );
    let mut older: serde_json::Value = serde_json::from_slice(&live.json()).unwrap();
    older["form"] = json!(99);
    assert!(Live::read(older.to_string().as_bytes()).unwrap_err().contains("version 99"));
    assert!(Live::read(b"{").unwrap_err().contains("cannot be read"));
}
