//! The characters of a line as they are set: one after the other, with advance and
//! kerning.
//!
//! Measuring, wrapping and outlining all walk this one iterator, so that they cannot
//! disagree. All lengths are whole font units: sums are exact, and a line cut in two
//! measures the same as its halves but for the kerning at the cut.

use std::str::CharIndices;

use crate::characters::{
    FIRST_MARK, JOINER, is_flag_half, is_mark, is_picture, is_spacing_mark, is_wide,
    is_zero,
};
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
    /// Whether it belongs to the character before it and must stay with it.
    pub(crate) joined: bool,
}

/// What the characters so far mean for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    /// A space: a mark after it stands on its own, so that a line may begin with it.
    Space,
    /// A picture: an emoji, or what could be one.
    Picture,
    /// A picture and a joiner: the next one merges into it.
    PictureJoiner,
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
            if !('\u{300}'..'\u{370}').contains(&mark) {
                break;
            }
            let Some(composed) = self.metrics.compose(base, mark) else { break };
            base = composed;
            self.rest.next();
        }
        base
    }

    /// A character that the face lacks.
    fn unknown(&mut self, c: char, at: usize) -> Placed {
        let zero = is_zero(c);
        let wide = !zero && is_wide(c);
        let (advance, joined) = self.room(c, zero, wide);
        if !zero {
            self.row = 0;
        }
        Placed { c, at, advance, kerning: 0, row: self.row, joined }
    }

    /// What a mark leaves of what came before it.
    fn pass_mark(&mut self, mark: char) {
        self.before = match self.before {
            Before::Picture if mark == JOINER => Before::PictureJoiner,
            Before::PictureJoiner => Before::Picture,
            // A half that carries a mark has no second half.
            Before::Flag => Before::Nothing,
            other => other,
        };
    }

    /// Room for a character that the face lacks, and whether it joins the one before.
    fn room(&mut self, c: char, zero: bool, wide: bool) -> (u16, bool) {
        let em = self.metrics.units_per_em;
        // Most alphabets' letters are about 0.6 em wide.
        let letter = (u32::from(em) * 6).div_ceil(10) as u16;
        let alone = match (zero, wide) {
            (true, _) => 0,
            (_, true) => em,
            (_, false) => letter,
        };
        let merges = matches!(self.before, Before::Picture | Before::PictureJoiner);
        if zero && c >= FIRST_MARK || is_spacing_mark(c) {
            self.pass_mark(c);
            return (if merges && wide { 0 } else { alone }, true);
        }
        if self.before == Before::PictureJoiner && is_picture(c) {
            self.before = Before::Picture;
            return (0, true);
        }
        if is_flag_half(c) {
            let second = self.before == Before::Flag;
            self.before = if second { Before::Nothing } else { Before::Flag };
            return (if second { 0 } else { em }, second);
        }
        self.before = if is_picture(c) { Before::Picture } else { Before::Nothing };
        (alone, false)
    }
}

impl Iterator for Glyphs<'_> {
    type Item = Placed;

    fn next(&mut self) -> Option<Placed> {
        let (at, first) = self.rest.next()?;
        let c = self.compose(first);
        let joined = self.before != Before::Space;
        if !joined {
            self.before = Before::Nothing;
            self.row = if is_mark(c) { 0 } else { self.row };
        }
        let Some(glyph) = self.metrics.glyph(c) else {
            let placed = self.unknown(c, at);
            return Some(Placed { joined: placed.joined && joined, ..placed });
        };
        if is_mark(c) {
            self.pass_mark(c);
            // Kerning looks past marks, at the letters they sit on.
            let (kerning, row) = (0, self.row);
            return Some(Placed { c, at, advance: 0, kerning, row, joined });
        }
        let merged = self.before == Before::PictureJoiner && is_picture(c);
        self.before = match c {
            ' ' => Before::Space,
            c if is_picture(c) => Before::Picture,
            _ => Before::Nothing,
        };
        let kerning = self.metrics.kerning(self.row, glyph.column);
        self.row = glyph.row;
        let (advance, row) = (glyph.advance, glyph.row);
        Some(Placed { c, at, advance, kerning, row, joined: merged })
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
