//! Kafka's vocabulary, shared by every part of the engine: ids, offsets, epochs, times, the
//! messages themselves, and the one shape that all state machines have.
//!
//! It is **not** a codec and not a protocol implementation: message types and their codecs
//! are those of the `kafka-protocol` crate, re-exported as [`messages`]; what a message
//! *does* is decided in `quorum`, `broker` and `client`.
//!
//! ```text
//!             ┌── log ──┬── quorum ──┐
//!   wire ─────┤         └── broker ──┼── sim (virtual world) · host (sockets and files)
//!             └────────────  client ─┘
//! ```
//!
//! The central types are [`Machine`] with its [`Input`] and [`Output`], [`Instant`] (time
//! comes in as data, nobody reads a clock), [`Rule`] (which rule of Kafka just acted) and
//! [`Fact`] (what just became true).
//!
//! ```
//! use topomotion_wire::{Duration, Instant};
//! let start = Instant::ZERO;
//! let later = start + Duration::from_millis(9_000);
//! assert_eq!((later - start).as_millis(), 9_000);
//! ```

mod actor_deed;
mod app_deed;
mod connection;
mod database;
mod deed;
mod defect;
mod disk;
mod error;
mod fact;
mod group;
mod http;
mod ids;
mod log_deed;
mod machine;
mod random;
mod rule;
mod time;
mod transaction;
mod zk_deed;
mod zookeeper;

pub use actor_deed::ActorDeed;
pub use app_deed::AppDeed;
pub use bytes::Bytes;
pub use connection::{ConnectionId, CorrelationId, Endpoint};
pub use database::{DatabaseMessage, Lsn, RowChange, WalRecord};
pub use deed::{
    BatchCause, ClientDeed, JoinCause, LeaveCause, MetadataCause, PositionCause,
};
pub use defect::Defect;
#[cfg(feature = "seeded-defects")]
pub use defect::Sown;
pub use disk::{DiskOp, FileName, Files, FlushToken};
pub use error::error_name;
pub use fact::{
    Acks, BrokerLiveness, Fact, LeaderRecovery, PartitionState, QuorumRole, ReplicaRole,
};
pub use group::{GroupMember, GroupState, GroupView, MemberView, Ownership};
pub use http::{HttpMethod, HttpRequest, HttpResponse};
pub use ids::{
    BatchId, BrokerEpoch, Incarnation, LeaderEpoch, NodeId, Offset, PartitionEpoch,
    ProducerEpoch, ProducerId, QuorumEpoch, TopicId, TopicPartition,
};
pub use kafka_protocol::error::ResponseError as ErrorCode;
pub use kafka_protocol::messages;
pub use kafka_protocol::protocol::StrBytes;
pub use log_deed::{IndexEntry, LogDeed, RollCause, TimeIndexEntry};
pub use machine::{Input, Machine, Message, Output, Request, Response};
pub use random::Random;
pub use rule::Rule;
pub use time::{Duration, Instant};
pub use transaction::{TransactionState, TransactionStep, TransactionView};
pub use zk_deed::ZkDeed;
pub use zookeeper::{
    ControllerCall, LeaderAndIsr, SessionId, Zab, ZkAnswer, ZkChange, ZkError, ZkEvent,
    ZkLife, ZkMessage, ZkOp, ZkSnapshot, ZkWatch, Znode, Zxid,
};
