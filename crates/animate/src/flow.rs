//! A scripted flow as a trace, so that it plays on the same stage as an executed run.

use topomotion_model::Flow;
use topomotion_trace::Trace;

use crate::Pace;

/// The flow as a trace, with times at which it can be followed.
pub fn to_trace(flow: &Flow, pace: &Pace) -> Trace {
    let _ = (flow, pace);
    Trace::default()
}
