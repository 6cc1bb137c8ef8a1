//! One node with what the world gives it: a disk, and the far ends of its connections.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use topomotion_broker::Node;
use topomotion_wire::{ConnectionId, Message};

use crate::disk::FileDisk;
use crate::outbox::Outbox;

/// Where a connection leads.
#[derive(Debug, Clone)]
pub(crate) enum End {
    /// To another node of this process, which has its own name for it.
    Peer { member: usize, connection: ConnectionId },
    /// To a client.
    Client(Rc<Outbox>),
}

/// One node.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) node: Node,
    /// None: what it writes is kept in its memory alone.
    pub(crate) disk: Option<FileDisk>,
    pub(crate) ends: BTreeMap<ConnectionId, End>,
    pub(crate) held: Held,
    accepted: u64,
}

/// What a node has to say and may not yet: what it wrote before has to be on the platter first.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) messages: VecDeque<(ConnectionId, Message)>,
    /// How many of them the flush under way sets free. None: none is under way.
    pub(crate) freed: Option<usize>,
}

impl Member {
    pub(crate) fn new(node: Node, disk: Option<FileDisk>) -> Member {
        let (ends, held) = (BTreeMap::new(), Held::default());
        Member { node, disk, ends, held, accepted: 0 }
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
