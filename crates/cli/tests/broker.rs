//! `broker` and `record` as a shell sees them. (What clients see: `tests/clients`.)

// The rim: programs are run and files are read.
#![allow(clippy::disallowed_methods)]

use std::process::{Command, Output};

fn topomotion(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_topomotion"));
    command.args(arguments).output().expect("it runs")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_flush_needs_somewhere_to_flush_to() {
    let refused = topomotion(&["broker", "--fsync"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(told(&refused).contains("--data-dir"), "{}", told(&refused));
    let refused = topomotion(&["broker", "--ephemeral", "--data-dir", "x"]);
    assert_eq!(refused.status.code(), Some(2));
    let refused = topomotion(&["broker", "--brokers", "0"]);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn ports_end_at_65535() {
    let refused = topomotion(&["broker", "--brokers", "2", "--port", "65535"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(told(&refused).contains("127.0.0.1:65536"), "{}", told(&refused));
}

#[test]
fn a_program_that_fails_is_told_and_drawn_all_the_same() {
    let command = "test -n \"$BOOTSTRAP_SERVERS\" && test \"$1\" = \"$KAFKA_BOOTSTRAP_SERVERS\" && exit 3";
    let arguments = [
        "record",
        "--brokers",
        "1",
        "-o",
        "-",
        "--",
        "sh",
        "-c",
        command,
        "sh",
        "{bootstrap}",
    ];
    let failed = topomotion(&arguments);
    assert_eq!(failed.status.code(), Some(1));
    assert!(told(&failed).contains("exit status: 3"), "{}", told(&failed));
    let film = String::from_utf8_lossy(&failed.stdout);
    assert!(film.starts_with("<svg") && film.contains("broker-1"), "a film");
}

#[test]
fn a_program_that_is_not_there_and_a_form_that_is_not_drawn_are_told() {
    let failed = topomotion(&["record", "-o", "-", "--", "/no/such/program"]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(told(&failed).contains("/no/such/program"), "{}", told(&failed));
    let refused = topomotion(&["record", "-o", "x.gif", "--", "true"]);
    assert_eq!(refused.status.code(), Some(2));
}
