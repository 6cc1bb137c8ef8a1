//! The consumer protocol: what members of a classic group say to each other inside JoinGroup
//! and SyncGroup. The coordinator does not look into it.
//!
//! Each message begins with its version. Nonsense from another member counts as nothing:
//! it gets no partitions, and the group goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::{Buf, BufMut, BytesMut};
use kafka_protocol::protocol::{Decodable, Encodable};
use topomotion_wire::messages::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription,
    consumer_protocol_assignment, consumer_protocol_subscription,
};
use topomotion_wire::{Bytes, TopicPartition};

use crate::metadata::{text, topic_name};

/// The newest version of both messages.
const NEWEST: i16 = 3;

/// What a member says when it joins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Subscription {
    pub topics: BTreeSet<Arc<str>>,
    pub owned: Vec<TopicPartition>,
    /// That of what is owned; −1 for none.
    pub generation: i32,
    pub rack: Option<Arc<str>>,
    /// What `sticky` remembers of the last assignment, and its generation.
    pub remembered: Option<(Vec<TopicPartition>, i32)>,
}

impl Subscription {
    pub fn encode(&self) -> Bytes {
        let mut message = ConsumerProtocolSubscription::default();
        message.topics = self.topics.iter().map(|topic| text(topic)).collect();
        message.generation_id = self.generation;
        message.rack_id = self.rack.as_deref().map(text);
        message.user_data = self.remembered.as_ref().map(encode_memory);
        let owned = by_topic(&self.owned).into_iter().map(|(topic, partitions)| {
            let mut owned = consumer_protocol_subscription::TopicPartition::default();
            (owned.topic, owned.partitions) = (topic_name(&topic), partitions);
            owned
        });
        message.owned_partitions = owned.collect();
        versioned(&message)
    }

    pub fn decode(bytes: &Bytes) -> Option<Subscription> {
        let message: ConsumerProtocolSubscription = unversioned(bytes)?;
        let owned = message.owned_partitions.iter().flat_map(|owned| {
            let topic: Arc<str> = owned.topic.0.as_str().into();
            let partitions = owned.partitions.iter();
            partitions.map(move |index| TopicPartition::new(topic.clone(), *index))
        });
        Some(Subscription {
            topics: message.topics.iter().map(|topic| topic.as_str().into()).collect(),
            owned: owned.collect(),
            generation: message.generation_id,
            rack: message.rack_id.as_ref().map(|rack| rack.as_str().into()),
            remembered: message.user_data.as_ref().and_then(decode_memory),
        })
    }
}

/// What the leader gives to a member.
pub(super) fn encode_assignment(partitions: &[TopicPartition]) -> Bytes {
    let mut message = ConsumerProtocolAssignment::default();
    let assigned = by_topic(partitions).into_iter().map(|(topic, partitions)| {
        let mut assigned = consumer_protocol_assignment::TopicPartition::default();
        (assigned.topic, assigned.partitions) = (topic_name(&topic), partitions);
        assigned
    });
    message.assigned_partitions = assigned.collect();
    versioned(&message)
}

/// No bytes at all are no partitions: the leader did not speak of this member.
pub(super) fn decode_assignment(bytes: &Bytes) -> BTreeSet<TopicPartition> {
    let message: Option<ConsumerProtocolAssignment> = unversioned(bytes);
    let assigned = message.into_iter().flat_map(|message| message.assigned_partitions);
    assigned
        .flat_map(|assigned| {
            let topic: Arc<str> = assigned.topic.0.as_str().into();
            let partitions = assigned.partitions.into_iter();
            partitions.map(move |index| TopicPartition::new(topic.clone(), index))
        })
        .collect()
}

fn versioned(message: &impl Encodable) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(NEWEST);
    message
        .encode(&mut bytes, NEWEST)
        .expect("the newest version has room for all fields");
    bytes.freeze()
}

fn unversioned<T: Decodable>(bytes: &Bytes) -> Option<T> {
    let mut bytes = bytes.clone();
    if bytes.remaining() < 2 {
        return None;
    }
    // A newer version begins as the newest that is known.
    let version = bytes.get_i16().min(NEWEST);
    if version < 0 {
        return None;
    }
    T::decode(&mut bytes, version).ok()
}

/// As `sticky` writes it: topics with their partitions, then the generation.
fn encode_memory((partitions, generation): &(Vec<TopicPartition>, i32)) -> Bytes {
    let mut bytes = BytesMut::new();
    let topics = by_topic(partitions);
    bytes.put_i32(length(topics.len()));
    for (topic, partitions) in topics {
        bytes.put_i16(i16::try_from(topic.len()).unwrap_or(i16::MAX));
        bytes.put_slice(topic.as_bytes());
        bytes.put_i32(length(partitions.len()));
        partitions.into_iter().for_each(|index| bytes.put_i32(index));
    }
    bytes.put_i32(*generation);
    bytes.freeze()
}

fn decode_memory(bytes: &Bytes) -> Option<(Vec<TopicPartition>, i32)> {
    let mut bytes = bytes.clone();
    let mut partitions = Vec::new();
    for _ in 0..bytes.try_get_i32().ok()? {
        let length = usize::try_from(bytes.try_get_i16().ok()?).ok()?;
        if bytes.remaining() < length {
            return None;
        }
        let topic = bytes.split_to(length);
        let topic: Arc<str> = std::str::from_utf8(&topic).ok()?.into();
        for _ in 0..bytes.try_get_i32().ok()? {
            let index = bytes.try_get_i32().ok()?;
            partitions.push(TopicPartition::new(topic.clone(), index));
        }
    }
    Some((partitions, bytes.try_get_i32().ok()?))
}

fn length(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Indexes by topic, in order.
pub(super) fn by_topic<'a>(
    partitions: impl IntoIterator<Item = &'a TopicPartition>,
) -> BTreeMap<Arc<str>, Vec<i32>> {
    let mut topics: BTreeMap<Arc<str>, Vec<i32>> = BTreeMap::new();
    for partition in partitions {
        topics.entry(partition.topic.clone()).or_default().push(partition.partition);
    }
    topics
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partitions() -> Vec<TopicPartition> {
        [("a", 0), ("a", 2), ("b", 1)]
            .map(|(topic, index)| TopicPartition::new(topic, index))
            .into()
    }

    #[test]
    fn what_a_member_says_is_understood_by_another() {
        let said = Subscription {
            topics: ["a".into(), "b".into()].into(),
            owned: partitions(),
            generation: 7,
            rack: Some("r".into()),
            remembered: Some((partitions(), 6)),
        };
        assert_eq!(Subscription::decode(&said.encode()), Some(said));
        let given = decode_assignment(&encode_assignment(&partitions()));
        assert_eq!(given.into_iter().collect::<Vec<_>>(), partitions());
    }

    #[test]
    fn kafkas_own_bytes_are_understood() {
        // Version 0, one topic "t", no user data.
        let bytes = Bytes::from_static(b"\0\0\0\0\0\x01\0\x01t\xff\xff\xff\xff");
        let said = Subscription::decode(&bytes).expect("it is well formed");
        assert_eq!(said.topics.iter().map(|it| &**it).collect::<Vec<_>>(), ["t"]);
        assert_eq!((said.generation, said.owned.len()), (-1, 0));
    }

    #[test]
    fn nonsense_is_nothing() {
        for bytes in [&b""[..], b"\0", b"\xff\xff\0\0", b"\0\x03\xff\xff\xff"] {
            let bytes = Bytes::copy_from_slice(bytes);
            assert_eq!(Subscription::decode(&bytes), None);
            assert!(decode_assignment(&bytes).is_empty());
        }
        let said = Subscription::default();
        let whole = encode_memory(&(partitions(), 1));
        assert_eq!(decode_memory(&whole.slice(..whole.len() - 1)), None);
        assert_eq!(Subscription::decode(&said.encode()), Some(said));
    }
}
