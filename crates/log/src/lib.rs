//! One partition's log: record batches, leader epochs, and the bytes they are stored as.
//!
//! A [`Log`] keeps whole batches exactly as they came in. The leader rewrites two fields of a
//! batch, its base offset and the partition leader epoch, which lie outside the checksum;
//! nothing else is ever changed or re-encoded (LOG-1). What a restart needs goes out as
//! [`DiskOp`](topomotion_wire::DiskOp)s and comes back through [`Log::recover`].
//!
//! It is **not** a replica: it knows no high watermark, no leader and no reader. It reads no
//! disk itself, and it keeps every batch in memory.
//!
//! ```text
//!   producer, quorum ── Bytes ──► Log ── Read (whole batches) ──► fetch response
//!                                  └──── DiskOp ────► the node's disk
//! ```
//!
//! The central types are [`Batch`] (a record batch, format v2), [`BatchBuilder`],
//! [`EpochCache`] (which epoch began where, LOG-7) and [`Log`].
//!
//! Compressed batches are stored and served like any other; only reading their records is
//! refused, with [`Malformed::Compressed`]. Indexes, retention and compaction are not here yet.
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
//! let record = read.batches()[0].records()?.next().ok_or("no record")??;
//! assert_eq!(record.value.as_deref(), Some(&b"hello"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod batch;
mod builder;
mod checkpoint;
mod epochs;
mod log;
mod malformed;
mod record;
mod recovery;
mod segment;
mod varint;

pub use batch::{Attributes, Batch, Batches, Compression, ProducerStamp};
pub use builder::{BatchBuilder, RecordRef, encode_batch};
pub use epochs::{EpochCache, EpochEnd, EpochStart};
pub use log::{AppendInfo, History, Log, LogConfig, OutOfRange};
pub use malformed::Malformed;
pub use record::{Header, Record, Records};
pub use segment::Read;
