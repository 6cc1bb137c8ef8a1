//! A service that answers calls by calling others: the chain that events replace.
//!
//! A call takes the service's own work and, one after the other, the answers of those that
//! it calls. If one of them fails or takes too long, the call fails: 502 or 504.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use topomotion_wire::{
    ActorDeed, ConnectionId, CorrelationId, Duration, Endpoint, Fact, HttpMethod,
    HttpRequest, HttpResponse, Input, Instant, Machine, Message, Output,
};

use crate::caller::{Caller, Outcome};
use crate::serde::{ByHand, why};
use crate::switchboard::{Slot, addressed};
use crate::{CallFailure, CallId};

/// Another service that is needed for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Downstream {
    /// Where it listens.
    pub to: Endpoint,
    /// What is asked there: `/reserve`.
    pub path: String,
}

/// A service's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceConfig {
    /// Its own work for each call.
    pub work: Duration,
    /// How long it waits for each that it calls.
    pub timeout: Duration,
    /// Whom it calls for each call, one after the other.
    pub calls: Vec<Downstream>,
}

impl Default for ServiceConfig {
    fn default() -> ServiceConfig {
        ServiceConfig {
            work: Duration::from_millis(20),
            timeout: Duration::from_millis(2_000),
            calls: Vec::new(),
        }
    }
}

/// A call that is being answered.
#[derive(Debug, Clone)]
struct Job {
    connection: ConnectionId,
    correlation: CorrelationId,
    path: String,
    step: Step,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// Its own work ends then.
    Working(Instant),
    /// It waits for the one of this number.
    Calling(usize, CallId),
}

/// Answers calls.
#[derive(Debug, Clone)]
pub struct Service {
    config: ServiceConfig,
    caller: Caller,
    by_hand: ByHand,
    connections: BTreeSet<ConnectionId>,
    jobs: BTreeMap<u64, Job>,
    /// Numbers the jobs.
    next: u64,
    outputs: VecDeque<Output>,
}

const CALLER: Slot = Slot(1);

impl Service {
    /// A service that nobody has called yet.
    pub fn new(config: ServiceConfig) -> Service {
        Service {
            caller: Caller::new(config.timeout),
            config,
            by_hand: ByHand::default(),
            connections: BTreeSet::new(),
            jobs: BTreeMap::new(),
            next: 0,
            outputs: VecDeque::new(),
        }
    }

    /// Calls an HTTP server by hand.
    pub fn call(
        &mut self,
        now: Instant,
        to: &Endpoint,
        what: (HttpMethod, String, String),
    ) {
        self.by_hand.call(&mut self.caller, now, to, what);
        self.drive(now);
    }

    /// Calls made by hand that have not ended.
    pub fn open_calls(&self) -> usize {
        self.by_hand.open()
    }

    fn tell(&mut self, deed: ActorDeed) {
        self.outputs.push_back(Output::Fact(Fact::Actor { deed }));
    }

    fn drive(&mut self, now: Instant) {
        while let Some((call, outcome)) = self.caller.take_outcome() {
            if let Some((what, since)) = self.by_hand.take(call) {
                let (what, ms) = (Arc::from(what), (now - since).as_millis());
                self.tell(match outcome {
                    Ok(it) => ActorDeed::Called { what, status: it.status, ms },
                    Err(failure) => {
                        ActorDeed::CallFailed { what, reason: why(failure).into() }
                    }
                });
            } else {
                self.answered(now, call, outcome);
            }
        }
        let done = self.jobs.iter().filter(|(_, job)| match job.step {
            Step::Working(until) => until <= now,
            Step::Calling(..) => false,
        });
        let done: Vec<u64> = done.map(|(number, _)| *number).collect();
        done.into_iter().for_each(|number| self.go_on(now, number, 0));
        CALLER.drain(&mut self.caller, &mut self.outputs);
    }

    /// Calls the next one, or answers.
    fn go_on(&mut self, now: Instant, number: u64, next: usize) {
        let Some(downstream) = self.config.calls.get(next).cloned() else {
            return self.answer(number, 200, "{\"ok\":true}".to_owned());
        };
        let what = (downstream.path, String::new());
        let call = self.caller.call(now, &downstream.to, HttpMethod::Post, what);
        if let Some(job) = self.jobs.get_mut(&number) {
            job.step = Step::Calling(next, call);
        }
    }

    fn answered(&mut self, now: Instant, call: CallId, outcome: Outcome) {
        let job = self.jobs.iter().find_map(|(number, job)| match job.step {
            Step::Calling(place, waits) if waits == call => Some((*number, place)),
            Step::Calling(..) | Step::Working(_) => None,
        });
        let Some((number, place)) = job else { return };
        let host = self.config.calls[place].to.host.clone();
        match outcome {
            Ok(response) if response.is_success() => self.go_on(now, number, place + 1),
            Ok(response) => {
                let words = format!("{host} answers {}", response.status);
                self.fail(number, 502, &words);
            }
            Err(CallFailure::TimedOut) => {
                self.fail(number, 504, &format!("{host} takes too long"));
            }
            Err(CallFailure::Disconnected) => {
                self.fail(number, 502, &format!("{host} is not there"));
            }
        }
    }

    fn fail(&mut self, number: u64, status: u16, words: &str) {
        let body = serde_json::json!({ "error_code": status, "message": words });
        if let Some(job) = self.jobs.get(&number) {
            let (what, reason) = (Arc::from(job.path.as_str()), Arc::from(words));
            self.tell(ActorDeed::CallFailed { what, reason });
        }
        self.answer(number, status, body.to_string());
    }

    fn answer(&mut self, number: u64, status: u16, body: String) {
        let Some(Job { connection, correlation, .. }) = self.jobs.remove(&number) else {
            return;
        };
        if self.connections.contains(&connection) {
            let message = Message::from(HttpResponse { correlation, status, body });
            self.outputs.push_back(Output::Send { connection, message });
        }
    }

    fn served(&mut self, now: Instant, input: Input) {
        match input {
            Input::Accepted { connection } => {
                self.connections.insert(connection);
            }
            Input::Closed { connection } => {
                self.connections.remove(&connection);
            }
            Input::Received { connection, message: Message::HttpRequest(request) } => {
                let HttpRequest { correlation, path, .. } = *request;
                let step = Step::Working(now + self.config.work);
                let job = Job { connection, correlation, path, step };
                self.jobs.insert(self.next, job);
                self.next += 1;
            }
            Input::Received { connection, .. } => {
                self.connections.remove(&connection);
                self.outputs.push_back(Output::Close { connection });
            }
            Input::Opened { .. } | Input::Flushed { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests;

impl Machine for Service {
    fn handle(&mut self, now: Instant, input: Input) {
        match addressed(input) {
            (Some(CALLER), input) => self.caller.handle(now, input),
            (_, input) => self.served(now, input),
        }
        self.drive(now);
    }

    fn tick(&mut self, now: Instant) {
        self.caller.tick(now);
        self.drive(now);
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        let work = self.jobs.values().filter_map(|job| match job.step {
            Step::Working(until) => Some(until),
            Step::Calling(..) => None,
        });
        work.chain(self.caller.deadline()).min()
    }
}
