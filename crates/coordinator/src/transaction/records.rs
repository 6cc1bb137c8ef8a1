//! How a transaction stands in the log: Kafka's own key and value of `__transaction_state`.
//!
//! A key is a version (0) and the transactional id. A value is a version and the fields in
//! order; version 1 is the same with compact lengths and tagged fields, in which KIP-890 keeps
//! the neighbouring producer ids and the client's protocol. A tombstone forgets the id.

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_wire::{
    Bytes, ProducerEpoch, ProducerId, TopicPartition, TransactionState,
};

use super::TransactionVersion;
use super::state::{ClientProtocol, Transaction};

const KEY_VERSION: i16 = 0;
const PREVIOUS_PRODUCER_TAG: u64 = 0;
const NEXT_PRODUCER_TAG: u64 = 1;
const CLIENT_PROTOCOL_TAG: u64 = 2;
const NO_PRODUCER: i64 = -1;
const NO_TIME: i64 = -1;

/// The key of an id's records.
pub(super) fn encode_key(transactional_id: &str) -> Bytes {
    let mut bytes = Vec::new();
    put_i16(&mut bytes, KEY_VERSION);
    put_text(&mut bytes, Layout::Plain, transactional_id);
    bytes.into()
}

/// The id of a key; none for a key of another kind.
pub(super) fn decode_key(mut bytes: &[u8]) -> Option<Arc<str>> {
    let from = &mut bytes;
    if take_i16(from)? != KEY_VERSION {
        return None;
    }
    take_text(from, Layout::Plain)
}

/// The value that says this.
pub(super) fn encode_value(
    transaction: &Transaction,
    version: TransactionVersion,
) -> Bytes {
    let layout = match version {
        TransactionVersion::V0 => Layout::Plain,
        TransactionVersion::V1Unverified
        | TransactionVersion::V1
        | TransactionVersion::V2 => Layout::Flexible,
    };
    let mut bytes = Vec::new();
    put_i16(&mut bytes, layout as i16);
    put_i64(&mut bytes, transaction.producer.0);
    put_i16(&mut bytes, transaction.epoch.0);
    put_i32(&mut bytes, transaction.timeout_ms);
    bytes.push(state_number(transaction.state));
    put_partitions(&mut bytes, layout, transaction);
    put_i64(&mut bytes, transaction.updated_ms);
    put_i64(&mut bytes, transaction.started_ms.unwrap_or(NO_TIME));
    if layout == Layout::Flexible {
        put_tags(&mut bytes, transaction);
    }
    bytes.into()
}

/// What a value says; none for one that nobody wrote so.
pub(super) fn decode_value(mut bytes: &[u8]) -> Option<Transaction> {
    let from = &mut bytes;
    let layout = match take_i16(from)? {
        0 => Layout::Plain,
        1 => Layout::Flexible,
        _ => return None,
    };
    let producer = ProducerId(take_i64(from)?);
    let epoch = ProducerEpoch(take_i16(from)?);
    let timeout_ms = take_i32(from)?;
    let state = numbered_state(take::<1>(from)?[0])?;
    let partitions = take_partitions(from, layout)?;
    let updated_ms = take_i64(from)?;
    let started_ms = Some(take_i64(from)?).filter(|&time| time != NO_TIME);
    let mut transaction = Transaction {
        producer,
        epoch,
        state,
        partitions: partitions.into_iter().collect(),
        started_ms,
        ..Transaction::new(producer, timeout_ms, updated_ms)
    };
    if layout == Layout::Flexible {
        take_tags(from, &mut transaction)?;
    }
    Some(transaction)
}

/// How lengths are written; the number is the value's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Plain = 0,
    Flexible = 1,
}

fn put_partitions(bytes: &mut Vec<u8>, layout: Layout, transaction: &Transaction) {
    if transaction.state == TransactionState::Empty {
        return put_length(bytes, layout, None);
    }
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for partition in &transaction.partitions {
        topics.entry(&partition.topic).or_default().push(partition.partition);
    }
    put_length(bytes, layout, Some(topics.len()));
    for (topic, indexes) in topics {
        put_text(bytes, layout, topic);
        put_length(bytes, layout, Some(indexes.len()));
        indexes.into_iter().for_each(|index| put_i32(bytes, index));
        put_no_tags(bytes, layout);
    }
}

fn take_partitions(from: &mut &[u8], layout: Layout) -> Option<Vec<TopicPartition>> {
    let mut partitions = Vec::new();
    for _ in 0..take_length(from, layout)?.unwrap_or(0) {
        let topic = take_text(from, layout)?;
        for _ in 0..take_length(from, layout)?.unwrap_or(0) {
            partitions.push(TopicPartition::new(topic.clone(), take_i32(from)?));
        }
        if layout == Layout::Flexible {
            skip_tags(from)?;
        }
    }
    Some(partitions)
}

fn put_tags(bytes: &mut Vec<u8>, transaction: &Transaction) {
    let mut tags: Vec<(u64, Vec<u8>)> = Vec::new();
    let ids = [
        (PREVIOUS_PRODUCER_TAG, transaction.previous_producer),
        (NEXT_PRODUCER_TAG, transaction.next_producer),
    ];
    for (tag, id) in ids {
        tags.extend(id.map(|id| (tag, id.0.to_be_bytes().to_vec())));
    }
    if transaction.client == ClientProtocol::Two {
        tags.push((CLIENT_PROTOCOL_TAG, 2_i16.to_be_bytes().to_vec()));
    }
    put_varint(bytes, tags.len() as u64);
    for (tag, field) in tags {
        put_varint(bytes, tag);
        put_varint(bytes, field.len() as u64);
        bytes.extend(field);
    }
}

fn take_tags(from: &mut &[u8], transaction: &mut Transaction) -> Option<()> {
    for _ in 0..take_varint(from)? {
        let tag = take_varint(from)?;
        let length = usize::try_from(take_varint(from)?).ok()?;
        let (mut field, rest) = from.split_at_checked(length)?;
        *from = rest;
        let id = |id: i64| Some(ProducerId(id)).filter(|id| id.0 != NO_PRODUCER);
        match tag {
            PREVIOUS_PRODUCER_TAG => {
                transaction.previous_producer = id(take_i64(&mut field)?);
            }
            NEXT_PRODUCER_TAG => transaction.next_producer = id(take_i64(&mut field)?),
            CLIENT_PROTOCOL_TAG => {
                transaction.client = match take_i16(&mut field)? {
                    ..2 => ClientProtocol::One,
                    2.. => ClientProtocol::Two,
                };
            }
            _ => {}
        }
    }
    Some(())
}

fn put_no_tags(bytes: &mut Vec<u8>, layout: Layout) {
    if layout == Layout::Flexible {
        put_varint(bytes, 0);
    }
}

fn skip_tags(from: &mut &[u8]) -> Option<()> {
    for _ in 0..take_varint(from)? {
        take_varint(from)?;
        let length = usize::try_from(take_varint(from)?).ok()?;
        *from = from.split_at_checked(length)?.1;
    }
    Some(())
}

fn state_number(state: TransactionState) -> u8 {
    match state {
        TransactionState::Empty => 0,
        TransactionState::Ongoing => 1,
        TransactionState::PrepareCommit => 2,
        TransactionState::PrepareAbort => 3,
        TransactionState::CompleteCommit => 4,
        TransactionState::CompleteAbort => 5,
        TransactionState::Dead => 6,
        TransactionState::PrepareEpochFence => 7,
    }
}

fn numbered_state(number: u8) -> Option<TransactionState> {
    Some(match number {
        0 => TransactionState::Empty,
        1 => TransactionState::Ongoing,
        2 => TransactionState::PrepareCommit,
        3 => TransactionState::PrepareAbort,
        4 => TransactionState::CompleteCommit,
        5 => TransactionState::CompleteAbort,
        6 => TransactionState::Dead,
        7 => TransactionState::PrepareEpochFence,
        _ => return None,
    })
}

fn put_i16(bytes: &mut Vec<u8>, number: i16) {
    bytes.extend(number.to_be_bytes());
}

fn put_i32(bytes: &mut Vec<u8>, number: i32) {
    bytes.extend(number.to_be_bytes());
}

fn put_i64(bytes: &mut Vec<u8>, number: i64) {
    bytes.extend(number.to_be_bytes());
}

fn put_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// The length of an array; none is null.
fn put_length(bytes: &mut Vec<u8>, layout: Layout, length: Option<usize>) {
    match layout {
        Layout::Plain => {
            let length = length.map_or(-1, |length| i32::try_from(length).unwrap_or(-1));
            put_i32(bytes, length);
        }
        Layout::Flexible => {
            put_varint(bytes, length.map_or(0, |length| length as u64 + 1));
        }
    }
}

fn put_text(bytes: &mut Vec<u8>, layout: Layout, text: &str) {
    match layout {
        // Requests carry no longer names, so that the cut never happens.
        Layout::Plain => put_i16(bytes, i16::try_from(text.len()).unwrap_or(i16::MAX)),
        Layout::Flexible => put_varint(bytes, text.len() as u64 + 1),
    }
    bytes.extend(text.as_bytes());
}

fn take<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    let (&taken, rest) = from.split_first_chunk::<N>()?;
    *from = rest;
    Some(taken)
}

fn take_i16(from: &mut &[u8]) -> Option<i16> {
    take(from).map(i16::from_be_bytes)
}

fn take_i32(from: &mut &[u8]) -> Option<i32> {
    take(from).map(i32::from_be_bytes)
}

fn take_i64(from: &mut &[u8]) -> Option<i64> {
    take(from).map(i64::from_be_bytes)
}

fn take_varint(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for index in 0..5 {
        let [byte] = take::<1>(from)?;
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn take_length(from: &mut &[u8], layout: Layout) -> Option<Option<usize>> {
    Some(match layout {
        Layout::Plain => usize::try_from(take_i32(from)?).ok(),
        Layout::Flexible => usize::try_from(take_varint(from)?).ok()?.checked_sub(1),
    })
}

fn take_text(from: &mut &[u8], layout: Layout) -> Option<Arc<str>> {
    let length = match layout {
        Layout::Plain => usize::try_from(take_i16(from)?).ok()?,
        Layout::Flexible => usize::try_from(take_varint(from)?).ok()?.checked_sub(1)?,
    };
    let (text, rest) = from.split_at_checked(length)?;
    *from = rest;
    std::str::from_utf8(text).ok().map(Arc::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Transaction {
        Transaction {
            epoch: ProducerEpoch(3),
            state: TransactionState::PrepareCommit,
            partitions: [("a", 0), ("a", 2), ("b", 1)]
                .map(|(topic, index)| TopicPartition::new(topic, index))
                .into(),
            started_ms: Some(900),
            previous_producer: Some(ProducerId(6)),
            next_producer: Some(ProducerId(8)),
            client: ClientProtocol::Two,
            ..Transaction::new(ProducerId(7), 60_000, 1_000)
        }
    }

    #[test]
    fn a_key_names_its_id() {
        let key = encode_key("pay");
        assert_eq!(key[..], [0, 0, 0, 3, b'p', b'a', b'y']);
        assert_eq!(decode_key(&key).as_deref(), Some("pay"));
        assert_eq!(decode_key(&[0, 1, 0, 0]), None, "a key of another version");
    }

    #[test]
    fn a_flexible_value_says_everything_that_lasts() {
        let value = encode_value(&sample(), TransactionVersion::V2);
        assert_eq!(decode_value(&value), Some(sample()));
        assert_eq!(value[..2], [0, 1]);
    }

    #[test]
    fn an_old_value_has_no_tags() {
        let value = encode_value(&sample(), TransactionVersion::V0);
        let plain = Transaction {
            previous_producer: None,
            next_producer: None,
            client: ClientProtocol::One,
            ..sample()
        };
        assert_eq!(decode_value(&value), Some(plain));
        // version, id, epoch, timeout, state; two topics; two times.
        let topics = 4 + (2 + 1 + 4 + 8) + (2 + 1 + 4 + 4);
        assert_eq!(value.len(), 2 + 8 + 2 + 4 + 1 + topics + 16);
    }

    #[test]
    fn an_empty_transaction_has_no_partitions_at_all() {
        let value =
            encode_value(&Transaction::new(ProducerId(7), 1, 2), TransactionVersion::V2);
        assert_eq!(value[17], 0, "a null array");
        assert_eq!(decode_value(&value), Some(Transaction::new(ProducerId(7), 1, 2)));
    }

    #[test]
    fn every_cut_of_a_value_is_refused() {
        for version in [TransactionVersion::V0, TransactionVersion::V2] {
            let value = encode_value(&sample(), version);
            for end in 0..value.len() {
                assert_eq!(decode_value(&value[..end]), None, "cut at {end}");
            }
        }
    }
}
