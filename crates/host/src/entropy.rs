//! Numbers that nobody can foresee.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A number that nobody can foresee, from the system's own randomness.
pub(crate) fn entropy() -> u64 {
    RandomState::new().build_hasher().finish()
}
