//! K5: what the quorum's leader holds committed is in the logs of a majority of the voters.

use topomotion_sim::Sight;

use super::Checker;
use crate::court::Bench;
use crate::model::Model;

#[derive(Debug)]
pub(crate) struct Majority;

impl Checker for Majority {
    fn witness(&mut self, _model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        let Sight::Committed { process, offset, holders, voters } = sight else { return };
        bench.demand("K5", holders * 2 > *voters, || {
            format!(
                "{process} holds metadata up to {offset} committed; {holders} of {voters} \
                 voters have it"
            )
        });
    }
}
