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
    for line in [
        "0.150 shop sends 3 to orders-0 acks=all",
        "61.002 a sends 1 to b-c-12 acks=0",
        "1.000 reader seek orders-0 to earliest",
        "1.000 reader pause orders-0,orders-1",
        "2.000 admin set topic orders min.insync.replicas=1",
        "2.000 admin reassign orders-0 to broker-4,broker-5",
        "2.500 teller begin",
        "2.600 teller commit-transaction",
        "2.700 north-1 subscribe orders,audit",
        "2.800 north-1 work 20 s",
        "2.900 mill transform orders to payments",
        "3.000 shutdown broker-1",
        "9.000 start broker-1",
        "9.500 admin sends 1 to orders-0 acks=1",
        "9.500 admin seek orders-0 to 7",
    ] {
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

#[test]
fn an_operation_that_cannot_be_read_is_told_with_its_column() {
    for (line, column, message) in [
        (
            "0.1 shop",
            8,
            "the line ends too early; write: 0.150 shop sends 3 to orders-0 acks=all",
        ),
        (
            "0.1 shop sent 3 to orders-0 acks=all",
            9,
            "`sent` has no meaning here; write: 0.150 shop sends 3 to orders-0 acks=all",
        ),
        (
            "0.1 reader  seek orders-0 to",
            28,
            "an offset is missing; write: seek orders-0 to earliest",
        ),
        ("0.1 admin  grwo orders to 6", 11, "`grwo` is not known: did you mean `grow`?"),
        ("0.1 admin  grow  orders to many", 27, "`many` is no whole number"),
        ("0.1 shutdown", 12, "the line ends where the name of a process should stand"),
        (
            "0.1 shutdow broker-1",
            4,
            "`shutdow` is not known here: did you mean `shutdown`?",
        ),
        ("0.1 start broker-1 now", 19, "`now` is one word too many"),
    ] {
        let misread = line.parse::<Operation>().expect_err(line);
        assert_eq!((misread.column, &*misread.message), (column, message), "{line}");
    }
}

#[test]
fn the_names_in_an_operation_are_looked_up() {
    let file = |line: &str| {
        format!("{{\"storm\": {{\n\"nemesis\": [],\n\"operations\": [\"{line}\"]}}}}")
    };
    for (line, mistake) in [
        (
            "0.1 shutdown brokr-1",
            "line 3, column 30: nobody is called `brokr-1`: did you mean `broker-1`?",
        ),
        ("0.1 shutdown shop", ""),
        ("0.1 shop begin", "line 3, column 21: `shop` has no transactions"),
        (
            "0.1 shop transform orders to orders",
            "line 3, column 21: `shop` does not both read and write",
        ),
        ("0.1 shop seek orders-0 to 1", "line 3, column 21: `shop` is no consumer"),
        (
            "0.1 broker-1 sends 1 to orders-0 acks=1",
            "line 3, column 21: `broker-1` is no producer",
        ),
        (
            "0.1 shop sends 1 to orders-1 acks=1",
            "line 3, column 37: there is no partition orders-1",
        ),
        (
            "0.1 admin delete-topic order",
            "line 3, column 40: there is no topic `order`: did you mean `orders`?",
        ),
        ("0.1 admin reassign orders-0 to shop", "line 3, column 48: `shop` is no broker"),
        ("0.1 admin set topic orders retention.ms=1", ""),
        ("0.1 start shop", ""),
    ] {
        assert_eq!(checked(&file(line)), mistake, "{line}");
    }
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
    let topic = crate::TopicPlan {
        name: "orders".to_owned(),
        assignment: vec![vec![1]],
        settings: Default::default(),
    };
    let producer = crate::ProducerPlan {
        process: "shop".into(),
        bootstrap: "broker-1".into(),
        acks: topomotion_model::Acks::All,
        topic: "orders".to_owned(),
        settings: Default::default(),
    };
    let (nodes, topics, producers) = (vec![node], vec![topic], vec![producer]);
    ClusterPlan { nodes, topics, producers, ..ClusterPlan::default() }
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
