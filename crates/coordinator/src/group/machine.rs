//! The shard itself: what comes in is handed to whom it concerns.

use std::collections::VecDeque;

use topomotion_wire::messages::{RequestKind, ResponseKind, WriteTxnMarkersRequest};
use topomotion_wire::{ErrorCode, Instant, NodeId, Offset, Random};

use super::config::GroupConfig;
use crate::shard::{
    Caller, Control, Directory, Effect, Loaded, Shard, Stamp, Ticket, WriteToken,
};

/// One partition of `__consumer_offsets`, for as long as this broker leads it.
///
/// A shard that is dropped answers nobody: whoever waits is told `NOT_COORDINATOR` by the
/// broker, which holds the tickets.
#[derive(Debug, Clone)]
pub struct GroupShard {
    config: GroupConfig,
    random: Random,
    effects: VecDeque<Effect>,
}

impl GroupShard {
    /// A shard that knows nothing yet; member ids are drawn from `random`, which must differ
    /// from leadership to leadership.
    pub fn new(config: GroupConfig, random: Random) -> GroupShard {
        GroupShard { config, random, effects: VecDeque::new() }
    }
}

impl Shard for GroupShard {
    fn load(&mut self, _now: Instant, _loaded: Loaded) {}

    fn loaded(&mut self, _now: Instant, _directory: &dyn Directory) {}

    fn handle(
        &mut self,
        _now: Instant,
        _directory: &dyn Directory,
        _ticket: Ticket,
        _caller: &Caller,
        _request: RequestKind,
    ) {
        let _ = (&self.config, &mut self.random);
    }

    fn hung_up(&mut self, _now: Instant, _ticket: Ticket) {}

    fn appended(
        &mut self,
        _now: Instant,
        _directory: &dyn Directory,
        _token: WriteToken,
        _outcome: Result<Offset, ErrorCode>,
    ) {
    }

    fn committed(
        &mut self,
        _now: Instant,
        _directory: &dyn Directory,
        _token: WriteToken,
    ) {
    }

    fn marker_appended(&mut self, _now: Instant, _stamp: Stamp, _control: Control) {}

    fn markers_answered(
        &mut self,
        _now: Instant,
        _directory: &dyn Directory,
        _from: NodeId,
        _request: &WriteTxnMarkersRequest,
        _response: Option<&ResponseKind>,
    ) {
    }

    fn metadata_changed(&mut self, _now: Instant, _directory: &dyn Directory) {}

    fn tick(&mut self, _now: Instant, _directory: &dyn Directory) {}

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn poll(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }
}
