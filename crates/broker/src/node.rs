//! One Kafka node as one state machine.

use std::collections::{BTreeMap, VecDeque};

use topomotion_wire::{
    Bytes, FileName, Input, Instant, Machine, NodeId, Offset, Output, Random,
    TopicPartition,
};

use crate::config::NodeConfig;
use crate::view::{BrokerStatus, ReplicaView};

/// One Kafka node: a broker, a controller, or both.
#[derive(Debug)]
pub struct Node {
    config: NodeConfig,
    outputs: VecDeque<Output>,
}

impl Node {
    /// A node that has just been started, recovered from the files that survived (none, the
    /// first time).
    pub fn start(
        config: NodeConfig,
        files: BTreeMap<FileName, Bytes>,
        now: Instant,
        random: Random,
    ) -> Node {
        let _ = (files, now, random);
        Node { config, outputs: VecDeque::new() }
    }

    /// What the node was started with.
    pub fn config(&self) -> &NodeConfig {
        &self.config
    }

    /// The next offset of the metadata log that this node will apply.
    pub fn metadata_offset(&self) -> Offset {
        Offset(0)
    }

    /// The active controller, as far as this node knows; itself if it is the one.
    pub fn active_controller(&self) -> Option<NodeId> {
        None
    }

    /// Where this node's broker is in its life.
    pub fn broker_status(&self) -> BrokerStatus {
        BrokerStatus::NotABroker
    }

    /// This node's replica of a partition.
    pub fn replica(&self, partition: &TopicPartition) -> Option<ReplicaView> {
        let _ = partition;
        None
    }

    /// Every replica on this node, in the order of topic and partition.
    pub fn replicas(&self) -> Vec<ReplicaView> {
        Vec::new()
    }
}

impl Machine for Node {
    fn handle(&mut self, now: Instant, input: Input) {
        let _ = (now, input);
    }

    fn tick(&mut self, now: Instant) {
        let _ = now;
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }
}
