//! K6, K8, K9, K15: the metadata logs. What is committed is the same everywhere and is never
//! cut off, a log begins where a snapshot ends, and voters come and go one at a time.

use std::collections::BTreeMap;

use topomotion_sim::Sight;
use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name};

/// A metadata log when it was looked at last.
#[derive(Debug, Clone, Default)]
struct Seen {
    leads: Option<i32>,
    end: i64,
    high_watermark: i64,
    voters: Vec<Name>,
}

#[derive(Debug, Default)]
pub(crate) struct MetadataLogs {
    /// Epoch and checksum of each batch that somebody has applied, and who was the first.
    committed: BTreeMap<i64, (i32, u32, Name)>,
    seen: BTreeMap<Name, Seen>,
}

impl MetadataLogs {
    fn agree(&mut self, process: &Name, batch: &(i64, i32, u32), bench: &mut Bench<'_>) {
        let (base, epoch, crc) = *batch;
        let first = self.committed.entry(base);
        let first = first.or_insert_with(|| (epoch, crc, process.clone()));
        bench.demand("K6", (first.0, first.1) == (epoch, crc), || {
            format!(
                "{process} and {} have applied different records at metadata offset {base}",
                first.2
            )
        });
    }

    fn look(&mut self, process: &Name, now: &Seen, bench: &mut Bench<'_>) {
        let Some(before) = self.seen.get(process) else { return };
        bench.demand("K8", now.end >= before.high_watermark, || {
            format!(
                "{process} cut its metadata log to {}, below its high watermark {}",
                now.end, before.high_watermark
            )
        });
        if now.leads.is_none() || now.leads != before.leads {
            return;
        }
        bench.demand("K8", now.end >= before.end, || {
            format!(
                "{process} leads the quorum and cut its log from {} to {}",
                before.end, now.end
            )
        });
        let come = now.voters.iter().filter(|it| !before.voters.contains(it)).count();
        let gone = before.voters.iter().filter(|it| !now.voters.contains(it)).count();
        bench.demand("K15", come + gone <= 1, || {
            let (was, is) = (before.voters.join(", "), now.voters.join(", "));
            format!("the voters went from {{{was}}} to {{{is}}} at once")
        });
    }
}

/// The metadata log among the partitions.
const METADATA: &str = "__cluster_metadata-0";

impl Checker for MetadataLogs {
    fn see(&mut self, _model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        let StateChange::Truncated { process, partition, end } = change else { return };
        let known = self.seen.get(process).filter(|_| &**partition == METADATA);
        let Some(high_watermark) = known.map(|it| it.high_watermark) else { return };
        bench.demand("K8", *end >= high_watermark, || {
            format!(
                "{process} cut its metadata log to {end}, below its high watermark \
                 {high_watermark}"
            )
        });
    }

    fn witness(&mut self, _model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        match sight {
            Sight::Started(process) | Sight::LostPower(process) => {
                self.seen.remove(process);
            }
            Sight::MetadataTaken { process, batches } => {
                batches.iter().for_each(|batch| self.agree(process, batch, bench));
            }
            Sight::MetadataLog {
                process,
                leads,
                start,
                end,
                high_watermark,
                snapshots,
                voters,
            } => {
                let is_founded = *start == 0 || snapshots.contains(start);
                bench.demand("K9", is_founded, || {
                    format!("the metadata log of {process} begins at {start}, and no snapshot ends there")
                });
                let (leads, end, high_watermark) = (*leads, *end, *high_watermark);
                let now = Seen { leads, end, high_watermark, voters: voters.clone() };
                self.look(process, &now, bench);
                self.seen.insert(process.clone(), now);
            }
            _ => {}
        }
    }
}
