//! Groups, transactions and what was read twice, as the trace tells of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_model::{Comparison, Condition, PartitionName, ProcessId, Stateful};
use topomotion_trace::{GroupState, StateChange, TransactionState};

use super::shares::Shares;
use super::{Observer, equality};

/// What is known of groups and of transactions.
#[derive(Debug, Clone, Default)]
pub(super) struct Groups {
    groups: BTreeMap<Arc<str>, Group>,
    shares: Shares,
    /// What each member believes to own.
    owned: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    /// The group of each process that was ever a member.
    of: BTreeMap<Arc<str>, Arc<str>>,
    /// By group, then by partition.
    committed: BTreeMap<Arc<str>, BTreeMap<Arc<str>, i64>>,
    transactions: BTreeMap<Arc<str>, Transaction>,
    /// The epoch of each producer.
    epochs: BTreeMap<Arc<str>, i16>,
    /// Last stable offsets by process, then by partition.
    last_stable: BTreeMap<Arc<str>, BTreeMap<Arc<str>, i64>>,
    /// What was read since the story began, by reader or group, then by partition.
    reads: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Reads>>,
}

/// A group as its coordinator last saw it.
#[derive(Debug, Clone)]
struct Group {
    coordinator: Arc<str>,
    state: GroupState,
    generation: i32,
    members: usize,
    /// Who shares out what the group reads, if a member does.
    leader: Option<Arc<str>>,
}

#[derive(Debug, Clone)]
struct Transaction {
    coordinator: Arc<str>,
    state: TransactionState,
}

/// Offsets that were read, and how many of them again.
#[derive(Debug, Clone, Default)]
struct Reads {
    /// First offsets with the offsets after the last; they neither meet nor overlap.
    ranges: BTreeMap<i64, i64>,
    twice: i64,
}

impl Reads {
    fn add(&mut self, base: i64, next: i64) {
        let (mut from, mut to) = (base, next);
        let near = self.ranges.range(..=next).rev();
        let near = near.take_while(|(_, end)| **end >= base);
        let near: Vec<(i64, i64)> = near.map(|(a, b)| (*a, *b)).collect();
        for (start, end) in near {
            self.twice += (end.min(next) - start.max(base)).max(0);
            (from, to) = (from.min(start), to.max(end));
            self.ranges.remove(&start);
        }
        self.ranges.insert(from, to);
    }
}

impl Groups {
    pub fn change(&mut self, change: &StateChange) {
        self.shares.change(change);
        match change {
            StateChange::Group {
                coordinator,
                group,
                state,
                generation,
                members,
                leader,
                ..
            } => {
                for member in members {
                    self.of.insert(member.process.clone(), group.clone());
                }
                let seen = Group {
                    coordinator: coordinator.clone(),
                    state: *state,
                    generation: *generation,
                    members: members.len(),
                    leader: leader.clone(),
                };
                self.groups.insert(group.clone(), seen);
            }
            StateChange::Member { process, group, owned, .. } => {
                self.of.insert(process.clone(), group.clone());
                self.owned.insert(process.clone(), owned.iter().cloned().collect());
            }
            StateChange::OffsetCommitted { group, partition, offset, .. } => {
                let committed = self.committed.entry(group.clone()).or_default();
                match offset {
                    Some(offset) => committed.insert(partition.clone(), *offset),
                    None => committed.remove(partition),
                };
            }
            StateChange::Transaction { coordinator, id, state, .. } => {
                let (coordinator, state) = (coordinator.clone(), *state);
                self.transactions.insert(id.clone(), Transaction { coordinator, state });
            }
            StateChange::ProducerIdentified { process, epoch, .. } => {
                self.epochs.insert(process.clone(), *epoch);
            }
            StateChange::LastStable { process, partition, offset } => {
                let of = self.last_stable.entry(process.clone()).or_default();
                of.insert(partition.clone(), *offset);
            }
            StateChange::Polled { process, partition, base, next, .. } => {
                // One that is a group of its own bears its name.
                let group = self.of.get(process).filter(|group| *group != process);
                let group = group.cloned();
                for who in [Some(process.clone()), group].into_iter().flatten() {
                    let of = self.reads.entry(who).or_default();
                    of.entry(partition.clone()).or_default().add(*base, *next);
                }
            }
            _ => {}
        }
    }

    /// A process that is down owns nothing.
    pub fn is_down(&mut self, process: &str) {
        self.shares.is_down(process);
        self.owned.remove(process);
        self.epochs.remove(process);
    }

    /// Nothing that was read before counts.
    pub fn begin(&mut self) {
        self.reads.clear();
    }

    pub fn last_stable(&self, process: &str, partition: &str) -> Option<i64> {
        self.last_stable.get(process)?.get(partition).copied()
    }

    pub fn generation(&self, group: &str) -> Result<i64, String> {
        let found = self.groups.get(group);
        let found = found.ok_or_else(|| format!("no coordinator knows {group}"))?;
        Ok(i64::from(found.generation))
    }

    pub fn members(&self, group: &str) -> i64 {
        let members = self.groups.get(group).map_or(0, |group| group.members);
        i64::try_from(members).unwrap_or(i64::MAX)
    }

    pub fn owned_count(&self, process: &str) -> i64 {
        let owned = self.owned.get(process).map_or(0, BTreeSet::len);
        i64::try_from(owned).unwrap_or(i64::MAX)
    }

    pub fn committed(&self, group: &str, partition: &str) -> Option<i64> {
        self.committed.get(group)?.get(partition).copied()
    }

    pub fn producer_epoch(&self, process: &str) -> Result<i64, String> {
        let epoch = self.epochs.get(process).copied().map(i64::from);
        epoch.ok_or_else(|| format!("{process} has no producer id"))
    }

    /// Records that a reader or a group was handed more than once.
    pub fn read_twice(&self, who: &str) -> i64 {
        let reads = self.reads.get(who).into_iter().flat_map(BTreeMap::values);
        reads.map(|reads| reads.twice).sum()
    }

    /// Who coordinates, as the trace last told.
    pub fn coordinator(&self, of: &Stateful) -> Option<&Arc<str>> {
        match of {
            Stateful::Group(id) => Some(&self.groups.get(id.as_str())?.coordinator),
            Stateful::Transaction(id) => {
                Some(&self.transactions.get(id.as_str())?.coordinator)
            }
        }
    }

    /// Conditions about groups and transactions alone.
    pub fn judge(&self, condition: &Condition) -> Result<(), String> {
        match condition {
            Condition::Owns { process, partition } => self.owns(process, partition),
            Condition::Owned { process, comparison, partitions } => {
                self.owned(process, *comparison, partitions)
            }
            Condition::State { of, comparison, state } => {
                self.state(of, *comparison, state)
            }
            _ => Err("it is not about groups or transactions".to_owned()),
        }
    }

    fn state(
        &self,
        of: &Stateful,
        comparison: Comparison,
        wanted: &str,
    ) -> Result<(), String> {
        let found = match of {
            Stateful::Group(id) => {
                self.groups.get(id.as_str()).map(|group| group.state.name())
            }
            Stateful::Transaction(id) => {
                self.transactions.get(id.as_str()).map(|it| it.state.name())
            }
        };
        // What no coordinator has heard of is as good as dead.
        let found = found.unwrap_or("dead");
        match equality(comparison, found == wanted) {
            true => Ok(()),
            false => Err(format!("{of} is {found}")),
        }
    }

    fn owns(&self, process: &ProcessId, partition: &PartitionName) -> Result<(), String> {
        let owned = self.owned.get(process.as_str());
        match owned.is_some_and(|owned| owned.contains(&*partition.to_string())) {
            true => Ok(()),
            false => Err(format!("{process} owns {}", self.all_owned(process))),
        }
    }

    fn owned(
        &self,
        process: &ProcessId,
        comparison: Comparison,
        wanted: &[PartitionName],
    ) -> Result<(), String> {
        let wanted: BTreeSet<Arc<str>> =
            wanted.iter().map(|partition| partition.to_string().into()).collect();
        let none = BTreeSet::new();
        let owned = self.owned.get(process.as_str()).unwrap_or(&none);
        match equality(comparison, *owned == wanted) {
            true => Ok(()),
            false => Err(format!("{process} owns {}", self.all_owned(process))),
        }
    }

    fn all_owned(&self, process: &ProcessId) -> String {
        let owned = self.owned.get(process.as_str()).into_iter().flatten();
        let owned: Vec<&str> = owned.map(|partition| &**partition).collect();
        match owned[..] {
            [] => "nothing".to_owned(),
            _ => format!("{{{}}}", owned.join(", ")),
        }
    }
}

impl Observer {
    /// Every transactional id, and how its transaction stands.
    pub(crate) fn transactions(&self) -> impl Iterator<Item = (&str, TransactionState)> {
        let all = self.groups.transactions.iter();
        all.map(|(id, transaction)| (&**id, transaction.state))
    }

    /// How a group stands at its coordinator, if one knows it.
    pub(crate) fn group_state(&self, group: &str) -> Option<GroupState> {
        Some(self.groups.groups.get(group)?.state)
    }

    /// Whether it was ever asked for that a topic is deleted.
    pub(crate) fn was_deleted(&self, topic: &str) -> bool {
        self.deleted.contains(topic)
    }

    /// The member that shares out what a group reads, if a member does.
    pub(crate) fn group_leader(&self, group: &str) -> Option<&Arc<str>> {
        self.groups.groups.get(group)?.leader.as_ref()
    }

    /// Who had a partition that nobody is given since that member has forgotten to hand it on.
    pub(crate) fn forgotten_by(&self, group: &str, partition: &str) -> Option<&Arc<str>> {
        self.groups.shares.forgotten_by(group, partition)
    }

    /// Who coordinates a group or a transaction, as the trace last told.
    pub fn coordinator(&self, of: &Stateful) -> Option<&Arc<str>> {
        self.groups.coordinator(of)
    }

    /// The offset that a group has committed in a partition.
    pub fn committed(&self, group: &str, partition: &str) -> Option<i64> {
        self.groups.committed(group, partition)
    }

    /// What of a topic, or of one partition, a group has not committed: up to the high
    /// watermark, from the start where nothing is committed.
    pub(super) fn lag(&self, group: &str, topic: &str) -> Result<i64, String> {
        let is_of_topic = |name: &str| {
            name == topic
                || name.rsplit_once('-').is_some_and(|(found, _)| found == topic)
        };
        let all = self.registrations.iter().filter(|(name, _)| is_of_topic(name));
        let mut lag = None;
        for (name, registration) in all {
            let leader = registration.leader.as_deref();
            let end = leader.map_or(0, |it| self.replica(it, name).high_watermark);
            let committed = self.committed(group, name).unwrap_or(0);
            *lag.get_or_insert(0) += (end - committed).max(0);
        }
        lag.ok_or_else(|| format!("{topic} does not exist"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_again_counts_once_for_each_time() {
        let mut reads = Reads::default();
        for (base, next, twice) in
            [(0, 3, 0), (3, 5, 0), (4, 6, 1), (10, 12, 1), (5, 11, 3), (0, 12, 15)]
        {
            reads.add(base, next);
            assert_eq!(reads.twice, twice, "{base}..{next}");
        }
        assert_eq!(reads.ranges, BTreeMap::from([(0, 12)]));
    }
}
