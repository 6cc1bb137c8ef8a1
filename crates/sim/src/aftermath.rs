//! What must come back after a storm, and by when.

use std::collections::{BTreeMap, BTreeSet};

macro_rules! demands {
    ($($name:ident = $id:literal, $within_ms:literal, $what:literal;)*) => {
        /// Something that must be so again once the world is mended.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Demand {
            $(#[doc = $what] $name,)*
        }

        impl Demand {
            /// Every demand, in the order in which they are looked at.
            pub const ALL: &'static [Demand] = &[$(Demand::$name,)*];

            /// Its id, such as `L3`.
            pub const fn id(self) -> &'static str {
                match self { $(Demand::$name => $id,)* }
            }

            /// How long it may take, in ms of engine time.
            pub const fn within_ms(self) -> u64 {
                match self { $(Demand::$name => $within_ms,)* }
            }

            /// What must be so.
            pub const fn what(self) -> &'static str {
                match self { $(Demand::$name => $what,)* }
            }
        }
    };
}

// Ten election timeouts; the session that a controller new in office grants to whoever was
// there before, the longest pause between two registrations, and two heartbeats more; the lag
// that an ISR tolerates and a round with the controller more; what a producer may take; a reader's round; the
// longest session, rebalance and slow application that storms have, after L3; the longest
// transaction and two looks of its coordinator, after L3; and a second reader's round.
demands! {
    QuorumLeader = "L1", 10_000, "the metadata quorum has a leader";
    BrokersUnfenced = "L2", 33_000, "every living broker is unfenced";
    PartitionsLed = "L3", 43_000, "every partition with a living eligible replica is led";
    IsrWhole = "L4", 65_000, "every living replica is in sync";
    ProducesAnswered = "L5", 150_000, "every record sent before is answered";
    AllReadAnew = "L8", 320_000, "a fresh reader of committed records gets to the end of every partition";
    EverythingRead = "J12", 160_000, "every committed record is read";
    GroupsStable = "L6", 120_000, "every group is stable, and its members own every partition";
    TransactionsOver = "L7", 100_000, "no transaction is open";
    NothingUnstable = "T5", 100_000, "no partition has an unstable offset";
    MetadataEqual = "L9", 65_000, "every node has applied the same metadata";
}

/// What came back, and what came too late.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Aftermath {
    /// What was so at some moment after the mending.
    pub met: BTreeSet<Demand>,
    /// What was not so in time, and what was missing then.
    pub late: BTreeMap<Demand, String>,
}
