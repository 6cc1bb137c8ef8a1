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
//! Timers go off twice a second, those of one beat in every order; limits of five seconds and
//! more (of a request, a delivery, an idle connection) never run out, and high watermarks are
//! not checkpointed. All clocks agree. A flush is through, and a dial has succeeded or failed,
//! at once. Routine (heartbeats, registrations, fetches of nothing, fetches of the metadata log
//! by brokers; with [`Learning::AtOnce`] their answers) is exchanged before anything else. What
//! machines draw or take in turns, each state goes on with one drawing of. Processes start
//! again, cuts mend and the application sends only in quiet moments. What a horizon or a bound
//! left out is told: [`Ending`].
//!
//! **What was exhausted.** Two brokers, a controller, one record with acks=all, one crash:
//! 33,850 states when it strikes at quiet moments, 64,883 when it strikes at any, in 4 s of
//! engine time; 5,918 and 8,204 where brokers learn of changes at once. No state breaks an
//! invariant. Two faults, two records or more nodes were not exhausted.
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
pub use scope::{Fault, Learning, Moments, Scope};
pub use topomotion_wire::{Acks, Duration};

pub use search::{Broken, Ending, Explored, explore, retell};
