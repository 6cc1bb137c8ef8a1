//! A cluster of three brokers and three controllers under steady load, as a run file.

use topomotion_model::{Acks, PartitionName, ProcessId};
use topomotion_sim::{
    ClusterPlan, ConsumerPlan, Limits, NodePlan, NodeRole, Operation, ProducerPlan,
    RunFile, Storm, TopicPlan, Weather,
};

fn node(name: String, id: i32, role: NodeRole) -> NodePlan {
    let process = ProcessId::from(&*name);
    NodePlan { process, id, role, rack: None, settings: Default::default() }
}

/// Three brokers, three controllers, one topic of three partitions, a shop and a reader.
pub fn cluster() -> ClusterPlan {
    let brokers = (1..=3).map(|id| node(format!("broker-{id}"), id, NodeRole::Broker));
    let voters =
        (1..=3).map(|id| node(format!("controller-{id}"), 10 + id, NodeRole::Controller));
    ClusterPlan {
        nodes: brokers.chain(voters).collect(),
        topics: vec![TopicPlan {
            name: "orders".to_owned(),
            assignment: vec![vec![1, 2, 3], vec![2, 3, 1], vec![3, 1, 2]],
            settings: Default::default(),
        }],
        producers: vec![ProducerPlan {
            process: "shop".into(),
            bootstrap: "broker-1".into(),
            acks: Acks::All,
            topic: "orders".to_owned(),
            settings: Default::default(),
        }],
        consumers: vec![ConsumerPlan {
            process: "mail".into(),
            bootstrap: "broker-1".into(),
            group: "mail".to_owned(),
            assignment: (0..3).map(|index| ("orders".to_owned(), index)).collect(),
            settings: Default::default(),
        }],
        settings: Default::default(),
        seed: 1,
    }
}

/// A minute in which a record is sent every so many milliseconds, over the three partitions
/// in turn, and nothing goes wrong.
pub fn steady(every_ms: u64) -> RunFile {
    let send = |at_ms: u64| Operation {
        at_ms,
        producer: "shop".into(),
        count: 1,
        partition: PartitionName {
            topic: "orders".to_owned(),
            partition: (at_ms / every_ms % 3) as u32,
        },
        acks: Acks::All,
    };
    let until_ms = 60_000;
    let times = (0..until_ms / every_ms).map(|turn| turn * every_ms);
    RunFile {
        scenario: "steady".to_owned(),
        cluster: cluster(),
        steps: Vec::new(),
        seed: 1,
        limits: Limits { events: 100_000_000, ..Limits::default() },
        storm: Some(Storm {
            world: Weather::default(),
            until_ms,
            left_dead: Vec::new(),
            nemesis: Vec::new(),
            operations: times.map(send).collect(),
        }),
    }
}
