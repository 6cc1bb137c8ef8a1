//! At most 255 colours for a whole film.
//!
//! Diagrams are flat: few colours cover nearly everything, and the rest are the mixes at
//! smoothed edges. So: first the colours that must be exact, then the most frequent, then
//! always the one that is worst served so far, farther and more frequent first. No
//! dithering: on flat art it costs size and looks worse.

use std::collections::BTreeMap;

/// 256, less the one that stands for "unchanged".
const COLORS_MAX: usize = 255;
/// How many are chosen for being exact or frequent before distance counts.
const FREQUENT_MAX: usize = 160;
/// Slots for colours whose nearest entry is known.
const MEMO: usize = 1 << 14;

/// Red, green, blue.
pub(crate) type Color = [u8; 3];

/// How often each colour occurs.
pub(crate) type Counts = BTreeMap<Color, u64>;

/// A film's colours, and which of them stands for which pixel.
pub(crate) struct Indexer {
    colors: Vec<Color>,
    /// The colour (with a mark in the fourth byte that it is one) and its entry.
    memo: Vec<([u8; 4], u8)>,
}

/// The colours to use: `exact` ones as they are (as far as they fit), the rest by `counts`.
pub(crate) fn choose(exact: &[Color], counts: &Counts) -> Vec<Color> {
    let mut chosen: Vec<Color> = Vec::new();
    for color in exact.iter().take(FREQUENT_MAX) {
        if !chosen.contains(color) {
            chosen.push(*color);
        }
    }
    let mut rest: Vec<(Color, u64)> = counts
        .iter()
        .filter(|(color, _)| !chosen.contains(color))
        .map(|(&color, &count)| (color, count))
        .collect();
    rest.sort_by_key(|&(color, count)| (std::cmp::Reverse(count), color));
    let plenty = chosen.len() + rest.len() > COLORS_MAX;
    let most = if plenty { FREQUENT_MAX } else { COLORS_MAX };
    let frequent = rest.len().min(most.saturating_sub(chosen.len()));
    chosen.extend(rest.drain(..frequent).map(|(color, _)| color));
    farthest(&mut chosen, &rest);
    if chosen.is_empty() {
        chosen.push([255, 255, 255]);
    }
    chosen
}

/// Adds, one by one, the colour with the greatest distance weighted by how often it occurs.
fn farthest(chosen: &mut Vec<Color>, rest: &[(Color, u64)]) {
    let weight = |count: u64| (count as f64).sqrt();
    let mut open: Vec<(Color, f64, u32)> = rest
        .iter()
        .map(|&(color, count)| (color, weight(count), nearest(chosen, color).1))
        .collect();
    while chosen.len() < COLORS_MAX {
        let score = |entry: &(Color, f64, u32)| entry.1 * f64::from(entry.2);
        let Some(worst) =
            open.iter().copied().max_by(|a, b| score(a).total_cmp(&score(b)))
        else {
            return;
        };
        if worst.2 == 0 {
            return;
        }
        chosen.push(worst.0);
        for entry in &mut open {
            entry.2 = entry.2.min(distance(entry.0, worst.0));
        }
    }
}

/// The nearest of some colours, and how far it is.
fn nearest(colors: &[Color], color: Color) -> (usize, u32) {
    let mut best = (0, u32::MAX);
    for (index, &other) in colors.iter().enumerate() {
        let distance = distance(color, other);
        if distance < best.1 {
            best = (index, distance);
        }
    }
    best
}

fn distance(a: Color, b: Color) -> u32 {
    let square = |channel: usize| u32::from(a[channel].abs_diff(b[channel])).pow(2);
    square(0) + square(1) + square(2)
}

impl Indexer {
    /// For these colours, at most 255.
    pub fn new(colors: Vec<Color>) -> Indexer {
        debug_assert!(!colors.is_empty() && colors.len() <= COLORS_MAX);
        Indexer { colors, memo: vec![([0; 4], 0); MEMO] }
    }

    /// The entry nearest to a pixel (red, green, blue, opacity).
    pub fn index(&mut self, pixel: &[u8]) -> u8 {
        let key = [pixel[0], pixel[1], pixel[2], 1];
        let hash = u32::from_le_bytes(key).wrapping_mul(0x9e37_79b1) >> 18;
        let slot = &mut self.memo[hash as usize];
        if slot.0 != key {
            let color = [pixel[0], pixel[1], pixel[2]];
            *slot = (key, nearest(&self.colors, color).0 as u8);
        }
        slot.1
    }

    /// The entry that stands for "unchanged".
    pub fn unchanged(&self) -> u8 {
        self.colors.len() as u8
    }

    /// How many bits an entry takes; GIF knows no fewer than two.
    pub fn bits(&self) -> u8 {
        (2..8).find(|bits| usize::from(self.unchanged()) < 1 << bits).unwrap_or(8)
    }

    /// All entries, as GIF stores them.
    pub fn table(&self) -> Vec<u8> {
        let unchanged = [[0, 0, 0]];
        self.colors.iter().chain(&unchanged).flatten().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_colors_are_all_exact() {
        let counts: Counts = (0..100).map(|i| ([i, 0, 0], 1)).collect();
        let mut indexer = Indexer::new(choose(&[[0, 0, 255]], &counts));
        let table = indexer.table();
        for i in 0..100 {
            let entry = usize::from(indexer.index(&[i, 0, 0, 255])) * 3;
            assert_eq!(table[entry..entry + 3], [i, 0, 0]);
        }
        let entry = usize::from(indexer.index(&[0, 0, 255, 255])) * 3;
        assert_eq!(table[entry..entry + 3], [0, 0, 255]);
    }

    #[test]
    fn many_colors_fit_and_none_is_far_off() {
        let counts: Counts = (0..=255)
            .flat_map(|r| (0..16).map(move |g| ([r, g * 16, r / 2], 1 + u64::from(g))))
            .collect();
        let colors = choose(&[[1, 2, 3]], &counts);
        assert_eq!(colors.len(), COLORS_MAX);
        assert_eq!(colors[0], [1, 2, 3]);
        let worst = counts.keys().map(|&color| nearest(&colors, color).1).max().unwrap();
        assert!(worst < 40 * 40, "{worst}");
    }

    #[test]
    fn nothing_at_all_still_has_a_color() {
        assert_eq!(choose(&[], &Counts::new()), [[255, 255, 255]]);
    }
}
