//! R5 and K18: nobody fenced is in an ISR or leads, but for the last member of an ISR that
//! nobody leads (CTL-7).

use std::collections::BTreeSet;

use topomotion_trace::{BrokerLiveness, StateChange};

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name};

#[derive(Debug, Default)]
pub(crate) struct Fenced {
    fenced: BTreeSet<Name>,
    /// Whether anything has changed that it depends on.
    stirred: bool,
}

impl Checker for Fenced {
    fn see(&mut self, _model: &Model, change: &StateChange, _bench: &mut Bench<'_>) {
        match change {
            StateChange::Broker { broker, liveness, .. } => {
                match liveness {
                    BrokerLiveness::Fenced => _ = self.fenced.insert(broker.clone()),
                    BrokerLiveness::Unfenced | BrokerLiveness::ControlledShutdown => {
                        self.fenced.remove(broker);
                    }
                }
                self.stirred = true;
            }
            StateChange::Registration { .. } => self.stirred = true,
            _ => {}
        }
    }

    fn settle(&mut self, model: &Model, bench: &mut Bench<'_>) {
        if !std::mem::take(&mut self.stirred) {
            return;
        }
        for (partition, registration) in &model.registrations {
            let last = registration.isr.len() == 1 && registration.leader.is_none();
            for member in registration.isr.iter().filter(|_| !last) {
                bench.demand("R5", !self.fenced.contains(member), || {
                    format!("{member} is fenced and in the ISR of {partition}")
                });
            }
            if let Some(leader) = &registration.leader {
                bench.demand("K18", !self.fenced.contains(leader), || {
                    format!("{leader} is fenced and leads {partition}")
                });
            }
        }
    }
}
