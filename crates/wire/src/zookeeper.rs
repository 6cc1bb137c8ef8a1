//! ZooKeeper's messages, and those by which a controller of its days told brokers what to do.
//!
//! Names of operations, errors and events are ZooKeeper's own; what travels between the
//! servers of an ensemble is Zab's. `LeaderAndIsr` and `UpdateMetadata` left Kafka's protocol
//! with ZooKeeper and live here.

use std::sync::Arc;

use crate::{
    CorrelationId, Duration, ErrorCode, LeaderEpoch, NodeId, TopicPartition, error_name,
};

/// One session of a client with an ensemble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// The number of a transaction of an ensemble: each is one more than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Zxid(pub u64);

/// How long a znode lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZkLife {
    /// Until somebody deletes it.
    Persistent,
    /// As long as the session that created it.
    Ephemeral,
}

/// Whether a reader wants to be told, once, when what it reads changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZkWatch {
    /// It does.
    Set,
    /// It does not.
    Unset,
}

/// What is asked of an ensemble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZkOp {
    /// Begin a session, or go on with one.
    Connect {
        /// The session to go on with.
        session: Option<SessionId>,
        /// For how long it may be silent.
        timeout: Duration,
    },
    /// Begin this session: what the ensemble makes of `Connect`.
    CreateSession(SessionId, Duration),
    /// End a session and delete its ephemeral znodes.
    CloseSession(SessionId),
    /// Create a znode.
    Create {
        /// Where.
        path: Arc<str>,
        /// What it holds.
        data: Arc<str>,
        /// How long it lives.
        life: ZkLife,
    },
    /// Replace what a znode holds.
    SetData {
        /// Which.
        path: Arc<str>,
        /// By what.
        data: Arc<str>,
        /// Only if it is of this version.
        version: Option<i32>,
    },
    /// Delete a znode without children.
    Delete {
        /// Which.
        path: Arc<str>,
        /// Only if it is of this version.
        version: Option<i32>,
    },
    /// Demand that a znode is of this version.
    Check {
        /// Which.
        path: Arc<str>,
        /// Its version.
        version: i32,
    },
    /// All of these or none.
    Multi(Vec<ZkOp>),
    /// What a znode holds.
    GetData(Arc<str>, ZkWatch),
    /// Whether there is a znode.
    Exists(Arc<str>, ZkWatch),
    /// The names of a znode's children.
    GetChildren(Arc<str>, ZkWatch),
    /// The session lives.
    Ping,
}

/// Why an ensemble did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ZkError {
    /// There is no such znode.
    NoNode,
    /// There is one already.
    NodeExists,
    /// It is of another version.
    BadVersion,
    /// It has children.
    NotEmpty,
    /// The session is over.
    SessionExpired,
    /// The request makes no sense.
    BadArguments,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZkAnswer {
    /// The session.
    Connected(SessionId),
    /// It is done.
    Done,
    /// What a znode holds.
    Data {
        /// The text.
        data: Arc<str>,
        /// Its version.
        version: i32,
        /// The transaction that created the znode.
        created: Zxid,
    },
    /// Whether there is a znode.
    Exists(bool),
    /// Names of children, in order.
    Children(Vec<Arc<str>>),
    /// The session is known to live.
    Pong,
}

/// What a watch has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ZkEvent {
    /// The znode is there now.
    NodeCreated,
    /// It is gone.
    NodeDeleted,
    /// It holds something else.
    NodeDataChanged,
    /// It has other children.
    NodeChildrenChanged,
}

/// One znode, as a snapshot holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Znode {
    /// What it holds.
    pub data: Arc<str>,
    /// How often that was replaced.
    pub version: i32,
    /// The transaction that created it.
    pub created: Zxid,
    /// The session that it lives with, if it is ephemeral.
    pub owner: Option<SessionId>,
}

/// What one server of an ensemble has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ZkSnapshot {
    /// The last transaction in it.
    pub zxid: Zxid,
    /// Every znode by its path, in order.
    pub nodes: Vec<(Arc<str>, Znode)>,
    /// Every session with its timeout.
    pub sessions: Vec<(SessionId, Duration)>,
}

/// A change on its way through an ensemble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZkChange {
    /// The server whose client asked, and its own number for it.
    pub origin: (i32, u64),
    /// On whose behalf.
    pub session: Option<SessionId>,
    /// What.
    pub op: ZkOp,
}

/// What the servers of an ensemble say to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Zab {
    /// A follower tells the leader what it has.
    FollowerInfo(i32, ZkSnapshot),
    /// The leader tells a follower what counts.
    Snapshot(ZkSnapshot),
    /// A follower passes a change on to the leader.
    Request(ZkChange),
    /// The leader numbers a change.
    Proposal(Zxid, ZkChange),
    /// A follower has written it down.
    Ack(Zxid),
    /// A majority has: it counts.
    Commit(Zxid),
    /// The leader lives.
    Ping,
    /// The follower does, and so do these sessions.
    Pong(Vec<SessionId>),
}

/// A partition as the controller of ZooKeeper's days tells brokers of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaderAndIsr {
    /// Which.
    pub partition: TopicPartition,
    /// Who leads, if anybody.
    pub leader: Option<NodeId>,
    /// In which epoch.
    pub epoch: LeaderEpoch,
    /// Who is in sync.
    pub isr: Vec<NodeId>,
    /// Who has a replica.
    pub replicas: Vec<NodeId>,
}

/// What a controller of ZooKeeper's days asks of a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControllerCall {
    /// API 4: lead these, follow in those.
    LeaderAndIsr(Vec<LeaderAndIsr>),
    /// API 6: so is the cluster.
    UpdateMetadata {
        /// Partitions that are new or changed.
        partitions: Vec<LeaderAndIsr>,
        /// Brokers that live.
        brokers: Vec<NodeId>,
    },
}

/// Whatever travels only where there is a ZooKeeper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZkMessage {
    /// From a client.
    Request {
        /// Its number (`xid`).
        correlation: CorrelationId,
        /// What it wants.
        op: ZkOp,
    },
    /// To a client.
    Reply {
        /// That of the request.
        correlation: CorrelationId,
        /// The last transaction that the server knows.
        zxid: Zxid,
        /// What came of it.
        result: Result<ZkAnswer, ZkError>,
    },
    /// To a client: a watch has seen something, and is gone.
    Event {
        /// What.
        event: ZkEvent,
        /// Of which znode.
        path: Arc<str>,
    },
    /// Between servers.
    Zab(Zab),
    /// From a controller to a broker.
    Control {
        /// Pairs it with its answer.
        correlation: CorrelationId,
        /// Which controller: the epoch of its election.
        controller_epoch: i32,
        /// What it asks.
        call: ControllerCall,
    },
    /// From a broker to a controller.
    Controlled {
        /// That of the call.
        correlation: CorrelationId,
        /// The name of what was called.
        name: &'static str,
        /// Why not, if it was refused.
        error: Option<ErrorCode>,
    },
}

impl ZkOp {
    /// ZooKeeper's name of it.
    pub const fn name(&self) -> &'static str {
        match self {
            ZkOp::Connect { .. } => "connect",
            ZkOp::CreateSession(..) => "createSession",
            ZkOp::CloseSession(_) => "closeSession",
            ZkOp::Create { .. } => "create",
            ZkOp::SetData { .. } => "setData",
            ZkOp::Delete { .. } => "delete",
            ZkOp::Check { .. } => "check",
            ZkOp::Multi(_) => "multi",
            ZkOp::GetData(..) => "getData",
            ZkOp::Exists(..) => "exists",
            ZkOp::GetChildren(..) => "getChildren",
            ZkOp::Ping => "ping",
        }
    }

    /// Whether it goes through the leader; everything else any server answers by itself.
    pub const fn is_change(&self) -> bool {
        matches!(
            self,
            ZkOp::CreateSession(..)
                | ZkOp::CloseSession(_)
                | ZkOp::Create { .. }
                | ZkOp::SetData { .. }
                | ZkOp::Delete { .. }
                | ZkOp::Check { .. }
                | ZkOp::Multi(_)
        )
    }
}

impl ZkError {
    /// ZooKeeper's name of it: `NODE_EXISTS`.
    pub const fn name(self) -> &'static str {
        match self {
            ZkError::NoNode => "NO_NODE",
            ZkError::NodeExists => "NODE_EXISTS",
            ZkError::BadVersion => "BAD_VERSION",
            ZkError::NotEmpty => "NOT_EMPTY",
            ZkError::SessionExpired => "SESSION_EXPIRED",
            ZkError::BadArguments => "BAD_ARGUMENTS",
        }
    }
}

impl ControllerCall {
    /// Kafka's name of it.
    pub const fn name(&self) -> &'static str {
        match self {
            ControllerCall::LeaderAndIsr(_) => "LeaderAndIsr",
            ControllerCall::UpdateMetadata { .. } => "UpdateMetadata",
        }
    }
}

impl ZkMessage {
    /// The error that it bears, by its name.
    pub fn error(&self) -> Option<String> {
        match self {
            ZkMessage::Reply { result: Err(error), .. } => Some(error.name().to_owned()),
            ZkMessage::Controlled { error: Some(error), .. } => Some(error_name(*error)),
            _ => None,
        }
    }
}
