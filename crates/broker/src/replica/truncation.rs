//! How a follower's log becomes a prefix of its leader's: one way for each era
//! ([`Truncation`]).
//!
//! ```text
//!            new leadership          before the first fetch            each fetch
//!   hw       cut to own HW           –                                 no epoch
//!   kip101   –                       ask once, cut to that offset      no epoch
//!   kip279   –                       ask and cut until both know it    no epoch
//!   fetch    –                       –                                 epoch; cut where told
//! ```
//!
//! Only the last one is Kafka's today; it stays clear of everything here but
//! [`Reconciling::WithFetch`].

use topomotion_log::EpochEnd;
use topomotion_wire::{LeaderEpoch, Offset, Rule};

use super::{Replica, Role};
use crate::config::Truncation;
use crate::net::Effects;

/// What a follower has yet to do before its log can be trusted to be its leader's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reconciling {
    /// Nothing by itself: the leader compares with every fetch.
    WithFetch,
    /// To ask the leader where this epoch ends there, and to take the answer in its way.
    ByQuestion(LeaderEpoch, Answers),
    /// Nothing more: it fetches from its log end and believes that it fits.
    Done,
}

/// What a follower makes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answers {
    /// An offset, and that is that (KIP-101).
    Once,
    /// An epoch with its end; to be asked again if that epoch is not known here (KIP-279).
    UntilKnown,
}

impl Replica {
    /// Begins to follow: what has to be done first, by the era's way.
    pub(super) fn begin_to_follow(&mut self, era: Truncation, effects: &mut Effects) {
        let reconciling = match era {
            Truncation::Fetch => Reconciling::WithFetch,
            Truncation::Kip101 => self.question(Answers::Once),
            Truncation::Kip279 => self.question(Answers::UntilKnown),
            Truncation::HighWatermark => Reconciling::Done,
        };
        self.role = Role::Follower(reconciling);
        // Whoever has no epoch to ask for does as in the oldest era, but only where there is a
        // leader to follow.
        if reconciling == Reconciling::Done && self.state.leader.is_some() {
            self.cut_to_watermark(effects);
        }
    }

    fn question(&self, answers: Answers) -> Reconciling {
        let latest = self.log.epochs().latest();
        latest.map_or(Reconciling::Done, |epoch| Reconciling::ByQuestion(epoch, answers))
    }

    /// The epoch whose end the leader must tell before this follower may fetch.
    pub(crate) fn epoch_in_question(&self) -> Option<LeaderEpoch> {
        match self.role {
            Role::Follower(Reconciling::ByQuestion(epoch, _)) => Some(epoch),
            Role::Follower(Reconciling::WithFetch | Reconciling::Done)
            | Role::Leader(_) => None,
        }
    }

    /// Takes the leader's answer (TRN-2): where the epoch that was asked for ends there, or
    /// the largest smaller one; none if the leader knows of neither.
    pub(crate) fn take_epoch_end(
        &mut self,
        told: Option<EpochEnd>,
        effects: &mut Effects,
    ) {
        let Role::Follower(Reconciling::ByQuestion(_, answers)) = self.role else {
            return;
        };
        effects.mark_at(Rule::Trn2, &self.id);
        let Some(told) = told else {
            self.role = Role::Follower(Reconciling::Done);
            return self.cut_to_watermark(effects);
        };
        let here = self.log.end_offset_for(told.epoch);
        let is_known = here.is_none_or(|here| here.epoch == told.epoch);
        match answers {
            Answers::Once => {
                self.role = Role::Follower(Reconciling::Done);
                let end = told.end.max(self.log.start_offset());
                self.truncate(end.min(self.log.end_offset()), effects);
            }
            Answers::UntilKnown => {
                let point = self.log.truncation_point(told);
                self.truncate(point, effects);
                let next = self.question(answers);
                let done = is_known || next == Reconciling::Done;
                self.role = Role::Follower(if done { Reconciling::Done } else { next });
            }
        }
    }

    /// TRN-1.
    fn cut_to_watermark(&mut self, effects: &mut Effects) {
        let end: Offset = self.log.end_offset();
        if self.high_watermark < end {
            effects.mark_at(Rule::Trn1, &self.id);
            self.truncate(self.high_watermark, effects);
        }
    }
}
