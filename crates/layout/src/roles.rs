//! What a process is, for its colours and its icon: what the script says, else what its names
//! suggest.

use topomotion_model::{Process, ProcessRole};

/// Words that name a role, in the order in which they are looked for.
const WORDS: [(&str, &str); 20] = [
    ("zookeeper", "zookeeper"),
    ("controller", "controller"),
    ("kraft", "controller"),
    ("schema-registry", "schema-registry"),
    ("schema registry", "schema-registry"),
    ("registry", "schema-registry"),
    ("connect", "connect"),
    ("debezium", "producer"),
    ("producer", "producer"),
    ("consumer", "consumer"),
    ("broker", "broker"),
    ("flink", "consumer"),
    ("spark", "consumer"),
    ("streams", "streams"),
    ("gateway", "gateway"),
    ("database", "database"),
    ("postgres", "database"),
    ("cache", "cache"),
    ("redis", "cache"),
    ("queue", "queue"),
];

/// The role of a process.
pub fn role(process: &Process) -> String {
    if let Some(role) = process.role {
        return name(role).into();
    }
    let id = process.replica_of.as_ref().unwrap_or(&process.id);
    for text in [id.as_str(), &process.label, process.icon.as_deref().unwrap_or("")] {
        let text = text.to_lowercase();
        if let Some((_, role)) = WORDS.iter().find(|(word, _)| text.contains(word)) {
            return (*role).into();
        }
    }
    "service".into()
}

fn name(role: ProcessRole) -> &'static str {
    match role {
        ProcessRole::Broker => "broker",
        ProcessRole::Controller => "controller",
        ProcessRole::Producer => "producer",
        ProcessRole::Consumer => "consumer",
        ProcessRole::SchemaRegistry => "schema-registry",
        ProcessRole::Connect => "connect",
        ProcessRole::Streams => "streams",
        ProcessRole::Zookeeper => "zookeeper",
        ProcessRole::Service => "service",
    }
}

/// The icon of a process: its own, or its role's.
pub fn icon(process: &Process, role: &str) -> String {
    if let Some(icon) = &process.icon {
        return icon.clone();
    }
    let icon = match role {
        "broker" | "zookeeper" => "server",
        "controller" => "cpu",
        "producer" => "code",
        "consumer" => "monitor",
        "schema-registry" => "layers",
        "connect" => "router",
        "streams" => "zap",
        "gateway" => "api",
        "database" => "database",
        "cache" => "cache",
        "queue" => "queue",
        _ => "container",
    };
    icon.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use topomotion_model::ProcessId;

    #[test]
    fn names_suggest_roles_and_the_script_decides() {
        let mut process = Process {
            id: ProcessId::from("broker-1"),
            label: "Kafka Connect".into(),
            ..crate::testing::process()
        };
        assert_eq!(role(&process), "broker");
        process.role = Some(ProcessRole::Streams);
        assert_eq!(role(&process), "streams");
        assert_eq!(icon(&process, "streams"), "zap");
    }
}
