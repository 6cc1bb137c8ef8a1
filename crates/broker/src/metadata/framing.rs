//! Metadata records as bytes: frame version, API key, version, body.
//!
//! The layout is Kafka's own (`metadata/…/common/metadata`), every record in its flexible
//! encoding; fields that this engine has no use for are written with their defaults and
//! skipped when read. Decoding never panics.

use std::fmt;

use bytes::Bytes;
use topomotion_wire::{
    BrokerEpoch, BrokerLiveness, Endpoint, Incarnation, LeaderEpoch, LeaderRecovery,
    NodeId, PartitionEpoch, ProducerId, TopicId,
};

use uuid::Uuid;

use super::codec::{Reader, Writer, tagged};
use super::record::{
    BrokerChange, FencingChange, LeaderChange, MetadataRecord, NewPartition, NewTopic,
    PartitionChange, ProducerIds, RegisterBroker, TopicConfig,
};
use crate::acl::{Acl, Operation, Pattern, Permission, Resource};
use crate::scram::{ScramCredential, ScramMechanism};

/// The frame around every record.
const FRAME_VERSION: u32 = 1;
/// The only kind of config resource written here: a topic.
const TOPIC_RESOURCE: i8 = 2;
/// "No leader", and "leader unchanged" in a change record.
const NO_LEADER: i32 = -1;
const LEADER_UNCHANGED: i32 = -2;
/// The leader recovery state of a leader that may have lost records.
const RECOVERING: i8 = 1;

/// Why bytes are not a metadata record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MalformedRecord {
    /// They end too early.
    Short,
    /// A number has too many bytes.
    Number,
    /// A null where none may be.
    Null,
    /// Text that is not UTF-8.
    Text,
    /// A frame or a record version from the future.
    Version(u32),
    /// A value that its field cannot have.
    Value,
}

impl fmt::Display for MalformedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MalformedRecord::Short => f.write_str("the record ends too early"),
            MalformedRecord::Number => f.write_str("a number is too long"),
            MalformedRecord::Null => f.write_str("a null where none may be"),
            MalformedRecord::Text => f.write_str("text is not UTF-8"),
            MalformedRecord::Version(version) => {
                write!(f, "version {version} is unknown")
            }
            MalformedRecord::Value => f.write_str("a field has an impossible value"),
        }
    }
}

impl std::error::Error for MalformedRecord {}

impl MetadataRecord {
    /// The record as it is stored: the value of one record of the metadata log.
    pub fn encode(&self) -> Bytes {
        let mut writer = Writer::default();
        let (kind, version) = self.kind_and_version();
        for number in [FRAME_VERSION, kind, version] {
            writer.unsigned(number);
        }
        match self {
            MetadataRecord::RegisterBroker(it) => write_register_broker(&mut writer, it),
            MetadataRecord::Topic(it) => write_topic(&mut writer, it),
            MetadataRecord::Partition(it) => write_partition(&mut writer, it),
            MetadataRecord::Config(it) => write_config(&mut writer, it),
            MetadataRecord::PartitionChange(it) => {
                write_partition_change(&mut writer, it);
            }
            MetadataRecord::RemoveTopic { id } => {
                writer.uuid(id.0);
                writer.tags(&[]);
            }
            MetadataRecord::FeatureLevel { name, level } => {
                writer.string(name);
                writer.i16(*level);
                writer.tags(&[]);
            }
            MetadataRecord::ProducerIds(it) => {
                writer.i32(it.broker.0);
                writer.i64(it.epoch.0);
                writer.i64(it.next.0);
                writer.tags(&[]);
            }
            MetadataRecord::BrokerChange(it) => write_broker_change(&mut writer, it),
            MetadataRecord::Acl { id, acl } => write_acl(&mut writer, *id, acl),
            MetadataRecord::RemoveAcl { id } => {
                writer.uuid(*id);
                writer.tags(&[]);
            }
            MetadataRecord::Scram { user, mechanism, credential } => {
                write_scram(&mut writer, user, *mechanism, credential);
            }
            MetadataRecord::RemoveScram { user, mechanism } => {
                writer.string(user);
                writer.i8(mechanism.code());
                writer.tags(&[]);
            }
            MetadataRecord::NoOp | MetadataRecord::Unknown { .. } => writer.tags(&[]),
        }
        writer.finish()
    }

    /// Reads a record back.
    ///
    /// # Errors
    /// When the bytes are not a metadata record.
    pub fn decode(bytes: Bytes) -> Result<MetadataRecord, MalformedRecord> {
        let mut reader = Reader::new(bytes);
        let frame = reader.unsigned()?;
        if frame != FRAME_VERSION {
            return Err(MalformedRecord::Version(frame));
        }
        let (kind, version) = (reader.unsigned()?, reader.unsigned()?);
        match (kind, version) {
            (0, 0..=3) => read_register_broker(&mut reader, version),
            (2, 0) => read_topic(&mut reader),
            (3, 0..=2) => read_partition(&mut reader, version),
            (4, 0) => read_config(&mut reader),
            (5, 0..=2) => read_partition_change(&mut reader),
            (9, 0) => Ok(MetadataRecord::RemoveTopic { id: TopicId(reader.uuid()?) }),
            (11, 0) => read_scram(&mut reader),
            (12, 0) => Ok(MetadataRecord::FeatureLevel {
                name: reader.string()?,
                level: reader.i16()?,
            }),
            (15, 0) => Ok(MetadataRecord::ProducerIds(ProducerIds {
                broker: NodeId(reader.i32()?),
                epoch: BrokerEpoch(reader.i64()?),
                next: ProducerId(reader.i64()?),
            })),
            (17, 0..=2) => read_broker_change(&mut reader),
            (18, 0) => read_acl(&mut reader),
            (19, 0) => Ok(MetadataRecord::RemoveAcl { id: reader.uuid()? }),
            (20, 0) => Ok(MetadataRecord::NoOp),
            (22, 0) => read_remove_scram(&mut reader),
            (0 | 2 | 3 | 4 | 5 | 9 | 11 | 12 | 15 | 17..=20 | 22, _) => {
                Err(MalformedRecord::Version(version))
            }
            (kind, _) => Ok(MetadataRecord::Unknown { kind }),
        }
    }

    const fn kind_and_version(&self) -> (u32, u32) {
        match self {
            MetadataRecord::RegisterBroker(_) => (0, 1),
            MetadataRecord::Topic(_) => (2, 0),
            MetadataRecord::Partition(_) => (3, 2),
            MetadataRecord::Config(_) => (4, 0),
            MetadataRecord::PartitionChange(_) => (5, 2),
            MetadataRecord::RemoveTopic { .. } => (9, 0),
            MetadataRecord::Scram { .. } => (11, 0),
            MetadataRecord::RemoveScram { .. } => (22, 0),
            MetadataRecord::FeatureLevel { .. } => (12, 0),
            MetadataRecord::ProducerIds(_) => (15, 0),
            MetadataRecord::BrokerChange(_) => (17, 1),
            MetadataRecord::Acl { .. } => (18, 0),
            MetadataRecord::RemoveAcl { .. } => (19, 0),
            MetadataRecord::NoOp => (20, 0),
            MetadataRecord::Unknown { kind } => (*kind, 0),
        }
    }
}

fn write_acl(writer: &mut Writer, id: Uuid, acl: &Acl) {
    writer.uuid(id);
    writer.i8(acl.resource.code());
    writer.string(&acl.name);
    writer.i8(acl.pattern.code());
    writer.string(&acl.principal);
    writer.string(&acl.host);
    writer.i8(acl.operation.code());
    writer.i8(acl.permission.code());
    writer.tags(&[]);
}

/// Entries about what is not known here (delegation tokens, users) say nothing.
fn read_acl(reader: &mut Reader) -> Result<MetadataRecord, MalformedRecord> {
    let id = reader.uuid()?;
    let (resource, name) = (Resource::of(reader.i8()?), reader.string()?);
    let pattern = Pattern::of(reader.i8()?);
    let (principal, host) = (reader.string()?, reader.string()?);
    let operation = Operation::of(reader.i8()?);
    let permission = Permission::of(reader.i8()?);
    let (Some(resource), Some(pattern), Some(operation), Some(permission)) =
        (resource, pattern, operation, permission)
    else {
        return Ok(MetadataRecord::Unknown { kind: 18 });
    };
    let acl = Acl { resource, name, pattern, principal, host, operation, permission };
    Ok(MetadataRecord::Acl { id, acl })
}

fn write_scram(
    writer: &mut Writer,
    user: &str,
    mechanism: ScramMechanism,
    credential: &ScramCredential,
) {
    writer.string(user);
    writer.i8(mechanism.code());
    writer.bytes(&credential.salt);
    writer.bytes(&credential.stored_key);
    writer.bytes(&credential.server_key);
    writer.i32(credential.iterations);
    writer.tags(&[]);
}

/// A credential for a mechanism that is not known here says nothing.
fn read_scram(reader: &mut Reader) -> Result<MetadataRecord, MalformedRecord> {
    let (user, mechanism) = (reader.string()?, ScramMechanism::of(reader.i8()?));
    let (salt, stored_key) = (reader.bytes()?, reader.bytes()?);
    let (server_key, iterations) = (reader.bytes()?, reader.i32()?);
    let credential = ScramCredential { salt, stored_key, server_key, iterations };
    Ok(match mechanism {
        Some(mechanism) => MetadataRecord::Scram { user, mechanism, credential },
        None => MetadataRecord::Unknown { kind: 11 },
    })
}

fn read_remove_scram(reader: &mut Reader) -> Result<MetadataRecord, MalformedRecord> {
    let (user, mechanism) = (reader.string()?, ScramMechanism::of(reader.i8()?));
    Ok(match mechanism {
        Some(mechanism) => MetadataRecord::RemoveScram { user, mechanism },
        None => MetadataRecord::Unknown { kind: 22 },
    })
}

fn write_register_broker(writer: &mut Writer, record: &RegisterBroker) {
    writer.i32(record.broker.0);
    writer.uuid(record.incarnation.0);
    writer.i64(record.epoch.0);
    writer.length(1);
    writer.string("PLAINTEXT");
    writer.string(&record.endpoint.host);
    writer.u16(record.endpoint.port);
    writer.i16(0);
    writer.tags(&[]);
    writer.length(0);
    writer.nullable_string(record.rack.as_deref());
    writer.i8(i8::from(record.liveness == BrokerLiveness::Fenced));
    writer.i8(i8::from(record.liveness == BrokerLiveness::ControlledShutdown));
    writer.tags(&[]);
}

fn read_register_broker(
    reader: &mut Reader,
    version: u32,
) -> Result<MetadataRecord, MalformedRecord> {
    let broker = NodeId(reader.i32()?);
    if version >= 2 {
        reader.i8()?;
    }
    let incarnation = Incarnation(reader.uuid()?);
    let epoch = BrokerEpoch(reader.i64()?);
    let mut endpoint = None;
    for _ in 0..reader.count()? {
        reader.string()?;
        let (host, port) = (reader.string()?, reader.u16()?);
        reader.i16()?;
        reader.tags()?;
        endpoint.get_or_insert(Endpoint { host, port });
    }
    for _ in 0..reader.count()? {
        reader.string()?;
        reader.take(4)?;
        reader.tags()?;
    }
    let rack = reader.nullable_string()?;
    let is_fenced = reader.i8()? != 0;
    let is_leaving = version >= 1 && reader.i8()? != 0;
    let liveness = match (is_fenced, is_leaving) {
        (true, _) => BrokerLiveness::Fenced,
        (false, true) => BrokerLiveness::ControlledShutdown,
        (false, false) => BrokerLiveness::Unfenced,
    };
    let endpoint = endpoint.ok_or(MalformedRecord::Value)?;
    let record = RegisterBroker { broker, incarnation, epoch, endpoint, rack, liveness };
    Ok(MetadataRecord::RegisterBroker(record))
}

fn write_topic(writer: &mut Writer, record: &NewTopic) {
    writer.string(&record.name);
    writer.uuid(record.id.0);
    writer.tags(&[]);
}

fn read_topic(reader: &mut Reader) -> Result<MetadataRecord, MalformedRecord> {
    let (name, id) = (reader.string()?, TopicId(reader.uuid()?));
    Ok(MetadataRecord::Topic(NewTopic { name, id }))
}

fn write_partition(writer: &mut Writer, record: &NewPartition) {
    writer.i32(record.partition);
    writer.uuid(record.topic_id.0);
    writer.nodes(&record.replicas);
    writer.nodes(&record.isr);
    writer.nodes(&record.removing);
    writer.nodes(&record.adding);
    writer.i32(record.leader.map_or(NO_LEADER, |leader| leader.0));
    writer.i32(record.leader_epoch.0);
    writer.i32(record.partition_epoch.0);
    // Log directories are not modelled.
    writer.length(0);
    let mut tags = Vec::new();
    if record.recovery == LeaderRecovery::Recovering {
        tags.push((0, tagged(|value| value.i8(RECOVERING))));
    }
    for (tag, nodes) in [(1, &record.elr), (2, &record.last_known_elr)] {
        if !nodes.is_empty() {
            tags.push((tag, tagged(|value| value.nodes(nodes))));
        }
    }
    writer.tags(&tags);
}

fn read_partition(
    reader: &mut Reader,
    version: u32,
) -> Result<MetadataRecord, MalformedRecord> {
    let partition = reader.i32()?;
    let topic_id = TopicId(reader.uuid()?);
    let (replicas, isr) = (reader.nodes()?, reader.nodes()?);
    let (removing, adding) = (reader.nodes()?, reader.nodes()?);
    let leader = leader_of(reader.i32()?);
    let leader_epoch = LeaderEpoch(reader.i32()?);
    let partition_epoch = PartitionEpoch(reader.i32()?);
    if version >= 1 {
        let directories = reader.count()?;
        reader.take(directories.saturating_mul(16))?;
    }
    let (mut elr, mut last_known_elr) = (Vec::new(), Vec::new());
    let mut recovery = LeaderRecovery::Recovered;
    for (tag, mut value) in reader.tags()? {
        match tag {
            0 => recovery = recovery_of(value.i8()?)?,
            1 => elr = value.nodes()?,
            2 => last_known_elr = value.nodes()?,
            _ => {}
        }
    }
    Ok(MetadataRecord::Partition(NewPartition {
        topic_id,
        partition,
        replicas,
        isr,
        leader,
        leader_epoch,
        partition_epoch,
        elr,
        last_known_elr,
        adding,
        removing,
        recovery,
    }))
}

fn write_config(writer: &mut Writer, record: &TopicConfig) {
    writer.i8(TOPIC_RESOURCE);
    writer.string(&record.topic);
    writer.string(&record.name);
    writer.nullable_string(record.value.as_deref());
    writer.tags(&[]);
}

fn read_config(reader: &mut Reader) -> Result<MetadataRecord, MalformedRecord> {
    let resource = reader.i8()?;
    let (topic, name) = (reader.string()?, reader.string()?);
    let value = reader.nullable_string()?;
    if resource != TOPIC_RESOURCE {
        return Ok(MetadataRecord::Unknown { kind: 4 });
    }
    Ok(MetadataRecord::Config(TopicConfig { topic, name, value }))
}

fn write_partition_change(writer: &mut Writer, record: &PartitionChange) {
    writer.i32(record.partition);
    writer.uuid(record.topic_id.0);
    let mut tags = Vec::new();
    if let Some(isr) = &record.isr {
        tags.push((0, tagged(|value| value.nodes(isr))));
    }
    match record.leader {
        LeaderChange::Keep => {}
        LeaderChange::Set(leader) => tags.push((1, tagged(|value| value.i32(leader.0)))),
        LeaderChange::Clear => tags.push((1, tagged(|value| value.i32(NO_LEADER)))),
    }
    let assignment = [(2, &record.replicas), (3, &record.removing), (4, &record.adding)];
    let eligible = [(6, &record.elr), (7, &record.last_known_elr)];
    for (tag, nodes) in assignment {
        let Some(nodes) = nodes else { continue };
        tags.push((tag, tagged(|value| value.nodes(nodes))));
    }
    if let Some(recovery) = record.recovery {
        let code = if recovery == LeaderRecovery::Recovering { RECOVERING } else { 0 };
        tags.push((5, tagged(|value| value.i8(code))));
    }
    for (tag, nodes) in eligible {
        let Some(nodes) = nodes else { continue };
        tags.push((tag, tagged(|value| value.nodes(nodes))));
    }
    writer.tags(&tags);
}

fn read_partition_change(reader: &mut Reader) -> Result<MetadataRecord, MalformedRecord> {
    let partition = reader.i32()?;
    let topic_id = TopicId(reader.uuid()?);
    let mut change = PartitionChange::of(topic_id, partition);
    for (tag, mut value) in reader.tags()? {
        match tag {
            0 => change.isr = Some(value.nodes()?),
            1 => change.leader = leader_change(value.i32()?),
            2 => change.replicas = Some(value.nodes()?),
            3 => change.removing = Some(value.nodes()?),
            4 => change.adding = Some(value.nodes()?),
            5 => change.recovery = Some(recovery_of(value.i8()?)?),
            6 => change.elr = Some(value.nodes()?),
            7 => change.last_known_elr = Some(value.nodes()?),
            _ => {}
        }
    }
    Ok(MetadataRecord::PartitionChange(change))
}

fn write_broker_change(writer: &mut Writer, record: &BrokerChange) {
    writer.i32(record.broker.0);
    writer.i64(record.epoch.0);
    match record.fencing {
        FencingChange::Keep => writer.tags(&[]),
        FencingChange::Fence => writer.tags(&[(0, tagged(|value| value.i8(1)))]),
        FencingChange::Unfence => writer.tags(&[(0, tagged(|value| value.i8(-1)))]),
        FencingChange::ShutDown => writer.tags(&[(1, tagged(|value| value.i8(1)))]),
    }
}

fn read_broker_change(reader: &mut Reader) -> Result<MetadataRecord, MalformedRecord> {
    let (broker, epoch) = (NodeId(reader.i32()?), BrokerEpoch(reader.i64()?));
    let mut fencing = FencingChange::Keep;
    for (tag, mut value) in reader.tags()? {
        if tag == 0 {
            fencing = match value.i8()? {
                -1 => FencingChange::Unfence,
                0 => FencingChange::Keep,
                1 => FencingChange::Fence,
                _ => return Err(MalformedRecord::Value),
            };
        }
        if tag == 1 && value.i8()? == 1 {
            fencing = FencingChange::ShutDown;
        }
    }
    Ok(MetadataRecord::BrokerChange(BrokerChange { broker, epoch, fencing }))
}

fn recovery_of(code: i8) -> Result<LeaderRecovery, MalformedRecord> {
    match code {
        0 => Ok(LeaderRecovery::Recovered),
        RECOVERING => Ok(LeaderRecovery::Recovering),
        _ => Err(MalformedRecord::Value),
    }
}

fn leader_of(id: i32) -> Option<NodeId> {
    (id >= 0).then_some(NodeId(id))
}

fn leader_change(id: i32) -> LeaderChange {
    match leader_of(id) {
        Some(leader) => LeaderChange::Set(leader),
        None if id == LEADER_UNCHANGED => LeaderChange::Keep,
        None => LeaderChange::Clear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn samples() -> Vec<MetadataRecord> {
        [of_the_cluster(), of_log_ins()].concat()
    }

    fn of_log_ins() -> Vec<MetadataRecord> {
        vec![
            MetadataRecord::Scram {
                user: "alice".into(),
                mechanism: ScramMechanism::Sha512,
                credential: ScramCredential {
                    salt: Bytes::from_static(b"salt"),
                    stored_key: Bytes::from_static(b"stored"),
                    server_key: Bytes::from_static(b"server"),
                    iterations: 4_096,
                },
            },
            MetadataRecord::RemoveScram {
                user: "alice".into(),
                mechanism: ScramMechanism::Sha256,
            },
        ]
    }

    fn of_the_cluster() -> Vec<MetadataRecord> {
        let topic_id = TopicId(Uuid::from_u128(7));
        let change = |isr, leader| {
            let change = PartitionChange::of(topic_id, 2);
            MetadataRecord::PartitionChange(PartitionChange { isr, leader, ..change })
        };
        let nodes = |ids: &[i32]| Some(ids.iter().copied().map(NodeId).collect());
        let fencing = |fencing| {
            let epoch = BrokerEpoch(5);
            MetadataRecord::BrokerChange(BrokerChange {
                broker: NodeId(1),
                epoch,
                fencing,
            })
        };
        vec![
            MetadataRecord::RegisterBroker(RegisterBroker {
                broker: NodeId(3),
                incarnation: Incarnation(Uuid::from_u128(99)),
                epoch: BrokerEpoch(41),
                endpoint: Endpoint { host: "broker-3".into(), port: 9092 },
                rack: Some("a".into()),
                liveness: BrokerLiveness::ControlledShutdown,
            }),
            MetadataRecord::Topic(NewTopic { name: "orders".into(), id: topic_id }),
            MetadataRecord::Partition(NewPartition {
                topic_id,
                partition: 0,
                replicas: vec![NodeId(1), NodeId(2)],
                isr: vec![NodeId(2)],
                leader: None,
                leader_epoch: LeaderEpoch(4),
                partition_epoch: PartitionEpoch(9),
                elr: vec![NodeId(1)],
                last_known_elr: vec![NodeId(2)],
                adding: vec![NodeId(2)],
                removing: vec![NodeId(1)],
                recovery: LeaderRecovery::Recovering,
            }),
            MetadataRecord::RemoveTopic { id: topic_id },
            MetadataRecord::PartitionChange(PartitionChange {
                replicas: nodes(&[1, 2, 3]),
                removing: nodes(&[1]),
                adding: nodes(&[3]),
                recovery: Some(LeaderRecovery::Recovered),
                elr: nodes(&[2]),
                last_known_elr: nodes(&[]),
                ..PartitionChange::of(topic_id, 2)
            }),
            MetadataRecord::Config(TopicConfig {
                topic: "orders".into(),
                name: "min.insync.replicas".into(),
                value: Some("2".into()),
            }),
            change(Some(vec![NodeId(1)]), LeaderChange::Set(NodeId(1))),
            change(None, LeaderChange::Clear),
            change(Some(Vec::new()), LeaderChange::Keep),
            MetadataRecord::FeatureLevel { name: "metadata.version".into(), level: 25 },
            fencing(FencingChange::Keep),
            fencing(FencingChange::Fence),
            fencing(FencingChange::Unfence),
            fencing(FencingChange::ShutDown),
            MetadataRecord::NoOp,
            MetadataRecord::ProducerIds(ProducerIds {
                broker: NodeId(1),
                epoch: BrokerEpoch(5),
                next: ProducerId(3_000),
            }),
            MetadataRecord::Unknown { kind: 14 },
        ]
    }

    #[test]
    fn every_record_survives_its_bytes() {
        for record in samples() {
            assert_eq!(MetadataRecord::decode(record.encode()), Ok(record));
        }
    }

    #[test]
    fn a_topic_record_has_kafkas_own_bytes() {
        let record = NewTopic { name: "ab".into(), id: TopicId(Uuid::from_u128(1)) };
        let bytes = MetadataRecord::Topic(record).encode();
        let mut expected = vec![1, 2, 0, 3, b'a', b'b'];
        expected.extend_from_slice(Uuid::from_u128(1).as_bytes());
        expected.push(0);
        assert_eq!(bytes, expected);
    }

    #[test]
    fn a_cut_record_is_malformed_and_never_something_else() {
        for record in samples() {
            let bytes = record.encode();
            for end in 0..bytes.len() {
                let cut = MetadataRecord::decode(bytes.slice(..end));
                assert!(cut.is_err() || cut == Ok(record.clone()), "{record:?} to {end}");
            }
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = MetadataRecord::decode(Bytes::from(bytes));
        }

        #[test]
        fn a_known_frame_around_noise_never_panics(
            kind in 0_u8..24, version in 0_u8..4,
            noise in prop::collection::vec(any::<u8>(), 0..120),
        ) {
            let mut bytes = vec![1, kind, version];
            bytes.extend(noise);
            let _ = MetadataRecord::decode(Bytes::from(bytes));
        }
    }
}
