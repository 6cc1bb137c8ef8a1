//! Hurting the world, and healing it.
//!
//! A crash is a killed process: its page cache survives, the kernel says goodbye on its
//! connections, and what it had already sent still arrives. A cut swallows everything in
//! silence; the peers notice by their own timeouts.

use std::collections::VecDeque;
use std::sync::Arc;

use topomotion_trace::{Fault, What};
use topomotion_wire::Machine;

use super::World;
use super::host::{HostId, Life};
use super::link::{LinkId, Parcel, Passage, Side};

impl<M: Machine> World<M> {
    /// Kills the process on a host. Its disk stays.
    pub fn crash(&mut self, host: HostId) {
        if self.hosts[host.0].is_down() {
            return;
        }
        let process = self.hosts[host.0].name.clone();
        self.recorder.note(self.now, What::Fault(Fault::Crash { process }));
        self.switch_off(host);
    }

    /// Ends the process on a host without calling it a fault.
    pub fn switch_off(&mut self, host: HostId) {
        let slot = &mut self.hosts[host.0];
        slot.life = Life::Down;
        slot.armed = None;
        let links: Vec<(LinkId, Side)> =
            std::mem::take(&mut slot.connections).into_values().collect();
        for (link, side) in links {
            self.leave(link, side);
        }
    }

    /// Says that a process is about to be started again; [`start`](Self::start) follows.
    pub fn announce_restart(&mut self, host: HostId) {
        let process = self.hosts[host.0].name.clone();
        self.recorder.note(self.now, What::Fault(Fault::Restart { process }));
    }

    /// Makes a process stand still: timers and inputs wait, connections stay.
    pub fn pause(&mut self, host: HostId) {
        let slot = &mut self.hosts[host.0];
        match std::mem::replace(&mut slot.life, Life::Down) {
            Life::Up(machine) => {
                slot.life = Life::Paused { machine, held: VecDeque::new() };
                slot.armed = None;
                let process = slot.name.clone();
                self.recorder.note(self.now, What::Fault(Fault::Pause { process }));
            }
            other => slot.life = other,
        }
    }

    /// Lets a process go on: first what has arrived meanwhile, then its timers.
    pub fn resume(&mut self, host: HostId) {
        let slot = &mut self.hosts[host.0];
        match std::mem::replace(&mut slot.life, Life::Down) {
            Life::Paused { machine, held } => {
                slot.life = Life::Up(machine);
                let process = slot.name.clone();
                self.recorder.note(self.now, What::Fault(Fault::Resume { process }));
                held.into_iter()
                    .for_each(|(input, cause)| self.deliver(host, input, cause));
                self.drain(host, None);
            }
            other => slot.life = other,
        }
    }

    /// Cuts the network between two sets of hosts. Connections across the cut swallow what
    /// is on its way and whatever is sent from now on.
    pub fn cut(&mut self, left: &[HostId], right: &[HostId]) {
        for &a in left {
            for &b in right {
                self.cuts.insert((a.min(b), a.max(b)));
            }
        }
        let fault =
            Fault::Partition { left: self.names_of(left), right: self.names_of(right) };
        self.recorder.note(self.now, What::Fault(fault));
        for link in 0..self.links.len() {
            let (Some(a), Some(b)) =
                (self.links[link].dialler.host, self.links[link].acceptor.host)
            else {
                continue;
            };
            if self.is_cut(a, b) && self.links[link].passage == Passage::Free {
                self.links[link].passage = Passage::Cut;
            }
        }
    }

    /// Mends the network and lets every paused process go on. Connections that were cut
    /// turn out to be broken.
    pub fn heal(&mut self) {
        self.recorder.note(self.now, What::Fault(Fault::Heal));
        self.cuts.clear();
        for link in 0..self.links.len() {
            if self.links[link].passage == Passage::Cut {
                self.links[link].passage = Passage::Broken;
                self.post(LinkId(link), Side::Dialler, Parcel::Reset);
                self.post(LinkId(link), Side::Acceptor, Parcel::Reset);
            }
        }
        for host in 0..self.hosts.len() {
            self.resume(HostId(host));
        }
    }

    /// Whether the network is cut anywhere, or a process stands still.
    pub fn is_hindered(&self) -> bool {
        let paused = |host: &super::Host<M>| matches!(host.life, Life::Paused { .. });
        !self.cuts.is_empty() || self.hosts.iter().any(paused)
    }

    pub(super) fn is_cut(&self, a: HostId, b: HostId) -> bool {
        self.cuts.contains(&(a.min(b), a.max(b)))
    }

    fn names_of(&self, hosts: &[HostId]) -> Vec<Arc<str>> {
        hosts.iter().map(|host| self.hosts[host.0].name.clone()).collect()
    }
}
