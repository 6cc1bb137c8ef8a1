//! The same crash in ZooKeeper's days and in KRaft, counted: a caption that asks for it is
//! filled in by runs of its own.
//!
//! `{zookeeper 30 messages}` and `{kraft 30 seconds}` stand for what a run with one topic of
//! 30 partitions takes from the crash of the controller until every broker's first partition
//! has taken a record with acks=1. Counted are the messages among servers that are more than
//! routine: no heartbeats, no fetches without news, nothing of the producer's.

use std::collections::BTreeMap;

use topomotion_model::{Acks, Awaits, ProcessId};
use topomotion_trace::{Event, StateChange, Trace, What};

use crate::plan::ZOOKEEPER_CONNECT;
use crate::{Action, ClusterPlan, Limits, PlannedStep, RunFile, TopicPlan};

/// What the servers of an ensemble say about each change; no news, but no routine either.
const AGREEMENT: [&str; 2] = ["ack", "commit"];

/// Who keeps the metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Days {
    ZooKeeper,
    Kraft,
}

/// What a run took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Taken {
    messages: usize,
    micros: u64,
}

/// What is known so far, by whom and with how many partitions.
#[derive(Debug, Default)]
pub(super) struct Contest {
    taken: BTreeMap<(Days, u32), Option<Taken>>,
}

impl Contest {
    /// The text with every question in it answered.
    pub fn fill(
        &mut self,
        plan: &ClusterPlan,
        limits: &Limits,
        seed: u64,
        text: &str,
    ) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let answer = after.split_once('}').and_then(|(question, after)| {
                Some((self.answer(plan, limits, seed, question)?, after))
            });
            match answer {
                Some((answer, after)) => {
                    filled.push_str(&answer);
                    rest = after;
                }
                None => {
                    filled.push('{');
                    rest = after;
                }
            }
        }
        filled + rest
    }

    fn answer(
        &mut self,
        plan: &ClusterPlan,
        limits: &Limits,
        seed: u64,
        question: &str,
    ) -> Option<String> {
        let mut words = question.split(' ');
        let days = match words.next()? {
            "zookeeper" => Days::ZooKeeper,
            "kraft" => Days::Kraft,
            _ => return None,
        };
        let partitions: u32 = words.next()?.parse().ok()?;
        let unit = words.next()?;
        let taken = *self
            .taken
            .entry((days, partitions))
            .or_insert_with(|| measure(plan, limits, seed, days, partitions));
        Some(match (unit, taken) {
            ("messages", Some(taken)) => taken.messages.to_string(),
            ("seconds", Some(taken)) => {
                let tenths = (taken.micros + 50_000) / 100_000;
                format!("{}.{}", tenths / 10, tenths % 10)
            }
            ("messages" | "seconds", None) => "?".to_owned(),
            _ => return None,
        })
    }
}

fn measure(
    plan: &ClusterPlan,
    limits: &Limits,
    seed: u64,
    days: Days,
    partitions: u32,
) -> Option<Taken> {
    let file = contender(plan, limits, seed, days, partitions)?;
    let outcome = super::play(&file, &mut crate::Observer::new());
    let producer = file.cluster.producers.first()?.process.clone();
    count(&outcome.trace, &producer)
}

/// The run of one side.
fn contender(
    plan: &ClusterPlan,
    limits: &Limits,
    seed: u64,
    days: Days,
    partitions: u32,
) -> Option<RunFile> {
    let mut cluster = plan.clone();
    match days {
        Days::ZooKeeper => {}
        Days::Kraft => {
            cluster.zookeeper.clear();
            cluster.settings.remove(ZOOKEEPER_CONNECT);
        }
    }
    let ids: Vec<i32> = cluster.brokers().map(|node| node.id).collect();
    let copies = ids.len().min(3);
    let replicas = |first: usize| -> Vec<i32> {
        (0..copies).map(|next| ids[(first + next) % ids.len()]).collect()
    };
    let producer = cluster.producers.first()?.clone();
    let places = 0..usize::try_from(partitions).ok()?;
    let settings = cluster.topic(&producer.topic)?.settings.clone();
    let assignment = places.map(replicas).collect();
    cluster.topics =
        vec![TopicPlan { name: producer.topic.clone(), assignment, settings }];
    let mut actions = vec![Action::Crash { process: "@controller".into() }];
    let records = i32::try_from(ids.len().min(usize::try_from(partitions).ok()?)).ok()?;
    for partition in 0..records {
        let is_last = partition + 1 == records;
        actions.push(Action::Produce {
            producer: producer.process.clone(),
            topic: producer.topic.clone(),
            key: None,
            value: None,
            partition: Some(partition),
            acks: Some(Acks::Leader),
            count: 1,
            awaits: if is_last { Awaits::Answers } else { Awaits::Nothing },
        });
    }
    let step = |action| PlannedStep { action, caption: None };
    Some(RunFile {
        scenario: "contest".to_owned(),
        cluster,
        steps: actions.into_iter().map(step).collect(),
        seed,
        limits: limits.clone(),
        storm: None,
    })
}

/// From the crash to the last acknowledgement.
fn count(trace: &Trace, producer: &ProcessId) -> Option<Taken> {
    let is_crash = |event: &Event| matches!(event.what, What::Fault(_));
    let is_ack = |event: &Event| {
        matches!(&event.what, What::State(StateChange::BatchAcked { .. }))
    };
    let begin = trace.events.iter().position(is_crash)?;
    let end = trace.events.iter().rposition(is_ack)?;
    let between = trace.events.get(begin..=end)?;
    let messages = between.iter().filter(|event| match &event.what {
        What::Sent(packet) => {
            let ends = [&packet.from, &packet.to];
            let counts = packet.news || AGREEMENT.contains(&&*packet.api);
            counts && !ends.contains(&&producer.0)
        }
        _ => false,
    });
    let (begin, end) = (trace.events[begin].at.0, trace.events[end].at.0);
    Some(Taken { messages: messages.count(), micros: end - begin })
}
