//! What the network between two hosts is like, in one direction, when it is not as usual.
//!
//! Order is kept on each connection whatever the weather: a slow, narrow or clogged way
//! delays what follows too. What is kept back on a connection whose far end has meanwhile
//! given up and dialled again arrives late all the same: a request from the dead.

use topomotion_trace::Flow;
use topomotion_wire::messages::{RequestKind, ResponseKind};
use topomotion_wire::{Bytes, Duration, Machine, Message};

use super::World;
use super::host::HostId;
use super::link::{LinkId, Parcel, Side};

/// The state of the way from one host to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Weather {
    /// Everything vanishes.
    pub cut: bool,
    /// Everything is kept back.
    pub clogged: bool,
    /// Added to each message's way.
    pub slow: Duration,
    /// Added to a dial's way.
    pub dial: Duration,
    /// So much passes in a second; 0 for everything.
    pub bytes_per_s: u64,
}

/// What a message without records takes on the wire, about.
const PLAIN_BYTES: u64 = 120;

impl Parcel {
    /// About how many bytes this takes on the wire: its records, and a little.
    pub fn weight(&self) -> u64 {
        let Parcel::Data { message, .. } = self else { return PLAIN_BYTES };
        let records: usize = match message {
            Message::Request(request) => match &request.body {
                RequestKind::Produce(produce) => {
                    let data =
                        produce.topic_data.iter().flat_map(|it| &it.partition_data);
                    data.filter_map(|it| it.records.as_ref()).map(Bytes::len).sum()
                }
                _ => 0,
            },
            Message::Response(response) => match &response.body {
                ResponseKind::Fetch(fetch) => {
                    let data = fetch.responses.iter().flat_map(|it| &it.partitions);
                    data.filter_map(|it| it.records.as_ref()).map(Bytes::len).sum()
                }
                _ => 0,
            },
            Message::HttpRequest(request) => request.body.len(),
            Message::HttpResponse(response) => response.body.len(),
            Message::Zookeeper(_) => 0,
            Message::Database(message) => message.len_bytes(),
        };
        PLAIN_BYTES + records as u64
    }
}

impl<M: Machine> World<M> {
    pub(super) fn weather(&self, from: HostId, to: HostId) -> Weather {
        if self.weather.is_empty() {
            return Weather::default();
        }
        self.weather.get(&(from, to)).copied().unwrap_or_default()
    }

    /// Whether the network is as usual everywhere, but for delays.
    pub(super) fn is_fair(&self) -> bool {
        self.weather.values().all(|weather| !weather.cut && !weather.clogged)
    }

    pub(super) fn clear_weather(&mut self) {
        self.weather.clear();
    }

    pub(super) fn change_weather(
        &mut self,
        from: &[HostId],
        to: &[HostId],
        change: impl Fn(&mut Weather),
    ) {
        for &from in from {
            for &to in to.iter().filter(|&&to| to != from) {
                change(self.weather.entry((from, to)).or_default());
            }
        }
    }

    /// Stops everything from one side to the other, until [`unclog`](Self::unclog).
    pub fn clog(&mut self, from: &[HostId], to: &[HostId]) {
        self.tell_way(from, to, Flow::KeptBack);
        self.change_weather(from, to, |weather| weather.clogged = true);
    }

    /// What was stopped arrives in a burst.
    pub fn unclog(&mut self, from: &[HostId], to: &[HostId]) {
        self.tell_way(from, to, Flow::Free);
        self.change_weather(from, to, |weather| weather.clogged = false);
        self.for_links(from, to, World::let_go);
    }

    /// Keeps back what is sent on the connections that exist now; new ones are free.
    pub fn detain(&mut self, from: &[HostId], to: &[HostId]) {
        self.for_links(from, to, |world, link, side| {
            world.link_mut(link).end_mut(side).detained = true;
        });
    }

    /// What was kept back arrives, whatever has become of its connection.
    pub fn release(&mut self, from: &[HostId], to: &[HostId]) {
        self.for_links(from, to, World::let_go);
    }

    /// Adds to the time of each message.
    pub fn slow(&mut self, from: &[HostId], to: &[HostId], by: Duration) {
        let flow = match by.as_millis() {
            0 => Flow::Free,
            ms => Flow::Slower(ms),
        };
        self.tell_way(from, to, flow);
        self.change_weather(from, to, |weather| weather.slow = by);
    }

    /// Adds to the time of each dial.
    pub fn slow_dials(&mut self, from: &[HostId], to: &[HostId], by: Duration) {
        self.change_weather(from, to, |weather| weather.dial = by);
    }

    /// Narrows the way; 0 opens it.
    pub fn throttle(&mut self, from: &[HostId], to: &[HostId], bytes_per_s: u64) {
        let flow = match bytes_per_s {
            0 => Flow::Free,
            width => Flow::Narrow(width),
        };
        self.tell_way(from, to, flow);
        self.change_weather(from, to, |weather| weather.bytes_per_s = bytes_per_s);
    }

    /// Breaks every connection between two sides; both ends hear of it.
    pub fn reset(&mut self, from: &[HostId], to: &[HostId]) {
        let mut found = Vec::new();
        self.for_links(from, to, |_, link, _| found.push(link));
        self.for_links(to, from, |_, link, _| found.push(link));
        found.sort_unstable();
        found.dedup();
        found.into_iter().for_each(|link| self.break_link(link));
    }

    /// What was kept back towards one end arrives.
    pub(super) fn let_go(&mut self, link: LinkId, side: Side) {
        let end = self.link_mut(link).end_mut(side);
        end.detained = false;
        let held = std::mem::take(&mut end.held);
        held.into_iter().for_each(|parcel| self.post(link, side, parcel));
    }

    /// Every connection that carries anything from one side to the other, with the end that
    /// it arrives at.
    fn for_links(
        &mut self,
        from: &[HostId],
        to: &[HostId],
        mut act: impl FnMut(&mut World<M>, LinkId, Side),
    ) {
        for link in 0..self.links.len() {
            let (Some(dialler), Some(acceptor)) =
                (self.links[link].dialler.host, self.links[link].acceptor.host)
            else {
                continue;
            };
            if from.contains(&dialler) && to.contains(&acceptor) {
                act(self, LinkId(link), Side::Acceptor);
            } else if from.contains(&acceptor) && to.contains(&dialler) {
                act(self, LinkId(link), Side::Dialler);
            }
        }
    }
}
