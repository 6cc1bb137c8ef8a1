//! The scenarios that every fitting cluster can play.
//!
//! They are ordinary runs, built from the binding: nothing in the runner knows them. One
//! file holds one family of stories; each is a function from the [`Cast`] that the plan
//! offers to a [`Script`], or a sentence that says what the topology lacks for it.

mod assignors;
mod cast;
mod clients;
mod commits;
mod connect;
mod consumers;
mod control;
mod coordinators;
mod disk;
mod dlq;
mod failures;
mod groups;
mod idempotence;
mod offsets;
mod operations;
mod poll_loop;
mod reassignment;
mod registry;
mod replication;
mod script;
mod services;
mod sharing;
mod storage;
mod strategies;
mod streams;
mod transactions;
mod zookeeper;

use topomotion_model::{Origin, Play, Run, Scenario, ScenarioId};

use crate::{Binding, Bound, ClusterPlan};
use cast::Cast;
use script::Script;

/// One built-in scenario, made for one cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Builtin {
    /// Its id, such as `leader-election`.
    pub id: ScenarioId,
    /// Its title.
    pub title: &'static str,
    /// Whether it is played where nothing else is asked for.
    pub billing: Billing,
    /// The scenario, or a sentence that says what the topology lacks for it.
    pub fit: Result<Scenario, String>,
}

/// When a built-in scenario is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Billing {
    /// On every fitting picture that has no scenario of its own.
    Always,
    /// When somebody asks for it by its id.
    OnDemand,
}

/// A story as its author writes it down.
struct Entry {
    id: &'static str,
    title: &'static str,
    tell: &'static str,
    billing: Billing,
    script: fn(&Cast<'_>) -> Result<Script, String>,
}

/// All of them, in the order of the semantics reference.
fn entries() -> impl Iterator<Item = &'static Entry> {
    [
        clients::ALL,
        consumers::ALL,
        replication::ALL,
        failures::ALL,
        reassignment::ALL,
        control::ALL,
        storage::ALL,
        disk::ALL,
        registry::ALL,
        dlq::ALL,
        idempotence::ALL,
        transactions::ALL,
        connect::ALL,
        streams::ALL,
        services::ALL,
        operations::ALL,
        groups::ALL,
        coordinators::ALL,
        sharing::ALL,
        offsets::ALL,
        poll_loop::ALL,
        strategies::ALL,
        zookeeper::ALL,
        commits::ALL,
        assignors::ALL,
    ]
    .into_iter()
    .flatten()
}

/// Every built-in scenario, fitting or not.
pub fn builtins(binding: &Binding) -> Vec<Builtin> {
    entries().map(|entry| made(entry, binding)).collect()
}

/// The built-in scenario of this id, fitting or not.
pub fn builtin(binding: &Binding, id: &str) -> Option<Builtin> {
    let entry = entries().find(|entry| entry.id == id);
    entry.map(|entry| made(entry, binding))
}

/// Those built-in scenarios that fit the cluster and are played unasked.
pub fn builtin_scenarios(binding: &Binding) -> Vec<Scenario> {
    let unasked = entries().filter(|entry| entry.billing == Billing::Always);
    unasked.filter_map(|entry| made(entry, binding).fit.ok()).collect()
}

fn made(entry: &Entry, binding: &Binding) -> Builtin {
    let fit = match binding.bound() {
        Bound::Nothing(reason) => Err(format!("It needs a Kafka cluster: {reason}.")),
        Bound::Cluster(plan) => written(entry, plan).map(|run| Scenario {
            id: entry.id.into(),
            title: entry.title.to_owned(),
            description: Some(entry.tell.to_owned()),
            layer: None,
            play: Play::Run(run),
            origin: Origin::default(),
        }),
    };
    let Entry { id, title, billing, .. } = entry;
    Builtin { id: (*id).into(), title, billing: *billing, fit }
}

fn written(entry: &Entry, plan: &ClusterPlan) -> Result<Run, String> {
    (entry.script)(&Cast::find(plan)?)?.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_story_has_a_name_of_its_own() {
        let ids: BTreeSet<&str> = entries().map(|entry| entry.id).collect();
        assert_eq!(ids.len(), entries().count());
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(ids.iter().all(|id| id.chars().all(legal)), "{ids:?}");
    }

    #[test]
    fn what_is_said_of_a_story_is_a_sentence() {
        for entry in entries() {
            assert!(entry.tell.ends_with('.'), "{}", entry.id);
            assert!(!entry.title.ends_with('.'), "{}", entry.id);
        }
    }
}
