//! The five bytes in front of a payload.

/// Magic byte and id, then the payload.
pub(crate) fn framed(id: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(5 + payload.len());
    bytes.push(0);
    bytes.extend(id.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// Id and payload; none for what no serializer wrote.
pub(crate) fn unframed(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (head, payload) = bytes.split_at_checked(5)?;
    let [0, id @ ..] = head else { return None };
    Some((u32::from_be_bytes(id.try_into().ok()?), payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_stands_behind_a_zero_in_four_bytes() {
        let bytes = framed(7, b"ab");
        assert_eq!(bytes, [0, 0, 0, 0, 7, b'a', b'b']);
        assert_eq!(unframed(&bytes), Some((7, &b"ab"[..])));
        assert_eq!(unframed(&[1, 0, 0, 0, 7]), None, "another magic byte");
        assert_eq!(unframed(&[0, 0, 0]), None);
    }
}
