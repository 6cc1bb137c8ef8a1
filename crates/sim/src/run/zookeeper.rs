//! Runs as in ZooKeeper's days: an ensemble, and brokers that depend on it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_actors::{
    Assignment, ZkBroker, ZkBrokerConfig, ZooKeeperConfig, ZooKeeperServer, znodes,
};
use topomotion_model::ProcessId;
use topomotion_wire::{Duration, Endpoint, NodeId, TopicPartition};

use super::body::Body;
use super::cluster::{Cluster, PORT};
use super::stage::{Stage, Stop};
use crate::plan::ZooKeeperPlan;
use crate::{ClusterPlan, NodePlan};

/// ZooKeeper servers listen here.
const ZOOKEEPER_PORT: u16 = 2181;
/// ZooKeeper's `tickTime`.
const TICK_MS: u64 = 2_000;
/// Kafka's default of `zookeeper.session.timeout.ms`.
const SESSION_MS: u64 = 18_000;

/// Where a server listens.
pub(super) fn endpoint(server: &ZooKeeperPlan) -> Endpoint {
    Endpoint { host: server.process.0.clone(), port: ZOOKEEPER_PORT }
}

/// `zookeeper.session.timeout.ms`.
pub(super) fn session_ms(plan: &ClusterPlan) -> u64 {
    let set = plan.settings.get(crate::plan::ZOOKEEPER_SESSION);
    set.and_then(|value| value.parse().ok()).unwrap_or(SESSION_MS)
}

fn numbered(replicas: &[i32]) -> Vec<NodeId> {
    replicas.iter().map(|&id| NodeId(id)).collect()
}

impl Cluster<'_> {
    /// Starts a server of the ensemble, which holds the topics of the plan from before.
    pub(super) fn start_zookeeper(&mut self, server: &ZooKeeperPlan) {
        let Some(host) = self.host(&server.process) else { return };
        let servers = self.plan.zookeeper.iter().map(|it| (it.id, endpoint(it)));
        let topics = self.plan.topics.iter().map(|topic| {
            let all: Assignment =
                topic.assignment.iter().map(|one| numbered(one)).collect();
            (Arc::from(&*topic.name), all)
        });
        let topics: BTreeMap<Arc<str>, Assignment> = topics.collect();
        let config = ZooKeeperConfig {
            id: server.id,
            servers: servers.collect(),
            tick: Duration::from_millis(TICK_MS),
            initial: znodes(&topics),
            life: self.world.starts(host),
        };
        let machine = ZooKeeperServer::start(self.world.local(host), config);
        self.world.start(host, Body::ZooKeeper(Box::new(machine)));
    }

    /// Starts a broker of ZooKeeper's days; it tries the server first that it is connected
    /// with on the picture.
    pub(super) fn start_zk_broker(&mut self, node: &NodePlan) {
        let Some(host) = self.host(&node.process) else { return };
        let all = &self.plan.zookeeper;
        let is_near = |server: &&ZooKeeperPlan| server.brokers.contains(&node.process);
        let near = all.iter().filter(is_near);
        let others = all.iter().filter(|server| !is_near(server));
        let brokers = self.plan.brokers().map(|node| {
            let host = node.process.0.clone();
            (NodeId(node.id), Endpoint { host, port: PORT })
        });
        let config = ZkBrokerConfig {
            id: NodeId(node.id),
            brokers: brokers.collect(),
            zookeeper: near.chain(others).map(endpoint).collect(),
            session_timeout: Duration::from_millis(session_ms(self.plan)),
        };
        let machine = ZkBroker::start(self.world.local(host), config);
        self.world.start(host, Body::ZkBroker(Box::new(machine)));
    }

    fn body(&self, process: &ProcessId) -> Option<&Body> {
        self.world.machine(self.host(process)?)
    }

    fn servers_not_ready(&self) -> Vec<String> {
        let servers = self.plan.zookeeper.iter().map(|server| &server.process);
        let ready = |process: &ProcessId| match self.body(process) {
            Some(Body::ZooKeeper(server)) => server.is_serving(),
            _ => false,
        };
        servers.filter(|process| !ready(process)).map(ToString::to_string).collect()
    }

    /// Brokers that do not know the cluster yet, or believe in other leaders than the plan.
    fn zk_brokers_not_ready(&self, late: &BTreeSet<&ProcessId>) -> Vec<String> {
        let leads = |broker: &ZkBroker| {
            self.plan.topics.iter().all(|topic| {
                (0..).zip(&topic.assignment).all(|(index, _)| {
                    broker.leader(&TopicPartition::new(&*topic.name, index)).is_some()
                })
            })
        };
        let ready = |process: &ProcessId| match self.body(process) {
            Some(Body::ZkBroker(broker)) => broker.is_ready() && leads(broker),
            _ => false,
        };
        let brokers = self.plan.brokers().map(|node| &node.process);
        let brokers = brokers.filter(|process| !late.contains(process));
        brokers.filter(|process| !ready(process)).map(ToString::to_string).collect()
    }
}

/// Brings up the ensemble, and those brokers that are there from the start.
pub(super) fn set_up(
    stage: &mut Stage<'_>,
    patience_ms: u64,
    late: &BTreeSet<&ProcessId>,
) -> Result<(), (Stop, Vec<String>)> {
    let plan = stage.cluster.plan;
    plan.zookeeper.iter().for_each(|server| stage.cluster.start_zookeeper(server));
    stage
        .run_until(patience_ms, |stage| stage.cluster.servers_not_ready().is_empty())
        .map_err(|stop| (stop, stage.cluster.servers_not_ready()))?;
    for node in plan.brokers().filter(|node| !late.contains(&node.process)) {
        stage.cluster.start_zk_broker(node);
    }
    stage
        .run_until(patience_ms, |stage| {
            stage.cluster.zk_brokers_not_ready(late).is_empty()
        })
        .map_err(|stop| (stop, stage.cluster.zk_brokers_not_ready(late)))
}
