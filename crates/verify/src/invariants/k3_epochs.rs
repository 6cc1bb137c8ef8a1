//! K3: a node's quorum epoch never falls, not even when it is started again; unless its disk
//! was lost.

use std::collections::BTreeMap;

use topomotion_sim::{Ballot, Sight};
use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name};

#[derive(Debug, Default)]
pub(crate) struct Epochs {
    reached: BTreeMap<Name, i32>,
    /// The highest epoch that each has given its vote in: before that left it was durable.
    voted: BTreeMap<Name, i32>,
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
        match sight {
            Sight::LostDisk(process) => {
                self.reached.remove(process);
                self.voted.remove(process);
            }
            Sight::Voted { voter, epoch, kind: Ballot::Vote, .. } => {
                let voted = self.voted.entry(voter.clone()).or_insert(*epoch);
                *voted = (*voted).max(*epoch);
            }
            // An epoch that nobody was told of may not have reached the platter.
            Sight::LostPower(process) => {
                let voted = self.voted.get(process).copied().unwrap_or(0);
                self.reached.insert(process.clone(), voted);
            }
            _ => {}
        }
    }
}
