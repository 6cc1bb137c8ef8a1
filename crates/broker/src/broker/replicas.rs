//! All replicas of a broker, and what is to be expected of them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use topomotion_wire::{Instant, TopicPartition};

use crate::replica::{Replica, Site};

/// Every replica, by its partition.
///
/// A node is asked for its deadline with every event, while most events (a consumer's fetch,
/// a heartbeat) change no replica: what all of them together said is kept until one may have
/// changed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Replicas {
    all: BTreeMap<TopicPartition, Replica>,
    outlook: Cell<Option<Outlook>>,
}

/// What is to be expected if nothing more is heard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outlook {
    /// From when on a member of some ISR lags too long (REP-10).
    pub(crate) shrink_due: Option<Instant>,
    pub(crate) cleaning: Cleaning,
}

/// Whether there is anything for the log cleaner to look at (LOG-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cleaning {
    Idle,
    Wanted,
}

impl Replicas {
    pub(crate) fn outlook(&self, site: Site<'_>) -> Outlook {
        let look = || {
            let replicas = || self.all.values();
            let is_any = replicas().any(Replica::may_be_compacted);
            Outlook {
                shrink_due: replicas().filter_map(|it| it.shrink_due(site)).min(),
                cleaning: if is_any { Cleaning::Wanted } else { Cleaning::Idle },
            }
        };
        let outlook = self.outlook.get().unwrap_or_else(look);
        self.outlook.set(Some(outlook));
        outlook
    }
}

impl Deref for Replicas {
    type Target = BTreeMap<TopicPartition, Replica>;

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl DerefMut for Replicas {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.outlook.set(None);
        &mut self.all
    }
}
