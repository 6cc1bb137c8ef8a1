//! Who of a group reads which partition: the assignors of Kafka's clients and brokers
//! (GRP-10).
//!
//! Pure functions of members, subscriptions, partition counts and what everybody owned
//! before; no member is asked and nothing is remembered. The client that leads a classic
//! group calls them, and so does the coordinator of a KIP-848 group. Racks are not looked at,
//! as little as Kafka's own server-side assignors do.
//!
//! ```text
//!   coordinator ──┐
//!                 ├── Group ──► Assignor::assign ──► Assignment
//!   client ───────┘
//! ```
//!
//! ```
//! use topomotion_assignor::{Assignor, Group, Member};
//! let group = Group {
//!     members: vec![Member::new("a", ["orders"]), Member::new("b", ["orders"])],
//!     topics: [("orders".into(), 3)].into(),
//! };
//! let assignment = Assignor::Range.assign(&group);
//! assert_eq!(assignment["a"].len(), 2);
//! assert_eq!(assignment["b"].len(), 1);
//! ```

mod cooperative;
mod defects;
mod group;
mod owners;
mod range;
mod round_robin;
mod sticky;
mod uniform;

pub use group::{Assignment, Group, Member};

/// Who divides the partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Assignor {
    /// `range`: a run of partitions of each topic to each member.
    Range,
    /// `roundrobin`: one partition to each member in turn.
    RoundRobin,
    /// `sticky`: balanced, and as much as possible stays where it was.
    Sticky,
    /// `cooperative-sticky`: the same, in two steps: what changes hands is given to nobody
    /// until its owner has let go (KIP-429).
    CooperativeSticky,
    /// `uniform`, of a KIP-848 coordinator: balanced and sticky.
    Uniform,
}

impl Assignor {
    /// All of them.
    pub const ALL: [Assignor; 5] = [
        Assignor::Range,
        Assignor::RoundRobin,
        Assignor::Sticky,
        Assignor::CooperativeSticky,
        Assignor::Uniform,
    ];

    /// Kafka's name for it.
    pub const fn name(self) -> &'static str {
        match self {
            Assignor::Range => "range",
            Assignor::RoundRobin => "roundrobin",
            Assignor::Sticky => "sticky",
            Assignor::CooperativeSticky => "cooperative-sticky",
            Assignor::Uniform => "uniform",
        }
    }

    /// The assignor that Kafka calls so.
    pub fn from_name(name: &str) -> Option<Assignor> {
        Assignor::ALL.into_iter().find(|assignor| assignor.name() == name)
    }

    /// Divides the partitions of all topics that somebody subscribes to. Every member is in
    /// the answer, with its partitions in order; partitions of topics that nobody knows or
    /// subscribes to are in nobody's.
    pub fn assign(self, group: &Group) -> Assignment {
        let fresh = defects::forgotten(group);
        let group = fresh.as_ref().unwrap_or(group);
        let mut assignment = match self {
            Assignor::Range => range::assign(group),
            Assignor::RoundRobin => round_robin::assign(group),
            Assignor::Sticky => sticky::assign(group),
            Assignor::CooperativeSticky => cooperative::assign(group),
            Assignor::Uniform => uniform::assign(group),
        };
        assignment.values_mut().for_each(|partitions| partitions.sort_unstable());
        defects::spoil(group, &mut assignment);
        assignment
    }
}
