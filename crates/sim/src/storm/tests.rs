//! Lines are read, written and refused with their place.

use super::*;
use strike::Blow;

fn strike(line: &str) -> Result<Strike, Misread> {
    line.parse()
}

#[test]
fn every_blow_is_written_as_it_is_read() {
    for &blow in Blow::ALL {
        let lines = [
            format!("12.034 {}", blow.word()),
            format!("12.034 {} broker-1", blow.word()),
            format!("12.034 {} broker-1 > broker-2,broker-3", blow.word()),
            format!("12.034 {} broker-1 by 70 ms", blow.word()),
            format!("12.034 {} broker-1 by 70 percent", blow.word()),
            format!("12.034 {} broker-1 by 70 bytes", blow.word()),
            format!("12.034 {} a,b > c by 70 ms", blow.word()),
            format!("12.034 {} a,b > c by 70 bytes/s", blow.word()),
        ];
        let fitting: Vec<&String> =
            lines.iter().filter(|line| strike(line).is_ok()).collect();
        let [line] = fitting[..] else { panic!("{}: {fitting:?}", blow.word()) };
        assert_eq!(strike(line).expect("it fits").to_string(), *line);
    }
}

#[test]
fn an_operation_is_written_as_it_is_read() {
    for line in
        ["0.150 shop sends 3 to orders-0 acks=all", "61.002 a sends 1 to b-c-12 acks=0"]
    {
        let operation: Operation = line.parse().expect("a line");
        assert_eq!(operation.to_string(), line);
    }
}

#[test]
fn what_cannot_be_read_is_told_with_its_column() {
    let told = |line: &str| strike(line).expect_err("no line");
    let misread = told("12.034 krash broker-1");
    assert_eq!(
        (misread.column, &*misread.message),
        (7, "there is no fault `krash`: did you mean `crash`?")
    );
    assert_eq!(told("12.034 crash").column, 12);
    assert_eq!(told("soon crash broker-1").column, 0);
    assert_eq!(told("1.0 slow a > b by 5 s").message, "`ms` should stand here, not `s`");
    assert_eq!(told("1.0 heal now").message, "`now` is one word too many");
}

const FILE: &str = r#"{
  "storm": {
    "until_ms": 60000,
    "nemesis": [
      "1.000 crash broker-1",
      "0.500 restart broker-1"
    ],
    "operations": []
  }
}"#;

fn checked(text: &str) -> String {
    let plan = plan();
    let lists = [List::Nemesis, List::Operations];
    let mistake = lists
        .into_iter()
        .find_map(|list| place::check_list(text, list, Some(&plan)).err());
    mistake.map(|mistake| mistake.to_string()).unwrap_or_default()
}

fn plan() -> ClusterPlan {
    use crate::{NodePlan, NodeRole};
    let (process, role) = ("broker-1".into(), NodeRole::Combined);
    let node =
        NodePlan { process, id: 1, role, rack: None, settings: Default::default() };
    ClusterPlan { nodes: vec![node], ..ClusterPlan::default() }
}

#[test]
fn a_mistake_in_a_file_is_told_with_line_and_column() {
    assert_eq!(
        checked(FILE),
        "line 6, column 8: the line before is at 1.000, this one must not be earlier"
    );
    assert_eq!(
        checked(&FILE.replace("0.500 restart broker-1", "2.000 restart broker-7")),
        "line 6, column 22: nobody is called `broker-7`: did you mean `broker-1`?"
    );
    assert_eq!(
        checked(&FILE.replace("0.500 restart broker-1", "2.000 restart")),
        "line 6, column 21: the line ends where the name of a process should stand"
    );
    assert_eq!(checked(&FILE.replace("0.500", "1.500")), "");
}
