//! Every kind of erasable type, in a script that checks itself.

mod common;

use common::{compile_text, render};

#[test]
fn the_torture_file_runs_as_javascript() {
    let compiled = compile_text("torture.ts", include_str!("torture.ts"));
    assert_eq!(render(&compiled), "");
    let topology = compiled.topology.expect("a topology");
    assert_eq!((topology.processes.len(), topology.edges.len()), (3, 2));
}
