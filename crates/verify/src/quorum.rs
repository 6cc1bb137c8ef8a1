//! The metadata quorum: K1.

use std::collections::BTreeMap;

use topomotion_trace::{QuorumRole, StateChange};

use crate::court::Bench;
use crate::model::Name;

/// Who led in which epoch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Elections {
    leaders: BTreeMap<i32, Name>,
}

impl Elections {
    pub fn check(&mut self, change: &StateChange, bench: &mut Bench<'_>) {
        let StateChange::Quorum { process, role: QuorumRole::Leader, epoch } = change
        else {
            return;
        };
        let first = self.leaders.entry(*epoch).or_insert_with(|| process.clone());
        bench.demand("K1", first == process, || {
            format!("{first} and {process} both led the quorum in epoch {epoch}")
        });
    }
}
