//! What is seen of a cluster that somebody else runs, written down as a run is.
//!
//! The simulator's recorder knows how messages read, what is news and what routine. Whoever
//! watches a real cluster tells it what passes by, and gets the same story.

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_trace::{PacketId, Trace, What};
use topomotion_wire::{Fact, Instant, Message, Rule, TopicPartition};

use crate::record::{Detail, Recorder};
use crate::run::tell;
use crate::world::LinkId;

/// A cluster's story while it is written.
#[derive(Debug)]
pub struct Chronicle {
    recorder: Recorder,
    setup: Trace,
}

impl Chronicle {
    /// Nothing has happened yet. `nodes` gives the process of each node id.
    pub fn new(nodes: BTreeMap<i32, Arc<str>>) -> Chronicle {
        let recorder = Recorder::new(nodes, Detail::Story);
        Chronicle { recorder, setup: Trace::default() }
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
        packet
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

#[cfg(test)]
mod tests {
    use topomotion_trace::Time;
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
}
