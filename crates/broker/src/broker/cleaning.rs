//! The log cleaner: compacts the logs whose topics want it, now and then (LOG-5).
//!
//! Kafka's cleaner threads look for work every `log.cleaner.backoff.ms`, and so does this one;
//! but only while there is a closed segment that might be compacted.

use topomotion_wire::Instant;

use super::replicas::Cleaning;
use super::{Broker, storage};
use crate::net::Effects;
use crate::replica::{Compacted, Site};

impl Broker {
    /// When logs are looked at next.
    pub(super) fn cleaning_due(&self, site: Site<'_>) -> Option<Instant> {
        let is_wanted = self.replicas.outlook(site).cleaning == Cleaning::Wanted;
        is_wanted.then(|| self.cleaned_at + site.settings.log_cleaner_backoff)
    }

    /// Compacts every log that is dirty enough.
    pub(super) fn clean_logs(&mut self, site: Site<'_>, effects: &mut Effects) {
        if self.cleaning_due(site).is_none_or(|due| due > site.now) {
            return;
        }
        self.cleaned_at = site.now;
        let mut outcome = Compacted::Nothing;
        for replica in self.replicas.values_mut() {
            outcome = outcome.max(replica.compact(site, effects));
        }
        if outcome == Compacted::Something {
            effects.disk(storage::write_cleaned(&self.replicas));
        }
    }
}
