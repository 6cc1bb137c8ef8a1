//! A trace, read once: what was prepared, what is the story, which messages flew.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_trace::{Event, Loss, Packet, PacketId, Time, Trace, Travel, What};

/// One message on its way, in engine time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flight<'a> {
    /// What flies.
    pub packet: &'a Packet,
    /// When it left.
    pub sent: Time,
    /// When its way ended.
    pub end: Time,
    /// How its way ended.
    pub fate: Fate,
}

/// How a flight ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// At its receiver.
    Arrived,
    /// Never.
    Lost(Loss),
    /// The story ends first.
    Pending,
}

impl Flight<'_> {
    /// Whether it is worth a viewer's attention.
    pub fn is_news(&self) -> bool {
        self.packet.news
    }

    /// Whether it answers another.
    pub fn is_response(&self) -> bool {
        matches!(self.packet.travel, Travel::Response(_))
    }
}

/// A trace, read.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    /// What was true when the curtain rose.
    pub before: &'a [Event],
    /// What happened then.
    pub events: &'a [Event],
    /// Every message that flew during the story, in the order of departure.
    pub flights: Vec<Flight<'a>>,
    /// When the story begins.
    pub start: Time,
    /// When it ends.
    pub end: Time,
}

impl<'a> Reading<'a> {
    /// Reads a trace.
    pub fn new(trace: &'a Trace) -> Reading<'a> {
        let events = trace.events.as_slice();
        let curtain = events.iter().position(|event| event.what == What::Curtain);
        let (before, events) = events.split_at(curtain.map_or(0, |place| place + 1));
        let start = before.last().or(events.first()).map_or(Time(0), |event| event.at);
        let end = events.last().map_or(start, |event| event.at);
        let flights = flights(before, events, start, end);
        Reading { before, events, flights, start, end }
    }

    /// The events of the story, moment by moment. A step and a fault begin a moment of their
    /// own: what came before, even at the same time, is not their effect.
    pub fn moments(&self) -> impl Iterator<Item = &'a [Event]> + use<'a> {
        let cuts = |what: &What| matches!(what, What::Step { .. } | What::Fault(_));
        self.events.chunk_by(move |a, b| a.at == b.at && !cuts(&b.what))
    }

    /// The packets that the flights carry, by number.
    pub fn packets(&self) -> BTreeMap<PacketId, &'a Packet> {
        self.flights.iter().map(|flight| (flight.packet.id, flight.packet)).collect()
    }

    /// The processes of whom something is seen to change.
    pub fn changing(&self) -> BTreeSet<&'a str> {
        let all = self.before.iter().chain(self.events);
        all.flat_map(|event| crate::ledger::changes(&event.what)).collect()
    }
}

fn flights<'a>(
    before: &'a [Event],
    events: &'a [Event],
    start: Time,
    end: Time,
) -> Vec<Flight<'a>> {
    let mut flights: Vec<Flight<'a>> = Vec::new();
    let mut open: BTreeMap<PacketId, usize> = BTreeMap::new();
    let mut landed: Vec<bool> = Vec::new();
    for (index, event) in before.iter().chain(events).enumerate() {
        let in_story = index >= before.len();
        let (id, fate) = match &event.what {
            What::Sent(packet) => {
                let sent = event.at.max(start);
                open.insert(packet.id, flights.len());
                landed.push(false);
                flights.push(Flight { packet, sent, end, fate: Fate::Pending });
                continue;
            }
            What::Arrived(id) => (id, Fate::Arrived),
            What::Lost(id, loss) => (id, Fate::Lost(*loss)),
            _ => continue,
        };
        let Some(place) = open.remove(id) else { continue };
        landed[place] = !in_story;
        flights[place].end = event.at.max(flights[place].sent);
        flights[place].fate = fate;
    }
    let mut landed = landed.into_iter();
    flights.retain(|_| !landed.next().unwrap_or(false));
    flights.sort_by_key(|flight| flight.sent);
    flights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Script;

    #[test]
    fn what_landed_before_the_curtain_is_no_part_of_the_story() {
        let mut script = Script::default();
        script.packet("a", "b", "Metadata", 0, 10);
        let late = script.send("a", "b", "Fetch", 5);
        script.event(20, What::Curtain);
        script.event(30, What::Arrived(late));
        let trace = script.trace();
        let reading = Reading::new(&trace);
        assert_eq!(reading.flights.len(), 1);
        let flight = reading.flights[0];
        assert_eq!((flight.sent, flight.end), (Time(20), Time(30)));
        assert_eq!(flight.fate, Fate::Arrived);
    }

    #[test]
    fn a_packet_that_never_lands_flies_to_the_end() {
        let mut script = Script::default();
        script.send("a", "b", "Fetch", 5);
        script.event(90, What::Flash { process: "a".into() });
        let trace = script.trace();
        let flight = Reading::new(&trace).flights[0];
        assert_eq!((flight.end, flight.fate), (Time(90), Fate::Pending));
    }

    #[test]
    fn an_arrival_of_nothing_is_ignored() {
        let mut script = Script::default();
        script.event(1, What::Arrived(PacketId(7)));
        assert!(Reading::new(&script.trace()).flights.is_empty());
    }
}
