//! The shapes of a line, for renderers that fill paths.
//!
//! Glyphs are read unscaled, in whole font units, placed where `width` measured them, and
//! scaled once: the same numbers on every machine. What the face lacks comes from a spare
//! font, or becomes a rounded box of the room that was measured for it with the code point
//! inside, so that nothing disappears in silence. Fill with the non-zero rule: glyphs
//! overlap their own contours.

use skrifa::instance::{LocationRef, Size};
use skrifa::outline::pen::ControlBoundsPen;
use skrifa::outline::{DrawSettings, OutlineGlyph, OutlinePen};
use skrifa::raw::types::BoundingBox;
use skrifa::{FontRef, MetadataProvider};

use crate::face::{Face, font_bytes};
use crate::glyphs::Placed;
use crate::measure::to_px;
use crate::metrics::{self, Metrics};
use crate::spare::SpareFont;
use crate::visual;

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
    outline_with(face, size, text, None)
}

/// The same with the glyphs of a spare font for what the face lacks, each fitted into the
/// room that was measured for it. There is no shaping: letters that join stand apart.
pub fn outline_with(
    face: Face,
    size: f64,
    text: &str,
    spare: Option<&SpareFont>,
) -> Vec<PathCommand> {
    let metrics = metrics::of(face);
    let font = FontRef::new(font_bytes(face)).expect("the bundled font is a font");
    let (characters, shapes) = (font.charmap(), font.outline_glyphs());
    let mut pen = Pen::new(metrics, size);
    // The letter that marks sit on, and where it stands.
    let mut letter = None;
    for (glyph, origin) in visual::placed(metrics, text) {
        pen.origin = origin;
        match (characters.map(glyph.c).and_then(|id| shapes.get(id)), &letter) {
            (Some(mark), Some((shape, at))) if glyph.joined => {
                pen.mark(&mark, shape, *at);
            }
            (Some(shape), _) => {
                draw(&shape, &mut pen);
                letter = Some((shape, pen.origin));
            }
            (None, _) => {
                if !spare.is_some_and(|spare| spare.draw(&glyph, &mut pen)) {
                    pen.missing(&glyph);
                }
                letter = letter.filter(|_| glyph.joined);
            }
        }
    }
    pen.path
}

/// Sends a glyph to a pen, unscaled.
pub(crate) fn draw(shape: &OutlineGlyph<'_>, pen: &mut impl OutlinePen) {
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
pub(crate) struct Pen {
    metrics: &'static Metrics,
    size: f64,
    /// Where the glyph stands, in font units.
    origin: i64,
    /// How far it is raised.
    lift: f32,
    /// How far it is moved to the right within its room.
    shift: f32,
    /// How many font units one of the glyph's own takes.
    zoom: f32,
    path: Vec<PathCommand>,
}

impl Pen {
    fn new(metrics: &'static Metrics, size: f64) -> Pen {
        let path = Vec::new();
        Pen { metrics, size, origin: 0, lift: 0.0, shift: 0.0, zoom: 1.0, path }
    }

    /// Draws a glyph of another font: so many units of ours to one of its own, moved within
    /// its room.
    pub(crate) fn foreign(
        &mut self,
        shape: &OutlineGlyph<'_>,
        zoom: f32,
        [shift, lift]: [f32; 2],
    ) {
        (self.zoom, self.shift, self.lift) = (zoom, shift, lift);
        draw(shape, self);
        (self.zoom, self.shift, self.lift) = (1.0, 0.0, 0.0);
    }

    /// Units of our font to its em.
    pub(crate) fn em(&self) -> f32 {
        f32::from(self.metrics.units_per_em)
    }

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
        let gap = 0.03 * em;
        let inside = [low + gap, stroke + gap, high - gap, height - stroke - gap];
        self.code_point(glyph.c, inside);
    }

    /// The code point in two columns of digits.
    fn code_point(&mut self, c: char, [left, bottom, right, top]: [f32; 4]) {
        let digits = format!("{:04X}", u32::from(c));
        let rows = digits.len().div_ceil(2);
        let font =
            FontRef::new(font_bytes(Face::Mono)).expect("the bundled font is a font");
        let (characters, shapes) = (font.charmap(), font.outline_glyphs());
        let mono = metrics::of(Face::Mono);
        let own = f32::from(mono.units_per_em);
        // A digit of this font is 0.6 em wide and 0.73 em high.
        let (cell, step) = ((right - left) / 2.0, (top - bottom) / rows as f32);
        let zoom = (cell / (0.6 * own)).min(0.86 * step / (0.73 * own));
        // An odd one out leads, so that the last row is full.
        let lead = digits.len() % 2;
        for (at, digit) in digits.chars().enumerate() {
            let Some(shape) = characters.map(digit).and_then(|id| shapes.get(id)) else {
                continue;
            };
            let (row, column) = ((at + lead) / 2, (at + lead) % 2);
            let x = left + (column as f32 + 0.5) * cell - 0.3 * own * zoom;
            let y = top - (row as f32 + 0.5) * step - 0.365 * own * zoom;
            self.foreign(&shape, zoom, [x, y]);
        }
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
        let x = self.origin as f64 + f64::from(x * self.zoom + self.shift);
        ((x * scale) as f32, (-f64::from(y * self.zoom + self.lift) * scale) as f32)
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
    fn a_missing_glyph_names_its_code_point() {
        let [one, other] = ["漢", "字"].map(|sign| outline(Face::Regular, 20.0, sign));
        assert_ne!(one, other);
        let frame = |path: &[PathCommand]| reach(path);
        assert_eq!(frame(&one), frame(&other), "digits stay inside the frame");
        for sign in ["🚀", "\u{10FFFF}", "ש"] {
            let [left, top, right, bottom] = reach(&outline(Face::Regular, 20.0, sign));
            let room = width(Face::Regular, 20.0, sign) as f32;
            assert!(left > 0.0 && right < room && top > -15.0 && bottom == 0.0, "{sign}");
        }
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
