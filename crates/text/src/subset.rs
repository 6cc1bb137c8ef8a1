//! A font file with only the glyphs that a picture needs, small enough to stand inside an
//! SVG.
//!
//! The result is an ordinary TrueType font: the tables a browser insists on, the outlines
//! copied byte by byte, and the pair kerning of the baked metrics as a `GPOS` table, so
//! that a browser sets a line exactly as wide as [`width`](crate::width) measured it. The
//! names stay, and with them the copyright and the licence, as the Open Font License
//! asks.
//!
//! Left out: hinting, ligatures, stylistic sets, and the anchors of combining marks;
//! accents that compose are kept composed.

mod cmap;
mod glyf;
mod gpos;

use std::collections::{BTreeMap, BTreeSet};

use skrifa::raw::types::Tag;
use skrifa::{FontRef, MetadataProvider};

use crate::characters::{FIRST_MARK, is_mark};
use crate::face::{Face, font_bytes};
use crate::metrics;

/// What `head` adds to a file's sum so that every font sums up to the same number.
const WHOLE_FILE_SUM: u32 = 0xB1B0_AFBA;

/// A TrueType font of the face with only what `characters` need. Characters that the face
/// lacks are left to the browser's own fonts.
pub fn subset(face: Face, characters: &BTreeSet<char>) -> Vec<u8> {
    let font = FontRef::new(font_bytes(face)).expect("the bundled font is a font");
    let source = Source { font };
    let metrics = metrics::of(face);
    let characters = with_compositions(metrics, characters);
    let glyphs = glyf::Selection::new(&source, &characters);
    let mut tables = BTreeMap::new();
    let (outlines, locations) = glyphs.outlines(&source);
    tables.insert(*b"glyf", outlines);
    tables.insert(*b"loca", locations);
    tables.insert(*b"hmtx", glyphs.advances(&source));
    tables.insert(*b"cmap", cmap::table(&glyphs.characters));
    tables.insert(*b"head", head(&source));
    tables.insert(*b"hhea", patched(&source, b"hhea", 34, glyphs.count()));
    tables.insert(*b"maxp", patched(&source, b"maxp", 4, glyphs.count()));
    tables.insert(*b"OS/2", source.table(b"OS/2").to_vec());
    tables.insert(*b"name", source.table(b"name").to_vec());
    tables.insert(*b"post", source.table(b"post").to_vec());
    if let Some(kerning) = gpos::table(metrics, &glyphs.characters) {
        tables.insert(*b"GPOS", kerning);
    }
    assemble(&tables)
}

/// The characters the face has, and those that its letters and accents compose to: a
/// browser composes them before it looks for glyphs.
fn with_compositions(
    metrics: &metrics::Metrics,
    characters: &BTreeSet<char>,
) -> BTreeSet<char> {
    let known = |c: &char| metrics.glyph(*c).is_some();
    let mut out: BTreeSet<char> = characters.iter().copied().filter(known).collect();
    for &mark in characters.range(FIRST_MARK..).filter(|&&c| is_mark(c)) {
        // Twice, for a letter with two accents.
        for _ in 0..2 {
            let composed: Vec<char> =
                out.iter().filter_map(|&base| metrics.compose(base, mark)).collect();
            out.extend(composed);
        }
    }
    out
}

/// The bundled font, table by table.
struct Source {
    font: FontRef<'static>,
}

impl Source {
    fn table(&self, tag: &[u8; 4]) -> &'static [u8] {
        let data = self.font.table_data(Tag::new(tag));
        data.expect("the bundled font has every table we copy").as_bytes()
    }

    fn glyph_of(&self, c: char) -> Option<u16> {
        self.font.charmap().map(c).map(|glyph| glyph.to_u32() as u16)
    }
}

/// A table copied with one 16-bit count changed.
fn patched(source: &Source, tag: &[u8; 4], at: usize, count: u16) -> Vec<u8> {
    let mut table = source.table(tag).to_vec();
    table[at..at + 2].copy_from_slice(&count.to_be_bytes());
    table
}

/// The head, without its sum, for short locations.
fn head(source: &Source) -> Vec<u8> {
    let mut head = patched(source, b"head", 50, 0);
    head[8..12].fill(0);
    head
}

/// Puts the tables into a file with its directory and checksums.
fn assemble(tables: &BTreeMap<[u8; 4], Vec<u8>>) -> Vec<u8> {
    let count = tables.len() as u16;
    let power = count.ilog2() as u16;
    let range = 16 << power;
    let mut file = vec![0, 1, 0, 0];
    put(&mut file, &[count, range, power, count * 16 - range]);
    let mut body = Vec::new();
    let start = 12 + 16 * tables.len();
    let mut head = start;
    for (tag, table) in tables {
        if tag == b"head" {
            head = start + body.len();
        }
        file.extend(tag);
        file.extend(sum(table).to_be_bytes());
        file.extend(((start + body.len()) as u32).to_be_bytes());
        file.extend((table.len() as u32).to_be_bytes());
        body.extend(table);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    file.extend(body);
    let adjustment = WHOLE_FILE_SUM.wrapping_sub(sum(&file));
    file[head + 8..head + 12].copy_from_slice(&adjustment.to_be_bytes());
    file
}

/// The sum of a table's 32-bit words, the last one padded with zeros.
fn sum(table: &[u8]) -> u32 {
    table.chunks(4).fold(0, |sum, word| {
        let mut padded = [0; 4];
        padded[..word.len()].copy_from_slice(word);
        sum.wrapping_add(u32::from_be_bytes(padded))
    })
}

/// Appends 16-bit numbers the way TrueType writes them.
fn put(out: &mut Vec<u8>, numbers: &[u16]) {
    out.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
}

/// The 16-bit number at a place of a table.
fn get(table: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([table[at], table[at + 1]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::width;
    use skrifa::instance::{LocationRef, Size};
    use skrifa::outline::{DrawSettings, pen::SvgPen};

    const FACES: [Face; 3] = [Face::Regular, Face::SemiBold, Face::Mono];
    const LABELS: &str =
        "Broker failure: leader election broker-1 orders-0 → AVATAR 42 é";

    fn characters(text: &str) -> BTreeSet<char> {
        text.chars().collect()
    }

    #[test]
    fn kept_characters_keep_their_advance() {
        for face in FACES {
            let file = subset(face, &characters(LABELS));
            let font = FontRef::new(&file).unwrap();
            let sizes = font.glyph_metrics(Size::unscaled(), LocationRef::default());
            let em = f64::from(metrics::of(face).units_per_em);
            for c in characters(LABELS) {
                let glyph = font.charmap().map(c).unwrap();
                let advance = f64::from(sizes.advance_width(glyph).unwrap());
                assert_eq!(advance, width(face, em, &c.to_string()), "{face:?} {c}");
            }
            assert!(font.charmap().map('Q').is_none());
        }
    }

    #[test]
    fn every_table_and_the_whole_file_sum_up() {
        let file = subset(Face::Regular, &characters(LABELS));
        assert_eq!(sum(&file), WHOLE_FILE_SUM);
        let font = FontRef::new(&file).unwrap();
        for record in font.table_directory().table_records() {
            let start = record.offset() as usize;
            let mut table = file[start..start + record.length() as usize].to_vec();
            if record.tag() == Tag::new(b"head") {
                table[8..12].fill(0);
            }
            assert_eq!(record.checksum(), sum(&table), "{}", record.tag());
            assert!(start.is_multiple_of(4));
        }
    }

    fn drawn(font: &FontRef<'_>, c: char) -> String {
        let mut pen = SvgPen::new();
        let settings = DrawSettings::unhinted(Size::unscaled(), LocationRef::default());
        let glyph = font.charmap().map(c).unwrap();
        font.outline_glyphs().get(glyph).unwrap().draw(settings, &mut pen).unwrap();
        pen.to_string()
    }

    #[test]
    fn kept_glyphs_are_drawn_as_before() {
        for face in FACES {
            let whole = FontRef::new(font_bytes(face)).unwrap();
            // Composite glyphs, some of parts that nothing else keeps.
            for c in "éŁǍÅĞ½①≠a:".chars().filter(|&c| crate::covers(face, c)) {
                let file = subset(face, &BTreeSet::from([c]));
                let small = FontRef::new(&file).unwrap();
                assert_eq!(drawn(&small, c), drawn(&whole, c), "{face:?} {c}");
                assert!(!drawn(&small, c).is_empty());
            }
        }
    }

    #[test]
    fn a_letter_and_its_accent_bring_the_composed_character() {
        let file = subset(Face::Regular, &characters("e\u{301}"));
        assert!(FontRef::new(&file).unwrap().charmap().map('é').is_some());
    }

    #[test]
    fn nothing_and_everything_can_be_kept() {
        for face in FACES {
            assert!(FontRef::new(&subset(face, &BTreeSet::new())).is_ok());
            let all: BTreeSet<char> = metrics::of(face).characters().collect();
            let file = subset(face, &all);
            let font = FontRef::new(&file).unwrap();
            assert!(all.iter().all(|&c| font.charmap().map(c).is_some()), "{face:?}");
        }
    }

    #[test]
    fn forty_glyphs_take_less_than_eight_kilobytes() {
        for face in FACES {
            let text = "abcdefghijklmnopqrstuvwxyz0123456789-.:A";
            let file = subset(face, &characters(text));
            assert!(file.len() <= 8 * 1024, "{face:?}: {} bytes", file.len());
        }
    }
}
