//! What a page needs of a film to go on with its runs, and what it gets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use topomotion_animate::{Kind, Knot, Options, Theme, direct_with_knots, sequence};
use topomotion_model::{Play, ProcessId, Scenario};
use topomotion_scene::{Animation, Scene};
use topomotion_sim::{Ending, NodeRole, Outcome, RunFile};
use topomotion_trace::{Fault, ProcessState, StateChange, Trace, What};
use topomotion_verify::Court;
use topomotion_viewer::Bundle;

use crate::branch::{Branch, Branched, starts};
use crate::saved;

/// What is said where the past may not be the film's.
const OTHER_ENGINE: &str =
    "This engine is another than the one that made the film: it may play it otherwise.";

/// Everything that runs in a film, without the script: what `render --live` adds to a bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Live {
    /// The form's version; the module reads its own alone.
    pub form: u32,
    /// Title above the picture.
    pub title: String,
    /// What there is to see.
    pub description: String,
    /// Where everything stands.
    pub scene: Scene,
    /// The film's colours, name to `#rrggbb`, light and dark.
    pub colors: [BTreeMap<String, String>; 2],
    /// The scenarios that the engine ran.
    pub stories: Vec<Story>,
    /// What happened in those that were played, by id.
    #[serde(skip)]
    pub known: BTreeMap<String, Known>,
}

/// How this engine plays a story whose script is left alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// What happens.
    trace: Trace,
    /// Whether that is what happened in the film.
    is_same: bool,
}

/// A scenario that the engine ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Story {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// A sentence or two.
    pub description: String,
    /// Its own settings, as its script gives them.
    pub settings: BTreeMap<String, String>,
    /// The run.
    pub file: RunFile,
    /// The digest of what happened in the film, in hexadecimal.
    pub digest: String,
}

/// A process that one may do something to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Process {
    /// Its id.
    pub id: String,
    /// What the picture calls it.
    pub label: String,
    /// `broker`, `controller`, `producer`, `consumer`, `zookeeper` or `other`.
    pub kind: &'static str,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// How many partitions it has at first.
    pub partitions: usize,
}

/// A run, played and drawn.
#[derive(Debug, Serialize)]
pub struct Take {
    /// What the player plays.
    pub bundle: Bundle,
    /// Engine time (µs) and playing time (ms): entered, left.
    pub clock: Vec<[u64; 3]>,
    /// From when on (µs) a process is `running`, `paused` or `stopped`, where it does not run
    /// from the beginning.
    pub states: Vec<(u64, String, &'static str)>,
    /// Who runs in it.
    pub processes: Vec<Process>,
    /// The topics that it begins with.
    pub topics: Vec<Topic>,
    /// When each deed was done, µs.
    pub deeds: Vec<u64>,
    /// Where it ends, µs.
    pub end: u64,
    /// What is to be said of it: deeds that could not be done, promises that were broken.
    pub notes: Vec<String>,
    /// What happened, in one number, in hexadecimal.
    pub digest: String,
    /// The run as a script's scenario.
    pub script: String,
}

impl Live {
    /// The current form.
    pub const FORM: u32 = 1;

    /// A film's picture, to which the runs are yet to be added.
    pub fn new(scene: Scene, theme: &Theme) -> Live {
        Live {
            form: Live::FORM,
            title: String::new(),
            description: String::new(),
            scene,
            colors: [theme.light.clone(), theme.dark.clone()],
            stories: Vec::new(),
            known: BTreeMap::new(),
        }
    }

    /// Adds a scenario that the engine ran, and what happened.
    pub fn add(&mut self, scenario: &Scenario, file: RunFile, outcome: &Outcome) {
        let settings = match &scenario.play {
            Play::Run(run) => run.settings.clone(),
            Play::Flow(_) => BTreeMap::new(),
        };
        self.stories.push(Story {
            id: scenario.id.to_string(),
            title: scenario.title.clone(),
            description: scenario.description.clone().unwrap_or_default(),
            settings,
            file,
            digest: digest(outcome.digest),
        });
    }

    /// As a bundle holds it: [`Live::read`] is the way back.
    pub fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("all keys are strings")
    }

    /// Reads what a bundle holds; the message says why it cannot be played.
    pub fn read(json: &[u8]) -> Result<Live, String> {
        let live: Live = serde_json::from_slice(json)
            .map_err(|error| format!("the run in this film cannot be read: {error}"))?;
        if live.form != Live::FORM {
            return Err(format!(
                "the run in this film is of version {}, and this engine reads version {}",
                live.form,
                Live::FORM
            ));
        }
        Ok(live)
    }

    /// Plays a story to its end: as its script has it, or as somebody went on with it. `None` if
    /// there is no such story.
    pub fn play(&mut self, id: &str, branch: Option<&Branch>) -> Option<Take> {
        let story = self.stories.iter().find(|story| story.id == id)?;
        let own = Branched::untouched(&story.file);
        if branch.is_none() || !self.known.contains_key(id) {
            let (outcome, court) = own.play();
            let is_same = digest(outcome.digest) == story.digest;
            let known = Known { trace: outcome.trace.clone(), is_same };
            let take = branch
                .is_none()
                .then(|| self.take(story, is_same, &own, (outcome, court)));
            self.known.insert(id.to_owned(), known);
            if take.is_some() {
                return take;
            }
        }
        let (known, branch) = (self.known.get(id)?, branch?);
        let run = Branched::new(&story.file, &known.trace, branch);
        let played = run.play();
        Some(self.take(story, known.is_same, &run, played))
    }

    fn take(
        &self,
        story: &Story,
        is_same: bool,
        run: &Branched,
        played: (Outcome, Court),
    ) -> Take {
        let (outcome, court) = played;
        let trace = &outcome.trace;
        let (film, clock) = self.film(story, trace);
        let beside = self.sequence(story, trace);
        let begun: Vec<u64> = starts(trace).map(|at| at.0).collect();
        let mut notes = Vec::new();
        if !is_same {
            notes.push(OTHER_ENGINE.to_owned());
        }
        notes.extend(outcome.verdicts.iter().filter_map(|verdict| {
            Some(format!("{}: {}", verdict.demand, verdict.failure.as_ref()?))
        }));
        match &outcome.ending {
            Ending::Quiet => {}
            Ending::NotReady(why) => {
                notes.push(format!("the cluster never came up: {why}"));
            }
            Ending::Limit(which) => {
                notes.push(format!("the run was stopped: {which}"));
            }
        }
        notes.extend(court.into_violations().into_iter().map(|violation| violation.text));
        Take {
            bundle: Bundle::new(&[("topology", &film), ("sequence", &beside)]),
            clock: clock
                .iter()
                .map(|knot| [knot.time.0, u64::from(knot.enter), u64::from(knot.leave)])
                .collect(),
            states: states(trace),
            processes: self.processes(&story.file),
            topics: topics(&story.file),
            deeds: run
                .deeds
                .iter()
                .filter_map(|&step| begun.get(step).copied())
                .collect(),
            end: trace.events.last().map_or(0, |event| event.at.0),
            notes,
            digest: digest(outcome.digest),
            script: saved::script(story, run),
        }
    }

    fn film(&self, story: &Story, trace: &Trace) -> (Animation, Vec<Knot>) {
        direct_with_knots(&self.scene, &of(story, trace), &self.options())
    }

    fn sequence(&self, story: &Story, trace: &Trace) -> Animation {
        sequence::direct(&self.scene, &[of(story, trace)], &self.options())
    }

    fn options(&self) -> Options {
        let [light, dark] = self.colors.clone();
        Options {
            title: self.title.clone(),
            description: self.description.clone(),
            theme: Theme { light, dark },
            ..Options::default()
        }
    }

    fn processes(&self, file: &RunFile) -> Vec<Process> {
        let plan = &file.cluster;
        let nodes = plan.nodes.iter().map(|node| match node.role {
            NodeRole::Controller => (&node.process, "controller"),
            NodeRole::Broker | NodeRole::Combined => (&node.process, "broker"),
        });
        let producers = plan.producers.iter().map(|one| (&one.process, "producer"));
        let consumers = plan.consumers.iter().map(|one| (&one.process, "consumer"));
        let actors = plan.actors.iter().map(|one| (&one.process, "other"));
        let ensemble = plan.zookeeper.iter().map(|one| (&one.process, "zookeeper"));
        let all = nodes.chain(producers).chain(consumers).chain(actors).chain(ensemble);
        all.map(|(id, kind)| Process {
            id: id.0.to_string(),
            label: self.label(id),
            kind,
        })
        .collect()
    }

    fn label(&self, id: &ProcessId) -> String {
        let node = self.scene.nodes.iter().find(|node| *node.id == *id.0);
        let label = node.map(|node| node.label.trim()).filter(|label| !label.is_empty());
        label.unwrap_or(id.as_str()).to_owned()
    }
}

fn of<'a>(story: &'a Story, trace: &'a Trace) -> topomotion_animate::Story<'a> {
    topomotion_animate::Story {
        id: &story.id,
        title: &story.title,
        description: &story.description,
        trace,
        kind: Kind::Executed,
    }
}

/// A run's digest, as it is written down.
pub(crate) fn digest(of: u64) -> String {
    format!("{of:016x}")
}

fn topics(file: &RunFile) -> Vec<Topic> {
    let topics = file.cluster.topics.iter();
    topics
        .map(|topic| Topic {
            name: topic.name.clone(),
            partitions: topic.assignment.len(),
        })
        .collect()
}

/// How processes do, from when on.
fn states(trace: &Trace) -> Vec<(u64, String, &'static str)> {
    let told = trace.events.iter().filter_map(|event| {
        let (process, state) = match &event.what {
            What::Fault(Fault::Crash { process }) => (process.to_string(), "stopped"),
            What::Fault(Fault::Restart { process } | Fault::Resume { process }) => {
                (process.to_string(), "running")
            }
            What::Fault(Fault::Pause { process }) => (process.to_string(), "paused"),
            What::State(StateChange::Process { process, state }) => {
                let state = match state {
                    ProcessState::Stopped => "stopped",
                    ProcessState::Running => "running",
                    ProcessState::Warning | ProcessState::Error => return None,
                };
                (process.to_string(), state)
            }
            _ => return None,
        };
        Some((event.at.0, process, state))
    });
    told.collect()
}
