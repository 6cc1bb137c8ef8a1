//! What is seen of a cluster that somebody else runs, written down as a run is.
//!
//! The simulator's recorder knows how messages read, what is news and what routine. Whoever
//! watches a real cluster tells it what passes by, and gets the same story.

mod past;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use topomotion_log::Batches;
use topomotion_trace::{Event, Fault, PacketId, Time, Tone, Trace, What};
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
    /// What came before the story, as far as it has left something behind.
    setup: Trace,
    /// The story itself: its last part, if there is no room for all of it.
    window: VecDeque<Event>,
    room: usize,
    /// Messages that the story has not, and when it began again after the last of them.
    left_out: u64,
    began: Time,
    payloads: Payloads,
}

/// One part in so many of a story is forgotten at a time.
const PART: usize = 8;

impl Chronicle {
    /// Nothing has happened yet. `nodes` gives the process of each node id.
    pub fn new(nodes: BTreeMap<i32, Arc<str>>) -> Chronicle {
        let recorder = Recorder::new(nodes, Detail::Story);
        Chronicle {
            recorder,
            setup: Trace::default(),
            window: VecDeque::new(),
            room: usize::MAX,
            left_out: 0,
            began: Time(0),
            payloads: Payloads::default(),
        }
    }

    /// How many events are kept at least, and no more than an eighth above: the last ones. What
    /// came before them becomes part of what was there when the story began.
    pub fn with_room(self, room: usize) -> Chronicle {
        Chronicle { room: room.max(1), ..self }
    }

    /// How many messages are not in the story, and how long after its beginning it begins now.
    pub fn left_out(&self) -> (u64, Time) {
        (self.left_out, self.began)
    }

    /// Moves what was written down into the story, and forgets its beginning if need be.
    fn settle(&mut self) {
        self.window.extend(self.recorder.take().events);
        let most = self.room.saturating_add(self.room / PART);
        if self.window.len() <= most {
            return;
        }
        let old: Vec<Event> =
            self.window.drain(..self.window.len() - self.room).collect();
        let is_sent = |it: &&Event| matches!(it.what, What::Sent(_));
        self.left_out += old.iter().filter(is_sent).count() as u64;
        self.began = self.window.front().map_or(self.began, |it| it.at);
        self.setup.events.extend(old);
        past::compact(&mut self.setup, &self.window);
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
        self.settle();
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
        self.settle();
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
        self.settle();
    }

    /// Something became true on a process.
    pub fn fact(&mut self, now: Instant, process: &Arc<str>, fact: Fact) {
        self.recorder.fact(now, process, fact);
        self.recorder.drop_seen();
        self.settle();
    }

    /// Somebody hurt the cluster, or healed it.
    pub fn fault(&mut self, now: Instant, fault: Fault) {
        if let Fault::Restart { process } = &fault {
            self.recorder.forget(process);
        }
        self.recorder.note(now, What::Fault(fault));
        self.recorder.drop_seen();
        self.settle();
    }

    /// What came so far was the set-up; the story begins now, at time 0.
    pub fn raise_curtain(&mut self, now: Instant) {
        self.setup.events.extend(self.window.drain(..));
        self.setup.events.extend(self.recorder.begin_anew(now).events);
        (self.left_out, self.began) = (0, Time(0));
    }

    /// How many events the story has.
    pub fn len(&self) -> usize {
        self.window.len()
    }

    /// Whether nothing has happened in it yet.
    pub fn is_empty(&self) -> bool {
        self.window.is_empty()
    }

    /// The story, with what the set-up left behind in front.
    ///
    /// Where its beginning was forgotten, it begins with what is left.
    pub fn into_story(mut self) -> Trace {
        let mut events: Vec<Event> = self.window.into();
        events.extend(self.recorder.take().events);
        for event in &mut events {
            event.at = Time(event.at.0.saturating_sub(self.began.0));
        }
        tell(&self.setup, Trace { events })
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
    use topomotion_wire::messages::{MetadataRequest, MetadataResponse, RequestKind};
    use topomotion_wire::{CorrelationId, Request, Response};

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
    fn a_long_story_keeps_its_end_and_the_questions_to_its_answers() {
        let (shop, broker) = (Arc::from("shop"), Arc::from("broker-1"));
        let mut chronicle = Chronicle::new(BTreeMap::from([(1, Arc::clone(&broker))]));
        chronicle = chronicle.with_room(20);
        chronicle.raise_curtain(Instant(0));
        let (version, client) = (12, "shop".into());
        let question = |correlation| {
            let (correlation, client) = (CorrelationId(correlation), Arc::clone(&client));
            let body = MetadataRequest::default().into();
            Message::from(Request { correlation, version, client, body })
        };
        let answer = |correlation| {
            let correlation = CorrelationId(correlation);
            let body = MetadataResponse::default().into();
            Message::from(Response { correlation, version, body })
        };
        // One that is answered at the very end.
        let patient = chronicle.sent(Instant(1), [&shop, &broker], 9, &question(0), None);
        for number in 1..=100 {
            let at = Instant(10 * number as u64);
            let asked = chronicle.sent(at, [&shop, &broker], 1, &question(number), None);
            chronicle.arrived(at, asked);
            let ends = [&broker, &shop];
            let told = chronicle.sent(at, ends, 1, &answer(number), Some(asked));
            chronicle.arrived(at, told);
            assert!(chronicle.len() <= 22);
            assert!(chronicle.setup.events.len() < 50, "the past does not grow");
        }
        let last = chronicle.sent(
            Instant(1_001),
            [&broker, &shop],
            9,
            &answer(0),
            Some(patient),
        );
        chronicle.arrived(Instant(1_001), last);
        let (left_out, began) = chronicle.left_out();
        let story = chronicle.into_story();
        let sent = story.events.iter().filter_map(|event| match &event.what {
            What::Sent(packet) => Some(packet.id),
            _ => None,
        });
        let sent: Vec<PacketId> = sent.collect();
        assert!(sent.contains(&patient), "{story}");
        assert!(sent.len() >= 10 && sent.len() < 20, "{story}");
        assert!((180..=192).contains(&left_out), "{left_out} of 202");
        let end = story.events.last().map(|event| event.at.0);
        assert_eq!(end, Some(1_001 - began.0));
    }

    #[test]
    fn of_the_past_only_what_holds_now_is_kept() {
        let broker: Arc<str> = Arc::from("broker-1");
        let mut chronicle = Chronicle::new(BTreeMap::from([(1, Arc::clone(&broker))]));
        chronicle = chronicle.with_room(10);
        chronicle.raise_curtain(Instant(0));
        for offset in 1..=100 {
            let partition = TopicPartition::new("orders", 0);
            let offset = topomotion_wire::Offset(offset);
            let fact = Fact::HighWatermark { partition, offset };
            chronicle.fact(Instant(1), &broker, fact);
        }
        assert!(chronicle.setup.events.len() <= 1, "{}", chronicle.setup);
        assert!(chronicle.into_story().to_string().contains("100"));
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
