//! What consumers say to one another through their coordinator: the front of their
//! subscriptions and assignments, which is the same in every version.
//!
//! The bytes are a client's own and may be anything. They are read one by one, so that a count
//! takes no memory before there is something behind it.

use std::collections::BTreeSet;
use std::sync::Arc;

use topomotion_wire::TopicPartition;

/// The topics that a `ConsumerProtocolSubscription` names; none of one that does not parse.
pub(super) fn topics(subscription: &[u8]) -> BTreeSet<Arc<str>> {
    read_topics(subscription).unwrap_or_default()
}

/// The partitions that a `ConsumerProtocolAssignment` gives, sorted; none of one that does not
/// parse.
pub(super) fn partitions(assignment: &[u8]) -> Vec<TopicPartition> {
    let mut partitions = read_partitions(assignment).unwrap_or_default();
    partitions.sort();
    partitions
}

fn read_topics(subscription: &[u8]) -> Option<BTreeSet<Arc<str>>> {
    let mut reader = Reader { rest: subscription };
    let _version = reader.i16()?;
    (0..reader.i32()?).map(|_| reader.text()).collect()
}

fn read_partitions(assignment: &[u8]) -> Option<Vec<TopicPartition>> {
    let mut reader = Reader { rest: assignment };
    let _version = reader.i16()?;
    let mut partitions = Vec::new();
    for _ in 0..reader.i32()? {
        let topic = reader.text()?;
        for _ in 0..reader.i32()? {
            partitions.push(TopicPartition::new(topic.clone(), reader.i32()?));
        }
    }
    Some(partitions)
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn i16(&mut self) -> Option<i16> {
        let (head, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(i16::from_be_bytes(*head))
    }

    fn i32(&mut self) -> Option<i32> {
        let (head, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(i32::from_be_bytes(*head))
    }

    fn text(&mut self) -> Option<Arc<str>> {
        let length = usize::try_from(self.i16()?).ok()?;
        let (text, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(std::str::from_utf8(text).ok()?.into())
    }
}

#[cfg(test)]
mod tests {
    use kafka_protocol::protocol::Encodable;
    use topomotion_wire::StrBytes;
    use topomotion_wire::messages::consumer_protocol_assignment::TopicPartition as Assigned;
    use topomotion_wire::messages::{
        ConsumerProtocolAssignment, ConsumerProtocolSubscription, TopicName,
    };

    use super::*;

    fn written(version: i16, message: &impl Encodable) -> Vec<u8> {
        let mut bytes = version.to_be_bytes().to_vec();
        message.encode(&mut bytes, version).unwrap();
        bytes
    }

    #[test]
    fn every_version_begins_alike() {
        let orders = StrBytes::from_static_str("orders");
        let subscription =
            ConsumerProtocolSubscription::default().with_topics(vec![orders.clone()]);
        let assigned =
            Assigned::default().with_topic(TopicName(orders)).with_partitions(vec![2, 0]);
        let assignment = ConsumerProtocolAssignment::default()
            .with_assigned_partitions(vec![assigned]);
        for version in 0..=3 {
            let bytes = written(version, &subscription);
            assert_eq!(topics(&bytes), BTreeSet::from(["orders".into()]), "{version}");
            let bytes = written(version, &assignment);
            let expected = [0, 2].map(|index| TopicPartition::new("orders", index));
            assert_eq!(partitions(&bytes), expected, "{version}");
        }
    }

    #[test]
    fn bytes_that_say_nothing_give_nothing() {
        let lies: [&[u8]; 5] = [
            b"",
            b"\0",
            b"everything",
            b"\0\x01\x7f\xff\xff\xff",
            b"\0\0\0\0\0\x01\0\x09a",
        ];
        for lie in lies {
            assert!(topics(lie).is_empty() && partitions(lie).is_empty(), "{lie:?}");
        }
    }
}
