//! Storms: a cluster under load and under attack, then healed.
//!
//! What hurts it (the nemesis) and what clients do are explicit lists, line by line, which
//! [`draw`](draw::draw) makes up from a seed and anybody may edit. Taking a line out changes
//! nothing else: the world, the clients and the nemesis draw from streams of their own. That
//! is what makes a failing storm shrinkable.

mod clients;
pub mod draw;
pub mod operation;
mod people;
pub mod place;
mod rare;
pub mod strike;

use serde::{Deserialize, Serialize};
use topomotion_model::ProcessId;
use topomotion_wire::Duration;

use crate::ClusterPlan;
use crate::world::Physics;
use operation::Operation;
use strike::Strike;

/// A run under a nemesis. Times are engine time since the cluster stood ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storm {
    /// How fast the world is in fair weather.
    #[serde(default)]
    pub world: Weather,
    /// When it ends: the network is mended and everybody is started again, in ms.
    pub until_ms: u64,
    /// Who stays dead afterwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_dead: Vec<ProcessId>,
    /// What hurts the cluster, in order of time.
    pub nemesis: Vec<Strike>,
    /// What clients do, in order of time.
    pub operations: Vec<Operation>,
}

/// Delays in fair weather, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Weather {
    /// One way of one message.
    pub latency_us: u64,
    /// Up to so much is added.
    pub jitter_us: u64,
    /// How long a flush takes.
    pub flush_us: u64,
}

impl Default for Weather {
    fn default() -> Weather {
        let physics = Physics::default();
        Weather {
            latency_us: physics.latency.0,
            jitter_us: physics.jitter.0,
            flush_us: physics.flush.0,
        }
    }
}

impl Weather {
    pub(crate) fn physics(self) -> Physics {
        Physics {
            latency: Duration(self.latency_us),
            jitter: Duration(self.jitter_us),
            flush: Duration(self.flush_us),
        }
    }
}

/// A line of a list that cannot be what is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    /// Characters before the mistake, in the line's own text.
    pub column: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

/// One of the two lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// What hurts.
    Nemesis,
    /// What clients do.
    Operations,
}

impl List {
    /// The key in the run file.
    pub const fn key(self) -> &'static str {
        match self {
            List::Nemesis => "nemesis",
            List::Operations => "operations",
        }
    }

    /// Reads one line of this list and checks it against the cluster, if that is known, and
    /// against the time of the line before it.
    fn check(
        self,
        line: &str,
        plan: Option<&ClusterPlan>,
        after_ms: u64,
    ) -> Result<u64, Misread> {
        let at_ms = match self {
            List::Nemesis => {
                let strike: Strike = line.parse()?;
                plan.map_or(Ok(()), |plan| strike.check(line, plan))?;
                strike.at_ms
            }
            List::Operations => {
                let operation: Operation = line.parse()?;
                plan.map_or(Ok(()), |plan| operation.check(line, plan))?;
                operation.at_ms
            }
        };
        if at_ms < after_ms {
            let message = format!(
                "the line before is at {}, this one must not be earlier",
                clock(after_ms)
            );
            return Err(Misread { column: 0, message });
        }
        Ok(at_ms)
    }
}

/// A time as the lists write it: seconds with three decimals.
pub(crate) fn clock(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

/// The words of a line, each with the characters before it.
pub(crate) fn words(line: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut start = None;
    let end = line.chars().count();
    let mut bytes = 0;
    for (column, letter) in line.chars().chain([' ']).enumerate() {
        match (letter.is_whitespace(), start) {
            (false, None) => start = Some((column, bytes)),
            (true, Some((from, byte))) => {
                found.push((from, &line[byte..bytes.min(line.len())]));
                start = None;
            }
            _ => {}
        }
        bytes += if column < end { letter.len_utf8() } else { 0 };
    }
    found
}

/// Reads a time such as `12.034`.
pub(crate) fn read_clock((column, word): (usize, &str)) -> Result<u64, Misread> {
    let wrong = || Misread {
        column,
        message: format!("`{word}` is no time: write seconds, such as 12.034"),
    };
    let (seconds, millis) = word.split_once('.').unwrap_or((word, "0"));
    if millis.is_empty() || millis.len() > 3 {
        return Err(wrong());
    }
    let digits = |text: &str| text.parse::<u64>().map_err(|_| wrong());
    let millis = digits(millis)? * 10_u64.pow(3 - millis.len() as u32);
    let whole = digits(seconds)?.checked_mul(1_000).ok_or_else(wrong)?;
    whole.checked_add(millis).ok_or_else(wrong)
}

#[cfg(test)]
mod tests;
