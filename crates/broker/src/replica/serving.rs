//! What a replica does for others: it appends for producers and reads for fetchers.
//!
//! A read happens before the fetch is noted, so a follower learns a high watermark that its
//! own fetch has moved only one fetch later (REP-14).

use topomotion_log::{
    AbortedTransaction, AppendInfo, Batch, Batches, EpochEnd, History, Malformed,
};
use topomotion_wire::{
    Acks, BrokerEpoch, Bytes, Defect, ErrorCode, LeaderEpoch, LogDeed, NodeId, Offset,
    Rule,
};

use super::compaction::stored;
use super::{Replica, Role, Site};
use crate::config::TimestampType;
use crate::net::Effects;

/// Which records a consumer wants to see (`isolation.level`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// All that are replicated: up to the high watermark.
    Uncommitted,
    /// Those whose transactions have ended: up to the last stable offset (TXN-7), with a list
    /// of what was aborted (TXN-8).
    Committed,
}

impl Isolation {
    /// As requests say it.
    pub(crate) const fn of_level(level: i8) -> Isolation {
        match level {
            1 => Isolation::Committed,
            _ => Isolation::Uncommitted,
        }
    }
}

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A consumer: what the leader shows.
    Consumer(Isolation),
    /// A consumer that takes what any replica has and may show: from fetch version 11 on
    /// (KIP-392).
    ConsumerOfAny(Isolation),
    /// A replica: up to the log end.
    Follower {
        /// Which broker.
        id: NodeId,
        /// Which incarnation of it, if it says so.
        epoch: Option<BrokerEpoch>,
    },
}

impl Reader {
    /// Whether it must be told what was aborted.
    const fn wants_aborted(self) -> bool {
        match self {
            Reader::Consumer(isolation) | Reader::ConsumerOfAny(isolation) => {
                matches!(isolation, Isolation::Committed)
            }
            Reader::Follower { .. } => false,
        }
    }
}

/// One partition of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FetchAt {
    pub(crate) offset: Offset,
    /// The leadership that the fetcher believes in.
    pub(crate) current_leader_epoch: Option<LeaderEpoch>,
    /// The epoch of the last record that it has.
    pub(crate) last_fetched_epoch: Option<LeaderEpoch>,
    pub(crate) max_bytes: usize,
    pub(crate) at_least: AtLeast,
}

/// What a fetch gets when not even one batch fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtLeast {
    /// That batch all the same, or it would never get on.
    OneBatch,
    /// Nothing: there is something else in the answer already.
    Nothing,
}

/// What a fetch gets of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) high_watermark: Offset,
    pub(crate) last_stable: Offset,
    pub(crate) log_start: Offset,
    /// What was aborted of the records, for readers of committed ones.
    pub(crate) aborted: Option<Vec<AbortedTransaction>>,
    pub(crate) content: Content,
    /// How the log found the records, where that is worth telling (LOG-3).
    pub(crate) trail: Option<LogDeed>,
}

/// Records, or the reason why there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Records(Bytes),
    /// The fetcher's log is not a prefix of this one (REP-15).
    Diverging(EpochEnd),
    /// A replica nearer to the consumer has them (KIP-392).
    Elsewhere(NodeId),
}

impl Replica {
    /// Appends what a producer sent.
    ///
    /// # Errors
    /// The code that the producer gets; then nothing was appended.
    pub(crate) fn append(
        &mut self,
        site: Site<'_>,
        acks: Acks,
        records: Bytes,
        effects: &mut Effects,
    ) -> Result<AppendInfo, ErrorCode> {
        if let Err(error) = self.check_append(site, acks, effects) {
            if Defect::AppendThenCheck.is_sown() && acks == Acks::All && self.is_leader()
            {
                self.append(site, Acks::Leader, records, effects)?;
            }
            return Err(error);
        }
        check_produced(&records, site.topic(&self.id.topic).max_message_bytes())?;
        let records = stored(site.topic(&self.id.topic), records)?;
        if let Some(there) = self.check_producer(&records, effects)? {
            return Ok(there);
        }
        self.append_checked(site, records, effects)
    }

    /// Whether this replica may append at all.
    pub(super) fn check_append(
        &self,
        site: Site<'_>,
        acks: Acks,
        effects: &mut Effects,
    ) -> Result<(), ErrorCode> {
        if !self.is_leader() {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        if acks == Acks::All && self.state.isr.len() < self.effective_min_isr(site) {
            effects.mark_at(Rule::Rep5, &self.id);
            return Err(ErrorCode::NotEnoughReplicas);
        }
        Ok(())
    }

    /// Appends records that nothing speaks against.
    pub(super) fn append_checked(
        &mut self,
        site: Site<'_>,
        records: Bytes,
        effects: &mut Effects,
    ) -> Result<AppendInfo, ErrorCode> {
        let topic = site.topic(&self.id.topic);
        let epoch = self.state.leader_epoch;
        if Defect::ReuseOffset.is_sown()
            && self.log.end_offset() > self.log.start_offset()
        {
            self.log.truncate_to(Offset(self.log.end_offset().0 - 1));
        }
        let appended = match topic.timestamp_type() {
            TimestampType::CreateTime => self.log.append_as_leader(records, epoch),
            TimestampType::LogAppendTime => {
                self.log.append_stamped(records, epoch, site.wall_ms())
            }
        };
        let appended = appended.map_err(Malformed::error_code)?;
        self.write(effects);
        self.tell_appended(appended.base, appended.end, effects);
        effects.touch(&self.id);
        // Alone, a leader is its own slowest replica.
        self.advance_watermark(site, effects);
        Ok(appended)
    }

    /// Whether so few replicas count that a record which waits for them cannot be called
    /// safe (REP-6).
    pub(crate) fn is_below_min_isr(&self, site: Site<'_>) -> bool {
        let Role::Leader(leadership) = &self.role else { return true };
        leadership.maximal_isr(&self.state).len() < self.effective_min_isr(site)
    }

    /// Reads for a fetcher, and changes nothing.
    ///
    /// # Errors
    /// The code that the fetcher gets for this partition.
    pub(crate) fn read(
        &self,
        site: Site<'_>,
        reader: Reader,
        at: FetchAt,
    ) -> Result<Slice, ErrorCode> {
        self.check_epoch(at.current_leader_epoch)?;
        if !matches!(reader, Reader::ConsumerOfAny(_)) && !self.is_leader() {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        let limit = match reader {
            _ if Defect::ServeLeo.is_sown() => self.log.end_offset(),
            Reader::Consumer(isolation) => self.visible_end(isolation),
            // A follower cannot tell whether an offset that is new to it exists.
            Reader::ConsumerOfAny(_)
                if !self.is_leader() && at.offset > self.high_watermark =>
            {
                return Err(ErrorCode::OffsetNotAvailable);
            }
            Reader::ConsumerOfAny(isolation) => self.visible_end(isolation),
            Reader::Follower { id, epoch } => {
                self.check_follower(site, id, epoch)?;
                self.log.end_offset()
            }
        };
        let history = at
            .last_fetched_epoch
            .map_or(History::Matches, |epoch| self.log.compare(at.offset, epoch));
        let (mut trail, mut aborted) = (None, reader.wants_aborted().then(Vec::new));
        let content = match history {
            // Its history reaches beyond everything known here; it has to start over.
            History::Unknown => return Err(ErrorCode::OffsetOutOfRange),
            History::Diverges(end) => Content::Diverging(end),
            History::Matches => {
                let read = self.log.read(at.offset, limit, at.max_bytes);
                let read = read.map_err(|_| ErrorCode::OffsetOutOfRange)?;
                let fits =
                    at.at_least == AtLeast::OneBatch || read.len_bytes() <= at.max_bytes;
                if fits && !read.is_empty() {
                    trail = self.log.trail_to(at.offset);
                    let end = aborted.as_ref().and_then(|_| read.next_offset());
                    aborted = end.map(|end| self.log.aborted(at.offset, end)).or(aborted);
                }
                Content::Records(if fits { read.to_bytes() } else { Bytes::new() })
            }
        };
        let (high_watermark, log_start) = (self.high_watermark, self.log.start_offset());
        let last_stable = self.last_stable_offset();
        Ok(Slice { high_watermark, last_stable, log_start, aborted, content, trail })
    }

    /// What consumers may see ends here.
    pub(crate) fn visible_end(&self, isolation: Isolation) -> Offset {
        match isolation {
            Isolation::Uncommitted => self.high_watermark,
            Isolation::Committed => self.last_stable_offset(),
        }
    }

    /// Checks the leadership that a request believes in (REP-13).
    ///
    /// # Errors
    /// When it is another one, or this replica does not lead.
    pub(crate) fn check_leadership(
        &self,
        believed: Option<LeaderEpoch>,
    ) -> Result<(), ErrorCode> {
        self.check_epoch(believed)?;
        if self.is_leader() { Ok(()) } else { Err(ErrorCode::NotLeaderOrFollower) }
    }

    fn check_epoch(&self, believed: Option<LeaderEpoch>) -> Result<(), ErrorCode> {
        match believed {
            Some(epoch) if epoch < self.state.leader_epoch => {
                Err(ErrorCode::FencedLeaderEpoch)
            }
            Some(epoch) if epoch > self.state.leader_epoch => {
                Err(ErrorCode::UnknownLeaderEpoch)
            }
            _ => Ok(()),
        }
    }

    /// Only assigned replicas fetch, and only in their newest known incarnation (KIP-903).
    fn check_follower(
        &self,
        site: Site<'_>,
        id: NodeId,
        epoch: Option<BrokerEpoch>,
    ) -> Result<(), ErrorCode> {
        if id == site.me || !self.state.replicas.contains(&id) {
            return Err(ErrorCode::UnknownLeaderEpoch);
        }
        let registered = site.image.broker(id).map(|broker| broker.epoch);
        match (epoch, registered) {
            (Some(epoch), Some(registered)) if epoch < registered => {
                Err(ErrorCode::NotLeaderOrFollower)
            }
            _ => Ok(()),
        }
    }

    /// Notes what a follower's fetch says: everything before its offset is on its disk. That
    /// may let it into the ISR, and it may move the high watermark.
    pub(crate) fn note_fetch(
        &mut self,
        site: Site<'_>,
        id: NodeId,
        epoch: Option<BrokerEpoch>,
        offset: Offset,
        effects: &mut Effects,
    ) {
        let end = self.log.end_offset();
        let Role::Leader(leadership) = &mut self.role else { return };
        let Some(follower) = leadership.followers.get_mut(&id) else { return };
        follower.note_fetch(site.now, offset, epoch, end);
        self.expand_isr(site, id, effects);
        self.advance_watermark(site, effects);
    }

    /// The newest offset that consumers may know, once this leadership has proven its first
    /// one: until then the predecessor may have shown more (REP-16).
    ///
    /// # Errors
    /// `OFFSET_NOT_AVAILABLE` until then.
    pub(crate) fn latest_for_consumers(
        &self,
        isolation: Isolation,
    ) -> Result<Offset, ErrorCode> {
        match &self.role {
            Role::Leader(leadership) if self.high_watermark < leadership.start => {
                Err(ErrorCode::OffsetNotAvailable)
            }
            Role::Leader(_) => Ok(self.visible_end(isolation)),
            Role::Follower(_) => Err(ErrorCode::NotLeaderOrFollower),
        }
    }
}

/// What only a producer can get wrong: it sends one batch for each partition, no larger than
/// the topic allows, and nothing that only brokers write.
fn check_produced(records: &Bytes, max_bytes: usize) -> Result<(), ErrorCode> {
    for (at, batch) in Batches::new(records.clone()).enumerate() {
        let batch: Batch = batch.map_err(Malformed::error_code)?;
        if at > 0 {
            return Err(ErrorCode::InvalidRecord);
        }
        if batch.len_bytes() > max_bytes {
            return Err(ErrorCode::MessageTooLarge);
        }
        if batch.is_control() {
            return Err(ErrorCode::InvalidRecord);
        }
    }
    Ok(())
}
