//! The transaction coordinator: one partition of `__transaction_state`.
//!
//! It keeps one transaction per `transactional.id`. Every change is a record first; the state
//! in memory is what the durable records say, and one change per id is under way at a time
//! (`CONCURRENT_TRANSACTIONS` for whoever comes in between). TXN-1 to TXN-6, TXN-10, TXN-11;
//! KIP-98, KIP-360, KIP-890.
//!
//! ```text
//!   request ─► init · add · end ─► Decision::Write ─► record, durable ─► answer
//!                                                         │ Prepare…
//!   Complete… ◄─ record, durable ◄─ every marker written ◄─ markers to the leaders
//! ```

mod add;
mod answer;
mod clock;
mod config;
mod decision;
mod describe;
mod end;
mod entries;
mod init;
mod machine;
mod markers;
mod records;
mod requests;
mod state;
#[cfg(test)]
mod testing;

pub use config::{TransactionConfig, TransactionVersion};
pub use machine::TransactionShard;
