//! A record batch, format v2: the unit of append, checksum, sequence and offset assignment.
//!
//! ```text
//!  0 base offset i64 | 8 length i32 | 12 leader epoch i32 | 16 magic i8 | 17 crc u32 |
//!  ── covered by the checksum: ──
//! 21 attributes i16 | 23 last offset delta i32 | 27 base timestamp i64 | 35 max timestamp i64 |
//! 43 producer id i64 | 51 producer epoch i16 | 53 base sequence i32 | 57 count i32 | 61 records
//! ```
//!
//! A [`Batch`] is a checked view over shared bytes: it never owns a decoded copy. The leader
//! rewrites base offset and leader epoch only, so the checksum stays (LOG-1); but where the
//! topic wants `LogAppendTime`, it writes the time of the append and the checksum anew.

use bytes::{Bytes, BytesMut};
use topomotion_wire::{BatchId, LeaderEpoch, Offset};

use crate::header::BatchView;
use crate::{Malformed, Records};

/// Bytes in front of the records.
pub(crate) const HEADER_BYTES: usize = 61;
/// Bytes that the length field does not count: base offset and length itself.
pub(crate) const PREFIX_BYTES: usize = 12;
/// First byte covered by the checksum.
pub(crate) const CHECKED_FROM: usize = 21;

/// The flags that name the codec.
const CODEC_BITS: i16 = 0b111;

/// How the records of a batch are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip.
    Gzip,
    /// Snappy.
    Snappy,
    /// LZ4 frames.
    Lz4,
    /// Zstandard.
    Zstd,
}

/// A batch's flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes(pub i16);

impl Attributes {
    /// Its timestamps are the leader's own (`LogAppendTime`): all of them are the largest.
    pub const LOG_APPEND_TIME: Attributes = Attributes(1 << 3);
    /// Part of a transaction.
    pub const TRANSACTIONAL: Attributes = Attributes(1 << 4);
    /// Holds a control record, which no application sees.
    pub const CONTROL: Attributes = Attributes(1 << 5);
    /// Compaction has met it; the place of the first timestamp says when what it keeps only for
    /// a while may go.
    pub const DELETE_HORIZON: Attributes = Attributes(1 << 6);

    /// Whether every flag of `other` is set.
    pub const fn contains(self, other: Attributes) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets of flags.
    pub const fn union(self, other: Attributes) -> Attributes {
        Attributes(self.0 | other.0)
    }

    /// How the records are compressed.
    pub const fn compression(self) -> Result<Compression, Malformed> {
        match self.0 & CODEC_BITS {
            0 => Ok(Compression::None),
            1 => Ok(Compression::Gzip),
            2 => Ok(Compression::Snappy),
            3 => Ok(Compression::Lz4),
            4 => Ok(Compression::Zstd),
            codec => Err(Malformed::Codec(codec)),
        }
    }
}

/// What an idempotent producer stamps on a batch (PRD-3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProducerStamp {
    /// The producer.
    pub id: i64,
    /// Its epoch.
    pub epoch: i16,
    /// Sequence number of the first record.
    pub base_sequence: i32,
}

/// One record batch over shared bytes. Its header has been checked against its length, so
/// every accessor is total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    bytes: Bytes,
}

impl Batch {
    /// Takes the first batch off the front of `bytes`. Checks the header's bounds, not the
    /// checksum: see [`Batch::verify`].
    pub fn split_from(bytes: &mut Bytes) -> Result<Batch, Malformed> {
        let length = BatchView::first_in(bytes)?.len();
        Ok(Batch { bytes: bytes.split_to(length) })
    }

    /// Recomputes the checksum over everything that the leader does not rewrite.
    pub fn verify(&self) -> Result<(), Malformed> {
        self.view().verify()
    }

    fn view(&self) -> BatchView<'_> {
        BatchView::of_checked(&self.bytes)
    }

    /// Wraps bytes that are one whole batch and have been checked.
    pub(crate) fn of_checked(bytes: Bytes) -> Batch {
        Batch { bytes }
    }

    /// The first record at or behind `from` whose timestamp reaches `timestamp`. Where the
    /// records cannot be read, the batch itself is the answer.
    pub(crate) fn first_at_time(
        &self,
        timestamp: i64,
        from: Offset,
    ) -> Option<(Offset, i64)> {
        match self.records() {
            Ok(records) => records
                .flatten()
                .map(|record| (record.offset, record.timestamp))
                .find(|&(offset, at)| at >= timestamp && offset >= from),
            Err(_) => Some((self.base_offset().max(from), self.max_timestamp())),
        }
    }

    /// Wraps bytes that [`BatchBuilder`](crate::BatchBuilder) has just laid out.
    pub(crate) fn from_built(bytes: Bytes) -> Batch {
        assert!(bytes.len() >= HEADER_BYTES, "a built batch has its header");
        Batch { bytes }
    }

    /// The same batch at its place in a leader's log. Rewrites in place when nobody else
    /// shares the bytes; the checksum does not cover what is rewritten (LOG-1).
    pub fn placed(self, base: Offset, epoch: LeaderEpoch) -> Batch {
        let mut bytes = self
            .bytes
            .try_into_mut()
            .unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        place(&mut bytes, base, epoch);
        Batch { bytes: bytes.freeze() }
    }

    /// The same records as an idempotent producer's, with these flags beside the codec. A
    /// producer stamps a batch as it leaves, and anew when it numbers its records anew
    /// (PRD-3, PRD-8); it is another batch then, with another identity.
    pub fn stamped(self, stamp: ProducerStamp, flags: Attributes) -> Batch {
        let codec = self.attributes().0 & 0b111;
        let mut bytes = self
            .bytes
            .try_into_mut()
            .unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        bytes[21..23].copy_from_slice(&(flags.0 | codec).to_be_bytes());
        bytes[43..51].copy_from_slice(&stamp.id.to_be_bytes());
        bytes[51..53].copy_from_slice(&stamp.epoch.to_be_bytes());
        bytes[53..57].copy_from_slice(&stamp.base_sequence.to_be_bytes());
        let crc = crc32c::crc32c(&bytes[CHECKED_FROM..]);
        bytes[17..21].copy_from_slice(&crc.to_be_bytes());
        Batch { bytes: bytes.freeze() }
    }

    /// Offset of the first record.
    pub fn base_offset(&self) -> Offset {
        self.view().base_offset()
    }

    /// Offset of the last record.
    pub fn last_offset(&self) -> Offset {
        self.base_offset().plus(i64::from(self.last_offset_delta()))
    }

    /// The offset after the last record.
    pub fn next_offset(&self) -> Offset {
        self.last_offset().plus(1)
    }

    /// Epoch of the leader that appended it; −1 in a batch that a producer sends.
    pub fn leader_epoch(&self) -> LeaderEpoch {
        self.view().leader_epoch()
    }

    /// The stored checksum.
    pub fn crc(&self) -> u32 {
        self.view().crc()
    }

    /// The batch's identity, the same at its producer and on every replica: the checksum that
    /// its producer would have computed without compression. A leader may compress anew.
    pub fn id(&self) -> BatchId {
        let is_changed = Attributes(Attributes::LOG_APPEND_TIME.0 | CODEC_BITS);
        let as_sent = self.attributes().0 & is_changed.0 == 0;
        BatchId(if as_sent { self.crc() } else { self.plain_crc() })
    }

    /// The checksum without compression, and before the leader wrote its own time: the largest
    /// timestamp that the producer wrote is still to be found in the records.
    fn plain_crc(&self) -> u32 {
        let Ok(body) = self.body() else { return self.crc() };
        let flags = self.attributes();
        let newest = match flags.contains(Attributes::LOG_APPEND_TIME) {
            true => Records::new(self, body.clone()).created_at().max(),
            false => Some(self.max_timestamp()),
        };
        let plain = flags.0 & !(Attributes::LOG_APPEND_TIME.0 | CODEC_BITS);
        let mut bytes = BytesMut::from(&self.bytes[..HEADER_BYTES]);
        bytes.extend_from_slice(&body);
        stamp(
            &mut bytes,
            Attributes(plain),
            newest.unwrap_or_else(|| self.base_timestamp()),
        );
        BatchView::of_checked(&bytes).crc()
    }

    /// Flags.
    pub fn attributes(&self) -> Attributes {
        self.view().attributes()
    }

    /// Whether it holds a control record, which takes an offset and which no application
    /// sees.
    pub fn is_control(&self) -> bool {
        self.attributes().contains(Attributes::CONTROL)
    }

    /// Offset of the last record minus that of the first.
    pub fn last_offset_delta(&self) -> i32 {
        self.view().last_offset_delta()
    }

    /// Timestamp of the first record, in milliseconds.
    pub fn base_timestamp(&self) -> i64 {
        i64::from_be_bytes(self.view().field(27))
    }

    /// From when on, in milliseconds, compaction may drop the tombstones or the marker that it
    /// holds (LOG-5).
    pub fn delete_horizon(&self) -> Option<i64> {
        let has_one = self.attributes().contains(Attributes::DELETE_HORIZON);
        has_one.then(|| self.base_timestamp())
    }

    /// The largest timestamp, in milliseconds.
    pub fn max_timestamp(&self) -> i64 {
        self.view().max_timestamp()
    }

    /// What an idempotent producer stamped on it.
    pub fn producer(&self) -> Option<ProducerStamp> {
        let id = i64::from_be_bytes(self.view().field(43));
        let epoch = i16::from_be_bytes(self.view().field(51));
        let base_sequence = i32::from_be_bytes(self.view().field(53));
        (id >= 0).then_some(ProducerStamp { id, epoch, base_sequence })
    }

    /// Number of records.
    pub fn count(&self) -> i32 {
        self.view().count()
    }

    /// Length in bytes, header included.
    pub fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The batch as it is stored and sent.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The batch as it is stored and sent.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// Its records, in order.
    ///
    /// # Errors
    /// When they are compressed and cannot be read.
    pub fn records(&self) -> Result<Records, Malformed> {
        Ok(Records::new(self, self.body()?))
    }

    /// What stands behind the header, uncompressed.
    pub(crate) fn body(&self) -> Result<Bytes, Malformed> {
        // Compaction leaves headers without anything behind them.
        if self.count() == 0 {
            return Ok(Bytes::new());
        }
        let codec = self.attributes().compression()?;
        codec.inflate(&self.bytes.slice(HEADER_BYTES..))
    }

    /// The same records, compressed with another codec: what a leader does whose topic has a
    /// `compression.type` of its own. It is another batch then, with a checksum of its own.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub fn recompressed(self, codec: Compression) -> Result<Batch, Malformed> {
        if self.attributes().compression()? == codec {
            return Ok(self);
        }
        let body = codec.compress(&self.body()?);
        let attributes = Attributes(self.attributes().0 & !CODEC_BITS | codec.bits());
        let mut bytes = BytesMut::from(&self.bytes[..HEADER_BYTES]);
        bytes.extend_from_slice(&body);
        let length = i32::try_from(bytes.len() - PREFIX_BYTES);
        let length = length.map_err(|_| Malformed::Inflated(codec))?;
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        stamp(&mut bytes, attributes, self.max_timestamp());
        Ok(Batch { bytes: bytes.freeze() })
    }
}

/// Writes the flags and the largest timestamp of the one batch that is all of `bytes`, and
/// its checksum anew.
pub(crate) fn stamp(bytes: &mut [u8], attributes: Attributes, newest: i64) {
    bytes[21..23].copy_from_slice(&attributes.0.to_be_bytes());
    bytes[35..43].copy_from_slice(&newest.to_be_bytes());
    let crc = crc32c::crc32c(&bytes[CHECKED_FROM..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
}

/// The batches in a run of bytes, checksums checked. Ends after the first bad one.
#[derive(Debug, Clone)]
pub struct Batches {
    rest: Bytes,
}

impl Batches {
    /// Reads `bytes` as batch after batch.
    pub fn new(bytes: Bytes) -> Batches {
        Batches { rest: bytes }
    }
}

impl Iterator for Batches {
    type Item = Result<Batch, Malformed>;

    fn next(&mut self) -> Option<Result<Batch, Malformed>> {
        if self.rest.is_empty() {
            return None;
        }
        let batch = Batch::split_from(&mut self.rest)
            .and_then(|batch| batch.verify().map(|()| batch));
        if batch.is_err() {
            self.rest.clear();
        }
        Some(batch)
    }
}

/// Writes what a leader writes into the batch at the front of `bytes`: base offset and
/// leader epoch, which the checksum does not cover (LOG-1).
pub(crate) fn place(bytes: &mut [u8], base: Offset, epoch: LeaderEpoch) {
    assert!(base.0 >= 0, "a log has no negative offsets");
    bytes[0..8].copy_from_slice(&base.0.to_be_bytes());
    bytes[12..16].copy_from_slice(&epoch.0.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BatchBuilder, RecordRef};
    use proptest::prelude::*;

    fn one(value: &[u8]) -> Batch {
        let mut builder = BatchBuilder::new();
        builder.push(&RecordRef { value: Some(value), ..RecordRef::default() });
        builder.build()
    }

    #[test]
    fn placing_a_batch_keeps_its_checksum_and_identity() {
        let batch = one(b"a");
        let placed = batch.clone().placed(Offset(41), LeaderEpoch(7));
        assert_eq!(
            (placed.base_offset(), placed.leader_epoch()),
            (Offset(41), LeaderEpoch(7))
        );
        assert_eq!(placed.id(), batch.id());
        assert_eq!(placed.verify(), Ok(()));
        assert_eq!(batch.base_offset(), Offset(0), "a shared batch is left as it was");
    }

    #[test]
    fn a_stamped_batch_is_as_if_it_had_been_built_with_the_stamp() {
        let stamp = ProducerStamp { id: 7, epoch: 2, base_sequence: 40 };
        let mut builder = BatchBuilder::new()
            .with_producer(stamp)
            .with_attributes(Attributes::TRANSACTIONAL);
        builder.push(&RecordRef { value: Some(b"a"), ..RecordRef::default() });
        let stamped = one(b"a").stamped(stamp, Attributes::TRANSACTIONAL);
        assert_eq!(stamped, builder.build());
        assert_eq!(stamped.verify(), Ok(()));
        assert_ne!(stamped.id(), one(b"a").id());
    }

    #[test]
    fn a_flipped_bit_is_seen_anywhere_behind_the_checksum() {
        let good = one(b"payload").into_bytes();
        for at in CHECKED_FROM..good.len() {
            let mut bad = BytesMut::from(&good[..]);
            bad[at] ^= 1;
            let mut batches = Batches::new(bad.freeze());
            assert!(matches!(batches.next(), Some(Err(_))), "byte {at}");
            assert!(batches.next().is_none());
        }
    }

    #[test]
    fn the_leaders_own_time_is_every_records_time_and_leaves_the_identity() {
        let mut builder = BatchBuilder::new();
        for timestamp in [7, 9, 8] {
            builder.push(&RecordRef { timestamp, ..RecordRef::default() });
        }
        let batch = builder.build();
        let mut bytes = BytesMut::from(&batch.bytes()[..]);
        stamp(&mut bytes, Attributes::LOG_APPEND_TIME, 1_000);
        let stamped = Batch::split_from(&mut bytes.freeze()).unwrap();
        assert_eq!(stamped.verify(), Ok(()));
        assert_ne!(stamped.crc(), batch.crc());
        assert_eq!(stamped.id(), batch.id());
        let times = stamped.records().unwrap().map(|it| it.unwrap().timestamp);
        assert_eq!(times.collect::<Vec<_>>(), [1_000; 3]);
    }

    #[test]
    fn a_cut_batch_is_incomplete() {
        let mut bytes = one(b"payload").into_bytes();
        bytes.truncate(bytes.len() - 1);
        let (needed, have) = (bytes.len() + 1, bytes.len());
        assert_eq!(
            Batch::split_from(&mut bytes),
            Err(Malformed::Incomplete { needed, have })
        );
    }

    #[test]
    fn more_records_than_offsets_are_refused() {
        let mut bytes = BytesMut::from(&one(b"a").into_bytes()[..]);
        bytes[57..61].copy_from_slice(&5_i32.to_be_bytes());
        assert!(matches!(
            Batch::split_from(&mut bytes.freeze()),
            Err(Malformed::Count { count: 5, last_offset_delta: 0 })
        ));
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(noise in prop::collection::vec(any::<u8>(), 0..300)) {
            for batch in Batches::new(Bytes::from(noise)).flatten() {
                if let Ok(records) = batch.records() {
                    records.for_each(drop);
                }
            }
        }

        #[test]
        fn a_damaged_batch_never_panics(
            at in 0usize..90, to: u8, value in prop::collection::vec(any::<u8>(), 0..30),
        ) {
            let mut bytes = BytesMut::from(&one(&value).into_bytes()[..]);
            let at = at % bytes.len();
            bytes[at] = to;
            let mut bytes = bytes.freeze();
            if let Ok(batch) = Batch::split_from(&mut bytes) {
                let _ = (batch.verify(), batch.producer(), batch.next_offset());
                if let Ok(records) = batch.records() {
                    records.for_each(drop);
                }
            }
        }
    }
}
