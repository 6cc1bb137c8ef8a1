//! Storms as users meet them: written down, replayed, shrunk, filmed, and refused with a place.
#![allow(clippy::unwrap_used)] // helpers of tests are tests
#![allow(clippy::disallowed_methods)] // files are this suite's business

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("storms-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn run(folder: &Path, line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_topomotion"))
        .args(line.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Three brokers and a controller in the era when followers cut their logs at their own high
/// watermarks: two crashes are enough to lose what was acknowledged.
fn old_era(nemesis: &[&str]) -> String {
    let node = |id: u32| {
        format!(r#"{{ "process": "broker-{id}", "id": {id}, "role": "broker" }}"#)
    };
    let nodes = [1, 2, 3].map(node).join(", ");
    let quoted = |lines: &[String]| {
        let lines: Vec<String> =
            lines.iter().map(|line| format!("      \"{line}\"")).collect();
        lines.join(",\n")
    };
    let nemesis: Vec<String> = nemesis.iter().map(ToString::to_string).collect();
    let send = |turn: u32| {
        let (seconds, millis) = (turn / 10, turn % 10 * 100);
        format!("{seconds}.{millis:03} shop sends 2 to orders-0 acks=all")
    };
    let operations: Vec<String> = (1..120).map(send).collect();
    format!(
        r#"{{
  "scenario": "storm-of-old",
  "cluster": {{
    "nodes": [{nodes}, {{ "process": "controller-1", "id": 101, "role": "controller" }}],
    "topics": [{{ "name": "orders", "assignment": [[1, 2, 3]] }}],
    "producers": [{{ "process": "shop", "bootstrap": "broker-1", "acks": "all", "topic": "orders" }}],
    "consumers": [],
    "settings": {{ "era.truncation": "hw" }},
    "seed": 0
  }},
  "steps": [],
  "seed": 5,
  "storm": {{
    "until_ms": 14000,
    "nemesis": [
{}
    ],
    "operations": [
{}
    ]
  }}
}}
"#,
        quoted(&nemesis),
        quoted(&operations)
    )
}

const CRASHES: [&str; 5] = [
    "2.000 slow shop > broker-3 by 5 ms",
    "3.000 jump broker-1 by 10 ms",
    "4.000 crash broker-2",
    "4.000 crash broker-3",
    "4.500 restart broker-2",
];

/// The invariants that an account names.
fn broken(account: &str) -> Vec<String> {
    let lines = account.lines().filter(|line| line.contains('✘'));
    let ids =
        lines.filter_map(|line| Some(line.rsplit_once('(')?.1.trim_end_matches(')')));
    ids.map(str::to_owned).collect()
}

#[test]
fn a_storm_that_breaks_an_invariant_is_shrunk_to_a_smaller_one_that_does_and_filmed() {
    let folder = folder("shrink");
    fs::write(folder.join("old.json"), old_era(&CRASHES)).unwrap();
    let first = run(&folder, "sim --replay old.json");
    assert_eq!(first.status.code(), Some(1), "{}", told(&first));
    let invariant = broken(&said(&first)).first().cloned().expect("it is broken");
    let again = run(&folder, "sim --replay old.json");
    assert_eq!(said(&again), said(&first), "the same file, the same account");

    let shrunk = run(
        &folder,
        "sim --replay old.json --shrink --run-file small.json --render small.svg",
    );
    assert_eq!(shrunk.status.code(), Some(1), "{}", told(&shrunk));
    assert!(
        said(&shrunk).starts_with(&format!("{invariant} after ")),
        "{}",
        said(&shrunk)
    );
    let text = fs::read_to_string(folder.join("small.json")).unwrap();
    let size =
        |text: &str| (text.matches(" crash ").count(), text.matches(" sends ").count());
    assert!(size(&text).1 < 60, "{text}");
    assert!(!text.contains(" jump ") && !text.contains(" slow "), "{text}");
    let small = run(&folder, "sim --replay small.json");
    assert!(broken(&said(&small)).contains(&invariant), "{}", said(&small));

    let film = fs::read_to_string(folder.join("small.svg")).unwrap();
    assert!(film.starts_with("<svg") && film.trim_end().ends_with("</svg>"));
    assert!(film.contains("broker-3") && film.contains("@keyframes"), "it plays");
}

#[test]
fn a_drawn_storm_is_written_down_and_replayed() {
    let folder = folder("drawn");
    run(&folder, "sim --seeds 3..4 --run-file storm-3.json");
    let replayed = run(&folder, "sim --replay storm-3.json");
    assert!(said(&replayed).contains("storm-3\n"), "{}", told(&replayed));
    assert!(said(&replayed).contains("digest"), "{}", said(&replayed));
    let whole = run(&folder, "sim --replay storm-3.json --shrink --run-file no.json");
    if replayed.status.success() {
        assert!(told(&whole).contains("nothing to shrink"), "{}", told(&whole));
        assert!(!folder.join("no.json").exists(), "nothing is half written");
    }
}

#[test]
fn a_mistake_in_a_run_file_is_told_with_line_and_column() {
    let folder = folder("mistakes");
    for (line, place) in [
        (
            "2.000 crush broker-1",
            "column 14: there is no fault `crush`: did you mean `crash`?",
        ),
        ("2.000 crash broker-9", "column 20: nobody is called `broker-9`"),
        (
            "2.000 crash",
            "column 19: the line ends where the name of a process should stand",
        ),
    ] {
        fs::write(folder.join("wrong.json"), old_era(&[line])).unwrap();
        let refused = run(&folder, "sim --replay wrong.json");
        assert_eq!(refused.status.code(), Some(1));
        let told = told(&refused);
        assert!(told.contains("wrong.json") && told.contains(place), "{told}");
        assert!(told.contains("line 16"), "{told}");
    }
    let late = old_era(&["2.000 crash broker-1", "1.000 restart broker-1"]);
    fs::write(folder.join("wrong.json"), late).unwrap();
    let said = told(&run(&folder, "sim --replay wrong.json"));
    assert!(said.contains("line 17, column 8: the line before is at 2.000"), "{said}");
}

#[test]
fn storms_that_once_broke_an_invariant_break_none_now() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/seeds");
    let mut files: Vec<PathBuf> =
        fs::read_dir(seeds).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let folder = folder("seeds");
    for file in files {
        let replayed = Command::new(env!("CARGO_BIN_EXE_topomotion"))
            .args(["sim", "--replay"])
            .arg(&file)
            .current_dir(&folder)
            .output()
            .unwrap();
        let (name, account) = (file.display(), said(&replayed));
        assert!(replayed.status.success(), "{name}: {account}{}", told(&replayed));
        assert!(account.contains("quiet at"), "{name}: {account}");
    }
}
