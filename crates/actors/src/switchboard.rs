//! Several machines in one process: each numbers its connections from zero, and the world
//! must not mistake one for another.

use std::collections::VecDeque;

use topomotion_wire::{ConnectionId, Input, Machine, Output};

/// Which of a process's machines dialled a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(pub u64);

/// More machines than any process has.
const SLOTS: u64 = 8;

impl Slot {
    /// The connection as the world names it.
    fn outside(self, connection: ConnectionId) -> ConnectionId {
        match connection {
            ConnectionId::Dialled(number) => {
                ConnectionId::Dialled(number * SLOTS + self.0)
            }
            accepted @ ConnectionId::Accepted(_) => accepted,
        }
    }

    /// Moves what a machine wants to its process's outputs, as the world must read it.
    pub fn drain(self, machine: &mut impl Machine, into: &mut VecDeque<Output>) {
        while let Some(output) = machine.poll() {
            into.push_back(match output {
                Output::Open { connection, to } => {
                    Output::Open { connection: self.outside(connection), to }
                }
                Output::Send { connection, message } => {
                    Output::Send { connection: self.outside(connection), message }
                }
                Output::Close { connection } => {
                    Output::Close { connection: self.outside(connection) }
                }
                other => other,
            });
        }
    }
}

/// Whose input this is, and as that machine reads it; none for what nobody dialled.
pub(crate) fn addressed(input: Input) -> (Option<Slot>, Input) {
    let owner = |connection: ConnectionId| match connection {
        ConnectionId::Dialled(number) => {
            (Some(Slot(number % SLOTS)), ConnectionId::Dialled(number / SLOTS))
        }
        accepted @ ConnectionId::Accepted(_) => (None, accepted),
    };
    match input {
        Input::Opened { connection } => {
            let (slot, connection) = owner(connection);
            (slot, Input::Opened { connection })
        }
        Input::Closed { connection } => {
            let (slot, connection) = owner(connection);
            (slot, Input::Closed { connection })
        }
        Input::Received { connection, message } => {
            let (slot, connection) = owner(connection);
            (slot, Input::Received { connection, message })
        }
        other @ (Input::Accepted { .. } | Input::Flushed { .. }) => (None, other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_of_two_machines_never_meet_and_find_their_way_back() {
        let inner = ConnectionId::Dialled(5);
        let (first, second) = (Slot(0).outside(inner), Slot(3).outside(inner));
        assert_ne!(first, second);
        let back = addressed(Input::Opened { connection: second });
        assert_eq!(back, (Some(Slot(3)), Input::Opened { connection: inner }));
        let accepted = Input::Accepted { connection: ConnectionId::Accepted(1) };
        assert_eq!(addressed(accepted.clone()), (None, accepted));
    }
}
