//! The same input gives the same bytes, twice and in either build.

mod support;

use support::{examples, folder, said, text, topomotion, wrote};

#[test]
fn every_example_renders_to_the_same_bytes_twice() {
    let folder = folder("twice");
    for example in examples() {
        for name in ["film.svg", "still.png"] {
            let render = |run: &str| {
                let file = folder.join(format!("{run}-{name}"));
                let mut arguments = vec!["render", &example, "-o", text(&file)];
                if name.ends_with(".png") {
                    arguments.push("--still");
                }
                let output = topomotion(&arguments);
                assert!(output.status.success(), "{example}: {}", said(&output));
                std::fs::read(&file).expect("it was written")
            };
            assert!(render("one") == render("two"), "{example} {name} differs");
        }
    }
}

#[test]
fn a_run_file_replays_to_the_same_trace() {
    let folder = folder("replay");
    let (script, file) = ("examples/kafka-deep-dive.ts", folder.join("run.json"));
    let scenario = "leader-election";
    let run = topomotion(&[
        "sim",
        script,
        "--scenario",
        scenario,
        "--trace",
        "--run-file",
        text(&file),
    ]);
    assert!(run.status.success(), "{}", said(&run));
    let replay = || {
        let output = topomotion(&["sim", "--replay", text(&file), "--trace"]);
        assert!(output.status.success(), "{}", said(&output));
        wrote(&output)
    };
    let (first, second) = (replay(), replay());
    assert!(first == second, "two replays of one run file differ");
    assert!(digest(&first).is_some() && digest(&first) == digest(&wrote(&run)));
}

#[test]
fn another_seed_is_another_run() {
    let trace = |seed: &str| {
        let script = "examples/kafka-deep-dive.ts";
        let scenario = "leader-election";
        let output = topomotion(&["sim", script, "--scenario", scenario, "--seed", seed]);
        assert!(output.status.success(), "{}", said(&output));
        digest(&wrote(&output)).expect("a run prints its digest")
    };
    assert_ne!(trace("1"), trace("2"));
}

/// The digest that `sim` prints.
fn digest(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.contains("digest"))?;
    line.split_whitespace().last().map(str::to_owned)
}
