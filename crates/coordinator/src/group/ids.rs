//! Member ids that the coordinator gives out.

use std::sync::Arc;

use topomotion_wire::Random;

const LETTERS: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A new id: a name, where there is one, and 22 letters as in Kafka's own UUIDs.
pub(super) fn member_id(name: Option<&str>, random: &mut Random) -> Arc<str> {
    let mut bits = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
    let mut id = name.map(|name| format!("{name}-")).unwrap_or_default();
    for _ in 0..22 {
        id.push(char::from(LETTERS[(bits & 63) as usize]));
        bits >>= 6;
    }
    Arc::from(id)
}
