//! Primitives as paths of the rasteriser.

use std::collections::BTreeMap;
use std::rc::Rc;

use tiny_skia::{Path, PathBuilder, Rect as SkRect};
use topomotion_scene::{FontFace, PathCommand, Point, Rect};
use topomotion_text::{Face, outline};

/// Where a quarter of a circle's control points stand, as a part of its radius.
const QUARTER: f64 = 0.552_284_749_830_793_4;

/// Most lines of text kept at a time: a long film says many things once.
const LINES_MAX: usize = 4096;

/// The outlines of lines of text, each made once. Baselines begin at (0, 0).
#[derive(Debug, Default)]
pub(crate) struct Lines {
    paths: BTreeMap<(FontFace, u64, String), Option<Rc<Path>>>,
}

impl Lines {
    /// The outline of `text`, or `None` if it has none (spaces).
    pub fn path(&mut self, face: FontFace, size: f64, text: &str) -> Option<Rc<Path>> {
        if self.paths.len() >= LINES_MAX {
            self.paths.clear();
        }
        let key = (face, size.to_bits(), text.to_owned());
        let made = self.paths.entry(key);
        made.or_insert_with(|| text_path(face, size, text).map(Rc::new)).clone()
    }
}

fn text_path(face: FontFace, size: f64, text: &str) -> Option<Path> {
    use topomotion_text::PathCommand as C;
    let mut pen = PathBuilder::new();
    for command in outline(bundled(face), size, text) {
        match command {
            C::Move { x, y } => pen.move_to(x, y),
            C::Line { x, y } => pen.line_to(x, y),
            C::Quad { cx, cy, x, y } => pen.quad_to(cx, cy, x, y),
            C::Cubic { c1x, c1y, c2x, c2y, x, y } => {
                pen.cubic_to(c1x, c1y, c2x, c2y, x, y);
            }
            C::Close => pen.close(),
        }
    }
    pen.finish()
}

fn bundled(face: FontFace) -> Face {
    match face {
        FontFace::Regular => Face::Regular,
        FontFace::SemiBold => Face::SemiBold,
        FontFace::Mono => Face::Mono,
    }
}

/// A rectangle whose corners are rounded by at most half a side.
pub(crate) fn rounded(rect: &Rect, radius: f64) -> Option<Path> {
    if !(rect.width >= 0.0 && rect.height >= 0.0) {
        return None;
    }
    let radius = radius.min(rect.width / 2.0).min(rect.height / 2.0);
    if radius.is_nan() || radius <= 0.0 {
        let corner = (rect.x as f32, rect.y as f32);
        let sk =
            SkRect::from_xywh(corner.0, corner.1, rect.width as f32, rect.height as f32);
        return sk.map(PathBuilder::from_rect);
    }
    let (left, top, right, bottom) = (rect.x, rect.y, rect.right(), rect.bottom());
    let mut pen = Pen::default();
    pen.move_to(left + radius, top);
    pen.line_to(right - radius, top);
    pen.corner(Point::new(right, top), Point::new(right, top + radius), radius);
    pen.line_to(right, bottom - radius);
    pen.corner(Point::new(right, bottom), Point::new(right - radius, bottom), radius);
    pen.line_to(left + radius, bottom);
    pen.corner(Point::new(left, bottom), Point::new(left, bottom - radius), radius);
    pen.line_to(left, top + radius);
    pen.corner(Point::new(left, top), Point::new(left + radius, top), radius);
    pen.path.close();
    pen.path.finish()
}

/// A circle.
pub(crate) fn circle(center: Point, radius: f64) -> Option<Path> {
    if radius.is_nan() || radius <= 0.0 {
        return None;
    }
    PathBuilder::from_circle(center.x as f32, center.y as f32, radius as f32)
}

/// A path as the display list names it.
pub(crate) fn path(commands: &[PathCommand]) -> Option<Path> {
    let mut pen = Pen::default();
    for command in commands {
        match *command {
            PathCommand::Move(to) => pen.move_to(to.x, to.y),
            PathCommand::Line(to) => pen.line_to(to.x, to.y),
            PathCommand::Quad(c, to) => {
                pen.path.quad_to(c.x as f32, c.y as f32, to.x as f32, to.y as f32);
            }
            PathCommand::Cubic(a, b, to) => pen.cubic_to(a, b, to),
            PathCommand::Close => pen.path.close(),
        }
    }
    pen.path.finish()
}

/// Takes our numbers where the rasteriser wants its own.
#[derive(Default)]
struct Pen {
    path: PathBuilder,
    at: Point,
}

impl Pen {
    fn move_to(&mut self, x: f64, y: f64) {
        self.path.move_to(x as f32, y as f32);
        self.at = Point::new(x, y);
    }

    fn line_to(&mut self, x: f64, y: f64) {
        self.path.line_to(x as f32, y as f32);
        self.at = Point::new(x, y);
    }

    fn cubic_to(&mut self, a: Point, b: Point, to: Point) {
        let [ax, ay, bx, by] = [a.x, a.y, b.x, b.y].map(|value| value as f32);
        self.path.cubic_to(ax, ay, bx, by, to.x as f32, to.y as f32);
        self.at = to;
    }

    /// A quarter of a circle around the inside of `corner`.
    fn corner(&mut self, corner: Point, to: Point, radius: f64) {
        let reach = |from: Point| {
            let part = QUARTER * radius / distance(from, corner).max(f64::MIN_POSITIVE);
            Point::new(
                from.x + (corner.x - from.x) * part,
                from.y + (corner.y - from.y) * part,
            )
        };
        let (a, b) = (reach(self.at), reach(to));
        self.cubic_to(a, b, to);
    }
}

/// Of two points on one horizontal or vertical line.
fn distance(a: Point, b: Point) -> f64 {
    (a.x - b.x).abs() + (a.y - b.y).abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_radius_reaches_at_most_to_the_middle() {
        let rect = Rect::new(10.0, 20.0, 30.0, 8.0);
        let bounds = rounded(&rect, 99.0).unwrap().bounds();
        assert_eq!((bounds.left(), bounds.top()), (10.0, 20.0));
        assert_eq!((bounds.right(), bounds.bottom()), (40.0, 28.0));
    }

    #[test]
    fn what_has_no_shape_has_no_path() {
        assert!(rounded(&Rect::new(0.0, 0.0, f64::NAN, 1.0), 1.0).is_none());
        assert!(rounded(&Rect::new(0.0, 0.0, -5.0, 1.0), 0.0).is_none());
        assert!(circle(Point::default(), 0.0).is_none());
        assert!(path(&[]).is_none());
        assert!(Lines::default().path(FontFace::Regular, 12.0, "  ").is_none());
    }

    #[test]
    fn a_line_of_text_is_made_once() {
        let mut lines = Lines::default();
        let first = lines.path(FontFace::Mono, 12.0, "orders-0").unwrap();
        let again = lines.path(FontFace::Mono, 12.0, "orders-0").unwrap();
        assert!(Rc::ptr_eq(&first, &again));
    }
}
