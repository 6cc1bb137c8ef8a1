//! The run file: one run written down, so that it can be repeated without its script.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use topomotion_model::{Acks, Awaits, Diagnostic, Play, ProcessId, Scenario};

use crate::bind::plan_run;
use crate::storm::operation::Deed;
use crate::storm::place::check_list;
use crate::storm::{List, Storm};
use crate::{Binding, Bound, ClusterPlan, Limits, RunOptions};

/// One run, complete: the cluster, the steps, the seed and the limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFile {
    /// The scenario's id.
    pub scenario: String,
    /// What runs.
    pub cluster: ClusterPlan,
    /// What happens.
    pub steps: Vec<PlannedStep>,
    /// Seed of everything random.
    pub seed: u64,
    /// When to stop all the same.
    #[serde(default)]
    pub limits: Limits,
    /// A storm, in place of steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storm: Option<Storm>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// What is done or demanded.
    #[serde(flatten)]
    pub action: Action,
    /// The author's own words for the caption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
}

/// What can be done or demanded; every choice spelled out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub enum Action {
    /// A producer sends records, and the run goes on once all are answered or given up.
    Produce {
        /// Who sends.
        producer: ProcessId,
        /// Where to.
        topic: String,
        /// Record key.
        key: Option<String>,
        /// Record value; `None` means a numbered one.
        value: Option<String>,
        /// Partition, where the key shall not decide.
        partition: Option<i32>,
        /// Acknowledgements, where the producer's own setting shall not decide.
        acks: Option<Acks>,
        /// How many records.
        count: u32,
        /// What the run waits for.
        #[serde(default, skip_serializing_if = "waits_for_answers")]
        awaits: Awaits,
    },
    /// Any fault, in the words of a storm's list without the time.
    Fault {
        /// The words.
        what: String,
    },
    /// The process stops in good order, and the run goes on when it has.
    Shutdown {
        /// Which.
        process: ProcessId,
    },
    /// The admin client asks, and the run goes on when it is answered.
    Admin {
        /// The words.
        what: String,
    },
    /// A client does something.
    Client {
        /// Which.
        process: ProcessId,
        /// The words.
        what: String,
    },
    /// A process that is down starts; a client that is started before anything else happens
    /// to it is not there at first.
    Start {
        /// Which.
        process: ProcessId,
    },
    /// The process dies at once; its disk stays.
    Crash {
        /// Which.
        process: ProcessId,
    },
    /// It starts again on its disk.
    Restart {
        /// Which.
        process: ProcessId,
    },
    /// It stands still.
    Pause {
        /// Which.
        process: ProcessId,
    },
    /// It goes on.
    Resume {
        /// Which.
        process: ProcessId,
    },
    /// No message passes between the two sides.
    Partition {
        /// One side.
        left: Vec<ProcessId>,
        /// The other.
        right: Vec<ProcessId>,
    },
    /// Every partition ends and every paused process goes on.
    Heal,
    /// Engine time passes.
    Wait {
        /// How much.
        ms: u64,
    },
    /// Engine time passes until this holds.
    WaitUntil {
        /// What, as scripts write it.
        condition: String,
        /// Give up after so long.
        timeout_ms: u64,
    },
    /// This must hold now.
    Expect {
        /// What, as scripts write it.
        condition: String,
    },
    /// A caption.
    Say {
        /// The words.
        text: String,
    },
}

fn waits_for_answers(awaits: &Awaits) -> bool {
    *awaits == Awaits::Answers
}

impl RunFile {
    /// The clients that are not there at first: those that a step or an operation starts
    /// before any other does something to them.
    pub fn latecomers(&self) -> BTreeSet<&ProcessId> {
        let steps = self.steps.iter().filter_map(|step| match &step.action {
            Action::Start { process } => Some((process, true)),
            Action::Crash { process }
            | Action::Restart { process }
            | Action::Pause { process }
            | Action::Resume { process }
            | Action::Shutdown { process }
            | Action::Client { process, .. }
            | Action::Produce { producer: process, .. } => Some((process, false)),
            _ => None,
        });
        let operations = self.storm.iter().flat_map(|storm| &storm.operations);
        let operations = operations.filter_map(|operation| match &operation.deed {
            Deed::Start(process) => Some((process, true)),
            Deed::Shutdown(process)
            | Deed::Client { process, .. }
            | Deed::Send { producer: process, .. } => Some((process, false)),
            Deed::Admin { .. } => None,
        });
        let mut late = BTreeSet::new();
        let mut seen = BTreeSet::new();
        for (process, starts) in steps.chain(operations) {
            let may_be =
                self.cluster.has_zookeeper() || self.cluster.node(process).is_none();
            if seen.insert(process) && starts && may_be {
                late.insert(process);
            }
        }
        late
    }

    /// Writes a run down; fails when the scenario cannot run on the cluster.
    pub fn new(
        binding: &Binding,
        scenario: &Scenario,
        options: &RunOptions,
    ) -> Result<RunFile, Vec<Diagnostic>> {
        let refuse = |message: String| {
            vec![Diagnostic::error("cannot-run", message, scenario.origin.whole)]
        };
        let cluster = match binding.bound() {
            Bound::Cluster(plan) => plan,
            Bound::Nothing(reason) => return Err(refuse(reason.clone())),
        };
        let Play::Run(run) = &scenario.play else {
            let message = format!("`{}` is a scripted flow, not a run", scenario.id);
            return Err(refuse(message));
        };
        let planned = plan_run(cluster, run, &scenario.origin)?;
        Ok(RunFile {
            scenario: scenario.id.to_string(),
            cluster: planned.cluster,
            steps: planned.steps,
            seed: options.seed.unwrap_or(cluster.seed),
            limits: options.limits.clone(),
            storm: None,
        })
    }

    /// The file's text.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a run file has only string keys")
    }

    /// Reads a file's text; the message says what is wrong with it.
    pub fn from_json(text: &str) -> Result<RunFile, String> {
        let parsed: Result<RunFile, serde_json::Error> = serde_json::from_str(text);
        let plan = parsed.as_ref().ok().map(|file| &file.cluster);
        for list in [List::Nemesis, List::Operations] {
            check_list(text, list, plan).map_err(|mistake| mistake.to_string())?;
        }
        parsed.map_err(|error| error.to_string())
    }
}
