//! The transaction coordinator: one partition of `__transaction_state`.
//!
//! It keeps one transaction per `transactional.id`. Every change is a record first; the state
//! in memory is what the durable records say, and one change per id is under way at a time
//! (`CONCURRENT_TRANSACTIONS` for whoever comes in between). TXN-1 to TXN-6, TXN-10, TXN-11;
//! KIP-98, KIP-360, KIP-890.

mod config;
mod machine;

pub use config::{TransactionConfig, TransactionVersion};
pub use machine::TransactionShard;
