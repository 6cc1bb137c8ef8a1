//! What people do in a storm: nobody waits for it to be done.

use std::sync::Arc;

use topomotion_client::ProducerRecord;
use topomotion_model::{Acks, PartitionName, ProcessId};
use topomotion_trace::{ProcessState, StateChange, What};
use topomotion_wire::{Bytes, Instant};

use super::body::Body;
use super::cluster::acks;
use super::stage::{Stage, Stop, after};
use super::{applications, errands, requests};
use crate::line::admin::{AdminLine, Election};
use crate::record::Asked;
use crate::storm::operation::{Deed, Operation};
use crate::world::HostId;
use crate::{ClusterPlan, Sight};

/// Everybody who does something.
#[derive(Debug, Default)]
pub(super) struct People {
    /// Records sent until now.
    records: u64,
    /// Processes that were asked to stop, each with the number of its start.
    leaving: Vec<(ProcessId, HostId, u32)>,
}

/// How many keys there are in topics that are compacted, and how many of so many records there
/// delete theirs.
const KEYS: u64 = 6;
const TOMBSTONES: u64 = 5;

/// How often those who were asked to stop are looked at.
const LOOK_MS: u64 = 20;

impl People {
    /// Lets the world run until this moment; whoever may stop stops meanwhile.
    pub fn pass_until(
        &mut self,
        stage: &mut Stage<'_>,
        end: Instant,
    ) -> Result<(), Stop> {
        while !self.leaving.is_empty() && stage.now() < end {
            stage.pass_until(after(stage.now(), LOOK_MS).min(end))?;
            self.see_off(stage, may_stop);
        }
        stage.pass_until(end)
    }

    /// Those who have not stopped yet are killed.
    pub fn kill_leaving(&mut self, stage: &mut Stage<'_>) {
        self.see_off(stage, |_| true);
    }

    fn see_off(&mut self, stage: &mut Stage<'_>, may_stop: impl Fn(&Body) -> bool) {
        let world = &stage.cluster.world;
        // Whoever was killed and started again meanwhile knows of nothing.
        self.leaving.retain(|(_, host, start)| {
            world.machine(*host).is_some() && world.starts(*host) == *start
        });
        let stops = |host: HostId| world.machine(host).is_none_or(&may_stop);
        let (gone, staying) =
            std::mem::take(&mut self.leaving).into_iter().partition(|it| stops(it.1));
        self.leaving = staying;
        let gone: Vec<(ProcessId, HostId, u32)> = gone;
        for (process, host, _) in gone {
            let (process, state) = (process.0, ProcessState::Stopped);
            stage.note(What::State(StateChange::Process { process, state }));
            stage.cluster.world.switch_off(host);
        }
    }

    pub fn act(&mut self, stage: &mut Stage<'_>, operation: &Operation) {
        match &operation.deed {
            Deed::Send { producer, count, partition, acks } => {
                self.send(stage, (producer, *count), partition, *acks);
            }
            Deed::Admin { what } => {
                if let Ok(line) = what.parse() {
                    ask(stage, &line);
                }
            }
            Deed::Client { process, what } => {
                if let Ok(line) = what.parse() {
                    // Whoever cannot do it now does not; a storm waits for nobody.
                    let _ = errands::bid(stage, process, &line);
                }
            }
            Deed::Shutdown(node) => self.shut_down(stage, node),
            Deed::Start(process) => super::storm::raise(stage, process),
        }
    }

    fn send(
        &mut self,
        stage: &mut Stage<'_>,
        (producer, count): (&ProcessId, u32),
        partition: &PartitionName,
        wanted: Acks,
    ) {
        let Some(host) = stage.cluster.host(producer) else { return };
        let records = &mut self.records;
        let plan = stage.cluster.plan.topic(&partition.topic);
        let policy = plan.and_then(|plan| plan.settings.get("cleanup.policy"));
        let is_keyed = policy.is_some_and(|policy| policy.contains("compact"));
        stage.cluster.world.command(host, |body, now| {
            let Some(producer) = body.producer_mut() else { return };
            let topic: Arc<str> = Arc::from(&*partition.topic);
            for _ in 0..count {
                *records += 1;
                let text = |text: String| Bytes::from(text.into_bytes());
                let value = text(format!("record {records}"));
                let record = ProducerRecord {
                    topic: topic.clone(),
                    partition: i32::try_from(partition.partition).ok(),
                    key: None,
                    value: Some(value.clone()),
                    headers: Vec::new(),
                    acks: Some(acks(wanted)),
                };
                let is_tombstone = records.is_multiple_of(TOMBSTONES);
                let record = match is_keyed {
                    false => record,
                    true => ProducerRecord {
                        key: Some(text(format!("key {}", *records % KEYS))),
                        value: (!is_tombstone).then(|| value.clone()),
                        // No two records are the same.
                        headers: vec![("record".into(), value)],
                        ..record
                    },
                };
                producer.send(now, record);
            }
        });
    }

    fn shut_down(&mut self, stage: &mut Stage<'_>, process: &ProcessId) {
        let Some(host) = stage.cluster.host(process) else { return };
        let world = &mut stage.cluster.world;
        if world.machine(host).is_none() {
            return;
        }
        let place = (process.clone(), host, world.starts(host));
        if !self.leaving.contains(&place) {
            self.leaving.push(place);
        }
        world.command(host, |body, now| match body {
            Body::Node(node) => node.begin_shutdown(now),
            body => applications::close(body, now),
        });
    }
}

/// Whether whoever was asked to stop has nothing left to do.
fn may_stop(body: &Body) -> bool {
    match body {
        Body::Node(node) => node.may_stop(),
        body => applications::is_closed(body),
    }
}

/// The admin client asks; whatever comes back is for the trace to tell.
fn ask(stage: &mut Stage<'_>, line: &AdminLine) {
    announce(stage, line);
    let plan: &ClusterPlan = stage.cluster.plan;
    let Some(question) = requests::question(line, plan) else { return };
    stage.cluster.start_clerk();
    stage.cluster.with_clerk(|admin, now| {
        while admin.take_answer().is_some() || admin.take_failure().is_some() {}
        match question.leader_of {
            None => admin.ask(now, question.body),
            Some(partition) => admin.ask_leader(now, partition, question.body),
        }
    });
}

/// The judge is told of what changes the rules.
pub(super) fn announce(stage: &mut Stage<'_>, line: &AdminLine) {
    let name = |partition: &PartitionName| Arc::from(partition.to_string());
    let asked = match line {
        AdminLine::DeleteTopic(topic) => Asked::TopicDeleted(Arc::from(&**topic)),
        AdminLine::Set { topic, settings } => {
            let (topic, settings) = (Arc::from(&**topic), settings.clone());
            Asked::TopicSet { topic, settings }
        }
        AdminLine::DeleteRecords { partition, before } => {
            // -1 stands for everything that is committed.
            let before = if *before < 0 { i64::MAX } else { *before };
            Asked::RecordsDeleted { partition: name(partition), before }
        }
        AdminLine::DeleteOffsets { group, partition } => Asked::OffsetDeleted {
            group: Arc::from(&**group),
            partition: name(partition),
        },
        AdminLine::DeleteGroup(group) => Asked::GroupDeleted(Arc::from(&**group)),
        AdminLine::Elect { election: Election::Unclean, partition } => {
            Asked::UncleanElection(name(partition))
        }
        _ => return,
    };
    stage.witness(&Sight::Asked(asked));
}
