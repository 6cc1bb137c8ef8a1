//! Settings of one run, laid over those of the cluster.

use topomotion_model::{Diagnostic, Origin, ProcessId, Run, Span};

use super::nodes::wrong_voters;
use super::{CONFLICTING, judge_conflict, judge_setting};
use crate::plan::{ActorKind, FIRST_VOTERS, ZOOKEEPER_CONNECT, ZOOKEEPER_SESSION};
use crate::serdes;
use crate::settings::{self, Owner};
use crate::{ClusterPlan, ProducerPlan};

/// The process that a setting's name begins with, and what is left of the name:
/// `flink-1.group.instance.id`.
fn of_process<'n>(plan: &ClusterPlan, name: &'n str) -> Option<(ProcessId, &'n str)> {
    let nodes = plan.nodes.iter().map(|one| &one.process);
    let producers = plan.producers.iter().map(|one| &one.process);
    let consumers = plan.consumers.iter().map(|one| &one.process);
    let all = nodes.chain(producers).chain(consumers);
    let mut named = all.filter_map(|process| {
        let rest = name.strip_prefix(process.as_str())?.strip_prefix('.')?;
        Some((process.clone(), rest))
    });
    named.next()
}

/// Sets what one process alone is to have; a process that reads and writes takes it as
/// either.
fn set_one(
    plan: &mut ClusterPlan,
    process: &ProcessId,
    (name, value): (&str, &str),
    span: Option<Span>,
) -> Result<Option<Diagnostic>, Box<Diagnostic>> {
    let mut doubts = Vec::new();
    let mut taken = false;
    let node = plan.nodes.iter_mut().find(|one| one.process == *process);
    let producer = plan.producers.iter_mut().find(|one| one.process == *process);
    let consumer = plan.consumers.iter_mut().find(|one| one.process == *process);
    for (owner, settings) in [
        (Owner::Node, node.map(|one| &mut one.settings)),
        (Owner::Producer, producer.map(|one| &mut one.settings)),
        (Owner::Consumer, consumer.map(|one| &mut one.settings)),
    ] {
        let Some(settings) = settings else { continue };
        match judge_setting(owner, name, value, span)? {
            Some(doubt) => doubts.push(doubt),
            None => {
                taken = true;
                settings.insert(name.to_owned(), value.to_owned());
            }
        }
    }
    Ok(doubts.pop().filter(|_| !taken))
}

/// Sets what every worker of Connect is to have.
fn set_workers(
    plan: &mut ClusterPlan,
    (name, value): (&str, &str),
    span: Option<Span>,
    errors: &mut Vec<Diagnostic>,
) {
    for one in &mut plan.actors {
        let ActorKind::Connect { .. } = one.kind else { continue };
        if let Err(help) = serdes::check_actor(&one.kind, name, value) {
            let message = format!("`{name}={value}` means nothing to `{}`", one.process);
            errors.push(Diagnostic::error("unknown-setting", message, span).help(help));
            return;
        }
        one.settings.insert(name.to_owned(), value.to_owned());
    }
}

/// The cluster as this run wants it. What is wrong goes to `errors`, doubts to `warnings`.
pub(super) fn lay_over(
    plan: &ClusterPlan,
    run: &Run,
    origin: &Origin,
    errors: &mut Vec<Diagnostic>,
    warnings: &mut Vec<Diagnostic>,
) -> ClusterPlan {
    let mut plan = plan.clone();
    for (name, value) in &run.settings {
        if [ZOOKEEPER_CONNECT, ZOOKEEPER_SESSION].contains(&name.as_str()) {
            plan.settings.insert(name.clone(), value.clone());
            continue;
        }
        if let Some((process, own)) = of_process(&plan, name) {
            let span = origin.part(&format!("settings.{name}"));
            match set_one(&mut plan, &process, (own, value), span) {
                Ok(doubt) => warnings.extend(doubt),
                Err(error) => errors.push(*error),
            }
            continue;
        }
        if let Some(own) = name.strip_prefix(serdes::CONNECT) {
            let span = origin.part(&format!("settings.{name}"));
            set_workers(&mut plan, (own, value), span, errors);
            continue;
        }
        let (owner, own) = match name.split_once('.') {
            Some(("producer", rest)) => (Owner::Producer, rest),
            Some(("consumer", rest)) => (Owner::Consumer, rest),
            _ => (Owner::Node, name.as_str()),
        };
        let is_of_topic = owner == Owner::Node && settings::is_of_topic(own);
        if is_of_topic {
            for topic in &mut plan.topics {
                topic.settings.insert(own.to_owned(), value.clone());
            }
        }
        match judge_setting(owner, own, value, origin.part(&format!("settings.{name}"))) {
            Err(error) => {
                errors.push(*error);
                continue;
            }
            Ok(Some(_)) if is_of_topic => continue,
            Ok(doubt) => warnings.extend(doubt),
        }
        let value = || value.clone();
        match owner {
            Owner::Node => {
                plan.settings.insert(own.to_owned(), value());
                let mut nodes = plan.nodes.iter_mut();
                nodes.by_ref().filter(|node| node.settings.contains_key(own)).for_each(
                    |node| {
                        node.settings.insert(own.to_owned(), value());
                    },
                );
            }
            Owner::Producer => plan.producers.iter_mut().for_each(|producer| {
                producer.settings.insert(own.to_owned(), value());
            }),
            Owner::Consumer => plan.consumers.iter_mut().for_each(|consumer| {
                consumer.settings.insert(own.to_owned(), value());
            }),
        }
    }
    for producer in &plan.producers {
        let ProducerPlan { process, acks, settings, .. } = producer;
        // Where the name of the setting stands, with or without its owner's.
        let span = run.settings.keys().find_map(|name| {
            let is_it = CONFLICTING.iter().any(|end| name.ends_with(end));
            is_it.then(|| origin.part(&format!("settings.{name}"))).flatten()
        });
        errors.extend(judge_conflict(process, *acks, settings, span));
    }
    if run.settings.contains_key(FIRST_VOTERS) {
        let span = origin.part(&format!("settings.{FIRST_VOTERS}"));
        errors.extend(wrong_voters(&plan, span));
    }
    plan
}
