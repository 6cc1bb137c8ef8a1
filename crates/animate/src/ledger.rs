//! What is true at a moment of the story, as far as the picture shows it.
//!
//! The ledger takes in events in order and says which places of the picture they touch. It
//! is not a model of Kafka: it believes whatever the trace says.

use std::collections::BTreeMap;

use topomotion_scene::NodeState;
use topomotion_trace::{
    BrokerLiveness, Event, Fault, ProcessState, QuorumRole, StateChange, What,
};

use crate::groups::Groups;

/// One replica of a partition.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Replica {
    /// Whom it follows; itself if it leads.
    pub leader: Option<String>,
    /// Leader epoch.
    pub epoch: i32,
    /// Log start offset: what stood before is gone.
    pub start: i64,
    /// Log end offset.
    pub end: i64,
    /// High watermark.
    pub watermark: i64,
    /// Last stable offset, if the trace has told of one.
    pub last_stable: Option<i64>,
    /// Where each leader epoch begins in the log: first offset, epoch.
    pub epochs: Vec<(i64, i32)>,
}

/// What the controller has committed about a partition.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Registration {
    /// Assigned replicas.
    pub replicas: Vec<String>,
    /// In-sync replicas.
    pub isr: Vec<String>,
    /// The leader.
    pub leader: Option<String>,
    /// Its epoch.
    pub epoch: i32,
}

/// How a process does.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Doing {
    /// What the script or the flow says.
    pub told: Option<NodeState>,
    /// What faults made of it.
    pub hurt: Option<Hurt>,
    /// The controller does not trust it.
    pub fenced: Option<()>,
    /// It has been started again, and is not yet trusted.
    pub starting: Option<()>,
    /// It hands over what it leads, to stop in good order.
    pub leaving: Option<()>,
    /// The network is cut, and it stands on the smaller side.
    pub cut: Option<()>,
    /// It leads the metadata quorum, in this epoch.
    pub crowned: Option<i32>,
}

/// What a fault made of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hurt {
    /// It died.
    Down,
    /// It stands still.
    Paused,
}

impl Doing {
    /// The state that its mark shows; `first` is the state in the scene.
    pub fn state(&self, first: NodeState) -> NodeState {
        match (self.hurt, self.told) {
            (Some(Hurt::Down), _) => NodeState::Stopped,
            (Some(Hurt::Paused), _) => NodeState::Warning,
            (None, Some(told)) => told,
            (None, None) if self.fenced.is_some() => NodeState::Warning,
            (None, None) => first,
        }
    }
}

/// What a producer has sent and heard, in records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sent {
    /// Sent, and nothing heard yet.
    pub in_flight: i64,
    /// Acknowledged.
    pub acknowledged: i64,
    /// Given up.
    pub failed: i64,
}

/// A place of the picture that an event touches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Touch {
    /// How a process does.
    Node(String),
    /// A replica: process, partition.
    Replica(String, String),
    /// All replicas of a partition.
    Partition(String),
    /// A client's own numbers.
    Client(String),
}

/// What is true.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    nodes: BTreeMap<String, Doing>,
    replicas: BTreeMap<(String, String), Replica>,
    partitions: BTreeMap<String, Registration>,
    positions: BTreeMap<(String, String), i64>,
    sent: BTreeMap<String, Sent>,
    groups: Groups,
}

impl Ledger {
    /// How the process does.
    pub fn doing(&self, process: &str) -> Doing {
        self.nodes.get(process).cloned().unwrap_or_default()
    }

    /// Groups and transactions.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// The replica, if the trace has told of it.
    pub fn replica(&self, process: &str, partition: &str) -> Option<&Replica> {
        self.replicas.get(&(process.to_owned(), partition.to_owned()))
    }

    /// The replicas of a process, by partition, without those of internal topics.
    pub fn replicas_of(&self, process: &str) -> impl Iterator<Item = (&str, &Replica)> {
        let own = self.replicas.range((process.to_owned(), String::new())..);
        own.take_while(move |((owner, _), _)| owner == process)
            .filter(|((_, partition), _)| !partition.starts_with("__"))
            .map(|((_, partition), replica)| (partition.as_str(), replica))
    }

    /// The processes that hold a replica of a partition.
    pub fn holders(&self, partition: &str) -> impl Iterator<Item = String> {
        let all = self.replicas.keys().filter(move |(_, own)| own == partition);
        all.map(|(process, _)| process.clone())
    }

    /// What a consumer reads next, by partition.
    pub fn positions_of(&self, process: &str) -> impl Iterator<Item = (&str, i64)> {
        let own = self.positions.range((process.to_owned(), String::new())..);
        own.take_while(move |((owner, _), _)| owner == process)
            .map(|((_, partition), next)| (partition.as_str(), *next))
    }

    /// The partition's registration.
    pub fn registration(&self, partition: &str) -> Option<&Registration> {
        self.partitions.get(partition)
    }

    /// The offset that the consumer reads next.
    pub fn position(&self, process: &str, partition: &str) -> Option<i64> {
        self.positions.get(&(process.to_owned(), partition.to_owned())).copied()
    }

    /// What the producer has sent and heard.
    pub fn sent(&self, process: &str) -> Sent {
        self.sent.get(process).copied().unwrap_or_default()
    }

    /// The partitions that the process leads as the controller has it.
    pub fn led_by(&self, process: &str) -> Vec<String> {
        let led = self
            .partitions
            .iter()
            .filter(|(_, registration)| registration.leader.as_deref() == Some(process))
            .filter(|(partition, _)| !partition.starts_with("__"));
        led.map(|(partition, _)| partition.clone()).collect()
    }

    /// Takes an event in.
    pub fn apply(&mut self, event: &Event) -> Vec<Touch> {
        match &event.what {
            What::Fault(fault) => self.hurt(fault),
            What::State(change) => self.change(change),
            _ => Vec::new(),
        }
    }

    fn node(&mut self, process: &str) -> (&mut Doing, Vec<Touch>) {
        let doing = self.nodes.entry(process.to_owned()).or_default();
        (doing, vec![Touch::Node(process.to_owned())])
    }

    fn hurt(&mut self, fault: &Fault) -> Vec<Touch> {
        let (process, hurt) = match fault {
            Fault::Crash { process } => (process, Some(Hurt::Down)),
            Fault::Pause { process } => (process, Some(Hurt::Paused)),
            Fault::Restart { process } | Fault::Resume { process } => (process, None),
            Fault::Partition { left, right } => {
                let side = if left.len() <= right.len() { left } else { right };
                return side.iter().flat_map(|process| self.cut(process)).collect();
            }
            // The wire tells, not its ends.
            Fault::Way { .. } => return Vec::new(),
            Fault::Heal => return self.heal(),
        };
        let (doing, mut touches) = self.node(process);
        doing.hurt = hurt;
        match fault {
            Fault::Crash { .. } => (doing.crowned, doing.starting) = (None, None),
            Fault::Restart { .. } => {
                (doing.starting, doing.leaving) = (Some(()), None);
                doing.told = doing.told.filter(|told| *told != NodeState::Stopped);
            }
            _ => {}
        }
        if matches!(fault, Fault::Crash { .. } | Fault::Restart { .. }) {
            self.groups.is_down(process);
            touches.push(Touch::Client(process.to_string()));
        }
        touches
    }

    fn cut(&mut self, process: &str) -> Vec<Touch> {
        let (doing, touches) = self.node(process);
        doing.cut = Some(());
        touches
    }

    /// Cuts end, and what stands still goes on.
    fn heal(&mut self) -> Vec<Touch> {
        let harmed =
            |doing: &Doing| doing.hurt == Some(Hurt::Paused) || doing.cut.is_some();
        let hurt = self.nodes.iter_mut().filter(|(_, doing)| harmed(doing));
        hurt.map(|(process, doing)| {
            doing.cut = None;
            doing.hurt = doing.hurt.filter(|hurt| *hurt == Hurt::Down);
            Touch::Node(process.clone())
        })
        .collect()
    }

    fn change(&mut self, change: &StateChange) -> Vec<Touch> {
        use StateChange as S;
        match change {
            S::Process { process, state } => self.told(process, *state),
            S::Quorum { process, role, epoch } => {
                let (doing, touches) = self.node(process);
                doing.crowned = (*role == QuorumRole::Leader).then_some(*epoch);
                touches
            }
            S::Broker { broker, liveness, .. } => {
                let (doing, touches) = self.node(broker);
                doing.fenced = (*liveness == BrokerLiveness::Fenced).then_some(());
                doing.starting = doing.starting.and(doing.fenced);
                if *liveness == BrokerLiveness::ControlledShutdown {
                    doing.leaving = Some(());
                }
                touches
            }
            S::Registration {
                partition, replicas, isr, leader, leader_epoch, ..
            } => {
                let isr = isr.iter().map(ToString::to_string).collect();
                let leader = leader.as_deref().map(str::to_owned);
                let replicas = replicas.iter().map(ToString::to_string).collect();
                let registration =
                    Registration { replicas, isr, leader, epoch: *leader_epoch };
                self.partitions.insert(partition.to_string(), registration);
                vec![Touch::Partition(partition.to_string())]
            }
            S::BatchSent { process, count, attempt, .. } => {
                self.client(process, |sent| {
                    sent.in_flight += if *attempt == 0 { *count } else { 0 };
                })
            }
            S::BatchAcked { process, count, .. } => self.client(process, |sent| {
                sent.in_flight = (sent.in_flight - count).max(0);
                sent.acknowledged += count;
            }),
            S::BatchFailed { process, .. } => self.client(process, |sent| {
                sent.in_flight = (sent.in_flight - 1).max(0);
                sent.failed += 1;
            }),
            S::Polled { process, partition, next, .. } => {
                let key = (process.to_string(), partition.to_string());
                self.positions.insert(key, *next);
                vec![Touch::Client(process.to_string())]
            }
            S::IsrProposed { .. } | S::ProduceWaits { .. } | S::LeaderLearned { .. } => {
                Vec::new()
            }
            S::Group { .. }
            | S::Member { .. }
            | S::OffsetCommitted { .. }
            | S::CommitAnswered { .. }
            | S::Transaction { .. }
            | S::TransactionStep { .. }
            | S::ProducerIdentified { .. } => self.groups.apply(change),
            S::Replica { .. }
            | S::Appended { .. }
            | S::Truncated { .. }
            | S::Recovered { .. }
            | S::HighWatermark { .. }
            | S::LogStart { .. }
            | S::LastStable { .. } => self.log(change),
        }
    }

    fn told(&mut self, process: &str, state: ProcessState) -> Vec<Touch> {
        let (doing, mut touches) = self.node(process);
        doing.told = Some(node_state(state));
        if state == ProcessState::Stopped {
            self.groups.is_down(process);
            touches.push(Touch::Client(process.to_owned()));
        }
        touches
    }

    fn client(&mut self, process: &str, edit: impl FnOnce(&mut Sent)) -> Vec<Touch> {
        edit(self.sent.entry(process.to_owned()).or_default());
        vec![Touch::Client(process.to_owned())]
    }

    fn log(&mut self, change: &StateChange) -> Vec<Touch> {
        use StateChange as S;
        let Some((process, partition)) = replica_of(change) else { return Vec::new() };
        let key = (process.to_owned(), partition.to_owned());
        let replica = self.replicas.entry(key.clone()).or_default();
        match change {
            S::Replica { leader, epoch, .. } => {
                replica.leader = leader.as_deref().map(str::to_owned);
                replica.epoch = *epoch;
            }
            S::Appended { base, count, epoch, .. } => {
                replica.end = base.saturating_add(*count);
                if replica.epochs.last().is_none_or(|(_, last)| last != epoch) {
                    replica.epochs.push((*base, *epoch));
                }
            }
            S::Truncated { end, .. } | S::Recovered { end, .. } => {
                replica.epochs.retain(|(start, _)| start < end);
                replica.end = *end;
                replica.start = replica.start.min(*end);
                replica.watermark = replica.watermark.min(*end);
            }
            S::HighWatermark { offset, .. } => replica.watermark = *offset,
            S::LogStart { offset, .. } => {
                replica.start = *offset;
                // A follower that begins anew at its leader's start has that as its end.
                replica.end = replica.end.max(*offset);
            }
            S::LastStable { offset, .. } => replica.last_stable = Some(*offset),
            _ => {}
        }
        vec![Touch::Replica(key.0, key.1)]
    }
}

/// The process and the partition of a change of a replica.
pub(crate) fn replica_of(change: &StateChange) -> Option<(&str, &str)> {
    use StateChange as S;
    match change {
        S::Replica { process, partition, .. }
        | S::Appended { process, partition, .. }
        | S::Truncated { process, partition, .. }
        | S::Recovered { process, partition, .. }
        | S::HighWatermark { process, partition, .. }
        | S::LogStart { process, partition, .. }
        | S::LastStable { process, partition, .. } => Some((process, partition)),
        _ => None,
    }
}

fn node_state(state: ProcessState) -> NodeState {
    match state {
        ProcessState::Running => NodeState::Running,
        ProcessState::Warning => NodeState::Warning,
        ProcessState::Error => NodeState::Error,
        ProcessState::Stopped => NodeState::Stopped,
    }
}

/// The processes whose state mark an event may change.
pub(crate) fn changes(what: &What) -> Option<&str> {
    match what {
        What::Fault(
            Fault::Crash { process }
            | Fault::Restart { process }
            | Fault::Pause { process }
            | Fault::Resume { process },
        )
        | What::State(StateChange::Process { process, .. }) => Some(process),
        What::State(StateChange::Broker { broker, .. }) => Some(broker),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use topomotion_trace::Time;

    fn apply(ledger: &mut Ledger, what: What) -> Vec<Touch> {
        ledger.apply(&Event { at: Time(0), what })
    }

    #[test]
    fn a_crash_outweighs_what_the_controller_believes() {
        let mut ledger = Ledger::default();
        let state = |ledger: &Ledger| ledger.doing("b").state(NodeState::Running);
        let broker = |liveness| {
            What::State(StateChange::Broker {
                controller: "c".into(),
                broker: "b".into(),
                liveness,
            })
        };
        apply(&mut ledger, What::Fault(Fault::Crash { process: "b".into() }));
        assert_eq!(state(&ledger), NodeState::Stopped);
        apply(&mut ledger, broker(BrokerLiveness::Fenced));
        assert_eq!(state(&ledger), NodeState::Stopped);
        apply(&mut ledger, What::Fault(Fault::Restart { process: "b".into() }));
        assert_eq!(state(&ledger), NodeState::Warning);
        apply(&mut ledger, broker(BrokerLiveness::Unfenced));
        assert_eq!(state(&ledger), NodeState::Running);
    }

    #[test]
    fn healing_ends_cuts_and_pauses_but_raises_no_dead() {
        let mut ledger = Ledger::default();
        apply(&mut ledger, What::Fault(Fault::Crash { process: "a".into() }));
        apply(&mut ledger, What::Fault(Fault::Pause { process: "b".into() }));
        let (left, right) = (vec!["c".into()], vec!["a".into(), "b".into()]);
        apply(&mut ledger, What::Fault(Fault::Partition { left, right }));
        assert!(ledger.doing("c").cut.is_some() && ledger.doing("a").cut.is_none());
        apply(&mut ledger, What::Fault(Fault::Heal));
        assert_eq!(ledger.doing("a").hurt, Some(Hurt::Down));
        assert_eq!(ledger.doing("b").hurt, None);
        assert!(ledger.doing("c").cut.is_none());
    }

    #[test]
    fn a_log_remembers_where_its_epochs_begin_until_it_is_cut() {
        let mut ledger = Ledger::default();
        let (process, partition) = ("b", "orders-0");
        let appended = |base, epoch| {
            What::State(StateChange::Appended {
                process: process.into(),
                partition: partition.into(),
                base,
                count: 2,
                epoch,
                batch: 0,
            })
        };
        for (base, epoch) in [(0, 0), (2, 0), (4, 3)] {
            apply(&mut ledger, appended(base, epoch));
        }
        let epochs =
            |ledger: &Ledger| ledger.replica(process, partition).unwrap().epochs.clone();
        assert_eq!(epochs(&ledger), [(0, 0), (4, 3)]);
        let (process, partition) = (process.into(), partition.into());
        apply(
            &mut ledger,
            What::State(StateChange::Truncated { process, partition, end: 4 }),
        );
        assert_eq!(epochs(&ledger), [(0, 0)]);
    }

    #[test]
    fn a_cut_log_takes_its_watermark_along() {
        let mut ledger = Ledger::default();
        let (process, partition) = ("b", "orders-0");
        let at = |change| What::State(change);
        apply(
            &mut ledger,
            at(StateChange::HighWatermark {
                process: process.into(),
                partition: partition.into(),
                offset: 5,
            }),
        );
        let end = 3;
        let cut = StateChange::Truncated {
            process: process.into(),
            partition: partition.into(),
            end,
        };
        let touches = apply(&mut ledger, at(cut));
        assert_eq!(touches, [Touch::Replica(process.into(), partition.into())]);
        let replica = ledger.replica(process, partition).unwrap();
        assert_eq!((replica.end, replica.watermark), (3, 3));
    }
}
