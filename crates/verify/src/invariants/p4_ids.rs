//! P4: a producer id is given once: to one transactional id, or to one producer without any.

use std::collections::BTreeMap;

use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name};

#[derive(Debug, Default)]
pub(crate) struct ProducerIds {
    owners: BTreeMap<i64, Name>,
}

impl ProducerIds {
    fn own(&mut self, producer: i64, owner: Name, bench: &mut Bench<'_>) {
        let first = self.owners.entry(producer).or_insert_with(|| owner.clone());
        bench.demand("P4", *first == owner, || {
            format!("producer id {producer} was given to {first} and to {owner}")
        });
    }
}

impl Checker for ProducerIds {
    fn see(&mut self, _model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        match change {
            StateChange::ProducerIdentified { process, id, producer, .. } => {
                let owner = match id {
                    Some(id) => format!("transaction {id}").into(),
                    None => process.clone(),
                };
                self.own(*producer, owner, bench);
            }
            StateChange::Transaction { id, producer, .. } => {
                self.own(*producer, format!("transaction {id}").into(), bench);
            }
            _ => {}
        }
    }
}
