//! Builds a record batch, record by record, straight into the bytes that are sent.

use bytes::{BufMut, Bytes, BytesMut};

use crate::batch::{Attributes, Batch, CHECKED_FROM, HEADER_BYTES, PREFIX_BYTES};
use crate::{Compression, ProducerStamp, varint};

/// A record to be written, borrowed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordRef<'a> {
    /// Milliseconds.
    pub timestamp: i64,
    /// Key, or null.
    pub key: Option<&'a [u8]>,
    /// Value, or null.
    pub value: Option<&'a [u8]>,
    /// Headers: names and values.
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
}

/// A batch in the making.
#[derive(Debug, Clone)]
pub struct BatchBuilder {
    /// Room for the header, then the records.
    buffer: BytesMut,
    attributes: Attributes,
    compression: Compression,
    producer: Option<ProducerStamp>,
    base_timestamp: i64,
    max_timestamp: i64,
    count: i32,
}

impl Default for BatchBuilder {
    fn default() -> BatchBuilder {
        BatchBuilder::new()
    }
}

impl BatchBuilder {
    /// An empty batch.
    pub fn new() -> BatchBuilder {
        BatchBuilder {
            buffer: BytesMut::zeroed(HEADER_BYTES),
            attributes: Attributes::default(),
            compression: Compression::None,
            producer: None,
            base_timestamp: -1,
            max_timestamp: -1,
            count: 0,
        }
    }

    /// Sets flags. The codec is set by [`BatchBuilder::with_compression`].
    pub fn with_attributes(mut self, attributes: Attributes) -> BatchBuilder {
        assert!(attributes.0 & 0b111 == 0, "the codec is not set with the flags");
        self.attributes = attributes;
        self
    }

    /// Compresses the records when the batch is built. Until then its length is that of the
    /// records as they are.
    pub fn with_compression(mut self, codec: Compression) -> BatchBuilder {
        self.compression = codec;
        self
    }

    /// Stamps the batch as an idempotent producer's.
    pub fn with_producer(mut self, stamp: ProducerStamp) -> BatchBuilder {
        self.producer = Some(stamp);
        self
    }

    /// Adds a record at the next offset.
    pub fn push(&mut self, record: &RecordRef<'_>) {
        assert!(self.count < i32::MAX, "offsets inside a batch are 32 bits wide");
        if self.count == 0 {
            self.base_timestamp = record.timestamp;
            self.max_timestamp = record.timestamp;
        }
        self.max_timestamp = self.max_timestamp.max(record.timestamp);
        let timestamp_delta = record.timestamp.wrapping_sub(self.base_timestamp);
        let offset_delta = i64::from(self.count);
        let length = body_len(record, timestamp_delta, offset_delta);
        varint::put(&mut self.buffer, length as i64);
        self.buffer.put_i8(0);
        varint::put(&mut self.buffer, timestamp_delta);
        varint::put(&mut self.buffer, offset_delta);
        put_nullable(&mut self.buffer, record.key);
        put_nullable(&mut self.buffer, record.value);
        varint::put(&mut self.buffer, record.headers.len() as i64);
        for (name, value) in record.headers {
            put_nullable(&mut self.buffer, Some(name.as_bytes()));
            put_nullable(&mut self.buffer, *value);
        }
        self.count += 1;
    }

    /// Length of the batch so far, header included.
    pub fn len_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// Length of the batch if this record were added.
    pub fn len_with(&self, record: &RecordRef<'_>) -> usize {
        let base = if self.count == 0 { record.timestamp } else { self.base_timestamp };
        let timestamp_delta = record.timestamp.wrapping_sub(base);
        let length = body_len(record, timestamp_delta, i64::from(self.count));
        self.buffer.len() + varint::len(length as i64) + length
    }

    /// Records so far.
    pub fn count(&self) -> i32 {
        self.count
    }

    /// Whether no record has been added.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Fills in the header: base offset 0, leader epoch −1, as a producer sends it.
    pub fn build(self) -> Batch {
        assert!(self.count > 0, "Kafka has no empty batches on the wire");
        let mut bytes = self.buffer;
        if self.compression != Compression::None {
            let body = self.compression.compress(&bytes[HEADER_BYTES..]);
            bytes.truncate(HEADER_BYTES);
            bytes.extend_from_slice(&body);
        }
        let attributes = Attributes(self.attributes.0 | self.compression.bits());
        let length = i32::try_from(bytes.len() - PREFIX_BYTES);
        let length = length.expect("batch.size keeps batches far below 2 GiB");
        let stamp = self.producer.unwrap_or(ProducerStamp {
            id: -1,
            epoch: -1,
            base_sequence: -1,
        });
        let mut header = &mut bytes[..HEADER_BYTES];
        header.put_i64(0);
        header.put_i32(length);
        header.put_i32(-1);
        header.put_i8(2);
        header.put_u32(0);
        header.put_i16(attributes.0);
        header.put_i32(self.count - 1);
        header.put_i64(self.base_timestamp);
        header.put_i64(self.max_timestamp);
        header.put_i64(stamp.id);
        header.put_i16(stamp.epoch);
        header.put_i32(stamp.base_sequence);
        header.put_i32(self.count);
        let crc = crc32c::crc32c(&bytes[CHECKED_FROM..]);
        bytes[17..21].copy_from_slice(&crc.to_be_bytes());
        Batch::from_built(bytes.freeze())
    }
}

/// One batch of `records`, which must not be empty.
pub fn encode_batch<'a>(records: impl IntoIterator<Item = RecordRef<'a>>) -> Bytes {
    let mut builder = BatchBuilder::new();
    for record in records {
        builder.push(&record);
    }
    builder.build().into_bytes()
}

fn body_len(record: &RecordRef<'_>, timestamp_delta: i64, offset_delta: i64) -> usize {
    let headers: usize = record
        .headers
        .iter()
        .map(|(name, value)| nullable_len(Some(name.as_bytes())) + nullable_len(*value))
        .sum();
    1 + varint::len(timestamp_delta)
        + varint::len(offset_delta)
        + nullable_len(record.key)
        + nullable_len(record.value)
        + varint::len(record.headers.len() as i64)
        + headers
}

fn nullable_len(bytes: Option<&[u8]>) -> usize {
    bytes.map_or(1, |bytes| varint::len(bytes.len() as i64) + bytes.len())
}

fn put_nullable(buffer: &mut BytesMut, bytes: Option<&[u8]>) {
    match bytes {
        None => varint::put(buffer, -1),
        Some(bytes) => {
            varint::put(buffer, bytes.len() as i64);
            buffer.put_slice(bytes);
        }
    }
}
