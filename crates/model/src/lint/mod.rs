//! Checks on the built topology: what may be drawn, but is probably not what is meant.
//!
//! The rules are a table; each has a name (the diagnostic's code), a severity, a reason and a
//! way to mend it. They judge the topology, never the script's text, so every front end gets
//! the same findings. What cannot be drawn at all is the builder's business.

mod kafka;
mod shape;

use std::collections::{BTreeMap, BTreeSet};

use crate::{Diagnostic, Process, ProcessId, ProcessRole, Severity, Span, Topology};

/// A rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The code of its diagnostics.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Why it matters.
    pub reason: &'static str,
    /// What to do.
    pub fix: &'static str,
    check: fn(&Facts<'_>, &mut Findings<'_>),
}

/// Every rule, in the order in which they are checked.
pub const RULES: &[Rule] = &[
    Rule {
        name: "lonely-process",
        severity: Severity::Warning,
        reason: "nothing can travel to it or from it",
        fix: "connect it, or leave it out",
        check: shape::lonely_process,
    },
    Rule {
        name: "reverse-edge",
        severity: Severity::Warning,
        reason: "one connection carries both directions",
        fix: "leave this one out: the answer travels back along the first",
        check: shape::reverse_edge,
    },
    Rule {
        name: "self-edge",
        severity: Severity::Warning,
        reason: "nobody dials itself over a network",
        fix: "leave it out, or connect two processes",
        check: shape::self_edge,
    },
    Rule {
        name: "long-label",
        severity: Severity::Warning,
        reason: "a label of 25 or more characters wraps or crowds the picture",
        fix: "shorten it, and put the rest into `description`",
        check: shape::long_label,
    },
    Rule {
        name: "only-happy-path",
        severity: Severity::Warning,
        reason: "a diagram earns its keep by showing what happens when something fails",
        fix: "add a scenario with a failure: `crash`, `showError` or `setState`",
        check: shape::only_happy_path,
    },
    Rule {
        name: "empty-scenario",
        severity: Severity::Warning,
        reason: "there is nothing to play",
        fix: "add steps, or leave it out",
        check: shape::empty_scenario,
    },
    Rule {
        name: "broker-dials-client",
        severity: Severity::Warning,
        reason: "producers and consumers dial the broker, never the other way round",
        fix: "swap the two ends",
        check: kafka::broker_dials_client,
    },
    Rule {
        name: "leader-dials-follower",
        severity: Severity::Warning,
        reason: "a follower dials its leader and fetches; a leader pushes nothing",
        fix: "swap the two ends",
        check: kafka::leader_dials_follower,
    },
    Rule {
        name: "controller-dials-broker",
        severity: Severity::Warning,
        reason: "under KRaft a broker dials its controller and fetches metadata",
        fix: "swap the two ends",
        check: kafka::controller_dials_broker,
    },
    Rule {
        name: "no-broker",
        severity: Severity::Warning,
        reason: "the script names a cluster, but no process is a broker of it",
        fix: "add brokers, or say `role: 'broker'`",
        check: kafka::no_broker,
    },
    Rule {
        name: "replication-factor",
        severity: Severity::Error,
        reason: "every copy of a partition needs a broker of its own",
        fix: "lower `replicationFactor`, or add brokers",
        check: kafka::replication_factor,
    },
    Rule {
        name: "min-insync-replicas",
        severity: Severity::Warning,
        reason: "with `acks=all` no record could ever be acknowledged",
        fix: "keep `minInsyncReplicas` at most one below `replicationFactor`",
        check: kafka::min_insync_replicas,
    },
    Rule {
        name: "even-voters",
        severity: Severity::Warning,
        reason: "an even number of voters survives no more failures than one voter less",
        fix: "take an odd number: 1, 3 or 5",
        check: kafka::even_voters,
    },
    Rule {
        name: "idle-consumers",
        severity: Severity::Warning,
        reason: "a partition is read by one consumer of a group: the others stand idle",
        fix: "add partitions, or take consumers out",
        check: kafka::idle_consumers,
    },
];

/// Every finding on a topology, rule by rule.
///
/// ```
/// use topomotion_model::builder::{ProcessConfig, TopologyBuilder};
/// use topomotion_model::lint::lint;
///
/// let mut builder = TopologyBuilder::default();
/// builder.create_process(ProcessConfig::new("shop"));
/// let (topology, _) = builder.build().unwrap();
/// assert_eq!(lint(&topology)[0].message, "`shop` has no connection");
/// ```
pub fn lint(topology: &Topology) -> Vec<Diagnostic> {
    let facts = Facts {
        topology,
        processes: topology
            .processes
            .iter()
            .map(|process| (&process.id, process))
            .collect(),
        roles: topology.roles(),
        clusters: topology.kafka_clusters(),
    };
    let mut all = Vec::new();
    for rule in RULES {
        let mut findings = Findings { rule, found: &mut all };
        (rule.check)(&facts, &mut findings);
    }
    all
}

/// A topology, and what several rules want to know of it.
#[derive(Debug)]
struct Facts<'a> {
    topology: &'a Topology,
    processes: BTreeMap<&'a ProcessId, &'a Process>,
    roles: BTreeMap<&'a ProcessId, ProcessRole>,
    /// The nodes of each Kafka cluster.
    clusters: Vec<BTreeSet<&'a ProcessId>>,
}

impl Facts<'_> {
    fn is(&self, id: &ProcessId, role: ProcessRole) -> bool {
        self.roles.get(id) == Some(&role)
    }
}

/// The findings of one rule.
#[derive(Debug)]
struct Findings<'a> {
    rule: &'a Rule,
    found: &'a mut Vec<Diagnostic>,
}

impl Findings<'_> {
    /// Reports that a rule is broken, with the rule's own reason and fix.
    fn add(&mut self, message: String, span: Option<Span>) -> &mut Diagnostic {
        let Rule { name, severity, reason, fix, .. } = *self.rule;
        let diagnostic = Diagnostic::error(name, message, span).at(reason).help(fix);
        self.found.push(Diagnostic { severity, ..diagnostic });
        let last = self.found.len() - 1;
        &mut self.found[last]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_name_of_its_own_and_says_why_and_what_to_do() {
        for (index, rule) in RULES.iter().enumerate() {
            assert!(!rule.reason.is_empty() && !rule.fix.is_empty(), "{}", rule.name);
            let others = &RULES[..index];
            assert!(others.iter().all(|other| other.name != rule.name), "{}", rule.name);
        }
    }
}
