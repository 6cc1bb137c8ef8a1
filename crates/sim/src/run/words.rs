//! Steps in words.

use topomotion_model::{Acks, ProcessId};

use crate::Action;

/// A step in words.
pub(super) fn words(action: &Action) -> String {
    match action {
        Action::Produce { producer, topic, key, partition, acks, count, .. } => {
            let what = match (key, count) {
                (Some(key), 1) => format!("\"{key}\""),
                (Some(key), count) => format!("{count} × \"{key}\""),
                (None, 1) => "a record".to_owned(),
                (None, count) => format!("{count} records"),
            };
            let place = match partition {
                Some(partition) => format!("{topic}-{partition}"),
                None => topic.clone(),
            };
            let acks = match acks {
                Some(Acks::None) => ", acks=0",
                Some(Acks::Leader) => ", acks=1",
                Some(Acks::All) => ", acks=all",
                None => "",
            };
            format!("{producer} sends {what} to {place}{acks}")
        }
        Action::Fault { what } => what.clone(),
        Action::Shutdown { process } => format!("{process} shuts down in good order"),
        Action::Admin { what } => format!("admin: {what}"),
        Action::Client { process, what } => format!("{process}: {what}"),
        Action::Start { process } => format!("{process} starts"),
        Action::Crash { process } => format!("{process} crashes"),
        Action::Restart { process } => format!("{process} starts again"),
        Action::Pause { process } => format!("{process} stands still"),
        Action::Resume { process } => format!("{process} goes on"),
        Action::Partition { left, right } => {
            format!("the network is cut: {{{}}} | {{{}}}", names(left), names(right))
        }
        Action::Heal => "the network heals".to_owned(),
        Action::Wait { ms } => format!("{ms} ms pass"),
        Action::WaitUntil { condition, .. } => format!("wait until {condition}"),
        Action::Expect { condition } => format!("expect {condition}"),
        Action::Say { text } => text.clone(),
    }
}

fn names(processes: &[ProcessId]) -> String {
    let names: Vec<&str> = processes.iter().map(ProcessId::as_str).collect();
    names.join(", ")
}
