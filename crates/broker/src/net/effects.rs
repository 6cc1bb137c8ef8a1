//! What the parts of a node want done: outputs for the world, questions to other nodes,
//! answers to requests.
//!
//! Parts never hold a connection. They name a node and a purpose, or the ticket of a request;
//! the node finds the connection, which may be the node itself.

use std::collections::{BTreeSet, VecDeque};

use topomotion_wire::messages::{RequestKind, ResponseKind};
use topomotion_wire::{
    ConnectionId, DiskOp, Duration, Fact, FlushToken, NodeId, Output, Rule,
    TopicPartition,
};

use crate::coordinators::InternalTopic;

/// Names one request that awaits its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ticket {
    /// It came over a connection.
    Remote {
        /// Which one.
        connection: ConnectionId,
        /// Which request on it.
        serial: u64,
    },
    /// This node asked itself (a combined node's broker asks its own controller).
    Local(Asked),
}

/// What a connection is for. Kafka's brokers keep these apart, so that a request that has to
/// wait holds up no other kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purpose {
    /// The metadata quorum.
    Quorum,
    /// Registration and heartbeats.
    Heartbeat,
    /// ISR changes.
    AlterPartition,
    /// Clients' requests that only the controller can answer.
    Forwarding,
    /// Fetching from partition leaders.
    Replication,
    /// A transaction coordinator's markers.
    Markers,
    /// Asking transaction coordinators whether a transaction is open.
    Verification,
}

/// What was asked, so that the answer finds its way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asked {
    /// Something of the quorum's.
    Quorum {
        /// Whom.
        to: NodeId,
    },
    /// A broker registration.
    Register,
    /// A broker heartbeat.
    Heartbeat,
    /// An ISR change.
    AlterPartition,
    /// A client's request, forwarded.
    Forward {
        /// The broker's number for the waiting client.
        id: u64,
    },
    /// An internal topic's creation, on its way to the controller.
    InternalTopic(InternalTopic),
    /// A client's topic, on its way to the controller.
    WishedTopic {
        /// The broker's number for it.
        id: u64,
    },
    /// A block of producer ids.
    ProducerIds,
    /// Markers that end a transaction.
    Markers {
        /// The coordinators' number for them.
        id: u64,
    },
    /// Whether a transaction is open.
    Verification {
        /// The broker's number for the waiting request.
        id: u64,
    },
    /// A follower's fetch.
    Fetch {
        /// From which leader.
        leader: NodeId,
    },
    /// Where a leader's logs begin and end.
    LeaderOffsets {
        /// Of which leader.
        leader: NodeId,
    },
    /// Where epochs end in a leader's logs.
    LeaderEpochs {
        /// Of which leader.
        leader: NodeId,
    },
}

/// A question to another node.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) to: NodeId,
    pub(crate) purpose: Purpose,
    pub(crate) asked: Asked,
    pub(crate) version: i16,
    pub(crate) body: RequestKind,
    /// When to give up on it.
    pub(crate) timeout: Duration,
}

/// What becomes of a request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// It gets this response.
    Reply(Box<ResponseKind>),
    /// It gets this response in version 0, which everybody understands.
    ReplyInVersion0(Box<ResponseKind>),
    /// It wants none (acks=0).
    Silence,
    /// Its connection is closed: the only way to say "no" where no response can.
    Close,
}

/// Everything that parts of a node want done, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Effects {
    outputs: VecDeque<Output>,
    asks: VecDeque<Ask>,
    answers: VecDeque<(Ticket, Answer)>,
    touched: BTreeSet<TopicPartition>,
    proposals: BTreeSet<TopicPartition>,
    flushes: u64,
    recovery_points: RecoveryPoints,
}

/// Whether the recovery points on disk promise more than is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum RecoveryPoints {
    /// They do not.
    #[default]
    Good,
    /// A log was cut below its own.
    TooHigh,
}

impl Effects {
    pub(crate) fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(crate) fn disk(&mut self, op: DiskOp) {
        self.output(Output::Disk(op));
    }

    /// A token for a flush of the broker's own, used once.
    pub(crate) fn next_flush(&mut self) -> FlushToken {
        self.flushes += 1;
        FlushToken(self.flushes)
    }

    /// Notes that a log was cut below its recovery point.
    pub(crate) fn lower_recovery_point(&mut self) {
        self.recovery_points = RecoveryPoints::TooHigh;
    }

    /// Whether that has happened since this was last asked.
    pub(crate) fn take_recovery_points(&mut self) -> RecoveryPoints {
        std::mem::take(&mut self.recovery_points)
    }

    pub(crate) fn fact(&mut self, fact: Fact) {
        self.output(Output::Fact(fact));
    }

    pub(crate) fn mark(&mut self, rule: Rule) {
        self.output(Output::Mark { rule, partition: None });
    }

    pub(crate) fn mark_at(&mut self, rule: Rule, partition: &TopicPartition) {
        self.output(Output::Mark { rule, partition: Some(partition.clone()) });
    }

    pub(crate) fn ask(&mut self, ask: Ask) {
        self.asks.push_back(ask);
    }

    pub(crate) fn reply(&mut self, ticket: Ticket, body: impl Into<ResponseKind>) {
        self.answers.push_back((ticket, Answer::Reply(Box::new(body.into()))));
    }

    pub(crate) fn answer(&mut self, ticket: Ticket, answer: Answer) {
        self.answers.push_back((ticket, answer));
    }

    /// Notes that requests which wait for this partition should look again.
    pub(crate) fn touch(&mut self, partition: &TopicPartition) {
        self.touched.insert(partition.clone());
    }

    /// Notes that this partition's leader has an ISR change for the controller.
    pub(crate) fn propose(&mut self, partition: &TopicPartition) {
        self.proposals.insert(partition.clone());
    }

    /// The partitions whose leaders have an ISR change for the controller, once.
    pub(crate) fn take_proposals(&mut self) -> BTreeSet<TopicPartition> {
        std::mem::take(&mut self.proposals)
    }

    /// Whether anything awaits another part of the node (outputs are for the world).
    pub(crate) fn has_work(&self) -> bool {
        !self.asks.is_empty()
            || !self.answers.is_empty()
            || !self.touched.is_empty()
            || !self.proposals.is_empty()
    }

    pub(crate) fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(crate) fn next_ask(&mut self) -> Option<Ask> {
        self.asks.pop_front()
    }

    pub(crate) fn next_answer(&mut self) -> Option<(Ticket, Answer)> {
        self.answers.pop_front()
    }

    pub(crate) fn next_touched(&mut self) -> Option<TopicPartition> {
        self.touched.pop_first()
    }
}
