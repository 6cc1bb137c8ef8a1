//! Groups and transactions as the picture knows them: who owns what, and who coordinates.

use std::collections::BTreeMap;

use topomotion_trace::{GroupState, StateChange, TransactionState};

use crate::ledger::Touch;

/// A group as its coordinator last saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    /// Whose view.
    pub coordinator: String,
    /// State.
    pub state: GroupState,
    /// Generation, or group epoch.
    pub generation: i32,
    /// How many members.
    pub members: usize,
}

/// A member as it sees itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Member {
    /// Of which group.
    pub group: String,
    /// Generation, or member epoch.
    pub generation: i32,
    /// The partitions that it owns.
    pub owned: Vec<String>,
}

/// A transaction as its coordinator last saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transaction {
    /// Whose view.
    pub coordinator: String,
    /// State.
    pub state: TransactionState,
}

/// Who a producer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Identity {
    /// Producer id and epoch.
    pub id: Option<(i64, i16)>,
    /// Whether a transaction of it is open.
    pub open: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    groups: BTreeMap<String, Group>,
    members: BTreeMap<String, Member>,
    /// By group, then by partition.
    committed: BTreeMap<(String, String), i64>,
    transactions: BTreeMap<String, Transaction>,
    identities: BTreeMap<String, Identity>,
}

impl Groups {
    pub fn group(&self, group: &str) -> Option<&Group> {
        self.groups.get(group)
    }

    /// The groups that a process coordinates.
    pub fn coordinated(&self, process: &str) -> Vec<(&str, &Group)> {
        let own = self.groups.iter().filter(|(_, group)| group.coordinator == process);
        let alive = own.filter(|(_, group)| group.state != GroupState::Dead);
        alive.map(|(name, group)| (name.as_str(), group)).collect()
    }

    /// The transactions that a process coordinates and that are not over.
    pub fn open_transactions(&self, process: &str) -> Vec<(&str, &Transaction)> {
        let own = self.transactions.iter().filter(|(_, it)| it.coordinator == process);
        let open = own.filter(|(_, it)| !is_over(it.state));
        open.map(|(id, it)| (id.as_str(), it)).collect()
    }

    pub fn transaction(&self, id: &str) -> Option<&Transaction> {
        self.transactions.get(id)
    }

    pub fn member(&self, process: &str) -> Option<&Member> {
        self.members.get(process)
    }

    pub fn identity(&self, process: &str) -> Identity {
        self.identities.get(process).copied().unwrap_or_default()
    }

    /// What the group of a process has committed of a partition.
    pub fn committed(&self, process: &str, partition: &str) -> Option<i64> {
        let group = &self.members.get(process)?.group;
        self.committed.get(&(group.clone(), partition.to_owned())).copied()
    }

    /// A process that is down owns nothing and has no open transaction that it knows of.
    pub fn is_down(&mut self, process: &str) {
        if let Some(member) = self.members.get_mut(process) {
            (member.owned, member.generation) = (Vec::new(), -1);
        }
        self.identities.remove(process);
    }

    pub fn apply(&mut self, change: &StateChange) -> Vec<Touch> {
        use StateChange as S;
        match change {
            S::Group { coordinator, group, state, generation, members, .. } => {
                let seen = Group {
                    coordinator: coordinator.to_string(),
                    state: *state,
                    generation: *generation,
                    members: members.len(),
                };
                let before = self.groups.insert(group.to_string(), seen);
                let before = before.map(|before| Touch::Node(before.coordinator));
                [Touch::Node(coordinator.to_string())].into_iter().chain(before).collect()
            }
            S::Member { process, group, generation, owned, .. } => {
                let member = Member {
                    group: group.to_string(),
                    generation: *generation,
                    owned: owned.iter().map(ToString::to_string).collect(),
                };
                self.members.insert(process.to_string(), member);
                vec![Touch::Client(process.to_string())]
            }
            S::OffsetCommitted { group, partition, offset, .. } => {
                let key = (group.to_string(), partition.to_string());
                match offset {
                    Some(offset) => self.committed.insert(key, *offset),
                    None => self.committed.remove(&key),
                };
                let of = self.members.iter().filter(|(_, it)| *it.group == **group);
                of.map(|(process, _)| Touch::Client(process.clone())).collect()
            }
            S::Transaction { coordinator, id, state, .. } => {
                let coordinator = coordinator.to_string();
                let seen =
                    Transaction { coordinator: coordinator.clone(), state: *state };
                let before = self.transactions.insert(id.to_string(), seen);
                let before = before.map(|before| Touch::Node(before.coordinator));
                [Touch::Node(coordinator)].into_iter().chain(before).collect()
            }
            S::TransactionStep { process, step, .. } => {
                let identity = self.identities.entry(process.to_string()).or_default();
                use topomotion_trace::TransactionStep as Step;
                identity.open = match step {
                    Step::Begun | Step::Committing | Step::Aborting | Step::Abortable => {
                        true
                    }
                    Step::Committed | Step::Aborted | Step::Fenced | Step::Unknown => {
                        false
                    }
                };
                vec![Touch::Client(process.to_string())]
            }
            S::ProducerIdentified { process, producer, epoch, .. } => {
                let identity = self.identities.entry(process.to_string()).or_default();
                identity.id = Some((*producer, *epoch));
                vec![Touch::Client(process.to_string())]
            }
            _ => Vec::new(),
        }
    }
}

/// Whether nothing of a transaction is left to be done.
pub(crate) fn is_over(state: TransactionState) -> bool {
    match state {
        TransactionState::Empty
        | TransactionState::CompleteCommit
        | TransactionState::CompleteAbort
        | TransactionState::Dead => true,
        TransactionState::Ongoing
        | TransactionState::PrepareCommit
        | TransactionState::PrepareAbort
        | TransactionState::PrepareEpochFence => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use topomotion_trace::Ownership;

    #[test]
    fn a_member_owns_what_it_said_last_until_it_is_down() {
        let mut groups = Groups::default();
        let member = |owned: &[&str]| StateChange::Member {
            process: "flink-1".into(),
            group: "flink".into(),
            generation: 1,
            change: Ownership::Assigned,
            partitions: Vec::new(),
            owned: owned.iter().map(|name| (*name).into()).collect(),
        };
        groups.apply(&member(&["orders-0", "orders-1"]));
        let touched = groups.apply(&member(&["orders-1"]));
        assert_eq!(touched, [Touch::Client("flink-1".to_owned())]);
        assert_eq!(groups.member("flink-1").map(|it| it.owned.len()), Some(1));
        groups.is_down("flink-1");
        assert_eq!(groups.member("flink-1").map(|it| it.owned.len()), Some(0));
    }

    #[test]
    fn a_new_coordinator_takes_the_badge_from_the_old_one() {
        let mut groups = Groups::default();
        let seen = |coordinator: &str| StateChange::Group {
            coordinator: coordinator.into(),
            group: "flink".into(),
            state: GroupState::Stable,
            generation: 3,
            leader: None,
            protocol: None,
            members: Vec::new(),
        };
        groups.apply(&seen("broker-1"));
        let touched = groups.apply(&seen("broker-2"));
        let node = |name: &str| Touch::Node(name.to_owned());
        assert_eq!(touched, [node("broker-2"), node("broker-1")]);
        assert!(groups.coordinated("broker-1").is_empty());
        assert_eq!(groups.coordinated("broker-2").len(), 1);
    }
}
