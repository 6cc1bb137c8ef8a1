//! Groups and transactions in plain words.

use topomotion_trace::{
    GroupState, Ownership, StateChange, Tone, TransactionState, TransactionStep,
};

use super::list;
use crate::words::{Said, Teller, Weight};

impl Teller<'_> {
    /// What became true of a group or of a transaction.
    pub(super) fn coordinated(&self, change: &StateChange) -> Option<Said> {
        use StateChange as S;
        match change {
            S::Group { coordinator, group, state, generation, members, .. } => {
                let text =
                    self.group(coordinator, group, (*state, *generation), members.len())?;
                Some((Weight::Key, Tone::Plain, text))
            }
            S::Member { process, change, partitions, .. } => {
                self.member(process, *change, partitions)
            }
            S::OffsetCommitted { group, partition, offset, .. } => {
                let text = match offset {
                    Some(offset) => {
                        format!("{group} has committed offset {offset} of {partition}.")
                    }
                    None => format!("What {group} had committed of {partition} is gone."),
                };
                Some((Weight::Detail, Tone::Plain, text))
            }
            S::CommitAnswered { process, error, .. } => {
                let who = self.stage.name(process);
                let error = error.as_ref()?;
                let text = format!("The commit of {who} is refused: {error}.");
                Some((Weight::Key, Tone::Error, text))
            }
            S::Transaction { coordinator, id, state, epoch, .. } => {
                let text = self.transaction(coordinator, id, *state, *epoch)?;
                Some((Weight::Key, Tone::Plain, text))
            }
            S::TransactionStep { process, step, .. } => {
                let who = self.stage.name(process);
                let (weight, tone) = match step {
                    TransactionStep::Fenced => (Weight::Key, Tone::Error),
                    TransactionStep::Abortable | TransactionStep::Unknown => {
                        (Weight::Turn, Tone::Error)
                    }
                    _ => (Weight::Turn, Tone::Plain),
                };
                Some((weight, tone, format!("{who}: the transaction {step}.")))
            }
            S::ProducerIdentified { process, producer, epoch, .. } => {
                let who = self.stage.name(process);
                let text = format!("{who} is producer {producer} in epoch {epoch}.");
                Some((Weight::Turn, Tone::Plain, text))
            }
            S::LastStable { process, partition, offset } => {
                let who = self.stage.name(process);
                let text = format!(
                    "{who}: readers of committed records see {partition} up to {offset}."
                );
                Some((Weight::Detail, Tone::Plain, text))
            }
            _ => None,
        }
    }

    fn group(
        &self,
        coordinator: &str,
        group: &str,
        (state, generation): (GroupState, i32),
        members: usize,
    ) -> Option<String> {
        let before = self.ledger.groups().group(group);
        let who = self.stage.name(coordinator);
        if before.is_some_and(|it| it.coordinator != coordinator) {
            return Some(format!(
                "{who} coordinates {group} now, and knows of generation {generation}."
            ));
        }
        if before.is_some_and(|it| it.state == state && it.generation == generation) {
            return None;
        }
        let members = match members {
            1 => "1 member".to_owned(),
            members => format!("{members} members"),
        };
        Some(match state {
            GroupState::Empty => format!("{group} has no members."),
            GroupState::PreparingRebalance => {
                format!("{who} asks all members of {group} to join again.")
            }
            GroupState::CompletingRebalance => format!(
                "Generation {generation} of {group} has {members}; its leader divides."
            ),
            GroupState::Stable => {
                format!("{group} is stable: generation {generation}, {members}.")
            }
            GroupState::Assigning => {
                format!("{who} divides anew for {group}: epoch {generation}.")
            }
            GroupState::Reconciling => format!(
                "{group} moves to epoch {generation}, each member at its own pace."
            ),
            GroupState::Dead => format!("{group} is gone."),
        })
    }

    fn member(
        &self,
        process: &str,
        change: Ownership,
        partitions: &[std::sync::Arc<str>],
    ) -> Option<Said> {
        if partitions.is_empty() {
            return None;
        }
        let who = self.stage.name(process);
        let names = list(partitions.iter().map(ToString::to_string).collect());
        Some(match change {
            Ownership::Assigned => {
                (Weight::Key, Tone::Plain, format!("{who} is given {names}."))
            }
            Ownership::Revoked => {
                (Weight::Key, Tone::Plain, format!("{who} gives up {names}."))
            }
            Ownership::Lost => (
                Weight::Key,
                Tone::Error,
                format!("{who} learns that {names} were taken from it."),
            ),
        })
    }

    fn transaction(
        &self,
        coordinator: &str,
        id: &str,
        state: TransactionState,
        epoch: i16,
    ) -> Option<String> {
        let before = self.ledger.groups().transaction(id);
        if before.is_some_and(|it| it.state == state) {
            return None;
        }
        let who = self.stage.name(coordinator);
        Some(match state {
            TransactionState::Empty => format!("{who} knows {id}, epoch {epoch}."),
            TransactionState::Ongoing => format!("The transaction of {id} is open."),
            TransactionState::PrepareCommit => format!(
                "{who} has written down: {id} commits. Only the markers are missing."
            ),
            TransactionState::PrepareAbort => format!(
                "{who} has written down: {id} aborts. Only the markers are missing."
            ),
            TransactionState::CompleteCommit => {
                format!("Every marker is written: {id} is committed.")
            }
            TransactionState::CompleteAbort => {
                format!("Every marker is written: {id} is aborted.")
            }
            TransactionState::PrepareEpochFence => {
                format!("{who} fences the owner of {id}: its epoch is over.")
            }
            TransactionState::Dead => format!("{who} forgets {id}."),
        })
    }
}
