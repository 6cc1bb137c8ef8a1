//! The binding by stories: what is inferred, what is refused, and in which words.

use topomotion_model::builder::{
    EdgeConfig, GroupConfig, ProcessConfig, ScenarioBuilder, ScenarioConfig,
    TopologyBuilder,
};
use topomotion_model::{
    Acks, Cluster, Condition, FileId, KafkaSettings, Origin, Run, ShardRole, Span, Step,
    Topic,
};

use super::*;
use crate::{Billing, NodeRole, builtins};

#[path = "../../tests/common/production.rs"]
mod production;

fn plan(topology: &Topology) -> ClusterPlan {
    bind(topology).expect("binds").cluster().expect("has a cluster").clone()
}

fn brokers(ids: &[&str]) -> TopologyBuilder {
    let mut builder = TopologyBuilder::default();
    ids.iter().for_each(|id| {
        builder.create_process(ProcessConfig::new(*id));
    });
    builder
}

fn built(builder: TopologyBuilder) -> Topology {
    builder.build().expect("no mistakes").0
}

#[test]
fn the_production_picture_binds_as_it_is_drawn() {
    let plan = plan(&production::topology());
    let nodes: Vec<(&str, i32, NodeRole)> = plan
        .nodes
        .iter()
        .map(|node| (node.process.as_str(), node.id, node.role))
        .collect();
    assert_eq!(
        nodes,
        [
            ("broker-1", 1, NodeRole::Broker),
            ("broker-2", 2, NodeRole::Broker),
            ("broker-3", 3, NodeRole::Broker),
            ("controller", 3000, NodeRole::Controller),
        ]
    );
    assert_eq!(plan.topics.len(), 1);
    assert_eq!(plan.topics[0].name, "orders");
    assert_eq!(plan.topics[0].assignment, [[1, 2, 3], [1, 3, 2], [2, 3, 1]]);
    let producers: Vec<(&str, &str, Acks)> = plan
        .producers
        .iter()
        .map(|one| (one.process.as_str(), one.bootstrap.as_str(), one.acks))
        .collect();
    assert_eq!(
        producers,
        [
            ("order-producer", "broker-1", Acks::All),
            ("event-producer", "broker-2", Acks::Leader),
            ("cdc-producer", "broker-1", Acks::All),
        ]
    );
    let consumers: Vec<(&str, &str, Vec<i32>)> = plan
        .consumers
        .iter()
        .map(|one| {
            let partitions = one.assignment.iter().map(|(_, partition)| *partition);
            (one.process.as_str(), one.group.as_str(), partitions.collect())
        })
        .collect();
    assert_eq!(
        consumers,
        [
            ("flink-1", "flink-stream", vec![0, 1]),
            ("flink-2", "flink-stream", vec![2]),
            ("spark", "spark-batch", vec![0, 1, 2]),
        ]
    );
}

#[test]
fn every_inference_is_told_as_a_sentence() {
    let binding = bind(&production::topology()).expect("binds");
    for sentence in [
        "`controller` is a controller: its name says so.",
        "`flink-1` is a consumer: its connections say so.",
        "`schema-registry` is a schema registry: its name says so.",
        "`controller` is the only voter of the metadata quorum.",
        "The script names no topic; the runs use one called `orders`.",
        "Topic `orders` has 3 partitions: as many as the badges show.",
        "`broker-2` leads `orders-2`: its badge says so.",
        "`event-producer` asks for acks=1: its edge says so.",
        "`flink-2` is in consumer group `flink-stream`: its frame says so.",
    ] {
        assert!(
            binding.explain().iter().any(|told| told == sentence),
            "{sentence}\n{:#?}",
            binding.explain()
        );
    }
    assert!(binding.explain().iter().all(|sentence| sentence.ends_with('.')));
}

#[test]
fn what_is_played_unasked_fits_the_production_picture() {
    let binding = bind(&production::topology()).expect("binds");
    let builtins = builtins(&binding);
    let unasked = builtins.iter().filter(|it| it.billing == Billing::Always);
    for builtin in unasked.clone() {
        assert!(builtin.fit.is_ok(), "{}: {:?}", builtin.id, builtin.fit);
    }
    assert_eq!(unasked.count(), 2);
}

#[test]
fn a_built_in_scenario_that_does_not_fit_says_what_is_missing() {
    let mut builder = brokers(&["broker-1", "shop"]);
    builder.connect(EdgeConfig {
        label: Some("produce".to_owned()),
        ..EdgeConfig::new("shop", "broker-1")
    });
    let binding = bind(&built(builder)).expect("binds");
    let missing: Vec<String> =
        builtins(&binding).into_iter().filter_map(|builtin| builtin.fit.err()).collect();
    let second = "It needs a second replica: events-0 has only one.";
    assert!(missing.iter().any(|it| it == second), "{missing:?}");
    for lack in &missing {
        assert!(lack.starts_with("It needs ") && lack.ends_with('.'), "{lack}");
    }
}

#[test]
fn a_topology_without_kafka_binds_to_nothing_and_says_why() {
    let topology = built(brokers(&["web", "database"]));
    let binding = bind(&topology).expect("no mistake");
    assert_eq!(
        binding.bound(),
        &Bound::Nothing("no process looks like a Kafka broker".into())
    );
    assert!(builtins(&binding).iter().all(|builtin| builtin.fit.is_err()));
}

#[test]
fn a_named_cluster_without_brokers_is_a_mistake() {
    let mut builder = brokers(&["web"]);
    builder.kafka(Cluster::default());
    let errors = bind(&built(builder)).expect_err("nothing can run");
    assert_eq!(errors[0].code, "no-cluster");
}

#[test]
fn brokers_vote_where_there_is_no_controller() {
    let roles = |ids: &[&str]| {
        let plan = plan(&built(brokers(ids)));
        plan.nodes.iter().map(|node| node.role).collect::<Vec<_>>()
    };
    assert_eq!(roles(&["broker-1", "broker-2"]), [NodeRole::Combined, NodeRole::Broker]);
    let ids = ["broker-1", "broker-2", "broker-3", "broker-4"];
    assert_eq!(roles(&ids)[2..], [NodeRole::Combined, NodeRole::Broker]);
}

#[test]
fn node_ids_come_from_names_and_never_collide() {
    let ids = ["broker-7", "broker-a", "kafka-broker-7", "controller-1", "controller-2"];
    let plan = plan(&built(brokers(&ids)));
    let ids: Vec<i32> = plan.nodes.iter().map(|node| node.id).collect();
    assert_eq!(ids, [7, 1, 2, 3001, 3002]);
}

#[test]
fn an_explicit_role_and_setting_beats_every_hint() {
    let mut builder = brokers(&["broker-1"]);
    builder.create_process(ProcessConfig {
        role: Some(ProcessRole::Producer),
        kafka: KafkaSettings { acks: Some(Acks::None), ..KafkaSettings::default() },
        ..ProcessConfig::new("consumer-of-life")
    });
    builder.connect(EdgeConfig {
        label: Some("fetch acks=all".to_owned()),
        ..EdgeConfig::new("consumer-of-life", "broker-1")
    });
    let plan = plan(&built(builder));
    assert_eq!((plan.consumers.len(), plan.producers[0].acks), (0, Acks::None));
}

#[test]
fn badges_name_topics_with_their_partitions() {
    let mut builder = TopologyBuilder::default();
    for (id, badges, role) in [
        ("broker-1", "payments-0,refunds-0", ShardRole::Primary),
        ("broker-2", "payments-1", ShardRole::Primary),
        ("broker-3", "payments-0", ShardRole::Replica),
    ] {
        builder.create_process(ProcessConfig {
            shard_id: Some(badges.to_owned()),
            shard_role: Some(role),
            ..ProcessConfig::new(id)
        });
    }
    let plan = plan(&built(builder));
    let topics: Vec<(&str, &[Vec<i32>])> =
        plan.topics.iter().map(|it| (&*it.name, &*it.assignment)).collect();
    assert_eq!(topics[0], ("payments", &[vec![1, 3, 2], vec![2, 3, 1]][..]));
    assert_eq!(topics[1], ("refunds", &[vec![1, 2, 3]][..]));
}

#[test]
fn a_line_to_a_broker_names_the_topic_that_is_written() {
    let mut builder = brokers(&["broker-1"]);
    builder.create_process(ProcessConfig::new("till"));
    builder.connect(EdgeConfig {
        label: Some("produce sales acks=all".to_owned()),
        ..EdgeConfig::new("till", "broker-1")
    });
    let topology = built(builder);
    let binding = bind(&topology).expect("binds");
    assert_eq!(plan(&topology).topics[0].name, "sales");
    let told = "The topics are those that the connections name.";
    assert!(binding.explain().iter().any(|line| line == told));
}

#[test]
fn more_members_than_partitions_leaves_one_without_work() {
    let mut builder = brokers(&["broker-1"]);
    let group = builder.create_group(GroupConfig::new("consumers"));
    for id in ["c-1", "c-2"] {
        builder.group(group).add_process(ProcessConfig::new(id));
        builder.connect(EdgeConfig::new(id, "broker-1"));
    }
    let plan = plan(&built(builder));
    let counts: Vec<usize> =
        plan.consumers.iter().map(|consumer| consumer.assignment.len()).collect();
    assert_eq!(counts, [1, 0]);
}

fn span(start: u32) -> Option<Span> {
    Some(Span { file: FileId(0), start, end: start + 1 })
}

fn origin(part: &str) -> Origin {
    let place = span(40).expect("a place");
    Origin { whole: span(1), parts: vec![(part.to_owned(), place)] }
}

#[test]
fn more_replicas_than_brokers_is_refused_where_the_script_says_it() {
    let topic = Topic {
        name: "orders".to_owned(),
        replication_factor: Some(4),
        origin: origin("replicationFactor"),
        ..Topic::default()
    };
    let mut builder = production::builder();
    builder.kafka(Cluster { topics: vec![topic], ..Cluster::default() });
    let errors = bind(&built(builder)).expect_err("four do not fit on three");
    assert_eq!(
        errors[0].message,
        "topic `orders` wants 4 replicas, but there are 3 brokers"
    );
    assert_eq!(errors[0].span, span(40));
}

/// The mistakes in a run of one step, whose argument `part` stands at 40.
fn mistakes(kind: StepKind, part: &str) -> Vec<(String, Option<String>, Option<Span>)> {
    let step = Step { kind, caption: None, origin: origin(part) };
    let plan = plan(&production::topology());
    let run = Run { steps: vec![step], ..Run::default() };
    let errors = plan_run(&plan, &run, &Origin::default()).err().expect("a mistake");
    errors.into_iter().map(|error| (error.message, error.help, error.span)).collect()
}

fn produce(producer: &str, topic: Option<&str>, partition: Option<u32>) -> StepKind {
    StepKind::Produce {
        producer: producer.into(),
        topic: topic.map(str::to_owned),
        key: None,
        value: None,
        partition,
        acks: None,
        count: 1,
        awaits: topomotion_model::Awaits::Answers,
    }
}

#[test]
fn steps_that_cannot_be_carried_out_are_refused_with_a_place_and_a_hint() {
    let did_you_mean = |name: &str| Some(format!("did you mean `{name}`?"));
    let condition = |text| Condition::parse(text).expect("a condition");
    let cases = [
        (
            StepKind::Crash("brokr-1".into()),
            "node",
            "no process `brokr-1` runs on the engine",
            did_you_mean("broker-1"),
        ),
        (
            produce("order-producr", None, None),
            "producer",
            "`order-producr` is no producer",
            did_you_mean("order-producer"),
        ),
        (
            produce("order-producer", Some("order"), None),
            "topic",
            "no topic has the name `order`",
            did_you_mean("orders"),
        ),
        (
            produce("order-producer", None, Some(3)),
            "partition",
            "topic `orders` has no partition 3",
            None,
        ),
        (
            StepKind::Expect(condition("leader(orders-0) == broker-9")),
            "condition",
            "`broker-9` is no broker",
            did_you_mean("broker-1"),
        ),
    ];
    for (kind, part, message, help) in cases {
        assert_eq!(mistakes(kind, part), [(message.to_owned(), help, span(40))]);
    }
    let (message, _, _) = &mistakes(produce("spark", None, None), "producer")[0];
    assert_eq!(message, "`spark` is a consumer and sends no records of its own");
}

#[test]
fn a_plain_process_that_dials_a_broker_gets_a_producer_when_a_scenario_wants_it() {
    let mut builder = brokers(&["broker-1", "shop"]);
    builder.connect(EdgeConfig::new("shop", "broker-1"));
    let mut scenario = ScenarioBuilder::new(ScenarioConfig::new("s", "S"));
    scenario.produce("shop", None, Default::default());
    builder.scenario(scenario);
    let plan = plan(&built(builder));
    assert_eq!(plan.producers[0].process.as_str(), "shop");
}

#[test]
fn an_unknown_setting_is_a_doubt_and_a_senseless_value_a_mistake() {
    let bound = |name: &str, value: &str| {
        let mut builder = production::builder();
        let settings = [(name.to_owned(), value.to_owned())].into();
        builder.kafka(Cluster { settings, ..Cluster::default() });
        bind(&built(builder))
    };
    let binding = bound("min.insync.replica", "2").expect("a doubt");
    assert_eq!(
        binding.warnings()[0].help.as_deref(),
        Some("did you mean `min.insync.replicas`?")
    );
    let errors = bound("min.insync.replicas", "two").expect_err("a mistake");
    assert_eq!(errors[0].message, "`two` is no value for `min.insync.replicas`");
}

#[test]
fn a_producer_that_kafka_would_not_start_is_a_mistake_that_names_the_setting() {
    let conflict = |settings: &[(&str, &str)]| {
        let own = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        let settings = settings.iter().map(own).collect();
        let origin = Origin { whole: span(1), parts: Vec::new() };
        let run = Run { settings, ..Run::default() };
        let planned = plan_run(&plan(&production::topology()), &run, &origin);
        let error = planned.err()?.into_iter().next()?;
        Some((error.message, error.help?))
    };
    let told = "the settings of `order-producer` contradict each other";
    for (settings, named) in [
        ([("enable.idempotence", "true"), ("acks", "1")], "acks"),
        ([("enable.idempotence", "true"), ("retries", "0")], "retries"),
        (
            [("transactional.id", "t"), ("enable.idempotence", "false")],
            "transactional.id",
        ),
        (
            [("transactional.id", "t"), ("max.in.flight.requests.per.connection", "6")],
            "max.in.flight.requests.per.connection",
        ),
    ] {
        let laid: Vec<(String, &str)> = settings
            .iter()
            .map(|(name, value)| (format!("producer.{name}"), *value))
            .collect();
        let laid: Vec<(&str, &str)> = laid.iter().map(|(n, v)| (&**n, *v)).collect();
        let (message, help) = conflict(&laid).expect(named);
        assert_eq!(message, told);
        assert!(help.contains(&format!("`{named}")), "{help}");
    }
    // Who did not ask for numbered records goes without.
    assert_eq!(conflict(&[("producer.acks", "1")]), None);
    assert_eq!(conflict(&[("producer.retries", "0")]), None);
}

#[test]
fn a_step_cannot_ask_for_fewer_acks_than_a_transaction_needs() {
    let step = |acks| {
        let mut kind = produce("order-producer", None, None);
        if let StepKind::Produce { acks: wanted, .. } = &mut kind {
            *wanted = Some(acks);
        }
        let step = Step { kind, caption: None, origin: origin("acks") };
        let settings = [("order-producer.transactional.id".to_owned(), "t".to_owned())];
        let run = Run { steps: vec![step], settings: settings.into() };
        plan_run(&plan(&production::topology()), &run, &Origin::default()).err()
    };
    assert!(step(Acks::All).is_none());
    let errors = step(Acks::Leader).expect("a mistake");
    assert_eq!(errors[0].code, "setting-conflict");
    assert_eq!(
        errors[0].help.as_deref(),
        Some("`enable.idempotence=true` needs `acks=all`")
    );
    assert_eq!(errors[0].span, span(40));
}

fn voting(named: &str) -> Result<Binding, Vec<Diagnostic>> {
    let mut builder = brokers(&["broker-1"]);
    for number in 1..=3 {
        builder.create_process(ProcessConfig::new(format!("controller-{number}")));
    }
    let settings = [("controller.quorum.voters".to_owned(), named.to_owned())];
    builder.kafka(Cluster { settings: settings.into(), ..Cluster::default() });
    bind(&built(builder))
}

#[test]
fn the_settings_name_who_votes_at_first() {
    for named in ["controller-1, controller-3", "3001,3003", "3001@a:9093,3003@b:9093"] {
        let bound = voting(named).expect("binds");
        let plan = bound.cluster().expect("a cluster");
        let voters: Vec<&str> = plan.voters().map(|node| node.process.as_str()).collect();
        assert_eq!(voters, ["controller-1", "controller-3"], "{named}");
        assert_eq!(plan.controllers().count(), 3);
        let told = bound.explain().join(" ");
        assert!(told.contains("`controller-2` begins without a vote."), "{told}");
        assert!(!told.contains("vote of the metadata quorum"), "{told}");
    }
}

#[test]
fn who_cannot_vote_is_told_with_who_can() {
    for (named, message) in [
        ("controller-1,controler-2", "`controler-2` is no controller and cannot vote"),
        ("broker-1", "`broker-1` is no controller and cannot vote"),
        ("controller-1,,controller-2", "`controller-1,,controller-2` is no value for"),
    ] {
        let errors = voting(named).expect_err(named);
        assert!(errors[0].message.starts_with(message), "{:?}", errors[0]);
    }
}

/// Two regions of two brokers, a controller and a producer each, and what copies between them.
fn regions() -> TopologyBuilder {
    let mut builder = TopologyBuilder::default();
    for region in ["eu", "us"] {
        let topic = vec![format!("{region}-orders")];
        let kafka = KafkaSettings { topics: topic, ..KafkaSettings::default() };
        let shop = format!("{region}-producer");
        builder.create_process(ProcessConfig { kafka, ..ProcessConfig::new(&*shop) });
        for number in 1..=2 {
            builder
                .create_process(ProcessConfig::new(format!("{region}-broker-{number}")));
        }
        let controller = format!("{region}-controller");
        builder.create_process(ProcessConfig::new(&*controller));
        for number in 1..=2 {
            let broker = format!("{region}-broker-{number}");
            builder.connect(EdgeConfig::new(&*broker, &*controller));
        }
        builder.connect(EdgeConfig::new(&*shop, format!("{region}-broker-2")));
    }
    builder.create_process(ProcessConfig::new("mirror-maker"));
    for (verb, region) in [("fetch", "us"), ("produce", "eu")] {
        let label = Some(verb.to_owned());
        let broker = format!("{region}-broker-1");
        builder.connect(EdgeConfig { label, ..EdgeConfig::new("mirror-maker", broker) });
    }
    builder
}

fn nodes(plan: &ClusterPlan) -> Vec<&str> {
    plan.nodes.iter().map(|node| node.process.as_str()).collect()
}

#[test]
fn of_two_clusters_the_first_one_runs_and_that_is_told() {
    let topology = built(regions());
    let binding = bind(&topology).expect("binds");
    let plan = binding.cluster().expect("has a cluster");
    assert_eq!(nodes(plan), ["eu-broker-1", "eu-broker-2", "eu-controller"]);
    let topics: Vec<&str> = plan.topics.iter().map(|topic| topic.name.as_str()).collect();
    assert_eq!(topics, ["eu-orders"]);
    let clients = plan.producers.iter().map(|one| (&one.process, &one.bootstrap));
    let clients: Vec<_> = clients.map(|(one, at)| (one.as_str(), at.as_str())).collect();
    let writes = [("eu-producer", "eu-broker-2"), ("mirror-maker", "eu-broker-1")];
    assert_eq!(clients, writes, "what it reads, it reads elsewhere");
    assert!(plan.consumers.is_empty());
    assert_eq!(
        binding.warnings()[0].message,
        "there are 2 Kafka clusters; the runs play on that of `eu-broker-1`"
    );
    let told =
        "`us-producer`, `us-broker-1`, `us-broker-2` and `us-controller` take no part";
    assert!(binding.explain().iter().any(|it| it.starts_with(told)));
}

#[test]
fn of_two_clusters_that_one_runs_that_the_script_speaks_of() {
    let mut builder = regions();
    let mut run = ScenarioBuilder::new(ScenarioConfig::new("outage", "An outage"));
    run.crash("us-broker-2");
    builder.scenario(run);
    let plan = plan(&built(builder));
    assert_eq!(nodes(&plan), ["us-broker-1", "us-broker-2", "us-controller"]);
    assert_eq!(plan.topics[0].name, "us-orders");
}
