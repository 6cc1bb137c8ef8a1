//! Hurting the world, and healing it.
//!
//! A crash is a killed process: its page cache survives, the kernel says goodbye on its
//! connections, and what it had already sent still arrives. A cut swallows everything in
//! silence; the peers notice by their own timeouts.

use std::collections::VecDeque;
use std::sync::Arc;

use topomotion_trace::{Fault, Flow, What};
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
        self.timers[host.0] = None;
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
                self.timers[host.0] = None;
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
        let fault =
            Fault::Partition { left: self.names_of(left), right: self.names_of(right) };
        self.recorder.note(self.now, What::Fault(fault));
        self.change_weather(left, right, |weather| weather.cut = true);
        self.change_weather(right, left, |weather| weather.cut = true);
        self.sever();
    }

    /// Cuts one direction only: what `from` sends to `to` vanishes, the way back is open.
    pub fn cut_one_way(&mut self, from: &[HostId], to: &[HostId]) {
        self.tell_way(from, to, Flow::Lost);
        self.change_weather(from, to, |weather| weather.cut = true);
        self.sever();
    }

    /// Existing connections feel the cuts.
    fn sever(&mut self) {
        for link in 0..self.links.len() {
            let (Some(a), Some(b)) =
                (self.links[link].dialler.host, self.links[link].acceptor.host)
            else {
                continue;
            };
            for (from, to, side) in [(a, b, Side::Acceptor), (b, a, Side::Dialler)] {
                let is_cut = self.is_cut(from, to);
                let end = self.links[link].end_mut(side);
                if is_cut && end.inbound == Passage::Free {
                    end.inbound = Passage::Cut;
                }
            }
        }
    }

    /// Mends the network, disks and clocks, and lets every paused process go on.
    /// Connections that were cut turn out to be broken; what was kept back arrives.
    pub fn heal(&mut self) {
        self.recorder.note(self.now, What::Fault(Fault::Heal));
        self.clear_weather();
        for link in 0..self.links.len() {
            let cut = |side| self.links[link].end(side).inbound == Passage::Cut;
            if cut(Side::Dialler) || cut(Side::Acceptor) {
                self.break_link(LinkId(link));
            } else {
                self.let_go(LinkId(link), Side::Dialler);
                self.let_go(LinkId(link), Side::Acceptor);
            }
        }
        for host in 0..self.hosts.len() {
            self.hosts[host].disk.repair();
            self.drift(HostId(host), 100);
            self.resume(HostId(host));
        }
    }

    /// A connection is past mending, and both ends hear of it.
    pub(super) fn break_link(&mut self, link: LinkId) {
        for side in [Side::Dialler, Side::Acceptor] {
            let end = self.link_mut(link).end_mut(side);
            end.inbound = Passage::Broken;
            end.held.clear();
            self.post(link, side, Parcel::Reset);
        }
    }

    /// Whether the network is cut anywhere, or a process stands still.
    pub fn is_hindered(&self) -> bool {
        let paused = |host: &super::Host<M>| matches!(host.life, Life::Paused { .. });
        !self.is_fair() || self.hosts.iter().any(paused)
    }

    pub(super) fn is_cut(&self, from: HostId, to: HostId) -> bool {
        self.weather(from, to).cut
    }

    /// Says how messages pass on a way from now on.
    pub(super) fn tell_way(&mut self, from: &[HostId], to: &[HostId], flow: Flow) {
        let (from, to) = (self.names_of(from), self.names_of(to));
        let what = What::Fault(Fault::Way { from, to, flow });
        self.recorder.note(self.now, what);
    }

    fn names_of(&self, hosts: &[HostId]) -> Vec<Arc<str>> {
        hosts.iter().map(|host| self.hosts[host.0].name.clone()).collect()
    }
}
