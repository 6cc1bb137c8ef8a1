//! The script that the format comes from must compile as it stands.

mod common;

use common::{compile_text, render};

const SEED: &str = include_str!("seed/kafka-deep-dive.ts");

#[test]
fn the_seed_compiles_with_warnings_only() {
    let compiled = compile_text("kafka-deep-dive.ts", SEED);
    let topology =
        compiled.topology.as_ref().unwrap_or_else(|| panic!("{}", render(&compiled)));
    assert!(!compiled.has_errors(), "{}", render(&compiled));
    assert_eq!(topology.groups.len(), 6);
    assert_eq!(topology.processes.len(), 11);
    assert_eq!(topology.edges.len(), 12);
}
