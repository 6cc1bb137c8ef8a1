//! The recorder: writes down what happens while the world runs.
//!
//! For a story it writes everything, in the words of the topology. Where nobody will watch,
//! it writes only what the judge reads, and counts the rules that act; the course of events
//! is the same.

mod facts;
mod files;
mod groups;
mod members;
mod office;
mod promises;
mod sight;
mod talk;
mod transactions;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use topomotion_trace::{Event, Packet, PacketId, Time, Tone, Trace, Travel, What};
use topomotion_wire::{
    CorrelationId, Fact, Instant, Message, Rule, TopicPartition, ZkMessage,
};

use crate::coverage::Coverage;
use crate::packet::{
    Dictionary, Errand, Errands, Scales, Way, describe, is_zookeeper_answer as answers,
};
use crate::world::LinkId;

pub(crate) use files::look;
pub use files::{Filed, Stored, StoredBatch, StoredKind, StoredRecord};
use office::Office;
use promises::Promises;
pub use sight::{Asked, Ballot, KnownProducer, Sight};
use talk::Talk;

/// How much is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// Everything that a picture could show.
    #[default]
    Story,
    /// What the judge reads, and nothing is kept.
    Evidence,
}

/// Writes down what happens.
#[derive(Debug)]
pub struct Recorder {
    detail: Detail,
    trace: Trace,
    /// What only the judge sees, each with the number of events written before it.
    sights: Vec<(usize, Sight)>,
    coverage: Coverage,
    /// What counts as time 0.
    origin: Instant,
    names: Dictionary,
    errands: Errands,
    scales: Scales,
    /// Requests that were sent and not yet answered.
    open: BTreeMap<(LinkId, CorrelationId), PacketId>,
    talk: Talk,
    promises: Promises,
    office: Office,
    packets: u32,
}

impl Recorder {
    /// Nothing has happened yet. `nodes` gives the process of each node id.
    pub fn new(nodes: BTreeMap<i32, Arc<str>>, detail: Detail) -> Recorder {
        Recorder {
            detail,
            trace: Trace::default(),
            sights: Vec::new(),
            coverage: Coverage::default(),
            origin: Instant::ZERO,
            names: Dictionary::new(nodes),
            errands: Errands::default(),
            scales: Scales::default(),
            open: BTreeMap::new(),
            talk: Talk::default(),
            promises: Promises::default(),
            office: Office::default(),
            packets: 0,
        }
    }

    /// A node that was not known before.
    pub fn know(&mut self, id: i32, name: Arc<str>) {
        self.names.know(id, name);
    }

    /// Everything written so far; of evidence, what has not been dropped.
    pub fn events(&self) -> &[Event] {
        &self.trace.events
    }

    /// What only the judge sees.
    pub fn sights(&self) -> &[(usize, Sight)] {
        &self.sights
    }

    /// Something that only the judge sees.
    pub fn sight(&mut self, sight: Sight) {
        self.sights.push((self.trace.events.len(), sight));
    }

    /// The judge has seen it. Evidence is not kept.
    pub fn drop_seen(&mut self) {
        self.sights.clear();
        if self.detail == Detail::Evidence {
            self.trace.events.clear();
        }
    }

    /// Which rules have acted, and how often.
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
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

    /// A moment as the trace counts it.
    pub fn time(&self, now: Instant) -> Time {
        Time(now.since(self.origin).as_micros())
    }

    /// Writes down anything.
    pub fn note(&mut self, now: Instant, what: What) {
        let at = self.time(now);
        self.trace.events.push(Event { at, what });
    }

    /// Writes down what only a story tells.
    pub fn routine(&mut self, now: Instant, what: impl FnOnce() -> What) {
        if self.detail == Detail::Story {
            self.note(now, what());
        }
    }

    /// A rule acted.
    pub fn mark(
        &mut self,
        now: Instant,
        process: &Arc<str>,
        rule: Rule,
        partition: Option<TopicPartition>,
    ) {
        self.coverage.count(rule);
        if self.detail == Detail::Evidence {
            return;
        }
        let partition = partition.map(|partition| self.names.partition(&partition));
        let process = process.clone();
        self.note(now, What::Mark { process, rule: rule.id().into(), partition });
    }

    /// Something became true.
    pub fn fact(&mut self, now: Instant, process: &Arc<str>, fact: Fact) {
        if let Fact::TookOffice { brokers, partitions } = fact {
            for news in self.office.untold(brokers, partitions) {
                self.fact(now, process, news);
            }
            return;
        }
        if let Fact::OffsetsFound { offsets } = fact {
            for news in self.office.untold_offsets(offsets) {
                self.fact(now, process, news);
            }
            return;
        }
        if self.office.is_late(process, &fact) {
            return;
        }
        self.office.note(process, &fact);
        if let Some(sight) = sight::of_fact(process, &fact, &mut self.names) {
            self.sights.push((self.trace.events.len(), sight));
        }
        if let Fact::Client { partition, deed } = &fact {
            let tone = if deed.is_trouble() { Tone::Error } else { Tone::Plain };
            return self.deed(now, process, partition.as_ref(), (deed, tone));
        }
        if let Fact::Actor { deed } = &fact {
            let tone = if deed.is_trouble() { Tone::Error } else { Tone::Plain };
            return self.deed(now, process, None, (deed, tone));
        }
        if let Fact::Log { partition, deed } = &fact {
            return self.deed(now, process, Some(partition), (deed, Tone::Plain));
        }
        if let Some(change) = facts::change(process, fact, &mut self.names) {
            self.note(now, What::State(change));
        }
    }

    fn deed(
        &mut self,
        now: Instant,
        process: &Arc<str>,
        partition: Option<&TopicPartition>,
        (deed, tone): (&dyn Display, Tone),
    ) {
        if self.detail == Detail::Evidence {
            return;
        }
        let partition = partition.map(|partition| self.names.partition(partition));
        let (process, text) = (process.clone(), deed.to_string().into());
        self.note(now, What::Deed { process, partition, text, tone });
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
        self.packets = self.packets.wrapping_add(1);
        self.names.learn(message);
        let (sights, written) = (&mut self.sights, self.trace.events.len());
        let tell = |sight| sights.push((written, sight));
        self.talk.look(link, [from, to], message, &mut self.names, tell);
        let tell = |sight| self.sights.push((written, sight));
        self.promises.look(link, [from, to], message, &mut self.names, tell);
        if self.detail == Detail::Evidence {
            return id;
        }
        let (key, essence) = describe(message, &self.names);
        let (way, client) = match message {
            Message::Request(_) | Message::HttpRequest(_) => (Way::Asking, from),
            Message::Response(_) | Message::HttpResponse(_) | Message::Database(_) => {
                (Way::Answering, to)
            }
            Message::Zookeeper(message) => match answers(message) {
                Some(_) => (Way::Answering, to),
                None => (Way::Asking, from),
            },
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
            bytes: self.scales.weigh(key, message, client),
        };
        self.note(now, What::Sent(packet));
        id
    }

    /// A message has arrived.
    pub fn heard(&mut self, link: LinkId, [from, to]: [&Arc<str>; 2], message: &Message) {
        let Message::Request(request) = message else { return };
        let of_group = self.promises.heard(link, from, request);
        let of_quorum = talk::heard([from, to], &request.body);
        let wishes = members::to_forget(&request.body);
        let leaves = members::leaves(from, &request.body);
        let sights = of_group.into_iter().chain(of_quorum).chain(leaves).chain(wishes);
        sights.for_each(|sight| self.sight(sight));
    }

    fn travel(&mut self, id: PacketId, link: LinkId, message: &Message) -> Travel {
        let answered = match message {
            Message::Request(request) => {
                return self.asked(id, link, request.correlation);
            }
            Message::HttpRequest(request) => {
                return self.asked(id, link, request.correlation);
            }
            Message::Response(response) => response.correlation,
            Message::HttpResponse(response) => response.correlation,
            // A stream: nobody waits for an answer.
            Message::Database(_) => return Travel::Scripted,
            Message::Zookeeper(message) => match (&**message, answers(message)) {
                (_, Some(answered)) => answered,
                (
                    ZkMessage::Request { correlation, .. }
                    | ZkMessage::Control { correlation, .. },
                    None,
                ) => return self.asked(id, link, *correlation),
                // Nobody asked for it, and nobody answers.
                (_, None) => return Travel::Scripted,
            },
        };
        match self.open.remove(&(link, answered)) {
            Some(request) => Travel::Response(request),
            None => Travel::Scripted,
        }
    }

    fn asked(
        &mut self,
        id: PacketId,
        link: LinkId,
        correlation: CorrelationId,
    ) -> Travel {
        self.open.insert((link, correlation), id);
        Travel::Request
    }

    /// A process has been started: it says and hears everything anew.
    pub fn forget(&mut self, process: &Arc<str>) {
        self.errands.forget(process);
        self.sight(Sight::Started(process.clone()));
    }
}
