//! Playing a storm: load and nemesis by the clock, then mending, then what must come back.

use topomotion_model::ProcessId;
use topomotion_trace::{Tone, What};
use topomotion_wire::{Duration, Instant};

use super::body::Body;
use super::deeds::People;
use super::recovery::recover;
use super::stage::{Stage, Stop, after};
use crate::aftermath::Aftermath;
use crate::storm::Storm;
use crate::storm::strike::{Blow, Strike};
use crate::world::HostId;

/// Plays a storm from the moment the cluster stands ready.
pub(super) fn rage(stage: &mut Stage<'_>, storm: &Storm) -> Result<Aftermath, Stop> {
    let begun = stage.now();
    let mut people = People::default();
    let mut operations = storm.operations.iter().peekable();
    let mut strikes = storm.nemesis.iter().peekable();
    loop {
        let next_operation = operations.peek().map(|operation| operation.at_ms);
        let next_strike = strikes.peek().map(|strike| strike.at_ms);
        let next = [next_operation, next_strike].into_iter().flatten().min();
        let Some(at_ms) = next.filter(|at_ms| *at_ms < storm.until_ms) else { break };
        people.pass_until(stage, after(begun, at_ms))?;
        if let Some(operation) = operations.next_if(|it| it.at_ms == at_ms) {
            people.act(stage, operation);
        } else if let Some(strike) = strikes.next() {
            inflict(stage, strike);
        }
        stage.show();
    }
    people.pass_until(stage, after(begun, storm.until_ms))?;
    people.kill_leaving(stage);
    mend(stage, storm);
    recover(stage)
}

fn hosts(stage: &Stage<'_>, processes: &[ProcessId]) -> Vec<HostId> {
    processes.iter().filter_map(|process| stage.cluster.host(process)).collect()
}

/// What the picture has no sign of its own for is told in words.
fn tell(stage: &mut Stage<'_>, strike: &Strike) {
    let text = strike.untimed();
    let process = strike.on.first().map(|process| process.0.clone());
    let tone = Tone::Error;
    stage.note(What::Say { process, label: None, text, tone });
}

pub(super) fn inflict(stage: &mut Stage<'_>, strike: &Strike) {
    let (on, towards) = (hosts(stage, &strike.on), hosts(stage, &strike.towards));
    let by = Duration::from_millis(strike.amount);
    let is_told = matches!(
        strike.blow,
        Blow::Crash
            | Blow::PowerLoss
            | Blow::LoseDisk
            | Blow::Restart
            | Blow::Pause
            | Blow::Resume
            | Blow::Partition
            | Blow::Cut
            | Blow::Clog
            | Blow::Unclog
            | Blow::Slow
            | Blow::Throttle
            | Blow::Heal
    );
    if !is_told {
        tell(stage, strike);
    }
    let world = &mut stage.cluster.world;
    match strike.blow {
        Blow::Crash => on.iter().for_each(|&host| world.crash(host)),
        Blow::PowerLoss => on.iter().for_each(|&host| world.lose_power(host)),
        Blow::LoseDisk => on.iter().for_each(|&host| world.lose_disk(host)),
        Blow::Restart => strike.on.iter().for_each(|process| raise(stage, process)),
        Blow::Pause => on.iter().for_each(|&host| world.pause(host)),
        Blow::Resume => on.iter().for_each(|&host| world.resume(host)),
        Blow::Partition => world.cut(&on, &towards),
        Blow::Cut => world.cut_one_way(&on, &towards),
        Blow::Clog => world.clog(&on, &towards),
        Blow::Unclog => world.unclog(&on, &towards),
        Blow::Detain => world.detain(&on, &towards),
        Blow::Release => world.release(&on, &towards),
        Blow::Reset => world.reset(&on, &towards),
        Blow::Slow => world.slow(&on, &towards, by),
        Blow::SlowDial => world.slow_dials(&on, &towards, by),
        Blow::Throttle => world.throttle(&on, &towards, strike.amount),
        Blow::SlowDisk => on.iter().for_each(|&host| world.disk_mut(host).slow_down(by)),
        Blow::FullDisk => {
            on.iter().for_each(|&host| world.disk_mut(host).limit(strike.amount));
        }
        Blow::FailDisk => on.iter().for_each(|&host| world.disk_mut(host).fail()),
        Blow::MendDisk => on.iter().for_each(|&host| world.disk_mut(host).repair()),
        Blow::Jump => on.iter().for_each(|&host| world.jump(host, by)),
        Blow::Drift => on.iter().for_each(|&host| world.drift(host, strike.amount)),
        Blow::Heal => world.heal(),
    }
}

/// Starts a process that is down; one that runs goes on running.
pub(super) fn raise(stage: &mut Stage<'_>, process: &ProcessId) {
    let Some(host) = stage.cluster.host(process) else { return };
    if stage.cluster.world.machine(host).is_none() {
        stage.cluster.world.announce_restart(host);
        stage.cluster.start(process);
    }
}

/// The network is mended and everybody is started again, but for those who stay dead.
fn mend(stage: &mut Stage<'_>, storm: &Storm) {
    for process in &storm.left_dead {
        if let Some(host) = stage.cluster.host(process) {
            stage.cluster.world.crash(host);
        }
    }
    stage.cluster.world.heal();
    for process in stage.cluster.everybody() {
        if !storm.left_dead.contains(&process) {
            raise(stage, &process);
        }
    }
    stage.show();
}

impl Stage<'_> {
    /// Lets the world run until this moment.
    pub fn pass_until(&mut self, moment: Instant) -> Result<(), Stop> {
        loop {
            self.check_limits()?;
            let went_on = self.cluster.world.step(moment);
            self.show();
            if !went_on {
                return Ok(());
            }
        }
    }
}

impl Body {
    /// The next offset that a consumer will read.
    pub fn position(&self, partition: &topomotion_wire::TopicPartition) -> Option<i64> {
        Some(self.consumer()?.position(partition)?.0)
    }
}
