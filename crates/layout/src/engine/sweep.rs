//! Which things see one another along an axis: a sweep with a skyline.

use std::collections::BTreeMap;

/// A closed extent across the axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    /// Lower end.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
}

impl Extent {
    /// From `lo` to `hi`, with some room around.
    pub fn around(lo: f64, hi: f64, room: f64) -> Extent {
        Extent { lo: lo - room, hi: hi + room }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Key(f64);

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// For things in the order in which they follow one another along the axis: all pairs with a
/// line of sight between them. If two things overlap across the axis, a chain of such pairs
/// leads from the first to the second.
pub fn visible_pairs(extents: &[Extent]) -> Vec<(usize, usize)> {
    // Start of each piece of the skyline: its end, and the thing that is seen there.
    let mut skyline: BTreeMap<Key, (f64, usize)> = BTreeMap::new();
    let mut pairs = Vec::new();
    for (index, extent) in extents.iter().enumerate() {
        if extent.lo >= extent.hi {
            continue;
        }
        let before = skyline.range(..Key(extent.lo)).next_back();
        let before = before.map(|(&start, &(end, thing))| (start, end, thing));
        let hidden: Vec<(Key, f64, usize)> = before
            .filter(|&(_, end, _)| end > extent.lo)
            .into_iter()
            .chain(
                skyline
                    .range(Key(extent.lo)..Key(extent.hi))
                    .map(|(&start, &(end, thing))| (start, end, thing)),
            )
            .collect();
        let first = pairs.len();
        for (start, end, thing) in hidden {
            skyline.remove(&start);
            if start.0 < extent.lo {
                skyline.insert(start, (extent.lo, thing));
            }
            if end > extent.hi {
                skyline.insert(Key(extent.hi), (end, thing));
            }
            if !pairs[first..].contains(&(thing, index)) {
                pairs.push((thing, index));
            }
        }
        skyline.insert(Key(extent.lo), (extent.hi, index));
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_something_is_not_seen() {
        let extents = [(0.0, 10.0), (0.0, 10.0), (5.0, 20.0), (12.0, 13.0)]
            .map(|(lo, hi)| Extent { lo, hi });
        assert_eq!(visible_pairs(&extents), [(0, 1), (1, 2), (2, 3)]);
    }

    #[test]
    fn what_shows_beside_something_is_seen() {
        let extents =
            [(0.0, 30.0), (10.0, 20.0), (0.0, 30.0)].map(|(lo, hi)| Extent { lo, hi });
        assert_eq!(visible_pairs(&extents), [(0, 1), (0, 2), (1, 2)]);
    }
}
