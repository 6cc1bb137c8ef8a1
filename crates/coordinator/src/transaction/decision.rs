//! What a request leads to: an answer at once, or a record and an answer once it is durable.

use topomotion_wire::{ErrorCode, ProducerId, Rule};

use super::state::Transaction;
use crate::Stamp;

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Decision {
    /// Nothing changes.
    Answer(Result<Stamp, ErrorCode>),
    /// The transaction shall go on to this.
    Write(Step),
}

/// One change of a transaction.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    /// What it becomes.
    pub next: Transaction,
    /// Which rules acted, told when it is durable.
    pub rules: Vec<Rule>,
    /// What is answered when it is durable.
    pub answer: Result<Stamp, ErrorCode>,
}

impl Decision {
    /// Nothing changes, for this reason.
    pub fn refuse(error: ErrorCode) -> Decision {
        Decision::Answer(Err(error))
    }

    /// Goes on to `next`, and says who its producer is.
    pub fn write(next: Transaction, rules: Vec<Rule>) -> Decision {
        let answer = Ok(next.owner());
        Decision::Write(Step { next, rules, answer })
    }
}

impl Transaction {
    /// Who may go on with it: after an end that used the last epoch up, the next id.
    pub fn owner(&self) -> Stamp {
        match self.next_producer {
            Some(producer) => Stamp { producer, epoch: Default::default() },
            None => Stamp { producer: self.producer, epoch: self.epoch },
        }
    }
}

/// Where new producer ids come from (PRD-9).
pub(super) type Claim<'a> = &'a dyn Fn() -> Result<ProducerId, ErrorCode>;
