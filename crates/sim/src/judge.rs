//! Who says whether a condition holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_model::{
    Comparison, Condition, Count, PartitionName, ProcessId, ReplicaSet, Term,
};
use topomotion_trace::{
    BrokerLiveness, Event, Fault, PacketId, ProcessState, QuorumRole, StateChange, Time,
    Travel, What,
};

use crate::Sight;
use crate::bind::METADATA;

mod groups;

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
    /// metadata: [`Sight::Leads`], [`Sight::Image`], [`Sight::Committed`],
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

    fn registered(&self, partition: &PartitionName) -> Result<&Registration, String> {
        let found = self.registrations.get(&*partition.to_string());
        found.ok_or_else(|| format!("{partition} does not exist"))
    }

    fn leader(
        &self,
        partition: &PartitionName,
        comparison: Comparison,
        wanted: Option<&ProcessId>,
    ) -> Result<(), String> {
        let leader = self.registered(partition)?.leader.as_deref();
        if equality(comparison, leader == wanted.map(ProcessId::as_str)) {
            return Ok(());
        }
        Err(match leader {
            Some(leader) => format!("{leader} leads {partition}"),
            None => format!("nobody leads {partition}"),
        })
    }

    fn replicas(
        &self,
        set: ReplicaSet,
        partition: &PartitionName,
        comparison: Comparison,
        wanted: &[ProcessId],
    ) -> Result<(), String> {
        let registration = self.registered(partition)?;
        let none = Vec::new();
        let (found, noun) = match set {
            ReplicaSet::Isr => (&registration.isr, "the ISR"),
            ReplicaSet::Elr => {
                let elr = self.elr.get(&*partition.to_string());
                (elr.unwrap_or(&none), "the ELR")
            }
            ReplicaSet::Assigned => (&registration.replicas, "the replica set"),
        };
        same(found, comparison, wanted)
            .map_err(|is| format!("{noun} of {partition} is {is}"))
    }

    fn active(
        &self,
        comparison: Comparison,
        wanted: Option<&ProcessId>,
    ) -> Result<(), String> {
        let controller = self.controller().map(|process| &**process);
        if equality(comparison, controller == wanted.map(ProcessId::as_str)) {
            return Ok(());
        }
        Err(match controller {
            Some(controller) => format!("{controller} is the active controller"),
            None => "no controller is active".to_owned(),
        })
    }

    fn fenced(&self, broker: &ProcessId) -> Result<(), String> {
        match self.brokers.get(broker.as_str()) {
            Some(BrokerLiveness::Fenced) => Ok(()),
            Some(BrokerLiveness::Unfenced) => Err(format!("{broker} is unfenced")),
            Some(BrokerLiveness::ControlledShutdown) => {
                Err(format!("{broker} is unfenced and shutting down"))
            }
            None => Err(format!("{broker} is not registered")),
        }
    }

    fn was_told(&self, process: &ProcessId, error: &str) -> Result<(), String> {
        if self.told.contains(&(process.0.clone(), error.to_owned())) {
            return Ok(());
        }
        let others = self.told.iter().filter(|(who, _)| **who == *process.as_str());
        let others: Vec<&str> = others.map(|(_, error)| error.as_str()).collect();
        Err(match others[..] {
            [] => format!("{process} was told of no error"),
            _ => format!("{process} was told {}", others.join(", ")),
        })
    }

    /// A number that belongs to no single partition, or to a client.
    pub(crate) fn count(&self, of: &Count) -> Result<i64, String> {
        let partitions = |wanted: fn(&Registration) -> bool| {
            let found = self.registrations.values().filter(|it| wanted(it)).count();
            i64::try_from(found).unwrap_or(i64::MAX)
        };
        match of {
            Count::UnderReplicated => Ok(partitions(|it| {
                it.leader.is_some() && it.isr.len() < it.replicas.len()
            })),
            Count::Offline => Ok(partitions(|it| it.leader.is_none())),
            Count::QuorumEpoch => Ok(i64::from(self.quorum_epoch)),
            Count::Partitions(topic) => {
                Ok(self.sizes.get(topic.as_str()).copied().unwrap_or(0))
            }
            Count::Position(reader, partition) => {
                let place = (reader.0.clone(), Arc::from(partition.to_string()));
                let position = self.positions.get(&place).copied().flatten();
                position.ok_or_else(|| format!("{reader} has no position in {partition}"))
            }
            Count::RecordsRead(reader) => {
                Ok(self.read.get(reader.as_str()).copied().unwrap_or(0))
            }
            Count::Generation(group) => self.groups.generation(group),
            Count::Members(group) => Ok(self.groups.members(group)),
            Count::Owned(process) => Ok(self.groups.owned_count(process.as_str())),
            Count::Committed(group, partition) => {
                let committed = self.committed(group, &partition.to_string());
                committed.ok_or_else(|| format!("{group} has committed no {partition}"))
            }
            Count::Lag(group, topic) => self.lag(group, topic),
            Count::ProducerEpoch(process) => self.groups.producer_epoch(process.as_str()),
            Count::ReadTwice(who) => Ok(self.groups.read_twice(who)),
            Count::Holds(process, name) => {
                let held = self.held.get(&(process.0.clone(), Arc::from(name.as_str())));
                let none = || format!("{process} holds nothing, or is down");
                held.copied().flatten().ok_or_else(none)
            }
        }
    }

    /// A number that a partition has.
    pub(crate) fn number(
        &self,
        term: Term,
        partition: &PartitionName,
        replica: Option<&ProcessId>,
    ) -> Result<i64, String> {
        if let (Some(process), METADATA) = (replica, &*partition.topic) {
            let at = self.replica(process.as_str(), &partition.to_string());
            return match term {
                Term::HighWatermark => Ok(at.high_watermark),
                Term::LogStart => Ok(at.log_start),
                Term::LogEnd => Ok(at.log_end),
                Term::LeaderEpoch | Term::IsrSize | Term::LastStable => {
                    Err(format!("{partition} has no ISR: a quorum commits it"))
                }
            };
        }
        let registration = self.registered(partition)?;
        let leader_of = || {
            let leader = registration.leader.as_deref();
            let replica = replica.map(ProcessId::as_str).or(leader);
            let replica = replica.ok_or_else(|| format!("nobody leads {partition}"))?;
            Ok::<Replica, String>(self.replica(replica, &partition.to_string()))
        };
        Ok(match term {
            Term::HighWatermark => leader_of()?.high_watermark,
            Term::LogStart => leader_of()?.log_start,
            Term::LogEnd => leader_of()?.log_end,
            Term::LeaderEpoch => i64::from(registration.leader_epoch),
            Term::LastStable => {
                let leader = registration.leader.as_deref();
                let process = replica.map(ProcessId::as_str).or(leader);
                let told = process.and_then(|process| {
                    self.groups.last_stable(process, &partition.to_string())
                });
                // Where no transaction was, it is the high watermark.
                told.unwrap_or(leader_of()?.high_watermark)
            }
            Term::IsrSize => i64::try_from(registration.isr.len()).unwrap_or(i64::MAX),
        })
    }
}

impl Observer {
    /// Whether a group's word comes from a coordinator that is one no more, though it may not
    /// know.
    fn is_deposed(&self, change: &StateChange) -> bool {
        const TOPIC: &str = "__consumer_offsets-";
        let StateChange::Group { coordinator, group, .. } = change else { return false };
        let all = self.registrations.keys().filter(|it| it.starts_with(TOPIC));
        let Ok(count @ 1..) = i32::try_from(all.count()) else { return false };
        let index = topomotion_coordinator::partition_for(group, count);
        let home = self.registrations.get(&*format!("{TOPIC}{index}"));
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
mod tests {
    use super::*;

    fn observer() -> Observer {
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let partition: Arc<str> = "orders-0".into();
        let registration = StateChange::Registration {
            controller: "c".into(),
            partition: partition.clone(),
            replicas: vec![a.clone(), b.clone()],
            isr: vec![b.clone(), a.clone()],
            leader: Some(a.clone()),
            leader_epoch: 4,
            partition_epoch: 9,
        };
        let appended = StateChange::Appended {
            process: a.clone(),
            partition: partition.clone(),
            base: 0,
            count: 5,
            epoch: 4,
            batch: 1,
        };
        let watermark = StateChange::HighWatermark { process: a, partition, offset: 3 };
        let mut observer = Observer::new();
        let broker = |broker: &str, liveness| StateChange::Broker {
            controller: "c".into(),
            broker: broker.into(),
            liveness,
        };
        let leads = |process: &str, epoch| StateChange::Quorum {
            process: process.into(),
            role: QuorumRole::Leader,
            epoch,
        };
        let error = "NOT_ENOUGH_REPLICAS".to_owned();
        let failed = StateChange::BatchFailed {
            process: "shop".into(),
            partition: "orders-0".into(),
            batch: 1,
            error,
        };
        let polled = StateChange::Polled {
            process: "reader".into(),
            partition: "orders-0".into(),
            base: 1,
            next: 4,
            records: 3,
        };
        let changes = [
            registration,
            appended,
            watermark,
            broker("a", BrokerLiveness::Unfenced),
            broker("b", BrokerLiveness::Fenced),
            leads("d", 2),
            leads("c", 1),
            failed,
            polled,
        ];
        for change in changes {
            observer.see(&Event { at: Time(0), what: What::State(change) });
        }
        for sight in &sights() {
            observer.witness(Time(0), sight);
        }
        observer
    }

    fn sights() -> [Sight; 5] {
        let partition: Arc<str> = "orders-0".into();
        [
            Sight::Voters(vec!["d".into(), "c".into()]),
            Sight::Position {
                process: "reader".into(),
                partition: partition.clone(),
                next: Some(4),
            },
            Sight::Found { process: "b".into(), partition: partition.clone(), end: 2 },
            Sight::LogStart { process: "a".into(), partition, offset: 1 },
            Sight::TopicSize { topic: "orders".into(), partitions: 3 },
        ]
    }

    fn ask(text: &str) -> Result<(), String> {
        observer().judge(&Condition::parse(text).expect("a condition"))
    }

    #[test]
    fn what_is_so_holds() {
        for text in [
            "leader(orders-0) == a",
            "leader(orders-0) != none",
            "isr(orders-0) == {a, b}",
            "isr-size(orders-0) == 2",
            "high-watermark(orders-0) >= 3",
            "log-end(orders-0) == 5",
            "leader-epoch(orders-0) > 3",
            "log-end(orders-0, b) == 2",
            "log-start(orders-0) == 1",
            "replicas(orders-0) == {a, b}",
            "elr(orders-0) == {}",
            "fenced(b)",
            "!fenced(a)",
            "controller == d",
            "quorum-epoch == 2",
            "voters == {c, d}",
            "told(shop, NOT_ENOUGH_REPLICAS)",
            "!told(a, NOT_ENOUGH_REPLICAS)",
            "partitions(orders) == 3",
            "position(reader, orders-0) == 4",
            "records-read(reader) == 3",
        ] {
            assert_eq!(ask(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_not_so_is_told_with_what_is() {
        for (text, failure) in [
            ("leader(orders-0) == b", "a leads orders-0"),
            ("isr(orders-0) == {a}", "the ISR of orders-0 is {a, b}"),
            ("high-watermark(orders-0) >= 4", "high-watermark(orders-0) is 3"),
            ("log-end(orders-7) == 5", "orders-7 does not exist"),
            ("log-end(orders-0, b) == 3", "log-end(orders-0, b) is 2"),
            ("controller == c", "d is the active controller"),
            ("fenced(a)", "a is unfenced"),
            ("!fenced(b)", "fenced(b) holds"),
            ("fenced(z)", "z is not registered"),
            ("voters == {c}", "the voters are {c, d}"),
            ("told(shop, OFFSET_OUT_OF_RANGE)", "shop was told NOT_ENOUGH_REPLICAS"),
            ("told(a, OFFSET_OUT_OF_RANGE)", "a was told of no error"),
            ("position(a, orders-0) == 1", "a has no position in orders-0"),
            ("records-read(reader) > 3", "records-read(reader) is 3"),
        ] {
            assert_eq!(ask(text), Err(failure.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_controller_that_is_down_is_not_the_active_one() {
        let mut observer = observer();
        let crash = What::Fault(Fault::Crash { process: "d".into() });
        observer.see(&Event { at: Time(0), what: crash });
        assert_eq!(observer.controller().map(|it| &**it), Some("c"));
        let state = ProcessState::Stopped;
        let stopped = StateChange::Process { process: "c".into(), state };
        observer.see(&Event { at: Time(0), what: What::State(stopped) });
        assert_eq!(observer.controller(), None);
    }

    #[test]
    fn what_was_told_and_read_before_the_curtain_does_not_count() {
        let mut observer = observer();
        observer.see(&Event { at: Time(0), what: What::Curtain });
        for text in ["!told(shop, NOT_ENOUGH_REPLICAS)", "records-read(reader) == 0"] {
            let condition = Condition::parse(text).expect("a condition");
            assert_eq!(observer.judge(&condition), Ok(()), "{text}");
        }
    }
}
