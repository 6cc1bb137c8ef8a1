//! What a member must not forget: its epoch, its vote in it, and the leader it knows (RAFT-1).
//!
//! Kept in `__cluster_metadata-0/quorum-state`, in the JSON form that Kafka uses for a static
//! voter set. The file is replaced as a whole and flushed before anybody hears of a change.

use std::fmt;

use topomotion_wire::{Bytes, FileName, Files, NodeId, QuorumEpoch};

const FILE: &str = "__cluster_metadata-0/quorum-state";

/// The durable state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Durable {
    pub(crate) epoch: QuorumEpoch,
    /// Who got this node's vote in the epoch.
    pub(crate) voted: Option<NodeId>,
    /// Who leads the epoch, as far as this node knows.
    pub(crate) leader: Option<NodeId>,
}

/// The quorum state on disk cannot be read. A member that went on regardless might vote twice
/// in one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DamagedState;

impl fmt::Display for DamagedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{FILE} cannot be read: restore it, or give the node an empty disk")
    }
}

impl std::error::Error for DamagedState {}

impl Durable {
    pub(crate) fn file() -> FileName {
        FileName::from(FILE)
    }

    pub(crate) fn to_json(self, voters: &[NodeId]) -> Bytes {
        let id = |node: Option<NodeId>| node.map_or(-1, |node| node.0);
        let voters: Vec<String> =
            voters.iter().map(|voter| format!("{{\"voterId\":{voter}}}")).collect();
        Bytes::from(format!(
            "{{\"clusterId\":\"\",\"leaderId\":{},\"leaderEpoch\":{},\"votedId\":{},\
             \"appliedOffset\":0,\"currentVoters\":[{}],\"data_version\":0}}",
            id(self.leader),
            self.epoch,
            id(self.voted),
            voters.join(","),
        ))
    }

    /// The state that survived; a fresh one if there is no file at all.
    pub(crate) fn recover(files: &Files) -> Result<Durable, DamagedState> {
        match files.get(&Durable::file()) {
            None => Ok(Durable::default()),
            Some(file) => Durable::from_json(file).ok_or(DamagedState),
        }
    }

    fn from_json(file: &[u8]) -> Option<Durable> {
        let text = std::str::from_utf8(file).ok()?;
        let node = |id: i32| (id >= 0).then_some(NodeId(id));
        let epoch = number(text, "leaderEpoch").filter(|&epoch| epoch >= 0)?;
        Some(Durable {
            epoch: QuorumEpoch(epoch),
            voted: node(number(text, "votedId")?),
            leader: node(number(text, "leaderId")?),
        })
    }
}

/// The number behind `"key":`. The file is our own, flat where it matters.
fn number(text: &str, key: &str) -> Option<i32> {
    let (_, rest) = text.split_once(&format!("\"{key}\":"))?;
    let rest = rest.trim_start();
    let end = rest.find([',', '}'])?;
    rest[..end].trim_end().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let state =
            Durable { epoch: QuorumEpoch(7), voted: Some(NodeId(2)), leader: None };
        let json = state.to_json(&[NodeId(1), NodeId(2)]);
        assert_eq!(Durable::from_json(&json), Some(state));
        let files = Files::from([(Durable::file(), json)]);
        assert_eq!(Durable::recover(&files), Ok(state));
        assert_eq!(Durable::recover(&Files::new()), Ok(Durable::default()));
    }

    #[test]
    fn a_damaged_file_is_refused_and_not_taken_for_a_fresh_start() {
        for bad in [
            "",
            "{}",
            "{\"leaderEpoch\":-1,\"votedId\":1,\"leaderId\":1}",
            "{\"leaderEpoch\":1",
        ] {
            let files = Files::from([(Durable::file(), Bytes::from(bad))]);
            assert_eq!(Durable::recover(&files), Err(DamagedState), "{bad}");
        }
    }
}
