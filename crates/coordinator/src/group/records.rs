//! The records of `__consumer_offsets`, in Kafka's own layout.
//!
//! A key begins with its type, a value with the version of its schema. Types 0 and 1 are
//! offsets, 2 classic groups, 3 to 8 those of KIP-848. Compaction keeps the last value of each
//! key, so every value is whole, and a key without a value says that the thing is gone.

use std::collections::BTreeSet;
use std::sync::Arc;

use topomotion_wire::{Bytes, TopicPartition};

use super::Partitions;
use super::codec::{Nullable, Reader, Writer};

/// What a record is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// A committed offset.
    Offset { group: Arc<str>, topic: Arc<str>, partition: i32 },
    /// A classic group.
    Classic { group: Arc<str> },
    /// The group epoch of a KIP-848 group.
    Epoch { group: Arc<str> },
    /// What a member is and subscribes to.
    Member { group: Arc<str>, member: Arc<str> },
    /// The epoch of the target assignment.
    TargetEpoch { group: Arc<str> },
    /// A member's share of the target assignment.
    Target { group: Arc<str>, member: Arc<str> },
    /// What a member has, and where it stands.
    Current { group: Arc<str>, member: Arc<str> },
}

impl Key {
    /// Whose record it is.
    pub fn group(&self) -> &Arc<str> {
        match self {
            Key::Offset { group, .. }
            | Key::Classic { group }
            | Key::Epoch { group }
            | Key::Member { group, .. }
            | Key::TargetEpoch { group }
            | Key::Target { group, .. }
            | Key::Current { group, .. } => group,
        }
    }

    /// Of which partition it is the offset.
    pub fn partition(&self) -> Option<TopicPartition> {
        match self {
            Key::Offset { topic, partition, .. } => {
                Some(TopicPartition::new(topic.clone(), *partition))
            }
            Key::Classic { .. }
            | Key::Epoch { .. }
            | Key::Member { .. }
            | Key::TargetEpoch { .. }
            | Key::Target { .. }
            | Key::Current { .. } => None,
        }
    }

    pub fn encode(&self) -> Bytes {
        let (kind, member) = match self {
            Key::Offset { .. } => (1, None),
            Key::Classic { .. } => (2, None),
            Key::Epoch { .. } => (3, None),
            Key::Member { member, .. } => (5, Some(member)),
            Key::TargetEpoch { .. } => (6, None),
            Key::Target { member, .. } => (7, Some(member)),
            Key::Current { member, .. } => (8, Some(member)),
        };
        let mut writer = Writer::new(kind);
        writer.string(self.group());
        if let Key::Offset { topic, partition, .. } = self {
            writer.string(topic);
            writer.i32(*partition);
        }
        if let Some(member) = member {
            writer.string(member);
        }
        writer.finish()
    }

    /// The key in these bytes; none if it is of a type that this coordinator does not know.
    pub fn decode(bytes: &[u8]) -> Option<Key> {
        let (mut reader, kind) = Reader::new(bytes)?;
        let group: Arc<str> = reader.string()?.into();
        Some(match kind {
            0 | 1 => {
                let topic = reader.string()?.into();
                Key::Offset { group, topic, partition: reader.i32()? }
            }
            2 => Key::Classic { group },
            3 => Key::Epoch { group },
            5 => Key::Member { group, member: reader.string()?.into() },
            6 => Key::TargetEpoch { group },
            7 => Key::Target { group, member: reader.string()?.into() },
            8 => Key::Current { group, member: reader.string()?.into() },
            _ => return None,
        })
    }
}

/// The value of [`Key::Offset`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OffsetValue {
    /// The next offset to read.
    pub offset: i64,
    /// The leader epoch of the last record read; −1 if the member did not say.
    pub leader_epoch: i32,
    /// A text of the member's own.
    pub metadata: Arc<str>,
    /// When it was committed, Unix ms.
    pub committed_ms: i64,
    /// When it expires by its own wish (old clients), Unix ms.
    pub expires_ms: Option<i64>,
}

impl OffsetValue {
    pub fn encode(&self) -> Bytes {
        // A wish for retention can be said in version 1 only.
        let mut writer = Writer::new(if self.expires_ms.is_some() { 1 } else { 3 });
        writer.i64(self.offset);
        if self.expires_ms.is_none() {
            writer.i32(self.leader_epoch);
        }
        writer.string(&self.metadata);
        writer.i64(self.committed_ms);
        if let Some(expires) = self.expires_ms {
            writer.i64(expires);
        }
        writer.finish()
    }

    pub fn decode(bytes: &[u8]) -> Option<OffsetValue> {
        let (mut reader, version) = Reader::new(bytes)?;
        Some(OffsetValue {
            offset: reader.i64()?,
            leader_epoch: if version >= 3 { reader.i32()? } else { -1 },
            metadata: match version {
                0..=3 => reader.string()?.into(),
                _ => reader.compact()?.into(),
            },
            committed_ms: reader.i64()?,
            expires_ms: match version {
                1 => Some(reader.i64()?).filter(|&expires| expires >= 0),
                _ => None,
            },
        })
    }
}

/// The value of [`Key::Classic`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClassicValue {
    pub protocol_type: Arc<str>,
    pub generation: i32,
    pub protocol: Option<Arc<str>>,
    pub leader: Option<Arc<str>>,
    /// Since when the group is in its state, Unix ms.
    pub since_ms: i64,
    pub members: Vec<ClassicMemberValue>,
}

/// A member in a [`ClassicValue`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClassicMemberValue {
    pub id: Arc<str>,
    pub instance: Option<Arc<str>>,
    pub client: Arc<str>,
    pub host: Arc<str>,
    pub rebalance_timeout_ms: i32,
    pub session_timeout_ms: i32,
    pub subscription: Bytes,
    pub assignment: Bytes,
}

impl ClassicValue {
    pub fn encode(&self) -> Bytes {
        let mut writer = Writer::new(3);
        writer.string(&self.protocol_type);
        writer.i32(self.generation);
        writer.nullable(self.protocol.as_deref());
        writer.nullable(self.leader.as_deref());
        writer.i64(self.since_ms);
        writer.count(self.members.len());
        for member in &self.members {
            writer.string(&member.id);
            writer.nullable(member.instance.as_deref());
            writer.string(&member.client);
            writer.string(&member.host);
            writer.i32(member.rebalance_timeout_ms);
            writer.i32(member.session_timeout_ms);
            writer.bytes(&member.subscription);
            writer.bytes(&member.assignment);
        }
        writer.finish()
    }

    /// Versions 0 to 3; the later ones are written by no release.
    pub fn decode(bytes: &[u8]) -> Option<ClassicValue> {
        let (mut reader, version) = Reader::new(bytes)?;
        if !(0..=3).contains(&version) {
            return None;
        }
        let mut value = ClassicValue {
            protocol_type: reader.string()?.into(),
            generation: reader.i32()?,
            protocol: owned(reader.nullable()?),
            leader: owned(reader.nullable()?),
            since_ms: if version >= 2 { reader.i64()? } else { -1 },
            members: Vec::new(),
        };
        for _ in 0..reader.count()? {
            let id = reader.string()?.into();
            let instance = if version >= 3 { owned(reader.nullable()?) } else { None };
            let (client, host) = (reader.string()?.into(), reader.string()?.into());
            let rebalance = if version >= 1 { Some(reader.i32()?) } else { None };
            let session_timeout_ms = reader.i32()?;
            value.members.push(ClassicMemberValue {
                id,
                instance,
                client,
                host,
                rebalance_timeout_ms: rebalance.unwrap_or(session_timeout_ms),
                session_timeout_ms,
                subscription: reader.bytes()?,
                assignment: reader.bytes()?,
            });
        }
        Some(value)
    }
}

fn owned(text: Nullable<'_>) -> Option<Arc<str>> {
    text.0.map(Arc::from)
}

/// The value of [`Key::Epoch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EpochValue {
    pub epoch: i32,
    /// Stands for all that was known of the subscribed topics when the epoch began.
    pub metadata_hash: i64,
}

impl EpochValue {
    pub fn encode(self) -> Bytes {
        let mut writer = Writer::new(0);
        writer.i32(self.epoch);
        writer.tagged_i64(0, self.metadata_hash);
        writer.finish()
    }

    pub fn decode(bytes: &[u8]) -> Option<EpochValue> {
        let (mut reader, _) = Reader::new(bytes)?;
        let mut value = EpochValue { epoch: reader.i32()?, metadata_hash: 0 };
        reader.tagged(|tag, field| {
            if tag == 0 {
                value.metadata_hash = field.i64().unwrap_or_default();
            }
        })?;
        Some(value)
    }
}

/// The value of [`Key::Member`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct MemberValue {
    pub instance: Option<Arc<str>>,
    pub rack: Option<Arc<str>>,
    pub client: Arc<str>,
    pub host: Arc<str>,
    pub topics: BTreeSet<Arc<str>>,
    pub pattern: Option<Arc<str>>,
    pub rebalance_timeout_ms: i32,
    pub assignor: Option<Arc<str>>,
}

impl MemberValue {
    pub fn encode(&self) -> Bytes {
        let mut writer = Writer::new(0);
        writer.compact_nullable(self.instance.as_deref());
        writer.compact_nullable(self.rack.as_deref());
        writer.compact(&self.client);
        writer.compact(&self.host);
        writer.compact_count(self.topics.len());
        self.topics.iter().for_each(|topic| writer.compact(topic));
        writer.compact_nullable(self.pattern.as_deref());
        writer.i32(self.rebalance_timeout_ms);
        writer.compact_nullable(self.assignor.as_deref());
        writer.no_tags();
        writer.finish()
    }

    pub fn decode(bytes: &[u8]) -> Option<MemberValue> {
        let (mut reader, _) = Reader::new(bytes)?;
        Some(MemberValue {
            instance: owned(reader.compact_nullable()?),
            rack: owned(reader.compact_nullable()?),
            client: reader.compact()?.into(),
            host: reader.compact()?.into(),
            topics: {
                let count = reader.compact_count()?;
                (0..count)
                    .map(|_| reader.compact().map(Arc::from))
                    .collect::<Option<_>>()?
            },
            pattern: owned(reader.compact_nullable()?),
            rebalance_timeout_ms: reader.i32()?,
            assignor: owned(reader.compact_nullable()?),
        })
    }
}

/// The value of [`Key::TargetEpoch`]: the epoch of the assignment.
pub(super) fn encode_target_epoch(epoch: i32) -> Bytes {
    let mut writer = Writer::new(0);
    writer.i32(epoch);
    writer.no_tags();
    writer.finish()
}

/// Reads [`encode_target_epoch`].
pub(super) fn decode_target_epoch(bytes: &[u8]) -> Option<i32> {
    Reader::new(bytes)?.0.i32()
}

/// The value of [`Key::Target`]: the member's partitions.
pub(super) fn encode_target(partitions: &Partitions) -> Bytes {
    let mut writer = Writer::new(0);
    writer.partitions(partitions);
    writer.no_tags();
    writer.finish()
}

/// Reads [`encode_target`].
pub(super) fn decode_target(bytes: &[u8]) -> Option<Partitions> {
    Reader::new(bytes)?.0.partitions()
}

/// The value of [`Key::Current`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CurrentValue {
    pub epoch: i32,
    pub previous_epoch: i32,
    /// 0 stable, 1 has partitions to revoke, 2 waits for partitions of others.
    pub state: i8,
    pub assigned: Partitions,
    pub revoking: Partitions,
}

impl CurrentValue {
    pub fn encode(&self) -> Bytes {
        let mut writer = Writer::new(0);
        writer.i32(self.epoch);
        writer.i32(self.previous_epoch);
        writer.i8(self.state);
        writer.partitions(&self.assigned);
        writer.partitions(&self.revoking);
        writer.no_tags();
        writer.finish()
    }

    pub fn decode(bytes: &[u8]) -> Option<CurrentValue> {
        let (mut reader, _) = Reader::new(bytes)?;
        Some(CurrentValue {
            epoch: reader.i32()?,
            previous_epoch: reader.i32()?,
            state: reader.i8()?,
            assigned: reader.partitions()?,
            revoking: reader.partitions()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use topomotion_wire::TopicId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn keys_begin_with_their_type() {
        let group: Arc<str> = "g".into();
        let member: Arc<str> = "m".into();
        let keys = [
            Key::Offset { group: group.clone(), topic: "t".into(), partition: 5 },
            Key::Classic { group: group.clone() },
            Key::Epoch { group: group.clone() },
            Key::Member { group: group.clone(), member: member.clone() },
            Key::TargetEpoch { group: group.clone() },
            Key::Target { group: group.clone(), member: member.clone() },
            Key::Current { group, member },
        ];
        let types = keys.each_ref().map(|key| key.encode()[1]);
        assert_eq!(types, [1, 2, 3, 5, 6, 7, 8]);
        for key in keys {
            assert_eq!(Key::decode(&key.encode()), Some(key));
        }
        assert_eq!(&keys_of_an_offset()[..], b"\0\x01\0\x01g\0\x01t\0\0\0\x05");
        assert_eq!(Key::decode(b"\0\x09\0\x01g"), None);
    }

    fn keys_of_an_offset() -> Bytes {
        Key::Offset { group: "g".into(), topic: "t".into(), partition: 5 }.encode()
    }

    #[test]
    fn an_offset_is_laid_out_as_in_kafka() {
        let mut value = OffsetValue {
            offset: 7,
            leader_epoch: 2,
            metadata: "x".into(),
            committed_ms: 9,
            expires_ms: None,
        };
        let bytes = b"\0\x03\0\0\0\0\0\0\0\x07\0\0\0\x02\0\x01x\0\0\0\0\0\0\0\x09";
        assert_eq!(&value.encode()[..], bytes);
        assert_eq!(OffsetValue::decode(bytes), Some(value.clone()));
        value = OffsetValue { expires_ms: Some(99), leader_epoch: -1, ..value };
        assert_eq!(OffsetValue::decode(&value.encode()), Some(value));
    }

    #[test]
    fn a_classic_group_comes_back_with_its_members() {
        let value = ClassicValue {
            protocol_type: "consumer".into(),
            generation: 4,
            protocol: Some("range".into()),
            leader: Some("a".into()),
            since_ms: 77,
            members: vec![ClassicMemberValue {
                id: "a".into(),
                instance: Some("pod-1".into()),
                client: "shop".into(),
                host: "/10.0.0.1".into(),
                rebalance_timeout_ms: 300_000,
                session_timeout_ms: 45_000,
                subscription: Bytes::from_static(b"sub"),
                assignment: Bytes::from_static(b"mine"),
            }],
        };
        assert_eq!(ClassicValue::decode(&value.encode()), Some(value));
    }

    #[test]
    fn a_member_of_kip_848_comes_back_with_its_assignment() {
        let partitions = Partitions::from([(TopicId(Uuid::from_u128(3)), 1)]);
        let member = MemberValue {
            instance: None,
            rack: Some("a".into()),
            client: "shop".into(),
            host: "/h".into(),
            topics: ["orders".into(), "parcels".into()].into(),
            pattern: None,
            rebalance_timeout_ms: 1,
            assignor: Some("uniform".into()),
        };
        assert_eq!(MemberValue::decode(&member.encode()), Some(member));
        let current = CurrentValue {
            epoch: 5,
            previous_epoch: 4,
            state: 1,
            assigned: partitions.clone(),
            revoking: Partitions::new(),
        };
        assert_eq!(CurrentValue::decode(&current.encode()), Some(current));
        assert_eq!(decode_target(&encode_target(&partitions)), Some(partitions));
        assert_eq!(decode_target_epoch(&encode_target_epoch(6)), Some(6));
        let epoch = EpochValue { epoch: 6, metadata_hash: -3 };
        assert_eq!(EpochValue::decode(&epoch.encode()), Some(epoch));
    }
}
