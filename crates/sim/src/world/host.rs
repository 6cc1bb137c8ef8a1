//! A host: a machine or none, its disk, its connections, its timer.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use topomotion_log::MemoryDisk;
use topomotion_trace::PacketId;
use topomotion_wire::{ConnectionId, Input, Random};

use super::clock::Clock;
use super::link::{LinkId, Side};

/// A host's number in its world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub usize);

/// Whether a process runs on a host.
#[derive(Debug)]
pub(super) enum Life<M> {
    /// None does.
    Down,
    /// This one.
    Up(M),
    /// This one, but it stands still and its inputs wait.
    Paused { machine: M, held: VecDeque<(Input, Option<PacketId>)> },
}

#[derive(Debug)]
pub(super) struct Host<M> {
    /// The process's id in the topology.
    pub name: Arc<str>,
    pub life: Life<M>,
    /// Counts the starts, so that what was meant for an earlier process is recognised.
    pub incarnation: u32,
    pub disk: MemoryDisk,
    pub clock: Clock,
    pub connections: BTreeMap<ConnectionId, (LinkId, Side)>,
    /// Connections accepted so far.
    pub accepted: u64,
    /// Jitter of what this host sends.
    pub network: Random,
}

impl<M> Host<M> {
    pub fn new(name: Arc<str>, network: Random) -> Host<M> {
        Host {
            name,
            life: Life::Down,
            incarnation: 0,
            disk: MemoryDisk::default(),
            clock: Clock::default(),
            connections: BTreeMap::new(),
            accepted: 0,
            network,
        }
    }

    pub fn is_down(&self) -> bool {
        matches!(self.life, Life::Down)
    }

    pub fn is_incarnation(&self, incarnation: u32) -> bool {
        !self.is_down() && self.incarnation == incarnation
    }

    pub fn machine(&self) -> Option<&M> {
        match &self.life {
            Life::Down => None,
            Life::Up(machine) | Life::Paused { machine, .. } => Some(machine),
        }
    }

    pub fn machine_mut(&mut self) -> Option<&mut M> {
        match &mut self.life {
            Life::Down => None,
            Life::Up(machine) | Life::Paused { machine, .. } => Some(machine),
        }
    }
}
