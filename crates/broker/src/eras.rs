//! Era switches: Kafka's own history, one enum for each mistake that was mended.
//!
//! Today's behaviour is the default of each. The older ones are there for two reasons: the
//! famous ways to lose records are worth watching, and a judge that stays silent while one of
//! them happens is no judge.

/// How a follower makes its log a prefix of its leader's before it copies more of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truncation {
    /// It asks nobody and cuts its log at its own high watermark (TRN-1): up to 0.10. The high
    /// watermark is known one fetch late, so what is cut may be committed, and what is left
    /// may differ from the leader's.
    HighWatermark,
    /// It asks once where the leader's log ends for its own last epoch (KIP-101): 0.11 to
    /// 1.1. The answer is an offset alone and says nothing of an epoch that the leader has
    /// never seen.
    Kip101,
    /// The answer names the epoch that it is about, and the follower asks again until both
    /// know it (TRN-2, KIP-279): 2.0 to 2.6.
    Kip279,
    /// Each fetch names the epoch of the last record, and the leader objects where histories
    /// part (TRN-3, KIP-595): since 2.7.
    Fetch,
}

/// Whether the high watermark stands still while the ISR is smaller than
/// `min.insync.replicas` (REP-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StrictMinIsr {
    /// It does: since 4.0 (KIP-966).
    On,
    /// It follows whoever is left, down to the leader alone.
    Off,
}

/// Whether the controller asks which leadership and which registration an ISR change is about
/// (CTL-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IsrFencing {
    /// Only the present leader changes the ISR, and only the one that it knows.
    On,
    /// Whoever once led may, as when an ISR was a node in ZooKeeper that a broker overwrote.
    Off,
}

/// Whether replicas that leave an ISR that is too small stay eligible to lead (CTL-6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Elr {
    /// They do, and the ISR may become empty: what a new cluster of Kafka 4.1 has.
    On,
    /// The last member never leaves the ISR (CTL-7): up to 4.0, where the feature
    /// `eligible.leader.replicas.version` has to be switched on.
    Off,
}

/// What the controller asks of a replica that a leader wants in its ISR (CTL-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IsrAdmission {
    /// It is unfenced, stays, and is still the process that fetched: since 3.5 (KIP-903).
    SameIncarnation,
    /// It is unfenced and stays: 3.3 and 3.4 (KIP-841).
    Active,
    /// Nothing: the era before.
    Anyone,
}
