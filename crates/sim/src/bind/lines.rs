//! Faults, admin's requests and clients' deeds: lines of text, checked against the cluster.

use topomotion_model::{Alias, Diagnostic, PartitionName, ProcessId, Span};

use super::steps::Planner;
use crate::line::actor::{self, ActorLine};
use crate::line::admin::AdminLine;
use crate::line::client::{ClientLine, Doer};
use crate::plan::{ActorKind, ActorPlan};
use crate::storm::Misread;
use crate::storm::strike::Strike;
use crate::{apps, serdes};

impl Planner<'_> {
    /// A fault as it stands in the run file.
    pub(super) fn fault(&mut self, line: &str, span: Option<Span>) -> Option<String> {
        let strike = Strike::read_untimed(line).and_then(|strike| {
            let stands_in = |id: &ProcessId| match Alias::of(id) {
                Some(Ok(_)) => Ok(true),
                Some(Err(help)) => Err(help),
                None => Ok(false),
            };
            strike.check_names(line, self.plan, stands_in).map(|()| strike)
        });
        let strike = self.read(strike, "fault", line, span)?;
        for id in strike.on.iter().chain(&strike.towards) {
            if Alias::of(id).is_some() {
                self.alias(id, span)?;
            }
        }
        Some(strike.untimed())
    }

    pub(super) fn admin(&mut self, line: &str, span: Option<Span>) -> Option<String> {
        let read = self.read(line.parse::<AdminLine>(), "admin", line, span)?;
        match &read {
            AdminLine::CreateTopic { .. }
            | AdminLine::DescribeQuorum
            | AdminLine::ListGroups => {}
            AdminLine::DescribeGroup(group) | AdminLine::DeleteGroup(group) => {
                self.group(group, span)?;
            }
            AdminLine::DeleteOffsets { group, partition } => {
                self.group(group, span)?;
                self.partition(partition, span)?;
            }
            AdminLine::DeleteTopic(topic)
            | AdminLine::Grow { topic, .. }
            | AdminLine::Set { topic, .. } => self.topic(topic, span)?,
            AdminLine::Reassign { partition, to } => {
                self.partition(partition, span)?;
                to.iter().try_for_each(|broker| self.broker(broker, span))?;
            }
            AdminLine::Elect { partition, .. }
            | AdminLine::DeleteRecords { partition, .. } => {
                self.partition(partition, span)?;
            }
            AdminLine::DumpLog { partition, on, .. } => {
                self.partition(partition, span)?;
                self.broker(on, span)?;
            }
            AdminLine::AddVoter(node) | AdminLine::RemoveVoter(node) => {
                self.voter(node, span)?;
            }
        }
        if let Some(topic) = read.grows() {
            self.grown.insert(topic.to_owned());
        }
        Some(line.trim().to_owned())
    }

    pub(super) fn client(
        &mut self,
        process: &ProcessId,
        line: &str,
        (who, what): (Option<Span>, Option<Span>),
    ) -> Option<String> {
        if actor::is_meant(line) {
            return self.actor(process, line, (who, what));
        }
        let read = self.read(line.parse::<ClientLine>(), "client", line, what)?;
        match read.doer() {
            Doer::Consumer => self.consumer(process, who)?,
            Doer::Producer => self.producer(process, who)?,
            Doer::Both => {
                self.consumer(process, who)?;
                self.producer(process, who)?;
            }
            Doer::Any => self.client_process(process, who)?,
        }
        read.topics().iter().try_for_each(|topic| self.topic(topic, what))?;
        let mut partitions = read.partitions().iter();
        partitions
            .try_for_each(|partition: &PartitionName| self.partition(partition, what))?;
        Some(line.trim().to_owned())
    }

    /// What a client or a service is to do with the processes around Kafka.
    fn actor(
        &mut self,
        process: &ProcessId,
        line: &str,
        (who, what): (Option<Span>, Option<Span>),
    ) -> Option<String> {
        let read = self.read(line.parse::<ActorLine>(), "client", line, what)?;
        let called = match &read {
            ActorLine::Call { to, .. } => to.as_ref(),
            ActorLine::Write { topic, .. } => {
                self.topic(topic, what)?;
                self.producer(process, who)?;
                return Some(line.trim().to_owned());
            }
            ActorLine::Change(_) => {
                let own = self.plan.actors.iter().find(|one| one.process == *process);
                if !own.is_some_and(|own| own.kind == ActorKind::Database) {
                    let message = format!("`{process}` is no database");
                    let error = Diagnostic::error("no-database", message, who);
                    self.errors.push(error.help(
                        "a database has an edge with `protocol: 'postgresql'` to a process \
                         with `role: 'connect'`",
                    ));
                    return None;
                }
                return Some(line.trim().to_owned());
            }
            ActorLine::FailOn(_) => {
                self.application(process, who)?;
                return Some(line.trim().to_owned());
            }
            ActorLine::Replay(topic) => {
                self.application(process, who)?;
                self.topic(topic, what)?;
                return Some(line.trim().to_owned());
            }
            ActorLine::Register { .. }
            | ActorLine::Check { .. }
            | ActorLine::Level { .. } => None,
        };
        let is_meant = |one: &&ActorPlan| match called {
            Some(called) => one.process == *called,
            None => matches!(one.kind, ActorKind::SchemaRegistry { .. }),
        };
        let mut readers = self.plan.consumers.iter();
        let is_asked = readers
            .any(|one| Some(&one.process) == called && serdes::has_health(&one.settings));
        if !is_asked && !self.plan.actors.iter().any(|one| is_meant(&one)) {
            let message = match called {
                Some(called) => format!("`{called}` answers no calls"),
                None => "there is no schema registry to ask".to_owned(),
            };
            let error = Diagnostic::error("no-server", message, what);
            self.errors.push(error.help(
                "a process with `role: 'schema-registry'` keeps schemas; one with \
                 `role: 'service'` that HTTP edges lead to answers calls, and so does a \
                 consumer with `health.endpoints`",
            ));
            return None;
        }
        self.process(process, who)?;
        Some(line.trim().to_owned())
    }

    /// A consumer whose work may fail.
    fn application(&mut self, process: &ProcessId, span: Option<Span>) -> Option<()> {
        self.consumer(process, span)?;
        let own = self.plan.consumers.iter().find(|one| one.process == *process);
        if own.is_some_and(|own| apps::handler(&own.settings).is_some()) {
            return Some(());
        }
        let message = format!("nothing says what `{process}` does with what it reads");
        let error = Diagnostic::error("no-application", message, span);
        self.errors
            .push(error.help("set `processing.retries` or another of `processing.…`"));
        None
    }

    fn read<T>(
        &mut self,
        read: Result<T, Misread>,
        code: &'static str,
        line: &str,
        span: Option<Span>,
    ) -> Option<T> {
        match read {
            Ok(read) => Some(read),
            Err(Misread { column, message }) => {
                let place = format!("at character {} of `{line}`", column + 1);
                self.errors.push(Diagnostic::error(code, message, span).at(place));
                None
            }
        }
    }
}
