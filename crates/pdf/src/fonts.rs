//! The bundled fonts, cut down to what the pages show, as fonts of the document.
//!
//! A page names glyphs, not characters; each font carries a map back, so that text can be
//! selected, searched and read aloud.

use std::collections::{BTreeMap, BTreeSet};

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Filter, Finish, Name, Pdf, Rect, Ref, Str};
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::{GlyphMetrics, Metrics};
use skrifa::{FontRef, GlyphId, MetadataProvider};
use topomotion_scene::FontFace;
use topomotion_text::{Face, family, subset};

use crate::document::{Ids, packed};

const ORDER: SystemInfo<'static> =
    SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// A face as the document holds it.
#[derive(Debug)]
pub(crate) struct Font {
    face: FontFace,
    file: Vec<u8>,
    /// Glyph by character.
    glyphs: BTreeMap<char, u16>,
    /// Advance by glyph, in thousandths of an em.
    advances: Vec<f32>,
}

/// The text crate's name of a face.
pub(crate) fn bundled(face: FontFace) -> Face {
    match face {
        FontFace::Regular => Face::Regular,
        FontFace::SemiBold => Face::SemiBold,
        FontFace::Mono => Face::Mono,
    }
}

/// What a page calls a face.
pub(crate) fn resource(face: FontFace) -> Name<'static> {
    match face {
        FontFace::Regular => Name(b"F0"),
        FontFace::SemiBold => Name(b"F1"),
        FontFace::Mono => Name(b"F2"),
    }
}

impl Font {
    /// The face with only what `characters` need.
    pub fn new(face: FontFace, characters: &BTreeSet<char>) -> Font {
        let file = subset(bundled(face), characters);
        let (glyphs, advances) = match FontRef::new(&file) {
            Ok(font) => (glyphs(&font, characters), advances(&font)),
            Err(_) => unreachable!("a subset of a bundled font is a font"),
        };
        Font { face, file, glyphs, advances }
    }

    /// Which face it is.
    pub fn face(&self) -> FontFace {
        self.face
    }

    /// The glyph of a character and its advance, in thousandths of an em.
    pub fn glyph(&self, c: char) -> (u16, f32) {
        let glyph = self.glyphs.get(&c).copied().unwrap_or(0);
        (glyph, self.advances.get(usize::from(glyph)).copied().unwrap_or(0.0))
    }

    /// Writes the font's objects and returns the one that pages refer to.
    pub fn write(&self, pdf: &mut Pdf, ids: &mut Ids) -> Ref {
        let [font, descendant, descriptor, map, file] =
            [ids.next(), ids.next(), ids.next(), ids.next(), ids.next()];
        let name = self.name();
        let name = Name(name.as_bytes());
        pdf.type0_font(font)
            .base_font(name)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(descendant)
            .to_unicode(map);
        let mut cid = pdf.cid_font(descendant);
        cid.subtype(CidFontType::Type2).base_font(name).system_info(ORDER);
        cid.font_descriptor(descriptor).default_width(0.0);
        cid.cid_to_gid_map_predefined(Name(b"Identity"));
        cid.widths().consecutive(0, self.advances.iter().copied());
        cid.finish();
        self.describe(pdf, descriptor, file);
        let mut characters = UnicodeCmap::new(Name(b"Characters"), ORDER);
        for (&c, &glyph) in &self.glyphs {
            characters.pair(glyph, c);
        }
        pdf.stream(map, &packed(&characters.finish())).filter(Filter::FlateDecode);
        let length = i32::try_from(self.file.len()).unwrap_or(i32::MAX);
        let packed = packed(&self.file);
        let mut stream = pdf.stream(file, &packed);
        stream.filter(Filter::FlateDecode).pair(Name(b"Length1"), length);
        font
    }

    fn describe(&self, pdf: &mut Pdf, descriptor: Ref, file: Ref) {
        let Ok(font) = FontRef::new(&self.file) else { return };
        let metrics = Metrics::new(&font, Size::new(1000.0), LocationRef::default());
        let bounds = metrics.bounds.unwrap_or_default();
        let name = self.name();
        let fixed = match self.face {
            FontFace::Mono => FontFlags::FIXED_PITCH,
            FontFace::Regular | FontFace::SemiBold => FontFlags::empty(),
        };
        pdf.font_descriptor(descriptor)
            .name(Name(name.as_bytes()))
            .flags(FontFlags::SYMBOLIC | fixed)
            .bbox(Rect::new(bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max))
            .italic_angle(0.0)
            .ascent(metrics.ascent)
            .descent(metrics.descent)
            .cap_height(metrics.cap_height.unwrap_or(metrics.ascent))
            .stem_v(if self.face == FontFace::SemiBold { 120.0 } else { 80.0 })
            .font_file2(file);
    }

    /// `ABCDEF+Inter-SemiBold`; the letters tell subsets apart and follow from the glyphs.
    fn name(&self) -> String {
        let mut hash = self.file.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let mut name = String::new();
        for _ in 0..6 {
            name.push(char::from(b'A' + (hash % 26) as u8));
            hash /= 26;
        }
        name.push('+');
        name.push_str(&family(bundled(self.face)).replace(' ', ""));
        name.push_str(match self.face {
            FontFace::Regular | FontFace::Mono => "-Regular",
            FontFace::SemiBold => "-SemiBold",
        });
        name
    }
}

fn glyphs(font: &FontRef<'_>, characters: &BTreeSet<char>) -> BTreeMap<char, u16> {
    let map = font.charmap();
    let known = characters.iter().filter_map(|&c| Some((c, map.map(c)?)));
    known
        .filter_map(|(c, glyph)| Some((c, u16::try_from(glyph.to_u32()).ok()?)))
        .collect()
}

fn advances(font: &FontRef<'_>) -> Vec<f32> {
    let size = Size::new(1000.0);
    let metrics = GlyphMetrics::new(font, size, LocationRef::default());
    let count = metrics.glyph_count();
    (0..count).map(|id| metrics.advance_width(GlyphId::new(id)).unwrap_or(0.0)).collect()
}
