//! The controller's work: it reads everything, elects, writes, and tells everybody.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_wire::{
    BrokerEpoch, BrokerLiveness, ControllerCall, Fact, Instant, LeaderAndIsr, NodeId,
    PartitionEpoch, PartitionState, TopicPartition, ZkAnswer, ZkDeed, ZkError, ZkOp,
    ZkWatch,
};

use super::state::{
    BROKERS, CONTROLLER_EPOCH, State, TOPICS, assignment_in, broker_path, state_path,
    topic_path,
};
use super::{Ask, ZkBroker};

/// What an answer of the ensemble is about.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Work {
    /// Which brokers there are.
    Brokers,
    /// One of them.
    Broker(NodeId),
    /// Which topics there are.
    Topics,
    /// One of them.
    Topic(Arc<str>),
    /// A partition's state.
    Read(TopicPartition),
    /// A partition's new state.
    Write(TopicPartition, State),
}

/// A partition as it stands in ZooKeeper.
#[derive(Debug, Clone)]
struct Known {
    state: State,
    version: i32,
}

/// What a broker knows while it is the controller.
#[derive(Debug)]
pub(super) struct Controlling {
    /// The epoch of its election.
    pub epoch: i32,
    /// The version of `/controller_epoch` that proves it.
    version: i32,
    brokers: BTreeSet<NodeId>,
    /// Brokers that do not know everything yet.
    newcomers: BTreeSet<NodeId>,
    replicas: BTreeMap<TopicPartition, Vec<NodeId>>,
    partitions: BTreeMap<TopicPartition, Known>,
    /// Answers that are awaited before anything is decided.
    reads: usize,
    /// All reads since it was elected.
    all_reads: usize,
    writes: usize,
    /// Partitions that brokers must be told of.
    changed: BTreeSet<TopicPartition>,
    /// Brokers that are gone, until what they held is written anew.
    gone: BTreeSet<NodeId>,
    is_new: bool,
}

impl Controlling {
    pub fn new(epoch: i32, version: i32) -> Controlling {
        Controlling {
            epoch,
            version,
            brokers: BTreeSet::new(),
            newcomers: BTreeSet::new(),
            replicas: BTreeMap::new(),
            partitions: BTreeMap::new(),
            reads: 0,
            all_reads: 0,
            writes: 0,
            changed: BTreeSet::new(),
            gone: BTreeSet::new(),
            is_new: true,
        }
    }

    fn told(&self, partition: &TopicPartition) -> Option<LeaderAndIsr> {
        let known = self.partitions.get(partition)?;
        let replicas = self.replicas.get(partition).map_or(&[][..], Vec::as_slice);
        Some(known.state.told(partition, replicas))
    }
}

impl ZkBroker {
    /// Reads everything, as a new controller must.
    pub(super) fn read_all(&mut self, now: Instant) {
        let Some(own) = &mut self.controlling else { return };
        let (epoch, version) = (own.epoch, own.version);
        *own = Controlling::new(epoch, version);
        self.read_brokers(now);
        let op = ZkOp::GetChildren(TOPICS.into(), ZkWatch::Unset);
        self.read(now, Work::Topics, op);
    }

    /// Reads which brokers live, and wants to be told when that changes.
    pub(super) fn read_brokers(&mut self, now: Instant) {
        let op = ZkOp::GetChildren(BROKERS.into(), ZkWatch::Set);
        self.read(now, Work::Brokers, op);
    }

    fn read(&mut self, now: Instant, work: Work, op: ZkOp) {
        let Some(own) = &mut self.controlling else { return };
        own.reads += 1;
        own.all_reads += 1;
        self.ask(now, Ask::Work(work), op);
    }

    pub(super) fn work_answered(
        &mut self,
        now: Instant,
        work: Work,
        result: Result<ZkAnswer, ZkError>,
    ) {
        let Some(own) = &mut self.controlling else { return };
        if let Work::Write(partition, state) = work {
            own.writes = own.writes.saturating_sub(1);
            let is_done = own.writes == 0;
            match result {
                Ok(_) => self.written(partition, state),
                // Somebody else is the controller: the watch says who.
                Err(_) => return,
            }
            return if is_done {
                self.announce(now);
            };
        }
        own.reads = own.reads.saturating_sub(1);
        match (work, result) {
            (Work::Brokers, Ok(ZkAnswer::Children(names))) => {
                self.brokers_are(now, &names);
            }
            (Work::Broker(broker), Ok(ZkAnswer::Data { .. })) => {
                own.brokers.insert(broker);
                own.newcomers.insert(broker);
                self.is_now(broker, BrokerLiveness::Unfenced);
            }
            (Work::Topics, Ok(ZkAnswer::Children(names))) => {
                for name in names {
                    let op = ZkOp::GetData(topic_path(&name), ZkWatch::Unset);
                    self.read(now, Work::Topic(name), op);
                }
            }
            (Work::Topic(topic), Ok(ZkAnswer::Data { data, .. })) => {
                for (index, replicas) in assignment_in(&data).unwrap_or_default() {
                    let partition = TopicPartition::new(topic.clone(), index);
                    if let Some(own) = &mut self.controlling {
                        own.replicas.insert(partition.clone(), replicas);
                    }
                    let op = ZkOp::GetData(state_path(&partition), ZkWatch::Unset);
                    self.read(now, Work::Read(partition), op);
                }
            }
            (Work::Read(partition), Ok(ZkAnswer::Data { data, version, .. })) => {
                if let Some(state) = State::parse(&data) {
                    let is_first = state.controller_epoch == 0;
                    let known = Known { state, version };
                    own.partitions.insert(partition.clone(), known);
                    if is_first {
                        self.registered(&partition);
                    }
                }
            }
            // What is gone meanwhile is not there.
            _ => {}
        }
        let own = self.controlling.as_ref();
        if own.is_some_and(|own| own.reads == 0 && own.writes == 0) {
            self.settle(now);
        }
    }

    fn brokers_are(&mut self, now: Instant, names: &[Arc<str>]) {
        let Some(own) = &mut self.controlling else { return };
        let names = names.iter().filter_map(|name| name.parse().ok().map(NodeId));
        let there: BTreeSet<NodeId> = names.collect();
        let gone: Vec<NodeId> = own.brokers.difference(&there).copied().collect();
        let new: Vec<NodeId> = there.difference(&own.brokers).copied().collect();
        for broker in gone {
            if let Some(own) = &mut self.controlling {
                own.brokers.remove(&broker);
                own.gone.insert(broker);
            }
            self.channel.drop_lane(broker);
        }
        for broker in new {
            let op = ZkOp::GetData(broker_path(broker), ZkWatch::Unset);
            self.read(now, Work::Broker(broker), op);
        }
    }

    /// What the controller thinks of a broker. Epochs of registrations are offsets of KRaft's
    /// metadata log: here there is none.
    fn is_now(&mut self, broker: NodeId, liveness: BrokerLiveness) {
        let epoch = BrokerEpoch(-1 - i64::from(broker.0));
        self.fact(Fact::BrokerChanged { broker, epoch, liveness });
    }

    /// Everything is read: whoever leads must live.
    fn settle(&mut self, now: Instant) {
        let Some(own) = &mut self.controlling else { return };
        let mut deeds = Vec::new();
        if own.is_new {
            let (partitions, reads) = (own.partitions.len(), own.all_reads);
            deeds.push(ZkDeed::HasRead { partitions, reads });
        }
        let held = own.replicas.values().flatten().copied();
        let dead = held.filter(|id| own.is_new && !own.brokers.contains(id));
        own.gone.extend(dead);
        let lives = |id: NodeId| own.brokers.contains(&id);
        let mut wanted = Vec::new();
        for (partition, known) in &own.partitions {
            let replicas = own.replicas.get(partition).map_or(&[][..], Vec::as_slice);
            if let Some(state) = known.state.elected(replicas, lives, own.epoch) {
                wanted.push((partition.clone(), known.version, state));
            }
        }
        own.writes = wanted.len();
        let check = ZkOp::Check { path: CONTROLLER_EPOCH.into(), version: own.version };
        if !wanted.is_empty() {
            deeds.push(ZkDeed::Writes { partitions: wanted.len() });
        }
        deeds.into_iter().for_each(|deed| self.tell(deed));
        if wanted.is_empty() {
            return self.announce(now);
        }
        for (partition, version, state) in wanted {
            let set = ZkOp::SetData {
                path: state_path(&partition),
                data: state.text(),
                version: Some(version),
            };
            let op = ZkOp::Multi(vec![check.clone(), set]);
            self.ask(now, Ask::Work(Work::Write(partition, state)), op);
        }
    }

    fn written(&mut self, partition: TopicPartition, state: State) {
        let Some(own) = &mut self.controlling else { return };
        if let Some(known) = own.partitions.get_mut(&partition) {
            known.version = known.version.wrapping_add(1);
            known.state = state;
        }
        own.changed.insert(partition.clone());
        self.registered(&partition);
    }

    fn registered(&mut self, partition: &TopicPartition) {
        let Some(own) = &self.controlling else { return };
        let Some(known) = own.partitions.get(partition) else { return };
        let state = PartitionState {
            replicas: own.replicas.get(partition).cloned().unwrap_or_default(),
            isr: known.state.isr.clone(),
            leader: known.state.leader,
            leader_epoch: known.state.epoch,
            partition_epoch: PartitionEpoch(known.version),
            ..PartitionState::default()
        };
        self.fact(Fact::PartitionChanged { partition: partition.clone(), state });
    }

    /// Tells every broker: a new one everything, the others what has changed.
    fn announce(&mut self, now: Instant) {
        let Some(own) = &mut self.controlling else { return };
        // Nobody counts on them any more, now that others hold what they held.
        for broker in std::mem::take(&mut own.gone) {
            self.is_now(broker, BrokerLiveness::Fenced);
        }
        let Some(own) = &mut self.controlling else { return };
        let changed = std::mem::take(&mut own.changed);
        let newcomers = std::mem::take(&mut own.newcomers);
        let is_new = std::mem::replace(&mut own.is_new, false);
        if changed.is_empty() && newcomers.is_empty() && !is_new {
            return;
        }
        let own = &*own;
        let epoch = own.epoch;
        let all: Vec<LeaderAndIsr> =
            own.partitions.keys().filter_map(|it| own.told(it)).collect();
        let some: Vec<LeaderAndIsr> =
            changed.iter().filter_map(|it| own.told(it)).collect();
        let brokers: Vec<NodeId> = own.brokers.iter().copied().collect();
        let partitions = if is_new { all.len() } else { some.len() };
        self.tell(ZkDeed::Announces { brokers: brokers.len(), partitions });
        for &broker in &brokers {
            let knows_nothing = is_new || newcomers.contains(&broker);
            let told = if knows_nothing { &all } else { &some };
            let held = told.iter().filter(|it| it.replicas.contains(&broker));
            let held: Vec<LeaderAndIsr> = held.cloned().collect();
            if !held.is_empty() {
                self.call(now, broker, epoch, ControllerCall::LeaderAndIsr(held));
            }
            let (partitions, brokers) = (told.clone(), brokers.clone());
            let update = ControllerCall::UpdateMetadata { partitions, brokers };
            self.call(now, broker, epoch, update);
        }
    }

    /// Itself it tells without a connection.
    fn call(&mut self, now: Instant, broker: NodeId, epoch: i32, call: ControllerCall) {
        if broker == self.config.id {
            return self.obey(call);
        }
        let Some(to) = self.config.brokers.get(&broker).cloned() else { return };
        self.channel.call(now, (broker, to), epoch, call);
    }
}
