//! What happened, as append-only plain data.
//!
//! A [`Trace`] is written by the simulator (or made from a scripted flow, or recorded from
//! real clients) and read by the director and the checkers. It has no behaviour beyond
//! being printed, one readable line an [`Event`], and hashed. It knows neither the engine
//! nor the picture: processes are named by their ids in the topology.
//!
//! ```text
//!   sim ──► Trace ──► animate, verify
//! ```
//!
//! ```
//! use topomotion_trace::{Event, Fault, Time, Trace, What};
//! let mut trace = Trace::default();
//! trace.events.push(Event { at: Time(9_000_000), what: What::Fault(Fault::Crash { process: "broker-1".into() }) });
//! assert_eq!(trace.to_string(), "9.000000 ✗ broker-1 crashes\n");
//! ```

mod event;
mod group;
mod packet;
mod state;
mod text;

pub use event::{Event, Fault, Flow, Time, Tone, Trace, What};
pub use group::{GroupMember, GroupState, Ownership, TransactionState, TransactionStep};
pub use packet::{Loss, Packet, PacketId, Travel};
pub use state::{BrokerLiveness, ProcessState, QuorumRole, StateChange};
