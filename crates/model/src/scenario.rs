//! What happens: flows written out by the author, and runs executed by the engine.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Condition, EdgeId, Origin, ProcessId, ProcessState, ScenarioId};

/// One chapter of the film.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Unique; names the output in `-o 'x-{scenario}.svg'`.
    pub id: ScenarioId,
    /// Shown above the picture.
    pub title: String,
    /// A sentence or two.
    pub description: Option<String>,
    /// Shown only with this layer.
    pub layer: Option<String>,
    /// What is played.
    pub play: Play,
    /// Where the script said so.
    pub origin: Origin,
}

/// How a scenario comes about.
#[derive(Debug, Clone, PartialEq)]
pub enum Play {
    /// The author wrote every hop.
    Flow(Flow),
    /// The engine runs, and what it sends is shown.
    Run(Run),
}

/// A scripted flow (`FlowBuilder`).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Flow {
    /// In order; each begins when the one before has ended.
    pub steps: Vec<FlowStep>,
}

/// One step of a flow.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowStep {
    /// What happens.
    pub kind: FlowStepKind,
    /// Where the script said so.
    pub origin: Origin,
}

/// What can happen in a flow. Cursors are already resolved.
#[derive(Debug, Clone, PartialEq)]
pub enum FlowStepKind {
    /// `from(id)`: shows where the next packets start; nothing travels.
    Start(ProcessId),
    /// One packet (`to`), or several at the same time (`parallel`).
    Hops(Vec<Hop>),
    /// `showMessage`: text at a process, held until it can be read.
    Message {
        /// At whom.
        at: ProcessId,
        /// The `[LABEL]` prefix, without its brackets.
        label: Option<String>,
        /// The rest.
        text: String,
    },
    /// `showError`: the same in red, with a glow on the process.
    Error {
        /// At whom.
        at: ProcessId,
        /// The `[LABEL]` prefix, without its brackets.
        label: Option<String>,
        /// The rest.
        text: String,
    },
    /// `flashError`: a glow that nothing waits for.
    Flash(ProcessId),
    /// `setState`: from here on.
    SetState(ProcessId, ProcessState),
    /// `wait`, `delay`: a pause, in ms.
    Wait(u32),
}

/// One packet along one edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Who sends.
    pub from: ProcessId,
    /// Who receives.
    pub to: ProcessId,
    /// Along which edge.
    pub edge: EdgeId,
    /// Which way along it.
    pub heading: Heading,
}

/// Which way along an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heading {
    /// From the dialling end.
    Forward,
    /// From the dialled end.
    Backward,
}

/// A scenario that the engine executes (`ScenarioBuilder`).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Run {
    /// In order.
    pub steps: Vec<Step>,
    /// Settings for this run alone, under Kafka's own names, laid over those of every node
    /// and topic; with `producer.` or `consumer.` before the name, over every client's.
    pub settings: BTreeMap<String, String>,
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What is done or demanded.
    pub kind: StepKind,
    /// The author's own words for the caption.
    pub caption: Option<String>,
    /// Where the script said so; parts named after the arguments (`node`, `topic`, `condition`, …).
    pub origin: Origin,
}

/// What a run can do or demand.
#[derive(Debug, Clone, PartialEq)]
pub enum StepKind {
    /// A producer sends records; the run goes on once all are answered or given up, if it
    /// waits for that.
    Produce {
        /// Who sends.
        producer: ProcessId,
        /// Where to; `None` means the producer's only topic.
        topic: Option<String>,
        /// Record key.
        key: Option<String>,
        /// Record value; `None` means a numbered one.
        value: Option<String>,
        /// Partition, where the key shall not decide.
        partition: Option<u32>,
        /// Acknowledgements, where the producer's own setting shall not decide.
        acks: Option<Acks>,
        /// How many records.
        count: u32,
        /// What the run waits for.
        awaits: Awaits,
    },
    /// Any fault, in the words of a storm's list without the time:
    /// `cut broker-1 > broker-2,broker-3`, `slow a > b by 250 ms`.
    Fault(String),
    /// The process stops in good order, and the run goes on when it has: a broker gives its
    /// leaderships away, an active controller names a successor.
    Shutdown(ProcessId),
    /// Something for the admin client to ask, and the run goes on when it is answered:
    /// `grow orders to 6`, `elect preferred orders-0`.
    Admin(String),
    /// Something for a client to do: `seek orders-0 to earliest`.
    Client(ProcessId, String),
    /// A process that is down starts. A client that a run starts before anything else
    /// happens to it is not there when the run begins.
    Start(ProcessId),
    /// The process dies at once; its disk stays.
    Crash(ProcessId),
    /// It starts again on its disk.
    Restart(ProcessId),
    /// It stands still (a long garbage collection): timers and inputs wait.
    Pause(ProcessId),
    /// It goes on.
    Resume(ProcessId),
    /// No message passes between the two sides.
    Partition(Vec<ProcessId>, Vec<ProcessId>),
    /// Every partition ends and every paused process goes on. Crashed ones stay down.
    Heal,
    /// Engine time passes, in ms.
    Wait(u64),
    /// Engine time passes until this holds.
    WaitUntil {
        /// What.
        condition: Condition,
        /// Give up after this many ms of engine time.
        timeout_ms: u64,
    },
    /// This must hold now.
    Expect(Condition),
    /// A caption of the author's own.
    Say(String),
}

/// Acknowledgements that a producer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Acks {
    /// `acks=0`.
    #[serde(rename = "0")]
    None,
    /// `acks=1`.
    #[serde(rename = "1")]
    Leader,
    /// `acks=all`.
    #[serde(rename = "all")]
    All,
}

/// What the run waits for after a `produce` step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Awaits {
    /// Until every record is answered or given up.
    #[default]
    Answers,
    /// For nothing: what becomes of the records, the next steps show.
    Nothing,
}
