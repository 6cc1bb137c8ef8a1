//! How a controller of ZooKeeper's days reaches brokers: one call at a time to each, sent
//! again until it is answered.

use std::collections::{BTreeMap, VecDeque};

use topomotion_wire::{
    ConnectionId, ControllerCall, CorrelationId, Duration, Endpoint, ErrorCode, Input,
    Instant, Machine, Message, NodeId, Output, ZkMessage,
};

/// A broker that cannot be reached is dialled again after so long.
const REDIAL: Duration = Duration::from_millis(100);

#[derive(Debug)]
struct Lane {
    to: Endpoint,
    connection: Option<ConnectionId>,
    is_open: bool,
    calls: VecDeque<(CorrelationId, i32, ControllerCall)>,
    dial_at: Option<Instant>,
}

/// All of a controller's connections.
#[derive(Debug, Default)]
pub(super) struct Channel {
    lanes: BTreeMap<NodeId, Lane>,
    dialled: u64,
    next: i32,
    outputs: VecDeque<Output>,
    refusals: VecDeque<(NodeId, ErrorCode)>,
}

impl Channel {
    pub fn call(
        &mut self,
        now: Instant,
        (broker, to): (NodeId, Endpoint),
        epoch: i32,
        call: ControllerCall,
    ) {
        let correlation = CorrelationId(self.next);
        self.next += 1;
        let lane = self.lanes.entry(broker).or_insert(Lane {
            to,
            connection: None,
            is_open: false,
            calls: VecDeque::new(),
            dial_at: Some(now),
        });
        lane.calls.push_back((correlation, epoch, call));
        if lane.is_open && lane.calls.len() == 1 {
            Channel::send(lane, &mut self.outputs);
        }
        self.tick(now);
    }

    fn send(lane: &Lane, outputs: &mut VecDeque<Output>) {
        let (Some(connection), Some((correlation, controller_epoch, call))) =
            (lane.connection, lane.calls.front().cloned())
        else {
            return;
        };
        let message = ZkMessage::Control { correlation, controller_epoch, call }.into();
        outputs.push_back(Output::Send { connection, message });
    }

    /// A broker is gone: what it was to be told is void.
    pub fn drop_lane(&mut self, broker: NodeId) {
        let lane = self.lanes.remove(&broker);
        if let Some(connection) = lane.and_then(|lane| lane.connection) {
            self.outputs.push_back(Output::Close { connection });
        }
    }

    pub fn clear(&mut self) {
        let brokers: Vec<NodeId> = self.lanes.keys().copied().collect();
        brokers.into_iter().for_each(|broker| self.drop_lane(broker));
    }

    /// A broker that did not do as it was told, and why.
    pub fn take_refusal(&mut self) -> Option<(NodeId, ErrorCode)> {
        self.refusals.pop_front()
    }

    fn lane(&mut self, connection: ConnectionId) -> Option<(NodeId, &mut Lane)> {
        let mut lanes = self.lanes.iter_mut();
        let found = lanes.find(|(_, lane)| lane.connection == Some(connection));
        found.map(|(&broker, lane)| (broker, lane))
    }
}

impl Machine for Channel {
    fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Opened { connection } => {
                let mut outputs = std::mem::take(&mut self.outputs);
                if let Some((_, lane)) = self.lane(connection) {
                    lane.is_open = true;
                    Channel::send(lane, &mut outputs);
                }
                self.outputs = outputs;
            }
            Input::Closed { connection } => {
                if let Some((_, lane)) = self.lane(connection) {
                    (lane.connection, lane.is_open) = (None, false);
                    lane.dial_at = Some(now + REDIAL);
                }
            }
            Input::Received { connection, message: Message::Zookeeper(message) } => {
                let ZkMessage::Controlled { correlation, error, .. } = *message else {
                    return;
                };
                let mut outputs = std::mem::take(&mut self.outputs);
                let mut refused = None;
                if let Some((broker, lane)) = self.lane(connection)
                    && lane.calls.front().is_some_and(|call| call.0 == correlation)
                {
                    lane.calls.pop_front();
                    refused = error.map(|error| (broker, error));
                    Channel::send(lane, &mut outputs);
                }
                self.outputs = outputs;
                self.refusals.extend(refused);
            }
            Input::Received { .. } | Input::Accepted { .. } | Input::Flushed { .. } => {}
        }
    }

    fn tick(&mut self, now: Instant) {
        for lane in self.lanes.values_mut() {
            if lane.dial_at.is_none_or(|due| due > now) {
                continue;
            }
            let connection = ConnectionId::Dialled(self.dialled);
            self.dialled += 1;
            (lane.dial_at, lane.connection) = (None, Some(connection));
            self.outputs.push_back(Output::Open { connection, to: lane.to.clone() });
        }
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        self.lanes.values().filter_map(|lane| lane.dial_at).min()
    }
}
