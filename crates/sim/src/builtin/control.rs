//! C: the metadata quorum and the active controller.

use super::Entry;

pub(super) const ALL: &[Entry] = &[];
