//! The high watermark of a leader: the first offset that is not known to be replicated.
//!
//! It follows the slowest of the leader, the maximal ISR, and the replicas outside it that
//! are about to join (REP-2, REP-3); it stands still while the ISR is smaller than
//! `min.insync.replicas` (REP-4, KIP-966), and it never falls within one leadership.

use topomotion_wire::{Defect, Fact, NodeId, Offset, Rule};

use super::leader::{Follower, Leadership};
use super::{Replica, Role, Site};
use crate::config::StrictMinIsr;
use crate::net::Effects;

impl Replica {
    /// Moves the high watermark as far as it may go.
    pub(super) fn advance_watermark(&mut self, site: Site<'_>, effects: &mut Effects) {
        let Role::Leader(leadership) = &self.role else { return };
        let candidate = self.watermark_candidate(site, leadership);
        let may_fall = Defect::HwFromStaleFetch.is_sown() && candidate.0 >= 0;
        if candidate <= self.high_watermark && !may_fall {
            return;
        }
        let least = match site.settings.strict_min_isr {
            StrictMinIsr::On => self.effective_min_isr(site),
            StrictMinIsr::Off => 0,
        };
        if self.state.isr.len() < least {
            effects.mark_at(Rule::Rep4, &self.id);
            return;
        }
        effects.mark_at(Rule::Rep2, &self.id);
        self.set_watermark(candidate, effects);
    }

    /// The cluster around this partition has changed: what the watermark waited for may be
    /// there now.
    pub(crate) fn look_again(&mut self, site: Site<'_>, effects: &mut Effects) {
        self.advance_watermark(site, effects);
    }

    pub(super) fn set_watermark(&mut self, offset: Offset, effects: &mut Effects) {
        assert!(
            offset <= self.log.end_offset(),
            "REP-1: the high watermark {offset} lies inside the log"
        );
        if offset != self.high_watermark {
            let offset = offset.plus(i64::from(Defect::HwPastLeo.is_sown()));
            self.high_watermark = offset;
            effects.fact(Fact::HighWatermark { partition: self.id.clone(), offset });
            self.log.forget_completed(offset);
            self.tell_stable(effects);
            effects.touch(&self.id);
        }
    }

    /// `min.insync.replicas`, but never more than there are replicas.
    pub(super) fn effective_min_isr(&self, site: Site<'_>) -> usize {
        let own = site.image.config_number(&self.id.topic, "min.insync.replicas");
        let asked = own.unwrap_or(i64::from(site.settings.min_insync_replicas));
        usize::try_from(asked).unwrap_or(0).min(self.state.replicas.len())
    }

    fn watermark_candidate(&self, site: Site<'_>, leadership: &Leadership) -> Offset {
        let end = self.log.end_offset();
        let isr = leadership.maximal_isr(&self.state);
        let counts = |id: NodeId, follower: &Follower| {
            isr.contains(&id) || {
                // It is about to ask for the ISR: had the watermark passed it by then, it
                // would have to be let in behind the watermark or run after it for ever.
                let lag_max = site.settings.replica_lag_time_max;
                follower.is_caught_up(site.now, end, lag_max)
                    && site.is_eligible(id, follower.broker_epoch)
            }
        };
        let slowest = leadership
            .followers
            .iter()
            .filter(|&(&id, follower)| counts(id, follower))
            .map(|(_, follower)| follower.log_end.unwrap_or(Offset(-1)));
        let slowest = match Defect::HwIgnoresSlowest.is_sown() {
            false => slowest.min(),
            true => slowest.max(),
        };
        slowest.map_or(end, |slowest| slowest.min(end))
    }
}
