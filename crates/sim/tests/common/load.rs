//! A cluster of three brokers and three controllers under steady load, or with a large group
//! that rebalances, as run files.

use topomotion_model::{Acks, PartitionName, ProcessId};
use topomotion_sim::{
    Blow, ClusterPlan, ConsumerPlan, Deed, Limits, NodePlan, NodeRole, Operation,
    ProducerPlan, RunFile, Storm, Strike, TopicPlan, Weather,
};

/// How many clients there are, and how much they do.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Producers, and as many consumers.
    pub clients: usize,
    pub partitions: usize,
    /// How often each producer sends a record, over the partitions in turn.
    pub every_ms: u64,
}

/// One producer that sends every five milliseconds, one consumer that reads along.
pub const STEADY: Load = Load { clients: 1, partitions: 3, every_ms: 5 };
/// Ten producers that send every twenty milliseconds, ten consumers that read two partitions
/// each.
pub const BUSY: Load = Load { clients: 10, partitions: 6, every_ms: 20 };

const UNTIL_MS: u64 = 60_000;
const TOPIC: &str = "orders";

fn node(name: String, id: i32, role: NodeRole) -> NodePlan {
    let process = ProcessId::from(&*name);
    NodePlan { process, id, role, rack: None, settings: Default::default() }
}

fn producer(number: usize) -> ProducerPlan {
    ProducerPlan {
        process: shop(number),
        bootstrap: "broker-1".into(),
        acks: Acks::All,
        topic: TOPIC.to_owned(),
        settings: Default::default(),
    }
}

fn shop(number: usize) -> ProcessId {
    ProcessId::from(&*format!("shop-{number}"))
}

fn consumer(number: usize, load: Load) -> ConsumerPlan {
    let name = format!("mail-{number}");
    let process = ProcessId::from(&*name);
    // A lonely one reads everything.
    let shares = if load.clients == 1 { load.partitions } else { 2 };
    let share = |turn| (number + turn * load.partitions / shares) % load.partitions;
    let place = |turn| (TOPIC.to_owned(), share(turn) as i32);
    ConsumerPlan {
        process,
        bootstrap: "broker-1".into(),
        group: name,
        subscription: Vec::new(),
        assignment: (0..shares).map(place).collect(),
        settings: Default::default(),
    }
}

/// Three brokers, three controllers, one topic, and its clients.
pub fn cluster(load: Load) -> ClusterPlan {
    let brokers = (1..=3).map(|id| node(format!("broker-{id}"), id, NodeRole::Broker));
    let voters =
        (1..=3).map(|id| node(format!("controller-{id}"), 10 + id, NodeRole::Controller));
    let replicas = |index: usize| (0..3).map(move |turn| ((index + turn) % 3) as i32 + 1);
    ClusterPlan {
        nodes: brokers.chain(voters).collect(),
        topics: vec![TopicPlan {
            name: TOPIC.to_owned(),
            assignment: (0..load.partitions).map(|it| replicas(it).collect()).collect(),
            settings: Default::default(),
        }],
        producers: (0..load.clients).map(producer).collect(),
        consumers: (0..load.clients).map(|number| consumer(number, load)).collect(),
        actors: Vec::new(),
        zookeeper: Vec::new(),
        settings: Default::default(),
        seed: 1,
    }
}

/// A group that a member falls out of and comes back to.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    pub members: usize,
    pub partitions: usize,
    /// `partition.assignment.strategy`, or the group protocol's own for `consumer`.
    pub strategy: &'static str,
}

/// A hundred members share five hundred partitions.
pub const HUNDRED: Group =
    Group { members: 100, partitions: 500, strategy: "cooperative-sticky" };

/// A group is complete; a member is killed, is missed after its session timeout, and comes
/// back: two rebalances of everybody.
pub fn rebalance(group: Group) -> RunFile {
    let load = Load { clients: 0, partitions: group.partitions, every_ms: 1 };
    let mut file = minute(load);
    let settings =
        [("membership", "subscribe"), ("partition.assignment.strategy", group.strategy)];
    let member = |number: usize| ConsumerPlan {
        process: ProcessId::from(&*format!("mail-{number}")),
        bootstrap: "broker-1".into(),
        group: "mails".to_owned(),
        subscription: vec![TOPIC.to_owned()],
        assignment: Vec::new(),
        settings: settings
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    };
    file.scenario = "rebalance".to_owned();
    file.cluster.consumers = (0..group.members).map(member).collect();
    let victim = ProcessId::from("mail-7");
    if let Some(storm) = &mut file.storm {
        storm.until_ms = 60_500;
        storm.nemesis = vec![
            Strike::on(5_000, Blow::Crash, victim.clone()),
            Strike::on(60_000, Blow::Restart, victim),
        ];
    }
    file
}

/// A minute in which records are sent and nothing goes wrong.
pub fn minute(load: Load) -> RunFile {
    let send = move |turn: u64, number: usize| Operation {
        at_ms: turn * load.every_ms + number as u64 % load.every_ms,
        deed: Deed::Send {
            producer: shop(number),
            count: 1,
            partition: PartitionName {
                topic: TOPIC.to_owned(),
                partition: ((turn + number as u64) % load.partitions as u64) as u32,
            },
            acks: Acks::All,
        },
    };
    let turns = 0..UNTIL_MS / load.every_ms;
    let operations = turns
        .flat_map(move |turn| (0..load.clients).map(move |number| send(turn, number)));
    RunFile {
        scenario: "load".to_owned(),
        cluster: cluster(load),
        steps: Vec::new(),
        seed: 1,
        limits: Limits { events: 100_000_000, ..Limits::default() },
        storm: Some(Storm {
            world: Weather::default(),
            until_ms: UNTIL_MS,
            left_dead: Vec::new(),
            nemesis: Vec::new(),
            operations: operations.collect(),
        }),
    }
}
