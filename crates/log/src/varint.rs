//! Variable-length integers inside records: zigzag, seven bits a byte, low bits first.

use bytes::{BufMut, BytesMut};

/// Longest encoding of a 64-bit number, in bytes.
const MAX_BYTES: u32 = 10;

/// Appends `value`.
pub(crate) fn put(buffer: &mut BytesMut, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        buffer.put_u8(rest as u8 | 0x80);
        rest >>= 7;
    }
    buffer.put_u8(rest as u8);
}

/// How many bytes [`put`] writes for `value`.
pub(crate) fn len(value: i64) -> usize {
    let zigzag = ((value << 1) ^ (value >> 63)) as u64;
    let bits = 64 - (zigzag | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

/// Takes a number off the front of `bytes`; `None` if it does not end in time.
pub(crate) fn take(bytes: &mut &[u8]) -> Option<i64> {
    let mut value: u64 = 0;
    for index in 0..MAX_BYTES {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Some((value >> 1) as i64 ^ -((value & 1) as i64));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_put_is_taken(value: i64) {
            let mut buffer = BytesMut::new();
            put(&mut buffer, value);
            prop_assert_eq!(buffer.len(), len(value));
            let mut bytes = &buffer[..];
            prop_assert_eq!(take(&mut bytes), Some(value));
            prop_assert!(bytes.is_empty());
        }
    }

    #[test]
    fn an_endless_number_is_refused() {
        assert_eq!(take(&mut &[0xff; 20][..]), None);
        assert_eq!(take(&mut &[0x80][..]), None);
    }
}
