//! Group and transaction coordinators: each shard is one partition of `__consumer_offsets`
//! or `__transaction_state`, as the broker that leads it serves it.
//!
//! A shard is a state machine over its partition's records. It knows no network, no log and
//! no replica: what it wants appended it says ([`Effect::Append`]), and hears back when that
//! was appended and when it is committed. So everything that it answers is durable first, and
//! a new leader finds it by reading the same records again.
//!
//! ```text
//!   request ──► Shard ──Effect::Append──► the broker's replica ──► log, followers
//!                 ▲ └──Effect::Answer──► client                      │
//!                 └── appended, committed ◄─────── high watermark ◄──┘
//! ```

mod group;
mod hash;
mod shard;
mod transaction;

pub use group::{GroupConfig, GroupShard, GroupVersion};
pub use hash::{java_hash, partition_for};
pub use shard::{
    Caller, Control, Directory, Effect, Loaded, Shard, Stamp, Ticket, WriteBatch,
    WriteToken,
};
pub use transaction::{TransactionConfig, TransactionShard, TransactionVersion};
