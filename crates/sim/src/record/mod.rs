//! The recorder: writes the trace while the world runs.

mod facts;

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_trace::{Event, Packet, PacketId, Time, Trace, Travel, What};
use topomotion_wire::{CorrelationId, Fact, Instant, Message, Rule, TopicPartition};

use crate::packet::{Dictionary, Errand, Errands, Scales, Way, describe};
use crate::world::LinkId;

/// Writes down what happens, in the words of the topology.
#[derive(Debug)]
pub struct Recorder {
    trace: Trace,
    /// What counts as time 0.
    origin: Instant,
    names: Dictionary,
    errands: Errands,
    scales: Scales,
    /// Requests that were sent and not yet answered.
    open: BTreeMap<(LinkId, CorrelationId), PacketId>,
    packets: u32,
}

impl Recorder {
    /// Nothing has happened yet. `nodes` gives the process of each node id.
    pub fn new(nodes: BTreeMap<i32, Arc<str>>) -> Recorder {
        Recorder {
            trace: Trace::default(),
            origin: Instant::ZERO,
            names: Dictionary::new(nodes),
            errands: Errands::default(),
            scales: Scales::default(),
            open: BTreeMap::new(),
            packets: 0,
        }
    }

    /// Everything written so far.
    pub fn events(&self) -> &[Event] {
        &self.trace.events
    }

    /// Takes everything written so far.
    pub fn take(&mut self) -> Trace {
        std::mem::take(&mut self.trace)
    }

    /// Takes everything written so far; the trace begins anew, at time 0.
    pub fn begin_anew(&mut self, now: Instant) -> Trace {
        self.origin = now;
        self.take()
    }

    /// Writes down anything.
    pub fn note(&mut self, now: Instant, what: What) {
        let at = Time(now.since(self.origin).as_micros());
        self.trace.events.push(Event { at, what });
    }

    /// A rule acted.
    pub fn mark(
        &mut self,
        now: Instant,
        process: Arc<str>,
        rule: Rule,
        partition: Option<TopicPartition>,
    ) {
        let partition = partition.map(|partition| partition.to_string().into());
        self.note(now, What::Mark { process, rule: rule.id().into(), partition });
    }

    /// Something became true.
    pub fn fact(&mut self, now: Instant, process: &Arc<str>, fact: Fact) {
        if let Some(change) = facts::change(process, fact, &self.names) {
            self.note(now, What::State(change));
        }
    }

    /// A message leaves.
    pub fn sent(
        &mut self,
        now: Instant,
        link: LinkId,
        [from, to]: [&Arc<str>; 2],
        message: &Message,
        cause: Option<PacketId>,
    ) -> PacketId {
        let id = PacketId(self.packets);
        self.packets += 1;
        self.names.learn(message);
        let (key, essence) = describe(message, &self.names);
        let (way, client) = match message {
            Message::Request(_) => (Way::Asking, from),
            Message::Response(_) => (Way::Answering, to),
        };
        // Whoever tells a client about the cluster, it is the same errand.
        let teller = match (essence.api, way) {
            ("Metadata", Way::Answering) => Arc::from("any broker"),
            _ => from.clone(),
        };
        let errand = Errand { from: teller, to: to.clone(), api: essence.api, way };
        let (detail, news) = self.errands.weigh(errand, &essence.parts);
        let packet = Packet {
            id,
            from: from.clone(),
            to: to.clone(),
            travel: self.travel(id, link, message),
            api: essence.api.into(),
            detail,
            records: essence.records,
            error: essence.error,
            news,
            cause,
            bytes: key.map_or(0, |key| self.scales.weigh(key, message, client)),
        };
        self.note(now, What::Sent(packet));
        id
    }

    fn travel(&mut self, id: PacketId, link: LinkId, message: &Message) -> Travel {
        match message {
            Message::Request(request) => {
                self.open.insert((link, request.correlation), id);
                Travel::Request
            }
            Message::Response(response) => {
                match self.open.remove(&(link, response.correlation)) {
                    Some(request) => Travel::Response(request),
                    None => Travel::Scripted,
                }
            }
        }
    }

    /// A process has been started: it says and hears everything anew.
    pub fn forget(&mut self, process: &str) {
        self.errands.forget(process);
    }
}
