//! The options of groups, processes, edges, clusters and scenarios, as both front ends take
//! them.

use std::collections::BTreeMap;

use topomotion_model::builder::{
    EdgeConfig, GroupConfig, ProcessConfig, ProduceConfig, ScenarioConfig,
};
use topomotion_model::names::value_named;
use topomotion_model::{
    Acks, Awaits, Capacity, Cluster, Diagnostic, KafkaSettings, Origin, Point, ProcessId,
    Span, Topic,
};

use crate::data::{Data, Entry, Value};
use crate::fields::{Fields, origin, text};

pub(crate) const GROUP: &[&str] = &[
    "id",
    "label",
    "parent",
    "width",
    "height",
    "style",
    "color",
    "layer",
    "description",
    "x",
    "y",
];
pub(crate) const PROCESS: &[&str] = &[
    "id",
    "label",
    "group",
    "state",
    "shape",
    "icon",
    "replicas",
    "shardId",
    "shardRole",
    "color",
    "external",
    "capacity",
    "description",
    "layer",
    "role",
    "kafka",
    "x",
    "y",
];
pub(crate) const CAPACITY: &[&str] = &["maxRps", "replicas"];
pub(crate) const PROCESS_KAFKA: &[&str] =
    &["acks", "groupId", "topics", "nodeId", "rack", "settings"];
pub(crate) const EDGE: &[&str] =
    &["protocol", "type", "label", "layer", "style", "color"];
pub(crate) const CLUSTER: &[&str] = &["topics", "settings", "seed"];
pub(crate) const TOPIC: &[&str] = &[
    "name",
    "partitions",
    "replicationFactor",
    "minInsyncReplicas",
    "assignment",
    "settings",
];
pub(crate) const SCENARIO: &[&str] = &["layer", "settings"];
pub(crate) const PRODUCE: &[&str] =
    &["key", "value", "partition", "acks", "count", "await", "caption"];
pub(crate) const WAIT_UNTIL: &[&str] = &["timeout", "caption"];
pub(crate) const STEP: &[&str] = &["caption"];

/// What a line can be drawn as.
const LINE_STYLES: [&str; 3] = ["dashed", "dotted", "thick"];

/// The largest seed that survives JavaScript's numbers.
const LARGEST_SEED: i64 = 1 << 53;

/// A group; `also` are further options that the front end reads itself.
pub(crate) fn group(
    data: &Data,
    also: &[&str],
    whole: Option<Span>,
    found: &mut Vec<Diagnostic>,
) -> GroupConfig {
    let mut fields =
        Fields::open_with(data, "a group", GROUP, |k| also.contains(&k), found);
    GroupConfig {
        id: fields.text("id").unwrap_or_default(),
        label: fields.text("label"),
        parent: fields.text("parent"),
        width: extent(&mut fields, "width"),
        height: extent(&mut fields, "height"),
        style: fields.text("style"),
        color: fields.text("color"),
        layer: fields.text("layer"),
        description: fields.text("description"),
        position: point(&mut fields),
        origin: origin(whole, data),
    }
}

fn extent(fields: &mut Fields<'_, '_>, name: &str) -> Option<f64> {
    let value = fields.number(name)?;
    if (0.0..=100_000.0).contains(&value) {
        return Some(value);
    }
    let span = fields.data(name)?.span;
    let message = format!("`{name}` cannot be {value}");
    fields.report(
        Diagnostic::error("out-of-range", message, span)
            .at("must be between 0 and 100000"),
    );
    None
}

/// `x` and `y`; the other is 0 where only one is given.
pub(crate) fn point(fields: &mut Fields<'_, '_>) -> Option<Point> {
    match (fields.number("x"), fields.number("y")) {
        (None, None) => None,
        (x, y) => Some(Point { x: x.unwrap_or_default(), y: y.unwrap_or_default() }),
    }
}

/// A process.
pub(crate) fn process(
    data: &Data,
    whole: Option<Span>,
    found: &mut Vec<Diagnostic>,
) -> ProcessConfig {
    let mut fields = Fields::open(data, "a process", PROCESS, found);
    let mut origin = origin(whole, data);
    if let Some(Value::Map(kafka)) = fields.data("kafka").map(|data| &data.value) {
        origin.parts.extend(setting_places(kafka, ""));
    }
    ProcessConfig {
        id: fields.text("id").unwrap_or_default(),
        label: fields.text("label"),
        group: fields.text("group"),
        state: fields.value("state").unwrap_or_default(),
        shape: fields.value("shape").unwrap_or_default(),
        icon: fields.text("icon"),
        replicas: fields.whole("replicas"),
        shard_id: shard_id(&mut fields),
        shard_role: fields.value("shardRole"),
        color: fields.text("color"),
        external: fields.flag("external").unwrap_or_default(),
        capacity: capacity(&mut fields),
        description: fields.text("description"),
        layer: fields.text("layer"),
        role: fields.value("role"),
        kafka: process_kafka(&mut fields),
        position: point(&mut fields),
        origin,
    }
}

/// `'p0,p1'`, or `['p0', 'p1']`.
fn shard_id(fields: &mut Fields<'_, '_>) -> Option<String> {
    fields.data("shardId")?;
    Some(fields.texts("shardId").join(","))
}

fn capacity(fields: &mut Fields<'_, '_>) -> Option<Capacity> {
    let data = fields.data("capacity")?;
    let mut inner = Fields::open(data, "a capacity", CAPACITY, fields.found());
    Some(Capacity { max_rps: inner.number("maxRps"), replicas: inner.count("replicas") })
}

fn process_kafka(fields: &mut Fields<'_, '_>) -> KafkaSettings {
    let Some(data) = fields.data("kafka") else { return KafkaSettings::default() };
    let owner = "a process's `kafka`";
    let mut inner =
        Fields::open_with(data, owner, PROCESS_KAFKA, is_setting, fields.found());
    KafkaSettings {
        acks: acks(&mut inner),
        group_id: inner.text("groupId"),
        topics: inner.texts("topics"),
        node_id: node_id(&mut inner),
        rack: inner.text("rack"),
        settings: settings(&mut inner),
    }
}

fn node_id(fields: &mut Fields<'_, '_>) -> Option<i32> {
    let id = fields.count("nodeId")?;
    let data = fields.data("nodeId")?;
    match i32::try_from(id) {
        Ok(id) => Some(id),
        Err(_) => fields.wrong("nodeId", "a number that fits into 32 bits", data),
    }
}

/// `'all'`, `1`, `0`, and Kafka's own `-1` for all.
fn acks(fields: &mut Fields<'_, '_>) -> Option<Acks> {
    let data = fields.data("acks")?;
    let word = fields.text("acks")?;
    let word = if word == "-1" { "all" } else { &word };
    match value_named(word, data.span) {
        Ok(acks) => Some(acks),
        Err(error) => {
            fields.report(*error);
            None
        }
    }
}

/// Kafka's own names have dots; none of ours has.
fn is_setting(name: &str) -> bool {
    name.contains('.')
}

/// `settings: { 'a.b': 1 }`, and options with Kafka's own names beside it.
fn settings(fields: &mut Fields<'_, '_>) -> BTreeMap<String, String> {
    if let Some(data) = fields.data("settings")
        && !matches!(data.value, Value::Map(_))
    {
        fields.wrong::<()>("settings", "an object", data);
    }
    let mut settings = BTreeMap::new();
    for entry in given_settings(fields.entries()) {
        let value = match &entry.data.value {
            Value::Absent => None,
            Value::Bool(flag) => Some(flag.to_string()),
            _ => text(&entry.key, &entry.data, fields.found()),
        };
        settings.extend(value.map(|value| (entry.key.clone(), value)));
    }
    settings
}

fn given_settings(options: &[Entry]) -> impl Iterator<Item = &Entry> {
    let own = options.iter().rfind(|entry| entry.key == "settings");
    let inner = match own.map(|entry| &entry.data.value) {
        Some(Value::Map(entries)) => entries.as_slice(),
        _ => &[],
    };
    inner.iter().chain(options.iter().filter(|entry| is_setting(&entry.key)))
}

/// Where each setting's value stands, as parts of an origin.
fn setting_places<'a>(
    options: &'a [Entry],
    before: &'a str,
) -> impl Iterator<Item = (String, Span)> + 'a {
    given_settings(options).filter_map(move |entry| {
        Some((format!("{before}{}", entry.key), entry.data.span?))
    })
}

/// An edge's options.
pub(crate) fn edge(
    data: &Data,
    also: &[&str],
    whole: Option<Span>,
    found: &mut Vec<Diagnostic>,
) -> EdgeConfig {
    let mut fields = Fields::open(data, "a connection", &[EDGE, also].concat(), found);
    let kind = fields.text("type");
    // `type: 'dashed'` can only mean the line.
    let as_style = kind.clone().filter(|kind| LINE_STYLES.contains(&kind.as_str()));
    EdgeConfig {
        source: String::new(),
        target: String::new(),
        protocol: fields.text("protocol"),
        kind,
        label: fields.text("label"),
        layer: fields.text("layer"),
        style: fields.text("style").or(as_style),
        color: fields.text("color"),
        origin: origin(whole, data),
    }
}

/// The Kafka cluster.
pub(crate) fn cluster(
    data: &Data,
    whole: Option<Span>,
    found: &mut Vec<Diagnostic>,
) -> Cluster {
    let mut fields = Fields::open_with(data, "a cluster", CLUSTER, is_setting, found);
    let topics = fields.list("topics");
    let topics = topics.iter().map(|data| topic(data, fields.found())).collect();
    let mut origin = origin(whole, data);
    origin.parts.extend(setting_places(fields.entries(), ""));
    Cluster { topics, settings: settings(&mut fields), seed: seed(&mut fields), origin }
}

fn seed(fields: &mut Fields<'_, '_>) -> u64 {
    let Some(seed) = fields.whole("seed") else { return 0 };
    if (0..=LARGEST_SEED).contains(&seed) {
        return seed as u64;
    }
    if let Some(data) = fields.data("seed") {
        fields.wrong::<()>("seed", "a whole number from 0", data);
    }
    0
}

/// A topic; a text alone is its name.
fn topic(data: &Data, found: &mut Vec<Diagnostic>) -> Topic {
    if let Value::Text(name) = &data.value {
        let origin = origin(data.span, data);
        return Topic { name: name.clone(), origin, ..Topic::default() };
    }
    let mut fields = Fields::open_with(data, "a topic", TOPIC, is_setting, found);
    let mut origin = origin(data.span, data);
    origin.parts.extend(setting_places(fields.entries(), ""));
    Topic {
        name: fields.text("name").unwrap_or_default(),
        partitions: fields.count("partitions"),
        replication_factor: fields.count("replicationFactor"),
        min_insync_replicas: fields.count("minInsyncReplicas"),
        assignment: assignment(&mut fields),
        settings: settings(&mut fields),
        origin,
    }
}

/// `[['broker-1', 'broker-2'], …]`: the replicas of each partition, leader first.
fn assignment(fields: &mut Fields<'_, '_>) -> Vec<Vec<ProcessId>> {
    let partitions = fields.list("assignment");
    let mut assignment = Vec::new();
    for partition in partitions {
        let Value::List(replicas) = &partition.value else {
            fields.wrong::<()>("assignment", "a list of lists of process ids", partition);
            continue;
        };
        let ids = replicas.iter().filter_map(|id| text("assignment", id, fields.found()));
        assignment.push(ids.map(ProcessId::from).collect());
    }
    assignment
}

/// The options of a scenario that stand behind its id, title and description.
pub(crate) fn scenario(
    data: &Data,
    also: &[&str],
    found: &mut Vec<Diagnostic>,
) -> ScenarioConfig {
    let known = [SCENARIO, also].concat();
    let mut fields = Fields::open_with(data, "a scenario", &known, is_setting, found);
    let parts = setting_places(fields.entries(), "settings.").collect();
    let origin = Origin { whole: None, parts };
    ScenarioConfig {
        layer: fields.text("layer"),
        settings: settings(&mut fields),
        origin,
        ..ScenarioConfig::default()
    }
}

/// What a `produce` step sends, and its caption.
pub(crate) fn produce(
    data: &Data,
    also: &[&str],
    found: &mut Vec<Diagnostic>,
) -> (ProduceConfig, Option<String>) {
    let mut fields = Fields::open(data, "`produce`", &[PRODUCE, also].concat(), found);
    let config = ProduceConfig {
        key: fields.text("key"),
        value: fields.text("value"),
        partition: fields.count("partition"),
        acks: acks(&mut fields),
        count: fields.count("count").unwrap_or(1),
        awaits: match fields.flag("await") {
            Some(false) => Awaits::Nothing,
            Some(true) | None => Awaits::Answers,
        },
    };
    (config, fields.text("caption"))
}
