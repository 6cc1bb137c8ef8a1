//! How wide a line is, and how high.
//!
//! The sum is made in whole font units and scaled once, so that it is exact and the same
//! on every machine.

use crate::face::Face;
use crate::glyphs::Glyphs;
use crate::metrics::{self, Metrics};

/// The vertical room of a line, in px.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineMetrics {
    /// From the baseline up to the top of the line's box.
    pub ascent: f64,
    /// From the baseline down to its bottom.
    pub descent: f64,
    /// From one baseline to the next: never less than the two together.
    pub line_height: f64,
}

/// Lines closer than this read as one block; Inter's own distance is a little less.
const LEAST_LINE_HEIGHT: f64 = 1.25;

/// Width in px of one line of text at `size` px, kerning included.
///
/// Characters that the face lacks count 1 em if they are of a wide script or emoji, else
/// 0.6 em; combining marks and control characters count nothing.
pub fn width(face: Face, size: f64, text: &str) -> f64 {
    let metrics = metrics::of(face);
    to_px(metrics, size, units(metrics, text))
}

/// The vertical room of a line at `size` px.
pub fn line_metrics(face: Face, size: f64) -> LineMetrics {
    let metrics = metrics::of(face);
    let ascent = to_px(metrics, size, i64::from(metrics.ascent));
    let descent = to_px(metrics, size, i64::from(metrics.descent));
    let own = i64::from(metrics.ascent)
        + i64::from(metrics.descent)
        + i64::from(metrics.line_gap);
    let least = LEAST_LINE_HEIGHT * to_px(metrics, size, i64::from(metrics.units_per_em));
    LineMetrics { ascent, descent, line_height: to_px(metrics, size, own).max(least) }
}

/// Whether the face has a glyph for the character. `outline` draws a box for the others.
pub fn covers(face: Face, c: char) -> bool {
    metrics::of(face).glyph(c).is_some()
}

/// Width of a line in font units.
pub(crate) fn units(metrics: &'static Metrics, text: &str) -> i64 {
    if text.is_ascii() {
        return ascii_units(metrics, text);
    }
    Glyphs::new(metrics, text)
        .map(|glyph| i64::from(glyph.advance) + i64::from(glyph.kerning))
        .sum()
}

/// The same for the usual label, in which nothing composes and nothing joins.
fn ascii_units(metrics: &Metrics, text: &str) -> i64 {
    let (mut units, mut row) = (0, 0);
    for glyph in text.bytes().filter_map(|byte| metrics.glyph(char::from(byte))) {
        units += i64::from(glyph.advance) + i64::from(metrics.kerning(row, glyph.column));
        row = glyph.row;
    }
    units
}

/// Font units in px at a font size. A size that is no size measures nothing.
pub(crate) fn to_px(metrics: &Metrics, size: f64, units: i64) -> f64 {
    let size = if size.is_finite() { size.max(0.0) } else { 0.0 };
    units as f64 * size / f64::from(metrics.units_per_em)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kerning_draws_letters_together() {
        let apart = width(Face::Regular, 14.0, "A") + width(Face::Regular, 14.0, "V");
        assert!(width(Face::Regular, 14.0, "AV") < apart - 0.5);
    }

    #[test]
    fn plain_labels_measure_as_all_others_do() {
        let metrics = metrics::of(Face::Regular);
        let ascii: Vec<char> = ('\0'..='\u{7F}').collect();
        for pair in ascii.iter().flat_map(|&a| ascii.iter().map(move |&b| [a, b, 'V'])) {
            let text = String::from_iter(pair);
            // An invisible character more, and the label is not plain.
            assert_eq!(units(metrics, &text), units(metrics, &(text + "\u{200B}")));
        }
    }

    #[test]
    fn mono_letters_share_one_width() {
        assert_eq!(width(Face::Mono, 10.0, "illi"), 24.0);
        assert_eq!(width(Face::Mono, 10.0, "WOM0"), 24.0);
    }

    #[test]
    fn a_size_that_is_no_size_measures_nothing() {
        for size in [f64::NAN, f64::INFINITY, -3.0, 0.0] {
            assert_eq!(width(Face::Regular, size, "abc"), 0.0);
        }
    }

    #[test]
    fn a_line_is_at_least_as_high_as_its_letters() {
        for face in [Face::Regular, Face::SemiBold, Face::Mono] {
            let line = line_metrics(face, 16.0);
            assert!(line.ascent > 12.0 && line.descent > 3.0, "{face:?} {line:?}");
            assert!(line.line_height >= line.ascent + line.descent - 1e-9, "{face:?}");
        }
    }

    #[test]
    fn arrows_and_check_marks_are_covered_and_cjk_is_not() {
        for c in "→←↔⇒✓✗●■▲…—ŁŠß".chars() {
            assert!(covers(Face::Regular, c) && covers(Face::SemiBold, c), "{c}");
        }
        assert!(!covers(Face::Regular, '漢') && !covers(Face::Mono, '🚀'));
    }
}
