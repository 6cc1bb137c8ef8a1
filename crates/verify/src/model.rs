//! The cluster as a reader of the trace knows it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_sim::{Asked, Filed, Sight, Stored};
use topomotion_trace::StateChange;

use crate::compacted::Compacted;
use crate::homes::is_forgotten;

/// A process's or a partition's name.
pub(crate) type Name = Arc<str>;

/// Whose batch it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub producer: i64,
    pub epoch: i16,
    pub kind: StampKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StampKind {
    /// Records outside transactions, with the first one's sequence number.
    Data(i32),
    /// Records of a transaction, with the first one's sequence number.
    InTransaction(i32),
    Commit,
    Abort,
}

impl Stamp {
    /// The first record's sequence number; a marker has none.
    pub fn sequence(&self) -> Option<i32> {
        match self.kind {
            StampKind::Data(sequence) | StampKind::InTransaction(sequence) => {
                Some(sequence)
            }
            StampKind::Commit | StampKind::Abort => None,
        }
    }

    pub fn is_marker(&self) -> bool {
        matches!(self.kind, StampKind::Commit | StampKind::Abort)
    }
}

/// One batch in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub base: i64,
    pub count: i64,
    pub epoch: i32,
    pub batch: u32,
    /// Whose it is, if its producer has a number.
    pub stamp: Option<Stamp>,
    /// Digest of the log up to and with this batch.
    pub prefix: u64,
}

impl Entry {
    pub fn end(&self) -> i64 {
        self.base + self.count
    }
}

/// One replica's log and what it says of itself.
#[derive(Debug, Clone)]
pub(crate) struct Replica {
    pub log: Vec<Entry>,
    /// Log start: what stands below is told of, and gone.
    pub start: i64,
    pub high_watermark: i64,
    /// The greatest one that it ever had: a checkpoint may be as old as that.
    pub highest_watermark: i64,
    /// Whether its high watermark was told since its process was started: before that it is
    /// what was last written down.
    pub is_told: bool,
    /// Whom it follows (itself, if it leads), and since which epoch.
    pub role: Option<(Option<Name>, i32)>,
    /// Whether its log is known: not so after a power loss, until it is found again.
    pub is_sound: bool,
}

impl Default for Replica {
    fn default() -> Replica {
        Replica {
            log: Vec::new(),
            start: 0,
            high_watermark: 0,
            highest_watermark: 0,
            is_told: false,
            role: None,
            is_sound: true,
        }
    }
}

impl Replica {
    pub fn end(&self) -> i64 {
        self.log.last().map_or(0, Entry::end)
    }

    /// Its high watermark is not beyond this.
    pub fn watermark_at_most(&self) -> i64 {
        match self.is_told {
            true => self.high_watermark,
            false => self.highest_watermark.min(self.end()),
        }
    }

    /// Digest of everything below this offset.
    pub fn digest_below(&self, offset: i64) -> u64 {
        let count = self.log.partition_point(|entry| entry.end() <= offset);
        if count == 0 { 0 } else { self.log[count - 1].prefix }
    }

    /// Whether this batch stands at this offset.
    pub fn holds(&self, base: i64, batch: u32) -> bool {
        let place = self.log.binary_search_by_key(&base, |entry| entry.base);
        place.is_ok_and(|place| self.log[place].batch == batch)
    }

    /// The next batch that this producer has written below this offset, going backwards.
    pub fn stamped_before(&self, base: i64, producer: i64) -> Option<(&Entry, Stamp)> {
        let below = self.log.iter().rev().skip_while(|entry| entry.base >= base);
        let mut stamped = below.filter_map(|entry| Some((entry, entry.stamp?)));
        stamped.find(|(_, stamp)| stamp.producer == producer)
    }

    fn put_stamp(&mut self, base: i64, stamp: Stamp) {
        let written = self.log.iter_mut().rev().find(|entry| entry.base == base);
        if let Some(entry) = written {
            entry.stamp = Some(stamp);
        }
    }

    /// Whether this batch stands anywhere.
    pub fn holds_anywhere(&self, batch: u32) -> bool {
        self.log.iter().any(|entry| entry.batch == batch)
    }
}

/// A partition as last committed by a controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registration {
    pub replicas: Vec<Name>,
    pub isr: Vec<Name>,
    pub leader: Option<Name>,
    pub leader_epoch: i32,
    pub partition_epoch: i32,
}

/// A batch that a producer was told is safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Promise {
    pub producer: Name,
    pub partition: Name,
    pub batch: u32,
    pub acks: Name,
    pub base: Option<i64>,
}

/// Everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub registrations: BTreeMap<Name, Registration>,
    replicas: BTreeMap<(Name, Name), Replica>,
    pub promises: Vec<Promise>,
    /// Partitions that were once led by a replica from outside the ISR: what was promised
    /// there may be gone.
    unclean: BTreeMap<Name, i32>,
    /// Partitions whose last change skipped a leadership.
    untold: BTreeSet<Name>,
    /// The greatest high watermark that anybody ever had.
    pub highest: BTreeMap<Name, i64>,
    /// Eligible leader replicas as committed, and as they were before.
    elr: BTreeMap<Name, Vec<Name>>,
    elr_before: BTreeMap<Name, Vec<Name>>,
    /// Last leaders, remembered while there is neither ISR nor ELR, now and before.
    last_known: BTreeMap<Name, Vec<Name>>,
    last_known_before: BTreeMap<Name, Vec<Name>>,
    /// Partitions whose leader was elected without proof.
    recovering: BTreeSet<Name>,
    /// Replicas whose process has lost power, and that have not been found again.
    in_doubt: BTreeSet<(Name, Name)>,
    /// Members of ISRs that have lost power in it, by partition.
    shaky: BTreeSet<(Name, Name)>,
    /// Partitions whose whole ISR has lost power at some time, with the greatest high watermark
    /// that anybody had until then: beyond it, nothing could be lost.
    lossy: BTreeMap<Name, i64>,
    /// The ISR that a leader proposed last, and the epoch that it led in.
    proposed: BTreeMap<Name, (i32, Vec<Name>)>,
    /// Replicas that were once taken away: their logs begin anew if they come back.
    moved: BTreeSet<(Name, Name)>,
    /// Those of them whose log has not said since where it begins.
    anew: BTreeSet<(Name, Name)>,
    /// Below these offsets somebody asked to have records deleted, or retention has.
    deleted: BTreeMap<Name, i64>,
    compacted: Compacted,
    /// The `transactional.id` of each producer.
    ids: BTreeMap<Name, Name>,
}

impl Model {
    /// The `transactional.id` of a producer that has one.
    pub fn transactional_id(&self, producer: &Name) -> Option<&Name> {
        self.ids.get(producer)
    }

    pub fn replica(&self, process: &Name, partition: &Name) -> Option<&Replica> {
        self.replicas.get(&(process.clone(), partition.clone()))
    }

    /// Every replica of a partition.
    pub fn replicas_of(&self, partition: &Name) -> impl Iterator<Item = &Replica> {
        let all = self.replicas.iter().filter(move |((_, of), _)| of == partition);
        all.map(|(_, replica)| replica)
    }

    /// Whether another process's replica holds this batch at this offset.
    pub fn is_held_beside(
        &self,
        process: &Name,
        partition: &Name,
        (base, batch): (i64, u32),
    ) -> bool {
        let mut all = self.replicas.iter();
        all.any(|((other, of), it)| {
            of == partition && other != process && it.holds(base, batch)
        })
    }

    fn replica_mut(&mut self, process: &Name, partition: &Name) -> &mut Replica {
        self.replicas.entry((process.clone(), partition.clone())).or_default()
    }

    /// Whether the process was once relieved of this replica.
    pub fn was_moved(&self, process: &Name, partition: &Name) -> bool {
        self.moved.contains(&(process.clone(), partition.clone()))
    }

    /// Whether the process was relieved of this replica, and its log has not said since where it
    /// begins: it may be another one.
    pub fn begins_anew(&self, process: &Name, partition: &Name) -> bool {
        self.anew.contains(&(process.clone(), partition.clone()))
    }

    /// Below this offset records may have been deleted.
    pub fn deleted_below(&self, partition: &Name) -> i64 {
        self.deleted.get(partition).copied().unwrap_or(0)
    }

    /// What compaction has made of the logs of a partition.
    pub fn compacted(&self) -> &Compacted {
        &self.compacted
    }

    /// Where a replica's log ends, if it has one. One that holds nothing of what was deleted
    /// begins behind it.
    pub fn end_of(&self, replica: Option<&Replica>, partition: &Name) -> i64 {
        replica.map_or(0, Replica::end).max(self.deleted_below(partition))
    }

    /// Whether this leadership of the partition was given to a replica from outside.
    pub fn was_unclean_at(&self, partition: &Name, leader_epoch: i32) -> bool {
        self.unclean.get(partition) == Some(&leader_epoch)
    }

    /// Whoever may lead though not in the ISR: eligible, or remembered as the last leader.
    pub fn eligible(&self, partition: &Name) -> impl Iterator<Item = &Name> {
        let remembered = self.last_known.get(partition);
        self.elr.get(partition).into_iter().chain(remembered).flatten()
    }

    /// Whoever might have led until now though not in the ISR.
    pub fn eligible_before(&self, partition: &Name) -> impl Iterator<Item = &Name> {
        let remembered = self.last_known_before.get(partition);
        self.elr_before.get(partition).into_iter().chain(remembered).flatten()
    }

    /// Whether the leader was elected without proof, and has yet to come to terms with it; a
    /// trace alone does not tell.
    pub fn may_recover(&self, partition: &Name) -> bool {
        self.recovering.contains(partition) || !self.elr.contains_key(partition)
    }

    /// Whether this process was remembered as the last leader until now.
    pub fn was_last_known(&self, partition: &Name, process: &Name) -> bool {
        self.last_known_before.get(partition).is_some_and(|it| it.contains(process))
    }

    /// The registration, if this process leads by it and knows that it does.
    pub fn led_by(&self, process: &Name, partition: &Name) -> Option<&Registration> {
        let registration = self.registrations.get(partition)?;
        let role = self.replica(process, partition)?.role.as_ref()?;
        (*role == (Some(process.clone()), registration.leader_epoch))
            .then_some(registration)
    }

    /// Whether a partition has no leader, and this process led it last and knows nothing of
    /// that: what it still commits the next leader will have.
    pub fn was_last_to_lead(&self, process: &Name, partition: &Name) -> bool {
        let role = self.replica(process, partition).and_then(|it| it.role.as_ref());
        let (Some(registration), Some((leader, epoch))) =
            (self.registrations.get(partition), role)
        else {
            return false;
        };
        registration.leader.is_none()
            && leader.as_ref() == Some(process)
            && epoch + 1 == registration.leader_epoch
    }

    /// Takes in what only a judge is shown.
    pub fn witness(&mut self, sight: &Sight) {
        match sight {
            Sight::Eligible { partition, elr, last_known, recovering } => {
                match recovering {
                    true => _ = self.recovering.insert(partition.clone()),
                    false => _ = self.recovering.remove(partition),
                }
                let before = self.elr.insert(partition.clone(), elr.clone());
                self.elr_before.insert(partition.clone(), before.unwrap_or_default());
                let before =
                    self.last_known.insert(partition.clone(), last_known.clone());
                self.last_known_before
                    .insert(partition.clone(), before.unwrap_or_default());
            }
            Sight::Started(process) => {
                for ((other, _), replica) in &mut self.replicas {
                    replica.is_told &= other != process;
                }
            }
            Sight::LostPower(process) => {
                for ((other, partition), replica) in &mut self.replicas {
                    if other == process {
                        replica.is_sound = false;
                        self.in_doubt.insert((other.clone(), partition.clone()));
                    }
                }
                let partitions: Vec<Name> = self.registrations.keys().cloned().collect();
                for partition in partitions {
                    self.shaky.insert((partition.clone(), process.clone()));
                    self.note_shaky(&partition);
                }
            }
            Sight::Numbered { process, partition, base, .. }
            | Sight::Marked { process, partition, base, .. } => {
                if let Some(stamp) = stamp_of(sight) {
                    self.replica_mut(process, partition).put_stamp(*base, stamp);
                }
            }
            Sight::Asked(Asked::TopicDeleted(topic)) => self.forget(topic),
            Sight::Asked(Asked::RecordsDeleted { partition, before }) => {
                let deleted = self.deleted.entry(partition.clone()).or_default();
                *deleted = (*deleted).max(*before);
            }
            Sight::Stored(stored) => self.note_stored(stored),
            Sight::Found { process, partition, end }
                if self.in_doubt.remove(&(process.clone(), partition.clone()))
                    || self.was_moved(process, partition) =>
            {
                let replica = self.replica_mut(process, partition);
                // Whoever is behind its leader's log start gives up everything and begins
                // there (TRN-4).
                let begins_anew = *end > replica.end();
                replica.log.retain(|entry| entry.end() <= *end && !begins_anew);
                replica.high_watermark = replica.high_watermark.min(*end);
                replica.is_sound = true;
                // If it comes into the ISR from here on, it is known what it has (KIP-903).
                let registration = self.registrations.get(partition);
                if registration.is_none_or(|it| !it.isr.contains(process)) {
                    self.shaky.remove(&(partition.clone(), process.clone()));
                }
            }
            _ => {}
        }
    }

    fn note_stored(&mut self, stored: &Stored) {
        match &stored.what {
            Filed::Gone { end, left } => {
                // A log that is cut loses its newest ones.
                let is_oldest = left.iter().all(|other| *other > stored.segment);
                if is_oldest && !left.is_empty() {
                    let deleted =
                        self.deleted.entry(stored.partition.clone()).or_default();
                    *deleted = (*deleted).max(*end);
                }
            }
            Filed::Rewritten { .. } => self.compacted.note(stored),
            Filed::Indexed { .. } | Filed::TimeIndexed { .. } => {}
        }
    }

    /// Of a topic that is deleted nothing is known any more.
    fn forget(&mut self, topic: &Name) {
        let is_other = |partition: &Name| {
            partition.rsplit_once('-').is_none_or(|it| *it.0 != **topic)
        };
        self.registrations.retain(|partition, _| is_other(partition));
        self.replicas.retain(|(_, partition), _| is_other(partition));
        self.promises.retain(|promise| is_other(&promise.partition));
        self.compacted.retain(is_other);
    }

    /// Whether Kafka itself may have broken this promise: the partition was led by a replica
    /// from outside its ISR, or all of its ISR has lost power since the record was committed; or
    /// an epoch may have been given twice, and the record taken for one that was there before.
    pub fn excuses(&self, promise: &Promise) -> bool {
        let lost = self.lossy.get(&promise.partition);
        let was_there = |below: &i64| promise.base.is_none_or(|base| base < *below);
        let deleted = self.deleted_below(&promise.partition);
        self.unclean.contains_key(&promise.partition)
            || lost.is_some_and(was_there)
            || deleted > 0 && promise.base.is_none_or(|base| base < deleted)
            || self.compacted.has_taken(&promise.partition, promise.base)
            || is_forgotten(self, &promise.producer)
    }

    /// Whether promises about the partition may have been broken in a way that Kafka allows:
    /// it was led by a replica from outside its ISR, or all of its ISR has lost power.
    pub fn was_unclean(&self, partition: &Name) -> bool {
        self.unclean.contains_key(partition) || self.lossy.contains_key(partition)
    }

    /// Whether any partition, internal ones included, was led from outside its ISR, or all of
    /// its ISR has lost power.
    pub fn may_have_lost(&self) -> bool {
        !self.unclean.is_empty() || !self.lossy.is_empty()
    }

    /// Members of an ISR that have lost power keep their place in it until the controller
    /// takes them out. Where nobody else is left in it, what was promised may be gone: so
    /// it is in Kafka below `min.insync.replicas`.
    fn note_shaky(&mut self, partition: &Name) {
        let Some(registration) = self.registrations.get(partition) else { return };
        let isr = &registration.isr;
        // It may have been proposed before it went down, and come into the ISR only now.
        let in_doubt = &self.in_doubt;
        self.shaky.retain(|(of, member)| {
            of != partition
                || isr.contains(member)
                || in_doubt.contains(&(member.clone(), of.clone()))
        });
        let shaky =
            |member: &Name| self.shaky.contains(&(partition.clone(), member.clone()));
        if !isr.is_empty() && isr.iter().all(shaky) {
            let highest = self.highest.get(partition).copied().unwrap_or(0);
            self.lossy.insert(partition.clone(), highest);
        }
    }

    /// Takes one change in.
    pub fn apply(&mut self, change: &StateChange) {
        match change {
            StateChange::Registration { .. } => self.register(change),
            StateChange::Replica { process, partition, leader, epoch } => {
                let role = Some((leader.clone(), *epoch));
                self.replica_mut(process, partition).role = role;
                // It may have heard only now that it has been relieved.
                if leader.is_none() && self.was_moved(process, partition) {
                    self.anew.insert((process.clone(), partition.clone()));
                }
            }
            StateChange::Appended { .. } => self.append(change),
            StateChange::Truncated { process, partition, end } => {
                self.anew.remove(&(process.clone(), partition.clone()));
                let replica = self.replica_mut(process, partition);
                // Whoever is behind its leader's log start gives up everything and begins
                // there (TRN-4).
                let begins_anew = *end > replica.end();
                replica.log.retain(|entry| entry.end() <= *end && !begins_anew);
                replica.high_watermark = replica.high_watermark.min(*end);
            }
            StateChange::LogStart { process, partition, offset } => {
                self.replica_mut(process, partition).start = *offset;
            }
            StateChange::HighWatermark { process, partition, offset } => {
                let replica = self.replica_mut(process, partition);
                replica.high_watermark = *offset;
                replica.highest_watermark = replica.highest_watermark.max(*offset);
                replica.is_told = true;
                let highest = self.highest.entry(partition.clone()).or_default();
                *highest = (*highest).max(*offset);
            }
            StateChange::BatchAcked { process, partition, batch, acks, base, .. } => {
                self.promises.push(Promise {
                    producer: process.clone(),
                    partition: partition.clone(),
                    batch: *batch,
                    acks: acks.clone(),
                    base: *base,
                });
            }
            StateChange::IsrProposed { process, partition, isr } => {
                let role =
                    self.replica(process, partition).and_then(|it| it.role.as_ref());
                let epoch = role.map_or(-1, |(_, epoch)| *epoch);
                self.proposed.insert(partition.clone(), (epoch, isr.clone()));
            }
            StateChange::ProducerIdentified { process, id: Some(id), .. } => {
                self.ids.insert(process.clone(), id.clone());
            }
            StateChange::Process { .. }
            | StateChange::Quorum { .. }
            | StateChange::Broker { .. }
            | StateChange::Recovered { .. }
            | StateChange::ProduceWaits { .. }
            | StateChange::BatchSent { .. }
            | StateChange::BatchFailed { .. }
            | StateChange::Polled { .. }
            | StateChange::LeaderLearned { .. }
            | StateChange::LastStable { .. }
            | StateChange::Group { .. }
            | StateChange::Member { .. }
            | StateChange::OffsetCommitted { .. }
            | StateChange::CommitAnswered { .. }
            | StateChange::Transaction { .. }
            | StateChange::TransactionStep { .. }
            | StateChange::ProducerIdentified { id: None, .. } => {}
        }
    }

    fn append(&mut self, change: &StateChange) {
        let StateChange::Appended { process, partition, base, count, epoch, batch } =
            change
        else {
            return;
        };
        self.anew.remove(&(process.clone(), partition.clone()));
        let was_moved = self.was_moved(process, partition);
        let origin = self.compacted.origin(partition, (*base, *batch));
        let replica = self.replica_mut(process, partition);
        // Nobody says how much of it was found again, or that it begins anew where it
        // was taken away: what comes now does.
        if (!replica.is_sound || was_moved) && *base < replica.end() {
            replica.log.retain(|entry| entry.end() <= *base);
        }
        let below = replica.log.last().map_or(0, |entry| entry.prefix);
        let (base, count, epoch, batch) = (*base, *count, *epoch, origin);
        let words = [base as u64, count as u64, epoch as u64, u64::from(batch)];
        let prefix = words.into_iter().fold(below, chain);
        let stamp = None;
        replica.log.push(Entry { base, count, epoch, batch, stamp, prefix });
    }

    /// Whether a reassignment has come to its end: the change that takes its last target into
    /// the ISR, as the leader proposed, makes it the leader too.
    fn was_handed_over(
        &self,
        partition: &Name,
        before: &Registration,
        now: &Registration,
    ) -> bool {
        let proposed = self.proposed.get(partition);
        // What an earlier leader proposed has been decided.
        let proposed = proposed.filter(|(epoch, _)| *epoch >= before.leader_epoch);
        let is_member =
            |leader: &Name| proposed.is_some_and(|(_, isr)| isr.contains(leader));
        // Several changes that are committed together are told as one: a member that was
        // taken in as proposed, and then elected.
        let several = now.partition_epoch > before.partition_epoch + 1;
        before.leader.is_some()
            && (before.replicas != now.replicas || several)
            && now.leader.as_ref().is_some_and(is_member)
    }

    /// Whether a leadership came and went of which nobody told: its controller was gone before
    /// it could.
    pub fn has_untold(&self, partition: &Name) -> bool {
        self.untold.contains(partition)
    }

    fn register(&mut self, change: &StateChange) {
        let Some((partition, registration)) = registration_of(change) else { return };
        let before = self.registrations.get(&partition);
        let has_untold =
            before.is_some_and(|it| registration.leader_epoch > it.leader_epoch + 1);
        match has_untold {
            true => _ = self.untold.insert(partition.clone()),
            false => _ = self.untold.remove(&partition),
        }
        let is_new =
            |member: &Name| !before.is_some_and(|before| before.isr.contains(member));
        if has_untold && registration.isr.iter().any(is_new) {
            // It may have been an unclean one.
            self.unclean.insert(partition.clone(), registration.leader_epoch);
        }
        if let (Some(before), Some(leader)) = (before, &registration.leader)
            && before.leader.as_ref() != Some(leader)
            && !before.isr.contains(leader)
            && !self.elr_before.get(&partition).is_some_and(|elr| elr.contains(leader))
            && !self.was_handed_over(&partition, before, &registration)
        {
            self.unclean.insert(partition.clone(), registration.leader_epoch);
        }
        for member in before.iter().flat_map(|before| &before.replicas) {
            if !registration.replicas.contains(member) {
                self.moved.insert((member.clone(), partition.clone()));
                self.anew.insert((member.clone(), partition.clone()));
            }
        }
        self.registrations.insert(partition.clone(), registration);
        self.note_shaky(&partition);
    }
}

/// The stamp that a sight tells, if it tells one.
fn stamp_of(sight: &Sight) -> Option<Stamp> {
    let stamp = |producer: i64, epoch: i16, kind| Stamp { producer, epoch, kind };
    match sight {
        Sight::Numbered { producer, epoch, sequence, in_transaction: true, .. } => {
            Some(stamp(*producer, *epoch, StampKind::InTransaction(*sequence)))
        }
        Sight::Numbered { producer, epoch, sequence, .. } => {
            Some(stamp(*producer, *epoch, StampKind::Data(*sequence)))
        }
        Sight::Marked { producer, epoch, commits: true, .. } => {
            Some(stamp(*producer, *epoch, StampKind::Commit))
        }
        Sight::Marked { producer, epoch, .. } => {
            Some(stamp(*producer, *epoch, StampKind::Abort))
        }
        _ => None,
    }
}

/// The registration that a change tells, if it tells one.
pub(crate) fn registration_of(change: &StateChange) -> Option<(Name, Registration)> {
    let StateChange::Registration {
        partition,
        replicas,
        isr,
        leader,
        leader_epoch,
        partition_epoch,
        ..
    } = change
    else {
        return None;
    };
    let registration = Registration {
        replicas: replicas.clone(),
        isr: isr.clone(),
        leader: leader.clone(),
        leader_epoch: *leader_epoch,
        partition_epoch: *partition_epoch,
    };
    Some((partition.clone(), registration))
}

/// FNV-1a over whole words.
fn chain(hash: u64, word: u64) -> u64 {
    (hash ^ word ^ 0xcbf2_9ce4_8422_2325)
        .wrapping_mul(0x0000_0100_0000_01b3)
        .rotate_left(17)
}
