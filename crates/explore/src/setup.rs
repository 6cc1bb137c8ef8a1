//! The state that the search starts from: the cluster is up, the topic is there, its leader
//! is elected, the producer has found it. One course of events leads there, always the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_broker::{BrokerSettings, BrokerStatus, NodeConfig, Roles};
use topomotion_client::{
    Admin, CommonConfig, Idempotence, NewTopic, Producer, ProducerConfig, TopicPlacement,
};
use topomotion_wire::{
    Duration, Endpoint, Incarnation, Instant, NodeId, Random, TopicPartition,
};
use uuid::Uuid;

use crate::host::{Body, Host, HostId};
use crate::scope::Scope;
use crate::world::{BEAT, World};

const TOPIC: &str = "orders";
const PORT: u16 = 9092;
/// More events than any set-up takes.
const EVENTS_MAX: usize = 100_000;
/// Long enough for whatever the set-up has left behind to be done.
const REST: Duration = Duration::from_millis(2_500);

/// Longer than anything takes here.
const DAY: Duration = Duration::from_millis(86_400_000);

/// The one partition there is.
pub(crate) fn partition() -> TopicPartition {
    TopicPartition::new(TOPIC, 0)
}

/// The story's beginning.
#[derive(Debug)]
pub(crate) struct Stage {
    pub world: World,
    pub producer: HostId,
    /// What happened longer ago has no effect any more, in microseconds.
    pub oldest: u64,
}

/// Brings the cluster up.
pub(crate) fn set_up(scope: &Scope) -> Result<Stage, String> {
    let settings = settings_of(scope)?;
    let oldest = oldest(&settings);
    let mut world = World::new();
    let configs = configs(scope, &settings);
    let brokers: Vec<NodeId> = configs
        .iter()
        .filter(|config| config.roles.is_broker())
        .map(|config| config.id)
        .collect();
    let bootstrap = endpoint_of(brokers[0]);
    let nodes: Vec<HostId> = configs
        .into_iter()
        .map(|config| world.add(Host::new(&name_of(config.id), Some(config))))
        .collect();
    nodes.iter().for_each(|node| world.start_node(*node));
    run_until(&mut world, "the brokers never served", |world| {
        let nodes = world.hosts.iter().filter_map(|host| host.node());
        nodes.into_iter().all(|node| {
            let status = node.broker_status();
            matches!(status, BrokerStatus::Running(_) | BrokerStatus::NotABroker)
        })
    })?;
    create_topic(&mut world, &brokers, &bootstrap)?;
    let producer = start_producer(&mut world, bootstrap);
    let rest = world.now + REST;
    run_until(&mut world, "the cluster never came to rest", |world| {
        world.now >= rest && world.heads().next().is_none()
    })?;
    world.faults_left = scope.faults;
    world.learning = scope.learning;
    Ok(Stage { world, producer, oldest })
}

fn create_topic(
    world: &mut World,
    brokers: &[NodeId],
    bootstrap: &Endpoint,
) -> Result<(), String> {
    let admin = world.add(Host::new("admin", None));
    let config = CommonConfig::new("admin", vec![bootstrap.clone()]);
    let mut client = Admin::new(config);
    client.create_topic(
        world.now,
        NewTopic {
            name: Arc::from(TOPIC),
            placement: TopicPlacement::Manual(vec![brokers.to_vec()]),
            configs: BTreeMap::new(),
        },
    );
    world.start_client(admin, Body::Admin(Box::new(client)));
    let leader = brokers[0];
    run_until(world, "the topic was never led", |world| {
        let mut nodes = world.hosts.iter().filter_map(|host| host.node());
        nodes.all(|node| {
            let state = node.image().partition(&partition());
            state.is_some_and(|state| state.leader == Some(leader))
        })
    })?;
    world.crash(admin);
    Ok(())
}

fn start_producer(world: &mut World, bootstrap: Endpoint) -> HostId {
    let mut config = ProducerConfig::new(CommonConfig::new("producer", vec![bootstrap]));
    // What is not explored must not make states differ.
    config.idempotence = Idempotence::Off;
    config.linger = Duration::ZERO;
    config.common.metadata_max_age = DAY;
    config.common.connections_max_idle = DAY;
    config.common.retry_backoff_max = BEAT;
    config.common.reconnect_backoff_max = BEAT;
    config.delivery_timeout = DAY;
    let mut producer = Producer::new(config, Random::new(1, u64::MAX >> 1));
    producer.warm_up(world.now, &Arc::from(TOPIC));
    let host = world.add(Host::new("producer", None));
    world.start_client(host, Body::Producer(Box::new(producer)));
    host
}

/// The first that can happen happens, until it is so.
pub(crate) fn run_until(
    world: &mut World,
    otherwise: &str,
    mut done: impl FnMut(&World) -> bool,
) -> Result<(), String> {
    for _ in 0..EVENTS_MAX {
        world.settle();
        if done(world) {
            return Ok(());
        }
        let head = world.heads().next();
        match (head, world.next_timers()) {
            (Some((link, side)), _) => world.deliver(link, side),
            (None, Some((_, due))) => world.ring(due[0]),
            (None, None) => break,
        }
    }
    Err(otherwise.to_owned())
}

/// Small numbers, in the proportions that Kafka's own have: what matters is what comes before
/// what.
fn settings_of(scope: &Scope) -> Result<BrokerSettings, String> {
    let mut settings = BrokerSettings {
        broker_heartbeat_interval: Duration::from_millis(500),
        broker_session_timeout: Duration::from_millis(1_500),
        replica_lag_time_max: Duration::from_millis(1_000),
        replica_fetch_wait_max: Duration::from_millis(500),
        replica_fetch_backoff: Duration::from_millis(500),
        high_watermark_checkpoint_interval: DAY,
        log_retention_check_interval: DAY,
        reconnect_backoff_max: BEAT,
        quorum_election_backoff_max: BEAT,
        quorum_fetch_timeout: Duration::from_millis(1_000),
        quorum_election_timeout: Duration::from_millis(500),
        leader_imbalance_check_interval: None,
        metadata_max_idle_interval: None,
        default_replication_factor: i16::from(scope.brokers),
        min_insync_replicas: i32::from(scope.brokers.min(2)),
        ..BrokerSettings::default()
    };
    topomotion_sim::set_node_settings(&mut settings, &scope.settings)?;
    Ok(settings)
}

/// What happened longer ago has no effect any more, in microseconds.
fn oldest(settings: &BrokerSettings) -> u64 {
    let spans = [
        settings.broker_session_timeout,
        settings.replica_lag_time_max,
        settings.quorum_fetch_timeout + settings.quorum_fetch_timeout,
    ];
    spans.into_iter().max().unwrap_or_default().as_micros() + 1
}

fn configs(scope: &Scope, settings: &BrokerSettings) -> Vec<NodeConfig> {
    let brokers = (1..=i32::from(scope.brokers)).map(NodeId);
    let controllers = (101..=100 + i32::from(scope.controllers)).map(NodeId);
    let roles = match scope.controllers {
        0 => Roles::Combined,
        _ => Roles::Broker,
    };
    let all = brokers.map(|id| (id, roles));
    let all: Vec<(NodeId, Roles)> =
        all.chain(controllers.map(|id| (id, Roles::Controller))).collect();
    let voters = all.iter().filter(|(_, roles)| roles.is_controller());
    let voters: Vec<(NodeId, Endpoint)> =
        voters.map(|(id, _)| (*id, endpoint_of(*id))).collect();
    let config = |(id, roles)| NodeConfig {
        id,
        roles,
        endpoint: endpoint_of(id),
        voters: voters.clone(),
        incarnation: Incarnation(Uuid::nil()),
        rack: None,
        settings: settings.clone(),
        wall_clock_base_ms: 0,
    };
    all.into_iter().map(config).collect()
}

fn name_of(id: NodeId) -> String {
    match id.0 {
        101.. => format!("controller-{}", id.0 - 100),
        id => format!("broker-{id}"),
    }
}

fn endpoint_of(id: NodeId) -> Endpoint {
    Endpoint { host: Arc::from(name_of(id)), port: PORT }
}

/// When the story begins.
pub(crate) fn beginning(stage: &Stage) -> Instant {
    stage.world.now
}
