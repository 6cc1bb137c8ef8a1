//! The trace itself: moments, and what happened at each.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Loss, Packet, PacketId, StateChange};

/// Engine time in microseconds since the scenario's start.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
)]
#[serde(transparent)]
pub struct Time(pub u64);

/// Everything that happened in one scenario, in order of time; what happened at the same
/// time stands in the order of cause and effect.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Trace {
    /// What happened.
    pub events: Vec<Event>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Time,
    /// What.
    pub what: What,
}

/// The kinds of things that happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The cluster has been set up and is at rest: what came before is preparation, and the
    /// story begins here. At most once.
    Curtain,
    /// A step of the scenario begins. `index` counts the scenario's steps from 0.
    Step {
        /// Which step.
        index: usize,
        /// The step in words, such as `order-producer sends "order-123" to orders, acks=all`.
        text: String,
        /// The author's own caption for it.
        caption: Option<String>,
    },
    /// A message left its sender.
    Sent(Packet),
    /// A message reached its receiver.
    Arrived(PacketId),
    /// A message never will.
    Lost(PacketId, Loss),
    /// A connection opened; `from` dialled.
    Opened {
        /// Who dialled.
        from: Arc<str>,
        /// Who was dialled.
        to: Arc<str>,
    },
    /// A connection broke or was closed.
    Closed {
        /// Who had dialled.
        from: Arc<str>,
        /// Who had been dialled.
        to: Arc<str>,
    },
    /// A rule acted.
    Mark {
        /// At whom.
        process: Arc<str>,
        /// The rule's id, such as `REP-2`.
        rule: Arc<str>,
        /// About which partition, such as `orders-0`.
        partition: Option<Arc<str>>,
    },
    /// A client or a log did something inside that no message shows.
    Deed {
        /// Whose process.
        process: Arc<str>,
        /// About which partition, such as `orders-0`.
        partition: Option<Arc<str>>,
        /// What, in words that follow the names.
        text: Arc<str>,
        /// How it is meant.
        tone: Tone,
    },
    /// Something became true.
    State(StateChange),
    /// The world was hurt or healed.
    Fault(Fault),
    /// Words at a process.
    Say {
        /// At whom; `None` speaks for the whole picture.
        process: Option<Arc<str>>,
        /// Set off before the text.
        label: Option<String>,
        /// The words.
        text: String,
        /// How they are meant.
        tone: Tone,
    },
    /// A glow at a process.
    Flash {
        /// At whom.
        process: Arc<str>,
    },
    /// An expectation was judged.
    Verdict {
        /// Which step demanded it.
        step: usize,
        /// The demand, as the script wrote it.
        demand: String,
        /// Why it does not hold; `None` if it holds.
        failure: Option<String>,
    },
}

/// How words are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    /// Told.
    Plain,
    /// Something went wrong.
    Error,
}

/// What the world did to a process or to the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The process died.
    Crash {
        /// Which.
        process: Arc<str>,
    },
    /// The process was started again.
    Restart {
        /// Which.
        process: Arc<str>,
    },
    /// The process stands still.
    Pause {
        /// Which.
        process: Arc<str>,
    },
    /// The process goes on.
    Resume {
        /// Which.
        process: Arc<str>,
    },
    /// No message passes between the two sides.
    Partition {
        /// One side.
        left: Vec<Arc<str>>,
        /// The other.
        right: Vec<Arc<str>>,
    },
    /// What one side sends to the other passes in another way from now on.
    Way {
        /// Who sends.
        from: Vec<Arc<str>>,
        /// Who receives.
        to: Vec<Arc<str>>,
        /// How it passes.
        flow: Flow,
    },
    /// Messages pass everywhere again.
    Heal,
}

/// How messages pass on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// As ever.
    Free,
    /// Not at all.
    Lost,
    /// Later: they are kept back until the way is free.
    KeptBack,
    /// Each takes so many milliseconds longer.
    Slower(u64),
    /// Only so many bytes pass in a second.
    Narrow(u64),
}
