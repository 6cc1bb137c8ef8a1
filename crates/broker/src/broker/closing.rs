//! The end of a broker that has shut down as it should: its logs reach the platter first, then
//! the note is left that says so (KIP-966: whoever finds the note counts on the logs).

use std::collections::BTreeMap;

use topomotion_wire::{BrokerEpoch, FlushToken};

use super::{Broker, BrokerStatus, clean_shutdown, storage};
use crate::net::Effects;

/// Flushes that a broker waits for before its process may end.
#[derive(Debug, Clone)]
pub(super) struct Closing {
    epoch: BrokerEpoch,
    /// How many files of each flush have yet to come back.
    awaited: BTreeMap<FlushToken, usize>,
}

impl Broker {
    /// Nobody needs this broker any more: flushes every log.
    pub(super) fn begin_closing(&mut self, epoch: BrokerEpoch, effects: &mut Effects) {
        if self.closing.is_some() {
            return;
        }
        let mut awaited = BTreeMap::new();
        for replica in self.replicas.values_mut() {
            let (token, files) = replica.flush(effects);
            if files > 0 {
                awaited.insert(token, files);
            }
        }
        self.closing = Some(Closing { epoch, awaited });
        self.close_when_flushed(effects);
    }

    /// A file of a flush has come back.
    pub(super) fn note_closed(&mut self, token: FlushToken, effects: &mut Effects) {
        let Some(closing) = &mut self.closing else { return };
        let Some(left) = closing.awaited.get_mut(&token) else { return };
        *left -= 1;
        if *left == 0 {
            closing.awaited.remove(&token);
            self.close_when_flushed(effects);
        }
    }

    fn close_when_flushed(&mut self, effects: &mut Effects) {
        let Some(closing) = self.closing.as_ref().filter(|it| it.awaited.is_empty())
        else {
            return;
        };
        let note = clean_shutdown::write(closing.epoch);
        effects.disk(storage::write_watermarks(&self.replicas));
        // An older start may be beyond the end of a log that has begun anew since (TRN-4).
        effects.disk(storage::write_starts(&self.replicas));
        effects.disk(storage::write_recovery_points(&self.replicas));
        effects.disk(note);
    }

    /// Where the broker is in its life: it has not stopped before its logs are safe.
    pub(crate) fn status(&self) -> BrokerStatus {
        let open = self.closing.as_ref().filter(|it| !it.awaited.is_empty());
        match (self.lifecycle.status(), open) {
            (BrokerStatus::Stopped(_), Some(open)) => {
                BrokerStatus::ShuttingDown(open.epoch)
            }
            (status, _) => status,
        }
    }
}
