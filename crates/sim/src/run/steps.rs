//! Playing the steps of a scenario.

use std::sync::Arc;

use topomotion_client::ProducerRecord;
use topomotion_model::{Acks, Condition, ProcessId};
use topomotion_trace::{Tone, What};
use topomotion_wire::{Bytes, Instant};

use super::body::Body;
use super::cluster::acks;
use super::stage::{Stage, Stop};
use crate::world::HostId;
use crate::{Action, Limits, PlannedStep, Verdict};

/// Plays one step after the other and collects the verdicts.
pub(super) struct Play<'s, 'a> {
    pub stage: &'s mut Stage<'a>,
    pub limits: &'a Limits,
    pub verdicts: Vec<Verdict>,
    /// When the world was last hurt or healed.
    pub last_fault: Option<Instant>,
    /// Numbers the values of records that have none.
    records: u64,
}

impl<'s, 'a> Play<'s, 'a> {
    pub fn new(stage: &'s mut Stage<'a>, limits: &'a Limits) -> Play<'s, 'a> {
        Play { stage, limits, verdicts: Vec::new(), last_fault: None, records: 0 }
    }

    pub fn step(&mut self, index: usize, step: &PlannedStep) -> Result<(), Stop> {
        let text = words(&step.action);
        self.stage.note(What::Step { index, text, caption: step.caption.clone() });
        match &step.action {
            Action::Produce { .. } => self.produce(index, &step.action)?,
            Action::Crash { process } => self.hurt(process, |stage, host| {
                stage.cluster.world.crash(host);
            }),
            Action::Restart { process } => self.restart(process),
            Action::Pause { process } => self.hurt(process, |stage, host| {
                stage.cluster.world.pause(host);
            }),
            Action::Resume { process } => self.hurt(process, |stage, host| {
                stage.cluster.world.resume(host);
            }),
            Action::Partition { left, right } => {
                let (left, right) = (self.hosts(left), self.hosts(right));
                self.last_fault = Some(self.stage.now());
                self.stage.cluster.world.cut(&left, &right);
            }
            Action::Heal => {
                self.last_fault = Some(self.stage.now());
                self.stage.cluster.world.heal();
            }
            Action::Wait { ms } => self.stage.pass(*ms)?,
            Action::WaitUntil { condition, timeout_ms } => {
                self.wait_until(index, condition, *timeout_ms)?;
            }
            Action::Expect { condition } => self.expect(index, condition),
            Action::Say { text } => self.stage.note(What::Say {
                process: None,
                label: None,
                text: text.clone(),
                tone: Tone::Plain,
            }),
        }
        self.stage.show();
        Ok(())
    }

    fn hosts(&self, processes: &[ProcessId]) -> Vec<HostId> {
        processes.iter().filter_map(|process| self.stage.cluster.host(process)).collect()
    }

    fn hurt(&mut self, process: &ProcessId, fault: impl FnOnce(&mut Stage<'a>, HostId)) {
        if let Some(host) = self.stage.cluster.host(process) {
            self.last_fault = Some(self.stage.now());
            fault(self.stage, host);
        }
    }

    /// A process that still runs is killed first.
    fn restart(&mut self, process: &ProcessId) {
        self.hurt(process, |stage, host| {
            stage.cluster.world.crash(host);
            stage.cluster.world.announce_restart(host);
            stage.cluster.start(process);
        });
    }

    fn produce(&mut self, index: usize, action: &Action) -> Result<(), Stop> {
        let Action::Produce {
            producer,
            topic,
            key,
            value,
            partition,
            acks: wanted,
            count,
        } = action
        else {
            return Ok(());
        };
        let Some(host) = self.stage.cluster.host(producer) else { return Ok(()) };
        if self.stage.cluster.world.machine(host).is_none() {
            let failure = format!("{producer} is down");
            self.verdict(index, &words(action), Err(failure));
            return Ok(());
        }
        let first = self.records + 1;
        self.records += u64::from(*count);
        let last = self.records;
        self.stage.cluster.world.command(host, |body, now| {
            let Some(producer) = body.producer() else { return };
            for number in first..=last {
                let value = value.clone().unwrap_or_else(|| format!("record {number}"));
                producer.send(
                    now,
                    ProducerRecord {
                        topic: Arc::from(&**topic),
                        partition: *partition,
                        key: key.clone().map(|key| Bytes::from(key.into_bytes())),
                        value: Some(Bytes::from(value.into_bytes())),
                        acks: wanted.map(acks),
                    },
                );
            }
        });
        let answered = self.stage.run_until(self.limits.produce_ms, |stage| {
            stage.cluster.world.machine(host).is_none_or(|body| Body::pending(body) == 0)
        });
        match answered {
            Err(Stop::Late) => {
                let failure = format!("no answer within {} ms", self.limits.produce_ms);
                self.verdict(index, &words(action), Err(failure));
                Ok(())
            }
            other => other,
        }
    }

    fn wait_until(&mut self, index: usize, text: &str, ms: u64) -> Result<(), Stop> {
        let condition = match Condition::parse(text) {
            Ok(condition) => condition,
            Err(error) => {
                self.verdict(index, text, Err(error.to_string()));
                return Ok(());
            }
        };
        let met = self.stage.run_until(ms, |stage| stage.judge.judge(&condition).is_ok());
        match met {
            Err(Stop::Late) => {
                let now = match self.stage.judge.judge(&condition) {
                    Ok(()) => String::new(),
                    Err(failure) => format!("; {failure}"),
                };
                self.verdict(index, text, Err(format!("not so within {ms} ms{now}")));
                Ok(())
            }
            other => other,
        }
    }

    fn expect(&mut self, index: usize, text: &str) {
        let judged = match Condition::parse(text) {
            Ok(condition) => self.stage.judge.judge(&condition),
            Err(error) => Err(error.to_string()),
        };
        self.verdict(index, text, judged);
    }

    fn verdict(&mut self, step: usize, demand: &str, judged: Result<(), String>) {
        let failure = judged.err();
        let demand = demand.to_owned();
        let what =
            What::Verdict { step, demand: demand.clone(), failure: failure.clone() };
        self.stage.note(what);
        self.verdicts.push(Verdict { step, demand, failure });
    }
}

/// A step in words.
fn words(action: &Action) -> String {
    match action {
        Action::Produce { producer, topic, key, partition, acks, count, .. } => {
            let what = match (key, count) {
                (Some(key), 1) => format!("\"{key}\""),
                (Some(key), count) => format!("{count} × \"{key}\""),
                (None, 1) => "a record".to_owned(),
                (None, count) => format!("{count} records"),
            };
            let place = match partition {
                Some(partition) => format!("{topic}-{partition}"),
                None => topic.clone(),
            };
            let acks = match acks {
                Some(Acks::None) => ", acks=0",
                Some(Acks::Leader) => ", acks=1",
                Some(Acks::All) => ", acks=all",
                None => "",
            };
            format!("{producer} sends {what} to {place}{acks}")
        }
        Action::Crash { process } => format!("{process} crashes"),
        Action::Restart { process } => format!("{process} starts again"),
        Action::Pause { process } => format!("{process} stands still"),
        Action::Resume { process } => format!("{process} goes on"),
        Action::Partition { left, right } => {
            format!("the network is cut: {{{}}} | {{{}}}", names(left), names(right))
        }
        Action::Heal => "the network heals".to_owned(),
        Action::Wait { ms } => format!("{ms} ms pass"),
        Action::WaitUntil { condition, .. } => format!("wait until {condition}"),
        Action::Expect { condition } => format!("expect {condition}"),
        Action::Say { text } => text.clone(),
    }
}

fn names(processes: &[ProcessId]) -> String {
    let names: Vec<&str> = processes.iter().map(ProcessId::as_str).collect();
    names.join(", ")
}
