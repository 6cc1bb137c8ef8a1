//! The characters of a line as they are set: one after the other, with advance and kerning.
//!
//! Measuring, wrapping and outlining all walk this one iterator, so that they cannot disagree.
//! All lengths are whole font units: sums are exact, and a line cut in two measures the same
//! as its halves but for the kerning at the cut.

use std::str::CharIndices;

use crate::characters::{FIRST_MARK, JOINER, is_flag_half, is_mark, is_wide, is_zero};
use crate::metrics::Metrics;

/// One character in its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    /// The character; composed, if a combining mark followed.
    pub(crate) c: char,
    /// Where it begins in the text.
    pub(crate) at: usize,
    /// Its own room, in font units.
    pub(crate) advance: u16,
    /// Extra space before it.
    pub(crate) kerning: i16,
    /// Its kerning class towards what follows.
    pub(crate) row: u8,
    /// Whether the face has a glyph for it.
    pub(crate) known: bool,
    /// Whether it belongs to the character before it and must stay with it.
    pub(crate) joined: bool,
}

/// What the characters so far mean for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    /// A wide sign without a glyph, likely an emoji.
    Wide,
    /// Such a sign and a joiner: the next one merges into it.
    WideJoiner,
    /// Half a flag.
    Flag,
}

/// Walks a line. Control characters take no room; line breaks are the caller's business.
#[derive(Debug, Clone)]
pub(crate) struct Glyphs<'t> {
    metrics: &'static Metrics,
    rest: CharIndices<'t>,
    row: u8,
    before: Before,
}

impl<'t> Glyphs<'t> {
    pub(crate) fn new(metrics: &'static Metrics, text: &'t str) -> Self {
        Glyphs { metrics, rest: text.char_indices(), row: 0, before: Before::Nothing }
    }

    /// Takes the combining marks that make one known character with `base`.
    fn compose(&mut self, mut base: char) -> char {
        while let Some((_, mark)) = self.rest.clone().next() {
            if mark < FIRST_MARK {
                break;
            }
            let Some(composed) = self.metrics.compose(base, mark) else { break };
            base = composed;
            self.rest.next();
        }
        base
    }

    /// A character that the face lacks: its room, and whether it joins the one before.
    fn unknown(&mut self, c: char) -> (u16, bool) {
        let em = self.metrics.units_per_em;
        let merges = matches!(self.before, Before::Wide | Before::WideJoiner);
        if is_mark(c) {
            self.before = match (c, self.before) {
                (JOINER, Before::Wide) => Before::WideJoiner,
                (_, before) => before,
            };
            let modifier = merges && is_wide(c);
            return (if modifier { 0 } else { room(em, c) }, true);
        }
        if self.before == Before::WideJoiner {
            self.before = Before::Wide;
            return (0, true);
        }
        if is_flag_half(c) {
            let second = self.before == Before::Flag;
            self.before = if second { Before::Nothing } else { Before::Flag };
            return (if second { 0 } else { em }, second);
        }
        self.before = if is_wide(c) { Before::Wide } else { Before::Nothing };
        (room(em, c), false)
    }
}

impl Iterator for Glyphs<'_> {
    type Item = Placed;

    fn next(&mut self) -> Option<Placed> {
        let (at, first) = self.rest.next()?;
        let c = self.compose(first);
        let Some(glyph) = self.metrics.glyph(c) else {
            let (advance, joined) = self.unknown(c);
            if !is_zero(c) {
                self.row = 0;
            }
            return Some(Placed {
                c,
                at,
                advance,
                kerning: 0,
                row: self.row,
                known: false,
                joined,
            });
        };
        if is_mark(c) {
            // Kerning looks past marks, at the letters they sit on.
            let Glyphs { row, .. } = *self;
            return Some(Placed {
                c,
                at,
                advance: 0,
                kerning: 0,
                row,
                known: true,
                joined: true,
            });
        }
        self.before = Before::Nothing;
        let kerning = self.metrics.kerning(self.row, glyph.column);
        self.row = glyph.row;
        let (advance, row) = (glyph.advance, glyph.row);
        Some(Placed { c, at, advance, kerning, row, known: true, joined: false })
    }
}

/// Room for a character without a glyph.
fn room(em: u16, c: char) -> u16 {
    if is_zero(c) {
        0
    } else if is_wide(c) {
        em
    } else {
        // 0.6 em, the width of most alphabets' letters, rounded to a whole unit.
        (u32::from(em) * 6).div_ceil(10) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::Face;
    use crate::metrics;

    fn advances(text: &str) -> Vec<u16> {
        Glyphs::new(metrics::of(Face::Mono), text).map(|glyph| glyph.advance).collect()
    }

    #[test]
    fn unknown_characters_get_room_by_their_kind() {
        assert_eq!(advances("漢ع🚀"), [1000, 600, 1000]);
        assert_eq!(advances("\u{7}\u{200B}"), [0, 0]);
    }

    #[test]
    fn a_joined_emoji_takes_the_room_of_one() {
        let family = "👩\u{200D}👩\u{200D}👧";
        assert_eq!(advances(family).iter().sum::<u16>(), 1000);
        assert_eq!(advances("👍🏽"), [1000, 0]);
        assert_eq!(advances("🇩🇪🇫🇷"), [1000, 0, 1000, 0]);
        let joined =
            Glyphs::new(metrics::of(Face::Mono), family).map(|glyph| glyph.joined);
        assert!(joined.eq([false, true, true, true, true]));
    }

    #[test]
    fn a_mark_composes_or_stays_with_its_letter() {
        let placed: Vec<_> =
            Glyphs::new(metrics::of(Face::Regular), "e\u{301}q\u{301}").collect();
        assert_eq!(placed.iter().map(|glyph| glyph.c).collect::<String>(), "éq\u{301}");
        assert!(placed[2].joined && placed[2].advance == 0);
    }
}
