//! One connection between two hosts, seen from above.

use std::collections::VecDeque;

use topomotion_trace::PacketId;
use topomotion_wire::{ConnectionId, Instant, Message};

use super::host::HostId;

/// A link's number in its world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LinkId(pub usize);

/// One of the two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// The one that opened it.
    Dialler,
    /// The other one.
    Acceptor,
}

impl Side {
    pub fn other(self) -> Side {
        match self {
            Side::Dialler => Side::Acceptor,
            Side::Acceptor => Side::Dialler,
        }
    }
}

/// What travels on a link.
#[derive(Debug)]
pub(super) enum Parcel {
    /// "May I?"
    Dial,
    /// "You may."
    Welcome,
    /// A message.
    Data { message: Message, packet: PacketId },
    /// "I am gone." Stands behind everything that was sent before.
    Goodbye,
    /// The connection turns out to be broken, whatever the network does.
    Reset,
}

/// Whether messages pass in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// They do.
    Free,
    /// The network between the ends is cut, and neither knows.
    Cut,
    /// The network is whole again, but this connection is past mending.
    Broken,
}

/// How one end sees the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Not yet part of it.
    Opening,
    /// Can send and receive.
    Open,
    /// No longer part of it.
    Gone,
}

#[derive(Debug)]
pub(super) struct LinkEnd {
    /// `None` for the far end of a dial that reaches nobody.
    pub host: Option<HostId>,
    pub incarnation: u32,
    pub connection: ConnectionId,
    pub standing: Standing,
    /// When the last parcel towards this end arrives: later ones must not overtake it.
    pub horizon: Instant,
    /// Whether what is sent towards this end passes.
    pub inbound: Passage,
    /// Whether what is sent towards this end is kept back, new connections excepted.
    pub detained: bool,
    /// What is kept back on its way to this end, in the order in which it was sent.
    pub held: VecDeque<Parcel>,
}

#[derive(Debug)]
pub(super) struct Link {
    pub dialler: LinkEnd,
    pub acceptor: LinkEnd,
    /// Whether the trace has said that it opened, and not yet that it closed.
    pub shown: bool,
    /// The packet that made the dialler dial.
    pub cause: Option<PacketId>,
}

impl Link {
    pub fn end(&self, side: Side) -> &LinkEnd {
        match side {
            Side::Dialler => &self.dialler,
            Side::Acceptor => &self.acceptor,
        }
    }

    pub fn end_mut(&mut self, side: Side) -> &mut LinkEnd {
        match side {
            Side::Dialler => &mut self.dialler,
            Side::Acceptor => &mut self.acceptor,
        }
    }
}
