//! B11 to B25: holes, zombies, elections without proof, and what guards against them.

use super::Entry;

pub(super) const ALL: &[Entry] = &[];
