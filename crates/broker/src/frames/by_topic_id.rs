//! OffsetCommit and OffsetFetch in version 10, whose requests the codecs do not know: topics by
//! their ids.
//!
//! Every count is of something that has a byte at least, and nothing is taken on its word.

use bytes::{Buf, Bytes};
use topomotion_wire::StrBytes;
use topomotion_wire::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use topomotion_wire::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use topomotion_wire::messages::{
    ApiKey, GroupId, OffsetCommitRequest, OffsetFetchRequest, RequestKind,
};
use uuid::Uuid;

use super::guard::COUNT_MAX;

/// The version that is read here.
const VERSION: i16 = 10;

/// Whether a request is read here.
pub(super) const fn reads(key: ApiKey, version: i16) -> bool {
    matches!(key, ApiKey::OffsetCommit | ApiKey::OffsetFetch) && version == VERSION
}

/// Reads a request's body. None if it does not parse.
pub(super) fn decode(key: ApiKey, body: Bytes) -> Option<RequestKind> {
    let mut fields = Fields { rest: body };
    match key {
        ApiKey::OffsetCommit => fields.offset_commit().map(Into::into),
        ApiKey::OffsetFetch => fields.offset_fetch().map(Into::into),
        _ => None,
    }
}

/// The fields of a flexible message, one after the other.
struct Fields {
    rest: Bytes,
}

impl Fields {
    fn offset_commit(&mut self) -> Option<OffsetCommitRequest> {
        let request = OffsetCommitRequest::default()
            .with_group_id(GroupId(self.string()?))
            .with_generation_id_or_member_epoch(self.i32()?)
            .with_member_id(self.string()?)
            .with_group_instance_id(self.nullable_string()?)
            .with_topics(self.array(Fields::commit_topic)??);
        self.tags()?;
        Some(request)
    }

    fn commit_topic(&mut self) -> Option<OffsetCommitRequestTopic> {
        let topic = OffsetCommitRequestTopic::default()
            .with_topic_id(self.uuid()?)
            .with_partitions(self.array(Fields::commit_partition)??);
        self.tags()?;
        Some(topic)
    }

    fn commit_partition(&mut self) -> Option<OffsetCommitRequestPartition> {
        let partition = OffsetCommitRequestPartition::default()
            .with_partition_index(self.i32()?)
            .with_committed_offset(self.rest.try_get_i64().ok()?)
            .with_committed_leader_epoch(self.i32()?)
            .with_committed_metadata(self.nullable_string()?);
        self.tags()?;
        Some(partition)
    }

    fn offset_fetch(&mut self) -> Option<OffsetFetchRequest> {
        let request = OffsetFetchRequest::default()
            .with_groups(self.array(Fields::fetch_group)??)
            .with_require_stable(self.rest.try_get_u8().ok()? != 0);
        self.tags()?;
        Some(request)
    }

    fn fetch_group(&mut self) -> Option<OffsetFetchRequestGroup> {
        let group = OffsetFetchRequestGroup::default()
            .with_group_id(GroupId(self.string()?))
            .with_member_id(self.nullable_string()?)
            .with_member_epoch(self.i32()?)
            .with_topics(self.array(Fields::fetch_topic)?);
        self.tags()?;
        Some(group)
    }

    fn fetch_topic(&mut self) -> Option<OffsetFetchRequestTopics> {
        let topic = OffsetFetchRequestTopics::default()
            .with_topic_id(self.uuid()?)
            .with_partition_indexes(self.array(Fields::i32)??);
        self.tags()?;
        Some(topic)
    }

    fn i32(&mut self) -> Option<i32> {
        self.rest.try_get_i32().ok()
    }

    fn uuid(&mut self) -> Option<Uuid> {
        self.rest.try_get_u128().ok().map(Uuid::from_u128)
    }

    fn unsigned(&mut self) -> Option<u32> {
        let mut value: u64 = 0;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.rest.try_get_u8().ok()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(value).ok();
            }
        }
        None
    }

    /// A compact length: one more than it says, so that zero can mean null.
    fn length(&mut self) -> Option<Option<usize>> {
        Some(self.unsigned()?.checked_sub(1).map(|length| length as usize))
    }

    fn take(&mut self, length: usize) -> Option<Bytes> {
        (length <= self.rest.len()).then(|| self.rest.split_to(length))
    }

    fn string(&mut self) -> Option<StrBytes> {
        self.nullable_string()?
    }

    fn nullable_string(&mut self) -> Option<Option<StrBytes>> {
        let Some(length) = self.length()? else { return Some(None) };
        StrBytes::try_from(self.take(length)?).ok().map(Some)
    }

    /// Within: none for null.
    fn array<T>(
        &mut self,
        one: impl Fn(&mut Self) -> Option<T>,
    ) -> Option<Option<Vec<T>>> {
        let Some(count) = self.length()? else { return Some(None) };
        if count > COUNT_MAX.min(self.rest.len()) {
            return None;
        }
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(one(self)?);
        }
        Some(Some(all))
    }

    /// What nobody knows here.
    fn tags(&mut self) -> Option<()> {
        for _ in 0..self.unsigned()? {
            self.unsigned()?;
            let length = self.unsigned()? as usize;
            self.take(length)?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: Uuid = Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10);

    /// Group `g`, epoch 3, member `m`; partition 1 of one topic at 258 in epoch 5, metadata `x`.
    fn commit() -> Vec<u8> {
        let mut bytes = b"\x02g\x00\x00\x00\x03\x02m\x00\x02".to_vec();
        bytes.extend(TOPIC.as_bytes());
        bytes.extend(b"\x02\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01\x02");
        bytes.extend(b"\x00\x00\x00\x05\x02x\x00\x00\x00");
        bytes
    }

    /// Group `g` of member `m` in epoch 3, partition 1 of one topic; then all of group `h`.
    fn fetch() -> Vec<u8> {
        let mut bytes = b"\x03\x02g\x02m\x00\x00\x00\x03\x02".to_vec();
        bytes.extend(TOPIC.as_bytes());
        bytes.extend(b"\x02\x00\x00\x00\x01\x00\x00");
        bytes.extend(b"\x02h\x00\xff\xff\xff\xff\x00\x00\x01\x00");
        bytes
    }

    #[test]
    fn a_commit_is_read() {
        let read = decode(ApiKey::OffsetCommit, Bytes::from(commit())).unwrap();
        let RequestKind::OffsetCommit(read) = read else { panic!("{read:?}") };
        assert_eq!((read.group_id.as_str(), &*read.member_id), ("g", "m"));
        assert_eq!(read.generation_id_or_member_epoch, 3);
        assert_eq!(read.group_instance_id, None);
        let topic = &read.topics[0];
        let partition = &topic.partitions[0];
        assert_eq!((topic.topic_id, partition.partition_index), (TOPIC, 1));
        assert_eq!(
            (partition.committed_offset, partition.committed_leader_epoch),
            (258, 5)
        );
        assert_eq!(partition.committed_metadata.as_deref(), Some("x"));
    }

    #[test]
    fn a_fetch_is_read() {
        let read = decode(ApiKey::OffsetFetch, Bytes::from(fetch())).unwrap();
        let RequestKind::OffsetFetch(read) = read else { panic!("{read:?}") };
        assert!(read.require_stable);
        let [one, all] = &read.groups[..] else { panic!("{read:?}") };
        assert_eq!((one.group_id.as_str(), one.member_epoch), ("g", 3));
        assert_eq!(one.member_id.as_deref(), Some("m"));
        let topics = one.topics.as_ref().unwrap();
        assert_eq!(
            (topics[0].topic_id, &topics[0].partition_indexes[..]),
            (TOPIC, &[1][..])
        );
        assert_eq!((all.group_id.as_str(), all.member_epoch), ("h", -1));
        assert_eq!((&all.member_id, &all.topics), (&None, &None));
    }

    #[test]
    fn what_is_cut_or_announces_too_much_is_refused() {
        for (key, bytes) in
            [(ApiKey::OffsetCommit, commit()), (ApiKey::OffsetFetch, fetch())]
        {
            for end in 0..bytes.len() {
                assert_eq!(
                    decode(key, Bytes::copy_from_slice(&bytes[..end])),
                    None,
                    "{end}"
                );
            }
        }
        let lie = b"\xff\xff\xff\xff\x0f\x00\x00";
        assert_eq!(decode(ApiKey::OffsetFetch, Bytes::from_static(lie)), None);
    }
}
