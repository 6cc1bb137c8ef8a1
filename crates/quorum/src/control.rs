//! Control records: what the quorum writes into the log for itself. The opening of an epoch
//! (RAFT-4), the voter set (RAFT-10), and the frame around a snapshot.

use bytes::BytesMut;
use kafka_protocol::protocol::{Decodable, Encodable};
use topomotion_log::{Attributes, Batch, BatchBuilder, RecordRef};
use topomotion_wire::messages::voters_record::{
    Endpoint as ListenerRecord, KRaftVersionFeature, Voter as VoterRecord,
};
use topomotion_wire::messages::{
    BrokerId, KRaftVersionRecord, LeaderChangeMessage, SnapshotFooterRecord,
    SnapshotHeaderRecord, VotersRecord, leader_change_message::Voter,
};
use topomotion_wire::{Bytes, Endpoint, NodeId, Offset, StrBytes};

use crate::voters::VoterSet;

/// The listener that voters reach one another at.
const LISTENER: &str = "CONTROLLER";
/// `kraft.version` 1: the voter set is in the log (KIP-853).
const RECONFIGURABLE: i16 = 1;

/// A kind of control record; its number is part of the record's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    LeaderChange = 2,
    SnapshotHeader = 3,
    SnapshotFooter = 4,
    KraftVersion = 5,
    Voters = 6,
}

impl Kind {
    /// Version 0 and the kind, two bytes each.
    fn key(self) -> [u8; 4] {
        [0, 0, 0, self as u8]
    }
}

/// A batch of control records in the making.
#[derive(Debug, Clone)]
pub(crate) struct ControlBatch {
    builder: BatchBuilder,
    timestamp: i64,
}

impl ControlBatch {
    pub(crate) fn new(timestamp: i64) -> ControlBatch {
        let builder = BatchBuilder::new().with_attributes(Attributes::CONTROL);
        ControlBatch { builder, timestamp }
    }

    fn with(mut self, kind: Kind, message: &impl Encodable) -> ControlBatch {
        let mut buffer = BytesMut::new();
        message.encode(&mut buffer, 0).expect("every field of version 0 is set");
        self.builder.push(&RecordRef {
            timestamp: self.timestamp,
            key: Some(&kind.key()),
            value: Some(&buffer),
            headers: &[],
        });
        self
    }

    /// Who leads the epoch, and who elected it.
    pub(crate) fn with_leader_change(
        self,
        leader: NodeId,
        voters: &VoterSet,
        granting: &[NodeId],
    ) -> ControlBatch {
        let named = |node: NodeId| Voter::default().with_voter_id(node.0);
        let message = LeaderChangeMessage::default()
            .with_leader_id(BrokerId(leader.0))
            .with_voters(voters.ids().map(named).collect())
            .with_granting_voters(granting.iter().copied().map(named).collect());
        self.with(Kind::LeaderChange, &message)
    }

    pub(crate) fn with_kraft_version(self) -> ControlBatch {
        let message = KRaftVersionRecord::default().with_k_raft_version(RECONFIGURABLE);
        self.with(Kind::KraftVersion, &message)
    }

    pub(crate) fn with_voters(self, voters: &VoterSet) -> ControlBatch {
        let feature =
            KRaftVersionFeature::default().with_max_supported_version(RECONFIGURABLE);
        let listener = |endpoint: &Endpoint| {
            ListenerRecord::default()
                .with_name(StrBytes::from_static_str(LISTENER))
                .with_host(StrBytes::from_string(endpoint.host.to_string()))
                .with_port(endpoint.port)
        };
        let voter = |(id, endpoint): (NodeId, Option<&Endpoint>)| {
            VoterRecord::default()
                .with_voter_id(BrokerId(id.0))
                .with_endpoints(endpoint.map(listener).into_iter().collect())
                .with_k_raft_version_feature(feature.clone())
        };
        let message =
            VotersRecord::default().with_voters(voters.iter().map(voter).collect());
        self.with(Kind::Voters, &message)
    }

    pub(crate) fn with_snapshot_header(self) -> ControlBatch {
        let message = SnapshotHeaderRecord::default()
            .with_last_contained_log_timestamp(self.timestamp);
        self.with(Kind::SnapshotHeader, &message)
    }

    pub(crate) fn with_snapshot_footer(self) -> ControlBatch {
        self.with(Kind::SnapshotFooter, &SnapshotFooterRecord::default())
    }

    pub(crate) fn into_builder(self) -> BatchBuilder {
        self.builder
    }
}

/// The voter sets that a batch records, with their offsets.
pub(crate) fn voters_in(batch: &Batch) -> Vec<(Offset, VoterSet)> {
    let records = batch.records().into_iter().flatten().flatten();
    let records = records.filter(|_| batch.is_control());
    let is_voters = |key: &Option<Bytes>| key.as_deref() == Some(&Kind::Voters.key());
    records
        .filter(|record| is_voters(&record.key))
        .filter_map(|record| Some((record.offset, read_voters(record.value?)?)))
        .collect()
}

fn read_voters(mut value: Bytes) -> Option<VoterSet> {
    let record = VotersRecord::decode(&mut value, 0).ok()?;
    let voter = |voter: &VoterRecord| {
        let endpoint = voter.endpoints.first().map(|listener| Endpoint {
            host: listener.host.as_str().into(),
            port: listener.port,
        });
        (NodeId(voter.voter_id.0), endpoint)
    };
    Some(VoterSet::new(record.voters.iter().map(voter)))
}

/// Whether a batch opens a snapshot.
pub(crate) fn is_snapshot_header(batch: &Batch) -> bool {
    has_kind(batch, Kind::SnapshotHeader)
}

/// Whether a batch ends a snapshot.
pub(crate) fn is_snapshot_footer(batch: &Batch) -> bool {
    has_kind(batch, Kind::SnapshotFooter)
}

fn has_kind(batch: &Batch, kind: Kind) -> bool {
    let mut records = batch.records().into_iter().flatten().flatten();
    batch.is_control() && records.any(|record| record.key.as_deref() == Some(&kind.key()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voter_set_is_read_back_from_its_record() {
        let endpoint = Endpoint { host: "a".into(), port: 9093 };
        let set = VoterSet::new([(NodeId(1), Some(endpoint)), (NodeId(2), None)]);
        let batch =
            ControlBatch::new(7).with_kraft_version().with_voters(&set).into_builder();
        assert_eq!(voters_in(&batch.build()), [(Offset(1), set)]);
    }
}
