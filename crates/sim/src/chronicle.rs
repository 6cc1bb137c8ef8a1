//! What is seen of a cluster that somebody else runs, written down as a run is.
//!
//! The simulator's recorder knows how messages read, what is news and what routine. Whoever
//! watches a real cluster tells it what passes by, and gets the same story.

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_log::Batches;
use topomotion_trace::{Fault, PacketId, Tone, Trace, What};
use topomotion_wire::messages::{RequestKind, ResponseKind};
use topomotion_wire::{Bytes, Fact, Instant, Message, Rule, TopicPartition};

use crate::record::{Detail, Recorder};
use crate::run::tell;
use crate::world::LinkId;

/// How much of a key or a value is told, in characters.
const PAYLOAD_MAX: usize = 60;
/// How many records of one message are told.
const RECORDS_MAX: usize = 20;

/// What records hold, and whether it is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Payloads {
    /// Only how many there are.
    #[default]
    LeftOut,
    /// Keys and values, the beginnings of long ones, of what clients send and get.
    Told,
}

/// A cluster's story while it is written.
#[derive(Debug)]
pub struct Chronicle {
    recorder: Recorder,
    setup: Trace,
    payloads: Payloads,
}

impl Chronicle {
    /// Nothing has happened yet. `nodes` gives the process of each node id.
    pub fn new(nodes: BTreeMap<i32, Arc<str>>) -> Chronicle {
        let recorder = Recorder::new(nodes, Detail::Story);
        Chronicle { recorder, setup: Trace::default(), payloads: Payloads::default() }
    }

    /// Whether it shall be written down what records hold.
    pub fn with_payloads(self, payloads: Payloads) -> Chronicle {
        Chronicle { payloads, ..self }
    }

    /// A node that was not known before.
    pub fn know(&mut self, id: i32, name: Arc<str>) {
        self.recorder.know(id, name);
    }

    /// A message leaves on connection number `link`.
    pub fn sent(
        &mut self,
        now: Instant,
        ends: [&Arc<str>; 2],
        link: usize,
        message: &Message,
        cause: Option<PacketId>,
    ) -> PacketId {
        let packet = self.recorder.sent(now, LinkId(link), ends, message, cause);
        self.recorder.drop_seen();
        if self.payloads == Payloads::Told {
            self.tell_records(now, ends, message);
        }
        packet
    }

    /// Tells what the records of a message hold, at the client's end.
    fn tell_records(
        &mut self,
        now: Instant,
        [from, to]: [&Arc<str>; 2],
        message: &Message,
    ) {
        let (process, verb, held) = match message {
            Message::Request(request) => match &request.body {
                RequestKind::Produce(it) => {
                    let each = it.topic_data.iter().flat_map(|it| &it.partition_data);
                    let records = each.map(|it| it.records.as_ref()).collect();
                    (from, "sends", records)
                }
                _ => return,
            },
            Message::Response(response) => match &response.body {
                ResponseKind::Fetch(it) => {
                    let each = it.responses.iter().flat_map(|it| &it.partitions);
                    let records = each.map(|it| it.records.as_ref()).collect();
                    (to, "gets", records)
                }
                _ => return,
            },
            _ => return,
        };
        for text in records(verb, held) {
            let (process, text) = (process.clone(), text.into());
            let told = What::Deed { process, partition: None, text, tone: Tone::Plain };
            self.recorder.note(now, told);
        }
    }

    /// It arrives.
    pub fn arrived(&mut self, now: Instant, packet: PacketId) {
        self.recorder.note(now, What::Arrived(packet));
    }

    /// A rule acted on a process.
    pub fn mark(
        &mut self,
        now: Instant,
        process: &Arc<str>,
        rule: Rule,
        partition: Option<TopicPartition>,
    ) {
        self.recorder.mark(now, process, rule, partition);
    }

    /// Something became true on a process.
    pub fn fact(&mut self, now: Instant, process: &Arc<str>, fact: Fact) {
        self.recorder.fact(now, process, fact);
        self.recorder.drop_seen();
    }

    /// Somebody hurt the cluster, or healed it.
    pub fn fault(&mut self, now: Instant, fault: Fault) {
        if let Fault::Restart { process } = &fault {
            self.recorder.forget(process);
        }
        self.recorder.note(now, What::Fault(fault));
        self.recorder.drop_seen();
    }

    /// What came so far was the set-up; the story begins now, at time 0.
    pub fn raise_curtain(&mut self, now: Instant) {
        self.setup = self.recorder.begin_anew(now);
    }

    /// How many events the story has.
    pub fn len(&self) -> usize {
        self.recorder.events().len()
    }

    /// Whether nothing has happened in it yet.
    pub fn is_empty(&self) -> bool {
        self.recorder.events().is_empty()
    }

    /// The story, with what the set-up left behind in front.
    pub fn into_story(mut self) -> Trace {
        let played = self.recorder.take();
        tell(&self.setup, played)
    }
}

/// What records hold, one a line.
fn records(verb: &str, held: Vec<Option<&Bytes>>) -> Vec<String> {
    let mut told = Vec::new();
    let mut untold = 0;
    for batch in held.into_iter().flatten().cloned().flat_map(Batches::new) {
        let Ok(batch) = batch else { break };
        let Ok(records) = batch.records() else { continue };
        if batch.is_control() {
            continue;
        }
        for record in records.flatten() {
            if told.len() >= RECORDS_MAX {
                untold += 1;
                continue;
            }
            let value = record.value.as_deref().map_or("null".to_owned(), beginning);
            told.push(match record.key.as_deref() {
                Some(key) => format!("{verb} {}={value}", beginning(key)),
                None => format!("{verb} {value}"),
            });
        }
    }
    if untold > 0 {
        told.push(format!("{verb} {untold} more"));
    }
    told
}

/// The beginning of what bytes say, on one line.
fn beginning(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let sign = |it: char| if it.is_control() { '·' } else { it };
    let mut signs = text.chars().map(sign);
    let mut told: String = signs.by_ref().take(PAYLOAD_MAX).collect();
    if signs.next().is_some() {
        told.push('…');
    }
    told
}

#[cfg(test)]
mod tests {
    use topomotion_log::{BatchBuilder, RecordRef};
    use topomotion_trace::Time;
    use topomotion_wire::messages::ProduceRequest;
    use topomotion_wire::messages::produce_request::{
        PartitionProduceData, TopicProduceData,
    };
    use topomotion_wire::messages::{MetadataRequest, RequestKind};
    use topomotion_wire::{CorrelationId, Request};

    use super::*;

    #[test]
    fn what_comes_before_the_curtain_is_not_part_of_the_story() {
        let (shop, broker) = (Arc::from("shop"), Arc::from("broker-1"));
        let mut chronicle = Chronicle::new(BTreeMap::from([(1, Arc::clone(&broker))]));
        let body = RequestKind::Metadata(MetadataRequest::default());
        let request = |correlation| {
            let correlation = CorrelationId(correlation);
            let client = "shop".into();
            Message::from(Request {
                correlation,
                version: 12,
                client,
                body: body.clone(),
            })
        };
        let before = chronicle.sent(Instant(5), [&shop, &broker], 1, &request(1), None);
        chronicle.arrived(Instant(5), before);
        chronicle.raise_curtain(Instant(10));
        let within = chronicle.sent(Instant(17), [&shop, &broker], 1, &request(2), None);
        chronicle.arrived(Instant(18), within);
        assert_eq!(chronicle.len(), 2);
        let story = chronicle.into_story();
        let told: Vec<_> =
            story.events.iter().map(|event| (event.at, &event.what)).collect();
        assert_eq!(told.len(), 3, "{story}");
        assert_eq!(told[0], (Time(0), &What::Curtain));
        assert!(matches!(told[1], (Time(7), What::Sent(_))));
        assert_eq!(told[2], (Time(8), &What::Arrived(within)));
    }

    #[test]
    fn what_records_hold_is_told_to_whoever_asks_for_it_and_to_nobody_else() {
        let mut batch = BatchBuilder::new();
        let long = "x".repeat(100);
        for value in ["latte", &long] {
            let record =
                RecordRef { value: Some(value.as_bytes()), ..RecordRef::default() };
            batch.push(&record);
        }
        let records = Some(batch.build().into_bytes());
        let data = PartitionProduceData::default().with_records(records);
        let data = TopicProduceData::default().with_partition_data(vec![data]);
        let body = ProduceRequest::default().with_topic_data(vec![data]).into();
        let (correlation, client) = (CorrelationId(1), "shop".into());
        let message = Message::from(Request { correlation, version: 9, client, body });
        let (shop, broker) = (Arc::from("shop"), Arc::from("broker-1"));
        for payloads in [Payloads::LeftOut, Payloads::Told] {
            let mut chronicle = Chronicle::new(BTreeMap::new()).with_payloads(payloads);
            chronicle.sent(Instant(1), [&shop, &broker], 1, &message, None);
            let told = chronicle.into_story().to_string();
            assert_eq!(
                told.contains("sends latte"),
                payloads == Payloads::Told,
                "{told}"
            );
            assert!(!told.contains(&long), "{told}");
        }
    }
}
