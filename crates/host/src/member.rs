//! One node with what the world gives it: a disk, and the far ends of its connections.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use topomotion_broker::Node;
use topomotion_wire::{ConnectionId, Message};

use crate::cluster::News;
use crate::outbox::Outbox;
use crate::registry::Lodger;
use crate::store::Store;

/// Where a connection leads.
#[derive(Debug, Clone)]
pub(crate) enum End {
    /// To another node of this process, which has its own name for it.
    Peer { member: usize, connection: ConnectionId },
    /// To a client.
    Client(Rc<Outbox>),
    /// To a client within this process, which has its own name for it.
    Guest { guest: Rc<Lodger>, connection: ConnectionId },
}

/// One node.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) node: Node,
    pub(crate) disk: Store,
    pub(crate) ends: BTreeMap<ConnectionId, End>,
    pub(crate) held: Held,
    pub(crate) life: Life,
    /// How many nodes there were before this one: what concerns them is not for it.
    pub(crate) lives: u32,
    /// Nothing passes between it and the other members.
    pub(crate) is_cut_off: bool,
    /// What has happened to it while it was paused.
    pub(crate) asleep: VecDeque<News>,
    accepted: u64,
}

/// Whether a node runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Up,
    Paused,
    Crashed,
}

/// What a node has to say and may not yet: what it wrote before has to be on the platter first.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) messages: VecDeque<(ConnectionId, Message)>,
    /// How many of them the flush under way sets free. None: none is under way.
    pub(crate) freed: Option<usize>,
}

impl Member {
    pub(crate) fn new(node: Node, disk: Store) -> Member {
        Member {
            node,
            disk,
            ends: BTreeMap::new(),
            held: Held::default(),
            life: Life::Up,
            lives: 0,
            is_cut_off: false,
            asleep: VecDeque::new(),
            accepted: 0,
        }
    }

    /// The node's id.
    pub(crate) fn id(&self) -> i32 {
        self.node.config().id.0
    }

    /// A name for a connection that somebody else opens.
    pub(crate) fn accept(&mut self, end: End) -> ConnectionId {
        self.accepted += 1;
        let connection = ConnectionId::Accepted(self.accepted);
        self.ends.insert(connection, end);
        connection
    }
}
