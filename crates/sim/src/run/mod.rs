//! The runner: set the cluster up, play the steps, wait until it is quiet again.

mod actors;
mod applications;
mod body;
mod cluster;
mod connect;
mod contest;
mod deeds;
mod dump;
mod errands;
mod gauges;
mod probe;
mod recovery;
mod requests;
mod setup;
mod stage;
mod steps;
mod storm;
mod story;
mod transform;
mod who;
mod words;
mod worker;
mod zookeeper;

use std::collections::BTreeSet;

use topomotion_model::{Diagnostic, ProcessId, Scenario};
use topomotion_trace::Trace;

use crate::record::Detail;
use crate::{Aftermath, Binding, Ending, Judge, Outcome, RunFile, RunOptions, Verdict};
pub(crate) use cluster::acks;
use cluster::{Cluster, Setting};
use setup::Rest;
use stage::{Stage, Stop, after};
use steps::Play;
pub(crate) use story::{drop_closed, referred, remains, tell};

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
    watch(file, &file.latecomers(), Detail::Story, judge)
}

/// Plays a run of which the beginning is given: these clients are not there at first, whatever
/// the steps say of them. So a run that was cut off before a client joined begins as it began.
pub fn play_from(
    file: &RunFile,
    absent: &BTreeSet<ProcessId>,
    judge: &mut dyn Judge,
) -> Outcome {
    watch(file, &absent.iter().collect(), Detail::Story, judge)
}

/// Plays a storm for the judge alone: the same course of events as [`play`], of which
/// nothing is kept; the outcome's traces are empty. A run of steps waits for its packets to
/// say nothing new, so it is played in full.
pub fn probe(file: &RunFile, judge: &mut dyn Judge) -> Outcome {
    let detail = if file.storm.is_some() { Detail::Evidence } else { Detail::Story };
    watch(file, &file.latecomers(), detail, judge)
}

fn watch(
    file: &RunFile,
    late: &BTreeSet<&ProcessId>,
    detail: Detail,
    judge: &mut dyn Judge,
) -> Outcome {
    let limits = &file.limits;
    let physics = file.storm.as_ref().map(|storm| storm.world.physics());
    let setting = Setting { physics: physics.unwrap_or_default(), detail };
    let cluster = Cluster::new(&file.cluster, file.seed, setting);
    let mut stage = Stage::new(cluster, limits, judge);
    let rest = if file.storm.is_some() { Rest::Skipped } else { Rest::Awaited };
    if let Err(missing) = setup::set_up(&mut stage, limits.setup_ms, rest, late) {
        let setup = stage.cluster.world.recorder.take();
        let ending = Ending::NotReady(missing);
        let trace = Trace::default();
        return Told { trace, setup, ending, aftermath: None }
            .outcome(&stage, Vec::new());
    }
    let setup = stage.raise_curtain();
    let mut play = Play::new(&mut stage, limits);
    let played = match &file.storm {
        Some(storm) => storm::rage(play.stage, storm).map(Some),
        None => play_all(&mut play, file).map(|()| None),
    };
    let (ending, aftermath) = match played {
        Ok(aftermath) => (Ending::Quiet, aftermath),
        Err(Stop::Limit(text)) => (Ending::Limit(text), None),
        Err(Stop::Late) => (Ending::Limit("a step took too long".to_owned()), None),
    };
    let verdicts = std::mem::take(&mut play.verdicts);
    let played = stage.cluster.world.recorder.take();
    let trace = match detail {
        Detail::Story => tell(&setup, played),
        Detail::Evidence => Trace::default(),
    };
    Told { trace, setup, ending, aftermath }.outcome(&stage, verdicts)
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
    match stage.run_until(patience, |stage| stage.is_whole()) {
        Ok(()) | Err(Stop::Late) => stage.run_until_quiet(quiet_ms, stage.now()),
        limit => limit,
    }
}

/// What is left of a run when it is over.
struct Told {
    trace: Trace,
    setup: Trace,
    ending: Ending,
    aftermath: Option<Aftermath>,
}

impl Told {
    fn outcome(self, stage: &Stage<'_>, verdicts: Vec<Verdict>) -> Outcome {
        let Told { trace, setup, ending, aftermath } = self;
        let world = &stage.cluster.world;
        Outcome {
            digest: trace.digest(),
            trace,
            setup,
            verdicts,
            ending,
            aftermath,
            events: world.delivered(),
            timers: world.rung(),
            course: world.course(),
            coverage: world.recorder.coverage().clone(),
        }
    }
}
