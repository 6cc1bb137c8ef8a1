//! Where a replica's log starts: what was deleted by request, by age and by size.
//!
//! Nothing at or above the high watermark is ever deleted (LOG-4). A leader's log start moves
//! by request (`DeleteRecords`) or by retention; its followers learn of it with the next
//! answer to a fetch (TRN-5) and say with the fetch after that how far they are, so that the
//! leader knows where the last of the replicas starts: the low watermark.

use topomotion_log::Start;
use topomotion_wire::{ErrorCode, NodeId, Offset, Rule};

use super::{Replica, Role, Site};
use crate::net::Effects;

impl Replica {
    /// Deletes every record before `before`, or all that are committed. Returns the offset
    /// that the low watermark has to reach.
    ///
    /// # Errors
    /// When this replica does not lead, the topic keeps its records (compaction alone), or the
    /// offset lies above the high watermark; then nothing was deleted.
    pub(crate) fn delete_records(
        &mut self,
        site: Site<'_>,
        before: Option<Offset>,
        effects: &mut Effects,
    ) -> Result<Offset, ErrorCode> {
        if !self.is_leader() {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        if !site.topic(&self.id.topic).is_deleting() {
            return Err(ErrorCode::PolicyViolation);
        }
        let before = before.unwrap_or(self.high_watermark);
        if before.0 < 0 || before > self.high_watermark {
            return Err(ErrorCode::OffsetOutOfRange);
        }
        self.advance_start(before, effects);
        Ok(before)
    }

    /// Where the last of the live replicas starts, as far as the leader has heard. A replica
    /// that has not fetched in this leadership yet may start anywhere.
    pub(crate) fn low_watermark(&self, site: Site<'_>) -> Option<Offset> {
        let Role::Leader(leadership) = &self.role else { return None };
        let live =
            leadership.followers.iter().filter(|(id, _)| site.image.is_active(**id));
        let starts = live.map(|(_, follower)| follower.log_start.unwrap_or(Offset(-1)));
        Some(starts.fold(self.log.start_offset(), Offset::min))
    }

    /// Notes where a follower's log starts. Whoever waits for the low watermark looks again.
    pub(crate) fn note_log_start(
        &mut self,
        follower: NodeId,
        start: Offset,
        effects: &mut Effects,
    ) {
        let Role::Leader(leadership) = &mut self.role else { return };
        let Some(follower) = leadership.followers.get_mut(&follower) else { return };
        if follower.log_start.replace(start) != Some(start) {
            effects.touch(&self.id);
        }
    }

    /// The leader's log starts here: nothing before it is to be kept (TRN-5).
    pub(super) fn follow_log_start(&mut self, leader: Offset, effects: &mut Effects) {
        // A leader that tells of a start beyond its own high watermark is not believed.
        if leader <= self.high_watermark
            && self.advance_start(leader, effects) == Start::Moved
        {
            effects.mark_at(Rule::Trn5, &self.id);
        }
    }

    fn advance_start(&mut self, to: Offset, effects: &mut Effects) -> Start {
        let moved = self.log.advance_start(to, self.high_watermark);
        let moved = moved.unwrap_or(Start::Stays);
        if moved == Start::Moved {
            self.write(effects);
            effects.touch(&self.id);
        }
        moved
    }

    /// Deletes the segments that are too old, too much, or before the log start (LOG-4), and
    /// forgets producers that have long been silent.
    pub(crate) fn forget_old(&mut self, site: Site<'_>, effects: &mut Effects) {
        let moved = self.log.delete_old_segments(site.wall_ms(), self.high_watermark);
        let expiration = self.log.config().producer_expiration_ms;
        self.log.expire_producers(site.wall_ms(), expiration);
        self.write(effects);
        if moved == Start::Moved {
            effects.mark_at(Rule::Log4, &self.id);
            effects.touch(&self.id);
        }
    }

    /// Takes the topic's settings.
    pub(crate) fn configure(&mut self, site: Site<'_>) {
        self.log.configure(site.topic(&self.id.topic).log());
    }
}
