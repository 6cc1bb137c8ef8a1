//! A batch's header, read where it lies, without taking a share of the bytes.
//!
//! The log walks over batches by their headers alone: to find an offset, to see what fits
//! into a fetch, to rebuild an index.

use topomotion_wire::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};

use crate::batch::{CHECKED_FROM, HEADER_BYTES, PREFIX_BYTES};
use crate::{Attributes, Malformed};

/// One whole batch, borrowed. Its header has been checked against its length, so every
/// accessor is total.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchView<'a> {
    bytes: &'a [u8],
}

impl<'a> BatchView<'a> {
    /// The batch at the front of `bytes`. Checks the header's bounds, not the checksum: see
    /// [`BatchView::verify`].
    pub(crate) fn first_in(bytes: &'a [u8]) -> Result<BatchView<'a>, Malformed> {
        let have = bytes.len();
        if have < HEADER_BYTES {
            return Err(Malformed::Incomplete { needed: HEADER_BYTES, have });
        }
        let length = i32::from_be_bytes(field(bytes, 8));
        let needed = usize::try_from(length).map_err(|_| Malformed::Length(length))?;
        let needed = needed.saturating_add(PREFIX_BYTES);
        if needed < HEADER_BYTES {
            return Err(Malformed::Length(length));
        }
        let magic = bytes[16] as i8;
        if magic != 2 {
            return Err(Malformed::Magic(magic));
        }
        if have < needed {
            return Err(Malformed::Incomplete { needed, have });
        }
        let view = BatchView { bytes: &bytes[..needed] };
        view.check_count()?;
        Ok(view)
    }

    /// The batch at the front of `bytes`, which have been checked before.
    pub(crate) fn next_checked(bytes: &'a [u8]) -> BatchView<'a> {
        let length = i32::from_be_bytes(field(bytes, 8));
        BatchView { bytes: &bytes[..PREFIX_BYTES + length as usize] }
    }

    /// The batch that is all of `bytes`, which has been checked before.
    pub(crate) fn of_checked(bytes: &'a [u8]) -> BatchView<'a> {
        assert!(bytes.len() >= HEADER_BYTES, "a checked batch has its header");
        BatchView { bytes }
    }

    /// Compaction leaves gaps, so fewer records than offsets is fine; more is not.
    fn check_count(self) -> Result<(), Malformed> {
        let (count, last_offset_delta) = (self.count(), self.last_offset_delta());
        let fits = count >= 0 && i64::from(count) <= i64::from(last_offset_delta) + 1;
        let delta_ok = last_offset_delta >= 0;
        let base_ok = self.base_offset().0.checked_add(i64::from(i32::MAX) + 1).is_some();
        if fits && delta_ok && base_ok {
            Ok(())
        } else {
            Err(Malformed::Count { count, last_offset_delta })
        }
    }

    /// Recomputes the checksum over everything that the leader does not rewrite.
    pub(crate) fn verify(self) -> Result<(), Malformed> {
        let stored = self.crc();
        let computed = crc32c::crc32c(&self.bytes[CHECKED_FROM..]);
        if stored == computed {
            Ok(())
        } else {
            Err(Malformed::Checksum { stored, computed })
        }
    }

    pub(crate) fn len(self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn base_offset(self) -> Offset {
        Offset(i64::from_be_bytes(self.field(0)))
    }

    pub(crate) fn last_offset(self) -> Offset {
        self.base_offset().plus(i64::from(self.last_offset_delta()))
    }

    pub(crate) fn next_offset(self) -> Offset {
        self.last_offset().plus(1)
    }

    pub(crate) fn leader_epoch(self) -> LeaderEpoch {
        LeaderEpoch(i32::from_be_bytes(self.field(12)))
    }

    pub(crate) fn crc(self) -> u32 {
        u32::from_be_bytes(self.field(17))
    }

    pub(crate) fn attributes(self) -> Attributes {
        Attributes(i16::from_be_bytes(self.field(21)))
    }

    pub(crate) fn last_offset_delta(self) -> i32 {
        i32::from_be_bytes(self.field(23))
    }

    pub(crate) fn max_timestamp(self) -> i64 {
        i64::from_be_bytes(self.field(35))
    }

    pub(crate) fn producer_id(self) -> ProducerId {
        ProducerId(i64::from_be_bytes(self.field(43)))
    }

    pub(crate) fn producer_epoch(self) -> ProducerEpoch {
        ProducerEpoch(i16::from_be_bytes(self.field(51)))
    }

    pub(crate) fn base_sequence(self) -> i32 {
        i32::from_be_bytes(self.field(53))
    }

    pub(crate) fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    pub(crate) fn count(self) -> i32 {
        i32::from_be_bytes(self.field(57))
    }

    /// The `N` bytes of a header field.
    pub(crate) fn field<const N: usize>(self, at: usize) -> [u8; N] {
        field(self.bytes, at)
    }
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut value = [0; N];
    value.copy_from_slice(&bytes[at..at + N]);
    value
}
