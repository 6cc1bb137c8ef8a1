//! M8: a static member that is away for less than its session timeout stays in its group.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_sim::{ClusterPlan, Sight};
use topomotion_trace::{Fault, ProcessState, StateChange, Time};

use super::Checker;
use super::t1_transitions::home_in;
use crate::court::Bench;
use crate::model::{Model, Name};

/// So long before it stopped a member may have been heard last, and so long after it has left
/// it may go on running, in µs.
const SLACK: u64 = 4_000_000;

#[derive(Debug, Default)]
pub(crate) struct Static {
    /// Session timeouts in µs, of consumers with a `group.instance.id`.
    sessions: BTreeMap<Name, u64>,
    /// Static members of each group.
    members: BTreeMap<Name, BTreeSet<Name>>,
    /// Since when a process is down.
    down: BTreeMap<Name, u64>,
    /// When a member was missing that ran.
    missing: BTreeMap<Name, u64>,
}

impl Static {
    pub fn new(plan: Option<&ClusterPlan>) -> Static {
        let consumers = plan.iter().flat_map(|plan| &plan.consumers);
        let with_instance =
            consumers.filter(|it| it.settings.contains_key("group.instance.id"));
        let sessions = with_instance.map(|it| {
            let set = it.settings.get("session.timeout.ms");
            let timeout = set.and_then(|it| it.parse().ok()).unwrap_or(45_000_u64);
            (it.process.0.clone(), timeout * 1_000)
        });
        Static { sessions: sessions.collect(), ..Static::default() }
    }

    fn stop(&mut self, process: &Name, at: u64, bench: Option<&mut Bench<'_>>) {
        self.down.entry(process.clone()).or_insert(at);
        let missing = self.missing.remove(process);
        if let (Some(bench), Some(missing)) = (bench, missing) {
            bench.demand("M8", at > missing + SLACK, || {
                format!("static member {process} has left its group to be started again")
            });
        }
    }
}

impl Checker for Static {
    fn see(&mut self, model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        match change {
            StateChange::Process { process, state: ProcessState::Stopped } => {
                let at = bench.at().0;
                self.stop(process, at, Some(bench));
            }
            StateChange::Group { coordinator, group, members, .. } => {
                let home = home_in(model, "__consumer_offsets", group);
                if home.is_none_or(|home| model.led_by(coordinator, &home).is_none()) {
                    return;
                }
                let now: BTreeSet<Name> = members
                    .iter()
                    .filter(|it| it.instance.is_some())
                    .map(|it| it.process.clone())
                    .collect();
                let before = self.members.insert(group.clone(), now.clone());
                for gone in before.iter().flatten().filter(|it| !now.contains(*it)) {
                    let Some(session) = self.sessions.get(gone) else { continue };
                    let at = bench.at().0;
                    let Some(down) = self.down.get(gone) else {
                        self.missing.insert(gone.clone(), at);
                        continue;
                    };
                    bench.demand("M8", at + SLACK >= down + session, || {
                        format!(
                            "static member {gone} was taken out of {group} {} ms after it \
                             stopped",
                            (at - down) / 1_000
                        )
                    });
                }
            }
            _ => {}
        }
    }

    fn witness(&mut self, _model: &Model, sight: &Sight, _bench: &mut Bench<'_>) {
        if let Sight::Started(process) = sight {
            self.down.remove(process);
            self.missing.remove(process);
        }
    }

    fn suffer(&mut self, at: Time, fault: &Fault) {
        if let Fault::Crash { process } = fault {
            self.stop(process, at.0, None);
        }
    }
}
