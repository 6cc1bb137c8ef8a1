//! K4: what a node knows to be committed of the metadata, and what it has applied of it, never
//! shrinks while it runs.

use std::collections::BTreeMap;

use topomotion_sim::Sight;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name};

#[derive(Debug, Default)]
pub(crate) struct Progress {
    applied: BTreeMap<Name, i64>,
    committed: BTreeMap<Name, i64>,
}

impl Checker for Progress {
    fn witness(&mut self, _model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        match sight {
            Sight::Started(process) => {
                self.applied.remove(process);
                self.committed.remove(process);
            }
            Sight::MetadataLog { process, high_watermark, .. } => {
                let before = self.committed.insert(process.clone(), *high_watermark);
                let before = before.unwrap_or(0);
                bench.demand("K4", *high_watermark >= before, || {
                    format!(
                        "the high watermark of the metadata log of {process} fell from \
                         {before} to {high_watermark}"
                    )
                });
            }
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
