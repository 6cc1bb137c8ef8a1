//! Checks on the Kafka cluster that a script names.

use std::collections::BTreeMap;

use crate::builder::MOST_PARTITIONS;
use crate::builder::ids::Known;
use crate::{Cluster, Diagnostic, Topic};

pub(super) fn check(cluster: &Cluster, known: &Known, found: &mut Vec<Diagnostic>) {
    let mut seen = BTreeMap::new();
    for topic in &cluster.topics {
        check_name(topic, found);
        if let Some(first) = seen.insert(&topic.name, topic.origin.part("name")) {
            let message = format!("two topics have the name `{}`", topic.name);
            found.push(
                Diagnostic::error("duplicate-topic", message, topic.origin.part("name"))
                    .at("taken already")
                    .label(first, "first given here"),
            );
        }
        check_counts(topic, found);
        check_assignment(topic, known, found);
    }
}

fn check_name(topic: &Topic, found: &mut Vec<Diagnostic>) {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name = &topic.name;
    if name.is_empty() || name.len() > 249 || !name.chars().all(legal) {
        let message = format!("`{name}` cannot be a topic's name");
        found.push(
            Diagnostic::error("topic-name", message, topic.origin.part("name"))
                .at("not a name that Kafka takes")
                .help("use 1 to 249 letters, digits, `.`, `_` and `-`"),
        );
    }
}

fn check_counts(topic: &Topic, found: &mut Vec<Diagnostic>) {
    let counts = [
        ("partitions", topic.partitions, MOST_PARTITIONS),
        ("replicationFactor", topic.replication_factor, 100),
        ("minInsyncReplicas", topic.min_insync_replicas, 100),
    ];
    for (name, count, most) in counts {
        let Some(count) = count else { continue };
        if !(1..=most).contains(&count) {
            let message = format!("topic `{}` cannot have {name} {count}", topic.name);
            found.push(
                Diagnostic::error("topic-out-of-range", message, topic.origin.part(name))
                    .at(format!("must be between 1 and {most}")),
            );
        }
    }
}

fn check_assignment(topic: &Topic, known: &Known, found: &mut Vec<Diagnostic>) {
    let place = topic.origin.part("assignment");
    for process in topic.assignment.iter().flatten() {
        if let Err(error) = known.process(process.as_str(), place) {
            // The place is the whole list, which is no text to replace by an id.
            found.push(Diagnostic { fix: None, ..*error });
        }
    }
    let Some(partitions) = topic.partitions else { return };
    let placed = topic.assignment.len();
    if placed > 0 && placed != partitions as usize {
        let message = format!(
            "topic `{}` has {partitions} partitions, but {placed} are placed",
            topic.name
        );
        found.push(
            Diagnostic::error("assignment-length", message, place)
                .at("one list of replicas for each partition"),
        );
    }
}
