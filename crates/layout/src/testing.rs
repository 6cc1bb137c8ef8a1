//! Small inputs for the unit tests.

use topomotion_model::{KafkaSettings, Origin, Process, ProcessId, ProcessState, Shape};

/// A process with nothing but an id.
pub fn process() -> Process {
    Process {
        id: ProcessId::from("a"),
        label: "a".into(),
        group: None,
        state: ProcessState::Running,
        shape: Shape::Default,
        icon: None,
        replica_of: None,
        shards: Vec::new(),
        shard_role: None,
        color: None,
        external: false,
        capacity: None,
        description: None,
        layer: None,
        role: None,
        kafka: KafkaSettings::default(),
        position: None,
        origin: Origin::default(),
    }
}
