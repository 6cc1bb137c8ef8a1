//! R16: whoever a leader proposes for its ISR has everything up to the high watermark, and
//! whoever comes into it is still the process that the leader saw.

use std::collections::BTreeMap;

use topomotion_sim::Sight;
use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name, registration_of};

/// The newest epochs of the members of an ISR, as somebody asked for them.
type Seen = BTreeMap<Name, i64>;

#[derive(Debug, Default)]
pub(crate) struct Expansion {
    /// What each leader asked for last, of each partition.
    asked: BTreeMap<(Name, Name), Seen>,
    /// The incarnation of each broker.
    registered: BTreeMap<Name, i64>,
    /// The leader and the ISR of each partition, as committed.
    committed: BTreeMap<Name, (Option<Name>, Vec<Name>)>,
}

impl Expansion {
    fn proposed(
        model: &Model,
        (process, partition): (&Name, &Name),
        newcomers: &[Name],
        bench: &mut Bench<'_>,
    ) {
        let Some(committed) = model.registrations.get(partition) else { return };
        let Some(leader) = model.replica(process, partition) else { return };
        // Whoever leads in an epoch that is over may know nothing of a follower that went, and
        // came back with nothing: the controller refuses it.
        if leader.role.as_ref().is_some_and(|(_, epoch)| *epoch < committed.leader_epoch)
        {
            return;
        }
        let needed = leader.high_watermark;
        for member in newcomers {
            let replica = model.replica(member, partition);
            if replica.is_some_and(|replica| !replica.is_sound) {
                continue;
            }
            let end = model.end_of(replica, partition);
            bench.demand("R16", end >= needed, || {
                format!(
                    "{process} proposed {member} for the ISR of {partition}, which has \
                     only {end} of {needed}"
                )
            });
        }
    }

    fn same_incarnation(
        &mut self,
        partition: &Name,
        (leader, isr): (Option<&Name>, &[Name]),
        bench: &mut Bench<'_>,
    ) {
        let now = (leader.cloned(), isr.to_vec());
        let before = self.committed.insert(partition.clone(), now);
        // Whoever led asked for it, even where a reassignment ends with it and another leads.
        let Some((Some(proposer), before)) = before else { return };
        // An election outside the ISR is nobody's proposal.
        if leader != Some(&proposer) && isr.len() == 1 {
            return;
        }
        let asked = self.asked.get(&(proposer, partition.clone()));
        for member in isr.iter().filter(|member| !before.contains(member)) {
            let seen = asked.and_then(|asked| asked.get(member)).copied();
            let known = self.registered.get(member).copied();
            // A leader that never saw one says so, and is believed.
            let same =
                seen.is_none_or(|seen| seen < 0 || known.is_none_or(|it| it == seen));
            bench.demand("R16", same, || {
                format!(
                    "{member} came into the ISR of {partition} as broker epoch {}; it is \
                     {} by now",
                    seen.unwrap_or(-1),
                    known.unwrap_or(-1)
                )
            });
        }
    }
}

impl Checker for Expansion {
    fn see(&mut self, _model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        if let StateChange::IsrProposed { process, partition, .. } = change {
            // What was asked before is asked no more. A leader that is the controller itself
            // asks without a message.
            self.asked.remove(&(process.clone(), partition.clone()));
        }
        if let Some((partition, now)) = registration_of(change) {
            let isr = (now.leader.as_ref(), &now.isr[..]);
            self.same_incarnation(&partition, isr, bench);
        }
    }

    fn witness(&mut self, model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        match sight {
            Sight::Proposes { process, partition, newcomers } => {
                Self::proposed(model, (process, partition), newcomers, bench);
            }
            Sight::IsrAsked { leader, partition, members } => {
                let place = (leader.clone(), partition.clone());
                self.asked.insert(place, members.iter().cloned().collect());
            }
            // What it asked for in its last life it does not ask for now.
            Sight::Started(process) => self.asked.retain(|(by, _), _| by != process),
            Sight::Registered { broker, epoch } => {
                self.registered.insert(broker.clone(), *epoch);
            }
            _ => {}
        }
    }
}
