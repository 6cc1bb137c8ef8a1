//! Kafka's flexible encoding: compact lengths, varints and tagged fields.
//!
//! Only what metadata records need. Reading never panics: whatever is short, overlong or not
//! UTF-8 is [`MalformedRecord`].

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use topomotion_wire::NodeId;
use uuid::Uuid;

use super::MalformedRecord;

/// Builds the bytes of one record.
#[derive(Debug, Clone, Default)]
pub(super) struct Writer {
    buffer: BytesMut,
}

impl Writer {
    pub(super) fn finish(self) -> Bytes {
        self.buffer.freeze()
    }

    pub(super) fn unsigned(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.buffer.put_u8(value as u8 | 0x80);
            value >>= 7;
        }
        self.buffer.put_u8(value as u8);
    }

    pub(super) fn i8(&mut self, value: i8) {
        self.buffer.put_i8(value);
    }

    pub(super) fn i16(&mut self, value: i16) {
        self.buffer.put_i16(value);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.buffer.put_u16(value);
    }

    pub(super) fn i32(&mut self, value: i32) {
        self.buffer.put_i32(value);
    }

    pub(super) fn i64(&mut self, value: i64) {
        self.buffer.put_i64(value);
    }

    pub(super) fn uuid(&mut self, value: Uuid) {
        self.buffer.put_slice(value.as_bytes());
    }

    /// A compact length: one more than it says, so that zero can mean null.
    pub(super) fn length(&mut self, length: usize) {
        let length = u32::try_from(length + 1);
        self.unsigned(length.expect("metadata records are far below 4 GiB"));
    }

    pub(super) fn string(&mut self, value: &str) {
        self.length(value.len());
        self.buffer.put_slice(value.as_bytes());
    }

    pub(super) fn nullable_string(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.string(value),
            None => self.unsigned(0),
        }
    }

    pub(super) fn bytes(&mut self, value: &[u8]) {
        self.length(value.len());
        self.buffer.put_slice(value);
    }

    pub(super) fn nodes(&mut self, nodes: &[NodeId]) {
        self.length(nodes.len());
        for node in nodes {
            self.i32(node.0);
        }
    }

    /// Tagged fields, which must come in the order of their tags.
    pub(super) fn tags(&mut self, tags: &[(u32, Bytes)]) {
        assert!(tags.is_sorted_by_key(|(tag, _)| *tag), "Kafka writes tags in order");
        self.unsigned(tags.len() as u32);
        for (tag, value) in tags {
            self.unsigned(*tag);
            self.unsigned(value.len() as u32);
            self.buffer.put_slice(value);
        }
    }
}

/// The bytes that `write` produces, for the value of a tagged field.
pub(super) fn tagged(write: impl FnOnce(&mut Writer)) -> Bytes {
    let mut writer = Writer::default();
    write(&mut writer);
    writer.finish()
}

/// Reads the bytes of one record.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    rest: Bytes,
}

impl Reader {
    pub(super) fn new(bytes: Bytes) -> Reader {
        Reader { rest: bytes }
    }

    pub(super) fn take(&mut self, length: usize) -> Result<Bytes, MalformedRecord> {
        if self.rest.len() < length {
            return Err(MalformedRecord::Short);
        }
        Ok(self.rest.split_to(length))
    }

    pub(super) fn unsigned(&mut self) -> Result<u32, MalformedRecord> {
        let mut value: u64 = 0;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(value).map_err(|_| MalformedRecord::Number);
            }
        }
        Err(MalformedRecord::Number)
    }

    pub(super) fn i8(&mut self) -> Result<i8, MalformedRecord> {
        Ok(self.take(1)?.get_i8())
    }

    pub(super) fn i16(&mut self) -> Result<i16, MalformedRecord> {
        Ok(self.take(2)?.get_i16())
    }

    pub(super) fn u16(&mut self) -> Result<u16, MalformedRecord> {
        Ok(self.take(2)?.get_u16())
    }

    pub(super) fn i32(&mut self) -> Result<i32, MalformedRecord> {
        Ok(self.take(4)?.get_i32())
    }

    pub(super) fn i64(&mut self) -> Result<i64, MalformedRecord> {
        Ok(self.take(8)?.get_i64())
    }

    pub(super) fn uuid(&mut self) -> Result<Uuid, MalformedRecord> {
        Uuid::from_slice(&self.take(16)?).map_err(|_| MalformedRecord::Short)
    }

    /// A compact length; none for null.
    pub(super) fn length(&mut self) -> Result<Option<usize>, MalformedRecord> {
        Ok(self.unsigned()?.checked_sub(1).map(|length| length as usize))
    }

    /// A compact length of something that must not be null.
    pub(super) fn count(&mut self) -> Result<usize, MalformedRecord> {
        self.length()?.ok_or(MalformedRecord::Null)
    }

    pub(super) fn string(&mut self) -> Result<Arc<str>, MalformedRecord> {
        self.nullable_string()?.ok_or(MalformedRecord::Null)
    }

    pub(super) fn nullable_string(
        &mut self,
    ) -> Result<Option<Arc<str>>, MalformedRecord> {
        let Some(length) = self.length()? else { return Ok(None) };
        let bytes = self.take(length)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| MalformedRecord::Text)?;
        Ok(Some(text.into()))
    }

    pub(super) fn bytes(&mut self) -> Result<Bytes, MalformedRecord> {
        let length = self.count()?;
        self.take(length)
    }

    pub(super) fn nodes(&mut self) -> Result<Vec<NodeId>, MalformedRecord> {
        // Nothing is reserved for a length that the bytes may not have.
        let count = self.count()?;
        (0..count).map(|_| Ok(NodeId(self.i32()?))).collect()
    }

    /// Tagged fields; the caller picks those it knows.
    pub(super) fn tags(&mut self) -> Result<Vec<(u32, Reader)>, MalformedRecord> {
        let count = self.unsigned()?;
        let mut tags = Vec::new();
        for _ in 0..count {
            let tag = self.unsigned()?;
            let length = self.unsigned()? as usize;
            tags.push((tag, Reader::new(self.take(length)?)));
        }
        Ok(tags)
    }
}
