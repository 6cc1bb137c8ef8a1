//! The planned cluster on hosts: who runs where, and how each process is started.

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_broker::{BrokerSettings, BrokerStatus, Node, NodeConfig, Roles};
use topomotion_client::{
    Admin, CommonConfig, Consumer, ConsumerConfig, Producer, ProducerConfig,
};
use topomotion_model::ProcessId;
use topomotion_wire::{Acks, Endpoint, Incarnation, NodeId, ReplicaRole, TopicPartition};
use uuid::Uuid;

use super::body::Body;
use crate::record::Recorder;
use crate::world::{HostId, Physics, World};
use crate::{ClusterPlan, ConsumerPlan, NodePlan, NodeRole, ProducerPlan, settings};

/// Every node listens here; who it is, its host says.
const PORT: u16 = 9092;
/// The client that creates the topics. No script can use the name for a process.
const ADMIN: &str = "(set-up)";
/// The moment at which every run begins, in milliseconds since 1970: 2025-01-01.
const WALL_CLOCK_BASE_MS: i64 = 1_735_689_600_000;

/// A world with the planned cluster in it.
#[derive(Debug)]
pub(super) struct Cluster<'a> {
    pub plan: &'a ClusterPlan,
    pub world: World<Body>,
    hosts: BTreeMap<ProcessId, HostId>,
    admin: HostId,
    seed: u64,
}

impl<'a> Cluster<'a> {
    /// Hosts for everybody, all switched off.
    pub fn new(plan: &'a ClusterPlan, seed: u64) -> Cluster<'a> {
        let names = plan.nodes.iter().map(|node| (node.id, node.process.0.clone()));
        let recorder = Recorder::new(names.collect());
        let mut world = World::new(seed, Physics::default(), recorder);
        let mut hosts = BTreeMap::new();
        for node in &plan.nodes {
            let name = node.process.0.clone();
            let host = world.add(name, Some(endpoint(&node.process)));
            hosts.insert(node.process.clone(), host);
        }
        let producers = plan.producers.iter().map(|producer| &producer.process);
        let consumers = plan.consumers.iter().map(|consumer| &consumer.process);
        for client in producers.chain(consumers) {
            if !hosts.contains_key(client) {
                hosts.insert(client.clone(), world.add(client.0.clone(), None));
            }
        }
        let admin = world.add(ADMIN.into(), None);
        Cluster { plan, world, hosts, admin, seed }
    }

    /// The host of a process; `None` for a name that the plan does not know.
    pub fn host(&self, process: &ProcessId) -> Option<HostId> {
        self.hosts.get(process).copied()
    }

    /// Starts whatever the plan puts on this process's host, from what is on its disk.
    pub fn start(&mut self, process: &ProcessId) {
        let Some(host) = self.host(process) else { return };
        let plan = self.plan;
        if let Some(node) = plan.node(process) {
            self.start_node(host, node);
        } else if let Some(one) =
            plan.producers.iter().find(|one| one.process == *process)
        {
            self.start_producer(host, one);
        } else if let Some(one) =
            plan.consumers.iter().find(|one| one.process == *process)
        {
            self.start_consumer(host, one);
        }
    }

    fn start_node(&mut self, host: HostId, node: &NodePlan) {
        let config = self.node_config(host, node);
        let files = self.world.files(host);
        let random = self.world.machine_random(host);
        let machine = Node::start(config, files, self.world.now(), random);
        self.world.start(host, Body::Node(Box::new(machine)));
    }

    fn node_config(&self, host: HostId, node: &NodePlan) -> NodeConfig {
        let mut behaviour = BrokerSettings::default();
        settings::set_node(&mut behaviour, &self.plan.settings);
        settings::set_node(&mut behaviour, &node.settings);
        let voter = |node: &NodePlan| (NodeId(node.id), endpoint(&node.process));
        let start = u128::from(self.world.starts(host)) + 1;
        let incarnation = u128::from(self.seed) << 64 | (host.0 as u128) << 32 | start;
        NodeConfig {
            id: NodeId(node.id),
            roles: match node.role {
                NodeRole::Broker => Roles::Broker,
                NodeRole::Controller => Roles::Controller,
                NodeRole::Combined => Roles::Combined,
            },
            endpoint: endpoint(&node.process),
            voters: self.plan.voters().map(voter).collect(),
            incarnation: Incarnation(Uuid::from_u128(incarnation)),
            rack: node.rack.as_deref().map(Arc::from),
            settings: behaviour,
            wall_clock_base_ms: WALL_CLOCK_BASE_MS,
        }
    }

    fn start_producer(&mut self, host: HostId, plan: &ProducerPlan) {
        let common = common(&plan.process, &plan.bootstrap);
        let mut config =
            ProducerConfig { acks: acks(plan.acks), ..ProducerConfig::new(common) };
        settings::set_producer(&mut config, &plan.settings);
        let mut producer = Producer::new(config, self.world.machine_random(host));
        producer.warm_up(self.world.now(), &Arc::from(&*plan.topic));
        self.world.start(host, Body::Producer(Box::new(producer)));
    }

    fn start_consumer(&mut self, host: HostId, plan: &ConsumerPlan) {
        let common = common(&plan.process, &plan.bootstrap);
        let mut config = ConsumerConfig::new(common);
        settings::set_consumer(&mut config, &plan.settings);
        let mut consumer = Consumer::new(config);
        let partition = |(topic, partition): &(String, i32)| {
            TopicPartition::new(&**topic, *partition)
        };
        consumer.assign(self.world.now(), plan.assignment.iter().map(partition));
        self.world.start(host, Body::Consumer(Box::new(consumer)));
    }

    /// Starts the client that creates the topics; it asks every broker.
    pub fn start_admin(&mut self) {
        let bootstrap = self.plan.brokers().map(|node| endpoint(&node.process)).collect();
        let config = CommonConfig::new(ADMIN, bootstrap);
        self.world.start(self.admin, Body::Admin(Box::new(Admin::new(config))));
    }

    /// Hands a command to the admin client.
    pub fn with_admin(
        &mut self,
        command: impl FnOnce(&mut Admin, topomotion_wire::Instant),
    ) {
        self.world.command(self.admin, |body, now| {
            if let Some(admin) = body.admin() {
                command(admin, now);
            }
        });
    }

    /// Ends the admin client; it has no part in the story.
    pub fn stop_admin(&mut self) {
        self.world.switch_off(self.admin);
    }

    fn machine(&self, process: &ProcessId) -> Option<&Body> {
        self.world.machine(self.host(process)?)
    }

    /// Brokers that do not serve yet.
    pub fn brokers_not_ready(&self) -> Vec<String> {
        let ready = |node: &&NodePlan| {
            let node = self.machine(&node.process).and_then(Body::node);
            node.is_some_and(|node| {
                matches!(node.broker_status(), BrokerStatus::Running(_))
            })
        };
        let waiting = self.plan.brokers().filter(|node| !ready(node));
        waiting.map(|node| node.process.to_string()).collect()
    }

    /// Replicas that do not yet do what the plan says.
    pub fn replicas_not_ready(&self) -> Vec<String> {
        let mut waiting = Vec::new();
        for topic in &self.plan.topics {
            for (index, replicas) in (0..).zip(&topic.assignment) {
                let partition = TopicPartition::new(&*topic.name, index);
                let Some(&leader) = replicas.first() else { continue };
                let has_role = |id: i32| {
                    let process = self.plan.process_of(id)?;
                    let node = self.machine(process)?.node()?;
                    let replica = node.replica(&partition)?;
                    let wanted = match id == leader {
                        true => ReplicaRole::Leader,
                        false => ReplicaRole::Follower { leader: Some(NodeId(leader)) },
                    };
                    (replica.role == wanted).then_some(())
                };
                if replicas.iter().any(|&id| has_role(id).is_none()) {
                    waiting.push(partition.to_string());
                }
            }
        }
        waiting
    }

    /// Consumers that do not know yet where to read.
    pub fn consumers_not_ready(&self) -> Vec<String> {
        let ready = |plan: &&ConsumerPlan| {
            let Some(consumer) = self.machine(&plan.process).and_then(Body::consumer)
            else {
                return false;
            };
            plan.assignment.iter().all(|(topic, partition)| {
                consumer.position(&TopicPartition::new(&**topic, *partition)).is_some()
            })
        };
        let waiting = self.plan.consumers.iter().filter(|plan| !ready(plan));
        waiting.map(|plan| plan.process.to_string()).collect()
    }

    /// How long a silent broker is trusted, in ms.
    pub fn session_ms(&self) -> u64 {
        let mut behaviour = BrokerSettings::default();
        settings::set_node(&mut behaviour, &self.plan.settings);
        behaviour.broker_session_timeout.as_millis()
    }
}

fn endpoint(process: &ProcessId) -> Endpoint {
    Endpoint { host: process.0.clone(), port: PORT }
}

fn common(process: &ProcessId, bootstrap: &ProcessId) -> CommonConfig {
    let bootstrap = vec![endpoint(bootstrap)];
    let clock_base_ms = WALL_CLOCK_BASE_MS;
    CommonConfig { clock_base_ms, ..CommonConfig::new(process.0.clone(), bootstrap) }
}

pub(super) fn acks(acks: topomotion_model::Acks) -> Acks {
    match acks {
        topomotion_model::Acks::None => Acks::None,
        topomotion_model::Acks::Leader => Acks::Leader,
        topomotion_model::Acks::All => Acks::All,
    }
}
