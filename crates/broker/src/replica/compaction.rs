//! What compaction asks of a replica: records with keys, and rounds of the cleaner (LOG-5).
//!
//! Every replica compacts its own log. A round touches nothing beyond the last stable offset,
//! so whoever is told to cut its log loses nothing that it has compacted.

use topomotion_log::{Batch, Compression, Malformed};
use topomotion_wire::{Bytes, ErrorCode, Fact, Rule};

use super::{Replica, Site};
use crate::net::Effects;
use crate::topic_settings::TopicSettings;

/// What a round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Compacted {
    Nothing,
    Something,
}

impl Replica {
    /// Whether a round might find something to do.
    pub(crate) fn may_be_compacted(&self) -> bool {
        self.log.config().compaction.is_some() && self.log.has_closed_dirt()
    }

    /// Compacts the log, if it is dirty enough. One whose records cannot be read is left as it
    /// is.
    pub(crate) fn compact(&mut self, site: Site<'_>, effects: &mut Effects) -> Compacted {
        let stable = self.last_stable_offset();
        let Ok(Some(deed)) = self.log.compact(site.wall_ms(), stable) else {
            return Compacted::Nothing;
        };
        effects.mark_at(Rule::Log5, &self.id);
        self.write(effects);
        effects.fact(Fact::Log { partition: self.id.clone(), deed });
        Compacted::Something
    }
}

/// What the leader stores of what a producer sent: the same, or compressed as the topic wants
/// it.
///
/// # Errors
/// When the records cannot be read although somebody must, or one has no key in a topic that
/// is compacted.
pub(super) fn stored(
    topic: TopicSettings<'_>,
    records: Bytes,
) -> Result<Bytes, ErrorCode> {
    let batch = Batch::split_from(&mut records.clone()).map_err(Malformed::error_code)?;
    let codec = batch.attributes().compression().map_err(Malformed::error_code)?;
    let needs_keys = topic.is_compacting();
    if needs_keys || codec != Compression::None {
        for record in batch.records().map_err(Malformed::error_code)? {
            let record = record.map_err(Malformed::error_code)?;
            if needs_keys && record.key.is_none() {
                return Err(ErrorCode::InvalidRecord);
            }
        }
    }
    match topic.compression() {
        Some(wanted) if wanted != codec => {
            let batch = batch.recompressed(wanted).map_err(Malformed::error_code)?;
            Ok(batch.into_bytes())
        }
        _ => Ok(records),
    }
}
