//! The deterministic world: real Kafka nodes and clients on a virtual network, with virtual
//! disks and a virtual clock, hurt on demand.
//!
//! [`bind`] turns a topology into a cluster that can be run, and says what it inferred.
//! [`run`] sets that cluster up, plays one scenario on it and writes down everything that
//! happened as a [`Trace`](topomotion_trace::Trace). One seed gives one run: the queue is
//! ordered by time and sequence, every host draws from its own random stream, and nothing
//! else is random.
//!
//! ```text
//!   Topology ──bind──► Binding ─┐
//!   Scenario ───────────────────┴─► RunFile ──play──► Outcome { trace, verdicts }
//!                                              │
//!                                   World: queue · links · disks · faults
//! ```
//!
//! It is **not** Kafka (that is `broker` and `client`), and it does not judge: whether an
//! expectation holds is answered by a [`Judge`], and the one to use is `verify`'s.
//!
//! ```
//! use topomotion_model::builder::{EdgeConfig, ProcessConfig, TopologyBuilder};
//! use topomotion_sim::{Ending, Observer, RunOptions, bind, builtin_scenarios};
//!
//! let mut topology = TopologyBuilder::default();
//! for id in ["broker-1", "broker-2", "order-producer"] {
//!     topology.create_process(ProcessConfig::new(id));
//! }
//! topology.connect(EdgeConfig::new("order-producer", "broker-2"));
//! let (topology, _) = topology.build().expect("no mistakes");
//!
//! let binding = bind(&topology).expect("no mistakes");
//! let told = "`order-producer` is a producer: its name says so.";
//! assert!(binding.explain().iter().any(|sentence| sentence == told));
//!
//! let scenario = &builtin_scenarios(&binding)[0];
//! let judge = &mut Observer::new();
//! let outcome = topomotion_sim::run(&binding, scenario, &RunOptions::default(), judge);
//! assert_eq!(outcome.expect("can be run").ending, Ending::Quiet);
//! ```

mod aftermath;
mod apps;
mod bind;
mod builtin;
mod chronicle;
mod coverage;
mod judge;
mod line;
mod node_settings;
mod options;
mod outcome;
mod packet;
mod plan;
mod record;
mod run;
mod runfile;
mod serdes;
mod settings;
mod storm;
mod world;

pub use aftermath::{Aftermath, Demand};
pub use bind::{Binding, Bound, bind};
pub use builtin::{Billing, Builtin, builtin, builtin_scenarios, builtins};
pub use chronicle::{Chronicle, Payloads};
pub use coverage::Coverage;
pub use judge::{Attention, Judge, Observer, Registration, Replica, negate};
pub use node_settings::set_node_settings;
pub use options::{Limits, RunOptions};
pub use outcome::{Ending, Outcome, Verdict};
pub use plan::{
    ActorKind, ActorPlan, ClusterPlan, ConsumerPlan, Membership, NodePlan, NodeRole,
    ProducerPlan, TopicPlan, ZooKeeperPlan,
};
pub use record::{Asked, Ballot, KnownProducer, Sight};
pub use record::{Filed, Stored, StoredBatch, StoredKind, StoredRecord};
pub use run::{play, play_from, probe, run};
pub use runfile::{Action, PlannedStep, RunFile};
pub use storm::draw::{Clients, Climate, draw};
pub use storm::operation::{Deed, Operation};
pub use storm::strike::{Blow, Strike};
pub use storm::{Misread, Storm, Weather};
