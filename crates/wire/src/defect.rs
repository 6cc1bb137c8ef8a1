//! Seeded defects: mistakes that the engine makes on purpose, so that whoever judges it can
//! show that it would notice.
//!
//! Each is asked for at one place in the engine, where it changes one decision. Without the
//! feature `seeded-defects`, which only tests of the judge switch on, the question is the
//! constant `false` and nothing of it is left. With the feature nothing changes either until
//! a thread sows a defect: it then holds for the engines of that thread alone, as long as its
//! [`Sown`] lives.

#[cfg(feature = "seeded-defects")]
use std::cell::Cell;

macro_rules! defects {
    ($($name:ident = $word:literal, $what:literal;)*) => {
        /// One mistake.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Defect {
            $(#[doc = $what] $name,)*
        }

        impl Defect {
            /// All of them.
            pub const ALL: &'static [Defect] = &[$(Defect::$name,)*];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $(Defect::$name => $word,)* }
            }
        }
    };
}

defects! {
    HwPastLeo = "hw_past_leo", "A high watermark is one more than was worked out.";
    ElectAnyReplica = "elect_any_replica", "The first replica alive leads, in sync or not, and nobody enters it in the ISR.";
    ElrNotCleared = "elr_not_cleared", "An ISR that is large enough again leaves the eligible replicas as they were.";
    FenceKeepsIsr = "fence_keeps_isr", "A fenced broker stays in its ISRs.";
    EpochNoBump = "epoch_no_bump", "A new leader leads in the old leader epoch.";
    TwoLeaders = "two_leaders", "A leader that is replaced leads on, in the new epoch.";
    ShrinkBeforeCommit = "shrink_before_commit", "A leader counts with the smaller ISR as soon as it has proposed it.";
    HwFromStaleFetch = "hw_from_stale_fetch", "A high watermark follows the fetches down as well as up.";
    HwIgnoresSlowest = "hw_ignores_slowest", "The fastest follower counts for the high watermark, not the slowest.";
    CacheNotTruncated = "cache_not_truncated", "A log that is cut keeps the leader epochs of what was cut off.";
    AppendThenCheck = "append_then_check", "A record is written first, and then refused for want of in-sync replicas.";
    AckOnAppend = "ack_on_append", "acks=all is answered when the leader has appended.";
    SkipRecovering = "skip_recovering", "A leader elected without proof lets others in while it recovers.";
    ServeLeo = "serve_leo", "Consumers read up to the log end.";
    UncleanAlways = "unclean_always", "Unclean elections are held whatever the settings say.";
    ReuseOffset = "reuse_offset", "A leader writes over its last batch.";
    DoubleVote = "double_vote", "A voter grants its vote to whoever asks in its epoch.";
    VoteNotPersisted = "vote_not_persisted", "The vote is left out of the quorum's state file.";
    QuorumStateLost = "quorum_state_lost", "The quorum's state file is not read at the start.";
    HwReset = "hw_reset", "Whoever begins to follow a leader of the quorum forgets its high watermark.";
    CountObserver = "count_observer", "Observers count towards the majority.";
    VoteIgnoresLog = "vote_ignores_log", "A voter grants its vote to shorter logs too.";
    TruncateCommitted = "truncate_committed", "A member whose metadata log diverges cuts all of it.";
    TrimWithoutSnapshot = "trim_without_snapshot", "The snapshot at which the metadata log begins is dropped with the older one.";
    ApplySkips = "apply_skips", "Of several records that are committed together, an observer applies all but the last.";
    ReplyOnAppend = "reply_on_append", "The controller answers before its records are committed.";
    PrevoteGranted = "prevote_granted", "A voter promises its vote while it hears of a leader.";
    TwoVoterChanges = "two_voter_changes", "With a voter that is removed, the last of the others goes too.";
    BrokerEpochReused = "broker_epoch_reused", "A broker is registered under the offset of what is committed, not of its record.";
    UnfenceEarly = "unfence_early", "A broker is registered as an unfenced one.";
    FenceOrder = "fence_order", "A broker is fenced and leads on.";
    RecoverHole = "recover_hole", "A log that is recovered loses its last batch.";
    HeartbeatStops = "heartbeat_stops", "A broker that was refused once never speaks to the controller again.";
    LosersRest = "losers_rest", "A voter that has lost an election does not run again for an hour.";
    NoElectOnUnfence = "no_elect_on_unfence", "A broker that is back does not take over what nobody leads.";
    PollSkips = "poll_skips", "A consumer hands no records on that begin at an odd offset.";
    PollRepeats = "poll_repeats", "A consumer hands everything on twice.";
    PollMixes = "poll_mixes", "A consumer hands on first the batch that came last.";
    NoDupCheck = "no_dup_check", "A leader does not look at sequence numbers.";
    DupOffset = "dup_offset", "A batch that is there already is answered with the log end.";
    StateNotTruncated = "state_not_truncated", "A log that is cut keeps what it knew of producers.";
    NoFence = "no_fence", "A leader takes records of old producer epochs.";
    LsoIgnoresUnreplicated = "lso_ignores_unreplicated", "A transaction is over as soon as its marker is appended.";
    AbortedIndexGap = "aborted_index_gap", "The last aborted transaction that a reader should hear of is left out.";
    RetryReorder = "retry_reorder", "Two batches that are sent again change places.";
    ReadUncommitted = "read_uncommitted", "A consumer of committed records reads everything.";
    OffsetsOutsideTxn = "offsets_outside_txn", "Offsets of a transaction are committed at once.";
    NeverExpand = "never_expand", "A leader never takes anybody back into the ISR.";
    AnyTransition = "any_transition", "A transaction is ended in whatever state it is.";
    MarkerLost = "marker_lost", "The last partition of a transaction gets no marker.";
    FailoverAborts = "failover_aborts", "A new coordinator aborts what its predecessor decided to commit.";
    ObserverStuck = "observer_stuck", "An observer whose question is not answered asks nobody else.";
    AssignTwice = "assign_twice", "An assignor gives a partition to two members.";
    AssignorUneven = "assignor", "An assignor gives everything to one member.";
    AssignorFresh = "assignor_fresh", "An assignor does not look at what everybody owned.";
    EagerRevoke = "eager_revoke", "A cooperative member gives up everything before it joins again.";
    StaticAsDynamic = "static_as_dynamic", "A static member leaves its group when it closes.";
    GenerationReset = "generation_reset", "A new group coordinator counts generations from 0.";
    AcceptStaleCommit = "accept_stale_commit", "A commit of an older generation or member epoch is taken.";
    ReleaseEarly = "release_early", "A partition is given to its next owner before the last one let go.";
    AckCommitEarly = "ack_commit_early", "A commit is answered when the group coordinator has appended it.";
    PendingVisible = "pending_visible", "Offsets of an open transaction are told to whoever asks.";
    SyncWaitForever = "sync_wait_forever", "A group waits for its leader's assignment as long as it takes.";
    IndexSkew = "index_skew", "An entry of the offset index names an offset before its batch.";
    RetentionHw = "retention_hw", "Retention does not look at the high watermark.";
    CompactReorder = "compact_reorder", "Of the records that compaction keeps of a batch the first two change places.";
    TombstoneNow = "tombstone_now", "A tombstone goes with the first round of compaction that meets it.";
}

#[cfg(feature = "seeded-defects")]
thread_local! {
    static SOWN: Cell<Option<Defect>> = const { Cell::new(None) };
}

impl Defect {
    /// Whether this mistake is to be made.
    #[cfg(feature = "seeded-defects")]
    pub fn is_sown(self) -> bool {
        SOWN.get() == Some(self)
    }

    /// Whether this mistake is to be made: never, in this build.
    #[cfg(not(feature = "seeded-defects"))]
    #[inline]
    pub const fn is_sown(self) -> bool {
        false
    }

    /// Makes this mistake, on this thread, until what is returned is dropped.
    #[cfg(feature = "seeded-defects")]
    pub fn sow(self) -> Sown {
        Sown { before: SOWN.replace(Some(self)) }
    }
}

/// A defect in force.
#[cfg(feature = "seeded-defects")]
#[derive(Debug)]
#[must_use = "the defect is gone when this is dropped"]
pub struct Sown {
    before: Option<Defect>,
}

#[cfg(feature = "seeded-defects")]
impl Drop for Sown {
    fn drop(&mut self) {
        SOWN.set(self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_sown_by_itself() {
        assert!(Defect::ALL.iter().all(|defect| !defect.is_sown()));
    }

    #[test]
    #[cfg(feature = "seeded-defects")]
    fn a_defect_lasts_as_long_as_it_is_held() {
        let sown = Defect::AckOnAppend.sow();
        assert!(Defect::AckOnAppend.is_sown() && !Defect::ServeLeo.is_sown());
        drop(sown);
        assert!(!Defect::AckOnAppend.is_sown());
    }
}
