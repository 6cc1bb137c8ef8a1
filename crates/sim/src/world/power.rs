//! What happens to a host as a whole: power losses, and disks that are lost.

use topomotion_trace::{Fault, Tone, What};
use topomotion_wire::{Machine, Random};

use super::World;
use super::host::HostId;
use crate::Sight;

/// The random streams of what power losses leave behind.
const POWER_STREAMS: u64 = 1 << 41;

impl<M: Machine> World<M> {
    /// The host loses its power: its process dies, and what it had not flushed is in doubt.
    pub fn lose_power(&mut self, host: HostId) {
        let slot = &mut self.hosts[host.0];
        let stream =
            POWER_STREAMS + ((host.0 as u64) << 16) + u64::from(slot.incarnation);
        slot.disk.lose_power(&mut Random::new(self.seed, stream));
        self.die(host, "the power fails: what was not flushed may be lost");
    }

    /// The host dies and its disk with it: whoever starts there next finds nothing.
    pub fn lose_disk(&mut self, host: HostId) {
        let slot = &mut self.hosts[host.0];
        slot.disk.wipe();
        self.recorder.sight(Sight::LostDisk(slot.name.clone()));
        self.die(host, "the disk is lost");
    }

    fn die(&mut self, host: HostId, text: &str) {
        let slot = &self.hosts[host.0];
        let process = slot.name.clone();
        self.recorder.sight(Sight::LostPower(process.clone()));
        if !slot.is_down() {
            let fault = Fault::Crash { process: process.clone() };
            self.recorder.note(self.now, What::Fault(fault));
        }
        let (process, text) = (Some(process), text.to_owned());
        let say = What::Say { process, label: None, text, tone: Tone::Error };
        self.recorder.note(self.now, say);
        self.switch_off(host);
    }
}
