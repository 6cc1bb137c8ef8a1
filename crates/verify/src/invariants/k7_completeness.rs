//! K7: whoever is elected has everything that was ever committed.

use topomotion_sim::Sight;

use super::Checker;
use crate::court::Bench;
use crate::model::Model;

#[derive(Debug, Default)]
pub(crate) struct Completeness {
    committed: i64,
}

impl Checker for Completeness {
    fn witness(&mut self, _model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        match sight {
            Sight::Applied { offset, .. } => self.committed = self.committed.max(*offset),
            Sight::Elected { process, end } => {
                let committed = self.committed;
                bench.demand("K7", *end >= committed, || {
                    format!(
                        "{process} was elected with metadata up to {end}; up to \
                         {committed} was committed"
                    )
                });
            }
            _ => {}
        }
    }
}
