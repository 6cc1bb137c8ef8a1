//! `leader-epoch-checkpoint`: the epoch cache as Kafka's text file (LOG-7).
//!
//! Version, number of entries, then one `epoch start` per line. It is written for those who
//! look into a data directory; the batches carry their epochs too, and a restart trusts them.

use std::fmt::Write as _;

use bytes::Bytes;

use crate::EpochCache;

/// The cache as a file.
pub(crate) fn write(cache: &EpochCache) -> Bytes {
    let mut text = format!("0\n{}\n", cache.entries().len());
    for entry in cache.entries() {
        writeln!(text, "{} {}", entry.epoch, entry.start)
            .expect("a String takes all text");
    }
    Bytes::from(text)
}

#[cfg(test)]
mod tests {
    use topomotion_wire::{LeaderEpoch, Offset};

    use super::*;

    #[test]
    fn the_file_is_kafkas_own() {
        let mut cache = EpochCache::new();
        cache.assign(LeaderEpoch(0), Offset(0));
        cache.assign(LeaderEpoch(5), Offset(12));
        assert_eq!(&write(&cache)[..], b"0\n2\n0 0\n5 12\n");
    }
}
