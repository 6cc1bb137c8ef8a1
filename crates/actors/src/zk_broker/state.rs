//! What Kafka kept in ZooKeeper: paths, and the JSON under them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use topomotion_wire::{LeaderAndIsr, LeaderEpoch, NodeId, TopicPartition};

pub(super) const CONTROLLER: &str = "/controller";
pub(super) const CONTROLLER_EPOCH: &str = "/controller_epoch";
pub(super) const BROKERS: &str = "/brokers/ids";
pub(super) const TOPICS: &str = "/brokers/topics";

/// A topic with the replicas of each partition, preferred leader first.
pub type Assignment = Vec<Vec<NodeId>>;

/// `/brokers/topics/T/partitions/P/state`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub leader: Option<NodeId>,
    pub epoch: LeaderEpoch,
    pub isr: Vec<NodeId>,
    pub controller_epoch: i32,
}

pub(super) fn broker_path(id: NodeId) -> Arc<str> {
    format!("{BROKERS}/{id}").into()
}

pub(super) fn topic_path(topic: &str) -> Arc<str> {
    format!("{TOPICS}/{topic}").into()
}

pub(super) fn state_path(partition: &TopicPartition) -> Arc<str> {
    let TopicPartition { topic, partition } = partition;
    format!("{TOPICS}/{topic}/partitions/{partition}/state").into()
}

fn ids(value: &Value) -> Option<Vec<NodeId>> {
    let ids = value.as_array()?.iter();
    ids.map(|id| Some(NodeId(i32::try_from(id.as_i64()?).ok()?))).collect()
}

impl State {
    pub fn parse(data: &str) -> Option<State> {
        let value: Value = serde_json::from_str(data).ok()?;
        let number = |name: &str| i32::try_from(value.get(name)?.as_i64()?).ok();
        let leader = number("leader")?;
        Some(State {
            leader: (leader >= 0).then_some(NodeId(leader)),
            epoch: LeaderEpoch(number("leader_epoch")?),
            isr: ids(value.get("isr")?)?,
            controller_epoch: number("controller_epoch")?,
        })
    }

    pub fn text(&self) -> Arc<str> {
        let isr: Vec<i32> = self.isr.iter().map(|id| id.0).collect();
        let leader = self.leader.map_or(-1, |id| id.0);
        let (epoch, controller_epoch) = (self.epoch.0, self.controller_epoch);
        let text = json!({
            "controller_epoch": controller_epoch, "leader": leader, "version": 1,
            "leader_epoch": epoch, "isr": isr,
        });
        text.to_string().into()
    }

    /// The state after an election among the living; none if all may stay as it is. The
    /// dead leave the ISR, but for its last members.
    pub fn elected(
        &self,
        replicas: &[NodeId],
        lives: impl Fn(NodeId) -> bool,
        controller_epoch: i32,
    ) -> Option<State> {
        let isr: Vec<NodeId> = self.isr.iter().copied().filter(|&it| lives(it)).collect();
        let keeps = self.leader.filter(|leader| isr.contains(leader));
        let first = || replicas.iter().copied().find(|id| isr.contains(id));
        let leader = keeps.or_else(first);
        let isr = if isr.is_empty() { self.isr.clone() } else { isr };
        if leader == self.leader && isr == self.isr {
            return None;
        }
        Some(State {
            leader,
            epoch: LeaderEpoch(self.epoch.0 + 1),
            isr,
            controller_epoch,
        })
    }

    pub fn told(&self, partition: &TopicPartition, replicas: &[NodeId]) -> LeaderAndIsr {
        LeaderAndIsr {
            partition: partition.clone(),
            leader: self.leader,
            epoch: self.epoch,
            isr: self.isr.clone(),
            replicas: replicas.to_vec(),
        }
    }
}

/// `/brokers/topics/T`: the replicas of each partition.
pub(super) fn assignment_in(data: &str) -> Option<BTreeMap<i32, Vec<NodeId>>> {
    let value: Value = serde_json::from_str(data).ok()?;
    let partitions = value.get("partitions")?.as_object()?.iter();
    partitions
        .map(|(index, replicas)| Some((index.parse().ok()?, ids(replicas)?)))
        .collect()
}

/// Who is the controller, as `/controller` says.
pub(super) fn controller_in(data: &str) -> Option<NodeId> {
    let value: Value = serde_json::from_str(data).ok()?;
    Some(NodeId(i32::try_from(value.get("brokerid")?.as_i64()?).ok()?))
}

pub(super) fn controller_text(id: NodeId) -> Arc<str> {
    json!({ "version": 1, "brokerid": id.0 }).to_string().into()
}

/// What an ensemble holds of topics that are there before the first controller: the first
/// replica of each partition leads, and all are in sync.
pub fn znodes(topics: &BTreeMap<Arc<str>, Assignment>) -> Vec<(Arc<str>, Arc<str>)> {
    let mut nodes: Vec<(Arc<str>, Arc<str>)> = vec![
        (CONTROLLER_EPOCH.into(), "0".into()),
        (BROKERS.into(), "".into()),
        (TOPICS.into(), "".into()),
    ];
    for (topic, assignment) in topics {
        let numbers = |replicas: &[NodeId]| -> Vec<i32> {
            replicas.iter().map(|id| id.0).collect()
        };
        let partitions: serde_json::Map<String, Value> = assignment
            .iter()
            .enumerate()
            .map(|(index, replicas)| (index.to_string(), json!(numbers(replicas))))
            .collect();
        let text = json!({ "version": 2, "partitions": partitions }).to_string();
        nodes.push((topic_path(topic), text.into()));
        for (index, replicas) in (0..).zip(assignment) {
            let state = State {
                leader: replicas.first().copied(),
                epoch: LeaderEpoch(0),
                isr: replicas.clone(),
                controller_epoch: 0,
            };
            let partition = TopicPartition::new(topic.clone(), index);
            nodes.push((state_path(&partition), state.text()));
        }
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(leader: i32, isr: &[i32]) -> State {
        State {
            leader: (leader >= 0).then_some(NodeId(leader)),
            epoch: LeaderEpoch(4),
            isr: isr.iter().map(|&id| NodeId(id)).collect(),
            controller_epoch: 1,
        }
    }

    #[test]
    fn the_first_living_replica_in_sync_leads_and_the_dead_leave_the_isr() {
        let replicas = [NodeId(1), NodeId(2), NodeId(3)];
        let before = state(1, &[1, 3]);
        let lives = |dead: i32| move |id: NodeId| id.0 != dead;
        let after = before.elected(&replicas, lives(1), 2).expect("the leader is dead");
        assert_eq!((after.leader, after.isr.clone()), (Some(NodeId(3)), vec![NodeId(3)]));
        assert_eq!((after.epoch.0, after.controller_epoch), (5, 2));
        assert_eq!(before.elected(&replicas, lives(2), 2), None, "not in the ISR");
        let alone = after.elected(&replicas, lives(3), 3).expect("the last one is dead");
        assert_eq!((alone.leader, alone.isr), (None, vec![NodeId(3)]));
    }

    #[test]
    fn a_state_is_written_and_read_in_kafkas_own_json() {
        let before = state(-1, &[2]);
        assert_eq!(State::parse(&before.text()), Some(before));
        assert_eq!(State::parse("{}"), None);
        let nodes = znodes(&BTreeMap::from([("t".into(), vec![vec![NodeId(2)]])]));
        let (path, text) = &nodes[3];
        assert_eq!(&**path, "/brokers/topics/t");
        let read = assignment_in(text).expect("good JSON");
        assert_eq!(read, BTreeMap::from([(0, vec![NodeId(2)])]));
    }
}
