//! What a shard and the broker around it say to each other.

use std::sync::Arc;

use topomotion_wire::messages::{RequestKind, ResponseKind, WriteTxnMarkersRequest};
use topomotion_wire::{
    Bytes, ErrorCode, Fact, Instant, NodeId, Offset, ProducerEpoch, ProducerId, Rule,
    TopicId, TopicPartition,
};

/// A request that waits for its answer; the broker knows whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// An append that waits for its outcome; the shard knows what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WriteToken(pub u64);

/// Who asks, and in which version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// `client.id`.
    pub client_id: Arc<str>,
    /// Its address, as DescribeGroups tells it.
    pub host: Arc<str>,
    /// The request's API version; the answer is made for it.
    pub version: i16,
}

/// Whose transaction a batch belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// The producer.
    pub producer: ProducerId,
    /// Its epoch.
    pub epoch: ProducerEpoch,
}

/// Records for the shard's partition: keys with values, or with none (tombstones).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WriteBatch {
    /// The transaction that they are part of, if they are part of one (TXN-9).
    pub transaction: Option<Stamp>,
    /// Key and value, in order; appended as one batch or not at all.
    pub records: Vec<(Bytes, Option<Bytes>)>,
}

/// How a transaction ended in this partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// COMMIT marker.
    Commit,
    /// ABORT marker.
    Abort,
}

/// What a new leader reads from the partition's log, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loaded {
    /// A record.
    Record {
        /// Where it stands.
        offset: Offset,
        /// Its timestamp, Unix ms.
        timestamp: i64,
        /// The transaction it is part of.
        transaction: Option<Stamp>,
        /// Its key.
        key: Bytes,
        /// Its value; none in a tombstone.
        value: Option<Bytes>,
    },
    /// A transaction's end.
    Marker {
        /// Whose.
        stamp: Stamp,
        /// Which end.
        control: Control,
    },
}

/// What a coordinator asks the cluster's metadata.
pub trait Directory {
    /// How many partitions a topic has; none for one that does not exist.
    fn partition_count(&self, topic: &str) -> Option<i32>;
    /// The id of a topic.
    fn topic_id(&self, topic: &str) -> Option<TopicId>;
    /// The name of the topic with this id.
    fn topic_name(&self, id: TopicId) -> Option<Arc<str>>;
    /// Who leads a partition at the moment.
    fn leader(&self, partition: &TopicPartition) -> Option<NodeId>;
    /// All topics' names, sorted: what a pattern is matched with.
    fn topics(&self) -> Vec<Arc<str>>;

    /// Takes a producer id that nobody else has from this broker's block (PRD-9).
    ///
    /// # Errors
    /// `COORDINATOR_LOAD_IN_PROGRESS` while the next block is on its way from the controller.
    fn claim_producer_id(&self) -> Result<ProducerId, ErrorCode>;
}

/// What a shard wants done. Drained with [`Shard::poll`] after every call.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Answer a request.
    Answer {
        /// Which.
        ticket: Ticket,
        /// With what.
        body: ResponseKind,
    },
    /// Append to the partition with acks=all: the broker calls [`Shard::appended`] at once
    /// and [`Shard::committed`] when the high watermark has passed it.
    Append {
        /// Which append.
        token: WriteToken,
        /// What.
        batch: WriteBatch,
    },
    /// Send markers to a partition leader (TXN-3); the answer comes back through
    /// [`Shard::markers_answered`]. Several may be under way to one broker.
    WriteMarkers {
        /// To whom.
        to: NodeId,
        /// What.
        request: WriteTxnMarkersRequest,
    },
    /// A rule acted.
    Mark(Rule),
    /// Something became true.
    Fact(Fact),
}

/// One partition's coordinator, for as long as this broker leads it in one leader epoch: it
/// is made anew for every leadership, with that epoch as its coordinator epoch (TXN-6), and is
/// plain data (`Clone`, `Debug`) like everything in a node.
///
/// The broker splits requests that name several groups or transactions (DescribeGroups,
/// ConsumerGroupDescribe, DeleteGroups, OffsetFetch from version 8 on, DescribeTransactions,
/// AddPartitionsToTxn from version 4 on) into one request for each, in the same version, and
/// merges the answers; ListGroups and ListTransactions go to every shard. A shard is never
/// asked before it is loaded.
pub trait Shard {
    /// Takes one thing that the log holds; only before [`Shard::loaded`].
    fn load(&mut self, now: Instant, loaded: Loaded);

    /// The log is read to its end: serves from now on, and goes on with what its predecessor
    /// left (session timers start anew, due markers are sent again).
    fn loaded(&mut self, now: Instant, directory: &dyn Directory);

    /// Takes a request of a client or of another broker.
    fn handle(
        &mut self,
        now: Instant,
        directory: &dyn Directory,
        ticket: Ticket,
        caller: &Caller,
        request: RequestKind,
    );

    /// The client of this ticket hung up, and waits for no answer.
    fn hung_up(&mut self, now: Instant, ticket: Ticket);

    /// An append was taken into the log (with the offset of its first record) or refused.
    fn appended(
        &mut self,
        now: Instant,
        directory: &dyn Directory,
        token: WriteToken,
        outcome: Result<Offset, ErrorCode>,
    );

    /// The high watermark has passed an append.
    fn committed(&mut self, now: Instant, directory: &dyn Directory, token: WriteToken);

    /// A marker was appended to this partition (by WriteTxnMarkers, not by the shard). One that
    /// comes before the log is read is loaded with it.
    fn marker_appended(&mut self, now: Instant, stamp: Stamp, control: Control);

    /// A broker answered markers; none if the connection broke or the answer never came.
    fn markers_answered(
        &mut self,
        now: Instant,
        directory: &dyn Directory,
        from: NodeId,
        request: &WriteTxnMarkersRequest,
        response: Option<&ResponseKind>,
    );

    /// Topics, partitions or leaders changed.
    fn metadata_changed(&mut self, now: Instant, directory: &dyn Directory);

    /// Lets time pass.
    fn tick(&mut self, now: Instant, directory: &dyn Directory);

    /// When [`Shard::tick`] wants to be called next.
    fn deadline(&self) -> Option<Instant>;

    /// The next thing it wants.
    fn poll(&mut self) -> Option<Effect>;
}
