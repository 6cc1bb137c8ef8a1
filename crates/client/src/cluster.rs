//! What producer, consumer and admin share: connections plus beliefs, kept up to date.

use topomotion_wire::messages::{RequestKind, ResponseKind};
use topomotion_wire::{Endpoint, Input, Instant, Output};

use crate::CommonConfig;
use crate::metadata::Metadata;
use crate::network::{Network, NetworkEvent};

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
}

/// Connections and beliefs of one client.
#[derive(Debug, Clone)]
pub(crate) struct Cluster<T> {
    pub metadata: Metadata,
    network: Network<Errand<T>>,
    config: CommonConfig,
    now: Instant,
}

impl<T> Cluster<T> {
    pub fn new(config: CommonConfig) -> Cluster<T> {
        Cluster {
            metadata: Metadata::new(config.bootstrap.clone(), config.metadata_max_age),
            network: Network::new(config.clone()),
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

    /// The next event that concerns the client itself; call until `None`, then drive.
    pub fn next_event(&mut self) -> Option<ClusterEvent<T>> {
        loop {
            match self.network.next_event()? {
                NetworkEvent::Answered { errand: Errand::Own(errand), body } => {
                    return Some(ClusterEvent::Answered { errand, body });
                }
                NetworkEvent::Lost { errand: Errand::Own(errand) } => {
                    // Whoever did not answer may no longer be what it was.
                    self.metadata.doubt(self.now);
                    return Some(ClusterEvent::Lost { errand });
                }
                NetworkEvent::Answered { errand: Errand::Metadata, body } => {
                    self.learned(&body);
                }
                NetworkEvent::Lost { errand: Errand::Metadata } => {
                    self.metadata.pass_turn();
                    self.metadata.unanswered(self.now);
                }
                NetworkEvent::Unreachable => {
                    self.metadata.pass_turn();
                    self.metadata.doubt(self.now);
                }
                NetworkEvent::Ready => {}
            }
        }
    }

    fn learned(&mut self, body: &ResponseKind) {
        let ResponseKind::Metadata(response) = body else {
            return self.metadata.unanswered(self.now + self.config.retry_backoff);
        };
        let facts = self.metadata.learn(self.now, response);
        for fact in facts {
            self.network.push(Output::Fact(fact));
        }
        let incomplete = response.topics.iter().any(|topic| {
            topic.error_code != 0
                || topic.partitions.iter().any(|partition| partition.leader_id.0 < 0)
        });
        if incomplete {
            self.metadata.doubt(self.now + self.config.retry_backoff);
        }
    }

    /// Asks for metadata if that is due and somebody can be asked.
    pub fn drive(&mut self, now: Instant) {
        self.now = now;
        if !self.metadata.is_due(now) {
            return;
        }
        let candidates = self.metadata.candidates();
        // The least loaded first, as in Kafka: an answer waits behind a parked fetch.
        let open = candidates.iter().filter(|to| self.network.is_open(to));
        let open = open.min_by_key(|to| self.network.in_flight(to));
        let usable = candidates.iter().find(|to| self.network.usable(now, to));
        let Some(to) = open.or(usable) else { return };
        if self.network.ready(now, to)
            && let Some(question) = self.metadata.question(now)
        {
            self.network.send(now, to, question, Errand::Metadata);
        }
    }

    pub fn usable(&self, now: Instant, to: &Endpoint) -> bool {
        self.network.usable(now, to)
    }

    pub fn ready(&mut self, now: Instant, to: &Endpoint) -> bool {
        self.network.ready(now, to)
    }

    pub fn in_flight(&self, to: &Endpoint) -> usize {
        self.network.in_flight(to)
    }

    pub fn send(&mut self, now: Instant, to: &Endpoint, body: RequestKind, errand: T) {
        self.network.send(now, to, body, Errand::Own(errand));
    }

    pub fn send_unanswered(&mut self, to: &Endpoint, body: RequestKind) {
        self.network.send_unanswered(to, body);
    }

    pub fn push(&mut self, output: Output) {
        self.network.push(output);
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
