//! Which partition of an internal topic a group or a transactional id belongs to (GRP-1).

/// Java's `String.hashCode`, which Kafka counts with: of UTF-16 code units, in 32 bits.
pub fn java_hash(text: &str) -> i32 {
    text.encode_utf16()
        .fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// The partition that coordinates a group or a transactional id, of `count` partitions; the
/// first if there are none.
pub fn partition_for(key: &str, count: i32) -> i32 {
    // Kafka's own absolute value: the smallest number, which has none, becomes 0.
    let hash = java_hash(key).checked_abs().unwrap_or(0);
    hash.checked_rem(count).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_javas() {
        let known = [
            ("", 0),
            ("a", 97),
            ("hello", 99_162_322),
            ("Hello World", -862_545_276),
            ("polygenelubricants", i32::MIN),
            ("é", 233),
            ("😀", 1_772_899),
        ];
        for (text, hash) in known {
            assert_eq!(java_hash(text), hash, "{text}");
        }
    }

    #[test]
    fn a_key_keeps_its_partition() {
        assert_eq!(partition_for("hello", 50), 22);
        assert_eq!(partition_for("Hello World", 50), 26, "a negative hash");
        assert_eq!(
            partition_for("polygenelubricants", 50),
            0,
            "it has no absolute value"
        );
        assert_eq!(partition_for("hello", 1), 0);
        assert_eq!(partition_for("hello", 0), 0);
    }
}
