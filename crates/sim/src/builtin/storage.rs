//! F: what stands on disk.

use super::Entry;

pub(super) const ALL: &[Entry] = &[];
