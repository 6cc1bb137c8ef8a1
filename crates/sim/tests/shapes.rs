//! Clusters of every small shape come up, and carry a record.

#[allow(dead_code)]
mod common;

use common::{assert_passed, condition, scenario};
use topomotion_model::Topology;
use topomotion_model::builder::{EdgeConfig, ProcessConfig, TopologyBuilder};
use topomotion_sim::{RunOptions, bind};
use topomotion_verify::Judged;

/// So many brokers and controllers, a shop that sends, and somebody who reads.
fn shape(brokers: usize, controllers: usize) -> Topology {
    let mut builder = TopologyBuilder::default();
    for number in 1..=brokers {
        builder.create_process(ProcessConfig::new(format!("broker-{number}")));
    }
    for number in 1..=controllers {
        builder.create_process(ProcessConfig::new(format!("controller-{number}")));
    }
    for (client, label) in [("shop", "produce"), ("mail", "fetch")] {
        builder.create_process(ProcessConfig::new(client));
        let label = Some(label.to_owned());
        builder.connect(EdgeConfig { label, ..EdgeConfig::new(client, "broker-1") });
    }
    let mut steps = scenario("one-record");
    steps.produce("shop", None, Default::default());
    steps.expect(condition("high-watermark(events-0) == 1"));
    steps.expect(condition("no-acknowledged-record-lost"));
    builder.scenario(steps);
    builder.build().expect("no mistakes").0
}

fn play(topology: &Topology) -> Judged {
    let binding = bind(topology).expect("binds");
    let run = &topology.scenarios[0];
    topomotion_verify::run(&binding, run, &RunOptions::default()).expect("can be run")
}

#[test]
fn brokers_with_a_controller_of_their_own() {
    for (brokers, controllers) in [(1, 1), (2, 1), (3, 3), (4, 2), (6, 5)] {
        assert_passed(&play(&shape(brokers, controllers)));
    }
}

#[test]
fn brokers_that_vote_themselves() {
    for brokers in 1..=5 {
        assert_passed(&play(&shape(brokers, 0)));
    }
}

#[test]
fn a_cluster_that_cannot_come_up_says_what_is_missing() {
    let topology = shape(3, 3);
    let binding = bind(&topology).expect("binds");
    let mut options = RunOptions::default();
    options.limits.setup_ms = 40;
    let judged = topomotion_verify::run(&binding, &topology.scenarios[0], &options);
    let topomotion_sim::Ending::NotReady(missing) = judged.expect("runs").outcome.ending
    else {
        panic!("forty milliseconds are not enough to elect anybody");
    };
    let waiting = "still waiting for brokers to serve: broker-1, broker-2, broker-3";
    assert!(missing.ends_with(waiting), "{missing}");
}
