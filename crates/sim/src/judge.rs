//! Who says whether a condition holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_model::{Comparison, Condition, ProcessId};
use topomotion_trace::{
    BrokerLiveness, Event, Fault, PacketId, ProcessState, QuorumRole, StateChange, Time,
    Travel, What,
};

use crate::{Asked, Sight};

mod answers;
mod groups;
mod shares;

use groups::Groups;

/// Sees every event of a run as it happens and answers what holds at the moment.
///
/// The world knows nothing of the judge's verdicts, and the judge nothing of the engine: it
/// reads the trace, as any other reader could.
pub trait Judge {
    /// One more event has happened.
    fn see(&mut self, event: &Event);

    /// Something was seen that the trace does not tell. A judge of conditions has no use
    /// for it.
    fn witness(&mut self, _at: Time, _sight: &Sight) {}

    /// How closely the run is to be looked at for it.
    fn attention(&self) -> Attention {
        Attention::Invariants
    }

    /// Whether the condition holds now; if not, why not, in words for the author.
    fn judge(&self, condition: &Condition) -> Result<(), String>;
}

/// How closely a judge looks. To look inside machines takes time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attention {
    /// At whatever conditions are about.
    Conditions,
    /// Also at what no condition asks for, with every step of a watermark and of the
    /// metadata: [`Sight::Leads`], [`Sight::Proposes`], [`Sight::Image`], [`Sight::Committed`],
    /// [`Sight::Epochs`], [`Sight::Producers`], [`Sight::Numbered`], [`Sight::Marked`],
    /// [`Sight::MetadataLog`], [`Sight::MetadataTaken`].
    Invariants,
}

/// The cluster's state as the trace tells it: registrations, log ends, high watermarks.
/// Answers every condition about the present; promises about the past are for `verify`.
#[derive(Debug, Clone, Default)]
pub struct Observer {
    registrations: BTreeMap<Arc<str>, Registration>,
    /// By process, then by partition.
    replicas: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Replica>>,
    /// Topics that were to be deleted; they may be back.
    deleted: BTreeSet<Arc<str>>,
    /// Eligible leader replicas, by partition.
    elr: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    /// Brokers as the controller sees them.
    brokers: BTreeMap<Arc<str>, BrokerLiveness>,
    /// Living quorum leaders, each with its epoch.
    leaders: BTreeMap<Arc<str>, i32>,
    quorum_epoch: i32,
    voters: Vec<Arc<str>>,
    /// Partitions of those topics that were asked for.
    sizes: BTreeMap<Arc<str>, i64>,
    /// What processes hold, by process and name, as it was last looked at.
    held: BTreeMap<(Arc<str>, Arc<str>), Option<i64>>,
    /// Where readers are in those partitions that were asked for.
    positions: BTreeMap<(Arc<str>, Arc<str>), Option<i64>>,
    /// Records that each reader was handed since the story began.
    read: BTreeMap<Arc<str>, i64>,
    /// Who was answered which error since the story began.
    told: BTreeSet<(Arc<str>, String)>,
    /// Errors that are on their way.
    coming: BTreeMap<PacketId, (Arc<str>, String)>,
    /// Groups and transactions.
    groups: Groups,
}

/// A partition as the controller last committed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Assigned replicas.
    pub replicas: Vec<Arc<str>>,
    /// In-sync replicas.
    pub isr: Vec<Arc<str>>,
    /// The leader, if there is one.
    pub leader: Option<Arc<str>>,
    /// Raised with each leader set.
    pub leader_epoch: i32,
}

/// One replica as it last spoke of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replica {
    /// Log end offset.
    pub log_end: i64,
    /// High watermark.
    pub high_watermark: i64,
    /// Log start offset; known only once it was asked for.
    pub log_start: i64,
}

impl Observer {
    /// Nothing has been seen yet.
    pub fn new() -> Observer {
        Observer::default()
    }

    /// A partition's registration, if it has one.
    pub fn registration(&self, partition: &str) -> Option<&Registration> {
        self.registrations.get(partition)
    }

    /// Eligible leader replicas of a partition, outside its ISR.
    pub fn eligible(&self, partition: &str) -> &[Arc<str>] {
        self.elr.get(partition).map_or(&[], Vec::as_slice)
    }

    /// A replica as it last spoke of itself; all zero before.
    pub fn replica(&self, process: &str, partition: &str) -> Replica {
        let found = self.replicas.get(process).and_then(|all| all.get(partition));
        found.copied().unwrap_or_default()
    }

    /// The active controller: the living quorum leader of the highest epoch.
    pub fn controller(&self) -> Option<&Arc<str>> {
        let leaders = self.leaders.iter();
        leaders.max_by_key(|(_, epoch)| **epoch).map(|(process, _)| process)
    }

    fn is_down(&mut self, process: &Arc<str>) {
        self.leaders.remove(process);
        self.groups.is_down(process);
    }

    fn replica_mut(&mut self, process: &Arc<str>, partition: &Arc<str>) -> &mut Replica {
        if !self.replicas.contains_key(process) {
            self.replicas.insert(process.clone(), BTreeMap::new());
        }
        let all = self.replicas.get_mut(process).expect("it was just put there");
        if !all.contains_key(partition) {
            all.insert(partition.clone(), Replica::default());
        }
        all.get_mut(partition).expect("it was just put there")
    }
}

impl Observer {
    /// Whether a word of a group or a transaction comes from a coordinator that is one no more,
    /// though it may not know.
    fn is_deposed(&self, change: &StateChange) -> bool {
        let (topic, coordinator, id) = match change {
            StateChange::Group { coordinator, group, .. } => {
                ("__consumer_offsets-", coordinator, group)
            }
            StateChange::Transaction { coordinator, id, .. } => {
                ("__transaction_state-", coordinator, id)
            }
            _ => return false,
        };
        let all = self.registrations.keys().filter(|it| it.starts_with(topic));
        let Ok(count @ 1..) = i32::try_from(all.count()) else { return false };
        let index = topomotion_coordinator::partition_for(id, count);
        let home = self.registrations.get(&*format!("{topic}{index}"));
        let leader = home.and_then(|it| it.leader.as_ref());
        leader.is_some_and(|leader| leader != coordinator)
    }

    fn change(&mut self, change: &StateChange) {
        if self.is_deposed(change) {
            return;
        }
        self.groups.change(change);
        match change {
            StateChange::Registration {
                partition,
                replicas,
                isr,
                leader,
                leader_epoch,
                ..
            } => {
                let registration = Registration {
                    replicas: replicas.clone(),
                    isr: isr.clone(),
                    leader: leader.clone(),
                    leader_epoch: *leader_epoch,
                };
                self.registrations.insert(partition.clone(), registration);
            }
            StateChange::Appended { process, partition, base, count, .. } => {
                self.replica_mut(process, partition).log_end = base + count;
            }
            StateChange::Truncated { process, partition, end } => {
                self.replica_mut(process, partition).log_end = *end;
            }
            StateChange::HighWatermark { process, partition, offset } => {
                self.replica_mut(process, partition).high_watermark = *offset;
            }
            StateChange::Quorum { process, role, epoch } => {
                self.quorum_epoch = self.quorum_epoch.max(*epoch);
                match role {
                    QuorumRole::Leader => self.leaders.insert(process.clone(), *epoch),
                    _ => self.leaders.remove(process),
                };
            }
            StateChange::Broker { broker, liveness, .. } => {
                self.brokers.insert(broker.clone(), *liveness);
            }
            StateChange::Process { process, state: ProcessState::Stopped } => {
                self.is_down(process);
            }
            StateChange::BatchFailed { process, error, .. }
            // Whoever is no member any more is told so by its own client.
            | StateChange::CommitAnswered { process, error: Some(error), .. } => {
                self.told.insert((process.clone(), error.clone()));
            }
            StateChange::Polled { process, records, .. } => {
                *self.read.entry(process.clone()).or_default() += records;
            }
            StateChange::Process { .. }
            | StateChange::Replica { .. }
            | StateChange::Recovered { .. }
            | StateChange::IsrProposed { .. }
            | StateChange::ProduceWaits { .. }
            | StateChange::BatchSent { .. }
            | StateChange::BatchAcked { .. }
            | StateChange::LeaderLearned { .. }
            | StateChange::LastStable { .. }
            | StateChange::Group { .. }
            | StateChange::Member { .. }
            | StateChange::OffsetCommitted { .. }
            | StateChange::CommitAnswered { error: None, .. }
            | StateChange::Transaction { .. }
            | StateChange::TransactionStep { .. }
            | StateChange::LogStart { .. }
            | StateChange::ProducerIdentified { .. } => {}
        }
    }
}

impl Judge for Observer {
    fn see(&mut self, event: &Event) {
        match &event.what {
            What::State(change) => self.change(change),
            What::Fault(Fault::Crash { process } | Fault::Restart { process }) => {
                self.is_down(process);
            }
            What::Sent(packet) => {
                if let (Travel::Response(_), Some(error)) =
                    (&packet.travel, &packet.error)
                {
                    self.coming.insert(packet.id, (packet.to.clone(), error.clone()));
                }
            }
            What::Arrived(packet) => self.told.extend(self.coming.remove(packet)),
            What::Lost(packet, _) => {
                self.coming.remove(packet);
            }
            What::Curtain => {
                self.told.clear();
                self.read.clear();
                self.groups.begin();
            }
            _ => {}
        }
    }

    fn witness(&mut self, _at: Time, sight: &Sight) {
        match sight {
            Sight::Eligible { partition, elr, .. } => {
                self.elr.insert(partition.clone(), elr.clone());
            }
            Sight::Found { process, partition, end } => {
                let replica = self.replica_mut(process, partition);
                replica.log_end = *end;
                replica.high_watermark = replica.high_watermark.min(*end);
            }
            Sight::LogStart { process, partition, offset } => {
                self.replica_mut(process, partition).log_start = *offset;
            }
            Sight::Position { process, partition, next } => {
                self.positions.insert((process.clone(), partition.clone()), *next);
            }
            Sight::Voters(voters) => self.voters.clone_from(voters),
            Sight::Asked(Asked::TopicDeleted(topic)) => {
                self.deleted.insert(topic.clone());
            }
            Sight::TopicSize { topic, partitions } => {
                self.sizes.insert(topic.clone(), *partitions);
            }
            Sight::Holds { process, name, count } => {
                self.held.insert((process.clone(), name.clone()), *count);
            }
            _ => {}
        }
    }

    fn attention(&self) -> Attention {
        Attention::Conditions
    }

    fn judge(&self, condition: &Condition) -> Result<(), String> {
        match condition {
            Condition::NoAcknowledgedRecordLost | Condition::Violation(_) => {
                Err("an observer of the present cannot say what was promised".to_owned())
            }
            Condition::Not(inner) => negate(inner, self.judge(inner)),
            Condition::Told { process, error } => self.was_told(process, error),
            Condition::Fenced(broker) => self.fenced(broker),
            Condition::Owns { .. }
            | Condition::Owned { .. }
            | Condition::State { .. } => self.groups.judge(condition),
            Condition::Leader { partition, comparison, process } => {
                self.leader(partition, *comparison, process.as_ref())
            }
            Condition::Controller { comparison, process } => {
                self.active(*comparison, process.as_ref())
            }
            Condition::Replicas { set, partition, comparison, processes } => {
                self.replicas(*set, partition, *comparison, processes)
            }
            Condition::Voters { comparison, processes } => {
                same(&self.voters, *comparison, processes)
                    .map_err(|is| format!("the voters are {is}"))
            }
            Condition::Number { term, partition, replica, comparison, value } => {
                let found = self.number(*term, partition, replica.as_ref())?;
                compare(*comparison, found, *value).map_err(|()| match replica {
                    None => format!("{term}({partition}) is {found}"),
                    Some(replica) => format!("{term}({partition}, {replica}) is {found}"),
                })
            }
            Condition::Count { of, comparison, value } => {
                let found = self.count(of)?;
                compare(*comparison, found, *value)
                    .map_err(|()| format!("{of} is {found}"))
            }
        }
    }
}

/// What becomes of a verdict when the opposite was demanded.
pub fn negate(condition: &Condition, judged: Result<(), String>) -> Result<(), String> {
    match judged {
        Ok(()) => Err(format!("{condition} holds")),
        Err(_) => Ok(()),
    }
}

/// Compares two sets; the error is the one that was found.
fn same(
    found: &[Arc<str>],
    comparison: Comparison,
    wanted: &[ProcessId],
) -> Result<(), String> {
    let mut found: Vec<&str> = found.iter().map(|member| &**member).collect();
    found.sort_unstable();
    let mut wanted: Vec<&str> = wanted.iter().map(ProcessId::as_str).collect();
    wanted.sort_unstable();
    wanted.dedup();
    match equality(comparison, found == wanted) {
        true => Ok(()),
        false => Err(format!("{{{}}}", found.join(", "))),
    }
}

/// Names are equal or not; other comparisons cannot be written.
fn equality(comparison: Comparison, equal: bool) -> bool {
    match comparison {
        Comparison::Equal | Comparison::AtLeast | Comparison::AtMost => equal,
        Comparison::NotEqual | Comparison::MoreThan | Comparison::LessThan => !equal,
    }
}

fn compare(comparison: Comparison, found: i64, value: i64) -> Result<(), ()> {
    let holds = match comparison {
        Comparison::Equal => found == value,
        Comparison::NotEqual => found != value,
        Comparison::AtLeast => found >= value,
        Comparison::AtMost => found <= value,
        Comparison::MoreThan => found > value,
        Comparison::LessThan => found < value,
    };
    if holds { Ok(()) } else { Err(()) }
}

#[cfg(test)]
mod tests;
