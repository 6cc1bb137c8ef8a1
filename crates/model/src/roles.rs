//! What a process is, told from what the script says about it.
//!
//! The script's own `role` decides; then the words of the id and the label; then who dials
//! whom with which label; then the words of the groups around it. No word of Kafka, no guess.

use crate::{Edge, Process, ProcessId, ProcessRole, Topology};

impl Topology {
    /// What a process is, as far as the script tells.
    pub fn role_of(&self, id: &ProcessId) -> Option<ProcessRole> {
        let process = self.process(id)?;
        process
            .role
            .or_else(|| role_in_words(process.id.as_str()))
            .or_else(|| role_in_words(&process.label))
            .or_else(|| self.role_in_edges(process))
            .or_else(|| self.role_in_groups(process))
    }

    fn role_in_edges(&self, process: &Process) -> Option<ProcessRole> {
        let mut produces = false;
        let mut consumes = false;
        for edge in &self.edges {
            if edge.source.process() == Some(&process.id) && self.dials_broker(edge) {
                let label = edge.label.as_deref().unwrap_or_default();
                produces |=
                    has_word(label, &["produce", "produces", "send", "publish", "write"]);
                consumes |= has_word(
                    label,
                    &["fetch", "consume", "consumes", "poll", "subscribe"],
                );
            }
        }
        match (produces, consumes) {
            (true, true) => Some(ProcessRole::Streams),
            (true, false) => Some(ProcessRole::Producer),
            (false, true) => Some(ProcessRole::Consumer),
            (false, false) => None,
        }
    }

    fn dials_broker(&self, edge: &Edge) -> bool {
        let Some(target) = edge.target.process().and_then(|id| self.process(id)) else {
            return false;
        };
        let words =
            || role_in_words(target.id.as_str()).or_else(|| role_in_words(&target.label));
        target.role.or_else(words) == Some(ProcessRole::Broker)
    }

    fn role_in_groups(&self, process: &Process) -> Option<ProcessRole> {
        let mut next = process.group.as_ref();
        // A chain of parents is no longer than there are groups.
        for _ in 0..self.groups.len() {
            let group = self.group(next?)?;
            let told =
                role_in_words(group.id.as_str()).or_else(|| role_in_words(&group.label));
            if told.is_some() {
                return told;
            }
            next = group.parent.as_ref();
        }
        None
    }
}

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
