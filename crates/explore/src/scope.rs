//! How large the space is: the cluster, the story, the faults, and where to stop.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_wire::{Acks, Duration};

/// What can go wrong, each at any moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A node's process is killed; its disk keeps everything written. It may start again at
    /// any quiet moment.
    Crash,
    /// As a crash, but the partitions' logs, which nobody flushes, are gone (X02).
    PowerLoss,
    /// A connection breaks, with everything on its way on it.
    Reset,
    /// Two nodes cannot reach each other, until the cut is mended at any quiet moment.
    Cut,
}

impl Fault {
    /// Every kind of fault, with its name.
    pub const ALL: [(Fault, &'static str); 4] = [
        (Fault::Crash, "crash"),
        (Fault::PowerLoss, "power-loss"),
        (Fault::Reset, "reset"),
        (Fault::Cut, "cut"),
    ];
}

/// When faults strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moments {
    /// In every state.
    Any,
    /// When nothing is on its way: far fewer states, and no race with a message.
    Quiet,
}

/// When brokers learn what was committed to the metadata log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learning {
    /// Each in its own time, before or after whatever else is on its way.
    AnyOrder,
    /// At once: far fewer states, and no broker that lags behind another. Voters still learn
    /// from one another in any order.
    AtOnce,
}

/// What is explored.
#[derive(Debug, Clone, PartialEq)]
pub struct Scope {
    /// Brokers, 1 to 3; each holds a replica of the one partition.
    pub brokers: u8,
    /// Controllers beside the brokers, 0 to 3. With 0 every broker has a vote.
    pub controllers: u8,
    /// What is asked for each record, at most two of them.
    pub records: Vec<Acks>,
    /// How many faults may happen, at most two.
    pub faults: u8,
    /// Of which kinds.
    pub kinds: BTreeSet<Fault>,
    /// And when.
    pub moments: Moments,
    /// Whether brokers learn of changes in any order.
    pub learning: Learning,
    /// How much engine time may pass.
    pub horizon: Duration,
    /// How many different states may be visited.
    pub states: usize,
    /// Settings of every node under Kafka's names, era switches among them.
    pub settings: BTreeMap<String, String>,
}

impl Default for Scope {
    /// Two brokers and a controller, one record with acks=all, one fault.
    fn default() -> Scope {
        Scope {
            brokers: 2,
            controllers: 1,
            records: vec![Acks::All],
            faults: 1,
            kinds: BTreeSet::from([Fault::Crash, Fault::Reset, Fault::Cut]),
            moments: Moments::Any,
            learning: Learning::AnyOrder,
            horizon: Duration::from_millis(10_000),
            states: 1_000_000,
            settings: BTreeMap::new(),
        }
    }
}

impl Scope {
    /// Whether it is tiny enough, and of something.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !(1..=3).contains(&self.brokers) {
            return Err("there can be 1 to 3 brokers".to_owned());
        }
        if self.controllers > 3 {
            return Err("there can be at most 3 controllers".to_owned());
        }
        if self.records.len() > 2 || self.records.contains(&Acks::None) {
            return Err(
                "there can be at most 2 records, with acks=1 or acks=all".to_owned()
            );
        }
        if self.faults > 2 {
            return Err("there can be at most 2 faults".to_owned());
        }
        if self.states >= u32::MAX as usize {
            return Err("so many states fit into no memory".to_owned());
        }
        Ok(())
    }
}
