//! Numbers that captions ask for, as an operator's dashboard shows them: `{under-replicated}`,
//! `{lag(flink-cg, orders)}`, `{latency}`.
//!
//! Whatever a condition can compare, a caption can show; `{latency}` is how long the latest
//! produce step waited for its answer, in ms. What asks for nothing known stays as it is.

use topomotion_model::{Condition, ProcessId};

use super::stage::Stage;
use super::who;

/// The text with every known number in it.
pub(super) fn fill(
    stage: &mut Stage<'_>,
    last: Option<&ProcessId>,
    latency_ms: Option<u64>,
    text: &str,
) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let answer = after.split_once('}').and_then(|(asked, after)| {
            Some((gauge(stage, last, latency_ms, asked)?, after))
        });
        let Some((answer, after)) = answer else {
            filled.push('{');
            rest = after;
            continue;
        };
        filled.push_str(&answer);
        rest = after;
    }
    filled + rest
}

/// The number; `?` where it is not known at the moment, nothing where there is none such.
fn gauge(
    stage: &mut Stage<'_>,
    last: Option<&ProcessId>,
    latency_ms: Option<u64>,
    asked: &str,
) -> Option<String> {
    let unknown = || "?".to_owned();
    if asked == "latency" {
        return Some(latency_ms.map_or_else(unknown, |ms| ms.to_string()));
    }
    let condition = Condition::parse(&format!("{asked} == 0")).ok()?;
    // Whatever must be looked at first is looked at as for a verdict.
    let _ = who::judge(stage, last, &condition);
    let found = match &condition {
        Condition::Count { of, .. } => stage.observer.count(of),
        Condition::Number { term, partition, replica, .. } => {
            stage.observer.number(*term, partition, replica.as_ref())
        }
        _ => return None,
    };
    Some(found.map_or_else(|_| unknown(), |number| number.to_string()))
}
