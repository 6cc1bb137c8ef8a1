//! K4: what a node has applied of the committed metadata never shrinks while it runs.

use std::collections::BTreeMap;

use topomotion_sim::Sight;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name};

#[derive(Debug, Default)]
pub(crate) struct Progress {
    applied: BTreeMap<Name, i64>,
}

impl Checker for Progress {
    fn witness(&mut self, _model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        match sight {
            Sight::Started(process) => _ = self.applied.remove(process),
            Sight::Applied { process, offset } => {
                let before = self.applied.insert(process.clone(), *offset).unwrap_or(0);
                bench.demand("K4", *offset >= before, || {
                    format!("{process} had applied {before} and now {offset}")
                });
            }
            _ => {}
        }
    }
}
