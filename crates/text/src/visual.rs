//! Where each character of a line stands, once what is written from right to left runs that
//! way.
//!
//! The line's own direction is left to right, as everywhere in a picture. A run of Hebrew,
//! Arabic and their like, with the spaces and punctuation inside it, is mirrored as a whole
//! within its room: the rest of the bidirectional algorithm (embeddings, numbers inside such
//! a run) is left out. Measuring needs none of this: a mirrored run is as wide.

use crate::glyphs::{Glyphs, Placed};
use crate::metrics::Metrics;

/// The characters of a line in logical order, each with its left edge in font units.
pub(crate) fn placed(metrics: &'static Metrics, text: &str) -> Vec<(Placed, i64)> {
    let mut at = 0;
    let mut line: Vec<(Placed, i64)> = Vec::new();
    for glyph in Glyphs::new(metrics, text) {
        at += i64::from(glyph.kerning);
        line.push((glyph, at));
        at += i64::from(glyph.advance);
    }
    let mut start = 0;
    while let Some(first) = (start..line.len()).find(|&at| is_leftward(line[at].0.c)) {
        let goes_on = |&at: &usize| !is_rightward(line[at].0.c);
        let end = (first..line.len()).take_while(goes_on);
        let last =
            end.filter(|&at| is_leftward(line[at].0.c) || line[at].0.joined).last();
        let last = last.unwrap_or(first);
        mirror(&mut line[first..=last]);
        start = last + 1;
    }
    line
}

fn mirror(run: &mut [(Placed, i64)]) {
    let end = |(glyph, at): &(Placed, i64)| at + i64::from(glyph.advance);
    let (Some(left), Some(right)) =
        (run.first().map(|(_, at)| *at), run.iter().map(end).max())
    else {
        return;
    };
    for one in run {
        one.1 = left + right - end(one);
    }
}

/// Whether a character is written from right to left.
fn is_leftward(c: char) -> bool {
    matches!(c,
        '\u{5BE}' | '\u{5C0}' | '\u{5C3}' | '\u{5D0}'..='\u{5F4}' | '\u{608}'
        | '\u{60B}' | '\u{60D}' | '\u{61B}'..='\u{64A}' | '\u{66D}'..='\u{66F}'
        | '\u{671}'..='\u{6D5}' | '\u{6E5}'..='\u{6E6}' | '\u{6EE}'..='\u{6EF}'
        | '\u{6FA}'..='\u{710}' | '\u{712}'..='\u{72F}' | '\u{74D}'..='\u{7A5}'
        | '\u{7B1}'..='\u{7EA}' | '\u{800}'..='\u{815}' | '\u{840}'..='\u{858}'
        | '\u{860}'..='\u{88E}' | '\u{8A0}'..='\u{8C9}' | '\u{FB1D}'..='\u{FB4F}'
        | '\u{FB50}'..='\u{FD3D}' | '\u{FD50}'..='\u{FDFC}' | '\u{FE70}'..='\u{FEFC}')
}

/// Whether a character ends such a run: a letter or a digit that is not written so.
fn is_rightward(c: char) -> bool {
    c.is_alphanumeric() && !is_leftward(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::Face;
    use crate::metrics;

    /// The characters as they stand from left to right.
    fn seen(text: &str) -> String {
        let mut line = placed(metrics::of(Face::Mono), text);
        line.sort_by_key(|(_, at)| *at);
        line.iter().map(|(glyph, _)| glyph.c).collect()
    }

    #[test]
    fn hebrew_runs_to_the_left_within_its_room() {
        assert_eq!(seen("a שלום b"), "a םולש b");
        assert_eq!(seen("שלום עולם"), "םלוע םולש");
        assert_eq!(seen("x"), "x");
        assert_eq!(seen("שב 12 גד"), "בש 12 דג");
    }

    #[test]
    fn the_room_of_a_run_stays() {
        let metrics = metrics::of(Face::Mono);
        let edges = |text| -> (i64, i64) {
            let line = placed(metrics, text);
            let end = |(glyph, at): &(Placed, i64)| at + i64::from(glyph.advance);
            let left = line.iter().map(|(_, at)| *at).min().unwrap_or(0);
            (left, line.iter().map(end).max().unwrap_or(0))
        };
        assert_eq!(edges("שלום"), (0, 2400));
        assert_eq!(edges("a שלום"), (0, 3600));
    }
}
