//! Which glyphs are kept, and their outlines and advances.
//!
//! Characters get their new glyph numbers in order, so that the character map stays
//! short; the parts of composite glyphs follow. Glyph 0 stays the box for what is
//! missing.

use std::collections::{BTreeMap, BTreeSet};

use super::{Source, get, put};

// Flags of a composite glyph's parts.
const ARGUMENTS_ARE_WORDS: u16 = 0x0001;
const HAS_SCALE: u16 = 0x0008;
const MORE_PARTS: u16 = 0x0020;
const HAS_TWO_SCALES: u16 = 0x0040;
const HAS_MATRIX: u16 = 0x0080;

/// The glyphs that are kept.
pub(super) struct Selection {
    /// Old numbers by new number.
    old: Vec<u16>,
    /// New numbers by old number.
    new: BTreeMap<u16, u16>,
    /// New glyph numbers by character.
    pub(super) characters: BTreeMap<char, u16>,
}

impl Selection {
    pub(super) fn new(source: &Source, characters: &BTreeSet<char>) -> Self {
        let mut selection = Selection {
            old: Vec::new(),
            new: BTreeMap::new(),
            characters: BTreeMap::new(),
        };
        selection.keep(0);
        for &c in characters {
            if let Some(old) = source.glyph_of(c) {
                let new = selection.keep(old);
                selection.characters.insert(c, new);
            }
        }
        // The list grows while it is walked: a part may have parts of its own.
        let mut at = 0;
        while let Some(&old) = selection.old.get(at) {
            for place in parts(outline(source, old)) {
                selection.keep(get(outline(source, old), place));
            }
            at += 1;
        }
        selection
    }

    fn keep(&mut self, old: u16) -> u16 {
        let next = self.count();
        *self.new.entry(old).or_insert_with(|| {
            self.old.push(old);
            next
        })
    }

    pub(super) fn count(&self) -> u16 {
        self.old.len() as u16
    }

    /// The `glyf` table, and `loca` in its short form.
    pub(super) fn outlines(&self, source: &Source) -> (Vec<u8>, Vec<u8>) {
        let mut outlines = Vec::new();
        let mut locations = Vec::new();
        for &old in &self.old {
            put(&mut locations, &[(outlines.len() / 2) as u16]);
            let start = outlines.len();
            outlines.extend(outline(source, old));
            for place in parts(outline(source, old)) {
                let part = self.new[&get(&outlines, start + place)];
                outlines[start + place..start + place + 2]
                    .copy_from_slice(&part.to_be_bytes());
            }
            outlines.resize(outlines.len().next_multiple_of(2), 0);
        }
        assert!(outlines.len() < 1 << 17, "the bundled fonts fit short locations whole");
        put(&mut locations, &[(outlines.len() / 2) as u16]);
        (outlines, locations)
    }

    /// The `hmtx` table: advance and left side bearing of each glyph.
    pub(super) fn advances(&self, source: &Source) -> Vec<u8> {
        let table = source.table(b"hmtx");
        let full = usize::from(get(source.table(b"hhea"), 34));
        let mut out = Vec::new();
        for &old in &self.old {
            let old = usize::from(old);
            // The last advance holds for all glyphs after it.
            let advance = get(table, 4 * old.min(full - 1));
            let bearing =
                if old < full { 4 * old + 2 } else { 4 * full + 2 * (old - full) };
            put(&mut out, &[advance, get(table, bearing)]);
        }
        out
    }
}

/// The bytes of one glyph; empty for a blank one.
fn outline(source: &Source, glyph: u16) -> &'static [u8] {
    let locations = source.table(b"loca");
    let short = get(source.table(b"head"), 50) == 0;
    let at = |index: usize| {
        if short {
            2 * usize::from(get(locations, 2 * index))
        } else {
            let high = usize::from(get(locations, 4 * index)) << 16;
            high | usize::from(get(locations, 4 * index + 2))
        }
    };
    let glyph = usize::from(glyph);
    &source.table(b"glyf")[at(glyph)..at(glyph + 1)]
}

/// Where a composite glyph names its parts; nothing for a simple one.
fn parts(outline: &[u8]) -> Vec<usize> {
    let mut places = Vec::new();
    // A composite glyph has a negative number of contours.
    if outline.is_empty() || get(outline, 0) < 0x8000 {
        return places;
    }
    let mut at = 10;
    loop {
        let flags = get(outline, at);
        places.push(at + 2);
        at += if flags & ARGUMENTS_ARE_WORDS != 0 { 8 } else { 6 };
        at += match flags {
            _ if flags & HAS_SCALE != 0 => 2,
            _ if flags & HAS_TWO_SCALES != 0 => 4,
            _ if flags & HAS_MATRIX != 0 => 8,
            _ => 0,
        };
        if flags & MORE_PARTS == 0 {
            return places;
        }
    }
}
