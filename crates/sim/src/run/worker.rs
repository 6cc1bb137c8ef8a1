//! A process that reads and writes: a consumer and a producer on one host, and what its
//! application does between them.

use std::collections::VecDeque;

use topomotion_client::{Consumer, Producer};
use topomotion_wire::{ConnectionId, Fact, Input, Instant, Machine, Output, Ownership};

use super::transform::Transform;

/// Both clients of one process.
#[derive(Debug)]
pub(super) struct Worker {
    pub consumer: Consumer,
    pub producer: Producer,
    /// Whether its producer has a `transactional.id`.
    pub transactions: bool,
    outputs: VecDeque<Output>,
    /// What it does with every record that it reads, once it was told to.
    transform: Option<Transform>,
    now: Instant,
}

/// Whose a connection is. They number theirs each for itself; the host sees even and odd
/// numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Consumer,
    Producer,
}

impl Worker {
    pub fn new(consumer: Consumer, producer: Producer, transactions: bool) -> Worker {
        Worker {
            consumer,
            producer,
            transactions,
            outputs: VecDeque::new(),
            transform: None,
            now: Instant::ZERO,
        }
    }

    /// From now on every record of one topic becomes one of another. Whoever is at it goes on
    /// with what it has.
    pub fn begin(&mut self, now: Instant, transform: Transform) {
        self.now = now;
        if !self.transform.as_ref().is_some_and(|it| it.is_same(&transform)) {
            self.transform = Some(transform);
        }
        self.gather();
    }

    /// Takes what both want done, and lets the application go on for as long as it can.
    fn gather(&mut self) {
        loop {
            self.collect();
            let Some(transform) = &mut self.transform else { return };
            let clients = (&mut self.consumer, &mut self.producer);
            if !transform.advance(self.now, clients) {
                return;
            }
        }
    }

    fn collect(&mut self) {
        while let Some(output) = self.consumer.poll() {
            if let (Some(transform), Output::Fact(fact)) = (&mut self.transform, &output)
            {
                match fact {
                    Fact::Polled { partition, base, next, .. } => {
                        transform.read(partition, *base, *next);
                    }
                    Fact::Member { view, .. } if view.change != Ownership::Assigned => {
                        transform.give_up(&view.partitions);
                    }
                    _ => {}
                }
            }
            self.outputs.push_back(outward(Half::Consumer, output));
        }
        while let Some(output) = self.producer.poll() {
            self.outputs.push_back(outward(Half::Producer, output));
        }
    }
}

fn numbered(half: Half, connection: ConnectionId) -> ConnectionId {
    match (half, connection) {
        (Half::Consumer, ConnectionId::Dialled(number)) => {
            ConnectionId::Dialled(number * 2)
        }
        (Half::Producer, ConnectionId::Dialled(number)) => {
            ConnectionId::Dialled(number * 2 + 1)
        }
        // Nobody dials a client.
        (_, accepted @ ConnectionId::Accepted(_)) => accepted,
    }
}

fn own(connection: ConnectionId) -> (Half, ConnectionId) {
    match connection {
        ConnectionId::Dialled(number) if number % 2 == 0 => {
            (Half::Consumer, ConnectionId::Dialled(number / 2))
        }
        ConnectionId::Dialled(number) => {
            (Half::Producer, ConnectionId::Dialled(number / 2))
        }
        accepted @ ConnectionId::Accepted(_) => (Half::Consumer, accepted),
    }
}

fn outward(half: Half, output: Output) -> Output {
    match output {
        Output::Open { connection, to } => {
            Output::Open { connection: numbered(half, connection), to }
        }
        Output::Send { connection, message } => {
            Output::Send { connection: numbered(half, connection), message }
        }
        Output::Close { connection } => {
            Output::Close { connection: numbered(half, connection) }
        }
        other @ (Output::Disk(_) | Output::Mark { .. } | Output::Fact(_)) => other,
    }
}

impl Machine for Worker {
    fn handle(&mut self, now: Instant, input: Input) {
        self.now = now;
        let (half, input) = match input {
            Input::Opened { connection } => {
                let (half, connection) = own(connection);
                (half, Input::Opened { connection })
            }
            Input::Accepted { connection } => {
                let (half, connection) = own(connection);
                (half, Input::Accepted { connection })
            }
            Input::Closed { connection } => {
                let (half, connection) = own(connection);
                (half, Input::Closed { connection })
            }
            Input::Received { connection, message } => {
                let (half, connection) = own(connection);
                (half, Input::Received { connection, message })
            }
            // Clients have no disk.
            flushed @ Input::Flushed { .. } => (Half::Consumer, flushed),
        };
        match half {
            Half::Consumer => self.consumer.handle(now, input),
            Half::Producer => self.producer.handle(now, input),
        }
        self.gather();
    }

    fn tick(&mut self, now: Instant) {
        self.now = now;
        self.consumer.tick(now);
        self.producer.tick(now);
        self.gather();
    }

    fn poll(&mut self) -> Option<Output> {
        self.gather();
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        [self.consumer.deadline(), self.producer.deadline()].into_iter().flatten().min()
    }
}
