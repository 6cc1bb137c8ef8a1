//! Elections on demand, and leaderships that go back by themselves (CTL-5).

use topomotion_wire::{ErrorCode, Instant, PartitionState, Rule, TopicPartition};

use super::election::{Target, Wish};
use super::{ActiveController, Balance};
use crate::metadata::MetadataRecord;
use crate::net::Effects;

/// What kind of election somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ElectionType {
    /// The first replica, if it is in sync.
    Preferred,
    /// Anybody, if nobody leads.
    Unclean,
}

/// Kafka's limit of leaderships that go back in one pass.
const BALANCED_AT_ONCE: usize = 1_000;

impl ActiveController {
    /// Elects a leader on demand.
    ///
    /// # Errors
    /// When there is no such partition, nothing to do, or nobody to elect.
    pub(crate) fn elect_leader(
        &mut self,
        id: &TopicPartition,
        kind: ElectionType,
        effects: &mut Effects,
    ) -> Result<(), ErrorCode> {
        let state = self.partition(id).ok_or(ErrorCode::UnknownTopicOrPartition)?;
        let preferred = state.replicas.first().copied();
        let (wish, is_needless, failure) = match kind {
            ElectionType::Preferred => (
                Wish::Preferred,
                state.leader == preferred && state.leader.is_some(),
                ErrorCode::PreferredLeaderNotAvailable,
            ),
            ElectionType::Unclean => (
                Wish::Unclean,
                state.leader.is_some(),
                ErrorCode::EligibleLeadersNotAvailable,
            ),
        };
        if is_needless {
            return Err(ErrorCode::ElectionNotNeeded);
        }
        let before = state.leader;
        let record = self.elect(id, state, wish, effects);
        self.append(record.into_iter().collect());
        let after = self.partition(id).and_then(|state| state.leader);
        let is_done = match kind {
            ElectionType::Preferred => after == preferred,
            ElectionType::Unclean => after.is_some(),
        };
        if is_done && after != before {
            effects.mark_at(Rule::Ctl5, id);
        }
        if is_done { Ok(()) } else { Err(failure) }
    }

    fn elect(
        &self,
        id: &TopicPartition,
        state: &PartitionState,
        wish: Wish,
        effects: &mut Effects,
    ) -> Option<MetadataRecord> {
        let alive = self.alive();
        let target = self.target(id, state.isr.clone(), &alive);
        self.change_record(id, &Target { wish, ..target }, effects)
    }

    /// Whether some preferred replica could lead and does not.
    pub(super) fn weigh(&self) -> Balance {
        let is_uneven = self.image.partitions().any(|(_, it)| self.could_go_back(it));
        if is_uneven { Balance::Uneven } else { Balance::Even }
    }

    fn could_go_back(&self, state: &PartitionState) -> bool {
        state.replicas.first().is_some_and(|&first| {
            state.leader != Some(first)
                && state.isr.contains(&first)
                && self.image.is_active(first)
        })
    }

    /// Gives leaderships back to the preferred replicas, when it is time.
    pub(super) fn balance(&mut self, now: Instant, effects: &mut Effects) {
        if self.balance_at.is_none_or(|at| at > now) {
            return;
        }
        let imbalanced = self.image.partitions();
        let imbalanced = imbalanced.filter(|(_, state)| self.could_go_back(state));
        let mut records = Vec::new();
        for (id, state) in imbalanced.take(BALANCED_AT_ONCE) {
            effects.mark_at(Rule::Ctl5, &id);
            records.extend(self.elect(&id, state, Wish::Preferred, effects));
        }
        self.append(records);
    }
}
