//! The runner: set the cluster up, play the steps, wait until it is quiet again.

mod body;
mod cluster;
mod setup;
mod stage;
mod steps;
mod story;

use topomotion_model::{Diagnostic, Scenario};
use topomotion_trace::Trace;

use crate::{Binding, Ending, Judge, Outcome, RunFile, RunOptions};
use stage::{Stage, Stop, after};
use steps::Play;

/// After a fault the run goes on for the session timeout and this long, so that the
/// cluster's reaction is part of the story.
const REACTION_MS: u64 = 2_000;
/// How long after a fault a run waits at most for every living replica to be in its ISR.
const RECOVERY_MS: u64 = 60_000;

/// Plays a scenario on a bound topology. Fails when the scenario is a scripted flow, when
/// nothing was bound, or when a step cannot be carried out on this cluster.
pub fn run(
    binding: &Binding,
    scenario: &Scenario,
    options: &RunOptions,
    judge: &mut dyn Judge,
) -> Result<Outcome, Vec<Diagnostic>> {
    Ok(play(&RunFile::new(binding, scenario, options)?, judge))
}

/// Plays a run file. The same file gives the same outcome, always and everywhere.
pub fn play(file: &RunFile, judge: &mut dyn Judge) -> Outcome {
    let limits = &file.limits;
    let mut stage = Stage::new(&file.cluster, file.seed, limits, judge);
    if let Err(missing) = setup::set_up(&mut stage, limits.setup_ms) {
        let setup = stage.cluster.world.recorder.take();
        let events = stage.cluster.world.handled();
        return outcome(
            Trace::default(),
            setup,
            Play::new(&mut stage, limits),
            Ending::NotReady(missing),
            events,
        );
    }
    let setup = stage.raise_curtain();
    let mut play = Play::new(&mut stage, limits);
    let ending = match play_all(&mut play, file) {
        Ok(()) => Ending::Quiet,
        Err(Stop::Limit(text)) => Ending::Limit(text),
        Err(Stop::Late) => Ending::Limit("a step took too long".to_owned()),
    };
    let played = play.stage.cluster.world.recorder.take();
    let trace = story::tell(&setup, played);
    let events = play.stage.cluster.world.handled();
    outcome(trace, setup, play, ending, events)
}

fn play_all(play: &mut Play<'_, '_>, file: &RunFile) -> Result<(), Stop> {
    for (index, step) in file.steps.iter().enumerate() {
        play.step(index, step).map_err(|stop| match stop {
            Stop::Limit(text) => Stop::Limit(format!("{text} in step {index}")),
            Stop::Late => Stop::Late,
        })?;
    }
    come_to_rest(play)
}

/// Goes on until nothing but routine happens, and for a while longer if the cluster is
/// still on its way back from a fault.
fn come_to_rest(play: &mut Play<'_, '_>) -> Result<(), Stop> {
    let (stage, quiet_ms) = (&mut *play.stage, play.limits.quiet_ms);
    let Some(fault) = play.last_fault else {
        return stage.run_until_quiet(quiet_ms, stage.now());
    };
    let reaction = stage.cluster.session_ms() + REACTION_MS;
    stage.run_until_quiet(quiet_ms, after(fault, reaction))?;
    let patience = after(fault, RECOVERY_MS).since(stage.now()).as_millis();
    match stage.run_until(patience, Stage::is_whole) {
        Ok(()) | Err(Stop::Late) => stage.run_until_quiet(quiet_ms, stage.now()),
        limit => limit,
    }
}

fn outcome(
    trace: Trace,
    setup: Trace,
    play: Play<'_, '_>,
    ending: Ending,
    events: u64,
) -> Outcome {
    let digest = trace.digest();
    Outcome { trace, setup, verdicts: play.verdicts, ending, digest, events }
}
