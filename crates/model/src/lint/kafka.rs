//! Rules of Kafka: who dials whom, and what a cluster of this size can hold.

use std::collections::{BTreeMap, BTreeSet};

use super::{Facts, Findings};
use crate::{Edge, Process, ProcessId, ProcessRole, ShardRole, Topic, Topology};

pub(super) fn broker_dials_client(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    for (edge, source, target) in dialled(facts) {
        let is_client = matches!(
            facts.roles.get(&target.id),
            Some(
                ProcessRole::Producer
                    | ProcessRole::Consumer
                    | ProcessRole::Streams
                    | ProcessRole::Connect
            )
        );
        if is_client && facts.is(&source.id, ProcessRole::Broker) {
            let message =
                format!("broker `{}` dials its client `{}`", source.id, target.id);
            findings.add(message, edge.origin.whole);
        }
    }
}

pub(super) fn controller_dials_broker(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    for (edge, source, target) in dialled(facts) {
        if facts.is(&source.id, ProcessRole::Controller)
            && facts.is(&target.id, ProcessRole::Broker)
        {
            let message =
                format!("controller `{}` dials broker `{}`", source.id, target.id);
            findings.add(message, edge.origin.whole);
        }
    }
}

/// Only where the script says who leads and who follows.
pub(super) fn leader_dials_follower(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    for (edge, source, target) in dialled(facts) {
        let leads = source.shard_role == Some(ShardRole::Primary);
        let follows = target.shard_role == Some(ShardRole::Replica);
        let are_brokers =
            [source, target].iter().all(|one| facts.is(&one.id, ProcessRole::Broker));
        if leads && follows && are_brokers {
            let message =
                format!("leader `{}` dials follower `{}`", source.id, target.id);
            findings.add(message, edge.origin.whole);
        }
    }
}

fn dialled<'a>(
    facts: &'a Facts<'_>,
) -> impl Iterator<Item = (&'a Edge, &'a Process, &'a Process)> {
    facts.topology.edges.iter().filter_map(|edge| {
        let source = *facts.processes.get(edge.source.process()?)?;
        let target = *facts.processes.get(edge.target.process()?)?;
        Some((edge, source, target))
    })
}

/// The brokers of the largest cluster.
fn most_brokers(facts: &Facts<'_>) -> usize {
    let brokers = |nodes: &BTreeSet<&ProcessId>| {
        nodes.iter().filter(|id| facts.is(id, ProcessRole::Broker)).count()
    };
    facts.clusters.iter().map(brokers).max().unwrap_or(0)
}

fn topics(topology: &Topology) -> impl Iterator<Item = &Topic> {
    topology.cluster.iter().flat_map(|cluster| &cluster.topics)
}

pub(super) fn no_broker(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let Some(cluster) = &facts.topology.cluster else { return };
    if most_brokers(facts) == 0 {
        findings.add("the cluster has no broker".to_owned(), cluster.origin.whole);
    }
}

pub(super) fn replication_factor(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let brokers = most_brokers(facts);
    if brokers == 0 {
        return;
    }
    for topic in topics(facts.topology) {
        let Some(factor) = topic.replication_factor else { continue };
        if factor as usize > brokers {
            let message = format!(
                "topic `{}` wants {factor} copies, but there {}",
                topic.name,
                match brokers {
                    1 => "is one broker".to_owned(),
                    brokers => format!("are {brokers} brokers"),
                }
            );
            findings.add(message, topic.origin.part("replicationFactor"));
        }
    }
}

pub(super) fn min_insync_replicas(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let brokers = most_brokers(facts) as u32;
    for topic in topics(facts.topology) {
        // What is not said is inferred: as many copies as there are brokers, at most three.
        let factor = topic.replication_factor.unwrap_or(brokers.min(3));
        let Some(least) = topic.min_insync_replicas else { continue };
        if factor > 0 && least > factor {
            let message = format!(
                "topic `{}` wants {least} replicas in sync, but has {factor}",
                topic.name
            );
            findings.add(message, topic.origin.part("minInsyncReplicas"));
        }
    }
}

pub(super) fn even_voters(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    for nodes in &facts.clusters {
        for (role, what) in [
            (ProcessRole::Controller, "controllers"),
            (ProcessRole::Zookeeper, "ZooKeeper servers"),
        ] {
            let mut voters: Vec<&Process> = facts.topology.processes.iter().collect();
            voters.retain(|it| nodes.contains(&it.id) && facts.is(&it.id, role));
            if let ([.., last], 0) = (&*voters, voters.len() % 2) {
                let message = format!("there are {} {what}", voters.len());
                findings.add(message, last.origin.part("id"));
            }
        }
    }
}

/// Only where the script names the topics and their partitions.
pub(super) fn idle_consumers(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let mut groups: BTreeMap<&str, Vec<&Process>> = BTreeMap::new();
    for process in &facts.topology.processes {
        let role = facts.roles.get(&process.id);
        if matches!(role, Some(ProcessRole::Consumer | ProcessRole::Streams)) {
            let home = process.group.as_ref().map(crate::GroupId::as_str);
            let group = process.kafka.group_id.as_deref().or(home);
            groups.entry(group.unwrap_or_default()).or_default().push(process);
        }
    }
    for (group, members) in groups.iter().filter(|(group, _)| !group.is_empty()) {
        let Some(partitions) = partitions_of(facts.topology, members) else { continue };
        if members.len() > partitions as usize {
            let message = format!(
                "consumer group `{group}` has {} consumers for {partitions} partition{}",
                members.len(),
                if partitions == 1 { "" } else { "s" }
            );
            let place = members.last().and_then(|process| process.origin.part("id"));
            findings.add(message, place);
        }
    }
}

/// How many partitions the members read; `None` where the script does not say.
fn partitions_of(topology: &Topology, members: &[&Process]) -> Option<u32> {
    let named: Vec<&String> =
        members.iter().flat_map(|process| &process.kafka.topics).collect();
    let read: Vec<&Topic> = topics(topology)
        .filter(|topic| named.is_empty() || named.contains(&&topic.name))
        .collect();
    if read.is_empty() {
        return None;
    }
    read.iter().map(|topic| topic.partitions).sum()
}

#[cfg(test)]
mod tests {
    use crate::builder::{EdgeConfig, GroupConfig, ProcessConfig, TopologyBuilder};
    use crate::lint::lint;
    use crate::{Cluster, Diagnostic, Severity, ShardRole, Topic};

    fn brokers(count: i64) -> TopologyBuilder {
        let mut builder = TopologyBuilder::default();
        let replicas = Some(count);
        builder
            .create_process(ProcessConfig { replicas, ..ProcessConfig::new("broker") });
        builder.create_process(ProcessConfig::new("producer"));
        builder.connect(EdgeConfig::new("producer", "broker"));
        builder
    }

    fn found(builder: TopologyBuilder) -> Vec<Diagnostic> {
        lint(&builder.build().expect("a sound topology").0)
    }

    fn messages(builder: TopologyBuilder) -> Vec<String> {
        found(builder).into_iter().map(|one| one.message).collect()
    }

    fn topic(factor: u32, least: u32, partitions: u32) -> Cluster {
        let topic = Topic {
            name: "orders".to_owned(),
            partitions: Some(partitions),
            replication_factor: Some(factor),
            min_insync_replicas: Some(least),
            ..Topic::default()
        };
        Cluster { topics: vec![topic], ..Cluster::default() }
    }

    #[test]
    fn clients_dial_brokers_and_brokers_dial_controllers() {
        let mut builder = brokers(1);
        builder.create_process(ProcessConfig::new("controller"));
        builder.connect(EdgeConfig::new("broker-1", "controller"));
        assert!(messages(builder.clone()).is_empty());
        builder.create_process(ProcessConfig::new("consumer"));
        builder.connect(EdgeConfig::new("broker-1", "consumer"));
        builder.create_process(ProcessConfig::new("broker-9"));
        builder.connect(EdgeConfig::new("controller", "broker-9"));
        assert_eq!(
            messages(builder),
            [
                "broker `broker-1` dials its client `consumer`",
                "controller `controller` dials broker `broker-9`"
            ]
        );
    }

    #[test]
    fn a_leader_does_not_dial_its_follower() {
        let mut builder = brokers(1);
        for (id, role) in
            [("broker-a", ShardRole::Primary), ("broker-b", ShardRole::Replica)]
        {
            let shard_role = Some(role);
            builder
                .create_process(ProcessConfig { shard_role, ..ProcessConfig::new(id) });
        }
        builder.connect(EdgeConfig::new("broker-a", "broker-b"));
        assert_eq!(messages(builder), ["leader `broker-a` dials follower `broker-b`"]);
    }

    #[test]
    fn more_copies_than_brokers_is_an_error() {
        let mut builder = brokers(2);
        builder.kafka(topic(3, 4, 1));
        let found = found(builder);
        assert_eq!(
            found[0].message,
            "topic `orders` wants 3 copies, but there are 2 brokers"
        );
        assert_eq!(found[0].severity, Severity::Error);
        assert_eq!(
            found[1].message,
            "topic `orders` wants 4 replicas in sync, but has 3"
        );
        assert_eq!(found[1].severity, Severity::Warning);
    }

    #[test]
    fn voters_are_odd_in_number() {
        let mut builder = brokers(1);
        let replicas = Some(2);
        builder.create_process(ProcessConfig {
            replicas,
            ..ProcessConfig::new("controller")
        });
        builder.connect(EdgeConfig::new("broker-1", "controller"));
        assert_eq!(messages(builder), ["there are 2 controllers"]);
    }

    #[test]
    fn a_cluster_needs_a_broker() {
        let mut builder = TopologyBuilder::default();
        builder.create_process(ProcessConfig::new("a"));
        builder.create_process(ProcessConfig::new("b"));
        builder.kafka(Cluster::default());
        assert_eq!(messages(builder), ["the cluster has no broker"]);
    }

    #[test]
    fn a_group_has_no_more_consumers_than_partitions() {
        let mut builder = brokers(3);
        builder.kafka(topic(3, 2, 1));
        let group = builder.create_group(GroupConfig::new("readers"));
        let replicas = Some(2);
        builder
            .group(group)
            .add_process(ProcessConfig { replicas, ..ProcessConfig::new("consumer") });
        builder.connect(EdgeConfig::new("consumer", "broker-1"));
        assert_eq!(
            messages(builder),
            ["consumer group `readers` has 2 consumers for 1 partition"]
        );
    }
}
