//! Requests that wait for a shard's answer, and answers that are put together from several.

use std::collections::BTreeMap;

use topomotion_coordinator::Ticket as ShardTicket;
use topomotion_wire::messages::{RequestKind, ResponseKind};
use topomotion_wire::{ConnectionId, ErrorCode, TopicPartition};

use crate::api::coordination;
use crate::net::{Effects, Ticket};

/// Where a shard's answer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Destination {
    /// To whoever asked.
    Asker(Ticket),
    /// Into an answer that has several parts.
    Part {
        /// Which answer.
        of: u64,
        /// Which part of it.
        place: usize,
    },
}

/// One request at one shard.
#[derive(Debug, Clone)]
struct Waiting {
    shard: TopicPartition,
    /// What was asked: a refusal looks like it.
    request: RequestKind,
    version: i16,
    to: Destination,
}

/// An answer in the making.
#[derive(Debug, Clone)]
struct Merging {
    ticket: Ticket,
    parts: Vec<Option<ResponseKind>>,
}

/// Everything that waits.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls {
    waiting: BTreeMap<ShardTicket, Waiting>,
    merging: BTreeMap<u64, Merging>,
    next: u64,
}

impl Calls {
    /// An answer with `parts` parts, at least one.
    pub(super) fn merge(&mut self, ticket: Ticket, parts: usize) -> u64 {
        let of = self.next;
        self.next += 1;
        self.merging.insert(of, Merging { ticket, parts: vec![None; parts] });
        of
    }

    /// A request goes to a shard.
    pub(super) fn wait(
        &mut self,
        shard: &TopicPartition,
        request: &RequestKind,
        version: i16,
        to: Destination,
    ) -> ShardTicket {
        let ticket = ShardTicket(self.next);
        self.next += 1;
        let (shard, request) = (shard.clone(), request.clone());
        self.waiting.insert(ticket, Waiting { shard, request, version, to });
        ticket
    }

    /// A shard has answered. What nobody waits for any more vanishes.
    pub(super) fn answered(
        &mut self,
        ticket: ShardTicket,
        body: ResponseKind,
        effects: &mut Effects,
    ) {
        if let Some(waiting) = self.waiting.remove(&ticket) {
            self.deliver(waiting.to, body, effects);
        }
    }

    /// An answer, or a part of one, is there.
    pub(super) fn deliver(
        &mut self,
        to: Destination,
        body: ResponseKind,
        effects: &mut Effects,
    ) {
        let (of, place) = match to {
            Destination::Asker(ticket) => return effects.reply(ticket, body),
            Destination::Part { of, place } => (of, place),
        };
        let Some(merging) = self.merging.get_mut(&of) else { return };
        merging.parts[place] = Some(body);
        if merging.parts.iter().any(Option::is_none) {
            return;
        }
        if let Some(whole) = self.merging.remove(&of) {
            let merged = coordination::merge(whole.parts.into_iter().flatten());
            if let Some(merged) = merged {
                effects.reply(whole.ticket, merged);
            }
        }
    }

    /// A shard is gone: whoever waits for it has to look for its successor.
    pub(super) fn shard_gone(&mut self, shard: &TopicPartition, effects: &mut Effects) {
        let of_shard = |(_, it): &(&ShardTicket, &Waiting)| it.shard == *shard;
        let gone = self.waiting.iter().filter(of_shard).map(|(&ticket, _)| ticket);
        for ticket in gone.collect::<Vec<_>>() {
            let Some(it) = self.waiting.remove(&ticket) else { continue };
            let error = ErrorCode::NotCoordinator;
            let refused = coordination::refuse(&it.request, it.version, error);
            self.deliver(it.to, refused, effects);
        }
    }

    /// A client is gone: returns what it waited for, and forgets it.
    pub(super) fn hung_up(
        &mut self,
        connection: ConnectionId,
    ) -> Vec<(TopicPartition, ShardTicket)> {
        let is_its = |ticket: &Ticket| matches!(ticket, Ticket::Remote { connection: it, .. } if *it == connection);
        let merging = &self.merging;
        let waits = |it: &Waiting| match &it.to {
            Destination::Asker(ticket) => is_its(ticket),
            Destination::Part { of, .. } => {
                merging.get(of).is_some_and(|whole| is_its(&whole.ticket))
            }
        };
        let gone = self.waiting.iter().filter(|(_, it)| waits(it));
        let gone: Vec<_> = gone.map(|(&ticket, it)| (it.shard.clone(), ticket)).collect();
        for (_, ticket) in &gone {
            self.waiting.remove(ticket);
        }
        self.merging.retain(|_, whole| !is_its(&whole.ticket));
        gone
    }
}
