//! What a process is, for its colours and its icon: what the script says, else what its names
//! suggest.

use topomotion_model::{Process, ProcessRole, Shape};

/// Words that name a role, in the order in which they are looked for.
const WORDS: [(&str, &str); 23] = [
    ("mqtt", "queue"),
    ("mosquitto", "queue"),
    ("rabbitmq", "queue"),
    ("activemq", "queue"),
    ("pulsar", "queue"),
    ("zookeeper", "zookeeper"),
    ("controller", "controller"),
    ("kraft", "controller"),
    ("schema-registry", "schema-registry"),
    ("schema registry", "schema-registry"),
    ("debezium", "connect"),
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

/// The role of a process; `known` is what the topology as a whole tells of it.
pub fn role(process: &Process, known: Option<ProcessRole>) -> String {
    if let Some(role) = known.or(process.role) {
        return name(role).into();
    }
    let texts = [own_id(process), &process.label, process.icon.as_deref().unwrap_or("")];
    for text in texts {
        let text = text.to_lowercase();
        if let Some((_, role)) = WORDS.iter().find(|(word, _)| text.contains(word)) {
            return (*role).into();
        }
    }
    "service".into()
}

/// A replica is called after what it is a replica of.
fn own_id(process: &Process) -> &str {
    process.replica_of.as_ref().unwrap_or(&process.id).as_str()
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
        ProcessRole::Database => "database",
        ProcessRole::Cache => "cache",
        ProcessRole::Queue => "queue",
        ProcessRole::Gateway => "gateway",
        ProcessRole::Storage => "storage",
        ProcessRole::Service => "service",
    }
}

/// Whole words that name a thing with an icon of its own, by icon.
const THINGS: [(&str, &[&str]); 17] = [
    (
        "load-balancer",
        &["lb", "balancer", "nginx", "haproxy", "envoy", "ingress", "alb", "elb"],
    ),
    ("mobile", &["mobile", "ios", "android", "phone"]),
    ("browser", &["browser", "frontend", "spa", "website", "webapp"]),
    ("user", &["user", "users", "customer", "shopper", "visitor", "buyer"]),
    ("globe", &["internet", "cdn", "cloudfront"]),
    ("dns", &["dns", "route53"]),
    ("firewall", &["firewall", "waf"]),
    (
        "storage",
        &["s3", "bucket", "gcs", "minio", "blob", "lake", "iceberg", "warehouse"],
    ),
    ("chart", &["prometheus", "grafana", "metrics", "dashboard", "analytics"]),
    ("search", &["search", "elasticsearch", "opensearch", "solr"]),
    (
        "database",
        &[
            "db",
            "mysql",
            "mariadb",
            "mongo",
            "mongodb",
            "cassandra",
            "dynamodb",
            "sqlite",
            "sql",
            "postgres",
            "postgresql",
        ],
    ),
    ("cache", &["redis", "valkey", "memcached"]),
    (
        "queue",
        &["kafka", "rabbitmq", "mqtt", "activemq", "pulsar", "sqs", "nats", "pubsub"],
    ),
    ("lock", &["auth", "oauth", "vault", "login", "identity"]),
    ("mail", &["mail", "email", "smtp", "mailer"]),
    ("zap", &["lambda", "function"]),
    ("clock", &["cron", "scheduler", "timer"]),
];

/// The icon of a process: its own, its role's, that of the thing it is named after, or that
/// of what its shape stands for.
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
        "storage" => "storage",
        _ => thing(process).unwrap_or(match process.shape {
            Shape::Cylinder => "database",
            _ => "container",
        }),
    };
    icon.into()
}

fn thing(process: &Process) -> Option<&'static str> {
    let texts = [own_id(process), &process.label];
    let words =
        texts.into_iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
    let icon = |word: &str| {
        let is_it =
            |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(word));
        THINGS.iter().find(|(_, names)| is_it(names)).map(|(icon, _)| *icon)
    };
    words.into_iter().find_map(icon)
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
        assert_eq!(role(&process, None), "broker");
        process.role = Some(ProcessRole::Streams);
        assert_eq!(role(&process, None), "streams");
        assert_eq!(icon(&process, "streams"), "zap");
    }

    #[test]
    fn a_database_called_a_service_still_looks_like_one() {
        let named = |label: &str, role| {
            let process = Process {
                label: label.into(),
                role: Some(role),
                ..crate::testing::process()
            };
            icon(&process, &super::role(&process, None))
        };
        assert_eq!(named("PostgreSQL", ProcessRole::Service), "database");
        assert_eq!(named("Ledger", ProcessRole::Database), "database");
        assert_eq!(named("Redis", ProcessRole::Service), "cache");
        assert_eq!(named("Objects", ProcessRole::Storage), "storage");
        assert_eq!(named("Ledger", ProcessRole::Service), "container");
    }

    #[test]
    fn what_only_sounds_like_kafka_does_not_look_like_it() {
        let of = |label: &str| {
            role(&Process { label: label.into(), ..crate::testing::process() }, None)
        };
        assert_eq!(of("MQTT broker"), "queue");
        assert_eq!(of("Container registry"), "service");
        assert_eq!(of("Connection pool"), "service");
        assert_eq!(of("Schema Registry"), "schema-registry");
    }

    #[test]
    fn a_cylinder_is_a_database_unless_its_name_says_otherwise() {
        let drum = |label: &str| {
            let shape = Shape::Cylinder;
            icon(
                &Process { shape, label: label.into(), ..crate::testing::process() },
                "service",
            )
        };
        assert_eq!(drum("TimescaleDB"), "database");
        assert_eq!(drum("Redis"), "cache");
    }

    #[test]
    fn what_the_topology_tells_comes_before_the_name() {
        let process =
            Process { id: ProcessId::from("billing-1"), ..crate::testing::process() };
        assert_eq!(role(&process, Some(ProcessRole::Consumer)), "consumer");
        assert_eq!(role(&process, None), "service");
    }

    #[test]
    fn a_thing_is_known_by_a_whole_word_of_its_name() {
        let called = |label: &str| Process {
            id: ProcessId::from("x"),
            label: label.into(),
            ..crate::testing::process()
        };
        assert_eq!(icon(&called("Orders DB"), "service"), "database");
        assert_eq!(icon(&called("Shopper"), "service"), "user");
        assert_eq!(icon(&called("Feedback"), "service"), "container");
    }
}
