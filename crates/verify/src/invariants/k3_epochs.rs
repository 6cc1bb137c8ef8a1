//! K3: a node's quorum epoch never falls, not even when it is started again; unless its disk
//! was lost.

use std::collections::BTreeMap;

use topomotion_sim::Sight;
use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name};

#[derive(Debug, Default)]
pub(crate) struct Epochs {
    reached: BTreeMap<Name, i32>,
}

impl Checker for Epochs {
    fn see(&mut self, _model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        let StateChange::Quorum { process, epoch, .. } = change else { return };
        let reached = self.reached.entry(process.clone()).or_insert(*epoch);
        bench.demand("K3", epoch >= reached, || {
            format!("the quorum epoch of {process} fell from {reached} to {epoch}")
        });
        *reached = (*reached).max(*epoch);
    }

    fn witness(&mut self, _model: &Model, sight: &Sight, _bench: &mut Bench<'_>) {
        if let Sight::LostDisk(process) = sight {
            self.reached.remove(process);
        }
    }
}
