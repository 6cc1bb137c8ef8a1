//! The baked metrics of a face: advances, kerning and compositions by character.
//!
//! A `.metrics` file is read where it lies, without an allocation; the head of
//! `assets/fonts/build.py` describes its layout. The tests hold it against HarfBuzz.

use crate::face::Face;

/// Length of the line of text that a file begins with.
const HEADER: usize = 64;
/// The eight counts after it.
const TABLES: usize = HEADER + 16;
const GLYPH_SIZE: usize = 8;
const COMPOSITION_SIZE: usize = 6;

/// Metrics of one face, in font units.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) units_per_em: u16,
    pub(crate) ascent: u16,
    pub(crate) descent: u16,
    pub(crate) line_gap: u16,
    columns: usize,
    glyphs: &'static [[u8; GLYPH_SIZE]],
    kerning: &'static [[u8; 2]],
    compositions: &'static [[u8; COMPOSITION_SIZE]],
}

/// How a character is set.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Glyph {
    pub(crate) advance: u16,
    /// Kerning class as the left one of a pair; 0 kerns with nothing.
    pub(crate) row: u8,
    /// Kerning class as the right one of a pair; 0 kerns with nothing.
    pub(crate) column: u8,
}

static REGULAR: Metrics =
    Metrics::read(include_bytes!("../../../assets/fonts/inter-400.metrics"));
static SEMI_BOLD: Metrics =
    Metrics::read(include_bytes!("../../../assets/fonts/inter-600.metrics"));
static MONO: Metrics =
    Metrics::read(include_bytes!("../../../assets/fonts/jetbrains-mono-400.metrics"));

/// The metrics of a face.
pub(crate) fn of(face: Face) -> &'static Metrics {
    match face {
        Face::Regular => &REGULAR,
        Face::SemiBold => &SEMI_BOLD,
        Face::Mono => &MONO,
    }
}

impl Metrics {
    /// Cuts a file into its tables. Runs while compiling: a wrong file does not build.
    const fn read(bytes: &'static [u8]) -> Metrics {
        let rows = count(bytes, 5);
        let columns = count(bytes, 6);
        let (_, rest) = bytes.split_at(TABLES);
        let (glyphs, rest) = rest.split_at(count(bytes, 4) * GLYPH_SIZE);
        let (kerning, compositions) = rest.split_at(rows * columns * 2);
        assert!(compositions.len() == count(bytes, 7) * COMPOSITION_SIZE, "wrong length");
        Metrics {
            units_per_em: count(bytes, 0) as u16,
            ascent: count(bytes, 1) as u16,
            descent: count(bytes, 2) as u16,
            line_gap: count(bytes, 3) as u16,
            columns,
            glyphs: glyphs.as_chunks().0,
            kerning: kerning.as_chunks().0,
            compositions: compositions.as_chunks().0,
        }
    }

    /// How the face sets `c`, if it has a glyph for it.
    pub(crate) fn glyph(&self, c: char) -> Option<Glyph> {
        // The 95 printable ASCII characters come first, each in its place.
        let at = match u32::from(c) {
            code @ 0x20..=0x7E => code as usize - 0x20,
            code => self
                .glyphs
                .binary_search_by_key(&code, |entry| code_point(*entry))
                .ok()?,
        };
        let [_, _, _, _, low, high, row, column] = self.glyphs[at];
        Some(Glyph { advance: u16::from_le_bytes([low, high]), row, column })
    }

    /// Extra space between a left neighbour of class `row` and a right one of `column`.
    pub(crate) fn kerning(&self, row: u8, column: u8) -> i16 {
        i16::from_le_bytes(
            self.kerning[usize::from(row) * self.columns + usize::from(column)],
        )
    }

    /// The one character that `base` and a combining `mark` make, if the face has it.
    pub(crate) fn compose(&self, base: char, mark: char) -> Option<char> {
        let key = (u32::from(base), u32::from(mark));
        let at = self.compositions.binary_search_by_key(&key, |entry| {
            let [a, b, c, d, ..] = *entry;
            (u32::from(u16::from_le_bytes([a, b])), u32::from(u16::from_le_bytes([c, d])))
        });
        let [.., low, high] = self.compositions[at.ok()?];
        char::from_u32(u32::from(u16::from_le_bytes([low, high])))
    }

    /// All characters the face has, in order.
    #[cfg(test)]
    pub(crate) fn characters(&self) -> impl Iterator<Item = char> {
        self.glyphs.iter().filter_map(|entry| char::from_u32(code_point(*entry)))
    }
}

fn code_point([a, b, c, d, ..]: [u8; GLYPH_SIZE]) -> u32 {
    u32::from_le_bytes([a, b, c, d])
}

/// The count at `index` among those after the header.
const fn count(bytes: &[u8], index: usize) -> usize {
    let at = HEADER + 2 * index;
    u16::from_le_bytes([bytes[at], bytes[at + 1]]) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACES: [Face; 3] = [Face::Regular, Face::SemiBold, Face::Mono];

    #[test]
    fn characters_are_sorted_and_ascii_has_its_place() {
        for face in FACES {
            let all: Vec<char> = of(face).characters().collect();
            assert!(all.is_sorted(), "{face:?}");
            assert!(all[..95].iter().copied().eq(' '..='~'), "{face:?}");
        }
    }

    #[test]
    fn every_kerning_class_is_inside_the_matrix() {
        for face in FACES {
            let metrics = of(face);
            for left in metrics.characters().filter_map(|c| metrics.glyph(c)) {
                assert_eq!(metrics.kerning(left.row, 0), 0, "{face:?}");
                for right in metrics.characters().filter_map(|c| metrics.glyph(c)) {
                    // Indexing must not panic, and nothing kerns by more than half an em.
                    let kerning = metrics.kerning(left.row, right.column);
                    assert!(kerning.unsigned_abs() <= metrics.units_per_em / 2);
                }
            }
        }
    }

    #[test]
    fn accents_compose() {
        assert_eq!(of(Face::Regular).compose('e', '\u{301}'), Some('é'));
        assert_eq!(of(Face::Regular).compose('q', '\u{301}'), None);
    }
}
