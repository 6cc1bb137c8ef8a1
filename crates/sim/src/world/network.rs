//! Dialling, sending, closing, arriving.
//!
//! Order is first-in-first-out per link and direction; different links may overtake each
//! other. A connection that is closed says so behind everything that was sent before.

use std::collections::VecDeque;

use topomotion_trace::{Loss, PacketId, What};
use topomotion_wire::{
    ConnectionId, Duration, Endpoint, Input, Instant, Machine, Message,
};

use super::World;
use super::host::HostId;
use super::link::{Link, LinkEnd, LinkId, Parcel, Passage, Side, Standing};
use super::queue::Due;
use super::weather::Weather;

impl<M: Machine> World<M> {
    pub(super) fn dial(
        &mut self,
        host: HostId,
        connection: ConnectionId,
        to: &Endpoint,
        cause: Option<PacketId>,
    ) {
        let link = LinkId(self.links.len());
        let end = |host, incarnation, connection, inbound| LinkEnd {
            host,
            incarnation,
            connection,
            standing: Standing::Opening,
            horizon: Instant::ZERO,
            inbound,
            detained: false,
            held: VecDeque::new(),
        };
        let incarnation = self.hosts[host.0].incarnation;
        let target = self.listeners.get(to).copied();
        let back = match target {
            Some(target) if self.is_cut(target, host) => Passage::Cut,
            _ => Passage::Free,
        };
        let there = ConnectionId::Accepted(0);
        self.links.push(Link {
            dialler: end(Some(host), incarnation, connection, back),
            acceptor: end(target, 0, there, Passage::Free),
            shown: false,
            cause,
        });
        self.hosts[host.0].connections.insert(connection, (link, Side::Dialler));
        self.post(link, Side::Acceptor, Parcel::Dial);
    }

    pub(super) fn send(
        &mut self,
        host: HostId,
        connection: ConnectionId,
        message: Message,
        cause: Option<PacketId>,
    ) {
        let Some(&(link, side)) = self.hosts[host.0].connections.get(&connection) else {
            return;
        };
        let far = self.links[link.0].end(side.other());
        if self.links[link.0].end(side).standing != Standing::Open {
            return;
        }
        let Some(target) = far.host else { return };
        let (from, to) = (&self.hosts[host.0].name, &self.hosts[target.0].name);
        let packet = self.recorder.sent(self.now, link, [from, to], &message, cause);
        self.post(link, side.other(), Parcel::Data { message, packet });
    }

    pub(super) fn close(&mut self, host: HostId, connection: ConnectionId) {
        if let Some((link, side)) = self.hosts[host.0].connections.remove(&connection) {
            self.leave(link, side);
        }
    }

    /// One end leaves a link, and the other will hear of it.
    pub(super) fn leave(&mut self, link: LinkId, side: Side) {
        self.link_mut(link).end_mut(side).standing = Standing::Gone;
        self.show_closed(link);
        self.post(link, side.other(), Parcel::Goodbye);
    }

    /// Puts a parcel on its way towards one end of a link, or keeps it back where the
    /// network is stopped.
    pub(super) fn post(&mut self, link: LinkId, side: Side, parcel: Parcel) {
        let sender = self.links[link.0].end(side.other()).host;
        let jitter = match sender {
            Some(sender) => {
                self.hosts[sender.0].network.below(self.physics.jitter.as_micros() + 1)
            }
            None => 0,
        };
        let weather = match (sender, self.links[link.0].end(side).host) {
            (Some(from), Some(to)) => self.weather(from, to),
            _ => Weather::default(),
        };
        let end = self.links[link.0].end_mut(side);
        let is_stopped = weather.clogged || end.detained || !end.held.is_empty();
        if is_stopped && !matches!(parcel, Parcel::Reset) {
            end.held.push_back(parcel);
            return;
        }
        let arrival = self.now + self.physics.latency + Duration(jitter) + weather.slow;
        let arrival = match (&parcel, weather.bytes_per_s) {
            (Parcel::Dial, _) => arrival + weather.dial,
            (_, 0) => arrival,
            (parcel, rate) => {
                let free = end.horizon.max(self.now);
                let busy = Duration(parcel.weight().saturating_mul(1_000_000) / rate);
                arrival.max(free + busy)
            }
        };
        end.horizon = end.horizon.max(arrival);
        let at = end.horizon;
        self.queue.push(at, Due::Arrive { link, side, parcel });
    }

    pub(super) fn arrive(&mut self, link: LinkId, side: Side, parcel: Parcel) {
        match parcel {
            Parcel::Dial => self.arrive_dial(link),
            Parcel::Welcome => self.arrive_welcome(link),
            Parcel::Data { message, packet } => {
                self.arrive_data(link, side, message, packet);
            }
            Parcel::Goodbye if self.links[link.0].end(side).inbound == Passage::Cut => {}
            Parcel::Goodbye | Parcel::Reset => self.arrive_goodbye(link, side),
        }
    }

    fn arrive_dial(&mut self, link: LinkId) {
        let (from, target) =
            (self.links[link.0].dialler.host, self.links[link.0].acceptor.host);
        let reached = target.filter(|&target| {
            !self.hosts[target.0].is_down()
                && from.is_none_or(|from| !self.is_cut(from, target))
        });
        let Some(target) = reached else {
            return self.arrive_goodbye(link, Side::Dialler);
        };
        let host = &mut self.hosts[target.0];
        host.accepted += 1;
        let connection = ConnectionId::Accepted(host.accepted);
        let incarnation = host.incarnation;
        host.connections.insert(connection, (link, Side::Acceptor));
        let end = &mut self.link_mut(link).acceptor;
        end.connection = connection;
        end.incarnation = incarnation;
        end.standing = Standing::Open;
        self.show_opened(link);
        self.post(link, Side::Dialler, Parcel::Welcome);
        let cause = self.links[link.0].cause;
        self.deliver(target, Input::Accepted { connection }, cause);
    }

    fn arrive_welcome(&mut self, link: LinkId) {
        let Some((host, connection)) = self.listening(link, Side::Dialler) else {
            return;
        };
        if self.links[link.0].dialler.inbound != Passage::Free {
            return;
        }
        self.link_mut(link).dialler.standing = Standing::Open;
        let cause = self.links[link.0].cause;
        self.deliver(host, Input::Opened { connection }, cause);
    }

    fn arrive_data(
        &mut self,
        link: LinkId,
        side: Side,
        message: Message,
        packet: PacketId,
    ) {
        let inbound = self.links[link.0].end(side).inbound;
        let loss = match (inbound, self.listening(link, side)) {
            (Passage::Free, Some((host, connection))) => {
                self.recorder.routine(self.now, || What::Arrived(packet));
                if let Some(from) = self.links[link.0].end(side.other()).host {
                    let names = [&self.hosts[from.0].name, &self.hosts[host.0].name];
                    self.recorder.heard(link, names, &message);
                }
                let input = Input::Received { connection, message };
                return self.deliver(host, input, Some(packet));
            }
            (Passage::Free, None) => self.why_gone(link, side),
            (Passage::Cut, _) => Loss::Partitioned,
            (Passage::Broken, _) => Loss::ConnectionBroken,
        };
        self.recorder.routine(self.now, || What::Lost(packet, loss));
    }

    fn arrive_goodbye(&mut self, link: LinkId, side: Side) {
        let Some((host, connection)) = self.listening(link, side) else { return };
        let cause = self.links[link.0]
            .cause
            .filter(|_| self.links[link.0].end(side).standing == Standing::Opening);
        self.link_mut(link).end_mut(side).standing = Standing::Gone;
        self.hosts[host.0].connections.remove(&connection);
        self.show_closed(link);
        self.deliver(host, Input::Closed { connection }, cause);
    }

    /// The process at one end, if it still cares about this link.
    fn listening(&self, link: LinkId, side: Side) -> Option<(HostId, ConnectionId)> {
        let end = self.links[link.0].end(side);
        let host = end.host?;
        let cares = end.standing != Standing::Gone
            && self.hosts[host.0].is_incarnation(end.incarnation);
        cares.then_some((host, end.connection))
    }

    fn why_gone(&self, link: LinkId, side: Side) -> Loss {
        let end = self.links[link.0].end(side);
        let alive = end
            .host
            .is_some_and(|host| self.hosts[host.0].is_incarnation(end.incarnation));
        if alive { Loss::ConnectionBroken } else { Loss::ReceiverDown }
    }

    fn show_opened(&mut self, link: LinkId) {
        let Some([from, to]) = self.names(link) else { return };
        self.link_mut(link).shown = true;
        self.recorder.routine(self.now, || What::Opened { from, to });
    }

    fn show_closed(&mut self, link: LinkId) {
        let Some([from, to]) = self.names(link) else { return };
        if std::mem::take(&mut self.link_mut(link).shown) {
            self.recorder.routine(self.now, || What::Closed { from, to });
        }
    }

    fn names(&self, link: LinkId) -> Option<[std::sync::Arc<str>; 2]> {
        let link = &self.links[link.0];
        let name = |host: Option<HostId>| Some(self.hosts[host?.0].name.clone());
        Some([name(link.dialler.host)?, name(link.acceptor.host)?])
    }
}
