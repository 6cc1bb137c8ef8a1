//! The shapes of a line, for renderers that fill paths.
//!
//! Glyphs are read unscaled, in whole font units, placed where `width` measured them, and
//! scaled once: the same numbers on every machine. What the face lacks becomes a rounded
//! box of the room that was measured for it, so that nothing disappears in silence. Fill
//! with the non-zero rule: glyphs overlap their own contours.

use skrifa::instance::{LocationRef, Size};
use skrifa::outline::pen::ControlBoundsPen;
use skrifa::outline::{DrawSettings, OutlineGlyph, OutlinePen};
use skrifa::raw::types::BoundingBox;
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

/// The outlines of one line at `size` px, its baseline beginning at (0, 0), to be filled
/// with the non-zero rule. Glyphs stand where [`width`](crate::width) measures them.
pub fn outline(face: Face, size: f64, text: &str) -> Vec<PathCommand> {
    let metrics = metrics::of(face);
    let font = FontRef::new(font_bytes(face)).expect("the bundled font is a font");
    let (characters, shapes) = (font.charmap(), font.outline_glyphs());
    let mut pen = Pen { metrics, size, origin: 0, lift: 0.0, path: Vec::new() };
    // The letter that marks sit on, and where it stands.
    let mut letter = None;
    for glyph in Glyphs::new(metrics, text) {
        pen.origin += i64::from(glyph.kerning);
        match (characters.map(glyph.c).and_then(|id| shapes.get(id)), &letter) {
            (Some(mark), Some((shape, at))) if glyph.joined => {
                pen.mark(&mark, shape, *at);
            }
            (Some(shape), _) => {
                draw(&shape, &mut pen);
                letter = Some((shape, pen.origin));
            }
            (None, _) => {
                pen.missing(&glyph);
                letter = letter.filter(|_| glyph.joined);
            }
        }
        pen.origin += i64::from(glyph.advance);
    }
    pen.path
}

/// Sends a glyph to a pen, unscaled.
fn draw(shape: &OutlineGlyph<'_>, pen: &mut impl OutlinePen) {
    let settings = DrawSettings::unhinted(Size::unscaled(), LocationRef::default());
    // The bundled fonts are whole: every glyph draws (a test walks all of them).
    let _ = shape.draw(settings, pen);
}

/// The box around a glyph's points, if it has any.
fn bounds(shape: &OutlineGlyph<'_>) -> Option<BoundingBox<f32>> {
    let mut pen = ControlBoundsPen::new();
    draw(shape, &mut pen);
    pen.bounding_box()
}

/// Collects a path. Glyphs come in font units, y upwards.
struct Pen {
    metrics: &'static Metrics,
    size: f64,
    /// Where the glyph stands, in font units.
    origin: i64,
    /// How far it is raised.
    lift: f32,
    path: Vec<PathCommand>,
}

impl Pen {
    /// A combining mark that composed with no letter: centred on the one it follows, and
    /// above it if it is tall.
    fn mark(&mut self, shape: &OutlineGlyph<'_>, letter: &OutlineGlyph<'_>, at: i64) {
        let (Some(own), Some(below)) = (bounds(shape), bounds(letter)) else { return };
        let origin = self.origin;
        let shift = (below.x_min + below.x_max - own.x_min - own.x_max) / 2.0;
        self.origin = at + shift as i64;
        let gap = 0.05 * f32::from(self.metrics.units_per_em);
        if own.y_min > 0.0 {
            self.lift = (below.y_max + gap - own.y_min).max(0.0);
        }
        draw(shape, self);
        self.origin = origin;
        self.lift = 0.0;
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
        (x as f32, (-f64::from(y + self.lift) * scale) as f32)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::width;

    /// Left, top, right and bottom of a path's points.
    fn reach(path: &[PathCommand]) -> [f32; 4] {
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
        let [left, top, right, bottom] = reach(&outline(Face::Regular, 16.0, "HELENE"));
        assert!(left > 0.0 && right < width(Face::Regular, 16.0, "HELENE") as f32);
        assert!(bottom == 0.0 && (-12.5..-11.0).contains(&top), "{top} {bottom}");
    }

    #[test]
    fn glyphs_are_kerned_as_they_are_measured() {
        let before = width(Face::Regular, 100.0, "AV") - width(Face::Regular, 100.0, "V");
        let [_, _, alone, _] = reach(&outline(Face::Regular, 100.0, "V"));
        let [_, _, pair, _] = reach(&outline(Face::Regular, 100.0, "AV"));
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
        let [left, top, right, bottom] = reach(&outline(Face::Regular, 20.0, "漢"));
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
            (reach(&letter), reach(&marked[letter.len()..]));
        assert!(mark[0] >= left && mark[2] <= right, "{mark:?}");
        let tall = outline(Face::Regular, 20.0, "T");
        let marked = outline(Face::Regular, 20.0, "T\u{301}");
        let ([_, top, _, _], mark) = (reach(&tall), reach(&marked[tall.len()..]));
        assert!(mark[3] < top, "{mark:?}");
    }
}
