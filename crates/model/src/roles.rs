//! What a process is, told from what the script says about it.
//!
//! The script's own `role` decides; then the words of the id and the label; then who dials
//! whom with which label; then the words of the groups around it. No word of Kafka, no guess.

use std::collections::BTreeMap;

use crate::{GroupId, Process, ProcessId, ProcessRole, Topology};

impl Topology {
    /// What a process is, as far as the script tells. For many processes, [`roles`] is faster.
    ///
    /// [`roles`]: Topology::roles
    pub fn role_of(&self, id: &ProcessId) -> Option<ProcessRole> {
        self.roles().get(id).copied()
    }

    /// What each process is, as far as the script tells.
    pub fn roles(&self) -> BTreeMap<&ProcessId, ProcessRole> {
        let told: BTreeMap<&ProcessId, ProcessRole> = (self.processes.iter())
            .filter_map(|process| Some((&process.id, told_role(process)?)))
            .collect();
        let by_edges = self.roles_in_edges(&told);
        let by_group = self.roles_in_groups();
        let roles = self.processes.iter().filter_map(|process| {
            let id = &process.id;
            let home = || by_group.get(process.group.as_ref()?);
            let role = told.get(id).or_else(|| by_edges.get(id)).or_else(home);
            role.map(|role| (id, *role))
        });
        roles.collect()
    }

    /// Who produces to brokers, who consumes from them, and who does both.
    fn roles_in_edges(
        &self,
        told: &BTreeMap<&ProcessId, ProcessRole>,
    ) -> BTreeMap<&ProcessId, ProcessRole> {
        let mut roles = BTreeMap::new();
        for edge in &self.edges {
            let (source, target) = (edge.source.process(), edge.target.process());
            let broker = target.and_then(|id| told.get(id));
            let (Some(source), Some(ProcessRole::Broker)) = (source, broker) else {
                continue;
            };
            let label = edge.label.as_deref().unwrap_or_default();
            let role = if has_word(label, PRODUCES) {
                ProcessRole::Producer
            } else if has_word(label, CONSUMES) {
                ProcessRole::Consumer
            } else {
                continue;
            };
            let known = roles.entry(source).or_insert(role);
            if *known != role {
                *known = ProcessRole::Streams;
            }
        }
        roles
    }

    /// What a group says of the processes in it; a group that says nothing passes on what the
    /// group around it says. A parent comes before its children.
    fn roles_in_groups(&self) -> BTreeMap<&GroupId, ProcessRole> {
        let mut roles = BTreeMap::new();
        for group in &self.groups {
            let told =
                role_in_words(group.id.as_str()).or_else(|| role_in_words(&group.label));
            let around = || roles.get(group.parent.as_ref()?).copied();
            if let Some(role) = told.or_else(around) {
                roles.insert(&group.id, role);
            }
        }
        roles
    }
}

/// What the process's own role, id and label say.
fn told_role(process: &Process) -> Option<ProcessRole> {
    process
        .role
        .or_else(|| role_in_words(process.id.as_str()))
        .or_else(|| role_in_words(&process.label))
}

const PRODUCES: &[&str] = &["produce", "produces", "send", "publish", "write"];
const CONSUMES: &[&str] = &["fetch", "consume", "consumes", "poll", "subscribe"];

/// The first that fits decides, so what is more telling stands first.
const WORDS: &[(&[&str], ProcessRole)] = &[
    (&["schema"], ProcessRole::SchemaRegistry),
    (&["zookeeper", "zk"], ProcessRole::Zookeeper),
    (&["connect"], ProcessRole::Connect),
    (&["producer", "producers"], ProcessRole::Producer),
    (&["consumer", "consumers"], ProcessRole::Consumer),
    (&["streams"], ProcessRole::Streams),
    (&["controller", "controllers", "kraft"], ProcessRole::Controller),
    (&["broker", "brokers"], ProcessRole::Broker),
];

fn role_in_words(text: &str) -> Option<ProcessRole> {
    WORDS.iter().find(|(words, _)| has_word(text, words)).map(|(_, role)| *role)
}

fn has_word(text: &str, wanted: &[&str]) -> bool {
    text.split(|c: char| !c.is_alphanumeric())
        .any(|word| wanted.iter().any(|one| word.eq_ignore_ascii_case(one)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::{EdgeConfig, GroupConfig, ProcessConfig, TopologyBuilder};

    fn topology() -> Topology {
        let mut builder = TopologyBuilder::default();
        for id in ["broker-1", "shop", "flink", "order-producer", "schema-registry"] {
            builder.create_process(ProcessConfig::new(id));
        }
        let group = builder.create_group(GroupConfig {
            label: Some("Consumer Group: batch".to_owned()),
            ..GroupConfig::new("batch")
        });
        builder.group(group).add_process(ProcessConfig::new("spark"));
        for (id, label) in [("shop", "produce acks=all"), ("flink", "fetch p0")] {
            let label = Some(label.to_owned());
            builder.connect(EdgeConfig { label, ..EdgeConfig::new(id, "broker-1") });
        }
        builder.build().unwrap().0
    }

    #[test]
    fn words_edges_and_groups_tell_the_role() {
        let topology = topology();
        let role = |id: &str| topology.role_of(&id.into());
        assert_eq!(role("broker-1"), Some(ProcessRole::Broker));
        assert_eq!(role("order-producer"), Some(ProcessRole::Producer));
        assert_eq!(role("schema-registry"), Some(ProcessRole::SchemaRegistry));
        assert_eq!(role("shop"), Some(ProcessRole::Producer));
        assert_eq!(role("flink"), Some(ProcessRole::Consumer));
        assert_eq!(role("spark"), Some(ProcessRole::Consumer));
        assert_eq!(role("nobody"), None);
    }
}
