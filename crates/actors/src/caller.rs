//! The HTTP client: one call at a time on each connection, which stays open for the next.

use std::collections::{BTreeMap, VecDeque};

use topomotion_wire::{
    ConnectionId, CorrelationId, Duration, Endpoint, HttpMethod, HttpRequest,
    HttpResponse, Input, Instant, Machine, Message, Output,
};

/// A call's number at its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId(pub i32);

/// Why a call has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallFailure {
    /// Nobody listens there, or the connection broke; whether the call was heard is unknown
    /// in the second case.
    Disconnected,
    /// The answer took too long; whether the call was heard is unknown.
    TimedOut,
}

/// How a call ended.
pub type Outcome = Result<HttpResponse, CallFailure>;

#[derive(Debug, Clone)]
struct Call {
    to: Endpoint,
    request: HttpRequest,
    due: Instant,
}

#[derive(Debug, Clone)]
enum Line {
    /// Dialled for this call.
    Opening(Call),
    /// The call was sent.
    Busy(Call),
    /// Open, and nobody uses it.
    Idle(Endpoint),
}

/// Calls HTTP servers.
#[derive(Debug, Clone)]
pub struct Caller {
    timeout: Duration,
    lines: BTreeMap<ConnectionId, Line>,
    connections: u64,
    calls: i32,
    outputs: VecDeque<Output>,
    outcomes: VecDeque<(CallId, Outcome)>,
}

impl Caller {
    /// A caller that waits for each answer at most so long, dialling included.
    pub fn new(timeout: Duration) -> Caller {
        Caller {
            timeout,
            lines: BTreeMap::new(),
            connections: 0,
            calls: 0,
            outputs: VecDeque::new(),
            outcomes: VecDeque::new(),
        }
    }

    /// Calls; how it ended is told by [`Caller::take_outcome`].
    pub fn call(
        &mut self,
        now: Instant,
        to: &Endpoint,
        method: HttpMethod,
        (path, body): (String, String),
    ) -> CallId {
        let correlation = CorrelationId(self.calls);
        self.calls = self.calls.wrapping_add(1);
        let request = HttpRequest { correlation, method, path, body };
        let call = Call { to: to.clone(), request, due: now + self.timeout };
        let idle = self.lines.iter().find(|(_, line)| match line {
            Line::Idle(end) => end == to,
            Line::Opening(_) | Line::Busy(_) => false,
        });
        match idle.map(|(&connection, _)| connection) {
            Some(connection) => self.send(connection, call),
            None => {
                let connection = ConnectionId::Dialled(self.connections);
                self.connections += 1;
                self.outputs.push_back(Output::Open { connection, to: to.clone() });
                self.lines.insert(connection, Line::Opening(call));
            }
        }
        CallId(correlation.0)
    }

    /// How the next call ended.
    pub fn take_outcome(&mut self) -> Option<(CallId, Outcome)> {
        self.outcomes.pop_front()
    }

    fn send(&mut self, connection: ConnectionId, call: Call) {
        let message = Message::from(call.request.clone());
        self.outputs.push_back(Output::Send { connection, message });
        self.lines.insert(connection, Line::Busy(call));
    }

    fn failed(&mut self, line: Line, failure: CallFailure) {
        if let Line::Opening(call) | Line::Busy(call) = line {
            let id = CallId(call.request.correlation.0);
            self.outcomes.push_back((id, Err(failure)));
        }
    }

    fn received(&mut self, connection: ConnectionId, response: HttpResponse) {
        let Some(line) = self.lines.remove(&connection) else { return };
        let Line::Busy(call) = line else {
            self.lines.insert(connection, line);
            return;
        };
        if call.request.correlation != response.correlation {
            self.outputs.push_back(Output::Close { connection });
            return self.failed(Line::Busy(call), CallFailure::Disconnected);
        }
        self.lines.insert(connection, Line::Idle(call.to));
        self.outcomes.push_back((CallId(response.correlation.0), Ok(response)));
    }
}

impl Machine for Caller {
    fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Opened { connection } => {
                if let Some(Line::Opening(call)) = self.lines.remove(&connection) {
                    self.send(connection, call);
                }
            }
            Input::Closed { connection } => {
                if let Some(line) = self.lines.remove(&connection) {
                    self.failed(line, CallFailure::Disconnected);
                }
            }
            Input::Received { connection, message: Message::HttpResponse(response) } => {
                self.received(connection, *response);
            }
            Input::Received { .. } | Input::Accepted { .. } | Input::Flushed { .. } => {}
        }
        self.tick(now);
    }

    fn tick(&mut self, now: Instant) {
        let late = self.lines.iter().filter(|(_, line)| match line {
            Line::Opening(call) | Line::Busy(call) => call.due <= now,
            Line::Idle(_) => false,
        });
        let late: Vec<ConnectionId> = late.map(|(&connection, _)| connection).collect();
        for connection in late {
            self.outputs.push_back(Output::Close { connection });
            if let Some(line) = self.lines.remove(&connection) {
                self.failed(line, CallFailure::TimedOut);
            }
        }
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        let due = self.lines.values().filter_map(|line| match line {
            Line::Opening(call) | Line::Busy(call) => Some(call.due),
            Line::Idle(_) => None,
        });
        due.min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there() -> Endpoint {
        Endpoint { host: "registry".into(), port: 8081 }
    }

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    fn get(caller: &mut Caller, now: Instant) -> CallId {
        let what = ("/subjects".to_owned(), String::new());
        caller.call(now, &there(), HttpMethod::Get, what)
    }

    fn answer(call: CallId) -> Message {
        let correlation = CorrelationId(call.0);
        HttpResponse { correlation, status: 200, body: "[]".to_owned() }.into()
    }

    #[test]
    fn the_second_call_uses_the_connection_of_the_first() {
        let mut caller = Caller::new(Duration::from_millis(1_000));
        let first = get(&mut caller, at(0));
        let connection = ConnectionId::Dialled(0);
        assert_eq!(caller.poll(), Some(Output::Open { connection, to: there() }));
        caller.handle(at(1), Input::Opened { connection });
        assert!(matches!(caller.poll(), Some(Output::Send { .. })));
        caller.handle(at(2), Input::Received { connection, message: answer(first) });
        let (id, outcome) = caller.take_outcome().expect("answered");
        assert_eq!((id, outcome.expect("in time").status), (first, 200));
        get(&mut caller, at(3));
        assert!(matches!(caller.poll(), Some(Output::Send { .. })));
    }

    #[test]
    fn an_answer_that_takes_too_long_costs_the_connection() {
        let mut caller = Caller::new(Duration::from_millis(1_000));
        let call = get(&mut caller, at(0));
        let connection = ConnectionId::Dialled(0);
        caller.handle(at(1), Input::Opened { connection });
        assert_eq!(caller.deadline(), Some(at(1_000)));
        caller.tick(at(1_000));
        assert_eq!(caller.take_outcome(), Some((call, Err(CallFailure::TimedOut))));
        let last = std::iter::from_fn(|| caller.poll()).last();
        assert_eq!(last, Some(Output::Close { connection }));
        caller.handle(at(1_001), Input::Received { connection, message: answer(call) });
        assert_eq!(caller.take_outcome(), None, "it is too late now");
    }

    #[test]
    fn a_call_to_nobody_fails_at_once() {
        let mut caller = Caller::new(Duration::from_millis(1_000));
        let call = get(&mut caller, at(0));
        caller.handle(at(1), Input::Closed { connection: ConnectionId::Dialled(0) });
        assert_eq!(caller.take_outcome(), Some((call, Err(CallFailure::Disconnected))));
        assert_eq!(caller.deadline(), None);
    }
}
