//! What producer, consumer and admin share: connections plus beliefs, kept up to date.

use topomotion_wire::messages::{RequestKind, ResponseKind};
use topomotion_wire::{
    ClientDeed, Duration, Endpoint, ErrorCode, Fact, Input, Instant, MetadataCause,
    Output, Random, Rule, TopicPartition,
};

use crate::CommonConfig;
use crate::errors::error_of;
use crate::metadata::{Leadership, Metadata};
use crate::network::{Network, NetworkEvent, Route};

/// Why a request was sent.
#[derive(Debug, Clone)]
enum Errand<T> {
    /// To refresh the beliefs.
    Metadata,
    /// The client's own business.
    Own(T),
}

/// What happened to the client's own requests.
#[derive(Debug, Clone)]
pub(crate) enum ClusterEvent<T> {
    /// Answered.
    Answered { errand: T, body: Box<ResponseKind> },
    /// Never will be: the outcome is unknown.
    Lost { errand: T },
    /// Was not sent: the broker does not offer it.
    Unsupported { errand: T },
}

/// Connections and beliefs of one client.
#[derive(Debug, Clone)]
pub(crate) struct Cluster<T> {
    pub metadata: Metadata,
    network: Network<Errand<T>>,
    config: CommonConfig,
    random: Random,
    now: Instant,
}

impl<T> Cluster<T> {
    pub fn new(config: CommonConfig) -> Cluster<T> {
        Cluster {
            metadata: Metadata::new(&config),
            network: Network::new(config.clone()),
            random: config.random(),
            config,
            now: Instant::ZERO,
        }
    }

    pub fn handle(&mut self, now: Instant, input: Input) {
        self.now = now;
        self.network.handle(now, input);
    }

    pub fn tick(&mut self, now: Instant) {
        self.now = now;
        self.network.tick(now);
    }

    /// The pause before retry number `attempt` (from 1).
    pub fn backoff(&mut self, attempt: u32) -> Duration {
        self.config.backoff(attempt, &mut self.random)
    }

    /// The next event that concerns the client itself; call until `None`, then drive.
    pub fn next_event(&mut self) -> Option<ClusterEvent<T>> {
        loop {
            match self.network.next_event()? {
                NetworkEvent::Answered { errand: Errand::Own(errand), body } => {
                    return Some(ClusterEvent::Answered { errand, body });
                }
                NetworkEvent::Lost { errand: Errand::Own(errand) } => {
                    // Whoever did not answer may no longer be what it was.
                    self.metadata.want(MetadataCause::Disconnected);
                    return Some(ClusterEvent::Lost { errand });
                }
                NetworkEvent::Unsupported { errand: Errand::Own(errand) } => {
                    return Some(ClusterEvent::Unsupported { errand });
                }
                NetworkEvent::Answered { errand: Errand::Metadata, body } => {
                    self.learned(&body);
                }
                NetworkEvent::Lost { errand: Errand::Metadata }
                | NetworkEvent::Unsupported { errand: Errand::Metadata } => {
                    self.metadata.pass_turn();
                    self.metadata.unanswered(self.now);
                }
                NetworkEvent::Unreachable => {
                    self.metadata.pass_turn();
                    self.metadata.want(MetadataCause::Disconnected);
                }
                NetworkEvent::Ready => {}
            }
        }
    }

    fn learned(&mut self, body: &ResponseKind) {
        let ResponseKind::Metadata(response) = body else {
            return self.metadata.unanswered(self.now);
        };
        let facts = self.metadata.learn(self.now, response);
        for fact in facts {
            self.network.push(Output::Fact(fact));
        }
        let refused = response.topics.iter().find_map(|topic| error_of(topic.error_code));
        let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
        let mut leaders = partitions.map(|partition| partition.leader_id.0);
        if let Some(error) = refused {
            self.metadata.want(MetadataCause::Error(error));
        } else if leaders.any(|leader| leader < 0) {
            self.metadata.want(MetadataCause::NoLeader);
        }
    }

    /// A broker said with an error who leads (KIP-951): tells whether that is news.
    pub fn hinted(&mut self, partition: &TopicPartition, hint: Leadership) -> bool {
        let fact = self.metadata.hinted(partition, hint);
        let is_news = fact.is_some();
        if let Some(fact) = fact {
            self.network.push(Output::Fact(fact));
        }
        is_news
    }

    /// An error says that the beliefs are out of date.
    pub fn doubt(&mut self, error: ErrorCode) {
        self.metadata.want(MetadataCause::Error(error));
    }

    /// Asks for metadata if that is due and somebody can be asked.
    pub fn drive(&mut self, now: Instant) {
        self.now = now;
        if !self.metadata.is_due(now) {
            return;
        }
        let candidates = self.metadata.candidates();
        let Some(to) = self.least_loaded(now, &candidates) else { return };
        let repeats = self.metadata.repeats();
        if self.network.ready(now, &to)
            && let Some((question, cause)) = self.metadata.question(now)
        {
            // A question that is asked over and over is told once.
            if !repeats {
                self.deed(None, ClientDeed::MetadataWanted { cause });
            }
            self.network.send(now, &to, question, Errand::Metadata);
        }
    }

    /// The least loaded first, as in Kafka: an answer waits behind a parked fetch.
    pub fn least_loaded(
        &self,
        now: Instant,
        candidates: &[Endpoint],
    ) -> Option<Endpoint> {
        let open = candidates.iter().filter(|to| self.network.is_open(to));
        let open = open.min_by_key(|to| self.network.in_flight(to));
        let usable = || candidates.iter().find(|to| self.network.usable(now, to));
        open.or_else(usable).cloned()
    }

    /// Whether there is something to be told without any input.
    pub fn has_events(&self) -> bool {
        self.network.has_events()
    }

    /// When something happened last.
    pub fn now(&self) -> Instant {
        self.now
    }

    pub fn usable(&self, now: Instant, to: impl Into<Route>) -> bool {
        self.network.usable(now, to)
    }

    pub fn ready(&mut self, now: Instant, to: impl Into<Route>) -> bool {
        self.network.ready(now, to)
    }

    pub fn in_flight(&self, to: &Endpoint) -> usize {
        self.network.in_flight(to)
    }

    pub fn send(
        &mut self,
        now: Instant,
        to: impl Into<Route>,
        body: RequestKind,
        errand: T,
    ) {
        self.network.send(now, to, body, Errand::Own(errand));
    }

    /// The same for an answer that may take longer than `request.timeout.ms`.
    pub fn send_within(
        &mut self,
        now: Instant,
        timeout: Duration,
        to: impl Into<Route>,
        body: RequestKind,
        errand: T,
    ) {
        self.network.send_within(now, timeout, to, body, Errand::Own(errand));
    }

    /// The same in no later version than `limit`.
    pub fn send_as(
        &mut self,
        now: Instant,
        to: &Endpoint,
        body: RequestKind,
        limit: i16,
        errand: T,
    ) {
        self.network.send_as(now, to, body, limit, Errand::Own(errand));
    }

    /// The level of a finalized feature, as far as any broker told; 0 where it is not.
    pub fn feature(&self, name: &str) -> i16 {
        self.network.features().level(name)
    }

    pub fn send_unanswered(&mut self, now: Instant, to: &Endpoint, body: RequestKind) {
        self.network.send_unanswered(now, to, body);
    }

    /// Closes every connection.
    pub fn hang_up(&mut self) {
        self.network.hang_up(self.now);
    }

    pub fn fact(&mut self, fact: Fact) {
        self.network.push(Output::Fact(fact));
    }

    /// Tells what was done inside.
    pub fn deed(&mut self, partition: Option<&TopicPartition>, deed: ClientDeed) {
        let partition = partition.cloned();
        self.network.push(Output::Fact(Fact::Client { partition, deed }));
    }

    pub fn mark(&mut self, rule: Rule, partition: &TopicPartition) {
        let partition = Some(partition.clone());
        self.network.push(Output::Mark { rule, partition });
    }

    /// A rule acted that concerns no single partition.
    pub fn mark_overall(&mut self, rule: Rule) {
        self.network.push(Output::Mark { rule, partition: None });
    }

    pub fn poll(&mut self) -> Option<Output> {
        self.network.poll()
    }

    /// When this part wants to be woken. What is overdue but cannot be done yet (nobody can
    /// be asked) waits for a connection's own deadline.
    pub fn deadline(&self) -> Option<Instant> {
        let metadata = self.metadata.due().filter(|due| *due > self.now);
        [metadata, self.network.deadline(self.now)].into_iter().flatten().min()
    }
}
