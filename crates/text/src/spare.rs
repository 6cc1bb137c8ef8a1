//! A font of the caller's own for characters that the bundled faces lack.
//!
//! It only draws: rooms are measured without it, so that a picture has the same layout on
//! every machine, with or without the font.

use std::fmt;

use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::{FontRef, MetadataProvider};

use crate::glyphs::Placed;
use crate::outline::Pen;

/// A TrueType or OpenType file, or the first font of a collection.
#[derive(Clone)]
pub struct SpareFont {
    bytes: Vec<u8>,
}

/// Why a file is no font.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAFont;

impl fmt::Display for NotAFont {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is no TrueType or OpenType font with outlines")
    }
}

impl std::error::Error for NotAFont {}

impl fmt::Debug for SpareFont {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpareFont({} bytes)", self.bytes.len())
    }
}

impl SpareFont {
    /// Takes a font file.
    pub fn new(bytes: Vec<u8>) -> Result<SpareFont, NotAFont> {
        let font = FontRef::from_index(&bytes, 0).map_err(|_| NotAFont)?;
        let draws = font.outline_glyphs().format().is_some() && font.charmap().has_map();
        if draws { Ok(SpareFont { bytes }) } else { Err(NotAFont) }
    }

    /// Whether it has an outline for the character.
    pub fn covers(&self, c: char) -> bool {
        let Some(font) = self.font() else { return false };
        let glyph = font.charmap().map(c).filter(|glyph| glyph.to_u32() != 0);
        glyph.and_then(|glyph| font.outline_glyphs().get(glyph)).is_some()
    }

    fn font(&self) -> Option<FontRef<'_>> {
        FontRef::from_index(&self.bytes, 0).ok()
    }

    /// Draws a character into the room that was measured for it, made smaller if it is
    /// wider; `false` if the font lacks it.
    pub(crate) fn draw(&self, glyph: &Placed, pen: &mut Pen) -> bool {
        let Some(font) = self.font() else { return false };
        let Some(id) = font.charmap().map(glyph.c).filter(|id| id.to_u32() != 0) else {
            return false;
        };
        let Some(shape) = font.outline_glyphs().get(id) else { return false };
        let metrics = GlyphMetrics::new(&font, Size::unscaled(), LocationRef::default());
        let units = font.metrics(Size::unscaled(), LocationRef::default()).units_per_em;
        let advance = metrics.advance_width(id).unwrap_or(0.0);
        let room = f32::from(glyph.advance);
        let mut zoom = pen.em() / f32::from(units.max(1));
        if glyph.advance == 0 {
            // A mark of no width of its own belongs to the sign before it.
            pen.foreign(&shape, zoom, [-advance * zoom, 0.0]);
            return true;
        }
        if advance * zoom > room {
            zoom = room / advance;
        }
        pen.foreign(&shape, zoom, [(room - advance * zoom) / 2.0, 0.0]);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Face, font_bytes, outline, outline_with};

    #[test]
    fn only_fonts_are_taken() {
        assert_eq!(SpareFont::new(b"no font".to_vec()).err(), Some(NotAFont));
        let font = SpareFont::new(font_bytes(Face::Mono).to_vec()).unwrap();
        assert!(font.covers('a') && !font.covers('漢'));
    }

    #[test]
    fn what_a_face_lacks_comes_from_the_spare_font() {
        let spare = SpareFont::new(font_bytes(Face::Regular).to_vec()).unwrap();
        let lacking = (' '..='\u{2FFF}')
            .find(|&c| spare.covers(c) && !crate::covers(Face::Mono, c))
            .expect("the faces differ");
        let text = format!("a{lacking}漢");
        let boxed = outline(Face::Mono, 20.0, &text);
        let drawn = outline_with(Face::Mono, 20.0, &text, Some(&spare));
        assert_ne!(boxed, drawn);
        assert_eq!(boxed.last(), drawn.last(), "what neither has is a box");
    }
}
