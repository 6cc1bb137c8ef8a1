//! `.snapshot` files: the state of producers at the offset in the file's name.
//!
//! ```text
//! version i16 = 1 | crc-32c u32 of all behind it | number of producers i32 | for each:
//! producer id i64 | epoch i16 | last sequence i32 | last offset i64 | offset delta i32 |
//! timestamp i64 | coordinator epoch i32 | first offset of the transaction i64
//! ```
//!
//! −1 stands for what there is not. Of a producer's last batches the file has one; the others
//! come back with the log itself.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use topomotion_wire::{Offset, ProducerEpoch, ProducerId};

use super::{BatchTrace, ProducerState, ProducerStates};

const VERSION: i16 = 1;
/// Version and checksum.
const CHECKED_FROM: usize = 6;
const ENTRY_BYTES: usize = 46;

impl ProducerStates {
    /// The whole file.
    pub(super) fn to_snapshot(&self) -> Bytes {
        let room = CHECKED_FROM + 4 + self.producers.len() * ENTRY_BYTES;
        let mut bytes = BytesMut::with_capacity(room);
        bytes.put_i16(VERSION);
        bytes.put_u32(0);
        bytes.put_i32(i32::try_from(self.producers.len()).unwrap_or(i32::MAX));
        for (id, state) in self.producers.iter().take(i32::MAX as usize) {
            put(&mut bytes, *id, state);
        }
        let crc = crc32c::crc32c(&bytes[CHECKED_FROM..]);
        bytes[2..CHECKED_FROM].copy_from_slice(&crc.to_be_bytes());
        bytes.freeze()
    }

    /// What a file says; `None` if it is damaged.
    pub(super) fn of_snapshot(file: &[u8]) -> Option<ProducerStates> {
        let mut head = file.get(..CHECKED_FROM)?;
        let (version, crc) = (head.get_i16(), head.get_u32());
        let mut rest = file.get(CHECKED_FROM..)?;
        if version != VERSION || crc32c::crc32c(rest) != crc || rest.len() < 4 {
            return None;
        }
        let count = usize::try_from(rest.get_i32()).ok()?;
        if rest.len() != count.checked_mul(ENTRY_BYTES)? {
            return None;
        }
        let mut states = ProducerStates::new();
        for entry in rest.chunks_exact(ENTRY_BYTES) {
            let (id, state) = take(entry);
            if let Some(first) = state.transaction {
                states.ongoing.insert(first, id);
            }
            states.producers.insert(id, state);
        }
        Some(states)
    }
}

fn put(bytes: &mut BytesMut, id: ProducerId, state: &ProducerState) {
    let last = state.batches.last();
    bytes.put_i64(id.0);
    bytes.put_i16(state.epoch.0);
    bytes.put_i32(last.map_or(-1, |it| it.last_sequence));
    bytes.put_i64(last.map_or(-1, |it| it.last_offset.0));
    bytes.put_i32(last.map_or(0, |it| it.offset_delta));
    bytes.put_i64(state.last_timestamp);
    bytes.put_i32(state.coordinator_epoch.unwrap_or(-1));
    bytes.put_i64(state.transaction.map_or(-1, |first| first.0));
}

fn take(mut entry: &[u8]) -> (ProducerId, ProducerState) {
    let id = ProducerId(entry.get_i64());
    let mut state = ProducerState::new(ProducerEpoch(entry.get_i16()));
    let (last_sequence, last_offset) = (entry.get_i32(), Offset(entry.get_i64()));
    let (offset_delta, timestamp) = (entry.get_i32(), entry.get_i64());
    if last_offset.0 >= 0 {
        let batch = BatchTrace { last_sequence, last_offset, offset_delta, timestamp };
        state.remember(batch);
    }
    state.last_timestamp = timestamp;
    state.coordinator_epoch = Some(entry.get_i32()).filter(|epoch| *epoch >= 0);
    state.transaction = Some(Offset(entry.get_i64())).filter(|first| first.0 >= 0);
    (id, state)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states() -> ProducerStates {
        let mut state = ProducerState::new(ProducerEpoch(3));
        state.remember(BatchTrace {
            last_sequence: 9,
            last_offset: Offset(20),
            offset_delta: 4,
            timestamp: 1_000,
        });
        state.transaction = Some(Offset(16));
        let mut states = ProducerStates::new();
        states.ongoing.insert(Offset(16), ProducerId(7));
        states.producers.insert(ProducerId(7), state);
        states
    }

    #[test]
    fn a_snapshot_is_written_as_kafka_writes_it() {
        let file = states().to_snapshot();
        let entry = [
            [0, 0, 0, 0, 0, 0, 0, 7].as_slice(),
            &[0, 3],
            &[0, 0, 0, 9],
            &[0, 0, 0, 0, 0, 0, 0, 20],
            &[0, 0, 0, 4],
            &[0, 0, 0, 0, 0, 0, 3, 232],
            &[255, 255, 255, 255],
            &[0, 0, 0, 0, 0, 0, 0, 16],
        ];
        assert_eq!(file[..2], [0, 1]);
        assert_eq!(file[2..6], crc32c::crc32c(&file[6..]).to_be_bytes());
        assert_eq!(file[6..10], [0, 0, 0, 1]);
        assert_eq!(file[10..], entry.concat());
    }

    #[test]
    fn a_snapshot_is_read_as_it_was_written() {
        let file = states().to_snapshot();
        assert_eq!(ProducerStates::of_snapshot(&file), Some(states()));
        let empty = ProducerStates::new();
        assert_eq!(ProducerStates::of_snapshot(&empty.to_snapshot()), Some(empty));
    }

    #[test]
    fn a_damaged_snapshot_is_none() {
        let good = states().to_snapshot();
        for at in 0..good.len() {
            let mut bad = good.to_vec();
            bad[at] ^= 1;
            assert_eq!(ProducerStates::of_snapshot(&bad), None, "byte {at}");
            assert_eq!(ProducerStates::of_snapshot(&good[..at]), None, "{at} bytes");
        }
    }
}
