//! How a run is to be run.

use serde::{Deserialize, Serialize};

/// Seed and limits of one run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunOptions {
    /// Seed of everything random; `None` means the cluster's own.
    pub seed: Option<u64>,
    /// When to stop all the same.
    pub limits: Limits,
}

/// What keeps a run from going on for ever. Times are engine time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Handled events, set-up included.
    pub events: u64,
    /// How long the cluster may take to come up, in ms.
    pub setup_ms: u64,
    /// How long the story may take, in ms.
    pub story_ms: u64,
    /// How long a produce step may take, in ms.
    pub produce_ms: u64,
    /// The story ends when nothing but routine has happened for so long, in ms.
    pub quiet_ms: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            events: 1_000_000,
            setup_ms: 60_000,
            story_ms: 3_600_000,
            produce_ms: 150_000,
            quiet_ms: 1_500,
        }
    }
}
