//! One partition's log: record batches, leader epochs, and the bytes they are stored as.
//!
//! A [`Log`] keeps whole batches exactly as they came in. The leader rewrites two fields of a
//! batch, its base offset and the partition leader epoch, which lie outside the checksum;
//! nothing else is ever changed or re-encoded (LOG-1).
//!
//! ```text
//!   producer, quorum ── Bytes ──► Log ── Read (whole batches) ──► fetch response
//!                                  └──── DiskOp ────► Disk ── Files ──► Log::recover
//! ```
//!
//! **In memory** a log is a row of segments of shared bytes; a read is a share of them, found
//! through the same sparse indexes that are written to disk. Nothing is allocated per record,
//! and no record is decoded, but for a lookup by timestamp.
//!
//! **On disk** it is what Kafka writes: `.log`, `.index` and `.timeindex` per segment, and
//! `leader-epoch-checkpoint` beside them; [`checkpoint`] has the files that belong to the node.
//! A log reads no disk itself. What it wants written goes out as
//! [`DiskOp`](topomotion_wire::DiskOp)s, in order, from [`Log::poll_disk`]; what survived
//! comes back through [`Log::recover`]. Appends are written, not flushed (LOG-6): whoever must
//! wait for the platter asks with [`Log::flush`] and hands the answers to [`Log::flushed`],
//! which moves the recovery point.
//!
//! A [`Disk`] is a value that belongs to the world around the machine. [`MemoryDisk`] is one
//! that can lose what was not flushed, tear a write, fill up and fail. A machine is not told of
//! a failed write: Kafka halts when its only log directory fails, so the world ends the
//! process.
//!
//! **Producers** are known by what they wrote: [`ProducerStates`] is a fold of the batches, kept
//! along with the log through cuts and restarts (PRD-7), `.snapshot` and `.txnindex` files
//! beside it. Whether to append what a producer sends is the leader's to ask
//! ([`ProducerStates::check`]).
//!
//! A log is **not** a replica: it knows no high watermark, no leader and no reader.
//!
//! The central types are [`Batch`] (a record batch, format v2), [`BatchBuilder`],
//! [`EpochCache`] (which epoch began where, LOG-7), [`Log`] and [`MemoryDisk`].
//!
//! Compressed batches are stored and served like any other; only who looks at their records
//! inflates them, and no further than [`MAX_INFLATED_BYTES`].
//!
//! ```
//! use topomotion_log::{BatchBuilder, Log, LogConfig, RecordRef};
//! use topomotion_wire::{LeaderEpoch, Offset, TopicPartition};
//!
//! let mut log = Log::new(TopicPartition::new("orders", 0), LogConfig::default());
//! let mut builder = BatchBuilder::new();
//! builder.push(&RecordRef { value: Some(b"hello"), ..RecordRef::default() });
//! let info = log.append_as_leader(builder.build().into_bytes(), LeaderEpoch(0))?;
//! assert_eq!((info.base, info.end), (Offset(0), Offset(1)));
//!
//! let read = log.read(Offset(0), log.end_offset(), 1 << 20)?;
//! let batch = read.batches().next().ok_or("no batch")?;
//! let record = batch.records()?.next().ok_or("no record")??;
//! assert_eq!(record.value.as_deref(), Some(&b"hello"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod batch;
mod builder;
pub mod checkpoint;
mod cleaner;
mod compression;
mod config;
mod disk;
mod epochs;
mod flush;
mod header;
mod log;
mod lookup;
mod malformed;
mod producers;
mod record;
mod recovery;
mod retention;
mod segment;
mod varint;

pub use batch::{Attributes, Batch, Batches, Compression, ProducerStamp};
pub use builder::{BatchBuilder, RecordRef, encode_batch};
pub use cleaner::Dirt;
pub use compression::MAX_INFLATED_BYTES;
pub use config::{Compaction, LogConfig, Ratio};
pub use disk::{Applied, Disk, DiskError, FlushId, MemoryDisk, Written};
pub use epochs::{EpochCache, EpochEnd, EpochStart};
pub use log::{AppendInfo, History, Log, OutOfRange};
pub use lookup::OffsetSpec;
pub use malformed::Malformed;
pub use producers::{
    AbortedTransaction, BatchTrace, CompletedTransaction, Marker, MarkerKind, Origin,
    ProducerState, ProducerStates, Verdict,
};
pub use record::{Header, Record, Records};
pub use recovery::Checkpointed;
pub use retention::Start;
pub use segment::Read;
