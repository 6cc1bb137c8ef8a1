//! What only the judge sees: facts and messages that no picture shows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_wire::{ClientDeed, Fact, LeaderRecovery, PositionCause};

use super::files::Stored;
use crate::packet::Dictionary;

/// Something that the judge reads beside the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// A process was started, for the first time or again.
    Started(Arc<str>),
    /// A voter granted its vote, or the promise of one.
    Voted {
        /// Whose vote.
        voter: Arc<str>,
        /// Who asked for it.
        candidate: Arc<str>,
        /// In which epoch.
        epoch: i32,
        /// Whether it was asked only whether it would vote.
        kind: Ballot,
    },
    /// A node applied metadata up to this offset.
    Applied {
        /// Which node.
        process: Arc<str>,
        /// The next offset to apply.
        offset: i64,
    },
    /// The active controller committed a broker's registration.
    Registered {
        /// Which broker.
        broker: Arc<str>,
        /// The offset of its record.
        epoch: i64,
    },
    /// The active controller committed a partition's registration: the part of it that the
    /// picture does not show. Comes just before the rest.
    Eligible {
        /// Which partition.
        partition: Arc<str>,
        /// Eligible leader replicas outside the ISR.
        elr: Vec<Arc<str>>,
        /// The last leader, remembered while nobody is in the ISR or eligible.
        last_known: Vec<Arc<str>>,
        /// Whether its leader was elected without proof.
        recovering: bool,
    },
    /// A process has lost its power or its disk: what it had written may be gone, or may
    /// never have been written.
    LostPower(Arc<str>),
    /// A process has lost its disk, its votes included.
    LostDisk(Arc<str>),
    /// A replica of a process that was started, as it was found: its log end.
    Found {
        /// Whose.
        process: Arc<str>,
        /// Of which partition.
        partition: Arc<str>,
        /// Its log end offset.
        end: i64,
    },
    /// A leader as it saw itself when its high watermark had moved.
    Leads {
        /// Who.
        process: Arc<str>,
        /// Which partition.
        partition: Arc<str>,
        /// The ISR as it knows it.
        isr: Vec<Arc<str>>,
        /// What counts for its high watermark.
        maximal_isr: Vec<Arc<str>>,
        /// The registration that it knows.
        partition_epoch: i32,
    },
    /// A leader has proposed another ISR.
    Proposes {
        /// Who.
        process: Arc<str>,
        /// Of which partition.
        partition: Arc<str>,
        /// Whom it proposes beyond the ISR as it knows it.
        newcomers: Vec<Arc<str>>,
    },
    /// The metadata that a node has applied, as a digest.
    Image {
        /// Whose.
        process: Arc<str>,
        /// The next offset to apply.
        offset: i64,
        /// Digest of all of it.
        digest: u64,
    },
    /// A node that has just been elected, with the end of its metadata log.
    Elected {
        /// Who.
        process: Arc<str>,
        /// The end of its log.
        end: i64,
    },
    /// The leader of the quorum has applied what is committed: how many voters have it, dead
    /// ones counted as if they had.
    Committed {
        /// Who leads.
        process: Arc<str>,
        /// The next offset to apply.
        offset: i64,
        /// Voters that have it, or cannot be asked.
        holders: usize,
        /// All voters.
        voters: usize,
    },
    /// An administrator asks for what changes the rules of the game. When it comes into force,
    /// if at all, nobody says.
    Asked(Asked),
    /// A consumer goes elsewhere in a partition.
    Sought {
        /// Who.
        process: Arc<str>,
        /// In which partition.
        partition: Arc<str>,
    },
    /// A consumer's user wants it to read other topics, or none.
    Subscribed(Arc<str>),
    /// What a member of a group says has reached its coordinator, or whom it takes for that.
    Heard {
        /// Counts such questions.
        number: u64,
        /// Who.
        process: Arc<str>,
        /// Of which group.
        group: Arc<str>,
        /// The topics that it wants to read, where it says so.
        topics: Option<BTreeSet<Arc<str>>>,
    },
    /// A member of a KIP-848 group says to its coordinator, or to whom it takes for that, that it
    /// leaves, for good or for a while.
    Leaves {
        /// Who.
        process: Arc<str>,
        /// Which group.
        group: Arc<str>,
    },
    /// A coordinator tells a member its epoch.
    EpochTold {
        /// Who.
        coordinator: Arc<str>,
        /// Of which group.
        group: Arc<str>,
        /// Whose process it is.
        process: Arc<str>,
        /// The member's id.
        member: Arc<str>,
        /// The epoch that is its own from now on; negative when it has left.
        epoch: i32,
    },
    /// A coordinator's answer shows that it counts with a member.
    Kept {
        /// The question's number.
        number: u64,
        /// Who says so.
        coordinator: Arc<str>,
        /// Whose process.
        process: Arc<str>,
        /// Of which group.
        group: Arc<str>,
    },
    /// Where a consumer will read next; looked at when a condition asks for it.
    Position {
        /// Who.
        process: Arc<str>,
        /// In which partition.
        partition: Arc<str>,
        /// The next offset, if it is known.
        next: Option<i64>,
    },
    /// Where a replica's log starts; looked at when a condition asks for it.
    LogStart {
        /// Whose.
        process: Arc<str>,
        /// Of which partition.
        partition: Arc<str>,
        /// The first offset.
        offset: i64,
    },
    /// Who votes, as the leader of the quorum knows it; looked at when a condition asks.
    Voters(Vec<Arc<str>>),
    /// How many partitions a topic has; looked at when a condition asks for it.
    TopicSize {
        /// Which topic.
        topic: Arc<str>,
        /// How many; 0 without the topic.
        partitions: i64,
    },
    /// How much a process holds under a name; looked at when a condition asks for it.
    Holds {
        /// Who.
        process: Arc<str>,
        /// Which name.
        name: Arc<str>,
        /// How much; none where the process holds nothing of the kind.
        count: Option<i64>,
    },
    /// A consumer handed records on.
    Read {
        /// Who.
        process: Arc<str>,
        /// Where from.
        partition: Arc<str>,
        /// First offset.
        base: i64,
        /// The batches, in the order in which they came.
        batches: Vec<u32>,
    },
    /// The host's clock jumped, or runs at another speed: its timeouts are not the world's.
    ClockMoved(Arc<str>),
    /// A leader asked the controller for an ISR.
    IsrAsked {
        /// Who.
        leader: Arc<str>,
        /// Of which partition.
        partition: Arc<str>,
        /// The set, each member with the broker epoch that the leader saw; -1 if it saw none.
        members: Vec<(Arc<str>, i64)>,
    },
    /// A controller said that an ISR is so now.
    IsrAnswered {
        /// Who said it.
        controller: Arc<str>,
        /// Of which partition.
        partition: Arc<str>,
        /// The registration that makes it so.
        partition_epoch: i32,
    },
    /// A node that has had a leader's answer asks it for more records.
    QuorumAsked {
        /// Who.
        follower: Arc<str>,
        /// Whom.
        leader: Arc<str>,
    },
    /// A fetch of the metadata log, or of a snapshot of it, has reached whom it asks.
    QuorumHeard {
        /// Whom.
        leader: Arc<str>,
        /// Who.
        follower: Arc<str>,
        /// The epoch in which it takes that for its leader.
        epoch: i32,
    },
    /// It gets its answer.
    QuorumAnswered {
        /// From whom.
        leader: Arc<str>,
        /// Who.
        follower: Arc<str>,
    },
    /// Batches were refused: there are too few in-sync replicas.
    Refused {
        /// By whom.
        leader: Arc<str>,
        /// Of which partition.
        partition: Arc<str>,
        /// Which.
        batches: Vec<u32>,
    },
    /// A node's metadata log, after it has applied some of it or changed its part.
    MetadataLog {
        /// Whose.
        process: Arc<str>,
        /// Whether it leads, and in which epoch.
        leads: Option<i32>,
        /// Where its log starts.
        start: i64,
        /// Where it ends.
        end: i64,
        /// Its high watermark.
        high_watermark: i64,
        /// Where its snapshots end.
        snapshots: Vec<i64>,
        /// The voters in force there.
        voters: Vec<Arc<str>>,
    },
    /// The batches that a node has applied since it was last looked at: offset, epoch and
    /// checksum.
    MetadataTaken {
        /// Who.
        process: Arc<str>,
        /// What.
        batches: Vec<(i64, i32, u32)>,
    },
    /// A numbered producer's batch was appended to a replica's log.
    Numbered {
        /// Whose log.
        process: Arc<str>,
        /// Of which partition.
        partition: Arc<str>,
        /// First offset.
        base: i64,
        /// Records.
        count: i64,
        /// The producer's id.
        producer: i64,
        /// Its epoch.
        epoch: i16,
        /// The first record's sequence number.
        sequence: i32,
        /// Whether it is part of a transaction.
        in_transaction: bool,
    },
    /// What a replica knows of the producers that wrote its log, after its log has changed.
    Producers {
        /// Whose.
        process: Arc<str>,
        /// Of which partition.
        partition: Arc<str>,
        /// By the producers' ids.
        known: BTreeMap<i64, KnownProducer>,
    },
    /// A marker that ends a transaction was appended to a replica's log.
    Marked {
        /// Whose log.
        process: Arc<str>,
        /// Of which partition.
        partition: Arc<str>,
        /// Its offset.
        base: i64,
        /// The id of the producer whose transaction it ends.
        producer: i64,
        /// Its epoch.
        epoch: i16,
        /// Whether it commits; it aborts otherwise.
        commits: bool,
    },
    /// A member, or whoever, asks a group's coordinator to take offsets.
    CommitAsked {
        /// Counts such questions.
        number: u64,
        /// Who.
        process: Arc<str>,
        /// Whom.
        coordinator: Arc<str>,
        /// Of which group.
        group: Arc<str>,
        /// Its member id; empty for whoever is none.
        member: Arc<str>,
        /// The generation or member epoch that it gives; -1 for none.
        generation: i32,
        /// What it wants committed: the next offset to read of each partition.
        offsets: Vec<(Arc<str>, i64)>,
    },
    /// A coordinator says that it has taken offsets.
    CommitTaken {
        /// The question's number.
        number: u64,
        /// Who.
        coordinator: Arc<str>,
        /// Of which group.
        group: Arc<str>,
        /// The next offset to read of each partition.
        offsets: Vec<(Arc<str>, i64)>,
    },
    /// A producer asks a group's coordinator to take offsets with its transaction.
    PendingAsked {
        /// Who.
        process: Arc<str>,
        /// Of which group.
        group: Arc<str>,
        /// The producer's id.
        producer: i64,
        /// Its epoch.
        epoch: i16,
        /// The next offset to read of each partition.
        offsets: Vec<(Arc<str>, i64)>,
    },
    /// Somebody asks for committed offsets.
    OffsetsAsked {
        /// Counts such questions.
        number: u64,
        /// Who.
        process: Arc<str>,
    },
    /// A coordinator tells committed offsets.
    OffsetsTold {
        /// The question's number.
        number: u64,
        /// Who.
        coordinator: Arc<str>,
        /// To whom.
        process: Arc<str>,
        /// Of which group.
        group: Arc<str>,
        /// The next offset to read of each partition, where one is committed.
        offsets: Vec<(Arc<str>, Option<i64>)>,
    },
    /// A reader of committed records is given some.
    Served {
        /// By whom.
        process: Arc<str>,
        /// Of which partition.
        partition: Arc<str>,
        /// First offset, and the one behind the last.
        range: (i64, i64),
        /// The aborted transactions that it is told of: producer and first offset.
        aborted: Vec<(i64, i64)>,
    },
    /// Something was done to a file of a log.
    Stored(Stored),
    /// A replica's leader epochs, after its log has changed.
    Epochs {
        /// Whose.
        process: Arc<str>,
        /// Of which partition.
        partition: Arc<str>,
        /// Where its log starts.
        start: i64,
        /// Where it ends.
        end: i64,
        /// Each epoch with its first offset.
        epochs: Vec<(i32, i64)>,
    },
}

/// What an administrator may ask that changes what can be demanded of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// That a topic is deleted, its records with it.
    TopicDeleted(Arc<str>),
    /// That a topic has other settings.
    TopicSet {
        /// Which.
        topic: Arc<str>,
        /// The settings that change, under Kafka's names.
        settings: BTreeMap<String, String>,
    },
    /// That a partition forgets its oldest records.
    RecordsDeleted {
        /// Which.
        partition: Arc<str>,
        /// The first offset to be kept.
        before: i64,
    },
    /// That a group forgets how far it has read a partition.
    OffsetDeleted {
        /// Which group.
        group: Arc<str>,
        /// Which partition.
        partition: Arc<str>,
    },
    /// That a group is forgotten, its offsets with it.
    GroupDeleted(Arc<str>),
    /// That anybody may lead a partition.
    UncleanElection(Arc<str>),
}

/// A producer as a replica knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownProducer {
    /// Its newest epoch.
    pub epoch: i16,
    /// The sequence number of its last record in that epoch, where there is one.
    pub last_sequence: Option<i32>,
    /// Where its open transaction began.
    pub transaction: Option<i64>,
}

/// What was asked of a voter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ballot {
    /// Its vote.
    Vote,
    /// Whether it would vote.
    PreVote,
}

pub(super) fn of_fact(
    process: &Arc<str>,
    fact: &Fact,
    names: &mut Dictionary,
) -> Option<Sight> {
    match fact {
        Fact::MetadataApplied { offset } => {
            Some(Sight::Applied { process: process.clone(), offset: offset.0 })
        }
        Fact::BrokerChanged { broker, epoch, .. } => {
            Some(Sight::Registered { broker: names.node(*broker), epoch: epoch.0 })
        }
        Fact::PartitionChanged { partition, state } => Some(Sight::Eligible {
            partition: names.partition(partition),
            elr: state.elr.iter().map(|&id| names.node(id)).collect(),
            last_known: state.last_known_elr.iter().map(|&id| names.node(id)).collect(),
            recovering: state.recovery == LeaderRecovery::Recovering,
        }),
        Fact::Client {
            partition: Some(partition),
            deed: ClientDeed::Positioned { cause: PositionCause::Seek, .. },
        } => {
            let (process, partition) = (process.clone(), names.partition(partition));
            Some(Sight::Sought { process, partition })
        }
        Fact::Polled { partition, base, batches, .. } => Some(Sight::Read {
            base: base.0,
            process: process.clone(),
            partition: names.partition(partition),
            batches: batches.iter().map(|batch| batch.0).collect(),
        }),
        _ => None,
    }
}
