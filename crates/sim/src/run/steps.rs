//! Playing the steps of a scenario.

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_client::ProducerRecord;
use topomotion_model::{Awaits, Condition, ProcessId};
use topomotion_trace::{ProcessState, StateChange, Tone, What};
use topomotion_wire::{Bytes, Instant};

use super::body::Body;
use super::cluster::acks;
use super::contest::Contest;
use super::gauges;
use super::stage::{Stage, Stop};
use super::storm::inflict;
use super::who;
use super::words::words;
use crate::line::actor;
use crate::storm::strike::Strike;
use crate::world::HostId;
use crate::{Action, Limits, PlannedStep, Verdict};

/// Plays one step after the other and collects the verdicts.
pub(super) struct Play<'s, 'a> {
    pub stage: &'s mut Stage<'a>,
    pub limits: &'a Limits,
    pub verdicts: Vec<Verdict>,
    /// When the world was last hurt or healed.
    pub last_fault: Option<Instant>,
    /// Whom the latest step hit.
    pub last: Option<ProcessId>,
    /// What goes along with the records of each process.
    pub(super) headers: BTreeMap<ProcessId, BTreeMap<String, String>>,
    /// How long the latest produce step waited for its answer.
    latency_ms: Option<u64>,
    /// Numbers the values of records that have none.
    records: u64,
    /// What captions ask for is counted once.
    contest: Contest,
}

impl<'s, 'a> Play<'s, 'a> {
    pub fn new(stage: &'s mut Stage<'a>, limits: &'a Limits) -> Play<'s, 'a> {
        Play {
            stage,
            limits,
            verdicts: Vec::new(),
            last_fault: None,
            last: None,
            headers: BTreeMap::new(),
            latency_ms: None,
            records: 0,
            contest: Contest::default(),
        }
    }

    pub fn step(&mut self, index: usize, step: &PlannedStep) -> Result<(), Stop> {
        let known = who::known(self.stage, self.last.as_ref(), &step.action);
        let action = known.as_ref().unwrap_or(&step.action);
        let text = match action {
            Action::Say { text } => self.filled(text),
            action => words(action),
        };
        let caption = step.caption.as_deref().map(|caption| self.filled(caption));
        self.stage.note(What::Step { index, text, caption });
        if let Err(failure) = &known {
            self.verdict(index, &words(action), Err(failure.clone()));
            return Ok(());
        }
        match action {
            Action::Produce { .. } => self.produce(index, action)?,
            Action::Fault { what } => self.fault(index, what),
            Action::Shutdown { process } => self.shut_down(index, process)?,
            Action::Admin { what } => self.admin(index, what)?,
            Action::Client { process, what } if actor::is_meant(what) => {
                self.actor(index, process, what)?;
            }
            Action::Client { process, what } => self.client(index, process, what),
            Action::Crash { process } => self.hurt(process, |stage, host| {
                stage.cluster.world.crash(host);
            }),
            Action::Restart { process } => self.restart(process),
            Action::Start { process } => self.start(index, process),
            Action::Pause { process } => self.hurt(process, |stage, host| {
                stage.cluster.world.pause(host);
            }),
            Action::Resume { process } => self.hurt(process, |stage, host| {
                stage.cluster.world.resume(host);
            }),
            Action::Partition { left, right } => {
                self.last = left.last().cloned();
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
            Action::Say { text } => {
                let (text, tone) = (self.filled(text), Tone::Plain);
                let what = What::Say { process: None, label: None, text, tone };
                self.stage.note(what);
            }
        }
        self.stage.show();
        Ok(())
    }

    fn filled(&mut self, text: &str) -> String {
        let cluster = &self.stage.cluster;
        let text = self.contest.fill(cluster.plan, self.limits, cluster.seed(), text);
        gauges::fill(self.stage, self.last.as_ref(), self.latency_ms, &text)
    }

    fn hosts(&self, processes: &[ProcessId]) -> Vec<HostId> {
        processes.iter().filter_map(|process| self.stage.cluster.host(process)).collect()
    }

    fn hurt(&mut self, process: &ProcessId, fault: impl FnOnce(&mut Stage<'a>, HostId)) {
        if let Some(host) = self.stage.cluster.host(process) {
            self.last_fault = Some(self.stage.now());
            self.last = Some(process.clone());
            fault(self.stage, host);
        }
    }

    fn fault(&mut self, index: usize, what: &str) {
        match Strike::read_untimed(what) {
            Ok(strike) => {
                self.last_fault = Some(self.stage.now());
                self.last = strike.on.last().cloned().or_else(|| self.last.take());
                inflict(self.stage, &strike);
            }
            // Only a run file written by hand can say what is no fault.
            Err(misread) => self.verdict(index, what, Err(misread.message)),
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

    /// A process that is down starts, for the first time or again.
    fn start(&mut self, index: usize, process: &ProcessId) {
        if self.stage.cluster.lives(process) {
            let failure = Err(format!("{process} runs already"));
            return self.verdict(index, &format!("{process} starts"), failure);
        }
        let host = self.stage.cluster.host(process);
        let is_new = host.is_some_and(|it| self.stage.cluster.world.starts(it) == 0);
        self.last = Some(process.clone());
        if !is_new {
            self.last_fault = Some(self.stage.now());
            return super::storm::raise(self.stage, process);
        }
        let (name, state) = (process.0.clone(), ProcessState::Running);
        self.stage.note(What::State(StateChange::Process { process: name, state }));
        self.stage.cluster.start(process);
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
            awaits,
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
        let headers = self.headers.get(producer).into_iter().flatten();
        let headers: Vec<(Arc<str>, Bytes)> = headers
            .map(|(name, value)| (name.as_str().into(), value.clone().into()))
            .collect();
        self.stage.cluster.world.command(host, |body, now| {
            for number in first..=last {
                let value = value.clone().unwrap_or_else(|| format!("record {number}"));
                body.send(
                    now,
                    ProducerRecord {
                        topic: Arc::from(&**topic),
                        partition: *partition,
                        key: key.clone().map(|key| Bytes::from(key.into_bytes())),
                        value: Some(Bytes::from(value.into_bytes())),
                        headers: headers.clone(),
                        acks: wanted.map(acks),
                    },
                );
            }
        });
        if *awaits == Awaits::Nothing {
            return Ok(());
        }
        let asked = self.stage.now();
        let answered = self.stage.run_until(self.limits.produce_ms, |stage| {
            stage.cluster.world.machine(host).is_none_or(|body| Body::pending(body) == 0)
        });
        self.latency_ms = Some((self.stage.now() - asked).as_millis());
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
        let last = self.last.clone();
        let met = self
            .stage
            .run_until(ms, |stage| who::judge(stage, last.as_ref(), &condition).is_ok());
        match met {
            Err(Stop::Late) => {
                let now = match who::judge(self.stage, last.as_ref(), &condition) {
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
            Ok(condition) => who::judge(self.stage, self.last.as_ref(), &condition),
            Err(error) => Err(error.to_string()),
        };
        self.verdict(index, text, judged);
    }

    pub(super) fn verdict(
        &mut self,
        step: usize,
        demand: &str,
        judged: Result<(), String>,
    ) {
        let failure = judged.err();
        let demand = demand.to_owned();
        let what =
            What::Verdict { step, demand: demand.clone(), failure: failure.clone() };
        self.stage.note(what);
        self.verdicts.push(Verdict { step, demand, failure });
    }
}
