//! Settings of one run, laid over those of the cluster.

use topomotion_model::{Diagnostic, Origin, Run};

use super::judge_setting;
use super::nodes::wrong_voters;
use crate::ClusterPlan;
use crate::plan::FIRST_VOTERS;
use crate::settings::{self, Owner};

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
    if run.settings.contains_key(FIRST_VOTERS) {
        let span = origin.part(&format!("settings.{FIRST_VOTERS}"));
        errors.extend(wrong_voters(&plan, span));
    }
    plan
}
