//! Every order of events of a tiny cluster, visited one state at a time.
//!
//! The machines that the simulator runs are pure: inputs and time go in, outputs come out, and
//! a copy of one goes on as the original would. So the whole space of a small story can be
//! walked: from the same beginning (cluster up, topic there, leader elected, producer warm),
//! every message may arrive before or after every other that does not travel in front of it
//! on the same connection, and every fault of the budget may strike in every state. Each state
//! is looked at once and judged by what an onlooker sees of it: [`INVARIANTS`].
//!
//! ```text
//!   Scope ──set_up──► World ──choices──► World' ─ digest ─► known? ── judge ──► Explored
//!                       ▲                   │
//!                       └─── by engine time ┘
//! ```
//!
//! **What is left out.** Messages take no time of their own: a timer goes off only when nothing
//! is on its way, so slowness shows as a fault (a cut, a broken connection) and not by itself.
//! All clocks agree. A flush is through, and a dial has succeeded or failed, at once. Routine
//! (heartbeats of trusted brokers, fetches of nothing) is exchanged before anything else.
//! Elections use one drawing of the random timeouts. Processes start again, cuts mend and the
//! application sends only in quiet moments. What a horizon or a bound left out is told:
//! [`Ending`].
//!
//! It is not the simulator, which runs one course of events in real proportions and draws it,
//! and not a proof for larger clusters. The central types are [`Scope`] and [`Explored`].
//!
//! ```
//! use topomotion_explore::{Ending, Scope, explore};
//!
//! let one_broker = Scope { brokers: 1, faults: 0, ..Scope::default() };
//! let explored = explore(&one_broker).expect("a cluster of one comes up");
//! assert_eq!(explored.ending, Ending::Exhausted);
//! assert_eq!(explored.broken, None);
//! ```

mod choice;
mod digest;
mod disk;
mod evidence;
mod history;
mod host;
mod invariants;
mod link;
mod routine;
mod scope;
mod search;
mod setup;
mod world;

pub use disk::Entry;
pub use evidence::{Copy, Evidence, Member, Seen};
pub use history::{History, Promise};
pub use invariants::{Finding, INVARIANTS, judge};
pub use scope::{Fault, Moments, Scope};
pub use topomotion_wire::{Acks, Duration};

pub use search::{Broken, Ending, Explored, explore, retell};
