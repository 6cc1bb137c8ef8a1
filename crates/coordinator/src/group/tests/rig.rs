//! A broker around one shard: its log, its high watermark, its clock, and who waits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_wire::messages::{RequestKind, ResponseKind};
use topomotion_wire::{
    Duration, ErrorCode, Fact, Instant, NodeId, Offset, ProducerId, Random, Rule,
    TopicId, TopicPartition,
};
use uuid::Uuid;

use crate::group::{GroupConfig, GroupShard};
use crate::shard::{
    Caller, Control, Directory, Effect, Loaded, Shard, Stamp, Ticket, WriteToken,
};

/// The topics that there are.
#[derive(Debug, Clone, Default)]
pub(super) struct Topics(BTreeMap<Arc<str>, i32>);

impl Topics {
    fn id(topic: &str) -> TopicId {
        let mut bytes = [0; 16];
        for (byte, letter) in bytes.iter_mut().zip(topic.bytes()) {
            *byte = letter;
        }
        TopicId(Uuid::from_bytes(bytes))
    }
}

impl Directory for Topics {
    fn partition_count(&self, topic: &str) -> Option<i32> {
        self.0.get(topic).copied()
    }

    fn topic_id(&self, topic: &str) -> Option<TopicId> {
        self.0.contains_key(topic).then(|| Topics::id(topic))
    }

    fn topic_name(&self, id: TopicId) -> Option<Arc<str>> {
        self.0.keys().find(|topic| Topics::id(topic) == id).cloned()
    }

    fn leader(&self, _partition: &TopicPartition) -> Option<NodeId> {
        Some(NodeId(1))
    }

    fn topics(&self) -> Vec<Arc<str>> {
        self.0.keys().cloned().collect()
    }

    fn claim_producer_id(&self) -> Result<ProducerId, ErrorCode> {
        panic!("groups need no producer ids")
    }
}

/// What becomes of the high watermark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Followers {
    /// Everything is committed at once.
    Keep,
    /// Nothing is, until they are back.
    Lag,
}

/// One shard and all that it needs.
#[derive(Debug)]
pub(super) struct Rig {
    pub now: Instant,
    pub shard: GroupShard,
    pub config: GroupConfig,
    pub topics: Topics,
    pub followers: Followers,
    /// What the log says to appends.
    pub refusal: Option<ErrorCode>,
    /// What the shard did, for those who ask.
    pub marks: BTreeSet<Rule>,
    pub facts: Vec<Fact>,
    pub log: Vec<Loaded>,
    answers: BTreeMap<Ticket, ResponseKind>,
    waiting: Vec<WriteToken>,
    /// How much of the log is committed.
    committed: usize,
    tickets: u64,
    lives: u64,
}

impl Rig {
    /// A shard over an empty log, with topics `orders` (4 partitions) and `parcels` (2).
    pub fn new() -> Rig {
        Rig::with(GroupConfig::default())
    }

    pub fn with(config: GroupConfig) -> Rig {
        let topics = Topics([("orders".into(), 4), ("parcels".into(), 2)].into());
        let mut rig = Rig {
            now: Instant::ZERO,
            shard: GroupShard::new(config.clone(), Random::new(0, 0)),
            config,
            topics,
            followers: Followers::Keep,
            refusal: None,
            marks: BTreeSet::new(),
            facts: Vec::new(),
            log: Vec::new(),
            answers: BTreeMap::new(),
            waiting: Vec::new(),
            committed: 0,
            tickets: 0,
            lives: 0,
        };
        rig.shard.loaded(rig.now, &rig.topics);
        rig
    }

    /// Another broker takes over: it knows what is committed, and nothing else.
    pub fn fail_over(&mut self) {
        self.fail_over_with(&[]);
    }

    /// Another leads, and markers reach its log before it has read that.
    pub fn fail_over_with(&mut self, markers: &[(Stamp, Control)]) {
        self.lives += 1;
        self.log.truncate(self.committed);
        self.waiting.clear();
        let random = Random::new(0, self.lives);
        self.shard = GroupShard::new(self.config.clone(), random);
        for loaded in &self.log {
            self.shard.load(self.now, loaded.clone());
        }
        for &(stamp, control) in markers {
            self.log.push(Loaded::Marker { stamp, control });
            self.shard.load(self.now, Loaded::Marker { stamp, control });
        }
        self.committed = self.log.len();
        self.shard.loaded(self.now, &self.topics);
        self.drain();
    }

    /// Sends a request, and says under which number its answer comes.
    pub fn ask(&mut self, version: i16, request: RequestKind) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let caller =
            Caller { client_id: "shop".into(), host: "/10.0.0.1".into(), version };
        self.shard.handle(self.now, &self.topics, ticket, &caller, request);
        self.drain();
        ticket
    }

    /// The answer, if it came.
    pub fn answer(&mut self, ticket: Ticket) -> Option<ResponseKind> {
        self.answers.remove(&ticket)
    }

    /// Lets time pass, to every deadline on the way.
    pub fn pass(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        let (mut last, mut times) = (Instant::ZERO, 0);
        while let Some(at) = self.shard.deadline().filter(|&at| at <= end) {
            self.now = self.now.max(at);
            self.shard.tick(self.now, &self.topics);
            self.drain();
            // One thing may lead to another at once, but not for ever.
            times = if at == last { times + 1 } else { 0 };
            last = at;
            assert!(times < 4, "what is due is done: {at} {:?}", self.shard);
        }
        self.now = end;
    }

    /// Followers are back: everything is committed.
    pub fn catch_up(&mut self) {
        self.followers = Followers::Keep;
        self.drain();
    }

    /// A topic is made, changed, or (with none) deleted.
    pub fn set_topic(&mut self, topic: &str, partitions: Option<i32>) {
        match partitions {
            Some(count) => self.topics.0.insert(topic.into(), count),
            None => self.topics.0.remove(topic),
        };
        self.shard.metadata_changed(self.now, &self.topics);
        self.drain();
    }

    /// A topic is changed while its broker hears of no metadata.
    pub fn set_topic_unheard(&mut self, topic: &str, partitions: i32) {
        self.topics.0.insert(topic.into(), partitions);
    }

    /// The transaction coordinator's marker.
    pub fn end_transaction(&mut self, stamp: Stamp, control: Control) {
        self.log.push(Loaded::Marker { stamp, control });
        self.committed = self.log.len();
        self.shard.marker_appended(self.now, stamp, control);
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            while let Some(effect) = self.shard.poll() {
                self.obey(effect);
            }
            if self.followers == Followers::Lag || self.waiting.is_empty() {
                return;
            }
            self.committed = self.log.len();
            let token = self.waiting.remove(0);
            self.shard.committed(self.now, &self.topics, token);
        }
    }

    fn obey(&mut self, effect: Effect) {
        match effect {
            Effect::Answer { ticket, body } => {
                let before = self.answers.insert(ticket, body);
                assert!(before.is_none(), "{ticket:?} is answered once");
            }
            Effect::Append { token, batch } => {
                let base = Offset(i64::try_from(self.log.len()).unwrap());
                if let Some(error) = self.refusal {
                    self.shard.appended(self.now, &self.topics, token, Err(error));
                    return;
                }
                for (at, (key, value)) in batch.records.into_iter().enumerate() {
                    self.log.push(Loaded::Record {
                        offset: base.plus(i64::try_from(at).unwrap()),
                        timestamp: 0,
                        transaction: batch.transaction,
                        key,
                        value,
                    });
                }
                self.waiting.push(token);
                self.shard.appended(self.now, &self.topics, token, Ok(base));
            }
            Effect::WriteMarkers { .. } => panic!("groups send no markers"),
            Effect::Mark(rule) => {
                self.marks.insert(rule);
            }
            Effect::Fact(fact) => self.facts.push(fact),
        }
    }
}
