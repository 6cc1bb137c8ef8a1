//! Steps that ask somebody to do something: the admin client, a consumer, a node that is to
//! stop.

use super::applications;
use super::body::Body;
use super::deeds;
use super::dump;
use super::requests;
use super::stage::{Stage, Stop};
use super::steps::Play;
use crate::Sight;
use crate::line::admin::{AdminLine, Dump};
use crate::line::client::ClientLine;
use crate::world::HostId;
use topomotion_model::{PartitionName, ProcessId};
use topomotion_trace::{ProcessState, StateChange, Tone, What};

/// How long a controller that has resigned waits for a successor.
const SUCCESSION_MS: u64 = 1_000;

impl Play<'_, '_> {
    /// Asks, and waits for the answer, whatever it is.
    pub(super) fn admin(&mut self, index: usize, what: &str) -> Result<(), Stop> {
        let line = match what.parse::<AdminLine>() {
            Ok(line) => line,
            Err(misread) => {
                self.verdict(index, what, Err(misread.message));
                return Ok(());
            }
        };
        if let AdminLine::DumpLog { dump, partition, on } = &line {
            self.dump_log(*dump, partition, on);
            return Ok(());
        }
        let Some(question) = requests::question(&line, self.stage.cluster.plan) else {
            return Ok(());
        };
        deeds::announce(self.stage, &line);
        self.stage.cluster.start_clerk();
        self.stage.cluster.with_clerk(|admin, now| match question.leader_of {
            None => admin.ask(now, question.body),
            Some(partition) => admin.ask_leader(now, partition, question.body),
        });
        let answered = self.stage.run_until(self.limits.produce_ms, |stage| {
            let mut answer = None;
            stage.cluster.with_clerk(|admin, _| answer = admin.take_answer());
            answer.is_some()
        });
        match answered {
            Err(Stop::Late) => {
                let failure = format!("no answer within {} ms", self.limits.produce_ms);
                self.verdict(index, what, Err(failure));
                Ok(())
            }
            other => other,
        }
    }

    /// Looks at a broker's disk, whether or not the broker runs.
    fn dump_log(&mut self, dump: Dump, partition: &PartitionName, on: &ProcessId) {
        let Some(host) = self.stage.cluster.host(on) else { return };
        let text = dump::text(&self.stage.cluster.world.files(host), partition, dump);
        let label = Some(format!("{partition} {}", dump.name()));
        let process = Some(on.0.clone());
        self.stage.note(What::Say { process, label, text, tone: Tone::Plain });
    }

    pub(super) fn client(&mut self, index: usize, process: &ProcessId, what: &str) {
        let line = match what.parse::<ClientLine>() {
            Ok(line) => line,
            Err(misread) => return self.verdict(index, what, Err(misread.message)),
        };
        let Some(host) = self.stage.cluster.host(process) else { return };
        if self.stage.cluster.world.machine(host).is_none() {
            let failure = format!("{process} is down");
            return self.verdict(index, what, Err(failure));
        }
        self.last = Some(process.clone());
        if let ClientLine::Header { name, value } = line {
            self.headers.entry(process.clone()).or_default().insert(name, value);
            return;
        }
        if let Err(failure) = bid(self.stage, process, &line) {
            self.verdict(index, &format!("{process}: {what}"), Err(failure));
        }
    }

    /// Asks a node to stop, and waits until it has.
    pub(super) fn shut_down(
        &mut self,
        index: usize,
        process: &ProcessId,
    ) -> Result<(), Stop> {
        let Some(host) = self.stage.cluster.host(process) else { return Ok(()) };
        if self.stage.cluster.plan.node(process).is_none() {
            return self.close(index, process, host);
        }
        let Some(node) = self.stage.cluster.world.machine(host).and_then(Body::node)
        else {
            let failure = format!("{process} is down");
            self.verdict(index, &format!("{process} shuts down"), Err(failure));
            return Ok(());
        };
        let was_active = node.is_active_controller();
        self.last_fault = Some(self.stage.now());
        self.last = Some(process.clone());
        self.stage.cluster.world.command(host, |body, now| {
            if let Body::Node(node) = body {
                node.begin_shutdown(now);
            }
        });
        let may_stop = |stage: &mut Stage<'_>| {
            let node = stage.cluster.world.machine(host).and_then(Body::node);
            node.is_none_or(topomotion_broker::Node::may_stop)
        };
        match self.stage.run_until(self.limits.produce_ms, may_stop) {
            Ok(()) => {}
            Err(Stop::Late) => {
                let failure = format!("not within {} ms", self.limits.produce_ms);
                self.verdict(index, &format!("{process} shuts down"), Err(failure));
                return Ok(());
            }
            limit => return limit,
        }
        if was_active {
            let succeeded = self.stage.run_until(SUCCESSION_MS, |stage| {
                let controller = stage.observer.controller();
                controller.is_some_and(|controller| *controller != process.0)
            });
            if let Err(Stop::Limit(limit)) = succeeded {
                return Err(Stop::Limit(limit));
            }
        }
        let (process, state) = (process.0.clone(), ProcessState::Stopped);
        self.stage.note(What::State(StateChange::Process { process, state }));
        self.stage.cluster.world.switch_off(host);
        Ok(())
    }
}

impl Play<'_, '_> {
    /// Has a client close, and waits until it has: a member leaves its group.
    fn close(
        &mut self,
        index: usize,
        process: &ProcessId,
        host: HostId,
    ) -> Result<(), Stop> {
        let words = format!("{process} closes");
        if self.stage.cluster.world.machine(host).is_none() {
            self.verdict(index, &words, Err(format!("{process} is down")));
            return Ok(());
        }
        self.last_fault = Some(self.stage.now());
        self.last = Some(process.clone());
        self.stage.cluster.world.command(host, applications::close);
        let is_closed = |stage: &mut Stage<'_>| {
            let body = stage.cluster.world.machine(host);
            body.is_none_or(applications::is_closed)
        };
        match self.stage.run_until(self.limits.produce_ms, is_closed) {
            Ok(()) => {}
            Err(Stop::Late) => {
                let failure = format!("not within {} ms", self.limits.produce_ms);
                self.verdict(index, &words, Err(failure));
                return Ok(());
            }
            limit => return limit,
        }
        let (process, state) = (process.0.clone(), ProcessState::Stopped);
        self.stage.note(What::State(StateChange::Process { process, state }));
        self.stage.cluster.world.switch_off(host);
        Ok(())
    }
}

/// Has a client do something; one that is down does nothing. The error says why it cannot.
pub(super) fn bid(
    stage: &mut Stage<'_>,
    process: &ProcessId,
    line: &ClientLine,
) -> Result<(), String> {
    let Some(host) = stage.cluster.host(process) else { return Ok(()) };
    if let ClientLine::Seek { partition, .. } = line {
        let partition = partition.to_string().into();
        let process = process.0.clone();
        stage.witness(&Sight::Sought { process, partition });
    }
    if matches!(line, ClientLine::Subscribe(_) | ClientLine::Unsubscribe) {
        stage.witness(&Sight::Subscribed(process.0.clone()));
    }
    let mut done = Ok(());
    stage.cluster.world.command(host, |body, now| {
        done = applications::obey(body, now, line);
    });
    done
}
