//! The primitive types of Kafka's record schemas, written and read by hand.
//!
//! Old schemas have lengths of fixed width, flexible ones have varints and tagged fields.

use topomotion_wire::{Bytes, TopicId};
use uuid::Uuid;

use super::Partitions;

/// Writes a key or a value.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    /// Begins with the schema's version.
    pub fn new(version: i16) -> Writer {
        let mut writer = Writer::default();
        writer.i16(version);
        writer
    }

    pub fn finish(self) -> Bytes {
        Bytes::from(self.0)
    }

    pub fn i8(&mut self, value: i8) {
        self.0.extend(value.to_be_bytes());
    }

    pub fn i16(&mut self, value: i16) {
        self.0.extend(value.to_be_bytes());
    }

    pub fn i32(&mut self, value: i32) {
        self.0.extend(value.to_be_bytes());
    }

    pub fn i64(&mut self, value: i64) {
        self.0.extend(value.to_be_bytes());
    }

    /// A string with two bytes of length. Longer ones do not fit into a request either.
    pub fn string(&mut self, value: &str) {
        self.i16(
            i16::try_from(value.len()).expect("a string came in with such a length"),
        );
        self.0.extend(value.as_bytes());
    }

    pub fn nullable(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.string(value),
            None => self.i16(-1),
        }
    }

    pub fn bytes(&mut self, value: &[u8]) {
        self.count(value.len());
        self.0.extend(value);
    }

    pub fn count(&mut self, count: usize) {
        self.i32(i32::try_from(count).expect("it came in with such a length"));
    }

    fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub fn compact_count(&mut self, count: usize) {
        self.varint(count as u64 + 1);
    }

    pub fn compact(&mut self, value: &str) {
        self.compact_count(value.len());
        self.0.extend(value.as_bytes());
    }

    pub fn compact_nullable(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.compact(value),
            None => self.varint(0),
        }
    }

    /// Partitions by topic, as all records of KIP-848 have them.
    pub fn partitions(&mut self, partitions: &Partitions) {
        let topics = by_topic(partitions);
        self.compact_count(topics.len());
        for (topic, indexes) in topics {
            self.0.extend(topic.0.as_bytes());
            self.compact_count(indexes.len());
            indexes.into_iter().for_each(|index| self.i32(index));
            self.no_tags();
        }
    }

    pub fn no_tags(&mut self) {
        self.varint(0);
    }

    /// One tagged field that is a number.
    pub fn tagged_i64(&mut self, tag: u64, value: i64) {
        self.varint(1);
        self.varint(tag);
        self.varint(8);
        self.i64(value);
    }
}

/// The partitions of each topic, in order.
pub(super) fn by_topic(partitions: &Partitions) -> Vec<(TopicId, Vec<i32>)> {
    let mut topics: Vec<(TopicId, Vec<i32>)> = Vec::new();
    for &(topic, index) in partitions {
        match topics.last_mut() {
            Some((last, indexes)) if *last == topic => indexes.push(index),
            Some(_) | None => topics.push((topic, vec![index])),
        }
    }
    topics
}

/// Reads what a [`Writer`] wrote; nothing where the bytes say otherwise.
#[derive(Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Over a key or a value, with its schema's version.
    pub fn new(bytes: &'a [u8]) -> Option<(Reader<'a>, i16)> {
        let mut reader = Reader(bytes);
        let version = reader.i16()?;
        Some((reader, version))
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub fn i8(&mut self) -> Option<i8> {
        self.array().map(i8::from_be_bytes)
    }

    pub fn i16(&mut self) -> Option<i16> {
        self.array().map(i16::from_be_bytes)
    }

    pub fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_be_bytes)
    }

    pub fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_be_bytes)
    }

    pub fn count(&mut self) -> Option<usize> {
        usize::try_from(self.i32()?).ok()
    }

    fn text(&mut self, length: usize) -> Option<&'a str> {
        std::str::from_utf8(self.take(length)?).ok()
    }

    pub fn string(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.i16()?).ok()?;
        self.text(length)
    }

    /// The outer nothing: broken; the inner: null.
    pub fn nullable(&mut self) -> Option<Nullable<'a>> {
        match self.i16()? {
            -1 => Some(Nullable(None)),
            length => self.text(usize::try_from(length).ok()?).map(Some).map(Nullable),
        }
    }

    pub fn bytes(&mut self) -> Option<Bytes> {
        let length = self.count()?;
        self.take(length).map(Bytes::copy_from_slice)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    pub fn compact_count(&mut self) -> Option<usize> {
        usize::try_from(self.varint()?.checked_sub(1)?).ok()
    }

    pub fn compact(&mut self) -> Option<&'a str> {
        let length = self.compact_count()?;
        self.text(length)
    }

    pub fn compact_nullable(&mut self) -> Option<Nullable<'a>> {
        match self.varint()? {
            0 => Some(Nullable(None)),
            length => {
                self.text(usize::try_from(length - 1).ok()?).map(Some).map(Nullable)
            }
        }
    }

    pub fn partitions(&mut self) -> Option<Partitions> {
        let mut partitions = Partitions::new();
        for _ in 0..self.compact_count()? {
            let topic = TopicId(Uuid::from_bytes(self.array()?));
            for _ in 0..self.compact_count()? {
                partitions.insert((topic, self.i32()?));
            }
            self.tagged(|_, _| ())?;
        }
        Some(partitions)
    }

    /// Tagged fields, each with its own bytes.
    pub fn tagged(&mut self, mut each: impl FnMut(u64, &mut Reader<'a>)) -> Option<()> {
        for _ in 0..self.varint()? {
            let tag = self.varint()?;
            let size = usize::try_from(self.varint()?).ok()?;
            each(tag, &mut Reader(self.take(size)?));
        }
        Some(())
    }
}

/// A string or null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Nullable<'a>(pub Option<&'a str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut writer = Writer::new(3);
        writer.string("orders");
        writer.nullable(None);
        writer.compact(&"x".repeat(300));
        writer.compact_nullable(None);
        let partitions = Partitions::from([
            (TopicId(Uuid::from_u128(7)), 0),
            (TopicId(Uuid::from_u128(7)), 2),
            (TopicId(Uuid::from_u128(9)), 1),
        ]);
        writer.partitions(&partitions);
        writer.tagged_i64(0, -5);
        let bytes = writer.finish();

        let (mut reader, version) = Reader::new(&bytes).unwrap();
        assert_eq!(version, 3);
        assert_eq!(reader.string(), Some("orders"));
        assert_eq!(reader.nullable(), Some(Nullable(None)));
        assert_eq!(reader.compact().map(str::len), Some(300));
        assert_eq!(reader.compact_nullable(), Some(Nullable(None)));
        assert_eq!(reader.partitions(), Some(partitions));
        let mut hash = None;
        reader.tagged(|_, field| hash = field.i64()).unwrap();
        assert_eq!(hash, Some(-5));
        assert!(reader.0.is_empty());
    }

    #[test]
    fn bytes_that_end_too_early_are_no_value() {
        let mut writer = Writer::new(0);
        writer.compact("orders");
        let bytes = writer.finish();
        for end in 2..bytes.len() {
            let (mut reader, _) = Reader::new(&bytes[..end]).unwrap();
            assert_eq!(reader.compact(), None);
        }
    }
}
