//! What a client believes about the cluster: who the brokers are, and who leads what.
//!
//! Beliefs are asked for (`Metadata`), age, and are doubted whenever a broker says
//! otherwise. News with an older leader epoch than what is known is ignored (KIP-320). While
//! answers fail or bring no news, the next question waits longer and longer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_wire::messages::metadata_request::MetadataRequestTopic;
use topomotion_wire::messages::metadata_response::MetadataResponseTopic;
use topomotion_wire::messages::{
    MetadataRequest, MetadataResponse, RequestKind, TopicName,
};
use topomotion_wire::{
    Duration, Endpoint, ErrorCode, Fact, Instant, LeaderEpoch, MetadataCause, NodeId,
    Random, StrBytes, TopicId, TopicPartition,
};

use crate::CommonConfig;
use crate::errors::error_of;

/// Who leads one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leadership {
    pub leader: Option<NodeId>,
    pub epoch: LeaderEpoch,
}

impl Leadership {
    /// What an error answer says of the leader; −1 means that it says nothing.
    pub fn hint(leader: i32, epoch: i32) -> Option<Leadership> {
        let known = leader >= 0 && epoch >= 0;
        known.then_some(Leadership {
            leader: Some(NodeId(leader)),
            epoch: LeaderEpoch(epoch),
        })
    }
}

/// Whether a question is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asking {
    Idle,
    UnderWay,
}

/// The beliefs of one client.
#[derive(Debug, Clone)]
pub(crate) struct Metadata {
    config: CommonConfig,
    random: Random,
    brokers: BTreeMap<NodeId, Endpoint>,
    /// What is asked for, and when it was last needed.
    topics: BTreeMap<Arc<str>, Instant>,
    /// A topic that was not needed for so long is forgotten.
    max_idle: Option<Duration>,
    partitions: BTreeMap<TopicPartition, Leadership>,
    ids: BTreeMap<Arc<str>, TopicId>,
    /// What an answer has spoken of, be it to say that there is no such topic.
    heard_of: BTreeSet<Arc<str>>,
    asking: Asking,
    /// To be asked for before it is old, and why.
    wanted: Option<MetadataCause>,
    /// When the last good answer came.
    refreshed: Instant,
    /// Not to be asked before.
    not_before: Instant,
    /// Failures in a row.
    failures: u32,
    /// Answers without news in a row.
    stale_answers: u32,
    /// Raised whenever a leadership changes.
    version: u64,
    /// Where the search for somebody to ask goes on.
    turn: usize,
}

impl Metadata {
    pub fn new(config: &CommonConfig) -> Metadata {
        Metadata {
            config: config.clone(),
            random: config.random(),
            brokers: BTreeMap::new(),
            topics: BTreeMap::new(),
            max_idle: None,
            partitions: BTreeMap::new(),
            ids: BTreeMap::new(),
            heard_of: BTreeSet::new(),
            asking: Asking::Idle,
            wanted: Some(MetadataCause::NewTopic),
            refreshed: Instant::ZERO,
            not_before: Instant::ZERO,
            failures: 0,
            stale_answers: 0,
            version: 0,
            turn: 0,
        }
    }

    /// Forgets topics that were not needed for so long (`metadata.max.idle.ms`).
    pub fn forget_after(&mut self, max_idle: Duration) {
        self.max_idle = Some(max_idle);
    }

    /// Adds a topic to what is asked for; asks at once if it is new.
    pub fn follow(&mut self, now: Instant, topic: &Arc<str>) {
        match self.topics.get_mut(topic) {
            Some(needed) => *needed = now,
            None => {
                self.topics.insert(topic.clone(), now);
                self.want(MetadataCause::NewTopic);
                // A new topic waits for nobody else's doubts.
                self.stale_answers = 0;
                if self.failures == 0 {
                    self.not_before = self.not_before.min(now);
                }
            }
        }
    }

    /// Asks again, as soon as that is allowed. A question under way answers doubts too; it
    /// does not know of topics that came later.
    pub fn want(&mut self, cause: MetadataCause) {
        if self.asking == Asking::Idle || cause == MetadataCause::NewTopic {
            self.wanted.get_or_insert(cause);
        }
    }

    /// The question, once it is due; `None` if nothing needs asking.
    pub fn question(&mut self, now: Instant) -> Option<(RequestKind, MetadataCause)> {
        if !self.is_due(now) {
            return None;
        }
        self.asking = Asking::UnderWay;
        let cause = self.wanted.take().unwrap_or_else(|| {
            // Growing old is no lack of progress.
            self.stale_answers = 0;
            MetadataCause::Age
        });
        let topics = self.topics.keys().map(|topic| {
            let mut wanted = MetadataRequestTopic::default();
            wanted.name = Some(topic_name(topic));
            wanted
        });
        let mut request = MetadataRequest::default();
        request.topics = Some(topics.collect());
        request.allow_auto_topic_creation = true;
        Some((RequestKind::Metadata(request), cause))
    }

    /// Whether the last question brought no news, so that the next one is its repetition.
    pub fn repeats(&self) -> bool {
        self.failures > 0 || self.stale_answers > 0
    }

    pub fn is_due(&self, now: Instant) -> bool {
        self.due().is_some_and(|due| due <= now)
    }

    /// When to ask next.
    pub fn due(&self) -> Option<Instant> {
        match (self.asking, self.wanted) {
            (Asking::UnderWay, _) => None,
            (Asking::Idle, Some(_)) => Some(self.not_before),
            (Asking::Idle, None) => {
                let old = self.refreshed + self.config.metadata_max_age;
                Some(old.max(self.not_before))
            }
        }
    }

    /// The question was lost.
    pub fn unanswered(&mut self, now: Instant) {
        self.asking = Asking::Idle;
        self.want(MetadataCause::Disconnected);
        self.failures = self.failures.saturating_add(1);
        self.stale_answers = 0;
        self.not_before = now + self.config.backoff(self.failures, &mut self.random);
    }

    /// Takes an answer in; tells what it changed.
    pub fn learn(&mut self, now: Instant, response: &MetadataResponse) -> Vec<Fact> {
        self.asking = Asking::Idle;
        (self.refreshed, self.failures) = (now, 0);
        let brokers = response.brokers.iter().filter_map(|broker| {
            let port = u16::try_from(broker.port).ok()?;
            let endpoint = Endpoint { host: broker.host.as_str().into(), port };
            Some((NodeId(broker.node_id.0), endpoint))
        });
        let brokers: BTreeMap<NodeId, Endpoint> = brokers.collect();
        // An answer without any broker is worth nothing: the known ones stay.
        if !brokers.is_empty() {
            self.brokers = brokers;
        }
        let mut facts = Vec::new();
        for topic in &response.topics {
            self.learn_topic(topic, &mut facts);
        }
        self.forget_idle(now);
        if facts.is_empty() {
            self.stale_answers = self.stale_answers.saturating_add(1);
            let pause = self.config.backoff(self.stale_answers, &mut self.random);
            self.not_before = now + pause;
        } else {
            (self.stale_answers, self.not_before) = (0, now);
            self.version += 1;
        }
        facts
    }

    fn forget_idle(&mut self, now: Instant) {
        let Some(max_idle) = self.max_idle else { return };
        let is_needed = |needed: &Instant| *needed + max_idle > now;
        self.topics.retain(|_, needed| is_needed(needed));
        let topics = &self.topics;
        self.partitions.retain(|partition, _| topics.contains_key(&partition.topic));
        self.ids.retain(|topic, _| topics.contains_key(topic));
    }

    fn learn_topic(&mut self, topic: &MetadataResponseTopic, facts: &mut Vec<Fact>) {
        let Some(name) = &topic.name else { return };
        let name: Arc<str> = name.0.as_str().into();
        if !self.heard_of.contains(&name) {
            self.heard_of.insert(name.clone());
        }
        self.learn_id(&name, TopicId(topic.topic_id));
        if is_missing(topic) {
            self.partitions.retain(|partition, _| partition.topic != name);
        }
        for partition in &topic.partitions {
            let leader = NodeId(partition.leader_id.0);
            let news = Leadership {
                leader: (leader.0 >= 0).then_some(leader),
                epoch: LeaderEpoch(partition.leader_epoch),
            };
            let partition = TopicPartition::new(name.clone(), partition.partition_index);
            facts.extend(self.learn_leader(&partition, news));
        }
    }

    fn learn_leader(
        &mut self,
        partition: &TopicPartition,
        news: Leadership,
    ) -> Option<Fact> {
        let known = self.partitions.get(partition);
        if known.is_some_and(|known| known.epoch > news.epoch || *known == news) {
            return None;
        }
        self.partitions.insert(partition.clone(), news);
        let (partition, leader, epoch) = (partition.clone(), news.leader, news.epoch);
        Some(Fact::LeaderLearned { partition, leader, epoch })
    }

    /// A broker said who leads. Only a newer epoch counts, and only a leader whose endpoint
    /// is known.
    pub fn hinted(
        &mut self,
        partition: &TopicPartition,
        hint: Leadership,
    ) -> Option<Fact> {
        let known = self.partitions.get(partition)?;
        let reachable = self.brokers.contains_key(&hint.leader?);
        if known.epoch >= hint.epoch || !reachable {
            return None;
        }
        self.version += 1;
        self.learn_leader(partition, hint)
    }

    /// A number that rises whenever a leadership changes.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Where a node listens.
    pub fn endpoint(&self, node: NodeId) -> Option<&Endpoint> {
        self.brokers.get(&node)
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

    /// Whether it is known how many partitions a topic has, or that it does not exist.
    pub fn has_heard_of(&self, topic: &Arc<str>) -> bool {
        self.heard_of.contains(topic)
    }

    /// A topic's id, once it is known.
    pub fn topic_id(&self, topic: &Arc<str>) -> Option<TopicId> {
        self.ids.get(topic).copied()
    }

    /// The topic with this id, if it is among those that are followed.
    pub fn topic_of(&self, id: TopicId) -> Option<&Arc<str>> {
        self.ids.iter().find(|(_, known)| **known == id).map(|(topic, _)| topic)
    }

    /// Everybody who might answer, the next in turn first: known brokers, else bootstrap.
    pub fn candidates(&self) -> Vec<Endpoint> {
        let mut all: Vec<Endpoint> = self.brokers.values().cloned().collect();
        let unknown = self.config.bootstrap.iter().filter(|to| !all.contains(to));
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

/// Whether there is no such topic, as far as the broker knows.
fn is_missing(topic: &MetadataResponseTopic) -> bool {
    let missing = [ErrorCode::UnknownTopicOrPartition, ErrorCode::UnknownTopicId];
    error_of(topic.error_code).is_some_and(|error| missing.contains(&error))
}

/// A topic's name as messages carry it.
pub(crate) fn topic_name(topic: &str) -> TopicName {
    TopicName(text(topic))
}

/// A text as messages carry it.
pub(crate) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}
