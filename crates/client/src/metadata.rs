//! What a client believes about the cluster: who the brokers are, and who leads what.
//!
//! Beliefs are asked for (`Metadata`), age, and are doubted whenever a broker says
//! otherwise. News with an older leader epoch than what is known is ignored (KIP-320).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_wire::messages::metadata_request::MetadataRequestTopic;
use topomotion_wire::messages::metadata_response::MetadataResponseTopic;
use topomotion_wire::messages::{
    MetadataRequest, MetadataResponse, RequestKind, TopicName,
};
use topomotion_wire::{
    Duration, Endpoint, Fact, Instant, LeaderEpoch, NodeId, StrBytes, TopicId,
    TopicPartition,
};

/// Who leads one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leadership {
    pub leader: Option<NodeId>,
    pub epoch: LeaderEpoch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Freshness {
    /// Asked last at this time.
    Known { since: Instant },
    /// To be asked, not before.
    Wanted { from: Instant },
    /// On its way.
    Asked,
}

/// The beliefs of one client.
#[derive(Debug, Clone)]
pub(crate) struct Metadata {
    bootstrap: Vec<Endpoint>,
    max_age: Duration,
    brokers: BTreeMap<NodeId, Endpoint>,
    topics: BTreeSet<Arc<str>>,
    partitions: BTreeMap<TopicPartition, Leadership>,
    ids: BTreeMap<Arc<str>, TopicId>,
    freshness: Freshness,
    /// Where the search for somebody to ask goes on.
    turn: usize,
}

impl Metadata {
    pub fn new(bootstrap: Vec<Endpoint>, max_age: Duration) -> Metadata {
        Metadata {
            bootstrap,
            max_age,
            brokers: BTreeMap::new(),
            topics: BTreeSet::new(),
            partitions: BTreeMap::new(),
            ids: BTreeMap::new(),
            freshness: Freshness::Wanted { from: Instant::ZERO },
            turn: 0,
        }
    }

    /// Adds a topic to what is asked for; asks at once if it is new.
    pub fn follow(&mut self, now: Instant, topic: &Arc<str>) {
        if self.topics.insert(topic.clone()) {
            self.doubt(now);
        }
    }

    /// Asks again, at `from` or later.
    pub fn doubt(&mut self, from: Instant) {
        self.freshness = match self.freshness {
            Freshness::Wanted { from: earlier } => {
                Freshness::Wanted { from: earlier.min(from) }
            }
            Freshness::Known { .. } => Freshness::Wanted { from },
            Freshness::Asked => Freshness::Asked,
        };
    }

    /// The question, once it is due; `None` if nothing needs asking.
    pub fn question(&mut self, now: Instant) -> Option<RequestKind> {
        if !self.is_due(now) {
            return None;
        }
        self.freshness = Freshness::Asked;
        let topics = self.topics.iter().map(|topic| {
            let mut wanted = MetadataRequestTopic::default();
            wanted.name = Some(topic_name(topic));
            wanted
        });
        let mut request = MetadataRequest::default();
        request.topics = Some(topics.collect());
        request.allow_auto_topic_creation = true;
        Some(RequestKind::Metadata(request))
    }

    pub fn is_due(&self, now: Instant) -> bool {
        self.due().is_some_and(|due| due <= now)
    }

    /// When to ask next.
    pub fn due(&self) -> Option<Instant> {
        match self.freshness {
            Freshness::Known { since } => Some(since + self.max_age),
            Freshness::Wanted { from } => Some(from),
            Freshness::Asked => None,
        }
    }

    /// The question was lost.
    pub fn unanswered(&mut self, retry: Instant) {
        self.freshness = Freshness::Wanted { from: retry };
    }

    /// Takes an answer in; tells what it changed.
    pub fn learn(&mut self, now: Instant, response: &MetadataResponse) -> Vec<Fact> {
        self.freshness = Freshness::Known { since: now };
        for broker in &response.brokers {
            let Ok(port) = u16::try_from(broker.port) else { continue };
            let endpoint = Endpoint { host: broker.host.as_str().into(), port };
            self.brokers.insert(NodeId(broker.node_id.0), endpoint);
        }
        let mut facts = Vec::new();
        for topic in &response.topics {
            self.learn_topic(topic, &mut facts);
        }
        facts
    }

    fn learn_topic(&mut self, topic: &MetadataResponseTopic, facts: &mut Vec<Fact>) {
        let Some(name) = &topic.name else { return };
        let name: Arc<str> = name.0.as_str().into();
        self.learn_id(&name, TopicId(topic.topic_id));
        for partition in &topic.partitions {
            let leader = NodeId(partition.leader_id.0);
            let news = Leadership {
                leader: (leader.0 >= 0).then_some(leader),
                epoch: LeaderEpoch(partition.leader_epoch),
            };
            let partition = TopicPartition::new(name.clone(), partition.partition_index);
            let known = self.partitions.get(&partition);
            if known.is_some_and(|known| known.epoch > news.epoch || *known == news) {
                continue;
            }
            self.partitions.insert(partition.clone(), news);
            let (leader, epoch) = (news.leader, news.epoch);
            facts.push(Fact::LeaderLearned { partition, leader, epoch });
        }
    }

    /// A topic that was created anew begins its epochs anew (KIP-516).
    fn learn_id(&mut self, name: &Arc<str>, id: TopicId) {
        if id == TopicId::default() {
            return;
        }
        let before = self.ids.insert(name.clone(), id);
        if before.is_some_and(|before| before != id) {
            self.partitions.retain(|partition, _| partition.topic != *name);
        }
    }

    pub fn leadership(&self, partition: &TopicPartition) -> Option<Leadership> {
        self.partitions.get(partition).copied()
    }

    /// Where the leader listens, if there is one and its endpoint is known.
    pub fn leader_endpoint(&self, partition: &TopicPartition) -> Option<&Endpoint> {
        self.brokers.get(&self.partitions.get(partition)?.leader?)
    }

    /// How many partitions a topic has, once that is known.
    pub fn partition_count(&self, topic: &Arc<str>) -> Option<i32> {
        let first = TopicPartition::new(topic.clone(), 0);
        let last = TopicPartition::new(topic.clone(), i32::MAX);
        let count = self.partitions.range(first..=last).count();
        i32::try_from(count).ok().filter(|count| *count > 0)
    }

    /// Everybody who might answer, the next in turn first: known brokers, else bootstrap.
    pub fn candidates(&self) -> Vec<Endpoint> {
        let mut all: Vec<Endpoint> = self.brokers.values().cloned().collect();
        let unknown = self.bootstrap.iter().filter(|to| !all.contains(to));
        let unknown: Vec<Endpoint> = unknown.cloned().collect();
        all.extend(unknown);
        if !all.is_empty() {
            let turn = self.turn % all.len();
            all.rotate_left(turn);
        }
        all
    }

    /// The one whose turn it is did not answer.
    pub fn pass_turn(&mut self) {
        self.turn = self.turn.wrapping_add(1);
    }
}

/// A topic's name as messages carry it.
pub(crate) fn topic_name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}
