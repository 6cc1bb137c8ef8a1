//! A scripted flow as a trace, so that it plays on the same stage as an executed run.
//!
//! Steps follow one another. Their times are made for eyes: a hop takes as long as a packet
//! needs to be followed, a message as long as it takes to read. They mean nothing else, which is
//! why a scripted film shows no clock.

use topomotion_model::{Flow, FlowStepKind, Heading, Hop, ProcessState as Model};
use topomotion_trace::{
    Event, Packet, PacketId, ProcessState, StateChange, Time, Tone, Trace, Travel, What,
};

use crate::Pace;
use crate::captions::reading_ms;

/// The flow as a trace, with times at which it can be followed.
///
/// ```
/// use topomotion_animate::{Pace, flow};
/// use topomotion_model::{Flow, FlowStep, FlowStepKind, Origin};
/// let step = |kind| FlowStep { kind, origin: Origin::default() };
/// let steps = vec![step(FlowStepKind::Wait(250)), step(FlowStepKind::Flash("a".into()))];
/// let trace = flow::to_trace(&Flow { steps }, &Pace::default());
/// assert_eq!(trace.to_string(), "0.250000 ! a flashes\n");
/// ```
pub fn to_trace(flow: &Flow, pace: &Pace) -> Trace {
    let mut writer =
        Writer { pace, now_ms: 0, next: 0, cause: None, trace: Trace::default() };
    for step in &flow.steps {
        writer.step(&step.kind);
    }
    writer.trace
}

struct Writer<'a> {
    pace: &'a Pace,
    now_ms: u64,
    next: u32,
    cause: Option<PacketId>,
    trace: Trace,
}

impl Writer<'_> {
    fn push(&mut self, what: What) {
        let at = Time(self.now_ms.saturating_mul(1000));
        self.trace.events.push(Event { at, what });
    }

    fn step(&mut self, step: &FlowStepKind) {
        match step {
            FlowStepKind::Start(_) => {}
            FlowStepKind::Hops(hops) => self.hops(hops),
            FlowStepKind::Message { at, label, text } => {
                self.say(at.as_str(), label.as_deref(), text, Tone::Plain);
            }
            FlowStepKind::Error { at, label, text } => {
                self.say(at.as_str(), label.as_deref(), text, Tone::Error);
            }
            FlowStepKind::Flash(process) => {
                self.push(What::Flash { process: process.0.clone() });
            }
            FlowStepKind::SetState(process, state) => {
                let (process, state) = (process.0.clone(), told(*state));
                self.push(What::State(StateChange::Process { process, state }));
            }
            FlowStepKind::Wait(ms) => self.now_ms += u64::from(*ms),
        }
    }

    fn hops(&mut self, hops: &[Hop]) {
        let mut sent = Vec::new();
        for hop in hops {
            let id = PacketId(self.next);
            self.next += 1;
            sent.push(id);
            let packet = Packet {
                id,
                from: hop.from.0.clone(),
                to: hop.to.0.clone(),
                travel: match hop.heading {
                    Heading::Forward | Heading::Backward => Travel::Scripted,
                },
                api: "".into(),
                detail: String::new(),
                records: 0,
                error: None,
                news: true,
                cause: self.cause,
                bytes: 0,
            };
            self.push(What::Sent(packet));
        }
        self.now_ms += u64::from(self.pace.request_ms);
        for &id in &sent {
            self.push(What::Arrived(id));
        }
        self.cause = sent.last().copied();
    }

    fn say(&mut self, at: &str, label: Option<&str>, text: &str, tone: Tone) {
        let label = label.map(str::to_owned);
        self.push(What::Say {
            process: Some(at.into()),
            label,
            text: text.to_owned(),
            tone,
        });
        self.now_ms += u64::from(reading_ms(text, self.pace));
    }
}

fn told(state: Model) -> ProcessState {
    match state {
        Model::Running => ProcessState::Running,
        Model::Warning => ProcessState::Warning,
        Model::Error => ProcessState::Error,
        Model::Stopped => ProcessState::Stopped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use topomotion_model::{EdgeId, FlowStep, Origin};

    fn flow(steps: Vec<FlowStepKind>) -> Trace {
        let step = |kind| FlowStep { kind, origin: Origin::default() };
        to_trace(&Flow { steps: steps.into_iter().map(step).collect() }, &Pace::default())
    }

    fn hop(from: &str, to: &str) -> Hop {
        Hop {
            from: from.into(),
            to: to.into(),
            edge: EdgeId(0),
            heading: Heading::Forward,
        }
    }

    #[test]
    fn parallel_hops_leave_and_arrive_together() {
        let trace = flow(vec![FlowStepKind::Hops(vec![hop("a", "b"), hop("a", "c")])]);
        let times: Vec<u64> = trace.events.iter().map(|event| event.at.0).collect();
        assert_eq!(times, [0, 0, 900_000, 900_000]);
    }

    #[test]
    fn nothing_moves_while_a_message_is_read() {
        let text = "thirty-nine characters take some seconds";
        let message =
            FlowStepKind::Message { at: "a".into(), label: None, text: text.into() };
        let trace = flow(vec![message, FlowStepKind::Hops(vec![hop("a", "b")])]);
        assert_eq!(
            trace.events[1].at,
            Time(u64::from(reading_ms(text, &Pace::default())) * 1000)
        );
    }

    #[test]
    fn states_are_told_in_the_words_of_the_trace() {
        let trace = flow(vec![FlowStepKind::SetState("a".into(), Model::Stopped)]);
        let state = ProcessState::Stopped;
        let change = StateChange::Process { process: "a".into(), state };
        assert_eq!(trace.events[0].what, What::State(change));
    }
}
