//! Decoding that allocates for what was received, and not for what a count announces.
//!
//! The codecs take a count at its word: an array of two thousand million elements is given
//! room for as many before the first one is read. They do not say which number is a count, so
//! this asks them. A number larger than what is left of the frame is a plain value, such as a
//! timeout, or a lie. The body is decoded twice with such numbers replaced by small ones,
//! different each time; if one of them counts something, the two readings take different ways
//! through the bytes, and the frame is refused. If both take the same way, the numbers are
//! plain values, and a third reading may have them as they are.
//!
//! A string of bytes that is as long as it says is let through. An array has at most
//! [`COUNT_MAX`] elements, for an element takes more room in memory than on the wire.

use bytes::{Buf, Bytes, TryGetError};
use kafka_protocol::protocol::Decodable;
use kafka_protocol::protocol::buf::{ByteBuf, NotEnoughBytesError};
use topomotion_wire::messages::{ApiKey, RequestKind};

use super::by_topic_id;

/// The most elements that an array may have.
pub(super) const COUNT_MAX: usize = 1 << 16;

/// Decodes a request's body. None if it does not parse, or lies.
pub(super) fn decode(key: ApiKey, body: Bytes, version: i16) -> Option<RequestKind> {
    if by_topic_id::reads(key, version) {
        return by_topic_id::decode(key, body);
    }
    let mut first = Guarded::new(body.clone(), Pass::First);
    let request = read(key, &mut first, version)?;
    if first.replaced == 0 {
        return Some(request);
    }
    let mut second = Guarded::new(body.clone(), Pass::Second);
    read(key, &mut second, version)?;
    if first.way != second.way {
        return None;
    }
    read(key, &mut { body }, version)
}

/// Every API that a node serves.
macro_rules! apis {
    ($($name:ident,)*) => {
        fn read<B: ByteBuf>(key: ApiKey, body: &mut B, version: i16) -> Option<RequestKind> {
            match key {
                $(ApiKey::$name => {
                    Decodable::decode(body, version).ok().map(RequestKind::$name)
                })*
                _ => None,
            }
        }

        /// A request and an answer of every such API, with nothing in them.
        #[cfg(test)]
        pub(super) fn empties() -> Vec<(RequestKind, topomotion_wire::messages::ResponseKind)> {
            vec![$((
                RequestKind::$name(Default::default()),
                topomotion_wire::messages::ResponseKind::$name(Default::default()),
            ),)*]
        }
    };
}

apis! {
    Produce, Fetch, ListOffsets, Metadata, ApiVersions, CreateTopics, DeleteTopics,
    DeleteRecords, OffsetForLeaderEpoch, DescribeConfigs, CreatePartitions, ElectLeaders,
    DescribeAcls, CreateAcls, DeleteAcls,
    AlterConfigs, IncrementalAlterConfigs, AlterPartitionReassignments, ListPartitionReassignments, Vote,
    BeginQuorumEpoch, EndQuorumEpoch, DescribeQuorum, AlterPartition, FetchSnapshot,
    DescribeCluster, BrokerRegistration, BrokerHeartbeat, DescribeTopicPartitions,
    AddRaftVoter, RemoveRaftVoter, UpdateRaftVoter, AllocateProducerIds,
    FindCoordinator, JoinGroup, SyncGroup, Heartbeat, LeaveGroup, ConsumerGroupHeartbeat,
    ConsumerGroupDescribe, OffsetCommit, OffsetFetch, OffsetDelete, DescribeGroups,
    ListGroups, DeleteGroups, InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn, EndTxn,
    WriteTxnMarkers, TxnOffsetCommit, DescribeTransactions, ListTransactions, SaslHandshake,
    SaslAuthenticate, DescribeProducers, ListConfigResources,
    DescribeLogDirs,
    DescribeUserScramCredentials, AlterUserScramCredentials,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    First,
    Second,
}

impl Pass {
    /// What stands for a number of four bytes.
    const fn number(self) -> i32 {
        match self {
            Pass::First => 0,
            Pass::Second => 1,
        }
    }

    /// What stands for a number of variable length: beyond every tag that a message knows.
    const fn varint(self) -> u8 {
        match self {
            Pass::First => 101,
            Pass::Second => 102,
        }
    }
}

/// A string of bytes whose length was replaced.
#[derive(Debug, Clone, Copy)]
struct Shortened {
    told: usize,
    real: usize,
}

/// The bytes of a body, with the large numbers in it replaced.
struct Guarded {
    rest: Bytes,
    pass: Pass,
    replaced: usize,
    /// The last number, if it was replaced and nothing has been read since.
    shortened: Option<Shortened>,
    /// Bytes that are left of a varint which is fine.
    varint_left: usize,
    /// A hash of where every reading ended (FNV-1a).
    way: u64,
}

impl Guarded {
    fn new(rest: Bytes, pass: Pass) -> Guarded {
        let way = 0xcbf2_9ce4_8422_2325;
        Guarded { rest, pass, replaced: 0, shortened: None, varint_left: 0, way }
    }

    fn walk(&mut self) {
        self.shortened = None;
        for byte in (self.rest.len() as u64).to_be_bytes() {
            self.way = (self.way ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Whether a number may be the count of something of which there is less.
    fn is_suspicious(&self, number: u64, taken: usize) -> bool {
        let left = self.rest.len().saturating_sub(taken);
        number > left.min(COUNT_MAX) as u64
    }

    fn replace(&mut self, taken: usize, real: u64, told: usize) {
        self.rest.advance(taken);
        self.walk();
        self.replaced += 1;
        let real = usize::try_from(real).unwrap_or(usize::MAX);
        self.shortened = Some(Shortened { told, real });
    }

    /// The varint that begins here, and how many bytes it has.
    fn varint_ahead(&self) -> (u64, usize) {
        let mut value = 0;
        for (at, &byte) in self.rest.iter().take(5).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * at);
            if byte < 0x80 {
                return (value, at + 1);
            }
        }
        (value, self.rest.len().min(5))
    }

    const fn missing(requested: usize, available: usize) -> TryGetError {
        TryGetError { requested, available }
    }
}

impl Buf for Guarded {
    fn remaining(&self) -> usize {
        self.rest.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.rest
    }

    fn advance(&mut self, count: usize) {
        self.rest.advance(count);
        self.walk();
    }

    /// A flag, or a byte of a varint.
    fn try_get_u8(&mut self) -> Result<u8, TryGetError> {
        let Some(&byte) = self.rest.first() else { return Err(Self::missing(1, 0)) };
        if self.varint_left > 0 {
            self.varint_left -= 1;
        } else if byte >= 0x80 {
            let (value, length) = self.varint_ahead();
            // The length of a compact array or string is one more than it says.
            if self.is_suspicious(value.saturating_sub(1), length) {
                let told = self.pass.varint();
                self.replace(length, value, usize::from(told));
                return Ok(told);
            }
            self.varint_left = length - 1;
        }
        self.advance(1);
        Ok(byte)
    }

    fn try_get_i32(&mut self) -> Result<i32, TryGetError> {
        let Some(bytes) = self.rest.first_chunk::<4>() else {
            return Err(Self::missing(4, self.rest.len()));
        };
        let number = i32::from_be_bytes(*bytes);
        if let Ok(real) = u64::try_from(number)
            && self.is_suspicious(real, 4)
        {
            let told = self.pass.number();
            self.replace(4, real, usize::try_from(told).unwrap_or(0));
            return Ok(told);
        }
        self.advance(4);
        Ok(number)
    }
}

impl ByteBuf for Guarded {
    fn peek_bytes(&mut self, range: std::ops::Range<usize>) -> Bytes {
        self.rest.slice(range)
    }

    fn get_bytes(&mut self, size: usize) -> Bytes {
        let bytes = self.rest.split_to(size);
        self.walk();
        bytes
    }

    fn try_get_bytes(&mut self, size: usize) -> Result<Bytes, NotEnoughBytesError> {
        let size = match self.shortened {
            Some(it) if it.told == size => it.real,
            // The length of a compact string is one more than it has.
            Some(it) if it.told == size + 1 => it.real - 1,
            Some(_) | None => size,
        };
        if self.rest.len() < size {
            return Err(NotEnoughBytesError);
        }
        Ok(self.get_bytes(size))
    }
}
