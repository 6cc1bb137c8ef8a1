//! The shapes of a line, for renderers that fill paths.
//!
//! Glyphs are read unscaled, in whole font units, placed where `width` measured them, and
//! scaled once: the same numbers on every machine. What the face lacks becomes a rounded box
//! of the room that was measured for it, so that nothing disappears in silence.
//! Fill with the non-zero rule: glyphs overlap their own contours.

use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlineGlyph, OutlinePen};
use skrifa::{FontRef, MetadataProvider};

use crate::face::{Face, font_bytes};
use crate::glyphs::{Glyphs, Placed};
use crate::measure::to_px;
use crate::metrics::{self, Metrics};

/// One step of a path, in px; y grows downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PathCommand {
    /// Begins a contour.
    Move {
        /// Where to.
        x: f32,
        /// Where to.
        y: f32,
    },
    /// A straight line.
    Line {
        /// Where to.
        x: f32,
        /// Where to.
        y: f32,
    },
    /// A quadratic curve.
    Quad {
        /// The control point.
        cx: f32,
        /// The control point.
        cy: f32,
        /// Where to.
        x: f32,
        /// Where to.
        y: f32,
    },
    /// A cubic curve.
    Cubic {
        /// The first control point.
        c1x: f32,
        /// The first control point.
        c1y: f32,
        /// The second control point.
        c2x: f32,
        /// The second control point.
        c2y: f32,
        /// Where to.
        x: f32,
        /// Where to.
        y: f32,
    },
    /// Back to where the contour began.
    Close,
}

/// The outlines of one line at `size` px, its baseline beginning at (0, 0), to be filled with
/// the non-zero rule. Glyphs stand where [`width`](crate::width) measures them.
pub fn outline(face: Face, size: f64, text: &str) -> Vec<PathCommand> {
    let metrics = metrics::of(face);
    let font = FontRef::new(font_bytes(face)).expect("the bundled font is a font");
    let mut pen = Pen { metrics, size, origin: 0, path: Vec::new() };
    // The letter that marks sit on: where it begins and how wide it is.
    let mut letter = (0, 0);
    for glyph in Glyphs::new(metrics, text) {
        pen.origin += i64::from(glyph.kerning);
        let shape =
            font.charmap().map(glyph.c).and_then(|id| font.outline_glyphs().get(id));
        match shape {
            Some(shape) if glyph.joined => pen.mark(&shape, letter),
            Some(shape) => pen.draw(&shape),
            None => pen.missing(&glyph),
        }
        if !glyph.joined {
            letter = (pen.origin, i64::from(glyph.advance));
        }
        pen.origin += i64::from(glyph.advance);
    }
    pen.path
}

/// Collects a path. Glyphs come in font units, y upwards.
struct Pen {
    metrics: &'static Metrics,
    size: f64,
    /// Where the glyph stands, in font units.
    origin: i64,
    path: Vec<PathCommand>,
}

impl Pen {
    fn draw(&mut self, shape: &OutlineGlyph<'_>) {
        let settings = DrawSettings::unhinted(Size::unscaled(), LocationRef::default());
        // The bundled fonts are whole: every glyph draws (a test walks all of them).
        let _ = shape.draw(settings, self);
    }

    /// A combining mark that composed with no letter: centred over the one it follows.
    fn mark(&mut self, shape: &OutlineGlyph<'_>, (left, advance): (i64, i64)) {
        let mut extent = Extent { low: f32::MAX, high: f32::MIN };
        let settings = DrawSettings::unhinted(Size::unscaled(), LocationRef::default());
        if shape.draw(settings, &mut extent).is_err() || extent.low > extent.high {
            return;
        }
        let origin = self.origin;
        self.origin = left + (advance - (extent.low + extent.high) as i64) / 2;
        self.draw(shape);
        self.origin = origin;
    }

    /// A box with rounded corners: the sign that a glyph is missing.
    fn missing(&mut self, glyph: &Placed) {
        let em = f32::from(self.metrics.units_per_em);
        let width = f32::from(glyph.advance);
        if glyph.advance == 0 || glyph.c.is_whitespace() {
            return;
        }
        let (margin, stroke, height, radius) =
            (0.06 * em, 0.06 * em, 0.73 * em, 0.12 * em);
        self.rounded([margin, 0.0, width - margin, height], radius);
        // The hole runs the other way round, which the non-zero rule leaves empty.
        let [low, high] = [margin + stroke, width - margin - stroke];
        self.rounded([high, stroke, low, height - stroke], radius - stroke);
    }

    /// A rectangle from corner to corner; its direction follows from their order.
    fn rounded(&mut self, [left, bottom, right, top]: [f32; 4], radius: f32) {
        let x = if left < right { radius } else { -radius };
        self.move_to(left + x, bottom);
        self.line_to(right - x, bottom);
        self.quad_to(right, bottom, right, bottom + radius);
        self.line_to(right, top - radius);
        self.quad_to(right, top, right - x, top);
        self.line_to(left + x, top);
        self.quad_to(left, top, left, top - radius);
        self.line_to(left, bottom + radius);
        self.quad_to(left, bottom, left + x, bottom);
        self.close();
    }

    /// A point of the current glyph in px.
    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        let scale = to_px(self.metrics, self.size, 1);
        let x = (self.origin as f64 + f64::from(x)) * scale;
        (x as f32, (-f64::from(y) * scale) as f32)
    }
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.path.push(PathCommand::Move { x, y });
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.path.push(PathCommand::Line { x, y });
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        let ((cx, cy), (x, y)) = (self.place(cx, cy), self.place(x, y));
        self.path.push(PathCommand::Quad { cx, cy, x, y });
    }

    fn curve_to(&mut self, c1x: f32, c1y: f32, c2x: f32, c2y: f32, x: f32, y: f32) {
        let ((c1x, c1y), (c2x, c2y)) = (self.place(c1x, c1y), self.place(c2x, c2y));
        let (x, y) = self.place(x, y);
        self.path.push(PathCommand::Cubic { c1x, c1y, c2x, c2y, x, y });
    }

    fn close(&mut self) {
        self.path.push(PathCommand::Close);
    }
}

/// How far a glyph reaches to the left and right.
struct Extent {
    low: f32,
    high: f32,
}

impl Extent {
    fn include(&mut self, x: f32) {
        self.low = self.low.min(x);
        self.high = self.high.max(x);
    }
}

impl OutlinePen for Extent {
    fn move_to(&mut self, x: f32, _y: f32) {
        self.include(x);
    }

    fn line_to(&mut self, x: f32, _y: f32) {
        self.include(x);
    }

    fn quad_to(&mut self, cx: f32, _cy: f32, x: f32, _y: f32) {
        self.include(cx);
        self.include(x);
    }

    fn curve_to(&mut self, c1x: f32, _c1y: f32, c2x: f32, _c2y: f32, x: f32, _y: f32) {
        self.include(c1x);
        self.include(c2x);
        self.include(x);
    }

    fn close(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::width;

    /// Left, top, right and bottom of a path's points.
    fn bounds(path: &[PathCommand]) -> [f32; 4] {
        let mut out = [f32::MAX, f32::MAX, f32::MIN, f32::MIN];
        for command in path {
            if let PathCommand::Move { x, y }
            | PathCommand::Line { x, y }
            | PathCommand::Quad { x, y, .. }
            | PathCommand::Cubic { x, y, .. } = *command
            {
                out = [out[0].min(x), out[1].min(y), out[2].max(x), out[3].max(y)];
            }
        }
        out
    }

    #[test]
    fn letters_stand_on_the_baseline_within_their_width() {
        let [left, top, right, bottom] = bounds(&outline(Face::Regular, 16.0, "HELENE"));
        assert!(left > 0.0 && right < width(Face::Regular, 16.0, "HELENE") as f32);
        assert!(bottom == 0.0 && (-12.5..-11.0).contains(&top), "{top} {bottom}");
    }

    #[test]
    fn glyphs_are_kerned_as_they_are_measured() {
        let before = width(Face::Regular, 100.0, "AV") - width(Face::Regular, 100.0, "V");
        let [_, _, alone, _] = bounds(&outline(Face::Regular, 100.0, "V"));
        let [_, _, pair, _] = bounds(&outline(Face::Regular, 100.0, "AV"));
        assert!((f64::from(pair - alone) - before).abs() < 1e-3);
    }

    #[test]
    fn every_character_that_is_covered_and_visible_draws() {
        for face in [Face::Regular, Face::SemiBold, Face::Mono] {
            for c in metrics::of(face).characters() {
                let path = outline(face, 16.0, &c.to_string());
                assert_eq!(path.is_empty(), c.is_whitespace(), "{face:?} {c:?}");
                assert!(path.is_empty() || path.ends_with(&[PathCommand::Close]));
            }
        }
    }

    #[test]
    fn a_missing_glyph_is_a_box_of_the_measured_room() {
        let [left, top, right, bottom] = bounds(&outline(Face::Regular, 20.0, "漢"));
        assert!(left > 0.5 && right < 19.5 && right - left > 15.0, "{left} {right}");
        assert!(top < -14.0 && bottom == 0.0);
        assert!(outline(Face::Regular, 20.0, "\u{200B}\u{2003}\u{7}").is_empty());
    }

    #[test]
    fn a_mark_that_does_not_compose_sits_on_its_letter() {
        let letter = outline(Face::Regular, 20.0, "q");
        let marked = outline(Face::Regular, 20.0, "q\u{301}");
        assert_eq!(marked[..letter.len()], letter);
        let ([left, _, right, _], mark) =
            (bounds(&letter), bounds(&marked[letter.len()..]));
        assert!(mark[0] >= left && mark[2] <= right, "{mark:?}");
    }
}
