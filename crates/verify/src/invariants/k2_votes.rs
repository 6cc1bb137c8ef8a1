//! K2: a voter gives one vote in each epoch, and remembers it when it is started again.

use std::collections::BTreeMap;

use topomotion_sim::{Ballot, Sight};
use topomotion_trace::{QuorumRole, StateChange};

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name};

#[derive(Debug, Default)]
pub(crate) struct Votes {
    given: BTreeMap<(Name, i32), Name>,
    /// The last vote of each for itself.
    own: BTreeMap<Name, i32>,
}

impl Votes {
    fn vote(
        &mut self,
        voter: &Name,
        epoch: i32,
        candidate: &Name,
        bench: &mut Bench<'_>,
    ) {
        let place = (voter.clone(), epoch);
        let first = self.given.entry(place).or_insert_with(|| candidate.clone());
        bench.demand("K2", first == candidate, || {
            format!("{voter} voted for {first} and for {candidate} in epoch {epoch}")
        });
    }
}

impl Checker for Votes {
    fn see(&mut self, _model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        // A candidate votes for itself.
        if let StateChange::Quorum { process, role: QuorumRole::Candidate, epoch } =
            change
        {
            self.own.insert(process.clone(), *epoch);
            self.vote(process, *epoch, process, bench);
        }
    }

    fn witness(&mut self, _model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        if let Sight::Voted { voter, candidate, epoch, kind: Ballot::Vote } = sight {
            // Whoever gets a vote has asked for it, and had its own on the platter before.
            self.own.remove(candidate);
            self.vote(voter, *epoch, candidate, bench);
        }
        // A vote for itself that nobody was told of may be lost with the power.
        if let Sight::LostPower(process) = sight
            && let Some(epoch) = self.own.remove(process)
        {
            self.given.remove(&(process.clone(), epoch));
        }
    }
}
