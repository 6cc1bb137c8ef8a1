//! Which crate may know which. The table is the design; any other edge fails the build.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Each crate, and all the crates of the workspace that it may depend on.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("script", &["model"]),
    ("text", &[]),
    ("scene", &[]),
    ("layout", &["model", "scene", "text"]),
    ("wire", &[]),
    ("log", &["wire"]),
    ("quorum", &["log", "wire"]),
    ("assignor", &["wire"]),
    ("coordinator", &["assignor", "log", "wire"]),
    ("broker", &["coordinator", "log", "quorum", "wire"]),
    ("client", &["assignor", "log", "wire"]),
    ("host", &["actors", "broker", "client", "log", "wire"]),
    ("actors", &["client", "log", "wire"]),
    ("trace", &[]),
    (
        "sim",
        &[
            "actors",
            "broker",
            "client",
            "coordinator",
            "log",
            "model",
            "quorum",
            "trace",
            "wire",
        ],
    ),
    ("verify", &["model", "sim", "trace"]),
    ("explore", &["broker", "client", "log", "quorum", "sim", "wire"]),
    ("animate", &["model", "scene", "text", "trace"]),
    ("svg", &["scene"]),
    ("raster", &["scene", "text"]),
    ("pdf", &["scene", "text"]),
    ("viewer", &["scene", "text"]),
    ("live", &["animate", "model", "scene", "sim", "trace", "verify", "viewer"]),
    (
        "studio",
        &[
            "animate", "layout", "live", "model", "raster", "scene", "script", "sim",
            "svg", "text", "trace", "verify", "viewer",
        ],
    ),
    ("preview", &["viewer"]),
    (
        "cli",
        &[
            "animate", "explore", "host", "layout", "model", "pdf", "preview", "raster",
            "scene", "script", "sim", "studio", "svg", "text", "trace", "verify",
            "viewer",
        ],
    ),
    ("tests", &["animate", "model", "scene", "svg", "text", "trace"]),
];

/// What the engine crates may take from outside: data crates only, nothing that has a
/// clock, a thread, a socket or a random source of its own.
const ENGINE: &[&str] =
    &["wire", "log", "quorum", "assignor", "coordinator", "broker", "client"];
const ENGINE_MAY_TAKE: &[&str] = &[
    "bytes",
    "crc32c",
    "flate2",
    "hmac",
    "kafka-protocol",
    "lz4_flex",
    "ruzstd",
    "sha2",
    "snap",
    "uuid",
];

/// What must never be linked into the command line: licences that forbid it.
const FORBIDDEN: &[&str] = &["imagequant", "gifski", "elkrs"];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo runs, since it runs this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

/// Normal dependencies of every package of the workspace, by short name.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("a list").iter();
    packages
        .filter(|package| package["source"].is_null())
        .map(|package| {
            let name = package["name"].as_str().unwrap_or_default();
            let list = package["dependencies"].as_array().expect("a list").iter();
            let normal = list.filter(|dependency| dependency["kind"].is_null());
            let names = normal.filter_map(|dependency| dependency["name"].as_str());
            (short(name), names.map(short).collect())
        })
        .collect()
}

fn short(name: &str) -> String {
    name.strip_prefix("topomotion-").unwrap_or(name).to_owned()
}

#[test]
fn every_crate_knows_only_whom_it_may_know() {
    let dependencies = dependencies();
    let members: BTreeSet<&String> = dependencies.keys().collect();
    for (name, depends) in &dependencies {
        let Some((_, allowed)) = MAY_KNOW.iter().find(|(member, _)| member == name)
        else {
            panic!("crate `{name}` is not in the table: say whom it may know");
        };
        for other in depends.iter().filter(|other| members.contains(other)) {
            assert!(
                allowed.contains(&other.as_str()),
                "`{name}` may not depend on `{other}`"
            );
        }
    }
}

#[test]
fn the_table_names_no_crate_that_does_not_exist() {
    let dependencies = dependencies();
    for (name, _) in MAY_KNOW {
        assert!(dependencies.contains_key(*name), "`{name}` is only in the table");
    }
}

#[test]
fn the_engine_takes_nothing_from_outside_but_data_crates() {
    let dependencies = dependencies();
    for name in ENGINE {
        for other in &dependencies[*name] {
            assert!(
                ENGINE.contains(&other.as_str())
                    || ENGINE_MAY_TAKE.contains(&other.as_str()),
                "engine crate `{name}` may not depend on `{other}`"
            );
        }
    }
}

#[test]
fn nothing_with_a_forbidden_licence_is_linked() {
    let metadata = metadata();
    for package in metadata["packages"].as_array().expect("a list") {
        let name = package["name"].as_str().unwrap_or_default();
        assert!(!FORBIDDEN.contains(&name), "`{name}` must not be linked");
        let licence = package["license"].as_str().unwrap_or_default();
        let copyleft = licence.split(" OR ").all(|choice| choice.contains("GPL"));
        assert!(licence.is_empty() || !copyleft, "`{name}` is under {licence}");
    }
}

/// The feature that makes the engine make mistakes: it is for tests alone, those of the judge
/// and those of the coordinators' own storms.
const DEFECTS: &str = "seeded-defects";

#[test]
fn nothing_that_is_shipped_asks_for_seeded_defects() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("a list").iter();
    let mut asked_by = Vec::new();
    for package in packages.filter(|package| package["source"].is_null()) {
        let name = short(package["name"].as_str().unwrap_or_default());
        let features = package["features"].as_object().expect("a table");
        for (feature, others) in features {
            let implied = others.as_array().expect("a list").iter();
            let mut implied = implied.filter_map(Value::as_str);
            assert!(
                !implied.any(|other| other.ends_with(DEFECTS)),
                "`{name}`: the feature `{feature}` brings {DEFECTS} with it"
            );
        }
        for dependency in package["dependencies"].as_array().expect("a list") {
            let features = dependency["features"].as_array().expect("a list");
            if features.iter().any(|feature| feature == DEFECTS) {
                let kind = dependency["kind"].as_str().unwrap_or("normal");
                asked_by.push(format!("{name} ({kind})"));
            }
        }
    }
    assert_eq!(asked_by, ["coordinator (dev)", "verify (dev)"]);
}
