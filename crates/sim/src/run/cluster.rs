//! The planned cluster on hosts: who runs where, and how each process is started.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_broker::{BrokerSettings, BrokerStatus, Node, NodeConfig, Roles};
use topomotion_client::{
    Admin, CommonConfig, Consumer, ConsumerConfig, GroupConfig, IsolationLevel,
    OffsetReset, Producer, ProducerConfig, ProducerState,
};
use topomotion_model::ProcessId;
use topomotion_wire::{Acks, Endpoint, Incarnation, NodeId, ReplicaRole, TopicPartition};
use uuid::Uuid;

use super::actors;
use super::body::Body;
use super::worker::Worker;
use super::zookeeper;
use crate::record::{Detail, Recorder};
pub(super) use crate::world::WALL_CLOCK_BASE_MS;
use crate::world::{HostId, Physics, World};
use crate::{
    ClusterPlan, ConsumerPlan, Membership, NodePlan, NodeRole, ProducerPlan, settings,
};

/// Every node listens here; who it is, its host says.
pub(super) const PORT: u16 = 9092;
/// The client that creates the topics. No script can use the name for a process.
const ADMIN: &str = "(set-up)";
/// The client that reads everything when a storm is over. Nor this one.
const AUDITOR: &str = "(auditor)";

/// How the world is, and how much of it is written down.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Setting {
    pub physics: Physics,
    pub detail: Detail,
}

/// A world with the planned cluster in it.
#[derive(Debug)]
pub(super) struct Cluster<'a> {
    pub plan: &'a ClusterPlan,
    pub world: World<Body>,
    hosts: BTreeMap<ProcessId, HostId>,
    admin: HostId,
    /// The admin client that the story sees.
    clerk: Option<HostId>,
    /// Who reads everything at last.
    auditor: Option<HostId>,
    seed: u64,
}

impl<'a> Cluster<'a> {
    /// Hosts for everybody, all switched off.
    pub fn new(plan: &'a ClusterPlan, seed: u64, setting: Setting) -> Cluster<'a> {
        let names = plan.nodes.iter().map(|node| (node.id, node.process.0.clone()));
        let recorder = Recorder::new(names.collect(), setting.detail);
        let mut world = World::new(seed, setting.physics, recorder);
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
                let listens = actors::health(plan, client);
                hosts.insert(client.clone(), world.add(client.0.clone(), listens));
            }
        }
        for actor in &plan.actors {
            let name = actor.process.0.clone();
            let host = world.add(name, Some(actors::endpoint(actor)));
            hosts.insert(actor.process.clone(), host);
        }
        for server in &plan.zookeeper {
            let name = server.process.0.clone();
            let host = world.add(name, Some(zookeeper::endpoint(server)));
            hosts.insert(server.process.clone(), host);
        }
        let admin = world.add(ADMIN.into(), None);
        Cluster { plan, world, hosts, admin, clerk: None, auditor: None, seed }
    }

    /// What everything random grows from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The host of a process; `None` for a name that the plan does not know.
    pub fn host(&self, process: &ProcessId) -> Option<HostId> {
        self.hosts.get(process).copied()
    }

    /// Starts whatever the plan puts on this process's host, from what is on its disk.
    pub fn start(&mut self, process: &ProcessId) {
        let Some(host) = self.host(process) else { return };
        let plan = self.plan;
        if let Some(server) = plan.zookeeper.iter().find(|one| one.process == *process) {
            return self.start_zookeeper(server);
        }
        if let Some(node) = plan.node(process) {
            if plan.has_zookeeper() {
                return self.start_zk_broker(node);
            }
            self.start_node(host, node);
            return;
        }
        if let Some(actor) = plan.actors.iter().find(|one| one.process == *process) {
            return self.start_actor(actor);
        }
        let producer = plan.producers.iter().find(|one| one.process == *process);
        let consumer = plan.consumers.iter().find(|one| one.process == *process);
        let transactions = producer.is_some_and(ProducerPlan::is_transactional);
        let producer = producer.map(|plan| self.producer(host, plan));
        let consumer = consumer.map(|plan| self.consumer(host, plan));
        let body = match (consumer, producer) {
            (None, None) => return,
            (None, Some(producer)) => Body::Producer(Box::new(producer)),
            (Some(consumer), None) => Body::Consumer(Box::new(consumer)),
            (Some(consumer), Some(producer)) => {
                Body::Worker(Box::new(Worker::new(consumer, producer, transactions)))
            }
        };
        self.world.start(host, actors::fronted(plan, process, body));
    }

    fn start_node(&mut self, host: HostId, node: &NodePlan) {
        let config = self.node_config(host, node);
        let files = self.world.files(host);
        let random = self.world.machine_random(host);
        let machine = Node::start(config, files, self.world.local(host), random);
        self.world.start(host, Body::Node(Box::new(machine)));
    }

    fn node_config(&self, host: HostId, node: &NodePlan) -> NodeConfig {
        let mut behaviour = BrokerSettings::default();
        fit_internal_topics(&mut behaviour, self.plan.brokers().count());
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

    fn producer(&mut self, host: HostId, plan: &ProducerPlan) -> Producer {
        let common = self.common(host, &plan.process, &plan.bootstrap);
        let mut config =
            ProducerConfig { acks: acks(plan.acks), ..ProducerConfig::new(common) };
        settings::set_producer(&mut config, &plan.settings);
        let mut producer = Producer::new(config, self.world.machine_random(host));
        let now = self.world.local(host);
        producer.warm_up(now, &Arc::from(&*plan.topic));
        if plan.is_transactional() {
            // Only a second call, or a call out of turn, is refused.
            let _ = producer.init_transactions(now);
        }
        producer
    }

    fn common(
        &self,
        host: HostId,
        process: &ProcessId,
        bootstrap: &ProcessId,
    ) -> CommonConfig {
        CommonConfig {
            clock_base_ms: WALL_CLOCK_BASE_MS,
            // A client that starts again draws other pauses.
            seed: self.seed.wrapping_add(u64::from(self.world.starts(host))),
            ..CommonConfig::new(process.0.clone(), vec![endpoint(bootstrap)])
        }
    }

    fn consumer(&mut self, host: HostId, plan: &ConsumerPlan) -> Consumer {
        let common = self.common(host, &plan.process, &plan.bootstrap);
        let mut config = ConsumerConfig::new(common);
        if plan.membership() == Membership::Subscribed {
            config.group = Some(GroupConfig::new(&*plan.group));
        }
        settings::set_consumer(&mut config, &plan.settings);
        let mut consumer = Consumer::new(config);
        let partition = |(topic, partition): &(String, i32)| {
            TopicPartition::new(&**topic, *partition)
        };
        let now = self.world.local(host);
        match plan.membership() {
            Membership::Assigned => {
                consumer.assign(now, plan.assignment.iter().map(partition));
            }
            Membership::Subscribed => {
                consumer.subscribe(now, plan.topics().into_iter().map(Arc::from));
            }
        }
        consumer
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

    /// Starts the admin client of the story, if it is not there yet. It works from the host
    /// of the first client, which the picture shows, and asks that client's broker first.
    pub fn start_clerk(&mut self) {
        if self.clerk.is_some() {
            return;
        }
        let producers = self.plan.producers.iter();
        let consumers = self.plan.consumers.iter();
        let producers = producers.map(|one| (one.process.0.clone(), &one.bootstrap));
        let consumers = consumers.map(|one| (one.process.0.clone(), &one.bootstrap));
        let own = producers.chain(consumers).next();
        let first = own.as_ref().map(|(_, bootstrap)| *bootstrap);
        let others = self.plan.brokers().map(|node| &node.process);
        let others = others.filter(|process| Some(*process) != first);
        let bootstrap = first.into_iter().chain(others).map(endpoint).collect();
        let name: Arc<str> = own.map_or(ADMIN.into(), |(name, _)| name);
        let clerk = self.world.add(name.clone(), None);
        let clock_base_ms = WALL_CLOCK_BASE_MS;
        let config = CommonConfig { clock_base_ms, ..CommonConfig::new(name, bootstrap) };
        self.world.start(clerk, Body::Admin(Box::new(Admin::new(config))));
        self.clerk = Some(clerk);
    }

    /// Hands a command to the admin client of the story.
    pub fn with_clerk(
        &mut self,
        command: impl FnOnce(&mut Admin, topomotion_wire::Instant),
    ) {
        let Some(clerk) = self.clerk else { return };
        self.world.command(clerk, |body, now| {
            if let Some(admin) = body.admin() {
                command(admin, now);
            }
        });
    }

    /// Starts a reader of committed records that begins at the beginning of these partitions.
    pub fn start_auditor(&mut self, partitions: Vec<TopicPartition>) {
        let bootstrap = self.plan.brokers().map(|node| endpoint(&node.process)).collect();
        let common = CommonConfig::new(AUDITOR, bootstrap);
        let mut config = ConsumerConfig::new(common);
        config.isolation_level = IsolationLevel::ReadCommitted;
        config.offset_reset = OffsetReset::Earliest;
        let mut consumer = Consumer::new(config);
        let host = self.world.add(AUDITOR.into(), None);
        consumer.assign(self.world.local(host), partitions);
        self.world.start(host, Body::Consumer(Box::new(consumer)));
        self.auditor = Some(host);
    }

    /// That reader reads these, which hold all that it has read so far.
    pub fn widen_audit(&mut self, partitions: &BTreeSet<TopicPartition>) {
        let Some(host) = self.auditor else { return };
        self.world.command(host, |body, now| {
            if let Some(consumer) = body.consumer_mut() {
                consumer.assign(now, partitions.iter().cloned());
            }
        });
    }

    /// Where that reader will read next.
    pub fn auditor_position(&self, at: &TopicPartition) -> Option<i64> {
        self.world.machine(self.auditor?)?.position(at)
    }

    /// How many partitions a topic has, as the living node that has applied most knows it.
    pub fn topic_size(&self, topic: &str) -> i64 {
        let newest = self.living().map(|(_, node)| node);
        let newest = newest.max_by_key(|node| node.metadata_offset());
        let known = newest.and_then(|node| node.image().topic(topic));
        known.map_or(0, |topic| i64::try_from(topic.partitions.len()).unwrap_or(i64::MAX))
    }

    pub(super) fn machine(&self, process: &ProcessId) -> Option<&Body> {
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
    pub fn consumers_not_ready(&self, late: &BTreeSet<&ProcessId>) -> Vec<String> {
        let ready = |plan: &&ConsumerPlan| {
            let Some(consumer) = self.machine(&plan.process).and_then(Body::consumer)
            else {
                return false;
            };
            // With `auto.offset.reset=none` there is nothing to wait for.
            let has_place = |partition: &TopicPartition| {
                consumer.position(partition).is_some()
                    || consumer.stopped(partition).is_some()
            };
            match plan.membership() {
                Membership::Assigned => plan.assignment.iter().all(|(topic, index)| {
                    has_place(&TopicPartition::new(&**topic, *index))
                }),
                Membership::Subscribed => {
                    let joined = consumer.group_metadata();
                    joined.is_some_and(|joined| joined.generation >= 0)
                        && consumer.owned().iter().all(has_place)
                }
            }
        };
        let waiting = self.plan.consumers.iter();
        let waiting = waiting.filter(|plan| !late.contains(&plan.process));
        let waiting = waiting.filter(|plan| !ready(plan));
        waiting.map(|plan| plan.process.to_string()).collect()
    }

    /// Producers that have not got what they need to send at once.
    pub fn producers_not_ready(&self, late: &BTreeSet<&ProcessId>) -> Vec<String> {
        let ready = |plan: &&ProducerPlan| {
            let body = self.machine(&plan.process);
            let Some(producer) = body.and_then(Body::producer) else { return false };
            match plan.is_transactional() {
                true => producer.state() == ProducerState::Ready,
                false => producer.is_warm(),
            }
        };
        let waiting = self.plan.producers.iter();
        let waiting = waiting.filter(|plan| !late.contains(&plan.process));
        let waiting = waiting.filter(|plan| !ready(plan));
        waiting.map(|plan| plan.process.to_string()).collect()
    }

    /// Everybody who runs, in the order of the plan.
    pub fn everybody(&self) -> Vec<ProcessId> {
        let nodes = self.plan.nodes.iter().map(|node| &node.process);
        let producers = self.plan.producers.iter().map(|one| &one.process);
        let consumers = self.plan.consumers.iter().map(|one| &one.process);
        let actors = self.plan.actors.iter().map(|one| &one.process);
        nodes.chain(producers).chain(consumers).chain(actors).cloned().collect()
    }

    /// Whether a process runs, even if it stands still.
    pub fn lives(&self, process: &ProcessId) -> bool {
        self.machine(process).is_some()
    }

    /// The nodes that run.
    pub(super) fn living(&self) -> impl Iterator<Item = (&NodePlan, &Node)> {
        let nodes = self.plan.nodes.iter();
        nodes.filter_map(|plan| Some((plan, self.machine(&plan.process)?.node()?)))
    }

    /// Why there is no active controller.
    pub fn quorum_lacks(&self) -> Vec<String> {
        let mut active = self.living().filter(|(_, node)| node.is_active_controller());
        match active.next() {
            Some(_) => Vec::new(),
            None => vec!["no controller is active".to_owned()],
        }
    }

    /// Living brokers that the active controller does not trust.
    pub fn brokers_fenced(&self) -> Vec<String> {
        let active = self.living().find(|(_, node)| node.is_active_controller());
        let Some((_, controller)) = active else { return self.quorum_lacks() };
        let brokers = self.living().filter(|(plan, _)| plan.role != NodeRole::Controller);
        let fenced =
            brokers.filter(|(plan, _)| !controller.image().is_active(NodeId(plan.id)));
        fenced.map(|(plan, _)| plan.process.to_string()).collect()
    }

    /// How many records each living producer has taken.
    pub fn records_taken(&self) -> BTreeMap<ProcessId, u64> {
        let producers = self.plan.producers.iter().filter_map(|one| {
            let producer = self.machine(&one.process)?.producer()?;
            Some((one.process.clone(), producer.taken()))
        });
        producers.collect()
    }

    /// Producers that lack a verdict for one of their first so many records. What they have
    /// taken since does not count: an application may go on for ever.
    pub fn producers_waiting(&self, first: &BTreeMap<ProcessId, u64>) -> Vec<String> {
        let waits = |(process, count): &(&ProcessId, &u64)| {
            self.machine(process).is_some_and(|body| body.waits_for_first(**count))
        };
        first.iter().filter(waits).map(|(process, _)| process.to_string()).collect()
    }

    /// Living nodes that have not applied all that another has, or know less committed.
    pub fn metadata_behind(&self) -> Vec<String> {
        let ahead = self.living().map(|(_, node)| node.metadata_offset()).max();
        let behind = self.living().filter(|(_, node)| {
            Some(node.metadata_offset()) != ahead
                || Some(node.quorum().high_watermark()) != ahead
        });
        behind.map(|(plan, _)| plan.process.to_string()).collect()
    }

    /// Where a consumer will read next.
    pub fn position(&self, consumer: &ProcessId, at: &TopicPartition) -> Option<i64> {
        self.machine(consumer)?.position(at)
    }

    /// How long a silent broker is trusted, in ms.
    pub fn session_ms(&self) -> u64 {
        if self.plan.has_zookeeper() {
            return zookeeper::session_ms(self.plan);
        }
        let mut behaviour = BrokerSettings::default();
        settings::set_node(&mut behaviour, &self.plan.settings);
        behaviour.broker_session_timeout.as_millis()
    }
}

/// A cluster with fewer than three brokers has fewer copies of the internal topics.
fn fit_internal_topics(behaviour: &mut BrokerSettings, brokers: usize) {
    let copies = i16::try_from(brokers.clamp(1, 3)).unwrap_or(3);
    behaviour.offsets_topic_replication_factor = copies;
    behaviour.transaction_state_log_replication_factor = copies;
    behaviour.transaction_state_log_min_isr = i32::from(copies.min(2));
}

fn endpoint(process: &ProcessId) -> Endpoint {
    Endpoint { host: process.0.clone(), port: PORT }
}

pub(crate) fn acks(acks: topomotion_model::Acks) -> Acks {
    match acks {
        topomotion_model::Acks::None => Acks::None,
        topomotion_model::Acks::Leader => Acks::Leader,
        topomotion_model::Acks::All => Acks::All,
    }
}
