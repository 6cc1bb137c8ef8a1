//! Stories of families A (clients) and F (storage), each against its golden file.

#[allow(dead_code)]
mod common;

use common::{assert_passed, assert_story, built_in, production};
use topomotion_model::builder::{
    EdgeConfig, GroupConfig, ProcessConfig, TopologyBuilder,
};
use topomotion_model::{Cluster, KafkaSettings, ProcessRole, Topic, Topology};
use topomotion_sim::{RunOptions, bind};

/// Five brokers that are named after cities, in four racks, and clients by other names.
fn cities() -> Topology {
    let mut builder = TopologyBuilder::default();
    let group = builder.create_group(GroupConfig::new("world"));
    let racks =
        [("oslo", "north"), ("rome", "south"), ("lima", "west"), ("kyoto", "east")];
    for (city, rack) in racks.into_iter().chain([("cairo", "south")]) {
        let rack = Some(rack.to_owned());
        builder.group(group).add_process(ProcessConfig {
            role: Some(ProcessRole::Broker),
            kafka: KafkaSettings { rack, ..KafkaSettings::default() },
            ..ProcessConfig::new(city)
        });
    }
    for (name, role) in [
        ("council", ProcessRole::Controller),
        ("till", ProcessRole::Producer),
        ("ledger", ProcessRole::Consumer),
    ] {
        builder.create_process(ProcessConfig {
            role: Some(role),
            ..ProcessConfig::new(name)
        });
    }
    for client in ["till", "ledger"] {
        builder.connect(EdgeConfig {
            protocol: Some("kafka".to_owned()),
            ..EdgeConfig::new(client, "rome")
        });
    }
    let topic = Topic {
        name: "payments".to_owned(),
        partitions: Some(4),
        replication_factor: Some(3),
        min_insync_replicas: Some(2),
        ..Topic::default()
    };
    builder.kafka(Cluster { topics: vec![topic], ..Cluster::default() });
    builder.build().expect("the script has no mistakes").0
}

/// The stories of these families that need no racks.
const STORIES: [&str; 24] = [
    "anatomy",
    "bootstrap",
    "create-topic",
    "too-many-replicas",
    "acks-none",
    "acks-leader",
    "acks-all",
    "key-hash",
    "grown-topic",
    "sticky-partitioner",
    "round-robin",
    "producer-batches",
    "in-flight",
    "long-poll",
    "fetch-min-bytes",
    "replay",
    "offset-reset",
    "segment-roll",
    "index-lookup",
    "time-lookup",
    "power-loss-alone",
    "power-loss",
    "epoch-checkpoint",
    "batch-layout",
];

#[test]
fn every_story_plays_with_other_brokers_and_other_names() {
    for topology in [cities(), production::quorum_of_three(3, 2)] {
        let binding = bind(&topology).expect("binds");
        for id in STORIES {
            assert_passed(&built_in(&binding, id, &RunOptions::default()));
        }
    }
}

#[test]
fn a13_a_consumer_reads_from_the_replica_in_its_rack() {
    assert_story(&cities(), "a13", "nearest-replica");
}

#[test]
fn a1_a_partition_is_a_log_with_offsets() {
    assert_story(&production::topology(), "a1", "anatomy");
}

#[test]
fn a2_a_client_finds_the_leaders_from_one_address() {
    assert_story(&production::topology(), "a2", "bootstrap");
}

#[test]
fn a2_replicas_of_a_new_topic_are_spread() {
    assert_story(&production::topology(), "a2", "create-topic");
}

#[test]
fn a2_more_replicas_than_brokers_are_refused() {
    assert_story(&production::topology(), "a2", "too-many-replicas");
}

#[test]
fn a3_acks_0_promises_nothing() {
    assert_story(&production::topology(), "a3", "acks-none");
}

#[test]
fn a4_acks_1_is_answered_before_anybody_follows() {
    assert_story(&production::topology(), "a4", "acks-leader");
}

#[test]
fn a6_a_key_has_a_partition() {
    assert_story(&production::topology(), "a6", "key-hash");
}

#[test]
fn a6_a_key_moves_when_the_topic_grows() {
    assert_story(&production::topology(), "a6", "grown-topic");
}

#[test]
fn a7_records_without_a_key_stick() {
    assert_story(&production::topology(), "a7", "sticky-partitioner");
}

#[test]
fn a7_round_robin_takes_turns() {
    assert_story(&production::topology(), "a7", "round-robin");
}

#[test]
fn a8_batches_of_one_broker_leave_together() {
    assert_story(&production::topology(), "a8", "producer-batches");
}

#[test]
fn a8_five_requests_are_in_flight() {
    assert_story(&production::topology(), "a8", "in-flight");
}

#[test]
fn a9_a_fetch_waits_for_records() {
    assert_story(&production::topology(), "a9", "long-poll");
}

#[test]
fn a9_a_fetch_waits_for_enough_bytes() {
    assert_story(&production::topology(), "a9", "fetch-min-bytes");
}

#[test]
fn a12_records_are_read_again() {
    assert_story(&production::topology(), "a12", "replay");
}

#[test]
fn a12_a_reader_without_a_position_starts_at_either_end() {
    assert_story(&production::topology(), "a12", "offset-reset");
}

#[test]
fn f1_a_full_segment_is_closed_and_the_next_begins() {
    assert_story(&production::topology(), "f1", "segment-roll");
}

#[test]
fn f2_an_offset_is_found_by_segment_index_and_scan() {
    assert_story(&production::topology(), "f2", "index-lookup");
}

#[test]
fn f2_a_time_is_found_by_the_time_index() {
    assert_story(&production::topology(), "f2", "time-lookup");
}

#[test]
fn f5_a_lonely_replica_can_lose_what_was_acknowledged() {
    assert_story(&production::topology(), "f5", "power-loss-alone");
}

#[test]
fn f5_other_replicas_make_up_for_a_power_loss() {
    assert_story(&production::topology(), "f5", "power-loss");
}

#[test]
fn f7_the_epoch_checkpoint_grows_with_an_election() {
    assert_story(&production::topology(), "f7", "epoch-checkpoint");
}

#[test]
fn f8_a_batch_lies_on_disk_as_it_was_sent() {
    assert_story(&production::topology(), "f8", "batch-layout");
}
